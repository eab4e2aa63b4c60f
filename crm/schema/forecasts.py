"""Builds forecasts, and the roles of what people add to them: the manager's adjustments and the scenarios of what-if."""

from __future__ import annotations

from typing import Any

from crm.schema import reports
from crm.schema.building import Building
from crm.schema.company import entity_of, role
from crm.schema.faults import known
from crm.schema.model import CATEGORIES, LEVERS, AdjustmentRoles, Entity, Forecast, Report, ScenarioRoles, Spend
from crm.schema.reading import entries, percent, scalar, submap, text, texts, whole
from crm.schema.scope import kind_of
from crm.yamlfile import Map, Scalar

#: Kinds of values of which nearly every record has another one.
MEASURED = ("money", "number", "percent", "duration")
TEXTS = ("text", "long_text")
#: Field types that fit a role of the adjustments.
ADJUSTING = {
    "month": ("date",),
    "amount": ("money", "number"),
    "who": ("user",),
    "category": ("choice",),
    "forecast": TEXTS,
    "note": (*TEXTS, "markdown"),
}
#: Field types that fit a role of the scenarios.
KEEPING = {"name": TEXTS, "forecast": TEXTS, "note": (*TEXTS, "markdown"), "owner": ("user",)}


def build(b: Building) -> None:
    """`forecasts/*.yaml`."""
    for name, node in b.things("forecasts"):
        entity = b.entity(node, "E540")
        if entity is None or not forecast(b, name, node, entity):
            b.gone.add(name)


def forecast(b: Building, name: str, node: Map, entity: Entity) -> bool:
    """One forecast; False where it cannot be used."""
    path = f"forecasts.{name}"
    made = Forecast(**b.head("forecasts", name, node), entity=entity.name)
    asked = texts(node, "pipelines")
    if not entity.pipelines:
        at = scalar(node, "entity")
        own = [one.name for one in b.schema.entities.values() if one.pipelines]
        message = f"records of '{entity.name}' go through no pipeline, so nothing can be foretold of them."
        b.faults.add("E541", at, message, f"Name one of: {known(own)}." if own else "Add a pipeline of this entity.")
        return False
    names = [one.text for one in asked if b.reference(one, entity.pipelines, f"pipeline of '{entity.name}'", "E541")]
    made.pipelines = names if asked else list(entity.pipelines)
    if not made.pipelines:
        return False
    for pipeline in made.pipelines:
        one = b.schema.pipelines[pipeline]
        lacking = [word for word in ("amount", "close") if word not in one.fields]
        ends = [word for word in ("won", "lost") if not one.of_outcome(word)]
        at = next((said for said in asked if said.text == pipeline), None) or scalar(node, "entity")
        if lacking:
            message = f"the pipeline '{pipeline}' does not say which field is the {' and the '.join(lacking)}."
            b.faults.add("E542", at, message, f"Add it to `fields:` of pipelines/{pipeline}.yaml: `{lacking[0]}: …`.")
            return False
        if ends:
            message = f"no stage of the pipeline '{pipeline}' ends as {' or '.join(ends)}, so there is nothing to learn from."
            b.faults.add("E542", at, message, f"Write `outcome: {ends[0]}` at a stage of pipelines/{pipeline}.yaml.")
            return False
    first = b.schema.pipelines[made.pipelines[0]].fields
    for pipeline in made.pipelines[1:]:
        other = b.schema.pipelines[pipeline].fields
        for word in ("amount", "close"):
            if other[word] != first[word]:
                at = next((said for said in asked if said.text == pipeline), None) or scalar(node, "entity")
                message = f"the pipelines '{made.pipelines[0]}' and '{pipeline}' keep the {word} in different fields."
                b.faults.add("E542", at, message, "Make a forecast of its own for each: `pipelines: [one]`.")
                return False
    made.where = b.expression(scalar(node, "where"), entity.scope, "boolean")
    made.months = whole(node, "months", made.months) or made.months
    made.back = whole(node, "back", made.back) or made.back
    made.runs = whole(node, "runs", made.runs) or made.runs
    made.ramp = whole(node, "ramp", made.ramp) or 0
    made.shrink = whole(node, "shrink")
    before = len(b.faults)
    holder = Report(name, made.label, entity.name, path=path)
    reports.axes(b, holder, node.get("by"), entity)
    made.by = holder.by
    for axis in made.by:
        if axis.kind in MEASURED and not axis.classes:
            message = f"'{axis.field}' is of type {axis.kind}, so nearly every record would be a group of its own."
            b.faults.add("E543", node.values["by"], message, "Name a choice or a link, or say `classes: [0, 10000, 50000]`.")
        if axis.unit or axis.first:
            b.faults.add(
                "E543",
                node.values["by"],
                f"'{axis.key}' is a piece of time; months stand in every forecast anyway.",
                "Name a field or `link.field`.",
            )
    said = scalar(node, "source")
    if said is not None and (found := b.path(said, entity)) is not None:
        made.source_path = found[0]
        if kind_of(found[1]) in MEASURED:
            message = f"'{found[0]}' is of type {found[1].name}, so records do not come from it."
            b.faults.add("E543", said, message, "Name a choice or a link.")
    made.spend = spend(b, submap(node, "spend"), entity)
    if len(b.faults) > before:
        return False
    b.schema.forecasts[name] = made
    return True


def spend(b: Building, node: Map, entity: Entity) -> Spend | None:
    """What campaign spending does: by which link a record comes from a campaign, and the elasticity assumed until it is learned."""
    at = scalar(node, "campaign")
    if at is None:
        return None
    key = b.field(at, entity, "E544")
    if key is None:
        return None
    roles = b.schema.campaign_roles
    if roles is None or entity.fields[key].to != roles.entity or not ({"cost", "budget"} & set(roles.fields)):
        fitting = [one.key for one in entity.own_fields.values() if roles is not None and one.to == roles.entity]
        message = f"'{key}' does not lead to a campaign whose cost is known."
        if roles is None:
            message = "crm.yaml has no `campaigns:`, so it is not known what campaigns cost."
        b.faults.add("E544", at, message, f"Name one of: {known(fitting)}." if fitting else "Remove `spend:`.")
        return None
    elasticity = percent(text(node, "elasticity", "40%"))
    if elasticity is None or not 0 <= elasticity <= 1:
        message = "the elasticity says how many percent more records come from one percent more money: 0% to 100%."
        b.faults.add("E544", node.values["elasticity"], message, "Write for example `elasticity: 40%`.")
        return None
    return Spend(key, elasticity)


def company(b: Building) -> None:
    """`forecast_adjustments:` and `scenarios:` of crm.yaml."""
    top = b.tree.files.get("crm.yaml")
    node = submap(top, "forecast_adjustments")
    if node and (entity := entity_of(b, node)) is not None:
        found = {word: fitting(b, node, entity, word, kinds, "adjustments") for word, kinds in ADJUSTING.items()}
        if found["month"] and found["amount"]:
            made = AdjustmentRoles(
                entity.name, found["month"], found["amount"], found["who"], found["category"], found["forecast"], found["note"]
            )
            made.categories = categories(b, node, entity, made.category)
            b.schema.forecast_adjustments = made
    node = submap(top, "scenarios")
    if node and (entity := entity_of(b, node)) is not None:
        found = {word: fitting(b, node, entity, word, kinds, "scenarios") for word, kinds in KEEPING.items()}
        levers: dict[str, str] = {}
        for word, value in entries(submap(node, "levers")):
            if b.reference(word, LEVERS, "lever", "E546") is None or not isinstance(value, Scalar):
                continue
            key = b.field(value, entity, "E546")
            kinds = ("integer", "number") if word.text == "reps" else ("percent", "number")
            if key is not None and entity.fields[key].name not in kinds:
                message = f"the lever '{word.text}' must be a field of type {' or '.join(kinds)}, and '{key}' is of type {entity.fields[key].name}."
                names = [one.key for one in entity.own_fields.values() if one.name in kinds]
                b.faults.add("E546", value, message, f"Name one of: {known(names)}.")
            elif key is not None:
                levers[word.text] = key
        if found["name"]:
            b.schema.scenarios = ScenarioRoles(entity.name, found["name"], levers, found["forecast"], found["note"], found["owner"])


def fitting(b: Building, node: Map, entity: Entity, word: str, kinds: tuple[str, ...], whose: str) -> str | None:
    """The field that plays a role, when its type can."""
    found = role(b, node, entity, word, None)
    if found is None or entity.fields[found].name in kinds:
        return found
    at = scalar(node, word)
    names = [one.key for one in entity.own_fields.values() if one.name in kinds]
    message = f"'{word}' of the {whose} must be a field of type {' or '.join(kinds)}, and '{found}' is of type {entity.fields[found].name}."
    b.faults.add("E545", at, message, f"Name one of: {known(names) or '(none yet)'}.")
    return None


def categories(b: Building, node: Map, entity: Entity, key: str | None) -> dict[str, str]:
    """{option: the figure it adjusts}: as `categories:` says, else the options that are called like a figure."""
    options: dict[str, Any] = (getattr(entity.fields[key], "options", None) or {}) if key else {}
    found = {option: option for option in options if option in CATEGORIES}
    for option, value in entries(submap(node, "categories")):
        if b.reference(option, options, f"option of '{key}'", "E545") and isinstance(value, Scalar):
            if b.reference(value, CATEGORIES, "figure", "E545"):
                found[option.text] = value.text
    return found
