"""What turns with the calendar."""

from __future__ import annotations

from datetime import datetime, time
from typing import TYPE_CHECKING

from crm.worker.jobs.base import JOBS, Job

if TYPE_CHECKING:
    from crm.records.company import Company


@JOBS.add
class Day(Job):
    """Computes anew, a minute after midnight, what depends on the day, so that filters and sorts see today's values."""

    name, at = "day", time(0, 1)

    def run(self, company: Company, now: datetime) -> None:
        company.turn_day()
