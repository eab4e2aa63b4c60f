"""A calibration plot: whether what was called 30 % came true three times in ten."""

from __future__ import annotations

from typing import Any

import pandas as pd

from crm.charts.base import CHARTS, Chart, Look


@CHARTS.add
class Calibration(Chart):
    """`x` the chance that was said, `y` the part that came true, `size` how many there were: on the line is honest.

    The bar through each point is its 95 % interval (Wilson 1927) when `size` is given: where it crosses the line, nothing is proved.
    """

    name = "calibration"
    axes = {"x": "measure", "y": "measure", "size": "measure?"}

    def draw(self, frame: pd.DataFrame, look: Look, x: str, y: str, size: str | None = None, **options: Any) -> Any:
        known = frame[frame[x].notna() & frame[y].notna()].sort_values(x)
        if known.empty:
            return look.nothing()
        counts = [float(value) if not pd.isna(value) else 0.0 for value in known[size]] if size else [0.0] * len(known)
        data = pd.DataFrame(
            {
                "x": known[x].astype(float).to_list(),
                "y": known[y].astype(float).to_list(),
                "across": [look.text(x, value) for value in known[x]],
                "up": [look.text(y, value) for value in known[y]],
                "many": [look.text(size, value) if size else "" for value in known[size or y]],
                "row": [int(row) for row in known.index],
            }
        )
        foot = look.t("Bars: 95% certain to lie within") if size else ""
        bars = [(a - 0.002, *wilson(b, n), a + 0.002) for a, b, n in zip(data["x"], data["y"], counts, strict=True) if n > 0]
        pieces = [look.lines(pd.DataFrame({"x": [0.0, 1.0], "y": [0.0, 1.0]}), look.quiet, width=1, dash=True)]
        if bars:
            boxes = pd.DataFrame([(left, low, right, high) for left, low, high, right in bars], columns=["x0", "y0", "x1", "y1"])
            pieces.append(look.boxes(boxes, look.color(), alpha=0.6))
        pieces.append(look.lines(data, look.color(), width=1.5))
        hover = [(look.label(x), "@across"), (look.label(y), "@up"), *([(look.label(size), "@many")] if size else [])]
        pieces.append(look.dots(data, look.color(), size=9, hover=hover))
        pieces.append(look.said(pd.DataFrame([(1.0, 0.8, look.t("as said"))], columns=["x", "y", "text"]), align="right"))
        ticks = [(part / 4, look.words.percent(part / 4)) for part in range(5)]
        return look.whole(
            pieces, grid=True, xticks=ticks, yticks=ticks, xlim=(-0.03, 1.03), ylim=(-0.03, 1.05), xlabel=look.label(x), ylabel=look.label(y),
            height=max(look.height, 300), foot=foot,
        )  # fmt: skip


def wilson(share: float, n: float, z: float = 1.959964) -> tuple[float, float]:
    """The 95 % interval of a share among `n`."""
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * max(0.0, share * (1 - share) / n + z * z / (4 * n * n)) ** 0.5
    return max(0.0, middle - half), min(1.0, middle + half)
