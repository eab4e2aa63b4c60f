"""Dates, silences and schedules: each occasion once, late ones too, nothing from before (B12)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crm.records import SYSTEM
from crm.records.automation import RUNS
from crm.records.due import run_due

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday, 10:00 in Warsaw


class Clock:
    def __init__(self, company):
        self.company, self.now = company, START
        company.clock = lambda: self.now

    def go(self, **more) -> list[tuple[str, int | None]]:
        """Let time pass and the worker look; what ran."""
        self.now += timedelta(**more)
        before = len(self.company.store.table(RUNS))
        run_due(self.company, self.company.now())
        return [(row["automation"], row.get("record")) for row in self.company.store.table(RUNS).all()[before:]]


def order(company, **values):
    return company.door(SYSTEM).create("order", {"name": "Ship", **values}).id


def test_a_date_comes_once_at_its_time_of_day(shop):
    company = shop({"near": 'entity: order\nwhen: {date: due, after: -3d, at: "08:00"}\nif: step != \'sold\'\nthen: {set: {note: near}}'})
    clock = Clock(company)
    assert clock.go() == []
    one = order(company, due="2026-03-10")
    far = order(company, due="2026-05-10")
    old = order(company, due="2026-03-03")  # three days before was before the automation began
    assert clock.go(days=4, hours=20) == []  # 7 March, 06:00 in Warsaw
    assert clock.go(hours=2) == [("near", one)]
    assert clock.go(hours=1) == [] and clock.go(days=10) == []
    assert company.doc("order", one)["note"] == "near" and company.doc("order", far).get("note") is None
    assert company.doc("order", old).get("note") is None
    company.door(SYSTEM).change("order", one, {"due": "2026-04-10"})  # another date is another occasion
    assert clock.go(days=30) == [("near", one)]


def test_the_worker_may_have_been_away_and_a_date_may_come_late(shop):
    company = shop({"past": "entity: order\nwhen: {date: due, after: 1d}\nthen: {set: {note: past}}"})
    clock = Clock(company)
    clock.go()
    ids = [order(company, due=f"2026-03-{day:02}") for day in (4, 9, 20)]
    assert clock.go(days=30) == [("past", one) for one in ids]
    late = order(company, due=(clock.now - timedelta(days=3)).date())
    too_late = order(company, due=(clock.now - timedelta(days=20)).date())
    assert clock.go(minutes=1) == [("past", late)]
    assert company.doc("order", too_late).get("note") is None


def test_silence_since_a_field_and_since_the_newest_activity(shop):
    company = shop(
        {
            "field": "entity: order\nwhen: {silent: 10d, since: seen}\nthen: {set: {note: quiet}}",
            "activity": "entity: order\nwhen: {silent: 20d}\nif: step == 'asked'\nthen: {set: {why: quiet}}",
        }
    )
    clock = Clock(company)
    clock.go()
    door = company.door(SYSTEM)
    never, once, gone = order(company), order(company, seen=clock.now), order(company)
    door.move("order", gone, "gone")
    clock.now += timedelta(days=5)
    door.create("doing", {"what": "Call", "order": once, "happened": clock.now})
    door.change("order", once, {"seen": clock.now})
    assert clock.go(days=4) == []
    assert clock.go(days=2) == [("field", never), ("field", gone)]
    assert clock.go(days=4) == [("field", once)]
    assert clock.go(days=6) == [("activity", never)]  # 21 days after it was made, nothing at all
    assert clock.go(days=5) == [("activity", once)]  # and 20 after the call
    door.create("doing", {"what": "Call", "order": once, "happened": clock.now})  # silence begins again
    assert clock.go(days=19) == []
    assert clock.go(days=2) == [("activity", once)]


@pytest.mark.parametrize(
    ("when", "days"),
    [
        ('{every: day, at: "07:00"}', [3, 4, 5, 6, 7, 8, 9, 10]),
        ('{every: week, on: wednesday, at: "07:00"}', [4]),
        ('{every: month, on: 5, at: "07:00"}', [5]),
    ],
)
def test_schedules(shop, when, days):
    company = shop({"plan": f"entity: order\nwhen: {when}\nif: urgent\nthen: {{set: {{round: '=coalesce(round, 0) + 1'}}}}"})
    clock = Clock(company)
    clock.go()
    one, _ = order(company, urgent=True), order(company)
    fired = []
    for _ in range(24 * 8):
        if clock.go(hours=1):
            fired.append(clock.now.day)
    assert fired == days and company.doc("order", one)["round"] == len(days)
    assert len(clock.go(days=62)) == 1  # the worker was away: only the last time counts


def test_the_last_day_of_a_month(shop):
    company = shop({"plan": "entity: order\nwhen: {every: month, on: last}\nthen: {set: {round: '=coalesce(round, 0) + 1'}}"})
    clock = Clock(company)
    clock.go()
    order(company)
    fired = []
    for _ in range(100):
        if clock.go(days=1):
            fired.append((clock.now.month, clock.now.day))
    assert fired == [(3, 31), (4, 30), (5, 31)]


def test_a_failing_occasion_is_told_and_not_tried_for_ever_and_others_go_on(shop):
    company = shop({"past": "entity: order\nwhen: {date: due}\nthen: {set: {step: offered}}"})
    clock = Clock(company)
    clock.go()
    bad, good = order(company, due="2026-03-05"), order(company, due="2026-03-05", need="sea")
    assert clock.go(days=5) == [("past", bad), ("past", good)]
    assert [row["state"] for row in company.store.table(RUNS).all()] == ["failed", "done"]
    assert company.doc("order", good)["step"] == "offered" and clock.go(days=1) == []


def test_what_the_worker_did_is_a_step_that_can_be_undone_and_is_not_done_again(shop):
    company = shop({"past": "entity: order\nwhen: {date: due}\nthen: [{set: {note: past}}, {create: doing, values: {what: Look, order: record}}]"})
    clock = Clock(company)
    clock.go()
    one = order(company, due="2026-03-05")
    clock.go(days=5)
    (run,) = company.store.table(RUNS).all()
    company.door(SYSTEM).undo(run["step"])
    assert company.doc("order", one).get("note") is None and company.door(SYSTEM).list("doing") == []
    assert clock.go(days=1) == [] and company.doc("order", one).get("note") is None
