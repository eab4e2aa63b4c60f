"""A table with bars: every figure as it is, and its size to be seen at once."""

from __future__ import annotations

from typing import Any

import pandas as pd

from crm.charts.base import CHARTS, Chart, Look, folded

MOST = 40
#: Letters that stand beside each other on a phone, and how long the longest bar of a column is at least, in letters.
ROOM, LEAST = 42, 3


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
        frame = look.first(frame, MOST)
        names = look.texts(frame, x)
        texts = {key: [look.text(key, value, short=True) for value in frame[key]] for key in measures[: 3 if look.most else 6]}
        letters = {key: max(map(len, column)) + 2 for key, column in texts.items()}
        while len(letters) > 1 and sum(letters.values()) + LEAST * len(letters) > ROOM:
            letters.popitem()  # the table has it
        room = max(LEAST, (ROOM - sum(letters.values())) / len(letters))
        pieces, heads, figures, begin = [], [], [], 0.0
        for column, (key, wide) in enumerate(letters.items()):
            top = max([abs(float(value)) for value in frame[key] if not pd.isna(value)] or [1.0]) or 1.0
            bars: dict[int, list[Any]] = {}
            for n, (value, row) in enumerate(zip(frame[key], frame.index, strict=True)):
                size = 0.0 if pd.isna(value) else abs(float(value)) / top * room
                figures.append((begin + size, -n, "\u2002" + texts[key][n]))
                if size:
                    bars.setdefault(5 if value < 0 else column % 5, []).append(
                        (begin, -n - 0.34, begin + size, -n + 0.34, names[n], look.text(key, value), int(row))
                    )
            for color, boxes in bars.items():
                data = pd.DataFrame(boxes, columns=["x0", "y0", "x1", "y1", "name", "said", "row"])
                pieces.append(look.boxes(data, look.color(color), hover=[(look.label(x), "@name"), (look.label(key), "@said")], alpha=0.28))
            heads.append((begin, 0.85, "\n".join(folded(look.label(key), max(7, int(wide + room) - 1)))))
            begin += wide + room
        pieces.append(look.said(pd.DataFrame(figures, columns=["x", "y", "text"]), color=look.ink, align="left"))
        pieces.append(look.said(pd.DataFrame(heads, columns=["x", "y", "text"]), align="left"))
        ticks = [(float(-n), name) for n, name in enumerate(look.names(frame, x))]
        limits: dict[str, Any] = {"xlim": (-0.2, begin), "ylim": (-len(names) + 0.4, 1.5)}
        return look.whole(pieces, xaxis=None, yticks=ticks, height=30 * len(names) + 50, foot=look.rest(len(names)), **limits)
