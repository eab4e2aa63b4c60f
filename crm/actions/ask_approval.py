"""Asking for an approval before anything stands still."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm.actions.base import ACTIONS, Action, Asked, needed
from crm.errors import Refused
from crm.records import approvals
from crm.schema.model import Entity, Schema


@ACTIONS.add
class AskApproval(Action):
    """Ask for the approvals a record needs by its rules and does not have."""

    name, label, icon = "ask_approval", "Ask for approval", "how_to_reg"
    words = ("Ask for approval", "Why should it be granted?", "Nothing here needs an approval.")
    places = ("record",)

    def applies(self, entity: Entity, schema: Schema) -> bool:
        if schema.approvals is None or approvals.link_to(schema, entity.name) is None:
            return False
        return bool(entity.approvals) or any(schema.pipelines[name].approvals for name in entity.pipelines)

    def fits(self, door: Any, entity: str, record: Any) -> bool:
        return bool(needing(door, entity, record.id))

    def fields(self, door: Any, entity: str, ids: Sequence[int] = ()) -> list[Asked]:
        return [Asked("why", door.words("Why should it be granted?"), {"type": "textarea", "value": None}, required=True)]

    def run(self, door: Any, entity: str, ids: Sequence[int], values: Mapping[str, Any]) -> int:
        why = str(needed(values, "why"))
        with door.step("Asked for approval") as step:
            asked = [approvals.request(door, entity, one, why, key=key) for one in ids for key in needing(door, entity, one)]
            if not asked:
                raise Refused("Nothing here needs an approval.")
            return int(step.id)


def needing(door: Any, entity: str, id: int) -> list[str]:
    """The rules that hold for a record and that nobody has been asked about yet."""
    company, one = door.company, door.schema.entities[entity]
    door.get(entity, id)
    doc = company.doc(entity, id)
    env = company.env(entity, id, doc, door.actor)
    rules = [rule for rule in approvals.rules_of(door.schema, one, doc) if rule.when.holds(env)]
    return [rule.key for rule in rules if approvals.standing(company, one, id, rule, doc)[0] in ("none", "refused")]
