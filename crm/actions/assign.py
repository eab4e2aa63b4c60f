"""Giving records to somebody (B2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm.actions.base import ACTIONS, Action, Asked, Told, needed
from crm.records import assignment
from crm.schema.model import Entity, Schema


@ACTIONS.add
class Assign(Action):
    """Make somebody else the owner. Whoever may change a record may give it away; where a limit is set, as many as they may hold."""

    name, label, icon = "assign", "Assign", "person_add"
    places = ("record",)
    words = ("Assign", "To whom")

    def applies(self, entity: Entity, schema: Schema) -> bool:
        return entity.owner is not None

    def offered(self, door: Any, entity: str) -> bool:
        return super().offered(door, entity) and door.schema.entities[entity].owner in door.sight(entity).plan.writable

    def title(self, door: Any, entity: str, ids: Sequence[int]) -> str:
        return door.words("Assign {n} to", n=len(ids)) if len(ids) > 1 else self.label_in(door.words)

    def fields(self, door: Any, entity: str, ids: Sequence[int] = ()) -> list[Asked]:
        one, given = door.schema.entities[entity], assignment.of(door.company, entity)
        if given is None:
            return [Asked("owner", door.words("To whom"), one.fields[one.owner].editor(None, door.shown), required=True)]
        options = [[load.user, said(load, door.words)] for load in assignment.loads(door.company, given)]
        return [Asked("owner", door.words("To whom"), {"type": "select", "value": None, "options": options}, required=True)]

    def run(self, door: Any, entity: str, ids: Sequence[int], values: Mapping[str, Any]) -> int:
        owner = door.schema.entities[entity].owner
        user = needed(values, "owner")
        if assignment.of(door.company, entity) is None:
            return int(door.bulk(entity, ids, {owner: user}))
        done = assignment.assign(door, entity, ids, int(user))
        return Told(done.step, done.say(door.words))


def said(load: assignment.Load, t: Any) -> str:
    """Somebody with what they hold: `Anna Lindqvist · 12 of 40`."""
    if load.cap is None:
        return f"{load.name} · {t.number(load.held)}"
    words = t("{held} of {cap}", held=t.number(load.held), cap=t.number(load.cap))
    return f"{load.name} · {words}" + (f" · {t('full')}" if load.full else "")
