"""Lets conditions that run in Python look into other tables: `crm.expressions` asks whoever is set in its `LOOKUP`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from tinydb import where

from crm.stores.clock import iso
from crm.stores.sqlite import SQLiteStorage


class Tables:
    """Documents of all tables of a store, now or at a moment (`at`, milliseconds); each is read once."""

    def __init__(self, storage: SQLiteStorage, at: int | None = None) -> None:
        self._storage, self._at = storage, at
        self._open: dict[str, Any] = {}
        self._seen: dict[tuple[str, int], Any] = {}

    def _table(self, name: str) -> Any:
        table = self._open.get(name)
        if table is None:
            from crm.stores.tables import Table

            table = Table(self._storage, name)
            table = self._open[name] = table if self._at is None else table.as_of(iso(self._at))
        return table

    def document(self, table: str, doc_id: int) -> Any:
        """The document, None where there is none."""
        key = (table, doc_id)
        if key not in self._seen:
            self._seen[key] = self._table(table).get(doc_id=doc_id)
        return self._seen[key]

    def backlinks(self, table: str, key: str, doc_id: int) -> Iterable[Any]:
        """The documents whose link field `key` holds the id."""
        kind = self._storage.info(table).kind((key,))
        link = where(key).any(where("id") == doc_id) if kind == "links" else where(key) == doc_id
        return self._table(table).find(link)


@contextmanager
def looking(storage: SQLiteStorage, at: int | None = None) -> Iterator[None]:
    """While this is open, conditions find linked documents in this store."""
    from crm.expressions.queries import LOOKUP

    token = LOOKUP.set(Tables(storage, at))
    try:
        yield
    finally:
        LOOKUP.reset(token)
