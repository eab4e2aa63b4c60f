"""Shapes: what the value of a key may be. One description serves the check, the JSON Schema of editors and the language page.

A shape checks a node and reports faults at its place; it does not convert (the builders read nodes with `reading.py`). Own shapes
and not pydantic: a fault needs the place of the key in the merged layers, the words of somebody who edits YAML, and scalars that
are text until the key says what they are.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from crm.schema.faults import Faults, known, meant, shorten, what
from crm.yamlfile import Map, Node, Scalar, Seq

YES = {"true", "yes", "on"}
NO = {"false", "no", "off"}
NAME = re.compile(r"[a-z][a-z0-9_]*\Z")

#: Words a field, entity or list cannot be called: the language, its constants and the record itself use them.
RESERVED = frozenset("me today now true false none null drop".split())
#: Fields every entity has; see `entities.system_fields`.
SYSTEM = ("id", "created_on", "created_by", "changed_on", "changed_by", "deleted_on", "stage_on", "ticks")


class Shape:
    """What a value may be."""

    word = "anything"

    def check(self, node: Node, faults: Faults, name: str) -> None:
        """Report what is wrong with `node`, the value of the key `name`."""

    def json(self) -> dict[str, Any]:
        """JSON Schema of the value as an editor sees it (there `no` is false and `10` a number)."""
        return {}

    def takes(self, node: Node) -> bool:
        """Whether this alternative is the one meant, by the kind of node."""
        return True


class Any_(Shape):
    pass


@dataclass
class Text(Shape):
    """A text. `pattern` with its description in `word`; `test` says what is wrong with a text or None."""

    word: str = "text"
    test: Callable[[str], str | None] | None = None
    code: str = "E102"
    mend: str = "Write a text."

    def check(self, node: Node, faults: Faults, name: str) -> None:
        if not isinstance(node, Scalar):
            faults.add("E102", node, f"'{name}' must be {article(self.word)}, not {what(node)}.", f"Write `{name}: …` in one line.")
        elif self.test is not None and not node.is_null and (wrong := self.test(node.text)):
            faults.add(self.code, node, wrong, self.mend)

    def json(self) -> dict[str, Any]:
        return {"type": ["string", "number", "boolean", "null"]}

    def takes(self, node: Node) -> bool:
        return isinstance(node, Scalar)


def article(word: str) -> str:
    return word if word.startswith(("a ", "an ", "yes", "one of", "either")) else ("an " if word[0] in "aeio" else "a ") + word


class Expr(Text):
    def __init__(self, word: str = "condition or formula") -> None:
        super().__init__(word)


@dataclass
class Flag(Text):
    word: str = "yes or no"

    def check(self, node: Node, faults: Faults, name: str) -> None:
        if not isinstance(node, Scalar) or node.text.lower() not in YES | NO:
            faults.add("E106", node, f"'{name}' is yes or no, not {what(node)}.", f"Write `{name}: true` or `{name}: false`.")

    def json(self) -> dict[str, Any]:
        return {"type": "boolean"}


@dataclass
class Whole(Text):
    word: str = "whole number"
    low: int | None = None
    high: int | None = None

    def check(self, node: Node, faults: Faults, name: str) -> None:
        if not isinstance(node, Scalar) or not re.fullmatch(r"[+-]?\d+", node.text):
            faults.add("E105", node, f"'{name}' must be a whole number, not {what(node)}.", f"Write a number: `{name}: {self.low or 10}`.")
        elif self.low is not None and int(node.text) < self.low or self.high is not None and int(node.text) > self.high:
            if self.high is None:
                span = f"at least {self.low}"
            else:
                span = f"from {self.low} to {self.high}" if self.low is not None else f"at most {self.high}"
            faults.add("E105", node, f"'{name}' must be {span}, not {node.text}.", "Write a number in this range.")

    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = {"type": "integer"}
        if self.low is not None:
            found["minimum"] = self.low
        if self.high is not None:
            found["maximum"] = self.high
        return found


@dataclass
class Number(Text):
    word: str = "number"

    def check(self, node: Node, faults: Faults, name: str) -> None:
        if not isinstance(node, Scalar) or not re.fullmatch(r"[+-]?(\d+(\.\d*)?|\.\d+)", node.text):
            faults.add("E105", node, f"'{name}' must be a number, not {what(node)}.", f"Write for example `{name}: 2.5`.")

    def json(self) -> dict[str, Any]:
        return {"type": "number"}


@dataclass
class Percent(Text):
    word: str = "percentage"

    def check(self, node: Node, faults: Faults, name: str) -> None:
        found = re.fullmatch(r"(\d+(?:\.\d*)?|\.\d+)\s*(%?)", node.text) if isinstance(node, Scalar) else None
        if not found:
            faults.add("E105", node, f"'{name}' must be a percentage, not {what(node)}.", f"Write for example `{name}: 25%`.")
        elif float(found[1]) > (100 if found[2] else 1):
            top = "100%" if found[2] else "1 (or written with %)"
            faults.add("E105", node, f"'{name}' must be at most {top}, not {found[0]}.", f"Write for example `{name}: 25%`.")

    def json(self) -> dict[str, Any]:
        return {"anyOf": [{"type": "string", "pattern": r"^[0-9.]+\s*%$"}, {"type": "number", "minimum": 0, "maximum": 1}]}


class OneOf(Text):
    """One of some words."""

    def __init__(self, *words: str, choices: Callable[[], Iterable[str]] | None = None, word: str = "", code: str = "E104") -> None:
        self.words = words
        self.choices = choices
        super().__init__(word or ("one of " + ", ".join(words)))
        self.code = code

    def all(self) -> list[str]:
        return list(self.choices()) if self.choices else list(self.words)

    def check(self, node: Node, faults: Faults, name: str) -> None:
        choices = self.all()
        if not isinstance(node, Scalar):
            faults.add("E102", node, f"'{name}' must be one word, not {what(node)}.", f"Write one of: {known(choices)}.")
        elif node.text not in choices:
            said = f"'{name}' cannot be '{shorten(node.text)}'." + meant(node.text, choices)
            faults.add(self.code, node, said, f"Write one of: {known(choices, 40)}.")

    def json(self) -> dict[str, Any]:
        return {"enum": self.all()}


@dataclass
class Name(Text):
    """A name: small letters, digits and _; it becomes a column, a Python attribute and part of addresses."""

    word: str = "name"

    def check(self, node: Node, faults: Faults, name: str) -> None:
        if not isinstance(node, Scalar):
            faults.add("E102", node, f"'{name}' must be a name, not {what(node)}.", f"Write `{name}: …` in one line.")
        else:
            check_name(node, faults)

    def json(self) -> dict[str, Any]:
        return {"type": "string", "pattern": "^[a-z][a-z0-9_]*$"}


def snake(text: str) -> str:
    """The snake_case name nearest to a text, `field` when nothing is left."""
    import unicodedata

    ascii_ = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    ascii_ = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", ascii_)
    found = re.sub(r"[^a-z0-9]+", "_", ascii_.lower()).strip("_")
    return found if found and not found[0].isdigit() else f"n_{found}" if found else "field"


def check_name(node: Scalar, faults: Faults, reserved: Iterable[str] | None = RESERVED) -> bool:
    """Report a name that is not snake_case, or (with `reserved`) a reserved word or a Python keyword; True when it is fine."""
    text = node.text
    if not NAME.match(text) or "__" in text or text.endswith("_"):
        mend = f"Write it in small letters, digits and _: '{snake(text)}'."
        faults.add("E107", node, f"'{shorten(text)}' is not a name.", mend)
        return False
    if reserved is None:
        return True
    if keyword.iskeyword(text) or keyword.iskeyword(text.capitalize()):
        faults.add("E108", node, f"'{text}' is a word of the expression language.", "Choose another name.")
        return False
    if text in reserved:
        faults.add("E108", node, f"the name '{text}' is reserved.", "Choose another name.")
        return False
    return True


@dataclass
class ListOf(Shape):
    """A list; with `single` one value alone is a list of one."""

    of: Shape
    single: bool = False
    word: str = ""

    def __post_init__(self) -> None:
        self.word = self.word or f"list of {plural(self.of.word)}"

    def check(self, node: Node, faults: Faults, name: str) -> None:
        if isinstance(node, Seq):
            for item in node:
                self.of.check(item, faults, name)
        elif self.single:
            self.of.check(node, faults, name)
        else:
            faults.add("E102", node, f"'{name}' must be a list, not {what(node)}.", f"Write `{name}: [one, two]`.")

    def json(self) -> dict[str, Any]:
        found = {"type": "array", "items": self.of.json()}
        return {"anyOf": [self.of.json(), found]} if self.single else found

    def takes(self, node: Node) -> bool:
        return isinstance(node, Seq) or self.single and self.of.takes(node)


def plural(word: str) -> str:
    return word if word.endswith("s") else word + "s"


@dataclass
class MapOf(Shape):
    """A mapping with keys of the author's choosing; `names`: they are names, `strict`: names that expressions use."""

    of: Shape
    names: bool = False
    strict: bool = False
    keys: Shape | None = None
    key: str = "name"
    word: str = ""

    def __post_init__(self) -> None:
        self.word = self.word or f"mapping of {self.key} to {self.of.word}"

    def check(self, node: Node, faults: Faults, name: str) -> None:
        if not isinstance(node, Map):
            if isinstance(node, Scalar) and node.is_null:
                return
            faults.add("E102", node, f"'{name}' must be a mapping, not {what(node)}.", f"Write `{self.key}: value` lines below `{name}:`.")
            return
        lower: dict[str, Scalar] = {}
        for key, value in node.items():
            if self.names:
                other = lower.get(key.text.lower())
                if other is None:
                    check_name(key, faults, RESERVED if self.strict else None)
                else:
                    clash = f"'{key.text}' and '{other.text}' (line {other.line}) differ only in capital letters."
                    faults.add("E109", key, clash, "Give one of them another name.")
            if self.keys is not None:
                self.keys.check(key, faults, name)
            lower[key.text.lower()] = key
            if not value.is_null:
                self.of.check(value, faults, key.text)

    def json(self) -> dict[str, Any]:
        value = self.of.json()
        found: dict[str, Any] = {"type": "object", "additionalProperties": {"anyOf": [value, {"type": "null"}]} if value else True}
        if self.names:
            found["propertyNames"] = {"pattern": "^[a-z][a-z0-9_]*$"}
        return found

    def takes(self, node: Node) -> bool:
        return isinstance(node, Map) or isinstance(node, Scalar) and node.is_null


@dataclass
class Key:
    """One key of a struct: its shape, what it means, an example of the value as YAML."""

    shape: Shape
    doc: str
    required: bool = False
    example: str = ""


class Struct(Shape):
    """A mapping with known keys; `hints` {wrong key: what to write instead}."""

    def __init__(self, word: str, keys: Mapping[str, Key], droppable: bool = True, hints: Mapping[str, str] | None = None) -> None:
        self.word, self.keys, self.droppable = word, keys, droppable
        self.hints: Mapping[str, str] = hints or {}

    def check(self, node: Node, faults: Faults, name: str) -> None:
        if not isinstance(node, Map):
            if not node.is_null:
                mend = f"Write `key: value` lines below `{name}:`; the keys are {known(self.keys)}."
                faults.add("E102", node, f"'{name}' must be a mapping, not {what(node)}.", mend)
            return
        for key, value in node.items():
            one = self.keys.get(key.text)
            if one is None:
                unknown_key(key, self.keys, faults, self.hints)
            elif not value.is_null:
                one.shape.check(value, faults, key.text)
        for key_name, one in self.keys.items():
            if one.required and (node.get(key_name) is None or node.values[key_name].is_null):
                mend = f"Add `{key_name}: {one.example or '…'}` ({one.doc.rstrip('.').lower()})."
                faults.add("E103", node, f"the key '{key_name}' is missing here.", mend)

    def json(self) -> dict[str, Any]:
        properties = {name: described(one) for name, one in self.keys.items()}
        if self.droppable:
            properties["drop"] = {"type": "boolean", "description": "true removes what the inherited configuration has here."}
        return {"type": "object", "properties": properties, "additionalProperties": False}

    def takes(self, node: Node) -> bool:
        return isinstance(node, Map) or node.is_null


def described(one: Key) -> dict[str, Any]:
    found = dict(one.shape.json())
    if found:
        found = {"anyOf": [found, {"type": "null"}]} if found.get("type") != ["string", "number", "boolean", "null"] else found
    found["description"] = one.doc + (f"\n\nExample: `{one.example}`" if one.example else "")
    return found


def unknown_key(key: Scalar, keys: Iterable[str], faults: Faults, hints: Mapping[str, str] | None = None) -> None:
    """Report a key that does not exist."""
    names = list(keys)
    hint = (hints or {}).get(key.text)
    if not hint and (" " in key.text or len(key.text) > 30):
        hint = "A comma ends a text inside { }: put the whole text in quotes."
    if hint:
        faults.add("E101", key, f"no key is called '{shorten(key.text)}' here.", hint)
        return
    said = meant(key.text, names)
    faults.add("E101", key, f"no key is called '{shorten(key.text)}' here.{said}", f"The keys here are: {known(names, 40)}.")


class Either(Shape):
    """One of several shapes, chosen by the kind of node (mapping, list or text)."""

    def __init__(self, *shapes: Shape, word: str = "") -> None:
        self.shapes = shapes
        self.word = word or " or ".join(shape.word for shape in shapes)

    def check(self, node: Node, faults: Faults, name: str) -> None:
        fitting = [shape for shape in self.shapes if shape.takes(node)]
        if not fitting:
            faults.add("E102", node, f"'{name}' must be {article(self.word)}, not {what(node)}.", f"Write {article(self.word)}.")
            return
        tried = []
        for shape in fitting:
            mine = Faults()
            shape.check(node, mine, name)
            if not mine:
                return
            tried.append(mine)
        for fault in tried[-1]:
            faults.append(fault)

    def json(self) -> dict[str, Any]:
        return {"anyOf": [shape.json() for shape in self.shapes]}

    def takes(self, node: Node) -> bool:
        return any(shape.takes(node) for shape in self.shapes)
