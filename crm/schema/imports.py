"""Builds the import maps and checks the fields they fill."""

from __future__ import annotations

from crm.schema.building import Building
from crm.schema.faults import known, meant, shorten
from crm.schema.model import Entity, ImportMap, Target
from crm.schema.reading import entries, maybe, scalar, scalars, source, submap, text, texts
from crm.yamlfile import Map, Node, Scalar, Seq

#: System fields an import may fill: the past of a record comes with it.
FILLABLE = ("created_on", "created_by", "changed_on", "stage_on")


def build(b: Building) -> None:
    for name, node in b.things("imports"):
        entity = b.entity(node, "E601")
        if entity is not None:
            b.schema.imports[name] = one(b, name, node, entity)


def one(b: Building, name: str, node: Map, entity: Entity) -> ImportMap:
    made = ImportMap(
        **b.head("imports", name, node),
        entity=entity.name,
        file=maybe(node, "file"),
        match=b.fields(texts(node, "match"), entity, "E602"),
        gates=text(node, "gates") or "check",
        dates=text(node, "dates") or "auto",
        decimal=text(node, "decimal") or "auto",
        encoding=maybe(node, "encoding"),
        delimiter=maybe(node, "delimiter"),
    )
    columns = submap(node, "columns")
    filled: dict[str, Scalar] = {}
    for column, value in entries(columns):
        targets = [target(b, item, entity) for item in (value.items if isinstance(value, Seq) else [value])]
        kept = [item for item in targets if item is not None]
        if kept:
            made.columns[column.text] = kept
        if len(kept) == 1 and not isinstance(value, Seq):
            place = kept[0].field + (f".{kept[0].part}" if kept[0].part else "")
            before = filled.get(place)
            if before is not None and not kept[0].find:
                message = f"'{place}' is filled by the column '{shorten(before.text)}' (line {before.line}) already."
                b.faults.add("E603", column, message, "Keep one, or list both fields' targets under one column.")
            filled.setdefault(place, column)
    for word, into in (("constants", made.constants), ("defaults", made.defaults)):
        for key, value in entries(submap(node, word)):
            field = entity.fields.get(key.text)
            if field is None or not isinstance(value, Scalar):
                if field is None:
                    b.field(key, entity, "E602")
                continue
            if word == "constants" and key.text in filled:
                message = f"'{key.text}' is filled by the column '{shorten(filled[key.text].text)}' already."
                b.faults.add("E603", key, message, "Write it below `defaults:` to use it where the file has none.")
            if field.name not in ("link", "links", "user", "team", "stage", "pipeline"):
                try:
                    field.clean(value.text)
                except ValueError as error:
                    b.faults.add(
                        "E604", value, f"'{key.text}' cannot be '{shorten(value.text)}': {_lower(error)}", "Write a value of the field."
                    )
            into[key.text] = value.text
    for key, value in entries(submap(node, "skip")):
        made.skip[key.text] = [word.text for word in scalars(value)]
    for said in texts(node, "ignore"):
        if said.text in made.columns:
            b.faults.add("E603", said, f"the column '{shorten(said.text)}' is used above.", "Take it out of `ignore:`.")
        made.ignore.append(said.text)
    return made


def target(b: Building, node: Node, entity: Entity) -> Target | None:
    said = node if isinstance(node, Scalar) and not node.is_null else scalar(node, "to")
    if said is None:
        return None
    key, _, part = said.text.partition(".")
    field = entity.fields.get(key)
    if field is None:
        b.field(said, entity, "E602", key)
        return None
    if field.computed or field.system and key not in FILLABLE:
        why = "is computed" if field.computed else "is the system's own"
        b.faults.add("E605", said, f"'{key}' {why}, so no file fills it.", "Leave this column out, or name it below `ignore:`.")
        return None
    parts = getattr(field, "parts", {})
    if part and part not in parts:
        message = f"'{key}' has no part '{shorten(part)}'." + meant(part, parts)
        b.faults.add("E606", said, message, f"Its parts are: {known(parts)}." if parts else f"Write `{key}` alone.")
        return None
    made = Target(key, part or None, format=maybe(node, "format"), source=source(said))
    find = scalar(node, "find")
    if find is not None:
        other = b.schema.entities.get(field.to or "")
        if other is None and field.name in ("link", "links", "user", "team"):
            return None  # where it leads is told elsewhere
        if other is None:
            b.faults.add("E607", find, f"'{key}' is no link, so nothing is to be found.", "Remove `find:`.")
        else:
            made.find = b.field(find, other, "E602")
    elif field.name in ("link", "links") and isinstance(node, Scalar):
        b.faults.add("E608", node, f"'{key}' is a link, and nothing says how the record is found.", f"Write `{{to: {key}, find: field}}`.")
    options = field.spec.get("options") or {}
    for text_, value in entries(submap(node, "values")):
        if isinstance(value, Scalar) and value.text and not value.is_null:
            if options and value.text not in options:
                b.reference(value, options, f"option of '{key}'", "E609")
            elif field.name == "stage":
                stages = {k: 1 for name in entity.pipelines for k in b.schema.pipelines[name].stages}
                b.reference(value, stages, f"stage of '{entity.name}'", "E609")
            elif field.name == "pipeline":
                b.reference(value, entity.pipelines, f"pipeline of '{entity.name}'", "E609")
            made.values[text_.text] = value.text
        elif isinstance(value, Scalar):
            made.values[text_.text] = ""
    other_ = node.get("otherwise") if isinstance(node, Map) else None
    if isinstance(other_, Map):
        made.otherwise = target(b, other_, entity) or "reject"
    elif isinstance(other_, Scalar) and not other_.is_null:
        if other_.text in ("reject", "empty", "keep"):
            made.otherwise = other_.text
        elif other_.text in entity.fields:
            made.otherwise = target(b, other_, entity) or "reject"
        else:
            choices = ("reject", "empty", "keep")
            message = f"'{shorten(other_.text)}' is not what can be done with a value that is not found." + meant(other_.text, choices)
            b.faults.add("E610", other_, message, "Write reject, empty, keep, or a field that takes it.")
    return made


def _lower(error: Exception) -> str:
    said = str(error)
    return said[:1].lower() + said[1:] if said[1:2].islower() else said
