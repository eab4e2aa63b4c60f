"""Moments."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

import param
from tinydb.queries import QueryInstance

from crm.fields.base import FIELD_TYPES, PLAIN, Shown
from crm.fields.date import Date
from crm.words import Words, day_shift, utc


def moment_json(moment: datetime) -> str:
    """The stored form of a moment: UTC to the millisecond, sortable as text."""
    moment = utc(moment)
    return f"{moment.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


@FIELD_TYPES.add
class DateTime(Date):
    """A moment, typed and shown in the user's time zone (`tomorrow 14:30`, `24.12. 9:00`, ISO 8601), kept in UTC to the millisecond."""

    name = "datetime"
    kind = "datetime"
    examples = {
        "2026-05-01T23:30:00+02:00": "2026-05-01T21:30:00.000Z",
        "2026-05-01 10:00": "2026-05-01T10:00:00.000Z",
        "2026-05-01T10:00:00.000+0000": "2026-05-01T10:00:00.000Z",
        "24.12.2026 9:05": "2026-12-24T09:05:00.000Z",
        "2026-12-24": "2026-12-24T00:00:00.000Z",
    }
    refuses = {"2026-05-01 25:00": "'2026-05-01 25:00' is not a date and time. Write it like 2026-12-24 14:30, or tomorrow 14:30."}
    editor_type = "datetime"

    def read(self, typed: Any, t: Words) -> Any:
        return t.parse_datetime(typed)

    def edge(self, setting: Any, t: Words) -> Any:
        return t.parse_datetime(setting)

    def to_json(self, value: Any) -> Any:
        if value is None:
            return None
        if not isinstance(value, datetime):
            value = datetime(value.year, value.month, value.day, tzinfo=UTC)
        return moment_json(value if value.tzinfo else value.replace(tzinfo=UTC))

    def from_json(self, stored: Any) -> Any:
        try:
            moment = datetime.fromisoformat(stored)
        except (ValueError, TypeError):
            return None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def nearest(self, value: Any) -> tuple[Any, int]:
        kept = utc(value)
        return moment_json(kept), (kept > value) - (kept < value)

    def display(self, value: Any, ctx: Shown = PLAIN) -> str:
        return "" if value is None else ctx.t.datetime(value)

    def typed(self, value: Any, ctx: Shown = PLAIN) -> Any:
        """Local time to the minute, as an editor of date and time takes it; seconds only where there are some."""
        if value is None:
            return None
        local = ctx.t.local(value).replace(tzinfo=None)
        return local.isoformat(timespec="milliseconds" if local.microsecond else "seconds" if local.second else "minutes")

    def parameter(self) -> param.Parameter:
        return param.Date(default=None, allow_None=True, label=self.label, doc=self.help or None)

    def compare(self, op: str, typed: Any, t: Words) -> QueryInstance:
        """Days, as for dates; before and after may name a time of day too."""
        if op in ("before", "after") and (
            isinstance(typed, datetime) or (isinstance(typed, str) and re.search(r"\d:\d|\d\s*[ap]m", typed, re.I))
        ):
            moment = moment_json(t.parse_datetime(typed))
            return self.where < moment if op == "before" else self.where > moment
        return super().compare(op, typed, t)

    @staticmethod
    def days(typed: Any, t: Words) -> tuple[date, date]:
        period = t.parse_period(typed)
        if period:
            return period
        day = t.local(t.parse_datetime(typed)).date()
        return day, day

    def within(self, first: date | None, last: date | None, t: Words) -> QueryInstance:
        conditions = []
        if first is not None:
            conditions.append(self.where >= moment_json(t.midnight(first)))
        if last is not None:
            conditions.append(self.where < moment_json(t.midnight(day_shift(last, 1))))
        return conditions[0] & conditions[1] if len(conditions) == 2 else conditions[0]

    def before(self, first: date | None, t: Words) -> QueryInstance:
        assert first is not None
        return self.where < moment_json(t.midnight(first))

    def after(self, last: date | None, t: Words) -> QueryInstance:
        assert last is not None
        return self.where >= moment_json(t.midnight(day_shift(last, 1)))
