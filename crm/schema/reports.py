"""Builds reports and dashboards and checks their axes, measures, charts and cards."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

from crm.schema.building import Building
from crm.schema.faults import known, meant, shorten
from crm.schema.language import chart_names
from crm.schema.model import AGGREGATES, UNITS, Axis, Card, Chart, Dashboard, Entity, Measure, Report
from crm.schema.reading import entries, flag, maybe, nodes, number, readable, scalar, scalars, source, submap, text, texts, whole
from crm.schema.scope import FixedScope, kind_of
from crm.yamlfile import Map, Node, Scalar, Seq

CALL = re.compile(r"\s*(\w+)\s*\(\s*(.*?)\s*\)\s*\Z", re.DOTALL)
#: Kinds that can be summed, and those that have an order.
SUMMED = ("number", "integer", "money", "percent", "duration")
ORDERED = (*SUMMED, "date", "datetime")


def build(b: Building) -> None:
    for name, node in b.things("reports"):
        entity_node = scalar(node, "entity")
        found = b.reference(entity_node, b.schema.entities, "entity", "E501") if entity_node is not None else None
        if found is None:
            b.gone.add(name)
            continue
        report(b, name, node, b.schema.entities[found])
    for name, node in b.things("dashboards"):
        dashboard(b, name, node)


def report(b: Building, name: str, node: Map, entity: Entity) -> None:
    path = f"reports.{name}"
    one = Report(
        name=name,
        label=b.text(f"{path}.label", text(node, "label") or readable(name)),
        entity=entity.name,
        where=b.expression(scalar(node, "where"), entity.scope, "boolean"),
        compare=maybe(node, "compare"),
        limit=whole(node, "limit"),
        target=number(node, "target"),
        green=number(node, "green"),
        amber=number(node, "amber"),
        help=b.text(f"{path}.help", text(node, "help")),
        module=maybe(node, "module"),
        path=path,
        source=source(node),
    )
    b.schema.reports[name] = one
    before = len(b.faults)
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
    if b.off and len(b.faults) == before and (len(one.by) < len(_listed(node.get("by"))) or len(one.measures) < len(asked)):
        del b.schema.reports[name]  # what it needs went with a module that is switched off
        b.gone.add(name)
        return
    period = scalar(node, "period")
    if period is not None and (found := b.path(period, entity)) is not None:
        if found[1].name in ("date", "datetime"):
            one.period = found[0]
        else:
            b.faults.add("E503", period, f"'{found[0]}' is no date, so nothing can be shifted by it.", "Name a date or datetime field.")
    if one.compare and one.period is None and period is None:
        timed = [axis for axis in one.by if axis.unit]
        one.period = timed[0].field if timed else None
        if one.period is None and one.compare in ("previous", "last_year"):
            at = node.values["compare"]
            b.faults.add("E503", at, "nothing says which date is compared.", "Add `period:` with a date field.")
    names = [axis.key for axis in one.by] + list(one.measures)
    for said in texts(node, "sort"):
        if b.reference(Scalar(said.file, said.line, said.column, said.text.lstrip("-")), names, "axis or measure", "E508"):
            one.sort.append(said.text)
    chart(b, one, node.get("chart"), names)


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
    found = b.path(said, entity, text=wanted)
    if found is None:
        return None
    path, field = found
    last = path.rsplit(".", 1)[-1]
    kind = kind_of(field) if last in (field.key, path) or field.to else "text"
    if unit and field.name not in ("date", "datetime"):
        message = f"'{path}' is of type {field.name}, so it cannot be cut by {unit}."
        b.faults.add("E503", said, message, "Only dates are cut into pieces of time.")
        return None
    if field.name in ("lines", "links", "files", "file", "long_text", "markdown", "address") and last == field.key:
        b.faults.add("E503", said, f"'{path}' is of type {field.name}, so records cannot be grouped by it.", "Name another field.")
        return None
    name = key.text if key is not None else path.replace(".", "_") + (f"_{unit}" if unit else "")
    label = text(value, "label") or (readable(key.text) if key is not None else field.label if last == field.key else readable(last))
    here = f"{one.path}.by.{name}"
    return Axis(name, b.text(f"{here}.label", label), path, unit, kind, here)


# --- measures


def measure(b: Building, one: Report, key: Scalar, value: Node, entity: Entity) -> Measure | None:
    here = f"{one.path}.measures.{key.text}"
    label = b.text(f"{here}.label", text(value, "label") or readable(key.text))
    made = Measure(key.text, label, path=here)
    if isinstance(value, Scalar):
        call = CALL.match(value.text)
        if value.text.strip() == "count":
            made.how, made.kind = "count", "integer"
            return made
        if call and call[1] in AGGREGATES:
            return aggregate(b, made, value, call[1], call[2], entity)
        if call is None or call[1] not in ("if_", "round", "coalesce", "abs"):
            word = re.match(r"\s*(\w+)\s*\(", value.text)
            if word and call and word[1] not in AGGREGATES and meant(word[1], AGGREGATES):
                message = f"no measure is called '{word[1]}'." + meant(word[1], AGGREGATES)
                b.faults.add("E504", value, message, f"Write one of {known(AGGREGATES)}, as in `sum(amount)`.")
                return None
        made.formula = value  # read by `formulas`, when all names are known
        return made
    stated = [how for how in AGGREGATES if isinstance(value, Map) and how in value]
    formula = scalar(value, "formula")
    if len(stated) + (formula is not None) != 1:
        message = "a measure is one of: " + ", ".join(AGGREGATES) + " or formula."
        b.faults.add("E504", value, message, "Write for example `{sum: amount}`.")
        return None
    kind = maybe(value, "as")
    if formula is not None:
        made.formula = formula
        made.kind = kind or "number"
        return made
    how = stated[0]
    field_ = scalar(value, how)
    made.how = how
    made.kind = "integer" if how == "count" else made.kind
    if field_ is not None and not (how == "count" and field_.text.lower() in ("true", "yes")):
        take(b, made, field_, how, field_.text, entity)
        if made.field is None:
            return None
    made.where = b.expression(scalar(value, "where"), entity.scope, "boolean")
    made.kind = kind or made.kind
    return made


def aggregate(b: Building, made: Measure, node: Scalar, how: str, inside: str, entity: Entity) -> Measure | None:
    """`sum(amount, condition)`, `count(condition)`, `count()`."""
    made.how = how
    field_, comma, condition = inside.partition(",")
    if how == "count":
        made.kind = "integer"
        if inside and not comma and not re.fullmatch(r"[\w.]+", inside):
            field_, condition = "", inside
        elif inside and entity.fields.get(inside) is not None and kind_of(entity.fields[inside]) == "boolean":
            field_, condition = "", inside
        elif inside and not comma and re.fullmatch(r"\w+\.(open|outcome)", inside):
            field_, condition = "", inside
    elif not inside:
        b.faults.add("E504", node, f"`{how}()` does not say of which field.", f"Write `{how}(amount)` with a field.")
        return None
    if field_.strip():
        take(b, made, node, how, field_.strip(), entity)
        if made.field is None:
            return None
    if condition.strip():
        made.where = b.expression(node, entity.scope, "boolean", text=condition.strip())
        if made.where is None:
            return None
    return made


def take(b: Building, made: Measure, node: Scalar, how: str, path: str, entity: Entity) -> None:
    found = b.path(node, entity, text=path)
    if found is None:
        return
    kind = kind_of(found[1])
    fits = SUMMED if how in ("sum", "mean", "median") else ORDERED if how in ("min", "max") else None
    if fits is not None and kind not in fits:
        message = f"'{path}' is of type {found[1].name}, so it has no {how}."
        choices = [key for key, field in entity.fields.items() if kind_of(field) in fits and not field.system]
        b.faults.add("E504", node, message, f"Name one of: {known(choices)}.")
        return
    made.field = found[0]
    if how == "count":
        made.kind = "integer"
    elif how in ("mean", "median") and kind == "integer":
        made.kind = "number"
    else:
        made.kind = kind


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
    name = said.text if said is not None and not said.is_null else ("table" if one.by else "number")
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
        elif key.text == "options" and isinstance(value, Map):
            made.options |= value.plain()
    takes = chart_axes(name)
    if takes is not None:
        fit(b, one, made, takes, node)
    one.chart = made


def fit(b: Building, one: Report, made: Chart, takes: dict[str, str], node: Node | None) -> None:
    """Fill the axes the YAML leaves out, drop those the chart does not have (with a warning)."""
    dimensions, measures = [axis.key for axis in one.by], list(one.measures)
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
            elif not kind.endswith("?") and not (wanted is measures and submap(one_node(b, one), "measures")):
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


# --- dashboards


def dashboard(b: Building, name: str, node: Map) -> None:
    path = f"dashboards.{name}"
    one = Dashboard(
        name=name,
        label=b.text(f"{path}.label", text(node, "label") or readable(name)),
        roles=[role for said in texts(node, "for") if (role := b.reference(said, b.schema.roles, "role", "E511"))],
        icon=text(node, "icon") or "dashboard",
        help=b.text(f"{path}.help", text(node, "help")),
        module=maybe(node, "module"),
        path=path,
        source=source(node),
    )
    b.schema.dashboards[name] = one
    number_ = 0
    for row in nodes(node, "rows"):
        cards = []
        for item in row.items if isinstance(row, Seq) else [row]:
            number_ += 1
            made = card(b, item, f"{path}.cards.{number_}")
            if made is not None:
                cards.append(made)
        if sum(one.width or 1 for one in cards) > 12:
            b.faults.add("E513", row, "the cards of this row are wider than 12 columns.", "Make them narrower or start another row.")
        if cards:
            one.rows.append(cards)
    if b.off and not one.rows:
        del b.schema.dashboards[name]
        b.gone.add(name)


def card(b: Building, node: Node, path: str) -> Card | None:
    schema = b.schema
    if isinstance(node, Scalar):
        name = b.reference(node, schema.reports, "report", "E510")
        return Card("report", name, "", path=path) if name else None
    if not isinstance(node, Map):
        return None
    choices: dict[str, Any] = {"report": schema.reports, "list": schema.entities, "board": schema.pipelines}
    stated = [word for word in ("report", "list", "board", "part", "text") if scalar(node, word) is not None]
    if len(stated) != 1:
        b.faults.add("E512", node, "a card shows one of: report, list, board, part, text.", "Write for example `{report: name, width: 6}`.")
        return None
    kind = stated[0]
    said = scalar(node, kind)
    assert said is not None
    if kind in choices and b.reference(said, choices[kind], {"list": "entity", "board": "pipeline"}.get(kind, kind), "E510") is None:
        return None
    label = text(node, "label")
    one = Card(kind, said.text, b.text(f"{path}.label", label), limit=whole(node, "limit") or 10, width=whole(node, "width"), path=path)
    if kind == "text":
        b.text(f"{path}.text", said.text)
    if kind == "list":
        entity = schema.entities[said.text]
        view = scalar(node, "view")
        if view is not None:
            one.view = b.reference(view, entity.list.filters, f"view of '{entity.name}'", "E510")
        one.where = b.expression(scalar(node, "where"), entity.scope, "boolean")
    return one
