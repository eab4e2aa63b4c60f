"""A table of documents: TinyDB's `Table`, every method of it, and what a CRM needs beyond (see `crm.stores.base.TableLike`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson
from tinydb import table as tinydb_table

from crm.errors import Conflict
from crm.stores import declaring, reading
from crm.stores.asof import AsOf
from crm.stores.base import By, Change, Cond, Document, Measures, OrderBy, When
from crm.stores.history import of_document, of_table
from crm.stores.lookup import looking
from crm.stores.query import ALL, Part, Untracked
from crm.stores.reading import DEFAULT_MEASURES, SQLReading, frame_of, split
from crm.stores.sqlite import SQLiteStorage, TableInfo
from crm.stores.writing import Writer, dumps, tidy

if TYPE_CHECKING:
    import pandas as pd

Fields = Mapping | Callable[[dict], None]


class Table(tinydb_table.Table):
    """One table. No answer is cached: each read sees what is committed, and what it gives belongs to the caller. TinyDB's query cache
    keeps compiled conditions instead."""

    document_class = Document
    default_query_cache_capacity = 1000
    _storage: SQLiteStorage

    def __init__(
        self, storage: SQLiteStorage, name: str, cache_size: int = default_query_cache_capacity, persist_empty: bool = False
    ) -> None:
        self._storage = storage
        self._name = name
        self._next_id: Any = None
        self._query_cache: Any = self.query_cache_class(capacity=cache_size)
        storage.info(name)
        if persist_empty:
            with storage.begin():
                storage.show(self.info)

    @property
    def info(self) -> TableInfo:
        """What the store knows of this table."""
        return self._storage.info(self._name)

    @property
    def _sql(self) -> SQLReading:
        return SQLReading(self._storage, self.info)

    def _compile(self, cond: Any) -> Part:
        if cond is None:
            return ALL
        info, cache = self.info, self._query_cache
        if type(getattr(cond, "_hash", None)) is not tuple:
            return self._storage.compiler.compile(cond, info)
        try:
            known = cache.get(cond)
            if known is not None and known[0] is info:
                return known[1]
            part = self._storage.compiler.compile(cond, info)
            cache.set(cond, (info, part))
        except KeyError:  # another thread made room in the cache just now
            return self._storage.compiler.compile(cond, info)
        return part

    # reading

    def _make(self, row: tuple) -> Document:
        return self.document_class(orjson.loads(row[2]), self.document_id_class(row[0]), row[1])

    def _select(self, part: Part, order_by: OrderBy, limit: int | None, offset: int) -> Iterator[Document]:
        sql = self._sql
        rest = sql.where(part) + sql.order(order_by) + reading.slice_sql(limit, offset)
        text = f"SELECT doc_id,version,json(doc) FROM {self.info.source} AS m{rest}"
        return map(self._make, self._storage.connection.execute(text, part.params))

    def find(self, cond: Cond = None, order_by: OrderBy = (), limit: int | None = None, offset: int = 0) -> list[Document]:
        """Documents in order; see `crm.stores.base.Reading.find`."""
        part = self._compile(cond)
        if part.exact:
            return list(self._select(part, order_by, limit, offset or 0))
        assert cond is not None
        with looking(self._storage):
            fitting = (doc for doc in self._select(part, order_by, None, 0) if cond(doc))
            return list(islice(fitting, offset or 0, None if limit is None else (offset or 0) + limit))

    def search(self, cond: Any) -> list[Document]:  # type: ignore[override]
        """Documents that match, by id."""
        return self.find(cond)

    def all(self) -> list[Document]:  # type: ignore[override]
        """All documents, by id."""
        return self.find()

    def __iter__(self) -> Iterator[Document]:
        return iter(self.find())

    def __len__(self) -> int:
        return self._storage.one(f"SELECT count(*) FROM {self.info.source}")

    def get(self, cond: Cond = None, doc_id: int | None = None, doc_ids: Iterable[int] | None = None) -> Any:
        """One document by condition or id (None when there is none), or those of `doc_ids` that exist, by id."""
        if doc_id is not None:
            if doc_id != doc_id:
                return None
            row = self._storage.connection.execute(self.info.sql_get, (int(doc_id),)).fetchone()
            return self._make(row) if row else None
        if doc_ids is not None:
            return sorted(self.get_many(dict.fromkeys(doc_ids)), key=lambda d: d.doc_id)
        if cond is not None:
            return next(iter(self.find(cond, limit=1)), None)
        raise RuntimeError("You have to pass either cond or doc_id or doc_ids")

    def get_many(self, ids: Iterable[int]) -> list[Document]:
        """The documents of `ids` that exist, in the order of `ids`."""
        wanted = [int(i) for i in ids]
        if not wanted:
            return []
        info, c = self.info, self._storage.connection
        if len(wanted) <= 12:
            rows = [row for i in wanted if (row := c.execute(info.sql_get, (i,)).fetchone())]
            return [self._make(row) for row in rows]
        sql = f"SELECT doc_id,version,json(doc) FROM {info.source} WHERE doc_id IN (SELECT value FROM json_each(?))"
        found = {row[0]: row for row in c.execute(sql, (orjson.dumps(wanted).decode(),))}
        return [self._make(found[i]) for i in wanted if i in found]

    def among(self, ids: Iterable[int], paths: Sequence[str], cond: Cond = None) -> list[tuple]:
        """Raw stored values of those of `ids` that match, in no order; see `crm.stores.base.TableLike.among`."""
        wanted = list(ids)
        part = self._compile(cond)
        if part.exact:
            return self._sql.among(wanted, paths, part)
        assert cond is not None
        with looking(self._storage):
            return [tuple(reading.pick(doc, p) for p in paths) for doc in self.get_many(wanted) if cond(doc)]

    def ids(self, cond: Cond = None, order_by: OrderBy = (), limit: int | None = None, offset: int = 0) -> list[int]:
        """Only the ids of what `find` would give."""
        part = self._compile(cond)
        if part.exact:
            return self._sql.ids(part, order_by, limit, offset)
        return [doc.doc_id for doc in self.find(cond, order_by, limit, offset)]

    def count(self, cond: Cond = None) -> int:
        """How many documents match."""
        part = self._compile(cond)
        return self._sql.count(part) if part.exact else len(self.find(cond))

    def spells(self, *paths: str, ids: Iterable[int] | None = None) -> list[tuple]:
        """`(doc_id, since, value, …)` of every state that fields that are no texts were in, by document and time; times in milliseconds since 1970;
        of all documents or some.

        Equal values may follow each other. Raises `Untracked` for a field whose past is not kept apart."""
        info = self.info
        columns = [info.tracked.get(split(path)) for path in paths]
        if None in columns or not info.history:
            raise Untracked(paths[columns.index(None)] if None in columns else info.name)
        only, params = (
            ("", ()) if ids is None else (" WHERE doc_id IN (SELECT value FROM json_each(?))", (orjson.dumps(list(ids)).decode(),))
        )
        return self._storage.rows(f"SELECT doc_id,since,{','.join(map(str, columns))} FROM {info.past}{only} ORDER BY doc_id,since", params)

    def values(
        self, paths: Sequence[str], cond: Cond = None, order_by: OrderBy = (), limit: int | None = None, offset: int = 0
    ) -> list[tuple]:
        """Raw stored values of some paths; see `crm.stores.base.Reading.values`."""
        part = self._compile(cond)
        if part.exact:
            return self._sql.values(paths, part, order_by, limit, offset)
        return [tuple(reading.pick(doc, p) for p in paths) for doc in self.find(cond, order_by, limit, offset)]

    def aggregate(self, by: By = (), measures: Measures | None = None, cond: Cond = None) -> list[dict[str, Any]]:
        """Grouped figures; see `crm.stores.base.Reading.aggregate`."""
        part = self._compile(cond)
        if part.exact:
            return self._sql.aggregate(by, measures or DEFAULT_MEASURES, part)
        return reading.aggregate(self.find(cond), by, measures or DEFAULT_MEASURES)

    def frame(
        self, paths: Sequence[str] | None = None, cond: Cond = None, order_by: OrderBy = (), limit: int | None = None
    ) -> pd.DataFrame:
        """A frame of stored values; see `crm.stores.base.Reading.frame`."""
        info = self.info
        wanted = [".".join(p) for p in info.kinds] if paths is None else list(paths)
        part = self._compile(cond)
        if part.exact:
            columns = self._sql.columns(wanted, part, order_by, limit)
        else:
            docs = self.find(cond, order_by, limit)
            columns = [[doc.doc_id for doc in docs], *([reading.pick(doc, p) for doc in docs] for p in wanted)]
        return frame_of(columns, wanted, [info.kind(split(p)) for p in wanted])

    # writing

    def _document(self, document: Any) -> dict:
        if not isinstance(document, Mapping):
            raise ValueError("Document is not a Mapping")
        return tidy(self.info, dict(document))

    def insert(self, document: Mapping) -> int:
        """A new document; its id."""
        return self.insert_multiple((document,))[0]

    def insert_multiple(self, documents: Iterable[Mapping]) -> list[int]:
        """New documents, all or none; their ids. A `Document` keeps the id it has."""
        self._next_id = None
        with self._storage.begin():
            writer = Writer(self._storage, self.info)
            following, known, rows = writer.next_id(), False, []
            for document in documents:
                doc = self._document(document)
                if isinstance(document, tinydb_table.Document):
                    i, known = int(document.doc_id), True
                    following = max(following, i + 1)
                else:
                    i, following = following, following + 1
                rows.append((i, doc, dumps(doc)))
            if rows:
                writer.create(rows, known)
        return [i for i, _, _ in rows]

    def _meant(self, cond: Cond, doc_ids: Iterable[int] | None) -> list[Document]:
        if doc_ids is not None:
            return self.get_many(dict.fromkeys(int(i) for i in doc_ids))
        return self.find(cond)

    def update(
        self,
        fields: Fields,
        cond: Cond = None,
        doc_ids: Iterable[int] | None = None,
        expect_version: int | None = None,
    ) -> list[int]:
        """Change documents; see `crm.stores.base.TableLike.update`."""
        with self._storage.begin():
            wanted = None if doc_ids is None else [int(i) for i in doc_ids]
            docs = self._meant(cond, wanted)
            self._expect(docs, wanted, expect_version, fields)
            self._change([(doc, [fields]) for doc in docs])
        return [doc.doc_id for doc in docs]

    def _expect(self, docs: list[Document], wanted: list[int] | None, version: int | None, fields: Any) -> None:
        if version is None:
            return
        yours = {"version": version, "fields": dict(fields) if isinstance(fields, Mapping) else fields}
        there = {doc.doc_id for doc in docs}
        for i in wanted or ():
            if i not in there:
                raise Conflict(i, yours, None)
        for doc in docs:
            if doc.version != version:
                raise Conflict(doc.doc_id, yours, doc)

    def _change(self, changes: Iterable[tuple[Document, list[Fields]]], act: str = "change") -> list[int]:
        info = self.info
        rows = []
        for doc, updates in changes:
            old = orjson.loads(dumps(doc))
            new: Any = doc
            for fields in updates:
                if callable(fields):
                    fields(new)
                else:
                    new.update(fields)
            rows.append((doc.doc_id, doc.version, old, orjson.loads(dumps(tidy(info, dict(new))))))
        return Writer(self._storage, info).change(rows, act) if rows else []

    def update_multiple(self, updates: Iterable[tuple[Fields, Any]]) -> list[int]:
        """`(fields, condition)` pairs in one go; an id for each pair that meant it."""
        pairs = list(updates)
        with self._storage.begin():
            meant: dict[int, list[Fields]] = {}
            docs: dict[int, Document] = {}
            told: list[int] = []
            for fields, cond in pairs:
                for doc in self.find(cond):
                    docs.setdefault(doc.doc_id, doc)
                    meant.setdefault(doc.doc_id, []).append(fields)
                    told.append(doc.doc_id)
            self._change([(docs[i], meant[i]) for i in sorted(meant)])
        return told

    def patch_many(self, patches: Mapping[int, Mapping[str, Any]]) -> list[int]:
        """Each document by its own fields, in one go; ids of those changed. A None removes the field."""
        return self._patch(patches, "change")

    def update_derived(self, doc_id: int, patch: Mapping[str, Any]) -> bool:
        """Write computed values without a new version."""
        return bool(self._patch({doc_id: patch}, "derived"))

    def update_many_derived(self, patches: Mapping[int, Mapping[str, Any]]) -> int:
        """Write computed values of many documents."""
        return len(self._patch(patches, "derived"))

    def _patch(self, patches: Mapping[int, Mapping[str, Any]], act: str) -> list[int]:
        if not patches:
            return []
        with self._storage.begin():
            changes: list[Any] = []
            for doc in self.get_many(patches):
                patch = patches[doc.doc_id]
                changes.append((doc, [lambda d, patch=patch: _overlay(d, patch)]))
            return self._change(changes, act)

    def upsert(self, document: Mapping, cond: Any = None) -> list[int]:
        """Change what matches, or insert."""
        with self._storage.begin():
            ids = [document.doc_id] if isinstance(document, tinydb_table.Document) else None
            if ids is None and cond is None:
                raise ValueError("Without a search query the document must have a doc_id: use a Document")
            return self.update(document, cond, ids) or [self.insert(document)]

    def remove(self, cond: Cond = None, doc_ids: Iterable[int] | None = None, expect_version: int | None = None) -> list[int]:
        """Remove documents; their history stays."""
        if cond is None and doc_ids is None:
            raise RuntimeError("Use truncate() to remove all documents")
        with self._storage.begin():
            wanted = None if doc_ids is None else [int(i) for i in doc_ids]
            docs = self._meant(cond, wanted)
            self._expect(docs, wanted, expect_version, {})
            if docs:
                Writer(self._storage, self.info).remove([(doc.doc_id, doc.version, dict(doc)) for doc in docs])
        return [doc.doc_id for doc in docs]

    def truncate(self) -> None:
        """Remove all documents; ids start again at 1, versions go on."""
        self._next_id = None
        with self._storage.begin():
            info = self.info
            writer = Writer(self._storage, info)
            for some in _portions(self.all(), 5000):
                writer.remove([(doc.doc_id, doc.version, dict(doc)) for doc in some])
            c = self._storage.connection
            c.execute("DELETE FROM sqlite_sequence WHERE name=?", ("t_" + self._name,))
            c.execute("UPDATE _tables SET reused=1 WHERE id=?", (info.id,))
            self._storage.changed_shape()

    def drop(self) -> None:
        """Remove the table; the documents stay in history."""
        with self._storage.begin():
            self.truncate()
            self._storage.connection.execute("UPDATE _tables SET shown=0 WHERE id=?", (self.info.id,))
            self._storage.changed_shape()

    # time

    def history(self, doc_id: int, limit: int | None = None) -> list[Change]:
        """All changes of one document, oldest first; also of a removed one."""
        return of_document(self._storage, self.info, int(doc_id), limit)

    def past(self) -> Iterator[Change]:
        """All changes of all documents, oldest first, one by one."""
        return of_table(self._storage, self.info)

    def states(self, *keys: str, ids: Iterable[int] | None = None) -> list[tuple]:
        """`(doc_id, since, value, …)` of every state that fields of any kind were in, by document and time (ms since 1970), out of history:
        a row whenever one of them was given a value; of all documents or some. As from `spells`, equal ones may follow each other."""
        params: list[Any] = [self.info.id]
        columns: list[str] = []
        for key in keys:
            columns.append(f"patch->CASE act WHEN 'create' THEN ?{len(params) + 1} ELSE ?{len(params) + 2} END")
            params += [f'$."{key}"', f'$."{key}"[1]']
        only = f" AND doc_id IN (SELECT value FROM json_each(?{len(params) + 1}))" if ids is not None else ""
        params += [] if ids is None else [orjson.dumps(list(ids)).decode()]
        named = " OR ".join(f"json_type(patch,?{2 * n + 2}) IS NOT NULL" for n in range(len(keys)))
        sql = f"SELECT doc_id,at,{','.join(columns)} FROM _history WHERE tbl=?1{only} AND act<>'delete' AND ({named}) ORDER BY doc_id,seq"
        found: list[tuple] = []
        read: dict[str, Any] = {}
        state: list[Any] = []
        last = None
        for doc_id, at, *given in self._storage.rows(sql, params):
            state = [None] * len(keys) if doc_id != last else list(state)
            last = doc_id
            for n, text in enumerate(given):
                if text is not None:
                    if text not in read:
                        read[text] = orjson.loads(text)
                    state[n] = read[text]
            found.append((doc_id, at, *state))
        return found

    def writes(self, since: int, until: int, after: int = 0) -> list[tuple[str, int, int]]:
        """`(who, at, doc_id)` of every change somebody made from one moment up to another (ms since 1970), oldest first; not what the
        engine worked out itself. `after` a sequence number: only of later changes."""
        by = "NOT INDEXED" if after else ""  # the last ones are found by number
        sql = (
            f"SELECT s.who,h.at,h.doc_id FROM _history h {by} JOIN _steps s ON s.id=h.step"
            " WHERE h.seq>? AND h.tbl=? AND h.at>=? AND h.at<=? AND h.act IN ('create','change','delete') ORDER BY h.seq"
        )
        return self._storage.rows(sql, (after, self.info.id, since, until))

    def as_of(self, when: When) -> AsOf:
        """The table as it was at that moment, read only."""
        return AsOf(self, when)

    # shape

    def declare(
        self,
        fields: Mapping[str, str] | None = None,
        indexes: Iterable[Sequence[str]] | None = None,
        fulltext: Mapping[str, Sequence[str]] | None = None,
        live: str | None = None,
        history: bool | None = None,
        sparse: Iterable[str] | None = None,
    ) -> None:
        """Say what the table is asked for; see `crm.stores.base.TableLike.declare`."""
        declaring.declare(self._storage, self._name, fields, indexes, fulltext, live, history, sparse)

    def migrate(
        self,
        rename: Mapping[str, str] | None = None,
        drop: Iterable[str] | None = None,
        retype: Mapping[str, Callable[[Any], Any]] | None = None,
    ) -> int:
        """Rename, drop and convert fields of all documents in one step; how many documents changed."""
        changed = 0
        with self._storage.begin():
            after, drops = 0, list(drop or ())
            while some := list(self._select(Part("doc_id>?", [after], True), (), 2000, 0)):
                after = some[-1].doc_id
                edit: list[Fields] = [lambda doc: declaring.migrated(doc, rename or {}, drops, retype or {})]
                changed += len(self._change([(doc, edit) for doc in some], "migrate"))
        return changed

    # TinyDB's own way to the data, for what subclasses it

    def _get_next_id(self) -> int:
        number: int | None = self._next_id
        if number is None:
            with self._storage.begin():
                number = Writer(self._storage, self.info).next_id()
        self._next_id = number + 1  # type: ignore[assignment]
        return number

    def _read_table(self) -> dict[str, Mapping]:
        return {str(doc.doc_id): dict(doc) for doc in self.find()}

    def _update_table(self, updater: Callable[[dict[int, Mapping]], None]) -> None:
        with self._storage.begin():
            docs = {doc.doc_id: doc for doc in self.find()}
            table: dict[int, Mapping] = {i: orjson.loads(dumps(doc)) for i, doc in docs.items()}
            updater(table)
            self.remove(doc_ids=[i for i in docs if i not in table])
            changes: list[Any] = [(docs[i], [lambda d, new=table[i]: _replace(d, new)]) for i in docs if i in table]  # type: ignore[misc]
            self._change(changes)
            self.insert_multiple(Document(doc, i) for i, doc in table.items() if i not in docs)


def present(database: Any, sources: Sequence[tuple[str, Sequence[Cond]]]) -> list[bool]:
    """See `crm.stores.base.DatabaseLike.present`."""
    texts: list[str] = []
    params: list[Any] = []
    storage = None
    for name, conds in sources:
        table = database.table(name)
        storage = table._storage
        parts = [table._compile(cond) for cond in conds]
        said = [part.sql for part in parts if part.exact and part.sql != "1"]
        where = f" WHERE {' AND '.join(said)}" if said else ""  # type: ignore[arg-type]
        texts.append(f"EXISTS (SELECT 1 FROM {table.info.source} AS m{where})")
        for part in parts:
            params += part.params if part.exact else []
    if storage is None:
        return []
    return [bool(one) for one in storage.rows("SELECT " + ",".join(texts), params)[0]]


def newest(database: Any, sources: Sequence[tuple[str, Sequence[Cond], str]], limit: int) -> list[tuple[int, int, Any]]:
    """See `crm.stores.base.DatabaseLike.newest`: one statement for all sources whose conditions SQL can say."""
    texts: list[str] = []
    params: list[Any] = []
    found: list[tuple[int, int, Any]] = []
    storage = None
    for number, (name, conds, path) in enumerate(sources):
        table = database.table(name)
        storage, sql = table._storage, table._sql
        parts = [table._compile(cond) for cond in conds]
        if not all(part.exact for part in parts):

            def holds(doc: Any, conds: Sequence[Cond] = conds) -> bool:
                return all(cond is None or cond(doc) for cond in conds)

            rest = [part for part in parts if part.sql is not None]
            superset = storage.compiler.conjunction(rest)._replace(exact=False) if rest else Part(None, [], False)
            with looking(storage):
                fitting = (doc for doc in table._select(superset, [f"-{path}"], None, 0) if holds(doc))
                found += [(number, doc.doc_id, reading.pick(doc, path)) for doc in islice(fitting, limit)]
            continue
        said = [part.sql for part in parts if part.sql != "1"]
        where = f" WHERE {' AND '.join(said)}" if said else ""  # type: ignore[arg-type]
        order = sql.order([f"-{path}"])
        texts.append(
            f"SELECT * FROM (SELECT {number},doc_id,{sql.value(path)} FROM {table.info.source} AS m{where}{order}{reading.slice_sql(limit, 0)})"
        )
        for part in parts:
            params += part.params
    if texts:
        assert storage is not None
        found += storage.rows(" UNION ALL ".join(texts), params)
    return found


def _overlay(doc: dict, patch: Mapping[str, Any]) -> None:
    for key, value in patch.items():
        if value is None:
            doc.pop(key, None)
        else:
            doc[key] = value


def _replace(doc: dict, new: Mapping) -> None:
    doc.clear()
    doc.update(new)


def _portions(docs: list[Document], size: int) -> Iterator[list[Document]]:
    for start in range(0, len(docs), size):
        yield docs[start : start + size]
