"""Files of any making come in by a map or a guess, once, and out again by one undo."""

from __future__ import annotations

import csv
import os
import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from crm.errors import Denied, Refused
from crm.intake import importing, tables
from crm.intake.importing import date_order, decimal_comma, find_map, plain_date, plain_number, run
from crm.records.actor import SYSTEM
from crm.records.company import Company
from crm.schema import load
from crm.stores import open_store

CONFIG = Path(__file__).parents[2] / "config"
WORKSHOP = Path(os.environ.get("CRM_SHARED_DATA", Path(__file__).parents[2].parent / "shared" / "data")) / "salesforce_workshop"
FILES = {"Account": ("account", 22), "Contact": ("contact", 102), "Lead": ("lead", 60), "Opportunity": ("opportunity", 50), "Campaign": ("campaign", 8),
         "CampaignMember": ("response", 68), "Task": ("activity", 75), "Case": ("case", 40)}  # fmt: skip


def begun(path):
    """A company of a few people over an empty store."""
    one = Company(load(CONFIG / "sales"), open_store(path))
    door = one.door(SYSTEM)
    team = door.create("team", {"name": "Sales"})
    other = door.create("team", {"name": "Others"})
    for login, role, home in (
        ("ann", "rep", team),
        ("bob", "rep", other),
        ("sara", "service", other),
        ("dir", "director", team),
        ("adm", "admin", team),
    ):
        door.create("user", {"name": login.title(), "login": login, "role": role, "team": home.id})
    return one


@pytest.fixture
def company(tmp_path):
    one = begun(tmp_path / "crm.db")
    yield one
    one.store.close()


@pytest.fixture
def door(company):
    return company.door(SYSTEM)


def written(tmp_path, text, name="file.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


# -- reading


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1250"])
@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_encoding_and_delimiter_are_found_out(encoding, mark):
    lines = [["Nazwa", "Miasto", "Uwaga"]] + [[f"Zażółć gęślą {n}", "Łódź", "jaźń, świerk" if mark != "," else "źrebię"] for n in range(30)]
    text = "\r\n".join(mark.join(line) for line in lines)
    table = tables.parse_csv(text.encode(encoding))
    assert (table.delimiter, table.columns, table.rows[3][:2]) == (mark, lines[0], ["Zażółć gęślą 3", "Łódź"])


def test_quoted_line_ends_and_uneven_rows_are_kept():
    table = tables.parse_csv(b'\n\na,b,a\n1,"x\ny",2\n3\n,,\n')
    assert table.columns == ["a", "b", "a (2)"]
    assert table.rows == [["1", "x\ny", "2"], ["3", "", ""]]


@pytest.mark.parametrize("raw", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_refused(raw):
    with pytest.raises(Refused):
        tables.parse_csv(raw)


def test_excel_gives_texts(tmp_path):
    from datetime import date

    from openpyxl import Workbook

    book = Workbook()
    book.active.append(["name", "when", "n", "x", "b"])
    book.active.append(["Ann", date(2026, 3, 1), 12.0, 1.5, True])
    book.save(tmp_path / "a.xlsx")
    assert tables.read_table(tmp_path / "a.xlsx").rows == [["Ann", "2026-03-01", "12", "1.5", "true"]]


@pytest.mark.parametrize(
    ("texts", "order"), [(["13.02.2026"], "dmy"), (["02/13/2026", "02/03/2026"], "mdy"), (["2026-02-13"], "ymd"), (["02.03.2026"], "dmy")]
)
def test_order_of_dates(texts, order):
    assert date_order(texts) == order


@pytest.mark.parametrize(
    ("text", "kind", "order", "iso"),
    [
        ("2024-01-23T02:46:47.000+0000", "datetime", "dmy", "2024-01-23T02:46:47+00:00"),
        ("3/4/26", "date", "mdy", "2026-03-04"),
        ("3.4.2026", "date", "dmy", "2026-04-03"),
        ("soon", "date", "dmy", "soon"),
    ],
)
def test_dates_become_iso(text, kind, order, iso):
    assert plain_date(text, kind, order, None, None) == iso


@pytest.mark.parametrize(
    ("texts", "comma", "first"),
    [
        (["1.234,56"], True, "1234.56"),
        (["1,234.56"], False, "1234.56"),
        (["12,5"], True, "12.5"),
        (["1 234,00"], True, "1234.00"),
        (["12.5"], False, "12.5"),
    ],
)
def test_decimal_signs(texts, comma, first):
    assert decimal_comma(texts) is comma
    assert plain_number(texts[0], comma) == first


# -- importing


def test_a_guessed_map_brings_rows_in(door, tmp_path):
    path = written(
        tmp_path,
        "Company name;Tel.;Annual turnover;Town;Nonsense\nAldor Foods;+48 22 123 45 67;1.234.567,50;Gdynia;x\nBergen Plast;;12,5;;\n",
    )
    outcome = run(door, "account", path)
    assert outcome.as_dict() == {"created": 2, "updated": 0, "unchanged": 0, "rejected": 0, "step": outcome.step}
    one = door.list("account", where="name == 'Aldor Foods'")[0]
    assert (one["turnover"], one["city"], one["phone"]) == (Decimal("1234567.50"), "Gdynia", "+48221234567")


def test_a_refused_row_says_why_and_the_others_go_in(door, tmp_path):
    path = written(tmp_path, "name,employees,email\nGood,12,a@b.example\nBad,many,nothing\n,3,c@d.example\n")
    outcome = run(door, "account", path)
    assert (outcome.created, outcome.rejected) == (1, 2)
    assert [one.row for one in outcome.rejections] == [3, 4]
    assert "Employees" in " ".join(outcome.rejections[0].problems) and outcome.rejections[0].label == "Bad"
    assert outcome.write_rejected(tmp_path / "again.csv") == 2
    with (tmp_path / "again.csv").open(encoding="utf-8-sig") as file:
        back = list(csv.reader(file))
    assert back[1][:3] == ["Bad", "many", "nothing"] and "Employees" in back[1][3]


def test_a_dry_run_tells_everything_and_writes_nothing(door, company, tmp_path):
    path = written(tmp_path, "name\nAldor\nBergen\n")
    before = company.store.sequence
    outcome = run(door, "account", path, dry_run=True)
    assert (outcome.created, outcome.step) == (2, None)
    assert door.count("account") == 0 and company.store.sequence == before


def test_an_import_is_one_step_that_can_be_taken_back(door, company, tmp_path):
    old = door.create("product", {"name": "Old", "code": "P1", "price": "10"})
    path = written(tmp_path, "code,name,price\nP1,New name,12\nP2,Other,5\n")
    outcome = run(door, "product", path)
    assert (outcome.created, outcome.updated) == (1, 1)
    assert len([step for step in company.store.steps(20) if step.id == outcome.step]) == 1
    door.undo(outcome.step)
    assert door.count("product") == 1
    assert (door.get("product", old.id)["name"], door.get("product", old.id)["price"]) == ("Old", Decimal("10.00"))


def test_the_same_file_twice_adds_nothing(door, tmp_path):
    path = written(tmp_path, "code,name,price\nP1,One,12\nP2,Two,5\n")
    run(door, "product", path)
    again = run(door, "product", path)
    assert again.as_dict() == {"created": 0, "updated": 0, "unchanged": 2, "rejected": 0, "step": None}


def test_an_empty_cell_empties_nothing(door, tmp_path):
    run(door, "product", written(tmp_path, "code,name,price\nP1,One,12\n"))
    run(door, "product", written(tmp_path, "code,name,price\nP1,Uno,\n"))
    one = door.list("product")[0]
    assert (one["name"], one["price"]) == ("Uno", Decimal("12.00"))


def test_links_are_known_by_name_or_number(door, tmp_path):
    first = door.create("account", {"name": "Aldor"})
    text = f"Name;Account;Owner;Value\nOne;Aldor;ann;5\nTwo;{first.id};Bob;6\nThree;Nobody;;7\n"
    outcome = run(door, "opportunity", written(tmp_path, text))
    assert (outcome.created, outcome.rejected) == (2, 1)
    assert {(one["name"], one["account"], door.title("user", one["owner"])) for one in door.list("opportunity")} == {
        ("One", first.id, "Ann"),
        ("Two", first.id, "Bob"),
    }
    assert "Nobody" in outcome.rejections[0].problems[0]


def test_rights_hold(company, tmp_path):
    path = written(tmp_path, "name\nAldor\n")
    with pytest.raises(Denied):
        run(company.door("sara"), "account", path)
    mine = run(company.door("ann"), "account", path)
    assert mine.created == 1 and company.door("bob").count("account") == 0
    hidden = run(company.door("ann"), "account", written(tmp_path, "name,credit_limit\nBergen,99\n"))
    assert hidden.created == 1
    assert company.door(SYSTEM).list("account", where="name == 'Bergen'")[0]["credit_limit"] is None


def test_maps_are_found_by_name_by_path_and_by_the_file(company):
    schema = company.schema
    for name in ("salesforce/Account", "Account", "config/sales/imports/salesforce/Account.yaml"):
        assert find_map(schema, "account", "x.csv", name).name == "salesforce/Account"
    assert find_map(schema, "account", "some/Account.csv").name == "salesforce/Account"
    assert find_map(schema, "account", "some/other.csv") is None
    with pytest.raises(Refused):
        find_map(schema, "lead", "x.csv", "salesforce/Account")
    with pytest.raises(Refused):
        find_map(schema, "lead", "x.csv", "nothing")


def test_links_to_rows_further_down_are_made(door, tmp_path):
    text = "Id,Name,ParentId,Classification__c\nB,Daughter,A,Prospect\nA,Mother,,Customer\n"
    outcome = run(door, "account", written(tmp_path, text, "Account.csv"))
    assert (outcome.map, outcome.created, outcome.rejected) == ("salesforce/Account", 2, 0)
    daughter = door.list("account", where="name == 'Daughter'")[0]
    assert door.title("account", daughter["parent"]) == "Mother"


@pytest.mark.slow
def test_ten_thousand_rows_go_in_as_one_step(door, tmp_path):
    rows = "".join(f"P{n},Product {n},{n}.50\n" for n in range(3000))
    outcome = run(door, "product", written(tmp_path, "code,name,price\n" + rows))
    assert outcome.created == 3000 and door.count("product") == 3000


# -- a real export, by configuration alone

real = pytest.mark.skipif(not WORKSHOP.is_dir(), reason="the workshop's data are not on this machine")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The export, loaded once: (store, what became of each file)."""
    path = tmp_path_factory.mktemp("workshop") / "crm.db"
    company = begun(path)
    outcomes = {name: run(company.door(SYSTEM), entity, WORKSHOP / f"{name}.csv") for name, (entity, _) in FILES.items()}
    company.store.close()
    return path, outcomes


@pytest.fixture
def loaded(whole, tmp_path):
    """The export in a store of one's own."""
    company = Company(load(CONFIG / "sales"), open_store(shutil.copy(whole[0], tmp_path / "loaded.db")))
    company.outcomes = whole[1]
    yield company
    company.store.close()


def source(name):
    with (WORKSHOP / f"{name}.csv").open(encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


@real
def test_a_salesforce_export_comes_in_whole(loaded):
    door = loaded.door(SYSTEM)
    for name, (entity, count) in FILES.items():
        outcome = loaded.outcomes[name]
        assert (outcome.created, outcome.rejected, outcome.map) == (count, 0, f"salesforce/{name}")
        assert door.count(entity) == count == len(source(name))


@real
def test_its_figures_are_those_of_the_source(loaded):
    door = loaded.door(SYSTEM)
    rows = source("Opportunity")
    won = sum(Decimal(row["Amount"]) for row in rows if row["IsWon"] == "1")
    opened = sum(Decimal(row["Amount"]) for row in rows if row["IsClosed"] != "1")
    assert (won, opened) == (Decimal("10542562.98"), Decimal("30002070.50"))
    total = lambda where: sum(one["amount"] for one in door.list("opportunity", where=where, limit=None))
    assert total("stage.outcome == 'won'") == won and total("stage.open") == opened
    assert door.count("opportunity", where="stage.outcome == 'won'") / door.count("opportunity", where="stage.outcome != None") == 0.8


@real
def test_its_links_are_intact(loaded):
    door = loaded.door(SYSTEM)
    key = {name: {one["external_id"]: one.id for one in door.list(entity, limit=None)} for name, (entity, _) in FILES.items()}
    links = [("Contact", "contact", "AccountId", "account", "Account"), ("Opportunity", "opportunity", "AccountId", "account", "Account"),
             ("CampaignMember", "response", "CampaignId", "campaign", "Campaign"), ("CampaignMember", "response", "LeadId", "lead", "Lead"),
             ("CampaignMember", "response", "ContactId", "contact", "Contact"), ("Case", "case", "AccountId", "account", "Account"),
             ("Case", "case", "ContactId", "contact", "Contact"), ("Task", "activity", "AccountId", "account", "Account"),
             ("Lead", "lead", "Company", "account", "Account")]  # fmt: skip
    for file, entity, column, field, target in links:
        there = {one["external_id"]: one[field] for one in door.list(entity, limit=None)}
        for row in source(file):
            if row[column]:
                assert there[row["Id"]] == key[target][row[column]], (file, row["Id"], column)
    tasks = {one["external_id"]: (one["contact"], one["lead"]) for one in door.list("activity", limit=None)}
    for row in source("Task"):
        assert tasks[row["Id"]] == (key["Contact"].get(row["WhoId"]), key["Lead"].get(row["WhoId"]))


@real
def test_its_oddities_are_dealt_with_or_told(loaded):
    door = loaded.door(SYSTEM)
    contacts = loaded.outcomes["Contact"]
    assert contacts.encoding == "utf-8-sig"
    (note,) = [rows for text, rows in contacts.notes.items() if text.startswith("AccountId")]
    assert len(note) == 84 == door.count("contact", where="account == None")
    one = door.list("contact", where="email == 'patricia.ryan@example.com'")[0]
    assert (one["name"]["last"], one["address"]["city"], one["employer"]) == ("Ryan", "Anthonyton", "Juarez PLC")
    assert str(one["created_on"]) == "2024-01-23 02:21:49+00:00"
    assert one["phone"].startswith("+1")
    lead = door.list("lead", where="email == 'william.lee@example.com'")[0]
    assert door.title("account", lead["account"]) == "Lead Account" and lead["company"] is None
    assert not any(outcome.unused for outcome in loaded.outcomes.values())


@real
def test_a_second_run_adds_nothing_and_says_so(loaded):
    door = loaded.door(SYSTEM)
    before = loaded.store.sequence
    for name, (entity, count) in FILES.items():
        outcome = run(door, entity, WORKSHOP / f"{name}.csv", map=f"salesforce/{name}")
        assert outcome.as_dict() == {"created": 0, "updated": 0, "unchanged": count, "rejected": 0, "step": None}
    assert loaded.store.sequence == before


@real
def test_the_whole_load_can_be_taken_back(loaded):
    door = loaded.door(SYSTEM)
    for outcome in reversed(loaded.outcomes.values()):
        undone = door.undo(outcome.step)
        assert not undone.conflicts
    assert all(door.count(entity) == 0 for entity, _ in FILES.values())


@real
def test_an_admin_imports_as_well_as_the_system(company):
    door = company.door("adm")
    for name, (entity, count) in list(FILES.items())[:4]:
        assert importing.run(door, entity, WORKSHOP / f"{name}.csv").created == count
