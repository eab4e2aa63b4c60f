"""Values computed from the record."""

from __future__ import annotations

from typing import Any, ClassVar

import param
from tinydb.queries import QueryInstance

from crm.fields.base import FIELD_TYPES, PLAIN, Field, Setting, Shown
from crm.words import Words

#: The field type that keeps and shows the values of a kind of expression.
TYPE_OF = {
    "number": "number", "integer": "integer", "money": "money", "percent": "percent", "date": "date", "datetime": "datetime",
    "duration": "duration", "period": "duration", "boolean": "boolean", "text": "text", "choice": "text",
}  # fmt: skip


@FIELD_TYPES.add
class Formula(Field):
    """A value computed from the record by `formula`; its type follows from the formula, or is given by `as`.

    `weighted: {type: formula, formula: amount * probability}` is the same as `{type: money, formula: amount * probability}`.
    """

    name = "formula"
    settings: ClassVar[dict[str, Setting]] = {
        "as": Setting("text", "The type of the result, when it shall not follow from the formula"),
        "decimals": Setting("integer", "Places after the point"),
        "unit": Setting("text", "Shown behind the number"),
        "currency": Setting("text", "ISO 4217 code of a result in money"),
    }
    examples = {"1,234.5": 1234.5}
    refuses = {"abc": "'abc' is not a number."}
    example_spec: ClassVar[dict[str, Any]] = {"formula": "1"}

    @property
    def inner(self) -> Field:
        """The field that keeps and shows the result."""
        expression = self.formula if self.formula is not None else self.rollup
        named = self.spec.get("as")
        wanted = named if isinstance(named, str) and named else TYPE_OF.get(getattr(expression, "kind", ""), "number")
        made = self.__dict__.get("_inner")
        if made is None or made.name != wanted:
            spec = {key: value for key, value in self.spec.items() if key not in ("type", "as", "formula", "rollup")}
            made = FIELD_TYPES[wanted if wanted in FIELD_TYPES and wanted not in ("formula", "rollup") else "number"](
                self.key, spec, self.entity
            )
            if "_schema" in self.__dict__:
                made.bind(self.__dict__["_schema"])
            self.__dict__["_inner"] = made
        return made

    def bind(self, schema: Any) -> None:
        self.__dict__["_schema"] = schema
        self.inner.bind(schema)

    @property
    def kind(self) -> str:
        return str(self.inner.kind)

    @property
    def align(self) -> str:  # type: ignore[override]
        return self.inner.align

    @property
    def operators(self) -> tuple[str, ...]:  # type: ignore[override]
        return self.inner.operators

    @property
    def sortable(self) -> bool:  # type: ignore[override]
        return self.inner.sortable

    def read(self, typed: Any, t: Words) -> Any:
        return self.inner.read(typed, t)

    def check(self, value: Any, t: Words) -> None:
        self.inner.check(value, t)

    def to_json(self, value: Any) -> Any:
        return self.inner.to_json(value)

    def from_json(self, stored: Any) -> Any:
        return self.inner.from_json(stored)

    def nearest(self, value: Any) -> tuple[Any, int]:
        return self.inner.nearest(value)

    def to_text(self, value: Any) -> str:
        return self.inner.to_text(value)

    def from_text(self, text: Any, t: Words | None = None) -> Any:
        return self.inner.from_text(text, t)

    def display(self, value: Any, ctx: Shown = PLAIN) -> str:
        return self.inner.display(value, ctx)

    def cell(self, value: Any, ctx: Shown = PLAIN) -> Any:
        return self.inner.cell(value, ctx)

    def typed(self, value: Any, ctx: Shown = PLAIN) -> Any:
        return self.inner.typed(value, ctx)

    def parameter(self) -> param.Parameter:
        return self.inner.parameter()

    def condition(self, op: str, typed: Any = None, t: Words | None = None) -> QueryInstance:
        return self.inner.condition(op, typed, t)

    def operand_editor(self, op: str, ctx: Shown = PLAIN) -> dict[str, Any] | None:
        return self.inner.operand_editor(op, ctx)

    def sort_key(self, value: Any) -> Any:
        return self.inner.sort_key(value)
