"""Pipelines: gates say all that is missing, moves are those of the YAML, reopening is for some (B5, B6)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from crm.errors import Denied, GateError, RecordError


@pytest.fixture
def order(doors: Any) -> Any:
    skipper = doors["anna"].create("skipper", {"name": "Adam"})
    return doors["anna"].create("order", {"name": "Yawl", "skipper": skipper.id})


def test_a_gate_lists_all_that_is_missing_and_takes_it_along(doors: Any, order: Any) -> None:
    door = doors["anna"]
    door.move("order", order.id, "draw", {"wood": "oak"})
    with pytest.raises(GateError) as caught:
        door.move("order", order.id, "build")
    assert caught.value.missing == ["price", "due"] and caught.value.stage == "build"
    assert door.wants("order", order.id, "build") == ["price", "due"]
    assert door.get("order", order.id)["step"] == "draw"
    moved = door.move("order", order.id, "build", {"price": "100", "due": "2030-01-01"})
    assert moved["step"] == "build" and moved["stage_on"] >= order["stage_on"] and moved["chance"] == Decimal("0.8")


def test_a_gate_holds_on_every_way_of_writing(doors: Any, order: Any) -> None:
    door = doors["anna"]
    for act in (
        lambda: door.change("order", order.id, {"step": "draw"}),
        lambda: door.bulk("order", [order.id], {"step": "draw"}),
        lambda: door.create("order", {"name": "New", "skipper": order["skipper"], "step": "draw"}),
    ):
        with pytest.raises(GateError):
            act()
    assert door.create("order", {"name": "New", "skipper": order["skipper"], "step": "draw", "wood": "pine"})["step"] == "draw"


def test_stages_are_not_skipped_where_the_yaml_says_next(doors: Any, order: Any) -> None:
    door = doors["anna"]
    with pytest.raises(Denied) as caught:
        door.move("order", order.id, "build", {"price": 1, "due": "2030-01-01", "wood": "oak"})
    assert "Drawing" in str(caught.value)
    with pytest.raises(RecordError):
        door.move("order", order.id, "nowhere")
    assert door.move("order", order.id, "gone", {"why": "No money"})["step"] == "gone"


def test_back_is_free_and_reopening_is_for_some(doors: Any) -> None:
    ben, anna = doors["ben"], doors["anna"]
    skipper = ben.create("skipper", {"name": "Adam"})
    order = ben.create("order", {"name": "Yawl", "skipper": skipper.id, "wood": "oak"})
    ben.move("order", order.id, "draw")
    ben.move("order", order.id, "talk")
    ben.move("order", order.id, "gone", {"why": "x"})
    with pytest.raises(Denied):
        ben.move("order", order.id, "talk")
    assert anna.move("order", order.id, "talk")["step"] == "talk"


def test_a_chance_set_by_hand_does_not_follow_the_stage(doors: Any, order: Any) -> None:
    door = doors["anna"]
    door.change("order", order.id, {"chance": "55%"})
    assert door.move("order", order.id, "draw", {"wood": "oak"})["chance"] == Decimal("0.55")


def test_another_pipeline_begins_at_its_beginning(doors: Any, order: Any) -> None:
    changed = doors["anna"].change("order", order.id, {"way": "quick"})
    assert (changed["way"], changed["step"]) == ("quick", "ask")
    with pytest.raises(RecordError):
        doors["anna"].change("order", order.id, {"step": "build"})


def test_a_gate_does_not_name_what_is_hidden(doors: Any, company: Any) -> None:
    stage = company.schema.pipelines["normal"].stages["draw"]
    stage.require = ["wood", "cost"]
    try:
        ben = doors["ben"]
        order = ben.create("order", {"name": "Yawl", "skipper": ben.create("skipper", {"name": "A"}).id})
        with pytest.raises(GateError) as caught:
            ben.move("order", order.id, "draw")
        assert caught.value.missing == ["wood"] and "cost" not in str(caught.value.problems)
        with pytest.raises(GateError) as caught:
            ben.move("order", order.id, "draw", {"wood": "oak"})
        assert caught.value.missing == [] and "may not see" in str(caught.value.problems[""])
    finally:
        stage.require = ["wood"]


def test_lenient_steps_let_the_past_in(doors: Any, order: Any) -> None:
    with pytest.raises(Denied), doors["anna"].step("x", gates=False):
        pass
    with doors["olga"].step("import", gates=False):
        record = doors["olga"].create("order", {"name": "Sold long ago", "skipper": order["skipper"], "step": "sold"})
    assert record["step"] == "sold"
    with pytest.raises(GateError):
        doors["olga"].create("order", {"name": "Now", "skipper": order["skipper"], "step": "sold"})


def test_moves_show_in_the_timelines_of_record_and_customer(doors: Any, order: Any) -> None:
    door = doors["anna"]
    door.move("order", order.id, "draw", {"wood": "oak"})
    door.move("order", order.id, "gone", {"why": "x"})
    own = [event.title for event in door.timeline("order", order.id, kinds=["stage"])]
    assert own == ["Drawing → Gone", "Talk → Drawing"]
    theirs = door.timeline("skipper", order["skipper"])
    assert [event.title for event in theirs] == ["Yawl: Drawing → Gone", "Yawl: Talk → Drawing"] and theirs[0].who == "Anna"
    assert doors["gus"].count("order") == 0
    undone = door.undo(door.steps(1)[0].id)
    assert undone.conflicts == []
    assert [event.title for event in door.timeline("order", order.id)] == ["Talk → Drawing"]
    door.undo(undone.step)
    assert [event.title for event in door.timeline("order", order.id)] == ["Drawing → Gone", "Talk → Drawing"]
