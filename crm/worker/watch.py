"""Takes up a changed configuration while a server or a worker runs: looks at the folder every second, checks, and only then changes over."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from crm import schema as schemas
from crm.errors import ConfigError, Fault, Refused

log = logging.getLogger("crm.configuration")


def state_of(folders: Iterable[Path]) -> dict[str, tuple[int, int]]:
    """`{file: (modified, size)}` of all YAML below the folders."""
    found: dict[str, tuple[int, int]] = {}
    open_ = [str(folder) for folder in folders]
    while open_:
        folder = open_.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.name.startswith((".", "__")):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        open_.append(entry.path)
                    elif entry.name.endswith((".yaml", ".yml")):
                        stat = entry.stat()
                        found[entry.path] = (stat.st_mtime_ns, stat.st_size)
        except OSError:  # a folder that is just being replaced
            continue
    return found


class Watcher:
    """Watches a company's configuration. Faults stand in `company.config_faults` (and go to `told`); the old one stays in use then."""

    def __init__(self, company: Any, every: float = 1.0, told: Callable[[list[Fault] | None], None] = lambda faults: None) -> None:
        self.company = company
        self.every = every
        self.told = told
        self.folders = self._folders(company.schema)
        self.taken = state_of(self.folders)
        self.stop_now = threading.Event()
        self.thread: threading.Thread | None = None
        if not hasattr(company, "config_faults"):
            company.config_faults = []

    @staticmethod
    def _folders(schema: Any) -> list[Path]:
        """The configuration's folder and those it extends."""
        return [Path(folder) for folder in schema.layers or [schema.folder]]

    def start(self) -> None:
        self.thread = threading.Thread(target=self._run, name="configuration", daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.stop_now.set()
        if self.thread is not None:
            self.thread.join(timeout=10)

    def _run(self) -> None:
        before = self.taken
        while not self.stop_now.wait(self.every):
            try:
                now = state_of(self.folders)
                if now == before and now != self.taken:  # changed, and nobody is in the middle of saving
                    self.taken = now
                    self.take()
                before = now
            except Exception:
                log.exception("watching the configuration")

    def take(self) -> bool:
        """Check the folder and change over to it when it has no fault; gives whether it is now in use."""
        folder = self.company.schema.folder
        try:
            fresh = schemas.load(folder)
        except ConfigError as error:
            return self._refuse(list(error.faults))
        self.company.config_faults = []
        if fresh.hash != self.company.schema.hash:
            try:
                self.company.reload(fresh)
            except Refused as error:  # records would be left behind
                return self._refuse(self.company.stranded(fresh) or [Fault(file=str(Path(folder) / "crm.yaml"), line=1, column=1, code="data", message=str(error))])
            self.folders = self._folders(fresh)
            self.taken = state_of(self.folders)
            log.info("changed configuration in use", extra={"hash": fresh.hash})
            self.told([])
        else:
            self.told(None)
        return True

    def _refuse(self, faults: list[Fault]) -> bool:
        self.company.config_faults = faults
        log.warning("changed configuration refused", extra={"faults": [str(fault) for fault in faults[:20]], "count": len(faults)})
        self.told(faults)
        return False
