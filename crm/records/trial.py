"""Automations tried on history (B12): what one would have done so far, had it been there, and where. Nothing is written.

The past of its entity is gone through change by change. Triggers and conditions are asked of the records as they were then, at the
moment it was; what a condition reads of *other* records (an owner's team, an account's grade) is as it is today. What automations
would have changed for each other is not followed. Undos count as changes here, imports as typed by hand.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from crm.records.actor import SYSTEM
from crm.records.automation import Before, fits, holds
from crm.records.due import base_of, moment_of, times
from crm.records.shape import DELETED
from crm.schema.automations import activity_links
from crm.schema.model import Automation, Trigger

if TYPE_CHECKING:
    from crm.records.company import Company

log = logging.getLogger(__name__)

#: So many of the newest hits are kept to be shown.
SHOWN = 100
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Would:
    """One time it would have run."""

    entity: str
    id: int
    at: datetime


@dataclass
class Trial:
    """What an automation would have done: how often (`count`) on how many `records` since when, and the newest `hits`."""

    automation: str
    since: datetime
    until: datetime
    count: int = 0
    hits: list[Would] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)

    @property
    def records(self) -> int:
        return len(self.seen)


def trial(company: Company, name: str, since: datetime | None = None) -> Trial:
    """Try an automation (also one that is switched off) on everything that happened since a moment (None: ever)."""
    one = company.schema.automations[name]
    found = Trial(name, since or BEGINNING, company.now())
    newest: deque[Would] = deque(maxlen=SHOWN)
    for hit in sorted(_hits(company, one, found.since, found.until), key=lambda hit: hit.at):
        found.count += 1
        found.seen.add(hit.id)
        newest.append(hit)
    found.hits = [*reversed(newest)]
    if since is None:
        first = next(iter(company.table(one.entity).past()), None)
        found.since = _moment(first.at) if first is not None else found.until
    return found


def _hits(company: Company, one: Automation, since: datetime, until: datetime) -> Iterator[Would]:
    timed = [trigger for trigger in one.when if not trigger.live]
    live = len(timed) < len(one.when)
    done = _done(company, one.entity) if any(trigger.kind == "silence" and trigger.field is None for trigger in timed) else {}
    states: dict[int, tuple[dict[str, Any], datetime]] = {}
    for at, changed in _steps(company, one.entity):
        for id, patches in changed.items():
            before = states.get(id)
            doc = dict(before[0]) if before is not None else {}
            for patch in patches:
                for key, (_, new) in patch.items():
                    if new is None:
                        doc.pop(key, None)
                    else:
                        doc[key] = new
            if before is not None:
                for trigger in timed:
                    yield from _came(company, one, trigger, id, before[0], max(before[1], since), min(at, until), done.get(id, ()))
            if live and since <= at <= until and doc.get(DELETED) is None and (before is None or before[0].get(DELETED) is None):
                old = before[0] if before is not None else None
                if fits(company, one, old, doc) is not None and holds(one, Before(company, one.entity, id, doc, SYSTEM, old, at)):
                    yield Would(one.entity, id, at)
            states[id] = (doc, at)
    for id, (doc, at) in states.items():
        for trigger in timed:
            yield from _came(company, one, trigger, id, doc, max(at, since), until, done.get(id, ()))


def _steps(company: Company, entity: str) -> Iterator[tuple[datetime, dict[int, list[Mapping[str, Any]]]]]:
    """The past of an entity step by step: the moment, and the patches by record."""
    step, at = -1, BEGINNING
    changed: dict[int, list[Mapping[str, Any]]] = {}
    for one in company.table(entity).past():
        if one.step != step:
            if changed:
                yield at, changed
            step, at, changed = one.step, _moment(one.at), {}
        changed.setdefault(one.doc_id, []).append(one.patch)
    if changed:
        yield at, changed


def _came(
    company: Company,
    one: Automation,
    trigger: Trigger,
    id: int,
    doc: Mapping[str, Any],
    start: datetime,
    end: datetime,
    done: Iterable[datetime],
) -> Iterator[Would]:
    """The moments of a trigger by the clock while a record was in one state."""
    if start >= end or doc.get(DELETED) is not None:
        return
    if trigger.kind == "schedule":
        moments = times(company, trigger, start, end)
    elif trigger.kind == "silence" and trigger.field is None:
        bases = [base for base in (base_of(company, one.entity, trigger, doc), *done) if base is not None]
        bases.sort()
        moments = []
        for base, following in zip(bases, [*bases[1:], None], strict=True):
            moment = moment_of(company, trigger, base)
            if moment is not None and (following is None or moment < following):
                moments.append(moment)
    else:
        moment = moment_of(company, trigger, base_of(company, one.entity, trigger, doc))
        moments = [moment] if moment is not None else []
    for moment in moments:
        if start < moment <= end and holds(one, Before(company, one.entity, id, doc, SYSTEM, None, moment)):
            yield Would(one.entity, id, moment)


def _done(company: Company, entity: str) -> dict[int, list[datetime]]:
    """When something was done with each record."""
    roles = company.schema.activities
    assert roles is not None
    found: dict[int, list[datetime]] = {}
    field_ = company.schema.entities[roles.entity].fields[roles.done]
    for link in activity_links(company.schema, entity):
        for id, done in company.raw(roles.entity, [link, roles.done]):
            if id is not None and done is not None:
                found.setdefault(id, []).append(field_.from_json(done))
    return found


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


__all__ = ["Trial", "Would", "trial"]
