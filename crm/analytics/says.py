"""One sentence that says what a report says, made from its figures: which group leads, how it compares, where most is lost."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from crm.analytics import goals
from crm.analytics.periods import after
from crm.charts.base import shown

if TYPE_CHECKING:
    from crm.analytics.reports import Result
    from crm.charts.base import Column

#: Groups smaller than this are not called the best or the worst.
FEWEST = 5
SUMMED = ("count", "sum", "distinct")


def reading(result: Result) -> str:
    """The sentence in the language of the result's reader; "" where there is nothing to say."""
    report = result.report
    if any(one.span is not None for one in report.measures.values()):
        return lasting(result)
    if not result.exact or not report.measures:
        return ""
    if report.stays is not None:
        return (
            steps(result)
            if len(report.by) == 1
            else crossing(result, told_of(result))
            if report.measures[told_of(result)].how in SUMMED
            else ""
        )
    if not report.by:
        return single(result)
    key = told_of(result)
    if len(report.by) > 1:
        return crossing(result, key) if len(report.by) == 2 and report.measures[key].how in SUMMED else ""
    if report.compare == "goal" and key in report.goals and (said := goals.reading(result, key)):
        return said
    measure = report.measures[key]
    if report.by[0].unit and not report.by[0].first:
        return over_time(result, key)
    return leading(result, key) if measure.how in SUMMED and measure.kind != "percent" else best(result, key)


def told_of(result: Result) -> str:
    """The measure a report is about: the one that is drawn, else the one it is sorted by, else the first."""
    report = result.report
    drawn = report.chart.axes.get("y")
    wanted = [drawn[len(drawn) // 2] if isinstance(drawn, list) and drawn else drawn, *(one.lstrip("-") for one in report.sort)]
    return next((one for one in wanted if isinstance(one, str) and one in report.measures), next(iter(report.measures)))


def told(result: Result, key: str, value: Any, short: bool = True) -> str:
    return shown(result.words, column(result, key), value, short)


def column(result: Result, key: str) -> Column:
    return next(one for one in result.columns if one.key == key)


def place(result: Result, key: str) -> int:
    return next(n for n, one in enumerate(result.columns) if one.key == key)


def named(result: Result, row: list[Any]) -> str:
    """The group of a row, as it is called."""
    return shown(result.words, result.columns[0], row[0])


def single(result: Result) -> str:
    """One figure, and how it stands to its target."""
    t, report = result.words, result.report
    key = report.chart.axes.get("y") or next(iter(report.measures))
    key = key if isinstance(key, str) else key[0]
    value = result.exact[0][place(result, key)]
    label = column(result, key).label
    if value is None:
        return ""
    if report.target is None:
        return t("{label}: {value}.", label=label, value=told(result, key, value))
    goal = told(result, key, Decimal(str(report.target)))
    if value >= Decimal(str(report.target)):
        return t("{label} is {value}; the goal of {goal} is reached.", label=label, value=told(result, key, value), goal=goal)
    return t("{label} is {value}; the goal is {goal}.", label=label, value=told(result, key, value), goal=goal)


def change(result: Result, now: Any, then: Any) -> str:
    """The change from one figure to another in percent with its sign; how many times as much where percents say nothing any more."""
    if now and then and Decimal(str(now)) / Decimal(str(then)) >= 5:
        return f"×{result.words.number(round(Decimal(str(now)) / Decimal(str(then)), 1))}"
    part = round((Decimal(str(now)) - Decimal(str(then))) / abs(Decimal(str(then))), 2)
    return ("+" if part > 0 else "") + result.words.percent(part)


def over_time(result: Result, key: str) -> str:
    """The last period that is over, beside what it is compared with; the running one as far as it is; and the best one.

    Where most lies ahead (what is expected), the period that runs or comes next and the largest.
    """
    t, at, unit = result.words, place(result, key), result.report.by[0].unit or "month"
    rows = [row for row in result.exact if row[0] is not None and row[at]]
    if not rows:
        return ""
    today = result.as_of.astimezone(t.tz).date()
    over = [row for row in rows if after(row[0], unit) <= today]
    running = next((row for row in rows if row[0] <= today < after(row[0], unit)), None)
    ahead = [row for row in rows if row[0] > today]
    top, label = max(rows, key=lambda row: row[at]), column(result, key).label
    best = {"best": named(result, top), "most": told(result, key, top[at])}
    if ahead or not over:
        now = running or (ahead or rows)[0]
        return t(
            "{label} in {period}: {value}; most is {most} in {best}.",
            label=label,
            period=named(result, now),
            value=told(result, key, now[at]),
            **best,
        )
    last = over[-1]
    values = {"label": label, "value": told(result, key, last[at]), "period": named(result, last), **best}
    beside = next((n for n, one in enumerate(result.columns) if one.key in (f"{key}_previous", f"{key}_last_year")), None)
    if beside is not None and last[beside]:
        values["change"] = change(result, last[at], last[beside])
        if result.columns[beside].key.endswith("_last_year"):
            said = t("{label} in {period}: {value}, {change} against a year before; most was {most} in {best}.", **values)
        else:
            said = t("{label} in {period}: {value}, {change} against the period before; most was {most} in {best}.", **values)
    else:
        said = t("{label} in {period}: {value}; most was {most} in {best}.", **values)
    if running is None:
        return said
    return f"{said} {t('{period} so far: {value}.', period=named(result, running), value=told(result, key, running[at]))}"


def leading(result: Result, key: str) -> str:
    """Who comes first with which part of all, and how few make up four fifths of it."""
    t, at, report = result.words, place(result, key), result.report
    rows = sorted((row for row in result.exact if row[at] is not None and row[at] > 0), key=lambda row: -row[at])
    if not rows:
        return ""
    cut = bool(report.limit) and len(result.exact) >= (report.limit or 0)  # others were left out: what is shown is not all
    whole = result.total().get(key) if cut or report.measures[key].how == "distinct" else None
    total = Decimal(str(whole)) if whole else sum(Decimal(str(row[at])) for row in rows)
    so_far, few = Decimal(0), 0
    for row in rows:
        so_far, few = so_far + Decimal(str(row[at])), few + 1
        if so_far >= total * Decimal("0.8"):
            break
    values: dict[str, Any] = {"group": named(result, rows[0]), "value": told(result, key, rows[0][at]), "label": column(result, key).label}
    values |= {"part": t.percent(round(Decimal(str(rows[0][at])) / total, 2)), "few": few, "n": len(rows)}
    beside = next((n for n, one in enumerate(result.columns) if one.key in (f"{key}_previous", f"{key}_last_year")), None)
    then = sum(Decimal(str(row[beside])) for row in result.exact if row[beside] is not None) if beside is not None and not cut else 0
    if then and beside is not None:
        values |= {"total": told(result, key, total), "change": change(result, total, then)}
        if result.columns[beside].key.endswith("_last_year"):
            return t("{label}: {total} in all, {change} against a year before; {group} comes first with {value} ({part}).", **values)
        return t("{label}: {total} in all, {change} against the period before; {group} comes first with {value} ({part}).", **values)
    if few < len(rows) and not cut:
        return t("{label}: {group} comes first with {value}, {part} of all; {few} of {n} groups make up 80%.", **values)
    return t("{label}: {group} comes first with {value}, {part} of all.", **values)


def crossing(result: Result, key: str) -> str:
    """Of two axes: where they cross with most."""
    t, at = result.words, place(result, key)
    rows = [row for row in result.exact if row[at] is not None and row[at] > 0 and row[0] is not None and row[1] is not None]
    if not rows:
        return ""
    top = max(rows, key=lambda row: row[at])
    names = [shown(t, result.columns[number], top[number]) for number in range(2)]
    if all(axis.unit for axis in result.report.by):  # "2025, 2025" says nothing
        names = [f"{result.columns[number].label} {names[number]}" for number in range(2)]
    values = {"label": column(result, key).label, "one": names[0], "other": names[1], "value": told(result, key, top[at])}
    if result.report.measures[key].how == "distinct" or result.report.limit:  # one may be counted in several: no part of all
        return t("{label}: most for {one}, {other}: {value}.", **values)
    total = sum(Decimal(str(row[at])) for row in rows)
    return t(
        "{label}: most for {one}, {other}: {value}, {part} of all.",
        part=t.percent(round(Decimal(str(top[at])) / total, 2)),
        **values,
    )


def best(result: Result, key: str) -> str:
    """The highest and the lowest among groups that are large enough to be compared."""
    t, at = result.words, place(result, key)
    counted = next((place(result, one.key) for one in result.report.measures.values() if one.how == "count" and one.where is None), None)
    rows = [
        row for row in result.exact if row[at] is not None and row[0] is not None and (counted is None or (row[counted] or 0) >= FEWEST)
    ]
    if len(rows) < 2:
        return t("Too little data to compare groups.")
    high, low = max(rows, key=lambda row: row[at]), min(rows, key=lambda row: row[at])
    values = {"label": column(result, key).label, "top": named(result, high), "high": told(result, key, high[at])}
    return t(
        "{label}: highest {top} ({high}), lowest {bottom} ({low}).", **values, bottom=named(result, low), low=told(result, key, low[at])
    )


def steps(result: Result) -> str:
    """Of a funnel: after which step most are lost, and where it takes longest."""
    t, report = result.words, result.report
    rates = [one.key for one in report.measures.values() if one.how == "rate"]
    lengths = [one.key for one in report.measures.values() if one.how in ("median", "mean") and one.field == "stay.days"]
    counts = [one.key for one in report.measures.values() if one.how in SUMMED]
    said = []
    if rates and counts:
        at, many = place(result, rates[0]), place(result, counts[0])
        rows = [row for row in result.exact if row[at] is not None and row[many] >= FEWEST]
        rows = [row for row in rows if row[at] < 1]
        if rows:
            worst = min(rows, key=lambda row: row[at])
            said.append(t("Fewest go on from {step}: {rate}.", step=named(result, worst), rate=t.percent(round(worst[at], 2))))
    if lengths:
        at = place(result, lengths[0])
        rows = [row for row in result.exact if row[at] is not None]
        if rows:
            slow = max(rows, key=lambda row: row[at])
            said.append(
                t("{step} takes longest: half stay longer than {days} days.", step=named(result, slow), days=t.number(round(slow[at], 1)))
            )
    return " ".join(said)


def lasting(result: Result) -> str:
    """Of a survival curve: after how many days half are over, and how many still run."""
    t, notes = result.words, result.notes
    groups = notes.get("groups", [])
    if not groups:
        return t("Too little data to compare groups.")
    said = []
    for shown_, median, early, late, many, _ in groups[:3]:
        name = ", ".join("–" if one is None else str(one) for one in shown_) or t("All")
        if median is None:
            said.append(t("{group}: less than half are over yet ({n} counted).", group=name, n=many))
        elif early is None or late is None:
            said.append(t("{group}: half are over after {days} days ({n} counted).", group=name, days=int(median), n=many))
        else:
            values = {"days": int(median), "early": int(early), "late": int(late), "n": many}
            said.append(
                t(
                    "{group}: half are over after {days} days, with 95% certainty after {early} to {late} ({n} counted).",
                    group=name,
                    **values,
                )
            )
    return " ".join([*said, t("{n} are still running and are counted as such.", n=notes["running"])])
