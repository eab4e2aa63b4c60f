"""The levers of what-if: how much better, larger, quicker, more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from crm.errors import Refused


@dataclass(frozen=True)
class Levers:
    """What is turned. 1 is as things are: `win_rate=1.1` wins a tenth more of what is decided, `cycle=0.8` decides in four fifths of the
    time; `reps` are people who start now (fewer, when negative) and need the forecast's `ramp` to bring what the others bring."""

    win_rate: float = 1.0
    deal_size: float = 1.0
    cycle: float = 1.0
    arrivals: float = 1.0
    reps: float = 0
    spend: float = 1.0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if name != "reps" and not 0 <= value <= 10:
                raise Refused("A lever lies between 0 and 10 times what is today.")
        if not 0.05 <= self.cycle:
            raise Refused("The cycle cannot be shorter than a twentieth of what it is.")
        if abs(self.reps) > 10_000:
            raise Refused("So many people cannot be hired.")

    @property
    def plain(self) -> bool:
        """Whether nothing is turned."""
        return self == Levers()

    def asdict(self) -> dict[str, float]:
        """`{lever: value}`, as scenarios keep them."""
        return asdict(self)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Levers:
        """Levers from a mapping that may lack some; empty ones are as things are."""
        return cls(**{name: float(values[name]) for name in cls.__dataclass_fields__ if values.get(name) is not None})
