"""What a forecast gives: the figures side by side, the drawn futures, and the record of how good it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crm.analytics.forecast.levers import Levers
from crm.charts.base import CHARTS, Column, Look, ready

if TYPE_CHECKING:
    from crm.schema import model

#: The figures of a forecast, in the order in which they stand side by side.
FIGURES = ("committed", "best_case", "pipeline", "weighted", "p10", "p50", "p90")


@dataclass
class Forecast:
    """`frame`: a row a month (and group): `month` (Timestamp of its first day), `group` where one was asked for, then in units of the money
    committed, best_case, pipeline, weighted, p10, p50, p90, goal (NaN without one), adjusted (NaN without an adjustment), actual (won in
    that month as far as known at `as_of`). committed holds what is won and what is promised, best_case that and the best case, pipeline
    everything open; what should have been decided before stands in the first month."""

    spec: model.Forecast
    frame: pd.DataFrame
    as_of: datetime
    words: Any
    by: str | None = None
    keys: list[Any] = field(default_factory=list)  # of each row the key of its group
    adjustments: dict[tuple[date, Any], dict[str, float]] = field(default_factory=dict)  # (month, group key) → {category: amount}
    notes: dict[str, Any] = field(default_factory=dict)
    record: Record | None = None
    label: str = ""  # what the groups are called

    fan: pd.DataFrame = field(default_factory=pd.DataFrame)  # month, p10, p50, p90, actual of all groups together
    currency: str = ""

    def chart(self, *, dark: bool = False, backend: str = "bokeh", height: int = 260) -> Any:
        """The range by month as a fan, with what is won already."""
        t = self.words
        labels = {"p10": t("Low (P10)"), "p50": t("Expected (P50)"), "p90": t("High (P90)"), "actual": t("Won already")}
        return drawn_fan(t, self.fan, labels, self.currency, ["p10", "p50", "p90"], None, dark, backend, height)

    @property
    def says(self) -> str:
        """What is expected, how sure that is, and how good forecasts were: a baseline that was better is named."""
        t = self.words
        low, middle, high = (t.money_short(Decimal(round(one)), self.currency) for one in self.notes["whole"])
        months = int(self.fan["month"].nunique())
        said = [
            t("{middle} expected in {n} months; eight times in ten between {low} and {high}.", middle=middle, n=months, low=low, high=high)
        ]
        if self.notes.get("goal") is not None and self.notes.get("chance") is not None:
            goal = t.money_short(Decimal(round(self.notes["goal"])), self.currency)
            chance, many = likely(t, self.notes["chance"]), self.notes.get("aimed", months)
            said.append(t("The goal of {goal} for {n} months is reached with a chance of {chance}.", goal=goal, n=many, chance=chance))
        if self.notes.get("undated"):
            said.append(t("{n} open ones have no date and stand in the range only.", n=self.notes["undated"]))
        if self.record is not None:
            said.append(self.record.says)
        return " ".join(said)


def likely(t: Any, chance: float) -> str:
    """A chance in whole percent. What was drawn from a history is never certain: the ends are "over 99%" and "under 1%"."""
    if chance > 0.99 or chance < 0.01:
        return str(t("over {chance}", chance=t.percent(0.99)) if chance > 0.5 else t("under {chance}", chance=t.percent(0.01)))
    return str(t.percent(round(chance, 2)))


@dataclass
class Simulation:
    """Drawn futures. `totals` (runs, months) is the money won in each month, with what is won already in the running one; `months` are
    first days. `groups` {key: (runs, months)} where the forecast was cut by something. `goal` of all months, None without one."""

    totals: np.ndarray
    months: list[date]
    levers: Levers
    words: Any = None
    groups: dict[Any, np.ndarray] = field(default_factory=dict)
    goal: float | None = None
    aimed: np.ndarray | None = None  # (months,) which of them have a goal; None: all

    def quantiles(self, at: Sequence[float] = (0.1, 0.5, 0.9), whole: bool = False) -> np.ndarray:
        """(len(at), months) quantiles of each month; with `whole` (len(at),) of all months together."""
        return np.quantile(self.totals.sum(1) if whole else self.totals, at, axis=0)

    def chance(self, goal: float | None = None) -> float:
        """How likely all months together bring at least `goal`; without one, how likely the months that have goals bring theirs."""
        wanted = self.goal if goal is None else goal
        totals = self.totals if goal is not None or self.aimed is None else self.totals[:, self.aimed]
        return float("nan") if wanted is None else float((totals.sum(1) >= wanted).mean())

    @property
    def frame(self) -> pd.DataFrame:
        """A row a month: month (Timestamp), p10, p50, p90, mean."""
        low, middle, high = self.quantiles()
        months = pd.to_datetime(pd.Series(self.months))
        return pd.DataFrame({"month": months, "p10": low, "p50": middle, "p90": high, "mean": self.totals.mean(0)})


@dataclass
class Record:
    """How good the forecast was, replayed at the beginnings of past months with nothing but what was known then.

    `frame`: a row for each `made` (month of the replay) and `month` foretold (`ahead` 1, 2, 3 …): p10, p50, p90, actual, inside (whether
    the actual lay between p10 and p90), last_year, moving_mean, weighted. `coverage` is the part inside; `bias` the mean of p50 − actual
    as a part of the mean actual; `error` the mean |p50 − actual| as a part of it; `baselines` the same error of each baseline, `same` that of
    the forecast where the baseline has a figure at all.
    `calibration`: by (stage, rep, source) and class of said chance: said, came, n; worked out by `calibrate` when it is looked at.
    """

    frame: pd.DataFrame
    coverage: float
    bias: float
    error: float
    baselines: dict[str, float]
    calibrate: Callable[[], pd.DataFrame]
    currency: str = ""
    same: dict[str, float] = field(default_factory=dict)  # the forecast's own error where each baseline has a figure
    words: Any = None
    notes: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def calibration(self) -> pd.DataFrame:
        return self.calibrate()

    @property
    def beaten_by(self) -> list[str]:
        """The baselines whose error was smaller, the best first."""
        better = [name for name, one in self.baselines.items() if one < self.same.get(name, self.error)]
        return sorted(better, key=lambda name: self.baselines[name])

    @property
    def says(self) -> str:
        """How often the range held, how far off the forecast was, and whether something simpler was better."""
        t = self.words
        if not len(self.frame):
            return str(t("There is too little history to replay the forecast."))
        said = t(
            "Replayed {n} times: {inside} of the months lay within the range (80% should), off by {error} of a month on average.",
            n=self.notes["replays"], inside=t.percent(round(self.coverage, 2)), error=t.percent(round(self.error, 2)),
        )  # fmt: skip
        names = {
            "last_year": t("the same month last year"),
            "moving_mean": t("the mean of twelve months"),
            "weighted": t("the weighted pipeline"),
        }
        known = [name for name, one in self.baselines.items() if one == one]
        if self.beaten_by:
            worse = ", ".join(names[name] for name in self.beaten_by)
            return f"{said} {t('Closer than the forecast was: {names}.', names=worse)}"
        if known:
            others = ", ".join(f"{names[name]} {t.percent(round(self.baselines[name], 2))}" for name in known)
            return f"{said} {t('It was closer than {others}.', others=others)}"
        return str(said)

    def chart(self, *, dark: bool = False, backend: str = "bokeh", height: int = 260, ahead: int = 1) -> Any:
        """What was foretold of each month so many months `ahead`, and what came."""
        t = self.words
        labels = {"p10": t("Low (P10)"), "p50": t("Foretold"), "p90": t("High (P90)"), "actual": t("Came")}
        part = self.frame[self.frame["ahead"] == ahead]
        return drawn_fan(t, part, labels, self.currency, ["p10", "p50", "p90"], "actual", dark, backend, height)


def drawn_fan(
    t: Any,
    frame: pd.DataFrame,
    labels: dict[str, str],
    currency: str,
    y: list[str],
    value: str | None,
    dark: bool,
    backend: str,
    height: int,
) -> Any:
    """A fan over months, in a user's words."""
    ready(backend)
    columns = {"month": Column("month", t("Month"), "date", "dimension", "month")}
    columns |= {key: Column(key, label, "money", "measure", currency=currency or None) for key, label in labels.items()}
    look = Look(t, columns, dark, height, backend)
    axes = {"value": value} if value else {}
    return CHARTS["fan"]().draw(frame.reset_index(drop=True), look, x="month", y=y, **axes)
