"""Views in a notebook: windows of their own, with links that lead on inside, icons and code that come with them."""

from __future__ import annotations

import base64
import json
import re

import pytest

from crm.errors import Missing
from crm.records import SYSTEM
from crm.views import iconfont
from crm.views.app import App
from crm.views.notebook import Window, view


@pytest.fixture
def window(demo):
    pipeline = next(iter(demo.schema.pipelines.values()))
    return Window(demo, SYSTEM, query=f"view=board&pipeline={pipeline.name}")


def test_links_lead_on_inside_the_cell_and_back(window):
    first, entity = window.frame.query, next(iter(window.schema.pipelines.values())).entity
    record = window.door.list(entity, limit=1)[0]
    assert window.now.name == "board" and not window.frame.content["back"]
    window.frame.handler("go")(f"view=record&entity={entity}&id={record.id}")
    assert window.now.name == "record" and window.frame.content["title"] == record.title and window.frame.content["back"]
    window.go(view="list", entity=entity)
    assert window.now.name == "list"
    window.frame.handler("back")()
    window.frame.handler("back")()
    assert window.frame.query == first and window.now.name == "board" and not window.frame.content["back"]
    window.frame.handler("back")()
    assert window.now.name == "board"


def test_a_page_that_is_not_there_says_so_in_the_cell(demo):
    made = view(demo, SYSTEM, "record", entity=next(iter(demo.schema.entities)), id="999999")
    assert [part.content["glyph"] for part in made.select(lambda one: "glyph" in getattr(one, "content", {}))] == ["search_off"]


def test_the_module_stands_in_the_output_once(window):
    """The edge carries it; the others wait for what it gives, under a key of their own; the served app asks for it by its address."""
    found = {"bundle": "a" * 64, "esm": "const Window = 1\nexport default {Window}\n"}
    carried = window.share_module(window.frame, dict(found))
    shared = window.share_module(window.toast, dict(found))
    assert "const ALL = {Window}" in carried["esm"] and carried["bundle"] == found["bundle"]
    assert "const Window = 1" not in shared["esm"] and shared["bundle"] != found["bundle"]
    key = re.search(r"globalThis\[(\".*?\")\]", carried["esm"])[1]
    assert f"globalThis[{key}]" in shared["esm"] and json.loads(key)
    assert not hasattr(App, "share_module")


def test_the_kernel_answers_when_it_is_asked(window):
    assert window.frame.handler("alive")() == {"alive": True}


def test_every_icon_that_may_be_named_is_in_the_font_of_notebooks():
    """`python -m crm.views.iconfont` makes it anew when this fails."""
    from fontTools.ttLib import TTFont

    from crm.schema.icons import ICONS

    there = set(iconfont.ligatures(TTFont(iconfont.FILE)))
    drawn = set()
    for path in (iconfont.HERE / "parts").glob("*.js"):
        text = path.read_text("utf-8")
        drawn |= set(re.findall(r"\bicon\('(\w+)'", text)) | set(re.findall(r"\bbutton\('[^']*', '(\w+)'", text))
    assert not (ICONS | drawn) - there
    assert base64.b64decode(iconfont.data_url().partition(",")[2])[:4] == b"wOFF" and iconfont.FILE.stat().st_size < 60_000


def test_a_list_gives_its_notebook_and_keeps_what_came_from_a_chart(demo):
    pipeline = next(one for one in demo.schema.pipelines.values() if "amount" in one.fields)
    condition = f"{pipeline.fields['amount']} > 1000"
    app = App(demo, SYSTEM, query=f"view=list&entity={pipeline.entity}&w={condition.replace(' ', '+').replace('>', '%3E')}")
    page = app.now
    assert page.part.content["unsaved"] and page.listing.count() == demo.door(SYSTEM).count(pipeline.entity, condition)
    made = page.notebook()
    assert made["name"] == f"list-{pipeline.entity}.ipynb" and f'where=\\"{condition}\\"' in made["text"]
    page.save_view("Above a thousand")
    again = app.now
    assert again.listing.view == "own:above-a-thousand" and again.listing.count() == demo.door(SYSTEM).count(pipeline.entity, condition)
    told = []
    app.say = lambda text, undo=None, **more: told.append(undo)
    again.drop_view()
    assert app.now.listing.view == "all"
    app.undo(told[-1])
    assert ("own:above-a-thousand", "Above a thousand") in [(name, label) for name, label, _ in app.now.listing.view_list()]


def test_a_view_that_is_unknown_is_said_with_those_there_are(demo):
    from crm.client import Client

    client = Client(demo)
    name = next(iter(demo.schema.pipelines))
    for args, meant in ((("bord",), "board"), (("board", name + "x"), name), (("report", "win_rat"), "win_rate")):
        with pytest.raises(Missing, match=f"Did you mean '{meant}'"):
            client.view(*args)
