"""`crm.open()`: the same data, under the same rights, in Python."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

import crm
from crm.client import config_folder, moment_of
from crm.errors import Missing, Refused
from tests.server.conftest import configuration, people


@pytest.fixture
def opened(tmp_path):
    folder = configuration(tmp_path / "config")
    with crm.open(folder, tmp_path / "crm.db") as client:
        people(client.company)
        client.place = (folder, tmp_path / "crm.db")
        yield client


def test_records_by_entity_name(opened):
    made = opened.thing.create(name="One", owner=opened.users()[0]["id"])
    assert opened.thing.get(made.id)["name"] == "One" and opened.thing[made.id].title == "One"
    opened.thing.change(made.id, name="Two")
    assert [record["name"] for record in opened.thing] == ["Two"] and len(opened.thing) == 1
    assert list(opened.thing.frame(["name"], where="name == 'Two'")["name"]) == ["Two"]
    assert any(change.old == "One" for change in opened.thing.history(made.id))
    assert opened.search("Two")[0].id == made.id
    opened.thing.delete(made.id)
    with pytest.raises(Missing):
        opened.thing.get(made.id)


def test_as_a_user_only_what_he_may_see(opened):
    users = {one["login"]: one["id"] for one in opened.users()}
    assert set(users) == {"anna", "carl", "cleo"}, "who was switched off is not among them"
    opened.thing.create(name="Carl's", owner=users["carl"], secret="x")
    with crm.open(*opened.place, user="carl") as carl, crm.open(*opened.place, user="cleo") as cleo:
        assert carl.thing.count() == 1 and cleo.thing.count() == 0
        assert "secret" not in carl.thing.frame().columns and "secret" not in carl.thing.list()[0]


def test_an_unknown_name_is_said_with_those_there_are(opened):
    with pytest.raises(AttributeError, match="no entity called 'opportunity'.*thing"):
        _ = opened.opportunity
    assert "thing" in dir(opened)


def test_where_the_configuration_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CRM_CONFIG", raising=False)
    assert config_folder().name == "sales" and config_folder("nonprofit").name == "nonprofit"
    with pytest.raises(Refused, match="no configuration folder nowhere"):
        config_folder("nowhere")
    configuration(tmp_path)
    assert config_folder().resolve() == tmp_path
    configuration(tmp_path / "config" / "sales")
    assert config_folder().as_posix() == "config/sales"
    monkeypatch.setenv("CRM_CONFIG", "nonprofit")
    assert config_folder().name == "nonprofit"


def test_moments():
    assert moment_of("2026-01-31", UTC) == datetime(2026, 1, 31, 23, 59, 59, 999000, UTC) == moment_of(date(2026, 1, 31), UTC)
    assert moment_of("2026-01-31T10:00:00Z", UTC) == datetime(2026, 1, 31, 10, tzinfo=UTC) == moment_of(datetime(2026, 1, 31, 10), UTC)
