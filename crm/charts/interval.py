"""Estimates with their intervals: what is known, how surely, on which side of nothing."""

from __future__ import annotations

from typing import Any

import pandas as pd

from crm.charts.base import CHARTS, Chart, Look, points

MOST = 18
#: What is not at least as clear as this is drawn quietly.
CLEAR = 0.05


@CHARTS.add
class Interval(Chart):
    """`x` a dimension, `y` a measure with its interval in the columns `<y>_low` and `<y>_high`; `value` how unclear it is (0 to 1).

    A dot is the estimate, the line through it its interval, the upright line stands at nought. What is above nought has one colour, what
    is below another; an interval that holds nought, or a `value` of 5 % and more, is grey. Rows without an estimate are left to the table.
    """

    name = "interval"
    axes = {"x": "dimension", "y": "measure", "value": "measure?"}

    def draw(self, frame: pd.DataFrame, look: Look, x: str, y: str, value: str | None = None, **options: Any) -> Any:
        ends = [f"{y}_low", f"{y}_high"]
        ends = ends if all(one in frame for one in ends) else [y, y]
        frame = look.first(frame[frame[y].notna()], MOST)
        if frame.empty:
            return look.nothing()
        names = look.texts(frame, x)
        lines: dict[str, list[Any]] = {}
        dots: dict[str, list[Any]] = {}
        said = []
        lows, highs = (frame[one].fillna(frame[y]).astype(float).tolist() for one in ends)
        unclear = frame[value].fillna(1.0).astype(float).tolist() if value else [0.0] * len(frame)
        for n, (name, at, low, high, row) in enumerate(zip(names, frame[y].astype(float), lows, highs, frame.index, strict=True)):
            quiet = unclear[n] >= CLEAR or low <= 0 <= high
            color = look.quiet if quiet else look.color(0 if at > 0 else 5)
            told, *span = (self.told(look, y, one) for one in (at, low, high))
            lines.setdefault(color, []).append((low, -n - 0.05, high, -n + 0.05, name, f"{told} ({' … '.join(span)})", row))
            dots.setdefault(color, []).append((at, -n, name, f"{told} ({' … '.join(span)})", row))
            said.append((max(high, 0.0), -n, "\u2002" + told))
        hover = [(look.label(x), "@name"), (look.label(y), "@said")]
        sides = ["x0", "y0", "x1", "y1", "name", "said", "row"]
        edges = [*lows, *highs, 0.0]
        limits, ticks = look.scale(y, edges)
        column, named = look.columns.get(y), look.label(y)
        if column is not None and column.points:
            named = look.t("{label}, percentage points", label=named)
            ticks = [(at, points(look.words, at)) for at, _ in ticks]
        zero = pd.DataFrame({"x": [0.0, 0.0], "y": [0.5, -len(names) + 0.5]})
        pieces = [look.lines(zero, look.quiet, width=1)]
        pieces += [look.boxes(pd.DataFrame(some, columns=sides), color, hover=hover, alpha=0.55) for color, some in lines.items()]
        pieces += [
            look.dots(pd.DataFrame(some, columns=["x", "y", "name", "said", "row"]), color, size=9, hover=hover)
            for color, some in dots.items()
        ]
        pieces.append(look.said(pd.DataFrame(said, columns=["x", "y", "text"]), color=look.ink, align="left"))
        folded = look.names(frame, x)
        rows = [(float(-n), name) for n, name in enumerate(folded)]
        room = 38 if any("\n" in name for name in folded) else 30
        return look.whole(
            pieces, xticks=look.thinned(ticks), yticks=rows, xlim=limits, ylim=(-len(names) + 0.4, 0.6), height=room * len(names) + 70,
            right=[text for _, _, text in said], foot=look.rest(len(names)), xlabel=named,
        )  # fmt: skip

    def told(self, look: Look, key: str, value: float) -> str:
        """An estimate with its sign, shares in whole percents, differences of shares in percentage points."""
        column = look.columns.get(key)
        if column is not None and column.points:
            return points(look.words, value)
        value = round(value, 2) if column is not None and column.kind == "percent" else value
        return ("+" if value > 0 else "") + look.text(key, value, short=True)
