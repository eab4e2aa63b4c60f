"""The web application of one company: sign-in, the app's page, downloads, health, metrics; all of it behind the gate."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import inspect
import logging
import secrets
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.middleware.base import RequestResponseEndpoint

from crm.charts.base import ready
from crm.errors import Denied, Missing, Refused
from crm.server import downloads, pages
from crm.server.gate import Gate, Receive, Scope, Send
from crm.server.metrics import Metrics
from crm.server.passwords import SHORTEST, Passwords, check_strength
from crm.server.sessions import LONGEST, Sessions, Visit
from crm.server.throttle import Throttle
from crm.worker.watch import Watcher

log = logging.getLogger("crm.server")
FORM_COOKIE = "crm_form"
FORM_LIMIT = 64 * 1024  # bytes of a form outside the app


class Site:
    """An ASGI application. `hosts` are the names it answers to, `watch` takes up changes of the configuration's files.

    `page(company, actor)` makes what a browser window shows (a Panel object); by default `crm.views.app.create_page`.
    """

    def __init__(
        self,
        company: Any,
        *,
        hosts: Iterable[str] = ("*",),
        watch: bool = False,
        page: Any = None,
        metrics_token: str | None = None,
        demo: bool | None = None,
    ) -> None:
        self.company = company
        self.store = company.store
        self.passwords = Passwords(self.store)
        self.throttle = Throttle(self.store)
        self.sessions = Sessions(self.store, self.may_sign_in)
        self.metrics = Metrics()
        self.demo = demo
        self.watcher = Watcher(company, told=self._told) if watch else None
        self._page = page
        self._hashing = asyncio.Semaphore(2)  # a flood of sign-ins must not take the whole machine
        self.app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=self._life)
        company.set_password = self.set_password  # for the administration page: the screens know nothing of the server
        self._routes()
        self._panel()
        self.gate = Gate(self.app, self.sessions, hosts=hosts, metrics=self.metrics, metrics_token=metrics_token)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.gate(scope, receive, send)

    # ---- life ----------------------------------------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def _life(self, app: FastAPI) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(one) for one in (self.gate.watch(), self._sweep(), run_in_threadpool(ahead))]
        if self.watcher is not None:
            self.watcher.start()
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            if self.watcher is not None:
                await run_in_threadpool(self.watcher.stop)

    async def _sweep(self) -> None:
        while True:
            try:
                await run_in_threadpool(self.sessions.sweep)
                await run_in_threadpool(self.throttle.sweep)
            except Exception:
                log.exception("sweeping sign-ins")
            await asyncio.sleep(3600)

    def _told(self, faults: list[Any] | None) -> None:
        if faults is not None:
            self.metrics.reloads.labels("refused" if faults else "taken").inc()
        self.metrics.faults.set(len(faults or ()))

    # ---- who -----------------------------------------------------------------------------------------------------------------

    def may_sign_in(self, user: int) -> bool:
        """Whether a user exists, is not deleted, and is active (where the configuration says which field that is)."""
        users = self.company.schema.users
        doc = self.store.table(users.entity).get(doc_id=user)
        if doc is None or doc.get("deleted_on"):
            return False
        return doc.get(users.active) is True if users.active else True

    def set_password(self, user: int, password: str, by: str) -> None:
        """A new password given by an administrator; whoever is signed in as this user is signed out."""
        check_strength(password, self.company.actor(user).login)
        self.passwords.set(user, password, by=by)
        self.sessions.end_all(user)

    def find_user(self, login: str) -> int | None:
        """The id of the active user with this sign-in name or e-mail; None for nobody."""
        try:
            actor = self.company.actor(login)
        except (Missing, Denied):  # nobody, or nobody who may sign in
            return None
        return actor.id if actor.id is not None and self.may_sign_in(actor.id) else None

    def words(self, request: Request | None = None, user: int | None = None) -> Any:
        """Words in the user's language, or for a stranger in the first one his browser asks for that we speak."""
        schema = self.company.schema
        known = list(getattr(schema, "languages", None) or [schema.language])
        if user is not None:
            with contextlib.suppress(Missing, Denied):
                return schema.words(self.company.actor(user).language)
        for asked in (request.headers.get("accept-language", "") if request else "").split(","):
            language = asked.split(";")[0].strip().lower()
            for one in known:
                if language and (one.lower() == language or one.lower().split("_")[0] == language.split("-")[0]):
                    return schema.words(one)
        return schema.words(schema.language)

    def demo_people(self, t: Any = None) -> list[tuple[str, str, str]]:
        """The sign-ins of a demo: login, name, role's label; nothing once no password is known to everybody."""
        people = []
        for user in self.passwords.demo_users():
            with contextlib.suppress(Missing, Denied):
                if self.may_sign_in(user):
                    actor = self.company.actor(user)
                    role = self.company.schema.roles.get(actor.role)
                    people.append((actor.login, actor.name, role.label_in(t) if role else actor.role))
        return people

    # ---- routes --------------------------------------------------------------------------------------------------------------

    def _routes(self) -> None:
        app = self.app
        app.add_api_route("/healthz", self.healthz, methods=["GET", "HEAD"])
        app.add_api_route("/metrics", self.figures, methods=["GET"])
        app.add_api_route("/signin", self.signin_page, methods=["GET"])
        app.add_api_route("/signin", self.signin, methods=["POST"])
        app.add_api_route("/signout", self.signout_page, methods=["GET"])
        app.add_api_route("/signout", self.signout, methods=["POST"])
        app.add_api_route("/password", self.password_page, methods=["GET"])
        app.add_api_route("/password", self.change_password, methods=["POST"])
        app.add_api_route("/files/{entity}/{number}/{field}/{index}", self.file, methods=["GET"])
        app.add_api_route("/export/{entity}.csv", self.export, methods=["GET"])
        app.add_api_route("/calendar/{secret}.ics", self.calendar, methods=["GET", "HEAD"])
        app.middleware("http")(self._guard)
        app.add_exception_handler(HTTPException, self._http_problem)

    async def _guard(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        """Turns what went wrong into an answer with a code that stands in the log, never into a traceback."""
        try:
            return await call_next(request)
        except Missing as error:
            return self._problem(request, 404, str(error))
        except Denied as error:
            return self._problem(request, 403, str(error))
        except Exception as error:
            status = getattr(error, "status_code", 500)  # the web framework under Panel has errors of its own
            if isinstance(status, int) and 400 <= status < 500:
                return self._problem(request, status, "")
            code = getattr(request.state, "request_id", "") or secrets.token_hex(6)
            log.exception("request failed", extra={"id": code, "path": request.url.path[:200]})
            return self._problem(request, 500, "", code)

    async def _http_problem(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return self._problem(request, error.status_code, "")

    def _problem(self, request: Request, status: int, text: str, code: str = "") -> Response:
        visit = visit_of(request)
        t = self.words(request, visit.user if visit else None)
        if status >= 500:
            title, text = t("Something went wrong"), t("Nothing that was saved is lost. Try again; if it stays, tell your administrator.")
        elif status == 404:
            title, text = t("Not found"), t("It does not exist, or not for you.")
        elif status == 403:
            title, text = t("Not allowed"), t(text) if text else t("You may not do this.")
        else:
            title, text = t("That did not work"), t(text) if text else t("The server did not understand this.")
        if "text/html" in request.headers.get("accept", ""):
            return pages.problem(t, self.company.schema.title, title=title, text=text, code=code, status=status)
        return JSONResponse({"error": text, **({"id": code} if code else {})}, status)

    # ---- health --------------------------------------------------------------------------------------------------------------

    async def healthz(self) -> Response:
        """200 while the store answers: says whether the configuration on disk is in use; tells a stranger nothing else."""
        try:
            sequence = await asyncio.wait_for(run_in_threadpool(lambda: self.store.sequence), 5)
            store = sequence is not None
        except Exception:
            log.exception("health")
            store = False
        faults = len(getattr(self.company, "config_faults", ()) or ())
        answer = {"ok": store, "store": "ok" if store else "failing", "configuration": "refused" if faults else "ok", "faults": faults}
        return JSONResponse(answer, 200 if store else 503)

    async def figures(self, request: Request) -> Response:
        """For Prometheus: with the token of `CRM_METRICS_TOKEN`, or for a signed-in administrator."""
        visit = visit_of(request)
        if visit is not None and not self.company.actor(visit.user).admin:
            raise Denied("You may not do this.")
        return Response(self.metrics.text(), media_type=self.metrics.type)

    # ---- sign-in -------------------------------------------------------------------------------------------------------------

    async def signin_page(self, request: Request, next: str = "/", changed: str = "") -> Response:
        onward = safe_target(next)
        if visit_of(request) is not None:
            return RedirectResponse(onward, 303)
        said = self.words(request)("Your password was changed. Sign in with the new one.") if changed else ""
        return self._signin_form(request, onward=onward, said=said)

    def _signin_form(
        self, request: Request, *, onward: str = "/", login: str = "", problem: str = "", said: str = "", status: int = 200, wait: int = 0
    ) -> Response:
        cookie = request.cookies.get(FORM_COOKIE) or secrets.token_urlsafe(24)
        t = self.words(request)
        answer = pages.signin(
            t,
            self.company.schema.title,
            form=self.sessions.form_token(cookie),
            onward=onward,
            login=login,
            problem=problem,
            said=said,
            demo=self.demo_people(t),
            status=status,
        )
        set_cookie(answer, request, FORM_COOKIE, cookie, strict=True)
        if wait:
            answer.headers["retry-after"] = str(wait)
        return answer

    async def signin(self, request: Request) -> Response:
        form = await small_form(request)
        t = self.words(request)
        onward = safe_target(text_of(form, "next"))
        if not self.sessions.form_token_ok(request.cookies.get(FORM_COOKIE), text_of(form, "form")):
            return self._signin_form(request, onward=onward, problem=t("This page was open for too long. Please try again."), status=403)
        login, password = text_of(form, "login").strip()[:200], text_of(form, "password")
        if text_of(form, "demo"):
            login = password = text_of(form, "demo")[:200]
        address = request.client.host if request.client else ""
        wait = await run_in_threadpool(self.throttle.begin, login, address)
        if wait:
            self.metrics.signins.labels("throttled").inc()
            log.warning("sign-in throttled", extra={"address": address, "wait": wait})
            minutes = max(1, round(wait / 60))
            told = t("Too many tries. Wait {n} minutes and try again.", n=minutes)
            return self._signin_form(request, onward=onward, login=login, problem=told, status=429, wait=wait)
        user = await run_in_threadpool(self.find_user, login)
        async with self._hashing:
            right = await run_in_threadpool(self.passwords.check, user, password)
        if user is None or not right:
            self.metrics.signins.labels("refused").inc()
            log.warning("sign-in refused", extra={"address": address})
            return self._signin_form(request, onward=onward, login=login, problem=t("Name or password is wrong."), status=401)
        await run_in_threadpool(self.throttle.succeed, login, address)
        old = visit_of(request)
        if old is not None:  # somebody signs in over another sign-in: that one ends
            await self.end(old.mark)
        token, visit = await run_in_threadpool(self.sessions.begin, user, address, request.headers.get("user-agent", ""))
        self.metrics.signins.labels("right").inc()
        log.info("signed in", extra={"user": user, "address": address})
        answer = RedirectResponse(onward, 303)
        set_cookie(answer, request, self.sessions.cookie, token)
        drop_cookie(answer, request, FORM_COOKIE)
        return answer

    async def signout_page(self, request: Request) -> Response:
        visit = signed_in(request)
        actor = self.company.actor(visit.user)
        return pages.signout(self.words(request, visit.user), self.company.schema.title, visit.csrf, actor.name)

    async def signout(self, request: Request) -> Response:
        """Ends the sign-in; the gate has seen to it that one of our own pages asks for it. `everywhere` ends all of the user's."""
        visit = signed_in(request)
        form = await small_form(request)
        if text_of(form, "everywhere"):
            self._check_csrf(request, form, visit)
            others = [one.mark for one in self.sessions.of_user(visit.user)]
            await run_in_threadpool(self.sessions.end_all, visit.user)
            for mark in others:
                await self.gate.cut(mark)
        await self.end(visit.mark)
        answer = RedirectResponse("/signin", 303)
        drop_cookie(answer, request, self.sessions.cookie)
        return answer

    async def end(self, mark: str) -> None:
        await run_in_threadpool(self.sessions.end, mark)
        await self.gate.cut(mark)

    async def password_page(self, request: Request) -> Response:
        return self._password_form(request, signed_in(request))

    def _password_form(self, request: Request, visit: Visit, problem: str = "", said: str = "", status: int = 200) -> Response:
        t = self.words(request, visit.user)
        places = [f"{agent_name(one.agent)} · {one.address} · {t.datetime(moment(one.made))}" for one in self.sessions.of_user(visit.user)]
        login = self.company.actor(visit.user).login
        return pages.password(
            t,
            self.company.schema.title,
            csrf=visit.csrf,
            login=login,
            shortest=SHORTEST,
            problem=problem,
            said=said,
            places=places,
            status=status,
        )

    async def change_password(self, request: Request) -> Response:
        visit = signed_in(request)
        form = await small_form(request)
        self._check_csrf(request, form, visit)
        t = self.words(request, visit.user)
        login = self.company.actor(visit.user).login
        address = request.client.host if request.client else ""
        old, new, again = (text_of(form, name) for name in ("old", "new", "again"))
        if await run_in_threadpool(self.throttle.begin, login, address):
            return self._password_form(request, visit, problem=t("Too many tries. Wait {n} minutes and try again.", n=15), status=429)
        async with self._hashing:
            right = await run_in_threadpool(self.passwords.check, visit.user, old)
        if not right:
            return self._password_form(request, visit, problem=t("The present password is wrong."), status=400)
        await run_in_threadpool(self.throttle.succeed, login, address)
        if new != again:
            return self._password_form(request, visit, problem=t("The two new passwords differ."), status=400)
        try:
            check_strength(new, login)
        except Refused as error:
            return self._password_form(request, visit, problem=error.say(t), status=400)
        async with self._hashing:
            await run_in_threadpool(lambda: self.passwords.set(visit.user, new, by=login))
        marks = [one.mark for one in self.sessions.of_user(visit.user)]
        await run_in_threadpool(self.sessions.end_all, visit.user)
        for mark in marks:
            await self.gate.cut(mark)
        log.info("password changed", extra={"user": visit.user})
        token, _ = await run_in_threadpool(self.sessions.begin, visit.user, address, request.headers.get("user-agent", ""))
        answer = RedirectResponse("/", 303)
        set_cookie(answer, request, self.sessions.cookie, token)
        return answer

    def _check_csrf(self, request: Request, form: FormData, visit: Visit) -> None:
        told = text_of(form, "csrf") or request.headers.get("x-csrf-token", "")
        if not secrets.compare_digest(told.encode(), visit.csrf.encode()):
            raise Denied("This page was open for too long. Please try again.")

    # ---- downloads -----------------------------------------------------------------------------------------------------------

    async def file(self, request: Request, entity: str, number: str, field: str, index: str, inline: str = "") -> Response:
        """A file kept with a record: `/files/<entity>/<id>/<field>/<n>`, n from 0."""
        visit = signed_in(request)
        if not (number.isascii() and number.isdigit() and index.isascii() and index.isdigit() and len(number) < 18 and len(index) < 5):
            raise Missing()
        door = self.company.door(self.company.actor(visit.user))
        return await run_in_threadpool(downloads.kept_file, door, self.store, entity, int(number), field, int(index), bool(inline))

    async def export(self, request: Request, entity: str) -> Response:
        """A list as CSV: `/export/<entity>.csv`; `where`, `find`, `sort`, `columns` as in the list's address."""
        visit = signed_in(request)
        from crm.intake import export

        door = self.company.door(self.company.actor(visit.user))
        ask = {name: value for name, value in request.query_params.items() if name in ("where", "find", "sort", "columns") and value}
        content = await run_in_threadpool(export.csv_bytes, door, entity, **ask)
        headers = {"content-disposition": downloads.disposition(f"{entity}.csv")}
        return Response(content, media_type="text/csv; charset=utf-8", headers=headers)

    # ---- calendars -----------------------------------------------------------------------------------------------------------

    async def calendar(self, request: Request, secret: str) -> Response:
        """The calendar of whoever owns this secret address; guessing is slowed down like that of passwords."""
        from crm.mail.calendar import feed
        from crm.records.feeds import owner_of

        address = request.client.host if request.client else ""
        guesser = f"calendar {address}"
        wait = await run_in_threadpool(self.throttle.begin, guesser, address)
        if wait:
            return Response(status_code=429, headers={"retry-after": str(wait)})
        user = await run_in_threadpool(owner_of, self.company, secret)
        if user is None:
            log.warning("calendar refused", extra={"address": address})
            return Response(status_code=404)
        await run_in_threadpool(self.throttle.succeed, guesser, address)
        content = await run_in_threadpool(feed, self.company, user, str(request.base_url))
        headers = {"content-disposition": downloads.disposition("calendar.ics"), "x-robots-tag": "noindex"}
        return Response(content, media_type="text/calendar; charset=utf-8", headers=headers)

    # ---- the app -------------------------------------------------------------------------------------------------------------

    def _panel(self) -> None:
        """Panel's pages and files, on the paths that they want to have."""
        import panel_material_ui
        from panel.io.fastapi import add_applications

        if self._page is None:
            from crm.views.app import create_page
            from crm.views.base import PAGES, PARTS, bundle

            self._page = create_page
            _ = (len(PARTS), len(PAGES), bundle.build())  # all of it is loaded now, so that the first visitor does not wait for it
        # as long as a sign-in may last, which is looked at with every message: a page whose connection was gone is had again
        more: dict[str, Any] = {} if mend_websockets() else {"session_token_expiration": LONGEST}
        material = Path(panel_material_ui.__file__).parent / "dist"
        self.app.mount("/static/extensions/panel-material-ui", StaticFiles(directory=material), name="panel-material-ui")
        self.panel = add_applications(
            {"/": self.page},
            app=self.app,
            title=self.company.schema.title,
            include_cookies=[self.sessions.cookie],
            include_headers=["User-Agent", "user-agent", "Accept-Language", "accept-language"],
            secret_key=self.sessions.sign("pages").encode(),
            sign_sessions=True,
            **more,
        )

    def page(self) -> Any:
        """What one browser window shows; Panel calls this once for each."""
        import panel as pn

        visit = self.sessions.of_mark(pn.state.cookies.get(self.sessions.cookie, ""))
        if visit is None:
            return pn.pane.HTML('<p><a href="/signin">Sign in</a></p>')
        document = pn.state.curdoc
        context = document.session_context if document is not None else None
        if context is not None:
            name = str(context.id)
            self.gate.owners[name] = visit.mark

            def forget(_: Any) -> None:
                self.gate.owners.pop(name, None)

            pn.state.on_session_destroyed(forget)
        try:
            actor = self.company.actor(visit.user)
            more = {}
            if "still_valid" in inspect.signature(self._page).parameters:
                more["still_valid"] = lambda: self.sessions.of_mark(visit.mark) is not None
            return self._page(self.company, actor, **more)
        except Exception:
            code = secrets.token_hex(6)
            log.exception("page failed", extra={"id": code, "user": visit.user})
            t = self.words(user=visit.user)
            told = t("Nothing that was saved is lost. Try again; if it stays, tell your administrator.")
            return pn.pane.Str(f"{t('Something went wrong')}. {told} ({code})")


# ---- small things ------------------------------------------------------------------------------------------------------------


def ahead() -> None:
    """Loads what charts and statistics are made with: some seconds that the first dashboard would wait for otherwise.

    And lets Python look for unreachable objects less often: figures of a large company are made of very many small ones, all of them in use.
    """
    gc.set_threshold(20_000)
    ready("bokeh")
    importlib.import_module("scipy.stats")


def visit_of(request: Request) -> Visit | None:
    return getattr(request.state, "visit", None)


def signed_in(request: Request) -> Visit:
    visit = visit_of(request)
    if visit is None:  # the gate does not let it come to this
        raise HTTPException(401)
    return visit


async def small_form(request: Request) -> FormData:
    """The fields of a form; refuses what is larger than any of ours."""
    size = request.headers.get("content-length", "")
    if not size.isdigit():
        if request.headers.get("transfer-encoding"):
            raise HTTPException(411)
        return FormData()
    if int(size) > FORM_LIMIT:
        raise HTTPException(413)
    return await request.form(max_files=0, max_fields=20)


def text_of(form: FormData, name: str) -> str:
    value = form.get(name)
    return value if isinstance(value, str) else ""


def safe_target(target: str) -> str:
    """Where to go after signing in: only a path of our own (no scheme, no host, no backslash, no control characters)."""
    if not target.startswith("/") or target.startswith("//") or "\\" in target or any(ord(c) < 33 or ord(c) == 127 for c in target):
        return "/"
    if target.split("?")[0] in ("/signin", "/signout"):
        return "/"
    return quote(target[:2000], safe="/?&=%+:.-_~,;*'()!@$[]")


def set_cookie(answer: Response, request: Request, name: str, value: str, strict: bool = False) -> None:
    secure = request.url.scheme == "https"
    answer.set_cookie(name, value, path="/", httponly=True, secure=secure, samesite="strict" if strict else "lax")


def drop_cookie(answer: Response, request: Request, name: str) -> None:
    answer.delete_cookie(name, path="/", httponly=True, secure=request.url.scheme == "https", samesite="lax")


def moment(seconds: float) -> Any:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC)


def agent_name(agent: str) -> str:
    """A browser's name in a User-Agent, for a person to recognise."""
    for mark, name in (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari")):
        if mark in agent:
            system = next((s for s in ("iPhone", "iPad", "Android", "Windows", "Mac OS", "Linux") if s in agent), "")
            return f"{name}, {system}" if system else name
    return agent[:30] or "?"


def mend_websockets() -> bool:
    """Faults of bokeh-fastapi, which serves pages on Python 3.11 (gives whether it does): the end of a page's connection is told to nobody,
    so that its session is kept for ever; a page whose session is in another process (or gone) cannot be made anew, for want of a request,
    and after five minutes not at all; two messages sent at the same time are mixed where the line is slow."""
    try:
        from bokeh_fastapi.handler import WSHandler
    except ImportError:
        return False
    served: Any = importlib.import_module("panel.io.fastapi")
    if getattr(WSHandler, "_crm_mended", False):
        return True
    from bokeh.util.token import get_session_id, get_token_payload
    from tornado.httputil import HTTPHeaders, HTTPServerRequest
    from tornado.ioloop import IOLoop

    connect, open_page, send, token_for = WSHandler.ws_connect, WSHandler._async_open, WSHandler.send_message, served.generate_jwt_token

    async def ws_connect(self: Any, websocket: Any) -> None:
        try:
            await connect(self, websocket)
        finally:
            if self.connection is not None:
                self.application.client_lost(self.connection)

    async def _async_open(self: Any, websocket: Any, token: str) -> None:
        arguments = get_token_payload(token).get("arguments") or {}
        uri = "/?" + urlencode([(name, value) for name, values in arguments.items() for value in values]) if arguments else "/"
        request: Any = HTTPServerRequest(method="GET", uri=uri, headers=HTTPHeaders({"Host": websocket.headers.get("host", "")}))
        request.route_params, request.app_path = {}, "/"
        if self.application_context.io_loop is None:
            self.application_context._loop = IOLoop.current()
        await self.application_context.create_session_if_needed(get_session_id(token), request, token)
        await open_page(self, websocket, token)

    async def send_message(self: Any, message: Any) -> int:
        """A message is several pieces; the next one waits until all of them are sent."""
        async with self.__dict__.setdefault("_crm_sending", asyncio.Lock()):
            return await send(self, message)

    def generate_jwt_token(session: Any, **more: Any) -> str:
        return token_for(session, **{**more, "expiration": LONGEST})

    WSHandler.ws_connect, WSHandler._async_open, WSHandler.send_message = ws_connect, _async_open, send_message
    served.generate_jwt_token = generate_jwt_token
    WSHandler._crm_mended = True
    return True
