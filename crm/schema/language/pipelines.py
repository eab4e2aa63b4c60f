"""pipelines/*.yaml: stages, what each asks for, which moves are allowed."""

from __future__ import annotations

from crm.schema.language.approvals import approval
from crm.schema.language.common import COLOR, CONDITION, FIELD, FIELDS, HELP, LABEL, MODULE, NAMES, WAS
from crm.schema.model import FORECASTS, OUTCOMES
from crm.schema.shapes import Either, Flag, Key, ListOf, MapOf, Name, OneOf, Percent, Shape, Struct, Text, Whole

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
