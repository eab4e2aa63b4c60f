"""The query compiler against TinyDB's own evaluation in Python."""

from __future__ import annotations

import random
import re

import pytest
from tinydb import Query, where

from crm.expressions.queries import linked, linked_from, text_like
from crm.stores import where_id
from crm.stores.lookup import looking

TEXTS = ["", "a", "A", "ab", "łódź", "Zoë", "[1]", '["a"]', "{}", "0", "1", "null", "a'b", 'q"q', "long " * 9, "\n", "日本", "a\0b"]
NUMBERS = [0, 1, -1, 2, 1.0, 0.5, -0.25, 10**12, 2**53 + 1, 1e300, 3]
ANY = [*TEXTS, *NUMBERS, True, False, [], ["a"], [1, "a"], [[1]], {}, {"a": 1}, {"b": {"c": 2}}]
FIELDS = {"t": "text", "n": "number", "c": "choice", "l": "list", "d.x": "text", "link": "link", "rs": "links"}


def document(pick: random.Random) -> dict:
    doc = {}
    if pick.random() < 0.8:
        doc["t"] = pick.choice(TEXTS)
    if pick.random() < 0.8:
        doc["n"] = pick.choice(NUMBERS)
    if pick.random() < 0.8:
        doc["c"] = pick.choice("abc")
    if pick.random() < 0.7:
        doc["m"] = pick.choice([*ANY, None])
    if pick.random() < 0.7:
        doc["l"] = pick.sample([*"abcd", 1, 2.5], pick.randrange(4))
    if pick.random() < 0.5:
        doc["d"] = pick.choice([{"x": pick.choice(TEXTS)}, {"x": "a", "y": {"z": pick.choice(NUMBERS)}}, {}])
    if pick.random() < 0.6:
        doc["link"] = pick.randrange(1, 45)
    if pick.random() < 0.5:
        doc["rs"] = [{"id": pick.randrange(5), "role": pick.choice("xy")} for _ in range(pick.randrange(3))]
    if pick.random() < 0.2:
        doc["odd key'"] = pick.choice(ANY)
    return doc


def query(pick: random.Random, depth: int = 0):
    shape = pick.random()
    if depth < 3 and shape < 0.45:
        one, two = query(pick, depth + 1), query(pick, depth + 1)
        return pick.choice([lambda: one & two, lambda: one | two, lambda: ~one])()
    leaf = pick.randrange(20)
    t, n, m, lst = where("t"), where("n"), where("m"), where("l")
    text, number = pick.choice(TEXTS), pick.choice(NUMBERS)
    compare = pick.choice([lambda f, v: f < v, lambda f, v: f <= v, lambda f, v: f > v, lambda f, v: f >= v])
    return [
        lambda: compare(t, text),
        lambda: compare(n, number),
        lambda: m == pick.choice([*ANY, None]),
        lambda: m != pick.choice([*ANY, None]),
        lambda: where(pick.choice(["t", "n", "m", "l", "d", "odd key'", "none"])).exists(),
        lambda: m.one_of(pick.sample([*TEXTS, *NUMBERS, True, None], 3)),
        lambda: t.one_of(pick.sample(TEXTS, 3)),
        lambda: lst.any(pick.sample([*"abcd", 1], 2)),
        lambda: lst.all(pick.sample("abcd", 2)),
        lambda: m.any(["a", 1]),
        lambda: Query().d.x == text,
        lambda: compare(Query().d.y.z, number),
        lambda: where("c") == pick.choice("abcd"),
        lambda: (where("c") == pick.choice("abcd")) & (where("c").one_of(pick.sample("abcd", 2)) & (where("n") > 0)),
        lambda: t.matches("a.*") if pick.random() < 0.5 else t.search("[łb]", re.IGNORECASE),
        lambda: where_id(pick.choice(["in", "not in"]), pick.sample(range(40), 5)) if pick.random() < 0.7 else where_id(">", 20),
        lambda: where("rs").any(where("id") == pick.randrange(5)) if pick.random() < 0.6 else where("rs").any(where("role") == "x"),
        lambda: linked("link", pick.choice(["plain", "declared"]), query(pick, 2)),
        lambda: linked_from("declared", pick.choice(["link", "rs"]), query(pick, 3) if pick.random() < 0.5 else None),
        lambda: text_like(pick.choice(["contains", "starts", "ends"]), ("t",), pick.choice(["lod", "a", "ONG ", "", "oe", '"'])),
    ][leaf]()


@pytest.fixture
def tables(database):
    pick = random.Random(5)
    plain, declared = database.table("plain"), database.table("declared")
    declared.declare(fields=FIELDS, indexes=[["c", "n"], ["t"], ["link"]], sparse=["link", "c"])
    docs = [document(pick) for _ in range(40)]
    plain.insert_multiple(docs)
    declared.insert_multiple(docs)
    return plain, declared


@pytest.mark.slow
def test_ten_thousand_random_queries_agree_with_python(database, tables):
    pick = random.Random(11)
    found = exact = 0
    for table in tables:
        docs = table.all()
        with looking(database.storage):
            for _ in range(5000):
                asked = query(pick)
                wanted = [doc.doc_id for doc in docs if asked(doc)]
                assert table.ids(asked) == wanted, asked
                if found % 5 == 0:
                    assert table.count(asked) == len(wanted), asked
                found += bool(wanted)
                exact += table._compile(asked).exact
    assert found > 4000 and exact > 6000  # they are not all empty, and SQL says most of them alone


def test_reads_agree_with_python_under_random_queries(tables):
    pick = random.Random(12)
    for table in tables:
        for _ in range(300):
            asked = query(pick)
            docs = list(table.find(asked))
            assert table.values(["doc_id", "t", "l", "m"], asked) == [(d.doc_id, d.get("t"), d.get("l"), d.get("m")) for d in docs]
            groups: dict = {}
            for doc in docs:
                groups.setdefault(doc.get("c"), []).append(doc.get("n"))
            told = {row["c"]: (row["n"], row["s"]) for row in table.aggregate(["c"], {"n": "count", "s": ("sum", "n")}, asked)}
            assert told.keys() == groups.keys()
            for key, (count, total) in told.items():
                assert count == len(groups[key]) and total == pytest.approx(sum(n for n in groups[key] if n is not None))
            assert list(table.frame(["n"], asked).index) == [d.doc_id for d in docs]


def test_a_declared_condition_uses_its_index(database, tables):
    _, declared = tables
    for asked in (where("c") == "a", (where("c") == "a") & (where("n") > 2), where("t").one_of(["a", "b"]), where("link") == 3):
        part = declared._compile(asked)
        plan = database.storage.rows(f"EXPLAIN QUERY PLAN SELECT doc_id FROM {declared.info.source} WHERE {part.sql}", part.params)
        assert "USING COVERING INDEX i_" in plan[0][3], plan


def test_aggregates_are_answered_by_the_index_alone(database, deals):
    seen = []
    c = database.storage.connection
    c.trace_v2(1, lambda event: seen.append(event["sql"]))
    deals.aggregate(["stage"], {"n": "count", "sum": ("sum", "amount")}, ~where("deleted_on").exists())
    c.trace_v2(0, None)
    assert "COVERING INDEX" in database.storage.rows("EXPLAIN QUERY PLAN " + seen[-1])[0][3]


@pytest.mark.parametrize("way", ["sql", "python"])
def test_aggregate_by_hand(deals, way):
    cond = where("stage").exists() if way == "sql" else where("stage").test(bool)
    by_quarter = deals.aggregate({"q": ("quarter", "close_on")}, {"n": "count", "top": ("max", "amount"), "mean": ("mean", "amount")}, cond)
    assert by_quarter == [
        {"q": None, "n": 1, "top": None, "mean": None},
        {"q": "2024-Q4", "n": 1, "top": 333, "mean": 333},
        {"q": "2025-Q1", "n": 1, "top": 1050, "mean": 1050},
        {"q": "2025-Q2", "n": 1, "top": 2000, "mean": 2000},
    ]
    assert [r["week(close_on)"] for r in deals.aggregate([("week", "close_on")], None, cond)] == [None, "2025-W01", "2025-W14"]
    rows = deals.aggregate(["stage", "owner"], {"s": ("sum", "amount"), "filled": ("count", "amount"), "d": ("distinct", "owner")}, cond)
    assert rows == [
        {"stage": "open", "owner": 1, "s": 1050, "filled": 1, "d": 1},
        {"stage": "open", "owner": 2, "s": 2000, "filled": 1, "d": 1},
        {"stage": "won", "owner": 1, "s": 333, "filled": 1, "d": 1},
        {"stage": "won", "owner": 2, "s": 0, "filled": 0, "d": 1},
    ]
    assert deals.aggregate(["hot"], None, cond) == [{"hot": None, "count": 3}, {"hot": True, "count": 1}]
    assert deals.aggregate((), {"s": ("sum", "amount")}, cond & (where("owner") == 99)) == [{"s": 0}]
    with pytest.raises(ValueError):
        deals.aggregate(["stage"], {"x": ("median", "amount")}, cond)


def test_frames(deals):
    frame = deals.frame(["name", "amount", "owner", "chance", "hot", "tags", "address.city", "doc_id"], order_by="name")
    assert list(frame.index) == [3, 4, 2, 1] and frame.index.name == "doc_id"
    assert frame["owner"].dtype == "int64" and frame["amount"].dtype == "float64" and frame["amount"].isna().sum() == 1
    assert frame.loc[1, "name"] == "Łódź trams" and frame.loc[1, "hot"] is True and frame.loc[1, "chance"] == 0.1
    assert frame.loc[2, "tags"] == ["green", "long"] and frame.loc[3, "tags"] is None and frame.loc[4, "address.city"] == "Gdańsk"
    assert len(deals.frame(["name"], where("owner") == 99)) == 0 and list(deals.frame(limit=2).index) == [1, 2]
    assert deals.frame(["chance"], where("chance").test(bool)).loc[1, "chance"] == 0.1


def test_what_is_sparse_is_indexed_where_it_is_filled_and_found_by_it(database):
    table = database.table("sparse")
    table.declare(fields={"link": "link", "owner": "link", "gone": "datetime"}, indexes=[["link"], ["owner"]], live="gone", sparse=["link"])
    table.insert_multiple({"link": i % 50 or None, "owner": i % 3} for i in range(500))
    alive = ~where("gone").exists()
    assert table.count(alive & (where("link") == 7)) == 10
    assert table.count(alive & where("link").one_of([7, 8])) == 20
    assert table.count(alive & ~where("link").exists()) == 10
    plan = "".join(row[3] for row in database.storage.rows("EXPLAIN QUERY PLAN SELECT doc_id FROM t_sparse WHERE c_gone IS NULL AND c_link=7"))
    assert "USING COVERING INDEX" in plan
    made = [sql for (sql,) in database.storage.rows("SELECT sql FROM sqlite_schema WHERE type='index' AND tbl_name='t_sparse'") if sql]
    assert sum('"c_link" IS NOT NULL' in sql for sql in made) == 1


def test_a_condition_that_another_one_says_already_is_left_out(database):
    table = database.table("said")
    table.declare(fields={"owner": "link", "stage": "choice"}, indexes=[["owner", "stage"]])
    table.insert_multiple({"owner": i % 4, "stage": "ab"[i % 2]} for i in range(40))
    mine = where("owner") == 1
    assert " IN " not in table._compile(mine & (where("owner").one_of([1, 3]) & (where("stage") == "b"))).sql
    assert " IN " in table._compile(mine & where("owner").one_of([2, 3])).sql
    assert table.count(mine & where("owner").one_of([1, 3])) == 10 and table.count(mine & where("owner").one_of([2, 3])) == 0


def test_every_table_written_to_since_is_told(database):
    one, two = database.table("one"), database.table("two")
    one.insert({"a": 1})
    at = database.sequence
    assert database.touched(at) == set()
    two.insert({"a": 1})
    two.update({"a": 2}, doc_ids=[1])
    assert database.touched(at) == {"two"} and database.touched(0) == {"one", "two"}


def test_of_a_new_index_on_what_is_there_the_planner_knows_at_once(database):
    table = database.table("planned")
    table.declare(fields={"owner": "link", "stage": "choice"}, indexes=[])
    table.insert_multiple({"owner": i % 4, "stage": "ab"[i % 2]} for i in range(400))
    table.declare(indexes=[["owner", "stage"]])
    assert database.storage.rows("SELECT stat FROM sqlite_stat1 WHERE tbl='t_planned' AND idx IS NOT NULL") == [("400 100 100",)]
