"""The loop of the worker: jobs when they are due, one that fails stops no other and is told (B12)."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from crm.worker import JOBS, Job
from crm.worker.run import TROUBLES, Worker

WARSAW = ZoneInfo("Europe/Warsaw")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=WARSAW)


@pytest.mark.parametrize(
    ("last", "now", "due"),
    [
        (None, "2026-03-02 05:00", False),
        (None, "2026-03-02 07:00", True),
        ("2026-03-01 06:00", "2026-03-02 05:59", False),
        ("2026-03-01 06:00", "2026-03-02 06:00", True),
        ("2026-03-02 06:00", "2026-03-02 23:00", False),
        ("2026-02-20 06:00", "2026-03-02 05:00", False),  # was away: later the same day is soon enough
        ("2026-02-20 06:00", "2026-03-02 14:00", True),
    ],
)
def test_a_daily_job_runs_once_a_day_at_its_time_or_later(last, now, due):
    class Daily(Job):
        name, at = "daily", time(6, 0)

    assert Daily().due(at(last) if last else None, at(now)) is due


def test_a_job_that_fails_stops_no_other_and_is_told_until_it_works(shop):
    company = shop({})
    ran, wrong = [], [True]

    class Bad(Job):
        name, every = "aaa_bad", timedelta(hours=1)

        def run(self, company, now):
            if wrong:
                raise RuntimeError("no paper")
            ran.append("bad")

    class Good(Job):
        name, every = "aab_good", timedelta(hours=1)

        def run(self, company, now):
            ran.append("good")

    JOBS.add(Bad)
    JOBS.add(Good)
    try:
        worker = Worker(company)
        assert "aab_good" in worker.once() and ran == ["good"]
        assert company.store.meta.get(TROUBLES) == {"aaa_bad": "RuntimeError: no paper"}
        wrong.clear()
        worker.once()
        assert ran == ["good", "bad", "good"] and company.store.meta.get(TROUBLES) is None
    finally:
        JOBS.remove("aaa_bad")
        JOBS.remove("aab_good")
