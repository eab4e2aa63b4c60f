"""Cells of a table inside a record that fill themselves: what a column's `default` or a price list (`listed`) gives for the other cells.

A line is filled when it is new: when no line of the record had the same in the cells that are read. What somebody typed is never
touched, what they emptied stays empty, and what the user may not read is not filled.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from crm.errors import Refused
from crm.fields.base import is_empty
from crm.fields.lines import Lines
from crm.records.env import DocEnv

if TYPE_CHECKING:
    from crm.records.writing import Draft


class LineEnv:
    """One line for the `default` of a column: its cells, the records they link to, and by the name of its entity the record it is in."""

    __slots__ = ("door", "field", "record", "row", "me", "today", "now")

    def __init__(self, door: Any, field: Lines, record: DocEnv, row: Mapping[str, Any]) -> None:
        self.door, self.field, self.record, self.row = door, field, record, row
        self.me, self.today, self.now = record.me, record.today, record.now

    def get(self, head: str) -> Any:
        return self.row.get(head)

    def follow(self, head: str) -> Any:
        column = self.field.columns.get(head)
        if column is None:
            return self.record if head == self.record.entity else None
        if column.to is None:
            return None
        doc_id = self.row.get(head)
        doc = self.record.company.doc(column.to, doc_id)
        if doc is None or not self.door.sight(column.to).sees(doc, doc_id):
            return None
        return DocEnv(self.record.company, column.to, doc_id, doc, self.me, self.today, self.now)

    def back(self, name: str) -> Iterator[Any]:
        return iter(())


class ListEnv(DocEnv):
    """A price list for its condition: its own fields, and by the name of its entity the record the line is in."""

    __slots__ = ("record",)

    def __init__(self, record: DocEnv, entity: str, doc_id: int, doc: Mapping[str, Any]) -> None:
        super().__init__(record.company, entity, doc_id, doc, record.me, record.today, record.now)
        self.record = record

    def follow(self, head: str) -> Any:
        return self.record if head == self.record.entity and head not in self._fields else super().follow(head)


def fill(door: Any, draft: Draft) -> None:
    """Fill the new lines of what was given; what is then still missing in a line is told."""
    for field in draft.shape.filling:
        kept = draft.doc.get(field.key)
        if field.key not in draft.given or not kept:
            continue
        reads = field.reads
        there = Counter(_same(row, reads) for row in field.from_json((draft.old or {}).get(field.key)) or ())
        rows = field.from_json(kept) or []
        for row in rows:
            key = _same(row, reads)
            if there[key]:
                there[key] -= 1
            else:
                row.update(begin(door, draft.env, field, row))
                field.compute(row, door.words)
        try:
            field.complete(rows, door.words)
        except Refused as error:
            draft.problems[field.key] = error
        draft.put(field.key, field.to_json(rows))


def begin(door: Any, record: DocEnv, field: Lines, row: Mapping[str, Any], keys: Iterable[str] | None = None) -> dict[str, Any]:
    """`{column: value}` of the empty cells of one line (those of `keys`) that begin with something."""
    wanted = None if keys is None else set(keys)
    found: dict[str, Any] = {}
    env = LineEnv(door, field, record, dict(row))
    for column in field.filling:
        if env.row.get(column.key) is not None or wanted is not None and column.key not in wanted:
            continue
        value = _listed(door, record, column, env.row)
        if value is None:
            value = _default(door, record, field, column, env)
        if value is not None:
            found[column.key] = value
            env.row = {**env.row, column.key: value}
    return found


def anew(door: Any, record: DocEnv, field: Lines, row: Mapping[str, Any], was: Mapping[str, Any], changed: str) -> dict[str, Any]:
    """`{column: value or None}` of the cells of a line being typed that go with its column `changed`: see `Door.begins`."""
    now, before = field.loosely(row, door.words), field.loosely(was, door.words)
    touched = {changed}
    for column in field.filling:
        read = field.read_by(column)
        if read & touched or not read and not before:
            touched.add(column.key)

    def goes(key: str) -> bool:
        if key not in touched or key == changed or not is_empty(row.get(key)) and key not in now:
            return False
        rest = {other: value for other, value in before.items() if other != key}
        return key not in now or begin(door, record, field, rest, [key]).get(key) == now[key]

    keys = [column.key for column in field.filling if goes(column.key)]
    found = begin(door, record, field, {key: value for key, value in now.items() if key not in keys}, keys)
    return {key: found.get(key) for key in keys}


def _default(door: Any, record: DocEnv, field: Lines, column: Any, env: LineEnv) -> Any:
    value = column.default
    if hasattr(value, "evaluate"):
        if not all(_open(door, record.entity, field, path) for path in value.uses):
            return None
        try:
            value = value.evaluate(env)
        except (ArithmeticError, TypeError, ValueError):
            return None
        value = getattr(value, "id", value)  # me
    return _clean(door, column, value)


def _listed(door: Any, record: DocEnv, column: Any, row: Mapping[str, Any]) -> Any:
    """The cell from the first of the column's lists that has it, the newest of them first."""
    company = record.company
    for one in column.listed:
        sight = door.sight(one.entity)
        if row.get(one.by) is None or sight.plan.scopes["see"] == "none" or one.lines not in sight.plan.readable:
            continue
        table, fields = sight.entity.fields[one.lines], sight.entity.fields
        best: tuple[Any, Any] | None = None
        for doc_id, doc in company.standing(one.entity):
            if not sight.sees(doc, doc_id) or one.when is not None and not one.when.holds(ListEnv(record, one.entity, doc_id, doc)):
                continue
            age = (doc.get(one.newest) is not None, fields[one.newest].from_json(doc.get(one.newest))) if one.newest else (False, None)
            if best is not None and (not age[0] or best[0][0] and best[0][1] > age[1]):
                continue
            for line in table.from_json(doc.get(one.lines)) or ():
                if line.get(one.by) == row[one.by] and line.get(one.take) is not None:
                    best = (age, line[one.take])
                    break
        if best is not None and (value := _clean(door, column, best[1])) is not None:
            return value
    return None


def _clean(door: Any, column: Any, value: Any) -> Any:
    try:
        return column.clean(value, door.words)
    except (Refused, ArithmeticError, TypeError, ValueError, AttributeError):
        return None


def _open(door: Any, entity: str, field: Lines, path: str) -> bool:
    """Whether the user may read what a default reads."""
    head, _, rest = path.partition(".")
    plans, role = door.company.plans, "*system*" if door.actor.system else door.actor.role
    column = field.columns.get(head)
    if column is None:
        return not rest or bool(plans.open(role, entity, rest))
    if not rest or column.to is None:
        return True
    return plans.rights(role, column.to).see != "none" and bool(plans.open(role, column.to, rest))


def _same(row: Mapping[str, Any], reads: Iterable[str]) -> str:
    return repr([row.get(key) for key in reads])


__all__ = ["anew", "begin", "fill"]
