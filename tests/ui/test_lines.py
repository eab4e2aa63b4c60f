"""A table inside a record: the lines of an offer in their sheet, with what they add up to (B4, C4)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.ui.conftest import expect

pytestmark = pytest.mark.slow


@pytest.fixture
def offer(server: Any) -> Any:
    """An offer of the first rep, without lines, and two products with names of their own."""
    anna = server.company.door(server.company.actor(server.user("rep")))
    account = anna.list("account", "owner == me", limit=1)[0].id
    return anna.create("offer", {"name": "Two pumps", "account": account, "amount": "10"})


def test_lines_are_added_add_up_are_kept_and_taken_back(rep, offer) -> None:
    door = rep.door(rep.run.company.actor(rep.run.user("rep")).login)
    first, second = door.list("product", "active == True", order=["name"], limit=2)
    rep.goto(f"view=record&entity=offer&id={offer.id}")
    rep.locator("button[data-id_=lines]").click()
    sheet = rep.locator("dialog.sheet.wide")
    expect(sheet).to_be_visible()
    rows = sheet.locator("table.lines tbody tr")

    def line(number: int, product: Any, **typed: str) -> None:
        sheet.get_by_role("button", name="Add a line").click()
        row = rows.nth(number)
        box = row.get_by_role("combobox", name="Product")
        box.fill(product.title)
        row.get_by_role("option", name=product.title).first.click()
        expect(box).to_have_value(product.title)
        for label, words in typed.items():
            row.get_by_label(label.title(), exact=True).fill(words)

    line(0, first, quantity="2", price="1000.50", discount="10")
    value = sheet.locator("table.lines tbody output")
    expect(value.first).to_have_text("€1,800.90")
    line(1, second, quantity="3", price="200")
    expect(value.nth(1)).to_have_text("€600")
    total = sheet.locator("table.lines tfoot")
    expect(total).to_contain_text("€2,400.90")
    rows.nth(1).get_by_label("Quantity", exact=True).fill("4")
    expect(total).to_contain_text("€2,600.90")
    rows.nth(1).get_by_label("Quantity", exact=True).fill("many")  # not finished: says nothing, and saving tells what is wrong
    expect(total).to_contain_text("€1,800.90")
    sheet.get_by_role("button", name="Save", exact=True).click()
    expect(sheet.locator("em[role=alert]")).to_contain_text("Line 2, Quantity")
    rows.nth(1).get_by_label("Quantity", exact=True).fill("4")
    sheet.get_by_role("button", name="Save", exact=True).click()
    expect(sheet).to_be_hidden()
    expect(rep.locator("button[data-id_=lines]")).to_contain_text("2 lines · €2,600.90")
    kept = [(row["product"], row["quantity"], row["value"]) for row in door.get("offer", offer.id)["lines"]]
    assert kept == [(first.id, 2, Decimal("1800.90")), (second.id, 4, Decimal("800"))]

    rep.locator("button[data-id_=lines]").click()  # what is there already stands with its name, not its number
    expect(rows.nth(0).get_by_role("combobox", name="Product")).to_have_value(first.title)
    rows.nth(0).get_by_role("button", name="Remove").click()
    expect(total).to_contain_text("€800")
    sheet.get_by_role("button", name="Save", exact=True).click()
    expect(rep.locator("button[data-id_=lines]")).to_contain_text("1 line · €800")
    rep.locator(".toasts").get_by_role("button", name="Undo").last.click()
    expect(rep.locator("button[data-id_=lines]")).to_contain_text("2 lines · €2,600.90")
    assert not rep.errors and not rep.outside


def test_on_a_phone_every_line_is_a_card_as_wide_as_the_screen(phone, offer) -> None:
    door = phone.door(phone.run.company.actor(phone.run.user("rep")).login)
    product = door.list("product", "active == True", limit=1)[0]
    door.change("offer", offer.id, {"lines": [{"product": product.id, "quantity": "2", "price": "48000.50", "discount": "5%"}]})
    phone.goto(f"view=record&entity=offer&id={offer.id}")
    phone.locator("button[data-id_=lines]").click()
    sheet = phone.locator("dialog.sheet.wide")
    row = sheet.locator("table.lines tbody tr")
    expect(row).to_have_count(1)
    expect(sheet.locator("table.lines tfoot")).to_contain_text("€91,200.95")
    for box in row.locator("input").all():
        there = box.bounding_box()
        assert there and there["width"] >= 90 and there["x"] >= 0 and there["x"] + there["width"] <= 390
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
