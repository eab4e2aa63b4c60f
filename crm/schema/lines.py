"""Builds what the cells of a table inside a record begin with: the `default` of a column, the price lists of its `listed`."""

from __future__ import annotations

from typing import Any

from crm.errors import Refused
from crm.expressions import Name, Scope
from crm.fields.lines import Lines
from crm.schema.building import Building, own
from crm.schema.faults import known, meant, shorten
from crm.schema.model import Entity, Listed
from crm.schema.reading import entries, scalar, submap
from crm.yamlfile import Map, Node, Scalar, Seq


class Around(Scope):
    """Some names, and by its name the entity of the record that the line is in: `offer.account.segment`."""

    def __init__(self, scope: Any, entity: Entity) -> None:
        super().__init__({}, entity.scope.other)
        self.scope, self.entity = scope, entity

    def names(self) -> list[str]:
        return [*self.scope.names(), self.entity.name]

    def resolve(self, name: str) -> Name | None:
        found: Name | None = self.scope.resolve(name)
        return Name("link", None, self.entity.scope) if found is None and name == self.entity.name else found


def finish(b: Building) -> None:
    """The columns of all tables; called when formulas are known."""
    for name, entity in b.schema.entities.items():
        for key, value in entries(submap(b.nodes[f"entities.{name}"], "fields")):
            field = entity.fields.get(key.text)
            if isinstance(value, Map) and isinstance(field, Lines):
                table(b, entity, field, submap(value, "columns"))
            elif isinstance(value, Map) and value.get("listed") is not None:
                message = f"'{key.text}' is no column of lines, so it is not looked up in a list."
                b.faults.add("E237", value.keys["listed"], message, "Only a column of a field of type lines takes `listed:`.")


def table(b: Building, entity: Entity, field: Lines, node: Map) -> None:
    scope = Around(Scope(field.columns, entity.scope.other), entity)
    for key, value in entries(node):
        column = field.columns.get(key.text)
        if column is None or not isinstance(value, Map):
            continue
        said, listed_node = value.get("default"), value.get("listed")
        for word in ("default", "listed"):
            if value.get(word) is not None and column.computed:
                message = f"'{key.text}' is computed, so it takes no `{word}`."
                b.faults.add("E221", value.keys[word], message, f"Remove `{word}` or `formula`.")
                said = listed_node = None
        column.default = begins(b, column, scope, said) if said is not None and not said.is_null else None
        for one in listed_node.items if isinstance(listed_node, Seq) else [listed_node]:
            if isinstance(one, Map) and (made := listed(b, entity, field, column, one)) is not None:
                column.listed.append(made)
    circles(b, field, node)


def begins(b: Building, column: Any, scope: Around, node: Node) -> Any:
    """What a cell begins with: a value the column takes, else an expression over the line."""
    from crm.schema.entities import FITTING

    if not isinstance(node, Scalar):
        b.faults.add("E235", node, f"'{column.key}' begins with a value or a formula.", "Write it in one line: `default: product.price`.")
        return None
    try:
        if not column.to and (column.name not in ("date", "datetime") or node.text[:1].isdigit()):
            column.clean(node.text)
            if scope.resolve(node.text.partition(".")[0]) is None:
                return node.text
    except Refused:
        pass
    expects = FITTING.get(column.kind if isinstance(column.kind, str) else "")
    found = b.expression(node, scope, expects, "E235")
    here = getattr(getattr(getattr(found, "node", None), "name", None), "field", None)
    if here is None:
        return found
    if column.name == "money" and here.name == "money" and column.currency != here.currency:
        one, other = (each.currency or b.schema.currency for each in (column, here))
        if one != other:
            message = f"'{column.key}' is in {one}, and '{node.text}' is in {other}."
            b.faults.add("E235", node, message, "Give both the same `currency:`, or leave the default out.")
    elif column.to and here.to and column.to != here.to:
        message = f"'{column.key}' leads to '{column.to}', and '{node.text}' to '{here.to}'."
        b.faults.add("E235", node, message, f"Name a link to '{column.to}'.")
    elif (options := getattr(column, "options", None)) and (theirs := getattr(here, "options", None)):
        missing = [key for key in theirs if key not in options]
        if missing:
            message = f"'{node.text}' may be '{shorten(missing[0])}', which is no option of '{column.key}'."
            b.faults.add("E235", node, message, "Give both the same options.")
    return found


def listed(b: Building, entity: Entity, field: Lines, column: Any, node: Map) -> Listed | None:
    """One kind of price list: an entity with a table of its own that has a cell for what the line is about."""
    said, by, take, newest = (scalar(node, word) for word in ("in", "by", "take", "newest"))
    if said is None or by is None:
        return None  # told by the shape
    name, _, key = said.text.partition(".")
    if name in b.gone:
        return None
    if name not in b.schema.entities:
        b.faults.add("E237", said, f"there is no entity '{shorten(name)}'." + meant(name, b.schema.entities), "Write `in: entity.lines`.")
        return None
    other = b.schema.entities[name]
    there = other.fields.get(key)
    if not isinstance(there, Lines):
        tables = [f"{name}.{one}" for one in own(other) if isinstance(other.fields[one], Lines)]
        message = f"'{shorten(said.text)}' is no table of lines."
        b.faults.add("E237", said, message, f"Write one of: {known(tables)}." if tables else f"'{name}' has no field of type lines.")
        return None
    both = [one for one in field.columns if one in there.columns and field.columns[one].to == there.columns[one].to and one != column.key]
    if by.text not in both:
        message = f"'{shorten(by.text)}' is no column that both tables have, with the same at its other end." + meant(by.text, both)
        b.faults.add("E237", by, message, f"Write one of: {known(both)}." if both else "Give both tables a link to the same entity.")
        return None
    taken = take.text if take is not None else column.key
    source = there.columns.get(taken)
    if source is None or source.kind != column.kind:
        fitting = [one for one, each in there.columns.items() if each.kind == column.kind]
        message = f"'{said.text}' has no column '{shorten(taken)}' that fits '{column.key}', which is of type {column.name}."
        b.faults.add("E237", take or said, message, f"Write one of: {known(fitting)}." if fitting else "Add such a column there.")
        return None
    when = b.expression(scalar(node, "when"), Around(other.scope, entity), "boolean", "E237")
    age = b.field(newest, other, "E237") if newest is not None else None
    if newest is not None and age is not None and other.fields[age].kind not in ("date", "datetime", "number", "integer"):
        message = f"`newest` is a date or a number, and '{age}' is of type {other.fields[age].name}."
        fitting = [one for one in own(other) if other.fields[one].kind in ("date", "datetime", "number", "integer")]
        b.faults.add("E237", newest, message, f"Write one of: {known(fitting)}.")
        age = None
    return Listed(name, key, by.text, taken, when, age)


def circles(b: Building, field: Lines, node: Map) -> None:
    """Columns that begin with each other, or with what is computed only when the line is filled."""
    needs = {key: sorted(field.read_by(column)) for key, column in field.columns.items() if column.default is not None or column.listed}
    told: set[str] = set()
    for key in needs:
        at = node.values.get(key)
        word = "default" if isinstance(at, Map) and at.get("default") is not None else "listed"
        place = at.get(word) if isinstance(at, Map) else None
        if place is None:
            continue
        computed = next((one for one in needs[key] if field.columns[one].computed), None)
        if computed is not None:
            message = f"'{key}' cannot begin with '{computed}', which is computed from the whole line."
            b.faults.add("E236", place, message, "Name a column that is typed, or what one links to.")
        way = [key]
        while key not in told and (following := next((one for one in needs.get(way[-1], ()) if one in needs), None)) is not None:
            if following in way:
                if following == key:
                    told.update(way)
                    shown = " → ".join([*way, key])
                    b.faults.add("E236", place, f"'{key}' begins with itself: {shown}.", "Take one of these out of the other's default.")
                break
            way.append(following)


__all__ = ["finish"]
