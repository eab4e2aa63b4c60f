"""Free words put on a record."""

from __future__ import annotations

from typing import Any, ClassVar

from tinydb.queries import QueryInstance

from crm.errors import Refused
from crm.fields.base import FIELD_TYPES, PLAIN, Setting, Shown, is_empty
from crm.fields.choice import options_of
from crm.fields.choices import Choices
from crm.words import Words


@FIELD_TYPES.add
class Tags(Choices):
    """Words anyone may invent, each kept once in the order typed; `options` are suggestions. At most 60 characters each, 100 tags."""

    name = "tags"
    kind = "list"
    settings: ClassVar[dict[str, Setting]] = {
        "options": Setting("options", "Tags to suggest"),
        "max": Setting("integer", "How many tags (default 100)"),
    }
    examples = {"vip, Fair 2026;vip": ["vip", "Fair 2026"], ("a", "b"): ["a", "b"], "#new": ["new"]}
    refuses = {"x" * 61: "A tag has at most 60 characters."}
    example_spec: ClassVar[dict[str, Any]] = {}
    editor_type = "tags"
    searchable = True

    def setup(self) -> None:
        self._options = options_of(self.spec.get("options"))
        self.max = self.number_setting("max", 100) or 100

    def read(self, typed: Any, t: Words) -> Any:
        found: dict[str, str] = {}
        for one in self.several(typed):
            if is_empty(one):
                continue
            tag = self.one(one, t)
            if tag:
                found.setdefault(tag.casefold(), tag)
        return list(found.values())

    def one(self, typed: Any, t: Words) -> str:
        tag = self.text(typed).lstrip("#").strip()
        if len(tag) > 60:
            raise Refused("A tag has at most {max} characters.", max=60)
        return tag

    def option_label(self, key: str, t: Words | None = None) -> str:
        return super().option_label(key, t) if key in self.options else key

    def sort_key(self, value: Any) -> Any:
        return [one.casefold() for one in value]

    def compare(self, op: str, typed: Any, t: Words) -> QueryInstance:
        tags = [tag for one in self.several(typed) if not is_empty(one) and (tag := self.one(one, t))]
        if not tags:
            raise Refused("Say what to compare with.")
        return self.hold(op, tags)

    def cell(self, value: Any, ctx: Shown = PLAIN) -> Any:
        return super().cell(value, ctx)
