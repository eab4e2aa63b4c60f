"""History of every field, the state at any moment, and taking back whatever was done (H5, I2, I8)."""

from __future__ import annotations

import random
from typing import Any

import pytest

from crm.errors import Denied, Missing, RecordError, Refused


def snapshot(company: Any) -> dict[str, Any]:
    """All living records without what the engine notes beside them."""
    quiet = {"changed_on", "changed_by"}
    return {
        f"{name} {doc.doc_id}": {key: value for key, value in doc.items() if key not in quiet}
        for name in company.schema.entities
        for doc in company.find(name)
    }


def test_history_says_who_what_from_to(doors: Any) -> None:
    record = doors["anna"].create("skipper", {"name": "Adam", "wealth": 5})
    doors["olga"].change("skipper", record.id, {"wealth": 7, "harbour": "Hel"})
    changes = doors["anna"].history("skipper", record.id)
    newest = {c.field: (c.who, c.act, c.old, c.new, c.label) for c in changes if c.act == "change"}
    assert newest["wealth"] == ("Olga", "change", 5, 7, "Wealth") and newest["harbour"][2:4] == (None, "Hel")
    assert [c.act for c in changes if c.field is None] == ["create"]
    doors["olga"].change("skipper", record.id, {"keeper": doors["ben"].actor.id})
    assert "wealth" not in {c.field for c in doors["ben"].history("skipper", record.id)}


def test_the_state_of_a_past_moment(company: Any, doors: Any) -> None:
    import time

    door = doors["anna"]
    record = door.create("skipper", {"name": "Adam"})
    then = company.store.changes(0)[-1].at
    time.sleep(0.01)
    door.change("skipper", record.id, {"name": "Bert"})
    assert door.get("skipper", record.id, as_of=then)["name"] == "Adam"
    assert [one.title for one in door.list("skipper", "name == 'Adam'", as_of=then)] == ["Adam"]
    assert door.count("skipper", "name == 'Adam'") == 0
    assert door.frame("skipper", ["name"], as_of=then)["name"].tolist() == ["Adam"]
    with pytest.raises(Missing):
        door.get("skipper", record.id, as_of="2001-01-01")
    with pytest.raises(Missing):
        doors["gus"].get("skipper", record.id, as_of=then)


def test_a_change_is_undone_and_the_undo_as_well(company: Any, doors: Any) -> None:
    door = doors["anna"]
    record = door.create("skipper", {"name": "Adam", "harbour": "Hel"})
    with door.step("edit") as step:
        door.change("skipper", record.id, {"harbour": "Puck", "wealth": 3})
    done = door.undo(step.id)
    assert (done.done, done.conflicts, door.get("skipper", record.id)["harbour"], door.get("skipper", record.id)["wealth"]) == (
        1,
        [],
        "Hel",
        None,
    )
    again = door.undo(done.step)
    assert again.done == 1 and door.get("skipper", record.id)["harbour"] == "Puck"


def test_what_others_changed_since_stays_and_is_told(doors: Any) -> None:
    door = doors["anna"]
    record = door.create("skipper", {"name": "Adam", "harbour": "Hel"})
    with door.step("edit") as step:
        door.change("skipper", record.id, {"harbour": "Puck", "mail": "a@b"})
    doors["olga"].change("skipper", record.id, {"harbour": "Sopot"})
    done = door.undo(step.id)
    assert [(c.field, c.who, c.title) for c in done.conflicts] == [("harbour", "Olga", "Adam (Sopot)")]
    now = door.get("skipper", record.id)
    assert (now["harbour"], now["mail"]) == ("Sopot", None)


def test_a_creation_somebody_worked_on_is_not_taken_back(doors: Any) -> None:
    with doors["ben"].step("new") as step:
        record = doors["ben"].create("skipper", {"name": "Adam"})
    doors["anna"].change("skipper", record.id, {"harbour": "Hel"})
    done = doors["ben"].undo(step.id)
    assert done.done == 0 and done.step is None and [c.field for c in done.conflicts] == ["harbour"]
    doors["anna"].change("skipper", record.id, {"harbour": None})
    assert doors["ben"].undo(step.id).done == 1
    assert doors["anna"].count("skipper") == 0


def test_an_import_is_taken_back_as_one(company: Any, doors: Any) -> None:
    door = doors["olga"]
    old = door.create("skipper", {"name": "Adam", "harbour": "Hel"})
    before = snapshot(company)
    with door.step("import", later=True) as step:
        for n in range(20):
            one = door.create("skipper", {"name": f"S{n}"})
            door.create("order", {"name": f"B{n}", "skipper": one.id, "price": n})
        door.change("skipper", old.id, {"harbour": "Puck"})
    assert door.count("skipper") == 21
    done = door.undo(step.id)
    assert (done.done, done.conflicts) == (41, []) and snapshot(company) == before
    assert door.undo(done.step).done == 41
    assert door.count("order") == 20 and door.get("skipper", old.id)["harbour"] == "Puck"
    assert {one["boats"] for one in door.list("skipper", "name != 'Adam'", limit=None)} == {1}


def test_undo_needs_the_rights_of_the_act(doors: Any) -> None:
    with doors["anna"].step("new") as step:
        record = doors["anna"].create("skipper", {"name": "Adam", "keeper": doors["ben"].actor.id})
    with doors["anna"].step("edit") as edit:
        doors["anna"].change("skipper", record.id, {"wealth": 5})
    with pytest.raises(Denied):
        doors["ben"].undo(edit.id)  # wealth is hidden from mates
    with pytest.raises(Missing):
        doors["dora"].undo(step.id)
    with pytest.raises(Missing):
        doors["fay"].undo(edit.id)
    assert doors["anna"].get("skipper", record.id)["wealth"] == 5
    with pytest.raises(Missing):
        doors["anna"].undo(10**6)


def test_ones_own_slip_can_be_taken_back_at_once(doors: Any) -> None:
    ben = doors["ben"]
    record = ben.create("skipper", {"name": "Adam"})
    with ben.step("oops") as step:
        ben.change("skipper", record.id, {"keeper": doors["dora"].actor.id})
    with pytest.raises(Missing):
        ben.get("skipper", record.id)
    assert ben.undo(step.id).done == 1 and ben.get("skipper", record.id)["keeper"] == ben.actor.id
    with ben.step("oops") as step:
        ben.change("skipper", record.id, {"keeper": doors["dora"].actor.id})
    doors["dora"].change("skipper", record.id, {"harbour": "Hel"})
    assert ben.undo(step.id).done == 0


def test_deleting_is_undone_and_a_taken_value_is_not_put_back(doors: Any) -> None:
    door = doors["olga"]
    record = door.create("skipper", {"name": "Adam", "mail": "a@b"})
    step = door.delete("skipper", record.id)
    other = door.create("skipper", {"name": "Eve", "mail": "a@b"})
    done = door.undo(step)
    assert done.done == 0 and door.count("skipper") == 1 and "used" in done.conflicts[0].why
    door.change("skipper", other.id, {"mail": "e@b"})
    assert door.undo(step).done == 1 and door.get("skipper", record.id)["mail"] == "a@b"


@pytest.mark.parametrize("seed", range(4))
def test_taking_back_everything_newest_first_leads_to_the_beginning(seed: int, company: Any, doors: Any) -> None:
    rng = random.Random(seed)
    door = doors["olga"]
    skippers = [door.create("skipper", {"name": f"S{n}"}).id for n in range(3)]
    states, steps = [snapshot(company)], []
    for n in range(30):
        try:
            with door.step(str(n), gates=False, later=rng.random() < 0.3) as step:
                for _ in range(rng.randint(1, 3)):
                    orders = door.ids("order")
                    act = rng.choice(["new", "edit", "delete", "skipper"])
                    if act == "new":
                        door.create(
                            "order",
                            {
                                "name": f"B{n}",
                                "skipper": rng.choice(skippers),
                                "price": rng.randint(1, 50),
                                "step": rng.choice(["talk", "sold"]),
                            },
                        )
                    elif act == "edit" and orders:
                        door.change(
                            "order", rng.choice(orders), {"price": rng.randint(1, 50), "tags": ["x"] * rng.randint(0, 1), "step": "talk"}
                        )
                    elif act == "delete" and orders:
                        door.delete("order", rng.choice(orders))
                    elif act == "skipper":
                        door.change("skipper", rng.choice(skippers), {"harbour": f"H{rng.randint(1, 5)}"})
        except (RecordError, Refused, Missing):
            continue
        if step.id:
            steps.append(step.id)
            states.append(snapshot(company))
    redo = []
    for at, step in enumerate(reversed(steps), 2):
        done = door.undo(step)
        assert done.conflicts == []
        assert snapshot(company) == states[-at]
        redo.append(done.step)
    for at, step in enumerate(reversed(redo), 1):
        if step is not None:
            assert door.undo(step).conflicts == []
        assert snapshot(company) == states[at]
