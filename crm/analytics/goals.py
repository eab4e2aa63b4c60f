"""Goals beside the figures of a report (`compare: goal`): for whom and what each row is, how much was to be reached, how much of it was.

Each row has the goal of just the records it counts, so that the rows add up to the goal of the whole: a team with teams below it, or an
area with areas below it, has what is left after theirs. Somebody who was given a goal has a row also when nothing was reached.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import product
from typing import TYPE_CHECKING, Any

from crm.analytics.periods import FISCAL, MONTHS, after, between, floor, named, start_of
from crm.charts.base import Column, shown
from crm.records.goals import Goals, goals
from crm.schema.goals import knows

if TYPE_CHECKING:
    from crm.analytics.groups import Groups, Table
    from crm.analytics.reports import Result
    from crm.records import Door
    from crm.schema.model import Report

#: Rows added for goals of which nothing was reached yet, at most.
MOST = 2000


def whole(span: str | None, window: tuple[date, date], first: int) -> tuple[date, date]:
    """The whole of the running period: the quarter to its last day; of the last so many days, those."""
    if span in MONTHS or span in FISCAL or span in ("week", "day"):
        start = floor(window[1] - timedelta(days=1), span or "", first)
        return start, after(start, span or "")
    return window


def sighted(door: Door, report: Report) -> str:
    """The condition that leaves the records of those whose goals this user may see: whoever knows only their own goals sees how they
    themselves stand, not their colleagues' figures beside one person's goal; "" where all goals are seen."""
    roles = door.schema.goals
    if roles is None or not roles.owner or not sees_own(door):
        return ""
    axis = next((one.field for one in report.by if knows(door.schema, report, one) == "person"), None)
    owner = axis or door.schema.entities[report.entity].owner
    return f"{owner} == me" if owner and door.path_open(report.entity, owner) else ""


def sees_own(door: Door) -> bool:
    """Whether a user sees no goals but their own."""
    roles, role = door.schema.goals, door.schema.roles.get(door.actor.role or "")
    if roles is None or role is None or door.actor.system or door.actor.admin:
        return False
    return bool(role.of(roles.entity).see == "own")


class Beside:
    """The goals of one report's rows; `narrowed`: the reader looks at a part of the records only, which goals do not follow."""

    def __init__(self, door: Door, report: Report, groups: Groups, span: tuple[date, date] | None, asked: bool, narrowed: bool) -> None:
        self.door, self.report, self.groups, self.narrowed = door, report, groups, narrowed
        self.kinds = [knows(door.schema, report, cut.axis) for cut in groups.cuts]
        self.timed = self.kinds.index("time") if "time" in self.kinds else None
        self.window = span
        self.span = span if span is None or asked else whole(report.span, span, door.schema.fiscal_start)
        self.sums: dict[str, Decimal | None] = {}

    def put(self, table: Table, columns: list[Column]) -> list[Column]:
        """Writes the goals into the rows, adds those of whom nothing is counted yet, and gives the columns added."""
        t, added = self.door.words, []
        for key, about in self.report.goals.items():
            column = next(one for one in columns if one.key == key)
            found = self.goals(table, about)
            words = [("goal", t("{label}, goal", label=column.label)), ("due", t("{label}, due by today", label=column.label))]
            kind = "number" if column.kind == "integer" else column.kind
            for word, label in words if self.report.span else words[:1]:
                added.append(Column(f"{key}_{word}", label, kind, "measure", None, column.currency))
            added.append(Column(f"{key}_reached", t("{label}, part of the goal", label=column.label), "percent", "measure"))
            self.rows(table, key, found)
            for word in ("goal", "due") if self.report.span else ("goal",):
                known = [values[f"{key}_{word}"] for _, values in table if values.get(f"{key}_{word}") is not None]
                self.sums[f"{key}_{word}"] = sum(known, Decimal(0)) if known else None
            there = [values.get(key) or 0 for _, values in table if values.get(f"{key}_goal") is not None]
            self.sums[f"{key}_reached"] = part(sum((Decimal(str(one)) for one in there), Decimal(0)), self.sums[f"{key}_goal"])
        return added

    def total(self, values: dict[str, Any]) -> dict[str, Any]:
        """The goals of all rows together, beside the measures of all records; what was reached is that of the rows that have a goal."""
        return {**values, **self.sums}

    def goals(self, table: Table, about: str | None) -> Goals | None:
        first, last = self.span or (date.max, date.min)
        if self.timed is not None and self.span is None:
            unit = self.groups.cuts[self.timed].unit or "month"
            starts = [start_of(keys[self.timed], unit) for keys, _ in table if keys[self.timed] is not None]
            if not starts:
                return None
            first, last = min(starts), after(max(starts), unit)
        return goals(self.door, first, last, about, as_of=self.groups.as_of)

    def rows(self, table: Table, key: str, found: Goals | None) -> None:
        have = {keys: values for keys, values in table}
        names = [f"{key}_goal", *([f"{key}_due"] if self.report.span else []), f"{key}_reached"]
        for values in have.values():
            values.update(dict.fromkeys(names))
        if found is None or (self.narrowed and not any(kind not in (None, "time") for kind in self.kinds)):
            return
        nothing = {
            m.key: 0 if m.how in ("count", "distinct") else Decimal(0) if m.how == "sum" else None for m in self.report.measures.values()
        }
        more = [] if self.narrowed else [keys for keys in self.possible(table, found) if keys not in have]
        for keys in [*have, *more]:
            wanted = self.target(found, keys, self.bounds(keys, self.span))
            if keys not in have:
                if not wanted:
                    continue
                have[keys] = {**nothing, **dict.fromkeys(names)}
                table.append((keys, have[keys]))
            values = have[keys]
            values[f"{key}_goal"] = wanted
            if self.report.span:
                values[f"{key}_due"] = self.target(found, keys, self.bounds(keys, self.window))
            values[f"{key}_reached"] = part(values.get(key), wanted)

    def bounds(self, keys: Sequence[Any], span: tuple[date, date] | None) -> tuple[date, date] | None:
        """The days of a row."""
        if self.timed is None:
            return span
        if keys[self.timed] is None:
            return None
        unit = self.groups.cuts[self.timed].unit or "month"
        start = start_of(keys[self.timed], unit)
        end = after(start, unit)
        return (start, end) if span is None else (max(start, span[0]), min(end, span[1]))

    def target(self, found: Goals, keys: Sequence[Any], days: tuple[date, date] | None) -> Decimal | None:
        """What the records of one row are to make up."""
        if days is None or days[0] >= days[1]:
            return None if days is None else Decimal(0)
        who: tuple[str, int] | None = None
        of: dict[str, int] = {}
        below: list[tuple[tuple[str, int] | None, dict[str, int]]] = []
        for kind, key, cut in zip(self.kinds, keys, self.groups.cuts, strict=True):
            if kind in ("time", None):
                continue
            if key is None or not isinstance(key, int):
                return None
            if kind in ("person", "team"):
                if who is not None:
                    return None
                who = (kind, key)
            else:
                of[str(kind)] = key
        for kind, key, cut in zip(self.kinds, keys, self.groups.cuts, strict=True):
            deep = cut.axis.level is not None and len(cut.above(int(key))) >= cut.axis.level if isinstance(key, int) else True
            if kind == "team" and not deep:
                below += [(("team", one), of) for one in found.teams.get(key, ())]
            elif kind in found.below and not deep:
                below += [(who, {**of, str(kind): one}) for one in found.below[str(kind)].get(key, ())]
        wanted = found.target(*days, who, of)
        if wanted is None:
            return None
        for other, others in below:
            wanted -= found.target(*days, other, others) or 0
        return wanted

    def possible(self, table: Table, found: Goals) -> list[tuple[Any, ...]]:
        """The keys of everybody and everything that was given a goal, for each piece of time."""
        days = self.span or self.reach(table)
        if days is None:
            return []
        nodes = list(found.nodes(*days))
        ways: list[list[Any]] = []
        for kind, cut in zip(self.kinds, self.groups.cuts, strict=True):
            if kind == "time":
                unit, last = cut.unit or "month", days[1] - timedelta(days=1)
                begin, end = (named(floor(day, unit, self.door.schema.fiscal_start), unit) for day in (days[0], last))
                ways.append(between(begin, end, unit))
            elif kind == "person":
                ways.append(list(dict.fromkeys(who[1] for who, _ in nodes if who is not None and who[0] == "person")))
            elif kind == "team":
                ways.append(list(dict.fromkeys(cut.place(one) for below in found.teams.values() for one in below)))
            elif kind in found.below:
                ways.append(list(dict.fromkeys(cut.place(one) for below in found.below[kind].values() for one in below)))
            elif kind in found.of:
                place = found.of.index(kind)
                ways.append(list(dict.fromkeys(of[place] for _, of in nodes if of[place] is not None)))
            else:
                return []
        size = 1
        for way in ways:
            size *= len(way)
        return list(product(*ways)) if size <= MOST else []

    def reach(self, table: Table) -> tuple[date, date] | None:
        if self.timed is None:
            return None
        unit = self.groups.cuts[self.timed].unit or "month"
        starts = [start_of(keys[self.timed], unit) for keys, _ in table if keys[self.timed] is not None]
        return (min(starts), after(max(starts), unit)) if starts else None


def part(value: Any, wanted: Decimal | None) -> Decimal | None:
    """How much of a goal was reached."""
    return Decimal(str(value)) / wanted if value is not None and wanted else None


def reading(result: Result, key: str) -> str:
    """How a report stands to its goals: the whole, and who is furthest ahead and behind; "" where nothing was set."""
    t = result.words
    columns = [one.key for one in result.columns]
    at, goal, reached = (columns.index(name) for name in (key, f"{key}_goal", f"{key}_reached"))
    rows = [row for row in result.exact if row[goal]]
    if not rows:
        return ""
    due = columns.index(f"{key}_due") if f"{key}_due" in columns else None
    done, wanted = (sum((Decimal(str(row[place] or 0)) for row in rows), Decimal(0)) for place in (at, goal))

    def told(place: int, value: Any) -> str:
        return shown(t, result.columns[place], value, True)

    said = [t("{done} of {goal} ({part}).", done=told(at, done), goal=told(goal, wanted), part=t.percent(round(done / wanted, 2)))]
    if due is not None:
        by_now = sum((Decimal(str(row[due] or 0)) for row in rows), Decimal(0))
        if by_now:
            said.append(t("Due by today: {due}.", due=told(due, by_now)))
    if len(rows) > 1 and not result.columns[0].unit:
        ahead, behind = max(rows, key=lambda row: row[reached] or 0), min(rows, key=lambda row: row[reached] or 0)
        parts = [(shown(t, result.columns[0], row[0]), t.percent(round(row[reached] or Decimal(0), 2))) for row in (ahead, behind)]
        said.append(
            t("Furthest: {top} ({high}); least: {bottom} ({low}).", top=parts[0][0], high=parts[0][1], bottom=parts[1][0], low=parts[1][1])
        )
    return " ".join(said)
