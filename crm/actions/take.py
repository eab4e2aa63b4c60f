"""Taking records from the pool (B2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm.actions.base import ACTIONS, Action, Told
from crm.records import assignment
from crm.schema.model import Entity, Schema


@ACTIONS.add
class Take(Action):
    """Records of the pool become one's own, as many as one may hold."""

    name, label, icon = "take", "Take it", "how_to_reg"
    places = ("head", "row", "list")
    words = ("Take it",)

    def applies(self, entity: Entity, schema: Schema) -> bool:
        return any(one.entity == entity.name for one in schema.assignments.values())

    def offered(self, door: Any, entity: str) -> bool:
        """To those who work on them: the people of the assignment."""
        if not super().offered(door, entity) or door.actor.id is None:
            return False
        one = assignment.needed(door.company, entity)
        return one.owner in door.sight(entity).plan.writable and door.actor.id in assignment.people(door.company, one.among)

    def fits(self, door: Any, entity: str, record: Any) -> bool:
        one = assignment.needed(door.company, entity)
        return bool(one.pool.holds(door.company.env(entity, record.id, record._doc, door.actor)))

    def run(self, door: Any, entity: str, ids: Sequence[int], values: Mapping[str, Any]) -> int:
        done = assignment.take(door, entity, ids)
        if len(ids) == 1:
            return Told(done.step, door.words("{title} is yours now", title=door.get(entity, ids[0]).title))
        return Told(done.step, done.say(door.words))
