"""A real server over a copy of the demo company, and a browser before it. Every test module has its own copy to write in.

    def test_x(rep): rep.goto("view=home") …           # a page signed in as a sales rep
    def test_y(sign_in): page = sign_in("manager", width=390)

A test never waits for a time, always for what it needs next; the limits are there to end what hangs, on the slowest machine."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

ARGS = "--no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update --disable-sync --disable-dev-shm-usage --in-process-gpu".split()
#: What the browser would do beside its pages: a second renderer for the address bar of each window costs more than most of our pages.
ARGS.append("--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup,AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,HttpsUpgrades,"
            "HttpsFirstBalancedModeAutoEnable,LensOverlay,MediaRouter,PaintHolding,ThirdPartyStoragePartitioning,AvoidCorsURLLoaderRestartOnRedirect,OptimizationHints,"
            "NetworkTimeServiceQuerying,AimEnabled,PreconnectToSearch")
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PATIENCE = 120                           # seconds until something that should come is given up
expect.set_options(timeout=PATIENCE * 1000)
#: Files that take longest: they begin first, so that no worker is left with one at the end (`--dist loadfile --no-loadscope-reorder`).
LONGEST = ("test_charity", "test_markup", "test_pages", "test_roles", "test_frame", "test_form", "test_list", "test_record", "test_process", "test_reports")


def pytest_collection_modifyitems(items: list[Any]) -> None:
    for item in items:
        if "/tests/ui/" in str(item.path):
            item.add_marker(pytest.mark.ui)
            item.add_marker(pytest.mark.timeout(PATIENCE * 12))
            if not CHROMIUM:
                item.add_marker(pytest.mark.skip(reason="no Chromium on this machine"))
    items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))


class Ports:
    """Ports of this test process, each lent to one server at a time and used again: the browser still has what it loaded from there."""

    def __init__(self) -> None:
        self.free: list[int] = []

    def take(self) -> int:
        if self.free:
            return self.free.pop()
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            return one.getsockname()[1]


PORTS = Ports()


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
    """Starts the server of a company in a thread, on the port that came free last; `halt()` stops it."""
    import uvicorn

    from crm.server.site import Site

    site, port = Site(company, watch=watch), PORTS.take()
    server = uvicorn.Server(uvicorn.Config(site, host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + PATIENCE
    while not server.started:
        assert thread.is_alive() and time.monotonic() < deadline, "the server did not start"
        time.sleep(0.02)

    def halt() -> None:
        server.should_exit = server.force_exit = True
        thread.join(timeout=PATIENCE)
        if not thread.is_alive():
            PORTS.free.append(port)
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
    from crm.views import app

    app.STAY.update(words=PATIENCE, acts=PATIENCE)           # what a test wants to read or press is still there on a slow machine
    with sync_playwright() as play:
        one = play.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield one
        one.close()


class Rooms:
    """Browser contexts, each lent to one window at a time and used again: code once loaded and compiled is there, cookies and storage are not."""

    def __init__(self, browser: Browser, jitter: int | None = None) -> None:
        self.browser, self.jitter = browser, jitter
        self.free: dict[bool, list[BrowserContext]] = {True: [], False: []}

    def page(self, address: str, touch: bool) -> Page:
        """A page in a context that knows nothing of an address."""
        context = self.free[touch].pop() if self.free[touch] else self.browser.new_context(has_touch=touch, reduced_motion="reduce")
        context.set_default_timeout(PATIENCE * 1000)
        page = context.new_page()
        if self.jitter is not None:
            page.add_init_script(Path(__file__).with_name("jitter.js").read_text(encoding="utf-8").replace("SEED", str(self.jitter)))
        context.clear_cookies()
        devtools = context.new_cdp_session(page)
        devtools.send("Storage.clearDataForOrigin", {"origin": address, "storageTypes": "local_storage,indexeddb"})
        devtools.detach()
        return page

    def back(self, context: BrowserContext, touch: bool) -> None:
        for page in context.pages:
            page.close()
        self.free[touch].append(context)


@pytest.fixture(scope="session")
def rooms(browser, pytestconfig) -> Rooms:
    return Rooms(browser, pytestconfig.getoption("--jitter"))


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
        """To an address, as by a link: the app's own router leads there; where the app is not open yet, or shows this very address, it is loaded."""
        if not self.page.url.startswith(f"{self.run.address}/?") or self.page.url.partition("?")[2] == query:
            return self.load(query)
        self.hush()                      # messages of the page before
        self.page.evaluate("query => dispatchEvent(new CustomEvent('crm:go', {detail: query}))", query)
        self.ready()

    def hush(self) -> None:
        """Closes all messages."""
        self.page.locator(".toasts [data-act=off]").evaluate_all("all => all.forEach(one => one.click())")

    def told(self) -> None:
        """Waits until what was just done is told, and closes that: the next message is then the only one."""
        self.page.locator(".toasts").get_by_role("button", name="Undo").wait_for()
        self.hush()

    def load(self, query: str = "view=home") -> None:
        """Opens an address as one typed or sent: all of the app is loaded."""
        self.page.goto(f"{self.run.address}/?{query}")
        self.ready()

    def ready(self) -> None:
        """Waits until the page that was asked for last stands and no question is under way."""
        for part in ("nav.side", "main .root", "body[aria-busy=false]"):
            self.page.locator(part).first.wait_for(state="attached")

    def seen(self) -> None:
        """Looks at every card of the page: they are made when they come near the window."""
        waiting, left, deadline = self.page.locator(".awaited"), 0, 0.0
        while now := waiting.count():
            if now != left:
                left, deadline = now, time.monotonic() + PATIENCE
            assert time.monotonic() < deadline, "a card was not made"
            self.page.evaluate("""() => { const find = n => { for (const c of n.children) { if (c.matches('.awaited')) return c; const hit = find(c) || (c.shadowRoot && find(c.shadowRoot)); if (hit) return hit } };
                find(document.body)?.scrollIntoView({block: 'center'}) }""")
            self.page.wait_for_timeout(20)

    def until(self, true: Callable[[], Any], what: str = "") -> Any:
        """Waits until the server knows what `true` asks for; for what the screen does not tell."""
        deadline = time.monotonic() + PATIENCE
        while not (found := true()):
            assert time.monotonic() < deadline, what or "it did not happen"
            self.page.wait_for_timeout(20)
        return found

    def door(self, login: str | None = None) -> Any:
        from crm.records import SYSTEM
        return self.run.company.door(self.run.company.actor(login) if login else SYSTEM)

    def dark(self, on: bool) -> None:
        """The preference of the user, chosen in the menu of the frame as users do."""
        if bool(self.page.locator(".mui-dark").count()) == on:
            return
        self.page.get_by_role("button", name="Your menu").click()
        self.page.get_by_role("menuitem", name="Dark mode" if on else "Light mode").click()
        self.page.locator(".mui-dark" if on else ".mui-light").first.wait_for(state="attached")
        self.ready()


def window(rooms: Rooms, run: Running, user: int, width: int = 1280, height: int = 800, dark: bool = False) -> Window:
    page = rooms.page(run.address, touch=width < 500)
    token, _ = run.site.sessions.begin(user, "127.0.0.1", "test")
    page.context.add_cookies([{"name": run.site.sessions.cookie, "value": token, "url": run.address}])
    page.set_viewport_size({"width": width, "height": height})
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
    door = run.company.door(run.company.actor(user))
    if bool(door.preference("dark", False)) != dark:
        door.prefer("dark", dark)
    return one


@pytest.fixture
def sign_in(rooms, request) -> Iterator[Callable[..., Window]]:
    """`sign_in("rep", width=390)`: a window of the first user of a role (or of a user by id); `run` a server other than the sales demo's."""
    opened: list[tuple[BrowserContext, bool]] = []

    def open_one(role: str | int = "rep", run: Running | None = None, **more: Any) -> Window:
        at = run or request.getfixturevalue("server")
        one = window(rooms, at, at.user(role) if isinstance(role, str) else role, **more)
        opened.append((one.page.context, more.get("width", 1280) < 500))
        return one
    yield open_one
    for context, touch in opened:
        rooms.back(context, touch)


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
