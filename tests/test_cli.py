"""The command line keeps its contract: one JSON document on stdout, words on stderr, exit codes, never a traceback."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys

import pytest

from crm import cli
from tests.server.conftest import configuration


class Command:
    """Runs commands over one configuration and store, in this process."""

    def __init__(self, folder, capfd, monkeypatch) -> None:
        self.config, self.data = configuration(folder / "config"), folder / "var" / "crm.db"
        self.capfd, self.monkeypatch = capfd, monkeypatch

    def __call__(self, *arguments, code: int = 0, stdin: str = "") -> str:
        self.monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        with pytest.raises(SystemExit) as end:
            cli.main(["--config", str(self.config), "--data", str(self.data), *map(str, arguments)])
        said = self.capfd.readouterr()
        self.errors = said.err
        assert end.value.code == code, (said.out, said.err)
        assert "Traceback" not in said.err + said.out
        return said.out

    def json(self, *arguments, **more):
        return json.loads(self(*arguments, "--json", **more))


@pytest.fixture
def crm(tmp_path, capfd, monkeypatch):
    for name in ("CRM_CONFIG", "CRM_DATA", "CRM_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    return Command(tmp_path, capfd, monkeypatch)


@pytest.fixture
def filled(crm):
    """One administrator, one clerk, and two things of the clerk's."""
    crm("user", "add", "anna", "--role", "admin", "--name", "Anna Nowak")
    crm("user", "add", "carl", "--role", "clerk", "--name", "Carl Kowalski")
    from crm.client import open_company

    company = open_company(crm.config, crm.data)
    door = company.door(company.actor("carl"))
    crm.first = door.create("thing", {"name": "Zażółć gęślą"}).id
    crm.second = door.create("thing", {"name": "Second thing"}).id
    company.store.close()
    return crm


# ---- the frame ---------------------------------------------------------------------------------------------------------------


def test_common_options_may_stand_anywhere():
    front = ["--json", "--config", "x", "--as", "anna"]
    assert cli.ordered(["--json", "show", "--config", "x", "thing", "1", "--as", "anna"]) == [*front, "show", "thing", "1"]
    assert cli.ordered(["show", "thing", "1", "--as-of", "2026"]) == ["show", "thing", "1", "--as-of", "2026"]
    assert cli.ordered(["find", "--data=y", "--", "--json"]) == ["--data=y", "find", "--", "--json"]


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["show", "thing"], ["show", "thing", "one"], ["export", "thing", "--format", "doc"], ["demo", "--size", "huge"]],
)
def test_wrong_use_is_said_in_words(filled, arguments):
    filled(*arguments, code=2 if arguments[0] in ("nonsense", "show") else 1)
    assert filled.errors.strip()
    assert "error" in filled.json(*arguments, code=2 if arguments[0] in ("nonsense", "show") else 1)


@pytest.mark.parametrize(
    "arguments", [["find", "x"], ["show", "thing", "1"], ["history", "thing", "1"], ["verify"], ["backup", "b.db"], ["user", "list"]]
)
def test_without_a_store_nothing_is_made(crm, arguments):
    assert "There is no data at" in crm.json(*arguments, code=1)["error"]
    assert not crm.data.exists()


def test_a_missing_configuration_is_said(crm, tmp_path):
    crm.config = tmp_path / "nowhere"
    assert "There is no configuration folder" in crm.json("check", code=1)["error"]


def test_the_environment_says_where_things_are(crm, monkeypatch, tmp_path):
    monkeypatch.setenv("CRM_CONFIG", str(crm.config))
    monkeypatch.setenv("CRM_DATA", str(tmp_path / "other.db"))
    with pytest.raises(SystemExit) as end:
        cli.main(["user", "add", "anna", "--role", "admin"])
    assert end.value.code == 0 and (tmp_path / "other.db").exists() and not crm.data.exists()


def test_an_unexpected_failure_is_one_plain_line(filled, monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError("inside")

    monkeypatch.setattr("crm.client.open_company", broken)
    document = filled.json("find", "x", code=1)
    assert "ZeroDivisionError" in document["error"] and len(filled.errors.strip().splitlines()) == 1


def test_it_starts_quickly():
    """`crm --help` loads none of the heavy libraries."""
    code = "import sys, crm.cli; heavy = {'panel', 'bokeh', 'pandas', 'holoviews', 'fastapi', 'babel', 'tinydb'} & set(sys.modules); assert not heavy, heavy"
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ})


# ---- configuration -----------------------------------------------------------------------------------------------------------


def test_check_finds_nothing_in_a_good_configuration(crm):
    assert crm.json("check")["faults"] == []
    assert "no faults" in crm("check")


def test_check_gives_all_faults_with_their_place(crm):
    path = crm.config / "entities" / "thing.yaml"
    path.write_text(path.read_text().replace("required: true", "requird: true").replace("type: user", "type: usr"))
    faults = crm.json("check", code=1)["faults"]
    assert len(faults) >= 2
    assert all(set(fault) == {"code", "file", "line", "column", "message", "mend"} for fault in faults)
    wrong = next(fault for fault in faults if "requird" in fault["message"])
    assert wrong["line"] == 6 and wrong["file"].endswith("thing.yaml") and "required" in wrong["message"] + wrong["mend"]
    assert "thing.yaml:6:" in crm("check", code=1)
    error = crm.json("user", "list", code=1)
    assert len(error["faults"]) == len(faults)


def test_init_makes_a_few_lines_that_work(crm, tmp_path):
    folder = tmp_path / "my firm"
    document = crm.json("init", folder, "--from", "base")
    assert document["extends"] == "base"
    text = (folder / "crm.yaml").read_text()
    assert "extends: base" in text and len(text.splitlines()) < 10
    crm.config = folder
    assert crm.json("check")["faults"] == []
    assert crm.json("init", folder, code=1)["error"]
    assert "There are: " in crm.json("init", tmp_path / "b", "--from", "nothing", code=1)["error"]


def test_schema_is_written_for_editors(crm):
    crm("schema")
    assert crm.errors == ""
    written = sorted(path.name for path in (crm.config / ".schema").iterdir())
    assert "entity.json" in written and "crm.json" in written
    assert set(crm.json("schema")) == {name.removesuffix(".json") for name in written}


# ---- people ------------------------------------------------------------------------------------------------------------------


def test_users_are_added_listed_disabled(filled):
    people = {one["name"]: one for one in filled.json("user", "list")["users"]}
    assert set(people) == {"anna", "carl"} and people["carl"]["role"] == "clerk" and people["carl"]["active"]
    assert "carl" in filled("user", "list")
    filled("user", "disable", "carl")
    assert not {one["name"]: one for one in filled.json("user", "list")["users"]}["carl"]["active"]
    filled("user", "enable", "carl")
    assert {one["name"]: one for one in filled.json("user", "list")["users"]}["carl"]["active"]
    assert "There is no user nobody" in filled.json("user", "disable", "nobody", code=1)["error"]
    assert "There is no role boss" in filled.json("user", "add", "x", "--role", "boss", code=1)["error"]


def test_a_password_is_made_up_or_read_and_never_stored_plain(filled):
    from crm.server.passwords import Passwords
    from crm.stores import open_store

    made = filled.json("user", "add", "dora", "--role", "clerk")
    assert len(made["password"]) >= 12
    given = filled.json("user", "password", "carl", "--password-stdin", stdin="one good secret\n")
    assert "password" not in given
    assert "At least" in filled.json("user", "password", "carl", "--password-stdin", code=1, stdin="short\n")["error"]
    store = open_store(str(filled.data))
    users = {doc["login"]: doc.doc_id for doc in store.table("user").all()}
    passwords = Passwords(store)
    assert passwords.check(users["carl"], "one good secret") and passwords.check(users["dora"], made["password"])
    assert not passwords.demo_users()
    store.close()
    assert b"one good secret" not in filled.data.read_bytes()


def test_disabling_ends_the_sign_ins(filled):
    from crm.server.sessions import Sessions
    from crm.stores import open_store

    store = open_store(str(filled.data))
    user = next(doc.doc_id for doc in store.table("user").all() if doc["login"] == "carl")
    Sessions(store, lambda _: True).begin(user)
    store.close()
    assert filled.json("user", "disable", "carl")["sessions_ended"] == 1


def test_why_says_yes_or_no_and_the_reason(filled):
    yes = filled.json("why", "carl", "thing", filled.first, "name")
    no = filled.json("why", "carl", "thing", filled.first, "secret")
    assert yes["allowed"] is True and yes["because"] and no["allowed"] is False and no["because"]


# ---- records -----------------------------------------------------------------------------------------------------------------


def test_find_show_history(filled):
    hits = filled.json("find", "zazolc")["hits"]
    assert hits and set(hits[0]) == {"entity", "id", "title", "snippet"} and hits[0]["title"] == "Zażółć gęślą"
    shown = filled.json("show", "thing", filled.first)
    assert shown["id"] == filled.first and shown["name"] == "Zażółć gęślą"
    assert "Zażółć" in filled("show", "thing", filled.first)
    changes = filled.json("history", "thing", filled.first)["changes"]
    assert any(change["field"] == "name" and change["new"] == "Zażółć gęślą" and change["who"] for change in changes)
    assert filled.json("find", "nothing like this")["hits"] == []


def test_show_as_of(filled):
    from crm.client import open_company

    company = open_company(filled.config, filled.data)
    company.door(company.actor("carl")).change("thing", filled.first, {"name": "Renamed"})
    company.store.close()
    changes = filled.json("history", "thing", filled.first)["changes"]
    created = min(change["at"] for change in changes)
    assert filled.json("show", "thing", filled.first)["name"] == "Renamed"
    assert filled.json("show", "thing", filled.first, "--as-of", created)["name"] == "Zażółć gęślą"
    assert "error" in filled.json("show", "thing", filled.first, "--as-of", "2001-01-01", code=1)


def test_as_somebody_only_what_he_may_see(filled):
    filled("user", "add", "cleo", "--role", "clerk")
    assert filled.json("show", "thing", filled.first, "--as", "carl")["name"]
    assert "error" in filled.json("show", "thing", filled.first, "--as", "cleo", code=1)
    assert filled.json("find", "Second", "--as", "cleo")["hits"] == []


def test_undo_takes_a_step_back(filled):
    step = filled.json("history", "thing", filled.second)["changes"][0]["step"]
    filled("undo", step)
    assert "error" in filled.json("show", "thing", filled.second, code=1)


def test_export_and_import_again(filled, tmp_path):
    target = tmp_path / "things.csv"
    assert filled.json("export", "thing", "--out", target)["exported"]["thing"]["records"] == 2
    assert "Zażółć gęślą" in target.read_text(encoding="utf-8-sig")
    assert "Second thing" in filled("export", "thing")
    rows = json.loads(filled("export", "thing", "--format", "json"))
    assert {row["name"] for row in rows} == {"Zażółć gęślą", "Second thing"}
    fresh = tmp_path / "fresh.csv"
    fresh.write_text("name\nThird\nFourth\n")
    dry = filled.json("import", "thing", fresh, "--dry-run")
    assert dry["created"] == 2 and filled.json("find", "Fourth")["hits"] == []
    done = filled.json("import", "thing", fresh)
    assert {key: done[key] for key in ("created", "updated", "unchanged", "rejected")} == {
        "created": 2,
        "updated": 0,
        "unchanged": 0,
        "rejected": 0,
    }
    assert filled.json("find", "Fourth")["hits"]
    filled("undo", done["step"])
    assert filled.json("find", "Fourth")["hits"] == []


# ---- the store's care --------------------------------------------------------------------------------------------------------


def test_backup_restore_verify(filled, tmp_path):
    copy = tmp_path / "safe" / "copy.db"
    assert filled.json("backup", copy)["bytes"] > 0
    assert filled.json("verify") == {"problems": []}
    filled("undo", filled.json("history", "thing", filled.second)["changes"][0]["step"])
    assert "--yes" in filled.json("restore", copy, code=1)["error"]
    filled("restore", copy, "--yes")
    assert filled.json("show", "thing", filled.second)["name"] == "Second thing"
    assert "There is no file" in filled.json("restore", tmp_path / "none.db", "--yes", code=1)["error"]


# ---- mistakes are told so that they can be mended ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "thng", "1"], "There is nothing called thng. Did you mean 'thing'?"),
        (["history", "thng", "1"], "Did you mean 'thing'?"),
        (["export", "thng"], "Did you mean 'thing'?"),
        (["import", "thng", "x.csv"], "Did you mean 'thing'?"),
        (["why", "anna", "thng", "1"], "Did you mean 'thing'?"),
        (["why", "ana", "thing", "1"], "There is no user ana. Did you mean 'anna'?"),
        (["find", "x", "--as", "ana"], "Did you mean 'anna'?"),
        (["user", "disable", "ana"], "Did you mean 'anna'?"),
        (["user", "add", "x", "--role", "clrk"], "Did you mean 'clerk'?"),
        (["report", "nothing_like_it"], "There is no report called nothing_like_it. There are: "),
        (["export", "thing", "--where", "nam == 'x'"], "There is no field called 'nam' here. Did you mean 'name'?"),
        (["export", "thing", "--where", "name =="], "This is not a complete expression."),
        (["export", "all", "--where", "name == 'x'"], "--where goes with one entity."),
        (["show", "thing", "1", "--as-of", ""], "is not a date"),
        (["show", "thing", "1", "--as-of", "2026-13-45"], "is not a date"),
        (["import", "thing", "nowhere.csv"], "There is no file nowhere.csv."),
        (["import", "thing", "x.csv", "--map", "nowhere"], "There is no import map nowhere"),
    ],
)
def test_what_was_meant_is_offered(filled, arguments, words):
    document = filled.json(*arguments, code=1)
    assert words in document["error"] and filled.errors.strip() == document["error"]


def test_entities_may_be_named_as_people_write_them(filled):
    for name in ("Thing", "THINGS", " thing"):
        assert filled.json("show", name, filled.first)["id"] == filled.first


def test_what_is_no_store_is_said(filled, tmp_path):
    other = tmp_path / "notes.txt"
    other.write_text("Not a database at all. " * 100)
    assert "no store of this CRM" in filled.json("--data", other, "verify", code=1)["error"]
    assert "is the store itself" in filled.json("backup", filled.data, code=1)["error"]
    filled("--data", tmp_path / "new.db", "restore", other, code=1)
    assert not (tmp_path / "new.db").exists(), "a failed restore leaves no empty store"


def test_a_disabled_user_has_no_rights_and_why_says_so(filled):
    filled("user", "disable", "carl")
    assert filled.json("find", "thing", "--as", "carl", code=1)["error"] == "This account is switched off."
    answer = filled.json("why", "carl", "thing", filled.first)
    assert answer["allowed"] is False and "switched off" in answer["because"][0]


def test_everything_as_one_document(filled, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    document = json.loads(filled("export", "all", "--format", "json"))
    assert {one["name"] for one in document["thing"]} == {"Zażółć gęślą", "Second thing"}
    assert not (tmp_path / "export").exists()
    written = filled.json("export", "all", "--format", "json", "--out", tmp_path / "out")["exported"]["thing"]
    assert written["records"] == 2 and len(json.loads((tmp_path / "out" / "thing.json").read_text())) == 2


def test_the_version_is_told(crm):
    assert crm("--version").startswith("crm ")


@pytest.fixture
def demo(crm, demo_store, tmp_path):
    """Commands over the demo company of the shipped configuration."""
    import shutil

    from crm.schema import shipped

    crm.config, crm.data = shipped("sales"), shutil.copy(demo_store, tmp_path / "demo.db")
    return crm


def test_a_report_goes_where_it_is_asked_to(demo, tmp_path):
    """`--out` holds for every format, and `--json` with a picture makes the picture and tells its place."""
    answer = demo.json("report", "win_rate", "--format", "csv", "--out", tmp_path / "rate.csv")
    assert answer == {"report": "win_rate", "path": str(tmp_path / "rate.csv"), "stamp": answer["stamp"]} and len(answer["stamp"]) == 16
    assert (tmp_path / "rate.csv").read_text().startswith("won,decided,win_rate\n")
    demo("report", "win_rate", "--format", "json", "--out", tmp_path / "rate.json")
    document = json.loads((tmp_path / "rate.json").read_text())
    assert document["columns"] == ["won", "decided", "win_rate"] and len(document["rows"]) == 1
    demo.json("report", "win_rate", "--format", "png", "--out", tmp_path / "rate.png")
    assert (tmp_path / "rate.png").read_bytes().startswith(b"\x89PNG")
    assert "There is no folder" in demo.json("report", "win_rate", "--format", "png", "--out", tmp_path / "no" / "x.png", code=1)["error"]
    assert "Did you mean 'win_rate'?" in demo.json("report", "win_rat", code=1)["error"]


@pytest.mark.slow
@pytest.mark.parametrize("how", [[], ["--map", "salesforce"], ["--map", "{}"], ["--map", "salesforce/{}"]], ids=["file", "folder", "name", "both"])
def test_another_crm_comes_in_by_its_own_names(crm, how):
    """`crm import CampaignMember CampaignMember.csv`: the entity may be said as the source says it, the map by file, folder or name."""
    from crm.schema import shipped
    from tests.intake.test_import import FILES, WORKSHOP

    if not WORKSHOP.is_dir():
        pytest.skip("the workshop's data are not on this machine")
    crm.config = shipped("sales")
    for name, (_, count) in list(FILES.items())[: None if not how else 1]:
        told = crm.json("import", name, WORKSHOP / f"{name}.csv", *(part.format(name) for part in how))
        assert [told[key] for key in ("created", "updated", "unchanged", "rejected")] == [count, 0, 0, 0], name
        assert told["step"]
    again = crm("import", "Account", WORKSHOP / "Account.csv")
    assert again.startswith("0 created, 0 updated, 22 unchanged, 0 rejected")
    assert crm.json("undo", told["step"])["done"] == count
