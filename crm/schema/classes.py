"""Builds the classes (A4): rules that rank all records of an entity by a figure and cut them into A, B, C."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from crm.schema.building import Building
from crm.schema.customers import FIGURES
from crm.schema.faults import known
from crm.schema.model import ClassRule
from crm.schema.reading import entries, percent, scalar, submap
from crm.yamlfile import Map, Scalar


def build(b: Building) -> None:
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
        if entity.fields[measure].kind not in FIGURES:
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
