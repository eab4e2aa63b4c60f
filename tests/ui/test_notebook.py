"""I11: what was made in a notebook stands in the app, and what stands in the app opens as a notebook."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from crm.client import Client
from tests.notebooks import executed


def test_a_segment_and_a_card_made_in_python_and_the_notebook_of_a_list(rep, server, monkeypatch):
    """The tab with its count, the card on home taken off and back with Undo, the list as a file whose cells give the same records."""
    company = server.company
    mine = Client(company, server.user("rep"))
    pipeline = next(one for one in company.schema.pipelines.values() if "amount" in one.fields)
    amount, stage = pipeline.fields["amount"], company.schema.entities[pipeline.entity].stage_field
    records = getattr(mine, pipeline.entity)
    records.segment("Large ones", f"{amount} > 20000")
    mine.card("Money where it stands", mine.chart(pipeline.entity, by=stage, measures=f"sum({amount})", chart="bars"))

    rep.goto("view=home")
    rep.page.get_by_role("region", name="Money where it stands").scroll_into_view_if_needed()  # made when it is seen
    head = rep.page.locator("header.cardhead", has_text="Money where it stands").filter(has=rep.page.get_by_role("button", name="Take off"))
    expect(head).to_be_visible()
    head.get_by_role("button", name="Take off").click()
    expect(head).to_have_count(0)
    rep.until(lambda: not mine.cards())
    rep.page.get_by_role("button", name="Undo").click()
    rep.until(mine.cards)
    assert [card.title for card in mine.cards()] == ["Money where it stands"]

    rep.goto(f"view=list&entity={pipeline.entity}")
    tab = rep.page.get_by_role("navigation", name="Saved views").get_by_role("link", name="Large ones")
    count = records.count(f"{amount} > 20000")
    expect(tab).to_contain_text(str(count))
    tab.click()
    expect(tab).to_have_attribute("aria-current", "page")
    rep.goto(f"view=list&entity={pipeline.entity}&v=own:large-ones")
    expect(tab).to_be_in_viewport()
    expect(rep.page.get_by_role("status").filter(has_text=str(count)).first).to_be_visible()
    with rep.page.expect_download() as found:
        rep.page.get_by_role("button", name="Open in notebook").click()
    assert found.value.suggested_filename == f"list-{pipeline.entity}.ipynb"
    monkeypatch.setattr("crm.client.open_company", lambda config=None, data=None: company)
    again = executed(Path(found.value.path()).read_bytes())["records"]
    assert sorted(again.index) == sorted(mine.door.ids(pipeline.entity, f"{amount} > 20000")) and len(again) == count
