"""The same records as bars."""

from crm.views.bars import Bar
from crm.views.base import PARTS


@PARTS.add
class Groups(Bar):
    """Bars by any field; a click shows the records behind one.

    Content {title, note, by, bys, measure, measures, bars} and the bar's."""

    name = "groups"
    words = ("By", "Show", "Bar", "Nothing to count yet.")
