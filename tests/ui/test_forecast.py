"""The forecast with its record and what-if in the browser: an adjustment in place with Undo, sliders, scenarios side by side, phone and dark (F7, I3, I4)."""

from __future__ import annotations

import json
import re
from pathlib import Path

from playwright.sync_api import expect


def test_the_forecast_is_adjusted_in_place_beside_its_record(sign_in):
    manager = sign_in("sales_manager")
    manager.goto("view=forecast&by=rep")
    page = manager.locator("section.forecast")
    expect(page.locator("table.months tbody tr.month")).to_have_count(6)
    expect(page.locator("tr.group").first).to_be_visible()
    expect(page.locator("figure.fan svg polygon")).to_have_count(1)
    expect(page.locator("p.says")).to_contain_text("expected in 6 months")

    row = page.locator("tr.month").nth(1)
    row.locator("button.adjust").click()
    form = page.locator("tr.editing form")
    form.locator("input[name=amount]").fill("much")
    form.get_by_role("button", name="Save").click()
    expect(page.locator("tr.editing [role=alert]")).to_be_visible()  # the draft stays, with what is wrong beside it
    form.locator("input[name=amount]").fill("25 000")
    form.locator("input[name=note]").fill("The board has decided")
    form.get_by_role("button", name="Save").click()
    expect(row.locator("td.c-adjusted")).to_contain_text("+€25K")
    manager.told()
    row.locator("button.adjust").click()
    kept = page.locator("ul.adjustments")
    expect(kept).to_contain_text("The board has decided")
    kept.get_by_role("button", name="Change").click()
    form.locator("input[name=amount]").fill("-4000")
    form.get_by_role("button", name="Save").click()
    expect(row.locator("td.c-adjusted")).to_contain_text("−€4K")
    row.locator("button.adjust").click()
    expect(kept.locator("ul.past")).to_contain_text("+€25K")
    manager.keyboard.press("Escape")
    manager.get_by_role("button", name="Undo").click()
    expect(row.locator("td.c-adjusted")).to_contain_text("+€25K")

    record = manager.locator("section.record-of")
    expect(record.locator("dl.tiles")).to_contain_text("Within the range")
    expect(record.locator("table.rules tr.us")).to_contain_text("This forecast")
    expect(record.locator("figure.fan i.came").first).to_be_attached()
    expect(record.locator(".honest i").first).to_be_visible()
    record.get_by_role("button", name="Stage").click()
    expect(record.locator("table.figures tbody tr").first).to_be_visible()

    link = page.locator("tr.month td.c-committed a").first
    link.click()
    expect(manager.locator("table.grid tbody tr").first).to_be_visible()
    manager.go_back()
    expect(page.locator("table.months tbody tr.month")).to_have_count(6)
    assert not manager.errors and not manager.outside


def test_sliders_answer_at_once_and_scenarios_stand_side_by_side(sign_in):
    rep = sign_in("rep", width=390, height=844, dark=True)
    rep.goto("view=whatif")
    page = rep.locator("section.whatif")
    likely = page.locator("dl.tiles .main b")
    expect(likely).to_be_visible()
    before = likely.inner_text()
    slider = page.get_by_role("slider", name=re.compile("Win rate"))
    for _ in range(6):
        slider.press("ArrowRight")
    expect(page.locator(".lever.moved output")).to_have_text("130%")
    expect(page.locator("p.says")).to_contain_text("Win rate +30%")
    expect(likely).not_to_have_text(before)
    expect(page.locator("figure.fan polyline.other")).to_have_count(1)

    page.get_by_label("Name of the scenario").fill("Better closing")
    page.get_by_role("button", name="Save as a scenario").click()
    first = page.locator(".scenarios li", has_text="Better closing")
    expect(first).to_contain_text("Win rate +30%")
    page.get_by_role("button", name="Reset").click()
    expect(likely).to_have_text(before)
    slider = page.get_by_role("slider", name=re.compile("New deals"))
    for _ in range(4):
        slider.press("ArrowLeft")
    page.get_by_label("Name of the scenario").fill("A quiet year")
    page.get_by_role("button", name="Save as a scenario").click()
    second = page.locator(".scenarios li", has_text="A quiet year")
    expect(second).to_contain_text("New deals −20%")
    for one in (first, second):
        one.locator("input[type=checkbox]").check()
    table = page.locator("table.compared")
    expect(table.locator("thead th.num")).to_have_count(3)
    expect(table).to_contain_text("A quiet year")
    first.get_by_role("button", name=re.compile("Better closing")).first.click()
    expect(page.locator(".lever.moved output")).to_have_text("130%")
    with rep.expect_download() as given:
        page.get_by_role("button", name="Open in notebook").click()
    cells = json.loads(Path(given.value.path()).read_text())["cells"]
    assert any("win_rate" in "".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    width = rep.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
    assert not rep.errors and not rep.outside
