"""Leads in the browser: taken from the pool, understood, converted, taken back (B1, B2, B3); fifty of them given out against limits (B2)."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from crm.records import SYSTEM, assignment


def test_a_lead_is_taken_understood_converted_and_taken_back(server, sign_in):
    company = server.company
    door = company.door(SYSTEM)
    lead = door.create(
        "lead",
        {
            "name": {"first": "Vera", "last": "Zeman"}, "company": "Zeman Glass", "email": "vera@zeman.example", "source": "referral",
            "impression": "hot", "budget": 25000, "need": "Pack glass without breaking it",
        },
    )  # fmt: skip
    page = sign_in("rep")
    me = server.user("rep")
    page.goto("view=list&entity=lead&v=pool&q=Zeman+Glass")
    pool = page.locator(".poolbar")
    before = assignment.load_of(company, company.schema.assignments["lead"], me).held
    expect(pool).to_contain_text(f"You hold{before} of 40")
    row = page.locator("tbody tr").filter(has_text="Zeman")
    row.hover()
    row.get_by_role("button", name=re.compile("^Take it")).click()
    expect(page.get_by_text("Vera Zeman is yours now")).to_be_visible()
    expect(pool).to_contain_text(f"You hold{before + 1} of 40")
    assert company.doc("lead", lead.id)["owner"] == me

    page.goto(f"view=record&entity=lead&id={lead.id}")
    why = page.get_by_role("region", name="Why this score")
    expect(why).to_contain_text("49")
    expect(why.locator("li")).to_have_count(5)
    expect(why).to_contain_text("Somebody recommended us+14")
    expect(why).to_contain_text("Worked out by rules")

    page.get_by_role("group", name="Quick acts").get_by_role("button", name="Convert").click()
    sheet = page.get_by_role("dialog")
    expect(sheet.get_by_label("Name").first).to_have_value("Zeman Glass")
    sheet.get_by_label("Opportunity").select_option(label="None")
    expect(sheet.get_by_label("Value")).to_have_count(0)
    sheet.get_by_label("Opportunity").select_option(label="New: Opportunity")
    expect(sheet.get_by_label("Value")).to_have_value(re.compile("25.?000"))
    sheet.get_by_role("button", name="Convert").click()
    expect(sheet).not_to_be_visible()
    expect(page.get_by_text("Vera Zeman is converted")).to_be_visible()
    made = company.doc("lead", lead.id)
    assert made["status"] == "converted" and company.doc("account", made["converted_account"])["name"] == "Zeman Glass"
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Taken back.")).to_be_visible()
    assert company.doc("lead", lead.id)["status"] == "new" and company.doc("account", made["converted_account"]) is None
    assert page.errors == [] and page.outside == []


def test_fifty_leads_are_given_out_against_limits(server, sign_in):
    company = server.company
    door = company.door(SYSTEM)
    one = company.schema.assignments["lead"]
    room = {}
    for load, spare in zip(assignment.loads(company, one), (4, 3, 20, 0, 6), strict=True):
        door.change("user", load.user, {"lead_cap": load.held + spare})
        room[load.user] = spare
    fifty = [door.create("lead", {"name": {"last": f"Fifty{n:02}"}, "source": "web"}).id for n in range(50)]
    page = sign_in("sales_manager")
    page.goto("view=list&entity=lead&q=Fifty")
    people = page.get_by_role("list", name="Who holds how many")
    expect(people.get_by_role("listitem")).to_have_count(5)
    expect(people.get_by_text("full")).to_have_count(1)
    page.get_by_role("checkbox", name="Select all rows").check()
    page.get_by_role("toolbar").get_by_role("button", name="Assign by rules").click()
    expect(page.get_by_text(re.compile(r"^33 assigned\. 17 stay where they are: .+ and .+ are full\.$"))).to_be_visible()
    expect(people.get_by_text("full")).to_have_count(5)
    assert all(assignment.held(company, one, user) == company.doc("user", user)["lead_cap"] for user in room)

    page.get_by_role("button", name="Undo").click()
    expect(people.get_by_text("full")).to_have_count(1)
    someone = next(user for user, spare in room.items() if spare == 20)
    page.get_by_role("checkbox", name="Select all rows").check()
    page.get_by_role("toolbar").get_by_role("button", name="Assign", exact=True).click()
    sheet = page.get_by_role("dialog")
    name = company.people.name(someone)
    sheet.get_by_label("To whom").select_option(value=str(someone))
    sheet.get_by_role("button", name="Assign", exact=True).click()
    expect(page.get_by_text(f"20 assigned. 30 stay where they are: {name} is full.")).to_be_visible()
    assert sum(company.doc("lead", n).get("owner") == someone for n in fifty) == 20
    assert page.errors == []
