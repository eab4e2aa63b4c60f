"""A survival curve: how much is still open after so many days."""

from __future__ import annotations

from typing import Any

import pandas as pd

from crm.charts.base import CHARTS, Chart, Look, clipped

MOST = 5


@CHARTS.add
class Survival(Chart):
    """`y` the measure of a report of what still lasts, `by` groups: a falling stair with its 95 % band, several named above with their medians.

    A line marks the half; where a stair crosses it stands the median in days. Of more than `MOST` groups the first are drawn.
    """

    name = "survival"
    axes = {"y": "measure", "by": "dimension?"}

    def draw(self, frame: pd.DataFrame, look: Look, y: str, by: str | None = None, **options: Any) -> Any:
        if frame.empty or "days" not in frame:
            return look.nothing()
        groups = [(None, frame)] if by is None else [(name, part) for name, part in frame.groupby(by, sort=False, dropna=False)][:MOST]
        longest = max(float(part["days"].max()) for _, part in groups) or 1.0
        pieces, legend = [], []
        for number, (name, part) in enumerate(groups):
            color = look.color(number)
            days, left = part["days"].astype(float).to_list(), part[y].astype(float).to_list()
            low, high = (part[f"{y}_{side}"].astype(float).to_list() for side in ("low", "high"))
            stairs: list[tuple[float, float, float]] = []  # the band of a stair has corners
            for n in range(len(days)):
                stairs.append((days[n], low[n], high[n]))
                if n + 1 < len(days):
                    stairs.append((days[n + 1], low[n], high[n]))
            pieces.append(look.band(pd.DataFrame(stairs, columns=["x", "low", "high"]), color, alpha=0.14))
            pieces.append(look.lines(pd.DataFrame({"x": days, "y": left}), color, step=True))
            told, half = "", next((day for day, value in zip(days, left, strict=True) if value <= 0.5), None)
            if half is not None:
                told = look.t("{n} days", n=int(half))
                dot = pd.DataFrame([(half, 0.5, told, int(part.index[0]))], columns=["x", "y", "said", "row"])
                pieces.append(look.dots(dot, color, size=8, hover=[(look.t("Half are over after"), "@said")]))
                if by is None:
                    at = pd.DataFrame([(half, 0.5, f"\u2002{told}")], columns=["x", "y", "text"])
                    pieces.append(look.said(at, color=color, align="left", base="bottom"))
            if by is not None:
                legend.append((clipped(look.text(by, name), 22) + (told and f": {told}"), color))
        pieces.insert(0, look.lines(pd.DataFrame({"x": [0, longest], "y": [0.5, 0.5]}), look.quiet, width=1, dash=True))
        _, marks = look.scale("days", [0, longest])
        ticks = [(part / 4, look.words.percent(part / 4)) for part in range(5)]
        return look.whole(
            pieces,
            grid=True,
            xticks=marks,
            yticks=ticks,
            xlim=(0, longest * 1.03),
            legend=legend,
            foot=look.t("Shaded: 95% certain to lie within"),
            ylim=(0, 1.04),
            xlabel=look.label("days"),
            height=max(look.height, 280),
        )
