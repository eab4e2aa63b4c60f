"""Builds the roles and checks what their rights name."""

from __future__ import annotations

from typing import Any

from crm.schema.building import Building
from crm.schema.entities import required
from crm.schema.faults import meant, shorten
from crm.schema.model import ACTS, SCOPES, Entity, Rights, Role
from crm.schema.reading import entries, flag, scalar, source, submap, texts
from crm.schema.shapes import NO, YES
from crm.yamlfile import Map, Node, Scalar


def begin(b: Building) -> None:
    """The roles by name; their rights follow when entities are complete."""
    for name, node in b.things("roles"):
        b.schema.roles[name] = Role(
            **b.head("roles", name, node),
            admin=flag(node, "admin"),
            modules=[one.text for one in texts(node, "modules")] if "modules" in node else None,
            was=[one.text for one in texts(node, "was")],
        )


def finish(b: Building) -> None:
    for name, role in b.schema.roles.items():
        node = b.nodes[f"roles.{name}"]
        for key, value in entries(submap(node, "rights")):
            if key.text == "*":
                role.rights["*"] = rights(b, key, value, None)
            elif (found := b.reference(key, b.schema.entities, "entity", "E401")) is not None:
                role.rights[found] = rights(b, key, value, b.schema.entities[found])
                blocked(b, role, b.schema.entities[found], value)
        if "rights" not in node and not role.admin:
            message = f"the role '{name}' has no rights, so its users see nothing."
            b.faults.add("E402", node, message, "Add `rights:`, or `admin: true`.")
        modules = set(b.schema.modules) or {each.module for each in b.schema.entities.values() if each.module}
        for said in texts(node, "modules"):
            b.reference(said, sorted(modules), "module", "E403")


def home(b: Building) -> None:
    """The dashboards roles start with; called when dashboards are built."""
    for name, role in b.schema.roles.items():
        one = scalar(b.nodes[f"roles.{name}"], "home")
        if one is not None:
            role.home = b.reference(one, b.schema.dashboards, "dashboard", "E404")


def rights(b: Building, key: Scalar, node: Node, entity: Entity | None) -> Rights:
    made = Rights(source=source(key))
    unread = False
    if isinstance(node, Scalar):
        reach = scope(b, node, entity) or "none"
        for act in ACTS:
            setattr(made, act, ("all" if reach not in ("none",) else "none") if act == "create" else reach)
        return made
    for act in ACTS:
        said = scalar(node, act)
        if said is None:
            continue
        if act == "create":
            lower = said.text.lower()
            made.create = "all" if lower in YES or said.text in ("all", "own", "team") else "none"
        elif said.text.lower() in YES | NO:
            message = f"'{act}' says how far it reaches, not {said.text}."
            b.faults.add("E405", said, message, f"Write one of {', '.join(SCOPES)}, or a condition.")
        else:
            reach = scope(b, said, entity)
            setattr(made, act, reach or "none")
            unread = unread or act == "see" and reach is None
    if made.see == "none" and isinstance(node, Map) and not unread:  # a wrong `see:` is told of once
        for act in ("change", "delete", "export"):
            if getattr(made, act) != "none" and act in node:
                message = f"this role may {act} what it does not see."
                b.faults.add("E406", node.values[act], message, f"Add `see:`, or write `{act}: none`.")
    for word in ("hide", "read_only"):
        for one in texts(node, word):
            if entity is None:
                message = f"`{word}` names fields, and '*' stands for entities with different ones."
                b.faults.add("E407", one, message, f"Write `{word}` below each entity.")
                break
            found = b.field(one, entity, "E407")
            if found is not None:
                getattr(made, word).append(found)
    for one in texts(node, "read_only"):
        if one.text in made.hide:
            b.faults.add("E407", one, f"'{one.text}' is hidden, so it cannot be read only.", "Keep it in one of the two lists.")
    return made


def scope(b: Building, node: Scalar, entity: Entity | None) -> Any:
    """none, own, team, all, or the parsed condition; None for one that is none of these, which is told of."""
    if node.text in SCOPES:
        if (
            node.text in ("own", "team")
            and entity is not None
            and entity.owner is None
            and not _is_user(b, entity)
            and "owner" not in b.nodes[entity.path]
        ):
            message = f"'{entity.name}' has no owner, so nothing is '{node.text}' there."
            b.faults.add("E408", node, message, f"Write `all` or `none`, or add `owner:` to '{entity.name}'.")
        return node.text
    if entity is None or node.text.replace("_", "").isalpha() and node.text not in entity.fields:
        message = f"'{shorten(node.text)}' is not how far a right reaches." + meant(node.text, SCOPES)
        b.faults.add("E405", node, message, f"Write one of {', '.join(SCOPES)}, or a condition.")
        return None
    return b.expression(node, entity.scope, "boolean", "E409")


def _is_user(b: Building, entity: Entity) -> bool:
    schema = b.schema
    return bool(schema.users and schema.users.entity == entity.name or schema.teams and schema.teams.entity == entity.name)


def blocked(b: Building, role: Role, entity: Entity, node: Node) -> None:
    """Report required fields that somebody who may create does not get to fill."""
    made = role.rights[entity.name]
    if made.create == "none":
        return
    for word in ("hide", "read_only"):
        for one in texts(node, word):
            field = entity.fields.get(one.text)
            if field is not None and required(field):
                how = "hidden from" if word == "hide" else "read only for"
                message = f"'{one.text}' must be filled and is {how} '{role.name}', who may create '{entity.name}'."
                mend = f"Take it out of `{word}`, give the field a default, or write `create: false`."
                b.faults.add("E410", one, message, mend)
