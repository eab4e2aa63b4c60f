"""Giving records to somebody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm.actions.base import ACTIONS, Action, Asked, needed
from crm.schema.model import Entity, Schema


@ACTIONS.add
class Assign(Action):
    """Make somebody else the owner. Whoever may change a record may give it away."""

    name, label, icon = "assign", "Assign", "person_add"
    places = ("record",)
    words = ("Assign", "To whom")

    def applies(self, entity: Entity, schema: Schema) -> bool:
        return entity.owner is not None

    def offered(self, door: Any, entity: str) -> bool:
        return super().offered(door, entity) and door.schema.entities[entity].owner in door.sight(entity).plan.writable

    def fields(self, door: Any, entity: str, ids: Sequence[int] = ()) -> list[Asked]:
        one = door.schema.entities[entity]
        owner = one.fields[one.owner]
        return [Asked("owner", door.words("To whom"), owner.editor(None, door.shown), required=True)]

    def run(self, door: Any, entity: str, ids: Sequence[int], values: Mapping[str, Any]) -> int:
        owner = door.schema.entities[entity].owner
        return door.bulk(entity, ids, {owner: needed(values, "owner")})
