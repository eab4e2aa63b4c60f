"""Workers that are killed, and many of them: nothing is lost, nothing is done twice, one works (B12)."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from datetime import UTC, datetime

import pytest
from tinydb.queries import where

from crm.records import SYSTEM
from crm.records.automation import RUNS
from crm.records.due import run_due
from crm.records.outbox import OUTBOX
from crm.worker import JOBS
from crm.worker.lease import Lease, holder
from crm.worker.run import Worker
from tests.worker.killing import Workers, until
from tests.worker.test_sending import Receiver

ROUNDS = 200


@pytest.mark.slow
def test_killed_at_random_points_nothing_is_lost_and_nothing_is_done_twice(shop, post):
    receiver = Receiver()
    company = shop(
        {
            "made": f"""
                entity: order
                when: created
                then: [{{webhook: '{receiver.url}', secret: SHOP_KEY, send: [name]}}, {{mail: thanks, to: seller}}]
            """,
            "come": f"""
                entity: order
                when: {{date: seen}}
                then:
                  - {{create: doing, values: {{what: "Look at {{name}}", order: record}}}}
                  - {{set: {{round: '=coalesce(round, 0) + 1'}}}}
                  - {{webhook: '{receiver.url}', secret: SHOP_KEY, send: [name]}}
                  - {{notify: seller, text: "{{name}} has come"}}
            """,
        },
        {"mails/thanks.yaml": "mail: thanks\nentity: order\nsubject: Thanks\ntext: Dear you\n"},
    )
    run_due(company, company.now())
    door, anna = company.door(SYSTEM), company.actor("anna").id
    chance = random.Random(41)
    workers = Workers(company, lease=0.1, env={"SHOP_KEY": "secret", "CRM_SMTP_URL": post.url})
    ids = []
    in_the_middle = unfinished = 0
    try:
        for round_ in range(ROUNDS):
            ids.append(door.create("order", {"name": f"Ship {len(ids)}", "seller": anna, "seen": datetime.now(UTC)}).id)
            post.shut = round_ % 50 == 49
            pid = workers.start()
            until(lambda: (holder(company.store) or {}).get("pid") == pid, what="taking the lease")
            if post.shut:  # however slow they are, some are killed in the middle of sending
                until(lambda: company.store.table(OUTBOX).count((where("channel") == "mail") & (where("state") == "sending")), what="sending a mail")
            elif round_ % 4:  # the others are killed as soon as they work
                time.sleep(chance.uniform(0, 0.12))
            workers.kill(pid)
            unfinished += company.store.table(RUNS).count(where("automation") == "come") < len(ids)
            in_the_middle += bool(company.store.table(OUTBOX).count(where("state") == "sending"))
        post.shut = False
        workers.start()
        left = where("state").one_of(["waiting", "sending"])
        until(lambda: company.store.table(RUNS).count(where("automation") == "come") == len(ids), what="every date")
        until(lambda: not company.store.table(OUTBOX).count(left), what="every message")
    finally:
        workers.close()
        receiver.server.shutdown()
        receiver.server.server_close()

    expected = dict.fromkeys(ids, 1)
    assert Counter(doing["order"] for doing in door.list("doing", limit=None)) == expected
    assert {one: company.doc("order", one)["round"] for one in ids} == expected
    runs = company.store.table(RUNS)
    assert Counter(row["record"] for row in runs.find(where("automation") == "come")) == expected
    assert Counter(row["state"] for row in runs.all()) == {"done": 2 * len(ids)}
    states = Counter((row["channel"], row["state"]) for row in company.store.table(OUTBOX).all())
    assert states == {("webhook", "sent"): 2 * len(ids), ("mail", "sent"): len(ids)}
    # receivers that look at the key have each message once; those sent twice came from workers killed in the middle of sending
    assert len({headers["idempotency-key"] for headers, _ in receiver.got}) == 2 * len(ids)
    assert len({mail["Message-ID"] for mail in post.got}) == len(ids)
    twice = len(receiver.got) + len(post.got) - 3 * len(ids)
    assert twice <= in_the_middle
    assert in_the_middle and unfinished  # the kills did hit
    print(f"{ROUNDS} kills: {unfinished} before all dates were seen to, {in_the_middle} while sending, {twice} messages sent twice")
    assert len(company.door("anna").notices(limit=2000)) == len(ids)
    assert company.store.verify() == []


@pytest.mark.slow
def test_of_ten_workers_one_works_and_another_follows_it(shop):
    company = shop({})
    workers = Workers(company, lease=8.0, env={})  # longer than the one who holds it may have to wait for a processor
    try:
        pids = {workers.start() for _ in range(10)}
        until(lambda: holder(company.store) is not None)
        seen = set()
        for _ in range(30):
            seen.add(holder(company.store)["pid"])
            time.sleep(0.05)
        assert len(seen) == 1 and seen < pids
        assert not Lease(company.store).take()
        first = seen.pop()
        workers.kill(first)
        until(lambda: (holder(company.store) or {}).get("pid", first) != first, what="another one")
        second = holder(company.store)["pid"]
        assert second in pids - {first}
        os.kill(second, signal.SIGTERM)  # one that ends in order gives the lease back at once
        until(lambda: (holder(company.store) or {}).get("pid", second) != second)
    finally:
        workers.close()


class Clock:
    """Stands still until it is turned on by hand."""

    now = 1_800_000_000.0

    def time(self) -> float:
        return self.now

    monotonic = time


def test_a_lease_is_taken_once_renewed_and_runs_out(shop, monkeypatch):
    clock = Clock()
    monkeypatch.setattr("crm.worker.lease.time", clock)
    company = shop({})
    mine, other = Lease(company.store, 0.3), Lease(company.store, 0.3)
    assert mine.take() and mine.held and mine.take() and not other.take()
    clock.now += 0.31
    assert not mine.held and other.take()
    assert not mine.take()
    other.release()
    assert mine.take()
    mine.keep()
    for _ in range(4):  # longer than it lasts, were it not renewed
        clock.now += 0.2
        until(lambda: holder(company.store)["until"] == clock.now + 0.3, what="its renewal")
        assert not other.take()
    mine.release()


def test_a_single_round_keeps_its_lease_however_long_its_jobs_take(shop, monkeypatch):
    company, done = shop({}), []
    worker = Worker(company, Lease(company.store, 3.0))

    def run(self, job, now):
        if not done:
            first = holder(company.store)["until"]
            until(lambda: holder(company.store)["until"] > first, seconds=30, what="its renewal")
        done.append(job.name)
        return True

    monkeypatch.setattr(Worker, "run", run)
    assert set(worker.once()) == set(done) == set(JOBS) and holder(company.store) is None
