"""Small configurations written for one test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """`write("name", {"entities/a.yaml": "…"})` lays out a configuration and gives its folder; crm.yaml is made when absent."""

    def make(name: str = "mine", files: Mapping[str, str] = {}, **more: str) -> Path:
        folder = tmp_path / name
        every = {"crm.yaml": f"name: {name}\n", **files}
        for path, text in every.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(dedent(text), encoding="utf-8")
        return folder

    return make


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """The small correct configuration of `tests/bad_config/_base`, to be changed at will."""
    import shutil

    source = Path(__file__).resolve().parent.parent / "bad_config" / "_base"
    return Path(shutil.copytree(source, tmp_path / "small"))
