"""The sales process in the browser: two pipelines on one account, gates in a sheet, an approval refused and granted, the map (B5, B6, B8, B9, B11)."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from crm.records import approvals


def test_two_pipelines_on_one_account_a_gate_filled_on_the_board_and_won_with_a_lesson(sign_in):
    rep = sign_in("rep")
    me = rep.run.user("rep")
    door = rep.run.company.door(me)
    account = door.list("account", limit=1)[0]
    plan = {"account": account.id, "amount": 7000, "close_on": "2030-01-01", "next_on": "2029-12-01", "next_step": "Call", "owner": me}
    big = door.create("opportunity", {"name": "Line for the hall", **plan, "budget": 8000, "need": "Speed"})
    small = door.create("opportunity", {"name": "One spare part", **plan, "pipeline": "b2c"})
    for stage in ("qualification", "offer"):
        door.move("opportunity", big.id, stage)

    rep.goto(f"view=record&entity=account&id={account.id}")
    related = rep.locator("section.related", has_text="Opportunities")
    expect(related).to_contain_text("Line for the hall")
    expect(related).to_contain_text("One spare part")

    rep.goto("view=board&pipeline=b2b")
    card = rep.locator(f"section.col[data-stage=offer] .card[data-id_='{big.id}']")
    card.scroll_into_view_if_needed()
    card.press("m")
    rep.locator(".menu.fixed button[data-stage=negotiation]").click()
    sheet = rep.locator("dialog.sheet[open]")
    expect(sheet).to_contain_text("Walk them through it")
    expect(sheet.locator(".editor")).to_have_count(1)  # just what is missing
    sheet.get_by_role("button", name="Move", exact=True).click()
    expect(sheet).to_contain_text("to be ticked first")
    sheet.locator("input[type=checkbox]").check()
    sheet.get_by_role("button", name="Move", exact=True).click()
    rep.until(lambda: door.get("opportunity", big.id)["stage"] == "negotiation")

    rep.goto(f"view=record&entity=opportunity&id={big.id}")
    expect(rep.locator(".guide")).to_contain_text("Give nothing without getting something")
    rep.get_by_role("checkbox", name="Settle price and term").click()
    expect(rep.get_by_role("checkbox", name="Settle price and term")).to_be_checked()
    assert [one["item"] for one in door.get("opportunity", big.id)["ticks"]][-1] == "b2b.settle_price_and_term"
    gate = rep.locator("form.gate")
    expect(gate).to_contain_text("Lesson")
    gate.locator("textarea").fill("The hall mattered more than the price")
    gate.get_by_role("button", name=re.compile("Move to")).click()
    rep.until(lambda: door.get("opportunity", big.id)["stage"] == "won")
    expect(rep.locator("section.timeline")).to_contain_text("The hall mattered more than the price")
    assert door.get("opportunity", small.id)["stage"] == "enquiry"
    assert not rep.errors and not rep.outside


def test_an_approval_is_asked_for_refused_and_then_granted(sign_in):
    rep, manager = sign_in("rep"), sign_in("sales_manager")
    me = rep.run.user("rep")
    door = rep.run.company.door(me)
    plan = {"account": door.list("account", limit=1)[0].id, "amount": 9000, "close_on": "2030-01-01", "next_on": "2029-12-01", "owner": me}
    deal = door.create("opportunity", {"name": "With a large discount", **plan, "budget": 8000, "need": "Speed"})
    for stage in ("qualification", "offer"):
        door.move("opportunity", deal.id, stage)
    door.change("opportunity", deal.id, {"discount": "25%", "do:walked_through": True})

    def ask(why: str) -> None:
        gate = rep.locator("form.gate")
        expect(gate).to_contain_text("A discount over 15%")
        gate.locator("textarea").fill(why)
        gate.get_by_role("button", name="Ask for approval").click()
        expect(rep.locator(".asked")).to_contain_text("Waiting")

    rep.goto(f"view=record&entity=opportunity&id={deal.id}")
    ask("They would sign today")

    manager.goto("view=home")
    line = manager.locator("section.related", has_text="Waits for your word").get_by_role("link", name=re.compile("With a large discount"))
    expect(line).to_contain_text("25%")
    line.click()
    manager.locator(".asked").get_by_role("button", name="Refuse").click()
    sheet = manager.locator("dialog.sheet[open]")
    sheet.locator("textarea").fill("Offer them training instead")
    sheet.get_by_role("button", name="Refuse").click()
    expect(manager.locator(".asked")).to_contain_text("Refused")

    rep.goto(f"view=record&entity=opportunity&id={deal.id}")
    expect(rep.locator(".asked")).to_contain_text("Offer them training instead")
    ask("With training they take two machines")
    manager.goto(f"view=record&entity=opportunity&id={deal.id}")
    manager.locator(".asked").get_by_role("button", name="Grant").click()
    manager.locator("dialog.sheet[open]").get_by_role("button", name="Grant").click()
    expect(manager.locator(".asked")).to_contain_text("Granted")

    rep.goto(f"view=record&entity=opportunity&id={deal.id}")
    rep.locator(".path [data-id_=negotiation]").click()
    rep.until(lambda: door.get("opportunity", deal.id)["stage"] == "negotiation")
    states = [one["status"] for one in door.list("approval", order=["id"], limit=100) if one["opportunity"] == deal.id]
    assert states == ["refused", "granted"] and approvals.waiting(rep.run.company.door(rep.run.user("sales_manager"))) is not None
    assert not rep.errors and not manager.errors


def test_the_process_map_stands_beside_the_board_on_a_desk_and_on_a_phone(sign_in):
    rep = sign_in("rep")
    rep.goto("view=board&pipeline=b2b")
    rep.get_by_role("link", name="Process").click()
    expect(rep.locator(".pm-wide .pm-stage")).to_have_count(6)
    rep.locator(".pm-wide .pm-stage[data-stage=offer]").click()
    foot = rep.locator(".pm-foot")
    expect(foot).to_contain_text("Days on average")
    rep.locator(".pm-wide .pm-stage[data-stage=negotiation]").press("Enter")
    expect(foot.locator("b")).to_have_text("Negotiation")
    with rep.page.expect_download() as caught:
        foot.get_by_role("button", name="Download as SVG").click()
    assert caught.value.suggested_filename == "b2b.svg"
    phone = sign_in("rep", width=390, height=844, dark=True)
    phone.goto("view=process&pipeline=b2b")
    expect(phone.locator(".pm-narrow .pm-stage").first).to_be_visible()
    expect(phone.locator(".pm-wide")).to_be_hidden()
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390
    phone.locator(".pm-narrow .pm-stage[data-stage=offer]").click()
    expect(phone.locator(".pm-foot")).to_contain_text("Days expected")
    assert not rep.errors and not phone.errors and not rep.outside
