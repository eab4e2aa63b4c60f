"""Whom nobody was in touch with for so many days (F5)."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from crm.analytics.analyses.base import ANALYSES, Found, OfRecords, today_of
from crm.analytics.periods import local
from crm.analytics.values import cells

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
        t, last, days = door.words, report.options["last"], report.options["days"]
        today = today_of(door, as_of)
        frame = door.frame(report.entity, self.asked(report, "created_on", last), where=where, as_of=as_of, stored=True)
        found: dict[int, dict[str, Any]] = {}
        for one, made, at in zip(frame.index.tolist(), cells(frame["created_on"]), cells(frame[last]), strict=True):
            since = (today - local(at or made, t.tz)).days if at or made else 0
            if since >= days:
                found[int(one)] = {"last": local(at, t.tz) if at else None, "days": since}
        found = dict(sorted(found.items(), key=lambda one: (-one[1]["days"], one[0])))
        result = self.listed(door, report, frame, found, {"last": t("Last contact"), "days": t("Days without contact")})
        if found:
            first = result.rows[0]
            result.says = t(
                "{n} of {all} without contact for {days} days or more; longest {name} ({most} days).",
                n=len(found), all=len(frame), days=days, name=first[0], most=next(iter(found.values()))["days"],
            )  # fmt: skip
        elif len(frame):
            result.says = t("Nobody has been without contact for {days} days.", days=days)
        return result
