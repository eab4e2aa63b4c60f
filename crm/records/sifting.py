"""Conditions over kept columns: what a condition says of a record's own values is asked once for each way these occur together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from tinydb.queries import QueryInstance

from crm.expressions import Env
from crm.expressions import nodes as n
from crm.expressions.kinds import condition
from crm.expressions.python import compile_python
from crm.records.columns import Column, combined
from crm.records.scope import parse

if TYPE_CHECKING:
    import numpy as np

    from crm.records.reading import Reading
    from crm.schema.model import Entity

#: Ways in which values may occur together; of more, the store is asked.
WAYS = 2000


def parted(door: Reading, entity: str, where: Any) -> tuple[list[n.Node], list[Any]]:
    """The parts of a condition that only look at a record's own stored fields, and the rest of it; all of them must hold."""
    if where is None or where == "" or where == ():
        return [], []
    if isinstance(where, (list, tuple)):
        parts: list[n.Node] = []
        rest: list[Any] = []
        for one in where:
            some, other = parted(door, entity, one)
            parts += some
            rest += other
        return parts, rest
    expression = parse(door, entity, where) if isinstance(where, str) else where
    if isinstance(expression, QueryInstance) or not hasattr(expression, "query"):
        return [], [where]
    node = condition(expression.node)
    parts = list(node.items) if isinstance(node, n.And) else [node]
    own = door.schema.entities[entity]
    plain = all(door.path_open(entity, path) for path in expression.uses) and all(reads(own, part) is not None for part in parts)
    return (parts, []) if plain else ([], [where])


def reads(entity: Entity, node: n.Node) -> set[str] | None:
    """The fields that a part of a condition looks at; None where it needs more than what is stored of the record itself."""
    if isinstance(node, n.StageOf):
        found = reads(entity, node.field)
        return None if found is None else found | ({node.pipeline} if node.pipeline else set())
    if isinstance(node, n.Field):
        field = entity.fields.get(node.key)
        if (
            node.steps
            or node.level
            or node.part
            or field is None
            or node.key == "id"
            or field.computed
            or field.kind in ("address", "name")
        ):
            return None
        return {node.key}
    if isinstance(node, (n.Aggregate, n.Within, n.Full)):
        return None
    every: set[str] = set()
    for part in n.parts_of(node):
        found = reads(entity, part)
        if found is None:
            return None
        every |= found
    return every


def holds(door: Reading, entity: Entity, part: n.Node, columns: Mapping[str, Column], size: int) -> np.ndarray | None:
    """In which rows a part of a condition holds; None where its values occur together in too many ways."""
    import numpy as np

    keys = sorted(reads(entity, part) or ())
    codes, rows = combined([columns[key] for key in keys], size)
    if len(rows) > WAYS:
        return None
    values: dict[str, Any] = {}

    def get(head: str) -> Any:
        kept = values.get(head)
        return None if kept is None else entity.fields[head].from_json(kept)

    env = Env(get=get, today=door.company.today(), now=door.company.now(), me=door.actor)
    run, found = compile_python(part), np.zeros(len(rows), dtype=bool)
    for number, row in enumerate(rows.tolist()):
        values = {key: columns[key][row] for key in keys}
        found[number] = run(env) is True
    return found[codes] if len(rows) else np.zeros(size, dtype=bool)


def needed(entity: Entity, parts: Iterable[n.Node]) -> set[str]:
    """The fields that parts of conditions look at."""
    return {key for part in parts for key in reads(entity, part) or ()}
