"""Sign-ins that can be revoked: a random token in the browser's cookie, its SHA-256 in the store's table `_session`."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tinydb import where

TABLE = "_session"
IDLE = 24 * 3600  # seconds without any sign of the user
LONGEST = 14 * 24 * 3600  # seconds in all
TOUCH = 10 * 60  # how exactly the last sign of the user is known


@dataclass(frozen=True, slots=True)
class Visit:
    """One sign-in: `mark` (the token's hash: names it, but opens nothing), the user's id, and what protects his forms."""

    mark: str
    user: int
    csrf: str
    address: str = ""
    agent: str = ""
    made: float = 0.0
    seen: float = 0.0


def mark_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


class Sessions:
    """The sign-ins of one store. `active(user id)` says whether that user may (still) sign in."""

    def __init__(self, store: Any, active: Callable[[int], bool], clock: Callable[[], float] = time.time) -> None:
        self.store = store
        self.active = active
        self.clock = clock
        self.table = store.table(TABLE)
        fields = {"mark": "choice", "user": "link", "made": "number", "seen": "number"}
        self.table.declare(fields=fields, indexes=[["mark"], ["user"]], history=False)
        secret = store.meta.get("secret")
        if not secret:
            secret = secrets.token_hex(32)
            store.meta.set("secret", secret)
            secret = store.meta.get("secret")
        self.secret = bytes.fromhex(secret)

    @property
    def cookie(self) -> str:
        """The cookie's name: two CRMs on one machine (cookies do not know ports) do not sign each other out."""
        return "crm_" + self.sign("cookie")[:6]

    def sign(self, text: str) -> str:
        """A text only this store can have made of `text` (HMAC-SHA-256)."""
        return hmac.new(self.secret, text.encode(), hashlib.sha256).hexdigest()

    def begin(self, user: int, address: str = "", agent: str = "") -> tuple[str, Visit]:
        """Sign a user in: the token for his cookie, always a new one, and the visit."""
        token, now = secrets.token_urlsafe(32), self.clock()
        mark = mark_of(token)
        with self.store.transaction(actor="system", note="sign-in"):
            self.table.insert({"mark": mark, "user": user, "made": now, "seen": now, "address": address[:64], "agent": agent[:200]})
        return token, Visit(mark, user, self.sign(f"csrf:{mark}"), address, agent, now, now)

    def of_token(self, token: str | None) -> Visit | None:
        """Whose token this is: None when it is unknown, expired, revoked, or its user may no longer sign in."""
        return self.of_mark(mark_of(token)) if token and len(token) < 200 else None

    def of_mark(self, mark: str) -> Visit | None:
        """The same by the token's hash. Asks the store every time (some 50 µs), so that a revoked sign-in ends at once, everywhere."""
        found = self.table.get(where("mark") == mark)
        now = self.clock()
        if found is None or now - found["seen"] >= IDLE or now - found["made"] >= LONGEST or not self.active(found["user"]):
            return None
        if now - found["seen"] > TOUCH:
            with self.store.transaction(actor="system", note="seen"):
                self.table.update({"seen": now}, doc_ids=[found.doc_id])
        return Visit(mark, found["user"], self.sign(f"csrf:{mark}"), found["address"], found["agent"], found["made"], found["seen"])

    def end(self, mark: str) -> None:
        """Sign out."""
        with self.store.transaction(actor="system", note="sign-out"):
            self.table.remove(where("mark") == mark)

    def end_all(self, user: int, but: str = "") -> int:
        """Sign a user out everywhere (except the visit `but`): after a new password, or when he is disabled. Gives how many ended."""
        with self.store.transaction(actor="system", note="sign-out"):
            gone = self.table.remove((where("user") == user) & (where("mark") != but))
        return len(gone)

    def of_user(self, user: int) -> list[Visit]:
        """Where a user is signed in."""
        marks = [doc["mark"] for doc in self.table.search(where("user") == user)]
        return [visit for mark in marks if (visit := self.of_mark(mark)) is not None]

    def sweep(self) -> None:
        """Throw away the expired ones."""
        now = self.clock()
        if self.table.count((where("seen") <= now - IDLE) | (where("made") <= now - LONGEST)):
            with self.store.transaction(actor="system", note="sweep"):
                self.table.remove((where("seen") <= now - IDLE) | (where("made") <= now - LONGEST))

    # ---- forms before sign-in: a random cookie and its signature in the form -------------------------------------------------

    def form_token(self, cookie: str) -> str:
        return self.sign(f"form:{cookie}")

    def form_token_ok(self, cookie: str | None, token: str | None) -> bool:
        return bool(cookie) and bool(token) and hmac.compare_digest(self.form_token(cookie or ""), token or "")
