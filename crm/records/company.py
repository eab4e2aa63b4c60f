"""A company at work: one configuration over one store, and the doors its people go through.

    company = Company(load("config/sales"), open_store("var/crm.db"))
    door = company.door(company.actor("anna"))
    door.create("account", {"name": "Nowak Ltd"})

At start the store is told everything the configuration implies: columns, indexes, full text, which field marks deleted records.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

from tinydb.queries import QueryInstance, where

from crm.errors import Denied, Fault, Missing, Refused
from crm.records import automation, feeds, notices, outbox, saved
from crm.records.access import Plans
from crm.records.actor import SYSTEM, Actor, People
from crm.records.derive import AGAIN, Settling, compute
from crm.records.env import DocEnv, points_to
from crm.records.queries import all_of
from crm.records.scoring import Scoring
from crm.records.shape import DELETED, LINKS_ONE, Rollup, Shape, shapes
from crm.schema.model import Entity, Schema, Source

log = logging.getLogger(__name__)

#: The store's table of stage changes: one row per move, made in the step of the move.
MOVES = "_moves"
#: The store's kinds that indexes are made of.
SCALARS = frozenset("text number integer money percent date datetime duration boolean choice link".split())
#: Expressions kept parsed, per configuration.
PARSED = 2000


def stamp(moment: datetime) -> str:
    """A moment as it is stored: UTC, milliseconds, a Z."""
    moment = moment.astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


class Company:
    """One configuration over one store. `schema` may be exchanged while people work (`reload`). `still`: only to be read, so the store is
    told nothing and nothing is computed anew."""

    def __init__(self, schema: Schema, store: Any, still: bool = False) -> None:
        self.store = store
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self._lock = threading.RLock()
        self._local = threading.local()
        self.people = People(self)
        self.scoring = Scoring(self)
        self.generation = 0
        self._take(schema)
        if not still:
            self.declare()
            self._catch_up()

    # -- configuration

    # what follows from the configuration, exchanged with it (`_take`)
    schema: Schema
    shapes: dict[str, Shape]
    automations: automation.Book
    plans: Plans
    generation: int
    parsed: OrderedDict[Any, Any]
    _words: dict[str, Any]
    _live: Any
    _zone: Any
    _standing: dict[str, tuple[int, list[tuple[int, Any]]]]
    matched: dict[tuple[str, ...], tuple[int, list[int]]]  # ids of texts that very many match, see `reading`
    _literals: dict[str, list[tuple[Any, Any]]]
    _nothing: dict[str, dict[str, Any]]
    _fulltext: dict[str, dict[str, list[str]]]

    def _take(self, schema: Schema) -> None:
        for entity in schema.entities.values():
            for one in entity.fields.values():
                one.bind(schema)
        # all at once: whoever works in another thread meanwhile sees the whole of the old or the whole of the new
        self.__dict__.update(
            shapes=shapes(schema),
            schema=schema,
            automations=automation.Book(schema),
            plans=Plans(self),
            _words={},
            parsed=OrderedDict(),
            _live=~where(DELETED).exists(),
            _zone=None,
            _standing={},
            matched={},
            _literals={},
            _nothing={},
            _fulltext={},
            generation=self.generation + 1,
        )
        self.people.stale()
        self.scoring.forget()

    def words(self, language: str | None = None) -> Any:
        """The translator of a language, kept."""
        key = language or self.schema.language
        if key not in self._words:
            self._words[key] = self.schema.words(key)
        return self._words[key]

    def reload(self, schema: Schema) -> None:
        """Take up a changed configuration. Open sessions see it with their next act.

        Raises `Refused` when records would lose their stage: stages that records are in must be kept, or the records moved first.
        """
        with self._lock:
            lost = self.orphans(schema)
            if lost:
                raise Refused(
                    "{n} records are in stages that the new configuration does not have ({stages}). Move them first, or keep the stages.",
                    n=sum(lost.values()),
                    stages=", ".join(f"{pipeline}.{stage}: {count}" for (pipeline, stage), count in sorted(lost.items())),
                )
            before = self.schema
            self._take(schema)
            try:
                self.declare()
                self._catch_up()
            except BaseException:
                self._take(before)
                self.declare()
                raise

    def orphans(self, schema: Schema) -> dict[tuple[str, str], int]:
        """`{(pipeline, stage): records}` that a configuration would leave without a stage; with the one in use, those that have none now."""
        lost: dict[tuple[str, str], int] = {}
        for name, entity in self.schema.entities.items():
            new = schema.entities.get(name)
            if not entity.stage_field or new is None or not new.stage_field or not entity.pipelines:
                continue
            by = [entity.stage_field] + ([entity.pipeline_field] if entity.pipeline_field else [])
            for row in self.table(name).aggregate(by, {"n": ("count", "")}, self._live):
                stage, pipeline = row[entity.stage_field], row.get(entity.pipeline_field or "") or entity.pipelines[0]
                kept = schema.pipelines.get(pipeline)
                if stage is not None and (kept is None or kept.entity != name or stage not in kept.stages):
                    lost[pipeline, stage] = lost.get((pipeline, stage), 0) + row["n"]
        return lost

    def stranded(self, schema: Schema) -> list[Fault]:
        """The same as faults of the file that says the stages."""
        found = []
        for (name, stage), n in sorted(self.orphans(schema).items()):
            pipeline = schema.pipelines.get(name)
            at = pipeline.source if pipeline is not None else Source(str(schema.folder / "crm.yaml"))
            some = "1 record is" if n == 1 else f"{n} records are"
            message = f"{some} in the stage '{stage}' of '{name}', which this configuration does not have."
            found.append(Fault("data", at.file, at.line, at.column, message, "Keep the stage, or move these records to another one first."))
        return found

    def declare(self) -> None:
        """Tell the store what will be asked: columns, indexes, full text by who may read it."""
        for name, entity in self.schema.entities.items():
            fields = {key: self.column(one) for key, one in entity.fields.items() if key != "id"}
            shape = self.shapes[name]
            sparse = [one.key for one in (*shape.links, *shape.unique) if one.key != entity.owner]
            self.table(name).declare(
                fields=fields, indexes=self.indexes(entity), fulltext=self.fulltext_paths(entity), live=DELETED, sparse=sparse
            )
        self.store.table(MOVES).declare(
            fields={
                "entity": "text",
                "record": "link",
                "pipeline": "choice",
                "from": "choice",
                "to": "choice",
                "on": "datetime",
                "who": "link",
                "days": "number",
                DELETED: "datetime",
            },
            indexes=[["entity", "record", "on"]],  # no other: the planner would take an index by time for the newest of few
            live=DELETED,
        )
        outbox.declare(self)
        automation.declare(self)
        notices.declare(self)
        feeds.declare(self)
        saved.declare(self)

    @staticmethod
    def column(field: Any) -> str:
        """The store's kind of a field: long texts stay in the document, lists of links are indexed by the ids in them."""
        if field.name in ("long_text", "markdown"):
            return "longtext"
        return "links" if field.name == "links" else str(field.kind)

    def indexes(self, entity: Entity) -> list[list[str]]:
        """The indexes a configuration implies: whose, links, stages, list orders, pipeline roles, timelines, reports."""
        found: list[list[str]] = []
        plain = {
            key
            for key, one in entity.fields.items()
            if one.kind not in ("links", "lines", "list", "address", "file", "longtext") and key != "id"
        }

        def want(*keys: str | None) -> None:
            path = [key for key in keys if key]
            if path and all(key in plain for key in path) and len(set(path)) == len(path) and path not in found:
                found.append(path)

        owner = entity.owner
        want("created_on")
        shape = self.shapes[entity.name]
        for one in shape.links:
            if not one.system or not owner:
                want(one.key)
        for key, one in entity.fields.items():
            if one.unique or getattr(one, "index", False) or one.spec.get("index") in (True, "true"):
                want(key)
        for name in entity.pipelines:
            roles = self.schema.pipelines[name].fields
            stage, amount, close, following = entity.stage_field, roles.get("amount"), roles.get("close"), roles.get("next")
            want(stage, amount)
            want(owner, stage, amount)  # narrow: what the sums of a team by stage read all of
            want(*dict.fromkeys([owner, stage, close, amount, entity.pipeline_field, *self.filtered(entity)]))
            want(close)
            want(owner, following)
        if entity.next is not None:
            want(owner, entity.next.on)
        for view in [entity.list, *(kind.list for kind in (entity.kinds.of.values() if entity.kinds else ()) if kind.list)]:
            if view and view.sort:
                want(view.sort[0].lstrip("-"))
                if owner:
                    want(owner, view.sort[0].lstrip("-"))
        if owner:
            want(owner)
        if entity.timeline:
            for one in shape.links:
                if one.name == "link":
                    want(one.key, entity.timeline.on)
        for paths in entity.indexes:
            want(*paths)
        for one, trigger in self.automations.timed:
            if one.entity == entity.name:
                want(trigger.field)
        for given in self.schema.assignments.values():  # the pool, and what each person holds
            if given.entity == entity.name:
                asked = {path.split(".")[0] for one in (given.pool, given.counts) if one is not None for path in one.uses}
                want(given.owner, *sorted(asked - {given.owner}))
        figures = [key for key in self.reported(entity) if key in plain]
        if len(figures) > 1:
            want(*figures)
        return [path for path in found if not any(path != other and other[: len(path)] == path for other in found)]

    @staticmethod
    def filtered(entity: Entity) -> list[str]:
        """The fields that the filters of an entity's list ask for: every tab counts its records, from one index alone."""
        asked = [path for one in entity.list.filters.values() if one.where is not None for path in sorted(one.where.uses)]
        return list(dict.fromkeys(path for path in asked if "." not in path))

    def reported(self, entity: Entity) -> list[str]:
        """The fields that reports over an entity ask for, in one index that answers all of them alone: what they are limited by comes
        first (stage, the day of their period, whose), then what they are cut by and add up. An index a report would slow every write."""
        reports = [one for one in self.schema.reports.values() if one.entity == entity.name]
        if not reports:
            return []
        first = [entity.stage_field, *(one.period for one in reports), entity.owner]
        asked = [axis.field for one in reports for axis in one.by]
        for one in reports:
            asked += [measure.field for measure in one.measures.values() if measure.field]
            for condition in (one.where, *(measure.where for measure in one.measures.values())):
                asked += sorted(condition.uses) if condition is not None else []
        return list(dict.fromkeys(key.split(".")[0] for key in [*first, *asked] if key))

    def fulltext(self, entity: Entity) -> dict[str, list[str]]:
        """Full text by group: "" holds what no role is refused, each other field has a group of its own name."""
        groups: dict[str, list[str]] = {"": []}
        for key in entity.searchable:
            if any(self.plans.hidden(role, entity.name, key) for role in self.schema.roles):
                groups[key] = [key]
            else:
                groups[""].append(key)
        return {name: keys for name, keys in groups.items() if keys}

    def fulltext_paths(self, entity: Entity) -> dict[str, list[str]]:
        """The same groups with the document paths the store reads (`address.city`)."""
        return {
            name: [path for key in keys for path in entity.fields[key].search_paths] for name, keys in self.fulltext_of(entity.name).items()
        }

    def fulltext_of(self, entity: str) -> dict[str, list[str]]:
        """The full-text groups of an entity, kept."""
        found = self._fulltext.get(entity)
        if found is None:
            found = self._fulltext[entity] = self.fulltext(self.schema.entities[entity])
        return found

    def literals(self, entity: str) -> list[tuple[Any, Any]]:
        """The defaults that are plain values: (field, stored form), cleaned once."""
        found = self._literals.get(entity)
        if found is None:
            found = []
            for field, typed in self.shapes[entity].literals:
                try:
                    value = field.clean(typed)
                    if value is not None:
                        found.append((field, field.to_json(value)))
                except Refused as error:
                    log.warning("%s.%s: the default %r is refused: %s", entity, field.key, typed, error)
            self._literals[entity] = found
        return found

    def nothing_yet(self, entity: str) -> dict[str, Any]:
        """The rollups of a record that nothing links to yet: counts and sums of nothing."""
        found = self._nothing.get(entity)
        if found is None:
            env = self.env(entity, None, {})
            found = {}
            for rollup in self.shapes[entity].rollups:
                value = compute(rollup.field, rollup.field.rollup, env)
                if value is not None:
                    found[rollup.field.key] = value
            self._nothing[entity] = found
        return found

    def _catch_up(self) -> None:
        """Compute formulas and rollups that are new or read otherwise than when this store was last open."""
        kept = self.store.meta.get("computed", {}) or {}
        now: dict[str, str] = {}
        todo: dict[str, set[str]] = {}
        for name, entity in self.schema.entities.items():
            for key, one in entity.fields.items():
                expression = one.formula if one.formula is not None else one.rollup
                if expression is None:
                    continue
                path, text = f"{name}.{key}", str(one.spec.get("formula") or one.spec.get("rollup") or expression)
                now[path] = text
                if kept.get(path) != text:
                    todo.setdefault(name, set()).add(key)
        if now == kept:
            return
        todo = {name: keys for name, keys in todo.items() if self.table(name).count(None)}
        if todo:
            with self.writing(SYSTEM, "Computed fields"):
                for name, keys in todo.items():
                    self.recompute(name, keys)
        self.store.meta.set("computed", now)

    def recompute(self, entity: str, keys: Iterable[str] | None = None) -> int:
        """Compute formulas and rollups of all records anew (all of them, or some); how many records changed."""
        wanted = (
            set(keys)
            if keys is not None
            else {k for k, one in self.schema.entities[entity].fields.items() if one.formula is not None or one.rollup is not None}
        )
        wanted = {key for key in wanted if not self.schema.entities[entity].fields[key].follows}  # what is there may have been typed
        with self.writing(SYSTEM, "Computed fields"):
            settling = Settling(self)
            return sum(settling.settle(entity, one, dict.fromkeys(wanted, AGAIN), 0) for one in self.table(entity).ids(self._live))

    def turn_day(self) -> int:
        """Compute anew what depends on the day, so that filters and sorts see today's values; for the worker, once a day."""
        return sum(self.recompute(name, shape.daily) for name, shape in self.shapes.items() if shape.daily)

    # -- people

    def actor(self, who: str | int) -> Actor:
        """The actor of a login or user id. Raises `Missing` for nobody, `Denied` for somebody who is no longer active."""
        found = self.people.actor(who)
        if not found.active:
            raise Denied("This account is switched off.")
        return found

    def door(self, actor: Actor | str | int) -> Any:
        """Everything one user may do."""
        from crm.records.door import Door

        return Door(self, actor if isinstance(actor, Actor) else self.actor(actor))

    def wrote(self, entity: str) -> None:
        """Called after a write: people and teams are read again when they were written."""
        schema = self.schema
        self._standing.pop(entity, None)
        if (schema.users and schema.users.entity == entity) or (schema.teams and schema.teams.entity == entity):
            self.people.stale()

    def standing(self, entity: str) -> list[tuple[int, Any]]:
        """All living (id, document) of an entity of few records, kept until somebody writes: what links find their record among."""
        sequence = self.store.sequence
        kept = self._standing.get(entity)
        if kept is None or kept[0] != sequence:
            kept = self._standing[entity] = (sequence, [(doc.doc_id, doc) for doc in self.find(entity)])
        return kept[1]

    # -- documents, without asking whose

    def table(self, entity: str) -> Any:
        """The store's table of an entity."""
        return self.store.table(entity)

    def link_field(self, path: str) -> Any:
        """The link field with this path (`entities.order.fields.buyer`, `….lines.columns.product`), None for none."""
        parts = path.split(".")
        entity = self.schema.entities.get(parts[1]) if len(parts) >= 4 else None
        field = entity.fields.get(parts[3]) if entity is not None else None
        if len(parts) == 6 and field is not None:
            field = getattr(field, "columns", {}).get(parts[5])
        return field if getattr(field, "to", None) else None

    def entity(self, name: str) -> Entity:
        """An entity by name; `Missing` for an unknown one."""
        found = self.schema.entities.get(name)
        if found is None:
            raise Missing("There is nothing called {name}.", name=name)
        return found

    def doc(self, entity: str, doc_id: Any) -> Any:
        """A living document, or None."""
        if not isinstance(doc_id, int) or isinstance(doc_id, bool):
            return None
        doc = self.table(entity).get(doc_id=doc_id)
        return doc if doc is not None and doc.get(DELETED) is None else None

    def find(self, entity: str, cond: QueryInstance | None = None, **more: Any) -> list[Any]:
        """Living documents."""
        return self.table(entity).find(all_of(self._live, cond), **more)

    def ids(self, entity: str, cond: QueryInstance | None = None) -> list[int]:
        return self.table(entity).ids(all_of(self._live, cond))

    def count(self, entity: str, cond: QueryInstance | None = None) -> int:
        return int(self.table(entity).count(all_of(self._live, cond)))

    def raw(self, entity: str, paths: Sequence[str], cond: QueryInstance | None = None) -> list[tuple[Any, ...]]:
        """Stored values of some paths of living documents."""
        return self.table(entity).values(paths, all_of(self._live, cond))

    def links_here(self, entity: str, key: str, target: int) -> QueryInstance | None:
        """The living records of `entity` whose link field `key` points to `target`."""
        return all_of(self._live, points_to(self.schema.entities[entity].fields[key], target))

    @property
    def live(self) -> QueryInstance:
        """The query for records that are not deleted."""
        return self._live

    # -- expressions

    def now(self) -> datetime:
        """This moment in the company's time zone, or the moment the current step is set at."""
        at = getattr(self._local, "at", None)
        return (at if at is not None else self.clock()).astimezone(self.zone)

    def today(self) -> date:
        """The company's calendar day."""
        return self.now().date()

    @property
    def zone(self) -> Any:
        """The company's time zone."""
        if self._zone is None:
            self._zone = getattr(self.words(), "tz", UTC)
        return self._zone

    def moment(self, field: Any) -> Any:
        """Now, as a value of this field: a day for a date, else a moment."""
        return self.today() if field.kind == "date" else self.now()

    def env(self, entity: str, doc_id: int | None, doc: Mapping[str, Any], me: Actor | None = None) -> DocEnv:
        """A record for an expression."""
        now = self.now()
        return DocEnv(self, entity, doc_id, doc, me or self.acting, now.date(), now)

    @property
    def acting(self) -> Actor:
        """Who writes on this thread."""
        return getattr(self._local, "actor", SYSTEM)

    def expression_query(self, expression: Any, me: Actor, when: tuple[date, datetime] | None = None) -> QueryInstance:
        """An expression of the configuration as a store query."""
        today, now = when or (self.today(), self.now())
        return expression.query(today=today, now=now, me=me, tables=self.table)

    def exclusive(self, rollup: Rollup) -> bool:
        """Whether a rollup's condition depends on the day, so that stepping it would go wrong."""
        return rollup.where is not None and bool(rollup.where.constants)

    # -- writing

    @contextmanager
    def writing(
        self, actor: Actor, note: str = "", at: datetime | None = None, later: bool = False, fires: str = automation.ALL
    ) -> Iterator[Writing]:
        """One step: everything written inside is one durable commit. Inside another one it joins that; with its own time, or for
        somebody else, it is a step of its own in the same commit. `fires` says which automations it sets off; the past (`at`) none."""
        local = self._local
        outer: Writing | None = getattr(local, "writing", None)
        if outer is not None and at is None and outer.actor.login == actor.login:
            watched, live = outer.settling.watch, outer.live
            if fires != automation.ALL:
                outer.settling.watch, outer.live = None, False
            try:
                with self.store.transaction():
                    yield outer
            finally:
                outer.settling.watch, outer.live = watched, live
            return
        before = (outer, getattr(local, "at", None), getattr(local, "actor", SYSTEM))
        try:
            local.actor = actor
            local.at = at if at is not None else before[1] if outer is not None else self.clock()
            told = stamp(local.at) if at is not None or outer is not None else None
            with self.store.transaction(actor=actor.login, at=told, note=note, separate=outer is not None) as step:
                settling = outer.settling if outer is not None and outer.settling.later else Settling(self, later=later)
                live = at is None and fires == automation.ALL and (outer is None or outer.live)
                local.writing = writing = Writing(actor, step, settling, live)
                own = outer is None or settling is not outer.settling
                if own and at is None and (outer is None or outer.settling.watch is not None):
                    settling.watch = automation.watch(self, fires)
                yield writing
                if own:
                    settling.flush()
                    automation.settle(self, writing)
        finally:
            local.writing, local.at, local.actor = before

    @property
    def step(self) -> Writing | None:
        """The step being written on this thread."""
        return getattr(self._local, "writing", None)


class Writing:
    """A step being written: `id` of the step, its consequences; `live` when it is somebody's act of now, neither import nor the past."""

    __slots__ = ("actor", "_step", "settling", "live")

    def __init__(self, actor: Actor, step: Any, settling: Settling, live: bool = True) -> None:
        self.actor, self._step, self.settling, self.live = actor, step, settling, live

    @property
    def id(self) -> int:
        """The number of the step; 0 for one that has ended and wrote nothing."""
        try:
            return int(self._step.id)
        except RuntimeError:
            return 0


__all__ = ["LINKS_ONE", "MOVES", "Company", "Writing", "stamp"]
