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

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from textwrap import wrap
from typing import Any, ClassVar

import pandas as pd

from crm.registry import Registry

CHARTS: Registry = Registry("crm.charts")

#: One palette for every chart: (light, dark), in the order in which series take them. Contrast to the ground is at least 3:1, and neighbours
#: differ also for who sees no red or no green.
SERIES = [
    ("#4453c4", "#a3aefb"),
    ("#1f7a72", "#5cc4b8"),
    ("#a15c00", "#e0a458"),
    ("#8a3ea8", "#eaa8e0"),
    ("#5b6472", "#8a919e"),
    ("#b3261e", "#f58b84"),
    ("#2f6f9f", "#7fbce6"),
    ("#6b7a1f", "#b9c96a"),
]
INK = ("#1b1d22", "#e9eaed")
QUIET = ("#565c67", "#a4a9b3")
LINE = ("#e6e7ea", "#2a2d34")
GROUND = ("#ffffff", "#16181d")
#: No tools that nobody sees: each is five models of every drawing.
BARE: dict[str, Any] = {"default_tools": []}
#: Letters of a name beside lying groups, on each of its two lines.
WIDEST = 24
FONT = "Inter, Roboto, 'Segoe UI', system-ui, sans-serif"


@dataclass
class Column:
    """One column of a report: its `key` in the frame, what people call it, the kind of its values, and its role.

    `role` is `dimension` or `measure`; `unit` the piece of time a date axis is cut in; `points` of a percentage that is the difference of two.
    """

    key: str
    label: str
    kind: str = "text"
    role: str = "dimension"
    unit: str | None = None
    currency: str | None = None
    points: bool = False


@dataclass
class Look:
    """How a chart is dressed: the user's words, light or dark, the columns of the frame, and the size in pixels."""

    words: Any
    columns: Mapping[str, Column] = field(default_factory=dict)
    dark: bool = False
    height: int = 260
    backend: str = "bokeh"
    most: int | None = None  # groups drawn at most where there is little room; None: as many as the chart has room for
    left_out: int = 0  # groups that were not drawn, which the chart says

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

    def texts(self, frame: pd.DataFrame, key: str, length: int = 36) -> list[str]:
        """The labels of a dimension, each one unlike the others so that none is drawn over another."""
        seen: dict[str, int] = {}
        labels = []
        for value in frame[key]:
            label = clipped(self.text(key, value), length)
            seen[label] = seen.get(label, 0) + 1
            labels.append(label if seen[label] == 1 else f"{label} ({seen[label]})")
        return labels

    def names(self, frame: pd.DataFrame, key: str) -> list[str]:
        """The labels of a dimension for the side of lying groups: long ones on two lines, so that a phone has room for the figures."""
        return self.folds(self.texts(frame, key, 2 * WIDEST))

    def folds(self, labels: Sequence[str]) -> list[str]:
        """Each name on up to two lines, which are as wide as those need that fit at all; longer ones are cut."""
        lines = [max(map(len, folded(label, 1, False))) for label in labels]
        room = max([18, *(one for one in lines if one <= WIDEST)])
        return ["\n".join(folded(label, room)) for label in labels]

    def narrow(self, texts: Sequence[str], room: float = 46.0) -> list[str]:
        """Figures that stand beside each other above upright groups: on two lines where one would lie on the next on a phone."""
        tight = max(map(len, texts), default=0) * len(texts) > room
        return [re.sub(r"[ \xa0\u202f]+", "\n", text, count=1) if tight else text for text in texts]

    def thinned(self, ticks: list[tuple[float, str]], room: float = 30.0) -> list[tuple[float, str]]:
        """As many ticks of an axis that lies beside long names and figures as can be read on a phone."""
        return ticks[:: 1 if sum(len(text) + 1 for _, text in ticks) <= room else 2]

    def first(self, frame: pd.DataFrame, most: int) -> pd.DataFrame:
        """As many groups as there is room for; the chart says how many are left out."""
        room = min(most, self.most or most)
        self.left_out = max(0, len(frame) - room)
        return frame[:room]

    def beside(self, frame: pd.DataFrame, key: str) -> str | None:
        """The column a measure is compared with: its goal, or what it was before; None without one."""
        found = (f"{key}_{word}" for word in ("goal", "last_year", "previous"))
        return next((one for one in found if one in frame and one in self.columns and frame[one].notna().any()), None)

    def rest(self, shown: int) -> str:
        """What is said of groups that are not drawn; "" when all are."""
        return self.t("The first {n} of {all}; the table has the others", n=shown, all=shown + self.left_out) if self.left_out else ""

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
            for renderer in figure.renderers:
                glyph: Any = getattr(renderer, "glyph", None)
                if type(glyph).__name__ in ("Text", "Scatter"):
                    renderer.level = "annotation"  # else it is cut where the frame ends
                if type(glyph).__name__ == "Text" and glyph.text_baseline == "bottom":
                    glyph.y_offset = -3  # a figure does not touch the bar it stands on
                if hasattr(glyph, "hit_dilation") and isinstance(glyph.size, (int, float)):
                    glyph.hit_dilation = max(1.0, 24 / glyph.size)  # a finger needs 24 pixels

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
            return {"responsive": True, "height": self.height, "toolbar": None, **BARE, "hooks": self.hooks(), "show_legend": False, **more}
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
            style = {"color": color, "line_width": width, "line_dash": "dashed" if dash else "solid", **BARE}
        else:
            style = {"color": color, "linewidth": width, "linestyle": "--" if dash else "-"}
        return curve.opts(backend=self.backend, interpolation="steps-post" if step else "linear", **style)

    def strokes(self, ends: Sequence[tuple[float, float, float, float]], color: str, *, width: float = 1) -> Any:
        """Straight lines from (x, y) to (x, y), as many as there are, as one piece."""
        import holoviews as hv

        drawn = hv.Segments(list(ends), ["x0", "y0", "x1", "y1"])
        style = {"line_width": width, **BARE} if self.backend == "bokeh" else {"linewidth": width}
        return drawn.opts(backend=self.backend, color=color, **style)

    def dots(self, data: pd.DataFrame, color: str, *, size: float = 6, hover: Any = (), alpha: float = 1) -> Any:
        """Points at `x` and `y`; the columns beside them are told when pointed at, and `row` opens the records."""
        import holoviews as hv

        points = hv.Points(data, ["x", "y"], [key for key in data.columns if key not in ("x", "y")])
        if self.backend == "bokeh":
            tools = {"tools": ["hover", "tap"], "hover_tooltips": list(hover), "nonselection_alpha": 0.55, **BARE}
            return points.opts(backend=self.backend, color=color, size=size, alpha=alpha, line_color=None, **tools)
        return points.opts(backend=self.backend, color=color, s=(size * 0.9) ** 2, alpha=alpha, linewidth=0)

    def band(self, data: pd.DataFrame, color: str, *, alpha: float = 0.18) -> Any:
        """The area between `low` and `high` over `x`."""
        import holoviews as hv

        area = hv.Area(data[["x", "low", "high"]], "x", ["low", "high"])
        style = {"color": color, "line_width": 0, **BARE} if self.backend == "bokeh" else {"color": color, "facecolor": color, "edgecolor": "none"}
        return area.opts(backend=self.backend, alpha=alpha, **style)

    def boxes(self, data: pd.DataFrame, color: str, *, hover: Any = (), alpha: float = 1) -> Any:
        """Rectangles from `x0`, `y0` to `x1`, `y1`."""
        import holoviews as hv

        sides = ["x0", "y0", "x1", "y1"]
        drawn = hv.Rectangles(data, sides, [key for key in data.columns if key not in sides])
        if self.backend == "bokeh":
            tools = {"tools": ["hover", "tap"], "hover_tooltips": list(hover), "nonselection_alpha": 0.55 * alpha, **BARE}
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
                **BARE,
            }
            return drawn.opts(backend=self.backend, **style)
        upright = {"middle": "center", "bottom": "bottom", "top": "top"}[base]
        return drawn.opts(
            backend=self.backend, color=color or self.quiet, size=size * 0.8, horizontalalignment=align, verticalalignment=upright
        )

    def whole(
        self,
        pieces: list[Any],
        *,
        grid: bool = False,
        right: Sequence[str] = (),
        legend: Sequence[tuple[str, str]] = (),
        foot: str = "",
        **more: Any,
    ) -> Any:
        """Pieces as one drawing; `height` in pixels, axes named and limited by `more`.

        `right` are the texts that stand beyond the frame (room is kept for the longest), `legend` the (name, colour) of the parts above it,
        `foot` a quiet line below.
        """
        import holoviews as hv

        more = {"xlabel": "", "ylabel": "", **more}
        common = self.common(show_grid=grid, **more)
        room = round(max([max(map(len, text.split("\n"))) for text in right] or [0]) * 6.4) + 6
        rows = [max(map(len, text.split("\n"))) for _, text in more.get("yticks") or []]
        beside = 46 - max(rows, default=0)  # letters of a line that begins where the frame does

        def dress(plot: Any, element: Any) -> None:
            from bokeh.models.annotations import Legend, LegendItem, Title

            figure = plot.state
            figure.min_border_right = max(8, room)
            drawn = {
                getattr(one.glyph, "fill_color" if type(one.glyph).__name__ == "Quad" else "line_color", None): one
                for one in reversed(figure.renderers)
                if type(one.glyph).__name__ in ("Quad", "Line", "Segment")
            }
            items = [LegendItem(label=name, renderers=[drawn[color]]) for name, color in legend if color in drawn]
            if items:
                named = Legend(ncols=columns(legend), location="top_left", border_line_alpha=0, background_fill_alpha=0)
                named.update(
                    items=items, label_text_color=self.quiet, label_text_font=FONT, label_text_font_size="12px", glyph_width=14, glyph_height=14
                )
                named.update(padding=0, margin=6, spacing=4, label_standoff=4)
                figure.add_layout(named, "above")
            if foot:
                said = Title(text="\n".join(wrap(foot, beside)), text_color=self.quiet, text_font=FONT, text_font_size="12px", text_font_style="normal")
                figure.add_layout(said, "below")

        def plain(plot: Any, element: Any) -> None:
            from matplotlib.patches import Patch

            axis = plot.handles["axis"]
            if legend:
                parts = [Patch(color=color, label=name) for name, color in legend]
                named = axis.legend(
                    handles=parts, ncol=columns(legend) * 2, loc="lower left", bbox_to_anchor=(0, 1), frameon=False, fontsize=9
                )
                for text in named.get_texts():
                    text.set_color(self.quiet)
            if foot:
                axis.annotate(foot, (0, 0), (0, -26), xycoords="axes fraction", textcoords="offset points", color=self.quiet, fontsize=9)

        if self.backend == "bokeh":
            common |= {"hooks": [*self.hooks(grids=grid), dress], "active_tools": []}
            common |= {key: value for key, value in more.items() if key not in common or key == "height"}
        else:
            common |= {"hooks": [*common["hooks"], plain]}
        return hv.Overlay(pieces).opts(backend=self.backend, **common)

    def nothing(self) -> Any:
        """What is drawn when there is nothing to draw: one line that says so."""
        text = pd.DataFrame([(0.5, 0.5, self.t("Nothing to count yet."))], columns=["x", "y", "text"])
        return self.whole([self.said(text, size=13)], xaxis=None, yaxis=None, xlim=(0, 1), ylim=(0, 1), height=90)

    def scale(self, key: str, values: Any, zero: bool = True) -> tuple[tuple[float, float], list[tuple[float, str]]]:
        """Limits and ticks of an axis of values, the ticks at round figures as the user reads them."""
        there = [float(value) for value in values if value is not None and not pd.isna(value)]
        low, high = min([*there, *([0.0] if zero else [])], default=0.0), max([*there, *([0.0] if zero else [])], default=1.0)
        if high <= low:  # one value only, or nothing at all
            if zero and not low:
                return (0.0, 1.0), [(0.0, self.text(key, Decimal(0), short=True))]
            low, high = low - (abs(low) or 1.0) / 2, high + (abs(high) or 1.0) / 2
        ticks = even(low, high)
        room = (high - low or 1) * 0.06
        limits = (low - room if low < 0 or not zero else low, high + room)
        return limits, [(tick, self.text(key, Decimal(repr(tick)).normalize() if tick else Decimal(0), short=True)) for tick in ticks]

    def across(self, key: str, values: Sequence[Any], room: float = 46.0) -> tuple[list[tuple[float, str]], int]:
        """Ticks for upright groups at 0, 1, 2 …, and how far they are turned, so that none is drawn over another on a phone.

        `room` is how many letters stand beside each other across the narrowest frame. Of months and quarters the year is said once.
        """
        labels = [self.text(key, value) for value in values]
        column = self.columns.get(key)
        if column is not None and column.unit:
            return self.times(labels, values, column.unit, room), 0
        return self.places(labels, room)

    def places(self, labels: Sequence[str], room: float = 46.0) -> tuple[list[tuple[float, str]], int]:
        """Ticks of named groups: on up to two lines where each has room, else turned and so few that they can be read."""
        letters = int(room / max(1, len(labels)))
        lines = [folded(label, letters, broken=False) for label in labels] if letters > 3 else []
        if lines and all(len(line) <= letters for one in lines for line in one):
            return [(float(n), "\n".join(one)) for n, one in enumerate(lines)], 0
        every = max(1, -(-len(labels) // 16))
        return [(float(n), clipped(label, 16)) for n, label in enumerate(labels) if n % every == 0], 45

    def times(self, labels: Sequence[str], values: Sequence[Any], unit: str, room: float) -> list[tuple[float, str]]:
        """Ticks of periods, as many as fit: `Jan` above its year, the year only where it begins or is new."""
        if unit in ("day", "week"):
            labels = [
                label if value is None or pd.isna(value) else self.words.date(value) for label, value in zip(labels, values, strict=True)
            ]
        years = ["" if value is None or pd.isna(value) else str(value.year) for value in values]
        shorts = [short if (short := label.removesuffix(year).strip()) else label for label, year in zip(labels, years, strict=True)]
        fits = max(1, int(room / (max([*map(len, shorts), 4]) + 1.2)))
        step = -(-len(labels) // fits)
        if unit == "month" and step > 1:
            step = next((one for one in (2, 3, 6, 12, 24, 48) if one >= step), step)
        whole = next((n for n, value in enumerate(values) if unit == "month" and step > 3 and years[n] and value.month == 1), 0)
        ticks, said = [], ""
        for n in range(whole % step, len(labels), step):
            new = years[n] != said and years[n] and shorts[n] != years[n]
            ticks.append((float(n), f"{shorts[n]}\n{years[n]}" if new else shorts[n]))
            said = years[n]
        return ticks

    def ends(self, ends: Sequence[tuple[float, float, str, str]], limits: tuple[float, float]) -> list[Any]:
        """Names at the ends of lines, (x, y, text, colour) each, moved apart so that none lies on another."""
        apart = (limits[1] - limits[0]) * 0.075
        placed: list[tuple[float, float, str, str]] = []
        for x, y, text, color in sorted(ends, key=lambda one: one[1]):
            placed.append((x, max(y, placed[-1][1] + apart) if placed else y, text, color))
        over = max(0.0, placed[-1][1] - limits[1]) if placed else 0.0
        return [
            self.said(pd.DataFrame([(x, y - over, "\u2002" + text)], columns=["x", "y", "text"]), color=color, align="left")
            for x, y, text, color in placed
        ]


def clipped(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def folded(text: str, length: int, broken: bool = True) -> list[str]:
    """A text on up to two lines of `length` letters, as even as its words allow; what does not fit is cut when `broken`."""
    spaces = [n for n, sign in enumerate(text) if sign == " " and n]
    if len(text) <= length or not (broken or spaces):
        return [text]
    at = min(spaces, key=lambda n: max(n, len(text) - n - 1), default=0)
    if broken and max(at, len(text) - at - 1) > length:
        at = max((n for n in spaces if n <= length), default=0)
    if not at:
        return [clipped(text, length)]
    rest = text[at + 1 :]
    return [text[:at], clipped(rest, length) if broken else rest]


def columns(legend: Sequence[tuple[str, str]]) -> int:
    """How many names of a legend stand beside each other on a phone."""
    return max(1, min(len(legend), 300 // (max(len(name) for name, _ in legend) * 7 + 30)))


def even(low: float, high: float, steps: int = 4) -> list[float]:
    """Round figures (1, 2, 2.5 or 5 of a power of ten apart) that cover a range."""
    import math

    length = (high - low) or 1.0
    rough = length / steps
    power = 10.0 ** math.floor(math.log10(rough))
    step = next((factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough), 10 * power)
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
    if column.kind == "percent" and column.points:
        return str(words("{n} points", n=points(words, value, 0 if short else 1)))
    if column.kind == "percent":
        return words.percent(round(value, 3) if short else value)
    if column.kind in ("number", "integer", "duration"):
        return words.number(tidy(value))
    if isinstance(value, date):
        return words.date(value)
    return str(value)


def points(words: Any, value: Any, digits: int = 0) -> str:
    """A difference of two parts in percentage points, with its sign: `0.123` is `+12`."""
    rounded = round(100 * float(value), digits)
    return ("+" if rounded > 0 else "−" if rounded < 0 else "") + words.number(abs(rounded) if digits else int(abs(rounded)))


def tidy(value: Any) -> Any:
    """A number as one reads it: not more than two decimals, of what is computed and large one."""
    if isinstance(value, float):
        return round(value, 1)
    if isinstance(value, Decimal) and value.is_finite() and value != round(value, 2):
        return round(value, 1 if abs(value) >= 10 else 2)
    return value


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
    """A way to draw a frame. `axes` says what lies where: {axis: "dimension" or "measure"}; a `?` at the end: may be left out, a `+`: may be several."""

    name: ClassVar[str]
    axes: ClassVar[dict[str, str]] = {}

    def draw(self, frame: pd.DataFrame, look: Look, **axes: Any) -> Any:
        """A HoloViews object of `frame` (one row a group), with the options of the YAML; raises KeyError for an axis that is not in it."""
        raise NotImplementedError
