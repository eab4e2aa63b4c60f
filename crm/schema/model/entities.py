"""An entity: its fields, forms, lists, kinds, and what its records are to each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as fresh
from typing import TYPE_CHECKING, Any

from crm.schema.model.base import Keys, Labelled, Thing, translated
from crm.schema.model.services import Service

if TYPE_CHECKING:
    from crm.schema.model.pipelines import Approval
    from crm.schema.model.schema import Schema


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
class Listed:
    """Where the cells of a column of lines are looked up: `lines` of the records of `entity` for which `when` holds (None: all), in the
    line with the same `by`, its `take`; among several records the one whose `newest` is the greatest."""

    entity: str
    lines: str
    by: str
    take: str
    when: Any = None  # Expression
    newest: str | None = None


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
class Duplicates:
    """Records are suspected to be the same when `same` fields agree, or `like` is at least `over` (0 to 1) alike."""

    same: list[str] = fresh(default_factory=list)
    like: str | None = None
    over: float = 0.9


#: A form: group label → rows → field keys side by side.
Form = dict[str, list[list[str]]]
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
class Entity(Thing):
    """A kind of record: account, contact … `fields` are `crm.fields.Field` objects by key, the system's own included."""

    plural: str
    icon: str = "description"
    title: str = "{id}"  # template over field keys: how a record is called
    subtitle: str = ""  # template: the second line below the title
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
    was: Keys = fresh(default_factory=Keys)  # former names
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
