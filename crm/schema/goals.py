"""Builds the roles of the goals: which entity says what somebody wants to reach, and which of its fields is what; and what reports want
with them (`compare: goal`)."""

from __future__ import annotations

from crm.schema.building import Building
from crm.schema.company import entity_of, role
from crm.schema.faults import known
from crm.schema.model import Axis, Entity, GoalRoles, Report, Schema
from crm.schema.reading import entries, scalar, submap, texts
from crm.yamlfile import Map, Scalar

#: Field types that fit a role of the goals.
FITTING = {
    "target": ("number", "integer", "money"),
    "from": ("date",),
    "to": ("date",),
    "owner": ("user",),
    "team": ("team",),
    "measure": ("choice",),
}


def company(b: Building) -> None:
    """`goals:` of crm.yaml."""
    node = submap(b.tree.files.get("crm.yaml"), "goals")
    if not node or (entity := entity_of(b, node)) is None:
        return
    found = {word: _role(b, node, entity, word) for word in FITTING}
    where = b.expression(scalar(node, "where"), entity.scope, "boolean")
    if found["target"] and found["from"] and found["to"]:
        of = [key for said in texts(node, "of") if (key := _linked(b, said, entity)) is not None]
        b.schema.goals = GoalRoles(
            entity.name, found["target"], found["from"], found["to"], found["owner"], found["team"], where, found["measure"], of
        )


def _linked(b: Building, said: Scalar, entity: Entity) -> str | None:
    key = b.field(said, entity, "E811")
    if key is not None and entity.fields[key].name != "link":
        message = f"'{key}' is of type {entity.fields[key].name}, so a goal is not for what it leads to."
        b.faults.add("E815", said, message, "Name link fields of the goals, such as one to a territory.")
        return None
    return key


def _role(b: Building, node: Map, entity: Entity, word: str) -> str | None:
    found = role(b, node, entity, word, None)
    if found is not None and entity.fields[found].name not in FITTING[word]:
        kinds = " or ".join(FITTING[word])
        at = scalar(node, word)
        assert at is not None
        said = f"'{word}' of the goals must be a field of type {kinds}, and '{found}' is of type {entity.fields[found].name}."
        fields = [key for key, one in entity.fields.items() if one.name in FITTING[word] and not one.system]
        b.faults.add("E815", at, said, f"Name one of: {', '.join(fields) or '(none yet)'}.")
        return None
    return found


# --- reports


def knows(schema: Schema, report: Report, axis: Axis) -> str | None:
    """What an axis is for the goals: `time`, `person`, `team`, or the key of the link that says what a goal is for; None for others."""
    roles = schema.goals
    if roles is None or axis.first or axis.classes:
        return None
    if axis.unit:
        return "time" if axis.field == report.period else None
    entity: str | None = report.entity
    one = None
    for part in axis.field.split("."):
        one = schema.entities[entity].fields.get(part) if entity in schema.entities else None
        entity = getattr(one, "to", None)
        if one is None or getattr(one, "many", False) or one.name in ("links", "lines"):
            return None
    if entity is None:
        return None
    if schema.users is not None and entity == schema.users.entity and roles.owner:
        return "person"
    if schema.teams is not None and entity == schema.teams.entity and roles.team:
        return "team"
    return next((key for key in roles.of if schema.entities[roles.entity].fields[key].to == entity), None)


def compared(b: Building, one: Report, node: Map) -> None:
    """`compare: goal` of a report: which measure has which goals, and whether goals know its axes."""
    said = scalar(node, "goals")
    where = node.values.get("goals")
    if one.compare != "goal":
        if where is not None:
            b.faults.add("E550", where, "nothing here is compared with goals.", "Add `compare: goal`.")
        return
    at = node.values["compare"]
    roles = b.schema.goals
    if roles is None:
        if "goals" not in b.gone:
            b.faults.add(
                "E550", at, "this configuration has no goals.", "Say in crm.yaml which entity holds them: `goals: {entity: goal, …}`."
            )
        return
    summed = [key for key, each in one.measures.items() if each.how in ("sum", "count", "distinct")]
    options = b.schema.entities[roles.entity].fields[roles.measure].spec.get("options") or {} if roles.measure else {}
    if said is not None:
        b.faults.add("E550", said, "this must say which measure has which goals.", "Write for example `goals: {revenue: revenue}`.")
        return
    for key, value in entries(submap(node, "goals")):
        if b.reference(key, summed, "measure of this report that adds up", "E550") is None or not isinstance(value, Scalar):
            continue
        if b.reference(value, list(options), f"option of '{roles.measure}'", "E550") is not None:
            one.goals[key.text] = value.text
    if where is None and summed:
        one.goals[summed[0]] = None
    if where is None and not summed:
        b.faults.add("E550", at, "no measure here adds up, so none can be set beside a goal.", "Take a count or a sum.")
    unknown = [axis for axis in one.by if knows(b.schema, one, axis) is None]
    if one.stays is not None:
        b.faults.add("E550", at, "stays in stages have no goals.", "Compare a report of records.")
    elif unknown:
        axes = ["people", *(["teams"] if roles.team else []), *roles.of, "pieces of the time they are for"]
        message = f"goals know nothing of '{unknown[0].key}'."
        b.faults.add("E551", at, message, f"Cut the report by {known(axes)}.")
    elif one.period is None or not (one.span or any(axis.unit for axis in one.by)):
        message = "nothing says for which time the goals are."
        b.faults.add("E551", at, message, "Add `period:` with a date field and `span: year`, or cut the report by time.")
