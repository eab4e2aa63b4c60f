"""F15, I11: notebook and app are one. A card opens as the notebook that makes it again; a filter or a chart made in Python stands in the app."""

from __future__ import annotations

import ast
import shutil
from datetime import timedelta

import nbformat
import pandas as pd
import pytest

from crm.analytics import names, run
from crm.analytics.notebook import file_name, notebook_of
from crm.analytics.own import drop_card
from crm.client import Client
from crm.errors import ConfigError, Denied, Missing, Refused
from crm.records import SYSTEM, Company
from crm.records.saved import VIEW, saved
from crm.schema import load, shipped
from crm.stores import open_store
from crm.views.app import App
from crm.views.listing import Listing
from tests.notebooks import cells, executed


@pytest.fixture(scope="module", params=["sales", "nonprofit"])
def company(request, demo_store, nonprofit_store, tmp_path_factory):
    source = {"sales": demo_store, "nonprofit": nonprofit_store}[request.param]
    store = open_store(str(shutil.copy(source, tmp_path_factory.mktemp("store") / "demo.db")))
    yield Company(load(shipped(request.param)), store)
    store.close()


@pytest.fixture
def opened(company, monkeypatch):
    """`crm.open` of a notebook finds this company without reading it anew."""
    monkeypatch.setattr("crm.client.open_company", lambda config=None, data=None: company)
    return company


def deals(company):
    """The pipeline with amounts, and the names of its fields by role."""
    return next(one for one in company.schema.pipelines.values() if "amount" in one.fields and "owner" in one.fields)


def clients(company, wanted=None):
    """One client per role that is somebody's, over the same company; `wanted(client)` chooses."""
    door, users = company.door(SYSTEM), company.schema.users
    found = {}
    for record in door.list(users.entity, limit=None, order=["id"]):
        actor = company.people.actor(record.id)
        if actor.active and actor.role not in found and not actor.admin:
            found[actor.role] = client(company, actor.login)
    return [one for one in found.values() if wanted is None or wanted(one)]


def client(company, login=None):
    return Client(company, login)


def limited(company):
    """Somebody who sees only a part of the deals."""
    pipeline, whole = deals(company), company.door(SYSTEM)
    return next(
        one
        for one in clients(company)
        if one.door.may("see", pipeline.entity) and 0 < one.door.count(pipeline.entity) < whole.count(pipeline.entity)
    )


# --- from the app to the notebook


def test_a_report_opens_as_the_notebook_that_makes_it_again(opened):
    """For somebody who sees a part only: the same rows, the same stamp, also narrowed and in the past."""
    someone = limited(opened)
    pipeline = deals(opened)
    name = next(
        one for one in names(someone.door) if opened.schema.reports[one].entity == pipeline.entity and opened.schema.reports[one].by
    )
    past = opened.now() - timedelta(days=200)
    for asked in ({}, {"where": f"{pipeline.fields['amount']} > 1000"}, {"as_of": past.replace(microsecond=0)}):
        result = run(someone.door, name, **asked)
        taken = notebook_of(someone.door, "report", name, where=result.where, as_of=result.as_of, stamp=result.stamp)
        assert result.stamp in taken.decode()
        again = executed(taken)["report"]
        pd.testing.assert_frame_equal(again.frame, result.frame)
        assert again.stamp == result.stamp and again.rows == result.rows and again.says == result.says
        whole = run(opened.door(SYSTEM), name, **asked)
        assert whole.rows != result.rows, "the notebook holds the part of its user"


@pytest.mark.parametrize("current", ["bokeh", "matplotlib"])
def test_charts_stand_on_the_ground_of_a_dark_notebook(company, monkeypatch, current):
    """`crm.open(dark=True)` for all, `dark=True` for one: the colours of the app's dark side, on its ground.

    Also in a process where HoloViews draws with matplotlib unless told otherwise, because it made a PDF or a mail first.
    """
    import holoviews as hv
    import panel as pn

    from crm.charts.base import GROUND, INK, SERIES, ready
    from tests.notebooks import shown

    if not pn.extension._loaded:
        pn.extension()
    ready(current)
    monkeypatch.setattr(hv.Store, "current_backend", current)
    pipeline = deals(company)
    asked = {"by": pipeline.fields["stage"], "measures": "count", "chart": "bars"}
    light, dark = Client(company), Client(company, dark=True)
    for made, side in (
        (light.chart(pipeline.entity, **asked), 0), (light.chart(pipeline.entity, **asked, dark=True), 1),
        (dark.chart(pipeline.entity, **asked), 1), (dark.chart(pipeline.entity, **asked, dark=False), 0),
    ):  # fmt: skip
        text = " ".join(shown(made).values())
        assert GROUND[side] in text and INK[side] in text and SERIES[0][side] in text
        assert INK[1 - side] not in text and SERIES[0][1 - side] not in text


def test_frames_have_types_that_pandas_works_well_with(company):
    """Against the values the door gives one by one."""
    someone = client(company)
    for name, entity in company.schema.entities.items():
        frame = getattr(someone, name).frame(limit=200)
        records = {record.id: record for record in company.door(SYSTEM).list(name, limit=200, order=["id"])}
        assert list(frame.index) == list(records)
        for key in frame.columns:
            field, column = entity.fields[key], frame[key]
            kept = [record.stored.get(key) for record in records.values()]  # what follows the day is kept by the worker
            said = pd.Series([None if one is None else field.from_json(one) for one in kept], index=frame.index, dtype=object)
            assert column.notna().tolist() == said.notna().tolist() or field.kind in ("list", "lines"), (name, key)
            if field.kind == "choice":
                assert isinstance(column.dtype, pd.CategoricalDtype) and column.astype(object).dropna().tolist() == said.dropna().tolist()
            elif field.kind == "datetime":
                assert column.dt.tz is not None and [one.timestamp() for one in column.dropna()] == pytest.approx(
                    [one.timestamp() for one in said.dropna()], abs=0.001
                )
            elif field.kind == "date":
                assert [one.date() for one in column.dropna()] == said.dropna().tolist()
            elif field.kind == "money":
                assert column.dtype == "float64" and column.dropna().tolist() == pytest.approx([float(one) for one in said.dropna()])
            elif field.kind == "boolean":
                assert column.dtype == "boolean"
            elif field.kind == "link":
                assert column.dtype == "Int64" and column.dropna().tolist() == said.dropna().tolist()
            elif field.kind == "text":
                assert column.dtype == "string" and column.dropna().tolist() == said.dropna().tolist()
    pipeline = deals(company)
    owner = pipeline.fields["owner"]
    named = getattr(someone, pipeline.entity).frame([owner, pipeline.fields["stage"]], limit=50, titles=True)
    to = company.schema.entities[pipeline.entity].fields[owner].to
    records = company.door(SYSTEM).list(pipeline.entity, limit=50, order=["id"])
    assert named[owner].tolist() == [company.door(SYSTEM).title(to, record[owner]) for record in records]
    order = [key for one in company.schema.pipelines.values() for key in one.stages]
    there = list(named[pipeline.fields["stage"]].cat.categories)
    assert there == sorted(there, key=order.index) and named[pipeline.fields["stage"]].cat.ordered


def test_a_list_opens_with_its_view_filters_and_search(opened):
    someone, pipeline = limited(opened), deals(opened)
    stage = next(iter(pipeline.stages))
    view = next(iter(opened.schema.entities[pipeline.entity].list.filters))
    address = {"v": view, "f": f"{pipeline.fields['stage']}:is_not:{stage}", "w": f"{pipeline.fields['amount']} > 500"}
    app = App(opened, someone.actor)
    listing = Listing(app, pipeline.entity, address)
    space = executed(notebook_of(someone.door, "list", pipeline.entity, **address))
    assert list(space["records"].index) == sorted(listing.ids()) and len(space["records"]) > 0
    assert "Panel" in str(type(space["_shown"][-1][0])) or hasattr(space["_shown"][-1][0], "objects")


def test_every_dashboard_opens_as_cells_of_its_cards(opened):
    for someone in clients(opened):
        for name, board in opened.schema.dashboards.items():
            if board.roles and someone.actor.role not in board.roles:
                with pytest.raises(Missing):
                    notebook_of(someone.door, "dashboard", name)
                continue
            code = "\n".join(cells(notebook_of(someone.door, "dashboard", name)))
            for card in (card for row in board.rows for card in row):
                if card.kind == "report":
                    assert (f'c.report("{card.name}")' in code) == (card.name in names(someone.door))


def test_a_notebook_tells_nothing_of_the_machine_and_runs_nothing_of_the_data(company):
    someone, pipeline = limited(company), deals(company)
    nasty = """x" + __import__("os").getcwd() + "\n# <img src=x onerror=alert(1)> [a](javascript:1) '\\"""
    taken = notebook_of(someone.door, "list", pipeline.entity, q=nasty, label=nasty)
    text = taken.decode()
    assert str(company.schema.folder.resolve()) not in text and "secret" not in text.lower() and "argon2" not in text
    code = cells(taken)
    assert f'user="{someone.actor.login}"' in code[0]
    calls = [node for one in code for node in ast.walk(ast.parse(one)) if isinstance(node, ast.Call)]
    assert {ast.unparse(call.func) for call in calls} == {"crm.open", f"c.{pipeline.entity}.frame", "c.view"}
    assert nasty in [key.value.value for call in calls for key in call.keywords if isinstance(key.value, ast.Constant)]
    words = "\n".join(cell.source for cell in nbformat.reads(text, as_version=4).cells if cell.cell_type == "markdown")
    assert "onerror" in words and "<img" not in words and "\\[a\\](javascript" in words
    assert file_name("report", "../../etc/x y") == "report-etc-x-y.ipynb"


def test_what_is_not_for_a_user_does_not_open(company):
    for someone in clients(company):
        for name in company.schema.reports:
            if name not in names(someone.door):
                with pytest.raises(Missing):
                    notebook_of(someone.door, "report", name)
        for entity in company.schema.entities:
            if not someone.door.may("see", entity):
                with pytest.raises(Missing):
                    notebook_of(someone.door, "list", entity)
    with pytest.raises(Missing):
        notebook_of(company.door(SYSTEM), "nothing", "x")


# --- from the notebook to the app


def test_a_segment_is_a_tab_of_the_list(company):
    someone, pipeline = limited(company), deals(company)
    amount = pipeline.fields["amount"]
    records = getattr(someone, pipeline.entity)
    step = records.segment("Large ones", f"{amount} > 5000", order=f"-{amount}")
    listing = Listing(App(company, someone.actor), pipeline.entity, {"v": "own:large-ones"})
    assert ("own:large-ones", "Large ones") in [(name, label) for name, label, _ in listing.view_list()]
    expected = records.frame([amount], f"{amount} > 5000")
    assert listing.count() == len(expected) > 0 and (expected[amount] > 5000).all()
    assert [record.id for record in listing.records(3)] == list(
        expected.sort_values(amount, ascending=False, kind="stable").index[:3]
    ) or len(set(expected[amount].nlargest(4))) < 4
    assert len(records.frame(view="own:large-ones")) == len(expected)
    other = next(one for one in clients(company) if one.actor.id != someone.actor.id)
    assert all(one.name != "large-ones" for one in saved(other.door, VIEW)), "it is nobody else's"
    with pytest.raises((Denied, Missing)):
        other.door.undo(step)
    someone.door.undo(step)
    assert Listing(App(company, someone.actor), pipeline.entity, {"v": "own:large-ones"}).view == "all"
    for wrong in ("amuont > 5", f"{amount} >", "1 + 1"):
        with pytest.raises(Refused):
            records.segment("Wrong", wrong)
    with pytest.raises(Refused):
        records.segment("Nothing")


def test_a_shared_segment_is_asked_under_the_rights_of_each(company):
    """Everybody sees their own part of it; who may not read what it asks for does not even see its name."""
    whole, pipeline = client(company), deals(company)
    entity = company.schema.entities[pipeline.entity]
    seers = clients(company, lambda one: one.door.may("see", entity.name))
    hidden = next(
        (
            key
            for key in entity.own_fields
            if entity.fields[key].kind in ("money", "number") and any(key not in one.door.readable(entity.name) for one in seers)
        ),
        None,
    )
    steps = [getattr(whole, entity.name).segment("Shared by all", f"{pipeline.fields['amount']} > 0", share="all")]
    if hidden:
        steps.append(getattr(whole, entity.name).segment("Tells what is hidden", f"{hidden} > 0", share="all"))
    for one in seers:
        readable = one.door.readable(entity.name)
        if pipeline.fields["amount"] in readable:
            listing = Listing(App(company, one.actor), entity.name, {})
            name, label, _ = next(found for found in listing.view_list() if found[1] == "Shared by all")
            mine = Listing(App(company, one.actor), entity.name, {"v": name})
            assert mine.count() == one.door.count(entity.name, f"{pipeline.fields['amount']} > 0")
            assert not mine.bar()["own"], "only its maker removes it"
        labels = [label for _, label, _ in Listing(App(company, one.actor), entity.name, {}).view_list()]
        if hidden:
            assert ("Tells what is hidden" in labels) == (hidden in readable)
    for step in steps:
        whole.door.undo(step)


def test_a_team_shares_within_itself(company):
    someone, pipeline = limited(company), deals(company)
    if someone.actor.team is None:
        pytest.skip("nobody with a part only is in a team")
    step = getattr(someone, pipeline.entity).segment("Ours", f"{pipeline.fields['amount']} > 1", share="team")
    door, users = company.door(SYSTEM), company.schema.users
    for record in door.list(users.entity, limit=None):
        actor = company.people.actor(record.id)
        if actor.active and not actor.admin:
            near = actor.team is not None and (actor.team in someone.actor.team_ids or someone.actor.team in actor.team_ids)
            assert any(one.name == "ours" for one in saved(company.door(actor), VIEW)) == near
    someone.door.undo(step)


def test_a_segment_becomes_a_living_marketing_list(company):
    whole, lists = client(company), company.schema.campaign_roles.lists
    options = list(company.schema.entities[lists["entity"]].fields[lists["for"]].options)
    before = whole.door.count(lists["entity"])
    step = getattr(whole, options[0]).segment("Guests of the fair", "id > 3", members=True)
    made = whole.door.list(lists["entity"], order=["-id"], limit=1)[0]
    assert (made[lists["name"]], made[lists["for"]], made[lists["where"]], made[lists["living"]]) == (
        "Guests of the fair",
        options[0],
        "id > 3",
        True,
    )
    whole.door.undo(step)
    assert whole.door.count(lists["entity"]) == before


def card_spec(company):
    pipeline = deals(company)
    stage = company.schema.entities[pipeline.entity].stage_field
    return {"entity": pipeline.entity, "by": stage, "measures": {"total": f"sum({pipeline.fields['amount']})"}, "chart": "bars"}


def test_a_chart_becomes_a_card_of_the_home_page_and_of_a_dashboard(company):
    """Shown with its own figures for its maker alone; taken off with one click; back with Undo."""
    someone = limited(company)
    board = next((name for name, one in company.schema.dashboards.items() if not one.roles or someone.actor.role in one.roles), None)
    assert board is not None
    chart = someone.report(card_spec(company))
    someone.card("My stages", chart)
    someone.card("On the board", card_spec(company), dashboard=board, width=12)
    kept = {one.title: one for one in someone.cards()}
    again = someone.report(kept["My stages"].name)
    pd.testing.assert_frame_equal(again.frame, chart.frame)
    assert again.title == "My stages"
    app = App(company, someone.actor, query="view=home")
    assert "My stages" in heads(app) and "On the board" not in heads(app)
    app.frame.query = f"view=dashboard&name={board}"
    assert "On the board" in heads(app) and "My stages" not in heads(app)
    for other in clients(company):
        if other.actor.id != someone.actor.id:
            assert other.cards() == []
            with pytest.raises(Missing):
                run(other.door, kept["My stages"].name)
    head = next(part for part in app.body.select(lambda one: getattr(one, "content", {}).get("title") == "On the board"))
    assert [link["name"] for link in head.content["links"]][-1] == "off"
    told = []
    app.say = lambda text, undo=None, **more: told.append(undo)
    head.handler("do")("off")
    assert "On the board" not in heads(app) and [one.title for one in someone.cards()] == ["My stages"]
    app.undo(told[-1])
    assert "On the board" in heads(app)
    for one in someone.cards():
        drop_card(someone.door, one.id)


def heads(app):
    return [part.content.get("title") for part in app.body.select(lambda one: hasattr(one, "content"))]


def test_a_card_is_checked_like_a_file_and_for_rights(company):
    someone, spec = limited(company), card_spec(company)
    entity = company.schema.entities[spec["entity"]]
    hidden = next(
        (key for key in entity.own_fields if key not in someone.door.readable(entity.name) and entity.fields[key].kind == "money"), None
    )
    before = someone.cards()
    with pytest.raises(ConfigError, match="Did you mean"):
        someone.card("Wrong", {**spec, "by": spec["by"][:-1]})
    with pytest.raises(ConfigError, match="no key is called"):
        someone.card("Wrong", {**spec, "frm": 1})
    with pytest.raises(ConfigError):
        someone.card("Wrong", {**spec, "chart": "no_such_chart"})
    with pytest.raises(Missing):
        someone.card("Wrong", "no_such_report")
    with pytest.raises(Refused):
        someone.card("Wrong", spec, dashboard="no_such_board")
    with pytest.raises(Refused):
        someone.card("Wrong", spec, where="nonsense > 1")
    with pytest.raises(Refused):
        someone.card(" ", spec)
    if hidden:
        with pytest.raises(Missing):
            someone.card("Wrong", {**spec, "measures": {"x": f"sum({hidden})"}})
        with pytest.raises(Refused):
            someone.card("Wrong", spec, where=f"{hidden} > 1")
    assert someone.cards() == before


def test_a_card_of_what_is_no_longer_for_the_user_shows_nothing(company, monkeypatch):
    """Rights are looked at each time: here the field it sums is closed to everybody after it was kept."""
    someone, spec = limited(company), card_spec(company)
    step = someone.card("Money", spec)
    card = someone.cards()[-1]
    assert run(someone.door, card.name).rows
    monkeypatch.setattr(type(someone.door), "path_open", lambda self, entity, path: path != deals(company).fields["amount"])
    with pytest.raises(Missing):
        run(someone.door, card.name)
    monkeypatch.undo()
    someone.door.undo(step)
    with pytest.raises(Missing):
        run(someone.door, card.name)
