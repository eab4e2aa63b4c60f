"""Meeting packs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from crm.mail import settings
from crm.worker.jobs.base import JOBS, Job

if TYPE_CHECKING:
    from crm.records.company import Company


@JOBS.add
class Packs(Job):
    """Queues the meeting packs whose time has come, for everybody they are made for; nothing while no mail server is set (F14)."""

    name, every = "packs", timedelta(minutes=1)

    def run(self, company: Company, now: datetime) -> None:
        if company.schema.packs and settings(company) is not None:
            from crm.documents.mailing import queue_packs

            queue_packs(company, now)
