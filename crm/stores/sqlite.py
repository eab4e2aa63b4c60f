"""SQLite underneath: how it says things (`SQLite`, the dialect), and connections, transactions and tables (`SQLiteStorage`).

A table `x` of documents is `t_x(doc_id, version, c_<path> …, doc)`: the document as JSONB, and each declared scalar field in a column of its
own, written with the document (generated columns would do the same, but SQLite does not see that an index on them answers a query
alone). Beside it `v_x` holds the past of the declared fields as intervals of time and `e_x` the elements of its list fields. For the whole file: `_tables`, `_steps`, `_history`,
`_groups` and `_fts` (full text), `_meta`, `_blobs`.

Durability: WAL with `synchronous=FULL`: what was acknowledged survives a crash and a power cut. SQLite 3.7.0 to 3.51.2 can lose
committed data in WAL mode (sqlite.org/wal.html, the WAL-reset bug), so older libraries are refused. One connection a thread; one writer at
a time, in this process by a lock, between processes by SQLite's.
"""

from __future__ import annotations

import os
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path as FilePath
from typing import Any

import apsw
import orjson
from tinydb.storages import Storage

from crm.stores.base import When
from crm.stores.clock import FOREVER, now_ms, to_ms
from crm.stores.query import Compiler, Part, Path, Untracked
from crm.words import folded as fold

SOUND_SINCE = (3, 51, 3)
BUSY_MS = 60_000
REBUILD_UP_TO = 50_000  # rows: below, the table is made anew with a newly declared column before the document; above, it is added behind

COLUMN_KINDS = frozenset("text number integer money percent date datetime duration boolean choice link".split())
TRACKED_KINDS = COLUMN_KINDS - {"text", "datetime"}  # whose past is kept as intervals; texts and moments would make it slow for all
NUMBER_KINDS = frozenset("number integer money percent duration boolean link".split())
ELEMENT_KINDS = {"list": (), "links": ("id",)}

SCHEMA = """
CREATE TABLE IF NOT EXISTS _tables (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, shown INTEGER NOT NULL DEFAULT 0,
    reused INTEGER NOT NULL DEFAULT 0, declared TEXT NOT NULL DEFAULT '{}');
CREATE TABLE IF NOT EXISTS _steps (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, who TEXT NOT NULL, note TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS _history (seq INTEGER PRIMARY KEY AUTOINCREMENT, step INTEGER NOT NULL, tbl INTEGER NOT NULL,
    doc_id INTEGER NOT NULL, version INTEGER NOT NULL, at INTEGER NOT NULL, act TEXT NOT NULL, patch BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS _history_doc ON _history (tbl, doc_id);
CREATE INDEX IF NOT EXISTS _history_step ON _history (step);
CREATE TABLE IF NOT EXISTS _groups (id INTEGER PRIMARY KEY, tbl INTEGER NOT NULL, name TEXT NOT NULL, UNIQUE (tbl, name));
CREATE VIRTUAL TABLE IF NOT EXISTS _fts USING fts5(text, raw UNINDEXED, tokenize='trigram', detail=none);
CREATE TABLE IF NOT EXISTS _meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _blobs (sha TEXT PRIMARY KEY, size INTEGER NOT NULL, data BLOB NOT NULL);
"""


def quoted(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(path: Path) -> str:
    """A JSON path as an SQL literal (a bound one would miss the indexes)."""
    return "'$" + "".join('."' + key.replace("'", "''") + '"' for key in path) + "'"


class SQLite:
    """SQLite's way of saying conditions on JSON documents; `crm.stores.query.Dialect`."""

    name = "sqlite"

    def sayable(self, path: Path) -> bool:
        return all(key.isprintable() and '"' not in key and "\\" not in key and "\0" not in key for key in path)

    def value(self, rel: Any, path: Path) -> str:
        column = rel.column(path)
        return column if column else f"json_extract({rel.document()},{literal(path)})"

    def type(self, rel: Any, path: Path) -> str:
        return f"json_type({rel.document()},{literal(path)})"

    def exists(self, rel: Any, path: Path) -> str:
        return f"{rel.column(path) or self.type(rel, path)} IS NOT NULL"

    def is_null(self, rel: Any, path: Path) -> str:
        return "0" if rel.column(path) else f"{self.type(rel, path)}='null'"

    def equal(self, rel: Any, path: Path, value: Any) -> tuple[str, list]:
        sql = f"{self.value(rel, path)}=?"
        if isinstance(value, str) and value[:1] in ("[", "{") and rel.tracks_text(path):  # an array's value is its text
            sql = f"({sql} AND {self.type(rel, path)}='text')"
        return sql, [int(value) if isinstance(value, bool) else value]

    def compare(self, rel: Any, path: Path, op: str, value: Any) -> tuple[str, list]:
        x = self.value(rel, path)
        if isinstance(value, str):  # numbers sort before all text
            sql = f"{x}{op}?" if op[0] == ">" else f"{x}{op}? AND {x}>=''"
            return (f"({sql})" if rel.column(path) else f"({sql} AND {self.type(rel, path)}='text')"), [value]
        return (f"({x}{op}? AND {x}<'')" if op[0] == ">" else f"{x}{op}?"), [value]

    def among(self, rel: Any, path: Path, values: list) -> tuple[str, list]:
        if any(isinstance(v, str) and v[:1] in ("[", "{") for v in values):
            parts = [self.equal(rel, path, v) for v in values]
            return "(" + " OR ".join(sql for sql, _ in parts) + ")", [v for _, vs in parts for v in vs]
        plain = [int(v) if isinstance(v, bool) else v for v in values]
        if len(plain) > 200:
            return f"{self.value(rel, path)} IN (SELECT value FROM json_each(?))", [orjson.dumps(plain).decode()]
        return f"{self.value(rel, path)} IN ({','.join('?' * len(plain))})", plain

    def has_element(self, rel: Any, path: Path, values: list) -> tuple[str, list, bool]:
        plain = [int(v) if isinstance(v, bool) else v for v in values]
        marks = ",".join("?" * len(plain))
        if rel.elements(path) == ():
            return f"doc_id IN (SELECT doc_id FROM {rel.element_table} WHERE path=? AND value IN ({marks}))", [".".join(path), *plain], True
        doc = rel.document()
        sql = (
            f"({self.type(rel, path)}='array' AND EXISTS (SELECT 1 FROM json_each({doc},{literal(path)}) e "
            f"WHERE e.value IN ({marks}) AND e.type NOT IN ('array','object')))"
        )
        return f"({sql} OR {self.type(rel, path)} IN ('text','object'))", plain, False  # text and the keys of a dict are sequences too

    def element_with(self, rel: Any, path: Path, values: list) -> tuple[str, list]:
        """Documents with an element whose indexed key (`id` of a link) is one of `values`."""
        marks = ",".join("?" * len(values))
        return f"doc_id IN (SELECT doc_id FROM {rel.element_table} WHERE path=? AND value IN ({marks}))", [".".join(path), *values]

    def any_element(self, rel: Any, path: Path, inner: Callable[[Any], Part]) -> Part:
        doc = rel.document()
        part = inner(Element())
        if part.sql is None:
            return Part(self.exists(rel, path), [], False)
        sql = (
            f"({self.type(rel, path)}='array' AND EXISTS (SELECT 1 FROM json_each({doc},{literal(path)}) e "
            f"WHERE e.type='object' AND {part.sql}))"
        )
        if rel.elements(path) is None:
            return Part(f"({sql} OR {self.type(rel, path)}='array')", part.params, False)  # elements that are no objects: let Python say
        return Part(sql, part.params, part.exact)

    def linked(self, rel: Any, path: Path, table: Any, inner: Part) -> Part:
        where = f" WHERE {inner.sql}" if inner.sql not in (None, "1") else ""
        return Part(f"{self.value(rel, path)} IN (SELECT doc_id FROM {table.source}{where})", inner.params, inner.exact)

    def linked_from(self, rel: Any, key: Path, table: Any, inner: Part) -> Part:
        where = f" WHERE {inner.sql}" if inner.sql not in (None, "1") else ""
        if table.elements(key) is not None:
            sql = f"SELECT value FROM {table.element_table} WHERE path=?"
            if where:
                sql += f" AND doc_id IN (SELECT doc_id FROM {table.source}{where})"
            return Part(f"doc_id IN ({sql})", [".".join(key), *inner.params], inner.exact)
        return Part(f"doc_id IN (SELECT {self.value(table, key)} FROM {table.source}{where})", inner.params, inner.exact)

    def by_id(self, rel: Any, op: str, values: list) -> tuple[str, list]:
        if op in ("in", "==") or op in ("not in", "!="):
            sign = "" if op in ("in", "==") else "NOT "
            if len(values) > 200:
                return f"doc_id {sign}IN (SELECT value FROM json_each(?))", [orjson.dumps(values).decode()]
            return f"doc_id {sign}IN ({','.join('?' * len(values))})", values
        return f"doc_id{op}?", values[:1]

    def text_like(self, rel: Any, op: str, path: Path, text: str) -> tuple[str, list]:
        value, word = self.value(rel, path), fold(text)
        guard = f"typeof({value})='text'" if rel.column(path) else f"{self.type(rel, path)}='text'"
        if not word:
            return guard, []
        if op == "contains":
            return f"({guard} AND instr(crm_fold({value}),?)>0)", [word]
        if op == "starts":
            return f"({guard} AND substr(crm_fold({value}),1,?)=?)", [len(word), word]
        return f"({guard} AND substr(crm_fold({value}),-?)=?)", [len(word), word]

    def number(self, rel: Any, path: Path) -> str:
        """The value where it is a number."""
        x = self.value(rel, path)
        return x if rel.column(path) and rel.kind(path) in NUMBER_KINDS else f"CASE WHEN typeof({x}) IN ('integer','real') THEN {x} END"

    def bucket(self, unit: str, x: str) -> str:
        """The part of an ISO date or time that names its year, quarter, month, week or day."""
        if unit == "year":
            return f"substr({x},1,4)"
        if unit == "quarter":
            return f"substr({x},1,4)||'-Q'||((substr({x},6,2)+2)/3)"
        if unit == "month":
            return f"substr({x},1,7)"
        if unit == "week":
            return f"strftime('%G-W%V',{x})"
        if unit == "day":
            return f"substr({x},1,10)"
        if unit in ("hour", "minute"):
            return f"substr({x},1,{13 if unit == 'hour' else 16})"
        raise ValueError(f"{unit!r} is no unit of time here: year, quarter, month, week, day, hour or minute")


class Element:
    """The elements of a list, as conditions see them."""

    source = ""

    def column(self, path: Path) -> str | None:
        return None

    def kind(self, path: Path) -> str | None:
        return None

    def elements(self, path: Path) -> None:
        return None

    def tracks_text(self, path: Path) -> bool:
        return True

    def document(self) -> str:
        return "e.value"

    def table(self, name: str) -> Any:
        raise Untracked(name)


class TableInfo:
    """What is known of one table; a `Relation` for the compiler."""

    def __init__(self, storage: SQLiteStorage, id: int, name: str, shown: bool, reused: bool, declared: dict) -> None:
        self.storage, self.id, self.name, self.shown, self.reused, self.declared = storage, id, name, shown, reused, declared
        self.source, self.past, self.element_table = quoted("t_" + name), quoted("v_" + name), quoted("e_" + name)
        self.kinds: dict[Path, str] = {tuple(p.split(".")): k for p, k in declared.get("fields", {}).items()}
        self.columns = {p: quoted("c_" + ".".join(p)) for p, k in self.kinds.items() if k in COLUMN_KINDS}
        self.made: list[str] = declared.get(
            "made", []
        )  # paths that have a column in the table; one is never taken away while others may read
        self.live: str | None = declared.get("live")
        self.tracked = {p: c for p, c in self.columns.items() if self.kinds[p] in TRACKED_KINDS or ".".join(p) == self.live}
        self.element_paths = {p: ELEMENT_KINDS[k] for p, k in self.kinds.items() if k in ELEMENT_KINDS}
        self.groups: dict[str, tuple[int, list[Path]]] = {}
        self.history: bool = declared.get("history", True)
        self.tops = {p[0] for p in self.kinds if len(p) == 1}
        self.nested = [p for p in self.kinds if len(p) > 1]
        self.tracked_tops = {p[0] for p in self.tracked}
        self.made_paths: list[Path] = [tuple(p.split(".")) for p in self.made]
        made = [quoted("c_" + p) for p in self.made]
        self.sql_insert = (
            f"INSERT INTO {self.source}(doc_id,version,doc{''.join(',' + c for c in made)}) VALUES (?,?,jsonb(?){',?' * len(made)})"
        )
        self.sql_get = f"SELECT doc_id,version,json(doc) FROM {self.source} WHERE doc_id=?"
        held = "".join("," + column for column in self.tracked.values())
        self.sql_remember = f"INSERT OR REPLACE INTO {self.past}(doc_id,since,until{held}) VALUES (?,?,{FOREVER}{',?' * len(self.tracked)})"

    def column(self, path: Path) -> str | None:
        return self.columns.get(path)

    def kind(self, path: Path) -> str | None:
        return self.kinds.get(path)

    def elements(self, path: Path) -> tuple[str, ...] | None:
        return self.element_paths.get(path)

    def tracks_text(self, path: Path) -> bool:
        return True

    def document(self) -> str:
        return "doc"

    def table(self, name: str) -> TableInfo:
        return self.storage.info(name)


class Transaction:
    """A running transaction of one thread: the step its writes belong to."""

    __slots__ = ("storage", "who", "at", "note", "_id", "written", "depth", "infos", "texts")

    def __init__(self, storage: SQLiteStorage, who: str, at: int | None, note: str) -> None:
        self.storage, self.who, self.note = storage, who, note
        self.at = now_ms() if at is None else at
        self._id = 0  # not made yet
        self.written = False
        self.depth = 0
        self.texts = 0  # texts of full text written
        self.infos: dict[str, TableInfo] | None = None  # of its own as soon as it changed the shape of a table, until others may see it

    @property
    def id(self) -> int:
        """The number of the step; asking for it makes the step."""
        if not self.written:
            c = self.storage.connection
            if not c.in_transaction:
                raise RuntimeError("this step wrote nothing")
            c.execute("INSERT INTO _steps(id,at,who,note) VALUES (?,?,?,?)", (None, self.at, self.who, self.note))
            self._id = c.last_insert_rowid()
            self.written = True
        return self._id


class _Local(threading.local):
    """What one thread has: its connection and its running transaction."""

    connection: apsw.Connection | None = None
    transaction: Transaction | None = None
    keeper: Any = None


class _Keeper:
    """Closes a thread's connection when the thread is gone."""

    def __init__(self, connection: apsw.Connection) -> None:
        self.connection = connection

    def __del__(self) -> None:
        try:
            self.connection.close(True)
        except Exception:  # the interpreter may be going down
            pass


class SQLiteStorage(Storage):
    """One SQLite file with connections for all threads. `path` `:memory:` is a file of its own that is removed on closing."""

    def __init__(self, path: str | os.PathLike = ":memory:", *, cache_mb: int = 64, create_dirs: bool = True, **_: Any) -> None:
        found = tuple(int(x) for x in apsw.sqlite_lib_version().split("."))
        if found < SOUND_SINCE:
            raise RuntimeError(
                f"SQLite {apsw.sqlite_lib_version()} can lose committed data in WAL mode; "
                f"{'.'.join(map(str, SOUND_SINCE))} or later is needed (pip install -U apsw)"
            )
        self.dialect = SQLite()
        self.compiler = Compiler(self.dialect)
        self._temporary = None
        if str(path) == ":memory:":
            self._temporary = tempfile.TemporaryDirectory(prefix="crm-")
            path = FilePath(self._temporary.name) / "memory.db"
        self.path = str(path)
        if create_dirs:
            FilePath(self.path).absolute().parent.mkdir(parents=True, exist_ok=True)
        self._cache_kb = cache_mb * 1024
        self._local = _Local()
        self._connections: weakref.WeakSet[apsw.Connection] = weakref.WeakSet()
        self._writer = threading.RLock()
        self._infos: dict[str, TableInfo] = {}
        self._generation = -1
        self.closed = False
        from crm.stores import fulltext

        with self.begin():
            for statement in SCHEMA.split(";\n"):
                if statement.strip():
                    self.connection.execute(statement)
            fulltext.arrange(self)
        self.learn()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.path}>"

    # connections and transactions

    @property
    def connection(self) -> apsw.Connection:
        """This thread's connection."""
        c = self._local.connection
        if c is None:
            if self.closed:
                raise RuntimeError("the store is closed")
            c = apsw.Connection(self.path, statementcachesize=512)
            c.set_busy_timeout(BUSY_MS)
            mode = "OFF" if self._temporary else "FULL"
            for pragma in (
                "journal_mode=WAL",
                f"synchronous={mode}",
                f"cache_size=-{self._cache_kb}",
                "wal_autocheckpoint=4000",
            ):
                c.execute("PRAGMA " + pragma)
            c.create_scalar_function("crm_fold", _sql_fold, 1, deterministic=True)
            self._local.connection = c
            self._local.keeper = _Keeper(c)
            self._connections.add(c)
        return c

    @property
    def transaction(self) -> Transaction | None:
        """This thread's running transaction."""
        return self._local.transaction

    @contextmanager
    def begin(self, actor: str | None = None, at: When | None = None, note: str = "", separate: bool = False) -> Iterator[Transaction]:
        """A transaction, or a part of the running one that can fail on its own (and is a step of its own if `separate`)."""
        local, c = self._local, self.connection
        running = local.transaction
        if running is not None:
            running.depth += 1
            point, written, inner = f"p{running.depth}", running.written, running
            if separate:
                inner = local.transaction = Transaction(self, actor or running.who, None if at is None else to_ms(at), note)
                inner.depth, inner.infos = running.depth, running.infos
            c.execute("SAVEPOINT " + point)
            try:
                yield inner
            except BaseException:
                c.execute("ROLLBACK TO " + point)
                c.execute("RELEASE " + point)
                running.written = written
                self._forget()
                raise
            else:
                c.execute("RELEASE " + point)
            finally:
                running.depth -= 1
                running.infos = inner.infos
                if inner is not running:
                    running.texts += inner.texts
                local.transaction = running
            return
        from crm.stores import fulltext

        with self._writer:
            c.execute("BEGIN IMMEDIATE")
            try:
                generation = c.pragma("user_version")
                if generation != self._generation:
                    self._forget()
                    self._generation = generation
                tx = local.transaction = Transaction(self, actor or "system", None if at is None else to_ms(at), note)
                yield tx
                if tx.texts >= fulltext.BULK:
                    fulltext.look_after(self, tx.texts)
                c.execute("COMMIT")
                if tx.texts >= fulltext.BULK:
                    self.learn()
                if tx.infos is not None:
                    self._forget()
            except BaseException:
                if c.in_transaction:
                    c.execute("ROLLBACK")
                self._forget()
                raise
            finally:
                local.transaction = None

    @contextmanager
    def reading(self) -> Iterator[apsw.Connection]:
        """Several reads that see one state of the store."""
        c = self.connection
        if c.in_transaction:
            yield c
            return
        c.execute("BEGIN")
        try:
            yield c
        finally:
            c.execute("ROLLBACK")

    def learn(self) -> None:
        """Let SQLite look at tables that are new or have grown much, so that it knows which index finds least; a tenth of a second at most,
        as it reads some rows of each index."""
        try:
            self.connection.execute("PRAGMA analysis_limit=400")
            self.connection.execute("PRAGMA optimize=0x10002")
        except apsw.BusyError:
            pass  # somebody writes: the next time will do

    def _forget(self) -> None:
        self._infos = {}
        self._generation = -1
        if self.transaction is not None and self.transaction.infos is not None:
            self.transaction.infos = {}

    def changed_shape(self) -> None:
        """Tell all threads and processes, once this transaction is done, that declarations changed."""
        assert self.transaction is not None
        self.transaction.infos = {}
        self.connection.pragma("user_version", (self.connection.pragma("user_version") + 1) % 2**31)

    def close(self) -> None:
        """Close all connections of all threads."""
        self.closed = True
        for c in list(self._connections):
            c.close(True)
        self._connections.clear()
        self._local = _Local()
        if self._temporary:
            self._temporary.cleanup()

    def rows(self, sql: str, params: Any = ()) -> list[tuple]:
        """All rows of a query."""
        return self.connection.execute(sql, params).fetchall()

    def one(self, sql: str, params: Any = ()) -> Any:
        """The first value of the first row, None when there is none."""
        row = self.connection.execute(sql, params).fetchone()
        return row[0] if row else None

    # tables

    def names(self) -> set[str]:
        """The tables that exist for users of the store."""
        return {name for (name,) in self.rows("SELECT name FROM _tables WHERE shown")}

    def info(self, name: str) -> TableInfo:
        """What is known of a table; makes it when it is new."""
        info = self.known(name)
        return self._create(name) if info is None else info

    def known(self, name: str) -> TableInfo | None:
        """What is known of a table, None when there is none."""
        tx = self._local.transaction
        infos = self._infos if tx is None or tx.infos is None else tx.infos
        info = infos.get(name)
        if info is None:
            info = self._load(name)
            if info is not None:
                infos[name] = info
        return info

    def _load(self, name: str) -> TableInfo | None:
        row = self.connection.execute("SELECT id,shown,reused,declared FROM _tables WHERE name=?", (name,)).fetchone()
        if row is None:
            return None
        info = TableInfo(self, row[0], name, bool(row[1]), bool(row[2]), orjson.loads(row[3]))
        slots = dict(self.rows("SELECT name,id FROM _groups WHERE tbl=?", (info.id,)))
        for group, paths in info.declared.get("fulltext", {}).items():
            if group in slots:
                info.groups[group] = (slots[group], [tuple(p.split(".")) for p in paths])
        return info

    def _create(self, name: str) -> TableInfo:
        if not isinstance(name, str) or "\0" in name:
            raise ValueError(f"{name!r} cannot be the name of a table")
        with self.begin() as tx:
            c = self.connection
            c.execute("INSERT INTO _tables(name) VALUES (?) ON CONFLICT DO NOTHING", (name,))
            tx.infos = {} if tx.infos is None else tx.infos
            info = self.known(name)
            assert info is not None
            c.execute(table_sql(info, info.source))
            c.execute(
                f"CREATE TABLE IF NOT EXISTS {info.past} (doc_id INTEGER NOT NULL, since INTEGER NOT NULL, until INTEGER,"
                " PRIMARY KEY (doc_id, since)) WITHOUT ROWID"
            )
            c.execute(
                f"CREATE TABLE IF NOT EXISTS {info.element_table} (path TEXT NOT NULL, value, doc_id INTEGER NOT NULL,"
                " PRIMARY KEY (path, value, doc_id)) WITHOUT ROWID"
            )
        return info

    def show(self, info: TableInfo) -> None:
        """From now on the table exists for users, even while it is empty."""
        if not info.shown:
            self.connection.execute("UPDATE _tables SET shown=1 WHERE id=?", (info.id,))
            info.shown = True

    # TinyDB's storage interface: the whole store as one dict

    def read(self) -> dict[str, dict[str, Any]] | None:
        """All documents of all tables, None when there is no table."""
        return {
            name: {
                str(i): orjson.loads(doc) for i, doc in self.rows(f"SELECT doc_id,json(doc) FROM {self.info(name).source} ORDER BY doc_id")
            }
            for name in self.names()
        } or None

    def write(self, data: dict[str, dict[str, Any]]) -> None:
        """Replace everything; leaves history like any other write."""
        from crm.stores.tables import Table

        with self.begin():
            for name in self.names() - set(data):
                Table(self, name).drop()
            for name, documents in data.items():
                table = Table(self, name, persist_empty=True)
                table.truncate()
                table.insert_multiple(table.document_class(doc, int(i)) for i, doc in documents.items())


def _sql_fold(*values: Any) -> Any:
    return fold(values[0]) if isinstance(values[0], str) else values[0]


def table_sql(info: TableInfo, source: str) -> str:
    """The statement that makes a table; the document comes last, so that the columns are read without it."""
    columns = "".join(f"{quoted('c_' + path)}, " for path in info.made)
    return (
        f"CREATE TABLE IF NOT EXISTS {source} (doc_id INTEGER PRIMARY KEY AUTOINCREMENT, version INTEGER NOT NULL, {columns}"
        "doc BLOB NOT NULL)"
    )
