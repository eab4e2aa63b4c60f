"""Actions of the registry on the screens: which ones a menu offers, and the sheet that asks what one needs before it runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from crm.actions.base import ACTIONS, Asked, actions_for
from crm.errors import Missing

PREFIX = "act:"


def offered(app: Any, entity: str, place: str, record: Any = None) -> list[dict]:
    """The entries a menu shows for the actions this user may take: [{name, label, glyph}]; `place` is `record` or `list`. For one
    `record` only those that fit it and that its user has the right to."""
    door = app.door
    found = actions_for(door, entity, many=place == "list")
    if record is not None:
        found = [one for one in found if door.may(one.needs, entity, record) and one.fits(door, entity, record)]
    return [{"name": PREFIX + one.name, "label": one.label_in(app.t), "glyph": one.icon} for one in found if place in one.places]


def rows(app: Any, entity: str, records: Sequence[Any]) -> list[dict]:
    """The acts of the rows of a list: [{name, label, glyph, only}]; `only` are the keys of the rows it fits, none left out."""
    door = app.door
    found = []
    for one in actions_for(door, entity):
        if "row" not in one.places:
            continue
        fitting = [str(record.id) for record in records if door.may(one.needs, entity, record) and one.fits(door, entity, record)]
        if fitting:
            found.append({"name": PREFIX + one.name, "label": one.label_in(app.t), "glyph": one.icon, "only": fitting})
    return found


def act(app: Any, entity: str, name: str, ids: Sequence[int], done: Callable[[str, int], Any]) -> None:
    """Takes the action behind a menu entry on some records; `done(words, step)` tells it. Asks first where the action asks something."""
    one = next((made for made in actions_for(app.door, entity) if PREFIX + made.name == name), None)
    if one is None or one.name not in ACTIONS:
        raise Missing("This is not there, or not for you.")
    label = one.label_in(app.t)

    def fields(found: Sequence[Asked]) -> list[dict]:
        return [{"field": asked.key, "label": asked.label, "editor": asked.editor, "required": asked.required, "begins": asked.begins} for asked in found]

    def run(values: dict) -> None:
        step = one.run(app.door, entity, ids, values)
        done(getattr(step, "say", None) or app.t("{act}: done", act=label), step)

    asked = fields(one.fields(app.door, entity, ids))
    if asked:
        again = (lambda values: {"fields": fields(one.asks(app.door, entity, ids, values))}) if one.watches else None
        app.sheet(one.title(app.door, entity, ids), asked, submit=label, on_submit=run, on_change=again, icon=one.icon, wide=len(asked) > 6)
    else:
        run({})
