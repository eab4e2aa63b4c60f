"""Whole numbers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import param

from crm.errors import Refused
from crm.fields.base import FIELD_TYPES, PLAIN, Shown
from crm.fields.number import Exact, Number
from crm.words import Words


@FIELD_TYPES.add
class Integer(Number):
    """A whole number between -9,007,199,254,740,992 and +9,007,199,254,740,992 (what every store and browser keeps exactly)."""

    name = "integer"
    examples = {"1 234": 1234, "-7": -7, 5: 5, "3.0": 3}
    refuses = {"2.5": "This must be a whole number.", "many": "'many' is not a number."}

    def read(self, typed: Any, t: Words) -> Any:
        value = t.parse_number(typed)
        if value != value.to_integral_value():
            raise Refused("This must be a whole number.")
        if abs(value) > 2**53:
            raise Refused("This number is too large or too small to be kept.")
        return int(value)

    def to_json(self, value: Any) -> Any:
        return None if value is None else int(value)

    def from_json(self, stored: Any) -> Any:
        if stored.__class__ is int or stored is None:
            return stored
        value = super().from_json(stored)
        return None if value is None else int(value)

    def nearest(self, value: Any) -> Exact:
        stored = int(value)
        return stored, (stored > value) - (stored < value)

    def display(self, value: Any, ctx: Shown = PLAIN) -> str:
        return "" if value is None else ctx.t.number(Decimal(value), 0) + (f" {self.unit}" if self.unit else "")

    def typed(self, value: Any, ctx: Shown = PLAIN) -> Any:
        return None if value is None else str(value)

    def to_text(self, value: Any) -> str:
        return "" if value is None else str(int(value))

    def edited(self, ctx: Shown = PLAIN) -> dict[str, Any]:
        return {**super().edited(ctx), "decimals": 0}

    def parameter(self) -> param.Parameter:
        return param.Integer(default=None, allow_None=True, label=self.label, doc=self.help or None)
