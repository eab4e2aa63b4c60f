"""The tree of a checked expression: what `language.py` makes of the text and `python.py` and `store.py` compile."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class Name:
    """What a name of a scope is.

    `kind` · `field` (None for a list of records) · `child` scope behind a link or list (or a function that gives it) ·
    `many` for lists; `form` of a list: `back` (records that link here by their field `via`), `links` or `lines` (a field of this record) ·
    `entity` behind a link or list.
    """

    kind: str
    field: Any = None
    child: Any = None
    many: bool = False
    form: str = ""
    entity: str | None = None
    via: str | None = None

    @property
    def scope(self) -> Any:
        """The child scope; worked out when it is asked for, since entities link to each other in circles."""
        return self.child() if callable(self.child) and not hasattr(self.child, "resolve") else self.child


@dataclass(frozen=True)
class Node:
    """One part of an expression; `at` is its place in the text."""

    kind: str
    at: int = 0


@dataclass(frozen=True)
class Const(Node):
    value: Any = None


@dataclass(frozen=True)
class Special(Node):
    """`today`, `now`, `me`, `me.team` …: the same for all records."""

    name: str = ""


@dataclass(frozen=True)
class Step:
    """One link followed on the way to a field."""

    head: str
    name: Name


@dataclass(frozen=True)
class Field(Node):
    """A field of the record, or of one that links lead to. `level` 0 is the record, 1 a row of an aggregate, 2 a row within."""

    steps: tuple[Step, ...] = ()
    key: str = ""
    name: Name = Name("any")
    part: str = ""
    level: int = 0

    @property
    def dotted(self) -> str:
        return ".".join([*(step.head for step in self.steps), self.key, *([self.part] if self.part else [])])


@dataclass(frozen=True)
class StageOf(Node):
    """`stage.outcome`: an attribute of the stage that `field` holds."""

    field: Field = Field("choice")
    attribute: str = ""
    pipeline: str | None = None


@dataclass(frozen=True)
class Items(Node):
    items: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Sum(Node):
    """Arithmetic of two: `op` is + - * /."""

    op: str = "+"
    a: Node = Node("any")
    b: Node = Node("any")


@dataclass(frozen=True)
class Minus(Node):
    a: Node = Node("any")


@dataclass(frozen=True)
class Compare(Node):
    """`op` is == < <= > >=; `!=` is a Not around `==`. `as_days` compares calendar days."""

    op: str = "=="
    a: Node = Node("any")
    b: Node = Node("any")
    as_days: bool = False


@dataclass(frozen=True)
class Filled(Node):
    a: Node = Node("any")


@dataclass(frozen=True)
class Among(Node):
    """`a in b`."""

    a: Node = Node("any")
    b: Node = Node("any")


@dataclass(frozen=True)
class And(Node):
    items: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Or(Node):
    items: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Not(Node):
    a: Node = Node("any")


@dataclass(frozen=True)
class If(Node):
    test: Node = Node("any")
    a: Node = Node("any")
    b: Node = Node("any")


@dataclass(frozen=True)
class Call(Node):
    function: str = ""
    args: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Within(Node):
    """Whether the record `field` links to, or one above it by its link `parent`, has `value` in `key` (its id where there is none)."""

    field: Field = Field("link")
    parent: str = ""
    key: str = ""
    inner: Name | None = None
    value: Node = Node("any")


@dataclass(frozen=True)
class Day(Node):
    """The calendar day of a moment."""

    a: Node = Node("any")


@dataclass(frozen=True)
class Full(Node):
    """A person's name or an address as one text."""

    a: Node = Node("any")


@dataclass(frozen=True)
class Aggregate(Node):
    """`function` over the rows of a list: of `value` (None: the row itself) where `where`. `level` is where the list is, `rows` theirs."""

    function: str = ""
    steps: tuple[Step, ...] = ()
    head: str = ""
    name: Name = field(default_factory=lambda: Name("list"))
    value: Node | None = None
    where: Node | None = None
    level: int = 0
    rows: int = 1
    reads: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset())  # what `where` reads: dotted paths, constants


def parts_of(node: Node) -> list[Node]:
    """The nodes directly within a node."""
    found: list[Node] = []
    for name in node.__dataclass_fields__:
        value = getattr(node, name)
        if isinstance(value, Node):
            found.append(value)
        elif isinstance(value, tuple):
            found.extend(item for item in value if isinstance(item, Node))
    return found


def is_constant(node: Node) -> bool:
    """Whether the value is the same for all records."""
    return not isinstance(node, (Field, StageOf, Aggregate)) and all(is_constant(part) for part in parts_of(node))


def lowered(node: Node) -> Node | None:
    """A condition over rows as a condition over the row's own record; None when it looks at the outer record."""
    changes: dict[str, Any] = {}
    if isinstance(node, Field):
        return replace(node, level=node.level - 1) if node.level else None
    if isinstance(node, Aggregate):
        if not node.level:
            return None
        changes |= {"level": node.level - 1, "rows": node.rows - 1}
    for name in node.__dataclass_fields__:
        value = getattr(node, name)
        if isinstance(value, Node):
            made = lowered(value)
            if made is None:
                return None
            changes[name] = made
        elif isinstance(value, tuple) and any(isinstance(item, Node) for item in value):
            items = [lowered(item) if isinstance(item, Node) else item for item in value]
            if any(item is None for item in items):
                return None
            changes[name] = tuple(items)
    return replace(node, **changes) if changes else node
