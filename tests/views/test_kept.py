"""Counts are asked for once until something is written that could change them."""

from __future__ import annotations

import pytest

from crm.records import SYSTEM, Company
from crm.schema import load, shipped
from crm.stores import open_store
from crm.views.kept import Kept
from crm.views.listing import Listing

from .test_listing import Window


@pytest.fixture(scope="module")
def company():
    one = Company(load(shipped("sales")), open_store(":memory:"))
    yield one
    one.store.close()


def test_an_answer_stands_until_one_of_its_tables_is_written(company):
    door, kept, asked = company.door(SYSTEM), Kept(company), []

    def count():
        asked.append(1)
        return door.count("account")

    tables = kept.around("account")
    there = door.count("account")
    assert [kept.get("n", tables, count) for _ in range(3)] == [there] * 3 and len(asked) == 1
    door.create("product", {"name": "Saw", "code": "S1"})
    assert kept.get("n", tables, count) == there and len(asked) == 1
    one = door.create("account", {"name": "Nowak"})
    assert kept.get("n", tables, count) == there + 1 and len(asked) == 2
    company.store.table("account").update({"name": "Other"}, doc_ids=[one.id])  # by whoever it may be
    assert kept.get("n", tables, count) == there + 1 and len(asked) == 3


def test_a_minute_later_it_is_asked_anew(company, monkeypatch):
    kept, now = Kept(company), [0.0]
    monkeypatch.setattr("crm.views.kept.time.monotonic", lambda: now[0])
    assert kept.get("n", frozenset(), lambda: 1) == 1
    now[0] = 30.0
    assert kept.get("n", frozenset(), lambda: 2) == 1
    now[0] = 61.0
    assert kept.get("n", frozenset(), lambda: 2) == 2


def test_a_condition_on_what_links_here_waits_for_that_too(company):
    entity = company.schema.entities["account"]
    back, (child, _) = next(iter(entity.back.items()))
    kept = Kept(company)
    assert child not in kept.around("account") - {entity.name} or child in {getattr(f, "to", None) for f in entity.fields.values()}
    assert child in kept.around("account", [f"count({back}) > 0"])


def test_a_list_counts_what_is_there_now(company):
    window, door = Window(company, SYSTEM), company.door(SYSTEM)
    there = Listing(window, "account", {}).count()
    assert there == door.count("account")
    door.create("account", {"name": "Nowak"})
    assert Listing(window, "account", {}).count() == there + 1
    assert next(tab["count"] for tab in Listing(window, "account", {}).counts() if tab["name"] == "all") == str(there + 1)
