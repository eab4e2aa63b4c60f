"""Errors are said in the user's language, and carry all there is to know."""

import pickle
from datetime import date

import pytest

from crm.errors import ConfigError, Conflict, Denied, Fault, GateError, Missing, RecordError, Refused
from crm.words import Words

PL = Words("pl", {"At most {max} characters.": "Najwyżej {max} znaków.", "Line {n}: {problem}": "Wiersz {n}: {problem}"})


def test_a_refused_value_is_said_in_english_and_in_the_language_asked_for():
    refused = Refused("At most {max} characters.", max=80)
    assert isinstance(refused, ValueError)
    assert str(refused) == "At most 80 characters."
    assert refused.say(PL) == "Najwyżej 80 znaków."
    assert refused.say() == "At most 80 characters."


def test_an_error_within_an_error_is_translated_too():
    inner = Refused("At most {max} characters.", max=5)
    outer = Refused("Line {n}: {problem}", n=2, problem=inner)
    assert str(outer) == "Line 2: At most 5 characters."
    assert outer.say(PL) == "Wiersz 2: Najwyżej 5 znaków."


def test_values_of_users_are_never_read_as_templates():
    assert str(Refused("'{text}' is wrong.", text="{0.__class__} {oops}")) == "'{0.__class__} {oops}' is wrong."
    assert str(Refused("{missing} stays", other=1)) == "{missing} stays"


def test_dates_in_messages_are_written_in_the_language():
    assert str(Refused("Not before {min}.", min=date(2026, 12, 24))) == "Not before 2026-12-24."
    assert Refused("Not before {min}.", min=date(2026, 12, 24)).say(Words("pl")) == "Not before 24 gru 2026."


def test_a_record_error_tells_all_fields_at_once():
    error = RecordError({"name": Refused("At most {max} characters.", max=3), "": "The dates do not fit."})
    assert str(error) == "name: At most 3 characters.; The dates do not fit."
    assert error.say(PL) == {"name": "Najwyżej 3 znaków.", "": "The dates do not fit."}


def test_a_gate_says_what_is_missing_and_for_which_stage():
    error = GateError(["need", "budget"], "offer", {"amount": Refused("At least {min}.", min=1)})
    assert isinstance(error, RecordError)
    assert error.missing == ["need", "budget"]
    assert error.stage == "offer"
    assert set(error.problems) == {"need", "budget", "amount"}


def test_what_is_missing_and_what_is_hidden_sound_the_same():
    assert str(Missing()) == "There is no such record."
    assert isinstance(Missing(), LookupError)
    assert isinstance(Denied(), PermissionError)


def test_faults_are_told_in_the_order_of_files_and_lines():
    second = Fault("unknown-key", "b.yaml", 1, 1, "no key is called 'x' here.")
    first = Fault("unknown-key", "a.yaml", 14, 7, "no key is called 'requird' here. Did you mean 'required'?", "Write required.")
    error = ConfigError([second, first])
    assert error.faults == [first, second]
    assert str(error).splitlines()[0] == "a.yaml:14:7: no key is called 'requird' here. Did you mean 'required'?"
    assert str(error).splitlines()[1].strip() == "Write required."
    assert list(first.as_dict()) == ["code", "file", "line", "column", "message", "mend"]


@pytest.mark.parametrize(
    "error",
    [Refused("{a}!", a=1), GateError(["x"], "won"), RecordError({"a": "b"}), Missing(), Denied("No."), Conflict(3, {"a": 1}, {"a": 2})],
)
def test_errors_survive_pickling(error):
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
