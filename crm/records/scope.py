"""What a user may name when they write a condition: the fields they may read, here and behind links."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crm.errors import Refused
from crm.expressions import ExpressionError, Name
from crm.expressions import parse as parse_expression

if TYPE_CHECKING:
    from crm.records.reading import Base

#: Parsed filters kept per user's view of the configuration.
KEPT = 500


class SeenScope:
    """An entity's scope without what one user may not see; hidden names do not exist, not even as a suggestion."""

    def __init__(self, scope: Any, entity: str, door: Base) -> None:
        self.inner, self.entity, self.door = scope, entity, door
        self.parsed: dict[str, Any] = {}

    def names(self) -> list[str]:
        return [name for name in self.inner.names() if self._open(name)]

    def _open(self, name: str) -> bool:
        one = self.door.company.schema.entities[self.entity]
        plan = self.door.sight(self.entity).plan
        if name in one.fields:
            return name in plan.readable
        if name in one.back:
            child, key = one.back[name]
            return self.door.sight(child).may("see") and key in self.door.sight(child).plan.readable
        return True

    def resolve(self, name: str) -> Name | None:
        if not self._open(name):
            return None
        found = self.inner.resolve(name)
        if found is None:
            return None
        to = self._leads_to(name)
        if to is None:
            return found
        if not self.door.sight(to).may("see"):
            return found._replace(scope=None) if hasattr(found, "_replace") else Name(found.kind, found.field, None)
        return Name(found.kind, found.field, self.door.scope(to))

    def _leads_to(self, name: str) -> str | None:
        one = self.door.company.schema.entities[self.entity]
        if name in one.fields:
            to = one.fields[name].to
            return to if to in self.door.company.schema.entities else None
        return one.back[name][0] if name in one.back else None


def parse(door: Base, entity: str, text: str) -> Any:
    """A condition as one user may write it. `Refused` with the reason where it cannot be read or names what they may not see."""
    scope = door.scope(entity)
    found = scope.parsed.get(text)
    if found is None:
        try:
            found = parse_expression(text, scope, expects="boolean")
        except ExpressionError as error:
            raise Refused("{problem}", problem=str(getattr(error, "message", error))) from error
        if len(scope.parsed) >= KEPT:
            scope.parsed.clear()
        scope.parsed[text] = found
    return found
