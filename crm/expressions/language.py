"""From text to a checked expression: literals, names, kinds; every mistake with its place and how to mend it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from typing import Any

from tinydb.queries import QueryInstance

from crm.expressions import nodes as n
from crm.expressions.kinds import (
    AGGREGATES,
    FUNCTIONS,
    ME,
    NUMBERS,
    SPECIALS,
    SPOKEN,
    TEXTS,
    TIMES,
    WORDS,
    ExpressionError,
    argument,
    common,
    comparable,
    condition,
    date_of,
    dated,
    known,
    options,
    span,
    sum_kind,
    truth,
)  # fmt: skip
from crm.expressions.literals import Source
from crm.expressions.nodes import Name, Node, lowered
from crm.expressions.python import compile_python
from crm.expressions.store import compile_query

LONGEST, DEEPEST, MOST = 2000, 40, 400


class Expression:
    """A parsed and checked expression.

    `text` as written · `kind` of its value · `uses` dotted paths of the fields it reads (`account.kind`, `activities.on`) ·
    `constants` which of today, now, me it needs · `aggregate` `(function, list, path or None, where as Expression or None)` when it
    is one aggregate over one list of linked records and nothing else, so that it can be kept up to date in steps.
    """

    def __init__(self, text: str, node: Node, uses: Iterable[str], constants: Iterable[str], scope: Any = None) -> None:
        self.text, self.node, self.kind, self.scope = text, node, node.kind, scope
        self.uses, self.constants = frozenset(uses), frozenset(constants)
        self._run: Callable[[Any], Any] | None = None
        self._truth: Callable[[Any], Any] | None = None
        self.aggregate: tuple[str, str, str | None, Expression | None] | None = None

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    def __str__(self) -> str:
        return self.text

    def evaluate(self, env: Any) -> Any:
        """The value for one record; None where it cannot be computed."""
        run = self._run
        if run is None:
            run = self._run = compile_python(self.node)
        return run(env)

    def holds(self, env: Any) -> bool:
        """The value as a condition."""
        if self._truth is None:
            self._truth = compile_python(condition(self.node))
        return self._truth(env) is True

    def query(self, today: Any = None, now: Any = None, me: Any = None, tables: Any = None, guard: Any = None) -> QueryInstance:
        """The condition as a query over stored documents.

        `tables` gives the store's table of an entity: a mapping, a function, or None where tables are called as entities are.
        `guard(entity)` may give a query that linked records must fulfil to be looked at; others count as not there.
        """
        return compile_query(self, condition(self.node), today, now, me, tables, guard)


def parse(text: Any, scope: Any, *, expects: str | Iterable[str] | None = None) -> Expression:
    """Check an expression against what `scope` names. `expects` is the kind (or kinds) it must have: `boolean` for conditions.

    Raises ExpressionError with the place in the text.
    """
    return Parser(str(text), scope).parse(expects)


class Parser:
    """One parse of one text."""

    def __init__(self, text: str, scope: Any) -> None:
        self.text = text
        self.source = Source(text)
        self.scopes = [scope]
        self.uses: set[str] = set()
        self.constants: set[str] = set()
        self.row: tuple[tuple[n.Step, ...], str, Name, int] | None = None  # the list that the aggregate being read goes over
        self.collecting = False  # whether a list may be named
        self.heads: list[str] = [""]
        self.prefixes: list[str] = [""]
        self.depth = 0

    def parse(self, expects: str | Iterable[str] | None) -> Expression:
        """Text to Expression."""
        if not self.text.strip():
            raise ExpressionError("There is no expression here.", 0, "Write a field, a comparison or a formula, or leave the key out.")
        if len(self.text) > LONGEST:
            raise ExpressionError("This expression is longer than {max} characters.", LONGEST, "Split it into several fields.", max=LONGEST)
        tree = self.source.tree()
        if sum(1 for _ in ast.walk(tree)) > MOST * 3:
            raise ExpressionError("This expression has too many parts.", 0, "Split it into several fields.")
        node = self.node(tree.body)
        if expects:
            node = self._expected(node, {expects} if isinstance(expects, str) else set(expects))
        result = Expression(self.text, node, self.uses, self.constants, self.scopes[0])
        result.aggregate = self._single(node)
        return result

    # --- nodes

    def node(self, tree: ast.expr) -> Node:
        """A checked node of one part."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise ExpressionError("This expression is nested too deeply.", self.source.at(tree), "Split it into several fields.")
        try:
            method = getattr(self, f"_{type(tree).__name__.lower()}", None)
            if method is None:
                raise ExpressionError(
                    "This is not allowed in an expression.",
                    self.source.at(tree),
                    "There are fields, comparisons, `and or not in`, + - * / and functions.",
                )
            result: Node = method(tree)
            return result
        finally:
            self.depth -= 1

    def _constant(self, tree: ast.Constant) -> Node:
        value, at = tree.value, self.source.at(tree)
        if value is None:
            return n.Const("none", at, None)
        if isinstance(value, bool):
            return n.Const("boolean", at, value)
        if isinstance(value, str):
            return n.Const("text", at, value)
        if isinstance(value, (int, float)):
            try:
                number = Decimal(self.text[at : self.source.end(tree)].replace("_", ""))
            except InvalidOperation:
                number = Decimal("NaN")
            if not number.is_finite() or (number and not -20 < number.adjusted() < 20):
                raise ExpressionError("This number is too large or too small.", at, "At most 20 digits.")
            return n.Const("number", at, number)
        raise ExpressionError(
            "This is not allowed in an expression.", at, "Values are numbers, texts in quotes, 30d, 15%, True, False and None."
        )

    def _name(self, tree: ast.Name) -> Node:
        at = self.source.at(tree)
        if at in self.source.literals:
            kind, value = self.source.literals[at]
            return n.Const(kind, at, value)
        return self._path([self.source.renamed.get(at, tree.id)], [at])

    def _attribute(self, tree: ast.Attribute) -> Node:
        names, places = [], []
        part: ast.expr = tree
        while isinstance(part, ast.Attribute):
            place = self.source.end(part) - len(part.attr)
            names.append(self.source.renamed.get(place, part.attr))
            places.append(place)
            part = part.value
        at = self.source.at(part)
        if not isinstance(part, ast.Name) or at in self.source.literals:
            raise ExpressionError("Only a field can stand before a point.", at, "Write link.field.")
        names.append(self.source.renamed.get(at, part.id))
        places.append(at)
        return self._path(names[::-1], places[::-1])

    def _path(self, names: list[str], places: list[int]) -> Node:
        head, at = names[0], places[0]
        level = len(self.scopes) - 1
        found = self.scopes[level].resolve(head)
        while found is None and level:
            level -= 1
            found = self.scopes[level].resolve(head)
        if found is not None and found.many and len(names) > 1 and level < len(self.scopes) - 1 and self.heads[level + 1] == head:
            return self._path(names[1:], places[1:])  # the list's name again before a field of its rows
        if found is not None:
            return replace(self._follow(names, places, found, level, (), self.prefixes[level]), at=at)
        if head in SPECIALS:
            return self._special(names, places)
        if head.lower() in WORDS and len(names) == 1:
            value = WORDS[head.lower()]
            return n.Const("none" if value is None else "boolean", at, value)
        raise self._unknown(head, at, self.scopes[-1])

    def _special(self, names: list[str], places: list[int]) -> Node:
        head = names[0]
        self.constants.add(head)
        if len(names) == 1:
            return n.Special(SPECIALS[head], places[0], head)
        if head == "me" and len(names) == 2 and names[1] in ME:
            return n.Special(ME[names[1]], places[0], f"me.{names[1]}")
        known = ", ".join(f"me.{name}" for name in ME)
        raise ExpressionError("There is no '{name}' here.", places[1], f"There are: {known}." if head == "me" else "", name=".".join(names))

    def _follow(self, names: list[str], places: list[int], found: Name, level: int, steps: tuple[n.Step, ...], prefix: str) -> Node:
        name, at, rest = names[0], places[0], names[1:]
        dotted = prefix + name
        self.uses.add(dotted)
        if found.many and self.collecting:
            return self._of_rows(names, places, found, level, steps, dotted)
        if found.many and (rest or found.form in ("back", "tree")):
            raise ExpressionError(
                "'{name}' is a list of records.", at, f"Say what of it: count({name}), sum({name}.…), any({name}, …).", name=name
            )
        if not rest:
            field = n.Field(found.kind, at, steps, name, found, "", level)
            return n.Full("text", at, field) if found.kind in ("name", "address") else field
        if getattr(found.field, "attributes", None) and hasattr(found.field, "stage_of"):
            return self._stage(names, places, found, level, steps, prefix)
        parts = getattr(found.field, "parts", None) or {}
        if parts:
            if rest[0] not in parts:
                raise self._unknown(rest[0], places[1], None, parts)
            if len(rest) > 1:
                raise ExpressionError("'{name}' has no parts.", places[2], "", name=rest[0])
            return n.Field(parts[rest[0]], at, steps, name, found, rest[0], level)
        scope = found.scope
        if scope is None:
            raise ExpressionError(
                "'{name}' is {kind} and has no '{rest}'.",
                places[1],
                "A point leads through a link.",
                name=name,
                kind=SPOKEN.get(found.kind, found.kind),
                rest=rest[0],
            )
        inner = scope.resolve(rest[0])
        if inner is None:
            raise self._unknown(rest[0], places[1], scope)
        return self._follow(rest, places[1:], inner, level, (*steps, n.Step(name, found)), dotted + ".")

    def _of_rows(self, names: list[str], places: list[int], found: Name, level: int, steps: tuple[n.Step, ...], dotted: str) -> Node:
        """A path into the list that an aggregate goes over: `opportunities.amount` is a field of its rows."""
        name, at, rest = names[0], places[0], names[1:]
        if self.row is None:
            self.row = (steps, name, found, level)
        elif self.row[:2] != (steps, name):
            raise ExpressionError("One aggregate goes over one list.", at, f"This one goes over '{self.row[1]}'.")
        if not rest:
            return n.Field("row", at, steps, name, found, "", level)
        scope = found.scope
        inner = scope.resolve(rest[0]) if scope is not None else None
        if inner is None:
            raise self._unknown(rest[0], places[1], scope)
        self._enter(scope, name, dotted + ".")
        collecting, self.collecting = self.collecting, False
        try:
            return self._follow(rest, places[1:], inner, len(self.scopes) - 1, (), dotted + ".")
        finally:
            self.collecting = collecting
            self._leave()

    def _enter(self, scope: Any, head: str, prefix: str) -> None:
        self.scopes.append(scope)
        self.heads.append(head)
        self.prefixes.append(prefix)

    def _leave(self) -> None:
        self.scopes.pop()
        self.heads.pop()
        self.prefixes.pop()

    def _stage(self, names: list[str], places: list[int], found: Name, level: int, steps: tuple[n.Step, ...], prefix: str) -> Node:
        field, name, attribute = found.field, names[0], names[1]
        if attribute not in field.attributes or len(names) > 2:
            raise self._unknown(attribute, places[1], None, field.attributes)
        self.uses.add(f"{prefix}{name}.{attribute}")
        pipeline = self._pipeline_beside(steps, level)
        if pipeline:
            self.uses.add(prefix + pipeline)
        of = n.Field(found.kind, places[0], steps, name, found, "", level)
        return n.StageOf(field.attributes[attribute], places[0], of, attribute, pipeline)

    def _pipeline_beside(self, steps: tuple[n.Step, ...], level: int) -> str | None:
        scope = steps[-1].name.scope if steps else self.scopes[level]
        for name in scope.names():
            found = scope.resolve(name)
            if found is not None and getattr(found.field, "name", "") == "pipeline":
                return str(name)
        return None

    def _unknown(self, name: str, at: int, scope: Any, known: Iterable[str] | None = None) -> ExpressionError:
        names = [str(one) for one in known] if known is not None else [*(scope.names() if scope is not None else ())]
        if known is None and scope is self.scopes[0]:
            names += [*SPECIALS]
        close = get_close_matches(name[:60], names, 1, 0.6)
        if name in FUNCTIONS:
            mend = f"{name} is a function: write {name}(…)."
        elif close:
            mend = f"Did you mean '{close[0]}'?"
        elif known is not None:
            mend = f"There are: {', '.join(names)}."
        else:
            mend = f"A text stands in quotes: '{name}'."
        return ExpressionError("There is no field called '{name}' here.", at, mend, name=name)

    def _list(self, tree: ast.List | ast.Tuple | ast.Set) -> Node:
        return n.Items("list", self.source.at(tree), tuple(self.node(item) for item in tree.elts))

    _tuple = _set = _list

    def _boolop(self, tree: ast.BoolOp) -> Node:
        items = tuple(truth(self.node(item)) for item in tree.values)
        return (n.And if isinstance(tree.op, ast.And) else n.Or)("boolean", self.source.at(tree), items)

    def _unaryop(self, tree: ast.UnaryOp) -> Node:
        inner = self.node(tree.operand)
        if isinstance(tree.op, ast.Not):
            return n.Not("boolean", self.source.at(tree), truth(inner))
        if isinstance(tree.op, (ast.USub, ast.UAdd)):
            if inner.kind not in NUMBERS and inner.kind not in ("period", "any", "none"):
                raise ExpressionError("There is no minus of {kind}.", inner.at, "", kind=SPOKEN.get(inner.kind, inner.kind))
            return n.Minus(inner.kind, self.source.at(tree), inner) if isinstance(tree.op, ast.USub) else inner
        raise ExpressionError("This is not allowed in an expression.", self.source.at(tree), "Write `not`.")

    def _ifexp(self, tree: ast.IfExp) -> Node:
        test = truth(self.node(tree.test))
        return self._if(test, self.node(tree.body), self.node(tree.orelse), self.source.at(tree))

    def _if(self, test: Node, a: Node, b: Node, at: int) -> Node:
        return n.If(common([a, b], at), at, test, a, b)

    # --- arithmetic

    def _binop(self, tree: ast.BinOp) -> Node:
        op = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}.get(type(tree.op), "")
        if not op:
            raise ExpressionError(
                "There are only + - * / here.", self.source.end(tree.left), "15% is a percentage; there is no remainder operator."
            )
        a, b = dated(self.node(tree.left), self.node(tree.right))
        kind = sum_kind(op, a, b, self.source.at(tree))
        if op == "-" and kind == "period" and {a.kind, b.kind} == TIMES:
            a, b = (n.Day("date", side.at, side) if side.kind == "datetime" else side for side in (a, b))
        return n.Sum(kind, self.source.at(tree), op, a, b)

    # --- comparison

    def _compare(self, tree: ast.Compare) -> Node:
        items: list[Node] = []
        left = self.node(tree.left)
        for op, right_tree in zip(tree.ops, tree.comparators, strict=True):
            right = self._beside(left, right_tree)
            items.append(self._one(op, left, right, self.source.at(tree)))
            left = right
        return items[0] if len(items) == 1 else n.And("boolean", self.source.at(tree), tuple(items))

    def _beside(self, left: Node, tree: ast.expr) -> Node:
        """The right side of a comparison; an option without its quotes is told as such."""
        try:
            return self.node(tree)
        except ExpressionError as error:
            if isinstance(tree, ast.Name) and tree.id in known(left):
                raise ExpressionError(error.text, error.offset, f"A text stands in quotes: '{tree.id}'.", **error.values) from None
            raise

    def _one(self, op: ast.cmpop, a: Node, b: Node, at: int) -> Node:
        if isinstance(op, (ast.In, ast.NotIn)):
            found = self._among(a, b, at)
            return n.Not("boolean", at, found) if isinstance(op, ast.NotIn) else found
        sign = {ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Is: "==", ast.IsNot: "!="}[
            type(op)
        ]
        for side in (a, b):
            if side.kind == "row":
                truth(side)
        if sign in ("==", "!=") and (a.kind == "none" or b.kind == "none"):
            filled = n.Filled("boolean", at, b if a.kind == "none" else a)
            return filled if sign == "!=" else n.Not("boolean", at, filled)
        a, b = dated(a, b)
        a, b, sign = span(a, b, sign)
        as_days = comparable(sign, a, b, at)
        a, b = options(a, b), options(b, a)
        if as_days:
            a, b = (n.Day("date", side.at, side) if side.kind == "datetime" and isinstance(side, n.Const) else side for side in (a, b))
        compared = n.Compare("boolean", at, "==" if sign == "!=" else sign, a, b, as_days)
        return n.Not("boolean", at, compared) if sign == "!=" else compared

    def _among(self, a: Node, b: Node, at: int) -> Node:
        if isinstance(b, n.Items):
            items = []
            for item in b.items:
                left, item = dated(a, item)
                if item.kind != "none":
                    comparable("==", left, item, item.at)
                items.append(options(item, a))
            return n.Among("boolean", at, a, n.Items("list", b.at, tuple(items)))
        if b.kind in TEXTS and a.kind in TEXTS | {"any"}:
            return n.Call("boolean", at, "contains", (b, a))
        if b.kind in ("list", "any"):
            options(a, b)
            return n.Among("boolean", at, a, b)
        raise ExpressionError(
            "Nothing can be in {kind}.", b.at, "After `in` stands a list: kind in ['a', 'b'].", kind=SPOKEN.get(b.kind, b.kind)
        )

    # --- functions

    def _call(self, tree: ast.Call) -> Node:
        at = self.source.at(tree)
        name = self.source.renamed.get(at, tree.func.id) if isinstance(tree.func, ast.Name) else ""
        if name == "if":
            name = "if_"
        if name not in FUNCTIONS:
            close = get_close_matches(name, FUNCTIONS, 1, 0.6) if name else []
            mend = f"Did you mean {close[0]}(…)?" if close else f"There are: {', '.join(sorted(FUNCTIONS))}."
            raise ExpressionError("There is no function called '{name}'.", at, mend, name=name or ast.unparse(tree.func)[:40])
        if tree.keywords or any(isinstance(arg, ast.Starred) for arg in tree.args):
            raise ExpressionError("Values stand between the brackets without names.", at, f"{name}(…, …)")
        if name in AGGREGATES and (name not in ("min", "max") or len(tree.args) <= 2):
            found = self._aggregate(name, tree, at)
            if found is not None:
                return found
        if name in AGGREGATES and name not in ("min", "max"):
            raise ExpressionError("{name} works on a list of records.", at, f"{name}(list.field) or {name}(list, condition)", name=name)
        args = [self.node(arg) for arg in tree.args]
        return self._function(name, args, at)

    def _function(self, name: str, args: list[Node], at: int) -> Node:
        wanted, result, _ = FUNCTIONS[name]
        least = sum(1 for one in wanted if not one.endswith(("?", "*"))) or 1
        most = 30 if any(one.endswith("*") for one in wanted) else len(wanted)
        if not least <= len(args) <= most:
            told = str(least) if least == most else f"{least} to {most}"
            raise ExpressionError("{name} takes {n} values, not {given}.", at, FUNCTIONS[name][2] + ".", name=name, n=told, given=len(args))
        for index, arg in enumerate(args):
            argument(name, wanted[min(index, len(wanted) - 1)].rstrip("?*"), arg)
        if name == "if_":
            return self._if(truth(args[0]), args[1], args[2] if len(args) > 2 else n.Const("none", at, None), at)
        if name == "within":
            return self._within(args[0], args[1], at)
        if name == "date" and len(args) == 1:
            if isinstance(args[0], n.Const) and args[0].kind == "text":
                return date_of(args[0], "date")
            if args[0].kind in TIMES:
                return n.Day("date", at, args[0])
        if name == "contains" and args[0].kind in TEXTS and args[1].kind not in TEXTS | {"any", "none"}:
            raise ExpressionError(
                "{kind} cannot be in a text.", args[1].at, "Put it in quotes.", kind=SPOKEN.get(args[1].kind, "this").capitalize()
            )
        kind = result
        if result == "=":
            kind = common(args, at) if wanted[0] == "any*" else args[0].kind
            if name in ("min", "max") and kind in ("boolean", "list", "link", "lines", "address", "file"):
                raise ExpressionError("There is no smallest or largest of {kind}.", at, "", kind=SPOKEN.get(kind, kind))
            if kind == "datetime" and name in ("min", "max") and any(arg.kind == "date" for arg in args):
                args = [n.Day("date", arg.at, arg) if arg.kind == "datetime" else arg for arg in args]
                kind = "date"
        if result == "days":
            kind = "number" if args[0].kind == "period" else "period"
        if name in ("year", "month", "quarter", "week", "weekday") and args[0].kind == "datetime":
            args = [n.Day("date", args[0].at, args[0])]
        return n.Call(kind, at, name, tuple(args))

    def _within(self, link: Node, value: Node, at: int) -> Node:
        scope = link.name.scope if isinstance(link, n.Field) and link.kind == "link" else None
        parent = getattr(scope, "tree", None)
        if not isinstance(link, n.Field) or scope is None or parent is None:
            raise ExpressionError(
                "within asks about records that lie below each other.", link.at, "Name a link to an entity that has a `tree:`."
            )
        key, inner = "", None
        if value.kind in TEXTS:
            key = getattr(scope, "named", None) or ""
            inner = scope.resolve(key) if key else None
            if inner is None or inner.kind not in TEXTS:
                raise ExpressionError("These records are not called by one text.", value.at, "Give the number of the record: within(link, 12).")
        elif value.kind not in ("link", "me", "number", "integer", "any", "none"):
            raise ExpressionError("A record is named by its text or number.", value.at, "within(territory, 'North')")
        prefix = ".".join([*(step.head for step in link.steps), link.key])
        self.uses |= {f"{prefix}.{parent}", *([f"{prefix}.{key}"] if key else [])}
        return n.Within("boolean", at, link, parent, key, inner, value)

    def _aggregate(self, name: str, tree: ast.Call, at: int) -> Node | None:
        """An aggregate, or None when the first value is not of a list."""
        if not tree.args or len(tree.args) > 2:
            return None
        if name in ("min", "max") and not self._names_list(tree.args[0]):
            return None
        outer = (self.row, self.collecting)
        self.row, self.collecting = None, True
        where, reads = None, (frozenset[str](), frozenset[str]())
        value: Node | None = None
        try:
            value = self.node(tree.args[0])
            if self.row is None:
                if name == "count" and value.kind == "list" and len(tree.args) == 1:
                    return n.Call("number", at, "len", (value,))
                told = f"{name}(list.field) or {name}(list, condition)"
                raise ExpressionError("{name} works on a list of records.", value.at, told, name=name)
            if value.kind == "row":
                value = None
            steps, head, found, level = self.row
            if len(tree.args) == 2:
                self.collecting = False
                prefix = self.prefixes[level] + ".".join([*(step.head for step in steps), head]) + "."
                self._enter(found.scope, head, prefix)
                before = self.uses, self.constants
                self.uses, self.constants = set(), set()
                try:
                    where = truth(self.node(tree.args[1]))
                finally:
                    self._leave()
                    reads = frozenset(self.uses), frozenset(self.constants)
                    self.uses, self.constants = self.uses | before[0], self.constants | before[1]
        finally:
            self.row, self.collecting = outer
        rows = len(self.scopes)
        if value is None and name in ("sum", "mean", "min", "max", "first", "last"):
            raise ExpressionError("{name} of what?", at, f"Name a field of the list: {name}({head}.…).", name=name)
        if value is not None and name in ("sum", "mean") and value.kind not in NUMBERS | {"any"}:
            raise ExpressionError(
                "There is no {name} of {kind}.", value.at, "Name a number or money.", name=name, kind=SPOKEN.get(value.kind, value.kind)
            )
        if value is not None and name in ("any", "all"):
            value = truth(value)
        if name == "all" and value is None:
            if where is None:
                raise ExpressionError("{name} of what?", at, f"Write {name}({head}, condition).", name=name)
            value, where = where, None
        kind = {"count": "number", "any": "boolean", "all": "boolean"}.get(name) or (value.kind if value is not None else "number")
        return n.Aggregate(kind, at, name, steps, head, found, value, where, level, rows, reads)

    def _names_list(self, tree: ast.expr) -> bool:
        """Whether an argument looks into a list of rows."""
        for part in ast.walk(tree):
            if isinstance(part, ast.Name) and self.source.at(part) not in self.source.literals:
                found = self.scopes[-1].resolve(self.source.renamed.get(self.source.at(part), part.id))
                if found is not None and found.many:
                    return True
            if isinstance(part, ast.Attribute):
                names: list[str] = []
                inner: ast.expr = part
                while isinstance(inner, ast.Attribute):
                    names.append(inner.attr)
                    inner = inner.value
                if isinstance(inner, ast.Name):
                    found = self.scopes[-1].resolve(inner.id)
                    for name in reversed(names):
                        scope = found.scope if found is not None else None
                        found = scope.resolve(name) if scope is not None else None
                        if found is not None and found.many:
                            return True
        return False

    # --- the whole

    def _expected(self, node: Node, kinds: set[str]) -> Node:
        if node.kind == "row":
            truth(node)
        if "boolean" in kinds and len(kinds) == 1:
            found = truth(node)
            return n.And("boolean", found.at, (found,)) if isinstance(found, (n.Field, n.StageOf, n.If)) else found  # never None
        if node.kind in kinds or node.kind in ("any", "none"):
            return node
        groups = [TEXTS, NUMBERS, {"link", "me", "number", "integer"}]
        if any(node.kind in group and kinds & group for group in groups) and not (node.kind == "percent" and kinds == {"money"}):
            return node
        if node.kind == "datetime" and "date" in kinds:
            return n.Day("date", node.at, node)
        if node.kind == "date" and "datetime" in kinds:
            return node
        if node.kind == "period" and "duration" in kinds:
            return node
        told = " or ".join(sorted(SPOKEN.get(kind, kind) for kind in kinds))
        raise ExpressionError(
            "This gives {kind}, where {wanted} is needed.", node.at, "", kind=SPOKEN.get(node.kind, node.kind), wanted=told
        )

    def _single(self, node: Node) -> Any:
        """The parts of an expression that is one aggregate over one list."""
        if not isinstance(node, n.Aggregate) or node.steps or node.name.form not in ("back", "tree"):
            return None
        value = node.value
        if value is not None and not (isinstance(value, n.Field) and value.level == 1 and not value.part):
            return None
        where = None
        if node.where is not None:
            prefix = node.head + "."
            inner = lowered(node.where)
            if inner is None:
                return None
            uses = {path.removeprefix(prefix) for path in node.reads[0]}
            where = Expression(self.text, inner, uses, node.reads[1], node.name.scope)
        return node.function, node.head, value.dotted if isinstance(value, n.Field) else None, where
