"""Everything that happened with somebody or something, newest first, from all that links to it (A3).

Every entity with `timeline:` in its YAML gives events to whatever its records link to; stage changes are events of the record
that moved and of what it links to. Each source is one indexed query for the newest few; all of them go to the store as one question.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, NamedTuple

from tinydb.queries import QueryInstance, where

from crm.errors import Refused
from crm.records.access import Sight
from crm.records.company import MOVES
from crm.records.env import points_to
from crm.records.past import Past
from crm.schema.model import Entity
from crm.stores import where_id

#: The kind of a stage change among events.
STAGE = "stage"
#: How many linked records are asked for their stage changes.
MOST = 5000


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


class Timeline_(Past):
    """The 360° view."""

    def timeline(
        self, entity: str, id: int, kinds: Collection[str] | None = None, find: str = "", before: str | None = None, limit: int = 50
    ) -> list[Event]:
        """The newest events around a record this user may see; `kinds` and `find` filter, `before` is the key of the last one shown."""
        self._doc(self.sight(entity), id)
        cursor = _cursor(before)
        wanted = set(kinds) if kinds is not None else None
        words = find.strip()
        moves = wanted is None or STAGE in wanted
        linking = self._linking(entity, id)
        sources: list[_Source] = []
        for other, here in linking:
            if other.timeline is not None:
                sources += self._events(other, here, wanted, words, cursor)
        if moves and not words:
            sources += self._moved(entity, id, linking, cursor)
        found = self.company.store.newest([(one.table, one.conds, one.on) for one in sources], limit)
        places = {(sources[number].name, doc_id): on for number, doc_id, on in found}  # one record may link here twice
        newest = sorted(places, key=lambda place: (place[0], -place[1]))
        newest.sort(key=lambda place: _instant(places[place]), reverse=True)
        told = self._tell(newest[:limit], entity, id)
        if not moves or not words:
            return told
        events = ((_Down(event.on, event.key.split("/")[1], event.id), event) for event in told)
        merged = heapq.merge(events, self._moves(entity, id, words, cursor, limit), key=lambda pair: pair[0])
        return [event for _, event in islice(merged, limit)]

    def _tell(self, places: list[tuple[str, int]], entity: str, id: int) -> list[Event]:
        """The events of `(source, number)`, in the same order; those of one table are fetched and shown together."""
        numbers: dict[str, list[int]] = {}
        for name, number in places:
            numbers.setdefault(name, []).append(number)
        made: dict[tuple[str, int], Event | None] = {}
        for name, some in numbers.items():
            if name == STAGE:
                rows = self.company.store.table(MOVES).get_many(some)
                made |= {(name, row.doc_id): event for row, event in zip(rows, self._move_events(rows, entity, id), strict=True)}
            else:
                docs = self.company.table(name).get_many(some)
                made |= {(name, doc.doc_id): event for doc, event in zip(docs, self._shown_events(name, docs), strict=True)}
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

    def _linking(self, entity: str, id: int) -> list[tuple[Entity, QueryInstance]]:
        """`(entity, query)` for each link that some living record points here with, through fields this user may read."""
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
        found = [(other, points_to(link, id)) for other, link in links]
        there = self.company.store.present([(other.name, (live, here)) for other, here in found])
        return [one for one, some in zip(found, there, strict=True) if some]

    # -- sources: what to ask of which table

    def _events(self, other: Entity, here: QueryInstance, kinds: set[str] | None, find: str, cursor: Any) -> list[_Source]:
        """Where events of one entity are, for one of its links."""
        sight = self.sight(other.name)
        spec = other.timeline
        assert spec is not None
        readable = sight.plan.readable
        if spec.on not in readable:
            return []
        conds = [sight.living(), here, where(spec.on).exists()]
        if kinds is not None:
            if spec.kind_is_field and spec.kind in readable:
                mine = [one for one in kinds if one in (getattr(other.fields[spec.kind], "options", None) or {})]
                if not mine:
                    return []
                conds.append(where(spec.kind).one_of(mine))
            elif (spec.kind or other.name) not in kinds and other.name not in kinds:
                return []
        if find:
            conds.append(self._finding(other, sight, find))
        if cursor is not None:
            conds.append(_earlier(cursor, other.name, spec.on, other.fields[spec.on]))
        return [_Source(other.name, other.name, conds, spec.on)]

    def _shown_events(self, name: str, docs: list[Any]) -> list[Event]:
        """The events that records of one entity are."""
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
                )
            )
        return events

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

    def _moved(self, entity: str, id: int, linking: list[tuple[Entity, QueryInstance]], cursor: Any) -> list[_Source]:
        """Where stage changes are: of the record itself and of what links to it, as far as this user sees those records."""
        company = self.company
        mine: dict[str, set[int]] = {}
        one = company.schema.entities[entity]
        if one.stage_field and one.stage_field in self.sight(entity).plan.readable:
            mine[entity] = {id}
        links = [
            (other.name, [company.live, here], "doc_id")
            for other, here in linking
            if other.stage_field and other.stage_field in self.sight(other.name).plan.readable
        ]
        for number, doc_id, _ in company.store.newest(links, MOST):
            mine.setdefault(links[number][0], set()).add(doc_id)
        sources = []
        earlier = [_earlier(cursor, STAGE, "on", None)] if cursor is not None else []
        for name, ids in mine.items():
            seen = [doc_id for (doc_id,) in company.table(name).among(sorted(ids), ("doc_id",), self.sight(name).living())]
            if seen:
                record = where("record").one_of(sorted(seen))  # type: ignore[arg-type]
                sources.append(_Source(STAGE, MOVES, [company.live, where("entity") == name, record, *earlier], "on"))
        return sources

    def _moves(self, entity: str, id: int, find: str, cursor: Any, limit: int) -> Iterator[tuple[Any, Event]]:
        """Stage changes whose words hold `find`, in order: the words are only known once a change is told."""
        table, text = self.company.store.table(MOVES), find.casefold()
        at, found, linking = cursor, 0, self._linking(entity, id)
        while found < limit:
            sources = self._moved(entity, id, linking, at)
            rows = self.company.store.newest([(one.table, one.conds, one.on) for one in sources], limit)
            newest = sorted({doc_id: on for _, doc_id, on in rows}.items(), key=lambda one: (_instant(one[1]), one[0]), reverse=True)[
                :limit
            ]
            docs = table.get_many([doc_id for doc_id, _ in newest])
            for row, event in zip(docs, self._move_events(docs, entity, id), strict=True):
                if event is not None and text in f"{event.title} {event.text}".casefold():
                    found += 1
                    yield (_Down(event.on, STAGE, row.doc_id), event)
            if len(newest) < limit:
                break
            at = (newest[-1][1], STAGE, newest[-1][0])

    def _move_events(self, rows: list[Any], entity: str, id: int) -> list[Event | None]:
        """What stage changes say; None for those of records this user does not see."""
        company, words = self.company, self.words
        records: dict[str, list[int]] = {}
        for row in rows:
            records.setdefault(row["entity"], []).append(row["record"])
        titles = {name: self.titles(name, ids) for name, ids in records.items() if name in company.schema.entities}
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
                    title=said if entity == name and record == id else f"{title}: {said}",
                    text="",
                    result="",
                    who=who.get(row.get("who"), ""),
                    done=True,
                    label=one.fields[str(one.stage_field)].label_in(words),
                    stage=after,
                )
            )
        return events


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
