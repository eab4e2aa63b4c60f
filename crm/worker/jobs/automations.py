"""Automations by the clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from crm.records.due import run_due
from crm.worker.jobs.base import JOBS, Job

if TYPE_CHECKING:
    from crm.records.company import Company


@JOBS.add
class Automations(Job):
    """Sees to what has come: dates, silences, schedules (`crm.records.due`)."""

    name, every = "automations", timedelta(seconds=30)

    def run(self, company: Company, now: datetime) -> None:
        run_due(company, now)
