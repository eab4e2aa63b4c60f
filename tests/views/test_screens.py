"""Pages without a browser: what the frame, home, form and administration give their parts, by the rights of the user."""

import pytest

from crm.errors import Denied, Missing
from crm.views.app import App, href
from crm.views.base import PAGES
from crm.views.frame import commands, navigation
from crm.views.steps import steps
from crm.views.text import filled, title_field


@pytest.fixture
def app(demo):
    def make(role="rep", query=""):
        users = demo.schema.users
        from crm.records import SYSTEM
        found = demo.door(SYSTEM).list(users.entity, where=f"{users.role} == '{role}'", limit=1, order=["id"])[0]
        return App(demo, demo.actor(found.id), query=query)
    return make


def test_an_address_leaves_out_what_is_empty():
    assert href(view="list", entity="x", q="", page=None, n=0) == "?view=list&entity=x&n=0"
    assert href(view="list", q="a&b=c") == "?view=list&q=a%26b%3Dc"


def test_navigation_holds_only_what_may_be_seen(app, demo):
    for role in ("rep", "marketer", "service"):
        one = app(role)
        shown = {item["match"].get("entity") for group in navigation(one) for item in group["items"] if item["match"]["view"].startswith("list")}
        linked = {link.name for group in demo.schema.navigation for link in group.links if link.view == "list"}
        assert shown == {name for name in linked if one.door.may("see", name)}


def test_of_several_boards_one_is_lit(tmp_path):
    from types import SimpleNamespace

    from crm.schema import load, shipped
    from crm.views.frame import _boards

    def match(name, pipeline):
        return _boards(SimpleNamespace(schema=load(shipped(name)), door=SimpleNamespace(may=lambda act, entity: True)), pipeline).split("|")

    assert match("nonprofit", "asking") == ["asking", ""] and match("nonprofit", "funding") == ["funding"]  # an address that names none shows the first
    assert match("sales", "b2b") == ["b2b", "b2c", ""]  # the one link to the board of opportunities


def test_what_was_deleted_can_be_restored_from_its_own_page_by_who_may(app, demo):
    from crm.records import SYSTEM

    door, users = demo.door(SYSTEM), demo.schema.users
    rep = next(one for one in door.list(users.entity, limit=200, order=["id"]) if one.get(users.role) == "rep")
    account = door.create("account", {"name": "Gone & Back", "kind": "prospect", "owner": rep.id})
    door.delete("account", account.id)
    page = f"view=record&entity=account&id={account.id}"
    admin = app("admin", page)
    assert admin.now.name == "trouble" and admin.now.body.content["restore"] and admin.now.title == "Gone & Back"
    marketer = app("marketer", page)
    assert marketer.now.name == "trouble" and not marketer.now.body.content.get("restore") and "Gone" not in str(marketer.now.body.content)
    admin.now.body.handler("restore")()
    assert admin.now.name == "record" and admin.now.record["name"] == "Gone & Back"
    assert not app("admin", "view=record&entity=account&id=999999").now.body.content.get("restore")
    door.delete("account", account.id)


def test_admin_is_denied_to_others(app):
    with pytest.raises(Denied):
        PAGES["admin"](app("rep"))


def test_admin_lists_every_user_and_every_role(app, demo):
    page = PAGES["admin"](app("admin"))
    users = demo.schema.users
    assert len(page.body.content["users"]) == len(demo.store.table(users.entity).all())
    roles = PAGES["admin"](app("admin"), tab="roles").body.content["roles"]
    assert [role["name"] for role in roles] == list(demo.schema.roles)
    assert not PAGES["admin"](app("admin"), tab="config").body.content["config"]["faults"]


def test_rights_in_words_are_the_rights(app, demo):
    roles = {role["name"]: role for role in PAGES["admin"](app("admin"), tab="roles").body.content["roles"]}
    row = next(row for row in roles["rep"]["rows"] if row["label"] == demo.schema.entities["opportunity"].plural)
    assert [act["text"] for act in row["acts"]] == ["Team", "All", "Team", "–", "Own"]
    assert "Margin" in row["hide"]


def test_a_user_is_switched_off_and_cannot_be_themselves(app, demo):
    one = app("admin")
    page = PAGES["admin"](one)
    with pytest.raises(Denied):
        page.switch(one.actor.id)


def test_the_form_has_no_hidden_field_and_fixed_ones_cannot_be_typed(app, demo):
    one = app("rep")
    record = one.door.list("opportunity", limit=1)[0]
    page = PAGES["form"](one, entity="opportunity", id=str(record.id))
    fields = {field["field"]: field for group in page.body.content["groups"] for row in group["rows"] for field in row}
    assert not set(fields) & set(demo.schema.roles["rep"].of("opportunity").hide)
    writable = one.door.writable("opportunity", record)
    for key, field in fields.items():
        assert (field["editor"]["type"] == "fixed") == (key not in writable or demo.schema.entities["opportunity"].fields[key].fixed), key


def test_the_form_refuses_hidden_fields_sent_by_hand(app):
    page = PAGES["form"](app("rep"), entity="opportunity")
    account = page.app.door.list("account", limit=1)[0]
    said = page.save({"name": "By hand", "account": account.id, "margin": "999999"})
    number = int(said["href"].split("id=")[1])
    from crm.records import SYSTEM
    assert page.app.company.door(SYSTEM).get("opportunity", number).get("margin") is None


def test_a_form_for_what_one_may_not_see_does_not_open(app, demo):
    one = app("rep")
    from crm.records import SYSTEM
    seen = set(one.door.ids("opportunity"))
    hidden = next(number for number in demo.door(SYSTEM).ids("opportunity") if number not in seen)
    with pytest.raises(Missing):
        PAGES["form"](one, entity="opportunity", id=str(hidden))
    for wrong in ("abc", "0", "-1", "99999999999999999999"):
        with pytest.raises((Missing, Denied)):
            PAGES["form"](one, entity="opportunity", id=wrong)


def test_first_values_come_from_the_address(app):
    page = PAGES["form"](app("rep"), entity="contact", job="Buyer", nonsense="x")
    fields = {field["field"]: field for group in page.body.content["groups"] for row in group["rows"] for field in row}
    assert fields["job"]["editor"]["value"] == "Buyer"


def test_steps_are_the_open_ones_of_this_user(app, demo):
    one = app("rep")
    for step in steps(one):
        record = one.door.get(step["entity"], step["id"])
        assert record.get("done_on") is None and record["owner"] == one.actor.id


def test_the_command_box_finds_no_record_out_of_sight(app, demo):
    one = app("rep")
    from crm.records import SYSTEM
    seen = set(one.door.ids("opportunity"))
    for record in demo.door(SYSTEM).list("opportunity", limit=40):
        found = [item["key"] for group in commands(one, record.title)["groups"] for item in group["items"]]
        assert (f"opportunity-{record.id}" in found) <= (record.id in seen)


def test_every_page_survives_odd_addresses(app):
    for query in ("view=form", "view=form&entity=", "view=record&entity=account&id=x", "view=home&id=1", "view=admin&tab=nothing", "view=", "view=list&entity=nothing", "%00=1&view=%FF"):
        one = app("rep", query)
        assert one.now is not None and one.body.objects


def test_titles_and_templates(app, demo):
    entity = demo.schema.entities["account"]
    assert title_field(entity) == "name"
    one = app("rep")
    assert filled("{name} · {industry} · {parent}", entity, {"name": "Ann"}, one.shown) == "Ann"


def test_pages_of_another_business_stand_too(nonprofit_store, tmp_path):
    import shutil

    from crm.records import SYSTEM, Company
    from crm.schema import load, shipped
    from crm.stores import open_store
    store = open_store(str(shutil.copy(nonprofit_store, tmp_path / "n.db")))
    company = Company(load(shipped("nonprofit")), store)
    users = company.schema.users
    for role in company.schema.roles:
        people = company.door(SYSTEM).list(users.entity, where=f"{users.role} == '{role}'", limit=1)
        if people:
            one = App(company, company.actor(people[0].id))
            assert type(one.now).name == "home"
            for name in company.schema.entities:
                if one.door.may("create", name):
                    assert PAGES["form"](one, entity=name).body.content["groups"]
    store.close()
