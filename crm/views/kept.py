"""Answers that stand until something they depend on is written: counts of tabs, what is late.

They are asked for with every page and change rarely. A write by anybody, in this process or another, to one of the tables an answer
depends on makes it be asked for anew; so does a minute gone by, because conditions know the hour.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable
from typing import Any

LASTS = 60.0  # seconds
MOST = 500  # answers of one window


class Kept:
    """The answers one window has been given."""

    def __init__(self, company: Any) -> None:
        self.company = company
        self._found: dict[Hashable, tuple[int, float, Any]] = {}

    def get(self, key: Hashable, tables: frozenset[str], make: Callable[[], Any]) -> Any:
        """The answer to `key`, which what is written to `tables` may change; `make()` when it is not known."""
        store = self.company.store
        key = (self.company.generation, self.company.today(), key)
        at = store.sequence
        kept = self._found.get(key)
        if kept is not None and time.monotonic() - kept[1] < LASTS and (kept[0] == at or tables.isdisjoint(store.touched(kept[0]))):
            self._found[key] = (at, kept[1], kept[2])
            return kept[2]
        if len(self._found) >= MOST:
            self._found.clear()
        answer = make()
        self._found[key] = (at, time.monotonic(), answer)
        return answer

    def around(self, entity: str, where: Iterable[Any] = ()) -> frozenset[str]:
        """The tables that conditions on records of an entity may look at: its own, those it links to, who may see what, and those
        that link here where a condition asks for them."""
        schema, one = self.company.schema, self.company.schema.entities[entity]
        people = [roles.entity for roles in (schema.users, schema.teams) if roles is not None]
        to = [other for field in one.fields.values() if (other := getattr(field, "to", None))]
        asked = {path.partition(".")[0] for cond in where for path in getattr(cond, "uses", one.back if isinstance(cond, str) else ())}
        return frozenset([entity, *people, *to, *(child for back, (child, _) in one.back.items() if back in asked)])
