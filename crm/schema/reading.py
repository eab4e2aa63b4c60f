"""Reads values out of nodes for the builders: a value of the wrong shape (already reported) reads as absent."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from crm.schema.model import Source
from crm.schema.shapes import NO, YES
from crm.yamlfile import Map, Node, Scalar, Seq


def scalar(node: Node | None, key: str) -> Scalar | None:
    found = node.get(key) if isinstance(node, Map) else None
    return found if isinstance(found, Scalar) and not found.is_null else None


def text(node: Node | None, key: str, default: str = "") -> str:
    found = scalar(node, key)
    return found.text if found is not None else default


def maybe(node: Node | None, key: str) -> str | None:
    found = scalar(node, key)
    return found.text if found is not None else None


def flag(node: Node | None, key: str, default: bool = False) -> bool:
    found = scalar(node, key)
    if found is None:
        return default
    return truth(found.text, default)


def truth(said: str, default: bool = False) -> bool:
    lower = said.lower()
    return True if lower in YES else False if lower in NO else default


def whole(node: Node | None, key: str, default: int | None = None) -> int | None:
    found = scalar(node, key)
    try:
        return int(found.text) if found is not None else default
    except ValueError:
        return default


def number(node: Node | None, key: str) -> float | None:
    found = scalar(node, key)
    try:
        return float(found.text) if found is not None else None
    except ValueError:
        return None


def percent(said: str) -> Decimal | None:
    """`25%` or `0.25` as Decimal 0.25."""
    try:
        return Decimal(said.strip().rstrip("%").strip()) / 100 if said.strip().endswith("%") else Decimal(said)
    except InvalidOperation:
        return None


def submap(node: Node | None, key: str) -> Map:
    """The mapping at a key; an empty one when absent."""
    found = node.get(key) if isinstance(node, Map) else None
    if isinstance(found, Map):
        return found
    at = found or node
    return Map(at.file, at.line, at.column) if at is not None else Map("", 1, 1)


def entries(node: Node | None) -> Iterator[tuple[Scalar, Node]]:
    if isinstance(node, Map):
        yield from node.items()


def scalars(node: Node | None) -> list[Scalar]:
    """The texts of a list; one text alone is a list of one."""
    if isinstance(node, Seq):
        return [item for item in node if isinstance(item, Scalar) and not item.is_null]
    return [node] if isinstance(node, Scalar) and not node.is_null else []


def texts(node: Node | None, key: str) -> list[Scalar]:
    return scalars(node.get(key)) if isinstance(node, Map) else []


def nodes(node: Node | None, key: str) -> list[Node]:
    """The items of a list; one value alone is a list of one."""
    found = node.get(key) if isinstance(node, Map) else None
    if isinstance(found, Seq):
        return found.items
    return [found] if found is not None and not found.is_null else []


def source(node: Node) -> Source:
    return Source(node.file, node.line, node.column)


def readable(name: str) -> str:
    """`close_on` → `Close on`: the label of what has none."""
    said = name.replace("_", " ").strip()
    return said[:1].upper() + said[1:]


def plural(label: str) -> str:
    """An English plural good enough to start with; `plural:` says the right one."""
    lower = label.lower()
    if lower.endswith(("s", "x", "ch", "sh")):
        return label + "es"
    if lower.endswith("y") and lower[-2:-1] not in "aeiou":
        return label[:-1] + "ies"
    return label + "s"
