"""Records that lie below each other: no circles, sums over a record and all below it kept in the same transaction (A1, A5, A6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from crm.errors import Refused
from crm.records.env import below
from crm.records.queries import all_of
from crm.stores import where_id

if TYPE_CHECKING:
    from crm.records.company import Company
    from crm.records.derive import Settling
    from crm.records.shape import Rollup, Shape

#: Ids in one question to the store.
CHUNK = 5000


def above(company: Company, entity: str, start: Any, deleted: bool = False) -> list[int]:
    """`start` and the records above it, nearest first; deleted ones end the way unless asked for."""
    tree = company.schema.entities[entity].tree
    found: list[int] = []
    while tree is not None and isinstance(start, int) and start not in found:
        doc = company.table(entity).get(doc_id=start) if deleted else company.doc(entity, start)
        if doc is None:
            break
        found.append(start)
        start = doc.get(tree.by)
    return found


def circle(door: Any, entity: str, doc_id: int | None, parent: Any) -> Refused | None:
    """What is said when a record would lie below itself; None when it would not."""
    way = above(door.company, entity, parent, deleted=True) if doc_id is not None else []
    if doc_id not in way:
        return None
    ids = [doc_id, *way[: way.index(doc_id) + 1]]
    titles = door.titles(entity, ids)
    return Refused("It cannot lie below itself: {way}.", way=" → ".join(titles.get(one) or "…" for one in ids))


def fed(
    settling: Settling,
    shape: Shape,
    doc_id: int,
    old: Mapping[str, Any] | None,
    new: Mapping[str, Any] | None,
    keys: set[str] | None,
    waiting: dict[tuple[str, int], dict[str, Any]],
) -> None:
    """Note what a change of one record means for the sums of itself and of those above it, before and after."""
    from crm.records.derive import AGAIN

    company, entity = settling.company, shape.entity.name
    assert shape.entity.tree is not None
    parent = shape.entity.tree.by
    wanted = [rollup for rollup in shape.treed if keys is None or keys & rollup.feeds]
    if not wanted:
        return
    moved = old is None or new is None or parent in (keys or ())
    targets = [doc_id] if new is not None else []
    targets += above(company, entity, (new or {}).get(parent))
    if moved and old is not None:
        targets += above(company, entity, old.get(parent))
    for rollup in wanted:
        step = AGAIN if moved else settling._step(rollup, shape, doc_id, old, new, doc_id)
        for target in dict.fromkeys(targets):
            if settling.later:
                settling.open.setdefault((entity, target), set()).add(rollup.field.key)
            else:
                waiting.setdefault((entity, target), {})[rollup.field.key] = step


def total(company: Company, rollup: Rollup, doc_id: int, env: Any) -> Any:
    """A figure over a record and all below it, by the store where it is one plain aggregate."""
    from crm.records.derive import compute

    source = company.schema.entities[rollup.entity].fields.get(rollup.path or "")
    plain = rollup.how == "count" or (source is not None and source.name == rollup.field.name and source.kind != "lines")
    if rollup.how is None or not plain:
        return compute(rollup.field, rollup.field.rollup, env)
    ids = [doc_id, *(doc.doc_id for doc in below(company, rollup.entity, doc_id))]
    condition = company.expression_query(rollup.where, env.me, (env.today, env.now)) if rollup.where is not None else None
    values = []
    for at in range(0, len(ids), CHUNK):
        cond = all_of(where_id("in", ids[at : at + CHUNK]), condition)
        values.append(company.table(rollup.entity).aggregate((), {"it": (rollup.how, rollup.path or "")}, cond)[0]["it"])
    there = [value for value in values if value is not None]
    if rollup.how in ("count", "sum"):
        return sum(there)
    return (min if rollup.how == "min" else max)(there) if there else None
