"""A checked expression as a Python function of an environment.

The tree becomes Python source of a closed set of calls (names only as quoted constants, values from a table), compiled once:
`amount * probability` runs as `mul(e0.get('amount'), e0.get('probability'))`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from crm.expressions import nodes as n
from crm.expressions import values as v

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "min": v.smallest, "max": v.largest, "abs": v.absolute, "round": v.rounded, "floor": v.floor, "ceil": v.ceil, "len": v.length,
    "lower": v.lower, "upper": v.upper, "contains": v.contains, "starts_with": v.starts_with, "ends_with": v.ends_with,
    "coalesce": v.coalesce, "days": v.days, "months": v.months, "years": v.years, "year": v.year, "month": v.month,
    "quarter": v.quarter, "week": v.week, "weekday": v.weekday, "date": v.make_date, "concat": v.join, "join": v.join,
}  # fmt: skip
AGGREGATES: dict[str, Callable[..., Any]] = {
    "count": v.count, "sum": v.total, "min": v.least, "max": v.most, "mean": v.mean, "first": v.first, "last": v.last,
    "any": v.some, "all": v.every,
}  # fmt: skip
ARITHMETIC = {"+": "add", "-": "sub", "*": "mul", "/": "div"}
HELPERS = {
    "add": v.add, "sub": v.sub, "mul": v.mul, "div": v.div, "neg": v.neg, "eq": v.eq, "lt": v.lt, "le": v.le, "day": v.day,
    "one": v.one, "filled": v.filled, "among": v.among, "stage": v.stage, "full": v.full, "weight": v.weight, "within": v.within,
}  # fmt: skip


def compile_python(node: n.Node) -> Callable[[Any], Any]:
    """The function that computes a node for an environment."""
    writer = Writer()
    source = f"lambda e0: {writer.write(node)}"
    space = {"__builtins__": {}, "k": writer.constants, **HELPERS}
    space |= {f"f_{name}": function for name, function in FUNCTIONS.items()}
    space |= {f"a_{name}": function for name, function in AGGREGATES.items()}
    made: Callable[[Any], Any] = eval(compile(source, "<expression>", "eval"), space)
    return made


class Writer:
    """Writes the source of nodes; values go to a table."""

    def __init__(self) -> None:
        self.constants: list[Any] = []
        self.temporary = 0

    def constant(self, value: Any) -> str:
        if value is None or isinstance(value, bool):
            return repr(value)
        self.constants.append(value)
        return f"k[{len(self.constants) - 1}]"

    def write(self, node: n.Node) -> str:
        """The source of a node."""
        return str(getattr(self, type(node).__name__.lower())(node))

    def const(self, node: n.Const) -> str:
        return self.constant(node.value)

    def special(self, node: n.Special) -> str:
        if "." not in node.name:
            return f"e0.{node.name}" if node.name != "me" else "one(e0.me)"
        name = {"teams": "team_ids"}.get(node.name[3:], node.name[3:])
        self.constants.append(name)
        return f"k[{self.helper(_mine)}](e0.me, {name!r})"

    def helper(self, function: Any) -> int:
        self.constants.append(function)
        return len(self.constants) - 1

    def env(self, steps: tuple[n.Step, ...], level: int) -> str:
        """The environment at the end of links; may be None."""
        source = f"e{level}"
        for step in steps:
            self.temporary += 1
            name = f"t{self.temporary}"
            source = (
                f"(None if ({name} := {source}) is None else {name}.follow({step.head!r}))"
                if source[0] == "("
                else f"({source}.follow({step.head!r}))"
            )
        return source

    def field(self, node: n.Field) -> str:
        source = self.got(node.steps, node.level, node.key)
        if node.part:
            return f"k[{self.helper(_part)}]({source}, {node.part!r})"
        return source

    def got(self, steps: tuple[n.Step, ...], level: int, key: str) -> str:
        if not steps:
            return f"e{level}.get({key!r})"
        self.temporary += 1
        name = f"t{self.temporary}"
        return f"(None if ({name} := {self.env(steps, level)}) is None else {name}.get({key!r}))"

    def stageof(self, node: n.StageOf) -> str:
        at = node.field
        pipeline = self.got(at.steps, at.level, node.pipeline) if node.pipeline else "None"
        return f"stage({self.constant(at.name.field)}, {self.got(at.steps, at.level, at.key)}, {pipeline}, {node.attribute!r})"

    def items(self, node: n.Items) -> str:
        return f"({''.join(self.write(item) + ', ' for item in node.items)})"

    def sum(self, node: n.Sum) -> str:
        return f"{ARITHMETIC[node.op]}({self.write(node.a)}, {self.write(node.b)})"

    def minus(self, node: n.Minus) -> str:
        return f"neg({self.write(node.a)})"

    def compare(self, node: n.Compare) -> str:
        a, b = self.write(node.a), self.write(node.b)
        kinds = {node.a.kind, node.b.kind}
        if node.as_days:
            a, b = (f"day({source}, e0)" if side.kind == "datetime" else source for source, side in ((a, node.a), (b, node.b)))
        elif kinds & {"link", "me"}:
            a, b = f"one({a})", f"one({b})"
        elif "period" in kinds:
            a, b = f"weight({a})", f"weight({b})"
        if node.op == "==":
            return f"eq({a}, {b})"
        if node.op in ("<", "<="):
            return f"{'lt' if node.op == '<' else 'le'}({a}, {b})"
        return f"{'lt' if node.op == '>' else 'le'}({b}, {a})"

    def filled(self, node: n.Filled) -> str:
        return f"filled({self.write(node.a)})"

    def among(self, node: n.Among) -> str:
        a = self.write(node.a)
        if node.a.kind in ("link", "me", "list"):
            a = f"one({a})"
        return f"among({a}, {self.write(node.b)})"

    def _and(self, node: n.And) -> str:
        return "(" + " and ".join(self.true(item) for item in node.items) + ")"

    def _or(self, node: n.Or) -> str:
        return "(" + " or ".join(self.true(item) for item in node.items) + ")"

    def _not(self, node: n.Not) -> str:
        return f"(not {self.true(node.a)})"

    def true(self, node: n.Node) -> str:
        """The source of a yes or no that is never None."""
        source = self.write(node)
        certain = (n.Compare, n.Filled, n.Among, n.And, n.Or, n.Not)
        return source if isinstance(node, certain) else f"({source} is True)"

    def _if(self, node: n.If) -> str:
        return f"({self.write(node.a)} if {self.true(node.test)} else {self.write(node.b)})"

    def call(self, node: n.Call) -> str:
        return f"f_{node.function}({', '.join(self.write(arg) for arg in node.args)})"

    def within(self, node: n.Within) -> str:
        at = node.field
        return f"within({self.env(at.steps, at.level)}, {at.key!r}, {node.parent!r}, {node.key!r}, {self.write(node.value)})"

    def full(self, node: n.Full) -> str:
        return f"full({self.write(node.a)})"

    def day(self, node: n.Day) -> str:
        return f"day({self.write(node.a)}, e0)"

    def aggregate(self, node: n.Aggregate) -> str:
        row = f"lambda e{node.rows}: "
        value = row + self.write(node.value) if node.value is not None else "None"
        where = row + self.true(node.where) if node.where is not None else "None"
        return f"a_{node.function}({self.env(node.steps, node.level)}, {node.head!r}, {node.name.form!r}, {value}, {where})"


for _name in ("and", "or", "not", "if"):
    setattr(Writer, _name, getattr(Writer, f"_{_name}"))


def _mine(me: Any, name: str) -> Any:
    """An attribute of the acting user."""
    found = getattr(me, name, None)
    if found is None and name == "team_ids":
        found = getattr(me, "teams", None)
    return list(found) if isinstance(found, (set, frozenset, tuple)) else found


def _part(value: Any, name: str) -> Any:
    """A part of an address or a name."""
    found = value.get(name) if isinstance(value, dict) else None
    return found if found else None
