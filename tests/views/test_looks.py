"""What screens say beside their figures: the period a figure is of, the day before the words, days as their reader writes them."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from crm.analytics import run
from crm.records import Company
from crm.schema import load, shipped
from crm.stores import open_store
from crm.views import kpis
from crm.views.app import App
from crm.views.listing import short_date


@pytest.fixture(scope="module", params=["sales", "nonprofit"])
def company(request, demo_store, nonprofit_store, tmp_path_factory):
    source = {"sales": demo_store, "nonprofit": nonprofit_store}[request.param]
    store = open_store(str(shutil.copy(source, tmp_path_factory.mktemp("looks") / "demo.db")))
    yield Company(load(shipped(request.param)), store)
    store.close()


def app_of(company, query="", language="en"):
    users = company.schema.users
    admin = next(row for row in company.find(users.entity) if row.get(users.role) == "admin")
    return App(company, replace(company.actor(admin.doc_id), language=language), query)


def test_a_kpi_says_which_period_its_figure_is_of(company):
    app = app_of(company, "view=settings")
    name = next(name for name, one in company.schema.kpis.items() if one.period == "quarter")
    result = run(app.door, name)
    assert kpis.card(app, result)["change"].startswith(f"{app.t.period(result.exact[-1][0], 'quarter')} so far · ")


def test_every_report_says_what_it_is_about_and_the_navigation_speaks_polish(company):
    polish = company.schema.words("pl")
    for name, report in company.schema.reports.items():
        assert report.help and report.help_in(polish) not in ("", report.help), name
    named = [link.label for group in company.schema.navigation for link in group.links if link.label]
    assert not [label for label in named if polish(label) == label]


def test_a_card_says_the_day_before_the_words(company):
    """Where there is little room the words are cut, not the day."""
    pipeline = next(one for one in company.schema.pipelines.values() if one.fields.get("next"))
    board = app_of(company, f"view=board&pipeline={pipeline.name}").now
    found = 0
    for record in board.door.list(pipeline.entity, where="stage.open", limit=40):
        day = record.get(pipeline.fields["next"])
        stage = company.schema.stage_of(pipeline.entity, record)
        if day and stage is not None:
            found += 1
            assert board.card(record, stage)["next"].startswith(short_date(board.t, day)), record.title
    assert found


@pytest.mark.slow
def test_days_are_shown_as_their_reader_writes_them(company):
    app = app_of(company, f"view=report&name={next(name for name, one in company.schema.reports.items() if one.period)}&p=2026-01-01..2026-03-31", "pl")
    dates = app.now.bar.content["dates"]
    assert dates["from"] == "2026-01-01" and dates["first"] == app.t.date(app.now.asked.days[0]) and dates["last"] != dates["to"]
    forecast = app_of(company, f"view=forecast&name={next(iter(company.schema.forecasts))}&asof=2026-03-01", "pl").now
    assert forecast.part.content["day"] == app.t.date(app.now.asked.days[0].replace(month=3))


def test_charts_keep_their_look_whatever_theme_the_document_has(company):
    """Legends and lines below a chart are not dressed again by the page."""
    from bokeh.document import Document
    from bokeh.themes import Theme

    for attrs in ({}, {"Title": {"text_color": "black"}}):
        doc = Document()
        doc.theme = Theme(json={"attrs": attrs})
        assert set(app_of(company, "view=settings").page.get_root(doc).data._custom_theme) == {"Axis", "Grid", "Legend", "Title"}
