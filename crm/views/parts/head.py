"""The head of a record page."""

from crm.views.base import PARTS, Part


@PARTS.add
class Head(Part):
    """Icon, title, subtitle with links, badges, owner, quick acts. Content {glyph, title, sub, owner, badges, acts, more}."""

    name = "head"
    words = ("More", "Quick acts")
