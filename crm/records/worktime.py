"""Working time: which minutes count between two moments, and when so many of them are over. Works in the company's time zone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo

#: How many days ahead a deadline is looked for before there is none.
FARTHEST = 3660


class WorkTime:
    """`hours` per weekday (Monday first) as (from, to) minutes of the day; `holidays` days as `2026-12-24` or `12-24`.

    A day has its real length: the hour that summer time skips is not worked, the one it repeats is worked twice.
    """

    def __init__(self, hours: Sequence[Sequence[tuple[int, int]]], holidays: frozenset[str] = frozenset(), zone: tzinfo = UTC) -> None:
        self.hours, self.holidays, self.zone = hours, holidays, zone

    def free(self, day: date) -> bool:
        """Whether nobody works that day."""
        text = day.isoformat()
        return not self.hours[day.weekday()] or text in self.holidays or text[5:] in self.holidays

    def spans(self, first: date) -> Iterator[tuple[datetime, datetime]]:
        """The worked spans from a day on, in UTC, one after the other."""
        for number in range(FARTHEST):
            day = first + timedelta(days=number)
            if self.free(day):
                continue
            for begin, end in self.hours[day.weekday()]:
                yield self.moment(day, begin), self.moment(day, end)

    def moment(self, day: date, minute: int) -> datetime:
        """A minute of a local day, in UTC; 1440 is the next midnight."""
        day += timedelta(days=minute // 1440)
        minute %= 1440
        return datetime.combine(day, time(minute // 60, minute % 60), self.zone).astimezone(UTC)

    def add(self, start: datetime, minutes: int) -> datetime | None:
        """When `minutes` of working time after `start` are over; None when that never comes."""
        if minutes <= 0:
            return start
        left = timedelta(minutes=minutes)
        begins = start.astimezone(UTC)
        for begin, end in self.spans(start.astimezone(self.zone).date() - timedelta(days=1)):
            begin = max(begin, begins)
            if end <= begin:
                continue
            if end - begin >= left:
                return begin + left
            left -= end - begin
        return None

    def between(self, start: datetime, end: datetime) -> int:
        """The whole minutes of working time from `start` to `end`; 0 when `end` is not later."""
        begins, ends = start.astimezone(UTC), end.astimezone(UTC)
        worked = timedelta()
        if ends > begins:
            for begin, last in self.spans(start.astimezone(self.zone).date() - timedelta(days=1)):
                if begin >= ends:
                    break
                begin, last = max(begin, begins), min(last, ends)
                if last > begin:
                    worked += last - begin
        return int(worked.total_seconds() // 60)
