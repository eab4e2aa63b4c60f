"""Everything that ever happened, newest first."""

from crm.views.base import PARTS, Part


@PARTS.add
class Timeline(Part):
    """Events by kind with search and endless scroll, the planned next step above them, the history beside them."""

    name = "timeline"
    words = (
        "More filters",
        "Who",
        "Everyone",
        "From day",
        "To day",
        "1.6., last monday",
        "Clear filters",
        "Timeline",
        "All",
        "History",
        "Search",
        "Search in the timeline",
        "Show",
        "Show more",
        "More",
        "Less",
        "Done",
        "Postpone",
        "Tomorrow",
        "Monday",
        "In a week",
        "Pick a day",
        "tomorrow, fri, 24.12.",
        "Plan",
        "In words…",
        "In 3 days",
        "Plan the next step for tomorrow",
        "Nothing matches.",
        "Nothing yet. What you log above appears here.",
        "Loading…",
        "Undo",
        "empty",
        "No change yet.",
    )
