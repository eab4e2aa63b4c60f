"""Shares of a hundred."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from crm.errors import Refused
from crm.fields.base import FIELD_TYPES, PLAIN, Setting, Shown
from crm.fields.number import Number
from crm.words import Words, shorten


@FIELD_TYPES.add
class Percent(Number):
    """A share: typed text counts percent (`25`, `25 %`), a number from a program is the fraction itself (0.25). Kept as the fraction."""

    name = "percent"
    kind = "percent"
    settings: ClassVar[dict[str, Setting]] = {
        "min": Setting("any", "Smallest share, as `0%` or `0`"),
        "max": Setting("any", "Largest share, as `100%` or `100`"),
        "decimals": Setting("integer", "Places of the percentage after the point"),
    }
    examples = {"25 %": 0.25, "25": 0.25, "12,5%": 0.125, 0.1: 0.1, "100%": 1, "0.5%": 0.005}
    refuses = {"half": "'half' is not a percentage.", "1e9": "This number is too large or too small to be kept."}
    editor_type = "percent"
    largest = Decimal(10) ** 6

    def read(self, typed: Any, t: Words) -> Any:
        value = self.operand_value(typed, t)
        if abs(value) >= self.largest:
            raise Refused("This number is too large or too small to be kept.")
        places = 10 if self.decimals is None else self.decimals + 2
        value = value.quantize(Decimal(1).scaleb(-places)).normalize() + 0
        return value if value != value.to_integral_value() else value.quantize(Decimal(1))

    def operand_value(self, typed: Any, t: Words) -> Any:
        if not isinstance(typed, str):
            return t.parse_number(typed)
        text = typed.strip().removesuffix("%")
        try:
            return t.parse_number(text).scaleb(-2)
        except Refused as error:
            raise Refused("'{text}' is not a percentage.", text=shorten(typed)) from error

    def to_text(self, value: Any) -> str:
        return "" if value is None else format((Decimal(value) * 100).normalize() + 0, "f") + "%"

    def display(self, value: Any, ctx: Shown = PLAIN) -> str:
        return "" if value is None else ctx.t.percent(value, self.decimals)

    def typed(self, value: Any, ctx: Shown = PLAIN) -> Any:
        return None if value is None else self.in_language((value * 100).normalize() + 0, ctx)

    def edited(self, ctx: Shown = PLAIN) -> dict[str, Any]:
        return {"unit": "%"}
