"""An area: how a measure and its parts go over time."""

from __future__ import annotations

from typing import Any

import pandas as pd

from crm.charts.base import CHARTS, Chart, Look, clipped


@CHARTS.add
class Area(Chart):
    """`x` a dimension (best a date), `y` a measure that adds up, `by` its parts laid on each other, named at the right edge."""

    name = "area"
    axes = {"x": "dimension", "y": "measure", "by": "dimension?"}

    def draw(self, frame: pd.DataFrame, look: Look, x: str, y: str, by: str | None = None, **options: Any) -> Any:
        frame = frame[frame[x].notna()]
        if frame.empty:
            return look.nothing()
        places = list(dict.fromkeys(frame[x]))
        parts = [None] if by is None else list(dict.fromkeys(frame[by]))[:8]
        ground, pieces, dots = [0.0] * len(places), [], []
        ends: list[tuple[float, float, str, str]] = []
        for number, part in enumerate(parts):
            rows = frame if by is None else frame[frame[by].isna() if part is None else frame[by] == part]
            known = {value: (amount, row) for value, amount, row in zip(rows[x], rows[y], rows.index, strict=True)}
            heights = [0.0 if (one := known.get(place)) is None or pd.isna(one[0]) else float(one[0]) for place in places]
            top = [low + more for low, more in zip(ground, heights, strict=True)]
            data = pd.DataFrame({"x": range(len(places)), "low": ground, "high": top, "y": top})
            pieces += [look.band(data, look.color(number), alpha=0.35 if by else 0.2), look.lines(data, look.color(number))]
            data = pd.DataFrame(
                {
                    "x": range(len(places)),
                    "y": top,
                    "at": [look.text(x, place) for place in places],
                    "part": ["" if by is None else look.text(by, part)] * len(places),
                    "said": [look.text(y, height) for height in heights],
                    "row": [known.get(place, (0, -1))[1] for place in places],
                }
            )
            hover = [(look.label(x), "@at"), *([(look.label(by), "@part")] if by else []), (look.label(y), "@said")]
            dots.append(look.dots(data[data["row"] >= 0], look.color(number), size=5, hover=hover))
            if by is not None and heights[-1] > 0.04 * max(1e-9, sum(abs(one) for one in top[-1:])):
                ends.append((len(places) - 1, (ground[-1] + top[-1]) / 2, clipped(look.text(by, part), 16), look.ink))
            ground = top
        limits, ticks = look.scale(y, [*ground, *[0.0]])
        marks, turned = look.across(x, places, 36 if ends else 46)
        return look.whole(
            [*pieces, *dots, *look.ends(ends, limits)], grid=True, xticks=marks, yticks=ticks, xlim=(-0.3, len(places) - 0.7), ylim=limits,
            xrotation=turned, right=[text for _, _, text, _ in ends],
        )  # fmt: skip
