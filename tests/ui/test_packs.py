"""F14: a meeting pack in the app: its reports in order, taken away as PDF, mailed to oneself."""

from __future__ import annotations

from crm.records.outbox import OUTBOX


def test_a_pack_is_read_taken_away_and_mailed(manager):
    manager.goto("view=report")
    manager.get_by_role("link", name="Weekly sales meeting").click()
    manager.ready()
    pack = manager.run.company.schema.packs["weekly_sales"]
    headings = [one.heading for one in pack.parts if one.heading]
    for heading in ("Since the last meeting", *headings):
        manager.get_by_role("heading", name=heading, exact=True).first.wait_for()
    shown = manager.locator("h2").all_inner_texts()
    assert [one for one in shown if one in headings] == headings
    manager.get_by_text("What was lost or got smaller is talked about first.").wait_for()
    with manager.page.expect_download() as taken:
        manager.get_by_role("button", name="Download as PDF").click()
    assert taken.value.suggested_filename.startswith("weekly_sales-") and taken.value.path().read_bytes().startswith(b"%PDF")
    manager.get_by_role("button", name="Mail to me").click()
    row = manager.until(lambda: manager.run.company.store.table(OUTBOX).find(lambda row: row["payload"].get("pack") == "weekly_sales"))[0]
    assert row["payload"]["user"] == manager.run.user("sales_manager")
    manager.get_by_text("On its way to").wait_for()
    assert manager.errors == [] and manager.outside == []
