"""Worker processes that tests kill, and a mail server that sees what they sent."""

from __future__ import annotations

import asyncio
import email
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from email.policy import default
from pathlib import Path

from aiosmtpd.controller import Controller

HERE = Path(__file__).parent


class Post:
    """A mail server that keeps what it takes: nothing while it is `shut`, whoever waits; told to, it kills a worker (`kills`, its number) before that
    one learns that its mail was taken."""

    def __init__(self):
        self.got: list[email.message.EmailMessage] = []
        self.kills: int | None = None
        self.shut = False

    async def handle_MAIL(self, server, session, envelope, address, options):
        while self.shut:
            await asyncio.sleep(0.01)
        envelope.mail_from = address
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.got.append(email.message_from_bytes(envelope.content, policy=default))
        if self.kills is not None:
            pid, self.kills = self.kills, None
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return "250 OK"


def posts() -> Iterator[Post]:
    """One of them on a free port, at its `url`."""
    handler = Post()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Controller(handler, hostname="127.0.0.1", port=port)
    server.start()
    handler.url = f"smtp://127.0.0.1:{port}"
    yield handler
    handler.shut = False
    server.stop()


class Workers:
    """Worker processes of one company."""

    def __init__(self, company, lease: float, env: dict[str, str]):
        folder, data = company.schema.folder, company.store.path
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "workers.py"), str(folder), data, str(lease)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **env, "PYTHONPATH": str(HERE.parent.parent)},
        )  # fmt: skip
        self.alive: set[int] = set()
        assert self.process.stdout.readline() == "ready\n"

    def start(self) -> int:
        self.process.stdin.write("one\n")
        self.process.stdin.flush()
        self.alive.add(pid := int(self.process.stdout.readline()))
        return pid

    def kill(self, pid: int) -> None:
        self.alive.discard(pid)
        with suppress(ProcessLookupError):  # it ended by itself
            os.kill(pid, signal.SIGKILL)

    def close(self) -> None:
        for pid in [*self.alive]:
            self.kill(pid)
        self.process.stdin.close()
        self.process.wait(timeout=150)


def until(condition, seconds=150.0, what="it"):
    """Wait for something another process does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what} did not happen"
        threading.Event().wait(0.002)
