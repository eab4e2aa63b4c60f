"""TinyDB queries as SQL.

`QueryInstance._hash` is nearly a syntax tree: `("and", {…})`, `("==", ("stage",), "won")`. `Compiler.compile` turns it into a `Part`:
SQL text, its parameters, and whether the SQL says exactly what the query says. What cannot be said exactly becomes a superset (every
matching document is in it), and the caller checks those documents with the query itself.

Beyond TinyDB's own, three shapes are understood: `("id", op, values)` (see `where_id`), `("linked", path, table, inner hash)` (the
document that the link at `path` points to, in `table`, matches), `("linked_from", table, key, inner hash)` (a document of `table` whose
link field `key` points here matches) and `("contains" | "starts" | "ends", path, text)` with the case and
diacritics ignored as full text search does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from tinydb.queries import QueryInstance

Path = tuple[str, ...]
MAX_INT = 2**63


class Part(NamedTuple):
    """A compiled condition; `sql` None means "no idea, take all"."""

    sql: str | None
    params: list
    exact: bool


ALL = Part("1", [], True)
NONE = Part("0", [], True)
UNKNOWN = Part(None, [], False)


class Untracked(Exception):
    """A path that this relation does not hold (a table's past keeps fewer columns than the table)."""


class Relation(Protocol):
    """What a condition is compiled against: a table, its past, or the elements of a list."""

    def column(self, path: Path) -> str | None:
        """SQL of the value of a declared scalar field, None for any other path."""

    def kind(self, path: Path) -> str | None:
        """The declared kind."""

    def elements(self, path: Path) -> tuple[str, ...] | None:
        """How the elements of a list field are indexed: themselves `()`, by a key `("id",)`, not at all None."""

    def table(self, name: str) -> Relation:
        """Another table, for links."""


class Dialect(Protocol):
    """How one database says the few things that differ; SQLite's is `crm.stores.sqlite.SQLite`."""

    def sayable(self, path: Path) -> bool: ...
    def value(self, rel: Any, path: Path) -> str: ...
    def exists(self, rel: Any, path: Path) -> str: ...
    def is_null(self, rel: Any, path: Path) -> str: ...
    def equal(self, rel: Any, path: Path, value: Any) -> tuple[str, list]: ...
    def compare(self, rel: Any, path: Path, op: str, value: Any) -> tuple[str, list]: ...
    def among(self, rel: Any, path: Path, values: list) -> tuple[str, list]: ...
    def has_element(self, rel: Any, path: Path, values: list) -> tuple[str, list, bool]: ...
    def any_element(self, rel: Any, path: Path, inner: Callable[[Any], Part]) -> Part: ...
    def linked(self, rel: Any, path: Path, table: Any, inner: Part) -> Part: ...
    def linked_from(self, rel: Any, key: Path, table: Any, inner: Part) -> Part: ...
    def element_with(self, rel: Any, path: Path, values: list) -> tuple[str, list]: ...
    def by_id(self, rel: Any, op: str, values: list) -> tuple[str, list]: ...
    def text_like(self, rel: Any, op: str, path: Path, text: str) -> tuple[str, list]: ...


def where_id(op: str, value: Any) -> QueryInstance:
    """A query on the document's id: `where_id("in", [1, 2])`, `where_id("==", 7)`; also not in, !=, <, <=, >, >=.

    It combines with other queries by `&`, `|` and `~`.
    """
    if op not in _ID_OPS:
        raise ValueError(f"no comparison is called {op!r}; there are: {', '.join(_ID_OPS)}")
    values = tuple(int(v) for v in value) if isinstance(value, Iterable) else (int(value),)
    test, members = _ID_OPS[op], frozenset(values)
    one = values[0] if values else None

    def check(doc: Mapping) -> bool:
        return test(getattr(doc, "doc_id", None), members, one)

    return QueryInstance(check, ("id", op, values))


_ID_OPS: dict[str, Callable[[Any, frozenset, Any], bool]] = {
    "in": lambda i, s, v: i in s,
    "not in": lambda i, s, v: i not in s,
    "==": lambda i, s, v: i in s,
    "!=": lambda i, s, v: i not in s,
    "<": lambda i, s, v: i < v,
    "<=": lambda i, s, v: i <= v,
    ">": lambda i, s, v: i > v,
    ">=": lambda i, s, v: i >= v,
}


def scalar(value: Any) -> bool:
    """Whether a value compares in SQL as in Python."""
    if isinstance(value, bool | str):
        return True
    if isinstance(value, int):
        return -MAX_INT <= value < MAX_INT
    return isinstance(value, float) and value == value


def _needed(h: tuple) -> list:
    """The conditions of an AND without those that another one says already: `owner one of (1, 3)` beside `owner == 1`. SQLite would look
    for all of them and not see that an index answers the rest alone."""
    found: list = []
    todo = list(h[1])
    while todo:
        one = todo.pop()
        if type(one) is tuple and len(one) == 2 and one[0] == "and":
            todo += one[1]
        else:
            found.append(one)
    one_value = {x[1]: x[2] for x in found if type(x) is tuple and len(x) == 3 and x[0] == "==" and type(x[2]) in (int, str)}
    if not one_value:
        return found

    def said(x: Any) -> bool:
        if type(x) is not tuple or len(x) != 3 or x[0] != "one_of" or x[1] not in one_value or type(x[2]) is not tuple:
            return False
        value = one_value[x[1]]
        return any(type(v) is type(value) and v == value for v in x[2])

    return [x for x in found if not said(x)]


class Compiler:
    """Compiles queries in one dialect."""

    def __init__(self, dialect: Dialect) -> None:
        self.d = dialect

    def compile(self, query: Any, rel: Relation) -> Part:
        """The SQL of a query; any callable is accepted, one that is no TinyDB query is checked in Python."""
        if query is None:
            return ALL
        tree = getattr(query, "_hash", None)
        if not isinstance(query, QueryInstance) or type(tree) is not tuple:
            return UNKNOWN
        return self.tree(tree, rel)

    def tree(self, h: Any, rel: Relation) -> Part:
        """The SQL of a query's `_hash`."""
        if h is None or type(h) is not tuple:
            return UNKNOWN
        if h == ():
            return ALL
        op = h[0]
        if op == "and":
            return self.conjunction([self.tree(x, rel) for x in _needed(h)])
        if op == "or":
            return self.disjunction([self.tree(x, rel) for x in h[1]])
        if op == "not":
            return self.negation(h[1], rel)
        if op == "id" and len(h) == 3:
            sql, params = self.d.by_id(rel, h[1], list(h[2]))
            return Part(sql, params, True)
        if op == "linked_from" and len(h) == 4:
            if not self.d.sayable((h[2],)):
                return UNKNOWN
            target = rel.table(h[1])
            return self.d.linked_from(rel, (h[2],), target, self.tree(h[3], target))
        if len(h) < 2 or type(h[1]) is not tuple or not h[1] or not all(isinstance(k, str) for k in h[1]):
            return UNKNOWN
        if not self.d.sayable(h[1]):
            return UNKNOWN
        return self.test(op, h[1], h[2:], rel)

    def conjunction(self, parts: list[Part]) -> Part:
        said = sorted({(p.sql, tuple(p.params)) for p in parts if p.sql is not None and p.sql != "1"}, key=repr)
        exact = all(p.exact for p in parts)
        if any(sql == "0" for sql, _ in said):
            return NONE
        if not said:
            return Part("1" if exact else None, [], exact)
        return Part("(" + " AND ".join(s for s, _ in said) + ")", [v for _, ps in said for v in ps], exact)

    def disjunction(self, parts: list[Part]) -> Part:
        if any(p.sql is None for p in parts):
            return UNKNOWN
        if any(p.sql == "1" and p.exact for p in parts):
            return ALL
        said = sorted({(p.sql, tuple(p.params)) for p in parts if p.sql != "0"}, key=repr)
        if not said:
            return Part("0", [], all(p.exact for p in parts))
        return Part("(" + " OR ".join(str(s) for s, _ in said) + ")", [v for _, ps in said for v in ps], all(p.exact for p in parts))

    def negation(self, h: Any, rel: Relation) -> Part:
        if type(h) is tuple and len(h) == 2 and h[0] == "not":
            return self.tree(h[1], rel)
        part = self.tree(h, rel)
        if not part.exact or part.sql is None:
            return UNKNOWN
        if part.sql in ("0", "1"):
            return ALL if part.sql == "0" else NONE
        if type(h) is tuple and h[0] == "exists" and part.sql.endswith(" IS NOT NULL"):
            return Part(part.sql.removesuffix(" IS NOT NULL") + " IS NULL", part.params, True)  # so that partial indexes are used
        return Part(f"({part.sql}) IS NOT TRUE", part.params, True)

    def test(self, op: str, path: Path, rest: tuple, rel: Relation) -> Part:
        d, value = self.d, rest[0] if rest else None
        there = d.exists(rel, path)
        if op == "exists":
            return Part(there, [], True)
        if op in ("==", "!="):
            params: list[Any]
            if value is None:
                sql, params = d.is_null(rel, path), list[Any]()
            elif scalar(value):
                sql, params = d.equal(rel, path, value)
            else:
                return Part(there, [], False)
            return Part(sql, params, True) if op == "==" else Part(f"({there} AND ({sql}) IS NOT TRUE)", params, True)
        if op in ("<", "<=", ">", ">=") and scalar(value) and not isinstance(value, bool):
            return Part(*d.compare(rel, path, op, value), True)
        if op == "one_of" and isinstance(value, tuple):
            return self.one_of(path, value, rel, there)
        if op == "any":
            return self.any(path, value, rel, there)
        if op == "linked" and len(rest) == 2:
            target = rel.table(rest[0])
            return d.linked(rel, path, target, self.tree(rest[1], target))
        if op in ("contains", "starts", "ends") and isinstance(value, str):
            return Part(*d.text_like(rel, op, path, value), True)
        return Part(there, [], False)

    def one_of(self, path: Path, values: tuple, rel: Relation, there: str) -> Part:
        if not values:
            return NONE
        plain = [v for v in values if v is not None]
        if not all(map(scalar, plain)):
            return Part(there, [], False)
        parts = []
        if plain:
            parts.append(Part(*self.d.among(rel, path, plain), True))
        if len(plain) < len(values):
            parts.append(Part(self.d.is_null(rel, path), [], True))
        return self.disjunction(parts)

    def any(self, path: Path, value: Any, rel: Relation, there: str) -> Part:
        if isinstance(value, QueryInstance):
            inner_tree = value._hash
            if rel.elements(path) == ("id",) and type(inner_tree) is tuple and inner_tree[:2] in (("==", ("id",)), ("one_of", ("id",))):
                wanted = inner_tree[2] if inner_tree[0] == "one_of" else (inner_tree[2],)
                if isinstance(wanted, tuple) and wanted and all(type(v) is int or type(v) is str for v in wanted):
                    return Part(*self.d.element_with(rel, path, list(wanted)), True)
            return self.d.any_element(rel, path, lambda element: self.tree(inner_tree, element))
        if isinstance(value, tuple) and value and all(map(scalar, value)):
            return Part(*self.d.has_element(rel, path, list(value)))
        return Part(there, [], False)
