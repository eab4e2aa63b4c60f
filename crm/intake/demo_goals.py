"""What the people of the demo want to reach: goals given at the beginning of each year, by `goals:` of demo.yaml.

    goals:
      - {roles: [rep], set: {measure: revenue, target: {around: [240000, 0.15]}}}        # each of these people
      - {each: territory, names: [Poland], set: {…}}                                     # each of these records
      - {roles: [rep], coming: 1.2, set: {…}}                                            # of the coming year a fifth more is asked

Where the company's forecasts look into the coming year, its goals are set already. The chances come from a stream of their own, so that
nothing else in the story moves.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from crm.intake.demo_process import stream


def give(world: Any) -> None:
    """Writes the goals of every year of the story."""
    roles, rows = world.schema.goals, world.spec.get("goals") or []
    if roles is None or not rows:
        return
    entity = world.schema.entities[roles.entity]
    before, world.random = world.random, stream(world, "goals")
    try:
        for year in range(world.start.year, last_year(world) + 1):
            at = max(datetime(year, 1, 2, 9, tzinfo=UTC), world.start + timedelta(hours=1))
            with world.system.step("Goals of the year", at=min(at, world.now)):
                for row in rows:
                    for key, number in receivers(world, roles, entity, row):
                        values = world.values({**row.get("set", {})}, {}, at)
                        values |= {key: number, roles.start: f"{year}-01-01", roles.end: f"{year}-12-31"}
                        if year > world.now.year:
                            wanted = round(values[roles.target] * float(row.get("coming", 1)))
                            values[roles.target] = round(wanted, 2 - len(str(wanted)))
                        world.system.create(entity.name, values)
                        world.made[entity.name] += 1
    finally:
        world.random = before


def last_year(world: Any) -> int:
    """The year of the last month that a forecast of the company looks at; this year without one."""
    ahead = max((one.months - 1 for one in world.schema.forecasts.values()), default=0)
    return int(world.now.year + (world.now.month - 1 + ahead) // 12)


def receivers(world: Any, roles: Any, entity: Any, row: dict[str, Any]) -> list[tuple[str, int]]:
    """(field of the goal, record) of everybody and everything a row gives a goal."""
    if "each" not in row:
        return [(roles.owner, one.id) for one in world.people if one.role in row.get("roles", ())]
    key = next(key for key in (roles.team, *roles.of) if key and entity.fields[key].to == row["each"])
    things = world.things.get(row["each"], [])
    names = row.get("names")
    return [(key, one.id) for one in things if names is None or one.values.get("name") in names]
