"""What expressions compute with when they run: calendar periods, and operations in which nothing (None) stays nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal, InvalidOperation
from functools import partial
from typing import Any, NamedTuple

from crm.words import day_shift, folded, month_shift

Test = Callable[[Any], Any]
#: How many records one above the other `within` looks at.
LEVELS = 16
MINUTES_OF_MONTH = Decimal("43829.1")  # 30.4369 days, the mean month of the Gregorian calendar: only for ordering unlike periods


class Env:
    """What `evaluate` asks for values: one record and the way to its neighbours. Anything with these names will do.

    `get(head)` the Python value of a field, None when empty · `follow(head)` the Env of the record a link leads to, or None ·
    `back(name)` the Envs of a list: the records that link here, or those a `links` field leads to.
    `now.tzinfo` decides which calendar day a moment belongs to.
    """

    def __init__(
        self,
        get: Callable[[str], Any] | None = None,
        follow: Callable[[str], Any] | None = None,
        back: Callable[[str], Iterable[Any]] | None = None,
        today: date | None = None,
        now: datetime | None = None,
        me: Any = None,
    ) -> None:
        self.get = get or (lambda head: None)
        self.follow = follow or (lambda head: None)
        self.back = back or (lambda name: ())
        self.now = now or datetime.now(UTC)
        self.today = today or self.now.date()
        self.me = me


class Period(NamedTuple):
    """A length of time by the calendar: `1y` is 12 months, `2w` 14 days, `3h` 180 minutes."""

    months: int = 0
    days: int = 0
    minutes: int = 0

    def __neg__(self) -> Period:
        return Period(-self.months, -self.days, -self.minutes)

    @property
    def weight(self) -> Decimal:
        """Minutes, for comparing; a month counts as the mean month."""
        return self.months * MINUTES_OF_MONTH + self.days * 1440 + self.minutes

    def __str__(self) -> str:
        parts = [f"{number}{unit}" for number, unit in ((self.months, "m"), (self.days, "d"), (self.minutes, "min")) if number]
        return " ".join(parts) or "0d"


def shift(moment: Any, period: Period) -> Any:
    """A date or moment one period later; months first, by the calendar, then days and minutes. A date takes whole days only."""
    try:
        if isinstance(moment, datetime):
            if period.months:
                day = month_shift(moment.date(), period.months)
                moment = moment.replace(year=day.year, month=day.month, day=day.day)
            return moment + timedelta(days=period.days, minutes=period.minutes)
        day = month_shift(moment, period.months) if period.months else moment
        return day_shift(day, period.days + period.minutes // 1440)
    except (OverflowError, ValueError):
        return None


def number(value: Any) -> Any:
    """A number that Decimals can work with."""
    return Decimal(repr(value)) if isinstance(value, float) else value


def add(a: Any, b: Any) -> Any:
    if a is None or b is None:
        return None
    if isinstance(b, Period):
        return (
            Period(a[0] + b[0], a[1] + b[1], a[2] + b[2]) if isinstance(a, Period) else shift(a, b) if isinstance(a, date) else a + b.weight
        )
    if isinstance(a, Period):
        return add(b, a)
    try:
        return a + b
    except (TypeError, ArithmeticError):
        return _numbers(lambda x, y: x + y, a, b)


def sub(a: Any, b: Any) -> Any:
    if a is None or b is None:
        return None
    if isinstance(a, date):
        if isinstance(b, Period):
            return shift(a, -b)
        try:
            if isinstance(a, datetime) and isinstance(b, datetime):
                return Period(0, 0, int((a - b).total_seconds() // 60))
            return Period(0, a.toordinal() - b.toordinal())
        except (TypeError, AttributeError):
            return None
    if isinstance(b, Period):
        return Period(a[0] - b[0], a[1] - b[1], a[2] - b[2]) if isinstance(a, Period) else a - b.weight
    try:
        return a - b
    except (TypeError, ArithmeticError):
        return _numbers(lambda x, y: x - y, a, b)


def mul(a: Any, b: Any) -> Any:
    if a is None or b is None:
        return None
    if isinstance(a, Period) or isinstance(b, Period):
        period, times = (a, b) if isinstance(a, Period) else (b, a)
        return Period(*(int(part * times) for part in period))
    try:
        return a * b
    except (TypeError, ArithmeticError):
        return _numbers(lambda x, y: x * y, a, b)


def div(a: Any, b: Any) -> Any:
    """Division; by zero it is nothing."""
    if a is None or b is None:
        return None
    return _numbers(lambda x, y: Decimal(x) / y, a, b)


def _numbers(operation: Callable[[Any, Any], Any], a: Any, b: Any) -> Any:
    try:
        return operation(number(a), number(b))
    except (TypeError, ArithmeticError, ValueError):
        return None


def neg(a: Any) -> Any:
    return None if a is None else -a


def eq(a: Any, b: Any) -> bool:
    return a is not None and b is not None and a == b


def lt(a: Any, b: Any) -> bool:
    if a is None or b is None:
        return False
    try:
        return bool(a < b)
    except (TypeError, ArithmeticError):
        return False


def le(a: Any, b: Any) -> bool:
    if a is None or b is None:
        return False
    try:
        return bool(a <= b)
    except (TypeError, ArithmeticError):
        return False


def weight(value: Any) -> Any:
    """Minutes of a period or a duration."""
    return value.weight if isinstance(value, Period) else value


def day(value: Any, env: Any) -> Any:
    """The calendar day of a moment, in the time zone of `env.now`."""
    if isinstance(value, datetime):
        try:
            return value.astimezone(env.now.tzinfo).date() if value.tzinfo else value.date()
        except OverflowError:
            return value.date()
    return value


def one(value: Any) -> Any:
    """The id of whatever stands for a record: an id, a row of a `links` field, an actor."""
    if value.__class__ is int or value is None:
        return value
    if isinstance(value, Mapping):
        return value.get("id")
    return getattr(value, "id", value)


def within(env: Any, head: str, parent: str, key: str, value: Any) -> bool:
    """Whether the record a link leads to, or one above it (`LEVELS` at most), has this value, or is this record."""
    value = one(value)
    if env is None or value is None:
        return False
    for _ in range(LEVELS):
        env = env.follow(head)
        if env is None:
            return False
        if env.get(key or "id") == value:
            return True
        head = parent
    return False


def filled(value: Any) -> bool:
    """Whether there is something."""
    return value is not None and value != "" and value != [] and value != {}


def full(value: Any) -> Any:
    """A person's name or an address as one text."""
    if isinstance(value, Mapping):
        parts = [str(part) for part in value.values() if part]
        return (", " if "street" in value or "city" in value or "country" in value else " ").join(parts) or None
    return value


def among(value: Any, items: Any) -> bool:
    """`value in items`: items of a list, ids of linked records, or letters within a text (case and accents ignored)."""
    if value is None or items is None:
        return False
    if isinstance(items, str):
        return contains(items, value)
    try:
        return any(one(item) == value for item in items if item is not None)
    except TypeError:
        return False


def contains(text: Any, part: Any) -> bool:
    """Whether the text has this part, upper and lower case and accents ignored."""
    if isinstance(text, (list, tuple)):
        return among(one(part), text)
    return isinstance(text, str) and isinstance(part, str) and folded(part) in folded(text)


def starts_with(text: Any, part: Any) -> bool:
    """Whether the text begins so, upper and lower case and accents ignored."""
    return isinstance(text, str) and isinstance(part, str) and folded(text).startswith(folded(part))


def ends_with(text: Any, part: Any) -> bool:
    """Whether the text ends so, upper and lower case and accents ignored."""
    return isinstance(text, str) and isinstance(part, str) and folded(text).endswith(folded(part))


def stage(field: Any, key: Any, pipeline: Any, attribute: str) -> Any:
    """An attribute of a stage, None where there is no stage."""
    found = field.stage_of(key, pipeline) if key is not None else None
    return stage_attribute(found, attribute)


def stage_attribute(found: Any, attribute: str) -> Any:
    """The same of a Stage object."""
    if found is None:
        return None
    if attribute == "open":
        return getattr(found, "outcome", None) is None
    value = getattr(found, attribute, None)
    if attribute == "probability" and value is not None and not isinstance(value, Decimal):
        return Decimal(str(value))
    return value if filled(value) else None


# --- functions: each takes values of which any may be None


def smallest(*values: Any) -> Any:
    """The smallest of the values that are there."""
    return _extreme(min, values)


def largest(*values: Any) -> Any:
    """The largest of the values that are there."""
    return _extreme(max, values)


def _extreme(choose: Any, values: Iterable[Any]) -> Any:
    there = [value for value in values if value is not None]
    try:
        return choose(there) if there else None
    except (TypeError, ArithmeticError):
        return None


def absolute(value: Any) -> Any:
    return None if value is None else abs(value)


def rounded(value: Any, places: Any = 0) -> Any:
    """Half up, to places after the point."""
    return _to_places(value, places, ROUND_HALF_UP)


def floor(value: Any) -> Any:
    return _to_places(value, 0, ROUND_FLOOR)


def ceil(value: Any) -> Any:
    return _to_places(value, 0, ROUND_CEILING)


def _to_places(value: Any, places: Any, how: str) -> Any:
    if value is None or places is None:
        return None
    try:
        return Decimal(number(value)).quantize(Decimal(1).scaleb(-max(-20, min(20, int(places)))), how)
    except (InvalidOperation, TypeError, ValueError):
        return None


def length(value: Any) -> Any:
    """How many letters or items; nothing has none."""
    try:
        return 0 if value is None else len(value)
    except TypeError:
        return None


def lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else None


def upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else None


def coalesce(*values: Any) -> Any:
    """The first value that is there."""
    return next((value for value in values if filled(value)), None)


def days(value: Any) -> Any:
    """A period in days, or a period of so many days."""
    if value is None:
        return None
    if isinstance(value, Period):
        whole = value.weight / 1440
        return whole if whole != whole.to_integral_value() else whole.to_integral_value()
    return Period(0, int(value))


def months(value: Any) -> Any:
    return None if value is None else Period(int(value))


def years(value: Any) -> Any:
    return None if value is None else Period(int(value) * 12)


def year(value: Any) -> Any:
    return None if value is None else Decimal(value.year)


def month(value: Any) -> Any:
    return None if value is None else Decimal(value.month)


def quarter(value: Any) -> Any:
    return None if value is None else Decimal((value.month + 2) // 3)


def week(value: Any) -> Any:
    """ISO 8601 week number."""
    return None if value is None else Decimal(value.isocalendar()[1])


def weekday(value: Any) -> Any:
    """1 is Monday, 7 is Sunday (ISO 8601)."""
    return None if value is None else Decimal(value.isoweekday())


def make_date(year: Any, month: Any = 1, day: Any = 1) -> Any:
    """The day of a year, month and day; nothing when there is no such day."""
    if year is None or month is None or day is None:
        return None
    try:
        return date(int(year), int(month), int(day))
    except (ValueError, OverflowError):
        return None


def join(*values: Any) -> Any:
    """Texts and numbers one after the other; empty ones are left out."""
    parts = [as_text(value) for value in values if filled(value)]
    return "".join(parts) or None


def as_text(value: Any) -> str:
    """A value within a text: numbers plain, dates ISO 8601."""
    if isinstance(value, Decimal):
        text = format(value, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return ", ".join(as_text(item) for item in value)
    return str(value)


# --- lists of rows


class RowEnv:
    """One row of a table inside a record (`lines`), or one entry of a `links` field with its attributes, as an environment.

    What the row does not hold itself comes from the linked record `target` (a function, asked once).
    """

    __slots__ = ("row", "outer", "today", "now", "me", "_target", "_found")

    def __init__(self, row: Mapping[str, Any], outer: Any, target: Callable[[], Any] | None = None) -> None:
        self.row, self.outer = row, outer
        self.today, self.now, self.me = outer.today, outer.now, outer.me
        self._target, self._found = target, False

    def target(self) -> Any:
        if not self._found:
            self._target, self._found = (self._target() if self._target else None), True
        return self._target

    def get(self, head: str) -> Any:
        if head in self.row:
            return self.row[head]
        target = self.target()
        return target.get(head) if target is not None else None

    def follow(self, head: str) -> Any:
        target = self.target()
        if target is not None:
            return target.follow(head)
        follow = getattr(self.outer, "follow_row", None)
        return follow(self.row, head) if follow else None

    def back(self, name: str) -> Iterable[Any]:
        target = self.target()
        return target.back(name) if target is not None else ()


def rows(env: Any, head: str, form: str) -> Iterator[Any]:
    """The rows of a list: records that link here (`back`), a table in the record (`lines`), or `links` with their attributes."""
    if env is None:
        return
    if form in ("back", "tree"):
        yield from env.back(head)
        return
    kept = env.get(head) or ()
    targets: dict[Any, Any] = {}

    def target(number: Any) -> Any:
        if not targets:
            targets[None] = None
            targets.update((found.get("id"), found) for found in env.back(head))
        return targets.get(number)

    for row in kept:
        if not isinstance(row, Mapping):
            row = {"id": row}
        yield RowEnv(row, env, partial(target, row.get("id")) if form == "links" else None)


def chosen(env: Any, head: str, form: str, where: Test | None) -> Iterator[Any]:
    """The rows that fulfil a condition."""
    for row in rows(env, head, form):
        if where is None or where(row) is True:
            yield row


def there(env: Any, head: str, form: str, value: Test | None, where: Test | None) -> list[Any]:
    """The values that are there, over the rows that fulfil a condition."""
    assert value is not None
    return [found for row in chosen(env, head, form, where) if filled(found := value(row))]


def count(env: Any, head: str, form: str, value: Test | None, where: Test | None) -> Any:
    return sum(1 for _ in chosen(env, head, form, where)) if value is None else len(there(env, head, form, value, where))


def total(env: Any, head: str, form: str, value: Test | None, where: Test | None) -> Any:
    found = there(env, head, form, value, where)
    result: Any = Decimal(0)
    for item in found:
        result = add(result, item)
    return result


def least(env: Any, head: str, form: str, value: Test | None, where: Test | None) -> Any:
    return _extreme(min, there(env, head, form, value, where))


def most(env: Any, head: str, form: str, value: Test | None, where: Test | None) -> Any:
    return _extreme(max, there(env, head, form, value, where))


def mean(env: Any, head: str, form: str, value: Test | None, where: Test | None) -> Any:
    found = there(env, head, form, value, where)
    return div(sum((number(item) for item in found), Decimal(0)), len(found)) if found else None


def first(env: Any, head: str, form: str, value: Test | None, where: Test | None) -> Any:
    found = there(env, head, form, value, where)
    return found[0] if found else None


def last(env: Any, head: str, form: str, value: Test | None, where: Test | None) -> Any:
    found = there(env, head, form, value, where)
    return found[-1] if found else None


def some(env: Any, head: str, form: str, value: Test | None, where: Test | None) -> bool:
    return any(value is None or value(row) is True for row in chosen(env, head, form, where))


def every(env: Any, head: str, form: str, value: Test | None, where: Test | None) -> bool:
    return all(value is None or value(row) is True for row in chosen(env, head, form, where))
