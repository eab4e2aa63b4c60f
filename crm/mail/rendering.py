"""Renders the templates of `mails/*.yaml` with Jinja, in its sandbox; values are shown as the reader's language writes them.

A template names fields by their keys, `{{ name }}`, `{{ account }}`, `{{ account.city }}`, and besides `me` (whoever writes; `{{ me.name }}`),
`you` (the colleague it goes to, where it goes to one), `today`, `link` (the record's address in the CRM) and `more` (what an automation
gives along). What the sender may not read is empty, and so is what the colleague it goes to may not.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING, Any

from jinja2 import TemplateError, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment, SecurityError

from crm.errors import Denied, Missing, Refused
from crm.records.actor import SYSTEM

if TYPE_CHECKING:
    from crm.records.company import Company
    from crm.records.record import Record

#: No mail is longer than this; a template that loops does not fill the store.
LONGEST = 200_000


class Quiet(Undefined):
    """What is not there is empty, also what would follow it."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __getitem__(self, key: Any) -> Any:
        return self


@lru_cache(maxsize=2)
def environment(html: bool) -> ImmutableSandboxedEnvironment:
    """The sandbox: no access to Python, nothing but what is handed in; with `html` every value is escaped."""
    made = ImmutableSandboxedEnvironment(autoescape=html, undefined=Quiet, trim_blocks=True, lstrip_blocks=True)
    made.globals.clear()
    return made


def render(
    company: Company,
    name: str,
    entity: str | None = None,
    id: int | None = None,
    by: int | None = None,
    language: str | None = None,
    more: Mapping[str, Any] | None = None,
    to: int | None = None,
) -> dict[str, str]:
    """`{subject, text, html}` of a template. Raises `Missing` when there is no such template or record, or not for the sender."""
    template = company.schema.mails.get(name)
    if template is None:
        raise Missing("There is no mail template {name}.", name=name)
    doors = [company.door(SYSTEM if by is None else by)]
    if to is not None and to != by:
        doors.append(company.door(to))
    words = company.words(language)
    names: dict[str, Any] = {"today": words.date(words.today()), "more": dict(more or {}), "link": ""}
    people = company.schema.users
    for word, who in (("me", by), ("you", to)):
        if who is not None and people is not None:
            names[word] = Shown(company, doors, people.entity, who, words)
    if entity is not None and id is not None:
        record = Shown(company, doors, entity, id, words)
        if not record:
            raise Missing()
        names["link"] = link_to(company, entity, id)
        names = {**names, **{key: value for key, value in record}}
    subject, text, html = (template.say(part, language) for part in ("subject", "text", "html"))
    said = {"subject": " ".join(_fill(subject, names, False).split()), "text": _fill(text, names, False).strip() + "\n"}
    said["html"] = _fill(html, names, True) if html else paragraphs(said["text"])
    return said


def _fill(text: str, names: Mapping[str, Any], html: bool) -> str:
    try:
        out: list[str] = []
        length = 0
        for piece in environment(html).from_string(text).generate(**names):
            length += len(piece)
            if length > LONGEST:
                raise Refused("This mail template writes more than a mail may hold.")
            out.append(piece)
        return "".join(out)
    except (TemplateError, SecurityError, TypeError, ValueError, ArithmeticError) as error:
        if isinstance(error, Refused):
            raise
        raise Refused("The mail template cannot be filled: {why}", why=str(error)) from error


def paragraphs(text: str) -> str:
    """A text as HTML: paragraphs, line ends kept, everything escaped."""
    parts = [escape(part).replace("\n", "<br>\n") for part in text.strip().split("\n\n") if part.strip()]
    return "<!doctype html>\n" + "\n".join(f"<p>{part}</p>" for part in parts) + "\n"


def address(company: Company) -> str:
    """Where the CRM is reached (`CRM_ADDRESS`, else `mail: {address: …}`), without a slash at the end; "" when nobody has said."""
    return (os.environ.get("CRM_ADDRESS", "") or company.schema.mail.address).rstrip("/")


def link_to(company: Company, entity: str, id: int) -> str:
    """The address of a record in the CRM, "" when nobody has said where that is."""
    base = address(company)
    return f"{base}/?view=record&entity={entity}&id={id}" if base else ""


class Shown:
    """A record in a template: its fields as texts through everybody's rights; a link's fields follow after a point. Empty for whoever
    may not see it."""

    __slots__ = ("_company", "_doors", "_entity", "_id", "_words", "_records")

    def __init__(self, company: Company, doors: list[Any], entity: str, id: int, words: Any) -> None:
        self._company, self._doors, self._entity, self._id, self._words = company, doors, entity, id, words
        self._records: list[Record] | None = None

    def _read(self) -> list[Record]:
        if self._records is None:
            try:
                self._records = [door.get(self._entity, self._id) for door in self._doors]
            except (Missing, Denied):
                self._records = []
        return self._records

    def __bool__(self) -> bool:
        return bool(self._read())

    def __str__(self) -> str:
        records = self._read()
        return records[-1].title if records else ""

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        return ((key, self[key]) for key in self._company.schema.entities[self._entity].fields)

    def __getitem__(self, key: str) -> Any:
        records = self._read()
        if not records or any(key not in record for record in records):
            return ""
        field = self._company.schema.entities[self._entity].fields[key]
        value = records[0][key]
        if value is None or value == "" or value == []:
            return ""
        if field.name == "link" and field.to:
            return Shown(self._company, self._doors, field.to, value, self._words)
        if field.to and isinstance(value, (list, tuple)):
            ids = [one["id"] if isinstance(one, Mapping) else one for one in value]
            return [one for one in (Shown(self._company, self._doors, field.to, id, self._words) for id in ids) if one]
        if field.to and isinstance(value, int):
            return Shown(self._company, self._doors, field.to, value, self._words)
        return Value(value, str(field.display(value, self._shown(records[0]))))

    def _shown(self, record: Record) -> Any:
        from dataclasses import replace

        return replace(self._doors[0].shown, t=self._words, record=record)


class Value:
    """A field's value: written as the language writes it, compared as what it is."""

    __slots__ = ("_value", "_text")

    def __init__(self, value: Any, text: str) -> None:
        self._value, self._text = value, text

    def __str__(self) -> str:
        return self._text

    def __bool__(self) -> bool:
        return bool(self._value)

    def __hash__(self) -> int:
        return hash(self._text)

    def __eq__(self, other: Any) -> bool:
        return bool(self._value == _plain(other))

    def __lt__(self, other: Any) -> bool:
        return bool(self._value < _plain(other))

    def __le__(self, other: Any) -> bool:
        return bool(self._value <= _plain(other))

    def __gt__(self, other: Any) -> bool:
        return bool(self._value > _plain(other))

    def __ge__(self, other: Any) -> bool:
        return bool(self._value >= _plain(other))


def _plain(other: Any) -> Any:
    return other._value if isinstance(other, Value) else other


def address_of(company: Company, user: int) -> str:
    """The e-mail address of a user; "" without one."""
    users = company.schema.users
    if users is None or not users.email:
        return ""
    doc = company.doc(users.entity, user)
    return str((doc or {}).get(users.email) or "")
