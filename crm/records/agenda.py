"""What a person has agreed to do next, and what lacks a next step (B7): activities that are planned, and records whose entity has a
`next` role. Home, lists, mails and calendars all read it here, so that overdue, today and later mean the same everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from tinydb.queries import where

from crm.errors import Denied, Missing, RecordError
from crm.records.queries import all_of
from crm.records.record import Record
from crm.records.shape import DELETED
from crm.schema.model import Entity, NextStep
from crm.words import utc

#: So many steps of one kind of record are read at most.
MOST = 300
LATE, TODAY, LATER = "late", "today", "later"


@dataclass(frozen=True, slots=True)
class Step:
    """One next step: `when` as stored (a day, or a moment), `day` in the reader's time zone, `what` is to be done; `planned` when it is
    an activity, else it is the record's own next step."""

    record: Record
    when: date | datetime
    day: date
    what: str
    planned: bool

    @property
    def entity(self) -> str:
        return self.record.entity

    @property
    def id(self) -> int:
        return self.record.id

    @property
    def key(self) -> str:
        return f"{self.record.entity}-{self.record.id}"

    @property
    def timed(self) -> bool:
        """Whether it is meant for a time of the day, not for the day."""
        return isinstance(self.when, datetime)


def state(day: date, today: date) -> str:
    """`late`, `today` or `later`."""
    return LATE if day < today else TODAY if day == today else LATER


def is_open(door: Any, record: Record) -> bool:
    """Whether a record needs a next step: its entity has the role, and it is open."""
    role = door.schema.entities[record.entity].next
    if role is None:
        return False
    return role.open is None or bool(role.open.holds(door.company.env(record.entity, record.id, record._doc, door.actor)))


def lacks(door: Any, record: Record) -> bool:
    """Whether a record is open and has no next step that this user could see."""
    role = door.schema.entities[record.entity].next
    return role is not None and role.on in record and record[role.on] is None and is_open(door, record)


def entities(door: Any) -> list[Entity]:
    """The entities with a next step that this user may see."""
    return [
        one
        for one in door.schema.entities.values()
        if one.next is not None and door.may("see", one.name) and all(door.path_open(one.name, path) for path in one.next.missing.uses)
    ]


def mine(door: Any, entity: Entity) -> Any:
    """The condition that a record is this user's own."""
    key = entity.role("owner")
    return where(key if key and key in door.readable(entity.name) else "created_by") == door.actor.id


def steps(door: Any, until: date, since: date | None = None, most: int = MOST, tz: Any = None) -> list[Step]:
    """The open steps of this user up to and including the day `until` (from `since` on), the earliest first.

    What an activity plans for a day is not told a second time by the record it is about.
    """
    tz = tz or door.words.tz
    found: list[Step] = []
    told: set[tuple[str, int, date]] = set()
    roles = door.schema.activities
    if roles is not None and door.may("see", roles.entity):
        entity = door.schema.entities[roles.entity]
        readable = door.readable(entity.name)
        if {roles.due, roles.done} <= readable:
            own = (where(roles.owner) if roles.owner in readable else where("created_by")) == door.actor.id
            cond = all_of(_between(entity.fields[roles.due], since, until, tz), own, ~where(roles.done).exists())
            links = [(key, one.to) for key, one in entity.own_fields.items() if one.name == "link" and key in readable]
            for record in door.list(entity.name, where=cond, order=[roles.due], limit=most):
                when = record[roles.due]
                day = _day(when, tz)
                told |= {(to, record[key], day) for key, to in links if isinstance(record[key], int)}
                found.append(Step(record, when, day, record.title, True))
    for entity in entities(door):
        role = entity.next
        assert role is not None
        cond = all_of(_between(entity.fields[role.on], since, until, tz), mine(door, entity))
        for record in door.list(entity.name, where=[one for one in (role.open, cond) if one is not None], order=[role.on], limit=most):
            when = record[role.on]
            day = _day(when, tz)
            if (entity.name, record.id, day) not in told:
                found.append(Step(record, when, day, words_of(entity, record) or record.title, False))
    found.sort(key=lambda step: (step.day, str(step.when)))
    return found


def without(door: Any, most: int = 6, own: bool = True) -> tuple[list[Record], int]:
    """Open records (this user's own, or all they see) without a next step: the longest untouched first, and how many there are."""
    found: list[Record] = []
    total = 0
    for entity in entities(door):
        assert entity.next is not None
        cond = [entity.next.missing, *([mine(door, entity)] if own else [])]
        count = door.count(entity.name, where=cond)
        if count:
            total += count
            found += door.list(entity.name, where=cond, order=["changed_on"], limit=most)
    found.sort(key=lambda record: str(record._doc.get("changed_on") or ""))
    return found[:most], total


def planned(door: Any, entity: str, doc: Mapping[str, Any]) -> None:
    """Called in the step in which an activity was made: open records it is about that have no next step take it as theirs, where this user
    may write that. What is agreed already stays."""
    roles = door.schema.activities
    if roles is None or entity != roles.entity or doc.get(roles.due) is None or doc.get(roles.done) is not None:
        return
    due = door.schema.entities[entity].fields[roles.due]
    for link, role in _about(door, entity, doc):
        try:
            record = door.get(link.to, doc[link.key])
            writable = door.writable(link.to, record)
            if role.on in writable and lacks(door, record):
                when = due.from_json(doc[roles.due])
                timed = door.schema.entities[link.to].fields[role.on].kind == "datetime"
                given: dict[str, Any] = {role.on: when if timed else _day(when, door.words.tz)}
                if role.text in writable:
                    given[str(role.text)] = doc.get(roles.subject)
                door.change(link.to, record.id, given)
        except (Missing, Denied, RecordError):
            continue


def followed(door: Any, entity: str, old: Mapping[str, Any], doc: Mapping[str, Any]) -> None:
    """Called in the step in which an activity was written: once it is done, moved to another day or deleted, open records it is about take
    the next planned one as their next step, where this user may write that. What was agreed beside it stays."""
    roles = door.schema.activities
    if roles is None or entity != roles.entity or old.get(roles.due) is None or old.get(roles.done) is not None:
        return
    if all(old.get(key) == doc.get(key) for key in (roles.done, roles.due, DELETED)):
        return
    due = door.schema.entities[entity].fields[roles.due]
    for link, role in _about(door, entity, old):
        try:
            record = door.get(link.to, old[link.key])
            if role.on in door.writable(link.to, record) and is_open(door, record):
                _take_next(door, record, role, link.key, due.from_json(old[roles.due]))
        except (Missing, Denied, RecordError):
            continue


def _about(door: Any, entity: str, doc: Mapping[str, Any]) -> Iterator[tuple[Any, NextStep]]:
    """The links of an activity to records that have a next step: (link field, where its entity keeps it)."""
    for key, link in door.schema.entities[entity].own_fields.items():
        role = door.schema.entities[link.to].next if link.name == "link" and link.to != entity and doc.get(key) is not None else None
        if role is not None:
            yield link, role


def planned_for(door: Any, entity: str, id: int) -> Record | None:
    """The earliest activity about a record that is planned and that this user may see."""
    roles = door.schema.activities
    own = door.schema.entities[roles.entity].own_fields if roles is not None else {}
    link = next((key for key, one in own.items() if one.name == "link" and one.to == entity and not one.fixed), None)
    return _earliest(door, link, id) if link and link in door.readable(roles.entity) else None


def _earliest(door: Any, link: str, id: int) -> Record | None:
    roles = door.schema.activities
    if not door.may("see", roles.entity) or not {link, roles.due, roles.done} <= set(door.readable(roles.entity)):
        return None
    cond = all_of(where(link) == id, ~where(roles.done).exists(), where(roles.due).exists())
    return next(iter(door.list(roles.entity, where=cond, order=[roles.due], limit=1)), None)


def _take_next(door: Any, record: Record, role: Any, link: str, was: Any) -> None:
    """Give a record the earliest activity planned for it as its next step; nothing where there is none and it was not this one (due on
    `was`) that was agreed."""
    roles, tz = door.schema.activities, door.words.tz
    coming = _earliest(door, link, record.id)
    due = coming.get(roles.due) if coming is not None else None
    before = None if record[role.on] is None else _day(record[role.on], tz)
    day = None if due is None else _day(due, tz)
    if before == day or (day is None and before != _day(was, tz)):
        return
    timed = door.schema.entities[record.entity].fields[role.on].kind == "datetime"
    given: dict[str, Any] = {role.on: due if timed else day}
    if role.text in door.writable(record.entity, record):
        given[str(role.text)] = coming.get(roles.subject) if coming is not None else None
    door.change(record.entity, record.id, given)


def words_of(entity: Entity, record: Mapping[str, Any]) -> str:
    """What a record's next step is, in its own words; "" where it says nothing or the user may not read it."""
    key = entity.role("next_text", record)
    return str(record[key] or "") if key and key in record else ""


def _day(when: date | datetime, tz: Any) -> date:
    return when.astimezone(tz).date() if isinstance(when, datetime) else when


def _between(field: Any, since: date | None, until: date, tz: Any) -> Any:
    """The condition that a date or datetime field lies within some days of a time zone, ends included."""

    def at(day: date) -> Any:
        return field.to_json(utc(datetime.combine(day, time(), tzinfo=tz)) if field.kind == "datetime" else day)

    path = where(field.key)
    return all_of(path >= at(since) if since is not None else None, path < at(until + timedelta(days=1)))
