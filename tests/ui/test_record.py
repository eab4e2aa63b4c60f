"""The record: values edited in place, the composer that saves once, timeline filters, history with undo."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from crm.records import SYSTEM


@pytest.fixture
def deal(server):
    """An open record of the pipeline with an amount."""
    schema = server.company.schema
    pipeline = next(one for one in schema.pipelines.values() if "amount" in one.fields and "next" in one.fields)
    entity = schema.entities[pipeline.entity]
    opened = {key for key, stage in pipeline.stages.items() if stage.open}
    door = server.company.door(SYSTEM)
    record = next(one for one in door.list(entity.name, limit=None) if one[entity.stage_field] in opened and one[pipeline.fields["amount"]] and one[entity.pipeline_field] == pipeline.name)
    return pipeline, entity, record


def open_deal(one, deal):
    _, entity, record = deal
    one.goto(f"view=record&entity={entity.name}&id={record.id}")
    expect(one.page.get_by_role("heading", name=record.title, level=1)).to_be_visible()


def test_a_value_is_edited_in_place(admin, server, deal):
    pipeline, entity, record = deal
    label = entity.fields[pipeline.fields["amount"]].label
    open_deal(admin, deal)
    facts = admin.page.get_by_role("region", name="Key facts")
    facts.get_by_role("button", name=f"{label}:").click()
    box = facts.get_by_role("textbox", name=label)
    expect(box).to_be_focused()
    box.fill("a lot")
    box.press("Enter")
    expect(facts.get_by_role("alert")).to_be_visible()
    expect(box).to_have_value("a lot")
    expect(box).to_have_attribute("aria-invalid", "true")
    box.fill("51,000")
    box.press("Enter")
    expect(facts.get_by_role("button", name=f"{label}: ")).to_be_focused()
    assert server.company.door(SYSTEM).get(entity.name, record.id)[pipeline.fields["amount"]] == 51000
    admin.page.keyboard.press("Enter")
    facts.get_by_role("textbox", name=label).fill("9")
    admin.page.keyboard.press("Escape")
    expect(facts.get_by_role("button", name=f"{label}: ")).to_be_focused()
    assert server.company.door(SYSTEM).get(entity.name, record.id)[pipeline.fields["amount"]] == 51000
    admin.page.get_by_role("button", name="Undo").first.click()
    expect(admin.page.get_by_text("Taken back.")).to_be_visible()
    assert server.company.door(SYSTEM).get(entity.name, record.id)[pipeline.fields["amount"]] == record[pipeline.fields["amount"]]


def test_a_click_on_another_value_keeps_what_was_typed_in_the_one_before(admin, server, deal):
    pipeline, entity, record = deal
    labels = [entity.fields[pipeline.fields[role]].label for role in ("amount", "next")]
    open_deal(admin, deal)
    facts = admin.page.get_by_role("region", name="Key facts")
    facts.get_by_role("button", name=f"{labels[0]}:").click()
    facts.get_by_role("textbox", name=labels[0]).fill("a lot")
    facts.get_by_role("button", name=f"{labels[1]}:").click()
    expect(facts.get_by_role("alert")).to_be_visible()                                     # refused: its box stays
    facts.get_by_role("textbox", name=labels[0]).fill("52,000")
    facts.get_by_role("button", name=f"{labels[1]}:").click()
    expect(facts.get_by_role("textbox", name=labels[1])).to_be_visible()
    assert server.company.door(SYSTEM).get(entity.name, record.id)[pipeline.fields["amount"]] == 52000
    assert admin.errors == []


def test_what_is_typed_while_it_saves_stays(admin, deal):
    open_deal(admin, deal)
    box = admin.page.get_by_label("What happened?")
    box.fill("The first thing they said")
    box.evaluate("""box => { box.form.requestSubmit(); box.value = 'The second thing'; box.dispatchEvent(new Event('input', {bubbles: true})) }""")
    expect(admin.page.get_by_role("region", name="Timeline").get_by_text("The first thing they said").first).to_be_visible()
    admin.ready()
    expect(box).to_have_value("The second thing")
    admin.page.reload()
    expect(box).to_have_value("The second thing")


def test_nothing_said_is_told_and_a_double_save_saves_once(admin, server, deal):
    _, entity, record = deal
    roles = server.company.schema.activities
    door = server.company.door(SYSTEM)
    open_deal(admin, deal)
    before = door.count(roles.entity)
    save = admin.page.get_by_role("button", name="Save", exact=True)
    save.click()
    expect(admin.page.locator("form.composer").get_by_role("alert")).to_be_visible()
    admin.page.get_by_label("What happened?").fill("Talked about the <script>alert(1)</script> budget")
    save.dblclick()
    expect(admin.page.get_by_role("region", name="Timeline").get_by_text("<script>alert(1)</script>").first).to_be_visible()
    admin.ready()
    assert door.count(roles.entity) == before + 1


def test_a_draft_survives_a_reload(admin, deal):
    open_deal(admin, deal)
    admin.page.get_by_label("What happened?").fill("half a thou")
    admin.page.get_by_label("What is the next step?").fill("finish it")
    admin.page.reload()
    expect(admin.page.get_by_label("What happened?")).to_have_value("half a thou")
    expect(admin.page.get_by_label("What is the next step?")).to_have_value("finish it")


def test_a_wrong_day_is_told_beside_it_and_nothing_is_lost(admin, deal):
    open_deal(admin, deal)
    admin.page.get_by_label("What happened?").fill("")
    admin.page.get_by_label("What is the next step?").fill("Send it")
    admin.page.get_by_role("button", name="Pick a day").click()
    when = admin.page.get_by_role("textbox", name="When?")
    when.fill("the day after never")
    admin.page.get_by_role("button", name="Save", exact=True).click()
    expect(admin.page.locator("form.composer").get_by_role("alert")).to_be_visible()
    expect(when).to_have_value("the day after never")
    when.fill("+2w")
    admin.page.get_by_role("button", name="Save", exact=True).click()
    expect(admin.page.get_by_label("What is the next step?")).to_have_value("")


def test_history_says_who_from_and_to_and_takes_back(admin, server, deal):
    """H5."""
    pipeline, entity, record = deal
    door = server.company.door(SYSTEM)
    amount = pipeline.fields["amount"]
    actor = server.company.door(server.company.actor(server.user("admin")))
    old = door.get(entity.name, record.id)[amount]
    actor.change(entity.name, record.id, {amount: "77001"})
    open_deal(admin, deal)
    admin.page.get_by_role("button", name="History").click()
    step = admin.page.locator("ol.history li").first
    expect(step).to_contain_text("77,001")
    expect(step).to_contain_text(actor.actor.name)
    step.get_by_role("button", name="Undo").click()
    expect(admin.page.get_by_text("Taken back.").first).to_be_visible()
    assert door.get(entity.name, record.id)[amount] == old


def test_the_timeline_is_searched_and_filtered(admin, server, deal):
    _, entity, record = deal
    roles = server.company.schema.activities
    link = next(key for key, one in server.company.schema.entities[roles.entity].fields.items() if getattr(one, "to", None) == entity.name and one.name == "link")
    door = server.company.door(SYSTEM)
    owner = record[entity.owner]
    for word in ("Quokka", "Wombat"):
        door.create(roles.entity, {roles.subject: f"{word} talk", link: record.id, roles.done: "yesterday", roles.owner: owner})
    open_deal(admin, deal)
    line = admin.page.get_by_role("region", name="Timeline")
    expect(line.get_by_text("Quokka talk")).to_be_visible()
    line.get_by_label("Search in the timeline").fill("Wombat")
    expect(line.get_by_text("Quokka talk")).to_have_count(0)
    expect(line.get_by_text("Wombat talk")).to_be_visible()


def test_a_phone_shows_it_without_sticking_out(phone, server, deal):
    _, entity, _ = deal
    users = server.company.schema.users
    mine = server.company.door(server.company.actor(server.user("rep"))).list(entity.name, where=f"{entity.owner} == me", limit=1)
    assert users and mine
    phone.goto(f"view=record&entity={entity.name}&id={mine[0].id}")
    expect(phone.page.get_by_label("What happened?")).to_be_visible()
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390
