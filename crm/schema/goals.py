"""Builds the roles of the goals: which entity says what somebody wants to reach, and which of its fields is what."""

from __future__ import annotations

from crm.schema.building import Building
from crm.schema.company import entity_of, role
from crm.schema.model import Entity, GoalRoles
from crm.schema.reading import scalar, submap

#: Field types that fit a role of the goals.
FITTING = {
    "target": ("number", "integer", "money"),
    "from": ("date",),
    "to": ("date",),
    "owner": ("user",),
    "team": ("team",),
}


def company(b: Building) -> None:
    """`goals:` of crm.yaml."""
    node = submap(b.tree.files.get("crm.yaml"), "goals")
    if not node or (entity := entity_of(b, node)) is None:
        return
    found = {word: _role(b, node, entity, word) for word in FITTING}
    where = b.expression(scalar(node, "where"), entity.scope, "boolean")
    if found["target"] and found["from"] and found["to"]:
        b.schema.goals = GoalRoles(entity.name, found["target"], found["from"], found["to"], found["owner"], found["team"], where)


def _role(b: Building, node: object, entity: Entity, word: str) -> str | None:
    found = role(b, node, entity, word, None)  # type: ignore[arg-type]
    if found is not None and entity.fields[found].name not in FITTING[word]:
        kinds = " or ".join(FITTING[word])
        at = scalar(node, word)  # type: ignore[arg-type]
        assert at is not None
        said = f"'{word}' of the goals must be a field of type {kinds}, and '{found}' is of type {entity.fields[found].name}."
        fields = [key for key, one in entity.fields.items() if one.name in FITTING[word] and not one.system]
        b.faults.add("E815", at, said, f"Name one of: {', '.join(fields) or '(none yet)'}.")
        return None
    return found
