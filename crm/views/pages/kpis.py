"""The KPIs: all of them by who answers for each, or one with its figures."""

from __future__ import annotations

from typing import Any

from crm.analytics import kpis, run
from crm.errors import Missing
from crm.views.app import href
from crm.views.base import PAGES, Page
from crm.views.cards import report_card
from crm.views.kpis import card


@PAGES.add
class KpisPage(Page):
    """`?view=kpis` lists those of this user's role, `?view=kpis&name=…` shows one; `w` narrows it."""

    name = "kpis"
    drawings = True

    def __init__(self, app: Any, name: str = "", w: str = "", **args: str) -> None:
        super().__init__(app, **args)
        t, schema = app.t, app.schema
        there = kpis.names(app.door)
        if name:
            if name not in there:
                raise Missing("There is no such KPI")
            one = schema.kpis[name]
            self.title = one.label_in(t)
            self.crumbs = [{"label": t("KPIs"), "href": href(view="kpis")}]
            self.body = app.stack(
                app.part(
                    "kpi", {"groups": [{"label": "", "cards": [{**card(app, run(app.door, name, where=w or None), True), "href": None}]}]}
                ),
                report_card(app, name, where=w or None, height=300, full=True),
            )
            return
        self.title = t("KPIs")
        groups: dict[str, list[dict[str, Any]]] = {}
        for one in sorted(there, key=lambda one: schema.kpis[one].owner != app.actor.role):  # what this user answers for stands first
            role = schema.roles.get(schema.kpis[one].owner or "")
            label = t("Answered for by: {role}", role=role.label_in(t)) if role is not None else t("For everybody")
            groups.setdefault(label, []).append(card(app, run(app.door, one), True))
        content = [{"label": label, "cards": cards} for label, cards in groups.items()]
        self.body = app.part("kpi", {"groups": content, "none": t("No KPI is set up for your role.")})
