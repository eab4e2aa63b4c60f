"""Keys and shapes that many kinds of file share: labels, icons, colours, conditions, names of fields."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from crm.schema.faults import meant, shorten
from crm.schema.icons import ICONS
from crm.schema.model import UNITS
from crm.schema.shapes import Expr, Key, ListOf, Name, Struct, Text

COLORS = ("blue", "green", "amber", "red", "violet", "teal", "pink", "grey", "orange", "indigo", "brown", "lime")


def _color(text: str) -> str | None:
    if text in COLORS or re.fullmatch(r"#[0-9a-fA-F]{6}", text):
        return None
    return f"'{shorten(text)}' is not a colour." + meant(text, COLORS)


def wrong_currency(text: str) -> str | None:
    from babel.numbers import is_currency, list_currencies

    return None if is_currency(text) else f"'{shorten(text)}' is not a currency." + meant(text.upper(), sorted(list_currencies()))


def wrong_language(text: str) -> str | None:
    from babel.localedata import exists

    return None if re.fullmatch(r"[a-z]{2,3}(_[A-Za-z]+)?", text) and exists(text) else f"'{shorten(text)}' is not a language."


def _period(text: str) -> str | None:
    return None if text in UNITS or re.fullmatch(r"[1-9]\d{0,3}d", text) else f"'{shorten(text)}' is no period." + meant(text, UNITS)


def _icon(text: str) -> str | None:
    return None if text in ICONS else f"there is no icon '{shorten(text)}'." + meant(text, sorted(ICONS))


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
SORT = FIELDS
NAMES = ListOf(Text("name"), single=True)
CURRENCY = Text("currency", wrong_currency, "E113", "Write its three letters (ISO 4217): `EUR`.")
PERIOD = Text(
    "period", _period, "E501", "Write one of day, week, month, quarter, year, fiscal_quarter, fiscal_year, or so many days: `90d`."
)


def roles_struct(word: str, required: Iterable[str], optional: Iterable[str], docs: Mapping[str, str]) -> Struct:
    keys = {
        name: Key(
            Text("entity" if name == "entity" else "field"), docs.get(name, f"The field that is the {name}."), name in tuple(required), name
        )
        for name in [*required, *optional]
    }
    return Struct(word, keys)


def thing(key: str, keys: Mapping[str, Key], example: str, word: str = "", hints: Mapping[str, str] | None = None) -> Struct:
    """A kind of file: its name below `key`, label and help, then its own `keys`, and the module it belongs to."""
    name = Key(Name(), "Its name, the same as the file's.", required=True, example=example)
    return Struct(word or key, {key: name, "label": LABEL, "help": HELP, **keys, "module": MODULE}, hints=hints)
