"""What an expression sees of a record: its values, the records it links to, the lists of records that link to it.

An environment looks at stored documents and decodes a value when the expression asks for it. It is not bound by rights: rules,
formulas and conditions of the configuration are the company's, not the user's. What a *user* writes as a filter is bound by the
scope it is parsed with (`Door.scope`) and runs in the store.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from tinydb.queries import where

from crm.schema.scope import TREE

if TYPE_CHECKING:
    from crm.records.actor import Actor
    from crm.records.company import Company


class DocEnv:
    """One record for `Expression.evaluate`: `get`, `follow` and `back`, and the constants `today`, `now`, `me`."""

    __slots__ = ("company", "entity", "doc_id", "doc", "me", "today", "now", "_fields", "_found")

    def __init__(
        self, company: Company, entity: str, doc_id: int | None, doc: Mapping[str, Any], me: Actor, today: date, now: datetime
    ) -> None:
        self.company, self.entity, self.doc_id, self.doc = company, entity, doc_id, doc
        self.me, self.today, self.now = me, today, now
        self._fields = company.schema.entities[entity].fields
        self._found: dict[str, Any] = {}

    def get(self, head: str) -> Any:
        """The Python value of a field, None when empty."""
        if head == "id":
            return self.doc_id
        kept = self.doc.get(head)
        return None if kept is None else self._fields[head].from_json(kept)

    def follow(self, head: str) -> Any:
        """The record a link field points to (or the stage a stage field is at) as an environment, None when empty or gone."""
        kept = self.doc.get(head)
        if kept is None:
            return None
        field = self._fields[head]
        to = getattr(field, "to", None)
        if to is None:
            if head == self.company.schema.entities[self.entity].stage_field:
                stage = self.company.schema.stage_of(self.entity, self.doc)
                return StageEnv(stage, self) if stage is not None else None
            return None
        if head in self._found:
            return self._found[head]
        if isinstance(kept, list):
            return None
        doc = self.company.doc(to, kept)
        found = None if doc is None else DocEnv(self.company, to, kept, doc, self.me, self.today, self.now)
        self._found[head] = found
        return found

    def back(self, name: str) -> Iterator[DocEnv]:
        """The records at the other end of a back list."""
        if name in self._fields:  # a links field read as a list of records
            to = self._fields[name].to
            for one in self.doc.get(name) or ():
                doc_id = one["id"] if isinstance(one, dict) else one
                doc = self.company.doc(to, doc_id)
                if doc is not None:
                    yield DocEnv(self.company, to, doc_id, doc, self.me, self.today, self.now)
            return
        if self.doc_id is None:
            return
        if name == TREE:
            yield self
            for doc in below(self.company, self.entity, self.doc_id):
                yield DocEnv(self.company, self.entity, doc.doc_id, doc, self.me, self.today, self.now)
            return
        entity, key = self.company.schema.entities[self.entity].back[name]
        for doc in self.company.find(entity, self.company.links_here(entity, key, self.doc_id)):
            yield DocEnv(self.company, entity, doc.doc_id, doc, self.me, self.today, self.now)


class StageEnv:
    """A stage as the end of a path: `stage.probability`, `stage.outcome`, `stage.open`, `stage.days`, `stage.forecast`, `stage.label`."""

    __slots__ = ("stage", "me", "today", "now")

    def __init__(self, stage: Any, near: DocEnv) -> None:
        self.stage, self.me, self.today, self.now = stage, near.me, near.today, near.now

    def get(self, head: str) -> Any:
        return getattr(self.stage, head, None)

    def follow(self, head: str) -> None:
        return None

    def back(self, name: str) -> Iterator[Any]:
        return iter(())


def below(company: Company, entity: str, doc_id: int) -> Iterator[Any]:
    """The living documents that lie below one in its tree, level by level."""
    tree = company.schema.entities[entity].tree
    level, seen = [doc_id], {doc_id}
    while level and tree is not None:
        found = [doc for doc in company.find(entity, where(tree.by).one_of(level)) if doc.doc_id not in seen]
        level = [doc.doc_id for doc in found]
        seen.update(level)
        yield from found


def points_to(field: Any, target: int) -> Any:
    """The query for the records whose link (or links) field points to `target`."""
    if getattr(field, "name", "") == "links":
        return where(field.key).any(where("id") == target)
    return where(field.key) == target


def points_to_some(field: Any, some: list[int]) -> Any:
    """The query for the records whose link (or links) field points to one of `some`."""
    if getattr(field, "name", "") == "links":
        return where(field.key).any(where("id").one_of(some))
    return where(field.key).one_of(some)


def targets(value: Any) -> list[int]:
    """The ids in a stored link or links value."""
    if value is None:
        return []
    if isinstance(value, list):
        return [one["id"] if isinstance(one, dict) else one for one in value]
    return [value]
