"""A chart is drawn once for the same figures, and each window gets models of its own."""

from __future__ import annotations

import re
from numbers import Number

import numpy as np
import pytest
from bokeh.model import Model

from crm.charts import CHARTS, Look, finished
from crm.charts.base import ready
from crm.words import Words

from .test_charts import COLUMNS, axes_of, frame


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch):
    monkeypatch.setattr(finished, "_kept", type(finished._kept)())


def drawing(name, groups=5):
    cls = CHARTS[name]
    return cls().draw(frame(groups), Look(Words("en"), COLUMNS), **axes_of(cls))


def told(figure):
    """A figure as plain data: of each model all that it says, models numbered in the order in which they come."""
    numbers: dict[str, int] = {}
    found = []

    def plain(value):
        if isinstance(value, Model):
            if value.id not in numbers:
                numbers[value.id] = len(numbers)
                found.append((type(value).__name__, {key: plain(one) for key, one in sorted(value.properties_with_values().items())}))
            return numbers[value.id]
        if isinstance(value, dict):
            return {str(key): plain(one) for key, one in value.items()}
        if isinstance(value, list | tuple | np.ndarray):
            return [plain(one) for one in value]
        return float(value) if isinstance(value, Number) and not np.isnan(value) else re.sub(r"id='\w+'", "", repr(value))

    plain(figure)
    return found


@pytest.mark.parametrize("name", [name for name in CHARTS if name != "table"])
def test_a_kept_chart_is_the_chart(name):
    first = finished.figure(name, lambda: drawing(name))
    again = finished.figure(name, lambda: pytest.fail("drawn twice"))
    assert told(first) == told(again)
    assert not {one.id for one in first.references()} & {one.id for one in again.references()}
    assert [type(one) for one in again.renderers] == [type(one) for one in first.renderers]


def test_a_kept_chart_is_what_holoviews_draws():
    plain = ready("bokeh").get_plot(drawing("bars")).state
    kept = [finished.figure("bars", lambda: drawing("bars")) for _ in range(2)][1]
    assert told(kept) == told(plain)


def test_another_chart_is_drawn_anew_and_only_so_many_are_kept(monkeypatch):
    monkeypatch.setattr(finished, "KEPT", 2)
    asked = []

    def draw(key):
        return finished.figure(key, lambda: asked.append(key) or drawing("bars", 1))

    for key in ("a", "b", "a", "c", "a", "b"):
        draw(key)
    assert asked == ["a", "b", "c", "b"]  # `b` was longest not asked for when `c` came


def test_there_are_no_tools_that_nobody_sees():
    """Each tool is several models of every drawing, and what it does on a chart without a tool bar surprises."""
    for name in ("bars", "line", "funnel", "waterfall", "fan"):
        tools = {type(one).__name__ for one in ready("bokeh").get_plot(drawing(name)).state.toolbar.tools}
        assert tools <= {"HoverTool", "TapTool"}, name


def test_what_many_bars_are_compared_with_is_one_piece():
    data = frame(30, low=1.0).fillna(4.0).assign(value_goal=5.0)
    columns = {**COLUMNS, "value_goal": COLUMNS["goal"]}
    drawn = CHARTS["bars"]().draw(data, Look(Words("en"), columns), x="month", y="value")
    glyphs = [type(one.glyph).__name__ for one in ready("bokeh").get_plot(drawn).state.renderers]
    assert glyphs.count("Segment") == 1 and "Line" not in glyphs
