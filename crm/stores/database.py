"""The store as a TinyDB: tables, transactions, history of all, search over all, care of the file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from tinydb import TinyDB
from tinydb import table as tinydb_table

from crm.stores.base import Change, Hit, Step, When
from crm.stores.blobs import Blobs, Meta
from crm.stores.care import backup, restore, verify
from crm.stores.fulltext import match
from crm.stores.history import changes_of_step, changes_since, steps
from crm.stores.sqlite import SQLiteStorage, Transaction
from crm.stores.tables import Table, newest, present


def open_store(url: str | os.PathLike = ":memory:", **options: Any) -> Database:
    """A store by its address: a path or `sqlite:///path` (made when missing), `:memory:` for one that is gone on closing."""
    text = str(url)
    if text.startswith(("postgresql:", "postgres:")):
        raise ValueError("PostgreSQL is not there yet; give the path of a file, as in var/crm.db")
    return Database(text.removeprefix("sqlite:///") if text.startswith("sqlite:///") else text, **options)


class Database(TinyDB):
    """See `crm.stores.base.DatabaseLike`. Threads may share one `Database`; each gets its own connection.

    With another TinyDB storage (`Database("old.json", storage=JSONStorage)`) it is plain TinyDB over that one: for reading old files.
    """

    table_class: Any = Table
    default_storage_class: Any = SQLiteStorage
    _storage: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._foreign = not isinstance(self._storage, SQLiteStorage)
        if self._foreign:
            self.table_class = tinydb_table.Table
            return
        self.meta = Meta(self._storage)
        self._blobs = Blobs(self._storage)

    @property
    def path(self) -> str:
        """The file of the store."""
        return self._storage.path

    def tables(self) -> set[str]:
        """The names of all tables."""
        if self._foreign:
            return super().tables()
        return self._storage.names()

    def drop_table(self, name: str) -> None:
        """Remove a table; its documents remain in history."""
        if self._foreign:
            return super().drop_table(name)
        table: Any = self._tables.pop(name, None)
        if table is None and name not in self._storage.names():
            return
        Table(self._storage, name).drop()

    def drop_tables(self) -> None:
        """Remove all tables; their documents remain in history."""
        if self._foreign:
            return super().drop_tables()
        with self._storage.begin():
            for name in self._storage.names():
                self.drop_table(name)
        self._tables.clear()

    def transaction(
        self, actor: str | None = None, at: When | None = None, note: str = "", separate: bool = False
    ) -> AbstractContextManager[Transaction]:
        """Group writes into one durable commit and one step; see `crm.stores.base.DatabaseLike.transaction`."""
        return self._storage.begin(actor, at, note, separate)

    @property
    def sequence(self) -> int:
        """The number of the latest change."""
        return self._storage.one("SELECT max(seq) FROM _history") or 0

    @property
    def writing(self) -> bool:
        """Whether this thread is within a transaction: what it reads may still be taken back."""
        return self._storage.transaction is not None

    def touched(self, since: int) -> set[str]:
        """The tables something was written to after sequence number `since`."""
        sql = "SELECT name FROM _tables WHERE id IN (SELECT tbl FROM _history NOT INDEXED WHERE seq>?)"  # by number, not by index of tables
        return {name for (name,) in self._storage.rows(sql, (since,))}

    def changes(self, since: int = 0, limit: int | None = None) -> list[Change]:
        """What happened after sequence number `since`."""
        return changes_since(self._storage, since, limit)

    def steps(self, limit: int = 100, before: int | None = None, who: str | None = None) -> list[Step]:
        """The newest steps first."""
        return steps(self._storage, limit, before, who)

    def step(self, id: int) -> list[Change]:
        """The changes of one step, oldest first."""
        return changes_of_step(self._storage, id)

    def match(self, text: str, groups: Any = None, limit: int = 30, fuzzy: bool = True, sift: Any = None) -> list[Hit]:
        """Full text search over all tables; see `crm.stores.base.DatabaseLike.match`."""
        return match(self._storage, text, groups, limit, fuzzy, sift)

    def present(self, sources: Sequence[tuple[str, Sequence[Any]]]) -> list[bool]:
        """Where there may be something at all; see `crm.stores.base.DatabaseLike.present`."""
        return present(self, sources)

    def newest(self, sources: Sequence[tuple[str, Sequence[Any], str]], limit: int) -> list[tuple[int, int, Any]]:
        """The newest documents of several tables; see `crm.stores.base.DatabaseLike.newest`."""
        return newest(self, sources, limit)

    def backup(self, path: str | os.PathLike) -> None:
        """Copy the store to a file while others go on working."""
        backup(self._storage, path)

    def restore(self, path: str | os.PathLike) -> None:
        """Replace the contents of this store by those of a backup."""
        restore(self._storage, path)

    def verify(self, repair: bool = False) -> list[str]:
        """Problems found, as sentences; empty when sound."""
        return verify(self._storage, repair)

    def blob_put(self, data: bytes) -> str:
        """Keep bytes under their SHA-256."""
        return self._blobs.put(data)

    def blob_get(self, sha: str) -> bytes | None:
        """The bytes of that name, or None."""
        return self._blobs.get(sha)

    def stats(self) -> dict[str, Any]:
        """Sizes of the store."""
        s = self._storage
        return {
            "bytes": s.one("SELECT page_count*page_size FROM pragma_page_count, pragma_page_size"),
            "sequence": self.sequence,
            "steps": s.one("SELECT count(*) FROM _steps"),
            "tables": {name: s.one(f"SELECT count(*) FROM {s.info(name).source}") for name in sorted(s.names())},
        }
