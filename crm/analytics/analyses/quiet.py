"""Whom nobody was in touch with for so many days (F5)."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from crm.analytics.analyses.base import ANALYSES, Found, OfRecords, today_of
from crm.analytics.survival import local_days

if TYPE_CHECKING:
    from crm.records import Door
    from crm.schema.model import Report


@ANALYSES.add
class Quiet(OfRecords):
    """A row a record whose `last` contact was `days` days ago or longer; who was never contacted counts from the day it was made."""

    name = "quiet"
    narrow = True
    options = {"last": "date", "days": "whole", "owner": "link?", "worth": "figure?"}
    examples = {"days": "90"}
    columns = {
        "record": "dimension text",
        "owner": "dimension text",
        "last": "dimension date",
        "days": "measure integer",
        "worth": "measure money",
    }

    def compute(self, door: Door, report: Report, *, where: list[Any], as_of: datetime | None, period: tuple[date, date] | None) -> Found:
        import numpy as np

        t, last, days = door.words, report.options["last"], report.options["days"]
        today = today_of(door, as_of)
        ids, columns = door.columns(report.entity, self.asked(report, "created_on", last), where, as_of)
        made, at = (local_days(columns[one], t.tz) for one in ("created_on", last))
        known = np.where(at >= 0, at, made)
        since = np.where(known >= 0, today.toordinal() - known, 0)
        found: dict[int, dict[str, Any]] = {
            int(ids[n]): {"last": date.fromordinal(int(at[n])) if at[n] >= 0 else None, "days": int(since[n])}
            for n in np.flatnonzero(since >= days).tolist()
        }
        found = dict(sorted(found.items(), key=lambda one: (-one[1]["days"], one[0])))
        result = self.listed(door, report, ids, columns, found, {"last": t("Last contact"), "days": t("Days without contact")})
        if found:
            first = result.rows[0]
            result.says = t(
                "{n} of {all} without contact for {days} days or more; longest {name} ({most} days).",
                n=len(found), all=len(ids), days=days, name=first[0], most=next(iter(found.values()))["days"],
            )  # fmt: skip
        elif len(ids):
            result.says = t("Nobody has been without contact for {days} days.", days=days)
        return result
