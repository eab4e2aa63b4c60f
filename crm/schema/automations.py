"""Builds the automations: when, if, then; and finds those that would set each other off for ever."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import time
from typing import Any

from crm.errors import Refused
from crm.expressions import ExpressionError, Name, parse
from crm.expressions.nodes import Field, Special
from crm.expressions.values import Period
from crm.schema.building import Building, own
from crm.schema.faults import known, meant, shorten
from crm.schema.model import Automation, Effect, Entity, Given, Schema, Trigger
from crm.schema.reading import entries, flag, nodes, scalar, submap, text, texts
from crm.yamlfile import Map, Node, Scalar

PERIOD = re.compile(r"([+-]?)\s*(\d{1,5})\s*(min|h|d|w|m|y)\Z")
UNITS = {"min": (0, 0, 1), "h": (0, 0, 60), "d": (0, 1, 0), "w": (0, 7, 0), "m": (1, 0, 0), "y": (12, 0, 0)}
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
#: What an effect is, and the keys that belong to it.
EFFECTS: dict[str, tuple[str, ...]] = {
    "set": ("of",),
    "create": ("values",),
    "assign": (),
    "notify": ("text",),
    "mail": ("to",),
    "webhook": ("secret", "send"),
    "approve": ("text",),
}
#: What begins an automation, and the keys that belong to it.
TRIGGERS: dict[str, tuple[str, ...]] = {
    "changed": (),
    "stage": (),
    "date": ("after", "at"),
    "silent": ("since", "at"),
    "every": ("on", "at"),
}
TEXTS = frozenset({"text", "long_text", "markdown"})
LINKS = frozenset({"link", "user", "team"})


class WithBefore:
    """The names of a record, and `was`: the record as it was before the change."""

    def __init__(self, entity: Entity) -> None:
        self.entity = entity

    def names(self) -> list[str]:
        return [*self.entity.scope.names(), "was"]

    def resolve(self, name: str) -> Any:
        found = self.entity.scope.resolve(name)
        if found is None and name == "was":
            return Name("link", None, self.entity.scope, False, "", self.entity.name)
        return found


def build(b: Building) -> None:
    for name, node in b.things("automations"):
        entity = b.entity(node, "E460")
        if entity is None:
            continue
        path = f"automations.{name}"
        one = Automation(
            **b.head("automations", name, node),
            entity=entity.name,
            on_import=flag(node, "on_import"),
            off=flag(node, "off"),
        )
        one.when = [made for said in nodes(node, "when") if (made := trigger(b, said, entity)) is not None]
        live = bool(one.when) and all(made.live for made in one.when)
        scope = WithBefore(entity) if live else entity.scope
        one.condition = b.expression(scalar(node, "if"), scope, "boolean")
        for number, said in enumerate(nodes(node, "then"), 1):
            does = effect(b, said, entity, scope, f"{path}.then.{number}")
            if does is not None:
                one.then.append(does)
        b.schema.automations[name] = one
    loops(b)


# --- when


def trigger(b: Building, node: Node, entity: Entity) -> Trigger | None:
    if isinstance(node, Scalar):
        if node.text in ("created", "changed"):
            return Trigger(node.text)
        said = f"'{shorten(node.text)}' does not say when." + meant(node.text, ("created", "changed"))
        b.faults.add(
            "E461", node, said, "Write created, changed, or a mapping: {stage: won}, {changed: [amount]}, {date: close_on, after: -3d}."
        )
        return None
    if not isinstance(node, Map):
        return None
    kinds = [key for key in TRIGGERS if key in node]
    if len(kinds) != 1:
        said = "this does not say when." if not kinds else f"this says {' and '.join(kinds)} at once."
        mend = "Write one of `changed`, `stage`, `date`, `silent`, `every`."
        place = node.keys[kinds[1]] if len(kinds) > 1 else next(iter(node.keys.values()), None) or node
        if not any(fault.code == "E101" and fault.file == node.file and fault.line == place.line for fault in b.faults):
            b.faults.add("E461", place, said, mend + (" Several triggers are items of a list." if kinds else ""))
        return None
    kind = kinds[0]
    for other, _ in entries(node):
        if other.text != kind and other.text not in TRIGGERS[kind] and any(other.text in more for more in TRIGGERS.values()):
            belongs = " or ".join(f"`{name}`" for name, more in TRIGGERS.items() if other.text in more)
            b.faults.add("E461", other, f"'{other.text}' says nothing here.", f"It belongs to {belongs}; remove it.")
    at = clock(b, scalar(node, "at"))
    if kind == "changed":
        return Trigger("changed", fields=b.fields(texts(node, "changed"), entity))
    if kind == "stage":
        return Trigger("stage", stages=[found for said in texts(node, "stage") if (found := stage(b, said, entity)) is not None])
    if kind == "every":
        return schedule(b, node, at)
    said_field = scalar(node, "date" if kind == "date" else "since")
    key = b.field(said_field, entity, "E463") if said_field is not None else None
    if said_field is not None and key is None:
        return None
    if key is not None and entity.fields[key].kind not in ("date", "datetime"):
        fitting = [name for name, one in entity.fields.items() if one.kind in ("date", "datetime")]
        message = f"'{key}' is of type {entity.fields[key].name}, and a date is needed here."
        b.faults.add("E463", said_field, message, f"Write one of: {known(fitting)}.")
        return None
    if key is not None and entity.fields[key].key in volatile(entity):
        b.faults.add("E463", said_field, f"'{key}' is computed anew every day, so it never comes.", "Name the date it is computed from.")
        return None
    if kind == "date":
        offset = period(b, scalar(node, "after")) or Period()
        return Trigger("date", field=key, offset=offset, at=at)
    length = period(b, scalar(node, "silent"))
    if length is None:
        return None
    if length.weight <= 0:
        b.faults.add("E461", node.values["silent"], "a silence lasts some time.", "Write for example `silent: 30d`.")
        return None
    if key is None and not any(True for _ in activity_links(b.schema, entity.name)):
        message = f"no activity leads to '{entity.name}', so nothing says when something happened."
        b.faults.add("E463", node.keys["silent"], message, "Add `since:` with the field that says it.")
        return None
    return Trigger("silence", field=key, offset=length, at=at)


def volatile(entity: Entity) -> set[str]:
    return {key for key, one in entity.fields.items() if one.formula is not None and one.formula.constants & {"today", "now"}}


def activity_links(schema: Schema, entity: str) -> Iterator[str]:
    """The fields of the activity entity that lead to records of `entity`."""
    roles = schema.activities
    if roles is not None and roles.entity in schema.entities:
        for key, one in schema.entities[roles.entity].fields.items():
            if one.name == "link" and one.to == entity:
                yield key


def period(b: Building, node: Scalar | None) -> Period | None:
    if node is None:
        return None
    found = PERIOD.match(node.text.strip())
    if not found:
        b.faults.add("E461", node, f"'{shorten(node.text)}' is not a length of time.", "Write a whole number and a unit: 3d, -2w, 1m, 4h.")
        return None
    made = Period(*(part * int(found[2]) for part in UNITS[found[3]]))
    return -made if found[1] == "-" else made


def clock(b: Building, node: Scalar | None) -> time | None:
    if node is None:
        return None
    found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", node.text.strip())
    if not found:
        b.faults.add("E461", node, f"'{shorten(node.text)}' is not a time of the day.", "Write it as '08:00'.")
        return None
    return time(int(found[1]), int(found[2]))


def schedule(b: Building, node: Map, at: time | None) -> Trigger | None:
    every = text(node, "every")
    if every not in ("day", "week", "month"):
        return None
    on = scalar(node, "on")
    day: int | None = {"day": None, "week": 1, "month": 1}[every]
    if on is not None:
        said = on.text.lower()
        if every == "day":
            b.faults.add("E461", on, "every day is every day.", "Remove `on:`, or write `every: week`.")
        elif every == "week":
            if said not in DAYS:
                b.faults.add(
                    "E461", on, f"'{shorten(on.text)}' is no day of the week." + meant(said, DAYS), f"Write one of: {known(DAYS)}."
                )
                return None
            day = DAYS.index(said) + 1
        elif said == "last":
            day = 0
        elif said.isdigit() and 1 <= int(said) <= 31:
            day = int(said)
        else:
            b.faults.add("E461", on, f"'{shorten(on.text)}' is no day of the month.", "Write 1 to 31, or last.")
            return None
    return Trigger("schedule", every=every, on=day, at=at or time(0, 0))


def stage(b: Building, node: Scalar, entity: Entity) -> tuple[str | None, str] | None:
    if not entity.stage_field:
        staged = [name for name, one in b.schema.entities.items() if one.stage_field]
        b.faults.add("E462", node, f"'{entity.name}' has no stages.", f"Entities with stages: {known(staged)}.")
        return None
    pipeline, _, name = node.text.rpartition(".")
    if pipeline:
        if pipeline not in entity.pipelines:
            if pipeline not in b.gone:
                said = f"'{entity.name}' has no pipeline called '{shorten(pipeline)}'." + meant(pipeline, entity.pipelines)
                b.faults.add("E462", node, said, f"Its pipelines: {known(entity.pipelines)}.")
            return None
        stages = list(b.schema.pipelines[pipeline].stages)
    else:
        stages = list(dict.fromkeys(key for one in entity.pipelines for key in b.schema.pipelines[one].stages))
    if name not in stages:
        if not b.gone & {*entity.pipelines} and (pipeline or not b.off):
            where = f"in '{pipeline}'" if pipeline else f"of '{entity.name}'"
            b.faults.add(
                "E462", node, f"there is no stage '{shorten(name)}' {where}." + meant(name, stages), f"There are: {known(stages)}."
            )
        return None
    return pipeline or None, name


# --- then


def effect(b: Building, node: Node, entity: Entity, scope: Any, path: str) -> Effect | None:
    if not isinstance(node, Map):
        return None
    kinds = [key for key in EFFECTS if key in node and not node.values[key].is_null]
    if len(kinds) != 1:
        at = node.keys[kinds[1]] if len(kinds) > 1 else next(iter(node.keys.values()), None) or node
        said = f"this does {' and '.join(kinds)} at once." if kinds else "this does nothing."
        if kinds or not any(fault.code == "E101" and fault.file == node.file and fault.line == at.line for fault in b.faults):
            mend = "Make items of a list of them." if kinds else f"Write one of {', '.join(f'`{one}`' for one in EFFECTS)}."
            b.faults.add("E464", at, said, mend)
        return None
    do = kinds[0]
    for key, _ in entries(node):
        if key.text != do and key.text not in EFFECTS[do] and any(key.text in more for more in EFFECTS.values()):
            belongs = " or ".join(f"`{name}`" for name, more in EFFECTS.items() if key.text in more)
            b.faults.add("E464", key, f"'{key.text}' says nothing beside '{do}'.", f"It belongs to {belongs}; remove it.")
    made = Effect(do, path=path)
    if (said_text := scalar(node, "text")) is not None:
        made.text = b.text(f"{path}.text", b.template(said_text, entity))
    return {
        "set": _set, "create": _create, "assign": _assign, "notify": _notify, "mail": _mail, "webhook": _webhook, "approve": _approve,
    }[do](b, node, made, entity, scope)  # fmt: skip


def _set(b: Building, node: Map, made: Effect, entity: Entity, scope: Any) -> Effect | None:
    target = entity
    if (of := scalar(node, "of")) is not None:
        key = b.field(of, entity, "E464")
        if key is None:
            return None
        field_ = entity.fields[key]
        if field_.name not in LINKS or field_.to not in b.schema.entities:
            links = [name for name, one in entity.fields.items() if one.name in LINKS and not one.system]
            b.faults.add("E464", of, f"'{key}' leads to no record.", f"Write a link: {known(links)}.")
            return None
        made.of, target = key, b.schema.entities[field_.to]
    made.values = given(b, submap(node, "set"), target, entity, scope, change=True)
    if not made.values and not entries_of(node, "set"):
        b.faults.add("E464", node.keys["set"], "nothing is set here.", "Write `set: {field: value}`.")
    return made


def entries_of(node: Map, key: str) -> list[Any]:
    return list(entries(submap(node, key)))


def _create(b: Building, node: Map, made: Effect, entity: Entity, scope: Any) -> Effect | None:
    said = scalar(node, "create")
    found = b.reference(said, b.schema.entities, "entity", "E460") if said is not None else None
    if found is None:
        return None
    made.what = found
    target = b.schema.entities[found]
    made.values = given(b, submap(node, "values"), target, entity, scope, change=False)
    named = {key.text for key, _ in entries_of(node, "values")}
    lacking = [
        key
        for key, one in target.own_fields.items()
        if one.required is True
        and one.default in (None, "")
        and not one.computed
        and key not in named
        and one.name not in ("stage", "pipeline", "autonumber")
    ]
    if lacking:
        at = node.keys.get("values") or node.keys["create"]
        b.faults.add("E465", at, f"a new '{found}' needs {' and '.join(lacking)}.", "Add it to `values:`.")
    return made


def _assign(b: Building, node: Map, made: Effect, entity: Entity, scope: Any) -> Effect | None:
    said = scalar(node, "assign")
    if said is None:
        return None
    rules = [name for name, rule in b.schema.assignments.items() if rule.entity == entity.name]
    if said.text in rules:
        made.what = said.text
        return made
    if not entity.owner:
        b.faults.add("E464", said, f"'{entity.name}' belongs to nobody: it has no `owner:`.", "Set the field by `set:`.")
        return None
    found = person(b, said, scope, rules, roles=False)
    if found is None:
        return None
    made.to = [found]
    return made


def _notify(b: Building, node: Map, made: Effect, entity: Entity, scope: Any) -> Effect | None:
    made.to = [found for said in texts(node, "notify") if (found := person(b, said, scope)) is not None]
    if not made.text and scalar(node, "text") is None:
        b.faults.add("E464", node.keys["notify"], "this says nothing.", "Add `text:` with what they are told.")
    return made


def person(b: Building, node: Scalar, scope: Any, rules: list[str] | None = None, roles: bool = True) -> Any:
    """An expression that leads to a user, or the name of a role."""
    if roles and node.text in b.schema.roles and scope.resolve(node.text) is None:
        return node.text
    users = b.schema.users
    choices = [*(b.schema.roles if roles else ()), *(rules or ()), *people(scope, users.entity if users else "")]
    try:
        found = parse(node.text, scope)
    except ExpressionError as error:
        if node.text.replace("_", "").isalnum() and node.text not in b.gone:
            what = "user or role" if roles else "user or assignment rule"
            b.faults.add(
                "E466",
                node,
                f"there is no {what} called '{shorten(node.text)}'." + meant(node.text, choices),
                f"There are: {known(choices)}.",
            )
        else:
            b.expression(node, scope, None, "E466")
        del error
        return None
    if users is not None and leads_to(found) != users.entity:
        message = f"'{shorten(node.text)}' does not lead to a user."
        b.faults.add("E466", node, message, f"Write one of: {known(choices)}.")
        return None
    return found


def people(scope: Any, entity: str) -> list[str]:
    found = []
    for name in scope.names():
        one = scope.resolve(name)
        if one is not None and one.entity == entity and not one.many and not getattr(one.field, "system", False):
            found.append(name)
    return found


def leads_to(expression: Any) -> str | None:
    """The entity an expression's value is a record of."""
    node = expression.node
    if isinstance(node, Field):
        return node.name.entity
    if isinstance(node, Special) and node.name == "me":
        return _users(expression)
    return None


def _users(expression: Any) -> str | None:
    entity = getattr(expression.scope, "entity", None)
    schema = entity.schema if entity is not None else None
    return schema.users.entity if schema is not None and schema.users is not None else None


def _mail(b: Building, node: Map, made: Effect, entity: Entity, scope: Any) -> Effect | None:
    said = scalar(node, "mail")
    if said is None:
        return None
    found = b.reference(said, b.schema.mails, "mail template", "E467")
    to = texts(node, "to")
    if not to:
        b.faults.add("E467", node.keys["mail"], "this mail goes to nobody.", "Add `to:` with an e-mail field, a contact or a user.")
    users = b.schema.users
    for one in to:
        expression = b.expression(one, scope, None, "E467")
        if expression is None:
            continue
        leads = leads_to(expression)
        field_ = expression.node.name.field if isinstance(expression.node, Field) else None
        address = getattr(field_, "name", "") == "email"
        if not address and leads is not None and (users is None or leads != users.entity):
            address = any(key.name == "email" for key in b.schema.entities[leads].fields.values())
        if not address and (leads is None or users is None or leads != users.entity):
            mend = "Write an e-mail field (`contact.email`), a link to somebody who has one, or a user."
            b.faults.add("E467", one, f"'{shorten(one.text)}' leads to no e-mail address.", mend)
            continue
        made.to.append(expression)
    made.what = found
    return made if found is not None else None


def _webhook(b: Building, node: Map, made: Effect, entity: Entity, scope: Any) -> Effect | None:
    from urllib.parse import urlsplit

    said = scalar(node, "webhook")
    if said is None:
        return None
    parts = urlsplit(said.text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        b.faults.add("E468", said, f"'{shorten(said.text)}' is not an address.", "Write it in quotes: 'https://example.org/hook'.")
        return None
    secret = scalar(node, "secret")
    if secret is None:
        mend = "Add `secret:` with the name of an environment variable that holds the key."
        b.faults.add("E468", said, "a webhook is signed, and there is no key.", mend)
    elif not re.fullmatch(r"[A-Z][A-Z0-9_]*", secret.text):
        mend = "Write the variable's name in capitals (`ERP_SECRET`) and put the key into the environment, not here."
        b.faults.add("E468", secret, "this is not the name of an environment variable.", mend)
    made.what, made.secret = said.text, secret.text if secret is not None else None
    made.send = b.fields(texts(node, "send"), entity, "E468") or list(own(entity))
    return made


def _approve(b: Building, node: Map, made: Effect, entity: Entity, scope: Any) -> Effect | None:
    made.to = [role for said in texts(node, "approve") if (role := b.reference(said, b.schema.roles, "role", "E466"))]
    if b.schema.approvals is None:
        b.faults.add("E464", node.keys["approve"], "nothing here holds approvals.", "Say in crm.yaml below `approvals:` which entity does.")
        return None
    return made


# --- values


def given(b: Building, node: Map, target: Entity, entity: Entity, scope: Any, change: bool) -> list[Given]:
    found = []
    for key, value in entries(node):
        name = b.field(key, target, "E465")
        if name is None:
            continue
        one = target.fields[name]
        if one.computed or one.system or change and getattr(one, "fixed", False):
            why = "is computed" if one.computed else "is the system's own" if one.system else "is fixed"
            b.faults.add("E465", key, f"'{name}' {why}, so nothing can set it.", "Name a field that users fill.")
            continue
        made = value_of(b, name, value, one, target, entity, scope)
        if made is not None:
            found.append(made)
    return found


def value_of(b: Building, name: str, node: Node, one: Any, target: Entity, entity: Entity, scope: Any) -> Given | None:
    """A value as it is typed in the YAML: a text of the field's type, else an expression."""
    if node.is_null:
        return Given(name)
    if not isinstance(node, Scalar):
        try:
            one.clean(node.plain())
        except ValueError as error:
            b.faults.add("E465", node, f"'{name}' cannot be this: {_lower(str(error))}", "Write a value of the field's type.")
            return None
        return Given(name, node.plain())
    said = node.text
    if said.startswith("="):
        expression = b.expression(node, scope, None, "E465", said[1:].strip())
        return Given(name, expression=expression) if expression is not None else None
    if said == "record" and one.name in (*LINKS, "links"):
        if one.to != entity.name:
            b.faults.add("E465", node, f"'{name}' leads to '{one.to}', and the record is of '{entity.name}'.", "Write an expression.")
            return None
        return Given(name, record=True)
    if one.name == "stage":
        return Given(name, said) if stage(b, node, target) is not None else None
    if one.name == "pipeline":
        return Given(name, said) if b.reference(node, target.pipelines, f"pipeline of '{target.name}'", "E465") else None
    if one.name in TEXTS:
        if "{" in said:
            b.template(node, entity, "E465")
        return Given(name, said, template="{" in said)
    refused: ValueError | None = None
    if one.name not in (*LINKS, "links"):
        try:
            one.clean(said)
            return Given(name, said)
        except ValueError as error:
            refused = error
    try:
        expression = parse(said, scope)
    except ExpressionError:
        choices = one.spec.get("options") or {}
        if refused is not None and (re.sub(r"[_ ]", "", said).isalnum() or said[:1] in "'\""):
            message = f"'{name}' cannot be '{shorten(said)}': {_lower(str(refused))}"
            hint = meant(said, choices) if "Did you mean" not in message else ""
            b.faults.add(
                "E465",
                node,
                message + hint,
                f"Write one of: {known(choices)}." if choices else "Write a value of the field's type, or an expression.",
            )
        else:
            b.expression(node, scope, None, "E465")
        return None
    leads = leads_to(expression)
    if one.name in LINKS and one.to and leads is not None and leads != one.to:
        b.faults.add("E465", node, f"'{shorten(said)}' leads to '{leads}', and '{name}' to '{one.to}'.", "Write a link to the same entity.")
        return None
    return Given(name, expression=expression)


def _lower(said: str) -> str:
    return said[:1].lower() + said[1:]


# --- loops


@dataclass
class Touch:
    """What an automation writes: fields of an entity (`made`: in a new record), and the values it gives them where they are fixed."""

    entity: str
    keys: set[str]
    made: bool = False
    same: bool = False  # of the record itself
    fixed: dict[str, Any] = field(default_factory=dict)
    copied: set[str] = field(default_factory=set)  # as they are in the record

    def keeps(self, key: str) -> bool:
        """Whether a field is after it as it was in the record before it."""
        return key in self.copied or self.same and key not in self.keys


def touches(schema: Schema, one: Automation) -> list[Touch]:
    """Everything an automation's own effects write."""
    found = []
    entity = schema.entities[one.entity]
    for effect_ in one.then:
        fixed = {
            value.field: value.typed for value in effect_.values if value.expression is None and not value.record and not value.template
        }
        keys = {value.field for value in effect_.values}
        copied = {value.field for value in effect_.values if value.expression is not None and str(value.expression).strip() == value.field}
        if effect_.do == "set":
            target = entity.name if effect_.of is None else str(entity.fields[effect_.of].to)
            found.append(Touch(target, keys, same=effect_.of is None, fixed=fixed))
        elif effect_.do == "create":
            found.append(Touch(str(effect_.what), keys, made=True, fixed=fixed, copied=copied if effect_.what == entity.name else set()))
        elif effect_.do == "assign" and entity.owner:
            found.append(Touch(entity.name, {entity.owner}, same=True))
        elif effect_.do == "approve" and schema.approvals is not None:
            found.append(Touch(schema.approvals.entity, set(), made=True))
    return found


def spread(schema: Schema, start: Touch) -> dict[str, set[str]]:
    """The fields that may change with it, `{entity: fields}`: what is computed from them follows, over links in both directions."""
    changed: dict[str, set[str]] = {}
    queue: list[tuple[str, set[str], bool]] = [(start.entity, set(start.keys), start.made)]
    while queue:
        name, keys, made = queue.pop()
        if not made:
            seen = changed.setdefault(name, set())
            keys = keys - seen
            if not keys:
                continue
            seen |= keys
        for other in schema.entities.values():
            for key, one in other.fields.items():
                for expression in (one.formula, one.rollup):
                    if expression is None or key in changed.get(other.name, ()):
                        continue
                    if any(_reads(schema, other, path, name, keys, made) for path in expression.uses):
                        queue.append((other.name, {key}, False))
    return changed


def _reads(schema: Schema, entity: Entity, path: str, name: str, keys: set[str], made: bool) -> bool:
    """Whether a path from `entity` reads one of `keys` of the entity `name` (or, `made`, goes over its records)."""
    here: Entity | None = entity
    for part in path.split("."):
        if here is None:
            return False
        if part in here.back:
            child, link = here.back[part]
            if child == name and (made or link in keys):
                return True
            here = schema.entities[child]
            continue
        if here.name == name and part in keys and not made:
            return True
        one = here.fields.get(part)
        here = schema.entities.get(one.to or "") if one is not None else None
    return False


class Fixed:
    """A record of which only some values are known."""

    def __init__(self, entity: Entity, values: Mapping[str, Any]) -> None:
        self.entity, self.values = entity, values
        self.today = self.now = self.me = None

    def get(self, head: str) -> Any:
        kept = self.values.get(head)
        return self.entity.fields[head].clean(kept) if kept is not None else None

    def follow(self, head: str) -> None:
        return None

    def back(self, name: str) -> Iterator[Any]:
        return iter(())


def decided(schema: Schema, one: Automation, touch: Touch) -> bool | None:
    """Whether the condition holds after this write, as far as that can be told from the YAML; None when it cannot."""
    if one.condition is None:
        return True
    if one.entity != touch.entity or not (touch.made or touch.same):
        return None
    entity = schema.entities[one.entity]
    if not one.condition.constants and all(
        "." not in path and path not in entity.back and touch.keeps(path) for path in one.condition.uses
    ):
        return True
    if one.condition.constants or any("." in path or path not in touch.fixed for path in one.condition.uses):
        return None
    if any(entity.fields[key].name in ("stage", "pipeline", "link", "user", "team", "links") for key in one.condition.uses):
        return None
    try:
        return bool(one.condition.holds(Fixed(entity, touch.fixed)))
    except (Refused, ValueError, TypeError):
        return None


def sets_off(schema: Schema, touch: Touch, changed: Mapping[str, set[str]], other: Automation) -> bool:
    """Whether a write may begin another automation."""
    entity = schema.entities[other.entity]
    keys = changed.get(other.entity, set())
    for one in other.when:
        if one.kind == "created" and touch.made and touch.entity == other.entity:
            return True
        if one.kind == "changed" and keys and (not one.fields or keys & set(one.fields)):
            return True
        if one.kind == "stage":
            said = touch.fixed.get(entity.stage_field or "") if touch.entity == other.entity else None
            names = {name for _, name in one.stages}
            if touch.made and touch.entity == other.entity:
                first = {schema.pipelines[name].first.key for name in entity.pipelines}
                if names & ({said} if said is not None else first):
                    return True
            elif entity.stage_field in keys and (said is None or said in names):
                return True
    return False


def loops(b: Building) -> None:
    """Automations that begin each other without a condition that ends it."""
    schema = b.schema
    every = {name: one for name, one in schema.automations.items() if not one.off}
    writes = {name: touches(schema, one) for name, one in every.items()}
    after: dict[str, dict[str, list[Touch]]] = {name: {} for name in every}
    reach: dict[str, dict[str, set[str]]] = {name: {} for name in every}
    for name in every:
        for touch in writes[name]:
            changed = spread(schema, touch)
            for entity, keys in changed.items():
                reach[name].setdefault(entity, set()).update(keys)
            if touch.made:
                reach[name].setdefault(touch.entity, set()).update(touch.keys)
            for other, two in every.items():
                if sets_off(schema, touch, changed, two) and decided(schema, two, touch) is not False:
                    after[name].setdefault(other, []).append(touch)
    for name, one in every.items():
        if name in after[name] and all(touch.same for touch in after[name][name]):
            del after[name][name]  # what it writes in its own record does not set it off
    told: set[str] = set()
    for name in every:
        way = circle(name, after, {other for other in every if ends(schema, every, other, after, reach)})
        if way and not told & set(way):
            told.update(way)
            node = b.nodes[f"automations.{name}"]
            said = f"'{name}' sets itself off again: {' → '.join([*way, name])}, and no condition ends it."
            mend = "Add an `if:` to one of them that is no longer true once it has run."
            b.faults.add("E469", node.keys.get("when") or node, said, mend)


def ends(schema: Schema, every: Mapping[str, Automation], name: str, after: Any, reach: Any) -> bool:
    """Whether an automation's condition can become false by what the automations before it in a circle write."""
    one = every[name]
    if one.condition is None:
        return False
    reads: set[str] = set()
    for path in one.condition.uses:
        head, _, rest = path.partition(".")
        reads.add(rest.split(".")[0] if head == "was" else head)
    written: set[str] = set()
    for other in every:
        if name in after[other] or other == name:
            written |= reach[other].get(one.entity, set())
    back = schema.entities[one.entity].back
    if not reads & written and not any(path.split(".")[0] in back or "." in path for path in one.condition.uses):
        return False
    steps = [touch for other in every for touch in after[other].get(name, [])]
    return not (steps and all(decided(schema, one, touch) for touch in steps))


def circle(start: str, after: Mapping[str, Mapping[str, Any]], closed: set[str]) -> list[str]:
    """The shortest way from an automation back to itself that passes none of `closed`; empty when there is none."""
    if start in closed:
        return []
    ways = [[start]]
    seen: set[str] = set()
    while ways:
        way = ways.pop(0)
        for following in after[way[-1]]:
            if following == start:
                return way
            if following not in seen and following not in closed:
                seen.add(following)
                ways.append([*way, following])
    return []


__all__ = ["build"]
