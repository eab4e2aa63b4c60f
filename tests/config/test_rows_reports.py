"""F1, F2, F6, F8, F11, E3: the shipped reports against plain Python over the stored documents, for every role, in both configurations."""

from __future__ import annotations

import shutil
import statistics
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from scipy import stats

from crm.analytics import names, run
from crm.records import SYSTEM, Company
from crm.schema import load, shipped
from crm.stores import open_store

WARSAW = ZoneInfo("Europe/Warsaw")


@pytest.fixture(scope="module", params=["sales", "nonprofit"])
def company(request, demo_store, nonprofit_store, tmp_path_factory):
    source = {"sales": demo_store, "nonprofit": nonprofit_store}[request.param]
    store = open_store(str(shutil.copy(source, tmp_path_factory.mktemp("store") / "demo.db")))
    yield Company(load(shipped(request.param)), store)
    store.close()


@pytest.fixture(scope="module")
def sales(demo_store, tmp_path_factory):
    store = open_store(str(shutil.copy(demo_store, tmp_path_factory.mktemp("store") / "demo.db")))
    yield Company(load(shipped("sales")), store)
    store.close()


@pytest.fixture(scope="module")
def charity(nonprofit_store, tmp_path_factory):
    store = open_store(str(shutil.copy(nonprofit_store, tmp_path_factory.mktemp("store") / "demo.db")))
    yield Company(load(shipped("nonprofit")), store)
    store.close()


def documents(company, entity):
    return [{**doc, "id": doc.doc_id} for doc in company.store.table(entity).all() if not doc.get("deleted_on")]


def told(company, name, actor=SYSTEM):
    """`{keys: {column: value}}`, groups with nothing in them left out."""
    result = run(company.door(actor), name)
    columns = [column.key for column in result.columns]
    rows = {keys: dict(zip(columns, row, strict=True)) for keys, row in zip(result.keys, result.exact, strict=True)}
    return {keys: row for keys, row in rows.items() if any(row[one] for one in columns[len(keys) :])}


def euro(cents):
    return Decimal(cents or 0) / 100


def day(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(WARSAW).date() if len(text) > 10 else date.fromisoformat(text)


def test_money_this_year_stands_beside_the_same_days_of_last_year(sales):
    """F1, for group, product, region and rep."""
    accounts = {one["id"]: one for one in documents(sales, "account")}
    parents = {one["id"]: one.get("parent") for one in documents(sales, "territory")}
    today = sales.today()
    last = today.replace(year=today.year - 1, day=min(today.day, 28) if today.month == 2 else today.day)

    def region(one):
        way = [accounts[one["account"]].get("territory")]
        while parents.get(way[0]):
            way.insert(0, parents[way[0]])
        return way[min(1, len(way) - 1)]

    cuts = {
        "money_by_group": lambda one: accounts[one["account"]].get("segment"),
        "money_by_industry": lambda one: accounts[one["account"]].get("industry"),
        "money_by_product": lambda one: one.get("product"),
        "money_by_rep": lambda one: one.get("owner"),
        "money_by_region": region,
    }
    won = [one for one in documents(sales, "opportunity") if one.get("stage") == "won" and one.get("close_on")]
    for name, cut in cuts.items():
        expected = defaultdict(lambda: [0, 0])
        for one in won:
            closed = day(one["close_on"])
            for place, until in enumerate((today, last)):
                if date(until.year, 1, 1) <= closed <= until:
                    expected[(cut(one),)][place] += one.get("amount", 0)
        found = {keys: [row["revenue"], row["revenue_last_year"] or 0] for keys, row in told(sales, name).items()}
        assert found == {keys: [euro(now), euro(then)] for keys, (now, then) in expected.items() if now or then}, name


def test_money_by_quarter_stands_beside_the_quarter_before(sales):
    expected = defaultdict(list)
    for one in documents(sales, "opportunity"):
        if one.get("stage") == "won" and one.get("close_on"):
            closed = day(one["close_on"])
            expected[f"{closed.year}-{closed.month - (closed.month - 1) % 3:02}"].append(one.get("amount", 0))
    rows = told(sales, "money_by_quarter")
    assert {keys[0]: row["revenue"] for keys, row in rows.items()} == {key: euro(sum(some)) for key, some in expected.items()}
    ordered = sorted(rows)
    assert all(rows[b]["revenue_previous"] == rows[a]["revenue"] for a, b in zip(ordered, ordered[1:], strict=False))
    for keys, row in rows.items():
        assert float(row["middle"]) == pytest.approx(statistics.median(expected[keys[0]]) / 100, abs=0.01)


def test_products_by_revenue_and_margin(sales):
    """F2."""
    won = [one for one in documents(sales, "opportunity") if one.get("stage") == "won" and one.get("product")]
    revenue, margin = Counter(), Counter()
    for one in won:
        revenue[one["product"]] += one.get("amount", 0)
        if one.get("cost") is not None:
            margin[one["product"]] += one.get("amount", 0) - one["cost"]
    result = run(sales.door(SYSTEM), "product_pareto")
    assert [keys[0] for keys in result.keys] == [key for key, _ in revenue.most_common()]
    so_far = 0
    for keys, row in zip(result.keys, result.exact, strict=True):
        so_far += revenue[keys[0]]
        assert row[1] == euro(revenue[keys[0]])
        assert float(row[4]) == pytest.approx(so_far / revenue.total())
    assert {keys[0]: row["margin"] for keys, row in told(sales, "product_margin").items()} == {key: euro(some) for key, some in margin.items()}


def ways(company, entity, keep):
    """`[(record, stage, since, until, next)]` from the stored stage changes, worked out record by record."""
    moves = defaultdict(list)
    for row in company.store.table("_moves").all():
        if row["entity"] == entity and not row.get("deleted_on"):
            moves[row["record"]].append(row)
    stage_of = company.schema.entities[entity].stage_field
    found = []
    for one in documents(company, entity):
        if not keep(one):
            continue
        steps = sorted(moves[one["id"]], key=lambda row: row["on"])
        here, since = (steps[0]["from"] if steps and steps[0].get("from") else one[stage_of]), one["created_on"]
        if steps and not steps[0].get("from"):
            here, since, steps = steps[0]["to"], min(since, steps[0]["on"]), steps[1:]
        for row in steps:
            found.append((one["id"], here, min(since, row["on"]), row["on"], row["to"]))
            here, since = row["to"], row["on"]
        found.append((one["id"], here, since, None, None))
    return found


@pytest.mark.parametrize("name, entity, which", [("sales_funnel", "opportunity", "b2b"), ("asking_funnel", "pledge", None)])
def test_the_funnel_counts_who_reached_each_stage_and_how_long_they_stayed(sales, charity, name, entity, which):
    """F6."""
    company = sales if which else charity
    stays = ways(company, entity, lambda one: which is None or one.get("pipeline", "b2b") == which)
    order = list(company.schema.pipelines[which or "asking"].stages)
    outcome = {key: stage.outcome for key, stage in company.schema.pipelines[which or "asking"].stages.items()}
    rows = told(company, name)
    reached, ahead, left, days = defaultdict(set), Counter(), Counter(), defaultdict(list)
    for record, stage, since, until, following in stays:
        reached[stage].add(record)
        if until is None:
            continue
        left[stage] += 1
        ahead[stage] += outcome[following] == "won" or (outcome[following] != "lost" and order.index(following) > order.index(stage))
        span = datetime.fromisoformat(until.replace("Z", "+00:00")) - datetime.fromisoformat(since.replace("Z", "+00:00"))
        days[stage].append(span / timedelta(days=1))
    assert {keys[0]: row["reached"] for keys, row in rows.items()} == {stage: len(some) for stage, some in reached.items()}
    for (stage,), row in rows.items():
        assert row["went_on"] == (Decimal(ahead[stage]) / left[stage] if left[stage] else None)
        if days[stage]:
            assert float(row["days"]) == pytest.approx(statistics.median(days[stage]), abs=1e-5)
    assert set().union(*reached.values()), "nobody stood anywhere: nothing was tested"


def test_ways_through_the_stages_and_cohorts(sales):
    stays = ways(sales, "opportunity", lambda one: one.get("pipeline", "b2b") == "b2b")
    moves = Counter((stage, following) for _, stage, _, _, following in stays if following)
    assert {keys: row["moves"] for keys, row in told(sales, "stage_moves").items() if row["moves"]} == dict(moves)
    created = {one["id"]: day(one["created_on"]) for one in documents(sales, "opportunity")}
    cohort = defaultdict(set)
    for record, stage, *_ in stays:
        cohort[f"{created[record].year}-Q{(created[record].month + 2) // 3}", stage].add(record)
    assert {keys: row["reached"] for keys, row in told(sales, "funnel_by_cohort").items()} == {keys: len(some) for keys, some in cohort.items()}


def test_leads_from_history_by_status_and_by_cohort(sales):
    """F6 for a choice field: the states from the store's history, replayed here."""
    state, reached = {}, defaultdict(set)
    living = {one["id"] for one in documents(sales, "lead")}
    for change in sales.store.changes(0):
        if change.table == "lead" and change.doc_id in living and "status" in change.patch:
            state[change.doc_id] = change.patch["status"][1]
            reached[change.patch["status"][1]].add(change.doc_id)
    assert {keys[0]: row["reached"] for keys, row in told(sales, "lead_steps").items()} == {key: len(some) for key, some in reached.items()}
    leads = defaultdict(list)
    for one in documents(sales, "lead"):
        created = day(one["created_on"])
        leads[f"{created.year}-Q{(created.month + 2) // 3}"].append(one["status"] == "converted")
    found = {keys[0]: (row["leads"], row["conversion"]) for keys, row in told(sales, "leads_by_cohort").items()}
    assert found == {key: (len(some), Decimal(sum(some)) / len(some)) for key, some in leads.items()}


@pytest.mark.parametrize("name, entity, end, by", [("sales_cycle", "opportunity", "close_on", "pipeline"), ("time_to_yes", "pledge", "expected_on", "program")])
def test_the_cycle_counts_open_records_as_still_running(sales, charity, name, entity, end, by):
    """F8, against scipy's estimate."""
    company = sales if entity == "opportunity" else charity
    samples = defaultdict(lambda: ([], []))
    for one in documents(company, entity):
        over = one["stage"] in {key for pipeline in company.schema.entities[entity].pipelines for key, stage in company.schema.pipelines[pipeline].stages.items() if stage.outcome}
        if over and not one.get(end):
            continue
        until = day(one[end]) if over else company.today()
        lengths, running = samples[one.get(by)]
        lengths.append(max(0, (until - day(one["created_on"])).days))
        running.append(not over)
    result = run(company.door(SYSTEM), name)
    seen = 0
    for keys, row in zip(result.keys, result.exact, strict=True):
        group, at = keys
        lengths, running = samples[group]
        theirs = stats.ecdf(stats.CensoredData.right_censored(lengths, running)).sf
        if at in theirs.quantiles:
            assert float(row[2]) == pytest.approx(theirs.evaluate(at), abs=1e-5)
            seen += 1
    assert seen > 20 and result.notes["running"] == sum(sum(samples[keys[0]][1]) for keys in dict.fromkeys((one[0],) for one in result.keys))


def test_what_lead_sources_bring(sales):
    """F11."""
    deals, campaigns = ({one["id"]: one for one in documents(sales, entity)} for entity in ("opportunity", "campaign"))
    expected = defaultdict(lambda: [0, 0, 0, 0])
    for one in documents(sales, "lead"):
        row, deal = expected[one["source"]], deals.get(one.get("converted_opportunity"))
        row[0] += 1
        row[1] += one["status"] == "converted"
        row[2] += deal.get("amount", 0) if deal and deal["stage"] == "won" else 0
        row[3] += campaigns[one["campaign"]].get("cost_per_lead") or 0 if one.get("campaign") else 0
    for (source,), row in told(sales, "source_return").items():
        leads, converted, revenue, cost = expected[source]
        assert (row["leads"], row["conversion"], row["revenue"], row["cost"]) == (leads, Decimal(converted) / leads, euro(revenue), euro(cost))
        assert row["gain"] == euro(revenue) - euro(cost)


def test_win_rate_against_each_competitor(sales):
    """E3: a deal against two competitors counts for both, and the records behind a row are those counted."""
    expected, years = defaultdict(list), defaultdict(list)
    for one in documents(sales, "opportunity"):
        if one["stage"] in ("won", "lost"):
            for rival in {link["id"] if isinstance(link, dict) else link for link in one.get("competitors") or []}:
                expected[rival].append(one["stage"] == "won")
                years[f"{one['close_on'][:4]}-01", rival].append(one["stage"] == "won")
    found = told(sales, "win_rate_against")
    assert {keys[0]: (row["decided"], row["win_rate"]) for keys, row in found.items()} == {key: (len(some), Decimal(sum(some)) / len(some)) for key, some in expected.items()}
    assert {keys: row["decided"] for keys, row in told(sales, "win_rate_against_trend").items()} == {keys: len(some) for keys, some in years.items()}
    result = run(sales.door(SYSTEM), "win_rate_against")
    for number, row in enumerate(result.exact):
        assert sales.door(SYSTEM).count("opportunity", result.drill(number)) == row[1]


def test_donors_by_the_year_of_their_first_gift(charity):
    first, expected = {}, defaultdict(set)
    gifts = [one for one in documents(charity, "gift") if one.get("donor")]
    for one in gifts:
        first[one["donor"]] = min(first.get(one["donor"], "9"), one["given_on"])
    for one in gifts:
        expected[f"{first[one['donor']][:4]}-01", f"{one['given_on'][:4]}-01"].add(one["donor"])
    found = {keys: row["donors"] for keys, row in told(charity, "donor_cohorts").items() if keys[0]}
    assert found == {keys: len(some) for keys, some in expected.items()}


def test_every_report_says_something_and_its_chart_has_its_figures(company):
    door = company.door(SYSTEM)
    silent = []
    for name, report in company.schema.reports.items():
        result = run(door, name)
        assert result.chart() is not None and list(result.frame.columns) == [column.key for column in result.columns]
        assert len(result.frame) == len(result.exact)
        if not result.says and len(report.by) < 2:
            silent.append(name)
    assert silent == []


def test_sentences_are_in_the_language_of_the_reader(sales):
    english, polish = (run(sales.door(replace(SYSTEM, language=one)), "sales_cycle").says for one in ("en", "pl"))
    assert "half are over" in english and "połowa kończy się" in polish


def test_each_role_gets_the_figures_of_what_it_may_see_and_no_others(company):
    """Rights hold inside every aggregate: the same report over a store that holds only what the role sees gives the same figures."""
    login, role = company.schema.users.login, company.schema.users.role
    people = {one[role]: one[login] for one in documents(company, company.schema.users.entity)}
    narrower = 0
    for name in people.values():
        door = company.door(company.actor(name))
        for report in names(door):
            one = company.schema.reports[report]
            seen = {record.id for record in door.list(one.entity, one.where, limit=None)}
            everything = company.door(SYSTEM).count(one.entity, one.where)
            counted = next((m.key for m in one.measures.values() if m.how == "count" and m.where is None and not m.field), None)
            if one.stays is None and counted and not one.span:
                assert run(door, report).total()[counted] == len(seen), (name, report)
            elif one.stays is not None and len(one.by) == 1:
                total = run(door, report).total()
                assert total["reached"] == len(seen), (name, report)
            narrower += len(seen) < everything
    assert narrower or company.schema.name == "nonprofit"


def test_a_report_of_hidden_fields_is_not_there(sales):
    """A rep must not learn our margin from its sum."""
    rep = next(one for one in documents(sales, "user") if one["role"] == "rep")
    assert "product_margin" not in names(sales.door(sales.actor(rep["login"]))) and "product_pareto" in names(sales.door(sales.actor(rep["login"])))


@pytest.mark.parametrize("language", ["en", "pl"])
def test_a_funnel_leaves_out_what_leads_nowhere(sales, language):
    """F6: whatever the step is called in the language of the user; the table keeps it, and a click still finds its row."""
    import holoviews as hv

    for name in ("funnel", "sales_funnel", "lead_funnel", "lead_steps"):
        result = run(sales.door(replace(SYSTEM, language=language)), name)
        without = result.report.chart.options["without"]
        assert any(keys[0] in without for keys in result.keys)
        steps = result.chart().traverse(lambda one: one, [hv.Polygons])[0]
        rows = [int(row) for row in steps.dimension_values("row", expanded=False)]
        assert rows == [number for number, keys in enumerate(result.keys) if keys[0] not in without]
