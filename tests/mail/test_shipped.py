"""Mails that shipped automations send (B7, B12): nothing without a mail server, once with one, and an undo says that they are gone."""

from __future__ import annotations

import shutil
from datetime import datetime, time, timedelta

import pytest

from crm.records import Company, outbox
from crm.records.automation import RUNS
from crm.records.due import run_due
from crm.schema import load, shipped
from crm.stores import open_store
from crm.views.app import App
from crm.worker import sending

#: configuration, entity, who keeps it, values of a new one, days after which the automation runs
OVERDUE = [
    ("sales", "opportunity", "owner", {"name": "Two lifts", "next_step": "Send the drawing"}, "account", 3),
    ("nonprofit", "pledge", "keeper", {"name": "A new well", "next_step": "Send the drawing"}, "donor", 7),
]


@pytest.mark.parametrize("one", OVERDUE, ids=[one[0] for one in OVERDUE])
def test_an_overdue_step_is_mailed_to_whoever_promised_it(one, request, tmp_path, monkeypatch):
    config, entity, keeper, values, link, days = one
    monkeypatch.delenv("CRM_SMTP_URL", raising=False)
    store = open_store(str(shutil.copy(request.getfixturevalue("demo_store" if config == "sales" else "nonprofit_store"), tmp_path / "d.db")))
    company = Company(load(shipped(config)), store)
    users = company.schema.users
    who = next(row.doc_id for row in company.find(users.entity) if row.get("email") and company.people.actor(row.doc_id).role in ("rep", "fundraiser"))
    admin = sending.admins(company)[0]
    run_due(company, company.now())
    door = company.door(who)
    customer = door.list(company.schema.entities[entity].fields[link].to, limit=1)[0]
    records = [door.create(entity, {**values, link: customer.id, keeper: who, "next_on": company.today()}) for _ in range(2)]
    then = datetime.combine(company.today() + timedelta(days=days), time(9, 30), company.zone)
    company.clock = lambda: then
    run_due(company, then)
    mine = {one.id for one in records}
    runs = [row for row in store.table(RUNS).all() if row["automation"] == "step_overdue" and row["record"] in mine]
    assert len(runs) == 2 and all(row["did"][0]["to"] == [who] for row in runs)

    # no mail server: given up at once, kept for the admins, who are told once and not of every single one
    before = len(company.door(admin).notices(limit=200))
    while sending.send_due(company):
        pass
    rows = [row for row in store.table(outbox.OUTBOX).all() if row["payload"]["template"] == "step_overdue" and row["payload"]["id"] in mine]
    assert [(row["state"], row["tries"]) for row in rows] == [("dead", 1)] * 2 and "No mail server" in rows[0]["text"]
    assert len(company.door(admin).notices(limit=200)) == before + 1

    # a server is set: what an admin sends again goes out, the rest does not by itself
    box = request.getfixturevalue("box")
    outbox.again(company.door(admin), rows[0].doc_id)
    while sending.send_due(company):
        pass
    (mail,) = box.mails
    assert mail.to == [company.doc(users.entity, who)["email"]] and "Send the drawing" in mail.get_body().get_content()
    assert mail["Subject"].endswith(values["name"])
    store.close()


def test_an_undo_says_what_was_sent_already(demo, box, tmp_path):
    (tmp_path / "more" / "automations").mkdir(parents=True)
    (tmp_path / "more" / "crm.yaml").write_text("name: more\nextends: sales\n")
    text = "automation: told\nentity: opportunity\nwhen: {changed: next_step}\nthen: [{mail: step_overdue, to: owner}]\n"
    (tmp_path / "more" / "automations" / "told.yaml").write_text(text)
    demo.reload(load(tmp_path / "more"))
    door = demo.door("anna")
    deal = door.list("opportunity", "owner == me and stage.open", limit=1)[0]
    steps = []
    for words in ("Bring the samples", "Bring the price list"):
        with door.step("plan") as step:
            door.change("opportunity", deal.id, {"next_step": words})
        steps.append(step.id)
        if len(steps) == 1:
            while sending.send_due(demo):
                pass
    app = App(demo, demo.actor("anna"))
    assert app.undo(steps[1])["say"] == "Taken back."
    assert app.undo(steps[0])["say"] == "Taken back. Sent already, and stays sent: 1."
    assert len(box.mails) == 1 and door.get("opportunity", deal.id)["next_step"] == deal["next_step"]
    from crm.views.pages.automations import AutomationsPage

    shown = [row["text"] for row in AutomationsPage(App(demo, demo.actor(sending.admins(demo)[0])), name="told").runs("told")]
    assert sum("Sent already, and stays sent: 1." in text for text in shown) == 1 and len(shown) == 2
