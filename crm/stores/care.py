"""Care of the file: copies made while others work, putting one back, and proof that all parts agree."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path as FilePath
from typing import Any

import apsw
import orjson

from crm.stores.asof import rebuild_elements, rebuild_past, replay
from crm.stores.clock import FOREVER
from crm.stores.fulltext import LAST, SHIFT, arrange, build, number, text_of
from crm.stores.reading import split
from crm.stores.sqlite import SQLiteStorage, TableInfo, literal, quoted
from crm.stores.writing import dig, members
from crm.words import folded as fold

MOST = 20  # problems of one sort told one by one


def backup(storage: SQLiteStorage, path: str | os.PathLike) -> None:
    """Copy the store to `path` (replaced only when the copy is whole)."""
    target = FilePath(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".partial")
    partial.unlink(missing_ok=True)
    copy = apsw.Connection(str(partial))
    try:
        with copy.backup("main", storage.connection, "main") as job:
            while not job.done:
                job.step(2000)
        copy.execute("PRAGMA journal_mode=DELETE")
    finally:
        copy.close(True)
    with open(partial, "rb+") as file:
        os.fsync(file.fileno())
    os.replace(partial, target)


def restore(storage: SQLiteStorage, path: str | os.PathLike) -> None:
    """Put a backup in place of all that is in the store, after looking whether it is sound."""
    source = FilePath(path)
    if not source.is_file():
        raise FileNotFoundError(f"there is no file {source}")
    copy = apsw.Connection(str(source), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        try:
            problems = [row[0] for row in copy.execute("PRAGMA integrity_check")]
            tables = {row[0] for row in copy.execute("SELECT name FROM sqlite_schema WHERE type='table'")}
        except apsw.Error as exc:
            raise ValueError(f"{source} is no backup of a store: {exc}") from exc
        if problems != ["ok"]:
            raise ValueError(f"{source} is damaged: {problems[0]}")
        if not {"_tables", "_steps", "_history"} <= tables:
            raise ValueError(f"{source} is no backup of a store")
        with storage._writer, storage.connection.backup("main", copy, "main") as job:
            while not job.done:
                job.step(10_000)
    finally:
        copy.close(True)
    storage._forget()
    with storage.begin():
        arrange(storage)
        storage.changed_shape()


def verify(storage: SQLiteStorage, repair: bool = False) -> list[str]:
    """Problems as sentences, none when all is sound."""
    problems = [f"the file is damaged: {row[0]}" for row in storage.rows("PRAGMA integrity_check") if row[0] != "ok"]
    if problems:
        return problems
    with storage.reading():
        try:
            fts_ok = True
            storage.connection.execute("INSERT INTO _fts(_fts, rank) VALUES ('integrity-check', 0)")
        except apsw.Error as exc:
            fts_ok = False
            problems.append(f"full text does not agree with itself: {exc}")
        known = {name for (name,) in storage.rows("SELECT name FROM _tables")}
        for (name,) in storage.rows("SELECT substr(name,3) FROM sqlite_schema WHERE type='table' AND name LIKE 't\\_%' ESCAPE '\\'"):
            if name not in known:
                problems.append(f"table {name} is not in the list of tables")
        for name in sorted(known):
            info = storage.info(name)
            problems += _documents(storage, info)
            problems += _columns(storage, info)
            problems += _past(storage, info)
            problems += _elements(storage, info)
            problems += _texts(storage, info)
        slots = {slot for (slot,) in storage.rows("SELECT id FROM _groups")}
        for (slot,) in storage.rows(f"SELECT DISTINCT rowid>>{SHIFT} FROM _fts"):
            if slot not in slots:
                problems.append(f"full text has rows of a group {slot} that is not declared")
        for sha, size, data in storage.connection.execute("SELECT sha,size,data FROM _blobs"):
            if len(data) != size or hashlib.sha256(data).hexdigest() != sha:
                problems.append(f"blob {sha} is not what was stored")
        for (n,) in storage.rows("SELECT count(*) FROM _history h LEFT JOIN _steps s ON s.id=h.step WHERE s.id IS NULL"):
            if n:
                problems.append(f"{n} entries of history belong to no step")
    if repair and problems:
        _repair(storage, fts_ok)
        return verify(storage)
    return problems


def _repair(storage: SQLiteStorage, fts_ok: bool) -> None:
    with storage.begin():
        if not fts_ok:
            storage.connection.execute("INSERT INTO _fts(_fts) VALUES ('rebuild')")
        slots = [slot for (slot,) in storage.rows("SELECT id FROM _groups")]
        marks = ",".join(map(str, slots)) or "NULL"
        storage.connection.execute(f"DELETE FROM _fts WHERE (rowid>>{SHIFT}) NOT IN ({marks})")
        for (name,) in storage.rows("SELECT name FROM _tables"):
            info = storage.info(name)
            if info.made:
                values = ",".join(f"{quoted('c_' + path)}=json_extract(doc,{literal(split(path))})" for path in info.made)
                storage.connection.execute(f"UPDATE {info.source} SET {values}")
            rebuild_past(storage, info)
            rebuild_elements(storage, info)
            for slot, paths in info.groups.values():
                build(storage, info, slot, paths)


def _few(sort: list[str]) -> list[str]:
    return sort if len(sort) <= MOST else [*sort[:MOST], f"… and {len(sort) - MOST} more of this kind"]


def _documents(storage: SQLiteStorage, info: TableInfo) -> list[str]:
    """Whether each document is what its history says."""
    if not info.history:
        return []
    problems: list[str] = []
    rows = iter(storage.rows(f"SELECT doc_id,version,json(doc) FROM {info.source} ORDER BY doc_id"))
    ends: dict[int, tuple[int, Any]] = {}

    def ending() -> Any:
        last: tuple[int, int, Any] | None = None
        for i, version, _, _, state in replay(storage, info):
            if last is not None and last[0] != i:
                yield last
            last = (i, version, state)
        if last is not None:
            yield last

    for i, version, state in ending():
        if state is not None:
            ends[i] = (version, orjson.dumps(state, option=orjson.OPT_SORT_KEYS))
    for i, version, js in rows:
        said = ends.pop(i, None)
        if said is None:
            problems.append(f"{info.name} {i} has no history")
        elif said[0] != version:
            problems.append(f"{info.name} {i} is at version {version}, its history at {said[0]}")
        elif said[1] != orjson.dumps(orjson.loads(js), option=orjson.OPT_SORT_KEYS):
            problems.append(f"{info.name} {i} is not what its history says")
    problems += [f"{info.name} {i} is gone, its history does not know" for i in ends]
    return _few(problems)


def _columns(storage: SQLiteStorage, info: TableInfo) -> list[str]:
    """Whether the columns hold what the documents say."""
    if not info.made:
        return []
    apart = " OR ".join(f"{quoted('c_' + path)} IS NOT json_extract(doc,{literal(split(path))})" for path in info.made)
    rows = storage.rows(f"SELECT doc_id FROM {info.source} WHERE {apart}")
    return _few([f"the columns of {info.name} {i} are not those of the document" for (i,) in rows])


def _past(storage: SQLiteStorage, info: TableInfo) -> list[str]:
    """Whether the open intervals are today's values."""
    if not info.tracked or not info.history:
        return []
    held = ",".join(["doc_id", *info.tracked.values()])
    (apart,) = storage.rows(
        f"SELECT count(*) FROM (SELECT * FROM (SELECT {held} FROM {info.source} EXCEPT SELECT {held} FROM {info.past} WHERE until={FOREVER})"
        f" UNION ALL SELECT * FROM (SELECT {held} FROM {info.past} WHERE until={FOREVER} EXCEPT SELECT {held} FROM {info.source}))"
    )[0]
    return [f"the past of {info.name} differs from its documents in {apart} rows"] if apart else []


def _elements(storage: SQLiteStorage, info: TableInfo) -> list[str]:
    """Whether the index of list elements is complete."""
    if not info.element_paths:
        return []
    there = set(storage.rows(f"SELECT path,value,doc_id FROM {info.element_table}"))
    said = {
        (".".join(path), value, i)
        for i, js in storage.rows(f"SELECT doc_id,json(doc) FROM {info.source}")
        for path, key in info.element_paths.items()
        for value in members(dig(orjson.loads(js), path), key)
    }
    apart = len(there ^ said)
    return [f"the list index of {info.name} differs from its documents in {apart} entries"] if apart else []


def _texts(storage: SQLiteStorage, info: TableInfo) -> list[str]:
    """Whether full text has what the documents say."""
    problems = []
    for group, (slot, paths) in info.groups.items():
        there = dict(storage.rows("SELECT rowid,text FROM _fts WHERE rowid>=? AND rowid<?", (slot << SHIFT, (slot + 1) << SHIFT)))
        for i, js in storage.rows(f"SELECT doc_id,json(doc) FROM {info.source}"):
            text = fold(text_of(orjson.loads(js), paths))
            if there.pop(number(slot, i), "") != text:
                problems.append(f"full text of {info.name} {i} ({group}) is not that of the document")
        problems += [f"full text of {info.name} {LAST - (rowid & LAST)} ({group}) has no document" for rowid in there]
    return _few(problems)
