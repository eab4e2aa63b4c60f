"""A small labelled bar chart that is its own table: sums by stage, a goal against what was reached."""

from crm.views.base import PARTS, Part


@PARTS.add
class Bars(Part):
    """content {title, note, bars: [{label, share (0 to 100), show, sub, color (1 to 5 or a tone), mark, href}], none}."""

    words = ("Nothing yet", "Goal")
