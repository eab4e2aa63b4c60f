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

        return [dress] if self.backend == "bokeh" else []

    def common(self, **more: Any) -> dict[str, Any]:
        """Options that every plot of this look has, in the words of its backend."""
        if self.backend == "bokeh":
            return {"responsive": True, "height": self.height, "toolbar": None, "hooks": self.hooks(), "show_legend": False, **more}
        return {
            "fig_inches": (7, self.height / 72),
            **{key: value for key, value in more.items() if key in ("xlabel", "ylabel", "invert_axes", "invert_yaxis")},
        }


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
