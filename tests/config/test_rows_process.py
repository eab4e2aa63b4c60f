"""Rows B5, B6, B8, B9 over the demo company: rules, gates, approvals and rights hold on every way a record is written."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from crm.actions.base import ACTIONS
from crm.client import Client
from crm.errors import Denied, GateError, Missing, RecordError, Refused
from crm.intake import importing
from crm.records import SYSTEM, Company, approvals
from crm.schema import load, shipped
from crm.schema.model import ImportMap, Target
from crm.stores import open_store
from crm.views.app import App
from crm.views.pages.board import BoardPage
from crm.views.pages.form import FormPage
from crm.views.pages.list import ListPage
from crm.views.pages.record import RecordPage

#: Takes whatever gets this source to negotiation: an automation is a way of writing, too.
PUSH = """
automation: push
entity: opportunity
when: {changed: source}
if: source == 'social'
then: [{set: {stage: negotiation}}]
"""
SAID_NO = (RecordError, Refused, Denied, Missing)


@pytest.fixture(scope="module")
def company(demo_store: Any, tmp_path_factory: Any) -> Any:
    """The demo company in a copy, with one automation more."""
    folder = tmp_path_factory.mktemp("walk")
    (folder / "walk" / "automations").mkdir(parents=True)
    (folder / "walk" / "crm.yaml").write_text("name: walk\nextends: sales\n")
    (folder / "walk" / "automations" / "push.yaml").write_text(PUSH)
    store = open_store(str(shutil.copy(demo_store, folder / "demo.db")))
    yield Company(load(folder / "walk"), store)
    store.close()


@pytest.fixture
def at(company: Any) -> Callable[[str], Any]:
    return lambda login: company.door(company.actor(login) if login else SYSTEM)


class Deal(SimpleNamespace):
    """A deal of Anna's in the stage `offer` that has been in negotiation once: `back` is the step that took it back."""

    id: int
    back: int
    company: Any

    @property
    def stage(self) -> str:
        return str(self.company.doc("opportunity", self.id)["stage"])


@pytest.fixture
def deal(company: Any, at: Any, request: Any) -> Deal:
    anna = at("anna")
    account = anna.list("account", limit=1)[0].id
    key = f"walk-{abs(hash(request.node.name))}"
    values = {"name": "Walk", "account": account, "amount": 20000, "close_on": "2030-01-01", "next_on": "2029-12-01"}
    record = anna.create("opportunity", {**values, "budget": 20000, "need": "More boxes", "external_id": key, "source": "web"})
    anna.move("opportunity", record.id, "qualification")
    anna.move("opportunity", record.id, "offer")
    anna.move("opportunity", record.id, "negotiation", {"do:walked_through": True})
    with anna.step("back") as step:
        anna.move("opportunity", record.id, "offer")
    return Deal(id=record.id, back=step.id, company=company, key=key)


def imported(door: Any, deal: Deal, tmp: Any) -> None:
    file = tmp / "deals.csv"
    with open(file, "w", newline="") as out:
        csv.writer(out).writerows([["Key", "Stage"], [deal.key, "negotiation"]])
    columns = {"Key": [Target("external_id")], "Stage": [Target("stage")]}
    outcome = importing.run(door, "opportunity", file, ImportMap("deals", "Deals", "opportunity", columns=columns, match=["external_id"]))
    if outcome.rejected:  # the row is reported with what is missing
        (row,) = outcome.rows
        assert row.row == 2 and row.problems


#: Every way to take a deal to the next stage: (door, deal, folder) → nothing, or a refusal.
WAYS: dict[str, Callable[[Any, Deal, Any], Any]] = {
    "move": lambda door, deal, tmp: door.move("opportunity", deal.id, "negotiation"),
    "change": lambda door, deal, tmp: door.change("opportunity", deal.id, {"stage": "negotiation"}),
    "bulk": lambda door, deal, tmp: door.bulk("opportunity", [deal.id], {"stage": "negotiation"}),
    "action": lambda door, deal, tmp: ACTIONS["move_stage"]().run(door, "opportunity", [deal.id], {"stage": "negotiation"}),
    "client": lambda door, deal, tmp: Client(door.company, door.actor.id).opportunity.move(deal.id, "negotiation"),
    "import": imported,
    "board": lambda door, deal, tmp: BoardPage(App(door.company, door.actor), pipeline="b2b").move(str(deal.id), "negotiation"),
    "record": lambda door, deal, tmp: RecordPage(App(door.company, door.actor), entity="opportunity", id=str(deal.id)).move("negotiation"),
    "list": lambda door, deal, tmp: ListPage(App(door.company, door.actor), entity="opportunity").move([deal.id], "negotiation"),
    "form": lambda door, deal, tmp: FormPage(App(door.company, door.actor), entity="opportunity", id=str(deal.id)).save(
        {"stage": "negotiation"}
    ),
    "automation": lambda door, deal, tmp: door.change("opportunity", deal.id, {"source": "social"}),
    "undo": lambda door, deal, tmp: door.undo(deal.back),
}


def take(way: str, door: Any, deal: Deal, tmp: Any) -> None:
    """One way; a refusal is one of the engine's own, never anything else."""
    try:
        WAYS[way](door, deal, tmp)
    except SAID_NO:
        pass


@pytest.mark.parametrize("way", WAYS)
def test_b6_what_must_be_ticked_holds_on_every_way(way: str, at: Any, deal: Deal, tmp_path: Any) -> None:
    anna = at("anna")
    anna.tick("opportunity", deal.id, "walked_through", False)
    take(way, anna, deal, tmp_path)
    assert deal.stage == "offer"
    anna.change("opportunity", deal.id, {"do:walked_through": True, "source": "fair"})
    take(way, anna, deal, tmp_path)
    assert deal.stage == "negotiation"


@pytest.mark.parametrize("way", WAYS)
def test_b6_required_fields_hold_on_every_way(way: str, at: Any, deal: Deal, tmp_path: Any) -> None:
    anna = at("anna")
    anna.change("opportunity", deal.id, {"budget": None})
    take(way, anna, deal, tmp_path)
    assert deal.stage == "offer"
    anna.change("opportunity", deal.id, {"budget": 100, "source": "fair"})
    take(way, anna, deal, tmp_path)
    assert deal.stage == "negotiation"


@pytest.mark.parametrize("way", WAYS)
def test_b8_a_discount_waits_for_its_word_on_every_way(way: str, at: Any, deal: Deal, tmp_path: Any) -> None:
    anna = at("anna")
    anna.change("opportunity", deal.id, {"discount": "20%"})
    take(way, anna, deal, tmp_path)
    assert deal.stage == "offer"
    asked = approvals.request(anna, "opportunity", deal.id, "They buy two", key="b2b.discount")
    approvals.decide(at("marta"), asked, True)
    anna.change("opportunity", deal.id, {"source": "fair"})
    take(way, anna, deal, tmp_path)
    assert deal.stage == "negotiation"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("who", ["carla", "milena", "diana"])
def test_h4_nobody_moves_what_is_not_theirs_on_any_way(way: str, who: str, at: Any, deal: Deal, tmp_path: Any) -> None:
    take(way, at(who), deal, tmp_path)
    assert deal.stage == "offer"


def test_b6_a_gate_says_all_that_is_missing_and_offers_just_that(at: Any, company: Any) -> None:
    anna = at("anna")
    deal = anna.create("opportunity", {"name": "Empty", "account": anna.list("account", limit=1)[0].id})
    page = RecordPage(App(company, anna.actor), entity="opportunity", id=str(deal.id))
    answer = page.move("qualification")
    assert [one["field"] for one in answer["gate"]["fields"]] == ["need", "next_on"] and answer["say"]
    again = page.move("qualification", {"need": "x", "next_on": "2030-01-01"})
    assert "gate" not in again and anna.get("opportunity", deal.id)["stage"] == "qualification"
    anna.move("opportunity", deal.id, "offer", {"amount": 5000, "close_on": "2030-02-01"})
    anna.change("opportunity", deal.id, {"discount": "18%"})
    fields = page.move("negotiation")["gate"]["fields"]
    assert [one["field"] for one in fields] == ["budget", "do:walked_through", "ask:b2b.discount"]
    asked = page.move("negotiation", {"budget": 5000, "do:walked_through": True, "ask:b2b.discount": "Because"})
    assert "Asked" in asked["say"] and anna.get("opportunity", deal.id)["budget"] == 5000
    assert [one["field"] for one in asked["gate"]["fields"]] == ["say:approval:b2b.discount"]
    waiting = approvals.waiting(at("marta"))
    approvals.decide(at("marta"), waiting[-1].id, True)
    assert page.move("negotiation")["say"] and anna.get("opportunity", deal.id)["stage"] == "negotiation"


def test_b6_bulk_asks_once_for_all_that_stay(at: Any, company: Any) -> None:
    anna = at("anna")
    account = anna.list("account", limit=1)[0].id
    ids = [anna.create("opportunity", {"name": f"B{number}", "account": account, "next_on": "2030-01-01"}).id for number in range(3)]
    app = App(company, anna.actor)
    shown: list[dict] = []
    app.sheets.send = lambda kind, **body: shown.append(body.get("sheet") or {})  # type: ignore[method-assign]
    page = ListPage(app, entity="opportunity")
    anna.change("opportunity", ids[0], {"need": "x"})
    page.move(ids, "qualification")
    assert [anna.get("opportunity", one)["stage"] for one in ids] == ["qualification", "identification", "identification"]
    (sheet,) = shown
    assert [one["field"] for one in sheet["fields"]] == ["need"] and "B1" in sheet["text"] and "B2" in sheet["text"]
    app._sheet_save(sheet["key"], {"need": "The same for both"})
    assert {anna.get("opportunity", one)["stage"] for one in ids} == {"qualification"}


def test_b5_pipelines_run_side_by_side_and_are_chosen_by_a_condition(at: Any, company: Any, tmp_path: Any) -> None:
    anna = at("anna")
    account = anna.list("account", limit=1)[0].id
    big = anna.create("opportunity", {"name": "Machine", "account": account})
    small = anna.create("opportunity", {"name": "Spare", "account": account, "pipeline": "b2c"})
    assert (big["stage"], small["stage"]) == ("identification", "enquiry")
    with pytest.raises(GateError) as caught:
        anna.move("opportunity", small.id, "won", {"amount": 100})
    assert caught.value.missing == ["do:answered"]
    assert anna.move("opportunity", small.id, "won", {"amount": 100, "do:answered": True, "lesson": "Quick"})["stage"] == "won"
    assert anna.get("opportunity", big.id)["stage"] == "identification"
    assert {one.title for one in anna.back("account", account, "opportunities", limit=500)[0]} >= {"Machine", "Spare"}


def test_b9_losing_asks_why_and_offers_who_won(at: Any, company: Any, deal: Deal) -> None:
    anna = at("anna")
    page = RecordPage(App(company, anna.actor), entity="opportunity", id=str(deal.id))
    fields = page.move("lost")["gate"]["fields"]
    assert [(one["field"], one["required"]) for one in fields] == [("lost_reason", True), ("lesson", True), ("lost_to", False)]
    rival = at("").list("account", "kind == 'competitor'", limit=1)[0]
    page.move("lost", {"lost_reason": "price", "lesson": "Ask earlier", "lost_to": rival.id})
    assert anna.get("opportunity", deal.id)["lost_to"] == rival.id
    with pytest.raises(Denied):
        anna.move("opportunity", deal.id, "offer")
    opened = at("marta").move("opportunity", deal.id, "offer")
    assert opened["lost_reason"] is None and opened["lesson"] is None
    told = next(one.text for one in anna.timeline("opportunity", deal.id) if one.stage == "lost")
    assert "Why lost: Price" in told and "Lesson: Ask earlier" in told and rival.title in told


def test_b8_home_shows_what_waits_to_those_who_may_grant_it(company: Any, at: Any) -> None:
    from crm.views.waiting import waiting_list

    for who, sees in (("marta", True), ("diana", True), ("anna", False), ("milena", False)):
        found = waiting_list(App(company, company.actor(who)))
        assert (found is not None) == sees, who
    lines = waiting_list(App(company, company.actor("marta")))
    assert lines is not None and all(line["href"].startswith("?view=record&entity=opportunity") for line in lines["items"])


def test_b8_the_charity_has_its_own_words_for_it(nonprofit_store: Any, tmp_path: Any) -> None:
    store = open_store(str(shutil.copy(nonprofit_store, tmp_path / "n.db")))
    company = Company(load(shipped("nonprofit")), store)
    users = company.schema.users
    assert users is not None
    people = {row[users.role]: row.doc_id for row in company.find(users.entity)}
    officer, head = company.door(people["grants_officer"]), company.door(people["head"])
    funder = officer.list("household", limit=1)[0].id
    program = officer.list("program", limit=1)[0].id
    grant = officer.create("grant", {"name": "Wells", "funder": funder, "asked": 70000, "program": program, "deadline": "2030-01-01"})
    officer.move("grant", grant.id, "writing")
    with pytest.raises(GateError) as caught:
        officer.move("grant", grant.id, "sent", {"answer_on": "2030-03-01"})
    assert caught.value.missing == ["do:agree_the_budget", "approval:funding.asked"]
    asked = approvals.request(officer, "grant", grant.id, "A new well", key="funding.asked")
    with pytest.raises(Denied):
        approvals.decide(officer, asked, True)
    approvals.decide(head, asked, False, "Ask for less")
    assert officer.get("consent", asked)["answer"] == "declined"
    again = approvals.request(officer, "grant", grant.id, "Our share is covered", key="funding.asked")
    approvals.decide(head, again, True)
    assert officer.move("grant", grant.id, "sent", {"answer_on": "2030-03-01", "do:agree_the_budget": True})["stage"] == "sent"
    store.close()


def test_b5_a_configuration_that_would_leave_records_without_a_stage_is_refused_with_their_number(company: Any, tmp_path: Any) -> None:
    text = (shipped("sales") / "pipelines" / "b2c.yaml").read_text()
    folder = tmp_path / "less"
    (folder / "pipelines").mkdir(parents=True)
    (folder / "crm.yaml").write_text("name: less\nextends: sales\n")
    (folder / "pipelines" / "b2c.yaml").write_text("pipeline: b2c\nentity: opportunity\nstages:\n  quoted: {drop: true}\n")
    count = company.count("opportunity", _in("b2c", "quoted"))
    if not count:
        anna = company.door("anna")
        deal = anna.create("opportunity", {"name": "Q", "account": anna.list("account", limit=1)[0].id, "pipeline": "b2c"})
        anna.move("opportunity", deal.id, "quoted", {"amount": 1, "do:answered": True})
        count = 1
    assert "quoted" in text
    with pytest.raises(Refused, match=f"{count} records.*b2c.quoted: {count}"):
        company.reload(load(folder))
    assert "quoted" in company.schema.pipelines["b2c"].stages


def _in(pipeline: str, stage: str) -> Any:
    from tinydb import where

    return (where("pipeline") == pipeline) & (where("stage") == stage)
