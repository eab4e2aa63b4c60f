"""Everything that happened with somebody or something, newest first, from all that links to it (A3).

Every entity with `timeline:` in its YAML gives events to whatever its records link to; stage changes are events of the record
that moved and of what it links to. Each source is one indexed query for the newest few; all of them go to the store as one question.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any, NamedTuple

from tinydb.queries import QueryInstance, where

from crm.days import day_shift
from crm.errors import Refused
from crm.fields.datetime import moment_json
from crm.records.access import Sight
from crm.records.company import MOVES
from crm.records.env import points_to, points_to_some, targets
from crm.records.past import Past
from crm.records.queries import all_of
from crm.schema.model import Entity
from crm.stores import where_id
from crm.words import folded

#: The kind of a stage change among events.
STAGE = "stage"
#: How many linked records are asked for their stage changes.
MOST = 5000
#: How many daughters are looked at, and up to how many of them each is asked by itself.
FAMILY, EACH = 500, 8


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened (or, `done` False, is planned). `key` is stable and is what `before=` takes to go on from here."""

    key: str
    entity: str
    id: int
    on: datetime
    kind: str
    icon: str
    title: str
    text: str
    result: str
    who: str
    done: bool
    label: str = ""  # the kind in the user's words
    stage: str = ""  # a stage change: where to
    about: str = ""  # with `below`: whose it is, where it is not the record's own


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events are wanted: `kinds` (None: all), words in `find`, of one user (`who`), from `since` to `until` (days of the reader)."""

    kinds: frozenset[str] | None = None
    find: str = ""
    who: int | None = None
    since: date | None = None
    until: date | None = None


class Timeline_(Past):
    """The 360° view."""

    def timeline(
        self,
        entity: str,
        id: int,
        kinds: Collection[str] | None = None,
        find: str = "",
        before: str | None = None,
        limit: int = 50,
        who: int | None = None,
        since: date | None = None,
        until: date | None = None,
        below: bool = False,
    ) -> list[Event]:
        """The newest events around a record this user may see. `kinds`, `find` (words), `who` (a user's id), `since` and `until` (days)
        filter; `before` is the key of the last one shown; `below` takes in the records that belong to this one (its daughters)."""
        self._doc(self.sight(entity), id)
        cursor = _cursor(before)
        wanted = Filter(frozenset(kinds) if kinds is not None else None, find.strip(), who, since, until)
        ids = self.family(entity, id) if below else [id]
        moves = wanted.kinds is None or STAGE in wanted.kinds
        linking = self._linking(entity, ids)
        sources: list[_Source] = []
        for other, _, here in linking:
            if other.timeline is not None:
                sources += self._events(other, here, wanted, cursor)
        if moves and not wanted.find:
            sources += self._moved(entity, ids, linking, wanted, cursor)
        found = self.company.store.newest([(one.table, one.conds, one.on) for one in sources], limit)
        places = {(sources[number].name, doc_id): on for number, doc_id, on in found}  # one record may link here twice
        newest = sorted(places, key=lambda place: (place[0], -place[1]))
        newest.sort(key=lambda place: _instant(places[place]), reverse=True)
        told = self._tell(newest[:limit], entity, ids)
        if not moves or not wanted.find:
            return told
        events = ((_Down(event.on, event.key.split("/")[1], event.id), event) for event in told)
        merged = heapq.merge(events, self._moves(entity, ids, linking, wanted, cursor, limit), key=lambda pair: pair[0])
        return [event for _, event in islice(merged, limit)]

    def family(self, entity: str, id: int, most: int = FAMILY) -> list[int]:
        """A record and all that belong to it, by the entity's link to itself; those this user may see, the nearest first."""
        key = above(self.company.schema.entities[entity])
        sight = self.sight(entity)
        found = [id]
        if key is None or key not in sight.plan.readable:
            return found
        known, level = {id}, [id]
        while level and len(found) < most:
            level = self.company.table(entity).ids(all_of(sight.living(), where(key).one_of(level)))
            level = [one for one in level if one not in known][: most - len(found)]
            known.update(level)
            found += level
        return found

    def timeline_people(self, entity: str, id: int, below: bool = False) -> dict[int, str]:
        """`{id: name}` of the colleagues who did something here, by name: the choices of the filter."""
        self._doc(self.sight(entity), id)
        users = self.company.schema.users
        if users is None:
            return {}
        found: set[int] = set()
        for other, _, here in self._linking(entity, self.family(entity, id) if below else [id]):
            key = other.timeline.who if other.timeline is not None else None
            if key and key in self.sight(other.name).plan.readable and getattr(other.fields[key], "to", None) == users.entity:
                rows = self.company.table(other.name).aggregate([key], None, all_of(self.sight(other.name).living(), here))
                found |= {row[key] for row in rows if isinstance(row[key], int)}
        return dict(sorted(self.titles(users.entity, found).items(), key=lambda pair: pair[1].casefold()))

    def _tell(self, places: list[tuple[str, int]], entity: str, ids: list[int]) -> list[Event]:
        """The events of `(source, number)`, in the same order; those of one table are fetched and shown together."""
        numbers: dict[str, list[int]] = {}
        for name, number in places:
            numbers.setdefault(name, []).append(number)
        made: dict[tuple[str, int], Event | None] = {}
        for name, some in numbers.items():
            if name == STAGE:
                rows = self.company.store.table(MOVES).get_many(some)
                made |= {(name, row.doc_id): event for row, event in zip(rows, self._move_events(rows, entity, ids), strict=True)}
            else:
                docs = self.company.table(name).get_many(some)
                made |= {(name, doc.doc_id): event for doc, event in zip(docs, self._shown_events(name, docs, entity, ids), strict=True)}
        return [event for place in places if (event := made.get(place)) is not None]

    def timeline_kinds(self, entity: str) -> dict[str, str]:
        """`{kind: label}` of the events a record of this entity may have, for the filter."""
        result: dict[str, str] = {}
        for other in self.company.schema.entities.values():
            if other.timeline is None or not self.sight(other.name).may("see"):
                continue
            if not any(getattr(one, "to", None) == entity for one in other.fields.values()):
                continue
            if other.timeline.kind_is_field:
                kind = other.fields[other.timeline.kind]
                if kind.key in self.sight(other.name).plan.readable:
                    for key in getattr(kind, "options", None) or {}:
                        result[key] = kind.display(key, self.shown)
            else:
                result[other.timeline.kind or other.name] = other.label_in(self.words)
        result[STAGE] = self.words("Stage changes")
        return result

    def _linking(self, entity: str, ids: list[int]) -> list[_Linked]:
        """`(entity, link, query)` for each link that some living record points here with, through fields this user may read. Of few
        records each has its own query: each is then read along an index by time."""
        links = self._around.get(entity)
        if links is None:
            links = self._around[entity] = [
                (other, link)
                for other in self.company.schema.entities.values()
                if (other.timeline is not None or other.stage_field) and self.sight(other.name).may("see")
                for link in other.fields.values()
                if getattr(link, "to", None) == entity
                and link.name in ("link", "links")
                and link.key in self.sight(other.name).plan.readable
            ]
        live = self.company.live
        if len(ids) <= EACH:
            found = [_Linked(other, link, points_to(link, id)) for other, link in links for id in ids]
        else:
            found = [_Linked(other, link, points_to_some(link, ids)) for other, link in links]
        there: list[bool] = []
        for start in range(0, len(found), 400):
            there += self.company.store.present([(one.entity.name, (live, one.here)) for one in found[start : start + 400]])
        return [one for one, some in zip(found, there, strict=True) if some]

    # -- sources: what to ask of which table

    def _events(self, other: Entity, here: QueryInstance, wanted: Filter, cursor: Any) -> list[_Source]:
        """Where events of one entity are, for one of its links."""
        sight = self.sight(other.name)
        spec = other.timeline
        assert spec is not None
        readable = sight.plan.readable
        if spec.on not in readable:
            return []
        conds = [sight.living(), here, where(spec.on).exists()]
        if wanted.kinds is not None:
            if spec.kind_is_field and spec.kind in readable:
                mine = [one for one in wanted.kinds if one in (getattr(other.fields[spec.kind], "options", None) or {})]
                if not mine:
                    return []
                conds.append(where(spec.kind).one_of(mine))
            elif (spec.kind or other.name) not in wanted.kinds and other.name not in wanted.kinds:
                return []
        if wanted.who is not None:
            if spec.who is None or spec.who not in readable or not getattr(other.fields[spec.who], "to", None):
                return []
            conds.append(where(spec.who) == wanted.who)
        if wanted.since is not None or wanted.until is not None:
            conds.append(other.fields[spec.on].within(wanted.since, wanted.until, self.words))
        if wanted.find:
            conds.append(self._finding(other, sight, wanted.find))
        if cursor is not None:
            conds.append(_earlier(cursor, other.name, spec.on, other.fields[spec.on]))
        return [_Source(other.name, other.name, conds, spec.on)]

    def _shown_events(self, name: str, docs: list[Any], entity: str, ids: list[int]) -> list[Event]:
        """The events that records of one entity are."""
        whose = self._whose(name, docs, entity, ids)
        sight = self.sight(name)
        other, readable, spec = sight.entity, sight.plan.readable, sight.entity.timeline
        assert spec is not None
        fields, roles = other.fields, self.company.schema.activities
        shown = self.shown_for(name, docs, [key for key in (spec.who, spec.text, spec.result) if key and key in readable])
        template, say = self.company.shapes[name].event, self._say(other)
        kind_field = fields.get(spec.kind) if spec.kind_is_field and spec.kind in readable else None
        options = (getattr(kind_field, "options", None) or {}) if kind_field is not None else {}
        icons = roles.kinds if roles is not None and roles.entity == name else {}
        done_key = roles.done if roles is not None and roles.entity == name else None
        own_label = other.label_in(self.words)
        faces: dict[str, tuple[str, str]] = {}  # kind → icon, label

        def field(key: str | None) -> Any:
            return fields[key] if key and key in readable else None

        text_field, result_field, who_field = field(spec.text), field(spec.result), field(spec.who)
        who_key = who_field.key if who_field is not None and getattr(who_field, "to", None) else None
        people: dict[Any, str] = {}

        def said(one: Any, doc: Any) -> str:
            kept = doc.get(one.key) if one is not None else None
            return "" if kept is None else str(one.display(one.from_json(kept), shown))

        events = []
        for doc in docs:
            kind = str(doc.get(kind_field.key) or "") if kind_field is not None else (spec.kind or name)
            face = faces.get(kind)
            if face is None:
                icon = icons.get(kind) or getattr(options.get(kind), "icon", "") or spec.icon or other.icon
                face = faces[kind] = (icon, kind_field.display(kind, shown) if kind_field is not None and kind else own_label)
            kept = doc.get(who_key) if who_key else None
            if isinstance(kept, int):
                who = people.get(kept)
                if who is None:
                    who = people[kept] = said(who_field, doc)
            else:
                who = said(who_field, doc)
            number, on = doc.doc_id, doc[spec.on]
            events.append(
                Event(
                    key=f"{on}/{name}/{number}",
                    entity=name,
                    id=number,
                    on=_moment(on),
                    kind=kind,
                    icon=face[0],
                    title=template.fill(doc, number, readable, say) or self.title_of(name, number, doc),
                    text=said(text_field, doc),
                    result=said(result_field, doc),
                    who=who,
                    done=done_key is None or doc.get(done_key) is not None,
                    label=face[1],
                    about=whose.get(number, ""),
                )
            )
        return events

    def _whose(self, name: str, docs: list[Any], entity: str, ids: list[int]) -> dict[int, str]:
        """`{event: title}` of the daughter an event belongs to, where it is not one of the record itself."""
        if len(ids) < 2:
            return {}
        links = [link for other, link in self._around[entity] if other.name == name]
        family, owners = set(ids[1:]), {}
        for doc in docs:
            found = [one for link in links for one in targets(doc.get(link.key))]
            if ids[0] not in found:
                owners[doc.doc_id] = next((one for one in found if one in family), None)
        titles = self.titles(entity, {one for one in owners.values() if one is not None})
        return {number: titles.get(one, "") for number, one in owners.items() if one is not None}

    def _finding(self, other: Entity, sight: Sight, text: str) -> QueryInstance | None:
        """Events whose readable words hold the text."""
        spec = other.timeline
        assert spec is not None
        keys = [
            key
            for key in dict.fromkeys([*self.company.shapes[other.name].event.keys, spec.text, spec.result])
            if key and key in sight.plan.readable
        ]
        found: QueryInstance | None = None
        for key in keys:
            field = other.fields.get(key)
            if field is None or "contains" not in field.operators:
                continue
            try:
                one = field.condition("contains", text, self.words)
            except Refused:
                continue
            found = one if found is None else found | one
        return found if found is not None else where_id("==", -1)

    def _moved(self, entity: str, ids: list[int], linking: list[_Linked], wanted: Filter, cursor: Any) -> list[_Source]:
        """Where stage changes are: of the record itself and of what links to it, as far as this user sees those records."""
        company = self.company
        mine: dict[str, set[int]] = {}
        one = company.schema.entities[entity]
        if one.stage_field and one.stage_field in self.sight(entity).plan.readable:
            mine[entity] = set(ids)
        links = [
            (other.name, [company.live, here], "doc_id")
            for other, _, here in linking
            if other.stage_field and other.stage_field in self.sight(other.name).plan.readable
        ]
        for number, doc_id, _ in company.store.newest(links, MOST):
            mine.setdefault(links[number][0], set()).add(doc_id)
        sources = []
        conds: list[Any] = [_earlier(cursor, STAGE, "on", None)] if cursor is not None else []
        if wanted.who is not None:
            conds.append(where("who") == wanted.who)
        if wanted.since is not None:
            conds.append(where("on") >= moment_json(self.words.midnight(wanted.since)))
        if wanted.until is not None:
            conds.append(where("on") < moment_json(self.words.midnight(day_shift(wanted.until, 1))))
        for name, some in mine.items():
            seen = [doc_id for (doc_id,) in company.table(name).among(sorted(some), ("doc_id",), self.sight(name).living())]
            if seen:
                record = where("record").one_of(sorted(seen))
                sources.append(_Source(STAGE, MOVES, [company.live, where("entity") == name, record, *conds], "on"))
        return sources

    def _moves(
        self, entity: str, ids: list[int], linking: list[_Linked], wanted: Filter, cursor: Any, limit: int
    ) -> Iterator[tuple[Any, Event]]:
        """Stage changes whose words hold what is looked for, in order: the words are only known once a change is told."""
        table, text = self.company.store.table(MOVES), folded(wanted.find)
        at, found = cursor, 0
        while found < limit:
            sources = self._moved(entity, ids, linking, wanted, at)
            rows = self.company.store.newest([(one.table, one.conds, one.on) for one in sources], limit)
            newest = sorted({doc_id: on for _, doc_id, on in rows}.items(), key=lambda one: (_instant(one[1]), one[0]), reverse=True)[
                :limit
            ]
            docs = table.get_many([doc_id for doc_id, _ in newest])
            for row, event in zip(docs, self._move_events(docs, entity, ids), strict=True):
                if event is not None and text in folded(f"{event.title} {event.text}"):
                    found += 1
                    yield (_Down(event.on, STAGE, row.doc_id), event)
            if len(newest) < limit:
                break
            at = (newest[-1][1], STAGE, newest[-1][0])

    def _move_events(self, rows: list[Any], entity: str, ids: list[int]) -> list[Event | None]:
        """What stage changes say; None for those of records this user does not see."""
        company, words = self.company, self.words
        records: dict[str, list[int]] = {}
        for row in rows:
            records.setdefault(row["entity"], []).append(row["record"])
        titles = {name: self.titles(name, some) for name, some in records.items() if name in company.schema.entities}
        users = company.schema.users
        who = self.titles(users.entity, {row["who"] for row in rows if row.get("who") is not None}) if users is not None else {}
        events: list[Event | None] = []
        for row in rows:
            name, record = row["entity"], row["record"]
            title = titles.get(name, {}).get(record)
            if title is None:
                events.append(None)
                continue
            pipeline = company.schema.pipelines.get(row.get("pipeline"))
            stages = pipeline.stages if pipeline is not None else {}
            before, after = row.get("from"), row["to"]
            said = stages[after].label_in(words) if after in stages else str(after)
            if before:
                said = words("{before} → {after}", before=stages[before].label_in(words) if before in stages else str(before), after=said)
            outcome = stages[after].outcome if after in stages else None
            one = company.schema.entities[name]
            events.append(
                Event(
                    key=f"{row['on']}/{STAGE}/{row.doc_id}",
                    entity=name,
                    id=record,
                    on=_moment(row["on"]),
                    kind=STAGE,
                    icon="emoji_events" if outcome == "won" else "flag" if outcome else "moving",
                    title=said if entity == name and record == ids[0] else f"{title}: {said}",
                    text=self._outcome(one, row.get("said") or {}),
                    result="",
                    who=who.get(row.get("who"), ""),
                    done=True,
                    label=one.fields[str(one.stage_field)].label_in(words),
                    stage=after,
                )
            )
        return events

    def _outcome(self, entity: Entity, said: Mapping[str, Any]) -> str:
        """How a record ended, as it was told then and as far as this user may read it."""
        readable = self.sight(entity.name).plan.readable
        fields = [entity.fields[key] for key in said if key in readable and key in entity.fields]
        told = [(one.label_in(self.words), one.display(one.from_json(said[one.key]), self.shown)) for one in fields]
        return "\n".join(f"{label}: {words}" for label, words in told if words)


class _Linked(NamedTuple):
    """A way records point at those the timeline is of: whose they are, by which link, and the query for them."""

    entity: Entity
    link: Any
    here: QueryInstance


def above(entity: Entity) -> str | None:
    """The link from a record to the one it belongs to: what its `tree:` says, else its first link to its own kind."""
    tree = getattr(entity, "tree", None)
    if tree is not None:
        return str(tree.by)
    return next((key for key, one in entity.own_fields.items() if one.name == "link" and one.to == entity.name), None)


class _Source(NamedTuple):
    """Something to ask for the newest: a table, its conditions, the field that says when. `name` is what events are ordered by."""

    name: str
    table: str
    conds: list[Any]
    on: str


class _Down:
    """Order of events: newest first, then by source, then the later id first."""

    __slots__ = ("on", "source", "id")

    def __init__(self, on: datetime, source: str, id: int) -> None:
        self.on, self.source, self.id = on, source, id

    def __lt__(self, other: _Down) -> bool:
        if self.on != other.on:
            return self.on > other.on
        if self.source != other.source:
            return self.source < other.source
        return self.id > other.id


def _cursor(before: str | None) -> tuple[str, str, int] | None:
    """`(on, source, id)` of an event's key."""
    if not before:
        return None
    parts = str(before).split("/")
    if len(parts) != 3 or not parts[2].isdigit():
        raise Refused("There is nothing to go on from here.")
    return parts[0], parts[1], int(parts[2])


def _earlier(cursor: tuple[str, str, int] | None, source: str, on: str, field: Any) -> QueryInstance | None:
    """What comes after the cursor in the order of events."""
    if cursor is None:
        return None
    when, at, id = cursor
    if field is not None and field.kind == "date":
        when = when[:10]
    if source < at:
        return where(on) < when
    if source > at:
        return where(on) <= when
    return (where(on) < when) | ((where(on) == when) & where_id("<", id))


def _instant(text: str) -> str:
    """A stored day or moment as texts of one length, which sort by time."""
    return f"{text}T00:00:00.000Z" if len(text) == 10 else text


def _moment(text: str) -> datetime:
    if len(text) == 10:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    found = datetime.fromisoformat(text)
    return found if found.tzinfo is UTC else found.astimezone(UTC)
