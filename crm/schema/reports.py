"""Builds reports and checks their axes, measures and charts."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

from crm.schema import analyses, goals, subjects
from crm.schema.building import Building
from crm.schema.faults import known, meant, shorten
from crm.schema.language.reports import chart_names
from crm.schema.model import (
    AGGREGATES,
    OVER,
    UNITS,
    Axis,
    Chart,
    Entity,
    Measure,
    Report,
    Stays,
    Survival,
)
from crm.schema.reading import entries, flag, maybe, number, percent, readable, scalar, scalars, submap, text, texts, whole
from crm.schema.scope import STAY, FixedScope, StayScope, kind_of
from crm.yamlfile import Map, Node, Scalar, Seq

CALL = re.compile(r"\s*(\w+)\s*\(\s*(.*?)\s*\)\s*\Z", re.DOTALL)
#: Kinds that can be summed, and those that have an order.
SUMMED = ("number", "integer", "money", "percent", "duration")
ORDERED = (*SUMMED, "date", "datetime")


def build(b: Building) -> None:
    for name, node in b.things("reports"):
        entity = b.entity(node, "E501")
        if entity is None:
            b.gone.add(name)
            continue
        report(b, name, node, entity)


def report(b: Building, name: str, node: Map, entity: Entity) -> None:
    one = Report(
        **b.head("reports", name, node),
        entity=entity.name,
        where=b.expression(scalar(node, "where"), entity.scope, "boolean"),
        compare=maybe(node, "compare"),
        limit=whole(node, "limit"),
        span=maybe(node, "span"),
        target=number(node, "target"),
        green=number(node, "green"),
        amber=number(node, "amber"),
    )
    b.schema.reports[name] = one
    before = len(b.faults)
    if not analyses.build(b, one, node, entity):
        del b.schema.reports[name]
        b.gone.add(name)
        return
    one.stays = stays(b, node.get("stays"), entity)
    if one.stays is None and node.get("stays") is not None:
        del b.schema.reports[name]
        b.gone.add(name)
        return
    axes(b, one, node.get("by"), entity)
    for key, value in entries(submap(node, "measures")):
        if any(key.text == axis.key for axis in one.by):
            b.faults.add("E502", key, f"'{key.text}' is an axis of this report already.", "Give the measure another name.")
            continue
        made = measure(b, one, key, value, entity)
        if made is not None:
            one.measures[key.text] = made
        else:
            b.gone.add(key.text)
    formulas(b, one, submap(node, "measures"))
    asked = submap(node, "measures")
    if b.off and not one.analysis and len(b.faults) == before and (len(one.by) < len(_listed(node.get("by"))) or len(one.measures) < len(asked)):
        del b.schema.reports[name]  # what it needs went with a module that is switched off
        b.gone.add(name)
        return
    period = scalar(node, "period")
    if period is not None and (found := b.path(period, entity)) is not None:
        if found[1].name in ("date", "datetime"):
            one.period = found[0]
        else:
            b.faults.add("E503", period, f"'{found[0]}' is no date, so nothing can be shifted by it.", "Name a date or datetime field.")
    if (one.compare or one.span) and one.period is None and period is None:
        timed = [axis for axis in one.by if axis.unit and not axis.first and not axis.field.startswith("stay.")]
        one.period = timed[0].field if timed else None
        if one.period is None and (one.span or one.compare in ("previous", "last_year")):
            at = node.values["compare" if one.compare else "span"]
            b.faults.add("E503", at, "nothing says which date is compared.", "Add `period:` with a date field.")
    if (
        one.compare in ("previous", "last_year")
        and one.period
        and not one.span
        and not any(axis.unit and not axis.first for axis in one.by)
    ):
        mend = "Add `span: year` for the running year beside the one before, or cut the report by time."
        b.faults.add("E519", node.values["compare"], "nothing here is cut by time, so there is no period to compare.", mend)
    goals.compared(b, one, node)
    names = one.dimensions + one.figures
    for said in texts(node, "sort"):
        if b.reference(Scalar(said.file, said.line, said.column, said.text.lstrip("-")), names, "axis or measure", "E508"):
            one.sort.append(said.text)
    chart(b, one, node.get("chart"), names)
    aim(b, one, node)


def aim(b: Building, one: Report, node: Map) -> None:
    """`target`, `green` and `amber`: they are of one figure, and fit each other."""
    several = "the rows of an analysis" if one.analysis else "groups" if one.by else "stays" if one.stays else ""
    for word in ("target", "green", "amber"):
        said = scalar(node, word)
        if said is not None and several:
            message = f"'{word}' is of one figure; this report has {several}, and its chart '{one.chart.name}' draws none."
            mend = "Remove it. A goal beside each group is `compare: goal` or the chart bullet; a figure over time with a target is a KPI."
            b.faults.add("E578", node.keys[word], message, mend)
        elif said is not None and word != "target" and one.target is None and "target" not in node:
            b.faults.add("E578", node.keys[word], f"'{word}' has no target beside it.", "Add `target:`, or remove it.")
    if not several and one.green is not None and one.amber is not None and one.amber > one.green:
        message = "amber lies beyond green: a higher figure is better here, so amber must be below green."
        b.faults.add("E578", node.values["amber"], message, "Exchange the two.")


def stays(b: Building, node: Node | None, entity: Entity) -> Stays | None:
    """What the rows are when they are stays: the field, or the log of events."""
    if isinstance(node, Scalar) and not node.is_null:
        key = b.field(node, entity)
        if key is not None and entity.fields[key].name not in ("stage", "choice", "boolean"):
            message = f"'{key}' is of type {entity.fields[key].name}, so no record stays in it."
            b.faults.add("E514", node, message, "Name a stage or choice field, or say `{of: …, what: …, on: …}` for a log of events.")
            return None
        return Stays(key) if key is not None else None
    if not isinstance(node, Map):
        return None
    found = {word: b.field(said, entity) for word in ("of", "what", "on") if (said := scalar(node, word)) is not None}
    if len(found) < 3 or None in found.values():
        return None
    on = str(found["on"])
    if entity.fields[on].name not in ("date", "datetime"):
        b.faults.add("E514", node.values["on"], f"'{on}' is no date, so nothing begins on it.", "Name a date or datetime field.")
        return None
    return Stays("", str(found["of"]), str(found["what"]), on)


def scope_of(one: Report, entity: Entity) -> Any:
    """What expressions of a report may name."""
    return entity.scope if one.stays is None else StayScope(entity.scope)


# --- axes


def axes(b: Building, one: Report, node: Node | None, entity: Entity) -> None:
    for key, value in _listed(node):
        made = axis(b, one, key, value, entity)
        if made is None:
            b.gone.add(key.text if key is not None else value.text.replace(".", "_") if isinstance(value, Scalar) else "")
        elif any(made.key == other.key for other in one.by):
            b.faults.add("E502", key or value, f"the axis '{made.key}' is given twice.", "Remove one of the two.")
        else:
            one.by.append(made)


def _listed(node: Node | None) -> list[tuple[Scalar | None, Node]]:
    """The axes as written: (key or None, value)."""
    if isinstance(node, Map):
        return list(node.items())
    if isinstance(node, Seq):
        return [(None, item) for item in node]
    return [(None, node)] if isinstance(node, Scalar) and not node.is_null else []


def axis(b: Building, one: Report, key: Scalar | None, value: Node, entity: Entity) -> Axis | None:
    said = value if isinstance(value, Scalar) else scalar(value, "field")
    if said is None:
        return None
    unit = maybe(value, "by")
    wanted = said.text
    if call := CALL.match(wanted):
        unit, wanted = call[1], call[2]
        if unit not in UNITS:
            message = f"'{shorten(unit)}' is no piece of time." + meant(unit, UNITS)
            b.faults.add("E503", said, message, f"Write one of {known(UNITS)}, for example `month({wanted})`.")
            return None
    if one.stays is not None and wanted.startswith("stay."):
        return stay_axis(b, one, key, value, said, wanted, unit)
    found = b.path(said, entity, text=wanted)
    if found is None:
        return None
    path, field = found
    if isinstance(value, Map) and any(word in value for word in ("classes", "level", "first")):
        return special(b, one, key, value, entity, path, field)
    last = path.rsplit(".", 1)[-1]
    kind = kind_of(field) if last in (field.key, path) or field.to else "text"
    if unit and field.name not in ("date", "datetime"):
        message = f"'{path}' is of type {field.name}, so it cannot be cut by {unit}."
        b.faults.add("E503", said, message, "Only dates are cut into pieces of time.")
        return None
    if field.name in ("lines", "files", "file", "long_text", "markdown", "address") and last == field.key:
        b.faults.add("E503", said, f"'{path}' is of type {field.name}, so records cannot be grouped by it.", "Name another field.")
        return None
    name = key.text if key is not None else path.replace(".", "_") + (f"_{unit}" if unit else "")
    label = text(value, "label") or (readable(key.text) if key is not None else field.label if last == field.key else readable(last))
    here = f"{one.path}.by.{name}"
    return Axis(name, b.text(f"{here}.label", label), path, unit, kind, here)


def stay_axis(b: Building, one: Report, key: Scalar | None, value: Node, said: Scalar, path: str, unit: str | None) -> Axis | None:
    """An axis by the stay itself: `stay.stage`, `month(stay.since)`."""
    name = path.partition(".")[2]
    if name not in STAY:
        b.faults.add("E514", said, f"a stay has no '{shorten(name)}'." + meant(name, STAY), f"It has {known(STAY)}.")
        return None
    if bool(unit) != (STAY[name] == "datetime") or STAY[name] == "number":
        mend = "Group by `stay.stage` or `stay.next`, or by a piece of time: `month(stay.since)`."
        b.faults.add("E503", said, f"records cannot be grouped by '{path}'{' cut by ' + unit if unit else ''}.", mend)
        return None
    called = key.text if key is not None else path.replace(".", "_") + (f"_{unit}" if unit else "")
    here = f"{one.path}.by.{called}"
    label = text(value, "label") or readable(key.text if key is not None else name)
    return Axis(called, b.text(f"{here}.label", label), path, unit, "date" if unit else "text", here)


def special(b: Building, one: Report, key: Scalar | None, value: Map, entity: Entity, path: str, field: Any) -> Axis | None:
    """An axis of classes, of branches of a tree, or of cohorts."""
    stated = [word for word in ("classes", "level", "first") if word in value]
    if len(stated) > 1:
        b.faults.add("E515", value.keys[stated[1]], f"an axis has {' or '.join(stated)}, not both.", "Remove one of them.")
        return None
    word = stated[0]
    at = value.keys[word]
    name = key.text if key is not None else path.replace(".", "_")
    here = f"{one.path}.by.{name}"
    label = b.text(f"{here}.label", text(value, "label") or (readable(key.text) if key is not None else field.label))
    made = Axis(name, label, path, None, kind_of(field), here)
    if word == "classes":
        if kind_of(field) not in SUMMED:
            b.faults.add(
                "E515", at, f"'{path}' is of type {field.name}, so it has no classes.", "Only numbers and money are cut into classes."
            )
            return None
        made.classes = [found for said in texts(value, "classes") if (found := percent(said.text)) is not None]
        if not made.classes or any(a >= c for a, c in zip(made.classes, made.classes[1:], strict=False)):
            b.faults.add("E515", at, "the lower bounds of classes must rise.", "Write for example `classes: [0, 10000, 50000]`.")
            return None
        return made
    if not field.to or field.to not in b.schema.entities or getattr(field, "many", False):
        b.faults.add("E515", at, f"'{path}' is no link, so it has no {'branches' if word == 'level' else 'cohorts'}.", "Name a link field.")
        return None
    if word == "level":
        if b.schema.entities[field.to].tree is None:
            message = f"the entity '{field.to}' is no tree: none of its links leads to the record above."
            b.faults.add("E515", at, message, f"Give '{field.to}' a link to itself and say `tree: {{by: parent}}` there.")
            return None
        made.level = whole(value, "level") or 1
        return made
    date_ = scalar(value, "first")
    begins = b.path(date_, entity) if date_ is not None else None
    if begins is None:
        return None
    if begins[1].name not in ("date", "datetime"):
        b.faults.add("E515", date_ or at, f"'{begins[0]}' is no date, so no cohort begins with it.", "Name a date or datetime field.")
        return None
    if "." in path or not getattr(field, "back", None):
        mend = f"Name a link of '{entity.name}' itself that has `back:`."
        b.faults.add("E515", at, f"the first record of each '{path}' cannot be asked for: it has no list of them.", mend)
        return None
    made.first, made.unit, made.kind = begins[0], maybe(value, "by") or "month", "date"
    made.where = b.expression(scalar(value, "where"), entity.scope, "boolean")
    return made


# --- measures


def measure(b: Building, one: Report, key: Scalar, value: Node, entity: Entity) -> Measure | None:
    here = f"{one.path}.measures.{key.text}"
    label = b.text(f"{here}.label", text(value, "label") or readable(key.text))
    made = Measure(key.text, label, path=here)
    every = (*AGGREGATES, *OVER)
    if isinstance(value, Scalar):
        call = CALL.match(value.text)
        said = arguments(call[2]) if call else None
        if value.text.strip() == "count":
            made.how, made.kind = "count", "integer"
            return made
        if call and said is not None and call[1] in OVER:
            return over(b, one, made, value, call[1], call[2])
        if call and said is not None and call[1] in AGGREGATES:
            return aggregate(b, one, made, value, call[1], said, entity)
        if call is None or call[1] not in ("if_", "round", "coalesce", "abs"):
            word = re.match(r"\s*(\w+)\s*\(", value.text)
            if word and call and word[1] not in every and meant(word[1], every):
                message = f"no measure is called '{word[1]}'." + meant(word[1], every)
                b.faults.add("E504", value, message, f"Write one of {known(every)}, as in `sum(amount)`.")
                return None
        made.formula = value  # read by `formulas`, when all names are known
        return made
    stated = [how for how in (*every, "survival") if isinstance(value, Map) and how in value]
    formula = scalar(value, "formula")
    if len(stated) + (formula is not None) != 1:
        message = "a measure is one of: " + ", ".join((*every, "survival")) + " or formula."
        b.faults.add("E504", value, message, "Write for example `{sum: amount}`.")
        return None
    kind = maybe(value, "as")
    if formula is not None:
        made.formula = formula
        made.kind = kind or "number"
        return made
    how = stated[0]
    if how == "survival":
        return lasting(b, one, made, submap(value, how), entity)
    field_ = scalar(value, how)
    if field_ is None:
        return None
    made.how = how
    made.kind = "integer" if how == "count" else made.kind
    if how in OVER:
        if over(b, one, made, field_, how, field_.text) is None:
            return None
    elif how == "rate":
        made.value, made.kind = b.expression(field_, scope_of(one, entity), "boolean"), "percent"
        if made.value is None:
            return None
    elif not (how == "count" and field_.text.lower() in ("true", "yes")) and not looked_at(b, one, made, field_, how, field_.text, entity):
        return None
    if not details(b, made, value, entity):
        return None
    made.where = b.expression(scalar(value, "where"), scope_of(one, entity), "boolean")
    made.kind = kind or made.kind
    return made


def arguments(inside: str) -> list[str] | None:
    """What stands between the outer commas; None where a bracket closes that was not opened."""
    found, depth, quote, start = [], 0, "", 0
    for at, sign in enumerate(inside):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            quote = sign
        elif sign in "([{":
            depth += 1
        elif sign in ")]}":
            depth -= 1
            if depth < 0:
                return None
        elif sign == "," and not depth:
            found.append(inside[start:at].strip())
            start = at + 1
    return [*found, inside[start:].strip()] if inside.strip() else []


def aggregate(b: Building, one: Report, made: Measure, node: Scalar, how: str, said: list[str], entity: Entity) -> Measure | None:
    """`sum(amount, condition)`, `count(condition)`, `count()`, `quantile(amount, 90%)`, `rate(condition, of which)`."""
    made.how = how
    rest = list(said)
    field_ = rest.pop(0) if rest else ""
    if how == "count":
        made.kind = "integer"
        if field_ and not rest:
            plain = re.fullmatch(r"[\w.]+", field_)
            yes = entity.fields.get(field_) is not None and kind_of(entity.fields[field_]) == "boolean"
            stays_ = one.stays is not None and STAY.get(field_.removeprefix("stay.")) == "boolean" and field_.startswith("stay.")
            if not plain or yes or stays_ or re.fullmatch(r"\w+\.(open|outcome)", field_):
                field_, rest = "", [field_]
    elif not field_:
        b.faults.add("E504", node, f"`{how}()` does not say of which field.", f"Write `{how}(amount)` with a field.")
        return None
    if how == "quantile":
        at = percent(rest.pop(0)) if rest else None
        if at is None or not 0 <= at <= 1:
            b.faults.add("E504", node, "a quantile does not say which one.", "Write for example `quantile(amount, 90%)`.")
            return None
        made.at = float(at)
    if how == "rate":
        made.value, made.kind = b.expression(node, scope_of(one, entity), "boolean", text=field_), "percent"
        if made.value is None:
            return None
    elif field_ and not looked_at(b, one, made, node, how, field_, entity):
        return None
    if len(rest) > 1:
        b.faults.add(
            "E504", node, f"`{how}()` has {len(said)} parts; it takes a field and a condition.", f"Write `{how}(amount, stage.open)`."
        )
        return None
    if rest:
        made.where = b.expression(node, scope_of(one, entity), "boolean", text=rest[0])
        if made.where is None:
            return None
    return made


def over(b: Building, one: Report, made: Measure, node: Scalar, how: str, name: str) -> Measure | None:
    """`share(revenue)`, `running(share)`: of a measure above."""
    found = one.measures.get(name.strip())
    if found is None:
        if name.strip() not in b.gone:
            message = f"no measure above is called '{shorten(name.strip())}'." + meant(name.strip(), one.measures)
            b.faults.add("E516", node, message, f"`{how}` takes one of the measures that stand before it: {known(list(one.measures))}.")
        return None
    if found.kind not in SUMMED or found.how == "running":
        b.faults.add("E516", node, f"the measure '{found.key}' is not one that adds up.", "Take a count or a sum.")
        return None
    made.how, made.of = how, found.key
    made.kind = "percent" if how == "share" else found.kind
    return made


def lasting(b: Building, one: Report, made: Measure, node: Map, entity: Entity) -> Measure | None:
    """A curve of what still lasts, with open ends."""
    dates = []
    for word in ("from", "to"):
        said = scalar(node, word)
        found = b.path(said, entity) if said is not None else None
        if found is None or said is None:
            return None
        if found[1].name not in ("date", "datetime"):
            b.faults.add(
                "E517", said, f"'{found[0]}' is no date, so nothing {'begins' if word == 'from' else 'ends'} on it.", "Name a date field."
            )
            return None
        dates.append(found[0])
    if one.measures or len(submap(one_node(b, one), "measures")) > 1:
        message = "a report of what still lasts has no other measures."
        b.faults.add("E517", node, message, "Put the others into a report of their own.")
        return None
    made.how, made.kind = "survival", "percent"
    made.span = Survival(dates[0], dates[1], b.expression(scalar(node, "ended"), entity.scope, "boolean"))
    return made


def details(b: Building, made: Measure, value: Node, entity: Entity) -> bool:
    """`at`, `order`, `currency`, `rated` of a measure written out; whether they fit."""
    if made.how == "quantile":
        said = scalar(value, "at")
        at = percent(said.text) if said is not None else None
        if at is None:
            b.faults.add("E504", value, "a quantile does not say which one.", "Add for example `at: 90%`.")
            return False
        made.at = float(at)
    for word, kinds in (("order", ("date", "datetime")), ("rated", ("date", "datetime")), ("currency", ("choice", "text"))):
        said = scalar(value, word)
        if said is None:
            continue
        found = b.path(said, entity)
        if found is None:
            return False
        if found[1].name not in kinds:
            what = "a date" if "date" in kinds else "a choice of currencies"
            b.faults.add("E518", said, f"'{found[0]}' is of type {found[1].name}; `{word}` takes {what}.", f"Name {what}.")
            return False
        if word != "order" and (made.kind != "money" or made.how not in ("sum", "mean", "median", "quantile", "min", "max")):
            b.faults.add("E518", said, "only amounts of money have a currency.", "Remove it, or measure a field of type money.")
            return False
        setattr(made, word, found[0])
    return True


def looked_at(b: Building, one: Report, made: Measure, node: Scalar, how: str, said: str, entity: Entity) -> bool:
    """Takes the field, the part of a stay, or the formula a measure is of; whether it could."""
    if one.stays is not None and said.startswith("stay."):
        kind = STAY.get(said.partition(".")[2])
        if kind is None or not fits(kind, how):
            message = f"a stay has no '{shorten(said)}' that could be used by {how}."
            b.faults.add("E514", node, message, f"A stay has {known(STAY)}; `stay.days` is its length.")
            return False
        made.field, made.kind = said, told(kind, how)
        return True
    if re.fullmatch(r"[\w.]+", said):
        take(b, made, node, how, said, entity)
        return made.field is not None
    made.value = b.expression(node, scope_of(one, entity), None, text=said)
    if made.value is None:
        return False
    if not fits(made.value.kind, how):
        message = f"`{shorten(said)}` gives {made.value.kind}, which has no {how}."
        b.faults.add("E504", node, message, "Take a number, for example `days(close_on - created_on)`.")
        return False
    made.kind = told(made.value.kind, how)
    return True


def fits(kind: str, how: str) -> bool:
    """Whether a measure can be taken of values of a kind."""
    return kind in (SUMMED if how in ("sum", "mean", "median", "quantile") else ORDERED) or how in ("count", "distinct", "first", "last")


def told(kind: str, how: str) -> str:
    """The kind of the figure."""
    if how in ("count", "distinct"):
        return "integer"
    return "number" if how in ("mean", "median", "quantile") and kind == "integer" else kind


def take(b: Building, made: Measure, node: Scalar, how: str, path: str, entity: Entity) -> None:
    found = b.path(node, entity, text=path)
    if found is None:
        return
    kind = kind_of(found[1])
    if not fits(kind, how):
        message = f"'{path}' is of type {found[1].name}, so it has no {how}."
        choices = [key for key, field in entity.fields.items() if fits(kind_of(field), how) and not field.system]
        b.faults.add("E504", node, message, f"Name one of: {known(choices)}.")
        return
    made.field = found[0]
    made.kind = told(kind, how)


def formulas(b: Building, one: Report, node: Map) -> None:
    """Formulas over the other measures: each may name those above it."""
    kinds: dict[str, str] = {}
    for key, made in list(one.measures.items()):
        if made.formula is not None:
            said = made.formula
            below = [name for name in one.measures if name not in kinds]
            named = [word for word in re.findall(r"[a-z_]\w*", said.text) if word in below]
            if named:
                message = f"the formula of '{key}' names '{named[0]}', which is {'itself' if named[0] == key else 'below it'}."
                b.faults.add("E506", said, message, "A formula may name the measures above it.", max(said.text.find(named[0]), 0))
                del one.measures[key]
                b.gone.add(key)
                continue
            made.formula = b.expression(said, FixedScope(kinds), None, "E506")
            if made.formula is None:
                del one.measures[key]
                b.gone.add(key)
                continue
            kind = getattr(made.formula, "kind", None)
            if made.kind == "number" and kind in ("integer", "money", "percent", "duration") and scalar(node.get(key), "as") is None:
                made.kind = kind
        kinds[key] = made.kind


# --- charts


@lru_cache(maxsize=64)
def source_axes(file: Path, changed: float) -> dict[str, str] | None:
    """The class attribute `axes` in a chart's source."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        value = getattr(node, "value", None)
        if any(isinstance(one, ast.Name) and one.id == "axes" for one in targets) and isinstance(value, ast.Dict):
            return dict(ast.literal_eval(value))
    return None


def chart_axes(name: str) -> dict[str, str] | None:
    """What a chart says lies on its axes, read from its source: checking a configuration draws nothing and imports no drawing library."""
    registry = getattr(sys.modules.get("crm.charts.base"), "CHARTS", None)
    cls = getattr(registry, "_classes", {}).get(name)
    if cls is not None:
        return dict(cls.axes)
    spec = importlib.util.find_spec("crm.charts")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        file = Path(folder) / f"{name}.py"
        if file.is_file():
            return source_axes(file, file.stat().st_mtime)
    return None


def chart(b: Building, one: Report, node: Node | None, names: list[str]) -> None:
    said = node if isinstance(node, Scalar) else scalar(node, "type")
    name = said.text if said is not None and not said.is_null else ("table" if one.dimensions else "number")
    if name not in chart_names():
        return
    made = Chart(name)
    for key, value in entries(node):
        if key.text in ("x", "y", "by", "color", "value", "label", "size", "source", "target"):
            found = [b.reference(word, names, "axis or measure of this report", "E507") for word in scalars(value)]
            kept = [word for word in found if word]
            if kept:
                made.axes[key.text] = kept[0] if len(kept) == 1 else kept
        elif key.text in ("stacked", "horizontal"):
            made.options[key.text] = flag(node, key.text)
        elif key.text == "without":
            made.options["without"] = [said.text for said in scalars(value)]
        elif key.text == "options" and isinstance(value, Map):
            made.options |= value.plain()
    takes = chart_axes(name)
    if takes is not None:
        fit(b, one, made, takes, node)
        subjects.drawable(b, one, made, takes, node if node is not None else one_node(b, one))
    one.chart = made


def fit(b: Building, one: Report, made: Chart, takes: dict[str, str], node: Node | None) -> None:
    """Fill the axes the YAML leaves out, drop those the chart does not have (with a warning)."""
    dimensions, measures = one.dimensions, one.figures
    for name in list(made.axes):
        if name not in takes:
            other = {"value": "y", "color": "by", "label": "x"}.get(name)
            if other in takes and other not in made.axes:
                made.axes[other] = made.axes.pop(name)
                continue
            at = submap(one_node(b, one), "chart").keys.get(name) if isinstance(node, Map) else None
            if at is not None:
                b.faults.add("W905", at, f"the chart '{made.name}' does not use '{name}'.", f"It uses {known(takes)}; remove this.")
            del made.axes[name]
    for name, kind in takes.items():
        given = made.axes.get(name)
        wanted = dimensions if kind.startswith("dimension") else measures
        if given is None:
            used = [word for word in made.axes.values() if isinstance(word, str)]
            free = [word for word in wanted if word not in used]
            if free and not kind.endswith("?"):
                made.axes[name] = free[0]
            elif not kind.endswith("?") and not (wanted is measures and not one.analysis):
                where: Any = node if node is not None else one_node(b, one)
                what = "an axis (`by:`)" if kind.startswith("dimension") else "a measure"
                b.faults.add("E509", where, f"the chart '{made.name}' needs {what} for its {name}.", "Add one, or choose another chart.")
        else:
            for word in given if isinstance(given, list) else [given]:
                if word not in wanted:
                    place: Any = submap(one_node(b, one), "chart").values.get(name) or one_node(b, one)
                    what = "one of the axes" if kind.startswith("dimension") else "a measure"
                    message = f"'{word}' cannot lie on {name} of the chart '{made.name}'; it takes {what}."
                    b.faults.add("E507", place, message, f"Write one of: {known(wanted)}.")


def one_node(b: Building, one: Report) -> Map:
    return b.nodes[f"reports.{one.name}"]
