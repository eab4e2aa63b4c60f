"""Notices: written with the step that causes them, read by one person, about what that person may see (B7)."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest

from crm.records import SYSTEM, agenda
from crm.records.notices import TABLE, notify, sweep
from crm.worker.jobs.reminders import Reminders


@pytest.fixture
def rep(demo):
    """A rep of the demo without any notice."""
    user = next(one.id for one in demo.door(SYSTEM).list("user", "role == 'rep'", order=["id"]))
    demo.store.table(TABLE).truncate()
    return demo.door(user)


@pytest.fixture
def mine(demo, rep):
    return rep.list("account", "owner == me", limit=1)[0]


def test_a_notice_is_told_once_in_the_readers_language_and_leads_to_the_record(demo, rep, mine):
    for _ in range(2):
        notify(demo, rep.actor.id, "{title} is due today", entity="account", id=mine.id, key="x")
    (notice,) = rep.notices()
    assert notice.text == f"{mine.title} is due today" and (notice.entity, notice.record, notice.seen) == ("account", mine.id, False)
    demo.door(SYSTEM).change("user", rep.actor.id, {"language": "pl"})
    demo.people.stale()
    assert demo.door(rep.actor.id).notices()[0].text == f"{mine.title}: termin dzisiaj"


def test_read_one_or_all(demo, rep):
    ids = [notify(demo, rep.actor.id, "Your day", key=str(n)) for n in range(5)]
    assert rep.unread() == 5 and [one.id for one in rep.notices()] == ids[::-1]
    rep.notice_seen(ids[0])
    rep.notice_seen(ids[1:3])
    assert rep.unread() == 2 and [one.id for one in rep.notices(unread=True)] == [ids[4], ids[3]]
    rep.notice_seen()
    assert rep.unread() == 0 and len(rep.notices()) == 5


def test_nobody_reads_or_marks_those_of_others(demo, rep):
    other = next(one.id for one in demo.door(SYSTEM).list("user", "role == 'rep'") if one.id != rep.actor.id)
    number = notify(demo, other, "Your day")
    assert rep.notices() == [] and demo.door(SYSTEM).notices() == []
    rep.notice_seen(number)
    rep.notice_seen()
    assert demo.door(other).unread() == 1


def test_a_title_the_reader_may_not_see_is_never_shown(demo, rep, mine):
    hidden = next(one for one in demo.door(SYSTEM).list("opportunity", limit=None) if rep.titles("opportunity", [one.id]) == {})
    notify(demo, rep.actor.id, "{title} is due today", entity="opportunity", id=hidden.id)
    notify(demo, rep.actor.id, "Taken back: {what}", entity="account", id=mine.id, what=("opportunity", hidden.id))
    assert [one.text for one in rep.notices()] == ["Taken back: …"] and rep.unread() == 1


def test_it_goes_with_the_undo_of_its_step_and_with_a_step_that_fails(demo, rep, mine):
    with rep.step("x") as step:
        rep.change("account", mine.id, {"phone": "+48 58 301 22 11"})
        notify(demo, rep.actor.id, "{title} is due today", entity="account", id=mine.id)
    assert rep.unread() == 1
    rep.undo(step.id)
    assert rep.notices() == []
    with pytest.raises(RuntimeError), rep.step("x"):
        notify(demo, rep.actor.id, "Your day")
        raise RuntimeError
    assert demo.store.table(TABLE).count() == 0


def test_old_ones_are_thrown_away(demo, rep):
    notify(demo, rep.actor.id, "Your day")
    assert sweep(demo) == 0 and sweep(demo, days=-1) == 1 and rep.notices() == []


def test_appointments_are_announced_a_quarter_of_an_hour_before_and_once(demo, rep):
    now = datetime.combine(demo.today(), time(10), demo.zone)
    job = Reminders()
    job.soon(demo, now - timedelta(minutes=1))
    rep.create("activity", {"subject": "Meet at ten past", "kind": "meeting", "due_on": now + timedelta(minutes=10)})
    rep.create("activity", {"subject": "Meet at eleven", "kind": "meeting", "due_on": now + timedelta(hours=1)})
    job.soon(demo, now)
    assert rep.notices() == [], "it was made when its quarter of an hour had begun"
    job.soon(demo, now + timedelta(minutes=45))
    job.soon(demo, now + timedelta(minutes=45))
    assert [one.text for one in rep.notices()] == ["Meet at eleven begins at 11:00"]


def test_what_is_due_on_the_day_is_told_once_in_the_morning(demo, rep):
    day = demo.today() + timedelta(days=400)
    deal = next(one for one in rep.list("opportunity", ["owner == me", "stage.open"], limit=5))
    rep.change("opportunity", deal.id, {"next_on": day, "next_step": "Call"})
    early = datetime.combine(day, time(6), demo.zone)
    Reminders().today(demo, early)
    assert rep.unread() == 0
    for hour in (9, 10):
        Reminders().today(demo, early.replace(hour=hour))
    assert [one.text for one in rep.notices()] == [f"{deal.title} is due today"]


# ---- the agenda ----


def test_late_today_and_later_are_the_same_for_every_kind_of_step(demo, rep):
    today = rep.words.today()
    for one in rep.list("opportunity", ["owner == me", "stage.open"], limit=1):
        rep.change("opportunity", one.id, {"next_on": today - timedelta(days=200)})
    found = agenda.steps(rep, today + timedelta(days=14))
    assert found == sorted(found, key=lambda step: step.day)
    assert {step.planned for step in found} == {True, False}
    for step in found:
        assert agenda.state(step.day, today) == ("late" if step.day < today else "today" if step.day == today else "later")
        owner = step.record[demo.schema.entities[step.entity].role("owner")]
        assert owner == rep.actor.id


def test_open_records_without_a_next_step_are_counted_whatever_their_entity(demo, rep):
    for name in ("lead", "opportunity"):
        for one in rep.list(name, ["owner == me", "next_on != None", "open" if name == "lead" else "stage.open"], limit=2):
            rep.change(name, one.id, {"next_on": None})
    by_hand = sum(
        rep.count(name, ["owner == me", condition])
        for name, condition in (
            ("lead", "status in ['new', 'contacted', 'qualified'] and next_on == None"),
            ("opportunity", "stage.open and next_on == None"),
        )
    )
    records, total = agenda.without(rep, 1000)
    assert total == by_hand == len(records) and total > 0
    assert all(agenda.lacks(rep, one) for one in records)
    first = next(one for one in records if one.entity == "opportunity")
    rep.change("opportunity", first.id, {"next_on": rep.words.today()})
    assert agenda.without(rep)[1] == total - 1
