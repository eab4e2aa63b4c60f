"""The process map: drawn from the YAML and in step with it, the same in app, notebook and file, texts as texts (B11)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from crm.client import Client
from crm.errors import Missing
from crm.schema import load, shipped
from crm.views.app import App
from crm.views.pages.process import ProcessPage
from crm.views.processmap import NARROW, WIDE, ProcessMap

SVG = "{http://www.w3.org/2000/svg}"


def overlay(folder: Path, pipeline: str, text: str) -> Any:
    (folder / "pipelines").mkdir(parents=True)
    (folder / "crm.yaml").write_text("name: more\nextends: sales\n")
    (folder / "pipelines" / f"{pipeline}.yaml").write_text(text)
    return load(folder)


def words_of(made: ProcessMap, width: int = WIDE) -> str:
    """All texts of a drawing, a line broken in two joined again."""
    root = ElementTree.fromstring(made.svg(width))
    return " ".join((one.text or "").strip() for one in root.iter(f"{SVG}text"))


@pytest.mark.parametrize("config", ["sales", "nonprofit"])
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_every_stage_with_what_its_gate_wants_stands_on_the_map(config: str, width: int) -> None:
    schema = load(shipped(config))
    for name, pipeline in schema.pipelines.items():
        made = ProcessMap(schema, name)
        root = ElementTree.fromstring(made.svg(width))
        assert [one.get("data-stage") for one in root.iter(f"{SVG}g")] == list(pipeline.stages)
        said = words_of(made, width)
        entity = schema.entities[pipeline.entity]
        for stage in pipeline.stages.values():
            assert stage.label in said
            for key in stage.require[:1]:
                assert f"Needs: {entity.fields[key].label.split()[0]}" in said
        boxes = [
            tuple(float(one.get(key) or 0) for key in ("x", "y", "width", "height"))
            for one in root.iter(f"{SVG}rect")
            if "pm-box" in str(one.get("class"))
        ]
        for number, (x, y, w, h) in enumerate(boxes):  # nothing lies over another, nothing sticks out
            assert x >= 0 and x + w <= float(root.get("width") or 0) and y + h <= float(root.get("height") or 0)
            assert not any(x < x2 + w2 and x2 < x + w and y < y2 + h2 and y2 < y + h for x2, y2, w2, h2 in boxes[number + 1 :])


def test_the_map_follows_the_configuration(tmp_path: Path) -> None:
    text = """
pipeline: b2b
entity: opportunity
stages:
  trial:
    label: Trial on site
    after: offer
    probability: 60%
    responsible: [service]
    require: [budget]
    do: [{text: "Set it up & <test> it", must: true}]
approvals:
  - {when: amount > 200000, before: won, by: director, say: A very large deal}
"""
    before, after = ProcessMap(load(shipped("sales")), "b2b"), ProcessMap(overlay(tmp_path / "more", "b2b", text), "b2b")
    assert "Trial on site" not in words_of(before) and "Trial on site" in words_of(after)
    said = words_of(after)
    assert "Service" in said and "Needs: Budget" in said and "A very large deal" in said.replace("  ", " ")
    assert len(after.lanes()) == 2 and len(before.lanes()) == 1
    assert "<test>" not in after.svg() and "&lt;test&gt;" in after.svg()


def segments(path: str) -> list[tuple[float, float, float, float]]:
    """The straight pieces of a line drawn with M, H and V."""
    found: list[tuple[float, float, float, float]] = []
    x = y = 0.0
    for word, first, second in re.findall(r"([MHV])(-?[\d.]+)(?: (-?[\d.]+))?", path):
        before = x, y
        x, y = (float(first), float(second)) if word == "M" else (float(first), y) if word == "H" else (x, float(first))
        if word != "M":
            found.append((*before, x, y))
    return found


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("config, name", [("sales", "b2b"), ("sales", "b2c"), ("nonprofit", "asking"), ("nonprofit", "funding")])
def test_ways_past_other_stages_are_drawn_around_them(config: str, name: str, width: int) -> None:
    schema = load(shipped(config))
    pipeline = schema.pipelines[name]
    stages = list(pipeline.stages)
    if name == "b2b":  # a jump on and one back
        pipeline.moves.only = {stages[0]: [stages[1], stages[3], "lost"], stages[3]: [stages[0], "won", "lost"]}
    root = ElementTree.fromstring(ProcessMap(schema, name).svg(width))
    boxes = [tuple(float(one.get(key) or 0) for key in ("x", "y", "width", "height")) for one in root.iter(f"{SVG}rect") if "pm-box" in str(one.get("class"))]
    lines = [(str(one.get("class")), segments(str(one.get("d")))) for one in root.iter(f"{SVG}path") if "Z" not in str(one.get("d"))]
    assert len([kind for kind, _ in lines if kind == "pm-jump"]) == {"b2b": 2, "b2c": 1, "asking": 3, "funding": 0}[name]
    assert len([kind for kind, _ in lines if kind == "pm-lose"]) >= len(pipeline.open_stages())
    for kind, pieces in lines:
        for x1, y1, x2, y2 in pieces:
            assert 0 <= min(x1, x2) and max(x1, x2) <= float(root.get("width") or 0) and min(y1, y2) >= 0, kind
            for x, y, w, h in boxes:
                through = max(x1, x2) > x + 1 and min(x1, x2) < x + w - 1 and max(y1, y2) > y + 1 and min(y1, y2) < y + h - 1
                assert not through, (kind, (x1, y1, x2, y2), (x, y, w, h))


def test_what_runs_by_itself_and_who_may_reopen_is_said() -> None:
    schema = load(shipped("sales"))
    said = words_of(ProcessMap(schema, "b2b"))
    for one in schema.automations.values():
        if one.entity == "opportunity" and any(key for trigger in one.when for _, key in trigger.stages):
            assert one.label.split()[0] in said
    assert "Reopened by: Sales manager." in said and "word of Sales" in said


def test_the_map_speaks_the_language_of_its_reader() -> None:
    schema = load(shipped("sales"))
    assert "Kwalifikacja" in words_of(ProcessMap(schema, "b2b", schema.words("pl")))


def test_app_notebook_and_file_show_the_same(demo: Any, tmp_path: Path, monkeypatch: Any) -> None:
    marta = demo.actor("marta")
    client = Client(demo, marta.id)
    page = ProcessPage(App(demo, marta), pipeline="b2b")
    assert page.part.handler("svg")()["svg"] == client.process("b2b").svg() == client.process("b2b")._repr_svg_()
    assert client.view("process", "b2b") is not None
    from typer.testing import CliRunner

    from crm.cli import app as command

    target = tmp_path / "b2b.svg"
    result = CliRunner().invoke(command, ["--config", str(demo.schema.folder), "process", "b2b", "--out", str(target)])
    assert result.exit_code == 0, result.output
    assert "Negotiation" in target.read_text()


def test_a_stage_tells_what_its_reader_may_see_of_it(demo: Any) -> None:
    marta, anna = (ProcessPage(App(demo, demo.actor(who)), pipeline="b2b").stage("offer") for who in ("marta", "anna"))
    everything, hers = dict(marta["facts"]), dict(anna["facts"])
    assert int(everything["Now"]) > int(hers["Now"]) and int(everything["Have left it"]) > int(hers["Have left it"])
    spent = [row["days"] for row in demo.store.table("_moves").all() if row["pipeline"] == "b2b" and row.get("from") == "offer"]
    assert float(everything["Days on average"]) == pytest.approx(sum(spent) / len(spent), abs=0.06)
    with pytest.raises(Missing):
        ProcessPage(App(demo, demo.actor("marta")), pipeline="nothing")


def test_what_a_role_may_not_read_is_not_named(demo: Any) -> None:
    sanja = ProcessPage(App(demo, demo.actor("sanja")), pipeline="b2b")  # sees won deals, and no budget of any
    assert "Budget" not in words_of(sanja.map()) and "Budget" in words_of(ProcessMap(demo.schema, "b2b"))
    assert "Sum" not in dict(sanja.stage("won")["facts"])
