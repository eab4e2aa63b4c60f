"""Figures of the past are kept: what was then is changed only by what is written with a time before it (F12, I2).

Kept for one who sees every record that is looked at, or, where a report looks at one kind of records only, for the records one sees now.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

import orjson
from tinydb.queries import QueryInstance

from crm.analytics import looks
from crm.analytics.groups import text_of
from crm.records.columns import News
from crm.records.scope import parse
from crm.stores.clock import iso, to_ms

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from crm.analytics.groups import Groups, Table
    from crm.records.company import Company

#: Tables of figures kept for a company; what was not asked for longest goes first.
KEPT = 500


class Kept(NamedTuple):
    """Figures, the moment they are of, and the tables they were read from."""

    table: Table
    moment: str
    read: frozenset[str]


class Past:
    """The kept figures of one company."""

    def __init__(self, company: Company) -> None:
        self._news = News(company.store)
        self._kept: OrderedDict[Any, Kept] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Any) -> Kept | None:
        """What is kept under a key and still holds."""
        with self._lock:
            heard = self._news.heard()
            if heard is None:
                self._kept.clear()
                return None
            changes, tables = heard
            for name, one in list(self._kept.items()) if changes or tables else ():
                if one.read & tables or any(
                    change.table in one.read and (change.at <= one.moment or change.act in ("delete", "migrate")) for change in changes
                ):
                    del self._kept[name]
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: Any, found: Kept) -> None:
        with self._lock:
            self._kept[key] = found
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)


_pasts: WeakKeyDictionary[Company, Past] = WeakKeyDictionary()


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
    actor, moment = door.actor, iso(to_ms(as_of))
    mine = None if seen is None else hashlib.blake2b(orjson.dumps(seen), digest_size=16).digest()
    who = (actor.system, actor.id, actor.role, actor.team, str(door.words.tz), mine)
    asked = (report.entity, tuple(map(text_of, groups.given)), repr([cut.axis for cut in groups.cuts]), repr(report.measures))
    key = (door.schema.hash, door.company.generation, who, asked, moment)
    past = _pasts.get(door.company) or _pasts.setdefault(door.company, Past(door.company))
    found = past.get(key)
    if found is None:
        found = Kept(work(), moment, read)
        past.put(key, found)
    return [(keys, dict(values)) for keys, values in found.table]


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
