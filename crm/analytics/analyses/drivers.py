"""What makes deals close: what was known before each outcome, against the outcome (F3).

Only facts from before the decision count: every value is read as it stood `ahead` days before it (at the earliest when the record was
made), linked records only when they had been entered and had happened by then, and a record that came in already decided says nothing.

The effect of a fact is the difference of two shares of good ends, with the 95 % interval of Agresti and Caffo (2000): of an option against all
others, of a number above its middle against the rest. Its test is Fisher's exact one, of a number that of Mann and Whitney (1947), whose
effect is told too: how often, of a good and a bad end, the good one has more (0.5: no difference). The tests of one report are corrected for
their number (Benjamini and Hochberg 1995); what rests on fewer than `least` records of a side is not judged at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from crm.analytics.analyses.base import ANALYSES, Analysis, Found, Members
from crm.analytics.cuts import resolve
from crm.analytics.effects import CLEAR, chance, corrected, difference
from crm.analytics.groups import needed
from crm.analytics.known import LATEST, Known
from crm.analytics.values import Rows, cells, decoded
from crm.records.columns import moments
from crm.records.stays import ways
from crm.schema.scope import kind_of

if TYPE_CHECKING:
    from crm.records import Door
    from crm.schema.model import Report

DAY = 86_400_000
LEAST = 20
AHEAD = 1.0
NUMBERS = ("number", "integer", "money", "percent", "duration", "rating")


@dataclass
class Case:
    """One decided record: its end, when it began, and the last moment that counts (ms since 1970)."""

    id: int
    good: bool
    begun: int
    until: int


@dataclass
class Finding:
    """What one fact (or one option of it) says: shares of good ends without and with it, and how sure that is."""

    name: str
    n: int = 0
    without: float | None = None
    with_: float | None = None
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    more: float | None = None  # how often a good end has more than a bad one
    p: float | None = None
    q: float | None = None
    short: str = ""  # why it is not judged
    mine: Any = field(default=None, compare=False, repr=False)  # which cases have it, and which have not (a mask of all cases)
    others: Any = field(default=None, compare=False, repr=False)


@ANALYSES.add
class Drivers(Analysis):
    """A row a fact, or an option of it: how the share of good ends differs with it.

    A fact is a `value` of the record (a field, a path, a formula), or made of linked records (`of`, `where`, dated by `on`): their `count`,
    number `per_week`, `share`, days to the `first`, days since the `last`, `sum` or number of `distinct` of `what`; or the `load` of a
    person: how many other records of theirs were open when this one began. `fixed` says that a value never changes after the beginning.
    """

    name = "drivers"
    narrow = True
    options = {
        "facts": {
            "each": {
                "label": "text?",
                "value": "formula?",
                "fixed": "flag?",
                "of": "back?",
                "where": "condition of of?",
                "on": "date of of?",
                "how": "choice:count|per_week|share|first|last|sum|distinct?",
                "what": "path of of?",
                "load": "link?",
            },
            "one": ["value", "of", "load"],
        },
        "good": "condition?",
        "bad": "condition?",
        "field": "path?",
        "ahead": "number?",
        "least": "whole?",
    }
    needs = {"how=sum": ["what"], "how=distinct": ["what"]}
    examples = {"ahead": "7", "least": "20"}
    columns = {
        "fact": "dimension text",
        "verdict": "dimension text",
        "effect": "measure percent",
        "effect_low": "measure percent",
        "effect_high": "measure percent",
        "with": "measure percent",
        "without": "measure percent",
        "n": "measure integer",
        "more": "measure percent",
        "q": "measure percent",
    }

    def open_to(self, door: Door, report: Report) -> bool:
        return super().open_to(door, report) and all(door.path_open(report.entity, one) for one in self.ends(door, report)[1])

    def compute(self, door: Door, report: Report, *, where: list[Any], as_of: datetime | None, period: tuple[date, date] | None) -> Found:
        import numpy as np

        t, asked = door.words, report.options
        least = int(asked.get("least") or LEAST)
        cases, already = self.cases(door, report, where, as_of)
        good = sum(one.good for one in cases)
        ends = [one.good for one in cases]
        findings: list[Finding] = []
        if min(good, len(cases) - good) >= least:
            facts = Facts(door, report, cases, as_of)
            for name, spec in asked["facts"].items():
                label, values = facts.label(name, spec), facts.values(spec)
                if facts.counted(spec):
                    findings.append(of_number(t, label, values, ends, least))
                else:
                    findings += of_groups(t, label, values, ends, least, facts.shown(spec))
        tested = [one for one in findings if one.p is not None]
        for one, q in zip(tested, corrected([one.p or 0.0 for one in tested]), strict=True):
            one.q = q
        ids = np.array([one.id for one in cases], dtype=np.int64)
        order = {"more": 0, "fewer": 0, "unclear": 1, "short": 2}
        findings.sort(key=lambda one: (order[verdict(one)], -abs(one.effect or 0), -one.n))
        rows = [
            [
                one.name, said(t, one), *map(exact, (one.effect, one.low, one.high, one.with_, one.without)), one.n, exact(one.more), exact(one.q),
            ]
            for one in findings
        ]  # fmt: skip
        labels = {
            "fact": t("Known before the end"), "verdict": t("Verdict"), "effect": t("Difference"), "effect_low": t("At least"),
            "effect_high": t("At most"), "with": t("Good ends with it"), "without": t("Without it"), "n": t("Records"),
            "more": t("Good end has more"), "q": t("False alarms among facts as clear"),
        }  # fmt: skip
        return Found(
            columns=[self.column(key, labels[key]) for key in self.columns],
            rows=rows,
            members=[members(t, one, ids) for one in findings],
            notes={"decided": len(cases), "good": good, "already": already, "least": least, "findings": findings},
            says=self.says(t, findings, len(cases), good, already, least),
        )

    # -- which records, and when they were decided

    def ends(self, door: Door, report: Report) -> tuple[str, list[str]]:
        """The field whose change decides, and all paths the ends are read from."""
        key = report.options.get("field") or door.schema.entities[report.entity].stage_field
        conditions = [one for one in (report.options.get("good"), report.options.get("bad")) if one is not None]
        return key or "", [*([key] if key else []), *(path for one in conditions for path in one.uses)]

    def cases(self, door: Door, report: Report, where: list[Any], as_of: datetime | None) -> tuple[list[Case], int]:
        """The decided records this user sees, and how many came in already decided."""
        key, paths = self.ends(door, report)
        if not key:
            return [], 0
        entity = door.schema.entities[report.entity]
        field = entity.fields[key]
        good, bad = report.options.get("good"), report.options.get("bad")
        wanted = [key, "created_on", *(path for one in (good, bad) if one is not None for path in needed(door, report.entity, one))]
        frame = door.frame(report.entity, list(dict.fromkeys(wanted)), where=where, as_of=as_of, stored=True)
        ids = [int(one) for one in frame.index.tolist()]
        columns = {path: cells(frame[path]) for path in frame.columns}
        rows = Rows(
            columns,
            {path: resolve(door, report.entity, path) for path in columns},
            len(ids),
            door.company.today(),
            door.company.now(),
            door.actor,
        )

        def holds(condition: Any, outcome: str) -> list[bool]:
            if condition is not None:
                return [one is True for one in rows.each(condition)]
            stage_of = getattr(field, "stage_of", None)
            ends = {one for one in set(columns[key]) if one is not None and stage_of and getattr(stage_of(one), "outcome", None) == outcome}
            return [one in ends for one in columns[key]]

        well = holds(good, "won")
        badly = (
            holds(bad, "lost")
            if bad is not None or good is None
            else [not one and columns[key][n] is not None for n, one in enumerate(well)]
        )
        last = lasts(door, report.entity, key, as_of)
        ahead = max(1, int(float(report.options.get("ahead", AHEAD)) * DAY))
        starts = moments(columns["created_on"])
        ends = moments([last.get(one, (made,))[0] for one, made in zip(ids, columns["created_on"], strict=True)])
        found, already = [], 0
        for one, start, end, good_, bad_ in zip(ids, starts.tolist(), ends.tolist(), well, badly, strict=True):
            if good_ == bad_ or start < 0 or end < 0:
                continue
            if one not in last or end <= start:
                already += 1
                continue
            found.append(Case(one, good_, start, max(start, end - ahead)))
        return found, already

    def says(self, t: Any, findings: list[Finding], decided: int, good: int, already: int, least: int) -> str:
        """The sentence: what goes with more good ends, what with fewer, and that going together is no proof."""
        if not findings:
            return t("Too little data: {good} good and {bad} bad ends, and at least {least} of each are needed.", good=good, bad=decided - good, least=least)  # fmt: skip
        clear = [one for one in findings if verdict(one) in ("more", "fewer")]
        tested = sum(one.p is not None for one in findings)
        if not clear:
            return t(
                "None of {tested} facts stands out over {n} decided records once corrected for their number.", tested=tested, n=decided
            )
        parts = []
        up, down = (next((one for one in clear if verdict(one) == kind), None) for kind in ("more", "fewer"))
        if up is not None:
            parts.append(t("More good ends with {fact} ({points} points, {low} to {high}).", **points(t, up)))
        if down is not None:
            parts.append(t("Fewer with {fact} ({points} points, {low} to {high}).", **points(t, down)))
        parts.append(t("{clear} of {tested} facts stand out over {n} decided records; going together is no proof of a cause.", clear=len(clear), tested=tested, n=decided))  # fmt: skip
        return " ".join(parts)


@dataclass
class Pairs:
    """Linked records (of `entity`) with the place of the case each belongs to and when it happened (ms since 1970)."""

    entity: str
    ids: list[int]
    case: Any
    at: Any


class Facts:
    """The facts of a report about its cases, each as it stood at the case's last moment."""

    def __init__(self, door: Door, report: Report, cases: list[Case], as_of: datetime | None) -> None:
        import numpy as np

        self.door, self.report, self.cases, self.as_of = door, report, cases, as_of
        self.known = Known(door)
        self.latest = LATEST if as_of is None else int(as_of.timestamp() * 1000)
        self.ids = [one.id for one in cases]
        self.until = np.array([one.until for one in cases], dtype=np.int64)
        self.begun = np.array([one.begun for one in cases], dtype=np.int64)
        self._pairs: dict[tuple[str, str], Pairs] = {}

    def label(self, name: str, spec: dict[str, Any]) -> str:
        return self.report.option_in(self.door.words, f"facts.{name}.label", spec["label"])

    def values(self, spec: dict[str, Any]) -> list[Any]:
        """A value a case: numbers, or keys of groups; None where there is none."""
        if "of" in spec:
            return self.of_linked(spec)
        if "load" in spec:
            return self.load(spec["load"])
        return self.own(spec)

    def own(self, spec: dict[str, Any]) -> list[Any]:
        """A field or formula of the record."""
        expression = spec["value"]
        entity = self.report.entity
        paths = needed(self.door, entity, expression)
        when = self.until * 0 + self.latest if spec.get("fixed") else self.until
        columns = {path: self.known.at(entity, path, self.ids, when) for path in paths}
        fields = {path: resolve(self.door, entity, path) for path in paths}
        plain = expression.text.strip()
        if plain in columns:
            if getattr(fields[plain], "many", False):
                return [len(one) if isinstance(one, list) else 0 for one in columns[plain]]
            if self.counted(spec):
                return [None if one is None else float(decoded(fields[plain], "sum", one)) for one in columns[plain]]
            return columns[plain]
        rows = Rows(columns, fields, len(self.ids), self.door.company.today(), self.door.company.now(), self.door.actor)
        return [float(one) if isinstance(one, (Decimal, int)) and not isinstance(one, bool) else one for one in rows.each(expression)]

    def counted(self, spec: dict[str, Any]) -> bool:
        """Whether the values of a fact are numbers, not names of groups."""
        expression = spec.get("value")
        if expression is None:
            return True
        field = self.field(expression)
        return bool(getattr(field, "many", False)) or (expression.kind if field is None else kind_of(field)) in NUMBERS

    def field(self, expression: Any) -> Any:
        """The field a value is just read from, None where it is a formula."""
        path = expression.text.strip()
        return resolve(self.door, self.report.entity, path) if all(part.isidentifier() for part in path.split(".")) else None

    def linked(self, back: str, on: str) -> Pairs:
        """The linked records that had been entered and had happened by the last moment of the record they belong to."""
        import numpy as np

        if (back, on) in self._pairs:
            return self._pairs[back, on]
        there, link = self.door.schema.entities[self.report.entity].back[back]
        frame = self.door.frame(there, list(dict.fromkeys([link, on, "created_on"])), as_of=self.as_of, stored=True)
        ids = [int(one) for one in frame.index.tolist()]
        dates, made = moments(cells(frame[on])), moments(cells(frame["created_on"]))
        place = {one: n for n, one in enumerate(self.ids)}
        rows, owners = [], []
        for n, kept in enumerate(cells(frame[link])):
            for one in kept if isinstance(kept, list) else [kept]:
                owner = one["id"] if isinstance(one, dict) else one
                if owner is not None and int(owner) in place:
                    rows.append(n)
                    owners.append(place[int(owner)])
        row, case = np.array(rows, dtype=np.int64), np.array(owners, dtype=np.int64)
        known = (dates[row] >= 0) & (np.maximum(dates[row], made[row]) <= self.until[case]) if len(row) else np.zeros(0, dtype=bool)
        row, case = row[known], case[known]
        found = Pairs(there, [ids[n] for n in row.tolist()], case, dates[row])
        self._pairs[back, on] = found
        return found

    def of_linked(self, spec: dict[str, Any]) -> list[Any]:
        """What a fact makes of the linked records of each case."""
        import numpy as np

        pairs = self.linked(spec["of"], spec.get("on") or "created_on")
        size, how, when = len(self.cases), spec.get("how", "count"), self.until[pairs.case]
        meant = np.ones(len(pairs.ids), dtype=bool)
        if (condition := spec.get("where")) is not None:
            columns = {path: self.known.at(pairs.entity, path, pairs.ids, when) for path in needed(self.door, pairs.entity, condition)}
            fields = {path: resolve(self.door, pairs.entity, path) for path in columns}
            rows = Rows(columns, fields, len(pairs.ids), self.door.company.today(), self.door.company.now(), self.door.actor)
            meant = np.array([one is True for one in rows.each(condition)], dtype=bool)
        case, at = pairs.case[meant], pairs.at[meant]
        many = np.bincount(case, minlength=size)
        if how in ("sum", "distinct"):
            what = spec.get("what") or "id"
            values = [one for one, yes in zip(self.known.at(pairs.entity, what, pairs.ids, when), meant.tolist(), strict=True) if yes]
            if how == "sum":
                field = resolve(self.door, pairs.entity, what)
                weights = [0.0 if one is None else float(decoded(field, "sum", one)) for one in values]
                return [float(one) for one in np.bincount(case, weights=weights, minlength=size).tolist()]
            kinds: list[set[str]] = [set() for _ in range(size)]
            for n, value in zip(case.tolist(), values, strict=True):
                if value is not None:
                    kinds[n].add(str(value))
            return [len(one) for one in kinds]
        if how == "share":
            every = np.bincount(pairs.case, minlength=size)
            return [a / b if b else None for a, b in zip(many.tolist(), every.tolist(), strict=True)]
        if how in ("first", "last"):
            edge = np.full(size, LATEST if how == "first" else -1, dtype=np.int64)
            (np.minimum if how == "first" else np.maximum).at(edge, case, at)
            days = np.maximum(edge - self.begun, 0) / DAY if how == "first" else (self.until - edge) / DAY
            return [day if n else None for day, n in zip(days.tolist(), many.tolist(), strict=True)]
        weeks = np.maximum((self.until - self.begun) / DAY, 7.0) / 7
        return list((many / weeks if how == "per_week" else many).tolist())

    def load(self, path: str) -> list[Any]:
        """How many other records of the same person were open when this one began: of all that this user sees, not of the cases alone."""
        import numpy as np

        door, entity = self.door, self.report.entity
        key = door.schema.entities[entity].stage_field or path
        frame = door.frame(entity, list(dict.fromkeys(["created_on", key])), as_of=self.as_of, stored=True)
        ids, created, kept = [int(one) for one in frame.index.tolist()], cells(frame["created_on"]), cells(frame[key])
        last = lasts(door, entity, key, self.as_of)
        stage_of = getattr(door.schema.entities[entity].fields[key], "stage_of", None)
        ends = {one: stage_of is not None and bool(getattr(stage_of(one), "outcome", None)) for one in set(kept) if one is not None}
        made = moments(created)
        over = np.where(
            [ends.get(one, False) for one in kept],
            moments([last.get(one, (made_,))[0] for one, made_ in zip(ids, created, strict=True)]),
            LATEST,
        )
        whose = self.known.at(entity, path, ids, made)
        order: dict[Any, tuple[Any, Any]] = {}
        numbers = np.array([-1 if one is None else int(one) for one in whose], dtype=np.int64)
        for whom in set(numbers.tolist()) - {-1}:
            mine = numbers == whom
            order[whom] = (np.sort(made[mine]), np.sort(over[mine]))
        result: list[Any] = []
        for start, whom in zip(self.begun.tolist(), self.known.at(entity, path, self.ids, self.begun), strict=True):
            if whom is None or int(whom) not in order:
                result.append(None)
                continue
            before, ended = order[int(whom)]
            result.append(float(np.searchsorted(before, start, "left") - np.searchsorted(ended, start, "right")))
        return result

    def shown(self, spec: dict[str, Any]) -> Any:
        """How a value of this fact is called: an option's label, a linked record's title."""
        door = self.door
        field = self.field(spec["value"]) if "value" in spec else None
        titles: dict[Any, str] = {}

        def call(value: Any) -> str:
            if value is None:
                return door.words("not filled in")
            if isinstance(value, bool):
                return door.words("Yes") if value else door.words("No")
            if field is None:
                return str(value)
            if getattr(field, "to", None) and isinstance(value, (int, float)):
                if value not in titles:
                    titles[value] = door.titles(field.to, [int(value)]).get(int(value)) or door.words("Not visible to you")
                return titles[value]
            return str(field.display(field.from_json(value), door.shown))

        return call


def lasts(door: Door, entity: str, key: str, as_of: datetime | None) -> dict[int, tuple[str, Any]]:
    """Of every record that ever changed a stage or option: when it last did, and to what."""
    import numpy as np

    found = ways(door.company, entity, key, as_of)
    if not len(found.record):
        return {}
    ends = np.flatnonzero(np.append(found.record[1:] != found.record[:-1], True))
    more = ends[np.diff(np.append(-1, ends)) > 1]
    columns = (found.record[more].tolist(), found.since[more].tolist(), found.value[more].tolist())
    return {record: (since, value) for record, since, value in zip(*columns, strict=True)}


# -- statistics


def of_groups(t: Any, label: str, values: Sequence[Any], good: Sequence[bool], least: int, call: Any) -> list[Finding]:
    """One finding an option that is common enough, of yes and no only yes; the rest in one that is not judged."""
    keys = sorted({one for one in values if one is not None}, key=str)
    if all(isinstance(one, bool) for one in keys):
        keys = [True]
    elif None in values:
        keys.append(None)
    import numpy as np

    places = {key: n for n, key in enumerate(keys)}
    codes, found, rare = np.array([places.get(one, -1) for one in values]), [], 0
    for key, n in places.items():
        mine = codes == n
        if least <= mine.sum() or len(keys) == 1:
            found.append(of_group(t, f"{label}: {call(key)}", mine, good, least))
        else:
            rare += int(mine.sum())
    if rare or not keys:
        found.append(Finding(t("{fact}: others", fact=label) if found else label, rare, short=t("too little data")))
    return found


def of_number(t: Any, label: str, values: Sequence[Any], good: Sequence[bool], least: int) -> Finding:
    """A number: above its middle against the rest, tested over all its values."""
    import numpy as np
    from scipy.stats import mannwhitneyu

    every = np.array([np.nan if one is None else float(one) for one in values])
    there = ~np.isnan(every)
    have, ends = every[there], np.asarray(good, dtype=bool)[there]
    well, badly = have[ends], have[~ends]
    fewest = min(len(well), len(badly))
    if fewest < least:
        return Finding(label, len(have), short=t("too little data: {n} of {least}", n=fewest, least=least))
    middle = float(np.median(have))
    if middle == have.max() > have.min():  # most have the highest: those below it are the other side
        middle = float(have[have < middle].max())
    found = of_group(t, t("{fact} over {value}", fact=label, value=t.number(round(middle, 1))), have > middle, ends, 1)
    found.mine, found.others = there & (every > middle), there & (every <= middle)
    if found.effect is None:
        return Finding(label, len(have), short=t("always the same"))
    test = mannwhitneyu(well, badly, alternative="two-sided", method="asymptotic")
    found.more, found.p, found.n = float(test.statistic) / (len(well) * len(badly)), float(test.pvalue), len(have)
    return found


def of_group(t: Any, label: str, mine: Any, good: Any, least: int) -> Finding:
    """Those with something against those without."""
    import numpy as np

    with_, ends = np.asarray(mine, dtype=bool), np.asarray(good, dtype=bool)
    a, n = int((with_ & ends).sum()), int(with_.sum())
    m, c = len(with_) - n, int(ends.sum()) - a
    if min(n, m) < least:
        return Finding(label, n, short=t("too little data: {n} of {least}", n=min(n, m), least=least), mine=with_, others=~with_)
    effect, low, high = difference(a, n, c, m)
    p = chance(a, n, c, m)
    return Finding(label, n, c / m, a / n, effect, low, high, None, p, mine=with_, others=~with_)


def members(t: Any, one: Finding, ids: Any) -> Members | None:
    """The decided records that have a fact, and beside them those without it."""
    if one.mine is None:
        return None
    without = (t("Without {fact}", fact=one.name), partial(ids.__getitem__, one.others))
    return Members(one.name, partial(ids.__getitem__, one.mine), {"without": without})


def verdict(one: Finding) -> str:
    if one.short or one.q is None:
        return "short"
    if one.q >= CLEAR or (one.low or 0) <= 0 <= (one.high or 0):
        return "unclear"
    up = one.more > 0.5 if one.more is not None else (one.effect or 0) > 0
    return "more" if up else "fewer"


def said(t: Any, one: Finding) -> str:
    """The verdict in words."""
    if one.short:
        return one.short
    words = {"more": t("more good ends"), "fewer": t("fewer good ends"), "unclear": t("not clear")}
    return str(words[verdict(one)])


def exact(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(repr(round(value, 4)))


def points(t: Any, one: Finding) -> dict[str, str]:
    """What a sentence says of a finding."""
    return {"fact": one.name, "points": signed(t, one.effect), "low": signed(t, one.low), "high": signed(t, one.high)}


def signed(t: Any, value: float | None) -> str:
    """A difference of shares in points, with its sign."""
    points = round((value or 0.0) * 100)
    return ("+" if points > 0 else "−" if points < 0 else "") + str(abs(points))
