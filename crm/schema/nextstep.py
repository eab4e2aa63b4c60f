"""Builds which field of an entity holds its next step (`next:`), and the role of repetition of activities (`activities: {repeat: …}`)."""

from __future__ import annotations

from crm.expressions import parse
from crm.schema.building import Building
from crm.schema.faults import known
from crm.schema.model import ActivityRoles, Entity, NextStep
from crm.schema.reading import scalar, submap
from crm.yamlfile import Map, Scalar

DAYS = ("date", "datetime")
TEXTS = ("text", "long_text")
UNITS = ("daily", "weekly", "monthly", "yearly")


def build(b: Building) -> None:
    """Every entity's next step: what its `next:` says, else what its pipelines say; called when pipelines are finished."""
    for name, entity in b.schema.entities.items():
        node = submap(b.nodes[f"entities.{name}"], "next")
        if node:
            entity.next = said(b, entity, node)
            continue
        for pipeline in (b.schema.pipelines[one] for one in entity.pipelines):
            if "next" in pipeline.fields and entity.stage_field:
                entity.next = made(entity, pipeline.fields["next"], pipeline.fields.get("next_text"), f"{entity.stage_field}.open")
                break


def said(b: Building, entity: Entity, node: Map) -> NextStep | None:
    on, words, opened = (scalar(node, key) for key in ("on", "text", "open"))
    day = fitting(b, entity, on, DAYS, "the day of the next step") if on is not None else None
    text = fitting(b, entity, words, TEXTS, "the text of the next step") if words is not None else None
    condition = b.expression(opened, entity.scope, "boolean") if opened is not None else None
    if on is not None and day is not None:
        for name in entity.pipelines:
            other = b.schema.pipelines[name].fields.get("next")
            if other is not None and other != day:
                message = f"the pipeline '{name}' says '{other}' is the next step of '{entity.name}', and this says '{day}'."
                b.faults.add("E476", on, message, f"Remove this `next:`, or write `next: {day}` below `fields:` of the pipeline.")
    if day is None or (opened is not None and condition is None):
        return None
    usual = f"{entity.stage_field}.open" if entity.stage_field and entity.pipelines else ""
    return made(entity, day, text, opened.text if opened is not None else usual)


def fitting(b: Building, entity: Entity, node: Scalar, kinds: tuple[str, ...], role: str) -> str | None:
    """A field of the entity that fits a role: of one of these types, and filled by users."""
    key = b.field(node, entity, "E474")
    if key is None:
        return None
    field = entity.fields[key]
    free = [name for name, one in entity.fields.items() if one.name in kinds and not one.system and not one.computed]
    mend = f"Write one of: {known(free)}." if free else f"Add a field of type {kinds[0]} to '{entity.name}'."
    if field.name not in kinds:
        message = f"'{key}' is of type {field.name}, and {role} is of type {' or '.join(kinds)}."
        b.faults.add("E474", node, message, mend)
        return None
    if field.computed or field.system:
        message = f"'{key}' {'is computed' if field.computed else 'is the system`s own'}, so nobody can plan with it."
        b.faults.add("E475", node, message.replace("`", "'"), mend)
        return None
    return key


def made(entity: Entity, on: str, text: str | None, opened: str) -> NextStep:
    """The role with its ready conditions: which records are open, lack a step, are late."""

    def of(*terms: str) -> object:
        return parse(" and ".join(f"({term})" for term in terms if term), entity.scope)

    day = entity.fields[on].kind == "date"
    return NextStep(
        on=on,
        text=text,
        open=of(opened) if opened else None,
        missing=of(opened, f"{on} == None"),
        late=of(opened, f"{on} < {'today' if day else 'now'}"),
    )


def repetition(b: Building, node: Map, entity: Entity, roles: ActivityRoles) -> None:
    """The fields that say how often an activity is done again: a choice of rhythms, every how many, until when."""
    kinds = {"repeat": ("choice",), "repeat_every": ("integer",), "repeat_until": DAYS[:1]}
    for word, fits in kinds.items():
        said = scalar(node, word)
        key = b.field(said, entity, "E811") if said is not None else None
        if said is None or key is None:
            continue
        if entity.fields[key].name not in fits:
            free = [name for name, one in entity.fields.items() if one.name in fits and not one.system]
            message = f"'{key}' is of type {entity.fields[key].name}, and {word} is of type {fits[0]}."
            b.faults.add(
                "E477", said, message, f"Write one of: {known(free)}." if free else f"Add a field of type {fits[0]} to '{entity.name}'."
            )
        else:
            setattr(roles, word, key)
    rhythms = submap(node, "rhythms")
    if roles.repeat is None:
        for word in ("repeat_every", "repeat_until", "rhythms"):
            if word in node and scalar(node, "repeat") is None:
                b.faults.add(
                    "E478",
                    node.keys[word],
                    f"`{word}` says more of a repetition that is not there.",
                    "Add `repeat:` with a field of type choice.",
                )
        return
    options = entity.fields[roles.repeat].spec.get("options") or {}
    roles.rhythms = {key: key for key in options if key in UNITS}
    for option, value in rhythms.items():
        if b.reference(option, options, f"option of '{roles.repeat}'", "E478") and isinstance(value, Scalar) and value.text in UNITS:
            roles.rhythms[option.text] = value.text
    if not roles.rhythms:
        at = scalar(node, "repeat")
        message = f"no option of '{roles.repeat}' is a rhythm."
        b.faults.add("E478", at, message, f"Call options {known(UNITS)}, or say below `rhythms:` what yours mean.")
