"""Nothing agreed is forgotten: a rep's morning in few clicks, on a desk and on a phone, and the bell (B7)."""

import re
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import expect

from crm.records.notices import notify


class Hand:
    """Counts the clicks it makes."""

    def __init__(self, window):
        self.window, self.clicks = window, 0

    def __call__(self, target):
        self.clicks += 1
        target.tap() if self.window.viewport_size["width"] < 500 else target.click()

    def made(self) -> int:
        clicks, self.clicks = self.clicks, 0
        return clicks


@pytest.mark.parametrize("width", [1280, 390])
def test_a_reps_morning(sign_in, width):
    """What is overdue is done, put off or logged, and what has no next step gets one: at most two clicks each, told and kept."""
    rep = sign_in("rep", width=width, height=900)
    hand = Hand(rep)
    user = rep.run.user("rep")
    door = rep.run.company.door(user)
    long_ago = datetime.now() - timedelta(days=500)
    account = door.list("account", "owner == me", limit=1)[0]
    made = {}
    for number, word in enumerate(("done", "later", "log")):
        when = (long_ago + timedelta(days=number)).isoformat(timespec="minutes")
        made[word] = door.create("activity", {"subject": f"To be {word} {width}", "kind": "call", "due_on": when, "account": account.id})
    deal = door.create("opportunity", {"name": f"Nothing agreed {width}", "account": account.id})
    rep.goto()
    late = rep.get_by_role("region", name="Overdue")
    none = rep.get_by_role("region", name="Without a next step")
    expect(late).to_contain_text(f"To be done {width}")

    hand(late.get_by_role("button", name=f"Done: To be done {width}"))
    expect(late.get_by_text(f"To be done {width}")).to_have_count(0)
    assert door.get("activity", made["done"].id)["done_on"] is not None and hand.made() <= 2

    if width > 500:
        late.get_by_role("listitem").filter(has_text=f"To be later {width}").hover()
    hand(late.get_by_role("button", name=f"Postpone: To be later {width}"))
    hand(rep.get_by_role("menuitem", name="In 3 days"))
    expect(late.get_by_text(f"To be later {width}")).to_have_count(0)
    due = door.words.local(door.get("activity", made["later"].id)["due_on"])
    assert (due.date() - door.words.today()).days == 3 and (due.hour, due.minute) == (long_ago.hour, long_ago.minute)
    assert hand.made() <= 2

    if width > 500:
        late.get_by_role("listitem").filter(has_text=f"To be log {width}").hover()
    hand(late.get_by_role("button", name=f"Log: To be log {width}"))
    box = rep.get_by_role("dialog", name="Log:")
    expect(box).to_be_visible()
    rep.keyboard.type("They want the offer by Friday.")
    hand(box.get_by_role("button", name="Save"))
    expect(box).to_be_hidden()
    expect(late.get_by_text(f"To be log {width}")).to_have_count(0)
    told = door.get("activity", made["log"].id)
    assert told["done_on"] is not None and "They want the offer by Friday." in (told["text"], told["subject"]) and hand.made() <= 2

    found = none.get_by_role("button", name=re.compile(f"Plan the next step for tomorrow: Nothing agreed {width}"))
    if not found.count():
        rep.get_by_role("button", name=re.compile("Show all")).last.click()
    hand(found)
    expect(none.get_by_text(f"Nothing agreed {width}")).to_have_count(0)
    assert door.get("opportunity", deal.id)["next_on"] == door.words.today() + timedelta(days=1) and hand.made() <= 2
    rep.locator(".toasts .msg").filter(has_text=f"Nothing agreed {width}").get_by_role("button", name="Undo").click()
    expect(none).to_contain_text(f"Nothing agreed {width}")
    assert door.get("opportunity", deal.id)["next_on"] is None

    rep.goto(f"view=record&entity=opportunity&id={deal.id}")
    missing = rep.get_by_role("note").filter(has_text="No next step")
    hand(missing.get_by_role("button", name="Tomorrow"))
    expect(missing).to_have_count(0)
    expect(rep.get_by_text(re.compile("Get in touch")).first).to_be_visible()
    assert hand.made() <= 2
    rep.goto("view=list&entity=opportunity&v=mine")
    expect(rep.get_by_text(f"Nothing agreed {width}").first).to_be_visible()
    assert rep.errors == [] and rep.outside == []
    for one in made.values():
        door.delete("activity", one.id)


def test_the_bell_tells_and_leads_there(rep, monkeypatch):
    """A notice is counted, read by mouse or keyboard, and leads to what it is about."""
    company, user = rep.run.company, rep.run.user("rep")
    door = company.door(user)
    door.notice_seen()
    first, second = door.list("account", "owner == me", limit=2)
    for one in (first, second):
        notify(company, user, "{title} is due today", entity="account", id=one.id)
    monkeypatch.setattr("crm.views.app.LOOK", 200)
    rep.goto()
    expect(rep.get_by_role("button", name=re.compile("New notices: 2"))).to_be_visible()
    rep.keyboard.press("b")
    menu = rep.get_by_role("menu")
    expect(menu.get_by_role("menuitem", name=re.compile(re.escape(f"New: {second.title} is due today")))).to_be_focused()
    rep.keyboard.press("ArrowDown")
    expect(menu.get_by_role("menuitem", name=re.compile(re.escape(f"New: {first.title} is due today")))).to_be_focused()
    rep.keyboard.press("Enter")
    expect(rep.get_by_role("heading", level=1, name=first.title)).to_be_visible()
    rep.until(lambda: door.unread() == 1)
    rep.get_by_role("button", name=re.compile("New notices: 1")).click()
    rep.get_by_role("menuitem", name="Mark all as read").click()
    rep.until(lambda: door.unread() == 0)
    expect(rep.get_by_role("button", name=re.compile("New notices"))).to_have_count(0)
    notify(company, user, "{title} begins at {at}", entity="account", id=second.id, at="14:30")  # while the window stands open
    expect(rep.get_by_text(f"{second.title} begins at 14:30").first).to_be_visible()
    expect(rep.get_by_role("button", name=re.compile("New notices: 1"))).to_be_visible()
    door.notice_seen()
    assert rep.errors == []
