"""Why a record has its score."""

from crm.views.base import PARTS, Part


@PARTS.add
class Reasons(Part):
    """Content {title, score, rating, tone, color, lines: [{text, show, tone, share}], say}: the points of the lines add up to the score."""

    words = ("of 100",)
