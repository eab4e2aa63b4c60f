"""What changed in each stage since a day: what came, moved on, was won, lost or revalued (I7)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from crm.analytics.analyses.base import ANALYSES, Found
from crm.analytics.analyses.pipeline_change import Changing, day_of, ended_labels, found_for
from crm.analytics.changes import Changes
from crm.analytics.values import decoded
from crm.charts.base import shown

if TYPE_CHECKING:
    from crm.records import Door
    from crm.schema.model import Report

CAME = ("new", "reopened", "restored", "moved_in", "received")
GONE = ("moved_out", "given", "deleted")
FIGURES = ("opening", "came", "from_others", "to_others", "revalued", "won", "lost", "gone", "closing")


@ANALYSES.add
class StageChange(Changing):
    """A row an open stage; from what it held at the first moment to what it holds at the second, each row adding up. What came and ended in
    between stands in a row of its own. Options as of `pipeline_change`."""

    name = "stage_change"
    options = {
        "since": "choice:meeting|day|week|month|quarter|year|fiscal_quarter|fiscal_year?",
        "closing": "choice:month|quarter|year|fiscal_quarter|fiscal_year?",
    }
    columns = {
        "stage": "dimension text",
        "opening": "measure money",
        "came": "measure money",
        "from_others": "measure money",
        "to_others": "measure money",
        "revalued": "measure money",
        "won": "measure money",
        "lost": "measure money",
        "gone": "measure money",
        "closing": "measure money",
    }

    def compute(self, door: Door, report: Report, *, where: list[Any], as_of: datetime | None, period: tuple[date, date] | None) -> Found:
        t, amount = door.words, self.amount(door, report)
        found, since, until = found_for(door, report, where, as_of, period)
        told = by_stage(found)
        entity = door.schema.entities[report.entity]
        names = {
            key: stage.label_in(t)
            for pipeline in entity.pipelines
            for key, stage in door.schema.pipelines[pipeline].stages.items()
            if not stage.outcome
        }
        order = [key for key in names if key in told] + [key for key in told if key not in names]
        labels = {
            "opening": t("Open {day}", day=day_of(t, since + timedelta(milliseconds=1))),
            "came": t("Came in"),
            "from_others": t("From other stages"),
            "to_others": t("To other stages"),
            "revalued": t("Value changed"),
            "won": t("Won"),
            "lost": t("Lost"),
            "gone": t("Gone"),
            "closing": t("Open {day}", day=day_of(t, until or door.company.now())),
        } | ended_labels(door, report)
        currency = getattr(amount, "currency", None)
        stage = entity.fields[entity.stage_field or ""].label_in(t)
        return Found(
            columns=[self.column("stage", stage), *(self.column(key, labels[key], currency) for key in FIGURES)],
            rows=[
                [names.get(key, t("Came and went")), *(decoded(amount, "sum", told[key].get(one, 0)) for one in FIGURES)] for key in order
            ],
            keys=[(key,) for key in order],
            notes={"since": since, "until": until},
            says=self.says(t, {names.get(key, t("Came and went")): told[key] for key in order}, amount, since),
        )

    def says(self, t: Any, told: dict[str, dict[str, int]], amount: Any, since: datetime) -> str:
        """`Since Monday, 16 November: Offer holds most more (€40k), Negotiation most less (€12k).`"""
        money = self.column("opening", "", getattr(amount, "currency", None))
        net = {name: row.get("closing", 0) - row.get("opening", 0) for name, row in told.items()}
        more, less = max(net, key=net.__getitem__, default=""), min(net, key=net.__getitem__, default="")

        def value(name: str) -> str:
            return shown(t, money, decoded(amount, "sum", abs(net[name])), True)

        said = [t("{stage} grew most, by {value}", stage=more, value=value(more))] if more and net[more] > 0 else []
        if less and net[less] < 0:
            said.append(t("{stage} shrank most, by {value}", stage=less, value=value(less)))
        day = t.date((since + timedelta(milliseconds=1)).astimezone(t.tz).date(), "full")
        return t("Since {day}: {parts}.", day=day, parts=", ".join(said) or t("nothing changed"))


def by_stage(found: Changes) -> dict[Any, dict[str, int]]:
    """`{stage: {figure: value}}`; the figures of a stage between `opening` and `closing` add up to their difference."""
    told: dict[Any, dict[str, int]] = {}

    def add(stage: Any, figure: str, value: int) -> None:
        row = told.setdefault(stage, {})
        row[figure] = row.get(figure, 0) + value

    for was in found.before.values():
        add(was.stage, "opening", was.value)
    for id, now in found.after.items():
        add(now.stage, "closing", now.value)
        earlier = found.before.get(id)
        if earlier is not None and earlier.stage != now.stage:
            add(earlier.stage, "to_others", -now.value)
            add(now.stage, "from_others", now.value)
    for piece in found.pieces:
        part = piece.part
        add(
            piece.stage,
            "came" if part in CAME else "gone" if part in GONE else "revalued" if part in ("raised", "lowered") else part,
            piece.value,
        )
    return told
