"""An analysis in the browser: a customer nobody talked to is one click away, what makes deals close is drawn and told."""

import re

from playwright.sync_api import expect

from crm.analytics import run


def test_a_row_of_an_analysis_opens_its_record_and_effects_are_drawn(manager):
    manager.goto("view=report&name=quiet_customers")
    first = manager.get_by_role("table").locator("tbody tr").first
    name = first.get_by_role("rowheader").inner_text()
    result = run(manager.door(), "quiet_customers")
    assert name == result.exact[0][0]
    first.get_by_role("link").click()
    manager.ready()
    expect(manager.get_by_role("heading", name=name).first).to_be_visible()
    assert f"id={result.keys[0][0]}" in manager.page.url and "entity=account" in manager.page.url

    manager.goto("view=report&name=what_closes")
    expect(manager.page.locator(".bk-Canvas").first).to_be_visible()
    expect(manager.get_by_text(re.compile("going together is no proof of a cause")).first).to_be_visible()
    row = manager.get_by_role("row").filter(has_text="Source: Cold call")
    expect(row).to_contain_text("fewer good ends")
    expect(row.get_by_role("link")).to_have_count(0)
    expect(row.get_by_role("rowheader").get_by_role("button")).to_have_count(1)  # the deals it was worked out of
    assert manager.errors == [] and manager.outside == []
