"""What an expression over an entity's records may name: its fields, the fields of what they link to, its lists of linked records."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from crm.expressions import Name, Scope

if TYPE_CHECKING:
    from crm.schema.model import Entity


class FixedScope:
    """A handful of names of known kinds: the measures of a report."""

    def __init__(self, kinds: dict[str, str]) -> None:
        self.kinds = kinds

    def names(self) -> list[str]:
        return list(self.kinds)

    def resolve(self, name: str) -> Any:
        kind = self.kinds.get(name)
        return Name(kind) if kind is not None else None


class EntityScope(Scope):
    """The names of one entity; links lead to the scopes of the entities at the other end.

    `ready(entity, key)` is called before a field is used while the schema is being built: the kind of a computed field may follow from
    its formula, which is then parsed first.
    """

    def __init__(self, entity: Entity) -> None:
        super().__init__(entity.fields, self.other)
        self.backs = entity.back  # filled while links are read
        self.entity = entity
        self.ready: Callable[[Entity, str], None] | None = None

    def other(self, name: str) -> Any:
        schema = self.entity.schema
        found = schema.entities.get(name) if schema is not None else None
        return found.scope if found is not None else None

    def resolve(self, name: str) -> Any:
        if self.ready is not None:
            self.ready(self.entity, name)
        return super().resolve(name)


def kind_of(field: Any) -> str:
    """The kind an expression treats a field as."""
    kind = field.kind
    return kind if isinstance(kind, str) else "text"
