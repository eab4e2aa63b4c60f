"""What is to be reached in a quarter: shares of longer goals, one's own, a team's."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from crm.records import SYSTEM, Company
from crm.records.goals import target
from crm.schema import load, shipped
from crm.stores import open_store

FIRST, AFTER = date(2026, 4, 1), date(2026, 7, 1)


@pytest.fixture(scope="module")
def yard():
    one = Company(load(shipped("sales")), open_store(":memory:"))
    door = one.door(SYSTEM)
    for login, role in (("ann", "rep"), ("ben", "rep"), ("max", "director")):
        door.create("user", {"name": login.title(), "login": login, "role": role, "email": f"{login}@firm.example"})
    yield one
    one.store.close()


@pytest.fixture
def company(yard):
    """The company without goals."""
    yard.store.table("goal").truncate()
    return yard


def goal(company, owner, amount, first="2026-01-01", last="2026-12-31", measure="revenue", **more):
    people = {one["login"]: one.id for one in company.door(SYSTEM).list("user")}
    values = {"owner": people.get(owner), "target": amount, "starts_on": first, "ends_on": last, "measure": measure, **more}
    return company.door(SYSTEM).create("goal", values)


def test_a_goal_counts_by_the_days_that_lie_inside(company):
    assert target(company.door("ann"), FIRST, AFTER) is None
    goal(company, "ann", 365000)
    assert target(company.door("ann"), FIRST, AFTER) == 91000  # 91 of 365 days
    goal(company, "ann", 5000, "2026-06-01", "2026-06-30")
    assert target(company.door("ann"), FIRST, AFTER) == 96000
    goal(company, "ann", 700, "2026-07-01", "2026-09-30")
    goal(company, "ann", 50, measure="calls")
    assert target(company.door("ann"), FIRST, AFTER) == 96000  # of another quarter, of another measure


def test_all_goals_are_those_one_sees_and_a_team_is_not_counted_twice(company):
    goal(company, "ann", 36500)
    goal(company, "ben", 73000)
    assert target(company.door("max"), FIRST, AFTER, own=False) == Decimal(27300)
    assert target(company.door("ann"), FIRST, AFTER, own=False) == 9100
    assert target(company.door("max"), FIRST, AFTER) is None
    goal(company, None, 365000)
    assert target(company.door("max"), FIRST, AFTER, own=False) == 91000


def test_without_goals_in_the_configuration_there_are_none():
    one = Company(load(shipped("nonprofit")), open_store(":memory:"))
    try:
        assert one.schema.goals is None and target(one.door(SYSTEM), FIRST, AFTER) is None
    finally:
        one.store.close()
