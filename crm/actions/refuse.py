"""Refusing what somebody asked approval for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm.actions.approve import deciding
from crm.actions.base import ACTIONS, Action, Asked, needed
from crm.records import approvals
from crm.schema.model import Entity, Schema


@ACTIONS.add
class Refuse(Action):
    """Refuse a request for approval, and say why."""

    name, label, icon = "refuse", "Refuse", "close"
    words = ("Refuse", "Why not")
    needs = "see"
    places = ("record", "list")

    def applies(self, entity: Entity, schema: Schema) -> bool:
        return schema.approvals is not None and schema.approvals.entity == entity.name

    def fits(self, door: Any, entity: str, record: Any) -> bool:
        return deciding(door, record)

    def fields(self, door: Any, entity: str, ids: Sequence[int] = ()) -> list[Asked]:
        return [Asked("reason", door.words("Why not"), {"type": "textarea", "value": None}, required=True)]

    def run(self, door: Any, entity: str, ids: Sequence[int], values: Mapping[str, Any]) -> int:
        why = str(needed(values, "reason"))
        with door.step("Refused") as step:
            for one in ids:
                approvals.decide(door, one, False, why)
            return int(step.id)
