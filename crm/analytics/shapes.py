"""A report asked otherwise than its YAML says, by a screen: another period, another comparison, cut by something else.

What may be chosen follows from the report and from what its reader may see; `shaped` gives the report that is then run like any other:
`run(door, "win_rate", choices=Choices(by="owner", period="last_quarter"))`.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from crm.analytics.periods import after, floor, moved, window
from crm.schema.model import Axis, Chart
from crm.schema.scope import kind_of

if TYPE_CHECKING:
    from crm.records import Door
    from crm.schema.model import Report

#: Periods by the name an address carries: the unit, and how many of them back.
PERIODS = {
    "month": ("month", 0),
    "last_month": ("month", 1),
    "quarter": ("fiscal_quarter", 0),
    "last_quarter": ("fiscal_quarter", 1),
    "year": ("fiscal_year", 0),
    "last_year": ("fiscal_year", 1),
}
#: Types of fields a report may be cut by on the spot.
GROUPED = ("choice", "stage", "pipeline", "link", "user", "team", "boolean", "rating")
MONTHS = {"month": 1, "fiscal_quarter": 3, "fiscal_year": 12}


@dataclass(frozen=True)
class Choices:
    """What is asked otherwise than the report says, as an address carries it; "" for as it was set up.

    `compare` previous, last_year, goal or none; `by` the key of an axis (`axes`); `period` a name (`PERIODS`) or `2026-01-01..2026-03-31`;
    `measure` the one that is drawn.
    """

    compare: str = ""
    by: str = ""
    period: str = ""
    measure: str = ""

    def __bool__(self) -> bool:
        return any(astuple(self))


def grouped(report: Report) -> bool:
    """Whether a report counts records in groups, so that others may take the place of its own."""
    return not report.analysis and report.stays is None and not any(one.span for one in report.measures.values())


def dated(door: Door, report: Report) -> str | None:
    """The date by which a report is narrowed to a period: its own, that of its axis, or the day its pipeline decides; None without one."""
    if report.period:
        return report.period
    if report.analysis or report.stays is not None:
        return None
    timed = next((axis.field for axis in report.by if axis.unit and not axis.first), None)
    pipelines = [door.schema.pipelines[name] for name in door.schema.entities[report.entity].pipelines]
    found: str | None = timed or next((one.fields["close"] for one in pipelines if one.fields.get("close")), None)
    return found if found and door.path_open(report.entity, found) else None


def comparisons(report: Report, timed: bool) -> list[str]:
    """What a report can be compared with; `timed`: it is narrowed to a period."""
    if not grouped(report):
        return []
    if timed or report.span or any(axis.unit and not axis.first for axis in report.by):
        return ["previous", "last_year", *(["goal"] if report.goals else [])]
    return ["goal"] if report.goals else []


def span_of(text: str, today: date, first: int, running: bool = False) -> tuple[str, tuple[date, date]] | None:
    """The unit and the days (first, day after the last) of a period by its name or as `2026-01-01..2026-03-31`; None for what is neither.

    The period that is not over yet is taken whole, `running` up to today: what is compared needs the same length.
    """
    if text in PERIODS:
        unit, back = PERIODS[text]
        start = moved(floor(today, unit, first), -back * MONTHS[unit])
        return unit, window(unit, today, first) if running and not back else (start, after(start, unit))
    begin, dots, end = text.partition("..")
    try:
        days = date.fromisoformat(begin), date.fromisoformat(end) + timedelta(days=1)
    except (ValueError, OverflowError):
        return None
    return ("", days) if dots and days[0] < days[1] else None


def named(text: str) -> bool:
    """Whether a text is a period as an address carries it."""
    return text in PERIODS or ".." in text


def axes(door: Door, report: Report) -> list[Axis]:
    """What a report may be cut by instead of its own axes: the fields of its records with few values, and its date in pieces."""
    if not grouped(report) or not report.measures or len(report.by) > 1:
        return []
    entity, found = door.schema.entities[report.entity], []
    own = {(axis.field, axis.unit) for axis in report.by}
    for key, field in entity.fields.items():
        if field.name in GROUPED and not field.system and door.path_open(report.entity, key) and (key, None) not in own:
            found.append(Axis(key, field.label, key, None, kind_of(field), field.path))
    when = dated(door, report)
    one = entity.fields.get(when or "")
    if when and one is not None:
        for unit in ("month", "fiscal_quarter", "fiscal_year"):
            if (when, unit) not in own:
                found.append(Axis(f"{when}_{unit}", one.label, when, unit, "date", one.path))
    return found


def shaped(door: Door, report: Report, choices: Choices, today: date) -> tuple[Report, tuple[date, date] | None]:
    """The report as it was asked for (itself where nothing is otherwise), the days of its period; a choice that does not fit is left out."""
    days, by, period, measure = None, choices.by, choices.period, choices.measure
    when = dated(door, report)
    compare = choices.compare or report.compare or ""
    found = span_of(period, today, door.schema.fiscal_start, compare in ("previous", "last_year")) if period and when else None
    made = report
    if found is not None:
        made, days = replace(made, period=when, span=found[0] or "days"), found[1]
    axis = next((one for one in axes(door, report) if one.key == by), None)
    if axis is not None:
        drawn = measure if measure in made.measures else drawn_measure(made)
        chart = Chart("bars", {"x": axis.key, "y": drawn})
        made = replace(made, by=[axis], chart=chart, sort=[] if axis.unit else [f"-{drawn}"], limit=None)
    elif measure in made.measures and isinstance(made.chart.axes.get("y"), str):
        made = replace(made, chart=replace(made.chart, axes={**made.chart.axes, "y": measure}))
    wanted = compare if compare in comparisons(made, days is not None) else None
    made = replace(made, compare=wanted, period=made.period or (when if wanted in ("previous", "last_year") else None))
    if wanted != report.compare and compared(made) and made.by:  # a chart of figures that are not there any more
        made = replace(made, chart=Chart("bars", {"x": made.by[0].key, "y": drawn_measure(made)}), sort=[])
    return report if made == report else made, days


def compared(report: Report) -> bool:
    """Whether the chart of a report draws a figure of its comparison, such as a goal."""
    own = {axis.key for axis in report.by} | set(report.measures)
    drawn = [one for said in report.chart.axes.values() for one in (said if isinstance(said, list) else [said])]
    return any(isinstance(one, str) and one and one not in own for one in drawn)


def drawn_measure(report: Report) -> str:
    """The measure a report draws, else its first."""
    drawn = report.chart.axes.get("y")
    drawn = drawn[len(drawn) // 2] if isinstance(drawn, list) and drawn else drawn
    return drawn if isinstance(drawn, str) and drawn in report.measures else next(iter(report.measures))
