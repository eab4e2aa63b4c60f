"""The outbox on its way out: signatures, retries with pauses, dead letters, crashes in between (B12)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from crm.records import SYSTEM
from crm.records.outbox import OUTBOX, queue
from crm.worker import sending


class Receiver:
    """A loopback web server that keeps what it gets and answers as told."""

    def __init__(self):
        self.got: list[tuple[dict, bytes]] = []
        self.answers: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.got.append(({key.lower(): value for key, value in self.headers.items()}, body))
                self.send_response(receiver.answers.pop(0) if receiver.answers else 204)
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def receiver(monkeypatch):
    monkeypatch.setenv("SHOP_KEY", "very secret")
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def hooked(shop, receiver):
    company = shop({"tell": f"entity: order\nwhen: created\nthen: {{webhook: '{receiver.url}', secret: SHOP_KEY, send: [name, price]}}"})
    return company


def rows(company):
    return [(row["state"], row["tries"]) for row in company.store.table(OUTBOX).all()]


def test_a_webhook_is_signed_and_marked_sent(hooked, receiver):
    hooked.door("anna").create("order", {"name": "Łódź", "price": "7"})
    assert sending.send_due(hooked) == 1 and rows(hooked) == [("sent", 1)]
    headers, body = receiver.got[0]
    said = json.loads(body)
    assert said["values"] == {"name": "Łódź", "price": 700} and said["automation"] == "tell" and said["cause"] == "created"
    # computed by hand after standardwebhooks.com
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(b"very secret", signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert headers["idempotency-key"] == headers["webhook-id"] == said["key"]
    assert sending.send_due(hooked) == 0 and len(receiver.got) == 1


def test_what_is_not_taken_is_tried_again_after_longer_and_longer_pauses_under_the_same_key(hooked, receiver):
    receiver.answers = [500, 503, 302]
    hooked.door("anna").create("order", {"name": "Ship"})
    now = hooked.now()
    assert sending.send_due(hooked, now) == 0 and rows(hooked) == [("waiting", 1)]
    assert sending.send_due(hooked, now + timedelta(seconds=29)) == 0 and len(receiver.got) == 1
    assert sending.send_due(hooked, now + timedelta(seconds=31)) == 0 and len(receiver.got) == 2
    assert sending.send_due(hooked, now + timedelta(seconds=60)) == 0 and len(receiver.got) == 2
    assert sending.send_due(hooked, now + timedelta(seconds=120)) == 0 and len(receiver.got) == 3  # a redirection is not followed
    assert sending.send_due(hooked, now + timedelta(seconds=600)) == 1 and rows(hooked) == [("sent", 4)]
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    assert [sending.pause(n).total_seconds() for n in (1, 2, 3, 20)] == [30, 60, 120, 21600]


def test_a_dead_letter_is_shown_to_the_admins(hooked, receiver):
    receiver.answers = [500] * 50
    hooked.door("anna").create("order", {"name": "Ship"})
    now = hooked.now()
    for day in range(sending.TRIES + 5):
        sending.send_due(hooked, now + timedelta(days=day))
    assert rows(hooked) == [("dead", sending.TRIES)] and len(receiver.got) == sending.TRIES
    assert ["given up" in one.text for one in hooked.door("eva").notices()] == [True] and hooked.door("anna").notices() == []


def test_gone_for_good_is_given_up_at_once_and_a_missing_key_is_said(hooked, receiver, monkeypatch):
    receiver.answers = [410]
    hooked.door("anna").create("order", {"name": "Ship"})
    sending.send_due(hooked)
    assert rows(hooked) == [("dead", 1)]
    monkeypatch.delenv("SHOP_KEY")
    hooked.door("anna").create("order", {"name": "Ship"})
    sending.send_due(hooked)
    assert rows(hooked)[1] == ("waiting", 1) and "SHOP_KEY" in str(hooked.store.table(OUTBOX).all()[1]["values"])
    assert len(receiver.got) == 1  # nothing leaves unsigned


def test_a_worker_that_died_while_sending_is_followed_by_one_that_sends_under_the_same_key(hooked, receiver, monkeypatch):
    hooked.door("anna").create("order", {"name": "Ship"})

    def die(*_):
        sending.send_webhook(*_)
        raise KeyboardInterrupt

    monkeypatch.setitem(sending.CHANNELS, "webhook", die)
    with pytest.raises(KeyboardInterrupt):
        sending.send_due(hooked)
    assert rows(hooked) == [("sending", 1)]
    monkeypatch.undo()
    monkeypatch.setenv("SHOP_KEY", "very secret")
    assert sending.send_due(hooked) == 1 and rows(hooked) == [("sent", 2)]
    assert len(receiver.got) == 2 and len({headers["webhook-id"] for headers, _ in receiver.got}) == 1


def test_one_key_is_queued_once_and_only_with_its_transaction(shop):
    company = shop({})
    with pytest.raises(ZeroDivisionError), company.door(SYSTEM).step("x"):
        queue(company, "webhook", {}, "k")
        raise ZeroDivisionError
    assert rows(company) == []
    assert queue(company, "webhook", {}, "k") is not None and queue(company, "webhook", {}, "k") is None
    with pytest.raises(ValueError):
        queue(company, "pigeon", {}, "k2")


def test_a_receiver_that_is_not_there_is_no_reason_to_stop(shop, monkeypatch):
    monkeypatch.setenv("SHOP_KEY", "x")
    company = shop({})
    queue(company, "webhook", {"url": "http://127.0.0.1:1/x", "secret": "SHOP_KEY", "body": {}}, "a")
    queue(company, "mail", {"to": "kim@sea.example", "subject": "Hi", "text": "x"}, "b")
    monkeypatch.delenv("CRM_SMTP_URL", raising=False)
    sending.send_due(company)
    assert rows(company) == [("waiting", 1), ("dead", 1)]  # nothing old goes out on the day a mail server is set
    assert "CRM_SMTP_URL" in company.store.table(OUTBOX).all()[1]["text"]


def test_ten_thousand_keys_do_not_slow_the_question(shop):
    company = shop({})
    queue(company, "mail", {}, "k")
    plan = company.store._storage.rows(f'EXPLAIN QUERY PLAN SELECT count(*) FROM "t_{OUTBOX}" WHERE "c_key"=?', ("k",))
    assert "USING" in str(plan) and "INDEX" in str(plan)
