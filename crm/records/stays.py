"""How long records stayed where: every stage or option a record was in, from when on (F6).

Stages are read from the table of stage changes, other choices from the past that the store keeps of them. Nothing here is bound by
rights: who asks joins the answer with the records a user may see (`crm.analytics.stays` does).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from tinydb.queries import where

from crm.records.company import MOVES, stamp
from crm.records.queries import all_of
from crm.stores import where_id

if TYPE_CHECKING:
    import numpy as np

    from crm.records.company import Company

Spells = dict[int, list[tuple[str, Any]]]
#: Changes after which the ways kept in memory are read anew instead of mended.
MOST = 2000


@dataclass
class Ways:
    """The way of every record through a field, as columns: `record`, `since` (as stored; "" where it was so from the beginning) and
    `value`, by record and time. Records that never changed may be missing."""

    record: np.ndarray
    since: np.ndarray
    value: np.ndarray


_ways: WeakKeyDictionary[Company, dict[str, tuple[int, Ways]]] = WeakKeyDictionary()


def ways(company: Company, entity: str, key: str, as_of: datetime | None = None) -> Ways:
    """Every stage or option every record was in. Those of stages as they are now are kept in memory, mended by what changed since."""
    import numpy as np

    if key != company.schema.entities[entity].stage_field:
        found = spells(company, entity, key, as_of)
        each = [(one, since, value) for one in sorted(found) for since, value in found[one]]
        return Ways(np.array([one for one, _, _ in each], dtype=np.int64), column(s for _, s, _ in each), column(v for _, _, v in each))
    if as_of is not None:
        return in_columns(moved(company, entity, as_of))
    known = _ways.setdefault(company, {})
    sequence = company.store.sequence
    if entity in known:
        before, kept = known[entity]
        changes = company.store.changes(before, MOST) if sequence != before else []
        if len(changes) < MOST:
            stale = [one.doc_id for one in changes if one.table == MOVES]
            if stale:
                kept = mended(company, entity, kept, stale)
            known[entity] = (sequence, kept)
            return kept
    known[entity] = (sequence, in_columns(moved(company, entity, None)))
    return known[entity][1]


def mended(company: Company, entity: str, kept: Ways, stale: list[int]) -> Ways:
    """The ways with those read anew whose changes were written, changed or taken back."""
    import numpy as np

    table = company.store.table(MOVES)
    touched = {record for of, record in table.values(["entity", "record"], where_id("in", stale)) if of == entity}
    if len(touched) < len(set(stale)):  # some are of other entities, or gone for good: whose they were is not known any more
        gone = set(stale) - {one for (one,) in table.values(["doc_id"], where_id("in", stale))}
        if gone:
            return in_columns(moved(company, entity, None))
    if not touched:
        return kept
    left = ~np.isin(kept.record, list(touched))
    fresh = in_columns(moved(company, entity, None, sorted(touched)))
    record = np.concatenate([kept.record[left], fresh.record])
    order = np.argsort(record, kind="stable")
    since, value = np.concatenate([kept.since[left], fresh.since]), np.concatenate([kept.value[left], fresh.value])
    return Ways(record[order], since[order], value[order])


def column(values: Iterable[Any]) -> np.ndarray:
    """Values as a column that keeps them as they are."""
    import numpy as np

    there = list(values)
    found = np.empty(len(there), dtype=object)
    found[:] = there
    return found


def in_columns(rows: list[tuple[int, str, Any, Any]]) -> Ways:
    """Stage changes `(record, on, from, to)`, by record and time, as ways: before the first change stands what it left."""
    import numpy as np

    record = np.array([row[0] for row in rows], dtype=np.int64)
    first = np.ones(len(rows), dtype=bool)
    first[1:] = record[1:] != record[:-1]
    left = column(row[2] for row in rows)
    lead = first & np.array([one is not None for one in left], dtype=bool)
    every = np.concatenate([record[lead], record])
    order = np.argsort(every, kind="stable")  # what was left stands first of its record
    since = np.concatenate([column("" for _ in range(int(lead.sum()))), column(row[1] for row in rows)])
    value = np.concatenate([left[lead], column(row[3] for row in rows)])
    return Ways(every[order], since[order], value[order])


def moved(company: Company, entity: str, as_of: datetime | None, records: list[int] | None = None) -> list[tuple[int, str, Any, Any]]:
    """The stage changes `(record, on, from, to)`, by record and time; of some records only."""
    until = where("on") <= stamp(as_of) if as_of is not None else None
    only = where("record").one_of(records) if records is not None else None
    cond = all_of(company.live, where("entity") == entity, until, only)
    rows = company.store.table(MOVES).values(["record", "on", "from", "to"], cond)
    return sorted(rows, key=lambda row: (row[0], row[1]))


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
    found: Spells = {}
    for record, on, left, reached in moved(company, entity, as_of):
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
