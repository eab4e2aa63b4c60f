"""Giving records to whom the rules say (B2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm.actions.base import ACTIONS, Action, Told
from crm.records import assignment
from crm.schema.model import Entity, Schema


@ACTIONS.add
class AssignByRules(Action):
    """Give each record to the first its rules find with room; what finds nobody stays where it is."""

    name, label, icon = "assign_by_rules", "Assign by rules", "route"
    words = ("Assign by rules",)

    def applies(self, entity: Entity, schema: Schema) -> bool:
        return any(one.entity == entity.name and one.rules for one in schema.assignments.values())

    def offered(self, door: Any, entity: str) -> bool:
        """To those who may give records to others: not to those who are given them."""
        if not super().offered(door, entity):
            return False
        one = assignment.needed(door.company, entity)
        return one.owner in door.sight(entity).plan.writable and door.actor.role not in one.among.roles

    def run(self, door: Any, entity: str, ids: Sequence[int], values: Mapping[str, Any]) -> int:
        done = assignment.assign(door, entity, ids)
        return Told(done.step, done.say(door.words))
