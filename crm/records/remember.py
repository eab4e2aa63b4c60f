"""Values a new record begins with because its user gave them last time (H6): `remember:` of an entity.

Only records the user made and may still see are looked at, only fields they may read and write are taken, and a link only when what it
leads to may be seen: nothing is told that a search would not tell. It serves forms, quick add and the composer; imports, automations
and the API get no value that nobody typed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tinydb.queries import where

from crm.errors import Refused
from crm.records.env import targets
from crm.records.queries import all_of


def remembered(door: Any, entity: str, doc: Mapping[str, Any], given: Iterable[str]) -> dict[str, Any]:
    """`{key: value}` from this user's last similar record; `doc` is the new one as far as it is known, `given` what was typed."""
    sight = door.sight(entity)
    rule = sight.entity.remember
    me = door.actor.id
    if rule is None or me is None or "created_by" not in sight.entity.fields:
        return {}
    plan = sight.plan
    keys = [key for key in rule.fields if key in plan.readable and key in plan.settable and key not in set(given)]
    like = [key for key in rule.like if key in plan.readable and doc.get(key) is not None]
    if not keys:
        return {}
    table = door.company.table(entity)
    mine = all_of(sight.living(), where("created_by") == me)
    for count in range(len(like), -1, -1):
        cond = all_of(mine, *(where(key) == doc[key] for key in like[:count]))
        last = next(iter(table.find(cond, order_by=["-created_on"], limit=1)), None)
        if last is not None:
            return taken(door, sight, last, keys)
    return {}


def taken(door: Any, sight: Any, last: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """The values that still fit and may be shown."""
    found: dict[str, Any] = {}
    for key in keys:
        kept, field = last.get(key), sight.entity.fields[key]
        if kept is None:
            continue
        to = getattr(field, "to", None)
        if to and any(door.title(to, one) is None for one in targets(kept)):
            continue
        try:
            value = field.from_json(kept)
            field.clean(value, door.words)
        except (Refused, TypeError, ValueError):  # an option that is gone
            continue
        found[key] = value
    return found
