"""The report page without a browser: what an address asks for, what may be chosen, and that everything shown leads to its records."""

import base64
import shutil
from urllib.parse import parse_qsl

import pytest

from crm.records import SYSTEM, Company
from crm.views.app import App


def window(company, role, query=""):
    users = company.schema.users
    found = company.door(SYSTEM).list(users.entity, where=f"{users.role} == '{role}'", limit=1, order=["id"])[0]
    return App(company, company.actor(found.id), query=query)


@pytest.fixture(scope="module")
def company(demo_store, tmp_path_factory):
    from crm.schema import load, shipped
    from crm.stores import open_store

    store = open_store(str(shutil.copy(demo_store, tmp_path_factory.mktemp("reporting") / "demo.db")))
    yield Company(load(shipped("sales")), store)
    store.close()


def page(company, query, role="sales_manager"):
    one = window(company, role, f"view=report&{query}")
    assert one.now.name == "report", one.now.body
    return one.now


def pick(one, name):
    return next((choice for choice in one.bar.content["picks"] if choice["name"] == name), None)


def listed(company, href, role="sales_manager"):
    """How many records the list of an address holds, for the same user."""
    one = window(company, role, href.lstrip("?"))
    return one.now.listing.count()


def test_a_figure_leads_to_as_many_records_as_it_counts(company):
    one = page(company, "name=revenue_by_rep")
    columns = [column["name"] for column in one.table.content["columns"]]
    for row in one.table.content["rows"]:
        assert listed(company, row["href"]) == int(row["cells"][columns.index("deals")])


def test_the_chip_of_the_list_says_which_figure_it_came_from(company):
    one = page(company, "name=revenue_by_month")
    args = dict(parse_qsl(one.table.content["rows"][3]["href"].lstrip("?")))
    month = one.table.content["rows"][3]["cells"][0]
    assert args["wl"] == f"Revenue by month: {month}" and "w" in args and args["entity"] == "opportunity"


def test_the_sums_below_the_table_are_those_of_the_store(company):
    one = page(company, "name=revenue_by_month")
    docs = [doc for doc in company.store.table("opportunity").all() if not doc.get("deleted_on")]
    stages = {(p, s.key): s.outcome for p, pipe in company.schema.pipelines.items() for s in pipe.stages.values()}
    seen = set(window(company, "sales_manager").door.ids("opportunity"))
    won = [doc for doc in docs if doc.doc_id in seen and stages.get((doc.get("pipeline"), doc.get("stage"))) == "won"]
    assert one.table.content["total"][2] == str(len(won))
    assert one.table.content["total"][1].replace(",", "").strip("€") == f"{sum(doc.get('amount', 0) for doc in won) / 100:.2f}".removesuffix(".00")


def test_a_period_narrows_and_a_comparison_is_the_same_stretch_before(company):
    """Counted by hand from the documents: the closed deals of two stretches of months."""
    today = company.today()
    year = today.year - 1
    one = page(company, f"name=revenue_by_month&p={year}-04-01..{year}-06-30&c=previous")
    rows = one.table.content["rows"]
    assert [row["cells"][0] for row in rows] == [f"{month} {year}" for month in ("Apr", "May", "Jun")][: len(rows)] or len(rows) <= 3
    seen = set(one.door.ids("opportunity"))
    stages = {(p, s.key): s.outcome for p, pipe in company.schema.pipelines.items() for s in pipe.stages.values()}

    def won(month):
        docs = [d for d in company.store.table("opportunity").all() if d.doc_id in seen and str(d.get("close_on", "")).startswith(f"{year}-{month:02}")]
        return sum(1 for d in docs if not d.get("deleted_on") and stages.get((d.get("pipeline"), d.get("stage"))) == "won")

    columns = [column["name"] for column in one.table.content["columns"]]
    for row in rows:
        month = {"Apr": 4, "May": 5, "Jun": 6}[row["cells"][0][:3]]
        assert int(row["cells"][columns.index("deals")]) == won(month)
        before = row["cells"][columns.index("deals_previous")]
        told = before["text"] if isinstance(before, dict) else before
        assert (0 if told == "–" else int(told)) == won(month - 3)
        if isinstance(before, dict):
            assert listed(company, before["href"]) == won(month - 3)


def test_another_group_takes_the_place_of_the_reports_own(company):
    one = page(company, "name=revenue_by_month&by=source&m=deals")
    assert "Source" in one.title and one.asked.report.chart.name == "bars" and one.asked.report.chart.axes["y"] == "deals"
    whole = page(company, "name=revenue_by_month")
    assert one.table.content["total"][1:3] == whole.table.content["total"][1:3]  # the same deals, cut otherwise


@pytest.mark.parametrize("query", [
    "name=revenue_by_rep", "name=revenue_by_month&by=source&m=deals", "name=revenue_by_rep&p=last_quarter&c=previous&f=amount:over:2000",
    "name=win_rate&p=2026-01-01..2026-03-31", "name=people_against_goals&asof=2026-05-31&c=none", "name=lost_reasons&p=last_year&c=last_year",
])  # fmt: skip
def test_a_stamp_that_is_shown_can_be_asked_for_later(company, query):
    """I7: also of a report changed on the spot. A page that is looked at writes nothing; who wants a stamp gets one that works."""
    from crm.analytics.stamps import STAMPS, again

    kept = company.store.table(STAMPS).count()
    one = page(company, query)
    assert "text" not in one.bar.content["stamp"] and company.store.table(STAMPS).count() == kept
    one.stamp()
    mark = one.asked.result.stamp
    assert mark in one.bar.content["stamp"]["text"] and company.store.table(STAMPS).count() == kept + 1
    found = again(company, mark)
    assert found.same and found.result.stamp == mark and found.result.rows == one.asked.result.rows
    assert [column.key for column in found.result.columns] == [column.key for column in one.asked.result.columns]
    one.read(one.asked.args)  # looked at anew it is another moment, whose figures nobody kept
    assert "text" not in one.bar.content["stamp"]
    one.give("csv")
    assert one.asked.result.stamp in one.bar.content["stamp"]["text"] and again(company, one.asked.result.stamp).same


def test_a_report_changed_on_the_spot_opens_as_a_notebook_that_shows_the_same(company):
    from tests.notebooks import cells

    one = page(company, "name=revenue_by_month&by=source&m=deals&p=last_quarter")
    code = "\n".join(cells(base64.b64decode(one.give("ipynb")["file"]["data"])))
    assert 'by="source"' in code and 'measure="deals"' in code and 'period="last_quarter"' in code


def test_rows_of_an_analysis_open_the_records_they_were_worked_out_of(company):
    """F3: the deals with a fact, and those without; F10: who could be offered the other, and who has both."""
    one = page(company, "name=what_closes")
    result = one.asked.result
    columns = [column.key for column in result.columns]
    rows = one.table.content["rows"]
    number = next(n for n, row in enumerate(result.exact) if ": " in row[0] and row[columns.index("with")] is not None)
    many = result.exact[number][columns.index("n")]
    assert rows[number]["open"] == {"row": number} and rows[number]["cells"][columns.index("without")]["open"] == "without"
    one.open(number)
    listing = one.app.now.listing
    assert listing.entity.name == "opportunity" and listing.count() == many
    assert listing.chips()[0]["value"] == f"{result.title}: {result.exact[number][0]}"
    one = page(company, "name=what_closes")
    one.open(number, "without")
    assert one.app.now.listing.count() == min(result.notes["decided"] - many, 390)

    one = page(company, "name=bought_together")
    result = one.asked.result
    columns = [column.key for column in result.columns]
    one.open(0, "both")
    assert one.app.now.listing.entity.name == "account" and one.app.now.listing.count() == result.exact[0][columns.index("both")]
    one = page(company, "name=bought_together")
    one.open(0)
    first, other = result.keys[0][:2]
    door = company.door(SYSTEM)
    having = {what: {deal["account"] for deal in door.list("opportunity", where=f"stage.outcome == 'won' and product == {what}", limit=None)} for what in (first, other)}
    assert one.app.now.listing.count() == len(having[first] - having[other])
    assert f"{result.exact[0][0]} without {result.exact[0][1]}" in one.app.now.listing.chips()[0]["value"]


def test_as_many_records_are_named_as_an_address_can_hold():
    from crm.views.cards import PINNED, pinned
    from crm.words import Words

    t = Words("en", {})
    for ids in (range(1, 300), range(100_000, 101_000), range(1, 5000)):
        text, label = pinned(list(ids), "All", t)
        said = [int(one) for one in text[text.index("[") + 1 : -1].split(",")]
        assert said == list(ids)[: len(said)] and len(text) <= 2000 and len(said) <= PINNED
        assert (label == "All") == (len(said) == len(ids)) and (label == "All" or f"first {len(said)} of" in label.replace("\u00a0", " "))
    assert pinned([], "None", t) == ("id == 0", "None")


def test_filters_narrow_and_are_said(company):
    one = page(company, "name=revenue_by_rep&f=amount:over:20000")
    assert one.asked.where == "amount > 20000.00" and one.bar.content["chips"][0]["value"].startswith("is over")
    fewer, all_ = (int(page(company, f"name=revenue_by_rep{more}").table.content["total"][2]) for more in ("&f=amount:over:20000", ""))
    assert 0 < fewer < all_
    one.add_filter("source", "any_of", ["fair", "web"])
    assert one.asked.where == '(amount > 20000.00) and (source in ["fair", "web"])'
    one.unfilter("0")
    assert one.asked.where == 'source in ["fair", "web"]'
    for row in one.table.content["rows"]:
        assert listed(company, row["href"]) == int(row["cells"][2])


def test_every_offered_filter_can_be_said_and_gives_what_the_list_gives(company):
    """The condition of a report's filter and the query of a list's filter find the same records."""
    from crm.views.listing import Listing
    from crm.views.narrowing import condition

    app = window(company, "sales_manager")
    listing = Listing(app, "opportunity", {})
    owner = app.door.list("opportunity", limit=1)[0]["owner"]
    asked = [
        ("name", "contains", "a"), ("name", "starts", "P"), ("amount", "over", "20000"), ("amount", "between", ["1000", "20000"]),
        ("amount", "empty", None), ("source", "is", "fair"), ("source", "is_not", "fair"), ("source", "any_of", ["fair", "web"]),
        ("close_on", "before", "2026-01-01"), ("close_on", "between", ["2025-01-01", "2025-12-31"]), ("close_on", "in_last", "90d"),
        ("created_on", "after", "2025-06-30"), ("owner", "is", str(owner)), ("stage", "is", "offer"), ("close_on", "is_not", "this year"),
    ]  # fmt: skip
    for key, op, value in asked:
        field = listing.fields[key]
        said = condition(field, op, value, app.t)
        assert app.door.count("opportunity", where=said) == app.door.count("opportunity", where=field.condition(op, value, app.t)), (key, op, said)


def test_a_day_of_the_past_shows_what_was_known_and_opens_those_records(company):
    day = company.today().replace(day=1, year=company.today().year - 1).isoformat()
    one = page(company, f"name=pipeline_by_stage&asof={day}")
    assert "as of" in one.bar.content["meta"] and one.bar.content["asof"]["day"] == day
    now = page(company, "name=pipeline_by_stage")
    assert one.table.content["rows"] != now.table.content["rows"]
    row = next(row for row in one.table.content["rows"] if int(row["cells"][1]) > 0)
    one.open(row["open"]["row"])
    assert one.app.now.name == "list" and one.app.now.listing.count() == int(row["cells"][1])
    assert "as of" in one.app.now.listing.chips()[0]["value"]


def test_the_table_is_sorted_down_up_and_as_it_stands(company):
    one = page(company, "name=revenue_by_rep")
    as_it_stands = [row["cells"][0] for row in one.table.content["rows"]]
    for order in (True, False):
        one.to(one.asked.sort("deals"))
        found = [int(row["cells"][2]) for row in one.table.content["rows"]]
        assert found == sorted(found, reverse=order) and one.table.content["columns"][2]["sort"] == ("descending" if order else "ascending")
    one.to(one.asked.sort("deals"))
    assert [row["cells"][0] for row in one.table.content["rows"]] == as_it_stands


def test_files_are_given(company):
    one = page(company, "name=revenue_by_rep")
    csv, png, note = (base64.b64decode(one.asked.give(name)["file"]["data"]) for name in ("csv", "png", "ipynb"))
    assert csv.decode("utf-8-sig").splitlines()[0] == "Owner,Revenue,Deals" and png.startswith(b"\x89PNG") and b'"nbformat"' in note


@pytest.mark.parametrize("query", ["p=never", "p=2026-31-99..x", "c=nothing", "by=margin", "by=__class__", "m=x", "f=;;:;amount:over:abc", "w=nonsense(", "asof=tomorrow", "asof=9999-12-31", "sort=-x", "as=y"])
def test_odd_addresses_show_the_report_all_the_same(company, query):
    one = page(company, f"name=revenue_by_rep&{query}", role="rep")
    assert one.table.content["rows"]


def test_nobody_is_offered_what_the_role_may_not_see(company):
    """Hidden fields are no group, no filter and no measure; reports over them do not exist for the role."""
    for role in ("rep", "marketer", "service"):
        app = window(company, role, "view=report")
        shelves = [shelf for shelf in app.now.body.content["shelves"] if shelf["name"] != "packs"]
        names = [report["name"] for shelf in shelves for report in shelf["reports"] if "view=report" in report["href"]]
        assert names
        for name in names[:6]:
            one = page(company, f"name={name}", role=role)
            entity = one.asked.own.entity
            readable = set(one.door.readable(entity))
            by = pick(one, "by")
            offered = {value for value, _ in by["options"]} - {""} if by else set()
            assert {value for value in offered if value in company.schema.entities[entity].fields} <= readable
            assert {field["name"] for field in one.fields()["fields"]} <= readable
        hidden = set(company.schema.reports) - set(names) - set(company.schema.kpis)
        for name in sorted(hidden)[:3]:
            gone = window(company, role, f"view=report&name={name}").now
            assert type(gone).name == "trouble"


def test_the_catalogue_holds_every_report_of_the_role_once(company):
    from crm.analytics import names

    app = window(company, "director", "view=report")
    shelves = [shelf for shelf in app.now.body.content["shelves"] if shelf["name"] != "packs"]
    found = [report["name"] for shelf in shelves for report in shelf["reports"]]
    assert [shelf["name"] for shelf in shelves][: len(company.schema.subjects)] == list(company.schema.subjects)
    assert set(found) <= set(names(app.door)) and len(found) == len(set(found))
    assert set(names(app.door)) - set(found) <= set(company.schema.kpis)


def test_a_dashboard_stands_without_a_browser_too(company):
    one = window(company, "sales_manager", "view=dashboard&name=manager").now
    assert type(one).name == "dashboard" and len(one.body.objects) >= 8


def test_reports_of_another_business_can_be_asked_the_same(nonprofit_store, tmp_path):
    from crm.schema import load, shipped
    from crm.stores import open_store

    store = open_store(str(shutil.copy(nonprofit_store, tmp_path / "n.db")))
    company = Company(load(shipped("nonprofit")), store)
    admin = next(role for role in company.schema.roles if company.schema.roles[role].admin)
    one = page(company, "name=giving_by_month&c=last_year&p=last_year", role=admin)
    assert len(one.table.content["rows"]) <= 12 and pick(one, "p")["value"] == "last_year"
    assert type(window(company, admin, "view=report&name=revenue_by_rep").now).name == "trouble"
    store.close()
