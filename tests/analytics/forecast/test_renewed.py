"""A history is read once and then only where something was written, and what that changes nothing of is not worked out again: with the very
figures of one who reads and learns everything anew (F7, D5)."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest

from crm.analytics import forecast as engine
from crm.analytics.forecast import history, kept, learn
from crm.analytics.forecast.history import COLUMNS, read
from crm.records import SYSTEM, Company
from crm.schema import load, shipped
from crm.stores import open_store


@pytest.fixture
def company(demo_store, tmp_path):
    one = Company(load(shipped("sales")), open_store(str(shutil.copy(demo_store, tmp_path / "demo.db"))))
    yield one
    one.store.close()


@pytest.fixture
def whole(monkeypatch):
    """How often the whole history was read."""
    found = []
    work = history._read
    monkeypatch.setattr(history, "_read", lambda *args: found.append(1) or work(*args))
    return found


def alike(one, other):
    """Two histories that say the same, whatever numbers their sources have."""
    assert np.array_equal(one.ids, other.ids) and np.array_equal(one.deal, other.deal)
    for name in COLUMNS[:-1]:
        assert np.array_equal(getattr(one, name), getattr(other, name), equal_nan=name in ("amount", "close", "chance")), name
    mine, theirs = ([found.sources[kind] if kind >= 0 else None for kind in found.kind] for found in (one, other))
    assert mine == theirs
    for name in ("deal", "code", "enter", "leave", "following", "first"):
        assert np.array_equal(getattr(one.stays, name), getattr(other.stays, name)), name


def test_a_history_renewed_by_what_was_written_is_the_one_read_anew(company, whole):
    door = company.door(SYSTEM)
    spec = engine.spec_of(door, None)
    users = company.schema.users
    rep = company.door(company.actor(door.list(users.entity, where=f"{users.role} == 'rep'", limit=1, order=["id"])[0].id))
    readers = [door, rep]
    for one in readers:
        read(one, spec)
    deals = door.list(spec.entity, "stage.open and pipeline == 'b2b'", limit=5, order=["id"])
    mine = rep.ids(spec.entity)[0]
    others = next(one for one in door.ids(spec.entity) if one not in set(rep.ids(spec.entity)))
    account = deals[0].stored["account"]
    ewa = company.actor("ewa").id
    assert company.actor("ewa").team != rep.actor.team
    hers = set(door.ids(spec.entity, f"owner == {ewa}"))
    assert hers and not hers & set(read(rep, spec).ids.tolist())
    acts = (
        lambda: door.change(spec.entity, deals[0].id, {"amount": 123_456, "close_on": "2031-01-01"}),
        lambda: door.move(spec.entity, deals[1].id, "lost", {"lost_reason": "price", "lesson": "none"}),
        lambda: door.create(spec.entity, {"name": "New", "account": account, "amount": 1000, "source": "partner"}),
        lambda: door.delete(spec.entity, deals[2].id),
        lambda: door.change(spec.entity, mine, {"owner": None}),
        lambda: door.change(spec.entity, others, {"owner": rep.actor.id}),
        lambda: door.change("account", account, {"name": "Another name"}),
        lambda: door.change(users.entity, ewa, {"team": rep.actor.team}),  # whose deals her new team sees from now on
    )
    for act in acts:
        act()
        for one in readers:
            alike(read(one, spec), history._read(one, spec, one.sight(spec.entity)))
    assert hers <= set(read(rep, spec).ids.tolist())
    step = company.store.steps(1)[0].id
    with door.step("Two at once") as both:
        door.change(spec.entity, deals[3].id, {"amount": 5})
        door.change(spec.entity, deals[4].id, {"amount": 6})
    read(door, spec)
    door.undo(both.id)
    assert company.store.steps(1)[0].id > step
    alike(read(door, spec), history._read(door, spec, door.sight(spec.entity)))
    assert len(whole) == 2 + 2 * len(acts) + 1  # one for each reader, and those of this test
    unseen = read(door, spec)
    assert read(door, spec) is unseen  # nothing was written, nothing is made


def test_a_mark_of_the_past_is_kept_until_that_past_is_another(company):
    door = company.door(SYSTEM)
    spec = engine.spec_of(door, None)
    found = read(door, spec)
    moment = found.begins + 400
    mark = kept.fingerprint(found, moment, None)
    one = door.list(spec.entity, "stage.open", limit=1, order=["id"])[0]
    door.change(spec.entity, one.id, {"amount": 77_000})
    assert read(door, spec).marks == {moment: mark}
    read(door, spec).marks.clear()
    assert kept.fingerprint(read(door, spec), moment, None) == mark
    read(door, spec).marks[float(found.since.max()) + 1e6] = "of a moment after the next change"
    door.change(spec.entity, one.id, {"amount": 78_000})
    assert read(door, spec).marks == {moment: mark}


def test_what_teaches_nothing_is_not_learned_from_and_the_figures_are_those_of_a_new_process(company, monkeypatch):
    door = company.door(SYSTEM)
    spec = engine.spec_of(door, None)
    learned, work = [], learn.taught
    monkeypatch.setattr(learn, "taught", lambda *args: learned.append(1) or work(*args))
    learn._held.clear()
    first = engine.forecast(door).frame
    assert len(learned) == 1
    deals = door.list(spec.entity, "stage.open and pipeline == 'b2b'", limit=3, order=["id"])

    def anew():
        """As one who knows nothing yet."""
        learn._held.clear()
        return engine.forecast(Company(company.schema, company.store).door(SYSTEM)).frame

    door.change(spec.entity, deals[0].id, {"amount": 900_000})
    larger = engine.forecast(door).frame
    assert len(learned) == 1 and not larger["p90"].equals(first["p90"])
    pd.testing.assert_frame_equal(larger, anew(), check_exact=True)
    engine.forecast(door, by="rep")
    assert len(learned) == 2  # those of `anew`; by whom it is cut teaches nothing either
    door.change(spec.entity, deals[1].id, {"owner": company.actor("ewa").id})
    handed = engine.forecast(door, by="rep").frame
    assert len(learned) == 2  # who has it now counts for its chance, not for what the past taught
    learn._held.clear()
    pd.testing.assert_frame_equal(
        handed, engine.forecast(Company(company.schema, company.store).door(SYSTEM), by="rep").frame, check_exact=True
    )
    door.move(spec.entity, deals[2].id, "lost", {"lost_reason": "price", "lesson": "none"})
    engine.forecast(door)
    assert len(learned) == 4  # an end does
    pd.testing.assert_frame_equal(engine.forecast(door).frame, anew(), check_exact=True)
    assert len(learn._held) <= learn.HELD
