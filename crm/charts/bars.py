"""Bars: one a group."""

from __future__ import annotations

from typing import Any

import pandas as pd

from crm.charts.base import CHARTS, Chart, Look, clipped

MOST = 40
#: Bars of several colours drawn at most, and upright bars that carry their values.
PARTS, SAID = 60, 7
SIDES = ["x0", "y0", "x1", "y1", "name", "part", "said", "row"]


@CHARTS.add
class Bars(Chart):
    """`x` a dimension, `y` a measure; a bar is one group, upright along time, lying where names are to be read.

    Each bar carries its value; where many stand upright an axis tells it. Several measures as `y` stand beside each other. `by` splits bars by another dimension, beside each other or
    `stacked`; `horizontal` says which way they lie. Of more than `MOST` lying bars the first are drawn; the table has them all.
    """

    name = "bars"
    axes = {"x": "dimension", "y": "measure+", "by": "dimension?"}

    def draw(self, frame: pd.DataFrame, look: Look, x: str, y: Any, by: str | None = None, **options: Any) -> Any:
        if frame.empty:
            return look.nothing()
        if isinstance(y, list):
            frame, y, by = beside_each_other(frame, look, x, y)
        lying = options.get("horizontal")
        upright = not lying if lying is not None else x in look.columns and look.columns[x].unit is not None
        return self.parts(frame, look, x, y, by, upright, bool(options.get("stacked"))) if by is not None else self.plain(frame, look, x, y, upright)

    def plain(self, frame: pd.DataFrame, look: Look, x: str, y: str, upright: bool) -> Any:
        """One measure: each bar says its value."""
        if not upright:
            frame = look.first(frame, MOST)
        names, beside = look.texts(frame, x), look.beside(frame, y)
        boxes, texts = [], []
        for n, (name, value, row) in enumerate(zip(names, frame[y], frame.index, strict=True)):
            size = 0.0 if pd.isna(value) else float(value)
            said = look.text(y, value, short=True)
            low, high = min(0.0, size), max(0.0, size)
            if size:
                sides = (n - 0.36, low, n + 0.36, high) if upright else (low, -n - 0.36, high, -n + 0.36)
                told = look.text(y, value) + (f" ({look.label(beside)}: {look.text(beside, frame[beside][row])})" if beside else "")
                boxes.append((*sides, name, "", told, row))
            texts.append((n, high, said) if upright else (high, -n, "\u2002" + said))
        hover = [(look.label(x), "@name"), (look.label(y), "@said")]
        pieces = [look.boxes(pd.DataFrame(boxes, columns=SIDES), look.color(), hover=hover)] if boxes else []
        values = [0.0 if pd.isna(value) else float(value) for value in frame[y]]
        figures = pd.DataFrame(texts, columns=["x", "y", "text"])
        legend = []
        if beside:
            then = [float(value) for value in frame[beside]]
            if not upright:
                texts = clear(texts, then)
                figures = pd.DataFrame(texts, columns=["x", "y", "text"])
            pieces.append(look.strokes([mark(n, value, upright) for n, value in enumerate(then) if not pd.isna(value)], look.ink, width=3))
            values += [value for value in then if not pd.isna(value)]
            legend = [(clipped(look.label(beside), 32), look.ink)]
        if not upright:
            right = [text for at, _, text in texts if at > max(0.0, *values) * 0.5]
            pieces.append(look.said(figures, align="left"))
            return look.whole(
                [*pieces, *ground(look, values, len(names), upright)], xaxis=None, yticks=rows(look.names(frame, x)),
                xlim=edges(values), ylim=(-len(names) + 0.4, 0.6), height=34 * len(names) + (44 if legend else 20),
                right=right or [" " * 6], foot=look.rest(len(names)), legend=legend,
            )  # fmt: skip
        few = len(names) <= SAID and not beside
        if few:
            figures["text"] = look.narrow(list(figures["text"]))
            pieces.append(look.said(figures, base="bottom"))
        return standing(look, [*pieces, *ground(look, values, len(names), upright)], frame[x], x, y, values, few, legend)

    def parts(self, frame: pd.DataFrame, look: Look, x: str, y: str, by: str, upright: bool, stacked: bool) -> Any:
        """Bars of several colours, named above and when pointed at."""
        kinds = list(dict.fromkeys(frame[by]))
        groups = list(dict.fromkeys(frame[x]))
        shown = pd.DataFrame({x: groups})
        if not upright:
            shown = look.first(shown, MOST if stacked else max(4, PARTS // len(kinds)))
            groups = list(shown[x])
        place = {value: n for n, value in enumerate(groups)}
        names = look.texts(shown, x)
        up, down = [0.0] * len(groups), [0.0] * len(groups)
        wide = 0.76 if stacked else 0.84 / len(kinds)
        drawn: dict[int, list[Any]] = {}
        texts = []
        for group, kind, value, row in zip(frame[x], frame[by], frame[y], frame.index, strict=True):
            if group not in place or pd.isna(value):
                continue
            n, size, number = place[group], float(value), kinds.index(kind)
            level = up if size >= 0 else down
            low = level[n] if stacked else 0.0
            if stacked:
                level[n] += size
            left = -0.38 if stacked else -0.42 + wide * number
            a, b = min(low, low + size), max(low, low + size)
            told = (names[n], look.text(by, kind), look.text(y, value), row)
            sides = (n + left, a, n + left + wide, b) if upright else (a, -n - left - wide, b, -n - left)
            drawn.setdefault(number, []).append((*sides, *told))
            if not upright and not stacked:
                texts.append((max(0.0, size), -n - left - wide / 2, "\u2002" + look.text(y, value, short=True)))
        hover = [(look.label(x), "@name"), (look.label(by), "@part"), (look.label(y), "@said")]
        pieces = [
            look.boxes(pd.DataFrame(boxes, columns=SIDES), look.color(number), hover=hover) for number, boxes in sorted(drawn.items())
        ]
        values = [*up, *down, 0.0] if stacked else [0.0 if pd.isna(value) else float(value) for value in frame[y]]
        if not upright and stacked:
            texts = [
                (high, -n, "\u2002" + look.text(y, high + low, short=True)) for n, (high, low) in enumerate(zip(up, down, strict=True))
            ]
        legend = [(clipped(look.text(by, kind), 20), look.color(number)) for number, kind in enumerate(kinds[:12])]
        pieces += ground(look, values, len(groups), upright)
        if upright:
            return standing(look, pieces, groups, x, y, values, False, legend)
        if texts:
            pieces.append(look.said(pd.DataFrame(texts, columns=["x", "y", "text"]), align="left", size=11 if stacked else 10))
        height = (34 if stacked else 16 * len(kinds) + 10) * len(groups) + 60
        return look.whole(
            pieces, xaxis=None, yticks=rows(look.names(shown, x)), xlim=edges(values), ylim=(-len(groups) + 0.4, 0.6), height=height,
            legend=legend, right=[text for _, _, text in texts], foot=look.rest(len(groups)),
        )  # fmt: skip


def beside_each_other(frame: pd.DataFrame, look: Look, x: str, keys: list[str]) -> tuple[pd.DataFrame, str, str]:
    """A row for each measure of each group, with the measure's name as its part: (frame, measure, part); rows keep their numbers."""
    parts = [pd.DataFrame({x: frame[x], "": look.label(key), keys[0]: frame[key]}) for key in keys]
    return pd.concat(parts).sort_index(kind="stable"), keys[0], ""


def standing(
    look: Look, pieces: list[Any], groups: Any, x: str, y: str, values: list[float], few: bool, legend: list[tuple[str, str]] | None = None
) -> Any:
    """Upright bars; a few are not wider than they would be among four."""
    limits, ticks = look.scale(y, values)
    high = limits[1] + (limits[1] - limits[0]) * (0.1 if few else 0)
    marks, turned = look.across(x, list(groups))
    side = 0.6 + max(0.0, (4 - len(groups)) / 2)
    more: dict[str, Any] = {"yaxis": None} if few else {"yticks": ticks}
    return look.whole(
        pieces, grid=not few, xticks=marks, xrotation=turned, xlim=(-side, len(groups) - 1 + side), ylim=(limits[0], high),
        legend=legend or [], **more,
    )  # fmt: skip


def mark(n: int, value: float, upright: bool) -> tuple[float, float, float, float]:
    """What a bar is compared with, as a stroke across it."""
    return (n - 0.42, value, n + 0.42, value) if upright else (value, -n - 0.42, value, -n + 0.42)


def clear(texts: list[Any], then: list[float]) -> list[Any]:
    """The figures of lying bars, each beyond the mark of what it is compared with where it would lie on it."""
    room = 0.16 * max([0.0, *(at for at, _, _ in texts), *(one for one in then if not pd.isna(one))])
    return [(mark if at <= mark <= at + room else at, n, text) for (at, n, text), mark in zip(texts, then, strict=True)]


def ground(look: Look, values: list[float], groups: int, upright: bool) -> list[Any]:
    """The line of nothing, where some values lie below it."""
    if min(values, default=0.0) >= 0:
        return []
    along, zero = [-0.5, groups - 0.5] if upright else [0.5, -groups + 0.5], [0.0, 0.0]
    return [look.lines(pd.DataFrame({"x": along if upright else zero, "y": zero if upright else along}), look.quiet, width=1)]


def rows(names: list[str]) -> list[tuple[float, str]]:
    """Ticks of lying groups, from above."""
    return [(float(-n), name) for n, name in enumerate(names)]


def edges(values: list[float]) -> tuple[float, float]:
    low, high = min([*values, 0.0]), max([*values, 0.0])
    return (low, high) if high > low else (0.0, 1.0)
