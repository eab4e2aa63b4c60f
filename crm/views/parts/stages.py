"""The stage path of a record in a pipeline."""

from crm.views.base import PARTS, Editing


@PARTS.add
class Stages(Editing):
    """Where a record stands, and what the gate of the next stage still wants, as editors.

    Content {stages, now, days, expected, gate, guide, may}."""

    name = "stages"
    words = (
        "{n} days here",
        "{n} days expected",
        "To reach “{stage}”, fill in",
        "Move to “{stage}”",
        "Stage",
        "Cancel",
        "To do in this stage",
    )
