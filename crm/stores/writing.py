"""Every write to a table goes through here: the row, its history, its past, its list elements and its full text, in one transaction.

How a history row keeps its patch: a creation and a deletion keep the document itself; a change keeps `{field: [old, new]}`, with a third
element `"+"` where the field was absent before and `"-"` where it is absent after (so that null and absent stay apart).
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from itertools import takewhile
from typing import Any

import apsw
import orjson

from crm.stores import fulltext
from crm.stores.clock import FOREVER
from crm.stores.query import MAX_INT, Path
from crm.stores.sqlite import SQLiteStorage, TableInfo, quoted

MISSING: Any = object()
LOG = "INSERT INTO _history(step,tbl,doc_id,version,at,act,patch) VALUES (?,?,?,?,?,?,?)"


def dumps(value: Any) -> str:
    """JSON text; dates, decimals and other things JSON does not know raise TypeError, never become something else."""
    return orjson.dumps(value, default=_plain, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_PASSTHROUGH_DATETIME).decode()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a {type(value).__name__} cannot be kept in a JSON document: {value!r}")


def tidy(info: TableInfo, doc: dict) -> dict:
    """Without the empty declared fields."""
    empty = [k for k, v in doc.items() if v is None and k in info.tops]
    for key in empty:
        del doc[key]
    for path in info.nested:
        holder: Any = doc
        for key in path[:-1]:
            holder = holder.get(key) if isinstance(holder, dict) else None
        if isinstance(holder, dict) and holder.get(path[-1], MISSING) is None:
            doc[path[0]] = holder = deepcopy(doc[path[0]])  # the caller's own stays as it is
            for key in path[1:-1]:
                holder = holder[key]
            del holder[path[-1]]
    return doc


def dig(doc: Any, path: Path) -> Any:
    """The value at a path, None when there is none."""
    for key in path:
        if not isinstance(doc, dict):
            return None
        doc = doc.get(key)
    return doc


def plain(value: Any) -> Any:
    """A value as SQLite's columns hold it, and as its `json_extract` gives it."""
    kind = type(value)
    if kind is str or kind is float or value is None:
        return value
    if kind is bool:
        return int(value)
    if kind is int:
        return value if -MAX_INT <= value < MAX_INT else float(value)
    return dumps(value)


def columns(info: TableInfo, doc: dict) -> list:
    """The values of a document's columns."""
    return [plain(doc.get(path[0]) if len(path) == 1 else dig(doc, path)) for path in info.made_paths]


def same(a: Any, b: Any) -> bool:
    """Whether two JSON values are the same; 1, 1.0 and true are three values."""
    if isinstance(a, dict | list) or isinstance(b, dict | list):
        return orjson.dumps(a, option=orjson.OPT_SORT_KEYS) == orjson.dumps(b, option=orjson.OPT_SORT_KEYS)
    return type(a) is type(b) and a == b


def difference(old: dict, new: dict) -> dict[str, list]:
    """The patch from one document to the next, as history keeps it."""
    patch: dict[str, list] = {}
    for key, was in old.items():
        now = new.get(key, MISSING)
        if now is MISSING:
            patch[key] = [was, None, "-"]
        elif now is not was and not same(was, now):
            patch[key] = [was, now]
    for key, now in new.items():
        if key not in old:
            patch[key] = [None, now, "+"]
    return patch


def apply(doc: dict, patch: Mapping[str, list]) -> None:
    """Take a document one change forward."""
    for key, entry in patch.items():
        if len(entry) == 3 and entry[2] == "-":
            doc.pop(key, None)
        else:
            doc[key] = entry[1]


def unapply(doc: dict, patch: Mapping[str, list]) -> None:
    """Take a document one change back."""
    for key, entry in patch.items():
        if len(entry) == 3 and entry[2] == "+":
            doc.pop(key, None)
        else:
            doc[key] = entry[0]


class Writer:
    """Writes to one table inside a running transaction."""

    def __init__(self, storage: SQLiteStorage, info: TableInfo) -> None:
        tx = storage.transaction
        assert tx is not None, "writes belong in a transaction"
        self.storage, self.info, self.tx, self.c = storage, info, tx, storage.connection
        storage.show(info)

    def next_id(self) -> int:
        """The id the next new document gets; ids are not used twice."""
        name = "t_" + self.info.name
        return (self.storage.one("SELECT seq FROM sqlite_sequence WHERE name=?", (name,)) or 0) + 1

    def create(self, rows: list[tuple[int, dict, str]], known: bool = False) -> None:
        """New documents `(id, document, JSON)`; `known` says that these ids may have been used before."""
        info, at = self.info, self.tx.at
        versions: dict[int, int] = {}
        times: dict[int, int] = {}
        if known or info.reused:
            for i, _, _ in rows:
                last = self.last(i)
                if last:
                    versions[i], times[i] = last[0] + 1, max(at, last[1])
        try:
            if len(rows) == 1:
                i, _, js = rows[0]
                self.c.execute(info.sql_insert, (i, versions.get(i, 1), js, *columns(info, rows[0][1])))
            else:
                self.c.executemany(info.sql_insert, [(i, versions.get(i, 1), js, *columns(info, doc)) for i, doc, js in rows])
        except apsw.ConstraintError as exc:
            there = takewhile(lambda i: self.storage.one(f"SELECT 1 FROM {info.source} WHERE doc_id=?", (i,)), (i for i, _, _ in rows))
            which = list(there)[-1]
            raise ValueError(f"Document with ID {which} already exists") from exc
        self.log([(i, versions.get(i, 1), times.get(i, at), "create", js) for i, _, js in rows])
        self.remember([(i, times.get(i, at), doc) for i, doc, _ in rows])
        if info.element_paths:
            self.elements([(i, {}, doc) for i, doc, _ in rows])
        if info.groups:
            self.tx.texts += fulltext.update(self.c, info, [(i, None, doc) for i, doc, _ in rows])

    def change(self, rows: list[tuple[int, int, dict, dict]], act: str = "change") -> list[int]:
        """Changed documents `(id, version, old, new)`; ids of those that really differ."""
        info, log, told, changed = self.info, [], [], []
        up: dict[tuple[int, ...], list[tuple]] = {}  # by the columns that change: an index on others is left alone
        step = 0 if act == "derived" else 1
        for i, version, old, new in rows:
            patch = difference(old, new)
            if not patch:
                continue
            at = self.moment(i)
            touched = tuple(n for n, path in enumerate(info.made_paths) if path[0] in patch)
            values = [plain(dig(new, info.made_paths[n])) for n in touched]
            up.setdefault(touched, []).append((version + step, dumps(new), *values, i))
            log.append((i, version + step, at, act, dumps(patch)))
            if not info.tracked_tops.isdisjoint(patch):
                told.append((i, at, new))
            changed.append((i, old, new))
        if not up:
            return []
        for touched, updates in up.items():
            sets = "".join(f",{quoted('c_' + info.made[n])}=?" for n in touched)
            self.c.executemany(f"UPDATE {info.source} SET version=?,doc=jsonb(?){sets} WHERE doc_id=?", updates)
        self.log(log)
        self.remember(told, again=True)
        if info.element_paths:
            self.elements(changed)
        if info.groups:
            self.tx.texts += fulltext.update(self.c, info, changed)
        return [i for i, _, _ in changed]

    def remove(self, rows: list[tuple[int, int, dict]]) -> None:
        """Removed documents `(id, version, document)`."""
        info = self.info
        self.c.executemany(f"DELETE FROM {info.source} WHERE doc_id=?", [(i,) for i, _, _ in rows])
        log = [(i, version + 1, self.moment(i), "delete", dumps(doc)) for i, version, doc in rows]
        self.log(log)
        if info.tracked and info.history:
            self.c.executemany(f"UPDATE {info.past} SET until=? WHERE doc_id=? AND until={FOREVER}", [(at, i) for i, _, at, _, _ in log])
        if info.element_paths:
            self.elements([(i, doc, {}) for i, _, doc in rows])
        if info.groups:
            self.tx.texts += fulltext.update(self.c, info, [(i, doc, None) for i, _, doc in rows])

    def last(self, doc_id: int) -> tuple[int, int] | None:
        """Version and time of the latest change of a document."""
        return self.c.execute(
            "SELECT version,at FROM _history WHERE tbl=? AND doc_id=? ORDER BY seq DESC LIMIT 1", (self.info.id, doc_id)
        ).fetchone()

    def moment(self, doc_id: int) -> int:
        """When a change of this document happens: the step's time, but never before its previous change."""
        last = self.last(doc_id)
        return max(self.tx.at, last[1]) if last else self.tx.at

    def log(self, entries: list[tuple[int, int, int, str, str]]) -> None:
        """History of `(id, version, time, act, patch)`."""
        if not self.info.history:
            return
        step, tbl = self.tx.id, self.info.id
        if len(entries) == 1:
            i, version, at, act, patch = entries[0]
            self.c.execute(LOG, (step, tbl, i, version, at, act, patch))
        else:
            self.c.executemany(LOG, [(step, tbl, i, version, at, act, patch) for i, version, at, act, patch in entries])

    def remember(self, moments: list[tuple[int, int, dict]], again: bool = False) -> None:
        """The tracked fields of documents as they are from a time on, `(id, time, document)`."""
        info = self.info
        if not info.tracked or not info.history or not moments:
            return
        if again:
            close = f"UPDATE {info.past} SET until=? WHERE doc_id=? AND until={FOREVER}"
            self.c.executemany(close, [(at, i) for i, at, _ in moments])
        self.c.executemany(info.sql_remember, [(i, at, *(plain(dig(doc, path)) for path in info.tracked)) for i, at, doc in moments])

    def elements(self, rows: list[tuple[int, dict, dict]]) -> None:
        """Keep the index of list elements in step."""
        gone: list[tuple] = []
        come: list[tuple] = []
        for path, key in self.info.element_paths.items():
            name = ".".join(path)
            for i, old, new in rows:
                was, now = members(dig(old, path), key), members(dig(new, path), key)
                gone.extend((name, v, i) for v in was - now)
                come.extend((name, v, i) for v in now - was)
        if gone:
            self.c.executemany(f"DELETE FROM {self.info.element_table} WHERE path=? AND value=? AND doc_id=?", gone)
        if come:
            self.c.executemany(f"INSERT OR IGNORE INTO {self.info.element_table} VALUES (?,?,?)", come)


def members(value: Any, key: tuple[str, ...]) -> set:
    """The indexable elements of a list: scalars, or one key of its objects."""
    if not isinstance(value, list):
        return set()
    found = (dig(v, key) if key else v for v in value)
    return {v for v in found if isinstance(v, str | int | float) and not (key and isinstance(v, bool))}
