"""Builds approvals: what of a pipeline or an entity needs somebody's word, and which entity holds the requests (B8)."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from crm.schema.building import Building
from crm.schema.company import entity_of, role
from crm.schema.faults import known
from crm.schema.model import Approval, ApprovalRoles, Entity, Pipeline
from crm.schema.reading import entries, nodes, scalar, scalars, submap, text, texts
from crm.yamlfile import Map, Node, Scalar

#: How a request may stand.
STATES = ("pending", "granted", "refused", "void")
#: Field types that fit a role of the requests.
FITTING = {
    **dict.fromkeys(("subject", "rule", "terms", "by"), ("text", "long_text")),
    **dict.fromkeys(("reason", "why"), ("text", "long_text", "markdown")),
    **dict.fromkeys(("asked_by", "decided_by", "approver"), ("user",)),
    **dict.fromkeys(("asked_on", "decided_on"), ("datetime", "date")),
    "status": ("choice",),
}


def build(b: Building, node: Map, entity: Entity, path: str, pipeline: Pipeline | None = None) -> list[Approval]:
    """The approvals below a node of an entity, or of one of its pipelines."""
    made: list[Approval] = []
    for one in nodes(node, "approvals"):
        if isinstance(one, Map) and (built := _one(b, one, entity, path, pipeline)) is not None:
            if any(built.key == other.key for other in made):
                said = built.key.rpartition(".")[2]
                at = scalar(one, "name") or scalar(one, "when") or one
                b.faults.add("E314", at, f"two approvals here are called '{said}'.", "Give one of them another name: `name: …`.")
                continue
            made.append(built)
    return made


def _one(b: Building, node: Map, entity: Entity, path: str, pipeline: Pipeline | None) -> Approval | None:
    when = b.expression(scalar(node, "when"), entity.scope, "boolean")
    by = _by(b, node.get("by"))
    if when is None:
        return None
    heads = [key for key in entity.fields if key in {used.split(".")[0] for used in when.uses}]
    name = text(node, "name") or "_".join(key for key in heads if key != entity.stage_field) or "always"
    owner = pipeline.name if pipeline is not None else entity.name
    built = Approval(f"{owner}.{name}", when, by, path=f"{path}.approvals.{name}")
    built.say = b.text(f"{built.path}.say", text(node, "say"))
    before = scalar(node, "before")
    if before is not None and pipeline is not None:
        stage = b.reference(before, pipeline.stages, f"stage in '{pipeline.name}'", "E311")
        if stage is not None and (pipeline.stages[stage] is pipeline.first or pipeline.stages[stage].outcome == "lost"):
            message = f"nothing can wait for an approval before '{stage}': records begin there or are given up there."
            b.faults.add("E315", before, message, "Name a later stage that is not lost, or remove `before:`.")
            stage = None
        built.before = stage
    elif pipeline is None:
        built.before = b.expression(before, entity.scope, "boolean")
    amount = scalar(node, "amount")
    built.amount = b.field(amount, entity, "E316") if amount is not None else entity.role("amount") if entity.pipelines else None
    if any(limit is not None for limit in by.values()):
        if built.amount is None and amount is None:
            at = node.keys["by"]
            b.faults.add("E316", at, "it is not said what `up_to` is compared with.", "Add `amount:` with a field that holds the amount.")
        elif built.amount is not None and entity.fields[built.amount].name not in ("money", "number", "integer"):
            kind = entity.fields[built.amount].name
            fitting = [key for key, one in entity.fields.items() if one.name in ("money", "number", "integer") and not one.system]
            message = f"'{built.amount}' is of type {kind}, so `up_to` cannot be compared with it."
            b.faults.add("E316", amount or node.keys["by"], message, f"Name one of: {known(fitting)}.")
    terms = b.fields(texts(node, "of"), entity, "E316") if "of" in node else [key for key in heads if key != entity.stage_field]
    limited = [built.amount] if built.amount and any(limit is not None for limit in by.values()) else []
    built.of = list(dict.fromkeys([*terms, *limited]))
    return built if pipeline is not None or built.before is not None else None


def _by(b: Building, node: Node | None) -> dict[str, Decimal | None]:
    """{role: up to which amount, None for any} of a list of roles or a mapping with limits."""
    if not isinstance(node, Map):
        return {name: None for said in scalars(node) if (name := b.reference(said, b.schema.roles, "role", "E310"))}
    made: dict[str, Decimal | None] = {}
    for key, value in entries(node):
        limit = scalar(value, "up_to")
        if name := b.reference(key, b.schema.roles, "role", "E310"):
            try:
                made[name] = Decimal(limit.text.replace("_", "")) if limit is not None else None
            except InvalidOperation:
                made[name] = None  # told by the shape
    return made


def company(b: Building) -> None:
    """Which entity holds the requests: `approvals:` of crm.yaml; called when entities are built."""
    node = submap(b.tree.files.get("crm.yaml"), "approvals")
    if not node or not text(node, "entity") or (entity := entity_of(b, node)) is None:
        return
    found = {word: role(b, node, entity, word, None) for word in FITTING}
    for word, key in found.items():
        if key is not None and entity.fields[key].name not in FITTING[word]:
            message = f"'{key}' is of type {entity.fields[key].name}, and the {word} is of type {' or '.join(FITTING[word])}."
            b.faults.add("E318", node.values[word], message, "Name another field, or change its type.")
            found[word] = None
    said = submap(node, "states")
    states = states_of(b, node, said, entity, found["status"]) if found["status"] else {}
    if any(not found[word] for word in ("subject", "status", "rule", "terms", "asked_by", "decided_by", "reason")):
        return
    known_ = {word: key for word, key in found.items() if key is not None}
    b.schema.approvals = ApprovalRoles(entity.name, **known_, states=states)


def states_of(b: Building, node: Map, said: Map, entity: Entity, status: str) -> dict[str, str]:
    """{how a request may stand: the option that says so}."""
    made: dict[str, str] = {}
    options = entity.fields[status].spec.get("options") or {}
    for state_, option in entries(said):
        if b.reference(state_, STATES, "state", "E318") and isinstance(option, Scalar):
            if b.reference(option, options, f"option of '{status}'", "E318"):
                made[state_.text] = option.text
    for state in STATES:
        if state not in made:
            if state not in options and state not in said:
                message = f"'{status}' has no option for what is {state}."
                b.faults.add(
                    "E318", node.values["status"], message, f"Add the option `{state}`, or say which it is: `states: {{{state}: …}}`."
                )
            made[state] = state
    return made


def finish(b: Building) -> None:
    """The approvals of entities, and that requests for every approval have a place; called when pipelines and roles are known."""
    schema = b.schema
    for name, entity in schema.entities.items():
        entity.approvals = build(b, b.nodes[f"entities.{name}"], entity, entity.path)
    asking = [(f"entities.{name}", name) for name, one in schema.entities.items() if one.approvals]
    asking += [(f"pipelines.{name}", one.entity) for name, one in schema.pipelines.items() if one.approvals]
    for path, name in asking:
        at = b.nodes[path].keys["approvals"]
        roles = schema.approvals
        if roles is None:
            if "approvals" not in (b.tree.files.get("crm.yaml") or {}):
                mend = "Say in crm.yaml which entity does: `approvals: {entity: …, subject: …, status: …}`."
                b.faults.add("E317", at, "no entity holds requests for approval.", mend)
        elif not any(one.name == "link" and one.to == name for one in schema.entities[roles.entity].fields.values()):
            message = f"requests ('{roles.entity}') have no link to '{name}', so nobody could ask for this."
            b.faults.add("E317", at, message, f"Add a field to '{roles.entity}': `{name}: {{type: link, to: {name}}}`.")
