"""What the columns of a board are where records have a state and no pipeline: the options of a choice field (`board: status`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from crm.schema.model import Entity


@dataclass(frozen=True)
class Column:
    """One option as a board shows it; quacks like the stage of a pipeline. `field` is the choice that a move sets."""

    field: Any
    key: str
    color: str
    open: bool
    index: int
    outcome: str | None = None
    days: int | None = None
    probability: Any = None
    ask: tuple[str, ...] = ()

    def label_in(self, t: Any = None) -> str:
        return str(self.field.option_label(self.key, t))


class Columns:
    """The board of an entity by its choice; quacks like a pipeline."""

    def __init__(self, entity: Entity) -> None:
        board = entity.board
        assert board is not None
        self.name, self.entity, self._entity = "", entity.name, entity
        field = entity.fields[board.by]
        self.stages = {
            key: Column(field, key, one.color, key not in board.ended, number) for number, (key, one) in enumerate(field.options.items())
        }
        day = board.next or (entity.next.on if entity.next is not None else None)
        self.fields = {role: key for role, key in (("amount", board.amount), ("next", day), ("owner", entity.owner)) if key}

    def label_in(self, t: Any = None) -> str:
        return self._entity.plural_in(t)


__all__ = ["Column", "Columns"]
