"""A formula in the words of those who use it: labels for names, plain words for functions. What a figure is made of, to trust it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from crm.expressions import Period
from crm.expressions import nodes as n
from crm.schema.scope import TREE

if TYPE_CHECKING:
    from crm.schema.model import Entity, Schema

SIGNS = {"+": "+", "-": "−", "*": "×", "/": "÷"}
COMPARED = {"==": "=", "<": "<", "<=": "≤", ">": ">", ">=": "≥"}


def spoken(expression: Any, entity: Entity, schema: Schema, t: Any) -> str:
    """An expression over an entity, told in the language of `t`."""
    text = Speaker(schema, t).say(expression.node, [entity])
    return text[:1].upper() + text[1:]


class Speaker:
    """Says the nodes of one expression; `here` are the entities its levels are about, the record's own first."""

    def __init__(self, schema: Schema, t: Any) -> None:
        self.schema, self.t = schema, t

    def say(self, node: n.Node, here: list[Entity]) -> str:
        made: Callable[[Any, list[Entity]], str] | None = getattr(self, f"_{type(node).__name__.lower()}", None)
        return made(node, here) if made is not None else "…"

    def _const(self, node: n.Const, here: list[Entity]) -> str:
        value = node.value
        if value is None:
            return str(self.t("nothing"))
        if isinstance(value, bool):
            return str(self.t("yes") if value else self.t("no"))
        if node.kind == "percent":
            return str(self.t.percent(value))
        if isinstance(value, Period):
            months, days, minutes = value
            parts = [self.t("{n} months", n=months)] if months else []
            parts += [self.t("{n} days", n=days)] if days else []
            parts += [self.t("{n} minutes", n=minutes)] if minutes else []
            return " ".join(parts)
        if isinstance(value, (int, Decimal)):
            return str(self.t.number(value))
        return str(value)

    def _special(self, node: n.Special, here: list[Entity]) -> str:
        t = self.t
        return str({"today": t("today"), "now": t("now")}.get(node.name) or t("me"))

    def _field(self, node: n.Field, here: list[Entity]) -> str:
        entity: Entity | None = here[min(node.level, len(here) - 1)]
        links = []
        for step in node.steps:
            field = entity.fields.get(step.head) if entity is not None else None
            links.append(field.label_in(self.t) if field is not None else step.head)
            entity = self.schema.entities.get(step.name.entity or "")
        own = entity.fields.get(node.key) if entity is not None else None
        said = own.label_in(self.t) if own is not None else node.key.replace("_", " ")
        for link in reversed(links):
            said = self.t("{figure} of {whose}", figure=said, whose=link)
        return str(said)

    def _stageof(self, node: n.StageOf, here: list[Entity]) -> str:
        return self.say(node.field, here)

    def _full(self, node: n.Full, here: list[Entity]) -> str:
        return self.say(node.a, here)

    _day = _full

    def _items(self, node: n.Items, here: list[Entity]) -> str:
        return ", ".join(self.say(one, here) for one in node.items)

    def _sum(self, node: n.Sum, here: list[Entity]) -> str:
        a, b = (self.inner(one, node, here) for one in (node.a, node.b))
        return f"{a} {SIGNS[node.op]} {b}"

    def inner(self, node: n.Node, outer: n.Sum, here: list[Entity]) -> str:
        said = self.say(node, here)
        loose = isinstance(node, n.Sum) and (outer.op in "*/" or node is outer.b and outer.op == "-") and node.op in "+-"
        return f"({said})" if loose or isinstance(node, n.If) or isinstance(node, n.Sum) and outer.op == "/" and node is outer.b else said

    def _minus(self, node: n.Minus, here: list[Entity]) -> str:
        return f"−{self.say(node.a, here)}"

    def _compare(self, node: n.Compare, here: list[Entity]) -> str:
        a, b = node.a, node.b
        if isinstance(a, n.StageOf) and isinstance(b, n.Const):
            return f"{self.say(a, here)} {COMPARED[node.op]} {self.outcome(a, b.value)}"
        return f"{self.beside(a, b, here)} {COMPARED[node.op]} {self.beside(b, a, here)}"

    def outcome(self, node: n.StageOf, value: Any) -> str:
        return str({"won": self.t("won"), "lost": self.t("lost")}.get(str(value)) or value)

    def beside(self, node: n.Node, other: n.Node, here: list[Entity]) -> str:
        """An option beside its choice is told by its label."""
        field: Any = other.name.field if isinstance(other, n.Field) else None
        if isinstance(node, n.Const) and isinstance(node.value, str) and hasattr(field, "option_label"):
            return str(field.option_label(node.value, self.t))
        if isinstance(node, n.Items):
            return ", ".join(self.beside(one, other, here) for one in node.items)
        return self.say(node, here)

    def _among(self, node: n.Among, here: list[Entity]) -> str:
        return str(self.t("{what} is one of: {these}", what=self.say(node.a, here), these=self.beside(node.b, node.a, here)))

    def _filled(self, node: n.Filled, here: list[Entity]) -> str:
        return str(self.t("{what} is filled", what=self.say(node.a, here)))

    def _not(self, node: n.Not, here: list[Entity]) -> str:
        if isinstance(node.a, n.Filled):
            return str(self.t("{what} is empty", what=self.say(node.a.a, here)))
        if isinstance(node.a, n.Compare) and node.a.op == "==":
            return self.say(node.a, here).replace(" = ", " ≠ ", 1)
        return str(self.t("not ({what})", what=self.say(node.a, here)))

    def _and(self, node: n.And, here: list[Entity]) -> str:
        return f" {self.t('and')} ".join(self.say(one, here) for one in node.items)

    def _or(self, node: n.Or, here: list[Entity]) -> str:
        return f" {self.t('or')} ".join(self.say(one, here) for one in node.items)

    def _if(self, node: n.If, here: list[Entity]) -> str:
        test, a, b = self.say(node.test, here), self.say(node.a, here), self.say(node.b, here)
        return str(self.t("{this} where {test}, else {that}", this=a, test=test, that=b))

    def _call(self, node: n.Call, here: list[Entity]) -> str:
        said = [self.say(one, here) for one in node.args]
        if node.function in ("coalesce", "round", "floor", "ceil", "days", "abs"):
            return said[0]
        words = {"min": self.t("the smallest of"), "max": self.t("the largest of")}
        return f"{words.get(node.function, node.function)} ({'; '.join(said)})"

    def _within(self, node: n.Within, here: list[Entity]) -> str:
        return str(self.t("{what} lies in {place}", what=self.say(node.field, here), place=self.say(node.value, here)))

    def _aggregate(self, node: n.Aggregate, here: list[Entity]) -> str:
        t = self.t
        rows = self.schema.entities.get(node.name.entity or "")
        if node.head == TREE:
            name = t("this and all below it")
        elif rows is not None:
            name = rows.plural_in(t)
        else:
            name = here[0].fields[node.head].label_in(t) if node.head in here[0].fields else node.head
        inside = [*here[: node.rows], rows] if rows is not None else [*here, here[0]]
        value = self.say(node.value, inside) if node.value is not None else ""
        if node.function == "count":
            said = t("number of {list}", list=name)
        else:
            words = {
                "sum": t("sum of {figure} of {list}", figure=value, list=name),
                "min": t("earliest or smallest {figure} of {list}", figure=value, list=name),
                "max": t("latest or largest {figure} of {list}", figure=value, list=name),
                "mean": t("mean {figure} of {list}", figure=value, list=name),
            }
            said = words.get(node.function) or f"{node.function} {value} {name}"
        if node.where is not None:
            said = t("{figure} where {test}", figure=said, test=self.say(node.where, inside))
        return str(said)


__all__ = ["Speaker", "spoken"]
