"""A line: how a measure goes over time."""

from __future__ import annotations

from typing import Any

import pandas as pd

from crm.charts.base import CHARTS, Chart, Look


@CHARTS.add
class Line(Chart):
    """`x` a dimension (best a date), `y` a measure, `by` another dimension: one line each, named at its end."""

    name = "line"
    axes = {"x": "dimension", "y": "measure", "by": "dimension?"}

    def draw(self, frame: pd.DataFrame, look: Look, x: str, y: str, by: str | None = None, **options: Any) -> Any:
        if frame.empty:
            return look.nothing()
        import holoviews as hv

        places = {value: number for number, value in enumerate(dict.fromkeys(frame[x]))}
        ticks = [(number, look.text(x, value)) for value, number in places.items()]
        ticks = ticks[:: max(1, len(ticks) // 8)]
        lines = []
        groups = [(None, frame)] if by is None else [(name, part) for name, part in frame.groupby(by, sort=False, observed=True)][:8]
        for number, (name, part) in enumerate(groups):
            data = pd.DataFrame(
                {
                    "x": [places[value] for value in part[x]],
                    "y": part[y].astype(float),
                    "said": [look.text(y, value) for value in part[y]],
                    "at": [look.text(x, value) for value in part[x]],
                    "row": list(part.index),
                }
            )
            curve = hv.Curve(data, hv.Dimension("x", label=look.label(x)), [hv.Dimension("y", label=look.label(y)), "said", "at"])
            if look.backend == "bokeh":
                dots = hv.Points(data, ["x", "y"], ["at", "said", "row"]).opts(
                    backend=look.backend,
                    color=look.color(number),
                    size=6,
                    tools=["hover", "tap"],
                    hover_tooltips=[(look.label(x), "@at"), (look.label(y), "@said")],
                )
                lines += [curve.opts(backend=look.backend, color=look.color(number), line_width=2), dots]
                if name is not None and len(data):
                    lines.append(
                        hv.Text(float(data["x"].iloc[-1]), float(data["y"].iloc[-1]), "  " + look.text(by or "", name), halign="left").opts(
                            backend=look.backend, color=look.color(number), text_font_size="11px"
                        )
                    )
            else:
                lines.append(curve.opts(backend=look.backend, color=look.color(number)))
                if name is not None and len(data):
                    end = pd.DataFrame(
                        [(data["x"].iloc[-1], data["y"].iloc[-1], " " + look.text(by or "", name))], columns=["x", "y", "text"]
                    )
                    lines.append(look.said(end, color=look.color(number), align="left"))
        overlay = hv.Overlay(lines)
        if look.backend != "bokeh":
            limits, steps = look.scale(y, frame[y])
            right = len(places) - 1 + (max(1.0, len(places) * 0.2) if by else 0.3)
            more = {"xticks": [(float(n), text[:16]) for n, text in ticks], "yticks": steps, "ylim": limits, "xlim": (-0.3, right)}
            return overlay.opts(backend=look.backend, **look.common(xlabel="", ylabel="", show_grid=True, **more))
        unit = look.columns.get(y)

        def formatted(plot: Any, element: Any) -> None:
            from bokeh.models import FixedTicker

            top = max([float(value) for value in frame[y].dropna()] or [1])
            low = min([float(value) for value in frame[y].dropna()] or [0])
            steps = [low + (top - low) * part / 4 for part in range(5)] if low < 0 else [top * part / 4 for part in range(5)]
            plot.state.yaxis[0].ticker = FixedTicker(ticks=steps)
            plot.state.yaxis[0].major_label_overrides = {step: look.text(y, step, short=True) for step in steps} if unit else {}

        return overlay.opts(
            backend=look.backend,
            xticks=ticks,
            xlabel="",
            ylabel="",
            show_grid=True,
            gridstyle={"xgrid_line_color": None},
            padding=(0.04, 0.12),
            active_tools=[],
            **{**look.common(), "hooks": [*look.hooks(grids=True), formatted]},
        )
