"""Amounts of money."""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any, ClassVar

from crm.errors import Refused
from crm.fields.base import FIELD_TYPES, PLAIN, Setting, Shown
from crm.fields.number import Exact, Number
from crm.words import Words, shorten

SYMBOLS = {"€": "EUR", "$": "USD", "£": "GBP", "zł": "PLN", "zl": "PLN", "¥": "JPY", "kč": "CZK", "₴": "UAH", "₹": "INR"}
SYMBOLS |= {"din": "RSD", "din.": "RSD", "дин": "RSD"}


@FIELD_TYPES.add
class Money(Number):
    """An exact amount in one currency (the company's, or `currency:` as ISO 4217), rounded half up to `decimals` (default 2).

    Kept as a whole number of the smallest unit (4850000 = 48,500.00), so that sums are exact wherever they are computed.
    """

    name = "money"
    kind = "money"
    settings: ClassVar[dict[str, Setting]] = {
        "min": Setting("number", "Smallest amount"),
        "max": Setting("number", "Largest amount"),
        "decimals": Setting("integer", "Places after the point (default 2)"),
        "currency": Setting("text", "ISO 4217 code; the company's currency when absent"),
    }
    examples = {"48.500,00 €": 4850000, "1,234.5": 123450, "EUR 12": 1200, "-0.005": -1, "48k": 4800000, 19.99: 1999, 100: 10000}
    refuses = {
        "lots": "'lots' is not an amount of money.",
        "12 USD": "Amounts here are in EUR, not in USD.",
        "inf": "'inf' is not an amount of money.",
        "99999999999999": "This amount is too large to be kept.",
    }
    editor_type = "money"
    largest = Decimal(10) ** 13

    def setup(self) -> None:
        self.currency = str(self.spec.get("currency") or "").strip().upper()
        self.base = self.currency  # the schema's currency comes with `bind`
        if self.currency and not re.fullmatch(r"[A-Z]{3}", self.currency):
            self.wrong.append(("currency", Refused("'{text}' is not a currency code such as EUR.", text=shorten(self.currency))))
        super().setup()
        self.decimals = self.places = min(2 if self.decimals is None else self.decimals, 4)
        self.step = Decimal(1).scaleb(-self.places)

    def bind(self, schema: Any) -> None:
        self.base = self.currency or str(getattr(schema, "currency", "") or "")

    def code(self, t: Words) -> str:
        """The currency of this field's amounts."""
        return self.base or self.currency or t.currency

    def read(self, typed: Any, t: Words) -> Any:
        value = self.operand_value(typed, t)
        if abs(value) >= self.largest:
            raise Refused("This amount is too large to be kept.")
        return value.quantize(Decimal(1).scaleb(-(2 if self.decimals is None else self.decimals)), ROUND_HALF_UP) + 0

    def operand_value(self, typed: Any, t: Words) -> Any:
        if isinstance(typed, str):
            amount, named = self.without_currency(typed)
            if named and named != self.code(t):
                raise Refused("Amounts here are in {here}, not in {there}.", here=self.code(t), there=named)
            try:
                return t.parse_number(amount)
            except Refused as error:
                raise Refused("'{text}' is not an amount of money.", text=shorten(typed)) from error
        return t.parse_number(typed)

    @staticmethod
    def without_currency(typed: str) -> tuple[str, str]:
        """The amount and the currency code or symbol written beside it."""
        if not re.search(r"[0-9]", typed[:80]):
            return typed[:80], ""
        found = re.fullmatch(r"\s*([^\d\s.,+()'’-]{0,5})\s*([-+(]?\s*[^\s].*?)\s*", typed[:80])
        before, rest = (found[1], found[2]) if found else ("", typed[:80])
        after = re.search(r"\s*([^\d\s.,+()'’-][^\d\s,+()'’-]{0,4})\s*$", rest)
        for mark in (before, after[1] if after else ""):
            low = mark.strip().casefold()
            code = SYMBOLS.get(low) or (low.upper() if re.fullmatch(r"[a-z]{3}", low) and low not in ("tys", "mln", "mio", "mld") else "")
            if code:
                return (rest if mark == before else rest[: after.start()] if after else rest), code
        return typed[:80], ""

    def to_json(self, value: Any) -> Any:
        if value is None:
            return None
        return int(Decimal(value).scaleb(self.places).to_integral_value(ROUND_HALF_UP))

    def from_json(self, stored: Any) -> Any:
        if stored.__class__ is int:
            return Decimal(stored).scaleb(-self.places)
        if isinstance(stored, float) and stored == stored and abs(stored) < 1e15:
            return Decimal(round(stored)).scaleb(-self.places)
        return None

    def nearest(self, value: Any) -> Exact:
        units = Decimal(value).scaleb(self.places)
        stored = int(units.to_integral_value(ROUND_FLOOR if units >= 0 else ROUND_CEILING))
        return stored, (stored > units) - (stored < units)

    def to_text(self, value: Any) -> str:
        return "" if value is None else format(Decimal(value).quantize(self.step, ROUND_HALF_UP), "f")

    def display(self, value: Any, ctx: Shown = PLAIN) -> str:
        return "" if value is None else ctx.t.money(value, self.code(ctx.t))

    def typed(self, value: Any, ctx: Shown = PLAIN) -> Any:
        if value is None:
            return None
        whole = value == value.to_integral_value()
        return self.in_language(Decimal(int(value)) if whole else value.quantize(self.step), ctx)

    def edited(self, ctx: Shown = PLAIN) -> dict[str, Any]:
        return {"decimals": self.decimals, "currency": self.code(ctx.t), "symbol": ctx.t.symbol(self.code(ctx.t))}
