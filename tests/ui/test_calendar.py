"""The calendar: month, week and agenda of what is due; moving to another day postpones."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from crm.records import SYSTEM


@pytest.fixture
def appointment(server):
    """A planned activity of the admin, today at half past two."""
    roles = server.company.schema.activities
    door = server.company.door(server.company.actor(server.user("admin")))
    moment = door.words.now().replace(hour=14, minute=30, second=0, microsecond=0)
    record = door.create(roles.entity, {roles.subject: "Calendar <u>thing</u>", roles.due: moment, roles.owner: server.user("admin")})
    yield record
    server.company.door(SYSTEM).delete(roles.entity, record.id)


def test_a_day_is_a_drag_away_and_its_hour_stays(admin, server, appointment):
    roles = server.company.schema.activities
    words = server.company.schema.words("en")
    today = words.today()
    other = today + timedelta(days=1 if (today + timedelta(days=1)).isocalendar().week == today.isocalendar().week else -1)
    admin.goto("view=calendar&mode=week")
    event = admin.page.get_by_role("link", name="Calendar <u>thing</u>").first
    expect(event).to_be_visible()
    event.drag_to(admin.page.locator(f"[data-day='{other.isoformat()}']"))
    expect(admin.page.locator(f"[data-day='{other.isoformat()}']").get_by_text("Calendar <u>thing</u>")).to_be_visible()

    def due() -> tuple:
        at = words.local(server.company.door(SYSTEM).get(roles.entity, appointment.id)[roles.due])
        return at.date(), at.hour, at.minute
    admin.until(lambda: due() == (other, 14, 30))


def test_the_menu_postpones_in_words(admin, server, appointment):
    roles = server.company.schema.activities
    words = server.company.schema.words("en")
    admin.goto("view=calendar&mode=week")
    expect(admin.page.get_by_role("link", name="Calendar <u>thing</u>").first).to_be_visible()
    admin.page.get_by_role("button", name="Postpone: Calendar <u>thing</u>").focus()
    admin.page.keyboard.press("Enter")
    admin.page.get_by_role("menuitem", name="In a week").click()
    expect(admin.page.get_by_role("link", name="Calendar <u>thing</u>")).to_have_count(0)
    due = words.local(server.company.door(SYSTEM).get(roles.entity, appointment.id)[roles.due])
    assert due.date() == words.today() + timedelta(days=7)


def test_months_go_on_and_back(admin, server):
    admin.goto("view=calendar")
    title = admin.page.locator(".calbar h2")
    first = title.inner_text()
    admin.page.get_by_role("link", name="Forward in time").click()
    expect(title).not_to_have_text(first)
    admin.page.go_back()
    expect(title).to_have_text(first)


def test_pipelines_stand_in_the_calendar_and_on_a_phone_it_is_an_agenda(sign_in, server):
    pipeline = next(one for one in server.company.schema.pipelines.values() if "next" in one.fields)
    one = sign_in("admin", width=390, height=844)
    one.goto(f"view=calendar&entity={pipeline.entity}")
    expect(one.page.locator(".calbar h2")).to_be_visible()
    assert one.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert one.errors == []
