"""A table with bars: every figure as it is, and its size to be seen at once."""

from __future__ import annotations

from typing import Any

import pandas as pd

from crm.charts.base import CHARTS, Chart, Look, folded

MOST = 40


@CHARTS.add
class BarTable(Chart):
    """`x` the dimension that names the rows; every measure of the report is a column with its figures and a bar behind each.

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
        pieces, heads = [], []
        for column, key in enumerate(measures):
            top = max([abs(float(value)) for value in frame[key] if not pd.isna(value)] or [1.0]) or 1.0
            bars: dict[int, list[Any]] = {}
            said = []
            for n, (value, row) in enumerate(zip(frame[key], frame.index, strict=True)):
                told = look.text(key, value, short=True)
                said.append((column + 0.86, -n, told))
                if not pd.isna(value) and value:
                    wide = abs(float(value)) / top * 0.86
                    bars.setdefault(5 if value < 0 else column % 5, []).append(
                        (column, -n - 0.34, column + wide, -n + 0.34, names[n], look.text(key, value), int(row))
                    )
            for color, boxes in bars.items():
                data = pd.DataFrame(boxes, columns=["x0", "y0", "x1", "y1", "name", "said", "row"])
                pieces.append(look.boxes(data, look.color(color), hover=[(look.label(x), "@name"), (look.label(key), "@said")], alpha=0.28))
            pieces.append(look.said(pd.DataFrame(said, columns=["x", "y", "text"]), color=look.ink, align="right"))
            label = look.label(key)
            heads.append((column + 0.86, 0.85, "\n".join(folded(label, max(7, 36 // len(measures))))))
        pieces.append(look.said(pd.DataFrame(heads, columns=["x", "y", "text"]), align="right"))
        ticks = [(float(-n), name) for n, name in enumerate(look.names(frame, x))]
        limits: dict[str, Any] = {"xlim": (-0.02, len(measures) - 0.05), "ylim": (-len(names) + 0.4, 1.5)}
        return look.whole(pieces, xaxis=None, yticks=ticks, height=30 * len(names) + 50, foot=look.rest(len(names)), **limits)
