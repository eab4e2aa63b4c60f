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
    return AXES.get(cls.name) or {name: next(roles[role.rstrip("?")]) for name, role in cls.axes.items()}


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
    element = drawn.traverse(lambda one: one, [hv.Bars, hv.Points, hv.Polygons])[0]
    rows = [int(row) for row in element.dimension_values("row", expanded=False)]
    assert sorted(rows) == [0, 1, 2, 3, 4]
    if name == "bars":
        for label, row in zip(element.dimension_values("x"), rows, strict=True):
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
