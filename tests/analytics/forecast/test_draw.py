"""Drawn futures against slow loops and against what can be worked out exactly (I4)."""

from __future__ import annotations

import random

import numpy as np
import pytest
from scipy import stats

from crm.analytics.forecast import draw
from crm.analytics.forecast.draw import MANY, WORLDS, Coming, Open, draw_coming, draw_open

CHANCE = np.array([[0.1, 0.3, 0.6], [0.5, 0.5, 0.9], [0.0, 0.2, 0.2], [1.0, 1.0, 1.0], [0.05, 0.5, 0.51]], dtype=np.float32)
AMOUNT = np.array([100.0, 40, 7, 1000, np.nan])
RATIOS = [np.array([0.5, 1.0, 1.5]), np.array([1.0])]
TYPICAL = [np.array([10.0, 30]), np.array([10.0, 30])]
STATE = np.array([0, 1, 0, 1, 1])


def slow(runs: int, rng: random.Random) -> np.ndarray:
    """The same futures, one deal and one draw at a time."""
    found = np.zeros((runs, 3))
    for run in range(runs):
        for deal in range(5):
            lot = rng.random()
            for month in range(3):
                if lot < CHANCE[deal, month]:
                    amount = (
                        rng.choice(list(TYPICAL[1])) if np.isnan(AMOUNT[deal]) else AMOUNT[deal] * rng.choice(list(RATIOS[STATE[deal]]))
                    )
                    found[run, month] += amount
                    break
    return found


def fast(runs: int, seed: int = 0, group: np.ndarray | None = None) -> np.ndarray:
    opened = Open(np.repeat(CHANCE[None], WORLDS, axis=0), AMOUNT, STATE, np.zeros(5, dtype=int) if group is None else group)
    return draw_open(opened, RATIOS, TYPICAL, 1 if group is None else 2, runs, seed)


def test_the_fast_draw_has_the_distribution_of_the_slow_one() -> None:
    a, b = fast(20_000)[0], slow(6_000, random.Random(1))
    for month in range(3):
        # the totals are discrete, so their values are counted and compared
        values = sorted(set(np.round(a[:, month], 3)) | set(np.round(b[:, month], 3)))
        counts = np.array([[(np.round(one[:, month], 3) == value).sum() for value in values] for one in (a, b)])
        counts = counts[:, counts.sum(0) >= 20]
        assert stats.chi2_contingency(counts).pvalue > 0.001
    assert np.corrcoef(a.T) == pytest.approx(np.corrcoef(b.T), abs=0.04)


def seldom(size: int = 60) -> Open:
    """Records whose chances lie on both sides of `RARE`, worth so much that totals tell which were won."""
    rng = np.random.default_rng(3)
    final = np.concatenate([rng.uniform(0.0, draw.RARE, size // 2), rng.uniform(draw.RARE, 0.06, size - size // 2), [0.0]])
    share = np.sort(rng.random((len(final), 3)), axis=1)
    share[:, 2] = 1.0
    chance = np.repeat((final[:, None] * share).astype(np.float32)[None], WORLDS, axis=0)
    return Open(chance, np.r_[np.nan, rng.lognormal(3, 1, size)], np.arange(size + 1) % 2, np.arange(size + 1) % 3)


def test_records_that_are_seldom_won_are_drawn_as_all_others(monkeypatch) -> None:
    """By their wins or run by run: the same numbers of wins, sums, months and groups, within what so many runs can tell."""
    opened, runs = seldom(), 40_000
    by_wins = draw_open(opened, RATIOS, TYPICAL, 3, runs, 0)
    monkeypatch.setattr(draw, "RARE", 0.0)
    by_runs = draw_open(opened, RATIOS, TYPICAL, 3, runs, 1)
    chance = opened.chance[0].astype(float)
    for group in range(3):
        for month in range(3):
            a, b = by_wins[group, :, month], by_runs[group, :, month]
            assert stats.ks_2samp(a, b).pvalue > 0.0005
            part = (np.diff(chance, axis=1, prepend=0))[opened.group == group, month]
            for found in (a, b):  # a month without a win, by hand
                assert (found == 0).mean() == pytest.approx(np.prod(1 - part), abs=4 * np.sqrt(0.25 / runs))
    assert np.cov(by_wins.sum(0).T) == pytest.approx(np.cov(by_runs.sum(0).T), rel=0.1, abs=0.05 * by_runs.sum(0).var(0).max())


def test_what_is_seldom_won_is_won_at_most_once() -> None:
    """Where points fall twice on the same run of a record, it is one win."""
    chance = np.full((WORLDS, 1, 1), 0.999, dtype=np.float32)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(draw, "RARE", 1.0)
        found = draw_open(Open(chance, np.array([7.0]), np.array([1]), np.zeros(1, dtype=int)), RATIOS, TYPICAL, 1, 20_000, 0)[0, :, 0]
    assert set(found) == {0.0, 7.0} and (found > 0).mean() == pytest.approx(0.999, abs=0.001)


def test_mean_and_variance_are_those_worked_out() -> None:
    found = fast(40_000)[0]
    part = np.diff(CHANCE, axis=1, prepend=0)
    first = np.array([100, 40, 7, 1000, 20.0])  # mean of what each brings
    second = np.array([100**2 * (0.25 + 1 + 2.25) / 3, 1600, 49 * 3.5 / 3, 1e6, 500])
    mean = (part * first[:, None]).sum(0)
    variance = (part * second[:, None] - (part * first[:, None]) ** 2).sum(0)
    assert found.mean(0) == pytest.approx(mean, abs=4 * np.sqrt(variance.max() / 40_000))
    assert found.var(0) == pytest.approx(variance, rel=0.05, abs=1e-6)


def test_nothing_is_won_twice_and_what_is_sure_is_always_won() -> None:
    found = fast(5_000)[0]
    assert (found.sum(1) <= 1000 + 150 + 40 + 10.5 + 30 + 1e-6).all() and (found[:, 0] >= 1000).all()


def test_groups_share_out_the_same_futures() -> None:
    whole, split = fast(3_000)[0], fast(3_000, group=np.array([0, 1, 0, 1, 1]))
    assert split.shape == (2, 3_000, 3)
    assert split.sum(0) == pytest.approx(whole)


def test_the_same_seed_gives_the_same_and_another_another() -> None:
    assert np.array_equal(fast(2_000), fast(2_000)) and not np.array_equal(fast(2_000), fast(2_000, seed=1))


def test_no_open_records_bring_nothing() -> None:
    opened = Open(np.zeros((WORLDS, 0, 3), dtype=np.float32), np.zeros(0), np.zeros(0, dtype=int), np.zeros(0, dtype=int))
    assert not draw_open(opened, RATIOS, TYPICAL, 1, 500, 0).any()


def test_new_wins_are_a_compound_poisson() -> None:
    values = np.array([10.0, 20, 60])
    mean = np.full((WORLDS, 1, 1, 2), 3.0)
    found = draw_coming(Coming(mean, 1.0, [values]), 1.0, 40_000, 0)[0]
    assert found.mean(0) == pytest.approx([90, 90], rel=0.02)
    assert found.var(0) == pytest.approx([3 * (values**2).mean()] * 2, rel=0.04)
    assert (found == 0).mean(0) == pytest.approx([np.exp(-3)] * 2, abs=0.005)
    assert np.corrcoef(found.T)[0, 1] == pytest.approx(0, abs=0.02)  # thinned Poisson numbers are independent


def test_months_that_vary_more_than_chance_do_so_here() -> None:
    mean = np.full((WORLDS, 1, 1, 1), 20.0)
    found = draw_coming(Coming(mean, 3.0, [np.array([1.0])]), 1.0, 40_000, 0)[0, :, 0]
    assert found.mean() == pytest.approx(20, rel=0.02) and found.var() == pytest.approx(3 * 20, rel=0.05)


def test_very_many_new_wins_have_mean_variance_and_skewness_of_their_sum() -> None:
    values = np.random.default_rng(2).lognormal(3, 1, 400)
    mean = np.full((WORLDS, 1, 1, 1), MANY * 3.0)
    found = draw_coming(Coming(mean, 1.0, [values]), 1.0, 60_000, 0)[0, :, 0]
    wins = MANY * 3
    assert found.mean() == pytest.approx(wins * values.mean(), rel=0.01)
    assert found.var() == pytest.approx(wins * (values**2).mean(), rel=0.03)
    skew = (values**3).mean() * wins / (wins * (values**2).mean()) ** 1.5  # of a compound Poisson
    assert stats.skew(found) == pytest.approx(skew, rel=0.15)
