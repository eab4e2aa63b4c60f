"""What people of the demo have planned: in office hours of the company's time zone, and called as a plan is, not as something done.

`plans:` of demo.yaml gives what planned activities of a kind are called. The chances come from a stream of their own, so that nothing
else in the story moves.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from crm.intake.demo_process import stream

#: From when to when appointments begin, in the company's time zone.
FIRST, LAST = 9, 16


def office(world: Any, due: datetime) -> datetime:
    """The moment, or the nearest one in office hours: what is to come moves on over a weekend, what is late moves back."""
    local = due.astimezone(world.company.zone)
    if FIRST <= local.hour <= LAST and local.weekday() < 5 and local.minute % 15 == 0 and not local.second:
        return due
    chance = stream(world, "plans")
    hour = local.hour if FIRST <= local.hour <= LAST else chance.randint(FIRST, LAST)
    while local.weekday() >= 5:
        local += timedelta(days=1 if due >= world.now else -1)
    found = local.replace(hour=hour, minute=chance.choice((0, 15, 30, 45)), second=0, microsecond=0)
    return found.astimezone(due.tzinfo)


def plan(world: Any, entity: str, values: dict[str, Any], ctx: Any, at: datetime) -> None:
    """Put an activity that is still to do into office hours, and call it what a plan of its kind is called."""
    roles = world.roles
    if roles is None or entity != roles.entity or values.get(roles.due) is None or values.get(roles.done) is not None:
        return
    values[roles.due] = office(world, datetime.fromisoformat(values[roles.due])).isoformat()
    plans = world.spec.get("plans") or {}
    if not plans:
        return
    kind = values.get(roles.kind) if roles.kind else None
    if kind not in plans:
        kind = next(iter(plans))
        if roles.kind:
            values[roles.kind] = kind
    before, world.random = world.random, stream(world, "plans")
    try:
        values[roles.subject] = str(world.value(plans[kind], ctx, at))
    finally:
        world.random = before
