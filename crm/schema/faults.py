"""Collects the mistakes of a configuration: all of them, each with a stable code, a place and a way to mend it.

Codes: E0 the file as YAML · E1 keys, types and names · E2 entities and fields · E3 pipelines · E4 roles (E46 automations) · E5 reports and
dashboards (E54 forecasts) · E6 import maps · E7 campaigns · E8 the company file and overlays · W9 warnings (missing labels), which do not stop
anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rapidfuzz import fuzz

from crm.errors import Fault
from crm.yamlfile import Map, Node, Scalar


class Faults(list[Fault]):
    """The faults found so far. `add` takes the node that is wrong, and where in its text when it is an expression."""

    def add(self, code: str, at: Any, message: str, mend: str, offset: int | None = None) -> None:
        line, column = at.line, at.column
        if offset is not None and isinstance(at, Scalar):
            line, column = at.place(offset)
        fault = Fault(code=code, file=at.file, line=line, column=column, message=message, mend=mend)
        if fault not in self:
            self.append(fault)

    def errors(self) -> list[Fault]:
        """Those that stop the configuration from being used, in the order of files and lines."""
        return sorted(fault for fault in self if not is_warning(fault))

    def warnings(self) -> list[Fault]:
        return sorted(fault for fault in self if is_warning(fault))


def is_warning(fault: Fault) -> bool:
    """Whether a fault only warns (missing labels): `crm check` shows it and still ends with exit code 0."""
    return fault.code.startswith("W")


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """The choice that was probably meant, or None when nothing is close."""
    best, score = None, 0.0
    plain = word.lower().replace("-", "_").replace(" ", "_")
    for choice in choices:
        other = choice.lower()
        found = fuzz.ratio(plain, other)
        if len(plain) >= 3 and (other.startswith(plain) or plain.startswith(other) and len(other) >= 4):
            found = max(found, 75.0)
        if found > score:
            best, score = choice, found
    return best if score >= 70 else None


def meant(word: str, choices: Iterable[str]) -> str:
    """` Did you mean 'x'?` or nothing."""
    found = nearest(word, choices)
    return f" Did you mean '{found}'?" if found is not None else ""


def known(choices: Iterable[str], limit: int = 12) -> str:
    """The choices as a readable list, cut when long."""
    names = list(choices)
    if len(names) > limit:
        return ", ".join(names[:limit]) + f" … ({len(names)} in all)"
    return ", ".join(names) if names else "(none)"


def what(node: Node) -> str:
    """What kind of YAML a node is, in words."""
    if isinstance(node, Map):
        return "a mapping"
    if isinstance(node, Scalar):
        return "nothing" if node.is_null else f"the text '{shorten(node.text)}'"
    return "a list"


def shorten(text: str, limit: int = 40) -> str:
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"
