"""What became of the open pipeline between two moments: every record's part in the difference, adding up exactly (I7).

    found = changes(door, "opportunity", since, until)
    sum(piece.value for piece in found.pieces) == found.closing - found.opening

The pipeline at the first moment is what its reader saw then (with the rights they have today, over what the records were then), the one at
the second what they see at that moment: what was handed to somebody else meanwhile has left it, told as a number only. Values are in the
smallest unit of the money field. A record may have several parts: new at 100, raised by 20, won at 120.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from tinydb.queries import where as field_is

from crm.analytics.groups import asked
from crm.analytics.past import remembered
from crm.analytics.values import spread
from crm.records.columns import kept_of, moments
from crm.records.company import MOVES, stamp
from crm.records.queries import all_of
from crm.records.shape import DELETED
from crm.stores import where_id
from crm.stores.clock import to_ms

if TYPE_CHECKING:
    from crm.records import Company, Door

#: The kinds of parts, in the order they are told. `moved_…` by the closing date, `received` and `given` to others (or out of what is looked at).
PARTS = (
    "new", "reopened", "restored", "moved_in", "received", "raised", "lowered", "won", "lost", "moved_out", "given", "deleted",
)  # fmt: skip
#: Moments of the past whose open records are kept: each may be as large as all of them.
SIDES = 4
#: So many ids in one question to the store.
AT_ONCE = 5000


class State(NamedTuple):
    """What a record was at a moment."""

    stage: Any
    pipeline: Any
    value: int
    close: str | None
    outcome: str  # "" while it is open


class Piece(NamedTuple):
    """One record's part of one kind: `value` with its sign, `stage` the open stage it was in (before; of what came: after)."""

    part: str
    id: int
    value: int
    stage: Any


@dataclass
class Changes:
    """`before` and `after`: the open records at both moments by id; `pieces` lead from one to the other."""

    before: dict[int, State]
    after: dict[int, State]
    pieces: list[Piece] = field(default_factory=list)

    @cached_property
    def opening(self) -> int:
        return sum(one.value for one in self.before.values())

    @cached_property
    def closing(self) -> int:
        return sum(one.value for one in self.after.values())

    def of(self, *parts: str) -> list[Piece]:
        return [one for one in self.pieces if one.part in parts]


class Side:
    """The records of one entity at one moment, as one user sees them."""

    def __init__(self, door: Door, entity: str, conditions: list[Any], at: datetime | None, roles: dict[str, str]) -> None:
        self.door, self.entity, self.at = door, entity, at
        self.one = door.schema.entities[entity]
        table = door.company.table(entity)
        self.table = table if at is None else table.as_of(at)
        sight = door.sight(entity)
        self.given, self.all_seen = conditions, sight.query() is None
        self.cond = all_of(door.company.live, sight.query(), *conditions)
        self.close = roles.get("close")
        self.paths = [
            str(self.one.stage_field),
            str(self.one.pipeline_field or self.one.stage_field),
            roles["amount"],
            self.close or roles["amount"],
        ]
        self._outcomes: dict[tuple[Any, Any], str] = {}

    def outcome(self, stage: Any, pipeline: Any) -> str:
        """How a stage ends, "" for an open one and for one that nobody knows."""
        known = self._outcomes.get((stage, pipeline))
        if known is None:
            found = self.door.schema.pipelines.get(pipeline) if self.one.pipeline_field else None
            told = (found or self.door.schema.pipelines[self.one.pipelines[0]]).stages.get(stage)
            known = self._outcomes[stage, pipeline] = "" if told is None or not told.outcome else told.outcome
        return known

    def state(self, stage: Any, pipeline: Any, value: Any, close: Any) -> State:
        return State(stage, pipeline, int(value or 0), close if self.close else None, self.outcome(stage, pipeline))

    def open(self) -> dict[int, State]:
        """The open records this user sees, among those looked at; not to be changed. Those of the past are kept for who sees all of them."""
        if self.at is None or self.given or not self.all_seen:
            return self.read()
        read = frozenset((self.entity,))
        return remembered(self.door, read, ("open", self.entity, *self.paths), self.at, self.read, SIDES)

    def read(self) -> dict[int, State]:
        """The same, read anew."""
        from crm.records.scope import parse

        expression = parse(self.door, self.entity, f"{self.one.stage_field}.open")
        rows: Iterable[tuple[Any, ...]]
        if self.at is None:
            ids, columns = self.door.columns(self.entity, self.paths, [expression, *self.given])
            rows = zip(ids.tolist(), *(columns[path] for path in self.paths), strict=True)
        else:
            rows = self.table.values(["doc_id", *self.paths], all_of(self.cond, self.door.query(self.entity, expression)))
        found, closing, known = {}, self.close is not None, self._outcomes
        for id, stage, pipeline, value, close in rows:  # tens of thousands of them
            outcome = known[stage, pipeline] if (stage, pipeline) in known else self.outcome(stage, pipeline)
            if not outcome:
                found[id] = State(stage, pipeline, int(value or 0), close if closing else None, outcome)
        return found

    def among(self, ids: Iterable[int], everything: bool = False) -> dict[int, tuple[State, bool]]:
        """`{id: (what it was, whether it was deleted)}` of those that existed; `everything`: also what this user may not see."""
        wanted, found = sorted(ids), {}
        for at in range(0, len(wanted), AT_ONCE):
            cond = where_id("in", wanted[at : at + AT_ONCE])
            for id, deleted, *row in self.table.values(["doc_id", DELETED, *self.paths], cond if everything else all_of(self.cond, cond)):
                found[id] = (self.state(*row), deleted is not None)
        return found


def changes(
    door: Door,
    entity: str,
    since: datetime,
    until: datetime | None = None,
    conditions: list[Any] | None = None,
    window: tuple[date, date] | None = None,
) -> Changes:
    """What became of the open records of an entity from one moment to another (None: to now). `conditions` say which are looked at (besides
    being open; what they say of today is meant of the second moment), `window` only those that are to close from its first day to before its second."""
    pipeline = door.schema.pipelines[door.schema.entities[entity].pipelines[0]]
    bound = [door.query(entity, asked(door, entity, one, until or door.company.now())) for one in conditions or []]
    old, new = (Side(door, entity, bound, at, pipeline.fields) for at in (since, until))
    first, last = (str(window[0]), str(window[1])) if window else ("", "")

    def inside(state: State) -> bool:
        return window is None or (state.close is not None and first <= state.close < last)

    all_before, all_after = old.open(), new.open()
    before, after = all_before, all_after
    if window is not None:
        before, after = ({id: one for id, one in some.items() if inside(one)} for some in (before, after))
    found = Changes(before, after)
    add = found.pieces.append

    def valued(id: int, was: State, now: State, stage: Any) -> None:
        if now.value != was.value:
            add(Piece("raised" if now.value > was.value else "lowered", id, now.value - was.value, stage))

    gone = found.before.keys() - found.after.keys()
    ended = new.among(gone | (touched(door, entity, since, until) - found.after.keys()))
    ended = {id: one for id, one in ended.items() if one[0].outcome}
    there = new.among(gone - ended.keys(), everything=True)
    come = (found.after.keys() | ended.keys()) - found.before.keys()
    earlier = old.among(come, everything=True)

    for id, was in found.before.items():
        now = found.after.get(id)
        if now is not None:
            valued(id, was, now, was.stage)
        elif id in ended:
            now = ended[id][0]
            valued(id, was, now, was.stage)
            add(Piece(now.outcome, id, -now.value, was.stage))
        elif id in all_after:
            add(Piece("moved_out", id, -was.value, was.stage))
        else:
            removed = id not in there or there[id][1]
            add(Piece("deleted" if removed else "given", id, -was.value, was.stage))
    for id in sorted(come):
        now = found.after.get(id) or ended[id][0]
        known = earlier.get(id)
        if known is None:
            how = "new"
        elif known[1]:
            how = "restored"
        elif known[0].outcome:
            if now.outcome == known[0].outcome:
                continue
            how = "reopened"
        else:
            how = "moved_in" if id in all_before else "received"
        if now.outcome and not inside(now):
            continue
        add(Piece(how, id, now.value, now.stage if not now.outcome else None))
        if now.outcome:
            add(Piece(now.outcome, id, -now.value, None))
    return found


def touched(door: Door, entity: str, since: datetime, until: datetime | None) -> set[int]:
    """The records made or moved to another stage in between."""
    company = door.company
    between = field_is("on") > stamp(since.astimezone(UTC))
    if until is not None:
        between &= field_is("on") <= stamp(until.astimezone(UTC))
    moved = company.store.table(MOVES).values(["record"], all_of(company.live, field_is("entity") == entity, between))
    return {one for (one,) in moved} | made(company, entity, since)


def made(company: Company, entity: str, since: datetime) -> set[int]:
    """The records made since."""
    kept = kept_of(company, entity, ["created_on"])
    if kept is None:
        return set(company.table(entity).ids(field_is("created_on") > stamp(since.astimezone(UTC))))
    at = spread(kept.columns["created_on"], "moments", moments, -1)
    return set(kept.ids[at > to_ms(since)].tolist())
