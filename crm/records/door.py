"""The one door: everything one user may do, and nothing they may not.

Every way to the data goes through here: screens, command line, API, imports, notebooks. Reading is in `reading.py`, `search.py`,
`timeline.py`, `figures.py`; writing in `writing.py`; history and undo in `past.py`; reasons in `why.py`; what the company
tells this user in `notices.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rapidfuzz import fuzz
from tinydb.queries import where

from crm.errors import Missing, Refused
from crm.records.feeds import Subscribed
from crm.records.notices import Notified
from crm.records.record import Record
from crm.records.scoring import Reasons, explain
from crm.records.why import Explaining
from crm.schema.model import Duplicates


class Door(Explaining, Notified, Subscribed):
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

    # -- scores

    def score_reasons(self, entity: str, id: int) -> Reasons:
        """Why a record this user may see has its score: lines whose points add up to it, and how it was worked out."""
        return explain(self, entity, id)

    # -- files

    def attach(self, name: str, kind: str, content: bytes) -> dict[str, Any]:
        """Keep the content of a file; what comes back is the value of a file field: `{"name", "type", "size", "blob"}`."""
        self._check()
        return {"name": name, "type": kind, "size": len(content), "blob": self.company.store.blob_put(content)}

    def file(self, entity: str, id: int, field: str, blob: str | None = None) -> tuple[dict[str, Any], bytes]:
        """A file of a record this user may see: `({"name", "type", "size", "blob"}, content)`."""
        record = self.get(entity, id)
        kept = record.stored.get(field) if field in record else None
        for one in kept if isinstance(kept, list) else [kept]:
            if isinstance(one, dict) and one.get("blob") and blob in (None, one["blob"]):
                content = self.company.store.blob_get(one["blob"])
                if content is not None:
                    return one, content
        raise Missing("There is no such file.")

    # -- links

    def choices(self, path: str, text: str = "", limit: int = 12) -> list[Record]:
        """What a link field (`entities.order.fields.buyer`) may lead to by its `where:`, as far as this user sees it: the best hits of a
        text, else what changed last."""
        field = self.company.link_field(path)
        if field is None or not field.to:
            return []
        try:
            return self.list(field.to, field.chosen, find=text, order=() if text else ["-changed_on"], limit=limit)
        except Refused:  # the condition reads what this user may not: it is asked of each, and nothing of it is told
            found = self.list(field.to, find=text, order=() if text else ["-changed_on"], limit=limit * 20)
            return [one for one in found if field.chosen.holds(self.company.env(field.to, one.id, self.company.doc(field.to, one.id), self._actor))][:limit]

    # -- twins

    def duplicates(self, entity: str, values: Mapping[str, Any], id: int | None = None, limit: int = 5) -> list[Record]:
        """Records this user may see that look like the same thing, by the entity's `duplicates:` rules and its unique fields, the likeliest
        first."""
        sight = self.sight(entity)
        draft = self._draft(sight, None, None, values)
        found: dict[int, tuple[float, Record]] = {}
        readable = sight.plan.readable
        unique = [Duplicates(same=[field.key]) for field in self.company.shapes[entity].unique]
        for rule in [*sight.entity.duplicates, *unique]:
            keys = [key for key in rule.same if key in draft.given]
            if (
                rule.same
                and len(keys) == len(rule.same)
                and readable.issuperset(keys)
                and all(draft.doc.get(key) is not None for key in keys)
            ):
                for record in self.list(entity, [where(key) == draft.doc[key] for key in keys], limit=limit):
                    found[record.id] = (1.0, record)
            like = rule.like
            if like and like in readable and like in draft.given and draft.doc.get(like) is not None:
                text = str(sight.entity.fields[like].display(sight.entity.fields[like].from_json(draft.doc[like]), self.shown))
                for hit in self.search(text, limit=limit * 4, entities=[entity]):
                    record = self.get(entity, hit.id)
                    said = sight.entity.fields[like].display(record[like], self.shown) if record[like] is not None else ""
                    score = fuzz.token_sort_ratio(text.casefold(), str(said).casefold()) / 100
                    if score >= rule.over and score > found.get(record.id, (0.0, record))[0]:
                        found[record.id] = (score, record)
        found.pop(id or 0, None)
        return [record for _, record in sorted(found.values(), key=lambda pair: -pair[0])][:limit]

    @property
    def _preferences(self) -> str:
        return f"preferences.{self.actor.id if self.actor.id is not None else 0}"

    def __repr__(self) -> str:
        return f"<Door of {self._actor.login} ({self._actor.role or 'system'})>"
