"""What is asked of a report: period, comparison, group, filters, the day it is seen from; and what it says."""

from __future__ import annotations

from typing import ClassVar

from crm.views.bars import Bar
from crm.views.base import PARTS


@PARTS.add
class ReportBar(Bar):
    """Content {says, meta, stamp: {help, text of one that is kept?}, picks: [{name, label, value, options: [[value, text]]}], dates: {from, to}?, chips, asof: {marks:
    [{day, label}], at, day, last}?, shapes, gives, reset}; messages: pick {name, value}, dates {from, to}, seen {day}, give {name},
    stamp, and those of the filters."""

    word = "report_bar"
    words: ClassVar[tuple[str, ...]] = (
        "First day",
        "Last day",
        "As of",
        "As of the day",
        "Exact day",
        "Back to now",
        "Show as",
        "Download",
        "Saved as {name}",
        "As it was set up",
        "Stamp",
    )
