"""Numbers with a fraction."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, ClassVar

import param
from tinydb.queries import QueryInstance

from crm.errors import Refused
from crm.fields.base import FIELD_TYPES, PLAIN, Field, Setting, Shown
from crm.words import Words

Exact = tuple[Any, int]


@FIELD_TYPES.add
class Number(Field):
    """A number, exact as typed up to 15 digits. `min`, `max`, `decimals` (rounded half up), `unit` shown behind it."""

    name = "number"
    kind = "number"
    settings: ClassVar[dict[str, Setting]] = {
        "min": Setting("number", "Smallest value"),
        "max": Setting("number", "Largest value"),
        "decimals": Setting("integer", "Places after the point"),
        "unit": Setting("text", "Shown behind the number"),
    }
    examples = {"1 234.5": 1234.5, "1,234.50": 1234.5, "-3": -3, "0.1": 0.1, "12k": 12000, 2.5: 2.5}
    refuses = {
        "abc": "'abc' is not a number.",
        "NaN": "'NaN' is not a number.",
        "1e20": "This number is too large or too small to be kept.",
    }
    operators: tuple[str, ...] = ("is", "is_not", "over", "under", "between", "empty", "filled")
    editor_type = "number"
    align = "right"
    largest = Decimal(10) ** 15

    def setup(self) -> None:
        self.decimals: int | None = self.number_setting("decimals", 0) if "decimals" in self.spec else None
        if self.decimals is not None and self.decimals > 12:
            self.wrong.append(("decimals", Refused("At most {max} places after the point.", max=12)))
            self.decimals = 12
        self.unit = str(self.spec.get("unit") or "")
        self.min, self.max = self.limit("min"), self.limit("max")

    def read(self, typed: Any, t: Words) -> Any:
        value = t.parse_number(typed)
        if self.decimals is not None:
            value = value.quantize(Decimal(1).scaleb(-self.decimals), ROUND_HALF_UP)
        elif len(value.as_tuple().digits) > 15:
            value = Decimal(repr(float(value)))
        if abs(value) >= self.largest:
            raise Refused("This number is too large or too small to be kept.")
        return value.normalize() + 0 if value == value.to_integral_value() else value

    def check(self, value: Any, t: Words) -> None:
        if self.min is not None and value < self.min:
            raise Refused("At least {min}.", min=self.display(self.min, Shown(t)))
        if self.max is not None and value > self.max:
            raise Refused("At most {max}.", max=self.display(self.max, Shown(t)))

    def to_json(self, value: Any) -> Any:
        if value is None:
            return None
        return int(value) if value == int(value) else float(value)

    def from_json(self, stored: Any) -> Any:
        if stored.__class__ is int:
            return Decimal(stored)
        if stored is None or isinstance(stored, bool):
            return None
        try:
            value = Decimal(repr(stored) if isinstance(stored, float) else stored)
        except (InvalidOperation, TypeError, ValueError):
            return None
        return value if value.is_finite() else None

    def nearest(self, value: Any) -> Exact:
        if isinstance(value, int) or value == value.to_integral_value():
            return int(value), 0
        stored = float(value)
        kept = Decimal(repr(stored))
        return stored, (kept > value) - (kept < value)

    def to_text(self, value: Any) -> str:
        return "" if value is None else format(value, "f")

    def display(self, value: Any, ctx: Shown = PLAIN) -> str:
        if value is None:
            return ""
        return ctx.t.number(value, self.decimals) + (f" {self.unit}" if self.unit else "")

    def typed(self, value: Any, ctx: Shown = PLAIN) -> Any:
        """As the language writes it but without thousands, so that it can be typed over."""
        return None if value is None else self.in_language(value, ctx)

    @staticmethod
    def in_language(value: Any, ctx: Shown) -> str:
        """A decimal in the language's digits, without thousands separators."""
        symbols = ctx.t.locale.number_symbols
        mark = str(symbols.get("latn", symbols).get("decimal", "."))
        text = format(value, "f")
        return text.replace(".", mark if mark == "," else ".")

    def edited(self, ctx: Shown = PLAIN) -> dict[str, Any]:
        result: dict[str, Any] = {"decimals": self.decimals}
        if self.unit:
            result["unit"] = self.unit
        return result

    def parameter(self) -> param.Parameter:
        return param.Number(default=None, allow_None=True, label=self.label, doc=self.help or None)

    def compare(self, op: str, typed: Any, t: Words) -> QueryInstance:
        if op in ("over", "under"):
            return self.ordered(">" if op == "over" else "<", self.operand_value(typed, t))
        if op == "between":
            low, high = self.bounds(typed)
            conditions = [self.ordered(sign, self.operand_value(end, t)) for sign, end in ((">=", low), ("<=", high)) if end is not None]
            return conditions[0] & conditions[1] if len(conditions) == 2 else conditions[0]
        return super().compare(op, typed, t)

    def operand_value(self, typed: Any, t: Words) -> Any:
        """What a filter compares with, as a Python value that is not rounded to the field's places."""
        return t.parse_number(typed)

    def ordered(self, sign: str, value: Any) -> QueryInstance:
        """`field < value` and so on, exact although the store keeps another form of the number."""
        stored, side = self.nearest(value)
        if side < 0:  # what is stored lies below the value: nothing is between them
            sign = {"<": "<=", ">=": ">"}.get(sign, sign)
        elif side > 0:
            sign = {"<=": "<", ">": ">="}.get(sign, sign)
        path = self.where
        return {"<": path.__lt__, "<=": path.__le__, ">": path.__gt__, ">=": path.__ge__}[sign](stored)
