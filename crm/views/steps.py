"""Next steps: what a user has promised for which day, whatever entities hold it, by the roles of the schema.

Two sources: activities not done yet (`activities:` of crm.yaml says which entity and fields), and records in a pipeline whose
`next` field holds a day. `done`, `postpone` are the two clicks of a seller's day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

from tinydb import where

from crm.errors import Denied, Missing
from crm.views.planning import follow
from crm.views.text import monday_after, subtitle, today_of

LIMIT = 300


def _mine(owner: str | None, actor: Any) -> Any:
    return (where(owner) == actor.id) if owner else None


def steps(app: Any, until: date | None = None, owner: Callable | None = None) -> list[dict]:
    """All open steps of this user up to and including `until` (default today), the earliest first:
    [{"key", "entity", "id", "title", "sub", "glyph", "day" (date), "when" (date or datetime), "kind", "href", "amount"}]."""
    t, schema, door = app.t, app.schema, app.door
    today = today_of(t)
    until = until or today
    ctx = app.shown
    found = []
    about: set[tuple[str, int, date]] = set()          # what activities plan for which day: not said a second time by the record itself
    roles = schema.activities
    if roles and door.may("see", roles.entity):
        entity = schema.entities[roles.entity]
        readable = door.readable(entity.name)
        if roles.due in readable:
            field = entity.fields[roles.due]
            cond = where(roles.due) <= _stored(field, until, t)
            if roles.done in readable:
                cond &= ~where(roles.done).exists()
            if roles.owner:
                cond &= where(roles.owner) == app.actor.id
            for record in door.list(entity.name, where=cond, order=[roles.due], limit=LIMIT):
                kind = record.get(roles.kind) if roles.kind else None
                about |= {(one.to, record[key], _day(record[roles.due], t)) for key, one in entity.own_fields.items()
                          if one.name == "link" and isinstance(record.get(key), int)}
                found.append(_step(app, entity, record, record.get(roles.due), roles.kinds.get(kind) or entity.icon, record.title, _about(app, entity, record, ctx), str(kind or "")))
    for pipeline in schema.pipelines.values():
        key = pipeline.fields.get("next")
        entity = schema.entities[pipeline.entity]
        if not key or not door.may("see", entity.name) or key not in door.readable(entity.name):
            continue
        if any(step["entity"] == entity.name for step in found if not step["done"]):
            continue                                          # a second pipeline of the same entity asks the same field
        cond = where(key) <= _stored(entity.fields[key], until, t)
        owner_key = pipeline.fields.get("owner") or entity.owner
        if owner_key:
            cond &= where(owner_key) == app.actor.id
        open_stages = [stage.key for name in entity.pipelines for stage in schema.pipelines[name].open_stages()]
        if entity.stage_field:
            cond &= where(entity.stage_field).one_of(open_stages)
        words, amount = _next_words(entity, key), pipeline.fields.get("amount")
        for record in door.list(entity.name, where=cond, order=[key], limit=LIMIT):
            if (entity.name, record.id, _day(record[key], t)) in about:
                continue
            said = record.get(words) if words else None
            step = _step(app, entity, record, record.get(key), entity.icon, str(said or record.title), " · ".join(x for x in ((record.title if said else ""), subtitle(record, entity, ctx)) if x), "")
            if amount and record.get(amount) is not None:
                step["amount"] = entity.fields[amount].display(record[amount], ctx)
            found.append(step | {"done": False})
    found.sort(key=lambda step: (step["day"], str(step["when"])))
    return found


def _day(when: Any, t: Any) -> date:
    return when.astimezone(t.tz).date() if isinstance(when, datetime) else when


def _step(app: Any, entity: Any, record: Any, when: Any, glyph: str, title: str, sub: str, kind: str) -> dict:
    day = when.astimezone(app.t.tz).date() if isinstance(when, datetime) else when
    return {"key": f"{entity.name}-{record.id}", "entity": entity.name, "id": record.id, "title": title, "sub": sub, "glyph": glyph, "day": day, "when": when, "kind": kind,
            "href": app.href(view="record", entity=entity.name, id=record.id), "amount": "", "done": True}


def _next_words(entity: Any, day_key: str) -> str | None:
    """The sentence that goes with the day of the next step: a text field called like it (`next_on` → `next_step`)."""
    stem = day_key.rsplit("_", 1)[0]
    for key, field in entity.own_fields.items():
        if key != day_key and key.startswith(stem) and field.kind == "text":
            return key
    return None


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


def _stored(field: Any, until: date, t: Any) -> Any:
    """The last moment of a day in the stored form of a date or datetime field."""
    if field.kind == "datetime":
        from crm.words import utc
        return field.to_json(utc(datetime.combine(until, time(23, 59, 59), tzinfo=t.tz)))
    return field.to_json(until)


def _field_of(app: Any, entity_name: str) -> tuple[Any, str | None, str | None]:
    """(entity, the field with the day, the field that says it is done or None)."""
    entity = app.schema.entities[entity_name]
    roles = app.schema.activities
    if roles and roles.entity == entity_name:
        return entity, roles.due, roles.done
    for name in entity.pipelines:
        if "next" in app.schema.pipelines[name].fields:
            return entity, app.schema.pipelines[name].fields["next"], None
    raise Missing("There is nothing to plan here.")


def done(app: Any, entity: str, number: int) -> dict:
    """Ticks a step off: an activity gets its done time, a pipeline record loses its next step (and stands in "no next step" until planned)."""
    what, day, tick = _field_of(app, entity)
    with app.door.step("done") as step:
        if tick:
            field = what.fields[tick]
            now = True if field.kind == "boolean" else datetime.now(app.t.tz) if field.kind == "datetime" else today_of(app.t)
            record = app.door.change(entity, number, {tick: now})
            follow(app, record)
        else:
            words = _next_words(what, day or "")
            gone: dict[Any, Any] = {day: None, words: None} if words else {day: None}
            record = app.door.change(entity, number, gone)
    app.say(app.t("Done: {title}", title=record.title), undo=step.id)
    return {"done": True}


def postpone(app: Any, entity: str, number: int, to: str) -> dict:
    """Moves a step to `tomorrow`, `monday` or what was typed; the time of day stays."""
    what, day, _ = _field_of(app, entity)
    record = app.door.get(entity, number)
    today = today_of(app.t)
    if to == "tomorrow":
        target = today + timedelta(days=1)
    elif to == "monday":
        target = monday_after(today)
    else:
        target = app.t.parse_date(to)
    value: Any = target
    was = record.get(day)
    if what.fields[day].kind == "datetime":
        clock = was.astimezone(app.t.tz).timetz() if isinstance(was, datetime) else time(9, 0, tzinfo=app.t.tz)
        value = datetime.combine(target, clock.replace(tzinfo=None), tzinfo=app.t.tz)
    with app.door.step("postpone") as step:
        record = app.door.change(entity, number, {day: value})
        if app.schema.activities and app.schema.activities.entity == entity:
            follow(app, record)
    app.say(app.t("Moved to {day}", day=app.t.date(target)), undo=step.id)
    return {"done": True}


def quiet(app: Any, limit: int = 6) -> tuple[list[dict], int]:
    """Open pipeline records of this user without a next step, the longest untouched first."""
    schema, door, found, total = app.schema, app.door, [], 0
    seen = set()
    for pipeline in schema.pipelines.values():
        entity, key = schema.entities[pipeline.entity], pipeline.fields.get("next")
        if not key or entity.name in seen or not door.may("see", entity.name) or key not in door.readable(entity.name):
            continue
        seen.add(entity.name)
        cond = ~where(key).exists()
        if entity.stage_field:
            cond &= where(entity.stage_field).one_of([stage.key for name in entity.pipelines for stage in schema.pipelines[name].open_stages()])
        owner_key = pipeline.fields.get("owner") or entity.owner
        if owner_key:
            cond &= where(owner_key) == app.actor.id
        try:
            total += door.count(entity.name, where=cond)
            for record in door.list(entity.name, where=cond, order=["changed_on"], limit=limit):
                moved = record.get("changed_on")
                days = (today_of(app.t) - moved.astimezone(app.t.tz).date()).days if moved else 0
                found.append({"key": f"{entity.name}-{record.id}", "title": record.title, "sub": subtitle(record, entity, app.shown), "glyph": entity.icon,
                              "end": app.t("{n} days", n=days), "tone": "late" if days > 25 else "soon" if days > 13 else "", "href": app.href(view="record", entity=entity.name, id=record.id)})
        except Denied:
            continue
    return found[:limit], total
