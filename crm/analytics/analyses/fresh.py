"""How fresh the data is: when records were last written, kind by kind (F13)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from crm.analytics.analyses.base import ANALYSES, Analysis, Found, today_of
from crm.analytics.analyses.filled import part
from crm.analytics.survival import local_days

if TYPE_CHECKING:
    from crm.records import Door
    from crm.schema.model import Report


@ANALYSES.add
class Fresh(Analysis):
    """A row an entity the reader may see, of those in `entities`: its records, the part changed in the last 30, 90 and 365 days, and the
    middle of the days since the last change."""

    name = "fresh"
    narrow = True
    options = {"entities": "entities"}
    columns = {
        "entity": "dimension text",
        "records": "measure integer",
        "month": "measure percent",
        "quarter": "measure percent",
        "year": "measure percent",
        "age": "measure integer",
    }

    def open_to(self, door: Door, report: Report) -> bool:
        return any(door.may("see", one) for one in report.options["entities"])

    def compute(self, door: Door, report: Report, *, where: list[Any], as_of: datetime | None, period: tuple[date, date] | None) -> Found:
        import numpy as np

        t, today = door.words, today_of(door, as_of)
        rows: list[list[Any]] = []
        keys: list[tuple[Any, ...]] = []
        for name in report.options["entities"]:
            if not door.may("see", name):
                continue
            conditions = where if name == report.entity else []
            ids, columns = door.columns(name, ["changed_on"], conditions, as_of)
            days, n = local_days(columns["changed_on"], t.tz), len(ids)
            ages = today.toordinal() - days[days >= 0]
            rows.append([
                door.schema.entities[name].plural_in(t), n, *(part(int((ages < limit).sum()), n) for limit in (30, 90, 365)),
                int(np.median(ages)) if len(ages) else None,
            ])  # fmt: skip
            keys.append((name,))
        order = sorted(range(len(rows)), key=lambda at: (rows[at][3] is None, -(rows[at][3] or Decimal(0))))
        labels = {
            "entity": t("Records of"), "records": t("Records"), "month": t("Changed in 30 days"), "quarter": t("In 90 days"),
            "year": t("In a year"), "age": t("Days since the last change (middle)"),
        }  # fmt: skip
        rows = [rows[at] for at in order]
        told = [row for row in rows if row[3] is not None]
        says = ""
        if told:
            values = {
                "top": told[0][0],
                "high": t.percent(round(told[0][3], 2)),
                "low": told[-1][0],
                "least": t.percent(round(told[-1][3], 2)),
            }
            says = t("Freshest: {top} ({high} changed in 90 days); oldest: {low} ({least}).", **values)
        return Found([self.column(key, labels[key]) for key in self.columns], rows, [keys[at] for at in order], says=says)
