"""A running server takes up what its configuration says, and refuses what is faulty: seen in the browser (H1)."""

from __future__ import annotations

import logging
import shutil

import pytest
from playwright.sync_api import expect

from crm.records import SYSTEM, Company
from crm.schema import load
from crm.stores import open_store
from tests.ui.conftest import serve
from tests.waiting import eventually


@pytest.fixture
def own(demo_store, tmp_path):
    """A company with a configuration folder of its own over the shipped one, served and watched: (folder, server)."""
    folder = tmp_path / "own"
    (folder / "entities").mkdir(parents=True)
    (folder / "crm.yaml").write_text("name: own\nextends: sales\n", encoding="utf-8")
    store = open_store(str(shutil.copy(demo_store, tmp_path / "own.db")))
    run = serve(Company(load(folder), store), watch=True)
    run.site.watcher.every = 0.1
    yield folder, run
    run.halt()
    store.close()


def test_a_field_is_taken_up_without_a_restart_and_a_faulty_one_refused(sign_in, own, caplog):
    """H1: a field added to the YAML stands in the form of the running app; a slip stays out, with its place on the admin page and in the log."""
    caplog.set_level(logging.INFO)
    folder, run = own
    company, file = run.company, folder / "entities" / "account.yaml"
    admin = next(one.id for one in company.door(SYSTEM).list("user", limit=None) if company.actor(one.id).admin)
    page = sign_in(admin, run=run)
    page.load("view=form&entity=account")
    expect(page.get_by_label("Name").first).to_be_visible()
    expect(page.get_by_text("Floor space")).to_have_count(0)

    good = "entity: account\nfields:\n  hall: {type: number, label: Floor space}\nform: {Building: [[hall]]}\n"
    file.write_text(good, encoding="utf-8")
    assert eventually(lambda: "hall" in company.schema.entities["account"].fields)
    page.load("view=form&entity=account")
    box = page.get_by_label("Floor space")
    expect(box).to_be_visible()

    before = company.schema
    file.write_text(good.replace("type: number", "typ: number"), encoding="utf-8")
    assert eventually(lambda: company.config_faults)
    assert company.schema is before
    page.load("view=admin&tab=config")
    expect(page.get_by_text("account.yaml:3:").first).to_be_visible()
    expect(page.get_by_text("Did you mean 'type'").first).to_be_visible()
    refusals = [one for one in caplog.records if "refused" in one.getMessage()]
    assert refusals and any("account.yaml:3:" in text for text in refusals[0].faults)
    page.load("view=form&entity=account")
    expect(page.get_by_label("Floor space")).to_be_visible()

    file.write_text(good.replace("Floor space", "Hall space"), encoding="utf-8")
    assert eventually(lambda: not company.config_faults and company.schema is not before)
    page.load("view=form&entity=account")
    expect(page.get_by_label("Hall space")).to_be_visible()
    page.load("view=admin&tab=config")
    expect(page.get_by_text("account.yaml:3:")).to_have_count(0)
    assert page.errors == []
