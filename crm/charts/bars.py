"""Bars: one a group."""

from __future__ import annotations

from typing import Any

import pandas as pd

from crm.charts.base import CHARTS, Chart, Look

MOST = 40


@CHARTS.add
class Bars(Chart):
    """`x` a dimension, `y` a measure; a bar is one group, upright along time, lying where names are to be read.

    Each bar carries its value, so no axis of values is drawn. Of more than `MOST` lying bars the first are drawn; the table has them all.
    """

    name = "bars"
    axes = {"x": "dimension", "y": "measure"}

    def draw(self, frame: pd.DataFrame, look: Look, x: str, y: str) -> Any:
        import holoviews as hv

        upright = look.columns[x].unit is not None if x in look.columns else False
        if not upright:
            frame = frame[:MOST]
        labels = look.texts(frame, x)
        values = frame[y].astype(float).fillna(0).to_list()
        said = [look.text(y, value, short=True) for value in values]
        if not upright:  # a lying bar chart is drawn from below
            labels, values, said = labels[::-1], values[::-1], said[::-1]
        rows = list(range(len(values)))
        data = pd.DataFrame({"x": labels, "y": values, "said": said, "row": rows if upright else rows[::-1]})
        bars = hv.Bars(data, hv.Dimension("x", label=look.label(x)), [hv.Dimension("y", label=look.label(y)), "said", "row"])
        texts = hv.Labels(data, ["x", "y"], "said")
        if look.backend != "bokeh":
            return bars.opts(
                color=look.color(),
                backend="matplotlib",
                invert_axes=not upright,
                xlabel="",
                ylabel=look.label(y),
                **({"xrotation": 45} if upright else {}),
            )
        height = look.height if upright else max(120, 34 * len(labels) + 20)
        many = upright and len(labels) > 14
        top = max([*values, 0.0]) * 1.18 or 1
        low = min([*values, 0.0]) * 1.18
        bars = bars.opts(
            color=look.color(),
            line_color=None,
            bar_width=0.7,
            invert_axes=not upright,
            xlabel="",
            ylabel="",
            ylim=(low, top),
            show_grid=False,
            tools=["tap"],
            active_tools=[],
            xrotation=45 if upright and len(labels) > 8 else 0,
            selection_alpha=1,
            nonselection_alpha=0.55,
            yaxis=None,
            **look.common(height=height),
        )
        if many:
            return bars.opts(tools=["tap", "hover"])
        texts = texts.opts(
            text_color=look.quiet,
            text_font_size="11px",
            text_align="center" if upright else "left",
            text_baseline="bottom" if upright else "middle",
            xoffset=0,
            yoffset=0,
            **({} if upright else {"invert_axes": True}),
        )
        return bars * texts
