"""Whatever stands in a configuration, the check answers with faults, each with a place, and never with a traceback."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.schema import check, is_warning
from crm.schema.load import examine
from crm.yamlfile import dump, read

BASE = Path(__file__).resolve().parent.parent / "bad_config" / "_base"
RICH = """
label: Deal
subtitle: "{company} {amount}"
help: What we may sell
checks: [{that: amount > 0, say: Too little., field: amount}]
duplicates: [{same: [company, name]}, {like: name, over: 0.9}]
form: {General: [[name, company], [amount]]}
list: {columns: [name, company.kind], sort: [-amount], filters: {mine: owner == me, big: {label: Big, where: amount > 1}}}
quick: [name]
facts: {Facts: [amount]}
kinds: {field: reason, of: {price: {show: [amount], form: {Price: [amount]}, list: {columns: [name]}}}}
timeline: {on: close_on, kind: reason, title: "{name}", who: owner}
indexes: [[owner, stage]]
"""
NOD = """entity: nod
title: "{what}"
fields:
  what: {type: text}
  deal: {type: link, to: deal, back: nods}
  state: {type: choice, options: [pending, granted, refused, void]}
  who: {type: user}
"""
MORE = {
    "crm.yaml": "approvals: {entity: nod, subject: what, status: state, rule: what, terms: what, asked_by: who, decided_by: who, reason: what}\n",
    "entities/nod.yaml": NOD,
    "entities/deal.yaml": RICH + "approvals: [{when: amount > 9, before: stage.open, by: {boss: {up_to: 50}}, of: [amount]}]\n",
    "pipelines/sales.yaml": "approvals: [{when: amount > 5, by: boss, before: won, say: Ask.}]\nwhen: amount > 0\nlabel: Sales\n",
    "reports/won.yaml": "compare: last_year\nsort: [-revenue]\nlimit: 5\n",
    "dashboards/start.yaml": "for: [seller]\nicon: home\n",
    "imports/Deal.yaml": "constants: {reason: price}\nskip: {Deleted: ['1']}\nignore: [X]\ngates: skip\n",
    "campaigns/fair.yaml": "tasks: {book: {after: start - 60d, by: boss, budget: 5}}\nresponses: {agreed: {label: Yes, good: true}}\nbudget: 100\n",
    "labels/pl.yaml": "title: Mała\nentities: {deal: {label: Umowa}}\ninterface: {'{n} x': {one: a, other: b}}\n",
}
junk = st.one_of(
    st.none(),
    st.sampled_from(
        ["", "no", "5", "-1", "x", "name", "owner", "amount", "{name", "a.b.c", "me", "sum(deals.amount)", "1 +", "'", "all", "any", "...", "é"]
    ),
    st.text(max_size=12),
    st.lists(st.sampled_from(["name", "x", None, "5"]) | st.just([]) | st.just({}), max_size=3),
    st.dictionaries(st.sampled_from(["type", "label", "drop", "to", "where", "of", "x", "was", "after"]), st.sampled_from(["text", "x", None, "true"]), max_size=3),
)  # fmt: skip


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of everything inside plain data."""
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [path, *(found for key, value in items for found in places(value, (*path, key)))]


def put(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    """`data` with something else at a path."""
    if not path:
        return value
    copy = dict(data) if isinstance(data, dict) else list(data)
    copy[path[0]] = put(copy[path[0]], path[1:], value)
    return copy


def plain(path: str) -> Any:
    text = (BASE / path).read_text(encoding="utf-8") if (BASE / path).is_file() else ""
    node, _ = read(path, text=text + MORE.get(path, ""))
    assert node is not None
    return node.plain()


FILES = {path: plain(path) for path in sorted({p.relative_to(BASE).as_posix() for p in BASE.rglob("*.yaml")} | set(MORE))}
FILES["crm.yaml"]["languages"] = ["en", "pl"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("fuzz") / "config"
    shutil.copytree(BASE, made)
    for path, data in FILES.items():
        (made / path).parent.mkdir(exist_ok=True)
        (made / path).write_text(dump(data), encoding="utf-8")
    return made


def test_the_rich_configuration_is_fine(folder: Path) -> None:
    assert [str(fault) for fault in check(folder) if not is_warning(fault)] == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_a_wrong_value_anywhere_is_told(folder: Path, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(list(FILES)))
    changed = FILES[path]
    for _ in range(data.draw(st.integers(1, 2))):
        changed = put(changed, data.draw(st.sampled_from(places(changed))), data.draw(junk))
    file = folder / path
    try:
        file.write_text(yaml.safe_dump(changed, sort_keys=False, allow_unicode=True), encoding="utf-8")
        for fault in examine(folder)[1]:
            assert fault.line >= 1 and fault.column >= 1 and fault.message and fault.mend and fault.code
    finally:
        file.write_text(dump(FILES[path]), encoding="utf-8")
