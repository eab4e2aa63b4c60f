"""A dashboard: rows of cards as the YAML says."""

from __future__ import annotations

from typing import Any

from crm.analytics.own import is_for
from crm.errors import Missing
from crm.views.app import href
from crm.views.base import PAGES, Page
from crm.views.cards import awaited, dashboard_grid, report_card, room
from crm.views.insights import ordered_by
from crm.views.owncards import own_cards


@PAGES.add
class DashboardPage(Page):
    """`?view=dashboard&name=…`; a dashboard that is for other roles does not exist for this one."""

    name = "dashboard"
    drawings = True

    def __init__(self, app: Any, name: str = "", **args: str) -> None:
        super().__init__(app, **args)
        found = {key: one for key, one in app.schema.dashboards.items() if allowed(app, one)}
        if not name and found:
            name = next(iter(found))
        if name not in found:
            raise Missing("There is no such page")
        board = found[name]
        self.title = board.label_in(app.t)
        rows, widths = [], []
        for row in board.rows:
            cards = [(card(app, one), one.width) for one in row]
            rows.append([made for made, _ in cards])
            widths.append([width or max(3, 12 // len(cards)) for _, width in cards])
        for made, width in own_cards(app, name):
            rows.append([made])
            widths.append([width])
        self.body = dashboard_grid(app, rows, widths)


def allowed(app: Any, board: Any) -> bool:
    """Whether a dashboard is for the role of this user and its module is switched on."""
    return is_for(app.door, board)


def card(app: Any, one: Any) -> Any:
    """One card: a report, or the first records of a list."""
    if one.kind in ("report", "kpi"):
        report = app.schema.reports.get(one.name) or app.schema.kpis[one.name].report
        return awaited(app, report.label_in(app.t), lambda: report_card(app, one.name, height=220), room(app, report))
    if one.kind == "list":
        return list_card(app, one)
    return app.part("card_head", {"title": one.label_in(app.t)})


def list_card(app: Any, one: Any) -> Any:
    """The first records of an entity under one of its saved views, as links."""
    entity = app.schema.entities[one.name]
    view = entity.list.filters.get(one.view) if one.view else None
    label = one.label_in(app.t) or (f"{entity.plural_in(app.t)}: {view.label_in(app.t)}" if view else entity.plural_in(app.t))
    address = href(view="list", entity=entity.name, v=one.view)
    if not app.door.may("see", entity.name):
        return app.part("related", {"lists": []})
    where = [text for text in (view.where.text if view else None, getattr(one.where, "text", one.where)) if text]
    readable, sort = app.door.readable(entity.name), (view.sort if view else None) or entity.list.sort
    order = [key for key in sort if key.lstrip("-").partition(".")[0] in readable]
    records = app.door.list(entity.name, where=where or None, order=order, limit=one.limit)
    amount = entity.role("amount")
    items = [
        {
            "key": str(record.id),
            "title": record.title,
            "sub": subtitle(app, entity, record),
            "href": href(view="record", entity=entity.name, id=record.id),
            "end": entity.fields[amount].display(record.get(amount), app.shown) if amount and record.get(amount) is not None else "",
            **ordered_by(app, entity, view, record),
        }
        for record in records
    ]
    return app.part(
        "related",
        {
            "lists": [
                {
                    "label": label,
                    "glyph": entity.icon,
                    "count": app.door.count(entity.name, where=where or None),
                    "items": items,
                    "more": address,
                }
            ]
        },
    )


def subtitle(app: Any, entity: Any, record: Any) -> str:
    from crm.views.text import subtitle as text

    return text(record, entity, app.shown)
