"""A small company of givers' promises: its stages, its two agents and the reports of what changed."""

from __future__ import annotations

from crm.records import SYSTEM
from crm.schema import load

#: What every such company has; `loaded` takes the rest: `crm.yaml`, the role, the entity, more reports.
COMMON = {
    "entities/user.yaml": "entity: user\nfields:\n  role: {type: choice, options: {admin: Administrator, agent: Agent}}\n",
    "pipelines/promises.yaml": """pipeline: promises
entity: promise
fields: {stage: state, amount: worth, close: due, owner: who}
stages:
  idea: {label: Idea}
  talk: {label: Talk}
  kept: {label: Kept, outcome: won}
  broken: {label: Broken, outcome: lost}
moves: {forward: any, back: any, lost: any, reopen: any}
""",
    "reports/change.yaml": """report: change
entity: promise
analysis: pipeline_change
chart: {type: waterfall, x: part, y: value, options: {ends: true}}
""",
    "reports/quarter.yaml": "report: quarter\nentity: promise\nanalysis: pipeline_change\noptions: {since: month, closing: quarter}\nchart: table\n",
    "reports/stages.yaml": "report: stages\nentity: promise\nanalysis: stage_change\nchart: table\n",
}


def loaded(tmp_path_factory, config):
    """The schema of a company with these files beside the common ones."""
    folder = tmp_path_factory.mktemp("config") / "promises"
    for name, text in {**COMMON, **config}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return load(folder)


def agents(company):
    """Anna and Bert come to work; called within `company.writing`."""
    for login in ("anna", "bert"):
        company.door(SYSTEM).create("user", {"name": login.title(), "login": login, "role": "agent", "active": True})
