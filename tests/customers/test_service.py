"""Promises by the clock (H10) and the cost of time (A6), over the small guild."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from crm.errors import RecordError
from crm.records import service

ZONE = ZoneInfo("Europe/Warsaw")


def at(day: int, hour: int, minute: int = 0, month: int = 5) -> datetime:
    """A moment of May 2026: the 4th is a Monday, the 1st a Friday and in Poland a holiday."""
    return datetime(2026, month, day, hour, minute, tzinfo=ZONE)


@pytest.fixture
def system(guild):
    from crm.records import SYSTEM

    return guild.door(SYSTEM)


def write(door, moment, act):
    with door.step("then", at=moment):
        return act()


def test_deadlines_count_working_time(system):
    one = write(system, at(7, 15), lambda: system.create("quarrel", {"about": "A wall"}))  # Thursday, an hour left
    assert one["hear_by"] == at(8, 9) and one["settle_by"] == at(11, 11)  # 1 h, Friday 6 h, Monday 3 h
    grave = write(system, at(9, 22), lambda: system.create("quarrel", {"about": "A fire", "grave": True}))
    assert grave["hear_by"] == at(9, 22, 30) and grave["settle_by"] == at(10, 2)


def test_holidays_of_the_place_count(system):
    house = system.create("house", {"name": "H", "place": {"country": "PL"}})
    abroad = write(system, at(30, 15, month=4), lambda: system.create("quarrel", {"about": "x"}))
    at_home = write(system, at(30, 15, month=4), lambda: system.create("quarrel", {"about": "x", "house": house.id}))
    assert abroad["hear_by"] == at(1, 9) and at_home["hear_by"] == at(4, 9)


def test_another_goal_moves_the_deadline(system):
    one = write(system, at(4, 8), lambda: system.create("quarrel", {"about": "x"}))
    changed = write(system, at(4, 9), lambda: system.change("quarrel", one.id, {"grave": True}))
    assert changed["settle_by"] == at(4, 12)


def test_the_clock_stands_while_we_wait(system):
    one = write(system, at(4, 8), lambda: system.create("quarrel", {"about": "x"}))
    assert one["settle_by"] == at(5, 10)
    away = write(system, at(4, 12), lambda: system.change("quarrel", one.id, {"state": "away"}))
    assert away["settle_by"] is None and away["idle_since"] == at(4, 12) and away["hear_by"] == at(4, 10)
    back = write(system, at(6, 10), lambda: system.change("quarrel", one.id, {"state": "open"}))
    assert back["idle"] == 4 * 60 + 8 * 60 + 2 * 60 and back["idle_since"] is None  # Monday 12-16, Tuesday, Wednesday 8-10
    assert back["settle_by"] == at(6, 16)  # four hours were used, six are left


def test_waiting_does_not_heal_what_is_late(system):
    one = write(system, at(4, 8), lambda: system.create("quarrel", {"about": "x"}))
    away = write(system, at(6, 8), lambda: system.change("quarrel", one.id, {"state": "away"}))
    assert away["settle_by"] == at(5, 10)


def test_settling_stops_the_clock_and_reopening_starts_it(system):
    one = write(system, at(4, 8), lambda: system.create("quarrel", {"about": "x"}))
    done = write(system, at(5, 9), lambda: system.change("quarrel", one.id, {"state": "settled"}))
    assert done["settled"] == at(5, 9) and done["kept"] == "yes"
    again = write(system, at(5, 12), lambda: system.change("quarrel", one.id, {"state": "open"}))
    assert again["settled"] is None and again["kept"] is None
    late = write(system, at(5, 13), lambda: system.change("quarrel", one.id, {"state": "settled"}))
    assert late["kept"] == "no"


def test_one_step_back_sets_the_clock_back(door):
    one = door.create("quarrel", {"about": "x"})
    with door.step("away") as step:
        door.change("quarrel", one.id, {"state": "away"})
    assert door.get("quarrel", one.id)["idle_since"] is not None
    door.undo(step.id)
    back = door.get("quarrel", one.id)
    assert back["idle_since"] is None and back["settle_by"] == one["settle_by"]


def test_nobody_writes_what_the_clock_keeps(door):
    one = door.create("quarrel", {"about": "x"})
    with pytest.raises(RecordError) as told:
        door.change("quarrel", one.id, {"settle_by": "2030-01-01 10:00"})
    assert "settle_by" in told.value.problems


def test_what_is_left_is_told_in_working_minutes(guild, system):
    one = write(system, at(4, 8), lambda: system.create("quarrel", {"about": "x"}))
    doc = guild.doc("quarrel", one.id)
    with guild.writing(system.actor, at=at(4, 15)):
        assert service.left(guild, "quarrel", one.id, doc) == 180
        assert service.left(guild, "quarrel", one.id, doc, "respond_by") == -300
    with guild.writing(system.actor, at=at(5, 9, 59)):
        assert service.left(guild, "quarrel", one.id, doc) == 1
    with guild.writing(system.actor, at=at(8, 16)):
        assert service.left(guild, "quarrel", one.id, doc) == -(6 * 60 + 2 * 480 + 6 * 60)


# --- time costs


def test_time_costs_what_an_hour_cost_when_it_was_spent(guild, door):
    fritz = guild.door(guild.actor("fritz"))
    house = door.create("house", {"name": "H", "keeper": guild.actor("fritz").id}).id
    fritz.create("work", {"name": "Wall", "house": house, "price": 500, "took": "1:30"})
    door.change("mason", guild.actor("fritz").id, {"wage": 60})
    fritz.create("work", {"name": "Roof", "house": house, "took": "0:10"})
    told = door.get("house", house)
    assert (told["paid"], told["toil"], told["yielded"]) == (500, 45 + 10, 445)
    assert not {"wage", "cost"} & fritz.readable("work")
    assert not {"toil", "yielded"} & fritz.readable("house") and "paid" in fritz.readable("house")


def test_sums_include_what_one_may_not_see_as_the_yaml_says_of_the_figure(guild, door):
    """A figure of a record is the company's: whoever may read it sees the whole; its parts stay hidden (as for every rollup)."""
    fritz, greta = (guild.door(guild.actor(name)) for name in ("fritz", "greta"))
    house = fritz.create("house", {"name": "H"}).id
    door.create("work", {"name": "By Greta", "house": house, "price": 100, "mason": guild.actor("greta").id})
    assert fritz.get("house", house)["paid"] == 100 and fritz.back("house", house, "works") == ([], 0)
    assert greta.count("work") == 1


def test_deadlines_are_days_apart_even_over_summer_time(system):
    before = write(system, datetime(2026, 3, 27, 14, tzinfo=ZONE), lambda: system.create("quarrel", {"about": "x"}))
    assert before["settle_by"] == datetime(2026, 3, 31, 9, tzinfo=ZONE) and before["settle_by"] - before["began"] > timedelta(days=3)
