"""Which kinds of values go together: arithmetic, comparison, the functions and what they take."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from difflib import get_close_matches
from typing import Any

from crm.errors import Said
from crm.expressions import nodes as n
from crm.expressions.nodes import Node
from crm.words import ENGLISH

NUMBERS = {"number", "money", "percent", "duration", "integer"}
TEXTS = {"text", "choice"}
TIMES = {"date", "datetime"}

#: Functions: kinds of the arguments (a group name, `?` for optional) and the kind of the result (`=` the first argument's).
FUNCTIONS: dict[str, tuple[tuple[str, ...], str, str]] = {
    "min": (("any*",), "=", "The smallest of several values, or of a list: `min(offers.amount)`"),
    "max": (("any*",), "=", "The largest of several values, or of a list: `max(activities.on)`"),
    "abs": (("number",), "=", "Without its sign"),
    "round": (("number", "number?"), "=", "Rounded half up, to places after the point"),
    "floor": (("number",), "=", "Rounded down"),
    "ceil": (("number",), "=", "Rounded up"),
    "len": (("text or list",), "number", "How many letters or items"),
    "lower": (("text",), "text", "In small letters"),
    "upper": (("text",), "text", "In capitals"),
    "contains": (("text or list", "any"), "boolean", "Whether a text has a part (case and accents ignored), or a list an item"),
    "starts_with": (("text", "text"), "boolean", "Whether a text begins so (case and accents ignored)"),
    "ends_with": (("text", "text"), "boolean", "Whether a text ends so (case and accents ignored)"),
    "coalesce": (("any*",), "=", "The first value that is not empty"),
    "within": (("link", "any"), "boolean", "Whether a linked record or one above it is this one: `within(territory, 'North')`"),
    "if_": (("condition", "any", "any?"), "if", "The second value where the condition holds, else the third"),
    "days": (("period or number",), "days", "A period in days: `days(today - created_on)`; or so many days: `days(14)`"),
    "months": (("number",), "period", "So many months"),
    "years": (("number",), "period", "So many years"),
    "year": (("time",), "number", "The year of a date"),
    "month": (("time",), "number", "The month of a date, 1 to 12"),
    "quarter": (("time",), "number", "The quarter of a date, 1 to 4"),
    "week": (("time",), "number", "The week of a date (ISO 8601)"),
    "weekday": (("time",), "number", "The day of the week, 1 is Monday"),
    "date": (("any", "number?", "number?"), "date", "A date: `date('2026-12-24')`, `date(2026, 12, 24)`, or the day of a moment"),
    "concat": (("any*",), "text", "Texts one after the other"),
    "join": (("any*",), "text", "The same as concat"),
    "count": (("list", "where?"), "number", "How many: `count(activities, done_on != None)`"),
    "sum": (("list", "where?"), "=", "The sum: `sum(opportunities.amount, stage.open)`"),
    "mean": (("list", "where?"), "=", "The average"),
    "first": (("list", "where?"), "=", "The first value, in the order of entry"),
    "last": (("list", "where?"), "=", "The last value, in the order of entry"),
    "any": (("list", "where?"), "boolean", "Whether there is one: `any(offers, status == 'sent')`"),
    "all": (("list", "where?"), "boolean", "Whether it is so for all of them"),
}
AGGREGATES = {"count", "sum", "min", "max", "mean", "first", "last", "any", "all"}
SPECIALS = {"today": "date", "now": "datetime", "me": "me"}
ME = {"id": "number", "name": "text", "login": "text", "team": "link", "role": "choice", "teams": "list", "language": "text"}
WORDS = {"true": True, "false": False, "none": None, "null": None, "empty": None}
SPOKEN = {
    "boolean": "yes or no", "link": "a linked record", "list": "a list", "lines": "a list of rows", "me": "a user", "period": "a length of time",
    "text": "text", "choice": "a choice", "number": "a number", "money": "money", "percent": "a percentage", "date": "a date",
    "datetime": "a date and time", "duration": "a duration", "address": "an address", "file": "a file", "none": "nothing", "any": "anything",
    "name": "a person's name",
}  # fmt: skip


#: The kinds in words, and what joins them and is done with them: what may stand in a message for a kind.
words = (
    "yes or no", "a linked record", "a list", "a list of rows", "a user", "a length of time", "text", "a choice", "a number", "money",
    "a percentage", "a date", "a date and time", "a duration", "an address", "a file", "nothing", "anything", "a person's name", "or", "and",
    "added to", "taken from", "multiplied by", "divided by",
)  # fmt: skip


class Kinds(Said):
    """Kinds of values as a message names them, with a capital at its beginning: "A number", "a date or a number"."""

    def say(self, t: Any = None) -> str:
        if t is None:
            return str(self)
        text = self.text[:1].lower() + self.text[1:]
        parts = [text] if text in words else re.split(r" (or|and) ", text)
        said = " ".join(t(part) if part in words else part for part in parts)
        return said[:1].upper() + said[1:] if self.text[:1].isupper() else said


class ExpressionError(Said, ValueError):
    """A mistake in an expression: `message`, `offset` into the text (from 0), and in `mend` how to put it right."""

    def __init__(self, message: str, offset: int = 0, mend: str = "", /, **values: Any) -> None:
        told = {key: Kinds(one) if key in ("a", "b", "kind", "kinds", "wanted", "done") and isinstance(one, str) else one for key, one in values.items()}
        super().__init__(message, **told)
        self.offset, self.mend = offset, mend

    @property
    def message(self) -> str:
        return str(self)

    def __reduce__(self) -> Any:
        return type(self), (self.message, self.offset, self.mend)


def truth(node: Node) -> Node:
    """A node as yes or no; numbers must be compared with something."""
    if node.kind == "row":
        assert isinstance(node, n.Field)
        raise ExpressionError("'{name}' is a list of records.", node.at, f"Say what of it: count({node.key}) > 0.", name=node.key)
    if node.kind in NUMBERS or node.kind == "period":
        raise ExpressionError(
            "This is {kind}, where yes or no is needed.", node.at, "Compare it, as in `> 0` or `!= None`.", kind=SPOKEN[node.kind]
        )
    if isinstance(node, n.Const) and node.kind in ("text", "list"):
        raise ExpressionError("This is {kind}, where yes or no is needed.", node.at, "Compare it with a field.", kind=SPOKEN[node.kind])
    return condition(node)


def condition(node: Node) -> Node:
    """A value used as yes or no: yes-or-no values as they are, others by whether they are filled."""
    return node if node.kind == "boolean" else n.Filled("boolean", node.at, node)


def common(items: list[Node], at: int) -> str:
    kinds = {item.kind for item in items} - {"none", "any"}
    if not kinds:
        return "any" if any(item.kind == "any" for item in items) else "none"
    if len(kinds) == 1:
        return kinds.pop()
    for group, kind in ((TEXTS, "text"), (TIMES, "datetime"), ({"money", "number", "integer"}, "money"), (NUMBERS, "number")):
        if kinds <= group:
            return kind
    told = " and ".join(sorted(SPOKEN.get(kind, kind) for kind in kinds))
    raise ExpressionError("{kinds} cannot stand for each other.", at, "All of them must be of one kind.", kinds=told)


def sum_kind(op: str, a: Node, b: Node, at: int) -> str:
    x, y = a.kind, b.kind
    pair = {x, y}
    if "any" in pair or "none" in pair:
        return x if y in ("any", "none") else y
    if op in "+-":
        if x in TIMES and y == "period":
            return x
        if op == "+" and x == "period" and y in TIMES:
            return y
        if op == "-" and x in TIMES and y in TIMES:
            return "period"
        if pair == {"period"}:
            return "period"
        if pair <= {"duration", "period"} or pair == {"duration", "number"}:
            return "duration"
        if pair == {"money", "percent"}:
            raise ExpressionError("A percentage cannot be added to money.", at, "Multiply: amount * (1 + 10%).")
        if x in NUMBERS and y in NUMBERS and "duration" not in pair:
            return x if x == y else "money" if "money" in pair else "number"
        if op == "+" and pair <= TEXTS:
            return "text"
        if pair & TIMES and pair & NUMBERS:
            raise ExpressionError("A number cannot be added to a date.", at, "Say of what: 30d, 2w, 3m or 1y.")
    elif op == "*":
        if "period" in pair and pair <= {"period", "number"}:
            return "period"
        if pair == {"money"}:
            raise ExpressionError("Money cannot be multiplied by money.", at, "Multiply by a number or a percentage.")
        if x in NUMBERS and y in NUMBERS:
            return x if x == y else next((kind for kind in ("money", "duration") if kind in pair), "number")
    elif op == "/":
        if x in NUMBERS and y in NUMBERS:
            if x == y:
                return "number"
            if y in ("money", "duration"):
                raise ExpressionError("{a} cannot be divided by {b}.", at, "", a=SPOKEN[x].capitalize(), b=SPOKEN[y])
            return x if x in ("money", "duration", "percent") and y in ("number", "percent") else "number"
    names = {"+": "added to", "-": "taken from", "*": "multiplied by", "/": "divided by"}
    first, second = (y, x) if op in "+-" else (x, y)
    mend = "Use concat(…) to put texts together." if op == "+" and pair & TEXTS else ""
    raise ExpressionError(
        "{a} cannot be {done} {b}.", at, mend, a=SPOKEN.get(first, first).capitalize(), done=names[op], b=SPOKEN.get(second, second)
    )


def dated(a: Node, b: Node) -> tuple[Node, Node]:
    """A text beside a date is a date: `close_on < '2026-12-31'`."""
    for x, y in ((a, b), (b, a)):
        if x.kind in TIMES and isinstance(y, n.Const) and y.kind == "text":
            made = date_of(y, x.kind)
            return (a, made) if y is b else (made, b)
    return a, b


def date_of(node: n.Const, kind: str) -> Node:
    text = str(node.value).strip()
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            return n.Const("date", node.at, date.fromisoformat(text))
        if kind == "datetime" and re.match(r"\d{4}-\d\d-\d\d[T ]\d\d", text):
            return n.Const("datetime", node.at, ENGLISH.parse_datetime(text))
    except ValueError:
        pass
    raise ExpressionError("'{text}' is not a date.", node.at, "Write it as '2026-12-31'.", text=text[:40])


def span(a: Node, b: Node, sign: str) -> tuple[Node, Node, str]:
    """`today - on > 30d` becomes `on < today - 30d`: exact by the calendar, and the store can look it up."""
    flip = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
    if isinstance(b, n.Sum) and b.op == "-" and b.kind == "period" and n.is_constant(a):
        a, b, sign = b, a, flip[sign]
    if isinstance(a, n.Sum) and a.op == "-" and a.kind == "period" and b.kind == "period" and a.a.kind in TIMES and n.is_constant(b):
        first, second = a.a, a.b
        if n.is_constant(first):
            return second, n.Sum(first.kind, a.at, "-", first, b), flip[sign]
        return first, n.Sum(second.kind, a.at, "+", second, b), sign
    return a, b, sign


def comparable(sign: str, a: Node, b: Node, at: int) -> bool:
    """Refuse what cannot be compared; whether calendar days are compared."""
    x, y = a.kind, b.kind
    pair = {x, y}
    if "any" in pair or "none" in pair:
        return False
    if x in TIMES and y in TIMES:
        return x != y
    if x in TEXTS and y in TEXTS:
        return False
    if x in NUMBERS and y in NUMBERS and (x == y or "number" in pair or "integer" in pair):
        return False
    if pair <= {"period", "duration"}:
        return False
    equal = sign in ("==", "!=")
    if equal and pair <= {"link", "me", "number", "integer"} and pair & {"link", "me"}:
        return False
    if equal and pair == {"boolean"}:
        return False
    mend = ""
    if "list" in pair:
        mend = "Use `in`, as in 'vip' in tags."
    elif pair & TIMES and pair & NUMBERS:
        mend = "Compare a date with a date (today + 30d), or a number of days: days(today - created_on) > 30."
    elif "link" in pair and pair & TEXTS:
        mend = "Compare a field of the linked record: account.name == '…'."
    elif pair & TEXTS and pair & NUMBERS:
        mend = "Write a number without quotes."
    elif pair == {"money", "percent"}:
        mend = "Compare money with money: amount > 10% * budget."
    elif pair == {"boolean"}:
        mend = "Use == or !=."
    raise ExpressionError("{a} cannot be compared with {b}.", at, mend, a=SPOKEN.get(x, x).capitalize(), b=SPOKEN.get(y, y))


def options(node: Node, other: Node) -> Node:
    """A text compared with a choice must be one of its options."""
    if isinstance(node, n.Const) and isinstance(node.value, str):
        there = list(known(other))
        if there and node.value not in there:
            close = get_close_matches(node.value[:60], there, 1, 0.6)
            mend = f"Did you mean '{close[0]}'?" if close else f"There are: {', '.join(there[:12])}."
            raise ExpressionError("'{name}' is none of the options.", node.at, mend, name=node.value[:40])
    return node


def known(node: Node) -> Iterable[str]:
    if isinstance(node, n.StageOf):
        return {"outcome": ("won", "lost"), "forecast": ("closed", "commit", "best_case", "pipeline", "omitted")}.get(node.attribute, ())
    field = node.name.field if isinstance(node, n.Field) and not node.part else None
    if field is None or getattr(field, "name", "") == "tags":
        return ()
    return [*(getattr(field, "options", None) or ())]


def argument(name: str, wanted: str, arg: Node) -> None:
    if arg.kind == "row":
        truth(arg)
    groups = {
        "number": NUMBERS, "text": TEXTS, "time": TIMES, "text or list": TEXTS | {"list", "lines"}, "period or number": {"period", "number", "integer"},
    }  # fmt: skip
    if wanted == "condition":
        truth(arg)
    elif wanted in groups and arg.kind not in groups[wanted] | {"any", "none"}:
        told = {"time": "a date", "number": "a number"}.get(wanted, wanted)
        raise ExpressionError(
            "{name} takes {wanted}, not {kind}.",
            arg.at,
            FUNCTIONS[name][2] + ".",
            name=name,
            wanted=told,
            kind=SPOKEN.get(arg.kind, arg.kind),
        )
