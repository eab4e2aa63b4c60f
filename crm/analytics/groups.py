"""The groups of a report with the value of every measure: asked of the store where it can tell, worked out from single values where not."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

from crm.analytics.cuts import Cut, resolve
from crm.analytics.periods import local
from crm.analytics.stays import stayed
from crm.analytics.values import Rows, cells, decoded, measured, rounded
from crm.schema.scope import STAY

if TYPE_CHECKING:
    from crm.records import Door
    from crm.schema.model import Axis, Measure, Report

#: Aggregates the store computes itself; the others need the single values.
PUSHED = {"count", "sum", "min", "max", "mean", "distinct", "rate"}
#: Empty groups shown at most, of all axes together.
FILLED = 3000

Keys = tuple[Any, ...]
Table = list[tuple[Keys, dict[str, Any]]]


class Part(NamedTuple):
    """One figure asked of the store for a measure; `name` is the measure's key and which part of it."""

    name: str
    how: str
    field: str | None
    conditions: tuple[Any, ...]


def text_of(condition: Any) -> str:
    """A condition as it was written."""
    return "" if condition is None else condition if isinstance(condition, str) else str(getattr(condition, "text", condition))


def asked(door: Door, entity: str, condition: Any, as_of: datetime | None) -> Any:
    """A condition as the door takes it; in a report of the past, `today` is that day."""
    if as_of is None or condition is None:
        return condition
    from crm.records.scope import parse

    expression = parse(door, entity, condition) if isinstance(condition, str) else condition
    if not hasattr(expression, "query") or not all(door.path_open(entity, path) for path in expression.uses):
        return condition  # the door says what is wrong with it
    return expression.query(
        today=as_of.astimezone(door.words.tz).date(), now=as_of, me=door.actor, tables=door.company.table, guard=door.guard
    )


class Groups:
    """The groups of one report under one user's rights, from as few questions to the store as there are conditions.

    `by_hand` works everything out from single values: the other way to the same figures.
    """

    def __init__(
        self,
        door: Door,
        report: Report,
        conditions: list[Any],
        as_of: datetime | None,
        axes: list[Axis] | None = None,
        by_hand: bool = False,
    ) -> None:
        self.door, self.report, self.as_of, self.by_hand = door, report, as_of, by_hand
        self.conditions = [self.asked(one) for one in conditions]
        self.cuts = [Cut(door, report, axis, as_of) for axis in (report.by if axes is None else axes)]

    # -- conditions

    def asked(self, condition: Any) -> Any:
        """A condition as the door takes it; in a report of the past, `today` is that day."""
        return asked(self.door, self.report.entity, condition, self.as_of)

    # -- all of it

    def table(self) -> Table:
        """[(keys of the axes, {measure: value})]; without axes one row, also when nothing matches."""
        found: dict[Keys, dict[str, Any]] = {}
        measures = self.report.measures.values()
        simple = [m for m in measures if m.how and not m.of and m.span is None]
        hand = [m for m in simple if not self.pushed(m)]
        parts = [part for m in simple if m not in hand for part in self.parts(m)]
        for conditions in dict.fromkeys(tuple(map(text_of, part.conditions)) for part in parts):
            same = [part for part in parts if tuple(map(text_of, part.conditions)) == conditions]
            for keys, values in self.ask(same):
                found.setdefault(keys, {}).update(values)
        for keys, values in self.collect(hand):
            found.setdefault(keys, {}).update(values)
        if not self.cuts and not found:
            found[()] = {}
        self.fill(found)
        for values in found.values():
            for measure in simple:
                values[measure.key] = self.finished(measure, values)
        for measure in measures:
            if measure.how == "share":
                self.share(measure, found)
            elif measure.formula is not None:
                for values in found.values():
                    values[measure.key] = evaluate(measure.formula, values)
        known = set(self.report.measures)
        return [(keys, {key: value for key, value in values.items() if key in known}) for keys, values in found.items()]

    def pushed(self, measure: Measure) -> bool:
        """Whether the store computes it."""
        if self.by_hand or self.report.stays is not None or measure.how not in PUSHED or measure.currency or measure.rated:
            return False
        if measure.value is not None and measure.how != "rate" or any(cut.many for cut in self.cuts):
            return False
        return measure.how != "distinct" or not any(cut.mapped for cut in self.cuts)

    def parts(self, measure: Measure) -> list[Part]:
        """What is asked of the store for a measure."""
        where = (measure.where,) if measure.where is not None else ()
        key = measure.key
        if measure.how == "mean":  # kept as a sum and a count, so that groups can be joined
            return [Part(f"{key}/sum", "sum", measure.field, where), Part(f"{key}/n", "count", measure.field, where)]
        if measure.how == "rate":
            return [Part(f"{key}/sum", "count", None, (*where, measure.value)), Part(f"{key}/n", "count", None, where)]
        return [Part(f"{key}/it", measure.how or "count", measure.field, where)]

    def finished(self, measure: Measure, values: dict[str, Any]) -> Any:
        """A measure from its parts; nothing at all is 0 of a count or sum."""
        key = measure.key
        if key in values:
            found = values[key]
        elif measure.how in ("mean", "rate"):
            total, count = values.get(f"{key}/sum"), values.get(f"{key}/n")
            found = (Decimal(total or 0) if measure.how == "rate" else total) / count if count else None
        else:
            found = values.get(f"{key}/it")
        if found is None and measure.how in ("count", "distinct"):
            return 0
        return Decimal(0) if found is None and measure.how == "sum" else found

    # -- by the store

    def ask(self, parts: list[Part]) -> Iterable[tuple[Keys, dict[str, Any]]]:
        """What the store groups and sums itself; groups that are one here are joined."""
        wanted = {part.name: (part.how, part.field) for part in parts}
        conditions = [*self.conditions, *(self.asked(one) for one in parts[0].conditions)]
        joined: dict[Keys, dict[str, Any]] = {}
        for row in self.door.aggregate(self.report.entity, [cut.asked for cut in self.cuts], wanted, conditions, as_of=self.as_of):
            keys = tuple(cut.key(one) for cut, one in zip(self.cuts, row["by"], strict=True))
            have = joined.setdefault(keys, {})
            for name, (how, _) in wanted.items():
                have[name] = merged(how, have.get(name), row[name])
        return joined.items()

    # -- by hand

    def collect(self, measures: list[Measure]) -> Iterable[tuple[Keys, dict[str, Any]]]:
        """Measures that need every single value: one frame for those of each condition (over stays: one for all)."""
        if not measures:
            return
        alone = self.report.stays is None
        for condition in dict.fromkeys(text_of(m.where) if alone else "" for m in measures):
            same = [m for m in measures if not alone or text_of(m.where) == condition]
            rows, members = self.rows(same, same[0].where if alone else None)
            lists = {m.key: self.listed(m, rows) for m in same}
            told = {m.key: rows.each(m.where) for m in same if m.where is not None and not alone}
            orders = {m.key: rows.columns[m.order] for m in same if m.order}
            for keys, places in members.items():
                values = {}
                for m in same:
                    here = places if m.key not in told else [n for n in places if told[m.key][n] is True]
                    if m.key in orders:
                        by = orders[m.key]
                        here = sorted((n for n in here if by[n] is not None), key=by.__getitem__)
                    values[m.key] = self.figure(m, lists[m.key], here)
                yield keys, values

    def rows(self, measures: list[Measure], condition: Any) -> tuple[Rows, dict[Keys, list[int]]]:
        """The values the measures and axes need, and which rows belong to which group."""
        report, door = self.report, self.door
        wanted = [cut.axis.field for cut in self.cuts]
        for m in measures:
            wanted += [one for one in (m.field, m.order, m.currency, m.rated) if one]
            for expression in (m.value, m.where if report.stays is not None else None):
                wanted += needed(door, report.entity, expression) if expression is not None else []
        own = list(dict.fromkeys(path for path in wanted if not (report.stays is not None and path.startswith("stay."))))
        conditions = [*self.conditions, *([self.asked(condition)] if condition is not None else [])]
        if report.stays is not None:
            frame = stayed(door, report, list(dict.fromkeys(wanted)), conditions, self.as_of)
        else:
            frame = door.frame(report.entity, own, where=conditions, as_of=self.as_of, stored=True)
        size = len(frame)
        columns: dict[str, Any] = {path: cells(frame[path]) for path in dict.fromkeys(wanted) if path in frame}
        fields = {path: resolve(door, report.entity, path) for path in own}
        for path, field in fields.items():
            if getattr(field, "kind", "") in ("money", "duration", "link") or getattr(field, "name", "") == "integer":
                columns[path] = [int(one) if isinstance(one, float) else one for one in columns[path]]  # a column with gaps holds floats
        if report.stays is not None:
            stage = resolve(door, report.entity, report.stays.field or report.stays.what)
            fields |= {"stay.stage": stage, "stay.next": stage}
        today = door.company.today() if self.as_of is None else self.as_of.astimezone(door.words.tz).date()
        rows = Rows(columns, fields, size, today, self.as_of or door.company.now(), door.actor)
        if not self.cuts:
            return rows, {(): list(range(size))}
        members: dict[Keys, list[int]] = {}
        if any(cut.many for cut in self.cuts):
            placed = [[cut.places(one) for one in columns[cut.axis.field]] for cut in self.cuts]
            for n, ways in enumerate(zip(*placed, strict=True)):
                for keys in product(*ways):
                    members.setdefault(keys, []).append(n)
            return rows, members
        for keys, places in gathered([each_once(cut, columns[cut.axis.field]) for cut in self.cuts], size):
            members[keys] = places
        return rows, members

    def listed(self, measure: Measure, rows: Rows) -> Sequence[Any]:
        """What a measure looks at, row by row."""
        if measure.value is not None:
            return rows.each(measure.value)
        if measure.currency or measure.rated:
            return self.converted(measure, rows)
        return rows.columns[measure.field] if measure.field else [1] * rows.size

    def converted(self, measure: Measure, rows: Rows) -> list[Any]:
        """Amounts in the company's currency, at the rate of their day; one whose rate nobody wrote down is left out."""
        schema, field = self.door.schema, resolve(self.door, self.report.entity, measure.field or "")
        values = rows.columns[measure.field or ""]
        codes = rows.columns[measure.currency] if measure.currency else [field.currency] * rows.size
        days = rows.columns[measure.rated] if measure.rated else [rows.today.isoformat()] * rows.size
        found: list[Any] = []
        for value, code, day in zip(values, codes, days, strict=True):
            code = str(code or schema.currency).upper()
            if value is None or code == schema.currency:
                found.append(value)
                continue
            dated = schema.rates.get(code, [])
            at = bisect_right(dated, local(day, self.door.words.tz), key=lambda one: one[0]) if day is not None else 0
            found.append(int((value * dated[at - 1][1]).to_integral_value(ROUND_HALF_UP)) if at else None)
        return found

    def figure(self, measure: Measure, values: Sequence[Any], places: list[int]) -> Any:
        how = measure.how or "count"
        if how == "rate":
            return Decimal(sum(values[n] is True for n in places)) / len(places) if places else None
        there = [values[n] for n in places if values[n] is not None]
        if measure.value is not None or (measure.field or "").startswith("stay."):
            found = measured(how, there, measure.at)
            return found if how in ("count", "distinct") else rounded(found, measure.kind)
        field = resolve(self.door, self.report.entity, measure.field) if measure.field else None
        if how == "mean":
            return decoded(field, "sum", sum(there)) / len(there) if there else None
        return decoded(field, how, measured(how, there, measure.at))

    # -- over the groups

    def share(self, measure: Measure, found: dict[Keys, dict[str, Any]]) -> None:
        """Each group's part of the total of another measure."""
        values = [values.get(measure.of or "") for values in found.values()]
        total = sum((Decimal(str(one)) for one in values if one is not None), Decimal(0))
        for row in found.values():
            part = row.get(measure.of or "")
            row[measure.key] = Decimal(str(part)) / total if part is not None and total else None

    def fill(self, found: dict[Keys, dict[str, Any]]) -> None:
        """Empty groups shown: every period between the first and the last, every stage and option, for each group of the other axes."""
        if not found:
            return
        for number, cut in enumerate(self.cuts):
            wanted = cut.all({keys[number] for keys in found})
            others = dict.fromkeys((keys[:number], keys[number + 1 :]) for keys in found)
            if not wanted or (len(self.cuts) > 1 and len(wanted) * len(others) > FILLED):
                continue
            for before, behind in others:
                for key in wanted:
                    found.setdefault((*before, key, *behind), {})


def each_once(cut: Cut, values: Sequence[Any]) -> tuple[Any, list[Any]]:
    """The number of each row's group, and the groups by number; each value is placed once, however many rows have it."""
    import numpy as np
    import pandas as pd

    there = np.empty(len(values), dtype=object)
    there[:] = [tuple(one) if isinstance(one, list) else one for one in values]
    codes, kinds = pd.factorize(there, use_na_sentinel=False)
    groups: dict[Any, int] = {}
    number = np.array([groups.setdefault(cut.place(None if one != one else one), len(groups)) for one in kinds], dtype=np.int64)
    return (number[codes] if len(kinds) else codes), list(groups)


def gathered(axes: list[tuple[Any, list[Any]]], size: int) -> Iterable[tuple[Keys, list[int]]]:
    """The rows of each group that has some, in the order in which groups first occur."""
    import numpy as np

    if not size:
        return
    mixed = np.zeros(size, dtype=np.int64)
    for codes, groups in axes:
        mixed = mixed * len(groups) + codes
    order = np.argsort(mixed, kind="stable")
    ordered = mixed[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    for places in sorted(np.split(order, starts[1:]), key=lambda one: int(one[0])):
        n = int(places[0])
        yield tuple(groups[int(codes[n])] for codes, groups in axes), places.tolist()


def needed(door: Door, entity: str, expression: Any) -> list[str]:
    """The paths whose values an expression needs: the whole way through links, a stage with its pipeline."""
    found = []
    for path in expression.uses:
        at, taken = entity, []
        for head in path.split("."):
            field = door.schema.entities[at].fields.get(head) if at else None
            taken.append(head)
            if field is None and taken[0] == "stay" and len(taken) == 1:
                continue
            if field is None and not (taken[0] == "stay" and head in STAY):
                taken.pop()  # an attribute of what stands before it
                break
            at = getattr(field, "to", None) or ""
            if field is not None and not at:
                break
        if taken and taken != ["stay"]:
            found.append(".".join(taken))
    return found


def merged(how: str, a: Any, b: Any) -> Any:
    """Two partial results of the same aggregate as one."""
    if a is None or b is None:
        return b if a is None else a
    return a + b if how in ("count", "sum") else min(a, b) if how == "min" else max(a, b)


def evaluate(formula: Any, values: dict[str, Any]) -> Any:
    """A formula over the measures of one row; division by nothing gives nothing."""
    from crm.expressions import Env

    return formula.evaluate(Env(get=values.get))
