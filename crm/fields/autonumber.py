"""Running numbers."""

from __future__ import annotations

import re
from datetime import date
from typing import Any, ClassVar

from crm.errors import Refused
from crm.fields.base import FIELD_TYPES, Setting
from crm.fields.text import Text


@FIELD_TYPES.add
class Autonumber(Text):
    """A running number the CRM gives itself, such as `O-2026-0012`. `format` holds `{n}` (`{n:04}` with zeros), `{yyyy}`, `{yy}`, `{mm}`.

    With a year or month in the format counting begins again each year or month. Users cannot change it; an import may bring numbers.
    """

    name = "autonumber"
    settings: ClassVar[dict[str, Setting]] = {
        "format": Setting("text", "How the number is written: {n} or {n:04}, {yyyy}, {yy}, {mm} and other text"),
        "start": Setting("integer", "The first number (default 1)"),
        "max": Setting("integer", "Longest number, in characters"),
    }
    examples = {"O-2026-0012": "O-2026-0012"}
    refuses = {"x" * 256: "At most 255 characters; this has 256."}
    editor_type = "fixed"

    def setup(self) -> None:
        super().setup()
        self.format = str(self.spec.get("format") or "{n}")
        self.start = self.number_setting("start", 1)
        self.fixed = True
        if not re.search(r"\{n(:0?[1-9])?\}", self.format) or re.search(r"[{}]", re.sub(r"\{(n(:0?[1-9])?|yyyy|yy|mm)\}", "", self.format)):
            self.wrong.append(("format", Refused("A format holds {{n}} or {{n:04}}, and may hold {{yyyy}}, {{yy}} and {{mm}}.", n=0)))
            self.format = "{n}"

    def period(self, today: date) -> str:
        """What the counting belongs to: numbers begin again when it changes (the year, the month, or nothing)."""
        if "{mm}" in self.format:
            return today.strftime("%Y-%m")
        return str(today.year) if "{yy" in self.format else ""

    def number(self, n: int, today: date) -> str:
        """The text of the n-th number of its period."""

        def part(found: re.Match[str]) -> str:
            name, width = found[1], found[2]
            if name == "n":
                return str(n).zfill(int(width.lstrip(":0") or 0)) if width else str(n)
            return self._date_part(name, today)

        return re.sub(r"\{(n|yyyy|yy|mm)(:0?[1-9])?\}", part, self.format)

    def count(self, text: Any, today: date) -> int | None:
        """The n of a number of the period of `today`, None for other texts: to go on after imported ones."""
        pattern = ""
        for piece in re.split(r"(\{[^}]*\})", self.format):
            if piece.startswith("{n"):
                pattern += r"(\d{1,15})"
            elif piece.startswith("{"):
                pattern += re.escape(self._date_part(piece.strip("{}"), today))
            else:
                pattern += re.escape(piece)
        found = re.fullmatch(pattern, text) if isinstance(text, str) else None
        return int(found[1]) if found else None

    @staticmethod
    def _date_part(name: str, today: date) -> str:
        return {"yyyy": f"{today.year:04d}", "yy": f"{today.year % 100:02d}", "mm": f"{today.month:02d}"}[name]
