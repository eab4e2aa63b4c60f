"""Backup, restore, verify."""

from __future__ import annotations

import sqlite3

import apsw
import pytest
from tinydb import where

from crm.stores import open_store


def test_a_backup_brings_everything_back(database, deals, tmp_path):
    database.blob_put(b"file")
    deals.update({"stage": "won"}, doc_ids=[1])
    before = (deals.all(), database.changes(), database.stats()["tables"])
    database.backup(tmp_path / "copy" / "b.db")
    deals.truncate()
    database.table("later").insert({"a": 1})
    database.restore(tmp_path / "copy" / "b.db")
    assert (deals.all(), database.changes(), database.stats()["tables"]) == before
    assert database.match("lodz") and database.verify() == []
    assert deals.insert({"name": "goes on"}) == 5
    with open_store(tmp_path / "copy" / "b.db") as copy:
        assert copy.verify() == [] and len(copy.table("deal")) == 4


def test_a_backup_while_others_write_is_one_state(database, tmp_path):
    import threading

    pairs = database.table("pair")
    stop = threading.Event()

    def write():
        while not stop.is_set():
            with database.transaction():
                pairs.insert({"side": "left"})
                pairs.insert({"side": "right"})

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for n in range(5):
            database.backup(tmp_path / f"{n}.db")
    finally:
        stop.set()
        writer.join()
    for n in range(5):
        with open_store(tmp_path / f"{n}.db") as copy:
            assert copy.table("pair").count(where("side") == "left") == copy.table("pair").count(where("side") == "right")
            assert copy.verify() == []


def test_what_is_no_backup_is_refused_and_nothing_is_lost(database, deals, tmp_path):
    (tmp_path / "text.db").write_text("hello " * 1000)
    sqlite3.connect(tmp_path / "other.db").execute("CREATE TABLE x (a)").connection.close()
    for name in ("text.db", "other.db"):
        with pytest.raises(ValueError, match="no backup of a store"):
            database.restore(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        database.restore(tmp_path / "none.db")
    database.backup(tmp_path / "whole.db")
    data = bytearray((tmp_path / "whole.db").read_bytes())
    data[8192:20480] = b"\xff" * 12288
    (tmp_path / "hurt.db").write_bytes(data)
    with pytest.raises(ValueError):
        database.restore(tmp_path / "hurt.db")
    assert len(deals) == 4 and database.verify() == []


DAMAGE = {
    "a document changed behind the store": (
        'UPDATE t_deal SET doc=jsonb(\'{"name":"evil"}\') WHERE doc_id=1',
        "is not what its history says",
    ),
    "a document gone": ("DELETE FROM t_deal WHERE doc_id=2", "is gone"),
    "a document planted": ("INSERT INTO t_deal(doc_id,version,doc) VALUES (99,1,jsonb('{}'))", "has no history"),
    "a version turned": ("UPDATE t_deal SET version=9 WHERE doc_id=3", "at version 9"),
    "a history entry gone": ("DELETE FROM _history WHERE doc_id=1", "has no history"),
    "a history entry changed": ('UPDATE _history SET patch=\'{"name":"other"}\' WHERE doc_id=1', "is not what its history says"),
    "a step gone": ("DELETE FROM _steps", "belong to no step"),
    "a column turned": ("UPDATE t_deal SET c_amount=1 WHERE doc_id=1", "the columns of deal 1"),
    "full text behind": ("DELETE FROM _fts WHERE rowid=(SELECT min(rowid) FROM _fts)", "full text of deal"),
    "full text ahead": ("INSERT INTO _fts(rowid,text,raw) VALUES ((SELECT min(rowid)-50 FROM _fts),'x','x')", "has no document"),
    "a list index behind": ("DELETE FROM e_deal", "the list index of deal"),
    "the past changed": ("UPDATE v_deal SET c_stage='x' WHERE doc_id=1", "the past of deal"),
    "a blob changed": ("UPDATE _blobs SET data=x'00'", "is not what was stored"),
    "a table planted": ("CREATE TABLE t_planted (a)", "not in the list of tables"),
}
MENDED = ["a column turned", "full text behind", "full text ahead", "a list index behind", "the past changed"]


@pytest.mark.parametrize("name", DAMAGE)
def test_verify_finds_planted_damage(database, deals, name):
    database.blob_put(b"data")
    assert database.verify() == []
    damage, told = DAMAGE[name]
    apsw.Connection(database.path).execute(damage)
    problems = database.verify()
    assert any(told in problem for problem in problems), problems
    if name in MENDED:
        assert database.verify(repair=True) == [] and database.verify() == []


def test_an_old_library_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(apsw, "sqlite_lib_version", lambda: "3.51.2")
    with pytest.raises(RuntimeError, match="can lose committed data"):
        open_store(tmp_path / "x.db")


def test_the_file_is_kept_durably(database):
    c = database.storage.connection
    assert c.pragma("journal_mode") == "wal" and c.pragma("synchronous") == 2 and c.pragma("mmap_size") == 0
