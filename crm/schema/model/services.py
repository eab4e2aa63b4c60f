"""Services: what is promised to customers, in hours of work."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as fresh
from typing import Any

from crm.schema.model.base import Thing


@dataclass
class Goal:
    """What is promised: minutes of working time to `respond` and to `resolve` when `when` holds; `always`: the clock never rests."""

    when: Any = None  # Expression
    respond: int | None = None
    resolve: int | None = None
    always: bool = False


Goals = list[Goal]

Hours = list[list[tuple[int, int]]]


@dataclass
class Service(Thing):
    """Promises over an entity's records (H10): `fields` by role (opened respond_by responded resolve_by resolved waited waiting_since),
    `hours` per weekday as minutes of the day, `holidays` {place: days}, `waiting` stops the clock."""

    entity: str
    fields: dict[str, str] = fresh(default_factory=dict)
    hours: Hours = fresh(default_factory=lambda: [[] for _ in range(7)])
    holidays: dict[str, frozenset[str]] = fresh(default_factory=dict)  # days as 2026-12-24, or 12-24 for every year
    place: Any = None  # Expression
    waiting: Any = None  # Expression
    done: Any = None  # Expression
    goals: Goals = fresh(default_factory=list)
