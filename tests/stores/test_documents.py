"""Documents in and out: TinyDB's ways, versions, conflicts, copies, transactions, derived values, shape."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from tinydb import where

from crm.stores import Conflict, Document, open_store, where_id

LIVE = ~where("deleted_on").exists()


def test_a_caller_never_changes_the_store(deals):
    for read in (
        lambda: deals.get(doc_id=2),
        lambda: deals.find(where("name") == "Buses")[0],
        lambda: deals.search(where("tags").exists())[0],
    ):
        found = read()
        found["tags"].append("poison")
        found["name"] = "poison"
        assert read() == {**read(), "name": "Buses", "tags": ["green", "long"]}
    given = {"name": "Trains", "tags": ["a"]}
    i = deals.insert(given)
    given["tags"].append("poison")
    assert deals.get(doc_id=i)["tags"] == ["a"]


def test_versions_grow_and_a_wrong_one_is_a_conflict_with_both_sides(deals):
    assert deals.get(doc_id=1).version == 1
    deals.update({"stage": "won"}, doc_ids=[1], expect_version=1)
    assert deals.get(doc_id=1).version == 2
    with pytest.raises(Conflict) as told:
        deals.update({"stage": "lost"}, doc_ids=[1], expect_version=1)
    assert told.value.record == 1
    assert told.value.yours == {"version": 1, "fields": {"stage": "lost"}}
    assert told.value.theirs["stage"] == "won" and told.value.theirs.version == 2
    with pytest.raises(Conflict) as told:
        deals.remove(doc_ids=[1], expect_version=1)
    deals.remove(doc_ids=[1], expect_version=2)
    with pytest.raises(Conflict) as told:
        deals.update({"stage": "lost"}, doc_ids=[1], expect_version=2)
    assert told.value.theirs is None


def test_nothing_changed_is_nothing_written(database, deals):
    before = database.sequence
    assert deals.update({"stage": "open"}, doc_ids=[1]) == [1]
    assert (database.sequence, deals.get(doc_id=1).version) == (before, 1)
    deals.update({"hot": 1}, doc_ids=[1])  # 1 is not true
    assert deals.get(doc_id=1)["hot"] is not True


def test_derived_values_keep_the_version_but_are_in_history(deals):
    assert deals.update_derived(1, {"weighted": 105})
    assert not deals.update_derived(1, {"weighted": 105})
    assert deals.get(doc_id=1).version == 1
    assert [(c.act, c.patch) for c in deals.history(1)][1:] == [("derived", {"weighted": [None, 105]})]
    deals.update({"stage": "won"}, doc_ids=[1], expect_version=1)
    assert deals.update_many_derived({1: {"weighted": None}, 2: {"weighted": 5}}) == 2
    assert "weighted" not in deals.get(doc_id=1)


def test_an_empty_declared_field_is_absent_an_undeclared_null_stays(deals):
    given = {"name": "x", "stage": None, "address": {"city": None, "zip": None}, "other": None}
    i = deals.insert(given)
    assert given == {"name": "x", "stage": None, "address": {"city": None, "zip": None}, "other": None}
    assert deals.get(doc_id=i) == {"name": "x", "address": {"zip": None}, "other": None}
    deals.update({"name": None}, doc_ids=[i])
    assert "name" not in deals.get(doc_id=i)


@pytest.mark.parametrize("value", [date(2025, 1, 1), Decimal("1.5"), {1, 2}, object(), 2**70])
def test_what_json_does_not_know_is_refused(database, value):
    with pytest.raises((TypeError, ValueError)):
        database.table("x").insert({"a": value})
    assert len(database.table("x")) == 0


def test_ids_are_not_used_twice_and_a_removed_document_can_come_back(deals):
    deals.remove(doc_ids=[4])
    assert deals.insert({"name": "new"}) == 5
    deals.insert(Document({"name": "Boats"}, 4))
    assert deals.get(doc_id=4).version == 3
    assert [c.act for c in deals.history(4)] == ["create", "delete", "create"]
    with pytest.raises(ValueError, match="4 already exists"):
        deals.insert_multiple([{"name": "lost with it"}, Document({}, 4)])
    assert deals.count(where("name") == "lost with it") == 0


def test_a_transaction_is_one_step_and_all_or_nothing(database, deals):
    with database.transaction(actor="ben", note="two") as step:
        deals.update({"stage": "lost"}, doc_ids=[1, 2])
        with pytest.raises(RuntimeError), database.transaction():
            deals.insert({"name": "not this"})
            raise RuntimeError
        other = database.table("other").insert({"a": 1})
    assert [(c.table, c.doc_id, c.who) for c in database.step(step.id)] == [("deal", 1, "ben"), ("deal", 2, "ben"), ("other", other, "ben")]
    assert database.steps(1)[0].note == "two" and database.steps(1)[0].changes == 3
    before = database.sequence
    with pytest.raises(RuntimeError), database.transaction():
        deals.truncate()
        database.table("brand new").insert({})
        raise RuntimeError
    assert (database.sequence, len(deals), "brand new" in database.tables()) == (before, 4, False)
    assert database.table("brand new").insert({}) == 1


def test_a_step_of_its_own_inside_one_commit(database, deals):
    with database.transaction(actor="anna") as outer:
        deals.update({"stage": "a"}, doc_ids=[1])
        with database.transaction(actor="ben", at="2026-05-01T00:00:00Z", note="own", separate=True) as inner:
            deals.update({"stage": "b"}, doc_ids=[1])
        deals.update({"stage": "c"}, doc_ids=[1])
    assert outer.id != inner.id
    assert [(c.who, c.step) for c in deals.history(1)][1:] == [("anna", outer.id), ("ben", inner.id), ("anna", outer.id)]


def test_ways_of_writing_all_leave_history(database, deals):
    def grown():
        nonlocal seq
        seq, before = database.sequence, seq
        return seq - before

    seq = database.sequence
    deals.update_multiple([({"stage": "x"}, where("owner") == 1), ({"hot": False}, where("stage") == "open")])
    assert grown() == 3
    deals.upsert({"name": "Buses", "stage": "y"}, where("name") == "Buses")
    assert grown() == 1
    assert deals.upsert({"name": "Planes"}, where("name") == "Planes") == [5] and grown() == 1
    deals.patch_many({1: {"a": 1}, 3: {"a": 2}, 99: {"a": 3}})
    assert grown() == 2
    assert deals.migrate(rename={"stage": "phase"}, drop=["hot"], retype={"amount": str}) == 4 and grown() == 4
    assert {c.act for c in database.changes(seq - 4)} == {"migrate"}
    assert deals.get(doc_id=1)["amount"] == "1050" and "stage" not in deals.get(doc_id=1)
    deals.truncate()
    assert grown() == 5 and len(deals) == 0
    deals.insert({"a": 1})
    assert grown() == 1 and deals.get(doc_id=1).version > 1
    database.drop_table("deal")
    assert grown() == 1 and "deal" not in database.tables()
    assert database.changes()[-1].patch == {"a": [1, None]}
    assert database.verify() == []


def test_order_puts_the_empty_last_and_pages_hold_together(deals):
    names = [d["name"] for d in deals.find(order_by=["amount"])]
    assert names == ["Bikes", "Łódź trams", "Buses", "Boats"]
    assert [d["name"] for d in deals.find(order_by=["-amount"])] == ["Buses", "Łódź trams", "Bikes", "Boats"]
    assert deals.ids(order_by=["stage", "-owner"]) == [2, 1, 4, 3]
    assert deals.ids(order_by=["-stage"]) == [4, 3, 2, 1]
    test = where("stage").test(lambda s: s in ("open", "won"))  # SQL cannot say this
    for cond in (None, LIVE, test):
        pages = [deals.ids(cond, order_by=["-close_on"], limit=1, offset=n) for n in range(4)]
        assert pages == [[2], [1], [3], [4]]


def test_sorting_by_a_field_of_the_linked_document(database, deals):
    people = database.table("person")
    people.insert_multiple([{"name": "Zoe"}, {"name": "Adam"}])
    assert deals.ids(order_by=[("owner", "person", "name"), "amount"]) == [2, 4, 3, 1]
    assert deals.as_of("2099-01-01").ids(order_by=[("-owner", "person", "name"), "doc_id"]) == [1, 3, 2, 4]


def test_by_id(deals):
    assert deals.ids(where_id("in", [1, 3, 77]) & (where("stage") == "won")) == [3]
    assert deals.ids(where_id("not in", [1, 3])) == [2, 4] and deals.ids(~where_id("==", 1)) == [2, 3, 4]
    assert deals.ids(where_id(">=", 3)) == [3, 4]
    assert deals.ids(where_id("in", range(1000))) == [1, 2, 3, 4] and deals.ids(where_id("in", [])) == []
    assert [d.doc_id for d in deals if where_id("in", [2])(d)] == [2]
    assert [d.doc_id for d in deals.get_many([3, 99, 1])] == [3, 1]
    assert [d.doc_id for d in deals.get(doc_ids=[3, 99, 1])] == [1, 3]


def test_blobs_and_meta(database):
    sha = database.blob_put(b"\0picture")
    assert database.blob_put(b"\0picture") == sha and database.blob_get(sha) == b"\0picture" and database.blob_get("0" * 64) is None
    database.meta.set("k", {"a": [1]})
    assert database.meta.get("k") == {"a": [1]} and database.meta.get("none", 5) == 5
    database.meta.set("k", None)
    assert database.meta.get("k") is None


def test_a_store_opened_again_is_the_same(tmp_path):
    with open_store(tmp_path / "a.db") as one:
        one.table("t").declare(fields={"a": "money"}, indexes=[["a"]], fulltext={"": ["b"]})
        one.table("t").insert({"a": 1, "b": "needle"})
    with open_store(f"sqlite:///{tmp_path}/a.db") as two:
        assert two.table("t").info.kinds == {("a",): "money"}
        assert two.match("needle")[0].doc_id == 1 and two.tables() == {"t"}
    with pytest.raises(ValueError, match="PostgreSQL"):
        open_store("postgresql://localhost/x")


def test_declaring_later_than_the_documents_gives_the_same_answers(database):
    table = database.table("late")
    table.insert_multiple({"n": i, "tags": ["even"] if i % 2 == 0 else None, "name": f"name {i}", "s": "ab"[i % 2]} for i in range(50))
    table.update({"n": 100}, doc_ids=[1])
    when = database.steps(2)[1].at
    table.declare(fields={"n": "number", "tags": "list", "s": "choice"}, indexes=[["s", "n"]], fulltext={"": ["name"]})
    assert table.count(where("n") == 100) == 1 and table.count(where("tags").any(["even"])) == 25
    assert table.get(doc_id=2) == {"n": 1, "name": "name 1", "s": "b"}  # the null is gone
    assert table.as_of(when).aggregate((), {"n": ("sum", "n")}) in ([{"n": sum(range(50))}], [{"n": sum(range(50)) + 100}])
    assert {h.doc_id for h in database.match("name 49")} == {50}
    table.declare(fields={"n": "number", "s": "choice", "name": "text"}, fulltext={"other": ["s"]}, indexes=[])
    assert database.match("name 49", fuzzy=False) == []
    assert table.find(where("name") == "name 7")[0].doc_id == 8
    assert database.verify() == []


def test_some_ids_are_asked_with_a_condition(deals):
    rows = deals.among([4, 1, 3, 99], ["doc_id", "name", "hot"], where("owner") == 1)
    assert sorted(rows) == [(1, "Łódź trams", True), (3, "Bikes", None)]
    assert sorted(deals.among([4, 1, 99], ["doc_id"])) == [(1,), (4,)] and deals.among([], ["doc_id"]) == []
    assert deals.among([4, 1, 3], ["doc_id"], where("name").test(lambda name: name == "Boats")) == [(4,)]  # SQL cannot say it
    assert deals.among([2], ["tags", "address.city"]) == [(["green", "long"], None)]


def test_the_newest_of_several_tables(database, deals):
    calls = database.table("call")
    calls.declare(fields={"on": "date", "who": "link"})
    calls.insert_multiple({"on": f"2025-01-0{n}", "who": n % 2} for n in range(1, 6))
    odd = where("on").test(lambda on: on[-1] in "135")
    sources = [("call", [where("who") == 1, None], "on"), ("deal", [where("close_on").exists()], "close_on"), ("call", [odd], "on")]
    assert sorted(database.newest(sources, 2)) == [
        (0, 3, "2025-01-03"),
        (0, 5, "2025-01-05"),
        (1, 1, "2025-03-31"),
        (1, 2, "2025-04-01"),
        (2, 3, "2025-01-03"),
        (2, 5, "2025-01-05"),
    ]
    assert database.newest([], 2) == [] and database.present([]) == []
    asked = [
        ("call", [where("who") == 7]),
        ("call", [where("who") == 1]),
        ("call", [where("who") == 1, where("on") == "x"]),
        ("call", [odd]),
    ]
    assert database.present(asked) == [False, True, False, True]
