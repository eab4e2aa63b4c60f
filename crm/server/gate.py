"""The one gate before everything the server answers, pages and websocket alike.

Deny by default: without a valid sign-in only the paths in `OPEN` answer. Around that it checks the host, the origin of every
post and websocket, keeps the sign-in's token away from what lies behind it (there the cookie holds only the token's hash), looks
at the sign-in again with every websocket message, cuts the connections of a revoked one, adds the security headers and writes
the access log.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from crm.server.sessions import Sessions, Visit

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

log = logging.getLogger("crm.access")

#: The only paths a stranger gets an answer from; compared as a whole, so nothing below them is open.
OPEN = frozenset({"/healthz", "/signin"})
#: Addresses that are a secret themselves: whoever knows one may read what lies there. They never stand in a log.
SECRET = re.compile(r"/calendar/[A-Za-z0-9_-]{20,100}\.ics")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1", "testserver.localhost"})

# A visitor must not choose the name of a page's session: somebody else could then join it.
CHOOSING = frozenset({"bokeh-session-id", "bokeh_session_id"})
REVOKED = 4401  # websocket close code
HASHED = re.compile(rb"(?:^|&)v=[0-9a-f]{32,}")  # an address that names its content (a version number would not)

HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}


def policy(host: str) -> str:
    """The content security policy of the app: everything from this server, nothing from elsewhere."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self' 'unsafe-inline' blob:",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            f"connect-src 'self' ws://{host} wss://{host} blob:",
            "worker-src 'self' blob:",
            "manifest-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def host_name(host: str) -> str:
    """The name in a Host header, without port and brackets, in lower case."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def cookies_of(header: str) -> dict[str, str]:
    """The cookies of a Cookie header; a broken one is read as none."""
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(header)
    except CookieError:
        return {}
    return {key: morsel.value for key, morsel in jar.items()}


class Gate:
    """An ASGI application in front of `app`. `hosts` are the names it is reached by (`*` = any)."""

    def __init__(
        self, app: Any, sessions: Sessions, *, hosts: Iterable[str] = ("*",), metrics: Any = None, metrics_token: str | None = None
    ) -> None:
        self.app = app
        self.sessions = sessions
        self.hosts = frozenset(host.lower() for host in hosts)
        self.metrics = metrics
        self.metrics_token = metrics_token
        self.owners: dict[str, str] = {}  # name of a page's session → mark of the sign-in it was made for
        self.open: dict[str, set[Connection]] = {}  # mark → websockets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    # ---- requests ------------------------------------------------------------------------------------------------------------

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        started, request_id = time.perf_counter(), secrets.token_hex(6)
        headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]}
        status = 500
        visit = None

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": self._secured(scope, headers.get("host", ""), message.get("headers", ()), request_id)}
            await send(message)

        try:
            visit = self._visit(headers)
            refusal = self._refusal(scope, headers, visit)
            if refusal is not None:
                await refuse(*refusal, answer)
            else:
                await self.app(self._inside(scope, headers, visit, request_id), receive, answer)
        finally:
            seconds = time.perf_counter() - started
            path = "/calendar/….ics" if scope["path"].startswith("/calendar/") else scope["path"]
            if self.metrics is not None:
                self.metrics.request(scope["method"], path, status, seconds)
            if not path.startswith(("/static/", "/components/")) and path != "/healthz":
                details = {
                    "id": request_id,
                    "method": scope["method"],
                    "path": path[:200],
                    "status": status,
                    "ms": round(seconds * 1000, 1),
                    "user": visit.user if visit else None,
                    "address": (scope.get("client") or ("",))[0],
                }
                log.info("request", extra=details)

    def _visit(self, headers: dict[str, str]) -> Visit | None:
        return self.sessions.of_token(cookies_of(headers.get("cookie", "")).get(self.sessions.cookie))

    def _refusal(self, scope: Scope, headers: dict[str, str], visit: Visit | None) -> tuple[int, str, dict[str, str]] | None:
        """Why a request goes no further: status, text, headers; None lets it through."""
        path, method = scope["path"], scope["method"]
        if not self._host_ok(headers):
            return 400, "This server does not answer to that name.", {}
        if method not in SAFE_METHODS and not self._origin_ok(scope, headers):
            return 403, "This came from another site and was not carried out.", {}
        if visit is not None or path in OPEN or (method in SAFE_METHODS and SECRET.fullmatch(path)) or (path == "/metrics" and self._metrics_ok(headers)):
            return None
        if method in ("GET", "HEAD") and "text/html" in headers.get("accept", ""):
            target = path + (f"?{scope['query_string'].decode('latin-1')}" if scope.get("query_string") else "")
            onward = f"?{urlencode({'next': target})}" if target != "/" else ""
            return 303, "", {"location": f"/signin{onward}"}
        return 401, "Sign in first.", {}

    def _host_ok(self, headers: dict[str, str]) -> bool:
        name = host_name(headers.get("host", ""))
        return bool(name) and ("*" in self.hosts or name in self.hosts)

    def _origin_ok(self, scope: Scope, headers: dict[str, str]) -> bool:
        """Whether the page that sends this is one of ours: its origin (or referrer) has our scheme, host and port."""
        told = headers.get("origin") or headers.get("referer")
        if not told:
            return False
        parts = urlsplit(told)
        scheme = {"ws": "http", "wss": "https"}.get(scope.get("scheme", "http"), scope.get("scheme", "http"))
        return parts.scheme == scheme and parts.netloc.lower() == headers.get("host", "").lower()

    def _metrics_ok(self, headers: dict[str, str]) -> bool:
        return bool(self.metrics_token) and hmac.compare_digest(
            headers.get("authorization", "").encode(), f"Bearer {self.metrics_token}".encode()
        )

    def _inside(self, scope: Scope, headers: dict[str, str], visit: Visit | None, request_id: str) -> Scope:
        """The scope as the app behind the gate sees it: who is there, the cookie without its secret, no chosen session."""
        cookies = cookies_of(headers.get("cookie", ""))
        cookies.pop(self.sessions.cookie, None)
        if visit is not None:
            cookies[self.sessions.cookie] = visit.mark
        kept = [(key, value) for key, value in scope["headers"] if key.lower() not in (b"cookie", b"bokeh-session-id")]
        if cookies:
            kept.append((b"cookie", "; ".join(f"{key}={value}" for key, value in cookies.items()).encode("latin-1", "ignore")))
        query = scope.get("query_string", b"")
        if b"session" in query:
            pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
            query = urlencode([(key, value) for key, value in pairs if key.lower() not in CHOOSING]).encode("latin-1")
        state = {**scope.get("state", {}), "visit": visit, "request_id": request_id}
        return {**scope, "headers": kept, "query_string": query, "state": state}

    def _secured(self, scope: Scope, host: str, headers: Iterable[tuple[bytes, bytes]], request_id: str) -> list[tuple[bytes, bytes]]:
        """The answer's headers with ours where the app behind set none."""
        result = [(key, value) for key, value in headers if key.lower() != b"server"]
        present = {key.lower() for key, _ in result}
        ours = {
            **HEADERS,
            "content-security-policy": policy(host if self._host_ok({"host": host}) else "localhost"),
            "x-request-id": request_id,
        }
        path, query = scope["path"], scope.get("query_string", b"")
        if path.startswith(("/static/", "/components/")):
            ours["cache-control"] = "private, max-age=31536000, immutable" if HASHED.search(query) or keyed(path) else "no-cache"
        else:
            ours["cache-control"] = "no-store"
        if scope.get("scheme") in ("https", "wss"):
            ours["strict-transport-security"] = "max-age=31536000"
        result += [(key.encode(), value.encode("latin-1", "ignore")) for key, value in ours.items() if key.encode() not in present]
        return result

    # ---- websockets ----------------------------------------------------------------------------------------------------------

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]}
        visit = self._visit(headers)
        why = None
        if not self._host_ok(headers):
            why = "host"
        elif not headers.get("origin") or not self._origin_ok(scope, headers):
            why = "origin"
        elif visit is None:
            why = "not signed in"
        elif not self._page_ok(scope, visit):
            why = "somebody else's page"
        if visit is None or why:
            log.warning("websocket refused", extra={"why": why, "path": scope["path"][:200], "user": visit.user if visit else None})
            await receive()
            await send({"type": "websocket.close", "code": REVOKED})
            return
        connection = Connection(visit.mark, receive, send)
        self.open.setdefault(visit.mark, set()).add(connection)
        if self.metrics is not None:
            self.metrics.websockets.inc()
        try:
            await self.app(self._inside(scope, headers, visit, secrets.token_hex(6)), connection.receiver(self.sessions), connection.sender)
        finally:
            connections = self.open.get(visit.mark, set())
            connections.discard(connection)
            if not connections:
                self.open.pop(visit.mark, None)
            if self.metrics is not None:
                self.metrics.websockets.dec()

    def _page_ok(self, scope: Scope, visit: Visit) -> bool:
        """Whether the page a websocket wants to speak to was made for this sign-in: nobody joins another's page."""
        from bokeh.util.token import get_session_id, get_token_payload

        protocols = scope.get("subprotocols") or []
        if len(protocols) != 2:
            return False
        try:
            session, payload = get_session_id(protocols[1]), get_token_payload(protocols[1])
        except Exception:  # a token that is none
            return False
        mark = payload.get("cookies", {}).get(self.sessions.cookie, "")
        return hmac.compare_digest(str(mark), visit.mark) and self.owners.get(session, visit.mark) == visit.mark

    async def cut(self, mark: str) -> None:
        """Close the websockets of one sign-in."""
        for connection in list(self.open.get(mark, ())):
            await connection.close()

    async def watch(self, every: float = 3.0) -> None:
        """Cut the websockets of sign-ins that ended elsewhere (another process, an administrator, time), until cancelled."""
        while True:
            await asyncio.sleep(every)
            for mark in list(self.open):
                try:
                    if self.sessions.of_mark(mark) is None:
                        await self.cut(mark)
                except Exception:
                    logging.getLogger("crm.server").exception("watching sign-ins")


class Connection:
    """One websocket of one sign-in."""

    def __init__(self, mark: str, receive: Receive, send: Send) -> None:
        self.mark, self.receive, self.send = mark, receive, send
        self.accepted = False
        self.closed = False

    async def sender(self, message: Message) -> None:
        if self.closed:
            return
        if message["type"] == "websocket.accept":
            self.accepted = True
        elif message["type"] == "websocket.close":
            self.closed = True
        await self.send(message)

    async def close(self) -> None:
        if not self.closed:
            self.closed = True
            await self.send({"type": "websocket.close", "code": REVOKED, "reason": "signed out"})

    def receiver(self, sessions: Sessions) -> Receive:
        """`receive` for the app behind: a message of a sign-in that ended meanwhile never gets there."""

        async def receive() -> Message:
            if self.closed:
                return {"type": "websocket.disconnect", "code": REVOKED}
            message = await self.receive()
            if message["type"] == "websocket.receive" and (self.closed or sessions.of_mark(self.mark) is None):
                await self.close()
                return {"type": "websocket.disconnect", "code": REVOKED}
            return message

        return receive


def keyed(path: str) -> bool:
    """Whether a file's name carries the hash of its content (`parts.1f3a…c0.js`), so that it never changes."""
    pieces = path.rsplit("/", 1)[-1].split(".")
    return len(pieces) >= 3 and len(pieces[-2]) >= 8 and all(c in "0123456789abcdef" for c in pieces[-2])


async def refuse(status: int, text: str, headers: dict[str, str], send: Send) -> None:
    """A short plain answer."""
    body = json.dumps({"error": text}).encode() if text else b""
    sent = [(key.encode(), quote(value, safe="/?&=%+:.-_~,;*'()!").encode()) for key, value in headers.items()]
    sent += [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": sent})
    await send({"type": "http.response.body", "body": body})
