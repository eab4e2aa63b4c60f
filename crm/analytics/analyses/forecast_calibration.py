"""Whether chances came true: of what was called 30 %, did three in ten come (I3)?"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from crm.analytics import forecast as engine
from crm.analytics.analyses.base import ANALYSES, Analysis, Found
from crm.analytics.analyses.forecast_months import seen
from crm.analytics.forecast import kept
from crm.analytics.forecast.record import WITHIN

if TYPE_CHECKING:
    from crm.records import Door
    from crm.schema.model import Report


def part(value: float) -> Decimal:
    return Decimal(str(round(value, 6)))


@ANALYSES.add
class ForecastCalibration(Analysis):
    """A row a class of said chances; with `of` (stage, rep, source) a row each of those: the mean chance said and the part that came."""

    name = "forecast_calibration"
    options = {"forecast": "forecast?", "of": "choice:all|stage|rep|source?", "back": "whole?"}
    examples = {"back": "12"}
    columns = {"group": "dimension text", "said": "measure percent", "came": "measure percent", "n": "measure integer"}
    engine = staticmethod(kept.engine)

    def open_to(self, door: Door, report: Report) -> bool:
        return seen(door, report)

    def compute(self, door: Door, report: Report, *, where: list[Any], as_of: datetime | None, period: tuple[date, date] | None) -> Found:
        t, of = door.words, report.options.get("of") or "all"
        spec = engine.spec_of(door, report.options.get("forecast"))
        record = engine.backtest(door, spec.name, back=report.options.get("back"), where=where, as_of=as_of)
        table = record.calibration[record.calibration["of"] == of]
        rows: list[list[Any]] = []
        if of == "all":
            for one in table.sort_values("class").to_dict("records"):
                low = Decimal(int(one["class"])) / 10
                name = t("{low} to {high}", low=t.percent(low), high=t.percent(low + Decimal("0.1")))
                rows.append([name, part(one["said"]), part(one["came"]), int(one["n"])])
        else:
            for name, group in table.groupby("group", sort=False):
                n = int(group["n"].sum())
                rows.append([name, part(group["expected"].sum() / n), part(group["won"].sum() / n), n])
        label = {"all": t("Said"), "stage": t("Stage"), "rep": t("Person"), "source": t("Source")}[of]
        columns = [
            self.column("group", label), self.column("said", t("Chance said")), self.column("came", t("Came true")), self.column("n", t("Cases")),
        ]  # fmt: skip
        return Found(columns, rows, says=said(t, table) if len(table) else record.says)


def said(t: Any, table: Any) -> str:
    """What all classes together say."""
    n = int(table["n"].sum())
    return str(
        t(
            "Of {n} chances to be won within {days} days, {said} were said on average and {came} came true.",
            n=n, days=WITHIN, said=t.percent(round(table["expected"].sum() / n, 2)), came=t.percent(round(table["won"].sum() / n, 2)),
        )
    )  # fmt: skip
