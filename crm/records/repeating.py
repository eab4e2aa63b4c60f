"""Recurring tasks (B7): when an activity with a repetition is done, the next one is made in the same step; undo takes both back.

    activities: {entity: activity, …, repeat: repeat, repeat_every: every, repeat_until: until}     # crm.yaml
    fields: {repeat: {type: choice, options: [daily, weekly, monthly, yearly]}, every: integer, until: date}

What was missed is not made up for: the next one is due after today. A 31st stays the last day in shorter months and is the 31st again
after them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tinydb.queries import where

from crm.errors import Denied, RecordError
from crm.records.queries import all_of
from crm.records.shape import DELETED
from crm.words import month_shift

if TYPE_CHECKING:
    from crm.schema.model import ActivityRoles

#: Days or months of a repetition.
DAYS = {"daily": 1, "weekly": 7}
MONTHS = {"monthly": 1, "yearly": 12}
UNITS = (*DAYS, *MONTHS)
#: So many earlier ones are looked at for the day of the month it began with.
CHAIN = 12


def following(day: date, unit: str, every: int, after: date, anchor: int = 0) -> date:
    """The first day of the rhythm that lies after `day` and after `after`; `anchor` is the day of the month it is meant for."""
    every = max(1, every)
    if unit in DAYS:
        step = DAYS[unit] * every
        missed = max(0, (after - day).days // step)
        return day + timedelta(days=step * (missed + 1))
    months = MONTHS[unit] * every
    count = 1
    if after > day:
        count = max(1, ((after.year - day.year) * 12 + after.month - day.month) // months)
    first = day.replace(day=1)
    while True:
        month = month_shift(first, months * count)
        found = min(_in(month, anchor or day.day), month_shift(month, 1) - timedelta(days=1))
        if found > day and found > after:
            return found
        count += 1


def _in(month: date, day: int) -> date:
    return month_shift(month, 1) - timedelta(days=1) if day > 28 and day > (month_shift(month, 1) - month).days else month.replace(day=day)


def after_done(door: Any, entity: str, id: int, old: Mapping[str, Any], doc: Mapping[str, Any]) -> Any:
    """Called in the step in which an activity was written: the next one of a repeated activity that was done just now, else None."""
    roles: ActivityRoles | None = door.schema.activities
    if roles is None or entity != roles.entity or not roles.repeat:
        return None
    unit = roles.rhythms.get(str(doc.get(roles.repeat)))
    if unit is None or old.get(roles.done) is not None or doc.get(roles.done) is None or doc.get(roles.due) is None:
        return None
    fields = door.schema.entities[entity].fields
    t = door.words
    due = fields[roles.due].from_json(doc[roles.due])
    day = t.local(due).date() if isinstance(due, datetime) else due
    every = int(doc.get(roles.repeat_every) or 1) if roles.repeat_every else 1
    coming = following(day, unit, every, t.today(), anchor(door, roles, doc, day) if unit in MONTHS else 0)
    until = doc.get(roles.repeat_until) if roles.repeat_until else None
    if until is not None and coming > t.parse_date(until):
        return None
    when: Any = datetime.combine(coming, t.local(due).time(), t.tz) if isinstance(due, datetime) else coming
    if _made_already(door, roles, doc, fields[roles.due].to_json(fields[roles.due].clean(when, t))):
        return None
    given = copied(door, roles, doc)
    back = link_back(door, roles)
    if back:
        given[back] = id
    try:
        return door.create(entity, {**given, roles.due: when})
    except (Denied, RecordError):  # what may not be made by this user does not keep them from finishing this one
        return None


def copied(door: Any, roles: ActivityRoles, doc: Mapping[str, Any]) -> dict[str, Any]:
    """What the next one takes over: all but how this one went, what is computed and what belongs to one record alone."""
    fields = door.schema.entities[roles.entity].fields
    left = {roles.done, roles.due, roles.result, roles.text, link_back(door, roles)}
    settable = door.writable(roles.entity)
    return {
        key: fields[key].from_json(value)
        for key, value in doc.items()
        if key in settable and key not in left and not fields[key].unique and fields[key].name != "autonumber" and value is not None
    }


def link_back(door: Any, roles: ActivityRoles) -> str | None:
    """The activity's link to the one it follows."""
    fields = door.schema.entities[roles.entity].own_fields
    return next(
        (key for key, one in fields.items() if one.name == "link" and one.to == roles.entity and key in door.writable(roles.entity)), None
    )


def anchor(door: Any, roles: ActivityRoles, doc: Mapping[str, Any], day: date) -> int:
    """The day of the month a series is meant for: the latest that any of its last ones fell on."""
    back, found = link_back(door, roles), day.day
    field = door.schema.entities[roles.entity].fields[roles.due]
    here: Any = doc
    for _ in range(CHAIN):
        here = door.company.doc(roles.entity, here.get(back)) if back else None
        if here is None or not roles.repeat or here.get(roles.repeat) != doc.get(roles.repeat) or here.get(roles.due) is None:
            break
        due = field.from_json(here[roles.due])
        found = max(found, (door.words.local(due).date() if isinstance(due, datetime) else due).day)
    return found


def _made_already(door: Any, roles: ActivityRoles, doc: Mapping[str, Any], due: Any) -> bool:
    """Whether the next one is there: this one was done before, opened again and done once more."""
    same = [where(key) == doc[key] for key in (roles.subject, roles.owner) if key and doc.get(key) is not None]
    cond = all_of(~where(DELETED).exists(), where(roles.due) == due, ~where(roles.done).exists(), *same)
    return bool(door.company.table(roles.entity).count(cond))
