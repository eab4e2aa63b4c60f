"""How long records stayed where: every stage or option a record was in, from when on (F6).

Stages are read from the table of stage changes, other choices from the past that the store keeps of them. Nothing here is bound by
rights: who asks joins the answer with the records a user may see (`crm.analytics.stays` does).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from tinydb.queries import where

from crm.records.columns import Column, Kinds, News, moments
from crm.records.company import MOVES, stamp
from crm.records.queries import all_of
from crm.stores import where_id

if TYPE_CHECKING:
    import numpy as np

    from crm.records.company import Company

#: Not a time: numpy's.
NEVER = -(2**63)
Spells = dict[int, list[tuple[str, Any]]]


@dataclass
class Ways:
    """The way of every record through a field, as columns: `record`, `at` (since when, in milliseconds since 1970; -1 where it was so from
    the beginning) and `stage`, by record and time. Records that never changed may be missing."""

    record: np.ndarray
    at: np.ndarray
    stage: Column

    @property
    def since(self) -> np.ndarray:
        """Since when, as it is stored; "" where it was so from the beginning."""
        return stamps(self.at)

    @property
    def value(self) -> np.ndarray:
        """What each was in, row by row."""
        return column(self.stage)

    def of(self, rows: np.ndarray) -> Ways:
        """Some rows, in an order of their own; also by a mask."""
        return Ways(self.record[rows], self.at[rows], self.stage.take(rows))


_ways: WeakKeyDictionary[Company, dict[tuple[str, str], tuple[News, int, Ways]]] = WeakKeyDictionary()
_lock = threading.Lock()


def ways(company: Company, entity: str, key: str, as_of: datetime | None = None) -> Ways:
    """Every stage or option every record was in: kept in memory, mended by what changed since."""
    import numpy as np

    if company.store.writing:
        found = read(company, entity, key, Kinds())
    else:
        with _lock:
            found = renewed(company, entity, key)
    if as_of is None:
        return found
    seen = found.at <= int(as_of.timestamp() * 1000)
    begins = np.flatnonzero(found.at < 0)
    seen[begins] = seen[begins + 1]  # what the first change left: as soon as that had happened
    return found.of(seen)


def renewed(company: Company, entity: str, key: str) -> Ways:
    """The kept ways, with those read anew whose changes were written, changed or taken back."""
    import numpy as np

    known = _ways.setdefault(company, {})
    source = MOVES if key == company.schema.entities[entity].stage_field else entity
    follower, generation, kept = known.get((entity, key)) or (News(company.store), -1, None)
    news = follower.since()
    stale = news.get(source, set()) if news is not None and kept is not None and generation == company.generation else None
    touched = None if stale is None else stale if source == entity else moved_by(company, entity, stale)
    if kept is None or touched is None:
        kept = read(company, entity, key, Kinds())
    elif touched:
        fresh = read(company, entity, key, kept.stage.kinds, sorted(touched))
        left = ~np.isin(kept.record, np.array(sorted(touched), dtype=np.int64))
        record = np.concatenate([kept.record[left], fresh.record])
        at, stage = (np.concatenate([a[left], b]) for a, b in ((kept.at, fresh.at), (kept.stage.codes, fresh.stage.codes)))
        kept = Ways(record, at, Column(stage, kept.stage.kinds)).of(np.argsort(record, kind="stable"))
    known[entity, key] = follower, company.generation, kept
    return kept


def moved_by(company: Company, entity: str, stale: set[int]) -> set[int] | None:
    """The records that some stage changes are of; None where it is not known any more whose they were."""
    rows = company.store.table(MOVES).values(["doc_id", "entity", "record"], where_id("in", sorted(stale)))
    return None if len(rows) < len(stale) else {record for _, of, record in rows if of == entity}


def read(company: Company, entity: str, key: str, kinds: Kinds, records: list[int] | None = None) -> Ways:
    """The ways out of the store, of some records only."""
    import numpy as np

    if key == company.schema.entities[entity].stage_field:
        return in_columns(moved(company, entity, None, records), kinds)
    rows = company.table(entity).spells(key, ids=records)
    record, at = (np.array([row[n] for row in rows], dtype=np.int64) for n in (0, 1))
    stage = Column(kinds.codes(row[2] for row in rows), kinds)
    other = np.ones(len(rows), dtype=bool)
    other[1:] = (record[1:] != record[:-1]) | (stage.codes[1:] != stage.codes[:-1])
    return Ways(record, at, stage).of(other)


def column(values: Iterable[Any]) -> np.ndarray:
    """Values as a column that keeps them as they are."""
    import numpy as np

    there = list(values)
    found = np.empty(len(there), dtype=object)
    found[:] = there
    return found


def stamps(at: np.ndarray) -> np.ndarray:
    """Milliseconds since 1970 as moments are stored; "" for none."""
    import numpy as np

    return column(
        f"{text}Z" if text != "NaT" else "" for text in np.datetime_as_string(np.where(at < 0, NEVER, at).astype("datetime64[ms]")).tolist()
    )


def in_columns(rows: list[tuple[int, str, Any, Any]], kinds: Kinds) -> Ways:
    """Stage changes `(record, on, from, to)`, by record and time, as ways: before the first change stands what it left."""
    import numpy as np

    record = np.array([row[0] for row in rows], dtype=np.int64)
    first = np.ones(len(rows), dtype=bool)
    first[1:] = record[1:] != record[:-1]
    left, reached = kinds.codes(row[2] for row in rows), kinds.codes(row[3] for row in rows)
    lead = first & (left >= 0)
    every = np.concatenate([record[lead], record])
    at = np.concatenate([np.full(int(lead.sum()), -1, dtype=np.int64), moments([row[1] for row in rows])])
    stage = Column(np.concatenate([left[lead], reached]), kinds)
    return Ways(every, at, stage).of(np.argsort(every, kind="stable"))  # what was left stands first of its record


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
