"""Fields of entities: the keys every field takes, and those its type adds (`crm.fields`, class attribute `settings`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from crm.schema.faults import Faults, known, nearest, shorten
from crm.schema.language.common import COLOR, CONDITION, CURRENCY, FIELD, HELP, ICON, ICON_KEY, LABEL, WAS
from crm.schema.shapes import (
    Any_,
    Either,
    Expr,
    Flag,
    Key,
    ListOf,
    MapOf,
    Name,
    Number,
    OneOf,
    Percent,
    Shape,
    Struct,
    Text,
    Whole,
    unknown_key,
)
from crm.yamlfile import Map, Node, Scalar

OPTION = Struct(
    "option",
    {
        "label": LABEL,
        "color": Key(COLOR, "Colour of its badge.", example="green"),
        "icon": ICON_KEY,
        "help": HELP,
        "back": Key(Text("text"), "For the word of a relation: how it reads from the other end.", example="is supplied by"),
        "was": WAS,
    },
)
OPTIONS = Either(ListOf(Text("option")), MapOf(Either(Text("label"), OPTION), key="option"), word="list of options")

RULE = Struct(
    "rule",
    {
        "when": Key(CONDITION, "When this row holds; without it always, so it stands last.", example="years >= 5"),
        "value": Key(Any_(), "The value: an option of a choice, else an expression; none at all empties the field.", example="loyal"),
    },
)
MATCH = Struct(
    "comparison",
    {
        "value": Key(Expr("formula"), "What of this record is compared.", required=True, example="address.postcode"),
        "in": Key(FIELD, "Field over there that lists what belongs to it.", example="countries"),
        "starts": Key(FIELD, "Field over there with beginnings; the longest that fits wins.", example="postcodes"),
        "from": Key(FIELD, "Field over there: at least so much.", example="size_from"),
        "to": Key(FIELD, "Field over there: less than so much.", example="size_to"),
    },
)

LISTED = Struct(
    "price list",
    {
        "in": Key(Text("table"), "The table: `entity.lines`.", required=True, example="price_list.lines"),
        "by": Key(Text("column"), "The column both tables have that says what a line is about.", required=True, example="product"),
        "take": Key(Text("column"), "The column over there; the same name when absent.", example="price"),
        "when": Key(
            CONDITION,
            "Which lists apply: their own fields, and by the name of its entity the record the line is in.",
            example="active and segment == offer.account.segment",
        ),
        "newest": Key(FIELD, "Field over there: among several lists the one with the greatest wins.", example="valid_from"),
    },
)

#: The keys every field takes. Its type adds more.
FIELD_KEYS: dict[str, Key] = {
    "type": Key(OneOf(choices=lambda: field_types(), word="field type", code="E201"), "What it holds.", required=True, example="text"),
    "label": LABEL,
    "help": HELP,
    "required": Key(
        Either(Flag(), Expr("condition"), word="yes, no or a condition"),
        "Must be filled: always, or when a condition is true.",
        example="stage.outcome == 'lost'",
    ),
    "default": Key(
        Any_(),
        "Value of a new record: a value, or an expression. In a column of lines what a new line begins with, once what it reads is chosen:"
        " over the line's other cells, what they link to, and by the name of its entity the record itself.",
        example="today + 30d",
    ),
    "listed": Key(
        Either(LISTED, ListOf(LISTED), word="price list or a list of them"),
        "For columns of lines: looked up in price lists before `default`; of several the first that has it.",
        example="{in: price_list.lines, by: product, when: active, newest: valid_from}",
    ),
    "show": Key(CONDITION, "Shown only when this is true.", example="kind == 'customer'"),
    "formula": Key(
        Expr("formula"), "Computed from other fields of the record and its links; kept current.", example="amount * probability"
    ),
    "rollup": Key(
        Expr("formula"),
        "Computed from records that link here; kept current. It counts all of them, whoever reads it: roles that must not know it `hide` it.",
        example="sum(opportunities.amount)",
    ),
    "rule": Key(
        ListOf(RULE), "The first row whose condition holds gives the value; kept current.", example="[{when: years >= 5, value: loyal}, {value: new}]"
    ),
    "match": Key(
        ListOf(MATCH),
        "For links: the record over there that fits this one best, by what is filled over there; set at creation and whenever what is"
        " compared changes.",
        example="[{value: address.country, in: countries}]",
    ),
    "by_hand": Key(
        Flag(),
        "What somebody sets by hand stays, whatever `rule`, `formula`, `match` or a class says, until it is emptied again. A formula that"
        " gives nothing then leaves what is there: an amount follows its lines as soon as there are some.",
    ),
    "nightly": Key(Flag(), "A formula that reads linked records: computed anew once a day instead of at each change over there."),
    "was": WAS,
    "unique": Key(Flag(), "No two records may have the same value."),
    "search": Key(Flag(), "Its text is found by the global search; on by default for texts."),
    "fixed": Key(Flag(), "Nobody changes it by hand."),
    "index": Key(Flag(), "Filtered or sorted by often: keep an index."),
    "width": Key(Text("width"), "Width of its column or editor: narrow, normal, wide, or a number of pixels.", example="wide"),
    "placeholder": Key(Text("text"), "Pale text in the empty editor.", example="name@firm.com"),
    "after": Key(Name(), "In an overlay: stand after this field.", example="amount"),
}


def field_types() -> list[str]:
    from crm.fields import FIELD_TYPES

    return list(FIELD_TYPES)


def setting_shape(word: str) -> Shape:
    """The shape of a field type's own setting from the word its class uses."""
    shapes: dict[str, Shape] = {
        "text": Text(),
        "integer": Whole(),
        "whole": Whole(),
        "number": Number(),
        "decimal": Number(),
        "percent": Percent(),
        "boolean": Flag(),
        "flag": Flag(),
        "bool": Flag(),
        "expression": Expr(),
        "condition": Expr("condition"),
        "template": Text("template"),
        "options": OPTIONS,
        "list": ListOf(Text(), single=True),
        "texts": ListOf(Text(), single=True),
        "entity": Text("entity"),
        "name": Name(),
        "field": Text("field"),
        "fields": MapOf(FIELD_SPEC, names=True, strict=True, key="column", word="mapping of column to field"),
        "columns": MapOf(FIELD_SPEC, names=True, strict=True, key="column", word="mapping of column to field"),
        "icon": ICON,
        "color": COLOR,
        "currency": CURRENCY,
        "value": Any_(),
        "any": Any_(),
    }
    return shapes.get(word, Any_())


def settings_of(type_name: str) -> dict[str, tuple[str, str, tuple[str, ...]]]:
    """The settings of a field type: {key: (type word, doc, choices)}."""
    from crm.fields import FIELD_TYPES

    found: dict[str, tuple[str, str, tuple[str, ...]]] = {}
    for key, one in getattr(FIELD_TYPES[type_name], "settings", {}).items():
        if isinstance(one, (tuple, list)):
            word, doc = str(one[0]), str(one[1]) if len(one) > 1 else ""
            choices = tuple(one[2]) if len(one) > 2 and isinstance(one[2], (tuple, list)) else ()
        elif isinstance(one, Mapping):
            word, doc, choices = str(one.get("type", "any")), str(one.get("doc", "")), tuple(one.get("choices", ()))
        elif isinstance(one, str):
            word, doc, choices = "any", one, ()
        else:
            kind = getattr(one, "type", getattr(one, "kind", "any"))
            word = kind if isinstance(kind, str) else getattr(kind, "__name__", "any")
            doc, choices = str(getattr(one, "doc", "")), tuple(getattr(one, "choices", ()) or ())
        found[key] = (word, doc, choices)
    return found


def type_keys(type_name: str) -> dict[str, Key]:
    """All keys a field of this type takes."""
    from crm.fields import FIELD_TYPES

    return _type_keys(type_name, FIELD_TYPES[type_name])


@lru_cache(maxsize=200)
def _type_keys(type_name: str, cls: Any) -> dict[str, Key]:
    keys = dict(FIELD_KEYS)
    for key, (word, doc, choices) in settings_of(type_name).items():
        keys[key] = Key(OneOf(*choices) if choices else setting_shape(word), doc or key)
    return keys


@dataclass
class FieldSpec(Shape):
    """A field: the common keys and those of its type. One word alone is the type: `name: text`."""

    word: str = "field"

    def check(self, node: Node, faults: Faults, name: str) -> None:
        if isinstance(node, Scalar) and not node.is_null:
            FIELD_KEYS["type"].shape.check(node, faults, "type")
            return
        if not isinstance(node, Map):
            mend = f"Write `{name}: {{type: text}}`; the types are {known(field_types(), 40)}."
            faults.add("E102", node, f"the field '{name}' must be a mapping with its type.", mend)
            return
        kind = node.get("type")
        if kind is None or kind.is_null:
            at = node if len(node) == 0 else next(iter(node.keys.values()))
            slip = next((key for text, key in node.keys.items() if text not in FIELD_KEYS and nearest(text, FIELD_KEYS) == "type"), None)
            said = f" Did you mean 'type' by '{shorten(slip.text)}'?" if slip is not None else ""
            mend = f"Add `type:`, one of {known(field_types(), 40)}."
            faults.add("E202", slip or at, f"the field '{name}' has no type.{said}", mend)
            return
        FIELD_KEYS["type"].shape.check(kind, faults, "type")
        if not isinstance(kind, Scalar) or kind.text not in field_types():
            return
        keys = type_keys(kind.text)
        for key, value in node.items():
            if key.text not in keys:
                elsewhere = [one for one in field_types() if key.text in settings_of(one)]
                if elsewhere and key.text not in FIELD_KEYS:
                    said = f"a field of type '{kind.text}' takes no '{key.text}'."
                    faults.add("E203", key, said, f"It belongs to the types {known(elsewhere)}; remove it or change the type.")
                else:
                    unknown_key(key, keys, faults, {"options": "Only choice and choices have options."})
            elif not value.is_null:
                keys[key.text].shape.check(value, faults, key.text)

    def json(self) -> dict[str, Any]:
        return {"$ref": "#/definitions/field"}


FIELD_SPEC = FieldSpec()
