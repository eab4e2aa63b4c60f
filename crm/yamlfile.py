"""Reads YAML into nodes that remember where they stand, and keep every scalar as the text that was typed.

PyYAML alone turns `NO` into False, `01234` into 668 and `12:30` into 750, takes duplicate keys silently and forgets line and
column. Here a file becomes `Map`, `Seq` and `Scalar` nodes; whoever knows what a key means decides what its text is.
Anchors, aliases and tags are refused (no expansion, so no "billion laughs"; no objects), as are duplicate keys, more than one
document, files over 2 MB and nesting over 40 levels. Every refusal is a `Fault` with a way to mend it, never a traceback.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from crm.errors import Fault

MAX_BYTES = 2_000_000
MAX_DEPTH = 40

CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_FAST: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULLS = {"", "~", "null", "Null", "NULL"}


def _at(code: str, file: str, line: int, column: int, message: str, mend: str) -> Fault:
    return Fault(code=code, file=file, line=line, column=column, message=message, mend=mend)


@dataclass(slots=True, eq=False)
class Node:
    """Something in a YAML file and where it stands: file as shown to people, line and column from 1."""

    file: str
    line: int
    column: int

    def plain(self) -> Any:
        """The same as dict, list, str and None."""
        raise NotImplementedError

    @property
    def is_null(self) -> bool:
        return False


@dataclass(slots=True, eq=False)
class Scalar(Node):
    """A text as typed; `quoted` when it stood in quotes or in a block, so that `"null"` is a text and `null` is nothing."""

    text: str = ""
    quoted: bool = False
    raw: str = field(default="", repr=False)

    def plain(self) -> str | None:
        return None if self.is_null else self.text

    @property
    def is_null(self) -> bool:
        return not self.quoted and self.text in _NULLS

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column in the file of the character at `offset` of the text.

        Found by counting the characters that are not blank, so folded and block texts work too.
        """
        wanted = sum(1 for ch in self.text[:offset] if not ch.isspace())
        line, column, seen = self.line, self.column, 0
        body = self.raw
        if self.quoted and body[:1] in ("'", '"'):
            start = 1
        elif self.quoted and body[:1] in ("|", ">"):
            start = body.find("\n") + 1
        else:
            start = 0
        last = line, column
        for index, ch in enumerate(body):
            if index >= start and not ch.isspace():
                if seen == wanted:
                    return line, column
                seen += 1
                last = line, column + 1
            if ch == "\n":
                line, column = line + 1, 1
            else:
                column += 1
        return last if body else (self.line, self.column + offset)


@dataclass(slots=True, eq=False)
class Seq(Node):
    items: list[Node] = field(default_factory=list)

    def plain(self) -> list[Any]:
        return [item.plain() for item in self.items]

    def __iter__(self) -> Iterator[Node]:
        return iter(self.items)


@dataclass(slots=True, eq=False)
class Map(Node):
    """Keys in the order of the file; `keys` are the key nodes (their places), `values` what they hold."""

    keys: dict[str, Scalar] = field(default_factory=dict)
    values: dict[str, Node] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        return {key: value.plain() for key, value in self.values.items()}

    def __contains__(self, key: object) -> bool:
        return key in self.values

    def __iter__(self) -> Iterator[str]:
        return iter(self.values)

    def __len__(self) -> int:
        return len(self.values)

    def get(self, key: str) -> Node | None:
        return self.values.get(key)

    def put(self, key: Scalar, value: Node) -> None:
        self.keys[key.text] = key
        self.values[key.text] = value

    def remove(self, key: str) -> None:
        del self.keys[key], self.values[key]

    def items(self) -> Iterator[tuple[Scalar, Node]]:
        for key, value in self.values.items():
            yield self.keys[key], value


def read(path: str | Path, shown: str | None = None, text: str | None = None) -> tuple[Node | None, list[Fault]]:
    """The node of a file and what is wrong with it as YAML; (None, []) for an empty file.

    `shown` is how the file is called in faults; `text` is read instead of the file when given.
    """
    name = shown if shown is not None else str(path)
    if text is None:
        try:
            data = Path(path).read_bytes()
        except OSError as exc:
            reason = exc.strerror or type(exc).__name__
            return None, [_at("E001", name, 1, 1, f"this file cannot be read: {reason}.", "Check that it exists and may be read.")]
        if len(data) > MAX_BYTES:
            return None, [_too_big(name)]
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as exc:
            line = data.count(b"\n", 0, exc.start) + 1
            column = exc.start - (data.rfind(b"\n", 0, exc.start) + 1) + 1
            message = f"this is not UTF-8 text (byte 0x{data[exc.start]:02x})."
            return None, [_at("E002", name, line, column, message, "Save the file as UTF-8 in your editor.")]
    elif len(text) > MAX_BYTES:
        return None, [_too_big(name)]
    text = text.removeprefix("\ufeff")
    if found := CONTROL.search(text):
        line = text.count("\n", 0, found.start()) + 1
        column = found.start() - (text.rfind("\n", 0, found.start()) + 1) + 1
        message = f"a control character (U+{ord(found.group()):04X}) stands here."
        return None, [_at("E012", name, line, column, message, "Remove it; it is invisible in most editors.")]
    try:
        return _Builder(name, text).build(_FAST)
    except yaml.YAMLError:
        pass
    try:  # again without the C library, whose words differ: the message is the same everywhere
        return _Builder(name, text).build(yaml.SafeLoader)
    except yaml.YAMLError as exc:
        return None, [_syntax(name, text, exc)]


def _too_big(name: str) -> Fault:
    return _at("E009", name, 1, 1, "this file is larger than 2 MB.", "A configuration file is a few pages long; split it.")


def dump(data: Any) -> str:
    """YAML text for plain data (dict, list, str, None); texts that YAML would take for something else are quoted."""
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=120)


class _Builder:
    """Makes nodes from the parser's events with a stack of our own: depth costs no recursion."""

    def __init__(self, name: str, text: str) -> None:
        self.name, self.text = name, text
        self.faults: list[Fault] = []

    def build(self, loader: Any) -> tuple[Node | None, list[Fault]]:
        root: Node | None = None
        documents = 0
        stack: list[tuple[Node, list[Any]]] = []  # a node being filled, and [the key that waits for its value, or None]
        for event in yaml.parse(self.text, Loader=loader):
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self.fault("E008", event, "a second document starts here.", "One file holds one document: remove the `---`.")
                    return root, self.faults
                continue
            if isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
                stack.pop()
                continue
            if not isinstance(event, yaml.NodeEvent):
                continue
            node = self.node(event)
            if len(stack) >= MAX_DEPTH:
                self.fault("E010", event, f"this is nested deeper than {MAX_DEPTH} levels.", "Make it flatter.")
                return None, self.faults
            if stack:
                self.attach(stack[-1], node)
            else:
                root = node
            if isinstance(node, (Map, Seq)):
                stack.append((node, [None]))
        if isinstance(root, Scalar) and root.is_null:
            root = None
        return root, self.faults

    def attach(self, top: tuple[Node, list[Any]], node: Node) -> None:
        parent, waiting = top
        if isinstance(parent, Seq):
            parent.items.append(node)
        elif waiting[0] is None:
            if not isinstance(node, Scalar):
                self.add("E011", node, "a key must be a text, not a list or a mapping.", "Put quotes around it if it is a text.")
                node = Scalar(node.file, node.line, node.column, f"\0{node.line}:{node.column}", True)
            waiting[0] = node
        else:
            key, waiting[0] = waiting[0], None
            assert isinstance(parent, Map)
            if key.text.startswith("\0"):
                return
            if key.text in parent.keys:
                first = parent.keys[key.text].line
                where = f"in line {first}" if first != key.line else "in this line"
                self.add("E005", key, f"the key '{key.text}' was already given {where}.", "Keep one of the two.")
                return
            parent.put(key, node)

    def node(self, event: Any) -> Node:
        mark = event.start_mark
        line, column = mark.line + 1, mark.column + 1
        if isinstance(event, yaml.AliasEvent):
            self.fault("E006", event, f"the alias '*{event.anchor}' is not supported.", "Write the value out.")
            return Scalar(self.name, line, column, "", False)
        if event.anchor:
            self.fault("E006", event, f"the anchor '&{event.anchor}' is not supported.", "Write the value out where it is needed.")
        tag = getattr(event, "tag", None)
        if tag and not (isinstance(event, yaml.ScalarEvent) and tag == "!"):
            self.fault("E007", event, f"the tag '{tag}' is not supported.", "Remove it: what a value is follows from its key.")
        if isinstance(event, yaml.ScalarEvent):
            if hidden := CONTROL.search(event.value):  # written as an escape
                self.fault("E012", event, f"this text holds a control character (U+{ord(hidden.group()):04X}).", "Remove it.")
            end: Any = event.end_mark
            raw = self.text[mark.index : end.index]
            return Scalar(self.name, line, column, event.value, bool(event.style), raw)
        if isinstance(event, yaml.SequenceStartEvent):
            return Seq(self.name, line, column)
        return Map(self.name, line, column)

    def fault(self, code: str, event: Any, message: str, mend: str) -> None:
        mark = event.start_mark
        self.faults.append(_at(code, self.name, mark.line + 1, mark.column + 1, message, mend))

    def add(self, code: str, node: Node, message: str, mend: str) -> None:
        self.faults.append(_at(code, self.name, node.line, node.column, message, mend))


def _syntax(name: str, text: str, exc: yaml.YAMLError) -> Fault:
    """What YAML itself refuses, in words for somebody who does not know YAML's grammar."""
    mark = getattr(exc, "problem_mark", None) or getattr(exc, "context_mark", None)
    problem = str(getattr(exc, "problem", "") or "")
    context = str(getattr(exc, "context", "") or "")
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    lines = text.splitlines() or [""]
    here = lines[line - 1] if line <= len(lines) else ""
    for number in (line, line - 1):
        if 1 <= number <= len(lines) and (tab := re.match(r" *\t", lines[number - 1])):
            message = "a tab stands here; YAML is indented with spaces."
            return _at("E003", name, number, tab.end(), message, "Replace it with two spaces (editors can do it as you type).")
    if "mapping values are not allowed here" in problem:
        message = "a second ': ' in one line, or a line indented too far."
        return _at("E004", name, line, column, message, 'Put a text that holds ": " in quotes, or correct the indentation.')
    if "found character" in problem and "cannot start any token" in problem:
        what = here[column - 1 : column]
        return _at("E004", name, line, column, f"a text cannot start with '{what}' here.", "Put the text in quotes.")
    if "flow mapping" in context or "flow sequence" in context:
        opened = getattr(exc, "context_mark", None)
        sign = "{" if "mapping" in context else "["
        at = f" in line {opened.line + 1}" if opened is not None else ""
        if here[column - 1 : column] in ("[", "{") and here[: column - 1].rstrip()[-1:] not in (":", ",", "[", "{", "-", ""):
            message = f"a text inside {{ }} or [ ] cannot hold '{here[column - 1]}'."
            return _at("E004", name, line, column, message, "Put the whole text in quotes.")
        closing = "}" if sign == "{" else "]"
        message = f"the '{sign}' opened{at} is not closed, or a comma is missing before this."
        return _at("E004", name, line, column, message, f"Write ',' between the entries and '{closing}' at the end.")
    if "unknown escape" in problem:
        return _at(
            "E004", name, line, column, "there is no such escape as this one.", "Write '\\\\' for a backslash, or use single quotes."
        )
    if "quoted scalar" in context:
        opened = getattr(exc, "context_mark", None)
        if opened is not None:
            line, column = opened.line + 1, opened.column + 1
        return _at("E004", name, line, column, "this quote is not closed.", "Write the same quote at the end of the text.")
    if "could not find expected ':'" in problem:
        opened = getattr(exc, "context_mark", None)
        if opened is not None:
            line, column = opened.line + 1, opened.column + 1
        return _at("E004", name, line, column, "this line has no ': ' after its key.", "Write `key: value`, with a blank after the colon.")
    if "block mapping" in context or "block collection" in context or "block sequence" in context:
        message = "this line does not fit the lines above it."
        return _at("E004", name, line, column, message, "Indent it exactly like its neighbours, and write `key: value` (or `- item`).")
    words = problem or str(exc).splitlines()[0]
    return _at("E004", name, line, column, f"this is not YAML: {words}.", "Compare it with a file that works.")
