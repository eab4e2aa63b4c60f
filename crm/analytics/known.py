"""What was known of records at a moment of each record's own: the day before a deal was decided, say (F3).

Values come from the past the store keeps, so that what was written later cannot be seen; links are followed as they were then. Fields
whose past is not kept apart (texts, lists, moments) are read out of the history.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from crm.stores.query import Untracked

if TYPE_CHECKING:
    from crm.records import Door

#: A document's place and a moment in one whole number: milliseconds since 1970 stay below this until 2109.
SHIFT = 1 << 42
#: After everything that was ever written.
LATEST = SHIFT - 1


class Known:
    """Reads fields as they stood; what the user may not see of a linked record is empty."""

    def __init__(self, door: Door) -> None:
        self.door, self.company = door, door.company
        self._states: dict[tuple[str, str], tuple[Any, Any, list[Any]]] = {}

    def at(self, entity: str, path: str, ids: Sequence[Any], when: Any) -> list[Any]:
        """The stored value at a path of each record at its moment (an array, ms); None for a record that was not there yet."""
        head, _, rest = path.partition(".")
        field = self.company.schema.entities[entity].fields[head]
        values = self.field(entity, head, ids, when)
        if not rest or not getattr(field, "to", None):
            return values
        there = {int(one) for one in values if isinstance(one, (int, float))}
        seen = set(self.door.values_of(field.to, "id", there))
        linked = [int(one) if isinstance(one, (int, float)) and int(one) in seen else None for one in values]
        return self.at(field.to, rest, linked, when)

    def field(self, entity: str, key: str, ids: Sequence[Any], when: Any) -> list[Any]:
        """One field of the records themselves."""
        import numpy as np

        if key == "id":
            return list(ids)
        docs, places, values = self.states(entity, key)
        wanted = np.array([-1 if one is None else int(one) for one in ids], dtype=np.int64)
        place = np.searchsorted(docs, wanted)
        there = np.zeros(len(wanted), dtype=bool)
        inside = place < len(docs)
        there[inside] = docs[place[inside]] == wanted[inside]
        found = np.searchsorted(places, place * SHIFT + np.asarray(when, dtype=np.int64), side="right") - 1
        there &= (found >= 0) & (places[np.maximum(found, 0)] // SHIFT == place if len(places) else False)
        return [values[one] if yes else None for one, yes in zip(found.tolist(), there.tolist(), strict=True)]

    def states(self, entity: str, key: str) -> tuple[Any, Any, list[Any]]:
        """Every state a field was in: the records' numbers, (place among them and moment as one number, rising), the values."""
        import numpy as np

        kept = self._states.get((entity, key))
        if kept is not None:
            return kept
        table = self.company.table(entity)
        try:
            rows = table.spells(key)
        except Untracked:
            rows = table.states(key)
        numbers = np.array([row[0] for row in rows], dtype=np.int64)
        docs, place = np.unique(numbers, return_inverse=True)
        kept = (docs, place * SHIFT + np.array([row[1] for row in rows], dtype=np.int64), [row[2] for row in rows])
        self._states[entity, key] = kept
        return kept
