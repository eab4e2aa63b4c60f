"""A user's calendar as an iCalendar feed (RFC 5545): what they have planned, through their own rights, for any calendar program.

Every event keeps its UID for as long as it lives and carries the record's version as SEQUENCE, so that a change moves it and a
deletion cancels it. Times are in UTC, days are days; a reminder rings a quarter of an hour before, on days at nine.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from icalendar import Alarm, Calendar, Event
from tinydb.queries import where

from crm.mail.rendering import address
from crm.records import agenda
from crm.records.feeds import company_id
from crm.records.queries import all_of
from crm.records.record import Record
from crm.records.shape import DELETED

if TYPE_CHECKING:
    from crm.records.company import Company

#: Days back and ahead that a feed holds, and at most how many events of a kind.
BACK, AHEAD, MOST = 60, 400, 1000
#: How long something takes when nobody has said.
USUAL = timedelta(minutes=30)
BEFORE, AT_NINE = timedelta(minutes=-15), timedelta(hours=9)


def feed(company: Company, user: int, base: str = "") -> bytes:
    """The calendar of a user as of now. `base` is the CRM's address as the asking program knows it, for links. Raises `Denied` for
    somebody who was switched off."""
    door = company.door(user)
    t = door.words
    calendar = Calendar()
    calendar.add("prodid", "-//crm//calendar//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", f"{company.schema.title}: {door.actor.name}")
    calendar.add("x-wr-timezone", t.timezone)
    calendar.add("x-published-ttl", "PT15M")
    base = (address(company) or base).rstrip("/")
    today = t.today()
    since, until = today - timedelta(days=BACK), today + timedelta(days=AHEAD)
    for step in agenda.steps(door, until, since, MOST):
        calendar.add_component(event(door, step, base))
    for record in gone(door, since):
        calendar.add_component(cancelled(door, record))
    return calendar.to_ical()


def event(door: Any, step: agenda.Step, base: str) -> Event:
    """One step as an event with its reminder."""
    record, t = step.record, door.words
    made = Event()
    begin(door, made, record, step.when, duration(door, record) if step.planned else None)
    made.add("summary", step.what if step.planned or step.what == record.title else f"{step.what}: {record.title}")
    link = f"{base}/?view=record&entity={step.entity}&id={step.id}" if base else ""
    about = [record.subtitle if step.planned else "", link]
    if any(about):
        made.add("description", "\n".join(one for one in about if one))
    if link:
        made.add("url", link)
    made.add("status", "CONFIRMED")
    made.add("transp", "OPAQUE" if clock(t, step.when) else "TRANSPARENT")
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", step.what)
    alarm.add("trigger", BEFORE if clock(t, step.when) else AT_NINE)
    made.add_component(alarm)
    return made


def begin(door: Any, made: Event, record: Record, when: date | datetime, takes: timedelta | None) -> None:
    """What tells which event it is, how new, and when."""
    t = door.words
    changed = datetime.fromisoformat(str(record._doc.get("changed_on") or "2000-01-01T00:00:00+00:00").replace("Z", "+00:00")).replace(
        microsecond=0
    )
    made.add("uid", f"{record.entity}-{record.id}@{company_id(door.company)}")
    made.add("dtstamp", changed)
    made.add("last-modified", changed)
    made.add("sequence", record.version)
    moment = clock(t, when)
    if moment is not None:
        start = moment.astimezone(UTC).replace(microsecond=0)
        made.add("dtstart", start)
        made.add("dtend", start + (takes or USUAL))
    else:
        day = t.local(when).date() if isinstance(when, datetime) else when
        made.add("dtstart", day)
        made.add("dtend", day + timedelta(days=1))


def clock(t: Any, when: date | datetime) -> datetime | None:
    """The moment of something meant for a time of the day; None for what is meant for the day (midnight says so, too)."""
    if not isinstance(when, datetime) or t.local(when).time() == time(0):
        return None
    return when


def duration(door: Any, record: Record) -> timedelta | None:
    """How long an activity takes, where it says so."""
    key = door.schema.activities.duration
    value = record[key] if key and key in record else None
    if value is None or isinstance(value, timedelta):
        return value or None
    return timedelta(minutes=float(value)) or None


def gone(door: Any, since: date) -> list[Record]:
    """Planned activities of this user deleted of late: a calendar that has them is told that they are off."""
    roles = door.schema.activities
    if roles is None or not door.may("see", roles.entity):
        return []
    entity = door.schema.entities[roles.entity]
    if not {roles.due, roles.done} <= door.readable(entity.name):
        return []
    own = (where(roles.owner) if roles.owner in door.readable(entity.name) else where("created_by")) == door.actor.id
    stamp = entity.fields[roles.due].to_json(door.words.midnight(since) if entity.fields[roles.due].kind == "datetime" else since)
    cond = all_of(where(DELETED).exists(), own, where(roles.due) >= stamp, ~where(roles.done).exists())
    sight = door.sight(entity.name)
    docs = door.company.table(entity.name).find(cond, order_by=["-doc_id"], limit=MOST)
    return [Record(door, entity.name, doc, doc.doc_id, doc.version) for doc in docs if sight.sees(doc, doc.doc_id)]


def cancelled(door: Any, record: Record) -> Event:
    made = Event()
    begin(door, made, record, record[door.schema.activities.due], duration(door, record))
    made.add("summary", record.title)
    made.add("status", "CANCELLED")
    return made
