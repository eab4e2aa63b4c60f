"""What if: levers over the simulated pipeline, the range against the goal at once, scenarios kept and compared (F12, I4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crm.analytics import forecast as engine
from crm.analytics.forecast.base import likely
from crm.analytics.forecast.levers import Levers
from crm.errors import Missing
from crm.views.app import href, stack
from crm.views.base import PAGES, Page
from crm.views.outlook import Money, beside, fan, filled, month_name, notebook
from crm.views.pages.forecast import tone

#: Scenarios shown at most, and compared at once.
MOST, COMPARED = 40, 4


@dataclass(frozen=True)
class Slider:
    """One lever on the screen, in percent of what is today; `reps` in people."""

    name: str
    label: str
    help: str
    least: int = 50
    most: int = 150
    step: int = 5


SLIDERS = (
    Slider("win_rate", "Good ends", "How many of the {what} that are decided end with {won}"),
    Slider("deal_size", "Value of each", "What each brings when it ends with {won}"),
    Slider("cycle", "Length of the cycle", "How long a decision takes: less is sooner"),
    Slider("arrivals", "New ones", "How many {what} come in", 0, 200, 5),
    Slider("reps", "People", "People who start now and need their time to learn", -10, 20, 1),
    Slider("spend", "Spending", "What {campaigns} cost, and so bring", 0, 300, 10),
)


@PAGES.add
class WhatIfPage(Page):
    """`?view=whatif`: `name` of the forecast, `scenario` a kept one to begin with."""

    name = "whatif"
    drawings = True

    def __init__(self, app: Any, name: str = "", scenario: str = "", **args: str) -> None:
        super().__init__(app, name=name, scenario=scenario, **args)
        self.spec = engine.spec_of(app.door, name or None)
        self.money = Money(app, self.spec)
        self.title = app.t("What if: {forecast}", forecast=self.spec.label_in(app.t))
        self.crumbs = [{"label": self.spec.label_in(app.t), "href": href(view="forecast", name=self.spec.name)}]
        self.made: Any = None
        self.asis: Any = None
        self.top = 0.0
        self.known: dict[Levers, Any] = {}
        self.levers = Levers()
        if scenario.isdigit() and self.roles is not None:
            self.levers = self.kept(app.door.get(self.roles.entity, int(scenario)))
        acts = {
            "load": self.load,
            "turn": self.turned,
            "keep": self.keep,
            "open": self.open,
            "drop": self.drop,
            "compare": self.compare,
            "notebook": self.notebook,
        }
        waiting = {"title": self.title, "waiting": app.t("Learning from the history…")}
        self.part = app.part("what_if", waiting, on=acts)
        self.body = stack(self.part)

    @property
    def roles(self) -> Any:
        roles = self.app.schema.scenarios
        return roles if roles is not None and self.door.may("see", roles.entity) else None

    def load(self) -> None:
        beside(self.app, self.work, self.show, lambda words: self.part.patch(waiting="", fault=words))

    def work(self) -> Any:
        made = engine.prepare(self.door, self.spec.name)
        return made, made.simulate()

    def show(self, found: Any) -> None:
        self.made, self.asis = found
        self.known[Levers()] = self.asis
        self.top = 1.25 * float(max(self.asis.quantiles((0.9,))[0]))
        self.part.content = self.content()

    def refresh(self) -> None:
        """Scenarios read again; where the sliders stand is the browser's."""
        if self.made is not None:
            self.part.patch(scenarios=self.scenarios())

    # -- content

    def sliders(self) -> list[Slider]:
        """Those that do something here, in the order in which they are thought of."""
        shown = set(self.roles.levers) if self.roles is not None else {one.name for one in SLIDERS}
        if not self.made.assumptions.get("campaign_share"):
            shown.discard("spend")
        return [one for one in SLIDERS if one.name in shown]

    def named(self, one: Slider) -> str:
        """What a lever is called: as the scenarios of this configuration name it."""
        key = self.roles.levers.get(one.name) if self.roles is not None else None
        return str(self.app.schema.entities[self.roles.entity].fields[key].label_in(self.t) if key else self.t(one.label))

    def content(self) -> dict[str, Any]:
        t, may = self.t, self.roles is not None and self.door.may("create", self.roles.entity)
        called = names(self.app.schema, self.spec, t)
        return {
            "title": self.title,
            "help": self.spec.help_in(t),
            "forecast": href(view="forecast", name=self.spec.name),
            "levers": [
                {
                    "name": one.name, "label": self.named(one), "help": t(one.help, **called), "least": one.least, "most": one.most, "step": one.step,
                    "value": self.shown_at(one.name, getattr(self.levers, one.name)), "plain": 0 if one.name == "reps" else 100,
                }
                for one in self.sliders()
            ],
            "result": self.result(self.levers),
            "assumptions": self.assumptions(),
            "scenarios": self.scenarios(),
            "may": may,
            "keeps": self.roles is not None,
        }  # fmt: skip

    @staticmethod
    def shown_at(name: str, value: float) -> int:
        return round(value) if name == "reps" else round(100 * value)

    def result(self, levers: Levers) -> dict[str, Any]:
        """What the levers give, beside what is without them."""
        t, money, asis = self.t, self.money, self.asis
        found = self.simulated(levers)
        low, middle, high = found.quantiles(whole=True)
        before = asis.quantiles(whole=True)
        change = middle - before[1]
        goal, chance = found.goal, found.chance() if filled(found.goal) else None
        tiles = [
            {
                "label": t("Likely in {n} months", n=len(found.months)),
                "value": money.short(middle),
                "sub": self.against(change, before[1]),
                "main": True,
            },
            {
                "label": t("Nine of ten times at least"),
                "value": money.short(low),
                "sub": t("{value} as things are", value=money.short(before[0])),
            },
            {
                "label": t("One of ten times more than"),
                "value": money.short(high),
                "sub": t("{value} as things are", value=money.short(before[2])),
            },
        ]
        if chance is not None:
            aimed = len(found.months) if found.aimed is None else int(found.aimed.sum())
            was = asis.chance()
            tiles.append(
                {
                    "label": t("The goal of {goal}", goal=money.short(goal)) if aimed == len(found.months)
                    else t("The goal of {goal} ({n} months)", goal=money.short(goal), n=aimed),
                    "value": likely(t, chance), "tone": tone(chance),
                    "sub": t("reached; {chance} as things are", chance=likely(t, was)),
                }
            )  # fmt: skip
        names = [month_name(t, one) for one in found.months]
        ranges = found.quantiles()
        tips = [
            t(
                "{month}: {p50}, likely between {p10} and {p90}",
                month=names[n],
                p50=money.full(ranges[1][n]),
                p10=money.full(ranges[0][n]),
                p90=money.full(ranges[2][n]),
            )
            for n in range(len(names))
        ]
        picture = fan(money, names, *ranges, other=None if levers.plain else asis.quantiles()[1], tips=tips, top=self.top)
        return {"tiles": tiles, "fan": picture, "plain": levers.plain, "says": self.said(levers, change, before[1], chance)}

    def simulated(self, levers: Levers) -> Any:
        """Drawn once for each setting; always on the same luck, so that settings can be compared."""
        if levers not in self.known:
            if len(self.known) > 60:
                self.known = {Levers(): self.asis}
            self.known[levers] = self.made.simulate(levers)
        return self.known[levers]

    def against(self, change: float, before: float) -> str:
        if not before or abs(change) < 0.5:
            return str(self.t("as things are"))
        return str(self.t("{change} against as things are", change=self.money.signed(change)))

    def said(self, levers: Levers, change: float, before: float, chance: float | None) -> str:
        """What was turned and what it does, in a sentence."""
        t = self.t
        if levers.plain:
            return str(t("Move a slider to see what it would do."))
        part = t.percent(round(abs(change) / before, 2)) if before else ""
        more = t("brings {part} more", part=part) if change >= 0 else t("brings {part} less", part=part)
        return f"{', '.join(self.turned_words(levers))}: {more}."

    def turned_words(self, levers: Levers) -> list[str]:
        t, found = self.t, []
        for one in SLIDERS:
            value = self.shown_at(one.name, getattr(levers, one.name))
            away = value - (0 if one.name == "reps" else 100)
            if away:
                found.append(f"{self.named(one)} {'+' if away > 0 else '−'}{abs(away) if one.name == 'reps' else t.percent(abs(away) / 100)}")
        return found

    def assumptions(self) -> list[str]:
        """What is taken for granted, with where it comes from."""
        t, known, called = self.t, self.made.assumptions, names(self.app.schema, self.spec, self.t)
        found = [t("Everything is drawn {n} times from what the history teaches; months share their luck.", n=t.number(self.spec.runs))]
        if known.get("ramp"):
            found.append(t("Somebody new needs {n} months to bring what the others do.", n=known["ramp"]))
        if known.get("people"):
            found.append(t("{n} people brought new {what} in the last year.", n=known["people"], **called))
        if known.get("campaign_share"):
            source = t("learned from {n} of them", n=known["elasticity_learned"]) if known.get("elasticity_learned") else t("assumed")
            found.append(
                t(
                    "{share} of new {what} come from {campaigns}; a tenth more money brings {more} more of them ({source}).",
                    share=t.percent(round(known["campaign_share"], 2)), more=t.percent(round(known["elasticity"] / 10, 3)), source=source,
                    **called,
                )
            )  # fmt: skip
        return [str(one) for one in found]

    # -- levers

    def taken(self, levers: Mapping[str, Any]) -> Levers:
        """Levers as the sliders say them: percent and people."""
        names = {one.name for one in self.sliders()}
        return Levers.of({name: float(value) / (1 if name == "reps" else 100) for name, value in levers.items() if name in names})

    def turned(self, levers: Mapping[str, Any]) -> dict[str, Any]:
        if self.made is None:
            raise Missing("This is not there, or not for you.")
        self.levers = self.taken(levers)
        return {"result": self.result(self.levers)}

    # -- scenarios

    def kept(self, record: Any) -> Levers:
        """The levers of a scenario."""
        return Levers.of({lever: record.get(field) for lever, field in self.roles.levers.items()})

    def records(self) -> list[Any]:
        roles = self.roles
        if roles is None:
            return []
        found = self.door.list(roles.entity, order=["-changed_on"], limit=MOST)
        return [one for one in found if not roles.forecast or one.get(roles.forecast) in (None, "", self.spec.name)]

    def scenarios(self) -> list[dict[str, Any]]:
        roles, t = self.roles, self.t
        found = []
        for record in self.records():
            levers = self.kept(record)
            found.append(
                {
                    "id": record.id,
                    "name": record.get(roles.name) or record.title,
                    "sub": ", ".join(self.turned_words(levers)) or str(t("as things are")),
                    "who": (self.app.company.people.name(record.get(roles.owner)) or "") if roles.owner else "",
                    "levers": {one.name: self.shown_at(one.name, getattr(levers, one.name)) for one in self.sliders()},
                    "may": self.door.may("change", roles.entity, record),
                    "goes": self.door.may("delete", roles.entity, record),
                    "href": href(view="record", entity=roles.entity, id=record.id),
                }
            )
        return found

    def keep(self, name: str, levers: Mapping[str, Any], id: int | None = None) -> dict[str, Any]:
        """Save where the sliders stand, as a new scenario or over one that is there."""
        roles = self.roles
        if roles is None:
            raise Missing("This is not there, or not for you.")
        set_to = self.taken(levers).asdict()
        fields = self.app.schema.entities[roles.entity].fields
        values: dict[str, Any] = {}
        for lever, key in roles.levers.items():
            value = set_to[lever]
            if fields[key].name == "percent":
                values[key] = f"{round(100 * value)}%"
            else:
                values[key] = str(round(value) if lever == "reps" else value)
        with self.door.step("Saved a scenario") as step:
            if id is not None:
                record = self.door.change(roles.entity, id, values)
            else:
                values |= {roles.name: name, **({roles.forecast: self.spec.name} if roles.forecast else {})}
                record = self.door.create(roles.entity, values)
        self.refresh()
        self.app.say(self.t("{title} is saved.", title=record.title), undo=step.id)
        return {"id": record.id}

    def open(self, id: int) -> dict[str, Any]:
        """The sliders as a scenario has them."""
        self.levers = self.kept(self.door.get(self.roles.entity, id))
        levers = {one.name: self.shown_at(one.name, getattr(self.levers, one.name)) for one in self.sliders()}
        return {"levers": levers, "result": self.result(self.levers)}

    def drop(self, id: int) -> dict[str, Any]:
        step = self.door.delete(self.roles.entity, id)
        self.refresh()
        self.app.say(self.t("The scenario is gone."), undo=step)
        return {"done": True}

    def compare(self, ids: list[int]) -> dict[str, Any]:
        """Scenarios side by side, with as things are first: {columns: [name], rows: [{label, cells: [text], best: place}]}."""
        t, money = self.t, self.money
        chosen = [one for one in self.records() if one.id in set(ids)][:COMPARED]
        settings = [(t("As things are"), Levers()), *((one.get(self.roles.name) or one.title, self.kept(one)) for one in chosen)]
        drawn = [self.simulated(levers) for _, levers in settings]
        ranges = [one.quantiles(whole=True) for one in drawn]
        rows = [
            {
                "label": self.named(one),
                "cells": [
                    f"{value:+d}" if one.name == "reps" and value else t.number(value) if one.name == "reps" else t.percent(value / 100)
                    for value in (self.shown_at(one.name, getattr(levers, one.name)) for _, levers in settings)
                ],
                "quiet": True,
            }
            for one in self.sliders()
        ]
        for label, place in ((t("Nine of ten times at least"), 0), (t("Likely"), 1), (t("One of ten times more than"), 2)):
            rows.append({"label": label, "cells": [money.short(one[place]) for one in ranges], "strong": place == 1})
        rows.append({"label": t("Against as things are"), "cells": ["", *(money.signed(one[1] - ranges[0][1]) for one in ranges[1:])]})
        if filled(drawn[0].goal):
            rows.append({"label": t("The goal is reached"), "cells": [likely(t, one.chance()) for one in drawn], "strong": True})
        return {"columns": [str(name) for name, _ in settings], "rows": rows}

    def notebook(self, levers: Mapping[str, Any], label: str = "") -> dict[str, Any]:
        turned = {name: value for name, value in self.taken(levers).asdict().items() if value != getattr(Levers(), name)}
        return notebook(self.app, "whatif", self.spec.name, levers=turned, runs=self.spec.runs, label=label or None)


def names(schema: Any, spec: Any, t: Any) -> dict[str, str]:
    """What this configuration calls what comes in, its good end, and what is spent on: `{what}`, `{won}`, `{campaigns}` of sentences."""
    ends = [stage.label_in(t) for name in spec.pipelines for stage in schema.pipelines[name].stages.values() if stage.outcome == "won"]
    roles = schema.campaign_roles
    return {
        "what": within(schema.entities[spec.entity].plural_in(t)),
        "won": " / ".join(f"“{end}”" for end in dict.fromkeys(ends)),
        "campaigns": within(schema.entities[roles.entity].plural_in(t)) if roles is not None else str(t("campaigns")),
    }


def within(label: str) -> str:
    """A label as it stands within a sentence; abbreviations stay."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


__all__ = ["WhatIfPage"]
