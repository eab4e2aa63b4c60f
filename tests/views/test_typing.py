"""Little typing on the screens, below the browser (H6): the log dialog, pasted signatures, commands, keys, what was understood of a day."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from crm.errors import Missing
from crm.records import SYSTEM
from crm.views import planning, typing
from crm.views.app import App

CARD = "Best regards,\nEmily Carter\nHead of Sales\nOakfield Timber Ltd\n14 Mill Lane\nBristol BS1 4QD\nM: +44 7700 900123\nemily.carter@oakfield.example"


def user(company: Any, role: str) -> Any:
    roles = company.schema.users
    return next(one for one in company.door(SYSTEM).list(roles.entity, limit=200) if one.get(roles.role) == role)


@pytest.fixture
def app(demo):
    one = App(demo, demo.actor(user(demo, "rep").id))
    one.told = []
    one.toast.send = lambda kind, /, **body: one.told.append(body)
    one.opened = []
    for part in (*one.boxes.parts, one.command):
        part.send = lambda kind, /, part=part, **body: one.opened.append((type(part).__name__, kind, body))
    return one


def test_a_call_is_logged_from_a_list_in_one_dialog_and_taken_back_whole(app):
    roles, door = app.schema.activities, app.door
    deal = next(
        one
        for one in door.list("opportunity", limit=None)
        if app.schema.stage_of("opportunity", one).open and door.may("change", "opportunity", one)
    )
    app.go(view="list", entity="opportunity")
    assert {"log", "edit"} <= {one["name"] for one in app.now.content()["acts"]}
    app.now.act("log", str(deal.id))
    assert app.opened[-1][:2] == ("LogBox", "open") and app.boxes.log_box.content["kind"] == "call"
    before = door.count(roles.entity)
    answer = app.boxes.keep_log(kind="call", text="They want oak.", next="Send the offer", day="in 3 days 10:30", result="interested")
    assert "error" not in answer and door.count(roles.entity) == before + 2
    planned, done = door.list(roles.entity, order=["-id"], limit=2)
    assert (done[roles.kind], done[roles.result], done["opportunity"], done["account"]) == ("call", "interested", deal.id, deal["account"])
    assert app.t.local(planned[roles.due]).strftime("%H:%M") == "10:30" and planned["follows"] == done.id
    assert door.get("opportunity", deal.id)["next_on"] == app.t.today() + timedelta(days=3)
    door.undo(app.told[-1]["undo"])
    assert door.count(roles.entity) == before and door.get("opportunity", deal.id)["next_on"] == deal["next_on"]


def test_what_is_wrong_with_the_day_is_said_beside_it(app):
    deal = app.door.list("opportunity", limit=1)[0]
    app.boxes.log("opportunity", deal.id)
    answer = app.boxes.keep_log(kind="call", text="x", next="y", day="some day")
    assert answer["field"] == "when" and "some day" in answer["error"]


def test_a_planned_step_that_is_logged_is_done_and_not_doubled(app):
    roles, door = app.schema.activities, app.door
    step = door.create(roles.entity, {roles.subject: "Call them", roles.kind: "call", roles.due: "tomorrow"})
    before = door.count(roles.entity)
    app.boxes.log(roles.entity, step.id)
    app.boxes.keep_log(kind="call", text="Talked to the buyer.", next="", day="tomorrow")
    after = door.get(roles.entity, step.id)
    assert door.count(roles.entity) == before and after[roles.done] is not None and after[roles.text] == "Talked to the buyer."
    assert after[roles.subject] == "Call them"


def test_the_command_box_logs(app):
    account = app.door.list("account", limit=1)[0]
    words = account.title.split()[0]
    for text in (f"log call {words}", f"log {words}", f"Log Call {words.lower()}"):
        items = app.find(text)["groups"][0]["items"]
        assert any(one["act"] == f"log:account:{account.id}:call" for one in items), text
    assert any(one["act"].endswith(":meeting") for one in app.find(f"log meeting {words}")["groups"][0]["items"])
    app.run(f"log:account:{account.id}:call")
    assert app.opened[-1][0] == "LogBox" and app.opened[-1][2]["kind"] == "call"
    ends = {one.get("end") for group in app.find("")["groups"] for one in group["items"]}
    assert {"l", "n", "?"} <= ends or {"l", "?"} <= ends  # the keys are shown beside what they do
    with pytest.raises(Missing):
        app.run("log:territory:1:call")


def test_keys_log_and_edit_what_is_open(app):
    account = next(one for one in app.door.list("account", limit=50) if app.door.may("change", "account", one))
    app.go(view="record", entity="account", id=account.id)
    typing.key(app, "e")
    assert app.now.name == "form"
    app.go(view="list", entity="account")
    typing.key(app, "l")
    assert app.opened[-1] == ("Command", "open", {"text": "Log "})
    app.quick_add(typing.LOG)
    assert app.opened[-1][0] == "Command"


def test_a_pasted_signature_becomes_a_contact(app):
    app.boxes.paste("contact")
    found = app.boxes.read(CARD)
    assert {one["label"]: one["show"] for one in found["fields"]}["Name"] == "Emily Carter" and found["twins"] == []
    before = app.door.count("contact")
    app.boxes.create(CARD)
    made = app.door.list("contact", order=["-id"], limit=1)[0]
    assert made.title == "Emily Carter" and made["mobile"] == "+447700900123" and made["employer"] == "Oakfield Timber Ltd"
    assert app.boxes.read(CARD)["twins"][0]["id"] == made.id
    app.door.undo(app.told[-1]["undo"])
    assert app.door.count("contact") == before


def test_a_pasted_signature_fills_what_is_empty(app):
    there = app.door.create("contact", {"name": "Emily Carter", "email": "emily.carter@oakfield.example", "job": "Buyer"})
    app.boxes.paste("contact")
    twin = app.boxes.read(CARD)["twins"][0]
    assert twin["id"] == there.id and twin["may"] and "Job title" not in twin["fills"]
    app.boxes.fill(CARD, there.id)
    after = app.door.get("contact", there.id)
    assert (after["job"], after["mobile"]) == ("Buyer", "+447700900123")


def test_nothing_is_pasted_where_nothing_may_be_made(demo, app):
    assert typing.offers(app, "contact") and typing.offers(app, "lead")
    assert not typing.offers(app, "opportunity") and not typing.offers(app, "user")
    with pytest.raises(Missing):
        app.boxes.paste("user")


def test_a_form_takes_what_was_pasted(app):
    app.go(view="form", entity="contact")
    assert app.now.body.content["paste"]
    heard = []
    app.now.body.send = lambda kind, **body: heard.append((kind, body))
    app.boxes.paste("contact", form=app.now.body)
    app.boxes.use(CARD)
    kind, body = heard[0]
    assert kind == "fill" and body["values"]["email"] == "emily.carter@oakfield.example"
    assert "Emily" in str(body["values"]["name"])


def test_what_was_understood_of_a_day_is_told(app):
    assert "10:30" in app.frame.on_day("tomorrow 10:30")["say"]
    assert "in 3 days" in app.frame.on_day("in 3 days", moment=False)["say"]
    assert " – " in app.frame.on_day("last month", periods=True)["say"] and "wrong" in app.frame.on_day("last month to now")
    assert "wrong" in app.frame.on_day("gibberish") and "wrong" in app.frame.on_day("tomorrow 10:30", moment=False)


def test_the_charity_logs_and_pastes_with_its_own_names(nonprofit_store, tmp_path):
    import shutil

    from crm.records import Company
    from crm.schema import load, shipped
    from crm.stores import open_store

    company = Company(load(shipped("nonprofit")), open_store(str(shutil.copy(nonprofit_store, tmp_path / "n.db"))))
    one = App(company, company.actor(user(company, "head").id))
    for part in one.boxes.parts:
        part.send = lambda kind, /, **body: None
    roles, door = company.schema.activities, one.door
    donor = door.list("donor", limit=1)[0]
    before = door.count(roles.entity)
    one.boxes.log("donor", donor.id)
    answer = one.boxes.keep_log(kind=planning.kinds(one)[0]["name"], text="She will give again.", next="Send the brochure", day="next fri")
    assert "error" not in answer and door.count(roles.entity) == before + 2
    one.boxes.paste("donor")
    one.boxes.create(CARD)
    assert door.list("donor", order=["-id"], limit=1)[0]["email"] == "emily.carter@oakfield.example"
    company.store.close()
