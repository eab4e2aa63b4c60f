"""A waterfall: how parts that add and take away lead from nothing to the whole."""

from __future__ import annotations

from typing import Any

import pandas as pd

from crm.charts.base import CHARTS, Chart, Look

MOST = 24


@CHARTS.add
class Waterfall(Chart):
    """`x` a dimension in the order of the steps, `y` a measure: what adds stands up, what takes away hangs down, the last bar is the sum.

    Gains and losses differ by colour and by the sign of what is written on them. More than `MOST` steps: the last one holds the rest.
    With the option `ends` the first and the last group are no steps but what there was before and after; no sum is added.
    """

    name = "waterfall"
    axes = {"x": "dimension", "y": "measure"}

    def draw(self, frame: pd.DataFrame, look: Look, x: str, y: str, ends: Any = False, **options: Any) -> Any:
        if frame.empty:
            return look.nothing()
        names = look.texts(frame, x)
        values = [0.0 if pd.isna(value) else float(value) for value in frame[y]]
        rows = [int(row) for row in frame.index]
        if len(values) > MOST:
            names = [*names[: MOST - 1], look.t("Others")]
            values, rows = [*values[: MOST - 1], sum(values[MOST - 1 :])], [*rows[: MOST - 1], -1]
        level, boxes, links, said = 0.0, {0: [], 1: [], 5: []}, [], []  # type: ignore[var-annotated]
        for number, (name, value, row) in enumerate(zip(names, values, rows, strict=True)):
            if ends and number in (0, len(values) - 1):
                box = (number - 0.36, min(0.0, value), number + 0.36, max(0.0, value), name, look.text(y, value), row)
                boxes[0].append(box)
                said.append((number, max(0.0, value), look.text(y, value, short=True)))
                level = value
                if not number:
                    links.append((0.36, 0.64, level))
                continue
            after = level + value
            box = (number - 0.36, min(level, after), number + 0.36, max(level, after), name, look.text(y, value), row)
            boxes[1 if value >= 0 else 5].append(box)
            links.append((number + 0.36, number + 0.64, after))
            sign = "+" if value > 0 else ""
            said.append((number, max(level, after), sign + look.text(y, value, short=True)))
            level = after
        end = len(values) - 1 if ends else len(values)
        if not ends:
            boxes[0].append((end - 0.36, min(0.0, level), end + 0.36, max(0.0, level), look.t("Total"), look.text(y, level), -1))
            said.append((end, max(0.0, level), look.text(y, level, short=True)))
        columns = ["x0", "y0", "x1", "y1", "name", "said", "row"]
        hover = [(look.label(x), "@name"), (look.label(y), "@said")]
        pieces = [look.strokes([(a, at, b, at) for a, b, at in links], look.quiet)] if links else []
        for color, found in boxes.items():
            if found:
                pieces.append(look.boxes(pd.DataFrame(found, columns=columns), look.color(color), hover=hover))
        narrow: list[str] = []
        if len(names) <= 8:
            texts = pd.DataFrame(said, columns=["x", "y", "text"])
            texts["text"] = narrow = look.narrow(list(texts["text"]))
            pieces.append(look.said(texts, base="bottom", size=11 if len(names) <= 5 else 10))
        edges = [edge for found in boxes.values() for box in found for edge in (box[1], box[3])]
        limits, ticks = look.scale(y, edges)
        high = limits[1] + (limits[1] - limits[0]) * (0.12 if any("\n" in text for text in narrow) else 0.06)
        marks, turned = look.places(names if ends else [*names, look.t("Total")], 50 if look.backend == "bokeh" else 80)
        return look.whole(
            pieces, grid=True, xticks=marks, yticks=ticks, xrotation=turned, xlim=(-0.6, end + 0.6), ylim=(limits[0], high),
            height=look.height + (60 if turned else 0),
        )  # fmt: skip
