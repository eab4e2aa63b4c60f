"""Which fields people fill in, over all records and over the new ones (F13)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from crm.analytics.analyses.base import ANALYSES, Analysis, Found, today_of
from crm.analytics.cuts import resolve
from crm.analytics.groups import needed
from crm.analytics.periods import local
from crm.analytics.values import Rows, cells

if TYPE_CHECKING:
    from crm.records import Door
    from crm.schema.model import Report

DAYS = 90


@ANALYSES.add
class Filled(Analysis):
    """A row a field that people can leave empty: the part of the records that have it, the part of those made in the last `days` days, and
    of those made before; only of records where the form shows it (`show`). With `fields` only these."""

    name = "filled"
    options = {"fields": "paths?", "days": "whole?"}
    examples = {"days": "90"}
    columns = {
        "field": "dimension text",
        "share": "measure percent",
        "fresh": "measure percent",
        "older": "measure percent",
        "empty": "measure integer",
    }

    def compute(self, door: Door, report: Report, *, where: list[Any], as_of: datetime | None, period: tuple[date, date] | None) -> Found:
        t, days = door.words, report.options.get("days", DAYS)
        entity = door.schema.entities[report.entity]
        keys = [key for key in report.options.get("fields") or self.own(door, report) if door.path_open(entity.name, key)]
        shows = {key: one for key in keys if (one := getattr(entity.fields.get(key), "show", None)) is not None and hasattr(one, "uses")}
        more = [path for one in shows.values() for path in needed(door, entity.name, one)]
        frame = door.frame(entity.name, list(dict.fromkeys(["created_on", *keys, *more])), where=where, as_of=as_of, stored=True)
        columns = {path: cells(frame[path]) for path in frame.columns}
        fields = {path: resolve(door, entity.name, path) for path in columns}
        looked = Rows(columns, fields, len(frame), today_of(door, as_of), as_of or door.company.now(), door.actor)
        since = today_of(door, as_of) - timedelta(days=days)
        fresh = [at is not None and local(at, t.tz) >= since for at in columns["created_on"]]
        rows = []
        for key in keys:
            asked = [one is True for one in looked.each(shows[key])] if key in shows else [True] * len(frame)
            there = [n for n, one in enumerate(columns[key]) if (one or one == 0) and asked[n]]
            n, new = sum(asked), sum(a and b for a, b in zip(asked, fresh, strict=True))
            lately = sum(fresh[one] for one in there)
            rows.append([
                door.schema_field(entity.name, key).label_in(t), part(len(there), n), part(lately, new), part(len(there) - lately, n - new),
                n - len(there),
            ])  # fmt: skip
        n, new = len(frame), sum(fresh)
        order = sorted(range(len(rows)), key=lambda at: (-(rows[at][1] or 0), rows[at][0]))
        labels = {
            "field": t("Field"), "share": t("Filled in"), "fresh": t("Of the new ones ({days} days)", days=days),
            "older": t("Of the older ones"), "empty": t("Empty"),
        }  # fmt: skip
        return Found(
            columns=[self.column(key, labels[key]) for key in self.columns],
            rows=[rows[at] for at in order],
            keys=[(keys[at],) for at in order],
            behind=[f"({shows[keys[at]].text}) and {keys[at]} == None" if keys[at] in shows else f"{keys[at]} == None" for at in order],
            notes={"n": n, "new": new},
            says=self.says(t, [rows[at] for at in order], n, new),
        )

    def own(self, door: Door, report: Report) -> list[str]:
        """The fields somebody can leave empty."""
        entity = door.schema.entities[report.entity]
        shown = {key for lines in entity.form.values() for line in lines for key in line}
        return [
            key
            for key, one in entity.own_fields.items()
            if not (getattr(one, "formula", None) or getattr(one, "rollup", None) or one.required is True or one.fixed)
            and one.name not in ("autonumber", "stage", "pipeline", "boolean")
            and key in shown
        ]

    def says(self, t: Any, rows: list[list[Any]], n: int, new: int) -> str:
        """What is filled in least, and what is filled in less than before."""
        if not n or not rows:
            return ""
        low = [row[0] for row in rows if row[1] is not None and row[1] < Decimal("0.2")]
        said = str(t("{n} of {all} fields are filled in on fewer than a fifth of {records} records.", n=len(low), all=len(rows), records=n))
        if new >= 20 and n - new >= 20:
            falling = min(rows, key=lambda row: (row[2] or 0) - (row[3] or 0))
            if (falling[2] or 0) - (falling[3] or 0) <= Decimal("-0.1"):
                values = {"field": falling[0], "now": t.percent(round(falling[2], 2)), "then": t.percent(round(falling[3], 2))}
                said += " " + t("Most fallen: {field}, {now} of the new ones against {then}.", **values)
        return said


def part(n: int, of: int) -> Decimal | None:
    return round(Decimal(n) / of, 4) if of else None
