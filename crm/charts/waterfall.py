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
    Where the names have no room below upright bars, the bars lie, from above down.
    """

    name = "waterfall"
    axes = {"x": "dimension", "y": "measure"}

    def draw(self, frame: pd.DataFrame, look: Look, x: str, y: str, ends: Any = False, **options: Any) -> Any:
        if frame.empty:
            return look.nothing()
        names = look.texts(frame, x)
        values = [float("nan") if pd.isna(value) else float(value) for value in frame[y]]
        rows = [int(row) for row in frame.index]
        last = (names.pop(), values.pop(), rows.pop()) if ends and len(names) > 1 else None
        most = min(MOST, look.most or MOST) - (2 if ends else 1)
        if len(values) > most + 1:
            names, values, rows = (
                [*names[:most], look.t("Others")],
                [*values[:most], sum(one for one in values[most:] if one == one)],
                [*rows[:most], -1],
            )
        boxes: dict[int, list[Any]] = {0: [], 1: [], 5: []}
        level, links, said = 0.0, [], []
        for number, (name, value, row) in enumerate(zip(names, values, rows, strict=True)):
            whole, after = ends and not number, level + (0.0 if pd.isna(value) else value)
            boxes[0 if whole else 5 if value < 0 else 1].append((number, level, after, name, look.text(y, value), row))
            said.append((number, max(level, after), ("+" if value > 0 and not whole else "") + look.text(y, value, short=True)))
            links.append((number, after))
            level = after
        if last is not None or not ends:
            name, whole, row = last or (look.t("Total"), level, -1)
            level = 0.0 if pd.isna(whole) else whole
            boxes[0].append((len(names), 0.0, level, name, look.text(y, whole), row))
            said.append((len(names), max(0.0, level), look.text(y, whole, short=True)))
            names = [*names, name]
        marks, turned = look.places(names, 50 if look.backend == "bokeh" else 80)
        edges = [edge for found in boxes.values() for box in found for edge in box[1:3]]
        upright = not turned
        sides = [(n + 0.36, n + 0.64, at) for n, at in links if n + 1 < len(names)]
        strokes = [(a, at, b, at) if upright else (at, -a, at, -b) for a, b, at in sides]
        pieces = [look.strokes(strokes, look.quiet)] if strokes else []
        columns, hover = ["x0", "y0", "x1", "y1", "name", "said", "row"], [(look.label(x), "@name"), (look.label(y), "@said")]
        for color, found in boxes.items():
            drawn = [(*side(n, min(a, b), max(a, b), upright), *told) for n, a, b, *told in found]
            if drawn:
                pieces.append(look.boxes(pd.DataFrame(drawn, columns=columns), look.color(color), hover=hover))
        if not upright:
            figures = pd.DataFrame([(at, -n, "\u2002" + text) for n, at, text in said], columns=["x", "y", "text"])
            pieces.append(look.said(figures, align="left"))
            ticks = [(float(-n), name) for n, name in enumerate(look.folds(names))]
            low, high = min(0.0, *edges), max(0.0, *edges)
            return look.whole(
                pieces, xaxis=None, yticks=ticks, xlim=(low, high) if high > low else (0.0, 1.0), ylim=(-len(names) + 0.4, 0.6),
                height=34 * len(names) + 20, right=list(figures["text"]),
            )  # fmt: skip
        narrow: list[str] = []
        if len(names) <= 8:
            texts = pd.DataFrame(said, columns=["x", "y", "text"])
            texts["text"] = narrow = look.narrow(list(texts["text"]))
            pieces.append(look.said(texts, base="bottom", size=11 if len(names) <= 5 else 10))
        limits, ticks = look.scale(y, edges)
        high = limits[1] + (limits[1] - limits[0]) * (0.12 if any("\n" in text for text in narrow) else 0.06)
        return look.whole(pieces, grid=True, xticks=marks, yticks=ticks, xlim=(-0.6, len(names) - 0.4), ylim=(limits[0], high))


def side(n: int, low: float, high: float, upright: bool) -> tuple[float, float, float, float]:
    """The edges of one bar."""
    return (n - 0.36, low, n + 0.36, high) if upright else (low, -n - 0.36, high, -n + 0.36)
