"""Values that rules give and people may overrule: who set what by hand (A4), which record fits a link best (A5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from crm.records.derive import compute, same
from crm.records.shape import HAND, by_hand_of, heads
from crm.words import folded

if TYPE_CHECKING:
    from crm.records.company import Company
    from crm.records.writing import Draft


def by_hand(draft: Draft) -> None:
    """Note which of the given values overrule a rule: one that differs from what is there; emptied, the rule has it again."""
    fields, doc, old = draft.sight.entity.fields, draft.doc, draft.old or {}
    given = [key for key in draft.given if fields[key].by_hand]
    if not given:
        return
    hand = set(by_hand_of(doc))
    for key in given:
        if doc.get(key) is None:
            hand.discard(key)
        elif not same(doc[key], old.get(key)):
            hand.add(key)
    draft.put(HAND, sorted(hand) or None)


def agreed(draft: Draft) -> None:
    """What was given and is what the field's formula gives, or what it gives nothing for, overrules nothing: it goes on following."""
    hand = set(by_hand_of(draft.doc))
    for field, formula, _ in draft.shape.formulas:
        if field.follows and field.key in hand and field.key in draft.given:
            value = compute(field, formula, draft.env)
            if value is None or same(value, draft.doc.get(field.key)):
                hand.discard(field.key)
    if len(hand) != len(by_hand_of(draft.doc)):
        draft.put(HAND, sorted(hand) or None)


def overruled(door: Any, entity: str, id: int) -> dict[str, Any]:
    """`{key: what its formula gives}` of the readable fields of a record that say something else because somebody set them by hand."""
    company, sight = door.company, door.sight(entity)
    doc = company.doc(entity, id)
    if doc is None or not sight.sees(doc, id):
        return {}
    found: dict[str, Any] = {}
    for field, formula, _ in company.shapes[entity].formulas:
        if field.follows and field.key in sight.plan.readable:
            value = compute(field, formula, company.env(entity, id, doc))
            if value is not None and not same(value, doc.get(field.key)):
                found[field.key] = field.from_json(value)
    return found


def matched(company: Company, draft: Draft) -> None:
    """Set the links that find their record by themselves: at creation, and when what they compare has changed."""
    doc, old = draft.doc, draft.old
    for field in draft.shape.matching:
        if field.key in by_hand_of(doc):
            continue
        if old is not None and (field.key not in draft.given or doc.get(field.key) is not None):
            read = frozenset().union(*(heads(one.value.uses) for one in field.match))
            if not any(not same(doc.get(key), old.get(key)) for key in read):
                continue
        if old is None and doc.get(field.key) is not None:
            continue
        draft.put(field.key, fitting(company, field, draft.env))


def fitting(company: Company, field: Any, env: Any) -> int | None:
    """The record over there that fits best: none of its filled fields speaks against it, and most of them (the longest beginnings
    first) speak for it. None when no record has anything to say."""
    values = []
    for one in field.match:
        try:
            values.append(one.value.evaluate(env))
        except (ArithmeticError, ValueError, TypeError):
            values.append(None)
    best: tuple[Any, ...] = ()
    found = None
    for doc_id, doc in company.standing(field.to):
        score = fit(field.match, values, doc, company.schema.entities[field.to].fields)
        if score is not None and score > best:
            best, found = score, doc_id
    return found


def fit(rules: Iterable[Any], values: list[Any], doc: Mapping[str, Any], fields: Mapping[str, Any]) -> tuple[int, int] | None:
    """(how many comparisons speak for it, letters that agree); None when one speaks against it or none for it."""
    agree = letters = 0
    for rule, value in zip(rules, values, strict=True):
        theirs = {way: doc.get(key) for way, key in rule.keys.items()}
        if all(one in (None, "", []) for one in theirs.values()):
            continue
        if value is None:
            return None
        if "in" in theirs:
            if plain(value) not in {plain(one) for one in several(theirs["in"])}:
                return None
        elif "starts" in theirs:
            said = plain(value)
            longest = max((len(plain(one)) for one in several(theirs["starts"]) if said.startswith(plain(one))), default=0)
            if not longest:
                return None
            letters += longest
        else:
            low, high = (None if theirs.get(way) is None else fields[rule.keys[way]].from_json(theirs[way]) for way in ("from", "to"))
            try:
                if low is not None and value < low or high is not None and value >= high:
                    return None
            except TypeError:
                return None
        agree += 1
    return (agree, letters) if agree else None


def several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def plain(value: Any) -> str:
    """A text for comparing: small letters, no accents, no blanks or dashes (postcodes are written in many ways)."""
    return folded(str(value)).replace(" ", "").replace("-", "")


def again(door: Any, entity: str, field: str, ids: Iterable[int]) -> int:
    """Find the record of a link anew for many; what was set by hand stays. How many changed."""
    company = door.company
    one = company.schema.entities[entity].fields[field]
    changed = 0
    with door.step("Assigned anew", later=True):
        for doc_id in ids:
            doc = company.doc(entity, doc_id)
            if doc is None or field in by_hand_of(doc):
                continue
            found = fitting(company, one, company.env(entity, doc_id, doc))
            if not same(found, doc.get(field)) and found is not None:
                door.change(entity, doc_id, {field: None})  # emptied, it finds its record again
                changed += 1
    return changed


__all__ = ["again", "agreed", "by_hand", "fit", "fitting", "matched", "overruled"]
