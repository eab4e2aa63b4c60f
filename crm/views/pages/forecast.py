"""What the pipeline will bring: what people say beside what the history says, a manager's adjustments, and how good it was so far (F7, I3)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import numpy as np

from crm.analytics import forecast as engine
from crm.analytics.forecast.base import likely
from crm.analytics.forecast.record import BASELINES
from crm.analytics.forecast.sides import adjustments, axis_of, cut_of
from crm.analytics.periods import moved
from crm.errors import Missing
from crm.views.app import href, stack
from crm.views.base import PAGES, Page
from crm.views.outlook import Money, beside, fan, filled, month_name, notebook

#: Changes of an adjustment that are told beside it.
TOLD = 4


@PAGES.add
class ForecastPage(Page):
    """`?view=forecast`: `name` of the forecast, `by` one of its axes, `asof` a day of the past."""

    name = "forecast"
    drawings = True

    def __init__(self, app: Any, name: str = "", by: str = "", asof: str = "", **args: str) -> None:
        super().__init__(app, name=name, by=by, asof=asof, **args)
        self.spec = engine.spec_of(app.door, name or None)
        self.by = by if by and any(axis.key == by and app.door.path_open(self.spec.entity, axis.field) for axis in self.spec.by) else ""
        self.as_of = datetime.fromisoformat(asof).replace(hour=23, minute=59, tzinfo=UTC) if asof else None
        self.title = self.spec.label_in(app.t)
        self.money = Money(app, self.spec)
        self.whole: Any = None  # the forecast of all
        self.cut: Any = None  # the same by group, where one was asked for
        acts = {"load": self.load, "adjust": self.adjust, "drop": self.drop, "notebook": self.notebook}
        self.part = app.part("forecast", {**self.head(), "waiting": app.t("Working out the months to come…")}, on=acts)
        waiting = {"title": app.t("How good was this forecast?"), "waiting": app.t("Replaying the past months…")}
        self.record = app.part("forecast_record", waiting)
        self.body = stack(self.part, self.record)

    # -- what is worked out beside the window

    def load(self) -> None:
        beside(self.app, self.work, self.show, lambda words: self.part.patch(waiting="", fault=words))

    def work(self) -> tuple[Any, Any]:
        whole = engine.forecast(self.door, self.spec.name, as_of=self.as_of)
        return whole, engine.forecast(self.door, self.spec.name, as_of=self.as_of, by=self.by) if self.by else None

    def show(self, found: tuple[Any, Any]) -> None:
        self.whole, self.cut = found
        self.part.content = self.content()
        beside(
            self.app,
            lambda: engine.backtest(self.door, self.spec.name),
            lambda record: setattr(self.record, "content", record_content(self, record)),
            lambda words: self.record.patch(waiting="", fault=words),
        )

    def refresh(self) -> None:
        """Adjustments read again; the figures themselves are those of the page."""
        if self.whole is None:
            return
        months = [one.date() for one in dict.fromkeys(self.whole.frame["month"])]
        self.whole.adjustments = adjustments(self.door, self.spec, months, None, self.as_of)
        if self.cut is not None:
            axis = axis_of(self.door, self.spec, self.by)
            self.cut.adjustments = adjustments(self.door, self.spec, months, cut_of(self.door, self.spec, axis, self.as_of), self.as_of)
        self.part.content = self.content()

    # -- content

    def head(self) -> dict[str, Any]:
        t, spec, door = self.t, self.spec, self.door
        asof = self.args.get("asof", "")
        axes = [axis for axis in spec.by if door.path_open(spec.entity, axis.field)]
        cuts = [{"name": "", "label": t("All"), "href": href(view="forecast", name=spec.name, asof=asof), "on": not self.by}]
        cuts += [
            {
                "name": one.key,
                "label": one.label_in(t),
                "href": href(view="forecast", name=spec.name, by=one.key, asof=asof),
                "on": one.key == self.by,
            }
            for one in axes
        ]
        others = [door.schema.forecasts[one] for one in engine.names(door)]
        return {
            "title": self.title,
            "help": spec.help_in(t),
            "cuts": cuts if len(cuts) > 1 else [],
            "others": [
                {"name": one.name, "label": one.label_in(t), "href": href(view="forecast", name=one.name), "on": one is spec}
                for one in others
            ]
            if len(others) > 1
            else [],
            "asof": asof,
            "today": door.company.today().isoformat(),
            "day": t.date(self.as_of.date() if self.as_of else door.company.today()),
            "address": href(view="forecast", name=spec.name, by=self.by),
            "whatif": href(view="whatif", name=spec.name),
        }

    def content(self) -> dict[str, Any]:
        t, money, whole, frame = self.t, self.money, self.whole, self.whole.frame
        months = [one.date() for one in frame["month"]]
        low, middle, high = whole.notes["whole"]
        goal, chance = whole.notes.get("goal"), whole.notes.get("chance")
        names = [month_name(t, one) for one in months]
        tips = [
            t(
                "{month}: {p50}, likely between {p10} and {p90}",
                month=name,
                p50=money.full(row.p50),
                p10=money.full(row.p10),
                p90=money.full(row.p90),
            )
            for name, row in zip(names, frame.itertuples(), strict=True)
        ]
        tiles = [
            {
                "label": t("Likely in {n} months", n=len(months)),
                "value": money.short(middle),
                "sub": f"{money.short(low)} – {money.short(high)}",
                "main": True,
            },
            {"label": t("Committed"), "value": money.short(frame["committed"].sum()), "sub": t("won or promised")},
            {"label": t("Weighted pipeline"), "value": money.short(frame["weighted"].sum()), "sub": t("value × probability")},
        ]
        aimed = int(frame["goal"].notna().sum())
        if filled(goal):
            tiles.append(
                {
                    "label": t("Goal") if aimed == len(months) else t("Goal for {n} of the months", n=aimed),
                    "value": money.short(goal),
                    "sub": t("{chance} likely to be reached", chance=likely(t, chance))
                    if aimed == len(months)
                    else t("{chance} likely in these; no goal yet for {n} months", chance=likely(t, chance), n=len(months) - aimed),
                    "tone": tone(chance),
                }
            )
        else:
            tiles.append({"label": t("Goal"), "value": "–", "sub": t("No goal is set for these months")})
        self.lines = self.adjusted()
        may = self.roles is not None and self.as_of is None and self.door.may("create", self.roles.entity)
        return {
            **self.head(),
            "says": said(whole),
            "note": t("For {name}, {when}", name=self.app.actor.name, when=t.datetime(whole.as_of)),
            "undated": t("{n} open ones have no date and stand in the range only.", n=whole.notes["undated"]) if whole.notes.get("undated") else "",
            "tiles": tiles,
            "fan": fan(
                money, names, frame["p10"], frame["p50"], frame["p90"], done=frame["actual"],
                goal=frame["goal"], other=[self.moved_by(one, None, row.p50) for one, row in zip(months, frame.itertuples(), strict=True)], tips=tips,
            ),
            "adjusted": bool(whole.adjustments),
            "columns": [
                {"key": "actual", "label": t("Won"), "help": t("Won in this month already")},
                {"key": "committed", "label": t("Committed"), "help": t("Won, and open in a stage that counts as committed")},
                {"key": "best_case", "label": t("Best case"), "help": t("Committed, and what may well come")},
                {"key": "pipeline", "label": t("Pipeline"), "help": t("Everything open")},
                {"key": "weighted", "label": t("Weighted"), "help": t("Each by its probability")},
                {"key": "p50", "label": t("Likely"), "help": t("As often more as less, drawn from the history; the range holds eight of ten")},
                {"key": "goal", "label": t("Goal"), "help": ""},
                {"key": "adjusted", "label": t("Adjusted"), "help": t("What a manager knows that the figures do not")},
            ],
            "group": self.cut.label if self.cut is not None else "",
            "rows": [self.month_row(n, month) for n, month in enumerate(months)],
            "total": self.total(months),
            "categories": self.categories(),
            "may": may,
        }  # fmt: skip

    @property
    def roles(self) -> Any:
        return self.app.schema.forecast_adjustments

    def moved_by(self, month: date, key: Any, middle: float) -> float:
        """The likely figure with what a manager added; nothing where nothing was."""
        added = (self.whole if key is None else self.cut).adjustments.get((month, key), {}).get("total")
        return middle + added if added is not None else float("nan")

    def month_row(self, n: int, month: date) -> dict[str, Any]:
        row = self.row(f"m{n}", month_name(self.t, month), month, None, self.whole.frame.iloc[n], self.whole.adjustments)
        if self.cut is not None:
            frame, day = self.cut.frame, np.datetime64(month)
            places = np.flatnonzero(frame["month"].to_numpy() == day).tolist()
            row["groups"] = [
                self.row(
                    f"m{n}-{self.cut.keys[at]}", frame["group"].iloc[at], month, self.cut.keys[at], frame.iloc[at], self.cut.adjustments
                )
                for at in places
                if any(frame[name].iloc[at] for name in ("pipeline", "p90", "actual")) or filled(frame["goal"].iloc[at])
            ]
        return row

    def row(self, key: str, label: str, month: date, who: Any, figures: Any, added: dict[Any, Any]) -> dict[str, Any]:
        """One line of the table: a month, or a group in it."""
        money, here = self.money, added.get((month, who), {})
        first = month == self.whole.frame["month"].iloc[0].date()
        cells = {}
        for name in ("actual", "committed", "best_case", "pipeline", "weighted", "goal"):
            cells[name] = {"text": money.full(figures[name]) if name != "goal" or filled(figures[name]) else ""}
            if name in here:
                cells[name]["sub"] = money.signed(here[name])
            if name in PLACES and figures[name]:
                cells[name]["href"] = self.behind(name, month, first, who)
        cells["p50"] = {"text": money.full(figures["p50"]), "sub": f"{money.short(figures['p10'])} – {money.short(figures['p90'])}"}
        total = here.get("total")
        cells["adjusted"] = {"text": money.full(figures["p50"] + total), "sub": money.signed(total)} if total is not None else {"text": ""}
        return {
            "key": key, "label": label, "month": month.isoformat(), "who": who if isinstance(who, int) else None, "cells": cells,
            "lines": self.lines.get((month, who), []), "open": self.takes(who),
        }  # fmt: skip

    def takes(self, who: Any) -> bool:
        """Whether adjustments can be kept for a line: for all, and for people."""
        if self.roles is None:
            return False
        if who is None:
            return True
        users, axis = self.app.schema.users, next(one for one in self.spec.by if one.key == self.by)
        field = self.door.schema_field(self.spec.entity, axis.field)
        return self.roles.who is not None and users is not None and getattr(field, "to", None) == users.entity

    def total(self, months: list[date]) -> dict[str, Any]:
        frame, money = self.whole.frame, self.money
        low, middle, high = self.whole.notes["whole"]
        cells = {name: {"text": money.full(frame[name].sum())} for name in ("actual", "committed", "best_case", "pipeline", "weighted")}
        cells["p50"] = {"text": money.full(middle), "sub": f"{money.short(low)} – {money.short(high)}"}
        goal = self.whole.notes.get("goal")
        cells["goal"] = {"text": money.full(goal) if filled(goal) else ""}
        added = [one["total"] for (_, who), one in self.whole.adjustments.items() if who is None and "total" in one]
        cells["adjusted"] = {"text": money.full(middle + sum(added)), "sub": money.signed(sum(added))} if added else {"text": ""}
        return {"label": self.t("In all"), "cells": cells}

    def behind(self, figure: str, month: date, first: bool, who: Any) -> str:
        """The list of the records that a figure counts; the first month holds what is overdue."""
        entity = self.app.schema.entities[self.spec.entity]
        stage, close = entity.stage_field, self.app.schema.pipelines[self.spec.pipelines[0]].fields["close"]
        start, end = f"{close} >= date('{month}')", f"{close} < date('{moved(month, 1)}')"
        won = f"{stage}.outcome == 'won' and {start} and {end}"
        counted = " or ".join(f"{stage}.forecast == '{one}'" for one in PLACES[figure])
        due = f"{stage}.open and ({counted}) and {end}" + ("" if first else f" and {start}")
        where = won if not PLACES[figure] else f"({won}) or ({due})"
        if entity.pipeline_field and len(self.spec.pipelines) < len(entity.pipelines):
            where = f"({where}) and {entity.pipeline_field} in {self.spec.pipelines!r}"
        if self.spec.where is not None:
            where = f"({where}) and ({self.spec.where.text})"
        if who is not None:
            where = f"({where}) and {cut_of(self.door, self.spec, axis_of(self.door, self.spec, self.by), self.as_of).condition(who)}"
        return href(view="list", entity=entity.name, w=where, wl=month_name(self.t, month))

    # -- adjustments

    def categories(self) -> list[list[str]]:
        """[[option, label]] of the figures that may be adjusted; nothing where only the whole can be."""
        roles = self.roles
        if roles is None or roles.category is None:
            return []
        field = self.app.schema.entities[roles.entity].fields[roles.category]
        return [[key, field.option_label(key, self.t)] for key in roles.categories]

    def adjusted(self) -> dict[tuple[date, Any], list[dict[str, Any]]]:
        """What managers wrote, by month and whose figure: with who and when, and how it changed."""
        roles, door, t = self.roles, self.door, self.t
        if roles is None or not door.may("see", roles.entity):
            return {}
        entity = self.app.schema.entities[roles.entity]
        found: dict[tuple[date, Any], list[dict[str, Any]]] = {}
        from_ = min(one.date() for one in self.whole.frame["month"])
        records = door.list(roles.entity, where=f"{roles.month} >= date('{from_}')", order=[roles.month], limit=500, as_of=self.as_of)
        for record in records:
            if roles.forecast and record.get(roles.forecast) not in (None, "", self.spec.name):
                continue
            month = record[roles.month].replace(day=1)
            category = record.get(roles.category) if roles.category else None
            amount = float(record[roles.amount])
            found.setdefault((month, record.get(roles.who) if roles.who else None), []).append(
                {
                    "id": record.id,
                    "figure": entity.fields[roles.category].option_label(category, t) if category else "",
                    "category": category or "",
                    "amount": self.money.signed(amount),
                    "typed": t.number(record[roles.amount]),
                    "note": (record.get(roles.note) or "") if roles.note else "",
                    "who": self.app.company.people.name(record.get("created_by")) or "",
                    "when": t.ago(record.get("changed_on")) if record.get("changed_on") else "",
                    "past": self.past(record.id),
                    "may": self.as_of is None and door.may("change", roles.entity, record),
                    "goes": self.as_of is None and door.may("delete", roles.entity, record),
                    "href": href(view="record", entity=roles.entity, id=record.id),
                }
            )
        return found

    def past(self, number: int) -> list[str]:
        """How the amount of an adjustment changed, newest first."""
        roles, t = self.roles, self.t
        changes = [
            one for one in self.door.history(roles.entity, number, derived=False) if one.field == roles.amount and one.old is not None
        ]
        return [
            t("{who}: {old} before, {ago}", who=one.who, old=self.money.signed(float(one.old)), ago=t.ago(one.at)) for one in changes[:TOLD]
        ]

    def adjust(
        self, month: str, amount: str, category: str = "", note: str = "", who: int | None = None, id: int | None = None
    ) -> dict[str, Any]:
        """Keep an adjustment: a new one, or another amount of one that is there."""
        roles, door = self.roles, self.door
        if roles is None:
            raise Missing("This is not there, or not for you.")
        values: dict[str, Any] = {roles.amount: amount}
        if roles.note:
            values[roles.note] = note or None
        if roles.category and category:
            values[roles.category] = category
        with door.step("Adjusted the forecast") as step:
            if id is not None:
                door.change(roles.entity, id, values)
            else:
                values[roles.month] = date.fromisoformat(month)
                values |= {roles.who: who} if roles.who else {}
                values |= {roles.forecast: self.spec.name} if roles.forecast else {}
                door.create(roles.entity, values)
        self.refresh()
        self.app.say(self.t("The forecast is adjusted."), undo=step.id)
        return {"done": True}

    def drop(self, id: int) -> dict[str, Any]:
        step = self.door.delete(self.roles.entity, id)
        self.refresh()
        self.app.say(self.t("The adjustment is gone."), undo=step)
        return {"done": True}

    def notebook(self) -> dict[str, Any]:
        return notebook(self.app, "forecast", self.spec.name, as_of=self.as_of, by=self.by or None)


#: The categories of stages that each figure counts beside what is won.
PLACES: dict[str, tuple[str, ...]] = {
    "actual": (),
    "committed": ("commit",),
    "best_case": ("commit", "best_case"),
    "pipeline": ("commit", "best_case", "pipeline"),
}


def tone(chance: float | None) -> str:
    return "" if chance is None else "good" if chance >= 0.7 else "soon" if chance >= 0.4 else "late"


def said(found: Any) -> str:
    try:
        return str(found.says)
    except NotImplementedError:
        return ""


def record_content(page: ForecastPage, record: Any) -> dict[str, Any]:
    """How good the forecast was: its range and its errors beside those of simple rules, month by month, and whether chances came true."""
    t, money, frame = page.t, page.money, record.frame
    title = t("How good was this forecast?")
    if not len(frame):
        return {"title": title, "none": t("There is too little history to replay the forecast.")}
    names = {
        "last_year": t("Same month of last year"),
        "moving_mean": t("Mean of the last twelve months"),
        "weighted": t("Weighted pipeline"),
    }
    errors = [(t("This forecast"), record.error, True, False)]
    errors += [
        (names[name], record.baselines[name], False, name in record.beaten_by) for name in BASELINES if filled(record.baselines.get(name))
    ]
    most = max((one for _, one, _, _ in errors if filled(one)), default=1.0) or 1.0
    first = frame[frame["ahead"] == 1]
    months = [one.date() for one in first["month"]]
    inside = first["inside"].tolist()
    tips = [
        t("{month}: {actual} came, {p10} to {p90} was said", month=month_name(t, one), actual=money.full(row.actual), p10=money.full(row.p10), p90=money.full(row.p90))
        for one, row in zip(months, first.itertuples(), strict=True)
    ]  # fmt: skip
    picture = fan(money, [month_name(t, one) for one in months], first["p10"], first["p50"], first["p90"], done=first["actual"], tips=tips)
    for column, came in zip(picture["columns"], inside, strict=True):
        column["miss"] = not came
    return {
        "title": title,
        "says": said(record),
        "beaten": [names[name] for name in record.beaten_by],
        "note": t("Replayed at the beginning of {n} months with nothing but what was known then.", n=int(record.notes.get("replays", 0))),
        "tiles": [
            {"label": t("Within the range"), "value": t.percent(round(record.coverage, 2)), "sub": t("80% is what the range promises")},
            {"label": t("Off by"), "value": t.percent(round(record.error, 2)), "sub": t("on average, of a month's money")},
            {
                "label": t("Leans"),
                "value": ("+" if record.bias > 0 else "") + t.percent(round(record.bias, 2)),
                "sub": t("too high on the whole") if record.bias > 0 else t("too low on the whole"),
            },
        ],
        "errors": [
            {"label": label, "text": t.percent(round(value, 2)), "share": round(100 * value / most, 1), "us": us, "better": better}
            for label, value, us, better in errors
        ],
        "fan": picture,
        "calibration": calibration(page, record.calibration),
    }


def calibration(page: ForecastPage, table: Any) -> list[dict[str, Any]]:
    """Said chances beside what came, for all and by stage, rep and source: [{key, label, points: [{x, y, size, tip}], lines: [[…]]}]."""
    t = page.t
    labels = {"all": t("All"), "stage": t("Stage"), "rep": t("Rep"), "source": t("Source")}
    users = page.app.schema.users
    found = []
    for of, label in labels.items():
        rows = table[table["of"] == of] if len(table) else table
        if not len(rows) or (of == "rep" and users is None):
            continue
        if of == "all":
            most = rows["n"].max()
            points = [
                {
                    "x": round(100 * row.said, 1), "y": round(100 * row.came, 1), "size": round(8 + 14 * (row.n / most) ** 0.5, 1),
                    "tip": t("{said} was said, {came} came true ({n})", said=t.percent(round(row.said, 2)), came=t.percent(round(row.came, 2)), n=int(row.n)),
                }
                for row in rows.itertuples()
            ]  # fmt: skip
            found.append({"key": of, "label": label, "points": points, "lines": []})
            continue
        groups = rows.groupby("group", sort=False).agg(n=("n", "sum"), said=("expected", "sum"), came=("won", "sum"))
        lines = [
            [str(name), t.number(int(row.n)), t.percent(round(row.said / row.n, 2)), t.percent(round(row.came / row.n, 2))]
            for name, row in zip(groups.index, groups.itertuples(), strict=True)
        ]
        found.append({"key": of, "label": label, "points": [], "lines": lines})
    return found


__all__ = ["ForecastPage"]
