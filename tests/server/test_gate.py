"""Nobody gets past the gate: every route and the websocket, walked as a stranger, from another site, as another user."""

from __future__ import annotations

import re
import time

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from crm.server.gate import CHOOSING, OPEN, cookies_of, host_name, keyed
from tests.waiting import eventually

ALLOWED = {"/healthz", "/signin"}


def routes(site) -> list[tuple[str, set[str]]]:
    """Every path the application answers to, mounts and Panel's own included, with example values filled in."""
    found = []
    for route in site.app.routes:
        path = getattr(route, "path", "")
        path = re.sub(r"\{(\w+)(:path)?\}", lambda m: "x/y.js" if m[2] else "1", path)
        methods = set(getattr(route, "methods", None) or {"GET"})
        found.append((path or "/", methods))
        if type(route).__name__ == "Mount":
            found += [(f"{path}/", {"GET"}), (f"{path}/js/bokeh.min.js", {"GET"})]
    # Panel 1.10 answers these before the routes of the application.
    more = ["/", "/autoload.js", "/metadata", "/static/js/bokeh.min.js", "/static/extensions/panel/panel.min.js", "/components/x/y/z.js"]
    more += ["/static/extensions/panel-material-ui/panel-material-ui.bundle.js", "/favicon.ico", "/session_info", "/liveness", "/ws"]
    return found + [(path, {"GET"}) for path in more]


def test_the_walk_sees_the_routes(place):
    paths = {path for path, _ in routes(place.site)}
    assert {"/", "/signin", "/signout", "/password", "/healthz", "/metrics", "/files/1/1/1/1", "/export/1.csv"} <= paths
    assert any(path.startswith("/static") for path in paths)
    assert OPEN == ALLOWED


def test_a_stranger_is_refused_on_every_route(place):
    stranger = place.browser()
    answered = {}
    for path, methods in routes(place.site):
        for method in sorted((methods | {"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"}) - {"CONNECT"}):
            for origin in (place.address, None):
                headers = {"accept": "*/*"} | ({"origin": origin} if origin else {})
                answer = stranger.http.request(method, path, headers=headers)
                if path in ALLOWED:
                    continue
                answered[method, path, origin] = answer.status_code
                assert answer.status_code in (401, 403), (method, path, answer.status_code, answer.text[:200])
    assert len(answered) > 100


def test_the_open_paths_tell_a_stranger_nothing_of_the_company(place):
    stranger = place.browser()
    text = stranger.get("/signin").text + stranger.get("/healthz").text
    assert "anna" not in text.lower()
    assert stranger.get("/healthz").json() == {"ok": True, "store": "ok", "configuration": "ok", "faults": 0}


@pytest.mark.parametrize(
    "path",
    [
        "//healthz/../", "/healthz/", "/healthz/x", "/healthz/../export/thing.csv", "/signin/../files/thing/1/papers/0", "/SIGNIN/x",
        "/static/../../../etc/passwd", "/static/%2e%2e/%2e%2e/pyproject.toml", "/%2fsignin", "/signin%2f..%2fmetrics", "/healthz;/metrics",
        "/healthz%00", "/.//signin", "/static/signin", "/components/..%2f..%2fcrm%2fclient.py",
    ],
)  # fmt: skip
def test_no_spelling_of_a_path_gets_through(place, path):
    import http.client

    connection = http.client.HTTPConnection(place.address.removeprefix("http://"), timeout=150)
    connection.request("GET", path, headers={"accept": "*/*"})
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status in (400, 401, 404), (path, answer.status)
    assert b"root:" not in body and b"[project]" not in body
    connection.close()


def test_a_page_of_a_stranger_leads_to_sign_in_and_back(place):
    answer = place.browser().get("/?view=record&entity=thing&id=3")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/signin?next=%2F%3Fview%3Drecord%26entity%3Dthing%26id%3D3"


@pytest.mark.parametrize("path", ["/static/../../../pyproject.toml", "/static/%2e%2e/%2e%2e/%2e%2e/etc/passwd", "/static//etc/passwd"])
def test_signed_in_nobody_leaves_the_static_folders(place, path):
    import http.client

    browser = place.browser("carl")
    connection = http.client.HTTPConnection(place.address.removeprefix("http://"), timeout=150)
    connection.request("GET", path, headers={"cookie": browser.cookie})
    answer = connection.getresponse()
    assert answer.status in (400, 403, 404), answer.status
    assert b"root:" not in answer.read()
    connection.close()


# ---- websocket ---------------------------------------------------------------------------------------------------------------


def refused(browser, token, **more):
    with pytest.raises((InvalidStatus, ConnectionClosed)), browser.socket(token, **more) as socket:
        socket.recv(timeout=150)


def test_the_websocket_wants_a_sign_in(place):
    browser = place.browser("carl")
    token = browser.page_token()
    refused(browser, token, cookie="")
    refused(browser, token, cookie=f"{place.site.sessions.cookie}=made-up")
    with browser.socket(token) as socket:
        assert "ACK" in socket.recv(timeout=150)


@pytest.mark.parametrize("origin", [None, "http://evil.example", "null", "http://127.0.0.1:1", "https://127.0.0.1"])
def test_the_websocket_wants_our_own_origin(place, origin):
    browser = place.browser("carl")
    refused(browser, browser.page_token(), origin=origin)


def test_nobody_joins_the_page_of_another(place):
    carl, cleo = place.browser("carl"), place.browser("cleo")
    refused(cleo, carl.page_token())


def test_the_hash_in_a_page_opens_nothing(place):
    """The page's token names the sign-in by its hash; neither as a cookie nor in a made-up token does the hash let anyone in."""
    from bokeh.util.token import generate_jwt_token, get_token_payload

    carl, cleo = place.browser("carl"), place.browser("cleo")
    payload = get_token_payload(carl.page_token())
    name = place.site.sessions.cookie
    mark = payload["cookies"][name]
    assert mark not in carl.cookie
    assert all(cookie.value not in carl.get("/").text for cookie in carl.http.cookies.jar)
    thief = place.browser()
    thief.http.cookies.set(name, mark)
    assert thief.get("/").status_code == 303
    forged = generate_jwt_token("ABC123", signed=False, extra_payload={**payload, "cookies": {name: mark}}, expiration=300)
    refused(cleo, forged)
    own = get_token_payload(cleo.page_token())
    refused(cleo, generate_jwt_token("ABC123", signed=False, extra_payload={"cookies": own["cookies"]}, expiration=300))


@pytest.mark.parametrize("how", sorted(CHOOSING))
def test_a_visitor_cannot_choose_the_name_of_a_page(place, how):
    from bokeh.util.token import get_session_id

    browser = place.browser("carl")
    assert get_session_id(browser.page_token(f"/?{how}=chosen")) != "chosen"
    browser.http.headers["bokeh-session-id"] = "chosen"
    assert get_session_id(browser.page_token()) != "chosen"


def test_a_page_made_in_another_process_is_made_again(place):
    """Behind a proxy without sticky routing, or after a restart: the token still opens the page, with the address it was asked by."""
    from crm.client import open_company
    from crm.server.site import Site
    from tests.server.conftest import Browser, Written, little_page, running

    written = Written()
    company = open_company(place.folder, place.data)
    browser = place.browser("carl")
    token = browser.page_token("/?view=x")
    with running(Site(company, page=little_page(written))) as address:
        other = Browser(address)
        other.http.cookies.update(browser.http.cookies)
        with other.socket(token) as socket:
            wire = Wire(socket)
            wire.write(wire.box(), "there")
            assert eventually(lambda: ("carl", "there", True) in written)
    company.store.close()


class Wire:
    """A page's websocket spoken to in Bokeh's protocol."""

    def __init__(self, socket) -> None:
        from bokeh.protocol import Protocol

        self.socket, self.protocol = socket, Protocol()
        self.receive()

    def receive(self) -> dict:
        import json

        parts = [json.loads(self.socket.recv(timeout=150)) for _ in range(3)]
        return {"kind": parts[0]["msgtype"], "content": parts[2]}

    def send(self, kind: str, content: dict) -> None:
        import json

        header = {"msgid": str(time.monotonic_ns()), "msgtype": kind}
        for part in (header, {}, content):
            self.socket.send(json.dumps(part))

    def box(self) -> str:
        """The id of the page's text box."""
        import json

        self.send("PULL-DOC-REQ", {})
        while True:
            message = self.receive()
            if message["kind"] == "PULL-DOC-REPLY":
                text = json.dumps(message["content"])
                break
        found = re.search(r'"name": "[^"]*TextInput"[^{}]*?"id": "([^"]+)"', text) or re.search(r'"id": "([^"]+)"[^{}]*"TextInput"', text)
        assert found, text[:2000]
        return found[1]

    def write(self, model: str, value: str) -> None:
        self.send("PATCH-DOC", {"events": [{"kind": "ModelChanged", "model": {"id": model}, "attr": "value", "new": value}]})


def test_a_page_may_come_back_as_long_as_its_sign_in_lasts(place):
    """A page that lies open for hours finds the server again; who was signed out meanwhile does not."""
    from bokeh.util.token import get_token_payload

    from crm.server.sessions import LONGEST

    browser = place.browser("carl")
    token, kept = browser.page_token(), browser.cookie
    assert get_token_payload(token)["session_expiry"] - time.time() > LONGEST - 3600
    with browser.socket(token) as socket:
        assert "ACK" in socket.recv(timeout=150)
    assert browser.post("/signout").status_code == 303
    refused(browser, token, cookie=kept)


def test_messages_sent_at_the_same_time_do_not_mix():
    """A message is several pieces. Where the line is slow, the pieces of the next one wait."""
    import asyncio
    from types import SimpleNamespace

    handler = pytest.importorskip("bokeh_fastapi.handler", reason="Bokeh 3.10 has a lock of its own")

    from crm.server.site import mend_websockets

    assert mend_websockets()
    pieces = []

    class Slow:
        application_state = SimpleNamespace(name="CONNECTED")

        async def send_text(self, text):
            await asyncio.sleep(0)
            pieces.append(text)

    async def both():
        one = handler.WSHandler.__new__(handler.WSHandler)
        one._socket = Slow()
        messages = [SimpleNamespace(header_json=f"{name} head", metadata_json=f"{name} about", content_json=f"{name} body", _buffers=[]) for name in "ab"]
        await asyncio.gather(*(one.send_message(message) for message in messages))

    asyncio.run(both())
    assert pieces == ["a head", "a about", "a body", "b head", "b about", "b body"]


def test_a_revoked_sign_in_writes_nothing_more(place):
    browser = place.browser("carl")
    with browser.socket(browser.page_token()) as socket:
        wire = Wire(socket)
        box = wire.box()
        wire.write(box, "before")
        assert eventually(lambda: ("carl", "before", True) in place.written)
        place.site.sessions.end_all(place.users["carl"])
        with pytest.raises(ConnectionClosed):
            wire.write(box, "after")
            while True:
                socket.recv(timeout=150)
    assert not eventually(lambda: any(value == "after" for _, value, _ in place.written), 0.5)


def test_a_disabled_user_writes_nothing_more(place):
    from crm.records import SYSTEM

    door = place.company.door(SYSTEM)
    browser = place.browser("cleo")
    try:
        with browser.socket(browser.page_token()) as socket:
            wire = Wire(socket)
            box = wire.box()
            door.change("user", place.users["cleo"], {"active": False})
            with pytest.raises(ConnectionClosed):
                wire.write(box, "disabled")
                while True:
                    socket.recv(timeout=150)
        assert browser.get("/").status_code == 303
        assert not any(value == "disabled" for _, value, _ in place.written)
    finally:
        door.change("user", place.users["cleo"], {"active": True})


def test_signing_out_closes_the_open_windows(place):
    browser = place.browser("carl")
    with browser.socket(browser.page_token()) as socket:
        socket.recv(timeout=150)
        assert browser.post("/signout").status_code == 303
        with pytest.raises(ConnectionClosed):
            while True:
                socket.recv(timeout=150)


def test_a_closed_window_lets_go_of_its_page(place):
    """The connection is taken from its session, else the session would be kept for ever and go on drawing."""
    browser = place.browser("carl")
    with browser.socket(browser.page_token()) as socket:
        socket.recv(timeout=150)
        assert place.site.gate.open
    assert eventually(lambda: not place.site.gate.open)
    clients = getattr(place.site.panel, "_clients", None)
    if clients is not None:
        assert eventually(lambda: not clients)


# ---- posts, hosts, headers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/signin", "/signout", "/password"])
@pytest.mark.parametrize("origin", [None, "http://evil.example", "null", "http://127.0.0.1:1"])
def test_posts_from_elsewhere_are_not_carried_out(place, path, origin):
    browser = place.browser("carl")
    assert browser.post(path, {}, origin=origin).status_code == 403
    assert browser.get("/password").status_code == 200


def test_a_password_is_only_changed_by_our_own_form(place):
    browser = place.browser("carl")
    data = {"old": "a long enough secret", "new": "another good secret", "again": "another good secret"}
    assert browser.post("/password", data).status_code == 403
    assert browser.post("/password", {**data, "csrf": "0" * 64}).status_code == 403
    other = place.browser("cleo").form("/password")["csrf"]
    assert browser.post("/password", {**data, "csrf": other}).status_code == 403
    assert place.browser().sign_in("carl").status_code == 303


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "127.0.0.1@evil.example"])
def test_other_names_are_not_answered(place, host):
    for path in ("/", "/healthz", "/signin"):
        assert place.browser().get(path, headers={"host": host}).status_code == 400


def test_every_answer_carries_the_security_headers(place):
    browser = place.browser("carl")
    for path in ("/", "/signout", "/password", "/healthz", "/nothing", "/static/js/bokeh.min.js", "/files/thing/1/papers/0"):
        headers = browser.get(path).headers
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["x-frame-options"] == "DENY", path
        assert headers["referrer-policy"] == "same-origin", path
        assert "frame-ancestors 'none'" in headers["content-security-policy"], path
        assert "default-src 'none'" in headers["content-security-policy"], path
        assert "unsafe-eval" not in headers["content-security-policy"], path
        assert "server" not in headers, path
        assert headers["cache-control"] == ("no-store" if "/static" not in path else headers["cache-control"]), path


def test_pages_are_not_kept_and_files_are(place):
    browser = place.browser("carl")
    page = browser.get("/")
    assert page.headers["cache-control"] == "no-store"
    static = re.search(r'src="(/?static/[^"]*panel\.min\.js\?v=[^"]*)"', page.text)
    assert static
    assert "immutable" in browser.get("/" + static[1].lstrip("/")).headers["cache-control"]
    assert browser.get("/static/extensions/panel/bundled/theme/default.css?v=1.9.4").headers["cache-control"] == "no-cache"


def test_the_app_asks_no_outside_address(place):
    text = place.browser("carl").get("/").text
    assert not [url for url in re.findall(r'(?:src|href)="(https?:)?//([^"/]+)', text) if "127.0.0.1" not in url[1]]


def test_small_readers():
    assert host_name("[::1]:5006") == "::1" and host_name("Firm.Example:80") == "firm.example" and host_name("[bad") == ""
    assert cookies_of("a=1; b=2") == {"a": "1", "b": "2"}
    assert keyed("/components/x/parts.0123456789abcdef.js") and not keyed("/static/js/bokeh.min.js") and not keyed("/a/b.js")
