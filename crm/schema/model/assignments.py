"""An assignment: how records reach people."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as fresh
from typing import Any

from crm.schema.model.base import Thing


@dataclass
class Among:
    """People by role and by team (names of teams); empty means everybody."""

    roles: list[str] = fresh(default_factory=list)
    teams: list[str] = fresh(default_factory=list)


@dataclass
class AssignmentRule:
    """To whom a record goes: a `user` (login), the user at the end of `link.field`, users that `match`, or anybody among the people."""

    when: Any = None  # Expression
    user: str | None = None
    link: str | None = None  # field of the record that links to …
    manager: str | None = None  # … the record whose field this is; None: `link` is the user
    up: str | None = None  # link of that record to the one above it
    match: dict[str, str] = fresh(default_factory=dict)  # field of the record → field of the user
    by: str = "least_load"
    among: Among = fresh(default_factory=Among)


@dataclass
class Assignment(Thing):
    """How records of an entity reach people: a `pool`, a cap by person, rules."""

    entity: str
    owner: str
    pool: Any  # Expression
    counts: Any = None  # Expression; None: all
    cap: int | None = None  # of those whom nothing else caps
    cap_field: str | None = None  # field of the user
    cap_roles: dict[str, int] = fresh(default_factory=dict)
    among: Among = fresh(default_factory=Among)
    best: list[str] = fresh(default_factory=list)
    rules: list[AssignmentRule] = fresh(default_factory=list)
    automatic: Any = False  # True, False or an Expression
