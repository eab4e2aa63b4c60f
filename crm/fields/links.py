"""Links to several records, each with attributes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar

import param
from tinydb.queries import QueryInstance, where

from crm.errors import Refused
from crm.fields.base import FIELD_TYPES, PLAIN, Field, Setting, Shown, is_empty
from crm.fields.link import Link, record_id
from crm.words import Words


@FIELD_TYPES.add
class Links(Link):
    """Any number of records of the entity `to`, in order; `with` gives each link attributes of its own (a role, a date).

    Kept as `[{"id": 3, "role": "decides"}]`. Typed as ids, as such a list, or as text `3; 5`.
    """

    name = "links"
    kind = "list"
    settings: ClassVar[dict[str, Setting]] = {
        **Link.settings,
        "with": Setting("fields", "Attributes of each link: key: {type: …}"),
        "max": Setting("integer", "How many links (default 500)"),
    }
    examples = {
        "3; 5": [{"id": 3}, {"id": 5}],
        (4, 4, 2): [{"id": 4}, {"id": 2}],
        '[{"id": 3, "role": "Decides"}]': [{"id": 3, "role": "decides"}],
    }
    refuses = {"Anna": "Choose one from the list.", '[{"id": 3, "role": "boss"}]': "Role: 'boss' is not one of: Decides, Blocks."}
    example_spec: ClassVar[dict[str, Any]] = {"to": "thing", "with": {"role": {"type": "choice", "options": ["decides", "blocks"]}}}
    operators: tuple[str, ...] = ("is", "is_not", "any_of", "empty", "filled")
    editor_type = "links"
    sortable = False
    many = True

    def setup(self) -> None:
        super().setup()
        self.max = self.number_setting("max", 500) or 500
        self.attributes: dict[str, Field] = make_fields(self.spec.get("with"), self, "with")

    def bind(self, schema: Any) -> None:
        for attribute in self.attributes.values():
            attribute.path = f"{self.path}.with.{attribute.key}"
            attribute.bind(schema)

    def read(self, typed: Any, t: Words) -> Any:
        kept: dict[int, dict[str, Any]] = {}
        for one in self.several(typed):
            if is_empty(one):
                continue
            number = record_id(one)
            row = kept.setdefault(number, {"id": number})
            if isinstance(one, Mapping):
                row.update(self.attributes_of(one, t))
            if len(kept) > self.max:
                raise Refused("At most {max} of them.", max=self.max)
        return list(kept.values())

    @staticmethod
    def several(typed: Any) -> list[Any]:
        """The single links of what was typed."""
        if isinstance(typed, str) and typed.lstrip().startswith("["):
            try:
                typed = json.loads(typed[:200_000])
            except ValueError:
                raise Refused("Choose one from the list.") from None
        if isinstance(typed, str):
            typed = re.split(r"[;,\s]+", typed.strip()[:20_000])
        return list(typed) if isinstance(typed, (list, tuple, set, frozenset)) else [typed]

    def attributes_of(self, row: Mapping[Any, Any], t: Words) -> dict[str, Any]:
        """The cleaned attributes of one link; what is not an attribute (a title the editor shows) is left out."""
        found: dict[str, Any] = {}
        for key, attribute in self.attributes.items():
            if key in row:
                try:
                    value = attribute.clean(row[key], t)
                except Refused as error:
                    raise Refused("{field}: {problem}", field=attribute.label_in(t), problem=error) from error
                if value is not None:
                    found[key] = value
        return found

    def to_json(self, value: Any) -> Any:
        if value is None:
            return None
        rows = []
        for one in value:
            row = {"id": record_id(one)}
            if isinstance(one, Mapping):
                row |= {key: self.attributes[key].to_json(kept) for key, kept in one.items() if key in self.attributes and kept is not None}
            rows.append(row)
        return rows

    def from_json(self, stored: Any) -> Any:
        if not isinstance(stored, (list, tuple)):
            return None
        rows = []
        for one in stored:
            if isinstance(one, Mapping) and one.get("id").__class__ is int:
                row = {"id": one["id"]}
                for key, attribute in self.attributes.items():
                    if key in one and (value := attribute.from_json(one[key])) is not None:
                        row[key] = value
                rows.append(row)
            elif one.__class__ is int:
                rows.append({"id": one})
        return rows or None

    def to_text(self, value: Any) -> str:
        if not value:
            return ""
        if any(len(one) > 1 for one in value):
            return json.dumps(self.to_json(value), ensure_ascii=False)
        return "; ".join(str(one["id"]) for one in value)

    def from_text(self, text: Any, t: Words | None = None) -> Any:
        found = self.several(text) if isinstance(text, str) and text.lstrip().startswith("[") else None
        return self.from_json(found) if found is not None and all(isinstance(one, Mapping) for one in found) else self.clean(text, t)

    def typed(self, value: Any, ctx: Shown = PLAIN) -> Any:
        """Rows for the editor: attributes in their typed form."""
        return [
            {"id": one["id"]} | {key: self.attributes[key].typed(kept, ctx) for key, kept in one.items() if key in self.attributes}
            for one in value or []
        ]

    def shown(self, value: Any, ctx: Shown) -> list[dict[str, Any]]:
        """The links the user may see: `{"id", "text", "href", "hint" (the attributes)}`."""
        rows = []
        for one in value or []:
            title = ctx.title(self.to or "", one["id"])
            if title:
                about = [self.attributes[key].display(kept, ctx) for key, kept in one.items() if key in self.attributes]
                row = {"id": one["id"], "text": title, "href": f"?view=record&entity={self.to}&id={one['id']}"}
                rows.append(row | ({"hint": ", ".join(about)} if about else {}))
        return rows

    def display(self, value: Any, ctx: Shown = PLAIN) -> str:
        return ", ".join(f"{row['text']} ({row['hint']})" if row.get("hint") else row["text"] for row in self.shown(value, ctx))

    def cell(self, value: Any, ctx: Shown = PLAIN) -> Any:
        rows = self.shown(value, ctx)
        return {"text": ", ".join(row["text"] for row in rows), "items": rows} if rows else ""

    def edited(self, ctx: Shown = PLAIN) -> dict[str, Any]:
        with_ = [
            {"key": key, "label": attribute.label_in(ctx.t), "editor": attribute.editor(None, ctx)}
            for key, attribute in self.attributes.items()
        ]
        return {"to": self.to, "max": self.max, **self.asking(), **({"with": with_} if with_ else {})}

    def editor(self, value: Any = None, ctx: Shown = PLAIN) -> dict[str, Any]:
        result = super().editor(value, ctx)
        result["text"] = self.display(value, ctx)
        result["items"] = self.shown(value, ctx)
        return result

    def compare(self, op: str, typed: Any, t: Words) -> QueryInstance:
        ids = [record_id(one) for one in self.several(typed) if not is_empty(one)]
        if not ids:
            raise Refused("Say what to compare with.")
        inner = where("id").one_of(ids) if len(ids) > 1 else where("id") == ids[0]
        if op == "is" and len(ids) > 1:
            result = self.where.any(where("id") == ids[0])
            for number in ids[1:]:
                result = result & self.where.any(where("id") == number)
            return result
        found = self.where.any(inner)
        return ~found if op == "is_not" else found

    def parameter(self) -> param.Parameter:
        return param.List(default=None, allow_None=True, label=self.label, doc=self.help or None)

    def sort_key(self, value: Any) -> Any:
        return [one["id"] for one in value]


def make_fields(specs: Any, owner: Field, place: str) -> dict[str, Field]:
    """Fields within a field (attributes of links, columns of lines) from their YAML; what makes no sense goes to `owner.wrong`."""
    made: dict[str, Field] = {}
    if not isinstance(specs, Mapping):
        return made
    for key, spec in specs.items():
        spec = {"type": spec} if isinstance(spec, str) else spec
        name = str(spec.get("type", "text")) if isinstance(spec, Mapping) else ""
        if name not in FIELD_TYPES or name in ("lines", "links", "files", "stage", "pipeline", "autonumber", "rollup"):
            owner.wrong.append((place, Refused("'{name}' cannot be a field within a field.", name=name[:40])))
            continue
        field = FIELD_TYPES[name](str(key), spec, owner.entity)
        field.path = f"{owner.path}.{place}.{key}"
        made[str(key)] = field
        owner.wrong.extend((place, error) for _, error in field.wrong)
    return made
