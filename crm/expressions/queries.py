"""TinyDB queries that the stock ones do not have: through a link, from a list of links, by id, by folded text.

Each is a `QueryInstance` whose `_hash` says what it is, so that a store can compile it; called with a document it answers in Python.
Looking at another table needs somebody who can: a table object given as `table` (`get(doc_id=…)`), or the `lookup` set on the
query, or the one in `LOOKUP`, which a store sets while it checks documents in Python.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import Any, Protocol

from tinydb.queries import QueryInstance

from crm.words import folded

Path = tuple[str, ...]


class Lookup(Protocol):
    """Finds documents of other tables for queries that run in Python."""

    def document(self, table: str, doc_id: int) -> Any:
        """The document, None where there is none."""

    def backlinks(self, table: str, key: str, doc_id: int) -> Iterable[Any]:
        """The documents whose link field `key` holds the id."""


LOOKUP: ContextVar[Lookup | None] = ContextVar("LOOKUP", default=None)


def at(document: Any, path: Path) -> Any:
    """The value at a path of a stored document, None when it is not there."""
    for key in path:
        try:
            document = document[key]
        except (KeyError, TypeError, IndexError):
            return None
    return document


def _id(document: Any) -> Any:
    found = getattr(document, "doc_id", None)
    return found if found is not None else at(document, ("id",))


class Linked(QueryInstance):
    """The document that the link at `path` leads to, in `table`, fulfils `inner`."""

    def __init__(self, path: Path, table: Any, inner: QueryInstance, lookup: Lookup | None = None) -> None:
        self.path, self.inner, self.lookup = tuple(path), inner, lookup
        self.table = str(getattr(table, "name", table))
        self._get: Callable[..., Any] | None = getattr(table, "get", None)
        hashed = ("linked", self.path, self.table, inner._hash) if inner.is_cacheable() else None
        super().__init__(self.holds, hashed)

    def holds(self, document: Any) -> bool:
        """Whether the linked document is there and fulfils the inner query."""
        number = at(document, self.path)
        if number.__class__ is not int:
            return False
        lookup = self.lookup or LOOKUP.get()
        if lookup is not None:
            found = lookup.document(self.table, number)
        elif self._get is not None:
            found = self._get(doc_id=number)
        else:
            raise LookupError(f"nobody to look into {self.table!r} for {'.'.join(self.path)!r}")
        return found is not None and bool(self.inner(found))


class LinkedFrom(QueryInstance):
    """Some document of `table` whose link field `key` leads to this one fulfils `inner`."""

    def __init__(self, table: Any, key: str, inner: QueryInstance | None = None, lookup: Lookup | None = None) -> None:
        self.key, self.inner, self.lookup = key, inner, lookup
        self.table = str(getattr(table, "name", table))
        self._search: Callable[..., Any] | None = getattr(table, "search", None)
        cacheable = inner is None or inner.is_cacheable()
        super().__init__(self.holds, ("linked_from", self.table, key, inner._hash if inner is not None else ()) if cacheable else None)

    def holds(self, document: Any) -> bool:
        """Whether there is such a document."""
        return any(self.inner is None or self.inner(found) for found in self.rows(document))

    def rows(self, document: Any) -> Iterable[Any]:
        """The documents that lead to this one."""
        return backlinks(self.table, self.key, _id(document), self.lookup, self._search)


def backlinks(table: str, key: str, number: Any, lookup: Lookup | None = None, search: Callable[..., Any] | None = None) -> Iterable[Any]:
    """The documents of a table whose link field leads to an id."""
    from tinydb.queries import where

    if number is None:
        return ()
    lookup = lookup or LOOKUP.get()
    if lookup is not None:
        return lookup.backlinks(table, key, number)
    if search is None:
        raise LookupError(f"nobody to look into {table!r} for what links here by {key!r}")
    return search(where(key) == number)


def linked(path: Path | str, table: Any, query: QueryInstance, lookup: Lookup | None = None) -> Linked:
    """A query through a link: `linked(("account",), "account", where("country") == "PL")`."""
    return Linked((path,) if isinstance(path, str) else tuple(path), table, query, lookup)


def linked_from(table: Any, key: str, query: QueryInstance | None = None, lookup: Lookup | None = None) -> LinkedFrom:
    """A query over what links here: `linked_from("activity", "account", where("kind") == "call")`."""
    return LinkedFrom(table, key, query, lookup)


_IDS: dict[str, Callable[[Any, Any], bool]] = {
    "in": lambda number, ids: number in ids,
    "<": lambda number, ids: number < ids[0],
    "<=": lambda number, ids: number <= ids[0],
    ">": lambda number, ids: number > ids[0],
    ">=": lambda number, ids: number >= ids[0],
}


def by_id(op: str, ids: Iterable[int]) -> QueryInstance:
    """A query on the document's id; `op` is in, <, <=, >, >=."""
    values = tuple(ids)

    def holds(document: Any) -> bool:
        number = _id(document)
        return number is not None and _IDS[op](number, values)

    return QueryInstance(holds, ("id", op, values))


_TEXTS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda text, part: part in text,
    "starts": lambda text, part: text.startswith(part),
    "ends": lambda text, part: text.endswith(part),
}


def text_like(op: str, path: Path, part: str) -> QueryInstance:
    """Contains, starts or ends with, case and accents ignored as search does."""
    wanted, test = folded(part), _TEXTS[op]

    def holds(document: Any) -> bool:
        text = at(document, path)
        return isinstance(text, str) and test(folded(text), wanted)

    return QueryInstance(holds, (op, tuple(path), part))
