"""What a customer earns, its tree and who decides, on the record page; the service desk's clock (A2, A6, H10)."""

from __future__ import annotations

from playwright.sync_api import expect

from crm.records import SYSTEM


def test_a_manager_reads_what_a_customer_earns_and_where_it_comes_from(manager, sign_in):
    door = manager.door()
    top = door.list("account", "name == 'Baltia Food Group'")[0]
    manager.goto(f"view=record&entity=account&id={top.id}")
    card = manager.get_by_role("region", name="What this customer earns us")
    profit = card.get_by_role("button", name="Profit €")
    expect(profit).to_be_visible()
    profit.click()
    expect(card.get_by_text("Invoiced − Cost of goods − Cost to sell")).to_be_visible()
    expect(profit).to_have_attribute("aria-expanded", "true")
    tree = manager.get_by_role("region", name="Structure")
    expect(tree.locator("[aria-current]")).to_contain_text("Baltia Food Group")
    tree.get_by_role("link", name="Baltia Bakeries").click()
    expect(manager.get_by_role("heading", name="Baltia Bakeries", level=1)).to_be_visible()
    manager.locator("[aria-describedby=h-profit_class]").focus()
    expect(manager.locator("#h-profit_class")).to_contain_text("% of Profit.")
    expect(manager.locator("#h-profit_class")).to_be_visible()
    assert not manager.errors and not manager.outside
    rep = sign_in(manager.run.company.actor("anna").id, width=390, height=844)
    rep.goto(f"view=record&entity=account&id={top.id}")
    expect(rep.get_by_role("region", name="Structure")).to_be_visible()
    expect(rep.get_by_role("region", name="What this customer earns us")).to_have_count(0)


def test_the_service_desk_sees_time_left_and_the_clock_stands_while_it_waits(sign_in):
    window = sign_in("service")
    door = window.door()
    company = window.run.company
    account = door.list("account", "kind == 'customer' and profit_class != 'a'", limit=1)[0].id
    case = company.door(SYSTEM).create("case", {"subject": "Belt is torn", "account": account, "priority": "low", "owner": company.actor("sanja").id})
    window.goto("view=list&entity=case&v=due_next")
    row = window.locator("tr", has_text="Belt is torn")
    expect(row.get_by_text("working days left").or_(row.get_by_text("h left")).first).to_be_visible()
    window.goto(f"view=record&entity=case&id={case.id}")
    window.get_by_role("button", name="Status: New. Edit").click()
    window.locator(".inline select").select_option("waiting")
    window.until(lambda: door.get("case", case.id)["waiting_since"] is not None)
    assert door.get("case", case.id)["deadline"] is None
    window.get_by_role("button", name="Status: Waiting for customer. Edit").click()
    window.locator(".inline select").select_option("solved")
    expect(window.locator(".inline em[role=alert]")).to_be_visible()  # what was done must be told first
    assert door.get("case", case.id)["status"] == "waiting" and not window.errors
