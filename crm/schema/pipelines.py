"""Builds the pipelines and checks their stages, gates and moves."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from crm.schema import approvals
from crm.schema.building import Building
from crm.schema.faults import known, shorten
from crm.schema.model import Entity, Moves, Pipeline, Stage, Todo
from crm.schema.reading import entries, flag, maybe, nodes, percent, readable, scalar, scalars, submap, text, texts, whole
from crm.schema.shapes import check_name, snake
from crm.yamlfile import Map, Scalar

#: Field types that fit a role.
FITTING = {
    "stage": ("stage",),
    "amount": ("money", "number", "integer"),
    "close": ("date", "datetime"),
    "owner": ("user",),
    "next": ("date", "datetime"),
    "next_text": ("text", "long_text"),
    "account": ("link",),
    "reason": ("choice", "choices", "text", "long_text", "tags", "link"),
    "closed": ("date", "datetime"),
    "probability": ("percent",),
}


def begin(b: Building) -> None:
    """Every pipeline with its stages and the roles of its fields."""
    for name, node in b.things("pipelines"):
        one = Pipeline(
            **b.head("pipelines", name, node),
            entity=text(node, "entity"),
            was=[w.text for w in texts(node, "was")],
        )
        for key, value in entries(submap(node, "stages")):
            if check_name(key, type(b.faults)()):
                one.stages[key.text] = stage(b, one, key, value if isinstance(value, Map) else Map(key.file, key.line, key.column))
        entity_node = scalar(node, "entity")
        entity_name = b.reference(entity_node, b.schema.entities, "entity", "E301") if entity_node is not None else None
        if not one.stages or entity_name is None:
            b.gone.add(name)
        if not one.stages:
            if not any(f.file == node.file and f.code in ("E102", "E103") for f in b.faults):
                b.faults.add("E302", node, f"the pipeline '{name}' has no stages.", "Add at least one open stage below `stages:`.")
            continue
        if entity_name is None:
            continue
        b.schema.pipelines[name] = one
        entity = b.schema.entities[entity_name]
        entity.pipelines.append(name)
        roles(b, one, entity, submap(node, "fields"), node)


def stage(b: Building, pipeline: Pipeline, key: Scalar, node: Map) -> Stage:
    outcome = maybe(node, "outcome")
    path = f"{pipeline.path}.stages.{key.text}"
    chance = percent(text(node, "probability")) if scalar(node, "probability") else None
    if chance is not None and outcome is not None and chance != (1 if outcome == "won" else 0):
        message = f"the stage '{key.text}' is {outcome}, so its probability is {'100%' if outcome == 'won' else '0%'}."
        b.faults.add("E303", node.values["probability"], message, "Remove `probability`.")
    usual = {"won": (Decimal(1), "closed"), "lost": (Decimal(0), "omitted")}.get(outcome or "", (Decimal(0), "pipeline"))
    made = Stage(
        key=key.text,
        label=b.text(f"{path}.label", text(node, "label") or readable(key.text)),
        probability=usual[0] if outcome or chance is None else chance,
        days=whole(node, "days"),
        forecast=text(node, "forecast") or usual[1],
        do=todos(b, pipeline, node, path),
        guide=b.text(f"{path}.guide", text(node, "guide")),
        outcome=outcome if outcome in ("won", "lost") else None,
        color=maybe(node, "color"),
        help=b.text(f"{path}.help", text(node, "help")),
        was=[one.text for one in texts(node, "was")],
        index=len(pipeline.stages),
        path=path,
    )
    return made


def todos(b: Building, pipeline: Pipeline, node: Map, path: str) -> list[Todo]:
    """The checklist of a stage; its lines have different names in all of the pipeline, because ticks are kept by them."""
    made: list[Todo] = []
    for number, one in enumerate(nodes(node, "do"), 1):
        said = one.text if isinstance(one, Scalar) else text(one, "text")
        if not said:
            continue
        key = text(one, "name") or snake(said)[:60].rstrip("_")
        if pipeline.todo(key) or any(key == other.key for other in made):
            mend = "Write another text, or give it a name of its own: `{text: …, name: …}`."
            b.faults.add("E319", one, f"'{shorten(said)}' stands in two checklists of '{pipeline.name}'.", mend)
            continue
        where = f"{path}.do.{number}"
        made.append(Todo(key, b.text(where, said), flag(one, "must"), where))
    return made


def roles(b: Building, one: Pipeline, entity: Entity, node: Map, file: Map) -> None:
    """Which field is the stage, the amount …: named in the YAML, the field of type stage when it is not."""
    for key, value in entries(node):
        if key.text not in FITTING or not isinstance(value, Scalar) or value.is_null:
            continue
        found = b.field(value, entity, "E304")
        if found is None:
            continue
        kind = entity.fields[found].name
        if kind not in FITTING[key.text]:
            fitting = [name for name, field in entity.fields.items() if field.name in FITTING[key.text] and not field.system]
            message = f"'{found}' is of type {kind}, and the {key.text} is of type {' or '.join(FITTING[key.text])}."
            b.faults.add("E305", value, message, f"Write one of: {known(fitting)}.")
            continue
        one.fields[key.text] = found
    if "stage" not in one.fields:
        if entity.stage_field is None:
            if "stage" not in node:
                message = f"the entity '{entity.name}' has no field of type stage, so it cannot go through '{one.name}'."
                b.faults.add("E306", file.get("entity") or file, message, f"Add `stage: {{type: stage}}` to the fields of '{entity.name}'.")
        else:
            one.fields["stage"] = entity.stage_field
    if "owner" not in one.fields and entity.owner and "owner" not in node:
        one.fields["owner"] = entity.owner


def finish(b: Building) -> None:
    """Gates, moves, approvals, conditions; called when entities and roles are known."""
    for name, one in b.schema.pipelines.items():
        node = b.nodes[f"pipelines.{name}"]
        entity = b.schema.entities[one.entity]
        for key, value in entries(submap(node, "stages")):
            if key.text in one.stages:
                gate(b, one.stages[key.text], value, entity)
        one.begin = text(node, "begin") or one.begin
        one.when = b.expression(scalar(node, "when"), entity.scope, "boolean")
        one.approvals = approvals.build(b, node, entity, one.path, one)
        moves(b, one, submap(node, "moves"))
        told = any(fault.file == node.file and fault.code in ("E104", "E310", "E311", "E102") for fault in b.faults)
        former: dict[str, str] = {}
        for key, value in entries(submap(node, "stages")):
            for was in texts(value, "was"):
                if was.text in one.stages or was.text in former:
                    b.faults.add("E205", was, f"'{was.text}' is a stage of its own, so it is not a former name.", "Remove this `was:`.")
                former[was.text] = key.text
        if one.stages and not one.open_stages():
            message = f"every stage of '{name}' is won or lost, so nothing can begin here."
            b.faults.add("E307", node.keys.get("stages") or node, message, "Add a stage without `outcome` as the first.")
        elif one.stages and not one.first.open:
            message = f"the first stage of '{name}' is {one.first.outcome}; records begin in the first stage."
            b.faults.add("E307", submap(node, "stages").keys[one.first.key], message, "Move an open stage to the top.")
        elif not told:
            unreachable(b, one, submap(node, "stages"))
    for name, entity in b.schema.entities.items():
        if entity.stage_field and not entity.pipelines:
            at = submap(b.nodes[f"entities.{name}"], "fields").keys.get(entity.stage_field)
            if at is not None and not b.gone:
                message = f"'{name}' has a stage, and there is no pipeline for it."
                b.faults.add("E308", at, message, f"Add a file to pipelines/ with `entity: {name}`, or remove this field.")
    defaults(b)


def gate(b: Building, to: Stage, node: Any, entity: Entity) -> None:
    """What a stage wants and asks, and who works in it."""
    for word, kept in (("require", to.require), ("ask", to.ask)):
        for said in texts(node, word):
            if word == "require" and said.text in entity.back and said.text not in entity.fields:
                key: str | None = said.text
            elif (key := b.field(said, entity, "E309")) is None:
                continue
            assert key is not None
            if key in to.require or key in kept:
                b.faults.add("E309", said, f"'{key}' is asked for twice.", "Remove one of the two.")
            elif key in entity.fields and (entity.fields[key].computed or entity.fields[key].system):
                why = "is computed" if entity.fields[key].computed else "is the system's own"
                b.faults.add("E309", said, f"'{key}' {why}, so nobody can fill it.", "Ask for a field that users fill.")
            else:
                kept.append(key)
    to.responsible = [role for said in texts(node, "responsible") if (role := b.reference(said, b.schema.roles, "role", "E310"))]
    if to.outcome and to.responsible:
        message = f"the stage '{to.key}' is {to.outcome}, so there is no work in it for anybody."
        b.faults.add("E320", node.keys["responsible"], message, "Remove `responsible:`, or name the roles at the stage before.")
    for number, todo in enumerate(to.do, 1):
        if to.outcome and todo.must:
            message = f"the stage '{to.key}' is {to.outcome}: nothing comes after it that '{shorten(todo.text)}' could hold up."
            item = nodes(node, "do")[number - 1]
            b.faults.add("E320", item, message, "Remove `must:`, or put the line into the stage before.")


def moves(b: Building, one: Pipeline, node: Map) -> None:
    made = Moves()
    for key, value in entries(node):
        if key.text == "only":
            for stage_, after in entries(value):
                names = [b.reference(said, one.stages, f"stage in '{one.name}'", "E311") for said in scalars(after)]
                if b.reference(stage_, one.stages, f"stage in '{one.name}'", "E311"):
                    made.only[stage_.text] = [said for said in names if said]
        elif isinstance(value, Scalar):
            if key.text in ("forward", "back", "won", "lost", "reopen") and value.text in ("any", "none", "next", "previous"):
                setattr(made, key.text, value.text)
        elif key.text in ("won", "lost"):
            names = [b.reference(said, one.stages, f"stage in '{one.name}'", "E311") for said in scalars(value)]
            setattr(made, key.text, [said for said in names if said])
        elif key.text in ("forward", "back", "reopen"):
            names = [b.reference(said, b.schema.roles, "role", "E310") for said in scalars(value)]
            setattr(made, key.text, [said for said in names if said])
    one.moves = made


def unreachable(b: Building, one: Pipeline, node: Map) -> None:
    """Report stages no way leads to from the first."""
    seen = {one.first.key}
    queue = [one.first.key]
    while queue:
        for stage_ in one.ways(queue.pop()):
            if stage_.key not in seen:
                seen.add(stage_.key)
                queue.append(stage_.key)
    for key in one.stages:
        if key not in seen and key in node.keys:
            message = f"no move leads to the stage '{key}'."
            b.faults.add("E312", node.keys[key], message, "Allow a move to it below `moves:`, or remove the stage.")


def defaults(b: Building) -> None:
    """Defaults of stage and pipeline fields, which need the pipelines."""
    for entity, field, node in b.plain.get("defaults", []):
        if field.name == "pipeline":
            b.reference(node, entity.pipelines, f"pipeline of '{entity.name}'", "E313")
        else:
            stages = {key: 1 for name in entity.pipelines for key in b.schema.pipelines[name].stages}
            b.reference(node, stages, f"stage of '{entity.name}'", "E313")
