"""`crm serve` has a worker beside it that ends with it, and `crm worker` on the command line (B12)."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys

import httpx
import pytest

from crm.worker.lease import holder
from tests.worker.test_killed import until


def crm(company, *arguments: str, **more) -> subprocess.Popen:
    command = [sys.executable, "-m", "crm.cli", "--config", str(company.schema.folder), "--data", company.store.path, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_server_has_a_worker_that_ends_with_it(shop, how):
    company = shop({})
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = crm(company, "serve", "--port", str(port))

    def answers() -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    try:
        until(lambda: holder(company.store) is not None, 60, "the worker")
        worker = holder(company.store)["pid"]
        assert worker != server.pid
        until(answers, 60, "the server")
    finally:
        server.send_signal(how)
        server.communicate(timeout=30)
    until(lambda: not alive(worker), 20, "the worker's end")


@pytest.mark.slow
def test_once_does_what_is_due_and_a_dry_run_says_what_would_be(shop):
    company = shop({"mark": "entity: order\nwhen: created\nif: price > 5\nthen: {set: {note: large}}"})
    door = company.door("anna")
    door.create("order", {"name": "Ship", "price": 10})
    out, _ = crm(company, "worker", "--once", "--json").communicate(timeout=60)
    assert {"automations", "day", "outbox", "tidy"} <= set(json.loads(out)["ran"])
    process = crm(company, "worker", "--dry-run", "mark", "--json")
    out, _ = process.communicate(timeout=60)
    said = json.loads(out)
    assert (said["fired"], said["records"], said["hits"][0]["title"]) == (1, 1, "Ship") and process.returncode == 0
    process = crm(company, "worker", "--dry-run", "marc")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1 and "Did you mean 'mark'?" in err and "Traceback" not in err
