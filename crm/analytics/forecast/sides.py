"""What people say, side by side with what the history says: committed, best case, pipeline, weighted, the goal, and adjustments."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crm.analytics.cuts import Cut, resolve
from crm.analytics.forecast.base import Forecast
from crm.analytics.forecast.prepared import Prepared, won_by_month
from crm.analytics.periods import moved
from crm.errors import Refused
from crm.records.columns import placed
from crm.records.goals import ALL, Goals, goals
from crm.schema.model import Axis, Report

if TYPE_CHECKING:
    from crm.analytics.forecast.history import History
    from crm.records import Door
    from crm.schema import model

#: Which figures the records of a forecast category count in.
COUNTED = {
    "closed": ("committed", "best_case", "pipeline"),
    "commit": ("committed", "best_case", "pipeline"),
    "best_case": ("best_case", "pipeline"),
    "pipeline": ("pipeline",),
    "omitted": (),
}
SIDES = ("committed", "best_case", "pipeline", "weighted")


def axis_of(door: Door, spec: model.Forecast, by: str) -> Axis:
    """One of the forecast's axes by name, or any path the user may read."""
    found = next((axis for axis in spec.by if by in (axis.key, axis.field)), None)
    if found is None:
        try:
            field = door.schema_field(spec.entity, by)
        except (Refused, KeyError) as error:
            raise Refused("There is no field called {key} here.", key=by) from error
        found = Axis(by.replace(".", "_"), field.label, by)
    if not door.path_open(spec.entity, found.field):
        raise Refused("There is no field called {key} here.", key=by)
    return found


def cut_of(door: Door, spec: model.Forecast, axis: Axis, as_of: datetime | None) -> Cut:
    return Cut(door, Report(spec.name, spec.label, spec.entity), axis, as_of)


def grouped(door: Door, spec: model.Forecast, cut: Cut, history: History, as_of: datetime | None) -> tuple[list[Any], np.ndarray]:
    """(keys of the groups, the number of each record's group), as records were at a moment. Their order is that of the keys themselves,
    in which futures are drawn: the same in all languages."""
    ids, columns = door.columns(spec.entity, [cut.axis.field], as_of=as_of)
    column = columns[cut.axis.field]
    codes = np.full(len(history.ids), -1)
    place, there = placed(history.ids, ids)
    codes[place] = column.codes[there]
    seen = {code: cut.places(column.kinds.values[code] if code >= 0 else None)[0] for code in np.unique(codes).tolist()}
    ordered = sorted(dict.fromkeys(seen.values()), key=lambda key: (key is None, str(key)))
    number = {key: n for n, key in enumerate(ordered)}
    table = np.zeros(len(column.kinds.values) + 1, dtype=int)
    for code, key in seen.items():
        table[code] = number[key]  # of -1, nothing, the last
    return ordered or [None], table[codes]


def shown_order(cut: Cut, keys: list[Any]) -> list[int]:
    """The places of the keys as their reader expects them: as the YAML ranks them, then by name; the empty group comes last."""
    ranking = cut.ranking
    cut.name_all(keys)
    names = [(key is None, ranking.get(key, len(ranking)), str(cut.shown(key) or "")) for key in keys]
    return sorted(range(len(keys)), key=names.__getitem__)


def sides(made: Prepared) -> dict[str, np.ndarray]:
    """(groups, months) of each figure that needs no drawing, `actual` among them. What is overdue stands in the first month."""
    one, now, months = made.learned, made.learned.now, made.months
    history, size = one.history, (len(made.keys), len(made.months))
    actual = won_by_month(history, now, months, made.group, size[0])
    found = {name: actual.copy() for name in SIDES}
    edges = np.array([month.toordinal() for month in months] + [moved(months[-1], 1).toordinal()])
    amount, close = now.amount[made.open], now.close[made.open]
    told = ~np.isnan(amount) & ~np.isnan(close) & (close < edges[-1])
    amount, close, deal = amount[told], close[told], made.open[told]
    month = np.maximum(0, np.searchsorted(edges, close, side="right") - 1)
    group, code, chance = made.group[deal], now.code[deal], now.chance[deal]
    stages = [state.stage for state in history.states]
    for name in ("committed", "best_case", "pipeline"):
        here = np.array([name in COUNTED[stage.forecast] for stage in stages])[code]
        np.add.at(found[name], (group[here], month[here]), amount[here])
    part = np.where(np.isnan(chance), np.array([float(stage.probability) for stage in stages])[code], chance)
    here = np.array([stage.forecast != "omitted" for stage in stages])[code]
    np.add.at(found["weighted"], (group[here], month[here]), (amount * part)[here])
    found["actual"] = actual
    return found


def targets(door: Door, spec: model.Forecast, months: list[date], cut: Cut | None, keys: list[Any], as_of: datetime | None) -> np.ndarray:
    """(groups, months) of the goals, NaN where none was set; only where the groups are what goals are given to."""
    found = np.full((len(keys), len(months)), np.nan)
    known = goals(door, months[0], moved(months[-1], 1), as_of=as_of)
    if known is None:
        return found
    for g, key in enumerate(keys):
        for m, month in enumerate(months):
            wanted = goal_of(door, known, month, cut, spec.entity, key)
            if wanted is not None:
                found[g, m] = float(wanted)
    return found


def goal_of(door: Door, known: Goals, month: date, cut: Cut | None, entity: str, key: Any) -> Decimal | None:
    """The goal of one group in one month."""
    after = moved(month, 1)
    if cut is None:
        return known.target(month, after, ALL)
    to = getattr(resolve(door, entity, cut.axis.field), "to", None)
    users, teams, roles = door.schema.users, door.schema.teams, door.schema.goals
    if key is None or to is None:
        return None
    if users is not None and to == users.entity:
        return known.target(month, after, ("person", int(key)))
    if teams is not None and to == teams.entity:
        return known.target(month, after, ("team", int(key)))
    of = next((one for one in known.of if roles and door.schema.entities[roles.entity].fields[one].to == to), None)
    return known.target(month, after, ALL, {of: int(key)}) if of else None


def adjustments(
    door: Door, spec: model.Forecast, months: list[date], cut: Cut | None, as_of: datetime | None
) -> dict[tuple[date, Any], dict[str, float]]:
    """{(month, group key): {figure: how much more}} of what managers added and this user sees. Where the groups are no people, none."""
    roles = door.schema.forecast_adjustments
    if roles is None or not door.may("see", roles.entity):
        return {}
    needed = [one for one in (roles.month, roles.amount, roles.who, roles.category, roles.forecast) if one]
    if not set(needed) <= door.readable(roles.entity):
        return {}
    people = (
        cut is not None
        and door.schema.users is not None
        and getattr(resolve(door, spec.entity, cut.axis.field), "to", None) == door.schema.users.entity
    )
    if cut is not None and not people:
        return {}
    frame = door.frame(roles.entity, needed, as_of=as_of)
    found: dict[tuple[date, Any], dict[str, float]] = {}
    for n in range(len(frame)):
        row = {key: frame[key].iloc[n] for key in needed}
        day, amount = row[roles.month], row[roles.amount]
        if pd.isna(day) or pd.isna(amount):
            continue
        month = date(day.year, day.month, 1)
        of = row.get(roles.forecast or "")
        who = row.get(roles.who or "")
        if month not in months or (isinstance(of, str) and of and of != spec.name):
            continue
        key = None if not people or who is None or pd.isna(who) else int(who)
        category = row.get(roles.category or "")
        figure = roles.categories.get(category, "total") if isinstance(category, str) else "total"
        here = found.setdefault((month, key), {})
        here[figure] = here.get(figure, 0.0) + float(amount)
    return found


def side_by_side(door: Door, spec: model.Forecast, made: Prepared, cut: Cut | None, as_of: datetime | None) -> Forecast:
    """The figures of a prepared forecast as a frame."""
    figures = sides(made)
    drawn = made.simulate()
    by_group = [drawn.groups[key] for key in made.keys] if drawn.groups else [drawn.totals]
    ranges = np.stack([np.quantile(one, (0.1, 0.5, 0.9), axis=0) for one in by_group])  # (groups, 3, months)
    goal = targets(door, spec, made.months, cut, made.keys, as_of)
    added = adjustments(door, spec, made.months, cut, as_of)
    rows, keys = [], []
    order = [0] if cut is None else shown_order(cut, made.keys)
    for m, month in enumerate(made.months):
        for g, key in ((g, made.keys[g]) for g in order):
            row: dict[str, Any] = {"month": pd.Timestamp(month)}
            if cut is not None:
                row["group"] = cut.shown(key) if key is not None else door.words("(none)")
            row |= {name: float(figures[name][g, m]) for name in SIDES}
            row |= {name: float(ranges[g, n, m]) for n, name in enumerate(("p10", "p50", "p90"))}
            row["goal"] = float(goal[g, m])
            total = added.get((month, key), {}).get("total")
            row["adjusted"] = float("nan") if total is None else row["p50"] + total
            row["actual"] = float(figures["actual"][g, m])
            rows.append(row)
            keys.append(key)
    columns = ["month", *(["group"] if cut is not None else []), *SIDES, "p10", "p50", "p90", "goal", "adjusted", "actual"]
    open_ = made.open
    undated = int(np.isnan(made.learned.now.close[open_]).sum()) if len(open_) else 0
    whole = drawn.quantiles(whole=True)
    notes = {
        "undated": undated,
        "open": len(open_),
        "whole": tuple(float(one) for one in whole),
        "assumptions": made.assumptions,
        "goal": made.goal,
        "aimed": len(made.months) if made.aimed is None else int(made.aimed.sum()),
        "chance": drawn.chance() if made.goal is not None else None,
    }
    moment = as_of or door.company.now()
    frame = pd.DataFrame(rows, columns=columns)
    fan = drawn.frame.assign(actual=figures["actual"].sum(0))
    return Forecast(
        spec,
        frame,
        moment,
        door.words,
        cut.axis.key if cut else None,
        keys,
        added,
        notes,
        label=cut.axis.label_in(door.words) if cut else "",
        fan=fan,
        currency=currency(door, spec),
    )


def currency(door: Door, spec: model.Forecast) -> str:
    """The currency of the amounts, "" for the company's own."""
    field = door.schema.entities[spec.entity].fields[door.schema.pipelines[spec.pipelines[0]].fields["amount"]]
    return getattr(field, "currency", None) or ""
