"""A worker in a process of its own beside the server: it ends when the server does, however that ends."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

log = logging.getLogger("crm.worker")

#: Seconds a worker has to finish what it is at when it is told to end.
PATIENCE = 10.0


class Beside:
    """A worker process. It reads its standard input, which this process holds open: when this one is gone, by whatever death, the
    worker sees the end of it and stops."""

    def __init__(self, config: str | Path, data: str) -> None:
        command = [sys.executable, "-m", "crm.cli", "--config", str(config), "--data", str(data), "worker", "--with-parent"]
        self.process: subprocess.Popen[bytes] | None = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)

    def stop(self) -> None:
        """Tell it to end, and wait until it has."""
        process, self.process = self.process, None
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            log.warning("the worker did not end in time")
            process.kill()
            process.wait()

    def __enter__(self) -> Beside:
        return self

    def __exit__(self, *_: Any) -> None:
        self.stop()


def wanted() -> bool:
    """Whether a server starts a worker: not with `CRM_WORKER=off`, where workers are run apart."""
    return os.environ.get("CRM_WORKER", "").lower() not in ("off", "no", "0", "false")
