"""A meeting pack for one reader: the chosen reports in their order, each with its sentence, its chart, its table and its stamp (F14).

    made = make(door, "board_meeting")          # as of now, with the rights and in the language of the door's user
    pdf(made); html(made)                       # crm/documents/pdf.py, crm/documents/html.py

What its reader may not see is left out of it. Every report in it is kept under its stamp, so that it can be had again.
"""

from __future__ import annotations

import base64
import contextlib
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from crm.analytics import Result, run
from crm.analytics.stamps import keep
from crm.charts.base import shown
from crm.errors import Missing

if TYPE_CHECKING:
    from crm.records import Door
    from crm.schema.model import Pack

#: Charts that are tables themselves.
TABLES = ("table", "bar_table")
#: From this on money is told without cents.
ROUND = 1000
NUMBERS = ("money", "percent", "number", "integer", "duration")


@dataclass
class Section:
    """One part of a pack at work; without a `result` it is a heading with a note."""

    number: int
    heading: str
    note: str = ""
    result: Result | None = None
    rows: int = 12

    @property
    def name(self) -> str:
        """What its picture is called."""
        return f"chart{self.number}"

    @property
    def kind(self) -> str:
        """words (no report), figure (one number), table, or chart."""
        if self.result is None:
            return "words"
        chart = self.result.report.chart.name
        return "figure" if chart == "number" else "table" if chart in TABLES or not self.result.exact else "chart"

    @property
    def says(self) -> str:
        """The sentence; none below a figure that it would only repeat."""
        if self.result is None or (self.kind == "figure" and self.result.report.target is None and not self.result.told):
            return ""
        return self.result.says

    @property
    def value(self) -> str:
        """The figure of a report that is one number, as it is read."""
        result = self.result
        if result is None or not result.exact:
            return "–"
        wanted = result.report.chart.axes.get("y")
        keys = [column.key for column in result.columns]
        measures = [n for n, column in enumerate(result.columns) if column.role == "measure"]
        place = keys.index(wanted) if isinstance(wanted, str) and wanted in keys else measures[0] if measures else 0
        return told(result.words, result.columns[place], result.exact[0][place], place in self._large)

    @cached_property
    def columns(self) -> list[dict[str, Any]]:
        """{label, number} of the table's columns; those nothing stands in are left out."""
        return [{"label": self.result.columns[n].label, "number": self.result.columns[n].kind in NUMBERS} for n in self._shown] if self.result else []

    @cached_property
    def _shown(self) -> list[int]:
        assert self.result is not None
        return [n for n in range(len(self.result.columns)) if any(row[n] is not None for row in self.result.exact)]

    @cached_property
    def cells(self) -> list[list[str]]:
        """The rows of the table that are shown: the first, of periods the last. Large amounts are told without cents."""
        result = self.result
        if result is None or not self.rows:
            return []
        rows = result.exact[-self.rows :] if self.timed else result.exact[: self.rows]
        return [[told(result.words, result.columns[n], row[n], n in self._large) for n in self._shown] for row in rows]

    @property
    def timed(self) -> bool:
        """Whether the rows follow time."""
        return bool(self.result and self.result.columns and self.result.columns[0].unit)

    @cached_property
    def _large(self) -> set[int]:
        """The columns of money that hold an amount of a thousand or more."""
        assert self.result is not None
        money = [n for n, column in enumerate(self.result.columns) if column.kind == "money"]
        return {n for n in money if any(row[n] is not None and abs(row[n]) >= ROUND for row in self.result.exact)}

    @property
    def more(self) -> int:
        """How many rows are not shown."""
        return len(self.result.exact) - len(self.cells) if self.result and self.rows else 0

    def png(self, height: int = 230) -> bytes:
        assert self.result is not None
        return self.result.png(height=height)

    def svg(self, height: int = 230) -> bytes:
        """The chart as a drawing with its letters as shapes: sharp in print, and no font is needed."""
        from crm.charts.base import ready

        assert self.result is not None
        drawn, _ = ready("matplotlib").instance(fig="svg")(self.result.chart(backend="matplotlib", height=height))
        return drawn if isinstance(drawn, bytes) else str(drawn).encode()


@dataclass
class Made:
    """A pack for one reader. `at` is the moment its figures are of, in the reader's time zone."""

    pack: Pack
    door: Door
    at: datetime
    sections: list[Section] = field(default_factory=list)

    @property
    def t(self) -> Any:
        return self.door.words

    @property
    def title(self) -> str:
        return self.pack.label_in(self.t)

    @property
    def company(self) -> str:
        return str(self.door.schema.title)

    @property
    def file_name(self) -> str:
        return f"{self.pack.name}-{self.at.date()}"

    @property
    def when(self) -> str:
        """The moment, as it is read."""
        return str(self.t.datetime(self.at))

    @property
    def whom(self) -> str:
        return str(self.t("For {name}, {when}", name=self.door.actor.name, when=self.when))

    def proof(self, section: Section) -> str:
        """The line that says as of when a report is and under which stamp it can be had again."""
        assert section.result is not None
        return str(self.t("As of {when} · stamp {stamp}", when=self.when, stamp=section.result.stamp))

    def rest(self, section: Section) -> str:
        """What is said of the rows that are not shown."""
        if not section.more:
            return ""
        return str(self.t("and {n} earlier", n=section.more) if section.timed else self.t("and {n} more", n=section.more))

    def blocks(self) -> list[list[Section]]:
        """The sections as they are laid out: figures that follow each other stand side by side."""
        found: list[list[Section]] = []
        for section in self.sections:
            if section.kind == "figure" and found and found[-1][0].kind == "figure" and len(found[-1]) < 4:
                found[-1].append(section)
            else:
                found.append([section])
        return found

    def json(self) -> dict[str, Any]:
        return {
            "pack": self.pack.name,
            "title": self.title,
            "as_of": self.at.isoformat(timespec="seconds"),
            "user": self.door.actor.login,
            "sections": [
                {"heading": one.heading, "note": one.note, "says": one.says, **({"report": one.result.json()} if one.result else {})}
                for one in self.sections
            ],
        }

    def picture(self, section: Section) -> str:
        """The chart as an address that holds it: for a page of its own."""
        return "data:image/png;base64," + base64.b64encode(section.png()).decode()


def names(door: Door) -> list[str]:
    """The packs made for this user: of modules that are switched on, for their role or for them by name."""
    return [name for name, one in door.schema.packs.items() if door.schema.is_on(one.module) and for_actor(one, door.actor)]


def for_actor(pack: Pack, actor: Any) -> bool:
    """Whether a pack is for somebody; one that names nobody is for everybody."""
    return (not pack.roles and not pack.people) or actor.admin or actor.role in pack.roles or actor.login in pack.people


def make(door: Door, name: str, as_of: datetime | None = None) -> Made:
    """A pack with the figures of now, or of a moment. Raises `Missing` for one that is not there or not for this user."""
    if name not in names(door):
        raise Missing("There is no such pack.")
    pack = door.schema.packs[name]
    made = Made(pack, door, door.words.local(as_of or door.company.now()))
    for number, part in enumerate(pack.parts, 1):
        heading, note = part.heading_in(door.words), part.note_in(door.words)
        if part.report is None:
            made.sections.append(Section(number, heading, note))
            continue
        with contextlib.suppress(Missing):  # not for this reader
            result = run(door, part.report, as_of=as_of)
            keep(door, result, "pack")
            made.sections.append(Section(number, heading or result.title, note, result, part.rows))
    if not any(one.result for one in made.sections):
        raise Missing("Nothing in this pack is for you.")
    made.sections = [one for n, one in enumerate(made.sections) if one.result or n + 1 < len(made.sections)]
    return made


def told(words: Any, column: Any, value: Any, large: bool = False) -> str:
    """A cell of a table as it is read; `large`: money in whole units."""
    if large and value is not None:
        return str(words.money(value, column.currency or "", 0))
    return shown(words, column, value)
