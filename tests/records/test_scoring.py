"""Scores by rules and by a model: kept current, their reasons add up, rights hold, too little history is said (B1)."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as some

from crm.errors import Missing, RecordError
from crm.records import SYSTEM, scoring

NUMBERS = some.floats(-6, 6, allow_nan=False)


@given(some.lists(NUMBERS, max_size=12), NUMBERS)
def test_the_parts_of_a_chance_add_up_to_it(weights, base):
    """Largest remainders of an exact decomposition: each part within one point of the exact one."""
    total = base + sum(weights)
    slope = (scoring.chance(total) - scoring.chance(base)) / (total - base) if abs(total - base) > 1e-9 else 0.0
    exact = [100 * scoring.chance(base), *(100 * slope * one for one in weights)]
    parts = scoring.whole(exact, scoring.percent(total))
    assert sum(parts) == scoring.percent(total)
    assert all(abs(a - b) <= 1 + 1e-6 for a, b in zip(parts, exact, strict=True))


@given(some.floats(-700, 700))
def test_a_score_is_from_0_to_100_and_grows_with_the_odds(odds):
    assert 0 <= scoring.percent(odds) <= scoring.percent(odds + 0.5) <= 100
    assert math.isclose(scoring.chance(odds), 1 - scoring.chance(-odds), abs_tol=1e-12)


@given(some.one_of(some.none(), some.integers(-50, 50), some.booleans(), some.text(max_size=5)))
def test_every_value_has_a_weight(value):
    for kind in ("number", "each", "text", "filled"):
        feature = {"path": "x", "kind": kind, "edges": [0.0, 10.0], "weights": {"": -1.0, "*": 0.5, "0": 2.0}}
        assert isinstance(scoring.weight(feature, value), float)
    assert scoring.weight({"path": "x", "kind": "each", "weights": {"": -1.0}}, None) == -1.0


@pytest.fixture
def door(demo):
    return demo.door(SYSTEM)


def score(company):
    return company.schema.scores["lead"]


def teach(company, **more):
    """A model by hand: two features, the average at 20 %."""
    features = [
        {"path": "source", "kind": "each", "weights": {"referral": 0.9, "web": -0.2, "*": -0.1}},
        {"path": "budget", "kind": "number", "edges": [1_000_000.0], "weights": {"": -0.3, "0": 0.1, "1": 0.6, "*": 0.0}},
    ]
    kept = {
        "hash": score(company).hash, "trained_on": "2026-01-01T00:00:00+00:00", "good": 60, "bad": 240, "used": True, "why": "",
        "auc": 0.7, "brier": 0.15, "brier_plain": 0.16, "intercept": math.log(0.25), "features": features, **more,
    }  # fmt: skip
    with company.store.transaction():
        company.store.meta.set("score.lead", kept)
    company.scoring.forget()
    return kept


def test_rules_add_up_and_are_kept_in_the_write(demo, door):
    one = door.create("lead", {"name": {"last": "A"}, "source": "referral", "phone": "+48 61 555 44 33"})
    assert one["score"] == 12 + 14 + 2 and one["rating"] == "warm"
    one = door.change("lead", one.id, {"budget": 9000, "impression": "hot"})
    assert one["score"] == 12 + 14 + 2 + 6 + 12 and one["rating"] == "hot"
    reasons = door.score_reasons("lead", one.id)
    assert sum(line.points for line in reasons.lines) == reasons.score == one["score"] and reasons.by == "rules"
    assert [line.text for line in reasons.lines][:2] == ["Where everybody begins", "Somebody recommended us"]


def test_it_follows_what_the_record_links_to(demo, door):
    """A rule over the company's kind: when the company becomes a customer, its leads gain; history says it was computed."""
    account = door.create("account", {"name": "Newly", "kind": "prospect"}).id
    one = door.create("lead", {"name": {"last": "A"}, "source": "web", "account": account})
    door.change("account", account, {"kind": "customer"})
    assert door.get("lead", one.id)["score"] == one["score"] + 10
    last = demo.table("lead").history(one.id)[-1]
    assert last.act == "derived" and set(last.patch) == {"score", "rating"}


def test_nobody_types_a_score(demo, door):
    with pytest.raises(RecordError):
        door.create("lead", {"name": {"last": "A"}, "source": "web", "score": 99})
    assert not {"score", "rating"} & demo.door("anna").writable("lead")


def test_a_model_takes_over_and_its_reasons_add_up_for_every_lead(demo, door):
    teach(demo)
    anna = demo.door("anna")
    for record in anna.list("lead", limit=60):
        reasons = anna.score_reasons("lead", record.id)
        assert reasons.by == "model" and sum(line.points for line in reasons.lines) == reasons.score
    one = door.create("lead", {"name": {"last": "A"}, "source": "referral", "budget": 30000})
    assert one["score"] == round(100 / (1 + math.exp(-(math.log(0.25) + 0.9 + 0.6))))
    assert door.score_reasons("lead", one.id).lines[0].points == 20
    assert {"Source: Referral", "Budget: €30,000"} <= {line.text for line in door.score_reasons("lead", one.id).lines}


@pytest.mark.parametrize(
    "kept,said",
    [
        (None, "nothing has been learned"),
        ({"used": False, "why": "few", "good": 3, "bad": 4}, "7 have ended so far, and 120 are needed"),
        ({"used": False, "why": "one_sided"}, "ended the same way"),
        ({"used": False, "why": "blind"}, "does not foretell"),
        ({"hash": "of another configuration"}, "nothing has been learned"),
    ],
)
def test_without_history_enough_the_rules_decide_and_it_says_so(demo, door, kept, said):
    if kept is not None:
        teach(demo, **kept)
    one = door.create("lead", {"name": {"last": "A"}, "source": "referral"})
    reasons = door.score_reasons("lead", one.id)
    assert reasons.by == "rules" and said in reasons.say and one["score"] == reasons.score == 26


def test_who_may_not_read_what_a_score_is_made_of_does_not_read_the_score(demo):
    demo.schema.roles["rep"].rights["lead"].hide.append("budget")
    try:
        demo.reload(demo.schema)
        anna = demo.door("anna")
        assert not {"budget", "score", "rating"} & anna.readable("lead")
        one = anna.list("lead", limit=1)[0]
        with pytest.raises(Missing):
            anna.score_reasons("lead", one.id)
    finally:
        demo.schema.roles["rep"].rights["lead"].hide.remove("budget")


def test_the_reasons_of_what_one_may_not_see_are_not_told(demo, door):
    anna, carla = demo.door("anna"), demo.door("carla")
    one = door.create("lead", {"name": {"last": "A"}, "source": "web", "owner": carla.actor.id})
    with pytest.raises(Missing):
        anna.score_reasons("lead", one.id)
    assert carla.score_reasons("lead", one.id).score == one["score"]
    with pytest.raises(Missing):
        carla.score_reasons("account", 1)
