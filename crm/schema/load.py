"""Loads a configuration: every file of every layer read, merged, built and checked; all faults at once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from crm.errors import ConfigError, Fault
from crm.schema import (
    approvals,
    assignments,
    automations,
    boards,
    campaigns,
    classes,
    company,
    conversions,
    customers,
    dashboards,
    entities,
    forecasts,
    goals,
    imports,
    kpis,
    labels,
    lines,
    mails,
    nextstep,
    packs,
    pipelines,
    reports,
    roles,
    rules,
    scores,
    services,
    subjects,
)
from crm.schema.building import Building
from crm.schema.faults import Faults
from crm.schema.model import Schema
from crm.schema.overlay import Tree, gather

#: Checkers of sections whose meaning lies elsewhere (the demo's): `hook(schema, node) -> faults`.
HOOKS: dict[str, Callable[[Schema, Any], list[Fault]]] = {}


def load(folder: str | Path) -> Schema:
    """The checked configuration in `folder`. Raises `ConfigError` with every fault; `.warnings` keeps what only warns."""
    schema, faults = examine(folder)
    if faults.errors() or schema is None:
        raise ConfigError(faults.errors())
    return schema


def check(folder: str | Path) -> list[Fault]:
    """Every fault of the configuration in `folder`, warnings (codes W…) included, by file and line."""
    return sorted(examine(folder, missing=True)[1])


def examine(folder: str | Path, missing: bool = False) -> tuple[Schema, Faults]:
    """The schema as far as it can be built, and what is wrong with it; `missing`: also which texts lack a translation."""
    path = Path(folder)
    faults = Faults()
    tree = gather(path, faults)
    schema = Schema(name=path.resolve().name.replace("-", "_"), title="", folder=path, layers=tree.layers, files=tree.read)
    b = Building(tree, faults, schema, gone=set(tree.broken))
    company.begin(b)
    roles.begin(b)
    entities.build(b)
    company.finish(b)
    approvals.company(b)
    pipelines.begin(b)
    entities.bind(b)
    customers.trees(b)
    entities.finish(b)
    lines.finish(b)
    goals.company(b)
    forecasts.company(b)
    customers.finish(b)
    classes.build(b)
    services.build(b)
    rules.finish(b)
    scores.build(b)
    pipelines.finish(b)
    nextstep.build(b)
    boards.build(b)
    approvals.finish(b)
    roles.finish(b)
    assignments.build(b)
    conversions.build(b)
    forecasts.build(b)
    reports.build(b)
    kpis.build(b)
    dashboards.build(b)
    subjects.build(b)
    imports.build(b)
    campaigns.build(b)
    roles.home(b)
    company.navigation(b)
    mails.build(b)
    automations.build(b)
    packs.build(b)
    labels.build(b, missing)
    mails.translated(b)
    demo = tree.files.get("demo.yaml")
    if demo is not None:
        schema.demo = demo.plain()
        if "demo" in HOOKS:
            faults.extend(HOOKS["demo"](schema, demo))
    schema.warnings = faults.warnings()
    schema.text = effective(tree)
    schema.hash = hashlib.sha256(schema.text.encode()).hexdigest()
    return schema, faults


def effective(tree: Tree) -> str:
    """The merged content as JSON, `{path: content}`: comments, layout and how it is split into layers make no difference; sample data
    neither. Written file by file into a folder (JSON is YAML) it is the same configuration in one layer."""
    content = {path: node.plain() for path, node in sorted(tree.files.items()) if path != "demo.yaml"}
    company_ = content.get("crm.yaml")
    if isinstance(company_, dict):
        company_.pop("extends", None)
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))
