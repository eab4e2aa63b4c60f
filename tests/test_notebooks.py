"""F15: the shipped notebooks run from start to end over the demo company, and hold the live views without fetching anything.

All but one run in this process over one open company, which takes seconds less than a kernel for each; that one is executed in a real
kernel, as `jupyter execute` does.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import nbformat
import pytest

from crm.charts.base import ready
from tests.notebooks import executed

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
#: The one that is executed in a kernel of its own: it holds reports, frames and the live board.
KERNEL = "pipeline_review"
WANTED = {
    "first_steps", "pipeline_review", "forecast_and_its_record", "what_makes_deals_close", "lead_sources_and_campaigns", "team_effort",
    "what_if", "data_quality",
}  # fmt: skip


@pytest.fixture(scope="module")
def company(demo_store, tmp_path_factory):
    from crm.client import open_company

    opened = open_company("sales", shutil.copy(demo_store, tmp_path_factory.mktemp("notebooks") / "crm.db"))
    yield opened
    opened.store.close()


def test_there_are_notebooks_short_and_without_results():
    assert {path.stem for path in NOTEBOOKS} == WANTED
    for path in NOTEBOOKS:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        assert len(notebook.cells) <= 26 and notebook.cells[0].source.startswith("# ")
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        assert all(not cell.outputs and cell.execution_count is None for cell in code)
        assert all(cell.source.count("\n") < 16 for cell in code), path.stem
        assert not re.search(r"/(work|home|tmp|root)/", json.dumps(notebook))


@pytest.mark.parametrize("path", [path for path in NOTEBOOKS if path.stem != KERNEL], ids=lambda path: path.stem)
def test_notebook_runs_and_leaves_nothing_behind(path, company, monkeypatch):
    """Any failing cell fails the test; what a cell writes, a later one takes back."""
    monkeypatch.setattr("crm.client.open_company", lambda config=None, data=None: company)
    ready("bokeh")  # in a kernel `crm.open` does it
    before = counts(company)
    shown = executed(path)["_shown"]
    assert len(shown) >= 4 and all(any(text for text in bundle.values()) for _, bundle in shown)
    assert counts(company) == before


def counts(company):
    from crm.records import SYSTEM
    from crm.records.saved import CARD, VIEW, saved

    door = company.door(SYSTEM)
    return {name: door.count(name) for name in company.schema.entities} | {kind: len(saved(door, kind)) for kind in (VIEW, CARD)}


@pytest.mark.slow
def test_in_a_kernel_the_views_come_with_all_they_need(demo_store, tmp_path, monkeypatch):
    """The board is in the output, alive for a browser; no script, style, font or picture is asked for from anywhere."""
    from nbclient import NotebookClient

    monkeypatch.setenv("CRM_CONFIG", "sales")
    monkeypatch.setenv("CRM_DATA", str(shutil.copy(demo_store, tmp_path / "crm.db")))
    notebook = nbformat.read(FOLDER / f"{KERNEL}.ipynb", as_version=4)
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(FOLDER.parent)}}).execute()
    outputs = [one for cell in notebook.cells if cell.cell_type == "code" for one in cell.outputs]
    assert not [one for one in outputs if one.output_type == "stream"], "nothing but results"
    shown = [one.data for one in outputs if one.output_type in ("execute_result", "display_data")]
    board = next(data for data in reversed(shown) if "application/vnd.holoviews_exec.v0+json" in data)
    assert "ReactiveESM" in board["text/html"] and "Material Icons Outlined" in board["text/html"]
    fetched = re.compile(r"""(?:\bsrc=|\bhref=|@import\s|url\(|\bfrom\s|import\()\s*["']?(?:https?:)?//[\w.]+""")
    for data in shown:
        assert not fetched.findall(data.get("text/html", "")), fetched.findall(data["text/html"])[:3]
    assert len(json.dumps(shown[-1])) < 1_200_000, "a view is small enough to be kept in a notebook"
