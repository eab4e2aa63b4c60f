"""dashboards/*.yaml: rows of cards."""

from __future__ import annotations

from crm.schema.language.common import CONDITION, ICON_KEY, LABEL, NAMES, thing
from crm.schema.shapes import Either, Key, ListOf, Struct, Text, Whole

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
DASHBOARD = thing(
    "dashboard",
    {
        "icon": ICON_KEY,
        "for": Key(NAMES, "Roles it is for; everyone when absent.", example="[sales_manager]"),
        "rows": Key(
            ListOf(Either(Text("report"), CARD, ListOf(Either(Text("report"), CARD)), word="row of cards")),
            "Rows of cards: reports by name, lists, boards.",
            required=True,
            example="[[revenue_by_month, {list: account}]]",
        ),
    },
    example="sales",
)
