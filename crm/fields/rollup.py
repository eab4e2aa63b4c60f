"""Values computed from linked records."""

from __future__ import annotations

from typing import Any, ClassVar

from crm.fields.base import FIELD_TYPES, Setting
from crm.fields.formula import Formula


@FIELD_TYPES.add
class Rollup(Formula):
    """A value computed from the records that link here, by `rollup: max(activities.on)`, kept current by every change of theirs.

    As with `formula`, `last_contact: {type: date, rollup: max(activities.on)}` says the same with the type named.
    """

    name = "rollup"
    settings: ClassVar[dict[str, Setting]] = Formula.settings
    examples = {"12": 12}
    refuses = {"abc": "'abc' is not a number."}
    example_spec: ClassVar[dict[str, Any]] = {"rollup": "1"}

    def setup(self) -> None:
        if self.rollup is None and self.formula is not None:  # either key will do
            self.rollup, self.formula = self.formula, None
