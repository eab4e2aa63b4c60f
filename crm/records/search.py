"""Search over everything this user may see (A7): a fragment of a name, an e-mail, words inside notes; typos tolerated."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from crm.records.timeline import Timeline_


@dataclass(frozen=True, slots=True)
class Hit:
    """One record found: what it is called and the piece of text that matched."""

    entity: str
    id: int
    title: str
    snippet: str
    score: float = 0.0


_PHONE = re.compile(r"\+?[\d\s()./-]+")


def phone_digits(text: str) -> str:
    """What of a telephone number typed in any way (`0043 (5287) 876-54`, `05287 87654`) stands in one that is kept as +43528787654.

    Empty for what is no such number, and for one that is found as it was typed.
    """
    text = text.strip()
    if not _PHONE.fullmatch(text):
        return ""
    digits = re.sub(r"\D", "", text.replace("(0)", "")).lstrip("0")
    return digits if len(digits) >= 6 and digits != text else ""


class Search(Timeline_):
    def search(self, text: str, limit: int = 30, entities: Collection[str] | None = None) -> list[Hit]:
        """The best matches over all entities (or some), best first; only text in readable fields of visible records is looked at."""
        if not text.strip():
            return []
        self._check()
        if self._texts is None:
            self._texts = {name: mine for name in self.company.schema.entities if (mine := self._groups(self.sight(name)))}
        groups = self._texts if entities is None else {name: self._texts[name] for name in self._texts if name in entities}
        if not groups:
            return []
        titles: dict[str, dict[int, str]] = {}

        def sift(name: str, ids: list[int]) -> Collection[int]:
            found = self.titles(name, ids)  # those that may be seen
            titles.setdefault(name, {}).update(found)
            return found

        hits = self.company.store.match(text, groups, limit=limit, sift=sift)
        if number := phone_digits(text):
            known = {(one.table, one.doc_id) for one in hits}
            others = self.company.store.match(number, groups, limit=limit, sift=sift)
            hits = [*(one for one in others if (one.table, one.doc_id) not in known), *hits][:limit]
        return [Hit(one.table, one.doc_id, titles[one.table][one.doc_id], one.snippet, one.score) for one in hits]
