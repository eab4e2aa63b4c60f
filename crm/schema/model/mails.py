"""A mail template."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as fresh
from typing import TYPE_CHECKING

from crm.schema.model.base import Thing

if TYPE_CHECKING:
    from crm.schema.model.schema import Schema


@dataclass
class MailTemplate(Thing):
    """A mail ready to be written: `subject`, `text` and `html` are Jinja templates over the fields of `entity` (None: over none)."""

    entity: str | None = None
    subject: str = ""
    text: str = ""
    html: str = ""
    schema: Schema | None = fresh(default=None, repr=False, compare=False)

    def say(self, part: str, language: str | None = None) -> str:
        """The subject, text or html template in a language; the English one where it is not translated."""
        labels = self.schema.labels.get(language or "", {}) if self.schema is not None else {}
        return str(labels.get(f"{self.path}.{part}") or getattr(self, part))
