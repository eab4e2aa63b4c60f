"""What a configuration means once it is loaded: plain dataclasses that every layer above reads.

`Schema` holds `Entity`, `Pipeline`, `Role`, `Report` … by name, in the order of the YAML. Nothing here reads files or
checks anything (`load.py` and `check.py` do); nothing here writes. Expressions are already parsed and checked:

* `field.show`, `field.formula`, `field.rollup` are `Expression | None`,
* `field.required` is `True`, `False` or an `Expression`,
* `field.default` is `None`, a typed text (give it to `field.clean`) or an `Expression`.

Labels are English, as in the YAML; `label_in(t)` gives them in the language of `t` (`crm.words.Words`): a label of the
configuration is translated by its dotted path (`entities.account.fields.name.label`), see `Schema.label`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as fresh
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Any

#: What a role may do with an entity's records, and how far each act reaches.
ACTS = ("see", "create", "change", "delete", "export")
SCOPES = ("none", "own", "team", "all")

#: Forecast categories, from the surest to the one that does not count.
FORECASTS = ("closed", "commit", "best_case", "pipeline", "omitted")
#: Figures of a forecast that a manager may adjust; `total` is the simulated one.
CATEGORIES = ("total", "committed", "best_case", "pipeline", "weighted")
#: What what-if turns; each 1 as things are, `reps` people more.
LEVERS = ("win_rate", "deal_size", "cycle", "arrivals", "reps", "spend")
OUTCOMES = ("won", "lost")

#: How a measure of a report is computed, and the pieces of time an axis may be cut in.
AGGREGATES = ("count", "sum", "mean", "min", "max", "median", "quantile", "distinct", "first", "last", "rate")
#: Figures made of another measure of the report, over its rows.
OVER = ("share", "running")
UNITS = ("day", "week", "month", "quarter", "year", "fiscal_quarter", "fiscal_year")


Keys = list[str]  # field keys; some classes below have an attribute called `list`


class Labelled:
    """Something with a `label`, a dotted `path` in the configuration and so a translation."""

    label: str
    path: str

    def label_in(self, t: Any = None) -> str:
        """The label in the language of `t`; the English one without `t` or without a translation."""
        return translated(t, f"{self.path}.label", self.label)

    def help_in(self, t: Any = None) -> str:
        """The help text in the language of `t`; "" where there is none."""
        english = getattr(self, "help", "") or ""
        return translated(t, f"{self.path}.help", english) if english else ""


def translated(t: Any, path: str, english: str) -> str:
    """The text at a dotted path of the configuration in the language of `t`, or the English one."""
    return t.label(path, english) if t is not None else english


@dataclass(slots=True)
class Source:
    """Where in the YAML something was said (file as given to `load`, line and column from 1)."""

    file: str = ""
    line: int = 1
    column: int = 1


@dataclass
class ListView:
    """How an entity's records are listed: `columns` and `sort` (`-amount` = downwards) by field key or `link.field`.

    `filters` are the ready-made views of the list, by name: label and condition (an `Expression`).
    """

    columns: list[str] = fresh(default_factory=list)
    sort: list[str] = fresh(default_factory=list)
    filters: dict[str, Filter] = fresh(default_factory=dict)


@dataclass
class Filter(Labelled):
    """A ready-made view of a list: `mine: owner == me`."""

    name: str
    label: str
    where: Any  # Expression
    path: str = ""
    sort: list[str] = fresh(default_factory=list)  # its own order; the list's otherwise


@dataclass
class Check:
    """A rule over one record: when `that` is not true the record is refused with `say`, shown beside `field` (or None)."""

    that: Any  # Expression
    say: str
    field: str | None = None
    path: str = ""

    def say_in(self, t: Any = None) -> str:
        """What the user is told, in the language of `t`."""
        return translated(t, self.path, self.say)


@dataclass
class Rule:
    """One row of a field's `rule:`: `value` (an option, or the text of an expression; None empties) when `when` holds (None: always)."""

    when: Any  # Expression
    value: str | None


@dataclass
class Fit:
    """One comparison of a link's `match:`: `value` of this record with fields over there, `{in|starts|from|to: field key}`."""

    value: Any  # Expression
    keys: dict[str, str] = fresh(default_factory=dict)


@dataclass
class Tree:
    """An entity whose records lie below each other: `by` is the link to the one above; `figures` are shown on each branch."""

    by: str
    figures: Keys = fresh(default_factory=Keys)


@dataclass
class Relation:
    """An entity whose records say how two others stand to each other: `one` and `other` are its links, `word` the choice between
    them. An option's `back` is the word read from the other end ("is supplied by")."""

    one: str
    other: str
    word: str


@dataclass
class Centre:
    """Who decides here: `people` a links field, `role` its column that says who does what, `wants` the roles that must not lack."""

    people: str
    role: str
    wants: Keys = fresh(default_factory=Keys)


@dataclass
class Statement(Labelled):
    """A sum told on the record page: `plus` and `minus` are fields, `total` what comes out, `also` figures that follow from it."""

    key: str
    label: str
    plus: Keys = fresh(default_factory=Keys)
    minus: Keys = fresh(default_factory=Keys)
    total: str | None = None
    also: Keys = fresh(default_factory=Keys)
    path: str = ""


@dataclass
class Goal:
    """What is promised: minutes of working time to `respond` and to `resolve` when `when` holds; `always`: the clock never rests."""

    when: Any = None  # Expression
    respond: int | None = None
    resolve: int | None = None
    always: bool = False


Goals = list[Goal]


@dataclass
class Service(Labelled):
    """Promises over an entity's records (H10): `fields` by role (opened respond_by responded resolve_by resolved waited waiting_since),
    `hours` per weekday as minutes of the day, `holidays` {place: days}, `waiting` stops the clock."""

    name: str
    label: str
    entity: str
    fields: dict[str, str] = fresh(default_factory=dict)
    hours: Hours = fresh(default_factory=lambda: [[] for _ in range(7)])
    holidays: dict[str, frozenset[str]] = fresh(default_factory=dict)  # days as 2026-12-24, or 12-24 for every year
    place: Any = None  # Expression
    waiting: Any = None  # Expression
    done: Any = None  # Expression
    goals: Goals = fresh(default_factory=list)
    help: str = ""
    module: str | None = None
    path: str = ""
    source: Source = fresh(default_factory=Source)


@dataclass
class ClassRule(Labelled):
    """Records of an entity ranked by `by` and cut into classes, kept in `field` (A4).

    `cut` is `shares` (of the sum of `by`: those that make up the first 80 %) or `parts` (of the number of records); `edges` are the
    upper edges `{option: 0 to 1}` in the order of the YAML. Records outside `where` have `otherwise` (None: nothing).
    """

    name: str
    label: str
    entity: str
    field: str
    by: str
    cut: str = "shares"
    edges: dict[str, Decimal] = fresh(default_factory=dict)
    where: Any = None  # Expression
    otherwise: str | None = None
    help: str = ""
    module: str | None = None
    path: str = ""
    source: Source = fresh(default_factory=Source)


@dataclass
class Duplicates:
    """Records are suspected to be the same when `same` fields agree, or `like` is at least `over` (0 to 1) alike."""

    same: list[str] = fresh(default_factory=list)
    like: str | None = None
    over: float = 0.9


#: A form: group label → rows → field keys side by side.
Form = dict[str, list[list[str]]]


Hours = list[list[tuple[int, int]]]
Checks = list[Check]
Twins = list[Duplicates]
Indexes = list[list[str]]


@dataclass
class Kind(Labelled):
    """One kind of an entity's records (A1: customer, partner, competitor …), by the value of the entity's kind field.

    `show` are the fields only these kinds have; `form` and `list` are None where the entity's own serve.
    """

    key: str
    label: str
    plural: str
    icon: str
    show: Keys = fresh(default_factory=list)
    form: Form | None = None
    list: ListView | None = None
    path: str = ""

    def plural_in(self, t: Any = None) -> str:
        return translated(t, f"{self.path}.plural", self.plural)


@dataclass
class Kinds:
    """The kinds of an entity: `field` decides (a choice or choices field), `of` is {value: Kind}."""

    field: str
    of: dict[str, Kind]


@dataclass
class Timeline:
    """Makes an entity's records events in the timeline of whatever they link to.

    `on`, `text`, `result`, `who` are field keys; `kind` is a field key (`kind_is_field`) or a constant; `title` a template.
    """

    on: str
    kind: str = ""
    kind_is_field: bool = False
    title: str = ""
    text: str | None = None
    result: str | None = None
    who: str | None = None
    icon: str = ""


@dataclass
class NextStep:
    """What is agreed next about a record (B7): `on` the field with its day, `text` the one with its words; `open` (an `Expression`, None
    for all) which records need one, `missing` those of them without one, `late` those whose day has passed."""

    on: str
    text: str | None = None
    open: Any = None
    missing: Any = None
    late: Any = None


@dataclass
class Board:
    """Records as cards in columns, one for each option of the choice field `by`. In the columns `ended` only the newest stand; `amount`
    is summed, `next` is the day a card shows."""

    by: str
    ended: Keys = fresh(default_factory=Keys)
    amount: str | None = None
    next: str | None = None


@dataclass
class Remember:
    """A new record begins with `fields` of the last one its user made: the last that agrees in `like`, fewer of them where none does."""

    fields: Keys = fresh(default_factory=Keys)
    like: Keys = fresh(default_factory=Keys)


@dataclass
class Entity(Labelled):
    """A kind of record: account, contact … `fields` are `crm.fields.Field` objects by key, the system's own included."""

    name: str
    label: str
    plural: str
    icon: str = "description"
    title: str = "{id}"  # template over field keys: how a record is called
    subtitle: str = ""  # template: the second line below the title
    help: str = ""
    owner: str | None = None  # field key: what "own" means for roles
    fields: dict[str, Any] = fresh(default_factory=dict)
    checks: Checks = fresh(default_factory=Checks)
    duplicates: Twins = fresh(default_factory=Twins)
    form: Form = fresh(default_factory=dict)
    list: ListView = fresh(default_factory=ListView)
    quick: Keys = fresh(default_factory=Keys)  # quick add asks these
    facts: dict[str, Keys] = fresh(default_factory=dict)  # left column of the record page: group → fields
    related: Keys = fresh(default_factory=Keys)  # back lists shown on the record page
    kinds: Kinds | None = None
    timeline: Timeline | None = None
    remember: Remember | None = None
    card: dict[str, str] = fresh(default_factory=dict)  # what of a business card (name, job, company, email …) goes into which field
    tree: Tree | None = None
    relation: Relation | None = None
    centre: Centre | None = None
    statements: dict[str, Statement] = fresh(default_factory=dict)
    service: Service | None = None
    indexes: Indexes = fresh(default_factory=Indexes)
    approvals: Sequence[Approval] = ()
    back: dict[str, tuple[str, str]] = fresh(default_factory=dict)  # list name → (entity, link field there)
    pipelines: Keys = fresh(default_factory=Keys)  # names of the pipelines of this entity
    next: NextStep | None = None
    board: Board | None = None  # of entities without a pipeline
    stage_field: str | None = None
    pipeline_field: str | None = None
    module: str | None = None
    was: Keys = fresh(default_factory=Keys)  # former names
    path: str = ""
    source: Source = fresh(default_factory=Source)
    scope: Any = None  # what an expression over this entity may name
    schema: Schema | None = fresh(default=None, repr=False, compare=False)

    def plural_in(self, t: Any = None) -> str:
        return translated(t, f"{self.path}.plural", self.plural)

    @property
    def own_fields(self) -> dict[str, Any]:
        """The fields of the YAML, without the system's own."""
        return {key: one for key, one in self.fields.items() if not getattr(one, "system", False)}

    @property
    def searchable(self) -> Keys:
        """Field keys whose text goes into the full-text index."""
        return [key for key, one in self.fields.items() if getattr(one, "search", False)]

    def role(self, name: str, record: Mapping[str, Any] | None = None) -> str | None:
        """The field key that plays a role (`amount`, `close`, `owner`, `next`, `stage`), or None.

        Pipelines say which field is which; with `record` the pipeline of that record does, else the first one that knows.
        """
        if name == "owner" and self.owner:
            return self.owner
        if name == "stage":
            return self.stage_field
        if self.schema is None:
            return None
        found = self.schema.pipeline_of(self.name, record) if record is not None else None
        if found is not None and name in found.fields:
            return found.fields[name]
        for pipeline in self.pipelines:
            roles = self.schema.pipelines[pipeline].fields
            if name in roles:
                return roles[name]
        if self.next is not None and name in ("next", "next_text"):
            return self.next.on if name == "next" else self.next.text
        return None

    def kind_of(self, record: Mapping[str, Any]) -> Kind | None:
        """The kind of one record (the first one where a record is of several), None where the entity has no kinds."""
        kinds = self.kinds_of(record)
        return kinds[0] if kinds else None

    def kinds_of(self, record: Mapping[str, Any]) -> Sequence[Kind]:
        """All kinds of one record."""
        if self.kinds is None:
            return []
        value = record.get(self.kinds.field)
        values = value if isinstance(value, (list, tuple)) else [value]
        return [self.kinds.of[one] for one in values if one in self.kinds.of]

    def fields_of(self, record: Mapping[str, Any] | None = None) -> Keys:
        """The field keys a record of this kind has: all but those that belong to other kinds only (A1)."""
        if self.kinds is None or record is None:
            return [*self.fields]
        special = {key for kind in self.kinds.of.values() for key in kind.show}
        mine = {key for kind in self.kinds_of(record) for key in kind.show}
        return [key for key in self.fields if key not in special or key in mine]

    def form_of(self, record: Mapping[str, Any] | None = None) -> Form:
        """The form for a record of this kind: the entity's with the groups of the kind's form after it (a field stands once, where the
        kind puts it), or with the kind's fields in a last group."""
        kind = self.kind_of(record) if record is not None else None
        if kind is None:
            special = {key for one in (self.kinds.of.values() if self.kinds else ()) for key in one.show}
            return without(self.form, special) if special else self.form
        assert record is not None
        mine = set(self.fields_of(record))
        if kind.form is not None:
            placed = {key for rows in kind.form.values() for row in rows for key in row}
            base = without(self.form, (set(self.fields) - mine) | placed)
            return {**base, **{label: [*base.get(label, []), *rows] for label, rows in kind.form.items()}}
        form = without(self.form, set(self.fields) - mine)
        shown = {key for rows in form.values() for row in rows for key in row}
        missing = [key for key in kind.show if key not in shown]
        return {**form, kind.label: [*form.get(kind.label, []), *([key] for key in missing)]} if missing else form

    def list_of(self, kind: str | None = None) -> ListView:
        """The list of one kind, or of the entity."""
        one = self.kinds.of.get(kind) if self.kinds and kind else None
        return one.list if one is not None and one.list is not None else self.list


def without(form: Form, keys: set[str]) -> Form:
    """A form without some fields, empty rows and groups gone."""
    result: Form = {}
    for group, rows in form.items():
        kept = [left for row in rows if (left := [key for key in row if key not in keys])]
        if kept:
            result[group] = kept
    return result


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
class Pipeline(Labelled):
    """The stages an entity's records go through; `fields` says which field plays which role (stage, amount, close, owner, next)."""

    name: str
    label: str
    entity: str
    fields: dict[str, str] = fresh(default_factory=dict)
    stages: dict[str, Stage] = fresh(default_factory=dict)
    moves: Moves = fresh(default_factory=Moves)
    begin: str = "earlier"  # what a record made in a later stage must meet: see `crm.records.gates.entered`
    approvals: list[Approval] = fresh(default_factory=list)
    when: Any = None  # Expression: which records take this pipeline when none is chosen
    help: str = ""
    module: str | None = None
    was: list[str] = fresh(default_factory=list)
    path: str = ""
    source: Source = fresh(default_factory=Source)

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


@dataclass
class Rights:
    """What a role may do with the records of one entity.

    Each act is `none`, `own`, `team`, `all` or an `Expression` over the record. `create` is `none` or `all`.
    `hide` and `read_only` are field keys.
    """

    see: Any = "none"
    create: Any = "none"
    change: Any = "none"
    delete: Any = "none"
    export: Any = "none"
    hide: list[str] = fresh(default_factory=list)
    read_only: list[str] = fresh(default_factory=list)
    source: Source = fresh(default_factory=Source)


#: Nothing at all: what an entity that a role does not name gives it.
NOTHING = Rights()
EVERYTHING = Rights("all", "all", "all", "all", "all")


@dataclass
class Role(Labelled):
    """What the users of one role may do; `rights` by entity name, `*` for those not named. `home` = a dashboard's name."""

    name: str
    label: str
    rights: dict[str, Rights] = fresh(default_factory=dict)
    home: str | None = None
    admin: bool = False
    modules: list[str] | None = None  # the modules it sees; None = all
    help: str = ""
    was: list[str] = fresh(default_factory=list)
    path: str = ""
    source: Source = fresh(default_factory=Source)

    def of(self, entity: str) -> Rights:
        """The rights over one entity: the named ones, else those of `*`, else nothing. An admin has all of them."""
        found = self.rights.get(entity, self.rights.get("*"))
        if found is not None:
            return found
        return EVERYTHING if self.admin else NOTHING


@dataclass
class Axis(Labelled):
    """One axis of a report: a field path, for dates cut in `unit`s of time.

    `classes` cut a number into classes by their lower bounds; `level` takes, for a link into a tree, what stands so far below its top;
    `first` groups a link by the period of the first date (`first`, where `where`) among the records with the same link: a cohort.
    """

    key: str
    label: str
    field: str  # dotted path
    unit: str | None = None
    kind: str = "text"
    path: str = ""
    classes: list[Decimal] = fresh(default_factory=list)
    level: int | None = None
    first: str | None = None  # field path of a date
    where: Any = None  # Expression


@dataclass
class Measure(Labelled):
    """One figure of a report: an aggregate (`how` of `field` or `value`, where `where`), `share` or `running` of another measure over
    the rows, `survival`, or a `formula` over the other measures."""

    key: str
    label: str
    how: str | None = None  # one of AGGREGATES or OVER, survival; None for a formula
    field: str | None = None  # dotted path; None for count
    value: Any = None  # Expression over the record instead of a field; of a rate: the condition
    at: float | None = None  # which quantile
    order: str | None = None  # the date by which first and last are meant, a dotted path; without it the order of entry
    of: str | None = None  # which other measure is shared out or summed up
    currency: str | None = None  # the choice field that says the currency of an amount
    rated: str | None = None  # the date whose rate turns it into the company's currency
    span: Survival | None = None
    where: Any = None  # Expression
    formula: Any = None  # Expression over the measures' names
    kind: str = "number"  # number, integer, money, percent, duration, date, datetime
    path: str = ""


@dataclass
class Survival:
    """How long something lasts, also where it is not over yet: from `start` to `end`, over where `ended` holds, else still running."""

    start: str  # dotted paths of dates
    end: str
    ended: Any = None  # Expression


@dataclass
class Stays:
    """Rows of a report that are stays of records in a stage or an option: by a `field` of the report's entity, or, where its records
    are the events themselves, by `of` whom, `what` begins, and `on` which date."""

    field: str = ""
    of: str = ""
    what: str = ""
    on: str = ""


@dataclass
class Chart:
    """How a report is drawn: the chart's name and what lies on its axes ({axis: name of an axis or measure})."""

    name: str = "table"
    axes: dict[str, Any] = fresh(default_factory=dict)
    options: dict[str, Any] = fresh(default_factory=dict)


@dataclass
class Report(Labelled):
    """A question about an entity's records (or their `stays` in stages): `where`, cut `by` axes, `measures`."""

    name: str
    label: str
    entity: str
    where: Any = None  # Expression
    stays: Stays | None = None
    span: str | None = None  # only the running month, quarter, fiscal_year … of `period`, or so many last days: 90d
    by: list[Axis] = fresh(default_factory=list)
    measures: dict[str, Measure] = fresh(default_factory=dict)
    compare: str | None = None  # previous, last_year, goal
    goals: dict[str, str | None] = fresh(default_factory=dict)  # measure → what its goals are about (None: what `goals:` of crm.yaml says)
    period: str | None = None  # field path the comparison shifts: a date
    analysis: str | None = None  # the rows are worked out by this analysis, with `options`, and have these `columns`: {key: role and kind}
    options: dict[str, Any] = fresh(default_factory=dict)
    columns: dict[str, str] = fresh(default_factory=dict)
    reads: list[tuple[str, str]] = fresh(default_factory=list)  # (entity, path) of all that the options name
    chart: Chart = fresh(default_factory=Chart)
    sort: list[str] = fresh(default_factory=list)
    limit: int | None = None
    target: float | None = None
    green: float | None = None
    amber: float | None = None
    help: str = ""
    module: str | None = None
    path: str = ""
    source: Source = fresh(default_factory=Source)

    @property
    def dimensions(self) -> list[str]:
        """The keys of what its rows are cut by."""
        return [key for key, one in self.columns.items() if one.startswith("dimension")] if self.analysis else [one.key for one in self.by]

    @property
    def figures(self) -> list[str]:
        """The keys of its figures."""
        if self.analysis:
            return [key for key, one in self.columns.items() if one.startswith("measure")]
        beside = [f"{key}_{word}" for key in self.goals for word in ("goal", *(["due"] if self.span else []), "reached")]
        return [*self.measures, *beside]

    def option_in(self, t: Any, path: str, english: str) -> str:
        """A text of its options (`facts.calls.label`) in the language of `t`."""
        return translated(t, f"{self.path}.options.{path}", english)


@dataclass
class Spend:
    """What money for campaigns does: records linked by `campaign` become more by `elasticity` percent for each percent more money."""

    campaign: str
    elasticity: Decimal = Decimal("0.4")


@dataclass
class Forecast(Labelled):
    """What the records of `pipelines` will bring in the next `months`, cut `by` axes; `back` months are replayed to see how good it is.

    `ramp` are the months until somebody new brings what the others do; `shrink` how many records' worth of the common experience stands
    beside each person's own (None: learned); `source_path` the field by whose values the record is also shown.
    """

    name: str
    label: str
    entity: str
    pipelines: list[str] = fresh(default_factory=list)
    where: Any = None  # Expression
    months: int = 6
    by: list[Axis] = fresh(default_factory=list)
    source_path: str | None = None
    back: int = 12
    runs: int = 10_000
    ramp: int = 6
    shrink: int | None = None
    spend: Spend | None = None
    help: str = ""
    module: str | None = None
    path: str = ""
    source: Source = fresh(default_factory=Source)


@dataclass
class KpiPart:
    """One figure a KPI is made of: a measure of a report without axes, in the period its date `on` lies in (None: as it is now)."""

    report: Report
    measure: str
    on: str | None
    kind: str


@dataclass
class Kpi(Labelled):
    """A figure by period: `formula` over its `parts` and `others` (names of KPIs), or its only part.

    `target` is a fixed one; `goals` an option of what goals are about, whose sum is the target; `pace`: the target of the running period
    is due by and by. `green` and `amber` are figures, of goals and with `pace` parts of what is due; `lower`: less is better.
    """

    name: str
    label: str
    parts: dict[str, KpiPart] = fresh(default_factory=dict)
    others: list[str] = fresh(default_factory=list)
    formula: Any = None  # Expression
    kind: str = "number"
    period: str = "month"
    trend: int = 12
    target: Decimal | None = None
    goals: str | None = None
    pace: bool = False
    green: Decimal | None = None
    amber: Decimal | None = None
    lower: bool = False
    owner: str | None = None  # a role
    report: Any = None  # the Report it is told as
    help: str = ""
    module: str | None = None
    path: str = ""
    source: Source = fresh(default_factory=Source)


@dataclass
class Card(Labelled):
    """One card of a dashboard: `kind` report, list, board, kpi, part or text; `name` what it shows; `width` of 12 columns."""

    kind: str
    name: str
    label: str = ""
    view: str | None = None  # a list's filter
    where: Any = None  # Expression text for a list
    limit: int = 10
    width: int | None = None
    path: str = ""


@dataclass
class Dashboard(Labelled):
    """Rows of cards; `roles` (YAML `for:`) are the roles it is for, empty = everyone."""

    name: str
    label: str
    rows: list[list[Card]] = fresh(default_factory=list)
    roles: list[str] = fresh(default_factory=list)
    icon: str = "dashboard"
    help: str = ""
    module: str | None = None
    path: str = ""
    source: Source = fresh(default_factory=Source)


@dataclass
class Target:
    """Where the value of a column goes.

    `field` a field key, `part` of an address or name (`city`); `find` the field of the linked entity that holds the value;
    `values` {text in the file: typed value}; `otherwise` what to do with a value not found: `reject` the row, leave it
    `empty`, `keep` it as it is, or another `Target` that takes it. `entity` narrows links with several targets.
    """

    field: str
    part: str | None = None
    find: str | None = None
    values: dict[str, str] = fresh(default_factory=dict)
    otherwise: str | Target = "reject"
    format: str | None = None
    source: Source = fresh(default_factory=Source)


@dataclass
class ImportMap:
    """How a file becomes records of an entity: `columns` {column of the file: targets}.

    `match` are the fields that say a record is already there; `constants` {field: typed value}; `skip` {column: texts
    that leave a row out}; `gates` `check` or `skip`; `ignore` columns known and left out.
    """

    name: str
    label: str
    entity: str
    file: str | None = None
    columns: dict[str, list[Target]] = fresh(default_factory=dict)
    match: list[str] = fresh(default_factory=list)
    constants: dict[str, str] = fresh(default_factory=dict)
    defaults: dict[str, str] = fresh(default_factory=dict)
    skip: dict[str, list[str]] = fresh(default_factory=dict)
    ignore: list[str] = fresh(default_factory=list)
    gates: str = "check"
    dates: str = "auto"
    decimal: str = "auto"
    encoding: str | None = None
    delimiter: str | None = None
    help: str = ""
    path: str = ""
    source: Source = fresh(default_factory=Source)


@dataclass
class Offset:
    """A moment beside another: `days` after the step `after` (`start` = the campaign's start; may be negative)."""

    after: str = "start"
    days: int = 0


@dataclass
class CampaignStep(Labelled):
    """A planning task or an activity of a campaign type."""

    key: str
    label: str
    when: Offset = fresh(default_factory=Offset)
    kind: str | None = None  # value of the activity entity's kind field
    text: str = ""
    role: str | None = None  # who does it
    priority: str | None = None
    budget: Decimal | None = None
    path: str = ""


@dataclass
class CampaignType(Labelled):
    """A kind of campaign: `tasks` to plan it (once), `activities` with everyone on the list, `responses` that are counted."""

    name: str
    label: str
    tasks: dict[str, CampaignStep] = fresh(default_factory=dict)
    activities: dict[str, CampaignStep] = fresh(default_factory=dict)
    responses: dict[str, Response] = fresh(default_factory=dict)
    budget: Decimal | None = None
    icon: str = "campaign"
    help: str = ""
    module: str | None = None
    path: str = ""
    source: Source = fresh(default_factory=Source)


@dataclass
class Response(Labelled):
    """A way to answer a campaign; `good` ones count as interest."""

    key: str
    label: str
    good: bool = False
    path: str = ""


@dataclass
class Trigger:
    """When an automation begins. `kind` created, changed, stage (all in the transaction of the write), date, silence, schedule (by the
    worker). `fields` whose change counts (none: any), `stages` as (pipeline or None, stage); `field` and `offset` (a Period) of dates
    and silences, `field` None = the newest activity; `at` the time of day; `every` day, week or month `on` a day (1 to 7, 1 to 31,
    0 = the last)."""

    kind: str
    fields: Keys = fresh(default_factory=Keys)
    stages: list[tuple[str | None, str]] = fresh(default_factory=list)
    field: str | None = None
    offset: Any = None
    at: time | None = None
    every: str | None = None
    on: int | None = None

    @property
    def live(self) -> bool:
        """Whether it is seen in the transaction of the write itself."""
        return self.kind in ("created", "changed", "stage")


@dataclass
class Given:
    """The value an automation gives a field: a `typed` one (a text may hold `{fields}`: `template`), an `expression`, or the `record`
    itself."""

    field: str
    typed: Any = None
    template: bool = False
    expression: Any = None
    record: bool = False


@dataclass
class Effect:
    """One thing an automation does. `do` set, create, assign, notify, mail, webhook or approve; `what` the entity, the template, the
    address or the assignment rule; `of` the link whose record is set; `to` expressions and role names; `secret` the environment
    variable that holds a webhook's key."""

    do: str
    what: str | None = None
    values: list[Given] = fresh(default_factory=list)
    of: str | None = None
    to: list[Any] = fresh(default_factory=list)  # Expression, or the name of a role
    text: str = ""
    secret: str | None = None
    send: Keys = fresh(default_factory=Keys)
    path: str = ""

    def text_in(self, t: Any = None) -> str:
        """Its text in the language of `t`."""
        return translated(t, f"{self.path}.text", self.text)


@dataclass
class Automation(Labelled):
    """`when` (any of several) `if` `then` over the records of `entity`; `on_import`: also when records come in a file."""

    name: str
    label: str
    entity: str
    when: list[Trigger] = fresh(default_factory=list)
    condition: Any = None  # Expression
    then: list[Effect] = fresh(default_factory=list)
    on_import: bool = False
    off: bool = False
    help: str = ""
    module: str | None = None
    path: str = ""
    source: Source = fresh(default_factory=Source)


@dataclass
class Link:
    """One entry of the navigation: `view` list, board, dashboard, report, calendar, home, admin …; `name` of what it shows."""

    view: str
    name: str | None = None
    label: str = ""
    filter: str | None = None
    icon: str = ""


@dataclass
class Group(Labelled):
    """A group of the navigation."""

    key: str
    label: str
    links: list[Link] = fresh(default_factory=list)
    icon: str = ""
    path: str = ""


@dataclass
class Subject(Labelled):
    """A shelf of the catalogue of reports: the names of what stands on it, in order."""

    key: str
    label: str
    icon: str = "insights"
    reports: list[str] = fresh(default_factory=list)
    path: str = ""


@dataclass
class UserRoles:
    """Which entity holds the users, and which of its fields is what."""

    entity: str
    name: str = "name"
    login: str = "login"
    email: str | None = None
    role: str = "role"
    team: str | None = None
    language: str | None = None
    active: str | None = None


@dataclass
class TeamRoles:
    """Which entity holds the teams; `parent` links a team to the one above, `head` to the user who leads it."""

    entity: str
    name: str = "name"
    parent: str | None = None
    head: str | None = None


@dataclass
class ActivityRoles:
    """Which entity holds what users do with customers, and which of its fields is what; `kinds` = {kind: icon}."""

    entity: str
    subject: str
    due: str
    done: str
    kind: str | None = None
    text: str | None = None
    result: str | None = None
    owner: str | None = None
    duration: str | None = None
    priority: str | None = None
    kinds: dict[str, str] = fresh(default_factory=dict)
    repeat: str | None = None  # how often it is done again, its options by `rhythms`
    repeat_every: str | None = None  # every how many of them
    repeat_until: str | None = None
    rhythms: dict[str, str] = fresh(default_factory=dict)  # option → daily, weekly, monthly, yearly


@dataclass
class CampaignRoles:
    """Which entities hold campaigns, marketing lists and responses; the rest are field keys by role."""

    entity: str
    fields: dict[str, str] = fresh(default_factory=dict)  # name type start end budget cost list owner status
    members: dict[str, str] = fresh(default_factory=dict)  # entity, campaign, response, on, + a link field per target entity
    lists: dict[str, str] = fresh(default_factory=dict)  # entity, name, for, living, where, members


@dataclass
class GoalRoles:
    """Which entity holds goals, and which of its fields is what: `target` is to be reached from the day `start` to the day `end`.

    `where` says which of them are about what the pipeline brings in; a goal without an owner is its team's. `measure` is the choice that
    says what is to be reached, `of` are links to what else a goal may be for: a territory, a product.
    """

    entity: str
    target: str
    start: str
    end: str
    owner: str | None = None
    team: str | None = None
    where: Any = None
    measure: str | None = None
    of: Keys = fresh(default_factory=Keys)


@dataclass
class AdjustmentRoles:
    """Which entity holds what managers add to a forecast, and which of its fields is what: `amount` more or less in the `month` a date
    lies in, of the figures of `who` (empty: of all), on the figure that `category` says (`categories`: {option: one of CATEGORIES};
    empty: the total)."""

    entity: str
    month: str
    amount: str
    who: str | None = None
    category: str | None = None
    forecast: str | None = None  # the forecast's name, where there are several
    note: str | None = None
    categories: dict[str, str] = fresh(default_factory=dict)


@dataclass
class ScenarioRoles:
    """Which entity holds the scenarios of what-if, and which of its fields is what; `levers` = {one of LEVERS: field}."""

    entity: str
    name: str
    levers: dict[str, str] = fresh(default_factory=dict)
    forecast: str | None = None
    note: str | None = None
    owner: str | None = None


@dataclass
class ApprovalRoles:
    """Which entity holds requests for approval, and which of its fields is what; `states` = {pending, granted, refused, void: its option}.

    The records asked about are linked by whatever link fields the entity has.
    """

    entity: str
    subject: str
    status: str
    rule: str
    terms: str
    asked_by: str
    decided_by: str
    reason: str
    why: str | None = None
    by: str | None = None
    asked_on: str | None = None
    approver: str | None = None
    decided_on: str | None = None
    states: dict[str, str] = fresh(default_factory=dict)


@dataclass
class MailRoles:
    """`mail:` of crm.yaml: who mails come from and the address under which people reach the CRM."""

    sender: str = ""
    address: str = ""


@dataclass
class MailTemplate(Labelled):
    """A mail ready to be written: `subject`, `text` and `html` are Jinja templates over the fields of `entity` (None: over none)."""

    name: str
    label: str
    entity: str | None = None
    subject: str = ""
    text: str = ""
    html: str = ""
    help: str = ""
    module: str | None = None
    path: str = ""
    source: Source = fresh(default_factory=Source)
    schema: Schema | None = fresh(default=None, repr=False, compare=False)

    def say(self, part: str, language: str | None = None) -> str:
        """The subject, text or html template in a language; the English one where it is not translated."""
        labels = self.schema.labels.get(language or "", {}) if self.schema is not None else {}
        return str(labels.get(f"{self.path}.{part}") or getattr(self, part))


@dataclass
class PackPart:
    """One part of a pack: a report (or KPI) with the heading above it and the note below, or a heading with words of its own.
    `rows` of its table are shown at most: 0 none."""

    report: str | None = None
    heading: str = ""
    note: str = ""
    rows: int = 12
    path: str = ""

    def heading_in(self, t: Any = None) -> str:
        return translated(t, f"{self.path}.heading", self.heading) if self.heading else ""

    def note_in(self, t: Any = None) -> str:
        return translated(t, f"{self.path}.note", self.note) if self.note else ""


@dataclass
class Pack(Labelled):
    """Chosen reports in an order, for a meeting: for `roles` (YAML `for:`) and `people` (sign-ins), sent `every` (triggers of kind schedule) by
    `channels`: mail (with the figures in it), pdf (with the file attached)."""

    name: str
    label: str
    parts: list[PackPart] = fresh(default_factory=list)
    roles: list[str] = fresh(default_factory=list)
    people: list[str] = fresh(default_factory=list)
    every: list[Trigger] = fresh(default_factory=list)
    channels: list[str] = fresh(default_factory=list)
    help: str = ""
    module: str | None = None
    path: str = ""
    source: Source = fresh(default_factory=Source)


@dataclass
class ScoreRule:
    """Points that count when a condition holds, and the reason in words."""

    when: Any  # Expression
    points: int
    say: str
    path: str = ""

    def say_in(self, t: Any = None) -> str:
        return translated(t, self.path, self.say)


@dataclass
class ScoreModel:
    """What a score learns from: records that ended `good` or `bad`, by `features` (field paths) as they were when made."""

    good: Any  # Expression
    bad: Any  # Expression
    features: list[str] = fresh(default_factory=list)
    at_least: int = 150


@dataclass
class Score(Labelled):
    """How promising records of an entity are: `field` holds 0 to 100, `rating` the option whose lower end (`levels`) it has reached."""

    name: str
    label: str
    entity: str
    field: str
    rating: str | None = None
    levels: dict[str, int] = fresh(default_factory=dict)  # option → from which score on, the highest first
    start: int = 0
    rules: list[ScoreRule] = fresh(default_factory=list)
    model: ScoreModel | None = None
    help: str = ""
    hash: str = ""  # the same exactly when what it says is
    path: str = ""
    source: Source = fresh(default_factory=Source)


@dataclass
class Among:
    """People by role and by team (names of teams); empty means everybody."""

    roles: list[str] = fresh(default_factory=list)
    teams: list[str] = fresh(default_factory=list)


@dataclass
class AssignmentRule:
    """To whom a record goes: a `user` (login), the user at the end of `link.field`, users that `match`, or anybody among the people."""

    when: Any = None  # Expression
    user: str | None = None
    link: str | None = None  # field of the record that links to …
    manager: str | None = None  # … the record whose field this is; None: `link` is the user
    up: str | None = None  # link of that record to the one above it
    match: dict[str, str] = fresh(default_factory=dict)  # field of the record → field of the user
    by: str = "least_load"
    among: Among = fresh(default_factory=Among)


@dataclass
class Assignment(Labelled):
    """How records of an entity reach people: a `pool`, a cap by person, rules."""

    name: str
    label: str
    entity: str
    owner: str
    pool: Any  # Expression
    counts: Any = None  # Expression; None: all
    cap: int | None = None  # of those whom nothing else caps
    cap_field: str | None = None  # field of the user
    cap_roles: dict[str, int] = fresh(default_factory=dict)
    among: Among = fresh(default_factory=Among)
    best: list[str] = fresh(default_factory=list)
    rules: list[AssignmentRule] = fresh(default_factory=list)
    automatic: Any = False  # True, False or an Expression
    help: str = ""
    path: str = ""
    source: Source = fresh(default_factory=Source)


@dataclass
class Filling:
    """What a record is filled with: `set` {field: Expression over the record converted}, `values` {field: as typed}, `links` {field: name}."""

    set: dict[str, Any] = fresh(default_factory=dict)
    values: dict[str, Any] = fresh(default_factory=dict)
    links: dict[str, str] = fresh(default_factory=dict)


@dataclass
class Finding:
    """How a record that is there already is found: by a `link`, by fields that are the `same`, by one that is `like` (at least `over`)."""

    link: str | None = None
    same: dict[str, Any] = fresh(default_factory=dict)  # field there → Expression here
    like: dict[str, Any] = fresh(default_factory=dict)
    over: float = 0.88


@dataclass
class ConversionTarget(Labelled):
    """One record that another is converted into."""

    name: str
    label: str
    entity: str
    match: list[Finding] = fresh(default_factory=list)
    fill: Filling = fresh(default_factory=Filling)
    optional: bool = False
    ask: list[str] = fresh(default_factory=list)
    path: str = ""


@dataclass
class Conversion(Labelled):
    """What records of an entity become: `into` in order, `mark` on the record itself, `carry` the lists that go along."""

    name: str
    label: str
    entity: str
    when: Any = None  # Expression
    into: dict[str, ConversionTarget] = fresh(default_factory=dict)
    mark: Filling = fresh(default_factory=Filling)
    carry: list[str] = fresh(default_factory=list)
    log: str | None = None  # value of the activity's kind
    help: str = ""
    path: str = ""
    source: Source = fresh(default_factory=Source)


@dataclass
class Schema:
    """A whole configuration, checked. `hash` is the same exactly when the effective configuration is."""

    name: str
    title: str
    folder: Path
    hash: str = ""
    text: str = fresh(default="", repr=False)  # what the hash is of: the merged files as JSON
    layers: list[Path] = fresh(default_factory=list)  # the folders it is made of, the most basic first
    languages: list[str] = fresh(default_factory=lambda: ["en"])
    currency: str = "EUR"
    timezone: str = "UTC"
    country: str | None = None
    first_day: int = 0  # 0 = Monday
    fiscal_start: int = 1  # month
    rates: dict[str, list[tuple[date, Decimal]]] = fresh(default_factory=dict)  # currency → [(from, worth in the base currency)]
    entities: dict[str, Entity] = fresh(default_factory=dict)
    pipelines: dict[str, Pipeline] = fresh(default_factory=dict)
    roles: dict[str, Role] = fresh(default_factory=dict)
    campaigns: dict[str, CampaignType] = fresh(default_factory=dict)
    classes: dict[str, ClassRule] = fresh(default_factory=dict)
    services: dict[str, Service] = fresh(default_factory=dict)
    reports: dict[str, Report] = fresh(default_factory=dict)
    kpis: dict[str, Kpi] = fresh(default_factory=dict)
    forecasts: dict[str, Forecast] = fresh(default_factory=dict)
    dashboards: dict[str, Dashboard] = fresh(default_factory=dict)
    automations: dict[str, Automation] = fresh(default_factory=dict)
    imports: dict[str, ImportMap] = fresh(default_factory=dict)
    mails: dict[str, MailTemplate] = fresh(default_factory=dict)
    packs: dict[str, Pack] = fresh(default_factory=dict)
    mail: MailRoles = fresh(default_factory=MailRoles)
    scores: dict[str, Score] = fresh(default_factory=dict)
    assignments: dict[str, Assignment] = fresh(default_factory=dict)
    conversions: dict[str, Conversion] = fresh(default_factory=dict)
    navigation: list[Group] = fresh(default_factory=list)
    subjects: dict[str, Subject] = fresh(default_factory=dict)
    modules: dict[str, bool] = fresh(default_factory=dict)  # module → switched on
    users: UserRoles | None = None
    teams: TeamRoles | None = None
    activities: ActivityRoles | None = None
    campaign_roles: CampaignRoles | None = None
    approvals: ApprovalRoles | None = None
    goals: GoalRoles | None = None
    forecast_adjustments: AdjustmentRoles | None = None
    scenarios: ScenarioRoles | None = None
    labels: dict[str, dict[str, Any]] = fresh(default_factory=dict)  # language → {dotted path: text}
    catalogues: dict[str, dict[str, Any]] = fresh(default_factory=dict)  # language → {English text of the engine: text or plurals}
    demo: Any = None  # the demo section, as plain data; the demo has its own checker
    warnings: list[Any] = fresh(default_factory=list)  # faults that do not stop it: missing labels
    texts: dict[str, str] = fresh(default_factory=dict)  # dotted path → English text of everything that can be translated
    files: list[Path] = fresh(default_factory=list)  # every file it was read from

    @property
    def language(self) -> str:
        """The language of those who have not chosen one."""
        return self.languages[0] if self.languages else "en"

    def pipeline_of(self, entity: str, record: Mapping[str, Any] | None = None) -> Pipeline | None:
        """The pipeline a record is in: by its pipeline field, else the entity's only (or first) one; None without any."""
        one = self.entities[entity]
        if record is not None and one.pipeline_field:
            chosen = record.get(one.pipeline_field)
            if chosen in one.pipelines:
                return self.pipelines[chosen]
        return self.pipelines[one.pipelines[0]] if one.pipelines else None

    def stage_of(self, entity: str, record: Mapping[str, Any]) -> Stage | None:
        """The stage a record is in, None where it has none or an unknown one."""
        pipeline = self.pipeline_of(entity, record)
        key = self.entities[entity].stage_field
        return pipeline.stages.get(record.get(key) or "") if pipeline and key else None

    def words(self, language: str | None = None) -> Any:
        """The translator of one language (`crm.words.Words`): engine texts, labels, dates, numbers, money."""
        from crm.words import Words

        chosen = language if language in self.languages else self.language
        return Words(chosen, self.catalogues.get(chosen, {}), self.timezone, self.currency, self.labels.get(chosen, {}))

    def links_to(self, entity: str) -> Iterator[tuple[Entity, Any]]:
        """Every (entity, field) that links to `entity`."""
        for one in self.entities.values():
            for field in one.fields.values():
                if field.to == entity and not field.system:
                    yield one, field

    def is_on(self, module: str | None) -> bool:
        """Whether a module is switched on; what belongs to no module always is."""
        return module is None or self.modules.get(module, True)


Hook = Callable[[Schema, Any], list[Any]]
