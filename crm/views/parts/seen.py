"""The place of a card that is made when somebody sees it: dashboards open at once, and what is never looked at is never computed."""

from __future__ import annotations

from crm.views.base import PARTS, Part


@PARTS.add
class Seen(Part):
    """Content {title, height}: room is kept so that nothing jumps; message `seen`, once, when the place comes near the window."""

    words = ("Loading…",)
