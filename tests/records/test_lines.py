"""Lines that fill themselves and amounts that follow them (B4, C4), in a company whose words nothing in `crm/` knows."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from crm.errors import Missing, RecordError
from tests.shop import shops

WORDS = {
    "entities/ware.yaml": """
        entity: ware
        title: "{name}"
        owner: keeper
        fields:
          name: {type: text, required: true}
          tag: {type: money, min: 0}
          per: {type: choice, options: {piece: Piece, hour: Hour}}
          keeper: {type: user}
    """,
    "entities/tariff.yaml": """
        entity: tariff
        title: "{name}"
        fields:
          name: {type: text, required: true}
          since: {type: date}
          grade: {type: choice, options: {new: New, gold: Gold}}
          rows: {type: lines, columns: {ware: {type: link, to: ware}, tag: {type: money}}}
    """,
    "entities/quote.yaml": """
        entity: quote
        title: "{name}"
        owner: seller
        fields:
          name: {type: text, required: true}
          buyer: {type: link, to: buyer, back: quotes}
          rebate: {type: percent}
          rows:
            type: lines
            columns:
              ware: {type: link, to: ware}
              many: {type: number, default: 1}
              per: {type: choice, options: {piece: Piece, hour: Hour}, default: ware.per}
              each: {type: money, required: true, default: ware.tag, listed: {in: tariff.rows, by: ware, take: tag, newest: since, when: grade == quote.buyer.grade and since <= today}}
              off: {type: percent, default: quote.rebate}
              half: {type: money, default: each / 2}
              sum: {type: money, formula: "many * each * (1 - coalesce(off, 0%))"}
          worth: {type: money, required: true, by_hand: true, formula: "sum(rows.sum) if any(rows, sum != None) else None"}
          tax: {type: money, formula: worth * 0.2}
          seller: {type: user, default: me}
    """,
    "roles/mate.yaml": """
        role: mate
        rights: {quote: {see: all, create: true, change: all}, ware: {see: all, hide: [tag]}, buyer: {see: all}, tariff: {see: none}, hand: {see: all}}
    """,
    "roles/captain.yaml": """
        role: captain
        rights: {'*': {see: all, create: true, change: all, delete: all}, ware: {see: own}}
    """,
}


@pytest.fixture
def shop(tmp_path: Any) -> Any:
    yield from shops(tmp_path)


@pytest.fixture
def company(shop: Any) -> Any:
    return shop({}, WORDS)


@pytest.fixture
def eva(company: Any) -> Any:
    return company.door("eva")


@pytest.fixture
def saw(eva: Any) -> Any:
    return eva.create("ware", {"name": "Saw", "tag": "80", "per": "piece", "keeper": eva.actor.id})


@pytest.fixture
def work(eva: Any) -> Any:
    return eva.create("ware", {"name": "Work", "tag": "50", "per": "hour"})


def only(record: Any, number: int = 0) -> dict[str, Any]:
    return record["rows"][number]


def begun(door: Any, row: dict[str, Any], was: Any = None, changed: str = "ware", values: Any = None) -> dict[str, Any]:
    return {key: value for key, value in door.begins("quote", "rows", row, changed, was, values).items() if value is not None}


def test_a_new_line_begins_with_what_its_link_says_and_the_amount_follows(eva, saw) -> None:
    made = eva.create("quote", {"name": "A", "rebate": "10%", "rows": [{"ware": saw.id}, {"ware": saw.id, "many": "3", "each": "70", "off": "0"}]})
    assert only(made) == {
        "ware": saw.id, "many": 1, "per": "piece", "each": Decimal(80), "off": Decimal("0.1"), "half": Decimal(40), "sum": Decimal(72),
    }  # fmt: skip
    assert (only(made, 1)["each"], only(made, 1)["half"], only(made, 1)["sum"]) == (70, 35, 210)  # what was typed stays
    assert made["worth"] == 282 and made["tax"] == Decimal("56.4")


def test_what_was_emptied_stays_empty_and_old_prices_stay(eva, saw, work) -> None:
    made = eva.create("quote", {"name": "A", "rows": [{"ware": saw.id}]})
    eva.change("ware", saw.id, {"tag": "99"})
    row = {key: value for key, value in only(made).items() if key != "off"}
    made = eva.change("quote", made.id, {"rows": [{**row, "many": 2, "per": None}, {"ware": saw.id}]})
    assert only(made)["each"] == 80 and "per" not in only(made)  # the price of that day; the unit was taken out
    assert only(made, 1)["each"] == 99 and only(made, 1)["per"] == "piece"  # a second line of the same ware is a new line
    made = eva.change("quote", made.id, {"rows": [{"ware": work.id, "many": 2}]})
    assert (only(made)["each"], only(made)["per"], made["worth"]) == (50, "hour", 100)  # another ware is a new line, too


def test_the_price_list_that_applies_goes_first_and_the_newest_of_them(eva, company, saw, work) -> None:
    gold = eva.create("buyer", {"name": "Gold Ltd", "grade": "gold"})
    for name, since, tag in (("old", "2020-01-01", "60"), ("now", "2021-01-01", "65"), ("to come", "2999-01-01", "10")):
        eva.create("tariff", {"name": name, "since": since, "grade": "gold", "rows": [{"ware": saw.id, "tag": tag}]})
    eva.create("tariff", {"name": "newest without the saw", "since": "2022-01-01", "grade": "gold", "rows": [{"ware": work.id}]})
    rows = [{"ware": saw.id}, {"ware": work.id}]
    assert [row["each"] for row in eva.create("quote", {"name": "A", "buyer": gold.id, "rows": rows})["rows"]] == [65, 50]
    assert only(eva.create("quote", {"name": "B", "rows": rows}))["each"] == 80
    assert company.today() > date(2022, 1, 1)


def test_what_a_role_may_not_read_is_not_filled(company, eva, saw) -> None:
    gold = eva.create("buyer", {"name": "Gold Ltd", "grade": "gold"})
    eva.create("tariff", {"name": "T", "since": "2020-01-01", "grade": "gold", "rows": [{"ware": saw.id, "tag": "65"}]})
    anna, ben = company.door("anna"), company.door("ben")
    with pytest.raises(RecordError, match="Each is missing"):  # she reads neither the field nor the list, and it is required
        anna.create("quote", {"name": "A", "buyer": gold.id, "rows": [{"ware": saw.id}]})
    made = anna.create("quote", {"name": "A", "buyer": gold.id, "rows": [{"ware": saw.id, "each": "10"}]})
    assert only(made)["per"] == "piece" and made["worth"] == 10
    assert begun(anna, {"ware": saw.id}, values={"buyer": gold.id}) == {"many": 1, "per": "piece"}
    assert begun(ben, {"ware": saw.id}) == {"many": 1}  # the saw is not his to see
    assert begun(ben, {"ware": saw.id}, values={"buyer": gold.id})["each"] == 65  # the list is
    with pytest.raises(Missing):
        anna.begins("quote", "name", {}, "ware")


def test_an_amount_follows_until_somebody_types_another_and_again_when_emptied(eva, saw) -> None:
    made = eva.create("quote", {"name": "A", "worth": "500"})  # no lines: it is typed
    assert made["worth"] == 500 and eva.change("quote", made.id, {"name": "B"})["worth"] == 500
    made = eva.change("quote", made.id, {"rows": [{"ware": saw.id, "many": 2}]})
    assert made["worth"] == 160 and made["tax"] == 32
    made = eva.change("quote", made.id, {"worth": "150"})
    made = eva.change("quote", made.id, {"rows": [{**only(made), "many": 3}]})
    assert made["worth"] == 150 and eva.overruled("quote", made.id) == {"worth": 240}
    made = eva.change("quote", made.id, {"worth": ""})
    assert made["worth"] == 240 and eva.overruled("quote", made.id) == {}
    made = eva.change("quote", made.id, {"worth": "240", "rows": [{**only(made), "many": 4}]})  # a form sends back what was there
    assert made["worth"] == 320
    assert eva.change("quote", made.id, {"rows": []})["worth"] == 320  # nothing to add up: what is there stays


def test_both_are_in_the_history_and_taken_back_together(eva, saw) -> None:
    made = eva.create("quote", {"name": "A", "worth": "500"})
    with eva.step("lines") as step:
        eva.change("quote", made.id, {"rows": [{"ware": saw.id}]})
    assert {"rows", "worth", "tax"} <= {one.field for one in eva.history("quote", made.id) if one.step == step.id}
    eva.undo(step.id)
    made = eva.get("quote", made.id)
    assert made["rows"] is None and made["worth"] == 500
    with eva.step("by hand") as step:
        eva.change("quote", made.id, {"rows": [{"ware": saw.id}], "worth": "70"})
    assert eva.get("quote", made.id)["worth"] == 70
    eva.undo(step.id)
    assert eva.change("quote", made.id, {"rows": [{"ware": saw.id}]})["worth"] == 80  # nothing is left of what was set by hand


def test_amounts_from_before_stay_until_their_lines_change(company, eva, saw) -> None:
    """A store written before the formula was there: the amount differs from the lines, and nobody set it by hand as far as is known."""
    made = eva.create("quote", {"name": "A", "rows": [{"ware": saw.id}]})
    with company.writing(eva.actor):
        company.table("quote").update({"worth": 7000}, doc_ids=[made.id])
    company.recompute("quote")
    assert eva.get("quote", made.id)["worth"] == 70
    assert eva.change("quote", made.id, {"name": "B"})["worth"] == 70 and eva.overruled("quote", made.id) == {"worth": 80}
    eva.delete("quote", made.id)
    assert eva.restore("quote", made.id)["worth"] == 70
    assert eva.change("quote", made.id, {"rows": [{**only(made), "many": 2}]})["worth"] == 160


def test_while_typing_what_is_empty_or_came_by_itself_goes_with_the_choice(eva, saw, work) -> None:
    assert begun(eva, {"ware": saw.id}, values={"rebate": "5%", "worth": "nonsense"}) == {
        "many": 1, "per": "piece", "each": 80, "half": 40, "off": Decimal("0.05"),
    }  # fmt: skip
    first = {"ware": saw.id, "many": "2", "per": "piece", "each": "80", "half": "40"}
    assert begun(eva, {**first, "ware": work.id}, first) == {"per": "hour", "each": 50, "half": 25}  # two were typed
    typed = {**first, "each": "75"}
    assert begun(eva, typed, first, "each") == {"half": Decimal("37.5")}
    assert begun(eva, {**typed, "ware": work.id}, typed) == {"per": "hour"}  # so were the price and the half of another
    assert begun(eva, {**first, "each": ""}, first, "each") == {}  # what was emptied stays so, and half of nothing is nothing
    assert eva.begins("quote", "rows", {**first, "each": ""}, "each", first)["half"] is None
    assert begun(eva, {"ware": saw.id, "many": "lots", "each": "cheap"}) == {"per": "piece"}  # half typed, and not touched
    assert begun(eva, {"ware": 10**6, "many": 3}) == {}


def test_the_lines_of_a_record_that_is_there_begin_with_what_it_says(eva, saw) -> None:
    gold = eva.create("buyer", {"name": "Gold Ltd", "grade": "gold"})
    eva.create("tariff", {"name": "T", "since": "2020-01-01", "grade": "gold", "rows": [{"ware": saw.id, "tag": "65"}]})
    made = eva.create("quote", {"name": "A", "buyer": gold.id, "worth": 1})
    assert eva.begins("quote", "rows", {"ware": saw.id}, "ware", id=made.id)["each"] == 65
    assert eva.begins("quote", "rows", {"ware": saw.id}, "ware", values={"buyer": None}, id=made.id)["each"] == 80
