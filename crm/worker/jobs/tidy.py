"""What nobody asks for any more."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from tinydb.queries import where

from crm.records import automation
from crm.records.company import stamp
from crm.records.outbox import OUTBOX, SENT, WITHDRAWN
from crm.worker.jobs.base import JOBS, Job

if TYPE_CHECKING:
    from crm.records.company import Company

#: How long the log of runs is kept, and what was sent. Longer than any occasion may come late (`crm.records.due.LATE`).
RUNS_KEPT, SENT_KEPT = timedelta(days=180), timedelta(days=60)


@JOBS.add
class Tidy(Job):
    """Throws away old runs of automations and what was sent long ago."""

    name, at = "tidy", time(3, 0)

    def run(self, company: Company, now: datetime) -> None:
        with company.store.transaction():
            automation.forget(company, stamp(now - RUNS_KEPT))
            table = company.store.table(OUTBOX)
            old = table.ids(where("state").one_of([SENT, WITHDRAWN]) & (where("at") < stamp(now - SENT_KEPT)))
            if old:
                table.remove(doc_ids=old)
