"""What is bought together, and whether recommending it would have worked (F10).

Of every two items: `support` (the part of all buyers who bought both), `confidence` (of those who bought the first, the part who bought the
other), `lift` (that part against the part of all buyers; Brin et al. 1997). Whether it holds is measured on the later part of time: of those
who had bought the first and not the other until then, how many bought the other afterwards, against all who had not bought it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from crm.analytics.analyses.base import ANALYSES, Analysis, Found, Members
from crm.analytics.cuts import resolve
from crm.analytics.effects import CLEAR, chance, corrected
from crm.analytics.values import cells

if TYPE_CHECKING:
    from crm.records import Door
    from crm.schema.model import Report

#: Buyers of both that make a row, suggestions made to each buyer, and the part of time that is held back.
LEAST, SUGGESTED, HELD = 3, 3, 0.5
#: Fewer expected buyers in the later part say nothing either way.
EXPECTED = 3.0

Bought = Sequence[tuple[int, int, str]]


@ANALYSES.add
class CrossSell(Analysis):
    """A row two items in one order of suggestion (who has `first` is offered `other`): `basket` says who bought, `item` what, `on` when.

    `item` may be the link inside a field of lines: then `column` is its key there.
    """

    name = "cross_sell"
    narrow = True
    options = {
        "basket": "link",
        "item": "link",
        "column": "column of item?",
        "on": "date",
        "least": "whole?",
        "suggest": "whole?",
        "held": "part?",
    }
    examples = {"least": "5", "suggest": "3", "held": "50%"}
    columns = {
        "first": "dimension text",
        "other": "dimension text",
        "both": "measure integer",
        "lift": "measure number",
        "verdict": "dimension text",
        "later_lift": "measure number",
        "support": "measure percent",
        "confidence": "measure percent",
        "later": "measure percent",
        "later_n": "measure integer",
    }

    def compute(self, door: Door, report: Report, *, where: list[Any], as_of: datetime | None, period: tuple[date, date] | None) -> Found:
        t, options = door.words, report.options
        bought, to = self.bought(door, report, where, as_of)
        least, suggest = options.get("least", LEAST), options.get("suggest", SUGGESTED)
        days = sorted(day for _, _, day in bought)
        cut = days[min(len(days) - 1, int(len(days) * (1 - float(options.get("held", HELD)))))] if days else ""
        pairs = rules(bought, least)
        later = held_back(bought, cut)
        names = door.titles(to, {one for pair in pairs for one in pair}) if to else {}
        hidden = t("Not visible to you")
        rows, keys = [], []
        judged = [pair for pair in pairs if pair in later and later[pair].expected >= EXPECTED]
        tests = [chance(one.hits, one.n, one.others_hits, one.others) for one in map(later.__getitem__, judged)]
        clear = dict(zip(judged, corrected(tests), strict=True))
        for pair, rule in pairs.items():
            one = later.get(pair, Later())
            verdict = self.verdict(t, one, clear.get(pair))
            rows.append([
                names.get(pair[0], hidden), names.get(pair[1], hidden), rule["both"], round(rule["lift"], 2), verdict,
                None if one.lift is None else round(one.lift, 2), exact(rule["support"]), exact(rule["confidence"]),
                exact(one.hits / one.n) if one.n else None, one.n,
            ])  # fmt: skip
            keys.append((*pair, verdict))
        order = sorted(range(len(rows)), key=lambda n: (-rows[n][3], -rows[n][2], keys[n][:2]))
        labels = {
            "first": t("Who has"), "other": t("has also"), "both": t("Have both"), "support": t("Of all"),
            "confidence": t("Of those with the first"), "lift": t("Times as often"), "later_n": t("Could still take it"),
            "later": t("Took it later"), "later_lift": t("Later, times as often"), "verdict": t("In the later part"),
        }  # fmt: skip
        trial = tried(bought, cut, least, suggest)
        buyers = getattr(resolve(door, report.entity, options["basket"]), "to", None) or ""
        has: dict[int, set[int]] = defaultdict(set)
        for who, what, _ in bought:
            has[what].add(who)
        behind = [those(t, names, hidden, has, key) for key in keys] if buyers and door.may("see", buyers) else []
        return Found(
            columns=[self.column(key, labels[key]) for key in self.columns],
            rows=[rows[n] for n in order],
            keys=[keys[n] for n in order],
            members=[behind[n] for n in order] if behind else (),
            of=buyers,
            notes={"cut": cut, "buyers": len({who for who, _, _ in bought}), "trial": trial, "suggest": suggest},
            says=self.says(t, [rows[n] for n in order], trial, suggest, least),
        )

    def verdict(self, t: Any, one: Later, q: float | None) -> str:
        """What the later part says of a pair."""
        if q is None:
            return str(t("too little data"))
        if q >= CLEAR:
            return str(t("not clear"))
        return str(t("holds") if (one.lift or 0) > 1 else t("does not hold"))

    def bought(self, door: Door, report: Report, where: list[Any], as_of: datetime | None) -> tuple[list[tuple[int, int, str]], str]:
        """(who, what, day) of every purchase, and the entity of what was bought."""
        options = report.options
        frame = door.frame(report.entity, [options["basket"], options["item"], options["on"]], where=where, as_of=as_of, stored=True)
        field = resolve(door, report.entity, options["item"])
        column = options.get("column")
        found = []
        for who, what, at in zip(*(cells(frame[options[key]]) for key in ("basket", "item", "on")), strict=True):
            if who is None or what is None or at is None:
                continue
            items = [line.get(column) for line in what] if column else what if isinstance(what, list) else [what]
            found += [
                (int(who), int(one["id"] if isinstance(one, dict) else one), str(at)[:10])
                for one in dict.fromkeys(map(_plain, items))
                if one
            ]
        return found, (field.columns[column].to if column else getattr(field, "to", "")) or ""

    def says(self, t: Any, rows: list[list[Any]], trial: dict[str, Any], suggest: int, least: int) -> str:
        """The sentence: the strongest pair, and what suggestions would have been worth."""
        if not rows:
            return t("Too little data: no two things belong to {least} of the same people.", least=least)
        top = rows[0]
        said = t("Who has {first} has {other} {lift} times as often as all.", first=top[0], other=top[1], lift=t.number(round(top[3], 1)))
        if trial["n"] < 10:
            return f"{said} " + t("Too little data to say whether suggesting it works ({n} taken later).", n=trial["n"])
        values = {"n": trial["n"], "suggest": suggest, "hit": t.percent(round(Decimal(trial["hits"]) / trial["n"], 2))}
        values["plain"] = t.percent(round(Decimal(trial["plain"]) / trial["n"], 2))
        tried_ = t("Of {n} things taken later for the first time, {hit} were among {suggest} suggestions; what is taken most would have met {plain} alone.", **values)  # fmt: skip
        more = "" if trial["hits"] > trial["plain"] else " " + t("So suggest what is taken most.")
        return f"{said} {tried_}{more}"


def those(t: Any, names: Mapping[int, str], hidden: str, has: Mapping[int, set[int]], key: tuple[Any, ...]) -> Members:
    """Whom the other may be suggested to: who has the first without it; and who has both."""
    first, other = has[key[0]], has[key[1]]
    told = {"first": names.get(key[0], hidden), "other": names.get(key[1], hidden)}
    both = (t("{first} and {other}", **told), lambda: sorted(first & other))
    return Members(t("{first} without {other}", **told), lambda: sorted(first - other), {"both": both})


def _plain(one: Any) -> Any:
    return one["id"] if isinstance(one, dict) else one


def baskets(bought: Bought) -> dict[int, set[int]]:
    found: dict[int, set[int]] = defaultdict(set)
    for who, what, _ in bought:
        found[who].add(what)
    return found


def rules(bought: Bought, least: int) -> dict[tuple[int, int], dict[str, Any]]:
    """Support, confidence and lift of every two items that `least` buyers share."""
    whole = baskets(bought)
    alone: Counter[int] = Counter()
    both: Counter[tuple[int, int]] = Counter()
    for items in whole.values():
        alone.update(items)
        both.update((a, b) for a in items for b in items if a != b)
    every = len(whole)
    return {
        (a, b): {"both": n, "support": n / every, "confidence": n / alone[a], "lift": n * every / (alone[a] * alone[b])}
        for (a, b), n in both.items()
        if n >= least
    }


@dataclass
class Later:
    """Of two items in the later part: `n` who had the first and not the other, `hits` of them bought it; `others` had neither."""

    n: int = 0
    hits: int = 0
    others: int = 0
    others_hits: int = 0

    @property
    def share(self) -> float:
        """The part of all without the other who bought it."""
        return (self.hits + self.others_hits) / (self.n + self.others) if self.n + self.others else 0.0

    @property
    def expected(self) -> float:
        """How many would have bought it if the first made no difference."""
        return self.n * self.share

    @property
    def lift(self) -> float | None:
        return (self.hits / self.n) / self.share if self.n and self.share else None


def held_back(bought: Bought, cut: str) -> dict[tuple[int, int], Later]:
    """Of every two items: what the buyers of until `cut` bought afterwards."""
    before = baskets([one for one in bought if one[2] <= cut])
    after = baskets([one for one in bought if one[2] > cut])
    found: dict[tuple[int, int], Later] = {}
    for b in {what for _, what, _ in bought}:
        without = [who for who, have in before.items() if b not in have]
        hits = sum(b in after.get(who, ()) for who in without)
        for who in without:
            for a in before[who]:
                one = found.setdefault((a, b), Later(0, 0, len(without), hits))
                took = b in after.get(who, ())
                one.n, one.hits = one.n + 1, one.hits + took
                one.others, one.others_hits = one.others - 1, one.others_hits - took
    return found


def tried(bought: Bought, cut: str, least: int, suggest: int) -> dict[str, Any]:
    """How many of the later first purchases of known buyers were among the suggestions made from the earlier part alone: by pairs (`hits`),
    by mere best sellers (`plain`), of `n`; `rank` is the middle place of what was bought among all suggestions."""
    import statistics

    early = [one for one in bought if one[2] <= cut]
    before, after = baskets(early), baskets([one for one in bought if one[2] > cut])
    sold: Counter[int] = Counter(what for items in before.values() for what in items)
    known = rules(early, least)
    n = hits = plain = 0
    ranks: list[int] = []
    for who, have in before.items():
        fresh = after.get(who, set()) - have
        if not fresh:
            continue
        left = [one for one in sold if one not in have]
        best: Mapping[int, float] = {
            one: max((known[a, one]["confidence"] for a in have if (a, one) in known), default=0.0) for one in left
        }
        by_pair = sorted(left, key=lambda one: (-best[one], -sold[one], one))
        by_sales = sorted(left, key=lambda one: (-sold[one], one))
        n += len(fresh)
        hits += len(fresh & set(by_pair[:suggest]))
        plain += len(fresh & set(by_sales[:suggest]))
        ranks += [by_pair.index(one) + 1 for one in fresh if one in best]
    return {"n": n, "hits": hits, "plain": plain, "rank": statistics.median(ranks) if ranks else None}


def exact(value: float) -> Decimal:
    return Decimal(repr(round(value, 4)))
