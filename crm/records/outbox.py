"""The outbox: what shall leave the house (mails, webhooks) is written here in the transaction of its cause and sent by the worker.

    queue(company, "webhook", {"url": …, "body": …}, key="thanks|opportunity|7|412")

A row exists exactly when its cause was committed, and once per key. What is guaranteed of the sending, and what cannot be, is
said in `crm.worker.sending`. Taking back the step that queued a row withdraws it while it has not been sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tinydb.queries import where

from crm.errors import Denied, Missing

if TYPE_CHECKING:
    from crm.records.company import Company

#: The store's table of what is to be sent.
OUTBOX = "_outbox"
#: How it leaves.
CHANNELS = ("mail", "webhook")
#: The states of a row: to be sent (again) when `due` · being sent · sent · given up · withdrawn before it was sent.
WAITING, SENDING, SENT, DEAD, WITHDRAWN = "waiting", "sending", "sent", "dead", "withdrawn"


def declare(company: Company) -> None:
    """Tell the store what the outbox is asked for."""
    company.store.table(OUTBOX).declare(
        fields={
            "key": "text",
            "channel": "choice",
            "state": "choice",
            "due": "datetime",
            "at": "datetime",
            "sent": "datetime",
            "tries": "integer",
            "step": "link",
        },
        indexes=[["key"], ["state", "due"], ["step"]],
        history=False,
    )


def queue(company: Company, channel: str, payload: Mapping[str, Any], key: str, not_before: datetime | None = None) -> int | None:
    """Put something into the outbox, in the running transaction (or one of its own). `payload` is JSON. The same key is taken once:
    the second time nothing happens. Gives the row's id, None for one that was there already."""
    if channel not in CHANNELS:
        raise ValueError(f"{channel!r} is no channel of the outbox: {', '.join(CHANNELS)}")
    from crm.records.company import stamp

    table = company.store.table(OUTBOX)
    with company.store.transaction():
        if table.count(where("key") == key):
            return None
        step = company.step
        now = company.now()
        row = {
            "key": key,
            "channel": channel,
            "payload": dict(payload),
            "state": WAITING,
            "due": stamp(not_before or now),
            "at": stamp(now),
            "tries": 0,
        }
        if step is not None:
            row["step"] = step.id
        return int(table.insert(row))


def again(door: Any, id: int, send: bool = True) -> None:
    """Send what was given up (or waits for another try) now, or (not `send`) drop it; for admins."""
    from crm.records.company import stamp

    company = door.company
    if not door.actor.admin:
        raise Denied()
    table = company.store.table(OUTBOX)
    with company.store.transaction(actor=door.actor.login):
        row = table.get(doc_id=id)
        if row is None or row["state"] not in (DEAD, WAITING):
            raise Missing("This has been sent meanwhile.")
        change = {"state": WAITING, "tries": 0, "due": stamp(company.now())} if send else {"state": WITHDRAWN}
        table.update(change, doc_ids=[id])


def sent(company: Company, step: int) -> int:
    """How many messages of a step have left the house, or are leaving it now: no undo calls them back."""
    return company.store.table(OUTBOX).count((where("step") == step) & where("state").one_of([SENT, SENDING]))


def withdraw(company: Company, step: int) -> int:
    """Take back what a step queued and nobody has sent yet; how many. What was sent stays sent."""
    table = company.store.table(OUTBOX)
    rows = table.ids((where("step") == step) & (where("state") == WAITING))
    if rows:
        table.update({"state": WITHDRAWN}, doc_ids=rows)
    return len(rows)
