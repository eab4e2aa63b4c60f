"""A configuration over another: what is merged, replaced, removed, and what then no longer fits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from crm.errors import ConfigError
from crm.schema import load, shipped, shipped_names
from crm.schema.faults import Faults
from crm.schema.overlay import Tree, merge, read_layer

Write = Callable[..., Path]


@pytest.fixture
def over(small: Path, write: Write) -> Callable[[dict[str, str]], Path]:
    return lambda files: write("mine", {"crm.yaml": "name: mine\nextends: ../small\n", **files})


def test_a_field_added_in_one_line(over: Callable[[dict[str, str]], Path]) -> None:
    schema = load(over({"entities/deal.yaml": "fields: {colour: text}"}))
    deal = schema.entities["deal"]
    assert "colour" in deal.fields and "amount" in deal.fields and deal.title == "{name}"
    assert schema.name == "mine" and schema.title == "Small company"
    assert len(schema.layers) == 2


def test_keys_of_a_field_are_merged(over: Callable[[dict[str, str]], Path]) -> None:
    schema = load(
        over({"entities/deal.yaml": "fields: {amount: {label: Worth, min: 0}, reason: {options: {money: No money, timing: {color: red}}}}"})
    )
    fields = schema.entities["deal"].fields
    assert fields["amount"].label == "Worth" and fields["amount"].name == "money"
    assert fields["reason"].spec["options"] == {
        "price": {"label": "Price"}, "timing": {"label": "Timing", "color": "red"}, "money": {"label": "No money"},
    }  # fmt: skip


@pytest.mark.parametrize("how", ["reason:", "reason: null", "reason: {drop: true}"])
def test_a_field_is_removed(over: Callable[[dict[str, str]], Path], how: str) -> None:
    schema = load(over({"entities/deal.yaml": f"fields:\n  {how}\n", "pipelines/sales.yaml": "stages: {lost: {require: []}}"}))
    assert "reason" not in schema.entities["deal"].fields


def test_what_needs_the_removed_is_told_where_it_stands(over: Callable[[dict[str, str]], Path]) -> None:
    with pytest.raises(ConfigError) as caught:
        load(over({"entities/deal.yaml": "fields: {reason: }"}))
    assert [(Path(fault.file).parts[-3:], fault.code) for fault in caught.value.faults] == [(("small", "pipelines", "sales.yaml"), "E309")]


def test_a_stage_put_between(over: Callable[[dict[str, str]], Path]) -> None:
    schema = load(over({"pipelines/sales.yaml": "stages: {talk: {probability: 30%, after: new}, offer: {label: Quote}}"}))
    stages = schema.pipelines["sales"].stages
    assert list(stages) == ["new", "talk", "offer", "won", "lost"]
    assert stages["offer"].label == "Quote" and stages["offer"].require == ["amount"] and stages["offer"].index == 2


def test_a_stage_renamed_keeps_its_former_name(over: Callable[[dict[str, str]], Path]) -> None:
    schema = load(over({"pipelines/sales.yaml": "stages: {offer: , quote: {was: offer, after: new, probability: 50%}}"}))
    assert list(schema.pipelines["sales"].stages) == ["new", "quote", "won", "lost"]
    assert schema.pipelines["sales"].stages["quote"].was == ["offer"]


def test_a_file_removed_and_a_file_added(over: Callable[[dict[str, str]], Path]) -> None:
    files = {
        "campaigns/fair.yaml": "drop: true",
        "reports/lost.yaml": "report: lost\nentity: deal\nwhere: stage.outcome == 'lost'\nmeasures: {n: count}\n",
    }
    schema = load(over(files))
    assert schema.campaigns == {} and list(schema.reports) == ["won", "lost"]


def test_dots_stand_for_the_inherited_items(over: Callable[[dict[str, str]], Path]) -> None:
    schema = load(over({"pipelines/sales.yaml": "stages: {won: {require: [reason]}, lost: {require: [..., amount]}}"}))
    stages = schema.pipelines["sales"].stages
    assert stages["lost"].require == ["reason", "amount"] and stages["won"].require == ["reason"]


def test_three_layers(over: Callable[[dict[str, str]], Path], write: Write) -> None:
    over({"entities/deal.yaml": "fields: {colour: text}"})
    top = write("top", {"crm.yaml": "name: top\nextends: ../mine\n", "entities/deal.yaml": "fields: {colour: {label: Paint}}"})
    schema = load(top)
    assert schema.entities["deal"].fields["colour"].label == "Paint"
    assert [path.name for path in schema.layers] == ["small", "mine", "top"]


def test_the_hash_does_not_depend_on_the_layers(over: Callable[[dict[str, str]], Path], small: Path) -> None:
    layered = load(over({"crm.yaml": "name: small\nextends: ../small\n", "entities/deal.yaml": "fields: {amount: {min: 0}}"})).hash
    file = small / "entities" / "deal.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("amount: {type: money}", "amount: {type: money, min: 0}"), encoding="utf-8")
    assert load(small).hash == layered


def test_the_shipped_configurations_are_found() -> None:
    assert {"base", "sales", "nonprofit"} <= set(shipped_names())
    assert (shipped("sales") / "crm.yaml").is_file()
    with pytest.raises(LookupError):
        shipped("nothing")


def test_a_company_builds_on_a_shipped_one(write: Write) -> None:
    schema = load(write("acme", {"crm.yaml": "name: acme\ntitle: ACME\nextends: sales\n"}))
    assert schema.title == "ACME" and schema.entities.keys() == load(shipped("sales")).entities.keys()


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("marketing", "campaign marketing_list response"),
        ("service", "case"),
        ("commerce", "product price_list offer order invoice contract"),
        ("leads", "lead"),
        ("deals", "opportunity"),
    ],
)
def test_parts_of_the_shipped_one_can_be_switched_off(write: Write, module: str, names: str) -> None:
    files = {f"entities/{name}.yaml": f"module: {module}\n" for name in names.split()}
    schema = load(write("less", {"crm.yaml": f"name: less\nextends: sales\nmodules: {{{module}: false}}\n", **files}))
    gone = set(names.split())
    assert not gone & set(schema.entities)
    assert not any(field.to in gone for entity in schema.entities.values() for field in entity.fields.values())
    assert not any(other in gone for entity in schema.entities.values() for other, _ in entity.back.values())
    assert not any(report.entity in gone for report in schema.reports.values())
    assert not any(gone & set(role.rights) for role in schema.roles.values())
    assert not any(link.name in gone for group in schema.navigation for link in group.links)


@pytest.mark.parametrize("name", ["base", "sales", "nonprofit"])
def test_a_layer_over_itself_changes_nothing(name: str) -> None:
    faults = Faults()
    tree = Tree()
    files = read_layer(shipped(name), tree, faults)
    again = read_layer(shipped(name), tree, faults)
    for path, node in files.items():
        plain = node.plain()
        if "..." in str(plain) or path.startswith("labels/"):
            continue
        merged = merge(merge(None, node, faults, [path]), again[path], faults, [path])
        assert dropped(merged.plain()) == dropped(plain)
    assert faults == []


def dropped(data: object) -> object:
    """Without keys that hold nothing: over something they remove it, alone they say nothing."""
    if isinstance(data, dict):
        return {key: dropped(value) for key, value in data.items() if value is not None}
    return [dropped(item) for item in data] if isinstance(data, list) else data
