"""Actions: done through the door, one step each, taken back as one."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from crm.actions import ACTIONS, actions_for
from crm.errors import GateError, Missing, RecordError
from crm.registry import load_folder
from tests.records.conftest import company, doors, yard, yard_folder  # noqa: F401


@pytest.mark.parametrize("cls", ACTIONS.values(), ids=list(ACTIONS))
def test_every_action_says_what_it_is(cls: Any, company: Any, doors: Any) -> None:  # noqa: F811
    action = cls()
    assert action.label and action.icon and action.__doc__ and cls.label in cls.words
    assert isinstance([action.applies(one, company.schema) for one in company.schema.entities.values()], list)
    for entity in company.schema.entities:
        if action.offered(doors["olga"], entity):
            assert all(asked.label and asked.editor.get("type") for asked in action.fields(doors["olga"], entity))


def run(name: str, door: Any, entity: str, ids: list[int], **values: Any) -> int:
    return ACTIONS[name]().run(door, entity, ids, values)


def test_a_call_and_the_next_step_are_logged_in_one_go(doors: Any) -> None:  # noqa: F811
    door = doors["anna"]
    skipper = door.create("skipper", {"name": "Adam"})
    order = door.create("order", {"name": "Yawl", "skipper": skipper.id})
    before = door.count("doing")
    step = run(
        "log_activity",
        door,
        "order",
        [order.id],
        kind="call",
        text="He wants oak. Long talk about prices.",
        result="good",
        next="Send drawing",
        next_on="2035-02-03",
    )
    done, planned = door.list("doing", order=["id"])
    assert (done["what"], done["story"], done["outcome"], done["order"], done["skipper"]) == (
        "He wants oak",
        "He wants oak. Long talk about prices.",
        "good",
        order.id,
        skipper.id,
    )
    assert done["happened"] is not None and done["by"] == door.actor.id
    assert (planned["what"], planned["happened"], planned["follows"], planned["skipper"]) == ("Send drawing", None, done.id, skipper.id)
    assert door.get("order", order.id)["next"] == date(2035, 2, 3)
    assert door.get("skipper", skipper.id)["last_seen"] == done["happened"]
    undone = door.undo(step)
    assert undone.conflicts == [] and door.count("doing") == before and door.get("order", order.id)["next"] is None
    for wrong in ({}, {"next": "x"}):
        with pytest.raises(RecordError):
            run("log_activity", door, "order", [order.id], **wrong)


def test_done_and_postponed(doors: Any) -> None:  # noqa: F811
    door = doors["anna"]
    one = door.create("doing", {"what": "Call", "planned": "2030-01-01T09:30:00Z"})
    run("postpone", door, "doing", [one.id], to="2030-02-05")
    moved = door.get("doing", one.id)["planned"]
    assert (moved.month, moved.day, moved.hour, moved.minute) == (2, 5, 9, 30)
    run("mark_done", door, "doing", [one.id], outcome="good")
    assert door.get("doing", one.id)["happened"] is not None and door.get("doing", one.id)["outcome"] == "good"
    with pytest.raises(RecordError):
        run("postpone", door, "doing", [one.id], to="gibberish")
    order = door.create("order", {"name": "Y", "skipper": door.create("skipper", {"name": "A"}).id})
    run("postpone", door, "order", [order.id], to="2031-01-01")
    assert door.get("order", order.id)["next"] == date(2031, 1, 1)


def test_assigned_moved_and_deleted_many_at_once(doors: Any) -> None:  # noqa: F811
    door = doors["anna"]
    skipper = door.create("skipper", {"name": "Adam"})
    ids = [door.create("order", {"name": f"B{n}", "skipper": skipper.id}).id for n in range(3)]
    step = run("assign", door, "order", ids, owner=doors["ben"].actor.id)
    assert doors["ben"].count("order") == 3
    door.undo(step)
    assert doors["ben"].count("order") == 0
    with pytest.raises(GateError):
        run("move_stage", door, "order", ids, stage="draw")
    run("move_stage", door, "order", ids, stage="draw", wood="oak")
    assert {r["step"] for r in door.list("order")} == {"draw"}
    step = run("delete", door, "order", ids)
    assert door.count("order") == 0 and door.undo(step).done == 3
    with pytest.raises(Missing):
        run("assign", doors["dora"], "order", ids, owner=doors["dora"].actor.id)
    assert {a.name for a in actions_for(door, "order", many=True)} >= {"assign", "move_stage", "postpone", "delete", "log_activity"}
    assert {a.name for a in actions_for(doors["fay"], "crew")} == set()


def test_a_campaign_makes_tasks_and_one_activity_each_for_all_on_its_list(doors: Any) -> None:  # noqa: F811
    door = doors["olga"]
    ids = [door.create("skipper", {"name": f"S{n}", "harbour": "Hel" if n < 3 else "Puck"}).id for n in range(5)]
    circle = door.create("circle", {"name": "All of Hel", "of": "skipper", "condition": "harbour == 'Hel'"})
    push = door.create("push", {"name": "Summer", "type": "regatta", "starts": "2030-06-20", "circle": circle.id})
    step = run("start_campaign", door, "push", [push.id])
    made = door.list("doing", limit=None)
    assert len(made) == 1 + 3 * 2 and door.get("push", push.id)["reached"] == 3
    days = {r["what"]: door.words.local(r["planned"]).date() for r in made}
    assert days == {"Hire a jetty": date(2030, 6, 10), "Ask them": date(2030, 6, 15), "Thank them": date(2030, 6, 30)}
    assert {r["skipper"] for r in made if r["skipper"]} == set(ids[:3]) and {r["kind"] for r in made if r["what"] == "Ask them"} == {"call"}
    door.change("skipper", ids[4], {"harbour": "Hel"})
    run("start_campaign", door, "push", [push.id])
    assert door.count("doing") == 1 + 4 * 2  # only who is new
    run("count_response", door, "echo", door.ids("echo")[:2], response="keen")
    assert door.get("push", push.id)["warm"] == 2
    fixed = door.create("circle", {"name": "Two", "of": "skipper", "skippers": ids[:2]})
    other = door.create("push", {"name": "Winter", "type": "regatta", "circle": fixed.id})
    again = run("start_campaign", door, "push", [other.id], start="2031-01-10")
    assert door.count("doing", f"push == {other.id}") == 1 + 2 * 2 and door.get("push", other.id)["starts"] == date(2031, 1, 10)
    assert door.undo(again).conflicts == [] and door.count("doing", f"push == {other.id}") == 0
    assert step != again


def test_an_action_is_one_new_file(tmp_path: Path, doors: Any) -> None:  # noqa: F811
    (tmp_path / "shout.py").write_text(
        "from crm.actions import ACTIONS, Action\n"
        "@ACTIONS.add\n"
        "class Shout(Action):\n"
        "    '''Write the name in capitals.'''\n"
        "    name, label, icon, words = 'shout', 'Shout', 'campaign', ('Shout',)\n"
        "    def applies(self, entity, schema): return 'name' in entity.fields\n"
        "    def run(self, door, entity, ids, values):\n"
        "        return door.bulk(entity, ids, {'name': door.get(entity, ids[0])['name'].upper()})\n"
    )
    load_folder(tmp_path)
    try:
        one = doors["anna"].create("skipper", {"name": "Adam"})
        run("shout", doors["anna"], "skipper", [one.id])
        assert doors["anna"].get("skipper", one.id)["name"] == "ADAM"
        assert "shout" in {a.name for a in actions_for(doors["anna"], "skipper")}
    finally:
        ACTIONS.remove("shout")
