"""Where in its pipeline a record stands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from crm.fields.base import FIELD_TYPES, PLAIN, Setting, Shown, humanise
from crm.fields.choice import Choice, Option
from crm.fields.pipeline import pipelines_of
from crm.words import Words

TONES = {"won": "green", "lost": "red"}


@FIELD_TYPES.add
class Stage(Choice):
    """The stage of the record's pipeline it has reached. Its options come from the pipelines; moving to another one passes the gate.

    Expressions may ask `stage.outcome` (`won`, `lost` or empty), `.probability`, `.open`, `.days`, `.forecast`, `.label`.
    """

    name = "stage"
    kind = "choice"
    settings: ClassVar[dict[str, Setting]] = {}
    examples = {"offer": "offer", "Signed": "won"}
    refuses = {"begin": "'begin' is not one of: Offer, Signed, Gone, Talks."}
    example_spec: ClassVar[dict[str, Any]] = {}
    #: What an expression may ask of a stage, with the kinds.
    attributes = {"outcome": "choice", "probability": "percent", "label": "text", "open": "boolean", "days": "number", "forecast": "choice"}

    def setup(self) -> None:
        self.pipelines: dict[str, Any] = {}
        self.pipeline_key: str | None = None
        self._options = {}

    def bind(self, schema: Any) -> None:
        self.pipelines = {one.name: one for one in pipelines_of(schema, self.entity_name)}
        entity = schema.entities.get(self.entity_name) if getattr(schema, "entities", None) else None
        fields = getattr(entity, "fields", None) or {}
        self.pipeline_key = next((key for key, one in fields.items() if one.name == "pipeline"), None)
        self._options = {}
        for pipeline in self.pipelines.values():
            for key, stage in pipeline.stages.items():
                self._options.setdefault(key, self.option(key, stage))

    @staticmethod
    def option(key: str, stage: Any) -> Option:
        """A stage as an option, coloured by its outcome unless it says a colour."""
        outcome = getattr(stage, "outcome", None)
        color = getattr(stage, "color", None) or TONES.get(outcome or "", "")
        return Option(key, str(getattr(stage, "label", "") or humanise(key)), str(color), was=tuple(getattr(stage, "was", ()) or ()))

    def pipeline_of(self, record: Any) -> Any:
        """The pipeline of a record: the one it names, else the only (or first) one of the entity."""
        name = record.get(self.pipeline_key) if record is not None and self.pipeline_key else None
        if name in self.pipelines:
            return self.pipelines[name]
        return next(iter(self.pipelines.values()), None)

    def stage_of(self, key: Any, pipeline: Any = None) -> Any:
        """The stage by its key, in this pipeline (its name) or the first that has it; None when there is none."""
        if pipeline in self.pipelines and key in self.pipelines[pipeline].stages:
            return self.pipelines[pipeline].stages[key]
        return next((one.stages[key] for one in self.pipelines.values() if key in one.stages), None)

    def stages(self) -> Iterator[tuple[str, str, Any]]:
        """All stages as (pipeline name, stage key, Stage)."""
        for name, pipeline in self.pipelines.items():
            for key, stage in pipeline.stages.items():
                yield name, key, stage

    def options_for(self, ctx: Shown) -> dict[str, Option]:
        if ctx.record is None or len(self.pipelines) < 2:
            return self.options
        pipeline = self.pipeline_of(ctx.record)
        return {key: self.option(key, stage) for key, stage in pipeline.stages.items()} if pipeline else self.options

    def option_label(self, key: str, t: Words | None = None) -> str:
        return self.label_of(key, None, t)

    def label_of(self, key: str, pipeline: Any, t: Words | None = None) -> str:
        """The label of a stage of one pipeline in the language of `t`."""
        names = [pipeline] if pipeline in self.pipelines else []
        for name in [*names, *self.pipelines]:
            stage = self.pipelines[name].stages.get(key)
            if stage is not None:
                label = str(getattr(stage, "label", "") or humanise(key))
                return t.label(f"pipelines.{name}.stages.{key}.label", label) if t is not None else label
        return humanise(key)

    def display(self, value: Any, ctx: Shown = PLAIN) -> str:
        if value is None:
            return ""
        pipeline = self.pipeline_of(ctx.record) if ctx.record is not None else None
        return self.label_of(value, getattr(pipeline, "name", None), ctx.t)

    def cell(self, value: Any, ctx: Shown = PLAIN) -> Any:
        if value is None:
            return ""
        option = self.options.get(value)
        result: dict[str, Any] = {"text": self.display(value, ctx), "stage": value}
        if option and option.color:
            result["tone"] = option.color
        stage = self.stage_of(value, ctx.record.get(self.pipeline_key) if ctx.record is not None and self.pipeline_key else None)
        if stage is not None and getattr(stage, "outcome", None):
            result["outcome"] = stage.outcome
        return result
