"""kpis/*.yaml: figures by period, with targets."""

from __future__ import annotations

import re

from crm.schema.faults import shorten
from crm.schema.language.common import PERIOD, thing
from crm.schema.language.reports import MEASURE
from crm.schema.shapes import Either, Expr, Flag, Key, MapOf, OneOf, Struct, Text, Whole


def _wrong_figure(text: str) -> str | None:
    return None if re.fullmatch(r"-?\d+(\.\d*)?\s*%?", text) else f"'{shorten(text)}' is no number."


FIGURE = Text("figure", _wrong_figure, "E554", "Write a number or a part: `250000`, `40%`.")
KPI_MEASURE = Struct(
    "measure of a KPI",
    {
        "entity": Key(Text("entity"), "Whose records; the KPI's when absent.", example="opportunity"),
        "on": Key(Text("field"), "The date that says in which period a record counts; the KPI's when absent.", example="close_on"),
        "report": Key(Text("report"), "Or: a measure of this report, over all its records.", example="win_rate"),
        "measure": Key(Text("measure"), "Which of them; the one of the same name when absent.", example="win_rate"),
        **{key: one for key, one in MEASURE.keys.items() if key not in ("share", "running", "survival", "formula")},
    },
)
KPI = thing(
    "kpi",
    {
        "entity": Key(Text("entity"), "Whose records the measures are of.", example="opportunity"),
        "on": Key(Text("field"), "The date that says in which period a record counts; without one the figure is that of now.", example="close_on"),
        "measures": Key(
            MapOf(Either(Expr("measure"), KPI_MEASURE), names=True, strict=True, key="name", word="mapping of name to measure"),
            "The figures it is made of, as in reports.",
            example="{won: \"count(stage.outcome == 'won')\", decided: count(stage.outcome != None)}",
        ),
        "formula": Key(Expr("formula"), "The figure, from the measures and from other KPIs by name.", example="won / decided"),
        "as": Key(OneOf("number", "integer", "money", "percent", "duration"), "How it is shown.", example="percent"),
        "period": Key(
            PERIOD,
            "Over which running period; a month when absent.",
            example="quarter",
        ),
        "trend": Key(Whole(low=1, high=60), "How many periods stand beside each other.", example="8"),
        "target": Key(FIGURE, "What it should be.", example="40%"),
        "goals": Key(Text("option"), "Instead of a target: the goals about this (an option of the goals' `measure`).", example="revenue"),
        "pace": Key(Flag(), "The target of the running period is due by and by, day by day; green and amber are then parts of it."),
        "green": Key(FIGURE, "On target from here on; the target when absent.", example="40%"),
        "amber": Key(FIGURE, "Near the target from here on.", example="30%"),
        "better": Key(OneOf("higher", "lower"), "Which way is better; higher when absent.", example="lower"),
        "owner": Key(Text("role"), "The role that answers for it.", example="sales_manager"),
    },
    example="quarter_revenue",
    word="KPI",
    hints={"where": "Write `where:` inside a measure.", "by": "A KPI has no axes; write a report for that.", "light": "Write `green:` and `amber:`."},
)
