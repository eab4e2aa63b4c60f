"""The secret address of a user's calendar: whoever knows it may read what its owner has planned, so it can be renewed and withdrawn."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from tinydb.queries import where

from crm.errors import Denied, Missing
from crm.records.notices import stamp

if TYPE_CHECKING:
    from crm.records.company import Company

#: The store's table of calendar secrets: one row per user who has one.
TABLE = "_calendars"
#: Random bytes of a secret.
SIZE = 32


def declare(company: Company) -> None:
    """Tell the store how secrets are asked for; they have no history, so a withdrawn one is gone."""
    company.store.table(TABLE).declare(fields={"user": "link", "secret": "text"}, indexes=[["secret"], ["user"]], history=False)


def owner_of(company: Company, secret: str) -> int | None:
    """The active user behind a secret; None for a wrong or withdrawn one, and for users who were switched off."""
    found = company.store.table(TABLE).find(where("secret") == secret, limit=1)
    if not found or not secrets.compare_digest(found[0]["secret"], secret):
        return None
    try:
        return company.actor(found[0]["user"]).id
    except (Missing, Denied):
        return None


def company_id(company: Company) -> str:
    """What tells this company's events from those of others in one calendar; made once."""
    meta = company.store.meta
    kept = meta.get("calendar.id", None)
    if not kept:
        kept = f"{secrets.token_hex(8)}.crm"
        with company.store.transaction():
            meta.set("calendar.id", kept)
    return str(kept)


class Subscribed:
    """The door's calendar address: its user's own."""

    company: Company
    actor: Any

    def calendar(self) -> str | None:
        """The secret of this user's calendar; None while there is none."""
        found = self.company.store.table(TABLE).find(where("user") == self.actor.id, limit=1) if self.actor.id is not None else []
        return str(found[0]["secret"]) if found else None

    def renew_calendar(self) -> str:
        """A new secret; the address known before stops working."""
        if self.actor.id is None:
            raise Denied()
        secret = secrets.token_urlsafe(SIZE)
        with self.company.store.transaction(actor=self.actor.login):
            table = self.company.store.table(TABLE)
            table.remove(where("user") == self.actor.id)
            table.insert({"user": self.actor.id, "secret": secret, "at": stamp(self.company.now())})
        return secret

    def withdraw_calendar(self) -> None:
        """No calendar address any more."""
        with self.company.store.transaction(actor=self.actor.login):
            self.company.store.table(TABLE).remove(where("user") == self.actor.id)
