"""Builds the KPIs (F12): measures of entities, of reports and of other KPIs, a formula over them, a target and its lights."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

from crm.schema import reports
from crm.schema.building import Building
from crm.schema.model import UNITS, Axis, Chart, Entity, Kpi, KpiPart, Measure, Report
from crm.schema.reading import entries, flag, maybe, percent, scalar, source, submap, text, whole
from crm.schema.scope import FixedScope
from crm.yamlfile import Map, Node, Scalar

#: Periods shown beside each other where nothing else is said: of figures with a date, of a stretch of days, of what is so now.
TREND, STRETCHES, NOW = 12, 6, 1


def build(b: Building) -> None:
    made: dict[str, Map] = {}
    for name, node in b.things("kpis"):
        if name in b.schema.reports or name in b.schema.forecasts:
            at = scalar(node, "kpi") or node
            b.faults.add("E556", at, f"a report or forecast is called '{name}' already.", "Give the KPI, and its file, another name.")
            continue
        if begin(b, name, node):
            made[name] = node
        else:
            b.gone.add(name)
    done: set[str] = set()
    for name in made:
        finish(b, name, made, done, [])


def begin(b: Building, name: str, node: Map) -> bool:
    """A KPI with its measures; whether all of them could be read."""
    period = text(node, "period") or "month"
    one = Kpi(
        **b.head("kpis", name, node),
        period=period,
        lower=text(node, "better") == "lower",
        pace=flag(node, "pace"),
    )
    role = scalar(node, "owner")
    if role is not None:
        one.owner = b.reference(role, b.schema.roles, "role", "E557")
    before = len(b.faults)
    for key, value in entries(submap(node, "measures")):
        made = part(b, one, key, value, node)
        if made is not None:
            one.parts[key.text] = made
        else:
            b.gone.add(key.text)
    if len(b.faults) == before and len(one.parts) < len(submap(node, "measures")):
        return False  # what it needs went with a module that is switched off
    dated = all(each.on for each in one.parts.values())
    usual = NOW if not dated else TREND if period in UNITS else STRETCHES
    one.trend = whole(node, "trend") or usual
    b.schema.kpis[name] = one
    return True


def part(b: Building, one: Kpi, key: Scalar, value: Node, node: Map) -> KpiPart | None:
    """One measure: of an entity's records, or one that a report has."""
    said = scalar(value, "report")
    if said is not None:
        return reported(b, key, said, value, node)
    named = scalar(value, "entity") or scalar(node, "entity")
    if named is None:
        b.faults.add("E552", key, f"nothing says of which entity '{key.text}' is.", "Add `entity:` to the measure, or to the whole KPI.")
        return None
    found = b.reference(named, b.schema.entities, "entity", "E552")
    if found is None:
        return None
    entity = b.schema.entities[found]
    report = Report(one.name, "", found, path=one.path, source=source(node))
    made = reports.measure(b, report, key, value, entity)
    b.schema.texts.pop(f"{one.path}.measures.{key.text}.label", None)  # no user reads it: the KPI has a label
    if made is None:
        return None
    if made.how is None or made.span is not None:
        b.faults.add("E552", value, f"'{key.text}' measures nothing.", "Write for example `{sum: amount}`; formulas stand in `formula:`.")
        return None
    report.measures[key.text] = made
    return KpiPart(report, key.text, dated(b, value, node, entity), made.kind)


def reported(b: Building, key: Scalar, said: Scalar, value: Node, node: Map) -> KpiPart | None:
    """A measure of a report: over its records, without its axes."""
    name = b.reference(said, b.schema.reports, "report", "E552")
    if name is None:
        return None
    report = b.schema.reports[name]
    measure = scalar(value, "measure")
    wanted = measure or Scalar(said.file, said.line, said.column, key.text)
    if report.analysis or report.stays is not None or any(one.span for one in report.measures.values()):
        message = f"the report '{name}' is worked out otherwise, so no single figure of it can be taken."
        b.faults.add("E552", said, message, "Measure the entity itself: `{entity: …, count: true}`.")
        return None
    found = b.reference(wanted, [one for one, each in report.measures.items() if not each.of], f"measure of the report '{name}'", "E552")
    if found is None:
        return None
    of = {one: each for one, each in report.measures.items() if not each.of}
    plain = replace(report, by=[], measures=of, compare=None, goals={}, span=None, sort=[], limit=None, chart=Chart("number", {"y": found}))
    entity = b.schema.entities[report.entity]
    on = dated(b, value, Map(node.file, node.line, node.column), entity) or report.period
    return KpiPart(plain, found, on, report.measures[found].kind)


def dated(b: Building, value: Node, node: Map, entity: Entity) -> str | None:
    """The date that says in which period a record counts."""
    said = scalar(value, "on") or scalar(node, "on")
    if said is None:
        return None
    found = b.path(said, entity)
    if found is None:
        return None
    if found[1].name not in ("date", "datetime"):
        b.faults.add("E552", said, f"'{found[0]}' is no date, so no record counts on it.", "Name a date or datetime field.")
        return None
    return found[0]


def finish(b: Building, name: str, made: dict[str, Map], done: set[str], way: list[str]) -> None:
    """The formula, after those of the KPIs it names."""
    one, node = b.schema.kpis.get(name), made[name]
    if one is None or name in done:
        return
    formula = scalar(node, "formula")
    words = re.findall(r"[a-z_]\w*", formula.text) if formula is not None else []
    one.others = list(dict.fromkeys(word for word in words if word in made and word not in one.parts))
    for other in one.others:
        if other in (*way, name):
            assert formula is not None
            circle = [*way, name][[*way, name].index(other) :]
            message = f"the KPI '{name}' needs itself: {' → '.join([*circle, other])}."
            b.faults.add("E553", formula, message, "Take the measures themselves instead of one of these KPIs.", formula.text.find(other))
            drop(b, name)
            return
        finish(b, other, made, done, [*way, name])
    if name not in b.schema.kpis:  # it was on a circle that was told from its other end
        return
    kinds = {key: each.kind for key, each in one.parts.items()}
    kinds |= {other: b.schema.kpis[other].kind for other in one.others if other in b.schema.kpis}
    if len(kinds) < len(one.parts) + len(one.others):
        drop(b, name)
        return
    if formula is not None:
        one.formula = b.expression(formula, FixedScope(kinds), None, "E552")
        if one.formula is None:
            drop(b, name)
            return
        kind = getattr(one.formula, "kind", None)
        one.kind = kind if kind in ("integer", "money", "percent", "duration") else "number"
    elif len(one.parts) < len(submap(node, "measures")):
        drop(b, name)
        return
    elif len(one.parts) == 1:
        one.kind = next(iter(one.parts.values())).kind
    else:
        message = "nothing says how the figure follows from the measures." if one.parts else "this KPI measures nothing."
        b.faults.add("E552", node, message, "Add `formula:`, for example `formula: won / decided`.")
        drop(b, name)
        return
    one.kind = maybe(node, "as") or one.kind
    done.add(name)
    aims(b, one, node)
    one.report = shown(b, one)


def drop(b: Building, name: str) -> None:
    b.schema.kpis.pop(name, None)
    b.gone.add(name)


# --- targets and lights


def aims(b: Building, one: Kpi, node: Map) -> None:
    """Target, goals, green and amber; whether they fit each other."""
    one.target, one.green, one.amber = (figure(scalar(node, word)) for word in ("target", "green", "amber"))
    goals = scalar(node, "goals")
    roles = b.schema.goals
    if goals is not None:
        if roles is None:
            if "goals" not in b.gone:
                b.faults.add(
                    "E555", goals, "this configuration has no goals.", "Say in crm.yaml which entity holds them, or give a `target:`."
                )
        elif one.target is not None:
            b.faults.add(
                "E555", goals, "this KPI has a target and goals, and it can have one of them only.", "Remove `target:` or `goals:`."
            )
        else:
            options = b.schema.entities[roles.entity].fields[roles.measure].spec.get("options") or {} if roles.measure else {}
            one.goals = b.reference(goals, list(options), f"option of '{roles.measure}'", "E555")
            if one.goals and not all(each.on for each in one.parts.values()):
                b.faults.add(
                    "E555", goals, "nothing says in which period the figure counts, so no goal fits.", "Add `on:` with a date field."
                )
    part_of = one.goals is not None or one.pace
    if one.pace and one.target is None:
        b.faults.add("E555", node.values["pace"], "there is no target that could be due by and by.", "Add `target:`, or remove `pace:`.")
    if one.target is None and one.goals is None:
        for word in ("green", "amber"):
            if word in node and goals is None and "target" not in node:
                b.faults.add("E554", node.values[word], f"'{word}' has no target beside it.", "Add `target:` or `goals:`.")
        return
    base = Decimal(1) if part_of else one.target or Decimal(0)
    one.green = base if one.green is None else one.green
    if one.amber is None:
        one.amber = one.green * (Decimal("1.25") if one.lower else Decimal("0.8"))
    beyond = one.amber < one.green if one.lower else one.amber > one.green
    if beyond:
        at = node.values.get("amber") or node.values["green"]
        better = "lower" if one.lower else "higher"
        said = f"amber lies beyond green: a {better} figure is better here, so amber must be {'above' if one.lower else 'below'} green."
        b.faults.add("E554", at, said, "Exchange the two, or say which way is `better:` (higher or lower).")
    if part_of and one.green > 10:
        message = "green and amber are parts of what is due here, such as 100%."
        b.faults.add("E554", node.values.get("green") or node, message, "Write for example `green: 100%` and `amber: 80%`.")


def figure(said: Scalar | None) -> Decimal | None:
    """A number or a part; one of the wrong shape was told already."""
    return percent(said.text) if said is not None else None


def shown(b: Building, one: Kpi) -> Report:
    """The report a KPI is told as: the figure by period, beside its target."""
    every = leaves(b, one)
    of = next((each for each in every if each.on), every[0])
    unit = one.period if one.period in UNITS else None
    axis = Axis("period", "Period", of.on or "created_on", unit, "date", f"{one.path}.period")
    figure_ = Measure("value", one.label, kind=one.kind, path=one.path)
    chart = Chart("trend", {"x": "period", "y": "value"}) if one.trend > 1 else Chart("number", {"y": "value"})
    return Report(
        one.name, one.label, of.report.entity, where=of.report.where, by=[axis], measures={"value": figure_},
        period=of.on, chart=chart, target=float(one.target) if one.target is not None else None,
        help=one.help, module=one.module, path=one.path, source=one.source,
    )  # fmt: skip


def leaves(b: Building, one: Kpi) -> list[KpiPart]:
    """Its measures, and those of the KPIs it is made of."""
    return [*one.parts.values(), *(part for other in one.others for part in leaves(b, b.schema.kpis[other]))]
