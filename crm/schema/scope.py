"""What an expression over an entity's records may name: its fields, the fields of what they link to, its lists of linked records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crm.schema.model import Entity

#: What `stage.…` may say, from the pipeline's YAML.
STAGE_NAMES = {"outcome": "choice", "label": "text", "forecast": "choice", "probability": "percent", "open": "boolean", "days": "integer"}


class FixedScope:
    """A handful of names of known kinds: `stage.outcome`, the columns of `lines`, the parts of an address, the measures of a report."""

    def __init__(self, kinds: dict[str, str], fields: dict[str, Any] | None = None) -> None:
        self.kinds, self.fields = kinds, fields or {}

    def names(self) -> list[str]:
        return list(self.kinds)

    def resolve(self, name: str) -> Any:
        from crm.expressions import Name

        kind = self.kinds.get(name)
        return Name(kind, self.fields.get(name), None) if kind is not None else None


class EntityScope:
    """The names of one entity; links lead to the scopes of the entities at the other end."""

    def __init__(self, entity: Entity) -> None:
        self.entity = entity

    def names(self) -> list[str]:
        return [*self.entity.fields, *self.entity.back]

    def resolve(self, name: str) -> Any:
        from crm.expressions import Name

        field = self.entity.fields.get(name)
        if field is not None:
            return Name(kind_of(field), field, self.child(field))
        back = self.entity.back.get(name)
        if back is not None:
            schema = self.entity.schema
            other = schema.entities.get(back[0]) if schema is not None else None
            return Name("list", None, other.scope if other is not None else None)
        return None

    def child(self, field: Any) -> Any:
        """The names behind a field, None when there are none."""
        if field.key == self.entity.stage_field:
            return FixedScope(STAGE_NAMES)
        schema = self.entity.schema
        if field.to and schema is not None and field.to in schema.entities:
            return schema.entities[field.to].scope
        if columns := getattr(field, "columns", None):
            return FixedScope({key: kind_of(one) for key, one in columns.items()}, dict(columns))
        if parts := getattr(field, "parts", None):
            return FixedScope(dict(parts))
        return None


def kind_of(field: Any) -> str:
    """The kind an expression treats a field as."""
    kind = field.kind
    return kind if isinstance(kind, str) else "text"
