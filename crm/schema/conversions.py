"""Builds the conversions: what a record becomes, what is found first, what goes along (B3)."""

from __future__ import annotations

from crm.schema.building import Building
from crm.schema.entities import required
from crm.schema.faults import known, meant, shorten
from crm.schema.model import Conversion, ConversionTarget, Entity, Filling, Finding
from crm.schema.reading import entries, flag, nodes, percent, scalar, submap, text, texts
from crm.yamlfile import Map, Scalar


def build(b: Building) -> None:
    for name, node in b.things("conversions"):
        entity = b.entity(node, "E450")
        if entity is None:
            continue
        one = Conversion(
            **b.head("conversions", name, node, "Convert"),
            entity=entity.name,
            when=b.expression(scalar(node, "when"), entity.scope, "boolean"),
        )
        for key, below in entries(submap(node, "into")):
            made = target(b, one, entity, key, below if isinstance(below, Map) else Map(key.file, key.line, key.column))
            if made is not None:
                one.into[key.text] = made
        one.mark = filling(b, one, entity, entity, submap(node, "mark"))
        one.carry = [list_ for said in texts(node, "carry") if (list_ := b.reference(said, entity.back, f"list of '{entity.name}'", "E457"))]
        log = scalar(node, "log")
        roles = b.schema.activities
        if log is not None and roles is not None and roles.kind:
            kinds = b.schema.entities[roles.entity].fields[roles.kind].spec.get("options") or {}
            one.log = b.reference(log, kinds, "kind of activity", "E457")
        if one.into:
            b.schema.conversions[name] = one


def target(b: Building, conversion: Conversion, entity: Entity, key: Scalar, node: Map) -> ConversionTarget | None:
    """One record to be made."""
    at = scalar(node, "entity") or key
    if at.text in b.gone:
        return None
    found = b.reference(at, b.schema.entities, "entity", "E457")
    if found is None:
        return None
    other = b.schema.entities[found]
    path = f"{conversion.path}.into.{key.text}"
    one = ConversionTarget(
        name=key.text,
        label=b.text(f"{path}.label", text(node, "label") or other.label),
        entity=found,
        fill=filling(b, conversion, entity, other, node),
        optional=flag(node, "optional"),
        ask=[field for said in texts(node, "ask") if (field := b.field(said, other, "E458"))],
        path=path,
    )
    for below in nodes(node, "match"):
        if isinstance(below, Map) and (match := matching(b, entity, other, below)) is not None:
            one.match.append(match)
    filled = {*one.fill.set, *one.fill.values, *one.fill.links, *one.ask}
    lacking = [field for field, f in other.fields.items() if required(f) and not f.system and not f.computed and field not in filled]
    told = any(fault.file == node.file and fault.code in ("E457", "E458") for fault in b.faults)
    if lacking and not told:
        message = f"'{other.name}' must have {known(lacking)}, and nothing here fills {'it' if len(lacking) == 1 else 'them'}."
        b.faults.add("E458", key, message, f"Add `{lacking[0]}:` below `set:` or `values:`, or name it below `ask:`.")
    return one


def filling(b: Building, conversion: Conversion, entity: Entity, other: Entity, node: Map) -> Filling:
    """What fields of `other` are filled with."""
    one = Filling()
    for key, value in entries(submap(node, "set")):
        field = fillable(b, key, other)
        given = b.expression(value if isinstance(value, Scalar) else None, entity.scope) if field else None
        if field and given is not None:
            one.set[field] = given
    for key, value in entries(submap(node, "values")):
        field = fillable(b, key, other)
        if field is None or not isinstance(value, Scalar):
            continue
        options = other.fields[field].spec.get("options")
        if options and value.text not in options:
            message = f"'{shorten(value.text)}' is no option of '{field}'." + meant(value.text, options)
            b.faults.add("E458", value, message, f"Its options are: {known(options)}.")
            continue
        one.values[field] = value.text
    for key, value in entries(submap(node, "links")):
        field = fillable(b, key, other)
        if field is None or not isinstance(value, Scalar) or value.text in b.gone:
            continue
        if value.text not in conversion.into:
            message = f"no record called '{shorten(value.text)}' is made before." + meant(value.text, conversion.into)
            mend = f"There are: {known(conversion.into)}." if conversion.into else "Put what is linked to first."
            b.faults.add("E457", value, message, mend)
        elif other.fields[field].to != conversion.into[value.text].entity:
            message = f"'{field}' does not link to '{conversion.into[value.text].entity}'."
            fitting = [name for name, f in other.fields.items() if f.to == conversion.into[value.text].entity and not f.system]
            b.faults.add("E457", key, message, f"Its links there are: {known(fitting)}." if fitting else "Remove this line.")
        else:
            one.links[field] = value.text
    return one


def fillable(b: Building, key: Scalar, other: Entity) -> str | None:
    field = b.field(key, other, "E458")
    if field is None:
        return None
    if other.fields[field].computed or other.fields[field].formula is not None and not other.fields[field].follows or other.fields[field].system:
        message = (
            f"'{field}' {'is the system' + chr(39) + 's own' if other.fields[field].system else 'is computed'}, so it cannot be filled."
        )
        b.faults.add("E458", key, message, "Remove this line.")
        return None
    return field


def matching(b: Building, entity: Entity, other: Entity, node: Map) -> Finding | None:
    """A rule by which one that is there already is found."""
    one = Finding(over=float(percent(text(node, "over")) or 0.88))
    link = scalar(node, "link")
    if link is not None:
        key = b.field(link, entity, "E457")
        if key is None:
            return None
        if entity.fields[key].to != other.name:
            b.faults.add("E457", link, f"'{key}' does not link to '{other.name}'.", "Name a link to it, or match by fields.")
            return None
        one.link = key
    for word, kept in (("same", one.same), ("like", one.like)):
        for key_, value in entries(submap(node, word)):
            field = b.field(key_, other, "E457")
            given = b.expression(value if isinstance(value, Scalar) else None, entity.scope)
            if field is not None and given is not None:
                kept[field] = given
    if not (one.link or one.same or one.like):
        if not any(word in node for word in ("link", "same", "like")):
            b.faults.add("E457", node, "this rule does not say what must agree.", "Add `link`, `same` or `like`.")
        return None
    return one
