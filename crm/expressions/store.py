"""A checked condition as a TinyDB query over stored documents.

What can be said in the store's terms is said exactly: comparisons of a field with something that is the same for all records, also
through links and for lists linking here. Anything else becomes a query that checks the document in Python with the same
function that `evaluate` uses; a store takes that for a superset of what it can look up.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from tinydb.queries import Query, QueryInstance, where

from crm.expressions import nodes as n
from crm.expressions.python import compile_python
from crm.expressions.queries import LOOKUP, Linked, backlinks, by_id, linked, linked_from, text_like
from crm.expressions.values import LEVELS, filled, stage_attribute, weight
from crm.words import day_shift, month_shift, utc

FLIP = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "=="}
_serial = itertools.count(1)

EVERYTHING: QueryInstance = Query().noop()
NOTHING: QueryInstance = ~EVERYTHING


class Inexact(Exception):
    """The store's terms cannot say this."""


class Context:
    """The constants of one compilation: today, now, me; and the way to other tables."""

    def __init__(self, today: Any, now: Any, me: Any, tables: Any, guard: Any) -> None:
        self.now: datetime = now or datetime.now(UTC)
        self.today: date = today or self.now.date()
        self.me, self.tables, self.guard = me, tables, guard

    def get(self, head: str) -> Any:
        raise LookupError(head)

    def table(self, entity: str) -> Any:
        """The table of an entity: a name, or an object that can look itself up."""
        if self.tables is None:
            return entity
        if isinstance(self.tables, Mapping):
            return self.tables.get(entity, entity)
        return self.tables(entity)

    def guarded(self, entity: str, query: QueryInstance) -> QueryInstance:
        """The query, limited to the records that may be looked at."""
        limit = self.guard(entity) if self.guard is not None else None
        return query if limit is None else query & limit if query is not EVERYTHING else limit

    @property
    def key(self) -> tuple[Any, ...]:
        me = self.me
        return (self.today.isoformat(), self.now.isoformat(), getattr(me, "id", None), id(self.guard) if self.guard else None)


def compile_query(expression: Any, node: n.Node, today: Any, now: Any, me: Any, tables: Any, guard: Any) -> QueryInstance:
    """The query of a condition; see `Expression.query`."""
    return Compiler(Context(today, now, me, tables, guard), expression).condition(node)


class Compiler:
    """Compiles the nodes of one expression for one moment and user."""

    def __init__(self, context: Context, expression: Any) -> None:
        self.context, self.expression = context, expression

    def constant(self, node: n.Node) -> Any:
        """The value of a node that is the same for all records."""
        return node.value if isinstance(node, n.Const) else compile_python(node)(self.context)

    def condition(self, node: n.Node) -> QueryInstance:
        """The query of a yes-or-no node; checked in Python where the store cannot say it."""
        if n.is_constant(node):
            return EVERYTHING if self.constant(node) is True else NOTHING
        if isinstance(node, n.And):
            return self._joined(node.items, True)
        if isinstance(node, n.Or):
            return self._joined(node.items, False)
        if isinstance(node, n.Not):
            return negated(self.condition(node.a))
        try:
            return self.exact(node)
        except Inexact:
            return self.checked(node)

    def _joined(self, items: Iterable[n.Node], every: bool) -> QueryInstance:
        whole, nothing = (EVERYTHING, NOTHING) if every else (NOTHING, EVERYTHING)
        items, found = self._months(items) if every else (items, [])
        parts = [part for part in (*found, *map(self.condition, items)) if part is not whole]
        if any(part is nothing for part in parts):
            return nothing
        if not parts:
            return whole
        parts.sort(key=lambda part: isinstance(part, Checked))  # the costly ones last
        result = parts[0]
        for part in parts[1:]:
            result = result & part if every else result | part
        return result

    def _months(self, items: Iterable[n.Node]) -> tuple[list[n.Node], list[QueryInstance]]:
        """`year(d) == … and month(d) == …` (or quarter) of one date is a range of days, which the store can say; and the rest."""
        rest, asked = [], dict[Any, tuple[n.Node, dict[str, tuple[n.Node, Any]]]]()
        for item in items:
            if isinstance(item, n.Compare) and item.op == "==":
                a, b = (item.b, item.a) if n.is_constant(item.a) else (item.a, item.b)
                if isinstance(a, n.Call) and a.function in ("year", "quarter", "month") and n.is_constant(b):
                    day = a.args[0].a if isinstance(a.args[0], n.Day) else a.args[0]
                    which = (tuple(step.head for step in day.steps), day.level, day.key) if isinstance(day, n.Field) else id(day)
                    _, known = asked.setdefault(which, (day, {}))
                    if a.function not in known:
                        known[a.function] = (item, self.constant(b))
                        continue
            rest.append(item)
        found = []
        for node, known in asked.values():
            units = [unit for unit in ("month", "quarter") if unit in known] if "year" in known else []
            kept = {unit: value for unit, (_, value) in known.items()}
            if units and all(isinstance(value, (int, Decimal)) and value == int(value) for value in kept.values()):
                length = 1 if units[0] == "month" else 3
                year, place = int(kept["year"]), int(kept[units[0]])
                if 1 <= year <= 9998 and 1 <= place <= 12 // length:
                    begin = date(year, (place - 1) * length + 1, 1)
                    try:
                        found.append(self.between(node, ((">=", begin), ("<", month_shift(begin, length)))))
                        known = {unit: one for unit, one in known.items() if unit not in ("year", units[0])}
                    except Inexact:
                        pass
            rest += [item for item, _ in known.values()]
        return rest, found

    def checked(self, node: n.Node) -> QueryInstance:
        """A condition that Python checks, document by document."""
        return Checked(node, self.context, self.expression)

    # --- what the store can say

    def exact(self, node: n.Node) -> QueryInstance:
        """The query of one node; Inexact when there is none."""
        if isinstance(node, n.Field) and node.kind == "boolean":
            return self.through(node.steps, node.level, lambda: self.path(node) == True)  # noqa: E712
        if isinstance(node, n.StageOf):
            return self.stages(node, lambda value: value is True)
        if isinstance(node, n.Filled):
            return self.filled(node.a)
        if isinstance(node, n.Compare):
            return self.compare(node)
        if isinstance(node, n.Among):
            return self.among(node)
        if isinstance(node, n.Call):
            return self.call(node)
        if isinstance(node, n.If) and node.kind == "boolean":
            test = self.condition(node.test)
            return (test & self.condition(node.a)) | (negated(test) & self.condition(node.b))
        if isinstance(node, n.Aggregate) and node.function == "any":
            return self.some(node)
        if isinstance(node, n.Within):
            return self.within(node)
        raise Inexact

    def within(self, node: n.Within) -> QueryInstance:
        """The linked record or one above it: one look further up per level."""
        field, entity = node.field, node.field.name.entity
        if not n.is_constant(node.value) or entity is None:
            raise Inexact
        value = getattr(self.constant(node.value), "id", self.constant(node.value))
        if value is None:
            return NOTHING
        if node.inner is not None:
            here = self.field(n.Field(node.inner.kind, 0, (), node.key, node.inner), "==", value)
        else:
            here = id_is("==", value)
        table, query = self.context.table(entity), here
        for _ in range(LEVELS - 1):
            query = here | linked((node.parent,), table, self.context.guarded(entity, query))
        return self.through(
            field.steps, field.level, lambda: linked((field.key,), table, self.context.guarded(entity, query))
        )

    def path(self, node: n.Field) -> Query:
        """The field in the document it stands in."""
        if node.level or node.key == "id":
            raise Inexact
        made = where(node.key)
        return made[node.part] if node.part else made

    def through(self, steps: tuple[n.Step, ...], level: int, inner: Callable[[], QueryInstance]) -> QueryInstance:
        """A query on the record at the end of links."""
        if level:
            raise Inexact
        query = inner()
        for step in reversed(steps):
            if step.name.entity is None:
                raise Inexact
            query = linked((step.head,), self.context.table(step.name.entity), self.context.guarded(step.name.entity, query))
        return query

    def filled(self, node: n.Node) -> QueryInstance:
        if isinstance(node, (n.Full, n.Day)):
            return self.filled(node.a)
        if isinstance(node, n.Field):
            if node.key == "id":
                return self.through(node.steps, node.level, lambda: EVERYTHING) if node.steps else EVERYTHING
            if node.name.form == "back":
                raise Inexact
            return self.through(node.steps, node.level, lambda: self.path(node).exists())
        if isinstance(node, n.StageOf):
            return self.stages(node, filled)
        raise Inexact

    def compare(self, node: n.Compare) -> QueryInstance:
        a, b, op = node.a, node.b, node.op
        if n.is_constant(a):
            a, b, op = b, a, FLIP[op]
        if not n.is_constant(b):
            raise Inexact
        value = self.constant(b)
        if isinstance(value, float):
            value = Decimal(repr(value))
        if value is None:
            return NOTHING
        if isinstance(a, n.Aggregate):
            return self.counted(a, op, value)
        if isinstance(a, n.Call) and a.function == "year" and len(a.args) == 1:
            return self.in_year(a.args[0], op, value)
        if isinstance(a, n.StageOf):
            return self.stages(a, lambda found: compared(found, op, value))
        if isinstance(a, n.Day) and isinstance(a.a, n.Field) and a.a.kind == "datetime" and isinstance(value, date):
            a = a.a
            value = self.day(value) if isinstance(value, datetime) else value
        if not isinstance(a, n.Field):
            raise Inexact
        field = a
        if a.key == "id":
            return self.through(a.steps, a.level, lambda: id_is(op, value))
        if node.as_days and a.kind == "datetime" and isinstance(value, datetime):
            value = self.day(value)
        return self.through(a.steps, a.level, lambda: self.field(field, op, value))

    def field(self, node: n.Field, op: str, value: Any) -> QueryInstance:
        """A comparison of a stored field with a value."""
        path, kind, field = self.path(node), node.kind, node.name.field
        if kind == "datetime":
            return self.moment(path, op, value)
        if kind == "date":
            if isinstance(value, datetime):
                value = self.day(value)
            return ordered(path, op, value.isoformat(), 0)
        if kind in ("text", "choice"):
            if not isinstance(value, str):
                return NOTHING
            return ordered(path, op, value, 0)
        if kind == "boolean":
            return path == value if op == "==" and isinstance(value, bool) else NOTHING
        if kind in ("link", "me"):
            number = getattr(value, "id", value)
            if isinstance(number, Decimal) and number == number.to_integral_value():
                number = int(number)
            return path == number if op == "==" and number.__class__ is int else NOTHING
        if kind == "duration":
            minutes = weight(value)
            whole = int(minutes // 1)
            return ordered(path, op, whole, (whole > minutes) - (whole < minutes))
        if kind in ("number", "money", "percent", "integer") and not node.part:
            if not isinstance(value, (int, Decimal)) or isinstance(value, bool):
                return NOTHING
            stored, side = field.nearest(value)
            return ordered(path, op, stored, side)
        raise Inexact

    def day(self, moment: datetime) -> date:
        return moment.astimezone(self.context.now.tzinfo).date()

    def midnight(self, day: date) -> str:
        """The stored form of the moment a day begins."""
        zone = self.context.now.tzinfo or UTC
        return _stamp(utc(datetime(day.year, day.month, day.day, tzinfo=zone)))

    def moment(self, path: Query, op: str, value: Any) -> QueryInstance:
        """A stored moment against a moment, or against a whole day."""
        if not isinstance(value, datetime):
            begins, ends = self.midnight(value), self.midnight(day_shift(value, 1))
            if op == "==":
                return (path >= begins) & (path < ends)
            return {"<": path < begins, "<=": path < ends, ">": path >= ends, ">=": path >= begins}[op]
        kept = utc(value)
        return ordered(path, op, _stamp(kept), (kept > value) - (kept < value))

    def in_year(self, node: n.Node, op: str, value: Any) -> QueryInstance:
        """`year(close_on) == 2026` as a range of days."""
        if not isinstance(value, (int, Decimal)):
            raise Inexact
        number = int(value)
        if number != value or not 1 <= number <= 9998:
            raise Inexact
        begin, end = date(number, 1, 1), date(number + 1, 1, 1)
        edges = {"==": ((">=", begin), ("<", end)), "<": (("<", begin),), "<=": (("<", end),), ">": ((">=", end),), ">=": ((">=", begin),)}[
            op
        ]
        return self.between(node, edges)

    def between(self, node: n.Node, edges: tuple[tuple[str, date], ...]) -> QueryInstance:
        """A date or moment on one side of a day, or between two."""
        inner = node.a if isinstance(node, n.Day) else node
        if not isinstance(inner, n.Field) or inner.kind not in ("date", "datetime"):
            raise Inexact

        def made() -> QueryInstance:
            parts = [self.field(inner, sign, edge) for sign, edge in edges]
            return parts[0] & parts[1] if len(parts) == 2 else parts[0]

        return self.through(inner.steps, inner.level, made)

    def among(self, node: n.Among) -> QueryInstance:
        a, b = node.a, node.b
        if isinstance(b, n.Field) and n.is_constant(a):
            return self.holds(b, self.constant(a))
        if not n.is_constant(b):
            if isinstance(b, n.Items):  # some of the items differ by record: each for itself
                items = [self.condition(n.Compare("boolean", node.at, "==", a, item)) for item in b.items]
                result = NOTHING
                for item in items:
                    result = item if result is NOTHING else result | item
                return result
            raise Inexact
        kept = self.constant(b)
        if kept is None:
            return NOTHING
        if isinstance(kept, str):
            raise Inexact
        values = [value for value in (getattr(one, "id", one) for one in kept) if value is not None]
        if isinstance(a, n.StageOf):
            return self.stages(a, lambda found: found is not None and found in values)
        if not isinstance(a, n.Field):
            raise Inexact
        if a.key == "id":
            return self.through(a.steps, a.level, lambda: by_id("in", [int(value) for value in values if _whole(value)]))
        if a.kind in ("text", "choice"):
            plain: list[Any] = [value for value in values if isinstance(value, str)]
        elif a.kind in ("link", "me"):
            plain = [int(value) for value in values if _whole(value)]
        elif a.kind == "date":
            plain = [value.isoformat() for value in values if isinstance(value, date) and not isinstance(value, datetime)]
        elif a.kind in ("number", "money", "percent", "integer") and not a.part:
            nearest = [a.name.field.nearest(value) for value in values if isinstance(value, (int, Decimal))]
            plain = [stored for stored, side in nearest if side == 0]
        else:
            raise Inexact
        return self.through(a.steps, a.level, lambda: self.path(a).one_of(plain))

    def holds(self, node: n.Field, value: Any) -> QueryInstance:
        """Whether a stored list has an item."""
        value = getattr(value, "id", value)
        if isinstance(value, Decimal) and value == value.to_integral_value():
            value = int(value)
        if value is None or node.kind != "list":
            raise Inexact
        if node.name.form == "links":
            return self.through(node.steps, node.level, lambda: self.path(node).any(where("id") == value))
        return self.through(node.steps, node.level, lambda: self.path(node).any([value]))

    def call(self, node: n.Call) -> QueryInstance:
        op = {"contains": "contains", "starts_with": "starts", "ends_with": "ends"}.get(node.function)
        if op is None or not n.is_constant(node.args[1]) or not isinstance(node.args[0], n.Field):
            raise Inexact
        field, part = node.args[0], self.constant(node.args[1])
        if field.kind == "list" and op == "contains":
            return self.holds(field, part)
        if not isinstance(part, str) or field.kind not in ("text", "choice") or field.level:
            raise Inexact
        if not part:
            return self.filled(field)
        key = (field.key, field.part) if field.part else (field.key,)
        return self.through(field.steps, field.level, lambda: text_like(op, key, part))

    # --- stages

    def stages(self, node: n.StageOf, wanted: Callable[[Any], bool]) -> QueryInstance:
        """The records whose stage has a wanted attribute: the stages are few, so they are named."""
        field = node.field
        of = field.name.field
        by_key: dict[str, dict[str, bool]] = {}
        for pipeline, key, stage in of.stages():
            by_key.setdefault(key, {})[pipeline] = bool(wanted(stage_attribute(stage, node.attribute)))
        always = [key for key, found in by_key.items() if all(found.values())]
        mixed = {key: found for key, found in by_key.items() if any(found.values()) and not all(found.values())}
        pipeline_key = node.pipeline

        def made() -> QueryInstance:
            query = self.path(field).one_of(always)
            for key, found in mixed.items():
                first = next(iter(found.values()))
                if pipeline_key is None:
                    if first:
                        query = query | (self.path(field) == key)
                    continue
                named = where(pipeline_key).one_of([name for name, yes in found.items() if yes])
                if first:  # a record that names no pipeline, or one without this stage, is in the first that has it
                    named = named | ~where(pipeline_key).one_of(list(found))
                query = query | ((self.path(field) == key) & named)
            return query

        return self.through(field.steps, field.level, made)

    # --- lists of records linking here

    def some(self, node: n.Aggregate) -> QueryInstance:
        """Whether a record that links here fulfils a condition."""
        name = node.name
        if name.form != "back" or name.entity is None or name.via is None or node.level:
            raise Inexact
        source = name.scope.resolve(name.via) if name.scope is not None else None
        if source is None or source.kind != "link":
            raise Inexact
        conditions = [_own(part) for part in (node.value, node.where) if part is not None]
        inner = Compiler(self.context, self.expression)._joined(conditions, True) if conditions else EVERYTHING
        entity, via = name.entity, name.via
        table, query = self.context.table(entity), self.context.guarded(entity, inner)
        return self.through(node.steps, node.level, lambda: linked_from(table, via, None if query is EVERYTHING else query))

    def counted(self, node: n.Aggregate, op: str, value: Any) -> QueryInstance:
        """`count(…) == 0`, `count(…) > 0` and the like."""
        if node.function != "count":
            raise Inexact
        wanted = n.Filled("boolean", node.at, node.value) if node.value is not None else None
        there = n.Aggregate("boolean", node.at, "any", node.steps, node.head, node.name, wanted, node.where, node.level, node.rows)
        if (op, value) in ((">", 0), (">=", 1)):
            return self.some(there)
        if (op, value) in (("==", 0), ("<", 1), ("<=", 0)):
            return ~self.some(there)
        raise Inexact


def _own(node: n.Node) -> n.Node:
    """A condition over rows as one over the row's own record."""
    made = n.lowered(node)
    if made is None:
        raise Inexact
    return made


def negated(query: QueryInstance) -> QueryInstance:
    """The opposite."""
    if query is EVERYTHING:
        return NOTHING
    return EVERYTHING if query is NOTHING else ~query


def ordered(path: Query, op: str, stored: Any, side: int) -> QueryInstance:
    """A comparison with a stored form that lies below (-1), at (0) or above (1) the value meant."""
    if op == "==":
        return path == stored if side == 0 else NOTHING
    if side < 0:
        op = {"<": "<=", ">=": ">"}.get(op, op)
    elif side > 0:
        op = {"<=": "<", ">": ">="}.get(op, op)
    made: QueryInstance = {"<": path.__lt__, "<=": path.__le__, ">": path.__gt__, ">=": path.__ge__}[op](stored)
    return made


def compared(found: Any, op: str, value: Any) -> bool:
    """The comparison in Python."""
    if found is None:
        return False
    try:
        return bool({"==": found == value, "<": op == "<" and found < value, "<=": op == "<=" and found <= value,
                     ">": op == ">" and found > value, ">=": op == ">=" and found >= value}[op])  # fmt: skip
    except TypeError:
        return False


def id_is(op: str, value: Any) -> QueryInstance:
    """A comparison of the document's id."""
    number = getattr(value, "id", value)
    if not isinstance(number, (int, Decimal)):
        return NOTHING
    whole = int(number // 1)
    if op == "==":
        return by_id("in", [whole]) if whole == number else NOTHING
    if whole != number:
        op = {"<": "<=", ">=": ">"}.get(op, op)
    return by_id(op, [whole])


def _whole(value: Any) -> bool:
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool) and value == int(value)


def _stamp(moment: datetime) -> str:
    return f"{moment.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


class Checked(QueryInstance):
    """A condition that Python checks on a document, with the function that `evaluate` uses."""

    def __init__(self, node: n.Node, context: Context, expression: Any) -> None:
        self.run = compile_python(node)
        self.context, self.scope = context, Remembered(getattr(expression, "scope", None))
        super().__init__(self.holds, ("checked", next(_serial)))

    def holds(self, document: Any) -> bool:
        """Whether the condition holds for a stored document."""
        return self.run(Stored(document, self.scope, self.context)) is True


class Remembered:
    """A scope that works out each name once: a check asks for the same few names for every document."""

    def __init__(self, scope: Any) -> None:
        self.scope = scope
        self.found: dict[str, Any] = {}
        self.scopes: dict[str, Any] = {}

    def resolve(self, name: str) -> Any:
        try:
            return self.found[name]
        except KeyError:
            found = self.found[name] = self.scope.resolve(name) if self.scope is not None else None
            return found

    def behind(self, name: str) -> Any:
        """The scope behind a link or list."""
        if name not in self.scopes:
            self.scopes[name] = Remembered(self.resolve(name).scope)
        return self.scopes[name]


class Stored:
    """A stored document as the environment of an expression."""

    __slots__ = ("document", "scope", "context", "today", "now", "me", "number")

    def __init__(self, document: Any, scope: Any, context: Context, number: Any = None) -> None:
        self.document, self.scope, self.context = document, scope, context
        self.today, self.now, self.me = context.today, context.now, context.me
        self.number = number if number is not None else getattr(document, "doc_id", None)

    def get(self, head: str) -> Any:
        if head == "id":
            return self.number if self.number is not None else self.document.get("id")
        kept = self.document.get(head)
        if kept is None:
            return None
        found = self.scope.resolve(head)
        return found.field.from_json(kept) if found is not None and found.field is not None else None

    def follow(self, head: str) -> Any:
        found, number = self.scope.resolve(head), self.document.get(head)
        if found is None or number.__class__ is not int or found.entity is None:
            return None
        return self._other(head, found, number)

    def _other(self, head: str, found: Any, number: int) -> Any:
        """The linked record, unless it is gone or may not be looked at."""
        keep = _Keep()
        if not Linked(("to",), self.context.table(found.entity), keep)({"to": number}):
            return None
        document = keep.document
        return None if self._hidden(found.entity, document) else Stored(document, self.scope.behind(head), self.context, number)

    def _hidden(self, entity: str, document: Any) -> bool:
        limit = self.context.guard(entity) if self.context.guard is not None else None
        return limit is not None and not limit(document)

    def back(self, name: str) -> Iterator[Any]:
        found = self.scope.resolve(name)
        if found is None:
            return
        if found.form == "links":
            for row in self.document.get(name) or ():
                number = row.get("id") if isinstance(row, Mapping) else row
                target = self._other(name, found, number) if number.__class__ is int else None
                if target is not None:
                    yield target
            return
        table = self.context.table(found.entity)
        if found.form == "tree":
            yield from self._below(found, table)
            return
        rows = backlinks(str(getattr(table, "name", table)), found.via, self.number, LOOKUP.get(), getattr(table, "search", None))
        source = found.scope.resolve(found.via) if found.scope is not None else None
        if source is not None and source.form == "links" and LOOKUP.get() is None and hasattr(table, "search"):
            rows = table.search(where(found.via).any(where("id") == self.number))
        for document in rows:
            if not self._hidden(found.entity, document):
                yield Stored(document, self.scope.behind(name), self.context)

    def _below(self, found: Any, table: Any) -> Iterator[Any]:
        """This record and all that lie below it."""
        open_, seen = [self.number], {self.number}
        yield self
        while open_:
            rows = backlinks(str(getattr(table, "name", table)), found.via, open_.pop(), LOOKUP.get(), getattr(table, "search", None))
            for document in rows:
                if document.doc_id not in seen and not self._hidden(found.entity, document):
                    seen.add(document.doc_id)
                    open_.append(document.doc_id)
                    yield Stored(document, self.scope, self.context)

    def follow_row(self, row: Mapping[str, Any], head: str) -> Any:
        """The record that a link column of a table inside the record leads to."""
        return None


class _Keep(QueryInstance):
    """Keeps the document it is called with."""

    def __init__(self) -> None:
        self.document: Any = None
        super().__init__(self._take, ("exists", ("_",)))

    def _take(self, document: Any) -> bool:
        self.document = document
        return True


__all__ = ["EVERYTHING", "NOTHING", "Checked", "Stored", "compile_query"]
