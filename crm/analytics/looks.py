"""What a report looks at: the entities whose records, once changed, may change what it says to a reader."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from crm.analytics.analyses.base import ANALYSES

if TYPE_CHECKING:
    from crm.records import Door
    from crm.schema.model import Kpi, Report, Schema

#: The log of stage changes, which reports over stays read.
MOVES = "_moves"


def entities(door: Door, report: Report, where: str | None = None) -> frozenset[str] | None:
    """The entities (and `_moves`) a report depends on for this reader; None where that cannot be told: it may be any of them."""
    if where or report.analysis and not ANALYSES[report.analysis].narrow:
        return None
    found = {report.entity} | titled(door.schema, report.entity, set())
    if report.analysis:
        found |= {MOVES} | aims(door.schema)
        for entity, path in ANALYSES[report.analysis]().reads(door, report):
            found |= {entity} | along(door.schema, entity, path)
    for path in paths(report):
        found |= along(door.schema, report.entity, path)
    if report.stays is not None:
        found.add(MOVES)
    if report.compare == "goal":
        found |= aims(door.schema)
    return allowed(door, found)


def of_kpi(door: Door, kpi: Kpi, where: str | None = None) -> frozenset[str] | None:
    """The same of a KPI: what its measures look at."""
    found: set[str] = aims(door.schema) if kpi.goals is not None else set()
    for part in kpi.parts.values():
        here = entities(door, part.report, where)
        if here is None:
            return None
        found |= here | (along(door.schema, part.report.entity, part.on) if part.on else set())
    for other in kpi.others:
        here = of_kpi(door, door.schema.kpis[other], where)
        if here is None:
            return None
        found |= here
    return allowed(door, found)


def paths(report: Report) -> Iterable[str]:
    """Every path a report names."""
    conditions = [report.where, *(axis.where for axis in report.by)]
    for axis in report.by:
        yield from (one for one in (axis.field, axis.first) if one)
    for measure in report.measures.values():
        conditions += [measure.where, measure.value, measure.span.ended if measure.span else None]
        yield from (one for one in (measure.field, measure.order, measure.currency, measure.rated) if one)
        if measure.span is not None:
            yield from (measure.span.start, measure.span.end)
    if report.stays is not None:
        yield from (one for one in (report.stays.field, report.stays.of, report.stays.what, report.stays.on) if one)
    if report.period:
        yield report.period
    for condition in conditions:
        yield from condition.uses if condition is not None else ()


def along(schema: Schema, entity: str, path: str) -> set[str]:
    """The entities a dotted path passes, through links and lists of linked records, with what the titles at its end are made of."""
    found: set[str] = set()
    for part in path.split("."):
        one = schema.entities.get(entity)
        if one is None:
            return found
        field = one.fields.get(part)
        to = getattr(field, "to", None) or (one.back[part][0] if part in one.back else None)
        if to is None or to not in schema.entities:
            return found
        entity = to
        found.add(entity)
    return found | titled(schema, entity, set())


def passed(schema: Schema, entity: str, path: str) -> set[str]:
    """The entities whose records are read on a dotted path: those it goes on from, and the records of lists."""
    found: set[str] = set()
    parts = path.split(".")
    for number, part in enumerate(parts, 1):
        one = schema.entities.get(entity)
        to = None if one is None else getattr(one.fields.get(part), "to", None) or (one.back[part][0] if part in one.back else None)
        if one is None or to not in schema.entities:
            break
        entity = to
        if number < len(parts) or part in one.back:
            found.add(entity)
    return found


def titled(schema: Schema, entity: str, seen: set[str]) -> set[str]:
    """The entities whose records' titles stand in the titles of this one."""
    if entity in seen or entity not in schema.entities:
        return set()
    seen.add(entity)
    found = {entity}
    one = schema.entities[entity]
    for path in re.findall(r"\{([\w.]+)", one.title):
        field: Any = one.fields.get(path.split(".")[0])
        if getattr(field, "to", None):
            found |= titled(schema, field.to, seen)
    return found


def aims(schema: Schema) -> set[str]:
    """The goals and what they are for."""
    roles = schema.goals
    if roles is None:
        return set()
    entity = schema.entities[roles.entity]
    return {roles.entity, *(entity.fields[key].to for key in roles.of)}


def allowed(door: Door, found: set[str] | frozenset[str]) -> frozenset[str]:
    """With the people and teams that rights follow from, and what the conditions of the reader's role look at."""
    schema, role = door.schema, door.schema.roles.get(door.actor.role or "")
    every = set(found)
    every |= {one.entity for one in (schema.users, schema.teams) if one is not None}
    if role is not None:
        for entity in list(every):
            see = role.of(entity).see if entity in schema.entities else None
            for path in getattr(see, "uses", ()):
                every |= along(schema, entity, path)
    return frozenset(every)
