"""The YAML language: every kind of file, every key, its shape and what it means.

The check, the JSON Schema for editors and `LANGUAGE.md` are made from this one description. Field types add their own keys
(`crm.fields`, class attribute `settings`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from crm.schema.faults import Faults, known, meant, nearest, shorten
from crm.schema.icons import ICONS
from crm.schema.model import AGGREGATES, CATEGORIES, FORECASTS, LEVERS, OUTCOMES, UNITS
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

COLORS = ("blue", "green", "amber", "red", "violet", "teal", "pink", "grey", "orange", "indigo", "brown", "lime")


def _color(text: str) -> str | None:
    if text in COLORS or re.fullmatch(r"#[0-9a-fA-F]{6}", text):
        return None
    return f"'{shorten(text)}' is not a colour." + meant(text, COLORS)


def wrong_currency(text: str) -> str | None:
    from babel.numbers import is_currency, list_currencies

    return None if is_currency(text) else f"'{shorten(text)}' is not a currency." + meant(text.upper(), sorted(list_currencies()))


def _timezone(text: str) -> str | None:
    from zoneinfo import ZoneInfo, available_timezones

    try:
        ZoneInfo(text)
        return None
    except (KeyError, ValueError, OSError):
        return f"'{shorten(text)}' is not a time zone." + meant(text, sorted(available_timezones()))


def wrong_language(text: str) -> str | None:
    from babel.localedata import exists

    return None if re.fullmatch(r"[a-z]{2,3}(_[A-Za-z]+)?", text) and exists(text) else f"'{shorten(text)}' is not a language."


def _span(text: str) -> str | None:
    return None if text in UNITS or re.fullmatch(r"[1-9]\d{0,3}d", text) else f"'{shorten(text)}' is no period." + meant(text, UNITS)


def _icon(text: str) -> str | None:
    return None if text in ICONS else f"there is no icon '{shorten(text)}'." + meant(text, sorted(ICONS))


def _file_name(text: str) -> str | None:
    return None


LABEL = Key(Text("text"), "What users see; without it the name made readable.", example="Close date")
PLURAL = Key(Text("text"), "The label of many.", example="Companies")
HELP = Key(Text("text"), "What it means, for the glossary and beside the field.", example="In the customer's own words")
ICON = Text("icon", _icon, "E110", "The names are those of fonts.google.com/icons, in small letters with _.")
ICON_KEY = Key(ICON, "A Material icon.", example="trending_up")
COLOR = Text("colour", _color, "E111", f"Write one of {', '.join(COLORS)}, or `'#1f6feb'` in quotes.")
WAS = Key(
    ListOf(Name(), single=True), "Its former name: makes a rename a rename, so that `crm apply` moves the data.", example="close_date"
)
MODULE = Key(Name(), "The module it belongs to; modules are switched in crm.yaml.", example="marketing")
CONDITION = Expr("condition")
FIELD = Text("field")
FIELDS = ListOf(FIELD, single=True, word="list of fields")
NAMES = ListOf(Text("name"), single=True)

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
    "default": Key(Any_(), "Value of a new record: a value, or an expression.", example="today + 30d"),
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
    "by_hand": Key(Flag(), "What somebody sets by hand stays, whatever `rule`, `match` or a class says, until it is emptied again."),
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
        "currency": Text("currency", wrong_currency, "E113", "Write its three letters (ISO 4217): `EUR`."),
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

SORT = ListOf(Text("field"), single=True, word="list of fields")
FILTER = Struct(
    "filter",
    {
        "label": LABEL,
        "where": Key(CONDITION, "Which records.", required=True, example="owner == me"),
        "sort": Key(SORT, "Its own order; the list's otherwise.", example="[-profit]"),
    },
)
LIST = Struct(
    "list view",
    {
        "columns": Key(FIELDS, "Columns, by field or `link.field`.", example="[name, account, amount]"),
        "sort": Key(SORT, "Order; `-amount` is downwards.", example="[-amount]"),
        "filters": Key(
            MapOf(Either(CONDITION, FILTER), names=True, key="name", word="mapping of name to condition"),
            "Ready-made views: name and condition.",
            example="{mine: owner == me}",
        ),
    },
    hints={"fields": "Write `columns:`."},
)
ROWS = ListOf(Either(FIELD, ListOf(FIELD)), word="list of rows of fields")
FORM = MapOf(ROWS, key="group", word="mapping of group to rows of fields")
GROUPS = MapOf(FIELDS, key="group", word="mapping of group to fields")

KIND = Struct(
    "kind",
    {
        "label": LABEL,
        "plural": PLURAL,
        "icon": ICON_KEY,
        "show": Key(FIELDS, "Fields that only this kind (and others naming them) has.", example="[discount, credit_limit]"),
        "form": Key(FORM, "Groups that follow those of the entity's form; a field named here stands here only."),
        "list": Key(LIST, "Its own list."),
    },
)



def approval(before: Shape, doc: str, example: str, must: bool = False) -> Struct:
    """An approval: in a pipeline `before` names a stage, in an entity it is a condition."""
    limit = Struct("limit", {"up_to": Key(Number(), "Up to this amount, in the base currency.", example="50000")})
    return Struct(
        "need of an approval",
        {
            "when": Key(CONDITION, "When it is needed.", required=True, example="discount > 15%"),
            "by": Key(
                Either(NAMES, MapOf(limit, key="role"), word="list of roles, or mapping of role to limit"),
                "Roles who may grant it, with `up_to` as far as their word reaches.",
                required=True,
                example="{sales_manager: {up_to: 50000}, director: {}}",
            ),
            "before": Key(before, doc, required=must, example=example),
            "name": Key(Name(), "How it is kept; made from the fields of `when` when absent.", example="discount"),
            "amount": Key(FIELD, "The field `up_to` is compared with; the pipeline's amount when absent.", example="amount"),
            "of": Key(
                FIELDS, "Fields the word is given on: another value, and it is void. Those of `when` when absent.", example="[discount]"
            ),
            "say": Key(Text("text"), "What it is about, in words.", example="A discount over 15%"),
        },
        hints={"role": "Write `by:`.", "roles": "Write `by:`.", "limit": "Write `by: {role: {up_to: 50000}}`."},
    )


CARD_ROLES = ["name", "job", "company", "email", "phone", "mobile", "fax", "web", "address"]
CARD_DOC = {
    "name": "The name of the person, or of the firm where the entity has no people.",
    "job": "What the person does there.",
    "company": "Who employs the person: a link, or a text for one that is not among the records.",
    "mobile": "The mobile telephone.",
    "fax": "The fax number.",
    "web": "The web address.",
    "address": "The postal address.",
}


def roles_struct(word: str, required: Iterable[str], optional: Iterable[str], docs: Mapping[str, str]) -> Struct:
    keys = {
        name: Key(
            Text("entity" if name == "entity" else "field"), docs.get(name, f"The field that is the {name}."), name in tuple(required), name
        )
        for name in [*required, *optional]
    }
    return Struct(word, keys)


ENTITY = Struct(
    "entity",
    {
        "entity": Key(Name(), "Its name, the same as the file's.", required=True, example="opportunity"),
        "label": LABEL,
        "plural": PLURAL,
        "icon": ICON_KEY,
        "help": HELP,
        "title": Key(Text("template"), "How a record is called: a template over its fields.", example='"{name}"'),
        "subtitle": Key(Text("template"), "The line below the title.", example='"{account} · {amount}"'),
        "owner": Key(FIELD, "The field that says whose record it is (a user).", example="owner"),
        "fields": Key(
            MapOf(FIELD_SPEC, names=True, strict=True, key="name", word="mapping of name to field"),
            "Its fields, in order.",
            required=True,
            example="{name: {type: text, required: true}}",
        ),
        "checks": Key(
            ListOf(
                Struct(
                    "check",
                    {
                        "that": Key(CONDITION, "What must be true.", required=True, example="close_on >= created_on"),
                        "say": Key(Text("text"), "What the user is told when it is not.", required=True, example="Too early."),
                        "field": Key(FIELD, "Beside which field it is said.", example="close_on"),
                    },
                )
            ),
            "Rules over one record.",
        ),
        "duplicates": Key(
            ListOf(
                Struct(
                    "rule for duplicates",
                    {
                        "same": Key(FIELDS, "These fields agree.", example="[account, name]"),
                        "like": Key(FIELD, "This field is alike.", example="name"),
                        "over": Key(Percent(), "How alike, 0 to 1.", example="0.9"),
                    },
                )
            ),
            "When two records are suspected to be the same.",
        ),
        "form": Key(FORM, "The form: groups of rows of fields.", example="{General: [[name, account], [amount]]}"),
        "list": Key(LIST, "The list: columns, order, ready-made views."),
        "quick": Key(FIELDS, "What quick add asks.", example="[name, phone]"),
        "facts": Key(GROUPS, "Left column of the record page.", example="{Facts: [amount, close_on]}"),
        "related": Key(NAMES, "Lists of linked records shown on the record page, by the `back` names.", example="[contacts]"),
        "kinds": Key(
            Struct(
                "kinds",
                {
                    "field": Key(FIELD, "The choice field that decides.", required=True, example="kind"),
                    "of": Key(MapOf(KIND, key="option"), "Each kind, by the option.", required=True),
                },
            ),
            "Kinds of this entity, each with own fields, form and list.",
        ),
        "timeline": Key(
            Struct(
                "timeline",
                {
                    "on": Key(FIELD, "When it happened: a date or datetime field.", required=True, example="done_on"),
                    "kind": Key(Text("field or word"), "A choice field, or one word for all.", example="call"),
                    "title": Key(Text("template"), "Headline.", example='"{subject}"'),
                    "text": Key(FIELD, "Field of the text."),
                    "result": Key(FIELD, "Field of the result."),
                    "who": Key(FIELD, "Field of the user."),
                    "icon": ICON_KEY,
                },
            ),
            "Its records are events of whatever they link to.",
        ),
        "approvals": Key(
            ListOf(approval(CONDITION, "The change that waits for it: it is refused until granted.", "status == 'sent'", must=True)),
            "What needs somebody's word before it may come true.",
            example="[{when: discount > 15%, before: status == 'sent', by: sales_manager}]",
        ),
        "remember": Key(
            Either(
                FIELDS,
                Struct(
                    "what is remembered",
                    {
                        "fields": Key(FIELDS, "Fields that begin as in the last one.", required=True, example="[source, duration]"),
                        "like": Key(FIELDS, "The last one that is alike in these, the first being the most important.", example="[kind, account]"),
                    },
                ),
                word="list of fields, or mapping with fields and like",
            ),
            "A new one begins with these values of the last one its user made.",
            example="{fields: [duration, direction], like: [kind, account]}",
        ),
        "card": Key(
            roles_struct("card", [], CARD_ROLES, CARD_DOC),
            "Which field takes what of a pasted signature or business card, where the types of the fields do not say it.",
            example="{job: job, mobile: mobile, company: employer}",
        ),
        "tree": Key(
            Either(
                FIELD,
                Struct(
                    "tree",
                    {
                        "by": Key(FIELD, "The link to the record above.", required=True, example="parent"),
                        "figures": Key(FIELDS, "Fields shown on each branch.", example="[won_revenue]"),
                    },
                ),
                word="field or tree",
            ),
            "Its records lie below each other: circles are refused, `tree` in a rollup is the record and all below it, and "
            "`within(link, 'North')` asks for a whole branch.",
            example="parent",
        ),
        "relation": Key(
            Struct(
                "relation",
                {
                    "one": Key(FIELD, "The link to the one end.", required=True, example="account"),
                    "other": Key(FIELD, "The link to the other end.", required=True, example="other"),
                    "word": Key(FIELD, "The choice between them; its options say `back:` for the other end.", required=True, example="kind"),
                },
            ),
            "Its records say how two others stand to each other; both ends show it in their words.",
        ),
        "centre": Key(
            Struct(
                "buying centre",
                {
                    "people": Key(FIELD, "A links field to people.", required=True, example="contacts"),
                    "role": Key(Text("column"), "The column of the links that says what each does.", required=True, example="role"),
                    "wants": Key(ListOf(Text("option"), single=True), "Roles that should not be missing.", example="[decides, uses]"),
                },
            ),
            "Who decides, influences, uses, blocks: drawn as a small map on the record page.",
        ),
        "statements": Key(
            MapOf(
                Struct(
                    "statement",
                    {
                        "label": LABEL,
                        "plus": Key(FIELDS, "What adds to it.", example="[invoiced]"),
                        "minus": Key(FIELDS, "What is taken off.", example="[cost_to_serve]"),
                        "total": Key(FIELD, "The field that is the outcome.", required=True, example="profit"),
                        "also": Key(FIELDS, "Figures that follow from it.", example="[lifetime_value]"),
                    },
                ),
                names=True,
                key="name",
                word="mapping of name to statement",
            ),
            "Sums told on the record page, each figure with its formula.",
            example="{earnings: {plus: [invoiced], minus: [cost], total: profit}}",
        ),
        "next": Key(
            Struct(
                "next step",
                {
                    "on": Key(FIELD, "The field with the day of the next step.", required=True, example="next_on"),
                    "text": Key(FIELD, "The field that says what it is.", example="next_step"),
                    "open": Key(CONDITION, "Which records need one; all when absent.", example="status != 'closed'"),
                },
            ),
            "The next step agreed about a record: open ones without it are shown as a fault. A pipeline says it below its `fields:`.",
            example="{on: next_on, text: next_step, open: status != 'closed'}",
        ),
        "board": Key(
            Either(
                FIELD,
                Struct(
                    "board",
                    {
                        "by": Key(FIELD, "The choice field whose options are the columns.", required=True, example="status"),
                        "ended": Key(NAMES, "Options of what is over: of those only the last months are shown.", example="[solved, closed]"),
                        "amount": Key(FIELD, "What is summed above the columns.", example="cost"),
                        "next": Key(FIELD, "The day a card shows; else that of the next step.", example="deadline"),
                    },
                ),
                word="field or mapping",
            ),
            "A board by a choice field, for records without a pipeline.",
            example="status",
        ),
        "indexes": Key(ListOf(ListOf(FIELD)), "Fields often filtered together.", example="[[owner, stage]]"),
        "module": MODULE,
        "was": WAS,
    },
    hints={"name": "Write `entity:` for the name and `label:` for what users see.", "columns": "Columns stand below `list:`."},
)

#: What a record made in a later stage must meet.
BEGIN = ("earlier", "stage", "first")

STAGE = Struct(
    "stage",
    {
        "label": LABEL,
        "probability": Key(Percent(), "Chance to win; won is 100%, lost 0%.", example="25%"),
        "days": Key(Whole(low=0), "Days a record should stay at most.", example="14"),
        "forecast": Key(OneOf(*FORECASTS), "Forecast category.", example="best_case"),
        "do": Key(
            ListOf(
                Either(
                    Text("text"),
                    Struct(
                        "line of a checklist",
                        {
                            "text": Key(Text("text"), "What is to be done.", required=True, example="Find who decides"),
                            "must": Key(Flag(), "Ticked before the record moves on.", example="true"),
                            "name": Key(Name(), "How it is kept; made from the text when absent.", example="decider"),
                        },
                    ),
                    word="text or line of a checklist",
                ),
                single=True,
                word="list of lines",
            ),
            "Checklist: a text, or a text that must be ticked before the record moves on.",
            example="[Send the offer, {text: Find who decides, must: true}]",
        ),
        "require": Key(
            FIELDS, "What must be filled to enter this stage: fields, or lists of linked records (`offers`).", example="[need, budget]"
        ),
        "ask": Key(FIELDS, "Fields offered together with them.", example="[lost_to]"),
        "responsible": Key(
            NAMES, "The roles that do the work of this stage: only they (and admins) take a record on from it.", example="sales_manager"
        ),
        "guide": Key(Text("text"), "Work instruction, shown at the stage.", example="Ask what it costs them today."),
        "outcome": Key(OneOf(*OUTCOMES), "How it ends here.", example="won"),
        "color": Key(COLOR, "Colour of the column."),
        "help": HELP,
        "was": WAS,
        "after": Key(Name(), "In an overlay: stand after this stage.", example="offer"),
    },
    hints={"fields": "Write `require:`.", "percent": "Write `probability:`."},
)


def _move(*words: str) -> Shape:
    return Either(OneOf(*words), ListOf(Name()), word="one of " + ", ".join(words) + " or a list of names")


PIPELINE = Struct(
    "pipeline",
    {
        "pipeline": Key(Name(), "Its name, the same as the file's.", required=True, example="b2b"),
        "entity": Key(Text("entity"), "Whose records go through it.", required=True, example="opportunity"),
        "label": LABEL,
        "help": HELP,
        "fields": Key(
            Struct(
                "roles of fields",
                {
                    "stage": Key(FIELD, "The field of type stage.", example="stage"),
                    "amount": Key(FIELD, "What it is worth: a money field.", example="amount"),
                    "close": Key(FIELD, "When it is expected to close: a date field.", example="close_on"),
                    "owner": Key(FIELD, "Whose it is: a user field.", example="owner"),
                    "next": Key(FIELD, "Date of the next step.", example="next_on"),
                    "next_text": Key(FIELD, "What the next step is.", example="next_step"),
                    "account": Key(FIELD, "The customer it is about: a link.", example="account"),
                    "reason": Key(FIELD, "Why it was won or lost.", example="lost_reason"),
                    "closed": Key(FIELD, "When it was really closed: a date field.", example="closed_on"),
                    "probability": Key(FIELD, "The record's own probability: a percent field.", example="probability"),
                },
                droppable=False,
            ),
            "Which field of the entity plays which role.",
        ),
        "stages": Key(
            MapOf(STAGE, names=True, key="name", word="mapping of name to stage"),
            "The stages in order.",
            required=True,
            example="{new: {probability: 10%}}",
        ),
        "moves": Key(
            Struct(
                "moves",
                {
                    "forward": Key(_move("next", "any"), "One step, any, or the roles who may skip.", example="next"),
                    "back": Key(
                        _move("any", "none", "previous"), "Back to any stage, none, the one before, or the roles who may.", example="any"
                    ),
                    "won": Key(
                        _move("any"), "From any stage, or from these; when absent as any other step forward.", example="[negotiation]"
                    ),
                    "lost": Key(_move("any"), "From any stage, or from these.", example="any"),
                    "reopen": Key(_move("any", "none"), "Out of won or lost: anyone, none, or these roles.", example="[sales_manager]"),
                    "only": Key(
                        MapOf(ListOf(Name(), single=True), key="stage"),
                        "After this stage only these.",
                        example="{offer: [negotiation, lost]}",
                    ),
                },
            ),
            "Which moves are allowed.",
        ),
        "begin": Key(
            OneOf(*BEGIN),
            "What a record made in a later stage must have: all that the earlier stages ask for (the default), only what that stage asks for;"
            " or `first`: none is made in a later stage.",
            example="earlier",
        ),
        "approvals": Key(
            ListOf(approval(Text("stage"), "Into this stage or past it; every step onward when absent.", "won"), word="list of approvals"),
            "What needs somebody's word before it moves on.",
            example="[{when: discount > 15%, by: sales_manager}]",
        ),
        "when": Key(CONDITION, "Records that take this pipeline when none is chosen.", example="account.segment == 'b2c'"),
        "module": MODULE,
        "was": WAS,
    },
)

SCOPE = Expr("none, own, team, all or a condition")
RIGHTS = Struct(
    "rights",
    {
        "see": Key(SCOPE, "Which records the role sees.", example="team"),
        "create": Key(Either(Flag(), OneOf("none", "all", "own", "team"), word="yes or no"), "May create.", example="true"),
        "change": Key(SCOPE, "Which it may change.", example="own"),
        "delete": Key(SCOPE, "Which it may delete.", example="none"),
        "export": Key(SCOPE, "Which it may export.", example="own"),
        "hide": Key(FIELDS, "Fields it does not see.", example="[margin]"),
        "read_only": Key(FIELDS, "Fields it sees and does not change.", example="[credit_limit]"),
    },
    hints={
        "read": "Write `see:`.",
        "update": "Write `change:`.",
        "write": "Write `change:`.",
        "view": "Write `see:`.",
        "edit": "Write `change:`.",
    },
)
ROLE = Struct(
    "role",
    {
        "role": Key(Name(), "Its name, the same as the file's.", required=True, example="rep"),
        "label": LABEL,
        "help": HELP,
        "rights": Key(
            MapOf(Either(SCOPE, RIGHTS, word="scope or mapping"), key="entity"),
            "Rights by entity; `'*'` is for those not named. One word (`own`) is meant for every act.",
            example="{account: {see: all, change: own}}",
        ),
        "home": Key(Text("dashboard"), "The dashboard it starts with.", example="rep_home"),
        "admin": Key(Flag(), "May configure, and everything not restricted by its rights."),
        "modules": Key(NAMES, "The modules it sees; all when absent.", example="[sales]"),
        "was": WAS,
    },
)

AGGREGATE = {
    how: Key(Either(FIELD, Expr("formula")), f"The {how} of this field, or of a formula over the record.", example="amount")
    for how in AGGREGATES
    if how not in ("count", "rate")
}
MEASURE = Struct(
    "measure",
    {
        "label": LABEL,
        "count": Key(Either(Flag(), FIELD), "How many records.", example="true"),
        **AGGREGATE,
        "rate": Key(CONDITION, "Which part of the records this is true of.", example="stage.outcome == 'won'"),
        "at": Key(Percent(), "Of a quantile: which one.", example="90%"),
        "order": Key(FIELD, "Of first and last: by which date; without it the order of entry.", example="close_on"),
        "share": Key(Text("measure"), "Each row's part of the total of this measure.", example="revenue"),
        "running": Key(Text("measure"), "This measure summed up from the first row on.", example="share"),
        "survival": Key(
            Struct(
                "time to an end",
                {
                    "from": Key(FIELD, "The date it begins.", required=True, example="created_on"),
                    "to": Key(FIELD, "The date it ends.", required=True, example="close_on"),
                    "ended": Key(CONDITION, "When it is over; what is not counts as still running.", example="stage.outcome != None"),
                },
            ),
            "The part that still lasts after so many days (Kaplan and Meier), with its band; the only measure of its report.",
        ),
        "currency": Key(FIELD, "Of a sum or mean of money: the choice field that says each record's currency.", example="currency"),
        "rated": Key(FIELD, "The date whose rate (`rates:` in crm.yaml) turns it into the company's currency.", example="close_on"),
        "where": Key(CONDITION, "Only these records.", example="stage.outcome == 'won'"),
        "formula": Key(Expr("formula"), "From the other measures.", example="won / closed"),
        "as": Key(OneOf("number", "integer", "money", "percent", "duration", "date", "datetime"), "How it is shown.", example="percent"),
    },
)
AXIS = Struct(
    "axis",
    {
        "field": Key(Text("field"), "Field or `link.field`.", required=True, example="close_on"),
        "by": Key(OneOf(*UNITS), "Piece of time.", example="month"),
        "classes": Key(ListOf(Number()), "Cut into classes by their lower bounds.", example="[0, 10000, 50000]"),
        "level": Key(Whole(low=1), "Of a link into a tree: taken together so far below its top; 1 is the top.", example="1"),
        "first": Key(
            FIELD, "Of a link: a cohort, by the first such date among the records with the same link; `by` says the piece of time.", example="close_on"
        ),
        "where": Key(CONDITION, "Of a cohort: only these records count as the first.", example="stage.outcome == 'won'"),
        "label": LABEL,
    },
)
CHART = Struct(
    "chart",
    {
        "type": Key(OneOf(choices=lambda: chart_names(), word="chart", code="E505"), "The chart.", required=True, example="bars"),
        "x": Key(Text("axis or measure"), "What lies on x."),
        "y": Key(NAMES, "What lies on y."),
        "by": Key(Text("axis"), "What the colours mean."),
        "color": Key(Text("axis"), "What the colours mean."),
        "value": Key(Text("measure"), "The figure shown."),
        "label": Key(Text("axis"), "What names the pieces."),
        "size": Key(Text("measure"), "What the size means."),
        "source": Key(Text("axis"), "Where a flow starts."),
        "target": Key(Text("axis"), "Where a flow ends."),
        "stacked": Key(Flag(), "Pieces on each other."),
        "horizontal": Key(Flag(), "Bars lie down."),
        "options": Key(MapOf(Any_()), "What the chart itself understands."),
    },
)
REPORT = Struct(
    "report",
    {
        "report": Key(Name(), "Its name, the same as the file's.", required=True, example="revenue_by_month"),
        "label": LABEL,
        "help": HELP,
        "entity": Key(Text("entity"), "Whose records.", required=True, example="opportunity"),
        "where": Key(CONDITION, "Which records.", example="stage.outcome == 'won'"),
        "stays": Key(
            Either(
                FIELD,
                Struct(
                    "log of events",
                    {
                        "of": Key(FIELD, "Whose event it is.", required=True, example="case"),
                        "what": Key(FIELD, "What begins with it.", required=True, example="activity"),
                        "on": Key(FIELD, "When.", required=True, example="at"),
                    },
                ),
                word="field or log of events",
            ),
            "The rows are stays in this stage or choice field, not records: `stay.stage`, `stay.next`, `stay.since`, `stay.until`,"
            " `stay.days`, `stay.first`, `stay.ended`, `stay.forward` stand beside the record's fields.",
            example="stage",
        ),
        "span": Key(
            Text("period", _span, "E501", "Write one of day, week, month, quarter, year, fiscal_quarter, fiscal_year, or so many days: `90d`."),
            "Only the running period of `period`; with `compare` beside the same stretch before.",
            example="year",
        ),
        "by": Key(
            Either(
                ListOf(Text("axis")),
                MapOf(Either(Text("axis"), AXIS), names=True, key="name", word="mapping of name to axis"),
                Text("axis"),
                word="list of axes",
            ),
            "What it is cut by: fields, `link.field`, `month(close_on)`.",
            example="[month(close_on), owner]",
        ),
        "measures": Key(
            MapOf(Either(Expr("measure"), MEASURE), names=True, strict=True, key="name", word="mapping of name to measure"),
            "The figures: `count`, `sum(amount)`, `sum(amount, stage.outcome == 'won')`, `median(days(close_on - created_on))`,"
            " `quantile(amount, 90%)`, `distinct(account)`, `rate(stage.outcome == 'won')`, `share(revenue)`, or a formula of the others.",
            example="{revenue: sum(amount)}",
        ),
        "analysis": Key(
            Text("analysis"), "Instead of axes and measures: the analysis that works out the rows, by name.", example="quiet"
        ),
        "options": Key(MapOf(Any_()), "What the analysis understands; each says so in its own file.", example="{days: 90}"),
        "compare": Key(OneOf("previous", "last_year", "goal"), "Beside what.", example="last_year"),
        "goals": Key(
            MapOf(Text("option"), key="measure"),
            "With `compare: goal`: measure → what its goals are about (an option of the goals' `measure`); without it the first measure has"
            " the goals that `goals:` of crm.yaml speaks of.",
            example="{revenue: revenue}",
        ),
        "period": Key(Text("field"), "The date the comparison shifts.", example="close_on"),
        "chart": Key(
            Either(OneOf(choices=lambda: chart_names(), word="chart", code="E505"), CHART, word="chart"), "How it is drawn.", example="bars"
        ),
        "sort": Key(SORT, "Order, by axes and measures.", example="[-revenue]"),
        "limit": Key(Whole(low=1), "At most so many rows.", example="10"),
        "target": Key(Number(), "Goal of a single figure."),
        "green": Key(Number(), "Green from this on."),
        "amber": Key(Number(), "Amber from this on, red below."),
        "module": MODULE,
    },
)


#: Charts known without importing the drawing library; `chart_names` adds what is in `crm/charts` and in plug-ins.
CHARTS = ("bars", "funnel", "line", "number", "table")


def chart_names() -> list[str]:
    """The charts by the names of their files: nothing that draws is imported to check a configuration."""
    import importlib.util
    import sys
    from pathlib import Path

    names = set(CHARTS)
    spec = importlib.util.find_spec("crm.charts")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        names |= {file.stem for file in Path(folder).glob("*.py") if not file.stem.startswith("_") and file.stem not in ("base", "palette")}
    registry = getattr(sys.modules.get("crm.charts"), "CHARTS", None)
    names |= set(getattr(registry, "_classes", ()))
    return sorted(names)


def _wrong_figure(text: str) -> str | None:
    return None if re.fullmatch(r"-?\d+(\.\d*)?\s*%?", text) else f"'{shorten(text)}' is no number."


FIGURE = Text("figure", _wrong_figure, "E554", "Write a number or a part: `250000`, `40%`.")
KPI_MEASURE = Struct(
    "measure of a KPI",
    {
        "entity": Key(Text("entity"), "Whose records; the KPI's when absent.", example="opportunity"),
        "on": Key(Text("field"), "The date that says in which period a record counts; the KPI's when absent.", example="close_on"),
        "report": Key(Text("report"), "Or: a measure of this report, over all its records.", example="win_rate"),
        "measure": Key(Text("measure"), "Which of them; the one of the same name when absent.", example="win_rate"),
        **{key: one for key, one in MEASURE.keys.items() if key not in ("share", "running", "survival", "formula")},
    },
)
KPI = Struct(
    "KPI",
    {
        "kpi": Key(Name(), "Its name, the same as the file's.", required=True, example="quarter_revenue"),
        "label": LABEL,
        "help": HELP,
        "entity": Key(Text("entity"), "Whose records the measures are of.", example="opportunity"),
        "on": Key(Text("field"), "The date that says in which period a record counts; without one the figure is that of now.", example="close_on"),
        "measures": Key(
            MapOf(Either(Expr("measure"), KPI_MEASURE), names=True, strict=True, key="name", word="mapping of name to measure"),
            "The figures it is made of, as in reports.",
            example="{won: \"count(stage.outcome == 'won')\", decided: count(stage.outcome != None)}",
        ),
        "formula": Key(Expr("formula"), "The figure, from the measures and from other KPIs by name.", example="won / decided"),
        "as": Key(OneOf("number", "integer", "money", "percent", "duration"), "How it is shown.", example="percent"),
        "period": Key(
            Text("period", _span, "E501", "Write one of day, week, month, quarter, year, fiscal_quarter, fiscal_year, or so many days: `90d`."),
            "Over which running period; a month when absent.",
            example="quarter",
        ),
        "trend": Key(Whole(low=1, high=60), "How many periods stand beside each other.", example="8"),
        "target": Key(FIGURE, "What it should be.", example="40%"),
        "goals": Key(Text("option"), "Instead of a target: the goals about this (an option of the goals' `measure`).", example="revenue"),
        "pace": Key(Flag(), "The target of the running period is due by and by, day by day; green and amber are then parts of it."),
        "green": Key(FIGURE, "On target from here on; the target when absent.", example="40%"),
        "amber": Key(FIGURE, "Near the target from here on.", example="30%"),
        "better": Key(OneOf("higher", "lower"), "Which way is better; higher when absent.", example="lower"),
        "owner": Key(Text("role"), "The role that answers for it.", example="sales_manager"),
        "module": MODULE,
    },
    hints={"where": "Write `where:` inside a measure.", "by": "A KPI has no axes; write a report for that.", "light": "Write `green:` and `amber:`."},
)
CARD = Struct(
    "card",
    {
        "report": Key(Text("report"), "A report.", example="revenue_by_month"),
        "kpi": Key(Text("KPI"), "A KPI.", example="quarter_revenue"),
        "list": Key(Text("entity"), "Records of an entity.", example="opportunity"),
        "board": Key(Text("pipeline"), "A small board.", example="b2b"),
        "part": Key(Text("part"), "A part of the screen by name.", example="today"),
        "text": Key(Text("text"), "A few words."),
        "view": Key(Text("name"), "Which ready-made view of the list.", example="mine"),
        "where": Key(CONDITION, "Which records of the list."),
        "limit": Key(Whole(low=1), "At most so many.", example="5"),
        "label": LABEL,
        "width": Key(Whole(low=1, high=12), "Of 12 columns.", example="6"),
    },
)
DASHBOARD = Struct(
    "dashboard",
    {
        "dashboard": Key(Name(), "Its name, the same as the file's.", required=True, example="sales"),
        "label": LABEL,
        "help": HELP,
        "icon": ICON_KEY,
        "for": Key(NAMES, "Roles it is for; everyone when absent.", example="[sales_manager]"),
        "rows": Key(
            ListOf(Either(Text("report"), CARD, ListOf(Either(Text("report"), CARD)), word="row of cards")),
            "Rows of cards: reports by name, lists, boards.",
            required=True,
            example="[[revenue_by_month, {list: account}]]",
        ),
        "module": MODULE,
    },
)


class TargetShape(Struct):
    """Where a column goes; `otherwise` may hold another target."""

    def __init__(self) -> None:
        super().__init__("target", {})
        self.keys = {
            "to": Key(Text("field"), "The field; `address.city` is a part of one.", required=True, example="account"),
            "find": Key(Text("field"), "For links: the field of the linked record that holds this value.", example="external_id"),
            "values": Key(MapOf(Any_(), key="text in the file"), "Text in the file → value.", example="{Prospect: prospect}"),
            "otherwise": Key(
                Either(Text("word or field"), OtherwiseShape(self), word="reject, empty, keep or a target"),
                "When the value is not found: `reject` the row, leave `empty`, `keep` it, or another target.",
                example="empty",
            ),
            "format": Key(Text("text"), "How the value is written, when it is not clear.", example="%d.%m.%Y"),
        }


@dataclass
class OtherwiseShape(Shape):
    of: Struct
    word: str = "target"

    def check(self, node: Node, faults: Faults, name: str) -> None:
        self.of.check(node, faults, name)

    def json(self) -> dict[str, Any]:
        return {"type": "object"}

    def takes(self, node: Node) -> bool:
        return isinstance(node, Map)


TARGET = TargetShape()
IMPORT = Struct(
    "import map",
    {
        "import": Key(Text("name"), "Its name: the path of the file below imports/.", example="salesforce/Account"),
        "entity": Key(Text("entity"), "What the rows become.", required=True, example="account"),
        "label": LABEL,
        "help": HELP,
        "file": Key(Text("file name"), "The file it is for.", example="Account.csv"),
        "columns": Key(
            MapOf(Either(FIELD, TARGET, ListOf(Either(FIELD, TARGET)), word="field or target"), key="column"),
            "Column of the file → field, target, or several targets (the first that takes the value).",
            required=True,
            example="{Name: name, AccountId: {to: account, find: external_id}}",
        ),
        "match": Key(FIELDS, "Fields that say a record is already there.", example="[external_id]"),
        "constants": Key(MapOf(Text("value"), key="field"), "The same value in every row.", example="{source: import}"),
        "defaults": Key(MapOf(Text("value"), key="field"), "The value where the file has none.", example="{kind: customer}"),
        "skip": Key(
            MapOf(ListOf(Text("text"), single=True), key="column"),
            "Rows left out, by the text of a column (`empty`, `filled`).",
            example="{IsDeleted: ['1', 'true']}",
        ),
        "ignore": Key(ListOf(Text("column"), single=True), "Columns known and left out.", example="[PhotoUrl]"),
        "gates": Key(OneOf("check", "skip"), "Whether stages ask for their required fields.", example="skip"),
        "dates": Key(OneOf("auto", "iso", "dmy", "mdy", "ymd"), "Order of day, month, year.", example="dmy"),
        "decimal": Key(OneOf("auto", ".", ","), "Decimal sign.", example="','"),
        "encoding": Key(Text("encoding"), "Encoding when it cannot be told.", example="cp1250"),
        "delimiter": Key(Text("character"), "Delimiter when it cannot be told.", example="';'"),
    },
)

STEP_KEYS = {
    "label": LABEL,
    "after": Key(Text("step and days"), "When: `start - 30d`, `letter + 15d`.", example="letter + 15d"),
    "kind": Key(Text("kind"), "Kind of activity.", example="call"),
    "text": Key(Text("text"), "What to say or do."),
    "by": Key(Text("role"), "Role of the one who does it; the owner otherwise.", example="rep"),
    "priority": Key(Text("priority"), "Its priority.", example="high"),
    "budget": Key(Number(), "What it may cost, in the base currency.", example="1500"),
}
CAMPAIGN = Struct(
    "campaign type",
    {
        "campaign": Key(Name(), "Its name, the same as the file's.", required=True, example="fair"),
        "label": LABEL,
        "help": HELP,
        "icon": ICON_KEY,
        "tasks": Key(MapOf(Struct("planning task", STEP_KEYS), names=True, word="mapping of name to task"), "What must be planned, once."),
        "activities": Key(
            MapOf(Struct("activity", STEP_KEYS), names=True, word="mapping of name to activity"), "What is done with everyone on the list."
        ),
        "budget": Key(Number(), "What it may cost, in the base currency.", example="10000"),
        "responses": Key(
            Either(
                ListOf(Text("response")),
                MapOf(Either(Text("label"), Struct("response", {"label": LABEL, "good": Key(Flag(), "Counts as interest.")})), names=True),
                word="list of responses",
            ),
            "How people answer.",
            example="[interested, not_interested]",
        ),
        "module": MODULE,
    },
)


MAIL = Struct(
    "mail template",
    {
        "mail": Key(Name(), "Its name, the same as the file's.", required=True, example="thanks"),
        "label": LABEL,
        "help": HELP,
        "entity": Key(Text("entity"), "The entity whose fields it names.", example="opportunity"),
        "subject": Key(Text("text"), "The subject line: a Jinja template.", required=True, example="'Our talk about {{ name }}'"),
        "text": Key(
            Text("text"),
            "What it says: a Jinja template over the fields (`{{ account.city }}`), `me`, `you`, `today`, `link`.",
            required=True,
            example="'Dear {{ contact }}, thank you. {{ me.name }}'",
        ),
        "html": Key(Text("text"), "The same in HTML; made from the text when absent."),
        "module": MODULE,
    },
)


PACK_PART = Struct(
    "part",
    {
        "report": Key(Text("report"), "A report or KPI by name.", example="pipeline_change"),
        "heading": Key(Text("text"), "What stands above it; its own title when absent.", example="Since the last meeting"),
        "note": Key(Text("text"), "A few words below it, for those who read.", example="What slipped is talked about one by one."),
        "rows": Key(Whole(low=0, high=200), "So many rows of its table at most; 0 for the chart alone.", example="8"),
    },
)
PACK = Struct(
    "pack",
    {
        "pack": Key(Name(), "Its name, the same as the file's.", required=True, example="board_meeting"),
        "label": LABEL,
        "help": HELP,
        "for": Key(NAMES, "Roles it is made for and sent to.", example="[director]"),
        "people": Key(NAMES, "Sign-ins of more people it is sent to, whatever their role.", example="[anna]"),
        "every": Key(
            ListOf(Text("day and time"), single=True),
            "When it is sent, in the company's time: a day of the week, `day`, `month` (its first day), a day of the month, or `last`, and the"
            " time. Without it, it is made when somebody asks.",
            example="monday 07:00",
        ),
        "channels": Key(
            ListOf(OneOf("mail", "pdf"), single=True),
            "How it is sent: `mail` has the figures in the mail, `pdf` the file attached; both when absent.",
            example="[mail, pdf]",
        ),
        "parts": Key(
            ListOf(Either(Text("report"), PACK_PART), word="list of parts"),
            "What is in it, in this order: reports by name, each with its heading and note; or a heading with a note alone.",
            required=True,
            example="[pipeline_change, {report: win_rate, heading: How often we win}]",
        ),
        "module": MODULE,
    },
)


ENTITY_DOC = {"entity": "The entity."}
LINK = Struct(
    "navigation entry",
    {
        "list": Key(Text("entity"), "The list of an entity."),
        "board": Key(Text("pipeline"), "The board of a pipeline, or of an entity with a `board:`."),
        "dashboard": Key(Text("dashboard"), "A dashboard."),
        "report": Key(Text("report"), "A report."),
        "page": Key(Text("page"), "A page by name: home, calendar, reports, forecast, whatif, admin."),
        "view": Key(Text("name"), "Which ready-made view of the list."),
        "label": LABEL,
        "icon": ICON_KEY,
    },
)
COMPANY = Struct(
    "configuration",
    {
        "name": Key(Name(), "Its name.", required=True, example="sales"),
        "title": Key(Text("text"), "What users see above everything.", example="Sales"),
        "extends": Key(Text("name or path"), "The configuration it builds on: a shipped one by name, or a folder.", example="base"),
        "languages": Key(
            ListOf(Text("language", wrong_language, "E112", "Write its code: en, pl, sr, lt."), single=True),
            "Languages, the first is the default.",
            example="[en, pl]",
        ),
        "currency": Key(Text("currency", wrong_currency, "E113", "Write its three letters (ISO 4217): `EUR`."), "Base currency.", example="EUR"),
        "timezone": Key(
            Text("time zone", _timezone, "E114", "Write it as Europe/Warsaw (IANA)."),
            "Time zone of those who have none.",
            example="Europe/Warsaw",
        ),
        "country": Key(Text("country"), "Where phone numbers and addresses without a country are from (two letters).", example="PL"),
        "first_day": Key(
            OneOf("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"), "First day of the week.", example="monday"
        ),
        "rates": Key(
            MapOf(MapOf(Number(), key="day"), key="currency"),
            "What one unit of another currency is worth in the base currency, from a day on.",
            example="{USD: {2026-01-01: 0.92}}",
        ),
        "fiscal_start": Key(Whole(low=1, high=12), "Month the business year starts with.", example="1"),
        "users": Key(
            roles_struct("roles of the users", ["entity"], ["name", "login", "email", "role", "team", "language", "active"], ENTITY_DOC),
            "Which entity holds the users, and its fields by role.",
            example="{entity: user, login: login, role: role}",
        ),
        "teams": Key(
            roles_struct("roles of the teams", ["entity"], ["name", "parent", "head"], ENTITY_DOC), "Which entity holds the teams."
        ),
        "goals": Key(
            Struct(
                "roles of the goals",
                {
                    **roles_struct("", ["entity", "target", "from", "to"], ["owner", "team", "measure"], ENTITY_DOC).keys,
                    "of": Key(FIELDS, "Links to what else a goal may be for.", example="[territory, product]"),
                    "where": Key(CONDITION, "Only goals of what the pipeline brings in.", example="measure == 'revenue'"),
                },
            ),
            "Which entity holds the goals, and its fields by role.",
            example="{entity: goal, target: target, from: starts_on, to: ends_on, owner: owner}",
        ),
        "forecast_adjustments": Key(
            Struct(
                "roles of the adjustments",
                {
                    **roles_struct("", ["entity", "month", "amount"], ["who", "category", "forecast", "note"], ENTITY_DOC).keys,
                    "categories": Key(
                        MapOf(OneOf(*CATEGORIES), key="option"), "What the options of `category` mean, where they are called otherwise.",
                        example="{sure: committed}",
                    ),
                },
            ),
            "Which entity holds what managers add to a forecast, and its fields by role.",
            example="{entity: forecast_adjustment, month: month, amount: amount, who: who, category: category, note: note}",
        ),
        "scenarios": Key(
            Struct(
                "roles of the scenarios",
                {
                    **roles_struct("", ["entity", "name"], ["forecast", "note", "owner"], ENTITY_DOC).keys,
                    "levers": Key(
                        MapOf(Text("field"), key="lever"), f"The field of each lever: {', '.join(LEVERS)}.", example="{win_rate: win_rate}"
                    ),
                },
            ),
            "Which entity holds the scenarios of what-if, and its fields by role.",
            example="{entity: scenario, name: name, levers: {win_rate: win_rate, reps: reps}}",
        ),
        "activities": Key(
            Struct(
                "roles of the activities",
                {
                    **roles_struct(
                        "", ["entity", "subject", "due", "done"], ["kind", "text", "result", "owner", "duration", "priority"], ENTITY_DOC
                    ).keys,
                    "repeat": Key(
                        FIELD, "A choice with the options daily, weekly, monthly, yearly: done, it is planned anew.", example="repeat"
                    ),
                    "repeat_every": Key(FIELD, "Every how many days, weeks …: an integer.", example="every"),
                    "repeat_until": Key(FIELD, "The last day it is planned for: a date.", example="until"),
                    "rhythms": Key(
                        MapOf(OneOf("daily", "weekly", "monthly", "yearly"), key="option"),
                        "What the options of `repeat` mean, where they are called otherwise.",
                        example="{each_week: weekly}",
                    ),
                    "kinds": Key(MapOf(ICON, key="option"), "Icons by kind.", example="{call: phone, mail: mail}"),
                },
            ),
            "Which entity holds what is done with customers.",
        ),
        "campaigns": Key(
            Struct(
                "roles of the campaigns",
                {
                    "entity": Key(Text("entity"), "The entity of campaigns.", required=True),
                    "fields": Key(
                        MapOf(FIELD, key="role"),
                        "Its fields by role: name type start end budget cost list owner status.",
                        example="{name: name, type: type, start: start_on}",
                    ),
                    "members": Key(
                        MapOf(Text("field"), key="role"),
                        "Responses: `entity` and its fields by role: campaign response on … A campaign that starts gives each response the first option.",
                    ),
                    "lists": Key(
                        MapOf(Text("field"), key="role"), "Marketing lists: `entity` and its fields by role: name for living where members."
                    ),
                },
            ),
            "Which entities hold campaigns, responses and marketing lists.",
        ),
        "approvals": Key(
            Struct(
                "roles of the approvals",
                {
                    **roles_struct(
                        "",
                        ["entity", "subject", "status", "rule", "terms", "asked_by", "decided_by", "reason"],
                        ["why", "by", "asked_on", "approver", "decided_on"],
                        {
                            **ENTITY_DOC,
                            "subject": "The field that says what it is about: a text.",
                            "status": "The field that says how it stands: a choice.",
                            "rule": "The field that keeps which approval it is: a text.",
                            "terms": "The field that keeps what was approved: a text.",
                            "asked_by": "Who asked: a user.",
                            "decided_by": "Who decided: a user.",
                            "reason": "Why it was granted or refused: a text.",
                            "why": "Why it is asked for: a text.",
                            "by": "The roles that may grant it: a text.",
                            "asked_on": "When it was asked for.",
                            "approver": "Who it was handed to: a user.",
                            "decided_on": "When it was decided.",
                        },
                    ).keys,
                    "states": Key(
                        MapOf(Text("option"), key="state"),
                        "The options of `status` for pending, granted, refused and void, where they are called otherwise.",
                        example="{pending: waiting, granted: agreed}",
                    ),
                },
            ),
            "Which entity holds requests for approval. What they are about is linked by its link fields.",
            example="{entity: approval, subject: subject, status: status}",
        ),
        "mail": Key(
            Struct(
                "mail",
                {
                    "from": Key(Text("address"), "Who mails come from.", example="Sales <crm@example.org>"),
                    "address": Key(Text("address"), "Where the CRM is reached, for links in mails.", example="https://crm.example.org"),
                },
            ),
            "Who mails come from. The mail server stands in the environment (CRM_SMTP_URL).",
            example="{from: Sales <crm@example.org>}",
        ),
        "navigation": Key(
            MapOf(
                Either(
                    ListOf(Either(Text("entity or page"), LINK, word="entry")),
                    Struct(
                        "group",
                        {
                            "label": LABEL,
                            "icon": ICON_KEY,
                            "items": Key(ListOf(Either(Text("entity or page"), LINK, word="entry")), "The entries.", required=True),
                        },
                    ),
                    word="list of entries",
                ),
                names=True,
                key="group",
                word="mapping of group to entries",
            ),
            "What stands on the left: groups of entities, boards, dashboards.",
            example="{sales: [account, opportunity, {board: b2b}]}",
        ),
        "subjects": Key(
            MapOf(
                Struct(
                    "subject",
                    {
                        "label": LABEL,
                        "icon": ICON_KEY,
                        "reports": Key(ListOf(Text("report or KPI")), "What stands on it, in order.", required=True),
                    },
                ),
                names=True,
                key="subject",
                word="mapping of subject to reports",
            ),
            "The shelves of the catalogue of reports; what stands on none of them is found by its entity.",
            example="{money: {label: Money, icon: payments, reports: [revenue_by_month]}}",
        ),
        "modules": Key(MapOf(Flag(), names=True, key="module"), "Modules switched on or off.", example="{marketing: false}"),
    },
)


def _share(low: str) -> Key:
    return Key(MapOf(Percent(), key="option"), low, example="{a: 80%, b: 95%, c: 100%}")


CLASS = Struct(
    "class",
    {
        "class": Key(Name(), "Its name, the same as the file's.", required=True, example="profit_class"),
        "label": LABEL,
        "help": HELP,
        "entity": Key(Text("entity"), "Whose records are ranked.", required=True, example="account"),
        "field": Key(FIELD, "The choice field that keeps the class.", required=True, example="profit_class"),
        "by": Key(FIELD, "The figure they are ranked by, the highest first.", required=True, example="profit"),
        "where": Key(CONDITION, "Which records take part.", example="kind == 'customer'"),
        "shares": _share("Option → up to which share of the sum: those that make up the first 80 % are a."),
        "parts": _share("Option → up to which part of the number of records: the first fifth are high."),
        "otherwise": Key(Text("option"), "The class of records that take no part; none when absent.", example="c"),
        "module": MODULE,
    },
)


def _wrong_span(text: str) -> str | None:
    return None if span_minutes(text) is not None else f"'{shorten(text)}' is not a length of working time."


def span_minutes(text: str) -> int | None:
    """`4h`, `30min`, `1h 30min` as minutes."""
    found = re.fullmatch(r"\s*(?:(\d{1,4})\s*h)?\s*(?:(\d{1,5})\s*min)?\s*", text)
    return int(found[1] or 0) * 60 + int(found[2] or 0) if found is not None and (found[1] or found[2]) else None


def hours_of(text: str) -> tuple[int, int] | None:
    """`8:00-17:00` as minutes of the day; 24:00 is its end."""
    found = re.fullmatch(r"\s*(\d{1,2})[:.](\d\d)\s*[-–]\s*(\d{1,2})[:.](\d\d)\s*", text)
    if found is None:
        return None
    first, last = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
    return (first, last) if first < last <= 1440 and int(found[2]) < 60 and int(found[4]) < 60 else None


def _wrong_hours(text: str) -> str | None:
    return None if hours_of(text) is not None else f"'{shorten(text)}' are no hours of a day."


def _wrong_day(text: str) -> str | None:
    from datetime import date

    try:
        date.fromisoformat(text if len(text) > 5 else f"2024-{text}")
        return None
    except ValueError:
        return f"'{shorten(text)}' is not a day."


SPAN = Text("length of time", _wrong_span, "E116", "Write hours and minutes of working time: `4h`, `30min`, `1h 30min`.")
DAYS_OF_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SERVICE = Struct(
    "service",
    {
        "service": Key(Name(), "Its name, the same as the file's.", required=True, example="support"),
        "label": LABEL,
        "help": HELP,
        "entity": Key(Text("entity"), "Whose records are promised something.", required=True, example="case"),
        "fields": Key(
            Struct(
                "roles of fields",
                {
                    "opened": Key(FIELD, "When the clock starts: a datetime.", required=True, example="opened_on"),
                    "respond_by": Key(FIELD, "Until when somebody answers: a datetime, kept by the engine.", example="answer_by"),
                    "responded": Key(FIELD, "When somebody did.", example="answered_on"),
                    "resolve_by": Key(FIELD, "Until when it is solved: a datetime, kept by the engine.", required=True, example="deadline"),
                    "resolved": Key(FIELD, "When it was.", required=True, example="closed_on"),
                    "waited": Key(FIELD, "How long the clock stood: a duration, kept by the engine.", example="waited"),
                    "waiting_since": Key(FIELD, "Since when it stands: a datetime, kept by the engine.", example="waiting_since"),
                },
                droppable=False,
            ),
            "Which field of the entity plays which role.",
            required=True,
        ),
        "waiting": Key(CONDITION, "While this holds the clock stands.", example="status == 'waiting'"),
        "done": Key(
            CONDITION, "When this begins to hold, `resolved` is filled; when it ends, emptied again.", example="status == 'solved'"
        ),
        "hours": Key(
            Struct(
                "working hours",
                {
                    day: Key(
                        ListOf(Text("hours", _wrong_hours, "E117", "Write from and to: `8:00-17:00`."), single=True),
                        f"Hours of a {day.capitalize()}.",
                        example="8:00-17:00",
                    )
                    for day in DAYS_OF_WEEK
                },
            ),
            "Working hours by weekday, in the company's time zone; a day without is free.",
            required=True,
            example="{monday: 8:00-17:00}",
        ),
        "holidays": Key(
            MapOf(
                ListOf(Text("day", _wrong_day, "E118", "Write it as 2026-12-24, or 12-24 for every year."), single=True),
                key="place",
                word="mapping of place to days",
            ),
            "Days nobody works, by place (`all` for everywhere).",
            example="{PL: [01-01, 05-01]}",
        ),
        "place": Key(Expr("formula"), "Which place's holidays count for a record.", example="account.address.country"),
        "goals": Key(
            ListOf(
                Struct(
                    "goal",
                    {
                        "when": Key(CONDITION, "For which records; without it for all others.", example="priority == 'urgent'"),
                        "respond": Key(SPAN, "Working time until somebody answers.", example="4h"),
                        "resolve": Key(SPAN, "Working time until it is solved.", example="24h"),
                        "always": Key(Flag(), "Day and night: every hour counts."),
                    },
                )
            ),
            "What is promised: the first that holds.",
            required=True,
            example="[{respond: 4h, resolve: 24h}]",
        ),
        "module": MODULE,
    },
)


SCORE = Struct(
    "score",
    {
        "score": Key(Name(), "Its name, the same as the file's.", required=True, example="lead"),
        "label": LABEL,
        "help": HELP,
        "entity": Key(Text("entity"), "Whose records it rates.", required=True, example="lead"),
        "field": Key(FIELD, "The whole number from 0 to 100 it is kept in.", required=True, example="score"),
        "rating": Key(
            Struct(
                "rating",
                {
                    "field": Key(FIELD, "The choice field of the rating.", required=True, example="rating"),
                    "of": Key(
                        MapOf(Whole(low=0, high=100), key="option"),
                        "Each option with the score it begins at; the lowest begins at 0.",
                        required=True,
                        example="{hot: 70, warm: 40, cold: 0}",
                    ),
                },
            ),
            "A rating in words, from the score.",
        ),
        "start": Key(Whole(low=0, high=100), "The points everybody begins with; 0 when absent.", example="20"),
        "rules": Key(
            ListOf(
                Struct(
                    "rule",
                    {
                        "when": Key(CONDITION, "When it counts.", required=True, example="source == 'referral'"),
                        "points": Key(Whole(low=-100, high=100), "What it counts; may be less than 0.", required=True, example="25"),
                        "say": Key(Text("text"), "The reason in words.", required=True, example="Recommended by somebody"),
                    },
                )
            ),
            "Points by rule; the score is their sum, from 0 to 100.",
            required=True,
            example="[{when: source == 'referral', points: 25, say: Recommended}]",
        ),
        "model": Key(
            Struct(
                "model",
                {
                    "good": Key(CONDITION, "Records that ended well.", required=True, example="status == 'converted'"),
                    "bad": Key(CONDITION, "Records that ended badly.", required=True, example="status == 'dropped'"),
                    "features": Key(
                        NAMES,
                        "What it may learn from: fields and `link.field`, as they were when the record was made.",
                        required=True,
                        example="[source, industry, budget]",
                    ),
                    "at_least": Key(Whole(low=40), "How many must have ended before it is used; 150 when absent.", example="150"),
                },
            ),
            "Learned from how earlier records ended; used instead of the rules as soon as there is history enough.",
        ),
        "module": MODULE,
    },
)

AMONG = Struct(
    "people",
    {
        "roles": Key(NAMES, "Users of these roles.", example="[rep]"),
        "teams": Key(NAMES, "Users of these teams, by name, and of the teams below them.", example="[Sales North]"),
    },
)
ASSIGNMENT = Struct(
    "assignment",
    {
        "assignment": Key(Name(), "Its name, the same as the file's.", required=True, example="lead"),
        "label": LABEL,
        "help": HELP,
        "entity": Key(Text("entity"), "Whose records are given out.", required=True, example="lead"),
        "owner": Key(FIELD, "The user field that says whose a record is; the entity's owner when absent.", example="owner"),
        "pool": Key(CONDITION, "Which records lie in the pool, for anybody to take.", required=True, example="owner == None and open"),
        "counts": Key(CONDITION, "Which records of a person count towards the limit; all when absent.", example="open"),
        "cap": Key(
            Either(
                Whole(low=0),
                Struct(
                    "limit",
                    {
                        "field": Key(FIELD, "The whole number of the user that is their own limit.", example="lead_cap"),
                        "roles": Key(MapOf(Whole(low=0), key="role"), "The limit by role.", example="{rep: 40}"),
                        "others": Key(Whole(low=0), "The limit of everybody else; none when absent.", example="10"),
                    },
                ),
                word="number or mapping",
            ),
            "How many one person may hold at a time, however they come by them.",
            example="40",
        ),
        "among": Key(AMONG, "Who is given records by the rules.", example="{roles: [rep]}"),
        "best": Key(SORT, "What is best in the pool, for taking the next one; the score when absent.", example="[-score]"),
        "rules": Key(
            ListOf(
                Struct(
                    "rule of assignment",
                    {
                        "when": Key(CONDITION, "Only these records.", example="source == 'partner'"),
                        "user": Key(Text("login"), "To this user, by login.", example="anna"),
                        "from": Key(Text("path"), "To the user a path leads to.", example="territory.manager"),
                        "up": Key(
                            FIELD, "When that user cannot: the same of the record above, by this link of the linked record.", example="parent"
                        ),
                        "match": Key(
                            MapOf(FIELD, key="field"),
                            "To users whose field (of the user) holds what the field of the record says.",
                            example="{industry: industries}",
                        ),
                        "by": Key(
                            OneOf("least_load", "round_robin"),
                            "Who of several: the one with the most room, or one after the other.",
                            example="round_robin",
                        ),
                        "among": Key(AMONG, "Only these people."),
                    },
                )
            ),
            "Who gets a record, the first rule that finds somebody with room.",
            example="[{from: territory.manager}, {by: least_load}]",
        ),
        "automatic": Key(
            Either(Flag(), CONDITION, word="yes, no or a condition"),
            "New records without an owner are given out at once: all, or those of a condition.",
            example="source == 'web'",
        ),
        "module": MODULE,
    },
)

FILLING = {
    "set": Key(
        MapOf(Expr("formula"), key="field"), "Field → field or formula over the record converted.", example="{name: company, phone: phone}"
    ),
    "values": Key(MapOf(Any_(), key="field"), "Field → a value as typed.", example="{kind: prospect}"),
    "links": Key(MapOf(Text("name"), key="field"), "Link field → one of the records made (or found) before.", example="{account: account}"),
}
CONVERSION = Struct(
    "conversion",
    {
        "conversion": Key(Name(), "Its name, the same as the file's.", required=True, example="lead"),
        "label": LABEL,
        "help": HELP,
        "entity": Key(Text("entity"), "What is converted.", required=True, example="lead"),
        "when": Key(CONDITION, "Which records may be converted; all that are not yet when absent.", example="open"),
        "into": Key(
            MapOf(
                Struct(
                    "record made",
                    {
                        "entity": Key(Text("entity"), "Of which entity; its name when absent.", example="account"),
                        "label": LABEL,
                        "match": Key(
                            ListOf(
                                Struct(
                                    "rule of matching",
                                    {
                                        "link": Key(FIELD, "The record this link already points to.", example="account"),
                                        "same": Key(
                                            MapOf(Expr("formula"), key="field"),
                                            "These fields of it are the same as these of the record converted.",
                                            example="{email: email}",
                                        ),
                                        "like": Key(
                                            MapOf(Expr("formula"), key="field"),
                                            "This field is alike (offered, not chosen by itself).",
                                            example="{name: company}",
                                        ),
                                        "over": Key(Percent(), "How alike, 0 to 1.", example="0.88"),
                                    },
                                )
                            ),
                            "How one that is there already is found; the first rule that finds some.",
                        ),
                        **FILLING,
                        "optional": Key(Flag(), "May be left out."),
                        "ask": Key(FIELDS, "Fields shown before it is made; those that are filled when absent.", example="[name, amount]"),
                    },
                ),
                names=True,
                key="name",
                word="mapping of name to record made",
            ),
            "What it becomes, in order.",
            required=True,
            example="{account: {set: {name: company}}}",
        ),
        "mark": Key(Struct("mark", FILLING), "What the converted record is set to.", example="{values: {status: converted}}"),
        "log": Key(Text("kind"), "The kind of activity that tells of it in the timelines; none when absent.", example="note"),
        "carry": Key(
            NAMES, "Lists of the record whose records are linked to the new ones, too, and stay where they are.", example="[activities]"
        ),
        "module": MODULE,
    },
)


@dataclass
class Labels(Shape):
    """Texts by dotted path, nested or not; `interface:` holds the engine's strings by their English."""

    word: str = "labels"

    def check(self, node: Node, faults: Faults, name: str) -> None:
        if not isinstance(node, Map):
            faults.add("E102", node, "this file must be a mapping of paths to texts.", "Write for example `entities.account.label: Firma`.")

    def json(self) -> dict[str, Any]:
        return {"type": "object"}


PERIOD = Text("length of time")
WHEN = Struct(
    "trigger",
    {
        "changed": Key(FIELDS, "One of these fields has another value than before.", example="[amount, close_on]"),
        "stage": Key(NAMES, "The record enters one of these stages (`pipeline.stage` for one pipeline only).", example="offer"),
        "date": Key(FIELD, "The date (or moment) in this field comes.", example="close_on"),
        "after": Key(PERIOD, "So long after the date; before it with a minus.", example="-3d"),
        "at": Key(Text("time of day"), "Not before this time of the day.", example="'08:00'"),
        "silent": Key(PERIOD, "For so long nothing has happened with the record.", example="30d"),
        "since": Key(FIELD, "The field that says when something happened last; the newest activity when absent.", example="last_contact"),
        "every": Key(OneOf("day", "week", "month"), "On a schedule.", example="week"),
        "on": Key(Text("day"), "Which day: of the week by name, of the month by number or `last`.", example="monday"),
    },
    hints={"before": "Write `after: -3d`.", "created": "Write `when: created`.", "days": "Write `silent: 30d`."},
)
THEN = Struct(
    "effect",
    {
        "set": Key(MapOf(Any_(), key="field"), "Give fields of the record a value, or an expression.", example="{priority: high}"),
        "of": Key(FIELD, "With `set`: the fields of the record this link leads to.", example="account"),
        "create": Key(Text("entity"), "Make a record.", example="activity"),
        "values": Key(
            MapOf(Any_(), key="field"),
            "With `create`: its fields. `record` is the record itself; texts may name fields in braces.",
            example='{subject: "Thank {account}", owner: owner, opportunity: record, due_on: now + 2d}',
        ),
        "assign": Key(
            Text("expression or rule"), "Give the record to a user, or share it out by an assignment rule.", example="owner.team.leader"
        ),
        "notify": Key(
            ListOf(Text("user or role"), single=True), "Tell users: expressions that lead to one, or roles.", example="[owner, sales_manager]"
        ),
        "text": Key(Text("template"), "With `notify` and `approve`: what is said; fields in braces.", example='"{name} is won"'),
        "mail": Key(Text("template"), "Send a mail by this template of mails/.", example="thanks"),
        "to": Key(
            ListOf(Text("expression"), single=True), "With `mail`: expressions that lead to an address or a user.", example="contact.email"
        ),
        "webhook": Key(Text("address"), "Post the record as JSON to this address, signed, tried again until taken.", example="https://erp.example/hook"),
        "secret": Key(Text("name"), "With `webhook`: the environment variable that holds the key it is signed with.", example="ERP_SECRET"),
        "send": Key(FIELDS, "With `webhook`: the fields that are sent; all own fields when absent.", example="[name, amount]"),
        "approve": Key(NAMES, "Ask for an approval: the roles that may grant it.", example="sales_manager"),
    },
    hints={"task": "Write `create: activity` (the entity that holds activities).", "email": "Write `mail:`.", "url": "Write `webhook:`."},
)
AUTOMATION = Struct(
    "automation",
    {
        "automation": Key(Name(), "Its name, the same as the file's.", required=True, example="thanks"),
        "label": LABEL,
        "help": HELP,
        "entity": Key(Text("entity"), "Whose records it is about.", required=True, example="opportunity"),
        "when": Key(
            ListOf(Either(Text("created or changed"), WHEN, word="`created`, `changed` or a trigger"), single=True),
            "When it begins; several: any of them.",
            required=True,
            example="{stage: won}",
        ),
        "if": Key(
            CONDITION, "Only for records for which this is true; `was.amount` is the value before the change.", example="amount > 10000"
        ),
        "then": Key(ListOf(THEN, single=True), "What it does, in this order, all or nothing.", required=True, example="[{set: {priority: high}}]"),
        "on_import": Key(Flag(), "Also when records are imported from a file; not when absent."),
        "off": Key(Flag(), "Switched off."),
        "module": MODULE,
    },
    hints={"on": "Write `when:`.", "do": "Write `then:`.", "where": "Write `if:`.", "trigger": "Write `when:`."},
)

FORECAST = Struct(
    "forecast",
    {
        "forecast": Key(Name(), "Its name, the same as the file's.", required=True, example="revenue"),
        "label": LABEL,
        "help": HELP,
        "entity": Key(Text("entity"), "Whose records are foretold; they go through a pipeline.", required=True, example="opportunity"),
        "pipelines": Key(NAMES, "Which of its pipelines; all when absent.", example="[b2b, b2c]"),
        "where": Key(CONDITION, "Only these records.", example="amount > 0"),
        "months": Key(Whole(low=1, high=24), "How many months ahead, the running one included; 6 when absent.", example="6"),
        "by": Key(
            Either(
                ListOf(Text("axis")),
                MapOf(Either(Text("axis"), AXIS), names=True, key="name", word="mapping of name to axis"),
                Text("axis"),
                word="list of axes",
            ),
            "What it can be cut by: fields, `link.field`.",
            example="{region: account.territory, rep: owner}",
        ),
        "source": Key(FIELD, "The field by whose values its record is shown, too.", example="source"),
        "back": Key(Whole(low=1, high=36), "How many months are replayed to see how good it is; 12 when absent.", example="12"),
        "runs": Key(Whole(low=100, high=100_000), "How often the future is drawn; 10,000 when absent.", example="10000"),
        "shrink": Key(
            Whole(low=0), "How many records' worth of everybody's experience stands beside each person's own; learned when absent.", example="10"
        ),
        "ramp": Key(Whole(low=0, high=36), "Months until somebody new brings what the others do; 6 when absent.", example="6"),
        "spend": Key(
            Struct(
                "effect of campaign spending",
                {
                    "campaign": Key(FIELD, "The link from a record to the campaign it came from.", required=True, example="campaign"),
                    "elasticity": Key(
                        Percent(), "How many percent more records come from one percent more money, until it is learned.", example="40%"
                    ),
                },
            ),
            "What more or less money for campaigns does, for what-if.",
        ),
        "module": MODULE,
    },
    hints={"period": "Write `months:`.", "horizon": "Write `months:`.", "group": "Write `by:`.", "pipeline": "Write `pipelines: [name]`."},
)

#: folder → (the key that names a file's thing, its shape); `*` = files in folders below count too.
KINDS: dict[str, tuple[str, Struct]] = {
    "entities": ("entity", ENTITY),
    "pipelines": ("pipeline", PIPELINE),
    "roles": ("role", ROLE),
    "campaigns": ("campaign", CAMPAIGN),
    "reports": ("report", REPORT),
    "kpis": ("kpi", KPI),
    "forecasts": ("forecast", FORECAST),
    "dashboards": ("dashboard", DASHBOARD),
    "automations": ("automation", AUTOMATION),
    "imports": ("import", IMPORT),
    "scores": ("score", SCORE),
    "assignments": ("assignment", ASSIGNMENT),
    "conversions": ("conversion", CONVERSION),
    "classes": ("class", CLASS),
    "services": ("service", SERVICE),
    "mails": ("mail", MAIL),
    "packs": ("pack", PACK),
}
LABELS = Labels()
FOLDERS = (*KINDS, "labels")
#: Files that belong to the shipped folders without being read here.
LEFT_ALONE = ("demo", "tests")
