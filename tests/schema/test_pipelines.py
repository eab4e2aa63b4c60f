"""Which moves a pipeline's YAML allows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from crm.schema import load

STAGES = "pipeline: sales\nentity: deal\nstages:\n  a: {}\n  b: {}\n  c: {}\n  won: {outcome: won}\n  lost: {outcome: lost}\n"


@pytest.mark.parametrize(
    ("moves", "role", "ways"),
    [
        ("", None, {"a": "b c won lost", "b": "a c won lost", "c": "a b won lost", "won": "a b c lost", "lost": "a b c won"}),
        ("{forward: next}", None, {"a": "b lost", "b": "a c lost", "c": "a b won lost"}),
        ("{forward: next, won: any}", None, {"a": "b won lost", "b": "a c won lost"}),
        ("{forward: next, won: [c]}", None, {"a": "b lost", "b": "a c lost", "c": "a b won lost"}),
        ("{forward: [boss]}", "boss", {"a": "b c won lost"}),
        ("{forward: [boss]}", "seller", {"a": "b lost", "b": "a c lost", "c": "a b won lost"}),
        ("{back: none}", None, {"b": "c won lost", "c": "won lost"}),
        ("{back: previous}", None, {"c": "b won lost", "b": "a c won lost"}),
        ("{back: [boss]}", "seller", {"c": "won lost"}),
        ("{lost: [b, c]}", None, {"a": "b c won", "b": "a c won lost"}),
        ("{reopen: none}", None, {"won": "", "lost": ""}),
        ("{reopen: [boss]}", "seller", {"won": ""}),
        ("{reopen: [boss]}", "boss", {"won": "a b c lost"}),
        ("{only: {a: [c, lost]}}", None, {"a": "c lost", "b": "a c won lost"}),
    ],
)
def test_moves(small: Path, moves: str, role: str | None, ways: dict[str, str]) -> None:
    text = STAGES + (f"moves: {moves}\n" if moves else "")
    (small / "pipelines" / "sales.yaml").write_text(text, encoding="utf-8")
    pipeline = load(small).pipelines["sales"]
    for start, ends in ways.items():
        assert [stage.key for stage in pipeline.ways(start, role)] == ends.split()
        assert pipeline.allows(start, start, role)


def test_the_pipeline_of_a_record(small: Path, write: Callable[..., Path]) -> None:
    deal = small / "entities" / "deal.yaml"
    deal.write_text(deal.read_text(encoding="utf-8") + "  way: {type: pipeline, default: sales}\n", encoding="utf-8")
    (small / "pipelines" / "quick.yaml").write_text(
        "pipeline: quick\nentity: deal\nfields: {amount: weighted}\nstages: {ask: , won: {outcome: won}}\n", encoding="utf-8"
    )
    schema = load(small)
    entity = schema.entities["deal"]
    assert entity.pipelines == ["quick", "sales"]
    found = schema.pipeline_of("deal", {"way": "sales"})
    assert found is not None and found.name == "sales"
    assert entity.role("amount", {"way": "sales"}) == "amount" and entity.role("amount", {"way": "quick"}) == "weighted"
    stage = schema.stage_of("deal", {"way": "quick", "stage": "ask"})
    assert stage is not None and stage.key == "ask"
