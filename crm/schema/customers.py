"""Builds what an entity says of its place among others: its tree, relations with two ends, the buying centre, statements."""

from __future__ import annotations

from typing import Any

from crm.schema.building import Building
from crm.schema.faults import known
from crm.schema.model import Centre, Entity, Relation, Statement, Tree
from crm.schema.reading import entries, readable, scalar, submap, text, texts
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
