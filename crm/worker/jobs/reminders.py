"""Telling people in the app what is due."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from tinydb.queries import where

from crm.errors import Denied, Missing
from crm.records import SYSTEM, agenda, notices
from crm.words import utc
from crm.worker.jobs.base import JOBS, Job

if TYPE_CHECKING:
    from crm.records.company import Company

#: So long before its time an appointment is announced.
AHEAD = timedelta(minutes=15)
#: From this time on what is due on the day is announced.
MORNING = time(8, 0)


@JOBS.add
class Reminders(Job):
    """Writes a notice for what begins in a quarter of an hour, and in the morning for what is due on the day. What was looked at is
    kept in the step that tells of it."""

    name, every = "reminders", timedelta(minutes=1)

    def run(self, company: Company, now: datetime) -> None:
        self.soon(company, now)
        self.today(company, now)

    def soon(self, company: Company, now: datetime) -> None:
        """Activities with a time of day that begin within `AHEAD`."""
        roles = company.schema.activities
        meta, until = company.store.meta, now + AHEAD
        kept = meta.get("reminders.until", None)
        since = max(datetime.fromisoformat(kept), now - timedelta(days=1)) if kept else now
        if roles is None or until <= since:
            return
        field = company.schema.entities[roles.entity].fields[roles.due]
        if field.kind != "datetime":
            return
        cond = (
            (where(roles.due) > field.to_json(utc(since))) & (where(roles.due) <= field.to_json(utc(until))) & ~where(roles.done).exists()
        )
        with company.store.transaction():
            for record in company.door(SYSTEM).list(roles.entity, where=cond, order=[roles.due], limit=None):
                when = record[roles.due]
                if when.astimezone(company.zone).time() != time(0):
                    self.tell(company, owner_of(record, roles.owner), "{title} begins at {at}", record, when, at=company.words().time(when))
            meta.set("reminders.until", until.isoformat())

    def today(self, company: Company, now: datetime) -> None:
        """What is due on the day, once in the morning."""
        day, meta = now.date(), company.store.meta
        if now.time() < MORNING or meta.get("reminders.day", None) == day.isoformat() or company.schema.users is None:
            return
        for user in company.ids(company.schema.users.entity):
            try:
                door = company.door(user)
            except (Missing, Denied):
                continue
            with company.store.transaction():
                for step in agenda.steps(door, day, day, tz=company.zone):
                    if not (isinstance(step.when, datetime) and step.when.astimezone(company.zone).time() != time(0)):
                        self.tell(company, user, "{title} is due today", step.record, step.when)
        with company.store.transaction():
            notices.sweep(company)
            meta.set("reminders.day", day.isoformat())

    @staticmethod
    def tell(company: Company, user: int | None, text: str, record: Any, when: date | datetime, **values: Any) -> None:
        key = f"due|{record.entity}|{record.id}|{when.isoformat()}"
        notices.notify(company, user, text, entity=record.entity, id=record.id, key=key, **values)


def owner_of(record: Any, key: str | None) -> int | None:
    found = record[key] if key else record["created_by"]
    return found if isinstance(found, int) else None


words = ("{title} begins at {at}", "{title} is due today")
