"""Every state that fields of records were in, and since when: kept in memory and mended by what changed, so that what was known at a moment
is looked up and not read again.

    found = states(company, "opportunity", ["amount", "owner"])
    found["amount"].at(ids, when)          # the amount of each record at its moment, as a `Column`

Nothing here is bound by rights: who asks joins the answer with the records a user may see (`crm.analytics.known` does).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from crm.records.columns import Column, Kinds, News

if TYPE_CHECKING:
    import numpy as np

    from crm.records.company import Company

#: A record's place and a moment in one whole number: milliseconds since 1970 stay below this until 2109.
SHIFT = 1 << 42
#: Cells of all states of a company kept, a state counted as five, each distinct value as eight: some 100 megabytes. What was not asked for
#: longest goes first.
CELLS = 25_000_000


@dataclass(frozen=True)
class States:
    """The states of one field, by record and time: `record`, `since` (in milliseconds since 1970) and `value`; no two that follow each other
    in a record are the same."""

    record: np.ndarray
    since: np.ndarray
    value: Column

    @classmethod
    def of(cls, record: np.ndarray, since: np.ndarray, value: Column) -> States:
        """Out of states of which some may be the same as those before them."""
        import numpy as np

        other = np.ones(len(record), dtype=bool)
        other[1:] = (record[1:] != record[:-1]) | (value.codes[1:] != value.codes[:-1])
        return cls(record, since, value) if other.all() else cls(record[other], since[other], value.take(other))

    @cached_property
    def _steps(self) -> tuple[np.ndarray, np.ndarray]:
        """The records, and place among them and moment of each state as one number, rising."""
        import numpy as np

        first = np.ones(len(self.record), dtype=bool)
        first[1:] = self.record[1:] != self.record[:-1]
        return self.record[first], (np.cumsum(first) - 1) * SHIFT + self.since

    def rows(self, ids: np.ndarray, when: Any) -> np.ndarray:
        """Which state each record was in at its moment (or all at one), -1 where it was not there yet."""
        import numpy as np

        docs, steps = self._steps
        if not len(docs):
            return np.full(len(ids), -1, dtype=np.int64)
        place = np.minimum(np.searchsorted(docs, ids), len(docs) - 1)
        found = np.searchsorted(steps, place * SHIFT + np.asarray(when, dtype=np.int64), side="right") - 1
        there = (docs[place] == ids) & (found >= 0) & (steps[np.maximum(found, 0)] // SHIFT == place)
        return np.where(there, found, -1)

    def at(self, ids: np.ndarray, when: Any) -> Column:
        """The stored value of each record at its moment, none where it was not there yet."""
        import numpy as np

        return Column(np.append(self.value.codes, np.int32(-1))[self.rows(ids, when)], self.value.kinds)

    def mended(self, fresh: States, stale: Sequence[int]) -> States:
        """With some records as they were read anew."""
        import numpy as np

        left = ~np.isin(self.record, np.array(stale, dtype=np.int64))
        record = self.record[left]
        place = np.searchsorted(record, fresh.record)
        codes = np.insert(self.value.codes[left], place, fresh.value.codes)
        since = np.insert(self.since[left], place, fresh.since)
        return States(np.insert(record, place, fresh.record), since, Column(codes, self.value.kinds))

    @property
    def cells(self) -> int:
        return 5 * len(self.record) + 8 * len(self.value.kinds.values)


class Kept:
    """The kept states of one company; all are of the same moment."""

    def __init__(self, company: Company) -> None:
        self._lock = threading.RLock()
        self._generation = -1
        self._news = News(company.store)
        self._states: OrderedDict[tuple[str, str], States] = OrderedDict()  # what was asked for longest ago first

    def of(self, company: Company, entity: str, keys: Sequence[str]) -> dict[str, States]:
        with self._lock:
            if self._generation != company.generation:
                self._generation = company.generation
                self._states.clear()
            self._renew(company)
            missing = [key for key in keys if (entity, key) not in self._states]
            for key, one in read(company, entity, missing).items():
                self._states[entity, key] = one
            for key in keys:
                self._states.move_to_end((entity, key))
            found = {key: self._states[entity, key] for key in keys}
            cells = sum(one.cells for one in self._states.values())
            while cells > CELLS:
                cells -= self._states.popitem(last=False)[1].cells
            return found

    def _renew(self, company: Company) -> None:
        """Take up what was written since."""
        news = self._news.since()
        if news is None:
            self._states.clear()
            return
        for entity in {entity for entity, _ in self._states} & news.keys():
            kept = {key: one for (of, key), one in self._states.items() if of == entity}
            written = news[entity]
            grown = [key for key, one in kept.items() if len(one.value.kinds.values) > 2 * len(one.record) + 10_000]
            for key in kept if written is None else grown:
                del self._states[entity, key]
                kept = {other: one for other, one in kept.items() if other != key}
            if written is not None and kept:
                stale = sorted(written)
                for key, fresh in read(company, entity, list(kept), {key: one.value.kinds for key, one in kept.items()}, stale).items():
                    self._states[entity, key] = kept[key].mended(fresh, stale)


_kept: WeakKeyDictionary[Company, Kept] = WeakKeyDictionary()


def states(company: Company, entity: str, keys: Iterable[str]) -> dict[str, States]:
    """The states of some fields of an entity's records, those of deleted ones among them. Not kept while something is being written here
    that may be taken back."""
    wanted = list(dict.fromkeys(keys))
    if company.store.writing:
        return read(company, entity, wanted)
    kept = _kept.get(company) or _kept.setdefault(company, Kept(company))
    return kept.of(company, entity, wanted)


def read(
    company: Company, entity: str, keys: Sequence[str], kinds: dict[str, Kinds] | None = None, ids: Sequence[int] | None = None
) -> dict[str, States]:
    """The states out of the store, of some records only; fields whose past is not kept apart (texts, lists, moments) out of the history."""
    import numpy as np

    table, found = company.table(entity), {}
    known = {".".join(path) for path in table.info.tracked} if table.info.history else set()
    tracked, others = [key for key in keys if key in known], [key for key in keys if key not in known]
    for some, ask in ((tracked, table.spells), (others, table.states)):
        rows = ask(*some, ids=ids) if some else []
        record, since = (np.array([row[n] for row in rows], dtype=np.int64) for n in (0, 1))
        for n, key in enumerate(some, 2):
            kind = Kinds() if kinds is None else kinds[key]
            found[key] = States.of(record, since, Column(kind.codes([row[n] for row in rows]), kind))
    return {key: found[key] for key in keys}
