"""Home: today's steps with two clicks each, numbers that agree with the store, a manager's week."""

import re
from datetime import date, datetime, timedelta

from playwright.sync_api import expect
from tinydb import where


def planned(window):
    """An overdue call of the first rep, made for the test."""
    user = window.run.user("rep")
    door = window.run.company.door(user)
    account = door.list("account", "owner == me", limit=1)[0]
    record = door.create("activity", {"subject": "Ring them at last", "kind": "call", "due_on": (datetime.now() - timedelta(days=400)).isoformat(timespec="minutes"), "account": account.id})
    return door, record, account


def test_a_step_is_done_with_one_click_and_taken_back(rep):
    door, record, account = planned(rep)
    rep.goto()
    line = rep.get_by_role("listitem").filter(has_text="Ring them at last")
    expect(line).to_contain_text(account.title)
    rep.get_by_role("button", name="Done: Ring them at last").dblclick()            # once all the same
    expect(line).to_have_count(0)
    assert door.get("activity", record.id)["done_on"] is not None
    rep.ready()
    assert len([one for one in door.history("activity", record.id, derived=False) if one.field == "done_on"]) == 1
    rep.get_by_role("button", name="Undo").click()
    expect(line).to_be_visible()
    assert door.get("activity", record.id).get("done_on") is None
    rep.get_by_role("button", name="Done: Ring them at last").click()
    expect(line).to_have_count(0)


def test_a_step_is_postponed_and_a_wrong_day_is_refused_in_place(rep):
    door, record, _ = planned(rep)
    rep.goto()
    later = rep.get_by_role("button", name="Postpone: Ring them at last")
    rep.get_by_role("listitem").filter(has_text="Ring them at last").hover()
    later.click()
    box = rep.get_by_label("Pick a day")
    box.fill("somewhen")
    box.press("Enter")
    expect(rep.get_by_role("menu").get_by_role("alert")).to_be_visible()
    box.fill("+2w")
    box.press("Enter")
    expect(rep.get_by_text(re.compile("Moved to"))).to_be_visible()
    moved = door.get("activity", record.id)["due_on"]
    assert abs((moved.date() - date.today()).days - 14) <= 1
    door.delete("activity", record.id)


def test_the_pipeline_bars_are_the_sums_of_the_store(rep):
    """Counted by hand over all records of the rep, beside what the screen's sums say."""
    rep.goto()
    user = rep.run.user("rep")
    rows = [doc for doc in rep.run.company.store.table("opportunity").all() if doc.get("owner") == user and doc.get("pipeline") == "b2b" and not doc.get("deleted_on")]
    opened = [stage.key for stage in rep.run.company.schema.pipelines["b2b"].stages.values() if stage.open]
    count = sum(1 for doc in rows if doc.get("stage") in opened)
    expect(rep.get_by_role("figure", name=re.compile("Business customers|My pipeline"))).to_contain_text(f"{count} in all")
    total = sum(doc.get("amount", 0) for doc in rows if doc.get("stage") == "offer") / 100
    shown = rep.get_by_role("row", name=re.compile("^Offer")).inner_text()
    number = re.search(r"€\s?([\d.,]+)([KM]?)", shown)
    value = float(number.group(1).replace(",", "")) * {"": 1, "K": 1e3, "M": 1e6}[number.group(2)]
    assert abs(value - total) <= max(1000, total * 0.05)


def test_the_bell_counts_what_is_overdue(rep):
    door, record, _ = planned(rep)
    rep.goto()
    actor = rep.run.company.actor(rep.run.user("rep"))
    from crm.records import SYSTEM
    late = rep.run.company.door(SYSTEM).count("activity", where=[(where("owner") == actor.id) & ~where("done_on").exists(), "due_on < today"])
    name = rep.get_by_role("button", name=re.compile("overdue")).get_attribute("aria-label")
    assert int(re.search(r"\d+", name).group()) >= late > 0
    door.delete("activity", record.id)


def test_a_manager_sees_the_week_of_the_team(manager):
    manager.goto()
    for heading in ("Moved since Monday", "At risk: the expected day has passed"):
        expect(manager.get_by_text(heading)).to_be_visible()
    expect(manager.get_by_role("figure", name="This quarter")).to_be_visible()
    manager.ready()
    assert manager.errors == []
