"""Who acts: one signed-in person (or the system itself) with the role, the team and the teams below it.

`People` reads users and teams from the entities that `crm.yaml` names under `users:` and `teams:`; it never knows what they are called.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from crm.errors import Missing

if TYPE_CHECKING:
    from crm.records.company import Company

#: How long, in seconds, what other processes changed about people and teams may stay unseen here.
FRESH = 2.0


@dataclass(frozen=True)
class Actor:
    """One person at work. `team_ids` are the own team and all below it, `mates` the users in them (the person included)."""

    id: int | None
    name: str
    login: str
    role: str
    team: int | None = None
    team_ids: frozenset[int] = field(default=frozenset(), repr=False)
    mates: frozenset[int] = field(default=frozenset(), repr=False)
    language: str = "en"
    admin: bool = False
    active: bool = True
    system: bool = False
    automatic: bool = False  # the engine doing what an automation says: no role stands in its way, the rules of moves do

    @property
    def teams(self) -> list[int]:
        """The own team and all below it, as expressions name them (`owner.team in me.teams`)."""
        return sorted(self.team_ids)


#: The engine itself: imports at start, the demo, the worker. May do everything and is bound by no role.
SYSTEM = Actor(id=None, name="System", login="system", role="", admin=True, system=True)


class People:
    """The users and the tree of teams, kept in memory and read again when the store has changed."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.version = 0
        self._sequence: Any = None
        self._looked = 0.0
        self._rows: dict[int, dict[str, Any]] = {}
        self._logins: dict[str, int] = {}
        self._below: dict[int, frozenset[int]] = {}
        self._members: dict[int, set[int]] = {}
        self._state: Any = None

    def stale(self) -> None:
        """Users or teams were written in this process: read them again at the next question."""
        self._looked = 0.0
        self._sequence = None

    def refresh(self) -> None:
        """Read users and teams again if anything was written since; cheap enough to be asked before every act."""
        now = time.monotonic()
        if self._looked and now - self._looked < FRESH:
            return
        sequence = self.company.store.sequence
        self._looked = now
        if sequence == self._sequence:
            return
        self._sequence = sequence
        schema = self.company.schema
        users, teams = schema.users, schema.teams
        rows: dict[int, dict[str, Any]] = {}
        if users is not None:
            names = ("name", "login", "email", "role", "team", "language", "active")
            keys = {name: key for name in names if (key := getattr(users, name, None))}
            paths = list(keys.values())
            for doc_id, *values in self.company.raw(users.entity, ["doc_id", *paths]):
                rows[doc_id] = dict(zip(keys, values, strict=True))
        parents: dict[int, int | None] = {}
        if teams is not None:
            paths = ["doc_id", teams.parent] if teams.parent else ["doc_id"]
            for team_id, *rest in self.company.raw(teams.entity, paths):
                parents[team_id] = rest[0] if rest else None
        state = (rows, parents)
        if state == self._state:
            return
        self._state = state
        self._rows = rows
        self._logins = {str(row["login"]).casefold(): one for one, row in rows.items() if row.get("login")}
        children: dict[int, list[int]] = {}
        for child, parent in parents.items():
            if parent is not None:
                children.setdefault(parent, []).append(child)
        self._below = {team: frozenset(_tree(team, children)) for team in parents}
        self._members = {}
        for one, row in rows.items():
            if row.get("team") is not None:
                self._members.setdefault(row["team"], set()).add(one)
        self.version += 1

    def actor(self, who: str | int) -> Actor:
        """The actor of a login (any case) or user id. Raises `Missing` for nobody. Inactive people are found with `active=False`."""
        self.refresh()
        if isinstance(who, str):
            found = self._logins.get(who.casefold())
            if found is None:
                found = next(
                    (one for one, row in self._rows.items() if row.get("email") and str(row["email"]).casefold() == who.casefold()), None
                )
        else:
            found = who if who in self._rows else None
        if found is None:
            raise Missing("There is no user {who}.", who=who)
        row = self._rows[found]
        team = row.get("team")
        teams = self._below.get(team, frozenset({team})) if team is not None else frozenset()
        mates = {found}.union(*(self._members.get(one, set()) for one in teams)) if teams else {found}
        name = str(row.get("role") or "")
        role = self.company.schema.roles.get(name)
        active = row.get("active")
        keys = self.company.schema.users
        return Actor(
            id=found,
            name=self.name(found) or str(who),
            login=str(row.get("login") or found),
            role=name,
            team=team,
            team_ids=teams,
            mates=frozenset(mates),
            language=str(row.get("language") or self.company.schema.language),
            admin=bool(role is not None and role.admin),
            active=bool(active) if keys is not None and keys.active else True,
        )

    def name(self, user: int | None) -> str | None:
        """What a user is called, by id."""
        self.refresh()
        row = self._rows.get(user) if user is not None else None
        if row is None:
            return None
        value = row.get("name")
        if isinstance(value, dict):
            return " ".join(str(value[key]) for key in ("first", "last") if value.get(key)) or None
        return str(value) if value else str(row.get("login") or "")

    def with_role(self, role: str) -> list[int]:
        """The users of a role who may sign in, by id."""
        self.refresh()
        keys = self.company.schema.users
        return [one for one, row in self._rows.items() if row.get("role") == role and (keys is None or not keys.active or row.get("active"))]

    def called(self, login: str | None) -> str:
        """The name of whoever wrote under this login: what history shows."""
        self.refresh()
        if not login or login == SYSTEM.login:
            return SYSTEM.name
        found = self._logins.get(login.casefold())
        return (self.name(found) if found is not None else None) or login

    def id_of(self, login: str | None) -> int | None:
        """The user id behind a login."""
        self.refresh()
        return self._logins.get(login.casefold()) if login else None

    def team_of(self, user: int | None) -> int | None:
        """The team a user is in."""
        self.refresh()
        row = self._rows.get(user) if user is not None else None
        return row.get("team") if row else None


def _tree(team: int, children: dict[int, list[int]]) -> set[int]:
    """A team and all below it; a circle in the tree ends where it began."""
    seen: set[int] = set()
    open_ = [team]
    while open_:
        one = open_.pop()
        if one not in seen:
            seen.add(one)
            open_.extend(children.get(one, ()))
    return seen
