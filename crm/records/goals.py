"""What people, teams and the company want to reach (`goals:` of crm.yaml): who is given which goal, what sums up to what, day by day.

A goal is for a person, a team or nobody in particular, and may also be for other things: a territory, a product. For each day, what was
set for somebody or something itself counts; where nothing was, what lies below is summed: a team is its people and the teams below it,
the company its teams, a territory the areas below it, a product's goal the goals of those who are to sell it. A goal for a longer time
counts by the days, so that the months of a year make up the year.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tinydb.queries import where

from crm.errors import Denied, Missing

if TYPE_CHECKING:
    from crm.records.door import Door

#: Who or what a goal is for: ("person", id), ("team", id) or None for the whole company; then an id or None of each thing in `of`.
Node = tuple[tuple[str, int] | None, tuple[int | None, ...]]
ALL: tuple[str, int] | None = None


@dataclass(frozen=True)
class Given:
    """One goal: `each` so much a day from `first` to `last`."""

    node: Node
    first: date
    last: date
    each: Fraction


@dataclass
class Goals:
    """The goals a user sees, of one measure; `of` are the links of the goal beside person and team."""

    of: tuple[str, ...] = ()
    given: list[Given] = field(default_factory=list)
    teams: dict[int, list[int]] = field(default_factory=dict)  # team → the teams below it; 0 → those with none above
    people: dict[int, list[int]] = field(default_factory=dict)  # team → its people; 0 → those without a team
    below: dict[str, dict[int, list[int]]] = field(default_factory=dict)  # of a thing in a tree: → what lies below it
    _cut: dict[tuple[date, date], list[tuple[date, date, dict[Node, Fraction]]]] = field(default_factory=dict)

    def target(self, first: date, after: date, who: tuple[str, int] | None = ALL, of: Mapping[str, int] | None = None) -> Decimal | None:
        """What is to be reached from `first` to the day before `after` by somebody, of the things named; None where nothing was set."""
        node = (who, tuple((of or {}).get(key) for key in self.of))
        total: Fraction | None = None
        if (first, after) not in self._cut:
            self._cut[first, after] = list(self._stretches(first, after))
        for begin, end, here in self._cut[first, after]:
            if any(node[1]) and not any(any(of) for _, of in here):
                continue  # whoever has a goal has it for everything
            rate = self._rate(node, here, {})
            if rate is not None:
                total = (total or Fraction(0)) + rate * (end - begin).days
        return None if total is None else Decimal(total.numerator) / Decimal(total.denominator)

    def nodes(self, first: date, after: date) -> Iterable[Node]:
        """Who and what was given goals that touch these days."""
        return dict.fromkeys(one.node for one in self.given if one.first < after and one.last >= first)

    def _stretches(self, first: date, after: date) -> Iterable[tuple[date, date, dict[Node, Fraction]]]:
        """The days cut wherever a goal begins or ends, each piece with what is to be done a day."""
        touching = [one for one in self.given if one.first < after and one.last >= first]
        edges = {first, after}
        for one in touching:
            edges |= {day for day in (one.first, one.last + timedelta(days=1)) if first < day < after}
        ordered = sorted(edges)
        for begin, end in zip(ordered, ordered[1:], strict=False):
            here: dict[Node, Fraction] = {}
            for one in touching:
                if one.first <= begin and one.last >= begin:
                    here[one.node] = here.get(one.node, Fraction(0)) + one.each
            yield begin, end, here

    def _rate(self, node: Node, here: Mapping[Node, Fraction], known: dict[Node, Fraction | None]) -> Fraction | None:
        """What a node is to reach a day: its own goal, else the sum of those below it, by people first, then by each thing."""
        if node in here:
            return here[node]
        if node not in known:
            known[node] = None  # a circle of teams ends here
            ways = [self._members(node), *(self._parts(node, place, here) for place in range(len(self.of)))]
            for way in ways:
                found = [rate for one in way if (rate := self._rate(one, here, known)) is not None]
                if found:
                    known[node] = sum(found, Fraction(0))
                    break
        return known[node]

    def _members(self, node: Node) -> list[Node]:
        who, of = node
        if who is not None and who[0] == "person":
            return []
        team = who[1] if who is not None else 0
        return [
            *((("team", one), of) for one in self.teams.get(team, ())),
            *((("person", one), of) for one in self.people.get(team, ())),
        ]

    def _parts(self, node: Node, place: int, here: Mapping[Node, Fraction]) -> list[Node]:
        """What lies below in one of the things: the next level of its tree, or all there is."""
        who, of = node
        tree = self.below.get(self.of[place])
        if of[place] is None:
            parts = tree.get(0, []) if tree is not None else list(dict.fromkeys(one[1][place] for one in here if one[1][place] is not None))
        else:
            parts = tree.get(of[place] or 0, []) if tree is not None else []
        return [(who, (*of[:place], part, *of[place + 1 :])) for part in parts]


def goals(door: Door, first: date, after: date, measure: str | None = None, own: bool = False, as_of: Any = None) -> Goals | None:
    """The goals that touch these days and this user sees; None where they may not see goals at all.

    `measure` is an option of the field that says what a goal is about; without it the `where` of `goals:` says which are meant. `own`:
    only this user's own.
    """
    roles = door.schema.goals
    if roles is None or not door.may("see", roles.entity):
        return None
    entity = door.schema.entities[roles.entity]
    readable = door.readable(entity.name)
    needed = {roles.target, roles.start, roles.end, *([roles.owner] if roles.owner else [])}
    if not needed <= readable or (own and not roles.owner) or (measure is not None and roles.measure not in readable):
        return None
    start, end = entity.fields[roles.start], entity.fields[roles.end]
    cond: list[Any] = [(where(roles.start) < start.to_json(after)) & (where(roles.end) >= end.to_json(first))]
    if measure is not None and roles.measure:
        cond.append(where(roles.measure) == measure)
    elif roles.where is not None:
        cond.append(roles.where)
    if own and roles.owner:
        cond.append(where(roles.owner) == door.actor.id)
    found = Goals(tuple(key for key in roles.of if key in readable))
    keys = [key for key in (roles.target, roles.start, roles.end, roles.owner, roles.team, *roles.of) if key and key in readable]
    frame = door.frame(entity.name, keys, where=cond, as_of=as_of, stored=True)
    for row in zip(*(frame[key].tolist() for key in keys), strict=True):
        one: dict[str, Any] = {key: None if value is None or value != value else value for key, value in zip(keys, row, strict=True)}
        wanted = entity.fields[roles.target].from_json(one[roles.target]) if one[roles.target] is not None else None
        if wanted is None or one[roles.start] is None or one[roles.end] is None or one[roles.end] < one[roles.start]:
            continue
        begin, last = date.fromisoformat(str(one[roles.start])[:10]), date.fromisoformat(str(one[roles.end])[:10])
        owner, team = one.get(roles.owner or ""), one.get(roles.team or "")
        who = ("person", int(owner)) if owner is not None else ("team", int(team)) if team is not None else None
        of = tuple(int(one[key]) if one[key] is not None else None for key in found.of)
        found.given.append(Given((who, of), begin, last, Fraction(Decimal(str(wanted))) / ((last - begin).days + 1)))
    structure(door, found, as_of)
    for each in found.given:  # somebody or something the user does not see otherwise, or that is gone: its goal counts all the same
        if each.node[0] is not None:
            known = found.people if each.node[0][0] == "person" else found.teams
            if not any(each.node[0][1] in some for some in known.values()):
                known.setdefault(0, []).append(each.node[0][1])
        for key, part in zip(found.of, each.node[1], strict=True):
            if part is not None and key in found.below and not any(part in some for some in found.below[key].values()):
                found.below[key].setdefault(0, []).append(part)
    return found


def structure(door: Door, found: Goals, as_of: Any) -> None:
    """Who belongs to which team, and what lies below what, as far as this user sees it."""
    users, teams = door.schema.users, door.schema.teams
    known = pairs(door, teams.entity, teams.parent, as_of) if teams is not None else {}
    for one, above in known.items():
        found.teams.setdefault(above if above in known else 0, []).append(one)
    if users is not None:
        for one, team in pairs(door, users.entity, users.team, as_of).items():
            found.people.setdefault(team if team in known else 0, []).append(one)
    roles = door.schema.goals
    for key in found.of:
        to = door.schema.entities[roles.entity].fields[key].to if roles is not None else ""
        tree = door.schema.entities[to].tree
        if tree is not None:
            below = found.below.setdefault(key, {})
            parents = pairs(door, to, tree.by, as_of)
            for one, above in parents.items():
                below.setdefault(above if above in parents else 0, []).append(one)


def pairs(door: Door, entity: str, link: str | None, as_of: Any) -> dict[int, int]:
    """`{record: the record its link leads to, 0 for none}` of all the user sees; nothing where the link may not be read."""
    if not door.may("see", entity) or (link and link not in door.readable(entity)):
        return {}
    try:
        frame = door.frame(entity, [link] if link else ["id"], as_of=as_of, stored=True)
    except (Denied, Missing):
        return {}
    linked = frame[link].tolist() if link else [None] * len(frame)
    return {int(one): int(to) if to is not None and to == to else 0 for one, to in zip(frame.index.tolist(), linked, strict=True)}


def target(door: Door, first: date, after: date, own: bool = True) -> Decimal | None:
    """What is to be reached from `first` to the day before `after`: this user's own goals, or those of all they see; None without any."""
    found = goals(door, first, after, own=own)
    if found is None:
        return None
    return found.target(first, after, ("person", door.actor.id) if own and door.actor.id is not None else ALL)
