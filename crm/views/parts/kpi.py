"""KPIs: the figure, how it stands to its target in word and sign, and the way it came as a small line."""

from __future__ import annotations

from crm.views.base import PARTS, Part


@PARTS.add
class Kpi(Part):
    """Content {groups: [{label, cards: [card]}], none, framed: what is around it draws the frame}; a card is {name, label, value, tone, state, target, change, says, help, href, line:
    [[x, y]] in hundredths, mark: height of the target or null, points: [text]}; `tone` is good, near, off or ""."""

    words = ("Open {name}", "The last {n} periods: {points}")
