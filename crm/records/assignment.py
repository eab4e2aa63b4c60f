"""Whose records are: the pool, how many one person may hold, and who gets the next one (B2).

The limit is judged with every write of a record (`judge` is part of the door's judging, undo and restore ask `room`), inside the
write's transaction: no path leads past it, and two who take the last place at once cannot both have it. A record weighs on its owner
while the assignment's `counts` holds; one that weighed on the same owner before may always be changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tinydb.queries import where

from crm.errors import Missing, RecordError, Refused
from crm.records.actor import SYSTEM
from crm.records.derive import own_formulas
from crm.records.env import targets
from crm.records.queries import all_of
from crm.schema.model import Among, Assignment, AssignmentRule
from crm.stores import where_id

if TYPE_CHECKING:
    from crm.records.company import Company

#: How many records above each other a rule climbs (`up`), should they go in a circle.
HIGH = 20


@dataclass
class Load:
    """How many records a person holds of how many (`cap` None: no limit)."""

    user: int
    name: str
    held: int
    cap: int | None

    @property
    def full(self) -> bool:
        return self.cap is not None and self.held >= self.cap

    @property
    def room(self) -> int | None:
        return None if self.cap is None else max(0, self.cap - self.held)


@dataclass
class Shared:
    """What giving out did: `given` {user id: how many}, `stay` how many found nobody, `full` the names of those without room,
    `left` how many this user may not change. `step` is to be undone with `door.undo`."""

    step: int = 0
    given: dict[int, int] = field(default_factory=dict)
    stay: int = 0
    full: list[str] = field(default_factory=list)
    left: int = 0

    @property
    def done(self) -> int:
        return sum(self.given.values())

    def say(self, t: Any) -> str:
        """`12 assigned. 3 stay in the pool: Anna and Ben are full.`"""
        words = [t("{n} assigned", n=self.done)]
        if self.stay and self.full:
            names = t("{names} and {last}", names=", ".join(self.full[:-1]), last=self.full[-1]) if len(self.full) > 1 else self.full[0]
            if len(self.full) > 1:
                words.append(t("{n} stay where they are: {names} are full", n=self.stay, names=names))
            else:
                words.append(t("{n} stay where they are: {names} is full", n=self.stay, names=names))
        elif self.stay:
            words.append(t("{n} stay where they are: no rule finds anybody for them", n=self.stay))
        if self.left:
            words.append(t("{n} left out: you may not change them", n=self.left))
        return ". ".join(words) + "."


def of(company: Company, entity: str) -> Assignment | None:
    """The assignment of an entity, None without one."""
    return next((one for one in company.schema.assignments.values() if one.entity == entity), None)


# -- the limit


def cap_of(company: Company, one: Assignment, user: int) -> int | None:
    """How many records a person may hold: their own number, that of their role, that of everybody; None without a limit."""
    users = company.schema.users
    if users is None:
        return one.cap
    doc = company.doc(users.entity, user) or {}
    own = doc.get(one.cap_field) if one.cap_field else None
    if own is not None:
        return int(own)
    return one.cap_roles.get(str(doc.get(users.role) or ""), one.cap)


def held(company: Company, one: Assignment, user: int, without: int | None = None) -> int:
    """How many records weigh on a person; `without` leaves one out."""
    counts = company.expression_query(one.counts, SYSTEM) if one.counts is not None else None
    other = where_id("!=", without) if without is not None else None
    return company.count(one.entity, all_of(where(one.owner) == user, counts, other))


def weighs(company: Company, one: Assignment, doc_id: int | None, doc: Mapping[str, Any]) -> int | None:
    """The user a record weighs on in this state, None when on nobody."""
    user = doc.get(one.owner)
    if not isinstance(user, int):
        return None
    if one.counts is not None and not one.counts.holds(company.env(one.entity, doc_id, doc)):
        return None
    return user


def room(company: Company, entity: str, doc_id: int | None, old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> dict[str, Refused]:
    """What speaks against a record going from one state to another: `{owner field: why}`, empty when there is room."""
    found: dict[str, Refused] = {}
    for one in company.schema.assignments.values():
        if one.entity != entity:
            continue
        user = weighs(company, one, doc_id, new)
        if user is None or (old is not None and weighs(company, one, doc_id, old) == user):
            continue
        cap = cap_of(company, one, user)
        if cap is None:
            continue
        has = held(company, one, user, doc_id)
        if has >= cap:
            found[one.owner] = Full(user, company.people.name(user) or "", has, cap)
    return found


class Full(Refused):
    """Somebody has no room for another record."""

    def __init__(self, user: int, name: str, has: int, cap: int) -> None:
        super().__init__("{name} holds {held} of {cap} and can take no more.", name=name, held=has, cap=cap)
        self.user, self.name = user, name


def judge(door: Any, draft: Any, changed: set[str]) -> None:
    """Part of the door's judging: nobody gets more than they may hold."""
    if not changed or not door.company.schema.assignments:
        return
    for key, why in room(door.company, draft.sight.entity.name, draft.doc_id, draft.old, draft.doc).items():
        draft.problems.setdefault(key if key in draft.sight.plan.readable else "", why)


# -- people


def people(company: Company, among: Among, within: Among | None = None) -> list[int]:
    """The active users of some roles and teams (those below included), by id; `within` narrows further."""
    users, teams = company.schema.users, company.schema.teams
    if users is None:
        return []
    found = []
    for (user,) in company.raw(users.entity, ["doc_id"]):
        actor = company.people.actor(user)
        if not actor.active:
            continue
        for rule in (among, within):
            if rule is None:
                continue
            if rule.roles and actor.role not in rule.roles:
                break
            if rule.teams and (teams is None or actor.team not in _teams(company, rule.teams)):
                break
        else:
            found.append(user)
    return sorted(found)


def _teams(company: Company, names: Sequence[str]) -> set[int]:
    """The teams called so and all below them."""
    teams = company.schema.teams
    assert teams is not None
    rows = {
        doc_id: (name, parent) for doc_id, name, parent in company.raw(teams.entity, ["doc_id", teams.name, teams.parent or teams.name])
    }
    found = {doc_id for doc_id, (name, _) in rows.items() if name in names}
    if teams.parent:
        grown = True
        while grown:
            more = {doc_id for doc_id, (_, parent) in rows.items() if parent in found} - found
            found |= more
            grown = bool(more)
    return found


def load_of(company: Company, one: Assignment, user: int) -> Load:
    return Load(user, company.people.name(user) or "", held(company, one, user), cap_of(company, one, user))


def loads(company: Company, one: Assignment) -> list[Load]:
    """The load of everybody who is given records, those with the most room first."""
    counts = company.expression_query(one.counts, SYSTEM) if one.counts is not None else None
    rows = company.table(one.entity).aggregate([one.owner], {"n": ("count", "")}, all_of(company.live, where(one.owner).exists(), counts))
    has = {row[one.owner]: int(row["n"]) for row in rows}
    found = [
        Load(user, company.people.name(user) or "", has.get(user, 0), cap_of(company, one, user)) for user in people(company, one.among)
    ]
    return sorted(found, key=_pressed)


def _pressed(load: Load) -> tuple[float, int, str]:
    """How much somebody has to do beside what they may: the share of their limit, else the number."""
    return (load.held / load.cap if load.cap else 1.0 if load.cap == 0 else 0.0, load.held, load.name)


# -- the rules


def choose(company: Company, one: Assignment, doc_id: int | None, doc: Mapping[str, Any], full: set[int]) -> int | None:
    """Whom the rules give a record: the first that finds somebody with room. Those without are added to `full`."""
    env = company.env(one.entity, doc_id, doc)
    for number, rule in enumerate(one.rules):
        if rule.when is not None and not rule.when.holds(env):
            continue
        found: list[Load] = []
        for group in _candidates(company, one, rule, doc):
            found = []
            for user in group:
                load = load_of(company, one, user)
                if load.full:
                    full.add(user)
                else:
                    found.append(load)
            if found:
                break
        if not found:
            continue
        if rule.by == "round_robin":
            return _next(company, one, number, sorted(load.user for load in found))
        return min(found, key=_pressed).user
    return None


def _candidates(company: Company, one: Assignment, rule: AssignmentRule, doc: Mapping[str, Any]) -> Iterable[list[int]]:
    """Groups of people a rule names, the first group first."""
    allowed = people(company, one.among, rule.among)
    if rule.user is not None:
        wanted = company.people.id_of(rule.user)
        yield [wanted] if wanted is not None and company.people.actor(wanted).active else []
    elif rule.link is not None and rule.manager is None:
        yield [user for user in targets(doc.get(rule.link)) if user in allowed]
    elif rule.link is not None:
        to = company.schema.entities[one.entity].fields[rule.link].to
        at, seen = doc.get(rule.link), set[int]()
        while isinstance(at, int) and at not in seen and len(seen) < HIGH:
            seen.add(at)
            near = company.doc(to, at)
            if near is None:
                return
            yield [user for user in targets(near.get(rule.manager)) if user in allowed]
            at = near.get(rule.up) if rule.up else None
    elif rule.match:
        users = company.schema.users
        assert users is not None
        yield [user for user in allowed if _fits(rule.match, doc, company.doc(users.entity, user) or {})]
    else:
        yield allowed


def _fits(match: Mapping[str, str], doc: Mapping[str, Any], user: Mapping[str, Any]) -> bool:
    """Whether a person's fields hold what the record's say."""
    for mine, theirs in match.items():
        wanted, has = doc.get(mine), user.get(theirs)
        values = {one["id"] if isinstance(one, dict) else one for one in has} if isinstance(has, list) else {has}
        if wanted is None or not ({*targets(wanted)} if isinstance(wanted, (int, list)) else {wanted}) & values:
            return False
    return True


def _next(company: Company, one: Assignment, rule: int, users: list[int]) -> int:
    """The one after whoever was last; remembered in the write's own transaction."""
    key = f"assignment.{one.name}.{rule}"
    last = int(company.store.meta.get(key, 0) or 0)
    chosen = next((user for user in users if user > last), users[0])
    company.store.meta.set(key, chosen)
    return chosen


def give_out(door: Any, draft: Any) -> None:
    """A new record without an owner is given out at once where the assignment says so."""
    company = door.company
    for one in company.schema.assignments.values():
        if one.entity != draft.sight.entity.name or not one.automatic or draft.doc.get(one.owner) is not None:
            continue
        if one.automatic is not True and not one.automatic.holds(draft.env):
            continue
        user = choose(company, one, None, draft.doc, set())
        if user is not None:
            draft.put(one.owner, user)
            own_formulas(draft.shape, draft.doc, draft.env)


# -- acts


def needed(company: Company, entity: str) -> Assignment:
    one = of(company, entity)
    if one is None:
        raise Missing("There is nothing to give out here.")
    return one


def in_pool(door: Any, one: Assignment, id: int) -> bool:
    """Whether a record lies in the pool, for this user to see."""
    try:
        record = door.get(one.entity, id)
    except Missing:  # somebody took it, and it is no longer this user's to see
        return False
    return bool(one.pool.holds(door.company.env(one.entity, id, record._doc, door.actor)))


def take(door: Any, entity: str, ids: Iterable[int]) -> Shared:
    """Records of the pool become this user's, as many as they have room for. `Refused` when somebody was faster, or when none fits."""
    one = needed(door.company, entity)
    if door.actor.id is None:
        raise Refused("Only somebody who is signed in can take something.")
    result, why = Shared(), None
    with door.step("Taken") as step:
        for number in ids:
            if not in_pool(door, one, number):
                why = why or Refused("This is no longer in the pool: somebody was faster.")
                result.left += 1
                continue
            try:
                door.change(entity, number, {one.owner: door.actor.id})
            except RecordError as error:
                full = error.problems.get(one.owner)
                if not isinstance(full, Full):
                    raise
                why = full
                result.stay += 1
                result.full = [full.name]
                continue
            result.given[door.actor.id] = result.given.get(door.actor.id, 0) + 1
        result.step = step.id
    if not result.done and why is not None:
        raise why
    return result


def best(door: Any, entity: str) -> int | None:
    """The best record of the pool this user may take, None when the pool is empty for them."""
    one = needed(door.company, entity)
    readable = door.readable(entity)
    order = [path for path in one.best if path.lstrip("-").split(".")[0] in readable]
    if not all(path.split(".")[0] in readable for path in one.pool.uses):
        return None
    found = door.list(entity, where=one.pool, order=order, limit=50)
    return next((record.id for record in found if door.may("change", entity, record)), None)


def take_best(door: Any, entity: str) -> tuple[int, Shared]:
    """`(record, what was done)`: the best of the pool becomes this user's."""
    for _ in range(5):
        found = best(door, entity)
        if found is None:
            raise Refused("The pool is empty.")
        try:
            return found, take(door, entity, [found])
        except Full:
            raise
        except Refused:
            continue  # somebody was faster: the next one
    raise Refused("The pool is empty.")


def assign(door: Any, entity: str, ids: Iterable[int], user: int | None = None) -> Shared:
    """Give records to somebody, or (`user` None) to whom the rules say; those that find nobody with room stay as they are."""
    company = door.company
    one = needed(company, entity)
    result, full = Shared(), set[int]()
    with door.step("Assigned") as step:
        for number in ids:
            doc = company.doc(entity, number)
            if doc is None or not door.may("change", entity, number) or one.owner not in door.writable(entity, number):
                result.left += 1
                continue
            chosen = user if user is not None else choose(company, one, number, doc, full)
            if chosen is None:
                result.stay += 1
                continue
            try:
                door.change(entity, number, {one.owner: chosen})
            except RecordError as error:
                if not isinstance(error.problems.get(one.owner), Full):
                    raise
                full.add(chosen)
                result.stay += 1
                continue
            result.given[chosen] = result.given.get(chosen, 0) + 1
        result.step = step.id
    result.full = sorted(company.people.name(one) or "" for one in full) if result.stay else []
    return result


def hand_over(door: Any, name: str, id: int) -> int | None:
    """Give one record to whom the rules of an assignment say; the user, None when they find nobody with room or it is theirs already."""
    company = door.company
    one = company.schema.assignments[name]
    doc = company.doc(one.entity, id)
    user = choose(company, one, id, doc, set()) if doc is not None else None
    if user is None or doc.get(one.owner) == user:
        return None
    door.change(one.entity, id, {one.owner: user})
    return user
