"""Replays are worked out once and kept until what they depend on is another; what is worked out at once is what one by one gives (I3)."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from crm.analytics import forecast as engine
from crm.analytics.forecast import kept, record
from crm.analytics.forecast.history import read
from crm.analytics.forecast.learn import GRID, STEP, Curves
from crm.analytics.forecast.prepared import study
from crm.analytics.forecast.sides import COUNTED, SIDES, sides
from crm.analytics.periods import moved
from crm.records import SYSTEM, Company
from crm.schema import load, shipped
from crm.stores import open_store


@pytest.fixture(scope="module")
def path(demo_store, tmp_path_factory):
    return shutil.copy(demo_store, tmp_path_factory.mktemp("record") / "demo.db")


@pytest.fixture
def company(path):
    one = Company(load(shipped("sales")), open_store(str(path)))
    for name in one.store.meta.names(kept.START):
        one.store.meta.set(name, None)
    yield one
    one.store.close()


def again(company, path):
    """The company as another process opens it."""
    company.store.close()
    company.store = open_store(str(path))
    return Company(load(shipped("sales")), company.store)


@pytest.fixture
def made(monkeypatch):
    """The moments of the replays that were worked out."""
    found = []
    work = record.made_at
    monkeypatch.setattr(
        record, "made_at", lambda door, spec, history, moment, chosen: found.append(moment) or work(door, spec, history, moment, chosen)
    )
    monkeypatch.setattr(record, "RUNS", 200)
    return found


def actor(company, role):
    users = company.schema.users
    return company.actor(company.door(SYSTEM).list(users.entity, where=f"{users.role} == '{role}'", limit=1, order=["id"])[0].id)


def same(one, other):
    return one.frame.equals(other.frame) and one.calibration.equals(other.calibration) and one.says == other.says


def test_chances_by_day_are_interpolated_between_the_points_of_the_grid():
    """Asked of few and of many, against the corners of the grid taken one by one."""
    rng = np.random.default_rng(1)
    k, states, ages, steps = len(GRID), 3, 7, 40
    curves = Curves(np.sort(rng.random((k, k, states, ages, steps), dtype=np.float32)), np.array([0, 1, 2, 0]))
    days = np.array([0.0, 3.0, 17.5, 30.0, 1e9])
    for many in (5, 2000):
        code, age, factor = rng.integers(0, 3, many), rng.random(many) * 20, rng.normal(0, 0.8, (many, 2))
        found = curves.within(code, age, factor, days)
        for n in range(0, many, max(1, many // 40)):
            for d, day in enumerate(days):
                step = min(day / STEP, steps - 1)
                low = min(int(step), steps - 2)
                at = min(int(age[n] / STEP), ages - 1)
                x = (np.clip(factor[n], GRID[0], GRID[-1]) - GRID[0]) / (GRID[1] - GRID[0])
                a, b = np.minimum(x.astype(int), k - 2)
                p, q = x - (a, b)
                wanted = 0.0
                for da, db in ((0, 0), (0, 1), (1, 0), (1, 1)):
                    corner = curves.won[a + da, b + db, code[n], at]
                    weight = (p if da else 1 - p) * (q if db else 1 - q)
                    wanted += weight * (corner[low] * (1 - (step - low)) + corner[low + 1] * (step - low))
                assert found[n, d] == pytest.approx(wanted, abs=1e-5)


def test_what_people_say_adds_up_record_by_record(company):
    door = company.door(SYSTEM)
    spec = engine.spec_of(door, None)
    made = study(door, spec, None)
    one, now = made.learned, made.learned.now
    found = sides(made)
    wanted = {name: found["actual"].copy() for name in SIDES}
    edges = [month.toordinal() for month in made.months] + [moved(made.months[-1], 1).toordinal()]
    for n in made.open.tolist():
        if np.isnan(now.amount[n]) or np.isnan(now.close[n]) or now.close[n] >= edges[-1]:
            continue
        month = max([m for m, edge in enumerate(edges) if edge <= now.close[n]], default=0)
        stage = one.history.states[now.code[n]].stage
        for name in COUNTED[stage.forecast]:
            wanted[name][made.group[n], month] += now.amount[n]
        if stage.forecast != "omitted":
            chance = float(stage.probability) if np.isnan(now.chance[n]) else now.chance[n]
            wanted["weighted"][made.group[n], month] += now.amount[n] * chance
    assert len(made.open) > 50 and found["weighted"].sum() > found["actual"].sum()
    for name in SIDES:
        assert np.array_equal(found[name], wanted[name]), name


@pytest.mark.slow
def test_a_replay_is_worked_out_once_and_another_process_finds_it(company, path, made):
    door = company.door(SYSTEM)
    first = engine.backtest(door, back=4)
    assert len(made) == len(set(made)) == 4 and len(first.frame)
    boss = engine.backtest(company.door(actor(company, "director")), back=4)  # who sees the same
    assert len(made) == 4 and boss.frame.equals(first.frame)
    other = again(company, path)
    assert same(engine.backtest(other.door(SYSTEM), back=4), first)
    assert len(made) == 4
    assert engine.backtest(other.door(SYSTEM), back=5).frame["made"].nunique() == 5
    assert len(made) == 5  # the one that was not there


def test_who_sees_less_has_replays_of_their_own(company, made):
    whole = engine.backtest(company.door(SYSTEM), back=2)
    own = engine.backtest(company.door(actor(company, "rep")), back=2)
    assert len(made) == 4
    assert own.frame["actual"].sum() < whole.frame["actual"].sum()
    assert own.frame["p50"].sum() < whole.frame["p50"].sum()


def test_what_is_written_today_leaves_the_replays_of_the_past(company, path, made):
    door = company.door(SYSTEM)
    spec = engine.spec_of(door, None)
    amount = company.schema.pipelines[spec.pipelines[0]].fields["amount"]
    before = engine.backtest(door, back=3)
    one = door.list(spec.entity, limit=1, order=["id"])[0]
    door.change(spec.entity, one.id, {amount: 123_456})
    source = spec.source_path
    if source and "." not in source:  # a source nobody had so far
        options = list(company.schema.entities[spec.entity].fields[source].options)
        door.change(spec.entity, one.id, {source: options[-1]})
    other = again(company, path)
    after = engine.backtest(other.door(SYSTEM), back=3)
    assert len(made) == 3
    assert after.frame[["p10", "p50", "p90", "weighted"]].equals(before.frame[["p10", "p50", "p90", "weighted"]])


def test_another_past_or_other_stages_are_replayed_anew(company):
    door = company.door(SYSTEM)
    spec = engine.spec_of(door, None)
    history = read(door, spec)
    moment = history.begins + 400
    mark = kept.fingerprint(history, moment, None)
    later, earlier = (np.flatnonzero(which & ~np.isnan(history.amount))[0] for which in (history.since > moment, history.since <= moment))
    history.amount[later] += 1
    history.marks.clear()
    assert kept.fingerprint(history, moment, None) == mark
    history.amount[earlier] += 1
    history.marks.clear()
    assert kept.fingerprint(history, moment, None) != mark
    history.amount[earlier] -= 1
    chosen = np.ones(len(history.ids), dtype=bool)
    chosen[history.deal[earlier]] = False
    assert kept.fingerprint(history, moment, chosen) != mark
    terms, stage = kept.terms(door, spec), next(iter(company.schema.pipelines[spec.pipelines[0]].stages.values()))
    object.__setattr__(stage, "label", "Another name")
    assert kept.terms(door, spec) == terms
    object.__setattr__(stage, "days", 77)
    assert kept.terms(door, spec) != terms
