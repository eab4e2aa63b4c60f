"""What every analysis must do: a report whose rows are worked out, not grouped.

A whole analysis, and the report that uses it::

    @ANALYSES.add
    class Quiet(Analysis):
        '''Records nobody was in touch with for `days` days.'''
        name = "quiet"
        options = {"last": "date", "days": "whole"}               # kinds: see crm/schema/analyses.py; `?` may be left out
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

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from crm.analytics.values import decoded
from crm.charts.base import Column
from crm.registry import Registry

if TYPE_CHECKING:
    import numpy as np

    from crm.records import Door
    from crm.records import columns as kept
    from crm.schema.model import Report

ANALYSES: Registry = Registry("crm.analytics.analyses")


@dataclass
class Members:
    """The records behind a row of an analysis: what they are called, and their ids when they are asked for; `parts` are those behind
    single figures of the row, by column."""

    said: str
    ids: Callable[[], Iterable[int]]
    parts: Mapping[str, tuple[str, Callable[[], Iterable[int]]]] = field(default_factory=dict)

    def of(self, column: str = "") -> tuple[str, list[int]]:
        """What the records behind the row, or behind one figure of it, are called; and which they are."""
        said, ids = self.parts.get(column, (self.said, self.ids))
        return said, [int(one) for one in ids()]


@dataclass
class Found:
    """What an analysis found: `rows` of exact values in the order of `columns` (money and percentages as Decimal).

    `behind` is of each row the condition its records fulfil (of the report's entity; None: no records stand behind this row), `opens` the
    one record it is about as (entity, id), `members` the records behind it where no condition tells them (of the entity `of`, without it
    the report's), `keys` the stored values of its dimensions (without them their cells), `notes` what only a sentence tells, `says` the
    sentence.
    """

    columns: list[Column]
    rows: list[list[Any]]
    keys: list[tuple[Any, ...]] = field(default_factory=list)
    behind: Sequence[str | None] = ()
    opens: Sequence[tuple[str, int] | None] = ()
    members: Sequence[Members | None] = ()
    of: str = ""
    notes: dict[str, Any] = field(default_factory=dict)
    says: str = ""


class Analysis:
    """An analysis by its `name`, the word of YAML; see the module for a whole one."""

    name: ClassVar[str]
    options: ClassVar[dict[str, Any]] = {}
    columns: ClassVar[dict[str, str]] = {}  # {key: "dimension text"}: role and kind; "measure percent points": of two parts
    needs: ClassVar[dict[str, list[str]]] = {}  # {option, or "option=value": the options it cannot do without}
    examples: ClassVar[dict[str, str]] = {}  # {option: a figure that one writes there}
    roles: ClassVar[list[str]] = []  # what a pipeline must say of the report's records: amount, close, owner, stage
    narrow: ClassVar[bool] = False  # whether it looks at nothing but its entity, stages, goals and what its options name
    clocked: ClassVar[bool] = False  # whether its figures follow the clock and are nobody's to keep

    def open_to(self, door: Door, report: Report) -> bool:
        """Whether the user may read everything the report's options name."""
        return all(door.may("see", entity) and door.path_open(entity, path) for entity, path in report.reads)

    def reads(self, door: Door, report: Report) -> Iterable[tuple[str, str]]:
        """The (entity, path) pairs that a `narrow` one looks at, beside its entity, stages and goals."""
        return report.reads

    def compute(self, door: Door, report: Report, *, where: list[Any], as_of: datetime | None, period: tuple[date, date] | None) -> Found:
        """The rows for the user of `door`, over the records that fulfil all of `where`, as they were `as_of`; `period` is the first day
        and the day after the last where the report has a running period."""
        raise NotImplementedError

    def column(self, key: str, label: str, currency: str | None = None, unit: str | None = None) -> Column:
        """A column by its key, with the role and kind it was declared with."""
        role, *kind = self.columns[key].split()
        return Column(key, label, kind[0] if kind else "text", role, unit, currency, "points" in kind)


class OfRecords(Analysis):
    """An analysis with a row a record, which tells also whose it is (`owner`) and what it is worth (`worth`): options of every such one.

    Its columns are `record`, `owner`, `worth` and its own; `owner` and `worth` are left out where the YAML does not name them.
    """

    def listed(
        self, door: Door, report: Report, ids: np.ndarray, known: Mapping[str, kept.Column], told: dict[int, dict[str, Any]], labels: dict[str, str]
    ) -> Found:  # fmt: skip
        """The rows of the records in `told` (id → values of its own columns, in their order), with what is known of `ids`, rising."""
        import numpy as np

        t, options = door.words, report.options
        place = dict(zip(told, np.searchsorted(ids, np.array(list(told), dtype=np.int64)).tolist(), strict=True))
        more: dict[str, list[Any]] = {}
        labels = {"record": door.schema.entities[report.entity].label_in(t), **labels}
        field = door.schema_field(report.entity, options["worth"]) if "worth" in options else None
        if "owner" in options:
            owner = door.schema_field(report.entity, options["owner"])
            labels["owner"] = owner.label_in(t)
            people = known[options["owner"]]
            whose = {one: people[place[one]] for one in told}
            names = door.titles(owner.to, {int(one) for one in whose.values() if one is not None})
            more["owner"] = [None if whom is None else names.get(int(whom), t("Not visible to you")) for whom in whose.values()]
        if field is not None:
            labels["worth"] = field.label_in(t)
            worths = known[options["worth"]]
            more["worth"] = [decoded(field, "sum", worths[place[one]]) for one in told]
        titles = door.titles(report.entity, told)
        more["record"] = [titles.get(one, "–") for one in told]
        columns = [
            self.column(key, labels[key], getattr(field, "currency", None) if key == "worth" else None)
            for key in self.columns
            if key in labels
        ]
        rows = [
            [more[column.key][n] if column.key in more else values[column.key] for column in columns]
            for n, values in enumerate(told.values())
        ]
        return Found(columns, rows, [(one,) for one in told], [f"id == {one}" for one in told], [(report.entity, one) for one in told])

    def asked(self, report: Report, *paths: str) -> list[str]:
        """What is read of each record."""
        return list(dict.fromkeys([*paths, *(report.options[key] for key in ("owner", "worth") if key in report.options)]))


def today_of(door: Door, as_of: datetime | None) -> date:
    """The day an analysis is made for."""
    today: date = door.company.today() if as_of is None else as_of.astimezone(door.words.tz).date()
    return today
