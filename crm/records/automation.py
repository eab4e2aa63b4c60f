"""Automations at work (B12): what a write sets off is found when its step is about to be committed, and done in the same step.

A step notes which records of entities with automations it touched (`Watch`). When its rollups have settled, each touched record is
compared with what it was before the step; the automations whose trigger and condition fit do their effects through the door, as the
engine (no role stands in their way) but bound by all rules: validation, gates, moves, caps, approvals. What they change may set off
others, in rounds, at most `DEPTH` of them. Since all of it is one step, undoing the step takes it back, what waited in the outbox too.

An automation is all or nothing: when one of its effects is refused, none of them stays, and the user's own write goes on. Every run is
kept in `_runs`: done, failed with the reason, or stopped by the limit of rounds.

Nothing is set off by an undo, by what is written into the past (`at=`), by figures that only the calendar changes, and, unless the
automation says `on_import: true`, by an import.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tinydb.queries import where

from crm.errors import Conflict, Denied, Missing, RecordError, Said
from crm.records import outbox
from crm.records.actor import SYSTEM, Actor
from crm.records.derive import changed_keys
from crm.records.env import DocEnv
from crm.records.shape import DELETED
from crm.schema.model import Automation, Schema, Trigger

if TYPE_CHECKING:
    from crm.records.company import Company, Writing

log = logging.getLogger("crm.automation")

#: The store's table of runs.
RUNS = "_runs"
#: So many rounds of automations setting off others before the engine stops them.
DEPTH = 8
DONE, FAILED, STOPPED, UNDONE = "done", "failed", "stopped", "undone"
#: What a step sets off: all automations, those for imports, none.
ALL, IMPORT, NONE = "all", "import", "none"
#: Not changes of a record: who wrote it and when.
QUIET = frozenset({"changed_on", "changed_by", "created_on", "created_by"})


def declare(company: Company) -> None:
    """Tell the store what the log of runs is asked for."""
    company.store.table(RUNS).declare(
        fields={
            "automation": "choice",
            "entity": "choice",
            "record": "link",
            "cause": "choice",
            "state": "choice",
            "at": "datetime",
            "step": "link",
            "key": "text",
        },
        indexes=[["automation", "at"], ["entity", "record"], ["step"], ["key"], ["state", "at"]],
        history=False,
    )


class Book:
    """The automations of a configuration: `live` (seen in the write itself) and `timed` (the worker's), by entity, by name."""

    def __init__(self, schema: Schema) -> None:
        self.every = {name: one for name, one in schema.automations.items() if not one.off and one.then}
        self.live: dict[str, list[Automation]] = {}
        self.imported: dict[str, list[Automation]] = {}
        self.timed: list[tuple[Automation, Trigger]] = []
        for one in self.every.values():
            if any(trigger.live for trigger in one.when):
                self.live.setdefault(one.entity, []).append(one)
                if one.on_import:
                    self.imported.setdefault(one.entity, []).append(one)
            self.timed += [(one, trigger) for trigger in one.when if not trigger.live]


class Watch:
    """What a step touched, of the entities that have automations: `seen` {(entity, id): [document before, document now, who wrote]}.
    `by` is the automation at work ("" for the user); what only it wrote in its own record does not set it off again."""

    __slots__ = ("book", "seen", "by")

    def __init__(self, book: Mapping[str, list[Automation]], by: str = "") -> None:
        self.book, self.by = book, by
        self.seen: dict[tuple[str, int], list[Any]] = {}

    def note(self, entity: str, doc_id: int, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> None:
        kept = self.seen.get((entity, doc_id))
        if kept is None:
            self.seen[entity, doc_id] = [old, new, {self.by}]
        else:
            kept[1] = new

    def take(self, other: Watch) -> None:
        """What an automation wrote, in the step it belongs to."""
        for key, (old, new, by) in other.seen.items():
            kept = self.seen.setdefault(key, [old, new, set()])
            kept[1] = new
            kept[2] |= by


def watch(company: Company, fires: str) -> Watch | None:
    """What notes the writes of a new step; None where nothing can be set off."""
    book = company.automations
    wanted = book.live if fires == ALL else book.imported if fires == IMPORT else None
    return Watch(wanted) if wanted else None


class Before(DocEnv):
    """A record after a change, with `was` the record before it."""

    __slots__ = ("old",)

    def __init__(
        self,
        company: Company,
        entity: str,
        doc_id: int,
        doc: Mapping[str, Any],
        me: Actor,
        old: Mapping[str, Any] | None,
        at: datetime | None = None,
    ) -> None:
        now = at.astimezone(company.zone) if at is not None else company.now()
        super().__init__(company, entity, doc_id, doc, me, now.date(), now)
        self.old = old

    def follow(self, head: str) -> Any:
        if head == "was" and "was" not in self._fields:
            return None if self.old is None else DocEnv(self.company, self.entity, self.doc_id, self.old, self.me, self.today, self.now)
        return super().follow(head)


def hand(actor: Actor) -> Actor:
    """Who does the effects: the engine, in the name of whoever caused them, bound by the moves the YAML allows."""
    return replace(SYSTEM, id=actor.id, name=actor.name, login=actor.login, team=actor.team, language=actor.language, automatic=True)


# -- what a change sets off


def fits(company: Company, one: Automation, old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> Trigger | None:
    """The trigger of an automation that this change of a record is, None when it is none."""
    entity = company.schema.entities[one.entity]
    keys: set[str] | None = None
    for trigger in one.when:
        if trigger.kind == "created":
            if old is None:
                return trigger
        elif trigger.kind == "changed":
            if old is not None:
                keys = changed_keys(old, new) - QUIET if keys is None else keys
                if keys & set(trigger.fields) if trigger.fields else keys:
                    return trigger
        elif trigger.kind == "stage":
            key = str(entity.stage_field)
            stage = new.get(key)
            chosen = entity.pipeline_field
            if stage is None or old is not None and old.get(key) == stage and (chosen is None or old.get(chosen) == new.get(chosen)):
                continue
            for pipeline, name in trigger.stages:
                if name == stage and (pipeline is None or pipeline == _pipeline(company, one.entity, new)):
                    return trigger
    return None


def _pipeline(company: Company, entity: str, doc: Mapping[str, Any]) -> str | None:
    found = company.schema.pipeline_of(entity, doc)
    return found.name if found is not None else None


def settle(company: Company, writing: Writing) -> None:
    """Do what the step has set off so far, and what that sets off; called before the step is committed."""
    watched: Watch | None = writing.settling.watch
    if watched is None or not watched.seen:
        return
    rounds, off = 0, switched_off(company)
    while watched.seen:
        seen, watched.seen = watched.seen, {}
        rounds += 1
        for (entity, doc_id), (old, new, by) in seen.items():
            if new is None or new.get(DELETED) is not None or old is not None and old.get(DELETED) is not None:
                continue
            now: Any = None  # the record as it is, read again after each automation
            for one in watched.book.get(entity, ()):
                if one.name in off:
                    continue
                trigger = fits(company, one, old, new) if old is None or by != {one.name} else None
                if trigger is None:
                    continue
                now = company.doc(entity, doc_id) if now is None else now
                if now is None:
                    break
                if one.condition is not None and not holds(one, Before(company, entity, doc_id, now, company.acting, old)):
                    continue
                cause = Cause(one, trigger, entity, doc_id, old)
                if rounds > DEPTH:
                    note(company, cause, STOPPED, [], "Stopped: automations set each other off more than {n} times.", {"n": DEPTH})
                else:
                    perform(company, cause, writing)
                    now = None
        if rounds > DEPTH:
            watched.seen = {}
            return


def holds(one: Automation, env: Any) -> bool:
    """Whether the condition of an automation is true; one that cannot be computed is not."""
    try:
        return one.condition is None or bool(one.condition.holds(env))
    except (ArithmeticError, ValueError, TypeError) as error:
        log.warning("automation %s: %s", one.name, error)
        return False


# -- doing it


@dataclass
class Cause:
    """Why an automation runs: which one, by which trigger, about which record (`old`: as it was before the change), and for the
    worker's the `key` under which this occasion is known."""

    automation: Automation
    trigger: Trigger
    entity: str
    id: int | None
    old: Mapping[str, Any] | None = None
    key: str | None = None


@dataclass
class Work:
    """An automation at work: what its effects need to know, and what they did (`did`, JSON)."""

    company: Company
    cause: Cause
    door: Any
    actor: Actor
    doc: Mapping[str, Any]
    key: str
    did: list[dict[str, Any]] = field(default_factory=list)

    @property
    def env(self) -> Any:
        """The record as it is now, for expressions."""
        if self.cause.id is None:
            return None
        doc = self.company.doc(self.cause.entity, self.cause.id) or self.doc
        return Before(self.company, self.cause.entity, self.cause.id, doc, self.actor, self.cause.old)


def perform(company: Company, cause: Cause, writing: Writing) -> bool:
    """Do the effects of one automation, all or none, and keep what was done; whether it worked. Raises nothing."""
    from crm.records.effects import EFFECTS

    one, settling, actor = cause.automation, writing.settling, company.acting
    doc = company.doc(cause.entity, cause.id) if cause.id is not None else None
    key = cause.key or f"{one.name}|{cause.entity}|{cause.id}|{writing.id}|{getattr(doc, 'version', 0)}"
    outer: Watch | None = settling.watch
    inner = settling.watch = Watch(outer.book, one.name) if outer is not None else None
    work = Work(company, cause, company.door(hand(actor)), actor, doc or {}, key)
    try:
        with company.store.transaction():
            for number, effect in enumerate(one.then, 1):
                EFFECTS[effect.do](work, effect, f"{key}|{number}")
    except (Said, RecordError, Conflict) as error:
        told, values = spoken(error)
        note(company, cause, FAILED, [], told, values)
        return False
    except Exception as error:
        log.exception("automation %s", one.name)
        note(company, cause, FAILED, [], "It could not be done: {why}", {"why": f"{type(error).__name__}: {error}"})
        return False
    finally:
        settling.watch = outer
    if outer is not None and inner is not None:
        outer.take(inner)
    note(company, cause, DONE, work.did)
    return True


def spoken(error: Exception) -> tuple[str, dict[str, Any]]:
    """What an error says, as a text to be translated and its values."""
    if isinstance(error, Said):
        return error.text, {name: str(value) for name, value in error.values.items()}
    return "{why}", {"why": str(error)}


def note(
    company: Company, cause: Cause, state: str, did: list[dict[str, Any]], text: str = "", values: Mapping[str, Any] | None = None
) -> None:
    """Keep a run in the log."""
    from crm.records.company import stamp

    row: dict[str, Any] = {
        "automation": cause.automation.name,
        "entity": cause.entity,
        "cause": cause.trigger.kind,
        "who": company.acting.login,
        "state": state,
        "at": stamp(company.now()),
        "did": did,
    }
    if cause.id is not None:
        row["record"] = cause.id
    if cause.key is not None:
        row["key"] = cause.key
    if company.step is not None:
        row["step"] = company.step.id
    if cause.old is not None and cause.trigger.kind in ("changed", "stage"):
        doc = company.doc(cause.entity, cause.id) or {}
        entity = company.schema.entities[cause.entity]
        wanted = {*cause.trigger.fields, str(entity.stage_field)} if cause.trigger.kind == "stage" else set(cause.trigger.fields)
        changed = sorted((changed_keys(cause.old, doc) - QUIET) & (wanted or set(entity.fields)))
        row["because"] = {key: [cause.old.get(key), doc.get(key)] for key in changed}
    if text:
        row["text"], row["values"] = text, dict(values or {})
    company.store.table(RUNS).insert(row)
    if state != DONE:
        log.warning("automation %s on %s %s: %s", cause.automation.name, cause.entity, cause.id, state)


# -- switched off for a while

OFF = "automations.off"


def switched_off(company: Company) -> frozenset[str]:
    """The automations that admins have switched off by hand, whatever the YAML says."""
    return frozenset(company.store.meta.get(OFF) or ())


def switch(door: Any, name: str, on: bool) -> None:
    """Switch an automation off or on again, for all processes at once; for admins. Dates that come while it is off pass it by."""
    company = door.company
    if not door.actor.admin:
        raise Denied()
    if name not in company.schema.automations:
        raise Missing("There is nothing called {name}.", name=name)
    with company.store.transaction(actor=door.actor.login):
        off = switched_off(company) - {name} if on else switched_off(company) | {name}
        company.store.meta.set(OFF, sorted(off & set(company.schema.automations)) or None)


# -- taking it back


def touched(company: Company, step: int) -> frozenset[tuple[str, int]]:
    """The records that only automations wrote in a step: its undo takes them back whatever the user may do by hand."""
    own: set[tuple[str, int]] = set()
    causes: set[tuple[str, int]] = set()
    for row in company.store.table(RUNS).find((where("step") == step) & (where("state") == DONE)):
        causes.add((row["entity"], row.get("record", 0)))
        own.update(
            (one["entity"], one["id"]) for one in row["did"] if one.get("id") is not None and one["do"] in ("set", "create", "assign")
        )
    return frozenset(own - causes)


def taken_back(company: Company, step: int) -> None:
    """A step was undone: its runs are marked, and what it queued is withdrawn where it has not been sent."""
    table = company.store.table(RUNS)
    rows = table.ids((where("step") == step) & (where("state") == DONE))
    if rows:
        table.update({"state": UNDONE}, doc_ids=rows)
    outbox.withdraw(company, step)


def forget(company: Company, before: str) -> int:
    """Throw away the log of runs older than a moment; how many went."""
    table = company.store.table(RUNS)
    rows = table.ids(where("at") < before)
    if rows:
        table.remove(doc_ids=rows)
    return len(rows)


def ran(company: Company, key: str) -> bool:
    """Whether this occasion was seen to already."""
    return bool(company.store.table(RUNS).count(where("key") == key))


__all__ = ["ALL", "IMPORT", "NONE", "Book", "Cause", "Watch", "declare", "perform", "settle", "taken_back", "touched", "watch"]
