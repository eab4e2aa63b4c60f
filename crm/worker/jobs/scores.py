"""Learning what promises well, and keeping scores current with it (B1)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from crm.worker.jobs.base import JOBS, Job

if TYPE_CHECKING:
    from crm.records.company import Company


@JOBS.add
class Scores(Job):
    """Learns once a day from what has ended and renews the scores that follow, in small commits."""

    name, every = "scores", timedelta(minutes=15)

    def run(self, company: Company, now: datetime) -> None:
        from crm.analytics import scores

        for score in list(company.schema.scores.values()):
            scores.current(company, score, now)
