"""Yes or no."""

from __future__ import annotations

from typing import Any

import param
from tinydb.queries import QueryInstance

from crm.errors import Refused
from crm.fields.base import FIELD_TYPES, PLAIN, Field, Shown
from crm.words import Words, fold, shorten

YES = {"yes", "y", "true", "t", "1", "on", "x", "✓", "✔", "tak", "da", "taip", "ja", "oui", "si"}
NO = {"no", "n", "false", "f", "0", "off", "-", "✗", "nie", "ne", "nein", "non"}


@FIELD_TYPES.add
class Boolean(Field):
    """Yes or no; typed in words of the user's language too. Empty is neither."""

    name = "boolean"
    kind = "boolean"
    examples = {"yes": True, "Tak": True, "0": False, True: True, "off": False}
    refuses = {"perhaps": "'perhaps' is neither yes nor no.", "2": "'2' is neither yes nor no."}
    operators: tuple[str, ...] = ("is", "is_not", "empty", "filled")
    editor_type = "check"

    def read(self, typed: Any, t: Words) -> Any:
        if isinstance(typed, bool):
            return typed
        if isinstance(typed, (int, float)) and typed in (0, 1):
            return bool(typed)
        word = fold(typed[:40]) if isinstance(typed, str) else ""
        if word in YES or word in (fold(t("yes")), fold(t("Yes"))):
            return True
        if word in NO or word in (fold(t("no")), fold(t("No"))):
            return False
        raise Refused("'{text}' is neither yes nor no.", text=shorten(typed))

    def from_json(self, stored: Any) -> Any:
        return stored if isinstance(stored, bool) else None

    def to_text(self, value: Any) -> str:
        return "" if value is None else "true" if value else "false"

    def display(self, value: Any, ctx: Shown = PLAIN) -> str:
        return "" if value is None else ctx.t("Yes") if value else ctx.t("No")

    def cell(self, value: Any, ctx: Shown = PLAIN) -> Any:
        return "" if value is None else {"text": self.display(value, ctx), "check": bool(value)}

    def edited(self, ctx: Shown = PLAIN) -> dict[str, Any]:
        return {"options": [[True, ctx.t("Yes")], [False, ctx.t("No")]]}

    def compare(self, op: str, typed: Any, t: Words) -> QueryInstance:
        found = self.where == self.operand(typed, t)
        return ~found if op == "is_not" else found

    def parameter(self) -> param.Parameter:
        return param.Boolean(default=None, allow_None=True, label=self.label, doc=self.help or None)
