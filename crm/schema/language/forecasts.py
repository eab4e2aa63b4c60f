"""forecasts/*.yaml: what the pipeline will bring."""

from __future__ import annotations

from crm.schema.language.common import CONDITION, FIELD, NAMES, thing
from crm.schema.language.reports import AXES
from crm.schema.shapes import Key, Percent, Struct, Text, Whole

FORECAST = thing(
    "forecast",
    {
        "entity": Key(Text("entity"), "Whose records are foretold; they go through a pipeline.", required=True, example="opportunity"),
        "pipelines": Key(NAMES, "Which of its pipelines; all when absent.", example="[b2b, b2c]"),
        "where": Key(CONDITION, "Only these records.", example="amount > 0"),
        "months": Key(Whole(low=1, high=24), "How many months ahead, the running one included; 6 when absent.", example="6"),
        "by": Key(
            AXES,
            "What it can be cut by: fields, `link.field`.",
            example="{region: account.territory, rep: owner}",
        ),
        "source": Key(FIELD, "The field by whose values its record is shown, too.", example="source"),
        "back": Key(Whole(low=1, high=36), "How many months are replayed to see how good it is; 12 when absent.", example="12"),
        "runs": Key(Whole(low=100, high=100_000), "How often the future is drawn; 10,000 when absent.", example="10000"),
        "shrink": Key(
            Whole(low=0), "How many records' worth of everybody's experience stands beside each person's own; learned when absent.", example="10"
        ),
        "ramp": Key(Whole(low=0, high=36), "Months until somebody new brings what the others do; 6 when absent.", example="6"),
        "spend": Key(
            Struct(
                "effect of campaign spending",
                {
                    "campaign": Key(FIELD, "The link from a record to the campaign it came from.", required=True, example="campaign"),
                    "elasticity": Key(
                        Percent(), "How many percent more records come from one percent more money, until it is learned.", example="40%"
                    ),
                },
            ),
            "What more or less money for campaigns does, for what-if.",
        ),
    },
    example="revenue",
    hints={"period": "Write `months:`.", "horizon": "Write `months:`.", "group": "Write `by:`.", "pipeline": "Write `pipelines: [name]`."},
)
