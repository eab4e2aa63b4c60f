"""Actions of the registry in the menus: a campaign is started from its record, and taken back (D3 in first shape)."""

from __future__ import annotations

from playwright.sync_api import expect

from crm.records import SYSTEM


def test_a_campaign_is_started_from_its_record_and_taken_back(server, sign_in):
    company, schema = server.company, server.company.schema
    door, roles = company.door(SYSTEM), schema.campaign_roles
    kind = schema.campaigns["fair"]
    campaign = door.create(roles.entity, {roles.fields["name"]: "Autumn fair", roles.fields["type"]: "fair", roles.fields["owner"]: server.user("marketer")})
    activity = schema.activities.entity
    link = next(key for key, one in schema.entities[activity].fields.items() if getattr(one, "to", None) == roles.entity)

    def made():
        return door.list(activity, f"{link} == {campaign.id}", limit=None)

    assert made() == []
    page = sign_in("marketer")
    page.goto(f"view=record&entity={roles.entity}&id={campaign.id}")
    page.get_by_role("group", name="Quick acts").get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Start campaign").click()
    sheet = page.get_by_role("dialog")
    expect(sheet).to_be_visible()
    sheet.get_by_label("Who").select_option(label="Contacts")
    sheet.get_by_label("Filter").fill("id <= 3")
    sheet.get_by_role("button", name="Start campaign").click()
    expect(sheet).not_to_be_visible()
    page.get_by_role("button", name="Undo").wait_for()
    members = door.count("contact", "id <= 3")
    assert members > 0 and len(made()) == len(kind.tasks) + members * len(kind.activities)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Taken back.")).to_be_visible()
    assert made() == []
    assert page.errors == []


def test_a_list_offers_actions_on_the_chosen_ones(server, sign_in):
    company, activities = server.company, server.company.schema.activities
    page = sign_in("rep")
    number = server.user("rep")
    door = company.door(company.actor(number))
    names = [f"Ring number {one}" for one in range(2)]
    ids = [door.create(activities.entity, {activities.subject: name, activities.due: "tomorrow"}).id for name in names]
    page.goto(f"view=list&entity={activities.entity}&q=Ring+number")
    for name in names:
        page.get_by_role("checkbox", name=f"Select {name}").check()
    page.get_by_role("toolbar").get_by_role("button", name="Done").click()
    sheet = page.get_by_role("dialog")
    sheet.get_by_role("button", name="Done").click()
    expect(sheet).not_to_be_visible()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    assert all(door.get(activities.entity, one)[activities.done] for one in ids)
    assert page.errors == []


def test_what_a_role_may_not_do_is_not_offered(server, sign_in):
    schema = server.company.schema
    page = sign_in("rep")
    campaign = server.company.door(SYSTEM).list(schema.campaign_roles.entity, limit=1)[0]
    page.goto(f"view=record&entity={campaign.entity}&id={campaign.id}")
    expect(page.get_by_role("heading", name=campaign.title, level=1)).to_be_visible()
    expect(page.get_by_text("Start campaign")).to_have_count(0)
    more = page.get_by_role("group", name="Quick acts").get_by_role("button", name="More")
    if more.count():
        more.click()
        expect(page.get_by_role("menuitem", name="Start campaign")).to_have_count(0)
