"""Who drifts away from their own rhythm (F5): the time since the last event against the middle of the times between the earlier ones."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from crm.analytics.analyses.base import ANALYSES, Found, OfRecords, today_of
from crm.analytics.periods import local
from crm.analytics.values import cells

if TYPE_CHECKING:
    from crm.records import Door
    from crm.schema.model import Report

#: Without these options: how many days with an event make a rhythm, how many times it must be over, and from how many days on at all.
LEAST, FACTOR, DAYS = 4, 2.0, 30


@ANALYSES.add
class Drifting(OfRecords):
    """A row a record whose last event (`events`, dated by `on`, where `where`) is `factor` times as long ago as is usual between two of
    them, and at least `days` days. What happened on one day counts once; who has fewer than `least` such days has no rhythm yet.

    `longer`: which part of the earlier gaps was that long or longer: nought means that this never happened before.
    """

    name = "drifting"
    narrow = True
    options = {
        "events": "back",
        "on": "date of events",
        "where": "condition of events?",
        "least": "whole?",
        "factor": "number?",
        "days": "whole?",
        "owner": "link?",
        "worth": "figure?",
    }
    examples = {"least": "4", "factor": "2", "days": "30"}
    columns = {
        "record": "dimension text",
        "owner": "dimension text",
        "last": "dimension date",
        "usual": "measure number",
        "since": "measure integer",
        "factor": "measure number",
        "longer": "measure percent",
        "worth": "measure money",
    }

    def compute(self, door: Door, report: Report, *, where: list[Any], as_of: datetime | None, period: tuple[date, date] | None) -> Found:
        t, options = door.words, report.options
        least, factor, days = options.get("least", LEAST), options.get("factor", FACTOR), options.get("days", DAYS)
        today = today_of(door, as_of)
        frame = door.frame(report.entity, self.asked(report, "id"), where=where, as_of=as_of, stored=True)
        rhythm = 0
        found: dict[int, dict[str, Any]] = {}
        happened = self.days(door, report, as_of, today)
        for one in frame.index.tolist():
            told = overdue(happened.get(int(one), []), today, least)
            rhythm += told is not None
            if told is not None and told["factor"] >= factor and told["since"] >= days:
                found[int(one)] = told
        found = dict(sorted(found.items(), key=lambda one: (-one[1]["factor"], one[0])))
        labels = {
            "last": t("Last time"), "usual": t("Usual days between"), "since": t("Days since"), "factor": t("Times as long"),
            "longer": t("Earlier gaps as long"),
        }  # fmt: skip
        result = self.listed(door, report, frame, found, labels)
        if not rhythm:
            result.says = t("Too little data: nobody has {least} days with an event yet.", least=least)
        elif not found:
            result.says = t("All {n} that have a rhythm keep it.", n=rhythm)
        else:
            first = next(iter(found.values()))
            result.says = t(
                "{n} of {rhythm} that have a rhythm are late; furthest {name}: usually every {usual} days, now {since}.",
                n=len(found), rhythm=rhythm, name=result.rows[0][0], usual=t.number(first["usual"]), since=first["since"],
            )  # fmt: skip
        result.notes = {"rhythm": rhythm, "all": len(frame)}
        return result

    def days(self, door: Door, report: Report, as_of: datetime | None, today: date) -> dict[int, list[date]]:
        """The days of each record's events, rising, none after today."""
        from crm.analytics.groups import asked

        options = report.options
        there, link = door.schema.entities[report.entity].back[options["events"]]
        condition = asked(door, there, options.get("where"), as_of)
        frame = door.frame(there, [link, options["on"]], where=[] if condition is None else [condition], as_of=as_of, stored=True)
        found: dict[int, set[date]] = {}
        for owner, at in zip(cells(frame[link]), cells(frame[options["on"]]), strict=True):
            if owner is None or at is None or (day := local(at, door.words.tz)) > today:
                continue
            for one in owner if isinstance(owner, list) else [owner]:
                found.setdefault(int(one["id"] if isinstance(one, dict) else one), set()).add(day)
        return {one: sorted(days) for one, days in found.items()}


def overdue(days: Sequence[date], today: date, least: int) -> dict[str, Any] | None:
    """How somebody's last day stands to their rhythm; None where they have none yet."""
    if len(days) < max(least, 3):
        return None
    gaps = [(b - a).days for a, b in zip(days, days[1:], strict=False)]
    usual, since = float(statistics.median(gaps)), (today - days[-1]).days
    return {
        "last": days[-1],
        "usual": usual,
        "since": since,
        "factor": round(since / usual, 2),
        "longer": round(sum(gap >= since for gap in gaps) / len(gaps), 4),
    }
