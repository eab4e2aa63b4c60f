"""The worker's jobs, one file each."""

from crm.worker.jobs.base import JOBS, Job

__all__ = ["JOBS", "Job"]
