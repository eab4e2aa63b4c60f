"""Builds the board of an entity by one of its choices (`board: status`): for records that have a state and no pipeline."""

from __future__ import annotations

from crm.schema.building import Building
from crm.schema.faults import known
from crm.schema.model import Board, Entity
from crm.schema.reading import scalar, submap, texts
from crm.yamlfile import Map, Scalar

#: Field types that fit what a card shows.
CARD = {"amount": ("money", "number", "integer"), "next": ("date", "datetime")}


def build(b: Building) -> None:
    """Every entity's board; called when pipelines are known."""
    for name, entity in b.schema.entities.items():
        node = b.nodes[f"entities.{name}"]
        said = scalar(node, "board")
        more = submap(node, "board")
        by = said if said is not None and not said.is_null else scalar(more, "by")
        if by is None:
            continue
        if entity.pipelines:
            message = f"the board of '{name}' is that of its pipeline '{entity.pipelines[0]}'."
            b.faults.add("E491", by, message, "Remove `board:`, or the pipeline.")
        else:
            entity.board = board(b, entity, by, more)


def board(b: Building, entity: Entity, by: Scalar, node: Map) -> Board | None:
    key = b.field(by, entity, "E492")
    if key is None:
        return None
    field = entity.fields[key]
    if field.name != "choice" or field.computed:
        free = [name for name, one in entity.fields.items() if one.name == "choice" and not one.computed and not one.system]
        why = "is computed, so no card can be moved" if field.name == "choice" else f"is of type {field.name}, and the columns are options"
        mend = f"Write one of: {known(free)}." if free else f"Add a field of type choice to '{entity.name}'."
        b.faults.add("E493", by, f"'{key}' {why}.", mend)
        return None
    made = Board(key)
    for said in texts(node, "ended"):
        if (option := b.reference(said, field.options, f"option of '{key}'", "E494")) is not None:
            made.ended.append(option)
    for word, fits in CARD.items():
        one = scalar(node, word)
        found = b.field(one, entity, "E492") if one is not None else None
        if one is None or found is None:
            continue
        if entity.fields[found].name in fits:
            setattr(made, word, found)
            continue
        free = [name for name, other in entity.fields.items() if other.name in fits and not other.system]
        message = f"'{found}' is of type {entity.fields[found].name}, and `{word}` is of type {' or '.join(fits)}."
        b.faults.add("E493", one, message, f"Write one of: {known(free)}." if free else f"Remove `{word}:`.")
    return made


__all__ = ["build"]
