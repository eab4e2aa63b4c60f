"""The past of a pipeline in one reading: every state its records were in, from when on, as it was known at the time.

The store keeps the past of fields as intervals of time by when they were written, so a state that is read here is exactly what `as_of`
shows, also of what was taken back or deleted later. Everything at a past moment follows from rows whose `since` is not later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from itertools import compress
from operator import itemgetter
from threading import Lock
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from crm.analytics import looks
from crm.errors import Missing
from crm.records.columns import Column, Kinds, News
from crm.records.queries import all_of
from crm.records.shape import DELETED
from crm.stores import where_id

if TYPE_CHECKING:
    from crm.records import Door
    from crm.schema.model import Forecast, Stage

DAY = 86_400_000.0
NEVER = np.inf
#: What is known of a record in each row of a history, as `History` calls it.
COLUMNS = ("since", "code", "amount", "close", "chance", "owner", "kind")


@dataclass(frozen=True)
class State:
    """One stage of one pipeline."""

    pipeline: str
    stage: Stage

    @property
    def open(self) -> bool:
        return self.stage.outcome is None


@dataclass
class Now:
    """What was known at one moment: of each record (by its place in `History.ids`) its state and values, -1 and NaN where there was none."""

    row: np.ndarray
    code: np.ndarray
    amount: np.ndarray
    close: np.ndarray
    chance: np.ndarray
    owner: np.ndarray
    kind: np.ndarray
    entered: np.ndarray  # when it came into its state


@dataclass
class Stays:
    """Every stay in a state: of which record, in which state, from when to when (infinite while it lasts) and where it went (-1: gone or
    still there); amounts, owner and source as they were when it began."""

    deal: np.ndarray
    code: np.ndarray
    enter: np.ndarray
    leave: np.ndarray
    following: np.ndarray
    amount: np.ndarray
    owner: np.ndarray
    kind: np.ndarray
    first: np.ndarray  # whether the record began here

    def until(self, moment: float) -> Stays:
        """The stays as they were known at a moment: none that began later, none left yet that was left later."""
        part = self.taken(self.enter <= moment)
        lasting = part.leave > moment
        part.leave = np.where(lasting, NEVER, part.leave)
        part.following = np.where(lasting, -1, part.following)
        return part

    def among(self, chosen: np.ndarray) -> Stays:
        """Only those of chosen records (a yes or no by record)."""
        return self.taken(chosen[self.deal])

    def taken(self, which: np.ndarray) -> Stays:
        """Only some of the stays (a yes or no by stay)."""
        return Stays(*(getattr(self, name)[which] for name in self.__dataclass_fields__))


@dataclass
class History:
    """All states of all records a user may see today: rows by record and time. Times are days since 1970 in UTC, `close` days since 1 in
    the calendar (`date.toordinal`), money in units."""

    states: list[State]
    sources: list[Any]
    ids: np.ndarray
    deal: np.ndarray
    since: np.ndarray
    code: np.ndarray
    amount: np.ndarray
    close: np.ndarray
    chance: np.ndarray
    owner: np.ndarray
    kind: np.ndarray
    zone: Any = UTC
    marks: dict[float, str] = field(default_factory=dict)  # of moments, what is the same exactly when what was known then is

    def __post_init__(self) -> None:
        self.start = np.searchsorted(self.deal, np.arange(len(self.ids)))
        self.stays = self._stays()

    @property
    def outcome(self) -> np.ndarray:
        """Of each state 0 open, 1 won, 2 lost."""
        return np.array([0 if one.open else 1 if one.stage.outcome == "won" else 2 for one in self.states], dtype=np.int8)

    @property
    def begins(self) -> float:
        """When the first thing was known."""
        return float(self.since.min()) if len(self.since) else NEVER

    def moment(self, day: date) -> float:
        """The beginning of a calendar day in the company's time zone."""
        return datetime.combine(day, time(0), self.zone).timestamp() * 1000 / DAY

    def day(self, moment: float) -> date:
        """The calendar day of a moment."""
        return datetime.fromtimestamp(moment * DAY / 1000, UTC).astimezone(self.zone).date()

    def clock(self, moment: float) -> float:
        """The moment from which ages and the days to come are counted: the middle of the company's day, so that all day long the same
        knowledge gives the same figures. The beginning of a day is itself: nothing of it has gone by."""
        begin = self.moment(self.day(moment))
        return moment if moment == begin else begin + 0.5

    def _stays(self) -> Stays:
        n = len(self.deal)
        same = np.zeros(n, dtype=bool)
        same[1:] = (self.deal[1:] == self.deal[:-1]) & (self.code[1:] == self.code[:-1])
        at = np.flatnonzero(~same)
        deal, code, enter = self.deal[at], self.code[at], self.since[at]
        on = np.zeros(len(at), dtype=bool)
        on[:-1] = deal[1:] == deal[:-1]
        leave = np.full(len(at), NEVER)
        leave[:-1][on[:-1]] = enter[1:][on[:-1]]
        following = np.full(len(at), -1, dtype=code.dtype)
        following[:-1][on[:-1]] = code[1:][on[:-1]]
        first = np.ones(len(at), dtype=bool)
        first[1:] = deal[1:] != deal[:-1]
        return Stays(deal, code, enter, leave, following, self.amount[at], self.owner[at], self.kind[at], first)

    def at(self, moment: float) -> Now:
        """What was known at a moment."""
        size = len(self.ids)
        known = np.bincount(self.deal[self.since <= moment], minlength=size)
        row = np.where(known > 0, self.start + known - 1, -1)
        there = row >= 0
        entered = np.full(size, np.nan)
        stays = self.stays
        begun = np.bincount(stays.deal[stays.enter <= moment], minlength=size)
        first = np.searchsorted(stays.deal, np.arange(size))
        entered[there] = stays.enter[(first + begun - 1)[there]]

        def take(values: np.ndarray, empty: Any) -> np.ndarray:
            return np.where(there, values[np.maximum(row, 0)], empty) if len(values) else np.full(size, empty)

        return Now(
            row, take(self.code, -1), take(self.amount, np.nan), take(self.close, np.nan), take(self.chance, np.nan), take(self.owner, 0),
            take(self.kind, -1), entered,
        )  # fmt: skip


class Held:
    """The history of what one user may see, renewed by what was written since."""

    def __init__(self, company: Any) -> None:
        self.news, self.lock = News(company.store), Lock()
        self.history: History | None = None
        self.day: date | None = None
        self.seen: set[int] = set()  # where this user does not see everything

    def renewed(self, door: Door, spec: Forecast, sight: Any) -> History:
        with self.lock:
            heard, today = self.news.heard(), door.company.today()
            if self.history is not None and heard == ([], set()) and today == self.day:
                return self.history
            ids = door.seen(spec.entity)  # by what is written of teams or customers, and by the day, others may be seen
            seen, self.seen, self.day = self.seen, set(ids or ()), today
            tables = set() if heard is None else heard[1] | {one.table for one in heard[0]}
            away = looks.passed(door.schema, spec.entity, spec.source_path or "") - {spec.entity}
            if self.history is None or heard is None or spec.entity in heard[1] or tables & away:
                self.history = _read(door, spec, sight)
            elif touched := {one.doc_id for one in heard[0] if one.table == spec.entity} | (seen ^ self.seen):
                self.history = mended(self.history, *rows_of(door, spec, sight, self.history.sources, touched), touched)
            return self.history


_kept: WeakKeyDictionary[Any, dict[Any, Held]] = WeakKeyDictionary()


def paths_of(door: Door, spec: Forecast) -> dict[str, str | None]:
    """The fields the engine reads, by role."""
    entity = door.schema.entities[spec.entity]
    roles = door.schema.pipelines[spec.pipelines[0]].fields
    assert entity.stage_field is not None
    return {
        "stage": entity.stage_field,
        "amount": roles["amount"],
        "close": roles["close"],
        "owner": entity.role("owner") or roles.get("owner"),
        "chance": roles.get("probability"),
        "pipeline": entity.pipeline_field,
        "source": spec.source_path,
    }


def read(door: Door, spec: Forecast) -> History:
    """The history of what this user may see, read once and then only where something was written."""
    company = door.company
    sight = door.sight(spec.entity)
    if not sight.may("see"):
        raise Missing("There is no such forecast")
    if company.store.writing:  # what may be taken back is not kept
        return _read(door, spec, sight)
    actor = door.actor
    key = (door.schema.hash, company.generation, spec.name, actor.system, actor.id, actor.role, actor.team)
    kept = _kept.setdefault(company, {})
    if key not in kept and len(kept) > 16:
        kept.clear()
    return kept.setdefault(key, Held(company)).renewed(door, spec, sight)


def _read(door: Door, spec: Forecast, sight: Any) -> History:
    known, columns, sources = rows_of(door, spec, sight, [], None)
    states = [State(name, stage) for name in spec.pipelines for stage in door.schema.pipelines[name].stages.values()]
    return made_of(states, sources, known, columns, door.company.zone)


def made_of(states: list[State], sources: list[Any], known: np.ndarray, columns: Sequence[np.ndarray], zone: Any) -> History:
    """A history of rows: the record of each, by record and time, and the `COLUMNS`."""
    new = np.ones(len(known), dtype=bool)
    new[1:] = known[1:] != known[:-1]
    since, code, amount, close, chance, owner, kind = columns
    deal = (np.cumsum(new) - 1).astype(np.int32)
    return History(states, sources, known[new], deal, since, code, amount, close, chance, owner, kind, zone)


def mended(history: History, known: np.ndarray, columns: list[np.ndarray], sources: list[Any], touched: set[int]) -> History:
    """A history with the rows of some records read anew. What was worked out of moments before all that is another is kept."""
    of = history.ids[history.deal]
    old = np.isin(of, np.fromiter(touched, dtype=np.int64))
    place = np.searchsorted(of[~old], known)
    before = [getattr(history, name) for name in COLUMNS]
    after = [np.insert(column[~old], place, fresh) for column, fresh in zip(before, columns, strict=True)]
    made = made_of(history.states, sources, np.insert(of[~old], place, known), after, history.zone)
    rows = [set(zip(ids.tolist(), *(np.nan_to_num(one, nan=-1).tolist() for one in told), strict=True)) for ids, told in
            ((of[old], [column[old] for column in before]), (known, columns))]  # fmt: skip
    changed = min((row[1] for row in rows[0] ^ rows[1]), default=NEVER)
    made.marks = {moment: mark for moment, mark in list(history.marks.items()) if moment < changed}
    return made


def rows_of(
    door: Door, spec: Forecast, sight: Any, sources: list[Any], only: set[int] | None
) -> tuple[np.ndarray, list[np.ndarray], list[Any]]:
    """(the record of each row, the `COLUMNS`, the list of sources, to which new ones were added) of all records, or of some."""
    table = door.company.table(spec.entity)
    entity = door.schema.entities[spec.entity]
    roles = paths_of(door, spec)
    tracked = {".".join(path) for path in table.info.tracked}
    told = {word: path for word, path in roles.items() if path and path in tracked}
    wanted = list(dict.fromkeys([*told.values(), DELETED]))
    rows = table.spells(*wanted, ids=only)
    columns = {name: list(map(itemgetter(n), rows)) for n, name in enumerate(["id", "since", *wanted])}
    mine = sight.query()
    ids = np.array(columns["id"], dtype=np.int64)
    if mine is not None:
        asked = mine if only is None else all_of(mine, where_id("in", sorted(only)))
        seen = np.isin(ids, np.array(table.ids(asked), dtype=np.int64))
        columns = {name: list(compress(values, seen)) for name, values in columns.items()}
        ids = ids[seen]
    number = {one: n for n, one in enumerate((name, key) for name in spec.pipelines for key in door.schema.pipelines[name].stages)}
    size, usual = len(ids), spec.pipelines[0]
    stages, gone = Column.of(columns[told["stage"]]), Column.of(columns[DELETED])
    lines = Column.of(columns[told["pipeline"]] if "pipeline" in told else [None] * size)
    found = [[number.get((line or usual, stage), -1) for stage in [*stages.kinds.values, None]] for line in [*lines.kinds.values, None]]
    codes = np.array(found, dtype=np.int16)[lines.codes, stages.codes]  # -1, nothing, is the last
    codes[gone.codes >= 0] = -1

    def numbers(word: str, scale: float = 1.0) -> np.ndarray:
        if word not in told:
            return np.full(size, np.nan)
        return np.array(columns[told[word]], dtype=object).astype(np.float64) / scale

    field = entity.fields[roles["amount"] or ""]
    places = (field.decimals if field.decimals is not None else 2) if field.kind == "money" else 0
    close = np.full(size, np.nan)
    if "close" in told:
        days = Column.of(columns[told["close"]])
        ordinals = [date.fromisoformat(text[:10]).toordinal() if text else np.nan for text in days.kinds.values]
        close = np.array([*ordinals, np.nan])[days.codes]
    owner = np.nan_to_num(numbers("owner")).astype(np.int64)
    kinds, sources = _sources(door, spec, roles["source"], told, columns, ids, sources)
    since = np.array(columns["since"], dtype=np.float64) / DAY
    amount, chance = numbers("amount", 10.0**places), numbers("chance")
    kept = _changed(ids, codes, amount, close, chance, owner, kinds)
    return ids[kept], [one[kept] for one in (since, codes, amount, close, chance, owner, kinds)], sources


def _sources(
    door: Door, spec: Forecast, path: str | None, told: dict[str, Any], columns: dict[str, Any], ids: np.ndarray, known: list[Any]
) -> tuple[np.ndarray, list[Any]]:
    """Where each record came from, as a number into a list of stored values, begun by those known: as it was, or as it is where the past of the
    path is not kept."""
    if path is None or not door.path_open(spec.entity, path):
        return np.full(len(ids), -1, dtype=np.int32), known
    if "source" in told:
        values: Sequence[Any] = columns[told["source"]]
    else:
        there, found = door.columns(spec.entity, [path])
        now = dict(zip(there.tolist(), found[path], strict=True))
        values = [now.get(one) for one in ids.tolist()]
    kinds = Kinds(known)
    codes = kinds.codes(str(one) if isinstance(one, list) else one if one == one else None for one in values)
    return codes, kinds.values


def _changed(ids: np.ndarray, *columns: np.ndarray) -> np.ndarray:
    """Which rows say something the row before did not."""
    new = np.ones(len(ids), dtype=bool)
    if len(ids):
        new[1:] = ids[1:] != ids[:-1]
        for column in columns:
            a, b = column[1:], column[:-1]
            new[1:] |= (a != b) & ~(np.isnan(a) & np.isnan(b)) if column.dtype.kind == "f" else a != b
    return new
