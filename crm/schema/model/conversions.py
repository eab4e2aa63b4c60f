"""A conversion: what records become."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as fresh
from typing import Any

from crm.schema.model.base import Labelled, Thing


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
class Conversion(Thing):
    """What records of an entity become: `into` in order, `mark` on the record itself, `carry` the lists that go along."""

    entity: str
    when: Any = None  # Expression
    into: dict[str, ConversionTarget] = fresh(default_factory=dict)
    mark: Filling = fresh(default_factory=Filling)
    carry: list[str] = fresh(default_factory=list)
    log: str | None = None  # value of the activity's kind
