"""A fan: what is expected, and how sure that is."""

from __future__ import annotations

from typing import Any

import pandas as pd

from crm.charts.base import CHARTS, Chart, Look, clipped


@CHARTS.add
class Fan(Chart):
    """`x` a date, `y` three measures (low, middle, high) or five (two bands), `value` what really came, drawn as far as it is known.

    The band is what lies between the outer measures; the middle line is named, and so is the last figure that is known.
    """

    name = "fan"
    axes = {"x": "dimension", "y": "measure+", "value": "measure?"}

    def draw(self, frame: pd.DataFrame, look: Look, x: str, y: Any, value: str | None = None, **options: Any) -> Any:
        keys = [y] if isinstance(y, str) else list(y)
        frame = frame[frame[x].notna()].reset_index(drop=False)
        if frame.empty:
            return look.nothing()
        frame = frame.assign(x=[float(n) for n in range(len(frame))])
        middle, pieces = keys[len(keys) // 2], []
        ends: list[tuple[float, float, str, str]] = []
        for n in range(len(keys) // 2):
            part = frame[frame[keys[n]].notna() & frame[keys[-1 - n]].notna()]
            band = pd.DataFrame({"x": part["x"], "low": part[keys[n]].astype(float), "high": part[keys[-1 - n]].astype(float)})
            if len(band):
                pieces.append(look.band(band, look.color(), alpha=0.16 + 0.1 * n))
        for key, color, dash in ((middle, 0, True), (value, 1, False)):
            if key is None:
                continue
            part = frame[frame[key].notna()]
            if part.empty:
                continue
            data = pd.DataFrame({"x": part["x"], "y": part[key].astype(float)})
            pieces.append(look.lines(data, look.color(color), dash=dash))
            told = data.assign(
                at=[look.text(x, one) for one in part[x]], said=[look.text(key, one) for one in part[key]], row=part["index"].to_list()
            )
            pieces.append(look.dots(told, look.color(color), hover=[(look.label(x), "@at"), (look.label(key), "@said")]))
            ends.append((float(data["x"].iloc[-1]), float(data["y"].iloc[-1]), clipped(look.label(key), 16), look.color(color)))
        if not pieces:
            return look.nothing()
        used = [*keys, *([value] if value else [])]
        limits, ticks = look.scale(middle, [one for key in used for one in frame[key]])
        marks, turned = look.across(x, list(frame[x]), 36)
        return look.whole(
            [*pieces, *look.ends(ends, limits)], grid=True, xticks=marks, yticks=ticks, xrotation=turned, xlim=(-0.3, len(frame) - 0.7),
            ylim=limits, right=[text for _, _, text, _ in ends], foot=self.shaded(look, keys),
        )  # fmt: skip

    def shaded(self, look: Look, keys: list[str]) -> str:
        """What the band is, in words."""
        return look.t("Shaded: {low} to {high}", low=look.label(keys[0]), high=look.label(keys[-1])) if len(keys) > 1 else ""
