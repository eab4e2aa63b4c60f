"""A pipeline as columns of cards."""

from crm.views.bars import Bar
from crm.views.base import PARTS


@PARTS.add
class Board(Bar):
    """Cards by stage, moved by drag, keys or a menu.

    Content {columns: [{name, label, color, count, sum, weighted, cards, more}], may} and the bar's."""

    name = "board"
    words = ("Move to", "No next step", "Show more", "Nothing here.", "{n} here", "Show", "Process", "Take it", "Log what happened")
