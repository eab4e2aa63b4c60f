"""Ticking off what was planned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm.actions.base import ACTIONS, Action, Asked
from crm.schema.model import Entity, Schema


@ACTIONS.add
class MarkDone(Action):
    """Mark activities as done, now, with a result if there is one to tell."""

    name, label, icon = "mark_done", "Done", "check_circle"
    words = ("Done",)

    def applies(self, entity: Entity, schema: Schema) -> bool:
        return schema.activities is not None and schema.activities.entity == entity.name

    def fields(self, door: Any, entity: str, ids: Sequence[int] = ()) -> list[Asked]:
        roles = door.schema.activities
        one = door.schema.entities[entity]
        keys = [key for key in (roles.result, roles.text) if key and key in door.writable(entity)]
        return [Asked(key, one.fields[key].label_in(door.words), one.fields[key].editor(None, door.shown)) for key in keys]

    def run(self, door: Any, entity: str, ids: Sequence[int], values: Mapping[str, Any]) -> int:
        done = door.schema.activities.done
        given = {key: value for key, value in values.items() if value not in (None, "")}
        with door.step("Done") as step:
            for one in ids:
                record = door.get(entity, one)
                if record[done] is None:
                    door.change(entity, one, {**given, done: door.company.moment(door.schema.entities[entity].fields[done])})
            return step.id
