"""Figures of the past are kept: what was then is changed only by what is written with a time before it (F12, I2).

Kept for one who sees every record that is looked at, or, where a report looks at one kind of records only, for the records one sees now.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import orjson
from tinydb.queries import QueryInstance

from crm.analytics import looks
from crm.analytics.groups import text_of
from crm.analytics.shelf import Shelf
from crm.records.scope import parse
from crm.stores.clock import iso, to_ms

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from crm.analytics.groups import Groups, Table
    from crm.records import Door
    from crm.records.company import Company
    from crm.stores.base import Change

#: Tables of figures kept for a company; what was not asked for longest goes first.
KEPT = 500


_pasts: WeakKeyDictionary[Company, dict[int, Shelf]] = WeakKeyDictionary()


def kept(groups: Groups, as_of: datetime, work: Callable[[], Table]) -> Table:
    """The figures of a moment of the past, worked out where they are not kept."""
    door, report = groups.door, groups.report
    read = looked_at(groups)
    if read is None or door.company.store.writing:
        return work()
    others = read - {report.entity}
    if any(door.sight(name).query() is not None for name in others):
        return work()
    seen = door.seen(report.entity)
    if seen is not None and others:
        return work()
    mine = None if seen is None else hashlib.blake2b(orjson.dumps(seen), digest_size=16).digest()
    asked = (report.entity, tuple(map(text_of, groups.given)), repr([cut.axis for cut in groups.cuts]), repr(report.measures), mine)
    return [(keys, dict(values)) for keys, values in remembered(door, read, asked, as_of, work, KEPT)]


def remembered(door: Door, read: frozenset[str], asked: tuple[Any, ...], as_of: datetime, work: Callable[[], Any], most: int) -> Any:
    """What follows from some entities as they were at a moment, not copied; worked out where it is not kept. `most` answers are kept together
    with the others for which this was said."""
    if door.company.store.writing:
        return work()
    actor, moment = door.actor, iso(to_ms(as_of))
    who = (actor.system, actor.id, actor.role, actor.team, str(door.words.tz))
    key = (door.schema.hash, door.company.generation, who, asked, moment)
    shelves = _pasts.setdefault(door.company, {})
    shelf = shelves.get(most) or shelves.setdefault(most, Shelf(door.company.store, most))
    found, mark = shelf.get(key)
    if found is None:
        found = work()

        def stale(changes: list[Change], tables: set[str]) -> bool:
            mine = (one for one in changes if one.table in read)
            return bool(read & tables) or any(one.at <= moment or one.act in ("delete", "migrate") for one in mine)

        shelf.put(key, found, stale, mark)
    return found


def looked_at(groups: Groups) -> frozenset[str] | None:
    """The entities figures are read from; None where that, or what was then, cannot be told from the records' own past."""
    door, report = groups.door, groups.report
    if report.stays is not None:  # a move taken back today was never made
        return None
    found, paths = {report.entity}, set(looks.paths(report))
    for axis in (cut.axis for cut in groups.cuts):
        paths |= {axis.field, *([f"{axis.field}.id"] if axis.level else [])}
    for one in groups.given:
        expression: Any = parse(door, report.entity, one) if isinstance(one, str) else one
        if isinstance(one, QueryInstance) or not hasattr(expression, "uses"):
            return None
        paths |= set(expression.uses)
    for path in paths:
        found |= looks.passed(door.schema, report.entity, path)
    return frozenset(found)
