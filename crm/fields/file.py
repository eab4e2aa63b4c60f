"""One file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar

from tinydb.queries import QueryInstance

from crm.errors import Refused
from crm.expressions import text_like
from crm.fields.base import FIELD_TYPES, PLAIN, Field, Setting, Shown, tidy
from crm.words import Words


@FIELD_TYPES.add
class File(Field):
    """One file: its name, type, size in bytes, and `blob`, the SHA-256 under which the store keeps its content."""

    name = "file"
    kind = "file"
    settings: ClassVar[dict[str, Setting]] = {
        "accept": Setting("list", "Endings that may be uploaded: [pdf, docx]"),
        "size": Setting("number", "Largest file in megabytes (default 25)"),
    }
    examples = {
        json.dumps({"name": "C:\\a\\Offer.pdf", "type": "application/pdf", "size": 10, "blob": "a" * 64}): {
            "name": "Offer.pdf", "type": "application/pdf", "size": 10, "blob": "a" * 64,
        },
    }  # fmt: skip
    refuses = {"offer.pdf": "Upload the file.", '{"name": "x.pdf"}': "Upload the file."}
    operators: tuple[str, ...] = ("contains", "empty", "filled")
    editor_type = "files"
    sortable = False

    def setup(self) -> None:
        accept = self.spec.get("accept") or []
        accept = accept if isinstance(accept, (list, tuple)) else re.split(r"[,\s]+", str(accept))
        self.accept = [str(ending).strip().lower().lstrip(".") for ending in accept if str(ending).strip()]
        try:
            self.largest = int(float(self.spec.get("size") or 25) * 1_000_000)
        except (ValueError, TypeError, OverflowError):
            self.wrong.append(("size", Refused("'{text}' is not a number.", text=str(self.spec.get("size"))[:40])))
            self.largest = 25_000_000

    def read(self, typed: Any, t: Words) -> Any:
        return self.one(self.parsed(typed))

    @staticmethod
    def parsed(typed: Any) -> Any:
        """What a file's cell or an upload holds, JSON read."""
        if isinstance(typed, str):
            try:
                return json.loads(typed[:100_000])
            except ValueError:
                raise Refused("Upload the file.") from None
        return typed

    def one(self, typed: Any) -> dict[str, Any]:
        """One file's entry, checked."""
        if isinstance(typed, (list, tuple)) and len(typed) == 1:
            typed = typed[0]
        if not isinstance(typed, Mapping):
            raise Refused("Upload the file.")
        blob, size, name = typed.get("blob"), typed.get("size", 0), typed.get("name")
        if not isinstance(blob, str) or not re.fullmatch(r"[0-9a-f]{32,128}", blob):
            raise Refused("Upload the file.")
        name = re.split(r"[/\\]", tidy(name[:1000]) if isinstance(name, str) else "")[-1].strip(". ")[-200:] or "file"
        ending = name.rpartition(".")[2].lower() if "." in name else ""
        if self.accept and ending not in self.accept:
            raise Refused("Only files of these types: {types}.", types=", ".join(self.accept))
        if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size < 2**50:
            raise Refused("Upload the file.")
        if size > self.largest:
            raise Refused("At most {max} MB.", max=self.largest // 1_000_000)
        kind = typed.get("type")
        kind = kind if isinstance(kind, str) and re.fullmatch(r"[\w.+-]{1,60}/[\w.+-]{1,90}", kind, re.A) else "application/octet-stream"
        return {"name": name, "type": kind, "size": size, "blob": blob}

    def from_json(self, stored: Any) -> Any:
        return dict(stored) if isinstance(stored, Mapping) and stored.get("blob") else None

    def to_text(self, value: Any) -> str:
        return json.dumps(value, ensure_ascii=False) if value else ""

    def display(self, value: Any, ctx: Shown = PLAIN) -> str:
        return str(value.get("name", "")) if value else ""

    def cell(self, value: Any, ctx: Shown = PLAIN) -> Any:
        return {"text": self.display(value, ctx), "file": dict(value)} if value else ""

    def edited(self, ctx: Shown = PLAIN) -> dict[str, Any]:
        return {"accept": self.accept, "size": self.largest, "multiple": self.many}

    def compare(self, op: str, typed: Any, t: Words) -> QueryInstance:
        return text_like("contains", (self.key, "name"), self.fragment(typed))
