"""What the engine works out of an entity once, for all users: defaults, formulas in order, who depends on whom."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from crm.records.titles import Template
from crm.schema.model import Entity, Schema
from crm.schema.scope import TREE

if TYPE_CHECKING:
    pass

#: The document field that marks a deleted record.
DELETED = "deleted_on"
#: The document field that lists the fields somebody set by hand although a rule gives them.
HAND = "_hand"


def by_hand_of(doc: Mapping[str, Any]) -> Collection[str]:
    """The fields of a document that somebody set by hand although a rule gives them."""
    return doc.get(HAND) or ()


#: Field types whose value is the id of one record.
LINKS_ONE = frozenset({"link", "user", "team"})


@dataclass
class Rollup:
    """A figure kept on one record over the records that link to it: `feeds` are the fields of those that matter."""

    entity: str  # where the figure is kept
    field: Any
    back: str  # list name there
    link: str  # field of the records over there
    feeds: frozenset[str]
    how: str | None = None  # count, sum, min, max when it is one aggregate, so that it can be kept step by step
    path: str | None = None
    where: Any = None  # Expression over the linking records


@dataclass
class Lookup:
    """A formula that reads a linked record: it changes when that record does. `link` is the field there, `keys` what it reads here."""

    entity: str
    field: Any
    link: str
    keys: frozenset[str]


@dataclass
class Shape:
    """One entity, ready to work with."""

    entity: Entity
    literals: list[tuple[Any, Any]] = field(default_factory=list)  # (field, typed default)
    defaults: list[tuple[Any, Any]] = field(default_factory=list)  # (field, expression)
    formulas: list[tuple[Any, Any, frozenset[str]]] = field(default_factory=list)  # in the order they need each other
    required: list[Any] = field(default_factory=list)
    required_when: list[tuple[Any, Any]] = field(default_factory=list)
    unique: list[Any] = field(default_factory=list)
    numbers: list[Any] = field(default_factory=list)
    links: list[Any] = field(default_factory=list)  # one target
    many: list[Any] = field(default_factory=list)  # links
    lines: list[tuple[Any, dict[str, Any]]] = field(default_factory=list)  # lines with link columns
    filling: list[Any] = field(default_factory=list)  # lines with columns that begin with something
    rollups: list[Rollup] = field(default_factory=list)  # kept here
    feeding: list[Rollup] = field(default_factory=list)  # kept elsewhere, fed from here
    matching: list[Any] = field(default_factory=list)  # links that find their record by themselves
    treed: list[Rollup] = field(default_factory=list)  # kept here over the record and all below it
    watched: list[Lookup] = field(default_factory=list)  # formulas elsewhere that read this entity
    daily: frozenset[str] = frozenset()  # formulas and rollups that depend on the day: computed anew every day
    live: frozenset[str] = frozenset()  # formulas that depend on the day: computed when they are read
    title: Template = field(kw_only=True)
    subtitle: Template = field(kw_only=True)
    event: Template = field(kw_only=True)  # what its records are called in timelines
    by_stage: list[tuple[Any, Any]] = field(default_factory=list)  # defaults that follow the stage


def heads(uses: Iterable[str]) -> frozenset[str]:
    """The first words of dotted paths."""
    return frozenset(path.split(".")[0] for path in uses)


def shapes(schema: Schema) -> dict[str, Shape]:
    """All entities of a configuration, with what they mean to each other."""
    made = {name: _one(entity) for name, entity in schema.entities.items()}
    for name, shape in made.items():
        for rollup in _rollups(shape.entity):
            shape.rollups.append(rollup)
            source = shape.entity.back.get(rollup.back)
            if source is not None:
                made[source[0]].feeding.append(rollup)
            elif rollup.back == TREE:
                shape.treed.append(rollup)
        for one in shape.entity.fields.values():
            if one.formula is None:
                continue
            read: dict[str, set[str]] = {}
            for path in one.formula.uses:
                head, _, rest = path.partition(".")
                if rest and head in shape.entity.fields and getattr(shape.entity.fields[head], "to", None):
                    read.setdefault(head, set()).add(rest.split(".")[0])
            for link, keys in read.items() if not one.nightly else ():
                made[shape.entity.fields[link].to].watched.append(Lookup(name, one, link, frozenset(keys)))
    return made


def _one(entity: Entity) -> Shape:
    title = Template(entity.title, entity)
    event = Template(entity.timeline.title, entity) if entity.timeline is not None and entity.timeline.title else title
    shape = Shape(entity, title=title, subtitle=Template(entity.subtitle, entity), event=event)
    for one in entity.fields.values():
        if one.default is not None and one.formula is None and one.rollup is None:
            (shape.defaults if hasattr(one.default, "evaluate") else shape.literals).append((one, one.default))
        if one.required is True:
            shape.required.append(one)
        elif hasattr(one.required, "evaluate"):
            shape.required_when.append((one, one.required))
        if one.unique:
            shape.unique.append(one)
        if one.match:
            shape.matching.append(one)
        if one.name == "autonumber":
            shape.numbers.append(one)
        if one.name == "links":
            shape.many.append(one)
        elif one.name in LINKS_ONE:
            shape.links.append(one)
        elif one.name == "lines":
            columns = {key: column for key, column in (getattr(one, "columns", None) or {}).items() if getattr(column, "to", None)}
            if columns:
                shape.lines.append((one, columns))
            if getattr(one, "filling", None):
                shape.filling.append(one)
    stage = entity.stage_field
    if stage:
        shape.by_stage = [(one, text) for one, text in shape.defaults if stage in heads(text.uses)]
    shape.formulas = _ordered(entity)
    live: set[str] = set()
    for one, formula, uses in shape.formulas:
        if formula.constants & {"today", "now"} or uses & live or str(one.spec.get("live")).lower() == "true":
            live.add(one.key)
    shape.live = frozenset(live)
    rollups = {key for key, one in entity.fields.items() if one.rollup is not None and one.rollup.constants & {"today", "now"}}
    shape.daily = shape.live | rollups | {key for key, one in entity.fields.items() if one.nightly}
    return shape


def _ordered(entity: Entity) -> list[tuple[Any, Any, frozenset[str]]]:
    """The formulas of an entity, each after those it reads; the loader has refused circles."""
    formulas = {key: one for key, one in entity.fields.items() if one.formula is not None}
    done: list[tuple[Any, Any, frozenset[str]]] = []
    seen: set[str] = set()

    def visit(key: str) -> None:
        if key in seen:
            return
        seen.add(key)
        one = formulas[key]
        uses = heads(one.formula.uses)
        for head in uses:
            if head in formulas:
                visit(head)
        done.append((one, one.formula, uses))

    for key in formulas:
        visit(key)
    return done


def _rollups(entity: Entity) -> Iterable[Rollup]:
    from crm.records.derive import aggregate_of

    for one in entity.fields.values():
        if one.rollup is None:
            continue
        reads: dict[str, set[str]] = {}
        for path in one.rollup.uses:
            head, _, rest = path.partition(".")
            if head in entity.back or head not in entity.fields:
                reads.setdefault(head, set())
                if rest:
                    reads[head].add(rest.split(".")[0])
        for back, keys in reads.items():
            if back == TREE and entity.tree is not None:
                link = entity.tree.by
            elif back in entity.back:
                _, link = entity.back[back]
            else:
                continue
            how, path, condition = aggregate_of(one.rollup, back) if len(reads) == 1 else (None, None, None)
            yield Rollup(entity.name, one, back, link, frozenset(keys | {link}), how, path, condition)
