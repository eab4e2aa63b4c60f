"""Runs the reports of the configuration: groups and sums in the store, formulas over them here.

`run(door, "win_rate")` gives a `Result`: `.frame` (pandas), `.chart()` (HoloViews), `.rows` (JSON: money as decimal
text, dates in ISO 8601), `.says` (one sentence), `.total()`, `.drill(row)` (the condition that selects the records behind a row) and a
`.stamp` that is the same exactly when configuration, report, parameters, user and moment are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import pandas as pd
from babel.numbers import get_currency_precision

from crm.analytics import looks, survival
from crm.analytics.analyses.base import ANALYSES, Members
from crm.analytics.cuts import resolve
from crm.analytics.goals import Beside, sighted
from crm.analytics.groups import Groups, Table, asked, text_of
from crm.analytics.periods import after, earlier, shifted, start_of, stride, window
from crm.analytics.shapes import Choices, shaped
from crm.analytics.shelf import Shelf
from crm.charts.base import CHARTS, Column, Look, ready
from crm.errors import Missing

if TYPE_CHECKING:
    from crm.records import Door
    from crm.schema.model import Axis, Kpi, Measure, Report

#: Decimals of a rate or a mean in JSON and CSV.
PLACES = 6
#: Results kept for a company; each is given again until something it may depend on was written.
KEPT = 256
_kept: WeakKeyDictionary[Any, Shelf] = WeakKeyDictionary()


@dataclass(frozen=True)
class Parameters:
    """What was asked of a report."""

    where: str | None
    as_of: datetime | None
    period: tuple[date, date] | None
    choices: Choices | None


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
    words: Any
    where: str | None = None
    paths: list[tuple[str, str | None]] = field(default_factory=list)
    behind: list[list[str]] = field(default_factory=list)  # of each row the condition of each axis
    span: tuple[str, str] = ("", "")  # the condition of the running period, and of the one it is compared with
    figures: Callable[[], dict[str, Any]] = dict
    notes: dict[str, Any] = field(default_factory=dict)  # what only a sentence tells: medians, how many are still open
    told: str = ""  # the sentence of an analysis or a KPI
    opens: Sequence[tuple[str, int] | None] = ()  # the record each row of an analysis is about
    members: Sequence[Members | None] = ()  # the records behind each row of an analysis where no condition tells them
    of: str = ""  # the entity of those records; "" the report's
    stamp: str = ""
    wanted: str | None = None  # the condition that was asked for; `where` may hold more: what the reader's rights leave of a report
    asked: datetime | None = None  # the moment that was asked for; None: as it is now
    period: tuple[date, date] | None = None  # the period that was asked for
    choices: Choices | None = None  # what else was asked for otherwise than the YAML says
    stride: tuple[str, int] | None = None  # how far back the stretch lies that the running period is compared with
    user: str = ""
    configuration: str = ""  # the hash of the configuration it was computed with

    @property
    def title(self) -> str:
        return self.report.label_in(self.words)

    @property
    def says(self) -> str:
        """What the report says, in one sentence; "" where there is nothing to say."""
        from crm.analytics.says import reading

        return self.told or ("" if self.report.analysis else reading(self))

    def total(self) -> dict[str, Any]:
        """Every measure over all groups together, also those a `limit` left out: worked out anew, so that means and rates are right."""
        return self.figures()

    @property
    def rows(self) -> list[list[Any]]:
        """The rows as JSON: money and percentages as decimal text, dates in ISO 8601.

        Money has the decimals of its currency (two where none is known), also a nothing (`0.00`); rates, means and other figures that
        do not come out even are rounded to `PLACES` decimals.
        """
        return [[plain(value, column) for value, column in zip(row, self.columns, strict=True)] for row in self.exact]

    def json(self) -> dict[str, Any]:
        """The document `crm report --json` prints."""
        return {
            "report": self.report.name,
            "columns": [{"key": c.key, "label": c.label, "kind": c.kind, "role": c.role} for c in self.columns],
            "rows": self.rows,
            "as_of": self.as_of.isoformat(timespec="seconds"),
            "stamp": self.stamp,
            "configuration": self.configuration,
            "user": self.user,
            "parameters": {
                "where": self.wanted, "as_of": told_moment(self.asked), "period": [str(one) for one in self.period or ()],
                **({"choices": asdict(self.choices)} if self.choices else {}),
            },
        }

    def texts(self) -> list[list[str]]:
        """The rows as the user reads them."""
        from crm.charts.base import shown

        return [[shown(self.words, column, value) for column, value in zip(self.columns, row, strict=True)] for row in self.exact]

    def drillable(self, row: int) -> bool:
        """Whether records stand behind a row: some rows of an analysis are worked out of more than records."""
        return not self.report.analysis or bool(self.behind[row]) or self.behind_of(row) is not None

    def behind_of(self, row: int) -> Members | None:
        """The records behind a row of an analysis that no condition tells; they are of the entity `drills`."""
        return self.members[row] if self.members else None

    @property
    def drills(self) -> str:
        """The entity of the records behind the rows."""
        return self.of or self.report.entity

    def drill(self, row: int, column: str | None = None) -> str:
        """The condition, in the expression language, that the records behind one row fulfil; behind one figure of it with `column`.

        They are records of `drills`. Where only their numbers tell them, it is as long as they are many: `behind_of(row)` has the numbers.
        """
        if (found := self.behind_of(row)) is not None:
            ids = found.of(column or "")[1]
            return f"id in [{', '.join(map(str, ids))}]" if ids else "id == 0"
        measure, compare = self.report.measures.get(column or ""), ""
        behind, span = list(self.behind[row]), self.span[0]
        for name in ("previous", "last_year"):
            if column and column.endswith(f"_{name}") and measure is None:
                measure, compare = self.report.measures.get(column.removesuffix(f"_{name}")), name
        if compare:
            span = self.span[1]
            for number, axis in enumerate(self.report.by):
                if axis.unit and not axis.first and self.keys[row][number] is not None:
                    start = start_of(earlier(self.keys[row][number], axis.unit, compare, self.stride), axis.unit)
                    behind[number] = f"{axis.field} >= date('{start}') and {axis.field} < date('{after(start, axis.unit)}')"
        conditions = [text_of(self.report.where), self.where or "", span, *behind]
        if measure is not None and self.report.stays is None:
            conditions.append(text_of(measure.where))
        conditions = [one for one in conditions if one]
        return " and ".join(f"({one})" for one in conditions) if len(conditions) > 1 else "".join(conditions)

    def png(self, height: int = 320, dpi: int = 144) -> bytes:
        """The chart as a picture, drawn by matplotlib: no browser is needed."""
        return ready("matplotlib").instance(fig="png", dpi=dpi)(self.chart(backend="matplotlib", height=height))[0]

    def chart(self, *, dark: bool = False, backend: str = "bokeh", height: int = 260, most: int | None = None) -> Any:
        """The report as a HoloViews object, in the chart its YAML names; `most`: no more groups than that, where room is scarce."""
        ready(backend)
        look = Look(self.words, {column.key: column for column in self.columns}, dark, height, backend, most)
        cls = CHARTS[self.report.chart.name]
        axes = {name: key for name, key in self.report.chart.axes.items() if key}
        if self.frame.empty:
            return look.nothing()
        options = dict(self.report.chart.options)
        frame, without = self.frame, options.pop("without", ())
        place = next((n for n, axis in enumerate(self.report.by) if axis.key == axes.get("x")), None)
        if without and place is not None:  # steps that lead nowhere, by their keys: the frame holds their names
            frame = frame[[keys[place] not in without for keys in self.keys]]
        return cls().draw(frame, look, **axes, **options)


def names(door: Door) -> list[str]:
    """The reports this user may run: those of modules that are switched on, whose records and fields the role sees."""
    return [name for name, one in door.schema.reports.items() if may_run(door, one)]


def report_for(door: Door, name: str) -> Report:
    """The report of that name; `Missing` for one that is not there or not for this user."""
    if name.startswith("card-"):  # one that a user made and kept
        from crm.analytics.own import card_report

        return card_report(door, name)
    if (kpi := door.schema.kpis.get(name)) is not None:
        from crm.analytics import kpis

        if kpis.open_to(door, kpi):
            return kpi.report  # type: ignore[no-any-return]
    report = door.schema.reports.get(name)
    if report is None or not may_run(door, report):
        raise Missing("There is no such report")
    return report


def kpi_of(door: Door, report: Report) -> Kpi | None:
    """The KPI that is told as this report."""
    kpi = door.schema.kpis.get(report.name)
    return kpi if kpi is not None and kpi.report is report else None


def may_run(door: Door, report: Report) -> bool:
    """Whether a report's module is switched on and its records and fields are open to this user."""
    return door.schema.is_on(report.module) and door.may("see", report.entity) and open_to(door, report)


def open_to(door: Door, report: Report) -> bool:
    """Whether the user may read every field a report looks at: a hidden one must not be told by its sum."""
    paths: set[str] = set()
    if report.analysis and not ANALYSES[report.analysis]().open_to(door, report):
        return False
    conditions = [report.where, *(axis.where for axis in report.by)]
    for axis in report.by:
        paths |= {one for one in (axis.field, axis.first) if one}
    for measure in report.measures.values():
        conditions += [measure.where, measure.value, measure.span.ended if measure.span else None]
        paths |= {one for one in (measure.field, measure.order, measure.currency, measure.rated) if one}
        paths |= {measure.span.start, measure.span.end} if measure.span else set()
    if report.stays is not None:
        paths |= {one for one in (report.stays.field, report.stays.of, report.stays.what, report.stays.on) if one}
    if report.span and report.period:
        paths.add(report.period)
    for condition in conditions:
        paths |= set(condition.uses) if condition is not None else set()
    return all(path == "stay" or path.startswith("stay.") or door.path_open(report.entity, path) for path in paths)


def run(
    door: Door, name: str | Report, *, where: str | None = None, as_of: datetime | None = None, period: tuple[date, date] | None = None,
    choices: Choices | None = None,
) -> Result:  # fmt: skip
    """Computes one report for the user of `door`.

    `where` narrows it further (an expression), `as_of` computes it from the records as they were then, `period` (first day, day after
    the last) takes the place of the report's own `span`, `choices` are what else is asked otherwise than its YAML says. Raises `Missing`
    for a report that is not there or not for this user, `ExpressionError` for a faulty `where`.
    """
    schema = door.schema
    report = report_for(door, name) if isinstance(name, str) else name
    moment = as_of or now_of(door)
    if choices:
        report, days = shaped(door, report, choices, door.company.today() if as_of is None else as_of.astimezone(door.words.tz).date())
        period = period or days
    params = Parameters(where, as_of, period, choices or None)
    key = None
    if isinstance(name, str) and not clocked(door, report) and "now" not in (where or ""):
        actor = door.actor
        who = (actor.system, actor.id, actor.role, actor.team, door.words.language)
        key = (schema.hash, door.company.generation, name, who, params, door.company.today())
    if key is None or door.company.store.writing:
        return signed(door, computed(door, report, where, as_of, period, moment), params, moment)
    shelf = _kept.get(door.company) or _kept.setdefault(door.company, Shelf(door.company.store, KEPT))
    found, mark = shelf.get(key)
    if found is None:
        found = computed(door, report, where, as_of, period, moment)
        read = looked_at(door, report, where)
        shelf.put(key, found, lambda changes, tables: any(touches(one, read) for one in {*tables, *(one.table for one in changes)}), mark)
    return signed(door, found, params, moment)


def clocked(door: Door, report: Report) -> bool:
    """Whether a report reads the clock: its figures are nobody's to keep."""
    if (kpi := kpi_of(door, report)) is not None:
        from crm.analytics import kpis

        return any(clocked(door, part.report) for part in kpis.parts_of(door, kpi))
    if report.analysis and ANALYSES[report.analysis].clocked:
        return True
    conditions = [report.where, *(one for m in report.measures.values() for one in (m.where, m.value))]
    conditions += [one for one in report.options.values() if hasattr(one, "constants")]
    conditions += [m.span.ended for m in report.measures.values() if m.span is not None]  # what still lasts is measured up to today
    return any("now" in one.constants for one in conditions if one is not None)


def touches(table: str, tables: frozenset[str] | None) -> bool:
    """Whether a change of a table may change a result read from `tables`; the engine's own (sessions, mail, notices) never do."""
    if tables is not None:
        return table in tables
    return not table.startswith("_") or table == looks.MOVES


def looked_at(door: Door, report: Report, where: str | None) -> frozenset[str] | None:
    """The tables a result is read from."""
    kpi = kpi_of(door, report)
    return looks.of_kpi(door, kpi, where) if kpi is not None else looks.entities(door, report, where)


def computed(
    door: Door, report: Report, where: str | None, as_of: datetime | None, period: tuple[date, date] | None, moment: datetime
) -> Result:
    """A report, worked out."""
    if (kpi := kpi_of(door, report)) is not None:
        from crm.analytics import kpis

        return kpis.computed(door, kpi, where, as_of, period, moment)
    today = door.company.today() if as_of is None else as_of.astimezone(door.words.tz).date()
    span = period or (window(report.span, today, door.schema.fiscal_start) if report.span else None)
    inside = within(report, span) if span and report.period else ""
    narrowed = where is not None
    if report.compare == "goal" and (own := sighted(door, report)):
        where = f"({where}) and {own}" if where else own
    conditions = [one for one in (report.where, where, inside) if one is not None and one != ""]
    if report.analysis:
        return analysed(door, report, conditions, where, as_of, span, moment)
    curve = next((m for m in report.measures.values() if m.span is not None), None)
    if curve is not None:
        columns, keys, exact, behind, notes = survival.curve(door, report, curve, conditions, as_of)
        columns = [*(column_of(axis, door) for axis in report.by), *columns]
        return Result(
            report, columns, frame_of(columns, exact), exact, keys, moment, door.words, where,
            [(axis.field, axis.unit) for axis in report.by], behind, (inside, ""), dict, notes,
        )  # fmt: skip
    groups = Groups(door, report, conditions, as_of)
    table = groups.table()
    outside = ""
    other: Table | None = None
    if span and report.period and report.compare in ("previous", "last_year"):
        outside = within(report, shifted(span, report.span or "", report.compare))
        other = Groups(door, report, [one for one in conditions if one is not inside] + [outside], as_of).table()
    back = stride(span, report.span or "") if span and other is not None else None
    beside = compared(door, report, table, other, back)
    aims = None
    if report.compare == "goal":
        aims = Beside(door, report, groups, span, period is not None, narrowed)
        beside = aims.put(table, [measure_column(door, report, one) for one in report.measures.values()])
    order_rows(report, table, groups)
    running(report, table)
    if report.limit:
        table = table[: report.limit]
    columns = [column_of(axis, door) for axis in report.by]
    columns += [measure_column(door, report, one) for one in report.measures.values()] + beside
    for number, cut in enumerate(groups.cuts):
        cut.name_all([keys[number] for keys, _ in table])
    exact = [
        [*(cut.shown(key) for cut, key in zip(groups.cuts, keys, strict=True)), *(values.get(c.key) for c in columns[len(keys) :])]
        for keys, values in table
    ]

    def total() -> dict[str, Any]:
        values = Groups(door, report, conditions, as_of, axes=[]).table()[0][1]
        return values if aims is None else aims.total(values)

    return Result(
        report=report,
        columns=columns,
        frame=frame_of(columns, exact),
        exact=exact,
        keys=[keys for keys, _ in table],
        as_of=moment,
        words=door.words,
        where=where,
        paths=[(axis.field, axis.unit) for axis in report.by],
        behind=[[cut.condition(key) for cut, key in zip(groups.cuts, keys, strict=True) if not cut.stay] for keys, _ in table],
        span=(inside, outside),
        stride=back,
        figures=total,
    )


def analysed(
    door: Door,
    report: Report,
    conditions: list[Any],
    where: str | None,
    as_of: datetime | None,
    span: tuple[date, date] | None,
    moment: datetime,
) -> Result:
    """A report whose rows an analysis works out."""
    found = ANALYSES[report.analysis or ""]().compute(
        door, report, where=[asked(door, report.entity, one, as_of) for one in conditions], as_of=as_of, period=span
    )
    columns = found.columns
    place = {column.key: number for number, column in enumerate(columns)}
    order = list(range(len(found.rows)))
    for name in reversed(report.sort):
        at = place[name.lstrip("-")]
        there = sorted((n for n in order if found.rows[n][at] is not None), key=lambda n: found.rows[n][at], reverse=name.startswith("-"))
        order = there + [n for n in order if found.rows[n][at] is None]
    order = order[: report.limit] if report.limit else order
    rows = [found.rows[n] for n in order]
    dimensions = [number for number, column in enumerate(columns) if column.role == "dimension"]
    keys = [found.keys[n] if found.keys else tuple(found.rows[n][at] for at in dimensions) for n in order]
    behind = [[found.behind[n] or ""] if found.behind and found.behind[n] else [] for n in order]
    inside = within(report, span) if span and report.period else ""
    return Result(
        report, columns, frame_of(columns, rows), rows, keys, moment, door.words, where,
        behind=behind, span=(inside, ""), notes=found.notes, told=found.says, opens=[found.opens[n] for n in order] if found.opens else (),
        members=[found.members[n] for n in order] if found.members else (), of=found.of,
    )  # fmt: skip


def within(report: Report, span: tuple[date, date]) -> str:
    """The condition that a record's date lies in a period."""
    return f"{report.period} >= date('{span[0]}') and {report.period} < date('{span[1]}')"


def compared(door: Door, report: Report, table: Table, other: Table | None, back: tuple[str, int] | None = None) -> list[Column]:
    """Puts each measure of the period before, or of the same period a year before, beside it; gives the columns added.

    Of a report cut by time the earlier figure is that of the row the same groups had then; of one of a running period (`other`: its
    groups in the earlier one) that of the same group then, which is shown also when it has nothing now.
    """
    at = next((number for number, axis in enumerate(report.by) if axis.unit and not axis.first), None)
    if report.compare not in ("previous", "last_year") or (at is None and other is None):
        return []
    known = {keys: dict(values) for keys, values in (table if other is None else other)}
    if at is None:
        have = {keys for keys, _ in table}
        nothing = {m.key: 0 if m.how in ("count", "distinct") else Decimal(0) if m.how in ("sum", "share") else None for m in report.measures.values()}
        table += [(keys, dict(nothing)) for keys in known if keys not in have]
    columns = []
    for measure in report.measures.values():
        if measure.of:
            continue
        column = measure_column(door, report, measure)
        name = door.words("last year") if report.compare == "last_year" else door.words("period before")
        columns.append(replace(column, key=f"{measure.key}_{report.compare}", label=f"{column.label}, {name}"))
        for keys, values in table:
            then = keys
            if at is not None:
                if keys[at] is None:
                    continue
                unit = report.by[at].unit or "month"
                then = (*keys[:at], earlier(keys[at], unit, report.compare, back), *keys[at + 1 :])
            values[f"{measure.key}_{report.compare}"] = known.get(then, {}).get(measure.key)
    return columns


def running(report: Report, table: Table) -> None:
    """Sums up measures row by row, in the order they are shown."""
    for measure in report.measures.values():
        if measure.how == "running":
            so_far = Decimal(0)
            for _, values in table:
                part = values.get(measure.of or "")
                so_far += Decimal(str(part)) if part is not None else 0
                values[measure.key] = so_far


def order_rows(report: Report, table: Table, groups: Groups) -> None:
    """Sorted as the YAML says; else periods by time, stages, options and classes in their order, the rest by the first measure downwards."""
    last = (1, 0)
    if report.sort:
        keys = [axis.key for axis in report.by]
        for name in reversed(report.sort):
            key = name.lstrip("-")
            down = name.startswith("-")

            def value(row: Any, key: str = key) -> Any:
                if key not in keys:
                    return row[1].get(key)
                number = keys.index(key)
                cut = groups.cuts[number]
                ranking = cut.ranking
                return ranking.get(row[0][number], len(ranking)) if ranking and row[0][number] is not None else cut.shown(row[0][number])

            known = sorted((row for row in table if value(row) is not None), key=value, reverse=down)
            table[:] = known + [row for row in table if value(row) is None]
        return
    first = next(iter(report.measures), None)
    ranks = [cut.ranking for cut in groups.cuts]

    def place(row: Any) -> list[Any]:
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


def column_of(axis: Axis, door: Door) -> Column:
    timed = axis.unit is not None
    kind = "date" if timed else "text" if axis.classes or axis.level else axis.kind
    return Column(axis.key, axis.label_in(door.words), kind, "dimension", axis.unit)


def measure_column(door: Door, report: Report, measure: Measure) -> Column:
    over = report.measures.get(measure.of or "") if measure.of else measure
    one = resolve(door, report.entity, over.field) if over is not None and over.field else None
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


def plain(value: Any, column: Column) -> Any:
    if column.kind == "money" and column.role == "measure" and isinstance(value, (Decimal, int, float)):
        places = get_currency_precision(column.currency) if column.currency else 2
        return format(Decimal(str(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP), "f")
    if isinstance(value, float):
        return round(value, PLACES)
    if isinstance(value, Decimal):
        if isinstance(value.as_tuple().exponent, int) and -value.as_tuple().exponent > PLACES:  # type: ignore[operator]
            value = value.quantize(Decimal(1).scaleb(-PLACES), ROUND_HALF_UP).normalize()
        return format(value, "f")
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return value


def told_moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")


def now_of(door: Door) -> datetime:
    """This moment as exactly as the store tells moments apart."""
    now = door.company.now().astimezone(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def signed(door: Door, result: Result, asked: Parameters, moment: datetime) -> Result:
    """A result with all that it takes to get it again (I7): configuration, user, parameters, moment, and the stamp over them."""
    login, configuration = door.actor.login, door.schema.hash
    said: list[Any] = [configuration, result.report.name, asked.where or "", login, moment.astimezone(UTC).isoformat(timespec="milliseconds")]
    said += [str(one) for one in asked.period] if asked.period else []
    said += [asdict(asked.choices)] if asked.choices else []
    mark = hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]
    return replace(
        result, as_of=moment, words=door.words, stamp=mark, wanted=asked.where, asked=asked.as_of, period=asked.period,
        choices=asked.choices, user=login, configuration=configuration,
    )  # fmt: skip
