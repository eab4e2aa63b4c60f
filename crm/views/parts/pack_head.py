"""The head of a meeting pack, and of a part of it."""

from __future__ import annotations

from crm.views.base import PARTS, Part


@PARTS.add
class PackHead(Part):
    """Content {heading?, note?, meta?, acts?: [{name, label, glyph}]}; messages: `do` {name}, answered with {file} or {say}."""

    words = ("Saved as {name}", "Making it…")
