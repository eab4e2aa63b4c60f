"""Builds the dashboards and checks what their cards show; when reports and KPIs are built."""

from __future__ import annotations

from typing import Any

from crm.schema.building import Building
from crm.schema.model import Card, Dashboard
from crm.schema.reading import nodes, scalar, text, texts, whole
from crm.yamlfile import Map, Node, Scalar, Seq


def build(b: Building) -> None:
    for name, node in b.things("dashboards"):
        dashboard(b, name, node)


def dashboard(b: Building, name: str, node: Map) -> None:
    path = f"dashboards.{name}"
    one = Dashboard(
        **b.head("dashboards", name, node),
        roles=[role for said in texts(node, "for") if (role := b.reference(said, b.schema.roles, "role", "E511"))],
        icon=text(node, "icon") or "dashboard",
    )
    b.schema.dashboards[name] = one
    if not nodes(node, "rows") and isinstance(node.get("rows"), Seq):
        b.faults.add("E512", node.keys["rows"], "this dashboard shows nothing.", "Write for example `rows: [[{report: name, width: 6}]]`.")
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
    choices: dict[str, Any] = {"report": schema.reports, "kpi": schema.kpis, "list": schema.entities, "board": schema.pipelines}
    stated = [word for word in ("report", "kpi", "list", "board", "part", "text") if scalar(node, word) is not None]
    if len(stated) != 1:
        b.faults.add("E512", node, "a card shows one of: report, kpi, list, board, part, text.", "Write for example `{report: name, width: 6}`.")
        return None
    kind = stated[0]
    said = scalar(node, kind)
    assert said is not None
    if kind in choices and b.reference(said, choices[kind], {"list": "entity", "board": "pipeline", "kpi": "KPI"}.get(kind, kind), "E510") is None:
        return None
    for word in ("where", "view") if kind != "list" else ():
        if (lost := scalar(node, word)) is not None:
            message = f"a card that shows a {kind} is not narrowed, so '{word}' says nothing here."
            mend = f"Remove `{word}:`, or make a report of its own with this condition." if kind == "report" else f"Remove `{word}:`."
            b.faults.add("E512", lost, message, mend)
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
