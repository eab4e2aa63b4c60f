"""What table, board and calendar share: the words of the bar above them (`listbar.js`)."""

from typing import ClassVar

from crm.views.base import Editing


class Bar(Editing):
    """Saved views, search, filters, the ways to show the same records."""

    words: ClassVar[tuple[str, ...]] = (
        "Saved views",
        "Pipeline",
        "Show as",
        "Search",
        "Clear",
        "Filter",
        "Save view",
        "Name of this view",
        "Save",
        "Remove view",
        "Open in notebook",
        "Saved as {name}",
        "Loading…",
        "Nothing to choose here",
        "Change a field",
        "Field",
        "Condition",
        "Value",
        "to",
        "Cancel",
        "Change",
        "Apply",
    )
