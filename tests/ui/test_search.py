"""The command box: any record by a few letters, places and commands, by keyboard alone, within the rights of the user."""

import re

from playwright.sync_api import expect


def open_box(window, key="Control+k"):
    window.keyboard.press(key)
    box = window.get_by_role("combobox", name=re.compile("Search or jump"))
    expect(box).to_be_focused()
    return box


def test_a_customer_by_three_letters_and_enter(rep):
    account = rep.run.company.door(rep.run.user("rep")).list("account", "owner == me", limit=1, order=["-won_revenue"])[0]
    rep.goto()
    box = open_box(rep)
    box.fill(account.title[:12])
    option = rep.get_by_role("option", name=re.compile(re.escape(account.title))).first
    expect(option).to_be_visible()
    for _ in range(12):
        if option.get_attribute("aria-selected") == "true":
            break
        rep.keyboard.press("ArrowDown")
    rep.keyboard.press("Enter")
    expect(rep.page).to_have_url(re.compile("view=record"))
    expect(rep.get_by_role("heading", level=1)).to_contain_text(account.title)
    open_box(rep)
    expect(rep.get_by_role("option", name=re.compile(re.escape(account.title))).first).to_be_visible()       # recently opened


def test_enter_right_after_typing_waits_for_the_answer(rep):
    account = rep.run.company.door(rep.run.user("rep")).list("account", "owner == me", limit=1, order=["won_revenue"])[0]
    rep.goto()
    box = open_box(rep)
    box.evaluate("""(box, words) => { box.value = words; box.dispatchEvent(new Event('input', {bubbles: true}))
        box.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true, cancelable: true})) }""", account.title)
    expect(rep.get_by_role("heading", level=1)).to_contain_text(account.title)


def test_what_was_asked_before_typing_does_not_answer_for_what_is_typed(rep):
    """The box asks for what was opened lately as it opens; who types and presses Enter before that is answered means what they typed."""
    account = rep.run.company.door(rep.run.user("rep")).list("account", "owner == me", limit=1, order=["won_revenue"])[0]
    rep.goto()
    open_box(rep)
    rep.keyboard.press("Escape")
    rep.page.evaluate("""words => { dispatchEvent(new CustomEvent('crm:jump'))
        const find = root => { for (const one of root.querySelectorAll('*')) { if (one.matches('dialog.command input')) return one
          const found = one.shadowRoot && find(one.shadowRoot); if (found) return found } }
        const later = window.setTimeout; window.setTimeout = (act, ms, ...more) => later(act, Math.max(ms || 0, 3000), ...more)  // typed on for long
        const box = find(document); box.value = words; box.dispatchEvent(new Event('input', {bubbles: true})); window.setTimeout = later
        box.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true, cancelable: true})) }""", account.title)
    expect(rep.get_by_role("heading", level=1)).to_contain_text(account.title)


def test_slash_opens_it_but_not_while_typing(rep):
    rep.goto("view=form&entity=account")
    name = rep.locator("main").get_by_label(re.compile("^Name")).first
    name.fill("")
    name.press("/")
    expect(name).to_have_value("/")
    rep.goto()
    open_box(rep, "/")
    rep.keyboard.press("Escape")
    expect(rep.get_by_role("dialog", name=re.compile("Search"))).to_be_hidden()


def test_places_and_commands_are_found_by_their_words(rep):
    rep.goto()
    box = open_box(rep)
    box.fill("calen")
    expect(rep.get_by_role("option", name=re.compile("Calendar")).first).to_be_visible()
    box.fill("new lead")
    expect(rep.get_by_role("option", name=re.compile("New: Lead"))).to_be_visible()
    rep.get_by_role("option", name=re.compile("New: Lead")).click()
    expect(rep.get_by_role("dialog", name="New: Lead")).to_be_visible()


def test_nothing_found_is_said(rep):
    rep.goto()
    box = open_box(rep)
    box.fill("zzqqxxyyww")
    expect(rep.get_by_text("Nothing found. Try fewer letters.")).to_be_visible()


def test_what_a_role_may_not_see_is_not_found(sign_in):
    rep = sign_in("rep")
    own = rep.run.company.door(rep.run.user("rep"))
    everything = rep.door()
    seen = set(own.ids("opportunity"))
    hidden = next(record for record in everything.list("opportunity", limit=500) if record.id not in seen)
    rep.goto()
    box = open_box(rep)
    box.fill(hidden.title)
    expect(rep.get_by_role("status").filter(has_text=re.compile(r"\d+ result"))).to_be_attached()
    links = rep.get_by_role("option").evaluate_all("all => all.map(a => a.getAttribute('href'))")
    assert not any(href and f"entity=opportunity&id={hidden.id}" == href.split("view=record&")[-1] for href in links)
    rep.keyboard.press("Escape")
    rep.goto(f"view=record&entity=opportunity&id={hidden.id}")
    expect(rep.get_by_role("heading", name="Not found")).to_be_visible()
    assert hidden.title not in rep.locator("main").inner_text()
