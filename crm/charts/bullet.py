"""Bullets: a figure against its target."""

from __future__ import annotations

from typing import Any

import pandas as pd

from crm.charts.base import CHARTS, Chart, Look


@CHARTS.add
class Bullet(Chart):
    """`x` a dimension, `y` a measure as a bar, `target` a measure as a mark across it; each line says both in words (Few 2006)."""

    name = "bullet"
    axes = {"x": "dimension", "y": "measure", "target": "measure"}

    def draw(self, frame: pd.DataFrame, look: Look, x: str, y: str, target: str, **options: Any) -> Any:
        if frame.empty:
            return look.nothing()
        frame = look.first(frame, 30)
        names = look.texts(frame, x)
        every = [0.0, *(float(value) for key in (y, target) for value in frame[key] if not pd.isna(value))]
        low, top = min(every), max(every)
        top = top if top > low else 1.0
        wide = top - low
        grounds, bars, marks, said = [], [], [], []
        for number, (name, value, goal, row) in enumerate(zip(names, frame[y], frame[target], frame.index, strict=True)):
            at = -number
            grounds.append((low, at - 0.34, top, at + 0.34))
            told = f"{look.text(y, value, short=True)} / {look.text(target, goal, short=True)}"
            if not pd.isna(value) and not pd.isna(goal) and goal > 0:
                told += f" ({look.words.percent(round(float(value) / float(goal), 2))})"
            if not pd.isna(value):
                bars.append((min(0.0, float(value)), at - 0.18, max(0.0, float(value)), at + 0.18, name, told, row))
            if not pd.isna(goal):
                marks.append((float(goal) - wide * 0.004, at - 0.34, float(goal) + wide * 0.004, at + 0.34))
            said.append((top + wide * 0.02, at, told))
        long = max(len(told.split(" (")[0]) for _, _, told in said) > 17  # a phone has no room for both figures beside each other
        said = [(x, at, told.replace(" (", "\n(", 1).replace(" / ", "\n/ " if long else " / ", 1)) for x, at, told in said]
        sides = ["x0", "y0", "x1", "y1"]
        pieces = [look.boxes(pd.DataFrame(grounds, columns=sides), look.line, alpha=0.7)]
        hover = [(look.label(x), "@name"), (look.label(y), "@said")]
        if bars:
            pieces.append(look.boxes(pd.DataFrame(bars, columns=[*sides, "name", "said", "row"]), look.color(), hover=hover))
        if marks:
            pieces.append(look.boxes(pd.DataFrame(marks, columns=sides), look.ink))
        right = [text for _, _, text in said]
        pieces.append(look.said(pd.DataFrame(said, columns=["x", "y", "text"]), align="left"))
        ticks = [(float(-number), name) for number, name in enumerate(look.names(frame, x))]
        limits: dict[str, Any] = {"xlim": (low - wide * 0.01, top + wide * 0.02), "ylim": (-len(names) + 0.4, 0.6)}
        return look.whole(pieces, xaxis=None, yticks=ticks, height=(48 if long else 38) * len(names) + 20, right=right, foot=look.rest(len(names)), **limits)
