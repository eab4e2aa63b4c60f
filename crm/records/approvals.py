"""Approvals (B8): what needs somebody's word before it goes on, who may give it, and the requests for it.

A rule of the YAML stands below `approvals:` of a pipeline (a step onward waits for it) or of an entity (a change that makes its
`before` true waits). Requests are records of the entity that crm.yaml names, so that they have lists, history, rights and a place in
the timeline like everything else. They are written by the engine in the step of the one who acts, never by hand:

* a request holds the seal of what it asks about (the values of the rule's `of` fields): another value, and it is void;
* it is granted or refused by a role the rule names (as far as `up_to` reaches) or by whom such a role handed it to, by nobody who does
  not see the record, and never by the one who asked.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tinydb.queries import where as field_

from crm.errors import Denied, Missing, Refused
from crm.records.actor import SYSTEM, Actor
from crm.records.derive import changed_keys, same
from crm.records.notices import notify
from crm.records.queries import all_of
from crm.schema.model import Approval, ApprovalRoles, Entity, Pipeline, Schema, Stage

if TYPE_CHECKING:
    from crm.records.company import Company

#: What a missing approval is called among what a gate wants: `approval:b2b.discount`.
WORD = "approval:"
#: So many requests are looked through for those that wait for one user.
LOOKED = 500


# -- the rules


def rules_of(schema: Schema, entity: Entity, doc: Mapping[str, Any]) -> list[Approval]:
    """The approvals a record may need: those of its pipeline and those of its entity."""
    pipeline = schema.pipeline_of(entity.name, doc) if entity.pipelines else None
    return [*(pipeline.approvals if pipeline is not None else ()), *entity.approvals]


def rule_of(schema: Schema, key: str) -> Approval | None:
    """The approval behind a key, None for one that is asked for without a rule or is gone from the YAML."""
    owner, _, _ = key.partition(".")
    places: list[Any] = [schema.pipelines.get(owner), schema.entities.get(owner)]
    return next((one for place in places if place is not None for one in place.approvals if one.key == key), None)


def link_to(schema: Schema, entity: str) -> str | None:
    """The field of a request that leads to records of `entity`."""
    roles = schema.approvals
    if roles is None:
        return None
    fields = schema.entities[roles.entity].fields
    return next((key for key, one in fields.items() if one.name == "link" and one.to == entity), None)


def onward(start: Stage | None, end: Stage) -> bool:
    """Whether a move takes a record on: not back, not to where it is given up."""
    return end.outcome != "lost" and (start is None or not start.open or end.index > start.index)


def seal(entity: str, id: int, rule: Approval, doc: Mapping[str, Any]) -> str:
    """What the values an approval is given on amount to: the same exactly when they are; nothing can be read from it."""
    said = json.dumps([entity, id, [[key, doc.get(key)] for key in rule.of]], sort_keys=True, default=str)
    return hashlib.sha256(said.encode()).hexdigest()[:24]


def label_of(rule: Approval, entity: Entity, t: Any = None) -> str:
    """What an approval is about, in words."""
    return rule.say_in(t) or ", ".join(entity.fields[key].label_in(t) for key in rule.of if key in entity.fields) or rule.key


def reaching(rule: Approval, entity: Entity, doc: Mapping[str, Any]) -> list[str]:
    """The roles whose word reaches as far as this record."""
    kept = doc.get(rule.amount) if rule.amount else None
    value = entity.fields[rule.amount].from_json(kept) if rule.amount and kept is not None else None
    return [role for role, limit in rule.by.items() if limit is None or value is None or Decimal(str(value)) <= limit]


def named(schema: Schema, roles: Iterable[str], t: Any = None) -> str:
    """Roles as users read them."""
    return ", ".join(schema.roles[one].label_in(t) for one in roles if one in schema.roles)


# -- what a write must wait for


def blocking(
    company: Company,
    entity: Entity,
    doc: Mapping[str, Any],
    doc_id: int | None,
    env: Any,
    old: Mapping[str, Any] | None,
    move: tuple[Pipeline, Stage | None, Stage] | None,
) -> list[str]:
    """The approvals this write must wait for, as `approval:key`: a step onward whose rule holds; a change of a won record, or one that
    makes an entity's `before` true, with values that nobody has agreed to."""
    found: list[Approval] = []
    schema = company.schema
    if move is not None:
        pipeline, start, end = move
        if onward(start, end):
            found += [one for one in pipeline.approvals if one.before is None or end.index >= pipeline.stages[one.before].index]
    elif old is not None and entity.pipelines:
        stage, at = schema.stage_of(entity.name, doc), schema.pipeline_of(entity.name, doc)
        if stage is not None and at is not None and stage.outcome == "won":
            found += [one for one in at.approvals if any(not same(old.get(key), doc.get(key)) for key in one.of)]
    found = [one for one in found if one.when.holds(env)]
    for one in entity.approvals:
        if one.before.holds(env) and one.when.holds(env):
            if old is not None and all(same(old.get(key), doc.get(key)) for key in one.of):
                was = company.env(entity.name, doc_id, old, env.me)
                if one.before.holds(was) and one.when.holds(was):
                    continue
            found.append(one)
    return [WORD + one.key for one in found if not granted(company, entity, doc_id, one, doc)]


def granted(company: Company, entity: Entity, doc_id: int | None, rule: Approval, doc: Mapping[str, Any]) -> bool:
    """Whether somebody has agreed to these very values."""
    if doc_id is None:
        return False
    roles = company.schema.approvals
    asked = _about(company, entity.name, doc_id, rule.key)
    wanted = seal(entity.name, doc_id, rule, doc)
    return roles is not None and any(one.get(roles.status) == roles.states["granted"] and one.get(roles.terms) == wanted for one in asked)


def standing(company: Company, entity: Entity, doc_id: int | None, rule: Approval, doc: Mapping[str, Any]) -> tuple[str, Any]:
    """How an approval stands for these values: `("none" | "pending" | "granted" | "refused", the newest request that says so)`."""
    roles = company.schema.approvals
    if doc_id is None or roles is None:
        return "none", None
    wanted = seal(entity.name, doc_id, rule, doc)
    asked = [one for one in _about(company, entity.name, doc_id, rule.key) if one.get(roles.terms) == wanted]
    for state in ("granted", "pending", "refused"):
        if last := next((one for one in reversed(asked) if one.get(roles.status) == roles.states[state]), None):
            return state, last
    return "none", None


def _about(company: Company, entity: str, doc_id: int, key: str | None = None) -> list[Any]:
    """The requests about a record, the oldest first."""
    roles, link = company.schema.approvals, link_to(company.schema, entity)
    if roles is None or link is None:
        return []
    cond = field_(link) == doc_id
    found = company.find(roles.entity, cond if key is None else all_of(cond, field_(roles.rule) == key))
    return sorted(found, key=lambda one: one.doc_id)


def told(company: Company, door: Any, entity: Entity, doc_id: int | None, doc: Mapping[str, Any], word: str) -> Refused:
    """What a user is told who must wait: what for, whose word it needs, how it stands."""
    rule = rule_of(company.schema, word.removeprefix(WORD))
    assert rule is not None
    t = door.words
    what, roles = label_of(rule, entity, t), named(company.schema, reaching(rule, entity, doc), t)
    state, request = standing(company, entity, doc_id, rule, doc)
    if state == "pending":
        return Refused("{what}: this waits for the word of {roles}.", what=what, roles=roles)
    keys = company.schema.approvals
    if state == "refused" and keys is not None and door.sight(keys.entity).sees(request, request.doc_id):
        who, why = company.people.name(request.get(keys.decided_by)) or "", request.get(keys.reason) or ""
        return Refused("{what}: refused by {who}. {why}", what=what, who=who, why=why)
    return Refused("{what}: this needs the word of {roles}.", what=what, roles=roles)


# -- asking


def request(where: Any, entity: str, id: int, why: str = "", *, by: Sequence[str] = (), key: str | None = None) -> int | None:
    """Ask for an approval of a record: the id of the request, or of the one that waits already under the same `key`.

    `where` is a door (the request is that user's) or a company (then it is of whoever writes the running step). `key` is a rule of the
    YAML (`b2b.discount`), or with `by` (the roles that may grant it) any word. None where the configuration holds no approvals.
    """
    door = where if hasattr(where, "sight") else where.door(where.acting)
    company: Company = door.company
    schema = company.schema
    roles, link = schema.approvals, link_to(schema, entity)
    if roles is None or link is None:
        return None
    record = door.get(entity, id)
    doc, one = company.doc(entity, record.id), schema.entities[entity]
    rule = rule_of(schema, key or "")
    if rule is not None and rule not in rules_of(schema, one, doc):
        rule = None
    if rule is None and not by:
        raise Refused("There is nothing to approve here.")
    if rule is None and roles.by is None:
        raise Refused("There is no place for requests of this kind.")
    asked = list(by) if rule is None else reaching(rule, one, doc)
    name = rule.key if rule is not None else key or "asked." + "_".join(sorted(by))
    terms = seal(entity, id, rule, doc) if rule is not None else ""
    t = company.words()
    with company.writing(door.actor, "Approval asked for"):
        for other in _about(company, entity, id, name):
            if other.get(roles.status) == roles.states["pending"]:
                if (other.get(roles.terms) or "") == terms:
                    return int(other.doc_id)
                _write(company, door.actor, roles, other.doc_id, {roles.status: roles.states["void"]})
        subject = label_of(rule, one, t) if rule is not None else (why.strip().splitlines() or [t("Approval")])[0]
        values: dict[str, Any] = {roles.subject: subject[:160], link: id, roles.status: roles.states["pending"], roles.rule: name}
        values |= {roles.terms: terms or None, roles.asked_by: door.actor.id}
        values |= {one_: value for one_, value in ((roles.why, why), (roles.by, ", ".join(asked))) if one_ and value}
        if roles.asked_on:
            values[roles.asked_on] = company.moment(schema.entities[roles.entity].fields[roles.asked_on])
        made = _engine(company, door.actor).create(roles.entity, values)
        for user in deciders(company, entity, id, doc, asked, door.actor.id):
            words = "{who} asks for your word on {title}"
            notify(company, user, words, entity=entity, id=id, key=f"approval-{made.id}-{user}", who=door.actor.name)
        return int(made.id)


def deciders(company: Company, entity: str, id: int, doc: Mapping[str, Any], roles: Iterable[str], but: int | None) -> list[int]:
    """The people of some roles who see a record, those first who are responsible for it: only they, where there are any."""
    wanted, users = set(roles), company.schema.users
    found: list[int] = []
    near: list[int] = []
    if users is None:
        return found
    for (number,) in company.raw(users.entity, ["doc_id"], field_(users.role).one_of(sorted(wanted))) if wanted else ():
        actor = company.people.actor(number)
        if number == but or not actor.active:
            continue
        sight = company.door(actor).sight(entity)
        if sight.sees(doc, id):
            found.append(number)
            if sight.allows("change", doc, id):
                near.append(number)
    return near or found


# -- deciding


def decide(door: Any, id: int, grant: bool, reason: str = "") -> int:
    """Grant or refuse a request; the step comes back. Refusing needs a reason. Raises `Denied` with the words for who may not."""
    company: Company = door.company
    roles, record, doc = _request(door, id)
    denied = may_not_decide(door, doc)
    if denied is not None:
        raise denied
    if not grant and not reason.strip():
        from crm.errors import RecordError

        raise RecordError({"reason": Refused("Say why.")})
    entity, about, target = _target(company, roles, doc)
    rule = rule_of(company.schema, str(doc.get(roles.rule) or ""))
    if rule is not None and seal(entity, about, rule, target) != doc.get(roles.terms):
        raise Refused("What was asked for has changed since. It must be asked for again.")
    values: dict[str, Any] = {roles.status: roles.states["granted" if grant else "refused"], roles.decided_by: door.actor.id}
    values[roles.reason] = reason.strip() or None
    if roles.decided_on:
        values[roles.decided_on] = company.moment(company.schema.entities[roles.entity].fields[roles.decided_on])
    with door.step("Granted" if grant else "Refused") as step:
        _write(company, door.actor, roles, id, values)
        asker = doc.get(roles.asked_by)
        if asker is not None:
            words = "{who} has granted what you asked for: {title}" if grant else "{who} has refused what you asked for: {title}"
            notify(company, asker, words, entity=entity, id=about, key=f"approval-{id}-decided", who=door.actor.name)
        return int(step.id)


def delegate(door: Any, id: int, to: int) -> int:
    """Hand a request to somebody else, who may then decide it; the step comes back."""
    company: Company = door.company
    roles, _, doc = _request(door, id)
    denied = may_not_decide(door, doc)
    if denied is not None:
        raise denied
    if roles.approver is None:
        raise Refused("Requests cannot be handed on here.")
    entity, about, target = _target(company, roles, doc)
    try:
        other = company.people.actor(to)
    except Missing:
        raise Refused("There is no such person.") from None
    if to == doc.get(roles.asked_by):
        raise Refused("Nobody grants their own request.")
    if not other.active or not company.door(other).sight(entity).sees(target, about):
        raise Refused("{who} does not see what this is about.", who=other.name)
    with door.step("Handed on") as step:
        _write(company, door.actor, roles, id, {roles.approver: to})
        notify(company, to, "{who} asks for your word on {title}", entity=entity, id=about, key=f"approval-{id}-{to}", who=door.actor.name)
        return int(step.id)


def may_not_decide(door: Any, doc: Mapping[str, Any]) -> Denied | None:
    """Why this user may not decide a request; None when they may."""
    company: Company = door.company
    schema, me = company.schema, door.actor
    roles = schema.approvals
    assert roles is not None
    if me.system:
        return None
    if me.id is not None and doc.get(roles.asked_by) == me.id:
        return Denied("Nobody grants their own request.")
    try:
        entity, about, target = _target(company, roles, doc)
    except Missing:  # deleted since
        return Denied("You do not see what this is about.")
    if not door.sight(entity).sees(target, about):
        return Denied("You do not see what this is about.")
    if roles.approver and me.id is not None and doc.get(roles.approver) == me.id:
        return None
    rule = rule_of(schema, str(doc.get(roles.rule) or ""))
    if rule is not None:
        may = reaching(rule, schema.entities[entity], target)
    else:
        may = [one.strip() for one in str((doc.get(roles.by) if roles.by else "") or "").split(",")]
    if me.role in may:
        return None
    if rule is not None and me.role in rule.by:
        return Denied("This is over what you may grant. It needs the word of {roles}.", roles=named(schema, may, door.words))
    return Denied("This needs the word of {roles}.", roles=named(schema, may, door.words))


def waiting(door: Any, limit: int = 20) -> list[Any]:
    """The requests that wait for this user, the oldest first, as records."""
    roles = door.schema.approvals
    if roles is None or not door.may("see", roles.entity):
        return []
    pending = field_(roles.status) == roles.states["pending"]
    found = door.list(roles.entity, where=pending, order=["created_on"], limit=LOOKED)
    return [one for one in found if may_not_decide(door, one._doc) is None][:limit]


def about(door: Any, record: Any) -> tuple[str, int] | None:
    """What a request is about: `(entity, id)`."""
    schema = door.schema
    fields = schema.entities[record.entity].fields
    return next(((str(one.to), record[key]) for key, one in fields.items() if _leads(schema, one) and record.get(key) is not None), None)


def _leads(schema: Schema, one: Any) -> bool:
    users = schema.users.entity if schema.users else ""
    return one.name == "link" and one.to != users and not one.system


# -- what a change does to requests


def changed(company: Company, actor: Actor, entity: Entity, doc_id: int, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """After a write: requests about values that are no longer those are void."""
    schema = company.schema
    roles = schema.approvals
    if roles is None:
        return
    rules = [one for one in rules_of(schema, entity, new) if one.of]
    if not rules or not (touched := changed_keys(old, new)):
        return
    for rule in rules:
        if not touched.intersection(rule.of):
            continue
        wanted = seal(entity.name, doc_id, rule, new)
        for one in _about(company, entity.name, doc_id, rule.key):
            open_ = one.get(roles.status) in (roles.states["pending"], roles.states["granted"])
            if open_ and one.get(roles.terms) != wanted:
                _write(company, actor, roles, one.doc_id, {roles.status: roles.states["void"]})


def relied(company: Company, entity: str, id: int, before: Mapping[str, Any], after: Mapping[str, Any]) -> str | None:
    """The title of the record that has gone on since on the strength of a word, when taking back this change of a request would withdraw
    that word; None where nothing rests on it."""
    schema, roles = company.schema, company.schema.approvals
    if roles is None or entity != roles.entity or before.get(roles.status) == after.get(roles.status):
        return None
    doc = company.doc(entity, id)
    rule = rule_of(schema, str((doc or {}).get(roles.rule) or ""))
    if doc is None or rule is None or {after.get(roles.status), doc.get(roles.status)} != {roles.states["granted"]}:
        return None
    try:
        name, about, target = _target(company, roles, doc)
    except Missing:
        return None
    terms = seal(name, about, rule, target)
    same_word = [one.doc_id for one in _about(company, name, about, rule.key) if one.get(roles.terms) == terms and one.get(roles.status) == doc[roles.status]]
    env = company.env(name, about, target, SYSTEM)
    if same_word != [id] or not rule.when.holds(env):
        return None
    pipeline, stage = schema.pipeline_of(name, target), schema.stage_of(name, target)
    if any(one.key == rule.key for one in schema.entities[name].approvals):
        gone = rule.before.holds(env)
    elif pipeline is None or stage is None or stage.outcome == "lost":
        gone = False
    elif rule.before is not None:
        gone = stage.index >= pipeline.stages[rule.before].index
    else:
        gone = str(target.get("stage_on") or "") > str(doc.get("changed_on") or "")
    return company.door(SYSTEM).title_of(name, about, target) if gone else None


def _request(door: Any, id: int) -> tuple[ApprovalRoles, Any, Any]:
    """The roles, the record as this user sees it and its document; a request that is decided already is refused."""
    roles = door.schema.approvals
    if roles is None:
        raise Missing()
    record = door.get(roles.entity, id)
    doc = door.company.doc(roles.entity, id)
    if doc.get(roles.status) != roles.states["pending"]:
        said = door.schema.entities[roles.entity].fields[roles.status].display(doc.get(roles.status), door.shown)
        raise Refused("This is decided already: {status}.", status=said)
    return roles, record, doc


def _target(company: Company, roles: ApprovalRoles, doc: Mapping[str, Any]) -> tuple[str, int, Any]:
    """What a request is about: entity, id, document."""
    for key, one in company.schema.entities[roles.entity].fields.items():
        if _leads(company.schema, one) and doc.get(key) is not None:
            target = company.doc(one.to, doc[key])
            if target is not None:
                return str(one.to), int(doc[key]), target
    raise Missing()


def _engine(company: Company, actor: Actor) -> Any:
    """A door for what the engine writes in the name of `actor`: requests are made and decided by rule, not by hand."""
    return company.door(replace(actor, system=True, admin=True))


def _write(company: Company, actor: Actor, roles: ApprovalRoles, id: int, values: Mapping[str, Any]) -> None:
    _engine(company, actor).change(roles.entity, id, values)
