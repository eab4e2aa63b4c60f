"""Every mistake of `tests/bad_config` is told in exactly the words that stand beside it.

A case is `x.yaml` (its first line says which file of the small configuration `_base` it replaces) or a folder `x/` (a configuration of its
own; `extends: ../base` builds on the small one). `x.txt` holds the whole expected output. After a deliberate change of words:
`python tests/schema/test_bad_config.py` writes them anew; read the diff.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from crm.expressions import FUNCTIONS
from crm.schema import check
from crm.schema.analyses import analysis_names
from crm.schema.faults import known
from crm.schema.language.fields import field_types
from crm.schema.language.reports import chart_names

CASES = Path(__file__).resolve().parent.parent / "bad_config"
#: Lists that grow by a file of its own stand for themselves: a new field type or chart changes no expectation.
LISTS = {
    known(field_types(), 40): "(every field type)",
    known(chart_names(), 40): "(every chart)",
    known(analysis_names(), 40): "(every analysis)",
    ", ".join(sorted(FUNCTIONS)): "(every function)",
}
NAMES = sorted({path.stem for path in CASES.iterdir() if not path.name.startswith("_")})


def said(name: str, folder: Path) -> str:
    """What the check says about a case, laid out in `folder`; codes in front. Texts of the engine itself (W903) are not the case's."""
    source = CASES / name
    shutil.copytree(CASES / "_base", folder / "base")
    before = Path.cwd()
    try:
        if source.is_dir():
            shutil.copytree(source, folder / name)
            os.chdir(folder)
            faults = check(name)
        else:
            content = source.with_suffix(".yaml").read_bytes()
            where = content.split(b"\n", 1)[0].decode().removeprefix("# in:").strip()
            (folder / "base" / where).parent.mkdir(exist_ok=True)
            (folder / "base" / where).write_bytes(content)
            os.chdir(folder / "base")
            faults = check(".")
    finally:
        os.chdir(before)
    text = "".join(f"{fault.code} {fault}\n" for fault in faults if fault.code != "W903")
    for every, short in LISTS.items():
        text = text.replace(every, short)
    return text


@pytest.mark.parametrize("name", NAMES)
def test_a_mistake_is_told_in_these_words(name: str, tmp_path: Path) -> None:
    assert said(name, tmp_path) == (CASES / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_every_fault_says_where_and_how_to_mend_it(name: str) -> None:
    lines = (CASES / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    assert lines and len(lines) % 2 == 0
    for first, second in zip(lines[::2], lines[1::2], strict=True):
        code, place = first.split(" ", 1)
        assert code[0] in "EW" and code[1:].isdigit()
        assert place.split(":")[1].isdigit() and place.split(":")[2].isdigit()
        assert second.startswith("    ") and len(second) > 10


def test_there_are_enough_of_them() -> None:
    assert len(NAMES) >= 60


def test_the_small_configuration_itself_is_fine() -> None:
    assert check(CASES / "_base") == []


if __name__ == "__main__":
    for case in NAMES:
        with tempfile.TemporaryDirectory() as place:
            (CASES / f"{case}.txt").write_text(said(case, Path(place)), encoding="utf-8")
