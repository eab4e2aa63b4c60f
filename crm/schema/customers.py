"""Builds what an entity says of its place among others: its tree, relations with two ends, the buying centre, statements, classes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from crm.schema.building import Building
from crm.schema.faults import known
from crm.schema.model import Centre, ClassRule, Entity, Relation, Statement, Tree
from crm.schema.reading import entries, percent, readable, scalar, submap, text, texts
from crm.yamlfile import Map, Scalar

FIGURES = ("money", "number", "integer", "percent", "duration")


def trees(b: Building) -> None:
    """The trees, before any expression is read: `tree` and `within` need them."""
    for name, entity in b.schema.entities.items():
        node = b.nodes[f"entities.{name}"]
        said = node.get("tree")
        by = said if isinstance(said, Scalar) and not said.is_null else scalar(said, "by")
        if by is None:
            continue
        key = b.field(by, entity, "E484")
        if key is None:
            continue
        if entity.fields[key].name != "link" or entity.fields[key].to != name:
            fitting = [one.key for one in entity.own_fields.values() if one.name == "link" and one.to == name]
            message = f"a tree goes by a link to '{name}' itself, and '{key}' is none."
            b.faults.add("E484", by, message, f"Write one of: {known(fitting)}." if fitting else f"Add a link with `to: {name}`.")
            continue
        if "tree" in entity.fields or "tree" in entity.back:
            b.faults.add("E484", by, f"'{name}' has a field or list called 'tree' already.", "Give that one another name.")
            continue
        entity.tree = Tree(key)


def finish(b: Building) -> None:
    """What names fields: figures of a tree, both ends of a relation, people and their roles, statements."""
    for name, entity in b.schema.entities.items():
        node = b.nodes[f"entities.{name}"]
        if entity.tree is not None:
            entity.tree.figures = b.fields(texts(node.get("tree"), "figures"), entity)
        relation(b, entity, submap(node, "relation"))
        centre(b, entity, submap(node, "centre"))
        for key, value in entries(submap(node, "statements")):
            statement(b, entity, key, value)


def relation(b: Building, entity: Entity, node: Map) -> None:
    found: dict[str, str] = {}
    for word in ("one", "other", "word"):
        said = scalar(node, word)
        key = b.field(said, entity, "E488") if said is not None else None
        if said is None or key is None:
            continue
        field = entity.fields[key]
        wanted = "choice" if word == "word" else "link"
        if field.name != wanted:
            fitting = [one.key for one in entity.own_fields.values() if one.name == wanted]
            b.faults.add("E488", said, f"`{word}` must be a {wanted}, and '{key}' is of type {field.name}.", f"Write one of: {known(fitting)}.")
            continue
        found[word] = key
    if len(found) == 3:
        ends = [entity.fields[found[word]] for word in ("one", "other")]
        if ends[0].to != ends[1].to or found["one"] == found["other"]:
            at = node.values["other"]
            message = f"both ends must be different links to one entity; '{found['one']}' leads to {ends[0].to}, '{found['other']}' to {ends[1].to}."
            b.faults.add("E488", at, message, "Name two links to the same entity.")
            return
        entity.relation = Relation(found["one"], found["other"], found["word"])


def centre(b: Building, entity: Entity, node: Map) -> None:
    people = scalar(node, "people")
    key = b.field(people, entity, "E489") if people is not None else None
    if people is None or key is None:
        return
    field = entity.fields[key]
    if field.name != "links":
        fitting = [one.key for one in entity.own_fields.values() if one.name == "links"]
        message = f"`people` must be a field of type links, and '{key}' is of type {field.name}."
        b.faults.add("E489", people, message, f"Write one of: {known(fitting)}." if fitting else "Add a field of type links to people.")
        return
    role = scalar(node, "role")
    columns: dict[str, Any] = field.attributes
    name = b.reference(role, columns, f"column of '{key}'", "E489") if role is not None else None
    if role is None or name is None:
        return
    options = getattr(columns[name], "options", None) or {}
    if not options:
        b.faults.add("E489", role, f"'{name}' is no choice, so it says no roles.", "Make it a choice with options.")
        return
    wants = [said.text for said in texts(node, "wants") if b.reference(said, options, f"option of '{name}'", "E489")]
    entity.centre = Centre(key, name, wants)


def statement(b: Building, entity: Entity, name: Scalar, node: Any) -> None:
    path = f"entities.{entity.name}.statements.{name.text}"
    made = Statement(name.text, b.text(f"{path}.label", text(node, "label") or readable(name.text)), path=path)
    for word in ("plus", "minus", "also"):
        setattr(made, word, [key for said in texts(node, word) if (key := figure(b, entity, said)) is not None])
    total = scalar(node, "total")
    made.total = figure(b, entity, total) if total is not None else None
    if made.total is not None:
        entity.statements[name.text] = made


def figure(b: Building, entity: Entity, said: Scalar) -> str | None:
    key = b.field(said, entity, "E490")
    if key is not None and entity.fields[key].kind not in FIGURES:
        fitting = [one.key for one in entity.own_fields.values() if one.kind == "money"]
        message = f"'{key}' is of type {entity.fields[key].name}, which is no figure."
        b.faults.add("E490", said, message, f"Write a field with a number, for example {known(fitting, 6)}.")
        return None
    return key


# --- classes


def classes(b: Building) -> None:
    """The rules that rank all records of an entity and cut them into classes."""
    taken: dict[tuple[str, str], str] = {}
    for name, node in b.things("classes"):
        entity = b.entity(node, "E485")
        if entity is None:
            continue
        field_node, by = scalar(node, "field"), scalar(node, "by")
        field = b.field(field_node, entity, "E485") if field_node is not None else None
        measure = b.field(by, entity, "E485") if by is not None else None
        where = b.expression(scalar(node, "where"), entity.scope, "boolean")
        if field is None or measure is None or field_node is None or by is None:
            continue
        options = getattr(entity.fields[field], "options", None) or {}
        if entity.fields[field].name != "choice":
            fitting = [one.key for one in entity.own_fields.values() if one.name == "choice"]
            message = f"a class is kept in a choice, and '{field}' is of type {entity.fields[field].name}."
            b.faults.add("E485", field_node, message, f"Write one of: {known(fitting)}.")
            continue
        if entity.fields[field].rule is not None:
            b.faults.add("E485", field_node, f"'{field}' has a `rule:` of its own.", "Keep one of the two.")
            continue
        if (entity.name, field) in taken:
            message = f"'{field}' is kept by the class '{taken[entity.name, field]}' already."
            b.faults.add("E485", field_node, message, "Keep one of the two.")
            continue
        if entity.fields[measure].kind not in ("money", "number", "integer", "percent", "duration"):
            message = f"records are ranked by a figure, and '{measure}' is of type {entity.fields[measure].name}."
            b.faults.add("E485", by, message, "Write a field with a number; a formula can be put into one.")
            continue
        made = ClassRule(
            **b.head("classes", name, node),
            entity=entity.name,
            field=field,
            by=measure,
            where=where,
        )
        edges(b, made, node, options)
        other = scalar(node, "otherwise")
        if other is not None:
            made.otherwise = b.reference(other, options, f"option of '{field}'", "E485")
        if made.edges:
            taken[entity.name, field] = name
            b.schema.classes[name] = made
            if not entity.fields[field].by_hand:
                entity.fields[field].fixed = True


def edges(b: Building, made: ClassRule, node: Map, options: dict[str, Any]) -> None:
    given = [word for word in ("shares", "parts") if node.get(word) is not None]
    if len(given) != 1:
        at = node.keys[given[1]] if given else node
        said = "`shares` and `parts` do not go together." if given else "this class does not say where it is cut."
        b.faults.add("E485", at, said, "Write `shares: {a: 80%, b: 95%, c: 100%}` of the sum, or `parts:` of the number of records.")
        return
    made.cut = given[0]
    last = Decimal(0)
    for key, value in entries(submap(node, made.cut)):
        share = percent(value.text) if isinstance(value, Scalar) else None
        if b.reference(key, options, f"option of '{made.field}'", "E485") is None or share is None:
            continue
        if not last < share <= 1:
            message = f"the edge of '{key.text}' must lie above the one before it and not above 100%."
            b.faults.add("E485", value, message, "Write the edges upwards: `{a: 80%, b: 95%, c: 100%}`.")
            continue
        made.edges[key.text] = last = share
    if made.edges and last < 1 and len(made.edges) == len(submap(node, made.cut)):
        last_node = list(submap(node, made.cut).values.values())[-1]
        b.faults.add("E485", last_node, "the last edge is below 100%, so the rest would have no class.", "Write 100% at the last one.")
