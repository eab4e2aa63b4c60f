"""Builds what crm.yaml says: names, languages, money, time, who the users are, navigation, modules."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from crm.schema import nextstep
from crm.schema.building import Building, own
from crm.schema.faults import known, meant, shorten
from crm.schema.language import COMPANY
from crm.schema.language.common import wrong_currency, wrong_language
from crm.schema.model import ActivityRoles, CampaignRoles, Entity, Group, Link, TeamRoles, UserRoles
from crm.schema.reading import entries, flag, maybe, readable, scalar, submap, text, texts, whole
from crm.yamlfile import Map, Node, Scalar, Seq

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
PAGES = ("home", "calendar", "reports", "kpis", "dashboards", "forecast", "whatif", "admin", "settings")


def begin(b: Building) -> None:
    """The plain values, and which entities hold users and teams (their fields are looked at in `finish`)."""
    node = b.tree.files.get("crm.yaml")
    if node is None:
        return
    COMPANY.check(node, b.faults, "crm.yaml")
    schema = b.schema
    schema.name = text(node, "name") or schema.name
    schema.title = b.text("title", text(node, "title") or readable(schema.name))
    stated = [one.text for one in texts(node, "languages")]
    schema.languages = list(dict.fromkeys(one for one in stated if not wrong_language(one))) or ["en"]
    schema.currency = text(node, "currency") or "EUR"
    schema.timezone = text(node, "timezone") or "UTC"
    schema.country = maybe(node, "country")
    first = text(node, "first_day", "monday")
    schema.first_day = DAYS.index(first) if first in DAYS else 0
    schema.fiscal_start = whole(node, "fiscal_start") or 1
    rates(b, submap(node, "rates"))
    for key, value in entries(submap(node, "modules")):
        schema.modules[key.text] = flag(Map("", 1, 1, {"x": key}, {"x": value}), "x", True)
    users, teams = submap(node, "users"), submap(node, "teams")
    if name := text(users, "entity"):
        schema.users = UserRoles(name)
    if name := text(teams, "entity"):
        schema.teams = TeamRoles(name)


def rates(b: Building, node: Map) -> None:
    """What other currencies are worth, from which day on."""
    for key, days in entries(node):
        if wrong := wrong_currency(key.text):
            b.faults.add("E518", key, wrong, "Write its three letters (ISO 4217): `USD`.")
            continue
        found = []
        for day, value in entries(days):
            try:
                worth = Decimal(value.text if isinstance(value, Scalar) else "")
                found.append((date.fromisoformat(day.text), worth))
            except (ValueError, InvalidOperation):
                b.faults.add("E518", day, "a rate is a day and a number.", "Write for example `2026-01-01: 0.92`.")
                continue
            if worth <= 0:
                b.faults.add("E518", value, "a rate is more than nothing.", "Write what one unit is worth in the base currency: `0.92`.")
        b.schema.rates[key.text] = sorted(found)


def finish(b: Building) -> None:
    """The roles of the users', teams', activities' and campaigns' fields; called when entities are built."""
    node = b.tree.files.get("crm.yaml")
    schema = b.schema
    users, teams = submap(node, "users"), submap(node, "teams")
    if schema.users and (entity := entity_of(b, users)):
        one = schema.users
        one.name = role(b, users, entity, "name", "name") or "name"
        one.login = role(b, users, entity, "login", "login") or "login"
        one.role = role(b, users, entity, "role", "role") or "role"
        for word in ("email", "team", "language", "active"):
            setattr(one, word, role(b, users, entity, word, None))
    elif schema.users:
        schema.users = None
    if schema.teams and (entity := entity_of(b, teams)):
        schema.teams.name = role(b, teams, entity, "name", "name") or "name"
        schema.teams.parent = role(b, teams, entity, "parent", None)
        schema.teams.head = role(b, teams, entity, "head", None)
    elif schema.teams:
        schema.teams = None
    activities = submap(node, "activities")
    if text(activities, "entity") and (entity := entity_of(b, activities)):
        found: dict[str, Any] = {
            word: role(b, activities, entity, word, None) for word in ("subject", "due", "done", "kind", "text", "result")
        }
        found |= {word: role(b, activities, entity, word, None) for word in ("owner", "duration", "priority")}
        subject, due, done = found.pop("subject"), found.pop("due"), found.pop("done")
        if subject and due and done:
            schema.activities = ActivityRoles(entity.name, subject, due, done, **found)
            icons(b, submap(activities, "kinds"), entity, schema.activities)
            nextstep.repetition(b, activities, entity, schema.activities)
    campaigns = submap(node, "campaigns")
    if text(campaigns, "entity") and (entity := entity_of(b, campaigns)):
        schema.campaign_roles = CampaignRoles(entity.name, several(b, submap(campaigns, "fields"), entity))
        for word in ("members", "lists"):
            part = submap(campaigns, word)
            if part and (other := entity_of(b, part)):
                setattr(schema.campaign_roles, word, {"entity": other.name, **several(b, part, other)})


def entity_of(b: Building, node: Map) -> Entity | None:
    one = scalar(node, "entity")
    if one is None:
        if node and "entity" not in node:
            b.faults.add("E810", node, "the key 'entity' is missing here.", "Say which entity it is: `entity: name`.")
        return None
    name = b.reference(one, b.schema.entities, "entity", "E810")
    found = b.schema.entities[name] if name else None
    return found if found is not None and own(found) else None  # an entity without fields is told elsewhere


def role(b: Building, node: Map, entity: Entity, word: str, usual: str | None) -> str | None:
    """The field that plays a role; `usual` when nothing is said, which must then exist."""
    one = scalar(node, word)
    if one is not None:
        return b.field(one, entity, "E811")
    if usual is not None and usual not in entity.fields:
        at = node.values["entity"]
        b.faults.add(
            "E811", at, f"the entity '{entity.name}' has no field '{usual}' to be the {word}.", f"Add `{word}:` with the field that is."
        )
    return usual


def several(b: Building, node: Map, entity: Entity) -> dict[str, str]:
    found = {}
    for key, value in entries(node):
        if key.text != "entity" and isinstance(value, Scalar) and (name := b.field(value, entity, "E811")):
            found[key.text] = name
    return found


def icons(b: Building, node: Map, entity: Entity, roles: ActivityRoles) -> None:
    choices: dict[str, Any] = entity.fields[roles.kind].spec.get("options") or {} if roles.kind else {}
    roles.kinds = {key: str(one.get("icon")) for key, one in choices.items() if one.get("icon")}
    for key, value in entries(node):
        if key.text not in choices:
            b.reference(key, choices, f"option of '{roles.kind}'", "E812")
        elif isinstance(value, Scalar):
            roles.kinds[key.text] = value.text


def navigation(b: Building) -> None:
    """The groups of the navigation; called when everything it may name is built."""
    node = submap(b.tree.files.get("crm.yaml"), "navigation")
    for key, value in entries(node):
        items = value if isinstance(value, Seq) else value.get("items") if isinstance(value, Map) else None
        path = f"navigation.{key.text}"
        label = b.text(f"{path}.label", text(value, "label") or readable(key.text))
        group = Group(key.text, label, [], text(value, "icon"), path)
        for item in items if isinstance(items, Seq) else []:
            if (one := entry(b, item)) is not None:
                group.links.append(one)
        b.schema.navigation.append(group)
    if not node:
        links = [Link("list", name) for name in b.schema.entities]
        b.schema.navigation = [Group("all", "", links, "", "navigation.all")]


def entry(b: Building, node: Node) -> Link | None:
    schema = b.schema
    if isinstance(node, Scalar):
        if node.text in schema.entities:
            return Link("list", node.text)
        if node.text in PAGES:
            return Link(node.text)
        if node.text not in b.gone:
            choices = [*schema.entities, *PAGES]
            message = f"there is no entity or page called '{shorten(node.text)}'." + meant(node.text, choices)
            b.faults.add("E813", node, message, f"Entities: {known(schema.entities)}. Pages: {known(PAGES)}.")
        return None
    if not isinstance(node, Map):
        return None
    known_: dict[str, Any] = {
        "list": schema.entities,
        "board": {**schema.pipelines, **{name: one for name, one in schema.entities.items() if one.board is not None}},
        "dashboard": schema.dashboards,
        "report": schema.reports,
        "page": PAGES,
    }
    words = {"list": "entity"}
    for word, choices in known_.items():
        one = scalar(node, word)
        if one is None:
            continue
        name = b.reference(one, choices, words.get(word, word), "E813")
        if name is None:
            return None
        made = Link(word if word != "page" else name, name if word != "page" else None, text(node, "label"), None, text(node, "icon"))
        view = scalar(node, "view")
        if view is not None and word == "list":
            made.filter = b.reference(view, schema.entities[name].list.filters, f"view of '{name}'", "E813")
        return made
    message = "this entry does not say what it opens."
    b.faults.add(
        "E813", node, message, "Write `{list: entity}`, `{board: pipeline}`, `{dashboard: name}`, `{report: name}` or `{page: name}`."
    )
    return None
