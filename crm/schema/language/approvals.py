"""Needs of an approval, as pipelines and entities state them."""

from __future__ import annotations

from crm.schema.language.common import CONDITION, FIELD, FIELDS, NAMES
from crm.schema.shapes import Either, Key, MapOf, Name, Number, Shape, Struct, Text


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
