"""The pool and the limit of each person: no path to a record leads past it (B2)."""

from __future__ import annotations

import shutil
import threading
from types import SimpleNamespace

import pytest

from crm.actions import ACTIONS
from crm.errors import Denied, RecordError, Refused
from crm.records import SYSTEM, Company, assignment
from crm.schema import load, shipped
from crm.stores import open_store

CAP = 3


@pytest.fixture
def desk(demo):
    """Anna may hold so many leads and holds all but one of them; one more lies in the pool, another is Bartek's, one is dropped."""
    door = demo.door(SYSTEM)
    anna, bartek = demo.actor("anna").id, demo.actor("bartek").id
    for one in demo.ids("lead"):
        record = door.get("lead", one)
        if record["owner"] == anna and record["open"]:
            door.change("lead", one, {"owner": bartek})
    door.change("user", anna, {"lead_cap": CAP})

    def lead(name, **more):
        return door.create("lead", {"name": {"last": name}, **more}).id

    held = [lead(f"Held {n}", owner=anna) for n in range(CAP - 1)]
    found = {"pool": lead("Pool"), "theirs": lead("Theirs", owner=bartek)}
    dropped = lead("Dropped", owner=anna, status="dropped", drop_reason="no_need")
    return SimpleNamespace(company=demo, door=door, anna=anna, bartek=bartek, held=held, dropped=dropped, lead=lead, **found)


def holds(desk, user=None):
    return assignment.held(desk.company, desk.company.schema.assignments["lead"], user or desk.anna)


def by_hand(desk, one):
    desk.door.change("lead", one, {"owner": desk.anna})


def create(desk, one):
    desk.lead("New", owner=desk.anna)


def bulk(desk, one):
    desk.door.bulk("lead", [one, desk.theirs], {"owner": desk.anna})


def reopen(desk, one):
    desk.door.change("lead", desk.dropped, {"status": "contacted"})


def imported(desk, one):
    from crm.intake import importing

    path = desk.folder / "Lead.csv"
    path.write_text("last,source,owner\nFrom a file,web,anna\n")
    report = importing.run(desk.door, "lead", path)
    if report.created == 0:
        raise RecordError({"owner": Refused("no room")})


def as_manager(desk, one):
    desk.company.door("marta").change("lead", one, {"owner": desk.anna})


def herself(desk, one):
    desk.company.door("anna").change("lead", one, {"owner": desk.anna})


def taking(desk, one):
    ACTIONS["take"]().run(desk.company.door("anna"), "lead", [one], {})


def best(desk, one):
    assignment.take_best(desk.company.door("anna"), "lead")


def giving(desk, one):
    done = assignment.assign(desk.door, "lead", [one], desk.anna)
    if not done.done:
        raise RecordError({"owner": Refused("no room")})


def without_gates(desk, one):
    with desk.door.step(gates=False, lenient=True):
        desk.door.change("lead", one, {"owner": desk.anna})


def restore(desk, one):
    desk.door.restore("lead", desk.deleted)


def undo(desk, one):
    done = desk.door.undo(desk.given_away)
    if not done.done:
        raise RecordError({"owner": Refused("no room")})


PATHS = [by_hand, create, bulk, reopen, imported, as_manager, herself, taking, best, giving, without_gates, restore, undo]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.__name__)
def test_the_last_place_is_given_and_no_more_whatever_the_path(desk, tmp_path, path):
    desk.folder = tmp_path
    desk.deleted = desk.lead("Deleted", owner=desk.anna)
    desk.door.delete("lead", desk.deleted)
    away = desk.lead("Given away", owner=desk.anna)
    with desk.door.step("away") as step:
        desk.door.change("lead", away, {"owner": desk.bartek})
    desk.given_away = step.id
    assert holds(desk) == CAP - 1
    if path is bulk:  # two at once do not fit into one place: none of them moves, and somebody else takes it
        with pytest.raises(RecordError):
            path(desk, desk.pool)
        assert holds(desk) == CAP - 1
        desk.lead("Full", owner=desk.anna)
    else:
        path(desk, desk.pool)
    assert holds(desk) == CAP
    fresh = desk.lead("One more")
    if path is restore:
        desk.deleted = _deleted(desk)
    if path is reopen:
        desk.dropped = desk.lead("Dropped too", owner=desk.anna, status="dropped", drop_reason="no_need")
    if path is undo:
        desk.given_away = _given_away(desk)
    with pytest.raises((RecordError, Refused)):
        path(desk, fresh)
    assert holds(desk) == CAP


def _deleted(desk):
    """A lead of Anna's that was deleted; the place is taken by another since."""
    gone = desk.company.ids("lead", desk.company.expression_query(desk.company.schema.assignments["lead"].counts, SYSTEM))
    mine = next(one for one in gone if desk.door.get("lead", one)["owner"] == desk.anna)
    desk.door.delete("lead", mine)
    desk.lead("Instead", owner=desk.anna)
    return mine


def _given_away(desk):
    mine = next(one for one in desk.company.ids("lead") if desk.door.get("lead", one)["owner"] == desk.anna and desk.door.get("lead", one)["open"])
    with desk.door.step("away") as step:
        desk.door.change("lead", mine, {"owner": desk.bartek})
    desk.lead("Instead", owner=desk.anna)
    return step.id


def test_who_is_full_may_go_on_with_what_they_have(desk):
    by_hand(desk, desk.pool)
    anna = desk.company.door("anna")
    anna.change("lead", desk.held[0], {"status": "contacted", "next_step": "Call"})
    anna.change("lead", desk.held[0], {"status": "dropped", "drop_reason": "no_need"})
    assert holds(desk) == CAP - 1
    taking(desk, desk.lead("Room again"))
    assert holds(desk) == CAP


def test_a_form_says_it_before_it_is_saved(desk):
    by_hand(desk, desk.pool)
    told = desk.company.door("marta").problems("lead", {"name": {"last": "X"}, "source": "web", "owner": desk.anna})
    assert told == {"owner": f"Anna Lindqvist holds {CAP} of {CAP} and can take no more."}


def test_two_who_take_the_last_place_at_once_do_not_both_get_it(desk, demo_store):
    """Each over a connection of their own."""
    path = desk.company.store.path
    wanted = [desk.lead(f"Wanted {n}") for n in range(6)]
    stores = [open_store(path) for _ in range(2)]
    won: list[int] = []
    ready = threading.Barrier(2)

    def run(store, mine):
        company = Company(desk.company.schema, store)
        door = company.door("anna")
        ready.wait()
        for one in mine:
            try:
                assignment.take(door, "lead", [one])
                won.append(one)
            except Refused:
                pass

    threads = [threading.Thread(target=run, args=(store, wanted[n::2])) for n, store in enumerate(stores)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    for store in stores:
        store.close()
    assert len(won) == 1 and holds(desk) == CAP


def test_what_somebody_else_took_is_no_longer_there_to_take(desk):
    one = desk.pool
    assignment.take(desk.company.door("carla"), "lead", [one])
    with pytest.raises(Refused, match="somebody was faster"):
        assignment.take(desk.company.door("bartek"), "lead", [one])


def test_many_are_given_out_as_far_as_there_is_room_and_the_rest_is_told(desk):
    door = desk.company.door("marta")
    ids = [desk.lead(f"Many {n}") for n in range(5)]
    done = assignment.assign(door, "lead", ids, desk.anna)
    assert (done.done, done.stay, done.full) == (1, 4, ["Anna Lindqvist"])
    assert done.say(door.words) == "1 assigned. 4 stay where they are: Anna Lindqvist is full."
    assert door.undo(done.step).done == 1 and holds(desk) == CAP - 1


def test_rules_go_by_territory_then_industry_then_load_and_say_who_is_full(desk):
    """The manager of the territory, else who knows the industry, else who has the most room."""
    company, door = desk.company, desk.door
    one = company.schema.assignments["lead"]
    reps = assignment.people(company, one.among)
    assert {company.actor(user).role for user in reps} == {"rep"}
    by_name = {company.people.name(user): user for user in reps}
    poland = door.list("territory", "name == 'Poland'")[0].id
    first = desk.lead("In Poland", territory=poland)
    assert assignment.choose(company, one, first, company.doc("lead", first), set()) == by_name["Bartek Zieliński"]
    door.change("user", by_name["Ewa Kalina"], {"industries": ["energy"]})
    second = desk.lead("In energy", industry="energy")
    assert assignment.choose(company, one, second, company.doc("lead", second), set()) == by_name["Ewa Kalina"]
    door.change("user", by_name["Ewa Kalina"], {"lead_cap": 0})
    least = min(reps, key=lambda user: (company.doc("user", user)["lead_cap"] == 0, holds(desk, user) / max(1, company.doc("user", user)["lead_cap"])))
    assert assignment.choose(company, one, second, company.doc("lead", second), set()) == least
    for user in reps:
        door.change("user", user, {"lead_cap": 0})
    done = assignment.assign(company.door("marta"), "lead", [first, second])
    assert done.done == 0 and done.stay == 2 and len(done.full) == len(reps)


def test_the_next_best_is_the_one_with_the_highest_score(desk):
    anna = desk.company.door("anna")
    best = anna.list("lead", "owner == None and open", order=["-score", "created_on"], limit=1)[0]
    number, done = assignment.take_best(anna, "lead")
    assert number == best.id and anna.get("lead", number)["owner"] == desk.anna and done.done == 1


def test_a_rep_sees_the_pool_and_takes_from_it_but_gives_nothing_out(desk):
    bartek = desk.company.door("bartek")
    assert bartek.get("lead", desk.pool)["owner"] is None
    assert ACTIONS["take"]().offered(bartek, "lead") and not ACTIONS["assign_by_rules"]().offered(bartek, "lead")
    marta = desk.company.door("marta")
    assert ACTIONS["assign_by_rules"]().offered(marta, "lead") and not ACTIONS["take"]().offered(marta, "lead")
    service = desk.company.door("sanja")
    assert not ACTIONS["take"]().offered(service, "lead")
    with pytest.raises((Denied, Refused)):
        assignment.take(service, "lead", [desk.pool])


def test_the_sheet_shows_load_against_limit(desk):
    asked = ACTIONS["assign"]().fields(desk.company.door("marta"), "lead", [desk.pool])[0]
    options = dict(asked.editor["options"])
    assert options[desk.anna] == f"Anna Lindqvist · {CAP - 1} of {CAP}"


def test_new_ones_are_given_out_at_once_where_the_configuration_says_so(nonprofit_store, tmp_path):
    """Newcomers of the web, one fundraiser after the other, up to fifteen each; those of the street wait in the pool."""
    store = open_store(str(shutil.copy(nonprofit_store, tmp_path / "n.db")))
    company = Company(load(shipped("nonprofit")), store)
    door = company.door(SYSTEM)
    one = company.schema.assignments["newcomers"]
    fundraisers = assignment.people(company, one.among)
    room = sum(load.room for load in assignment.loads(company, one))
    kept = [door.create("newcomer", {"name": {"last": f"N{n}"}, "met_at": "web"})["keeper"] for n in range(room + 2)]
    assert kept[:3] != [kept[0]] * 3 and set(kept[:room]) == set(fundraisers) and kept[room:] == [None, None]
    assert all(load.held == load.cap == 15 for load in assignment.loads(company, one))
    assert door.create("newcomer", {"name": {"last": "Street"}, "met_at": "street"})["keeper"] is None
    store.close()
