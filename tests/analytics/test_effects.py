"""The statistics of the analyses on cases whose answer is known: enumerated, simulated, or small enough to count by hand."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from scipy import stats

from crm.analytics.analyses.cross_sell import Bought, held_back, rules, tried
from crm.analytics.analyses.drifting import overdue
from crm.analytics.analyses.drivers import of_groups, of_number, verdict
from crm.analytics.analyses.people_needed import Past, climb
from crm.analytics.effects import chance, corrected, difference
from crm.records.columns import Column
from crm.words import Words

T = Words("en", {}, "UTC", "EUR", {})


@pytest.mark.parametrize(("n", "p", "m", "q"), [(20, 0.5, 20, 0.5), (25, 0.2, 40, 0.5), (60, 0.35, 30, 0.3), (20, 0.9, 50, 0.8)])
def test_the_interval_of_a_difference_covers_it_as_often_as_it_says(n, p, m, q):
    """Every possible outcome, weighed by its probability."""
    covered = 0.0
    for a in range(n + 1):
        for c in range(m + 1):
            _, low, high = difference(a, n, c, m)
            covered += stats.binom.pmf(a, n, p) * stats.binom.pmf(c, m, q) * (low <= p - q <= high)
    assert 0.935 <= covered <= 0.985


def test_the_exact_test_and_the_correction_are_those_of_the_books():
    assert chance(3, 4, 1, 4) == pytest.approx(34 / 70)  # Fisher's lady tasting tea, two-sided
    tests = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]
    assert sum(q <= 0.05 for q in corrected(tests)) == 4  # Benjamini and Hochberg 1995, their example of 15
    assert corrected(tests) == pytest.approx(stats.false_discovery_control(tests))
    assert corrected([]) == []


def drawn(seed, n=300, planted=True):
    """Facts of `n` records as (name, findings): two that matter when `planted`, and eighteen of mere chance."""
    rng = np.random.default_rng(seed)
    touch, group = rng.lognormal(0, 1, n), rng.choice(["a", "b", "c"], n)
    odds = (0.9 * np.log(touch) + np.where(group == "a", 1.4, -0.4)) if planted else np.zeros(n)
    good = rng.random(n) < 1 / (1 + np.exp(-odds))
    findings = [of_number(T, "touch", touch, good, 20), *of_groups(T, "group", Column.of(group.tolist()), good, 20, str)]
    for number in range(12):
        findings.append(of_number(T, f"noise {number}", rng.normal(size=n), good, 20))
    for number in range(6):
        findings += of_groups(T, f"chance {number}", Column.of(rng.choice(["x", "y", "z"], n).tolist()), good, 20, str)
    tested = [one for one in findings if one.p is not None]
    for one, q in zip(tested, corrected([one.p for one in tested]), strict=True):
        one.q = q
    return findings


def clear(findings):
    return [one for one in findings if verdict(one) in ("more", "fewer")]


@pytest.mark.slow
def test_a_planted_effect_is_found_and_noise_is_not():
    runs = [drawn(seed) for seed in range(20)]
    assert all(any(one.name.startswith("touch") and verdict(one) == "more" for one in found) for found in runs)
    assert all(any(one.name == "group: a" and verdict(one) == "more" for one in found) for found in runs)
    wrong = [sum(one.name.startswith(("noise", "chance")) for one in clear(found)) / max(1, len(clear(found))) for found in runs]
    assert np.mean(wrong) <= 0.06  # of what is called clear, on average
    nothing = [bool(clear(drawn(seed, planted=False))) for seed in range(100, 130)]
    assert np.mean(nothing) <= 0.1  # of samples in which nothing matters at all


def test_too_little_data_is_not_judged():
    few = of_number(T, "calls", np.array([1.0, 2, 3] * 10), np.array([True] * 6 + [False] * 24), 20)
    assert few.p is None and few.effect is None and few.short == "too little data: 6 of 20"
    same = of_number(T, "calls", np.ones(60), np.array([True, False] * 30), 20)
    assert same.p is None and same.short == "always the same"
    sources = Column.of(["web"] * 40 + ["fair"] * 40 + ["other"] * 3)
    findings = of_groups(T, "source", sources, np.array([True, False] * 41 + [True]), 20, str)
    assert [one.name for one in findings] == ["source: fair", "source: web", "source: others"] and findings[-1].p is None
    named = of_groups(T, "named", Column.of([True, False] * 40), np.array([True, True, False, False] * 20), 20, str)
    assert [one.name for one in named] == ["named: True"]


def test_numbers_most_of_which_are_the_highest_are_still_two_sides():
    values = [1] * 50 + [0] * 30
    found = of_number(T, "people", np.array(values, dtype=float), np.array([True] * 40 + [False] * 40), 20)
    assert found.with_ == pytest.approx(40 / 50) and found.without == 0 and found.name == "people over 0"
    assert found.more == pytest.approx((40 * 30 + 40 * 10 / 2) / 1600)


# --- rhythm


def test_a_rhythm_is_the_middle_of_ones_own_gaps():
    start = date(2026, 1, 1)
    days = [start + timedelta(days=one) for one in (0, 10, 40, 50, 62)]
    told = overdue(days, start + timedelta(days=95), 4)
    assert told == {"last": days[-1], "usual": 11.0, "since": 33, "factor": 3.0, "longer": 0.0}
    assert overdue(days, start + timedelta(days=92), 4)["longer"] == 0.25  # one of four gaps was thirty days
    assert overdue(days[:3], start, 4) is None and overdue(days[:2], start, 1) is None


# --- cross-sell: six buyers before the first of July (in the middle), then what came after

EARLY = [(1, 10), (1, 20), (2, 10), (2, 20), (3, 10), (3, 20), (4, 10), (5, 30), (6, 30), (4, 30)]
LATE = [(4, 20), (5, 10), (6, 40), (5, 20)]
BOUGHT = Bought(*(np.array([one[n] for one in EARLY + LATE]) for n in (0, 1)), np.array([1] * len(EARLY) + [8] * len(LATE)))


def test_what_is_bought_together_counted_by_hand():
    found = rules(BOUGHT, 3)
    assert set(found) == {(10, 20), (20, 10)}  # five buyers of both 10 and 20 among six
    assert found[10, 20] == pytest.approx({"both": 5, "support": 5 / 6, "confidence": 1.0, "lift": 1.0 / (5 / 6)})


def test_the_later_part_is_counted_by_hand():
    later = held_back(BOUGHT, 6, [(10, 20)])[10, 20]
    # without 20 on that day: 4 (has 10), 5 and 6 (have not); later 4 and 5 bought it
    assert (later.n, later.hits, later.others, later.others_hits) == (1, 1, 2, 1)
    assert later.share == pytest.approx(2 / 3) and later.lift == pytest.approx(1.5)
    trial = tried(BOUGHT, 6, 3, 1)
    # bought for the first time by known buyers: 4→20, 5→10, 5→20, 6→40; one suggestion each: 4→20 by its pair; 5 and 6→10 as best seller
    assert (trial["n"], trial["hits"], trial["plain"]) == (4, 2, 2)


# --- people needed


def test_new_people_are_told_from_those_who_were_always_there():
    past = Past("user")
    start = date(2025, 1, 1)
    past.began = {1: date(2022, 1, 1), 2: date(2025, 3, 1), 3: date(2022, 2, 1)}
    past.holding = {1, 2}
    past.won.update({(1, date(2025, 2, 1)): 100.0, (2, date(2025, 5, 1)): 50.0, (3, date(2025, 2, 1)): 30.0})
    steady, new = past.months(start, date(2026, 1, 1), 6)
    assert sorted(steady) == sorted(
        [100.0] + [0.0] * 11 + [0.0, 30.0] + [0.0] * 4
    )  # 1 all year, 3 until their last, 2 from the seventh month on
    assert new == [(0, 0.0), (1, 0.0), (2, 50.0), (3, 0.0), (4, 0.0), (5, 0.0)]


def test_the_way_up_is_measured_where_there_are_enough_new_people_and_assumed_where_not():
    assert climb([(0, 10.0)] * 5, 100.0, 4) == ([0.125, 0.375, 0.625, 0.875, 1.0], False)
    curve, learned = climb([(month, each) for month, each in enumerate((0.0, 20.0, 10.0, 60.0)) for _ in range(3)], 100.0, 4)
    assert learned and curve == [0.0, 0.2, 0.2, 0.6, 1.0]  # it never falls
