"""Classes over the whole base, kept current."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from crm.records import classes
from crm.worker.jobs.base import JOBS, Job

if TYPE_CHECKING:
    from crm.records.company import Company


@JOBS.add
class Classes(Job):
    """Ranks the records of each class anew, once an hour; nothing is written where nothing has changed (A4)."""

    name, every = "classes", timedelta(hours=1)

    def run(self, company: Company, now: datetime) -> None:
        for rule in company.schema.classes.values():
            classes.renew(company, rule)
