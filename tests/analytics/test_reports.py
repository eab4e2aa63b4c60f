"""Reports agree with figures computed another way: plain Python over the stored documents (F1, I7)."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from crm.analytics import names, run
from crm.errors import Missing
from crm.records import SYSTEM


def documents(company, entity):
    return [{**doc, "id": doc.doc_id} for doc in company.store.table(entity).all() if not doc.get("deleted_on")]


def money(cents):
    return Decimal(cents) / 100


@pytest.fixture
def door(demo):
    return demo.door(SYSTEM)


def test_every_shipped_report_runs_and_draws(demo, door):
    for name in demo.schema.reports:
        result = run(door, name)
        curve = any(one.span is not None for one in demo.schema.reports[name].measures.values())  # adds its days and its band
        assert (
            curve
            or demo.schema.reports[name].analysis
            or len(result.columns)
            == len(demo.schema.reports[name].by)
            + len(demo.schema.reports[name].measures)
            + sum(c.key.endswith(("_last_year", "_previous", "_goal", "_due", "_reached")) for c in result.columns)
        )
        assert result.exact, f"{name} has nothing to say on the demo company"
        assert result.json()["rows"] and len(result.json()["stamp"]) == 16
        assert result.chart() is not None


def test_revenue_by_month_is_what_the_documents_add_up_to(demo, door):
    expected = defaultdict(int)
    for doc in documents(demo, "opportunity"):
        if doc.get("stage") == "won" and doc.get("close_on"):
            expected[doc["close_on"][:7]] += doc.get("amount", 0)
    result = run(door, "revenue_by_month")
    found = {row[0].strftime("%Y-%m"): row[1] for row in result.exact if row[0] and row[1]}
    assert found == {month: money(cents) for month, cents in expected.items() if cents}


def test_months_without_a_deal_are_shown(door):
    months = [row[0] for row in run(door, "revenue_by_month").exact if row[0]]
    assert all((b.year * 12 + b.month) - (a.year * 12 + a.month) == 1 for a, b in zip(months, months[1:], strict=False))


def test_last_year_stands_beside_this_year(door):
    result = run(door, "revenue_by_month")
    keys = [column.key for column in result.columns]
    at, beside = keys.index("revenue"), keys.index("revenue_last_year")
    known = {(row[0].year, row[0].month): row[at] for row in result.exact if row[0]}
    compared = [
        (row[beside], known[(row[0].year - 1, row[0].month)]) for row in result.exact if row[0] and (row[0].year - 1, row[0].month) in known
    ]
    assert compared and all(a == b for a, b in compared)


def test_win_rate_counts_only_decided_deals(demo, door):
    stages = [doc.get("stage") for doc in documents(demo, "opportunity")]
    won, lost = stages.count("won"), stages.count("lost")
    result = run(door, "win_rate")
    values = dict(zip([column.key for column in result.columns], result.exact[0], strict=True))
    assert values["decided"] == won + lost
    assert float(values["win_rate"]) == pytest.approx(won / (won + lost))


def test_a_group_of_a_linked_record_adds_up(demo, door):
    """Revenue by the account's industry: grouped over a link, against a join by hand."""
    industry = {doc["id"]: doc.get("industry") for doc in documents(demo, "account")}
    expected = defaultdict(int)
    for doc in documents(demo, "opportunity"):
        if doc.get("stage") == "won":
            expected[industry.get(doc.get("account"))] += doc.get("amount", 0)
    result = run(door, "revenue_by_industry")
    assert {keys[0]: row[1] for keys, row in zip(result.keys, result.exact, strict=True)} == {
        key: money(cents) for key, cents in expected.items()
    }


def test_drill_down_selects_just_the_records_behind_a_row(demo, door):
    for name in ("revenue_by_month", "lost_reasons", "revenue_by_industry", "pipeline_by_stage", "revenue_by_rep"):
        result = run(door, name)
        counted = next(
            (n for n, m in enumerate(result.report.measures.values(), len(result.report.by)) if m.how == "count" and not m.where), None
        )
        for number, row in enumerate(result.exact):
            found = door.count(result.report.entity, result.drill(number))
            if counted is not None:
                assert found == row[counted], (name, number, result.drill(number))


def test_a_report_holds_only_what_its_reader_may_see(demo):
    users = {doc["login"]: doc for doc in documents(demo, "user")}
    login = next(name for name, doc in users.items() if doc["role"] == "rep")
    team = {doc["id"] for doc in users.values() if doc.get("team") == users[login]["team"]}
    expected = sum(doc.get("amount", 0) for doc in documents(demo, "opportunity") if doc.get("stage") == "won" and doc.get("owner") in team)
    whole = sum(doc.get("amount", 0) for doc in documents(demo, "opportunity") if doc.get("stage") == "won")
    seen = sum(row[1] for row in run(demo.door(demo.actor(login)), "revenue_by_month").exact)
    assert seen == money(expected) and expected < whole


def test_a_role_that_does_not_see_the_records_has_no_such_report(demo):
    for doc in documents(demo, "user"):
        door = demo.door(demo.actor(doc["login"]))
        for name, report in demo.schema.reports.items():
            if not door.may("see", report.entity):
                assert name not in names(door)
                with pytest.raises(Missing):
                    run(door, name)
                return
    pytest.fail("every role sees everything: nothing was tested")


def test_as_of_gives_the_figures_of_that_day(demo, door):
    """The report of half a year ago equals the history replayed by hand."""
    when = datetime.now(UTC) - timedelta(days=180)
    stamp = when.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    state = {}
    for change in demo.store.changes(0):
        if change.table == "opportunity" and change.at <= stamp:
            doc = state.setdefault(change.doc_id, {})
            for key, (_, new) in change.patch.items():
                doc[key] = new
    expected = defaultdict(int)
    for doc in state.values():
        if doc.get("stage") and not doc.get("deleted_on"):
            expected[doc["stage"]] += 1
    rows = door.aggregate("opportunity", ["stage"], {"n": ("count", None)}, as_of=when)
    assert {row["by"][0]: row["n"] for row in rows} == dict(expected)


def test_the_stamp_follows_what_is_asked(door):
    when = datetime(2026, 1, 1, tzinfo=UTC)
    first = run(door, "win_rate", as_of=when).stamp
    assert run(door, "win_rate", as_of=when).stamp == first
    assert run(door, "win_rate", as_of=when, where="amount > 1000").stamp != first
    assert run(door, "win_rate", as_of=when + timedelta(days=1)).stamp != first


@pytest.mark.parametrize(
    ("value", "kind", "currency", "said"),
    [
        (Decimal(0), "money", "EUR", "0.00"),
        (0, "money", None, "0.00"),
        (Decimal("1234.5"), "money", "EUR", "1234.50"),
        (Decimal(10) / 3, "money", "EUR", "3.33"),
        (Decimal("1234.5"), "money", "JPY", "1235"),
        (Decimal(2) / 3, "percent", None, "0.666667"),
        (Decimal("0.25"), "percent", None, "0.25"),
        (Decimal("0.5000000001"), "percent", None, "0.5"),
        (Decimal(70), "number", None, "70"),
        (1 / 3, "number", None, 0.333333),
        (7, "integer", None, 7),
        (None, "money", "EUR", None),
    ],
)
def test_figures_in_json_and_csv_have_as_many_decimals_as_mean_something(value, kind, currency, said):
    from crm.analytics.reports import plain
    from crm.charts.base import Column

    assert plain(value, Column("x", "X", kind, "measure", currency=currency)) == said
