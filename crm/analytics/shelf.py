"""Answers kept for a company, each until something is written that may change it (issue 4: cached by the store's change sequence)."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from crm.records.columns import News

if TYPE_CHECKING:
    from crm.stores.base import Change, DatabaseLike

#: Whether an answer may be another by some changes, and by what else was written to some tables.
Stale = Callable[[list["Change"], set[str]], bool]


class Kept(NamedTuple):
    value: Any
    stale: Stale


class Shelf:
    """At most `most` answers; what was not asked for longest goes first. Nothing here is copied."""

    def __init__(self, store: DatabaseLike, most: int) -> None:
        self._news, self._most, self._mark = News(store), most, 0
        self._kept: OrderedDict[Any, Kept] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Any) -> tuple[Any, int]:
        """The answer, None where there is none that holds; and how far the store was looked through."""
        with self._lock:
            heard = self._news.heard()
            if heard is None:
                self._kept.clear()
                self._mark += 1
            elif heard[0] or heard[1]:
                self._mark += 1
                for name in [name for name, one in self._kept.items() if one.stale(*heard)]:
                    del self._kept[name]
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return (None if found is None else found.value), self._mark

    def put(self, key: Any, value: Any, stale: Stale, mark: int) -> None:
        """Keep an answer; not one that was begun before something was written that others have heard of since (`mark` is of `get`)."""
        with self._lock:
            if mark == self._mark:
                self._kept[key] = Kept(value, stale)
                while len(self._kept) > self._most:
                    self._kept.popitem(last=False)
