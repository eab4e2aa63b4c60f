"""Search: fragments, case and diacritics, groups, freshness, similar spellings, many hits."""

from __future__ import annotations

import pytest

from crm.stores import open_store


def found(database, text, **more):
    return [(hit.table, hit.doc_id) for hit in database.match(text, **more)]


def test_fragments_without_regard_to_case_and_diacritics(database, deals):
    for text in ("lodz", "ŁÓDŹ", "Łódź tr", "trams lodz", "RAM", "odz"):
        assert found(database, text, fuzzy=False) == [("deal", 1)], text
    assert found(database, "gdansk") == [("deal", 4)]
    assert found(database, "lo") == [("deal", 1)] and found(database, "b") == [("deal", 4), ("deal", 3), ("deal", 2)]
    assert found(database, "") == [] and found(database, "  ") == [] and found(database, '"*( OR') == []
    assert database.match("trams")[0].snippet == "Łódź trams"


def test_what_starts_with_it_comes_first(database):
    table = database.table("t")
    table.declare(fulltext={"": ["name", "text"]})
    table.insert_multiple([{"name": "Outmarket"}, {"name": "The Market"}, {"name": "Market hall"}, {"name": "x", "text": "a market day"}])
    assert [i for _, i in found(database, "market")] == [3, 2, 1, 4]


def test_a_group_not_asked_for_is_never_matched(database, deals):
    assert found(database, "swordfish") == [("deal", 4)]
    assert found(database, "swordfish", groups={"deal": ["open"]}) == []
    assert found(database, "swordfich", groups={"deal": ["open"]}) == []
    assert found(database, "swordfich", groups={"deal": ["secret"]}) == [("deal", 4)]
    assert found(database, "boats swordfish") == []  # words of two groups do not add up
    assert found(database, "trams", groups={}) == [] and found(database, "trams", groups={"other": ["x"]}) == []
    assert "other" not in database.tables()


def test_search_keeps_up_with_every_write(database, deals):
    deals.update({"name": "Ferries"}, doc_ids=[1])
    assert found(database, "trams", fuzzy=False) == [] and found(database, "ferr") == [("deal", 1)]
    deals.update({"name": None}, doc_ids=[1])
    assert found(database, "ferr", fuzzy=False) == []
    deals.update({"name": "Trams"}, doc_ids=[1])
    deals.patch_many({2: {"name": "Trams too"}})
    deals.update_derived(3, {"name": "Trams three"})
    assert found(database, "trams") == [("deal", 1), ("deal", 2), ("deal", 3)] or len(found(database, "trams")) == 3
    with pytest.raises(RuntimeError), database.transaction():
        deals.insert({"name": "Zeppelin"})
        assert found(database, "zeppelin") == [("deal", 5)]
        raise RuntimeError
    assert found(database, "zeppelin", fuzzy=False) == []
    deals.remove(doc_ids=[2])
    assert ("deal", 2) not in found(database, "trams")
    deals.migrate(rename={"name": "title"})
    assert found(database, "trams", fuzzy=False) == []
    deals.truncate()
    assert found(database, "swordfish", fuzzy=False) == [] and database.verify() == []


def test_similar_spellings_when_few_are_exact(database):
    table = database.table("person")
    table.declare(fulltext={"": ["name"]})
    table.insert_multiple([{"name": n} for n in ("Krzysztof Kowalski", "Anna Nowakowska", "Schneider Electric", "Meier")])
    for text, i in (("kowalsky", 1), ("krzystof", 1), ("nowakovska", 2), ("shneider", 3), ("schnieder", 3), ("maier", 4)):
        assert found(database, text)[:1] == [("person", i)], text
    assert found(database, "kowalsky", fuzzy=False) == [] and found(database, "zzzzzz") == []


def test_many_hits_are_not_all_looked_at_and_every_table_is_heard(database):
    big, small = database.table("big"), database.table("small")
    for table in (big, small):
        table.declare(fulltext={"": ["name"]})
    small.insert({"name": "common little one"})
    big.insert_multiple({"name": f"common {i}"} for i in range(3000))
    hits = database.match("common", limit=30)
    assert len(hits) == 30 and {h.table for h in database.match("common", limit=50)} == {"big", "small"}
    assert max(h.doc_id for h in hits) == 3000  # the newest are among them


def test_what_may_not_be_found_makes_room_for_more(database):
    table = database.table("big")
    table.declare(fulltext={"": ["name"]})
    table.insert_multiple({"name": f"common {i}"} for i in range(2000))
    for few in (3, 40, 1000):
        allowed = set(range(1, few + 1))  # the oldest, which are looked at last
        hits = database.match("common", limit=30, sift=lambda name, ids, allowed=allowed: allowed.intersection(ids))
        assert len(hits) == min(few, 30) and allowed.issuperset(hit.doc_id for hit in hits)
    assert database.match("commen 7", sift=lambda name, ids: ()) == []


def test_an_index_from_before_its_rows_were_newest_first_is_taken_over(tmp_path):
    with open_store(tmp_path / "old.db") as store:
        table = store.table("t")
        table.declare(fulltext={"": ["name"], "b": ["more"]})
        table.insert_multiple({"name": f"common {i}", "more": "else"} for i in range(50))
        c = store.storage.connection
        rows = c.execute("SELECT rowid,text,raw FROM _fts").fetchall()
        c.execute("DELETE FROM _fts")
        last = (1 << 40) - 1
        c.executemany("INSERT INTO _fts(rowid,text,raw) VALUES (?,?,?)", [((n & ~last) | (last - (n & last)), t, r) for n, t, r in rows])
        c.execute("DELETE FROM _meta WHERE key='_fts newest first'")
        assert store.verify() != []
    with open_store(tmp_path / "old.db") as store:
        assert store.verify() == [] and [hit.doc_id for hit in store.match("common 49")] == [50]
