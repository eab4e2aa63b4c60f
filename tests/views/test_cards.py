"""Cards with charts: drawn once for who sees the same, never shared with who sees less; a click on a piece opens its records."""

from __future__ import annotations

import shutil

import pytest
from bokeh.models import ColumnDataSource

from crm.analytics import reports as engine
from crm.analytics import run
from crm.charts import finished
from crm.records import SYSTEM, Company
from crm.views import cards
from crm.views.app import App


@pytest.fixture(scope="module")
def company(demo_store, tmp_path_factory):
    from crm.schema import load, shipped
    from crm.stores import open_store

    store = open_store(str(shutil.copy(demo_store, tmp_path_factory.mktemp("cards") / "demo.db")))
    yield Company(load(shipped("sales")), store)
    store.close()


@pytest.fixture
def drawn(monkeypatch):
    """The charts that were drawn, by report."""
    found = []
    draw = engine.Result.chart
    monkeypatch.setattr(engine.Result, "chart", lambda self, **more: found.append(self.report.name) or draw(self, **more))
    monkeypatch.setattr(finished, "_kept", type(finished._kept)())
    return found


def window(company, role):
    users = company.schema.users
    found = company.door(SYSTEM).list(users.entity, where=f"{users.role} == '{role}'", limit=1, order=["id"])[0]
    return App(company, company.actor(found.id), query="view=settings")


def values(pane):
    return [list(one.data["said"]) for one in pane.object.select(ColumnDataSource) if "said" in one.data]


def test_a_chart_is_drawn_once_until_its_figures_change(company, drawn):
    app, name = window(company, "sales_manager"), "revenue_by_rep"
    first = cards.drawn(app, run(app.door, name), 220, cards.MOST)
    again = cards.drawn(app, run(app.door, name), 220, cards.MOST)
    other = cards.drawn(window(company, "director"), run(window(company, "director").door, name), 220, cards.MOST)
    assert drawn == [name]  # the director sees the same
    assert values(first) == values(again) == values(other) and first.object is not again.object
    company.door(SYSTEM).create("product", {"name": "Chart", "code": "CH-1", "price": 1})
    cards.drawn(app, run(app.door, name), 220, cards.MOST)
    assert drawn == [name]
    app.dark = True
    cards.drawn(app, run(app.door, name), 220, cards.MOST)
    cards.drawn(app, run(app.door, name), 300, cards.MOST)
    assert drawn == [name] * 3


def test_who_sees_less_gets_no_chart_of_who_sees_more(company, drawn):
    boss, rep = window(company, "sales_manager"), window(company, "rep")
    whole, own = (cards.drawn(app, run(app.door, "revenue_by_rep"), 220, cards.MOST) for app in (boss, rep))
    assert drawn == ["revenue_by_rep"] * 2
    assert values(whole) != values(own)
    plain = cards.drawn(rep, run(rep.door, "revenue_by_rep"), 220, cards.MOST)  # kept by now
    assert values(plain) == values(own)


def test_a_click_on_a_bar_opens_its_records(company):
    app, opened = window(company, "sales_manager"), []
    result = run(app.door, "revenue_by_rep")
    for _ in range(2):  # drawn, and kept
        figure = cards.drawn(app, result, 220, cards.MOST, opened=opened.append).object
        source = next(one for one in figure.select(ColumnDataSource) if "row" in one.data)
        assert [name == text for name, text in zip(source.data["name"], [row[0] for row in result.texts()], strict=False)]
        source.selected.indices = [2]
        assert opened.pop() == int(source.data["row"][2])
        source.selected.indices = []
        assert not opened
