"""A report as an address asks for it: which period, comparison, group, filters, day; and what the page shows of it.

The address carries everything, so that Back returns to it and a link shows a colleague the same: `p` the period (`quarter`, `2026-01-01..2026-03-31`),
`c` the comparison (`none` takes the report's own away), `by` another group, `m` the measure drawn, `f` and `w` the filters, `asof` a day of the
past, `as` chart or table, `sort` a column (`-revenue`).
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from crm.analytics import Result, run
from crm.analytics.groups import asked
from crm.analytics.periods import moved
from crm.analytics.reports import report_for
from crm.analytics.shapes import PERIODS, Choices, axes, comparisons, dated, drawn_measure, grouped, span_of
from crm.analytics.stamps import keep
from crm.charts.base import shown
from crm.errors import Refused
from crm.expressions import ExpressionError
from crm.views.app import href
from crm.views.cards import give, pinned, records_href
from crm.views.listing import Listing
from crm.views.narrowing import SAID, condition, narrowed

NUMBERS = ("money", "percent", "number", "integer", "duration")
#: Months the slider reaches back, and rows of the table.
BACK, ROWS = 24, 400


class Narrowing(Listing):
    """The filters of a report: those of a list, as far as they can be said in a condition."""

    def _operators(self, key: str) -> tuple[str, ...]:
        return tuple(op for op in super()._operators(key) if op in SAID and op != "within")

    def add_filter(self, field: str, op: str, value: Any) -> str:
        found = super().add_filter(field, op, value)
        condition(self.fields[field], op, value, self.t)
        return found


class Asked:
    """A report under an address; `result` is what it says."""

    def __init__(self, app: Any, args: dict[str, str]) -> None:
        self.app, self.t, self.door = app, app.t, app.door
        self.args = {key: value for key, value in args.items() if value not in (None, "")}
        self.own = report_for(self.door, self.args.get("name", ""))
        self.listing = Narrowing(app, self.own.entity, {key: self.args[key] for key in ("f", "w", "wl") if key in self.args})
        self.as_of = self._moment(self.args.get("asof", ""))
        today = self.as_of.astimezone(self.t.tz).date() if self.as_of else self.door.company.today()
        self.today: date = today
        self.choices = Choices(*(self.args.get(key, "") for key in ("c", "by", "p", "m")))
        self.where = narrowed(self.listing) or None
        self.result = self._run()
        self.report, self.days = self.result.report, self.result.period
        self.kept = False

    def _moment(self, day: str) -> datetime | None:
        """The end of a day of the past; None for today and for what is no day."""
        try:
            found = date.fromisoformat(day)
        except ValueError:
            return None
        return datetime.combine(found, time(23, 59, 59), self.t.tz) if found < self.door.company.today() else None

    def _run(self) -> Result:
        try:
            return run(self.door, self.own.name, where=self.where, as_of=self.as_of, choices=self.choices)
        except (ExpressionError, Refused):  # an address written by hand: the report without it
            self.where = None
            return run(self.door, self.own.name, as_of=self.as_of, choices=self.choices)

    # -- what the page shows

    def address(self, **changes: Any) -> dict[str, Any]:
        return {key: value for key, value in {"view": "report", **self.args, **changes}.items() if value not in (None, "")}

    @property
    def title(self) -> str:
        """The report by its name, and by what it is grouped now."""
        label = self.own.label_in(self.t)
        other = next((axis for axis in self.report.by if axis.key == self.args.get("by")), None)
        return self.t("{what} by {by}", what=label, by=other.label_in(self.t)) if other else label

    @property
    def shape(self) -> str:
        both = self.result.report.chart.name != "table"
        return self.args["as"] if both and self.args.get("as") in ("chart", "table") else "both" if both else "table"

    def bar(self) -> dict[str, Any]:
        """The content of the part `report_bar`."""
        t, result = self.t, self.result
        whom = t(
            "For {name}, {when}",
            name=self.app.actor.name,
            when=t("as of {day}", day=t.date(self.today)) if self.as_of else t.datetime(result.as_of),
        )
        asked = [key for key in ("p", "c", "by", "m", "f", "w", "asof", "sort") if key in self.args]
        words = [(result.says or t("Nothing to count yet.")) if not result.exact else result.says]
        return {
            "says": words[0],
            "meta": whom,
            "stamp": {"text": t("Stamp {stamp}", stamp=result.stamp), "help": t("With this stamp the same figures can be asked for again.")}
            if self.kept
            else {"help": t("Keeps these figures with all that was asked, and shows the stamp they can be had again by.")},
            "picks": self.picks(),
            "dates": self.dates(),
            "chips": self.listing.chips(),
            "filters": True,
            "asof": self.slider(),
            "shapes": self.shapes(),
            "gives": self.gives(),
            "reset": href(view="report", name=self.own.name) if asked else None,
        }

    def picks(self) -> list[dict[str, Any]]:
        """The choices that fit this report."""
        t, own, found = self.t, self.own, []
        when = dated(self.door, own)
        period = self.args.get("p", "") if self.days else ""
        if when:
            words = {
                "month": t("This month"), "last_month": t("Last month"), "quarter": t("This quarter"), "last_quarter": t("Last quarter"),
                "year": t("This year"), "last_year": t("Last year"),
            }  # fmt: skip
            if self.door.schema.fiscal_start != 1:
                words |= {"year": t("This business year"), "last_year": t("Last business year")}
            field = self.door.schema_field(own.entity, when)
            label = t("Period ({date})", date=field.label_in(t)) if field is not None else t("Period")
            options = [["", t("As it was set up")], *([key, words[key]] for key in PERIODS), ["own", t("Own dates")]]
            found.append(
                {"name": "p", "label": label, "value": period if period in PERIODS else "own" if period else "", "options": options}
            )
        fits = comparisons(own, self.days is not None)
        if fits:
            words = {"previous": t("Period before"), "last_year": t("A year before"), "goal": t("Goal")}
            value = self.report.compare or ""
            options = [["none", t("Nothing")], *([key, words[key]] for key in fits)]
            found.append({"name": "c", "label": t("Compare with"), "value": value or "none", "options": options})
        others = axes(self.door, own)
        if others:
            set_up = ", ".join(axis.label_in(t) for axis in own.by) or t("All together")
            units = {"month": t("month"), "fiscal_quarter": t("quarter"), "fiscal_year": t("year")}
            names = [[axis.key, axis.label_in(t) + (f": {units[axis.unit]}" if axis.unit in units else "")] for axis in others]
            value = self.args.get("by", "")
            found.append(
                {"name": "by", "label": t("Grouped by"), "value": value if value in dict(names) else "", "options": [["", set_up], *names]}
            )
        measures = [one for one in own.measures.values() if one.span is None]
        drawn = self.report.chart.axes.get("y")
        if grouped(own) and len(measures) > 1 and isinstance(drawn, str) and self.report.chart.name not in ("number", "funnel"):
            options = [[one.key, one.label_in(t)] for one in measures]
            found.append({"name": "m", "label": t("Drawn"), "value": drawn_measure(self.report), "options": options})
        return found

    def dates(self) -> dict[str, str] | None:
        """The own dates, where they are asked for."""
        period = self.args.get("p", "")
        if not self.days or period in PERIODS:
            return None
        first, last = self.days[0], self.days[1] - timedelta(days=1)
        return {"from": first.isoformat(), "to": last.isoformat(), "first": self.t.date(first), "last": self.t.date(last)}

    def slider(self) -> dict[str, Any]:
        """The ends of the last months, and now; `at` is the one shown, or the nearest before the exact day."""
        t, now = self.t, self.door.company.today()
        ends = [moved(now.replace(day=1), -back) - timedelta(days=1) for back in range(BACK - 1, -1, -1)]
        marks = [{"day": end.isoformat(), "label": t.date(end)} for end in ends] + [{"day": "", "label": t("now")}]
        day = self.today.isoformat() if self.as_of else ""
        at = max([n for n, end in enumerate(ends) if end <= self.today], default=0) if day else BACK
        return {"marks": marks, "at": at, "day": day, "last": now.isoformat(), "label": t.date(self.today) if day else t("now")}

    def shapes(self) -> list[dict[str, Any]]:
        if self.result.report.chart.name == "table":
            return []
        words = (
            ("both", "dashboard", self.t("Chart and table")),
            ("chart", "bar_chart", self.t("Chart")),
            ("table", "table_chart", self.t("Table")),
        )
        chosen = self.shape
        return [
            {
                "name": name,
                "glyph": glyph,
                "label": label,
                "on": name == chosen,
                "href": href(**self.address(**{"as": "" if name == "both" else name})),
            }
            for name, glyph, label in words
        ]

    def gives(self) -> list[dict[str, Any]]:
        t = self.t
        found = [{"name": "csv", "label": t("Download as CSV"), "glyph": "table_chart"}]
        if self.result.report.chart.name != "table" and self.result.exact:
            found.append({"name": "png", "label": t("Download as picture"), "glyph": "image"})
        return [*found, {"name": "ipynb", "label": t("Open in notebook"), "glyph": "code"}]

    def table(self) -> dict[str, Any]:
        """The content of the part `figures`: sorted as the address says, with the figures over all groups below."""
        t, result = self.t, self.result
        sort = self.args.get("sort", "")
        name, down = sort.lstrip("-"), sort.startswith("-")
        columns = [
            {
                "name": one.key,
                "label": one.label,
                "num": one.kind in NUMBERS,
                "sort": ("descending" if down else "ascending") if one.key == name else "",
            }
            for one in result.columns
        ]
        order = list(range(len(result.exact)))
        at = next((n for n, one in enumerate(result.columns) if one.key == name), None)
        if at is not None:
            there = [n for n in order if result.exact[n][at] is not None]
            place = {n: n for n in order}
            if result.columns[at].role == "dimension" and not result.columns[at].unit and result.columns[at].kind == "text":
                there.sort(key=lambda n: (str(result.exact[n][at]).casefold(), place[n]), reverse=down)
            else:
                there.sort(key=lambda n: result.exact[n][at], reverse=down)
            order = there + [n for n in order if result.exact[n][at] is None]
        texts = result.texts()
        rows = [self.row(n, texts[n]) for n in order[:ROWS]]
        note = t("The first {n} of {all}; the CSV file has all", n=ROWS, all=len(order)) if len(order) > ROWS else ""
        return {
            "title": result.title,
            "columns": columns,
            "rows": rows,
            "total": self.total(),
            "note": note,
            "none": t("Nothing to count yet."),
        }

    def row(self, number: int, texts: list[str]) -> dict[str, Any]:
        result = self.result
        cells: list[Any] = list(texts)
        own = {one.key for one in result.report.measures.values() if one.where is not None and result.report.stays is None}
        own |= {f"{key}_{word}" for key in result.report.measures for word in ("previous", "last_year")}
        if not result.drillable(number) and not result.opens:
            return {"key": str(number), "cells": cells}
        if (found := result.behind_of(number)) is not None:
            for at, column in enumerate(result.columns):
                if column.key in found.parts and result.exact[number][at] is not None:
                    cells[at] = {"text": texts[at], "open": column.key}
            return {"key": str(number), "open": {"row": number}, "cells": cells}
        for at, column in enumerate(result.columns):
            if at and column.key in own and result.exact[number][at]:
                cells[at] = (
                    {"text": texts[at], "open": column.key} if self.as_of else {"text": texts[at], "href": self.records(number, column.key)}
                )
        if self.as_of and not result.opens:
            return {"key": str(number), "open": {"row": number}, "cells": cells}
        return {"key": str(number), "href": records_href(result, number) if result.opens else self.records(number), "cells": cells}

    def label(self, number: int, column: str | None = None) -> str:
        """What the chip of the list behind a figure says."""
        result = self.result
        parts = [text for text in result.texts()[number][: len(result.paths)] if text] or [self.t("All")]
        if column:
            parts.append(next((one.label for one in result.columns if one.key == column), ""))
        return f"{result.title}: {', '.join(parts)}"

    def records(self, number: int, column: str | None = None) -> str:
        """The address of the records behind a row, or behind one figure of it."""
        return href(view="list", entity=self.report.entity, v="all", w=self.result.drill(number, column), wl=self.label(number, column))

    def open(self, number: int, column: str = "") -> None:
        """The records behind a figure; those of a day of the past by their numbers, for today others fulfil the condition."""
        if self.result.opens and (one := self.result.opens[number]) is not None:
            return self.app.go(view="record", entity=one[0], id=str(one[1]))
        if not self.result.drillable(number):
            return None
        ids: list[int] | None = None
        if (behind := self.result.behind_of(number)) is not None:
            said, ids = behind.of(column)
            label = f"{self.result.title}: {said}"
        else:
            where, label = self.result.drill(number, column or None), self.label(number, column or None)
            if self.as_of is not None:
                then = [asked(self.door, self.report.entity, where, self.as_of)]
                ids = [int(one) for one in self.door.frame(self.report.entity, [], where=then, as_of=self.as_of, stored=True).index]
        if ids is not None:
            label = f"{label}, {self.t('as of {day}', day=self.t.date(self.today))}" if self.as_of is not None else label
            where, label = pinned(ids, label, self.t)
        return self.app.go(view="list", entity=self.result.drills, v="all", w=where, wl=label)

    def total(self) -> list[str] | None:
        """Every measure over all groups together; None where that says nothing."""
        result = self.result
        if not grouped(self.report) or len(result.exact) < 2:
            return None
        sums = result.total()
        cells = [self.t("All")] + [""] * (len(result.columns) - 1)
        for at, column in enumerate(result.columns):
            measure = result.report.measures.get(column.key)
            if (
                column.role == "measure"
                and (measure is None or measure.how not in ("running", "share"))
                and sums.get(column.key) is not None
            ):
                cells[at] = shown(self.t, column, sums[column.key])
        return cells if result.columns[0].role == "dimension" else None

    def give(self, name: str) -> dict[str, Any]:
        """A file of what is shown."""
        self.kept = True
        return give(self.app, self.result, name)

    def stamp(self) -> None:
        """Keep the figures shown: a stamp is shown only where it can be asked for later."""
        keep(self.door, self.result, "page")
        self.kept = True

    # -- what the user chooses

    def pick(self, name: str, value: str) -> dict[str, Any]:
        """The address with another choice."""
        if name == "p" and value == "own":
            day = self.door.company.today()
            start, end = self.days or (day.replace(day=1), day + timedelta(days=1))
            value = f"{start}..{end - timedelta(days=1)}"
        if name == "c" and value == (self.own.compare or "none"):
            value = ""
        if name == "m" and value == drawn_measure(self.own):
            value = ""
        return self.address(**{name: value}, **({"sort": ""} if name in ("by", "c") else {}))

    def between(self, first: str, last: str) -> dict[str, Any]:
        text = f"{min(first, last)}..{max(first, last)}"
        return self.address(p=text if span_of(text, self.today, 1) else "")

    def seen(self, day: str) -> dict[str, Any]:
        return self.address(asof=day if self._moment(day) else "")

    def sort(self, name: str) -> dict[str, Any]:
        """Downwards first where figures are sorted, then upwards, then as the report stands."""
        number = next((one.kind in NUMBERS for one in self.result.columns if one.key == name), False)
        steps = [f"-{name}", name, ""] if number else [name, f"-{name}", ""]
        now = self.args.get("sort", "")
        return self.address(sort=steps[(steps.index(now) + 1) % 3] if now in steps else steps[0])
