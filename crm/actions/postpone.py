"""Putting off what is due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from crm.actions.base import ACTIONS, Action, Asked, needed
from crm.errors import RecordError, Refused
from crm.schema.model import Entity, Schema


def due_key(schema: Schema, entity: str) -> str | None:
    """The field that says when something is due: of an activity, or the next step of a record in a pipeline."""
    if schema.activities is not None and schema.activities.entity == entity:
        return schema.activities.due
    return schema.entities[entity].role("next")


@ACTIONS.add
class Postpone(Action):
    """Move the due date: `tomorrow`, `mon`, `+2w` or a date. A time of day stays as it was."""

    name, label, icon = "postpone", "Postpone", "update"
    words = ("Postpone", "To when")

    def applies(self, entity: Entity, schema: Schema) -> bool:
        return due_key(schema, entity.name) is not None

    def fields(self, door: Any, entity: str, ids: Sequence[int] = ()) -> list[Asked]:
        return [Asked("to", door.words("To when"), {"type": "date", "value": None, "placeholder": "+1w"}, required=True)]

    def run(self, door: Any, entity: str, ids: Sequence[int], values: Mapping[str, Any]) -> int:
        key = due_key(door.schema, entity)
        assert key is not None
        to = needed(values, "to")
        timed = door.schema.entities[entity].fields[key].kind == "datetime"
        try:
            day = to.date() if isinstance(to, datetime) else to if hasattr(to, "year") else door.words.parse_date(str(to))
        except ValueError as error:
            raise RecordError({"to": error if isinstance(error, Refused) else Refused("This cannot be read.")}) from error
        with door.step("Postponed") as step:
            for one in ids:
                moment: Any = day
                if timed:
                    before = door.get(entity, one)[key]
                    clock = door.words.local(before).timetz() if before is not None else None
                    moment = datetime.combine(day, clock) if clock is not None else door.words.midnight(day)
                door.change(entity, one, {key: moment})
            return step.id
