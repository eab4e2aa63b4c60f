"""Next steps on the screens: what `crm.records.agenda` finds as lines of a page; `done`, `postpone`, `plan` are the clicks of a seller's day."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from crm.errors import Denied, Missing
from crm.records import agenda
from crm.views.planning import set_next
from crm.views.text import monday_after, subtitle, today_of


def steps(app: Any, until: date | None = None) -> list[dict]:
    """All open steps of this user up to and including `until` (default today), the earliest first:
    [{"key", "entity", "id", "title", "sub", "glyph", "day" (date), "when" (date or datetime), "href", "amount"}]."""
    return [line(app, step) for step in agenda.steps(app.door, until or today_of(app.t), tz=app.t.tz)]


def line(app: Any, step: agenda.Step) -> dict:
    """One step as a line."""
    entity, record, ctx = app.schema.entities[step.entity], step.record, app.shown
    glyph, amount = entity.icon, ""
    if step.planned:
        roles = app.schema.activities
        kind = record.get(roles.kind) if roles.kind else None
        glyph, sub = roles.kinds.get(kind) or entity.icon, _about(app, entity, record, ctx)
    else:
        sub = " · ".join(one for one in (record.title if step.what != record.title else "", subtitle(record, entity, ctx)) if one)
        key = entity.role("amount", record)
        amount = entity.fields[key].display(record[key], ctx) if key and record.get(key) is not None else ""
    return {"key": step.key, "entity": step.entity, "id": step.id, "title": step.what, "sub": sub, "glyph": glyph, "day": step.day, "when": step.when,
            "href": app.href(view="record", entity=step.entity, id=step.id), "amount": amount}


def _about(app: Any, entity: Any, record: Any, ctx: Any) -> str:
    """Whom an activity is with: its subtitle, else the titles of what it links to (users left out)."""
    said = subtitle(record, entity, ctx)
    if said:
        return said
    users = app.schema.users.entity if app.schema.users else ""
    names = []
    for key, field in entity.own_fields.items():
        to = getattr(field, "to", None)
        if to and to != users and field.kind == "link" and record.get(key) is not None:
            title = ctx.title(to, record[key])
            if title and title not in names:
                names.append(title)
    return " · ".join(names[:2])


def _field_of(app: Any, entity_name: str) -> tuple[Any, str, str | None]:
    """(entity, the field with the day, the field that says it is done or None)."""
    entity = app.schema.entities[entity_name]
    roles = app.schema.activities
    if roles and roles.entity == entity_name:
        return entity, roles.due, roles.done
    day = entity.role("next")
    if day is None:
        raise Missing("There is nothing to plan here.")
    return entity, day, None


def done(app: Any, entity: str, number: int) -> dict:
    """Ticks a step off: an activity gets its done time, a pipeline record loses its next step (and stands in "no next step" until planned)."""
    what, day, tick = _field_of(app, entity)
    with app.door.step("done") as step:
        if tick:
            field = what.fields[tick]
            now = True if field.kind == "boolean" else datetime.now(app.t.tz) if field.kind == "datetime" else today_of(app.t)
            record = app.door.change(entity, number, {tick: now})
        else:
            words = what.role("next_text")
            gone: dict[Any, Any] = {day: None, words: None} if words else {day: None}
            record = app.door.change(entity, number, gone)
    app.say(app.t("Done: {title}", title=record.title), undo=step.id)
    return {"done": True}


def postpone(app: Any, entity: str, number: int, to: str) -> dict:
    """Moves a step to `tomorrow`, `monday` or what was typed; the time of day stays."""
    what, day, _ = _field_of(app, entity)
    record = app.door.get(entity, number)
    target = _target(app, to)
    value: Any = target
    was = record.get(day)
    if what.fields[day].kind == "datetime":
        clock = was.astimezone(app.t.tz).timetz() if isinstance(was, datetime) else time(9, 0, tzinfo=app.t.tz)
        value = datetime.combine(target, clock.replace(tzinfo=None), tzinfo=app.t.tz)
    with app.door.step("postpone") as step:
        app.door.change(entity, number, {day: value})
    app.say(app.t("Moved to {day}", day=app.t.date(target)), undo=step.id)
    return {"done": True}


def plan(app: Any, entity: str, number: int, to: str, words: str | None = None) -> dict:
    """Gives a record a next step: on a day (`tomorrow`, `monday` or what was typed), with words or the usual ones."""
    record = app.door.get(entity, number)
    _field_of(app, entity)
    day = _target(app, to)
    with app.door.step("plan") as step:
        set_next(app, record, day, (words or "").strip() or app.t("Get in touch"))
    app.say(app.t("{title}: next step on {day}", title=record.title, day=app.t.date(day)), undo=step.id)
    return {"done": True}


def _target(app: Any, to: str) -> date:
    """The day a button or a typed word means."""
    today = today_of(app.t)
    if to == "tomorrow":
        return today + timedelta(days=1)
    if to == "monday":
        return monday_after(today)
    day: date = app.t.parse_date(to)
    return day


def quiet(app: Any, limit: int = 6) -> tuple[list[dict], int]:
    """Open records of this user without a next step, the longest untouched first."""
    try:
        records, total = agenda.without(app.door, limit)
    except Denied:
        return [], 0
    found = []
    for record in records:
        entity = app.schema.entities[record.entity]
        moved = record.get("changed_on")
        days = (today_of(app.t) - moved.astimezone(app.t.tz).date()).days if moved else 0
        found.append({"key": f"{entity.name}-{record.id}", "entity": entity.name, "id": record.id, "title": record.title, "sub": subtitle(record, entity, app.shown), "glyph": entity.icon,
                      "end": app.t("{n} days", n=days) if days > 6 else "", "tone": "late" if days > 25 else "soon" if days > 13 else "", "may": app.door.may("change", entity.name, record),
                      "href": app.href(view="record", entity=entity.name, id=record.id)})
    return found, total
