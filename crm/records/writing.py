"""The writing half of the door: every change of a record, whoever makes it, goes through `_save`.

There a record is cleaned, completed and judged as a whole: unknown and forbidden fields, values that do not fit, what is
required, unique, checked, linked; gates of its stage; the user's rights before and after. All problems come back at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from tinydb.queries import where

from crm.errors import Conflict, Denied, GateError, Missing, RecordError, Refused
from crm.fields import FIELD_TYPES
from crm.fields.lines import Lines
from crm.records import agenda, approvals, assignment, automation, gates, lines, repeating, ruled, service, trees
from crm.records.access import Sight
from crm.records.company import MOVES, Writing, stamp
from crm.records.derive import changed_keys, own_formulas, same
from crm.records.env import DocEnv, points_to, targets
from crm.records.queries import all_of
from crm.records.reading import Reading
from crm.records.record import Record
from crm.records.remember import remembered
from crm.records.shape import DELETED, Shape, heads
from crm.stores import where_id

#: System fields that may be given when history is written down (import, demo): by the system and by admins, on creation.
PAST = frozenset({"created_on", "created_by", "changed_on", "changed_by", "stage_on"})


class Draft:
    """A record on its way: the document before and as it will be, and what is wrong with it."""

    __slots__ = ("shape", "sight", "old", "doc", "doc_id", "env", "problems", "given", "missing", "stage", "moved", "ticked")

    def __init__(
        self, shape: Shape, sight: Sight, old: Mapping[str, Any] | None, doc_id: int | None, env: DocEnv, doc: dict[str, Any]
    ) -> None:
        self.shape, self.sight, self.old, self.doc, self.doc_id, self.env = shape, sight, old, doc, doc_id, env
        self.problems: dict[str, Any] = {}
        self.given: set[str] = set()
        self.missing: list[str] = []
        self.stage = ""
        self.ticked: dict[str, Any] = {}  # lines of checklists, as given
        self.moved: tuple[Any, Any, Any] | None = None  # pipeline, stage before, stage after

    def put(self, key: str, value: Any) -> None:
        if value is None:
            self.doc.pop(key, None)
        else:
            self.doc[key] = value
        self.env._found.pop(key, None)


class Writing_(Reading):
    """Create, change, move, delete, restore, bulk, drafts and problems."""

    _lenient = False
    _gates = True

    # -- steps

    @contextmanager
    def step(
        self,
        note: str = "",
        at: datetime | None = None,
        later: bool = False,
        gates: bool = True,
        lenient: bool = False,
        fires: str = automation.ALL,
    ) -> Iterator[Writing]:
        """Groups writes as one act: one durable commit, one entry to take back. `step.id` is its number.

        `at` writes the past. `later` settles rollups once at the end instead of after each write: for imports. `gates=False` lets
        records into stages whose wants they do not meet, `lenient` also without what is required (what a file from elsewhere lacks).
        All but `later` are for the system and admins. `fires` says which automations the step sets off (`crm.records.automation`): all,
        those for imports, or none.
        """
        if (at is not None or lenient or not gates) and not self.actor.admin:
            raise Denied()
        before = self._lenient, self._gates
        self._lenient, self._gates = self._lenient or lenient, self._gates and gates
        try:
            with self.company.writing(self.actor, note, at=at, later=later, fires=fires) as writing:
                yield writing
        finally:
            self._lenient, self._gates = before

    # -- create and change

    def create(self, entity: str, values: Mapping[str, Any]) -> Record:
        """A new record from typed values. Raises `RecordError` with all problems, `GateError` for a later stage, `Denied`."""
        sight = self.sight(entity)
        if not sight.may("create"):
            raise Denied("You may not add this.")
        with self.company.writing(self.actor) as writing:
            draft = self._draft(sight, None, None, values)
            assignment.give_out(self, draft)
            self._judge(draft)
            if sight.plan.scopes["create"] != "all" and not sight.allows("create", draft.doc):
                raise Denied("You may not add this.")
            return self._insert(draft, writing)

    def change(self, entity: str, id: int, values: Mapping[str, Any], expect: int | None = None) -> Record:
        """Change a record. With `expect` (the version the user saw) changes of others to other fields are kept, to the same fields
        raise `Conflict`. Nothing changed, nothing written."""
        sight = self.sight(entity)
        with self.company.writing(self.actor) as writing:
            doc = self._doc(sight, id)
            if not sight.allows("change", doc, id):
                raise Denied("You may not change this.")
            draft = self._draft(sight, doc, id, values)
            if expect is not None and expect != doc.version:
                self._meanwhile(draft, doc, expect)
            self._judge(draft)
            self._still_mine(draft)
            return self._update(draft, writing, doc)

    def move(self, entity: str, id: int, stage: str, values: Mapping[str, Any] | None = None, expect: int | None = None) -> Record:
        """Take a record to another stage, filling fields on the way. `GateError` says what the stage still wants."""
        key = self.company.entity(entity).stage_field
        if key is None:
            raise Refused("This has no stages.")
        return self.change(entity, id, {**(values or {}), key: stage}, expect)

    def bulk(self, entity: str, ids: Iterable[int], values: Mapping[str, Any]) -> int:
        """The same change to many records, all or none, as one step (its id comes back)."""
        with self.step("Changed together", later=True) as step:
            for one in ids:
                try:
                    self.change(entity, one, values)
                except RecordError as error:
                    error.add_note(f"{entity} {one}")
                    raise
        return step.id

    def draft(self, entity: str, values: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """What a form for a new record begins with: the given values, those remembered from the last one like it, and the defaults,
        as Python values of readable fields."""
        sight = self.sight(entity)
        draft = self._draft(sight, None, None, values or {})
        if known := remembered(self, entity, draft.doc, draft.given):
            draft = self._draft(sight, None, None, {**known, **(values or {})})
        return self._seen(sight, draft)

    def problems(self, entity: str, values: Mapping[str, Any], id: int | None = None) -> dict[str, str]:
        """What saving these values would say, `{field key: message}` in the user's language; empty when it would work."""
        sight = self.sight(entity)
        old = self._doc(sight, id) if id is not None else None
        draft = self._draft(sight, old, id, values)
        try:
            self._judge(draft)
        except RecordError as error:
            return error.say(self.words)
        except Denied as error:
            return {"": error.say(self.words)}
        return {}

    def computed(self, entity: str, values: Mapping[str, Any], id: int | None = None) -> dict[str, Any]:
        """The record as these values would make it, formulas and shown fields included: what a form shows while typing."""
        sight = self.sight(entity)
        old = self._doc(sight, id) if id is not None else None
        return self._seen(sight, self._draft(sight, old, id, values))

    def overruled(self, entity: str, id: int) -> dict[str, Any]:
        """`{key: what its formula gives}` of the fields of a record that say something else because somebody set them by hand."""
        return ruled.overruled(self, entity, id)

    def begins(
        self,
        entity: str,
        field: str,
        row: Mapping[str, Any],
        changed: str,
        was: Mapping[str, Any] | None = None,
        values: Mapping[str, Any] | None = None,
        id: int | None = None,
    ) -> dict[str, Any]:
        """What cells of one line of a table begin with once its column `changed` has another value, `{column: value or None}`: of those that
        go by it (by nothing, when the line is new) the empty ones and those that hold what the line began with as it `was`. What somebody
        typed is not among them. `row` is the line as it
        is being typed, `values` the record around it (on top of the one with this `id`)."""
        sight = self.sight(entity)
        one = sight.entity.fields.get(field)
        if field not in sight.plan.readable or not isinstance(one, Lines):
            raise Missing()
        old = self._doc(sight, id) if id is not None else None
        around = {key: value for key, value in (values or {}).items() if key != field and key in sight.plan.readable}
        return lines.anew(self, self._draft(sight, old, id, around).env, one, row, was or {}, changed)

    def shows(self, entity: str, values: Mapping[str, Any] | None = None, id: int | None = None) -> frozenset[str]:
        """The readable fields that a record with these values shows (`show:` and its kind)."""
        sight = self.sight(entity)
        old = self._doc(sight, id) if id is not None else None
        draft = self._draft(sight, old, id, values or {})
        mine = set(sight.entity.fields_of(draft.doc))
        return frozenset(
            key
            for key in sight.plan.readable & mine
            if sight.entity.fields[key].show is None or sight.entity.fields[key].show.holds(draft.env)
        )

    def wants(self, entity: str, id: int, stage: str, values: Mapping[str, Any] | None = None) -> list[str]:
        """The field keys a stage still wants of a record, those this user may read; empty when it may enter."""
        return self.gate(entity, id, stage, values)[0]

    def gate(self, entity: str, id: int, stage: str, values: Mapping[str, Any] | None = None) -> tuple[list[str], dict[str, str]]:
        """The same with a word for each, `{key: message}` in the user's language: see `crm.records.gates` for what the keys are."""
        sight = self.sight(entity)
        doc = self._doc(sight, id)
        draft = self._draft(sight, doc, id, {**(values or {}), str(sight.entity.stage_field): stage})
        missing, problems = gates.told(self.company, self, draft)
        return missing, {key: problem.say(self.words) for key, problem in problems.items()}

    def tick(self, entity: str, id: int, line: str, on: bool = True, expect: int | None = None) -> Record:
        """Tick a line of a record's checklist by its name, or take the tick away."""
        return self.change(entity, id, {gates.TICK + line: on}, expect)

    def _seen(self, sight: Sight, draft: Draft) -> dict[str, Any]:
        fields = sight.entity.fields
        return {key: fields[key].from_json(value) for key, value in draft.doc.items() if key in sight.plan.readable and key in fields}

    # -- the way of a record

    def _draft(self, sight: Sight, old: Any, doc_id: int | None, values: Mapping[str, Any]) -> Draft:
        """Clean what was given, complete it, compute it; problems are collected, not raised."""
        company, entity = self.company, sight.entity
        shape = company.shapes[entity.name]
        doc: dict[str, Any] = dict(old) if old is not None else {}
        env = company.env(entity.name, doc_id, doc, self._actor)
        draft = Draft(shape, sight, old, doc_id, env, doc)
        words = self.words
        plan, fields, problems = sight.plan, entity.fields, draft.problems
        may = plan.settable if old is None else plan.writable
        past = PAST if self._actor.admin and old is None else frozenset()
        for key, typed in values.items():
            if key.startswith(gates.TICK):
                draft.ticked[key.removeprefix(gates.TICK)] = typed
                continue
            if key not in plan.readable:
                problems[key] = self._unknown(entity, key)
                continue
            field = fields[key]
            if key not in may and key not in past:
                if old is not None and self._same_typed(field, typed, old.get(key), words):
                    continue
                problems[key] = Refused("You may not change this.")
                continue
            draft.given.add(key)
            try:
                value = field.clean(typed, words)
                draft.put(key, None if value is None else field.to_json(value))
            except Refused as error:
                problems[key] = error
        if old is None:
            self._defaults(draft)
        if entity.stage_field:
            self._stage(draft)
        if draft.ticked:
            self._tick(draft, may)
        ruled.by_hand(draft)
        ruled.matched(company, draft)
        lines.fill(self, draft)
        own_formulas(shape, doc, env, old=old)
        ruled.agreed(draft)
        kept = service.clock(company, draft)
        if kept:
            own_formulas(shape, doc, env, kept, old)
        if self._gates and not self._lenient:
            draft.missing = [key for key in gates.missing(company, draft, self._actor) if key not in problems]
        return draft

    def _tick(self, draft: Draft, may: frozenset[str]) -> None:
        """Lines of the checklists of the record's pipeline, ticked or not: who and when is kept."""
        entity, company = draft.sight.entity, self.company
        pipeline = company.schema.pipeline_of(entity.name, draft.doc) if entity.stage_field in draft.sight.plan.readable else None
        yes = FIELD_TYPES["boolean"]("yes")
        for line, typed in draft.ticked.items():
            if pipeline is None or pipeline.todo(line) is None:
                draft.problems[gates.TICK + line] = Refused("There is no such line in the checklist.")
            elif entity.stage_field not in may:
                draft.problems[gates.TICK + line] = Refused("You may not change this.")
            else:
                try:
                    on = bool(yes.clean(typed, self.words))
                except Refused as error:
                    draft.problems[gates.TICK + line] = error
                    continue
                draft.put(gates.TICKS, gates.tick(draft.doc, pipeline, line, on, self._actor.id, stamp(company.now())) or None)

    def _same_typed(self, field: Any, typed: Any, kept: Any, words: Any) -> bool:
        """Whether a form sends back unchanged what it may not change."""
        try:
            value = field.clean(typed, words)
            return same(None if value is None else field.to_json(value), kept)
        except (Refused, TypeError, ValueError):
            return False

    def _defaults(self, draft: Draft) -> None:
        entity, doc, given = draft.sight.entity, draft.doc, draft.given
        for field, kept in self.company.literals(entity.name):
            if field.key not in doc and field.key not in given:
                doc[field.key] = [*kept] if isinstance(kept, list) else dict(kept) if isinstance(kept, dict) else kept
        if entity.stage_field and entity.stage_field not in doc:
            pipeline = gates.pipeline_for(self.company, entity, doc, draft.env)
            if pipeline is not None:
                doc[entity.stage_field] = pipeline.first.key
                if entity.pipeline_field and entity.pipeline_field not in doc:
                    doc[entity.pipeline_field] = pipeline.name
        for field, expression in draft.shape.defaults:
            if field.key not in doc and field.key not in given:
                self._default(draft, field, expression)
        for key, value in self.company.nothing_yet(entity.name).items():
            doc.setdefault(key, value)

    def _default(self, draft: Draft, field: Any, expression: Any) -> None:
        try:
            value = expression.evaluate(draft.env)
            if hasattr(value, "login"):  # me
                value = value.id
            draft.put(field.key, None if value is None else field.to_json(field.clean(value, self.words)))
        except (Refused, ArithmeticError, TypeError, ValueError, AttributeError):
            pass

    def _stage(self, draft: Draft) -> None:
        """The stage of a record: that it exists, that the move is allowed; what follows it (date, probability)."""
        entity, doc, old = draft.sight.entity, draft.doc, draft.old
        key = str(entity.stage_field)
        company = self.company
        pipeline = gates.pipeline_for(company, entity, doc, draft.env)
        if pipeline is None:
            return
        if entity.pipeline_field and entity.pipeline_field not in doc:
            doc[entity.pipeline_field] = pipeline.name
        before = company.schema.pipeline_of(entity.name, old) if old is not None else None
        now, was = doc.get(key), old.get(key) if old is not None else None
        if old is not None and before is not pipeline and now not in pipeline.stages and key not in draft.given:
            now = doc[key] = pipeline.first.key  # another pipeline begins at its beginning
        if now is None:
            if old is None or was is not None:
                draft.put(key, was if was is not None else pipeline.first.key)
            return
        end = pipeline.stages.get(now)
        if end is None:
            draft.problems[key] = Refused("There is no stage {stage} in {pipeline}.", stage=now, pipeline=pipeline.label_in(self.words))
            return
        if now == was and before is pipeline:
            return
        start = pipeline.stages.get(was) if was is not None and before is pipeline else None
        if start is not None and self._gates and not self._lenient:
            gates.check_move(pipeline, start, end, self._actor, self.words)
        if old is None and pipeline.begin == "first" and end is not pipeline.first and self._gates and not self._lenient:
            draft.problems[key] = Refused("It begins in {stage}.", stage=pipeline.first.label_in(self.words))
        if old is None and end.key == pipeline.first.key:
            if "stage_on" not in draft.given:
                doc["stage_on"] = stamp(company.now())
            return
        if "stage_on" not in draft.given:
            doc["stage_on"] = stamp(company.now())
        draft.stage = end.key
        draft.moved = (pipeline, was, start if start is not None or old is None else None)
        if start is not None and not start.open:
            self._reopened(draft, pipeline, start)
        if old is not None:
            self._follow_stage(draft)

    def _reopened(self, draft: Draft, pipeline: Any, start: Any) -> None:
        """What only told of the outcome goes with it, so that the next one is asked for anew; history and timeline keep the former."""
        fields = draft.sight.entity.fields
        for key in gates.outcome_keys(pipeline, start):
            field = fields.get(key)
            if field is not None and key not in draft.given and field.show is not None and not field.show.holds(draft.env):
                draft.put(key, None)

    def _follow_stage(self, draft: Draft) -> None:
        """Values that came from the stage go with it, unless somebody has set them otherwise."""
        assert draft.old is not None
        before = self.company.env(draft.sight.entity.name, draft.doc_id, draft.old, self._actor)
        for field, expression in draft.shape.by_stage:
            if field.key in draft.given:
                continue
            kept = draft.old.get(field.key)
            try:
                value = expression.evaluate(before)
                was = None if value is None else field.to_json(field.clean(value, self.words))
            except (Refused, ArithmeticError, TypeError, ValueError):
                continue
            if kept is None or same(kept, was):
                self._default(draft, field, expression)

    # -- judging

    def _judge(self, draft: Draft) -> None:
        """Everything that may be wrong with the record as it would be; raises `RecordError` or `GateError` with all of it."""
        entity, doc, old, shape = draft.sight.entity, draft.doc, draft.old, draft.shape
        problems = draft.problems
        changed = changed_keys(old or {}, doc)
        if not self._lenient:
            for field in shape.required:
                if doc.get(field.key) in (None, "", []) and (old is None or field.key in changed) and self._asked(draft, field):
                    problems.setdefault(field.key, self._hide(draft, field.key, Refused("This is needed.")))
            for field, condition in shape.required_when:
                if doc.get(field.key) in (None, "", []) and (old is None or field.key in changed or heads(condition.uses) & changed):
                    if condition.holds(draft.env) and self._asked(draft, field):
                        problems.setdefault(field.key, self._hide(draft, field.key, Refused("This is needed.")))
            for check in entity.checks:
                if (old is None or heads(check.that.uses) & changed) and not self._holds(draft, check):
                    key = check.field if check.field in draft.sight.plan.readable else ""
                    problems.setdefault(key or "", Refused(self._say_check(check)))
        for field in shape.unique:
            if field.key in changed and doc.get(field.key) is not None:
                if self._has_twin(draft, field):
                    problems.setdefault(field.key, Refused("This is already used."))
        self._links(draft, changed)
        self._rights_in_people(draft, changed)
        assignment.judge(self, draft, changed)
        self._raise(draft)

    def _raise(self, draft: Draft) -> None:
        plan = draft.sight.plan
        problems: dict[str, Any] = {}
        for key, problem in draft.problems.items():
            if key and key not in plan.readable and key not in draft.given and isinstance(problem, _Hidden):
                problems.setdefault("", Refused("Something that you may not see is needed here. Ask a colleague who may."))
            else:
                problems[key] = problem
        if draft.missing:
            known, told = gates.told(self.company, self, draft)
            raise GateError(known, draft.stage, {**told, **problems})
        if problems:
            raise RecordError(problems)

    def _hide(self, draft: Draft, key: str, problem: Refused) -> Refused:
        return problem if key in draft.sight.plan.readable else _Hidden()

    def _asked(self, draft: Draft, field: Any) -> bool:
        """Whether a field is there at all for this record: shown, and of its kind."""
        if field.show is not None and not field.show.holds(draft.env):
            return False
        kinds = draft.sight.entity.kinds
        return kinds is None or field.key in draft.sight.entity.fields_of(draft.doc)

    def _holds(self, draft: Draft, check: Any) -> bool:
        """Whether a check is met; one that says nothing of empty fields says nothing about a record that lacks one."""
        if check.that.holds(draft.env):
            return True
        if "None" in str(check.that):
            return False
        fields = draft.sight.entity.fields
        return any(key in fields and draft.doc.get(key) is None for key in heads(check.that.uses))

    def _say_check(self, check: Any) -> str:
        labels = getattr(self.words, "labels", None) or {}
        return str(labels.get(check.path, check.say)).replace("{", "{{").replace("}", "}}") if check.path else check.say

    def _has_twin(self, draft: Draft, field: Any) -> bool:
        """Whether another record has the same unique value. That it is so cannot be kept from anybody, but it is told in the same words
        whether they may see that record or not; to those who may, `duplicates` shows it."""
        cond = where(field.key) == draft.doc[field.key]
        if draft.doc_id is not None:
            cond = all_of(cond, where_id("!=", draft.doc_id))
        return bool(self.company.count(draft.sight.entity.name, cond))

    def _links(self, draft: Draft, changed: set[str]) -> None:
        """What a link points to must be there and be something this user may see. Only what the user gave is asked about."""
        shape, doc, old = draft.shape, draft.doc, draft.old
        tree = draft.sight.entity.tree
        if tree is not None and tree.by in changed and tree.by not in draft.problems:
            found = trees.circle(self, draft.sight.entity.name, draft.doc_id, doc.get(tree.by))
            if found is not None:
                draft.problems[tree.by] = found
        for field in (*shape.links, *shape.many):
            key = field.key
            if key not in changed or key not in draft.given or key in draft.problems:
                continue
            before = set(targets(old.get(key))) if old is not None else set()
            self._linkable(draft, field, key, [one for one in targets(doc.get(key)) if one not in before])
        for field, columns in shape.lines:
            if field.key in changed and field.key in draft.given and field.key not in draft.problems:
                kept = [row.get(column) for row in (old or {}).get(field.key) or () for column in columns]
                for column, inner in columns.items():
                    wanted = [row[column] for row in doc.get(field.key) or () if row.get(column) is not None and row[column] not in kept]
                    self._linkable(draft, inner, field.key, wanted)

    def _linkable(self, draft: Draft, field: Any, key: str, wanted: Sequence[int]) -> None:
        if not wanted or not field.to:
            return
        sight = self.sight(field.to)
        people = self.company.schema.users
        for target in wanted:
            if people is not None and field.to == people.entity and target == self._actor.id and field.chosen is None:
                continue
            other = self.company.doc(field.to, target)
            if other is None or not sight.sees(other, target):
                draft.problems[key] = Refused("There is no such {what}.", what=sight.entity.label_in(self.words))
                return
            if field.chosen is not None and not field.chosen.holds(self.company.env(field.to, target, other, self._actor)):
                draft.problems[key] = Refused("{title} may not be chosen here.", title=self.title_of(field.to, target, other))
                return

    def _rights_in_people(self, draft: Draft, changed: set[str]) -> None:
        """Nobody makes themselves (or others) an admin: an admin role is given by admins only."""
        users = self.company.schema.users
        if users is None or draft.sight.entity.name != users.entity or users.role not in changed or self._actor.admin:
            return
        roles = self.company.schema.roles
        for name in (draft.doc.get(users.role), (draft.old or {}).get(users.role)):
            if name in roles and roles[name].admin:
                draft.problems[users.role] = Refused("Only administrators may change this.")

    def _still_mine(self, draft: Draft) -> None:
        """Rights are asked of the record as it becomes, too; giving it away is allowed to whoever may change it."""
        sight, old = draft.sight, draft.old
        assert old is not None
        if sight.allows("change", draft.doc, draft.doc_id):
            return
        owner = sight.entity.owner
        if owner and not same(old.get(owner), draft.doc.get(owner)):
            kept = dict(draft.doc)
            if old.get(owner) is None:
                kept.pop(owner, None)
            else:
                kept[owner] = old[owner]
            if sight.allows("change", kept, draft.doc_id):
                return
        raise Denied("You may not change it in this way.")

    # -- writing it down

    def _insert(self, draft: Draft, writing: Writing) -> Record:
        company, entity, doc = self.company, draft.sight.entity, draft.doc
        table = company.table(entity.name)
        now = stamp(company.now())
        doc.setdefault("created_on", now)
        if self._actor.id is not None:
            doc.setdefault("created_by", self._actor.id)
        doc.setdefault("changed_on", doc["created_on"])
        if "created_by" in doc:
            doc.setdefault("changed_by", doc["created_by"])
        for field in draft.shape.numbers:
            doc[field.key] = self._number(entity.name, field, doc.get(field.key))
        own_formulas(draft.shape, doc, draft.env)
        doc_id = table.insert(doc)
        draft.doc_id = doc_id
        if any("id" in uses for _, _, uses in draft.shape.formulas):
            env = company.env(entity.name, doc_id, doc, self._actor)
            touched = own_formulas(draft.shape, doc, env)
            if touched:
                table.update_derived(doc_id, {key: doc.get(key) for key in touched})
        company.wrote(entity.name)
        writing.settling.changed(entity.name, doc_id, None, doc)
        if not (writing.settling.later or self._lenient):
            agenda.planned(self, entity.name, doc)
        return Record(self, entity.name, doc, doc_id, 1)

    def _update(self, draft: Draft, writing: Writing, old: Any) -> Record:
        company, entity, doc = self.company, draft.sight.entity, draft.doc
        doc_id = draft.doc_id
        assert doc_id is not None
        changed = changed_keys(old, doc)
        if not changed:
            return Record(self, entity.name, old, doc_id, old.version)
        doc["changed_on"] = stamp(company.now())
        if self._actor.id is not None:
            doc["changed_by"] = self._actor.id
        else:
            doc.pop("changed_by", None)
        table = company.table(entity.name)
        changed |= {"changed_on", "changed_by"}
        table.update({key: doc.get(key) for key in changed}, doc_ids=[doc_id], expect_version=old.version)
        if draft.moved is not None:
            self._note_move(draft, old)
        company.wrote(entity.name)
        writing.settling.changed(entity.name, doc_id, old, doc)
        approvals.changed(company, self._actor, entity, doc_id, old, doc)
        repeating.after_done(self, entity.name, doc_id, old, doc)
        if writing.live:
            agenda.followed(self, entity.name, old, doc)
        if draft.shape.rollups and writing.settling.later is False:
            fresh = table.get(doc_id=doc_id)
            return Record(self, entity.name, fresh, doc_id, fresh.version)
        return Record(self, entity.name, doc, doc_id, old.version + 1)

    def _note_move(self, draft: Draft, old: Mapping[str, Any]) -> None:
        """Keep the change of stage where timelines and process figures find it."""
        assert draft.moved is not None
        pipeline, was, _ = draft.moved
        row = {
            "entity": draft.sight.entity.name,
            "record": draft.doc_id,
            "pipeline": pipeline.name,
            "to": draft.stage,
            "on": draft.doc["stage_on"],
        }
        if was is not None:
            row["from"] = was
        if self._actor.id is not None:
            row["who"] = self._actor.id
        kept = draft.sight.entity.fields
        outcome = gates.outcome_keys(pipeline, pipeline.stages[draft.stage])
        if said := {key: draft.doc[key] for key in outcome if key in kept and draft.doc.get(key) is not None}:
            row["said"] = said
        if old.get("stage_on"):
            spent = _moment(row["on"]) - _moment(old["stage_on"])
            row["days"] = round(spent.total_seconds() / 86400, 3)
        self.company.store.table(MOVES).insert(row)

    def _number(self, entity: str, field: Any, given: Any = None) -> Any:
        """The next number of an autonumber field; sequences live in the store and never go back. A number brought along moves them on."""
        today = self.company.today()
        key = f"number.{entity}.{field.key}.{field.period(today)}"
        meta = self.company.store.meta
        last = int(meta.get(key, field.start - 1) or 0)
        if given is not None:
            n = field.count(given, today)
            if n is not None and n > last:
                meta.set(key, n)
            return given
        meta.set(key, last + 1)
        return field.number(last + 1, today)

    def _meanwhile(self, draft: Draft, doc: Any, expect: int) -> None:
        """Somebody wrote since the user looked: keep both where the fields differ, `Conflict` where they are the same."""
        theirs: dict[str, Any] = {}
        since: dict[str, Any] = {}
        who: dict[str, tuple[str, str]] = {}
        entity = draft.sight.entity
        for change in self.company.table(entity.name).history(draft.doc_id):
            if change.version <= expect or change.act == "derived":
                continue
            for key, pair in change.patch.items():
                since[key] = pair[1]
                who[key] = (self.company.people.called(change.who), change.at)
        for key in draft.given:
            if key in since and not same(draft.doc.get(key), doc.get(key)):
                theirs[key] = doc.get(key)
        if theirs:
            fields = entity.fields
            yours = {key: _python(fields[key], draft.doc.get(key)) for key in theirs}
            others = {key: _python(fields[key], value) for key, value in theirs.items()}
            raise Conflict(draft.doc_id, yours, others, {key: who[key] for key in theirs})

    # -- deleting

    def delete(self, entity: str, id: int) -> int:
        """Delete a record (it can be restored); the step comes back. Refused while others need it."""
        sight = self.sight(entity)
        with self.step("Deleted") as step:
            doc = self._doc(sight, id)
            if not sight.allows("delete", doc, id):
                raise Denied("You may not delete this.")
            self._needed(entity, id)
            self._set_deleted(entity, id, doc, stamp(self.company.now()))
            return step.id

    def restore(self, entity: str, id: int) -> Record:
        """Bring a deleted record back. Rights are those of deleting."""
        sight = self.sight(entity)
        with self.step("Restored"):
            doc = self._doc(sight, id, deleted=True)
            if doc.get(DELETED) is None:
                return Record(self, entity, doc, id, doc.version)
            if not sight.allows("delete", doc, id):
                raise Denied("You may not restore this.")
            self._set_deleted(entity, id, doc, None)
        return self.get(entity, id)

    def _needed(self, entity: str, id: int) -> None:
        """Refuse to delete what living records require."""
        for other in self.company.schema.entities.values():
            for field in self.company.shapes[other.name].required:
                if getattr(field, "to", None) != entity:
                    continue
                cond = points_to(field, id)
                needing = [one for one in self.company.find(other.name, cond, limit=100) if (other.name, one.doc_id) != (entity, id)]
                if needing:
                    sight = self.sight(other.name)
                    seen = [one for one in needing if sight.sees(one, one.doc_id)]
                    if seen and field.key in sight.plan.readable:
                        title = self.title_of(other.name, seen[0].doc_id, seen[0])
                        raise Refused(
                            "Needed by {n} in {what}, {title} among them. Delete or change those first.",
                            n=len(seen),
                            what=other.plural_in(self.words),
                            title=title,
                        )
                    raise Refused("Others need this, so it cannot be deleted.")

    def _set_deleted(self, entity: str, id: int, doc: Any, when: str | None) -> None:
        company = self.company
        table = company.table(entity)
        now = stamp(company.now())
        new = dict(doc)
        new.pop(DELETED, None)
        if when is not None:
            new[DELETED] = when
        new["changed_on"] = now
        patch: dict[str, Any] = {DELETED: when, "changed_on": now}
        if self._actor.id is not None:
            patch["changed_by"] = new["changed_by"] = self._actor.id
        if when is None:
            shape = company.shapes[entity]
            for field in shape.unique:
                if doc.get(field.key) is not None:
                    cond = all_of(where(field.key) == doc[field.key], where_id("!=", id))
                    if company.count(entity, cond):
                        raise RecordError({field.key: Refused("This is already used.")})
            if full := assignment.room(company, entity, id, None, new):
                raise RecordError(full)
        table.update(patch, doc_ids=[id], expect_version=doc.version)
        company.wrote(entity)
        settling = company.step.settling if company.step else None
        if settling is not None:
            settling.changed(entity, id, doc, new)
            if when is None:
                settling.again(entity, id)
            elif company.step is not None and company.step.live:
                agenda.followed(self, entity, doc, new)


class _Hidden(Refused):
    """A problem with a field the user may not see: only that there is one is said."""

    def __init__(self) -> None:
        super().__init__("Something that you may not see is needed here. Ask a colleague who may.")


def _python(field: Any, kept: Any) -> Any:
    return None if kept is None else field.from_json(kept)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


__all__ = ["Missing", "Writing_"]
