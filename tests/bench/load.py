"""How many people the server bears: signed-in sessions over websockets (no browser) that each do something every few seconds.

    python tests/bench/load.py [--n 10000] [--store PATH] [--sessions 20] [--processes 1] [--seconds 30] [--every 3] [--json]

Each session turns to a list, a record, a board or a dashboard, or saves a field of a record, and waits until the server says that the
page is there. Printed: p50 and p95 of what the user waits, errors, the server's share of a core, its memory and what a session takes.
Goal on two cores: `--sessions 80 --processes 2`, p95 at most 600 ms, no errors (JOBS.md).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import connect

sys.path.insert(0, str(Path(__file__).parent))
from jobs import Data, Product

from crm.schema import shipped

PASSWORD = "a long enough secret"
PATIENCE = 30.0  # seconds; what takes longer has failed
TICKS = os.sysconf("SC_CLK_TCK")


class Server:
    """`crm serve` as a process of its own, with all its children."""

    def __init__(self, store: Path, processes: int):
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = one.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "crm.cli", "--config", str(shipped("sales")), "--data", str(store)]
        more = ["serve", "--port", str(self.port), "--processes", str(processes), "--no-worker"]
        self.process = subprocess.Popen([*command, *more], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                if httpx.get(self.address + "/healthz", timeout=5).status_code == 200:
                    return
            except httpx.HTTPError:
                time.sleep(0.2)
            if self.process.poll() is not None:
                break
        raise SystemExit(
            "The server did not start: " + (self.process.stderr.read() if self.process.stderr and self.process.poll() is not None else "")
        )

    def family(self) -> list[int]:
        """The process and those it started."""
        found, parents = [self.process.pid], {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                except OSError:
                    continue
        for _ in range(3):
            found += [pid for pid, parent in parents.items() if parent in found and pid not in found]
        return found

    def cpu(self) -> float:
        """Seconds of processor time so far."""
        total = 0
        for pid in self.family():
            try:
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                total += int(fields[11]) + int(fields[12])
            except OSError:
                continue
        return total / TICKS

    def memory(self) -> float:
        """MB of memory of its own."""
        total = 0
        for pid in self.family():
            try:
                total += sum(
                    int(line.split()[1])
                    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
                    if line.startswith("Private_")
                )
            except OSError:
                continue
        return total / 1024

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()


def found_in(node: Any, test: Any) -> Any:
    """The first dict of a JSON document that passes a test."""
    if isinstance(node, dict):
        if test(node):
            return node
        node = list(node.values())
    if isinstance(node, list):
        for one in node:
            if (found := found_in(one, test)) is not None:
                return found
    return None


def part(document: Any, name: str) -> dict[str, Any] | None:
    """The model of a part by the name of its class."""
    return found_in(document, lambda one: isinstance(one.get("attributes"), dict) and one["attributes"].get("class_name") == name)


class Session:
    """One window of one user."""

    def __init__(
        self,
        server: Server,
        cookie: str,
        number: int,
        pages: list[str],
        records: list[int],
        times: dict[str, list[float]],
        errors: Counter[str],
    ):
        self.server, self.cookie, self.pages, self.records, self.times, self.errors = server, cookie, pages, records, times, errors
        self.pick = random.Random(number)
        self.count, self.at = 0, ""

    async def open(self) -> None:
        """The page and its websocket."""
        start = time.perf_counter()
        async with httpx.AsyncClient(
            base_url=self.server.address, headers={"cookie": self.cookie, "accept": "text/html"}, timeout=PATIENCE
        ) as http:
            page = (await http.get("/")).text
        token = re.search(r'"token":\s*"([^"]+)"', page)
        if token is None:
            raise RuntimeError("no page: " + page[:200])
        address = self.server.address.replace("http", "ws") + "/ws"
        more = {"origin": self.server.address, "additional_headers": {"Cookie": self.cookie}, "max_size": None, "open_timeout": PATIENCE}
        self.socket = await connect(address, subprotocols=["bokeh", token[1]], **more)
        await self.message("ACK")
        await self.send("PULL-DOC-REQ", {})
        document = json.loads(await self.message("PULL-DOC-REPLY"))
        frame = part(document, "Frame")
        assert frame is not None, "no frame in the page"
        self.data = frame["attributes"]["data"]["id"]
        self.times["first visit"].append(time.perf_counter() - start)

    async def send(self, kind: str, content: Any) -> None:
        self.count += 1
        for one in ({"msgid": str(self.count), "msgtype": kind}, {}, content):
            await self.socket.send(json.dumps(one))

    async def message(self, *kinds: str, saying: str = "") -> str:
        """The content of the next message of these kinds that has a text in it."""
        async with asyncio.timeout(PATIENCE):
            while True:
                header = json.loads(await self.socket.recv())
                await self.socket.recv()
                content = str(await self.socket.recv())
                for _ in range(2 * header.get("num_buffers", 0)):
                    await self.socket.recv()
                if header["msgtype"] == "ERROR":
                    raise RuntimeError(content[:200])
                if header["msgtype"] in kinds and saying in content:
                    return content

    async def turn(self, query: str, watch: str = "") -> Any:
        """To a page; with `watch` the model of that part in what came."""
        seen, self.at = None, query
        await self.send("PATCH-DOC", {"events": [{"kind": "ModelChanged", "model": {"id": self.data}, "attr": "query", "new": query}]})
        while True:
            content = await self.message("PATCH-DOC")
            if watch and f'"{watch}"' in content:
                seen = part(json.loads(content), watch) or seen
            if '"there"' in content:
                return seen

    async def act(self) -> None:
        """One click: a page, or a field of a record saved."""
        kind = self.pick.choice(["list", "list", "record", "record", "board", "dashboard", "save"])
        start = time.perf_counter()
        try:
            if kind in ("record", "save"):
                others = [one for one in self.records if not self.at.endswith(f"={one}")]
                facts = await self.turn(f"view=record&entity=opportunity&id={self.pick.choice(others)}", "Facts")
                if kind == "save" and facts is not None:
                    start = time.perf_counter()
                    said = [["type", "save"], ["ask", 1], ["field", "amount"], ["value", str(self.pick.randrange(10, 900) * 100)]]
                    values = {"type": "map", "entries": [["model", {"id": facts["id"]}], ["data", {"type": "map", "entries": said}]]}
                    event = {"type": "event", "name": "data_event", "values": values}
                    await self.send("PATCH-DOC", {"events": [{"kind": "MessageSent", "msg_type": "bokeh_event", "msg_data": event}]})
                    answer = await self.message("PATCH-DOC", saying='"re"')
                    if '"error"' in answer:
                        raise RuntimeError("save: " + answer[:300])
            else:
                there = [one for one in self.pages if one.startswith(f"view={kind}") and one != self.at]
                if not there:  # a second click on the same link does nothing
                    return
                await self.turn(self.pick.choice(there))
            self.times[kind].append(time.perf_counter() - start)
        except Exception as error:
            self.errors[f"{kind}: {type(error).__name__} {str(error)[:300]}"] += 1

    async def live(self, until: float, every: float) -> None:
        await asyncio.sleep(self.pick.random() * every)
        while time.monotonic() < until:
            begin = time.monotonic()
            await self.act()
            await asyncio.sleep(max(0.0, every * self.pick.uniform(0.7, 1.3) - (time.monotonic() - begin)))
        await self.socket.close()


async def sign_in(server: Server, login: str) -> str:
    async with httpx.AsyncClient(
        base_url=server.address, timeout=PATIENCE, headers={"accept": "text/html", "origin": server.address}
    ) as http:
        form = (await http.get("/signin")).text.split("</form>")[0]
        hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
        await http.post("/signin", data={**hidden, "login": login, "password": PASSWORD})
        return "; ".join(f"{one.name}={one.value}" for one in http.cookies.jar)


async def drive(server: Server, product: Product, options: argparse.Namespace) -> dict[str, Any]:
    times: dict[str, list[float]] = {name: [] for name in ("first visit", "list", "record", "board", "dashboard", "save")}
    errors: Counter[str] = Counter()
    pages = [
        *(f"view=list&entity=opportunity&v={one}" for one in ("", "mine", "overdue", "won")), "view=list&entity=account", "view=list&entity=contact&page=3",
        "view=board&pipeline=b2b", "view=dashboard&name=rep",
    ]  # fmt: skip
    people = min(10, options.sessions)
    cookies = [await sign_in(server, f"rep{number}") for number in range(people)]
    empty = server.memory()
    sessions = []
    for number in range(options.sessions):
        mine = [product.opportunities[at] for at, row in enumerate(product.data.opportunities[:20_000]) if row[5] == number % people][:400]
        one = Session(server, cookies[number % people], number, pages, mine, times, errors)
        await one.open()
        sessions.append(one)
    cpu, begin = server.cpu(), time.monotonic()
    await asyncio.gather(*(one.live(begin + options.seconds, options.every) for one in sessions))
    lasted = time.monotonic() - begin
    busy = (server.cpu() - cpu) / lasted
    memory = server.memory()
    acts = sorted(value * 1000 for name, values in times.items() if name != "first visit" for value in values)
    return {
        "n": options.n, "sessions": options.sessions, "processes": options.processes, "seconds": round(lasted), "acts": len(acts),
        "p50_ms": round(statistics.median(acts)) if acts else None, "p95_ms": round(acts[int(len(acts) * 0.95)]) if acts else None,
        "errors": dict(errors), "server_cores": round(busy, 2), "cpu_ms_an_act": round(busy * lasted * 1000 / max(1, len(acts))),
        "memory_mb": round(memory), "mb_a_session": round((memory - empty) / options.sessions, 1), "load": [round(one, 1) for one in os.getloadavg()],
        "by_act": {name: {"n": len(values), "p50_ms": round(statistics.median(values) * 1000)} for name, values in times.items() if values},
    }  # fmt: skip


def main() -> None:
    from crm.server.passwords import Passwords

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=10_000)
    parser.add_argument("--store", help="keep the data here and use it again (default: a temporary file)")
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--every", type=float, default=3, help="seconds between two acts of a session")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(options.store or Path(scratch) / "bench.db")
        product = Product(Data(options.n), path)
        passwords = Passwords(product.company.store)
        for user in product.users:
            passwords.set(user, PASSWORD, by="bench")
        product.company.store.close()
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the server goes, too
        server = Server(path, options.processes)
        try:
            found = asyncio.run(drive(server, product, options))
        finally:
            server.stop()
    if options.json:
        print(json.dumps(found))
        return
    print(
        f"{found['sessions']} sessions in {found['processes']} process(es) over {found['n']:,} records, {found['seconds']} s, load {found['load']}"
    )
    print(f"acts {found['acts']}  p50 {found['p50_ms']} ms  p95 {found['p95_ms']} ms  errors {sum(found['errors'].values())}")
    print(
        f"server: {found['server_cores']} cores, {found['cpu_ms_an_act']} ms an act, {found['memory_mb']} MB, {found['mb_a_session']} MB a session"
    )
    for name, row in found["by_act"].items():
        print(f"  {name:12} {row['n']:5} times  p50 {row['p50_ms']:6} ms")
    for text, times in found["errors"].items():
        print(f"  {times} x {text}")


if __name__ == "__main__":
    main()
