"""A box plot: how values spread, group by group."""

from __future__ import annotations

from typing import Any

import pandas as pd

from crm.charts.base import CHARTS, Chart, Look

MOST = 30


@CHARTS.add
class Box(Chart):
    """`x` a dimension, `y` five measures from low to high, for example the quantiles 10, 25, 50, 75 and 90 %; or three, without whiskers.

    The box holds the middle half, the line in it is the median, whose value is written beside it.
    """

    name = "box"
    axes = {"x": "dimension", "y": "measure+"}

    def draw(self, frame: pd.DataFrame, look: Look, x: str, y: Any, **options: Any) -> Any:
        keys = [y] if isinstance(y, str) else list(y)
        frame = frame[frame[keys[len(keys) // 2]].notna()]
        if frame.empty:
            return look.nothing()
        frame = look.first(frame, MOST)
        keys = {1: keys * 5, 3: [keys[0], *keys, keys[-1]]}.get(len(keys), keys)[:5]
        names = look.texts(frame, x)
        boxes, whiskers, middles, said = [], [], [], []
        reach = max([abs(float(value)) for key in keys for value in frame[key] if not pd.isna(value)] or [1.0]) or 1.0
        for number, name in enumerate(names):
            at, row = -number, frame.iloc[number]
            p = [float(row[keys[2]]) if pd.isna(row[key]) else float(row[key]) for key in keys]
            told = " · ".join(look.text(key, row[key], short=True) for key in keys)
            boxes.append((p[1], at - 0.26, p[3], at + 0.26, name, told, int(frame.index[number])))
            whiskers.append((p[0], at - 0.02, p[4], at + 0.02))
            whiskers += [(edge - reach * 0.002, at - 0.13, edge + reach * 0.002, at + 0.13) for edge in (p[0], p[4])]
            middles.append((p[2] - reach * 0.004, at - 0.26, p[2] + reach * 0.004, at + 0.26))
            said.append((max(p), at, "\u2002" + look.text(keys[2], row[keys[2]], short=True)))
        sides = ["x0", "y0", "x1", "y1"]
        hover = [(look.label(x), "@name"), (" · ".join(dict.fromkeys(look.label(key) for key in keys)), "@said")]
        pieces = [
            look.boxes(pd.DataFrame(whiskers, columns=sides), look.quiet, alpha=0.8),
            look.boxes(pd.DataFrame(boxes, columns=[*sides, "name", "said", "row"]), look.color(), hover=hover, alpha=0.45),
            look.boxes(pd.DataFrame(middles, columns=sides), look.ink),
            look.said(pd.DataFrame(said, columns=["x", "y", "text"]), color=look.ink, align="left"),
        ]
        limits, ticks = look.scale(keys[2], [value for key in keys for value in frame[key]])
        right = [text for _, _, text in said]
        rows = [(float(-number), name) for number, name in enumerate(look.names(frame, x))]
        return look.whole(
            pieces, xticks=look.thinned(ticks), yticks=rows, xlim=limits, ylim=(-len(names) + 0.4, 0.6), height=34 * len(names) + 50, right=right,
            foot=look.rest(len(names)),
        )  # fmt: skip
