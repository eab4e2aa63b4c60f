"""A funnel: what is left after each step."""

from __future__ import annotations

from typing import Any

import pandas as pd

from crm.charts.base import BARE, CHARTS, Chart, Look

MOST = 24


@CHARTS.add
class Funnel(Chart):
    """`x` a dimension in the order of the steps, `y` a measure; each step's width is its share of the widest one.

    Steps that lead nowhere (`without`) stand in the table only. Names stand at the left, values at the right with the share of the step before, so nothing depends on colour.
    """

    name = "funnel"
    axes = {"x": "dimension", "y": "measure"}

    def draw(self, frame: pd.DataFrame, look: Look, x: str, y: str, **options: Any) -> Any:
        import holoviews as hv

        if frame.empty:
            return look.nothing()
        frame = look.first(frame, MOST)
        values = [max(0.0, float(value)) if not pd.isna(value) else 0.0 for value in frame[y]]
        labels, widest = look.texts(frame, x), max([*values, 0.0]) or 1.0
        shapes, said = [], []
        for number, (label, value) in enumerate(zip(labels, values, strict=True)):
            half, after = value / widest / 2, (values[number + 1] if number + 1 < len(values) else value) / widest / 2
            top, low = -number + 0.42, -number - 0.42
            told = look.text(y, frame[y].iloc[number])
            shapes.append(
                {
                    "x": [-half, half, min(half, after), -min(half, after)],
                    "y": [top, top, low, low],
                    "step": label,
                    "value": told,
                    "row": int(frame.index[number]),
                }
            )
            part = f"\n{look.words.percent(round(value / values[number - 1], 2))}" if number and 0 < value <= values[number - 1] else ""
            said.append((0.53, -number, look.text(y, frame[y].iloc[number], short=True) + part))
        right = look.said(pd.DataFrame(said, columns=["x", "y", "text"]), align="left")
        steps = hv.Polygons(shapes, vdims=["step", "value", "row"])
        if look.backend == "bokeh":
            steps = steps.opts(
                backend=look.backend,
                color=look.color(),
                line_color=None,
                tools=["tap", "hover"],
                selection_alpha=1,
                nonselection_alpha=0.55,
                hover_tooltips=[(look.label(x), "@step"), (look.label(y), "@value")],
                **BARE,
            )
        else:
            steps = steps.opts(backend=look.backend, color=look.color(), facecolor=look.color(), edgecolor="none")
        ticks = [(float(-number), name) for number, name in enumerate(look.names(frame, x))]
        limits: dict[str, Any] = {"xlim": (-0.5, 0.54), "ylim": (-len(labels) + 0.4, 0.6)}
        return look.whole(
            [steps, right], xaxis=None, yticks=ticks, height=40 * len(labels) + 20, right=[text for _, _, text in said],
            foot=look.rest(len(labels)), **limits,
        )  # fmt: skip
