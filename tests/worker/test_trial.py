"""Automations tried on history: counted against another way of counting (B12)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from crm.records import SYSTEM
from crm.records.automation import RUNS
from crm.records.company import MOVES
from crm.records.trial import trial
from tests.worker.test_due import START


def test_stages_entered_are_the_moves_there_were(demo):
    moves = [row for row in demo.store.table(MOVES).all() if row["entity"] == "opportunity" and row["to"] == "offer" and row.get("deleted_on") is None]
    found = trial(demo, "offer_task")
    made_there = found.count - len(moves)
    assert {hit.id for hit in found.hits} <= {doc.doc_id for doc in demo.table("opportunity").all()}
    assert len(moves) > 50 and 0 <= made_there <= 5, (found.count, len(moves))
    since = demo.now() - timedelta(days=200)
    assert trial(demo, "offer_task", since).count == sum(datetime.fromisoformat(row["on"]) >= since for row in moves)


def test_conditions_are_asked_of_the_record_as_it_was(demo):
    """Decisions near: an offer that was open three days before its decision, counted from each record's history."""
    expected = 0
    for doc in demo.table("opportunity").all():
        values: dict = {}
        changes = demo.table("opportunity").history(doc.doc_id)
        for number, one in enumerate(changes):
            values |= {key: pair[1] for key, pair in one.patch.items()}
            if not values.get("close_on") or values["stage"] in ("won", "lost"):
                continue
            moment = datetime.combine(date.fromisoformat(values["close_on"]) - timedelta(days=3), datetime.min.time().replace(hour=8), demo.zone)
            end = datetime.fromisoformat(changes[number + 1].at) if number + 1 < len(changes) else demo.now()
            expected += datetime.fromisoformat(one.at) < moment <= end
    assert trial(demo, "decision_near").count == expected > 20


def test_a_trial_says_what_really_happened_in_the_write_and_writes_nothing(shop):
    company = shop({"dear": "entity: order\nwhen: [created, {changed: price}]\nif: price > 10 and (was.price == None or was.price <= 10)\nthen: {set: {need: dear}}"})
    door = company.door("anna")
    ids = [door.create("order", {"name": f"Ship {number}", "price": number}).id for number in range(20)]
    for one in ids[:5]:
        door.change("order", one, {"price": 11})
        door.change("order", one, {"price": 12})
    steps, runs = company.store.stats()["steps"], len(company.store.table(RUNS))
    assert trial(company, "dear").count == runs == 9 + 5
    assert company.store.stats()["steps"] == steps and len(company.store.table(RUNS)) == runs


def test_dates_silences_and_schedules_over_the_past(shop):
    company = shop(
        {
            "came": "entity: order\nwhen: {date: seen, after: 2d}\nif: urgent\nthen: {set: {note: came}}",
            "quiet": "entity: order\nwhen: {silent: 3d}\nthen: {set: {why: quiet}}",
            "week": "entity: order\nwhen: {every: week, on: friday}\nif: urgent\nthen: {set: {round: 1}}",
        }
    )
    door = company.door(SYSTEM)
    day = timedelta(days=1)
    company.clock = lambda: START + 30 * day
    with door.step("past", at=START):
        one = door.create("order", {"name": "Ship", "seen": START, "urgent": True}).id
        two = door.create("order", {"name": "Boat", "seen": START}).id
    with door.step("past", at=START + 4 * day + timedelta(hours=20)):  # Saturday: the first Friday has passed
        door.change("order", one, {"urgent": False})
    with door.step("past", at=START + 10 * day):
        door.change("order", two, {"urgent": True, "seen": START + 12 * day})
        door.create("doing", {"what": "Call", "order": two, "happened": START + 10 * day})
    assert [(hit.id, hit.at) for hit in trial(company, "came").hits] == [(two, START + 14 * day), (one, START + 2 * day)]
    assert sorted((hit.id, (hit.at - START).days) for hit in trial(company, "quiet").hits) == [(one, 3), (two, 3), (two, 13)]
    weeks = [(hit.id, hit.at.astimezone(company.zone).date().isoformat()) for hit in trial(company, "week").hits]
    assert weeks == [(two, "2026-03-27"), (two, "2026-03-20"), (two, "2026-03-13"), (one, "2026-03-06")]
    assert trial(company, "week", START + 20 * day).count == 1 and datetime.now(UTC) > START
