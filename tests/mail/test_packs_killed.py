"""F14, B12: a meeting pack is a row of the outbox for each reader; workers that are killed while they make or send one lose none."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from datetime import datetime, time, timedelta

import pytest
from tinydb.queries import where

from crm.documents.mailing import queue_packs
from crm.records import SYSTEM
from crm.records.outbox import OUTBOX, queue
from crm.worker import sending
from tests.worker.killing import Workers, until

ROUNDS = 3
BARS = "report: by_step\nentity: order\nby: step\nmeasures: {n: count, worth: sum(price)}\nchart: bars\n"


@pytest.fixture
def packed(shop):
    """A shop whose pack came due three days ago, for its three people; something was sold before."""
    day = datetime.now().astimezone() - timedelta(days=3)
    pack = f"pack: meeting\nlabel: Meeting\nfor: [boss, captain, mate]\nevery: {day:%A} 07:00\nparts: [by_step]\n".replace(
        f"{day:%A}", f"{day:%A}".lower()
    )
    company = shop({}, {"reports/by_step.yaml": BARS, "packs/meeting.yaml": pack})
    company.due = datetime.combine(day.date(), time(7), company.zone)
    door = company.door(SYSTEM)
    with door.step("Sold", at=company.due - timedelta(days=1)):
        for n in range(4):
            door.create("order", {"name": f"Ship {n}", "price": 100 + n, "seller": company.actor("anna").id})
    return company


def states(company):
    return Counter(row["state"] for row in company.store.table(OUTBOX).find(where("payload").pack.exists()))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_while_packs_are_made_and_sent_every_reader_gets_theirs(packed, post):
    """At least once under one Message-ID: killed in the making nobody has it yet, killed before the server's word is heard it comes twice."""
    assert queue_packs(packed, packed.due + timedelta(minutes=1)) == 3 and queue_packs(packed, packed.due + timedelta(minutes=2)) == 0
    table = packed.store.table(OUTBOX)
    table.update({"due": "2020-01-01T00:00:00.000Z"})
    keys = [row["key"] for row in table.all()]
    workers = Workers(packed, lease=0.1, env={"CRM_SMTP_URL": post.url})
    try:
        post.shut = True  # however late a worker is killed, it has not sent its pack
        for _ in range(ROUNDS):
            pid, before = workers.start(), len(post.got)
            until(lambda: states(packed)["sending"], what="making a pack")
            workers.kill(pid)
            assert states(packed) == {"waiting": 2, "sending": 1} and len(post.got) == before == 0
        pid = workers.start()
        post.kills, post.shut = pid, False
        until(lambda: len(post.got) == 1 and post.kills is None, what="handing over")
        workers.alive.discard(pid)
        until(lambda: not alive(pid), what="the end of the worker")
        assert states(packed) == {"waiting": 2, "sending": 1}
        workers.start()
        until(lambda: states(packed) == {"sent": 3}, what="every pack")
    finally:
        workers.close()
    got = Counter(str(mail["Message-ID"]).strip("<>").split("@")[0] for mail in post.got)
    assert sorted(got.values()) == [1, 1, 2]
    assert set(got) == {hashlib.sha256(key.encode()).hexdigest()[:32] for key in keys}
    assert {mail["To"] for mail in post.got} == {f"{name}@yard.example" for name in ("anna", "ben", "eva")}
    twice = [mail for mail in post.got if mail["Message-ID"] == post.got[0]["Message-ID"]]
    first, second = (mail.get_body(("plain",)).get_content() for mail in twice)
    assert first == second  # the same figures and stamps
    for mail in post.got:
        assert [part.get_content()[:4] for part in mail.iter_attachments()] == [b"%PDF"]
    assert packed.store.verify() == []


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_packs_wait_for_what_is_quickly_said_and_one_that_ends_its_worker_is_given_up(packed, monkeypatch):
    """A pack takes long to make: a mail that comes while one is made goes before the next."""
    queue_packs(packed, packed.due + timedelta(minutes=1))
    order = []

    def send(company, payload, key):
        order.append(payload.get("pack", "mail"))
        if len(order) == 2:
            queue(company, "mail", {"user": 1, "digest": "later"}, key="late", not_before=company.now() - timedelta(days=30))
        return True

    monkeypatch.setitem(sending.CHANNELS, "mail", send)
    table = packed.store.table(OUTBOX)
    table.update({"due": "2020-01-01T00:00:00.000Z"})
    queue(packed, "mail", {"user": 1, "digest": "now"}, key="first")
    assert sending.send_due(packed) == 5
    assert order == ["mail", "meeting", "mail", "meeting", "meeting"]
    worn = table.ids(where("payload").pack.exists())[0]
    table.update({"state": "sending", "tries": sending.TRIES}, doc_ids=[worn])
    assert sending.send_due(packed) == 0 and table.get(doc_id=worn)["state"] == "dead"
    assert any("given up" in one.text for one in packed.door("eva").notices())
