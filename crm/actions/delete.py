"""Deleting, softly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm.actions.base import ACTIONS, Action
from crm.schema.model import Entity, Schema


@ACTIONS.add
class Delete(Action):
    """Put records among the deleted ones, from where they can be restored. All or none."""

    name, label, icon = "delete", "Delete", "delete"
    places = ()
    words = ("Delete",)
    needs = "delete"

    def applies(self, entity: Entity, schema: Schema) -> bool:
        return True

    def run(self, door: Any, entity: str, ids: Sequence[int], values: Mapping[str, Any]) -> int:
        with door.step("Deleted") as step:
            for one in ids:
                door.delete(entity, one)
            return step.id
