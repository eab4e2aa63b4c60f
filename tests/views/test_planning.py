"""Logging and planning from a record: one step of history, links carried over, the next day of a pipeline record kept in step."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crm.actions.base import about
from crm.actions.log_activity import subject_of
from crm.errors import Refused
from crm.records import SYSTEM
from crm.views import planning
from crm.views.listing import shown
from tests.views.test_listing import Window, deals


@pytest.fixture
def window(demo):
    users = demo.schema.users
    who = next(one for one in demo.door(SYSTEM).list(users.entity, limit=200) if one.get(users.role) == "sales_manager")
    one = Window(demo, demo.actor(who.id))
    one.shown = shown(one)
    return one


def a_deal(window):
    pipeline = deals(window.schema)
    entity = window.schema.entities[pipeline.entity]
    opened = [key for key, stage in pipeline.stages.items() if stage.open]
    record = next(one for one in window.door.list(entity.name, limit=None) if one[entity.stage_field] in opened and window.door.may("change", entity.name, one))
    return pipeline, record


def test_one_save_logs_plans_and_carries_the_links(window):
    pipeline, record = a_deal(window)
    roles = window.schema.activities
    before = window.door.count(roles.entity)
    step = planning.log(window, record, kind=planning.kinds(window)[0]["name"], text="They said yes. More to tell.", next="Send the paper", day="tomorrow")
    assert window.door.count(roles.entity) == before + 2
    assert planning.planned(window, window.door.get(record.entity, record.id)) is not None
    planned = window.door.list(roles.entity, order=["-id"], limit=1)[0]
    assert planned[roles.done] is None and planned[planning.link_to(window, record.entity)] == record.id
    for key, number in about(window.door, record.entity, record.id).items():
        assert planned[key] == number
    made = [one for one in window.door.list(roles.entity, limit=None, order=["-id"])[:2] if one[roles.done] is not None]
    assert made[0][roles.subject] == "They said yes" and made[0][roles.text] == "They said yes. More to tell."
    after = window.door.get(record.entity, record.id)
    assert after[pipeline.fields["next"]] == window.t.today() + timedelta(days=1)
    window.door.undo(step.id)
    assert window.door.count(roles.entity) == before
    assert window.door.get(record.entity, record.id)[pipeline.fields["next"]] == record[pipeline.fields["next"]]


def test_nothing_said_is_refused_and_nothing_is_written(window):
    _, record = a_deal(window)
    before = window.door.count(window.schema.activities.entity)
    with pytest.raises(Refused):
        planning.log(window, record, text="  ", next="")
    with pytest.raises(Refused):
        planning.log(window, record, text="Something", next="Next", day="the day after never")
    assert window.door.count(window.schema.activities.entity) == before


def test_the_kind_of_a_step_is_read_from_its_words(window):
    call = planning.kinds(window)[0]
    assert planning.guess_kind(window, f"{call['label']} them back") == call["name"]
    assert planning.guess_kind(window, "Xyzzy") is None


def test_a_long_text_becomes_a_headline_and_a_text():
    assert subject_of("Short", "Call") == ("Short", None)
    assert subject_of("One. Two.", "Call") == ("One", "One. Two.")
    head, rest = subject_of("word " * 60, "Call")
    assert len(head) <= 91 and head.endswith("…") and rest.startswith("word")
    assert subject_of("", "Call") == ("Call", None)


def test_done_moves_the_records_own_day_on(window):
    from crm.views.steps import done

    pipeline, record = a_deal(window)
    roles = window.schema.activities
    for one in window.door.list(roles.entity, where=f"{planning.link_to(window, record.entity)} == {record.id} and {roles.done} == None", limit=None):
        if window.door.may("change", roles.entity, one):
            window.door.change(roles.entity, one.id, {roles.done: window.t.now()})
    planning.log(window, window.door.get(record.entity, record.id), next="First", day="tomorrow")
    first = planning.planned(window, record)
    window.say = lambda *args, **more: None
    done(window, roles.entity, first.id)
    assert window.door.get(record.entity, record.id)[pipeline.fields["next"]] is None
