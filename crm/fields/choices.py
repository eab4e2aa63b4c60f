"""Several of several options."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import param
from tinydb.queries import QueryInstance

from crm.errors import Refused
from crm.fields.base import FIELD_TYPES, PLAIN, Setting, Shown, is_empty
from crm.fields.choice import Choice
from crm.words import Words


@FIELD_TYPES.add
class Choices(Choice):
    """Any number of the `options`, kept in their order; typed as a list, or as text with `,` or `;` between them. `max` how many."""

    name = "choices"
    kind = "list"
    settings: ClassVar[dict[str, Setting]] = {**Choice.settings, "max": Setting("integer", "How many may be chosen")}
    examples = {"two, one": ["one", "two"], "Two; two": ["two"], ("one",): ["one"]}
    refuses = {"one, three": "'three' is not one of: One, Two."}
    operators: tuple[str, ...] = ("is", "is_not", "any_of", "empty", "filled")
    editor_type = "multi"
    sortable = False
    many = True

    def setup(self) -> None:
        super().setup()
        self.max = self.number_setting("max", 0)

    def read(self, typed: Any, t: Words) -> Any:
        chosen = {self.one(one, t) for one in self.several(typed) if not is_empty(one)}
        return [key for key in self.options if key in chosen]

    def several(self, typed: Any) -> list[Any]:
        """The single values of a list or of a text with separators."""
        if isinstance(typed, str):
            return [part.strip() for part in re.split(r"[;,\n]", typed)[:1000]]
        if isinstance(typed, (list, tuple, set, frozenset)):
            if len(typed) > 1000:
                raise Refused("At most {max} of them.", max=1000)
            return list(typed)
        if isinstance(typed, Mapping):
            raise Refused("This is not a list.")
        return [typed]

    def check(self, value: Any, t: Words) -> None:
        if self.max and len(value) > self.max:
            raise Refused("At most {max} of them.", max=self.max)

    def to_json(self, value: Any) -> Any:
        return None if value is None else list(value)

    def from_json(self, stored: Any) -> Any:
        return [one for one in stored if isinstance(one, str)] or None if isinstance(stored, (list, tuple)) else None

    def to_text(self, value: Any) -> str:
        return "; ".join(value or [])

    def display(self, value: Any, ctx: Shown = PLAIN) -> str:
        return ", ".join(self.option_label(one, ctx.t) for one in value or [])

    def cell(self, value: Any, ctx: Shown = PLAIN) -> Any:
        if not value:
            return ""
        items = []
        for one in value:
            option = self.options.get(one)
            items.append({"text": self.option_label(one, ctx.t), **({"tone": option.color} if option and option.color else {})})
        return {"text": self.display(value, ctx), "items": items}

    def parameter(self) -> param.Parameter:
        return param.List(default=None, allow_None=True, item_type=str, label=self.label, doc=self.help or None)

    def compare(self, op: str, typed: Any, t: Words) -> QueryInstance:
        keys = [self.one(one, t) for one in self.several(typed) if not is_empty(one)]
        if not keys:
            raise Refused("Say what to compare with.")
        return self.hold(op, keys)

    def hold(self, op: str, keys: list[str]) -> QueryInstance:
        """`is`: all of these are among the values; `any_of`: at least one of them; `is_not`: none of them."""
        if op == "any_of":
            return self.where.any(keys)
        if op == "is_not":
            return ~self.where.any(keys)
        return self.where.all(keys)

    def sort_key(self, value: Any) -> Any:
        return [Choice.sort_key(self, one) for one in value]
