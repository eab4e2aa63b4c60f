"""The reading half of the door: records, lists, counts, titles; every question goes to the store with the user's rights in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from tinydb.queries import QueryInstance

from crm.errors import Denied, Missing, Refused
from crm.records.access import Sight, nobody
from crm.records.actor import Actor
from crm.records.derive import compute, own_formulas
from crm.records.env import points_to, targets
from crm.records.queries import all_of, heads
from crm.records.record import Record
from crm.records.scope import KEPT, parse, scope_of
from crm.records.shape import DELETED, by_hand_of
from crm.records.titles import Template
from crm.schema.model import Entity, Schema
from crm.stores import where_id

if TYPE_CHECKING:
    from crm.records.company import Company

#: What a user may filter by: an expression text, a TinyDB query, or several of them, all of which must hold.
Where = Any
When = str | datetime | date | None
Records = list[Record]
Ids = list[int]
Names = list[str]
Order = list[Any]


#: How many records a search within a list looks at, the best matches first.
FOUND = 2000
#: Of a text that more match than that so many are counted and sorted; beyond them a count is a least one.
MANY = 20_000


class Base:
    """What both halves share: the company, the actor as of now, rights."""

    company: Company
    _actor: Actor

    def __init__(self, company: Company, actor: Actor) -> None:
        self.company = company
        self._actor = actor
        self._state: tuple[int, int] = (-1, -1)
        self._sights: dict[str, Sight] = {}
        self._scopes: dict[str, Any] = {}
        self._around: dict[str, Any] = {}  # what links to an entity, for timelines
        self._texts: dict[str, Names] | None = None  # the full-text groups to look through
        self.parsed: dict[tuple[str, str], Any] = {}
        self._queries: dict[int, tuple[Any, date, QueryInstance]] = {}
        self._shown: Any = None
        self._check()

    def _check(self) -> None:
        """See whether people or the configuration changed; a user who was switched off is refused everything from then on."""
        company = self.company
        company.people.refresh()
        state = (company.generation, company.people.version)
        if state == self._state:
            return
        if not self._actor.system and self._actor.id is not None:
            try:
                found = company.people.actor(self._actor.id)
            except Missing:
                raise Denied("This account no longer exists.") from None
            if not found.active:
                raise Denied("This account is switched off.")
            self._actor = found
        self._state = state
        self._sights = {}
        self._scopes = {}
        self._around = {}
        self._texts = None
        self.parsed = {}
        self._queries = {}
        self._shown = None

    @property
    def actor(self) -> Actor:
        """Who goes through this door, with role and team as they are now."""
        self._check()
        return self._actor

    @property
    def schema(self) -> Schema:
        return self.company.schema

    @property
    def words(self) -> Any:
        """The translator of this user's language."""
        return self.company.words(self._actor.language)

    def sight(self, entity: str) -> Sight:
        """This user's view of an entity. `Missing` for an unknown one."""
        self._check()
        found = self._sights.get(entity)
        if found is None:
            self.company.entity(entity)
            found = self._sights[entity] = Sight(self.company, self._actor, self.company.plans.of(self._actor, entity))
        return found

    def scope(self, entity: str) -> Any:
        """What this user may name in an expression over an entity."""
        self._check()
        found = self._scopes.get(entity)
        if found is None:
            found = self._scopes[entity] = scope_of(self, entity)
        return found

    def _t(self, error: Any) -> str:
        return error.say(self.words) if hasattr(error, "say") else str(error)


class Reading(Base):
    """Get, list, count, titles, back lists."""

    @property
    def shown(self) -> Any:
        """What `Field.display` and `Field.cell` need: words, titles this user may see, the schema."""
        if self._shown is None:
            from crm.fields.base import Shown

            self._shown = Shown(self.words, self.title, self.company.schema)
        return self._shown

    def shown_for(self, entity: str, docs: Iterable[Any], keys: Iterable[str]) -> Any:
        """The same for showing these fields of these records: all titles they need are fetched at once, not one by one."""
        from crm.fields.base import Shown

        fields = self.company.schema.entities[entity].fields
        wanted: dict[str, set[int]] = {}
        docs = [one._doc if isinstance(one, Record) else one for one in docs]
        for key in keys:
            field = fields.get(key)
            to = getattr(field, "to", None)
            if to:
                wanted.setdefault(to, set()).update(target for doc in docs for target in targets(doc.get(key)))
        known = {to: self.titles(to, ids) for to, ids in wanted.items()}

        def title(to: str, id: int) -> str | None:
            mine = known.setdefault(to, {})
            if id not in mine and id not in wanted.get(to, ()):
                found = self.title(to, id)
                if found is None:
                    return None
                mine[id] = found
            return mine.get(id)

        return Shown(self.words, title, self.company.schema)

    # -- one record

    def get(self, entity: str, id: int, as_of: When = None, deleted: bool = False) -> Record:
        """One record, now or as it was. `Missing` where there is none, or none for this user; both in the same words.

        Who may see a record today may see its past; who may not today, may not see its past either.
        """
        sight = self.sight(entity)
        doc = self._doc(sight, id, deleted, past=as_of is not None)
        if as_of is None:
            return Record(self, entity, doc, id, doc.version)
        past = self.company.table(entity).as_of(as_of).get(doc_id=id)
        if past is None or past.get(DELETED) is not None:
            raise Missing()
        return Record(self, entity, past, id, getattr(past, "version", 0), past=True)

    def _doc(self, sight: Sight, id: Any, deleted: bool = False, past: bool = False) -> Any:
        """The document of a record this user may see; `Missing` otherwise. Deleted ones are there for who may delete them, and
        with `past` for whoever could see them: they belong to the figures of past days."""
        if not isinstance(id, int) or isinstance(id, bool):
            raise Missing()
        doc = self.company.table(sight.entity.name).get(doc_id=id)
        if doc is None or not sight.sees(doc, id):
            raise Missing()
        if doc.get(DELETED) is not None and not (past or deleted and sight.allows("delete", doc, id)):
            raise Missing()
        return doc

    # -- many

    def list(
        self,
        entity: str,
        where: Where = None,
        order: Sequence[str] | str = (),
        limit: int | None = 50,
        offset: int = 0,
        find: str = "",
        as_of: When = None,
        deleted: bool = False,
    ) -> Records:
        """Records in order. `where` as in `Where`; `order` field keys or `link.field`, `-` downwards; `find` words to look for."""
        sight = self.sight(entity)
        cond = self._cond(sight, where, find, deleted, as_of)
        if cond is NOTHING:
            return []
        table = self.company.table(entity)
        docs = (table if as_of is None else table.as_of(as_of)).find(cond, order_by=self._order(sight, order), limit=limit, offset=offset)
        plan, past = sight.plan, as_of is not None
        return [Record(self, entity, doc, doc.doc_id, getattr(doc, "version", 0), past, plan) for doc in docs]

    def count(self, entity: str, where: Where = None, find: str = "", as_of: When = None, deleted: bool = False) -> int:
        """How many records `list` would give without a limit."""
        cond = self._cond(self.sight(entity), where, find, deleted, as_of)
        if cond is NOTHING:
            return 0
        table = self.company.table(entity)
        return int((table if as_of is None else table.as_of(as_of)).count(cond))

    def ids(self, entity: str, where: Where = None, find: str = "", order: Sequence[str] | str = ()) -> Ids:
        """The ids of all records `list` would give."""
        sight = self.sight(entity)
        cond = self._cond(sight, where, find)
        if cond is NOTHING:
            return []
        return self.company.table(entity).ids(cond, order_by=self._order(sight, order))

    def back(
        self, entity: str, id: int, name: str, limit: int | None = 20, offset: int = 0, order: Sequence[str] | str = ()
    ) -> tuple[Records, int]:
        """The records at the other end of a back list that this user may see, and how many there are."""
        self._doc(self.sight(entity), id)
        one = self.company.schema.entities[entity]
        if name not in one.back:
            if name in self.sight(entity).plan.readable and getattr(one.fields[name], "to", None):
                return self._linked(entity, id, name, limit, offset)
            raise Refused("There is no list called {name}.", name=name)
        child, key = one.back[name]
        sight = self.sight(child)
        if key not in sight.plan.readable:
            return [], 0
        cond = points_to(sight.entity.fields[key], id)
        order = order or sight.entity.list.sort
        order = [one for one in ([order] if isinstance(order, str) else order) if self._may_sort(sight, one)]
        records = self.list(child, cond, order, limit, offset)
        total = len(records) + offset if limit is None or (len(records) < limit and (records or not offset)) else self.count(child, cond)
        return records, total

    def _linked(self, entity: str, id: int, key: str, limit: int | None, offset: int) -> tuple[Records, int]:
        """The records a links field points to."""
        field = self.company.schema.entities[entity].fields[key]
        doc = self._doc(self.sight(entity), id)
        kept = doc.get(key) or []
        wanted = [one["id"] if isinstance(one, dict) else one for one in (kept if isinstance(kept, list) else [kept])]
        found = {record.id: record for record in self.list(field.to, where_id("in", wanted), limit=None)} if wanted else {}
        ordered = [found[one] for one in wanted if one in found]
        return ordered[offset : offset + limit if limit is not None else None], len(ordered)

    # -- titles

    def titles(self, entity: str, ids: Iterable[int]) -> dict[int, str]:
        """`{id: title}` of those this user may see; the others (and deleted ones) are absent."""
        sight = self.sight(entity)
        if not sight.may("see"):
            return {}
        wanted = [one for one in dict.fromkeys(ids) if isinstance(one, int)]
        template = self.company.shapes[entity].title
        table = self.company.table(entity)
        readable, say = sight.plan.readable, self._say(sight.entity)
        found: dict[int, str] = {}
        if len(wanted) > 1:  # one question, rights and all
            if template.plain is not None and template.plain in readable:
                rows = table.among(wanted, ("doc_id", template.plain), sight.living())
                return {one: title or self._nameless(sight, one) for one, title in rows}
            heads = list(dict.fromkeys(key.partition(".")[0] for key in template.keys if key != "id"))
            for one, *kept in table.among(wanted, ["doc_id", *heads], sight.living()):
                doc = dict(zip(heads, kept, strict=True))
                found[one] = template.fill(doc, one, readable, say) or self._nameless(sight, one)
            return found
        everything = sight.plan.scopes["see"] == "all"
        for doc in table.get_many(wanted):
            one = doc.doc_id
            if doc.get(DELETED) is None and (everything or sight.sees(doc, one)):
                found[one] = template.fill(doc, one, readable, say) or self._nameless(sight, one)
        return found

    def title(self, entity: str, id: Any) -> str | None:
        """What a record is called, None where this user may not see it."""
        return self.titles(entity, [id]).get(id) if isinstance(id, int) else None

    def title_of(self, entity: str, id: int, doc: Mapping[str, Any]) -> str:
        """The title of a document this user may see."""
        sight = self.sight(entity)
        template = self.company.shapes[entity].title
        return template.fill(doc, id, sight.plan.readable, self._say(sight.entity)) or self._nameless(sight, id)

    def subtitle_of(self, entity: str, id: int, doc: Mapping[str, Any]) -> str:
        """The second line of a document this user may see."""
        sight = self.sight(entity)
        return self.company.shapes[entity].subtitle.fill(doc, id, sight.plan.readable, self._say(sight.entity))

    def fill(self, text: str, entity: str, id: int, doc: Mapping[str, Any]) -> str:
        """A text with the fields of a record in its braces, as this user reads them; nothing where they may not."""
        sight = self.sight(entity)
        return Template(text, sight.entity).fill(doc, id, sight.plan.readable, self._say(sight.entity))

    def _nameless(self, sight: Sight, id: int) -> str:
        return f"{sight.entity.label_in(self.words)} {id}"

    def _say(self, entity: Entity) -> Any:
        def say(key: str, doc: Mapping[str, Any], id: int) -> str:
            if key == "id":
                return str(id)
            head, _, rest = key.partition(".")
            field = entity.fields.get(head)
            kept = doc.get(head)
            if field is None or kept is None:
                return ""
            if rest:
                if not getattr(field, "to", None) or not isinstance(kept, int):
                    return ""
                try:
                    value = self.get(field.to, kept)
                    return (
                        self.company.schema.entities[field.to].fields[rest].display(value[rest], self.shown)
                        if value[rest] is not None
                        else ""
                    )
                except (Missing, KeyError):
                    return ""
            return str(field.display(field.from_json(kept), self.shown))

        return say

    def live_value(self, entity: str, id: int, doc: Mapping[str, Any], field: Any) -> Any:
        """A formula that is computed when it is read; what somebody set by hand stays."""
        if field.by_hand and field.key in by_hand_of(doc):
            return field.from_json(doc[field.key]) if doc.get(field.key) is not None else None
        value = compute(field, field.formula, self._live_env(entity, id, doc))
        return None if value is None else field.from_json(value)

    def _live_env(self, entity: str, id: int, doc: Mapping[str, Any]) -> Any:
        """The record with the formulas of the day computed, each after those it reads."""
        fresh = dict(doc)
        env = self.company.env(entity, id, fresh, self._actor)
        own_formulas(self.company.shapes[entity], fresh, env)
        return env

    # -- rights, asked

    def may(self, act: str, entity: str, record: Any = None) -> bool:
        """Whether this user may do `act` (see, create, change, delete, export): to some record, or to this one (a Record or id)."""
        if entity not in self.company.schema.entities:
            return False
        sight = self.sight(entity)
        if not sight.may(act):
            return False
        if record is None or act == "create":
            return True
        doc, doc_id = self._state_of(entity, record)
        return doc is not None and sight.sees(doc, doc_id) and sight.allows(act, doc, doc_id)

    def _state_of(self, entity: str, record: Any) -> tuple[Any, int]:
        if isinstance(record, Record):
            return record._doc, record.id
        return self.company.table(entity).get(doc_id=record), record

    def readable(self, entity: str) -> frozenset[str]:
        """The keys of the fields this user may read."""
        return self.sight(entity).plan.readable

    def writable(self, entity: str, record: Any = None) -> frozenset[str]:
        """The keys this user may write: in this record, or (without one) when making a new one."""
        sight = self.sight(entity)
        if record is None:
            return sight.plan.settable if sight.may("create") or sight.may("change") else frozenset()
        return sight.plan.writable if self.may("change", entity, record) else frozenset()

    def schema_field(self, entity: str, path: str) -> Any:
        """The field at the end of a dotted path this user may read; `Refused` as unknown otherwise."""
        at = entity
        parts = path.split(".")
        for number, key in enumerate(parts):
            sight = self.sight(at)
            if key not in sight.plan.readable:
                raise self._unknown(sight.entity, key)
            field = sight.entity.fields[key]
            if number < len(parts) - 1:
                if not getattr(field, "to", None):
                    return field  # a part of an address, a stage's outcome
                at = field.to
        return field

    def _unknown(self, entity: Entity, key: str) -> Refused:
        return Refused("There is no field called {key} here.", key=key)

    # -- conditions

    def query(self, entity: str, where: Where) -> QueryInstance | None:
        """A user's filter as a store query; every field it names must be one this user may read."""
        if where is None or where == "" or where == ():
            return None
        if isinstance(where, (list, tuple)):
            return all_of(*(self.query(entity, one) for one in where))
        if isinstance(where, str):
            return self._run(parse(self, entity, where))
        if isinstance(where, QueryInstance):
            readable = self.sight(entity).plan.readable
            for head in heads(where):
                if head not in readable and head != "id":
                    raise self._unknown(self.company.schema.entities[entity], head)
            return where
        if hasattr(where, "query"):  # an expression of the configuration: a list's filter, a report's where
            for path in where.uses:
                if not self.path_open(entity, path):
                    raise self._unknown(self.company.schema.entities[entity], path)
            return self._run(where)
        raise Refused("This filter cannot be checked.")

    def _run(self, expression: Any) -> QueryInstance:
        """An expression as a query for this user; kept for the day, since people filter by the same conditions again and again."""
        today = self.company.today()
        kept = self._queries.get(id(expression))
        if kept is not None and kept[0] is expression and kept[1] == today:
            return kept[2]
        query = expression.query(today=today, now=self.company.now(), me=self._actor, tables=self.company.table, guard=self.guard)
        if "now" not in expression.constants:
            if len(self._queries) >= KEPT:
                self._queries.clear()
            self._queries[id(expression)] = (expression, today, query)
        return query

    def guard(self, entity: str) -> QueryInstance | None:
        """What of a linked entity a user's filter may look at: the records they may see, living ones."""
        sight = self.sight(entity)
        return nobody() if not sight.may("see") else all_of(self.company.live, sight.query())

    def seen(self, entity: str) -> Ids | None:
        """The ids of the records this user may see, deleted ones among them; None: all of them."""
        sight = self.sight(entity)
        if not sight.may("see"):
            return []
        mine = sight.query()
        return None if mine is None else self.company.table(entity).ids(mine)

    def path_open(self, entity: str, path: str) -> bool:
        """Whether this user may read everything along a dotted path."""
        return self._actor.system or self.company.plans.open(self._actor.role, entity, path)

    def _cond(self, sight: Sight, where: Where = None, find: str = "", deleted: bool = False, as_of: When = None) -> Any:
        """The whole condition of a read, or NOTHING."""
        if not sight.may("see"):
            # still say that a field is unknown in the same words as for everyone
            return NOTHING
        cond = self.query(sight.entity.name, where)
        if find and find.strip():
            found = self.matching(sight.entity.name, find)
            if not found:
                return NOTHING
            cond = all_of(where_id("in", found), cond)
        live = self.company.live
        if as_of is None:
            if deleted:
                return all_of(~live, sight.query(), sight.query("delete") if sight.may("delete") else nobody(), cond)
            return all_of(sight.living(), cond)
        mine = sight.query()
        if mine is not None:  # the past of what may be seen today
            cond = all_of(where_id("in", self.company.table(sight.entity.name).ids(mine)), cond)
        return all_of(live, cond)

    def _order(self, sight: Sight, order: Sequence[str] | str) -> Order:
        """An order as the store takes it; sorting by what may not be read is refused as unknown."""
        result: Order = []
        for one in [order] if isinstance(order, str) and order else order:
            path = one.lstrip("-")
            sign = "-" if one.startswith("-") else ""
            if path == "id":
                result.append(f"{sign}doc_id")
                continue
            if not self._may_sort(sight, one):
                raise self._unknown(sight.entity, path)
            head, _, rest = path.partition(".")
            to = getattr(sight.entity.fields[head], "to", None)
            if rest and to:
                other = self.sight(to)
                result.append(f"{sign}{head}" if other.plan.scopes["see"] != "all" else (sign + head, to, rest))
            else:
                result.append(one)
        return result

    def _may_sort(self, sight: Sight, one: str) -> bool:
        path = one.lstrip("-")
        head, _, rest = path.partition(".")
        if head not in sight.plan.readable:
            return head == "id"
        to = getattr(sight.entity.fields[head], "to", None)
        return not (rest and to) or rest in self.sight(to).plan.readable

    def matching(self, entity: str, text: str) -> Ids:
        """Ids of an entity's records whose readable text matches, best first; rights over records are checked by the caller."""
        groups = self._groups(self.sight(entity))
        if not groups:
            return []
        found = [hit.doc_id for hit in self.company.store.match(text, {entity: groups}, limit=FOUND)]
        return found if len(found) < FOUND else self._all_matching(entity, text, groups)

    def _all_matching(self, entity: str, text: str, groups: Names) -> Ids:
        """The same for a text that very many match, up to `MANY`: kept until somebody writes, because a page asks for it several times."""
        kept, key, sequence = self.company.matched, (entity, text, *groups), self.company.store.sequence
        if key not in kept or kept[key][0] != sequence:
            while len(kept) >= 8:
                kept.pop(next(iter(kept)), None)
            kept[key] = (sequence, [hit.doc_id for hit in self.company.store.match(text, {entity: groups}, limit=MANY)])
        return kept[key][1]

    def more_match(self, entity: str, text: str) -> bool:
        """Whether more records may match a text than `matching` gives: a count of them is then a least one."""
        return bool(text.strip()) and len(self.matching(entity, text)) >= MANY

    def _groups(self, sight: Sight) -> Names:
        """The full-text groups this user may look through."""
        if not sight.may("see"):
            return []
        return [name for name in self.company.fulltext_of(sight.entity.name) if not name or name in sight.plan.readable]


class _Nothing:
    """The condition that no record meets: nothing is asked of the store."""


NOTHING: Any = _Nothing()
WORD = re.compile(r"\w+")
