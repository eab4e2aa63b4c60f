"""The morning mails."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from crm.mail import settings
from crm.mail.digest import queue_digests
from crm.worker.jobs.base import JOBS, Job

if TYPE_CHECKING:
    from crm.records.company import Company


@JOBS.add
class Digest(Job):
    """Queues for everybody who wants it the mail with what is late, due and missing, in the morning of their own time zone; nothing
    while no mail server is set."""

    name, every = "digest", timedelta(minutes=10)

    def run(self, company: Company, now: datetime) -> None:
        if settings(company) is not None:
            queue_digests(company, now)
