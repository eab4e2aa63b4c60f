"""The head of a chart: what is shown, for whom and as of when, and what can be had of it."""

from __future__ import annotations

from crm.views.base import PARTS, Part


@PARTS.add
class CardHead(Part):
    """Content {title, note, href, value?, say?, links: [{name, label, glyph, href?}]}; messages: `do` {name}."""

    words = ("Open report", "Saved as {name}")
