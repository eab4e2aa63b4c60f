"""What a configuration means once it is loaded."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from crm.errors import ConfigError
from crm.schema import Schema, check, load
from crm.schema.model import Axis


def edit(folder: Path, path: str, *changes: tuple[str, str]) -> None:
    file = folder / path
    text = file.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")


@pytest.fixture
def schema(small: Path) -> Schema:
    return load(small)


def test_the_company(schema: Schema) -> None:
    assert (schema.name, schema.title, schema.currency, schema.timezone) == ("small", "Small company", "EUR", "Europe/Warsaw")
    assert schema.users is not None and (schema.users.entity, schema.users.login, schema.users.email) == ("user", "login", None)
    assert schema.teams is not None and schema.teams.entity == "team"
    assert schema.activities is not None and (schema.activities.due, schema.activities.done) == ("due_on", "done_on")
    assert [(link.view, link.name) for link in schema.navigation[0].links] == [
        ("list", "company"),
        ("board", "sales"),
        ("dashboard", "start"),
    ]


def test_fields_in_their_order_with_the_systems_own_at_the_end(schema: Schema) -> None:
    deal = schema.entities["deal"]
    assert list(deal.own_fields) == ["name", "company", "owner", "amount", "close_on", "reason", "weighted", "stage"]
    assert [key for key, field in deal.fields.items() if field.system] == [
        "id", "created_on", "created_by", "changed_on", "changed_by", "deleted_on", "stage_on", "ticks",
    ]  # fmt: skip
    assert "stage_on" not in schema.entities["company"].fields
    assert deal.fields["created_by"].to == "user"


def test_links_know_both_ends(schema: Schema) -> None:
    assert schema.entities["deal"].fields["company"].to == "company"
    assert schema.entities["company"].back == {"deals": ("deal", "company")}
    assert [(entity.name, field.key) for entity, field in schema.links_to("company")] == [("deal", "company")]


def test_expressions_are_parsed_and_texts_are_not(schema: Schema) -> None:
    deal = schema.entities["deal"]
    assert deal.fields["weighted"].formula.uses >= {"amount", "stage.probability"}
    assert schema.entities["company"].fields["worth"].rollup is not None
    assert deal.fields["amount"].formula is None and deal.fields["amount"].show is None


def test_roles_of_fields_come_from_the_pipeline(schema: Schema) -> None:
    deal = schema.entities["deal"]
    assert [deal.role(name) for name in ("stage", "amount", "close", "owner", "next")] == ["stage", "amount", "close_on", "owner", None]
    assert deal.pipelines == ["sales"] and deal.stage_field == "stage"
    assert schema.pipeline_of("deal", {}) is schema.pipelines["sales"]
    assert schema.pipeline_of("company", {}) is None
    stage = schema.stage_of("deal", {"stage": "offer"})
    assert stage is not None and stage.require == ["amount"]
    assert schema.stage_of("deal", {"stage": "gone"}) is None


def test_stages(schema: Schema) -> None:
    stages = schema.pipelines["sales"].stages
    assert [(one.key, one.probability, one.forecast, one.outcome, one.index) for one in stages.values()] == [
        ("new", Decimal("0.1"), "pipeline", None, 0),
        ("offer", Decimal("0.5"), "pipeline", None, 1),
        ("won", Decimal(1), "closed", "won", 2),
        ("lost", Decimal(0), "omitted", "lost", 3),
    ]
    assert stages["new"].label == "New" and stages["new"].open


def test_rights(schema: Schema) -> None:
    seller, boss = schema.roles["seller"], schema.roles["boss"]
    assert (seller.of("deal").see, seller.of("deal").create, seller.of("deal").change, seller.of("deal").delete) == (
        "team",
        "all",
        "own",
        "none",
    )
    assert seller.of("user").see == "none"
    assert boss.of("user").delete == "all" and boss.admin


def test_kinds_have_their_own_fields_and_forms(small: Path) -> None:
    edit(
        small,
        "entities/company.yaml",
        ("kinds: {field: kind, of: {customer: {show: [discount]}}}", "form: {Main: [[name, kind], [discount]]}\n"
         "kinds:\n  field: kind\n  of:\n    customer: {show: [discount], plural: Clients, list: {columns: [name, discount]}}\n"
         "    partner: {form: {Partner: [name]}}"),
    )  # fmt: skip
    company = load(small).entities["company"]
    assert company.kinds is not None and company.kinds.of["customer"].plural == "Clients"
    assert "discount" in company.fields_of({"kind": "customer"}) and "discount" not in company.fields_of({"kind": "partner"})
    assert company.form_of({"kind": "customer"}) == {"Main": [["name", "kind"], ["discount"]]}
    assert company.form_of({"kind": "partner"}) == {"Main": [["kind"]], "Partner": [["name"]]}
    assert company.form_of({}) == {"Main": [["name", "kind"]]}
    assert company.list_of("customer").columns == ["name", "discount"]
    assert company.list_of("partner").columns == company.list.columns


def test_options_in_every_style(small: Path) -> None:
    edit(
        small, "entities/deal.yaml", ("options: [price, timing]", "options: {price: Too dear, timing: {label: Too late, color: red}, no: }")
    )
    options = load(small).entities["deal"].fields["reason"].spec["options"]
    assert options == {"price": {"label": "Too dear"}, "timing": {"label": "Too late", "color": "red"}, "no": {"label": "No"}}


def test_defaults_are_values_or_expressions(small: Path) -> None:
    edit(
        small,
        "entities/deal.yaml",
        ("reason: {type: choice, options: [price, timing]}", "reason: {type: choice, options: [price, timing], default: timing}"),
        ("close_on: {type: date}", "close_on: {type: date, default: today + 30d}"),
        ("owner: {type: user}", "owner: {type: user, default: me}"),
        ("name: {type: text, required: true}", "name: {type: text, required: stage.open, default: no}"),
    )
    fields = load(small).entities["deal"].fields
    assert fields["reason"].default == "timing" and fields["name"].default == "no"
    assert not isinstance(fields["owner"].default, (str, type(None)))
    assert fields["name"].required not in (True, False)


def test_reports(small: Path) -> None:
    (small / "reports" / "rate.yaml").write_text(
        "report: rate\nentity: deal\n"
        "by: {who: owner, kind: company.kind, quarter: {field: close_on, by: quarter, label: Quarter}}\n"
        "measures:\n"
        "  closed: {count: true, where: not stage.open}\n"
        "  won: count(stage.outcome == 'won')\n"
        "  big: sum(amount, amount > 1000)\n"
        "  rate: {formula: won / closed, as: percent, label: Win rate}\n"
        "sort: [-rate]\nchart: bars\n",
        encoding="utf-8",
    )
    report = load(small).reports["rate"]
    assert [(axis.key, axis.field, axis.unit) for axis in report.by] == [
        ("who", "owner", None), ("kind", "company.kind", None), ("quarter", "close_on", "quarter"),
    ]  # fmt: skip
    assert isinstance(report.by[2], Axis) and report.by[2].label == "Quarter"
    measures = report.measures
    assert [(one.how, one.field, one.kind, one.where is not None) for one in measures.values()] == [
        ("count", None, "integer", True), ("count", None, "integer", True), ("sum", "amount", "money", True), (None, None, "percent", False),
    ]  # fmt: skip
    assert measures["rate"].label == "Win rate"
    assert report.chart.axes == {"x": "who", "y": "closed"}


def test_import_maps(small: Path) -> None:
    folder = small / "imports" / "other"
    folder.mkdir()
    (folder / "Deals.yaml").write_text(
        "entity: deal\ncolumns:\n  Title: name\n  Firm: [{to: company, find: name, otherwise: empty}, {to: reason, values: {Dear: price}}]\n"
        "  Stage: {to: stage, values: {Closed: won}, otherwise: keep}\nskip: {Deleted: ['1', 'true']}\ngates: skip\n",
        encoding="utf-8",
    )
    found = load(small).imports["other/Deals"]
    assert found.gates == "skip" and found.skip == {"Deleted": ["1", "true"]}
    first, second = found.columns["Firm"]
    assert (first.field, first.find, first.otherwise) == ("company", "name", "empty")
    assert second.values == {"Dear": "price"}
    assert found.columns["Stage"][0].otherwise == "keep"


def test_campaign_types(schema: Schema) -> None:
    call = schema.campaigns["fair"].activities["call"]
    assert (call.when.after, call.when.days, call.kind, call.role) == ("letter", 15, "call", "seller")


def test_dashboards(schema: Schema) -> None:
    cards = schema.dashboards["start"].rows[0]
    assert [(card.kind, card.name) for card in cards] == [("report", "won"), ("list", "deal")]


def test_labels_of_another_language(small: Path) -> None:
    edit(small, "crm.yaml", ("languages: [en]", "languages: [en, pl]"))
    (small / "labels").mkdir()
    (small / "labels" / "pl.yaml").write_text(
        "entities: {deal: {label: Umowa, fields: {amount: Kwota}}}\npipelines.sales.stages.won: Wygrana\ninterface: {Save: Zapisz}\n",
        encoding="utf-8",
    )
    schema = load(small)
    t = schema.words("pl")
    assert schema.entities["deal"].label_in(t) == "Umowa"
    assert schema.entities["deal"].fields["amount"].label_in(t) == "Kwota"
    assert schema.pipelines["sales"].stages["won"].label_in(t) == "Wygrana"
    assert schema.pipelines["sales"].stages["lost"].label_in(t) == "Lost"
    assert t("Save") == "Zapisz"
    assert schema.words("de").language == "en"
    assert any(fault.code == "W901" for fault in check(small))
    assert load(small).warnings == []  # what is missing is looked for by the check only


def test_all_faults_of_all_files_at_once(small: Path) -> None:
    edit(small, "entities/deal.yaml", ("type: money}", "type: mony}"))
    edit(small, "roles/seller.yaml", ("role: seller", "role: seler"))
    edit(small, "pipelines/sales.yaml", ("probability: 10%", "probability: much"))
    with pytest.raises(ConfigError) as caught:
        load(small)
    files = {Path(fault.file).name for fault in caught.value.faults}
    assert files == {"deal.yaml", "seller.yaml", "sales.yaml"}
    assert caught.value.faults == sorted(caught.value.faults)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert [fault.code for fault in check(tmp_path / "nothing")] == ["E801"]


def test_the_hash_follows_the_meaning_only(small: Path) -> None:
    before = load(small).hash
    edit(small, "entities/deal.yaml", ('title: "{name}"', "# a comment\ntitle: '{name}'"))
    assert load(small).hash == before
    edit(small, "entities/deal.yaml", ("amount: {type: money}", "amount: {type: money, min: 0}"))
    assert load(small).hash != before


def test_a_changed_file_is_taken_up_by_loading_again(small: Path) -> None:
    before = load(small)
    edit(small, "entities/deal.yaml", ("amount: {type: money}", "amount: {type: money}\n  colour: text"))
    after = load(small)
    assert "colour" in after.entities["deal"].fields and "colour" not in before.entities["deal"].fields
    edit(small, "entities/deal.yaml", ("colour: text", "colour: txt"))
    with pytest.raises(ConfigError):
        load(small)


def test_a_module_switched_off_takes_its_things_along(small: Path) -> None:
    edit(small, "entities/company.yaml", ("entity: company", "entity: company\nmodule: firms"))
    edit(small, "crm.yaml", ("currency: EUR", "currency: EUR\nmodules: {firms: false}"))
    schema = load(small)
    assert "company" not in schema.entities
    assert "company" not in schema.entities["deal"].fields
    assert "company" not in schema.roles["seller"].rights
    assert [link.name for link in schema.navigation[0].links] == ["sales", "start"]
    assert not schema.is_on("firms") and schema.is_on("other") and schema.is_on(None)


def test_the_demo_section_is_left_to_its_own_checker(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from crm.errors import Fault
    from crm.schema import HOOKS

    (small / "demo.yaml").write_text("whatever: {deal: 20}\n", encoding="utf-8")
    assert load(small).demo == {"whatever": {"deal": "20"}}
    fault = Fault("E900", "demo.yaml", 1, 1, "no.", "Mend it.")
    monkeypatch.setitem(HOOKS, "demo", lambda schema, node: [fault])
    assert check(small) == [fault]


def test_reading_a_configuration_imports_nothing_that_draws() -> None:
    code = (
        "import sys; from crm.schema import load, shipped; load(shipped('sales'));"
        "print([name for name in ('panel', 'bokeh', 'holoviews', 'pandas', 'crm.records', 'crm.stores', 'crm.charts') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
