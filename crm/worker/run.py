"""The worker's loop: take the lease, then run every job that is due, over and over; give the lease back at the end."""

from __future__ import annotations

import logging
import os
import threading
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from crm.worker.jobs.base import JOBS, Job
from crm.worker.lease import Lease
from crm.worker.watch import Watcher

if TYPE_CHECKING:
    from crm.records.company import Company

log = logging.getLogger("crm.worker")

#: Seconds between two looks at what is due.
PAUSE = 1.0
#: Seconds after which a job that failed is tried again.
RETRY = 60.0
#: Where the store's settings keep which jobs fail.
TROUBLES = "worker.troubles"
#: When a job ran last is kept in the store for those that run less often than this.
KEPT_FROM = timedelta(minutes=1)


class Worker:
    """Runs the jobs of one company while it holds the lease."""

    def __init__(self, company: Company, lease: Lease | None = None, pause: float = PAUSE) -> None:
        self.company = company
        self.lease = lease or Lease(company.store)
        self.pause = pause
        self.stop = threading.Event()
        self.troubles: dict[str, str] = dict(company.store.meta.get(TROUBLES) or {})  # job → what went wrong with it last
        self._last: dict[str, str] = {}
        self._again: dict[str, float] = {}  # job → when one that failed is tried again (monotonic)

    def once(self, now: datetime | None = None) -> list[str]:
        """Run every job that is due, once; the names of those that ran. Nothing when another worker holds the lease."""
        if not self.lease.take():
            return []
        self.lease.keep()
        try:
            return self.round(now, all_of_them=True)
        finally:
            self.lease.release()

    def forever(self) -> None:
        """Work until `stop` is set; wait for the lease while another has it."""
        while not self.stop.is_set():
            if not self.lease.take():
                self.stop.wait(min(self.lease.lasts / 3, 5.0))
                continue
            self.lease.keep()
            log.info("working", extra={"holder": self.lease.holder})
            while self.lease.held and not self.stop.is_set():
                self.round()
                self.stop.wait(self.pause)
            self.lease.release()
            if not self.stop.is_set():  # lost it (the machine slept): queue up again as a newcomer
                self.lease = Lease(self.company.store, self.lease.lasts)

    def round(self, now: datetime | None = None, all_of_them: bool = False) -> list[str]:
        """One look at all jobs, those that come often first; of the others one a round, so that no mail waits for several long ones.
        `all_of_them`: also those whose time has not come."""
        ran = []
        for name, cls in sorted(JOBS.items(), key=lambda one: not often(one[1])):
            if self.stop.is_set() or not self.lease.held:
                break
            moment = now or self.company.now()
            job: Job = cls()
            key = f"job.{name}"
            short = often(cls)
            last = self._last.get(name) if short else self.company.store.meta.get(key)
            if not all_of_them and not job.due(datetime.fromisoformat(last) if last else None, moment):
                continue
            if not all_of_them and time.monotonic() < self._again.get(name, 0.0):
                continue
            if not self.run(job, moment):
                self._again[name] = time.monotonic() + RETRY
                continue
            if short:
                self._last[name] = moment.isoformat()
            else:
                self.company.store.meta.set(key, moment.isoformat())
            ran.append(name)
            if not short and not all_of_them:
                break
        return ran

    def run(self, job: Job, now: datetime) -> bool:
        """One job; what goes wrong with it is kept and logged and stops no other."""
        try:
            job.run(self.company, now)
        except Exception as error:
            log.exception("job %s", job.name)
            self._trouble({**self.troubles, job.name: f"{type(error).__name__}: {error}"[:200]})
            return False
        self._trouble({name: said for name, said in self.troubles.items() if name != job.name})
        return True

    def _trouble(self, troubles: dict[str, str]) -> None:
        """Keep which jobs fail where administrators see it."""
        if troubles != self.troubles:
            self.troubles = troubles
            self.company.store.meta.set(TROUBLES, troubles or None)


def often(job: type[Job]) -> bool:
    """Whether a job runs so often that when it ran last is not worth keeping."""
    return job.every is not None and job.every < KEPT_FROM


def _until_parent_ends(stop: threading.Event) -> None:
    while os.read(0, 1024):
        pass
    stop.set()


def work(company: Any, once: bool = False, with_parent: bool = False) -> list[str]:
    """`crm worker`: run until SIGTERM or Ctrl C (or one round); the names of the jobs that ran. `with_parent`: also until standard
    input ends, which is when the process that started it does; Ctrl C is then the parent's business."""
    import signal

    worker = Worker(company)
    if once:
        return worker.once()
    signal.signal(signal.SIGTERM, lambda *_: worker.stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN if with_parent else lambda *_: worker.stop.set())
    if with_parent:
        threading.Thread(target=_until_parent_ends, args=(worker.stop,), name="parent", daemon=True).start()
    watcher = Watcher(company)
    watcher.start()
    try:
        worker.forever()
    finally:
        watcher.stop()
    return []
