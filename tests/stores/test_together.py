"""Many at once: threads, processes, and processes that are killed."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest
from tinydb import where

from crm.stores import Conflict, open_store
from tests.stores.killed import write_without_end

WRITER = """
import sys, threading
from crm.stores import Conflict, open_store
path, name, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
db = open_store(path)
table, counter = db.table("work"), db.table("counter")
told = []
def work(thread):
    won = lost = 0
    for n in range(rounds):
        table.insert({"by": f"{name}{thread}", "n": n})
        while True:
            doc = counter.get(doc_id=1)
            try:
                counter.update({"n": doc["n"] + 1}, doc_ids=[1], expect_version=doc.version)
                won += 1
                break
            except Conflict as conflict:
                assert conflict.theirs.version > doc.version
                lost += 1
    told.append((won, lost))
threads = [threading.Thread(target=work, args=(t,)) for t in range(4)]
print("ready", flush=True)
sys.stdin.readline()
[t.start() for t in threads]; [t.join() for t in threads]
print(sum(w for w, _ in told), sum(l for _, l in told))
"""


def start(code: str, *args: object) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, args)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def test_two_processes_with_four_threads_lose_nothing_and_conflicts_are_told(tmp_path):
    path, rounds = tmp_path / "s.db", 25
    with open_store(path) as database:
        database.table("counter").insert({"n": 0})
        running = [start(WRITER, path, name, rounds) for name in "ab"]
        assert [one.stdout.readline() for one in running] == ["ready\n"] * 2
        for one in running:
            one.stdin.write("go\n")
            one.stdin.flush()
        answers = [one.communicate(timeout=120)[0].split() for one in running]
        assert [one.returncode for one in running] == [0, 0]
        assert sum(int(won) for won, _ in answers) == 8 * rounds
        assert sum(int(lost) for _, lost in answers) > 0  # they did meet
        counter = database.table("counter").get(doc_id=1)
        assert counter["n"] == 8 * rounds and counter.version == 8 * rounds + 1
        work = database.table("work")
        assert len(work) == 8 * rounds
        for name in "ab":
            for thread in range(4):
                assert sorted(d["n"] for d in work.find(where("by") == f"{name}{thread}")) == list(range(rounds))
        assert database.verify() == []


@pytest.mark.slow
def test_a_hundred_kills_lose_no_acknowledged_write(tmp_path):
    path, pick = tmp_path / "s.db", random.Random(1)
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["tests.stores.killed"])
    told: dict[int, int] = {}
    killed = 0
    for _ in range(50):  # two at a time write into the same store
        running = []
        for _ in range(2):
            here, there = processes.Pipe(duplex=False)
            process = processes.Process(target=write_without_end, args=(str(path), there), daemon=True)
            process.start()
            there.close()
            running.append((process, here))
        for _, here in running:
            assert here.poll(150)  # both are writing
        time.sleep(pick.random() * 0.05)
        for process, here in running:
            process.kill()
            process.join()
            killed += process.exitcode == -signal.SIGKILL
            try:
                while True:
                    i, n = here.recv()
                    told[i] = n
            except (EOFError, OSError):
                here.close()
    with open_store(path) as database:
        kept = {d.doc_id: (d["n"], d["twice"]) for d in database.table("work")}
        lost = [i for i, n in told.items() if kept.get(i) != (n, 2 * n)]
        assert killed == 100 and len(told) >= 100 and lost == []
        assert len(kept) - len(told) <= 100  # at most one write a kill was committed and not yet told
        assert database.verify() == []


def test_threads_share_a_database_and_leave_no_connection_behind(database):
    table = database.table("t")
    table.declare(fields={"by": "number"}, fulltext={"": ["text"]})
    errors: list[BaseException] = []

    def work(name: int) -> None:
        try:
            for n in range(20):
                table.insert({"by": name, "text": f"text {n}"})
                assert table.count(where("by") == name) == n + 1
                database.match("text")
        except BaseException as exc:
            errors.append(exc)

    for _ in range(3):
        threads = [threading.Thread(target=work, args=(n + 10 * _,)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not errors and len(table) == 360
    assert len(database.storage._connections) <= 2
    assert (
        len([f for f in os.listdir("/proc/self/fd") if "store.db" in os.path.realpath(f"/proc/self/fd/{f}")]) <= 20
    )  # eighteen threads had three each


def test_a_reader_is_not_held_up_by_a_writer(database):
    table = database.table("t")
    table.insert({"n": 1})
    seen = []
    with database.transaction():
        table.update({"n": 2}, doc_ids=[1])
        thread = threading.Thread(target=lambda: seen.append(table.get(doc_id=1)["n"]))
        thread.start()
        thread.join(150)
    assert seen == [1] and table.get(doc_id=1)["n"] == 2


def test_the_sequence_tells_other_processes_work(tmp_path):
    with open_store(tmp_path / "s.db") as one, open_store(tmp_path / "s.db") as two:
        one.table("t").insert({"a": 0})
        before = one.sequence
        two.table("t").insert({"a": 1})
        assert one.sequence == before + 1
        two.table("t").declare(fields={"a": "number"}, indexes=[["a"]], fulltext={"": ["b"]})
        one.table("t").insert({"a": 2, "b": "written by one who had not declared"})
        assert [h.doc_id for h in two.match("declared")] == [3] and two.verify() == []


def test_conflict_is_the_one_of_the_engine():
    from crm.errors import Conflict as Engine

    assert Conflict is Engine
