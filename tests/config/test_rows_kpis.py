"""F12, F4, D5: KPIs, goals beside figures, effort and effect of people, what campaigns bring, against plain Python over the documents."""

from __future__ import annotations

import shutil
import statistics
from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from crm.analytics import kpis, names, run
from crm.analytics import reports as engine
from crm.errors import Missing, Refused
from crm.records import SYSTEM, Company
from crm.schema import load, shipped
from crm.stores import open_store

WARSAW = ZoneInfo("Europe/Warsaw")


def opened(name, source, folder):
    return Company(load(shipped(name)), open_store(str(shutil.copy(source, folder / f"{name}.db"))))


@pytest.fixture(scope="module")
def sales(demo_store, tmp_path_factory):
    one = opened("sales", demo_store, tmp_path_factory.mktemp("kpis"))
    yield one
    one.store.close()


@pytest.fixture(scope="module")
def charity(nonprofit_store, tmp_path_factory):
    one = opened("nonprofit", nonprofit_store, tmp_path_factory.mktemp("kpis"))
    yield one
    one.store.close()


def documents(company, entity):
    return [{**doc, "id": doc.doc_id} for doc in company.store.table(entity).all() if not doc.get("deleted_on")]


def day(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(WARSAW).date() if len(text) > 10 else date.fromisoformat(text)


def quarter(one):
    return date(one.year, (one.month - 1) // 3 * 3 + 1, 1)


def told(company, name, actor=SYSTEM):
    """`{keys: {column: value}}`."""
    result = run(company.door(actor), name)
    columns = [column.key for column in result.columns]
    return {keys: dict(zip(columns, row, strict=True)) for keys, row in zip(result.keys, result.exact, strict=True)}


def by_period(company, name):
    return {row["period"]: row["value"] for row in told(company, name).values()}


def inside(goal, first, last, keys=("starts_on", "ends_on", "target")):
    """The part of a goal that lies from one day to another, both counted."""
    begin, end = date.fromisoformat(goal[keys[0]]), date.fromisoformat(goal[keys[1]])
    days = (min(end, last) - max(begin, first)).days + 1
    return Fraction(str(goal[keys[2]])) * max(days, 0) / ((end - begin).days + 1)


def exactly(value):
    whole = Fraction(value)
    return pytest.approx(Decimal(whole.numerator) / whole.denominator, rel=Decimal("1e-12"))


# --- KPIs


def test_the_revenue_of_the_quarter_stands_beside_the_goals_that_are_due(sales):
    """The company is its teams; South was given a goal itself, North is the sum of its people."""
    won = Counter()
    for one in documents(sales, "opportunity"):
        if one["stage"] == "won" and one.get("close_on"):
            won[quarter(day(one["close_on"]))] += one.get("amount", 0)
    result = run(sales.door(SYSTEM), "quarter_revenue")
    assert len(result.exact) == 8
    assert [row[1] for row in result.exact] == [Decimal(won[row[0]]) / 100 for row in result.exact]
    users, teams = {one["id"]: one for one in documents(sales, "user")}, {one["name"]: one["id"] for one in documents(sales, "team")}
    goals = [one for one in documents(sales, "goal") if one["measure"] == "revenue" and not one.get("product") and not one.get("territory")]
    today = sales.today()
    first = quarter(today)
    last = (first + timedelta(days=95)).replace(day=1) - timedelta(days=1)

    def due(until):
        south = sum(inside(one, first, until) for one in goals if one.get("team") == teams["Sales South"] and not one.get("owner"))
        north = [one for one in goals if one.get("owner") and users[one["owner"]]["team"] == teams["Sales North"]]
        return south + sum(inside(one, first, until) for one in north)

    assert result.notes["target"] == exactly(due(last)) and result.notes["due"] == exactly(due(today))
    reached = Fraction(won[first], 100) / due(today)
    assert result.notes["light"] == ("good" if reached >= 1 else "near" if reached >= Fraction(8, 10) else "off")
    assert result.exact[-1][3] and result.says.count(result.exact[-1][3]) == 1


def test_rates_means_and_figures_of_now(sales):
    decided, won, days, sizes = Counter(), Counter(), defaultdict(list), defaultdict(list)
    opened_ = []
    for one in documents(sales, "opportunity"):
        if one["stage"] not in ("won", "lost"):
            opened_.append(one)
        elif one.get("close_on"):
            at = quarter(day(one["close_on"]))
            decided[at] += 1
            won[at] += one["stage"] == "won"
            if one["stage"] == "won":
                sizes[at].append(one.get("amount", 0))
                days[at].append((day(one["close_on"]) - day(one["created_on"])).days)
    assert by_period(sales, "closing_rate") == {
        at: exactly(Fraction(won[at], decided[at])) for at in by_period(sales, "closing_rate") if decided[at]
    }
    for at, value in by_period(sales, "deal_size").items():
        assert value == exactly(Fraction(sum(sizes[at]), 100 * len(sizes[at])))
    for at, value in by_period(sales, "days_to_win").items():
        assert float(value) == pytest.approx(statistics.mean(days[at]), abs=0.011)
    missing = [one for one in opened_ if not one.get("next_on")]
    assert [*by_period(sales, "without_next_step").values()] == [exactly(Fraction(len(missing), len(opened_)))]
    assert [*by_period(sales, "pipeline_value").values()][-1] == Decimal(sum(one.get("weighted") or 0 for one in opened_)) / 100


def test_a_figure_of_now_is_told_as_it_was_at_the_end_of_each_month(sales):
    """I2: the trend of what has no date of its own comes from the past the store keeps."""
    result = run(sales.door(SYSTEM), "pipeline_value")
    for row, following in zip(result.exact, result.exact[1:], strict=False):
        then = datetime.combine(following[0], datetime.min.time(), WARSAW)
        was = sales.door(SYSTEM).aggregate("opportunity", (), {"sum": ("sum", "weighted")}, "stage.open", as_of=then)
        assert row[1] == was[0]["sum"]


def test_kpis_of_several_entities_and_of_other_kpis(sales):
    this = quarter(sales.today())
    reps = [one for one in documents(sales, "user") if one["role"] == "rep" and one.get("active", True)]
    assert [*by_period(sales, "revenue_per_rep").values()] == [by_period(sales, "quarter_revenue")[this] / len(reps)]
    month = sales.today().replace(day=1)
    mine = {one["id"] for one in reps}
    talks = [
        one for one in documents(sales, "activity")
        if one["kind"] in ("call", "meeting", "visit") and one.get("done_on") and one.get("owner") in mine and day(one["done_on"]) >= month
    ]  # fmt: skip
    assert [*by_period(sales, "talks_per_rep").values()] == [round(Decimal(len(talks)) / len(reps), 2)]
    cost, leads = Counter(), Counter()
    for one in documents(sales, "campaign"):
        cost[day(one["starts_on"]).year] += one.get("cost") or 0
    for one in documents(sales, "lead"):
        leads[day(one["created_on"]).year] += bool(one.get("campaign"))
    for at, value in by_period(sales, "cost_per_lead").items():
        assert value == (exactly(Fraction(cost[at.year], 100 * leads[at.year])) if leads[at.year] else None)
    with pytest.raises(Refused):
        run(sales.door(SYSTEM), "talks_per_rep", where="created_on > today - 30d")


def test_the_charity_has_its_own(charity):
    gifts = [one for one in documents(charity, "gift")]
    given, in_time = defaultdict(list), defaultdict(list)
    for one in gifts:
        at = quarter(day(one["given_on"]))
        given[at].append(one["amount"])
        thanked = one.get("thanked_on")
        in_time[at].append(bool(thanked) and (day(thanked) - day(one["given_on"])).days <= 14)
    assert by_period(charity, "gifts_of_quarter") == {at: Decimal(sum(given[at])) / 100 for at in by_period(charity, "gifts_of_quarter")}
    for at, value in by_period(charity, "thanked_in_time").items():
        assert value == (exactly(Fraction(sum(in_time[at]), len(in_time[at]))) if in_time[at] else None)
    for at, value in by_period(charity, "middle_gift").items():
        assert value is None if not given[at] else float(value) == pytest.approx(statistics.median(given[at]) / 100, abs=0.01)
    cost = Counter()
    for one in documents(charity, "appeal"):
        cost[quarter(day(one["starts_on"]))] += one.get("cost") or 0
    for at, value in by_period(charity, "cost_of_a_euro").items():
        assert value is None if not given[at] else float(value) == pytest.approx(cost[at] / sum(given[at]), abs=0.006)


def test_less_is_better_where_the_configuration_says_so(sales):
    result = run(sales.door(SYSTEM), "without_next_step")
    value = result.notes["figure"]
    assert result.notes["light"] == ("good" if value <= Decimal("0.05") else "near" if value <= Decimal("0.15") else "off")


def test_who_knows_only_their_own_goal_sees_their_own_figure_beside_it(sales):
    """A rep sees the team's deals and one goal, the own one: the two are not set beside each other."""
    anna = next(one for one in documents(sales, "user") if one["login"] == "anna")
    this = quarter(sales.today())
    mine = [
        one for one in documents(sales, "opportunity") if one["stage"] == "won" and one.get("owner") == anna["id"] and one.get("close_on")
    ]
    result = run(sales.door("anna"), "quarter_revenue")
    assert result.notes["figure"] == Decimal(sum(one["amount"] for one in mine if quarter(day(one["close_on"])) == this)) / 100
    goals = [one for one in documents(sales, "goal") if one.get("owner") == anna["id"] and one["measure"] == "revenue"]
    assert result.notes["due"] == exactly(sum(inside(one, this, sales.today()) for one in goals))
    assert set(told(sales, "people_against_goals", "anna")) == {(anna["id"],)}


@pytest.mark.parametrize("company", ["sales", "charity"], indirect=False)
def test_a_role_is_told_no_kpi_of_what_it_may_not_see(company, request):
    company = request.getfixturevalue(company)
    for login in {one["login"]: one["role"] for one in documents(company, company.schema.users.entity)}:
        door = company.door(login)
        for name, one in company.schema.kpis.items():
            hidden = [
                part for part in kpis.parts_of(door, one)
                if not door.may("see", part.report.entity) or not all(door.path_open(part.report.entity, path) for path in paths(part))
            ]  # fmt: skip
            assert (name in kpis.names(door)) == (not hidden), (login, name)
            if hidden:
                with pytest.raises(Missing):
                    run(door, name)
            else:
                assert run(door, name).exact


def paths(part):
    measure = part.report.measures[part.measure]
    found = {one for one in (measure.field, part.on) if one}
    for each in part.report.measures.values():
        for condition in (each.where, each.value, part.report.where):
            found |= set(condition.uses) if condition is not None else set()
    return found


def test_kpis_are_named_and_run_as_reports(sales):
    assert not set(sales.schema.kpis) & set(sales.schema.reports) and len(sales.schema.kpis) >= 8
    assert "quarter_revenue" not in names(sales.door(SYSTEM))
    for name in sales.schema.kpis:
        result = run(sales.door(SYSTEM), name)
        assert result.json()["report"] == name and result.rows and result.says and result.chart() is not None
        assert sales.door(SYSTEM).count(result.report.entity, result.drill(len(result.exact) - 1)) >= 0


# --- goals beside figures


def test_people_and_months_and_areas_against_goals_add_up(sales):
    year, today = sales.today().year, sales.today()
    first, last = date(year, 1, 1), date(year, 12, 31)
    won = [
        one
        for one in documents(sales, "opportunity")
        if one["stage"] == "won" and one.get("close_on") and first <= day(one["close_on"]) <= today
    ]
    goals = [
        one
        for one in documents(sales, "goal")
        if one["measure"] == "revenue" and one["ends_on"] >= str(first) and one["starts_on"] <= str(last)
    ]
    revenue, wanted, due = Counter(), Counter(), Counter()
    for one in won:
        revenue[one.get("owner")] += one.get("amount", 0)
    for one in goals:
        if one.get("owner"):
            wanted[one["owner"]] += inside(one, first, last)
            due[one["owner"]] += inside(one, first, today)
    rows = told(sales, "people_against_goals")
    assert set(wanted) <= {keys[0] for keys in rows} and {keys[0] for keys in rows} == set(revenue) | set(wanted)
    for (who,), row in rows.items():
        assert row["revenue"] == Decimal(revenue[who]) / 100
        assert row["revenue_goal"] == (exactly(wanted[who]) if who in wanted else None)
        assert row["revenue_due"] == (exactly(due[who]) if who in wanted else None)
    total = run(sales.door(SYSTEM), "people_against_goals").total()
    assert total["revenue_goal"] == exactly(sum(wanted.values())) and total["revenue"] == Decimal(sum(revenue.values())) / 100
    months = told(sales, "month_against_goal")
    assert len(months) == 12  # also those to come: the months make up the year
    teams = run(sales.door(SYSTEM), "teams_against_goals")
    whole = sum(row["revenue_goal"] for row in months.values())
    assert whole == exactly(teams.total()["revenue_goal"]) == exactly(sum(row[3] for row in teams.exact if row[3]))
    areas = {one["id"]: one for one in documents(sales, "territory")}
    by_area = Counter()
    for one in goals:
        if one.get("territory"):
            by_area[areas[one["territory"]]["parent"]] += inside(one, first, last)
    found = {keys[0]: row["revenue_goal"] for keys, row in told(sales, "regions_against_goals").items() if row["revenue_goal"] is not None}
    assert found == {area: exactly(value) for area, value in by_area.items()}


def test_counts_have_goals_too(sales, charity):
    year = sales.today().year
    calls = Counter(
        one.get("owner")
        for one in documents(sales, "activity")
        if one["kind"] == "call" and one.get("done_on") and day(one["done_on"]).year == year
    )
    goals = Counter()
    for one in documents(sales, "goal"):
        if one["measure"] == "calls" and one.get("owner"):
            goals[one["owner"]] += inside(one, date(year, 1, 1), date(year, 12, 31))
    for (who,), row in told(sales, "calls_against_goals").items():
        assert row["calls"] == calls[who] and row["calls_goal"] == (exactly(goals[who]) if who in goals else None)
    wanted = Counter()
    for one in documents(charity, "aim"):
        if one["of"] == "gifts" and one.get("program"):
            wanted[one["program"]] += inside(one, date(year, 1, 1), date(year, 12, 31), ("begins", "ends", "wanted"))
    found = {keys[0]: row["given_goal"] for keys, row in told(charity, "programs_against_aims").items() if row["given_goal"]}
    assert found == {program: exactly(value) for program, value in wanted.items() if value}


# --- effort and effect (F4)


@pytest.mark.parametrize(
    ("which", "name", "entity", "who", "whom", "kinds", "words"),
    [
        ("sales", "effort_by_rep", "activity", "owner", "account", ("call", "meeting", "visit"), ("accounts", "with_customers")),
        ("charity", "effort_by_keeper", "touchpoint", "keeper", "donor", ("call", "meeting"), ("donors", "with_donors")),
    ],
)
def test_effort_of_people(which, name, entity, who, whom, kinds, words, request):
    company = request.getfixturevalue(which)
    since = datetime.combine(company.today() - timedelta(days=91), datetime.min.time(), WARSAW)
    rows = defaultdict(list)
    for one in documents(company, entity):
        if one.get("done_on") and datetime.fromisoformat(one["done_on"].replace("Z", "+00:00")) >= since:
            rows[one.get(who)].append(one)
    found = told(company, name)
    assert {keys[0] for keys in found} == set(rows) and rows
    for (person,), row in found.items():
        some = rows[person]
        length = [one["duration"] for one in some if one.get("duration") is not None]
        talked = sum(one.get("duration") or 0 for one in some if one["kind"] in kinds)
        assert row["done"] == len(some) and float(row["per_week"]) == pytest.approx(len(some) / 13, abs=0.051)
        assert row[words[0]] == len({one[whom] for one in some if one.get(whom)})
        assert row["minutes"] == sum(length) and row[words[1]] == talked
        assert row["each"] is None if not length else float(row["each"]) == pytest.approx(sum(length) / len(length))
        assert row["share_with"] == (exactly(Fraction(talked, sum(length))) if sum(length) else None)


@pytest.mark.parametrize(
    ("which", "name", "entity", "kinds", "good"),
    [
        (
            "sales",
            "effect_by_kind",
            "activity",
            ("call", "email", "meeting", "visit", "letter", "fax"),
            ("reached", "interested", "agreed"),
        ),
        ("charity", "effect_of_touches", "touchpoint", None, ("reached", "gave")),
    ],
)
def test_effect_of_each_kind_of_activity(which, name, entity, kinds, good, request):
    company = request.getfixturevalue(which)
    since = datetime.combine(company.today() - timedelta(days=182), datetime.min.time(), WARSAW)
    done, hit, minutes = Counter(), Counter(), Counter()
    for one in documents(company, entity):
        if (
            one.get("done_on")
            and datetime.fromisoformat(one["done_on"].replace("Z", "+00:00")) >= since
            and (not kinds or one["kind"] in kinds)
        ):
            done[one["kind"]] += 1
            hit[one["kind"]] += one.get("result") in good
            minutes[one["kind"]] += one.get("duration") or 0
    found = {keys[0]: row for keys, row in told(company, name).items() if row["done"]}
    assert {kind: row["done"] for kind, row in found.items()} == dict(done)
    for kind, row in found.items():
        assert row["good"] == hit[kind] and row["effect"] == exactly(Fraction(hit[kind], done[kind]))
        assert row["price"] is None if not hit[kind] else float(row["price"]) == pytest.approx(minutes[kind] / hit[kind], abs=0.051)


def test_effort_of_teams_is_that_of_their_people(sales, charity):
    for company, people, teams, link in (
        (sales, "effort_by_rep", "effort_by_team", "team"),
        (charity, "effort_by_keeper", "effort_by_chapter", "chapter"),
    ):
        of = {one["id"]: one.get(link) for one in documents(company, company.schema.users.entity)}
        done = Counter()
        for (person,), row in told(company, people).items():
            done[of.get(person)] += row["done"]
        assert {keys[0]: row["done"] for keys, row in told(company, teams).items()} == dict(done)


# --- campaigns (D5)


def test_results_of_campaigns_without_counting(sales):
    leads, converted, deals, won = Counter(), Counter(), Counter(), Counter()
    for one in documents(sales, "lead"):
        leads[one.get("campaign")] += 1
        converted[one.get("campaign")] += one["status"] == "converted"
    for one in documents(sales, "opportunity"):
        deals[one.get("campaign")] += 1
        won[one.get("campaign")] += one.get("amount", 0) if one["stage"] == "won" else 0
    expected = {}
    for one in documents(sales, "campaign"):
        cost, number = Fraction(one.get("cost") or 0, 100), one["id"]
        price = exactly(cost / leads[number]) if leads[number] else None
        expected[one["name"],] = {
            "leads": leads[number], "leads_wanted": one.get("goal_leads") or 0, "converted": converted[number], "deals": deals[number],
            "revenue": Decimal(won[number]) / 100, "revenue_wanted": Decimal(one.get("goal_revenue") or 0) / 100, "cost": exactly(cost),
            "lead_cost": price, "gain": exactly(Fraction(won[number], 100) - cost),
        }  # fmt: skip
    found = told(sales, "campaign_return")
    assert len(found) == len(expected) and sum(leads[one["id"]] for one in documents(sales, "campaign")) > 0
    assert {keys: {key: row[key] for key in expected[keys]} for keys, row in found.items()} == expected
    reached = told(sales, "campaigns_against_goals")
    for keys, row in reached.items():
        assert row["reached"] == exactly(Fraction(str(row["revenue"])) / Fraction(str(row["wanted"])))


# --- kept results


def test_a_kept_result_falls_only_by_what_it_was_read_from(demo):
    door = demo.door(SYSTEM)

    def again(name):
        return run(door, name).exact is known[name]

    known = {
        name: run(door, name).exact
        for name in ("win_rate", "money_by_region", "quarter_revenue", "people_against_goals", "funnel_by_cohort")
    }
    door.create("price_list", {"name": "Another"})
    assert all(map(again, known))
    deal, area = door.ids("opportunity", "stage == 'won'")[0], door.ids("territory", None)[0]
    door.change("territory", area, {"name": "Renamed"})
    assert [name for name in known if not again(name)] == ["money_by_region"] or "money_by_region" not in [
        one for one in known if again(one)
    ]
    known |= {name: run(door, name).exact for name in known}
    door.change("goal", door.ids("goal", None)[0], {"note": "Another"})
    assert {name for name in known if not again(name)} == {"quarter_revenue", "people_against_goals"}
    known |= {name: run(door, name).exact for name in known}
    door.change("opportunity", deal, {"amount": 1})
    assert not any(map(again, known))
    anew = {name: run(door, name).exact for name in known}
    engine._kept.clear()
    assert {name: run(door, name).exact for name in known} == anew
