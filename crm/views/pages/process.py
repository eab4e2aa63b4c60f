"""How a pipeline works, drawn from its configuration, with what is in each stage now."""

from __future__ import annotations

from typing import Any

from tinydb import where

from crm.errors import Missing
from crm.views.app import href, stack
from crm.views.base import PAGES, Page
from crm.views.processmap import NARROW, WIDE, ProcessMap, average


@PAGES.add
class ProcessPage(Page):
    """`?view=process&pipeline=b2b`."""

    name = "process"

    def __init__(self, app: Any, pipeline: str = "", **args: str) -> None:
        super().__init__(app, pipeline=pipeline, **args)
        door, pipelines = app.door, app.schema.pipelines
        seen = [one.name for one in pipelines.values() if app.schema.is_on(one.module) and door.may("see", one.entity)]
        name = pipeline or next(iter(seen), "")
        if name not in seen:
            raise Missing("This is not there, or not for you.")
        self.pipeline = pipelines[name]
        self.entity = app.schema.entities[self.pipeline.entity]
        self.readable = door.readable(self.entity.name)
        if self.entity.stage_field not in self.readable:
            raise Missing("This is not there, or not for you.")
        self.title = app.t("Process: {pipeline}", pipeline=self.pipeline.label_in(app.t))
        self.crumbs = [{"label": self.pipeline.label_in(app.t), "href": href(view="board", pipeline=name)}]
        self.part = app.part("process", self.content(), on={"stage": self.stage, "svg": lambda: {"svg": self.map().svg()}})
        self.body = stack(self.part)

    def map(self) -> ProcessMap:
        return ProcessMap(self.app.schema, self.pipeline.name, self.t, self.readable)

    def content(self) -> dict[str, Any]:
        made = self.map()
        return {
            "wide": made.drawing(WIDE).json(),
            "narrow": made.drawing(NARROW).json(),
            "title": self.title,
            "file": f"{self.pipeline.name}.svg",
        }

    def refresh(self) -> None:
        self.part.content = self.content()

    def stage(self, stage: str) -> dict[str, Any]:
        """What is in a stage now, of what this user sees: how many, how much, how long it takes."""
        one, t = self.pipeline.stages.get(stage), self.t
        if one is None:
            raise Missing("This is not there, or not for you.")
        conditions = [where(self.entity.stage_field) == stage]
        if self.entity.pipeline_field:
            conditions.append(where(self.entity.pipeline_field) == self.pipeline.name)
        amount = self.pipeline.fields.get("amount")
        measures: dict[str, Any] = {"n": ("count", None)}
        if amount in self.readable:
            measures["sum"] = ("sum", amount)
        rows = self.door.aggregate(self.entity.name, by=[], measures=measures, where=conditions)
        row: dict[str, Any] = rows[0] if rows else {}
        facts = [[t("Now"), t.number(int(row.get("n") or 0))]]
        if row.get("sum") is not None:
            currency = getattr(self.entity.fields[str(amount)], "currency", "") or ""
            facts.append([t("Sum"), t.money_short(row["sum"], currency)])
        if one.open:
            left, days = average(self.door, self.pipeline, one)
            facts.append([t("Days on average"), t.number(round(days, 1)) if days is not None else "–"])
            if one.days:
                facts.append([t("Days expected"), t.number(one.days)])
            facts.append([t("Have left it"), t.number(left)])
        shown = href(view="list", entity=self.entity.name, pipeline=self.pipeline.name, f=f"{self.entity.stage_field}:is:{stage}")
        return {"label": one.label_in(t), "facts": facts, "href": shown}
