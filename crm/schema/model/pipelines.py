"""A pipeline: its stages, checklists, allowed moves and approvals."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as fresh
from decimal import Decimal
from typing import Any

from crm.schema.model.base import Labelled, Thing, translated

#: Forecast categories, from the surest to the one that does not count.
FORECASTS = ("closed", "commit", "best_case", "pipeline", "omitted")
OUTCOMES = ("won", "lost")


@dataclass(frozen=True)
class Todo:
    """One line of a stage's checklist. `key` names it in its pipeline; what is a `must` is ticked before a record moves on."""

    key: str
    text: str
    must: bool = False
    path: str = ""

    def say_in(self, t: Any = None) -> str:
        return translated(t, self.path, self.text)


@dataclass
class Stage(Labelled):
    """One step of a pipeline. `probability` 0 to 1 (won 1, lost 0), `days` expected, `require` field keys (or lists of linked
    records) to enter it, `ask` what is offered beside them, `do` its checklist, `responsible` the roles that take a record on."""

    key: str
    label: str
    probability: Decimal = Decimal(0)
    days: int | None = None
    forecast: str = "pipeline"
    do: list[Todo] = fresh(default_factory=list)
    require: list[str] = fresh(default_factory=list)
    ask: list[str] = fresh(default_factory=list)
    responsible: list[str] = fresh(default_factory=list)  # roles; none: whoever may change the record
    guide: str = ""
    outcome: str | None = None  # won, lost or None (open)
    color: str | None = None
    help: str = ""
    was: list[str] = fresh(default_factory=list)
    index: int = 0
    path: str = ""

    @property
    def open(self) -> bool:
        return self.outcome is None

    def guide_in(self, t: Any = None) -> str:
        """The work instruction in the language of `t`."""
        return translated(t, f"{self.path}.guide", self.guide) if self.guide else ""


@dataclass
class Approval:
    """When `when` is true of a record it needs the word of somebody whose role is in `by` (a limit: up to which value of `amount`)
    before it goes on: in a pipeline into the stage `before` or past it (any step onward when None), elsewhere before the condition
    `before` may come true. `of` are the fields the word is given on: another value of one of them, and it is void."""

    key: str  # `b2b.discount`, `offer.discount`: kept with the requests
    when: Any  # Expression
    by: dict[str, Decimal | None]
    say: str = ""
    before: Any = None  # stage key, or Expression
    amount: str | None = None
    of: list[str] = fresh(default_factory=list)
    path: str = ""

    def say_in(self, t: Any = None) -> str:
        return translated(t, f"{self.path}.say", self.say)


@dataclass
class Moves:
    """Which moves a pipeline allows.

    `forward`: `next` (one step), `any`, or roles who may skip · `back`: `any`, `none`, `previous` or roles ·
    `won`: `any`, the stages it may be entered from, or `forward` (as any other step forward; the default) ·
    `lost`: `any` or the stages it may be entered from · `reopen`: `any`, `none` or roles ·
    `only`: {stage: stages that may follow it}, which overrules the others for that stage.
    """

    forward: str | list[str] = "any"
    back: str | list[str] = "any"
    won: str | list[str] = "forward"
    lost: str | list[str] = "any"
    reopen: str | list[str] = "any"
    only: dict[str, list[str]] = fresh(default_factory=dict)


@dataclass
class Pipeline(Thing):
    """The stages an entity's records go through; `fields` says which field plays which role (stage, amount, close, owner, next)."""

    entity: str
    fields: dict[str, str] = fresh(default_factory=dict)
    stages: dict[str, Stage] = fresh(default_factory=dict)
    moves: Moves = fresh(default_factory=Moves)
    begin: str = "earlier"  # what a record made in a later stage must meet: see `crm.records.gates.entered`
    approvals: list[Approval] = fresh(default_factory=list)
    when: Any = None  # Expression: which records take this pipeline when none is chosen
    was: list[str] = fresh(default_factory=list)

    @property
    def first(self) -> Stage:
        return next(iter(self.stages.values()))

    def todo(self, key: str) -> tuple[Stage, Todo] | None:
        """A line of the checklists with its stage."""
        return next(((stage, one) for stage in self.stages.values() for one in stage.do if one.key == key), None)

    def open_stages(self) -> list[Stage]:
        return [stage for stage in self.stages.values() if stage.open]

    def of_outcome(self, outcome: str) -> list[Stage]:
        return [stage for stage in self.stages.values() if stage.outcome == outcome]

    def allows(self, start: str, end: str, role: str | None = None) -> bool:
        """Whether the YAML lets a record go from one stage to another, for a user of `role` (None: any role's rights)."""
        if start == end:
            return True
        if start not in self.stages or end not in self.stages:
            return end in self.stages
        moves, a, b = self.moves, self.stages[start], self.stages[end]
        if start in moves.only:
            return end in moves.only[start]

        def may(rule: str | list[str]) -> bool:
            return rule == "any" if isinstance(rule, str) else role is None or role in rule

        if not a.open:
            return may(moves.reopen)
        if b.outcome == "lost":
            return moves.lost == "any" if isinstance(moves.lost, str) else start in moves.lost
        if b.outcome == "won" and moves.won != "forward":
            return moves.won == "any" or start in moves.won
        if b.index < a.index:
            return may(moves.back) or (moves.back == "previous" and self.next_open(end) == start)
        return may(moves.forward) or (moves.forward in ("next",) or not isinstance(moves.forward, str)) and self.next_open(start) == end

    def next_open(self, start: str) -> str | None:
        """The stage after `start` on the straight way: the next open one, after the last open one the first won one."""
        later = [s for s in self.stages.values() if s.index > self.stages[start].index and s.outcome != "lost"]
        opened = [s for s in later if s.open]
        return opened[0].key if opened else (later[0].key if later else None)

    def ways(self, start: str, role: str | None = None) -> list[Stage]:
        """The stages a record may go to from `start`."""
        return [stage for key, stage in self.stages.items() if key != start and self.allows(start, key, role)]
