"""What a record means among others, for its page: a statement of what it earns, the tree it stands in, who decides, relations.

All of it follows from the entity's `statements`, `tree`, `centre` and from entities with a `relation`; nothing is shown that the user
may not read.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tinydb.queries import where

from crm.errors import Denied, Missing, Refused
from crm.records import service
from crm.records.formulas import spoken
from crm.views.app import href

#: Branches drawn of a tree, and people of a buying centre.
MOST = 40
#: Since when a silence is long.
QUIET = timedelta(days=30)
#: Working minutes below which a deadline is near.
NEAR = 120


def wanted(entity: Any) -> bool:
    """Whether an entity has anything to tell here."""
    return bool(entity.statements or entity.tree or entity.centre)


def cards(page: Any) -> dict[str, Any]:
    """The content of the part `insights`."""
    entity = page.entity
    found = [centre(page)] if entity.centre is not None else []
    found += [statement(page, one) for one in entity.statements.values()]
    found += [branch(page)] if entity.tree is not None else []
    return {"cards": [one for one in found if one is not None]}


# --- a statement


def statement(page: Any, one: Any) -> dict[str, Any] | None:
    """What adds up to a figure, each line with where it comes from; lines that are not of this record's kind are left out."""
    record, entity, t = page.record, page.entity, page.t
    of_kind = set(entity.fields_of(record))
    if one.total not in record or one.total not in of_kind or record.get(one.total) is None:
        return None

    def lines(keys: list[str], sign: str) -> list[dict[str, Any]]:
        made = []
        for key in keys:
            if key not in record or key not in of_kind or (not record.get(key) and sign != "="):
                continue
            field, value = entity.fields[key], record.get(key)
            if value is None:
                continue
            whole = value.quantize(Decimal(1)) if field.kind == "money" and isinstance(value, Decimal) and abs(value) >= 100 else value
            made.append(
                {
                    "key": key,
                    "sign": sign,
                    "label": field.label_in(t),
                    "text": field.display(whole, page.shown),
                    "tone": "late" if isinstance(value, (int, Decimal)) and value < 0 else "",
                    "how": how(page, field),
                }
            )
        return made

    return {
        "kind": "statement",
        "key": one.key,
        "label": one.label_in(t),
        "lines": [*lines(one.plus, "+"), *lines(one.minus, "−"), *lines([one.total], "="), *lines(one.also, "")],
    }


def how(page: Any, field: Any) -> str:
    """Where a figure comes from, in words; its help where it is typed by hand."""
    expression = field.formula or field.rollup
    if expression is None or not hasattr(expression, "node"):
        return str(field.help_in(page.t))
    return spoken(expression, page.entity, page.app.schema, page.t)


# --- a tree


def branch(page: Any) -> dict[str, Any] | None:
    """The whole tree a record stands in, as far as the user may see it: from the highest one above it down."""
    entity, door = page.entity, page.door
    by = entity.tree.by
    if by not in page.record:
        return None
    root, seen = page.record, {page.id}
    while isinstance(root.get(by), int) and root[by] not in seen:
        try:
            root = door.get(entity.name, root[by])
        except (Missing, Denied):
            break
        seen.add(root.id)
    below: dict[int, list[Any]] = {}
    level, known, cut = [root.id], {root.id}, False
    while level and len(known) < MOST:
        found = [one for one in door.list(entity.name, where(by).one_of(level), limit=MOST) if one.id not in known]
        cut = cut or len(found) + len(known) > MOST
        for one in found:
            below.setdefault(one[by], []).append(one)
        level = [one.id for one in found]
        known.update(level)
    if len(known) < 2:
        return None
    figures = [key for key in entity.tree.figures if key in page.record]
    rows: list[dict[str, Any]] = []

    def add(one: Any, deep: int) -> None:
        told = [(entity.fields[key].label_in(page.t), text) for key in figures if (text := brief(page, entity.fields[key], one.get(key)))]
        rows.append(
            {
                "key": str(one.id),
                "title": one.title,
                "deep": min(deep, 6),
                "href": None if one.id == page.id else href(view="record", entity=entity.name, id=one.id),
                "here": one.id == page.id,
                "end": told[0][1] if told else "",
                "tip": " · ".join(f"{label}: {text}" for label, text in told),
            }
        )
        for child in below.get(one.id, ()):
            if len(rows) < MOST:
                add(child, deep + 1)

    add(root, 0)
    label = entity.fields[by].label_in(page.t)
    shown = page.t("Beside each: {figure}", figure=entity.fields[figures[0]].label_in(page.t)) if figures else label
    return {
        "kind": "branch",
        "key": "tree",
        "label": page.t("Structure"),
        "rows": rows,
        "note": shown,
        "more": page.t("There are more than can be shown here.") if cut else "",
    }


def brief(page: Any, field: Any, value: Any) -> str:
    """A figure in few letters."""
    if value is None:
        return ""
    if field.kind == "money":
        return str(page.t.money_short(value, getattr(field, "currency", "") or ""))
    return str(field.display(value, page.shown))


# --- who decides


def centre(page: Any) -> dict[str, Any] | None:
    """The people of a deal by what they do in it, how often and how long ago somebody was in touch with each; empty roles are gaps."""
    entity, t = page.entity, page.t
    rule = entity.centre
    if rule.people not in page.record:
        return None
    field = entity.fields[rule.people]
    column = field.attributes[rule.role]
    people = [one for one in page.record.get(rule.people) or [] if isinstance(one, dict)][:MOST]
    titles = page.door.titles(field.to, [one["id"] for one in people])
    touched = touches(page, field.to, list(titles))
    roles: list[dict[str, Any]] = []
    for role in [*column.options, None]:
        mine = [one for one in people if one["id"] in titles and one.get(rule.role) == role]
        gap = role in rule.wants and not mine
        if not mine and not gap:
            continue
        option = column.options.get(role) if role is not None else None
        roles.append(
            {
                "key": role or "other",
                "label": column.option_label(role, t) if role is not None else t("Role not known"),
                "color": option.color if option is not None and option.color else USUAL[len(roles) % len(USUAL)],
                "gap": t("Nobody yet") if gap else "",
                "people": [person(page, field.to, one["id"], titles[one["id"]], touched.get(one["id"])) for one in mine],
            }
        )
    may = rule.people in page.writable
    if not roles and not may:
        return None
    return {"kind": "centre", "key": rule.people, "label": field.label_in(t), "roles": roles, "may": may}


USUAL = ("green", "blue", "grey", "red", "violet")


def person(page: Any, entity: str, number: int, title: str, touched: tuple[int, datetime] | None) -> dict[str, Any]:
    t = page.t
    count, last = touched or (0, None)
    silent = last is None or t.now() - last > QUIET
    return {
        "key": str(number),
        "title": title,
        "href": href(view="record", entity=entity, id=number),
        "text": t("{n}×, last {ago}", n=count, ago=t.ago(last)) if last is not None else t("Never in touch yet"),
        "tone": "late" if silent else "",
    }


def touches(page: Any, people: str, ids: list[int]) -> dict[int, tuple[int, datetime]]:
    """{person: (how often, when last)} of what was done with each and this user may see."""
    roles = page.app.schema.activities
    if roles is None or not ids or not page.door.may("see", roles.entity):
        return {}
    activities = page.app.schema.entities[roles.entity]
    link = next((one.key for one in activities.own_fields.values() if one.name == "link" and one.to == people), None)
    readable = page.door.readable(roles.entity)
    if link is None or link not in readable or roles.done not in readable:
        return {}
    condition = where(link).one_of(ids) & where(roles.done).exists()
    rows = page.door.aggregate(roles.entity, [link], {"n": "count", "last": ("max", roles.done)}, condition)
    return {row["by"][0]: (row["n"], row["last"]) for row in rows if row["last"] is not None}


# --- relations


def ends(page: Any, other: Any) -> list[str]:
    """The lists of a record that an entity of relations fills from both ends."""
    rule = other.relation
    if rule is None:
        return []
    return [name for name, (entity, key) in page.entity.back.items() if entity == other.name and key in (rule.one, rule.other)]


def relations(page: Any, name: str, other: Any, most: int) -> dict[str, Any] | None:
    """One list of all relations of a record, each read from its own end: "supplies", "is supplied by"."""
    t, rule = page.t, other.relation
    word = other.fields[rule.word]
    items: list[dict[str, Any]] = []
    total = 0
    for back in ends(page, other):
        _, key = page.entity.back[back]
        far = rule.other if key == rule.one else rule.one
        try:
            records, count = page.door.back(page.entity.name, page.id, back, limit=most)
        except (Denied, Missing, Refused):
            continue
        total += count
        titles = page.door.titles(page.entity.name, [one[far] for one in records if isinstance(one.get(far), int)])
        for one in records:
            if one.get(far) in titles:
                items.append(
                    {
                        "key": f"{other.name}-{one.id}",
                        "title": titles[one[far]],
                        "sub": said(word, one.get(rule.word), key == rule.one, t),
                        "end": "",
                        "tone": "",
                        "face": "",
                        "glyph": page.entity.icon,
                        "href": href(view="record", entity=page.entity.name, id=one[far]),
                    }
                )
    may = page.door.may("create", other.name)
    if not items and not may:
        return None
    return {"name": name, "label": other.plural_in(t), "glyph": other.icon, "count": total, "items": items[:most], "all": None, "may": may}


def said(word: Any, value: Any, forward: bool, t: Any) -> str:
    """The word between two records, read from this end."""
    if value is None:
        return ""
    label = word.option_label(value, t)
    back = str((word.spec.get("options") or {}).get(value, {}).get("back") or "")
    return label if forward or not back else str(t.label(f"{word.path}.back.{value}", back))


# --- promises


def promise(app: Any, entity: Any, record: Any, key: str) -> dict[str, str] | None:
    """How a deadline of a service stands: working time left, or by how much it is missed; None for what is no running deadline."""
    one = entity.service
    role = next((role for role in ("resolve_by", "respond_by") if one is not None and one.fields.get(role) == key), None)
    if one is None or role is None or record.get(key) is None:
        return None
    t = app.t
    done = one.fields.get("resolved" if role == "resolve_by" else "responded", "")
    ended = record.get(one.fields["resolved"]) if one.fields["resolved"] in record else None
    when = record.get(done) if done in record else None
    when = when or ended
    if when is not None:
        late = when > record[key]
        return {"text": t("missed") if late else t("kept"), "tone": "late" if late else "good"}
    minutes = service.left(app.company, entity.name, record.id, record.stored, role)
    if minutes is None:
        return None
    length = span(abs(minutes), service.day(one), t)
    if minutes < 0:
        return {"text": t("{time} late", time=length), "tone": "late"}
    return {"text": t("{time} left", time=length), "tone": "soon" if minutes <= NEAR else ""}


def span(minutes: int, day: int, t: Any) -> str:
    """Working time in few letters: 35 min, 3 h, and from two working days of `day` minutes on in days."""
    if minutes < 60:
        return str(t("{n} min", n=minutes))
    return str(t("{n} h", n=round(minutes / 60)) if minutes < 2 * day else t("{n} working days", n=round(minutes / day)))


def ordered_by(app: Any, entity: Any, view: Any, record: Any) -> dict[str, str]:
    """What stands at the end of a line of a view with an order of its own: the value it is ordered by, a deadline as time left."""
    key = view.sort[0].lstrip("-") if view is not None and view.sort else ""
    if not key or key not in record or record.get(key) is None:
        return {}
    stands = promise(app, entity, record, key)
    if stands is not None:
        return {"end": stands["text"], "tone": stands["tone"]}
    cell = entity.fields[key].cell(record[key], app.shown)
    return {"end": str(cell.get("text", "") if isinstance(cell, dict) else cell)}
