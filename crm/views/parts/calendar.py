"""A month or a week of what is due."""

from crm.views.bars import Bar
from crm.views.base import PARTS


@PARTS.add
class Calendar(Bar):
    """Events by day; moving one to another day postpones it.

    Content {mode, title, days, weekdays, events, before, after, now, modes} and the bar's."""

    name = "calendar"
    words = (
        "Today",
        "Back in time",
        "Forward in time",
        "Length",
        "Add",
        "Postpone",
        "{n} more",
        "Nothing in these days.",
        "Tomorrow",
        "Monday",
        "In a week",
        "Pick a day",
        "tomorrow, fri, 24.12.",
    )
