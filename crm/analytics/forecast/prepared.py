"""Everything learned for one user at one moment, and the futures drawn from it with levers turned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from crm.analytics.forecast.base import Simulation
from crm.analytics.forecast.draw import WORLDS, Coming, Open, draw_coming, draw_open
from crm.analytics.forecast.history import DAY, History, read
from crm.analytics.forecast.learn import FAR, NODES, STEP, Learned, learn
from crm.analytics.forecast.levers import Levers
from crm.analytics.periods import moved

if TYPE_CHECKING:
    from crm.records import Door
    from crm.schema.model import Forecast

#: The chance to be won in the end that a lever cannot exceed.
MOST = 0.98
#: Days of a month, where months are counted in days.
MONTH = 30.44


@dataclass
class Prepared:
    """What `prepare` gives: `months` are the first days of the months to come; `assumptions` what is taken for granted, to be shown.

    `done` (groups, months) is won already; `keys` the keys of the groups (one, None, where nothing is cut)."""

    spec: Forecast
    months: list[date]
    learned: Learned
    words: Any
    keys: list[Any] = field(default_factory=lambda: [None])
    group: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=int))  # of each record
    done: np.ndarray = field(default_factory=lambda: np.zeros((1, 0)))
    goal: float | None = None
    aimed: np.ndarray | None = None  # which months have a goal
    assumptions: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        one, now = self.learned, self.learned.now
        outcome = one.history.outcome
        self.open = np.flatnonzero((now.code >= 0) & (outcome[np.maximum(now.code, 0)] == 0))
        self.age = one.moment - now.entered[self.open]
        self.factor = one.factor(now.owner[self.open], now.kind[self.open])
        history = one.history
        self.ends = np.array([history.moment(moved(month, 1)) - one.moment for month in self.months])
        lines = list(one.ratios.won)
        self.typical = [one.ratios.won[state.pipeline] for state in history.states]
        rng = np.random.Generator(np.random.SFC64(20))
        self.shock = rng.normal(size=(WORLDS, 1 + 2 * len(history.states)))
        self.shock -= self.shock.mean(0)
        self.shock /= self.shock.std(0)
        self.curve = self._entries(len(lines))

    def _entries(self, lines: int) -> np.ndarray:
        """(worlds, groups, lines, steps) the chance to be won within so many steps of a new record, times the part that begins so."""
        incoming, curves = self.learned.arrivals, self.learned.curves
        steps = curves.won.shape[-1]
        found = np.zeros((WORLDS, len(self.keys), lines, steps), dtype=np.float32)
        n = len(incoming.code)
        if not n:
            return found
        rows = np.column_stack([self.group[incoming.deal], incoming.line, incoming.code, np.round(incoming.factor, 2)])
        unique, many = np.unique(rows, axis=0, return_counts=True)
        code, factor = unique[:, 2].astype(int), unique[:, 3:]
        days = np.arange(steps) * float(STEP)
        for w in range(WORLDS):
            fresh = np.sqrt(np.log1p(self.learned.pace.variance))
            shifted = [factor + self._wobble(w, code) + z * fresh - fresh**2 / 2 for z in NODES]
            won = np.mean([curves.within(code, np.zeros(len(code)), one, days) for one in shifted], axis=0) * (many / n)[:, None]
            np.add.at(found[w], (unique[:, 0].astype(int), unique[:, 1].astype(int)), won)
        return found

    def _wobble(self, world: int, code: np.ndarray) -> np.ndarray:
        """(n, 2) the logarithms of the factors by which the hazards of states may be off in one world."""
        wobble: np.ndarray = self.shock[world, 1:].reshape(-1, 2) * self.learned.wobble
        return wobble[code]

    def simulate(self, levers: Levers | None = None, *, runs: int | None = None, seed: int = 0) -> Simulation:
        """Drawn futures with the levers turned; the same seed gives the same draws, so that levers are compared on equal luck."""
        levers = levers or Levers()
        runs = runs or self.spec.runs
        groups = len(self.keys)
        by_group = draw_open(self._opened(levers), self.learned.ratios.of, self.typical, groups, runs, seed)
        by_group *= levers.deal_size
        by_group += draw_coming(self._coming(levers), levers.deal_size, runs, seed)
        by_group += self.done[:, None, :]
        totals = by_group.sum(0)
        split = dict(zip(self.keys, by_group, strict=True)) if self.keys != [None] else {}
        return Simulation(totals, self.months, levers, self.words, split, self.goal, self.aimed)

    def _opened(self, levers: Levers) -> Open:
        now = self.learned.now
        code = now.code[self.open]
        return Open(self._chances(code, levers), now.amount[self.open], code.astype(int), self.group[self.open])

    def _chances(self, code: np.ndarray, levers: Levers) -> np.ndarray:
        """(worlds, open records, months) the chance to be won by the end of each month; those of today's levers are looked up where they
        were worked out a moment ago: an amount or a date that was changed leaves them as they are."""
        curves, key = self.learned.curves, b""
        days = np.append(self.ends / levers.cycle, 1e9)
        if levers.cycle == levers.win_rate == 1:
            mark = blake2b(digest_size=16)
            for column in (code, self.age, self.factor, self.learned.pace.sd[self.open], self.learned.pace.mean[self.open], days):
                mark.update(np.ascontiguousarray(column).data)
            key = mark.digest()
            if key in curves.chances:
                return curves.chances[key]
        chance = np.zeros((WORLDS, len(code), len(self.months)), dtype=np.float32)
        pace = self._paces() if len(code) else self.factor
        for w in range(WORLDS if len(code) else 0):
            within = curves.within(code, self.age, self.factor + self._wobble(w, code) + pace[:, w, None], days)
            most = np.minimum(levers.win_rate, MOST / np.maximum(within[:, -1:], 1e-9)) if levers.win_rate > 1 else levers.win_rate
            chance[w] = within[:, :-1] * most
        if key:
            curves.chances = {key: chance}
        return chance

    def _paces(self) -> np.ndarray:
        """(open records, worlds) a value of each one's unknown pace: all equally likely parts of a normal variable, in an order of its own."""
        parts, pace = NormalDist().inv_cdf, self.learned.pace
        middle = np.array([parts((w + 0.5) / WORLDS) for w in range(WORLDS)])
        middle /= middle.std()
        rng = np.random.Generator(np.random.SFC64([20, 1]))
        found: np.ndarray = rng.permuted(np.tile(middle, (len(self.open), 1)), axis=1) * pace.sd[self.open, None]
        return found + pace.mean[self.open, None]

    def _coming(self, levers: Levers) -> Coming:
        """The wins to expect of what comes in: each day's arrivals, thinned by the chance to be won in each month."""
        incoming, history = self.learned.arrivals, self.learned.history
        far = int(np.ceil(self.ends[-1]))
        day = np.arange(far) + 0.5
        today = history.day(self.learned.moment)
        season = np.array([incoming.season[(today + timedelta(days=int(n))).month - 1] for n in range(far)])
        rate = incoming.level * season * levers.arrivals * self._spent(levers)
        if levers.reps:
            ramp = self.spec.ramp * MONTH
            learned_ = np.minimum(1.0, day / ramp) if ramp else np.ones(far)
            each = incoming.level * season / max(1, incoming.people)
            rate = np.maximum(0.0, rate + levers.reps * each * (learned_ if levers.reps > 0 else 1.0))
        steps = self.curve.shape[-1]
        within = np.zeros((*self.curve.shape[:3], len(self.months)))
        before = np.zeros(self.curve.shape[:3])
        for m, end in enumerate(self.ends):
            at = np.clip((end - day) / levers.cycle / STEP, 0, steps - 1)
            low = np.minimum(np.floor(at).astype(int), steps - 2)
            part = at - low
            weight = np.zeros(steps)
            came = rate * (day < end)
            np.add.at(weight, low, came * (1 - part))
            np.add.at(weight, low + 1, came * part)
            total = self.curve @ weight
            within[..., m] = total - before
            before = total
        most = levers.win_rate
        if most > 1:
            final = self.curve[..., -1].sum(axis=(1, 2)).mean()
            most = min(most, MOST / max(final, 1e-9))
        level = np.exp(self.shock[:, 0] * incoming.sd - incoming.sd**2 / 2)
        won = [values if len(values) else self._begun(n) for n, values in enumerate(incoming.pipeline_won)]
        part_won = self.curve[..., -1].sum() / max(1e-9, WORLDS)
        spread = 1 + (incoming.spread - 1) * float(np.clip(part_won, 0, 1))  # thinned, a number varies less beyond chance
        return Coming(np.maximum(0.0, within) * most * level[:, None, None, None], spread, won)

    def _begun(self, line: int) -> np.ndarray:
        """What new records of a pipeline are worth that never won anything yet."""
        incoming, stays = self.learned.arrivals, self.learned.now
        amount = stays.amount[incoming.deal[incoming.line == line]]
        return amount[amount > 0]

    def _spent(self, levers: Levers) -> float:
        share, elasticity = self.assumptions.get("campaign_share", 0.0), self.assumptions.get("elasticity", 0.0)
        return 1 + share * (levers.spend**elasticity - 1)


def moment_of(door: Door, as_of: datetime | None) -> float:
    """A moment in days; now where none is given."""
    return (as_of or door.company.now()).astimezone(UTC).timestamp() * 1000 / DAY


def chosen(door: Door, spec: Forecast, history: History, where: Any, as_of: datetime | None) -> np.ndarray | None:
    """Which records fulfil the conditions at a moment (a yes or no by record); None for all."""
    conditions = [one for one in (spec.where, *(where if isinstance(where, (list, tuple)) else [where])) if one is not None and one != ""]
    if not conditions:
        return None
    frame = door.frame(spec.entity, ["id"], where=conditions, as_of=as_of)
    return np.isin(history.ids, frame.index.to_numpy(dtype=np.int64))


def months_of(today: date, many: int) -> list[date]:
    """The first days of the running month and those after it."""
    return [moved(date(today.year, today.month, 1), n) for n in range(many)]


def won_by_month(history: History, now: Any, months: Sequence[date], group: np.ndarray | None = None, groups: int = 1) -> np.ndarray:
    """(groups, months) of what was won, by the month of the date it was closed."""
    outcome = history.outcome
    won = np.flatnonzero((now.code >= 0) & (outcome[np.maximum(now.code, 0)] == 1) & ~np.isnan(now.amount))
    found = np.zeros((groups, len(months)))
    if len(won):
        close = now.close[won]
        day = close.copy()
        for n in np.flatnonzero(np.isnan(close)):
            day[n] = history.day(now.entered[won[n]]).toordinal()
        edges = np.array([one.toordinal() for one in months] + [moved(months[-1], 1).toordinal()])
        at = np.searchsorted(edges, day, side="right") - 1
        inside = (at >= 0) & (at < len(months))
        where = np.zeros(len(won), dtype=int) if group is None else group[won]
        np.add.at(found, (where[inside], at[inside]), now.amount[won][inside])
    return found


def study(
    door: Door, spec: Forecast, as_of: datetime | None, where: Any = None, grouped: tuple[list[Any], np.ndarray] | None = None
) -> Prepared:
    """Learn from what was known at a moment; `grouped` are the keys of groups and the number of each record's group."""
    history = read(door, spec)
    return learned_at(door, spec, history, moment_of(door, as_of), chosen(door, spec, history, where, as_of), grouped)


def learned_at(
    door: Door,
    spec: Forecast,
    history: History,
    moment: float,
    kept: np.ndarray | None,
    grouped: tuple[list[Any], np.ndarray] | None = None,
    months: int | None = None,
    far: int = FAR,
) -> Prepared:
    """The forecast at a moment of the records kept (None: all)."""
    learned = learn(history, moment, kept, spec.shrink, far)
    ahead = months_of(history.day(moment), months or spec.months)
    keys, group = grouped or ([None], np.zeros(len(history.ids), dtype=int))
    return Prepared(spec, ahead, learned, door.words, keys, group, won_by_month(history, learned.now, ahead, group, len(keys)))
