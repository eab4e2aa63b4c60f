"""A funnel: what is left after each step."""

from __future__ import annotations

from typing import Any

import pandas as pd

from crm.charts.base import CHARTS, Chart, Look


@CHARTS.add
class Funnel(Chart):
    """`x` a dimension in the order of the steps, `y` a measure; each step's width is its share of the widest one.

    Names stand at the left, values in the middle, so nothing depends on colour.
    """

    name = "funnel"
    axes = {"x": "dimension", "y": "measure"}

    def draw(self, frame: pd.DataFrame, look: Look, x: str, y: str, **options: Any) -> Any:
        import holoviews as hv

        values = [max(0.0, float(value)) if not pd.isna(value) else 0.0 for value in frame[y]]
        labels, widest = look.texts(frame, x), max([*values, 0.0]) or 1.0
        shapes, names, said = [], [], []
        for number, (label, value) in enumerate(zip(labels, values, strict=True)):
            half, after = value / widest / 2, (values[number + 1] if number + 1 < len(values) else value) / widest / 2
            top, low = -number + 0.42, -number - 0.42
            shapes.append(
                {
                    "x": [-half, half, min(half, after), -min(half, after)],
                    "y": [top, top, low, low],
                    "step": label,
                    "value": look.text(y, frame[y].iloc[number]),
                    "row": number,
                }
            )
            names.append((-0.56, -number, label))
            said.append((0.56, -number, look.text(y, frame[y].iloc[number], short=True)))
        if not labels:
            return look.nothing()
        if look.backend != "bokeh":
            left = look.said(pd.DataFrame(names, columns=["x", "y", "text"]), color=look.ink, align="right")
            right = look.said(pd.DataFrame(said, columns=["x", "y", "text"]), align="left")
            steps = hv.Polygons(shapes).opts(backend=look.backend, color=look.color(), facecolor=look.color(), edgecolor="none")
            height = max(140, 44 * len(labels) + 20)
            return look.whole(
                [steps, left, right], xaxis=None, yaxis=None, xlim=(-1.05, 0.95), ylim=(-len(labels) + 0.4, 0.6), height=height
            )
        steps = hv.Polygons(shapes, vdims=["step", "value", "row"]).opts(
            backend=look.backend,
            color=look.color(),
            line_color=None,
            tools=["tap", "hover"],
            selection_alpha=1,
            nonselection_alpha=0.55,
            hover_tooltips=[(look.label(x), "@step"), (look.label(y), "@value")],
        )
        left = hv.Labels(names, ["x", "y"], "text").opts(
            backend=look.backend, text_align="right", text_color=look.ink, text_font_size="12px"
        )
        right = hv.Labels(said, ["x", "y"], "text").opts(
            backend=look.backend, text_align="left", text_color=look.quiet, text_font_size="12px"
        )
        return (steps * left * right).opts(
            backend=look.backend,
            xaxis=None,
            yaxis=None,
            xlim=(-1.05, 0.95),
            show_frame=False,
            active_tools=[],
            **look.common(height=max(140, 44 * len(labels) + 20)),
        )
