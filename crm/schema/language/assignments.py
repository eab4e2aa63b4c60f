"""assignments/*.yaml: how records reach people."""

from __future__ import annotations

from crm.schema.language.common import CONDITION, FIELD, NAMES, SORT, thing
from crm.schema.shapes import Either, Flag, Key, ListOf, MapOf, OneOf, Struct, Text, Whole

AMONG = Struct(
    "people",
    {
        "roles": Key(NAMES, "Users of these roles.", example="[rep]"),
        "teams": Key(NAMES, "Users of these teams, by name, and of the teams below them.", example="[Sales North]"),
    },
)
ASSIGNMENT = thing(
    "assignment",
    {
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
    },
    example="lead",
)
