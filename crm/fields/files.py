"""Several files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from tinydb.queries import QueryInstance

from crm.errors import Refused
from crm.expressions import text_like
from crm.fields.base import FIELD_TYPES, PLAIN, Setting, Shown, is_empty
from crm.fields.file import File
from crm.words import Words


@FIELD_TYPES.add
class Files(File):
    """Several files, in the order they were added; `max` how many (default 50)."""

    name = "files"
    kind = "list"
    settings: ClassVar[dict[str, Setting]] = {**File.settings, "max": Setting("integer", "How many files (default 50)")}
    examples = {
        json.dumps([{"name": "a.pdf", "type": "application/pdf", "size": 1, "blob": "b" * 64}]): [
            {"name": "a.pdf", "type": "application/pdf", "size": 1, "blob": "b" * 64}
        ],
    }
    refuses = {"a.pdf": "Upload the file.", "[1]": "Upload the file."}
    many = True

    def setup(self) -> None:
        super().setup()
        self.max = self.number_setting("max", 50) or 50

    def read(self, typed: Any, t: Words) -> Any:
        typed = self.parsed(typed)
        several = [typed] if isinstance(typed, Mapping) else typed
        if not isinstance(several, (list, tuple)):
            raise Refused("Upload the file.")
        if len(several) > self.max:
            raise Refused("At most {max} of them.", max=self.max)
        return [self.one(one) for one in several if not is_empty(one)]

    def from_json(self, stored: Any) -> Any:
        return [dict(one) for one in stored if isinstance(one, Mapping)] or None if isinstance(stored, (list, tuple)) else None

    def display(self, value: Any, ctx: Shown = PLAIN) -> str:
        return ", ".join(str(one.get("name", "")) for one in value or [])

    def cell(self, value: Any, ctx: Shown = PLAIN) -> Any:
        return {"text": self.display(value, ctx), "files": [dict(one) for one in value]} if value else ""

    def compare(self, op: str, typed: Any, t: Words) -> QueryInstance:
        return self.where.any(text_like("contains", ("name",), self.fragment(typed)))

    @property
    def search_paths(self) -> list[str]:
        return []
