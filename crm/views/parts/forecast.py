"""The months to come: figures side by side, their range, and what a manager adds."""

from crm.views.base import PARTS, Part


@PARTS.add
class Forecast(Part):
    """Content {title, says, note, cuts, others, asof, tiles, fan, columns, rows: [{key, label, month, who, cells, lines, groups}], total,
    categories, may}; asks `adjust` {month, who, amount, category, note, id}, `drop` {id} and `notebook`."""

    name = "forecast"
    words = (
        "By",
        "Forecast",
        "As of",
        "Now",
        "What if…",
        "Open in notebook",
        "Saved as {name}",
        "Likely, eight of ten between",
        "Won already",
        "Goal",
        "Adjusted",
        "Month",
        "Adjust {what}",
        "Figure",
        "How much more or less",
        "Why",
        "Save",
        "Cancel",
        "Remove",
        "Change",
        "Show the groups",
        "Hide the groups",
        "How it changed",
        "Show the records",
    )
