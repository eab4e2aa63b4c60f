"""What waits to be sent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from crm.worker.jobs.base import JOBS, Job
from crm.worker.sending import send_due

if TYPE_CHECKING:
    from crm.records.company import Company


@JOBS.add
class Outbox(Job):
    """Sends mails and webhooks as soon as they are due."""

    name, every = "outbox", timedelta(0)

    def run(self, company: Company, now: datetime) -> None:
        send_due(company)
