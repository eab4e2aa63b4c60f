"""Reading history: what changed, when, by whom, from what to what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from crm.stores.base import Change, Step
from crm.stores.clock import iso
from crm.stores.sqlite import SQLiteStorage, TableInfo

_COLUMNS = (
    "SELECT h.seq,h.step,t.name,h.doc_id,h.version,h.at,s.who,h.act,h.patch"
    " FROM _history h CROSS JOIN _tables t ON t.id=h.tbl CROSS JOIN _steps s ON s.id=h.step"
)  # CROSS: history first, whatever the statistics say; else few steps are walked and all history with them


def expand(act: str, patch: str) -> dict[str, list]:
    """A kept patch as `{field: [old, new]}`."""
    found: dict[str, Any] = orjson.loads(patch)
    if act == "create":
        return {key: [None, value] for key, value in found.items()}
    if act == "delete":
        return {key: [value, None] for key, value in found.items()}
    return {key: entry[:2] for key, entry in found.items()}


def _changes(storage: SQLiteStorage, rest: str, params: tuple) -> list[Change]:
    return [
        Change(seq, step, table, doc_id, version, iso(at), who, act, expand(act, patch))
        for seq, step, table, doc_id, version, at, who, act, patch in storage.rows(_COLUMNS + rest, params)
    ]


def of_document(storage: SQLiteStorage, info: TableInfo, doc_id: int, limit: int | None = None) -> list[Change]:
    """All changes of one document, oldest first; with a limit the newest ones."""
    found = _changes(
        storage, " WHERE h.tbl=? AND h.doc_id=? ORDER BY h.seq DESC LIMIT ?", (info.id, doc_id, -1 if limit is None else limit)
    )
    return found[::-1]


def of_table(storage: SQLiteStorage, info: TableInfo) -> Iterator[Change]:
    """All changes of a table, oldest first, read as they are asked for."""
    for seq, step, table, doc_id, version, at, who, act, patch in storage.connection.execute(
        _COLUMNS + " WHERE h.tbl=? ORDER BY h.seq", (info.id,)
    ):
        yield Change(seq, step, table, doc_id, version, iso(at), who, act, expand(act, patch))


def changes_since(storage: SQLiteStorage, since: int, limit: int | None = None) -> list[Change]:
    """Everything after a sequence number, oldest first."""
    return _changes(storage, " WHERE h.seq>? ORDER BY h.seq LIMIT ?", (since, -1 if limit is None else limit))


def changes_of_step(storage: SQLiteStorage, step: int) -> list[Change]:
    """The changes of one step, oldest first."""
    return _changes(storage, " WHERE h.step=? ORDER BY h.seq", (step,))


def steps(storage: SQLiteStorage, limit: int = 100, before: int | None = None, who: str | None = None) -> list[Step]:
    """The newest steps first, with the number of their changes."""
    rows = storage.rows(
        "SELECT id,at,who,note,(SELECT count(*) FROM _history h WHERE h.step=s.id) FROM _steps s"
        " WHERE id<? AND (?2 IS NULL OR who=?2) ORDER BY id DESC LIMIT ?3",
        (2**62 if before is None else before, who, limit),
    )
    return [Step(id, iso(at), who, note, count) for id, at, who, note, count in rows]
