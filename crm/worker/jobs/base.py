"""What every job of the worker does. A whole one, in its own file:

    @JOBS.add
    class Tidy(Job):
        \"\"\"Forget what nobody asks for any more.\"\"\"

        name, every = "tidy", timedelta(hours=1)

        def run(self, company, now):
            ...

A job may be killed at any moment and is then run again: whatever it remembers (up to where it has looked, whom it has told) is
written in the same transaction as its effects, so that nothing is done twice and nothing is left out.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, ClassVar

from crm.registry import Registry

if TYPE_CHECKING:
    from crm.records.company import Company

JOBS = Registry("crm.worker.jobs")


class Job:
    """One thing the worker does: `every` so often, or daily `at` a time of the company's day (once that day, later if the worker
    was not there at that time). `run` gets the company and the moment (aware, in the company's time zone)."""

    name: ClassVar[str] = ""
    every: ClassVar[timedelta | None] = None
    at: ClassVar[time | None] = None

    def run(self, company: Company, now: datetime) -> None:
        """Do what is due at `now`."""
        raise NotImplementedError

    def due(self, last: datetime | None, now: datetime) -> bool:
        """Whether it is time again; `last` is when it last began (None: never)."""
        if last is None:
            return self.every is not None or self.at is None or now.time() >= self.at
        if self.every is not None:
            return now - last >= self.every
        if self.at is not None:
            today = now.replace(hour=self.at.hour, minute=self.at.minute, second=0, microsecond=0)
            return last < today <= now
        return True
