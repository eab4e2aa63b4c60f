"""Pipelines at work: which stage a record starts in, where it may go, and what a stage wants before it lets a record in (B5, B6).

What a gate wants is told by keys: a field (`need`), a list of linked records (`offers`), a line of a checklist (`do:decider`), somebody's
word (`approval:b2b.discount`), another hand (`responsible`). What can be given along with the move is given under the same key:
`move("opportunity", 7, "offer", {"need": "…", "do:decider": True})`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tinydb.queries import where

from crm.errors import Denied, Refused
from crm.records import approvals
from crm.records.env import points_to
from crm.records.queries import all_of
from crm.schema.model import Entity, Pipeline, Stage

if TYPE_CHECKING:
    from crm.records.actor import Actor
    from crm.records.company import Company

#: The field that keeps what is ticked, and how a line of a checklist is called among values and wants.
TICKS, TICK = "ticks", "do:"
#: A stage whose work is for other roles.
RESPONSIBLE = "responsible"
#: What follows a stage and is not typed.
FOLLOWS = ("stage_on", TICKS)


def pipeline_for(company: Company, entity: Entity, doc: Mapping[str, Any], env: Any) -> Pipeline | None:
    """The pipeline of a record: the chosen one, else the first whose `when` holds, else the first."""
    if not entity.pipelines:
        return None
    pipelines = company.schema.pipelines
    chosen = doc.get(entity.pipeline_field) if entity.pipeline_field else None
    if chosen in entity.pipelines:
        return pipelines[str(chosen)]
    for name in entity.pipelines:
        condition = pipelines[name].when
        if condition is not None and condition.holds(env):
            return pipelines[name]
    return pipelines[entity.pipelines[0]]


def check_move(pipeline: Pipeline, start: Stage, end: Stage, actor: Actor, t: Any = None) -> None:
    """Raises `Denied` with the reason when the YAML does not let this user take a record from `start` to `end`."""
    if actor.system and not actor.automatic or pipeline.allows(start.key, end.key, actor.role):
        return
    if not start.open:
        if pipeline.allows(start.key, end.key, None):
            raise Denied("Only some roles may reopen what is {stage}.", stage=start.label_in(t))
        raise Denied("What is {stage} cannot be reopened.", stage=start.label_in(t))
    following = pipeline.next_open(start.key)
    if end.index > start.index and following is not None and end.outcome != "lost":
        raise Denied(
            "After {stage} comes {next}; stages cannot be skipped.", stage=start.label_in(t), next=pipeline.stages[following].label_in(t)
        )
    raise Denied("It cannot go from {stage} to {next}.", stage=start.label_in(t), next=end.label_in(t))


def entered(pipeline: Pipeline, end: Stage) -> list[Stage]:
    """The stages before the one a record is made in whose work it must have done, as the pipeline's `begin:` says."""
    if pipeline.begin != "earlier" or end.outcome == "lost":
        return []
    return [one for one in pipeline.stages.values() if one.open and one.index < end.index]


def passed(pipeline: Pipeline, start: Stage | None, end: Stage, made: bool = False) -> list[Stage]:
    """The stages whose wants a move must meet: the one entered and, going forward, those that are skipped on the way. For a record
    that is `made` there those before it, except the first, which asks for nothing when a record is made in it."""
    if made:
        return [*entered(pipeline, end)[1:], end]
    if start is None or not start.open or end.outcome == "lost" or end.index <= start.index:
        return [end]
    return [one for one in pipeline.stages.values() if one.open and start.index < one.index < end.index] + [end]


def outcome_keys(pipeline: Pipeline, stage: Stage) -> list[str]:
    """The fields that tell how a record ended in this stage: the reason, what the stage wants, what it asks."""
    if stage.open:
        return []
    return list(dict.fromkeys([key for key in (pipeline.fields.get("reason"), *stage.require, *stage.ask) if key]))


def left(pipeline: Pipeline, start: Stage | None, end: Stage, made: bool = False) -> list[Stage]:
    """The stages whose work must be done before a move: going on, the one left and those that are skipped."""
    if made:
        return entered(pipeline, end)
    if start is None or not start.open or not approvals.onward(start, end):
        return []
    return [start, *passed(pipeline, start, end)[:-1]]


def wants(company: Company, entity: Entity, stages: list[Stage], doc: Mapping[str, Any], doc_id: int | None, env: Any) -> list[str]:
    """What these stages want and the record lacks: field keys (and names of back lists), in the order of the YAML.

    A field that is not shown for this record is not asked for. The first stage of a pipeline asks for nothing when a record is made in it.
    """
    missing: list[str] = []
    for stage in stages:
        for key in stage.require:
            if key in missing:
                continue
            if key in entity.fields:
                field = entity.fields[key]
                if doc.get(key) in (None, "", []) and (field.show is None or field.show.holds(env)):
                    missing.append(key)
            elif key in entity.back:
                child, link = entity.back[key]
                if doc_id is None or not company.count(child, points_to(company.schema.entities[child].fields[link], doc_id)):
                    missing.append(key)
    return missing


def unticked(pipeline: Pipeline, stages: list[Stage], doc: Mapping[str, Any]) -> list[str]:
    """The lines of these stages' checklists that must be ticked and are not."""
    done = ticked(doc)
    return [TICK + one.key for stage in stages for one in stage.do if one.must and f"{pipeline.name}.{one.key}" not in done]


def ticked(doc: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """`{pipeline.line: {item, who, on}}` of what is ticked in a record (a document, or a record as a user sees it)."""
    return {str(one.get("item")): one for one in doc.get(TICKS) or ()}


def tick(doc: Mapping[str, Any], pipeline: Pipeline, line: str, on: bool, who: int | None, at: str) -> list[dict[str, Any]]:
    """The ticks with one line more, or one less."""
    item = f"{pipeline.name}.{line}"
    kept = [dict(one) for one in doc.get(TICKS) or ()]
    if not on:
        return [one for one in kept if one.get("item") != item]
    if any(one.get("item") == item for one in kept):
        return kept
    return [*kept, {"item": item, **({"who": who} if who is not None else {}), "on": at}]


def not_theirs(stages: list[Stage], actor: Actor) -> bool:
    """Whether the work of a stage that is left is for other roles than the actor's."""
    return not actor.admin and any(stage.responsible and actor.role not in stage.responsible for stage in stages)


def missing(company: Company, draft: Any, actor: Actor) -> list[str]:
    """Everything that stands between a draft's record and where it is going."""
    entity, doc, doc_id, env = draft.sight.entity, draft.doc, draft.doc_id, draft.env
    found: list[str] = []
    move = None
    if draft.stage and draft.moved is not None:
        pipeline, _, start = draft.moved
        end = pipeline.stages[draft.stage]
        move = (pipeline, start, end)
        made = start is None  # a new record, or one that comes from another pipeline
        behind = left(pipeline, start, end, made)
        found = wants(company, entity, passed(pipeline, start, end, made), doc, doc_id, env)
        found += unticked(pipeline, behind, doc)
        if not_theirs(behind, actor):
            found.append(RESPONSIBLE)
    return found + approvals.blocking(company, entity, doc, doc_id, env, draft.old, move)


def told(company: Company, door: Any, draft: Any) -> tuple[list[str], dict[str, Refused]]:
    """What the user is told of what is missing: keys with a word each; fields they may not read in one sentence that names nothing."""
    entity, plan, t = draft.sight.entity, draft.sight.plan, door.words
    known: list[str] = []
    problems: dict[str, Refused] = {}
    for key in draft.missing:
        if key.startswith(TICK):
            line = draft.moved[0].todo(key.removeprefix(TICK))
            problems[key] = Refused("“{line}” is to be ticked first.", line=line[1].say_in(t))
        elif key.startswith(approvals.WORD):
            problems[key] = approvals.told(company, door, entity, draft.doc_id, draft.doc, key)
        elif key == RESPONSIBLE:
            pipeline, _, start = draft.moved
            stage = next(
                one
                for one in left(pipeline, start, pipeline.stages[draft.stage], start is None)
                if one.responsible and door.actor.role not in one.responsible
            )
            roles = approvals.named(company.schema, stage.responsible, t)
            problems[key] = Refused("Moving on from {stage} is for {roles}.", stage=stage.label_in(t), roles=roles)
        elif key in plan.readable:
            problems[key] = Refused("Needed before this stage.")
        elif key in entity.back:
            problems[key] = Refused("At least one is needed before this stage.")
        else:
            problems[""] = Refused("Something you may not see is still missing for this stage. Ask a colleague who may.")
            continue
        known.append(key)
    return known, problems


def days_in(door: Any, entity: str, id: int) -> dict[str, float]:
    """`{stage: days}` a record has spent in each stage of its pipeline, today's stage up to now; rights of the record hold."""
    from crm.records.company import MOVES

    company: Company = door.company
    record, one = door.get(entity, id), company.schema.entities[entity]
    if one.stage_field is None or one.stage_field not in record:
        return {}
    pipeline = company.schema.pipeline_of(entity, record)
    spent: dict[str, float] = {}
    here = all_of(company.live, where("entity") == entity, where("record") == id)
    for row in company.store.table(MOVES).find(here, limit=1000):
        if pipeline is not None and row.get("pipeline") == pipeline.name and row.get("from") in pipeline.stages:
            spent[row["from"]] = spent.get(row["from"], 0.0) + float(row.get("days") or 0)
    since, now = record.get("stage_on"), record.get(one.stage_field)
    if since is not None and now:
        spent[now] = spent.get(now, 0.0) + max(0.0, (company.now() - since).total_seconds() / 86400)
    return spent
