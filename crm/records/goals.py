"""What people and teams want to reach in a span of days, by the goals they are given (`goals:` of crm.yaml)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from tinydb.queries import where


def target(door: Any, first: date, after: date, own: bool = True) -> Decimal | None:
    """What is to be reached from `first` to the day before `after`: this user's own goals, or those of all they see; None without any.

    A goal for a longer time counts by the days that lie inside. Beside goals of teams, those of their members are not added once more.
    """
    roles = door.schema.goals
    if roles is None or not door.may("see", roles.entity):
        return None
    entity = door.schema.entities[roles.entity]
    needed = {roles.target, roles.start, roles.end, *([roles.owner] if roles.owner else [])}
    if not needed <= door.readable(entity.name) or (own and not roles.owner):
        return None
    start, end = entity.fields[roles.start], entity.fields[roles.end]
    cond = [(where(roles.start) < start.to_json(after)) & (where(roles.end) >= end.to_json(first))]
    if roles.where is not None:
        cond.append(roles.where)
    if own:
        cond.append(where(roles.owner) == door.actor.id)
    teams: list[Decimal] = []
    people: list[Decimal] = []
    for goal in door.list(entity.name, where=cond, limit=None):
        begin, last = goal[roles.start], goal[roles.end]
        if goal[roles.target] is None or begin is None or last is None or last < begin:
            continue
        inside = (min(last, date.fromordinal(after.toordinal() - 1)) - max(begin, first)).days + 1
        part = Decimal(str(goal[roles.target])) * inside / ((last - begin).days + 1)
        (people if own or (roles.owner and goal[roles.owner] is not None) else teams).append(part)
    counted = teams or people
    return sum(counted, Decimal(0)) if counted else None
