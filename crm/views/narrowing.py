"""The filters of an address as one condition in the expression language, for what asks in that language: reports."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from crm.errors import Refused

#: Operators that can be said, for every kind of field; what is not here is not offered.
SAID = (
    "is",
    "is_not",
    "any_of",
    "contains",
    "starts",
    "over",
    "under",
    "before",
    "after",
    "between",
    "in_last",
    "in_next",
    "empty",
    "filled",
    "within",
)


def literal(value: Any) -> str:
    """A value as the expression language writes it."""
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, (int, Decimal)):
        return format(Decimal(value), "f")
    return json.dumps(str(value), ensure_ascii=False)


def condition(field: Any, op: str, typed: Any, t: Any) -> str:
    """One filter as an expression; raises `Refused` for what cannot be said or read."""
    key = field.key
    if op not in SAID or op not in (field.operators or ()):
        raise Refused("This cannot be filtered so.")
    if op in ("empty", "filled"):
        return f"{key} {'==' if op == 'empty' else '!='} None"
    if field.name in ("date", "datetime"):
        return of_days(field, op, typed, t)
    if op == "within":
        return f"within({key}, {int(typed)})"
    if op in ("contains", "starts"):
        return f"{'contains' if op == 'contains' else 'starts_with'}({key}, {literal(str(typed))})"

    def read(one: Any) -> str:
        kept = field.read(one, t)
        kept = kept[0] if isinstance(kept, (list, tuple)) and len(kept) == 1 else kept
        if kept is None:
            raise Refused("Say what to compare with.")
        return literal(kept)

    many = field.name in ("links", "choices", "tags")
    if op in ("is", "is_not"):
        said = f"contains({key}, {read(typed)})" if many else f"{key} == {read(typed)}"
        return said if op == "is" else f"not ({said})"
    if op == "any_of":
        several = [read(one) for one in (typed if isinstance(typed, (list, tuple)) else [typed])]
        return " or ".join(f"contains({key}, {one})" for one in several) if many else f"{key} in [{', '.join(several)}]"
    if op == "between":
        low, high = field.bounds(typed)
        return " and ".join([f"{key} >= {read(low)}"] * (low is not None) + [f"{key} <= {read(high)}"] * (high is not None))
    return f"{key} {'>' if op in ('over', 'after') else '<'} {read(typed)}"


def of_days(field: Any, op: str, typed: Any, t: Any) -> str:
    """A filter of days: whole days of the user, also of moments."""
    key = field.key
    first, last = (one.date() if isinstance(one, datetime) else one for one in field.span(op, typed, t))

    def day(one: date) -> str:
        return f"date('{one.isoformat()}')"

    if op == "before":
        return f"{key} < {day(first)}"
    if op == "after":
        return f"{key} >= {day(last + timedelta(days=1))}"
    inside = " and ".join(
        [f"{key} >= {day(first)}"] * (first is not None) + [f"{key} < {day(last + timedelta(days=1))}"] * (last is not None)
    )
    return f"not ({inside})" if op == "is_not" else inside


def narrowed(listing: Any) -> str:
    """All filters of an address together, and the expression that came with a link; "" without any."""
    found = [listing.args["w"]] if listing.args.get("w") else []
    for key, op, value in listing.filters:
        try:
            found.append(condition(listing.fields[key], op, value, listing.t))
        except (Refused, ValueError, TypeError):
            continue
    return " and ".join(f"({one})" for one in found) if len(found) > 1 else "".join(found)
