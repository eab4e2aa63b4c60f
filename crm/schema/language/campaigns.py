"""campaigns/*.yaml: types of campaign."""

from __future__ import annotations

from crm.schema.language.common import ICON_KEY, LABEL, thing
from crm.schema.shapes import Either, Flag, Key, ListOf, MapOf, Number, Struct, Text

STEP_KEYS = {
    "label": LABEL,
    "after": Key(Text("step and days"), "When: `start - 30d`, `letter + 15d`.", example="letter + 15d"),
    "kind": Key(Text("kind"), "Kind of activity.", example="call"),
    "text": Key(Text("text"), "What to say or do."),
    "by": Key(Text("role"), "Role of the one who does it; the owner otherwise.", example="rep"),
    "priority": Key(Text("priority"), "Its priority.", example="high"),
    "budget": Key(Number(), "What it may cost, in the base currency.", example="1500"),
}
CAMPAIGN = thing(
    "campaign",
    {
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
    },
    example="fair",
    word="campaign type",
)
