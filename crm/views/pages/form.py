"""Create and edit any record: the form of its entity and kind."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from crm.errors import Denied, Missing
from crm.views import typing
from crm.views.base import PAGES, Page
from crm.views.text import field_json, shown

log = logging.getLogger("crm.views")


@PAGES.add
class FormPage(Page):
    """`?view=form&entity=account` creates, `&id=12` edits; other words of the address are first values (`&account=3`)."""

    name = "form"

    def __init__(self, app: Any, entity: str = "", id: str = "", **args: str) -> None:
        super().__init__(app, **args)
        t = app.t
        if entity not in app.schema.entities:
            raise Missing("There is no such page.")
        self.entity = app.schema.entities[entity]
        self.record = app.door.get(entity, int(id)) if id.isascii() and id.isdigit() and len(id) < 16 else None
        if self.record is None and id:
            raise Missing()
        if not app.door.may("change" if self.record is not None else "create", entity, self.record):
            raise Denied("You may not change this.") if self.record is not None else Denied("You may not add this.")
        self.given = {key: value for key, value in args.items() if key in app.door.writable(entity)} if self.record is None else {}
        self.crumbs = [{"label": self.entity.plural_in(t), "href": app.href(view="list", entity=entity)}]
        if self.record is not None:
            self.crumbs.append({"label": self.record.title, "href": app.href(view="record", entity=entity, id=self.record.id)})
            self.title = t("Edit")
        else:
            self.title = t("New: {what}", what=self.entity.label_in(t))
        self.values: dict[str, Any] = dict(self.record) if self.record is not None else app.door.draft(entity, self.given)
        back = app.href(view="record", entity=entity, id=self.record.id) if self.record is not None else app.href(view="list", entity=entity)
        whose = app.schema.name
        content = {"title": self.record.title if self.record is not None else self.title, "glyph": self.entity.icon, "new": self.record is None,
                   "draft": f"draft:{whose}:{app.actor.id}:{entity}:{id or 'new'}", "submit": t("Save") if self.record is not None else t("Create"), "back": back,
                   "about": self.record.id if self.record is not None else None}
        content["paste"] = typing.offers(app, entity)
        content |= self._groups(self.values)
        self.body = app.part("form", content, on={"changed": self.changed, "save": self.save, "paste": lambda: app.boxes.paste(entity, form=self.body)})

    # -- what is shown -------------------------------------------------------------------------------------------------------------------
    def _layout(self, values: Mapping[str, Any]) -> dict[str, list[list[str]]]:
        """Groups of rows of keys: the YAML's form for this kind, else all fields two by two."""
        form = self.entity.form_of(values)
        if form:
            return form
        keys = [key for key in self.entity.fields_of(values) if key in self.entity.own_fields]
        return {self.app.t("General"): [keys[i:i + 2] for i in range(0, len(keys), 2)]}

    def _groups(self, values: Mapping[str, Any]) -> dict:
        door, entity, ctx, t = self.app.door, self.entity, self.app.shown, self.app.t
        readable, writable = door.readable(entity.name), door.writable(entity.name, self.record)
        groups = []
        for number, (label, rows) in enumerate(self._layout(values).items()):
            made = []
            for row in rows:
                fields = [field_json(entity.fields[key], values.get(key), ctx, fixed=key not in writable) for key in row if key in readable and key in entity.fields]
                fields = [field for field in fields if field["editor"]["type"] != "fixed" or self.record is not None or field["editor"].get("text")]
                if fields:
                    made.append(fields)
            if made:
                groups.append({"key": f"g{number}-{label}", "label": t.label(f"{entity.path}.form.{label}", label) if hasattr(t, "label") else label, "rows": made})
        return {"groups": groups, "hidden": self._hidden(groups, self.given)}

    def _hidden(self, groups: list[dict], typed: Mapping[str, Any]) -> list[str]:
        seen = self.app.door.shows(self.entity.name, typed, self.record.id if self.record is not None else None)
        return [field["field"] for group in groups for row in group["rows"] for field in row if field["field"] not in seen]

    # -- what the browser asks -----------------------------------------------------------------------------------------------------------
    def changed(self, values: dict, field: str = "") -> dict:
        """What depends on what was typed: fields shown, required, computed, first messages, things that look the same."""
        door, entity, ctx = self.app.door, self.entity, self.app.shown
        number = self.record.id if self.record is not None else None
        typed = self._allowed(values)
        now = door.computed(entity.name, typed, number)
        old = {f["field"] for g in self.body.content["groups"] for row in g["rows"] for f in row}
        new = {key for rows in self._layout(now).values() for row in rows for key in row if key in door.readable(entity.name)}
        if self.entity.kinds and old != new:            # whichever field is told: the kind may have changed just before it
            self.body.patch(groups=self._groups({**now, })["groups"])
        groups = self.body.content["groups"]
        fixed = {f["field"]: shown(entity.fields[f["field"]], now.get(f["field"]), ctx) for g in groups for row in g["rows"] for f in row if f["editor"]["type"] == "fixed"}
        problems = door.problems(entity.name, typed, number)
        writable = door.writable(entity.name, self.record)
        following = [f["field"] for g in groups for row in g["rows"] for f in row if entity.fields[f["field"]].follows and f["field"] in writable]
        return {"follows": {key: entity.fields[key].typed(now.get(key), ctx) for key in following}, "hidden": self._hidden(groups, typed), "shown": fixed, "problems": {key: text for key, text in problems.items() if key},
                "required": self._required(groups, now, problems), "found": self._alike(typed)}

    def _required(self, groups: list[dict], now: Mapping[str, Any], problems: Mapping[str, str]) -> list[str]:
        """Fields that must be filled as things are: always required, or by a condition that holds (the door says so of an empty one)."""
        return [f["field"] for g in groups for row in g["rows"] for f in row
                if self.entity.fields[f["field"]].required is True or (self.entity.fields[f["field"]].required and now.get(f["field"]) is None and f["field"] in problems)]

    def _alike(self, values: Mapping[str, Any]) -> list[dict]:
        """Records that may be the same one: from the door, where it knows duplicates."""
        look = getattr(self.app.door, "duplicates", None)
        if look is None or self.record is not None:
            return []
        try:
            return [{"title": one.title, "href": self.app.href(view="record", entity=self.entity.name, id=one.id)} for one in look(self.entity.name, values)][:3]
        except Exception:
            log.exception("Looking for duplicates")
            return []

    def _allowed(self, values: Mapping[str, Any]) -> dict[str, Any]:
        readable = self.app.door.readable(self.entity.name)
        return {**self.given, **{key: value for key, value in values.items() if key in readable}}

    def save(self, values: dict) -> dict:
        door, name, t = self.app.door, self.entity.name, self.app.t
        typed = self._allowed(values)
        with door.step("form") as step:
            record = door.create(name, typed) if self.record is None else door.change(name, self.record.id, typed, expect=self.record.version)
        self.app.say(t("{title} created", title=record.title) if self.record is None else t("Saved"), undo=step.id)
        return {"href": self.app.href(view="record", entity=name, id=record.id)}
