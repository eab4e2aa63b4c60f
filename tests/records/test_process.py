"""Checklists, responsible roles, approvals, outcomes: what a stage wants beyond fields, on every way of writing (B6, B8, B9)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from crm.actions.base import ACTIONS
from crm.errors import Denied, GateError, Missing, RecordError, Refused
from crm.records import SYSTEM, Company, approvals, gates
from crm.schema import load
from crm.stores import open_store

#: A print shop, whose words nothing in `crm/` knows.
YAML = {
    "crm.yaml": """
        name: shop
        languages: [en]
        users: {entity: person, name: name, login: login, role: job, team: desk}
        teams: {entity: desk}
        approvals:
          {entity: nod, subject: what, status: state, rule: about, terms: stamp, asked_by: asker, decided_by: decider, reason: words,
           why: plea, by: roles, asked_on: asked, decided_on: decided, approver: handed, states: {pending: open, granted: "yes_", refused: "no_", void: old}}
    """,
    "entities/person.yaml": """
        entity: person
        title: "{name}"
        fields:
          name: {type: text, required: true}
          login: {type: text, required: true, unique: true}
          job: {type: text}
          desk: {type: team, back: people}
    """,
    "entities/desk.yaml": "{entity: desk, title: '{name}', fields: {name: {type: text, required: true}}}",
    "entities/work.yaml": """
        entity: work
        title: "{name}"
        owner: seller
        fields:
          name: {type: text, required: true}
          step: {type: stage}
          paper: {type: text}
          worth: {type: money}
          rebate: {type: percent}
          secret: {type: text}
          seller: {type: user, default: me}
          why: {type: choice, options: {price: Price, other: Other}, show: step.outcome == 'lost'}
          winner: {type: text, show: step.outcome == 'lost'}
          lesson: {type: text, show: step.outcome != None}
    """,
    "entities/proof.yaml": "{entity: proof, title: '{name}', fields: {name: {type: text}, work: {type: link, to: work, back: proofs}}}",
    "entities/quote.yaml": """
        entity: quote
        title: "{name}"
        owner: seller
        fields:
          name: {type: text, required: true}
          sent: {type: boolean}
          off: {type: percent}
          note: {type: text}
          seller: {type: user, default: me}
        approvals:
          - {when: off > 20%, before: sent, by: boss, say: A large rebate}
    """,
    "entities/nod.yaml": """
        entity: nod
        title: "{what}"
        fields:
          what: {type: text, required: true, fixed: true}
          work: {type: link, to: work, back: nods, fixed: true}
          quote: {type: link, to: quote, back: nods, fixed: true}
          state: {type: choice, default: open, fixed: true, options: {open: Open, yes_: Granted, no_: Refused, old: Old}}
          about: {type: text, fixed: true}
          stamp: {type: text, fixed: true}
          plea: {type: long_text, fixed: true}
          roles: {type: text, fixed: true}
          asker: {type: user, fixed: true}
          asked: {type: datetime, fixed: true}
          handed: {type: user, fixed: true}
          decider: {type: user, fixed: true}
          decided: {type: datetime, fixed: true}
          words: {type: long_text, fixed: true}
    """,
    "pipelines/press.yaml": """
        pipeline: press
        entity: work
        fields: {stage: step, amount: worth, owner: seller, reason: why}
        stages:
          talk:
            label: Talk
            probability: 10%
            responsible: [seller, boss]
            do: [Say hello, {text: Measure it, name: size, must: true}]
          print: {label: Printing, probability: 50%, days: 3, require: [paper], responsible: [printer, boss]}
          pack: {label: Packing, probability: 90%, require: [proofs]}
          sold: {label: Sold, outcome: won, require: [lesson]}
          gone: {label: Gone, outcome: lost, require: [why], ask: [winner]}
        moves: {forward: any, back: any, lost: any, reopen: [boss]}
        approvals:
          - {when: rebate > 10%, before: pack, by: {boss: {up_to: 1000}, head: {}}, say: A rebate over 10%}
    """,
    "roles/seller.yaml": """
        role: seller
        label: Seller
        rights:
          work: {see: team, create: all, change: own, delete: own, hide: [secret]}
          proof: all
          quote: {see: own, create: all, change: own}
          nod: {see: asker == me or handed == me}
          person: {see: all}
          desk: {see: all}
    """,
    "roles/printer.yaml": """
        role: printer
        rights: {work: {see: all, change: all}, proof: all, nod: {see: handed == me or asker == me}, person: {see: all}}
    """,
    "roles/boss.yaml": """
        role: boss
        label: Boss
        rights: {work: {see: team, create: all, change: team}, quote: all, proof: all, nod: {see: all}, person: {see: all}, desk: {see: all}}
    """,
    "roles/head.yaml": "{role: head, label: Head, rights: {'*': {see: all, create: all, change: all}}}",
    "roles/admin.yaml": "{role: admin, admin: true}",
}
PEOPLE = {"sue": "seller", "sid": "seller", "pat": "printer", "bob": "boss", "bea": "boss", "hal": "head", "ann": "admin", "far": "boss"}


@pytest.fixture(scope="module")
def schema(tmp_path_factory: Any) -> Any:
    folder: Path = tmp_path_factory.mktemp("shop")
    for name, text in YAML.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(dedent(text))
    return load(folder)


@pytest.fixture
def shop(schema: Any) -> Iterator[Any]:
    store = open_store(":memory:")
    company = Company(schema, store)
    door = company.door(SYSTEM)
    desks = {name: door.create("desk", {"name": name}).id for name in ("here", "away")}
    for login, job in PEOPLE.items():
        door.create("person", {"name": login.title(), "login": login, "job": job, "desk": desks["away" if login == "far" else "here"]})
    yield company
    store.close()


@pytest.fixture
def at(shop: Any) -> Any:
    return lambda login: shop.door(shop.actor(login))


@pytest.fixture
def job(at: Any) -> Any:
    return at("sue").create("work", {"name": "Posters", "worth": 500})


def missing(act: Any) -> list[str]:
    with pytest.raises(GateError) as caught:
        act()
    assert set(caught.value.problems) >= set(caught.value.missing)
    return caught.value.missing


def ready(at: Any, job: Any, **values: Any) -> None:
    """The job in print with everything the next stage wants but an approval."""
    at("sue").move("work", job.id, "print", {"paper": "A2", "do:size": True, **values})
    at("sue").create("proof", {"name": "P1", "work": job.id})


# -- checklists


def test_a_tick_says_who_and_when_and_is_taken_back(at: Any, shop: Any, job: Any) -> None:
    door = at("sue")
    ticked = door.tick("work", job.id, "say_hello")
    assert [(one["item"], one["who"]) for one in ticked["ticks"]] == [("press.say_hello", door.actor.id)]
    assert ticked["ticks"][0]["on"] is not None
    change = door.history("work", job.id)[0]
    assert change.field == "ticks" and shop.schema.entities["work"].fields["ticks"].display(change.new) == "Say hello"
    door.undo(change.step)
    assert door.get("work", job.id)["ticks"] is None
    door.tick("work", job.id, "say_hello")
    assert door.tick("work", job.id, "say_hello", False)["ticks"] is None


@pytest.mark.parametrize(("who", "line", "error"), [("sue", "nothing", RecordError), ("sid", "size", Denied), ("pat", "size", None)])
def test_ticking_is_changing(at: Any, job: Any, who: str, line: str, error: Any) -> None:
    if error is None:
        assert at(who).tick("work", job.id, line)["ticks"]
        return
    with pytest.raises(error):
        at(who).tick("work", job.id, line)


def test_what_must_be_ticked_holds_the_way_on_and_no_other(at: Any, job: Any) -> None:
    door = at("sue")
    assert missing(lambda: door.move("work", job.id, "print", {"paper": "A2"})) == ["do:size"]
    assert missing(lambda: door.move("work", job.id, "print", {"paper": "A2", "do:say_hello": True})) == ["do:size"]
    assert door.move("work", job.id, "gone", {"why": "price"})["step"] == "gone"  # giving up asks for no work
    other = door.create("work", {"name": "Cards"})
    moved = door.move("work", other.id, "print", {"paper": "A2", "do:size": "yes"})
    assert moved["step"] == "print" and moved["ticks"][0]["item"] == "press.size"


def test_a_gate_says_all_at_once(at: Any, job: Any) -> None:
    door = at("sue")
    door.change("work", job.id, {"rebate": "15%"})
    told, words = door.gate("work", job.id, "pack")
    assert told == ["paper", "proofs", "do:size", "responsible", "approval:press.rebate"]
    assert words["approval:press.rebate"] == "A rebate over 10%: this needs the word of Boss, Head."
    assert "printer" in words["responsible"].lower() and "Boss" in words["responsible"]
    assert door.get("work", job.id)["step"] == "talk"


def test_only_the_responsible_take_it_on(at: Any, job: Any) -> None:
    ready(at, job)
    assert missing(lambda: at("sue").move("work", job.id, "pack")) == ["responsible"]
    assert at("sue").move("work", job.id, "talk")["step"] == "talk"  # back is for whoever may change it
    at("sue").move("work", job.id, "print")
    assert at("pat").move("work", job.id, "pack")["step"] == "pack"


# -- approvals


def test_a_rebate_waits_until_it_is_granted(at: Any, shop: Any, job: Any) -> None:
    ready(at, job, rebate="15%")
    assert missing(lambda: at("pat").move("work", job.id, "pack")) == ["approval:press.rebate"]
    asked = approvals.request(at("sue"), "work", job.id, "A friend", key="press.rebate")
    assert approvals.request(at("sue"), "work", job.id, "Again", key="press.rebate") == asked  # it waits already
    assert [one.id for one in approvals.waiting(at("bob"))] == [asked] and approvals.waiting(at("sue")) == []
    assert "waits" in at("pat").gate("work", job.id, "pack")[1]["approval:press.rebate"]
    for who, error in (("sue", Denied), ("sid", Missing), ("far", Denied)):  # own, not seen, sees it not
        with pytest.raises(error):
            approvals.decide(at(who), asked, True)
    with pytest.raises(RecordError):
        approvals.decide(at("bob"), asked, False)  # without a reason
    step = approvals.decide(at("bob"), asked, False, "Too much")
    assert "Too much" in at("sue").gate("work", job.id, "pack")[1]["approval:press.rebate"]
    assert at("bob").undo(step).done and at("bob").get("nod", asked)["state"] == "open"
    approvals.decide(at("bob"), asked, True)
    with pytest.raises(Refused):
        approvals.decide(at("bea"), asked, False, "Late")  # decided
    assert at("pat").move("work", job.id, "pack")["step"] == "pack"
    nod = at("sue").get("nod", asked)
    assert nod["state"] == "yes_" and nod["decider"] == shop.actor("bob").id and nod["decided"] is not None
    notices = {who: [one.text for one in at(who).notices(10)] for who in ("bob", "bea", "hal", "sue")}
    assert any("word" in one for one in notices["bob"]) and any("granted" in one for one in notices["sue"])


def test_another_value_makes_it_void(at: Any, job: Any) -> None:
    ready(at, job, rebate="15%")
    asked = approvals.request(at("sue"), "work", job.id, "", key="press.rebate")
    approvals.decide(at("bob"), asked, True)
    step = at("sue").change("work", job.id, {"rebate": "30%"})
    assert step["rebate"] and at("sue").get("nod", asked)["state"] == "old"
    assert missing(lambda: at("pat").move("work", job.id, "pack")) == ["approval:press.rebate"]
    at("sue").undo(at("sue").history("work", job.id)[0].step)  # and taken back it is as it was
    assert at("sue").get("nod", asked)["state"] == "yes_"
    assert at("pat").move("work", job.id, "pack")["step"] == "pack"


def test_a_word_reaches_as_far_as_the_amount(at: Any, job: Any) -> None:
    ready(at, job, rebate="15%", worth=1500)
    asked = approvals.request(at("sue"), "work", job.id, "", key="press.rebate")
    with pytest.raises(Denied, match="Head"):
        approvals.decide(at("bob"), asked, True)
    assert approvals.waiting(at("bob")) == [] and len(approvals.waiting(at("hal"))) == 1
    approvals.decide(at("hal"), asked, True)
    assert at("pat").move("work", job.id, "pack")["step"] == "pack"


def test_it_is_handed_on_to_who_sees_it_and_not_to_who_asks(at: Any, shop: Any, job: Any) -> None:
    ready(at, job, rebate="15%")
    asked = approvals.request(at("sue"), "work", job.id, "", key="press.rebate")
    for to in ("sue", "far"):
        with pytest.raises(Refused):
            approvals.delegate(at("bob"), asked, shop.actor(to).id)
    with pytest.raises(Denied):
        approvals.delegate(at("sue"), asked, shop.actor("sid").id)
    approvals.delegate(at("bob"), asked, shop.actor("sid").id)
    assert [one.id for one in approvals.waiting(at("sid"))] == [asked]
    approvals.decide(at("sid"), asked, True, "In place of Bob")
    assert at("pat").move("work", job.id, "pack")["step"] == "pack"


def test_a_won_record_keeps_to_what_was_agreed(at: Any, job: Any) -> None:
    ready(at, job, rebate="5%")
    at("pat").move("work", job.id, "pack")
    at("sue").move("work", job.id, "sold", {"lesson": "x"})
    assert missing(lambda: at("sue").change("work", job.id, {"rebate": "40%"})) == ["approval:press.rebate"]
    assert at("sue").change("work", job.id, {"paper": "A3"})["paper"] == "A3"


def test_taking_back_does_not_lead_past_an_approval(at: Any, job: Any) -> None:
    ready(at, job, rebate="40%")
    at("sue").change("work", job.id, {"rebate": "5%"})
    step = at("sue").history("work", job.id)[0].step
    at("pat").move("work", job.id, "pack")
    at("sue").move("work", job.id, "sold", {"lesson": "x"})
    with pytest.raises(GateError):
        at("sue").undo(step)
    assert at("sue").get("work", job.id)["rebate"] == Decimal("0.05")


def test_a_change_of_any_entity_may_wait_for_a_word(at: Any) -> None:
    door = at("sue")
    quote = door.create("quote", {"name": "Q", "off": "30%"})
    assert missing(lambda: door.change("quote", quote.id, {"sent": True})) == ["approval:quote.off"]
    assert missing(lambda: door.create("quote", {"name": "R", "off": "30%", "sent": True})) == ["approval:quote.off"]
    asked = ACTIONS["ask_approval"]().run(door, "quote", [quote.id], {"why": "Big order"})
    assert asked
    (waiting,) = approvals.waiting(at("bob"))
    ACTIONS["approve"]().run(at("bob"), "nod", [waiting.id], {})
    assert door.change("quote", quote.id, {"sent": True})["sent"]
    assert door.change("quote", quote.id, {"note": "x"})["note"] == "x"  # what was agreed to may be worked on
    assert missing(lambda: door.change("quote", quote.id, {"off": "35%"})) == ["approval:quote.off"]
    assert door.change("quote", quote.id, {"off": "10%"})["sent"]


def test_what_is_deleted_waits_for_nobody(at: Any, job: Any) -> None:
    ready(at, job, rebate="15%")
    asked = approvals.request(at("sue"), "work", job.id, "", key="press.rebate")
    step = at("sue").delete("work", job.id)
    assert approvals.waiting(at("bob")) == []
    with pytest.raises(Denied):
        approvals.decide(at("bob"), asked, True)
    at("sue").undo(step)
    assert [one.id for one in approvals.waiting(at("bob"))] == [asked]


def test_nobody_writes_a_request_by_hand(at: Any, job: Any) -> None:
    ready(at, job, rebate="15%")
    asked = approvals.request(at("sue"), "work", job.id, "", key="press.rebate")
    for who in ("sue", "bob", "hal"):
        with pytest.raises((Denied, RecordError)):
            at(who).change("nod", asked, {"state": "yes_"})
    with pytest.raises((Denied, RecordError)):
        at("bob").create("nod", {"what": "x", "work": job.id, "state": "yes_", "about": "press.rebate"})


def test_a_request_without_a_rule_is_for_the_roles_it_names(at: Any, shop: Any, job: Any) -> None:
    with shop.writing(shop.actor("sue")):
        asked = approvals.request(shop, "work", job.id, "May we?", by=["head"], key="visit")
        assert approvals.request(shop, "work", job.id, "May we?", by=["head"], key="visit") == asked
    assert approvals.waiting(at("bob")) == [] and [one.id for one in approvals.waiting(at("hal"))] == [asked]
    with pytest.raises(Refused):
        approvals.request(at("sue"), "work", job.id, key="no_such_rule")


# -- outcomes


def test_a_reopened_record_keeps_how_it_ended_in_its_timeline_and_is_asked_anew(at: Any, job: Any) -> None:
    door = at("sue")
    assert missing(lambda: door.move("work", job.id, "gone")) == ["why"]
    door.move("work", job.id, "gone", {"why": "price", "winner": "Copyworld"})
    with pytest.raises(Denied):
        door.move("work", job.id, "talk")
    opened = at("bob").move("work", job.id, "talk")
    assert opened["why"] is None and opened["winner"] is None
    assert missing(lambda: door.move("work", job.id, "gone")) == ["why"]
    ended = next(one for one in door.timeline("work", job.id) if one.stage == "gone")
    assert "Why: Price" in ended.text and "Winner: Copyworld" in ended.text
    history = [(one.field, one.old, one.new) for one in door.history("work", job.id)]
    assert ("why", "price", None) in history and ("why", None, "price") in history


def test_days_in_each_stage_are_kept(at: Any, shop: Any) -> None:
    from datetime import UTC, datetime, timedelta

    door, start = shop.door(SYSTEM), datetime.now(UTC) - timedelta(days=10)
    with door.step(at=start):
        job = door.create("work", {"name": "Old", "seller": shop.actor("sue").id})
    with door.step(at=start + timedelta(days=4)):
        door.move("work", job.id, "print", {"paper": "A2", "do:size": True})
    with door.step(at=start + timedelta(days=5)):
        door.move("work", job.id, "talk")
    with door.step(at=start + timedelta(days=7)):
        door.move("work", job.id, "print")
    spent = gates.days_in(at("sue"), "work", job.id)
    assert round(spent["talk"], 2) == 6.0 and round(spent["print"], 2) == 4.0
    with pytest.raises(Missing):
        gates.days_in(at("far"), "work", job.id)
