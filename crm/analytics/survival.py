"""How long something lasts when some of it is not over yet: the product-limit estimate (Kaplan and Meier 1958), F8.

What still runs counts as long as it was watched and not as an end; leaving it out would make the sales cycle look shorter than it is.
The band is 95 %, by Greenwood's variance on the log-log scale (Kalbfleisch and Prentice 1980).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from crm.analytics.cuts import EPOCH, days_of, stamped
from crm.analytics.groups import Groups, gathered, needed
from crm.analytics.periods import local
from crm.analytics.values import Rows, spread, true
from crm.charts.base import Column
from crm.records import columns as kept

if TYPE_CHECKING:
    import numpy as np

    from crm.records import Door
    from crm.schema.model import Measure, Report

Z = 1.959963984540054
#: Steps of a curve that are kept; more are thinned out evenly.
STEPS = 240


@dataclass
class Curve:
    """Days, the part that still lasts from then on, its band, and how many were still watched before that day."""

    days: list[float]
    left: list[float]
    low: list[float]
    high: list[float]
    at_risk: list[int]

    def median(self, column: str = "left") -> float | None:
        """The first day on which half or less is left; None when that was never seen."""
        return next((day for day, left in zip(self.days, getattr(self, column), strict=True) if left <= 0.5), None)


def kaplan_meier(lengths: Sequence[float], ended: Sequence[bool]) -> Curve:
    """The estimate from lengths (days, not negative) and whether each came to its end."""
    import numpy as np

    length, event = np.asarray(lengths, dtype=float), np.asarray(ended, dtype=bool)
    days = np.unique(length[event])
    ordered, ends = np.sort(length), np.sort(length[event])
    at_risk = len(ordered) - np.searchsorted(ordered, days, side="left")
    deaths = np.searchsorted(ends, days, side="right") - np.searchsorted(ends, days, side="left")
    left = np.cumprod(1 - deaths / at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.cumsum(deaths / (at_risk * (at_risk - deaths)))
        width = Z * np.sqrt(variance) / np.log(left)
        low, high = left ** np.exp(-width), left ** np.exp(width)
    over = left <= 0
    low, high = np.where(over, 0.0, low), np.where(over, 0.0, high)
    return Curve(
        [0.0, *days.tolist()],
        [1.0, *left.tolist()],
        [1.0, *np.nan_to_num(low, nan=1.0).tolist()],
        [1.0, *np.nan_to_num(high, nan=1.0).tolist()],
        [len(length), *at_risk.tolist()],
    )


def curve(
    door: Door, report: Report, measure: Measure, conditions: list[Any], as_of: datetime | None
) -> tuple[list[Column], list[tuple[Any, ...]], list[list[Any]], list[list[str]], dict[str, Any]]:
    """The report's columns beyond its axes, and for each row the keys of its axes, its values, and its conditions; medians as notes."""
    import numpy as np

    span = measure.span
    assert span is not None
    groups = Groups(door, report, conditions, as_of)
    t, zone = door.words, door.words.tz
    paths = [cut.axis.field for cut in groups.cuts] + [span.start, span.end]
    if span.ended is not None:
        paths += needed(door, report.entity, span.ended)
    ids, columns = door.columns(report.entity, list(dict.fromkeys(paths)), groups.conditions, as_of)
    today = door.company.today() if as_of is None else as_of.astimezone(zone).date()
    fields = {path: door.schema_field(report.entity, path) for path in columns}
    rows = Rows(columns, fields, len(ids), today, as_of or door.company.now(), door.actor)
    start, end = (local_days(columns[path], zone) for path in (span.start, span.end))
    over = true(rows.each(span.ended)) if span.ended is not None else end >= 0
    there = (start >= 0) & ~(over & (end < 0))
    length = np.maximum(np.where(over, end, today.toordinal()) - start, 0).astype(float)
    samples: dict[tuple[Any, ...], tuple[Any, Any]] = {}
    for keys, places in gathered(groups.cuts, rows):
        mine = places[there[places]]
        if len(mine):
            samples[keys] = length[mine], over[mine]
    ranks = [cut.ranking for cut in groups.cuts]
    order = sorted(
        samples,
        key=lambda keys: [
            *((key is None, ranking.get(key, len(ranking))) for key, ranking in zip(keys, ranks, strict=True)),
            -len(samples[keys][0]),
        ],
    )
    found: list[list[Any]] = []
    kept: list[tuple[Any, ...]] = []
    behind: list[list[str]] = []
    notes: dict[str, Any] = {"groups": [], "n": 0, "running": 0}
    for keys in order[: report.limit] if report.limit else order:
        lengths, ended = samples[keys]
        line = kaplan_meier(lengths, ended)
        shown = [cut.shown(key) for cut, key in zip(groups.cuts, keys, strict=True)]
        notes["groups"].append((shown, line.median(), line.median("low"), line.median("high"), len(lengths), int((~ended).sum())))
        notes["n"] += len(lengths)
        notes["running"] += int((~ended).sum())
        every = -(-len(line.days) // STEPS)
        for n in [*range(0, len(line.days), every), *([len(line.days) - 1] if (len(line.days) - 1) % every else [])]:
            values = [share(line.left[n]), share(line.low[n]), share(line.high[n]), line.at_risk[n]]
            found.append([*shown, int(line.days[n]), *values])
            kept.append((*keys, int(line.days[n])))
            behind.append([cut.condition(key) for cut, key in zip(groups.cuts, keys, strict=True)])
    key, label = measure.key, measure.label_in(t)
    made = [
        Column("days", t("Days"), "integer", "dimension"),
        Column(key, label, "percent", "measure"),
        Column(f"{key}_low", t("{label}, at least", label=label), "percent", "measure"),
        Column(f"{key}_high", t("{label}, at most", label=label), "percent", "measure"),
        Column(f"{key}_at_risk", t("Still watched"), "integer", "measure"),
    ]
    return made, kept, found, behind, notes


def local_days(column: kept.Column, zone: Any) -> np.ndarray:
    """The calendar day of each stored date or moment in a time zone, as its number; -1 where there is none."""
    import numpy as np

    def days(texts: Sequence[Any]) -> np.ndarray:
        if stamped(texts).all():
            return days_of(texts, zone) + EPOCH
        return np.array([local(one, zone).toordinal() for one in texts], dtype=np.int64)

    return spread(column, ("local", str(zone)), days, -1)


def share(value: float) -> Decimal:
    return Decimal(str(round(value, 6)))
