"""What is taken away goes through the one door, and is never run by the browser."""

from __future__ import annotations

import pytest

from crm.server.downloads import disposition


@pytest.fixture(scope="module")
def papers(place):
    """A thing of Carl's with two files (one of them a page with a script in it) and a hidden one."""
    from crm.records import SYSTEM

    store = place.company.store

    def kept(name, kind, content):
        return {"name": name, "type": kind, "size": len(content), "blob": store.blob_put(content)}

    page = kept("evil\r\nX-Bad: 1.html", "text/html", b"<script>alert(1)</script>")
    picture = kept("zdjęcie.png", "image/png", b"\x89PNG\r\n\x1a\n")
    secret = kept("salary.txt", "text/plain", b"secret")
    door = place.company.door(SYSTEM)
    values = {"name": "With papers", "owner": place.users["carl"], "papers": [page, picture], "hidden_papers": [secret]}
    return door.create("thing", values).id


def test_the_owner_gets_the_file_as_a_download(place, papers):
    answer = place.browser("carl").get(f"/files/thing/{papers}/papers/0")
    assert answer.status_code == 200 and answer.content == b"<script>alert(1)</script>"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment;") and "x-bad" not in answer.headers
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_only_pictures_are_shown_in_place(place, papers):
    browser = place.browser("carl")
    shown = browser.get(f"/files/thing/{papers}/papers/1?inline=1")
    assert shown.headers["content-type"] == "image/png" and shown.headers["content-disposition"].startswith("inline;")
    assert "zdj%C4%99cie.png" in shown.headers["content-disposition"]
    assert browser.get(f"/files/thing/{papers}/papers/0?inline=1").headers["content-disposition"].startswith("attachment;")


@pytest.mark.parametrize(
    "path",
    ["thing/{id}/papers/2", "thing/{id}/papers/-1", "thing/{id}/name/0", "thing/{id}/hidden_papers/0", "thing/999/papers/0", "thing/{id}/nothing/0",
     "nothing/{id}/papers/0", "_user_secret/1/hash/0", "thing/x/papers/0", "thing/{id}/papers/²", "thing/99999999999999999999999/papers/0"],
)  # fmt: skip
def test_what_is_not_there_or_not_for_you_is_not_found(place, papers, path):
    answer = place.browser("carl").get("/files/" + path.format(id=papers))
    assert answer.status_code == 404, answer.text
    assert "Traceback" not in answer.text and "secret" not in answer.text


def test_another_user_finds_nothing(place, papers):
    mine = place.browser("carl").get(f"/files/thing/{papers}/papers/7")
    theirs = place.browser("cleo").get(f"/files/thing/{papers}/papers/0")
    assert theirs.status_code == 404 and theirs.text == mine.text


def test_the_administrator_reads_what_the_clerk_may_not(place, papers):
    assert place.browser("anna").get(f"/files/thing/{papers}/hidden_papers/0").content == b"secret"


@pytest.mark.parametrize(
    "name, plain",
    [
        ("a.pdf", "a.pdf"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ('a".exe', "a_.exe"),
        ("", "file"),
        ("a\r\nb", "a__b"),
        ("żółw.txt", "___w.txt"),
    ],
)
def test_names_of_files_break_no_header(name, plain):
    told = disposition(name)
    assert f'filename="{plain}"' in told and "\r" not in told and "\n" not in told
    assert told.encode("latin-1")


def test_a_list_is_exported_under_the_rights_of_who_asks(place, papers):
    mine = place.browser("carl").get("/export/thing.csv")
    assert mine.status_code == 200 and mine.headers["content-type"].startswith("text/csv")
    assert "With papers" in mine.text and "secret" not in mine.text.splitlines()[0]
    assert "With papers" not in place.browser("cleo").get("/export/thing.csv").text
    assert place.browser("carl").get("/export/nothing.csv").status_code == 404
