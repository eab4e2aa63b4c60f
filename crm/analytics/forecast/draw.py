"""Draws futures: which open records are won in which month, what new ones bring, in many runs at once.

A run belongs to one of `WORLDS`, which differ in what the past leaves open (how quickly and how well things go on the whole, how much
comes in), so that months and records of one run share their luck. Within a world each open record is one draw of its month (or none), and
the numbers of new wins a month are Poisson: thinning arrivals by their chance to be won in that month leaves independent Poisson numbers.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

#: Sets of what the past leaves open, over which the runs are spread.
WORLDS = 20
#: Draws held in memory at once.
BLOCK = 1_000_000
#: Records with less of a chance than this are drawn by their wins, the others run by run: what is quicker, the futures are distributed alike.
RARE = 0.02
#: New wins a month over which their sum is drawn from a gamma of the same mean, variance and skewness (Pearson III).
MANY = 60


@dataclass
class Open:
    """Open records as the draw sees them: `chance` (worlds, n, months) cumulated by month, `amount` (n,) with NaN where `typical` is drawn,
    `state` (n,) the place of their list in `ratios`, `group` (n,) the number of their group."""

    chance: np.ndarray
    amount: np.ndarray
    state: np.ndarray
    group: np.ndarray


@dataclass
class Coming:
    """What new records bring: `mean` (worlds, groups, lines, months) numbers of wins expected, `spread` the variance over the mean of a
    month's number, `values` by line what is won."""

    mean: np.ndarray
    spread: float
    values: list[np.ndarray]


def draw_open(open_: Open, ratios: list[np.ndarray], typical: list[np.ndarray], groups: int, runs: int, seed: int) -> np.ndarray:
    """(groups, runs, months) of money won from open records."""
    worlds, n, months = open_.chance.shape
    if not n:
        return np.zeros((groups, runs, months))
    edges = np.linspace(0, runs, worlds + 1).astype(int)
    seeds = np.random.SeedSequence([seed, 1]).spawn(worlds)
    sizes = np.array([len(one) for one in ratios])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    pool = np.concatenate(ratios).astype(np.float32)
    usual = [one if len(one) else np.ones(1) for one in typical]
    amount = open_.amount.astype(np.float32)
    missing = np.isnan(amount)
    single = groups == 1

    def world(w: int) -> np.ndarray:
        rng = np.random.Generator(np.random.SFC64(seeds[w]))
        many = int(edges[w + 1] - edges[w])
        width = many * months
        total = np.zeros(groups * width)
        if not many:
            return total.reshape(groups, many, months)
        seldom = open_.chance[w, :, -1] < RARE
        for picked, drawn, step in ((~seldom, lots, max(1, BLOCK // many)), (seldom, rare, n)):
            chances, worths, states = open_.chance[w][picked], amount[picked], open_.state[picked]
            parts, unknown = open_.group[picked], missing[picked]
            for start in range(0, len(chances), step):
                here = slice(start, start + step)
                chance = chances[here]
                deal, run, lot = drawn(rng, chance[:, -1], many)
                month = np.zeros(len(deal), dtype=np.int64)
                for m in range(months - 1):
                    month += lot >= chance[:, m][deal]
                state = states[here][deal]
                which = starts[state] + (rng.random(len(deal), dtype=np.float32) * sizes[state]).astype(np.int64)
                worth = worths[here][deal] * pool[which]
                empty = unknown[here]
                if empty.any():
                    for at in np.flatnonzero(empty[deal]):
                        worth[at] = rng.choice(usual[int(state[at])])
                place = run * months + month
                if not single:
                    place += parts[here][deal] * width
                total += np.bincount(place, worth, minlength=groups * width)
        return total.reshape(groups, many, months)

    with ThreadPoolExecutor(2) as threads:
        return np.concatenate(list(threads.map(world, range(worlds))), axis=1)


def lots(rng: np.random.Generator, chance: np.ndarray, runs: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(record, run, lot) of every win of records with such chances: a lot for each of them in each run, evenly between 0 and 1, wins below its
    chance."""
    u = rng.random((len(chance), runs), dtype=np.float32)
    hit = np.flatnonzero(u < chance[:, None])
    deal = hit // runs
    return deal, hit - deal * runs, u.ravel()[hit]


def rare(rng: np.random.Generator, chance: np.ndarray, runs: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same of records that seldom win, without a lot for every run: points that fall on a record and a run by a Poisson process of the
    rate −log(1 − chance) leave a run free of them with the chance not to win, each for itself, and so are exactly as distributed."""
    rates = np.cumsum(-np.log1p(-chance.astype(np.float64)))
    many = int(rng.poisson(rates[-1] * runs))
    place = np.minimum(np.searchsorted(rates, rng.random(many) * rates[-1], side="right"), len(chance) - 1)
    deal, run = np.divmod(np.unique(place * runs + rng.integers(0, runs, many)), runs)
    return deal, run, rng.random(len(deal)) * chance[deal]


def draw_coming(coming: Coming, size: float, runs: int, seed: int) -> np.ndarray:
    """(groups, runs, months) of money won from records that are not there yet; `size` multiplies what each brings."""
    worlds, groups, lines, months = coming.mean.shape
    edges = np.linspace(0, runs, worlds + 1).astype(int)
    rng = np.random.Generator(np.random.SFC64(np.random.SeedSequence([seed, 2])))
    world = np.repeat(np.arange(worlds), np.diff(edges))
    found = np.zeros((groups, runs, months))
    extra = coming.spread - 1.0
    whole = coming.mean.sum(axis=(1, 2))[world]  # (runs, months): what varies beyond chance varies for all groups together
    luck = np.ones((runs, months))
    if extra > 1e-6:
        shape = np.maximum(whole, 1e-9) / extra
        luck = rng.gamma(shape) / shape
    for line in range(lines):
        values = coming.values[line]
        if not len(values):
            continue
        for group in range(groups):
            expected = coming.mean[:, group, line, :]
            if not expected.any():
                continue
            number = rng.poisson(expected[world] * luck)
            few = number <= MANY
            count = np.where(few, number, 0).ravel()
            worth: np.ndarray = np.zeros(count.size)
            if count.sum():
                which = rng.integers(0, len(values), int(count.sum()))
                worth = np.bincount(np.repeat(np.arange(count.size), count), values[which], minlength=count.size)
            worth = worth.reshape(number.shape)
            if not few.all():
                worth[~few] = np.maximum(0.0, sums(rng, number[~few], values))
            found[group] += worth * size
    return found


def sums(rng: np.random.Generator, many: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Sums of so many independent draws of values, by a gamma with the mean, variance and skewness of the sum."""
    mean, sd = float(values.mean()), float(values.std())
    skew = float(((values - mean) ** 3).mean() / sd**3) if sd > 1e-9 * max(1.0, abs(mean)) else 0.0
    if skew < 1e-3:
        normal: np.ndarray = rng.normal(many * mean, np.sqrt(many) * sd)
        return normal
    drawn: np.ndarray = many * (mean - 2 * sd / skew) + rng.gamma(4 * many / skew**2) * (sd * skew / 2)
    return drawn
