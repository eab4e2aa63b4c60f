"""The past of a pipeline in one reading: every state its records were in, from when on, as it was known at the time.

The store keeps the past of fields as intervals of time by when they were written, so a state that is read here is exactly what `as_of`
shows, also of what was taken back or deleted later. Everything at a past moment follows from rows whose `since` is not later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from crm.errors import Missing
from crm.records.shape import DELETED

if TYPE_CHECKING:
    from crm.records import Door
    from crm.schema.model import Forecast, Stage

DAY = 86_400_000.0
NEVER = np.inf
#: Changes looked through to tell whether what was read still holds.
GLANCE = 200


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
    places: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.start = np.searchsorted(self.deal, np.arange(len(self.ids)))
        self.places = {int(one): n for n, one in enumerate(self.ids)}
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


_kept: WeakKeyDictionary[Any, dict[Any, tuple[int, History]]] = WeakKeyDictionary()


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
    """The history of what this user may see, read once and kept until something is written."""
    company = door.company
    sight = door.sight(spec.entity)
    if not sight.may("see"):
        raise Missing("There is no such forecast")
    actor = door.actor
    key = (door.schema.hash, company.generation, spec.name, actor.system, actor.id, actor.role, actor.team)
    kept = _kept.setdefault(company, {})
    sequence = company.store.sequence
    found = kept.get(key)
    if found is not None and sequence and untouched(company.store, found[0], sequence, spec.entity):
        kept[key] = (sequence, found[1])
        return found[1]
    history = _read(door, spec, sight)
    if len(kept) > 16:
        kept.clear()
    kept[key] = (sequence, history)
    return history


def untouched(store: Any, before: int, now: int, entity: str) -> bool:
    """Whether no record of an entity was written between two sequence numbers, as far as can be seen at a glance."""
    if before == now:
        return True
    changes = store.changes(before, GLANCE)
    return len(changes) < GLANCE and all(one.table != entity for one in changes)


def _read(door: Door, spec: Forecast, sight: Any) -> History:
    table = door.company.table(spec.entity)
    entity = door.schema.entities[spec.entity]
    roles = paths_of(door, spec)
    tracked = {".".join(path) for path in table.info.tracked}
    told = {word: path for word, path in roles.items() if path and path in tracked}
    wanted = list(dict.fromkeys([*told.values(), DELETED]))
    rows = table.spells(*wanted)
    rows = [row for row, last in zip(rows, [(None, None), *rows], strict=False) if row[0] != last[0] or row[2:] != last[2:]]
    columns = dict(zip(["id", "since", *wanted], zip(*rows, strict=True) if rows else [()] * (len(wanted) + 2), strict=True))
    mine = sight.query()
    ids = np.array(columns["id"], dtype=np.int64)
    if mine is not None:
        seen = np.isin(ids, np.array(table.ids(mine), dtype=np.int64))
        columns = {name: tuple(one for one, keep in zip(values, seen, strict=True) if keep) for name, values in columns.items()}
        ids = ids[seen]
    states = [State(name, stage) for name in spec.pipelines for stage in door.schema.pipelines[name].stages.values()]
    number = {(one.pipeline, one.stage.key): n for n, one in enumerate(states)}
    stages, size = columns[told["stage"]], len(ids)
    usual = spec.pipelines[0]
    lines = columns[told["pipeline"]] if "pipeline" in told else [None] * size
    codes = np.array(
        [
            -1 if gone is not None else number.get((line or usual, stage), -1)
            for line, stage, gone in zip(lines, stages, columns[DELETED], strict=True)
        ],
        dtype=np.int16,
    )

    def numbers(word: str, scale: float = 1.0) -> np.ndarray:
        if word not in told:
            return np.full(size, np.nan)
        return np.array([np.nan if one is None else float(one) for one in columns[told[word]]], dtype=np.float64) / scale

    field = entity.fields[roles["amount"] or ""]
    places = (field.decimals if field.decimals is not None else 2) if field.kind == "money" else 0
    days = {text: date.fromisoformat(text[:10]).toordinal() for text in set(columns[told["close"]]) if text} if "close" in told else {}
    close = np.array([days.get(one, np.nan) for one in columns[told["close"]]], dtype=np.float64) if days else np.full(size, np.nan)
    owner = np.nan_to_num(numbers("owner")).astype(np.int64)
    kinds, sources = _sources(door, spec, roles["source"], told, columns, ids)
    since = np.array(columns["since"], dtype=np.float64) / DAY
    amount, chance = numbers("amount", 10.0**places), numbers("chance")
    kept = _changed(ids, codes, amount, close, chance, owner, kinds)
    known = ids[kept]
    every, deal = np.unique(known, return_inverse=True)
    return History(
        states, sources, every, deal.astype(np.int32), since[kept], codes[kept], amount[kept], close[kept], chance[kept], owner[kept],
        kinds[kept], door.words.tz,
    )  # fmt: skip


def _sources(
    door: Door, spec: Forecast, path: str | None, told: dict[str, Any], columns: dict[str, Any], ids: np.ndarray
) -> tuple[np.ndarray, list]:
    """Where each record came from, as a number into a list of stored values: as it was, or as it is where the past of the path is not kept."""
    if path is None or not door.path_open(spec.entity, path):
        return np.full(len(ids), -1, dtype=np.int32), []
    if "source" in told:
        values: Sequence[Any] = columns[told["source"]]
    else:
        frame = door.frame(spec.entity, [path], stored=True)
        now = dict(zip(frame.index.tolist(), frame[path].tolist(), strict=True))
        values = [now.get(one) for one in ids.tolist()]
    number: dict[Any, int] = {}
    found = [
        -1 if one is None or one != one else number.setdefault(one if not isinstance(one, list) else str(one), len(number))
        for one in values
    ]
    return np.array(found, dtype=np.int32), list(number)


def _changed(ids: np.ndarray, *columns: np.ndarray) -> np.ndarray:
    """Which rows say something the row before did not."""
    new = np.ones(len(ids), dtype=bool)
    if len(ids):
        new[1:] = ids[1:] != ids[:-1]
        for column in columns:
            a, b = column[1:], column[:-1]
            new[1:] |= (a != b) & ~(np.isnan(a) & np.isnan(b)) if column.dtype.kind == "f" else a != b
    return new
