"""conversions/*.yaml: what records become."""

from __future__ import annotations

from crm.schema.language.common import CONDITION, FIELD, FIELDS, LABEL, NAMES, thing
from crm.schema.shapes import Any_, Expr, Flag, Key, ListOf, MapOf, Percent, Struct, Text

FILLING = {
    "set": Key(
        MapOf(Expr("formula"), key="field"), "Field → field or formula over the record converted.", example="{name: company, phone: phone}"
    ),
    "values": Key(MapOf(Any_(), key="field"), "Field → a value as typed.", example="{kind: prospect}"),
    "links": Key(MapOf(Text("name"), key="field"), "Link field → one of the records made (or found) before.", example="{account: account}"),
}
CONVERSION = thing(
    "conversion",
    {
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
    },
    example="lead",
)
