"""The digest by mail: what is late, due and missing, over a real mail server, once a day, through its reader's rights (B7)."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from tinydb import where

from crm.mail import Undelivered, compose, deliver, settings
from crm.mail.digest import queue_digests, write
from crm.records import SYSTEM
from crm.records.outbox import OUTBOX

WARSAW = ZoneInfo("Europe/Warsaw")


@pytest.fixture
def monday(company) -> datetime:
    """Eight o'clock on the next Monday, company time."""
    today = company.today()
    return datetime.combine(today + timedelta(days=7 - today.weekday()), time(8), WARSAW)


def planned(door, what: str, when: datetime, **more):
    return door.create("errand", {"what": what, "due": when, **more})


def queued(company) -> list:
    return company.store.table(OUTBOX).find(where("channel") == "mail", order_by=["doc_id"])


def send_all(company, now: datetime) -> None:
    """What the worker does with the mails of the outbox."""
    for row in queued(company):
        message = compose(company, {**row["payload"], "key": row["key"]}, now=now)
        if message is not None:
            deliver(settings(company), message)


def parts(mail) -> tuple[str, str]:
    return mail.get_body(("plain",)).get_content(), mail.get_body(("html",)).get_content()


def test_late_today_and_missing_stand_in_it(company, carl, box, monday):
    planned(carl, "Call Ann <b>now</b>", monday - timedelta(days=3))
    planned(carl, "Meet Bob", monday.replace(hour=14, minute=30))
    planned(carl, "Next week's thing", monday + timedelta(days=8))
    carl.create("matter", {"name": "Left alone"})
    carl.create("matter", {"name": "Shut long ago", "state": "shut"})
    carl.create("matter", {"name": "Roof", "next_on": monday.date(), "next_what": "Send the offer"})
    assert queue_digests(company, monday) == 1
    send_all(company, monday)
    (mail,) = box.mails
    assert mail.to == ["carl@test.example"] and mail["From"] == "Test <crm@test.example>"
    assert mail["Subject"] == "Your day: 1 late, 2 due today"
    text, html = parts(mail)
    assert mail.get_content_type() == "multipart/alternative"
    for said in (
        "Call Ann <b>now</b>",
        "14:30, Meet Bob",
        "Send the offer, Roof",
        "Left alone",
        "https://crm.test.example/?view=record&entity=errand&id=1",
    ):
        assert said in text, text
    assert "Next week's thing" not in text and "Shut long ago" not in text
    assert "Call Ann &lt;b&gt;now&lt;/b&gt;" in html and "<b>now" not in html
    assert 'href="https://crm.test.example/?view=record&amp;entity=errand&amp;id=1"' in html


def test_nobody_gets_the_same_day_twice(company, carl, box, monday):
    planned(carl, "Call", monday)
    assert queue_digests(company, monday) == 1
    assert queue_digests(company, monday + timedelta(hours=2)) == 0
    assert len(queued(company)) == 1
    company.store.meta.set(f"digest.{carl.actor.id}", None)  # what a crash between the two would leave, were they not one transaction
    assert queue_digests(company, monday) == 0 and len(queued(company)) == 1
    carl.change("errand", 1, {"due": monday + timedelta(days=1)})
    assert queue_digests(company, monday + timedelta(days=1)) == 1


def test_killed_before_its_transaction_ends_it_is_queued_by_the_next_round(company, carl, monkeypatch, monday):
    planned(carl, "Call", monday)
    real = type(company.store.meta).set

    def dies(meta, key, value):
        if key.startswith("digest."):
            raise KeyboardInterrupt
        return real(meta, key, value)

    with monkeypatch.context() as patch:
        patch.setattr(type(company.store.meta), "set", dies)
        with pytest.raises(KeyboardInterrupt):
            queue_digests(company, monday)
    assert queued(company) == []
    assert queue_digests(company, monday) == 1 and len(queued(company)) == 1


def test_the_same_mail_sent_again_has_the_same_message_id(company, carl, box, monday):
    planned(carl, "Call", monday)
    queue_digests(company, monday)
    send_all(company, monday)
    send_all(company, monday)
    first, second = box.mails
    assert first["Message-ID"] == second["Message-ID"] and first["Message-ID"].endswith("@test.example>")


def test_each_in_their_language_time_zone_and_as_often_as_they_like(company, carl, box, monday):
    cleo = company.door("cleo")
    company.store.meta.set(f"preferences.{company.actor('anna').id}", {"digest": "none"})
    for door in (carl, cleo, company.door("anna")):
        planned(door, "Thing", monday)
    carl.prefer("timezone", "America/New_York")
    assert queue_digests(company, monday) == 1  # it is night in New York
    send_all(company, monday)
    assert [mail.to for mail in box.mails] == [["cleo@test.example"]]
    assert box.mails[0]["Subject"].startswith("Twój dzień")
    noon = monday.replace(hour=14)
    assert queue_digests(company, noon) == 1
    carl.prefer("digest", "weekly")
    tuesday = noon + timedelta(days=1)
    planned(carl, "Thing", tuesday)
    assert queue_digests(company, tuesday) == 1  # cleo's only
    saturday = monday + timedelta(days=5)
    assert queue_digests(company, saturday) == 0


def test_a_time_of_day_is_that_of_the_reader(company, carl, monday):
    planned(carl, "Call", monday.replace(hour=15))
    carl.prefer("timezone", "Europe/London")
    written = write(company, carl.actor.id, monday.date(), monday)
    assert "14:00, Call" in written["text"]


def test_a_week_holds_the_days_to_come(company, carl, monday):
    carl.prefer("digest", "weekly")
    planned(carl, "Wednesday's call", monday + timedelta(days=2))
    planned(carl, "Next month", monday + timedelta(days=30))
    written = write(company, carl.actor.id, monday.date(), monday)
    assert written["subject"] == "Your week" and "Wednesday's call" in written["text"] and "Next month" not in written["text"]


def test_what_was_taken_away_since_is_not_told(company, carl, box, monday):
    door = company.door(SYSTEM)
    planned(carl, "Secret talk", monday)
    planned(carl, "Plain talk", monday)
    queue_digests(company, monday)
    door.change("errand", 1, {"who": company.actor("cleo").id})
    send_all(company, monday)
    text, html = parts(box.mails[0])
    assert "Plain talk" in text and "Secret talk" not in text + html


def test_who_was_switched_off_and_what_is_over_gets_no_mail(company, carl, box, monday):
    planned(carl, "Call", monday)
    queue_digests(company, monday)
    users, user = company.schema.users.entity, carl.actor.id
    company.door(SYSTEM).change(users, user, {"active": False})
    send_all(company, monday)
    assert box.mails == []
    company.door(SYSTEM).change(users, user, {"active": True})
    send_all(company, monday + timedelta(days=1))  # the mail server was down the whole day
    assert box.mails == []


def test_nothing_to_say_is_not_said(company, carl, monday):
    planned(carl, "Later", monday + timedelta(days=20))
    assert queue_digests(company, monday) == 0


def test_without_a_mail_server_nothing_is_queued(company, carl, monkeypatch, monday):
    from crm.worker.jobs.digest import Digest

    planned(carl, "Call", monday)
    monkeypatch.delenv("CRM_SMTP_URL", raising=False)
    Digest().run(company, monday)
    assert queued(company) == []


def test_a_refused_mail_says_whether_trying_again_helps(company, carl, box):
    message = {"to": "carl@test.example", "subject": "Hello", "text": "x"}
    box.refuse = "451 try later"
    with pytest.raises(Undelivered) as told:
        deliver(settings(company), message)
    assert not told.value.lasting
    box.refuse = "550 no"
    with pytest.raises(Undelivered) as told:
        deliver(settings(company), message)
    assert told.value.lasting


def test_nothing_a_record_holds_begins_a_header_of_its_own(company, box):
    deliver(settings(company), {"to": "carl@test.example", "subject": "Hello\nBcc: all@test.example", "text": "x"})
    (mail,) = box.mails
    assert mail.to == ["carl@test.example"] and mail["Bcc"] is None and mail["Subject"] == "Hello Bcc: all@test.example"


# ---- through the worker ----


@pytest.fixture
def worker(company, monkeypatch, monday):
    """A worker that thinks it is Monday morning, and works two rounds: one queues, one sends."""
    from crm.worker.run import Worker

    monkeypatch.setattr(company, "now", lambda: monday)

    def works() -> None:
        for _ in range(2):
            Worker(company).once(monday)

    return works


def test_the_worker_sends_it_once_however_often_it_works(company, carl, box, worker, monday):
    planned(carl, "Call Ann", monday)
    for _ in range(3):
        worker()
    assert [mail["Subject"] for mail in box.mails] == ["Your day: 1 due today"]


@pytest.mark.parametrize("dies", ["before", "after"])
def test_a_worker_that_dies_at_the_mail_server_mails_nobody_twice(company, carl, box, worker, monday, monkeypatch, dies):
    """Killed while a mail is handed over, nobody knows whether it went: it is not sent again."""
    import crm.mail

    planned(carl, "Call Ann", monday)
    real = crm.mail.deliver

    def falls(settings, message):
        if dies == "after":
            real(settings, message)
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(crm.mail, "deliver", falls)
        with pytest.raises(SystemExit):
            worker()
    for _ in range(2):
        worker()
    assert len(box.mails) == (1 if dies == "after" else 0)


def test_a_mail_server_that_is_down_gets_it_later(company, carl, box, worker, monday, monkeypatch):
    planned(carl, "Call Ann", monday)
    box.refuse = "451 try later"
    worker()
    assert box.mails == []
    box.refuse = ""
    monkeypatch.setattr(company, "now", lambda: monday + timedelta(minutes=5))
    from crm.worker.run import Worker

    Worker(company).once(monday + timedelta(minutes=5))
    assert len(box.mails) == 1
