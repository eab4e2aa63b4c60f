"""Lengths of time."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

import param

from crm.errors import Refused
from crm.fields.base import FIELD_TYPES, PLAIN, Setting, Shown
from crm.fields.number import Number
from crm.words import Words


@FIELD_TYPES.add
class Duration(Number):
    """A length of time in whole minutes: `45`, `1:30`, `2h 15m`, `1.5 h`, `2d` (a day has 24 hours)."""

    name = "duration"
    kind = "duration"
    settings: ClassVar[dict[str, Setting]] = {
        "min": Setting("text", "Shortest, as 15, 1:30 or 2h"),
        "max": Setting("text", "Longest, as 15, 1:30 or 2h"),
    }
    examples = {"45": 45, "1:30": 90, "2h 15m": 135, "1,5 h": 90, "2d": 2880, 30: 30}
    refuses = {"long": "'long' is not a length of time. Write it like 45, 1:30 or 2h 15m."}
    editor_type = "text"

    def read(self, typed: Any, t: Words) -> Any:
        weight = getattr(typed, "weight", None)  # a Period that an expression computed
        return t.parse_duration(weight if weight is not None else typed)

    def operand_value(self, typed: Any, t: Words) -> Any:
        return t.parse_duration(typed)

    def check(self, value: Any, t: Words) -> None:
        if self.min is not None and value < self.min:
            raise Refused("At least {min}.", min=t.duration(self.min))
        if self.max is not None and value > self.max:
            raise Refused("At most {max}.", max=t.duration(self.max))

    def to_json(self, value: Any) -> Any:
        return None if value is None else int(getattr(value, "weight", value))

    def from_json(self, stored: Any) -> Any:
        if stored.__class__ is int or stored is None:
            return stored
        return int(stored) if isinstance(stored, float) and abs(stored) < 1e12 else None

    def nearest(self, value: Any) -> tuple[Any, int]:
        minutes = Decimal(getattr(value, "weight", value))
        stored = int(minutes // 1)
        return stored, (stored > minutes) - (stored < minutes)

    def to_text(self, value: Any) -> str:
        return "" if value is None else str(int(value))

    def display(self, value: Any, ctx: Shown = PLAIN) -> str:
        return "" if value is None else ctx.t.duration(value)

    def typed(self, value: Any, ctx: Shown = PLAIN) -> Any:
        if value is None or value < 60:
            return None if value is None else str(value)
        return f"{value // 60}:{value % 60:02d}"

    def edited(self, ctx: Shown = PLAIN) -> dict[str, Any]:
        return {"placeholder": self.placeholder or "1:30"}

    def parameter(self) -> param.Parameter:
        return param.Integer(default=None, allow_None=True, label=self.label, doc=self.help or None)
