"""Who drifts away from their own rhythm (F5): the time since the last event against the middle of the times between the earlier ones."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from crm.analytics.analyses.base import ANALYSES, Found, OfRecords, today_of
from crm.analytics.survival import local_days
from crm.analytics.values import led_to
from crm.records.columns import placed

if TYPE_CHECKING:
    import numpy as np

    from crm.records import Door
    from crm.schema.model import Report

#: Without these options: how many days with an event make a rhythm, how many times it must be over, and from how many days on at all.
LEAST, FACTOR, DAYS = 4, 2.0, 30
#: No day has as high a number.
DAYS_OF = date.max.toordinal() + 1


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
        ids, columns = door.columns(report.entity, self.asked(report, "id"), where, as_of)
        happened = self.days(door, report, ids, as_of, today)
        rhythm = [one for one, on in happened.items() if len(on) >= fewest(least)]
        found: dict[int, dict[str, Any]] = {}
        for one in rhythm:
            if (today.toordinal() - happened[one][-1]) >= days:
                told = overdue(list(map(date.fromordinal, happened[one])), today, least)
                if told is not None and told["factor"] >= factor:
                    found[one] = told
        found = dict(sorted(found.items(), key=lambda one: (-one[1]["factor"], one[0])))
        labels = {
            "last": t("Last time"), "usual": t("Usual days between"), "since": t("Days since"), "factor": t("Times as long"),
            "longer": t("Earlier gaps as long"),
        }  # fmt: skip
        result = self.listed(door, report, ids, columns, found, labels)
        if not rhythm:
            result.says = t("Too little data: nobody has {least} days with an event yet.", least=least)
        elif not found:
            result.says = t("All {n} that have a rhythm keep it.", n=len(rhythm))
        else:
            first = next(iter(found.values()))
            result.says = t(
                "{n} of {rhythm} that have a rhythm are late; furthest {name}: usually every {usual} days, now {since}.",
                n=len(found), rhythm=len(rhythm), name=result.rows[0][0], usual=t.number(first["usual"]), since=first["since"],
            )  # fmt: skip
        result.notes = {"rhythm": len(rhythm), "all": len(ids)}
        return result

    def days(self, door: Door, report: Report, ids: np.ndarray, as_of: datetime | None, today: date) -> dict[int, list[int]]:
        """The days of each record's events as their numbers, rising, none after today."""
        import numpy as np

        from crm.analytics.groups import asked

        options = report.options
        there, link = door.schema.entities[report.entity].back[options["events"]]
        condition = asked(door, there, options.get("where"), as_of)
        _, columns = door.columns(there, list(dict.fromkeys([link, options["on"]])), () if condition is None else [condition], as_of)
        rows, owner = led_to(columns[link])
        day = local_days(columns[options["on"]], door.words.tz)[rows]
        place, known = placed(ids, owner)
        meant = (day[known] >= 0) & (day[known] <= today.toordinal())
        each, first = np.unique(place[meant] * DAYS_OF + day[known][meant]), 0
        owners = each // DAYS_OF
        found = {}
        for end in [*(np.flatnonzero(owners[1:] != owners[:-1]) + 1).tolist(), len(each)]:
            if end > first:
                found[int(ids[owners[first]])] = (each[first:end] % DAYS_OF).tolist()
            first = end
        return found


def fewest(least: int) -> int:
    """The days that make a rhythm."""
    return max(least, 3)


def overdue(days: Sequence[date], today: date, least: int) -> dict[str, Any] | None:
    """How somebody's last day stands to their rhythm; None where they have none yet."""
    if len(days) < fewest(least):
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
