"""A forecast as a report: what people say and what the history says, month by month (F7)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from crm.analytics import forecast as engine
from crm.analytics.analyses.base import ANALYSES, Analysis, Found
from crm.analytics.forecast import kept
from crm.analytics.forecast.sides import axis_of, currency, cut_of
from crm.analytics.periods import moved

if TYPE_CHECKING:
    from crm.records import Door
    from crm.schema.model import Report


def money(value: float) -> Decimal | None:
    """A figure to the whole unit: a forecast to the cent would promise too much."""
    return None if value != value else Decimal(round(value))


@ANALYSES.add
class ForecastMonths(Analysis):
    """A row a month (and group of `by`; where an axis of the forecast has this path, it is cut as that says)."""

    name = "forecast_months"
    options = {"forecast": "forecast?", "by": "path?"}
    columns = {
        "month": "dimension date",
        "group": "dimension text",
        "committed": "measure money",
        "best_case": "measure money",
        "pipeline": "measure money",
        "weighted": "measure money",
        "p10": "measure money",
        "p50": "measure money",
        "p90": "measure money",
        "goal": "measure money",
        "adjusted": "measure money",
        "actual": "measure money",
    }
    engine = staticmethod(kept.engine)

    def open_to(self, door: Door, report: Report) -> bool:
        return seen(door, report) and super().open_to(door, report)

    def compute(self, door: Door, report: Report, *, where: list[Any], as_of: datetime | None, period: tuple[date, date] | None) -> Found:
        spec = engine.spec_of(door, report.options.get("forecast"))
        by = report.options.get("by")
        found = engine.forecast(door, spec.name, as_of=as_of, where=where, by=by, record=True)
        cut = cut_of(door, spec, axis_of(door, spec, by), as_of) if by else None
        t, unit = door.words, currency(door, spec)
        labels = {
            "month": t("Month"), "group": found.label, "committed": t("Committed"), "best_case": t("Best case"), "pipeline": t("Pipeline"),
            "weighted": t("Weighted"), "p10": t("Low (P10)"), "p50": t("Expected (P50)"), "p90": t("High (P90)"), "goal": t("Goal"),
            "adjusted": t("Adjusted"), "actual": t("Won already"),
        }  # fmt: skip
        empty = {key for key in ("goal", "adjusted") if found.frame[key].isna().all()}
        shown = [key for key in found.frame.columns if key not in empty]
        columns = [
            self.column(
                key, labels[key], unit or None if self.columns[key].endswith("money") else None, "month" if key == "month" else None
            )
            for key in shown
        ]
        rows, behind, keys = [], [], []
        for n, row in enumerate(found.frame.to_dict("records")):
            month = row["month"].date()
            rows.append([month if key == "month" else row[key] if key == "group" else money(row[key]) for key in shown])
            behind.append(records_of(door, spec, month, month == found.frame["month"].iloc[0].date(), cut, found.keys[n]))
            keys.append((f"{month:%Y-%m}",) if cut is None else (f"{month:%Y-%m}", found.keys[n]))
        return Found(columns, rows, keys, behind, notes=found.notes, says=found.says)


def seen(door: Door, report: Report) -> bool:
    """Whether the forecast a report names (the first one, where it names none) is open to its reader, and is about its entity."""
    known = engine.names(door)
    name = report.options.get("forecast") or (known[0] if known else None)
    return name in known and door.schema.forecasts[name].entity == report.entity


def records_of(door: Door, spec: Any, month: date, first: bool, cut: Any, key: Any) -> str:
    """The condition of the records that stand in a month: won in it, or open and expected in it (in the first one, the overdue too)."""
    roles = door.schema.pipelines[spec.pipelines[0]].fields
    stage, close = door.schema.entities[spec.entity].stage_field, roles["close"]
    after = moved(month, 1)
    said = f"{close} >= date('{month}') and {close} < date('{after}') and {stage}.outcome != 'lost'"
    if first:
        said = f"(({said}) or ({stage}.open and {close} < date('{after}')))"
    parts = [said]
    line = door.schema.entities[spec.entity].pipeline_field
    if line and len(spec.pipelines) < len(door.schema.entities[spec.entity].pipelines):
        parts.append(f"{line} in {spec.pipelines!r}")
    if spec.where is not None:
        parts.append(str(spec.where.text))
    if cut is not None:
        parts.append(cut.condition(key))
    return " and ".join(f"({one})" for one in parts) if len(parts) > 1 else parts[0]
