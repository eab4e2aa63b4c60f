"""What selling costs, and what one won deal costs, period by period or person by person (F9)."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from crm.analytics.analyses.base import ANALYSES, Analysis, Found, today_of
from crm.analytics.cuts import resolve
from crm.analytics.groups import asked
from crm.analytics.periods import between, floor, local, named, start_of
from crm.analytics.survival import local_days
from crm.analytics.values import added, cells, decoded, ended, numbers

if TYPE_CHECKING:
    import numpy as np

    from crm.records import Door
    from crm.records.columns import Column
    from crm.schema.model import Report

HOUR = 60


@ANALYSES.add
class CostOfSales(Analysis):
    """A row a period (`unit`) or, with `by: person`, a person: the time spent (`time`, an entity dated by `on`, where `counts`) at its
    `cost`, what campaigns cost (`spend`, from `spent_on` on, `spent`), and what was won against it: records of the report's entity whose
    stage is won (or `good`), by the roles of the pipeline.

    `written` is the part of those events that have their cost written down: what has none costs nothing here, so it says how much is missing.
    """

    name = "cost_of_sales"
    narrow = True
    options = {
        "by": "choice:period|person?",
        "unit": "choice:month|quarter|year?",
        "time": "entity",
        "on": "date of time",
        "cost": "figure of time",
        "minutes": "figure of time?",
        "who": "link of time?",
        "counts": "condition of time?",
        "spend": "entity?",
        "spent_on": "date of spend?",
        "spent": "figure of spend?",
        "good": "condition?",
    }
    needs = {"by=person": ["who"], "spend": ["spent_on", "spent"]}
    roles = ["amount", "close"]
    columns = {
        "period": "dimension date",
        "person": "dimension text",
        "hours": "measure number",
        "time": "measure money",
        "campaigns": "measure money",
        "cost": "measure money",
        "won": "measure integer",
        "revenue": "measure money",
        "per_won": "measure money",
        "per_revenue": "measure percent",
        "written": "measure percent",
    }

    def open_to(self, door: Door, report: Report) -> bool:
        entity = door.schema.entities[report.entity]
        roles = [one for one in map(entity.role, ("amount", "close", "owner", "stage")) if one]
        return super().open_to(door, report) and all(door.path_open(entity.name, one) for one in roles)

    def compute(self, door: Door, report: Report, *, where: list[Any], as_of: datetime | None, period: tuple[date, date] | None) -> Found:
        t, options = door.words, report.options
        person = options.get("by") == "person"
        unit = options.get("unit", "quarter")
        groups: dict[Any, dict[str, Any]] = defaultdict(lambda: {"minutes": 0, "time": Decimal(0), "campaigns": Decimal(0), "won": 0, "revenue": Decimal(0), "events": 0, "costed": 0})  # fmt: skip
        currency = self.time(door, report, groups, as_of, period, person, unit)
        if not person:
            self.spent(door, report, groups, as_of, period, unit)
        self.won(door, report, groups, where, as_of, period, person, unit)
        keys = [key for key in groups if key is not None]
        if person:
            owner = resolve(door, options["time"], options["who"]) if "who" in options else None
            titles = door.titles(owner.to, keys) if owner is not None else {}
            keys.sort(key=lambda key: (-groups[key]["time"], key))
        else:
            keys = between(min(keys), max(keys), unit) if keys else []
        rows = []
        for key in keys:
            one = groups[key]
            cost = one["time"] + one["campaigns"]
            rows.append({
                "period": None if person else start_of(key, unit), "person": titles.get(key, t("Not visible to you")) if person else None,
                "hours": round(one["minutes"] / HOUR, 1), "time": one["time"], "campaigns": one["campaigns"], "cost": cost,
                "won": one["won"], "revenue": one["revenue"], "per_won": cents(cost / one["won"]) if one["won"] else None,
                "per_revenue": round(cost / one["revenue"], 4) if one["revenue"] else None,
                "written": round(Decimal(one["costed"]) / one["events"], 4) if one["events"] else None,
            })  # fmt: skip
        spent = door.schema.entities[options["spend"]].plural_in(t) if "spend" in options else ""
        labels = {
            "period": t("Period"), "person": t("Person"), "hours": t("Hours"), "time": t("Cost of the time"), "campaigns": spent,
            "cost": t("Cost in all"), "won": t("Won"), "revenue": t("Won value"), "per_won": t("Cost of one won"),
            "per_revenue": t("Of the won value"), "written": t("Contacts with a cost"),
        }  # fmt: skip
        left_out = {"period" if person else "person", *(["campaigns"] if person or "spend" not in options else [])}
        left_out |= {"hours"} if "minutes" not in options else set()
        shown = [key for key in self.columns if key not in left_out]
        return Found(
            columns=[self.column(key, labels[key], currency, unit if key == "period" else None) for key in shown],
            rows=[[row[key] for key in shown] for row in rows],
            keys=[(key,) for key in keys],
            says=self.says(t, rows, groups, keys, person, currency, today_of(door, as_of), unit),
        )

    def key(self, at: str | None, zone: Any, period: tuple[date, date] | None, unit: str) -> str | None:
        """The period a stored date lies in; None outside of what is looked at."""
        if not at:
            return None
        day = local(at, zone)
        if period is not None and not period[0] <= day < period[1]:
            return None
        return named(floor(day, unit), unit)

    def time(
        self, door: Door, report: Report, groups: Any, as_of: datetime | None, period: tuple[date, date] | None, person: bool, unit: str
    ) -> str | None:
        """Adds the time spent up to today; gives its currency."""
        import numpy as np

        options, zone, today = report.options, door.words.tz, today_of(door, as_of)
        there = options["time"]
        condition = asked(door, there, options.get("counts"), as_of)
        paths = {word: options[word] for word in ("on", "cost", "minutes", "who") if word in options}
        ids, known = door.columns(there, list(dict.fromkeys(paths.values())), () if condition is None else [condition], as_of)
        columns = {word: known[path] for word, path in paths.items()}
        field = resolve(door, there, options["cost"])
        days = local_days(columns["on"], zone)
        for key, rows in self.grouped(np.where(days <= today.toordinal(), days, -1), period, unit, columns.get("who"), person).items():
            one, cost = groups[key], columns["cost"].take(rows)
            one["events"] += len(rows)
            one["costed"] += int((cost.codes >= 0).sum())
            one["time"] += added(field, cost)
            one["minutes"] += added(None, columns["minutes"].take(rows)) if "minutes" in columns else 0
        found: str | None = getattr(field, "currency", None)
        return found

    def spent(self, door: Door, report: Report, groups: Any, as_of: datetime | None, period: tuple[date, date] | None, unit: str) -> None:
        """Adds what campaigns cost, in the period they began."""
        options = report.options
        if not all(word in options for word in ("spend", "spent_on", "spent")):
            return
        frame = door.frame(options["spend"], [options["spent_on"], options["spent"]], as_of=as_of, stored=True)
        field = resolve(door, options["spend"], options["spent"])
        today = today_of(door, as_of)
        for at, cost in zip(cells(frame[options["spent_on"]]), cells(frame[options["spent"]]), strict=True):
            key = self.key(at, door.words.tz, period, unit)
            if key is not None and cost is not None and local(at, door.words.tz) <= today:
                groups[key]["campaigns"] += decoded(field, "sum", cost)

    def won(
        self, door: Door, report: Report, groups: Any, where: list[Any], as_of: datetime | None, period: tuple[date, date] | None,
        person: bool, unit: str,
    ) -> None:  # fmt: skip
        """Adds what was won."""
        import numpy as np

        entity = door.schema.entities[report.entity]
        good = report.options.get("good")
        amount, close, owner, stage = map(entity.role, ("amount", "close", "owner", "stage"))
        if amount is None or close is None or (good is None and stage is None):
            return
        conditions = [*where, *([asked(door, entity.name, good, as_of)] if good is not None else [])]
        paths = [one for one in (amount, close, owner, stage if good is None else None) if one]
        _, columns = door.columns(entity.name, list(dict.fromkeys(paths)), conditions, as_of)
        field, days = entity.fields[amount], local_days(columns[close], door.words.tz)
        if good is None:
            days = np.where(ended(entity.fields[str(stage)], columns[str(stage)], "won"), days, -1)
        for key, rows in self.grouped(days, period, unit, columns[owner] if owner else None, person).items():
            groups[key]["won"] += len(rows)
            groups[key]["revenue"] += added(field, columns[amount].take(rows))

    def grouped(
        self, days: np.ndarray, period: tuple[date, date] | None, unit: str, whose: Column | None, person: bool
    ) -> dict[Any, np.ndarray]:
        """`{period, or person: its rows}` of rows of which the days are known (-1: those that do not count)."""
        import numpy as np

        if period is not None:
            days = np.where((days >= period[0].toordinal()) & (days < period[1].toordinal()), days, -1)
        rows = np.flatnonzero(days >= 0)
        if person:
            keys = np.full(len(rows), -1) if whose is None else numbers(whose)[rows]
            names: dict[int, Any] = {one: None if one < 0 else one for one in np.unique(keys).tolist()}
        else:
            known, which = np.unique(days[rows], return_inverse=True)
            starts = np.array([floor(date.fromordinal(one), unit).toordinal() for one in known.tolist()], dtype=np.int64)
            keys = starts[which]
            names = {one: named(date.fromordinal(one), unit) for one in np.unique(keys).tolist()}
        return {name: rows[keys == one] for one, name in names.items()}

    def says(
        self, t: Any, rows: list[dict[str, Any]], groups: Any, keys: list[Any], person: bool, currency: str | None, today: date, unit: str
    ) -> str:
        """What one won record costs, beside the period before, and how much of the time is written down at all."""
        events, costed = (sum(one[word] for one in groups.values()) for word in ("events", "costed"))
        if not rows or not events:
            return str(t("Too little data: no cost of the time spent is written down."))
        written = t.percent(round(Decimal(costed) / events, 2))
        told = [row for row in rows if row["per_won"] is not None and (person or row["period"] < floor(today, unit))]
        if not told:
            return str(t("Nothing was won yet; {written} of all contacts have their cost written down.", written=written))
        if person:
            low, high = (pick(told, key=lambda row: row["per_won"]) for pick in (min, max))
            values = {
                "low": t.money_short(low["per_won"], currency),
                "who": low["person"],
                "high": t.money_short(high["per_won"], currency),
            }
            return str(t("One won costs least with {who} ({low}), most with {other} ({high}); {written} of all contacts have their cost written down.", **values, other=high["person"], written=written))  # fmt: skip
        last = told[-1]
        values = {"cost": t.money_short(last["per_won"], currency), "period": t.period(last["period"], unit), "written": written}
        values["rate"] = t.percent(round(last["per_revenue"], 3)) if last["per_revenue"] is not None else "–"
        if len(told) > 1:
            values["before"] = t.money_short(told[-2]["per_won"], currency)
            return str(t("One won cost {cost} in {period} ({before} the period before), {rate} of its value; {written} of all contacts have their cost written down.", **values))  # fmt: skip
        return str(t("One won cost {cost} in {period}, {rate} of its value; {written} of all contacts have their cost written down.", **values))  # fmt: skip


def cents(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"))
