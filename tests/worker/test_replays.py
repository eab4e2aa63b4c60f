"""The worker makes the records of forecasts ready at night, in portions, and forgets replays that nobody uses (I3)."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta

import pytest

from crm.analytics import forecast as engine
from crm.analytics.forecast import kept, record
from crm.records import Company
from crm.schema import load, shipped
from crm.stores import open_store
from crm.worker.jobs import replays


@pytest.fixture
def company(nonprofit_store, tmp_path):
    one = Company(load(shipped("nonprofit")), open_store(str(shutil.copy(nonprofit_store, tmp_path / "demo.db"))))
    yield one
    one.store.close()


@pytest.fixture
def made(monkeypatch):
    found = []
    work = record.made_at
    monkeypatch.setattr(record, "made_at", lambda door, spec, *rest: found.append((spec.name, rest[1])) or work(door, spec, *rest))
    monkeypatch.setattr(record, "RUNS", 50)
    return found


def at(hour: int, day: int = 0) -> datetime:
    return datetime.now().astimezone().replace(hour=hour, minute=10) + timedelta(days=day)


@pytest.mark.slow
def test_records_are_ready_in_the_morning(company, made, monkeypatch):
    job, store = replays.Replays(), company.store
    company.schema.forecasts = {name: one for name, one in list(company.schema.forecasts.items())[:1]}
    name, spec = next(iter(company.schema.forecasts.items()))
    object.__setattr__(spec, "back", 3)
    job.run(company, at(14))
    assert not made and store.meta.get(replays.STATE) is None  # by day people work
    monkeypatch.setattr(replays, "LONG", timedelta(0))
    store.meta.set(f"{kept.START}{name}.2001-01-01.x.y", {"old": True})
    job.run(company, at(2))
    assert len(store.meta.get(replays.STATE)["done"]) == 1  # other jobs have their turn between two portions
    monkeypatch.setattr(replays, "LONG", timedelta(hours=1))
    job.run(company, at(2))
    state = store.meta.get(replays.STATE)
    assert state["done"] == job.wanted(company)
    assert [one for one in store.meta.names(kept.START) if "2001" in one] == []
    count = len(made)
    assert count and count == len(store.meta.names(kept.START))
    record._kept.clear()
    seeing = [user for _, user in job.wanted(company) if job.door_of(company, name, user)]
    for user in seeing:
        engine.backtest(company.door(company.actor(user)), name)
    assert seeing and len(made) == count  # nobody waits
    job.run(company, at(2))
    job.run(company, at(14))
    assert len(made) == count
    stage = next(iter(company.schema.pipelines[spec.pipelines[0]].stages.values()))
    object.__setattr__(stage, "days", 77)
    job.run(company, at(14))  # the configuration was exchanged: not only at night
    assert len(made) == 2 * count
