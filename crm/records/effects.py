"""What automations do, one function an effect: it gets the work at hand, the effect as the YAML describes it, and a key of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from crm.errors import Denied, Missing, Refused
from crm.records import outbox
from crm.records.automation import Work
from crm.schema.model import Effect, Given


def value_of(work: Work, given: Given, env: Any) -> Any:
    """The typed value an automation gives a field."""
    if given.record:
        return work.cause.id
    if given.expression is not None:
        value = given.expression.evaluate(env)
        return value.id if hasattr(value, "login") else value
    if given.template:
        return written(work, given.typed)
    return given.typed


def written(work: Work, text: str) -> str:
    """A text with the record's fields in its braces, in the company's language."""
    if work.cause.id is None:
        return text
    doc = work.company.doc(work.cause.entity, work.cause.id) or work.doc
    return str(work.door.fill(text, work.cause.entity, work.cause.id, doc))


def users_of(work: Work, to: list[Any]) -> list[int]:
    """The active users that expressions and role names lead to, each once."""
    company, found = work.company, []
    for one in to:
        if isinstance(one, str):
            found += company.people.with_role(one)
        else:
            value = one.evaluate(work.env)
            value = value.id if hasattr(value, "login") else value
            found += value if isinstance(value, list) else [value]
    active = []
    for user in dict.fromkeys(found):
        if isinstance(user, int):
            try:
                active.append(company.actor(user).id)
            except (Missing, Denied):
                continue
    return [user for user in active if user is not None]


def set_(work: Work, effect: Effect, key: str) -> None:
    """Fields of the record, or of the one a link leads to, get values."""
    entity, target = work.cause.entity, work.cause.id
    env = work.env
    if effect.of is not None:
        target = env.doc.get(effect.of)
        entity = str(work.company.schema.entities[entity].fields[effect.of].to)
        if target is None:
            return
    assert target is not None
    values = {given.field: value_of(work, given, env) for given in effect.values}
    before = work.company.doc(entity, target)
    after = work.door.change(entity, target, values)
    fields = {name: [before.get(name), after.stored.get(name)] for name in values if before.get(name) != after.stored.get(name)}
    if fields:
        work.did.append({"do": "set", "entity": entity, "id": target, "fields": fields})


def create(work: Work, effect: Effect, key: str) -> None:
    """A new record."""
    assert effect.what is not None
    env = work.env
    made = work.door.create(effect.what, {given.field: value_of(work, given, env) for given in effect.values})
    work.did.append({"do": "create", "entity": effect.what, "id": made.id})


def assign(work: Work, effect: Effect, key: str) -> None:
    """The record gets an owner: a user, or whoever an assignment rule chooses."""
    entity, target = work.cause.entity, work.cause.id
    assert target is not None
    if effect.what is not None:
        from crm.records import assignment

        user = assignment.hand_over(work.door, effect.what, target)
        if user is None:
            return
    else:
        user = next(iter(users_of(work, effect.to)), None)
        if user is None:
            return
        work.door.change(entity, target, {str(work.company.schema.entities[entity].owner): user})
    work.did.append({"do": "assign", "entity": entity, "id": target, "user": user})


def notify(work: Work, effect: Effect, key: str) -> None:
    """Users are told who see the record; what they may not read of it is not told."""
    from crm.records import notices

    told = []
    entity, target = work.cause.entity, work.cause.id
    for user in users_of(work, effect.to):
        door = work.company.door(user)
        text = effect.text_in(door.words)
        if target is not None:
            doc = work.company.doc(entity, target) or work.doc
            if not door.sight(entity).sees(doc, target):
                continue
            text = door.fill(text, entity, target, doc)
        if notices.notify(work.company, user, "{said}", entity if target is not None else None, target, key=f"{key}|{user}", said=text):
            told.append(user)
    work.did.append({"do": "notify", "users": told})


def mail(work: Work, effect: Effect, key: str) -> None:
    """A mail by a template goes into the outbox, one for each address."""
    users = work.company.schema.users
    sent: list[Any] = []
    for number, one in enumerate(effect.to, 1):
        value = one.evaluate(work.env)
        value = value.id if hasattr(value, "login") else value
        if value is None:
            continue
        payload: dict[str, Any] = {"template": effect.what, "entity": work.cause.entity, "id": work.cause.id, "key": f"{key}|{number}"}
        if work.actor.id is not None:
            payload["by"] = work.actor.id
        leads = getattr(getattr(one.node, "name", None), "entity", None) if not isinstance(value, str) else None
        if isinstance(value, str):
            payload["to"] = value
        elif users is not None and leads in (None, users.entity):
            payload["user"] = value
        else:
            fields = work.company.schema.entities[str(leads)].fields
            doc = work.company.doc(str(leads), value) or {}
            payload["to"] = next((doc[name] for name, field in fields.items() if field.name == "email" and doc.get(name)), None)
            if payload["to"] is None:
                continue
        if outbox.queue(work.company, "mail", payload, payload["key"]):
            sent.append(payload.get("to") or payload.get("user"))
    work.did.append({"do": "mail", "template": effect.what, "to": sent})


def webhook(work: Work, effect: Effect, key: str) -> None:
    """A signed message about the record goes into the outbox."""
    company, cause = work.company, work.cause
    doc = (company.doc(cause.entity, cause.id) if cause.id is not None else None) or work.doc
    body = {
        "automation": cause.automation.name,
        "cause": cause.trigger.kind,
        "entity": cause.entity,
        "id": cause.id,
        "at": company.now().isoformat(),
        "values": {name: doc.get(name) for name in effect.send if doc.get(name) is not None},
    }
    outbox.queue(company, "webhook", {"url": effect.what, "secret": effect.secret, "body": body}, key)
    work.did.append({"do": "webhook", "to": effect.what})


def approve(work: Work, effect: Effect, key: str) -> None:
    """Somebody's word is asked for."""
    from crm.records import approvals

    assert work.cause.id is not None
    why = written(work, effect.text) or work.cause.automation.label
    found = approvals.request(
        work.door, work.cause.entity, work.cause.id, why, by=effect.to, key=f"automation.{work.cause.automation.name}"
    )
    if found is None:
        raise Refused("Nothing here holds approvals.")
    work.did.append({"do": "approve", "id": found})


EFFECTS: dict[str, Callable[[Work, Effect, str], None]] = {
    "set": set_, "create": create, "assign": assign, "notify": notify, "mail": mail, "webhook": webhook, "approve": approve,
}  # fmt: skip
