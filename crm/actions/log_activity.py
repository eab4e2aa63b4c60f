"""Writing down what happened and what comes next, in one go: the composer of a record's page (H6, B7)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any

from crm.actions.base import ACTIONS, Action, Asked, about, activity_links
from crm.errors import RecordError, Refused
from crm.schema.model import Entity, Schema

#: When a step begins that was planned for a day.
MORNING = time(9, 0)


@ACTIONS.add
class LogActivity(Action):
    """Makes the activity that is done and, if a next step is named, the planned one that follows it; where the record itself keeps
    its next step (a pipeline's `next`), that is set too.

    Values: `kind`, `subject`, `text`, `result`, `on` (now by default), `duration`, and for the next step `next` (what),
    `next_on` (when, words too), `next_kind`; `links` are further links of both. What is missing of `subject` is taken from the text or the kind.
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
        links = {**about(door, entity, id), **(values.get("links") or {})}
        text, subject = str(values.get("text") or "").strip(), str(values.get("subject") or "").strip()
        coming, when = str(values.get("next") or "").strip(), values.get("next_on")
        kind = values.get("kind")
        done = planned = None
        if not (text or subject or values.get("result") or kind) and not coming and not when:
            raise RecordError({"text": Refused("Say what happened or what comes next.")})
        if coming and not when:
            raise RecordError({"next_on": Refused("Say when.")})
        due = when_of(door.words, fields[roles.due], when) if when else None
        if text or subject or values.get("result") or (kind and not coming):
            head, rest = (subject, text) if subject else subject_of(text, called(door, kind))
            given = {
                roles.kind: kind,
                roles.subject: head,
                roles.text: rest,
                roles.result: values.get("result"),
                roles.duration: values.get("duration"),
                roles.done: values.get("on") or door.company.moment(fields[roles.done]),
            }
            if entity == roles.entity and door.get(entity, id)[roles.done] is None:  # what was planned has happened: it is the same one
                kept = self._kept(door, given)
                kept.pop(roles.subject, None)
                if text and roles.text and roles.text in door.writable(entity):
                    kept[roles.text] = "\n".join(filter(None, [door.get(entity, id).get(roles.text), text]))
                done = door.change(entity, id, kept)
            else:
                done = door.create(roles.entity, {**links, **self._kept(door, given, roles.subject)})
        if due is not None:
            next_kind = values.get("next_kind") or guess_kind(door, coming) or plain_kind(door) or kind
            given = {roles.kind: next_kind, roles.subject: coming or subject or called(door, next_kind), roles.due: due}
            follows = next((key for key, one in fields.items() if one.name == "link" and one.to == roles.entity), None)
            if follows and done is not None:
                given[follows] = done.id
            planned = door.create(roles.entity, {**links, **self._kept(door, given, roles.subject, roles.due)})
            self._next_step(door, entity, id, coming, due)
        return done, planned

    @staticmethod
    def _next_step(door: Any, entity: str, id: int, coming: str, due: date | datetime) -> None:
        """Set the record's own next step where it has one, is still open and this user may write it."""
        one, record = door.schema.entities[entity], door.get(entity, id)
        writable = door.writable(entity, record)
        day, words = next_keys(one, record)
        stage = door.schema.stage_of(entity, record)
        if day is None or day not in writable or (stage is not None and not stage.open):
            return
        local = door.words.local(due) if isinstance(due, datetime) else due
        given: dict[str, Any] = {day: due if one.fields[day].kind == "datetime" else local.date() if isinstance(local, datetime) else local}
        if words and words in writable:
            given[words] = coming or None
        door.change(entity, id, given)

    @staticmethod
    def _kept(door: Any, given: Mapping[Any, Any], *must: str) -> dict[str, Any]:
        """What is not empty and may be written; what an activity cannot be without is tried anyway, so that its refusal is told."""
        writable = door.writable(door.schema.activities.entity)
        return {key: value for key, value in given.items() if key and value not in (None, "") and (key in writable or key in must)}


def called(door: Any, kind: Any) -> str:
    """What an activity is called that nobody gave words: its kind."""
    roles = door.schema.activities
    entity = door.schema.entities[roles.entity]
    return str(entity.fields[roles.kind].display(kind, door.shown) if kind and roles.kind else entity.label_in(door.words))


def when_of(t: Any, field: Any, typed: Any) -> date | datetime:
    """The day or moment a next step is planned for. Words name either (`tomorrow`, `fri 10:30`); where a moment is kept, a day alone
    begins in the morning. `RecordError` tells what was not understood."""
    try:
        found = typed
        if isinstance(typed, str):
            try:
                found = t.parse_date(typed)
                if field.kind == "datetime" and re.search(r"[T ]\d{2}:\d{2}", typed):
                    found = t.parse_datetime(typed)
            except Refused:
                found = t.parse_datetime(typed)
    except Refused as exc:
        raise RecordError({"next_on": exc}) from exc
    if isinstance(found, datetime):
        return found if field.kind == "datetime" else t.local(found).date()
    return datetime.combine(found, MORNING, tzinfo=t.tz) if field.kind == "datetime" else found


def kinds(door: Any) -> list[tuple[str, str]]:
    """`(value, label)` of the kinds of activities."""
    roles = door.schema.activities
    if not roles.kind:
        return []
    options = door.schema.entities[roles.entity].fields[roles.kind].editor(None, door.shown).get("options") or []
    return [(str(value), str(label)) for value, label, *_ in options]


def guess_kind(door: Any, text: str) -> str | None:
    """The kind of a planned step by its words (`Call back about …` is a call); None when none is named."""
    words = text.casefold()
    for value, label in kinds(door):
        if label and words.startswith(label.casefold()):
            return value
    return next((value for value, label in kinds(door) if len(label) > 3 and label.casefold() in words), None)


def plain_kind(door: Any) -> str | None:
    """The kind of a step whose words name none: what the YAML gives new activities."""
    roles = door.schema.activities
    default = door.schema.entities[roles.entity].fields[roles.kind].default if roles.kind else None
    return default if isinstance(default, str) else None


def subject_of(text: str, label: str, longest: int = 90) -> tuple[str, str | None]:
    """The headline of what was typed and the rest: the first sentence, and the whole text where there is more."""
    first = text.strip().split("\n")[0]
    for end in (". ", "! ", "? ", "; "):
        if end in first[:longest]:
            first = first[: first.index(end) + 1].rstrip(".;")
            break
    if len(first) > longest:
        first = first[:longest].rsplit(" ", 1)[0] + "…"
    if first.endswith(".") and not first.endswith(".."):
        first = first[:-1]
    return first or label, text.strip() if text.strip().rstrip(".") != first.rstrip(".") else None


def next_keys(entity: Entity, record: Mapping[str, Any] | None = None) -> tuple[str | None, str | None]:
    """(the field with the day of the next step, the text field beside it) that may be typed."""
    key, words = entity.role("next", record), entity.role("next_text", record)
    if not key or entity.fields[key].fixed:
        return None, None
    return key, words if words and not entity.fields[words].fixed else None
