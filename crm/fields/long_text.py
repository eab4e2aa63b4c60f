"""Text of several lines."""

from __future__ import annotations

from typing import Any

from crm.fields.base import FIELD_TYPES, PLAIN, Shown
from crm.fields.text import Text


@FIELD_TYPES.add
class LongText(Text):
    """Text of several lines, shown as it was typed. `max` characters (default 20,000)."""

    name = "long_text"
    examples = {"First line\r\nsecond ": "First line\nsecond", " kept indent\n\tand tab": " kept indent\n\tand tab"}
    refuses = {"x" * 20_001: "At most 20000 characters; this has 20001."}
    operators: tuple[str, ...] = ("contains", "starts", "empty", "filled")
    editor_type = "textarea"
    sortable = False
    lines = True
    longest = 20_000

    def cell(self, value: Any, ctx: Shown = PLAIN) -> Any:
        line = " ".join((value or "")[:400].split())
        return line if len(line) <= 160 else line[:159] + "…"
