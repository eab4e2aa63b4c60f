"""The worker: what must happen once, whoever is signed in, and in the background: jobs by the clock, automations by date, the outbox.

`lease.py` sees to it that one worker works however many are started; `run.py` is its loop; `jobs/` holds one file per job.
"""

from crm.worker.jobs.base import JOBS, Job

__all__ = ["JOBS", "Job"]
