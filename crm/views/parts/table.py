"""A table of records."""

from crm.views.bars import Bar
from crm.views.base import PARTS


@PARTS.add
class Table(Bar):
    """Rows of text with sort, bulk acts, column choice.

    Content {entity, columns, rows, sort, total, sums, bulk, acts, pages, none} and the bar's."""

    name = "table"
    words = (
        "Columns",
        "What to do with the chosen ones",
        "{n} selected",
        "Select all {n} matching",
        "Clear selection",
        "Select all rows",
        "Select {title}",
        "More",
        "Sum",
        "Untitled",
        "Clear filters",
        "Pages",
        "Page before",
        "Next page",
        "Move up",
        "Move down",
        "As delivered",
    )
