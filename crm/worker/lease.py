"""The lease: of all workers started over one store, one works.

A lease is a row of the store's settings: who holds it and until when. It is taken and renewed in a transaction of the store, so two
can never take it at once. The holder renews it all the time; one that was killed does not, and after `LASTS` another takes over.
"""

from __future__ import annotations

import os
import threading
import time
import uuid
from typing import Any

#: For how many seconds a lease is good without being renewed, and how often it is renewed.
LASTS = 15.0
KEY = "worker.lease"


class Lease:
    """One worker's hold on the work. `take` tries to get (or keep) it; `held` says whether it still is good by this clock."""

    def __init__(self, store: Any, lasts: float = LASTS) -> None:
        self.store, self.lasts = store, lasts
        self.holder = f"{os.getpid()}-{uuid.uuid4().hex[:12]}"
        self._until = 0.0  # monotonic
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def take(self) -> bool:
        """Get the lease when it is free, run out or already ours; renews it then."""
        began = time.monotonic()
        with self.store.transaction():
            kept = self.store.meta.get(KEY)
            now = time.time()
            if kept and kept["holder"] != self.holder and kept["until"] > now and kept["until"] < now + 10 * self.lasts:
                return False
            self.store.meta.set(KEY, {"holder": self.holder, "until": now + self.lasts, "pid": os.getpid()})
        self._until = began + self.lasts
        return True

    @property
    def held(self) -> bool:
        """Whether the lease is ours for some time yet."""
        return time.monotonic() < self._until

    def keep(self) -> None:
        """Renew it in the background until `release`."""
        self._stop.clear()
        self._thread = threading.Thread(target=self._renew, name="lease", daemon=True)
        self._thread.start()

    def _renew(self) -> None:
        while not self._stop.wait(self.lasts / 3):
            try:
                if not self.take():
                    self._until = 0.0
                    return
            except Exception:  # the store is busy or gone: the lease runs out by itself
                if not self.held:
                    return

    def release(self) -> None:
        """Give it back, so that another need not wait."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=self.lasts)
        with self.store.transaction():
            kept = self.store.meta.get(KEY)
            if kept and kept["holder"] == self.holder:
                self.store.meta.set(KEY, None)
        self._until = 0.0


def holder(store: Any) -> dict[str, Any] | None:
    """Who works now, `{"holder", "until", "pid"}`; None when nobody does."""
    kept = store.meta.get(KEY)
    return kept if kept and kept["until"] > time.time() else None
