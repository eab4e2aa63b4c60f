"""`subjects:` of crm.yaml: the shelves on which the reports stand in the catalogue; and what of a report cannot be drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crm.schema.model import Subject
from crm.schema.reading import entries, maybe, readable, scalars, submap, text, texts
from crm.yamlfile import Map

if TYPE_CHECKING:
    from crm.schema.building import Building
    from crm.schema.model import Chart, Report
    from crm.yamlfile import Node


def build(b: Building) -> None:
    """The subjects in the order of the YAML; called when all reports are built."""
    taken: dict[str, str] = {}
    for key, value in entries(submap(b.tree.files.get("crm.yaml"), "subjects")):
        path = f"subjects.{key.text}"
        one = Subject(key.text, b.text(f"{path}.label", text(value, "label") or readable(key.text)), maybe(value, "icon") or "insights", path=path)
        said = texts(value, "reports")
        if isinstance(value, Map) and not said:
            b.faults.add("E572", key, f"the subject '{key.text}' has no reports.", "Name the reports that stand on it: `reports: [name, …]`.")
        for name in said:
            found = b.reference(name, [*b.schema.reports, *b.schema.kpis], "report", "E570")
            if found in taken:
                where = "twice here" if taken[found] == key.text else f"on the subject '{taken[found]}' already"
                b.faults.add("E571", name, f"the report '{found}' stands {where}.", "Name it once, where people will look for it.")
            elif found is not None:
                taken[found] = key.text
                one.reports.append(found)
        if one.reports or not b.off:
            b.schema.subjects[key.text] = one


def drawable(b: Building, one: Report, made: Chart, takes: dict[str, str], node: Node) -> None:
    """What the axes of a chart cannot be together."""
    places = (node.values if "type" in node else submap(node, "chart").values) if isinstance(node, Map) else {}
    for name, given in made.axes.items():
        at = places.get(name) or node
        if isinstance(given, list) and not takes.get(name, "").rstrip("?").endswith("+"):
            mend = f"Name one, for example `{name}: {given[0]}`, or choose the chart bars, which sets several beside each other."
            b.faults.add("E573", at, f"the chart '{made.name}' takes one measure on {name}, not {len(given)}.", mend)
    several = isinstance(made.axes.get("y"), list)
    if several and made.name == "bars" and made.axes.get("by"):
        b.faults.add("E574", node, "bars show either several measures or the parts of one, not both.", "Remove `by:` from the chart, or name one measure.")
    if "without" in places:
        steps(b, one, made, places["without"])
    drawn = made.axes.get("y")
    if made.name == "survival" and isinstance(drawn, str) and drawn in one.measures and one.measures[drawn].span is None:
        mend = "Write the measure as `{survival: {from: created_on, to: close_on, ended: stage.outcome != None}}`, or choose another chart."
        b.faults.add("E575", places.get("y") or node, f"the chart 'survival' draws what still lasts, but '{drawn}' is no survival measure.", mend)
    ends = made.axes.get("source"), made.axes.get("target")
    if made.name == "sankey" and ends[0] and ends[0] == ends[1]:
        b.faults.add("E576", places.get("target") or node, f"the ways lead from '{ends[0]}' to itself.", "Give the report two axes: where it comes from and where it goes.")
    across = made.axes.get("x"), made.axes.get("by")
    if across[0] and across[0] == across[1]:
        b.faults.add("E577", places.get("by") or node, f"'{across[0]}' lies on x and on by.", "Name another axis for one of them, or leave `by:` out.")


def steps(b: Building, one: Report, made: Chart, at: Node) -> None:
    """The steps a funnel leaves out: stages or options of what lies on its x."""
    if made.name != "funnel":
        b.faults.add("W905", at, f"the chart '{made.name}' does not use 'without'.", "Only a funnel leaves out steps; remove this.")
        del made.options["without"]
        return
    axis = next((axis for axis in one.by if axis.key == made.axes.get("x")), None)
    path = "" if axis is None else axis.field
    if path == "stay.stage" and one.stays is not None:
        path = one.stays.field
    field = b.schema.entities[one.entity].fields.get(path)
    options = getattr(field, "options", None)
    known = [stage for pipeline in getattr(field, "pipelines", {}).values() for stage in pipeline.stages] or (list(options) if isinstance(options, dict) else [])
    for said in scalars(at):
        if known:
            b.reference(said, dict.fromkeys(known), "step on x of this chart", "E579")
