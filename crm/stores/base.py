"""What a store offers: the interface all layers above rely on, and the shapes that come out of it.

A store keeps JSON documents by table and integer id. It is TinyDB: `crm.stores.Database` and `Table` subclass `TinyDB` and `Table`, every
TinyDB method works, and every condition is a TinyDB query (`where("stage") == "won"`). What a store adds is described by the two
protocols below; a second backend (PostgreSQL) offers the same and changes nothing above.

Conventions used everywhere here
- A *path* is a dotted text (`"amount"`, `"address.city"`). `"doc_id"` and `"version"` name the row's own values in `values`, `frame`,
  `order_by` and `by`.
- A *kind* is the expression kind of a declared field: number money percent date datetime duration boolean choice link text get a column
  of their own (fast to filter, sort, group, extract; all but text and datetime also fast in `as_of`); list links lines address file longtext (and any
  other word) do not: they are read from the document. List fields (`list`, `links`) get an index of their elements, see `declare`.
- In a table with declared fields an empty declared field is absent: `None` given for it removes it.
- Conditions may also be those of `crm.expressions`: linked, linked_from, by_id, text_like; and `crm.stores.where_id`.
- A condition that cannot be expressed in SQL exactly (a Python test, a regular expression) is narrowed in SQL and checked in Python.
- Times are ISO 8601 text in UTC with milliseconds and a Z, as in documents; arguments may also be aware datetimes or dates.
- `actor` is any text (who did it); the default is "system".
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from tinydb import table as tinydb_table

if TYPE_CHECKING:
    import pandas as pd

When = str | datetime | date
Cond = Callable[[Mapping], bool] | None
By = Sequence[str | tuple[str, str]] | Mapping[str, str | tuple[str, str]]
Measures = Mapping[str, tuple[str, str] | str]
OrderBy = str | Sequence[Any]


class Document(tinydb_table.Document):
    """A stored document: a dict of its own (changing it never changes the store) with `.doc_id` and `.version` (1, 2, 3 …)."""

    version: int = 1

    def __init__(self, value: Mapping, doc_id: int, version: int = 1) -> None:
        super().__init__(value, doc_id)
        self.version = version


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of history: one document changed once.

    `act` is create, change, derived (computed values, version unchanged), migrate or delete. `patch` is `{field: [old, new]}` with None for
    an absent value; a creation lists all fields as `[None, new]`, a deletion as `[old, None]`. `seq` grows over the whole store.
    """

    seq: int
    step: int
    table: str
    doc_id: int
    version: int
    at: str
    who: str
    act: str
    patch: dict[str, list]


@dataclass(frozen=True, slots=True)
class Step:
    """One transaction's writes: what was done as one act and can be taken back as one."""

    id: int
    at: str
    who: str
    note: str
    changes: int = 0


class Hit(NamedTuple):
    """One result of a full text search; `score` is higher for better hits, `snippet` is plain text around the first match."""

    table: str
    doc_id: int
    score: float
    snippet: str


class Open(Protocol):
    """What `with db.transaction(...) as step` gives: `step.id` is the step's number (asking for it allocates it)."""

    @property
    def id(self) -> int: ...


class Reading(Protocol):
    """Reading a table, now or (through `as_of`) as it was."""

    def get(self, cond: Cond = None, doc_id: int | None = None, doc_ids: Iterable[int] | None = None) -> Any:
        """One document by condition or id (None when there is none), or the list of those of `doc_ids` that exist, by id."""

    def get_many(self, ids: Iterable[int]) -> list[Document]:
        """The documents of `ids` that exist, in the order of `ids`."""

    def find(self, cond: Cond = None, order_by: OrderBy = (), limit: int | None = None, offset: int = 0) -> list[Document]:
        """Documents in order: `order_by=["-amount", "name"]`, `-` for descending; empty values come last; ties follow the id in the
        direction of the last key. `("-account", "account", "name")` sorts by a field of the linked document."""

    def ids(self, cond: Cond = None, order_by: OrderBy = (), limit: int | None = None, offset: int = 0) -> list[int]:
        """Only the ids of what `find` would give."""

    def count(self, cond: Cond = None) -> int:
        """How many documents match."""

    def values(
        self, paths: Sequence[str], cond: Cond = None, order_by: OrderBy = (), limit: int | None = None, offset: int = 0
    ) -> list[tuple]:
        """Raw stored values of some paths as tuples, without decoding whole documents; None where there is none."""

    def aggregate(self, by: By = (), measures: Measures | None = None, cond: Cond = None) -> list[dict[str, Any]]:
        """Grouped figures, one dict a group, in the order of the groups (empty first).

        `by` lists paths or `(bucket, path)` with bucket year, quarter, month, week, day, hour or minute of an ISO date or time ("2026",
        "2026-Q3", "2026-07", "2026-W31" (ISO week), "2026-07-31", "2026-07-31T14", "2026-07-31T14:05"); its columns are called `path` and `bucket(path)`; a dict `{name: …}` names them.
        `measures` is `{name: (kind, path)}`, kind count, distinct, sum, min, max or mean; `("count", "")` counts documents and
        `("count", path)` those where it is filled. Sums of integers are exact; a sum of nothing is 0, min, max and mean of nothing None.
        No measures: `{"count": ("count", "")}`. Without `by` there is always one row.
        """

    def frame(
        self, paths: Sequence[str] | None = None, cond: Cond = None, order_by: OrderBy = (), limit: int | None = None
    ) -> pd.DataFrame:
        """A frame of stored values, index `doc_id`, one column a path (all declared fields if None), rows by id unless ordered.
        Integers without gaps are int64, numbers float64 (NaN where empty), all else as stored (None where empty)."""


class TableLike(Reading, Protocol):
    """A table. TinyDB's methods (insert, insert_multiple, update, update_multiple, upsert, remove, truncate, search, all, contains) work as
    documented there; all leave history, all are durable when they return (or when the surrounding transaction ends)."""

    name: str

    def update(self, fields: Any, cond: Cond = None, doc_ids: Iterable[int] | None = None, expect_version: int | None = None) -> list[int]:
        """Change documents; ids of those meant. `expect_version` raises `crm.errors.Conflict(id, yours, theirs)` when the stored version
        differs: `yours` is `{"version", "fields"}`, `theirs` the stored Document (None when gone). Nothing changed, nothing written."""

    def update_derived(self, doc_id: int, patch: Mapping[str, Any]) -> bool:
        """Write computed values: in history as `derived`, version unchanged. False when nothing changed."""

    def update_many_derived(self, patches: Mapping[int, Mapping[str, Any]]) -> int:
        """`update_derived` for many documents at once; how many changed."""

    def patch_many(self, patches: Mapping[int, Mapping[str, Any]]) -> list[int]:
        """Change many documents, each by its own fields, in one go; ids of those changed. A None removes the field."""

    def remove(self, cond: Cond = None, doc_ids: Iterable[int] | None = None, expect_version: int | None = None) -> list[int]:
        """Remove documents for good (their history stays)."""

    def among(self, ids: Iterable[int], paths: Sequence[str], cond: Cond = None) -> list[tuple]:
        """Raw stored values of those of `ids` that exist and match, in no order; `paths` as in `values`."""

    def history(self, doc_id: int, limit: int | None = None) -> list[Change]:
        """All changes of one document, oldest first; also of a removed one. `limit` gives the newest so many."""

    def past(self) -> Iterator[Change]:
        """All changes of all documents, oldest first, one by one: a long story is not held in memory."""

    def states(self, *keys: str, ids: Iterable[int] | None = None) -> list[tuple]:
        """`(doc_id, since, value, …)` of every state that fields of any kind were in, by document and time (ms since 1970); of all documents
        or some."""

    def writes(self, since: int, until: int, after: int = 0) -> list[tuple[str, int, int]]:
        """`(who, at, doc_id)` of what people changed from one moment up to another (ms since 1970), oldest first; `after` a sequence
        number only what came later."""

    def as_of(self, when: When) -> Reading:
        """The table as it was at that moment (inclusive), read only."""

    def declare(
        self,
        fields: Mapping[str, str] | None = None,
        indexes: Iterable[Sequence[str]] | None = None,
        fulltext: Mapping[str, Sequence[str]] | None = None,
        live: str | None = None,
        history: bool | None = None,
        sparse: Iterable[str] | None = None,
    ) -> None:
        """Say what the table is asked for; cheap when nothing changed. Each argument given replaces what was declared before.

        `fields` `{path: kind}`; `indexes` lists of paths (put the paths that are tested first, then what is sorted by, then what is summed:
        an index that holds all an aggregate needs answers it alone); `fulltext` `{group: [paths]}`, a group holds the fields that are
        visible together and the first path of the first group ranks highest; `live` names the field that marks deleted documents:
        indexes then hold only documents without it, and `~where(live).exists()` uses them; `history=False` for tables whose past is
        nobody's business (sessions); `sparse` names fields that are asked for by value only: an index that begins with one holds only
        documents that have it, and costs the others nothing."""

    def migrate(
        self,
        rename: Mapping[str, str] | None = None,
        drop: Iterable[str] | None = None,
        retype: Mapping[str, Callable[[Any], Any]] | None = None,
    ) -> int:
        """Rename, drop and convert fields of all documents in one step with history (act `migrate`); how many documents changed."""


class DatabaseLike(Protocol):
    """A store. `db.table(name)` gives a table, `db.tables()` the names, `db.drop_table(name)` removes one (its documents go into history)."""

    def transaction(
        self, actor: str | None = None, at: When | None = None, note: str = "", separate: bool = False
    ) -> AbstractContextManager[Open]:
        """All writes inside are one durable commit and one step. A nested one joins the outer one (an exception takes back its own part
        only); with `separate` it is a step of its own (own actor, time and note) inside the same commit. `at` sets the time of the step:
        demo and imports write the past; a document's times never run backwards, though."""

    @property
    def sequence(self) -> int:
        """A number that grows with every commit of any process; costs microseconds."""

    @property
    def writing(self) -> bool:
        """Whether this thread is within a transaction: what it reads may still be taken back."""

    def touched(self, since: int) -> set[str]:
        """The tables something was written to after sequence number `since`."""

    def changes(self, since: int = 0, limit: int | None = None) -> list[Change]:
        """Everything that happened after sequence number `since`, oldest first."""

    def steps(self, limit: int = 100, before: int | None = None, who: str | None = None) -> list[Step]:
        """The newest steps first."""

    def step(self, id: int) -> list[Change]:
        """The changes of one step, oldest first."""

    def match(
        self,
        text: str,
        groups: Mapping[str, Iterable[str]] | None = None,
        limit: int = 30,
        fuzzy: bool = True,
        sift: Callable[[str, list[int]], Collection[int]] | None = None,
    ) -> list[Hit]:
        """Full text search over all tables at once, best first: every word must occur (as a fragment, without regard to case and
        diacritics) in one group's text. `groups` `{table: [group names]}` is what the asker may see (None: everything). With few exact
        hits, similar spellings are added with a lower score. `sift(table, ids)` says which of some documents may be found."""

    def present(self, sources: Sequence[tuple[str, Sequence[Cond]]]) -> list[bool]:
        """For each `(table, conditions that all must hold)` whether some document may match: False is certain. One cheap question."""

    def newest(self, sources: Sequence[tuple[str, Sequence[Cond], str]], limit: int) -> list[tuple[int, int, Any]]:
        """`(source, document id, value)` of documents of several tables in one question. A source is `(table, conditions that all must
        hold, path)`; each gives its `limit` greatest values of `path`. Not in order over the sources."""

    def backup(self, path: str) -> None:
        """Copy the store to a file while others go on working."""

    def restore(self, path: str) -> None:
        """Replace the contents of this store by those of a backup, after verifying it."""

    def verify(self, repair: bool = False) -> list[str]:
        """Problems found, as sentences: file integrity, documents against their history, indexes, full text, blobs. Empty when sound.
        `repair` rebuilds what can be derived (full text, element and time indexes)."""

    def blob_put(self, data: bytes) -> str:
        """Keep bytes; their SHA-256 in hex, which is their name. The same bytes are kept once."""

    def blob_get(self, sha: str) -> bytes | None:
        """The bytes of that name, or None."""

    def stats(self) -> dict[str, Any]:
        """Sizes: `{"bytes", "sequence", "steps", "tables": {name: documents}}`."""

    meta: Any
    """Small key-value store of JSON values: `db.meta.get(key, default)`, `db.meta.set(key, value)` (None removes)."""
