"""History, steps and reading the past."""

from __future__ import annotations

import copy
import random
from datetime import UTC, date, datetime, timedelta

import pytest
from tinydb import where

from crm.stores import Document


def test_history_tells_who_when_from_to(database, deals):
    with database.transaction(actor="ben", at=datetime(2025, 2, 1, 9, 30, tzinfo=UTC)) as step:
        deals.update({"stage": "won", "lesson": "be quick"}, doc_ids=[1])
    deals.remove(doc_ids=[1])
    created, changed, removed = deals.history(1)
    assert (created.act, created.who, created.at, created.version) == ("create", "anna", "2025-01-10T08:00:00.000Z", 1)
    assert created.patch["stage"] == [None, "open"]
    assert (changed.act, changed.who, changed.at, changed.step, changed.version) == (
        "change",
        "ben",
        "2025-02-01T09:30:00.000Z",
        step.id,
        2,
    )
    assert changed.patch == {"stage": ["open", "won"], "lesson": [None, "be quick"]}
    assert removed.act == "delete" and removed.patch["lesson"] == ["be quick", None] and removed.who == "system"
    assert deals.history(1, limit=1) == [removed]
    assert database.changes(since=changed.seq - 1, limit=1) == [changed] and database.step(step.id) == [changed]
    assert [s.who for s in database.steps(who="ben")] == ["ben"] and database.steps(before=step.id)[0].note == "first"


def test_a_step_that_wrote_nothing_is_not_there(database, deals):
    before = database.steps()
    with database.transaction(actor="ben"):
        deals.update({"stage": "open"}, doc_ids=[1])
    assert database.steps() == before


def test_the_times_of_a_document_never_run_backwards(database, deals):
    with database.transaction(at="2025-06-01T00:00:00Z"):
        deals.update({"stage": "a"}, doc_ids=[1])
    with database.transaction(at="2025-03-01T00:00:00Z"):
        deals.update({"stage": "b"}, doc_ids=[1, 2])
    assert [c.at[:7] for c in deals.history(1)] == ["2025-01", "2025-06", "2025-06"]
    assert [c.at[:7] for c in deals.history(2)] == ["2025-01", "2025-03"]
    assert deals.as_of("2025-06-01T00:00:00Z").get(doc_id=1)["stage"] == "b"
    assert database.verify() == []


def test_the_past_by_date_and_moment(database, deals):
    with database.transaction(at="2025-02-01T12:00:00Z"):
        deals.update({"stage": "won"}, doc_ids=[1])
    assert deals.as_of("2025-02-01").get(doc_id=1)["stage"] == "won"  # a day means its end
    assert deals.as_of(date(2025, 1, 31)).get(doc_id=1)["stage"] == "open"
    assert deals.as_of("2025-02-01T11:59:59.999Z").get(doc_id=1)["stage"] == "open"
    assert deals.as_of("2025-02-01T12:00:00Z").get(doc_id=1)["stage"] == "won"
    assert deals.as_of("2025-01-01").get(doc_id=1) is None and deals.as_of("2025-01-01").count() == 0
    past = deals.as_of("2025-01-31")
    past.find(where("stage") == "open")[0]["stage"] = "poison"
    past.find()[0]["stage"] = "poison"
    assert past.find()[0]["stage"] == "open"


def test_the_past_is_what_was_read_then(database):
    """Random lives of documents, against copies taken at the time."""
    pick = random.Random(3)
    table = database.table("t")
    table.declare(fields={"s": "choice", "n": "money", "name": "text", "gone": "datetime", "on": "date"}, indexes=[["s", "n"]], live="gone")
    clock = datetime(2024, 1, 1, tzinfo=UTC)
    seen: list[tuple[str, dict[int, tuple[int, dict]]]] = []
    removed: list[Document] = []
    for _ in range(60):
        clock += timedelta(hours=pick.randrange(0, 30))
        with database.transaction(at=clock):
            for _ in range(pick.randrange(1, 5)):
                ids = table.ids()
                act = pick.random()
                if act < 0.4 or not ids:
                    table.insert(
                        {"s": pick.choice("ab"), "n": pick.randrange(9), "name": pick.choice("xyz"), "free": [1], "on": "2024-05-06"}
                    )
                elif act < 0.75:
                    table.update(
                        {"s": pick.choice("abc"), "n": pick.choice([None, 5, 6]), "free": pick.choice([1, None])},
                        doc_ids=[pick.choice(ids)],
                    )
                elif act < 0.85:
                    table.update_derived(pick.choice(ids), {"n": pick.randrange(100)})
                elif act < 0.95 or not removed:
                    i = pick.choice(ids)
                    removed.append(table.get(doc_id=i))
                    table.remove(doc_ids=[i])
                else:
                    back = removed.pop()
                    if back.doc_id not in ids:
                        table.insert(Document(back, back.doc_id))
        seen.append((clock.isoformat(), {d.doc_id: (d.version, copy.deepcopy(dict(d))) for d in table}))
    for n, (when, wanted) in enumerate(seen):
        if n + 1 < len(seen) and seen[n + 1][0] == when:
            continue
        past = table.as_of(when)
        assert {d.doc_id: (d.version, dict(d)) for d in past.find()} == wanted
        some = sorted(wanted)[:3]
        assert [(d.doc_id, (d.version, dict(d))) for d in past.get_many(some)] == [(i, wanted[i]) for i in some]
        told = {row["s"]: (row["c"], row["n"]) for row in past.aggregate(["s"], {"c": "count", "n": ("sum", "n")})}
        by_hand: dict = {}
        for _, doc in wanted.values():
            count, total = by_hand.get(doc["s"], (0, 0))
            by_hand[doc["s"]] = (count + 1, total + doc.get("n", 0))
        assert told == by_hand
        assert past.count(where("n") > 4) == sum(doc.get("n", 0) > 4 for _, doc in wanted.values())
        assert past.ids(where("name") == "x") == sorted(i for i, (_, doc) in wanted.items() if doc["name"] == "x")
        assert past.frame(["n", "name"])["n"].sum() == sum(doc.get("n", 0) for _, doc in wanted.values())
        assert past.aggregate([("month", "on")], None, where("name") == "x") == [
            {"month(on)": "2024-05", "count": k} for k in [sum(doc["name"] == "x" for _, doc in wanted.values())] if k
        ]
    assert database.verify() == []
    before = [database.storage.rows(f"SELECT * FROM {table.info.past} ORDER BY doc_id,since") for _ in "1"]
    from crm.stores.asof import rebuild_past

    with database.transaction():
        rebuild_past(database.storage, table.info)
    for when, wanted in seen[::7]:
        assert table.as_of(when).count() == len(wanted) or (when, wanted) != seen[-1]
    assert before


def test_what_happened_can_be_undone_from_its_step(database, deals):
    """Steps hold what is needed to take them back, newest change first."""
    before = {d.doc_id: dict(d) for d in deals}
    with database.transaction() as step:
        deals.update({"stage": "lost", "reason": "price"}, doc_ids=[1])
        deals.remove(doc_ids=[2])
        deals.insert({"name": "extra"})
    for change in reversed(database.step(step.id)):
        if change.act == "create":
            deals.remove(doc_ids=[change.doc_id])
        elif change.act == "delete":
            deals.insert(Document({k: old for k, (old, _) in change.patch.items()}, change.doc_id))
        else:
            deals.patch_many({change.doc_id: {k: old for k, (old, _) in change.patch.items()}})
    assert {d.doc_id: dict(d) for d in deals} == before


def test_a_table_without_history(database):
    table = database.table("_session")
    table.declare(fields={"user": "link"}, history=False)
    table.insert({"user": 1})
    table.update({"user": 2}, doc_ids=[1])
    table.remove(doc_ids=[1])
    assert table.history(1) == [] and database.changes() == [] and database.verify() == []


@pytest.mark.parametrize("when", ["yesterday", "2025-13-01", 5])
def test_a_moment_that_is_none_is_refused(deals, when):
    with pytest.raises((ValueError, AttributeError)):
        deals.as_of(when)


def test_a_past_that_no_index_answers_alone_is_read_in_one_go(database, monkeypatch):
    """The figures are those of the documents then, whichever way the store takes."""
    table = database.table("promises")
    table.declare(fields={"stage": "choice", "amount": "money", "cost": "money"}, indexes=[["stage", "amount"]])
    with database.transaction(at=datetime(2025, 2, 1, tzinfo=UTC)):
        for n in range(40):
            table.insert({"stage": "ab"[n % 2], "amount": n, "cost": 3 * n})
    with database.transaction(at=datetime(2025, 3, 1, tzinfo=UTC)):
        table.update({"stage": "b"}, doc_ids=[1, 3, 5])
    then, asked = table.as_of("2025-02-15"), []
    rows = type(database._storage).rows
    monkeypatch.setattr(type(database._storage), "rows", lambda self, sql, *rest: asked.append(sql) or rows(self, sql, *rest))
    found = then.aggregate((), {"cost": ("sum", "cost")}, where("stage").one_of(["a", "x"]))
    assert found == [{"cost": sum(3 * n for n in range(0, 40, 2))}]
    assert "LIMIT -1" in asked[-1]
    assert then.aggregate(["stage"], {"amount": ("sum", "amount")}, where("stage") == "a")[0]["amount"] == sum(range(0, 40, 2))
    assert "LIMIT -1" not in asked[-1]  # this one an index answers alone
