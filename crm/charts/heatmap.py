"""A heat map: a measure over two dimensions."""

from __future__ import annotations

from typing import Any

import pandas as pd

from crm.charts.base import CHARTS, Chart, Look

MOST = 26


@CHARTS.add
class HeatMap(Chart):
    """`x` and `by` dimensions, `y` a measure: the stronger the colour the more; where there is room each field says its value.

    What has no value stays empty, and negative values take another colour, so nothing depends on shades alone.
    """

    name = "heatmap"
    axes = {"x": "dimension", "by": "dimension", "y": "measure"}

    def draw(self, frame: pd.DataFrame, look: Look, x: str, by: str, y: str, **options: Any) -> Any:
        across, down = list(dict.fromkeys(frame[x]))[:60], list(dict.fromkeys(frame[by]))[:MOST]
        if frame.empty:
            return look.nothing()
        top = max([abs(float(value)) for value in frame[y] if not pd.isna(value)] or [1.0]) or 1.0
        shades: dict[tuple[int, int], list[Any]] = {}
        said: dict[bool, list[Any]] = {True: [], False: []}
        sides = look.names(pd.DataFrame({by: down}), by)
        room = len(across) <= 6
        for value_x, value_by, value, row in zip(frame[x], frame[by], frame[y], frame.index, strict=True):
            if value_x not in across or value_by not in down or pd.isna(value):
                continue
            n, m = across.index(value_x), -down.index(value_by)
            level = max(1, round(abs(float(value)) / top * 8)) if value else 0
            box = (n - 0.49, m - 0.47, n + 0.49, m + 0.47, look.text(x, value_x), look.text(by, value_by), look.text(y, value), row)
            shades.setdefault((level, 5 if value < 0 else 0), []).append(box)
            if room:
                said[level > 5].append((n, m, look.text(y, value, short=True)))
        columns = ["x0", "y0", "x1", "y1", "at", "of", "said", "row"]
        hover = [(look.label(x), "@at"), (look.label(by), "@of"), (look.label(y), "@said")]
        pieces = [
            look.boxes(pd.DataFrame(boxes, columns=columns), look.color(color), hover=hover, alpha=0.06 + level * 0.115)
            for (level, color), boxes in sorted(shades.items())
        ]
        for strong, texts in said.items():
            if texts:
                color = ("#ffffff", "#101217")[look.dark] if strong else look.ink
                pieces.append(look.said(pd.DataFrame(texts, columns=["x", "y", "text"]), color=color, size=10))
        if not pieces:
            return look.nothing()
        ticks, turned = look.across(x, across, 38 if max(map(len, sides)) > 12 else 44)
        rows = [(float(-m), text) for m, text in enumerate(sides)]
        limits: dict[str, Any] = {"xlim": (-0.5, len(across) - 0.5), "ylim": (-len(down) + 0.5, 0.5)}
        return look.whole(
            pieces,
            xticks=ticks,
            yticks=rows,
            xrotation=turned,
            height=max(140, (36 if any("\n" in one for one in sides) else 30) * len(down) + (110 if turned else 70)),
            **limits,
        )
