"""Every store passes the same tests: a store is one more entry in `STORES`."""

from __future__ import annotations

import pytest

from crm.stores import Database, open_store

STORES = {"sqlite": lambda folder: open_store(folder / "store.db")}


@pytest.fixture(params=STORES)
def database(request, tmp_path) -> Database:
    with STORES[request.param](tmp_path) as made:
        yield made


@pytest.fixture
def deals(database):
    """A declared table with a few documents."""
    table = database.table("deal")
    table.declare(
        fields={
            "name": "text",
            "stage": "choice",
            "owner": "link",
            "amount": "money",
            "chance": "percent",
            "close_on": "date",
            "hot": "boolean",
            "tags": "list",
            "people": "links",
            "address.city": "text",
            "deleted_on": "datetime",
        },
        indexes=[["stage", "amount"], ["owner", "stage", "close_on"]],
        fulltext={"open": ["name", "address"], "secret": ["notes"]},
        live="deleted_on",
    )
    with database.transaction(actor="anna", at="2025-01-10T08:00:00Z", note="first"):
        table.insert_multiple(
            [
                {"name": "Łódź trams", "stage": "open", "owner": 1, "amount": 1050, "chance": 0.1, "close_on": "2025-03-31", "hot": True},
                {"name": "Buses", "stage": "open", "owner": 2, "amount": 2000, "close_on": "2025-04-01", "tags": ["green", "long"]},
                {
                    "name": "Bikes",
                    "stage": "won",
                    "owner": 1,
                    "amount": 333,
                    "close_on": "2024-12-30",
                    "people": [{"id": 7, "role": "uses"}],
                },
                {"name": "Boats", "stage": "won", "owner": 2, "address": {"city": "Gdańsk"}, "notes": "password is swordfish"},
            ]
        )
    return table
