"""Builds the assignments: the pool, the limit of each person, the rules by which records are given out (B2)."""

from __future__ import annotations

from typing import Any

from crm.schema.building import Building
from crm.schema.faults import known
from crm.schema.model import Among, Assignment, AssignmentRule, Entity
from crm.schema.reading import entries, maybe, nodes, scalar, submap, text, texts, truth, whole
from crm.schema.shapes import NO, YES
from crm.yamlfile import Map, Node, Scalar


def build(b: Building) -> None:
    for name, node in b.things("assignments"):
        entity = b.entity(node, "E450")
        if entity is None:
            continue
        owner = owned(b, node, entity)
        pool = b.expression(scalar(node, "pool"), entity.scope, "boolean")
        if owner is None or pool is None:
            continue
        if other := next((one for one in b.schema.assignments.values() if (one.entity, one.owner) == (entity.name, owner)), None):
            message = f"'{owner}' of '{entity.name}' is given out by the assignment '{other.name}' already."
            b.faults.add("E459", scalar(node, "entity"), message, "Put both into one file.")
            continue
        one = Assignment(
            **b.head("assignments", name, node),
            entity=entity.name,
            owner=owner,
            pool=pool,
            counts=b.expression(scalar(node, "counts"), entity.scope, "boolean"),
            among=among(b, submap(node, "among")),
            best=best(b, node, entity),
        )
        cap(b, one, node.get("cap"))
        for below in nodes(node, "rules"):
            if isinstance(below, Map) and (made := rule(b, below, entity)) is not None:
                one.rules.append(made)
        automatic = scalar(node, "automatic")
        if automatic is not None:
            plain = automatic.text.lower() in YES | NO
            one.automatic = truth(automatic.text) if plain else b.expression(automatic, entity.scope, "boolean") or False
            if one.automatic and not one.rules:
                message = "new records are to be given out at once, and no rule says to whom."
                b.faults.add("E456", automatic, message, "Add `rules:`, or remove `automatic`.")
        b.schema.assignments[name] = one


def owned(b: Building, node: Map, entity: Entity) -> str | None:
    """The user field that is given out."""
    said = scalar(node, "owner")
    if said is None:
        if entity.owner is None:
            message = f"'{entity.name}' has no owner, so nobody can be given its records."
            b.faults.add("E451", scalar(node, "entity") or node, message, f"Add `owner:` here or to '{entity.name}'.")
        return entity.owner
    key = b.field(said, entity, "E451")
    if key is not None and entity.fields[key].name != "user":
        fitting = [one for one, field in entity.fields.items() if field.name == "user" and not field.system]
        message = f"'{key}' is of type {entity.fields[key].name}, and records are given to users."
        b.faults.add("E451", said, message, f"Write one of: {known(fitting)}.")
        return None
    return key


def best(b: Building, node: Map, entity: Entity) -> list[str]:
    found = [said.text for said in texts(node, "best") if b.path(said, entity, text=said.text.lstrip("-")) is not None]
    if not found:
        score = next((one for one in b.schema.scores.values() if one.entity == entity.name), None)
        found = [f"-{score.field}"] if score is not None else [*entity.list.sort]
    return found


def cap(b: Building, one: Assignment, node: Node | None) -> None:
    if isinstance(node, Scalar) and node.text.isdigit():
        one.cap = int(node.text)
        return
    if not isinstance(node, Map):
        return
    one.cap = whole(node, "others")
    users = b.schema.users
    said = scalar(node, "field")
    if said is not None and users is not None:
        key = b.field(said, b.schema.entities[users.entity], "E455")
        if key is not None and b.schema.entities[users.entity].fields[key].name != "integer":
            b.faults.add("E455", said, f"'{key}' is no whole number, so it is no limit.", "Name a field of type integer.")
        else:
            one.cap_field = key
    for role, most in entries(submap(node, "roles")):
        name = b.reference(role, b.schema.roles, "role", "E455")
        if name is not None and isinstance(most, Scalar) and most.text.isdigit():
            one.cap_roles[name] = int(most.text)


def among(b: Building, node: Map) -> Among:
    roles = [name for said in texts(node, "roles") if (name := b.reference(said, b.schema.roles, "role", "E455"))]
    return Among(roles, [said.text for said in texts(node, "teams")])


def rule(b: Building, node: Map, entity: Entity) -> AssignmentRule | None:
    ways = [word for word in ("user", "from", "match") if word in node]
    if len(ways) > 1:
        at = node.keys[ways[1]]
        b.faults.add("E456", at, f"a rule gives records to one kind of people, and this has {' and '.join(ways)}.", "Make two rules of it.")
        return None
    if not ways and "by" not in node and "among" not in node:
        b.faults.add("E456", node, "this rule does not say to whom.", "Add one of `user`, `from`, `match`, `by`.")
        return None
    made = AssignmentRule(
        when=b.expression(scalar(node, "when"), entity.scope, "boolean"),
        user=maybe(node, "user"),
        by=text(node, "by") or "least_load",
        among=among(b, submap(node, "among")),
    )
    if made.when is None and "when" in node:
        return None
    said = scalar(node, "from")
    if said is not None and not leads(b, made, said, scalar(node, "up"), entity):
        return None
    users = b.schema.users
    person = b.schema.entities[users.entity] if users is not None else None
    for field, theirs in entries(submap(node, "match")):
        mine = b.field(field, entity, "E456")
        their = b.field(theirs, person, "E456") if isinstance(theirs, Scalar) and person is not None else None
        if mine is None or their is None:
            return None
        made.match[mine] = their
    return made


def leads(b: Building, made: AssignmentRule, said: Scalar, up: Scalar | None, entity: Entity) -> bool:
    """Whether a path leads to a user: `manager`, `territory.manager`."""
    found = b.path(said, entity, "E456")
    if found is None:
        return False
    link, _, rest = said.text.partition(".")
    if found[1].name != "user" or "." in rest:
        message = f"'{said.text}' leads to no user." if found[1].name != "user" else f"'{said.text}' goes over more than one link."
        b.faults.add("E456", said, message, "Write `link.field` where the field is a user, such as `territory.manager`.")
        return False
    made.link, made.manager = link, rest or None
    if up is not None:
        other: Any = b.schema.entities.get(entity.fields[link].to or "") if rest else None
        key = b.field(up, other, "E456") if other is not None else None
        if key is None:
            return False
        if other.fields[key].to != other.name:
            b.faults.add("E456", up, f"'{key}' does not lead from one '{other.name}' to another.", "Name the link to the one above.")
            return False
        made.up = key
    return True
