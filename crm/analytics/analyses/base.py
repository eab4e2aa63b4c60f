"""What every analysis must do: a report whose rows are worked out, not grouped.

A whole analysis, and the report that uses it::

    @ANALYSES.add
    class Quiet(Analysis):
        '''Records nobody was in touch with for `days` days.'''
        name = "quiet"
        options = {"last": "path", "days": "whole"}               # kinds: see crm/schema/analyses.py; `?` may be left out
        columns = {"who": "dimension text", "days": "measure integer"}
        def compute(self, door, report, *, where, as_of, period): return Found(...)

    report: quiet_customers
    entity: account
    analysis: quiet
    options: {last: last_contact, days: 90}
    chart: {type: bars, x: who, y: days}

`options` and `columns` are literals: checking a configuration reads them from the source. What a report's options came to stands in
`report.options` (conditions and formulas parsed, paths checked). Every figure goes through `door`, so it holds only what its reader sees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from crm.charts.base import Column
from crm.registry import Registry

if TYPE_CHECKING:
    from crm.records import Door
    from crm.schema.model import Report

ANALYSES: Registry = Registry("crm.analytics.analyses")


@dataclass
class Found:
    """What an analysis found: `rows` of exact values in the order of `columns` (money and percentages as Decimal).

    `behind` is of each row the condition its records fulfil (of the report's entity; None: no records stand behind this row), `opens` the
    one record it is about as (entity, id), `keys` the stored values of its dimensions (without them their cells), `notes` what only a
    sentence tells, `says` the sentence.
    """

    columns: list[Column]
    rows: list[list[Any]]
    keys: list[tuple[Any, ...]] = field(default_factory=list)
    behind: Sequence[str | None] = ()
    opens: Sequence[tuple[str, int] | None] = ()
    notes: dict[str, Any] = field(default_factory=dict)
    says: str = ""


class Analysis:
    """An analysis by its `name`, the word of YAML; see the module for a whole one."""

    name: ClassVar[str]
    options: ClassVar[dict[str, Any]] = {}
    columns: ClassVar[dict[str, str]] = {}  # {key: "dimension text"}: role and kind
    clocked: ClassVar[bool] = False  # whether its figures follow the clock and are nobody's to keep

    def open_to(self, door: Door, report: Report) -> bool:
        """Whether the user may read everything the report's options name."""
        return all(door.may("see", entity) and door.path_open(entity, path) for entity, path in report.reads)

    def compute(self, door: Door, report: Report, *, where: list[Any], as_of: datetime | None, period: tuple[date, date] | None) -> Found:
        """The rows for the user of `door`, over the records that fulfil all of `where`, as they were `as_of`; `period` is the first day
        and the day after the last where the report has a running period."""
        raise NotImplementedError

    def column(self, key: str, label: str, currency: str | None = None, unit: str | None = None) -> Column:
        """A column by its key, with the role and kind it was declared with."""
        role, _, kind = self.columns[key].partition(" ")
        return Column(key, label, kind or "text", role, unit, currency)


def today_of(door: Door, as_of: datetime | None) -> date:
    """The day an analysis is made for."""
    today: date = door.company.today() if as_of is None else as_of.astimezone(door.words.tz).date()
    return today
