"""Shared by all tests: the demo company, made once a run and copied for whoever wants to write in it."""

from __future__ import annotations

import hashlib
import shutil
import sys
import time
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Properties are tried with the same examples on every machine, however slow it is; `--hypothesis-profile=default` looks for new ones.
settings.register_profile("crm", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("crm")

HERE = Path(__file__).parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--jitter", type=int, default=None, metavar="SEED", help="browser tests with a network and timers of changing speed (make jitter)")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "demo_folder" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.demo)


def build(name: str, target: Path) -> Path:
    """The small demo company of a shipped configuration, at `target`; safe to ask for from several test processes at once."""
    import fcntl

    from crm.intake.demo import fill
    from crm.records import Company
    from crm.schema import load, shipped
    from crm.stores import open_store

    with open(target.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            making = target.with_suffix(".making")
            for left in making.parent.glob(f"{making.name}*"):   # by a run that was ended in the middle
                left.unlink()
            store = open_store(str(making))
            fill(Company(load(shipped(name)), store), size="small", today=date.today())
            store.close()
            making.rename(target)
    return target


READERS = {"views", "server", "documents", "analytics", "charts", "cli.py", "cli", "client.py"}          # code that only reads what is in a store
SHOWN = {"reports", "dashboards", "kpis", "packs", "forecasts", "labels"}                                 # YAML that makes no records


def stamp() -> str:
    """What a demo company depends on: the day, the configuration that makes records, the code below analysis and screens."""
    found = hashlib.sha256(f"{date.today()} {sys.version_info[:2]}".encode())
    code = [path for path in (HERE / "crm").rglob("*.py") if path.relative_to(HERE).parts[1] not in READERS]
    texts = [path for path in (HERE / "config").rglob("*") if path.is_file() and not SHOWN & set(path.relative_to(HERE).parts)]
    for path in sorted([*code, *texts]):
        found.update(str(path.relative_to(HERE)).encode() + path.read_bytes())
    return found.hexdigest()[:16]


@pytest.fixture(scope="session")
def demo_folder(request, tmp_path_factory) -> Path:
    """One folder shared by all test processes, and by the next run as long as nothing that makes a demo company has changed."""
    if (cache := getattr(request.config, "cache", None)) is not None:
        base = cache.mkdir("demo")
        for old in base.iterdir():
            with suppress(FileNotFoundError):                    # another test process was first
                if time.time() - old.stat().st_mtime > 86400:
                    shutil.rmtree(old, ignore_errors=True)
        folder = base / stamp()
    else:
        base = tmp_path_factory.getbasetemp()
        folder = (base.parent if base.name.startswith("popen-") else base) / "demo"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def demo_store(demo_folder) -> Path:
    """The store of the demo company of `config/sales`. Never write in it: copy it."""
    return build("sales", demo_folder / "sales.db")


@pytest.fixture(scope="session")
def nonprofit_store(demo_folder) -> Path:
    """The store of the demo company of `config/nonprofit`. Never write in it: copy it."""
    return build("nonprofit", demo_folder / "nonprofit.db")


@pytest.fixture
def demo(demo_store, tmp_path):
    """The demo company, in a copy of its own."""
    from crm.records import Company
    from crm.schema import load, shipped
    from crm.stores import open_store

    store = open_store(str(shutil.copy(demo_store, tmp_path / "demo.db")))
    yield Company(load(shipped("sales")), store)
    store.close()


@pytest.fixture
def shop(tmp_path):
    """Makes companies with automations; see `tests/shop.py`."""
    from tests.shop import shops

    yield from shops(tmp_path)


@pytest.fixture
def post():
    """A mail server of which tests kill the senders; see `tests/worker/killing.py`."""
    from tests.worker.killing import posts

    yield from posts()
