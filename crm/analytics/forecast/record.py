"""The record of a forecast: replayed at the beginnings of past months with nothing but what was known then (I3).

Each replay learns anew from the history until its moment and foretells the months after it. Beside it stand three baselines from the
same knowledge: the same month of the year before, the mean of the last `MEAN` months, and the weighted pipeline by expected dates.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd

from crm.analytics.forecast import kept
from crm.analytics.forecast.base import Record
from crm.analytics.forecast.history import DAY, NEVER, History, read
from crm.analytics.forecast.kept import Replayed
from crm.analytics.forecast.prepared import Prepared, chosen, learned_at, moment_of, won_by_month
from crm.analytics.forecast.sides import axis_of, currency, cut_of, sides
from crm.analytics.periods import moved

if TYPE_CHECKING:
    from crm.records import Door
    from crm.schema.model import Forecast

#: Months ahead that are judged, and the months of the moving mean.
AHEAD, MEAN = 3, 12
#: Days within which a said chance is held against what came.
WITHIN = 90
#: Runs of each replay.
RUNS = 4_000
#: Records won or lost before the first replay, at least: before that there is nothing to learn from.
LEAST = 10
BASELINES = ("last_year", "moving_mean", "weighted")
#: Upper edges of the classes of said chances.
CLASSES = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])


def replay(door: Door, spec: Forecast, back: int, where: Any = None, as_of: datetime | None = None) -> Record:
    """The forecast at the beginning of each of the last `back` months, judged by what is known now or was known at a moment."""
    history = read(door, spec)
    now = moment_of(door, as_of)
    today = history.day(now)
    this = date(today.year, today.month, 1)
    rows: list[dict[str, Any]] = []
    said: list[pd.DataFrame] = []
    later = history.at(now)
    every = [moved(this, -n) for n in range(back + AHEAD, -1, -1)]
    actual = dict(zip(every, won_by_month(history, judged(door, spec, history, later, where, as_of), every)[0], strict=True))
    for made_on, moment in moments(history, now, back):
        _, one = replayed(door, spec, history, moment, where)
        for ahead, month in enumerate(one.months):
            if month >= this:
                break
            came, low, high = actual[month], one.figures["p10"][ahead], one.figures["p90"][ahead]
            figures = {name: values[ahead] for name, values in one.figures.items()}
            shared = {"made": pd.Timestamp(made_on), "month": pd.Timestamp(month), "ahead": ahead + 1}
            rows.append({**shared, **figures, "actual": came, "inside": bool(low <= came <= high)})
        if moment + WITHIN <= now:
            said.append(came_true(history, one, moment))
    return summed(door, spec, history, rows, said)


#: Replays held in memory for a company. They follow from what was known at a past moment alone, so nothing written later makes them wrong.
KEPT = 400
_kept: WeakKeyDictionary[Any, OrderedDict[str, Replayed]] = WeakKeyDictionary()


def replayed(door: Door, spec: Forecast, history: History, moment: float, where: Any) -> tuple[str, Replayed]:
    """The forecast at one past moment, and its name; the same knowledge gives the same again, and is worked out once."""
    then = datetime.fromtimestamp(moment * DAY / 1000, UTC)
    chosen_ = chosen(door, spec, history, where, then)
    name = f"{spec.name}.{history.day(moment)}.{kept.terms(door, spec)}.{kept.fingerprint(history, moment, chosen_)}"
    held = _kept.setdefault(door.company, OrderedDict())
    found = held.get(name) or kept.fetched(door, name)
    if found is None:
        found = made_at(door, spec, history, moment, chosen_)
        if not where:  # what is narrowed by hand is rarely asked for twice
            kept.keep(door, name, found)
    held[name] = found
    held.move_to_end(name)
    while len(held) > KEPT:
        held.popitem(last=False)
    return name, found


def made_at(door: Door, spec: Forecast, history: History, moment: float, chosen_: np.ndarray | None) -> Replayed:
    """A replay, worked out."""
    made = learned_at(door, spec, history, moment, chosen_, months=AHEAD, far=WITHIN + 40)
    drawn = made.simulate(runs=RUNS)
    figures = dict(zip(("p10", "p50", "p90"), drawn.quantiles().tolist(), strict=True))
    figures |= {"mean": drawn.totals.mean(0).tolist(), **baselines(made)}
    one, deal = made.learned.now, made.open
    said = made.learned.chances(deal, np.array([float(WITHIN)]))[:, 0] if len(deal) else np.zeros(0)
    kinds, kind = np.unique(one.kind[deal], return_inverse=True)
    sources = [history.sources[n] if n >= 0 else None for n in kinds.tolist()]
    return Replayed(made.months, figures, history.ids[deal], one.code[deal], one.owner[deal], kind.astype(np.int32), said, sources)


def moments(history: History, now: float, back: int) -> list[tuple[date, float]]:
    """The beginnings of the last months at which there was enough to learn from: (day, moment)."""
    today = history.day(now)
    days = [moved(date(today.year, today.month, 1), -n) for n in range(back, 0, -1)]
    stays = history.stays
    shut = (stays.code >= 0) & (history.outcome[np.maximum(stays.code, 0)] > 0)
    enter, leave = stays.enter[shut], stays.leave[shut]
    there = [(day, history.moment(day)) for day in days]
    return [(day, moment) for day, moment in there if ((enter <= moment) & (leave > moment)).sum() >= LEAST]


def warm(door: Door, spec: Forecast) -> set[str]:
    """Works out and keeps the replays that this user's record of a forecast will ask for; their names."""
    history = read(door, spec)
    return {replayed(door, spec, history, moment, None)[0] for _, moment in moments(history, moment_of(door, None), spec.back)}


def judged(door: Door, spec: Forecast, history: History, now: Any, where: Any, as_of: datetime | None) -> Any:
    """What is known now, of the records the forecast is about."""
    kept = chosen(door, spec, history, where, as_of)
    if kept is not None:
        now.code = np.where(kept, now.code, -1)
    return now


def baselines(made: Prepared) -> dict[str, list[float]]:
    """What the three simple ways foretell of the months of a forecast, from what was known at its moment."""
    one, months = made.learned, made.months
    first = months[0]
    before = [moved(first, -n) for n in range(MEAN, 0, -1)]
    past = won_by_month(one.history, one.now, before)[0]
    begun = one.history.day(one.history.begins) if one.history.begins < NEVER else first
    whole = np.array([month >= date(begun.year, begun.month, 1) for month in before])
    mean = float(past[whole].mean()) if whole.any() else float("nan")
    year = [moved(month, -12) for month in months]
    ago = won_by_month(one.history, one.now, year)[0]
    known = [month >= date(begun.year, begun.month, 1) for month in year]
    return {
        "last_year": [float(value) if there else float("nan") for value, there in zip(ago, known, strict=True)],
        "moving_mean": [mean] * len(months),
        "weighted": [float(value) for value in sides(made)["weighted"].sum(0)],
    }


def came_true(history: History, one: Replayed, moment: float) -> pd.DataFrame:
    """Of each record open then: its state, owner and source (by number), the chance said to be won within `WITHIN` days, whether it was."""
    stays, outcome = history.stays, history.outcome
    won = np.zeros(len(history.ids), dtype=bool)
    in_time = (stays.code >= 0) & (stays.enter > moment) & (stays.enter <= moment + WITHIN)
    in_time &= outcome[np.maximum(stays.code, 0)] == 1
    won[stays.deal[in_time]] = True
    came = won[np.searchsorted(history.ids, one.ids)]
    return pd.DataFrame({"state": one.code, "owner": one.owner, "kind": one.kinds(history), "said": one.said.astype(float), "came": came})


def summed(door: Door, spec: Forecast, history: History, rows: list[dict[str, Any]], said: list[pd.DataFrame]) -> Record:
    """The figures of the record."""
    columns = ["made", "month", "ahead", "p10", "p50", "p90", "mean", "actual", "inside", *BASELINES]
    frame = pd.DataFrame(rows, columns=columns)
    nothing = float("nan")
    size = float(frame["actual"].mean()) if len(frame) else 0.0

    def error(name: str, part: pd.DataFrame) -> float:
        return float((part[name] - part["actual"]).abs().mean()) / size if len(part) and size else nothing

    errors = {name: error(name, frame[frame[name].notna()]) for name in BASELINES}
    same = {name: error("p50", frame[frame[name].notna()]) for name in BASELINES}
    return Record(
        frame=frame,
        coverage=float(frame["inside"].mean()) if len(frame) else nothing,
        bias=float((frame["p50"] - frame["actual"]).mean()) / size if size else nothing,
        error=error("p50", frame),
        baselines=errors,
        calibrate=lambda: calibrated(door, spec, history, said),
        currency=currency(door, spec),
        same=same,
        words=door.words,
        notes={
            "replays": int(frame["made"].nunique()) if len(frame) else 0,
            "pairs": len(frame),
            "mean": size,
            "said": sum(map(len, said)),
        },
    )


def calibrated(door: Door, spec: Forecast, history: History, said: list[pd.DataFrame]) -> pd.DataFrame:
    """Said chances held against what came: by `of` (all, stage, rep, source), `group`, and class: said (mean), came (part), n."""
    t = door.words
    users = door.schema.users
    told = pd.concat(said) if said else pd.DataFrame({name: [] for name in ("state", "owner", "kind", "said", "came")})
    owners = {int(one) for one in told["owner"].unique() if one}
    names = door.titles(users.entity, owners) if users is not None and door.may("see", users.entity) else {}
    hidden, none = t("Not visible to you"), t("(none)")
    shown: dict[int, str] = {}
    if spec.source_path and history.sources:
        cut = cut_of(door, spec, axis_of(door, spec, spec.source_path), None)
        cut.name_all(history.sources)
        shown = {n: str(cut.shown(value)) for n, value in enumerate(history.sources)}
    several = len({state.pipeline for state in history.states}) > 1
    stages = [stage_name(door, state, several) for state in history.states]
    rows: list[dict[str, Any]] = []
    said_, came = told["said"].to_numpy(dtype=float), told["came"].to_numpy(dtype=float)
    place = np.minimum(np.searchsorted(CLASSES, said_, side="right"), len(CLASSES) - 1)
    parts = {
        "all": (np.zeros(len(told), dtype=np.int64), [""]),
        "stage": called(told["state"], lambda code: stages[code]),
        "rep": called(told["owner"], lambda owner: names.get(owner, hidden) if owner else none),
        "source": called(told["kind"], lambda kind: shown.get(kind, none)),
    }
    for of, (number, groups) in parts.items():
        if of == "source" and not history.sources:
            continue
        cell = number * len(CLASSES) + place
        n, expected, won = (np.bincount(cell, weight, minlength=len(groups) * len(CLASSES)) for weight in (None, said_, came))
        for one in np.flatnonzero(n).tolist():
            many = int(n[one])
            rows.append(
                {
                    "of": of, "group": groups[one // len(CLASSES)], "class": one % len(CLASSES), "said": float(expected[one] / many),
                    "came": float(won[one] / many), "n": many, "expected": float(expected[one]), "won": int(won[one]),
                }
            )  # fmt: skip
    return pd.DataFrame(rows, columns=["of", "group", "class", "said", "came", "n", "expected", "won"])


def called(numbers: pd.Series, name: Callable[[int], str]) -> tuple[np.ndarray, list[str]]:
    """(of each number the place of what it stands for, what they stand for, in order); each is looked up once."""
    unique, back = np.unique(numbers.to_numpy(), return_inverse=True)
    names = [name(int(one)) for one in unique]
    ordered = sorted(set(names))
    place = np.array([ordered.index(one) for one in names], dtype=np.int64)
    return place[back] if len(names) else np.zeros(0, dtype=np.int64), ordered


def stage_name(door: Door, state: Any, many: bool) -> str:
    """What a stage is called; with its pipeline where there are several."""
    label = state.stage.label_in(door.words)
    return f"{door.schema.pipelines[state.pipeline].label_in(door.words)}: {label}" if many else str(label)
