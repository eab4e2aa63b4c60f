"""What is to be reached in a quarter: shares of longer goals, one's own, a team's."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from crm.records import SYSTEM, Company
from crm.records.goals import ALL, goals, target
from crm.schema import load, shipped
from crm.stores import open_store

FIRST, AFTER = date(2026, 4, 1), date(2026, 7, 1)


@pytest.fixture(scope="module")
def yard():
    one = Company(load(shipped("sales")), open_store(":memory:"))
    door = one.door(SYSTEM)
    whole = door.create("team", {"name": "All"}).id
    teams = {name: door.create("team", {"name": name, "parent": whole}).id for name in ("North", "South")}
    for login, role, team in (("ann", "rep", "North"), ("ben", "rep", "North"), ("cid", "rep", "South"), ("max", "director", None)):
        values = {"name": login.title(), "login": login, "role": role, "email": f"{login}@firm.example"}
        door.create("user", {**values, "team": teams.get(team)})
    europe = door.create("territory", {"name": "Europe"}).id
    for name in ("Poland", "Norway"):
        door.create("territory", {"name": name, "parent": europe})
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


def test_without_goals_in_the_configuration_there_are_none(company):
    known, company.schema.goals = company.schema.goals, None
    try:
        assert target(company.door(SYSTEM), FIRST, AFTER) is None
    finally:
        company.schema.goals = known


def ids(company, entity):
    return {one["name"]: one.id for one in company.door(SYSTEM).list(entity)}


def test_a_team_is_the_sum_of_its_people_unless_it_was_given_a_goal_itself(company):
    """F12: the months of a year make up the year, people make up a team, teams the company."""
    teams, people = ids(company, "team"), ids(company, "user")
    year = (date(2026, 1, 1), date(2027, 1, 1))
    goal(company, "ann", 100000)
    goal(company, "ben", 50000)
    goal(company, "cid", 70000)

    def told(who=ALL, span=year):
        return goals(company.door("max"), *span).target(*span, who)

    assert told(("team", teams["North"])) == 150000 and told(("team", teams["South"])) == 70000
    assert told() == told(("team", teams["All"])) == 220000
    months = [(date(2026, n, 1), date(2026 + n // 12, n % 12 + 1, 1)) for n in range(1, 13)]
    assert sum(told(("person", people["Ann"]), month) for month in months) == pytest.approx(Decimal(100000))
    assert told(("person", people["Ann"]), months[1]) == Decimal(100000) * 28 / 365
    goal(company, None, 200000, team=teams["North"])
    assert told(("team", teams["North"])) == 200000 and told() == 270000  # its own word counts, the South is still its people
    goal(company, None, 30000, "2026-01-01", "2026-01-31")
    assert told() == pytest.approx(Decimal(30000) + Decimal(270000) * 334 / 365)  # day by day: in January the company's own
    assert told(("person", people["Max"])) is None


def test_areas_make_up_the_area_above_and_products_the_whole(company):
    areas = ids(company, "territory")
    year = (date(2026, 1, 1), date(2027, 1, 1))
    goal(company, None, 400, territory=areas["Poland"])
    goal(company, None, 600, territory=areas["Norway"])
    found = goals(company.door("max"), *year)
    assert found.target(*year, of={"territory": areas["Europe"]}) == 1000 and found.target(*year) == 1000
    goal(company, "ann", 250, territory=areas["Poland"])
    found = goals(company.door("max"), *year)
    ann = ids(company, "user")["Ann"]
    assert found.target(*year, ("person", ann), of={"territory": areas["Poland"]}) == 250 == found.target(*year, ("person", ann))
    assert found.target(*year, of={"territory": areas["Poland"]}) == 400
    assert goals(company.door("ann"), *year).target(*year) == 250  # what one sees: one's own


def test_goals_are_told_apart_by_what_they_are_about(company):
    goal(company, "ann", 365, measure="calls")
    assert goals(company.door("max"), FIRST, AFTER, "calls").target(FIRST, AFTER) == 91
    assert goals(company.door("max"), FIRST, AFTER).target(FIRST, AFTER) is None
