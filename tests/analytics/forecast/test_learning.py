"""What is learned from histories whose truth is known: hazards against Aalen and Johansen, chains against a slow simulation (F7)."""

from __future__ import annotations

import random
from datetime import UTC
from decimal import Decimal

import numpy as np
import pytest

from crm.analytics.forecast.history import History, State
from crm.analytics.forecast.learn import STEP, curves, expected, factors, foreseen, hazards, learn, paces, watch
from crm.schema.model import Stage

NEVER = np.inf


def line(*open_: tuple[str, int, float]) -> list[State]:
    """A pipeline of open stages (key, days, probability), with an end for each outcome."""
    stages = [Stage(key, key, Decimal(str(chance)), days, index=n) for n, (key, days, chance) in enumerate(open_)]
    stages += [Stage("won", "won", Decimal(1), forecast="closed", outcome="won", index=len(open_))]
    stages += [Stage("lost", "lost", Decimal(0), forecast="omitted", outcome="lost", index=len(open_) + 1)]
    return [State("p", stage) for stage in stages]


def told(
    states: list[State], lives: list[list[tuple[float, str]]], owners: list[int] | None = None, amounts: list[list[float]] | None = None
) -> History:
    """A history from lives: `[(day, stage), …]` of each record."""
    number = {one.stage.key: n for n, one in enumerate(states)}
    deal = [n for n, life in enumerate(lives) for _ in life]
    size = len(deal)
    money = [value for values in amounts for value in values] if amounts else [100.0] * size
    return History(
        states, [], np.arange(1, len(lives) + 1), np.array(deal, dtype=np.int32), np.array([day for life in lives for day, _ in life]),
        np.array([number[key] for life in lives for _, key in life], dtype=np.int16), np.array(money), np.full(size, np.nan), np.full(size, np.nan),
        np.array([(owners or [1] * len(lives))[n] for n in deal]), np.full(size, -1, dtype=np.int32), UTC,
    )  # fmt: skip


def aalen_johansen(length: list[float], event: list[int], of: int, at: list[float]) -> list[float]:
    """The chance that `event` has happened by a time (0 = still running), by the textbook (Aalen and Johansen 1978)."""
    found, left, sum_ = [], 1.0, 0.0
    steps = []
    for time in sorted(set(length)):
        risk = sum(one >= time for one in length)
        here = [kind for one, kind in zip(length, event, strict=True) if one == time]
        sum_ += left * sum(kind == of for kind in here) / risk
        left *= 1 - sum(kind != 0 for kind in here) / risk
        steps.append((time, sum_))
    for moment in at:
        found.append(max([value for time, value in steps if time <= moment], default=0.0))
    return found


def test_the_textbook_estimator_is_that_of_lifelines() -> None:
    # figures of lifelines 0.30.3, AalenJohansenFitter, with its jitter off
    length, event = [2, 5, 5, 7, 9, 12, 12, 15, 20, 21, 26, 30], [1, 2, 1, 0, 1, 2, 1, 1, 0, 2, 1, 0]
    assert aalen_johansen(length, event, 1, [2, 5, 9, 12, 15, 26]) == pytest.approx(
        [0.083333, 0.166667, 0.260417, 0.354167, 0.447917, 0.572917], abs=1e-6
    )


def test_one_stage_with_competing_risks_is_what_aalen_and_johansen_find() -> None:
    rng = random.Random(4)
    states, lives, length, event = line(("talk", 20, 0.5)), [], [], []
    for _ in range(3000):
        begin, won, lost = rng.uniform(0, 300), rng.weibullvariate(30, 1.7), rng.weibullvariate(40, 1.2)
        end = begin + min(won, lost)
        life = [(begin, "talk")]
        if end < 330:
            life.append((end, "won" if won < lost else "lost"))
        lives.append(life)
        length.append(min(end, 330) - begin)
        event.append(0 if end >= 330 else 1 if won < lost else 2)
    history = told(states, lives)
    base = hazards(history, watch(history, history.stays.until(330), 330))
    found = curves(history, base, far=120).within(np.zeros(5, dtype=int), np.zeros(5), np.zeros((5, 2)), np.array([5.0, 10, 20, 40, 80]))[0]
    assert found == pytest.approx(aalen_johansen(length, event, 1, [5, 10, 20, 40, 80]), abs=0.02)


def test_a_chain_of_stages_is_what_a_slow_simulation_gives() -> None:
    rng = random.Random(7)
    states = line(("first", 10, 0.3), ("second", 15, 0.6))
    lives = []
    for _ in range(4000):
        at, life = rng.uniform(0, 400), []
        for key, mean, on in (("first", 10, 0.7), ("second", 15, 0.8)):
            life.append((at, key))
            at += rng.expovariate(1 / mean)
            if rng.random() > on:
                life.append((at, "lost"))
                break
        else:
            life.append((at, "won"))
        lives.append([one for one in life if one[0] <= 600])
    history = told(states, lives)
    made = curves(history, hazards(history, watch(history, history.stays, 600)), far=200)
    days = np.array([4.0, 10, 25, 60, 150])
    found = made.within(np.array([0, 1]), np.array([0.0, 20.0]), np.zeros((2, 2)), days)
    drawn = np.zeros((2, 5))
    for _ in range(20_000):
        first, second = rng.expovariate(1 / 10), rng.expovariate(1 / 15)
        if rng.random() < 0.7 * 0.8:
            drawn[0] += first + second <= days
        if rng.random() < 0.8:
            drawn[1] += second <= days  # an exponential stay does not know its age
    assert found == pytest.approx(drawn / 20_000, abs=0.03)
    assert (np.diff(found) >= 0).all() and found.max() <= 1


def test_without_a_past_the_configuration_speaks() -> None:
    history = told(line(("first", 10, 0.25), ("second", 10, 0.5)), [[(0.0, "first")]])
    days, ahead, split = expected(history)
    assert list(days[:2]) == [10, 10] and list(ahead[:2]) == [0.5, 0.5] and split[0, 1] == 1 and split[1, 2] == 1
    found = curves(history, hazards(history, watch(history, history.stays.until(0), 0)), far=720).within(
        np.array([0, 1]), np.zeros(2), np.zeros((2, 2)), np.array([720.0])
    )
    assert found[:, 0] == pytest.approx([0.25, 0.5], abs=0.02)


def test_few_records_of_a_person_say_little_and_many_say_much() -> None:
    rng = random.Random(1)
    lives, owners = [], []
    for who, many, good in ((1, 300, 0.8), (2, 300, 0.3), (3, 4, 1.0)):
        for _ in range(many):
            at = rng.uniform(0, 200)
            lives.append([(at, "talk"), (at + rng.expovariate(1 / 10), "won" if rng.random() < good else "lost")])
            owners.append(who)
    history = told(line(("talk", 10, 0.5)), lives, owners)
    seen = watch(history, history.stays, 300)
    expect, nothing = foreseen(seen, hazards(history, seen)), np.zeros((len(seen.stays.deal), 2))
    found = factors(seen, expect, seen.stays.owner, nothing)
    # 0.8 and 0.3 of a mean of 0.55 a stay: factors 1.45 and 0.54 of going ahead, all but unshrunk
    assert np.exp(found.of[1][0]) == pytest.approx(0.8 / 0.553, rel=0.1)
    assert np.exp(found.of[2][0]) == pytest.approx(0.3 / 0.553, rel=0.15)
    assert abs(found.of[3][0]) < abs(np.log(1.0 / 0.553))  # four wins of four are no proof
    held = factors(seen, expect, seen.stays.owner, nothing, shrink=10_000)
    assert max(abs(value) for pair in held.of.values() for value in pair) < 0.05


def test_quick_records_are_found_quick_and_independent_ones_are_not() -> None:
    rng = random.Random(3)

    def lives(spread: float) -> list[list[tuple[float, str]]]:
        made = []
        for _ in range(1500):
            at, pace = rng.uniform(0, 300), rng.lognormvariate(0, spread)
            first, second = rng.gammavariate(4, 3 / pace), rng.gammavariate(4, 5 / pace)
            made.append([(at, "first"), (at + first, "second"), (at + first + second, "won")])
        return made

    for spread, low, high in ((0.0, 0.0, 0.03), (0.6, 0.1, 1.0)):
        history = told(line(("first", 10, 0.5), ("second", 20, 0.8)), lives(spread))
        seen = watch(history, history.stays, 1000)
        assert low <= paces(1500, seen, foreseen(seen, hazards(history, seen)), np.zeros((len(seen.stays.deal), 2))).variance <= high


def test_stays_still_running_count_as_watched() -> None:
    history = told(line(("talk", 10, 0.5)), [[(0.0, "talk"), (20.0, "won")], [(0.0, "talk")], [(0.0, "talk")]])
    seen = watch(history, history.stays.until(40), 40)
    assert seen.days.sum() == pytest.approx(20 + 40 + 40) and seen.ahead.sum() == 1 and not seen.lost.any()
    assert seen.scale[0] == pytest.approx((20 + 40 + 40 + 10) / 2)  # days watched and the YAML's, over ends and one


def test_what_is_learned_at_a_moment_does_not_know_what_came_after() -> None:
    rng = random.Random(9)
    lives = []
    for _ in range(200):
        at = rng.uniform(0, 400)
        lives.append([(at, "first"), (at + rng.expovariate(0.1), "second"), (at + 60 + rng.expovariate(0.1), rng.choice(["won", "lost"]))])
    amounts = [[100.0, 120.0, rng.uniform(50, 150)] for _ in lives]
    states = line(("first", 10, 0.3), ("second", 15, 0.6))
    whole = told(states, lives, amounts=amounts)
    cut = 250.0
    known = [n for n, life in enumerate(lives) if life[0][0] <= cut]
    early = told(
        states,
        [[one for one in lives[n] if one[0] <= cut] for n in known],
        amounts=[[a for one, a in zip(lives[n], amounts[n], strict=True) if one[0] <= cut] for n in known],
    )
    a, b = learn(whole, cut, far=100), learn(early, cut, far=100)
    assert np.array_equal(a.base.ahead, b.base.ahead) and np.array_equal(a.base.lost, b.base.lost)
    assert np.array_equal(a.curves.won, b.curves.won)
    assert (a.arrivals.level, a.arrivals.spread) == (b.arrivals.level, b.arrivals.spread)
    assert all(np.array_equal(x, y) for x, y in zip(a.ratios.of, b.ratios.of, strict=True))
    assert a.pace.variance == b.pace.variance and a.people.of == b.people.of


def test_arrivals_follow_season_and_trend() -> None:
    rng = np.random.default_rng(5)
    lives = []
    for month in range(48):
        many = rng.poisson((60 if month % 12 in (9, 10) else 30) * 1.2 ** (month / 12))
        lives += [[(month * 30.4375 + rng.uniform(0, 30.4), "talk")] for _ in range(many)]
    made = learn(told(line(("talk", 10, 0.5)), sorted(lives)), 48 * 30.4375, far=60).arrivals
    assert made.season[9] == pytest.approx(60 / 35, rel=0.15) and made.season[3] == pytest.approx(30 / 35, rel=0.15)
    assert made.level * 30.4375 == pytest.approx(35 * 1.2**4, rel=0.12)
    assert STEP == 2 and made.spread < 2
