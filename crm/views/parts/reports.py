"""The reports there are, by what they are about."""

from __future__ import annotations

from crm.views.base import PARTS, Part


@PARTS.add
class Reports(Part):
    """Content {shelves: [{name, label, glyph, reports: [{name, label, glyph, help, href}]}], none}."""

    words = ("Search", "Nothing found", "Reports", "{n} reports")
