"""Converting a record into others (B3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm.actions.base import ACTIONS, Action, Asked, Told
from crm.errors import RecordError
from crm.records import conversion
from crm.schema.model import Entity, Schema


@ACTIONS.add
class Convert(Action):
    """Shows what a record becomes: for each part the records found that may be the same, or a new one with its fields filled; then does
    it in one step. Values: `{part}` an id, `new` or `none`, `{part}.{field}` what was changed."""

    name, label, icon = "convert", "Convert", "trending_flat"
    places = ("head", "row")
    words = ("Convert",)
    many = False
    watches = True

    def applies(self, entity: Entity, schema: Schema) -> bool:
        return any(one.entity == entity.name for one in schema.conversions.values())

    def offered(self, door: Any, entity: str) -> bool:
        if not super().offered(door, entity):
            return False
        one = conversion.of(door, entity)
        return one is not None and all(door.may("create", target.entity) or target.optional for target in one.into.values())

    def fits(self, door: Any, entity: str, record: Any) -> bool:
        one = conversion.of(door, entity)
        return one is not None and conversion.possible(door, one, record) is None

    def title(self, door: Any, entity: str, ids: Sequence[int]) -> str:
        return door.words("Convert {title}", title=door.get(entity, ids[0]).title)

    def fields(self, door: Any, entity: str, ids: Sequence[int] = ()) -> list[Asked]:
        return self.asks(door, entity, ids, {}) if ids else []

    def asks(self, door: Any, entity: str, ids: Sequence[int], values: Mapping[str, Any]) -> list[Asked]:
        t = door.words
        found: list[Asked] = []
        for part in conversion.plan(door, entity, ids[0]).parts:
            target = part.target
            label = target.label_in(t)
            options = [[one.id, f"{one.title} ({one.why})"] for one in part.found]
            if part.may_create:
                options.append([conversion.NEW, t("New: {what}", what=label)])
            if target.optional:
                options.append([conversion.NONE, t("None")])
            chosen = values.get(target.name, part.chosen)
            found.append(Asked(target.name, label, {"type": "select", "value": chosen, "options": options}, begins=bool(found)))
            if str(chosen) != conversion.NEW:
                continue
            fields = door.schema.entities[target.entity].fields
            for key in part.ask:
                editor = fields[key].editor(part.values.get(key), door.shown)
                if f"{target.name}.{key}" in values:
                    editor = {**editor, "value": values[f"{target.name}.{key}"]}
                found.append(Asked(f"{target.name}.{key}", fields[key].label_in(t), editor, required=fields[key].required is True))
        return found

    def run(self, door: Any, entity: str, ids: Sequence[int], values: Mapping[str, Any]) -> int:
        choices = {key: value for key, value in values.items() if "." not in key}
        typed: dict[str, dict[str, Any]] = {}
        for key, value in values.items():
            name, dot, field = key.partition(".")
            if dot:
                typed.setdefault(name, {})[field] = value
        title = door.get(entity, ids[0]).title
        try:
            done = conversion.convert(door, entity, ids[0], choices, typed)
        except RecordError as error:
            asked = {one.key for one in self.asks(door, entity, ids, values)}
            raise RecordError({key if key in asked else key.partition(".")[0]: why for key, why in error.problems.items()}) from error
        first = next(iter(done.made.values()), None)
        return Told(done.step, door.words("{title} is converted", title=title), (first[0], first[1]) if first else None)
