"""Lists asked for by an address: filters to and from it, saved views, columns, sums, and that nothing hidden can be asked for."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.errors import Missing, Refused
from crm.records import SYSTEM
from crm.views.kept import Kept
from crm.views.listing import Listing, read_filters, short_date, write_filters
from crm.views.pages.list import csv_of

WORDS = st.text(alphabet=st.characters(blacklist_categories=("Cs",)), min_size=1, max_size=12)


class Window:
    """The little of an app that a listing asks."""

    def __init__(self, company, actor):
        self.company, self.actor = company, actor
        self.door = company.door(actor)
        self.schema = company.schema
        self.t = company.schema.words("en")
        self.chosen, self.kept = {}, Kept(company)

    def preference(self, key, default=None):
        return self.chosen.get(key, default)

    def prefer(self, key, value):
        self.chosen[key] = value


@pytest.fixture
def boss(demo):
    return Window(demo, SYSTEM)


def role_window(company, role):
    users = company.schema.users
    who = next(one for one in company.door(SYSTEM).list(users.entity, limit=200, order=["id"]) if one.get(users.role) == role)
    return Window(company, company.actor(who.id))


def deals(schema):
    """The entity with a pipeline that has an amount."""
    return next(pipeline for pipeline in schema.pipelines.values() if "amount" in pipeline.fields)


@given(st.lists(st.tuples(st.sampled_from(["stage", "amount"]), st.sampled_from(["is", "over"]), WORDS), max_size=4))
def test_filters_survive_the_address(filters):
    assert read_filters(write_filters(filters)) == filters


@given(st.lists(WORDS, min_size=2, max_size=4))
def test_filters_with_several_values_survive_the_address(values):
    assert read_filters(write_filters([("stage", "any_of", values)])) == [("stage", "any_of", values)]


def test_a_filter_without_value_survives_the_address():
    assert read_filters(write_filters([("owner", "empty", None)])) == [("owner", "empty", None)]


def test_broken_addresses_are_left_out(boss):
    entity = deals(boss.schema).entity
    listing = Listing(boss, entity, {"f": "nonsense;;x:y:z;:is:1", "page": "-3", "sort": "nothing", "v": "unheard"})
    assert listing.filters == [] and listing.page == 1 and listing.view == "all"
    assert listing.records(5)


def test_a_filter_asks_the_door_for_just_that(boss):
    pipeline = deals(boss.schema)
    entity, stage = boss.schema.entities[pipeline.entity], pipeline.fields["stage"]
    first = next(iter(pipeline.stages))
    listing = Listing(boss, entity.name, {"f": f"{stage}:is:{first}"})
    by_hand = [one for one in boss.door.list(entity.name, limit=None) if one.get(stage) == first]
    assert listing.count() == len(by_hand) > 0
    assert {one.id for one in listing.records(1000)} == {one.id for one in by_hand}
    assert listing.chips() == [
        {"name": "0", "label": entity.fields[stage].label, "value": pipeline.stages[first].label_in(boss.t)}
    ]


def test_sums_are_over_all_that_matches_not_the_page(boss):
    pipeline = deals(boss.schema)
    amount = pipeline.fields["amount"]
    listing = Listing(boss, pipeline.entity, {})
    boss.prefer(listing._columns_key(), [amount])
    total = sum((one[amount] for one in boss.door.list(pipeline.entity, limit=None) if one[amount] is not None), Decimal(0))
    assert listing.sums() == {amount: boss.schema.entities[pipeline.entity].fields[amount].display(total, listing.shown)}


def test_every_tab_can_be_counted(boss):
    for entity in boss.schema.entities:
        listing = Listing(boss, entity, {})
        assert all(one["count"] is not None for one in listing.counts()), entity


def test_every_field_that_says_it_can_be_filtered_gives_an_editor_and_a_query(boss):
    for entity in boss.schema.entities.values():
        for one in Listing(boss, entity.name, {}).filter_fields():
            assert one["ops"] and all("label" in op for op in one["ops"])
            assert all((op["editor"] is None) == (op["name"] in ("empty", "filled")) for op in one["ops"]), one


def test_own_views_keep_filters_and_columns(boss):
    pipeline = deals(boss.schema)
    first = next(iter(pipeline.stages))
    listing = Listing(boss, pipeline.entity, {"f": f"{pipeline.fields['stage']}:is:{first}"})
    name = listing.save_view("My <b>view</b>")
    again = Listing(boss, pipeline.entity, {"v": name})
    assert again.count() == listing.count()
    assert [label for key, label, _ in again.view_list() if key == name] == ["My <b>view</b>"]
    again.drop_view()
    assert Listing(boss, pipeline.entity, {"v": name}).view == "all"


def test_a_kind_has_its_own_list(boss):
    """A1: each kind of an entity is listed with its own columns."""
    tried = 0
    for entity in boss.schema.entities.values():
        for key, kind in (entity.kinds.of if entity.kinds else {}).items():
            if kind.list is not None:
                listing = Listing(boss, entity.name, {"f": f"{entity.kinds.field}:is:{key}"})
                assert listing.kind == key and listing.columns == [one for one in kind.list.columns if listing.field(one)]
                tried += 1
    assert tried


def test_what_a_role_may_not_read_is_no_column_no_filter_and_no_sort(demo):
    tried = 0
    for role in demo.schema.roles.values():
        for name, rights in role.rights.items():
            if name == "*" or not rights.hide or rights.see == "none":
                continue
            window = role_window(demo, role.name)
            key = rights.hide[0]
            listing = Listing(window, name, {"f": f"{key}:filled", "sort": f"-{key}"})
            assert key not in listing.fields and listing.filters == [] and f"-{key}" not in listing.sort
            assert key not in {one["name"] for one in listing.filter_fields()}
            assert key not in {one["name"] for one in listing.column_choice()}
            with pytest.raises(Refused):
                listing.add_filter(key, "filled", None)
            with pytest.raises(Refused):
                window.door.list(name, where=f"{key} != None")
            tried += 1
    assert tried


def test_an_entity_a_role_does_not_see_is_not_there(demo):
    for role in demo.schema.roles.values():
        for name in demo.schema.entities:
            if role.of(name).see == "none":
                with pytest.raises(Missing):
                    Listing(role_window(demo, role.name), name, {})
                return
    pytest.fail("every role sees everything")


def test_exported_text_is_no_formula(boss):
    users = boss.schema.users
    record = boss.door.list(users.entity, limit=1)[0]
    boss.door.change(users.entity, record.id, {users.name: "=HYPERLINK(1)"})
    text = csv_of(boss.door, boss.schema.entities[users.entity], [record.id])
    assert text.startswith("\ufeffid,") and "'=HYPERLINK(1)" in text


def test_dates_are_short():
    from datetime import timedelta

    from crm.words import ENGLISH as t

    today = t.today()
    assert short_date(t, today) == "Today" and short_date(t, today + timedelta(days=1)) == "Tomorrow"
    assert str(today.year - 1) in short_date(t, today.replace(year=today.year - 1, day=1))
