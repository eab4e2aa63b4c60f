"""What the pipeline will bring: what people say, what the history says with its range, and how good that was in the past (F7, I3, I4).

f = forecast(door, "revenue", by="rep")          # .frame .chart() .says
s = simulate(door, "revenue", levers=Levers(win_rate=1.1, reps=2))     # .totals (runs, months) .quantiles() .chance(goal)
r = backtest(door, "revenue")                    # .frame .coverage .bias .error .baselines .calibration .says
p = prepare(door, "revenue")                     # p.simulate(levers) answers at once
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from crm.analytics.forecast.base import FIGURES, Forecast, Record, Simulation
from crm.analytics.forecast.history import paths_of, read
from crm.analytics.forecast.levers import Levers
from crm.analytics.forecast.prepared import Prepared, study
from crm.analytics.forecast.record import replay
from crm.analytics.forecast.sides import axis_of, cut_of, grouped, side_by_side, targets
from crm.analytics.forecast.spending import assume
from crm.errors import Missing

if TYPE_CHECKING:
    from crm.analytics.cuts import Cut
    from crm.records import Door
    from crm.schema import model


def names(door: Door) -> list[str]:
    """The forecasts this user may see: the records, their amounts, stages and dates are open to them."""
    schema = door.schema
    return [name for name, one in schema.forecasts.items() if schema.is_on(one.module) and open_to(door, one)]


def open_to(door: Door, spec: model.Forecast) -> bool:
    """Whether the user may read what a forecast rests on: a hidden amount must not be told by its sum."""
    needed = [path for word, path in paths_of(door, spec).items() if path and word != "source"]
    needed += list(spec.where.uses) if spec.where is not None else []
    return door.may("see", spec.entity) and all(door.path_open(spec.entity, path) for path in needed)


def spec_of(door: Door, name: str | None) -> model.Forecast:
    """A forecast by name, the first one without a name. Raises `Missing` for one that is not there or not for this user."""
    known = names(door)
    chosen = name or (known[0] if known else None)
    if chosen is None or chosen not in known:
        raise Missing("There is no such forecast")
    return door.schema.forecasts[chosen]


def forecast(
    door: Door, name: str | None = None, *, as_of: datetime | None = None, where: Any = None, by: str | None = None, record: bool = False
) -> Forecast:
    """The months to come; `by` one of the forecast's axes or any path; `where` narrows it; with `record` its own record is beside it.

    Raises `Missing` when it is not for this user, `Refused` for a path that is not there.
    """
    spec = spec_of(door, name)
    made, cut = ready(door, spec, as_of, where, by)
    found = side_by_side(door, spec, made, cut, as_of)
    if record:
        found.record = backtest(door, spec.name, where=where, as_of=as_of)
    return found


def ready(door: Door, spec: model.Forecast, as_of: datetime | None, where: Any, by: str | None) -> tuple[Prepared, Cut | None]:
    """A prepared forecast and the axis it is cut by."""
    cut = cut_of(door, spec, axis_of(door, spec, by), as_of) if by else None
    groups = grouped(door, spec, cut, read(door, spec), as_of) if cut is not None else None
    made = study(door, spec, as_of, where, groups)
    goal = targets(door, spec, made.months, None, [None], as_of)[0]
    made.goal = float(np.nansum(goal)) if not np.isnan(goal).all() else None
    made.aimed = ~np.isnan(goal)
    made.assumptions = assume(door, spec, made.learned, as_of)
    return made, cut


def simulate(
    door: Door, name: str | None = None, *, levers: Levers | None = None, runs: int = 10_000, seed: int = 0, as_of: datetime | None = None
) -> Simulation:
    """Futures drawn from what the history teaches."""
    return prepare(door, name, as_of=as_of).simulate(levers, runs=runs, seed=seed)


def prepare(door: Door, name: str | None = None, *, as_of: datetime | None = None, where: Any = None, by: str | None = None) -> Prepared:
    """Everything learned once, for many questions."""
    return ready(door, spec_of(door, name), as_of, where, by)[0]


def backtest(door: Door, name: str | None = None, *, back: int | None = None, where: Any = None, as_of: datetime | None = None) -> Record:
    """The forecast replayed at the beginnings of the last `back` months (the forecast's own number where none is given), judged by what is
    known now, or was known at `as_of`."""
    spec = spec_of(door, name)
    return replay(door, spec, back or spec.back, where, as_of)


__all__ = [
    "FIGURES",
    "Forecast",
    "Levers",
    "Prepared",
    "Record",
    "Simulation",
    "backtest",
    "forecast",
    "names",
    "open_to",
    "prepare",
    "simulate",
    "spec_of",
]
