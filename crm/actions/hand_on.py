"""Handing a request for approval to somebody else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm.actions.approve import deciding
from crm.actions.base import ACTIONS, Action, Asked, needed
from crm.records import approvals
from crm.schema.model import Entity, Schema


@ACTIONS.add
class HandOn(Action):
    """Let somebody else decide a request, for example while on holiday: whoever may decide it may hand it on."""

    name, label, icon = "hand_on", "Hand on", "person_add"
    words = ("Hand on", "To whom")
    needs = "see"
    places = ("record",)

    def applies(self, entity: Entity, schema: Schema) -> bool:
        return schema.approvals is not None and schema.approvals.entity == entity.name and schema.approvals.approver is not None

    def fits(self, door: Any, entity: str, record: Any) -> bool:
        return deciding(door, record)

    def fields(self, door: Any, entity: str, ids: Sequence[int] = ()) -> list[Asked]:
        roles = door.schema.approvals
        field = door.schema.entities[entity].fields[roles.approver]
        return [
            Asked(
                "to", door.words("To whom"), {**field.editor(None, door.shown), "type": "link", **field.edited(door.shown)}, required=True
            )
        ]

    def run(self, door: Any, entity: str, ids: Sequence[int], values: Mapping[str, Any]) -> int:
        to = int(needed(values, "to"))
        with door.step("Handed on") as step:
            for one in ids:
                approvals.delegate(door, one, to)
            return int(step.id)
