"""Reports in the browser: compare, a day of the past, drill down and Back to the same state; dashboards whose cards are made when seen."""

import json
import re
import subprocess
import sys

from playwright.sync_api import expect


def query(window):
    return window.page.url.partition("?")[2]


def test_a_report_is_compared_seen_from_the_past_drilled_into_and_found_again_by_back(manager):
    manager.goto("view=report&name=revenue_by_rep")
    table = manager.get_by_role("table")
    expect(table.locator("tbody tr").first).to_be_visible()
    manager.get_by_label("Period (Decision)").select_option("last_year")
    expect(manager.get_by_label("Compare with")).to_be_visible()
    manager.get_by_label("Compare with").select_option("last_year")
    expect(table.get_by_role("columnheader", name="Revenue, last year")).to_be_visible()
    manager.get_by_role("button", name="Deals", exact=True).click()
    expect(table.locator("th[aria-sort=descending]")).to_have_text(re.compile("Deals"))
    expect(manager.page).to_have_url(re.compile("sort=-deals"))
    rows = table.locator("tbody tr")
    told, first = rows.first.inner_text(), rows.first.text_content()
    deals = int(rows.first.locator("td").nth(1).inner_text())
    before = query(manager)
    assert "p=last_year" in before and "c=last_year" in before and "sort=-deals" in before

    rows.first.get_by_role("link").first.click()                       # the records behind, and Back to the same state
    expect(manager.get_by_text(re.compile(r"From a chart: Revenue by rep: "))).to_be_visible()
    expect(manager.get_by_role("status").filter(has_text=f"{deals} in all")).to_be_visible()
    manager.page.go_back()
    manager.ready()
    expect(table.get_by_role("columnheader", name="Revenue, last year")).to_be_visible()
    assert query(manager) == before and rows.first.inner_text() == told
    expect(manager.get_by_label("Compare with")).to_have_value("last_year")

    now = manager.get_by_role("table").inner_text()                    # as of: the slider a year back, then now again
    slider = manager.get_by_label("As of the day")
    slider.fill("2")
    expect(manager.page).to_have_url(re.compile("asof="))
    expect(manager.get_by_text(re.compile("as of "))).to_be_visible()
    expect(slider).to_have_value("2")
    manager.until(lambda: manager.get_by_role("table").or_(manager.get_by_text("Nothing to count yet.")).first.inner_text() != now)
    manager.get_by_role("button", name="Back to now").click()
    manager.until(lambda: "asof" not in query(manager))
    expect(rows.first).to_have_text(first)
    assert query(manager) == before and manager.errors == [] and manager.outside == []


def test_a_click_on_a_bar_opens_its_records_and_cards_come_when_seen(manager):
    """Also the files: a picture and a notebook are saved by the browser."""
    manager.goto("view=report&name=pipeline_by_stage")
    canvas = manager.page.locator(".bk-Canvas").first
    expect(canvas).to_be_visible()
    count = int(manager.get_by_role("row").filter(has_text="Qualification").locator("td").first.inner_text())
    box = canvas.bounding_box()
    rows = manager.get_by_role("table").locator("tbody tr").count()
    manager.get_by_role("button", name="Download").click()
    with manager.page.expect_download() as saved:
        manager.get_by_role("menuitem", name="Open in notebook").click()
    assert saved.value.suggested_filename == "report-pipeline_by_stage.ipynb"
    manager.page.mouse.click(box["x"] + box["width"] * 0.25, box["y"] + 10 + (box["height"] - 20) * 1.5 / rows)
    expect(manager.get_by_text("From a chart: Pipeline by stage: Qualification")).to_be_visible()
    expect(manager.get_by_role("status").filter(has_text=f"{count} in all")).to_be_visible()
    manager.page.go_back()
    manager.ready()

    manager.page.set_viewport_size({"width": 1280, "height": 500})
    manager.goto("view=dashboard&name=manager")
    expect(manager.page.locator(".figure").first).to_be_visible()
    waiting = manager.page.locator(".awaited")
    left = waiting.count()
    assert left > 0                                                    # what lies below is not made yet
    manager.seen()
    assert manager.errors == [] and manager.outside == []


def test_what_a_stamp_was_pressed_on_is_had_again_on_the_command_line(sign_in, server):
    """Also when records changed since then (I7)."""
    manager = sign_in("sales_manager", width=390, height=844)
    manager.goto("view=report&name=revenue_by_rep")
    table = manager.get_by_role("table").locator("tbody tr")
    expect(table.first).to_be_visible()
    people = table.get_by_role("rowheader").all_inner_texts()
    manager.get_by_role("button", name="Stamp", exact=True).click()
    said = manager.get_by_text(re.compile(r"^Stamp \S+$"))
    expect(said).to_be_visible()
    stamp = said.inner_text().removeprefix("Stamp ")
    expect(manager.get_by_role("button", name="Stamp", exact=True)).to_have_count(0)
    door = manager.door()
    won = door.get("opportunity", next(iter(door.ids("opportunity", "stage.outcome == 'won'"))))
    door.change("opportunity", won.id, {"amount": won["amount"] + 1000})
    where = ["--config", str(server.company.schema.folder), "--data", server.company.store.path]
    told = subprocess.run(
        [sys.executable, "-m", "crm.cli", *where, "report", "--again", stamp, "--json"], capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout)
    assert found["same"] is True and found["stamp"] == stamp and found["differences"] == []
    assert [row[0] for row in found["rows"]] == people
    assert manager.errors == [] and manager.outside == []
