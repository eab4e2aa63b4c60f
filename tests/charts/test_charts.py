"""Every chart of the registry draws few, many, missing and negative values, in the app's and in the print backend."""

from decimal import Decimal

import holoviews as hv
import pandas as pd
import pytest
from bokeh.core.validation import check_integrity

from crm.charts import CHARTS, Column, Look
from crm.words import Words

hv.extension("bokeh", "matplotlib", logo=False)
COLUMNS = {
    "group": Column("group", "Stage"),
    "value": Column("value", "Value", "money", "measure"),
    "kind": Column("kind", "Kind"),
    "month": Column("month", "Month", "date", "dimension", "month"),
    "goal": Column("goal", "Goal", "money", "measure"),
    "chance": Column("chance", "Chance", "percent", "measure"),
    "came": Column("came", "Came true", "percent", "measure"),
    "many": Column("many", "Many", "integer", "measure"),
    "days": Column("days", "Days", "integer"),
}


def frame(groups, low=-5.0):
    return pd.DataFrame(
        {
            "group": [f"Group with a rather long name {n}" for n in range(groups)],
            "value": [None if n == 3 else low + n for n in range(groups)],
            "kind": ["a" if n % 2 else "b" for n in range(groups)],
            "month": pd.date_range("2000-01-01", periods=groups, freq="MS"),
            "goal": [20.0 + n % 7 for n in range(groups)],
            "chance": [(n + 0.5) / groups for n in range(groups)],
            "came": [None if n == 3 else (n / groups) ** 1.3 for n in range(groups)],
            "came_low": [max(0.0, n / groups - 0.2) for n in range(groups)],
            "came_high": [min(1.0, n / groups + 0.2) for n in range(groups)],
            "many": [n * 7 % 11 for n in range(groups)],
            "days": list(range(groups)),
        }
    )


#: What lies on the axes of charts that want more than a group and a value.
AXES = {
    "box": {"x": "group", "y": ["value", "many", "goal"]},
    "fan": {"x": "month", "y": ["many", "value", "goal"], "value": "goal"},
    "interval": {"x": "group", "y": "came", "value": "chance"},
    "calibration": {"x": "chance", "y": "came", "size": "many"},
    "scatter": {"x": "many", "y": "value", "label": "group"},
    "bullet": {"x": "group", "y": "value", "target": "goal"},
    "sankey": {"source": "group", "target": "kind", "y": "many"},
    "survival": {"y": "came"},
    "trend": {"x": "month", "y": "value"},
    "area": {"x": "month", "y": "value", "by": "kind"},
}


def axes_of(cls):
    roles = {"dimension": iter(["group", "kind"]), "measure": iter(["value"])}
    return AXES.get(cls.name) or {name: next(roles[role.rstrip("?+")]) for name, role in cls.axes.items()}


@pytest.mark.parametrize("backend", ["bokeh", "matplotlib"])
@pytest.mark.parametrize("groups", [0, 1, 5, 200])
@pytest.mark.parametrize("name", list(CHARTS))
def test_chart_draws(name, groups, backend):
    cls = CHARTS[name]
    drawn = cls().draw(frame(groups), Look(Words("en"), COLUMNS, backend=backend), **axes_of(cls))
    plot = hv.renderer(backend).get_plot(drawn)
    if backend == "bokeh":  # names of columns that are not there, axes that do not fit …
        assert not check_integrity(plot.state.references()).error


@pytest.mark.parametrize("name", ["bars", "line", "funnel"])
def test_a_click_finds_the_row_it_was_on(name):
    """Each drawn piece carries the number of its row, whatever order it is drawn in."""
    data = frame(5, low=1.0).fillna(4.0)
    drawn = CHARTS[name]().draw(data, Look(Words("en"), COLUMNS), x="group", y="value")
    element = drawn.traverse(lambda one: one, [hv.Points, hv.Polygons, hv.Rectangles])[0]
    rows = [int(row) for row in element.dimension_values("row", expanded=False)]
    assert sorted(rows) == [0, 1, 2, 3, 4]
    if name == "bars":
        for label, row in zip(element.dimension_values("name"), rows, strict=True):
            assert data["group"][row][:20] == label[:20]


def test_values_are_said_in_the_language_of_the_user():
    english, polish = Look(Words("en", currency="EUR"), COLUMNS), Look(Words("pl", currency="EUR"), COLUMNS)
    assert english.text("value", Decimal("48500.50")) == "€48,500.50"
    assert polish.text("value", Decimal("48500.50")).replace("\xa0", " ") == "48 500,50 €"
    assert english.text("month", pd.Timestamp("2026-03-01").date()) == "Mar 2026"
    assert english.text("value", None) == "–"


def test_same_names_stay_apart():
    look = Look(Words("en"), COLUMNS)
    assert look.texts(pd.DataFrame({"group": ["Same", "Same", "Other"]}), "group") == ["Same", "Same (2)", "Other"]


def test_markup_in_a_name_stays_text():
    """Names are drawn as text of a canvas; none of them reaches the page as markup."""
    data = pd.DataFrame({"group": ["<img src=x onerror=alert(1)>"], "value": [1.0]})
    drawn = CHARTS["bars"]().draw(data, Look(Words("en"), COLUMNS), x="group", y="value")
    plot = hv.renderer("bokeh").get_plot(drawn).state
    from bokeh.models import Div

    assert not plot.select(Div)


def figure(name="bars", data=None, **axes):
    drawn = CHARTS[name]().draw(data, Look(Words("en", currency="EUR"), COLUMNS), **axes)
    return hv.renderer("bokeh").get_plot(drawn).state


def test_the_figure_beside_a_bar_has_room_and_is_not_cut():
    """The room at the right holds the longest text that stands there, and texts are drawn beyond the frame."""
    state = figure(data=pd.DataFrame({"group": ["A", "B"], "value": [729_400.0, 1.0]}), x="group", y="value")
    texts = [one for one in state.renderers if type(one.glyph).__name__ == "Text"]
    assert state.min_border_right >= 6 * len("€729.4K") and {one.level for one in texts} == {"annotation"}


def test_long_names_stand_on_two_lines_and_what_is_left_out_is_said():
    long = "Przedsiębiorstwo Produkcyjno-Handlowo-Usługowe Kowalski i Synowie"
    look = Look(Words("en"), COLUMNS, most=5)
    [name] = look.names(pd.DataFrame({"group": [long]}), "group")
    assert name.count("\n") == 1 and all(len(line) <= 18 for line in name.split("\n")) and name.endswith("…")
    assert len(look.first(frame(40), 30)) == 5 and look.rest(5) == "The first 5 of 40; the table has the others"
    assert Look(Words("en"), COLUMNS).rest(5) == ""


def test_months_on_an_axis_say_the_year_once_and_never_overlap():
    days = list(pd.date_range("2025-06-01", periods=30, freq="MS"))
    for room in (20.0, 46.0):
        ticks, turned = Look(Words("en"), COLUMNS).across("month", days, room)
        assert not turned and sum(max(map(len, said.split("\n"))) + 1 for _, said in ticks) <= room + 6
    few, _ = Look(Words("en"), COLUMNS).across("month", days[:8])
    assert few[0] == (0.0, "Jun\n2025") and few[1][1] == "Jul" and few[7][1] == "Jan\n2026"


def test_a_missing_value_is_no_nothing():
    """What is not known has neither a bar nor a zero."""
    state = figure(data=pd.DataFrame({"group": ["A", "B"], "value": [5.0, None]}), x="group", y="value")
    said = [text for one in state.renderers if type(one.glyph).__name__ == "Text" for text in one.data_source.data["text"]]
    assert [one.strip() for one in said] == ["€5", "–"]
    bars = [one for one in state.renderers if type(one.glyph).__name__ == "Quad"]
    assert sum(len(one.data_source.data["row"]) for one in bars) == 1


def simulated(color: str, kind: str) -> tuple[float, float, float]:
    """A colour as somebody without red or green cones sees it (Machado, Oliveira and Fernandes 2009), as CIELAB."""
    import numpy as np

    rows = {
        "none": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
        "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    }[kind]
    rgb = np.array([int(color[n : n + 2], 16) / 255 for n in (1, 3, 5)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(rows) @ linear, 0, 1)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ seen / [0.9505, 1, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return 116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])


@pytest.mark.parametrize("kind", ["none", "protan", "deutan"])
@pytest.mark.parametrize("dark", [0, 1])
def test_series_differ_for_the_colour_blind(kind, dark):
    """Any two of the first four series, which share a chart most often, are ten units of CIELAB apart, neighbours fifteen."""
    from crm.charts.base import SERIES

    seen = [simulated(pair[dark], kind) for pair in SERIES]
    apart = {(a, b): sum((p - q) ** 2 for p, q in zip(seen[a], seen[b], strict=True)) ** 0.5 for a in range(8) for b in range(a)}
    assert all(apart[a, b] >= 10 for a, b in apart if a < 4), {pair: round(value) for pair, value in apart.items() if value < 10}
    assert all(apart[n + 1, n] >= 15 for n in range(7)), [round(apart[n + 1, n]) for n in range(7)]


def texts_of(state):
    return [text.strip() for one in state.renderers if type(one.glyph).__name__ == "Text" for text in one.data_source.data["text"]]


def test_several_measures_stand_beside_each_other_under_their_names():
    """Each group is named once; each measure has its colour and its name."""
    from bokeh.models.annotations import Legend

    data = pd.DataFrame({"group": ["A", "B"], "value": [5.0, 3.0], "goal": [4.0, 6.0]})
    state = figure(data=data, x="group", y=["value", "goal"])
    assert [item.label.value for item in state.select_one(Legend).items] == ["Value", "Goal"]
    assert not [name for name in state.yaxis[0].major_label_overrides.values() if "(2)" in name]
    assert len({one.glyph.fill_color for one in state.renderers if type(one.glyph).__name__ == "Quad"}) == 2


def test_a_figure_lies_neither_on_its_bar_nor_on_the_mark_of_what_it_is_compared_with():
    columns = {**COLUMNS, "value_last_year": Column("value_last_year", "Value, last year", "money", "measure")}
    data = pd.DataFrame({"group": ["A", "B", "C"], "value": [900.0, 400.0, 100.0], "value_last_year": [500.0, 450.0, None]})
    state = hv.renderer("bokeh").get_plot(CHARTS["bars"]().draw(data, Look(Words("en"), columns), x="group", y="value")).state
    [at] = [one.data_source.data["x"] for one in state.renderers if type(one.glyph).__name__ == "Text"]
    assert list(at) == [900.0, 450.0, 100.0]
    data = data[["group", "value"]]
    table = figure("bar_table", data, x="group")
    said = next(one.data_source.data for one in table.renderers if type(one.glyph).__name__ == "Text" and len(one.data_source.data["text"]) == 3)
    [bars] = [one.data_source.data for one in table.renderers if type(one.glyph).__name__ == "Quad"]
    assert list(said["x"]) == list(bars["right"]) and max(bars["right"]) < 0.9 * table.x_range.end  # and the longest bar leaves it room


def test_a_part_moves_by_points_and_money_by_percent():
    months = list(pd.date_range("2026-01-01", periods=2, freq="MS"))
    data = pd.DataFrame({"month": months, "chance": [0.4, 0.5], "value": [40.0, 50.0]})
    assert "Feb 2026: ▲ +10 points\n(Jan 2026)" in texts_of(figure("trend", data, x="month", y="chance"))
    assert "Feb 2026: ▲ +25%\n(Jan 2026)" in texts_of(figure("trend", data, x="month", y="value"))


def test_several_falling_stairs_are_named_above_with_their_medians():
    """Their ends and middles lie close to each other: names written there would lie on one another."""
    from bokeh.models.annotations import Legend

    data = pd.DataFrame({"group": ["A"] * 3 + ["B"] * 3, "days": [0, 10, 20, 0, 11, 30], "came": [1.0, 0.5, 0.1, 1.0, 0.6, 0.3]})
    data = data.assign(came_low=data["came"] - 0.1, came_high=data["came"] + 0.1)
    state = figure("survival", data, y="came", by="group")
    assert [item.label.value for item in state.select_one(Legend).items] == ["A: 10 days", "B: 30 days"] and not texts_of(state)


def test_what_is_shaded_is_said():
    from bokeh.models.annotations import Title

    state = figure("fan", frame(5, low=1.0), x="month", y=["many", "value", "goal"])
    assert [one.text for one in state.below if isinstance(one, Title)] == ["Shaded: Many to Goal"]


def test_figures_have_room_on_a_phone_in_a_language_that_says_them_longer():
    """Thousands are `tys. €` in Polish: figures above bars stand on two lines, a table draws as many columns as fit, ticks are fewer."""
    look = Look(Words("pl", currency="EUR"), COLUMNS)
    data = pd.DataFrame({"group": list("ABCDEF"), "value": [90_700.0 + n for n in range(6)]})
    data = data.assign(goal=data["value"], many=[3] * 6, chance=[0.229] * 6, days=[4] * 6)
    fall = hv.renderer("bokeh").get_plot(CHARTS["waterfall"]().draw(data[["group", "value"]], look, x="group", y="value")).state
    assert all(max(map(len, text.split("\n"))) * 7 <= 50 for text in texts_of(fall))
    assert look.narrow(["90,7\xa0tys.\xa0€"] * 3) == ["90,7\xa0tys.\xa0€"] * 3
    table = hv.renderer("bokeh").get_plot(CHARTS["bar_table"]().draw(data, look, x="group")).state
    heads = [text for text in texts_of(table) if not text[0].isdigit()]
    assert [head.replace("\n", " ") for head in heads] == ["Value", "Goal", "Many"]
    assert look.thinned([(0.0, "0\xa0€"), (1.0, "200\xa0tys.\xa0€"), (2.0, "400\xa0tys.\xa0€"), (3.0, "600\xa0tys.\xa0€")])[1] == (2.0, "400\xa0tys.\xa0€")


def quads(state):
    return [one.data_source.data for one in state.renderers if type(one.glyph).__name__ == "Quad"]


def whole(text):
    """A name as one reads it, on however many lines it stands."""
    return text.replace("\n", " ")


@pytest.mark.parametrize("name", ["waterfall", "pareto"])
def test_names_are_never_turned(name):
    """Few short names stand below upright bars; others stand beside lying ones, whole."""
    data = frame(3, low=1.0)
    short = figure(name, data.assign(group=["Won", "Lost", "New deals"]), x="group", y="value")
    long = figure(name, data.assign(group=["Machines and lines for packing", "Parts", "Yearly maintenance"]), x="group", y="value")
    for state in (short, long):
        assert all(axis.major_label_orientation in ("horizontal", 0, 0.0) for axis in state.axis)
    assert "New deals" in map(whole, short.xaxis[0].major_label_overrides.values())
    assert "Machines and lines for packing" in map(whole, long.yaxis[0].major_label_overrides.values())
    assert all(one["right"][0] - one["left"][0] == pytest.approx(0.72 if name == "waterfall" else 0.76) for one in quads(short))
    assert all(one["top"][0] - one["bottom"][0] == pytest.approx(0.72) for one in quads(long))


def test_a_lying_waterfall_leads_from_one_step_to_the_next():
    names = ["Open at the beginning of the quarter", "What came in since then", "Nobody knows yet", "What was lost since then"]
    data = pd.DataFrame({"group": names, "value": [100.0, 40.0, None, -160.0]})
    state = figure("waterfall", data, x="group", y="value")
    sides = sorted((-round(bottom + 0.36), left, right) for one in quads(state) for left, right, bottom in zip(one["left"], one["right"], one["bottom"], strict=True))
    assert sides == [(0, 0.0, 100.0), (1, 100.0, 140.0), (2, 140.0, 140.0), (3, -20.0, 140.0), (4, -20.0, 0.0)]
    assert [one.strip() for one in texts_of(state)] == ["+€100", "+€40", "–", "-€160", "-€20"]
    ended = hv.renderer("bokeh").get_plot(CHARTS["waterfall"]().draw(data, Look(Words("en", currency="EUR"), COLUMNS), x="group", y="value", ends=True)).state
    assert [one.strip() for one in texts_of(ended)] == ["€100", "+€40", "–", "-€160"]


def test_a_lying_pareto_says_value_part_and_class():
    names = ["Machines and lines for packing", "Parts that wear out", "Yearly maintenance", "Training of operators", "Returned by customers"]
    data = pd.DataFrame({"group": names, "value": [800.0, 140.0, 50.0, 10.0, -5.0]})
    said = [one.strip() for one in texts_of(figure("pareto", data, x="group", y="value"))]
    assert said[:4] == ["€800 · 80% A", "€140 · 94% B", "€50 · 99% B", "€10 · 100% C"] and said[4] == "80%"


@pytest.mark.parametrize(
    ("value", "goal"), [([None, None], [None, None]), ([-5.0, -2.0], [None, None]), ([-5.0, 8.0], [10.0, -3.0]), ([0.0, 0.0], [0.0, 0.0])]
)
def test_a_bullet_has_its_ground_wherever_figures_lie(value, goal):
    state = figure("bullet", pd.DataFrame({"group": ["A", "B"], "value": value, "goal": goal}), x="group", y="value", target="goal")
    for one in quads(state):
        assert all(left <= right for left, right in zip(one["left"], one["right"], strict=True))
        assert all(state.x_range.start <= left and right <= state.x_range.end for left, right in zip(one["left"], one["right"], strict=True))
    texts = [one.data_source.data for one in state.renderers if type(one.glyph).__name__ == "Text"]
    assert all(at >= right for one in texts for at in one["x"] for ground in quads(state)[:1] for right in ground["right"])


def test_a_difference_of_parts_is_told_in_points():
    """40 % against 28 % are twelve percentage points more, not twelve percent."""
    columns = {"group": Column("group", "Fact"), "came": Column("came", "Difference", "percent", "measure", points=True)}
    columns |= {"chance": Column("chance", "Chance", "percent", "measure")}
    data = pd.DataFrame({"group": ["A", "B"], "came": [0.1234, -0.25], "came_low": [0.05, -0.4], "came_high": [0.2, 0.1], "chance": [0.0, 0.5]})
    look = Look(Words("en"), columns)
    state = hv.renderer("bokeh").get_plot(CHARTS["interval"]().draw(data, look, x="group", y="came", value="chance")).state
    assert [one.strip() for one in texts_of(state)] == ["+12", "−25"]
    assert state.xaxis[0].axis_label == "Difference, percentage points"
    assert not any("%" in said for said in state.xaxis[0].major_label_overrides.values())
    assert look.text("came", 0.1234) == "+12.3 points" and look.text("came", -0.25, short=True) == "−25 points"
    assert look.text("chance", 0.5) == "50%"


def test_names_are_folded_evenly_and_given_room():
    look = Look(Words("en"), COLUMNS)
    names = ["Days since the last contact over 12.5", "Meetings and visits a week over 0.1", "Source: not filled in"]
    assert look.names(pd.DataFrame({"group": names}), "group") == [
        "Days since the last\ncontact over 12.5", "Meetings and visits\na week over 0.1", "Source: not\nfilled in",
    ]  # fmt: skip
