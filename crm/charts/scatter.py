"""A scatter plot: whether two measures go together."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from crm.charts.base import CHARTS, Chart, Look, clipped

#: Groups needed before a line is drawn at all, and how unlikely a relation by chance must be.
FEWEST, SURE = 8, 0.05


@CHARTS.add
class Scatter(Chart):
    """`x` and `y` measures, a point each group, `label` the dimension that names it.

    A straight line with its 95 % band is drawn only where there are enough points and the slope is unlikely to be chance (Spearman's rank
    correlation, so that one outlier decides nothing); else the chart says that no relation is to be seen.
    """

    name = "scatter"
    axes = {"x": "measure", "y": "measure", "label": "dimension?"}

    def draw(self, frame: pd.DataFrame, look: Look, x: str, y: str, label: str | None = None, **options: Any) -> Any:
        known = frame[frame[x].notna() & frame[y].notna()]
        if known.empty:
            return look.nothing()
        names = look.texts(known, label) if label else [""] * len(known)
        data = pd.DataFrame(
            {
                "x": known[x].astype(float).to_list(),
                "y": known[y].astype(float).to_list(),
                "name": names,
                "across": [look.text(x, value) for value in known[x]],
                "up": [look.text(y, value) for value in known[y]],
                "row": [int(row) for row in known.index],
            }
        )
        hover = [*([(look.label(label), "@name")] if label else []), (look.label(x), "@across"), (look.label(y), "@up")]
        fit, said = fitted(data["x"].to_list(), data["y"].to_list(), look.t)
        pieces = []
        if fit is not None:
            pieces += [look.band(fit, look.color(2)), look.lines(fit, look.color(2))]
        pieces.append(look.dots(data, look.color(), size=8, hover=hover, alpha=0.75))
        across, marks = look.scale(x, data["x"], zero=False)
        up, ticks = look.scale(y, data["y"], zero=False)
        right: list[str] = []
        if len(data) <= 8 and label:
            texts = data.assign(text=["\u2002" + clipped(name, 16) for name in names])
            pieces.append(look.said(texts, align="left"))
            right = texts["text"].tolist()
        return look.whole(
            pieces, grid=True, xticks=marks, yticks=ticks, xlim=across, ylim=up, xlabel=look.label(x), ylabel=look.label(y),
            height=max(look.height, 280), right=right, foot=said,
        )  # fmt: skip


def fitted(x: list[float], y: list[float], t: Any) -> tuple[pd.DataFrame | None, str]:
    """The line of least squares with the 95 % band of its mean, or None; and what is to be said of it."""
    import numpy as np

    n = len(x)
    if n < FEWEST or len(set(x)) < 3:
        return None, t("Too few groups to speak of a relation ({n})", n=n)
    from scipy import stats

    rank = stats.spearmanr(x, y)
    if not math.isfinite(rank.statistic) or rank.pvalue > SURE:
        return None, t("No relation is to be seen ({n} groups)", n=n)
    a, b = np.asarray(x), np.asarray(y)
    slope, start = np.polyfit(a, b, 1)
    at = np.linspace(min(x), max(x), 40)
    rest = b - (slope * a + start)
    spread = math.sqrt(float(rest @ rest) / (n - 2))
    width = stats.t.ppf(0.975, n - 2) * spread * np.sqrt(1 / n + (at - a.mean()) ** 2 / ((a - a.mean()) ** 2).sum())
    line = slope * at + start
    said = t(
        "They go together (rank correlation {r}, {n} groups); that is no proof of a cause",
        r=t.number(round(float(rank.statistic), 2)),
        n=n,
    )
    return pd.DataFrame({"x": at, "y": line, "low": line - width, "high": line + width}), said
