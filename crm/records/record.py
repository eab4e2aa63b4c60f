"""A record as one user sees it: read only, values decoded when asked for, only what the user may read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


class Record(Mapping[str, Any]):
    """`{field key: Python value}` of the fields the user may read, empty ones as None; `.id .entity .version .title .subtitle .stored`."""

    __slots__ = ("entity", "id", "version", "_doc", "_door", "_plan", "_values", "_past", "_live")

    def __init__(
        self, door: Any, entity: str, doc: Mapping[str, Any], doc_id: int, version: int = 0, past: bool = False, plan: Any = None
    ) -> None:
        self._door, self.entity, self._doc, self.id, self.version = door, entity, doc, doc_id, version
        self._plan = plan if plan is not None else door.sight(entity).plan
        self._values: dict[str, Any] = {}
        self._past = past
        self._live = self._plan.live

    def __getitem__(self, key: str) -> Any:
        values = self._values
        if key in values:
            return values[key]
        if key not in self._plan.readable:
            raise KeyError(key)
        values[key] = value = self._decode(key)
        return value

    def _decode(self, key: str) -> Any:
        if key == "id":
            return self.id
        field = self._plan.entity.fields[key]
        if key in self._live and not self._past:
            return self._door.live_value(self.entity, self.id, self._doc, field)
        kept = self._doc.get(key)
        return None if kept is None else field.from_json(kept)

    def __iter__(self) -> Iterator[str]:
        return iter(self._plan.ordered)

    def __len__(self) -> int:
        return len(self._plan.ordered)

    def __contains__(self, key: object) -> bool:
        return key in self._plan.readable

    def __hash__(self) -> int:
        return hash((self.entity, self.id, self.version))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Record):
            return (self.entity, self.id, self.version, self.stored) == (other.entity, other.id, other.version, other.stored)
        return NotImplemented

    @property
    def stored(self) -> dict[str, Any]:
        """The stored forms of the readable fields that are filled."""
        readable = self._plan.readable
        return {key: value for key, value in self._doc.items() if key in readable}

    @property
    def title(self) -> str:
        """How the record is called, from what the user may read."""
        return self._door.title_of(self.entity, self.id, self._doc)

    @property
    def subtitle(self) -> str:
        """The second line below the title."""
        return self._door.subtitle_of(self.entity, self.id, self._doc)

    @property
    def deleted(self) -> bool:
        """Whether it lies among the deleted ones."""
        return self._doc.get("deleted_on") is not None

    def __repr__(self) -> str:
        return f"<{self.entity} {self.id}: {self.title}>"
