"""What every action does. A whole one, in its own file:

    @ACTIONS.add
    class Archive(Action):
        \"\"\"Put records out of the way.\"\"\"

        name, label, icon = "archive", "Archive", "inventory_2"
        words = ("Archive",)

        def applies(self, entity, schema):
            return "archived" in entity.fields

        def run(self, door, entity, ids, values):
            with door.step("Archive") as step:
                for one in ids:
                    door.change(entity, one, {"archived": True})
                return step.id

An action goes through the door like everything else, so it can do nothing its user could not do by hand; it is one step and can
be undone as one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from crm.errors import Refused
from crm.registry import Registry
from crm.schema.model import Entity, Schema

ACTIONS = Registry("crm.actions")


@dataclass
class Asked:
    """Something an action asks for: `key` in its values, a label and an editor as `Field.editor` describes one."""

    key: str
    label: str
    editor: dict[str, Any] = field(default_factory=dict)
    required: bool = False
    begins: bool = False  # a new part of what is asked begins here


class Told(int):
    """The step of an action that has more to tell than that it is done: `say` in the user's words, `open` a record to go to."""

    say: str
    open: tuple[str, int] | None

    def __new__(cls, step: int, say: str, open: tuple[str, int] | None = None) -> Told:
        made = super().__new__(cls, step)
        made.say, made.open = say, open
        return made


class Action:
    """One thing users do. `label` is English and translated; `many` says whether it works on several records at once;
    `needs` is the right over the entity without which it is not offered; `places` are where it stands: the menus of a `record` and
    of several in a `list`, the `head` of a record, the `row` of a list and the card of a board; none for what the screens have a place of
    its own for. One that `watches` asks again (`asks`) when an answer changes."""

    name: ClassVar[str] = ""
    label: ClassVar[str] = ""
    icon: ClassVar[str] = "bolt"
    words: ClassVar[tuple[str, ...]] = ()
    many: ClassVar[bool] = True
    needs: ClassVar[str] = "change"
    watches: ClassVar[bool] = False
    places: ClassVar[tuple[str, ...]] = ("record", "list")

    def applies(self, entity: Entity, schema: Schema) -> bool:
        """Whether it makes sense for records of this entity."""
        raise NotImplementedError

    def offered(self, door: Any, entity: str) -> bool:
        """Whether this user is offered it."""
        one = door.schema.entities.get(entity)
        return one is not None and self.applies(one, door.schema) and door.may(self.needs, entity)

    def fits(self, door: Any, entity: str, record: Any) -> bool:
        """Whether it is offered on this very record."""
        return True

    def fields(self, door: Any, entity: str, ids: Sequence[int] = ()) -> list[Asked]:
        """What it asks before it runs; nothing by default."""
        return []

    def asks(self, door: Any, entity: str, ids: Sequence[int], values: Mapping[str, Any]) -> list[Asked]:
        """What it asks once some of it is answered, where that depends on the answers (`watches`)."""
        return self.fields(door, entity, ids)

    def title(self, door: Any, entity: str, ids: Sequence[int]) -> str:
        """What stands above what it asks."""
        return self.label_in(door.words)

    def run(self, door: Any, entity: str, ids: Sequence[int], values: Mapping[str, Any]) -> int:
        """Do it; the step comes back. Raises what the door raises (`RecordError` with the keys of `fields`)."""
        raise NotImplementedError

    def label_in(self, t: Any = None) -> str:
        return t(self.label) if t is not None else self.label


def actions_for(door: Any, entity: str, many: bool = False) -> list[Action]:
    """The actions this user is offered on records of an entity (`many`: on several at once), by name."""
    return [made for cls in ACTIONS.values() if (made := cls()).offered(door, entity) and (made.many or not many)]


def activity_links(schema: Schema, entity: str) -> list[str]:
    """The fields of the activity entity that lead to records of `entity`."""
    roles = schema.activities
    if roles is None:
        return []
    return [key for key, one in schema.entities[roles.entity].fields.items() if one.name == "link" and one.to == entity]


def about(door: Any, entity: str, id: int) -> dict[str, int]:
    """The links an activity about this record begins with: the record, and what the record itself is linked to in the same way
    (an activity about a deal is one with its customer, too)."""
    schema = door.schema
    roles = schema.activities
    if roles is None:
        return {}
    target = schema.entities[roles.entity]
    record = door.get(entity, id)
    found: dict[str, int] = {}
    if entity == roles.entity:  # what follows an activity is about the same
        for key, one in target.fields.items():
            if one.name == "link" and one.to != entity and record.get(key) is not None:
                found[key] = record[key]
        return found
    for key in activity_links(schema, entity)[:1]:
        found[key] = id
    for key, one in target.fields.items():
        if one.name != "link" or key in found or one.to == entity:
            continue
        near = next((k for k, f in schema.entities[entity].fields.items() if f.name == "link" and f.to == one.to and k == key), None)
        links = [(k, f) for k, f in schema.entities[entity].own_fields.items() if f.name == "link" and f.to == one.to]
        near = near or next((k for k, f in links if f.required is True), None) or next((k for k, _ in links), None)
        if near and record.get(near) is not None and door.title(one.to, record[near]) is not None:
            found[key] = record[near]
    writable = door.writable(roles.entity)
    return {key: value for key, value in found.items() if key in writable}


def needed(values: Mapping[str, Any], key: str) -> Any:
    """A value that must be there."""
    from crm.errors import RecordError

    value = values.get(key)
    if value in (None, "", []):
        raise RecordError({key: Refused("This is needed.")})
    return value
