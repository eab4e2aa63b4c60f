"""Gates on the screens: what a stage still wants as editors of a small sheet, and the move made with what was filled in.

Everything a gate wants is asked in one go: fields, lines of a checklist to tick, why an approval should be given. What cannot be
filled in here (an offer to be made, another's turn) is said in words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from crm.errors import GateError, RecordError
from crm.records import approvals, gates
from crm.views.base import told
from crm.views.columns import Column
from crm.views.text import field_json

#: What the editor of a request's reason is called.
ASK = "ask:"


def gate_fields(app: Any, entity: Any, record: Any, target: Any, missing: Iterable[str], problems: Mapping[str, str]) -> list[dict]:
    """Editors for what is missing, then for what the stage asks beside it; what cannot be edited stands as text."""
    t, found = app.t, []
    values = draft_with(app, entity, record, target)
    writable = app.door.writable(entity.name, record)
    pipeline = app.schema.pipeline_of(entity.name, record)
    wanted = [*missing]
    for key in wanted:
        if key in entity.fields and key in writable:
            found.append(field_json(entity.fields[key], values.get(key), app.shown, required=True))
        elif key.startswith(gates.TICK):
            line = pipeline.todo(key.removeprefix(gates.TICK))
            label = line[1].say_in(t) if line else key
            found.append({"field": key, "label": label, "required": True, "editor": {"type": "check", "value": None, "words": ""}})
        elif key.startswith(approvals.WORD):
            found.append(ask_field(app, entity, record, key, problems.get(key, "")))
        else:
            label = label_of(app, entity, key)
            found.append({"field": f"say:{key}", "label": label, "editor": {"type": "fixed", "value": None, "text": problems.get(key, "")}})
    for key in target.ask if target is not None else ():
        if key in writable and key not in wanted and record.get(key) is None:
            found.append(field_json(entity.fields[key], None, app.shown, required=False))
    return found


def ask_field(app: Any, entity: Any, record: Any, key: str, words: str) -> dict:
    """The editor of why an approval should be given; only its state where it is asked for already."""
    t, company = app.t, app.company
    rule = approvals.rule_of(company.schema, key.removeprefix(approvals.WORD))
    assert rule is not None
    doc = company.doc(entity.name, record.id)
    state, _ = approvals.standing(company, entity, record.id, rule, doc)
    what = approvals.label_of(rule, entity, t)
    if state == "pending":
        return {
            "field": f"say:{key}",
            "label": what,
            "editor": {"type": "fixed", "value": None, "text": sentence(words.removeprefix(f"{what}: "))},
        }
    return {"field": ASK + rule.key, "label": t("{what}: why?", what=what), "help": words, "editor": {"type": "textarea", "value": None}}


def sentence(words: str) -> str:
    """With a capital letter."""
    return words[:1].upper() + words[1:]


def label_of(app: Any, entity: Any, key: str) -> str:
    """What something missing is called."""
    t = app.t
    if key in entity.fields:
        return str(entity.fields[key].label_in(t))
    if key in entity.back:
        other = app.schema.entities[entity.back[key][0]]
        return str(t.label(f"{entity.path}.back.{key}", app.schema.texts.get(f"{entity.path}.back.{key}") or other.plural))
    return str(t("Who may"))


def draft_with(app: Any, entity: Any, record: Any, target: Any) -> Mapping[str, Any]:
    """The record as it would be in the stage it goes to: defaults that follow the stage included."""
    if target is None:
        return record
    return app.door.computed(entity.name, {field_of(entity, target): target.key}, record.id)


def field_of(entity: Any, target: Any) -> str:
    """The field that a move sets: the stage, or the choice whose options are the columns of a board."""
    return str(target.field.key if isinstance(target, Column) else entity.stage_field)


def split(values: Mapping[str, Any] | None) -> tuple[dict[str, Any], dict[str, str]]:
    """What a sheet gives: `(values for the door, {approval: why})`."""
    given, asked = {}, {}
    for key, value in (values or {}).items():
        if key.startswith(ASK):
            if str(value or "").strip():
                asked[key.removeprefix(ASK)] = str(value)
        elif not key.startswith("say:"):
            given[key] = value
    return given, asked


class Move:
    """One move as a screen makes it: `made` or, where the gate is shut, what it wants (`fields`, `problems`, `say`); `asked` says that
    approvals were asked for on the way, with everything else filled in kept."""

    def __init__(self, app: Any, entity: Any, id: int, target: Any, values: Mapping[str, Any] | None = None) -> None:
        door, t = app.door, app.t
        self.made: Any = None
        self.step: Any = None
        self.asked = ""
        self.fields: list[dict] = []
        self.problems: dict[str, str] = {}
        self.say = ""
        given, why = split(values)
        if why:
            self.ask(app, entity, id, target, given, why)
        try:
            with door.step("move") as step:
                self.made = door.change(entity.name, id, {**given, field_of(entity, target): target.key})
            self.step = step
        except RecordError as exc:
            missing = wanted(exc, entity, target)
            answer = told(exc, t)
            record = door.get(entity.name, id)
            self.problems, self.say = dict(answer.get("problems") or {}), answer["error"]
            self.fields = gate_fields(app, entity, record, target, missing, self.problems)
            if not values:
                self.problems = {}

    def ask(self, app: Any, entity: Any, id: int, target: Any, given: dict[str, Any], why: Mapping[str, str]) -> None:
        """Ask for approvals; what was filled in beside is kept first, so that the word is given on the values as they are."""
        door, t = app.door, app.t
        with door.step("ask") as step:
            kept = {key: value for key, value in given.items() if key.startswith(gates.TICK) or entity.fields[key].show is None}
            if kept:
                door.change(entity.name, id, kept)
                for key in kept:
                    given.pop(key)
            for key, words in why.items():
                approvals.request(door, entity.name, id, words, key=key)
        self.asked = t("Asked for. You are told when it is decided.")
        app.say(self.asked, undo=step.id)


def wanted(exc: RecordError, entity: Any, target: Any) -> list[str]:
    """What is to be filled in before the move; raises what is wrong otherwise. An option asks for what the fields themselves require."""
    if isinstance(exc, GateError):
        return exc.missing
    keys = [key for key in exc.problems if key in entity.fields]
    if not isinstance(target, Column) or not keys or target.field.key in keys:
        raise exc
    return keys


def sheet(app: Any, entity: Any, record: Any, target: Any, move: Move, done: Callable[[Move], Any]) -> None:
    """Ask what the gate wants in a small sheet; `done(move)` when the record has moved."""
    t = app.t

    def save(values: dict) -> dict | None:
        again = Move(app, entity, record.id, target, values)
        if again.made is None:
            if again.asked:
                return None
            open_ = {one["field"] for one in again.fields}
            problems = {(f"say:{key}" if f"say:{key}" in open_ else key): words for key, words in again.problems.items()}
            return {"problems": problems, "error": again.say}
        done(again)
        return None

    editable = [one for one in move.fields if one["editor"].get("type") != "fixed"]
    outcome = {"lost": t("Why was it lost, and what did we learn?"), "won": t("Why was it won, and what did we learn?")}
    text = outcome.get(target.outcome or "", t("This is still wanted for “{stage}”.", stage=target.label_in(t)))
    title = t("{title}: to {stage}", title=record.title, stage=target.label_in(t))
    only_asks = bool(editable) and all(one["field"].startswith(ASK) for one in editable)
    app.sheet(
        title,
        move.fields,
        submit=t("Ask for approval") if only_asks else t("Move"),
        on_submit=save if editable else None,
        icon="lock_open" if editable else "lock",
        text=text,
    )


def checklist(app: Any, entity: Any, record: Any, pipeline: Any, stage: Any) -> list[dict]:
    """The checklist of the stage a record is in: [{line, text, must, done, by}]."""
    t, people, found = app.t, app.company.people, []
    done = gates.ticked(record)
    for one in stage.do:
        tick = done.get(f"{pipeline.name}.{one.key}")
        by = ", ".join(words for words in (people.name(tick.get("who")), t.date(t.local(tick["on"]).date())) if words) if tick else ""
        found.append({"line": one.key, "text": one.say_in(t), "must": one.must, "done": tick is not None, "by": by})
    return found


def standing(app: Any, entity: Any, record: Any) -> list[dict]:
    """How the approvals of a record stand: [{id, what, say, tone, why, acts}]; only what has been asked for, and what the reader may see."""
    schema, company, door, t = app.schema, app.company, app.door, app.t
    roles, found = schema.approvals, []
    if roles is None or not door.may("see", roles.entity):
        return []
    doc = company.doc(entity.name, record.id)
    field = schema.entities[roles.entity].fields[roles.status]
    for rule in approvals.rules_of(schema, entity, doc or {}):
        state, request = approvals.standing(company, entity, record.id, rule, doc)
        if state == "none" or not door.sight(roles.entity).sees(request, request.doc_id):
            continue
        who = company.people.name(request.get(roles.decided_by if state != "pending" else roles.asked_by)) or ""
        waits = state == "pending"
        mine = waits and approvals.may_not_decide(door, request) is None
        found.append(
            {
                "id": request.doc_id,
                "what": approvals.label_of(rule, entity, t),
                "say": field.display(request.get(roles.status), app.shown),
                "who": who,
                "whom": approvals.named(schema, approvals.reaching(rule, entity, doc), t) if waits and not mine else "",
                "tone": {"granted": "good", "refused": "late"}.get(state, "soon"),
                "why": (request.get(roles.why) if roles.why and waits else request.get(roles.reason)) or "",
                "mine": mine,
            }
        )
    return found


def left_behind(app: Any, entity: Any, stay: list[tuple[Any, Move | str]], again: Callable[[list[int], dict], Any]) -> None:
    """A sheet for those that did not move together: what each lacks, and what may be filled in for all of them at once."""
    t = app.t
    told_: list[str] = []
    fields: dict[str, dict] = {}
    waiting: list[int] = []
    for record, why in stay:
        if isinstance(why, str):
            told_.append(f"{record.title}: {why}")
            continue
        waiting.append(record.id)
        told_.append(f"{record.title}: {', '.join(one['label'] for one in why.fields)}")
        for one in why.fields:
            if one["editor"].get("type") != "fixed" and not one["field"].startswith(ASK):
                fields.setdefault(one["field"], {**one, "editor": {**one["editor"], "value": None}})
    more = len(told_) - 6
    words = "\n".join([*told_[:6], *([t("and {n} more", n=more)] if more > 0 else [])])

    def save(values: dict) -> Any:
        return again(waiting, {key: value for key, value in values.items() if value not in (None, "", [], False)})

    app.sheet(
        t("{n} cannot move there yet", n=len(stay)),
        list(fields.values()),
        text=words,
        submit=t("Fill in and move"),
        on_submit=save if fields else None,
        icon="lock_open" if fields else "lock",
    )
