"""The figures of a report as a plain table."""

from __future__ import annotations

from crm.views.base import PARTS, Part


@PARTS.add
class Figures(Part):
    """Content {title, columns: [{label, num}], rows: [{href?, cells: [text]}], none}; a row with an address opens its records."""

    words = ("Show the records",)
