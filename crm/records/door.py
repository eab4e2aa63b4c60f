"""The one door: everything one user may do, and nothing they may not.

Every way to the data goes through here: screens, command line, API, imports, notebooks. Reading is in `reading.py`, `search.py`,
`timeline.py`, `figures.py`; writing in `writing.py`; history and undo in `past.py`; reasons in `why.py`.
"""

from __future__ import annotations

from typing import Any

from crm.records.why import Explaining


class Door(Explaining):
    """Everything one user may do. Made by `Company.door(actor)`; cheap, and it follows the user's role, team and the configuration."""

    def preference(self, key: str, default: Any = None) -> Any:
        """Something this user set for themselves: columns, saved views, dark mode."""
        kept = self.company.store.meta.get(self._preferences, None) or {}
        return kept.get(key, default)

    def prefer(self, key: str, value: Any) -> None:
        """Remember something for this user; None forgets it."""
        with self.company.store.transaction(actor=self.actor.login):
            kept = dict(self.company.store.meta.get(self._preferences, None) or {})
            if value is None:
                kept.pop(key, None)
            else:
                kept[key] = value
            self.company.store.meta.set(self._preferences, kept)

    @property
    def _preferences(self) -> str:
        return f"preferences.{self.actor.id if self.actor.id is not None else 0}"

    def __repr__(self) -> str:
        return f"<Door of {self._actor.login} ({self._actor.role or 'system'})>"
