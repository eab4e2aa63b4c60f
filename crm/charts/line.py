"""A line: how a measure goes over time."""

from __future__ import annotations

from typing import Any

import pandas as pd

from crm.charts.base import CHARTS, Chart, Look, clipped

MOST = 8


@CHARTS.add
class Line(Chart):
    """`x` a dimension (best a date), `y` a measure, `by` another dimension: one line each, named at its end.

    Where a value is missing the line has a gap. Of more than `MOST` lines the first are drawn.
    """

    name = "line"
    axes = {"x": "dimension", "y": "measure", "by": "dimension?"}

    def draw(self, frame: pd.DataFrame, look: Look, x: str, y: str, by: str | None = None, **options: Any) -> Any:
        frame = frame[frame[x].notna()]
        if frame.empty:
            return look.nothing()
        places = {value: number for number, value in enumerate(dict.fromkeys(frame[x]))}
        limits, ticks = look.scale(y, frame[y])
        kinds = [None] if by is None else list(dict.fromkeys(frame[by]))
        pieces, ends = [], []
        for number, kind in enumerate(kinds[: look.most or MOST] if by else kinds):
            part = frame if by is None else frame[frame[by].isna() if kind is None else frame[by] == kind]
            data = pd.DataFrame(
                {
                    "x": [float(places[value]) for value in part[x]],
                    "y": part[y].astype(float).to_list(),
                    "at": [look.text(x, value) for value in part[x]],
                    "of": "" if by is None else look.text(by, kind),
                    "said": [look.text(y, value) for value in part[y]],
                    "row": list(part.index),
                }
            ).sort_values("x")
            known = data[data["y"].notna()]
            if known.empty:
                continue
            hover = [(look.label(x), "@at"), *([(look.label(by), "@of")] if by else []), (look.label(y), "@said")]
            color = look.color(number)
            pieces += [look.lines(data, color), look.dots(known, color, size=6 if len(places) <= 24 else 4, hover=hover)]
            if by is not None:
                ends.append((float(known["x"].iloc[-1]), float(known["y"].iloc[-1]), clipped(look.text(by, kind), 16), color))
        if not pieces:
            return look.nothing()
        beside = look.beside(frame, y) if by is None else None
        if beside is not None:
            then = pd.DataFrame({"x": [float(places[value]) for value in frame[x]], "y": frame[beside].astype(float).to_list()})
            pieces.insert(0, look.lines(then, look.quiet, dash=True))
            known = then[then["y"].notna()]
            ends = [
                (float(data["x"].iloc[-1]), float(data["y"].iloc[-1]), clipped(look.label(key), 16), color)
                for data, key, color in ((data[data["y"].notna()], y, look.color()), (known, beside, look.quiet))
            ]
            limits, ticks = look.scale(y, [*frame[y], *frame[beside]])
        look.left_out = max(0, len(kinds) - (look.most or MOST)) if by else 0
        marks, turned = look.across(x, list(places), 46 if not ends else 36)
        return look.whole(
            [*pieces, *look.ends(ends, limits)], grid=True, xticks=marks, xrotation=turned, yticks=ticks, ylim=limits,
            xlim=(-0.3, len(places) - 1 + 0.3), right=[text for _, _, text, _ in ends], foot=look.rest(len(kinds) - look.left_out),
        )  # fmt: skip
