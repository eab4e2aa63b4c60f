"""What the pipeline will bring: what people say, what the history says with its range, and how good that was in the past (F7, I3, I4).

f = forecast(door, "revenue", by="rep")          # .frame .chart() .says
s = simulate(door, "revenue", levers=Levers(win_rate=1.1, reps=2))     # .totals (runs, months) .quantiles() .chance(goal)
r = backtest(door, "revenue")                    # .frame .coverage .bias .error .baselines .calibration .says
p = prepare(door, "revenue")                     # p.simulate(levers) answers at once
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from crm.analytics.forecast.base import FIGURES, Forecast, Prepared, Record, Simulation
from crm.analytics.forecast.levers import Levers

if TYPE_CHECKING:
    from crm.records import Door


def names(door: Door) -> list[str]:
    """The forecasts this user may see: the records, their amounts, stages and dates are open to them."""
    raise NotImplementedError


def forecast(
    door: Door, name: str | None = None, *, as_of: datetime | None = None, where: str | None = None, by: str | None = None
) -> Forecast:
    """The months to come; `by` one of the forecast's axes or any path; `where` narrows it. Raises `Missing` when it is not for this user."""
    raise NotImplementedError


def simulate(
    door: Door, name: str | None = None, *, levers: Levers | None = None, runs: int = 10_000, seed: int = 0, as_of: datetime | None = None
) -> Simulation:
    """Futures drawn from what the history teaches."""
    raise NotImplementedError


def prepare(
    door: Door, name: str | None = None, *, as_of: datetime | None = None, where: str | None = None, by: str | None = None
) -> Prepared:
    """Everything learned once, for many questions."""
    raise NotImplementedError


def backtest(door: Door, name: str | None = None, *, back: int | None = None, where: str | None = None) -> Record:
    """The forecast replayed at the beginnings of the last `back` months."""
    raise NotImplementedError


__all__ = ["FIGURES", "Forecast", "Levers", "Prepared", "Record", "Simulation", "backtest", "forecast", "names", "prepare", "simulate"]
