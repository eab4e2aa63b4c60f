"""Builds what is promised in service (H10): working hours, holidays, goals; and checks the fields they are kept in."""

from __future__ import annotations

from typing import Any

from crm.schema.building import Building
from crm.schema.faults import known
from crm.schema.language.services import DAYS_OF_WEEK, hours_of, span_minutes
from crm.schema.model import Entity, Goal, Service
from crm.schema.reading import entries, flag, nodes, scalar, scalars, submap, text
from crm.yamlfile import Map, Scalar

#: The kind of field each role needs, and whether the engine keeps it.
ROLES = {
    "opened": ("datetime", False),
    "respond_by": ("datetime", True),
    "responded": ("datetime", False),
    "resolve_by": ("datetime", True),
    "resolved": ("datetime", False),
    "waited": ("duration", True),
    "waiting_since": ("datetime", True),
}


def build(b: Building) -> None:
    for name, node in b.things("services"):
        entity = b.entity(node, "E487")
        if entity is None:
            continue
        if entity.service is not None:
            message = f"'{entity.name}' has the service '{entity.service.name}' already."
            b.faults.add("E487", scalar(node, "entity"), message, "Put the goals of both into one file, told apart by `when:`.")
            continue
        one = Service(**b.head("services", name, node), entity=entity.name)
        fields(b, one, entity, submap(node, "fields"))
        times(b, one, node)
        one.waiting = b.expression(scalar(node, "waiting"), entity.scope, "boolean")
        one.done = b.expression(scalar(node, "done"), entity.scope, "boolean")
        if one.waiting is not None and not {"waited", "waiting_since"} <= set(one.fields):
            lacks = [word for word in ("waited", "waiting_since") if word not in one.fields]
            message = f"a clock that stands needs a field for {' and '.join(f'`{word}`' for word in lacks)}."
            b.faults.add("E487", node.keys["waiting"], message, f"Name {'them' if len(lacks) > 1 else 'it'} below `fields:`.")
        one.place = b.expression(scalar(node, "place"), entity.scope)
        goals(b, one, entity, node)
        if {"opened", "resolve_by", "resolved"} <= set(one.fields) and one.goals:
            entity.service = b.schema.services[name] = one
            for word, key in one.fields.items():
                if ROLES[word][1] and not entity.fields[key].by_hand:
                    entity.fields[key].fixed = True


def fields(b: Building, one: Service, entity: Entity, node: Map) -> None:
    for key, value in entries(node):
        if key.text not in ROLES or not isinstance(value, Scalar) or value.is_null:
            continue
        found = b.field(value, entity, "E487")
        if found is None:
            continue
        field: Any = entity.fields[found]
        kind, kept = ROLES[key.text]
        if field.name != kind:
            fitting = [other.key for other in entity.own_fields.values() if other.name == kind]
            b.faults.add("E487", value, f"`{key.text}` is a {kind}, and '{found}' is of type {field.name}.", f"Write one of: {known(fitting)}.")
        elif kept and (field.formula is not None or field.rollup is not None):
            b.faults.add("E487", value, f"'{found}' is computed, and the service keeps `{key.text}`.", "Take its formula away, or name another field.")
        else:
            one.fields[key.text] = found


def times(b: Building, one: Service, node: Map) -> None:
    for number, day in enumerate(DAYS_OF_WEEK):
        last = -1
        for said in scalars(submap(node, "hours").get(day)):
            span = hours_of(said.text)
            if span is None:
                continue
            if span[0] < last:
                b.faults.add("E487", said, "these hours begin before the ones before them end.", "Write them in order, one after the other.")
                continue
            last = span[1]
            one.hours[number].append(span)
    if node.get("hours") is not None and not any(one.hours) and not any(
        fault.code in ("E117", "E101") and fault.file == node.file for fault in b.faults
    ):
        b.faults.add("E487", node.keys["hours"], "nobody ever works by these hours.", "Write at least one day: `monday: 8:00-17:00`.")
    for place, days in entries(submap(node, "holidays")):
        one.holidays[place.text] = frozenset(said.text for said in scalars(days))


def goals(b: Building, one: Service, entity: Entity, node: Map) -> None:
    rows = nodes(node, "goals")
    for number, row in enumerate(rows):
        if not isinstance(row, Map):
            continue
        when = scalar(row, "when")
        if when is None and number + 1 < len(rows):
            b.faults.add("E487", row, "a goal without `when:` holds for all, so those after it never do.", "Give it a condition, or put it last.")
        spans = {word: span_minutes(text(row, word)) if scalar(row, word) else None for word in ("respond", "resolve")}
        if "respond" not in row and "resolve" not in row:
            b.faults.add("E487", row, "this goal promises nothing.", "Add `respond: 4h` or `resolve: 24h`.")
        if spans["respond"] is not None and "respond_by" not in one.fields and "respond_by" not in submap(node, "fields"):
            b.faults.add("E487", row.keys["respond"], "no field keeps until when somebody answers.", "Name `respond_by:` below `fields:`.")
        if spans["respond"] and spans["resolve"] and spans["respond"] > spans["resolve"]:
            b.faults.add("E487", row.values["respond"], "the answer is promised later than the solution.", "Make `respond` the shorter one.")
        test = b.expression(when, entity.scope, "boolean") if when is not None else None
        if when is None or test is not None:
            one.goals.append(Goal(test, spans["respond"], spans["resolve"], flag(row, "always")))
