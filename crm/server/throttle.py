"""Slows down whoever guesses passwords: failures are counted in the store, so every process and every restart knows them."""

from __future__ import annotations

import hashlib
import ipaddress
import time
from collections.abc import Callable, Iterable
from typing import Any

from tinydb import where

TABLE = "_throttle"
WINDOW = 15 * 60  # seconds in which failures count
# How many failures in the window close a door: of one name from one address, of one name from anywhere, of one address.
LIMITS = {"pair": 5, "login": 20, "address": 30}


def network(address: str) -> str:
    """The part of an address that one person holds: an IPv4 address, the /64 of an IPv6 one."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped:
            return str(ip.ipv4_mapped)
        return str(ipaddress.ip_network((ip, 64), strict=False))
    return address


class Throttle:
    """Counts tries per name and address. `begin` is called before a password is looked at, `succeed` when it was right."""

    def __init__(self, store: Any, clock: Callable[[], float] = time.time) -> None:
        self.store = store
        self.table = store.table(TABLE)
        self.table.declare(fields={"key": "choice", "last": "number"}, indexes=[["key"]], history=False)
        self.clock = clock

    def _keys(self, login: str, address: str) -> dict[str, str]:
        login, address = login.strip().casefold(), network(address)
        raw = {"pair": f"pair:{login}:{address}", "login": f"login:{login}", "address": f"address:{address}"}
        # Hashed: people type passwords into the wrong box.
        return {kind: hashlib.sha256(text.encode()).hexdigest()[:32] for kind, text in raw.items()}

    def begin(self, login: str, address: str) -> int:
        """Count one try and give 0, or the seconds to wait when there were too many (then the try is not counted and not to be made)."""
        now = self.clock()
        keys = self._keys(login, address)
        with self.store.transaction(actor="system", note="sign-in"):
            found = {doc["key"]: doc for doc in self.table.search(where("key").one_of(list(keys.values())))}
            wait = 0.0
            for kind, key in keys.items():
                recent = self._recent(found.get(key), now)
                if len(recent) >= LIMITS[kind]:
                    wait = max(wait, recent[-LIMITS[kind]] + WINDOW - now)
            if wait > 0:
                return max(1, int(wait))
            for key in keys.values():
                self._keep(found.get(key), key, [*self._recent(found.get(key), now), now])
        return 0

    def succeed(self, login: str, address: str) -> None:
        """Forget the failures of this name from this address, and this one try of the others."""
        keys = self._keys(login, address)
        now = self.clock()
        with self.store.transaction(actor="system", note="sign-in"):
            found = {doc["key"]: doc for doc in self.table.search(where("key").one_of(list(keys.values())))}
            self._keep(found.get(keys["pair"]), keys["pair"], [])
            for kind in ("login", "address"):
                self._keep(found.get(keys[kind]), keys[kind], self._recent(found.get(keys[kind]), now)[:-1])

    def sweep(self) -> None:
        """Throw away what no longer counts."""
        old = self.clock() - WINDOW
        with self.store.transaction(actor="system", note="sweep"):
            self.table.remove(where("last") < old)

    def _recent(self, doc: Any, now: float) -> list[float]:
        return [at for at in (doc["tries"] if doc else ()) if now - WINDOW < at <= now + 1]

    def _keep(self, doc: Any, key: str, tries: Iterable[float]) -> None:
        kept = list(tries)[-max(LIMITS.values()) :]
        if not kept:
            if doc is not None:
                self.table.remove(doc_ids=[doc.doc_id])
            return
        value = {"key": key, "tries": kept, "last": kept[-1]}
        if doc is None:
            self.table.insert(value)
        else:
            self.table.update(value, doc_ids=[doc.doc_id])
