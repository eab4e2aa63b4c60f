"""Search over everything this user may see (A7): a fragment of a name, an e-mail, words inside notes; typos tolerated."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from crm.records.shape import DELETED
from crm.records.timeline import Timeline_

#: The store is asked for more and more hits until enough of them may be shown.
FIRST, MOST = 3, 4000


@dataclass(frozen=True, slots=True)
class Hit:
    """One record found: what it is called and the piece of text that matched."""

    entity: str
    id: int
    title: str
    snippet: str
    score: float = 0.0


class Search(Timeline_):
    def search(self, text: str, limit: int = 30, entities: Collection[str] | None = None) -> list[Hit]:
        """The best matches over all entities (or some), best first; only text in readable fields of visible records is looked at."""
        if not text.strip():
            return []
        groups = {}
        for name in self.company.schema.entities:
            if entities is None or name in entities:
                mine = self._groups(self.sight(name))
                if mine:
                    groups[name] = mine
        if not groups:
            return []
        asked = limit if all(self.sight(name).query() is None for name in groups) else limit * FIRST
        while True:
            found = self.company.store.match(text, groups, limit=asked)
            hits = self._visible(found, limit)
            if len(hits) >= limit or len(found) < asked or asked >= MOST:
                return hits
            asked = min(asked * 4, MOST)

    def _visible(self, found: list, limit: int) -> list[Hit]:
        docs: dict[tuple[str, int], object] = {}
        by_table: dict[str, list[int]] = {}
        for one in found:
            by_table.setdefault(one.table, []).append(one.doc_id)
        for name, ids in by_table.items():
            for doc in self.company.table(name).get_many(ids):
                docs[name, doc.doc_id] = doc
        hits: list[Hit] = []
        seen: set[tuple[str, int]] = set()
        for one in found:
            key = (one.table, one.doc_id)
            doc = docs.get(key)
            if doc is None or key in seen or doc.get(DELETED) is not None or not self.sight(one.table).sees(doc, one.doc_id):  # type: ignore[attr-defined, arg-type]
                continue
            seen.add(key)
            hits.append(Hit(one.table, one.doc_id, self.title_of(one.table, one.doc_id, doc), one.snippet, one.score))  # type: ignore[arg-type]
            if len(hits) >= limit:
                break
        return hits
