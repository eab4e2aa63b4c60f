"""Columns of an entity's records, kept in memory and renewed by what changed: what reports work out from single values is taken from here.

A column is the distinct values that occur (`Kinds`) and for each record the number of its value, so that a condition or a group is worked
out once a value and not once a record. Nothing here is bound by rights: `Figures.columns` takes of it what a user may see.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

import orjson

from crm.records.shape import DELETED

if TYPE_CHECKING:
    import numpy as np

    from crm.records.company import Company
    from crm.stores.base import Change, DatabaseLike

#: Changes after which the tables they are of are read anew instead of mended.
MOST = 2000
#: Cells of all columns of a company kept, each distinct value counted as eight: some 200 megabytes. What was not asked for longest goes first.
CELLS = 40_000_000
#: Of so many ways in which values can occur together, a table of all is made.
DENSE = 1 << 18
#: Kinds of values of which two that are equal are the same.
PLAIN = frozenset((str, int, type(None)))


class Kinds:
    """Distinct values in the order they were first met. It grows and never changes, so that columns of several moments may share it."""

    def __init__(self, values: Iterable[Any] = ()) -> None:
        self.values: list[Any] = []
        self._index: dict[Hashable, int] = {None: -1}
        self._derived: dict[Hashable, np.ndarray] = {}
        self._lock = threading.Lock()
        self.codes(values)

    def codes(self, values: Iterable[Any]) -> np.ndarray:
        """The number of each value, -1 of None; new ones are taken up."""
        import numpy as np

        values = list(values)
        keys = values
        if not set(map(type, values)) <= PLAIN:
            others = {id(one): one for one in values if type(one) not in PLAIN}  # one that stands in many rows is looked at once
            marks = {name: _mark(one) for name, one in others.items()}
            keys = [one if type(one) in PLAIN else marks[id(one)] for one in values]
        with self._lock:
            for key, value in dict(zip(keys, values, strict=True)).items():
                if key not in self._index:
                    self.values.append(value)  # first, so that whoever knows the number finds the value
                    self._index[key] = len(self.values) - 1
            return np.fromiter(map(self._index.__getitem__, keys), dtype=np.int32, count=len(keys))

    def derived(self, name: Hashable, work: Callable[[Sequence[Any]], np.ndarray]) -> np.ndarray:
        """What follows from each value alone, as an array; worked out once for each."""
        import numpy as np

        size, known = len(self.values), self._derived.get(name)
        if known is None:
            known = self._derived[name] = work(self.values[:size])
        elif len(known) < size:
            known = self._derived[name] = np.concatenate([known, work(self.values[len(known) : size])])
        return known


def _mark(value: Any) -> Hashable:
    """What tells values apart that are equal and not the same (1, 1.0, True), and lists."""
    return orjson.dumps(value, default=str) if isinstance(value, (list, dict)) else (type(value), value)


class Column:
    """Values row by row: `codes` say which of `kinds`, -1 none."""

    __slots__ = ("codes", "kinds")

    def __init__(self, codes: np.ndarray, kinds: Kinds) -> None:
        self.codes, self.kinds = codes, kinds

    @classmethod
    def of(cls, values: Iterable[Any]) -> Column:
        """A column of its own."""
        kinds = Kinds()
        return cls(kinds.codes(values), kinds)

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, row: int) -> Any:
        code = self.codes[row]
        return None if code < 0 else self.kinds.values[code]

    def __iter__(self) -> Iterator[Any]:
        kinds = self.kinds.values
        return (None if code < 0 else kinds[code] for code in self.codes.tolist())

    def take(self, rows: np.ndarray) -> Column:
        """Some rows, in an order of their own; also by a mask."""
        return Column(self.codes[rows], self.kinds)

    def occurring(self) -> list[int]:
        """The numbers of the values that do occur."""
        import numpy as np

        seen = np.zeros(len(self.kinds.values) + 1, dtype=bool)
        seen[self.codes] = True
        return np.flatnonzero(seen[:-1]).tolist()

    def mapped(self, known: dict[Any, Any]) -> Column:
        """With another value in place of each; None of what is not known."""
        import numpy as np

        kinds, here = Kinds(), self.occurring()
        table = np.full(len(self.kinds.values) + 1, -1, dtype=np.int32)
        table[here] = kinds.codes(known.get(self.kinds.values[code]) for code in here)
        return Column(table[self.codes], kinds)


def combined(columns: Sequence[Column], size: int) -> tuple[np.ndarray, np.ndarray]:
    """For each row the number of its combination of values, and for each combination a row that has it."""
    import numpy as np

    mixed, total = np.zeros(size, dtype=np.int64), 1
    for column in columns:
        many = len(column.kinds.values) + 1
        if total * many >= 1 << 62:
            kinds, mixed = np.unique(mixed, return_inverse=True)
            total = len(kinds)
        mixed = mixed * many + (column.codes.astype(np.int64) + 1)
        total *= many
    if total > DENSE:
        _, rows, codes = np.unique(mixed, return_index=True, return_inverse=True)
        return codes, rows
    first = np.full(total, -1, dtype=np.int64)
    first[mixed] = np.arange(size)
    there = np.flatnonzero(first >= 0)
    number = np.zeros(total, dtype=np.int64)
    number[there] = np.arange(len(there))
    return number[mixed], first[there]


def placed(ids: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The places, among rising numbers, of those of the wanted ones that are there, and which of the wanted ones these are."""
    import numpy as np

    place = np.searchsorted(ids, wanted)
    there = np.zeros(len(wanted), dtype=bool)
    inside = place < len(ids)
    there[inside] = ids[place[inside]] == wanted[inside]
    return place[there], there


def marked(ids: np.ndarray, wanted: Sequence[int]) -> np.ndarray:
    """Which of rising numbers are wanted."""
    import numpy as np

    found = np.zeros(len(ids), dtype=bool)
    found[placed(ids, np.array(wanted, dtype=np.int64))[0]] = True
    return found


def moments(texts: Sequence[str | None]) -> np.ndarray:
    """Stored dates or moments in milliseconds since 1970 (UTC), of a day its beginning, of nothing -1; an array of whole numbers."""
    import numpy as np

    cut = [(one[:23] if len(one) > 22 else one.removesuffix("Z")) if one else "NaT" for one in texts]
    found = np.array(cut, dtype="datetime64[ms]")
    return np.where(np.isnat(found), -1, found.astype(np.int64))


class News:
    """Follows the changes of a store."""

    def __init__(self, store: DatabaseLike) -> None:
        self.store = store
        self._last: Change | None = None

    def since(self) -> dict[str, set[int] | None] | None:
        """The documents of each table that were written to since this was asked last, None instead of very many; None at all where
        everything has to be read anew: at first, in another store, or when what was seen then was taken back."""
        heard = self.heard()
        if heard is None:
            return None
        found: dict[str, set[int] | None] = dict.fromkeys(heard[1])
        for one in heard[0]:
            found.setdefault(one.table, set()).add(one.doc_id)  # type: ignore[union-attr]
        return found

    def heard(self) -> tuple[list[Change], set[str]] | None:
        """The changes themselves; instead of very many, the tables they are of."""
        store, last = self.store, self._last
        now = store.sequence
        if last is not None:
            changes = store.changes(last.seq - 1, MOST)
            if changes and _who(changes[0]) == _who(last):
                if len(changes) < MOST:
                    self._last = changes[-1]
                    return changes[1:], set()
                tables = store.touched(last.seq)
                self._last = self._latest(now)
                return [], tables
        self._last = self._latest(now)
        return None

    def _latest(self, now: int) -> Change | None:
        return next(iter(self.store.changes(now - 1, 1)), None) if now else None


def _who(change: Change) -> tuple[Any, ...]:
    """What tells a change from another that bears its number."""
    return change.seq, change.step, change.table, change.doc_id, change.version, change.at


class Kept(NamedTuple):
    """The columns of a table at one moment: the records' numbers, rising, and which of them are not deleted."""

    ids: np.ndarray
    living: np.ndarray
    columns: dict[str, Column]


class Columns:
    """The kept columns of one company; all are of the same moment."""

    def __init__(self, company: Company) -> None:
        self.store = company.store
        self._lock = threading.RLock()
        self._generation = -1
        self._news = News(company.store)
        self._tables: dict[str, Kept] = {}
        self._used: OrderedDict[tuple[str, str], None] = OrderedDict()  # what was asked for longest ago first

    def of(self, company: Company, name: str, paths: Iterable[str]) -> Kept | None:
        """The columns at some paths of a table, as it is now; None where they are not to be kept: they are too large, or something is
        being written here just now that may be taken back."""
        if self.store.writing:
            return None
        with self._lock:
            if self._generation != company.generation:
                self._generation = company.generation
                self._tables = {}
            self._renew()
            wanted = list(dict.fromkeys(paths))
            kept = self._tables.get(name)
            if kept is None and self._large(name):
                return None
            kept = self._read(name, wanted) if kept is None else self._added(name, kept, wanted)
            self._tables[name] = kept
            for path in wanted:
                self._used[name, path] = None
                self._used.move_to_end((name, path))
            found = Kept(kept.ids, kept.living, {path: kept.columns[path] for path in wanted})
            self._make_room()
            return found

    def _large(self, name: str) -> bool:
        """Whether a table is too large to be kept. Its last number tells that it is not; only where that is high are its records counted."""
        table = self.store.table(name)
        last = table.ids(order_by="-doc_id", limit=1)
        return bool(last) and last[0] * 2 > CELLS and table.count() * 2 > CELLS

    def _renew(self) -> None:
        """Take up what was written since."""
        news = self._news.since()
        if news is None:
            self._tables = {}
            return
        for name in news.keys() & self._tables.keys():
            stale = news[name]
            if stale is None:
                del self._tables[name]
            else:
                self._tables[name] = self._mended(name, self._tables[name], sorted(stale))

    def _read(self, name: str, paths: list[str]) -> Kept:
        import numpy as np

        rows = self.store.table(name).values(["doc_id", DELETED, *paths])
        columns = {path: Column.of([row[n] for row in rows]) for n, path in enumerate(paths, 2)}
        return Kept(np.array([row[0] for row in rows], dtype=np.int64), np.array([row[1] is None for row in rows], dtype=bool), columns)

    def _added(self, name: str, kept: Kept, paths: list[str]) -> Kept:
        import numpy as np

        paths = [path for path in paths if path not in kept.columns]
        if not paths:
            return kept
        rows = self.store.table(name).values(["doc_id", *paths])
        ids = np.array([row[0] for row in rows], dtype=np.int64)
        place, same = placed(kept.ids, ids)  # one made a moment ago comes with the next renewal
        columns = dict(kept.columns)
        for n, path in enumerate(paths, 1):
            kinds = Kinds()
            codes = np.full(len(kept.ids), -1, dtype=np.int32)
            codes[place] = kinds.codes([row[n] for row in rows])[same]
            columns[path] = Column(codes, kinds)
        return kept._replace(columns=columns)

    def _mended(self, name: str, kept: Kept, stale: list[int]) -> Kept:
        """With some records read anew."""
        import numpy as np

        columns = {path: one for path, one in kept.columns.items() if len(one.kinds.values) <= 2 * len(kept.ids) + 10_000}
        rows = sorted(self.store.table(name).among(stale, ["doc_id", DELETED, *columns]), key=lambda row: row[0])
        there = np.array([row[0] for row in rows], dtype=np.int64)
        left = ~np.isin(kept.ids, np.array(stale, dtype=np.int64))
        ids = kept.ids[left]
        place = np.searchsorted(ids, there)
        living = np.insert(kept.living[left], place, [row[1] is None for row in rows])
        for n, (path, column) in enumerate(columns.items(), 2):
            codes = np.insert(column.codes[left], place, column.kinds.codes(row[n] for row in rows))
            columns[path] = Column(codes, column.kinds)
        return Kept(np.insert(ids, place, there), living, columns)

    def _make_room(self) -> None:
        cells = sum(_cells(one) for kept in self._tables.values() for one in kept.columns.values())
        while cells > CELLS and self._used:
            (name, path), _ = self._used.popitem(last=False)
            kept = self._tables.get(name)
            if kept is not None and path in kept.columns:
                cells -= _cells(kept.columns[path])
                left = {key: one for key, one in kept.columns.items() if key != path}
                self._tables[name] = kept._replace(columns=left)


def _cells(column: Column) -> int:
    return len(column.codes) + 8 * len(column.kinds.values)


_columns: WeakKeyDictionary[Company, Columns] = WeakKeyDictionary()


def kept_of(company: Company, entity: str, paths: Iterable[str]) -> Kept | None:
    """The columns of an entity's records as they are now, deleted ones among them; None where they have to be asked of the store."""
    found = _columns.get(company)
    if found is None:
        found = _columns.setdefault(company, Columns(company))
    return found.of(company, entity, paths)
