"""The cards a user keeps (`c.card(…)` in a notebook), on the home page and on dashboards; taken off with one click, and back with Undo."""

from __future__ import annotations

from typing import Any

from crm.analytics import own
from crm.views.cards import awaited, report_card


def own_cards(app: Any, dashboard: str = "") -> list[tuple[Any, int]]:
    """(the card, its width of twelve columns) of those kept for a dashboard, or for the home page."""
    return [(place(app, one), one.width or 6) for one in own.cards(app.door, dashboard)]


def place(app: Any, card: own.OwnCard) -> Any:
    """The card, made when it is seen."""
    return awaited(app, card.title, lambda: report_card(app, card.name, title=card.title, act=off(app, card)))


def off(app: Any, card: own.OwnCard) -> tuple[dict[str, Any], Any]:
    """The act that takes a card off: its link in the head, and what it does."""

    def take() -> None:
        step = own.drop_card(app.door, card.id)
        app.refresh()
        app.say(app.t("The card is taken off."), undo=step)

    return {"name": "off", "label": app.t("Take off"), "glyph": "close"}, take
