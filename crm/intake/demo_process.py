"""The process side of the demo: checklists ticked on the way, approvals asked for, granted, refused and still waiting.

Its chances come from streams of their own, so that what they decide moves nothing else in the story.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any

from crm.errors import GateError
from crm.records import approvals, gates


def move(world: Any, pipeline: Any, thing: Any, who: Any, stage: Any, values: dict[str, Any], at: datetime) -> None:
    """Take a deal to another stage: what was done is ticked, and what needs somebody's word is asked for and granted."""
    given = {**values, **ticks(world, pipeline, thing, stage)}
    try:
        world.write(who, at, lambda: who.door.move(thing.entity, thing.id, stage.key, given))
    except GateError as error:
        rules = [key.removeprefix(approvals.WORD) for key in error.missing if key.startswith(approvals.WORD)]
        if not rules or len(rules) < len(error.missing):
            raise
        world.write(who, at, lambda: who.door.change(thing.entity, thing.id, given))
        for rule in rules:
            asked = world.write(who, at, partial(approvals.request, who.door, thing.entity, thing.id, key=rule))
            decide(world, asked, "granted", "", at)
        world.write(who, at, lambda: who.door.move(thing.entity, thing.id, stage.key))


def ticks(world: Any, pipeline: Any, thing: Any, end: Any) -> dict[str, bool]:
    """What of the checklists of the stages left was done: all that must be, and most of the rest."""
    chance = stream(world, "ticks")
    doc = world.company.doc(thing.entity, thing.id)
    start = world.schema.stage_of(thing.entity, doc)
    lines = [one for stage in gates.left(pipeline, start, end) for one in stage.do]
    done = gates.ticked(doc)
    kept = [one for one in lines if chance.random() < 0.8 or one.must]
    return {gates.TICK + one.key: True for one in kept if f"{pipeline.name}.{one.key}" not in done}


def waiting(world: Any) -> None:
    """Approvals of the last days, as `approvals:` of the demo tells them: asked for, and decided or not yet."""
    chance = stream(world, "approvals")
    used: set[int] = set()
    for row in world.spec.get("approvals") or []:
        rule = approvals.rule_of(world.schema, str(row["rule"]))
        pipeline = world.schema.pipelines.get(str(row["rule"]).partition(".")[0])
        if rule is None or pipeline is None:
            continue
        entity = world.schema.entities[pipeline.entity]
        before = pipeline.stages[rule.before].index if rule.before else len(pipeline.stages)
        wanted = [stage.key for stage in pipeline.open_stages() if stage.index < before][-1:]
        docs = [
            doc
            for doc in world.company.find(entity.name)
            if doc.get(entity.stage_field) in wanted and world.schema.pipeline_of(entity.name, doc) is pipeline and doc.doc_id not in used
        ]
        people = {person.id: person for person in world.people}
        docs = [doc for doc in docs if doc.get(entity.owner) in people]
        if not docs:
            continue
        doc = chance.choice(docs)
        used.add(doc.doc_id)
        who = people[doc[entity.owner]]
        at = world.now - timedelta(hours=chance.uniform(8, 15))
        asked = world.write(who, at, partial(ask, who.door, entity.name, doc.doc_id, rule.key, row))
        if row.get("then") in ("granted", "refused"):
            decide(world, asked, row["then"], str(row.get("reason", "")), at + timedelta(hours=1))


def ask(door: Any, entity: str, number: int, rule: str, row: dict[str, Any]) -> int | None:
    """Set what needs the word, and ask for it."""
    door.change(entity, number, dict(row.get("set") or {}))
    return approvals.request(door, entity, number, str(row.get("why", "")), key=rule)


def decide(world: Any, asked: int, how: str, reason: str, at: datetime) -> None:
    """Somebody whose word reaches far enough decides a request."""
    roles = world.schema.approvals
    doc = world.company.doc(roles.entity, asked)
    for person in world.people:
        door = world.company.door(person.login)
        if approvals.may_not_decide(door, doc) is None:
            with world.company.writing(person.door.actor, at=at):
                approvals.decide(door, asked, how == "granted", reason)
            return


def stream(world: Any, name: str) -> Random:
    """A stream of chances of one's own, the same in every run of a seed."""
    kept = world.__dict__.setdefault("streams", {})
    if name not in kept:
        kept[name] = Random(f"{world.spec.get('seed', 1)}-{name}")
    found: Random = kept[name]
    return found
