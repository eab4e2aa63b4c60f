"""Pieces of time by name: `2026`, `2026-Q2`, `2026-03`, `2026-W07`, `2026-03-14`; of the business year by the month they begin with, `2026-04`.

`unit` is day, week, month, quarter, year, fiscal_quarter or fiscal_year; `first` the month the business year begins with.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

MONTHS = {"month": 1, "quarter": 3, "year": 12, "fiscal_quarter": 3, "fiscal_year": 12}
FISCAL = {"fiscal_quarter": "quarter", "fiscal_year": "year"}


def start_of(key: str, unit: str) -> date:
    """The first day of a period from its name."""
    year = int(key[:4])
    if unit == "year":
        return date(year, 1, 1)
    if unit == "quarter":
        return date(year, int(key[-1]) * 3 - 2, 1)
    if unit == "month" or unit in FISCAL:
        return date(year, int(key[5:7]), 1)
    if unit == "week":
        return date.fromisocalendar(year, int(key[-2:]), 1)
    return date.fromisoformat(key[:10])


def floor(day: date, unit: str, first: int = 1) -> date:
    """The first day of the period a day lies in."""
    if unit == "week":
        return day - timedelta(days=day.weekday())
    if unit == "day":
        return day
    length, begin = MONTHS[unit], first if unit in FISCAL else 1
    months = day.year * 12 + day.month - 1
    return moved(date(day.year, day.month, 1), -((months - (begin - 1)) % length))


def moved(start: date, months: int) -> date:
    """The first day of the month so many months after the one that begins on `start`."""
    total = start.year * 12 + start.month - 1 + months
    return date(total // 12, total % 12 + 1, 1)


def after(start: date, unit: str) -> date:
    """The first day of the period after the one that begins on `start`."""
    return moved(start, MONTHS[unit]) if unit in MONTHS else start + timedelta(days=7 if unit == "week" else 1)


def named(start: date, unit: str) -> str:
    """The name of the period that begins on `start`."""
    if unit == "week":
        year, week, _ = start.isocalendar()
        return f"{year:04}-W{week:02}"
    if unit == "year":
        return f"{start.year:04}"
    if unit == "quarter":
        return f"{start.year:04}-Q{(start.month + 2) // 3}"
    return f"{start.year:04}-{start.month:02}" if unit == "month" or unit in FISCAL else start.isoformat()


def before(key: str, unit: str, compare: str) -> str:
    """The name of the period before (`previous`), or of the same one a year before (`last_year`; of a week: the 52nd before)."""
    start = start_of(key, unit)
    if unit in MONTHS:
        return named(moved(start, -(12 if compare == "last_year" else MONTHS[unit])), unit)
    if compare == "previous":
        return named(start - timedelta(days=7 if unit == "week" else 1), unit)
    return named(start - timedelta(weeks=52), unit) if unit == "week" else named(year_before(start), unit)


def year_before(day: date) -> date:
    """The same day a year before; of the 29th of February the 28th."""
    return day.replace(year=day.year - 1, day=min(day.day, 28) if day.month == 2 else day.day)


def between(first: str, last: str, unit: str, most: int = 400) -> list[str]:
    """The names of all periods from one to another, both included; nothing when there would be more than `most`."""
    at, end, found = start_of(first, unit), start_of(last, unit), []
    while at <= end:
        found.append(named(at, unit))
        at = after(at, unit)
        if len(found) > most:
            return []
    return found


def window(unit: str, today: date, first: int = 1) -> tuple[date, date]:
    """The running period up to and with today, as (first day, day after the last): `90d` is the last ninety days."""
    end = today + timedelta(days=1)
    return (end - timedelta(days=int(unit[:-1])) if unit.endswith("d") and unit[:-1].isdigit() else floor(today, unit, first)), end


def stride(span: tuple[date, date], unit: str) -> tuple[str, int]:
    """How far the stretch before a stretch lies back: ("months", 3), ("days", 14). Whole months are counted as such."""
    start, end = span
    if unit in MONTHS:
        return "months", MONTHS[unit]
    if unit in ("week", "day"):
        return "days", 7 if unit == "week" else 1
    if start.day == end.day == 1 and end > start:
        return "months", (end.year - start.year) * 12 + end.month - start.month
    return "days", (end - start).days


def shifted(span: tuple[date, date], unit: str, compare: str) -> tuple[date, date]:
    """The same stretch one period before, or a year before: what a running period is fairly compared with; a whole one with a whole one."""
    start, end = span
    if compare == "last_year":
        return year_before(start), year_before(end - timedelta(days=1)) + timedelta(days=1)
    by, count = stride(span, unit)
    if by == "days":
        return start - timedelta(days=count), end - timedelta(days=count)
    begin = moved(start, -count)
    return begin, start if end == moved(start, count) else min(begin + (end - start), start)


def earlier(key: str, unit: str, compare: str, by: tuple[str, int] | None) -> str:
    """The name of the piece of an earlier stretch that stands for a piece of this one; `by` is the `stride` between the two."""
    if by is None or compare == "last_year":
        return before(key, unit, compare)
    start = start_of(key, unit)
    if by[0] == "months" and unit in MONTHS:
        return named(moved(start, -by[1]), unit)
    return before(key, unit, compare) if unit in MONTHS else named(start - timedelta(days=by[1] if by[0] == "days" else by[1] * 30), unit)


def local(text: str, zone: object) -> date:
    """The calendar day, in a time zone, of a stored date or moment (`2026-03-14T09:26:53.123Z`)."""
    if len(text) <= 10:
        return date.fromisoformat(text)
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(zone).date()  # type: ignore[arg-type]
