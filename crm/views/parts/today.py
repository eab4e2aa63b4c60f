"""A seller's day: what is overdue, due, met with, and next; each line with Done, Log and Postpone."""

from crm.views.base import PARTS, Part


@PARTS.add
class Today(Part):
    """content {title, note, none, sections: [{key, label, tone, items: [{key, entity, id, title, sub, glyph, when, tone, amount, href, log}]}]}.
    Without sections `none` is said, with the links `first: [{label, glyph, href}]` below. Asks `done`, `postpone` {entity, id, to}, tells `log` {entity, id}. An item with `plan` has no step yet: asks `plan` {entity, id, to} instead, where
    `may`; a section's `count` may be more than it lists."""

    words = ("Done", "Log", "Postpone", "Tomorrow", "Monday", "Pick a day", "Move", "tomorrow, fri, 24.12., +2w", "Show all {n}", "Day", "In 3 days", "In a week", "Plan", "Plan the next step for tomorrow")
