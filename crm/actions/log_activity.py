"""Writing down what happened and what comes next, in one go: the composer of a record's page (H6, B7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm.actions.base import ACTIONS, Action, Asked, about, activity_links
from crm.errors import RecordError, Refused
from crm.schema.model import Entity, Schema


@ACTIONS.add
class LogActivity(Action):
    """Makes the activity that is done and, if a next step is named, the planned one that follows it; where the record itself keeps
    its next step (a pipeline's `next`), that is set too.

    Values: `kind`, `subject`, `text`, `result`, `on` (now by default), `duration`, and for the next step `next` (what),
    `next_on` (when), `next_kind`. What is missing of `subject` is taken from the text or the kind.
    """

    name, label, icon = "log_activity", "Log", "edit_note"
    places = ()
    words = ("Log", "What happened?", "What next?", "When?", "Kind", "Result")
    needs = "see"

    def applies(self, entity: Entity, schema: Schema) -> bool:
        roles = schema.activities
        return roles is not None and (entity.name == roles.entity or bool(activity_links(schema, entity.name)))

    def offered(self, door: Any, entity: str) -> bool:
        return super().offered(door, entity) and door.may("create", door.schema.activities.entity)

    def fields(self, door: Any, entity: str, ids: Sequence[int] = ()) -> list[Asked]:
        roles, t = door.schema.activities, door.words
        fields = door.schema.entities[roles.entity].fields
        readable = door.readable(roles.entity)
        asked = []
        for key, name, label in (
            (roles.kind, "kind", t("Kind")),
            (roles.text, "text", t("What happened?")),
            (roles.result, "result", t("Result")),
        ):
            if key and key in readable:
                asked.append(Asked(name, label, fields[key].editor(None, door.shown)))
        asked.append(Asked("next", t("What next?"), {"type": "text", "value": None}))
        asked.append(Asked("next_on", t("When?"), fields[roles.due].editor(None, door.shown)))
        return asked

    def run(self, door: Any, entity: str, ids: Sequence[int], values: Mapping[str, Any]) -> int:
        with door.step("Logged") as step:
            for one in ids:
                self.log(door, entity, one, values)
            return step.id

    def log(self, door: Any, entity: str, id: int, values: Mapping[str, Any]) -> tuple[Any, Any]:
        """`(what was done, what was planned)` as records, either None when there was nothing to write."""
        roles = door.schema.activities
        fields = door.schema.entities[roles.entity].fields
        links = about(door, entity, id)
        text, subject = str(values.get("text") or "").strip(), str(values.get("subject") or "").strip()
        coming, when = str(values.get("next") or "").strip(), values.get("next_on")
        done = planned = None
        if not (text or subject or values.get("result") or values.get("kind")) and not coming and not when:
            raise RecordError({"text": Refused("Say what happened or what comes next.")})
        if coming and not when:
            raise RecordError({"next_on": Refused("Say when.")})
        if text or subject or values.get("result") or (values.get("kind") and not coming):
            given = {
                roles.kind: values.get("kind"),
                roles.subject: subject or _short(text) or self._called(door, fields, values.get("kind")),
                roles.text: text if subject or len(text) > len(_short(text)) else None,
                roles.result: values.get("result"),
                roles.duration: values.get("duration"),
                roles.done: values.get("on") or door.company.moment(fields[roles.done]),
            }
            done = door.create(roles.entity, {**links, **self._kept(given)})
        if coming or when:
            given = {
                roles.kind: values.get("next_kind") or values.get("kind"),
                roles.subject: coming or subject or self._called(door, fields, values.get("next_kind") or values.get("kind")),
                roles.due: when,
            }
            follows = next((key for key, one in fields.items() if one.name == "link" and one.to == roles.entity), None)
            if follows and done is not None and follows in door.writable(roles.entity):
                given[follows] = done.id
            planned = door.create(roles.entity, {**links, **self._kept(given)})
            self._next_step(door, entity, id, coming, when)
        return done, planned

    def _next_step(self, door: Any, entity: str, id: int, coming: str, when: Any) -> None:
        """Set the record's own next step where it has one and this user may write it."""
        one = door.schema.entities[entity]
        record = door.get(entity, id)
        next_on = one.role("next", record)
        if not next_on or next_on not in door.writable(entity, record):
            return
        field = one.fields[next_on]
        day = door.words.parse_datetime(when) if isinstance(when, str) and field.kind == "datetime" else when
        if field.kind == "date":
            day = (
                door.words.parse_date(when.split("T")[0].split(" ")[0] if isinstance(when, str) and when[:4].isdigit() else when)
                if isinstance(when, str)
                else when
            )
        given: dict[str, Any] = {next_on: day}
        beside = next_on.removesuffix("_on").removesuffix("_at").removesuffix("_date") + "_step"
        for key in (beside, beside.removesuffix("_step")):
            if coming and key in one.fields and one.fields[key].kind == "text" and key in door.writable(entity, record):
                given[key] = coming
                break
        door.change(entity, id, given)

    @staticmethod
    def _kept(given: Mapping[Any, Any]) -> dict[str, Any]:
        return {key: value for key, value in given.items() if key and value not in (None, "")}

    @staticmethod
    def _called(door: Any, fields: Any, kind: Any) -> str:
        roles = door.schema.activities
        if kind and roles.kind:
            return str(fields[roles.kind].display(kind, door.shown))
        return str(door.schema.entities[roles.entity].label_in(door.words))


def _short(text: str, most: int = 100) -> str:
    """The first sentence of a text, as a subject."""
    line = text.strip().split("\n")[0]
    for end in (". ", "! ", "? "):
        if 0 < line.find(end) < most:
            line = line[: line.find(end) + 1].rstrip(".")
    return line if len(line) <= most else line[: most - 1].rsplit(" ", 1)[0] + "…"
