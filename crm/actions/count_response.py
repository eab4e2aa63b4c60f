"""Taking down the answer of somebody on a campaign (D4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm.actions.base import ACTIONS, Action, Asked, needed
from crm.schema.model import Entity, Schema


@ACTIONS.add
class CountResponse(Action):
    """Set the answer of members of a campaign; the figures of the campaign follow."""

    name, label, icon = "count_response", "Answer", "mark_email_read"
    words = ("Answer",)

    def applies(self, entity: Entity, schema: Schema) -> bool:
        roles = schema.campaign_roles
        return roles is not None and roles.members.get("entity") == entity.name and "response" in roles.members

    def fields(self, door: Any, entity: str, ids: Sequence[int] = ()) -> list[Asked]:
        key = door.schema.campaign_roles.members["response"]
        return [Asked("response", door.words("Answer"), door.schema.entities[entity].fields[key].editor(None, door.shown), required=True)]

    def run(self, door: Any, entity: str, ids: Sequence[int], values: Mapping[str, Any]) -> int:
        key = door.schema.campaign_roles.members["response"]
        return door.bulk(entity, ids, {key: needed(values, "response")})
