"""Text with simple formatting."""

from __future__ import annotations

import re
from typing import Any

from crm.fields.base import FIELD_TYPES, PLAIN, Shown
from crm.fields.long_text import LongText


@FIELD_TYPES.add
class Markdown(LongText):
    """Text with headings, lists and links written as Markdown (CommonMark); HTML in it stays text. `max` characters (default 100,000)."""

    name = "markdown"
    examples = {"# Plan\n\n- call **Ann**": "# Plan\n\n- call **Ann**", "<b>x</b>": "<b>x</b>"}
    refuses = {"x" * 100_001: "At most 100000 characters; this has 100001."}
    editor_type = "markdown"
    longest = 100_000

    def cell(self, value: Any, ctx: Shown = PLAIN) -> Any:
        plain = re.sub(r"(?m)^\s{0,3}(?:#{1,6}|[-*+>]|\d{1,9}[.)])\s+|[*_`~]{1,3}", "", (value or "")[:600])
        return super().cell(re.sub(r"!?\[([^\]\n]{0,200})\]\([^)\n]{0,500}\)", r"\1", plain), ctx)
