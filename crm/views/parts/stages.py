"""The stage path of a record in a pipeline."""

from crm.views.base import PARTS, Editing


@PARTS.add
class Stages(Editing):
    """Where a record stands, and what the gate of the next stage still wants, as editors.

    Content {stages, now, days, expected, gate, todo, guide, who, approvals, map, may}: the checklist and the work instruction of the stage,
    who works in it, the approvals asked for."""

    name = "stages"
    words = (
        "{n} days here",
        "{n} days expected",
        "To reach “{stage}”, fill in",
        "Move to “{stage}”",
        "Stage",
        "Cancel",
        "To do in this stage",
        "Before “{stage}”",
        "Ask for approval",
        "Approvals",
        "Grant",
        "Refuse",
        "Hand on",
        "Process",
        "Ticked before it moves on",
        "Time spent in this stage",
    )
