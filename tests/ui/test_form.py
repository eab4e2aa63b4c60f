"""The form: keys, defaults, kinds, messages beside fields, drafts, links, markup that stays text."""

import re

from playwright.sync_api import expect

NASTY = "<img src=x onerror=\"window.ran=1\"><b>bold</b>"


def field(window, label):
    return window.locator("main").get_by_label(re.compile(f"^{label}")).first


def test_a_record_is_made_with_the_keyboard_and_found_in_the_store(rep):
    rep.goto("view=form&entity=account")
    expect(field(rep, "Name")).to_be_focused()
    rep.keyboard.type("Keyboard Works")
    rep.keyboard.press("Enter")
    expect(field(rep, "Kind")).to_be_focused()
    field(rep, "Annual turnover").fill("1,250,000.50")
    rep.keyboard.press("Control+Enter")
    expect(rep.page).to_have_url(re.compile(r"view=record&entity=account&id=\d+"))
    number = int(re.search(r"id=(\d+)", rep.page.url).group(1))
    record = rep.door().get("account", number)
    assert (record["name"], str(record["turnover"])) == ("Keyboard Works", "1250000.50")
    expect(rep.get_by_text("Keyboard Works created")).to_be_visible()
    rep.get_by_role("button", name="Undo").click()
    expect(rep.get_by_text("Taken back.")).to_be_visible()
    assert rep.door().count("account", "name == 'Keyboard Works'") == 0


def test_what_is_wrong_stands_beside_the_fields_and_nothing_typed_is_lost(rep):
    rep.goto("view=form&entity=account")
    field(rep, "Annual turnover").fill("a lot")
    field(rep, "Employees").fill("many")
    rep.get_by_role("button", name="Create").click()
    summary = rep.get_by_role("alert").filter(has_text="need a look")
    expect(summary).to_contain_text("3 fields need a look")
    expect(field(rep, "Name")).to_be_focused()
    expect(field(rep, "Name")).to_have_attribute("aria-invalid", "true")
    summary.get_by_role("button", name="Employees").click()
    expect(field(rep, "Employees")).to_be_focused()
    expect(field(rep, "Employees")).to_have_value("many")
    expect(field(rep, "Annual turnover")).to_have_value("a lot")
    described = field(rep, "Employees").get_attribute("aria-describedby")
    expect(rep.locator(f"#{described.split()[0]}")).not_to_be_empty()


def test_kinds_bring_their_own_fields(rep):
    """A1: a competitor has market share and strengths, a supplier has not."""
    rep.goto("view=form&entity=account")
    expect(rep.get_by_label("Market share")).to_have_count(0)
    field(rep, "Kind").select_option("competitor")
    field(rep, "Name").fill("Rival")                                    # typed on at once: what the kind brings comes all the same
    expect(rep.get_by_label("Market share")).to_be_visible()
    expect(field(rep, "Name")).to_have_value("Rival")
    expect(field(rep, "Name")).to_be_focused()
    field(rep, "Kind").select_option("supplier")
    expect(rep.get_by_label("Market share")).to_have_count(0)
    rep.get_by_role("button", name="Create").focus()


def test_a_draft_survives_reload_and_leaving(rep):
    rep.goto("view=form&entity=contact")
    first = rep.get_by_label("Name: Last name")
    first.fill("Unsaved")
    account = rep.get_by_role("combobox", name=re.compile("^Works"))
    account.click()
    rep.keyboard.type("a")
    expect(rep.get_by_role("option").first).to_be_visible()
    rep.keyboard.press("Enter")
    expect(account).not_to_have_value("a")
    chosen = account.input_value()
    assert chosen
    rep.page.reload()
    rep.ready()
    expect(first).to_have_value("Unsaved")
    expect(rep.get_by_text("What you typed before is still here.")).to_be_visible()
    expect(account).to_have_value(chosen)
    rep.get_by_role("navigation", name="Main").get_by_role("link", name="Home").click()
    expect(rep.get_by_role("heading", level=1)).to_contain_text("Good")
    rep.go_back()
    expect(first).to_have_value("Unsaved")
    rep.get_by_role("button", name="Discard").click()
    expect(first).to_have_value("")
    rep.page.reload()
    rep.ready()
    expect(first).to_have_value("")


def test_what_was_typed_is_kept_the_same_moment(rep):
    """The page may be gone the next moment: reloaded, closed, or put away by a phone."""
    rep.goto("view=form&entity=account")
    kept = field(rep, "Name").evaluate("""box => { box.value = 'Kept at once'; box.dispatchEvent(new Event('input', {bubbles: true})); return JSON.stringify({...localStorage}) }""")
    assert "Kept at once" in kept
    rep.page.reload()
    rep.ready()
    expect(field(rep, "Name")).to_have_value("Kept at once")
    rep.get_by_role("button", name="Discard").click()
    assert "Kept at once" not in rep.evaluate("() => JSON.stringify({...localStorage})")


def test_what_a_link_offered_before_typing_does_not_answer_for_what_is_typed(rep):
    rep.goto("view=form&entity=opportunity")
    box = rep.get_by_role("combobox", name=re.compile("^Account"))
    box.click()
    first = rep.get_by_role("option").first.inner_text()
    rep.keyboard.press("Escape")
    title = next(one.title for one in rep.run.company.door(rep.run.user("rep")).list("account", "owner == me", limit=20) if one.title not in first)
    box.evaluate("""(box, words) => { box.click()
        const later = window.setTimeout; window.setTimeout = (act, ms, ...more) => later(act, Math.max(ms || 0, 3000), ...more)  // typed on for long
        box.value = words; box.dispatchEvent(new Event('input', {bubbles: true})); window.setTimeout = later
        box.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true, cancelable: true})) }""", title)
    expect(box).to_have_attribute("aria-expanded", "false")
    kept = rep.until(lambda: "label" in (words := rep.evaluate("() => JSON.stringify({...localStorage})")) and words)
    assert title in kept
    expect(box).to_have_value(title)


def test_a_form_left_while_typing_asks_nothing_more(rep):
    """What a part that is gone would ask is answered by nobody: the app would seem busy for ever."""
    rep.goto("view=form&entity=account")
    field(rep, "Name").fill("Half a na")
    rep.goto("view=settings")
    rep.evaluate("() => new Promise(done => setTimeout(done, 600))")                                     # the form waits half a second before it asks
    rep.ready()


def test_a_link_is_found_while_typing_and_made_in_place(rep):
    rep.goto("view=form&entity=opportunity")
    field(rep, "Name").fill("With a new customer")
    box = rep.get_by_role("combobox", name=re.compile("^Account"))
    title = rep.door().list("account", "owner.team != None", limit=1, order=["name"])[0].title
    box.click()
    rep.keyboard.type(title[:6])
    expect(rep.get_by_role("option").first).to_be_visible()
    rep.keyboard.press("Escape")
    box.fill("Brand New Customer 77")
    expect(rep.get_by_role("option", name=re.compile("Create"))).to_be_visible()
    rep.get_by_role("option", name=re.compile("Create")).click()
    rep.until(lambda: rep.door().count("account", "name == 'Brand New Customer 77'") == 1)
    expect(box).to_have_value("Brand New Customer 77")


def test_a_link_typed_and_left_at_once_is_chosen_when_it_is_found(rep):
    rep.goto("view=form&entity=opportunity")
    title = rep.run.company.door(rep.run.user("rep")).list("account", "owner == me", limit=1, order=["-won_revenue"])[0].title
    field(rep, "Name").fill("With a customer we know")
    box = rep.get_by_role("combobox", name=re.compile("^Account"))
    box.fill(title)
    box.press("Tab")
    rep.get_by_role("button", name="Create").evaluate("button => button.click()")        # at once: what was typed is looked up first
    expect(rep.page).to_have_url(re.compile(r"view=record"))
    record = rep.door().get("opportunity", int(re.search(r"id=(\d+)", rep.page.url).group(1)))
    assert rep.door().get("account", record["account"]).title == title


def test_conditional_fields_follow_what_is_typed(rep):
    rep.goto("view=form&entity=opportunity")
    expect(rep.get_by_label(re.compile("^Why lost"))).to_be_hidden()
    field(rep, "Stage").select_option("lost")
    expect(rep.get_by_label(re.compile("^Why lost"))).to_be_visible()
    field(rep, "Stage").select_option("identification")
    expect(rep.get_by_label(re.compile("^Why lost"))).to_be_hidden()


def test_dates_are_typed_as_people_say_them(rep):
    from datetime import date, timedelta

    rep.goto("view=form&entity=opportunity")
    field(rep, "Name").fill("Dated")
    box = rep.get_by_role("combobox", name=re.compile("^Account"))
    box.click()
    expect(rep.get_by_role("option").first).to_be_visible()
    rep.keyboard.press("Enter")
    field(rep, "Decision").fill("+2w")
    rep.get_by_role("button", name="Create").click()
    expect(rep.page).to_have_url(re.compile(r"view=record"))
    record = rep.door().get("opportunity", int(re.search(r"id=(\d+)", rep.page.url).group(1)))
    assert abs((record["close_on"] - (date.today() + timedelta(days=14))).days) <= 1


def test_markup_stays_text_everywhere_in_a_form(rep):
    rep.goto("view=form&entity=account")
    field(rep, "Name").fill(NASTY)
    rep.get_by_role("button", name="Create").click()
    expect(rep.page).to_have_url(re.compile(r"view=record"))
    expect(rep.get_by_text(f"{NASTY} created")).to_be_visible()
    number = re.search(r"id=(\d+)", rep.page.url).group(1)
    rep.goto(f"view=form&entity=account&id={number}")
    expect(field(rep, "Name")).to_have_value(NASTY)
    assert rep.evaluate("() => window.ran") is None


def test_somebody_else_saved_in_between(rep):
    account = rep.run.company.door(rep.run.user("rep")).list("account", "owner == me", limit=1)[0]
    rep.goto(f"view=form&entity=account&id={account.id}")
    rep.door().change("account", account.id, {"phone": "+48 22 555 01 02", "employees": 77})
    field(rep, "Employees").fill("88")
    rep.get_by_role("button", name="Save").click()
    expect(rep.get_by_text(re.compile("Somebody else changed this"))).to_be_visible()
    expect(field(rep, "Employees")).to_have_value("88")
    field(rep, "Employees").fill("89")                                  # what was checked meanwhile does not take the word away
    field(rep, "Employees").blur()
    expect(rep.get_by_text(re.compile("Somebody else changed this"))).to_be_visible()
    assert rep.door().get("account", account.id)["employees"] == 77


def test_quick_add_keeps_the_focus_inside_and_gives_it_back(rep):
    rep.goto()
    rep.keyboard.press("n")
    rep.get_by_role("menuitem", name="Account").click()
    dialog = rep.get_by_role("dialog", name="New: Account")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_label(re.compile("^Name"))).to_be_focused()
    for _ in range(14):
        rep.keyboard.press("Tab")
    assert rep.evaluate("""() => { let n = document.activeElement; while (n?.shadowRoot?.activeElement) n = n.shadowRoot.activeElement; return !!n.closest('dialog') || n === document.body }""")
    dialog.get_by_role("button", name="Create").click()
    expect(dialog.get_by_role("alert").first).to_be_visible()
    rep.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_fields_of_another_role_are_not_in_the_form(rep):
    hidden = rep.run.company.schema.roles["rep"].of("account").hide
    rep.goto("view=form&entity=account")
    expect(field(rep, "Name")).to_be_visible()
    for key in hidden:
        label = rep.run.company.schema.entities["account"].fields[key].label
        assert rep.get_by_label(label, exact=True).count() == 0, label


def test_a_file_is_put_up_seen_and_taken_down(admin):
    account = admin.door().list("account", limit=1)[0]
    contract = admin.door().create("contract", {"name": "With papers", "account": account.id})
    admin.goto(f"view=form&entity=contract&id={contract.id}")
    box = admin.locator("main input[type=file]").first
    box.set_input_files([{"name": "Terms <b>2026.txt", "mimeType": "text/plain", "buffer": "Zażółć, 30 days".encode()}])
    expect(admin.get_by_text("Terms <b>2026.txt")).to_be_visible()
    admin.get_by_role("button", name="Save").click()
    expect(admin.page).to_have_url(re.compile("view=record"))
    assert [one["name"] for one in admin.door().get("contract", contract.id)["file"]] == ["Terms <b>2026.txt"]
    link = admin.get_by_role("link", name="Download: Terms <b>2026.txt")
    with admin.page.expect_download() as download:
        link.click()
    assert download.value.path().read_text("utf-8") == "Zażółć, 30 days"
    kept, content = admin.door().file("contract", contract.id, "file")
    assert (kept["size"], content.decode()) == (len(content), "Zażółć, 30 days")
    stranger = admin.page.context.browser.new_context()
    assert stranger.request.get(f"{admin.run.address}/files/contract/{contract.id}/file/0", max_redirects=0).status in (303, 401, 403)
    stranger.close()


def test_what_looks_the_same_is_shown_while_typing(rep):
    account = rep.run.company.door(rep.run.user("rep")).list("account", "owner == me", limit=1, order=["-won_revenue"])[0]
    rep.goto("view=form&entity=account")
    field(rep, "Name").fill(account.title)
    found = rep.get_by_role("status").filter(has_text="Looks like one that is already there")
    expect(found.get_by_role("link", name=account.title)).to_be_visible()
    found.get_by_role("link", name=account.title).first.click()
    expect(rep.get_by_role("heading", level=1)).to_contain_text(account.title)
