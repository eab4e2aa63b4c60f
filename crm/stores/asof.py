"""A table as it was at a moment.

Two ways lead there. The declared fields that are no texts have their past as intervals of time (`v_<table>`): what asks for nothing else
(counts, groups, sums, frames of figures) is one scan in SQL. Everything else takes the documents of today and undoes, newest first, what
happened since.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson

from crm.stores import reading
from crm.stores.base import By, Cond, Document, Measures, OrderBy, When
from crm.stores.clock import FOREVER, to_ms
from crm.stores.lookup import looking
from crm.stores.query import Part, Path, Untracked
from crm.stores.reading import DEFAULT_MEASURES, SQLReading, frame_of, split
from crm.stores.sqlite import ELEMENT_KINDS, SQLiteStorage, TableInfo
from crm.stores.writing import apply, dig, members, plain, unapply

if TYPE_CHECKING:
    import pandas as pd

    from crm.stores.tables import Table


class Past:
    """The past of a table's tracked fields at one moment; a `Relation`."""

    def __init__(self, info: TableInfo, at: int) -> None:
        if not info.tracked or not info.history:
            raise Untracked(info.name)
        self.info, self.at = info, at
        self.source = f"(SELECT * FROM {info.past} WHERE since<={at} AND until>{at})"
        self.whole = f"(SELECT * FROM {info.past} WHERE +since<={at} AND +until>{at} LIMIT -1)"  # the same, all of it read in one go

    def column(self, path: Path) -> str | None:
        found = self.info.tracked.get(path)
        if found is None:
            raise Untracked(".".join(path))
        return found

    def kind(self, path: Path) -> str | None:
        return self.info.kinds.get(path)

    def elements(self, path: Path) -> None:
        return None

    def tracks_text(self, path: Path) -> bool:
        return False

    def document(self) -> str:
        raise Untracked("the whole document")

    def table(self, name: str) -> Past:
        return Past(self.info.table(name), self.at)


class PastReading(SQLReading):
    """Reads of a past; versions are not in it."""

    def rows(self, sql: str, params: Any) -> list[tuple]:
        """An index that does not answer alone has the table looked up state by state: of half of all states that takes ten times as long
        as reading all of it, and no condition leaves few (those by number do not go by an index)."""
        name = self.rel.info.past.strip('"')
        plan = self.storage.rows("EXPLAIN QUERY PLAN " + sql, params)
        if any(line[3].startswith(f"SEARCH {name} USING INDEX") for line in plan):
            sql = sql.replace(f"FROM {self.rel.source} AS m", f"FROM {self.rel.whole} AS m")
        return self.storage.rows(sql, params)

    def value(self, path: str) -> str:
        if path == "version":
            raise Untracked(path)
        return super().value(path)

    def output(self, path: str) -> Any:
        if path == "version":
            raise Untracked(path)
        return super().output(path)


class AsOf:
    """Reads of `table` as it was at `when` (inclusive); see `crm.stores.base.Reading`."""

    def __init__(self, table: Table, when: When) -> None:
        self._table, self.at = table, to_ms(when)
        self._documents: dict[int, Document] | None = None

    @property
    def name(self) -> str:
        """The table's name."""
        return self._table.name

    def _undo(self, ids: Iterable[int] | None) -> dict[int, Document | None]:
        """What documents were, of those that changed since; None for what did not exist."""
        info, storage = self._table.info, self._table._storage
        sql = "SELECT doc_id,version,act,patch FROM _history WHERE tbl=? AND at>?"
        params: list[Any] = [info.id, self.at]
        states: dict[int, Document | None] = {}
        if ids is not None:
            wanted = list(ids)
            sql += " AND doc_id IN (SELECT value FROM json_each(?))" if len(wanted) > 1 else " AND doc_id=?"
            params.append(orjson.dumps(wanted).decode() if len(wanted) > 1 else wanted[0])
        rows = storage.rows(sql + " ORDER BY seq DESC", params)
        today = {doc.doc_id: doc for doc in self._table.get_many(dict.fromkeys(row[0] for row in rows))}
        for i, version, act, patch in rows:
            state = states[i] if i in states else today.get(i)
            if act == "create":
                state = None
            elif act == "delete":
                state = Document(orjson.loads(patch), i, version - 1)
            elif state is not None:
                unapply(state, orjson.loads(patch))
                state.version = version - (act != "derived")
            states[i] = state
        return states

    def _all(self) -> dict[int, Document]:
        if self._documents is None:
            with self._table._storage.reading():
                undone = self._undo(None)
                docs = {doc.doc_id: doc for doc in self._table.find() if doc.doc_id not in undone}
            docs.update({i: doc for i, doc in undone.items() if doc is not None})
            self._documents = dict(sorted(docs.items()))
        return self._documents

    def _copy(self, doc: Document) -> Document:
        return Document(orjson.loads(orjson.dumps(doc)), doc.doc_id, doc.version)

    def _past(self, cond: Cond) -> tuple[PastReading, Part] | None:
        """The reading in SQL, when the condition asks for tracked fields only."""
        storage = self._table._storage
        try:
            past = Past(self._table.info, self.at)
            part = storage.compiler.compile(cond, past)
        except Untracked:
            return None
        return (PastReading(storage, past), part) if part.exact else None

    def _fitting(self, cond: Cond) -> list[Document]:
        with looking(self._table._storage, self.at):
            return [doc for doc in self._all().values() if cond is None or cond(doc)]

    def get(self, cond: Cond = None, doc_id: int | None = None, doc_ids: Iterable[int] | None = None) -> Any:
        """One document by condition or id, or those of `doc_ids` that existed, by id."""
        if doc_id is not None:
            return next(iter(self.get_many([doc_id])), None)
        if doc_ids is not None:
            return sorted(self.get_many(dict.fromkeys(doc_ids)), key=lambda d: d.doc_id)
        if cond is not None:
            return next(iter(self.find(cond, limit=1)), None)
        raise RuntimeError("You have to pass either cond or doc_id or doc_ids")

    def get_many(self, ids: Iterable[int]) -> list[Document]:
        """The documents of `ids` that existed, in the order of `ids`."""
        wanted = [int(i) for i in ids]
        if not wanted:
            return []
        with self._table._storage.reading():
            undone = self._undo(dict.fromkeys(wanted))
            today = {doc.doc_id: doc for doc in self._table.get_many(dict.fromkeys(i for i in wanted if i not in undone))}
        found = (undone[i] if i in undone else today.get(i) for i in wanted)
        return [doc for doc in found if doc is not None]

    def find(self, cond: Cond = None, order_by: OrderBy = (), limit: int | None = None, offset: int = 0) -> list[Document]:
        """Documents in order."""
        way = self._past(cond)
        if way is not None and (cond is not None or limit is not None):
            try:
                return self.get_many(way[0].ids(way[1], order_by, limit, offset))
            except Untracked:
                pass
        docs = reading.sort(self._fitting(cond), order_by, self._linked)
        return [self._copy(doc) for doc in islice(docs, offset or 0, None if limit is None else (offset or 0) + limit)]

    def _linked(self, table: str, id: Any, path: str) -> Any:
        other = AsOf(type(self._table)(self._table._storage, table), "1970-01-01")
        other.at = self.at
        doc = other.get(doc_id=id) if isinstance(id, int) else None
        return None if doc is None else reading.pick(doc, path)

    def ids(self, cond: Cond = None, order_by: OrderBy = (), limit: int | None = None, offset: int = 0) -> list[int]:
        """Only the ids of what `find` would give."""
        way = self._past(cond)
        if way is not None:
            try:
                return way[0].ids(way[1], order_by, limit, offset)
            except Untracked:
                pass
        return [doc.doc_id for doc in self.find(cond, order_by, limit, offset)]

    def count(self, cond: Cond = None) -> int:
        """How many documents matched."""
        way = self._past(cond)
        return len(self._fitting(cond)) if way is None else way[0].count(way[1])

    def values(
        self, paths: Sequence[str], cond: Cond = None, order_by: OrderBy = (), limit: int | None = None, offset: int = 0
    ) -> list[tuple]:
        """Raw values of some paths."""
        way = self._past(cond)
        if way is not None:
            try:
                return way[0].values(paths, way[1], order_by, limit, offset)
            except Untracked:
                pass
        return [tuple(reading.pick(doc, p) for p in paths) for doc in self.find(cond, order_by, limit, offset)]

    def aggregate(self, by: By = (), measures: Measures | None = None, cond: Cond = None) -> list[dict[str, Any]]:
        """Grouped figures."""
        way = self._past(cond)
        if way is not None:
            try:
                return way[0].aggregate(by, measures or DEFAULT_MEASURES, way[1])
            except Untracked:
                pass
        return reading.aggregate(self._fitting(cond), by, measures or DEFAULT_MEASURES)

    def frame(
        self, paths: Sequence[str] | None = None, cond: Cond = None, order_by: OrderBy = (), limit: int | None = None
    ) -> pd.DataFrame:
        """A frame of values."""
        info = self._table.info
        wanted = [".".join(p) for p in info.kinds] if paths is None else list(paths)
        rows = self.values(["doc_id", *wanted], cond, order_by, limit)
        columns = [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(len(wanted) + 1)]
        return frame_of(columns, wanted, [info.kind(split(p)) for p in wanted])


def replay(storage: SQLiteStorage, info: TableInfo) -> Any:
    """The lives of all documents from history: `(doc_id, [(version, time, state or None), …])`, states are one dict that goes on changing."""
    rows = storage.connection.execute("SELECT doc_id,version,at,act,patch FROM _history WHERE tbl=? ORDER BY doc_id,seq", (info.id,))
    state: dict | None = None
    current: int | None = None
    for i, version, at, act, patch in rows:
        if i != current:
            current, state = i, None
        if act == "create":
            state = orjson.loads(patch)
        elif act == "delete":
            state = None
        elif state is not None:
            apply(state, orjson.loads(patch))
        yield i, version, at, act, state


def rebuild_past(storage: SQLiteStorage, info: TableInfo) -> None:
    """The intervals of the tracked fields anew, from history."""
    c = storage.connection
    c.execute(f"DELETE FROM {info.past}")
    if not info.tracked or not info.history:
        return
    paths = list(info.tracked)
    marks = ",".join("?" * (3 + len(paths)))
    sql = f"INSERT OR REPLACE INTO {info.past}(doc_id,since,until,{','.join(info.tracked.values())}) VALUES ({marks})"

    def intervals() -> Any:
        open_: tuple | None = None
        for i, _, at, _, state in replay(storage, info):
            if open_ is not None and open_[0] != i:
                yield (open_[0], open_[1], FOREVER, *open_[2])
                open_ = None
            values = None if state is None else tuple(plain(dig(state, p)) for p in paths)
            if open_ is not None:
                if values == open_[2]:
                    continue
                if at > open_[1]:
                    yield (open_[0], open_[1], at, *open_[2])
                open_ = None
            if values is not None:
                open_ = (i, at, values)
        if open_ is not None:
            yield (open_[0], open_[1], FOREVER, *open_[2])

    c.executemany(sql, list(intervals()))


def rebuild_elements(storage: SQLiteStorage, info: TableInfo) -> None:
    """The index of list elements anew, from the documents."""
    c = storage.connection
    c.execute(f"DELETE FROM {info.element_table}")
    paths = [(path, ELEMENT_KINDS[kind]) for path, kind in info.kinds.items() if kind in ELEMENT_KINDS]
    if not paths:
        return

    def rows() -> Any:
        for i, js in storage.rows(f"SELECT doc_id,json(doc) FROM {info.source}"):
            doc = orjson.loads(js)
            for path, key in paths:
                for value in members(dig(doc, path), key):
                    yield ".".join(path), value, i

    c.executemany(f"INSERT OR IGNORE INTO {info.element_table} VALUES (?,?,?)", list(rows()))
