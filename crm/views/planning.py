"""Logging what happened and planning what is next, from any record: by the roles the schema names, whatever the entities are called."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from crm.actions import log_activity
from crm.actions.log_activity import MORNING, LogActivity
from crm.errors import Denied, Missing, RecordError, Refused
from crm.records import agenda
from crm.views.text import monday_after, title_field


def can_log(app: Any, entity: Any) -> bool:
    """Whether this user may log activities on records of this entity."""
    roles = app.schema.activities
    return bool(roles and entity.name != roles.entity and link_to(app, entity.name) and app.door.may("create", roles.entity))


def may_log(app: Any, entity: str) -> bool:
    """Whether something can be logged on records of an entity: what activities link to, and activities themselves."""
    roles, one = app.schema.activities, app.schema.entities.get(entity)
    return bool(
        roles and one and app.door.may("see", entity) and (can_log(app, one) or (entity == roles.entity and app.door.may("create", entity)))
    )


def composer_content(app: Any, record: Any) -> dict[str, Any]:
    """What the composer shows for a record: kinds, results, people, days."""
    found = kinds(app)
    buttons, first = days(app)
    roles = app.schema.activities
    own = record.get(roles.kind) if record.entity == roles.entity and roles.kind else None
    return {
        "draft": f"draft:log:{app.actor.id}:{record.entity}:{record.id}",
        "kinds": found,
        "kind": own or (found[0]["name"] if found else ""),
        "days": buttons,
        "day": first,
        "results": results(app),
        "withs": [[number, name] for number, name, _ in people(app, record)],
    }


def keep(app: Any, record: Any, said: Mapping[str, Any]) -> dict:
    """Saves what the composer holds: {"step"}, or {"error", "field"} in the user's words."""
    day = str(said.get("day") or "")
    if str(said.get("next") or "").strip():
        try:
            planned_for(app, day or "tomorrow")
        except Refused as exc:
            return {"error": exc.say(app.t), "field": "when"}
    step = log(app, record, kind=said.get("kind") or "", text=said.get("text") or "", next=said.get("next") or "", day=day,
               result=said.get("result"), person=said.get("person"))  # fmt: skip
    return {"step": step.id}


def link_to(app: Any, entity: str) -> str | None:
    """The activity's field that links to records of `entity`, None where there is none."""
    roles = app.schema.activities
    if roles is None:
        return None
    fields = app.schema.entities[roles.entity].fields
    readable = app.door.readable(roles.entity)
    return next(
        (
            key
            for key, one in fields.items()
            if getattr(one, "to", None) == entity and one.name == "link" and key in readable and not one.fixed
        ),
        None,
    )


def kinds(app: Any) -> list[dict]:
    """The kinds of activities as buttons: [{"name", "label", "glyph"}]."""
    roles = app.schema.activities
    entity = app.schema.entities[roles.entity]
    if not roles.kind:
        return [{"name": "", "label": entity.label_in(app.t), "glyph": entity.icon}]
    editor = entity.fields[roles.kind].editor(None, app.shown)
    found = [
        {"name": str(value), "label": str(label), "glyph": roles.kinds.get(str(value)) or entity.icon}
        for value, label, *_ in editor.get("options") or []
    ]
    return found


def results(app: Any) -> list[list]:
    roles = app.schema.activities
    if not roles.result or roles.result not in app.door.writable(roles.entity):
        return []
    return [list(one)[:2] for one in app.schema.entities[roles.entity].fields[roles.result].editor(None, app.shown).get("options") or []]


def days(app: Any) -> tuple[list[dict], str]:
    """When the next step is: buttons, and which is chosen at first (the next working day)."""
    t = app.t
    today = t.today()
    found = [
        {
            "name": "tomorrow",
            "label": t("Tomorrow"),
            "title": t.date(today + timedelta(days=1), "full"),
            "said": t.date(today + timedelta(days=1), "EEE d MMM"),
        },
        {
            "name": "monday",
            "label": t("Monday"),
            "title": t.date(monday_after(today), "full"),
            "said": t.date(monday_after(today), "EEE d MMM"),
        },
        {"name": "pick", "label": t("Pick a day")},
    ]
    return found, "monday" if today.weekday() in (4, 5) else "tomorrow"


def day_of(app: Any, typed: str) -> date:
    """The day somebody named: a button's name or words. Raises Refused."""
    return NAMED[typed](app.t) if typed in NAMED else app.t.parse_date(typed)


def moment(app: Any, field: Any, day: date) -> Any:
    """A day as the typed value of a date or datetime field: planned things begin in the morning."""
    return datetime.combine(day, MORNING, tzinfo=app.t.tz) if field.kind == "datetime" else day


def guess_kind(app: Any, text: str) -> str | None:
    """The kind of a planned step by its words, see `crm.actions.log_activity`."""
    return log_activity.guess_kind(app.door, text)


def log(
    app: Any, record: Any, *, kind: str = "", text: str = "", next: str = "", day: str = "", result: Any = None, person: Any = None
) -> Any:
    """Writes what happened, the planned next step and the record's own next day in one step of history; gives the step."""
    text, next = text.strip(), next.strip()
    if not text and not next:
        raise Refused("Write what happened or what is next.")
    values: dict[str, Any] = {"kind": kind if text else None, "text": text, "result": result if text else None, "links": {}}
    key = person_link(app, record) if person else None
    if key:
        values["links"][key] = int(person)
    if next:
        values |= {"next": next, "next_on": planned_for(app, day or "tomorrow")}
    with app.door.step("log") as step:
        LogActivity().log(app.door, record.entity, record.id, values)
    return step


def planned_for(app: Any, typed: str) -> Any:
    """The day or moment a next step is for: the name of a button or words. Raises Refused."""
    roles = app.schema.activities
    try:
        return log_activity.when_of(
            app.t, app.schema.entities[roles.entity].fields[roles.due], NAMED[typed](app.t) if typed in NAMED else typed
        )
    except RecordError as exc:
        raise exc.problems["next_on"] from exc


NAMED: dict[str, Any] = {"tomorrow": lambda t: t.today() + timedelta(days=1), "monday": lambda t: monday_after(t.today())}


def person_link(app: Any, record: Any) -> str | None:
    """The activity's link to the people of this record."""
    found = people(app, record, limit=1)
    return link_to(app, found[0][2]) if found else None


def people(app: Any, record: Any, limit: int = 12) -> list[tuple[int, str, str]]:
    """[(id, title, entity)] of people one may have talked to: linked records with an e-mail field, not users and not the record itself."""
    users = app.schema.users.entity if app.schema.users else None
    entity = app.schema.entities[record.entity]

    def is_person(name: str) -> bool:
        other = app.schema.entities[name]
        return (
            name not in (users, record.entity)
            and any(one.name == "name" or one.name == "person_name" for one in other.own_fields.values())
            or (
                name not in (users, record.entity)
                and any(one.name == "email" for one in other.own_fields.values())
                and any(getattr(one, "to", None) not in (None, users) for one in other.own_fields.values())
            )
        )

    for key, field in entity.own_fields.items():
        to = getattr(field, "to", None)
        if field.name == "links" and to and key in record and link_to(app, to) and is_person(to):
            ids = [one.get("id") if isinstance(one, dict) else one for one in record.get(key) or []][:limit]
            if ids:
                titles = app.door.titles(to, ids)
                return [(one, titles[one], str(to)) for one in ids if isinstance(one, int) and one in titles]
    for name, (other, _) in entity.back.items():
        if link_to(app, other) and is_person(other) and app.door.may("see", other):
            try:
                records, _count = app.door.back(record.entity, record.id, name, limit=limit)
            except (Missing, Denied, Refused):
                continue
            if records:
                return [(one.id, one.title, other) for one in records]
    return []


# -- the record's own next day, where its pipeline has one
def next_keys(app: Any, entity: Any, record: Mapping[str, Any] | None = None) -> tuple[str | None, str | None]:
    """(the field with the day of the next step, the text field beside it) that may be typed."""
    return log_activity.next_keys(entity, record)


def set_next(app: Any, record: Any, day: date | None, words: str | None) -> None:
    """The record's own next day, where its pipeline has one and the user may write it."""
    entity = app.schema.entities[record.entity]
    key, text = next_keys(app, entity, record)
    writable = app.door.writable(record.entity, record)
    if key is None or key not in writable:
        return
    if not agenda.is_open(app.door, record):
        return
    values: dict[str, Any] = {key: moment(app, entity.fields[key], day) if day else None}
    if text and text in writable:
        values[text] = words
    app.door.change(record.entity, record.id, values)


def planned(app: Any, record: Any) -> Any | None:
    """The earliest activity about this record that is not done, None without one."""
    return agenda.planned_for(app.door, record.entity, record.id)


__all__ = ["can_log", "day_of", "days", "kinds", "link_to", "log", "people", "planned", "results", "title_field"]
