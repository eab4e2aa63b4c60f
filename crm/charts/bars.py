"""Bars: one a group."""

from __future__ import annotations

from typing import Any

import pandas as pd

from crm.charts.base import CHARTS, Chart, Look

MOST = 40


@CHARTS.add
class Bars(Chart):
    """`x` a dimension, `y` a measure; a bar is one group, upright along time, lying where names are to be read.

    Each bar carries its value, so no axis of values is drawn. `by` splits bars by another dimension, beside each other or `stacked`;
    `horizontal` says which way they lie. Of more than `MOST` lying bars the first are drawn; the table has them all.
    """

    name = "bars"
    axes = {"x": "dimension", "y": "measure", "by": "dimension?"}

    def draw(self, frame: pd.DataFrame, look: Look, x: str, y: str, by: str | None = None, **options: Any) -> Any:
        if frame.empty:
            return look.nothing()
        lying = options.get("horizontal")
        upright = not lying if lying is not None else x in look.columns and look.columns[x].unit is not None
        return self.parts(frame, look, x, y, by, upright, bool(options.get("stacked"))) if by else self.plain(frame, look, x, y, upright)

    def plain(self, frame: pd.DataFrame, look: Look, x: str, y: str, upright: bool) -> Any:
        """One measure: each bar says its value."""
        import holoviews as hv

        if not upright:
            frame = frame[:MOST]
        labels = look.texts(frame, x)
        values = frame[y].astype(float).fillna(0).to_list()
        said = [look.text(y, value, short=True) for value in values]
        rows = list(range(len(values)))
        if not upright:  # a lying bar chart is drawn from below
            labels, values, said, rows = labels[::-1], values[::-1], said[::-1], rows[::-1]
        if look.backend != "bokeh":
            return self.printed(frame, look, x, y, labels, [(0, 0.0, value) for value in values], said, upright)
        data = pd.DataFrame({"x": thinned(labels) if upright else labels, "y": values, "name": labels, "said": said, "row": rows})
        bars = hv.Bars(data, hv.Dimension("x", label=look.label(x)), [hv.Dimension("y", label=look.label(y)), "name", "said", "row"])
        many = upright and len(labels) > 14
        bars = bars.opts(
            backend=look.backend,
            color=look.color(),
            line_color=None,
            bar_width=0.7,
            invert_axes=not upright,
            xlabel="",
            ylabel="",
            ylim=(min([*values, 0.0]) * 1.18, max([*values, 0.0]) * 1.18 or 1),
            show_grid=False,
            tools=["tap", "hover"] if many else ["tap"],
            hover_tooltips=[(look.label(x), "@name"), (look.label(y), "@said")],
            active_tools=[],
            xrotation=45 if upright and 8 < len(labels) else 0,
            selection_alpha=1,
            nonselection_alpha=0.55,
            **{"yaxis" if upright else "xaxis": None},
            **look.common(height=look.height if upright else max(120, 34 * len(labels) + 20)),
        )
        if many:
            return bars
        if not upright:
            data = data.assign(said=["\u2002" + one for one in said])
        texts = hv.Labels(data, ["x", "y"], "said").opts(
            backend=look.backend,
            text_color=look.quiet,
            text_font_size="11px",
            text_align="center" if upright else "left",
            text_baseline="bottom" if upright else "middle",
        )
        return bars * texts

    def parts(self, frame: pd.DataFrame, look: Look, x: str, y: str, by: str, upright: bool, stacked: bool) -> Any:
        """Bars of several colours, named in a legend and when pointed at."""
        import holoviews as hv

        groups = list(dict.fromkeys(frame[x]))[: 60 if upright else MOST]
        frame = frame[frame[x].isin(groups)]
        names = {value: look.text(x, value) for value in groups}
        data = pd.DataFrame(
            {
                "x": [names[value] for value in frame[x]],
                "by": [look.text(by, value) for value in frame[by]],
                "y": frame[y].astype(float).fillna(0).to_list(),
                "said": [look.text(y, value) for value in frame[y]],
                "row": list(frame.index),
            }
        )
        if look.backend != "bokeh":
            return self.stacks(data, look, x, y, [names[value] for value in groups], upright, stacked)
        order = [names[value] for value in groups]
        bars = hv.Bars(
            data,
            [
                hv.Dimension("x", label=look.label(x), values=order if upright else order[::-1]),
                hv.Dimension("by", label=look.label(by), values=list(dict.fromkeys(data["by"]))),
            ],
            [hv.Dimension("y", label=look.label(y)), "said", "row"],
        )
        common = look.common(height=look.height if upright else max(140, (30 if stacked else 60) * len(groups) + 60))
        return bars.opts(
            backend=look.backend,
            stacked=stacked,
            multi_level=False,
            color="by",
            cmap=[look.color(number) for number in range(max(1, data["by"].nunique()))],
            line_color=None,
            invert_axes=not upright,
            xlabel="",
            ylabel="",
            show_grid=False,
            tools=["tap", "hover"],
            hover_tooltips=[(look.label(x), "@x"), (look.label(by), "@by"), (look.label(y), "@said")],
            active_tools=[],
            xrotation=45 if upright and len(groups) > 8 else 0,
            legend_position="top",
            legend_opts={"background_fill_alpha": 0, "border_line_alpha": 0, "label_text_color": look.quiet, "orientation": "horizontal"},
            **{**common, "show_legend": True},
        )

    def printed(
        self,
        frame: pd.DataFrame,
        look: Look,
        x: str,
        y: str,
        labels: list[str],
        bars: list[tuple[int, float, float]],
        said: list[str],
        upright: bool,
    ) -> Any:
        """Bars for mails and documents: (colour, from, to) each at its place, with its value."""
        drawn: dict[int, list[Any]] = {}
        texts = []
        for n, ((color, low, high), text) in enumerate(zip(bars, said, strict=True)):
            box = (n - 0.36, min(low, high), n + 0.36, max(low, high)) if upright else (min(low, high), n - 0.36, max(low, high), n + 0.36)
            drawn.setdefault(color, []).append(box)
            texts.append((n, max(low, high), text) if upright else (max(low, high), n, " " + text))
        pieces = [look.boxes(pd.DataFrame(boxes, columns=["x0", "y0", "x1", "y1"]), look.color(color)) for color, boxes in drawn.items()]
        if not upright or len(labels) <= 14:
            align, base = ("center", "bottom") if upright else ("left", "middle")
            pieces.append(look.said(pd.DataFrame(texts, columns=["x", "y", "text"]), align=align, base=base))
        limits, ticks = look.scale(y, [edge for _, *edges in bars for edge in edges])
        wide = (limits[0], limits[1] + (limits[1] - limits[0]) * (0.04 if upright else 0.1))
        if upright:
            marks, turned = look.places(labels, most=16)
            return look.whole(pieces, grid=True, xticks=marks, yticks=ticks, xrotation=turned, xlim=(-0.6, len(labels) - 0.4), ylim=wide)
        names = [(float(n), label) for n, label in enumerate(labels)]
        return look.whole(
            pieces, yticks=names, xaxis=None, xlim=wide, ylim=(-0.6, len(labels) - 0.4), height=max(120, 30 * len(labels) + 20)
        )

    def stacks(self, data: pd.DataFrame, look: Look, x: str, y: str, order: list[str], upright: bool, stacked: bool) -> Any:
        """Bars of several colours for mails and documents, named above."""
        parts = list(dict.fromkeys(data["by"]))
        place = {name: n if upright else len(order) - 1 - n for n, name in enumerate(order)}
        up, down = [0.0] * len(order), [0.0] * len(order)
        width = 0.76 if stacked else 0.8 / len(parts)
        drawn: dict[str, list[Any]] = {part: [] for part in parts}
        for name, part, value in zip(data["x"], data["by"], data["y"], strict=True):
            n = place[name]
            level = (up if value >= 0 else down) if stacked else None
            low = level[n] if level is not None else 0.0
            if level is not None:
                level[n] += value
            left = n - 0.38 if stacked else n - 0.4 + width * parts.index(part)
            edges = (min(low, low + value), max(low, low + value))
            drawn[part].append((left, edges[0], left + width, edges[1]) if upright else (edges[0], left, edges[1], left + width))
        pieces = [
            look.boxes(pd.DataFrame(boxes, columns=["x0", "y0", "x1", "y1"]), look.color(n))
            for n, boxes in enumerate(drawn.values())
            if boxes
        ]
        limits, ticks = look.scale(y, [edge for boxes in drawn.values() for box in boxes for edge in (box[1::2] if upright else box[::2])])
        top, at = limits[1] + (limits[1] - limits[0]) * 0.1, 0.0
        for n, part in enumerate(parts[:8]):
            text = "■ " + (part if len(part) <= 16 else part[:15] + "…")
            where = (at * len(order) - 0.5, top) if upright else (limits[0] + at * (limits[1] - limits[0]), len(order) - 0.2)
            pieces.append(look.said(pd.DataFrame([(*where, text)], columns=["x", "y", "text"]), color=look.color(n), align="left"))
            at += 0.05 + 0.013 * len(text)
        if upright:
            marks, turned = look.places(order, most=16)
            limits_ = (limits[0], top + (limits[1] - limits[0]) * 0.06)
            return look.whole(pieces, grid=True, xticks=marks, yticks=ticks, xrotation=turned, xlim=(-0.6, len(order) - 0.4), ylim=limits_)
        names = [(float(n), name if len(name) <= 30 else name[:29] + "…") for name, n in place.items()]
        height = max(140, (30 if stacked else 20 * len(parts)) * len(order) + 60)
        return look.whole(pieces, xticks=ticks, yticks=names, xlim=limits, ylim=(-0.6, len(order) + 0.2), height=height)


def thinned(labels: list[str], most: int = 16) -> list[str]:
    """Of many names below upright bars only so many that none is drawn over another; the others become invisible, but stay different."""
    every = -(-len(labels) // most)
    return [label if number % every == 0 else "\u200b" * (number + 1) for number, label in enumerate(labels)] if every > 1 else labels
