"""The board: moving by mouse, keys and menu, honest when refused, columns that load as they scroll."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from crm.records import SYSTEM


@pytest.fixture
def board(server):
    """A pipeline, its entity and a fresh record in its first stage."""
    schema = server.company.schema
    pipeline = next(one for one in schema.pipelines.values() if "amount" in one.fields and "next" in one.fields)
    entity = schema.entities[pipeline.entity]
    door = server.company.door(SYSTEM)
    stages = list(pipeline.stages.values())
    like = next(one for one in door.list(entity.name, limit=None) if one[entity.pipeline_field] == pipeline.name)
    needed = {key: one for key, one in like.items() if entity.fields[key].required is True and not entity.fields[key].system}
    from crm.views.text import title_field
    fill = {key: {"money": "1000", "date": "+2w"}.get(entity.fields[key].kind, "said") for key in [*stages[1].require, *stages[2].require]}
    record = door.create(entity.name, {**needed, title_field(entity): "Boardy McCard", entity.pipeline_field: pipeline.name, **fill, entity.owner: like[entity.owner]})
    yield pipeline, entity, record
    door.delete(entity.name, record.id)


def go(one, board):
    pipeline, _, record = board
    one.goto(f"view=board&pipeline={pipeline.name}&q=Boardy")
    expect(one.page.get_by_role("article", name=record.title)).to_be_visible()


def test_arrows_move_a_card_and_it_keeps_the_focus(admin, server, board):
    pipeline, entity, record = board
    stages = list(pipeline.stages.values())
    go(admin, board)
    admin.page.get_by_role("article", name=record.title).focus()
    admin.page.keyboard.press("ArrowRight")
    card = admin.page.get_by_role("region", name=stages[1].label).get_by_role("article", name=record.title)
    expect(card).to_be_focused()
    admin.until(lambda: server.company.door(SYSTEM).get(entity.name, record.id)[entity.stage_field] == stages[1].key)
    admin.ready()
    expect(card).to_be_focused()
    admin.page.get_by_role("button", name="Undo").first.click()
    expect(admin.page.get_by_role("region", name=stages[0].label).get_by_role("article", name=record.title)).to_be_visible()


def test_dragging_moves_a_card(admin, server, board):
    pipeline, entity, record = board
    stages = list(pipeline.stages.values())
    go(admin, board)
    admin.page.get_by_role("article", name=record.title).drag_to(admin.page.get_by_role("region", name=stages[1].label))
    expect(admin.page.get_by_role("region", name=stages[1].label).get_by_role("article", name=record.title)).to_be_visible()
    admin.until(lambda: server.company.door(SYSTEM).get(entity.name, record.id)[entity.stage_field] == stages[1].key)


def test_lost_asks_why_and_the_card_waits_where_it_was(admin, server, board):
    pipeline, entity, record = board
    lost = next(one for one in pipeline.stages.values() if one.outcome == "lost")
    first = next(iter(pipeline.stages.values()))
    go(admin, board)
    admin.page.get_by_role("article", name=record.title).hover()
    admin.page.get_by_role("button", name=f"Move to: {record.title}").click()
    admin.page.get_by_role("menuitem", name=lost.label).click()
    sheet = admin.page.get_by_role("dialog")
    expect(sheet).to_be_visible()
    expect(admin.page.get_by_role("region", name=first.label).get_by_role("article", name=record.title)).to_be_visible()
    admin.page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)
    expect(admin.page.get_by_role("region", name=first.label).get_by_role("article", name=record.title)).to_be_visible()
    assert server.company.door(SYSTEM).get(entity.name, record.id)[entity.stage_field] == first.key


def test_sums_of_columns_are_those_of_the_store(admin, server, board):
    pipeline, entity, _ = board
    first = next(iter(pipeline.stages.values()))
    admin.goto(f"view=board&pipeline={pipeline.name}")
    door = server.company.door(server.company.actor(server.user("admin")))
    count = sum(1 for one in door.list(entity.name, limit=None) if one[entity.stage_field] == first.key and one[entity.pipeline_field] == pipeline.name)
    expect(admin.page.get_by_role("region", name=first.label).locator("h2 .count")).to_have_text(str(count))


def test_a_long_column_loads_as_it_scrolls(admin, server, board):
    pipeline, entity, record = board
    door = server.company.door(SYSTEM)
    first = next(iter(pipeline.stages.values()))
    from crm.views.text import title_field
    keep = {key: value for key, value in record.items() if value is not None and not entity.fields[key].fixed and not entity.fields[key].system and not entity.fields[key].unique}
    with door.step("many", later=True) as step:
        for i in range(60):
            door.create(entity.name, {**keep, title_field(entity): f"Zeta {i}", entity.stage_field: first.key})
    admin.goto(f"view=board&pipeline={pipeline.name}&q=Zeta")
    column = admin.page.get_by_role("region", name=first.label)
    expect(column.locator("h2 .count")).to_have_text("60")
    expect(column.get_by_role("article")).to_have_count(25)
    column.locator("ul").evaluate("list => { list.scrollTop = list.scrollHeight }")
    expect(column.get_by_role("article")).to_have_count(50)
    door.undo(step.id)


def test_cases_stand_on_a_board_by_status_and_solving_one_asks_how(sign_in, server):
    """Records without a pipeline: the columns are the options of a choice (B10, H10)."""
    one = sign_in("service")
    door = server.company.door(SYSTEM)
    record = door.create("case", {"subject": "Boardy belt torn", "owner": server.user("service")})
    one.goto("view=list&entity=case&q=Boardy")
    one.page.get_by_role("link", name="Board", exact=True).click()
    new, work, solved = (one.page.get_by_role("region", name=name, exact=True) for name in ("New", "In work", "Solved"))
    card = new.get_by_role("article", name=record.title)
    expect(card).to_be_visible()
    card.drag_to(work)
    expect(work.get_by_role("article", name=record.title)).to_be_visible()
    one.until(lambda: door.get("case", record.id)["status"] == "in_work")
    one.ready()
    card = work.get_by_role("article", name=record.title)
    card.hover()
    card.get_by_role("button", name=f"Move to: {record.title}").click()
    one.page.get_by_role("menuitem", name="Solved").click()
    sheet = one.page.get_by_role("dialog")
    expect(sheet).to_be_visible()
    expect(card).to_be_visible()
    sheet.get_by_label("How it was solved").fill("A new belt")
    sheet.get_by_role("button", name="Move", exact=True).click()
    expect(solved.get_by_role("article", name=record.title)).to_be_visible()
    assert (door.get("case", record.id)["status"], door.get("case", record.id)["solution"]) == ("solved", "A new belt")
    expect(one.page.get_by_role("navigation", name="Main").get_by_role("link", name="Cases")).to_have_attribute("aria-current", "page")
    assert not one.errors and not one.outside
    door.delete("case", record.id)
