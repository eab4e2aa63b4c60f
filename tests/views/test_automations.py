"""The page of automations: for administrators, with what ran, what would have run, what could not be sent (B12)."""

from __future__ import annotations

import pytest

from crm.errors import Denied
from crm.records import SYSTEM
from crm.records.outbox import DEAD, OUTBOX, WAITING, WITHDRAWN, again
from crm.views.app import App
from crm.views.pages.automations import AutomationsPage
from crm.worker.lease import Lease

AUTOMATIONS = {
    "offer": "label: Offer asked for\nentity: order\nwhen: {stage: [offered, sale.sold]}\nthen: [{create: doing, values: {what: \"Send {name}\", order: record}}, {notify: seller.crew.head, text: Go}]",
    "near": 'entity: order\nwhen: [{date: due, after: -3d}, {silent: 1m, since: seen}, {every: week, on: friday, at: "07:00"}, {every: month, on: last}, changed, created]\nif: urgent\nthen: {assign: seller.crew.head}',
    "fails": "entity: order\nwhen: {changed: [price, urgent]}\nif: price > 5\nthen: {set: {step: offered}}",
    "never": "off: true\nentity: order\nwhen: created\nif: price > 5\nthen: [{webhook: 'http://127.0.0.1:1/x', secret: KEY}, {set: {secret: x}, of: buyer}]",
}


def page(company, who="eva", **args):
    return AutomationsPage(App(company, company.actor(who)), **args)


def row(made, name):
    return next(one for one in made.body.content["rows"] if one["key"] == name)


def test_it_says_what_runs_in_words_and_how_often(shop):
    company = shop(AUTOMATIONS)
    ben = company.door("ben")
    ship = ben.create("order", {"name": "Ship", "need": "sea"})
    ben.move("order", ship.id, "offered")
    small = ben.create("order", {"name": "Oar"})
    ben.change("order", small.id, {"price": 9})
    made = page(company, name="offer")
    offer, fails, never = row(made, "offer"), row(made, "fails"), row(made, "never")
    assert (offer["when"], offer["then"]) == ("it enters Offered, Sold", "add Doing, tell Head (Crew)")
    assert row(made, "near")["when"] == "3 days before Due / 1 month of silence since Seen / every week: Friday, 07:00 / every month: day the last, 00:00 / something changes / one is added"
    assert (offer["runs"], offer["failed"], fails["failed"], never["off"], never["fixed"]) == ("1 in 30 days", 0, 1, True, True)
    (run,) = offer["open"]["runs"]
    assert run["title"] == "Ship" and run["text"] == "added Send Ship · told Ben" and f"id={ship.id}" in run["href"] and "open" not in fails
    made.body._on["open"](name="fails")
    (run,) = row(made, "fails")["open"]["runs"]
    assert (run["title"], run["state"]) == ("Oar", "Failed") and "need" in run["text"]


def test_a_trial_from_the_page_counts_and_links(shop):
    company = shop(AUTOMATIONS)
    ben = company.door("ben")
    for number in range(12):
        ben.create("order", {"name": f"Ship {number}", "price": number})
    made = page(company)
    made.body._on["trial"](name="never")  # also one that is switched off
    tried = row(made, "never")["open"]["trial"]
    assert "6 times" in tried["text"] and {hit["title"] for hit in tried["hits"]} == {f"Ship {n}" for n in range(6, 12)}


def test_it_switches_off_and_on_and_sends_again_or_drops(shop):
    company = shop(AUTOMATIONS)
    ben = company.door("ben")
    table = company.store.table(OUTBOX)
    for number, state in enumerate((DEAD, DEAD, WAITING)):
        table.insert({"key": str(number), "channel": "webhook", "payload": {"url": "https://erp.example/x"}, "state": state, "tries": number * 5, "due": "2026-01-01T00:00:00.000Z", "at": "2026-01-01T00:00:00.000Z", "text": "The address answered {code}: {text}", "values": {"code": "500", "text": "no"}})
    made = page(company)
    assert [(one["key"], one["dead"], one["text"]) for one in made.body.content["post"]][0][2] == "The address answered 500: no"
    made.body._on["send"](id=1)
    made.body._on["drop"](id=2)
    assert [row["state"] for row in table.all()] == [WAITING, WITHDRAWN, WAITING]
    with pytest.raises(Denied):
        again(ben, 3)
    made.body._on["switch"](name="offer")
    assert row(made, "offer")["off"] is True
    ship = ben.create("order", {"name": "Ship", "need": "sea"})
    ben.move("order", ship.id, "offered")
    assert company.door(SYSTEM).list("doing") == []
    made.body._on["switch"](name="offer")
    ben.move("order", ship.id, "sold")
    assert len(company.door(SYSTEM).list("doing")) == 1


def test_it_is_for_administrators_and_says_whether_somebody_works(shop):
    company = shop(AUTOMATIONS)
    for who in ("anna", "ben"):
        with pytest.raises(Denied):
            page(company, who)
    assert page(company).body.content["worker"]["ok"] is False
    assert Lease(company.store).take() and page(company).body.content["worker"]["ok"] is True
