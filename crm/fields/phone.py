"""Telephone numbers."""

from __future__ import annotations

import re
from typing import Any, ClassVar

import phonenumbers
from tinydb.queries import QueryInstance

from crm.errors import Refused
from crm.fields.base import FIELD_TYPES, PLAIN, Setting, Shown
from crm.fields.text import Text
from crm.words import Words

REGIONS = {"EUR": "DE", "PLN": "PL", "RSD": "RS", "USD": "US", "GBP": "GB", "CZK": "CZ", "CHF": "CH", "UAH": "UA", "SEK": "SE", "NOK": "NO"}
REGIONS |= {"DKK": "DK", "HUF": "HU", "RON": "RO", "BGN": "BG", "CAD": "CA", "AUD": "AU", "JPY": "JP", "INR": "IN"}


@FIELD_TYPES.add
class Phone(Text):
    """A telephone or fax number, kept in the international form E.164 (`+48223456789`, an extension as `;ext=12`).

    A number without `+` is read as one of `region` (ISO 3166: `PL`), else of the company's country.
    """

    name = "phone"
    settings: ClassVar[dict[str, Setting]] = {"region": Setting("text", "Country of numbers without +, as PL or DE (ISO 3166)")}
    examples = {"+48 22 345 67 89": "+48223456789", "0048 22 345 67 89": "+48223456789", "tel:+44-20-7946-0018": "+442079460018"}
    refuses = {"call me": "This is not a telephone number.", "+48 12": "This number is too short.", "+1": "This is not a telephone number."}
    operators: tuple[str, ...] = ("is", "is_not", "contains", "starts", "empty", "filled")
    editor_type = "tel"

    def setup(self) -> None:
        super().setup()
        self.region = str(self.spec.get("region") or "").upper()
        if self.region and self.region not in phonenumbers.SUPPORTED_REGIONS:
            self.wrong.append(("region", Refused("'{text}' is not a country code such as PL.", text=self.region[:20])))
            self.region = ""
        self.home = self.region

    def bind(self, schema: Any) -> None:
        self.home = self.region or str(getattr(schema, "country", "") or getattr(schema, "region", "") or "").upper() or self.home

    def country(self, t: Words) -> str:
        """The country of numbers without `+`: the field's, the company's, the language's, that of the company's money."""
        return self.home or t.locale.territory or REGIONS.get(t.currency) or "US"

    def read(self, typed: Any, t: Words) -> Any:
        text = re.sub(r"^(tel|fax|phone|mobile):", "", self.text(typed, longest=80), flags=re.I).strip()
        if re.match(r"00[1-9]", re.sub(r"[\s()./-]", "", text)):
            text = "+" + re.sub(r"^\D*0\D*0", "", text)
        try:
            number = phonenumbers.parse(text, self.country(t))
        except phonenumbers.NumberParseException as error:
            if error.error_type == phonenumbers.NumberParseException.TOO_LONG:
                raise Refused("This number is too long.") from error
            raise Refused("This is not a telephone number.") from error
        possible = phonenumbers.is_possible_number_with_reason(number)
        reasons = phonenumbers.ValidationResult
        if possible in (reasons.TOO_SHORT, reasons.IS_POSSIBLE_LOCAL_ONLY):
            raise Refused("This number is too short.")
        if possible == reasons.TOO_LONG:
            raise Refused("This number is too long.")
        if possible not in (reasons.IS_POSSIBLE,):
            raise Refused("This is not a telephone number.")
        kept = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        try:
            again = phonenumbers.parse(kept)
        except phonenumbers.NumberParseException as error:
            raise Refused("This is not a telephone number.") from error
        if phonenumbers.format_number(again, phonenumbers.PhoneNumberFormat.E164) != kept:  # zeros that no country dials
            raise Refused("This is not a telephone number.")
        return f"{kept};ext={number.extension}" if number.extension else kept

    def fragment(self, typed: Any) -> str:
        """Digits as they are kept, whatever stands between them."""
        text = self.text(typed)
        digits = re.sub(r"[^\d+]", "", text)
        if not re.sub(r"\D", "", digits):
            raise Refused("Say what to compare with.")
        return digits if digits.startswith("+") else digits.lstrip("0") or digits

    def compare(self, op: str, typed: Any, t: Words) -> QueryInstance:
        if op == "starts":
            part = self.fragment(typed)
            return super().compare(op, part if part.startswith("+") else f"+{part}", t)
        return super().compare(op, typed, t)

    def display(self, value: Any, ctx: Shown = PLAIN) -> str:
        if not value:
            return ""
        kept, _, extension = value.partition(";ext=")
        try:
            number = phonenumbers.parse(kept)
        except phonenumbers.NumberParseException:
            return str(value)
        home = number.country_code == phonenumbers.country_code_for_region(self.country(ctx.t))
        form = phonenumbers.PhoneNumberFormat
        text = phonenumbers.format_number(number, form.NATIONAL if home and self.home else form.INTERNATIONAL)
        return f"{text} ext. {extension}" if extension else text

    def cell(self, value: Any, ctx: Shown = PLAIN) -> Any:
        return {"text": self.display(value, ctx), "href": f"tel:{value}"} if value else ""

    def typed(self, value: Any, ctx: Shown = PLAIN) -> Any:
        if not value:
            return None
        kept, _, extension = value.partition(";ext=")
        try:
            text = phonenumbers.format_number(phonenumbers.parse(kept), phonenumbers.PhoneNumberFormat.INTERNATIONAL)
        except phonenumbers.NumberParseException:
            return value
        return f"{text} ext. {extension}" if extension else text
