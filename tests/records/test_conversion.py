"""A record becomes others: matched first, rights held, one step, taken back (B3)."""

from __future__ import annotations

import shutil
from decimal import Decimal
from types import SimpleNamespace

import pytest

from crm.actions import ACTIONS
from crm.errors import Denied, Missing, RecordError, Refused
from crm.records import SYSTEM, Company, conversion
from crm.schema import load, shipped
from crm.stores import open_store


@pytest.fixture
def desk(demo):
    """A lead of Anna's with a campaign, two activities (one a colleague's) and an answer to the campaign."""
    system, anna = demo.door(SYSTEM), demo.door("anna")
    campaign = system.list("campaign", limit=1)[0].id
    lead = system.create(
        "lead",
        {
            "name": {"first": "Vera", "last": "Zeman"},
            "company": "Zeman Glass",
            "email": "vera@zeman.example",
            "phone": "+48 61 555 44 33",
            "industry": "food",
            "source": "fair",
            "campaign": campaign,
            "budget": 25000,
            "need": "Pack glass without breaking it",
            "owner": anna.actor.id,
        },
    ).id
    mine = anna.create("activity", {"subject": "First call", "kind": "call", "lead": lead, "done_on": "2026-01-05T10:00"}).id
    theirs = demo.door("milena").create("activity", {"subject": "Sent a folder", "kind": "letter", "lead": lead, "done_on": "2026-01-04T10:00"}).id
    answer = system.create("response", {"campaign": campaign, "lead": lead}).id
    return SimpleNamespace(company=demo, system=system, anna=anna, lead=lead, mine=mine, theirs=theirs, answer=answer, campaign=campaign)


def everything(company):
    """What people wrote, of every record of every entity (figures kept by night are as fresh as the last write)."""
    nightly = {(name, key) for name, one in company.schema.entities.items() for key, f in one.fields.items() if f.spec.get("nightly")}
    return {
        (name, doc.doc_id): {k: v for k, v in doc.items() if k not in ("changed_on", "changed_by") and (name, k) not in nightly}
        for name in company.schema.entities
        for doc in company.find(name)
    }


def test_a_lead_becomes_account_contact_and_deal_with_nothing_typed_twice(desk):
    done = conversion.convert(desk.anna, "lead", desk.lead)
    account, contact, deal = (desk.anna.get(entity, number) for entity, number, _ in done.made.values())
    assert (account["name"], account["kind"], account["industry"], account["source"]) == ("Zeman Glass", "prospect", "food", "fair")
    assert contact["email"] == "vera@zeman.example" and contact["account"] == account.id and contact["name"]["last"] == "Zeman"
    assert deal["amount"] == Decimal(25000) and deal["account"] == account.id and [one["id"] for one in deal["contacts"]] == [contact.id]
    assert (deal["source"], deal["campaign"]) == ("fair", desk.campaign)
    lead = desk.anna.get("lead", desk.lead)
    assert lead["status"] == "converted" and lead["converted_on"] is not None and not lead["open"]
    assert (lead["converted_account"], lead["converted_contact"], lead["converted_opportunity"]) == (account.id, contact.id, deal.id)


def test_what_was_said_goes_along_and_stays(desk):
    """The account's page shows what happened with the lead, also what a colleague wrote; the lead keeps it."""
    done = conversion.convert(desk.anna, "lead", desk.lead)
    account = done.made["account"][1]
    there = [event.title for event in desk.anna.timeline("account", account)]
    assert "First call" in there and "Mr Vera Zeman converted" not in there and "Vera Zeman converted" in there
    here = [event.title for event in desk.anna.timeline("lead", desk.lead)]
    assert "First call" in here and "Vera Zeman converted" in here
    one = desk.system.get("activity", desk.theirs)
    assert one["account"] == account and one["lead"] == desk.lead and one["contact"] == done.made["contact"][1]
    assert desk.system.get("response", desk.answer)["account"] == account


def test_taken_back_all_is_as_it_was(desk):
    before = everything(desk.company)
    done = conversion.convert(desk.anna, "lead", desk.lead)
    assert everything(desk.company) != before
    result = desk.anna.undo(done.step)
    after = everything(desk.company)
    assert not result.conflicts and after.keys() == before.keys()
    assert {key: (before[key], after[key]) for key in before if before[key] != after[key]} == {}


def test_taken_back_long_after_by_the_action_what_others_did_since_stays(desk):
    done = conversion.convert(desk.anna, "lead", desk.lead)
    account = done.made["account"][1]
    desk.company.door("bartek").change("account", account, {"city": "Gdynia"})
    words = ACTIONS["unconvert"]().run(desk.anna, "lead", [desk.lead], {})
    assert "except" in words.say
    lead = desk.anna.get("lead", desk.lead)
    assert lead["status"] == "new" and lead["converted_account"] is None
    assert desk.anna.get("account", account)["city"] == "Gdynia"  # somebody has worked on it
    assert desk.company.doc("contact", done.made["contact"][1]) is None
    again = conversion.convert(desk.anna, "lead", desk.lead)
    assert again.made["account"][1] == account  # and is found again by its name


def test_somebody_else_takes_back_only_what_they_could_change(desk):
    conversion.convert(desk.anna, "lead", desk.lead)
    with pytest.raises((Denied, Missing)):
        conversion.take_back(desk.company.door("carla"), "lead", desk.lead)
    assert not conversion.take_back(desk.company.door("marta"), "lead", desk.lead).conflicts


def test_those_that_are_there_are_found_and_proposed(desk):
    account = desk.anna.create("account", {"name": "Zeman Glass"}).id
    contact = desk.anna.create("contact", {"name": {"first": "V.", "last": "Zeman"}, "email": "vera@zeman.example"}).id
    alike = desk.anna.create("account", {"name": "Zeman Glas"}).id
    parts = {part.target.name: part for part in conversion.plan(desk.anna, "lead", desk.lead).parts}
    assert parts["account"].chosen == account and parts["account"].found[0].why == "Name agrees"
    assert [(one.id, one.sure) for one in parts["account"].found][1:] == [(alike, False)]
    assert parts["contact"].chosen == contact and parts["opportunity"].chosen == conversion.NEW
    before = desk.company.count("account"), desk.company.count("contact")
    done = conversion.convert(desk.anna, "lead", desk.lead)
    assert (desk.company.count("account"), desk.company.count("contact")) == before
    assert done.made["account"] == ("account", account, False)
    assert desk.anna.get("contact", contact)["account"] == account  # it had none


def test_what_one_may_not_see_is_no_match_and_is_not_told(desk):
    """An account of the other team with the same name and e-mail: found by who sees it, never shown to Anna."""
    carla = desk.company.door("carla")
    hidden = carla.create("account", {"name": "Zeman Glass", "email": "vera@zeman.example"})
    with pytest.raises(Exception, match="no such record"):
        desk.anna.get("account", hidden.id)
    part = conversion.plan(desk.anna, "lead", desk.lead).parts[0]
    assert part.found == [] and part.chosen == conversion.NEW
    with pytest.raises(Exception, match="no such record"):
        conversion.convert(desk.anna, "lead", desk.lead, {"account": hidden.id})
    assert desk.anna.get("lead", desk.lead)["status"] == "new"
    assert conversion.plan(desk.company.door("marta"), "lead", desk.lead).parts[0].chosen == hidden.id


def test_a_value_one_may_not_read_is_not_copied(desk, monkeypatch):
    desk.company.schema.roles["rep"].rights["lead"].hide.append("budget")
    try:
        desk.company.reload(desk.company.schema)
        anna = desk.company.door("anna")
        done = conversion.convert(anna, "lead", desk.lead)
        assert desk.system.get("opportunity", done.made["opportunity"][1])["amount"] is None
    finally:
        desk.company.schema.roles["rep"].rights["lead"].hide.remove("budget")


def test_the_sheet_shows_what_is_made_and_what_was_changed_in_it_holds(desk):
    action = ACTIONS["convert"]()
    asked = {one.key: one for one in action.fields(desk.anna, "lead", [desk.lead])}
    assert asked["account.name"].editor["value"] == "Zeman Glass" and asked["opportunity.amount"].editor["value"] in ("25000", "25000.00", Decimal("25000.00"))
    less = {one.key for one in action.asks(desk.anna, "lead", [desk.lead], {"opportunity": "none", "account": "new"})}
    assert "opportunity.amount" not in less and "account.name" in less
    action.run(desk.anna, "lead", [desk.lead], {"account": "new", "account.name": "Zeman & Sons", "contact": "new", "opportunity": "none"})
    lead = desk.anna.get("lead", desk.lead)
    assert desk.anna.get("account", lead["converted_account"])["name"] == "Zeman & Sons" and lead["converted_opportunity"] is None


def test_what_cannot_be_made_is_told_beside_its_field_and_nothing_is_left_behind(desk):
    before = everything(desk.company)
    with pytest.raises(RecordError) as told:
        ACTIONS["convert"]().run(desk.anna, "lead", [desk.lead], {"account": "new", "contact": "new", "contact.email": "vera@", "opportunity": "new"})
    assert set(told.value.problems) == {"contact.email"}
    assert everything(desk.company) == before


def test_a_second_time_is_refused(desk):
    conversion.convert(desk.anna, "lead", desk.lead)
    with pytest.raises(Refused, match="already"):
        conversion.convert(desk.anna, "lead", desk.lead)
    assert not ACTIONS["convert"]().fits(desk.anna, "lead", desk.anna.get("lead", desk.lead))
    assert ACTIONS["unconvert"]().fits(desk.anna, "lead", desk.anna.get("lead", desk.lead))


def test_a_newcomer_of_the_charity_becomes_donor_and_pledge(nonprofit_store, tmp_path):
    store = open_store(str(shutil.copy(nonprofit_store, tmp_path / "n.db")))
    company = Company(load(shipped("nonprofit")), store)
    helena = company.door("helena")
    one = helena.create(
        "newcomer", {"name": {"first": "Ida", "last": "Berg"}, "met_at": "friend", "would_give": 120, "keeper": helena.actor.id}
    ).id
    helena.create("touchpoint", {"subject": "Tea together", "kind": "meeting", "newcomer": one, "done_on": "2026-01-05T10:00"})
    before = everything(company)
    done = conversion.convert(helena, "newcomer", one)
    donor, pledge = done.made["donor"][1], done.made["pledge"][1]
    assert helena.get("donor", donor)["heard_by"] == "friend" and helena.get("pledge", pledge)["donor"] == donor
    assert helena.get("pledge", pledge)["amount"] == Decimal(120) and helena.get("newcomer", one)["state"] == "joined"
    assert "Tea together" in [event.title for event in helena.timeline("donor", donor)]
    helena.undo(done.step)
    assert everything(company) == before
    store.close()
