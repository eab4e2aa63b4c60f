"""The same records as bars: by any field, counted or summed; a bar leads to the records behind it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from crm.errors import Missing
from crm.views.app import href
from crm.views.base import PAGES
from crm.views.listing import stage_color, write_filters
from crm.views.pages.list import Listed

MOST = 30
GROUPED = ("choice", "stage", "pipeline", "link", "user", "team", "date", "datetime", "boolean", "rating")


@PAGES.add
class ChartPage(Listed):
    """`?view=chart&entity=…&by=stage&measure=amount`, and all that a list's address may say."""

    name = "chart"
    shape = "chart"

    def __init__(self, app: Any, entity: str = "", **args: str) -> None:
        super().__init__(app, entity, **args)
        if not self.bys():
            raise Missing("There is nothing to count by.")
        self.part = app.part(
            "groups",
            self.content(),
            on={**self.shared(), "by": lambda name: self.turn_to(by=name), "measure": lambda name: self.turn_to(measure=name)},
        )
        self.body = self.part

    def bys(self) -> list[str]:
        """The fields to count by: stage first, then what the list shows, then the rest."""
        listing = self.listing
        found = [key for key, one in listing.fields.items() if one.name in GROUPED and (not one.system or key == "created_on")]
        listed = [key for key in listing.columns if key in found]
        return list(dict.fromkeys([*(key for key in (listing.entity.stage_field,) if key in found), *listed, *found]))

    @property
    def by(self) -> str:
        return self.listing.args["by"] if self.listing.args.get("by") in self.bys() else self.bys()[0]

    def measures(self) -> list[str]:
        return ["count", *(key for key, one in self.listing.fields.items() if one.kind == "money" and not getattr(one, "live", False))]

    @property
    def measure(self) -> str:
        return self.listing.args["measure"] if self.listing.args.get("measure") in self.measures() else "count"

    def content(self) -> dict[str, Any]:
        t, listing, by, measure = self.t, self.listing, self.by, self.measure
        field = listing.fields[by]
        dated = field.kind in ("date", "datetime")
        measured = ("count", None) if measure == "count" else ("sum", measure)
        rows = self.door.aggregate(
            listing.entity.name, by=[("month", by) if dated else by], measures={"n": measured}, where=listing.where, find=listing.find
        )
        found = [(row["by"][0], row["n"] or 0) for row in rows]
        if by == listing.entity.stage_field:
            places: dict[str, int] = {}
            for pipeline in listing.entity.pipelines:
                for key in self.app.schema.pipelines[pipeline].stages:
                    places.setdefault(key, len(places))
            found.sort(key=lambda one: places.get(one[0], 99))
        elif dated:
            found = sorted(found, key=lambda one: str(one[0] or ""))[-MOST:]
        else:
            found.sort(key=lambda one: -one[1])
        if getattr(field, "to", None):
            listing.titles.load(field.to, [one for one, _ in found if isinstance(one, int)])
        rest, found = found[MOST:], found[:MOST]
        top = max([abs(Decimal(str(value))) for _, value in found] or [Decimal(1)]) or Decimal(1)
        bars = [self.bar_of(field, key, value, top, dated) for key, value in found]
        label = listing.fields[measure].label_in(t) if measure != "count" else t("Count")
        note = t("The {n} largest; {rest} more are not drawn.", n=MOST, rest=len(rest)) if rest else ""
        return {
            **self.bar(),
            "title": t("{what} by {by}", what=label if measure != "count" else self.title, by=field.label_in(t)),
            "note": note,
            "by": by,
            "bys": [[key, listing.fields[key].label_in(t)] for key in self.bys()],
            "measure": measure,
            "measures": [[key, t("Count") if key == "count" else listing.fields[key].label_in(t)] for key in self.measures()],
            "bars": bars,
        }

    def bar_of(self, field: Any, key: Any, value: Any, top: Decimal, dated: bool) -> dict[str, Any]:
        """One group: its name, how long its bar is, and the list of what is in it."""
        t, listing = self.t, self.listing
        color: Any = 1
        if key is None:
            label, filters = t("(empty)"), [*listing.filters, (field.key, "empty", None)]
        elif dated:
            first = date.fromisoformat(f"{key}-01")
            last = (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
            label, filters = t.period(first, "month"), [*listing.filters, (field.key, "between", [first.isoformat(), last.isoformat()])]
        else:
            label, filters = self.name_of(field, key), [*listing.filters, (field.key, "is", key)]
            if field.key == listing.entity.stage_field:
                stage = next(
                    (
                        self.app.schema.pipelines[one].stages[key]
                        for one in listing.entity.pipelines
                        if key in self.app.schema.pipelines[one].stages
                    ),
                    None,
                )
                color = (stage.color or stage_color(stage)) if stage else 1
        show = t.number(value) if self.measure == "count" else listing.fields[self.measure].display(value, listing.shown)
        args = {name: one for name, one in listing.args.items() if name in ("entity", "v", "q", "w", "pipeline")}
        return {
            "key": str(key),
            "label": label,
            "share": float(abs(Decimal(str(value))) / top * 100),
            "show": show,
            "color": color,
            "href": href(view="list", **args, f=write_filters(filters)),
        }

    def name_of(self, field: Any, key: Any) -> str:
        t, listing = self.t, self.listing
        if field.key == listing.entity.stage_field:
            for one in listing.entity.pipelines:
                if key in self.app.schema.pipelines[one].stages:
                    return self.app.schema.pipelines[one].stages[key].label_in(t)
        if field.name == "pipeline" and key in self.app.schema.pipelines:
            return self.app.schema.pipelines[key].label_in(t)
        return field.display(field.from_json(key), listing.shown) or str(key)
