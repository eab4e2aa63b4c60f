"""Boards by a choice (B10): columns are its options, a move is a change under the same rights and rules, what it asks for is asked in place."""

from __future__ import annotations

import contextlib
import shutil
from typing import Any

import pytest

from crm.errors import Denied, Missing, Refused
from crm.records import SYSTEM, Company
from crm.schema import load, shipped
from crm.stores import open_store
from crm.views.app import App
from crm.views.listing import Listing
from crm.views.pages.board import BoardPage

#: configuration, entity, choice, first column, one that asks for a text, that text, a role that works with them, one that only looks on
KINDS = [
    ("sales", "case", "status", "new", "solved", "solution", "service", "rep"),
    ("nonprofit", "enquiry", "state", "open", "answered", "answer", "head", "volunteer"),
]


@pytest.fixture(params=KINDS, ids=[one[0] for one in KINDS])
def desk(request: Any, tmp_path: Any) -> Any:
    config, *rest = request.param
    file = request.getfixturevalue("demo_store" if config == "sales" else "nonprofit_store")
    store = open_store(str(shutil.copy(file, tmp_path / "b.db")))
    yield Company(load(shipped(config)), store), *rest
    store.close()


def shown(company: Company, role: str) -> tuple[App, list[dict]]:
    """An app of the first user of a role, and the sheets it opens."""
    users = company.schema.users
    assert users is not None
    app = App(company, company.actor(next(row.doc_id for row in company.find(users.entity) if row.get(users.role) == role)))
    sheets: list[dict] = []
    app.sheets.send = lambda kind, **body: sheets.append(body.get("sheet") or {})  # type: ignore[method-assign]
    return app, sheets


def made(company: Company, entity: str, **values: Any) -> Any:
    return company.door(SYSTEM).create(entity, {"subject": "Belt torn", **values})


def column(page: BoardPage, name: str) -> dict:
    return next(one for one in page.part.content["columns"] if one["name"] == name)


def test_columns_are_the_options_and_their_counts_those_of_the_store(desk: Any) -> None:
    company, entity, by, _, ended, *_, role, _ = desk
    app, _ = shown(company, role)
    page = BoardPage(app, entity=entity)
    field = company.schema.entities[entity].fields[by]
    assert [one["name"] for one in page.part.content["columns"]] == list(field.options)
    counted = {one["name"]: one["count"] for one in page.figures()["columns"]}
    seen = app.door.list(entity, limit=None)
    over = company.schema.entities[entity].board.ended
    for option in field.options:
        if option not in over:
            assert counted[option] == sum(1 for one in seen if one[by] == option), option
    assert column(page, ended)["closed"] and sum(counted.values()) > 0
    assert {"board"} <= {one["name"] for one in Listing(app, entity, {}).shapes()}
    assert [one["name"] for one in BoardPage(app, pipeline=entity).part.content["columns"]] == list(field.options)  # c.view("board", "case")


def test_a_move_asks_for_what_the_option_requires_and_is_taken_back(desk: Any) -> None:
    company, entity, by, first, ended, wanted, role, _ = desk
    app, sheets = shown(company, role)
    record = made(company, entity, **{company.schema.entities[entity].owner: app.actor.id})
    page = BoardPage(app, entity=entity)
    answer = page.move(str(record.id), ended)
    assert answer.get("wants") and company.doc(entity, record.id)[by] == first
    (sheet,) = sheets
    assert [(one["field"], one["required"]) for one in sheet["fields"]] == [(wanted, True)]
    app._sheet_save(sheet["key"], {wanted: ""})
    assert company.doc(entity, record.id)[by] == first
    app._sheet_save(sheet["key"], {wanted: "A new belt"})
    doc = company.doc(entity, record.id)
    assert (doc[by], doc[wanted]) == (ended, "A new belt")
    assert str(record.id) in [one["key"] for one in column(page, ended)["cards"]]
    app.door.undo(app.door.steps(1)[0].id)
    assert company.doc(entity, record.id)[by] == first


def test_who_may_not_change_it_may_not_move_it(desk: Any) -> None:
    company, entity, by, first, ended, *_, onlooker = desk
    app, sheets = shown(company, onlooker)
    record = made(company, entity)
    if not app.door.may("see", entity):
        with pytest.raises(Missing):
            BoardPage(app, entity=entity)
        return
    page = BoardPage(app, entity=entity)
    with contextlib.suppress(Missing, Denied, Refused):
        page.move(str(record.id), ended)
    assert company.doc(entity, record.id)[by] == first and sheets == []
