"""What a table is asked for (`declare`), and changing the shape of its documents (`migrate`)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import orjson

from crm.stores import fulltext as full
from crm.stores.asof import rebuild_elements, rebuild_past
from crm.stores.query import Path
from crm.stores.reading import ROW, split
from crm.stores.sqlite import (
    COLUMN_KINDS,
    ELEMENT_KINDS,
    REBUILD_UP_TO,
    SQLiteStorage,
    TableInfo,
    literal,
    quoted,
    table_sql,
)
from crm.stores.writing import dig


def declare(
    storage: SQLiteStorage,
    name: str,
    fields: Mapping[str, str] | None,
    indexes: Iterable[Sequence[str]] | None,
    fulltext: Mapping[str, Sequence[str]] | None,
    live: str | None,
    history: bool | None,
    sparse: Iterable[str] | None = None,
) -> None:
    """See `crm.stores.base.TableLike.declare`."""
    info = storage.info(name)
    wanted = dict(info.declared)
    if fields is not None:
        wanted["fields"] = dict(fields)
    if indexes is not None:
        wanted["indexes"] = [list(index) for index in dict.fromkeys(map(tuple, indexes))]
    if fulltext is not None:
        wanted["fulltext"] = {group: list(paths) for group, paths in fulltext.items()}
    if live is not None:
        wanted["live"] = live
    if history is not None:
        wanted["history"] = history
    if sparse is not None:
        wanted["sparse"] = list(dict.fromkeys(sparse))
    if wanted == info.declared and info.shown:
        return
    for path in [*wanted.get("fields", {}), *(p for index in wanted.get("indexes", []) for p in index)]:
        if not storage.dialect.sayable(split(path)):
            raise ValueError(f"{path!r} cannot be the path of a field")
    with storage.begin():
        info = storage.info(name)
        storage.show(info)
        _columns(storage, info, wanted)
        _keep(storage, info, wanted)
        info = storage.info(name)
        _indexes(storage, info)
        _fulltext(storage, info, wanted.get("fulltext", {}))


def _keep(storage: SQLiteStorage, info: TableInfo, wanted: dict) -> None:
    storage.connection.execute("UPDATE _tables SET declared=? WHERE id=?", (orjson.dumps(wanted).decode(), info.id))
    storage.changed_shape()


def _columns(storage: SQLiteStorage, info: TableInfo, wanted: dict) -> None:
    """Columns for the declared fields: the table is made anew while it is small, else they are added."""
    c, kinds = storage.connection, wanted.get("fields", {})
    made = list(info.made)
    new = [path for path, kind in kinds.items() if kind in COLUMN_KINDS and path not in made]
    before = set(info.tracked)
    elements_before, known = set(info.element_paths), set(info.kinds)
    wanted["made"] = made + new
    _keep(storage, info, wanted)
    info = storage.info(info.name)
    if new:
        rows = storage.one(f"SELECT count(*) FROM (SELECT 1 FROM {info.source} LIMIT {REBUILD_UP_TO + 1})")
        if rows <= REBUILD_UP_TO:
            _rebuild(storage, info)
        else:
            for path in new:
                column, place = quoted("c_" + path), literal(split(path))
                c.execute(f"ALTER TABLE {info.source} ADD COLUMN {column}")
                c.execute(f"UPDATE {info.source} SET {column}=json_extract(doc,{place}) WHERE json_type(doc,{place}) IS NOT NULL")
    _no_nulls(storage, info, [path for path in info.kinds if path not in known])
    tracked = [".".join(path) for path in info.tracked]
    held = {row[0] for row in c.execute("SELECT name FROM pragma_table_info(?)", ("v_" + info.name,))}
    for name in tracked:
        if "c_" + name not in held:
            c.execute(f"ALTER TABLE {info.past} ADD COLUMN {quoted('c_' + name)}")
    fresh = [split(path) for path in tracked if split(path) not in before]
    if fresh and (not before or _ever_held(storage, info, fresh)):
        rebuild_past(storage, info)
    if any(split(path) not in elements_before for path, kind in kinds.items() if kind in ELEMENT_KINDS):
        rebuild_elements(storage, info)


def _rebuild(storage: SQLiteStorage, info: TableInfo) -> None:
    c = storage.connection
    seq = storage.one("SELECT seq FROM sqlite_sequence WHERE name=?", ("t_" + info.name,))
    fresh = quoted("n_" + info.name)
    c.execute(table_sql(info, fresh))
    made = "".join("," + quoted("c_" + path) for path in info.made)
    found = "".join(f",json_extract(doc,{literal(path)})" for path in info.made_paths)
    c.execute(f"INSERT INTO {fresh}(doc_id,version,doc{made}) SELECT doc_id,version,doc{found} FROM {info.source} ORDER BY doc_id")
    c.execute(f"DROP TABLE {info.source}")
    c.execute(f"ALTER TABLE {fresh} RENAME TO {info.source}")
    if seq is not None:
        c.execute("DELETE FROM sqlite_sequence WHERE name=?", ("t_" + info.name,))
        c.execute("INSERT INTO sqlite_sequence(name,seq) VALUES (?,?)", ("t_" + info.name, seq))


def _no_nulls(storage: SQLiteStorage, info: TableInfo, fresh: list[Path]) -> None:
    """An empty declared field is absent: take away nulls written before it was declared."""
    from crm.stores.tables import Table

    if not fresh or not storage.one(f"SELECT 1 FROM {info.source} LIMIT 1"):
        return
    nulls = " OR ".join(f"json_type(doc,{literal(path)})='null'" for path in fresh)
    table = Table(storage, info.name)
    found = [i for (i,) in storage.rows(f"SELECT doc_id FROM {info.source} WHERE {nulls}")]
    if found:
        table._change([(doc, []) for doc in table.get_many(found)], "derived")


def _ever_held(storage: SQLiteStorage, info: TableInfo, paths: list[Path]) -> bool:
    """Whether any document has or had a value at one of these paths: one look through the history, whatever their number."""
    filled = " OR ".join(f"{info.columns[path]} IS NOT NULL" for path in paths)
    if storage.one(f"SELECT 1 FROM {info.source} WHERE {filled} LIMIT 1"):
        return True
    keys = [orjson.dumps(key).decode() for key in dict.fromkeys(path[0] for path in paths)]
    named = " OR ".join(["instr(patch,?)"] * len(keys))
    return bool(storage.one(f"SELECT 1 FROM _history WHERE tbl=? AND ({named}) LIMIT 1", (info.id, *keys)))


def _indexes(storage: SQLiteStorage, info: TableInfo) -> None:
    """One SQL index for each declared one; those no longer declared go.

    A pair of a dimension and a figure, `[stage, amount]`, is also kept over the table's past: what reports ask of the past most. What is
    sparse is left out where it is empty; a comparison with it tells SQLite that it is not.
    """
    c, wanted = storage.connection, {}
    value = storage.dialect.value
    live = info.column(split(info.live)) if info.live else None
    sparse = set(info.declared.get("sparse", ()))
    for index in info.declared.get("indexes", []):
        paths = [split(path) for path in index]
        columns = [path if path in ROW else value(info, split(path)) for path in index]
        held = f"{columns[0]} IS NOT NULL" if index[0] in sparse else ""
        sql = f"ON {info.source} ({','.join(columns)})"
        if live and columns[0] == live:
            sql += f" WHERE {live} IS NOT NULL"  # the bin
        elif live:  # an index answers alone only when it also holds what it is limited by
            sql = f"ON {info.source} ({','.join([*columns, live])}) WHERE {live} IS NULL" + (f" AND {held}" if held else "")
        elif held:
            sql += f" WHERE {held}"
        wanted[_name(info, sql)] = sql
        if (
            len(paths) == 2
            and info.kind(paths[0]) in ("choice", "boolean")
            and info.kind(paths[1]) in ("money", "number")
            and all(path in info.tracked for path in paths)
        ):
            sql = f"ON {info.past} ({','.join([columns[0], 'since', 'until', columns[1], *([live] if live else [])])})"
            wanted[_name(info, sql)] = sql
    there = {
        row[0]
        for row in c.execute(
            "SELECT name FROM sqlite_schema WHERE type='index' AND tbl_name IN (?,?) AND sql IS NOT NULL",
            ("t_" + info.name, "v_" + info.name),
        )
    }
    for name in there - set(wanted):
        c.execute(f"DROP INDEX {quoted(name)}")
    made = [name for name in wanted if name not in there]
    for name in made:
        c.execute(f"CREATE INDEX {quoted(name)} {wanted[name]}")
    if made and storage.one(f"SELECT 1 FROM {info.source} LIMIT 1"):  # of one it knows nothing about SQLite expects too much
        c.execute("PRAGMA analysis_limit=400")
        for name in made:
            c.execute(f"ANALYZE {quoted(name)}")


def _name(info: TableInfo, sql: str) -> str:
    return f"i_{info.id}_{hashlib.sha256(sql.encode()).hexdigest()[:12]}"


def _fulltext(storage: SQLiteStorage, info: TableInfo, wanted: Mapping[str, Sequence[str]]) -> None:
    """Full text of new and changed groups is built, that of former ones forgotten."""
    c = storage.connection
    slots = dict(storage.rows("SELECT name,id FROM _groups WHERE tbl=?", (info.id,)))
    built = orjson.loads(storage.one("SELECT value FROM _meta WHERE key=?", (f"_fulltext {info.id}",)) or "{}")
    for group in set(slots) - set(wanted):
        full.clear(c, slots[group])
        c.execute("DELETE FROM _groups WHERE id=?", (slots[group],))
    for group, paths in wanted.items():
        if group in slots and built.get(group) == list(paths):
            continue
        c.execute("INSERT OR IGNORE INTO _groups(tbl,name) VALUES (?,?)", (info.id, group))
        slot = storage.one("SELECT id FROM _groups WHERE tbl=? AND name=?", (info.id, group))
        full.build(storage, info, slot, [split(path) for path in paths])
    c.execute(
        "INSERT OR REPLACE INTO _meta VALUES (?,?)",
        (f"_fulltext {info.id}", orjson.dumps({g: list(p) for g, p in wanted.items()}).decode()),
    )
    storage.changed_shape()


def migrated(doc: dict, rename: Mapping[str, str], drop: Sequence[str], retype: Mapping[str, Callable[[Any], Any]]) -> None:
    """Change one document in place; an existing target of a rename is not overwritten."""
    for path in drop:
        _take(doc, split(path))
    for old, new in rename.items():
        value = _take(doc, split(old))
        if value is not None and dig(doc, split(new)) is None:
            _put(doc, split(new), value)
    for path, convert in retype.items():
        value = dig(doc, split(path))
        if value is not None:
            _put(doc, split(path), convert(value))


def _take(doc: dict, path: Path) -> Any:
    holder = dig(doc, path[:-1]) if len(path) > 1 else doc
    return holder.pop(path[-1], None) if isinstance(holder, dict) else None


def _put(doc: dict, path: Path, value: Any) -> None:
    for key in path[:-1]:
        doc = doc.setdefault(key, {})
    if value is None:
        doc.pop(path[-1], None)
    else:
        doc[path[-1]] = value
