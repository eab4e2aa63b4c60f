"""Taking a conversion back (B3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm.actions.base import ACTIONS, Action, Told
from crm.records import conversion
from crm.schema.model import Entity, Schema


@ACTIONS.add
class Unconvert(Action):
    """What was made goes, the record is as it was before; what others have changed since stays and is told."""

    name, label, icon = "unconvert", "Take the conversion back", "undo"
    places = ("record",)
    words = ("Take the conversion back",)
    many = False

    def applies(self, entity: Entity, schema: Schema) -> bool:
        return any(one.entity == entity.name for one in schema.conversions.values())

    def fits(self, door: Any, entity: str, record: Any) -> bool:
        return any(
            one.entity == entity and any(record._doc.get(key) is not None for key in one.mark.links)
            for one in door.schema.conversions.values()
        )

    def run(self, door: Any, entity: str, ids: Sequence[int], values: Mapping[str, Any]) -> int:
        done = conversion.take_back(door, entity, ids[0])
        words = door.words("Taken back.")
        if done.conflicts:
            words = door.words("Taken back, except {n} that somebody has changed since.", n=len(done.conflicts))
        return Told(done.step or 0, words)
