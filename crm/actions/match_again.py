"""Letting links find their records anew, for many at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm.actions.base import ACTIONS, Action, Told
from crm.records import ruled
from crm.schema.model import Entity, Schema


@ACTIONS.add
class MatchAgain(Action):
    """What a link finds by itself (a territory by the address) is found anew, after the rules over there have changed; what somebody
    chose by hand stays."""

    name, label, icon = "match_again", "Assign by the rules again", "sync"
    words = ("Assign by the rules again",)

    def applies(self, entity: Entity, schema: Schema) -> bool:
        return any(one.match for one in entity.fields.values())

    def run(self, door: Any, entity: str, ids: Sequence[int], values: Mapping[str, Any]) -> int:
        with door.step("Assigned anew", later=True) as step:
            changed = sum(ruled.again(door, entity, key, ids) for key, one in door.schema.entities[entity].fields.items() if one.match)
            say = door.words("{n} assigned anew, {rest} stay as they are", n=changed, rest=len(ids) - changed)
        return Told(step.id, say)
