"""The figures of a report as a plain table."""

from __future__ import annotations

from crm.views.base import PARTS, Part


@PARTS.add
class Figures(Part):
    """Content {title, columns: [{name?, label, num, sort?}], rows: [{href?, open?: {row}, cells: [text or {text, href?, open?}]}], total?,
    note?, none}.

    A row with an address opens its records, so does a figure with its own; `open` asks the server where they are. A column with a name is
    sorted by; messages: sort {name}, open {row, column}."""

    words = ("Show the records", "Sort")
