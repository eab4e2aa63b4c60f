"""A table with bars: every figure as it is, and its size to be seen at once."""

from __future__ import annotations

from typing import Any

import pandas as pd

from crm.charts.base import CHARTS, Chart, Look, folded

MOST = 40


@CHARTS.add
class BarTable(Chart):
    """`x` the dimension that names the rows; every measure of the report is a column of bars, each with its figure beside it.

    Bars of one column share a scale; negative ones run in another colour and keep their sign. Of more than `MOST` rows the first are drawn.
    """

    name = "bar_table"
    axes = {"x": "dimension"}

    def draw(self, frame: pd.DataFrame, look: Look, x: str, **options: Any) -> Any:
        measures = [key for key in frame.columns if look.columns.get(key) is not None and look.columns[key].role == "measure"][:6]
        measures = [key for key in measures if pd.api.types.is_numeric_dtype(frame[key])]
        if frame.empty or not measures:
            return look.nothing()
        measures = measures[: 3 if look.most else 6]
        frame = look.first(frame, MOST)
        names = look.texts(frame, x)
        pieces, heads, figures = [], [], []
        texts = {key: [look.text(key, value, short=True) for value in frame[key]] for key in measures}
        long = max(len(text) for column in texts.values() for text in column)
        room = 0.94 - min(0.62, 0.027 * len(measures) * long + 0.04)  # beside the longest bar its figure has room, on a phone, too
        for column, key in enumerate(measures):
            top = max([abs(float(value)) for value in frame[key] if not pd.isna(value)] or [1.0]) or 1.0
            bars: dict[int, list[Any]] = {}
            for n, (value, row) in enumerate(zip(frame[key], frame.index, strict=True)):
                wide = 0.0 if pd.isna(value) else abs(float(value)) / top * room
                figures.append((column + wide, -n, "\u2002" + texts[key][n]))
                if not pd.isna(value) and value:
                    bars.setdefault(5 if value < 0 else column % 5, []).append(
                        (column, -n - 0.34, column + wide, -n + 0.34, names[n], look.text(key, value), int(row))
                    )
            for color, boxes in bars.items():
                data = pd.DataFrame(boxes, columns=["x0", "y0", "x1", "y1", "name", "said", "row"])
                pieces.append(look.boxes(data, look.color(color), hover=[(look.label(x), "@name"), (look.label(key), "@said")], alpha=0.28))
            label = look.label(key)
            heads.append((float(column), 0.85, "\n".join(folded(label, max(7, 36 // len(measures))))))
        pieces.append(look.said(pd.DataFrame(figures, columns=["x", "y", "text"]), color=look.ink, align="left"))
        pieces.append(look.said(pd.DataFrame(heads, columns=["x", "y", "text"]), align="left"))
        ticks = [(float(-n), name) for n, name in enumerate(look.names(frame, x))]
        limits: dict[str, Any] = {"xlim": (-0.02, len(measures) - 0.05), "ylim": (-len(names) + 0.4, 1.5)}
        return look.whole(pieces, xaxis=None, yticks=ticks, height=30 * len(names) + 50, foot=look.rest(len(names)), **limits)
