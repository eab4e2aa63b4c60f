"""What a part and a page must do, and the one bundle that carries all parts to the browser.

A part is two files, `parts/<name>.py` and `parts/<name>.js` (a `.css` beside them is taken up too):

    @PARTS.add                                      # parts/hello.py
    class Hello(Part):
        \"\"\"Says hello; content {who}.\"\"\"
        words = ("Hello, {who}", "Wave")

    const Hello = part(({who}, {t}) => h('p', null, t('Hello, {who}', {who}), button('wave', 'waving_hand', t('Wave'))), {   // parts/hello.js
      wave: ({ask}) => ask('wave', {hard: true}),
    })

    Hello({"who": "Ann"}, app=app, on={"wave": lambda hard: {"say": "…"}})          # in a page

`const Hello` is seen by its own file only; a `.js` without a `.py` (`kit.js`, `editors.js`, `parts/listbar.js`) is shared by all.
A page is one file `pages/<name>.py`: `@PAGES.add class ListPage(Page): name = "list"` with `title`, `crumbs` and `body`.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import inspect
import json
import logging
import os
import re
import shutil
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, ClassVar

import param
from panel.custom import JSComponent

from crm.errors import Conflict, Denied, GateError, Missing, RecordError, Refused
from crm.registry import Registry
from crm.views import tokens

log = logging.getLogger("crm.views")
HERE = Path(__file__).parent
CSS_ORDER = ("base", "frame", "form", "home", "record", "lists")          # then the others by name, `phone` last
SHARED_FIRST = ("kit", "editors")


class _Parts(Registry):
    """Parts by the name they give themselves, else by the snake case of their class."""

    def add(self, cls: type) -> type:                                   # type: ignore[override]
        word = cls.__dict__.get("word") or re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower()
        known = self._classes.get(word)
        if known is not None and known.__module__ != cls.__module__:
            raise ValueError(f"{word!r} is registered twice in {self.package}: {known.__module__} and {cls.__module__}")
        self._classes[word] = cls
        bundle.renew()
        return cls


PARTS: Registry = _Parts("crm.views.parts")
PAGES: Registry = Registry("crm.views.pages")


def _english(text: str, **values: Any) -> str:
    return text.format(**values) if values else text


def passing_folder() -> Path:
    """A private folder that goes when the process ends."""
    folder = Path(tempfile.mkdtemp(prefix="crm-parts-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


class _Bundle:
    """The ES module of all parts, written beside this file under a name that is the hash of what is in it.

    Browsers cache a module by its address, so another content must have another address. Where the folder cannot be
    written (an installed package), the module lies in a private temporary folder."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.path: Path | None = None

    def text(self) -> str:
        classes = list(PARTS.values())
        files = [HERE / "css" / f"{name}.css" for name in CSS_ORDER]
        files += sorted(path for path in (HERE / "css").glob("*.css") if path.stem not in (*CSS_ORDER, "phone"))
        files += sorted({path for cls in classes if (path := source_of(cls).with_suffix(".css")).is_file()})
        files.append(HERE / "css" / "phone.css")
        css = tokens.css(":host") + "".join(path.read_text("utf-8") for path in files if path.is_file())
        shared = [HERE / f"{name}.js" for name in SHARED_FIRST]
        shared += sorted(path for path in HERE.glob("*.js") if path.stem not in SHARED_FIRST and not path.name.startswith("parts."))
        own = {source_of(cls).with_suffix(".js") for cls in classes}
        shared += [path for path in sorted((HERE / "parts").glob("*.js")) if path not in own]       # helpers several parts use
        code = [f"const CSS = {json.dumps(css)}\n"] + [path.read_text("utf-8") + "\n" for path in shared if path.is_file()]
        names = []
        for cls in classes:
            path = source_of(cls).with_suffix(".js")
            if not path.is_file():
                log.warning("The part %s has no %s beside it", cls.__name__, path.name)
                continue
            code.append(f"\nconst {cls.__name__} = (() => {{\n{path.read_text('utf-8')}\nreturn {cls.__name__}\n}})()\n")
            names.append(cls.__name__)
        code.append("\nexport default {" + ", ".join(names) + "}\n")
        return "".join(code)

    def build(self) -> Path:
        """Path of the module; made once per process (`renew` after parts were added)."""
        with self.lock:
            if self.path is None or not self.path.exists():
                text = self.text()
                name = f"parts.{hashlib.sha256(text.encode()).hexdigest()[:16]}.js"
                self.path = self._write(HERE, name, text) or self._write(passing_folder(), name, text)
            assert self.path is not None
            return self.path

    @staticmethod
    def _write(folder: Path, name: str, text: str) -> Path | None:
        target = folder / name
        try:
            if not target.exists():
                passing = folder / f".{name}.{os.getpid()}"
                passing.write_text(text, encoding="utf-8")
                passing.replace(target)
                for old in folder.glob("parts.*.js"):                   # another process may still serve a recent one
                    if old != target and time.time() - old.stat().st_mtime > 3600:
                        old.unlink(missing_ok=True)
        except OSError:
            return None
        return target

    def renew(self) -> None:
        with self.lock:
            self.path = None


bundle = _Bundle()


def source_of(cls: type) -> Path:
    """The file a part or a page was written in."""
    return Path(inspect.getfile(cls))


class _BundlePath:
    """`_bundle_path` of every part: built when first asked for."""

    def __get__(self, instance: Any, owner: type) -> Path:
        return bundle.build()


class _PartType(type(JSComponent)):                  # type: ignore[misc]
    """A Parameterized keeps the attribute `name` for itself: what a part's class calls its name is kept as `word`."""

    def __new__(mcs, name: str, bases: tuple, body: dict) -> Any:
        if isinstance(body.get("name"), str):
            body["word"] = body.pop("name")
        return super().__new__(mcs, name, bases, body)


class Part(JSComponent, metaclass=_PartType):
    """A piece of screen: JSON `content` in, messages out. `words` names its phrases, `on` its handlers.

    A message {type, ask, …} calls the handler of that name with the rest as keywords; what it returns (a dict or None)
    answers the question in the browser. A refusal becomes `{"error": text}` or `{"error": text, "problems": {field: text}}` in
    the user's language; anything unexpected is written to the log with an id and told without its details."""

    content = param.Dict({}, doc="What is shown: JSON, formatted for the user by Python.")
    phrases = param.Dict({}, doc="The words of this part in the language of the user.")
    visit = param.Integer(0, doc="Which page of the window it was made for (`App.visit`).")
    language = param.String("en", doc="For plural forms and spell checking in the browser.")
    words: ClassVar[tuple[str, ...]] = ()
    _bundle_path = _BundlePath()                      # type: ignore[assignment]

    def __init__(self, content: Mapping | None = None, *, app: Any = None, t: Callable | None = None, on: Mapping[str, Callable] | None = None,
                 **params: Any) -> None:
        self._app = app
        self._t = t or getattr(app, "t", None) or _english
        self._on = dict(on or {})
        params.setdefault("sizing_mode", "stretch_width")
        params.setdefault("margin", 0)
        super().__init__(content=deepcopy(dict(content or {})), phrases=self.phrases_in(self._t), language=getattr(self._t, "language", "en"), visit=getattr(app, "visit", 0), **params)

    @classmethod
    def phrases_in(cls, t: Callable) -> dict[str, Any]:
        """{English: text or {plural form: text}} of this part's words, only where they differ from English."""
        look = getattr(t, "catalogue", {}) or {}
        found = {}
        for owner in cls.__mro__:
            for words in owner.__dict__.get("words", ()):
                if (own := look.get(words)) is not None and own != words:
                    found[words] = own
        return found

    def _get_properties(self, doc: Any) -> dict[str, Any]:
        """In a notebook the module is written into the output: once per view, see `crm.views.notebook`."""
        found = super()._get_properties(doc)
        share = getattr(self._app, "share_module", None)
        return share(self, found) if share is not None and found.get("bundle") not in (None, "url") else found

    def on(self, **handlers: Callable) -> None:
        """Handlers added after the part was made."""
        self._on.update(handlers)

    def handler(self, kind: str) -> Callable | None:
        return self._on.get(kind) or getattr(self, f"on_{kind}", None)

    def on_day(self, text: str, moment: bool = True, periods: bool = False) -> dict:
        """What is understood of a day typed in words, asked while typing: {"say": words} or {"wrong": words}. `moment`: a time of day may
        stand with it; `periods`: it may be a whole month or week, as in a filter."""
        t: Any = self._t
        if periods and (span := t.parse_period(text)) and span[0] != span[1]:
            return {"say": f"{t.date(span[0])} – {t.date(span[1])}"}
        try:
            try:
                found = t.parse_date(text)
                if moment and re.search(r"[T ]\d{1,2}:\d{2}", text):
                    found = t.parse_datetime(text)
            except Refused:
                if not moment:
                    raise
                found = t.parse_datetime(text)
        except Refused as exc:
            return {"wrong": exc.say(t)}
        return {"say": t.echo(found)}

    def _handle_msg(self, message: Any) -> None:
        message = dict(message) if isinstance(message, Mapping) else {}
        kind, number = str(message.pop("type", "")), message.pop("ask", None)
        run = self.handler(kind)
        try:
            answer = run(**message) if run else None
        except Exception as exc:
            answer = told(exc, self._t)
            if number is None and self._app is not None:
                self._app.say(answer["error"], tone="bad")
        if number is not None:
            self._send_msg({**(answer if isinstance(answer, Mapping) else {}), "re": number})

    def send(self, kind: str, /, **body: Any) -> None:
        """A message to the browser, taken by `on_<kind>` there."""
        self._send_msg({"type": kind, **body})

    def patch(self, **changes: Any) -> None:
        """Some of the content anew. Copied, because a list changed in place equals itself and nothing would be sent."""
        self.content = {**self.content, **deepcopy(changes)}


class Editing(Part):
    """A part with editors in it (`editors.js`): answers their searches, uploads and in-place creations.

    Every field description is `{"field", "label", "help"?, "required"?, "error"?, "editor": field.editor(…)}`."""

    words: ClassVar[tuple[str, ...]] = ("Search", "Nothing found", "Add", "Remove", "Add a line", "Create “{text}”", "Choose a file", "Drop files here or choose them",
             "This file is too large; the limit is {limit}.", "Uploading…", "Yes", "No", "Clear", "Pick a date", "Download", "Total",
             "Street", "City", "Postcode", "Region", "Country", "Title", "First name", "Last name", "{n} stars", "Color", "Choose", "Today", "Tomorrow",
             "Type to search", "hours", "minutes", "The file could not be read.", "Open", "Please wait for the upload to finish.", "Minimum", "Maximum", "Currency")

    def on_lookup(self, to: str, text: str = "", field: str = "") -> dict:
        """{"options": [[id, label, note]…], "create": bool} while typing in a link."""
        return self._app.lookup(to, text, field)

    def on_make(self, to: str, text: str) -> dict:
        """A new thing made from within a link editor: {"value", "label"}, or a sheet is opened and {"sheet": true} returned."""
        return self._app.make(to, text)

    def on_lines(self, of: str, rows: list, fill: Mapping | None = None, values: dict | None = None, about: int | None = None) -> dict:
        """What the formulas of a table give while it is typed: {"rows": [{column: text}…], "totals": {column: text}}; with `fill` {"row":
        number, "changed": column, "was": the row before} also what cells of it begin with, "fill": {column: {"value", "text"}}. `values`
        and `about` say of which record the table is a part."""
        return self._app.lines(of, rows, fill, values, about)

    def on_upload(self, name: str, kind: str, data: str) -> dict:
        """{"file": {name, type, size, blob}} for base64 `data`."""
        return self._app.upload(name, kind, data)


def told(exc: BaseException, t: Callable) -> dict[str, Any]:
    """What a user is told of an exception: {"error": text, "problems"?: {field: text}, "gate"?: {stage, missing}, "conflict"?: …}."""
    if isinstance(exc, RecordError):
        problems = {key: _say(what, t) for key, what in getattr(exc, "problems", {}).items()}
        answer: dict[str, Any] = {"error": (t("One field needs a look.") if len(problems) == 1 else t("{n} fields need a look.", n=len(problems))), "problems": problems}
        if "" in problems:                                          # about the whole, not one field
            answer["error"] = problems.pop("")
        if isinstance(exc, GateError):
            answer["gate"] = {"stage": exc.stage, "missing": list(exc.missing)}
            wanted = max(1, len(exc.missing))
            answer["error"] = t("One thing is still wanted before this step.") if wanted == 1 else t("{n} things are still wanted before this step.", n=wanted)
            beyond = [words for key, words in problems.items() if ":" in key or key == "responsible"]     # not fields: said with the rest
            answer["error"] = " ".join([answer["error"], *beyond])
        return answer
    if isinstance(exc, Conflict):
        return {"error": t("Somebody else changed this in the meantime. What you typed is still here; look at the newer values and save again."), "conflict": True}
    if isinstance(exc, Refused | Denied | Missing):
        return {"error": _say(exc, t)}
    number = uuid.uuid4().hex[:8]
    log.error("Unexpected, told to the user as %s", number, exc_info=exc)
    return {"error": t("Something went wrong, nothing is lost. Please try again; if it happens again, tell your administrator the number {number}.", number=number),
            "fault": number}


def _say(what: Any, t: Callable) -> str:
    say = getattr(what, "say", None)
    if say is not None:
        with contextlib.suppress(Exception):
            return say(t)
    return str(what)


class Page:
    """What the body of the window shows for one address. Made anew for each address; `args` are the query of the address.

    `title` stands in the breadcrumb and the window's title, `crumbs` before it ([{"label", "href"}]), `body` is a Panel object."""

    name: ClassVar[str] = ""
    title: str = ""
    body: Any = None
    drawings: ClassVar[bool] = False                 # holds charts, which are drawn anew in the dark

    def __init__(self, app: Any, **args: str) -> None:
        self.app, self.args = app, args
        self.crumbs: list[dict] = []

    @property
    def t(self) -> Any:
        return self.app.t

    @property
    def door(self) -> Any:
        return self.app.door

    def refresh(self) -> None:
        """Read again and redraw; the plain way is to make the page anew."""
        self.app.show()

    def turn(self, args: dict[str, str]) -> bool:
        """Show another address of the same page in place; False: the page is made anew."""
        return False

    def close(self) -> None:
        """Called when another page takes its place."""
