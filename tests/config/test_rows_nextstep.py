"""B7 over the demo companies: nothing agreed with a customer is forgotten, for every role, in both configurations."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime, time, timedelta

import pytest
from icalendar import Calendar

from crm.actions.base import ACTIONS
from crm.client import Client
from crm.mail.calendar import feed
from crm.mail.digest import Digest
from crm.mail.rendering import render
from crm.records import SYSTEM, Company, agenda
from crm.schema import load, shipped
from crm.stores import open_store


@pytest.fixture(scope="module")
def company(demo_store, tmp_path_factory):
    store = open_store(str(shutil.copy(demo_store, tmp_path_factory.mktemp("rows_b7") / "demo.db")))
    yield Company(load(shipped("sales")), store)
    store.close()


@pytest.fixture(scope="module")
def charity(nonprofit_store, tmp_path_factory):
    store = open_store(str(shutil.copy(nonprofit_store, tmp_path_factory.mktemp("rows_b7") / "charity.db")))
    yield Company(load(shipped("nonprofit")), store)
    store.close()


@pytest.fixture
def anna(company):
    return company.door("anna")


@pytest.fixture
def window(company):
    """A browser window's app of the rep, without a browser."""
    from crm.views.app import App

    return App(company, company.actor("anna"))


def users(company) -> list[int]:
    return [one.id for one in company.door(SYSTEM).list(company.schema.users.entity, limit=None) if company.people.actor(one.id).active]


# ---- the role ----


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ("sales", {"lead": ("next_on", "next_step"), "opportunity": ("next_on", "next_step")}),
        ("nonprofit", {"appeal": ("todo_on", "todo"), "grant": ("next_on", "next_step"), "pledge": ("next_on", "next_step")}),
    ],
)
def test_b7_a_next_step_is_a_role_of_an_entity(config, expected):
    schema = load(shipped(config))
    found = {name: (one.role("next"), one.role("next_text")) for name, one in schema.entities.items() if one.next is not None}
    assert expected.items() <= found.items()


def test_b7_every_open_lead_and_deal_without_one_is_found_by_hand_and_by_role(company, anna):
    for name, opened in (("lead", "status in ['new', 'contacted', 'qualified']"), ("opportunity", "stage.open")):
        entity = company.schema.entities[name]
        by_hand = set(anna.ids(name, f"{opened} and next_on == None"))
        assert set(anna.ids(name, entity.next.missing)) == by_hand
        account = anna.list("account", "owner == me", limit=1)[0]
        some = anna.create(name, {"name": "Ms Vera Late", "owner": anna.actor.id} | ({"account": account.id} if name == "opportunity" else {}))
        assert agenda.lacks(anna, anna.get(name, some.id))
        anna.change(name, some.id, {"next_on": anna.words.today()})
        assert not agenda.lacks(anna, anna.get(name, some.id))


# ---- where it is seen ----


def test_b7_it_is_a_visible_fault_on_home_list_board_and_record(company, anna, window):
    from crm.views.base import PAGES
    from crm.views.pages.home import today_content

    deal = anna.list("opportunity", ["owner == me", "stage.open", "pipeline == 'b2b'"], order=["-amount"], limit=1)[0]
    anna.change("opportunity", deal.id, {"next_on": None, "next_step": None})
    for one in anna.list("activity", [f"opportunity == {deal.id}", "done_on == None"]):
        company.door(SYSTEM).delete("activity", one.id)
    section = next(one for one in today_content(window)["sections"] if one["key"] == "none")
    assert section["tone"] == "late" and section["count"] == agenda.without(anna)[1] > 0
    listing = PAGES["list"](window, entity="opportunity", v="no_next_step")
    assert deal.title in str(listing.body.content) and "No next step" in str(listing.body.content)
    board = PAGES["board"](window, pipeline="b2b")
    card = next(card for column in board.part.content["columns"] for card in column["cards"] if card["key"] == str(deal.id))
    assert card["next"] is None and card["tone"] == "none"
    page = PAGES["record"](window, entity="opportunity", id=str(deal.id))
    assert page.line.content["missing"] == "No next step" and page.line.content["may"]
    page.plan("tomorrow")
    assert anna.get("opportunity", deal.id)["next_on"] == anna.words.today() + timedelta(days=1)
    assert page.line.content["missing"] is None


def test_b7_what_was_agreed_by_hand_outlives_another_call_that_is_done(company, anna, window):
    from crm.views.steps import done

    deal = anna.list("opportunity", ["owner == me", "stage.open"], limit=1)[0]
    for one in anna.list("activity", [f"opportunity == {deal.id}", "done_on == None"]):
        company.door(SYSTEM).delete("activity", one.id)
    day = anna.words.today() + timedelta(days=30)
    anna.change("opportunity", deal.id, {"next_on": day, "next_step": "Send the contract"})
    when = datetime.combine(anna.words.today(), time(10), anna.words.tz)
    call = anna.create("activity", {"subject": "Quick call", "kind": "call", "due_on": when, "opportunity": deal.id})
    done(window, "activity", call.id)
    assert anna.get("opportunity", deal.id)["next_on"] == day
    anna.change("opportunity", deal.id, {"next_on": anna.words.today()})
    call = anna.create("activity", {"subject": "The agreed call", "kind": "call", "due_on": when, "opportunity": deal.id})
    done(window, "activity", call.id)
    assert anna.get("opportunity", deal.id)["next_on"] is None


def test_b7_a_planned_call_is_the_next_step_of_a_deal_that_has_none(company, anna):
    when = datetime.combine(anna.words.today() + timedelta(days=4), time(10), anna.words.tz)
    account = anna.list("account", "owner == me", limit=1)[0]
    deal = anna.create("opportunity", {"name": "Fresh one", "account": account.id})
    with anna.step("planned") as step:
        anna.create("activity", {"subject": "Show it to them", "kind": "meeting", "due_on": when, "opportunity": deal.id})
    found = anna.get("opportunity", deal.id)
    assert (found["next_on"], found["next_step"]) == (when.date(), "Show it to them")
    anna.create("activity", {"subject": "Later still", "kind": "call", "due_on": when + timedelta(days=9), "opportunity": deal.id})
    assert anna.get("opportunity", deal.id)["next_step"] == "Show it to them", "what is agreed stays"
    anna.undo(step.id)
    assert anna.get("opportunity", deal.id)["next_on"] is None


@pytest.mark.parametrize(("typed", "days"), [("tomorrow", 1), ("in 3 days", 3), ("+1w", 7), ("next week", None)])
def test_b7_it_is_postponed_in_words(company, anna, typed, days):
    deal = anna.list("opportunity", ["owner == me", "stage.open"], limit=1)[0]
    step = ACTIONS["postpone"]().run(anna, "opportunity", [deal.id], {"to": typed})
    today = anna.words.today()
    found = anna.get("opportunity", deal.id)["next_on"]
    assert found == today + timedelta(days=days) if days else today < found <= today + timedelta(days=13)
    anna.undo(step)
    assert anna.get("opportunity", deal.id)["next_on"] == deal["next_on"]


# ---- what leaves the house ----


@pytest.mark.parametrize("config", ["company", "charity"])
def test_b7_no_digest_and_no_calendar_tells_what_its_reader_may_not_see(config, request):
    """Every title of every record that a user may not see, looked for in what that user gets."""
    one = request.getfixturevalue(config)
    everything = one.door(SYSTEM)
    entities = [entity for entity in one.schema.entities.values() if entity.next is not None or entity.name == one.schema.activities.entity]
    titles = {entity.name: {record.id: record.title for record in everything.list(entity.name, limit=None)} for entity in entities}
    told = 0
    for user in users(one):
        door = one.door(user)
        mail = Digest(one, door, one.today(), one.now()).message()
        calendar = Calendar.from_ical(feed(one, user))
        summaries = [str(event["summary"]) for event in calendar.walk("VEVENT")]
        said = mail["text"] + "\n".join(summaries)
        told += len(summaries)
        for name, known in titles.items():
            mine = set(door.titles(name, known).values())
            hidden = {title for title in known.values() if title not in mine and len(title) > 12}
            shown = [title for title in hidden if re.search(rf"(?<!\w){re.escape(title)}(?!\w)", said)]
            assert not shown, (user, name, shown[:3])
    assert told > 20


def test_b7_a_calendar_holds_what_home_shows(company, anna):
    summaries = {str(event["uid"]).split("@")[0] for event in Calendar.from_ical(feed(company, anna.actor.id)).walk("VEVENT")}
    steps = agenda.steps(anna, anna.words.today() + timedelta(days=30), since=anna.words.today())
    assert {step.key for step in steps} <= summaries and steps


@pytest.mark.parametrize("language", ["en", "pl"])
@pytest.mark.parametrize(("config", "name"), [("company", "thanks_for_the_talk"), ("company", "step_overdue"), ("charity", "thank_the_donor")])
def test_b7_every_shipped_mail_template_is_filled(config, name, language, request):
    one = request.getfixturevalue(config)
    template = one.schema.mails[name]
    record = one.door(SYSTEM).list(template.entity, order=["id"], limit=1)[0]
    sender = record[one.schema.entities[template.entity].role("owner") or "created_by"] or users(one)[0]
    said = render(one, name, template.entity, record.id, by=None, language=language, to=None)
    assert said["subject"] and len(said["text"]) > 40 and "{" not in said["text"] + said["subject"] and "None" not in said["text"]
    assert render(one, name, template.entity, record.id, by=sender, language=language)["html"].startswith("<!doctype html>")
    english, polish = template.say("text", "en"), template.say("text", "pl")
    assert english != polish


# ---- recurring, in another line of business ----


def test_b7_a_charitys_yearly_call_comes_back(charity):
    door = charity.door(SYSTEM)
    donor = door.list("donor", limit=1)[0]
    due = datetime.combine(charity.today(), time(9), charity.zone)
    call = door.create("touchpoint", {"subject": "Birthday call", "kind": "call", "due_on": due, "donor": donor.id, "rhythm": "each_year"})
    with door.step("done") as step:
        door.change("touchpoint", call.id, {"done_on": charity.now()})
    (coming,) = door.list("touchpoint", ["subject == 'Birthday call'", "done_on == None"])
    assert charity.words().local(coming["due_on"]).date().year == charity.today().year + 1 and coming["donor"] == donor.id
    door.undo(step.id)
    assert [one.id for one in door.list("touchpoint", "subject == 'Birthday call'")] == [call.id]


def test_b7_an_appeal_needs_a_next_step_while_it_is_not_done(charity):
    door = charity.door(SYSTEM)
    appeal = door.create("appeal", {"name": "Spring letter", "kind": "letter"})
    assert agenda.lacks(door, door.get("appeal", appeal.id))
    door.change("appeal", appeal.id, {"status": "done"})
    assert not agenda.lacks(door, door.get("appeal", appeal.id))


# ---- the demo plans like people ----


@pytest.mark.parametrize("config", ["company", "charity"])
def test_b7_planned_steps_stand_in_office_hours_and_are_called_as_plans(config, request):
    one = request.getfixturevalue(config)
    roles, door = one.schema.activities, one.door(SYSTEM)
    planned = [record for record in door.list(roles.entity, f"{roles.done} == None and {roles.due} != None", limit=None) if record["created_by"] is not None]
    story = datetime.combine(datetime.now(UTC).date(), time(0), UTC)  # the demo ends as today begins: what is younger was made by tests
    planned = [record for record in planned if record["created_on"] <= story]
    hours = [one.words().local(record[roles.due]) for record in planned]
    assert len(hours) > 30 and all(9 <= when.hour <= 16 and when.minute % 15 == 0 and when.weekday() < 5 for when in hours)
    past = re.compile(r"^(Went|Showed|Called|Asked|Checked|Sent|Summary|Wrote|Note)")
    assert not [record[roles.subject] for record in planned if past.match(record[roles.subject])]


@pytest.mark.parametrize("way", ["action", "door", "bulk", "client", "delete", "due", "automation"])
def test_b7_what_was_planned_and_is_done_moves_the_next_step_on_whoever_does_it(company, anna, way, tmp_path):
    """No screen is needed: the record's next step follows in the same step of history, and goes back with it."""
    deal = anna.create("opportunity", {"name": f"Frames {way}", "account": anna.list("account", limit=1)[0].id})
    today = company.today()
    plan = {"kind": "call", "opportunity": deal.id, "owner": anna.actor.id}
    first = anna.create("activity", {**plan, "subject": "Ring about the frame", "due_on": f"{today + timedelta(days=2)}T09:00"})
    anna.create("activity", {**plan, "subject": "Show them the plant", "due_on": f"{today + timedelta(days=9)}T09:00"})
    assert anna.get("opportunity", deal.id)["next_step"] == "Ring about the frame"
    done = company.moment(company.schema.entities["activity"].fields["done_on"])
    if way == "automation":
        (tmp_path / "more" / "automations").mkdir(parents=True)
        (tmp_path / "more" / "crm.yaml").write_text("name: more\nextends: sales\n")
        text = "automation: shut\nentity: activity\nwhen: {changed: result}\nif: done_on == None\nthen: [{set: {done_on: now}}]\n"
        (tmp_path / "more" / "automations" / "shut.yaml").write_text(text)
        company.reload(load(tmp_path / "more"))
    with anna.step("done") as step:
        {
            "action": lambda: ACTIONS["mark_done"]().run(anna, "activity", [first.id], {}),
            "door": lambda: anna.change("activity", first.id, {"done_on": done}),
            "bulk": lambda: anna.bulk("activity", [first.id], {"done_on": done}),
            "client": lambda: Client(company, anna.actor.id).activity.change(first.id, done_on=done),
            "automation": lambda: anna.change("activity", first.id, {"result": "reached"}),
            "delete": lambda: anna.delete("activity", first.id),
            "due": lambda: anna.change("activity", first.id, {"due_on": f"{today + timedelta(days=30)}T09:00"}),
        }[way]()
    now = anna.get("opportunity", deal.id)
    assert (now["next_step"], now["next_on"]) == ("Show them the plant", today + timedelta(days=9))
    anna.undo(anna.steps(1)[0].id)
    assert anna.get("opportunity", deal.id)["next_step"] == "Ring about the frame" and step.id is not None
