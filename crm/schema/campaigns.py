"""Builds the campaign types and checks their steps."""

from __future__ import annotations

import re
from decimal import Decimal

from crm.schema.building import Building
from crm.schema.faults import known, meant, shorten
from crm.schema.model import CampaignStep, CampaignType, Offset, Response
from crm.schema.reading import entries, flag, number, readable, scalar, scalars, submap, text
from crm.yamlfile import Map, Scalar, Seq

WHEN = re.compile(r"\s*(\w+)\s*(?:([+-])\s*(\d+)\s*([dwm]?)\s*)?\Z")
DAYS = {"": 1, "d": 1, "w": 7, "m": 30}


def build(b: Building) -> None:
    for name, node in b.things("campaigns"):
        budget = number(node, "budget")
        one = CampaignType(
            **b.head("campaigns", name, node),
            budget=Decimal(str(budget)) if budget is not None else None,
            icon=text(node, "icon") or "campaign",
        )
        b.schema.campaigns[name] = one
        responses(b, one, node)
        one.tasks = steps(b, one, submap(node, "tasks"), "tasks", ())
        one.activities = steps(b, one, submap(node, "activities"), "activities", tuple(one.tasks))
        circles(b, one, node)


def responses(b: Building, one: CampaignType, node: Map) -> None:
    said = node.get("responses")
    if isinstance(said, Map):
        for key, value in said.items():
            path = f"{one.path}.responses.{key.text}"
            label = value.text if isinstance(value, Scalar) and not value.is_null else text(value, "label") or readable(key.text)
            one.responses[key.text] = Response(key.text, b.text(f"{path}.label", label), flag(value, "good"), path)
    elif isinstance(said, Seq):
        for item in scalars(said):
            path = f"{one.path}.responses.{item.text}"
            if item.text in one.responses:
                b.faults.add("E213", item, f"the option '{shorten(item.text)}' is given twice.", "Keep one of the two.")
            one.responses[item.text] = Response(item.text, b.text(f"{path}.label", readable(item.text)), False, path)


def steps(b: Building, one: CampaignType, node: Map, group: str, earlier: tuple[str, ...]) -> dict[str, CampaignStep]:
    found: dict[str, CampaignStep] = {}
    schema = b.schema
    roles = schema.activities
    kinds = schema.entities[roles.entity].fields[roles.kind].spec.get("options") or {} if roles and roles.kind else None
    for key, value in entries(node):
        path = f"{one.path}.{group}.{key.text}"
        if key.text == "start" or key.text in earlier:
            why = "is where a campaign begins" if key.text == "start" else "is a planning task already"
            b.faults.add("E702", key, f"'{key.text}' {why}.", "Choose another name.")
        kind = scalar(value, "kind")
        if kind is not None and kinds is not None:
            b.reference(kind, kinds, "kind of activity", "E703")
        role = scalar(value, "by")
        if role is not None:
            b.reference(role, schema.roles, "role", "E704")
        priority = scalar(value, "priority")
        if priority is not None and roles and roles.priority:
            choices = schema.entities[roles.entity].fields[roles.priority].spec.get("options") or {}
            b.reference(priority, choices, "priority", "E703")
        budget = number(value, "budget")
        found[key.text] = CampaignStep(
            key=key.text,
            label=b.text(f"{path}.label", text(value, "label") or readable(key.text)),
            when=when(b, scalar(value, "after"), ["start", *earlier, *node.values]),
            kind=kind.text if kind else None,
            text=b.text(f"{path}.text", text(value, "text")),
            role=role.text if role else None,
            priority=priority.text if priority else None,
            budget=Decimal(str(budget)) if budget is not None else None,
            path=path,
        )
    return found


def when(b: Building, node: Scalar | None, names: list[str]) -> Offset:
    if node is None:
        return Offset()
    found = WHEN.match(node.text)
    if not found:
        message = f"'{shorten(node.text)}' does not say when."
        b.faults.add("E701", node, message, "Write a step and days: `start - 30d`, `letter + 15d`.")
        return Offset()
    if found[1] not in names:
        message = f"there is no step called '{found[1]}' to count from." + meant(found[1], names)
        b.faults.add("E701", node, message, f"There are: {known(names)}.")
        return Offset()
    days = int(found[3] or 0) * DAYS[found[4] or ""]
    return Offset(found[1], -days if found[2] == "-" else days)


def circles(b: Building, one: CampaignType, node: Map) -> None:
    every = {**one.tasks, **one.activities}
    told: set[str] = set()
    for key in every:
        way = [key]
        while (following := every[way[-1]].when.after) in every and following not in way:
            way.append(following)
        if following == key and key not in told:
            told.update(way)
            at = scalar(submap(node, "tasks").get(key) or submap(node, "activities").get(key), "after")
            if at is not None:
                b.faults.add("E705", at, f"'{key}' waits for itself: {' → '.join([*way, key])}.", "Count one of them from `start`.")
