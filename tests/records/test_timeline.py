"""Everything that happened, merged newest first, filtered, paged (A3)."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def skipper(doors: Any) -> int:
    door = doors["anna"]
    one = door.create("skipper", {"name": "Adam"}).id
    for month in range(1, 10):
        kind = "call" if month % 2 else "visit"
        door.create(
            "doing",
            {
                "what": f"Doing {month}",
                "kind": kind,
                "skipper": one,
                "happened": f"2025-0{month}-01T10:00:00Z",
                "story": "About oak" if month == 3 else "",
            },
        )
    door.create("doing", {"what": "Planned", "skipper": one, "planned": "2035-01-01T10:00:00Z"})
    door.create("doing", {"what": "Some day", "skipper": one})
    door.create("fault", {"text": "Leak", "skipper": one})
    return one


def test_events_of_all_kinds_come_newest_first(doors: Any, skipper: int) -> None:
    events = doors["anna"].timeline("skipper", skipper)
    assert [e.title for e in events][:3] == ["Planned", "Leak", "Doing 9"] and len(events) == 11
    assert [e.on for e in events] == sorted((e.on for e in events), reverse=True)
    assert (events[0].done, events[1].done, events[2].done) == (False, True, True)
    assert (events[2].who, events[2].kind, events[2].label) == ("Anna", "call", "Call")


def test_events_are_filtered_by_kind_and_text(doors: Any, skipper: int) -> None:
    door = doors["anna"]
    assert {e.kind for e in door.timeline("skipper", skipper, kinds=["call"])} == {"call"}
    assert [e.title for e in door.timeline("skipper", skipper, kinds=["fault"])] == ["Leak"]
    assert [e.title for e in door.timeline("skipper", skipper, find="oak")] == ["Doing 3"]
    assert [e.title for e in door.timeline("skipper", skipper, find="leak")] == ["Leak"]
    assert set(door.timeline_kinds("skipper")) == {"visit", "call", "fault", "stage"}


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7])
def test_pages_join_without_gap_or_repetition(doors: Any, skipper: int, size: int) -> None:
    door = doors["anna"]
    for _ in range(3):  # several at one moment
        door.create("doing", {"what": "Same", "skipper": skipper, "happened": "2025-04-01T10:00:00Z"})
        order = door.create("order", {"name": "B", "skipper": skipper, "wood": "oak"})
        door.move("order", order.id, "draw")
    everything = [e.key for e in door.timeline("skipper", skipper, limit=1000)]
    pages, before = [], None
    while page := door.timeline("skipper", skipper, before=before, limit=size):
        pages += [e.key for e in page]
        before = page[-1].key
    assert pages == everything and len(set(pages)) == len(pages)


def test_a_timeline_keeps_to_what_one_may_see(doors: Any, skipper: int) -> None:
    doors["anna"].change("skipper", skipper, {"keeper": doors["ben"].actor.id})
    ben = doors["ben"].timeline("skipper", skipper)
    assert ben == []  # the doings are Anna's, above his crew
    doors["ben"].create("doing", {"what": "Mine", "skipper": skipper, "happened": "2025-01-01T00:00:00Z"})
    assert [e.title for e in doors["ben"].timeline("skipper", skipper)] == ["Mine"]
    assert "Mine" in [e.title for e in doors["anna"].timeline("skipper", skipper)]
