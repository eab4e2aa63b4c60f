"""Starting a campaign: what its type plans, for everyone on its list (D1, D2, D3 in first shape)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from crm.actions.base import ACTIONS, Action, Asked, activity_links
from crm.errors import RecordError, Refused
from crm.schema.model import CampaignStep, CampaignType, Entity, Schema

#: Nobody wants a hundred thousand calls by one click.
MOST = 20_000


@ACTIONS.add
class StartCampaign(Action):
    """Creates the planning tasks, and each activity of the type for every member, at its offset from the start.

    Members: those of the campaign's list (chosen by hand, or its filter), or `entity` and `where` among the values; always only those
    this user may see. With a responses entity each member gets a row there, so that answers can be counted. A member who already
    has an activity of the campaign gets no second one: starting twice adds only who is new.
    """

    name, label, icon = "start_campaign", "Start campaign", "rocket_launch"
    words = ("Start campaign", "Start", "Who", "Filter")
    many = False

    def applies(self, entity: Entity, schema: Schema) -> bool:
        roles = schema.campaign_roles
        return roles is not None and roles.entity == entity.name and schema.activities is not None

    def offered(self, door: Any, entity: str) -> bool:
        return super().offered(door, entity) and door.may("create", door.schema.activities.entity)

    def fields(self, door: Any, entity: str, ids: Sequence[int] = ()) -> list[Asked]:
        schema, t = door.schema, door.words
        found = [
            one.name
            for one in schema.entities.values()
            if one.name != entity and activity_links(schema, one.name) and door.may("see", one.name)
        ]
        options = [[name, schema.entities[name].plural_in(t)] for name in found]
        return [
            Asked("start", t("Start"), {"type": "date", "value": None}),
            Asked("entity", t("Who"), {"type": "select", "value": None, "options": options}),
            Asked("where", t("Filter"), {"type": "text", "value": None}),
        ]

    def run(self, door: Any, entity: str, ids: Sequence[int], values: Mapping[str, Any]) -> int:
        schema = door.schema
        with door.step("Campaign started", later=True) as step:
            for one in ids:
                record = door.get(entity, one)
                kind = schema.campaigns.get(str(record.get(schema.campaign_roles.fields.get("type", "")) or ""))
                if kind is None:
                    raise RecordError({schema.campaign_roles.fields.get("type", ""): Refused("No campaign type is called like this.")})
                self.start(door, record, kind, values)
            return step.id

    def start(self, door: Any, campaign: Any, kind: CampaignType, values: Mapping[str, Any]) -> dict[str, int]:
        """`{"tasks", "members", "activities"}` created for one campaign."""
        schema = door.schema
        keys, activities = schema.campaign_roles.fields, schema.activities
        begin = self._begin(door, campaign, keys, values)
        days = offsets(kind)
        link = next(iter(activity_links(schema, campaign.entity)), None)
        made = {"tasks": 0, "members": 0, "activities": 0}
        if link is None:
            raise RecordError({"": Refused("Activities cannot be linked to campaigns here.")})
        before = door.list(activities.entity, f"{link} == {campaign.id}", limit=None)
        known = {(one[activities.subject], *self._targets(schema, one, link)) for one in before}
        for task in kind.tasks.values():
            if (task.label_in(door.words),) not in known:
                door.create(
                    activities.entity, {link: campaign.id, **self._activity(door, task, begin, days[task.key], task.label_in(door.words))}
                )
                made["tasks"] += 1
        target, members = self._members(door, campaign, keys, values)
        if target is not None:
            mine = activity_links(schema, target)
            if not mine:
                raise RecordError({"entity": Refused("Activities cannot be linked to these.")})
            owner = schema.entities[target].owner
            for member in members:
                made["members"] += self._response(door, campaign, target, member.id)
                for activity in kind.activities.values():
                    title = activity.label_in(door.words)
                    if (title, mine[0], member.id) in known:
                        continue
                    given = self._activity(door, activity, begin, days[activity.key], title)
                    if owner and activities.owner and member.get(owner) is not None and "owner" not in given:
                        given[activities.owner] = member[owner]
                    door.create(activities.entity, {link: campaign.id, mine[0]: member.id, **given})
                    made["activities"] += 1
        return made

    def _begin(self, door: Any, campaign: Any, keys: Mapping[str, str], values: Mapping[str, Any]) -> date:
        given = values.get("start")
        if given not in (None, ""):
            begin = given if isinstance(given, date) else door.words.parse_date(str(given))
            if keys.get("start") and campaign.get(keys["start"]) is None:
                door.change(campaign.entity, campaign.id, {keys["start"]: begin})
            return begin
        kept = campaign.get(keys.get("start", ""))
        if isinstance(kept, datetime):
            return door.words.local(kept).date()
        return kept or door.company.today()

    def _activity(self, door: Any, one: CampaignStep, begin: date, days: int, title: str) -> dict[str, Any]:
        roles = door.schema.activities
        fields = door.schema.entities[roles.entity].fields
        due: Any = begin + timedelta(days=days)
        if fields[roles.due].kind == "datetime":
            due = door.words.midnight(due) + timedelta(hours=9)
        given = {roles.subject: title, roles.due: due, roles.kind: one.kind, roles.text: one.text or None, roles.priority: one.priority}
        return {key: value for key, value in given.items() if key and value is not None and key in door.writable(roles.entity)}

    @staticmethod
    def _targets(schema: Schema, activity: Any, link: str) -> tuple[Any, ...]:
        for key, one in schema.entities[activity.entity].fields.items():
            if one.name == "link" and key != link and one.to != activity.entity and activity.get(key) is not None:
                return key, activity[key]
        return ()

    def _members(self, door: Any, campaign: Any, keys: Mapping[str, str], values: Mapping[str, Any]) -> tuple[str | None, list[Any]]:
        """The entity and the records aimed at."""
        schema = door.schema
        if values.get("entity"):
            target = str(values["entity"])
            if values.get("ids"):
                return target, [door.get(target, int(one)) for one in values["ids"]]
            return target, self._few(door.list(target, values.get("where") or None, limit=MOST + 1))
        lists = schema.campaign_roles.lists
        chosen = campaign.get(keys.get("list", ""))
        if chosen is None or not lists:
            return None, []
        record = door.get(lists["entity"], chosen)
        fields = schema.entities[lists["entity"]].fields
        target = str(record.get(lists.get("for", "")) or "")
        where = record.get(lists.get("where", ""))
        if where and target in schema.entities:
            return target, self._few(door.list(target, where, limit=MOST + 1))
        for key, one in fields.items():
            if one.name == "links" and record.get(key) and (one.to == target or target not in schema.entities):
                members, _ = door.back(lists["entity"], chosen, key, limit=MOST + 1)
                return one.to, self._few(members)
        return (target, []) if target in schema.entities else (None, [])

    @staticmethod
    def _few(records: list[Any]) -> list[Any]:
        if len(records) > MOST:
            raise RecordError({"where": Refused("More than {n} at once; narrow the filter.", n=MOST)})
        return records

    def _response(self, door: Any, campaign: Any, target: str, member: int) -> int:
        """The row in which a member's answer is counted; 0 when it is there already or nobody counts."""
        schema = door.schema
        rows = schema.campaign_roles.members
        if not rows or not door.may("create", rows["entity"]):
            return 0
        fields = schema.entities[rows["entity"]].fields
        link = rows.get(target) or next((key for key, one in fields.items() if one.name == "link" and one.to == target), None)
        to = rows.get("campaign")
        if not link or not to or door.count(rows["entity"], f"{to} == {campaign.id} and {link} == {member}"):
            return 0
        given: dict[str, Any] = {to: campaign.id, link: member}
        status = fields.get(rows.get("response", ""))
        if first := next(iter(getattr(status, "options", None) or {}), None):  # nothing has come of it yet: the options begin at the beginning
            given[status.key] = first
        door.create(rows["entity"], given)
        return 1


def offsets(kind: CampaignType) -> dict[str, int]:
    """Days from the start to every step, `after: letter + 15d` followed through."""
    steps = {**kind.tasks, **kind.activities}
    known: dict[str, int] = {}

    def days(key: str, way: tuple[str, ...] = ()) -> int:
        if key == "start" or key not in steps or key in way:
            return 0
        if key not in known:
            known[key] = days(steps[key].when.after, (*way, key)) + steps[key].when.days
        return known[key]

    return {key: days(key) for key in steps}
