"""Store queries put together and looked through: which fields does a query name, and may this user name them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tinydb.queries import QueryInstance

from crm.errors import Refused


def all_of(*queries: QueryInstance | None) -> QueryInstance | None:
    """The AND of queries; None stands for "all records" and falls away."""
    result: QueryInstance | None = None
    for query in queries:
        if query is not None:
            result = query if result is None else result & query
    return result


def heads(query: QueryInstance) -> set[str]:
    """The field keys a TinyDB query looks at. Raises `Refused` for a query that hides what it looks at (a bare function)."""
    found: set[str] = set()
    for leaf in _leaves(getattr(query, "_hash", None)):
        if leaf == () or leaf[0] == "id":  # nothing, or the record's number
            continue
        path = leaf[1] if len(leaf) > 1 else None
        if leaf[0] == "fragment" and len(leaf) == 2:
            found.update(key for key in dict(leaf[1]))
        elif isinstance(path, tuple) and path and isinstance(path[0], str):
            found.add(path[0])
        elif isinstance(path, str) and path:
            found.add(path.split(".")[0])
        else:
            raise Refused("This filter cannot be checked.")
    return found


def linked(query: QueryInstance) -> bool:
    """Whether a query looks into linked records."""
    return any(leaf and leaf[0] == "linked" for leaf in _leaves(getattr(query, "_hash", None)))


def _leaves(part: Any) -> Iterator[tuple[Any, ...]]:
    if part is None or not isinstance(part, tuple):
        raise Refused("This filter cannot be checked.")
    if part and part[0] in ("and", "or"):
        for one in part[1] if isinstance(part[1], (frozenset, set, list, tuple)) and len(part) == 2 else part[1:]:
            yield from _leaves(one)
    elif part and part[0] == "not":
        yield from _leaves(part[1])
    else:
        yield part
