"""KPIs in the app (F12): cards by who answers for each, the light in word and sign, one with its figures, cards on a dashboard."""

from __future__ import annotations

from playwright.sync_api import expect


def test_kpis_are_shown_with_their_lights_and_opened(sign_in):
    page = sign_in("sales_manager")
    page.goto("view=kpis")
    cards = page.locator("[data-kpi]")
    expect(cards.first).to_be_visible()
    assert cards.count() == len(page.run.company.schema.kpis)
    for card in cards.all():
        if card.get_attribute("data-light"):  # the light is said, not only coloured
            assert card.locator(".light b").inner_text() in ("On target", "Near the target", "Off the target")
            assert card.locator(".light .i").inner_text().strip()
    one = page.locator("[data-kpi=quarter_revenue]")
    assert "Q" in one.locator("svg").get_attribute("aria-label")
    one.locator("h3 a").click()
    expect(page.locator("table.figures tbody tr")).to_have_count(8)
    expect(page.locator("table.figures")).to_contain_text("On target")
    page.goto("view=dashboard&name=manager")
    expect(page.locator("[data-kpi=closing_rate]")).to_be_visible()
    assert not page.errors and not page.outside
