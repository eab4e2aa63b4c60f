"""A report: axes, measures, how it is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as fresh
from decimal import Decimal
from typing import Any

from crm.schema.model.base import Labelled, Thing, translated

#: How a measure of a report is computed, and the pieces of time an axis may be cut in.
AGGREGATES = ("count", "sum", "mean", "min", "max", "median", "quantile", "distinct", "first", "last", "rate")
#: Figures made of another measure of the report, over its rows.
OVER = ("share", "running")
UNITS = ("day", "week", "month", "quarter", "year", "fiscal_quarter", "fiscal_year")


@dataclass
class Axis(Labelled):
    """One axis of a report: a field path, for dates cut in `unit`s of time.

    `classes` cut a number into classes by their lower bounds; `level` takes, for a link into a tree, what stands so far below its top;
    `first` groups a link by the period of the first date (`first`, where `where`) among the records with the same link: a cohort.
    """

    key: str
    label: str
    field: str  # dotted path
    unit: str | None = None
    kind: str = "text"
    path: str = ""
    classes: list[Decimal] = fresh(default_factory=list)
    level: int | None = None
    first: str | None = None  # field path of a date
    where: Any = None  # Expression


@dataclass
class Measure(Labelled):
    """One figure of a report: an aggregate (`how` of `field` or `value`, where `where`), `share` or `running` of another measure over
    the rows, `survival`, or a `formula` over the other measures."""

    key: str
    label: str
    how: str | None = None  # one of AGGREGATES or OVER, survival; None for a formula
    field: str | None = None  # dotted path; None for count
    value: Any = None  # Expression over the record instead of a field; of a rate: the condition
    at: float | None = None  # which quantile
    order: str | None = None  # the date by which first and last are meant, a dotted path; without it the order of entry
    of: str | None = None  # which other measure is shared out or summed up
    currency: str | None = None  # the choice field that says the currency of an amount
    rated: str | None = None  # the date whose rate turns it into the company's currency
    span: Survival | None = None
    where: Any = None  # Expression
    formula: Any = None  # Expression over the measures' names
    kind: str = "number"  # number, integer, money, percent, duration, date, datetime
    path: str = ""


@dataclass
class Survival:
    """How long something lasts, also where it is not over yet: from `start` to `end`, over where `ended` holds, else still running."""

    start: str  # dotted paths of dates
    end: str
    ended: Any = None  # Expression


@dataclass
class Stays:
    """Rows of a report that are stays of records in a stage or an option: by a `field` of the report's entity, or, where its records
    are the events themselves, by `of` whom, `what` begins, and `on` which date."""

    field: str = ""
    of: str = ""
    what: str = ""
    on: str = ""


@dataclass
class Chart:
    """How a report is drawn: the chart's name and what lies on its axes ({axis: name of an axis or measure})."""

    name: str = "table"
    axes: dict[str, Any] = fresh(default_factory=dict)
    options: dict[str, Any] = fresh(default_factory=dict)


@dataclass
class Report(Thing):
    """A question about an entity's records (or their `stays` in stages): `where`, cut `by` axes, `measures`."""

    entity: str
    where: Any = None  # Expression
    stays: Stays | None = None
    span: str | None = None  # only the running month, quarter, fiscal_year … of `period`, or so many last days: 90d
    by: list[Axis] = fresh(default_factory=list)
    measures: dict[str, Measure] = fresh(default_factory=dict)
    compare: str | None = None  # previous, last_year, goal
    goals: dict[str, str | None] = fresh(default_factory=dict)  # measure → what its goals are about (None: what `goals:` of crm.yaml says)
    period: str | None = None  # field path the comparison shifts: a date
    analysis: str | None = None  # the rows are worked out by this analysis, with `options`, and have these `columns`: {key: role and kind}
    options: dict[str, Any] = fresh(default_factory=dict)
    columns: dict[str, str] = fresh(default_factory=dict)
    reads: list[tuple[str, str]] = fresh(default_factory=list)  # (entity, path) of all that the options name
    chart: Chart = fresh(default_factory=Chart)
    sort: list[str] = fresh(default_factory=list)
    limit: int | None = None
    target: float | None = None
    green: float | None = None
    amber: float | None = None

    @property
    def dimensions(self) -> list[str]:
        """The keys of what its rows are cut by."""
        return [key for key, one in self.columns.items() if one.startswith("dimension")] if self.analysis else [one.key for one in self.by]

    @property
    def figures(self) -> list[str]:
        """The keys of its figures."""
        if self.analysis:
            return [key for key, one in self.columns.items() if one.startswith("measure")]
        beside = [f"{key}_{word}" for key in self.goals for word in ("goal", *(["due"] if self.span else []), "reached")]
        return [*self.measures, *beside]

    def option_in(self, t: Any, path: str, english: str) -> str:
        """A text of its options (`facts.calls.label`) in the language of `t`."""
        return translated(t, f"{self.path}.options.{path}", english)
