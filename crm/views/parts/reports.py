"""The reports there are."""

from __future__ import annotations

from crm.views.base import PARTS, Part


@PARTS.add
class Reports(Part):
    """Content {reports: [{name, label, glyph, help, href}], none}."""
