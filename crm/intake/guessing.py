"""Which column of a file is which field: by key, by label in the user's languages, by common words, by likeness.

A guess is shown to the user before anything is written; it never takes two columns for one field.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from rapidfuzz import fuzz

from crm.schema.model import ImportMap, Target
from crm.words import fold

#: How alike (0 to 100) a column's name must be to a field's to be taken for it.
ALIKE = 88
#: What other systems call common things.
SYNONYMS = {
    "e mail": "email", "email address": "email", "mail": "email", "telephone": "phone", "tel": "phone", "telefon": "phone",
    "mobile phone": "mobile", "cell": "mobile", "company": "name", "company name": "name", "account name": "name", "firm": "name",
    "full name": "name", "zip": "postal code", "postcode": "postal code", "post code": "postal code", "town": "city", "web": "website", "www": "website",
    "url": "website", "homepage": "website", "title": "job", "position": "job", "job title": "job", "value": "amount", "vat": "tax id",
    "vat no": "tax id", "nip": "tax id", "comment": "note", "comments": "note", "notes": "note", "description": "note",
}  # fmt: skip
PARTS = {
    "street": "street", "city": "city", "town": "city", "zip": "postcode", "postal code": "postcode", "state": "region", "country": "country",
    "first name": "first", "last name": "last", "surname": "last", "salutation": "title", "title": "title", "first": "first", "last": "last",
}  # fmt: skip


def plain(name: str) -> str:
    """A column's name as words: `BillingStreet`, `billing_street` and `Billing street` are the same."""
    return re.sub(r"[^a-z0-9]+", " ", fold(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name))).strip()


def names_of(field: Any, t: Any) -> set[str]:
    """Everything a field may be called."""
    return {plain(field.key), plain(field.label or ""), plain(field.label_in(t) or "")} - {""}


def names_for(door: Any, entity: str) -> list[str]:
    """The text fields a record of this entity may be called by in a file: its title's, a user's login and e-mail."""
    one = door.schema.entities[entity]
    keys = [key for key in re.findall(r"\{(\w+)\}", one.title) if key in one.fields and one.fields[key].name == "text"]
    users = door.schema.users
    if users is not None and users.entity == entity:
        keys += [key for key in (users.login, users.email) if key]
    return keys


def guess_map(door: Any, entity: str, columns: Iterable[str], name: str = "") -> ImportMap:
    """A map for these columns: {column: field} for those that can be told; a column `id` matches records by their number."""
    one = door.schema.entities[entity]
    writable = door.writable(entity)
    fields = {key: field for key, field in one.fields.items() if key in writable and not getattr(field, "system", False)}
    called = {key: names_of(field, door.words) for key, field in fields.items()}
    left = list(columns)
    chosen: dict[str, list[Target]] = {}
    taken: set[str] = set()

    def take(column: str, target: Target) -> None:
        chosen[column] = [target]
        left.remove(column)
        if not target.part:
            taken.add(target.field)

    for column in [*left]:  # the very name, or `address.city`
        head, _, part = column.partition(".")
        named = next((key for key, names in called.items() if plain(column) in names and key not in taken), None)
        if named:
            take(column, Target(named))
        elif part and head in fields and getattr(fields[head], "kind", "") in ("address", "list"):
            take(column, Target(head, part=part))
    for column in [*left]:  # other systems' words
        other = SYNONYMS.get(plain(column))
        found = next((key for key, names in called.items() if other in names and key not in taken), None) if other else None
        if found:
            take(column, Target(found))
    for column in [*left]:  # parts of a name or an address
        piece = PARTS.get(plain(column)) or PARTS.get(" ".join(plain(column).split()[1:]))
        if piece is None:
            continue
        wanted = "person_name" if piece in ("first", "last", "title") else "address"
        home = next((key for key, field in fields.items() if getattr(field, "name", "") == wanted and key not in taken), None)
        if home and not (piece == "title" and not any(target.field == home for targets in chosen.values() for target in targets)):
            parts = getattr(fields[home], "parts", None)
            part = piece if not parts or piece in parts else next((one for one in parts if one.startswith(piece[:3])), piece)
            take(column, Target(home, part=part))
    for column in [*left]:  # nearly the same
        best = max(
            ((fuzz.ratio(plain(column), word), key) for key, names in called.items() if key not in taken for word in names),
            default=(0.0, ""),
        )
        if best[0] >= ALIKE:
            take(column, Target(best[1]))
    for column, targets in chosen.items():  # a link may be given by number, by what the record is called, a user by login
        field = fields.get(targets[0].field)
        to = getattr(field, "to", None)
        if to and not getattr(field, "many", False) and not targets[0].part:
            keys = ["id", *(key for key in names_for(door, to) if key in door.readable(to))]
            chosen[column] = [Target(targets[0].field, find=key) for key in keys]
    match = [key for key in ("id",) if "id" in (plain(column) for column in left)]
    if match:
        column = next(column for column in left if plain(column) == "id")
        chosen[column] = [Target("id")]
        left.remove(column)
    else:
        unique = [key for key in taken if getattr(fields.get(key), "unique", False)]
        match = unique[:1]
    return ImportMap(name or "guess", name or "guess", entity, columns=chosen, match=match, ignore=left)
