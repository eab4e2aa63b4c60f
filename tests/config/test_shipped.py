"""The shipped configurations hold what MISSION.md promises, without a fault and in every language."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
import yaml

from crm.schema import check, load
from crm.words import used

CONFIG = Path(__file__).parents[2] / "config"
SHIPPED = ("base", "sales", "nonprofit")
WORKING = ("sales", "nonprofit")


@cache
def schema(name: str):
    return load(CONFIG / name)


@pytest.mark.parametrize("name", SHIPPED)
def test_no_fault_and_no_missing_label(name):
    assert [str(fault) for fault in check(CONFIG / name)] == []


def test_sales_and_nonprofit_share_no_entity():
    assert set(schema("sales").entities) & set(schema("nonprofit").entities) == set()
    assert set(schema("base").entities) & set(schema("nonprofit").entities) == set()


@pytest.mark.parametrize("name", SHIPPED)
def test_every_file_tells_the_editor_its_schema(name):
    files = [file for file in (CONFIG / name).rglob("*.yaml") if file.name != "demo.yaml"]
    assert files
    for file in files:
        assert file.read_text(encoding="utf-8").startswith("# yaml-language-server: $schema="), file


def test_interface_is_polish_in_full():
    catalogue = schema("base").catalogues["pl"]
    assert sorted(set(used()) - set(catalogue)) == []
    for text, said in catalogue.items():
        forms = list(said.values()) if isinstance(said, dict) else [said]
        for form in forms:
            holes = {part.split("}")[0] for part in text.replace("{{", "").split("{")[1:]}
            there = {part.split("}")[0] for part in form.replace("{{", "").split("{")[1:]}
            assert there <= holes, f"{text!r} → {form!r}"
            assert holes - there <= {"n"}, f"{text!r} → {form!r}"


def test_sales_has_the_kinds_of_accounts_each_in_its_own_way():
    account = schema("sales").entities["account"]
    kinds = account.kinds.of
    assert set(kinds) == {"customer", "prospect", "partner", "competitor", "dealer", "distributor", "supplier"}
    shown = [tuple(kind.show) for kind in kinds.values()]
    assert all(shown) and len(set(shown)) == len(shown)
    assert all(kind.form for kind in kinds.values()) and all(kind.list for kind in kinds.values())


@pytest.mark.parametrize(
    "entity",
    "account account_relation contact lead opportunity activity product price_list offer order contract invoice case "
    "competitor_fact campaign response marketing_list territory goal user team".split(),
)
def test_sales_describes(entity):
    one = schema("sales").entities[entity]
    assert one.form and one.list.columns and one.quick and one.facts


def test_default_pipeline_has_five_stages_and_another_stands_beside_it():
    pipelines = schema("sales").pipelines
    assert list(pipelines["b2b"].stages) == ["identification", "qualification", "offer", "negotiation", "won", "lost"]
    assert len([one for one in pipelines.values() if one.entity == "opportunity"]) == 2
    assert all(stage.require for key, stage in pipelines["b2b"].stages.items() if key != "identification")


def test_roles_and_reports_that_are_asked_for():
    sales = schema("sales")
    assert set(sales.roles) == {"rep", "sales_manager", "marketer", "service", "director", "admin"}
    assert {"win_rate", "revenue_by_month", "pipeline_by_stage", "lost_reasons", "lead_sources", "activities_by_rep", "funnel",
            "top_accounts", "open_pipeline"} <= set(sales.reports)  # fmt: skip
    assert {"fair", "mailing"} <= set(sales.campaigns)
    assert sales.campaigns["mailing"].activities["call"].when.days == 15
    for role in sales.roles.values():
        assert role.home in sales.dashboards


@pytest.mark.parametrize("name", WORKING)
def test_nothing_ends_nowhere(name):
    """Every dashboard card and every report is about something a role of its dashboard may see."""
    one = schema(name)
    for board in one.dashboards.values():
        for role in board.roles:
            for row in board.rows:
                for card in row:
                    entity = {"list": card.name, "report": one.reports[card.name].entity if card.kind == "report" else None}.get(card.kind)
                    if card.kind == "board":
                        entity = one.pipelines[card.name].entity
                    if entity:
                        assert one.roles[role].of(entity).see != "none", (board.name, role, card.name)


@pytest.mark.parametrize("name", WORKING)
def test_timeline_events_link_to_those_they_are_about(name):
    one = schema(name)
    events = [entity for entity in one.entities.values() if entity.timeline]
    assert len(events) >= 3
    for entity in events:
        assert any(getattr(field, "to", None) for field in entity.own_fields.values()), entity.name


@pytest.mark.parametrize("module", ["leads", "marketing", "service", "commerce", "market"])
def test_a_module_can_be_switched_off(module, tmp_path):
    """A company's own folder takes what it needs; everything that names the rest goes with it (H3)."""
    (tmp_path / "crm.yaml").write_text(f"name: own\nextends: sales\nmodules: {{{module}: false}}\n", encoding="utf-8")
    smaller = load(tmp_path)
    gone = set(schema("sales").entities) - set(smaller.entities)
    assert gone and all(schema("sales").entities[name].module == module for name in gone)


@pytest.mark.parametrize("name", ["sales", "nonprofit"])
def test_one_of_something_is_said_as_one(name):
    t = load(CONFIG / name).words("en")
    assert [t("{n} lines", n=n) for n in (0, 1, 2)] == ["0 lines", "1 line", "2 lines"]
    assert [t("{n} days here", n=n) for n in (1, 21)] == ["1 day here", "21 days here"]
    forms = yaml.safe_load((CONFIG / "base" / "labels" / "en.yaml").read_text())["interface"]
    assert not set(forms) - set(used()), "nothing says these any more"
    for text, said in forms.items():
        assert said["other"] == text and said["one"] != text
