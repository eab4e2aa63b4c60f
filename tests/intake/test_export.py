"""What goes out is what the user may see, comes back unchanged, and runs nothing in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from crm.errors import Denied, RecordError, Refused
from crm.intake.export import FORMATS, csv_bytes, export, export_all, records, safe_cell
from crm.intake.importing import run, unguard
from crm.records.actor import SYSTEM
from crm.records.company import Company
from crm.schema import load
from crm.stores import open_store

CONFIG = Path(__file__).parents[2] / "config"


@pytest.fixture
def company(tmp_path):
    one = Company(load(CONFIG / "sales"), open_store(tmp_path / "crm.db"))
    door = one.door(SYSTEM)
    north, south = door.create("team", {"name": "North"}), door.create("team", {"name": "South"})
    users = {
        login: door.create("user", {"name": login.title(), "login": login, "role": role, "team": team.id}).id
        for login, role, team in (
            ("ann", "rep", north),
            ("bob", "rep", south),
            ("mia", "rep", north),
            ("sara", "service", south),
            ("dir", "director", north),
        )
    }
    for number, login in enumerate(("ann", "bob", "mia")):
        account = door.create(
            "account", {"name": f"=cmd|{login}", "owner": users[login], "kind": "customer", "city": "Łódź", "note": 'a\nb, "c"'}
        )
        door.create(
            "opportunity",
            {
                "name": f"Deal of {login}",
                "account": account.id,
                "owner": users[login],
                "amount": f"{number + 1}000.55",
                "cost": "400",
                "close_on": "2026-05-01",
            },
        )
    yield one
    one.store.close()


def read(raw):
    return list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"))))


@pytest.mark.parametrize(
    ("text", "safe"),
    [("=1+1", "'=1+1"), ("@SUM(A1)", "'@SUM(A1)"), ("+cmd|'/c calc'!A0", "'+cmd|'/c calc'!A0"), ("-2+3+cmd", "'-2+3+cmd"), ("\t=1", "'\t=1"),
     ("+48 22 123 45 67", "+48 22 123 45 67"), ("-12.50", "-12.50"), ("plain", "plain"), ("", ""), (None, None), (5, 5)],
)  # fmt: skip
def test_nothing_runs_in_a_spreadsheet(text, safe):
    assert safe_cell(text) == safe


@given(st.text(alphabet="'=+-@\t\r\nab1 ,\";", max_size=8))
def test_the_guard_comes_off_again(text):
    assert unguard(safe_cell(text)) == text
    assert not text or safe_cell(text)[0] not in "=@\t\r\n"


@given(
    texts=st.lists(st.text(st.characters(exclude_categories=["Cc", "Cs"]) | st.just("\n"), min_size=1, max_size=30), min_size=1, max_size=5)
)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("fmt", ["csv", "xlsx"])
def test_any_text_survives_out_and_in(company, tmp_path, fmt, texts):
    door = company.door(SYSTEM)
    for text in texts:
        try:
            door.create("account", {"name": "Any", "note": text})
        except RecordError:  # signs no field takes
            continue
    count = export(door, "account", tmp_path / f"texts.{fmt}")
    again = run(door, "account", tmp_path / f"texts.{fmt}")
    assert (again.unchanged, again.updated, again.rejected) == (count, 0, 0)


def test_a_rep_takes_out_what_is_theirs_and_no_hidden_field(company):
    rows = read(csv_bytes(company.door("ann"), "opportunity"))
    assert [row["name"] for row in rows] == ["Deal of ann"]
    assert "cost" not in rows[0] and "margin" not in rows[0]
    with pytest.raises(Refused):
        csv_bytes(company.door("ann"), "opportunity", columns="name,cost")
    with pytest.raises(Refused):
        csv_bytes(company.door("ann"), "opportunity", where="cost > 1")
    assert len(read(csv_bytes(company.door("dir"), "opportunity"))) == 3


def test_who_may_not_export_is_refused(company):
    for fmt in FORMATS:
        with pytest.raises(Denied):
            export(company.door("sara"), "opportunity", f"x.{fmt}")
    with pytest.raises(Denied):
        export(company.door("ann"), "invoice", "x.csv")


def test_filters_columns_and_order(company):
    door = company.door(SYSTEM)
    rows = read(csv_bytes(door, "opportunity", where="amount > 1500", sort="-amount", columns="name,amount"))
    assert [(row["name"], row["amount"]) for row in rows] == [("Deal of mia", "3000.55"), ("Deal of bob", "2000.55")]


def test_json_has_the_keys_of_the_yaml_and_money_as_text(company, tmp_path):
    door = company.door(SYSTEM)
    assert export(door, "opportunity", tmp_path / "o.json") == 3
    found = json.loads((tmp_path / "o.json").read_text(encoding="utf-8"))
    assert found == records(door, "opportunity")
    assert (found[0]["amount"], found[0]["close_on"], found[0]["account"]) == ("1000.55", "2026-05-01", 1)


def test_excel_keeps_types_and_text_is_text(company, tmp_path):
    door = company.door(SYSTEM)
    assert export(door, "account", tmp_path / "a.xlsx") == 3
    sheet = load_workbook(tmp_path / "a.xlsx").active
    head = [cell.value for cell in sheet[1]]
    name = sheet[2][head.index("name")]
    assert name.value == "=cmd|ann" and name.data_type == "s"
    assert export(door, "opportunity", tmp_path / "o.xlsx") == 3
    sheet = load_workbook(tmp_path / "o.xlsx").active
    head = [cell.value for cell in sheet[1]]
    assert sheet[2][head.index("amount")].value == 1000.55
    assert str(sheet[2][head.index("close_on")].value)[:10] == "2026-05-01"


def test_parquet_is_typed_and_money_exact(company, tmp_path):
    export(company.door(SYSTEM), "opportunity", tmp_path / "o.parquet")
    table = pq.read_table(tmp_path / "o.parquet")
    assert table.column("amount").to_pylist() == [Decimal("1000.55"), Decimal("2000.55"), Decimal("3000.55")]
    assert str(table.schema.field("close_on").type) == "date32[day]" and str(table.schema.field("account").type) == "int64"


@pytest.mark.parametrize("entity", ["account", "opportunity", "user"])
@pytest.mark.parametrize("fmt", ["csv", "xlsx"])
def test_out_and_in_again_changes_nothing(company, tmp_path, entity, fmt):
    door = company.door(SYSTEM)
    path = tmp_path / f"{entity}_out.{fmt}"
    count = export(door, entity, path)
    outcome = run(door, entity, path)
    assert outcome.as_dict() == {"created": 0, "updated": 0, "unchanged": count, "rejected": 0, "step": None}, [
        one.problems for one in outcome.rejections
    ]


def test_out_and_into_an_empty_store(company, tmp_path):
    other = Company(load(CONFIG / "sales"), open_store(tmp_path / "other.db"))
    there, here = other.door(SYSTEM), company.door(SYSTEM)
    for entity in ("team", "user", "account", "opportunity"):
        export(here, entity, tmp_path / f"{entity}.csv")
        outcome = run(there, entity, tmp_path / f"{entity}.csv")
        assert outcome.rejected == 0, [one.problems for one in outcome.rejections]
    for entity in ("team", "user", "account", "opportunity"):
        mine, theirs = records(here, entity, order="id"), records(there, entity, order="id")
        system = {"created_on", "changed_on", "created_by", "changed_by", "stage_on"}
        assert [{k: v for k, v in one.items() if k not in system} for one in mine] == [
            {k: v for k, v in one.items() if k not in system} for one in theirs
        ]
    other.store.close()


def test_everything_a_user_may_take_out(company, tmp_path):
    counts = export_all(company.door("ann"), tmp_path / "all", "csv")
    assert counts["account"] == 1 and "invoice" not in counts and "user" not in counts
    assert (tmp_path / "all" / "account.csv").is_file()
