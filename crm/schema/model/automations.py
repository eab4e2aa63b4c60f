"""An automation: when, if, then."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as fresh
from datetime import time
from typing import Any

from crm.schema.model.base import Keys, Thing, translated


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
class Automation(Thing):
    """`when` (any of several) `if` `then` over the records of `entity`; `on_import`: also when records come in a file."""

    entity: str
    when: list[Trigger] = fresh(default_factory=list)
    condition: Any = None  # Expression
    then: list[Effect] = fresh(default_factory=list)
    on_import: bool = False
    off: bool = False
