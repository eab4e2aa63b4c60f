"""What reports keep in memory follows every write, of any process, and never shows one user what another may see: a kept answer is the one
that a company opened afresh gives (issue 4: renewed by what changed)."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from crm.analytics import run
from crm.analytics.changes import Side
from crm.analytics.cuts import EPOCH, days_of
from crm.analytics.groups import Groups
from crm.analytics.periods import local
from crm.errors import Missing
from crm.records import SYSTEM, Company, columns
from crm.records import states as kept_states
from crm.records.columns import Column, combined, kept_of
from crm.records.states import states
from crm.stores import open_store
from crm.stores.clock import to_ms
from tests.analytics.promises import agents, loaded

CONFIG = {
    "crm.yaml": "extends: base\nlanguages: [en]\ncurrency: EUR\ntimezone: Europe/Warsaw\n",
    "roles/agent.yaml": 'role: agent\nrights:\n  promise: {see: own, create: all, change: own}\n  giver: {see: "size > 1 or size == None"}\n  user: {see: all}\n',
    "entities/giver.yaml": """entity: giver
title: '{name}'
fields:
  name: {type: text, required: true}
  size: {type: integer}
""",
    "entities/promise.yaml": """entity: promise
title: '{name}'
owner: who
fields:
  name: {type: text, required: true}
  state: {type: stage}
  mood: {type: choice, options: [glad, sad, tired]}
  worth: {type: money}
  due: {type: date}
  who: {type: user}
  giver: {type: link, to: giver, back: promises}
  rivals: {type: links, to: giver}
""",
    "reports/steps.yaml": """report: steps
entity: promise
stays: state
by: {stage: stay.stage}
measures:
  reached: {distinct: id}
  went_on: {rate: stay.forward, where: stay.ended}
  days: {median: stay.days}
  slow: {quantile: stay.days, at: 90%}
  worth: {sum: worth, where: "stay.next != 'broken'"}
""",
    "reports/moods.yaml": """report: moods
entity: promise
stays: mood
by: {mood: stay.stage, after: stay.next}
measures: {n: {count: id}, first: {count: id, where: stay.first}, since: {count: id, where: "stay.since > date('2020-01-01')"}}
""",
    "reports/cohorts.yaml": """report: cohorts
entity: promise
where: "state.open or worth > 5"
by: {entered: {field: created_on, by: day}, state: state}
measures: {middle: median(worth), n: count, latest: {last: worth, order: due}}
""",
    "reports/rivals.yaml": """report: rivals
entity: promise
where: "rivals != None and state.outcome != 'lost'"
by: {rival: rivals}
measures: {n: count, won: "rate(state.outcome == 'won')", worth: "sum(worth, mood == 'glad')"}
""",
    "reports/sizes.yaml": "report: sizes\nentity: promise\nby: {size: giver.size}\nmeasures: {n: count, middle: median(worth), sizes: sum(giver.size)}\n",
    "reports/lasting.yaml": """report: lasting
entity: promise
by: [mood]
measures: {left: {survival: {from: created_on, to: due, ended: state.outcome != None}}}
chart: {type: survival, y: left, by: mood}
""",
    "reports/moves.yaml": """report: moves
entity: promise
analysis: drivers
options:
  least: 1
  ahead: 0.001
  facts:
    worth: {label: Worth, value: worth}
    mood: {label: Mood, value: mood}
    who: {label: Who, value: who}
    size: {label: Size, value: giver.size}
    rivals: {label: Rivals, value: rivals}
    named: {label: Named, value: "rivals != None and name != None"}
    load: {label: Load, load: who}
chart: table
""",
    "reports/giving.yaml": """report: giving
entity: giver
analysis: drivers
options:
  field: size
  good: size == 3
  least: 1
  ahead: 0.001
  facts:
    glad: {label: Glad, of: promises, where: mood == 'glad', how: share}
    worth: {label: Worth, of: promises, on: due, how: sum, what: worth}
    moods: {label: Moods, of: promises, how: distinct, what: mood}
    first: {label: First, of: promises, how: first}
    last: {label: Last, of: promises, how: last}
    often: {label: Often, of: promises, how: per_week}
chart: table
""",
    "reports/filled.yaml": "report: filled\nentity: promise\nanalysis: filled\noptions: {fields: [mood, giver.size, rivals], days: 5}\nchart: table\n",
    "reports/fresh.yaml": "report: fresh\nentity: promise\nanalysis: fresh\noptions: {entities: [promise, giver]}\nchart: table\n",
}
ANALYSES = ("moves", "giving", "change", "quarter", "stages", "filled", "fresh")
REPORTS = ("steps", "moods", "cohorts", "rivals", "sizes", "lasting", *ANALYSES)
START = datetime(2026, 3, 20, 21, tzinfo=UTC)


@pytest.fixture(scope="module")
def schema(tmp_path_factory):
    return loaded(tmp_path_factory, CONFIG)


def begun(schema, path):
    company = Company(schema, open_store(str(path)))
    with company.writing(SYSTEM, at=START - timedelta(days=9)):
        agents(company)
        for size in (1, 2, 3, None):
            company.door(SYSTEM).create("giver", {"name": f"Giver {size}", "size": size})
        for n in range(4):
            made = {"name": f"P{n}", "worth": 4 + n, "who": 1 + n % 2, "giver": 1 + n, "rivals": [1 + n], "due": date(2026, 5, 1 + n)}
            company.door(SYSTEM).create("promise", made)
    company.people.stale()
    return company


def told(company, as_of=None):
    """All that the reports say to one who sees everything and to one who sees their own."""
    found = {}
    for door in (company.door(SYSTEM), company.door(company.actor("anna"))):
        for name in REPORTS:
            result = run(door, name, as_of=as_of)
            rows = sorted(map(repr, zip(result.keys, result.exact, result.behind, strict=True)))
            found[door.actor.login, name] = rows, result.total()
    return found


ACTS = ("new", "worth", "state", "state", "mood", "owner", "giver", "size", "rivals", "delete", "restore", "undo", "gone", "failed")
steps = st.lists(
    st.tuples(st.sampled_from(ACTS), st.integers(0, 9), st.integers(0, 3), st.integers(1, 60), st.integers(0, 1)), min_size=2, max_size=6
)


def act(company, what, which, value, hours, log):
    """One write; `log` are the steps so far and how late it is."""
    log["now"] += timedelta(hours=hours)
    door, table = company.door(SYSTEM), company.table("promise")
    ids = table.ids()
    id = ids[which % len(ids)]
    living = table.get(doc_id=id).get("deleted_on") is None
    with company.writing(SYSTEM, at=log["now"]) as writing:
        if what == "new":
            made = {"name": "x", "worth": Decimal(value) / 3 * 2, "who": 1 + value % 2, "due": date(2026, 4, 1 + which), "giver": 1 + value}
            door.create("promise", {key: round(one, 2) if isinstance(one, Decimal) else one for key, one in made.items()})
        elif what == "undo":
            with contextlib.suppress(Missing):  # a step that changed nothing
                door.undo(log["steps"].pop() if log["steps"] else 0)
        elif what == "size":
            door.change("giver", 1 + value, {"size": which})
        elif what == "gone":
            if len(ids) > 2:
                table.remove(doc_ids=[id])
        elif what == "restore":
            if not living:
                door.restore("promise", id)
        elif living:
            changes = {
                "worth": {"worth": which * 10 + value},
                "state": {"state": ("idea", "talk", "kept", "broken")[value]},
                "mood": {"mood": ("glad", "sad", "tired", None)[value]},
                "owner": {"who": 1 + which % 2},
                "giver": {"giver": (1 + value) if which else None},
                "rivals": {"rivals": [1 + value, 1 + which % 4] if which % 3 else None},
            }
            if what == "delete":
                door.delete("promise", id)
            elif what in changes:
                door.change("promise", id, changes[what])
                log["steps"].append(writing.id)
    if what == "failed":  # seen and read by reports, and then taken back
        with pytest.raises(ZeroDivisionError), company.writing(SYSTEM, at=log["now"]):
            door.create("promise", {"name": "never", "worth": 99, "who": 1})
            told(company)
            raise ZeroDivisionError


@pytest.mark.slow
@settings(
    max_examples=4,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(steps)
def test_kept_answers_are_those_of_a_company_opened_afresh(schema, tmp_path_factory, history):
    path = tmp_path_factory.mktemp("kept") / "crm.db"
    mine, log = begun(schema, path), {"now": START, "steps": []}
    other = Company(schema, open_store(str(path)))
    told(mine), told(other)
    before = []
    for what, which, value, hours, where in history:
        act((mine, other)[where], what, which, value, hours, log)
        before.append(log["now"] - timedelta(hours=1))
        fresh = Company(schema, open_store(str(path)))
        now, then = told(fresh), told(fresh, before[0])
        for company in (mine, other):
            company.clock = fresh.clock
            assert told(company) == now
            assert told(company, before[0]) == then
        fresh.store.close()
    mine.store.close()
    other.store.close()


@pytest.mark.slow
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(steps)
def test_what_was_known_at_a_moment_is_what_the_history_says(schema, tmp_path_factory, history):
    """The kept states against every change of every record, applied one by one."""
    path = tmp_path_factory.mktemp("known") / "crm.db"
    mine, log = begun(schema, path), {"now": START, "steps": []}
    other, keys = Company(schema, open_store(str(path))), ["worth", "mood", "who", "rivals", "name"]
    moments = [to_ms(START) - 1]
    for what, which, value, hours, where in history:
        act((mine, other)[where], what, which, value, hours, log)
        moments.append(to_ms(log["now"]))
        ids = np.arange(8)
        for company in (mine, other):
            found = states(company, "promise", keys)
            for when in moments:
                for key in keys:
                    assert list(found[key].at(ids, when)) == [as_told(company, id, key, when) for id in ids.tolist()]
    mine.store.close()
    other.store.close()


def as_told(company, id, key, when):
    """A field of a promise at a moment, by its history."""
    found = None
    for one in company.store.table("promise").history(id):
        if to_ms(one.at) <= when and one.act != "delete" and key in one.patch:
            found = one.patch[key][1]
    return found


def test_states_are_kept_and_only_what_changed_is_read_again(schema, tmp_path):
    company = begun(schema, tmp_path / "crm.db")
    door, read = company.door(SYSTEM), []
    kinds = states(company, "promise", ["worth"])["worth"].value.kinds
    of = company.store.table
    company.store.table = lambda name: Watched(of(name), read)  # type: ignore[method-assign]
    door.change("giver", 1, {"size": 9})
    states(company, "promise", ["worth"])
    assert not [one for one in read if one[0] == "spells"]
    door.change("promise", 1, {"worth": 1234})
    found = states(company, "promise", ["worth"])["worth"]
    assert [one for one in read if one[0] == "spells"] == [("spells", [1])] and found.value.kinds is kinds
    assert found.at(np.array([1, 2]), to_ms(company.now()) + 1)[0] == 123400


def test_kept_states_take_no_more_room_than_allowed(schema, tmp_path, monkeypatch):
    company = begun(schema, tmp_path / "crm.db")
    monkeypatch.setattr(kept_states, "CELLS", 60)
    for key in ("worth", "mood", "due", "who"):
        assert len(states(company, "promise", [key])[key].record) >= 4
    kept = kept_states._kept[company]._states
    assert sum(one.cells for one in kept.values()) <= 60 and len(kept) < 4
    assert told(company) == told(Company(schema, open_store(str(tmp_path / "crm.db"))))


def test_an_analysis_is_worked_out_again_by_what_it_looks_at_alone(schema, tmp_path):
    company = begun(schema, tmp_path / "crm.db")
    door = company.door(SYSTEM)
    before = {name: run(door, name).exact for name in ANALYSES}
    door.change("giver", 1, {"size": 7})  # filled looks at it along a path, fresh at its records
    kept = {name for name in ANALYSES if run(door, name).exact is before[name]}
    assert kept == {"change", "quarter", "stages"}
    before = {name: run(door, name).exact for name in ANALYSES}
    door.change("promise", 1, {"worth": 77})
    assert not {name for name in ANALYSES if run(door, name).exact is before[name]}


def test_what_was_open_then_is_read_once_for_all_reports_of_changes(schema, tmp_path, monkeypatch):
    company = begun(schema, tmp_path / "crm.db")
    door, read = company.door(SYSTEM), []
    of = Side.read
    monkeypatch.setattr(Side, "read", lambda self: read.append(self.at) or of(self))
    company.clock = lambda: START
    run(door, "change"), run(door, "stages")
    with company.writing(SYSTEM, at=START):
        door.change("promise", 1, {"worth": 77})
    assert run(door, "change").exact[-1][2] == 4 * 4 + 6 - 4 + 77
    assert [at for at in read if at is not None] == [read[0]] and read.count(None) == 3
    with company.writing(SYSTEM, at=START - timedelta(days=8)):  # written now with a time before that moment
        door.create("promise", {"name": "early", "worth": 5, "who": 1})
    fresh = Company(schema, open_store(str(tmp_path / "crm.db")))
    fresh.clock = company.clock
    assert run(door, "change").exact == run(fresh.door(SYSTEM), "change").exact
    assert len([at for at in read if at is not None]) == 3
    read.clear()
    run(company.door(company.actor("anna")), "change"), run(company.door(company.actor("anna")), "stages")
    assert len([at for at in read if at is not None]) == 2  # what only some may see is kept for nobody


@pytest.mark.slow
def test_what_another_process_writes_is_seen(schema, tmp_path):
    company = begun(schema, tmp_path / "crm.db")
    told(company)
    code = (
        "import sys\n"
        "from crm.records import SYSTEM, Company\n"
        "from crm.schema import load\n"
        "from crm.stores import open_store\n"
        "company = Company(load(sys.argv[1]), open_store(sys.argv[2]))\n"
        "door = company.door(SYSTEM)\n"
        "door.change('promise', 1, {'state': 'kept', 'worth': 70})\n"
        "door.create('promise', {'name': 'there', 'worth': 80, 'who': 1, 'rivals': [3]})\n"
        "door.delete('promise', 2)\n"
    )
    argv = [sys.executable, "-c", code, str(schema.folder), str(tmp_path / "crm.db")]
    subprocess.run(argv, check=True, cwd=Path(__file__).parents[2])
    fresh = Company(schema, open_store(str(tmp_path / "crm.db")))
    assert told(company) == told(fresh)
    assert {row[0]: row[1] for row in run(company.door(SYSTEM), "steps").rows}["Kept"] == 1


def test_columns_are_kept_and_only_what_changed_is_read_again(schema, tmp_path):
    company = begun(schema, tmp_path / "crm.db")
    door = company.door(SYSTEM)
    kinds = kept_of(company, "promise", ["worth"]).columns["worth"].kinds
    read = []
    door.change("promise", 1, {"worth": 1234})
    of = company.store.table
    company.store.table = lambda name: Watched(of(name), read)  # type: ignore[method-assign]
    kept = kept_of(company, "promise", ["worth"])
    assert kept.columns["worth"].kinds is kinds
    assert list(kept.columns["worth"])[0] == 123400
    assert read == [("among", [1])]


class Watched:
    """A table that tells what is read of it."""

    def __init__(self, table, read):
        self.table, self.told = table, read

    def __getattr__(self, name):
        return getattr(self.table, name)

    def among(self, ids, *rest):
        self.told.append(("among", ids))
        return self.table.among(ids, *rest)

    def spells(self, *keys, ids=None):
        self.told.append(("spells", ids))
        return self.table.spells(*keys, ids=ids)

    def values(self, *rest, **more):
        self.told.append(("values", rest))
        return self.table.values(*rest, **more)


def test_one_may_not_see_by_columns_what_another_had_read(schema, tmp_path):
    company = begun(schema, tmp_path / "crm.db")
    everything, anna = company.door(SYSTEM), company.door(company.actor("anna"))
    ids, values = everything.columns("promise", ["worth", "giver.size"])
    assert len(ids) == 4 and list(values["giver.size"]) == [1, 2, 3, None]
    ids, values = anna.columns("promise", ["worth", "giver.size"])
    assert ids.tolist() == [1, 3]
    assert list(values["giver.size"]) == [None, 3]  # the giver of the first is none of those she may see
    company.door(SYSTEM).change("promise", 3, {"who": 2})
    assert anna.columns("promise", ["worth"])[0].tolist() == [1]


def test_kept_columns_take_no_more_room_than_allowed(schema, tmp_path, monkeypatch):
    company = begun(schema, tmp_path / "crm.db")
    monkeypatch.setattr(columns, "CELLS", 60)  # a column of four records with few values takes some twenty
    for key in ("worth", "mood", "due", "name", "who", "state"):
        assert list(kept_of(company, "promise", [key]).columns) == [key]
    tables = columns._columns[company]._tables
    assert sum(columns._cells(one) for kept in tables.values() for one in kept.columns.values()) <= 60
    monkeypatch.setattr(columns, "CELLS", 6)
    again = Company(schema, open_store(str(tmp_path / "crm.db")))
    assert kept_of(again, "promise", ["worth"]) is None  # too large to be kept at all
    assert told(again) == told(company)


def test_both_ways_to_a_figure_agree(schema, tmp_path):
    company = begun(schema, tmp_path / "crm.db")
    door = company.door(SYSTEM)
    for name in ("cohorts", "rivals", "sizes"):
        report = schema.reports[name]
        by_hand = dict(Groups(door, report, [report.where] if report.where else [], None, by_hand=True).table())
        assert by_hand == dict(Groups(door, report, [report.where] if report.where else [], None).table())


@given(
    st.lists(st.datetimes(datetime(1990, 1, 1), datetime(2040, 1, 1)), min_size=1, max_size=30),
    st.sampled_from(["Europe/Warsaw", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC", "America/St_Johns"]),
)
def test_days_of_many_moments_are_those_of_each(times, name):
    from zoneinfo import ZoneInfo

    texts = [f"{one:%Y-%m-%dT%H:%M:%S}.{one.microsecond // 1000:03d}Z" for one in times]
    zone = ZoneInfo(name)
    assert days_of(texts, zone).tolist() == [local(one, zone).toordinal() - EPOCH for one in texts]


@given(st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.integers(0, 3) | st.none()), max_size=20))
def test_rows_are_put_together_by_what_stands_in_them(rows):
    codes, ones = combined([Column.of(column) for column in zip(*rows, strict=True)] if rows else [], len(rows))
    assert [rows[ones[code]] for code in codes] == rows
    assert len(set(rows)) == len(ones)


def test_what_is_taken_back_was_never_read(schema, tmp_path):
    company = begun(schema, tmp_path / "crm.db")
    door = company.door(SYSTEM)
    told(company)
    with pytest.raises(ZeroDivisionError), company.writing(SYSTEM):
        door.change("promise", 1, {"worth": 99, "state": "kept"})
        door.create("promise", {"name": "never", "worth": 99, "who": 1})
        told(company)
        raise ZeroDivisionError
    door.change("promise", 2, {"worth": 7, "state": "talk"})  # the numbers of the changes taken back are given again
    assert told(company) == told(Company(schema, open_store(str(tmp_path / "crm.db"))))


def test_another_store_in_place_of_this_one_is_noticed(schema, tmp_path):
    company = begun(schema, tmp_path / "crm.db")
    door = company.door(SYSTEM)
    company.store.backup(str(tmp_path / "backup.db"))
    door.change("promise", 1, {"worth": 50, "state": "kept"})
    told(company)
    company.store.restore(str(tmp_path / "backup.db"))
    door.change("promise", 3, {"worth": 60, "state": "talk"})
    assert told(company) == told(Company(schema, open_store(str(tmp_path / "crm.db"))))


def test_what_is_written_with_a_time_before_changes_the_figures_of_then(schema, tmp_path, monkeypatch):
    company = begun(schema, tmp_path / "crm.db")
    door, then, worked = company.door(SYSTEM), START - timedelta(days=2), []
    work = Groups.worked_out
    monkeypatch.setattr(Groups, "worked_out", lambda self: worked.append(self.report.name) or work(self))

    def sizes():
        return {tuple(row[:2]) for row in run(door, "sizes", as_of=then).rows}

    before = sizes()
    door.change("promise", 1, {"giver": 4})
    assert sizes() == before and worked == ["sizes"]  # what is written today does not touch what was then
    with company.writing(SYSTEM, at=START - timedelta(days=3)):
        door.create("promise", {"name": "early", "worth": 5, "giver": 2, "who": 1})
    assert dict(sizes()) == dict(before) | {"2": 2} and worked == ["sizes"] * 2
    company.table("giver").remove(doc_ids=[3])
    assert sizes() == {
        tuple(row[:2]) for row in run(Company(schema, open_store(str(tmp_path / "crm.db"))).door(SYSTEM), "sizes", as_of=then).rows
    }


def test_figures_of_the_past_are_those_of_who_asks(schema, tmp_path):
    company = begun(schema, tmp_path / "crm.db")
    everything, anna, then = company.door(SYSTEM), company.door(company.actor("anna")), START - timedelta(days=2)
    assert sum(row[2] for row in run(everything, "cohorts", as_of=then).exact if row[2]) > 0
    counts = [sum(row[3] for row in run(door, "cohorts", as_of=then).exact) for door in (everything, anna)]
    assert counts == [4, 2]
    everything.change("promise", 3, {"who": 2})
    assert sum(row[3] for row in run(anna, "cohorts", as_of=then).exact) == 1  # the past of what may be seen today
