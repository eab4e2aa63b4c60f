"""Names of people."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar

from tinydb.queries import QueryInstance

from crm.errors import Refused
from crm.expressions import text_like
from crm.fields.base import FIELD_TYPES, PLAIN, Field, Setting, Shown, is_empty
from crm.words import Words, fold

words = ("Title", "First name", "Last name")
TITLES = {
    "mr", "mrs", "ms", "miss", "mx", "sir", "dame", "dr", "prof", "rev", "hon", "herr", "frau", "pan", "pani", "inz", "mgr", "hab", "ing",
    "dipl", "mag", "lic", "doc", "gosp", "gdja", "ponas", "ponia", "dipl.-ing", "prof.dr", "dr.hab", "mag.", "ks", "fr", "lek", "adw", "gen", "kpt", "plk",
}  # fmt: skip
PARTICLES = {
    "van",
    "von",
    "de",
    "der",
    "den",
    "del",
    "della",
    "di",
    "da",
    "dos",
    "du",
    "la",
    "le",
    "ten",
    "ter",
    "bin",
    "al",
    "el",
    "zu",
    "af",
}


@FIELD_TYPES.add
class PersonName(Field):
    """A person's name in parts: title, first, last. Typed in parts or as one text: `Dr. Anna Nowak-Kowalska`, `Kowalska, Anna`."""

    name = "person_name"
    kind = "name"
    settings: ClassVar[dict[str, Setting]] = {}
    examples = {
        "Dr. Anna Nowak-Kowalska": {"title": "Dr.", "first": "Anna", "last": "Nowak-Kowalska"},
        "Kowalski, Jan Maria": {"first": "Jan Maria", "last": "Kowalski"},
        "prof. dr hab. Jan Nowak": {"title": "prof. dr hab.", "first": "Jan", "last": "Nowak"},
        "Ludwig van Beethoven": {"first": "Ludwig", "last": "van Beethoven"},
        "Cher": {"last": "Cher"},
        '{"first": "Ann", "last": "Lee"}': {"first": "Ann", "last": "Lee"},
    }
    refuses = {"x" * 401: "At most 100 characters; this has 401.", '{"nick": "Bo"}': "A name has no part called 'nick'."}
    operators: tuple[str, ...] = ("contains", "starts", "empty", "filled")
    editor_type = "name"
    searchable = True
    keys = ("title", "first", "last")
    aliases = {
        "firstname": "first", "first_name": "first", "given": "first", "lastname": "last", "last_name": "last", "family": "last", "surname": "last",
        "salutation": "title", "prefix": "title",
    }  # fmt: skip

    def read(self, typed: Any, t: Words) -> Any:
        if isinstance(typed, str) and typed.lstrip().startswith("{"):
            try:
                typed = json.loads(typed[:2000])
            except ValueError:
                pass
        parts = typed if isinstance(typed, Mapping) else self.split(self.text(typed, longest=200))
        kept: dict[str, str] = {}
        for key, value in parts.items():
            name = self.aliases.get(str(key).strip().lower(), str(key).strip().lower())
            if name not in self.keys:
                raise Refused("A name has no part called '{name}'.", name=str(key)[:40])
            if not is_empty(value):
                text = self.text(value, longest=200)
                if len(text) > 100:
                    raise Refused("At most {max} characters; this has {n}.", max=100, n=len(text))
                if text:
                    kept[name] = text
        if kept and set(kept) == {"title"}:
            raise Refused("A title alone is not a name.")
        return {key: kept[key] for key in self.keys if key in kept}

    @staticmethod
    def split(text: str) -> dict[str, str]:
        """The parts of a name in one text: titles first, the last word (with its particles) is the last name."""
        last, comma, rest = text.partition(",")
        tokens = (rest if comma and rest.strip() else text.replace(",", " ")).split()
        titles = []
        while len(tokens) > (0 if comma and rest.strip() else 1) and (
            fold(tokens[0]) in TITLES or re.fullmatch(r"(?:[A-Za-z]{1,5}\.){2,}", tokens[0])
        ):
            titles.append(tokens.pop(0))
        parts: dict[str, str] = {"title": " ".join(titles)} if titles else {}
        if comma and rest.strip() and last.strip():
            return parts | {"first": " ".join(tokens), "last": last.strip()}
        start = len(tokens) - 1
        while start > 1 and tokens[start - 1].lower() in PARTICLES:
            start -= 1
        return parts | {"first": " ".join(tokens[:start]), "last": " ".join(tokens[max(start, 0) :])}

    def from_json(self, stored: Any) -> Any:
        if isinstance(stored, str):
            return {"last": stored}
        return {key: stored[key] for key in self.keys if stored.get(key)} or None if isinstance(stored, Mapping) else None

    def to_text(self, value: Any) -> str:
        """`Dr. Anna Nowak` where that is read back as the same name, else its parts as JSON."""
        if not value:
            return ""
        text = self.display(value)
        return text if self.read(text, PLAIN.t) == value else json.dumps(value, ensure_ascii=False)

    def display(self, value: Any, ctx: Shown = PLAIN) -> str:
        return " ".join(value[key] for key in self.keys if value.get(key)) if value else ""

    def edited(self, ctx: Shown = PLAIN) -> dict[str, Any]:
        return {"parts": [[key, ctx.t(label)] for key, label in zip(self.keys, words, strict=True)]}

    def compare(self, op: str, typed: Any, t: Words) -> QueryInstance:
        """Every word typed is in some part (or begins one)."""
        result: QueryInstance | None = None
        for word in self.fragment(typed).split()[:8]:
            one = None
            for key in self.keys:
                found = text_like(op, (self.key, key), word)
                one = found if one is None else one | found
            assert one is not None
            result = one if result is None else result & one
        assert result is not None
        return result

    def sort_key(self, value: Any) -> Any:
        return tuple(value.get(key, "").casefold() for key in ("last", "first"))

    @property
    def sort_path(self) -> str:
        return f"{self.key}.last"

    @property
    def search_paths(self) -> list[str]:
        return [f"{self.key}.{key}" for key in ("first", "last")]

    @property
    def parts(self) -> dict[str, str]:
        return dict.fromkeys(self.keys, "text")
