"""KPIs on a page: what a card of one says, alone on a dashboard or beside others."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from crm.analytics import Result
from crm.charts.base import shown
from crm.views.app import href


def part(app: Any, result: Result) -> Any:
    """One KPI for a dashboard, whose card is as high as its row."""
    return app.part("kpi", {"groups": [{"label": "", "cards": [card(app, result)]}], "framed": True})


def card(app: Any, result: Result, help: bool = False) -> dict[str, Any]:
    """What the part shows of one KPI."""
    t, notes = app.t, result.notes
    figure = result.columns[1]
    points = [(row[0], row[1]) for row in result.exact if row[1] is not None]
    values = [float(value) for _, value in points]
    target = notes["target"]
    low, high = (
        min([*values, *([float(target)] if target is not None else [])], default=0.0),
        max([*values, *([float(target)] if target is not None else [])], default=1.0),
    )

    def height(value: float) -> float:
        return round(100 - 100 * (value - low) / (high - low), 1) if high > low else 50.0

    size = max(1, len(values) - 1)
    aim = ""
    if target is not None:
        due = notes["due"]
        column = result.columns[2]
        if due is not None and due != target:
            aim = t("{due} due, {target} in all", due=shown(t, column, due, True), target=shown(t, column, target, True))
        else:
            aim = t("Target {target}", target=shown(t, column, target, True))
    return {
        "name": result.report.name,
        "label": result.title,
        "value": shown(t, figure, notes["figure"], True),
        "tone": notes["light"] or "",
        "state": (result.exact[-1][3] or t("No figure yet")) if target is not None else "",
        "target": aim,
        "change": change(t, result),
        "help": result.report.help_in(t) if help else "",
        "href": href(view="kpis", name=result.report.name),
        "line": [[round(100 * n / size, 1), height(value)] for n, value in enumerate(values)],
        "mark": height(float(target)) if target is not None and len(values) > 1 else None,
        "points": [f"{shown(t, result.columns[0], when)} {shown(t, figure, value, True)}" for when, value in points],
    }


def change(t: Any, result: Result) -> str:
    """Which period the figure is of, and the last whole one."""
    before, unit = result.notes["before"], result.columns[0].unit
    running = str(t("{period} so far", period=shown(t, result.columns[0], result.exact[-1][0]))) if unit else ""
    if before is None:
        return running
    when, figure = shown(t, result.columns[0], result.exact[-2][0]), shown(t, result.columns[1], Decimal(str(before)), True)
    return " · ".join(one for one in (running, str(t("{period}: {value}", period=when, value=figure))) if one)
