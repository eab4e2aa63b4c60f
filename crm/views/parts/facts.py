"""Key facts of a record, edited in place."""

from crm.views.base import PARTS, Editing


@PARTS.add
class Facts(Editing):
    """Groups of values as text; a click edits just that one. Content {groups: [{label, facts}], edit}."""

    name = "facts"
    words = ("Key facts", "Edit", "Edit all", "Add", "Save", "Cancel", "Open {title}", "Download", "Take over")
