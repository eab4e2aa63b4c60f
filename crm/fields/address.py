"""Postal addresses."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, ClassVar

from tinydb.queries import QueryInstance

from crm.errors import Refused
from crm.expressions import text_like
from crm.fields.base import FIELD_TYPES, PLAIN, Field, Setting, Shown, is_empty
from crm.words import ENGLISH, Words, fold

words = ("Street", "Postcode", "City", "Region", "Country")
POSTCODE = (
    r"(?:[A-Z]{1,2}[- ]?)?\d{2}-\d{3}|[A-Z]{2}-\d{4,5}|\d{4,6}|\d{3} \d{2}|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|\d{5}-\d{4}|\d{4} ?[A-Z]{2}"
)


@lru_cache(maxsize=8)
def countries(language: str) -> dict[str, str]:
    """Country codes (ISO 3166) by name, in English and one more language."""
    found: dict[str, str] = {}
    for t in (ENGLISH, Words(language)):
        for code, name in t.locale.territories.items():
            if len(code) == 2 and code.isalpha() and code not in ("EU", "EZ", "UN", "XA", "XB", "QO", "ZZ"):
                found[fold(name)] = code
    return found | {"uk": "GB", "england": "GB", "usa": "US", "czech republic": "CZ", "holland": "NL"}


@FIELD_TYPES.add
class Address(Field):
    """A postal address in parts: street, postcode, city, region, country (ISO 3166 code). Typed in parts, or in lines as on an envelope."""

    name = "address"
    kind = "address"
    examples = {
        "ul. Prosta 5, 00-838 Warszawa, Poland": {"street": "ul. Prosta 5", "postcode": "00-838", "city": "Warszawa", "country": "PL"},
        "Hauptstr. 1\n10115 Berlin\nGermany": {"street": "Hauptstr. 1", "postcode": "10115", "city": "Berlin", "country": "DE"},
        "Warszawa": {"city": "Warszawa"},
        '{"street": "Main St 1", "city": "Oslo", "country": "Norway"}': {"street": "Main St 1", "city": "Oslo", "country": "NO"},
    }
    refuses = {"x" * 2001: "At most 1000 characters; this has 2001.", '{"planet": "Mars"}': "An address has no part called 'planet'."}
    operators: tuple[str, ...] = ("contains", "empty", "filled")
    editor_type = "address"
    searchable = True
    keys = ("street", "postcode", "city", "region", "country")
    aliases = {
        "zip": "postcode", "postal_code": "postcode", "postalcode": "postcode", "zipcode": "postcode", "plz": "postcode", "town": "city",
        "state": "region", "province": "region", "country_code": "country", "line1": "street", "address": "street",
    }  # fmt: skip

    def read(self, typed: Any, t: Words) -> Any:
        if isinstance(typed, str) and typed.lstrip().startswith("{"):
            typed = self.from_braces(typed)
        parts = typed if isinstance(typed, Mapping) else self.split(self.text(typed, lines=True, longest=1000), t)
        kept: dict[str, str] = {}
        for key, value in parts.items():
            name = self.aliases.get(str(key).strip().lower(), str(key).strip().lower())
            if name not in self.keys:
                raise Refused("An address has no part called '{name}'.", name=str(key)[:40])
            if is_empty(value):
                continue
            text = self.text(value, lines=name == "street", longest=500)
            if len(text) > 200:
                raise Refused("At most {max} characters; this has {n}.", max=200, n=len(text))
            if text:
                kept[name] = self.country(text, t) if name == "country" else text
        return {key: kept[key] for key in self.keys if key in kept}

    @staticmethod
    def from_braces(typed: str) -> Any:
        """An address written as JSON."""
        try:
            return json.loads(typed[:4000])
        except ValueError:
            return typed

    @staticmethod
    def country(text: str, t: Words) -> str:
        """A country as ISO code where it is known, else as typed."""
        if len(text) == 2 and text.upper() in t.locale.territories:
            return text.upper()
        return countries(t.language).get(fold(text), text)

    def split(self, text: str, t: Words) -> dict[str, str]:
        """The parts of an address in one line or several."""
        pieces = [piece.strip() for piece in re.split(r"[\n,;]+", text) if piece.strip()]
        parts: dict[str, str] = {}
        if len(pieces) > 1 and (fold(pieces[-1]) in countries(t.language) or (len(pieces[-1]) == 2 and pieces[-1].isupper())):
            parts["country"] = pieces.pop()
        for index in range(len(pieces) - 1, -1, -1):
            found = re.fullmatch(rf"({POSTCODE})\s+(\D.*)", pieces[index]) or re.fullmatch(rf"(\D.*?)\s+({POSTCODE})", pieces[index])
            if found and (index or len(pieces) == 1):
                code, city = (found[1], found[2]) if re.fullmatch(POSTCODE, found[1]) else (found[2], found[1])
                after = pieces[index + 1 :]
                parts |= {"postcode": code, "city": city} | ({"region": ", ".join(after)} if after else {})
                del pieces[index:]
                break
        if "city" not in parts and pieces and (len(pieces) > 1 or not re.search(r"\d", pieces[0])):
            parts["city"] = pieces.pop()
        if pieces:
            parts["street"] = "\n".join(pieces)
        return parts

    def from_json(self, stored: Any) -> Any:
        return {key: stored[key] for key in self.keys if stored.get(key)} or None if isinstance(stored, Mapping) else None

    def to_text(self, value: Any) -> str:
        return "" if not value else json.dumps(value, ensure_ascii=False)

    def display(self, value: Any, ctx: Shown = PLAIN) -> str:
        if not value:
            return ""
        place = " ".join(value[key] for key in ("postcode", "city") if key in value)
        street = ", ".join(value.get("street", "").split("\n"))
        return ", ".join(part for part in (street, place, value.get("region"), self.country_name(value.get("country", ""), ctx)) if part)

    @staticmethod
    def country_name(code: str, ctx: Shown) -> str:
        """A country in the user's language."""
        return str(ctx.t.locale.territories.get(code, code))

    def cell(self, value: Any, ctx: Shown = PLAIN) -> Any:
        if not value:
            return ""
        short = value.get("city") or value.get("region") or self.country_name(value.get("country", ""), ctx) or value.get("street", "")
        return {"text": short, "hint": self.display(value, ctx)}

    def edited(self, ctx: Shown = PLAIN) -> dict[str, Any]:
        return {"parts": [[key, ctx.t(label)] for key, label in zip(self.keys, words, strict=True)]}

    def compare(self, op: str, typed: Any, t: Words) -> QueryInstance:
        part = self.fragment(typed)
        conditions = [text_like("contains", (self.key, key), part) for key in self.keys]
        code = countries(t.language).get(fold(part))
        result = conditions[0]
        for one in conditions[1:]:
            result = result | one
        return result | (self.where["country"] == code) if code else result

    def sort_key(self, value: Any) -> Any:
        return tuple(value.get(key, "").casefold() for key in ("country", "city", "street"))

    @property
    def sort_path(self) -> str:
        return f"{self.key}.city"

    @property
    def search_paths(self) -> list[str]:
        return [f"{self.key}.{key}" for key in ("street", "postcode", "city", "region")]

    @property
    def parts(self) -> dict[str, str]:
        return dict.fromkeys(self.keys, "text")

    settings: ClassVar[dict[str, Setting]] = {}
