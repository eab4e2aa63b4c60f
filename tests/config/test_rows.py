"""The promises of MISSION.md that the default configuration keeps first, row by row, tried over the demo company through the one door."""

from __future__ import annotations

import shutil
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from crm.errors import Denied, GateError, Missing, RecordError, Refused
from crm.records import SYSTEM, Company
from crm.schema import check, load, shipped
from crm.stores import open_store

KINDS = ("customer", "prospect", "partner", "competitor", "dealer", "distributor", "supplier")


@pytest.fixture(scope="module")
def company(demo_store, tmp_path_factory):
    """The demo company in a copy that the tests of this file write in; each makes its own records."""
    store = open_store(str(shutil.copy(demo_store, tmp_path_factory.mktemp("rows") / "demo.db")))
    yield Company(load(shipped("sales")), store)
    store.close()


@pytest.fixture
def door(company):
    """Everything, for everything."""
    return company.door(SYSTEM)


@pytest.fixture
def anna(company):
    """A rep's door: she sees what her team has."""
    return company.door(company.actor("anna"))


@pytest.fixture
def far(company, door, anna):
    """A rep of another team."""
    users = company.schema.users
    for one in door.list(users.entity, limit=None):
        actor = company.actor(one.id)
        if actor.role == "rep" and actor.team not in anna.actor.team_ids:
            return actor
    raise AssertionError("the demo has reps of one team only")


# ---- A1 ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a1_each_kind_of_account_has_its_own_fields_form_and_list(company, door, kind):
    """A1: what is kept of a kind can be filled, stands in its form, and its list shows it; other kinds' fields do not."""
    account = company.schema.entities["account"]
    own = account.kinds.of[kind]
    form = {key for rows in own.form.values() for row in rows for key in row}
    computed = {key for key in own.show if account.fields[key].computed}
    assert form == set(own.show) - computed, "its form has its fields"
    assert {*own.list.columns} & set(own.show) and own.list.columns != account.list.columns
    for other in KINDS:
        if other != kind:
            assert set(account.kinds.of[other].show) != set(own.show) and account.kinds.of[other].list.columns != own.list.columns
    values = {key: value_for(account.fields[key]) for key in own.show if account.fields[key].formula is None}
    record = door.create("account", {"name": f"A1 {kind}", "kind": kind, **values})
    assert all(record[key] is not None for key in values)
    assert record.id in [one.id for one in door.list("account", where=f"kind == '{kind}'", limit=None)]
    assert door.count("account", where=f"kind == '{kind}'") > 1 or kind in ("dealer", "distributor"), "the demo knows this kind"


def value_for(field):
    """Something that a field of an account takes."""
    if getattr(field, "options", None):
        return next(iter(field.options))
    return {"money": "100", "percent": "5%", "date": "2024-01-31", "number": "3"}.get(field.kind, "words")


def test_a1_relations_are_seen_from_both_ends(door):
    """A1: parent company, partner of, supplies, competes with: the other company shows it too."""
    one, two, three = (door.create("account", {"name": f"A1 relation {n}"}) for n in "abc")
    door.change("account", two.id, {"parent": one.id})
    subsidiaries, count = door.back("account", one.id, "subsidiaries")
    assert (count, [record.id for record in subsidiaries]) == (1, [two.id]) and door.get("account", two.id)["parent"] == one.id
    for kind in ("parent_of", "partner_of", "supplies", "competes_with"):
        relation = door.create("account_relation", {"account": one.id, "kind": kind, "other": three.id})
        here = [record.id for record in door.back("account", one.id, "relations")[0]]
        there = [record.id for record in door.back("account", three.id, "related_from")[0]]
        assert relation.id in here and relation.id in there, kind
    assert {"subsidiaries", "relations", "related_from"} <= set(door.schema.entities["account"].related), "both stand on the page"
    with pytest.raises(RecordError, match="itself"):
        door.create("account_relation", {"account": one.id, "kind": "supplies", "other": one.id})


# ---- A2 ----------------------------------------------------------------------------------------------------------------------


def test_a2_one_person_in_several_accounts_with_a_role_in_each(door):
    """A2: employed by one, adviser of another, on the board of a third; each account lists the person."""
    home, second, third = (door.create("account", {"name": f"A2 {n}"}) for n in ("home", "second", "third"))
    roles = [{"id": second.id, "role": "adviser"}, {"id": third.id, "role": "board", "since": "2024-05-01"}]
    person = door.create("contact", {"name": "Vera Antwoo", "account": home.id, "accounts": roles, "decision": "decides"})
    kept = {one["id"]: one for one in person["accounts"]}
    assert (kept[second.id]["role"], kept[third.id]["role"]) == ("adviser", "board")
    assert [one.id for one in door.back("account", home.id, "contacts")[0]] == [person.id]
    for account in (second, third):
        assert [one.id for one in door.back("account", account.id, "people")[0]] == [person.id]


def test_a2_decision_power_and_how_much_contact_each_had(door):
    """A2: decides, influences, uses, blocks; the times in touch count themselves."""
    account = door.create("account", {"name": "A2 touched"})
    people = {
        power: door.create("contact", {"name": f"Vera {power.title()}", "account": account.id, "decision": power})
        for power in ("decides", "influences", "uses", "blocks")
    }
    deciders = door.list("contact", where=f"account == {account.id} and decision == 'decides'")
    assert [one.id for one in deciders] == [people["decides"].id]
    moments = [datetime.now(UTC).replace(microsecond=0) - timedelta(days=days) for days in (9, 2)]
    for moment in moments:
        door.create("activity", {"subject": "Called", "kind": "call", "contact": people["decides"].id, "account": account.id, "done_on": moment})
    door.create("activity", {"subject": "To call", "kind": "call", "contact": people["blocks"].id, "due_on": datetime.now(UTC)})
    touched = {power: door.get("contact", one.id)["touches"] for power, one in people.items()}
    assert touched == {"decides": 2, "influences": 0, "uses": 0, "blocks": 0}, "what is only planned is no contact"
    assert door.get("contact", people["decides"].id)["last_contact"] == max(moments)
    assert door.get("account", account.id)["contacts_count"] == 4


# ---- A3 ----------------------------------------------------------------------------------------------------------------------


def test_a3_one_page_tells_all_that_happened_with_an_account(door):
    """A3: attempts with their result, cases, contracts, offers, invoices, letters, faxes, stage changes; dated, by whom, newest first."""
    account = door.create("account", {"name": "A3 whole story"})
    users = [one.id for one in door.list("user", limit=2)]
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=30)
    for day, kind in enumerate(("call", "email", "letter", "fax", "visit", "meeting")):
        values = {"subject": f"{kind} about pumps", "kind": kind, "account": account.id, "done_on": start + timedelta(days=day)}
        door.create("activity", {**values, "result": "no_answer" if kind == "call" else "done", "owner": users[0]})
    for entity in ("case", "offer", "order", "invoice", "contract"):
        fields = door.schema.entities[entity].fields
        title = next(key for key in ("subject", "name", "note") if key in fields)
        more = {"order": {"amount": "100"}, "invoice": {"amount": "100"}, "offer": {"sent_on": "today"}, "contract": {"signed_on": "today"}}
        door.create(entity, {title: f"{entity} about pumps", "account": account.id, **more.get(entity, {})})
    deal = door.create("opportunity", {"name": "Deal about pumps", "account": account.id, "next_on": "+2w", "need": "Pumps", "budget": "5000"})
    door.move("opportunity", deal.id, "qualification")
    events = door.timeline("account", account.id, limit=100)
    assert {"activity", "case", "offer", "order", "invoice", "contract"} <= {one.entity for one in events}
    assert {"call", "email", "letter", "fax", "visit", "meeting"} <= {one.kind for one in events}
    days = [one.on for one in events]
    assert days == sorted(days, reverse=True)
    call = next(one for one in events if one.kind == "call")
    assert call.who and call.result and call.on == start
    assert any("Qualification" in f"{one.title} {one.text} {one.result}" for one in events), "a stage change is told"
    assert {one.kind for one in door.timeline("account", account.id, kinds=["fax"])} == {"fax"}
    assert all("letter" in f"{one.title} {one.text} {one.kind}".casefold() for one in door.timeline("account", account.id, find="letter"))


# ---- A7 ----------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sought(company):
    """One person and one call that are looked for."""
    door = company.door(SYSTEM)
    account = door.create("account", {"name": "Quarzwerk Hintertux"})
    person = door.create(
        "contact",
        {"name": "Ottilie Brandauer", "account": account.id, "email": "o.brandauer@hintertux.example", "phone": "+43 5287 87654"},
    )
    call = door.create(
        "activity",
        {"subject": "Talked", "kind": "call", "account": account.id, "text": "She wants the gondola winch serviced before the snow."},
    )
    return {"account": account.id, "contact": person.id, "activity": call.id}


@pytest.mark.parametrize(
    ("text", "entity"),
    [
        ("Hintertux", "account"),
        ("tertu", "account"),
        ("quarzw hinter", "account"),
        ("Brandauer", "contact"),
        ("randau", "contact"),
        ("ottilie brand", "contact"),
        ("Brandaur", "contact"),
        ("Quarzwrek", "account"),
        ("o.brandauer@hintertux.example", "contact"),
        ("brandauer@hinter", "contact"),
        ("+43528787654", "contact"),
        ("+43 5287 87654", "contact"),
        ("+43 (5287) 876-54", "contact"),
        ("0043 5287 87654", "contact"),
        ("05287 87654", "contact"),
        ("5287/87654", "contact"),
        ("87654", "contact"),
        ("gondola", "activity"),
        ("winch serviced", "activity"),
        ("gondolla winch", "activity"),
    ],
)
def test_a7_everything_is_found(door, sought, text, entity):
    """A7: a fragment, an e-mail, a phone number in any writing, text inside notes, a typo."""
    hits = door.search(text, limit=10)
    assert (entity, sought[entity]) in [(hit.entity, hit.id) for hit in hits]


# ---- B4 ----------------------------------------------------------------------------------------------------------------------


def test_b4_an_opportunity_holds_all_that_selling_needs(company, door):
    """B4: name, account, value, decision date, stage, probability, product lines, need, pains, budget, preferences, competitors, next step."""
    account = door.create("account", {"name": "B4 buyer"})
    rival = door.create("account", {"name": "B4 rival", "kind": "competitor"})
    product = door.list("product", limit=1)[0]
    person = door.create("contact", {"name": "Bea Vier", "account": account.id})
    typed = {
        "name": "B4 line", "account": account.id, "amount": "48,500.00", "close_on": "2031-03-31", "need": "Pack twice as fast",
        "pains": "Two shifts by hand", "budget": "50000", "preferences": "Service within a day", "competitors": [rival.id],
        "contacts": [{"id": person.id, "role": "decides"}], "next_step": "Send the drawing", "next_on": "2031-01-15",
        "lines": [{"product": product.id, "quantity": "2", "price": "24250"}],
    }  # fmt: skip
    deal = door.get("opportunity", door.create("opportunity", typed).id)
    assert deal["amount"] == Decimal("48500") and str(deal["close_on"]) == "2031-03-31" and str(deal["next_on"]) == "2031-01-15"
    assert (deal["pipeline"], deal["stage"]) == ("b2b", "identification")
    assert deal["probability"] == Decimal("0.1") and deal["weighted"] == Decimal("4850")
    assert deal["lines"][0]["product"] == product.id and deal["lines"][0]["price"] == Decimal("24250")
    assert [one["id"] if isinstance(one, dict) else one for one in deal["competitors"]] == [rival.id]
    assert deal["contacts"][0]["role"] == "decides"
    assert all(deal[key] for key in ("need", "pains", "preferences", "budget", "next_step"))
    entity = company.schema.entities["opportunity"]
    form = {key for rows in entity.form.values() for row in rows for key in row}
    assert set(typed) | {"stage", "probability"} <= form, "all of it can be filled in the form"
    assert [one.id for one in door.back("account", account.id, "opportunities")[0]] == [deal.id]
    assert [one.id for one in door.back("account", rival.id, "competes_in")[0]] == [deal.id]


# ---- B10 ---------------------------------------------------------------------------------------------------------------------


def test_b10_board_list_and_calendar_are_the_same_deals(company, door):
    """B10: every pipeline has its board; a column's sum is that of the list's records, and a move there is a move everywhere."""
    for pipeline in company.schema.pipelines.values():
        entity = company.schema.entities[pipeline.entity]
        which = f"{entity.pipeline_field} == '{pipeline.name}'" if entity.pipeline_field else ""
        amount = pipeline.fields["amount"]
        measures = {"value": ("sum", amount), "deals": ("count", None)}
        sums = {row["by"][0]: row for row in door.aggregate(entity.name, [entity.stage_field], measures, which or None)}
        for stage in pipeline.stages:
            rows = door.list(entity.name, where=f"{which} and {entity.stage_field} == '{stage}'" if which else None, limit=None)
            assert sum((one[amount] or 0 for one in rows), Decimal(0)) == Decimal(sums.get(stage, {}).get("value") or 0), (pipeline.name, stage)
            assert len(rows) == sums.get(stage, {}).get("deals", 0)
    account = door.create("account", {"name": "B10 mover"})
    deal = door.create("opportunity", {"name": "B10 card", "account": account.id, "next_on": "2031-02-03", "close_on": "2031-02-28"})
    with pytest.raises(GateError) as refused:
        door.move("opportunity", deal.id, "qualification")
    assert list(refused.value.missing) == ["need"], "it says exactly what is missing"
    door.move("opportunity", deal.id, "qualification", {"need": "Speed"})
    assert door.list("opportunity", where=f"stage == 'qualification' and account == {account.id}")[0].id == deal.id
    assert door.list("opportunity", where=f"next_on == '2031-02-03' and account == {account.id}")[0].id == deal.id


# ---- H1 ----------------------------------------------------------------------------------------------------------------------


def test_h1_a_mistake_is_told_with_its_place_what_was_meant_and_how_to_mend_it(tmp_path):
    """H1: everything is YAML of the company's own folder; a slip in it names file, line and column, and what was meant."""
    (tmp_path / "crm.yaml").write_text("name: own\nextends: sales\n", encoding="utf-8")
    (tmp_path / "entities").mkdir()
    (tmp_path / "entities" / "opportunity.yaml").write_text(
        "entity: opportunity\nfields:\n  colour: {type: text}\n  amount: {typ: money}\n  fit: {type: percent, formula: amuont * 2}\n", encoding="utf-8"
    )
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines" / "b2b.yaml").write_text("pipeline: b2b\nstages:\n  offer: {require: [close_onn]}\n", encoding="utf-8")
    faults = check(tmp_path)
    told = {(fault.file.replace("\\", "/").rpartition("/")[2], fault.line): fault for fault in faults if fault.code.startswith("E")}
    assert {("opportunity.yaml", 4), ("opportunity.yaml", 5), ("b2b.yaml", 3)} <= set(told), [str(fault) for fault in faults]
    for place, meant in {("opportunity.yaml", 4): "type", ("opportunity.yaml", 5): "amount", ("b2b.yaml", 3): "close_on"}.items():
        fault = told[place]
        assert f"'{meant}'" in f"{fault.message} {fault.mend}" and fault.mend and fault.column > 1, str(fault)


def test_h1_a_field_a_list_and_a_report_are_a_few_lines(tmp_path):
    """H1: what a company adds in YAML is there in the engine, with no fault."""
    for folder in ("entities", "reports"):
        (tmp_path / folder).mkdir()
    (tmp_path / "crm.yaml").write_text("name: own\nextends: sales\n", encoding="utf-8")
    (tmp_path / "entities" / "account.yaml").write_text(
        "entity: account\nfields:\n  hall: {type: number, label: Floor space}\nlist: {filters: {big: hall > 1000}}\n", encoding="utf-8"
    )
    (tmp_path / "reports" / "space.yaml").write_text(
        "report: space\nlabel: Floor space\nentity: account\nby: [industry]\nmeasures: {space: sum(hall)}\nchart: {type: bars, x: industry, y: space}\n",
        encoding="utf-8",
    )
    assert [str(fault) for fault in check(tmp_path) if fault.code.startswith("E")] == []
    from crm import analytics

    own = Company(load(tmp_path), open_store(str(tmp_path / "own.db")))
    door = own.door(SYSTEM)
    for name, hall in (("Small", 300), ("Big", 2000), ("Bigger", 4000)):
        door.create("account", {"name": name, "industry": "food", "hall": hall})
    big = own.schema.entities["account"].list.filters["big"]
    assert sorted(one["name"] for one in door.list("account", where=getattr(big, "where", big))) == ["Big", "Bigger"]
    assert [row for row in analytics.run(door, "space").exact if row[1]] == [["Food", Decimal(6300)]]
    own.store.close()


# ---- H4 ----------------------------------------------------------------------------------------------------------------------


def test_h4_what_is_another_teams_is_not_there_by_any_path(company, door, anna, far):
    """H4: record rights hold in views, search, reports, export, history, timeline, titles; a colleague of the other team has it all."""
    from crm import analytics
    from crm.intake import export

    mine = company.door(far)
    account = mine.create("account", {"name": "Zwickelbach H4"})
    deal = mine.create("opportunity", {"name": "Zwickelbach order", "account": account.id, "amount": "777", "next_on": "+1w"})
    assert mine.get("opportunity", deal.id)["name"] and mine.search("Zwickelbach")
    for entity, number in (("account", account.id), ("opportunity", deal.id)):
        for read in (anna.get, anna.history, anna.timeline):
            with pytest.raises(Missing):
                read(entity, number)
        with pytest.raises((Missing, Denied)):
            anna.change(entity, number, {"name": "Mine"})
        assert anna.list(entity, where="name == 'Zwickelbach H4' or name == 'Zwickelbach order'") == []
        assert anna.titles(entity, [number]) == {}
        assert not anna.why(entity, number).allowed
        assert "Zwickelbach" not in str(export.records(anna, entity))
    assert [hit for hit in anna.search("Zwickelbach") if hit.id in (account.id, deal.id)] == []
    seen, whole = (analytics.run(one, "open_pipeline").exact[0] for one in (anna, door))
    assert seen[0] < whole[0] and seen[0] == sum(one["amount"] or 0 for one in anna.list("opportunity", where="stage.open", limit=None))
    assert "Zwickelbach order" not in anna.frame("opportunity")["name"].tolist()


def test_h4_fields_and_acts_have_rights_of_their_own(company, door, anna):
    """H4: a rep does not read the cost, cannot ask for it, may not delete or give himself a role."""
    deal = next(one for one in anna.list("opportunity", limit=None) if anna.may("change", "opportunity", one))
    door.change("opportunity", deal.id, {"cost": "12345"})
    assert "cost" not in anna.get("opportunity", deal.id) and door.get("opportunity", deal.id)["cost"] == Decimal(12345)
    assert "cost" not in {one.field for one in anna.history("opportunity", deal.id)}
    for asked in ({"where": "cost > 0"}, {"order": ["-cost"]}):
        with pytest.raises((Refused, Missing, Denied)):
            anna.list("opportunity", **asked)
    with pytest.raises((Denied, RecordError)):
        anna.change("opportunity", deal.id, {"cost": "1"})
    with pytest.raises(Denied):
        anna.delete("opportunity", deal.id)
    with pytest.raises((Denied, RecordError)):
        anna.change("user", anna.actor.id, {"role": "admin"})
    assert any("cost" in line.casefold() for line in anna.why("opportunity", deal.id, "cost").because)


# ---- H5 ----------------------------------------------------------------------------------------------------------------------


def test_h5_who_when_from_to_the_past_and_back(company, anna):
    """H5: every field's changes with who, when, from and to; the record and the list as they were; a change taken back."""
    account = anna.create("account", {"name": "H5 first name", "city": "Gdańsk"})
    time.sleep(0.01)
    before = datetime.now(UTC)
    time.sleep(0.01)
    with anna.step("Moved and renamed") as step:
        anna.change("account", account.id, {"name": "H5 second name", "city": "Gdynia"})
    change = next(one for one in anna.history("account", account.id) if one.field == "city" and one.old)
    assert (change.old, change.new, change.step) == ("Gdańsk", "Gdynia", step.id)
    assert "Anna" in str(change.who) and abs(datetime.now(UTC) - change.at) < timedelta(minutes=5)
    assert anna.get("account", account.id, as_of=before)["name"] == "H5 first name"
    assert [one["name"] for one in anna.list("account", where=f"id == {account.id}", as_of=before)] == ["H5 first name"]
    undone = anna.undo(step.id)
    assert not undone.conflicts and anna.get("account", account.id)["city"] == "Gdańsk"
    assert len([one for one in anna.history("account", account.id) if one.field == "city"]) == 3, "taking back is history too"


def test_h5_any_past_moment_of_the_demo(door):
    """H5: three years of past are there: fewer deals, other stages, at any day asked for."""
    now = datetime.now(UTC)
    counts = [door.count("opportunity", as_of=now - timedelta(days=days)) for days in (900, 600, 300, 0)]
    assert counts == sorted(counts) and 0 < counts[0] < counts[-1]
    won = door.list("opportunity", where="stage.outcome == 'won'", order=["-close_on"], limit=1)[0]
    moved = next(one for one in door.history("opportunity", won.id) if one.field == "stage" and one.new and one.old)
    earlier = door.get("opportunity", won.id, as_of=moved.at - timedelta(seconds=1))
    assert earlier["stage"] != won["stage"]
