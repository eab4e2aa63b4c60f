"""Moving records along their pipeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm.actions.base import ACTIONS, Action, Asked, needed
from crm.schema.model import Entity, Schema


@ACTIONS.add
class MoveStage(Action):
    """Take records to another stage; the gates of that stage hold for each of them, and what they want may be given along."""

    name, label, icon = "move_stage", "Move to…", "moving"
    places = ()
    words = ("Move to…", "Stage")

    def applies(self, entity: Entity, schema: Schema) -> bool:
        return entity.stage_field is not None and bool(entity.pipelines)

    def fields(self, door: Any, entity: str, ids: Sequence[int] = ()) -> list[Asked]:
        schema = door.schema
        pipelines = {schema.pipeline_of(entity, door.get(entity, one)).name for one in ids} or set(schema.entities[entity].pipelines[:1])
        options: dict[str, str] = {}
        for name in sorted(pipelines):
            for key, stage in schema.pipelines[name].stages.items():
                options.setdefault(key, stage.label_in(door.words))
        editor = {"type": "select", "value": None, "options": [[key, label] for key, label in options.items()]}
        return [Asked("stage", door.words("Stage"), editor, required=True)]

    def run(self, door: Any, entity: str, ids: Sequence[int], values: Mapping[str, Any]) -> int:
        stage = needed(values, "stage")
        given = {key: value for key, value in values.items() if key != "stage"}
        with door.step("Moved") as step:
            for one in ids:
                door.move(entity, one, stage, given)
            return step.id
