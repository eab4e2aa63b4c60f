"""What changed in the open pipeline since a day: won, lost, new, moved, raised, lowered (I7)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from crm.analytics.analyses.base import ANALYSES, Analysis, Found, today_of
from crm.analytics.changes import PARTS, Changes, Piece, changes
from crm.analytics.periods import after, floor
from crm.analytics.values import decoded
from crm.charts.base import shown

if TYPE_CHECKING:
    from crm.records import Door
    from crm.schema.model import Report

#: Parts told also when there are none.
ALWAYS = ("new", "raised", "lowered", "won", "lost")
#: Ids of records behind a figure that still fit into an address.
LISTED = 200


def span_of(door: Door, report: Report, as_of: datetime | None, period: tuple[date, date] | None) -> tuple[datetime, datetime | None]:
    """The two moments a report compares: the days asked for, else from its `since` to now (None) or to the moment asked for.

    `meeting` is the last pack with this report that was sent before today; where there was none, and without `since`, the week: from
    Monday, on a Monday from the one before.
    """
    zone, today = door.words.tz, today_of(door, as_of)
    if period is not None:
        first, last = (datetime.combine(day, time(0), zone) - timedelta(milliseconds=1) for day in period)
        now = as_of or door.company.now()
        return first, (last if last < now else as_of)
    since = report.options.get("since") or "week"
    if since == "meeting":
        met = [at for name in packs_with(door, report.name) for at in sent(door.company, name) if at.astimezone(zone).date() < today]
        if met:
            return max(met), as_of
        since = "week"
    day = floor(today - timedelta(days=1), since, door.schema.fiscal_start)
    return datetime.combine(day, time(0), zone) - timedelta(milliseconds=1), as_of


def packs_with(door: Door, report: str) -> list[str]:
    """The packs a report is in."""
    return [name for name, pack in door.schema.packs.items() if any(one.report == report for one in pack.parts)]


def sent(company: Any, pack: str) -> list[datetime]:
    """The moments a pack was sent for."""
    return [datetime.fromisoformat(one) for one in company.store.meta.get(f"pack.{pack}", None) or []]


def window_of(door: Door, report: Report, until: datetime | None) -> tuple[date, date] | None:
    """The days records are to close in, where the report looks at one period only: that of its second moment."""
    unit = report.options.get("closing")
    if unit is None:
        return None
    start = floor(today_of(door, until), unit, door.schema.fiscal_start)
    return start, after(start, unit)


def pipeline_open(door: Door, report: Report) -> bool:
    """Whether the user may read the stage, the amount and the closing date of the report's pipelines."""
    entity = door.schema.entities[report.entity]
    if not entity.pipelines:
        return False
    roles = door.schema.pipelines[entity.pipelines[0]].fields
    paths = [entity.stage_field, entity.pipeline_field, roles.get("amount"), roles.get("close") if report.options.get("closing") else None]
    return "amount" in roles and all(door.path_open(report.entity, path) for path in paths if path)


def found_for(
    door: Door, report: Report, where: list[Any], as_of: datetime | None, period: tuple[date, date] | None
) -> tuple[Changes, datetime, datetime | None]:
    """The changes a report tells of, and its two moments."""
    since, until = span_of(door, report, as_of, period)
    return changes(door, report.entity, since, until, where, window_of(door, report, until)), since, until


class Changing(Analysis):
    """What both analyses of changes share: money of the pipeline's amount."""

    narrow = True

    def open_to(self, door: Door, report: Report) -> bool:
        return super().open_to(door, report) and pipeline_open(door, report)

    @staticmethod
    def amount(door: Door, report: Report) -> Any:
        entity = door.schema.entities[report.entity]
        return entity.fields[door.schema.pipelines[entity.pipelines[0]].fields["amount"]]


@ANALYSES.add
class PipelineChange(Changing):
    """A row a kind of change between two moments, from the pipeline that was open to the one that is; the values add up.

    `since`: from when (a period that runs, or the last `meeting`: the last pack with this report). `closing`: only what is to close in the
    running period, so that moved closing dates bring in and take out. A running period of the report itself (`span`, or one that is asked
    for) comes first.
    """

    name = "pipeline_change"
    options = {
        "since": "choice:meeting|day|week|month|quarter|year|fiscal_quarter|fiscal_year?",
        "closing": "choice:month|quarter|year|fiscal_quarter|fiscal_year?",
    }
    columns = {"part": "dimension text", "count": "measure integer", "value": "measure money"}

    def compute(self, door: Door, report: Report, *, where: list[Any], as_of: datetime | None, period: tuple[date, date] | None) -> Found:
        t, amount = door.words, self.amount(door, report)
        found, since, until = found_for(door, report, where, as_of, period)
        labels = part_labels(t) | ended_labels(door, report)
        first, last = day_of(t, since + timedelta(milliseconds=1)), day_of(t, until or door.company.now())
        lines: list[tuple[str, str, int, int, list[Piece]]] = [
            ("opening", t("Open {day}", day=first), len(found.before), found.opening, [])
        ]
        for part in PARTS:
            pieces = found.of(part)
            if pieces or part in ALWAYS:
                lines.append((part, labels[part], len(pieces), sum(one.value for one in pieces), pieces))
        lines.append(("closing", t("Open {day}", day=last), len(found.after), found.closing, []))
        money = self.column("value", amount.label_in(t), getattr(amount, "currency", None))
        return Found(
            columns=[self.column("part", t("What changed")), self.column("count", door.schema.entities[report.entity].plural_in(t)), money],
            rows=[[label, count, decoded(amount, "sum", value)] for _, label, count, value, _ in lines],
            keys=[(part,) for part, *_ in lines],
            behind=[records_of(found.after if part == "closing" else (one.id for one in pieces), part) for part, *_, pieces in lines],
            notes={"since": since, "until": until},
            says=self.says(t, found, since, money, amount, ended_labels(door, report)),
        )

    def says(self, t: Any, found: Changes, since: datetime, money: Any, amount: Any, ended: dict[str, str]) -> str:
        """`Since Monday, 16 November: 3 won (€12k), 2 lost (€8k), 4 new (€20k). Open pipeline €140k → €144k.`"""

        def told(value: int) -> str:
            return shown(t, money, decoded(amount, "sum", value), True)

        said = {
            part: t("{what}: {n} ({value})" if part in ended else text, what=ended.get(part), n=len(pieces), value=told(abs(sum(one.value for one in pieces))))
            for part, text in (("won", "{n} won ({value})"), ("lost", "{n} lost ({value})"), ("new", "{n} new ({value})"))
            if (pieces := found.of(part))
        }
        revalued = sum(one.value for one in found.of("raised", "lowered"))
        if revalued:
            said["revalued"] = t("values changed by {value}", value=("+" if revalued > 0 else "") + told(revalued))
        moved = sum(one.value for one in found.of("moved_in", "moved_out", "received", "given", "reopened", "restored", "deleted"))
        if moved:
            said["moved"] = t("moved in and out {value}", value=("+" if moved > 0 else "") + told(moved))
        day = t.date((since + timedelta(milliseconds=1)).astimezone(t.tz).date(), "full")
        parts = ", ".join(said.values()) or t("nothing changed")
        return t(
            "Since {day}: {parts}. Open pipeline {before} → {after}.",
            day=day,
            parts=parts,
            before=told(found.opening),
            after=told(found.closing),
        )


def part_labels(t: Any) -> dict[str, str]:
    return {
        "new": t("New"),
        "reopened": t("Taken up again"),
        "restored": t("Restored"),
        "moved_in": t("Date moved in"),
        "received": t("Taken over"),
        "raised": t("Value raised"),
        "lowered": t("Value lowered"),
        "won": t("Won"),
        "lost": t("Lost"),
        "moved_out": t("Date moved out"),
        "given": t("Handed over"),
        "deleted": t("Deleted"),
    }


def ended_labels(door: Door, report: Report) -> dict[str, str]:
    """How won and lost are called where the pipelines of the report have one name for it that is not the engine's: given, declined."""
    t, found = door.words, {}
    for part, own in (("won", t("Won")), ("lost", t("Lost"))):
        called = {
            stage.label_in(t)
            for name in door.schema.entities[report.entity].pipelines
            for stage in door.schema.pipelines[name].of_outcome(part)
        }
        if len(called) == 1 and (label := called.pop()) != own:
            found[part] = label
    return found


def day_of(t: Any, moment: datetime) -> str:
    return str(t.date(moment.astimezone(t.tz).date(), "d MMM"))


def records_of(ids: Any, part: str) -> str | None:
    """The condition of the records behind a part; None where there are none, too many for a list, or none that is left."""
    listed = set(ids)
    return f"id in [{', '.join(map(str, sorted(listed)))}]" if 0 < len(listed) <= LISTED and part != "deleted" else None


words = ("{what}: {n} ({value})", "{n} won ({value})", "{n} lost ({value})", "{n} new ({value})")
