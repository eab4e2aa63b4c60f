"""E-mail addresses."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from email_validator import EmailNotValidError, validate_email

from crm.errors import Refused
from crm.fields.base import FIELD_TYPES, PLAIN, Setting, Shown
from crm.fields.text import Text
from crm.words import Words


@FIELD_TYPES.add
class Email(Text):
    """One e-mail address in small letters (RFC 5321 and 6531, checked by email-validator; nobody is asked whether it exists)."""

    name = "email"
    settings: ClassVar[dict[str, Setting]] = {}
    examples = {"Ann@Firm.com ": "ann@firm.com", "mailto:jan@firma.pl": "jan@firma.pl", "Jan Nowak <jan@firma.pl>": "jan@firma.pl"}
    refuses = {
        "ann": "There is no @ in this address.",
        "ann@": "There is nothing after the @.",
        "@firm.com": "There is nothing before the @.",
        "ann@firm": "The part after the @ is not complete: 'firm'.",
        "a b@firm.com": "This is not an e-mail address.",
        "a@b.com, c@d.com": "Only one address can stand here.",
    }
    editor_type = "email"

    def read(self, typed: Any, t: Words) -> Any:
        text = self.text(typed, longest=320)
        text = re.sub(r"^mailto:", "", text, flags=re.I)
        found = re.fullmatch(r'[^<>@]*<\s*([^<>\s]+)\s*>|"?([^<>]*?)"?', text)
        text = (found[1] or found[2] or "").strip() if found else text
        before, sign, after = text.rpartition("@")
        if not sign:
            raise Refused("There is no @ in this address.")
        if not after:
            raise Refused("There is nothing after the @.")
        if not before:
            raise Refused("There is nothing before the @.")
        if "@" in before and re.search(r"[,;\s]", text):
            raise Refused("Only one address can stand here.")
        if "." not in after and not re.search(r"[\[\]\s]", after):
            raise Refused("The part after the @ is not complete: '{text}'.", text=after[:60])
        try:
            return validate_email(text, check_deliverability=False, allow_smtputf8=True).normalized.lower()
        except (EmailNotValidError, ValueError, IndexError) as error:
            raise Refused("This is not an e-mail address.") from error

    def cell(self, value: Any, ctx: Shown = PLAIN) -> Any:
        return {"text": value, "href": f"mailto:{value}"} if value else ""
