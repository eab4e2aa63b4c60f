"""How long records stayed where: every stage or option a record was in, from when on (F6).

Stages are read from the table of stage changes, other choices from the past that the store keeps of them. Nothing here is bound by
rights: who asks joins the answer with the records a user may see (`crm.analytics.stays` does).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tinydb.queries import where

from crm.records.company import MOVES, stamp
from crm.records.queries import all_of

if TYPE_CHECKING:
    from crm.records.company import Company

Spells = dict[int, list[tuple[str, Any]]]


def begun(company: Company, entity: str, key: str, now: Mapping[int, tuple[str | None, Any]], as_of: datetime | None = None) -> Spells:
    """`{id: [(since, value), …]}`, oldest first, of records given as `{id: (created on, value now)}`; times as they are stored (UTC)."""
    found = moves(company, entity, as_of) if key == company.schema.entities[entity].stage_field else spells(company, entity, key, as_of)
    result: Spells = {}
    for doc_id, (created, value) in now.items():
        way = found.get(doc_id) or [(created or "", value)]
        if created and way[0][0] > created or not way[0][0]:
            way = [(created or way[0][0], way[0][1]), *way[1:]]
        result[doc_id] = way
    return result


def moves(company: Company, entity: str, as_of: datetime | None) -> Spells:
    """From the table of stage changes; the first stage is the one that the first change left."""
    cond = all_of(company.live, where("entity") == entity, where("on") <= stamp(as_of) if as_of is not None else None)
    rows = sorted(company.store.table(MOVES).values(["record", "on", "from", "to"], cond), key=lambda row: (row[0], row[1]))
    found: Spells = {}
    for record, on, left, reached in rows:
        way = found.setdefault(record, [("", left)] if left is not None else [])
        way.append((on, reached))
    return found


def spells(company: Company, entity: str, key: str, as_of: datetime | None) -> Spells:
    """From the store's past of a field."""
    last = None if as_of is None else int(as_of.timestamp() * 1000)
    found: Spells = {}
    for doc_id, since, value in company.table(entity).spells(key):
        if last is not None and since > last:
            continue
        way = found.setdefault(doc_id, [])
        if not way or way[-1][1] != value:
            way.append((stamp(datetime.fromtimestamp(since / 1000, UTC)), value))
    return found
