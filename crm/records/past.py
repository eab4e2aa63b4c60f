"""The past of records: every change of every field, and taking steps back (H5, I8).

`undo` works on any step: a creation, a change, a deletion, many at once, an import, an earlier undo. Each field is put back
only where it still has the value the step gave it; where somebody has worked on top, their work stays and is reported.
Undoing is a step like any other and can be undone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tinydb.queries import where

from crm.errors import Denied, GateError, Missing, Refused
from crm.records import approvals, assignment, automation, gates, notices, outbox, saved
from crm.records.access import Sight
from crm.records.company import MOVES, stamp
from crm.records.derive import changed_keys, own_formulas, same
from crm.records.env import targets
from crm.records.queries import all_of
from crm.records.shape import DELETED
from crm.records.writing import Draft, Writing_
from crm.stores import where_id

#: For so long the one who made a step may take it back whatever has become of their rights, if nobody touched it since.
GRACE = timedelta(hours=1)
#: Kept by the engine beside what people write; no history of its own.
ENGINE = frozenset({"changed_on", "changed_by"})
QUIET = ENGINE | {"created_on", "created_by", DELETED}


@dataclass(frozen=True, slots=True)
class Change:
    """One field of one record, changed once: `old` and `new` are Python values. `field` is None where the record as a whole was
    created, deleted or restored (`act`). `who` is a name."""

    seq: int
    step: int
    at: datetime
    who: str
    act: str  # create, change, delete, restore, derived, migrate
    field: str | None
    label: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Clash:
    """Something that could not be taken back: the record, the field (None: the whole record) and why, in plain words."""

    entity: str
    id: int
    title: str
    field: str | None
    label: str
    why: str
    who: str = ""
    at: datetime | None = None


@dataclass
class Undone:
    """What taking a step back did: `step` is the new step, `done` how many records were put back, `conflicts` what was left; `sent` how
    many messages of the step had left the house already and cannot be called back."""

    step: int | None
    done: int
    conflicts: list[Clash] = field(default_factory=list)
    sent: int = 0


@dataclass
class _Net:
    """What a step did to one document: the value before and after, by field."""

    entity: str
    id: int
    made: bool = False
    version: int = 0  # after the step
    step: int = 0
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)


class Past(Writing_):
    """History and undo."""

    def history(self, entity: str, id: int, derived: bool = True, limit: int | None = None) -> list[Change]:
        """Every change of what this user may read of a record, newest first; computed values too unless `derived` is False."""
        sight = self.sight(entity)
        self._doc(sight, id, deleted=True)
        fields, readable, words = sight.entity.fields, sight.plan.readable, self.words
        result: list[Change] = []
        for one in reversed(self.company.table(entity).history(id)):
            if one.act == "derived" and not derived:
                continue
            who, at = self.company.people.called(one.who), _when(one.at)
            if one.act == "create":
                result.append(Change(one.seq, one.step, at, who, "create", None, "", None, None))
            if DELETED in one.patch:
                act = "restore" if one.patch[DELETED][1] is None else "delete"
                result.append(Change(one.seq, one.step, at, who, act, None, "", None, None))
            for key in fields:
                if key in one.patch and key in readable and key not in QUIET:
                    old, new = one.patch[key][:2]
                    if same(old, new):
                        continue
                    f = fields[key]
                    result.append(Change(one.seq, one.step, at, who, one.act, key, f.label_in(words), _read(f, old), _read(f, new)))
            if limit is not None and len(result) >= limit:
                return result[:limit]
        return result

    def steps(self, limit: int = 50, mine: bool = True) -> list[Any]:
        """The newest steps: this user's own, or (admins) everybody's."""
        return self.company.store.steps(limit, who=self.actor.login if mine or not self.actor.admin else None)

    # -- undo

    def undo(self, step: int) -> Undone:
        """Take a step back. What this user could not do by hand is refused as a whole (`Denied`); what others changed since stays."""
        company = self.company
        nets = self._nets(step)
        entities = [net for net in nets if net.entity in company.schema.entities]
        kept = [net for net in nets if net.entity == saved.TABLE]
        if not entities and not kept:
            raise Missing("There is nothing to take back.")
        for net in entities:
            title = approvals.relied(company, net.entity, net.id, net.before, net.after)
            if title is not None:
                raise Denied("{title} has gone on since this was granted. Take that back first.", title=title)
        grace = self._grace(step)
        result = Undone(None, 0, sent=outbox.sent(company, step))
        by_automation = automation.touched(company, step)
        with company.writing(self.actor, f"Undo of {step}", later=True, fires=automation.NONE) as writing:
            restored = [net for net in entities if not net.made and net.after.get(DELETED) is not None]
            changed = [net for net in entities if not net.made and net.after.get(DELETED) is None]
            made = [net for net in reversed(entities) if net.made]
            stages: set[tuple[str, int]] = set()
            for net in [*restored, *changed, *made]:
                if self._take_back(net, grace or (net.entity, net.id) in by_automation, result, stages):
                    result.done += 1
            for net in kept:
                result.done += saved.take_back(company, self._actor, net.id, net.made, net.before)
            for net in nets:
                if net.entity == MOVES:
                    self._undo_move(net, stages)
            notices.withdraw(company, step)
            automation.taken_back(company, step)
            result.step = writing.id if result.done else None
        return result

    def _nets(self, step: int) -> list[_Net]:
        nets: dict[tuple[str, int], _Net] = {}
        for one in self.company.store.step(step):
            if one.act == "derived":
                continue
            net = nets.setdefault((one.table, one.doc_id), _Net(one.table, one.doc_id, step=step))
            net.made = net.made or one.act == "create"
            net.version = one.version
            for key, pair in one.patch.items():
                net.before.setdefault(key, pair[0])
                net.after[key] = pair[1]
        return list(nets.values())

    def _grace(self, step: int) -> bool:
        """Whether this user made the step a moment ago."""
        found = next(iter(self.company.store.steps(1, before=step + 1)), None)
        if found is None or found.id != step:
            return False
        return found.who == self.actor.login and self.company.now() - _when(found.at) < GRACE

    def _take_back(self, net: _Net, grace: bool, result: Undone, stages: set[tuple[str, int]]) -> bool:
        company, entity = self.company, self.company.schema.entities[net.entity]
        sight = self.sight(net.entity)
        shape = company.shapes[net.entity]
        table = company.table(net.entity)
        doc = table.get(doc_id=net.id)
        if doc is None:
            return False
        computed = {key for key, one in entity.fields.items() if one.computed}
        untouched = doc.version == net.version
        seen = sight.sees(doc, net.id)
        if not seen and not (grace and untouched):
            if self._was_seen(sight, net):
                result.conflicts.append(Clash(net.entity, net.id, "", None, "", self.words("It is no longer yours to change.")))
                return False
            raise Missing("There is nothing to take back.")
        new = dict(doc)
        if net.made:
            return self._unmake(net, sight, doc, untouched and grace, computed, result)
        back: set[str] = set()
        for key, old in net.before.items():
            if key in ENGINE or key in computed:
                continue
            if same(doc.get(key), net.after[key]):
                if not same(old, net.after[key]):
                    back.add(key)
                    _set(new, key, old)
            elif not same(doc.get(key), old):
                self._clash(result, sight, net, key, doc)
        if not back:
            return False
        if not (grace and untouched):
            self._may_take_back(sight, doc, net.id, back)
        own_formulas(shape, new, company.env(net.entity, net.id, new, self._actor))
        self._fits(net, sight, doc, new, back, result)
        was_so = self._was_so(net, doc, new, computed)
        if not (grace and was_so):
            self._may_stand(sight, doc, new, net.id, was_so)
        changed = changed_keys(doc, new)
        if not changed - computed:
            return False
        if entity.stage_field in changed:
            stages.add((net.entity, net.id))
        self._put_down(net.entity, net.id, doc, new, changed)
        if DELETED in changed and company.step is not None:
            company.step.settling.again(net.entity, net.id)
        return True

    def _unmake(self, net: _Net, sight: Sight, doc: Any, free: bool, computed: set[str], result: Undone) -> bool:
        """Take back a creation: the record goes among the deleted ones, unless somebody has worked on it."""
        if doc.get(DELETED) is not None:
            return False
        touched = [
            key for key in {*doc, *net.after} if key not in ENGINE and key not in computed and not same(doc.get(key), net.after.get(key))
        ]
        if touched:
            for key in touched:
                self._clash(result, sight, net, key, doc)
            return False
        if not free and not sight.allows("delete", doc, net.id):
            raise Denied("You may not take this back.")
        try:
            self._needed(net.entity, net.id)
        except Refused as error:
            result.conflicts.append(Clash(net.entity, net.id, self.title_of(net.entity, net.id, doc), None, "", error.say(self.words)))
            return False
        self._set_deleted(net.entity, net.id, doc, stamp(self.company.now()))
        return True

    def _may_take_back(self, sight: Sight, doc: Any, doc_id: int, keys: Iterable[str]) -> None:
        """Undoing is changing: the same rights over the record and the fields."""
        keys = set(keys)
        if DELETED in keys:
            if not sight.allows("delete", doc, doc_id):
                raise Denied("You may not take this back.")
            keys.discard(DELETED)
        if not keys:
            return
        if not sight.allows("change", doc, doc_id):
            raise Denied("You may not take this back.")
        if any(key not in sight.plan.settable and key not in gates.FOLLOWS and not self.actor.admin for key in keys):
            raise Denied("You may not take this back.")

    def _was_so(self, net: _Net, doc: Any, new: Mapping[str, Any], computed: set[str]) -> bool:
        """Whether the record once was as it would be: nothing but what has been taken back came after the step."""
        was = dict(doc)
        for one in reversed(self.company.table(net.entity).history(net.id)):
            if one.step < net.step:
                break
            for key, pair in one.patch.items():
                _set(was, key, pair[0])
        return not changed_keys(was, new) - computed - ENGINE

    def _may_stand(self, sight: Sight, doc: Any, new: dict[str, Any], doc_id: int, was_so: bool) -> None:
        """Taking back is moving and changing, too: only who may reopen takes a closed one back into the open; and where the record never
        was like this, the moves allowed, what the gate wants and what needs an approval hold as for any other change."""
        company, entity = self.company, sight.entity
        draft = Draft(company.shapes[entity.name], sight, doc, doc_id, company.env(entity.name, doc_id, new, self._actor), new)
        key = entity.stage_field
        pipeline = company.schema.pipeline_of(entity.name, new)
        if key and pipeline is not None and not same(doc.get(key), new.get(key)) and new.get(key) in pipeline.stages:
            before = company.schema.stage_of(entity.name, doc) if company.schema.pipeline_of(entity.name, doc) is pipeline else None
            draft.stage, draft.moved = str(new[key]), (pipeline, doc.get(key), before)
            if before is not None and not (was_so and before.open):
                gates.check_move(pipeline, before, pipeline.stages[draft.stage], self._actor, self.words)
        if was_so:
            return
        draft.missing = gates.missing(company, draft, self._actor)
        if draft.missing:
            known, problems = gates.told(company, self, draft)
            raise GateError(known, draft.stage, problems)

    def _was_seen(self, sight: Sight, net: _Net) -> bool:
        return any(sight.allows("see", state, net.id) for state in (net.before, net.after))

    def _fits(self, net: _Net, sight: Sight, doc: Any, new: dict[str, Any], back: set[str], result: Undone) -> None:
        """What cannot be put back: a value somebody else took, a link to what is gone."""
        company = self.company
        shape = company.shapes[net.entity]

        def leave(key: str, why: str) -> None:
            _set(new, key, doc.get(key))
            result.conflicts.append(self._told(sight, net, key, why, doc))

        for one in shape.unique:
            if (one.key in back or DELETED in back) and new.get(one.key) is not None:
                if company.count(net.entity, all_of(where(one.key) == new[one.key], where_id("!=", net.id))):
                    leave(DELETED if DELETED in back else one.key, self.words("This is already used."))
        for one in (*shape.links, *shape.many):
            if one.key in back and any(company.doc(one.to, target) is None for target in targets(new.get(one.key))):
                leave(one.key, self.words("What it pointed to is no longer there."))
        for key, full in assignment.room(company, net.entity, net.id, doc if doc.get(DELETED) is None else None, new).items():
            for one in [DELETED] if DELETED in back else [key] if key in back else sorted(back):
                leave(one, full.say(self.words))

    def _clash(self, result: Undone, sight: Sight, net: _Net, key: str, doc: Any) -> None:
        result.conflicts.append(self._told(sight, net, key, self.words("Changed since."), doc))

    def _told(self, sight: Sight, net: _Net, key: str, why: str, doc: Any) -> Clash:
        known = key in sight.plan.readable and key in sight.entity.fields
        last = next((one for one in reversed(self.company.table(net.entity).history(net.id)) if key in one.patch), None)
        label = sight.entity.fields[key].label_in(self.words) if known else ""
        title = self.title_of(net.entity, net.id, doc)
        who = self.company.people.called(last.who) if last is not None else ""
        return Clash(net.entity, net.id, title, key if known else None, label, why, who, _when(last.at) if last is not None else None)

    def _put_down(self, entity: str, doc_id: int, doc: Any, new: dict[str, Any], changed: set[str]) -> None:
        company = self.company
        new["changed_on"] = stamp(company.now())
        if self._actor.id is not None:
            new["changed_by"] = self._actor.id
        company.table(entity).update({key: new.get(key) for key in changed | ENGINE}, doc_ids=[doc_id], expect_version=doc.version)
        company.wrote(entity)
        if company.step is not None:
            company.step.settling.changed(entity, doc_id, doc, new)
        approvals.changed(company, self._actor, company.schema.entities[entity], doc_id, doc, new)

    def _undo_move(self, net: _Net, stages: set[tuple[str, int]]) -> None:
        """A stage change taken back leaves the timeline, too (and comes back with the undo of the undo)."""
        table = self.company.store.table(MOVES)
        row = table.get(doc_id=net.id)
        if row is None or (row.get("entity"), row.get("record")) not in stages:
            return
        if net.made:
            table.update({DELETED: stamp(self.company.now())}, doc_ids=[net.id])
        elif DELETED in net.before:
            table.update({DELETED: net.before[DELETED]}, doc_ids=[net.id])


def _set(doc: dict[str, Any], key: str, value: Any) -> None:
    if value is None:
        doc.pop(key, None)
    else:
        doc[key] = value


def _when(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def _read(one: Any, kept: Any) -> Any:
    return None if kept is None else one.from_json(kept)


__all__ = ["Change", "Clash", "Past", "Undone"]
_ = Mapping
