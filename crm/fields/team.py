"""A team of users."""

from __future__ import annotations

from typing import Any, ClassVar

from crm.fields.base import FIELD_TYPES, PLAIN, Setting, Shown
from crm.fields.link import Link
from crm.fields.user import User


@FIELD_TYPES.add
class Team(User):
    """A team of users: a link to the entity that crm.yaml names under `teams:`."""

    name = "team"
    settings: ClassVar[dict[str, Setting]] = {
        "back": Setting("text", "What the list of these records is called on the team"),
        "where": Setting("expression", "Which teams may be chosen"),
    }
    examples = {"2": 2}
    refuses = {"North": "Choose one from the list."}
    role = "teams"

    def cell(self, value: Any, ctx: Shown = PLAIN) -> Any:
        return Link.cell(self, value, ctx)
