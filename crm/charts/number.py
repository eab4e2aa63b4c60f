"""One number, large."""

from __future__ import annotations

from typing import Any

import pandas as pd

from crm.charts.base import CHARTS, Chart, Look


@CHARTS.add
class Number(Chart):
    """`y` a measure: its value in the first row, with its name below."""

    name = "number"
    axes = {"y": "measure"}

    def draw(self, frame: pd.DataFrame, look: Look, y: str, **options: Any) -> Any:
        said = look.text(y, frame[y].iloc[0] if len(frame) else None)
        value = look.said(pd.DataFrame([(0.0, 0.62, said)], columns=["x", "y", "text"]), color=look.ink, align="left", size=30)
        name = look.said(pd.DataFrame([(0.0, 0.2, look.label(y))], columns=["x", "y", "text"]), align="left", size=13)
        return look.whole([value, name], xaxis=None, yaxis=None, xlim=(0, 1), ylim=(0, 1), height=110)
