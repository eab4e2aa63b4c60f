"""How long a user waits: a real Chromium against the real server over a store of N records (the data of `jobs.py`).

    python tests/bench/screens.py --n 10000 [--store PATH] [--json] [--rounds 10]

Prints p50 and the worst of ten rounds, in ms, from the act (click, key, address) to the result being visible.
Goals at 100,000 (JOBS.md): record and list 300, page flip and search 200, save and drop 300, dashboard 1,500, first visit 1,500.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from jobs import Data, Product

ARGS = "--no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update --disable-sync".split()
GOALS = {
    "first visit": 1500, "list": 300, "flip": 200, "sort": 300, "filter": 300, "record": 300, "save": 300, "drop": 300, "search": 200, "dashboard": 1500,
}  # fmt: skip


def serve(product: Product) -> tuple[str, Any]:
    """The server on a free port, and the one user of the benchmark with a password."""
    import socket

    import uvicorn

    from crm.server.site import Site

    site = Site(product.company, watch=False)
    site.passwords.set(product.users[0], "a long enough secret", by="bench")
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(site, host="127.0.0.1", port=port, log_level="warning"))
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(0.05)
    return f"http://127.0.0.1:{port}", server


class Walk:
    """One signed-in window and the times of what is done in it."""

    def __init__(self, browser: Any, address: str, product: Product):
        self.address, self.product, self.times = address, product, {name: [] for name in GOALS}
        self.page = browser.new_page(viewport={"width": 1280, "height": 800})
        self.page.goto(address)
        self.page.get_by_label("Name or e-mail").fill("rep0")
        self.page.locator("#password").fill("a long enough secret")
        self.page.get_by_role("button", name="Sign in").click()
        self.page.get_by_role("button", name="Search or jump to…").first.wait_for(timeout=60_000)

    def time(self, name: str, act: Callable[[], Any], seen: Callable[[], Any]) -> None:
        start = time.perf_counter()
        act()
        seen()
        self.times[name].append((time.perf_counter() - start) * 1000)

    def round(self, number: int) -> None:
        page, row = self.page, self.page.locator("table.grid tbody tr")
        first = row.first.locator("a").first
        self.time("first visit", lambda: page.goto(f"{self.address}/?view=list&entity=opportunity&v=mine"), lambda: row.nth(5).wait_for())
        page.get_by_role("navigation", name="Main").get_by_role("link", name="Accounts").click()
        page.locator("[aria-current=page]", has_text="Accounts").first.wait_for()
        link = page.get_by_role("navigation", name="Main").get_by_role("link", name="Opportunities")
        self.time("list", link.click, lambda: page.get_by_role("columnheader", name="Decision").wait_for())
        row.nth(5).wait_for()
        before = first.inner_text()
        other = lambda: page.wait_for_function(  # noqa: E731
            "was => { const f = (r) => { for (const e of r.querySelectorAll('*')) { if (e.shadowRoot) { const x = f(e.shadowRoot); if (x) return x }"
            " if (e.matches('table.grid tbody tr a')) return e.textContent } }; const x = f(document); return x && x !== was }",
            arg=before,
        )
        self.time("flip", page.get_by_role("link", name="Next page").click, other)
        before = first.inner_text()
        self.time("sort", page.get_by_role("columnheader", name="Decision").get_by_role("button").first.click, other)
        self.time(
            "filter",
            page.get_by_role("link", name="Overdue").first.click,
            lambda: page.locator("nav.tabs [aria-current=page]", has_text="Overdue").wait_for(),
        )
        page.goto(f"{self.address}/?view=list&entity=opportunity&v=mine")
        row.nth(5).wait_for()
        title = row.nth(number % 5).locator("a").first.inner_text()
        self.time(
            "record", row.nth(number % 5).locator("a").first.click, lambda: page.get_by_role("heading", name=title, level=1).wait_for()
        )
        page.get_by_role("button", name="Value:").first.click()
        box, amount = page.get_by_role("textbox", name="Value"), 40_000 + number * 10
        box.fill(str(amount))
        self.time("save", lambda: box.press("Enter"), lambda: page.get_by_role("button", name=f"Value: €{amount:,}").wait_for())
        page.keyboard.press("Control+k")
        box = page.get_by_role("combobox", name="Search or jump to…")
        box.wait_for()
        letters = self.product.data.accounts[number * 2].split()[0][:3]
        self.time("search", lambda: box.press_sequentially(letters), lambda: page.get_by_role("option").nth(1).wait_for())
        page.keyboard.press("Escape")
        page.goto(f"{self.address}/?view=board&pipeline=b2b")
        card = page.get_by_role("region", name="Offer").get_by_role("article").first
        card.wait_for()
        name = card.get_attribute("aria-label") or ""
        card.focus()
        self.time(
            "drop",
            lambda: page.keyboard.press("ArrowRight"),
            lambda: page.get_by_role("region", name="Negotiation").get_by_role("article", name=name).first.wait_for(),
        )
        self.time(
            "dashboard",
            lambda: page.goto(f"{self.address}/?view=dashboard&name=rep"),
            lambda: page.locator("header.cardhead").first.wait_for(),
        )


def main() -> None:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=10_000)
    parser.add_argument("--store")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as play:
        product = Product(Data(options.n), Path(options.store or Path(scratch) / "bench.db"))
        address, server = serve(product)
        browser = play.chromium.launch(executable_path=os.environ.get("CHROMIUM") or shutil.which("chromium"), args=ARGS)
        walk = Walk(browser, address, product)
        for number in range(options.rounds):
            walk.round(number)
            print(f"round {number + 1}", file=sys.stderr)
        browser.close()
        server.should_exit = True
        found = {
            name: {"p50_ms": round(statistics.median(times)), "worst_ms": round(max(times)), "goal_ms": GOALS[name]}
            for name, times in walk.times.items()
        }
        if options.json:
            print(json.dumps({"n": options.n, "screens": found}))
        else:
            for name, row in found.items():
                print(f"{name:12} p50 {row['p50_ms']:6} ms   worst {row['worst_ms']:6} ms   goal {row['goal_ms']:5} ms")


if __name__ == "__main__":
    main()
