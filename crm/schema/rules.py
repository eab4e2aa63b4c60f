"""Builds what gives a field its value: rules over the record (A4), the record elsewhere that fits it best (A5)."""

from __future__ import annotations

from typing import Any

from crm.expressions import Expression
from crm.expressions import nodes as n
from crm.expressions.kinds import condition
from crm.schema.building import Building
from crm.schema.faults import known
from crm.schema.model import Entity, Fit, Rule
from crm.schema.reading import entries, scalar, submap
from crm.yamlfile import Map, Scalar, Seq


def rule(b: Building, entity: Entity, field: Any, node: Map, expects: Any) -> None:
    """A field's `rule:`: the first row whose condition holds gives the value. It becomes the field's formula."""
    rows = node.get("rule")
    if not isinstance(rows, Seq):
        return
    options = getattr(field, "options", None) or {}
    parts: list[tuple[Any, Any]] = []
    uses: set[str] = set()
    constants: set[str] = set()
    said: list[str] = []
    made: list[Rule] = []
    for number, row in enumerate(rows):
        if not isinstance(row, Map):
            continue
        test_node, value_node = scalar(row, "when"), row.get("value")
        test = b.expression(test_node, entity.scope, "boolean") if test_node is not None else None
        if test_node is None and number + 1 < len(rows.items):
            b.faults.add(
                "E480", row, "a rule without `when:` always holds, so those after it never do.", "Give it a condition, or put it last."
            )
        if not isinstance(value_node, Scalar) or value_node.is_null:
            value: Any = n.Const("none", 0, None)
        elif options:
            if b.reference(value_node, options, f"option of '{field.key}'", "E481") is None:
                continue
            value = n.Const("text", 0, value_node.text)
        else:
            parsed = b.expression(value_node, entity.scope, expects, "E481")
            if parsed is None:
                continue
            uses |= parsed.uses
            constants |= parsed.constants
            value = parsed.node
        if test_node is not None and test is None:
            continue
        if test is not None:
            uses |= test.uses
            constants |= test.constants
        parts.append((test, value))
        made.append(Rule(test, value_node.text if isinstance(value_node, Scalar) and not value_node.is_null else None))
        said.append(f"{test if test is not None else True}: {made[-1].value}")
    result: n.Node = n.Const("none", 0, None)
    for test, value in reversed(parts):
        kind = field.kind if isinstance(field.kind, str) else "any"
        result = value if test is None else n.If(kind, 0, condition(test.node), value, result)
    field.rule = made
    field.formula = Expression("; ".join(said), result, uses, constants, entity.scope)


def finish(b: Building) -> None:
    """What must not stand beside a rule, and the records a link takes by their likeness."""
    for name, entity in b.schema.entities.items():
        for key, value in entries(submap(b.nodes[f"entities.{name}"], "fields")):
            field = entity.fields.get(key.text)
            if field is None or not isinstance(value, Map):
                continue
            giving = [word for word in ("formula", "rollup", "rule", "match") if value.get(word) is not None]
            if len(giving) > 1 and giving != ["formula", "rollup"]:
                message = f"'{key.text}' has a {giving[0]} and a {giving[1]}."
                b.faults.add("E482", value.keys[giving[1]], message, "Keep one of the two.")
            if "rule" in giving and value.get("default") is not None:
                message = f"'{key.text}' gets its value by a rule, so it takes no `default`."
                b.faults.add("E482", value.keys["default"], message, "Remove it; a last rule without `when:` is what holds otherwise.")
            if "match" in giving:
                match(b, entity, field, value)
            ranked = any(one.entity == name and one.field == key.text for one in b.schema.classes.values())
            served = entity.service is not None and key.text in entity.service.fields.values()
            if field.by_hand and not ({"rule", "match", "formula"} & set(giving)) and not ranked and not served:
                message = f"'{key.text}' is set by hand anyway: no rule gives its value."
                b.faults.add("E483", value.keys["by_hand"], message, "Remove `by_hand`, or add `rule:` or `formula:`.")


def match(b: Building, entity: Entity, field: Any, node: Map) -> None:
    """A link's `match:`: which of the records over there fits, by what they say of themselves."""
    rows = node.get("match")
    other = b.schema.entities.get(field.to or "") if field.name == "link" else None
    if other is None:
        if field.name != "link":
            b.faults.add("E486", node.keys["match"], f"'{field.key}' is no link, so no record fits it.", "Only a link takes `match:`.")
        return
    made: list[Fit] = []
    for row in rows if isinstance(rows, Seq) else []:
        value = b.expression(scalar(row, "value"), entity.scope)
        ways = [word for word in ("in", "starts", "from", "to") if scalar(row, word) is not None]
        if not ways:
            message = f"this line does not say what of the {other.name} is compared."
            b.faults.add("E486", row, message, "Add `in: field`, `starts: field`, or `from: field` and `to: field`.")
            continue
        if len(ways) > 1 and set(ways) != {"from", "to"}:
            at = row.keys[ways[1]] if isinstance(row, Map) else row
            b.faults.add("E486", at, f"`{ways[0]}` and `{ways[1]}` do not go together.", "Write a line for each.")
            continue
        keys: dict[str, str] = {}
        for way in ways:
            said = scalar(row, way)
            assert said is not None
            key = b.field(said, other, "E486")
            if key is None:
                continue
            kind = other.fields[key].kind
            fits = kind in ("number", "integer", "money") if way in ("from", "to") else kind in ("list", "text", "choice")
            if not fits:
                wanted = "a number" if way in ("from", "to") else "a text, a choice or a list of them"
                message = f"`{way}` needs {wanted}, and '{key}' of '{other.name}' is of type {other.fields[key].name}."
                b.faults.add("E486", said, message, f"Write one of: {known(_fitting(other, way))}.")
                continue
            keys[way] = key
        if value is not None and keys:
            made.append(Fit(value, keys))
    field.match = made


def _fitting(other: Entity, way: str) -> list[str]:
    kinds = ("number", "integer", "money") if way in ("from", "to") else ("list", "text", "choice")
    return [key for key, one in other.own_fields.items() if one.kind in kinds]


__all__ = ["finish", "match", "rule"]
