"""From records and fields to what parts show: editors, facts, subtitles. The JSON parts are fed with is made here, and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

_PLACE = re.compile(r"\{([a-z_][a-z0-9_.]*)(?:![a-z])?(?::[^}]*)?\}", re.I)


def title_field(entity: Any) -> str | None:
    """The field a record is called by, when its title is made of one that can be typed."""
    names = [name.split(".")[0] for name in _PLACE.findall(entity.title or "")]
    for name in names:
        field = entity.fields.get(name)
        if field is not None and not getattr(field, "system", False) and not field.fixed:
            return name
    return None


def shown(field: Any, value: Any, ctx: Any) -> str:
    """A value as text in the user's language; empty is an empty text."""
    return "" if empty(value) else str(field.display(value, ctx))


def empty(value: Any) -> bool:
    return value is None or value == "" or value == [] or value == {}


def filled(template: str, entity: Any, record: Mapping[str, Any], ctx: Any) -> str:
    """A template over field keys (`{account} · {stage}`) in the user's language; what may not be read or is empty is left out."""
    def one(match: re.Match) -> str:
        key = match.group(1)
        field = entity.fields.get(key)
        if field is None:
            return str(getattr(record, "id", "")) if key == "id" else ""
        return shown(field, record.get(key), ctx)
    text = _PLACE.sub(one, template or "")
    parts = [part.strip() for part in re.split(r"\s*[·|]\s*", text)]
    return " · ".join(part for part in parts if part.strip(" ,-"))


def subtitle(record: Any, entity: Any, ctx: Any) -> str:
    """The second line under a record's title: its `subtitle`, else nothing."""
    return filled(entity.subtitle, entity, record, ctx)


def editor_of(field: Any, value: Any, ctx: Any) -> dict:
    """The editor's description; a link's editor also gets the words of what it holds."""
    editor = dict(field.editor(value, ctx))
    if editor.get("type") in ("date", "datetime") and not empty(value):
        editor["text"] = shown(field, value, ctx)
    return editor


def field_json(field: Any, value: Any, ctx: Any, *, required: bool | None = None, hidden: bool = False, fixed: bool = False) -> dict:
    """One line of a form, a sheet or a gate: {"field", "label", "help", "required", "hidden", "editor"}."""
    t = ctx.t
    editor = editor_of(field, value, ctx)
    if fixed or field.fixed:
        editor = {"type": "fixed", "value": editor.get("value"), "text": shown(field, value, ctx)}
    must = field.required is True if required is None else required
    out = {"field": field.key, "label": field.label_in(t), "required": bool(must), "editor": editor}
    if note := help_of(field, t):
        out["help"] = note
    if hidden:
        out["hidden"] = True
    return out


def help_of(field: Any, t: Any) -> str:
    look = getattr(field, "help_in", None)
    return look(t) if look else (field.help or "")


def quick_fields(app: Any, entity: Any, values: Mapping[str, Any]) -> list[dict]:
    """The few fields of a quick add: the YAML's `quick`, else what is required, else the title."""
    keys = list(entity.quick) or [key for key, field in entity.own_fields.items() if field.required is True]
    title = title_field(entity)
    if title and title not in keys:
        keys.insert(0, title)
    writable = app.door.writable(entity.name)
    draft = app.door.draft(entity.name, dict(values))
    return [field_json(entity.fields[key], draft.get(key), app.shown) for key in keys if key in writable and key in entity.fields]


def about(field: dict, record: Any) -> dict:
    """The same line of a sheet, when its editor asks what the record says that it is a part of (a table inside it)."""
    if field["editor"].get("type") == "lines" and getattr(record, "id", None) is not None:
        field["editor"]["about"] = record.id
    return field


def fields_for(app: Any, entity: Any, keys: Iterable[str], record: Mapping[str, Any] | None = None, *, required: bool = False) -> list[dict]:
    """Editors of some fields of a record (a gate's sheet, a bulk edit); fields the user may not write are left out."""
    writable = app.door.writable(entity.name, record)
    return [about(field_json(entity.fields[key], record.get(key) if record is not None else None, app.shown, required=required or None), record)
            for key in keys if key in writable and key in entity.fields]


def day_text(when: date | datetime | None, today: date, t: Any) -> tuple[str, str]:
    """A due day in few words and its tone: ("2 days ago", "late"), ("Today", "soon"), ("Fri", "")."""
    if when is None:
        return "", ""
    clock = ""
    if isinstance(when, datetime):
        local = when.astimezone(t.tz) if when.tzinfo and hasattr(t, "tz") else when
        clock = f"{local:%H:%M}" if (local.hour or local.minute) else ""
        when = local.date()
    days = (when - today).days
    if days < -1:
        return t("{n} days late", n=-days), "late"
    if days == -1:
        return t("Yesterday"), "late"
    if days == 0:
        return clock or t("Today"), "soon"
    if days == 1:
        return f"{t('Tomorrow')} {clock}".strip(), ""
    return t.date(when), ""


def today_of(t: Any) -> date:
    """Today where the user is."""
    return datetime.now(t.tz).date() if hasattr(t, "tz") else date.today()


def monday_after(day: date) -> date:
    return day + timedelta(days=7 - day.weekday())
