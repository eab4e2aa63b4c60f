"""One day, one forecast: as long as nothing is written its figures are the same to the cent, whoever asks, when and in which process (F7, I7)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, time, timedelta

import numpy as np
import pandas as pd
import pytest

from crm.analytics import forecast as engine
from crm.analytics import run, stamps
from crm.analytics.forecast import kept, record
from crm.analytics.forecast.history import read
from crm.records import SYSTEM, Company, Door
from crm.schema import load, shipped
from crm.stores import open_store

#: A process that tells a forecast at a moment, to the last bit.
TELL = """
import json, sys
from datetime import datetime
from crm.analytics import forecast as engine
from crm.records import SYSTEM, Company
from crm.schema import load, shipped
from crm.stores import open_store
company = Company(load(shipped("sales")), open_store(sys.argv[1]))
company.clock = lambda: datetime.fromisoformat(sys.argv[2])
found = engine.forecast(company.door(SYSTEM), "revenue", by="rep")
print(json.dumps([[value.hex() for value in found.frame[one]] for one in ("weighted", "p10", "p50", "p90", "actual")]))
"""


@pytest.fixture
def store(demo_store, tmp_path):
    return str(shutil.copy(demo_store, tmp_path / "demo.db"))


@pytest.fixture
def company(store):
    one = Company(load(shipped("sales")), open_store(store))
    yield one
    one.store.close()


def at(company, hour, minute=0, days=1):
    """The clock of the company's today (a day later, so that everything of the demo has happened), set by hand."""
    day = company.today() + timedelta(days=days)
    moment = datetime.combine(day, time(hour, minute), company.zone).astimezone(UTC)
    company.clock = lambda: moment
    return moment


def told(company, **asked):
    return engine.forecast(company.door(SYSTEM), "revenue", **asked).frame


@pytest.mark.parametrize("by", [None, "rep"])
def test_hours_go_by_and_the_figures_stay(company, by):
    found = []
    for hour, minute, days in ((0, 1, 1), (9, 30, 0), (23, 59, 0)):
        at(company, hour, minute, days)
        found.append(told(company, by=by))
    assert company.store.sequence and found[0]["p50"].sum() > 0
    pd.testing.assert_frame_equal(found[0], found[1], check_exact=True)
    pd.testing.assert_frame_equal(found[0], found[2], check_exact=True)
    at(company, 8)  # the next day is another
    assert not told(company, by=by)["p50"].equals(found[0]["p50"])


def test_a_moment_asked_for_gives_what_was_told_then(company):
    moment = at(company, 16, 45)
    live = told(company)
    at(company, 11, 0, 5)
    pd.testing.assert_frame_equal(told(company, as_of=moment), live, check_exact=True)
    pd.testing.assert_frame_equal(told(company, as_of=moment - timedelta(hours=9)), live, check_exact=True)


def test_a_deal_changed_shows_at_once(company):
    moment = at(company, 15)
    door = company.door(SYSTEM)
    spec = engine.spec_of(door, None)
    roles = company.schema.pipelines[spec.pipelines[0]].fields
    before = told(company)
    first = door.list(spec.entity, "stage.open and pipeline == 'b2b'", limit=1, order=["id"])[0]
    with door.step("Larger", at=moment):
        door.change(spec.entity, first.id, {roles["amount"]: 5_000_000, roles["close"]: company.today() + timedelta(days=20)})
    after = told(company)
    assert after["pipeline"].sum() > before["pipeline"].sum() and not after["p90"].equals(before["p90"])
    at(company, 21, 0, 0)  # a change of the afternoon has no age that grows by the hour either
    pd.testing.assert_frame_equal(told(company), after, check_exact=True)


def test_another_reader_language_or_name_changes_no_figure(company, monkeypatch):
    """Groups stand in the order of their names; what is drawn for each does not depend on it."""
    at(company, 10)
    door, users = company.door(SYSTEM), company.schema.users
    boss = company.actor(door.list(users.entity, where=f"{users.role} == 'director'", limit=1)[0].id)
    one = engine.forecast(door, "revenue", by="rep")
    last = one.keys[-1] if one.keys[-1] is not None else one.keys[-2]
    door.change(users.entity, last, {users.name: "Aaron Aaronson"})
    with monkeypatch.context() as patched:
        patched.setattr(Door, "words", property(lambda self: company.schema.words("pl")))
        other = engine.forecast(company.door(boss), "revenue", by="rep")
    assert one.keys != other.keys and set(one.keys) == set(other.keys)
    mine, theirs = (found.frame.assign(key=[str(key) for key in found.keys]) for found in (one, other))
    figures = ["month", "key", "weighted", "p10", "p50", "p90", "actual"]
    mine, theirs = (frame.sort_values(["month", "key"], ignore_index=True)[figures] for frame in (mine, theirs))
    pd.testing.assert_frame_equal(mine, theirs, check_exact=True)


@pytest.mark.slow
def test_other_processes_at_other_hours_tell_the_same(company, store):
    moments = [at(company, 9, 5), at(company, 18, 40, 0)]
    company.store.close()
    said = []
    for seed, moment in zip(("1", "4242"), moments, strict=True):
        made = subprocess.run(
            [sys.executable, "-c", TELL, store, moment.isoformat()],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        said.append(json.loads(made.stdout))
    assert said[0] == said[1] and any(float.fromhex(one) > 0 for one in said[0][2])


def test_the_beginning_of_a_day_is_itself_and_the_rest_of_it_is_one_moment(company):
    history = read(company.door(SYSTEM), engine.spec_of(company.door(SYSTEM), None))
    day = company.today()
    begin, after = history.moment(day), history.moment(day + timedelta(days=1))
    assert history.clock(begin) == begin and history.clock(after) == after
    inside = {history.clock(begin + part * (after - begin)) for part in (0.001, 0.3, 0.5, 0.7, 0.999)}
    assert len(inside) == 1 and begin < inside.pop() < after
    # what is replayed at the beginning of a month is what a reader would have been told then
    door, spec = company.door(SYSTEM), engine.spec_of(company.door(SYSTEM), None)
    made_on, moment = record.moments(history, record.moment_of(door, None), 2)[0]
    _, one = record.replayed(door, spec, history, moment, None)
    then = told(company, as_of=datetime.combine(made_on, time(0), company.zone))
    assert np.allclose(one.figures["weighted"], then["weighted"][: len(one.months)])


@pytest.mark.slow
def test_a_forecast_given_away_is_had_again_and_an_older_way_of_foretelling_is_named(company, monkeypatch):
    door = company.door(SYSTEM)
    at(company, 14, 10)
    result = run(door, "forecast_side_by_side")
    mark = stamps.keep(door, result)
    at(company, 9, 0, 40)
    found = stamps.again(company, mark)
    assert found.same, found.differences[:3]
    row = company.store.table(stamps.STAMPS).search(lambda one: one["stamp"] == mark)[0]
    assert row["engine"] == kept.engine()
    # an older engine foretold something else
    monkeypatch.setattr(stamps, "engine_of", lambda report: "a later one")
    assert stamps.again(company, mark).why == []  # the same figures need no reason
    monkeypatch.setattr(stamps, "compare", lambda company, found, t: setattr(found, "same", False))
    assert any("another way" in one for one in stamps.again(company, mark).why)
