"""The process map of a pipeline."""

from crm.views.base import PARTS, Part


@PARTS.add
class Process(Part):
    """The map as `crm.views.processmap` draws it, wide and narrow; a stage that is chosen shows what is in it now.

    Content {wide, narrow, title, board}; the handler `stage` answers {label, facts: [[what, figure]], href}."""

    name = "process"
    words = ("Choose a stage to see what is in it.", "Show them", "Download as SVG", "Close")
