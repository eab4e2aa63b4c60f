"""The groups of a report with the value of every measure: asked of the store where it can tell, worked out from single values where not."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from crm.analytics.cuts import Cut, resolve
from crm.analytics.periods import local
from crm.analytics.stays import stayed
from crm.analytics.values import Rows, apart, decoded, in_size, measured, picked, rounded, true
from crm.records.columns import Column
from crm.schema.scope import STAY

if TYPE_CHECKING:
    import numpy as np

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
        self.given = [one for one in conditions if one is not None and one != ""]
        self.conditions = [self.asked(one) for one in conditions]
        self.cuts = [Cut(door, report, axis, as_of) for axis in (report.by if axes is None else axes)]

    # -- conditions

    def asked(self, condition: Any) -> Any:
        """A condition as the door takes it; in a report of the past, `today` is that day."""
        return asked(self.door, self.report.entity, condition, self.as_of)

    # -- all of it

    def table(self) -> Table:
        """[(keys of the axes, {measure: value})]; without axes one row, also when nothing matches."""
        if self.as_of is None or self.by_hand:
            return self.worked_out()
        from crm.analytics.past import kept

        return kept(self, self.as_of, self.worked_out)

    def worked_out(self) -> Table:
        """The same, not kept."""
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
            told = {m.key: true(rows.each(m.where)) for m in same if m.where is not None and not alone}
            orders = {m.key: rows.columns[m.order] for m in same if m.order}
            for keys, places in members:
                values = {}
                for m in same:
                    here = places if m.key not in told else places[told[m.key][places]]
                    if m.key in orders:
                        by = orders[m.key]
                        here = in_order(by, here)
                    values[m.key] = self.figure(m, lists[m.key], here)
                yield keys, values

    def rows(self, measures: list[Measure], condition: Any) -> tuple[Rows, Iterable[tuple[Keys, np.ndarray]]]:
        """The values the measures and axes need, and which rows belong to which group."""
        report, door = self.report, self.door
        wanted = [cut.axis.field for cut in self.cuts]
        for m in measures:
            wanted += [one for one in (m.field, m.order, m.currency, m.rated) if one]
            for expression in (m.value, m.where if report.stays is not None else None):
                wanted += needed(door, report.entity, expression) if expression is not None else []
        wanted = list(dict.fromkeys(wanted))
        conditions = [*self.conditions, *([self.asked(condition)] if condition is not None else [])]
        if report.stays is not None:
            size, columns = stayed(door, report, wanted, conditions, self.as_of)
        else:
            ids, columns = door.columns(report.entity, wanted, conditions, self.as_of)
            size = len(ids)
        fields = {path: resolve(door, report.entity, path) for path in columns if report.stays is None or not path.startswith("stay.")}
        if report.stays is not None:
            stage = resolve(door, report.entity, report.stays.field or report.stays.what)
            fields |= {"stay.stage": stage, "stay.next": stage}
        today = door.company.today() if self.as_of is None else self.as_of.astimezone(door.words.tz).date()
        rows = Rows(columns, fields, size, today, self.as_of or door.company.now(), door.actor)
        return rows, gathered(self.cuts, rows)

    def listed(self, measure: Measure, rows: Rows) -> Any:
        """What a measure looks at, row by row; None: the records themselves."""
        if measure.value is not None:
            found = rows.each(measure.value)
            return true(found) if measure.how == "rate" else found
        if measure.currency or measure.rated:
            return self.converted(measure, rows)
        return rows.columns[measure.field] if measure.field else None

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

    def figure(self, measure: Measure, values: Any, places: np.ndarray) -> Any:
        how = measure.how or "count"
        if how == "rate":
            return Decimal(int(values[places].sum())) / len(places) if len(places) else None
        if values is None:  # the records themselves
            return len(places)
        if how == "count" and isinstance(values, Column):
            return int((values.codes[places] >= 0).sum())
        if how == "distinct" and isinstance(values, Column) and values.kinds.derived("told apart", apart).all():
            return len(values.take(places).occurring())
        there = in_size(values, places) if how in ("median", "quantile") else picked(values, places)
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


def in_order(by: Any, places: np.ndarray) -> np.ndarray:
    """The places where there is something to order by, in that order."""
    import numpy as np

    return np.array(sorted((n for n in places.tolist() if by[n] is not None), key=by.__getitem__), dtype=np.int64)


def placed(cut: Cut, column: Column) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[Any]]:
    """Each value is placed once, however many rows have it: for each of `kinds` (the last: nothing) where its groups begin among the numbers
    of groups and how many they are; those numbers; the groups by number."""
    import numpy as np

    groups: dict[Any, int] = {}
    numbers: list[int] = []
    here, kinds = column.occurring(), column.kinds.values
    nothing = len(kinds)
    begin, many = np.zeros(nothing + 1, dtype=np.int64), np.zeros(nothing + 1, dtype=np.int64)
    days = cut.days(column) if not cut.many else None
    if days is not None:
        known, which = np.unique(days[here], return_inverse=True)
        numbers = [groups.setdefault(cut.of_day(day), len(groups)) for day in known.tolist()]
        begin[here], many[here] = which, 1
        here = []
    for code in [*here, nothing]:
        mine = cut.places(kinds[code] if code < nothing else None)
        begin[code], many[code] = len(numbers), len(mine)
        numbers += [groups.setdefault(one, len(groups)) for one in mine]
    return begin, many, np.array(numbers, dtype=np.int64), list(groups)


def gathered(cuts: list[Cut], rows: Rows) -> Iterable[tuple[Keys, np.ndarray]]:
    """The rows of each group that has some, in the order in which groups first occur; a row may be in several."""
    import numpy as np

    at = np.arange(rows.size)
    if not cuts:
        yield (), at
        return
    if not rows.size:
        return
    mixed, axes, total = np.zeros(rows.size, dtype=np.int64), [], 1
    for cut in cuts:
        column = rows.coded(cut.axis.field)
        begin, many, numbers, groups = placed(cut, column)
        codes = column.codes[at]  # -1 is the last: nothing
        counts = many[codes]
        if cut.many:
            at, mixed, first = np.repeat(at, counts), np.repeat(mixed, counts), np.repeat(begin[codes], counts)
            number = numbers[first + np.arange(len(at)) - np.repeat(np.cumsum(counts) - counts, counts)]
        else:
            number = numbers[begin[codes]]
        mixed = mixed * len(groups) + number
        axes.append(groups)
        total *= len(groups)
    order = np.argsort(mixed.astype(np.int16) if total < 1 << 15 else mixed, kind="stable")
    ordered = mixed[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    for some in sorted(np.split(order, starts[1:]), key=lambda one: int(one[0])):
        number, keys = int(mixed[some[0]]), []  # type: ignore[assignment, var-annotated]
        for groups in reversed(axes):
            number, key = divmod(number, len(groups))  # type: ignore[assignment, arg-type]
            keys.append(groups[key])
        yield tuple(reversed(keys)), at[some]


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
