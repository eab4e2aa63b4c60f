"""Pipelines at work: which stage a record starts in, where it may go, and what a stage wants before it lets a record in (B5, B6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from crm.errors import Denied, Refused
from crm.records.env import points_to
from crm.schema.model import Entity, Pipeline, Stage

if TYPE_CHECKING:
    from crm.records.access import Plan
    from crm.records.actor import Actor
    from crm.records.company import Company


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
    if actor.system or pipeline.allows(start.key, end.key, actor.role):
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


def passed(pipeline: Pipeline, start: Stage | None, end: Stage) -> list[Stage]:
    """The stages whose wants a move must meet: the one entered and, going forward, those that are skipped on the way."""
    if start is None or not start.open or end.outcome == "lost" or end.index <= start.index:
        return [end]
    return [one for one in pipeline.stages.values() if one.open and start.index < one.index < end.index] + [end]


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


def told(entity: Entity, plan: Plan, missing: list[str], t: Any) -> tuple[list[str], dict[str, Refused]]:
    """What the user is told of what is missing: keys they may read with a word each; the rest in one sentence that names nothing."""
    known = [key for key in missing if key in plan.readable or key in entity.back]
    problems = {key: Refused("Needed before this stage.") for key in known}
    if len(known) < len(missing):
        problems[""] = Refused("Something you may not see is still missing for this stage. Ask a colleague who may.")
    return known, problems
