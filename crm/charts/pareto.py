"""A Pareto chart: the few that make up most."""

from __future__ import annotations

from typing import Any

import pandas as pd

from crm.charts.base import CHARTS, Chart, Look

MOST = 30
#: Up to which part of the whole a group is of class A, and of class B.
CLASSES = (0.8, 0.95)


@CHARTS.add
class Pareto(Chart):
    """`x` a dimension, `y` a measure that adds up: bars from the largest down, and the part of the whole they reach together.

    A line marks 80 %; classes A, B and C are written above and shaded. What is negative or missing takes no part in the sum.
    Where the names have no room below upright bars, the bars lie, the largest at the top, each with its value, the part reached and its class.
    """

    name = "pareto"
    axes = {"x": "dimension", "y": "measure"}

    def draw(self, frame: pd.DataFrame, look: Look, x: str, y: str, **options: Any) -> Any:
        known = frame[frame[y].notna() & (frame[y] > 0)].sort_values(y, ascending=False, kind="stable")
        if known.empty:
            return look.nothing()
        values = [float(value) for value in known[y]]
        total, names, rows = sum(values), look.texts(known, x), [int(row) for row in known.index]
        part, so_far = [], 0.0
        for value in values:
            so_far += value
            part.append(so_far / total)
        ends = [next((n for n, reached in enumerate(part) if reached >= limit - 1e-9), len(part) - 1) for limit in CLASSES]
        shown = min(len(values), MOST if look.most is None else 15)
        look.left_out = len(values) - shown
        groups = [0 if n <= ends[0] else 1 if n <= ends[1] else 2 for n in range(shown)]
        marks, turned = look.places(names[:shown], 40)
        upright = not turned
        columns = ["x0", "y0", "x1", "y1", "name", "said", "part", "row"]
        classes: dict[int, list[Any]] = {}
        parts = [look.words.percent(round(one, 3)) for one in part[:shown]]
        for n, group in enumerate(groups):
            sides = (n - 0.38, 0.0, n + 0.38, values[n]) if upright else (0.0, -n - 0.36, values[n], -n + 0.36)
            classes.setdefault(group, []).append((*sides, names[n], look.text(y, values[n]), parts[n], rows[n]))
        hover = [(look.label(x), "@name"), (look.label(y), "@said"), (look.t("Together"), "@part")]
        pieces = [
            look.boxes(pd.DataFrame(boxes, columns=columns), look.color(), hover=hover, alpha=(1, 0.65, 0.38)[group])
            for group, boxes in classes.items()
        ]
        top = values[0] * (1.08 if upright else 1)
        along, up = [float(n) for n in range(shown)], [reached * top for reached in part[:shown]]
        line = pd.DataFrame({"x": along, "y": up} if upright else {"x": up, "y": [-n for n in along]})
        wide, high = [-0.5, shown - 0.5], [0.8 * top] * 2
        limit = {"x": wide, "y": high} if upright else {"x": high, "y": [-n for n in wide]}
        pieces.append(look.lines(pd.DataFrame(limit), look.quiet, width=1, dash=True))
        pieces.append(look.lines(line, look.color(2)))
        pieces.append(
            look.dots(
                line.assign(name=names[:shown], said=parts, row=rows[:shown]), look.color(2), hover=[hover[0], (hover[2][0], "@said")]
            )
        )
        if not upright:
            told = [
                f"\u2002{look.text(y, value, short=True)} · {look.words.percent(round(reached, 2))} {'ABC'[group]}"
                for value, reached, group in zip(values, part, groups, strict=False)
            ]
            pieces.append(look.said(pd.DataFrame({"x": top, "y": [-n for n in along], "text": told}), align="left"))
            pieces.append(look.said(pd.DataFrame([(0.8 * top, 0.55, look.words.percent(0.8))], columns=["x", "y", "text"]), base="bottom"))
            ticks = [(float(-n), name) for n, name in enumerate(look.folds(names[:shown]))]
            return look.whole(
                pieces, xaxis=None, yticks=ticks, xlim=(0, top), ylim=(-shown + 0.4, 1.2), height=34 * shown + 40, right=told,
                foot=look.rest(shown),
            )  # fmt: skip
        side = max(0.0, (4 - shown) / 2)
        right = shown - 0.4 + side
        pieces.append(
            look.said(
                pd.DataFrame(
                    [(right, 0.8 * top, "\u2002" + look.words.percent(0.8)), (right, top, "\u2002" + look.words.percent(1))],
                    columns=["x", "y", "text"],
                ),
                align="left",
            )
        )
        places = {group: (boxes[0][0] + boxes[-1][2]) / 2 for group, boxes in classes.items()}
        letters = pd.DataFrame([(at, top * 1.08, "ABC"[group]) for group, at in places.items()], columns=["x", "y", "text"])
        pieces.append(look.said(letters, color=look.ink, size=12))
        limits, ticks = look.scale(y, [0.0, values[0]])
        return look.whole(
            pieces, grid=True, xticks=marks, yticks=ticks, xlim=(-0.6 - side, shown - 0.4 + side),
            ylim=(0, top * 1.16), height=look.height + 20, right=["\u2002" + look.words.percent(1)], foot=look.rest(shown),
        )  # fmt: skip
