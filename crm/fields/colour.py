"""Colours."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from crm.errors import Refused
from crm.fields.base import FIELD_TYPES, PLAIN, Setting, Shown
from crm.fields.text import Text
from crm.words import Words

NAMES = {
    "red": "#d32f2f", "orange": "#f57c00", "yellow": "#fbc02d", "green": "#388e3c", "teal": "#00796b", "blue": "#1976d2",
    "purple": "#7b1fa2", "pink": "#c2185b", "brown": "#5d4037", "grey": "#757575", "gray": "#757575", "black": "#000000",
    "white": "#ffffff",
}  # fmt: skip


@FIELD_TYPES.add
class Colour(Text):
    """A colour, kept as `#rrggbb`; a few names are understood too."""

    name = "colour"
    settings: ClassVar[dict[str, Setting]] = {}
    examples = {"#1A2B3C": "#1a2b3c", "fc0": "#ffcc00", "Red": "#d32f2f"}
    refuses = {"#12": "'#12' is not a colour. Write it like #1976d2.", "url(x)": "'url(x)' is not a colour. Write it like #1976d2."}
    operators: tuple[str, ...] = ("is", "is_not", "empty", "filled")
    editor_type = "color"
    searchable = False

    def read(self, typed: Any, t: Words) -> Any:
        text = self.text(typed, longest=40).lower()
        digits = text.removeprefix("#")
        if re.fullmatch(r"[0-9a-f]{3}", digits):
            return "#" + "".join(digit * 2 for digit in digits)
        if re.fullmatch(r"[0-9a-f]{6}", digits):
            return "#" + digits
        if text in NAMES:
            return NAMES[text]
        raise Refused("'{text}' is not a colour. Write it like #1976d2.", text=text)

    def cell(self, value: Any, ctx: Shown = PLAIN) -> Any:
        return {"text": value, "color": value} if value else ""

    def edited(self, ctx: Shown = PLAIN) -> dict[str, Any]:
        return {}
