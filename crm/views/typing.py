"""The two dialogs that spare typing, open to every page: logging what happened to a record, and a record out of pasted text (H6)."""

from __future__ import annotations

from typing import Any

from crm.errors import Missing, Refused
from crm.views import planning
from crm.views.base import PARTS
from crm.views.text import subtitle
from crm.words import fold

#: The entry of the quick add menu that logs.
LOG = "!log"


class Boxes:
    """`app.boxes.log(entity, id)` and `app.boxes.paste(entity)`."""

    def __init__(self, app: Any) -> None:
        self.app = app
        aside = {"width": 0, "height": 0, "sizing_mode": "fixed"}
        self.log_box = PARTS["log_box"](app=app, **aside, on={"log": self.keep_log})
        self.paste_box = PARTS["paste_box"](app=app, **aside, on={"read": self.read, "create": self.create, "fill": self.fill, "use": self.use})
        self.about: Any = None  # the record that is logged on
        self.pasted: tuple[str, dict, Any] = ("", {}, None)  # entity, first values, the form that takes what was found

    @property
    def parts(self) -> list[Any]:
        return [self.log_box, self.paste_box]

    # -- what happened

    def log(self, entity: str, id: int, kind: str = "", text: str = "") -> None:
        """The dialog over a record this user sees."""
        record = self.app.door.get(entity, int(id))
        if not planning.may_log(self.app, entity):
            raise Missing("This is not there, or not for you.")
        self.about = record
        self.log_box.content = {**planning.composer_content(self.app, record), "title": self.app.t("Log: {title}", title=record.title)}
        self.log_box.send("open", kind=kind, text=text)

    def keep_log(self, **said: Any) -> dict:
        record = self.about
        if record is None:
            return {}
        answer = planning.keep(self.app, record, said)
        if "step" in answer:
            self.app.say(self.app.t("Logged: {title}", title=record.title), undo=answer.pop("step"))
            self.app.refresh()
        return answer

    # -- pasted text

    def paste(self, entity: str, values: dict | None = None, form: Any = None) -> None:
        """The dialog that makes a record of an entity out of pasted text, or hands what it found to a form."""
        app, t = self.app, self.app.t
        if not offers(app, entity):
            raise Missing("This is not there, or not for you.")
        self.pasted = (entity, values or {}, form)
        self.paste_box.content = {
            "title": t("Paste a signature"),
            "create": t("Create: {what}", what=app.schema.entities[entity].label_in(t)),
            "use": t("Use in the form") if form is not None else None,
        }
        self.paste_box.send("open")

    def found(self, text: str) -> dict[str, Any]:
        """`{field key: typed value}` of what the text says for the entity at hand."""
        from crm.intake import signatures

        entity, first, _ = self.pasted
        region = getattr(self.app.schema, "country", "") or self.app.t.locale.territory or ""
        return {**first, **signatures.values(self.app.door, entity, signatures.read(text, str(region)))}

    def read(self, text: str) -> dict:
        """What was found, as labels and words, and which records it may be."""
        from crm.intake import signatures

        app, (entity, first, form) = self.app, self.pasted
        one, door = app.schema.entities[entity], app.door
        found = self.found(text) if text.strip() else {}
        shown = []
        for key, value in found.items():
            field = one.fields[key]
            try:
                words = field.display(field.clean(value, app.t), app.shown)
            except Refused as exc:
                words = f"{value} ({exc.say(app.t)})"
            if key not in first:
                shown.append({"field": key, "label": field.label_in(app.t), "show": str(words)})
        twins = []
        for record in signatures.twins(door, entity, found) if shown and form is None else []:
            lacks = signatures.missing(record, found)
            writable = door.writable(entity, record)
            fills = [one.fields[key].label_in(app.t) for key in lacks if key in writable]
            twins.append({"id": record.id, "title": record.title, "sub": subtitle(record, one, app.shown), "fills": fills, "may": bool(fills),
                          "href": app.href(view="record", entity=entity, id=record.id)})  # fmt: skip
        return {"fields": shown, "twins": twins}

    def create(self, text: str) -> dict:
        app, entity = self.app, self.pasted[0]
        with app.door.step(f"create {entity}") as step:
            record = app.door.create(entity, self.found(text))
        app.say(app.t("{title} created", title=record.title), undo=step.id, href=app.href(view="record", entity=entity, id=record.id), link=app.t("Open"))
        app.refresh()
        return {}

    def fill(self, text: str, id: int) -> dict:
        """The empty fields of a record that is there; what it has stays as it is."""
        from crm.intake import signatures

        app, entity = self.app, self.pasted[0]
        record = app.door.get(entity, int(id))
        writable = app.door.writable(entity, record)
        values = {key: value for key, value in signatures.missing(record, self.found(text)).items() if key in writable}
        with app.door.step("change") as step:
            app.door.change(entity, record.id, values)
        app.say(app.t("{title}: {n} filled in", title=record.title, n=len(values)), undo=step.id, href=app.href(view="record", entity=entity, id=record.id), link=app.t("Open"))
        app.refresh()
        return {}

    def use(self, text: str) -> dict:
        """Into the form that is open: nothing is saved yet."""
        app, (entity, _, form) = self.app, self.pasted
        one = app.schema.entities[entity]
        values = {}
        for key, value in self.found(text).items():
            field = one.fields[key]
            clean = field.clean(value, app.t)
            to = getattr(field, "to", None)
            values[key] = {"id": clean, "label": app.door.title(to, clean) or ""} if to and isinstance(clean, int) else field.editor(clean, app.shown).get("value")
        if form is not None:
            form.send("fill", values=values)
        return {}


def offers(app: Any, entity: str) -> bool:
    """Whether a pasted text can become a record of this entity, for this user."""
    from crm.intake.signatures import taker

    one = app.schema.entities.get(entity)
    users = app.schema.users
    return one is not None and not (users and users.entity == entity) and app.door.may("create", entity) and taker(one)


def commands(app: Any, text: str) -> list[dict]:
    """`log call nord…` in the command box: the records found by the words behind it, each to be logged on. Without words: where one is."""
    t = app.t
    if app.schema.activities is None:
        return []
    words = text.split()
    if not words or fold(words[0]) not in {"log", fold(t("Log")), fold(t("Log a call")).split()[0]}:
        return []
    rest, kinds = words[1:], planning.kinds(app)
    kind = next((one for one in kinds if rest and len(rest[0]) > 2 and fold(one["label"]).startswith(fold(rest[0]))), None)
    if kind is not None:
        rest = rest[1:]
    kind = kind or (kinds[0] if kinds else {"name": "", "label": t("Log"), "glyph": "edit_note"})
    wanted = [name for name in app.schema.entities if planning.may_log(app, name) and name != app.schema.activities.entity]
    if rest:
        hits = [(hit.entity, hit.id, hit.title) for hit in app.door.search(" ".join(rest), limit=8, entities=wanted)]
    else:
        known = [(name, id) for name, id in app.recents if name in wanted]
        hits = [(name, id, title) for name, id in known if (title := app.door.title(name, id))]
    return [
        {"key": f"log-{name}-{id}", "title": f"{kind['label']}: {title}", "sub": app.schema.entities[name].label_in(t), "glyph": kind["glyph"],
         "act": f"log:{name}:{id}:{kind['name']}", "end": t("Log")}
        for name, id, title in hits
    ]  # fmt: skip


def run(app: Any, name: str) -> bool:
    """A command of the command box that is one of ours."""
    act, *rest = name.split(":")
    if act == "log" and len(rest) == 3 and rest[1].isdigit():
        app.boxes.log(rest[0], int(rest[1]), rest[2])
    elif act == "log":
        start(app)
    elif act == "paste" and rest:
        app.boxes.paste(rest[0])
    else:
        return False
    return True


def start(app: Any) -> None:
    """Logging from anywhere: on the record that is open, else whose it is, is asked first."""
    page = app.now
    entity, record = getattr(page, "entity", None), getattr(page, "record", None)
    if entity is not None and record is not None and planning.may_log(app, entity.name):
        app.boxes.log(entity.name, record.id)
        return
    app.command.send("open", text=f"{app.t('Log')} ")
    return None


def key(app: Any, name: str) -> None:
    """A key pressed outside of any field: `l` logs, `e` edits the record that is open."""
    page = app.now
    if name == "l" and app.schema.activities is not None:
        composer = getattr(page, "composer", None)
        if composer is not None:
            composer.send("kind", kind="")
        else:
            start(app)
        return
    entity, record = getattr(page, "entity", None), getattr(page, "record", None)
    if name == "e" and page is not None and page.name == "record" and entity is not None and record is not None and app.door.may("change", entity.name, record):
        app.go(view="form", entity=entity.name, id=record.id)
