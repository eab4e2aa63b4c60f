"""A dashboard: rows of cards."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as fresh
from typing import Any

from crm.schema.model.base import Labelled, Thing


@dataclass
class Card(Labelled):
    """One card of a dashboard: `kind` report, list, board, kpi, part or text; `name` what it shows; `width` of 12 columns."""

    kind: str
    name: str
    label: str = ""
    view: str | None = None  # a list's filter
    where: Any = None  # Expression text for a list
    limit: int = 10
    width: int | None = None
    path: str = ""


@dataclass
class Dashboard(Thing):
    """Rows of cards; `roles` (YAML `for:`) are the roles it is for, empty = everyone."""

    rows: list[list[Card]] = fresh(default_factory=list)
    roles: list[str] = fresh(default_factory=list)
    icon: str = "dashboard"
