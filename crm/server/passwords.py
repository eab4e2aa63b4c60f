"""Passwords: argon2id hashes (RFC 9106) in the store's table `_user_secret`, never in a record."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from tinydb import where

from crm.errors import Refused

TABLE = "_user_secret"
SHORTEST = 10
LONGEST = 256  # a longer text only keeps the server busy
HASHER = PasswordHasher()

# The most used ones that are long enough to be taken otherwise.
COMMON = frozenset(
    "1234567890 0123456789 9876543210 qwertyuiop qwerty12345 password123 password1234 passw0rd123 iloveyou123 letmein123 "
    "welcome123 welcome1234 admin12345 administrator changeme123 superman123 football123 1q2w3e4r5t 1qaz2wsx3edc zaq12wsxcde3".split()
)


@cache
def nobody() -> str:
    """A hash nobody's password has: checked for an unknown user, so that the answer takes as long as for a known one."""
    return HASHER.hash("nobody has this password")


def check_strength(password: str, login: str = "") -> None:
    """Refuse a password that is too short, too long, the sign-in name itself, or among the first ones that are tried."""
    if len(password) < SHORTEST:
        raise Refused("At least {n} characters are needed.", n=SHORTEST)
    if len(password) > LONGEST:
        raise Refused("At most {n} characters are possible.", n=LONGEST)
    folded = password.casefold()
    if login and login.casefold() in folded and len(folded) - len(login) < 4:
        raise Refused("A password must not be the name used to sign in.")
    if folded in COMMON or len(set(folded)) < 4:
        raise Refused("This password is among the first that are tried. Take another one.")


class Passwords:
    """The passwords of one store, by user id."""

    def __init__(self, store: Any) -> None:
        self.store = store
        self.table = store.table(TABLE)
        self.table.declare(fields={"user": "link", "demo": "boolean"}, indexes=[["user"]], history=False)

    def set(self, user: int, password: str, *, demo: bool = False, by: str = "system") -> None:
        """Give a user a password; `demo` marks one that everybody knows (the demo's: the user's own name)."""
        kept = {"user": user, "hash": HASHER.hash(password), "set_at": datetime.now(UTC).isoformat(timespec="seconds"), "demo": demo}
        with self.store.transaction(actor=by, note="password"):
            found = self.table.get(where("user") == user)
            if found is None:
                self.table.insert(kept)
            else:
                self.table.update(kept, doc_ids=[found.doc_id])

    def has(self, user: int) -> bool:
        return self.table.get(where("user") == user) is not None

    def check(self, user: int | None, password: str) -> bool:
        """Whether it is this user's password; takes as long for an unknown user (None) as for a known one."""
        found = self.table.get(where("user") == user) if user is not None else None
        try:
            HASHER.verify(found["hash"] if found else nobody(), password[: LONGEST + 1])
        except (Argon2Error, InvalidHashError):
            return False
        if found is None or user is None:
            return False
        if HASHER.check_needs_rehash(found["hash"]):
            self.set(user, password, demo=bool(found.get("demo")))
        return True

    def forget(self, user: int) -> None:
        """Take the password away: nobody signs in as this user until there is a new one."""
        with self.store.transaction(actor="system", note="password"):
            self.table.remove(where("user") == user)

    def demo_users(self) -> list[int]:
        """The users who still have the password that everybody knows."""
        return [doc["user"] for doc in self.table.search(where("demo") == True)]  # noqa: E712
