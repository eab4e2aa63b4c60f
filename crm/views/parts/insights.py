"""What a record means among others."""

from crm.views.base import PARTS, Part


@PARTS.add
class Insights(Part):
    """Cards beside the timeline: a statement of figures with their formulas, the tree of records, the map of who decides.

    Content {cards: [{kind: statement|branch|centre, key, label, …}]}; a click on a figure shows where it comes from."""

    name = "insights"
    words = ("Add", "Where does it come from?", "is")
