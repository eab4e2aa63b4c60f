"""Everything that happened with somebody or something, newest first, from all that links to it (A3).

Every entity with `timeline:` in its YAML gives events to whatever its records link to; stage changes are events of the record
that moved and of what it links to. Each source is one indexed query for the newest few; the answers are merged.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tinydb.queries import QueryInstance, where

from crm.errors import Refused
from crm.records.access import Sight
from crm.records.company import MOVES
from crm.records.env import points_to
from crm.records.past import Past
from crm.records.queries import all_of
from crm.records.titles import Template
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
        sources: list[Iterator[tuple[Any, Event]]] = []
        for other in self.company.schema.entities.values():
            if other.timeline is not None:
                links = [one for one in other.fields.values() if getattr(one, "to", None) == entity and one.name in ("link", "links")]
                for link in links:
                    sources.append(self._events(other, link, id, wanted, find, cursor, limit))
                if other.name == entity and links == []:
                    continue
        if wanted is None or STAGE in wanted:
            sources.append(self._moves(entity, id, find, cursor, limit))
        merged = heapq.merge(*sources, key=lambda pair: pair[0])
        result: list[Event] = []
        seen: set[str] = set()
        for _, event in merged:
            if event.key not in seen:
                seen.add(event.key)
                result.append(event)
                if len(result) >= limit:
                    break
        return result

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

    # -- sources, each already in order: (sort key, event)

    def _events(
        self, other: Entity, link: Any, id: int, kinds: set[str] | None, find: str, cursor: Any, limit: int
    ) -> Iterator[tuple[Any, Event]]:
        sight = self.sight(other.name)
        spec = other.timeline
        assert spec is not None
        readable = sight.plan.readable
        if not sight.may("see") or link.key not in readable or spec.on not in readable:
            return
        cond = all_of(self.company.live, points_to(link, id), sight.query(), where(spec.on).exists())
        kind_field = other.fields.get(spec.kind) if spec.kind_is_field and spec.kind in readable else None
        if kinds is not None:
            if kind_field is not None:
                mine = [one for one in kinds if one in (getattr(kind_field, "options", None) or {})]
                if not mine:
                    return
                cond = all_of(cond, where(kind_field.key).one_of(mine))
            elif (spec.kind or other.name) not in kinds and other.name not in kinds:
                return
        if find.strip():
            cond = all_of(cond, self._finding(other, sight, find.strip()))
        cond = all_of(cond, _earlier(cursor, other.name, spec.on, other.fields[spec.on]))
        template = self.company.shapes[other.name].event
        docs = self.company.table(other.name).find(cond, order_by=[f"-{spec.on}"], limit=limit)
        shown = self.shown_for(other.name, docs, [key for key in (spec.who, spec.text, spec.result) if key and key in readable])
        for doc in docs:
            event = self._event(other, sight, template, kind_field, doc, shown)
            yield (_Down(event.on, other.name, doc.doc_id), event)

    def _event(self, other: Entity, sight: Sight, template: Template, kind_field: Any, doc: Any, shown: Any) -> Event:
        spec = other.timeline
        assert spec is not None
        fields, readable = other.fields, sight.plan.readable

        def said(key: str | None) -> str:
            if not key or key not in readable or doc.get(key) is None:
                return ""
            return str(fields[key].display(fields[key].from_json(doc[key]), shown))

        on = _moment(doc[spec.on])
        kind = str(doc.get(kind_field.key) or "") if kind_field is not None else (spec.kind or other.name)
        option = (getattr(kind_field, "options", None) or {}).get(kind) if kind_field is not None else None
        roles = self.company.schema.activities
        icon = (
            (roles.kinds.get(kind) if roles is not None and roles.entity == other.name else None)
            or getattr(option, "icon", "")
            or spec.icon
            or other.icon
        )
        done = True
        if roles is not None and roles.entity == other.name:
            done = doc.get(roles.done) is not None
        title = template.fill(doc, doc.doc_id, readable, self._say(other)) or self.title_of(other.name, doc.doc_id, doc)
        return Event(
            key=f"{doc[spec.on]}/{other.name}/{doc.doc_id}",
            entity=other.name,
            id=doc.doc_id,
            on=on,
            kind=kind,
            icon=icon,
            title=title,
            text=said(spec.text),
            result=said(spec.result),
            who=said(spec.who),
            done=done,
            label=kind_field.display(kind, shown) if kind_field is not None and kind else other.label_in(self.words),
        )

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

    def _moves(self, entity: str, id: int, find: str, cursor: Any, limit: int) -> Iterator[tuple[Any, Event]]:
        """Stage changes of the record itself and of what links to it."""
        company = self.company
        conds: list[QueryInstance] = []
        for other in company.schema.entities.values():
            if not other.stage_field or other.stage_field not in self.sight(other.name).plan.readable:
                continue
            ids: list[int] = [id] if other.name == entity else []
            sight = self.sight(other.name)
            for field in other.fields.values():
                if getattr(field, "to", None) == entity and field.name in ("link", "links") and field.key in sight.plan.readable:
                    ids += company.table(other.name).ids(all_of(company.live, points_to(field, id)), limit=MOST)
            if ids:
                conds.append(all_of(where("entity") == other.name, where("record").one_of(sorted(set(ids)))))  # type: ignore[arg-type]
        for cond in conds:
            narrowed = all_of(company.live, cond, _earlier(cursor, STAGE, "on", None))
            at, found = 0, 0
            while found < limit:  # rights and words are asked of what is fetched, so there may have to be more
                rows = company.store.table(MOVES).find(narrowed, order_by=["-on"], limit=limit, offset=at)
                titles = {
                    name: self.titles(name, [r["record"] for r in rows if r["entity"] == name]) for name in {r["entity"] for r in rows}
                }
                for row in rows:
                    event = self._move_event(row, titles[row["entity"]].get(row["record"]), entity == row["entity"] and row["record"] == id)
                    if event is not None and (not find.strip() or find.strip().casefold() in f"{event.title} {event.text}".casefold()):
                        found += 1
                        yield (_Down(event.on, STAGE, row.doc_id), event)
                at += len(rows)
                if len(rows) < limit:
                    break

    def _move_event(self, row: Any, title: str | None, own: bool) -> Event | None:
        if title is None:
            return None
        pipeline = self.company.schema.pipelines.get(row.get("pipeline"))
        stages = pipeline.stages if pipeline is not None else {}
        words = self.words

        def label(key: str | None) -> str:
            return stages[key].label_in(words) if key in stages else str(key or "")

        said = words("{before} → {after}", before=label(row.get("from")), after=label(row["to"])) if row.get("from") else label(row["to"])
        sight = self.sight(row["entity"])
        who = ""
        users = self.company.schema.users
        if users is not None and row.get("who") is not None:
            who = self.titles(users.entity, [row["who"]]).get(row["who"], "")
        outcome = stages[row["to"]].outcome if row["to"] in stages else None
        return Event(
            key=f"{row['on']}/{STAGE}/{row.doc_id}",
            entity=row["entity"],
            id=row["record"],
            on=_moment(row["on"]),
            kind=STAGE,
            icon="emoji_events" if outcome == "won" else "flag" if outcome else "moving",
            title=said if own else f"{title}: {said}",
            text="",
            result="",
            who=who,
            done=True,
            label=sight.entity.fields[str(sight.entity.stage_field)].label_in(words),
            stage=row["to"],
        )


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


def _moment(text: str) -> datetime:
    if len(text) == 10:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)
