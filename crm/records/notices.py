"""Notices: what the company tells one of its users (a step is due, a request waits, something was assigned), kept until read.

    notify(company, user_id, "{title} is now yours", entity="lead", id=12, key="assigned-lead-12")

A notice is written in the step that causes it and goes with that step's undo. Its text is English and translated for the reader;
`{title}` is the record's title under the reader's rights, and so is any value given as a pair `(entity, id)`. A notice about a
record that its reader may not (or no longer) see is not shown and not counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tinydb.queries import where

from crm.records.queries import all_of
from crm.stores import where_id

if TYPE_CHECKING:
    from crm.records.company import Company


def stamp(moment: datetime) -> str:
    """A moment as it is stored (see `crm.records.company.stamp`, which imports this module)."""
    from crm.records.company import stamp as stored

    return stored(moment)


#: The store's table of notices.
TABLE = "_notices"
#: So many unread ones are looked at when they are counted; nobody reads more.
COUNTED = 200
#: How many are read from the store at a time.
PAGE = 50


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice as its reader sees it: `text` in their language, `entity` and `record` where a click leads, `at` in UTC."""

    id: int
    text: str
    at: datetime
    seen: bool
    entity: str | None = None
    record: int | None = None
    title: str = ""


def declare(company: Company) -> None:
    """Tell the store how notices are asked for."""
    company.store.table(TABLE).declare(
        fields={"user": "link", "key": "text", "at": "datetime", "seen": "boolean", "step": "link"},
        indexes=[["user", "seen"], ["key"], ["step"]],
        history=False,
    )


def notify(
    company: Company,
    user_id: int | None,
    text: str,
    entity: str | None = None,
    id: int | None = None,
    key: str | None = None,
    **values: Any,
) -> int | None:
    """Tell a user something, in the step being written (or one of its own); the notice's id comes back.

    None when there is nobody to tell, or when this user was told under the same `key` before.
    """
    if user_id is None:
        return None
    table = company.store.table(TABLE)
    with company.store.transaction():
        if key is not None and table.count((where("key") == key) & (where("user") == user_id)):
            return None
        row: dict[str, Any] = {"user": user_id, "text": text, "at": stamp(company.now()), "seen": False}
        row |= {name: value for name, value in (("entity", entity), ("record", id), ("key", key)) if value is not None}
        if values:
            row["values"] = {name: _kept(value) for name, value in values.items()}
        if company.step is not None:
            row["step"] = company.step.id
        return int(table.insert(row))


def withdraw(company: Company, step: int) -> int:
    """A notice goes with the undo of the step that made it; how many went."""
    table = company.store.table(TABLE)
    rows = table.ids(where("step") == step)
    if rows:
        table.remove(doc_ids=rows)
    return len(rows)


def sweep(company: Company, days: int = 90) -> int:
    """Throw away what is older than so many days; how many went."""
    table = company.store.table(TABLE)
    rows = table.ids(where("at") < stamp(company.now() - timedelta(days=days)))
    if rows:
        with company.store.transaction():
            table.remove(doc_ids=rows)
    return len(rows)


class Notified:
    """The door's notices: its user's own, nobody else's."""

    company: Company
    actor: Any
    words: Any
    titles: Any

    def notices(self, limit: int = 20, unread: bool = False) -> list[Notice]:
        """The newest notices of this user about what they may see, at most `limit`; with `unread` only those not read yet."""
        user = self.actor.id
        if user is None:
            return []
        found: list[Notice] = []
        asked = 0
        cond = all_of(where("user") == user, where("seen") == False if unread else None)  # noqa: E712
        table = self.company.store.table(TABLE)
        while len(found) < limit:
            docs = table.find(cond, order_by=["-doc_id"], limit=PAGE, offset=asked)
            found += self._shown_notices(docs)
            asked += len(docs)
            if len(docs) < PAGE:
                break
        return found[:limit]

    def unread(self) -> int:
        """How many notices wait to be read (counted up to 200)."""
        return len(self.notices(limit=COUNTED, unread=True))

    def notice_seen(self, ids: Iterable[int] | int | None = None) -> None:
        """Mark notices as read: one, some, or all of them (None)."""
        user = self.actor.id
        if user is None:
            return
        wanted = None if ids is None else where_id("in", [ids] if isinstance(ids, int) else [*ids])
        table = self.company.store.table(TABLE)
        with self.company.store.transaction(actor=self.actor.login):
            mine = table.ids(all_of((where("user") == user) & (where("seen") == False), wanted))  # noqa: E712
            if mine:
                table.update({"seen": True}, doc_ids=mine)

    def _shown_notices(self, docs: list[Any]) -> list[Notice]:
        pairs: dict[str, set[int]] = {}
        for doc in docs:
            if doc.get("entity") and doc.get("record") is not None:
                pairs.setdefault(doc["entity"], set()).add(doc["record"])
            for value in (doc.get("values") or {}).values():
                if isinstance(value, dict) and "record" in value:
                    pairs.setdefault(value["entity"], set()).add(value["record"])
        known = {entity: self.titles(entity, ids) for entity, ids in pairs.items() if entity in self.company.schema.entities}
        found = []
        for doc in docs:
            entity, record = doc.get("entity"), doc.get("record")
            title = known.get(entity, {}).get(record) if record is not None else ""
            if title is None:
                continue
            values = {name: _read_value(value, known) for name, value in (doc.get("values") or {}).items()}
            text = self.words(doc["text"], **{"title": title, **values})
            at = datetime.fromisoformat(doc["at"].replace("Z", "+00:00"))
            found.append(Notice(doc.doc_id, text, at, bool(doc.get("seen")), entity, record, title))
        return found


def _kept(value: Any) -> Any:
    """A value as it is stored: days, moments and records by what they are, so that each reader gets them in their own way."""
    if isinstance(value, datetime):
        return {"moment": value.astimezone(UTC).isoformat()}
    if isinstance(value, date):
        return {"day": value.isoformat()}
    if isinstance(value, Decimal):
        return {"number": str(value)}
    if isinstance(value, tuple) and len(value) == 2:
        return {"entity": value[0], "record": value[1]}
    return value


def _read_value(value: Any, known: Mapping[str, Mapping[int, str]]) -> Any:
    if not isinstance(value, dict):
        return value
    if "moment" in value:
        return datetime.fromisoformat(value["moment"])
    if "day" in value:
        return date.fromisoformat(value["day"])
    if "number" in value:
        return Decimal(value["number"])
    return known.get(value.get("entity", ""), {}).get(value.get("record", -1), "…")
