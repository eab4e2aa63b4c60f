"""A link to one record of an entity."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import param
from tinydb.queries import QueryInstance

from crm.errors import Refused
from crm.expressions.queries import by_id, linked
from crm.expressions.values import LEVELS
from crm.fields.base import FIELD_TYPES, LARGEST_ID, PLAIN, Field, Setting, Shown
from crm.words import Words


def record_id(typed: Any) -> int:
    """The id of a record from what an editor, a file or a program gives: 12, "12", "#12", {"id": 12}."""
    if isinstance(typed, Mapping):
        typed = typed.get("id", typed.get("value"))
    if isinstance(typed, bool):
        typed = None
    if isinstance(typed, float) and typed.is_integer() and abs(typed) < LARGEST_ID:
        typed = int(typed)
    if isinstance(typed, str) and re.fullmatch(r"\s*#?\s*[0-9]{1,16}\s*", typed):
        typed = int(typed.strip().lstrip("#"))
    if isinstance(typed, int) and 0 < typed < LARGEST_ID:
        return typed
    number = getattr(typed, "id", getattr(typed, "doc_id", None))  # a Record or a document
    if isinstance(number, int) and not isinstance(number, bool) and 0 < number < LARGEST_ID:
        return number
    raise Refused("Choose one from the list.")


@FIELD_TYPES.add
class Link(Field):
    """One record of the entity `to`, kept as its id; `back` names the list of these records over there."""

    name = "link"
    kind = "link"
    settings: ClassVar[dict[str, Setting]] = {
        "to": Setting("entity", "The entity it leads to"),
        "back": Setting("text", "What the list of these records is called at the other end"),
        "where": Setting("expression", "Which records of that entity may be chosen"),
    }
    examples = {"12": 12, 7: 7, "#3": 3}
    refuses = {"Acme": "Choose one from the list.", "-1": "Choose one from the list.", "9" * 30: "Choose one from the list."}
    example_spec: ClassVar[dict[str, Any]] = {"to": "thing"}
    operators: tuple[str, ...] = ("is", "is_not", "any_of", "empty", "filled")
    editor_type = "link"
    above = ""  # the link to the record above, where those at the other end lie below each other

    def setup(self) -> None:
        self.to = str(self.spec["to"]) if self.spec.get("to") else None
        self.chosen: Any = None  # `where:` as an Expression over the linked record
        self.back = str(self.spec["back"]) if self.spec.get("back") else None

    def bind(self, schema: Any) -> None:
        """Where the records at the other end lie below each other, a whole branch can be asked for."""
        other = getattr(schema, "entities", {}).get(self.to)
        if other is not None and getattr(other, "tree", None) is not None:
            self.operators = (*type(self).operators[:3], "within", *type(self).operators[3:])
            self.above = other.tree.by

    def compare(self, op: str, typed: Any, t: Words) -> QueryInstance:
        if op != "within":
            return super().compare(op, typed, t)
        here = by_id("in", [record_id(typed)])
        query = here
        for _ in range(LEVELS - 1):
            query = here | linked((self.above,), self.to, query)
        return linked((self.key,), self.to, query)

    def read(self, typed: Any, t: Words) -> Any:
        return record_id(typed)

    def from_json(self, stored: Any) -> Any:
        return stored if stored.__class__ is int else None

    def display(self, value: Any, ctx: Shown = PLAIN) -> str:
        return "" if value is None else ctx.title(self.to or "", value) or ""

    def cell(self, value: Any, ctx: Shown = PLAIN) -> Any:
        """Title and address of the linked record; nothing of a record the user may not see."""
        title = self.display(value, ctx)
        return {"text": title, "href": f"?view=record&entity={self.to}&id={value}"} if title else ""

    def edited(self, ctx: Shown = PLAIN) -> dict[str, Any]:
        return {"to": self.to, **self.asking()}

    def asking(self) -> dict[str, str]:
        """What the editor says of itself when it looks for records, where not all of them may be chosen."""
        return {"field": self.path} if self.chosen is not None else {}

    def editor(self, value: Any = None, ctx: Shown = PLAIN) -> dict[str, Any]:
        result = super().editor(value, ctx)
        if value is not None:
            result["text"] = self.display(value, ctx)
        return result

    def parameter(self) -> param.Parameter:
        return param.Integer(default=None, allow_None=True, label=self.label, doc=self.help or None)
