"""Promises kept by the clock (H10): until when somebody answers and until when it is solved, in working time, in the same write.

The clock starts when the record is opened and stands while the service's `waiting` holds; what it stood is added to the deadline.
While it stands a deadline not yet missed is empty: nothing runs.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from crm.fields.datetime import moment_json
from crm.records.derive import changed_keys
from crm.records.shape import by_hand_of
from crm.records.worktime import WorkTime
from crm.schema.model import Goal, Service

if TYPE_CHECKING:
    from crm.records.company import Company
    from crm.records.writing import Draft

ALWAYS = [[(0, 1440)]] * 7


def clock(company: Company, draft: Draft) -> set[str]:
    """Set the deadlines of a record on its way, and start or stop its clock; the fields that changed."""
    service = draft.sight.entity.service
    if service is None:
        return set()
    before = dict(draft.doc)
    _run(company, draft, service)
    return changed_keys(before, draft.doc)


def _run(company: Company, draft: Draft, service: Service) -> None:
    keys, doc, env = service.fields, draft.doc, draft.env
    opened = moment(doc.get(keys["opened"]))
    if opened is None:
        return
    goal = next((one for one in service.goals if one.when is None or one.when.holds(env)), None)
    time = worktime(company, service, goal, env)
    now = company.now()
    if service.done is not None:
        done, was = service.done.holds(env), draft.old is not None and service.done.holds(company.env(service.entity, draft.doc_id, draft.old))
        if done and doc.get(keys["resolved"]) is None:
            put(draft, keys["resolved"], moment_json(now))
        elif was and not done and keys["resolved"] not in draft.given:
            put(draft, keys["resolved"], None)
    waiting = service.waiting is not None and service.waiting.holds(env)
    if service.waiting is not None:
        since = moment(doc.get(keys["waiting_since"]))
        ended = doc.get(keys["resolved"]) is not None
        if waiting and since is None and not ended:
            since = now
            put(draft, keys["waiting_since"], moment_json(now))
        elif since is not None and (not waiting or ended):
            until = moment(doc.get(keys["resolved"])) if ended else now
            put(draft, keys["waited"], (doc.get(keys["waited"]) or 0) + time.between(since, until or now))
            put(draft, keys["waiting_since"], None)
    for role in ("respond_by", "resolve_by"):
        minutes: int | None = getattr(goal, role.removesuffix("_by")) if goal is not None else None
        key = keys.get(role)
        if key is None or key in by_hand_of(doc):
            continue
        due = None
        if minutes is not None:
            stood = (doc.get(keys.get("waited", "")) or 0) if role == "resolve_by" else 0
            due = time.add(opened, minutes + stood)
            since = moment(doc.get(keys.get("waiting_since", "")))
            if role == "resolve_by" and since is not None and due is not None and due > since:
                due = None
        put(draft, key, moment_json(due) if due is not None else None)


def worktime(company: Company, service: Service, goal: Goal | None, env: Any) -> WorkTime:
    """The working time that counts for one record."""
    if goal is not None and goal.always:
        return WorkTime(ALWAYS, frozenset(), company.zone)
    place = service.place.evaluate(env) if service.place is not None else None
    days = service.holidays.get("all", frozenset()) | service.holidays.get(str(place), frozenset())
    return WorkTime(service.hours, days, company.zone)


def left(company: Company, entity: str, doc_id: int | None, doc: Any, role: str = "resolve_by") -> int | None:
    """The working minutes left until a deadline of a record, below zero when it is missed; None when no clock runs."""
    service = company.schema.entities[entity].service
    key = service.fields.get(role) if service is not None else None
    due = moment(doc.get(key)) if key else None
    if service is None or due is None:
        return None
    env = company.env(entity, doc_id, doc)
    goal = next((one for one in service.goals if one.when is None or one.when.holds(env)), None)
    time, now = worktime(company, service, goal, env), company.now()
    return time.between(now, due) if due >= now else -time.between(due, now)


def day(service: Service) -> int:
    """The minutes of a usual working day."""
    worked = [sum(end - begin for begin, end in spans) for spans in service.hours if spans]
    return sum(worked) // len(worked) if worked else 1440


def put(draft: Draft, key: str, value: Any) -> None:
    if draft.doc.get(key) != value:
        draft.put(key, value)


def moment(kept: Any) -> datetime | None:
    """A stored moment."""
    return datetime.fromisoformat(kept).astimezone(UTC) if isinstance(kept, str) else None
