"""What an expression may name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from crm.expressions.nodes import Name


class Scope:
    """What an expression over an entity may name: its fields, and the lists of records that link to it.

    `fields` {key: field}; `child` gives the scope of another entity by its name; `back` {list name: (entity, key of the link there)}.
    Anything with the same two methods will do as a scope.
    """

    #: The link to the record above, where records lie below each other; the field a record is called by.
    tree: str | None = None
    named: str | None = None

    def __init__(
        self, fields: Mapping[str, Any], child: Callable[[str], Any] | None = None, back: Mapping[str, tuple[str, str]] | None = None
    ) -> None:
        self.fields, self.child, self.backs = fields, child, back or {}

    def names(self) -> Iterable[str]:
        """Every name, fields first."""
        return [*self.fields, *(name for name in self.backs if name not in self.fields)]

    def resolve(self, name: str) -> Name | None:
        """What a name is; None when there is no such name."""
        field = self.fields.get(name)
        if field is not None:
            return self.of_field(field)
        if name in self.backs:
            entity, via = self.backs[name]
            return Name("list", None, self._child(entity), True, "back", entity, via)
        return None

    def of_field(self, field: Any) -> Name:
        """What a field is in an expression."""
        to = getattr(field, "to", None)
        columns = getattr(field, "columns", None)
        if field.kind == "lines" and columns is not None:
            return Name("lines", field, Scope(columns, self.child), True, "lines")
        if to and getattr(field, "many", False):
            attributes = getattr(field, "attributes", None) or {}
            child = self._child(to)
            return Name("list", field, (lambda: _Both(attributes, child, self.child)) if attributes else child, True, "links", to)
        if to:
            return Name("link", field, self._child(to), False, "", to)
        return Name(field.kind, field)

    def _child(self, entity: str) -> Any:
        child = self.child
        return (lambda: child(entity)) if child is not None else None


class _Both:
    """The attributes of a `links` entry first, then the fields of the linked record."""

    def __init__(self, attributes: Mapping[str, Any], child: Any, more: Any) -> None:
        self.own, self.other = Scope(attributes, more), child() if callable(child) else child

    def names(self) -> Iterable[str]:
        return [*self.own.names(), *(self.other.names() if self.other else ())]

    def resolve(self, name: str) -> Name | None:
        return self.own.resolve(name) or (self.other.resolve(name) if self.other else None)
