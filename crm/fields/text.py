"""One line of text."""

from __future__ import annotations

import re
from typing import Any, ClassVar

import param

from crm.errors import Refused
from crm.fields.base import FIELD_TYPES, PLAIN, Field, Setting, Shown
from crm.words import Words, shorten


@FIELD_TYPES.add
class Text(Field):
    """One line of text; blanks at the ends and doubled ones are dropped. `max` characters (default 255)."""

    name = "text"
    kind = "text"
    settings: ClassVar[dict[str, Setting]] = {
        "max": Setting("integer", "Longest text, in characters"),
        "min": Setting("integer", "Shortest text, in characters"),
        "pattern": Setting("text", "Regular expression the whole text must match"),
        "upper": Setting("boolean", "Kept in capitals"),
        "lower": Setting("boolean", "Kept in small letters"),
    }
    examples = {"  Anna   Nowak ": "Anna Nowak", "Łódź": "Łódź", "a\x00b\x1bc": "abc", "0123": "0123", "no": "no"}
    refuses = {"x" * 256: "At most 255 characters; this has 256."}
    operators: tuple[str, ...] = ("is", "is_not", "contains", "starts", "any_of", "empty", "filled")
    searchable = True
    lines = False
    longest = 255

    def setup(self) -> None:
        self.max = self.number_setting("max", self.longest) or self.longest
        self.min = self.number_setting("min", 0)
        self.pattern: re.Pattern[str] | None = None
        if self.spec.get("pattern"):
            try:
                self.pattern = re.compile(str(self.spec["pattern"]))
            except re.error:
                self.wrong.append(("pattern", Refused("'{text}' is not a regular expression.", text=shorten(self.spec["pattern"]))))

    def read(self, typed: Any, t: Words) -> Any:
        text = self.text(typed, self.lines, self.max)
        if self.spec.get("upper"):
            return text.upper()
        return text.lower() if self.spec.get("lower") else text

    def check(self, value: Any, t: Words) -> None:
        if len(value) > self.max:
            raise Refused("At most {max} characters; this has {n}.", max=self.max, n=len(value))
        if len(value) < self.min:
            raise Refused("At least {min} characters.", min=self.min)
        if self.pattern and not self.pattern.fullmatch(value):
            raise Refused("This does not have the expected form.")

    def from_json(self, stored: Any) -> Any:
        return stored if isinstance(stored, str) or stored is None else str(stored)

    def edited(self, ctx: Shown = PLAIN) -> dict[str, Any]:
        return {"max": self.max}

    def parameter(self) -> param.Parameter:
        return param.String(default=None, allow_None=True, label=self.label, doc=self.help or None)
