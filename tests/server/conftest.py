"""A small company on a running server; every test module gets one of its own."""

from __future__ import annotations

import re
import socket
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

CRM = """
extends: base
title: Test & Co
currency: EUR
languages: [en, pl]
"""
THING = """
entity: thing
label: Thing
title: "{name}"
owner: owner
fields:
  name: {type: text, required: true}
  owner: {type: user, default: me}
  secret: {type: text}
  papers: {type: files}
  hidden_papers: {type: files}
list: {columns: [name, owner], sort: [name]}
form: {General: [[name, owner], [secret], [papers, hidden_papers]]}
"""
CLERK = """
role: clerk
label: Clerk
rights:
  thing: {see: own, create: all, change: own, delete: own, export: own, hide: [secret, hidden_papers]}
  user: {see: all}
  team: {see: all}
"""
USER = """
entity: user
fields:
  role: {type: choice, required: true, options: {admin: Administrator, clerk: Clerk}}
"""
GOOD = "a long enough secret"


def configuration(folder: Path) -> Path:
    """The configuration of these tests, written into a folder."""
    for name, text in {"crm.yaml": CRM, "entities/thing.yaml": THING, "roles/clerk.yaml": CLERK, "entities/user.yaml": USER}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.lstrip(), encoding="utf-8")
    return folder


def people(company) -> dict[str, int]:
    """Anna (admin), Carl and Cleo (clerks), Gone (inactive); all have the same good password."""
    from crm.records import SYSTEM
    from crm.server.passwords import Passwords

    door, passwords, found = company.door(SYSTEM), Passwords(company.store), {}
    for login, role, active in (("anna", "admin", True), ("carl", "clerk", True), ("cleo", "clerk", True), ("gone", "clerk", False)):
        record = door.create("user", {"name": login.title(), "login": login, "role": role, "active": active})
        passwords.set(record.id, GOOD)
        found[login] = record.id
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running(site):
    """The site on a real server, for as long as the block lasts; gives its address."""
    import uvicorn

    port = free_port()
    server = uvicorn.Server(uvicorn.Config(site, host="127.0.0.1", port=port, log_level="error", server_header=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 150
    while not server.started and time.monotonic() < until:
        time.sleep(0.02)
    assert server.started
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=120)


class Browser:
    """What a browser does: keeps cookies, sends its origin with a post, asks for pages."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.http = httpx.Client(base_url=address, follow_redirects=False, timeout=120, headers={"accept": "text/html"})

    def get(self, path: str, **more):
        return self.http.get(path, **more)

    def post(self, path: str, data=None, origin: str | None = "own", **more):
        headers = dict(more.pop("headers", {}))
        if origin is not None:
            headers["origin"] = self.address if origin == "own" else origin
        return self.http.post(path, data=data or {}, headers=headers, **more)

    def form(self, path: str = "/signin") -> dict[str, str]:
        """The hidden fields of a page's first form."""
        text = self.get(path).text
        return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', text.split("</form>")[0]))

    def sign_in(self, login: str, password: str = GOOD, onward: str = "/"):
        return self.post("/signin", {**self.form(f"/signin?next={onward}"), "login": login, "password": password})

    @property
    def cookie(self) -> str:
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.http.cookies.jar)

    def page_token(self, path: str = "/") -> str:
        """The token of a page of the app, with which its websocket is opened."""
        found = re.search(r'"token":\s*"([^"]+)"', self.get(path).text)
        assert found, self.get(path).text[:500]
        return found[1]

    def socket(self, token: str, **more):
        """The page's websocket, as the browser opens it."""
        from websockets.sync.client import connect

        origin = more.pop("origin", self.address)
        cookie = more.pop("cookie", self.cookie)
        headers = {"Cookie": cookie} if cookie else {}
        url = self.address.replace("http", "ws") + "/ws"
        return connect(
            url, subprotocols=["bokeh", token], origin=origin, additional_headers=headers, open_timeout=150, ping_interval=None, max_size=None, **more
        )


class Written(list):
    """What reached the server through websockets of the test's page."""


def little_page(written: Written):
    """A page with one text box that writes down what is put into it."""

    def create(company, actor, still_valid=None):
        import panel as pn

        box = pn.widgets.TextInput(placeholder="box")
        box.param.watch(lambda event: written.append((actor.login, event.new, still_valid() if still_valid else None)), "value")
        return pn.Column(pn.pane.Str(f"hello {actor.login}"), box)

    return create


@pytest.fixture(scope="session", autouse=True)
def cheap_hashes():
    """The same algorithm at its lowest cost: these tests hash hundreds of passwords."""
    from argon2 import PasswordHasher

    from crm.server import passwords

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
        passwords.nobody.cache_clear()
        yield
        passwords.nobody.cache_clear()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A served company: `.company .site .address .users .written .browser()`."""
    from crm.client import open_company
    from crm.server.site import Site

    class Place:
        written = Written()

        def browser(self, login: str | None = None) -> Browser:
            browser = Browser(self.address)
            if login:
                answer = browser.sign_in(login)
                assert answer.status_code == 303, answer.text
            return browser

    place = Place()
    folder = tmp_path_factory.mktemp("served")
    place.folder = configuration(folder / "config")
    place.data = folder / "crm.db"
    place.company = open_company(place.folder, place.data)
    place.users = people(place.company)
    place.site = Site(place.company, hosts=["127.0.0.1", "localhost"], page=little_page(place.written), metrics_token="figures please")
    with running(place.site) as address:
        place.address = address
        yield place
    place.company.store.close()


@pytest.fixture(autouse=True)
def calm(request):
    """No test is slowed down by the failures of the one before."""
    yield
    if "place" in request.fixturenames:
        request.getfixturevalue("place").site.throttle.table.truncate()
