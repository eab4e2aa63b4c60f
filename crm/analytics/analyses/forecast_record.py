"""The record of a forecast as a report: what was foretold, what came, and what simpler ways would have said (I3)."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from crm.analytics import forecast as engine
from crm.analytics.analyses.base import ANALYSES, Analysis, Found
from crm.analytics.analyses.forecast_months import money, seen
from crm.analytics.forecast import kept

if TYPE_CHECKING:
    from crm.records import Door
    from crm.schema.model import Report


@ANALYSES.add
class ForecastRecord(Analysis):
    """A row a month, as it was foretold `ahead` months before (1: at its own beginning)."""

    name = "forecast_record"
    options = {"forecast": "forecast?", "back": "whole?", "ahead": "whole?"}
    examples = {"back": "12", "ahead": "1"}
    columns = {
        "month": "dimension date",
        "p10": "measure money",
        "p50": "measure money",
        "p90": "measure money",
        "actual": "measure money",
        "last_year": "measure money",
        "moving_mean": "measure money",
        "weighted": "measure money",
    }
    engine = staticmethod(kept.engine)

    def open_to(self, door: Door, report: Report) -> bool:
        return seen(door, report)

    def compute(self, door: Door, report: Report, *, where: list[Any], as_of: datetime | None, period: tuple[date, date] | None) -> Found:
        t = door.words
        spec = engine.spec_of(door, report.options.get("forecast"))
        record = engine.backtest(door, spec.name, back=report.options.get("back"), where=where, as_of=as_of)
        labels = {
            "month": t("Month"), "p10": t("Low (P10)"), "p50": t("Foretold"), "p90": t("High (P90)"), "actual": t("Came"),
            "last_year": t("Same month last year"), "moving_mean": t("Mean of twelve months"), "weighted": t("Weighted pipeline"),
        }  # fmt: skip
        columns = [
            self.column(key, label, record.currency or None if key != "month" else None, "month" if key == "month" else None)
            for key, label in labels.items()
        ]
        part = record.frame[record.frame["ahead"] == report.options.get("ahead", 1)]
        rows = [[row["month"].date(), *(money(row[key]) for key in labels if key != "month")] for row in part.to_dict("records")]
        roles = door.schema.pipelines[spec.pipelines[0]].fields
        stage, close = door.schema.entities[spec.entity].stage_field, roles["close"]
        behind = [f"{stage}.outcome == 'won' and {close} >= date('{row[0]}') and {close} < date('{moved_on(row[0])}')" for row in rows]
        notes = {"coverage": record.coverage, "bias": record.bias, "error": record.error, "baselines": record.baselines, **record.notes}
        return Found(columns, rows, [(f"{row[0]:%Y-%m}",) for row in rows], behind, notes=notes, says=record.says)


def moved_on(month: date) -> date:
    """The first day of the month after."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)
