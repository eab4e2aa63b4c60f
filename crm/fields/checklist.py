"""What is ticked of the checklists of a record's stages."""

from __future__ import annotations

from typing import Any, ClassVar

from crm.fields.base import FIELD_TYPES, PLAIN, Setting, Shown, humanise
from crm.fields.lines import Lines
from crm.fields.links import make_fields
from crm.fields.pipeline import pipelines_of


@FIELD_TYPES.add
class Checklist(Lines):
    """The ticks of a record's checklists (`do:` of its stages): the line as `pipeline.line`, who ticked it and when.

    Every entity with a stage has one, called `ticks`; it is written by ticking.
    """

    name = "checklist"
    settings: ClassVar[dict[str, Setting]] = {}
    examples = {
        '[{"item": "b2b.send_the_offer", "on": "2026-03-01T09:30:00Z"}, {}]': [
            {"item": "b2b.send_the_offer", "on": "2026-03-01T09:30:00.000Z"}
        ]
    }
    refuses = {"all of it": "This is not a table.", '[{"colour": "red"}]': "Line 1: there is no column called 'colour'."}
    example_spec: ClassVar[dict[str, Any]] = {}

    def setup(self) -> None:
        self.max = 1000
        columns = {"item": {"type": "text"}, "who": {"type": "user"}, "on": {"type": "datetime"}}
        self.columns = make_fields(columns, self, "columns")
        self.pipelines: dict[str, Any] = {}

    def bind(self, schema: Any) -> None:
        super().bind(schema)
        self.pipelines = {one.name: one for one in pipelines_of(schema, self.entity_name)}

    def display(self, value: Any, ctx: Shown = PLAIN) -> str:
        """What is ticked, in the words of the checklists."""
        return ", ".join(self.said(str(row.get("item", "")), ctx) for row in value or ())

    def said(self, item: str, ctx: Shown) -> str:
        pipeline, _, key = item.partition(".")
        found = self.pipelines[pipeline].todo(key) if pipeline in self.pipelines else None
        return found[1].say_in(ctx.t) if found else humanise(key)
