"""Records below each other: no circles, sums over branches, `within`; records that find where they belong (A1, A5, A6)."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.errors import RecordError
from crm.expressions import ExpressionError, parse
from crm.records import ruled
from tests.customers.conftest import opened

FIGURES = ("realm_worth", "realm", "dearest", "stone_worth")


def expected(door, house):
    """The figures of a house by walking the tree in plain Python."""
    alive = {one.id: one for one in door.list("house", limit=None)}
    branch, grown = {house}, True
    while grown:
        more = {one.id for one in alive.values() if one["lord"] in branch} - branch
        branch, grown = branch | more, bool(more)
    rows = [alive[one] for one in branch]
    worths = [row["worth"] for row in rows if row["worth"] is not None]
    stone = [row["worth"] for row in rows if row["trade"] == "stone" and row["worth"] is not None]
    return (sum(worths), len(rows), max(worths, default=None), sum(stone))


def agree(door):
    for one in door.list("house", limit=None):
        assert tuple(one[key] for key in FIGURES) == expected(door, one.id), one


ACTS = st.lists(st.tuples(st.sampled_from(["add", "move", "worth", "trade", "delete", "restore", "bulk"]), st.integers(0, 10**6)), max_size=22)


@settings(max_examples=25, deadline=None)
@given(acts=ACTS)
def test_sums_over_branches_equal_walking_the_tree(guild_schema, acts):
    company = opened(guild_schema)
    door = company.door(company.actor("ada"))
    made: list[int] = []
    gone: list[int] = []
    for act, seed in acts:
        chance = random.Random(seed)
        there = [one for one in made if one not in gone]
        try:
            if act == "add" or not there:
                lord = chance.choice(there) if there and chance.random() < 0.8 else None
                made.append(door.create("house", {"name": f"H{len(made)}", "lord": lord, "worth": chance.choice([None, 5, 70]), "trade": "stone"}).id)
            elif act == "move":
                door.change("house", chance.choice(there), {"lord": chance.choice([*there, None])})
            elif act == "worth":
                door.change("house", chance.choice(there), {"worth": chance.choice([None, 1, 10, 100])})
            elif act == "trade":
                door.change("house", chance.choice(there), {"trade": chance.choice(["stone", "wood", None])})
            elif act == "delete":
                one = chance.choice(there)
                door.delete("house", one)
                gone.append(one)
            elif act == "restore" and gone:
                door.restore("house", gone.pop())
            elif act == "bulk":
                door.bulk("house", there, {"worth": chance.choice([2, 20])})
        except RecordError as refused:
            assert "lord" in refused.problems
    agree(door)
    company.store.close()


def test_a_house_below_itself_is_refused_with_the_way_round(door):
    top = door.create("house", {"name": "Top"}).id
    middle = door.create("house", {"name": "Middle", "lord": top}).id
    low = door.create("house", {"name": "Low", "lord": middle}).id
    with pytest.raises(RecordError) as told:
        door.change("house", top, {"lord": low})
    assert str(told.value.problems["lord"]) == "It cannot lie below itself: Top → Low → Middle → Top."
    with pytest.raises(RecordError):
        door.change("house", top, {"lord": top})
    assert door.problems("house", {"lord": low}, top)["lord"].startswith("It cannot lie below itself")


def test_the_way_round_names_only_what_one_may_see(guild, door):
    fritz = guild.door(guild.actor("fritz"))
    mine = fritz.create("house", {"name": "Mine"}).id
    hidden = door.create("house", {"name": "Hidden", "lord": mine}).id
    low = fritz.create("house", {"name": "Low"}).id
    door.change("house", low, {"lord": hidden})
    with pytest.raises(RecordError) as told:
        fritz.change("house", mine, {"lord": low})
    assert "Hidden" not in str(told.value.problems["lord"]) and "…" in str(told.value.problems["lord"])


def test_a_circle_through_a_deleted_one_cannot_come_back(door):
    a = door.create("house", {"name": "A"}).id
    b = door.create("house", {"name": "B", "lord": a}).id
    c = door.create("house", {"name": "C", "lord": b}).id
    door.delete("house", b)
    with pytest.raises(RecordError):
        door.change("house", a, {"lord": c})


def test_deep_trees_have_no_end(door):
    lord = None
    for number in range(30):
        lord = door.create("house", {"name": f"H{number}", "lord": lord, "worth": 1}).id
    first = door.list("house", order=["id"], limit=1)[0]
    assert (first["realm"], first["realm_worth"]) == (30, 30)


def test_a_figure_made_of_a_hidden_one_is_hidden_over_the_branch(guild, door):
    schema = guild.schema
    schema.roles["fellow"].rights["house"].hide.append("worth")
    guild.reload(schema)
    try:
        fritz = guild.door(guild.actor("fritz"))
        assert not {"realm_worth", "dearest", "stone_worth", "rank"} & fritz.readable("house")
        assert "realm" in fritz.readable("house")
    finally:
        schema.roles["fellow"].rights["house"].hide.remove("worth")
        guild.reload(schema)


# --- within


@pytest.fixture
def shires(door):
    made = {}
    for name, above in (("North", None), ("Coast", "North"), ("Bay", "Coast"), ("South", None)):
        made[name] = door.create("shire", {"name": name, "above": made.get(above)}).id
    return made


def test_within_asks_for_a_whole_branch_in_the_store_and_in_python(guild, door, shires):
    houses = {name: door.create("house", {"name": name, "shire": one}).id for name, one in shires.items()}
    door.create("house", {"name": "Nowhere"})
    for text, names in (
        ("within(shire, 'North')", {"North", "Coast", "Bay"}),
        ("within(shire, 'Coast')", {"Coast", "Bay"}),
        (f"within(shire, {shires['South']})", {"South"}),
        ("within(shire, 'Elsewhere')", set()),
        ("not within(shire, 'North')", {"South", "Nowhere"}),
    ):
        assert {one["name"] for one in door.list("house", text, limit=None)} == names
        condition = parse(text, guild.schema.entities["house"].scope, expects="boolean")
        held = {doc["name"] for doc in guild.find("house") if condition.holds(guild.env("house", doc.doc_id, doc))}
        assert held == names
    field = guild.schema.entities["house"].fields["shire"]
    assert "within" in field.operators
    found = door.list("house", field.condition("within", shires["North"]), limit=None)
    assert {one.id for one in found} == {houses["North"], houses["Coast"], houses["Bay"]}


def test_within_is_for_trees_only(guild):
    scope = guild.schema.entities["work"].scope
    with pytest.raises(ExpressionError) as told:
        parse("within(mason, 'Otto')", scope)
    assert "tree" in told.value.mend
    assert parse("within(house, 'Stein')", scope, expects="boolean").uses == {"house", "house.lord", "house.name"}


# --- finding where one belongs


def test_a_house_finds_its_shire_by_what_the_shire_says_of_itself(door):
    land = door.create("shire", {"name": "Land", "lands": ["PL", "DE"]}).id
    coast = door.create("shire", {"name": "Coast", "lands": ["PL"], "codes": ["80", "81-7"]}).id
    bay = door.create("shire", {"name": "Bay", "lands": ["PL"], "codes": ["81-70"]}).id
    big = door.create("shire", {"name": "Big", "lands": ["DE"], "from_size": 100}).id
    door.create("shire", {"name": "Silent"})

    def shire(**values):
        return door.create("house", {"name": "H", **values})["shire"]

    assert shire(place={"country": "PL", "postcode": "30-001"}) == land
    assert shire(place={"country": "PL", "postcode": "80 123"}) == coast
    assert shire(place={"country": "PL", "postcode": "81-701"}) == bay
    assert shire(place={"country": "DE"}, size=99) == land
    assert shire(place={"country": "DE"}, size=100) == big
    assert shire(place={"country": "FR"}) is None and shire() is None


def test_it_moves_with_the_address_unless_somebody_chose_it(door):
    north = door.create("shire", {"name": "North", "lands": ["SE"]}).id
    south = door.create("shire", {"name": "South", "lands": ["IT"]}).id
    house = door.create("house", {"name": "H", "place": {"country": "SE"}})
    assert house["shire"] == north
    assert door.change("house", house.id, {"place": {"country": "IT"}})["shire"] == south
    door.change("house", house.id, {"shire": north})
    assert door.change("house", house.id, {"place": {"country": "IT", "city": "Roma"}})["shire"] == north
    assert door.change("house", house.id, {"shire": None})["shire"] == south


def test_many_are_assigned_anew_after_the_rules_changed(guild, door):
    north = door.create("shire", {"name": "North", "lands": ["SE"]}).id
    ids = [door.create("house", {"name": f"H{n}", "place": {"country": "SE"}}).id for n in range(5)]
    door.change("house", ids[0], {"shire": door.create("shire", {"name": "Own"}).id})
    door.change("shire", north, {"lands": ["NO"]})
    new = door.create("shire", {"name": "New", "lands": ["SE"]}).id
    assert ruled.again(door, "house", "shire", ids) == 4
    assert [door.get("house", one)["shire"] == new for one in ids] == [False, True, True, True, True]

    from crm.actions import ACTIONS

    action = ACTIONS["match_again"]()
    assert action.applies(guild.schema.entities["house"], guild.schema) and not action.applies(guild.schema.entities["work"], guild.schema)
    told = action.run(door, "house", ids, {})
    assert told.say == "0 assigned anew, 5 stay as they are"
