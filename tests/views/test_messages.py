"""What a user is told: every error becomes words, nothing of a traceback reaches the screen."""

import logging
from types import SimpleNamespace

import pytest

from crm.errors import Conflict, Denied, GateError, Missing, RecordError, Refused
from crm.views.base import Part, told
from crm.words import Words

T = Words("en")
PL = Words("pl", catalogue={"Save": "Zapisz", "{n} days": {"one": "{n} dzień", "few": "{n} dni", "many": "{n} dni", "other": "{n} dnia"}, "Not that.": "Nie to."})


@pytest.mark.parametrize(("error", "said"), [
    (Refused("Not that."), {"error": "Not that."}),
    (Denied("You may not do this."), {"error": "You may not do this."}),
    (Missing(), {"error": "There is no such record."}),
    (RecordError({"name": Refused("Not that.")}), {"error": "One field needs a look.", "problems": {"name": "Not that."}}),
    (RecordError({"a": "x", "b": "y"}), {"error": "2 fields need a look.", "problems": {"a": "x", "b": "y"}}),
    (RecordError({"": "The whole is wrong."}), {"error": "The whole is wrong.", "problems": {}}),
])
def test_refusals_are_told_in_words(error, said):
    assert told(error, T) == said


def test_a_gate_names_stage_and_missing_fields():
    answer = told(GateError(["need", "budget"], "offer"), T)
    assert answer["gate"] == {"stage": "offer", "missing": ["need", "budget"]} and set(answer["problems"]) == {"need", "budget"}


def test_a_conflict_keeps_what_was_typed():
    answer = told(Conflict(1), T)
    assert answer["conflict"] and "still here" in answer["error"]


def test_a_refusal_speaks_the_language_of_the_user():
    assert told(Refused("Not that."), PL)["error"] == "Nie to."


def test_the_unexpected_is_logged_with_a_number_and_not_told(caplog):
    with caplog.at_level(logging.ERROR, "crm.views"):
        answer = told(ZeroDivisionError("secret detail"), T)
    assert "secret" not in answer["error"] and "nothing is lost" in answer["error"]
    assert answer["fault"] in answer["error"] and answer["fault"] in caplog.text and "secret detail" in caplog.text


class Quiet(Part):
    words = ("Save", "{n} days")


def sent(part):
    out = []
    part._send_msg = out.append
    return out


def test_a_question_is_answered_by_its_number():
    part = Quiet(on={"double": lambda n: {"twice": 2 * n}})
    out = sent(part)
    part._handle_msg({"type": "double", "ask": 7, "n": 4})
    assert out == [{"twice": 8, "re": 7}]


def test_a_failing_handler_answers_and_does_not_raise():
    def fail():
        raise Refused("Not that.")
    part = Quiet(on={"fail": fail})
    out = sent(part)
    part._handle_msg({"type": "fail", "ask": 1})
    assert out == [{"error": "Not that.", "re": 1}]


def test_a_failing_order_is_told_by_the_app():
    said = []
    app = SimpleNamespace(t=T, say=lambda text, **more: said.append((text, more["tone"])))

    def fail():
        raise Denied("You may not do this.")
    part = Quiet(app=app, on={"fail": fail})
    out = sent(part)
    part._handle_msg({"type": "fail"})
    assert out == [] and said == [("You may not do this.", "bad")]


@pytest.mark.parametrize("message", [None, 3, "x", [], {}, {"type": None}, {"type": "nothing", "ask": 3}, {"type": "double", "ask": 1, "wrong": 2}])
def test_odd_messages_break_nothing(message):
    part = Quiet(on={"double": lambda n: {"twice": 2 * n}})
    sent(part)
    part._handle_msg(message)


def test_only_translated_phrases_are_sent():
    assert Quiet(t=PL).phrases == {"Save": "Zapisz", "{n} days": PL.catalogue["{n} days"]}
    assert Quiet(t=T).phrases == {}


def test_content_is_copied():
    """A list changed in place equals itself and would not be sent."""
    rows = [1]
    part = Quiet({"rows": rows})
    rows.append(2)
    assert part.content == {"rows": [1]}
    part.patch(rows=rows)
    rows.append(3)
    assert part.content == {"rows": [1, 2]}
