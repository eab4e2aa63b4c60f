"""One sentence that says what a report says, made from its figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crm.analytics.reports import Result


def reading(result: Result) -> str:
    """The sentence in the language of the result's reader; "" where there is nothing to say."""
    return ""
