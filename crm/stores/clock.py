"""Times of the store: whole milliseconds since 1970 in UTC inside, ISO 8601 text outside."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta

from crm.stores.base import When

FOREVER = 2**53
_DAY = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


def now_ms() -> int:
    """The present moment."""
    return time.time_ns() // 1_000_000


def to_ms(when: When) -> int:
    """A moment in milliseconds: an aware datetime (a naive one is in UTC), ISO text, or a date, which means the end of that day."""
    if isinstance(when, str):
        when = date.fromisoformat(when) if len(when) == 10 else datetime.fromisoformat(when)
    if not isinstance(when, datetime):
        when = datetime(when.year, when.month, when.day, tzinfo=UTC) + _DAY - _MS
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return (when - _EPOCH) // _MS


def iso(ms: int) -> str:
    """`2026-07-31T09:15:00.000Z`."""
    moment = _EPOCH + timedelta(milliseconds=ms)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"
