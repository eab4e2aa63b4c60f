"""When automations by the clock are due: dates that come, silences, schedules. For the worker, and for trying them on history.

An *occasion* is one record at one moment (or, for an automation without a record's date, one moment of its schedule), and has a key.
The worker does an occasion's effects and notes its key in one transaction, so that each is seen to once, whatever becomes of the worker.

A date or silence counts from the moment the automation was first seen by the worker: what was due before is left alone. The worker
may have been away: what came meanwhile is seen to late, of a schedule only the last time. A date that somebody enters when it is past
already still counts for `LATE`.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from tinydb.queries import where

from crm.expressions.values import shift
from crm.records.automation import Cause, holds, perform, ran, switched_off
from crm.records.queries import all_of
from crm.records.shape import DELETED
from crm.schema.automations import activity_links
from crm.schema.model import Automation, Trigger

if TYPE_CHECKING:
    from crm.records.company import Company

#: How long a date that was entered after it had come still counts.
LATE = timedelta(days=7)
#: Slack around what the store is asked for; the moments are then computed exactly.
SLACK = timedelta(days=4)
#: Times of changes are kept in milliseconds, and clocks of processes differ a little.
SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Occasion:
    """One record at one moment."""

    id: int | None
    moment: datetime
    key: str


# -- moments


def moment_of(company: Company, trigger: Trigger, base: Any) -> datetime | None:
    """The moment a date trigger or a silence means for a date or moment of a record, in the company's time zone."""
    if base is None:
        return None
    zone = company.zone
    start = base.astimezone(zone) if isinstance(base, datetime) else datetime.combine(base, time(0, 0), zone)
    found: datetime | None = shift(start, trigger.offset)
    if found is None:
        return None
    if trigger.at is not None:
        begins = found.replace(hour=trigger.at.hour, minute=trigger.at.minute, second=0, microsecond=0)
        found = max(found, begins)
    return found


def times(company: Company, trigger: Trigger, after: datetime, until: datetime) -> list[datetime]:
    """The moments of a schedule after one moment, up to another."""
    found = []
    day = after.astimezone(company.zone).date()
    last = until.astimezone(company.zone).date()
    assert trigger.at is not None
    while day <= last:
        if _on(trigger, day):
            moment = datetime.combine(day, trigger.at, company.zone)
            if after < moment <= until:
                found.append(moment)
        day += timedelta(days=1)
    return found


def _on(trigger: Trigger, day: date) -> bool:
    if trigger.every == "week":
        return day.isoweekday() == trigger.on
    if trigger.every == "month":
        length = calendar.monthrange(day.year, day.month)[1]
        return day.day == (length if not trigger.on else min(trigger.on, length))
    return True


def base_of(company: Company, entity: str, trigger: Trigger, doc: Mapping[str, Any], newest: Any = None) -> Any:
    """What a date or silence of one record counts from: its field, for a silence the day it was made when there is nothing else."""
    fields = company.schema.entities[entity].fields
    if trigger.field is not None:
        kept = doc.get(trigger.field)
        base = fields[trigger.field].from_json(kept) if kept is not None else None
    else:
        base = newest
    if base is None and trigger.kind == "silence" and doc.get("created_on"):
        base = fields["created_on"].from_json(doc["created_on"])
    return base


def newest_activity(company: Company, entity: str, id: int) -> datetime | None:
    """When something was last done with a record: the newest activity that leads to it."""
    roles = company.schema.activities
    assert roles is not None
    found = [
        company.table(roles.entity).aggregate((), {"it": ("max", roles.done)}, company.links_here(roles.entity, link, id))[0]["it"]
        for link in activity_links(company.schema, entity)
    ]
    newest = max((one for one in found if one), default=None)
    return company.schema.entities[roles.entity].fields[roles.done].from_json(newest) if newest is not None else None


# -- what is due


def occasions(
    company: Company, one: Automation, number: int, trigger: Trigger, low: datetime, since: datetime, now: datetime
) -> Iterator[Occasion]:
    """What came after `since` up to `now`, and what was entered since then and came after `low`."""
    name = f"{one.name}|{number}"
    if trigger.kind == "schedule":
        for moment in times(company, trigger, since, now)[-1:]:
            for id in matching(company, one):
                yield Occasion(id, moment, f"{name}|{id}|{_key(moment)}")
        return
    for id in candidates(company, one, trigger, low, now):
        doc = company.doc(one.entity, id)
        if doc is None:
            continue
        newest = newest_activity(company, one.entity, id) if trigger.kind == "silence" and trigger.field is None else None
        comes = moment_of(company, trigger, base_of(company, one.entity, trigger, doc, newest))
        if comes is not None and low < comes <= now and (comes > since or _stamp(doc.get("changed_on")) > since - SECOND):
            yield Occasion(id, comes, f"{name}|{id}|{_key(comes)}")


def matching(company: Company, one: Automation) -> list[int]:
    """The records that fit an automation's condition now."""
    cond = company.expression_query(one.condition, company.acting) if one.condition is not None else None
    return company.ids(one.entity, cond)


def candidates(company: Company, one: Automation, trigger: Trigger, low: datetime, now: datetime) -> list[int]:
    """Records for which a trigger may have come between two moments."""
    early, late = _back(low, trigger) - SLACK, _back(now, trigger) + SLACK
    found: list[int] = []
    if trigger.field is not None:
        field = company.schema.entities[one.entity].fields[trigger.field]
        found += company.ids(one.entity, _between(field, early, late))
        if trigger.kind == "silence":
            created = company.schema.entities[one.entity].fields["created_on"]
            found += company.ids(one.entity, all_of(~where(trigger.field).exists(), _between(created, early, late)))
        return list(dict.fromkeys(found))
    roles = company.schema.activities
    assert roles is not None
    done = company.schema.entities[roles.entity].fields[roles.done]
    for link in activity_links(company.schema, one.entity):
        rows = company.raw(roles.entity, [link], all_of(where(link).exists(), _between(done, early, late)))
        found += [row[0] for row in rows if row[0] is not None]
    created = company.schema.entities[one.entity].fields["created_on"]
    found += company.ids(one.entity, _between(created, early, late))
    return list(dict.fromkeys(found))


def _back(moment: datetime, trigger: Trigger) -> datetime:
    found: datetime = shift(moment, -trigger.offset)
    return found


def _between(field: Any, early: datetime, late: datetime) -> Any:
    first, last = (early.date(), late.date()) if field.kind == "date" else (early, late)
    return (where(field.key) >= field.to_json(first)) & (where(field.key) <= field.to_json(last))


def _key(moment: datetime) -> str:
    from crm.records.company import stamp

    return stamp(moment)


def _stamp(text: Any) -> datetime:
    return datetime.fromisoformat(str(text).replace("Z", "+00:00")) if text else datetime.min.replace(tzinfo=_UTC)


_UTC = datetime.fromisoformat("2000-01-01T00:00:00+00:00").tzinfo


# -- doing it


def run_due(company: Company, now: datetime, stop: Any = None) -> int:
    """See to everything that has come; how many occasions were acted on. `stop()` true ends it early, to be gone on with later."""
    done, off = 0, switched_off(company)
    for one, trigger in company.automations.timed:
        number = one.when.index(trigger)
        key = f"automation.{one.name}.{number}"
        kept = company.store.meta.get(key)
        if kept is None:
            company.store.meta.set(key, {"from": now.isoformat(), "since": now.isoformat()})
            continue
        begun, since = datetime.fromisoformat(kept["from"]), datetime.fromisoformat(kept["since"])
        if now <= since:
            continue
        for occasion in [] if one.name in off else list(occasions(company, one, number, trigger, max(begun, since - LATE), since, now)):
            if stop is not None and stop():
                return done
            done += act(company, one, trigger, occasion)
        company.store.meta.set(key, {"from": kept["from"], "since": now.isoformat()})
    return done


def act(company: Company, one: Automation, trigger: Trigger, occasion: Occasion) -> bool:
    """One occasion: its condition, its effects and its note in the log, in one transaction; nothing when it was seen to before."""
    from crm.records.actor import SYSTEM

    if ran(company, occasion.key):
        return False
    with company.writing(SYSTEM, one.label) as writing:
        if ran(company, occasion.key):
            return False
        assert occasion.id is not None
        doc = company.doc(one.entity, occasion.id)
        if doc is None or doc.get(DELETED) is not None:
            return False
        if not holds(one, company.env(one.entity, occasion.id, doc)):
            return False
        return perform(company, Cause(one, trigger, one.entity, occasion.id, key=occasion.key), writing)


__all__ = ["Occasion", "act", "base_of", "moment_of", "occasions", "run_due", "times"]
