"""One report: its chart, its table, and the same at an earlier moment."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from crm.analytics import names
from crm.errors import Missing
from crm.views.app import href
from crm.views.base import PAGES, Page
from crm.views.cards import report_card


@PAGES.add
class ReportPage(Page):
    """`?view=report&name=…` shows one, `?view=report` lists those there are; `w` narrows it, `asof` takes a day of the past."""

    name = "report"

    def __init__(self, app: Any, name: str = "", w: str = "", asof: str = "", **args: str) -> None:
        super().__init__(app, **args)
        schema = app.schema
        if not name:
            self.title = app.t("Reports")
            reports = [schema.reports[one] for one in names(app.door)]
            self.body = app.part(
                "reports",
                {
                    "reports": [
                        {
                            "name": one.name,
                            "label": one.label_in(app.t),
                            "glyph": GLYPHS.get(one.chart.name, "insights"),
                            "help": one.help_in(app.t),
                            "href": href(view="report", name=one.name),
                        }
                        for one in reports
                    ],
                    "none": app.t("No report is set up for your role."),
                },
            )
            return
        if name not in names(app.door):
            raise Missing("There is no such report")
        report = schema.reports[name]
        self.title = report.label_in(app.t)
        self.crumbs = [{"label": app.t("Reports"), "href": href(view="report")}]
        when = datetime.fromisoformat(asof).replace(hour=23, minute=59, tzinfo=UTC) if asof else None
        self.body = report_card(app, name, where=w or None, height=340, full=True, as_of=when)


GLYPHS = {
    "area": "show_chart",
    "bar_table": "table_chart",
    "bars": "bar_chart",
    "funnel": "filter_alt",
    "line": "show_chart",
    "number": "pin",
    "pareto": "bar_chart",
    "survival": "trending_down",
    "table": "table_chart",
    "trend": "trending_up",
    "waterfall": "bar_chart",
}
