"""What was known of records at a moment of each record's own: the day before a deal was decided, say (F3).

Values come from the past the store keeps, so that what was written later cannot be seen; links are followed as they were then. The states
of the fields are kept in memory for all (`crm.records.states`); what a user may see of them is settled here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from crm.analytics.values import numbers
from crm.records.columns import Column
from crm.records.figures import FEW
from crm.records.states import SHIFT, States, states

if TYPE_CHECKING:
    import numpy as np

    from crm.records import Door

#: After everything that was ever written.
LATEST = SHIFT - 1


class Known:
    """Reads fields as they stood; what the user may not see of a linked record is empty."""

    def __init__(self, door: Door) -> None:
        self.door, self.company = door, door.company
        self._states: dict[tuple[str, str], States] = {}

    def at(self, entity: str, path: str, ids: np.ndarray, when: Any) -> Column:
        """The stored value at a path of each record (by number, -1 for none) at its moment (an array, ms); none for one that was not there yet."""
        head, _, rest = path.partition(".")
        field = self.company.schema.entities[entity].fields[head]
        values = self.field(entity, head, ids, when)
        if not rest or not getattr(field, "to", None):
            return values
        return self.at(field.to, rest, self.seen(field.to, numbers(values)), when)

    def seen(self, entity: str, ids: np.ndarray) -> np.ndarray:
        """The numbers of those of some records that the user may see, -1 of the others."""
        import numpy as np

        there = np.unique(ids[ids >= 0])
        mine = list(self.door.values_of(entity, "id", there.tolist())) if len(there) < FEW else self.door.columns(entity, ["id"])[0]
        return np.where(np.isin(ids, mine), ids, -1)

    def field(self, entity: str, key: str, ids: np.ndarray, when: Any) -> Column:
        """One field of the records themselves."""
        if key == "id":
            return Column.of(None if one < 0 else one for one in ids.tolist())
        self.look(entity, [key])
        return self._states[entity, key].at(ids, when)

    def look(self, entity: str, keys: Iterable[str]) -> None:
        """Take up the states of some fields: of several at once sooner than one by one."""
        missing = [key for key in keys if key != "id" and (entity, key) not in self._states]
        if missing:
            self._states |= {(entity, key): one for key, one in states(self.company, entity, missing).items()}
