"""Values that want more room than a column (lines, links that say what each is) are edited in a sheet over the record (B4)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from crm.errors import Denied, Missing
from crm.records import SYSTEM
from crm.views.app import App
from crm.views.pages.record import RecordPage


@pytest.fixture
def deal(demo: Any) -> Any:
    anna = demo.door("anna")
    return anna.create("opportunity", {"name": "Two lines", "account": anna.list("account", "owner == me", limit=1)[0].id})


def opened(demo: Any, who: str, deal: Any, field: str) -> tuple[App, RecordPage, dict]:
    """The record's page of somebody, and the sheet of one of its values."""
    app = App(demo, demo.actor(who))
    sheets: list[dict] = []
    app.sheets.send = lambda kind, **body: sheets.append(body.get("sheet") or {})  # type: ignore[method-assign]
    page = RecordPage(app, entity="opportunity", id=str(deal.id))
    page.sheet(field)
    (sheet,) = sheets
    assert sheet["wide"] and [one["field"] for one in sheet["fields"]] == [field]
    return app, page, sheet


def test_lines_are_added_changed_refused_beside_them_and_taken_back(demo: Any, deal: Any) -> None:
    door = demo.door("anna")
    first, second = door.list("product", "active == True", limit=2)
    app, _, sheet = opened(demo, "anna", deal, "lines")
    columns = [one["key"] for one in sheet["fields"][0]["editor"]["columns"]]
    assert columns == ["product", "quantity", "price", "discount", "value"]
    wrong = app._sheet_save(sheet["key"], {"lines": [{"product": first.id, "quantity": "many", "price": "10"}]})
    assert "lines" in wrong["problems"] and door.get("opportunity", deal.id)["lines"] in (None, [])
    gone = app._sheet_save(sheet["key"], {"lines": [{"product": 10**6, "quantity": "1"}]})
    assert "There is no such" in gone["problems"]["lines"]
    kept = [{"product": first.id, "quantity": "2", "price": "48000.50", "discount": "5%"}, {"product": second.id, "quantity": "1", "price": "9800"}]
    assert not app._sheet_save(sheet["key"], {"lines": kept}).get("problems")
    lines = door.get("opportunity", deal.id)["lines"]
    assert [(row["product"], row["quantity"], row["price"], row.get("discount")) for row in lines] == [
        (first.id, 2, Decimal("48000.50"), Decimal("0.05")),
        (second.id, 1, Decimal("9800"), None),
    ]
    _, _, again = opened(demo, "anna", deal, "lines")
    assert len(again["fields"][0]["editor"]["value"]) == 2
    door.undo(door.steps(1)[0].id)
    assert door.get("opportunity", deal.id)["lines"] in (None, [])


def test_links_that_say_what_each_is_have_the_same_sheet(demo: Any, deal: Any) -> None:
    door = demo.door("anna")
    person = door.list("contact", limit=1)[0]
    app, _, sheet = opened(demo, "anna", deal, "contacts")
    assert not app._sheet_save(sheet["key"], {"contacts": [{"id": person.id, "role": "decides"}]}).get("problems")
    (link,) = door.get("opportunity", deal.id)["contacts"]
    assert (link["id"], link["role"]) == (person.id, "decides")
    app, _, sheet = opened(demo, "anna", deal, "contacts")
    wrong = app._sheet_save(sheet["key"], {"contacts": [{"id": person.id, "role": "dances"}]})
    assert "dances" in wrong["problems"]["contacts"]


def test_who_may_not_write_it_has_no_sheet(demo: Any, deal: Any) -> None:
    app = App(demo, demo.actor("milena"))
    page = RecordPage(app, entity="opportunity", id=str(deal.id))
    with pytest.raises(Denied):
        page.sheet("lines")
    won = demo.door(SYSTEM).list("opportunity", "stage.outcome == 'won'", limit=1)[0]
    hidden = RecordPage(App(demo, demo.actor("sanja")), entity="opportunity", id=str(won.id))
    with pytest.raises((Denied, Missing)):
        hidden.sheet("lines")
