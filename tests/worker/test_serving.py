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
from tests.worker.killing import until

PATIENCE = 150  # seconds: a busy machine takes its time to start a process


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
@pytest.mark.timeout(900)
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_server_has_a_worker_that_ends_with_it(shop, how):
    company = shop({})
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = crm(company, "serve", "--port", str(port))

    def answers() -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=20).status_code == 200
        except httpx.HTTPError:
            return False

    try:
        until(lambda: holder(company.store) is not None, what="the worker")
        worker = holder(company.store)["pid"]
        assert worker != server.pid
        until(answers, what="the server")
    finally:
        server.send_signal(how)
        server.communicate(timeout=PATIENCE)
    until(lambda: not alive(worker), what="the worker's end")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_once_does_what_is_due_and_a_dry_run_says_what_would_be(shop):
    company = shop({"mark": "entity: order\nwhen: created\nif: price > 5\nthen: {set: {note: large}}"})
    door = company.door("anna")
    door.create("order", {"name": "Ship", "price": 10})
    out, _ = crm(company, "worker", "--once", "--json").communicate(timeout=PATIENCE)
    assert {"automations", "day", "outbox", "tidy"} <= set(json.loads(out)["ran"])
    process = crm(company, "worker", "--dry-run", "mark", "--json")
    out, _ = process.communicate(timeout=PATIENCE)
    said = json.loads(out)
    assert (said["fired"], said["records"], said["hits"][0]["title"]) == (1, 1, "Ship") and process.returncode == 0
    process = crm(company, "worker", "--dry-run", "marc")
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1 and "Did you mean 'mark'?" in err and "Traceback" not in err
