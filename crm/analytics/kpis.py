"""KPIs at work (F12): the figure of each period, what it should be, and how it stands to that.

`run(door, "quarter_revenue")` gives a `Result` with a row a period, the running one last: figure, target, light. `light` is `good`, `near`
or `off`, None without a target. A part with a date counts in the period its date lies in; one without is told as it was at the end of
each period (`as_of`), and as it is now.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from crm.analytics.goals import sees_own, sighted, whole
from crm.analytics.groups import Groups, evaluate
from crm.analytics.periods import MONTHS, after, floor, moved, named
from crm.analytics.reports import Result, column_of, frame_of, may_run, measure_column
from crm.charts.base import Column, shown
from crm.errors import Refused
from crm.records.goals import ALL, Goals, goals
from crm.schema.model import UNITS, Axis

if TYPE_CHECKING:
    from crm.records import Door
    from crm.schema.model import Kpi, KpiPart

Span = tuple[date, date]


def names(door: Door) -> list[str]:
    """The KPIs this user may see: those whose every part they may."""
    return [name for name, one in door.schema.kpis.items() if open_to(door, one)]


def open_to(door: Door, kpi: Kpi) -> bool:
    """Whether the user may read all that a KPI is made of."""
    return (
        door.schema.is_on(kpi.module)
        and all(may_run(door, part.report) and (not part.on or door.path_open(part.report.entity, part.on)) for part in kpi.parts.values())
        and all(open_to(door, door.schema.kpis[other]) for other in kpi.others)
    )


def parts_of(door: Door, kpi: Kpi) -> list[KpiPart]:
    """Everything that is measured for a KPI, also for the KPIs it names."""
    return [*kpi.parts.values(), *(part for other in kpi.others for part in parts_of(door, door.schema.kpis[other]))]


def computed(door: Door, kpi: Kpi, where: str | None, as_of: datetime | None, period: Span | None, moment: datetime) -> Result:
    """A KPI, worked out."""
    if where and len({part.report.entity for part in parts_of(door, kpi)}) > 1:
        raise Refused("This figure is made of several kinds of records, so one condition cannot narrow it.")
    today = door.company.today() if as_of is None else as_of.astimezone(door.words.tz).date()
    spans = [period] if period else stretches(kpi, today, door.schema.fiscal_start)
    figures = [even(kpi, one) for one in Figures(door, spans, where, as_of, own=kpi.goals is not None and sees_own(door)).of(kpi)]
    ends = [whole(kpi.period, span, door.schema.fiscal_start) if period is None else span for span in spans]
    targets, dues = aims(door, kpi, spans, ends, as_of)
    lights = [light(kpi, value, target, due) for value, target, due in zip(figures, targets, dues, strict=True)]
    rows, keys, behind = [], [], []
    t = door.words
    said = {"good": t("On target"), "near": t("Near the target"), "off": t("Off the target")}
    aimed = kpi.target is not None or kpi.goals is not None
    axis = kpi.report.by[0]
    for span, value, target, state in zip(spans, figures, targets, lights, strict=True):
        rows.append([span[0] if axis.unit else span[1] - timedelta(days=1), value, *([target, said.get(state or "")] if aimed else [])])
        keys.append((named(span[0], axis.unit) if axis.unit else str(span[1] - timedelta(days=1)),))
        behind.append([f"{axis.field} >= date('{span[0]}') and {axis.field} < date('{span[1]}')"] if kpi.report.period else [])
    money = next((part for part in parts_of(door, kpi) if part.kind == "money"), None)
    currency = measure_column(door, money.report, money.report.measures[money.measure]).currency if money is not None else None
    figure = Column("value", kpi.label_in(t), kpi.kind, "measure", currency=currency)
    columns = [column_of(axis, door), figure]
    columns[0].label = t("Period")
    if aimed:
        kind = "number" if kpi.kind == "integer" else kpi.kind
        columns += [Column("target", t("Target"), kind, "measure", currency=currency), Column("light", t("State"), "text")]
    notes = {
        "figure": figures[-1], "target": targets[-1], "due": dues[-1], "light": lights[-1], "lights": lights, "before": figures[-2] if len(figures) > 1 else None,
    }  # fmt: skip
    found = Result(
        kpi.report, columns, frame_of(columns, rows), rows, keys, moment, t, where, [(axis.field, axis.unit)], behind, notes=notes,
        figures=lambda: {"value": figures[-1]},
    )  # fmt: skip
    found.told = reading(door, kpi, found)
    return found


def even(kpi: Kpi, value: Any) -> Any:
    """A plain number to the second place: no more of it is read."""
    return round(value, 2) if kpi.kind == "number" and isinstance(value, Decimal) else value


def stretches(kpi: Kpi, today: date, first: int) -> list[Span]:
    """The periods shown, the running one last and up to today."""
    end = today + timedelta(days=1)
    unit = kpi.period
    if unit not in UNITS:
        length = timedelta(days=int(unit.removesuffix("d")))
        return [(end - length * (n + 1), end - length * n) for n in reversed(range(kpi.trend))]
    begin = floor(today, unit, first)
    starts = [begin]
    while len(starts) < kpi.trend:
        starts.insert(0, moved(starts[0], -MONTHS[unit]) if unit in MONTHS else starts[0] - timedelta(days=7 if unit == "week" else 1))
    return [(start, end if start == begin else after(start, unit)) for start in starts]


class Figures:
    """The figure of each period under one user's rights; `own`: only of the records that are this user's."""

    def __init__(self, door: Door, spans: Sequence[Span], where: str | None, as_of: datetime | None, own: bool) -> None:
        self.door, self.spans, self.where, self.as_of, self.own = door, spans, where, as_of, own

    def of(self, kpi: Kpi) -> list[Any]:
        found = {key: self.part(one) for key, one in kpi.parts.items()}
        found |= {other: self.of(self.door.schema.kpis[other]) for other in kpi.others}
        if kpi.formula is None:
            return next(iter(found.values()))
        return [evaluate(kpi.formula, {key: values[n] for key, values in found.items()}) for n in range(len(self.spans))]

    def part(self, part: KpiPart) -> list[Any]:
        report = part.report
        conditions: list[Any] = [one for one in (report.where, self.where) if one]
        if self.own and (mine := sighted(self.door, report)):
            conditions.append(mine)
        if part.on is None:
            return [self.at(part, conditions, span[1]) for span in self.spans[:-1]] + [self.figure(part, conditions, self.as_of)]
        unit = self.unit()
        if unit is None:
            return [self.figure(part, [*conditions, inside(part.on, span)], self.as_of) for span in self.spans]
        reach = (self.spans[0][0], self.spans[-1][1])
        groups = Groups(self.door, report, [*conditions, inside(part.on, reach)], self.as_of, [Axis("period", "", part.on, unit, "date")])
        table = {keys[0]: values.get(part.measure) for keys, values in groups.table()}
        how = report.measures[part.measure].how
        nothing = 0 if how in ("count", "distinct") else Decimal(0) if how == "sum" else None
        return [table.get(named(span[0], unit), nothing) for span in self.spans]

    def unit(self) -> str | None:
        """The piece of time the periods are; None for stretches of days, which are asked for one by one."""
        if len(self.spans) < 2:
            return None
        start, end = self.spans[0]
        return next(
            (unit for unit in UNITS if floor(start, unit, self.door.schema.fiscal_start) == start and after(start, unit) == end), None
        )

    def figure(self, part: KpiPart, conditions: list[Any], as_of: datetime | None) -> Any:
        return Groups(self.door, part.report, conditions, as_of, []).table()[0][1].get(part.measure)

    def at(self, part: KpiPart, conditions: list[Any], day: date) -> Any:
        """The figure as it was when a day began."""
        moment = datetime.combine(day, time(0), self.door.words.tz).astimezone(UTC)
        return self.figure(part, conditions, moment)


def inside(path: str, span: Span) -> str:
    return f"{path} >= date('{span[0]}') and {path} < date('{span[1]}')"


def aims(door: Door, kpi: Kpi, spans: list[Span], ends: list[Span], as_of: datetime | None) -> tuple[list[Any], list[Any]]:
    """What each period should bring, and how much of it is due (of a period that is over: all of it)."""
    if kpi.goals is not None:
        found: Goals | None = goals(door, spans[0][0], ends[-1][1], kpi.goals, as_of=as_of)
        if found is None:
            return [None] * len(spans), [None] * len(spans)
        who = ("person", door.actor.id) if sees_own(door) and door.actor.id is not None else ALL
        return [found.target(*span, who) for span in ends], [found.target(*span, who) for span in spans]
    if kpi.pace and kpi.target is not None:
        return [kpi.target] * len(spans), [kpi.target * (b - a).days / (d - c).days for (a, b), (c, d) in zip(spans, ends, strict=True)]
    return [kpi.target] * len(spans), [kpi.target] * len(spans)


def light(kpi: Kpi, value: Any, target: Decimal | None, due: Decimal | None) -> str | None:
    """`good`, `near` or `off`; None without a figure or a target."""
    if value is None or target is None or kpi.green is None or kpi.amber is None:
        return None
    figure = Decimal(str(value))
    if kpi.goals is not None or kpi.pace:
        if not due:
            return None
        figure /= due
    if kpi.lower:
        return "good" if figure <= kpi.green else "near" if figure <= kpi.amber else "off"
    return "good" if figure >= kpi.green else "near" if figure >= kpi.amber else "off"


def reading(door: Door, kpi: Kpi, result: Result) -> str:
    """The figure, how it stands, and how it moved, in one sentence."""
    t, notes, column = door.words, result.notes, result.columns[1]
    if notes["figure"] is None:
        return t("Nothing to count yet.")
    values = {"label": column.label, "value": shown(t, column, notes["figure"], True)}
    if notes["target"] is None:
        said = t("{label}: {value}.", **values)
    else:
        column_ = result.columns[2]
        values |= {"target": shown(t, column_, notes["target"], True), "state": result.exact[-1][3] or "–"}
        if notes["due"] is not None and notes["due"] != notes["target"]:
            values["due"] = shown(t, column_, notes["due"], True)
            said = t("{label}: {value}; the target is {target}, due by today are {due}: {state}.", **values)
        else:
            said = t("{label}: {value}; the target is {target}: {state}.", **values)
    if notes["before"]:
        said += " " + t("Before: {value}.", value=shown(t, column, notes["before"], True))
    return said
