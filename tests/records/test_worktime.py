"""Working time against a model that counts minute by minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from crm.records.worktime import WorkTime

ZONE = ZoneInfo("Europe/Warsaw")
WEEK = [[(480, 720), (780, 1020)]] * 4 + [[(480, 900)], [], [(1320, 1440)]]
DAYS = frozenset({"2026-12-25", "01-01"})
#: Around the year's end, around both changes of summer time.
STARTS = st.one_of(
    st.datetimes(datetime(2026, 12, 22), datetime(2027, 1, 4)),
    st.datetimes(datetime(2026, 3, 27), datetime(2026, 3, 31)),
    st.datetimes(datetime(2026, 10, 23), datetime(2026, 10, 27)),
).map(lambda one: one.replace(second=0, microsecond=0, tzinfo=UTC))


def works(moment: datetime) -> bool:
    """Whether the minute that begins at this moment is worked: the naive rule."""
    local = moment.astimezone(ZONE)
    if local.date().isoformat() in DAYS or local.date().isoformat()[5:] in DAYS:
        return False
    minute = local.hour * 60 + local.minute
    return any(begin <= minute < end for begin, end in WEEK[local.weekday()])


@settings(max_examples=60, deadline=None)
@given(start=STARTS, length=st.integers(0, 6 * 1440))
def test_minutes_between_are_those_counted_one_by_one(start, length):
    end = start + timedelta(minutes=length)
    counted = sum(works(start + timedelta(minutes=n)) for n in range(length))
    assert WorkTime(WEEK, DAYS, ZONE).between(start, end) == counted


@settings(max_examples=60, deadline=None)
@given(start=STARTS, minutes=st.integers(1, 1500))
def test_a_deadline_is_where_counting_ends(start, minutes):
    moment, left = start, minutes
    while left:
        left -= works(moment)
        moment += timedelta(minutes=1)
    assert WorkTime(WEEK, DAYS, ZONE).add(start, minutes) == moment


def test_nothing_promised_is_due_at_once_and_no_hours_are_never_due():
    start = datetime(2026, 5, 4, 10, tzinfo=UTC)
    assert WorkTime(WEEK, DAYS, ZONE).add(start, 0) == start
    assert WorkTime([[]] * 7, frozenset(), ZONE).add(start, 1) is None
    assert WorkTime(WEEK, DAYS, ZONE).between(start, start - timedelta(days=3)) == 0


def test_a_day_by_hand():
    friday = datetime(2026, 5, 8, 14, 30, tzinfo=ZONE)  # half an hour left, then Sunday 22:00, then Monday 8:00
    work = WorkTime(WEEK, DAYS, ZONE)
    assert work.add(friday, 30) == datetime(2026, 5, 8, 15, 0, tzinfo=ZONE)
    assert work.add(friday, 31) == datetime(2026, 5, 10, 22, 1, tzinfo=ZONE)
    assert work.add(friday, 30 + 120 + 1) == datetime(2026, 5, 11, 8, 1, tzinfo=ZONE)
