"""Starts worker processes quickly: everything is imported once, each line on stdin forks one more; its number goes to stdout.

    python workers.py CONFIG DATA LEASE
"""

from __future__ import annotations

import os
import signal
import sys

from crm.mail import compose, deliver, settings  # noqa: F401
from crm.records import Company
from crm.schema import load
from crm.stores import open_store
from crm.worker import JOBS
from crm.worker.lease import Lease
from crm.worker.run import Worker
from crm.worker.sending import client


def main() -> None:
    client()  # reading the certificates takes longer than all the work
    schema = load(sys.argv[1])
    list(JOBS)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print("ready", flush=True)
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            company = Company(schema, open_store(sys.argv[2]))
            worker = Worker(company, Lease(company.store, float(sys.argv[3])), pause=0.01)
            signal.signal(signal.SIGTERM, lambda *_: worker.stop.set())
            worker.forever()
            os._exit(0)
        print(child, flush=True)


main()
