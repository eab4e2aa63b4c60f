"""A user's calendar feed, read back with the icalendar library (B7)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from icalendar import Calendar

from crm.mail.calendar import feed
from crm.records import SYSTEM
from crm.records.feeds import owner_of


def events(company, user: int, **more) -> dict[str, dict]:
    """{summary: event} of a feed as another program reads it."""
    calendar = Calendar.from_ical(feed(company, user, **more))
    return {str(one["summary"]): one for one in calendar.walk("VEVENT")}


def at(t, days: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2000, 1, 1, hour, minute, tzinfo=t.tz).replace(**_day(t.today() + timedelta(days=days)))


def _day(day: date) -> dict[str, int]:
    return {"year": day.year, "month": day.month, "day": day.day}


def test_appointments_days_and_next_steps_stand_in_it(company, carl):
    t = carl.words
    matter = carl.create("matter", {"name": "Roof", "next_on": t.today() + timedelta(days=3), "next_what": "Send the offer"})
    carl.create("errand", {"what": "Meet Ann", "due": at(t, 1, 14, 30), "takes": 90, "matter": matter.id})
    carl.create("errand", {"what": "Some time that day", "due": at(t, 2, 0)})
    carl.create("errand", {"what": "Done", "due": at(t, 1, 9), "done": company.now()})
    carl.create("matter", {"name": "Shut", "state": "shut", "next_on": t.today()})
    found = events(company, carl.actor.id)
    assert set(found) == {"Meet Ann", "Some time that day", "Send the offer: Roof"}
    meeting = found["Meet Ann"]
    assert meeting["dtstart"].dt == at(t, 1, 14, 30).astimezone(UTC) and meeting["dtend"].dt - meeting["dtstart"].dt == timedelta(
        minutes=90
    )
    assert str(meeting["description"]).startswith("Roof") and str(meeting["url"]).endswith(f"entity=errand&id={1}")
    (alarm,) = meeting.walk("VALARM")
    assert alarm["trigger"].dt == timedelta(minutes=-15) and str(alarm["action"]) == "DISPLAY"
    day = found["Some time that day"]
    assert day["dtstart"].dt == t.today() + timedelta(days=2) and day["dtend"].dt == t.today() + timedelta(days=3)
    assert day.walk("VALARM")[0]["trigger"].dt == timedelta(hours=9)
    assert found["Send the offer: Roof"]["dtstart"].dt == t.today() + timedelta(days=3)


def test_an_hour_is_the_same_moment_in_summer_and_winter(company, carl):
    t = carl.words
    for month, offset in ((1, 1), (7, 2)):
        year = t.today().year + (t.today().month >= month)
        carl.create("errand", {"what": f"At nine {month}", "due": datetime(year, month, 15, 9, 0, tzinfo=t.tz)})
        found = events(company, carl.actor.id)[f"At nine {month}"]
        assert found["dtstart"].dt == datetime(year, month, 15, 9 - offset, 0, tzinfo=UTC)


def test_what_changes_keeps_its_uid_and_what_is_deleted_is_cancelled(company, carl):
    t = carl.words
    record = carl.create("errand", {"what": "Meet", "due": at(t, 1, 10)})
    first = events(company, carl.actor.id)["Meet"]
    assert feed(company, carl.actor.id) == feed(company, carl.actor.id), "nothing changed, not a byte"
    carl.change("errand", record.id, {"due": at(t, 2, 11)})
    second = events(company, carl.actor.id)["Meet"]
    assert second["uid"] == first["uid"] and int(second["sequence"]) > int(first["sequence"])
    assert second["dtstart"].dt == at(t, 2, 11).astimezone(UTC) and second["last-modified"].dt >= first["last-modified"].dt
    step = carl.delete("errand", record.id)
    gone = events(company, carl.actor.id)["Meet"]
    assert gone["uid"] == first["uid"] and str(gone["status"]) == "CANCELLED" and int(gone["sequence"]) > int(second["sequence"])
    assert not gone.walk("VALARM")
    carl.undo(step)
    assert str(events(company, carl.actor.id)["Meet"]["status"]) == "CONFIRMED"


def test_it_holds_only_what_its_owner_may_see(company, carl):
    t, door = carl.words, company.door(SYSTEM)
    matter = door.create("matter", {"name": "Hush-hush", "who": company.actor("cleo").id})
    carl.create("errand", {"what": "Mine", "due": at(t, 1, 10)})
    door.change("errand", 1, {"matter": matter.id})
    door.create("errand", {"what": "Theirs", "due": at(t, 1, 10), "who": company.actor("cleo").id})
    content = feed(company, carl.actor.id).decode()
    assert "Mine" in content and "Theirs" not in content and "Hush" not in content
    door.change("errand", 1, {"who": company.actor("cleo").id})
    assert "Mine" not in feed(company, carl.actor.id).decode()


def test_text_of_a_record_cannot_break_the_calendar(company, carl):
    carl.create("errand", {"what": "Meet; Ann, Bob\\ END:VEVENT łódź " + "x" * 100, "due": at(carl.words, 1, 10)})
    (found,) = events(company, carl.actor.id).values()
    assert str(found["summary"]).startswith("Meet; Ann, Bob\\ END:VEVENT łódź xxx")


def test_a_secret_is_renewed_and_withdrawn_and_dies_with_the_account(company, carl):
    user = carl.actor.id
    assert carl.calendar() is None
    first = carl.renew_calendar()
    assert len(first) >= 40 and carl.calendar() == first and owner_of(company, first) == user
    second = carl.renew_calendar()
    assert second != first and owner_of(company, first) is None and owner_of(company, second) == user
    company.door(SYSTEM).change("user", user, {"active": False})
    company.people.stale()
    assert owner_of(company, second) is None
    company.door(SYSTEM).change("user", user, {"active": True})
    company.people.stale()
    carl.withdraw_calendar()
    assert carl.calendar() is None and owner_of(company, second) is None and owner_of(company, "") is None
