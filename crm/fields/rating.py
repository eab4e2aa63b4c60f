"""Stars."""

from __future__ import annotations

from typing import Any, ClassVar

from crm.errors import Refused
from crm.fields.base import FIELD_TYPES, PLAIN, Setting, Shown
from crm.fields.integer import Integer
from crm.words import Words


@FIELD_TYPES.add
class Rating(Integer):
    """A number of stars, from 0 to `max` (default 5)."""

    name = "rating"
    settings: ClassVar[dict[str, Setting]] = {"max": Setting("integer", "Highest number of stars (default 5, at most 10)")}
    examples = {"3": 3, 5: 5, "★★": 2, "4/5": 4}
    refuses = {"6": "Between 0 and 5.", "-1": "Between 0 and 5.", "many": "'many' is not a number."}
    editor_type = "rating"
    align = "left"

    def setup(self) -> None:
        super().setup()
        self.top = min(self.number_setting("max", 5) or 5, 10)

    def read(self, typed: Any, t: Words) -> Any:
        if isinstance(typed, str):
            text = typed.strip()[:40]
            if text and not text.strip("★☆*"):
                return text.count("★") + text.count("*")
            head, _, tail = text.partition("/")
            typed = head if tail.strip() == str(getattr(self, "top", 5)) else text
        return super().read(typed, t)

    def operand_value(self, typed: Any, t: Words) -> Any:
        return self.read(typed, t)

    def check(self, value: Any, t: Words) -> None:
        if not 0 <= value <= self.top:
            raise Refused("Between {min} and {max}.", min=0, max=self.top)

    def display(self, value: Any, ctx: Shown = PLAIN) -> str:
        return "" if value is None else "★" * value + "☆" * (self.top - value)

    def cell(self, value: Any, ctx: Shown = PLAIN) -> Any:
        return "" if value is None else {"text": self.display(value, ctx), "stars": value, "of": self.top}

    def edited(self, ctx: Shown = PLAIN) -> dict[str, Any]:
        return {"max": self.top}
