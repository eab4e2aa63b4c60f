"""What the past teaches: how quickly stages are left and for where, by whom and from what source, what becomes of amounts, what comes in.

**Stages.** A record in a stage is at risk, each day, of going to another stage, of being won and of being lost: competing risks with a
hazard for each that is constant over pieces of its age in the stage (piecewise exponential; Friedman 1982). Each hazard is the mean of a
gamma posterior: a piece leans on its stage and on the shape that the ages of all stages have in common, the stage on what the YAML expects
(`days`, `probability`), so a company without a past has the forecast of its configuration. Records still in a stage count as watched
until then (right censored).

**Who and from where.** Each person and source multiplies the hazards of going ahead and of losing by a factor of their own: observed over
expected events, shrunk to 1 by a gamma frailty whose variance is learned by moments over all of them, so that few records say little.

**Chance by day.** From hazards follows the chance to be won within so many days, from every stage and age and for a grid of factors, by
the backward recursion of a semi-Markov chain in steps of `STEP` days.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from hashlib import blake2b
from threading import Lock
from typing import Any

import numpy as np

from crm.analytics.forecast.history import NEVER, History, Now, Stays

#: Ages in a stage at which its hazards may change, in parts of the time records stay in it on average.
EDGES = np.array([0, 0.2, 0.4, 0.7, 1.0, 1.4, 2.0, 3.0, 5.0, NEVER])
#: Days of one step of the chain, the last age it tells apart, and how far it looks.
STEP, OLDEST, FAR = 2, 180, 720
#: Pseudo events by which a piece of age leans on its stage, and a stage on the YAML.
LEAN = 2.0
#: How much the number of new records may grow or shrink in a year, as the standard deviation of its logarithm.
TREND = 0.25
#: The grid of factors (natural logarithms) on which chances are worked out; between its points they are interpolated.
GRID = np.linspace(-1.2, 1.2, 9)
#: Values of a person or source that no record had.
NOBODY = -1


@dataclass
class Hazards:
    """Events a day by (state, piece of age): `ahead` to another open stage or won, `lost`; `split` (state, next state) shares out `ahead`;
    `scale` the days of a state's average stay, in which its pieces are measured."""

    ahead: np.ndarray
    lost: np.ndarray
    split: np.ndarray
    scale: np.ndarray
    events: np.ndarray  # (state, 2) how many went ahead and were lost


@dataclass
class Factors:
    """By key the logarithms of the two factors (ahead, lost), and the variance they were shrunk by."""

    of: dict[Any, tuple[float, float]] = field(default_factory=dict)
    variance: tuple[float, float] = (0.0, 0.0)

    def look(self, keys: np.ndarray) -> np.ndarray:
        """(n, 2) of keys; 0 of unknown ones."""
        unique, back = np.unique(keys, return_inverse=True)
        table = np.array([self.of.get(one, (0.0, 0.0)) for one in unique.tolist()]).reshape(-1, 2)
        return table[back]


@dataclass
class Watched:
    """The stays in open states as far as they were watched: `days` by stay and piece of age, the `piece` each ended in, and how."""

    stays: Stays
    scale: np.ndarray
    days: np.ndarray
    piece: np.ndarray
    ahead: np.ndarray
    lost: np.ndarray

    @property
    def ended(self) -> np.ndarray:
        found: np.ndarray = self.ahead | self.lost
        return found


def watch(history: History, stays: Stays, now: float) -> Watched:
    """The sufficient statistics of the hazards: time at risk and ends, by piece of age."""
    outcome = history.outcome
    part = stays.taken((stays.code >= 0) & (outcome[np.maximum(stays.code, 0)] == 0))
    until = np.minimum(part.leave, now) - part.enter
    ended = np.isfinite(part.leave) & (part.leave <= now)
    scale = scales(history, part.code, until, ended)
    unit = scale[part.code]
    length = until / unit
    days = np.empty((len(length), len(EDGES) - 1))
    for n, (low, high) in enumerate(zip(EDGES[:-1], EDGES[1:], strict=True)):
        days[:, n] = np.clip(length - low, 0, high - low) * unit
    piece = np.clip(np.searchsorted(EDGES, length, side="right") - 1, 0, len(EDGES) - 2)
    lost = ended & ((part.following < 0) | (outcome[np.maximum(part.following, 0)] == 2))
    return Watched(part, scale, days, piece, ended & ~lost, lost)


def scales(history: History, code: np.ndarray, until: np.ndarray, ended: np.ndarray) -> np.ndarray:
    """The average stay in each state in days, leaning on what the YAML expects."""
    days, size = expected(history)[0], len(history.states)
    watched, ends = np.bincount(code, until, minlength=size), np.bincount(code, ended, minlength=size)
    return np.maximum(0.5, (watched + days) / (ends + 1))


def expected(history: History) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the YAML expects of each state: (days in it, the chance to go ahead, (state, next) of it)."""
    n = len(history.states)
    days, ahead, split = np.full(n, 14.0), np.full(n, 0.5), np.zeros((n, n))
    for here, state in enumerate(history.states):
        if not state.open:
            continue
        if state.stage.days:
            days[here] = max(1.0, float(state.stage.days))
        later = [
            k for k, one in enumerate(history.states)
            if one.pipeline == state.pipeline and one.stage.outcome != "lost" and one.stage.index > state.stage.index
        ]  # fmt: skip
        following = next((k for k in later if history.states[k].open), later[0] if later else None)
        if following is None:
            continue
        split[here, following] = 1.0
        own, then = float(state.stage.probability), float(history.states[following].stage.probability) or 1.0
        ahead[here] = min(0.95, max(0.05, own / then if then else own))
    return days, ahead, split


def hazards(history: History, seen: Watched, factor: np.ndarray | None = None) -> Hazards:
    """Hazards of all states; `factor` (stays, 2) are the known factors of each stay, by which its time at risk counts more or less."""
    n, bins = len(history.states), len(EDGES) - 1
    days, chance, split = expected(history)
    code = seen.stays.code
    rates, ends = [], []
    for kind, (here, prior) in enumerate(((seen.ahead, chance), (seen.lost, 1 - chance))):
        weight = None if factor is None else np.exp(factor[:, kind])
        risk = np.column_stack(
            [np.bincount(code, seen.days[:, m] if weight is None else seen.days[:, m] * weight, minlength=n) for m in range(bins)]
        )
        events = np.bincount(code[here].astype(int) * bins + seen.piece[here], minlength=n * bins).reshape(n, bins).astype(float)
        whole = (events.sum(1) + prior) / (risk.sum(1) + days)
        foretold = (risk * whole[:, None]).sum(0)
        shape = (events.sum(0) + LEAN) / (foretold + LEAN)
        piecewise = whole[:, None] * shape[None, :]
        rates.append((events + LEAN) / (risk + LEAN / piecewise))
        ends.append(events.sum(1))
    moves = split.copy()
    np.add.at(moves, (code[seen.ahead], seen.stays.following[seen.ahead]), 1.0)
    total = moves.sum(1, keepdims=True)
    moves = np.divide(moves, total, out=np.zeros_like(moves), where=total > 0)
    shut = history.outcome != 0
    rates[0][shut], rates[1][shut] = 0.0, 0.0
    return Hazards(rates[0], rates[1], moves, seen.scale, np.column_stack(ends))


def foreseen(seen: Watched, base: Hazards) -> np.ndarray:
    """(stays, 2) the events ahead and lost to expect of each stay while it was watched, were all alike."""
    code = seen.stays.code
    return np.column_stack([np.einsum("ij,ij->i", seen.days, rate[code]) for rate in (base.ahead, base.lost)])


def factors(seen: Watched, expect: np.ndarray, keys: np.ndarray, other: np.ndarray, shrink: int | None = None) -> Factors:
    """How much sooner each key goes ahead and is lost than expected (`foreseen`), given the factors `other` (stays, 2) known besides."""
    unique, back = np.unique(keys, return_inverse=True)
    given = unique != NOBODY
    logs, variances = [], []
    for kind, events in enumerate((seen.ahead, seen.lost)):
        expected_ = np.bincount(back, expect[:, kind] * np.exp(other[:, kind]), minlength=len(unique))
        observed = np.bincount(back, events, minlength=len(unique))
        spread = ((observed - expected_) ** 2 - expected_)[given].sum() / max(1e-9, (expected_**2)[given].sum())
        variance = float(np.clip(spread, 0.0, 1.0)) if given.sum() > 1 else 0.0
        weightless = shrink if shrink is not None else (1 / variance if variance > 1e-4 else np.inf)
        ratio = np.ones(len(unique)) if np.isinf(weightless) else (observed + weightless) / np.maximum(expected_ + weightless, 1e-9)
        logs.append(np.log(np.clip(ratio, 0.2, 5.0)))
        variances.append(variance)
    of = {key: (float(a), float(b)) for key, a, b in zip(unique.tolist(), *logs, strict=True) if key != NOBODY}
    return Factors(of, (variances[0], variances[1]))


@dataclass
class Pace:
    """How quick single records are: those that left a stage early leave the next one early, too. `mean` and `sd` of the logarithm of each
    record's own factor, by what it showed in the stages it has left; `variance` of the factor over all records."""

    mean: np.ndarray
    sd: np.ndarray
    variance: float


def paces(size: int, seen: Watched, expect: np.ndarray, factor: np.ndarray) -> Pace:
    """A gamma frailty for each of `size` records (Vaupel, Manton and Stallard 1979). Its variance is the covariance of the martingale
    residuals of successive stays, which is nothing where stays are independent; a record's own factor follows from the stages it left."""
    deal, ended = seen.stays.deal, seen.ended
    wanted = (expect * np.exp(factor)).sum(1)
    rest = ended - wanted
    pairs = (deal[1:] == deal[:-1]) & ended[:-1]
    shared = float((rest[1:] * rest[:-1])[pairs].sum() / max(1e-9, (wanted[1:] * wanted[:-1])[pairs].sum()))
    variance = float(np.clip(shared * pairs.sum() / (pairs.sum() + 30), 0.0, 1.0))
    if variance < 1e-3:
        return Pace(np.zeros(size), np.zeros(size), 0.0)
    shape = np.bincount(deal[ended], minlength=size) + 1 / variance
    mean = shape / (np.bincount(deal[ended], wanted[ended], minlength=size) + 1 / variance)
    sd = np.sqrt(np.log1p(1 / shape))  # of the lognormal with the mean and variance of the gamma
    return Pace(np.log(mean) - sd**2 / 2, sd, variance)


#: The middles of so many equally likely parts of a normal variable: what a record's unknown pace is averaged over.
NODES = np.array([-1.282, -0.524, 0.0, 0.524, 1.282]) / 0.89


@dataclass
class Curves:
    """`won[a, b, s, age, t]`: the chance to be won within `t` steps from state `s` of an age (in steps), with factors GRID[a] ahead and
    GRID[b] lost. Only states that are open have a place (`place`)."""

    won: np.ndarray
    place: np.ndarray
    tables: dict[bytes, np.ndarray] = field(default_factory=dict)
    chances: dict[bytes, np.ndarray] = field(default_factory=dict)  # of the open records asked for last, by what they follow from

    def within(self, code: np.ndarray, age: np.ndarray, factor: np.ndarray, days: np.ndarray) -> np.ndarray:
        """(n, len(days)) chances to be won within so many days of records in a state, of an age in days, with factors (n, 2)."""
        spots, parts = [], []
        for axis in (0, 1):
            x = (np.clip(factor[:, axis], GRID[0], GRID[-1]) - GRID[0]) / (GRID[1] - GRID[0])
            left = np.minimum(np.floor(x).astype(int), len(GRID) - 2)
            spots.append(left)
            parts.append((x - left).astype(np.float32)[:, None])
        _, k, states, ages, _ = self.won.shape
        row = (self.place[code] * ages + np.clip((age / STEP).astype(int), 0, ages - 1)) + (spots[0] * k + spots[1]) * states * ages
        by_day = self._by_day(days, len(code))
        found = np.zeros((len(code), len(days)), dtype=np.float32)
        for da in (0, 1):
            for db in (0, 1):
                weight = (parts[0] if da else 1 - parts[0]) * (parts[1] if db else 1 - parts[1])
                found += weight * by_day(row + (da * k + db) * states * ages)
        return found

    def _by_day(self, days: np.ndarray, many: int) -> Callable[[np.ndarray], np.ndarray]:
        """The chances by day of rows of (factor, factor, state, age); all of them at once where more are asked for than there are."""
        steps = np.clip(np.asarray(days, dtype=float) / STEP, 0, self.won.shape[-1] - 1)
        low = np.minimum(np.floor(steps).astype(int), self.won.shape[-1] - 2)
        part = (steps - low).astype(np.float32)
        rows = np.moveaxis(self.won, -1, 0).reshape(self.won.shape[-1], -1)  # by step

        def between(which: np.ndarray | slice) -> np.ndarray:
            found = rows[:, which]
            return np.ascontiguousarray((found[low] * (1 - part[:, None]) + found[low + 1] * part[:, None]).T)

        if many * 4 < rows.shape[1]:
            return between
        key = steps.tobytes()
        table = self.tables.get(key)
        if table is None:
            table = between(slice(None))
            self.tables = {key: table}  # the next worlds ask for the same days
        return table.__getitem__


def curves(history: History, base: Hazards, far: int = FAR) -> Curves:
    """The chances by the backward recursion: what a record that lives one step longer can still become."""
    outcome = history.outcome
    opened = np.flatnonzero(outcome == 0)
    place = np.full(len(outcome) + 1, 0)
    place[opened] = np.arange(len(opened))
    ages = np.arange(0, OLDEST, STEP)
    piece = np.searchsorted(EDGES, (ages + STEP / 2)[None, :] / base.scale[opened][:, None], side="right") - 1
    rows = np.arange(len(opened))[:, None]
    k, size = len(GRID), (len(opened), len(ages))
    up, down = np.exp(GRID)[:, None, None, None], np.exp(GRID)[None, :, None, None]
    ahead = base.ahead[opened][rows, piece][None, None] * up
    lost = base.lost[opened][rows, piece][None, None] * down
    both = ahead + lost
    leave = -np.expm1(-both * STEP)
    go = (leave * ahead / np.maximum(both, 1e-12)).astype(np.float32)
    stay = (1 - leave).astype(np.float32)
    win = base.split[opened][:, outcome == 1].sum(1).astype(np.float32)
    move = base.split[np.ix_(opened, opened)].astype(np.float32)
    steps = far // STEP + 1
    won = np.zeros((steps, k, k, *size), dtype=np.float32)  # in memory by step, one after the other
    before = won[0, ..., 0]
    room = np.empty_like(go)
    for t in range(1, steps):
        last, here = won[t - 1], won[t]
        begun = np.minimum(1.5 * last[..., 0] - 0.5 * before, 1.0)  # a stage is entered in the middle of a step
        before = last[..., 0]
        np.multiply(stay[..., :-1], last[..., 1:], out=here[..., :-1])
        np.multiply(stay[..., -1], last[..., -1], out=here[..., -1])
        here += np.multiply(go, (win + begun @ move.T)[..., None], out=room)
    return Curves(np.moveaxis(won, 0, -1), place)


@dataclass
class Arrivals:
    """New records a day: `level` now with its uncertainty (sd of the logarithm), `season` by month (mean 1), `spread` how much a month's
    number varies beyond chance (variance over mean, at least 1); entries are the states they begin in with the factors they have."""

    level: float
    sd: float
    season: np.ndarray
    spread: float
    code: np.ndarray
    factor: np.ndarray
    pipeline_won: list[np.ndarray]  # by entry state's pipeline: what was won for
    line: np.ndarray  # of each entry the place of its pipeline
    person: np.ndarray  # of each entry its owner
    deal: np.ndarray  # of each entry its record
    people: int = 0
    counts: list[tuple[date, float, float]] = field(default_factory=list)  # month, days watched, number


def arrivals(
    history: History, stays: Stays, now: float, months: int = 36
) -> tuple[float, float, np.ndarray, float, list[tuple[date, float, float]]]:
    """(level a day, its sd, season, spread, counts): a penalised Poisson regression of the numbers by month on the month of the year and a
    trend; in the level, older months count less (half after a year)."""
    from crm.analytics.periods import moved

    made = stays.enter[stays.first & (stays.code >= 0)]
    made = made[(made <= now)]
    if not len(made):
        return 0.0, 0.5, np.ones(12), 1.0, []
    today = history.day(now)
    month = date(today.year, today.month, 1)
    first = history.day(float(made.min()))
    counts: list[tuple[date, float, float]] = []
    for back in range(months, -1, -1):
        start = moved(month, -back)
        begin, end = max(history.moment(start), float(made.min())), min(history.moment(moved(start, 1)), now)
        if end - begin >= 5 and start >= date(first.year, first.month, 1):
            counts.append((start, end - begin, float(((made >= begin) & (made < end)).sum())))
    if not counts:
        return len(made) / (now - float(made.min()) + 30), 0.5, np.ones(12), 1.0, []  # one record on the first day is not one a day
    exposure = np.array([one[1] for one in counts])
    number = np.array([one[2] for one in counts])
    when = np.array([one[0].month - 1 for one in counts])
    age = (now - np.array([history.moment(one[0]) for one in counts])) / 365.25
    weight = 0.5 ** np.maximum(0.0, age)
    x = np.zeros((len(counts), 14))
    x[:, 0] = 1.0
    x[np.arange(len(counts)), 1 + when] = 1.0
    x[:, 13] = -age
    penalty = np.diag([1e-3, *([1 / 0.3**2] * 12), 1 / TREND**2])
    beta = np.zeros(14)
    beta[0] = np.log(max(0.5, float(number.sum())) / float(exposure.sum()))
    # months of the year are learned from all years alike, the level more from the last ones
    for w in (np.ones(len(counts)), weight):
        free = slice(None) if w is not weight else slice(0, 1)
        for _ in range(30):
            mu = exposure * np.exp(np.clip(x @ beta, -20, 20))
            gradient = (x.T @ (w * (number - mu)) - penalty @ beta)[free]
            curvature = ((x.T * (w * mu)) @ x + penalty)[free, free]
            step = np.linalg.solve(curvature, gradient)
            beta[free] += np.clip(step, -2, 2)
            if np.abs(step).max() < 1e-8:
                break
    mu = exposure * np.exp(x @ beta)
    spread = float(np.clip((weight * (number - mu) ** 2 / mu).sum() / max(1e-9, weight.sum()), 1.0, 10.0))
    season = np.exp(beta[1:13])
    season_mean = season.mean()
    sd = float(np.sqrt(spread / max(1.0, (weight * mu).sum())))
    return float(np.exp(beta[0]) * season_mean), sd, season / season_mean, spread, counts


@dataclass
class Ratios:
    """What becomes of an amount on the way to won: by state the ratios of what was won to what stood there when the state was entered;
    `start` what records were won for, by pipeline: for those that have no amount yet."""

    of: list[np.ndarray]
    won: dict[str, np.ndarray]


def ratios(history: History, stays: Stays, known: Now, least: int = 12) -> Ratios:
    """Of all that is known as won."""
    outcome = history.outcome
    won = (known.code >= 0) & (outcome[np.maximum(known.code, 0)] == 1) & (known.amount > 0)
    through = won[stays.deal] & (stays.code >= 0) & (stays.amount > 0)
    through &= outcome[np.maximum(stays.code, 0)] == 0
    ratio = known.amount[stays.deal[through]] / stays.amount[through]
    code = stays.code[through]
    every = ratio if len(ratio) else np.ones(1)
    of = [ratio[code == n] if (code == n).sum() >= least else every for n in range(len(history.states))]
    amounts: dict[str, np.ndarray] = {}
    for name in dict.fromkeys(one.pipeline for one in history.states):
        here = np.array([one.pipeline == name for one in history.states])
        amounts[name] = known.amount[won & here[np.maximum(known.code, 0)]]
    return Ratios(of, amounts)


@dataclass
class Learned:
    """Everything learned until one moment."""

    history: History
    moment: float  # from which ages and days to come are counted
    stays: Stays
    now: Now
    base: Hazards
    people: Factors
    origins: Factors
    curves: Curves
    ratios: Ratios
    arrivals: Arrivals
    pace: Pace
    wobble: np.ndarray  # (state, 2) sd of the logarithm of the hazards ahead and lost: how unsure they are as a whole

    def factor(self, owner: np.ndarray, kind: np.ndarray) -> np.ndarray:
        """(n, 2) of the factors of records."""
        return self.people.look(np.where(owner > 0, owner, NOBODY)) + self.origins.look(kind)

    def chances(self, deals: np.ndarray, days: np.ndarray) -> np.ndarray:
        """(n, len(days)) the chance of open records to be won within so many days, over what their pace may be."""
        now = self.now
        factor, age = self.factor(now.owner[deals], now.kind[deals]), self.moment - now.entered[deals]
        mean, sd = self.pace.mean[deals], self.pace.sd[deals]
        code = now.code[deals]
        return np.mean([self.curves.within(code, age, factor + (mean + z * sd)[:, None], days) for z in NODES], axis=0)


@dataclass
class Lessons:
    """What follows from the stays in stages alone, whatever amounts became of."""

    base: Hazards
    people: Factors
    origins: Factors
    pace: Pace
    curves: Curves


#: Lessons held in memory, by all they follow from: an amount, a date or a name that was changed teaches nothing new about chances. Those of a
#: large company take a hundred megabytes.
HELD = 2
_held: OrderedDict[bytes, Lessons] = OrderedDict()
_lock = Lock()


def lessons(history: History, stays: Stays, moment: float, shrink: int | None, far: int) -> Lessons:
    """What the stays teach; looked up where the same was learned a moment ago."""
    if far < FAR:  # replays are kept in another way
        return taught(history, stays, moment, shrink, far)
    said = [
        (state.pipeline, state.stage.key, state.stage.outcome, state.stage.index, str(state.stage.days), str(state.stage.probability))
        for state in history.states
    ]
    mark = blake2b(repr([said, len(history.ids), moment, shrink, far]).encode(), digest_size=16)
    for name in ("deal", "code", "enter", "leave", "following", "owner", "kind"):
        mark.update(np.ascontiguousarray(getattr(stays, name)).data)
    key = mark.digest()
    with _lock:
        found = _held.get(key)
        if found is not None:
            _held.move_to_end(key)
            return found
    found = taught(history, stays, moment, shrink, far)
    with _lock:
        _held[key] = found
        while len(_held) > HELD:
            _held.popitem(last=False)
    return found


def taught(history: History, stays: Stays, moment: float, shrink: int | None, far: int) -> Lessons:
    """The same, worked out."""
    seen = watch(history, stays, moment)
    persons, kinds = np.where(seen.stays.owner > 0, seen.stays.owner, NOBODY), seen.stays.kind.astype(np.int64)
    base = hazards(history, seen)
    people, origins = Factors(), Factors()
    for _ in range(2):
        expect = foreseen(seen, base)
        people = factors(seen, expect, persons, origins.look(kinds), shrink)
        origins = factors(seen, expect, kinds, people.look(persons), shrink)
        base = hazards(history, seen, people.look(persons) + origins.look(kinds))
    pace = paces(len(history.ids), seen, foreseen(seen, base), people.look(persons) + origins.look(kinds))
    return Lessons(base, people, origins, pace, curves(history, base, far))


def learn(history: History, moment: float, chosen: np.ndarray | None = None, shrink: int | None = None, far: int = FAR) -> Learned:
    """What was known at a moment, of the records chosen (a yes or no by record). Time is counted until the middle of its day
    (`History.clock`): what happened later in it counts as having happened then."""
    stays = history.stays.until(moment)
    now = history.at(moment)
    moment = history.clock(moment)
    stays.enter = np.minimum(stays.enter, moment)
    stays.leave = np.where(stays.leave < NEVER, np.minimum(stays.leave, moment), NEVER)
    now.entered = np.minimum(now.entered, moment)
    if chosen is not None:
        stays = stays.among(chosen)
        for name in ("row", "code"):
            setattr(now, name, np.where(chosen, getattr(now, name), -1))
    known = lessons(history, stays, moment, shrink, far)
    level, sd, season, spread, counts = arrivals(history, stays, moment)
    recent = stays.first & (stays.code >= 0) & (stays.enter > moment - 365)
    if recent.sum() < 30:
        recent = stays.first & (stays.code >= 0)
    entries = np.flatnonzero(recent)
    outcome = history.outcome
    entries = entries[outcome[stays.code[entries]] == 0][-2000:]
    ratio = ratios(history, stays, now)
    lines = list(ratio.won)
    line = np.array([lines.index(history.states[code].pipeline) for code in stays.code[entries]], dtype=int)
    incoming = Arrivals(
        level, sd, season, spread, stays.code[entries], np.zeros((len(entries), 2)), [ratio.won[name] for name in lines], line,
        stays.owner[entries], stays.deal[entries], len(set(stays.owner[entries][stays.owner[entries] > 0].tolist())), counts,
    )  # fmt: skip
    owner = stays.owner[entries]
    incoming.factor = known.people.look(np.where(owner > 0, owner, NOBODY)) + known.origins.look(stays.kind[entries])
    wobble = 1 / np.sqrt(known.base.events + LEAN)
    return Learned(
        history, moment, stays, now, known.base, known.people, known.origins, known.curves, ratio, incoming, known.pace, wobble
    )  # fmt: skip
