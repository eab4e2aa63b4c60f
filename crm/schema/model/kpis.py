"""A KPI: a figure by period, with its target."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as fresh
from decimal import Decimal
from typing import Any

from crm.schema.model.base import Thing
from crm.schema.model.reports import Report


@dataclass
class KpiPart:
    """One figure a KPI is made of: a measure of a report without axes, in the period its date `on` lies in (None: as it is now)."""

    report: Report
    measure: str
    on: str | None
    kind: str


@dataclass
class Kpi(Thing):
    """A figure by period: `formula` over its `parts` and `others` (names of KPIs), or its only part.

    `target` is a fixed one; `goals` an option of what goals are about, whose sum is the target; `pace`: the target of the running period
    is due by and by. `green` and `amber` are figures, of goals and with `pace` parts of what is due; `lower`: less is better.
    """

    parts: dict[str, KpiPart] = fresh(default_factory=dict)
    others: list[str] = fresh(default_factory=list)
    formula: Any = None  # Expression
    kind: str = "number"
    period: str = "month"
    trend: int = 12
    target: Decimal | None = None
    goals: str | None = None
    pace: bool = False
    green: Decimal | None = None
    amber: Decimal | None = None
    lower: bool = False
    owner: str | None = None  # a role
    report: Any = None  # the Report it is told as
