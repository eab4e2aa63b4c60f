"""A new record begins as the last similar one of its user (H6), and tells nothing that they may not see."""

from __future__ import annotations

import pytest

from crm.records import SYSTEM


@pytest.fixture
def reps(demo):
    users = demo.schema.users
    found = [one for one in demo.door(SYSTEM).list(users.entity, limit=200) if one.get(users.role) == "rep"]
    return [demo.door(demo.actor(one.id)) for one in found[:2]]


def test_values_of_the_last_similar_one_are_offered(demo, reps):
    door, other = reps
    rule = demo.schema.entities["activity"].remember
    assert rule.fields == ["duration", "direction"] and rule.like == ["kind", "account"]
    first, second = [one.id for one in door.list("account", limit=2)]
    for kind, account, minutes in (("call", first, 10), ("call", second, 25), ("meeting", first, 60)):
        door.create("activity", {"subject": "x", "kind": kind, "account": account, "duration": minutes, "done_on": "2026-01-01"})
    assert door.draft("activity", {"kind": "call", "account": first})["duration"] == 10
    assert door.draft("activity", {"kind": "call", "account": second})["duration"] == 25
    system = demo.door(SYSTEM)
    for one in door.list("activity", f"created_by == {door.actor.id} and kind == 'fax'", limit=None):
        system.delete("activity", one.id)
    assert door.draft("activity", {"kind": "fax"})["duration"] == 60  # none alike: the last of all
    assert door.draft("activity", {"kind": "call", "account": first, "duration": 5})["duration"] == 5  # what is typed wins
    theirs = other.draft("activity", {"kind": "call", "account": first}).get("duration")
    mine = [one["duration"] for one in other.list("activity", f"created_by == {other.actor.id}", order=["-created_on"], limit=None)]
    assert theirs != 10 or 10 in mine  # each has their own last one


def test_nothing_is_written_that_nobody_typed(reps):
    door = reps[0]
    door.create("activity", {"subject": "x", "kind": "call", "duration": 10})
    assert door.create("activity", {"subject": "y", "kind": "call"})["duration"] is None  # an import, the API, an automation


def test_a_link_to_what_may_not_be_seen_is_not_offered(demo, reps):
    door = reps[0]
    system = demo.door(SYSTEM)
    campaign = system.create("campaign", {"name": "Spring fair", "kind": "fair"}).id
    door.create("lead", {"name": "Adam Last", "source": "fair", "campaign": campaign})
    assert door.draft("lead").get("campaign") == (campaign if door.title("campaign", campaign) else None)
    system.delete("campaign", campaign)
    draft = door.draft("lead")
    assert draft.get("campaign") is None and draft["source"] == "fair"


def test_a_record_that_is_out_of_sight_is_forgotten(demo, reps):
    door = reps[0]
    door.create("lead", {"name": "Adam Last", "source": "web"})
    made = door.create("lead", {"name": "Adam Last", "source": "social"})
    assert door.draft("lead")["source"] == "social"
    demo.door(SYSTEM).delete("lead", made.id)
    assert door.draft("lead")["source"] == "web"
