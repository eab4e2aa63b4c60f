"""Classes over the whole base (A4): records ranked by a figure and cut by shares of its sum or parts of their number.

A class is kept in a field by the worker, as computed values are (in history, no new version). What somebody set by hand stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING, Any

from tinydb.queries import where

from crm.records.actor import SYSTEM
from crm.records.derive import own_formulas, same
from crm.records.formulas import spoken
from crm.records.queries import all_of
from crm.records.shape import HAND, by_hand_of
from crm.schema.model import ClassRule

if TYPE_CHECKING:
    from crm.records.company import Company

#: Records written in one commit: others may write in between.
BATCH = 500


def cut(rule: ClassRule, ranked: Iterable[tuple[int, Any]]) -> dict[int, str]:
    """The class of each of `(id, figure)`: highest first; equal figures are of one class. What earns nothing is in the last one.

    By shares a record belongs to the first class whose edge lies above what those before it make up: the one that crosses 80 % is still
    an a. By parts the edge lies above the part of the records before it.
    """
    rows = sorted(ranked, key=lambda row: (-(row[1] or 0), row[0]))
    total: Any = Decimal(str(sum(max(value or 0, 0) for _, value in rows))) if rule.cut == "shares" else len(rows)
    found: dict[int, str] = {}
    before: Any = Decimal(0)
    options = list(rule.edges)
    for value, group in groupby(rows, key=lambda row: row[1] or 0):
        ids = [one for one, _ in group]
        if rule.cut == "shares" and value <= 0 or not total:
            option = options[-1]
        else:
            option = next((key for key, edge in rule.edges.items() if before < edge * total), options[-1])
        found |= dict.fromkeys(ids, option)
        before += Decimal(str(value)) * len(ids) if rule.cut == "shares" else len(ids)
    return found


def renew(company: Company, rule: ClassRule) -> int:
    """Rank all records anew and write the classes that changed; how many. Safe to run twice, or to be killed in between."""
    entity = rule.entity
    condition = company.expression_query(rule.where, SYSTEM) if rule.where is not None else None
    classes = cut(rule, company.raw(entity, ["doc_id", rule.by], condition))
    changed: list[tuple[int, str | None]] = []
    for doc_id, now, hand in company.raw(entity, ["doc_id", rule.field, HAND]):
        wanted = classes.get(doc_id, rule.otherwise)
        if now != wanted and rule.field not in (hand or ()):
            changed.append((doc_id, wanted))
    for at in range(0, len(changed), BATCH):
        with company.writing(SYSTEM, "Classes") as writing:
            for doc_id, wanted in changed[at : at + BATCH]:
                put(company, writing.settling, rule, doc_id, wanted)
    return len(changed)


def put(company: Company, settling: Any, rule: ClassRule, doc_id: int, option: str | None) -> None:
    old = company.doc(rule.entity, doc_id)
    if old is None or same(old.get(rule.field), option) or rule.field in by_hand_of(old):
        return
    new = dict(old)
    new.pop(rule.field, None)
    if option is not None:
        new[rule.field] = option
    touched = own_formulas(company.shapes[rule.entity], new, company.env(rule.entity, doc_id, new), {rule.field}) | {rule.field}
    company.table(rule.entity).update_derived(doc_id, {key: new.get(key) for key in touched})
    company.wrote(rule.entity)
    settling.changed(rule.entity, doc_id, old, new)


def why(door: Any, entity: str, id: int, key: str) -> str | None:
    """Where a value comes from, in words for the user; None when it is simply what somebody typed.

    The place in the ranking is told to those who see all records; others learn the class's edge only.
    """
    company, t = door.company, door.words
    sight = door.sight(entity)
    doc = company.doc(entity, id)
    field = sight.entity.fields.get(key)
    if doc is None or field is None or key not in sight.plan.readable or not sight.sees(doc, id):
        return None
    if field.by_hand and key in by_hand_of(doc):
        return str(t("Set by hand. Empty it to let the rule decide again."))
    if field.rule:
        env = company.env(entity, id, doc, door.actor)
        for row in field.rule:
            if row.when is None or row.when.holds(env):
                if row.when is None:
                    return str(t("By rule: nothing else holds."))
                return str(t("By rule: {condition}.", condition=spoken(row.when, sight.entity, company.schema, t)))
        return None
    if field.match and doc.get(key) is not None:
        return str(t("Found by {fields}.", fields=", ".join(_asked(field, sight, company, t))))
    rule = next((one for one in company.schema.classes.values() if (one.entity, one.field) == (entity, key)), None)
    if rule is None or rule.by not in sight.plan.readable or doc.get(key) not in rule.edges:
        return None
    return _place(door, sight, rule, doc)


def _asked(field: Any, sight: Any, company: Company, t: Any) -> Sequence[str]:
    return list(dict.fromkeys(spoken(one.value, sight.entity, company.schema, t) for one in field.match))


def _place(door: Any, sight: Any, rule: ClassRule, doc: Any) -> str | None:
    company, t = door.company, door.words
    condition = company.expression_query(rule.where, SYSTEM) if rule.where is not None else None
    if rule.where is not None and not rule.where.holds(company.env(rule.entity, doc.doc_id, doc)):
        return None
    measure = sight.entity.fields[rule.by].label_in(t)
    edge = t.percent(rule.edges[doc[rule.field]])
    told = t("within the first {edge} of {measure}", edge=edge, measure=measure)
    if rule.cut == "parts":
        told = t("among the first {edge} by {measure}", edge=edge, measure=measure)
    if sight.plan.scopes["see"] != "all":
        return str(told[:1].upper() + told[1:] + ".")
    value = doc.get(rule.by)
    above = company.count(rule.entity, all_of(condition, where(rule.by) > value)) if value is not None else 0
    n = company.count(rule.entity, condition)
    return str(t("No. {place} of {n}, {told}.", place=above + 1, n=n, told=told))
