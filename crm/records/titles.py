"""How records are called: a template such as `{name}` or `{account} {kind} {other}`, filled with what the user may read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from crm.schema.model import Entity

_HOLE = re.compile(r"\{([A-Za-z_][\w.]*)(?:[:!][^}]*)?\}")
_HOLLOW = re.compile(r"\s*(\(\s*\)|\[\s*\])")
_EDGE = " \t·–—-,;:/|"


class Template:
    """A title template cut into texts and field keys once; `plain` is the key when the whole title is one text field."""

    __slots__ = ("parts", "keys", "plain", "texts")

    def __init__(self, text: str, entity: Entity) -> None:
        self.parts: list[tuple[str, str | None]] = []  # (text before, key)
        at = 0
        for hole in _HOLE.finditer(text):
            self.parts.append((text[at : hole.start()], hole.group(1)))
            at = hole.end()
        self.parts.append((text[at:], None))
        self.keys = [key for _, key in self.parts if key]
        only = self.keys[0] if len(self.parts) == 2 and len(self.keys) == 1 and not self.parts[0][0] and not self.parts[1][0] else None
        self.texts = frozenset(key for key in self.keys if key in entity.fields and getattr(entity.fields[key], "name", "") == "text")
        self.plain = only if only in entity.fields and getattr(entity.fields[only], "name", "") == "text" else None

    def fill(self, doc: Mapping[str, Any], id: int, readable: frozenset[str], say: Callable[[str, Mapping[str, Any], int], str]) -> str:
        """The title; pieces that are empty or not readable leave no orphaned dashes behind."""
        if self.plain is not None:
            value = doc.get(self.plain) if self.plain in readable else None
            return value if isinstance(value, str) else ""
        out, gap, found = "", False, False
        for text, key in self.parts:
            if key is None:
                value = ""
            elif key in self.texts:
                value = doc.get(key) or "" if key in readable else ""
            else:
                value = say(key, doc, id) if key.split(".")[0] in readable else ""
            if not out:
                text = text.lstrip(_EDGE) if gap else text
            out += text
            if key is not None:
                if value:
                    found = True
                    out += value
                else:
                    gap = True
                    out = out.rstrip(_EDGE)
        if not gap:
            return out.strip()
        return _HOLLOW.sub("", out).rstrip(_EDGE).strip() if found else ""
