"""Builds meeting packs: the chosen reports in their order, whom they go to, when and how."""

from __future__ import annotations

import re
from datetime import time
from typing import Any

from crm.schema.automations import DAYS
from crm.schema.building import Building
from crm.schema.faults import known, meant, shorten
from crm.schema.model import Pack, PackPart, Trigger
from crm.schema.reading import nodes, scalar, scalars, text, texts, whole
from crm.yamlfile import Map, Node, Scalar

#: Where the things a pack may show are kept.
SHOWN = ("reports", "kpis")
CHANNELS = ("mail", "pdf")


def build(b: Building) -> None:
    for name, node in b.things("packs"):
        path = f"packs.{name}"
        one = Pack(
            **b.head("packs", name, node),
            roles=[role for said in texts(node, "for") if (role := b.reference(said, b.schema.roles, "role", "E561"))],
            people=[said.text for said in texts(node, "people")],
            every=[when for said in scalars(node.get("every")) if (when := schedule(b, said)) is not None],
            channels=[said.text for said in texts(node, "channels") if said.text in CHANNELS] or list(CHANNELS),
        )
        for number, item in enumerate(nodes(node, "parts"), 1):
            made = part(b, one, item, f"{path}.parts.{number}")
            if made is None:
                continue
            if made.report and any(made.report == other.report for other in one.parts):
                at = item if isinstance(item, Scalar) else scalar(item, "report") or item
                b.faults.add("E567", at, f"'{made.report}' is in this pack already.", "Remove one of the two, or name another report.")
            one.parts.append(made)
        if b.off and not any(made.report for made in one.parts):
            b.gone.add(name)  # all it shows went with modules switched off
            continue
        b.schema.packs[name] = one
        sent(b, one, node)


def part(b: Building, pack: Pack, node: Node, path: str) -> PackPart | None:
    """One part; None for one that shows nothing."""
    if isinstance(node, Scalar):
        name = shown(b, pack, node)
        return PackPart(name, path=path) if name else None
    if not isinstance(node, Map):
        return None
    said = scalar(node, "report")
    if said is None and scalar(node, "heading") is None:
        b.faults.add("E564", node, "this part shows nothing.", "Give it `report:` with the name of a report, or a `heading:` of its own.")
        return None
    name = shown(b, pack, said) if said is not None else None
    if said is not None and name is None:
        return None
    if said is None and node.get("rows") is not None:
        b.faults.add("E564", node.keys["rows"], "a heading alone has no table, so `rows` says nothing.", "Remove it, or add `report:`.")
    rows = whole(node, "rows")
    return PackPart(
        name,
        b.text(f"{path}.heading", text(node, "heading")),
        b.text(f"{path}.note", text(node, "note")),
        12 if rows is None else rows,
        path,
    )


def shown(b: Building, pack: Pack, node: Scalar) -> str | None:
    """The name of a report, figure or forecast; a fault for one nobody who gets the pack may see."""
    things: dict[str, Any] = {}
    for kind in SHOWN:
        things |= getattr(b.schema, kind, {})
    name = b.reference(node, things, "report", "E560")
    if name is None:
        return None
    entity = getattr(things[name], "entity", None)
    readers = [b.schema.roles[role] for role in pack.roles]
    if entity and readers and not pack.people and all(role.of(entity).see in (None, "none") for role in readers):
        message = f"nobody this pack is for may see '{name}': it is about '{entity}'."
        b.faults.add("E566", node, message, f"Remove it, or let one of {known(pack.roles)} see '{entity}'.")
    return name


def sent(b: Building, one: Pack, node: Map) -> None:
    """Whether a pack that is sent reaches somebody."""
    at = node.get("every")
    if at is None:
        if node.get("channels") is not None:
            b.faults.add("E563", node.keys["channels"], "this pack is never sent, so `channels` says nothing.", "Add `every: monday 07:00`.")
        return
    if not one.every:
        return
    if not one.roles and not one.people and node.get("for") is None:
        b.faults.add("E563", node.keys["every"], "this pack is sent to nobody.", "Add `for: [director]` with roles, or `people:`.")
    users = b.schema.users
    if users is None or not users.email:
        b.faults.add("E565", node.keys["every"], "users have no address, so nothing can be sent to them.", "Add `email` to `users:` in crm.yaml.")


def schedule(b: Building, node: Scalar) -> Trigger | None:
    """`monday 07:00`, `day 7:30`, `month 08:00` (its first day), `15 08:00`, `last 16:00`."""
    found = re.fullmatch(r"(\w+)\s+([01]?\d|2[0-3]):([0-5]\d)", node.text.strip().lower())
    mend = "Write a day and a time: `monday 07:00`, `day 07:00`, `month 07:00` (its first day), `15 07:00`, `last 16:00`."
    if not found:
        b.faults.add("E562", node, f"'{shorten(node.text)}' does not say when.", mend)
        return None
    word, at = found[1], time(int(found[2]), int(found[3]))
    if word in DAYS:
        return Trigger("schedule", every="week", on=DAYS.index(word) + 1, at=at)
    if word == "day":
        return Trigger("schedule", every="day", at=at)
    if word in ("month", "last"):
        return Trigger("schedule", every="month", on=1 if word == "month" else 0, at=at)
    if word.isdigit() and 1 <= int(word) <= 31:
        return Trigger("schedule", every="month", on=int(word), at=at)
    b.faults.add("E562", node, f"'{shorten(word)}' is no day of the week or the month." + meant(word, [*DAYS, "day", "month", "last"]), mend)
    return None
