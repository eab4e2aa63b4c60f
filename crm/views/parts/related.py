"""Lists of what links to a record."""

from crm.views.base import PARTS, Part


@PARTS.add
class Related(Part):
    """Related lists with count and +. Content {lists: [{name, label, glyph, count, items, all, may}]}."""

    name = "related"
    words = ("Add", "Show all {n}")
