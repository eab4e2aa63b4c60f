"""scores/*.yaml: how promising records are."""

from __future__ import annotations

from crm.schema.language.common import CONDITION, FIELD, NAMES, thing
from crm.schema.shapes import Key, ListOf, MapOf, Struct, Text, Whole

SCORE = thing(
    "score",
    {
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
    },
    example="lead",
)
