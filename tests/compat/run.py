"""TinyDB's own tests against our store: `make compat`, or `python tests/compat/run.py [--source DIR or tar.gz] [pytest arguments]`.

Takes TinyDB's source distribution of the version that is installed here (its tests are not in the wheel), puts `crm.stores.Database` where
its tests say `TinyDB`, and gives the fixture `db` a store of ours (one kind, not two, so there are 152 tests). Tests that bring a
storage of their own keep it. Exits with 0 when no test fails beyond `MISSES`, each of which says why we do not do as TinyDB does.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

VERSION = "4.9.0"
ENOUGH = 146

MISSES = {
    "test_lru_cache": "Its cache is emptied by writes. Ours keeps compiled conditions, not answers, which writes do not outdate.",
    "test_table_repr": "The text names SQLiteStorage and its file where TinyDB's names its own storages.",
    "test_json_kwargs": "The test reads the file as JSON text and gives arguments of the JSON storage; ours is an SQLite file.",
}

PLUGIN = '''
import pytest, tinydb, tinydb.database
from crm.stores import Database

class TinyDB(Database):
    """Ours under the name that the tests look for in texts."""

tinydb.TinyDB = tinydb.database.TinyDB = TinyDB

@pytest.fixture
def db(tmp_path):
    with TinyDB(tmp_path / "test.db") as made:
        made.drop_tables()
        made.insert_multiple({"int": 1, "char": c} for c in "abc")
        yield made
'''


def source(given: str | None, into: Path) -> Path:
    """The folder of TinyDB's sources."""
    if given and Path(given).is_dir():
        return Path(given)
    archive = Path(given) if given else None
    if archive is None:
        print(f"fetching the sources of tinydb {VERSION}", file=sys.stderr)
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", "-d", str(into), f"tinydb=={VERSION}"],
            check=True,
        )
        archive = next(into.glob("tinydb-*.tar.gz"))
    with tarfile.open(archive) as tar:
        tar.extractall(into, filter="data")
    return into / f"tinydb-{VERSION}"


def main() -> int:
    """Run them and compare with what is expected."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", help="a folder or archive of the sources, instead of fetching them")
    known, rest = parser.parse_known_args()
    with tempfile.TemporaryDirectory(prefix="compat-") as scratch:
        folder = Path(scratch)
        tests = folder / "tests"
        tests.mkdir()
        for file in (source(known.source, folder) / "tests").glob("*.py"):
            text = file.read_text()
            if file.name == "conftest.py":  # the fixtures stay, `db` is ours
                text = re.sub(r"@pytest\.fixture\(params.*?yield db_\n", "", text, flags=re.S) + PLUGIN
            (tests / file.name).write_text(text)
        run = subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-rfE",
                "--tb=line",
                "-p",
                "no:cacheprovider",
                "--rootdir",
                str(folder),
                str(tests),
                *rest,
            ],
            cwd=folder,
            env={**__import__("os").environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            text=True,
            stdout=subprocess.PIPE,
        )
    print(run.stdout)
    failed = sorted(set(re.findall(r"^(?:FAILED|ERROR) \S+::(\w+)(?:\[\w+\])?", run.stdout, flags=re.M)))
    passed = int((re.search(r"(\d+) passed", run.stdout) or [0, 0])[1])
    for name in failed:
        print(f"  {name}: {MISSES.get(name, 'UNEXPECTED')}")
    told = [name for name in failed if name not in MISSES]
    print(f"{passed} passed; {ENOUGH} are wanted; {len(told)} unexpected failures")
    return 0 if passed >= ENOUGH and not told else 1


if __name__ == "__main__":
    sys.exit(main())
