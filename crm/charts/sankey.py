"""A Sankey diagram: what went from where to where."""

from __future__ import annotations

from typing import Any

import pandas as pd

from crm.charts.base import CHARTS, FONT, Chart, Look

MOST = 60


@CHARTS.add
class Sankey(Chart):
    """`source` and `target` dimensions, `y` a measure: the wider a ribbon, the more went that way.

    Ways back would make a circle, which such a diagram cannot draw: the name of what is returned to is drawn once more, marked ↩.
    Rows without a target, and those beyond the `MOST` widest, are left to the table.
    """

    name = "sankey"
    axes = {"source": "dimension", "target": "dimension", "y": "measure"}

    def draw(self, frame: pd.DataFrame, look: Look, source: str, target: str, y: str, **options: Any) -> Any:
        import holoviews as hv

        known = frame[frame[source].notna() & frame[target].notna() & (frame[y] > 0) & (frame[source] != frame[target])]
        known = known.sort_values(y, ascending=False)[:MOST]
        if known.empty:
            return look.nothing()
        order = {value: number for number, value in enumerate(dict.fromkeys(frame[source]))}
        for value in known[target]:
            order.setdefault(value, len(order) + 100)
        rows = []
        for a, b, value in zip(known[source], known[target], known[y], strict=True):
            name = short(look.text(target, b)) if order[b] > order[a] else short(look.text(target, b)) + " ↩"
            rows.append((short(look.text(source, a)), name, float(value), look.text(y, value)))
        data = pd.DataFrame(rows, columns=["from", "to", "value", "said"])
        drawn = hv.Sankey(data, ["from", "to"], ["value", "said"])
        options = {
            "cmap": look.palette,
            "node_padding": 14,
            "label_position": "right",
            "edge_color": "from",
            "node_color": "index",
        }
        if look.backend == "bokeh":
            style = {
                "label_text_font_size": "12px",
                "edge_line_alpha": 0,
                "edge_fill_alpha": 0.4,
                "node_line_alpha": 0,
                "tools": ["hover"],
                "edge_hover_fill_alpha": 0.7,
                "hover_tooltips": [(look.label(source), "@from"), (look.label(target), "@to"), (look.label(y), "@said")],
            }
            common = {
                key: value for key, value in look.common(height=max(look.height, 300)).items() if key not in ("show_legend", "responsive")
            }

            def inked(plot: Any, element: Any) -> None:
                from bokeh.core.properties import value

                room = round(max(len(name) for name in data["to"]) * 6.4) + 44  # the last names stand beyond the frame
                plot.state.update(sizing_mode="stretch_width", width=None, min_border_right=room)  # its own width is too wide for a phone
                for one in plot.state.renderers:
                    glyph: Any = getattr(one, "glyph", None)
                    if (nodes := getattr(one, "node_renderer", None)) is not None:
                        nodes.glyph.size = 0  # else a dot lies in the middle of each node, under its name
                    if type(glyph).__name__ == "Text":
                        glyph.update(text_color=look.ink, text_font=value(FONT))

            common["hooks"] = [*common["hooks"], inked]
            return drawn.opts(backend="bokeh", **options, **style, **common)

        def dress(plot: Any, element: Any) -> None:
            for text in plot.handles["axis"].texts:
                text.set_color(look.ink)
                text.set_fontsize(8)

        style = {
            "edge_alpha": 0.4,
            "label_text_font_size": 8,
            "edge_linewidth": 0,
            "node_linewidth": 0,
            "hooks": [*look.hooks(), dress],
            "fig_inches": (7, 4),
            "fig_size": 100,
        }
        return drawn.opts(backend="matplotlib", **options, **style, aspect=None, title="")


def short(text: str) -> str:
    return text if len(text) <= 18 else text[:17] + "…"
