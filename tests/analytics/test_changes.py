"""I7: what changed in the pipeline adds up to the last cent, in any history, for everybody; held against a plain replay of that history."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.analytics import run
from crm.analytics.changes import PARTS, changes
from crm.records import SYSTEM, Company
from crm.stores import open_store
from tests.analytics.promises import agents, loaded

CONFIG = {
    "crm.yaml": "extends: base\nlanguages: [en, pl]\ncurrency: EUR\ntimezone: UTC\n",
    "roles/agent.yaml": "role: agent\nrights:\n  promise: {see: own, create: all, change: own}\n  user: {see: all}\n",
    "entities/promise.yaml": """entity: promise
title: '{name}'
owner: who
fields:
  name: {type: text, required: true}
  state: {type: stage}
  worth: {type: money}
  due: {type: date}
  who: {type: user}
""",
}
START = datetime(2026, 7, 6, 9, tzinfo=UTC)  # a Monday
OPEN = ("idea", "talk")


@pytest.fixture(scope="module")
def schema(tmp_path_factory):
    return loaded(tmp_path_factory, CONFIG)


def fresh(schema):
    company = Company(schema, open_store(":memory:"))
    with company.writing(SYSTEM, at=START - timedelta(days=60)):
        agents(company)
    company.people.stale()
    return company


steps = st.lists(
    st.tuples(
        st.sampled_from(["new", "new", "worth", "stage", "stage", "owner", "due", "delete", "restore", "nothing"]),
        st.integers(0, 9),  # which record
        st.integers(0, 5000),  # a value in cents
        st.sampled_from(["idea", "talk", "kept", "broken"]),
        st.integers(0, 1),  # an owner
        st.integers(-20, 100),  # a closing day
        st.integers(1, 30),  # hours later
    ),
    min_size=1,
    max_size=25,
)


def lived(company, history):
    """Plays a history; `[(moment, {id: (state, cents, due, owner) or None where deleted})]` of every moment, by plain bookkeeping."""
    door, table = company.door(SYSTEM), company.table("promise")
    owners = [company.people.actor(one).id for one in ("anna", "bert")]
    now, known, log = START, {}, [(START - timedelta(days=40), {})]
    for act, which, cents, stage, owner, day, hours in history:
        now += timedelta(hours=hours)
        due = date(2026, 7, 6) + timedelta(days=day)
        ids = sorted(known)
        id = ids[which % len(ids)] if ids else None
        with company.writing(SYSTEM, at=now):
            if act == "new":
                made = {"name": "x", "worth": Decimal(cents) / 100, "due": due, "who": owners[owner], "state": stage}
                record = door.create("promise", made)
                known[record.id] = (stage, cents, str(due), owners[owner], False)
            elif id is None:
                continue
            elif act == "restore":
                if known[id][4]:
                    table.update({"deleted_on": None}, doc_ids=[id])
                    known[id] = (*known[id][:4], False)
            elif known[id][4]:
                continue
            elif act == "worth":
                door.change("promise", id, {"worth": Decimal(cents) / 100})
                known[id] = (known[id][0], cents, *known[id][2:])
            elif act == "stage":
                door.move("promise", id, stage)
                known[id] = (stage, *known[id][1:])
            elif act == "owner":
                door.change("promise", id, {"who": owners[owner]})
                known[id] = (*known[id][:3], owners[owner], False)
            elif act == "due":
                door.change("promise", id, {"due": due})
                known[id] = (*known[id][:2], str(due), *known[id][3:])
            elif act == "delete":
                door.delete("promise", id)
                known[id] = (*known[id][:4], True)
        log.append((now, dict(known)))
    return log


def at(log, moment):
    return next(known for when, known in reversed(log) if when <= moment)


def expected(log, since, until, owner=None, window=None):
    """The parts, record by record, from what is in the log: another way than the store's past."""
    a, b = at(log, since), at(log, until)

    def seen(one, alone=True):
        if one is None or one[4] or (owner is not None and one[3] != owner):
            return False
        return not alone or one[0] in OPEN and (window is None or window[0] <= one[2] < window[1])

    told, opening, closing = defaultdict(lambda: [0, 0]), 0, 0
    for id in {*a, *b}:
        was, now = a.get(id), b.get(id)
        before, after = seen(was), seen(now)
        opening += was[1] if before else 0
        closing += now[1] if after else 0
        ended = seen(now, alone=False) and now[0] not in OPEN
        outcome = {"kept": "won", "broken": "lost"}.get(now[0]) if ended else None

        def add(part, cents):
            told[part][0] += 1
            told[part][1] += cents

        if before and (after or ended):
            if now[1] != was[1]:
                add("raised" if now[1] > was[1] else "lowered", now[1] - was[1])
            if ended:
                add(outcome, -now[1])
        elif before:
            add("deleted" if now is None or now[4] else "moved_out" if seen(now, alone=False) else "given", -was[1])
        elif after or (ended and (window is None or window[0] <= now[2] < window[1])):
            if was is None:
                how = "new"
            elif was[4]:
                how = "restored"
            elif was[0] not in OPEN:
                if was[0] == now[0]:
                    continue
                how = "reopened"
            else:
                how = "moved_in" if seen(was, alone=False) else "received"
            add(how, now[1])
            if ended:
                add(outcome, -now[1])
    return {part: tuple(one) for part, one in told.items()}, opening, closing


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(history=steps, first=st.integers(0, 24), length=st.integers(0, 25))
def test_every_history_adds_up(schema, history, first, length):
    company = fresh(schema)
    log = lived(company, history)
    since = log[min(first, len(log) - 1)][0]
    until = log[min(first + length, len(log) - 1)][0]
    for who in (SYSTEM, company.actor("anna"), company.actor("bert")):
        for window in (None, (date(2026, 7, 1), date(2026, 9, 1))):
            found = changes(company.door(who), "promise", since, until, window=window)
            strings = window and (str(window[0]), str(window[1]))
            parts, opening, closing = expected(log, since, until, who.id, strings)
            assert (found.opening, found.closing) == (opening, closing)
            told = {part: (len(found.of(part)), sum(one.value for one in found.of(part))) for part in PARTS if found.of(part)}
            assert told == parts
            assert found.opening + sum(one.value for one in found.pieces) == found.closing
    company.store.close()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(history=steps)
def test_every_row_of_stages_adds_up_and_all_rows_together(schema, history):
    company = fresh(schema)
    log = lived(company, history)
    company.clock = lambda: log[-1][0]
    for who in (SYSTEM, company.actor("anna")):
        door = company.door(who)
        days = (START.date() + timedelta(days=1), START.date() + timedelta(days=60))
        stages = run(door, "stages", period=days)
        rows = [dict(zip([column.key for column in stages.columns], row, strict=True)) for row in stages.exact]
        steps_ = ("came", "from_others", "to_others", "revalued", "won", "lost", "gone")
        for row in rows:
            assert row["opening"] + sum(row[one] for one in steps_) == row["closing"], row
        assert sum(row["from_others"] + row["to_others"] for row in rows) == 0
        result = run(door, "change", period=days)
        value = {keys[0]: row[2] for keys, row in zip(result.keys, result.exact, strict=True)}
        for figure, parts in {
            "opening": ["opening"],
            "closing": ["closing"],
            "won": ["won"],
            "lost": ["lost"],
            "revalued": ["raised", "lowered"],
        }.items():
            assert sum(row[figure] for row in rows) == sum(value.get(part, 0) for part in parts), figure
    company.store.close()


@pytest.fixture
def company(schema):
    made = fresh(schema)
    yield made
    made.store.close()


def test_the_sentence_the_days_and_the_records_behind(company):
    """Without any pack it is the week; a period that is asked for comes first; a click shows the records."""
    history = [
        ("new", 0, 1000, "idea", 0, 10, 1),
        ("new", 0, 2000, "idea", 0, 10, 1),
        ("new", 0, 3000, "idea", 1, 10, 1),
        ("stage", 0, 0, "kept", 0, 0, 24 * 8),  # the Tuesday after
        ("worth", 1, 2500, "idea", 0, 0, 1),
        ("owner", 2, 0, "idea", 0, 0, 1),
        ("new", 0, 700, "idea", 0, 10, 1),
    ]
    log = lived(company, history)
    company.clock = lambda: log[-1][0] + timedelta(days=1)
    result = run(company.door(SYSTEM), "change")
    assert result.says == "Since Monday, 13 July 2026: Kept: 1 (€10), 1 new (€7), values changed by +€5. Open pipeline €60 → €62."
    rows = {keys[0]: (row[1], row[2]) for keys, row in zip(result.keys, result.exact, strict=True)}
    assert rows["won"] == (1, Decimal("-10")) and rows["opening"] == (3, Decimal(60)) and rows["closing"] == (3, Decimal(62))
    place = [keys[0] for keys in result.keys].index("won")
    assert [record["worth"] for record in company.door(SYSTEM).list("promise", result.drill(place))] == [Decimal(10)]
    anna = run(company.door("anna"), "change")
    rows = {keys[0]: (row[1], row[2]) for keys, row in zip(anna.keys, anna.exact, strict=True)}
    assert rows["received"] == (1, Decimal(30)) and rows["opening"] == (2, Decimal(30)) and rows["closing"] == (3, Decimal(62))
    bert = run(company.door("bert"), "change")
    rows = {keys[0]: (row[1], row[2]) for keys, row in zip(bert.keys, bert.exact, strict=True)}
    assert rows["given"] == (1, Decimal(-30)) and rows["closing"] == (0, Decimal(0))
    place = [keys[0] for keys in bert.keys].index("given")
    assert company.door("bert").list("promise", bert.drill(place)) == []  # the number is told, the record is not theirs any more
    early = run(company.door(SYSTEM), "change", period=(date(2026, 7, 6), date(2026, 7, 13)))
    assert {keys[0]: row[1] for keys, row in zip(early.keys, early.exact, strict=True)}["new"] == 3


def test_a_closing_date_moved_out_of_the_quarter_takes_the_money_with_it(company):
    log = lived(
        company,
        [
            ("new", 0, 1000, "talk", 0, 10, 1),
            ("new", 0, 500, "talk", 0, 95, 1),
            ("due", 0, 0, "", 0, 90, 24 * 28),
            ("due", 1, 0, "", 0, 30, 1),
        ],
    )
    company.clock = lambda: log[-1][0]  # in August; the quarter ends in September
    result = run(company.door(SYSTEM), "quarter")
    rows = {keys[0]: row[2] for keys, row in zip(result.keys, result.exact, strict=True)}
    assert rows == {"opening": 10, "new": 0, "moved_in": 5, "raised": 0, "lowered": 0, "won": 0, "lost": 0, "moved_out": -10, "closing": 5}
