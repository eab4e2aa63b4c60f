"""A forecast: what a pipeline will bring."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as fresh
from decimal import Decimal
from typing import Any

from crm.schema.model.base import Thing
from crm.schema.model.reports import Axis

#: Figures of a forecast that a manager may adjust; `total` is the simulated one.
CATEGORIES = ("total", "committed", "best_case", "pipeline", "weighted")
#: What what-if turns; each 1 as things are, `reps` people more.
LEVERS = ("win_rate", "deal_size", "cycle", "arrivals", "reps", "spend")


@dataclass
class Spend:
    """What money for campaigns does: records linked by `campaign` become more by `elasticity` percent for each percent more money."""

    campaign: str
    elasticity: Decimal = Decimal("0.4")


@dataclass
class Forecast(Thing):
    """What the records of `pipelines` will bring in the next `months`, cut `by` axes; `back` months are replayed to see how good it is.

    `ramp` are the months until somebody new brings what the others do; `shrink` how many records' worth of the common experience stands
    beside each person's own (None: learned); `source_path` the field by whose values the record is also shown.
    """

    entity: str
    pipelines: list[str] = fresh(default_factory=list)
    where: Any = None  # Expression
    months: int = 6
    by: list[Axis] = fresh(default_factory=list)
    source_path: str | None = None
    back: int = 12
    runs: int = 10_000
    ramp: int = 6
    shrink: int | None = None
    spend: Spend | None = None
