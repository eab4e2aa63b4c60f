"""Turning a record into others: a lead into an account, a contact and an opportunity, by the map of the YAML (B3).

`plan` says what would be made and what is there already, under the rights of whoever asks: a match they may not see is no match, a
value they may not read is not copied. `convert` does it in one step, so that undo takes all of it back. What hangs on the record
(activities, responses) is linked to the new records as well and stays where it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from rapidfuzz import fuzz
from tinydb.queries import where

from crm.errors import Denied, Missing, RecordError, Refused
from crm.records.record import Record
from crm.schema.model import Conversion, ConversionTarget, Filling, Finding

NEW, NONE = "new", "none"
#: How many records that may be the same are offered.
OFFERED = 5


@dataclass
class Found:
    """A record that is there already and may be the one: `why` in words, `sure` when a rule says so (and not only that it is alike)."""

    id: int
    title: str
    why: str
    sure: bool


@dataclass
class Part:
    """One record of a plan: what was found, what is proposed (`new`, `none` or an id), the values of a new one, the fields to ask."""

    target: ConversionTarget
    found: list[Found] = field(default_factory=list)
    chosen: int | str = NEW
    values: dict[str, Any] = field(default_factory=dict)
    ask: list[str] = field(default_factory=list)
    may_create: bool = True


@dataclass
class Plan:
    conversion: Conversion
    record: Record
    parts: list[Part]


@dataclass
class Converted:
    """What was done: the step, and by name `(entity, id, whether it is new)`."""

    step: int
    made: dict[str, tuple[str, int, bool]]


def of(door: Any, entity: str, name: str | None = None) -> Conversion | None:
    """The conversion of an entity (the first, or the one named)."""
    return next((one for one in door.schema.conversions.values() if one.entity == entity and name in (None, one.name)), None)


def possible(door: Any, conversion: Conversion, record: Record) -> Refused | None:
    """Why a record cannot be converted, None when it can."""
    if any(record._doc.get(key) is not None for key in conversion.mark.links):
        return Refused("This has been converted already.")
    env = door.company.env(conversion.entity, record.id, record._doc, door.actor)
    if conversion.when is not None and not conversion.when.holds(env):
        return Refused("This cannot be converted as it is now.")
    return None


def plan(door: Any, entity: str, id: int, name: str | None = None) -> Plan:
    """What converting a record would make and find. `Missing` without a conversion, `Refused` when it cannot be converted."""
    conversion = of(door, entity, name)
    if conversion is None:
        raise Missing("There is nothing to convert this into.")
    record = door.get(entity, id)
    if (why := possible(door, conversion, record)) is not None:
        raise why
    return Plan(conversion, record, [_part(door, conversion, record, target) for target in conversion.into.values()])


def _part(door: Any, conversion: Conversion, record: Record, target: ConversionTarget) -> Part:
    part = Part(target, may_create=door.may("create", target.entity))
    for rule in target.match:
        if not door.may("see", target.entity):
            break
        for one in _find(door, conversion, record, target, rule):
            if all(one.id != known.id for known in part.found) and len(part.found) < OFFERED:
                part.found.append(one)
    part.values = filled(door, conversion, record, target.entity, target.fill)
    writable = door.writable(target.entity)
    part.ask = [key for key in target.ask or [*target.fill.set, *target.fill.values] if key in writable]
    first = next((one for one in part.found if one.sure), None)
    part.chosen = first.id if first is not None else NEW if part.may_create else NONE if target.optional else NEW
    return part


def filled(door: Any, conversion: Conversion, record: Record, entity: str, fill: Filling) -> dict[str, Any]:
    """The values a record is made with, as Python values: what this user may read here and write there."""
    fields = door.schema.entities[entity].fields
    writable = door.writable(entity) if entity != conversion.entity else door.writable(entity, record)
    env = door.company.env(conversion.entity, record.id, record._doc, door.actor)
    given: dict[str, Any] = {}
    for key, text in fill.values.items():
        if key in writable:
            given[key] = text
    for key, expression in fill.set.items():
        if key not in writable or not all(door.path_open(conversion.entity, path) for path in expression.uses):
            continue
        value = _plain(expression.evaluate(env), fields[key])
        if value not in (None, "", []):
            given[key] = value
    kept = {}
    for key, value in given.items():
        try:
            clean = fields[key].clean(value, door.words)
        except Refused:
            continue  # what the other field cannot hold is not carried over; the form shows it empty
        if clean is not None:
            kept[key] = clean
    return kept


def _plain(value: Any, into: Any) -> Any:
    """A value of an expression as another field takes it: a user as their id, a name or an address in a text as words."""
    if hasattr(value, "login"):
        return value.id
    if hasattr(value, "doc_id"):
        return value.doc_id
    if isinstance(value, dict) and into.kind == "text" and into.name not in ("person_name", "address"):
        return " ".join(str(value[key]) for key in ("first", "last") if value.get(key)) or " ".join(str(one) for one in value.values())
    return value


# -- what is there already


def _find(door: Any, conversion: Conversion, record: Record, target: ConversionTarget, rule: Finding) -> list[Found]:
    """The records one rule finds, among those this user may see."""
    t, fields = door.words, door.schema.entities[target.entity].fields
    readable = door.readable(target.entity)
    if rule.link is not None:
        linked = record.get(rule.link) if rule.link in record else None
        title = door.title(target.entity, linked) if isinstance(linked, int) else None
        return [Found(linked, title, t("linked already"), True)] if title is not None and isinstance(linked, int) else []
    said = filled(door, conversion, record, target.entity, Filling(set={**rule.same, **rule.like}))
    if not readable.issuperset({*rule.same, *rule.like}) or not all(key in said for key in rule.same):
        return []
    result = []
    if rule.same:
        conditions = [where(key) == fields[key].to_json(said[key]) for key in rule.same]
        why = t("{what} agrees", what=" · ".join(fields[key].label_in(t) for key in rule.same))
        for one in door.list(target.entity, conditions, limit=OFFERED):
            if all(_alike(fields[key], door, one[key], said[key]) >= rule.over for key in rule.like if key in said):
                result.append(Found(one.id, one.title, why, True))
        return result
    for key in rule.like:
        if key not in said:
            continue
        text = str(fields[key].display(said[key], door.shown))
        for hit in door.search(text, limit=OFFERED * 4, entities=[target.entity]):
            one = door.get(target.entity, hit.id)
            if _alike(fields[key], door, one[key], said[key]) >= rule.over:
                result.append(Found(one.id, one.title, t("{what} is alike", what=fields[key].label_in(t)), False))
    return result


def _alike(field_: Any, door: Any, one: Any, other: Any) -> float:
    if one is None or other is None:
        return 0.0
    words = [str(field_.display(value, door.shown)).casefold() for value in (one, other)]
    return float(fuzz.token_sort_ratio(*words)) / 100


# -- doing it


def convert(
    door: Any,
    entity: str,
    id: int,
    choices: Mapping[str, Any] | None = None,
    values: Mapping[str, Mapping[str, Any]] | None = None,
    name: str | None = None,
) -> Converted:
    """Convert a record. `choices` {name: id, `new` or `none`} and `values` {name: {field: typed}} are what the user made of the plan.

    Problems of a record that cannot be made come as `RecordError` with keys `name.field`.
    """
    wanted = plan(door, entity, id, name)
    if not door.may("change", entity, wanted.record):
        raise Denied("You may not change this.")
    conversion, record = wanted.conversion, wanted.record
    made: dict[str, tuple[str, int, bool]] = {}
    problems: dict[str, Any] = {}
    with door.step("Converted", later=False) as step:
        for part in wanted.parts:
            target = part.target
            choice = (choices or {}).get(target.name, part.chosen)
            if choice in (NONE, None, ""):
                if not target.optional:
                    problems[target.name] = Refused("This is needed.")
                continue
            links = _links(door, target.entity, target.fill.links, made)
            if str(choice) != NEW:
                existing = door.get(target.entity, int(choice))
                made[target.name] = (target.entity, existing.id, False)
                _join(door, existing, links)
                continue
            given = {**part.values, **links, **dict((values or {}).get(target.name) or {})}
            try:
                made[target.name] = (target.entity, door.create(target.entity, given).id, True)
            except RecordError as error:
                problems |= {f"{target.name}.{key}" if key else "": why for key, why in error.problems.items()}
                break
        if problems:
            raise RecordError(problems)
        marks = {**filled(door, conversion, record, entity, conversion.mark), **_links(door, entity, conversion.mark.links, made)}
        door.change(entity, id, marks)
        _carry(door, conversion, id, made)
        _tell(door, conversion, record, made)
    return Converted(step.id, made)


def _links(door: Any, entity: str, links: Mapping[str, str], made: Mapping[str, tuple[str, int, bool]]) -> dict[str, Any]:
    """Link fields filled with records made before, in the form each field takes."""
    fields = door.schema.entities[entity].fields
    return {key: [{"id": made[name][1]}] if fields[key].name == "links" else made[name][1] for key, name in links.items() if name in made}


def _join(door: Any, record: Record, links: Mapping[str, Any]) -> None:
    """A record that was there already is linked to the others where it is linked to nothing yet."""
    writable = door.writable(record.entity, record)
    fresh = {key: value for key, value in links.items() if key in writable and record.get(key) in (None, [])}
    if fresh:
        door.change(record.entity, record.id, fresh)


def engine(door: Any) -> Any:
    """The same person's door without their limits: for links that follow from what they did, in the same step."""
    return door.company.door(replace(door.actor, system=True, admin=True))


def _carry(door: Any, conversion: Conversion, id: int, made: Mapping[str, tuple[str, int, bool]]) -> None:
    """What hangs on the record is linked to the new records as well, also what colleagues wrote."""
    company = door.company
    source = door.schema.entities[conversion.entity]
    along = engine(door)
    for name in conversion.carry:
        child, link = source.back[name]
        other = door.schema.entities[child]
        ways = {}
        for called, (entity, number, _) in made.items():
            fitting = [
                key for key, one in other.fields.items() if one.name == "link" and one.to == entity and key != link and not one.computed
            ]
            if fitting:
                ways[called if called in fitting else fitting[0]] = number
        for doc in company.find(child, company.links_here(child, link, id)):
            fresh = {key: number for key, number in ways.items() if doc.get(key) is None}
            if fresh:
                along.change(child, doc.doc_id, fresh)


def _tell(door: Any, conversion: Conversion, record: Record, made: Mapping[str, tuple[str, int, bool]]) -> None:
    """An activity that tells of it, in the timelines of all of them."""
    roles, t = door.schema.activities, door.words
    if roles is None or conversion.log is None or not roles.kind:
        return
    fields = door.schema.entities[roles.entity].fields
    links = {}
    for entity, number in [(conversion.entity, record.id), *((entity, number) for entity, number, _ in made.values())]:
        key = next((key for key, one in fields.items() if one.name == "link" and one.to == entity and key not in links), None)
        if key is not None:
            links[key] = number
    names = ", ".join(f"{door.schema.entities[e].label_in(t)}: {door.title(e, number)}" for e, number, _ in made.values())
    given = {
        roles.kind: conversion.log,
        roles.subject: t("{title} converted", title=record.title),
        roles.text: names,
        roles.done: door.company.moment(fields[roles.done]),
        roles.owner: door.actor.id,
    }
    engine(door).create(roles.entity, {**links, **{key: value for key, value in given.items() if key and value is not None}})


# -- taking it back


def step_of(door: Any, conversion: Conversion, id: int) -> int | None:
    """The step in which a record was converted, None when it is not."""
    doc = door.company.doc(conversion.entity, id)
    keys = [key for key in conversion.mark.links if doc is not None and doc.get(key) is not None]
    if not keys:
        return None
    for one in reversed(door.company.table(conversion.entity).history(id)):
        if any(key in one.patch and one.patch[key][1] is not None for key in keys):
            return int(one.step)
    return None


def take_back(door: Any, entity: str, id: int) -> Any:
    """Take a conversion back, however long ago: what was made goes, the record is as before, what others changed since stays
    (`.conflicts`). For whoever converted it, or may change all of it."""
    record = door.get(entity, id)
    conversion = next((one for one in door.schema.conversions.values() if one.entity == entity and step_of(door, one, id)), None)
    step = step_of(door, conversion, id) if conversion is not None else None
    if conversion is None or step is None:
        raise Refused("This has not been converted.")
    mine = any(one.id == step for one in door.company.store.steps(1, before=step + 1, who=door.actor.login))
    if not door.may("change", entity, record):
        raise Denied("You may not take this back.")
    if not mine:
        for key, name in conversion.mark.links.items():
            other = record._doc.get(key)
            if other is not None and not door.may("change", conversion.into[name].entity, other):
                raise Denied("You may not take this back.")
    return engine(door).undo(step)
