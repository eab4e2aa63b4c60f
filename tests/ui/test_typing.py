"""Little typing in the browser (H6): a call in two clicks and one sentence from list, board and phone; a pasted signature; the 360° page (A3)."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import expect

from crm.records import SYSTEM

CARD = "Best regards,\nEmily Carter\nHead of Sales\nOakfield Timber Ltd\n14 Mill Lane\nBristol BS1 4QD\nM: +44 7700 900123\nemily.carter@oakfield.example"
#: Where pictures are left for whoever wants to look; nowhere otherwise.
PICTURES = os.environ.get("CRM_PICTURES")


def picture(one, name: str) -> None:
    if PICTURES:
        one.page.screenshot(path=str(Path(PICTURES) / f"{name}.png"))


def test_a_call_is_logged_in_two_clicks_and_one_sentence(rep, phone, server):
    door = server.company.door(SYSTEM)
    roles = server.company.schema.activities
    count = door.count(roles.entity)
    mine = server.company.door(server.company.actor(server.user("rep")))
    deal = next(
        one
        for one in mine.list("opportunity", limit=None)
        if server.company.schema.stage_of("opportunity", one).open and mine.may("change", "opportunity", one)
    )

    rep.goto("view=list&entity=account")
    row = rep.page.locator("tbody tr").first
    row.hover()
    row.get_by_role("button", name="Log what happened").click()  # one
    box = rep.page.get_by_role("dialog", name="Log:")
    expect(box.get_by_role("button", name="Call", exact=True)).to_have_attribute("aria-pressed", "true")
    rep.page.keyboard.type("They want to see the new machine.")
    box.get_by_role("button", name="Pick a day").click()
    rep.page.keyboard.type("next fri 10:30")
    expect(box.get_by_role("status")).to_contain_text("10:30")
    picture(rep, "log-box")
    box.get_by_role("button", name="Save").click()  # two
    expect(box).to_be_hidden()
    rep.until(lambda: door.count(roles.entity) == count + 1)
    rep.page.get_by_role("button", name="Undo").first.click()
    rep.until(lambda: door.count(roles.entity) == count)

    rep.goto(f"view=board&pipeline={deal['pipeline']}&q={deal.title.split()[0]}")
    card = rep.page.get_by_role("article", name=deal.title).first
    card.hover()
    picture(rep, "board")
    card.get_by_role("button", name="Log what happened").click()
    expect(box.get_by_label("What happened?")).to_be_focused()
    rep.page.keyboard.type("Board call.")
    rep.page.keyboard.press("Control+Enter")
    rep.until(lambda: door.list(roles.entity, order=["-id"], limit=1)[0][roles.subject] == "Board call")
    rep.page.keyboard.press("Control+k")
    rep.page.keyboard.type(f"log call {deal.title.split()[0]}")
    expect(rep.page.get_by_role("option", name="Call: ").first).to_be_visible()
    picture(rep, "command")
    rep.page.keyboard.press("Enter")
    expect(rep.page.get_by_role("dialog", name="Log:")).to_be_visible()

    phone.goto("view=list&entity=account")
    picture(phone, "phone-list")
    phone.page.get_by_role("button", name="Log what happened").first.click()
    expect(phone.page.get_by_role("dialog", name="Log:").get_by_label("What happened?")).to_be_focused()
    phone.page.keyboard.type("From the car park.")
    picture(phone, "phone-log")
    phone.page.get_by_role("dialog", name="Log:").get_by_role("button", name="Save").click()
    phone.until(lambda: door.list(roles.entity, order=["-id"], limit=1)[0][roles.subject] == "From the car park")
    assert not rep.errors and not phone.errors and not rep.outside


def test_a_pasted_signature_becomes_a_contact_and_then_fills_one(rep, server):
    door = server.company.door(SYSTEM)
    rep.goto("view=list&entity=contact")
    rep.page.keyboard.press("Control+k")
    rep.page.keyboard.type("paste a signature contact")
    rep.page.get_by_role("option", name="Paste a signature: Contact").click()
    box = rep.page.get_by_role("dialog", name="Paste a signature")
    box.get_by_role("textbox").fill(CARD)
    expect(box.get_by_text("Oakfield Timber Ltd")).to_be_visible()
    picture(rep, "paste")
    box.get_by_role("button", name="Create: Contact").click()
    rep.until(lambda: door.count("contact", "email == 'emily.carter@oakfield.example'") == 1)
    made = door.list("contact", "email == 'emily.carter@oakfield.example'")[0]
    door.change("contact", made.id, {"mobile": None})
    rep.goto("view=form&entity=contact")
    rep.page.get_by_role("button", name="Paste a signature").click()
    box = rep.page.get_by_role("dialog", name="Paste a signature")
    box.get_by_role("textbox").fill(CARD)
    box.get_by_role("button", name="Use in the form").click()
    expect(rep.page.get_by_label("E-mail", exact=True)).to_have_value("emily.carter@oakfield.example")
    expect(rep.page.get_by_label("Name: Last name")).to_have_value("Carter")
    picture(rep, "form-filled")
    rep.page.evaluate("localStorage.clear()")
    rep.goto("view=list&entity=contact")
    rep.page.keyboard.press("Control+k")
    rep.page.keyboard.type("paste a signature contact")
    rep.page.get_by_role("option", name="Paste a signature: Contact").click()
    box.get_by_role("textbox").fill(CARD)
    box.get_by_role("button", name="Fill in: ").click()
    rep.until(lambda: door.get("contact", made.id)["mobile"] == "+447700900123")
    assert not rep.errors


def test_the_360_page_filters_and_scrolls_on(rep, server):
    door = server.company.door(SYSTEM)
    user = server.user("rep")
    mother = door.create("account", {"name": "Deep Holding", "kind": "customer", "owner": user}).id
    daughter = door.create("account", {"name": "Deep Daughter", "kind": "customer", "owner": user, "parent": mother}).id
    now = datetime.now(UTC)
    with door.step("events", later=True):
        for number in range(180):
            door.create("activity", {"subject": f"Talk number {number}", "kind": "call" if number % 3 else "visit", "account": mother, "owner": user,
                                     "done_on": (now - timedelta(days=number)).isoformat()})  # fmt: skip
        door.create(
            "activity", {"subject": "With the daughter", "kind": "call", "account": daughter, "owner": user, "done_on": now.isoformat()}
        )
    rep.goto(f"view=record&entity=account&id={mother}")
    line = rep.page.get_by_role("region", name="Timeline")
    events = line.locator("ol > li:not(.day):not(.more)")
    expect(events).to_have_count(50)
    for want in (100, 150, 180):  # scrolls on by itself, and what was read stays where it was
        line.get_by_text(f"Talk number {want - 51 if want < 180 else 149}", exact=True).scroll_into_view_if_needed()
        rep.until(lambda want=want: events.count() >= want)
    expect(line.get_by_text("Talk number 179", exact=True)).to_have_count(1)
    picture(rep, "timeline")
    line.get_by_role("button", name="More filters").click()
    line.get_by_label("From day").fill("10 days ago")
    expect(events).to_have_count(11)
    picture(rep, "timeline-filters")
    line.get_by_label("With: Subsidiaries").check()
    expect(line.get_by_text("With the daughter")).to_be_visible()
    line.get_by_label("Who").select_option(index=1)
    expect(events).to_have_count(12)
    line.get_by_role("button", name="Clear filters").click()
    line.get_by_role("searchbox").fill("number 17")
    expect(events).to_have_count(11)
    assert not rep.errors
