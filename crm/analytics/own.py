"""Reports that people make themselves: a definition as in YAML, checked by the same checks, run under the rights of who looks at it.

    report = report_of(door, {"entity": "opportunity", "by": "stage", "measures": {"amount": "sum(amount)"}})
    run(door, report).frame

A kept one (a card that somebody put on a dashboard) is called `card-12` and is run by that name like any other report: by `run`, on the
report page, by `crm report card-12`, in a notebook.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from crm.errors import ConfigError, Missing, Refused
from crm.records import saved
from crm.records.scope import parse

if TYPE_CHECKING:
    from crm.records import Door
    from crm.schema.model import Report, Schema

#: How the name of a kept report begins; no YAML file may be called so.
CARD = "card-"


def report_of(door: Door, spec: Mapping[str, Any] | str, name: str = "own") -> Report:
    """A report of a definition: plain data with the keys of a report's YAML, or that YAML as text.

    Raises `ConfigError` with every fault, each with line, column and mend, and `Missing` for one that looks at what this user may not.
    """
    from crm.analytics.reports import may_run

    report = checked(door.schema, spec, name)
    if not may_run(door, report):
        raise Missing("There is no such report")
    return report


def checked(schema: Schema, spec: Mapping[str, Any] | str, name: str = "own") -> Report:
    """The same without looking at anybody's rights."""
    from crm.schema.building import Building
    from crm.schema.faults import Faults
    from crm.schema.language import KINDS
    from crm.schema.overlay import Tree
    from crm.schema.reports import report as build
    from crm.yamlfile import Map, Scalar, dump, read

    text = spec if isinstance(spec, str) else dump({key: value for key, value in plain(spec).items() if value is not None})
    node, found = read(name, text=text)
    faults = Faults(found)
    if isinstance(node, Map) and not found:
        if "report" not in node:  # a definition has no file to be called after
            node.put(Scalar(name, 1, 1, "report"), Scalar(name, 1, 1, "own"))
        KINDS["reports"][1].check(node, faults, name)
    elif not found:
        faults.add(
            "E110", Scalar(name, 1, 1, text), "this is no definition of a report.", "Write for example `entity: …` and `measures: …`."
        )
    here = replace(schema, reports=dict(schema.reports), texts={})
    b = Building(Tree(), faults, here)
    entity = node.get("entity") if isinstance(node, Map) else None
    if isinstance(node, Map) and isinstance(entity, Scalar) and not faults.errors():
        b.nodes[f"reports.{name}"] = node
        said = b.reference(entity, schema.entities, "entity", "E501")
        if said is not None:
            build(b, name, node, schema.entities[said])
    if faults.errors() or name not in here.reports:
        raise ConfigError(faults.errors())
    return here.reports[name]


def plain(spec: Any) -> Any:
    """Numbers and flags as the text a YAML file would hold."""
    if isinstance(spec, Mapping):
        return {str(key): plain(value) for key, value in spec.items()}
    if isinstance(spec, (list, tuple)):
        return [plain(one) for one in spec]
    return spec if spec is None or isinstance(spec, (str, bool, int, float)) else str(spec)


@dataclass(frozen=True, slots=True)
class OwnCard:
    """A card that a user put on a dashboard (`""`: on their home page). `name` runs it: `run(door, card.name)`."""

    id: int
    title: str
    dashboard: str
    report: str | None
    spec: dict[str, Any] | None
    where: str | None
    width: int | None

    @property
    def name(self) -> str:
        return f"{CARD}{self.id}"


def keep_card(
    door: Door, title: str, report: str | Mapping[str, Any], *, dashboard: str = "", where: str | None = None, width: int | None = None
) -> int:
    """Keeps a report as a card of this user; the step comes back. What could not be shown is refused now: an unknown report or dashboard, a
    definition with faults, a condition that cannot be read, fields this user may not see."""
    from crm.analytics.reports import report_for

    title = " ".join(str(title).split())[:80]
    if not title:
        raise Refused("Give the card a title.")
    if width is not None and not 3 <= width <= 12:
        raise Refused("A card is 3 to 12 columns wide.")
    board = door.schema.dashboards.get(dashboard) if dashboard else None
    if dashboard and (board is None or not is_for(door, board)):
        raise Refused("There is no dashboard called {name}.", name=dashboard)
    made = report_for(door, report) if isinstance(report, str) else report_of(door, report)
    if isinstance(report, str) and report.startswith(CARD):
        raise Refused("This is a card already.")
    if where:
        door.query(made.entity, where)
    values = {"title": title, "where": where or None, "width": width}
    values |= {"report": report} if isinstance(report, str) else {"spec": plain(report)}
    name = re.sub(r"\W+", "-", title.lower()).strip("-") or "card"
    return saved.save(door, saved.CARD, dashboard, name, {key: value for key, value in values.items() if value is not None})


def cards(door: Door, dashboard: str | None = None) -> list[OwnCard]:
    """The cards this user keeps, all or those of one dashboard (`""`: the home page)."""
    return [_card(one) for one in saved.saved(door, saved.CARD, dashboard) if one.mine]


def drop_card(door: Door, id: int) -> int:
    """Takes one of this user's cards off; the step comes back."""
    if all(one.id != id for one in cards(door)):
        raise Missing("There is no such report")
    return saved.forget(door, id)


def card_report(door: Door, name: str) -> Report:
    """The report of a kept card, checked anew against the configuration and the user's rights as they are now; `Missing` else."""
    from crm.analytics.reports import report_for

    number = name.removeprefix(CARD)
    card = next((one for one in cards(door) if str(one.id) == number), None)
    if card is None:
        raise Missing("There is no such report")
    try:
        made = report_for(door, card.report) if card.report else report_of(door, card.spec or {}, name)
        texts = [text for text in (getattr(made.where, "text", None), card.where) if text]
        where = parse(door, made.entity, " and ".join(f"({text})" for text in texts)) if card.where else made.where
    except (ConfigError, Refused):
        raise Missing("There is no such report") from None
    return replace(made, name=name, label=card.title, path=f"cards.{card.id}", where=where)


def is_for(door: Door, board: Any) -> bool:
    """Whether a dashboard is for the role of this user and its module is switched on."""
    return (not board.roles or door.actor.role in board.roles or door.actor.admin) and door.schema.is_on(board.module)


def _card(one: saved.Saved) -> OwnCard:
    values = one.values
    return OwnCard(one.id, values["title"], one.about, values.get("report"), values.get("spec"), values.get("where"), values.get("width"))
