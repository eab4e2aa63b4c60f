"""One number, large, with the way it came."""

from __future__ import annotations

from typing import Any

import pandas as pd

from crm.charts.base import CHARTS, Chart, Look, points


@CHARTS.add
class Trend(Chart):
    """`y` a measure over `x`, a date: the figure of the last period, its change from the one before, and all of them as a small line."""

    name = "trend"
    axes = {"x": "dimension", "y": "measure"}

    def draw(self, frame: pd.DataFrame, look: Look, x: str, y: str, **options: Any) -> Any:
        known = frame[frame[x].notna() & frame[y].notna()]
        if known.empty:
            return look.nothing()
        values = [float(value) for value in known[y]]
        low, high = min(values), max(values)
        reach = (high - low) or 1.0
        figure = look.text(y, values[-1], short=True)
        start = 0.45 if len(figure) <= 7 else 0.58  # the line begins beside the figure
        data = pd.DataFrame(
            {
                "x": [start + (0.97 - start) * n / max(1, len(values) - 1) for n in range(len(values))],
                "y": [0.2 + 0.6 * (value - low) / reach if high > low else 0.5 for value in values],
                "at": [look.text(x, one) for one in known[x]],
                "said": [look.text(y, one) for one in known[y]],
                "row": [int(row) for row in known.index],
            }
        )
        hover = [(look.label(x), "@at"), (look.label(y), "@said")]
        pieces = [look.lines(data, look.color()), look.dots(data, look.color(), size=4 if len(data) > 24 else 6, hover=hover)]
        at = pd.DataFrame([(0.01, 0.62, figure)], columns=["x", "y", "text"])
        pieces.append(look.said(at, color=look.ink, align="left", size=30))
        pieces.append(
            look.said(pd.DataFrame([(0.01, 0.24, beside(look, x, y, known, values))], columns=["x", "y", "text"]), align="left", size=12)
        )
        return look.whole(pieces, xaxis=None, yaxis=None, xlim=(0, 1), ylim=(0, 1), height=120)


def beside(look: Look, x: str, y: str, known: pd.DataFrame, values: list[float]) -> str:
    """The last period, and the change from the one before in words: an arrow never stands alone."""
    last = look.text(x, known[x].iloc[-1])
    if len(values) < 2 or not values[-2]:
        return last
    column, before = look.columns.get(y), look.text(x, known[x].iloc[-2])
    part = column is not None and column.kind == "percent"  # a part of a part would say something else
    change = values[-1] - values[-2] if part else (values[-1] - values[-2]) / abs(values[-2])
    arrow = "▲" if change > 0.0005 else "▼" if change < -0.0005 else "="
    sign = "+" if change > 0 else ""
    said = look.t("{n} points", n=points(look.words, change, 1)) if part else sign + look.words.percent(round(change, 3))
    return f"{last}: {arrow} {said}\n({before})"
