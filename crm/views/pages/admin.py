"""Administration: users and roles, and the state of the configuration. Only for roles that are `admin`."""

from __future__ import annotations

from typing import Any

from crm.errors import ConfigError, Denied, Fault, Missing, RecordError, Refused
from crm.views.base import PAGES, Page
from crm.views.text import fields_for, help_of, quick_fields, shown

TABS = ("users", "roles", "config")


@PAGES.add
class AdminPage(Page):
    """`?view=admin` users, `&tab=roles` what each role may do, `&tab=config` faults and reload."""

    name = "admin"

    def __init__(self, app: Any, tab: str = "users", **args: str) -> None:
        super().__init__(app, **args)
        if not app.actor.admin:
            raise Denied("You may not do this.")
        t = app.t
        self.tab = tab if tab in TABS else "users"
        self.title = t("Administration")
        self.roles = app.schema.users
        if self.roles is None:
            raise Missing("There is no such page.")
        self.entity = app.schema.entities[self.roles.entity]
        self.body = app.part("admin", self.content(), on={"add": self.add, "edit": self.edit, "password": self.password, "switch": self.switch, "check": self.check, "take": self.take})

    def content(self) -> dict:
        content: dict[str, Any] = {"title": self.title, "tab": self.tab, "tabs": tabs(self.app)}
        make: dict[str, Any] = {"users": lambda: {"users": self.users()}, "roles": lambda: {"roles": rights(self.app)}, "config": lambda: {"config": self.config()}}
        return content | make[self.tab]()

    def refresh(self) -> None:
        self.body.content = self.content()

    # -- users ---------------------------------------------------------------------------------------------------------------------------
    def users(self) -> list[dict]:
        app, roles, ctx = self.app, self.roles, self.app.shown
        fields = self.entity.fields
        found = []
        for record in app.door.list(self.entity.name, order=[roles.name], limit=2000):
            found.append({"key": str(record.id), "name": record.title, "login": shown(fields[roles.login], record.get(roles.login), ctx), "role": role_label(app, record.get(roles.role)),
                          "team": shown(fields[roles.team], record.get(roles.team), ctx) if roles.team else "", "active": bool(record.get(roles.active)) if roles.active else True,
                          "password": callable(getattr(app.company, "set_password", None)), "other": bool(roles.active) and record.id != app.actor.id})
        return found

    def _keys(self) -> list[str]:
        roles = self.roles
        return [key for key in dict.fromkeys([roles.name, roles.login, roles.email, roles.role, roles.team, roles.language]) if key]

    def add(self) -> None:
        t = self.app.t
        fields = fields_for(self.app, self.entity, self._keys()) or quick_fields(self.app, self.entity, {})
        if callable(getattr(self.app.company, "set_password", None)):
            fields.append({"field": "_password", "label": t("First password"), "editor": {"type": "password"}, "help": t("They can change it after signing in. Empty: nobody can sign in as this user yet.")})

        def save(values: dict) -> None:
            password = values.pop("_password", None)
            with self.app.door.step("user") as step:
                record = self.app.door.create(self.entity.name, values)
                if password:
                    self._set(record.id, password)
            self.app.say(t("{title} created", title=record.title), undo=step.id)
            self.app.refresh()
        self.app.sheet(t("Add a user"), fields, submit=t("Create"), on_submit=save, icon="person_add")

    def edit(self, id: int) -> None:
        record = self.app.door.get(self.entity.name, int(id))
        t = self.app.t

        def save(values: dict) -> None:
            with self.app.door.step("user") as step:
                self.app.door.change(self.entity.name, record.id, values, expect=record.version)
            self.app.say(t("Saved"), undo=step.id)
            self.app.refresh()
        self.app.sheet(record.title, fields_for(self.app, self.entity, self._keys(), record), submit=t("Save"), on_submit=save, icon="person",
                       lines=[{"text": t("All fields"), "href": self.app.href(view="form", entity=self.entity.name, id=record.id)}])

    def password(self, id: int) -> None:
        record = self.app.door.get(self.entity.name, int(id))
        t = self.app.t

        def save(values: dict) -> None:
            if not values.get("_password"):
                raise RecordError({"_password": Refused("Please fill this in.")})
            self._set(record.id, values["_password"])
            self.app.say(t("{name} has a new password and is signed out everywhere.", name=record.title))
        self.app.sheet(t("Set a password"), [{"field": "_password", "label": t("New password"), "required": True, "editor": {"type": "password"}}], text=record.title, submit=t("Save"), on_submit=save, icon="key")

    def _set(self, user: int, password: str) -> None:
        try:
            self.app.company.set_password(user, password, by=self.app.actor.login)
        except Refused as exc:
            raise RecordError({"_password": exc}) from exc

    def switch(self, id: int) -> None:
        record = self.app.door.get(self.entity.name, int(id))
        t, key = self.app.t, self.roles.active
        if not key or record.id == self.app.actor.id:
            raise Denied("You may not do this.")
        on = bool(record.get(key))

        def act() -> None:
            with self.app.door.step("user") as step:
                self.app.door.change(self.entity.name, record.id, {key: not on})
            self.app.say(t("{name} cannot sign in any more.", name=record.title) if on else t("{name} can sign in again.", name=record.title), undo=step.id)
            self.app.refresh()
        if on:
            self.app.confirm(t("Switch off {name}?", name=record.title), t("They can no longer sign in. What they entered stays, and you can switch them on again."), yes=t("Switch off"), on_yes=act, tone="bad")
        else:
            act()

    # -- configuration -------------------------------------------------------------------------------------------------------------------
    def config(self, faults: list[Fault] | None = None) -> dict:
        t, schema = self.app.t, self.app.schema
        known = list(getattr(self.app.company, "config_faults", ()) or ()) if faults is None else faults
        facts = [[t("Name"), schema.title], [t("Folder"), str(schema.folder)], [t("Built on"), ", ".join(folder.name for folder in schema.layers[:-1]) or "–"],
                 [t("Version"), (schema.hash or "")[:12]], [t("Holds"), t("{entities} kinds of records, {pipelines} pipelines, {roles} roles, {reports} reports", entities=len(schema.entities),
                                                                        pipelines=len(schema.pipelines), roles=len(schema.roles), reports=len(schema.reports))],
                 [t("Languages"), ", ".join(schema.languages)]]
        return {"title": t("Configuration"), "facts": facts, "faults": [{"place": f"{one.file}:{one.line}:{one.column}", "message": one.message, "mend": one.mend, "code": one.code} for one in known]}

    def check(self) -> dict:
        """Reads the files again and tells all faults; what is in use stays in use."""
        from crm.schema import check
        faults = list(check(self.app.schema.folder))
        self.body.patch(config=self.config(faults))
        return {"faults": len(faults)}

    def take(self) -> dict:
        """Changes over to the configuration on disk when it has no fault."""
        from crm.schema import load
        t, company = self.app.t, self.app.company
        try:
            fresh = load(company.schema.folder)
        except ConfigError as exc:
            self.body.patch(config=self.config(list(exc.faults)))
            self.app.say(t("Not taken up: mend the faults first."), tone="bad")
            return {}
        if fresh.hash == company.schema.hash:
            self.app.say(t("Nothing has changed."), tone="info")
        else:
            company.reload(fresh)
            self.app.say(t("The changed configuration is in use."))
        company.config_faults = []
        self.app.refresh()
        return {}


def tabs(app: Any) -> list[dict]:
    """What administration is made of."""
    t = app.t
    labels = {"users": t("Users"), "roles": t("Roles and rights"), "config": t("Configuration")}
    found = [{"name": name, "label": labels[name], "href": app.href(view="admin", tab=name)} for name in TABS]
    return [*found, {"name": "automations", "label": t("Automations"), "href": app.href(view="automations")}]


def role_label(app: Any, name: Any) -> str:
    role = app.schema.roles.get(name)
    return role.label_in(app.t) if role else str(name or "")


def rights(app: Any) -> list[dict]:
    """What each role may do, as words: one row per entity it is told about, one for all others."""
    t, schema = app.t, app.schema
    count: dict[str, int] = {}
    roles = schema.users
    if roles:
        for record in app.door.list(roles.entity, limit=5000):
            count[record.get(roles.role)] = count.get(record.get(roles.role), 0) + 1
    words = {"none": ("–", "no"), "own": (t("Own"), ""), "team": (t("Team"), ""), "all": (t("All"), "")}

    def told(value: Any) -> dict:
        if isinstance(value, str):
            text, tone = words.get(value, (value, ""))
            return {"text": text, "tone": tone}
        return {"text": t("If …"), "tone": "some", "more": getattr(value, "text", str(value))}

    found = []
    for role in schema.roles.values():
        rows = []
        for name in [*[name for name in schema.entities if name in role.rights], *(["*"] if "*" in role.rights or role.admin else [])]:
            given = role.of(name) if name != "*" else role.rights.get("*") or role.of("*")
            entity = schema.entities.get(name)
            label = entity.plural_in(t) if entity else t("All others")

            def named(keys: list[str], entity: Any = entity) -> str:
                return ", ".join(entity.fields[key].label_in(t) if entity and key in entity.fields else key for key in keys)
            rows.append({"label": label, "acts": [told(getattr(given, act)) for act in ("see", "create", "change", "delete", "export")], "hide": named(given.hide), "fixed": named(given.read_only)})
        found.append({"name": role.name, "label": role.label_in(t), "help": help_of(role, None) if hasattr(role, "help_in") else role.help, "admin": role.admin, "count": count.get(role.name, 0), "rows": rows})
    return found
