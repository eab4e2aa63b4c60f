"""What all of them are made of: labels with their translations, places in the YAML."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as fresh
from typing import Any

Keys = list[str]  # field keys; some classes below have an attribute called `list`


class Labelled:
    """Something with a `label`, a dotted `path` in the configuration and so a translation."""

    label: str
    path: str

    def label_in(self, t: Any = None) -> str:
        """The label in the language of `t`; the English one without `t` or without a translation."""
        return translated(t, f"{self.path}.label", self.label)

    def help_in(self, t: Any = None) -> str:
        """The help text in the language of `t`; "" where there is none."""
        english = getattr(self, "help", "") or ""
        return translated(t, f"{self.path}.help", english) if english else ""


def translated(t: Any, path: str, english: str) -> str:
    """The text at a dotted path of the configuration in the language of `t`, or the English one."""
    return t.label(path, english) if t is not None else english


@dataclass(slots=True)
class Source:
    """Where in the YAML something was said (file as given to `load`, line and column from 1)."""

    file: str = ""
    line: int = 1
    column: int = 1


@dataclass
class Thing(Labelled):
    """What one file of the configuration is about: its name and label, the module it belongs to, its place."""

    name: str
    label: str
    help: str = fresh(default="", kw_only=True)
    module: str | None = fresh(default=None, kw_only=True)
    path: str = fresh(default="", kw_only=True)
    source: Source = fresh(default_factory=Source, kw_only=True)
