"""F14, I7 over the demo companies: homes show what changed since Monday; packs hold it; it adds up for every role and holds what they may see."""

from __future__ import annotations

import shutil
from datetime import datetime, time, timedelta
from decimal import Decimal

import pytest

from crm.analytics import names, run
from crm.documents import make
from crm.documents import names as packs
from crm.documents.html import html, text
from crm.errors import Denied, Missing
from crm.records import SYSTEM, Company
from crm.schema import load, shipped
from crm.stores import open_store


@pytest.fixture(scope="module", params=["sales", "nonprofit"])
def company(request, demo_store, nonprofit_store, tmp_path_factory):
    source = {"sales": demo_store, "nonprofit": nonprofit_store}[request.param]
    store = open_store(str(shutil.copy(source, tmp_path_factory.mktemp("store") / "demo.db")))
    yield Company(load(shipped(request.param)), store)
    store.close()


def everybody(company):
    """A door for one user of every role, and the engine's."""
    yield company.door(SYSTEM)
    for role in company.schema.roles:
        for user in company.people.with_role(role)[:1]:
            yield company.door(user)


def changing(company):
    return [name for name, one in company.schema.reports.items() if one.analysis == "pipeline_change"]


def open_worth(company, door, entity, moment):
    """The worth of what is open at a moment, from whole documents one by one."""
    pipeline = company.schema.pipelines[company.schema.entities[entity].pipelines[0]]
    one, key = company.schema.entities[entity], pipeline.fields["amount"]
    sight, total = door.sight(entity), Decimal(0)
    for doc in company.table(entity).as_of(moment).find():
        stage = company.schema.stage_of(entity, doc)
        if doc.get("deleted_on") is None and stage is not None and not stage.outcome and sight.allows("see", doc, doc.doc_id):
            total += one.fields[key].from_json(doc.get(key) or 0)
    return total


def test_what_changed_adds_up_for_every_role_and_begins_and_ends_with_what_each_may_see(company):
    for door in everybody(company):
        for name in changing(company):
            if name not in names(door):
                continue
            report = company.schema.reports[name]
            for days in (None, (company.today() - timedelta(days=60), company.today() - timedelta(days=20))):
                result = run(door, name, period=days)
                value = {keys[0]: row[2] for keys, row in zip(result.keys, result.exact, strict=True)}
                steps = sum(one for part, one in value.items() if part not in ("opening", "closing"))
                assert value["opening"] + steps == value["closing"], (door, name)
                if not report.options.get("closing"):
                    since, until = result.notes["since"], result.notes["until"] or company.now()
                    assert value["opening"] == open_worth(company, door, report.entity, since)
                    assert value["closing"] == open_worth(company, door, report.entity, until)


def test_a_running_week_begins_on_monday(company):
    result = run(company.door(SYSTEM), changing(company)[0])
    since = (result.notes["since"] + timedelta(milliseconds=1)).astimezone(company.zone)
    assert since.weekday() == 0 and since.time() == time(0) and since <= company.now() < since + timedelta(days=8)
    assert isinstance(since, datetime) and result.says


def test_who_may_not_read_the_amount_has_no_such_report(company):
    entity = company.schema.reports[changing(company)[0]].entity
    amount = company.schema.pipelines[company.schema.entities[entity].pipelines[0]].fields["amount"]
    for door in everybody(company):
        open_ = door.may("see", entity) and amount in door.readable(entity)
        there = [name for name in changing(company) if name in names(door)]
        assert bool(there) == open_, door
        if not open_:
            with pytest.raises((Missing, Denied)):
                run(door, changing(company)[0])


def test_homes_show_what_changed(company):
    """The dashboards of those who lead, and their packs, hold what changed since the last meeting."""
    boards = [{card.name for row in board.rows for card in row} for board in company.schema.dashboards.values()]
    assert any(set(changing(company)) & board for board in boards)
    assert all(set(changing(company)) & {part.report for part in pack.parts} for pack in company.schema.packs.values())


@pytest.mark.slow
def test_packs_hold_the_figures_of_their_reader(company):
    for name, pack in company.schema.packs.items():
        door = company.door(company.people.with_role(pack.roles[0])[0])
        assert name in packs(door)
        made = make(door, name)
        said, page = text(made), html(made, lambda section: "")
        for section in made.sections:
            if section.result is not None:
                assert section.result.user == door.actor.login and section.result.stamp in said and section.result.stamp in page
                assert section.kind == "figure" or all(cell in said for row in section.cells for cell in row)
