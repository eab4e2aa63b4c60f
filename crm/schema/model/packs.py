"""A meeting pack: chosen reports in an order."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as fresh
from typing import Any

from crm.schema.model.automations import Trigger
from crm.schema.model.base import Thing, translated


@dataclass
class PackPart:
    """One part of a pack: a report (or KPI) with the heading above it and the note below, or a heading with words of its own.
    `rows` of its table are shown at most: 0 none."""

    report: str | None = None
    heading: str = ""
    note: str = ""
    rows: int = 12
    path: str = ""

    def heading_in(self, t: Any = None) -> str:
        return translated(t, f"{self.path}.heading", self.heading) if self.heading else ""

    def note_in(self, t: Any = None) -> str:
        return translated(t, f"{self.path}.note", self.note) if self.note else ""


@dataclass
class Pack(Thing):
    """Chosen reports in an order, for a meeting: for `roles` (YAML `for:`) and `people` (sign-ins), sent `every` (triggers of kind schedule) by
    `channels`: mail (with the figures in it), pdf (with the file attached)."""

    parts: list[PackPart] = fresh(default_factory=list)
    roles: list[str] = fresh(default_factory=list)
    people: list[str] = fresh(default_factory=list)
    every: list[Trigger] = fresh(default_factory=list)
    channels: list[str] = fresh(default_factory=list)
