"""`/calendar/<secret>.ics`: open to whoever knows the secret, to nobody else, and not to be guessed (B7)."""

from __future__ import annotations

import logging

import httpx
import pytest
from icalendar import Calendar

from crm.records import SYSTEM
from tests.waiting import eventually


@pytest.fixture
def secret(place):
    return place.company.door("carl").renew_calendar()


def get(place, path: str, **more):
    return httpx.get(place.address + path, headers={"accept": "*/*"}, timeout=120, **more)


def test_a_calendar_program_reads_it_without_a_sign_in(place, secret):
    answer = get(place, f"/calendar/{secret}.ics")
    assert answer.status_code == 200 and answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store" and "set-cookie" not in answer.headers
    assert str(Calendar.from_ical(answer.content)["x-wr-calname"]).endswith("Carl")
    assert httpx.head(place.address + f"/calendar/{secret}.ics", timeout=120).status_code == 200


def test_nothing_else_opens_it(place, secret):
    wrong = ("x" * len(secret), secret[:-1], secret + "x", secret.swapcase())
    assert [get(place, f"/calendar/{one}.ics").status_code for one in wrong[:3]] == [404] * 3
    place.site.throttle.table.truncate()
    for path in (
        f"/calendar/{secret}",
        f"/calendar/{secret}.ics/",
        f"/calendar/{secret}.ics/more",
        "/calendar/.ics",
        "/calendar/1.ics",
        f"/calendar/../{secret}.ics",
    ):
        assert get(place, path).status_code in (401, 404), path
    assert httpx.post(place.address + f"/calendar/{secret}.ics", headers={"origin": place.address}, timeout=120).status_code in (401, 405)


def test_a_renewed_and_a_withdrawn_address_is_gone(place, secret):
    door = place.company.door("carl")
    again = door.renew_calendar()
    assert get(place, f"/calendar/{secret}.ics").status_code == 404
    assert get(place, f"/calendar/{again}.ics").status_code == 200
    door.withdraw_calendar()
    assert get(place, f"/calendar/{again}.ics").status_code == 404


def test_who_was_switched_off_has_none(place):
    secret = place.company.door("cleo").renew_calendar()
    door, user = place.company.door(SYSTEM), place.users["cleo"]
    assert get(place, f"/calendar/{secret}.ics").status_code == 200
    door.change("user", user, {"active": False})
    try:
        assert get(place, f"/calendar/{secret}.ics").status_code == 404
    finally:
        door.change("user", user, {"active": True})


def test_guessing_is_slowed_down_and_asking_often_is_not(place, secret):
    assert {get(place, f"/calendar/{secret}.ics").status_code for _ in range(12)} == {200}
    answers = [get(place, f"/calendar/{'guess' + str(n):x<43}.ics") for n in range(8)]
    assert [one.status_code for one in answers[:5]] == [404] * 5 and answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) > 0


def test_the_secret_stands_in_no_log(place, secret, monkeypatch):
    lines = []
    logger = logging.getLogger("crm.access")
    monkeypatch.setattr(logger, "info", lambda *said, **more: lines.append(str((said, more))))
    get(place, f"/calendar/{secret}.ics")
    assert eventually(lambda: any("/calendar/" in line for line in lines)), "a request is logged after its answer was sent"
    assert not any(secret in line for line in lines)
