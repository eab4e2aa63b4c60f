"""One browser window: who is there, where they are (the address), the frame around the body, messages and sheets.

`create_page(company, actor)` gives the page of a session. Pages ask `app.door`, `app.t`, `app.go(…)`, `app.say(…)`, `app.sheet(…)`."""

from __future__ import annotations

import base64
import logging
import secrets
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

import panel as pn
import panel_material_ui as pmui
from panel.io.resources import get_dist_path
from panel.util import edit_readonly

from crm.errors import Denied, Missing, Refused
from crm.records import SYSTEM
from crm.views import tokens, typing
from crm.views.base import PAGES, PARTS, Page, told
from crm.views.kept import Kept
from crm.views.typing import LOG, Boxes

log = logging.getLogger("crm.views")
LOOK = 30_000                            # milliseconds between two looks for new notices
STAY = {"words": 5, "acts": 12}          # seconds a message stays: a plain one; one with Undo or bad news
UPLOAD_LIMIT = 10 * 1024 * 1024          # bytes of one file; a message of the socket carries a third more
PAGE_SX = {
    "& .MuiAppBar-root": {"left": {"xs": 0, "sm": "var(--side)"}, "width": "auto", "background": "none", "boxShadow": "none", "color": "inherit", "zIndex": 10},
    "& .MuiAppBar-root .MuiToolbar-root": {"minHeight": "var(--bar)", "p": 0},
    "& .MuiLinearProgress-root": {"display": "none"},
    "& main": {"marginLeft": {"xs": 0, "sm": "var(--side)"}, "background": "var(--bg)", "width": "auto"},
    "& main .MuiToolbar-root": {"minHeight": "var(--bar)", "m": 0, "p": 0},
    "& .main-content": {"display": "block", "p": {"xs": "12px 14px 84px", "sm": "16px 24px"}, "boxSizing": "border-box"},
}
FRAME_CSS = (":root{--side:var(--nav)}.folded{--side:0px}@media(max-width:700px){:root{--side:0px}}"
             "body{font:400 13px/1.45 var(--font);color:var(--text)}")


def href(**args: Any) -> str:
    """The address of a page: `href(view="record", entity="account", id=12)`; empty values are left out."""
    return "?" + urlencode({key: value for key, value in args.items() if value not in (None, "")})


def grid(areas: str, *children: Any, columns: str, phone: str | None = None, gap: str = "16px 24px") -> pn.Column:
    """Children laid out in named columns on a desk (`"facts line side | facts more side"`), one under the other on a phone."""
    names = list(dict.fromkeys(areas.replace("|", " ").split()))
    for child, name in zip(children, names, strict=False):
        child.styles = {**child.styles, "grid-area": name, "order": str((phone or areas).split().index(name))}
    rows = " ".join(f"'{row.strip()}'" for row in areas.split("|"))
    css = (f":host{{display:grid!important;grid-template-columns:{columns};grid-template-areas:{rows};"
           f"grid-template-rows:{'auto ' * areas.count('|')}1fr;gap:{gap};align-items:start}}"
           "@media(max-width:1000px){:host{display:flex!important;flex-direction:column;gap:16px}:host>*{width:100%!important}}")
    return pn.Column(*children, stylesheets=[css], sizing_mode="stretch_width", margin=0)


def stack(*children: Any, gap: int = 16) -> pn.Column:
    """Children one under the other."""
    return pn.Column(*children, sizing_mode="stretch_width", margin=0, stylesheets=[f":host{{gap:{gap}px}}"])


class App:
    """One browser window of one user. `part(name, content, …)` makes a part of the registry for it."""

    href = staticmethod(href)
    grid = staticmethod(grid)
    stack = staticmethod(stack)

    def __init__(self, company: Any, actor: Any, query: str = "", dark: bool = False) -> None:
        self.company, self.actor = company, actor
        self.door = company.door(actor)
        self.kept = Kept(company)
        self.language = actor.language or self.schema.language
        self.t = self.schema.words(self.language)
        self.dark = self.preference("dark", dark)
        self.now: Page | None = None
        self.visit = 0                      # pages shown so far; the parts of a page carry its number, by which the browser knows that it stands
        self._sheets: dict[str, dict] = {}
        self._still = False
        self._recent: list[tuple[str, int]] = []
        self.body = pn.Column(sizing_mode="stretch_width", margin=0)
        self.frame = self.frame_at(query)
        aside = {"width": 0, "height": 0, "sizing_mode": "fixed"}
        self.command = PARTS["command"](app=self, **aside, on={"find": self.find, "run": self.run})
        self.toast = PARTS["toast"]({"stay": STAY}, app=self, **aside, on={"undo": self.undo})
        self.sheets = PARTS["sheet"](app=self, **aside, on={"save": self._sheet_save, "close": self._sheet_close, "changed": self._sheet_changed, "tool": self._sheet_tool})
        self.boxes = Boxes(self)
        self.frame.param.watch(lambda event: self.show(), "query")
        self.page = self.whole()
        self._told = max((one.id for one in self.door.notices(1)), default=0)
        if pn.state.curdoc is not None and pn.state.curdoc.session_context is not None:
            pn.state.add_periodic_callback(self.hear, period=LOOK)
        self.show()

    def frame_at(self, query: str) -> Any:
        """What stands around the pages and holds the address."""
        return PARTS["frame"](app=self, query=query, made=secrets.token_hex(8), on={
            "dark": self.flip, "add": self.quick_add, "language": self.speak, "again": self.refresh, "key": lambda name: typing.key(self, name), "seen": self.seen})

    def whole(self) -> Any:
        """All of the window as one Panel object."""
        page: Any = pmui.Page(title="", header=[self.frame], main=[self.body, self.command, self.toast, self.sheets, *self.boxes.parts], theme_config=tokens.mui(),
                              dark_theme=self.dark, theme_toggle=False, sx=PAGE_SX, raw_css=[tokens.page_css() + FRAME_CSS],
                              meta_name=self.schema.title)
        make = page.get_root

        def get_root(*args: Any, **more: Any) -> Any:
            root: Any = make(*args, **more)
            root.data._custom_theme = ["Axis", "Grid", "Legend", "Title"]     # `crm.charts` dresses charts; else the page dresses them again
            return root

        page.get_root = get_root
        with edit_readonly(page):
            page.busy = False         # unlinks the process-wide flag: else each act of one user is sent to every session
        return page

    # -- what pages ask ------------------------------------------------------------------------------------------------------------------
    @property
    def schema(self) -> Any:
        return self.company.schema

    @property
    def shown(self) -> Any:
        """The context fields need to show values: words, rights-checked titles of links, schema."""
        return self.door.shown

    def part(self, name: str, content: Mapping | None = None, **more: Any) -> Any:
        return PARTS[name](content, app=self, **more)

    def go(self, **args: Any) -> None:
        """To another page; the address follows, Back comes here again."""
        query = href(**args)[1:]
        if query == self.frame.query:
            self.show()
        else:
            self.frame.query = query

    def address(self, **args: Any) -> None:
        """Another address for what is shown already (sorted, filtered, searched otherwise): Back returns, nothing is rebuilt."""
        self._still = True
        try:
            self.frame.query = href(**args)[1:]
        finally:
            self._still = False

    def say(self, text: str, undo: int | None = None, tone: str = "good", href: str = "", link: str = "") -> None:
        """A short message; with `undo` (a step of history) it carries Undo for ten seconds."""
        self.toast.send("say", text=text, undo=undo, tone=tone, href=href, link=link)

    def refresh(self) -> None:
        """Something was changed: the page and the counts of the frame are read again."""
        page = self.now
        if page is not None and type(page).refresh is not Page.refresh:
            page.refresh()
            self.redraw_frame()
        else:
            self.show()

    def undo(self, step: int) -> dict:
        done = self.door.undo(step)
        self.refresh()
        conflicts = list(getattr(done, "conflicts", ()) or ())
        said = self.t("Taken back, except {n} that somebody has changed since.", n=len(conflicts)) if conflicts else self.t("Taken back.")
        if getattr(done, "sent", 0):
            said = f"{said} {self.t('Sent already, and stays sent: {n}.', n=done.sent)}"
        return {"say": said}

    def preference(self, key: str, default: Any = None) -> Any:
        """What this user chose on the screens (dark, columns, folded); kept with the user where the door can."""
        look = getattr(self.door, "preference", None)
        return look(key, default) if look else default

    def prefer(self, key: str, value: Any) -> None:
        keep = getattr(self.door, "prefer", None)
        if keep:
            keep(key, value)

    @property
    def pages(self) -> Any:
        return PAGES

    @property
    def recents(self) -> list[tuple[str, int]]:
        """The records opened last in this window, the latest first."""
        return list(self._recent)

    def recent(self) -> list[dict]:
        """The records opened last in this window, as the command box lists them."""
        found = []
        for entity, number in self._recent:
            title = self.door.titles(entity, [number]).get(number)
            if title:
                what = self.schema.entities[entity]
                found.append({"key": f"recent-{entity}-{number}", "title": title, "sub": what.label_in(self.t), "glyph": what.icon,
                              "href": href(view="record", entity=entity, id=number)})
        return found

    # -- sheets --------------------------------------------------------------------------------------------------------------------------
    def sheet(self, title: str, fields: list[dict] = (), *, submit: str = "", on_submit: Callable[[dict], Any] | None = None, text: str = "",  # type: ignore[assignment]
              cancel: str = "", tone: str = "", on_change: Callable[[dict], dict | None] | None = None, icon: str = "", wide: bool = False,
              lines: list[dict] = (), key: str = "", tools: Mapping[str, Callable[[], Any]] | None = None) -> str:                                                                                   # type: ignore[assignment]
        """A small dialog with fields. `on_submit(values)` closes it unless it raises or returns {"problems": {field: text}};
        `on_change(values)` may return {"fields": […]} to show others. Several lie on one another. Gives its key."""
        number = key or f"s{len(self._sheets) + 1}-{len(title)}"
        self._sheets[number] = {"on_submit": on_submit, "on_change": on_change, "tools": tools}
        self.sheets.send("open", sheet={"key": number, "title": title, "text": text, "fields": list(fields), "submit": submit or self.t("Save"),
                                        "cancel": cancel or self.t("Cancel"), "tone": tone, "icon": icon, "wide": wide, "lines": list(lines),
                                        "watch": bool(on_change), "plain": on_submit is None})
        return number

    def confirm(self, title: str, text: str = "", *, yes: str = "", on_yes: Callable[[], Any] | None = None, tone: str = "") -> str:
        """A question with one answer that acts."""
        return self.sheet(title, submit=yes or self.t("OK"), text=text, tone=tone, on_submit=(lambda values: on_yes()) if on_yes else None)

    def _sheet_save(self, key: str, values: dict) -> dict:
        entry = self._sheets.get(key)
        if entry is None:
            return {}
        answer = entry["on_submit"](values) if entry["on_submit"] else None
        if isinstance(answer, Mapping):
            problems = answer.get("problems") or answer.get("errors")
            if problems or answer.get("error"):
                return {"problems": dict(problems or {}), "error": answer.get("error") or (self.t("One field needs a look.") if len(problems or ()) == 1 else self.t("{n} fields need a look.", n=len(problems or ())))}
        self._sheets.pop(key, None)
        return {"done": True, "value": answer.get("value") if isinstance(answer, Mapping) else None}

    def _sheet_close(self, key: str) -> None:
        self._sheets.pop(key, None)

    def _sheet_tool(self, key: str, name: str) -> None:
        """A link at the foot of a sheet that does something else instead."""
        entry = self._sheets.pop(key, None) or {}
        tool = (entry.get("tools") or {}).get(name)
        if tool:
            tool()

    def _sheet_changed(self, key: str, values: dict) -> dict:
        entry = self._sheets.get(key) or {}
        return (entry["on_change"](values) if entry.get("on_change") else None) or {}

    # -- editors -------------------------------------------------------------------------------------------------------------------------
    def lookup(self, to: str, text: str, field: str = "", limit: int = 12) -> dict:
        """Options of a link editor: [[id, title, note]…] the user may see and choose, and whether a new one may be made in place."""
        entity = self.schema.entities[to]
        if field:
            hits = [(record.id, record.title) for record in self.door.choices(field, text.strip(), limit)]
        elif text.strip():
            hits = [(hit.id, hit.title) for hit in self.door.search(text.strip(), limit=limit, entities=[to])]
            if not hits:
                hits = [(record.id, record.title) for record in self.door.list(to, find=text.strip(), limit=limit)]
        else:
            hits = [(record.id, record.title) for record in self.door.list(to, order=["-changed_on"], limit=limit)]
        notes = self._subtitles(entity, [number for number, _ in hits])
        return {"options": [[number, title, notes.get(number, "")] for number, title in hits], "create": bool(text.strip()) and self.door.may("create", to)}

    def lines(self, of: str, rows: list, fill: Mapping | None = None, values: dict | None = None, about: int | None = None) -> dict:
        """What the formulas of a table give for rows as they are typed, and what cells of one of them begin with; `of` is the path of its field."""
        _, entity, _, key = of.split(".")
        if key not in self.door.readable(entity):
            raise Missing("This is not there, or not for you.")
        field, filled = self.schema.entities[entity].fields[key], {}
        if fill and 0 <= (number := int(fill["row"])) < len(rows):
            found = self.door.begins(entity, key, rows[number], fill["changed"], fill["was"], values, about)
            filled = {name: {"value": field.columns[name].typed(value, self.shown), "text": field.columns[name].display(value, self.shown)} for name, value in found.items()}
            rows = [{**row, **{name: one["value"] for name, one in filled.items()}} if place == number else row for place, row in enumerate(rows)]
        return {**field.worked_out(rows, self.shown), "fill": filled}

    def _subtitles(self, entity: Any, ids: list[int]) -> dict[int, str]:
        from crm.views.text import subtitle
        found = {}
        for number in ids:
            try:
                found[number] = subtitle(self.door.get(entity.name, number), entity, self.shown)
            except (Missing, Denied):
                continue
        return found

    def make(self, to: str, text: str) -> dict:
        """A new record from within a link editor: at once when its title is all it needs, else with a sheet of what it asks."""
        from crm.views.text import quick_fields, title_field
        entity = self.schema.entities[to]
        key = title_field(entity)
        values = {key: text} if key else {}
        problems = self.door.problems(to, values)
        if not problems:
            record = self.door.create(to, values)
            return {"value": record.id, "label": record.title}

        number = f"make-{to}"

        def save(typed: dict) -> dict:
            record = self.door.create(to, typed)
            self.say(self.t("{title} created", title=record.title))
            return {"value": [record.id, record.title]}

        self.sheet(self.t("New: {what}", what=entity.label_in(self.t)), quick_fields(self, entity, values), submit=self.t("Create"), on_submit=save,
                   icon=entity.icon, key=number)
        return {"sheet": number}

    def upload(self, name: str, kind: str, data: str) -> dict:
        """Keeps the bytes of one file; the record only gets a reference when it is saved."""
        content = base64.b64decode(data, validate=False)
        if len(content) > UPLOAD_LIMIT:
            raise Refused("This file is too large; the limit is {limit}.", limit=f"{UPLOAD_LIMIT // 2**20} MB")
        attach = getattr(self.door, "attach", None)
        if attach is None:
            raise Refused("Files cannot be stored here.")
        return {"file": attach(name, kind, content)}

    # -- the frame -----------------------------------------------------------------------------------------------------------------------
    def flip(self) -> None:
        self.dark = self.page.dark_theme = not self.dark
        self.prefer("dark", self.dark)
        self.frame.patch(dark=self.dark)
        if self.now is not None and self.now.drawings:
            self.show()

    def hear(self) -> None:
        """Looks whether this user was told something new meanwhile: it is said, and the bell counts it."""
        try:
            fresh = [one for one in self.door.notices(3, unread=True) if one.id > self._told]
        except Denied:                     # switched off meanwhile: the next act says so
            return
        if fresh:
            self._told = fresh[0].id
            where_to = self.href(view="record", entity=fresh[0].entity, id=fresh[0].record) if fresh[0].entity else ""
            self.say(fresh[0].text, href=where_to, link=self.t("Open") if where_to else "")
            self.redraw_frame()

    def seen(self, id: int | None = None) -> None:
        """One notice, or all of them, have been read."""
        self.door.notice_seen(id)
        self.redraw_frame()

    def speak(self, language: str) -> None:
        """Another language for this user, kept with the user."""
        if language not in self.schema.languages:
            raise Missing("This language is not configured.")
        roles = self.schema.users
        if roles and roles.language:
            self.company.door(SYSTEM).change(roles.entity, self.actor.id, {roles.language: language})       # one's own language needs no right
        self.frame.send("reload")

    def find(self, text: str) -> dict:
        from crm.views.frame import commands
        return commands(self, text)

    def run(self, name: str) -> None:
        """A command of the command box that is not a place."""
        if name == "dark":
            self.flip()
        elif name.startswith("add:"):
            self.quick_add(name[4:])
        elif name == "keys":
            self.frame.send("keys")
        else:
            typing.run(self, name)

    def quick_add(self, entity: str, values: dict | None = None) -> None:
        """The sheet that makes a new record with few fields."""
        from crm.views.text import quick_fields
        if entity == LOG:
            return typing.start(self)
        what = self.schema.entities[entity]

        def save(typed: dict) -> None:
            with self.door.step(f"create {entity}") as step:
                record = self.door.create(entity, {**(values or {}), **typed})
            self.say(self.t("{title} created", title=record.title), undo=step.id, href=href(view="record", entity=entity, id=record.id), link=self.t("Open"))
            self.refresh()

        self.sheet(self.t("New: {what}", what=what.label_in(self.t)), quick_fields(self, what, values or {}), submit=self.t("Create"), on_submit=save, icon=what.icon,
                   lines=[{"text": self.t("All fields"), "href": href(view="form", entity=entity, **(values or {}))},
                          *([{"text": self.t("Paste a signature"), "tool": "paste"}] if typing.offers(self, entity) else [])],
                   tools={"paste": lambda: self.boxes.paste(entity, values)})

    def redraw_frame(self) -> None:
        from crm.views.frame import frame_content
        content = frame_content(self)
        if content != self.frame.content:
            self.frame.content = content

    def show(self) -> None:
        """The page of the address. A page that fails leaves a page that says so; the log has the rest."""
        if self._still:
            return
        query = self.frame.query
        self._show()
        self.frame.send("there", query=query, visit=self.visit)

    def _show(self) -> None:
        args = dict(parse_qsl(self.frame.query))
        view = args.pop("view", "home")
        old = self.now
        if old is not None and old.name == view and old.turn(args):
            self.redraw_frame()
            return
        with pn.io.hold():
            self.visit += 1
            try:
                self.now = self._page(view, args)
                body = self.now.body
            except Exception as exc:
                which = {key: args[key] for key in ("entity", "id") if key in args and view in ("record", "form")}
                self.now = PAGES["trouble"](self, answer=told(exc, self.t), missing=isinstance(exc, Missing | KeyError | Denied), **which)
                body = self.now.body
            entity, number = args.get("entity"), args.get("id", "")
            if view == "record" and entity and number.isdigit() and not isinstance(self.now, PAGES["trouble"]):
                self._recent = [(entity, int(number)), *(pair for pair in self._recent if pair != (entity, int(number)))][:6]
            if old is not None:
                try:
                    old.close()
                except Exception:
                    log.exception("Closing a page")
            self.redraw_frame()
            self.body[:] = [body]

    def _page(self, view: str, args: dict) -> Page:
        if view not in PAGES:
            raise Missing("There is no such page.")
        try:
            return PAGES[view](self, **args)
        except OverflowError:                              # a number no record can have
            raise Missing() from None


def create_page(company: Any, actor: Any) -> Any:
    """The Panel object of one browser session, to be served; `actor` is who signed in."""
    args = {name: values[0].decode() for name, values in (pn.state.session_args or {}).items()}
    if pn.state.curdoc is not None:      # else what is made before the page has been rendered (`later`) takes its style sheets from a CDN
        pn.state.curdoc.template_variables.setdefault("dist_url", get_dist_path(cdn=False))
    app = App(company, actor, query=urlencode(args))
    return app.page


__all__ = ["App", "create_page", "grid", "href", "stack"]
