"""Arithmetic of calendar days: later, earlier, in months, the nearest one of a name. What leaves the calendar stops at its ends."""

from __future__ import annotations

from datetime import date

FIRST_DAY, LAST_DAY = date(1, 1, 1), date(9999, 12, 31)


def month_shift(day: date, months: int) -> date:
    """The same day `months` later, or the last day of a shorter month; a date outside the calendar stops at its end."""
    count = day.year * 12 + day.month - 1 + months
    year, month = divmod(count, 12)
    if year < 1:
        return FIRST_DAY
    if year > 9999:
        return LAST_DAY
    return date(year, month + 1, min(day.day, days_in_month(year, month + 1)))


def days_in_month(year: int, month: int) -> int:
    """28 to 31."""
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def day_shift(day: date, days: int) -> date:
    """`days` later (or earlier); stops at the ends of the calendar."""
    number = day.toordinal() + days
    if number < 1:
        return FIRST_DAY
    return LAST_DAY if number > LAST_DAY.toordinal() else date.fromordinal(number)


def shifted(day: date, count: int, unit: str) -> date:
    """`count` days, weeks, months or years (`d w m y`) later, by the calendar."""
    if unit == "m":
        return month_shift(day, count)
    if unit == "y":
        return month_shift(day, count * 12)
    return day_shift(day, count * (7 if unit == "w" else 1))


def day_in(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def nearest(day: int, month: int, year: str | None, today: date) -> date | None:
    if year:
        number = int(year)
        if len(year) == 2:
            number += today.year // 100 * 100
            number -= 100 if number > today.year + 30 else 0
        return day_in(number, month, day)
    near = [found for shift in (-1, 0, 1) if (found := day_in(today.year + shift, month, day))]
    return min(near, key=lambda found: abs((found - today).days)) if near else None
