"""The shipped notebooks run from start to end over the demo company (F15)."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))


def test_there_are_notebooks():
    assert {path.stem for path in NOTEBOOKS} >= {"first_steps", "pipeline_review"}


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path, tmp_path, demo_store):
    """Executed in a fresh kernel over a copy of the demo store; any failing cell fails the test."""
    shutil.copy(demo_store, tmp_path / "crm.db")
    copy = shutil.copy(path, tmp_path / path.name)
    env = {**os.environ, "CRM_DATA": str(tmp_path / "crm.db")}
    done = subprocess.run(
        [sys.executable, "-m", "jupyter", "execute", str(copy)],
        capture_output=True,
        text=True,
        env=env,
        cwd=path.parent.parent,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert '"execution_count": 1' not in path.read_text(), "the shipped notebook carries no results"
