"""Which fields people fill in, over all records and over the new ones (F13)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from crm.analytics.analyses.base import ANALYSES, Analysis, Found, today_of
from crm.analytics.cuts import resolve
from crm.analytics.groups import needed
from crm.analytics.survival import local_days
from crm.analytics.values import Rows, spread, true

if TYPE_CHECKING:
    import numpy as np

    from crm.records import Door
    from crm.schema.model import Report

DAYS = 90


@ANALYSES.add
class Filled(Analysis):
    """A row a field that people can leave empty: the part of the records that have it, the part of those made in the last `days` days, and
    of those made before; only of records where the form shows it (`show`). With `fields` only these."""

    name = "filled"
    narrow = True
    options = {"fields": "paths?", "days": "whole?"}
    examples = {"days": "90"}
    columns = {
        "field": "dimension text",
        "share": "measure percent",
        "fresh": "measure percent",
        "older": "measure percent",
        "empty": "measure integer",
    }

    def reads(self, door: Door, report: Report) -> Iterable[tuple[str, str]]:
        return [*report.reads, *((report.entity, path) for one in self.asked(door, report)[1].values() for path in one.uses)]

    def compute(self, door: Door, report: Report, *, where: list[Any], as_of: datetime | None, period: tuple[date, date] | None) -> Found:
        import numpy as np

        t, days = door.words, report.options.get("days", DAYS)
        entity = door.schema.entities[report.entity]
        keys, shows = self.asked(door, report)
        more = [path for one in shows.values() for path in needed(door, entity.name, one)]
        ids, columns = door.columns(entity.name, list(dict.fromkeys(["created_on", *keys, *more])), where, as_of)
        fields = {path: resolve(door, entity.name, path) for path in columns}
        looked = Rows(columns, fields, len(ids), today_of(door, as_of), as_of or door.company.now(), door.actor)
        fresh = local_days(columns["created_on"], t.tz) >= (today_of(door, as_of) - timedelta(days=days)).toordinal()
        rows = []
        for key in keys:
            asked = true(looked.each(shows[key])) if key in shows else np.ones(len(ids), dtype=bool)
            there = asked & spread(columns[key], "filled", filled, False)
            n, new, filled_in, lately = (int(one.sum()) for one in (asked, asked & fresh, there, there & fresh))
            rows.append([
                door.schema_field(entity.name, key).label_in(t), part(filled_in, n), part(lately, new), part(filled_in - lately, n - new),
                n - filled_in,
            ])  # fmt: skip
        n, new = len(ids), int(fresh.sum())
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

    def asked(self, door: Door, report: Report) -> tuple[list[str], dict[str, Any]]:
        """The fields looked at that are open to the user, and when the form shows those it does not always show."""
        entity = door.schema.entities[report.entity]
        keys = [key for key in report.options.get("fields") or self.own(door, report) if door.path_open(entity.name, key)]
        shown = {key: getattr(entity.fields.get(key), "show", None) for key in keys}
        return keys, {key: one for key, one in shown.items() if one is not None and hasattr(one, "uses")}

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


def filled(values: Sequence[Any]) -> np.ndarray:
    """Which values are something: a zero is, an empty text is not."""
    import numpy as np

    return np.array([bool(one or one == 0) for one in values], dtype=bool)


def part(n: int, of: int) -> Decimal | None:
    return round(Decimal(n) / of, 4) if of else None
