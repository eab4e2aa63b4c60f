"""Which pipeline a record goes through."""

from __future__ import annotations

from typing import Any, ClassVar

from crm.fields.base import FIELD_TYPES, Setting
from crm.fields.choice import Choice, Option
from crm.words import Words


def pipelines_of(schema: Any, entity: str) -> list[Any]:
    """The pipelines of an entity, in the order of the configuration."""
    known = getattr(schema, "pipelines", None) or {}
    mine = getattr(schema.entities.get(entity), "pipelines", None) if getattr(schema, "entities", None) else None
    if mine is None:
        return [one for one in known.values() if getattr(one, "entity", None) == entity]
    items = mine.values() if hasattr(mine, "values") else mine
    return [known[one] if isinstance(one, str) else one for one in items if not isinstance(one, str) or one in known]


@FIELD_TYPES.add
class Pipeline(Choice):
    """The pipeline whose stages the record goes through; its options are the pipelines of the entity."""

    name = "pipeline"
    kind = "choice"
    settings: ClassVar[dict[str, Setting]] = {}
    examples = {"short": "short", "Long sale": "long"}
    refuses = {"other": "'other' is not one of: Short sale, Long sale."}
    example_spec: ClassVar[dict[str, Any]] = {}
    many_pipelines = True

    def setup(self) -> None:
        self.pipelines: dict[str, Any] = {}
        self._options = {}

    def bind(self, schema: Any) -> None:
        self.pipelines = {one.name: one for one in pipelines_of(schema, self.entity_name)}
        self._options = {name: Option(name, str(one.label)) for name, one in self.pipelines.items()}

    def option_label(self, key: str, t: Words | None = None) -> str:
        label = self._options[key].label if key in self._options else key
        return t.label(f"pipelines.{key}.label", label) if t is not None else label
