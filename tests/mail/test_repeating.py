"""Recurring tasks: done once, the next one stands there, in the same step (B7)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from crm.records import SYSTEM
from crm.records.repeating import following

D = date


@pytest.mark.parametrize(
    ("day", "unit", "every", "after", "anchor", "expected"),
    [
        (D(2026, 3, 2), "daily", 1, D(2026, 3, 2), 0, D(2026, 3, 3)),
        (D(2026, 3, 2), "daily", 3, D(2026, 3, 2), 0, D(2026, 3, 5)),
        (D(2026, 3, 2), "weekly", 1, D(2026, 3, 1), 0, D(2026, 3, 9)),
        (D(2026, 3, 2), "weekly", 2, D(2026, 3, 20), 0, D(2026, 3, 30)),  # what was missed is not made up for
        (D(2026, 3, 2), "weekly", 1, D(2026, 3, 9), 0, D(2026, 3, 16)),  # never today
        (D(2026, 1, 31), "monthly", 1, D(2026, 1, 31), 31, D(2026, 2, 28)),
        (D(2026, 2, 28), "monthly", 1, D(2026, 2, 28), 31, D(2026, 3, 31)),
        (D(2026, 4, 30), "monthly", 1, D(2026, 4, 30), 30, D(2026, 5, 30)),
        (D(2026, 1, 15), "monthly", 3, D(2026, 9, 15), 0, D(2026, 10, 15)),
        (D(2024, 2, 29), "yearly", 1, D(2024, 3, 1), 29, D(2025, 2, 28)),
        (D(2027, 2, 28), "yearly", 1, D(2027, 3, 1), 29, D(2028, 2, 29)),
    ],
)
def test_the_next_day_of_a_rhythm(day, unit, every, after, anchor, expected):
    assert following(day, unit, every, after, anchor) == expected


def due(t, days: int, hour: int = 9) -> datetime:
    return datetime.combine(t.today() + timedelta(days=days), datetime.min.time().replace(hour=hour), t.tz)


def done(door, record):
    with door.step("done") as step:
        door.change("errand", record.id, {"done": door.company.now()})
    return step.id


def open_ones(door) -> list:
    return [one for one in door.list("errand", order=["due"], limit=None) if one["done"] is None]


def test_done_makes_the_next_one_and_undo_takes_both_back(carl):
    t = carl.words
    matter = carl.create("matter", {"name": "Roof"})
    first = carl.create("errand", {"what": "Look at the roof", "due": due(t, 0), "again": "weekly", "matter": matter.id, "takes": 30})
    step = done(carl, first)
    (coming,) = open_ones(carl)
    assert t.local(coming["due"]) == due(t, 7) and coming["matter"] == matter.id and coming["takes"] == 30 and coming["again"] == "weekly"
    assert coming["who"] == carl.actor.id
    carl.undo(step)
    (again,) = open_ones(carl)
    assert again.id == first.id
    done(carl, first)
    assert len(open_ones(carl)) == 1


def test_opened_again_and_done_once_more_makes_no_second_one(carl):
    first = carl.create("errand", {"what": "Water the plants", "due": due(carl.words, 0), "again": "nightly"})
    done(carl, first)
    carl.change("errand", first.id, {"done": None})
    done(carl, first)
    assert len(open_ones(carl)) == 1


def test_every_n_and_until(carl):
    t = carl.words
    last = t.today() + timedelta(days=20)
    first = carl.create("errand", {"what": "Report", "due": due(t, 0), "again": "weekly", "each": 2, "last": last})
    done(carl, first)
    (coming,) = open_ones(carl)
    assert t.local(coming["due"]).date() == t.today() + timedelta(days=14)
    done(carl, coming)
    assert open_ones(carl) == []


def test_what_does_not_repeat_and_what_is_not_done_makes_nothing(carl):
    one = carl.create("errand", {"what": "Once", "due": due(carl.words, 0)})
    other = carl.create("errand", {"what": "Often", "due": due(carl.words, 0), "again": "weekly"})
    done(carl, one)
    carl.change("errand", other.id, {"note": "still to do"})
    assert [record.id for record in open_ones(carl)] == [other.id]


def test_a_summer_hour_stays_the_same_hour(company):
    """Nine o'clock in Warsaw is nine o'clock on both sides of the change of clocks."""
    door = company.door(SYSTEM)
    t = door.words
    record = door.create("errand", {"what": "Call", "due": datetime(2020, 3, 25, 9, 0, tzinfo=t.tz), "again": "weekly"})
    door.change("errand", record.id, {"done": company.now()})
    (coming,) = open_ones(door)
    assert t.local(coming["due"]).hour == 9
