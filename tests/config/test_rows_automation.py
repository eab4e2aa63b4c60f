"""Row B12 over the demo companies: the automations that are shipped do what their labels say, and go with an undo."""

from __future__ import annotations

import shutil
from datetime import datetime, time, timedelta

import pytest

from crm.records import SYSTEM, Company
from crm.records.automation import RUNS, switch
from crm.records.due import run_due
from crm.schema import load, shipped
from crm.stores import open_store


@pytest.fixture
def charity(nonprofit_store, tmp_path):
    store = open_store(str(shutil.copy(nonprofit_store, tmp_path / "charity.db")))
    yield Company(load(shipped("nonprofit")), store)
    store.close()


def ran(company, name):
    return [dict(row) for row in company.store.table(RUNS).all() if row["automation"] == name]


def in_the_morning(company, days):
    """The clock of the company so many days from now, at nine."""
    then = datetime.combine(company.today() + timedelta(days=days), time(9, 30), company.zone)
    company.clock = lambda: then


def test_b12_a_deal_that_reaches_the_offer_gets_a_task_and_the_undo_takes_it_back(demo):
    system = demo.door(SYSTEM)
    rep = next(one for one in system.list("user", "role == 'rep' and active", limit=5))
    door = demo.door(rep.id)
    account = door.list("account", limit=1)[0]
    values = {"name": "Conveyor", "account": account.id, "need": "Speed", "next_on": demo.today(), "amount": 900, "close_on": demo.today() + timedelta(days=40)}
    deal = door.create("opportunity", values)
    door.move("opportunity", deal.id, "qualification")
    wanted = door.wants("opportunity", deal.id, "offer")
    assert [key for key in wanted if not key.startswith("do:")] == []
    with door.step("Moved") as step:
        door.move("opportunity", deal.id, "offer", dict.fromkeys((key for key in wanted if key.startswith("do:")), True))
    (task,) = [one for one in door.list("activity", f"opportunity == {deal.id}", limit=5)]
    assert task["subject"] == "Send the offer: Conveyor" and task["owner"] == rep.id and task["account"] == account.id
    door.undo(step.id)
    assert door.get("opportunity", deal.id)["stage"] == "qualification" and door.list("activity", f"opportunity == {deal.id}", limit=5) == []
    assert [run["state"] for run in ran(demo, "offer_task")] == ["undone"]


def test_b12_an_urgent_case_is_told_to_whose_customer_it_is_under_their_rights(demo):
    system = demo.door(SYSTEM)
    rep = next(one for one in system.list("user", "role == 'rep' and active", limit=5))
    account = next(one for one in system.list("account", limit=200) if one["owner"] == rep.id)
    service = next(one for one in system.list("user", "role == 'service' and active", limit=5))
    before = len(demo.door(rep.id).notices(limit=100))
    case = demo.door(service.id).create("case", {"subject": "Belt torn", "priority": "normal", "account": account.id})
    assert len(demo.door(rep.id).notices(limit=100)) == before
    demo.door(service.id).change("case", case.id, {"priority": "urgent"})
    assert [run["did"][0]["users"] for run in ran(demo, "urgent_case")] == [[service.id, rep.id]]


def test_b12_silence_and_dates_are_told_by_the_worker_once(demo):
    began = demo.now()
    run_due(demo, began)
    assert demo.store.table(RUNS).count() == 0, "what was due before the worker first looked is left alone"
    in_the_morning(demo, 35)
    run_due(demo, demo.now())
    quiet, near = ran(demo, "quiet_deal"), ran(demo, "decision_near")
    open_ = {one.doc_id: one for one in demo.find("opportunity") if demo.schema.stage_of("opportunity", one).open}
    start = began - timedelta(days=30)

    def last(doc):
        return datetime.fromisoformat((doc.get("last_contact") or doc["created_on"]).replace("Z", "+00:00"))

    assert {run["record"] for run in quiet} == {one for one, doc in open_.items() if start < last(doc) <= start + timedelta(days=35)} != set()
    days = {str(demo.today() - timedelta(days=35 - day)) for day in range(4, 39)}
    assert {run["record"] for run in near} >= {one for one, doc in open_.items() if doc.get("close_on") in days} != set()
    count = demo.store.table(RUNS).count()
    run_due(demo, demo.now())
    assert demo.store.table(RUNS).count() == count
    told = demo.door(demo.doc("opportunity", quiet[0]["record"])["owner"]).notices(limit=500)
    assert any("30 days" in one.text or "30 dni" in one.text for one in told)


def test_b12_switched_off_by_hand_it_does_nothing_and_only_admins_may(demo):
    system = demo.door(SYSTEM)
    rep = next(one for one in system.list("user", "role == 'rep' and active", limit=5))
    with pytest.raises(PermissionError):
        switch(demo.door(rep.id), "urgent_case", False)
    switch(system, "urgent_case", False)
    system.create("case", {"subject": "Fire", "priority": "urgent"})
    assert ran(demo, "urgent_case") == []
    switch(system, "urgent_case", True)
    system.create("case", {"subject": "Fire", "priority": "urgent"})
    assert len(ran(demo, "urgent_case")) == 1


def test_b12_a_charity_has_its_own_automations(charity):
    system = charity.door(SYSTEM)
    donor = next(one for one in system.list("donor", "level == 'friend'", limit=50) if one["keeper"] is not None)
    gift = system.create("gift", {"donor": donor.id, "amount": 2500})
    (touch,) = [one for one in system.list("touchpoint", f"donor == {donor.id} and kind == 'thanks' and done_on == None", limit=20) if "2,500" in one["subject"]]
    assert touch["keeper"] == donor["keeper"]
    assert system.create("gift", {"donor": donor.id, "amount": 10}).id and len(ran(charity, "large_gift")) == 1
    pledge = system.create("pledge", {"name": "Well", "donor": donor.id, "amount": 500})
    with system.step("given") as step:
        system.move("pledge", pledge.id, "given", {"program": system.list("program", limit=1)[0].id, "next_on": charity.today(), "expected_on": charity.today()})
    assert system.get("donor", donor.id)["level"] == "regular"
    system.undo(step.id)
    assert system.get("donor", donor.id)["level"] == "friend" and gift.id
    run_due(charity, charity.now())
    in_the_morning(charity, 7)  # a Friday has passed
    run_due(charity, charity.now())
    assert gift.id in {run["record"] for run in ran(charity, "unthanked")}
    in_the_morning(charity, 120)
    run_due(charity, charity.now())
    major = {one.doc_id for one in charity.find("donor") if one.get("level") in ("major", "legacy")}
    assert ran(charity, "silent_donor") and {run["record"] for run in ran(charity, "silent_donor")} <= major


def with_automation(demo, folder, name, text):
    """The sales company with one automation more."""
    (folder / "automations").mkdir(parents=True)
    (folder / "crm.yaml").write_text("name: more\nextends: sales\n")
    (folder / "automations" / f"{name}.yaml").write_text(f"automation: {name}\n{text}")
    demo.reload(load(folder))
    return demo


def test_b12_an_automation_asks_for_an_approval_and_it_waits_with_those_who_may_grant_it(demo, tmp_path):
    text = "entity: opportunity\nwhen: {changed: discount}\nif: discount > 5%\nthen: {approve: [sales_manager], text: 'Discount of {discount} for {account}'}\n"
    company = with_automation(demo, tmp_path / "more", "ask", text)
    system = company.door(SYSTEM)
    rep = next(one for one in system.list("user", "role == 'rep' and active", limit=5))
    deal = company.door(rep.id).list("opportunity", "stage.open and owner == me", limit=1)[0]
    before = company.count("approval")
    with company.door(rep.id).step("discount") as step:
        company.door(rep.id).change("opportunity", deal.id, {"discount": "6%"})
    (run,) = ran(company, "ask")
    assert run["state"] == "done" and company.count("approval") == before + 1
    request = company.doc("approval", run["did"][0]["id"])
    assert (request["opportunity"], request["asked_by"], request["status"]) == (deal.id, rep.id, "pending") and "6" in request["why"]
    company.door(rep.id).undo(step.id)
    assert company.count("approval") == before


def test_b12_an_automation_shares_out_by_a_rule_and_keeps_to_the_limits(demo, tmp_path):
    rule = next(one for one in demo.schema.assignments.values() if one.entity == "lead")
    text = f"entity: lead\nwhen: {{changed: company}}\nthen: {{assign: {rule.name}}}\n"
    company = with_automation(demo, tmp_path / "more", "share", text)
    system = company.door(SYSTEM)
    with system.step("pool", fires="none"):
        lead = system.create("lead", {"name": {"first": "Ola", "last": "Lis"}, "company": "Lis", "owner": None})
    system.change("lead", lead.id, {"owner": None})
    system.change("lead", lead.id, {"company": "Lis & Sons"})
    (run,) = ran(company, "share")
    owner = company.doc("lead", lead.id).get("owner")
    assert run["state"] == "done" and [one.get("user") for one in run["did"]] == ([owner] if owner else [])
