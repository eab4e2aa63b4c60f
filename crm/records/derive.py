"""What the engine computes: formulas in the record itself, figures over the records that link to it, in the same transaction.

A change of one record settles outwards: its formulas are part of its own write; then the rollups it feeds and the formulas
elsewhere that read it are computed anew and written with `update_derived` (in history, no new version), and so on from there,
at most `DEPTH` links far. A count or a sum of whole numbers is moved by the difference; anything else is computed again by the
store. While many records are written at once (`later`), the affected records are only noted and settled once at the end.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from crm.records import trees
from crm.records.env import points_to, targets
from crm.records.queries import all_of
from crm.records.shape import DELETED, LINKS_ONE, Lookup, Rollup, Shape, by_hand_of
from crm.schema.scope import TREE

if TYPE_CHECKING:
    from crm.records.company import Company

log = logging.getLogger(__name__)

#: How many links far a change may travel; longer chains are settled by `Company.recompute`.
DEPTH = 6
#: Kinds whose stored form is a whole number, so that adding differences is exact.
WHOLE = frozenset({"money", "integer", "duration"})


def same(a: Any, b: Any) -> bool:
    """Whether two stored values are the same (1 and True are not)."""
    return a == b and (isinstance(a, bool) == isinstance(b, bool))


def changed_keys(old: Mapping[str, Any], new: Mapping[str, Any]) -> set[str]:
    """The keys whose stored values differ, absent and None being the same."""
    return {key for key in {*old, *new} if not same(old.get(key), new.get(key))}


def own_formulas(
    shape: Shape, doc: dict[str, Any], env: Any, changed: set[str] | None = None, old: Mapping[str, Any] | None = None
) -> set[str]:
    """Compute the formulas of a record into `doc` (all of them, or those that read something `changed`); the keys that changed.

    A field that follows its formula (`Field.follows`) moves only where something the formula reads is another than in `old`, or while
    it is empty; and a formula that gives nothing leaves what is there."""
    touched: set[str] = set()
    for field, formula, uses in shape.formulas:
        if changed is not None and not (uses & changed or uses & touched) or field.by_hand and field.key in by_hand_of(doc):
            continue
        if field.follows and doc.get(field.key) is not None and not (uses & touched) and not _moved(uses, old, doc):
            continue
        value = compute(field, formula, env)
        if value is None and field.follows:
            continue
        if not same(doc.get(field.key), value):
            touched.add(field.key)
            if value is None:
                doc.pop(field.key, None)
            else:
                doc[field.key] = value
    return touched


def _moved(uses: Iterable[str], old: Mapping[str, Any] | None, doc: Mapping[str, Any]) -> bool:
    return old is not None and any(not same(old.get(key), doc.get(key)) for key in uses)


def compute(field: Any, expression: Any, env: Any) -> Any:
    """The stored value of a formula or rollup; None when it cannot be computed (a division by zero, nothing to add)."""
    try:
        value = expression.evaluate(env)
    except (ArithmeticError, ValueError, TypeError, OverflowError) as error:
        log.debug("%s.%s: %s", env.entity, field.key, error)
        return None
    if value is None or value == "" or value == []:
        return None
    return stored(field, value)


def stored(field: Any, value: Any) -> Any:
    """The stored form of a computed value; one that does not fit the field's type is empty."""
    try:
        return field.to_json(value)
    except (ArithmeticError, ValueError, TypeError, AttributeError) as error:
        log.debug("%s: computed value %r does not fit: %s", field.key, value, error)
        return None


class Settling:
    """The consequences of writes within one step; `later` collects them until `flush`."""

    def __init__(self, company: Company, later: bool = False) -> None:
        self.company = company
        self.later = later
        self.open: dict[tuple[str, int], set[str]] = {}  # record → rollups and formulas to compute anew
        self.watch: Any = None  # notes what is written, for automations

    # -- what a change means for others

    def changed(self, entity: str, doc_id: int, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, depth: int = 0) -> None:
        """A record was made (`old` None), changed, or is gone (`new` None; also softly)."""
        if self.watch is not None and entity in self.watch.book:
            self.watch.note(entity, doc_id, old, new)
        shape = self.company.shapes[entity]
        if old is not None and old.get(DELETED) is not None:
            old = None
        if new is not None and new.get(DELETED) is not None:
            new = None
        if old is None and new is None:
            return
        keys = None if old is None or new is None else changed_keys(old, new)
        waiting: dict[tuple[str, int], dict[str, Any]] = {}
        for rollup in shape.feeding:
            if keys is not None and not (keys & rollup.feeds):
                continue
            before = set(targets(old.get(rollup.link))) if old is not None else set()
            after = set(targets(new.get(rollup.link))) if new is not None else set()
            for target in before | after:
                if self.later:
                    self.open.setdefault((rollup.entity, target), set()).add(rollup.field.key)
                    continue
                step = self._step(rollup, shape, doc_id, old if target in before else None, new if target in after else None, target)
                waiting.setdefault((rollup.entity, target), {})[rollup.field.key] = step
        if shape.treed:
            trees.fed(self, shape, doc_id, old, new, keys, waiting)
        for lookup in shape.watched:
            if keys is None or keys & lookup.keys:
                self._readers(lookup, doc_id, waiting)
        for (name, target), patch in waiting.items():
            self.settle(name, target, patch, depth)

    def _readers(self, lookup: Lookup, doc_id: int, waiting: dict[tuple[str, int], dict[str, Any]]) -> None:
        """The records whose formula reads the one that changed."""
        reader = self.company.schema.entities[lookup.entity]
        for found in self.company.ids(lookup.entity, points_to(reader.fields[lookup.link], doc_id)):
            if self.later:
                self.open.setdefault((lookup.entity, found), set()).add(lookup.field.key)
            else:
                waiting.setdefault((lookup.entity, found), {})[lookup.field.key] = AGAIN

    def _step(
        self, rollup: Rollup, shape: Shape, doc_id: int, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, target: int
    ) -> Any:
        """How a figure moves: `("add", difference)`, `("least"|"most", value)` or AGAIN."""
        if rollup.how is None or self.company.exclusive(rollup):
            return AGAIN
        company = self.company
        was, now = _counted(company, shape, rollup, doc_id, old), _counted(company, shape, rollup, doc_id, new)
        if rollup.how == "count":
            return ("add", int(now is not None) - int(was is not None))
        if rollup.how == "sum" and getattr(shape.entity.fields[rollup.path or ""], "name", "") in WHOLE:
            if rollup.field.name != shape.entity.fields[rollup.path or ""].name:
                return AGAIN
            return ("add", (now or 0) - (was or 0))
        if rollup.how in ("min", "max") and rollup.field.name == shape.entity.fields[rollup.path or ""].name:
            if was is None or was is True or same(was, now):
                return (rollup.how, None if now is True else now)
        return AGAIN

    # -- writing it

    def settle(self, entity: str, doc_id: int, patch: Mapping[str, Any], depth: int) -> bool:
        """Compute and keep figures of one record; whether any of them changed."""
        company = self.company
        table = company.table(entity)
        old = table.get(doc_id=doc_id)
        if old is None or old.get(DELETED) is not None:
            return False
        shape = company.shapes[entity]
        new = dict(old)
        env = company.env(entity, doc_id, new)
        touched: set[str] = set()
        again = {key for key, step in patch.items() if step is AGAIN}
        for rollup in shape.rollups:
            key = rollup.field.key
            if key in again:
                value = self.rollup(rollup, doc_id, env)
            elif key in patch:
                value = _move(old.get(key), patch[key])
            else:
                continue
            if not same(new.get(key), value):
                touched.add(key)
                _put(new, key, value)
        formulas = {field.key for field, _, _ in shape.formulas} & again
        for field, formula, uses in shape.formulas:
            if (field.key in formulas or uses & touched) and not (field.by_hand and field.key in by_hand_of(new)):
                value = compute(field, formula, env)
                if not same(new.get(field.key), value) and not (value is None and field.follows):
                    touched.add(field.key)
                    _put(new, field.key, value)
        if not touched:
            return False
        table.update_derived(doc_id, {key: new.get(key) for key in touched})
        company.wrote(entity)
        if depth < DEPTH:
            self.changed(entity, doc_id, old, new, depth + 1)
        else:
            log.warning("%s %s: a change travelled %s links far and stopped", entity, doc_id, DEPTH)
        return True

    def rollup(self, rollup: Rollup, doc_id: int, env: Any) -> Any:
        """A figure computed from all records that link here, by the store where it is one plain aggregate."""
        company = self.company
        if rollup.back == TREE:
            return trees.total(company, rollup, doc_id, env)
        child, _ = company.schema.entities[rollup.entity].back[rollup.back]
        if rollup.how in ("count", "sum", "min", "max"):
            source = company.schema.entities[child].fields.get(rollup.path or "")
            if rollup.how == "count" or (source is not None and source.name == rollup.field.name and source.kind != "lines"):
                condition = company.expression_query(rollup.where, env.me, (env.today, env.now)) if rollup.where is not None else None
                cond = all_of(company.links_here(child, rollup.link, doc_id), condition)
                found = company.table(child).aggregate((), {"it": (rollup.how, rollup.path or "")}, cond)[0]["it"]
                if rollup.how == "count":
                    return found or 0
                if rollup.how == "sum":
                    return found if found is not None else 0
                return found
        return compute(rollup.field, rollup.field.rollup, env)

    def again(self, entity: str, doc_id: int) -> None:
        """Compute everything of one record anew: one that comes back from the deleted ones."""
        shape = self.company.shapes[entity]
        keys = {rollup.field.key for rollup in shape.rollups} | {field.key for field, _, _ in shape.formulas if not field.follows}
        if keys:
            self.open.setdefault((entity, doc_id), set()).update(keys)

    def flush(self) -> None:
        """Settle what was put off."""
        self.later = False
        rounds = 0
        while self.open and rounds < DEPTH:
            waiting, self.open = self.open, {}
            for (entity, doc_id), keys in waiting.items():
                self.settle(entity, doc_id, dict.fromkeys(keys, AGAIN), rounds)
            rounds += 1


class _Again:
    def __repr__(self) -> str:
        return "AGAIN"


#: Compute from all records.
AGAIN = _Again()


def _put(doc: dict[str, Any], key: str, value: Any) -> None:
    if value is None:
        doc.pop(key, None)
    else:
        doc[key] = value


def _counted(company: Company, shape: Shape, rollup: Rollup, doc_id: int, doc: Mapping[str, Any] | None) -> Any:
    """What one record adds to a figure: its value, True for a count, None when it does not count."""
    if doc is None:
        return None
    if rollup.where is not None and not rollup.where.holds(company.env(shape.entity.name, doc_id, doc)):
        return None
    return True if rollup.path is None else doc.get(rollup.path)


def _move(now: Any, step: Any) -> Any:
    how, value = step
    if how == "add":
        return (now or 0) + value
    if value is None:
        return now
    if now is None:
        return value
    return min(now, value) if how == "min" else max(now, value)


def aggregate_of(expression: Any, back: str) -> tuple[str | None, str | None, Any]:
    """`(how, field, condition)` when a rollup is one aggregate over one list, else three Nones."""
    found = getattr(expression, "aggregate", None)
    if found is None or found[1] != back or found[0] not in ("count", "sum", "min", "max"):
        return None, None, None
    how, _, path, where = found
    if path is not None and "." in path:
        return None, None, None
    return how, path, where


def doc_links(shape: Shape, doc: Mapping[str, Any]) -> Iterable[tuple[Any, int]]:
    """Every (field, id) a stored document links to."""
    for field in (*shape.links, *shape.many):
        for target in targets(doc.get(field.key)):
            yield field, target


__all__ = ["AGAIN", "DEPTH", "LINKS_ONE", "Settling", "aggregate_of", "changed_keys", "compute", "doc_links", "own_formulas", "same"]
