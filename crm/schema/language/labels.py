"""labels/<language>.yaml: translations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from crm.schema.faults import Faults
from crm.schema.shapes import Shape
from crm.yamlfile import Map, Node


@dataclass
class Labels(Shape):
    """Texts by dotted path, nested or not; `interface:` holds the engine's strings by their English."""

    word: str = "labels"

    def check(self, node: Node, faults: Faults, name: str) -> None:
        if not isinstance(node, Map):
            faults.add("E102", node, "this file must be a mapping of paths to texts.", "Write for example `entities.account.label: Firma`.")

    def json(self) -> dict[str, Any]:
        return {"type": "object"}


LABELS = Labels()
