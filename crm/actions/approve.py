"""Granting what somebody asked approval for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm.actions.base import ACTIONS, Action, Asked
from crm.records import approvals
from crm.schema.model import Entity, Schema


@ACTIONS.add
class Approve(Action):
    """Grant a request for approval: for the roles its rule names, as far as their word reaches, and whom they handed it to."""

    name, label, icon = "approve", "Grant", "check"
    words = ("Grant", "In a word (need not be)", "Granted on {title}")
    needs = "see"
    places = ("record", "list")

    def applies(self, entity: Entity, schema: Schema) -> bool:
        return schema.approvals is not None and schema.approvals.entity == entity.name

    def fits(self, door: Any, entity: str, record: Any) -> bool:
        return deciding(door, record)

    def fields(self, door: Any, entity: str, ids: Sequence[int] = ()) -> list[Asked]:
        return [Asked("reason", door.words("In a word (need not be)"), {"type": "textarea", "value": None})]

    def run(self, door: Any, entity: str, ids: Sequence[int], values: Mapping[str, Any]) -> int:
        with door.step("Granted") as step:
            for one in ids:
                approvals.decide(door, one, True, str(values.get("reason") or ""))
            return int(step.id)


def deciding(door: Any, record: Any) -> bool:
    """Whether a request still waits, and for this user."""
    roles = door.schema.approvals
    return record[roles.status] == roles.states["pending"] and approvals.may_not_decide(door, record._doc) is None
