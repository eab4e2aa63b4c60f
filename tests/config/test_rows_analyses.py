"""F3, F5, F9, F10, F13: the shipped analyses against plain pandas and scipy over the raw documents and their history, for every role."""

from __future__ import annotations

import itertools
import shutil
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crm.analytics import names, run
from crm.errors import Missing
from crm.records import SYSTEM, Company
from crm.schema import load, shipped
from crm.stores import open_store

WARSAW = ZoneInfo("Europe/Warsaw")
TALKS = {"call", "email", "meeting", "visit", "letter", "fax"}


def opened(name, source, tmp_path_factory):
    store = open_store(str(shutil.copy(source, tmp_path_factory.mktemp("store") / "demo.db")))
    return Company(load(shipped(name)), store), store


@pytest.fixture(scope="module", params=["sales", "nonprofit"])
def company(request, demo_store, nonprofit_store, tmp_path_factory):
    made, store = opened(request.param, {"sales": demo_store, "nonprofit": nonprofit_store}[request.param], tmp_path_factory)
    yield made
    store.close()


@pytest.fixture(scope="module")
def sales(demo_store, tmp_path_factory):
    made, store = opened("sales", demo_store, tmp_path_factory)
    yield made
    store.close()


@pytest.fixture(scope="module")
def charity(nonprofit_store, tmp_path_factory):
    made, store = opened("nonprofit", nonprofit_store, tmp_path_factory)
    yield made
    store.close()


def documents(company, entity):
    return [{**doc, "id": doc.doc_id} for doc in company.store.table(entity).all() if not doc.get("deleted_on")]


def moment(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def day(text):
    return moment(text).astimezone(WARSAW).date() if len(text) > 10 else date.fromisoformat(text)


def table(result):
    """The rows by their first cell."""
    keys = [column.key for column in result.columns]
    return {row[0]: dict(zip(keys, row, strict=True)) for row in result.exact}


# --- F3


def at(company, entity, id, key, when):
    """A field as it stood, by walking through the record's history."""
    value = None
    for change in company.store.table(entity).history(id):
        if moment(change.at) <= when and key in change.patch:
            value = change.patch[key][1]
    return value


def decided(company, entity="opportunity", good="won", bad="lost"):
    """[(record, ended well, begun, the day before its decision)] out of the history of each record's stage."""
    found = []
    for one in documents(company, entity):
        ways = [
            (moment(change.at), change.patch["stage"][1])
            for change in company.store.table(entity).history(one["id"])
            if "stage" in change.patch
        ]
        if one["stage"] in (good, bad) and len(ways) > 1:
            begun = moment(one["created_on"])
            found.append((one, one["stage"] == good, begun, max(begun, ways[-1][0] - timedelta(days=1))))
    return found


@pytest.fixture(scope="module")
def facts(sales):
    """A row a decided deal: what was known the day before, worked out record by record."""
    activities = defaultdict(list)
    for one in documents(sales, "activity"):
        if one.get("opportunity") and one.get("done_on"):
            activities[one["opportunity"]].append(one)
    rows = []
    for deal, won, begun, until in decided(sales):
        known = [one for one in activities[deal["id"]] if max(moment(one["done_on"]), moment(one["created_on"])) <= until]
        done = sorted(moment(one["done_on"]) for one in known)
        weeks = max((until - begun) / timedelta(days=1), 7) / 7
        account = at(sales, "opportunity", deal["id"], "account", until)
        rows.append({
            "id": deal["id"],
            "won": won,
            "contacts": sum(one["kind"] in TALKS for one in known) / weeks,
            "calls": sum(one["kind"] == "call" for one in known) / weeks,
            "in_person": sum(one["kind"] in ("meeting", "visit") for one in known) / len(known) if known else None,
            "minutes": sum(one.get("duration") or 0 for one in known),
            "answer": max(0, (done[0] - begun) / timedelta(days=1)) if done else None,
            "silence": (until - done[-1]) / timedelta(days=1) if done else None,
            "people": len({one["contact"] for one in known if one.get("contact")}),
            "known": len(at(sales, "opportunity", deal["id"], "contacts", until) or ()),
            "size": at(sales, "opportunity", deal["id"], "amount", until) / 100,
            "source": at(sales, "opportunity", deal["id"], "source", until),
            "rep": at(sales, "opportunity", deal["id"], "owner", until),
            "segment": at(sales, "account", account, "segment", until),
        })  # fmt: skip
    return pd.DataFrame(rows)


NUMBERS = {
    "contacts": "Contacts a week", "calls": "Calls a week", "in_person": "Part of contacts in person", "minutes": "Minutes spent",
    "answer": "Days to the first contact", "silence": "Days since the last contact", "people": "People spoken with",
    "known": "People on the deal", "size": "Value at the time",
}  # fmt: skip


def interval(a, n, c, m):
    """Agresti and Caffo, as in their paper: Wald's interval after adding one success and one failure to each sample."""
    first, second = np.array([1] * (a + 1) + [0] * (n - a + 1)), np.array([1] * (c + 1) + [0] * (m - c + 1))
    middle = first.mean() - second.mean()
    half = stats.norm.ppf(0.975) * np.sqrt(first.var() / len(first) + second.var() / len(second))
    return middle - half, middle + half


def rank_sum(values, won):
    """Wilcoxon's rank sum with the variance for ties and the correction for continuity, as in Lehmann (1975)."""
    n, m, ranks = won.sum(), (~won).sum(), values.rank()
    ties = values.value_counts()
    variance = n * m / 12 * (n + m + 1 - (ties**3 - ties).sum() / ((n + m) * (n + m - 1)))
    away = abs(ranks[won].sum() - n * (n + m + 1) / 2) - 0.5
    return 2 * stats.norm.sf(away / np.sqrt(variance))


@pytest.mark.slow
def test_what_closes_deals_is_what_pandas_and_scipy_say(sales, facts):
    result = run(sales.door(SYSTEM), "what_closes")
    rows = table(result)
    place = {name: n for n, name in enumerate(rows)}

    def behind(name, having, without):
        """Each row opens the deals it counts, and those it counts them against (F3)."""
        found = result.behind_of(place[name])
        assert sorted(found.of()[1]) == sorted(facts.loc[having, "id"]) and found.of()[0] == name
        assert sorted(found.of("without")[1]) == sorted(facts.loc[without, "id"])

    assert result.notes["decided"] == len(facts) and result.notes["good"] == facts["won"].sum()
    ps = {}
    for key, label in NUMBERS.items():
        have = facts[[key, "won"]].dropna()
        middle = have[key].median()
        top = have[key] > (middle if middle < have[key].max() else have[key][have[key] < middle].max())  # most have the highest
        name, row = next((name, row) for name, row in rows.items() if name.startswith(f"{label} over"))
        a, n, c, m = have["won"][top].sum(), top.sum(), have["won"][~top].sum(), (~top).sum()
        assert row["n"] == len(have)
        assert [float(row["with"]), float(row["without"])] == pytest.approx([a / n, c / m], abs=1e-4), key
        assert [float(row["effect_low"]), float(row["effect_high"])] == pytest.approx(interval(a, n, c, m), abs=1e-4), key
        won, lost = have[key][have["won"]].to_numpy(float), have[key][~have["won"]].to_numpy(float)
        pairs = (won[:, None] > lost).mean() + (won[:, None] == lost).mean() / 2
        assert float(row["more"]) == pytest.approx(pairs, abs=1e-4), key
        ps[name] = rank_sum(have[key].astype(float), have["won"].astype(bool))
        behind(name, have.index[top], have.index[~top])
    options = sales.schema.entities["opportunity"].fields["source"].options
    for key in facts["source"].dropna().unique():
        mine = facts["source"] == key
        if mine.sum() < 20:
            continue
        row = rows[f"Source: {options[key].label}"]
        a, n, c, m = facts["won"][mine].sum(), mine.sum(), facts["won"][~mine].sum(), (~mine).sum()
        assert [float(row["with"]), float(row["without"]), row["n"]] == pytest.approx([a / n, c / m, n], abs=1e-4)
        ps[f"Source: {options[key].label}"] = stats.fisher_exact([[a, n - a], [c, m - c]]).pvalue
        behind(f"Source: {options[key].label}", mine, ~mine)
    findings = [one for one in result.notes["findings"] if one.p is not None]
    for one in findings:
        if one.name in ps:
            assert one.p == pytest.approx(ps[one.name], rel=1e-6, abs=1e-12), one.name
    corrected = stats.false_discovery_control([one.p for one in findings], method="bh")
    assert [one.q for one in findings] == pytest.approx(corrected)
    for one in findings:
        clear = float(rows[one.name]["q"]) < 0.05 and not rows[one.name]["effect_low"] <= 0 <= rows[one.name]["effect_high"]
        assert clear == (rows[one.name]["verdict"] != "not clear"), one.name


def test_what_makes_pledges_come_true_is_what_pandas_says(charity):
    """The same under other names: touches a week and who keeps the donor."""
    touches = defaultdict(list)
    for one in documents(charity, "touchpoint"):
        if one.get("pledge") and one.get("done_on") and one["kind"] != "thanks":
            touches[one["pledge"]].append(max(moment(one["done_on"]), moment(one["created_on"])))
    rows = [
        {
            "won": won,
            "touches": sum(at_ <= until for at_ in touches[pledge["id"]]) / (max((until - begun) / timedelta(days=1), 7) / 7),
            "keeper": at(charity, "pledge", pledge["id"], "keeper", until),
        }
        for pledge, won, begun, until in decided(charity, "pledge", "given", "declined")
    ]
    facts, result = pd.DataFrame(rows), run(charity.door(SYSTEM), "what_moves_donors")
    told = table(result)
    assert result.notes["decided"] == len(facts) and result.notes["good"] == facts["won"].sum()
    row = next(row for name, row in told.items() if name.startswith("Touches a week over"))
    top = facts["touches"] > facts["touches"].median()
    assert [float(row["with"]), float(row["without"])] == pytest.approx([facts["won"][top].mean(), facts["won"][~top].mean()], abs=1e-4)
    people = {one["id"]: one["name"] for one in documents(charity, "member")}
    checked = 0
    for keeper, mine in facts.groupby("keeper"):
        if f"Kept by: {people[keeper]}" in told:
            row = told[f"Kept by: {people[keeper]}"]
            assert row["n"] == len(mine) and float(row["with"]) == pytest.approx(mine["won"].mean(), abs=1e-4)
            checked += 1
    assert checked >= 2


def test_what_the_demo_planted_is_found(sales):
    """Its deals are won by the skill of the rep, the quality of the source and by being in touch; the competitor and the size make no difference."""
    rows = table(run(sales.door(SYSTEM), "what_closes"))
    assert rows["Source: Cold call"]["verdict"] == "fewer good ends" and rows["Rep: Ewa Kalina"]["verdict"] == "fewer good ends"
    assert rows["Rep: Anna Lindqvist"]["verdict"] == "more good ends"
    assert next(row["verdict"] for name, row in rows.items() if name.startswith("Contacts a week")) == "more good ends"
    assert rows["A competitor is named: Yes"]["verdict"] == "not clear"
    assert next(row["verdict"] for name, row in rows.items() if name.startswith("Value at the time")) == "not clear"


@pytest.mark.slow
def test_what_is_written_after_the_outcome_changes_nothing(demo):
    """Leakage: every won deal gets another source, value, person, segment and a backdated call after it was won."""
    door = demo.door(SYSTEM)
    before = run(door, "what_closes").exact
    for one in documents(demo, "opportunity"):
        if one["stage"] == "won":
            door.change("opportunity", one["id"], {"source": "fair", "amount": 1_000_000, "contacts": []})
            door.change("account", one["account"], {"segment": "public"})
            call = {"subject": "Filed late", "kind": "call", "opportunity": one["id"], "account": one["account"], "duration": 600}
            door.create("activity", {**call, "done_on": moment(one["created_on"]) + timedelta(hours=1)})
    after = run(door, "what_closes")
    assert after.exact == before


def test_a_deal_that_came_in_decided_says_nothing(demo):
    door = demo.door(SYSTEM)
    before = run(door, "what_closes")
    made = {"name": "Imported", "account": 12, "amount": 100, "stage": "won", "close_on": date(2025, 1, 1), "lesson": "x", "source": "fair"}
    table_ = demo.store.table("opportunity")
    with demo.store.transaction(actor="import"):
        stamp = "2025-01-01T10:00:00.000Z"
        table_.insert({**made, "close_on": "2025-01-01", "pipeline": "b2b", "created_on": stamp, "stage_on": stamp, "owner": 1})
    after = run(door, "what_closes")
    assert after.exact == before.exact and after.notes["already"] == before.notes["already"] + 1


def test_too_few_deals_are_said_to_be_too_few(sales):
    result = run(sales.door(SYSTEM), "what_closes", where="account.segment == 'public'")
    assert not result.exact and result.says.startswith("Too little data")
    some = run(sales.door(SYSTEM), "what_closes", where="source == 'fair'")
    assert any(row["verdict"].startswith("too little data") and row["effect"] is None for row in table(some).values())


# --- F5


def test_whom_nobody_talked_to_is_counted_over_the_documents(company):
    asked = {
        "quiet_customers": ("account", "last_contact", 90, lambda one: one["kind"] == "customer", "won_revenue"),
        "silent_donors": ("donor", "last_touch", 180, lambda one: (one.get("gift_count") or 0) > 0, "given"),
    }
    name = next(one for one in asked if one in company.schema.reports)
    entity, last, fewest, whose, worth = asked[name]
    expected = {
        one["id"]: (days, (one.get(worth) or 0) / 100)
        for one in documents(company, entity)
        if whose(one) and (days := (company.today() - day(one.get(last) or one["created_on"])).days) >= fewest
    }
    result = run(company.door(SYSTEM), name)
    columns = [column.key for column in result.columns]
    found = {
        key[0]: (row[columns.index("days")], float(row[columns.index("worth")] or 0))
        for key, row in zip(result.keys, result.exact, strict=True)
    }
    assert expected and found == expected


def test_who_drifts_is_who_pandas_finds(company):
    """By contacts, orders and gifts alike: the middle gap of each one's own days."""
    asked = {
        "drifting_customers": ("activity", "account", "done_on", lambda one: one["kind"] in TALKS, 5, 2, 30, lambda one: one["kind"] == "customer"),
        "late_buyers": ("order", "account", "ordered_on", lambda one: one["status"] != "cancelled", 3, 1.5, 60, lambda one: one["kind"] == "customer"),
        "late_donors": ("gift", "donor", "given_on", lambda one: True, 3, 2, 60, lambda one: True),
    }  # fmt: skip
    today = company.today()
    done = 0
    for name, (entity, link, on, counts, least, factor, fewest, whose) in asked.items():
        if name not in company.schema.reports:
            continue
        done += 1
        owners = {one["id"] for one in documents(company, company.schema.reports[name].entity) if whose(one)}
        events = pd.DataFrame(
            [
                (one[link], pd.Timestamp(day(one[on])))
                for one in documents(company, entity)
                if one.get(link) and one.get(on) and counts(one)
            ],
            columns=["who", "on"],
        ).drop_duplicates()
        events = events[(events["on"] <= pd.Timestamp(today)) & events["who"].isin(owners)].sort_values(["who", "on"])
        events["gap"] = events.groupby("who")["on"].diff().dt.days
        people = events.groupby("who").agg(n=("on", "size"), last=("on", "max"), usual=("gap", "median"))
        people["since"] = (pd.Timestamp(today) - people["last"]).dt.days
        people["factor"] = people["since"] / people["usual"]
        late = people[(people["n"] >= least) & (people["factor"] >= factor) & (people["since"] >= fewest)]
        result = run(company.door(SYSTEM), name)
        columns = [column.key for column in result.columns]
        found = {
            key[0]: [row[columns.index("usual")], row[columns.index("since")], row[columns.index("factor")]]
            for key, row in zip(result.keys, result.exact, strict=True)
        }
        assert len(late) and set(found) == set(late.index)
        for who, row in late.iterrows():
            assert found[who] == pytest.approx([row["usual"], row["since"], round(row["factor"], 2)], abs=0.011)
        assert result.notes["rhythm"] == (people["n"] >= least).sum()
        assert result.opens[0] == (result.report.entity, result.keys[0][0])
    assert done


# --- F9


#: {configuration: (reports by time and by person, entity and its date, won stage, owner; the time spent: entity, kinds, what it must not
#: be about, cost, owner; campaigns)}; the roles of those who sell.
SELLING = {
    "sales": ("cost_of_sales", "cost_by_rep", "opportunity", "close_on", "won", "owner", "activity", TALKS, "case", "cost", "campaign", "user", "rep"),
    "nonprofit": (
        "cost_of_giving", "cost_by_keeper", "pledge", "expected_on", "given", "keeper", "touchpoint",
        ("call", "email", "letter", "meeting", "thanks"), "enquiry", "spent", "appeal", "member", "fundraiser",
    ),
}  # fmt: skip


def test_what_selling_costs_is_what_the_documents_add_up_to(company):
    """F9, in both configurations by YAML alone."""
    report, by_person, deal, closing, good, owner, event, kinds, other, spent, campaign, user, role = SELLING[company.schema.name]
    quarters = defaultdict(lambda: {"hours": 0.0, "time": 0, "campaigns": 0, "won": 0, "revenue": 0})
    people = defaultdict(lambda: {"time": 0, "won": 0})
    today = company.today()
    year = today - timedelta(days=364)
    roles = {one["id"]: one["role"] for one in documents(company, user)}

    def quarter(text):
        on = day(text)
        return date(on.year, on.month - (on.month - 1) % 3, 1)

    for one in documents(company, event):
        if one["kind"] in kinds and not one.get(other) and one.get("done_on") and day(one["done_on"]) <= today:
            quarters[quarter(one["done_on"])]["time"] += one.get(spent) or 0
            quarters[quarter(one["done_on"])]["hours"] += (one.get("duration") or 0) / 60
            if day(one["done_on"]) >= year and one.get(owner) and roles[one[owner]] == role:
                people[one[owner]]["time"] += one.get(spent) or 0
    for one in documents(company, campaign):
        if one.get("starts_on") and one.get("cost") and day(one["starts_on"]) <= today:
            quarters[quarter(one["starts_on"])]["campaigns"] += one["cost"]
    for one in documents(company, deal):
        if one["stage"] == good and one.get(closing):
            quarters[quarter(one[closing])]["won"] += 1
            quarters[quarter(one[closing])]["revenue"] += one["amount"]
            if year <= day(one[closing]) <= today:
                people[one[owner]]["won"] += 1
    found = table(run(company.door(SYSTEM), report))
    for start, expected in quarters.items():
        row = found[start]
        cost = (expected["time"] + expected["campaigns"]) / 100
        assert float(row["hours"]) == pytest.approx(expected["hours"], abs=0.06)
        assert [float(row["time"]), float(row["campaigns"]), float(row["cost"])] == [
            expected["time"] / 100,
            expected["campaigns"] / 100,
            cost,
        ]
        assert row["won"] == expected["won"] and float(row["revenue"]) == expected["revenue"] / 100
        if expected["won"]:
            assert float(row["per_won"]) == pytest.approx(cost / expected["won"], abs=0.006)
    result = run(company.door(SYSTEM), by_person)
    rows = {key[0]: row for key, row in zip(result.keys, table(result).values(), strict=True)}
    assert {one for one, row in people.items() if row["time"] or row["won"]} == set(rows)
    for one, expected in people.items():
        assert float(rows[one]["time"]) == expected["time"] / 100 and rows[one]["won"] == expected["won"]


@pytest.mark.parametrize(
    ("source", "report", "deal", "amount_on", "good", "owner", "user", "growth", "ramp"),
    [
        ("sales", "reps_needed", "opportunity", "close_on", "won", "owner", "user", 1.2, 6),
        ("charity", "fundraisers_needed", "pledge", "expected_on", "given", "keeper", "member", 1.25, 4),
    ],
)
def test_how_many_reps_a_target_takes_is_a_sum_done_by_hand(request, source, report, deal, amount_on, good, owner, user, growth, ramp):
    made = request.getfixturevalue(source)
    today = made.today()
    start = pd.Timestamp(today.replace(day=1))
    deals = pd.DataFrame(documents(made, deal))
    active = {one["id"] for one in documents(made, user) if one.get("active", True)}
    deals = deals[deals[owner].notna()]
    won = deals[deals["stage"] == good].copy()
    won["month"] = pd.to_datetime(won[amount_on].str[:10]).dt.to_period("M").dt.to_timestamp()
    months = pd.date_range(start - pd.DateOffset(months=12), periods=12, freq="MS")
    reps = deals[owner].unique()
    steady = [won[(won[owner] == rep) & (won["month"] == month)]["amount"].sum() / 100 for rep in reps for month in months]
    mean, error = np.mean(steady), stats.sem(steady)
    last = won[(won["month"] >= months[0]) & (won["month"] < start)]["amount"].sum() / 100
    target, people = last * growth, len(set(reps) & active)
    share = (sum((month + 0.5) / ramp for month in range(ramp)) + 12 - ramp) / 12
    needed = [
        max(0, int(np.ceil((target - each * 12 * people) / (each * 12 * share)))) if each > 0 else None
        for each in (mean, mean + 1.96 * error, mean - 1.96 * error)
    ]
    result = run(made.door(SYSTEM), report)
    assert result.notes["share"] == pytest.approx(share) and result.notes["people"] == people
    assert result.notes["steady"] and np.mean(result.notes["steady"]) == pytest.approx(mean)
    assert result.notes["target"] == pytest.approx(target) and list(result.notes["needed"]) == needed
    assert (
        any("assumed" in row[2] for row in result.exact)
        and "assumed" in result.says
        and f"measured over {len(reps) * 12}" in result.exact[1][2]
    )


# --- F10


@pytest.mark.parametrize(
    ("name", "entity", "who", "what", "on", "counts", "suggest"),
    [
        ("bought_together", "opportunity", "account", "product", "close_on", lambda one: one["stage"] == "won", 3),
        ("given_together", "gift", "donor", "program", "given_on", lambda one: True, 2),
    ],
)
def test_what_is_bought_together_is_what_pandas_counts(request, name, entity, who, what, on, counts, suggest):
    made = request.getfixturevalue("sales" if name == "bought_together" else "charity")
    bought = pd.DataFrame(
        [
            (one[who], one[what], one[on][:10])
            for one in documents(made, entity)
            if counts(one) and one.get(who) and one.get(what) and one.get(on)
        ],
        columns=["who", "what", "on"],
    )
    cut = bought["on"].sort_values().iloc[len(bought) // 2]
    whole = bought.assign(n=1).pivot_table(index="who", columns="what", values="n", aggfunc="max", fill_value=0)
    early = bought[bought["on"] <= cut].assign(n=1).pivot_table(index="who", columns="what", values="n", aggfunc="max", fill_value=0)
    late = bought[bought["on"] > cut].assign(n=1).pivot_table(index="who", columns="what", values="n", aggfunc="max", fill_value=0)
    late = late.reindex(index=early.index, columns=whole.columns, fill_value=0)
    early = early.reindex(columns=whole.columns, fill_value=0)
    made.schema.reports[name].limit, limit = None, made.schema.reports[name].limit
    result = run(made.door(SYSTEM), made.schema.reports[name])
    made.schema.reports[name].limit = limit
    together = whole.T @ whole
    pairs = {(a, b) for a, b in itertools.permutations(whole.columns, 2) if together.loc[a, b] >= 3}
    columns = [column.key for column in result.columns]
    assert pairs and {key[:2] for key in result.keys} == pairs
    assert result.drills == made.schema.entities[entity].fields[who].to
    for n, (key, cells) in enumerate(zip(result.keys, result.exact, strict=True)):
        a, b = key[:2]
        row = dict(zip(columns, cells, strict=True))
        behind, both = result.behind_of(n), whole[[a, b]].all(axis=1)
        assert behind.of()[1] == sorted(whole.index[(whole[a] == 1) & (whole[b] == 0)])  # whom the other may be suggested to
        assert behind.of("both")[1] == sorted(whole.index[both]) and len(behind.of("both")[1]) == row["both"]
        confidence = together.loc[a, b] / whole[a].sum()
        assert row["both"] == together.loc[a, b] and float(row["support"]) == pytest.approx(whole[[a, b]].all(axis=1).mean(), abs=1e-4)
        assert float(row["confidence"]) == pytest.approx(confidence, abs=1e-4)
        assert row["lift"] == pytest.approx(confidence / whole[b].mean(), abs=0.006)
        could = (early[a] == 1) & (early[b] == 0)
        assert row["later_n"] == could.sum()
        if could.any():
            assert float(row["later"]) == pytest.approx(late[b][could].mean(), abs=1e-4)
    trial = result.notes["trial"]
    assert trial["n"] == int(((late == 1) & (early == 0)).to_numpy().sum())
    best = early.sum().sort_values(ascending=False, kind="stable")
    best = sorted(best.index, key=lambda one: (-best[one], one))
    met = 0
    for one in early.index:
        left = [item for item in best if not early.loc[one, item] and early[item].sum()]
        met += sum(late.loc[one, item] for item in left[:suggest])
    assert trial["plain"] == met
    assert f"{round(100 * met / trial['n'])}%" in result.says


# --- F13


def test_who_uses_it_is_counted_from_the_history(company, monkeypatch):
    users = company.schema.users
    logins = {one["login"]: one["id"] for one in documents(company, users.entity) if one.get("active", True)}
    now = datetime.now(UTC)
    monkeypatch.setattr(company, "clock", lambda: now)
    start = now - timedelta(weeks=12)
    saves = defaultdict(set)
    for name in company.schema.entities:
        living = {one["id"] for one in documents(company, name)}
        for change in company.store.table(name).past():
            if (
                change.act in ("create", "change", "delete")
                and change.who in logins
                and moment(change.at) >= start
                and change.doc_id in living
            ):
                saves[logins[change.who]].add(moment(change.at).replace(microsecond=0))
    result = run(company.door(SYSTEM), "who_uses_it")
    columns = [column.key for column in result.columns]
    found = {key[0]: dict(zip(columns, row, strict=True)) for key, row in zip(result.keys, result.exact, strict=True)}
    assert set(found) == set(logins.values())
    for one, row in found.items():
        assert row["writes"] == len(saves[one])
        assert row["weekly"] == pytest.approx(len(saves[one]) / 12, abs=0.051)
        weeks = {int((now - at_) / timedelta(weeks=1)) for at_ in saves[one]}
        assert float(row["weeks"]) == pytest.approx(len(weeks) / 12, abs=0.09)


@pytest.mark.parametrize(("name", "entity", "keep"), [
    ("filled_deals", "opportunity", lambda one: True),
    ("filled_accounts", "account", lambda one: one["kind"] in ("customer", "prospect")),
    ("filled_donors", "donor", lambda one: True),
])  # fmt: skip
def test_what_is_filled_in_is_counted_over_the_documents(request, name, entity, keep):
    made = request.getfixturevalue("charity" if name == "filled_donors" else "sales")
    some = [one for one in documents(made, entity) if keep(one)]
    since = made.today() - timedelta(days=90)
    result = run(made.door(SYSTEM), name)
    shown = {"lost_reason": "lost", "lost_to": "lost"}
    assert len(result.exact) > 8
    for key, row in zip(result.keys, result.exact, strict=True):
        mine = [one for one in some if key[0] not in shown or one["stage"] == shown[key[0]]]
        mine = mine if key[0] != "lesson" else [one for one in mine if one["stage"] in ("won", "lost")]
        have = [one for one in mine if one.get(key[0]) not in (None, "", [], {})]
        new = [one for one in mine if day(one["created_on"]) >= since]
        assert row[4] == len(mine) - len(have), key
        assert float(row[1]) == pytest.approx(len(have) / len(mine), abs=1e-4), key
        if new:
            assert float(row[2]) == pytest.approx(sum(one in have for one in new) / len(new), abs=1e-4), key


def test_how_fresh_the_data_is(sales):
    today = sales.today()
    result = run(sales.door(SYSTEM), "freshness")
    for key, row in zip(result.keys, result.exact, strict=True):
        ages = [(today - day(one["changed_on"])).days for one in documents(sales, key[0])]
        assert row[1] == len(ages) and row[5] == int(np.median(ages))
        assert [float(one) for one in row[2:5]] == pytest.approx(
            [np.mean([age < limit for age in ages]) for limit in (30, 90, 365)], abs=1e-4
        )


# --- rights


@pytest.mark.slow
def test_every_analysis_holds_only_what_its_reader_sees(company):
    """Counts and sums of each role against what that role's lists hold."""
    schema = company.schema
    users = [one for one in documents(company, schema.users.entity) if one.get("active", True)]
    firsts = {one["role"]: one for one in reversed(users)}
    ours = [name for name, one in schema.reports.items() if one.analysis in ("quiet", "drifting", "drivers", "cross_sell", "filled", "fresh", "adoption")]  # fmt: skip
    less = Counter()
    for user in firsts.values():
        door = company.door(user["login"])
        for name in ours:
            report = schema.reports[name]
            if name not in names(door):
                with pytest.raises(Missing):
                    run(door, name)
                continue
            mine, whole = run(door, name), run(company.door(SYSTEM), name)
            seen = set(door.frame(report.entity, ["id"])["id"])
            if report.analysis in ("quiet", "drifting"):
                assert {key[0] for key in mine.keys} <= seen
            if report.analysis == "drivers":
                stage = schema.entities[report.entity].stage_field
                stages = door.frame(report.entity, [stage])[stage]
                ends = {
                    key for one in schema.pipelines.values() if one.entity == report.entity for key, it in one.stages.items() if it.outcome
                }
                assert mine.notes["decided"] + mine.notes["already"] == stages.isin(list(ends)).sum()
            if report.analysis == "cross_sell":
                where = getattr(report.where, "text", None)
                baskets = door.frame(report.entity, [report.options["basket"], report.options["item"]], where=where)
                assert mine.notes["buyers"] == baskets.dropna()[report.options["basket"]].nunique()
            if report.analysis == "adoption":
                assert sum(row[4] for row in mine.exact) <= sum(row[4] for row in whole.exact)
                assert {row[0] for row in mine.exact} <= {row[0] for row in whole.exact}
            less[report.analysis] += mine.exact != whole.exact
    assert all(less[one] for one in ("quiet", "drivers", "adoption"))


def test_adoption_does_not_tell_what_the_reader_may_not_see(demo):
    """A rep's figure about a colleague grows with what both see only."""
    reps = [one for one in documents(demo, "user") if one["role"] == "rep" and one.get("active", True)]
    reader = reps[0]
    other = next(one for one in reps if one["team"] != reader["team"])
    door = demo.door(reader["login"])
    column = [column.key for column in run(door, "who_uses_it").columns].index("writes")

    def told():
        return {key[0]: row[column] for key, row in zip(run(door, "who_uses_it").keys, run(door, "who_uses_it").exact, strict=True)}.get(
            other["id"], 0
        )

    before, whole = told(), run(demo.door(SYSTEM), "who_uses_it")
    demo.door(other["login"]).create("activity", {"subject": "Theirs alone", "kind": "note", "done_on": datetime.now(UTC)})
    assert told() == before
    after = run(demo.door(SYSTEM), "who_uses_it")
    assert sum(row[column] for row in after.exact) == sum(row[column] for row in whole.exact) + 1


def test_who_may_not_read_the_costs_has_no_report_of_them(sales, charity):
    rep = next(one["login"] for one in documents(sales, "user") if one["role"] == "rep")
    assert not {"cost_of_sales", "cost_by_rep"} & set(names(sales.door(rep)))
    assert {"cost_of_sales", "cost_by_rep", "reps_needed"} <= set(names(sales.door("diana")))
    assert not {"cost_of_giving", "cost_by_keeper"} & set(names(charity.door("jan")))
    assert {"cost_of_giving", "cost_by_keeper", "fundraisers_needed"} <= set(names(charity.door("irena")))


def test_every_analysis_says_something_in_both_languages(company, monkeypatch):
    for name, report in company.schema.reports.items():
        if report.analysis not in (
            "quiet",
            "drifting",
            "drivers",
            "cross_sell",
            "filled",
            "fresh",
            "adoption",
            "cost_of_sales",
            "people_needed",
        ):
            continue
        english = run(company.door(SYSTEM), name)
        assert english.says.endswith("."), name
        with monkeypatch.context() as patch:
            door = company.door(SYSTEM)
            patch.setattr(type(door), "words", property(lambda self: company.words("pl")))
            polish = run(door, report)
        assert polish.says != english.says and polish.says.endswith("."), name
        assert [one.label for one in polish.columns] != [one.label for one in english.columns], name
