"""The list: deep links, search that keeps the focus, filters, sort, columns, bulk acts with undo, keys."""

from __future__ import annotations

import re
import threading

import pytest
from playwright.sync_api import expect

from crm.records import SYSTEM
from crm.views.pages.list import ListPage


@pytest.fixture
def deals(server):
    """The pipeline whose records have an amount."""
    return next(one for one in server.company.schema.pipelines.values() if "amount" in one.fields)


def rows(page):
    return page.locator("tbody tr")


def test_the_address_carries_everything_and_back_works(manager, server, deals):
    entity = server.company.schema.entities[deals.entity]
    manager.goto(f"view=list&entity={entity.name}")
    expect(rows(manager.page).first).to_be_visible()
    expect(manager.page.get_by_role("status").first).to_have_text(re.compile(r"\d"))
    head = manager.page.get_by_role("columnheader", name=entity.fields[deals.fields["amount"]].label)
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "descending")
    expect(manager.page).to_have_url(re.compile(f"sort=-{deals.fields['amount']}"))
    address = manager.page.url
    manager.page.go_back()
    expect(head).to_have_attribute("aria-sort", "ascending")
    manager.page.goto(address)
    expect(head).to_have_attribute("aria-sort", "descending")
    assert manager.errors == [] and manager.outside == []


def test_search_keeps_focus_and_what_is_typed(manager, server, deals):
    entity = server.company.schema.entities[deals.entity]
    title = server.company.door(SYSTEM).list(entity.name, limit=1)[0].title
    word = title.split()[0]
    manager.goto(f"view=list&entity={entity.name}")
    expect(rows(manager.page).first).to_be_visible()
    find = manager.page.locator("input.find")
    find.press_sequentially(word, delay=50)
    expect(manager.page).to_have_url(re.compile("q="))
    expect(find).to_be_focused()
    expect(find).to_have_value(word)
    find.fill("zqxwvkjh")
    expect(manager.page.get_by_text("Nothing matches.")).to_be_visible()
    manager.page.get_by_role("link", name="Clear filters").click()
    expect(rows(manager.page).first).to_be_visible()
    expect(manager.page.locator("input.find")).to_have_value("")


def test_an_answer_to_the_first_letter_does_not_take_the_next_ones_away(manager, server, deals, monkeypatch):
    title = server.company.door(SYSTEM).list(deals.entity, limit=1)[0].title
    word, asked, typed, find = title.split()[0], threading.Event(), threading.Event(), ListPage.find

    def late(self, text):
        if text == word[0]:
            asked.set()
            assert typed.wait(60)
        find(self, text)
    monkeypatch.setattr(ListPage, "find", late)
    manager.goto(f"view=list&entity={deals.entity}")
    expect(rows(manager.page).first).to_be_visible()
    box = manager.page.locator("input.find")
    box.evaluate("box => { box.shown = []; new MutationObserver(() => box.shown.push(box.value)).observe(box, {attributeFilter: ['value']}) }")
    box.press_sequentially(word[0])
    assert asked.wait(30)
    box.press_sequentially(word[1:])
    typed.set()
    expect(manager.page).to_have_url(re.compile(f"q={word}&"))
    expect(box).to_have_value(word)
    expect(box).to_be_focused()
    assert set(box.evaluate("box => box.shown")) == {word}, "each answer found the whole word standing"
    assert manager.errors == []


def test_a_filter_is_built_said_and_taken_away(manager, server, deals):
    entity = server.company.schema.entities[deals.entity]
    stage = next(iter(deals.stages.values()))
    manager.goto(f"view=list&entity={entity.name}")
    manager.page.get_by_role("button", name="Filter", exact=True).click()
    box = manager.page.get_by_role("dialog", name="Filter")
    box.get_by_label("Field").select_option(deals.fields["stage"])
    box.locator(".values select").select_option(stage.key)
    box.get_by_role("button", name="Apply").click()
    label = entity.fields[deals.fields["stage"]].label
    expect(manager.page.get_by_text(f"{label}: {stage.label}")).to_be_visible()
    expect(manager.page).to_have_url(re.compile("f="))
    expect(manager.page.locator("tbody .stage").first).to_contain_text(stage.label)
    manager.page.get_by_role("link", name="Board").click()
    column = manager.page.get_by_role("region", name=stage.label)
    expect(column).to_be_visible()
    expect(manager.page.get_by_text(f"{label}: {stage.label}")).to_be_visible()          # the same filter in another shape
    manager.page.get_by_role("link", name="List", exact=True).click()
    expect(column).to_have_count(0)
    expect(manager.page.locator("tbody .stage").first).to_contain_text(stage.label)
    expect(manager.page.get_by_role("status").first).to_contain_text("in all")            # the list is complete: rows, then totals
    manager.page.get_by_role("button", name=f"Clear: {label}").click()
    expect(manager.page.get_by_text(f"{label}: {stage.label}")).to_have_count(0)


def test_rows_by_keys_bulk_edit_and_undo(admin, server, deals):
    door = server.company.door(SYSTEM)
    entity = server.company.schema.entities[deals.entity]
    admin.goto(f"view=list&entity={entity.name}")
    rows(admin.page).first.focus()
    admin.page.keyboard.press("x")
    admin.page.keyboard.press("ArrowDown")
    admin.page.keyboard.press("x")
    bar = admin.page.get_by_role("toolbar")
    expect(bar).to_contain_text("2 selected")
    keys = [int(one) for one in admin.page.locator("tbody tr[aria-selected=true]").evaluate_all("rows => rows.map(r => r.dataset.key)")]
    field = next(key for key in ("next_step", deals.fields["next"]) if key in entity.fields)
    before = {key: door.get(entity.name, key)[field] for key in keys}
    bar.get_by_role("button", name="Edit").click()
    box = admin.page.get_by_role("dialog", name="Change a field")
    box.get_by_label("Field").select_option(field)
    box.locator(".values input").first.fill("Ring them" if entity.fields[field].kind == "text" else "+3d")
    box.get_by_role("button", name="Change", exact=True).click()
    expect(admin.page.get_by_text("2 changed")).to_be_visible()
    assert all(door.get(entity.name, key)[field] != before[key] for key in keys)
    admin.page.get_by_role("button", name="Undo").first.click()
    expect(admin.page.get_by_text("Taken back.")).to_be_visible()
    assert {key: door.get(entity.name, key)[field] for key in keys} == before


def test_select_all_that_match_and_export(admin, server, deals):
    entity = server.company.schema.entities[deals.entity]
    count = server.company.door(SYSTEM).count(entity.name)
    admin.goto(f"view=list&entity={entity.name}")
    admin.page.get_by_label("Select all rows").check()
    admin.page.get_by_role("button", name=re.compile("Select all .* matching")).click()
    expect(admin.page.get_by_role("toolbar")).to_contain_text(f"{count} selected")
    with admin.page.expect_download() as download:
        admin.page.get_by_role("toolbar").get_by_role("button", name="Export").click()
    text = download.value.path().read_text("utf-8-sig")
    import csv
    import io
    assert len(list(csv.reader(io.StringIO(text)))) == count + 1


def test_delete_can_be_taken_back(admin, server, deals):
    entity = server.company.schema.entities[deals.entity]
    door = server.company.door(SYSTEM)
    admin.goto(f"view=list&entity={entity.name}")
    expect(rows(admin.page).first).to_be_visible()
    key = int(rows(admin.page).first.get_attribute("data-key"))
    rows(admin.page).first.get_by_role("checkbox").check()
    admin.page.get_by_role("toolbar").get_by_role("button", name="Delete").click()
    expect(admin.page.get_by_text("1 deleted")).to_be_visible()
    assert key not in door.ids(entity.name)
    admin.page.get_by_role("button", name="Undo").first.click()
    expect(admin.page.get_by_text("Taken back.")).to_be_visible()
    assert key in door.ids(entity.name)


def test_columns_are_chosen_and_remembered(manager, server, deals):
    entity = server.company.schema.entities[deals.entity]
    manager.goto(f"view=list&entity={entity.name}")
    second = entity.list.columns[1]
    label = entity.fields[second].label
    expect(manager.page.get_by_role("columnheader", name=label)).to_be_visible()
    manager.page.get_by_role("button", name="Columns").click()
    manager.page.get_by_role("dialog", name="Columns").get_by_label(label, exact=True).uncheck()
    manager.page.get_by_role("dialog", name="Columns").get_by_role("button", name="Apply").click()
    expect(manager.page.get_by_role("columnheader", name=label)).to_have_count(0)
    manager.goto(f"view=list&entity={entity.name}")
    expect(rows(manager.page).first).to_be_visible()
    expect(manager.page.get_by_role("columnheader", name=label)).to_have_count(0)


def test_on_a_phone_rows_are_cards_and_nothing_sticks_out(phone, server, deals):
    phone.goto(f"view=list&entity={deals.entity}")
    expect(rows(phone.page).first).to_be_visible()
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert phone.errors == []


def test_a_bulk_change_leaves_out_what_may_not_be_changed(sign_in, server):
    """A rep sees what colleagues of the team do, and changes only what is their own."""
    roles = server.company.schema.activities
    user = server.user("rep")
    door, all_ = server.company.door(server.company.actor(user)), server.company.door(SYSTEM)
    colleague = next(one.id for one in all_.list(server.company.schema.users.entity, limit=50)
                     if one["team"] == server.company.actor(user).team and one.id != user and one["active"])
    owner = server.company.schema.entities[roles.entity].owner
    made = [all_.create(roles.entity, {roles.subject: f"Bulky {who}", roles.due: "+3d", owner: who}).id for who in (user, colleague)]
    assert door.may("change", roles.entity, made[0]) and not door.may("change", roles.entity, made[1])
    one = sign_in("rep")
    one.goto(f"view=list&entity={roles.entity}&q=Bulky&v=all")
    expect(rows(one.page)).to_have_count(2)
    one.page.get_by_label("Select all rows").check()
    one.page.get_by_role("toolbar").get_by_role("button", name="Edit").click()
    box = one.page.get_by_role("dialog", name="Change a field")
    box.get_by_label("Field").select_option(roles.subject)
    box.locator(".values input").first.fill("Bulky both")
    box.get_by_role("button", name="Change", exact=True).click()
    expect(one.page.get_by_text("1 changed. 1 left out: you may not change them.").first).to_be_visible()
    assert [all_.get(roles.entity, number)[roles.subject] for number in made] == ["Bulky both", f"Bulky {colleague}"]
