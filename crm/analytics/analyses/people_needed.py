"""How many more people a target takes, given that a new one needs time to come up to speed (F9).

What one experienced person wins in a month comes from the last year: the mean over person-months with the 95 % interval of its standard
error. How much a new one brings comes from those who began since, where there are enough of them, else from a stated assumption: a straight
line from nothing to all over `ramp` months. Every line says what it rests on.
"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from crm.analytics.analyses.base import ANALYSES, Analysis, Found, today_of
from crm.analytics.effects import Z
from crm.analytics.periods import moved
from crm.analytics.survival import local_days
from crm.analytics.values import decoded, each, ended, numbers
from crm.records.goals import goals

if TYPE_CHECKING:
    from crm.records import Door
    from crm.schema.model import Report

MONTHS, RAMP = 12, 6
#: Person-months of experienced people without which nothing is said, and of new ones without which the ramp is assumed.
LEAST, LEAST_NEW = 12, 12
#: Who was there in the first months of the data has an unknown beginning and counts as experienced.
FIRST = 3


@ANALYSES.add
class PeopleNeeded(Analysis):
    """A row a figure the answer is made of, with what it rests on: measured, taken from the goals, or assumed.

    `target` for the coming `months`; without it the goals of that time, and where nobody set one what the last year brought and `growth`.
    """

    name = "people_needed"
    narrow = True
    options = {"target": "number?", "growth": "percent?", "months": "whole?", "ramp": "whole?"}
    roles = ["amount", "close", "owner", "stage"]
    examples = {"target": "500000", "growth": "10%", "months": "12", "ramp": "6"}
    columns = {"line": "dimension text", "told": "dimension text", "basis": "dimension text", "value": "measure number"}

    def open_to(self, door: Door, report: Report) -> bool:
        places = self.places(door, report)
        return super().open_to(door, report) and None not in places and all(door.path_open(report.entity, str(one)) for one in places)

    def places(self, door: Door, report: Report) -> list[str | None]:
        return [*map(door.schema.entities[report.entity].role, PeopleNeeded.roles)]

    def compute(self, door: Door, report: Report, *, where: list[Any], as_of: datetime | None, period: tuple[date, date] | None) -> Found:
        t, options = door.words, report.options
        months, ramp = options.get("months", MONTHS), options.get("ramp", RAMP)
        today = today_of(door, as_of)
        start = today.replace(day=1)
        past = self.past(door, report, where, as_of)
        steady, new = past.months(moved(start, -12), start, ramp)
        field = door.schema.entities[report.entity].fields[str(self.places(door, report)[0])]
        currency = getattr(field, "currency", None)
        labels = {"line": t("What it is made of"), "told": t("Figure"), "basis": t("Rests on"), "value": t("Number")}
        columns = [self.column(key, labels[key]) for key in self.columns]
        if len(steady) < LEAST:
            says = t("Too little data: {n} months of experienced people, and {least} are needed.", n=len(steady), least=LEAST)
            return Found(columns, [], says=says)
        mean, half = statistics.fmean(steady), Z * statistics.stdev(steady) / math.sqrt(len(steady))
        low, high = max(0.0, mean - half), mean + half
        people = past.people(door, moved(start, -3))
        target, basis = self.target(door, report, start, months, past, today, as_of)
        curve, learned = climb(new, mean, ramp)
        share = sum(curve[min(month, len(curve) - 1)] for month in range(months)) / months

        def needed(each: float) -> int | None:
            missing = target - each * months * people
            return 0 if missing <= 0 else None if each * share <= 0 else math.ceil(missing / (each * months * share))

        def money(value: float) -> str:
            return str(t.money_short(Decimal(repr(round(value, 2))), currency))

        measured = t("measured over {n} person-months of the last year", n=len(steady))
        middle, fewest, most = needed(mean), needed(high), needed(low)
        span = t("{low} to {high}", low="–" if fewest is None else fewest, high="–" if most is None else most)
        rows = [
            [t("Target for the coming {n} months", n=months), money(target), basis, target],
            [t("One experienced person wins a month"), f"{money(mean)} ({money(low)} – {money(high)})", measured, round(mean, 2)],
            [t("People today"), str(people), t("active, and won something lately or hold something open"), people],
            [t("They will bring"), money(mean * months * people), t("if they go on as in the last year"), round(mean * months * people, 2)],
            [t("Missing"), money(max(0.0, target - mean * months * people)), "", round(max(0.0, target - mean * months * people), 2)],
            [
                t("A new person brings, of an experienced one"), t.percent(Decimal(repr(round(share, 3)))),
                t("measured over {n} person-months of new people", n=len(new)) if learned
                else t("assumed: nothing at first, all after {n} months", n=ramp), round(share, 4),
            ],
            [t("More people needed, beginning now"), f"{middle} ({span})" if middle is not None else "–", t("range: what one person wins is that uncertain"), middle],
        ]  # fmt: skip
        says = t(
            "{target} in {months} months: the {people} of today bring about {bring}; {more} more are needed ({span}) if they begin now.",
            target=money(target), months=months, people=people, bring=money(mean * months * people), more=middle, span=span,
        )  # fmt: skip
        if not learned:
            says += " " + t("A new one is taken to be up to speed after {n} months (assumed).", n=ramp)
        notes = {"steady": steady, "new": new, "share": share, "needed": (middle, fewest, most), "people": people, "target": target}
        return Found(columns, rows, [(n,) for n in range(len(rows))], notes=notes, says=says)

    def past(self, door: Door, report: Report, where: list[Any], as_of: datetime | None) -> Past:
        """What everybody the reader sees has won, month by month, and since when they are there."""
        import numpy as np

        entity = door.schema.entities[report.entity]
        amount, close, owner, stage = map(str, self.places(door, report))
        ids, columns = door.columns(entity.name, list(dict.fromkeys([amount, close, owner, stage, "created_on"])), where, as_of)
        found = Past(getattr(entity.fields[owner], "to", ""))
        zone, whose = door.words.tz, numbers(columns[owner])
        made = local_days(columns["created_on"], zone)
        counted = (whose >= 0) & (made >= 0)
        won = ended(entity.fields[stage], columns[stage], "won")
        found.holding = set(np.unique(whose[counted & ~ended(entity.fields[stage], columns[stage])]).tolist())
        days = local_days(columns[close], zone)
        value = each(columns[amount], lambda kept: float(decoded(entity.fields[amount], "sum", kept)), 0.0)
        for person in np.unique(whose[counted]).tolist():
            mine = counted & (whose == person)
            found.began[person] = date.fromordinal(int(made[mine].min())).replace(day=1)
            closed = np.flatnonzero(mine & won & (days >= 0))
            known, which = np.unique(days[closed], return_inverse=True)
            months = [date.fromordinal(day).replace(day=1) for day in known.tolist()]
            starts = list(dict.fromkeys(months))
            place = np.array([starts.index(month) for month in months], dtype=np.int64)
            sums = np.bincount(place[which], weights=value[closed], minlength=len(starts)).tolist()
            found.won.update({(person, month): one for month, one in zip(starts, sums, strict=True)})
        return found

    def target(
        self, door: Door, report: Report, start: date, months: int, past: Past, today: date, as_of: datetime | None
    ) -> tuple[float, str]:
        """What is to be reached, and who says so."""
        t, options = door.words, report.options
        if "target" in options:
            return options["target"], str(t("given in the report"))
        if "growth" not in options:
            found = goals(door, start, moved(start, months), as_of=as_of)
            each = [found.target(moved(start, n), moved(start, n + 1)) for n in range(months)] if found is not None else [None]
            target = sum(one for one in each if one is not None)
            if target and None not in each:  # goals that end on the way say nothing of the whole time
                return float(target), str(t("the goals of that time"))
        growth = float(options.get("growth", 0))
        last = math.fsum(value for (_, month), value in past.won.items() if moved(start, -12) <= month < start)
        said = t("assumed: the last year and {growth} more", growth=t.percent(Decimal(repr(round(growth, 4)))))
        return last * months / 12 * (1 + growth), str(said)


class Past:
    """What people won by (person, first day of the month), when each began, and who holds something open."""

    def __init__(self, users: str) -> None:
        self.users = users
        self.won: dict[tuple[int, date], float] = defaultdict(float)
        self.began: dict[int, date] = {}
        self.holding: set[int] = set()

    def months(self, first: date, after: date, ramp: int) -> tuple[list[float], list[tuple[int, float]]]:
        """Every month of every person in a stretch of time: of the experienced what they won, of the new ones (month of theirs, won)."""
        steady: list[float] = []
        new: list[tuple[int, float]] = []
        opening = moved(min(self.began.values()), FIRST) if self.began else first
        gone = {person: max((month for one, month in self.won if one == person), default=None) for person in self.began}
        for person, began in self.began.items():
            month = max(first, began)
            while month < after:
                last = gone[person]
                if person not in self.holding and (last is None or month > last):
                    break  # no longer there
                tenure = (month.year - began.year) * 12 + month.month - began.month
                won = self.won.get((person, month), 0.0)
                if began < opening or tenure >= ramp:
                    steady.append(won)
                else:
                    new.append((tenure, won))
                month = moved(month, 1)
        return steady, new

    def people(self, door: Door, since: date) -> int:
        """Who sells today: active, and holding something open or having won something since then."""
        users = door.schema.users
        there = self.holding | {person for person, month in self.won if month >= since}
        if users is None or users.entity != self.users or users.active is None or not door.path_open(users.entity, users.active):
            return len(there)
        active = door.values_of(users.entity, users.active, there)
        return sum(active.get(one) is not False for one in there)


def climb(new: list[tuple[int, float]], mean: float, ramp: int) -> tuple[list[float], bool]:
    """The part of an experienced person's month that a new one brings in each of the first months, all after them; and whether it was
    measured (the mean of their months, never falling) or assumed."""
    if len(new) < LEAST_NEW or mean <= 0:
        return [*((month + 0.5) / ramp for month in range(ramp)), 1.0], False
    curve: list[float] = []
    for month in range(ramp):
        here = [won for tenure, won in new if tenure == month]
        part = min(1.0, statistics.fmean(here) / mean) if here else (month + 0.5) / ramp
        curve.append(max(part, curve[-1] if curve else 0.0))
    return [*curve, 1.0], True
