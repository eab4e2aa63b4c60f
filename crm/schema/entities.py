"""Builds the entities: fields, links and the lists at their other ends, forms, lists, kinds, rules; and checks what they name."""

from __future__ import annotations

from typing import Any

from crm.expressions import Scope
from crm.schema import rules as ruled
from crm.schema.building import Building, own
from crm.schema.cards import read_little_typing
from crm.schema.faults import known, meant, shorten
from crm.schema.language.fields import FIELD_KEYS, field_types, type_keys
from crm.schema.model import Check, Duplicates, Entity, Filter, Form, Kind, Kinds, ListView, Timeline
from crm.schema.reading import (
    entries,
    nodes,
    percent,
    plural,
    readable,
    scalar,
    scalars,
    submap,
    text,
    texts,
    truth,
)
from crm.schema.scope import EntityScope
from crm.schema.shapes import NO, SYSTEM, YES, Flag, Number, Whole
from crm.yamlfile import Map, Node, Scalar, Seq

#: The types of the fields every entity has, with their labels.
SYSTEM_FIELDS = {
    "id": ("integer", "Number"),
    "created_on": ("datetime", "Created"),
    "created_by": ("user", "Created by"),
    "changed_on": ("datetime", "Changed"),
    "changed_by": ("user", "Changed by"),
    "deleted_on": ("datetime", "Deleted"),
    "stage_on": ("datetime", "In this stage since"),
    "ticks": ("checklist", "Checklist"),
}
#: Labels of the system's own fields, for the one list of all texts to translate.
words = ("Number", "Created", "Created by", "Changed", "Changed by", "Deleted", "In this stage since", "Checklist")


def build(b: Building) -> None:
    """All entities, first their fields, then what fields name of each other, then everything that names fields."""
    for name, node in b.things("entities"):
        begin(b, name, node)
    link(b)


def bind(b: Building) -> None:
    """Let fields see the rest of the schema (stages, users, the currency); called when pipelines are known."""
    for entity in b.schema.entities.values():
        for one in entity.fields.values():
            one.bind(b.schema)


def finish(b: Building) -> None:
    """What names fields and expressions; called when pipelines and roles are known by name."""
    compute(b)
    for name, entity in b.schema.entities.items():
        node = b.nodes[f"entities.{name}"]
        rules(b, entity, node)
        screens(b, entity, node)
    cycles(b)


# --- fields


def begin(b: Building, name: str, node: Map) -> None:
    label = text(node, "label") or readable(name)
    entity = Entity(
        **b.head("entities", name, node),
        plural=b.text(f"entities.{name}.plural", text(node, "plural") or plural(label)),
        icon=text(node, "icon") or "description",
        was=[one.text for one in texts(node, "was")],
        schema=b.schema,
    )
    entity.scope = EntityScope(entity)
    b.schema.entities[name] = entity
    declared = submap(node, "fields")
    former: dict[str, Scalar] = {}
    for key, value in entries(declared):
        if key.text in SYSTEM:
            b.faults.add("E204", key, f"'{key.text}' is a field every entity has already.", "Remove it here, or choose another name.")
            continue
        add_field(b, entity, key, value)
        for was in texts(value, "was"):
            if was.text in declared:
                b.faults.add("E205", was, f"'{was.text}' is a field of its own, so it is not a former name.", "Remove this `was:`.")
            elif was.text in former:
                b.faults.add("E205", was, f"'{was.text}' is already the former name of another field.", "Keep one of the two.")
            former[was.text] = was
    if not declared and not any(fault.file == node.file and fault.code in ("E103", "E102") for fault in b.faults):
        b.faults.add("E206", node, f"the entity '{name}' has no fields.", "Add at least one below `fields:`.")
    for key_, (kind, label_) in SYSTEM_FIELDS.items():
        if key_ in ("stage_on", "ticks") and entity.stage_field is None or kind not in field_types():
            continue
        made = make(kind, key_, {"label": label_, "fixed": True, "type": kind, "search": False}, entity)
        made.system = True
        made.path = f"system.{key_}"
        entity.fields[key_] = made


def add_field(b: Building, entity: Entity, key: Scalar, value: Node) -> None:
    if value.is_null:
        b.faults.add("E202", key, f"the field '{key.text}' has no type.", f"Add `type:`, one of {known(field_types(), 40)}.")
        b.gone.add(key.text)
        return
    spec = spec_of(value)
    kind = spec.get("type")
    if kind not in field_types():
        b.gone.add(key.text)  # told by the shape; what names it is not told again
        return
    made = make(kind, key.text, spec, entity)
    path = f"entities.{entity.name}.fields.{key.text}"
    made.path = path
    b.text(f"{path}.label", made.label)
    b.text(f"{path}.help", made.help)
    b.text(f"{path}.placeholder", str(spec.get("placeholder") or ""))
    at = value if isinstance(value, Map) else None
    options(b, at, path)
    for group in ("columns", "with"):
        for column, below in entries(submap(at, group)):
            inner = spec_of(below)
            b.text(f"{path}.{group}.{column.text}.label", str(inner.get("label") or readable(column.text)))
            options(b, below if isinstance(below, Map) else None, f"{path}.{group}.{column.text}")
            if inner.get("type") in ("stage", "pipeline", "lines", "autonumber"):
                message = f"a column cannot be of type '{inner['type']}'."
                b.faults.add(
                    "E207", below if not isinstance(below, Map) else below.values["type"], message, "Make it a field of the entity."
                )
            to = scalar(below, "to")
            if to is not None:
                b.plain.setdefault("targets", []).append(to)
    for setting, error in getattr(made, "wrong", []):
        where: Any = (at.get(setting) if at is not None else None) or value
        if any((fault.file, fault.line, fault.column) == (where.file, where.line, where.column) for fault in b.faults):
            continue
        b.faults.add("E208", where, f"`{setting}` of '{key.text}': {_lower(str(error))}", "Correct this setting.")
    if kind == "stage":
        if entity.stage_field is not None:
            b.faults.add(
                "E209", key, f"'{entity.stage_field}' is the stage of '{entity.name}' already.", "An entity has one field of type stage."
            )
        else:
            entity.stage_field = key.text
    if kind == "pipeline":
        if entity.pipeline_field is not None:
            said = f"'{entity.pipeline_field}' is the pipeline of '{entity.name}' already."
            b.faults.add("E209", key, said, "An entity has one field of type pipeline.")
        else:
            entity.pipeline_field = key.text
    entity.fields[key.text] = made


def make(kind: str, key: str, spec: dict[str, Any], entity: Entity) -> Any:
    from crm.fields import FIELD_TYPES

    return FIELD_TYPES[kind](key, spec, entity)


def _lower(said: str) -> str:
    return said[:1].lower() + said[1:] if said[1:2].islower() else said


def spec_of(node: Node) -> dict[str, Any]:
    """A field's keys as plain data: texts as typed, yes/no as bool, numbers as numbers, options as {key: {label …}}."""
    if isinstance(node, Scalar):
        return {"type": node.text}
    if not isinstance(node, Map):
        return {}
    kind = text(node, "type")
    keys = type_keys(kind) if kind in field_types() else FIELD_KEYS
    return {key.text: plain(key.text, value, keys.get(key.text)) for key, value in node.items() if not value.is_null}


def plain(name: str, node: Node, key: Any) -> Any:
    shape = key.shape if key is not None else None
    if name == "options":
        return plain_options(node)
    if name in ("columns", "with") and isinstance(node, Map):
        return {one.text: spec_of(value) for one, value in node.items()}
    if isinstance(node, Scalar):
        if name == "required" or isinstance(shape, Flag):
            return truth(node.text) if node.text.lower() in YES | NO else node.text
        if isinstance(shape, Whole):
            return int(node.text) if node.text.lstrip("+-").isdigit() else node.text
        if isinstance(shape, Number):
            return node.text
    if name == "was":
        return [one.text for one in scalars(node)]
    return node.plain()


def plain_options(node: Node) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    if isinstance(node, Map):
        for key, value in node.items():
            if isinstance(value, Map):
                one = {k: v for k, v in value.plain().items() if v is not None}
                found[key.text] = {**one, "label": one.get("label") or readable(key.text)}
            else:
                said = value.text if isinstance(value, Scalar) and not value.is_null else readable(key.text)
                found[key.text] = {"label": said}
    else:
        for one_ in scalars(node):
            found[one_.text] = {"label": readable(one_.text)}
    return found


def options(b: Building, node: Map | None, path: str) -> None:
    """Check a choice's options and note their labels."""
    if node is None or "options" not in node:
        return
    at = node.values["options"]
    for key, one in plain_options(at).items():
        b.text(f"{path}.options.{key}", str(one.get("label") or ""))
        b.text(f"{path}.back.{key}", str(one.get("back") or ""))
    listed = scalars(at) if isinstance(at, Seq) else list(at.keys.values()) if isinstance(at, Map) else []
    seen: dict[str, Scalar] = {}
    for one_ in listed:
        before = seen.get(one_.text.lower())
        if before is not None:
            how = "is given twice" if before.text == one_.text else f"and '{before.text}' differ only in capital letters"
            b.faults.add("E213", one_, f"the option '{shorten(one_.text)}' {how}.", "Keep one of the two.")
        seen[one_.text.lower()] = one_
    if not listed and not isinstance(at, Scalar):
        b.faults.add("E214", at, "there are no options to choose from.", "Write `options: [first, second]`.")
    for former, was in [(one.text, key) for key, value in entries(at) for one in texts(value, "was")]:
        if former in seen:
            b.faults.add("E205", was, f"'{former}' is an option of its own, so it is not a former name.", "Remove this `was:`.")


# --- links


def target(b: Building, one: Any) -> str | None:
    """The entity at the other end of a field."""
    if one.spec.get("to"):
        return str(one.spec["to"])
    if one.name == "user" and b.schema.users:
        return b.schema.users.entity
    if one.name == "team" and b.schema.teams:
        return b.schema.teams.entity
    return None


def link(b: Building) -> None:
    """Give each link its other end, and the entity there the list of those who link to it."""
    entities = b.schema.entities
    for name, entity in entities.items():
        declared = submap(b.nodes[f"entities.{name}"], "fields")
        for key, one in list(entity.fields.items()):
            node = declared.get(key)
            to = target(b, one)
            to_node = scalar(node, "to")
            if one.name in ("link", "links") and to_node is None and not one.system:
                at = declared.keys[key]
                b.faults.add("E216", at, f"the link '{key}' does not say where it leads.", "Add `to:` with the name of an entity.")
                b.gone.add(text(node, "back"))
                continue
            if to is None:
                if one.name in ("user", "team") and not one.system:
                    kind = "users" if one.name == "user" else "teams"
                    message = f"the field '{key}' is of type {one.name}, and crm.yaml does not say which entity holds the {kind}."
                    b.faults.add("E217", declared.keys[key], message, f"Add `{kind}: {{entity: …}}` to crm.yaml.")
                continue
            if to not in entities:
                if to in b.gone:
                    del entity.fields[key]
                    b.gone.add(key)
                    if back := scalar(node, "back"):
                        b.gone.add(back.text)
                elif to_node is not None:
                    b.reference(to_node, entities, "entity", "E218")
                    b.gone.add(text(node, "back"))
                continue
            one.to = to
            back = scalar(node, "back")
            if back is not None:
                one.back = back.text
                add_back(b, back, name, key, entities[to])
    for to_node in b.plain.get("targets", []):
        b.reference(to_node, entities, "entity", "E218")


def add_back(b: Building, back: Scalar, name: str, key: str, other: Entity) -> None:
    from crm.schema.shapes import check_name

    if not check_name(back, b.faults):
        return
    if back.text in other.fields:
        message = f"'{other.name}' has a field called '{back.text}', so the list of its '{name}' records needs another name."
        b.faults.add("E219", back, message, f"Write another `back:`, for example '{name}_{back.text}'.")
    elif back.text in other.back:
        first, at = other.back[back.text]
        message = f"'{other.name}' has a list called '{back.text}' already (from '{first}.{at}')."
        b.faults.add("E219", back, message, f"Write another `back:`, for example '{key}_{back.text}'.")
    else:
        other.back[back.text] = (name, key)
        label = b.schema.entities[name].plural
        b.text(f"entities.{other.name}.back.{back.text}", readable(back.text) if back.text != name else label)


# --- formulas

#: What a field of this kind takes from a formula.
FITTING = {
    "number": ("number", "integer", "percent", "money", "duration"),
    "integer": ("integer", "number"),
    "money": ("money", "number", "integer", "percent"),
    "percent": ("percent", "number", "integer"),
    "duration": ("duration", "period", "number", "integer"),
    "date": ("date", "datetime"),
    "datetime": ("datetime", "date"),
    "text": ("text", "choice"),
    "choice": ("choice", "text"),
    "boolean": ("boolean",),
    "link": ("link",),
}


def compute(b: Building) -> None:
    """Parse the formulas and rollups, those first that others use."""
    waiting: dict[tuple[str, str], Map] = {}
    for name, entity in b.schema.entities.items():
        for key, value in entries(submap(b.nodes[f"entities.{name}"], "fields")):
            if key.text in entity.fields and isinstance(value, Map):
                waiting[name, key.text] = value

    def ready(entity: Entity, key: str) -> None:
        value = waiting.pop((entity.name, key), None)
        if value is None:
            return
        one = entity.fields[key]
        free = one.name in ("formula", "rollup") and not one.spec.get("as")
        expects = None if free else FITTING.get(one.kind if isinstance(one.kind, str) else "")
        for word in ("formula", "rollup"):
            setattr(one, word, b.expression(scalar(value, word), entity.scope, expects))
        ruled.rule(b, entity, one, value, expects)
        for column_key, below in entries(submap(value, "columns")):
            column = getattr(one, "columns", {}).get(column_key.text)
            if column is not None and (said := scalar(below, "formula")) is not None:
                column.formula = b.expression(said, Scope(one.columns), FITTING.get(column.kind))

    for entity in b.schema.entities.values():
        entity.scope.ready = ready
    for name, field in list(waiting):
        ready(b.schema.entities[name], field)
    for entity in b.schema.entities.values():
        entity.scope.ready = None


# --- what names fields


def rules(b: Building, entity: Entity, node: Map) -> None:
    """Expressions and defaults of the fields; checks, duplicates, owner, title."""
    declared = submap(node, "fields")
    scope = entity.scope
    for key, value in entries(declared):
        one = entity.fields.get(key.text)
        if one is None or not isinstance(value, Map) or one.system:
            continue
        one.show = b.expression(scalar(value, "show"), scope, "boolean")
        chosen(b, one, value)
        for column, inner in entries(submap(value, "columns")) if isinstance(value.get("columns"), Map) else ():
            if isinstance(inner, Map) and column.text in getattr(one, "columns", {}):
                chosen(b, one.columns[column.text], inner)
        computed = [word for word in ("formula", "rollup") if scalar(value, word) is not None]
        if len(computed) == 2:
            at = value.keys["rollup"]
            b.faults.add(
                "E220", at, f"'{key.text}' has a formula and a rollup.", "Keep one of the two; a formula may name rolled-up fields."
            )
        required = scalar(value, "required")
        if required is not None and required.text.lower() not in YES | NO:
            one.required = b.expression(required, scope, "boolean") or False
        if computed:
            for word in ("default", "required"):
                stated = scalar(value, word)
                if word == "required" and (one.required is False or one.follows):
                    continue  # while its formula gives nothing, somebody types it
                if stated is not None:
                    message = f"'{key.text}' is computed, so it takes no `{word}`."
                    b.faults.add("E221", value.keys[word], message, f"Remove `{word}` or `{computed[0]}`.")
        default(b, entity, one, value)
    owner = scalar(node, "owner")
    if owner is not None and (found := b.field(owner, entity)):
        if entity.fields[found].name != "user":
            message = f"the owner must be a field of type user, and '{found}' is of type {entity.fields[found].name}."
            b.faults.add("E222", owner, message, f"Write one of: {known(k for k in own(entity) if entity.fields[k].name == 'user')}.")
        else:
            entity.owner = found
    title = scalar(node, "title")
    entity.title = b.template(title, entity) or ("{name}" if "name" in entity.fields else "{id}")
    entity.subtitle = b.template(scalar(node, "subtitle"), entity)
    for number, check in enumerate(nodes(node, "checks"), 1):
        that = b.expression(scalar(check, "that"), scope, "boolean")
        said = text(check, "say")
        beside = scalar(check, "field")
        path = f"entities.{entity.name}.checks.{number}"
        if that is not None and said:
            b.text(path, said)
            entity.checks.append(Check(that, said, b.field(beside, entity) if beside else None, path))
    for rule in nodes(node, "duplicates"):
        like = scalar(rule, "like")
        over = percent(text(rule, "over", "0.9"))
        made = Duplicates(
            b.fields(texts(rule, "same"), entity), b.field(like, entity) if like else None, float(over if over is not None else 0.9)
        )
        if isinstance(rule, Map) and not made.same and made.like is None and "same" not in rule and "like" not in rule:
            b.faults.add("E223", rule, "this rule compares nothing.", "Add `same: [fields]` or `like: field`.")
        entity.duplicates.append(made)
    for index in nodes(node, "indexes"):
        keys = b.fields(scalars(index), entity)
        if keys:
            entity.indexes.append(keys)


def chosen(b: Building, one: Any, value: Map) -> None:
    """Which records a link may lead to: a condition over those."""
    said = scalar(value, "where")
    to = target(b, one)
    if said is not None and to in b.schema.entities:
        one.chosen = b.expression(said, b.schema.entities[to].scope, "boolean")


def default(b: Building, entity: Entity, one: Any, value: Map) -> None:
    """The default: a typed text the field takes, or an expression."""
    node = value.get("default")
    if node is None or node.is_null:
        return
    if not isinstance(node, Scalar):
        try:
            one.clean(node.plain())
        except ValueError as error:
            b.faults.add("E215", node, f"'{one.key}' cannot begin with this: {_lower(str(error))}", "Write a value of the field's type.")
        return
    said = node.text
    if said.startswith("="):
        one.default = b.expression(node, entity.scope, None, "E215", said[1:].strip())
        return
    if one.name in ("stage", "pipeline"):
        b.plain.setdefault("defaults", []).append((entity, one, node))
        return
    refused: Exception | None = None
    if one.name not in ("link", "links", "user", "team"):
        try:
            one.clean(said)
            if one.name not in ("date", "datetime") or said[:1].isdigit():
                return  # `today` and `now` are taken as they are when a record is made, not as they were when the first one was
        except ValueError as error:
            refused = error
    from crm.expressions import ExpressionError, parse

    try:
        one.default = parse(said, entity.scope)
    except ExpressionError as error:
        if refused is None:
            return
        if (said.replace("_", "").isalnum() or said[:1] in "'\""):
            choices = one.spec.get("options") or {}
            message = f"'{one.key}' cannot begin with '{shorten(said)}': {_lower(str(refused))}"
            hint = meant(said, choices) if "Did you mean" not in message else ""
            mend = f"Write one of: {known(choices)}." if choices else "Write a value of the field's type, or an expression."
            b.faults.add("E215", node, message + hint, mend)
        else:
            one.default = None
            b.expression(node, entity.scope, None, "E215")
            del error


# --- screens


def screens(b: Building, entity: Entity, node: Map) -> None:
    path = f"entities.{entity.name}"
    entity.list = list_view(b, entity, submap(node, "list"), f"{path}.list")
    entity.form = form(b, entity, submap(node, "form"), f"{path}.form")
    if not entity.list.columns:
        entity.list.columns = [key for key in own(entity) if entity.fields[key].name not in ("long_text", "markdown", "lines", "files")][:6]
    if not entity.form:
        entity.form = {b.text(f"{path}.form.General", "General"): [[key] for key in own(entity)]}
    entity.quick = b.fields(texts(node, "quick"), entity) or [k for k in own(entity) if entity.fields[k].required is True]
    for group, keys in entries(submap(node, "facts")):
        entity.facts[b.text(f"{path}.facts.{group.text}", group.text)] = b.fields(scalars(keys), entity)
    for one in texts(node, "related"):
        if one.text in entity.back or getattr(entity.fields.get(one.text), "name", "") == "links":
            entity.related.append(one.text)  # a links field of its own: the people of a deal, with their roles
        else:
            b.reference(one, entity.back, f"list of linked records at '{entity.name}'", "E224")
    if "related" not in node:
        entity.related = list(entity.back)
    kinds(b, entity, submap(node, "kinds"))
    timeline(b, entity, submap(node, "timeline"))
    read_little_typing(b, entity, node)


def list_view(b: Building, entity: Entity, node: Map, path: str) -> ListView:
    view = ListView()
    seen: set[str] = set()
    for one in texts(node, "columns"):
        found = b.path(one, entity)
        if found is not None and found[0] in seen:
            b.faults.add("E225", one, f"the column '{one.text}' is listed twice.", "Remove one of the two.")
        elif found is not None:
            view.columns.append(found[0])
            seen.add(found[0])
    for one in texts(node, "sort"):
        if (found := b.path(one, entity, text=one.text.lstrip("-"))) is not None:
            view.sort.append(one.text)
    for key, value in entries(submap(node, "filters")):
        condition = value if isinstance(value, Scalar) else scalar(value, "where")
        label = text(value, "label") or readable(key.text)
        parsed = b.expression(condition, entity.scope, "boolean")
        if parsed is not None:
            here = f"{path}.filters.{key.text}"
            sort = [one.text for one in texts(value, "sort") if b.path(one, entity, text=one.text.lstrip("-")) is not None]
            view.filters[key.text] = Filter(key.text, b.text(f"{here}.label", label), parsed, here, sort)
    return view


def form(b: Building, entity: Entity, node: Map, path: str) -> Form:
    made: Form = {}
    seen: dict[str, str] = {}
    for group, rows in entries(node):
        lines: list[list[str]] = []
        for row in rows if isinstance(rows, Seq) else []:
            line = []
            for one in scalars(row):
                if (key := b.field(one, entity)) is None:
                    continue
                if key in seen:
                    where = "twice in this group" if seen[key] == group.text else f"in '{seen[key]}' already"
                    b.faults.add("E225", one, f"the field '{key}' stands {where}.", "Remove one of the two.")
                    continue
                seen[key] = group.text
                line.append(key)
            if line:
                lines.append(line)
        made[b.text(f"{path}.{group.text}", group.text)] = lines
    return made


def kinds(b: Building, entity: Entity, node: Map) -> None:
    decides = scalar(node, "field")
    if decides is None or (key := b.field(decides, entity)) is None:
        return
    one = entity.fields[key]
    choices = one.spec.get("options")
    if not choices:
        b.faults.add("E226", decides, f"'{key}' decides the kind, so it must be a choice with options.", "Make its type choice.")
        return
    entity.kinds = Kinds(key, {})
    for name, value in entries(submap(node, "of")):
        if name.text not in choices:
            b.reference(name, choices, f"option of '{key}'", "E226")
            continue
        path = f"entities.{entity.name}.kinds.{name.text}"
        label = text(value, "label") or str(choices[name.text]["label"])
        shown = b.fields(texts(value, "show"), entity)
        kind = Kind(
            key=name.text,
            label=b.text(f"{path}.label", label),
            plural=b.text(f"{path}.plural", text(value, "plural") or plural(label)),
            icon=text(value, "icon") or str(choices[name.text].get("icon") or "") or entity.icon,
            show=shown,
            path=path,
        )
        if isinstance(value, Map) and "form" in value:
            kind.form = form(b, entity, submap(value, "form"), f"{path}.form")
        if isinstance(value, Map) and "list" in value:
            kind.list = list_view(b, entity, submap(value, "list"), f"{path}.list")
            kind.list.columns = kind.list.columns or entity.list.columns
        entity.kinds.of[name.text] = kind
    for option in choices:
        if option not in entity.kinds.of:
            label = str(choices[option]["label"])
            path = f"entities.{entity.name}.kinds.{option}"
            entity.kinds.of[option] = Kind(option, label, b.text(f"{path}.plural", plural(label)), entity.icon, path=path)
            b.text(f"{path}.label", label)


def timeline(b: Building, entity: Entity, node: Map) -> None:
    on = scalar(node, "on")
    if on is None or (key := b.field(on, entity)) is None:
        return
    if entity.fields[key].name not in ("date", "datetime"):
        message = f"the timeline goes by '{key}', which is of type {entity.fields[key].name}."
        b.faults.add("E227", on, message, "Name a date or datetime field.")
        return
    kind = text(node, "kind") or entity.name
    line = Timeline(
        on=key,
        kind=kind,
        kind_is_field=kind in entity.fields,
        title=b.template(scalar(node, "title"), entity) or entity.title,
        icon=text(node, "icon") or entity.icon,
    )
    for role in ("text", "result", "who"):
        one = scalar(node, role)
        if one is not None:
            setattr(line, role, b.field(one, entity))
    entity.timeline = line


# --- formulas in circles


def cycles(b: Building) -> None:
    """Report formulas and rollups that need themselves, each circle once, with the way round."""
    needs: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for name, entity in b.schema.entities.items():
        for key, one in entity.fields.items():
            expression = one.formula or one.rollup
            if expression is not None and not isinstance(expression, str):
                needs[name, key] = [found for path in sorted(expression.uses) for found in follow(b, name, path)]
    told: set[frozenset[tuple[str, str]]] = set()
    for start in needs:
        way = circle(start, needs)
        if way is None or frozenset(way) in told:
            continue
        told.add(frozenset(way))
        name, key = start
        field = submap(b.nodes[f"entities.{name}"], "fields").get(key)
        at = scalar(field, "formula") or scalar(field, "rollup") or (field.get("rule") if isinstance(field, Map) else None)
        if at is None:
            continue
        shown = " → ".join(f"{e}.{k}" if len({e for e, _ in way}) > 1 else k for e, k in [*way, start])
        b.faults.add("E228", at, f"'{key}' needs itself: {shown}.", "Take one of these out of the other's formula.")


def follow(b: Building, name: str, path: str) -> list[tuple[str, str]]:
    """The (entity, field) pairs a dotted path of an expression reads."""
    read: list[tuple[str, str]] = []
    here: str | None = name
    for part in path.split("."):
        if here is None or here not in b.schema.entities:
            break
        entity = b.schema.entities[here]
        if part in entity.fields:
            read.append((here, part))
            here = entity.fields[part].to
        elif part in entity.back:
            here = entity.back[part][0]
        else:
            break
    return read


def circle(start: tuple[str, str], needs: dict[tuple[str, str], list[tuple[str, str]]]) -> list[tuple[str, str]] | None:
    """The shortest way from `start` back to it, or None."""
    queue: list[list[tuple[str, str]]] = [[start]]
    seen: set[tuple[str, str]] = set()
    while queue:
        way = queue.pop(0)
        for following in needs.get(way[-1], []):
            if following == start:
                return way
            if following not in seen and following in needs:
                seen.add(following)
                queue.append([*way, following])
    return None


def required(one: Any) -> bool:
    """Whether a field must always be filled by whoever creates a record."""
    return one.required is True and one.default in (None, "") and not one.computed
