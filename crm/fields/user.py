"""A user of the CRM."""

from __future__ import annotations

from typing import Any, ClassVar

from crm.fields.base import FIELD_TYPES, PLAIN, Setting, Shown
from crm.fields.link import Link


def role_entity(schema: Any, role: str) -> str | None:
    """The name of the entity that plays a role in the configuration (`users`, `teams`)."""
    found = getattr(schema, role, None)
    name = found.get("entity") if isinstance(found, dict) else getattr(found, "entity", None)
    return str(name) if name else None


@FIELD_TYPES.add
class User(Link):
    """A person who works with the CRM: a link to the entity that crm.yaml names under `users:`. `default: me` is whoever creates it."""

    name = "user"
    kind = "link"
    settings: ClassVar[dict[str, Setting]] = {
        "back": Setting("text", "What the list of these records is called on the user"),
        "where": Setting("expression", "Which users may be chosen"),
    }
    examples = {"4": 4}
    refuses = {"Anna": "Choose one from the list."}
    example_spec: ClassVar[dict[str, Any]] = {}
    role = "users"

    def bind(self, schema: Any) -> None:
        self.to = role_entity(schema, self.role) or self.to

    def cell(self, value: Any, ctx: Shown = PLAIN) -> Any:
        title = self.display(value, ctx)
        return {"text": title, "who": title} if title else ""
