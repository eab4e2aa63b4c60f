"""What a user may name when they write a condition: the fields they may read, here and behind links."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crm.errors import Refused
from crm.expressions import ExpressionError, Scope
from crm.expressions import parse as parse_expression
from crm.schema.scope import called_by

if TYPE_CHECKING:
    from crm.records.reading import Base

#: Parsed filters kept per user's view of the configuration.
KEPT = 500


def scope_of(door: Base, entity: str) -> Scope:
    """An entity's names without what one user may not see; hidden names do not exist, not even as a suggestion."""
    one = door.company.schema.entities[entity]
    plan = door.sight(entity).plan
    back = {}
    for name, (child, key) in one.back.items():
        other = door.sight(child)
        if other.may("see") and key in other.plan.readable:
            back[name] = (child, key)
    made = Scope({key: one.fields[key] for key in plan.ordered}, door.scope, back if plan.ordered else {})
    if one.tree is not None and one.tree.by in plan.readable:
        made.tree = one.tree.by
    named = called_by(one)
    made.named = named if named in plan.readable else None
    return made


def parse(door: Base, entity: str, text: str) -> Any:
    """A condition as one user may write it. `Refused` with the reason where it cannot be read or names what they may not see."""
    kept = door.parsed
    found = kept.get((entity, text))
    if found is None:
        try:
            found = parse_expression(text, door.scope(entity), expects="boolean")
        except ExpressionError as error:
            raise Refused(error.text, **error.values) from error
        if len(kept) >= KEPT:
            kept.clear()
        kept[entity, text] = found
    return found
