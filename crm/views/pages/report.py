"""One report and all that can be asked of it; and the reports there are."""

from __future__ import annotations

from typing import Any

import panel as pn

from crm.analytics import names
from crm.errors import Refused
from crm.views.app import href
from crm.views.base import PAGES, Page
from crm.views.cards import CARD, TEXT, drawn
from crm.views.listing import write_filters
from crm.views.reporting import Asked


@PAGES.add
class ReportPage(Page):
    """`?view=report&name=…` shows one (`crm.views.reporting` says what an address may hold), `?view=report` lists those there are."""

    name = "report"
    drawings = True

    def __init__(self, app: Any, name: str = "", **args: str) -> None:
        super().__init__(app, **args)
        self.one: Asked | None = None
        if not name:
            self.title = app.t("Reports")
            self.body = app.part("reports", catalogue(app))
            return
        self.crumbs = [{"label": app.t("Reports"), "href": href(view="report")}]
        self.place = pn.Column(sizing_mode="stretch_width", margin=0, stylesheets=CARD)
        self.bar = app.part("report_bar", {}, on=self.acts())
        self.table = app.part(
            "figures",
            {"columns": [], "rows": []},
            on={"sort": lambda name: self.to(self.asked.sort(name)), "open": self.open},
        )
        self.read({"name": name, **args})
        self.body = app.stack(self.bar, self.place, gap=12)

    def acts(self) -> dict[str, Any]:
        """What the bar may ask for."""
        return {
            "pick": lambda name, value: self.to(self.asked.pick(name, value)),
            "dates": lambda first, last: self.to(self.asked.between(first, last)),
            "seen": lambda day: self.to(self.asked.seen(day)),
            "give": self.give,
            "stamp": self.stamp,
            "fields": self.fields,
            "add_filter": self.add_filter,
            "unfilter": self.unfilter,
        }

    @property
    def asked(self) -> Asked:
        assert self.one is not None
        return self.one

    def read(self, args: dict[str, str]) -> None:
        """What an address asks for, shown in place."""
        self.one = one = Asked(self.app, args)
        self.title = one.title
        self.bar.content = one.bar()
        shown = one.result
        pieces = (
            []
            if one.shape == "table" or not shown.exact or shown.report.chart.name in TEXT
            else [drawn(self.app, shown, 340, opened=one.open)]
        )
        if one.shape != "chart" or not pieces:
            self.table.content = one.table()
            pieces.append(self.table)
        self.place[:] = pieces

    def turn(self, args: dict[str, str]) -> bool:
        if self.one is None or args.get("name") != self.one.args.get("name"):
            return False
        self.read(args)
        return True

    def open(self, row: int, column: str = "") -> None:
        self.asked.open(row, column)

    def give(self, name: str) -> dict[str, Any]:
        found = self.asked.give(name)
        self.bar.content = self.asked.bar()
        return found

    def stamp(self) -> None:
        self.asked.stamp()
        self.bar.content = self.asked.bar()

    def to(self, address: dict[str, Any]) -> None:
        self.app.go(**address)

    # -- filters

    def fields(self) -> dict[str, Any]:
        return {"fields": self.asked.listing.filter_fields()}

    def add_filter(self, field: str, op: str, value: Any) -> dict[str, Any]:
        try:
            found = self.asked.listing.add_filter(field, op, value)
        except Refused as exc:
            return {"error": exc.say(self.t)}
        self.to(self.asked.address(f=found))
        return {}

    def unfilter(self, name: str) -> None:
        listing = self.asked.listing
        if name == "w":
            return self.to(self.asked.address(w="", wl=""))
        return self.to(self.asked.address(f=write_filters([one for n, one in enumerate(listing.filters) if str(n) != name])))


def catalogue(app: Any) -> dict[str, Any]:
    """The content of the part `reports`: those this user may run, by what they are about."""
    schema, t = app.schema, app.t
    open_ = names(app.door)
    left = dict.fromkeys(open_)
    shelves = []
    for key, one in schema.subjects.items():
        found = [name for name in one.reports if name in left]
        for name in found:
            del left[name]
        shelves.append({"name": key, "label": one.label_in(t), "glyph": one.icon, "reports": [listed(app, name) for name in found]})
    for entity in schema.entities.values():
        rest = [name for name in left if name not in schema.kpis and schema.reports[name].entity == entity.name]
        there = sorted((listed(app, name) for name in rest), key=lambda one: one["label"].casefold())
        shelves.append({"name": entity.name, "label": entity.plural_in(t), "glyph": entity.icon, "reports": there})
    shelves = [one for one in shelves if one["reports"]]
    return {"shelves": [*pack_shelf(app), *shelves], "none": t("No report is set up for your role.")}


def listed(app: Any, name: str) -> dict[str, Any]:
    """One report of the catalogue, or a KPI that a subject names."""
    kpi = app.schema.kpis.get(name)
    one = kpi or app.schema.reports[name]
    return {
        "name": name,
        "label": one.label_in(app.t),
        "glyph": "speed" if kpi else GLYPHS.get(one.chart.name, "insights"),
        "help": one.help_in(app.t),
        "href": href(view="kpis" if kpi else "report", name=name),
    }


def pack_shelf(app: Any) -> list[dict[str, Any]]:
    """The meeting packs made for this user, as a shelf of their own."""
    from crm.documents import names as pack_names

    packs = [app.schema.packs[name] for name in pack_names(app.door)]
    there = [
        {"name": one.name, "label": one.label_in(app.t), "glyph": "description", "help": one.help_in(app.t), "href": href(view="pack", name=one.name)}
        for one in packs
    ]  # fmt: skip
    return [{"name": "packs", "label": app.t("Meeting packs"), "glyph": "description", "reports": there}] if there else []


GLYPHS = {
    "area": "show_chart",
    "bar_table": "table_chart",
    "bars": "bar_chart",
    "box": "candlestick_chart",
    "bullet": "bar_chart",
    "calibration": "scatter_plot",
    "fan": "show_chart",
    "funnel": "filter_alt",
    "heatmap": "grid_view",
    "interval": "scatter_plot",
    "line": "show_chart",
    "number": "pin",
    "pareto": "bar_chart",
    "sankey": "account_tree",
    "scatter": "scatter_plot",
    "survival": "trending_down",
    "table": "table_chart",
    "trend": "trending_up",
    "waterfall": "bar_chart",
}
