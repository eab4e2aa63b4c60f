"""Shared by all tests: the demo company, made once a run and copied for whoever wants to write in it."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest


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
            store = open_store(str(making))
            fill(Company(load(shipped(name)), store), size="small", today=date.today())
            store.close()
            making.rename(target)
    return target


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory) -> Path:
    """One folder for the whole run, shared by all test processes."""
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
