"""A real server over a copy of the demo company, and a browser before it. Every test module has its own copy to write in.

    def test_x(rep): rep.goto("view=home") …           # a page signed in as a sales rep
    def test_y(sign_in): page = sign_in("manager", width=390)
"""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, Page, expect, sync_playwright

ARGS = "--no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update --disable-sync --disable-dev-shm-usage".split()
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
expect.set_options(timeout=12_000)


def pytest_collection_modifyitems(items: list[Any]) -> None:
    for item in items:
        if "/tests/ui/" in str(item.path):
            item.add_marker(pytest.mark.ui)
            if not CHROMIUM:
                item.add_marker(pytest.mark.skip(reason="no Chromium on this machine"))


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@dataclass
class Running:
    """A running server: `address`, the `company` behind it, `site`."""

    address: str
    company: Any
    site: Any
    config: Any = None
    halt: Callable[[], None] = field(default=lambda: None)

    def user(self, role: str) -> int:
        """The first active user of a role, by id."""
        users = self.company.schema.users
        from crm.records import SYSTEM
        for record in self.company.door(SYSTEM).list(users.entity, limit=500, order=["id"]):
            if record.get(users.role) == role and (not users.active or record.get(users.active)):
                return record.id
        raise LookupError(role)


def serve(company: Any, watch: bool = False) -> Running:
    """Starts the server of a company in a thread; `halt()` stops it."""
    import uvicorn

    from crm.server.site import Site

    site, port = Site(company, watch=watch), free_port()
    server = uvicorn.Server(uvicorn.Config(site, host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    for _ in range(600):
        if server.started:
            break
        time.sleep(0.05)
    assert server.started, "the server did not start"

    def halt() -> None:
        server.should_exit = server.force_exit = True
        thread.join(timeout=15)
    return Running(f"http://127.0.0.1:{port}", company, site, halt=halt)


def running_over(store_file: Any, config: str, folder: Any) -> Iterator[Running]:
    from crm.records import Company
    from crm.schema import load, shipped
    from crm.stores import open_store

    store = open_store(str(shutil.copy(store_file, folder / f"{config}.db")))
    run = serve(Company(load(shipped(config)), store))
    yield run
    run.halt()
    store.close()


@pytest.fixture(scope="module")
def server(demo_store, tmp_path_factory) -> Iterator[Running]:
    """The sales demo on a free port."""
    yield from running_over(demo_store, "sales", tmp_path_factory.mktemp("ui"))


@pytest.fixture(scope="module")
def charity(nonprofit_store, tmp_path_factory) -> Iterator[Running]:
    """The nonprofit demo on a free port."""
    yield from running_over(nonprofit_store, "nonprofit", tmp_path_factory.mktemp("ui"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as play:
        one = play.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield one
        one.close()


@dataclass
class Window:
    """A page of somebody who signed in; `errors` and `outside` collect what must stay empty. Everything else is Playwright's page."""

    page: Page
    run: Running
    errors: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.page, name)

    def goto(self, query: str = "view=home") -> None:
        """Opens an address of the app and waits until its body stands."""
        self.page.goto(f"{self.run.address}/?{query}")
        self.ready()

    def ready(self) -> None:
        self.page.wait_for_selector("nav.side", state="attached", timeout=30_000)
        self.page.locator("main .root").first.wait_for(state="attached", timeout=30_000)
        self.page.locator("body[aria-busy=false]").wait_for(state="attached", timeout=30_000)

    def seen(self) -> None:
        """Looks at every card of the page: they are made when they come near the window."""
        waiting, deadline = self.page.locator(".awaited"), time.monotonic() + 60
        while waiting.count():
            assert time.monotonic() < deadline, "a card was not made"
            self.page.evaluate("""() => { const find = n => { for (const c of n.children) { if (c.matches('.awaited')) return c; const hit = find(c) || (c.shadowRoot && find(c.shadowRoot)); if (hit) return hit } };
                find(document.body)?.scrollIntoView({block: 'center'}) }""")
            self.page.wait_for_timeout(50)

    def until(self, true: Callable[[], Any], what: str = "") -> Any:
        """Waits until the server knows what `true` asks for; for what the screen does not tell."""
        deadline = time.monotonic() + 12
        while not (found := true()):
            assert time.monotonic() < deadline, what or "it did not happen"
            self.page.wait_for_timeout(20)
        return found

    def door(self, login: str | None = None) -> Any:
        from crm.records import SYSTEM
        return self.run.company.door(self.run.company.actor(login) if login else SYSTEM)


def window(browser: Browser, run: Running, user: int, width: int = 1280, height: int = 800, dark: bool = False, **more: Any) -> Window:
    context = browser.new_context(viewport={"width": width, "height": height}, has_touch=width < 500, **more)
    token, _ = run.site.sessions.begin(user, "127.0.0.1", "test")
    context.add_cookies([{"name": run.site.sessions.cookie, "value": token, "url": run.address}])
    page = context.new_page()
    one = Window(page, run)
    page.on("pageerror", lambda error: one.errors.append(str(error)))
    page.on("console", lambda message: one.errors.append(message.text) if message.type == "error" else None)
    own = (run.address, run.address.replace("http", "ws"), "blob:", "data:")
    def asked(url: str) -> None:
        one.requests.append(url)
        if not url.startswith(own):
            one.outside.append(url)

    page.on("request", lambda request: asked(request.url))
    page.on("websocket", lambda socket: asked(socket.url))                                # Playwright's requests know nothing of these
    if dark:
        company = run.company
        company.door(company.actor(user)).prefer("dark", True)
    return one


@pytest.fixture
def sign_in(browser, server) -> Iterator[Callable[..., Window]]:
    """`sign_in("rep", width=390)`: a window of the first user of a role (or of a user by id)."""
    opened: list[Window] = []

    def open_one(role: str | int = "rep", run: Running | None = None, **more: Any) -> Window:
        at = run or server
        one = window(browser, at, at.user(role) if isinstance(role, str) else role, **more)
        opened.append(one)
        return one
    yield open_one
    for one in opened:
        one.page.context.close()


@pytest.fixture
def rep(sign_in) -> Window:
    return sign_in("rep")


@pytest.fixture
def manager(sign_in) -> Window:
    return sign_in("sales_manager")


@pytest.fixture
def admin(sign_in) -> Window:
    return sign_in("admin")


@pytest.fixture
def phone(sign_in) -> Window:
    return sign_in("rep", width=390, height=844)
