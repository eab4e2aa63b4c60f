"""Classes: records ranked and cut into A, B, C."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as fresh
from decimal import Decimal
from typing import Any

from crm.schema.model.base import Thing


@dataclass
class ClassRule(Thing):
    """Records of an entity ranked by `by` and cut into classes, kept in `field` (A4).

    `cut` is `shares` (of the sum of `by`: those that make up the first 80 %) or `parts` (of the number of records); `edges` are the
    upper edges `{option: 0 to 1}` in the order of the YAML. Records outside `where` have `otherwise` (None: nothing).
    """

    entity: str
    field: str
    by: str
    cut: str = "shares"
    edges: dict[str, Decimal] = fresh(default_factory=dict)
    where: Any = None  # Expression
    otherwise: str | None = None
