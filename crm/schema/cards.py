"""What spares typing, said per entity: `remember:` (values of the last similar record) and `card:` (fields for a pasted signature)."""

from __future__ import annotations

from crm.schema.building import Building, own
from crm.schema.model import Entity, Remember
from crm.schema.reading import entries, scalars, submap, texts
from crm.yamlfile import Map, Node, Scalar

#: Which types of field may take what of a card.
TAKES = {
    "name": ("person_name", "text"), "job": ("text",), "company": ("link", "text"), "email": ("email",), "phone": ("phone",),
    "mobile": ("phone",), "fax": ("phone",), "web": ("url",), "address": ("address",),
}  # fmt: skip


def read_little_typing(b: Building, entity: Entity, node: Map) -> None:
    """`remember:` and `card:` of an entity, checked."""
    said = node.get("remember")
    if said is not None:
        entity.remember = remember(b, entity, said)
    for role, one in entries(submap(node, "card")):
        if isinstance(one, Scalar):
            card(b, entity, role, one)


def remember(b: Building, entity: Entity, said: Node) -> Remember:
    inside = isinstance(said, Map)
    made = Remember()
    for one in texts(said, "fields") if isinstance(said, Map) else scalars(said):
        key = b.field(one, entity)
        if key is None:
            continue
        field = entity.fields[key]
        if key in made.fields:
            b.faults.add("E230", one, f"'{key}' is remembered twice.", "Remove one of the two.")
        elif getattr(field, "system", False) or field.formula or field.rollup or field.fixed or field.unique:
            b.faults.add(
                "E231",
                one,
                f"'{key}' cannot be remembered: nobody types it, or no two records may share it.",
                "Name a field that users fill in.",
            )
        elif field.name in ("files", "file", "lines", "stage", "pipeline", "autonumber"):
            b.faults.add("E231", one, f"'{key}' is of type {field.name}, which is not remembered.", "Name a field that users fill in.")
        else:
            made.fields.append(key)
    for one in texts(said, "like") if inside else []:
        key = b.field(one, entity)
        if key is None:
            continue
        field = entity.fields[key]
        if field.kind in ("list", "lines", "links", "file", "address", "longtext", "name"):
            b.faults.add(
                "E232",
                one,
                f"records are not told alike by '{key}', which is of type {field.name}.",
                "Name a choice, a link or a short value.",
            )
        elif key in made.fields:
            b.faults.add("E232", one, f"'{key}' is remembered, so it cannot say which record is alike.", "Take it out of one of the two.")
        else:
            made.like.append(key)
    return made


def card(b: Building, entity: Entity, role: Scalar, one: Scalar) -> None:
    key = b.field(one, entity)
    if key is None:
        return
    field = entity.fields[key]
    wanted = TAKES.get(role.text, ())
    if wanted and field.name not in wanted:
        better = [name for name in own(entity) if entity.fields[name].name in wanted]
        mend = f"Name one of: {', '.join(better[:6])}." if better else f"Give the entity a field of type {' or '.join(wanted)} first."
        b.faults.add("E233", one, f"the {role.text} of a card cannot go into '{key}', which is of type {field.name}.", mend)
        return
    taken = next((other for other, name in entity.card.items() if name == key), None)
    if taken is not None:
        b.faults.add("E234", one, f"'{key}' takes the {taken} of a card already.", "Give each its own field.")
        return
    entity.card[role.text] = key
