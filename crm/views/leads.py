"""The pool and the reasons of a score on the screens, for whatever entity has them."""

from __future__ import annotations

from typing import Any

from crm.actions.base import ACTIONS
from crm.errors import Missing
from crm.records import assignment
from crm.views.app import href

#: Lines of reasons shown; the smaller ones are added up.
LINES = 8
#: People whose load is shown above a list.
PEOPLE = 12


def pool_content(app: Any, entity: str) -> dict[str, Any] | None:
    """What stands above the list of an entity that is given out; None where this user neither takes nor gives."""
    one = assignment.of(app.company, entity)
    if one is None or not app.door.may("change", entity) or one.owner not in app.door.writable(entity):
        return None
    t, door = app.t, app.door
    if not all(path.split(".")[0] in door.readable(entity) for path in one.pool.uses):
        return None
    waiting = door.count(entity, one.pool)
    content: dict[str, Any] = {"waiting": t.number(waiting), "href": href(view="list", entity=entity, w=str(one.pool), wl=t("In the pool"))}
    view = next((name for name, f in app.schema.entities[entity].list.filters.items() if str(f.where) == str(one.pool)), None)
    if view is not None:
        content["href"] = href(view="list", entity=entity, v=view)
    if ACTIONS["take"]().offered(door, entity):
        mine = assignment.load_of(app.company, one, app.actor.id)
        content |= {"held": _held(mine, t), "share": _share(mine), "full": mine.full, "take": waiting > 0 and not mine.full}
    elif ACTIONS["assign_by_rules"]().offered(door, entity):
        loads = assignment.loads(app.company, one)
        content["people"] = [
            {
                "key": str(load.user),
                "name": load.name,
                "show": _held(load, t),
                "share": _share(load),
                "full": load.full,
                "href": href(view="list", entity=entity, f=f"{one.owner}:is:{load.user}"),
            }
            for load in loads[:PEOPLE]
        ]
    else:
        return None
    return content


def _held(load: assignment.Load, t: Any) -> str:
    return t.number(load.held) if load.cap is None else t("{held} of {cap}", held=t.number(load.held), cap=t.number(load.cap))


def _share(load: assignment.Load) -> float | None:
    return None if load.cap is None else 100.0 if not load.cap else round(100 * load.held / load.cap, 1)


def take_next(app: Any, entity: str) -> None:
    """The best of the pool becomes this user's, and is opened."""
    number, done = assignment.take_best(app.door, entity)
    app.go(view="record", entity=entity, id=number)
    app.say(app.t("{title} is yours now", title=app.door.get(entity, number).title), undo=done.step)


def reasons_content(app: Any, entity: str, id: int) -> dict[str, Any] | None:
    """Why a record has its score, None where it has none this user may see."""
    try:
        found = app.door.score_reasons(entity, id)
    except Missing:
        return None
    t = app.t
    score = next(one for one in app.schema.scores.values() if one.entity == entity)
    field = app.schema.entities[entity].fields[score.rating] if score.rating else None
    cell = field.cell(found.rating, app.shown) if field is not None and found.rating is not None else None
    lines = [(one.text, one.points) for one in found.lines[:LINES]]
    rest = sum(one.points for one in found.lines[LINES:])
    if rest:
        lines.append((t("Everything else"), rest))
    most = max((abs(points) for _, points in lines[1:]), default=0) or 1
    base = found.by == "model"
    return {
        "title": t("Why this score"),
        "score": t.number(found.score),
        "rating": field.display(found.rating, app.shown) if field is not None and found.rating is not None else "",
        "color": cell.get("tone") if isinstance(cell, dict) else "",
        "say": found.say,
        "lines": [
            {
                "text": text,
                "show": t.number(points) if base and not number else signed(points, t),
                "tone": "" if base and not number else "good" if points > 0 else "late",
                "share": 0 if base and not number else 100 * abs(points) / most,
            }
            for number, (text, points) in enumerate(lines)
        ],
    }


def signed(points: int, t: Any) -> str:
    """`+12` or `−5`."""
    return ("+" if points > 0 else "−" if points < 0 else "") + str(t.number(abs(points)))
