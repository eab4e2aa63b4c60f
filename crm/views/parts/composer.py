"""What happened, what next, when."""

from typing import ClassVar

from crm.views.base import PARTS, Part


@PARTS.add
class Composer(Part):
    """Logs what happened and plans the next step in one go. Content {draft, kinds, kind, results, withs, day, days}."""

    name = "composer"
    words: ClassVar[tuple[str, ...]] = (
        "Log what happened",
        "What happened?",
        "What is the next step?",
        "When?",
        "Save",
        "Kind",
        "Result",
        "With",
        "tomorrow, fri 10:30, in 3 days",
    )
