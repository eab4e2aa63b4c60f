"""What an expression over an entity's records may name: its fields, the fields of what they link to, its lists of linked records."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from crm.expressions import Name, Scope

if TYPE_CHECKING:
    from crm.schema.model import Entity


#: The list of a record and all that lie below it.
TREE = "tree"


class FixedScope:
    """A handful of names of known kinds: the measures of a report."""

    def __init__(self, kinds: dict[str, str]) -> None:
        self.kinds = kinds

    def names(self) -> list[str]:
        return list(self.kinds)

    def resolve(self, name: str) -> Any:
        kind = self.kinds.get(name)
        return Name(kind) if kind is not None else None


#: What a stay of a record in a stage knows, beside the record's own fields.
STAY = {
    "stage": "choice",
    "next": "choice",
    "since": "datetime",
    "until": "datetime",
    "days": "number",
    "first": "boolean",
    "ended": "boolean",
    "forward": "boolean",
}


class StayScope:
    """The names of an entity with those of a stay."""

    def __init__(self, scope: Any) -> None:
        self.scope = scope

    def __getattr__(self, name: str) -> Any:
        return getattr(self.scope, name)

    def names(self) -> list[str]:
        return [*self.scope.names(), "stay"]

    def resolve(self, name: str) -> Any:
        return Name("link", None, FixedScope(STAY)) if name == "stay" else self.scope.resolve(name)


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

    @property
    def tree(self) -> str | None:  # type: ignore[override]
        """The link to the record above, where these records lie below each other."""
        return self.entity.tree.by if self.entity.tree is not None else None

    @property
    def named(self) -> str | None:  # type: ignore[override]
        """The one field a record is called by."""
        return called_by(self.entity)

    def other(self, name: str) -> Any:
        schema = self.entity.schema
        found = schema.entities.get(name) if schema is not None else None
        return found.scope if found is not None else None

    def resolve(self, name: str) -> Any:
        if self.ready is not None:
            self.ready(self.entity, name)
        if name == TREE and self.entity.tree is not None:
            return Name("list", None, lambda: self, True, "tree", self.entity.name, self.entity.tree.by)
        return super().resolve(name)


def called_by(entity: Entity) -> str | None:
    """The field a record is called by, when its title is just that."""
    found = re.fullmatch(r"\{(\w+)\}", entity.title or "{name}")
    return found[1] if found is not None and found[1] in entity.fields else None


def kind_of(field: Any) -> str:
    """The kind an expression treats a field as."""
    kind = field.kind
    return kind if isinstance(kind, str) else "text"
