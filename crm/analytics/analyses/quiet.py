"""Whom nobody was in touch with for so many days (F5)."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from crm.analytics.analyses.base import ANALYSES, Analysis, Found, today_of
from crm.analytics.periods import local
from crm.analytics.values import cells, decoded

if TYPE_CHECKING:
    from crm.records import Door
    from crm.schema.model import Report


@ANALYSES.add
class Quiet(Analysis):
    """A row a record whose `last` contact was `days` days ago or longer; who was never contacted counts from the day it was made."""

    name = "quiet"
    options = {"last": "path", "days": "whole", "owner": "path?", "worth": "path?"}
    columns = {
        "record": "dimension text",
        "owner": "dimension text",
        "last": "dimension date",
        "days": "measure integer",
        "worth": "measure money",
    }

    def compute(self, door: Door, report: Report, *, where: list[Any], as_of: datetime | None, period: tuple[date, date] | None) -> Found:
        t, asked = door.words, report.options
        today = today_of(door, as_of)
        paths = [one for one in ("created_on", asked["last"], asked.get("owner"), asked.get("worth")) if one]
        frame = door.frame(report.entity, paths, where=where, as_of=as_of, stored=True)
        ids = [int(one) for one in frame.index.tolist()]
        made, last = cells(frame["created_on"]), cells(frame[asked["last"]])
        owners = cells(frame[asked["owner"]]) if "owner" in asked else [None] * len(ids)
        worths = cells(frame[asked["worth"]]) if "worth" in asked else [None] * len(ids)
        field = door.schema_field(report.entity, asked["worth"]) if "worth" in asked else None
        rows = []
        for n, one in enumerate(ids):
            since = local(last[n] or made[n], door.words.tz) if last[n] or made[n] else None
            if since is not None and (today - since).days >= asked["days"]:
                rows.append(
                    (one, owners[n], local(last[n], t.tz) if last[n] else None, (today - since).days, decoded(field, "sum", worths[n]))
                )
        rows.sort(key=lambda row: (-row[3], row[0]))
        titles = door.titles(report.entity, [row[0] for row in rows])
        people = self.people(door, report, {row[1] for row in rows if row[1] is not None})
        label = door.schema.entities[report.entity].label_in(t)
        columns = [self.column("record", label)]
        if "owner" in asked:
            columns.append(self.column("owner", door.schema_field(report.entity, asked["owner"]).label_in(t)))
        columns += [self.column("last", t("Last contact")), self.column("days", t("Days without contact"))]
        if field is not None:
            columns.append(self.column("worth", field.label_in(t), getattr(field, "currency", None)))
        have = {column.key for column in columns}
        found = [
            {"record": titles.get(one, "–"), "owner": people.get(whom), "last": when, "days": days, "worth": worth}
            for one, whom, when, days, worth in rows
        ]
        return Found(
            columns=columns,
            rows=[[value for key, value in row.items() if key in have] for row in found],
            keys=[(row[0], *((row[1],) if "owner" in asked else ()), row[2]) for row in rows],
            behind=[f"id == {row[0]}" for row in rows],
            opens=[(report.entity, row[0]) for row in rows],
            says=self.says(door, report, len(rows), len(ids), found),
        )

    def people(self, door: Door, report: Report, ids: set[Any]) -> dict[Any, str]:
        """What the owners are called."""
        if not ids:
            return {}
        return door.titles(door.schema_field(report.entity, report.options["owner"]).to, ids)

    def says(self, door: Door, report: Report, quiet: int, all_: int, rows: list[dict[str, Any]]) -> str:
        """The sentence: how many, and who was left alone longest."""
        t = door.words
        if not quiet:
            return t("Nobody has been without contact for {days} days.", days=report.options["days"]) if all_ else ""
        return t(
            "{n} of {all} without contact for {days} days or more; longest {name} ({most} days).",
            n=quiet, all=all_, days=report.options["days"], name=rows[0]["record"], most=rows[0]["days"],
        )  # fmt: skip
