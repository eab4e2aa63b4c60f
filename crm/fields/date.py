"""Calendar days."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar

import param
from tinydb.queries import QueryInstance

from crm.errors import Refused
from crm.fields.base import FIELD_TYPES, PLAIN, Field, Setting, Shown
from crm.words import Words, shifted


@FIELD_TYPES.add
class Date(Field):
    """A calendar day. Typed as `24.12.`, `24 Dec 2026`, `tomorrow`, `fri`, `+2w`, ISO 8601, in the user's language; kept as YYYY-MM-DD."""

    name = "date"
    kind = "date"
    settings: ClassVar[dict[str, Setting]] = {
        "min": Setting("text", "Earliest day (a date, or words such as `today`)"),
        "max": Setting("text", "Latest day (a date, or words such as `+2y`)"),
    }
    examples = {"2026-12-24": "2026-12-24", "24.12.2026": "2026-12-24", "24 Dec 2026": "2026-12-24", "2024-02-29": "2024-02-29"}
    refuses = {
        "2026-02-30": "'2026-02-30' is not a date. Write it like 2026-12-24, or tomorrow, fri, +2w.",
        "soon": "'soon' is not a date. Write it like 2026-12-24, or tomorrow, fri, +2w.",
    }
    operators: tuple[str, ...] = ("is", "is_not", "before", "after", "between", "in_last", "in_next", "empty", "filled")
    editor_type = "date"

    def setup(self) -> None:
        self.limit("min"), self.limit("max")  # only to find what cannot be read: `today` moves

    def read(self, typed: Any, t: Words) -> Any:
        return t.parse_date(typed)

    def check(self, value: Any, t: Words) -> None:
        low, high = self.spec.get("min"), self.spec.get("max")
        if low and value < (first := self.edge(low, t)):
            raise Refused("Not before {min}.", min=first)
        if high and value > (last := self.edge(high, t)):
            raise Refused("Not after {max}.", max=last)

    def edge(self, setting: Any, t: Words) -> Any:
        """A limit, which may be words such as `today`."""
        return t.parse_date(setting)

    def to_json(self, value: Any) -> Any:
        if isinstance(value, datetime):
            value = value.date()
        return None if value is None else value.isoformat()

    def from_json(self, stored: Any) -> Any:
        try:
            return date.fromisoformat(stored)
        except (ValueError, TypeError):
            return None

    def display(self, value: Any, ctx: Shown = PLAIN) -> str:
        return "" if value is None else ctx.t.date(value)

    def cell(self, value: Any, ctx: Shown = PLAIN) -> Any:
        if value is None:
            return ""
        return {"text": self.display(value, ctx), "hint": ctx.t.ago(value)}

    def parameter(self) -> param.Parameter:
        return param.CalendarDate(default=None, allow_None=True, label=self.label, doc=self.help or None)

    def compare(self, op: str, typed: Any, t: Words) -> QueryInstance:
        first, last = self.span(op, typed, t)
        if op == "before":
            return self.before(first, t)
        if op == "after":
            return self.after(last, t)
        inside = self.within(first, last, t)
        return ~inside if op == "is_not" else inside

    def span(self, op: str, typed: Any, t: Words) -> tuple[date | None, date | None]:
        """First and last day an operator speaks of: a day, a period in words, two days, or a length of time before or after today."""
        if op in ("in_last", "in_next"):
            count, unit = t.parse_span(typed)
            today = t.today()
            return (shifted(today, -count, unit), today) if op == "in_last" else (today, shifted(today, count, unit))
        if op == "between":
            low, high = self.bounds(typed)
            return (self.days(low, t)[0] if low is not None else None), (self.days(high, t)[1] if high is not None else None)
        return self.days(typed, t)

    @staticmethod
    def days(typed: Any, t: Words) -> tuple[date, date]:
        """A day, or the days of a period such as `this month`."""
        period = t.parse_period(typed)
        if period:
            return period
        day = t.parse_date(typed)
        return day, day

    def within(self, first: date | None, last: date | None, t: Words) -> QueryInstance:
        """The days from `first` to `last`, both included; None is open."""
        if first is not None and first == last:
            return self.where == first.isoformat()
        conditions = []
        if first is not None:
            conditions.append(self.where >= first.isoformat())
        if last is not None:
            conditions.append(self.where <= last.isoformat())
        return conditions[0] & conditions[1] if len(conditions) == 2 else conditions[0]

    def before(self, first: date | None, t: Words) -> QueryInstance:
        assert first is not None
        return self.where < first.isoformat()

    def after(self, last: date | None, t: Words) -> QueryInstance:
        assert last is not None
        return self.where > last.isoformat()

    def operand_editor(self, op: str, ctx: Shown = PLAIN) -> dict[str, Any] | None:
        editor = super().operand_editor(op, ctx)
        if editor and op in ("is", "is_not", "before", "after"):
            editor["periods"] = [[name, ctx.t(name)] for name in Words.PERIODS]
        return editor
