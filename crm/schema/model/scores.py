"""A score: how promising records are."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as fresh
from typing import Any

from crm.schema.model.base import Thing, translated


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
class Score(Thing):
    """How promising records of an entity are: `field` holds 0 to 100, `rating` the option whose lower end (`levels`) it has reached."""

    entity: str
    field: str
    rating: str | None = None
    levels: dict[str, int] = fresh(default_factory=dict)  # option → from which score on, the highest first
    start: int = 0
    rules: list[ScoreRule] = fresh(default_factory=list)
    model: ScoreModel | None = None
    hash: str = ""  # the same exactly when what it says is
