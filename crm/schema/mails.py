"""Builds the mail templates and checks what they name: fields of their entity, fields behind links, the few words of their own."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import parseaddr
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.meta import find_undeclared_variables

from crm.schema.building import Building, own
from crm.schema.faults import known, meant, shorten
from crm.schema.model import Entity, MailTemplate
from crm.schema.reading import scalar, submap
from crm.yamlfile import Map, Scalar

#: What a template may name besides the fields of its entity.
WORDS = ("me", "you", "today", "link", "more")
PARTS = ("subject", "text", "html")


def build(b: Building) -> None:
    company(b)
    for name, node in b.things("mails"):
        path = f"mails.{name}"
        said = scalar(node, "entity")
        if said is not None and said.text in b.gone:
            b.gone.add(name)
            continue
        entity = b.reference(said, b.schema.entities, "entity", "E472") if said is not None else None
        one = b.schema.mails[name] = MailTemplate(
            **b.head("mails", name, node),
            entity=entity,
            schema=b.schema,
        )
        for part in PARTS:
            at = scalar(node, part)
            if at is not None and not at.is_null:
                setattr(one, part, b.text(f"{path}.{part}", at.text))
                check(b, at, b.schema.entities.get(entity or ""), said is None or entity is not None)


def company(b: Building) -> None:
    """`mail:` of crm.yaml."""
    node = b.tree.files.get("crm.yaml")
    said = submap(node, "mail") if node is not None else None
    if not said:
        return
    sender, address = scalar(said, "from"), scalar(said, "address")
    if sender is not None:
        if "@" not in parseaddr(sender.text)[1]:
            message = f"'{shorten(sender.text)}' is no address mails can come from."
            b.faults.add("E473", sender, message, "Write it as `crm@example.org` or `Sales <crm@example.org>`.")
        b.schema.mail.sender = sender.text
    if address is not None:
        if urlsplit(address.text).scheme not in ("http", "https") or not urlsplit(address.text).netloc:
            message = f"'{shorten(address.text)}' is no address of a web page."
            b.faults.add("E473", address, message, "Write it as `https://crm.example.org`.")
        b.schema.mail.address = address.text


def translated(b: Building) -> None:
    """The templates in other languages name the same fields; called when labels are read."""
    for language, node in b.tree.folder("labels"):
        for one in b.schema.mails.values():
            for part in PARTS:
                at = _within(node, [*one.path.split("."), part])
                if at is not None and part in _parts(one):
                    check(b, at, b.schema.entities.get(one.entity or ""))


def _parts(one: MailTemplate) -> list[str]:
    return [part for part in PARTS if getattr(one, part)]


def _within(node: Any, path: list[str]) -> Scalar | None:
    """The text at a path, written nested or with points."""
    if not path:
        return node if isinstance(node, Scalar) and not node.is_null else None
    if not isinstance(node, Map):
        return None
    for size in range(len(path), 0, -1):
        head = ".".join(path[:size])
        if head in node and (found := _within(node.get(head), path[size:])) is not None:
            return found
    return None


def check(b: Building, at: Scalar, entity: Entity | None, names: bool = True) -> None:
    """Report what is no template, and (`names`) every name in it that means nothing."""
    try:
        tree = Environment(autoescape=False).parse(at.text)
    except TemplateSyntaxError as error:
        message = f"this template cannot be read: {str(error.message).rstrip('.')}."
        b.faults.add(
            "E470", at, message, "Write fields as `{{ name }}`, conditions as `{% if amount %} … {% endif %}`.", _line(at, error.lineno)
        )
        return
    free = find_undeclared_variables(tree) if names else set()
    told: set[str] = set()
    for way in _named(tree):
        if way[0] in free and ".".join(way) not in told:
            told.add(".".join(way))
            _check(b, at, entity, way)


def _named(tree: nodes.Template) -> Iterator[list[str]]:
    """Every name with what follows its points, the longest first: `["account", "city"]`."""
    inner: set[int] = set()
    for node in tree.find_all((nodes.Getattr, nodes.Name)):
        way: list[str] = []
        here: Any = node
        while isinstance(here, nodes.Getattr):
            inner.add(id(here.node))
            way.insert(0, here.attr)
            here = here.node
        if id(node) not in inner and isinstance(here, nodes.Name):
            yield [here.name, *way]


def _check(b: Building, at: Scalar, entity: Entity | None, names: list[str]) -> None:
    head, rest = names[0], names[1:]
    place = max(at.text.find(".".join(names)), 0)
    people = b.schema.users
    here: Entity | None
    if entity is not None and head in entity.fields:
        here = entity
        rest = names
    elif head in ("me", "you"):
        here = b.schema.entities.get(people.entity) if people else None
    elif head in WORDS:
        if rest and head != "more":
            b.faults.add("E471", at, f"nothing follows '{head}'.", f"Write `{head}` alone.", place)
        return
    else:
        if head in b.gone:
            return
        if entity is None:
            message = f"this template has no entity, so there is nothing called '{shorten(head)}'." + meant(head, WORDS)
            b.faults.add("E471", at, message, f"Add `entity:`, or write one of: {known(WORDS)}.", place)
        else:
            message = f"the entity '{entity.name}' has no field '{shorten(head)}'." + meant(head, [*entity.fields, *WORDS])
            b.faults.add("E471", at, message, f"Its fields are: {known(own(entity), 40)}.", place)
        return
    for step in rest:
        if here is None or step not in here.fields:
            if here is not None and step not in b.gone:
                message = f"the entity '{here.name}' has no field '{shorten(step)}'." + meant(step, here.fields)
                b.faults.add("E471", at, message, f"Its fields are: {known(own(here), 40)}.", place)
            elif here is None:
                b.faults.add("E471", at, f"nothing follows '{'.'.join(names[:-1])}'.", f"Write `{names[0]}` alone.", place)
            return
        here = b.schema.entities.get(here.fields[step].to or "")


def _line(at: Scalar, number: int) -> int:
    """Where the text's line `number` (from 1) begins."""
    lines = at.text.split("\n")
    start = sum(len(line) + 1 for line in lines[: number - 1])
    return start + len(lines[number - 1]) - len(lines[number - 1].lstrip()) if number <= len(lines) else 0
