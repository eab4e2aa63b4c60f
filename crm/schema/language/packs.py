"""packs/*.yaml: meeting packs."""

from __future__ import annotations

from crm.schema.language.common import NAMES, thing
from crm.schema.shapes import Either, Key, ListOf, OneOf, Struct, Text, Whole

PACK_PART = Struct(
    "part",
    {
        "report": Key(Text("report"), "A report or KPI by name.", example="pipeline_change"),
        "heading": Key(Text("text"), "What stands above it; its own title when absent.", example="Since the last meeting"),
        "note": Key(Text("text"), "A few words below it, for those who read.", example="What slipped is talked about one by one."),
        "rows": Key(Whole(low=0, high=200), "So many rows of its table at most; 0 for the chart alone.", example="8"),
    },
)
PACK = thing(
    "pack",
    {
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
    },
    example="board_meeting",
)
