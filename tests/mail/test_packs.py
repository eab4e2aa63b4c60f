"""F14: meeting packs by mail through a real SMTP server, once for each reader and day; and as PDF whose text and glyphs are looked at."""

from __future__ import annotations

import json
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from crm import cli
from crm.analytics import run
from crm.analytics.analyses.pipeline_change import sent
from crm.analytics.stamps import again
from crm.documents import make, names
from crm.documents.html import html, text
from crm.documents.mailing import mail_to_me, readers
from crm.documents.pdf import pdf
from crm.errors import Missing
from crm.records import SYSTEM, Company
from crm.records.outbox import OUTBOX
from crm.schema import load, shipped
from crm.stores import open_store
from crm.worker import sending
from crm.worker.jobs.packs import Packs

WARSAW = ZoneInfo("Europe/Warsaw")


def pages_of(data: bytes) -> list[str]:
    """The text of each page of a PDF."""
    import pypdfium2

    document = pypdfium2.PdfDocument(data)
    found = [page.get_textpage().get_text_range() for page in document]
    document.close()
    return [" ".join(one.split()) for one in found]


def next_monday(company) -> datetime:
    day = company.today() + timedelta(days=7 - company.today().weekday())
    return datetime(day.year, day.month, day.day, 7, 0, tzinfo=WARSAW)


@pytest.fixture
def weekly(demo):
    """The demo with its weekly pack alone: the first of a month may be a Monday."""
    for name in set(demo.schema.packs) - {"weekly_sales"}:
        del demo.schema.packs[name]
    return demo


def at(company, moment: datetime) -> None:
    company.clock = lambda: moment.astimezone(UTC)


@pytest.mark.slow
def test_sent_on_schedule_once_to_each_reader_with_their_own_figures_in_their_language(weekly, box):
    managers = {login: weekly.people.actor(login) for login in ("marta", "stefan")}
    users = weekly.schema.users
    weekly.door(SYSTEM).change(users.entity, managers["stefan"].id, {users.language or "language": "pl"})
    assert set(readers(weekly, weekly.schema.packs["weekly_sales"])) == {one.id for one in managers.values()}
    begins = next_monday(weekly)
    job = Packs()
    for minutes, expected in ((-60 * 24, 0), (-1, 0), (0, 2), (1, 2), (60, 2), (60 * 24 * 7, 4)):
        at(weekly, begins + timedelta(minutes=minutes))
        job.run(weekly, weekly.now())
        waiting = weekly.store.table(OUTBOX).find(lambda row: "pack" in row["payload"])
        assert len(waiting) == expected, minutes
    assert len({row["key"] for row in waiting}) == 4
    at(weekly, begins + timedelta(minutes=5))
    assert sending.send_due(weekly) == 2 and sending.send_due(weekly) == 0
    assert len(box.mails) == 2 and len({mail["Message-ID"] for mail in box.mails}) == 2
    for mail in box.mails:
        login = next(login for login, actor in managers.items() if mail["To"] == weekly.doc(users.entity, actor.id)["email"])
        door = weekly.door(login)
        plain = mail.get_body(("plain",)).get_content()
        page = mail.get_body(("html",)).get_content()
        # the pictures of the page are in the mail, and each is shown
        shown = set(re.findall(r'src="cid:([^"]+)"', page))
        there = {str(part["Content-ID"]).strip("<>"): part for part in mail.walk() if part.get_content_type() == "image/png"}
        assert shown == set(there) and shown and all(part.get_content().startswith(b"\x89PNG") for part in there.values())
        assert "<script" not in page and not re.search(r'(src|href)="(?!cid:|https?://)', page)
        # the figures are those of this reader, of the moment of the schedule
        expected = run(door, "pipeline_change", as_of=begins)
        opening = weekly.words(door.actor.language).money(expected.exact[0][2], "EUR", 0)
        assert opening in plain.replace("\u2212", "-") and opening in page
        stamp = next(one for one in re.findall(r"[0-9a-f]{16}", plain))
        assert again(weekly, stamp).same
        # the file
        (file,) = [part for part in mail.iter_attachments() if part.get_content_type() == "application/pdf"]
        pages = pages_of(file.get_content())
        assert len(pages) >= 2 and stamp in " ".join(pages)
        polish = door.actor.language == "pl"
        assert (f"{'Strona' if polish else 'Page'} 1 / {len(pages)}") in pages[0]
        assert ("Skuteczność" in plain) == polish == ("Skuteczność" in page)


@pytest.mark.slow
def test_a_worker_that_ends_while_it_sends_loses_no_pack(weekly, box):
    """At least once: what was being made or handed over when the worker ended is made again, under the same key (B12)."""
    at(weekly, next_monday(weekly))
    Packs().run(weekly, weekly.now())
    ids = weekly.store.table(OUTBOX).ids()
    weekly.store.table(OUTBOX).update({"state": "sending", "tries": 1})
    assert sending.send_due(weekly) == len(box.mails) == len(ids) == 2
    assert {row["state"] for row in weekly.store.table(OUTBOX).all()} == {"sent"}


def test_nothing_is_queued_without_a_mail_server_or_long_after(weekly, monkeypatch):
    monkeypatch.delenv("CRM_SMTP_URL", raising=False)
    at(weekly, next_monday(weekly))
    Packs().run(weekly, weekly.now())
    assert weekly.store.table(OUTBOX).count() == 0
    monkeypatch.setenv("CRM_SMTP_URL", "smtp://127.0.0.1:9")
    at(weekly, next_monday(weekly) + timedelta(hours=30))
    Packs().run(weekly, weekly.now())
    assert weekly.store.table(OUTBOX).count() == 0
    at(weekly, next_monday(weekly) + timedelta(hours=3))  # the worker was away for three hours
    Packs().run(weekly, weekly.now())
    assert weekly.store.table(OUTBOX).count() == 2


def test_since_the_last_meeting_is_since_the_last_pack(weekly, monkeypatch):
    monkeypatch.setenv("CRM_SMTP_URL", "smtp://127.0.0.1:9")
    first = next_monday(weekly)
    at(weekly, first)
    Packs().run(weekly, weekly.now())
    assert [one.astimezone(WARSAW) for one in sent(weekly, "weekly_sales")] == [first]
    door = weekly.door("marta")
    same_day = run(door, "pipeline_change")
    assert same_day.notes["since"].astimezone(WARSAW).date() < first.date()  # on the day itself still what came before
    at(weekly, first + timedelta(days=3))
    assert run(weekly.door("marta"), "pipeline_change").notes["since"] == first


def test_who_gets_which_pack_and_what_is_in_it(demo):
    assert names(demo.door("marta")) == ["weekly_sales"] and names(demo.door("anna")) == []
    assert {"board_meeting", "weekly_sales"} <= set(names(demo.door(SYSTEM)))
    with pytest.raises(Missing):
        make(demo.door("anna"), "weekly_sales")
    made = make(demo.door("marta"), "weekly_sales")
    assert [one.result.report.name for one in made.sections if one.result] == [one.report for one in demo.schema.packs["weekly_sales"].parts if one.report]
    for section in made.sections:
        if section.result is not None:
            assert section.result.rows == run(demo.door("marta"), section.result.report.name).rows
            assert again(demo, section.result.stamp).same
    demo.schema.roles["sales_manager"].rights["opportunity"].hide.append("amount")
    demo.reload(demo.schema)
    left = make(demo.door("marta"), "weekly_sales")
    assert "pipeline_change" not in [one.result.report.name for one in left.sections if one.result]
    assert "pipeline" not in html(left, lambda section: "").lower().replace("view=", "")


@pytest.mark.slow
def test_mailed_to_oneself(demo, box):
    to = mail_to_me(demo.door("marta"), "weekly_sales")
    assert sending.send_due(demo) == 1 and box.mails[0]["To"] == to
    with pytest.raises(Missing):
        mail_to_me(demo.door("anna"), "weekly_sales")


@pytest.mark.slow
def test_the_same_with_names_of_another_line_of_business(nonprofit_store, tmp_path):
    with open_store(str(shutil.copy(nonprofit_store, tmp_path / "demo.db"))) as store:
        company = Company(load(shipped("nonprofit")), store)
        door = company.door(company.actor(company.people.with_role("head")[0]))
        made = make(door, "board_evening")
        pages = pages_of(pdf(made))
        whole = " ".join(pages)
        assert made.title in pages[0] and all(one.heading in whole for one in made.sections)
        for section in made.sections:
            assert section.result is not None and section.result.stamp in whole
        said = text(made)
        assert all(cell in said for section in made.sections if section.kind != "figure" for row in section.cells for cell in row)


def test_letters_of_all_languages_are_in_the_fonts():
    """Polish, Serbian (both scripts) and Lithuanian, and the signs of the template: no box is printed."""
    import matplotlib
    from fontTools.ttLib import TTFont

    for weight in ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf"):
        known = TTFont(Path(matplotlib.get_data_path(), "fonts", "ttf", weight)).getBestCmap()
        letters = "ąćęłńóśźżĄĆĘŁŃÓŚŹŻ čćđšžČĆĐŠŽ љњћђџжшчЉЊЋЂЏЖШЧ ąčęėįšųūžĄČĘĖĮŠŲŪŽ €£−·→–…\u2060\u00a0\u202f"
        assert [one for one in letters if ord(one) not in known] == []


def command(capsys, *words):
    with pytest.raises(SystemExit) as end:
        cli.main(words)
    out, err = capsys.readouterr()
    return end.value.code, out, err


@pytest.mark.slow
def test_on_the_command_line(demo_store, tmp_path, capsys):
    data = str(shutil.copy(demo_store, tmp_path / "demo.db"))
    base = ("--config", "sales", "--data", data)
    code, out, _ = command(capsys, "report", "--pack", "weekly_sales", "--as", "marta", *base)
    assert code == 0 and "Weekly sales meeting" in out and "From stage to stage" in out
    code, out, _ = command(capsys, "report", "--pack", "weekly_sales", "--as", "marta", "--json", *base)
    made = json.loads(out)
    assert made["pack"] == "weekly_sales" and made["user"] == "marta" and all(one["report"]["stamp"] for one in made["sections"] if "report" in one)
    for name, begins in (("board.pdf", b"%PDF"), ("board.html", b"<!doctype")):
        target = tmp_path / name
        code, out, err = command(capsys, "report", "--pack", "weekly_sales", "--as", "marta", "--out", str(target), *base)
        assert code == 0 and target.read_bytes().startswith(begins), err
    code, _, err = command(capsys, "report", "--pack", "weekly_sale", *base)
    assert code == 1 and "Did you mean 'weekly_sales'?" in err
    code, _, err = command(capsys, "report", "--pack", "weekly_sales", "--out", str(tmp_path / "x.doc"), *base)
    assert code == 1 and ".pdf or .html" in err
    code, _, err = command(capsys, "report", "win_rate", "--pack", "weekly_sales", *base)
    assert code == 1
