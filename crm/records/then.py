"""A company as it was: everything read through it (records, links, names, people, teams, rights) is that of one moment, nothing can be written.

    then = company_then(schema, store, moment)      # perhaps with the configuration of that day
    then.door(then.actor("anna"))                   # Anna with the role and the team she had, over what she could see

A report run through such a door takes the same way as any other; that is what makes it the same report (I7).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn

from crm.records.company import Company
from crm.stores.clock import iso, to_ms

if TYPE_CHECKING:
    from crm.schema.model import Schema


def company_then(schema: Schema, store: Any, moment: datetime) -> Company:
    """The company of a configuration over a store as it was at a moment (which counts as now); the store is told and given nothing."""
    company = Company(schema, StoreThen(store, moment), still=True)
    company.clock = lambda: moment
    return company


class StoreThen:
    """A store as it was; its own small settings (`meta`) and blobs are those of today."""

    def __init__(self, store: Any, moment: datetime) -> None:
        self._store, self._at = store, to_ms(moment)
        self._tables: dict[str, TableThen] = {}
        self.meta = store.meta
        self.sequence = 0
        self.writing = False

    def table(self, name: str) -> TableThen:
        if name not in self._tables:
            self._tables[name] = TableThen(self._store.table(name), self._at)
        return self._tables[name]

    def blob_get(self, sha: str) -> bytes | None:
        found: bytes | None = self._store.blob_get(sha)
        return found

    def changes(self, since: int = 0, limit: int | None = None) -> list[Any]:
        return []

    def transaction(self, *_: Any, **__: Any) -> NoReturn:
        raise RuntimeError("nothing can be written into the past")


class TableThen:
    """A table as it was, with the few ways of reading that `crm.stores.asof.AsOf` does not have."""

    def __init__(self, table: Any, at: int) -> None:
        self._table, self._at = table, at
        self._past = table.as_of(iso(at))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._past, name)

    def as_of(self, when: Any) -> Any:
        """The table at an earlier moment; of a later one as it was then."""
        return self._past if to_ms(when) >= self._at else self._table.as_of(when)

    def among(self, ids: Iterable[int], paths: Sequence[str], cond: Any = None) -> list[tuple]:
        from crm.records.queries import all_of
        from crm.stores import where_id

        found: list[tuple] = self._past.values(paths, all_of(where_id("in", list(ids)), cond))
        return found

    @property
    def info(self) -> Any:
        """What is known of the table: its fields and which of them have their past kept."""
        return self._table.info

    def spells(self, *paths: str, ids: Iterable[int] | None = None) -> list[tuple]:
        return [one for one in self._table.spells(*paths, ids=ids) if one[1] <= self._at]

    def states(self, *keys: str, ids: Iterable[int] | None = None) -> list[tuple]:
        return [one for one in self._table.states(*keys, ids=ids) if one[1] <= self._at]

    def writes(self, since: int, until: int, after: int = 0) -> list[tuple[str, int, int]]:
        found: list[tuple[str, int, int]] = self._table.writes(since, min(until, self._at), after)
        return found

    def declare(self, **_: Mapping[str, Any]) -> None:
        """Nothing: what the store is told is today's business."""
