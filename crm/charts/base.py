"""What every chart must do, and the look they share.

A chart names the roles of its axes, not fields. A whole chart, and the YAML that uses it::

    @CHARTS.add
    class Bars(Chart):
        '''`x` a dimension, `y` a measure; a bar is one group.'''
        name = "bars"
        axes = {"x": "dimension", "y": "measure"}
        def draw(self, frame, look, x, y): return hv.Bars(frame, x, y)

    chart: {type: bars, x: stage, y: revenue}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

import pandas as pd

from crm.registry import Registry

CHARTS: Registry = Registry("crm.charts")

#: One palette for every chart: (light, dark), the order in which series take them. Contrast to the ground is at least 3:1.
SERIES = [
    ("#4453c4", "#a3aefb"),
    ("#1f7a72", "#5cc4b8"),
    ("#a15c00", "#e0a458"),
    ("#8a3ea8", "#cf9be6"),
    ("#5b6472", "#9aa3b2"),
    ("#b3261e", "#f58b84"),
    ("#2f6f9f", "#7fbce6"),
    ("#6b7a1f", "#b9c96a"),
]
INK = ("#1b1d22", "#e9eaed")
QUIET = ("#565c67", "#a4a9b3")
LINE = ("#e6e7ea", "#2a2d34")
GROUND = ("#ffffff", "#16181d")
FONT = "Inter, Roboto, 'Segoe UI', system-ui, sans-serif"


@dataclass
class Column:
    """One column of a report: its `key` in the frame, what people call it, the kind of its values, and its role.

    `role` is `dimension` or `measure`; `unit` the piece of time a date axis is cut in; `decimals` of money.
    """

    key: str
    label: str
    kind: str = "text"
    role: str = "dimension"
    unit: str | None = None
    currency: str | None = None


@dataclass
class Look:
    """How a chart is dressed: the user's words, light or dark, the columns of the frame, and the size in pixels."""

    words: Any
    columns: Mapping[str, Column] = field(default_factory=dict)
    dark: bool = False
    height: int = 260
    backend: str = "bokeh"

    @property
    def t(self) -> Any:
        """The user's words, by the name that translations are looked for under."""
        return self.words

    def color(self, number: int = 0) -> str:
        return SERIES[number % len(SERIES)][self.dark]

    @property
    def palette(self) -> list[str]:
        return [pair[self.dark] for pair in SERIES]

    @property
    def ink(self) -> str:
        return INK[self.dark]

    @property
    def quiet(self) -> str:
        return QUIET[self.dark]

    @property
    def line(self) -> str:
        return LINE[self.dark]

    def label(self, key: str) -> str:
        column = self.columns.get(key)
        return column.label if column else key

    def text(self, key: str, value: Any, short: bool = False) -> str:
        """One value as the user reads it; a missing one is a dash. `short` money is rounded to thousands or millions."""
        column = self.columns.get(key) or Column(key, key)
        return shown(self.words, column, value, short)

    def texts(self, frame: pd.DataFrame, key: str) -> list[str]:
        """The labels of a dimension, each one unlike the others so that none is drawn over another."""
        seen: dict[str, int] = {}
        labels = []
        for value in frame[key]:
            label = self.text(key, value)
            label = label if len(label) <= 32 else label[:31] + "…"
            seen[label] = seen.get(label, 0) + 1
            labels.append(label if seen[label] == 1 else f"{label} ({seen[label]})")
        return labels

    def hooks(self, grids: bool = False) -> list[Any]:
        """Dresses a Bokeh figure: no toolbar logo, no frame, quiet axes, transparent ground, lines across only with `grids`."""

        def dress(plot: Any, element: Any) -> None:
            figure = plot.state
            figure.toolbar.logo = None
            figure.toolbar.autohide = True
            figure.background_fill_alpha = 0
            figure.border_fill_alpha = 0
            figure.outline_line_color = None
            for axis in figure.axis:
                axis.axis_line_color = self.line
                axis.major_tick_line_color = None
                axis.minor_tick_line_color = None
                axis.major_label_text_color = self.quiet
                axis.major_label_text_font = FONT
                axis.major_label_text_font_size = "12px"
                axis.axis_label_text_color = self.quiet
                axis.axis_label_text_font = FONT
                axis.axis_label_text_font_style = "normal"
                axis.axis_label_text_font_size = "12px"
            for grid in figure.xgrid:
                grid.grid_line_color = None
            for grid in figure.ygrid:
                grid.grid_line_color = self.line if grids else None

        def plain(plot: Any, element: Any) -> None:
            axis, figure = plot.handles["axis"], plot.handles["fig"]
            ground = GROUND[self.dark]
            figure.patch.set_facecolor(ground)
            axis.set_facecolor(ground)
            for side in axis.spines.values():
                side.set_visible(False)
            axis.tick_params(colors=self.quiet, length=0, labelsize=9)
            axis.xaxis.label.set_color(self.quiet)
            axis.yaxis.label.set_color(self.quiet)
            axis.set_axisbelow(True)
            axis.grid(False)
            if grids:
                axis.grid(True, axis="y", color=self.line, linewidth=0.8)
            axis.yaxis.set_zorder(-5)
            legend = axis.get_legend()
            if legend is not None:
                legend.set_frame_on(False)
                for text in legend.get_texts():
                    text.set_color(self.quiet)

        return [dress] if self.backend == "bokeh" else [plain]

    def common(self, **more: Any) -> dict[str, Any]:
        """Options that every plot of this look has, in the words of its backend."""
        if self.backend == "bokeh":
            return {"responsive": True, "height": self.height, "toolbar": None, "hooks": self.hooks(), "show_legend": False, **more}
        kept = (
            "xlabel",
            "ylabel",
            "invert_axes",
            "invert_yaxis",
            "xticks",
            "yticks",
            "xlim",
            "ylim",
            "xrotation",
            "show_legend",
            "xaxis",
            "yaxis",
        )
        return {
            "fig_inches": (7, more.get("height", self.height) / 72),
            "aspect": "auto",
            "hooks": self.hooks(bool(more.get("show_grid"))),
            "title": "",
            **{key: value for key, value in more.items() if key in kept},
        }

    # -- pieces of charts, the same in both backends

    def lines(self, data: pd.DataFrame, color: str, *, width: float = 2, dash: bool = False, step: bool = False) -> Any:
        """A line through the columns `x` and `y`."""
        import holoviews as hv

        curve = hv.Curve(data[["x", "y"]], "x", "y")
        if self.backend == "bokeh":
            style = {"color": color, "line_width": width, "line_dash": "dashed" if dash else "solid"}
        else:
            style = {"color": color, "linewidth": width, "linestyle": "--" if dash else "-"}
        return curve.opts(backend=self.backend, interpolation="steps-post" if step else "linear", **style)

    def dots(self, data: pd.DataFrame, color: str, *, size: float = 6, hover: Any = (), alpha: float = 1) -> Any:
        """Points at `x` and `y`; the columns beside them are told when pointed at, and `row` opens the records."""
        import holoviews as hv

        points = hv.Points(data, ["x", "y"], [key for key in data.columns if key not in ("x", "y")])
        if self.backend == "bokeh":
            tools = {"tools": ["hover", "tap"], "hover_tooltips": list(hover), "nonselection_alpha": 0.55}
            return points.opts(backend=self.backend, color=color, size=size, alpha=alpha, line_color=None, **tools)
        return points.opts(backend=self.backend, color=color, s=(size * 0.9) ** 2, alpha=alpha, linewidth=0)

    def band(self, data: pd.DataFrame, color: str, *, alpha: float = 0.18) -> Any:
        """The area between `low` and `high` over `x`."""
        import holoviews as hv

        area = hv.Area(data[["x", "low", "high"]], "x", ["low", "high"])
        style = {"color": color, "line_width": 0} if self.backend == "bokeh" else {"color": color, "facecolor": color, "edgecolor": "none"}
        return area.opts(backend=self.backend, alpha=alpha, **style)

    def boxes(self, data: pd.DataFrame, color: str, *, hover: Any = (), alpha: float = 1) -> Any:
        """Rectangles from `x0`, `y0` to `x1`, `y1`."""
        import holoviews as hv

        sides = ["x0", "y0", "x1", "y1"]
        drawn = hv.Rectangles(data, sides, [key for key in data.columns if key not in sides])
        if self.backend == "bokeh":
            tools = {"tools": ["hover", "tap"], "hover_tooltips": list(hover), "nonselection_alpha": 0.55 * alpha}
            return drawn.opts(backend=self.backend, color=color, line_color=None, alpha=alpha, **tools)
        return drawn.opts(backend=self.backend, color=color, linewidth=0, alpha=alpha)

    def said(self, data: pd.DataFrame, *, color: str | None = None, align: str = "center", base: str = "middle", size: int = 11) -> Any:
        """The texts `text` at `x` and `y`."""
        import holoviews as hv

        drawn = hv.Labels(data[["x", "y", "text"]], ["x", "y"], "text")
        if self.backend == "bokeh":
            from bokeh.core.properties import value

            style = {
                "text_color": color or self.quiet,
                "text_font_size": f"{size}px",
                "text_align": align,
                "text_baseline": base,
                "text_font": value(FONT),  # a plain string would be the name of a column
            }
            return drawn.opts(backend=self.backend, **style)
        upright = {"middle": "center", "bottom": "bottom", "top": "top"}[base]
        return drawn.opts(
            backend=self.backend, color=color or self.quiet, size=size * 0.8, horizontalalignment=align, verticalalignment=upright
        )

    def whole(self, pieces: list[Any], *, grid: bool = False, **more: Any) -> Any:
        """Pieces as one drawing; `height` in pixels, axes named and limited by `more`."""
        import holoviews as hv

        more = {"xlabel": "", "ylabel": "", **more}
        common = self.common(show_grid=grid, **more)
        if self.backend == "bokeh":
            common |= {"hooks": self.hooks(grids=grid), "active_tools": []}
        return hv.Overlay(pieces).opts(backend=self.backend, **common)

    def nothing(self) -> Any:
        """What is drawn when there is nothing to draw: one line that says so."""
        import holoviews as hv

        text = hv.Text(0.5, 0.5, self.t("Nothing to count yet."))
        style = {"color": self.quiet, "text_font_size": "13px"} if self.backend == "bokeh" else {"color": self.quiet}
        return self.whole([text.opts(backend=self.backend, **style)], xaxis=None, yaxis=None, xlim=(0, 1), ylim=(0, 1), height=90)

    def scale(self, key: str, values: Any, zero: bool = True) -> tuple[tuple[float, float], list[tuple[float, str]]]:
        """Limits and ticks of an axis of values, the ticks at round figures as the user reads them."""
        there = [float(value) for value in values if value is not None and not pd.isna(value)]
        low, high = min([*there, *([0.0] if zero else [])], default=0.0), max([*there, *([0.0] if zero else [])], default=1.0)
        ticks = even(low, high)
        room = (high - low or 1) * 0.06
        limits = (low - room if low < 0 or not zero else low, high + room)
        return limits, [(tick, self.text(key, Decimal(repr(tick)).normalize() if tick else Decimal(0), short=True)) for tick in ticks]

    def places(self, labels: list[str], most: int = 14, length: int = 18) -> tuple[list[tuple[float, str]], int]:
        """Ticks for upright groups at 0, 1, 2 …, so few that none is drawn over another, and how far they are turned."""
        every = max(1, -(-len(labels) // most))
        ticks = [
            (float(n), label if len(label) <= length else label[: length - 1] + "…") for n, label in enumerate(labels) if n % every == 0
        ]
        return ticks, 45 if sum(len(label) for _, label in ticks) > 70 else 0


def even(low: float, high: float, steps: int = 4) -> list[float]:
    """Round figures (1, 2 or 5 of a power of ten apart) that cover a range."""
    import math

    length = (high - low) or 1.0
    rough = length / steps
    power = 10.0 ** math.floor(math.log10(rough))
    step = next((factor * power for factor in (1, 2, 5, 10) if factor * power >= rough), 10 * power)
    first = math.ceil(low / step - 1e-9)
    return [round(n * step, 10) for n in range(first, math.floor(high / step + 1e-9) + 1)]


def shown(words: Any, column: Column, value: Any, short: bool = False) -> str:
    """A value of a report in the user's language."""
    if value is None or (not isinstance(value, (str, list)) and pd.isna(value)):
        return "–"
    if column.unit:
        return words.period(value, column.unit)
    if column.kind == "money":
        return words.money_short(value, column.currency) if short else words.money(Decimal(str(value)), column.currency)
    if column.kind == "percent":
        return words.percent(value)
    if column.kind in ("number", "integer", "duration"):
        return words.number(round(value, 1) if isinstance(value, float) else value)
    if isinstance(value, date):
        return words.date(value)
    return str(value)


def ready(backend: str) -> Any:
    """HoloViews with a backend loaded, whether or not a page or a notebook has called `hv.extension`; gives its renderer.

    Which backend is HoloViews' current one stays as it was: several users draw at once, each names the backend it means.
    """
    import holoviews as hv

    if backend == "matplotlib":
        import matplotlib

        if backend not in hv.Store.renderers:
            matplotlib.use("agg")
            import holoviews.plotting.mpl
    elif backend not in hv.Store.renderers:
        import holoviews.plotting.bokeh
    if hv.Store.current_backend not in hv.Store.renderers:
        hv.Store.set_current_backend("bokeh" if "bokeh" in hv.Store.renderers else backend)
    return hv.Store.renderers[backend]


class Chart:
    """A way to draw a frame. `axes` says what lies where: {axis: "dimension" or "measure"}; a `?` at the end: may be left out."""

    name: ClassVar[str]
    axes: ClassVar[dict[str, str]] = {}

    def draw(self, frame: pd.DataFrame, look: Look, **axes: Any) -> Any:
        """A HoloViews object of `frame` (one row a group), with the options of the YAML; raises KeyError for an axis that is not in it."""
        raise NotImplementedError
