"""Health, figures, logs, errors, and a configuration that changes while the server runs."""

from __future__ import annotations

import json
import logging
import sys
import threading

import httpx
import pytest

from crm.errors import Refused
from crm.server import logs, run
from tests.server.conftest import Browser, configuration, little_page, people, running
from tests.waiting import eventually


def test_health_says_no_when_the_store_does_not_answer(place, monkeypatch):
    class Broken:
        @property
        def sequence(self):
            raise OSError("disk gone")

    monkeypatch.setattr(place.site, "store", Broken())
    answer = httpx.get(place.address + "/healthz", timeout=120)
    assert answer.status_code == 503 and answer.json()["ok"] is False and "disk" not in answer.text


def test_figures_are_for_the_administrator_or_the_token(place):
    assert place.browser("carl").get("/metrics").status_code == 403
    assert "crm_requests_total" in place.browser("anna").get("/metrics").text
    bearer = {"authorization": "Bearer figures please"}
    assert "crm_signins_total" in httpx.get(place.address + "/metrics", headers=bearer, timeout=120).text
    assert httpx.get(place.address + "/metrics", headers={"authorization": "Bearer guess"}, timeout=120).status_code == 401
    assert httpx.get(place.address + "/export/thing.csv", headers=bearer, timeout=120).status_code == 401, "the token opens nothing else"


def test_an_error_is_told_with_a_code_that_stands_in_the_log(place, monkeypatch, caplog):
    def broken(visit):
        raise RuntimeError("internal detail 4711")

    monkeypatch.setattr(place.site.company, "actor", broken)
    monkeypatch.setattr(place.site, "words", lambda request=None, user=None: place.company.schema.words("en"))
    browser = Browser(place.address)
    token, _ = place.site.sessions.begin(place.users["carl"])
    browser.http.cookies.set(place.site.sessions.cookie, token)
    with caplog.at_level(logging.ERROR, "crm"):
        answer = browser.get("/signout")
    assert answer.status_code == 500 and "4711" not in answer.text and "Traceback" not in answer.text
    code = next(record.id for record in caplog.records if getattr(record, "id", None))
    assert code in answer.text and "4711" in caplog.text


def test_a_page_that_fails_tells_a_code(place, monkeypatch, caplog):
    def broken(company, actor):
        raise RuntimeError("internal detail 4712")

    browser = place.browser("carl")
    monkeypatch.setattr(place.site, "_page", broken)
    with caplog.at_level(logging.ERROR, "crm"):
        answer = browser.get("/")
    assert "4712" not in answer.text and "4712" in caplog.text


def test_logs_are_one_json_object_a_line():
    record = logging.LogRecord("crm.access", logging.INFO, "", 0, "request", None, None)
    record.status, record.user = 200, 7
    line = json.loads(logs.JsonLines().format(record))
    assert (
        line["what"] == "request" and line["status"] == 200 and line["user"] == 7 and line["level"] == "info" and line["at"].endswith("Z")
    )
    try:
        raise ValueError("two\nlines")
    except ValueError:
        record.exc_info = sys.exc_info()
    text = logs.JsonLines().format(record)
    assert "\n" not in text and "two" in json.loads(text)["error"]


def test_requests_are_logged_with_user_and_id(place, caplog):
    with caplog.at_level(logging.INFO, "crm.access"):
        answer = place.browser("carl").get("/password?secret=1")

        def written():
            return [record for record in caplog.records if record.name == "crm.access" and record.path == "/password"]

        assert eventually(written), "the line is written once the answer is out"
    found = written()
    assert found[-1].user == place.users["carl"] and found[-1].id == answer.headers["x-request-id"]
    assert "secret=1" not in caplog.text


# ---- the configuration changes -----------------------------------------------------------------------------------------------


@pytest.fixture
def changing(tmp_path):
    from crm.client import open_company
    from crm.server.site import Site

    folder = configuration(tmp_path / "config")
    company = open_company(folder, tmp_path / "crm.db")
    people(company)
    site = Site(company, page=little_page([]), watch=True)
    site.watcher.every = 0.05
    with running(site) as address:
        yield folder, company, address
    company.store.close()


def test_a_field_added_to_the_yaml_is_taken_up(changing):
    from crm.records import SYSTEM

    folder, company, address = changing
    door = company.door(SYSTEM)
    before = door.create("thing", {"name": "Old"})
    path = folder / "entities" / "thing.yaml"
    path.write_text(path.read_text().replace("secret: {type: text}", "secret: {type: text}\n  colour: {type: text, label: Colour}"))
    assert eventually(lambda: "colour" in company.schema.entities["thing"].fields)
    door = company.door(SYSTEM)
    assert door.change("thing", before.id, {"colour": "green"})["colour"] == "green"
    assert httpx.get(address + "/healthz", timeout=120).json()["configuration"] == "ok"


def test_a_faulty_change_is_refused_told_and_taken_up_once_mended(changing):
    folder, company, address = changing
    path = folder / "entities" / "thing.yaml"
    good, before = path.read_text(), company.schema
    path.write_text(good.replace("owner: owner", "owner: nobody_field").replace("secret: {type: text}", "secret: {typ: text}"))
    assert eventually(lambda: company.config_faults)
    assert company.schema is before, "the old one stays in use"
    assert any("typ" in str(fault) and "thing.yaml" in fault.file for fault in company.config_faults)
    answer = httpx.get(address + "/healthz", timeout=120).json()
    assert answer == {"ok": True, "store": "ok", "configuration": "refused", "faults": len(company.config_faults)}
    path.write_text(good.replace("label: Thing", "label: Object"))
    assert eventually(lambda: company.schema.entities["thing"].label == "Object")
    assert company.config_faults == []


PIPELINE = """
pipeline: way
entity: thing
stages:
  one: {label: One}
  two: {label: Two}
  end: {outcome: won}
"""


def test_a_stage_that_records_are_in_is_not_lost_to_a_running_or_a_starting_server(changing, tmp_path):
    from crm.errors import ConfigError
    from crm.records import SYSTEM

    folder, company, address = changing
    thing = folder / "entities" / "thing.yaml"
    (folder / "pipelines").mkdir()
    (folder / "pipelines" / "way.yaml").write_text(PIPELINE)
    thing.write_text(thing.read_text().replace("secret: {type: text}", "secret: {type: text}\n  step: {type: stage}"))
    assert eventually(lambda: "way" in company.schema.pipelines)
    door = company.door(SYSTEM)
    for _ in range(3):
        door.move("thing", door.create("thing", {"name": "X"}).id, "two")
    door.delete("thing", door.create("thing", {"name": "Gone", "step": "two"}).id)
    (folder / "pipelines" / "way.yaml").write_text(PIPELINE.replace("  two: {label: Two}\n", ""))
    assert eventually(lambda: company.config_faults)
    (fault,) = company.config_faults
    assert fault.file.endswith("pipelines/way.yaml") and "3 records are in the stage 'two' of 'way'" in fault.message
    assert "two" in company.schema.pipelines["way"].stages, "the old one stays in use"
    assert httpx.get(address + "/healthz", timeout=120).json()["configuration"] == "refused"
    with pytest.raises(ConfigError, match="3 records are in the stage 'two'"):
        run.serve(folder, str(tmp_path / "crm.db"), port=1)


# ---- starting ----------------------------------------------------------------------------------------------------------------


def test_what_charts_and_statistics_need_is_loaded_before_a_page_asks(tmp_path, monkeypatch):
    from crm.client import open_company
    from crm.server import site as module

    loaded, load = threading.Event(), module.ahead

    def ahead():
        load()
        loaded.set()
    monkeypatch.setattr(module, "ahead", ahead)
    company = open_company(configuration(tmp_path / "config"), tmp_path / "crm.db")
    with running(module.Site(company, page=little_page([]))):
        assert loaded.wait(120)
    assert {"holoviews.plotting.bokeh", "scipy.stats"} <= set(sys.modules)
    company.store.close()


def test_a_demo_is_served_on_this_machine_only(tmp_path):
    from crm.client import open_company
    from crm.server.passwords import Passwords

    folder = configuration(tmp_path / "config")
    company = open_company(folder, tmp_path / "crm.db")
    user = people(company)["carl"]
    Passwords(company.store).set(user, "carl", demo=True)
    company.store.close()
    with pytest.raises(Refused, match="known to everybody"):
        run.serve(folder, str(tmp_path / "crm.db"), host="0.0.0.0", port=1)


def test_a_taken_port_is_said_in_plain_words(place, tmp_path):
    port = int(place.address.rsplit(":", 1)[1])
    with pytest.raises(Refused, match=f"Port {port} cannot be used"):
        run.check_port("127.0.0.1", port)


@pytest.mark.parametrize(
    "host, more, inside, outside",
    [("127.0.0.1", [], "localhost", "evil.example"), ("127.0.0.1", ["crm.firm.example"], "crm.firm.example", "evil.example")],
)
def test_the_names_it_answers_to(host, more, inside, outside):
    hosts = run.hosts_of(host, more)
    assert inside in hosts and outside not in hosts and "*" not in hosts


def test_a_demo_shows_its_sign_ins_and_one_click_signs_in(place):
    import re

    place.site.passwords.set(place.users["carl"], "carl", demo=True)
    try:
        browser = place.browser()
        text = browser.get("/signin").text
        assert 'name="demo" value="carl"' in text
        form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', text))
        assert browser.post("/signin", {**form, "demo": "carl"}).status_code == 303
        assert place.browser().post("/signin", {**form, "demo": "anna"}).status_code in (401, 403)
    finally:
        from tests.server.conftest import GOOD

        place.site.passwords.set(place.users["carl"], GOOD)
    assert "carl" not in place.browser().get("/signin").text
