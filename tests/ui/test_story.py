"""The story of the first release, told by a browser: from a name of three letters to a won step seen in the timeline; and nothing of it
for a colleague whose role and team do not see it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from crm.errors import Denied, Missing
from crm.records import SYSTEM


@pytest.fixture(scope="module")
def people(server):
    """Two reps of different teams: ids of the first and the second."""
    users = server.company.schema.users
    reps = [one for one in server.company.door(SYSTEM).list(users.entity, limit=200, order=["id"]) if one.get(users.role) == "rep"]
    first = reps[0]
    other = next(one for one in reps if one.get(users.team) != first.get(users.team))
    return first.id, other.id


@pytest.fixture(scope="module")
def story(server, people):
    """A customer with one open deal in the first stage, both the first rep's: (deal's pipeline, customer, deal)."""
    company = server.company
    door, schema = company.door(SYSTEM), company.schema
    pipeline = next(one for one in schema.pipelines.values() if "next" in one.fields and "amount" in one.fields)
    entity = schema.entities[pipeline.entity]
    link = next(one for one in entity.own_fields.values() if one.name == "link" and one.required is True)
    customers = schema.entities[link.to]
    from crm.views.text import title_field
    customer = door.create(customers.name, {title_field(customers): "Qwz Harbour <b>Works</b>", customers.owner: people[0]})
    deal = door.create(entity.name, {title_field(entity): "Cranes for Qwz", link.key: customer.id, entity.pipeline_field: pipeline.name, entity.owner: people[0]})
    return pipeline, customer, deal


def sign_in_by_form(sign_in, server, number):
    users = server.company.schema.users
    record = server.company.door(SYSTEM).get(users.entity, number)
    server.site.passwords.set(number, "a password of their own", by="test")
    page = sign_in(number, height=900).page
    page.context.clear_cookies()
    page.goto(server.address)
    page.get_by_label("Name or e-mail").fill(record[users.login])
    page.locator("#password").fill("a password of their own")
    page.get_by_role("button", name="Sign in").click()
    return page


def value_for(field):
    """Something typed that a field of the gate takes."""
    return {"money": "48500", "date": "+2w", "datetime": "+2w"}.get(field.kind, "They plan night shifts by hand")


def test_from_three_letters_to_the_timeline(sign_in, server, people, story):
    pipeline, customer, deal = story
    entity = server.company.schema.entities[pipeline.entity]
    keys = list(pipeline.stages)
    second, third = pipeline.stages[keys[1]], pipeline.stages[keys[2]]
    errors = []
    page = sign_in_by_form(sign_in, server, people[0])
    page.on("pageerror", lambda error: errors.append(str(error)))

    # find a customer by three letters
    expect(page.get_by_role("button", name="Search or jump to…").first).to_be_visible()
    page.keyboard.press("Control+k")
    box = page.get_by_role("combobox", name="Search or jump to…")
    box.press_sequentially("Qwz", delay=40)
    page.get_by_role("option", name=customer.title).first.click()
    expect(page.get_by_role("heading", name=customer.title, level=1)).to_be_visible()

    # log a call with a next step
    page.get_by_label("What happened?").fill("Crane two stands still. They want an <i>offer</i> soon.")
    page.get_by_label("What is the next step?").fill("Call the harbour master")
    page.get_by_role("button", name="Tomorrow").click()
    page.get_by_role("button", name="Save", exact=True).click()
    line = page.get_by_role("region", name="Timeline")
    expect(line.get_by_text("Crane two stands still", exact=True)).to_be_visible()
    expect(line.get_by_text("Call the harbour master").first).to_be_visible()
    expect(page.get_by_label("What happened?")).to_have_value("")
    roles = server.company.schema.activities
    link = planning_link(server, customer.entity)
    made = server.company.door(SYSTEM).list(roles.entity, where=f"{link} == {customer.id}", limit=20)
    assert len(made) == 2, "saved exactly once: what happened and what is next"

    # open the opportunity
    page.get_by_role("link", name=deal.title).first.click()
    expect(page.get_by_role("heading", name=deal.title, level=1)).to_be_visible()

    # try to move the stage: the gate says what it wants, right there
    page.get_by_role("list", name="Stage").get_by_role("button", name=second.label).click()
    gate = page.locator("form.gate")
    missing = [key for key in second.require]
    for key in missing:
        expect(gate.get_by_label(entity.fields[key].label).first).to_be_visible()
    for key in missing:
        gate.get_by_label(entity.fields[key].label).first.fill(value_for(entity.fields[key]))
    gate.get_by_role("button", name=f"Move to “{second.label}”").click()
    expect(page.locator("[aria-current=step]")).to_contain_text(second.label)

    # move it on the board: what the next gate wants is asked in a small sheet
    page.goto(f"{server.address}/?view=board&pipeline={pipeline.name}&q=Cranes+for+Qwz")
    card = page.get_by_role("region", name=second.label).get_by_role("article", name=deal.title)
    expect(card).to_be_visible()
    card.focus()
    page.keyboard.press("ArrowRight")
    sheet = page.get_by_role("dialog")
    expect(sheet).to_be_visible()
    expect(page.get_by_role("region", name=second.label).get_by_role("article", name=deal.title)).to_be_visible()
    now = server.company.door(SYSTEM).get(entity.name, deal.id)
    for key in third.require:
        if now[key] is None:
            sheet.get_by_label(entity.fields[key].label).first.fill(value_for(entity.fields[key]))
    sheet.get_by_role("button", name="Move", exact=True).click()
    expect(page.get_by_role("region", name=third.label).get_by_role("article", name=deal.title)).to_be_visible()
    assert server.company.door(SYSTEM).get(entity.name, deal.id)[entity.stage_field] == third.key

    # see it all in the timeline
    page.goto(f"{server.address}/?view=record&entity={customer.entity}&id={customer.id}")
    line = page.get_by_role("region", name="Timeline")
    expect(line.get_by_text("Crane two stands still", exact=True)).to_be_visible()
    expect(line.get_by_text("Call the harbour master").first).to_be_visible()
    expect(line.get_by_text(second.label).first).to_be_visible()
    expect(line.get_by_text(third.label).first).to_be_visible()
    expect(page.get_by_text("<i>offer</i>").first).to_be_visible()                  # as typed: text, never markup
    assert errors == []


def planning_link(server, entity):
    roles = server.company.schema.activities
    return next(key for key, one in server.company.schema.entities[roles.entity].fields.items() if getattr(one, "to", None) == entity and one.name == "link")


def test_a_colleague_of_another_team_finds_nothing_by_any_path(sign_in, server, people, story):
    pipeline, customer, deal = story
    actor = server.company.actor(people[1])
    door = server.company.door(actor)
    # what the door refuses …
    for thing in (customer, deal):
        with pytest.raises((Missing, Denied)):
            door.get(thing.entity, thing.id)
        assert door.list(thing.entity, find="Qwz") == [] and door.count(thing.entity, find="Qwz") == 0
        assert door.titles(thing.entity, [thing.id]) == {}
        with pytest.raises((Missing, Denied)):
            door.timeline(thing.entity, thing.id)
        with pytest.raises((Missing, Denied)):
            door.history(thing.entity, thing.id)
    assert door.search("Qwz") == []
    assert not [hit for hit in door.search("harbour master") if "arbour" in hit.title + hit.snippet]      # a typo-tolerant search may find what is theirs
    # … the screens do not show
    one = sign_in(people[1])
    paths = [f"view=record&entity={customer.entity}&id={customer.id}", f"view=record&entity={deal.entity}&id={deal.id}", f"view=form&entity={deal.entity}&id={deal.id}",
             f"view=list&entity={customer.entity}&q=Qwz", f"view=list&entity={deal.entity}&q=Qwz", f"view=board&pipeline={pipeline.name}&q=Qwz",
             f"view=calendar&entity={deal.entity}&q=Qwz", f"view=chart&entity={deal.entity}&q=Qwz", "view=home", f"view=list&entity={server.company.schema.activities.entity}&q=Crane",
             f"view=list&entity={deal.entity}&w=amount%20%3E%201"]
    for path in paths:
        one.goto(path)
        text = one.page.evaluate(ALL_TEXT)
        assert "Harbour" not in text and "Cranes for" not in text and "harbour master" not in text, path
    one.goto("view=home")
    one.page.keyboard.press("Control+k")
    one.page.get_by_role("combobox", name="Search or jump to…").press_sequentially("Qwz", delay=40)
    expect(one.page.get_by_text("Nothing found")).to_be_visible()
    assert "Harbour" not in one.page.evaluate(ALL_TEXT)


ALL_TEXT = """() => { const out = []; const walk = n => { if (n.nodeType === 3) out.push(n.data); else { if (n.shadowRoot) walk(n.shadowRoot); for (const kid of n.childNodes)
  if (!['STYLE', 'SCRIPT'].includes(kid.nodeName)) walk(kid) } }; walk(document.body); return out.join(' ') }"""
