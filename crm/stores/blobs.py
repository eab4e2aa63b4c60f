"""Bytes of files, and the store's own small settings; both in the same file as the documents, so that one backup has all."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

from crm.stores.sqlite import SQLiteStorage


class Blobs:
    """Bytes by their SHA-256: the same content is kept once, and a change of content is noticed."""

    def __init__(self, storage: SQLiteStorage) -> None:
        self._storage = storage

    def put(self, data: bytes) -> str:
        """Keep `data`; its name."""
        sha = hashlib.sha256(data).hexdigest()
        with self._storage.begin():
            self._storage.connection.execute("INSERT INTO _blobs VALUES (?,?,?) ON CONFLICT DO NOTHING", (sha, len(data), bytes(data)))
        return sha

    def get(self, sha: str) -> bytes | None:
        """The bytes, None when there are none of that name."""
        return self._storage.one("SELECT data FROM _blobs WHERE sha=?", (sha,))


class Meta:
    """JSON values by name: `get`, `set` (None removes), `names`, `all`."""

    def __init__(self, storage: SQLiteStorage) -> None:
        self._storage = storage

    def get(self, key: str, default: Any = None) -> Any:
        """The value, `default` when there is none."""
        found = self._storage.one("SELECT value FROM _meta WHERE key=?", (key,))
        return default if found is None else orjson.loads(found)

    def set(self, key: str, value: Any) -> None:
        """Keep a value; None removes it."""
        with self._storage.begin():
            if value is None:
                self._storage.connection.execute("DELETE FROM _meta WHERE key=?", (key,))
            else:
                self._storage.connection.execute("INSERT OR REPLACE INTO _meta VALUES (?,?)", (key, orjson.dumps(value).decode()))

    def names(self, start: str) -> list[str]:
        """The names that begin so."""
        asked = "SELECT key FROM _meta WHERE key>=? AND key<? ORDER BY key"
        return [key for (key,) in self._storage.rows(asked, (start, start + "\U0010ffff"))]

    def all(self) -> dict[str, Any]:
        """All values."""
        return {key: orjson.loads(value) for key, value in self._storage.rows("SELECT key,value FROM _meta ORDER BY key")}
