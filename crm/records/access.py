"""What a role may do: worked out once per role and entity, asked on every read and every write.

* `Plan`: the rights of one role over one entity with the fields it may read and write. A field computed from what the role
  may not see is hidden with it, so that nothing can be reckoned back.
* `Sight`: a plan in the hands of one actor: store queries for what they may see, change, delete, and the same question about
  one document.

Who is not named by a role gets nothing: no plan means `none` for every act.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from tinydb.queries import QueryInstance, where

from crm.records.actor import Actor
from crm.records.queries import all_of
from crm.schema.model import ACTS, EVERYTHING, NOTHING, Entity, Rights
from crm.schema.scope import TREE
from crm.stores import where_id

if TYPE_CHECKING:
    from crm.records.company import Company

#: What an expression may name beside fields.
CONSTANTS = frozenset({"me", "today", "now"})


def nobody() -> QueryInstance:
    """A query that no record answers."""
    return where_id("==", -1)


class Plan:
    """The rights of one role over one entity: `scopes` {act: none, own, team, all or an expression}, `readable`, `writable` keys."""

    __slots__ = ("entity", "scopes", "hidden", "readable", "writable", "settable", "because", "ordered", "live")

    def __init__(
        self,
        entity: Entity,
        rights: Rights,
        hidden: Mapping[str, str],
        system: bool = False,
        admin: bool = False,
        live: frozenset[str] = frozenset(),
    ) -> None:
        self.entity = entity
        self.scopes: dict[str, Any] = {act: getattr(rights, act) or "none" for act in ACTS}
        self.live = live
        self.because = dict(hidden)  # hidden key → why
        self.hidden = frozenset(hidden)
        nothing = self.scopes["see"] == "none"
        self.ordered = () if nothing else tuple(key for key in entity.fields if key not in self.hidden)
        self.readable = frozenset(self.ordered)
        locked = frozenset(rights.read_only)
        free = {
            key
            for key, one in entity.fields.items()
            if key in self.readable
            and key not in locked
            and not getattr(one, "system", False)
            and not one.computed
        }
        self.settable = frozenset(key for key in free if admin or getattr(entity.fields[key], "name", "") != "autonumber")
        #: `fixed` fields are set when a record is made and stay.
        self.writable = frozenset(key for key in self.settable if system or not getattr(entity.fields[key], "fixed", False))

    def reach(self, act: str) -> Any:
        return self.scopes[act]


class Plans:
    """All plans of a configuration, made when first asked for."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self._made: dict[tuple[str, str], Plan] = {}
        self._hidden: dict[tuple[str, str, str], str | None] = {}

    def of(self, actor: Actor, entity: str) -> Plan:
        """The plan of an actor's role over an entity (which must exist)."""
        key = ("*system*" if actor.system else actor.role, entity)
        plan = self._made.get(key)
        if plan is None:
            one = self.company.schema.entities[entity]
            rights = self.rights(key[0], entity)
            hidden = {} if actor.system else {k: why for k in one.fields if (why := self.hidden(key[0], entity, k))}
            plan = self._made[key] = Plan(one, rights, hidden, actor.system, actor.admin, self.company.shapes[entity].live)
        return plan

    def rights(self, role: str, entity: str) -> Rights:
        if role == "*system*":
            return EVERYTHING
        found = self.company.schema.roles.get(role)
        return found.of(entity) if found is not None else NOTHING

    def hidden(self, role: str, entity: str, key: str) -> str | None:
        """Why a role may not read a field, None when it may: it is in `hide`, or it is computed from something hidden."""
        memo = (role, entity, key)
        if memo in self._hidden:
            return self._hidden[memo]
        rights = self.rights(role, entity)
        if key in rights.hide:
            self._hidden[memo] = key
            return key
        self._hidden[memo] = None  # while it is being worked out: a circle hides nothing
        field = self.company.schema.entities[entity].fields.get(key)
        reason = None
        for expression in (getattr(field, "formula", None), getattr(field, "rollup", None)):
            for path in getattr(expression, "uses", None) or ():
                if not self.open(role, entity, path):
                    reason = path
        self._hidden[memo] = reason
        return reason

    def open(self, role: str, entity: str, path: str) -> bool:
        """Whether a role may read everything along a dotted path: fields, the records linked to, the lists of records linking here."""
        parts = path.split(".")
        at: str | None = entity
        while parts and at is not None:
            head = parts.pop(0)
            one = self.company.schema.entities[at]
            if head in one.fields:
                field = one.fields[head]
                if self.hidden(role, at, head):
                    return False
                at = getattr(field, "to", None) if parts else None
                if at is not None and self.rights(role, at).see == "none":
                    return False
            elif head in one.back:
                at, link = one.back[head]
                if self.rights(role, at).see == "none" or self.hidden(role, at, link):
                    return False
            elif head == TREE and one.tree is not None:
                if self.hidden(role, at, one.tree.by):
                    return False
            else:
                return True  # me, today, a stage's own words
        return True


class Sight:
    """One actor's view of one entity: queries and answers about documents. Made per door, dropped when people change."""

    __slots__ = ("company", "actor", "plan", "entity", "_queries", "_living", "_day")

    def __init__(self, company: Company, actor: Actor, plan: Plan) -> None:
        self.company, self.actor, self.plan, self.entity = company, actor, plan, plan.entity
        self._queries: dict[str, QueryInstance | None] = {}
        self._living: tuple[QueryInstance | None, QueryInstance | None] | None = None
        self._day: date | None = None

    # -- what may be seen, changed … as a query

    def query(self, act: str = "see") -> QueryInstance | None:
        """The records this actor may see (change, delete …) as a store query; None = all of them."""
        scope = self.plan.scopes[act]
        if scope == "all":
            return None
        if not isinstance(scope, str):
            day = self.company.today()
            if day != self._day:
                self._queries.clear()
                self._day = day
            if "now" in scope.constants:
                return self.company.expression_query(scope, self.actor)
        if act not in self._queries:
            self._queries[act] = self._make(scope)
        return self._queries[act]

    def living(self) -> QueryInstance | None:
        """The records this actor may see that are not deleted, as a store query."""
        query = self.query()
        if self._living is None or self._living[0] is not query:
            self._living = (query, all_of(self.company.live, query))
        return self._living[1]

    def _make(self, scope: Any) -> QueryInstance:
        if not isinstance(scope, str):
            return self.company.expression_query(scope, self.actor)
        if scope not in ("own", "team") or self.actor.id is None:
            return nobody()
        key, values = self._whose(scope)
        if not values:
            return nobody()
        if key == "id":
            return where_id("in", sorted(values))
        if len(values) == 1:
            return where(key) == next(iter(values))
        return where(key).one_of(sorted(values))

    def _whose(self, scope: str) -> tuple[str, Collection[Any]]:
        """The field that says whose a record is and the values that make it mine (or my team's)."""
        schema, actor = self.company.schema, self.actor
        mine = [actor.id] if scope == "own" else actor.mates
        if self.entity.owner:
            return self.entity.owner, mine
        if schema.users is not None and schema.users.entity == self.entity.name:
            return "id", mine
        if schema.teams is not None and schema.teams.entity == self.entity.name:
            return "id", ([actor.team] if actor.team is not None else []) if scope == "own" else actor.team_ids
        return "created_by", mine

    # -- the same about one document

    def allows(self, act: str, doc: Mapping[str, Any], doc_id: int | None = None) -> bool:
        """Whether this actor may do `act` to a record in this state. `doc_id` is None for one that is being made."""
        scope = self.plan.scopes[act]
        if isinstance(scope, str):
            if scope == "all":
                return True
            if scope == "none" or self.actor.id is None:
                return False
            key, values = self._whose(scope)
            value = doc_id if key == "id" else doc.get(key)
            if key == "created_by" and doc_id is None:
                value = self.actor.id
            if isinstance(value, list):
                return any((one.get("id") if isinstance(one, dict) else one) in values for one in value)
            return value in values
        return bool(scope.holds(self.company.env(self.entity.name, doc_id, doc, self.actor)))

    def sees(self, doc: Mapping[str, Any], doc_id: int) -> bool:
        """Whether this actor may see the record at all."""
        return self.allows("see", doc, doc_id)

    def may(self, act: str) -> bool:
        """Whether this actor may do `act` to some records of the entity."""
        return self.plan.scopes[act] != "none" and (self.plan.scopes["see"] != "none")
