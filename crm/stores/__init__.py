"""The document store: TinyDB's API and query language over one row per document.

    from crm.stores import open_store
    db = open_store("var/crm.db")
    people = db.table("people")
    people.declare(fields={"name": "text", "city": "choice"}, indexes=[["city", "name"]], fulltext={"open": ["name"]})
    with db.transaction(actor="anna", note="first people") as step:
        people.insert({"name": "Łucja", "city": "lodz"})
    people.find(where("city") == "lodz", order_by=["-name"], limit=50)

`crm.stores.base` says what every store offers, shape by shape. Stores know JSON documents only: no entities, users or screens.
"""

from __future__ import annotations

from crm.errors import Conflict
from crm.stores.base import Change, Document, Hit, Step
from crm.stores.database import Database, open_store
from crm.stores.query import where_id
from crm.stores.tables import Table

__all__ = ["Change", "Conflict", "Database", "Document", "Hit", "Step", "Table", "open_store", "where_id"]
