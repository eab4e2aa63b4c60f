"""Runs the reports of the configuration: groups and sums in the store, formulas over them here.

`run(door, "win_rate")` gives a `Result`: `.frame` (pandas), `.chart()` (HoloViews), `.rows` (JSON: money as decimal
text, dates in ISO 8601), `.drill(row)` (the condition that selects the records behind a row) and a `.stamp` that is the
same exactly when configuration, report, parameters, user and moment are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pandas as pd

from crm.charts.base import CHARTS, Column, Look, ready
from crm.errors import Missing

if TYPE_CHECKING:
    from crm.records import Door
    from crm.schema.model import Axis, Measure, Report

#: Aggregates the store computes itself; the others need the single values.
PUSHED = {"count", "sum", "min", "max", "mean"}
MONTHS = {"month": 1, "quarter": 3, "year": 12}


@dataclass
class Result:
    """What a report says. `frame` has one row a group: dimensions first (text, dates as Timestamp), then measures (float).

    `exact` are the same rows with money and percentages as Decimal, `keys` the stored value of each dimension in each row.
    """

    report: Report
    columns: list[Column]
    frame: pd.DataFrame
    exact: list[list[Any]]
    keys: list[tuple[Any, ...]]
    as_of: datetime
    stamp: str
    words: Any
    where: str | None = None
    paths: list[tuple[str, str | None]] = field(default_factory=list)

    @property
    def title(self) -> str:
        return self.report.label_in(self.words)

    @property
    def rows(self) -> list[list[Any]]:
        """The rows as JSON: money and percentages as decimal text, dates in ISO 8601."""
        return [[plain(value) for value in row] for row in self.exact]

    def json(self) -> dict[str, Any]:
        """The document `crm report --json` prints."""
        return {
            "report": self.report.name,
            "columns": [{"key": c.key, "label": c.label, "kind": c.kind, "role": c.role} for c in self.columns],
            "rows": self.rows,
            "as_of": self.as_of.isoformat(timespec="seconds"),
            "stamp": self.stamp,
        }

    def texts(self) -> list[list[str]]:
        """The rows as the user reads them."""
        from crm.charts.base import shown

        return [[shown(self.words, column, value) for column, value in zip(self.columns, row, strict=True)] for row in self.exact]

    def drill(self, row: int) -> str:
        """The condition, in the expression language, that the records behind one row fulfil."""
        conditions = [text for text in (text_of(self.report.where), self.where) if text]
        for (path, unit), key in zip(self.paths, self.keys[row], strict=True):
            conditions.append(equals(path, unit, key))
        return " and ".join(f"({one})" for one in conditions) if len(conditions) > 1 else "".join(conditions)

    def png(self, height: int = 320, dpi: int = 144) -> bytes:
        """The chart as a picture, drawn by matplotlib: no browser is needed."""
        return ready("matplotlib").instance(fig="png", dpi=dpi)(self.chart(backend="matplotlib", height=height))[0]

    def chart(self, *, dark: bool = False, backend: str = "bokeh", height: int = 260) -> Any:
        """The report as a HoloViews object, in the chart its YAML names; a table where there is nothing to draw."""
        ready(backend)
        look = Look(self.words, {column.key: column for column in self.columns}, dark, height, backend)
        cls = CHARTS[self.report.chart.name]
        axes = {name: key for name, key in self.report.chart.axes.items() if key}
        if self.frame.empty:
            return CHARTS["table"]().draw(self.frame, look)
        return cls().draw(self.frame, look, **axes, **self.report.chart.options)


def names(door: Door) -> list[str]:
    """The reports this user may run: those of entities the role sees at all, of modules that are switched on."""
    schema = door.schema
    return [name for name, one in schema.reports.items() if schema.is_on(one.module) and door.may("see", one.entity)]


def run(
    door: Door, name: str | Report, *, where: str | None = None, as_of: datetime | None = None, period: tuple[date, date] | None = None
) -> Result:
    """Computes one report for the user of `door`.

    `where` narrows it further (an expression), `as_of` computes it from the records as they were then. Raises `Missing` for
    a report that is not there or not for this user, `ExpressionError` for a faulty `where`.
    """
    schema = door.schema
    report = schema.reports.get(name) if isinstance(name, str) else name
    if report is None or (isinstance(name, str) and name not in names(door)):
        raise Missing("There is no such report")
    conditions = [one for one in (report.where, where) if one is not None and one != ""]
    groups = Groups(door, report, conditions, as_of)
    table = groups.table()
    beside = compared(door, report, table)
    order_rows(door, report, table, groups)
    if report.limit:
        table = table[: report.limit]
    columns = [column_of(door, report.entity, axis) for axis in report.by]
    columns += [measure_column(door, report.entity, one) for one in report.measures.values()] + beside
    exact = [
        [
            *(groups.dimension(axis, key) for axis, key in zip(report.by, keys, strict=True)),
            *(values.get(c.key) for c in columns[len(keys) :]),
        ]
        for keys, values in table
    ]
    moment = as_of or datetime.now(UTC)
    return Result(
        report=report,
        columns=columns,
        frame=frame_of(columns, exact),
        exact=exact,
        keys=[keys for keys, _ in table],
        as_of=moment,
        stamp=stamp(door, report, where, moment),
        words=door.words,
        where=where,
        paths=[(axis.field, axis.unit) for axis in report.by],
    )


class Groups:
    """The groups of one report with the value of every measure, gathered from as few questions to the store as there are conditions."""

    def __init__(self, door: Door, report: Report, conditions: list[Any], as_of: datetime | None):
        self.door, self.report, self.conditions, self.as_of = door, report, conditions, as_of
        self.titles: dict[str, dict[Any, str]] = {}
        self.fields = {axis.key: resolve(door, report.entity, axis.field) for axis in report.by}

    def table(self) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
        """[(stored keys of the dimensions, {measure: value})]; without dimensions one row, also when nothing matches."""
        found: dict[tuple[Any, ...], dict[str, Any]] = {}
        simple = [m for m in self.report.measures.values() if m.how]
        for condition in dict.fromkeys(text_of(m.where) for m in simple):
            same = [m for m in simple if text_of(m.where) == condition]
            for keys, values in self.ask([m for m in same if m.how in PUSHED], condition):
                found.setdefault(keys, {}).update(values)
            for keys, values in self.collect([m for m in same if m.how not in PUSHED], condition):
                found.setdefault(keys, {}).update(values)
        if not self.report.by and not found:
            found[()] = {}
        found = self.filled(found)
        for values in found.values():
            for measure in simple:
                if values.get(measure.key) is None:
                    values[measure.key] = self.nothing(measure)
            for measure in self.report.measures.values():
                if measure.formula is not None:
                    values[measure.key] = evaluate(measure.formula, values)
        return list(found.items())

    def nothing(self, measure: Measure) -> Any:
        if measure.how == "count":
            return 0
        if measure.how == "sum":
            return Decimal(0)
        return None

    def where(self, condition: str) -> list[Any]:
        return [*self.conditions, *([condition] if condition else [])]

    def ask(self, measures: list[Measure], condition: str) -> Iterable[tuple[tuple[Any, ...], dict[str, Any]]]:
        """What the store groups and sums itself; groups of a linked record's field are summed up here over the links."""
        if not measures:
            return
        by = [(axis.unit, axis.field) if axis.unit else axis.field for axis in self.report.by]
        wanted: dict[str, tuple[str, str | None]] = {}
        for measure in measures:
            if measure.how == "mean":  # kept as a sum and a count, so that groups can be joined
                wanted[measure.key + "/sum"], wanted[measure.key + "/n"] = ("sum", measure.field), ("count", measure.field)
            else:
                wanted[measure.key] = (measure.how or "count", measure.field)
        joined: dict[tuple[Any, ...], dict[str, Any]] = {}
        for row in self.door.aggregate(self.report.entity, by, wanted, self.where(condition), as_of=self.as_of):
            keys = tuple(row["by"])
            have = joined.setdefault(keys, {})
            for key, (how, _) in wanted.items():
                have[key] = merged(how, have.get(key), row[key])
        for keys, values in joined.items():
            for measure in measures:
                if measure.how == "mean":
                    total, count = values.pop(measure.key + "/sum"), values.pop(measure.key + "/n")
                    values[measure.key] = total / count if count else None
            yield keys, values

    def collect(self, measures: list[Measure], condition: str) -> Iterable[tuple[tuple[Any, ...], dict[str, Any]]]:
        """Measures that need every single value (median, first, last), by pandas."""
        if not measures:
            return
        paths = list(dict.fromkeys([axis.field for axis in self.report.by] + [m.field for m in measures if m.field]))
        frame = self.door.frame(self.report.entity, paths, where=self.where(condition), as_of=self.as_of, stored=True)
        keys = [bucket(frame[axis.field], axis.unit) for axis in self.report.by]
        grouped: Any = frame.groupby(keys, dropna=False, sort=False) if keys else [((), frame)]
        for name, part in grouped:
            name = tuple(None if pd.isna(one) else one for one in (name if isinstance(name, tuple) else (name,)))
            values = {}
            for measure in measures:
                column = part[measure.field].dropna()
                raw = (
                    None
                    if column.empty
                    else column.median()
                    if measure.how == "median"
                    else column.iloc[0 if measure.how == "first" else -1]
                )
                values[measure.key] = (
                    self.door.schema_field(self.report.entity, str(measure.field)).from_json(raw if not isinstance(raw, float) else round(raw))
                    if raw is not None
                    else None
                )
            yield name, values

    def filled(self, found: dict[tuple[Any, ...], dict[str, Any]]) -> dict[tuple[Any, ...], dict[str, Any]]:
        """Empty groups shown: every month between the first and the last, every stage and option of a single dimension."""
        if len(self.report.by) != 1 or not found:
            return found
        axis = self.report.by[0]
        have = [keys[0] for keys in found if keys[0] is not None]
        if axis.unit:
            wanted = between(min(have), max(have), axis.unit) if have else []
        else:
            wanted = [key for key in options(self.door, self.report, axis, self.fields[axis.key]) if key not in found]
        for key in wanted:
            found.setdefault((key,), {})
        return found

    def dimension(self, axis: Axis, key: Any) -> Any:
        """What stands for a stored key: the title of a linked record, an option's label, the first day of a period."""
        one = self.fields[axis.key]
        if key is None:
            return None
        if axis.unit:
            return start_of(key, axis.unit)
        if one is None:
            return key
        if getattr(one, "to", None) and not isinstance(key, str):
            if axis.key not in self.titles:
                self.titles[axis.key] = {}
            known = self.titles[axis.key]
            if key not in known:
                known[key] = self.door.titles(one.to, [key]).get(key) or self.door.words("Not visible to you")
            return known[key]
        return one.display(one.from_json(key), self.door.shown)


def compared(door: Door, report: Report, table: list[tuple[tuple[Any, ...], dict[str, Any]]]) -> list[Column]:
    """Puts each aggregate of the period before, or of the same period a year before, beside it; gives the columns added.

    Only where the report is cut by time: the earlier figure is that of the row the same groups had then, empty where there is none.
    """
    at = next((number for number, axis in enumerate(report.by) if axis.unit), None)
    if report.compare not in ("previous", "last_year") or at is None:
        return []
    unit = report.by[at].unit or "month"
    known = {keys: dict(values) for keys, values in table}
    columns = []
    for measure in report.measures.values():
        if measure.formula is not None:
            continue
        column = measure_column(door, report.entity, measure)
        name = door.words("last year") if report.compare == "last_year" else door.words("period before")
        columns.append(replace(column, key=f"{measure.key}_{report.compare}", label=f"{column.label}, {name}"))
        for keys, values in table:
            if keys[at] is None:
                continue
            earlier = (*keys[:at], before(keys[at], unit, report.compare), *keys[at + 1 :])
            values[f"{measure.key}_{report.compare}"] = known.get(earlier, {}).get(measure.key)
    return columns


def before(key: str, unit: str, compare: str) -> str:
    """The name of the period before, or of the same one a year before (of a week: the 52nd before)."""
    start = start_of(key, unit)
    if compare == "previous":
        return named(floor(start - timedelta(days=1), unit), unit)
    if unit in MONTHS:
        return named(start.replace(year=start.year - 1), unit)
    return named(start - timedelta(weeks=52), unit)


def text_of(condition: Any) -> str:
    return "" if condition is None else condition if isinstance(condition, str) else str(getattr(condition, "text", condition))


def merged(how: str, a: Any, b: Any) -> Any:
    """Two partial results of the same aggregate as one."""
    if a is None or b is None:
        return b if a is None else a
    return {"count": lambda: a + b, "sum": lambda: a + b, "min": lambda: min(a, b), "max": lambda: max(a, b)}[how]()


def evaluate(formula: Any, values: dict[str, Any]) -> Any:
    """A formula over the measures of one row; division by nothing gives nothing."""
    from crm.expressions import Env

    return formula.evaluate(Env(get=values.get))


def resolve(door: Door, entity: str, path: str) -> Any:
    """The field at the end of a dotted path (`account.industry`), None for what is no field (`stage.outcome`)."""
    one = None
    for part in path.split("."):
        fields = door.schema.entities[entity].fields if entity else {}
        one = fields.get(part)
        if one is None:
            return None
        entity = getattr(one, "to", None) or ""
    return one


def options(door: Door, report: Report, axis: Axis, one: Any) -> list[Any]:
    """Every value a dimension can have, in the order of the YAML, where that is a short list."""
    if "." in axis.field or one is None:
        return []
    entity = door.schema.entities[report.entity]
    if axis.field == entity.stage_field and len(entity.pipelines) == 1:
        return list(door.schema.pipelines[entity.pipelines[0]].stages)
    return []


def rank(door: Door, report: Report, axis: Axis, one: Any) -> dict[Any, int]:
    """The place of each value in the order of the YAML: stages and options."""
    entity = door.schema.entities[report.entity]
    if axis.field == entity.stage_field:
        keys = [stage for name in entity.pipelines for stage in door.schema.pipelines[name].stages]
        return {key: number for number, key in enumerate(dict.fromkeys(keys))}
    choices = getattr(one, "options", None)
    return {key: number for number, key in enumerate(choices)} if isinstance(choices, dict) else {}


def order_rows(door: Door, report: Report, table: list[tuple[tuple[Any, ...], dict[str, Any]]], groups: Groups) -> None:
    """Sorted as the YAML says; else periods by time, stages and options in their order, the rest by the first measure downwards."""
    last = (1, 0)
    if report.sort:
        keys = [axis.key for axis in report.by]
        for name in reversed(report.sort):
            key = name.lstrip("-")
            down = name.startswith("-")

            def value(row: tuple[tuple[Any, ...], dict[str, Any]], key: str = key) -> Any:
                return groups.dimension(report.by[keys.index(key)], row[0][keys.index(key)]) if key in keys else row[1].get(key)

            known = sorted((row for row in table if value(row) is not None), key=value, reverse=down)
            table[:] = known + [row for row in table if value(row) is None]
        return
    first = next(iter(report.measures), None)
    ranks = [rank(door, report, axis, groups.fields[axis.key]) for axis in report.by]

    def place(row: tuple[tuple[Any, ...], dict[str, Any]]) -> list[Any]:
        result: list[Any] = []
        for axis, ranking, key in zip(report.by, ranks, row[0], strict=True):
            if axis.unit:
                result.append(last if key is None else (0, str(key)))
            elif ranking:
                result.append((0, ranking.get(key, len(ranking))) if key is not None else last)
        if not all(axis.unit or ranking for axis, ranking in zip(report.by, ranks, strict=True)) and first:
            measure = row[1].get(first)
            result.append((1, 0.0) if measure is None else (0, -float(measure)))
        return result

    table.sort(key=place)


def column_of(door: Door, entity: str, axis: Axis) -> Column:
    return Column(axis.key, axis.label_in(door.words), "date" if axis.unit else axis.kind, "dimension", axis.unit)


def measure_column(door: Door, entity: str, measure: Measure) -> Column:
    one = resolve(door, entity, measure.field) if measure.field else None
    return Column(measure.key, measure.label_in(door.words), measure.kind, "measure", currency=getattr(one, "currency", None))


def frame_of(columns: Sequence[Column], rows: list[list[Any]]) -> pd.DataFrame:
    """Dimensions as text or Timestamp, measures as float64 (missing: NaN)."""
    data: dict[str, Any] = {}
    for number, column in enumerate(columns):
        values = [row[number] for row in rows]
        if column.role == "measure" and column.kind not in ("date", "datetime"):
            data[column.key] = pd.Series([None if value is None else float(value) for value in values], dtype="float64")
        elif column.unit or column.kind in ("date", "datetime"):
            data[column.key] = pd.to_datetime(pd.Series(values, dtype="object"), errors="coerce")
        else:
            data[column.key] = pd.Series(values, dtype="object")
    return pd.DataFrame(data)


def plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return value


def stamp(door: Door, report: Report, where: str | None, as_of: datetime) -> str:
    """Sixteen hexadecimal digits over configuration, report, parameters, user and moment (I7)."""
    said = json.dumps([door.schema.hash, report.name, where or "", door.actor.login, as_of.isoformat(timespec="seconds")])
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def start_of(key: str, unit: str) -> date:
    """The first day of a period as the store names it: `2026`, `2026-Q2`, `2026-03`, `2026-W07`, `2026-03-14`."""
    year = int(key[:4])
    if unit == "year":
        return date(year, 1, 1)
    if unit == "quarter":
        return date(year, int(key[-1]) * 3 - 2, 1)
    if unit == "month":
        return date(year, int(key[5:7]), 1)
    if unit == "week":
        return date.fromisocalendar(year, int(key[-2:]), 1)
    return date.fromisoformat(key[:10])


def after(start: date, unit: str) -> date:
    """The first day of the period after the one that begins on `start`."""
    if unit in MONTHS:
        months = start.year * 12 + start.month - 1 + MONTHS[unit]
        return date(months // 12, months % 12 + 1, 1)
    return start + timedelta(days=7 if unit == "week" else 1)


def named(start: date, unit: str) -> str:
    """The store's name of the period that begins on `start`."""
    if unit == "week":
        year, week, _ = start.isocalendar()
        return f"{year}-W{week:02}"
    return {"year": f"{start:%Y}", "quarter": f"{start:%Y}-Q{(start.month + 2) // 3}", "month": f"{start:%Y-%m}"}.get(
        unit, start.isoformat()
    )


def between(first: str, last: str, unit: str, most: int = 400) -> list[str]:
    """The names of all periods from one to another, both included; nothing when there would be more than `most`."""
    at, end, found = start_of(first, unit), start_of(last, unit), []
    while at <= end:
        found.append(named(at, unit))
        at = after(at, unit)
        if len(found) > most:
            return []
    return found


def bucket(column: pd.Series, unit: str | None) -> pd.Series:
    """A column of ISO dates as the store's names of the periods they lie in."""
    return (
        column
        if unit is None
        else column.map(lambda value: None if not isinstance(value, str) else named(floor(date.fromisoformat(value[:10]), unit), unit))
    )


def floor(day: date, unit: str) -> date:
    """The first day of the period a day lies in."""
    return start_of(named(day, unit), unit)


def equals(path: str, unit: str | None, key: Any) -> str:
    """A condition: the field at `path` has this stored value, or lies in this period."""
    if key is None:
        return f"{path} == None"
    if unit:
        start = start_of(key, unit)
        return f"{path} >= date('{start}') and {path} < date('{after(start, unit)}')"
    if isinstance(key, str):
        return f"{path} == {json.dumps(key, ensure_ascii=False)}"
    return f"{path} == {key}"
