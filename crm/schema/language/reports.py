"""reports/*.yaml: questions."""

from __future__ import annotations

from crm.schema.language.common import CONDITION, FIELD, LABEL, NAMES, PERIOD, SORT, thing
from crm.schema.model import AGGREGATES, UNITS
from crm.schema.shapes import Any_, Either, Expr, Flag, Key, ListOf, MapOf, Number, OneOf, Percent, Struct, Text, Whole

AGGREGATE = {
    how: Key(Either(FIELD, Expr("formula")), f"The {how} of this field, or of a formula over the record.", example="amount")
    for how in AGGREGATES
    if how not in ("count", "rate")
}
MEASURE = Struct(
    "measure",
    {
        "label": LABEL,
        "count": Key(Either(Flag(), FIELD), "How many records.", example="true"),
        **AGGREGATE,
        "rate": Key(CONDITION, "Which part of the records this is true of.", example="stage.outcome == 'won'"),
        "at": Key(Percent(), "Of a quantile: which one.", example="90%"),
        "order": Key(FIELD, "Of first and last: by which date; without it the order of entry.", example="close_on"),
        "share": Key(Text("measure"), "Each row's part of the total of this measure.", example="revenue"),
        "running": Key(Text("measure"), "This measure summed up from the first row on.", example="share"),
        "survival": Key(
            Struct(
                "time to an end",
                {
                    "from": Key(FIELD, "The date it begins.", required=True, example="created_on"),
                    "to": Key(FIELD, "The date it ends.", required=True, example="close_on"),
                    "ended": Key(CONDITION, "When it is over; what is not counts as still running.", example="stage.outcome != None"),
                },
            ),
            "The part that still lasts after so many days (Kaplan and Meier), with its band; the only measure of its report.",
        ),
        "currency": Key(FIELD, "Of a sum or mean of money: the choice field that says each record's currency.", example="currency"),
        "rated": Key(FIELD, "The date whose rate (`rates:` in crm.yaml) turns it into the company's currency.", example="close_on"),
        "where": Key(CONDITION, "Only these records.", example="stage.outcome == 'won'"),
        "formula": Key(Expr("formula"), "From the other measures.", example="won / closed"),
        "as": Key(OneOf("number", "integer", "money", "percent", "duration", "date", "datetime"), "How it is shown.", example="percent"),
    },
)
AXIS = Struct(
    "axis",
    {
        "field": Key(Text("field"), "Field or `link.field`.", required=True, example="close_on"),
        "by": Key(OneOf(*UNITS), "Piece of time.", example="month"),
        "classes": Key(ListOf(Number()), "Cut into classes by their lower bounds.", example="[0, 10000, 50000]"),
        "level": Key(Whole(low=1), "Of a link into a tree: taken together so far below its top; 1 is the top.", example="1"),
        "first": Key(
            FIELD, "Of a link: a cohort, by the first such date among the records with the same link; `by` says the piece of time.", example="close_on"
        ),
        "where": Key(CONDITION, "Of a cohort: only these records count as the first.", example="stage.outcome == 'won'"),
        "label": LABEL,
    },
)
AXES = Either(
    ListOf(Text("axis")),
    MapOf(Either(Text("axis"), AXIS), names=True, key="name", word="mapping of name to axis"),
    Text("axis"),
    word="list of axes",
)
CHART = Struct(
    "chart",
    {
        "type": Key(OneOf(choices=lambda: chart_names(), word="chart", code="E505"), "The chart.", required=True, example="bars"),
        "x": Key(Text("axis or measure"), "What lies on x."),
        "y": Key(NAMES, "What lies on y."),
        "by": Key(Text("axis"), "What the colours mean."),
        "color": Key(Text("axis"), "What the colours mean."),
        "value": Key(Text("measure"), "The figure shown."),
        "label": Key(Text("axis"), "What names the pieces."),
        "size": Key(Text("measure"), "What the size means."),
        "source": Key(Text("axis"), "Where a flow starts."),
        "target": Key(Text("axis"), "Where a flow ends."),
        "stacked": Key(Flag(), "Pieces on each other."),
        "horizontal": Key(Flag(), "Bars lie down."),
        "without": Key(ListOf(Text("value")), "Steps of a funnel that lead nowhere; the table has them.", example="[lost]"),
        "options": Key(MapOf(Any_()), "What the chart itself understands."),
    },
)
REPORT = thing(
    "report",
    {
        "entity": Key(Text("entity"), "Whose records.", required=True, example="opportunity"),
        "where": Key(CONDITION, "Which records.", example="stage.outcome == 'won'"),
        "stays": Key(
            Either(
                FIELD,
                Struct(
                    "log of events",
                    {
                        "of": Key(FIELD, "Whose event it is.", required=True, example="case"),
                        "what": Key(FIELD, "What begins with it.", required=True, example="activity"),
                        "on": Key(FIELD, "When.", required=True, example="at"),
                    },
                ),
                word="field or log of events",
            ),
            "The rows are stays in this stage or choice field, not records: `stay.stage`, `stay.next`, `stay.since`, `stay.until`,"
            " `stay.days`, `stay.first`, `stay.ended`, `stay.forward` stand beside the record's fields.",
            example="stage",
        ),
        "span": Key(
            PERIOD,
            "Only the running period of `period`; with `compare` beside the same stretch before.",
            example="year",
        ),
        "by": Key(
            AXES,
            "What it is cut by: fields, `link.field`, `month(close_on)`.",
            example="[month(close_on), owner]",
        ),
        "measures": Key(
            MapOf(Either(Expr("measure"), MEASURE), names=True, strict=True, key="name", word="mapping of name to measure"),
            "The figures: `count`, `sum(amount)`, `sum(amount, stage.outcome == 'won')`, `median(days(close_on - created_on))`,"
            " `quantile(amount, 90%)`, `distinct(account)`, `rate(stage.outcome == 'won')`, `share(revenue)`, or a formula of the others.",
            example="{revenue: sum(amount)}",
        ),
        "analysis": Key(
            Text("analysis"), "Instead of axes and measures: the analysis that works out the rows, by name.", example="quiet"
        ),
        "options": Key(MapOf(Any_()), "What the analysis understands; each says so in its own file.", example="{days: 90}"),
        "compare": Key(OneOf("previous", "last_year", "goal"), "Beside what.", example="last_year"),
        "goals": Key(
            MapOf(Text("option"), key="measure"),
            "With `compare: goal`: measure → what its goals are about (an option of the goals' `measure`); without it the first measure has"
            " the goals that `goals:` of crm.yaml speaks of.",
            example="{revenue: revenue}",
        ),
        "period": Key(Text("field"), "The date the comparison shifts.", example="close_on"),
        "chart": Key(
            Either(OneOf(choices=lambda: chart_names(), word="chart", code="E505"), CHART, word="chart"), "How it is drawn.", example="bars"
        ),
        "sort": Key(SORT, "Order, by axes and measures.", example="[-revenue]"),
        "limit": Key(Whole(low=1), "At most so many rows.", example="10"),
        "target": Key(Number(), "Goal of a single figure."),
        "green": Key(Number(), "Green from this on."),
        "amber": Key(Number(), "Amber from this on, red below."),
    },
    example="revenue_by_month",
)

#: Charts known without importing the drawing library; `chart_names` adds what is in `crm/charts` and in plug-ins.
CHARTS = ("bars", "funnel", "line", "number", "table")


def chart_names() -> list[str]:
    """The charts by the names of their files: nothing that draws is imported to check a configuration."""
    import importlib.util
    import sys
    from pathlib import Path

    names = set(CHARTS)
    spec = importlib.util.find_spec("crm.charts")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        names |= {file.stem for file in Path(folder).glob("*.py") if not file.stem.startswith("_") and file.stem not in ("base", "finished")}
    registry = getattr(sys.modules.get("crm.charts"), "CHARTS", None)
    names |= set(getattr(registry, "_classes", ()))
    return sorted(names)
