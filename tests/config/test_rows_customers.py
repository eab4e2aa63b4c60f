"""Rows A1, A2, A4, A5, A6 and H10 over both shipped configurations: figures against plain Python, rights, clocks, words of both ends."""

from __future__ import annotations

import shutil
from datetime import datetime, time, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest

from crm.errors import RecordError
from crm.records import SYSTEM, Company, classes
from crm.records.formulas import spoken
from crm.schema import load, shipped
from crm.stores import open_store
from crm.views import insights


def opened(store_file, name, folder):
    store = open_store(str(shutil.copy(store_file, folder / f"{name}.db")))
    return Company(load(shipped(name)), store)


@pytest.fixture(scope="module")
def company(demo_store, tmp_path_factory):
    made = opened(demo_store, "sales", tmp_path_factory.mktemp("customers"))
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def charity(nonprofit_store, tmp_path_factory):
    made = opened(nonprofit_store, "nonprofit", tmp_path_factory.mktemp("customers"))
    yield made
    made.store.close()


@pytest.fixture
def manager(company):
    return company.door(company.actor("marta"))


@pytest.fixture
def rep(company):
    return company.door(company.actor("anna"))


def page(company, login, entity, id):
    """What the cards of a record page are made from, without a screen."""
    door = company.door(company.actor(login))
    record = door.get(entity, id)
    t = company.schema.words("en")
    app = SimpleNamespace(schema=company.schema, company=company, actor=door.actor, t=t)
    from crm.fields.base import Shown

    shown = Shown(t=t, title=lambda to, one: door.titles(to, [one]).get(one), schema=company.schema)
    return SimpleNamespace(
        app=app, door=door, t=t, entity=company.schema.entities[entity], record=record, id=id, shown=shown, writable=door.writable(entity, record)
    )


# --- A6


def test_a6_profit_of_every_customer_equals_adding_up_by_hand(company):
    door = company.door(SYSTEM)
    invoices, orders, cases = (door.list(name, limit=None) for name in ("invoice", "order", "case"))
    activities, responses = door.list("activity", limit=None), door.list("response", limit=None)
    rates = {one.id: one["rate"] or Decimal(0) for one in door.list("user", limit=None)}
    counts = {one.id: one["reached"] for one in door.list("campaign", limit=None)}
    costs = {one.id: one["cost"] or Decimal(0) for one in door.list("campaign", limit=None)}

    def total(rows, key, account):
        return sum((row[key] or Decimal(0) for row in rows if row["account"] == account), Decimal(0))

    seen = 0
    for one in door.list("account", "kind == 'customer'", limit=None):
        paid = total(invoices, "amount", one.id)
        goods = total(orders, "cost", one.id)
        service = total(cases, "cost", one.id)
        mine = [row for row in activities if row["account"] == one.id]
        time = [(row["case"], round(rates[row["owner"]] * row["duration"] / 60, 2)) for row in mine if row["duration"] and row["owner"]]
        selling = sum((cost for case, cost in time if case is None), Decimal(0))
        serving = sum((cost for case, cost in time if case is not None), Decimal(0))
        assert abs((one["cost_to_sell"] or 0) - selling) <= Decimal("0.01") * len(time)
        assert abs((one["time_to_serve"] or 0) - serving) <= Decimal("0.01") * len(time)
        assert one["profit"] == paid - goods - service - one["cost_to_sell"] - one["time_to_serve"] - (one["campaign_cost"] or 0)
        seen += paid > 0
    assert seen > 20
    company.turn_day()
    for one in door.list("response", "share != None", limit=50):
        assert one["share"] == round(costs[one["campaign"]] / counts[one["campaign"]], 2)
    shared = {one.id: one["campaign_cost"] for one in door.list("account", limit=None)}
    assert shared == {one: total(door.list("response", limit=None), "share", one) for one in shared}
    del responses


def test_a6_a_logged_call_costs_its_time_at_once_and_a_rate_raised_later_changes_nothing(company):
    door = company.door(SYSTEM)
    user = company.actor("anna").id
    account = door.create("account", {"name": "Costly", "kind": "customer", "owner": user})
    door.create("activity", {"subject": "Call", "kind": "call", "owner": user, "account": account.id, "duration": "0:30", "done_on": "now"})
    rate = door.get("user", user)["rate"]
    assert door.get("account", account.id)["cost_to_sell"] == rate / 2
    with door.step("raise") as step:
        door.change("user", user, {"rate": rate * 2})
    assert door.get("account", account.id)["cost_to_sell"] == rate / 2
    door.undo(step.id)


def test_a6_the_statement_tells_each_figure_with_its_formula_and_nothing_to_those_who_may_not_see(company, manager):
    best = manager.list("account", "kind == 'customer'", order=["-profit"], limit=1)[0]
    card = insights.statement(page(company, "marta", "account", best.id), company.schema.entities["account"].statements["earnings"])
    told = {line["key"]: line for line in card["lines"]}
    assert told["invoiced"]["how"] == "Sum of Value of Invoices"
    assert told["cost_to_sell"]["how"] == "Sum of Cost of the time of Activities where Case is empty"
    assert told["profit"]["how"] == "Invoiced − Cost of goods − Cost to sell − Campaigns − Service cost − Time for service"
    assert [line["sign"] for line in card["lines"]][-3:] == ["=", "", ""]
    mine = company.door(company.actor("anna")).list("account", "kind == 'customer' and owner == me", limit=1)[0]
    assert not [card for card in insights.cards(page(company, "anna", "account", mine.id))["cards"] if card["kind"] == "statement"]


def test_a6_hourly_rates_stay_with_those_who_may_see_them(company, rep):
    assert "rate" not in rep.readable("user") and not {"rate", "cost"} & rep.readable("activity")
    hidden = {"cost_to_sell", "time_to_serve", "campaign_cost", "goods_cost", "profit", "profit_rate", "lifetime_value"}
    assert not hidden & rep.readable("account")
    with pytest.raises(Exception, match="profit"):
        rep.list("account", "profit > 0")
    for view in ("most_profitable", "least_profitable"):
        assert company.schema.entities["account"].list.filters[view].sort[0].lstrip("-") == "profit"


# --- A4


def test_a4_the_classes_of_the_demo_are_those_of_a_count_by_hand(company):
    door = company.door(SYSTEM)
    for rule in company.schema.classes.values():
        classes.renew(company, rule)
    rows = sorted(door.list("account", "kind == 'customer'", limit=None), key=lambda one: -(one["profit"] or 0))
    total, before = sum(max(one["profit"] or 0, Decimal(0)) for one in rows), Decimal(0)
    for one in rows:
        profit = one["profit"] or Decimal(0)
        expected = "c" if profit <= 0 else "a" if before < total * Decimal("0.8") else "b" if before < total * Decimal("0.95") else "c"
        assert one["profit_class"] == expected
        before += max(profit, Decimal(0))
    assert {one["profit_class"] for one in door.list("account", "kind == 'supplier'", limit=None)} == {None}


def test_a4_loyalty_and_length_follow_the_orders_and_the_reason_is_told(company):
    door = company.door(company.actor("marta"))
    account = door.create("account", {"name": "Loyal one", "kind": "customer", "segment": "large", "customer_since": "2020-01-01"}).id
    assert (door.get("account", account)["loyalty"], door.get("account", account)["potential"]) == ("new", "high")
    for n in range(4):
        door.create("order", {"name": f"Order {n}", "account": account, "amount": 10, "ordered_on": "today"})
    assert door.get("account", account)["loyalty"] == "loyal"
    assert classes.why(door, "account", account, "loyalty") == "By rule: Orders ≥ 4 and Years with us ≥ 2."
    door.change("account", account, {"loyalty": "at_risk"})
    door.create("order", {"name": "Order 5", "account": account, "amount": 10})
    assert door.get("account", account)["loyalty"] == "at_risk"


def test_a4_every_rule_and_figure_can_be_told_in_both_languages(company, charity):
    for one in (company, charity):
        for language in ("en", "pl"):
            t = one.schema.words(language)
            for entity in one.schema.entities.values():
                for field in entity.fields.values():
                    for expression in (field.formula, field.rollup, *(row.when for row in field.rule or () if hasattr(row, "when"))):
                        if expression is not None and hasattr(expression, "node"):
                            assert "…" not in spoken(expression, entity, one.schema, t), (entity.name, field.key)


# --- A5


def test_a5_a_new_account_finds_its_territory_and_a_branch_is_filtered(company):
    door = company.door(SYSTEM)
    named = {one["name"]: one.id for one in door.list("territory", limit=None)}
    account = door.create("account", {"name": "Found", "address": "Storgatan 1, 111 22 Stockholm, Sweden"})
    assert account["territory"] == named["Nordics"]
    moved = door.change("account", account.id, {"address": "Bulevar 1, 11000 Beograd, Serbia"})
    assert moved["territory"] == named["Balkans"]
    assert classes.why(door, "account", account.id, "territory") == "Found by Address, Industry, Employees."
    below = {"North": {"North", "Poland", "Nordics"}, "South": {"South", "Germany", "Balkans"}, "Europe": set(named)}
    for top, names in below.items():
        ids = {named[name] for name in names}
        expected = {one.id for one in door.list("account", limit=None) if one["territory"] in ids}
        assert {one.id for one in door.list("account", f"within(territory, '{top}')", limit=None)} == expected and expected
        counted = [one for one in door.list("account", "kind == 'customer'", limit=None) if one["territory"] in ids]
        assert door.get("territory", named[top])["accounts_below"] == len(counted)


def test_a5_a_household_finds_its_chapter(charity):
    door = charity.door(SYSTEM)
    south = door.list("chapter", "name == 'Chapter South'")[0].id
    home = door.create("household", {"name": "Nowak family", "town": "Tarnów"})
    assert home["chapter"] == south
    whole = door.list("chapter", "parent == None")[0]
    assert whole["homes_below"] == sum(one["homes"] for one in door.list("chapter", limit=None)) > 50


# --- A1, A2


def test_a1_a_group_of_companies_adds_up_and_stands_as_a_tree(company, manager):
    door = company.door(SYSTEM)
    top = door.list("account", "name == 'Baltia Food Group'")[0]
    rows = {one.id: one for one in door.list("account", limit=None)}
    branch = {top.id}
    while more := {one.id for one in rows.values() if one["parent"] in branch} - branch:
        branch |= more
    assert len(branch) > 2 and top["group_won"] == sum(rows[one]["won_revenue"] for one in branch)
    card = insights.branch(page(company, "marta", "account", max(branch)))
    assert {int(row["key"]) for row in card["rows"]} == branch and card["rows"][0]["title"] == "Baltia Food Group"
    assert [row["here"] for row in card["rows"]].count(True) == 1
    with pytest.raises(RecordError, match="below itself"):
        manager.change("account", top.id, {"parent": next(one for one in branch if one != top.id)})


def test_a1_a_relation_reads_right_from_both_ends_in_both_languages(company):
    door = company.door(SYSTEM)
    one, two = (door.create("account", {"name": name, "kind": "customer"}).id for name in ("Mill", "Bakery"))
    door.create("account_relation", {"account": one, "kind": "supplies", "other": two})
    relation = company.schema.entities["account_relation"]
    mill, bakery = (insights.relations(page(company, "marta", "account", id), "relations", relation, 6) for id in (one, two))
    assert [(item["title"], item["sub"]) for item in mill["items"]] == [("Bakery", "supplies")]
    assert [(item["title"], item["sub"]) for item in bakery["items"]] == [("Mill", "is supplied by")]
    polish = company.schema.words("pl")
    assert insights.said(relation.fields["kind"], "supplies", False, polish) == "jest zaopatrywana przez"


def test_a2_the_map_shows_roles_gaps_and_the_last_contact_with_each(company):
    door = company.door(SYSTEM)
    account = door.create("account", {"name": "Mapped", "kind": "customer"}).id
    boss, user = (door.create("contact", {"name": f"{name} Map", "account": account}).id for name in ("Bo", "Uwe"))
    deal = door.create(
        "opportunity", {"name": "Deal", "account": account, "contacts": [{"id": boss, "role": "decides"}, {"id": user, "role": "uses"}]}
    ).id
    for days in (40, 3):
        when = company.now() - timedelta(days=days)
        door.create("activity", {"subject": "Call", "contact": boss, "owner": company.actor("marta").id, "done_on": when})
    card = insights.centre(page(company, "marta", "opportunity", deal))
    told = {role["key"]: role for role in card["roles"]}
    assert told["influences"]["gap"] == "Nobody yet" and "blocks" not in told
    assert (told["decides"]["people"][0]["text"], told["decides"]["people"][0]["tone"]) == ("2×, last 3 days ago", "")
    assert (told["uses"]["people"][0]["text"], told["uses"]["people"][0]["tone"]) == ("Never in touch yet", "late")


def test_a2_a_grant_has_its_voices_with_roles_of_its_own(charity):
    door = charity.door(SYSTEM)
    grant = door.list("grant", limit=1)[0].id
    donor = door.list("donor", "last_touch != None", limit=1)[0].id
    door.change("grant", grant, {"voices": [{"id": donor, "part": "advises"}]})
    card = insights.centre(page(charity, "irena", "grant", grant))
    told = {role["label"]: role for role in card["roles"]}
    assert told["Decides"]["gap"] and told["Advises"]["people"][0]["text"].startswith(tuple("123456789"))


# --- H10


def test_h10_a_case_has_its_deadline_at_once_and_its_clock_stands_while_we_wait(company):
    sanja = company.door(company.actor("sanja"))
    account = sanja.list("account", "kind == 'customer' and profit_class != 'a'", limit=1)[0].id
    case = sanja.create("case", {"subject": "Noise", "account": account, "priority": "high"})
    assert case["opened_on"] < case["answer_by"] < case["deadline"]
    waiting = sanja.change("case", case.id, {"status": "waiting"})
    assert waiting["deadline"] is None and waiting["waiting_since"] is not None
    back = sanja.change("case", case.id, {"status": "in_work"})
    assert back["deadline"] >= case["deadline"] and back["waiting_since"] is None
    with pytest.raises(RecordError) as told:
        sanja.change("case", case.id, {"status": "solved"})
    assert "solution" in told.value.problems
    done = sanja.change("case", case.id, {"status": "solved", "solution": "Oil", "satisfaction": 5})
    assert done["closed_on"] is not None and done["kept"] == "kept"
    assert insights.promise(page(company, "sanja", "case", case.id).app, company.schema.entities["case"], sanja.get("case", case.id), "deadline") == {
        "text": "kept",
        "tone": "good",
    }


def test_h10_what_is_due_next_comes_first_with_the_time_left(company):
    sanja = company.door(company.actor("sanja"))
    view = company.schema.entities["case"].list.filters["due_next"]
    found = sanja.list("case", view.where.text, order=view.sort, limit=None)
    assert found and [one["deadline"] for one in found] == sorted(one["deadline"] for one in found)
    home = company.schema.dashboards["service"]
    assert any(card.view == "due_next" for row in home.rows for card in row)
    one = page(company, "sanja", "case", found[-1].id)
    told = insights.ordered_by(one.app, one.entity, view, found[-1])
    assert told["end"].split()[-1] in ("left", "late")


#: configuration, entity, customer's link, who has it, values of a new one, what solves it, its deadline, the automation, what is told
LATE = [
    ("sales", "case", "account", "owner", {"subject": "Belt torn", "priority": "urgent"}, {"status": "solved", "solution": "A new belt"}, {"status": "waiting"}, "deadline", "case_late"),
    ("nonprofit", "enquiry", "donor", "keeper", {"subject": "Belt torn", "kind": "complaint"}, {"state": "answered", "answer": "Sent"}, {"state": "asked_back"}, "answer_by", "enquiry_late"),
]  # fmt: skip


@pytest.mark.parametrize("one", LATE, ids=[one[0] for one in LATE])
def test_h10_a_missed_deadline_is_told_once_by_the_worker_to_whoever_has_it_and_whose_customer_it_is(one, request, tmp_path):
    """From the promise to the bell: the working hours pass, the worker comes by, the automation tells two people, once."""
    from crm.records.automation import RUNS
    from crm.worker.run import Worker

    config, entity, link, keeper, values, solved, waits, deadline, name = one
    store = open_store(str(shutil.copy(request.getfixturevalue("demo_store" if config == "sales" else "nonprofit_store"), tmp_path / "d.db")))
    company = Company(load(shipped(config)), store)
    monday = company.today() + timedelta(days=7 - company.today().weekday())
    moment = datetime.combine(monday, time(9, 30), company.zone)
    company.clock = lambda: moment
    worker = Worker(company)
    worker.once(moment)
    system = company.door(SYSTEM)
    field = company.schema.entities[entity].fields[link]
    theirs = company.schema.entities[field.to].owner
    customer = next(
        row for row in company.find(field.to) if row.get(theirs) and company.people.actor(row[theirs]).role in ("rep", "fundraiser")
    )
    desk = next(row.doc_id for row in company.find(company.schema.users.entity) if row.get("role") in ("service", "head") and row.doc_id != customer[theirs])
    late, waiting, quick = (system.create(entity, {**values, link: customer.doc_id, keeper: desk}) for _ in range(3))
    due = late[deadline]
    assert due > moment
    system.change(entity, waiting.id, waits)
    system.change(entity, quick.id, solved)

    def told() -> list[tuple[int, int]]:
        """(record, how many notices of it each of the two has)."""
        rows = [row for row in store.table(RUNS).all() if row["automation"] == name]
        return [(row["record"], len(row["did"][0]["users"])) for row in rows if row["record"] in (late.id, waiting.id, quick.id)]

    def pass_by(when):
        nonlocal moment
        moment = when
        worker.once(moment)

    pass_by(due - timedelta(minutes=2))
    assert told() == []
    pass_by(due + timedelta(minutes=2))
    assert told() == [(late.id, 2)], "the one that waits for the customer has its clock standing, the solved one is done"
    pass_by(due + timedelta(minutes=9))
    assert told() == [(late.id, 2)]
    said = ("Past its deadline: Belt torn", "Not answered in time: Belt torn", "Po terminie: Belt torn", "Bez odpowiedzi w terminie: Belt torn")
    for user in (desk, customer[theirs]):
        mine = [one for one in company.door(user).notices(limit=500) if one.text in said]
        assert [(one.entity, one.record) for one in mine] == [(entity, late.id)], company.people.name(user)
    store.close()


def test_h10_donors_get_their_answer_in_the_hours_of_the_office(charity):
    door = charity.door(SYSTEM)
    keeper = charity.actor("helena").id
    with door.step("asked", at=charity.now().replace(month=3, day=2, hour=8, minute=0, second=0, microsecond=0, year=2026)):  # a Monday
        one = door.create("enquiry", {"subject": "Receipt", "kind": "complaint", "keeper": keeper})
    assert (one["answer_by"] - one["asked_on"]) == timedelta(hours=8)  # 9-12 and 13-16
    with pytest.raises(RecordError):
        door.change("enquiry", one.id, {"state": "answered"})
    assert door.change("enquiry", one.id, {"state": "answered", "answer": "Sent"})["answered_on"] is not None


def test_the_circles_of_donors_are_tenths_and_thirds(charity):
    rule = charity.schema.classes["giving_circle"]
    classes.renew(charity, rule)
    door = charity.door(SYSTEM)
    donors = sorted((one for one in door.list("donor", "gift_count > 0", limit=None)), key=lambda one: -one["given"])
    for one in donors:
        above = sum(other["given"] > one["given"] for other in donors)
        assert one["circle"] == ("inner" if above < len(donors) / 10 else "middle" if above < len(donors) * 0.4 else "outer")
    card = insights.statement(page(charity, "irena", "donor", donors[0].id), charity.schema.entities["donor"].statements["giving"])
    assert card["label"] == "What stays for the cause" and card["lines"][0]["key"] == "given"
