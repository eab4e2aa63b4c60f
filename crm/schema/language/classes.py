"""classes/*.yaml: records ranked and cut into classes."""

from __future__ import annotations

from crm.schema.language.common import CONDITION, FIELD, thing
from crm.schema.shapes import Key, MapOf, Percent, Text


def _share(low: str) -> Key:
    return Key(MapOf(Percent(), key="option"), low, example="{a: 80%, b: 95%, c: 100%}")


CLASS = thing(
    "class",
    {
        "entity": Key(Text("entity"), "Whose records are ranked.", required=True, example="account"),
        "field": Key(FIELD, "The choice field that keeps the class.", required=True, example="profit_class"),
        "by": Key(FIELD, "The figure they are ranked by, the highest first.", required=True, example="profit"),
        "where": Key(CONDITION, "Which records take part.", example="kind == 'customer'"),
        "shares": _share("Option → up to which share of the sum: those that make up the first 80 % are a."),
        "parts": _share("Option → up to which part of the number of records: the first fifth are high."),
        "otherwise": Key(Text("option"), "The class of records that take no part; none when absent.", example="c"),
    },
    example="profit_class",
)
