"""What every field type promises, over the registry: a new type is tested by being there."""

import copy
import json
import math
from decimal import Decimal

import orjson
import param
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tinydb.queries import QueryInstance

from crm.errors import Refused
from crm.fields import FIELD_TYPES, OPERATORS, Setting, Shown
from crm.fields.base import COMMON
from crm.words import ENGLISH, Words

from .conftest import make_schema

PL = Words("pl", {"Yes": "Tak", "No": "Nie"}, "Europe/Warsaw", "EUR")
CONTEXTS = [Shown(ENGLISH), Shown(PL, title=lambda entity, id: f"{entity} {id}"), Shown(Words("de"), record={"pipeline": "long"})]
EDITORS = {
    "text", "textarea", "markdown", "number", "money", "percent", "date", "datetime", "duration", "check", "select", "multi", "tags", "link", "links",
    "lines", "files", "rating", "color", "address", "name", "email", "tel", "url", "fixed",
}  # fmt: skip
SCHEMA = make_schema()


def make(name, spec=None):
    cls = FIELD_TYPES[name]
    field = cls("x", {**cls.example_spec, **(spec or {})}, "deal")
    field.bind(SCHEMA)
    return field


every_type = pytest.mark.parametrize("name", list(FIELD_TYPES))


def values(name):
    """Some Python values of a type: those of its examples."""
    field = make(name)
    return field, [field.clean(typed) for typed in type(field).examples]


# --- what is said about a type


@every_type
def test_a_type_explains_itself(name):
    cls = FIELD_TYPES[name]
    assert cls.__doc__ and cls.__doc__.strip() and cls.__doc__ != FIELD_TYPES["text"].__mro__[1].__doc__
    assert cls.examples, "needs examples"
    assert cls.refuses, "needs an example of what it refuses"
    about = cls.documentation()
    assert about["name"] == name
    assert "\n" not in about["text"]
    for key, setting in cls.settings.items():
        assert isinstance(setting, Setting)
        assert setting.kind in ("text", "integer", "number", "boolean", "expression", "options", "fields", "list", "entity", "any")
        assert setting.doc
        assert key not in COMMON
    for one in make(name).operators:
        assert one in OPERATORS


@every_type
def test_examples_become_what_they_say(name):
    field = make(name)
    for typed, stored in type(field).examples.items():
        assert field.to_json(field.clean(typed)) == stored, typed


@every_type
def test_refusals_say_what_they_say(name):
    field = make(name)
    for typed, message in type(field).refuses.items():
        with pytest.raises(Refused) as caught:
            field.clean(typed)
        assert str(caught.value) == message
        assert caught.value.say(PL)


# --- the four forms of a value


@every_type
def test_values_survive_the_store(name):
    field, found = values(name)
    for value in found:
        stored = field.to_json(value)
        again = orjson.loads(orjson.dumps(stored))
        assert again == stored
        assert field.from_json(again) == value


@every_type
def test_values_survive_a_file(name):
    field, found = values(name)
    for value in found:
        text = field.to_text(value)
        assert isinstance(text, str)
        assert field.from_text(text) == value
    assert field.to_text(None) == ""


@every_type
@pytest.mark.parametrize("language", ["en", "pl", "de", "lt", "sr_Latn", "en_GB"])
def test_what_an_editor_shows_is_the_same_value_when_saved_unchanged(name, language):
    field, found = values(name)
    ctx = Shown(Words(language, timezone="Europe/Warsaw", currency="EUR"))
    for value in found:
        typed = field.typed(value, ctx)
        assert json.loads(json.dumps(typed)) == typed
        assert field.clean(typed, ctx.t) == value


@every_type
def test_a_value_cleaned_again_stays_the_same(name):
    field, found = values(name)
    for value in found:
        assert field.clean(value) == value


@every_type
@pytest.mark.parametrize("nothing", [None, "", "  \n\t ", [], (), {}], ids=repr)
def test_nothing_is_none(name, nothing):
    field = make(name)
    assert field.clean(nothing) is None
    assert field.to_json(None) is None
    assert field.from_json(None) is None
    for ctx in CONTEXTS:
        assert field.display(None, ctx) == ""
        assert field.cell(None, ctx) == ""


@every_type
@pytest.mark.parametrize("strange", ["abc", -1, 3.7, True, [1, "a", None, {}], {"a": 1}, [[]], "2026-99-99"], ids=repr)
def test_a_stored_value_of_another_type_does_not_break_reading(name, strange):
    field = make(name)
    value = field.from_json(strange)
    for ctx in CONTEXTS:
        field.display(value, ctx)
        field.cell(value, ctx)
        field.editor(value, ctx)
    field.to_text(value)


# --- showing and editing


@every_type
def test_cells_and_editors_are_json(name):
    field, found = values(name)
    for value in [None, *found]:
        for ctx in CONTEXTS:
            assert isinstance(field.display(value, ctx), str)
            cell = field.cell(value, ctx)
            assert isinstance(cell, str) or (isinstance(cell, dict) and isinstance(cell["text"], str))
            editor = field.editor(value, ctx)
            assert editor["type"] in EDITORS
            assert "value" in editor
            orjson.dumps([cell, editor])


@every_type
def test_common_settings_reach_the_editor(name):
    field = make(name, {"help": "What it is for", "placeholder": "…", "required": "true", "label": "The X"})
    editor = field.editor()
    assert field.label == "The X"
    assert field.required is True
    assert editor["required"] is True
    assert editor["hint"] == "What it is for"
    assert make(name, {"fixed": "true"}).editor()["type"] == "fixed"
    assert make(name, {"formula": "a * b"}).fixed
    t = Words("pl", labels={"entities.deal.fields.x.label": "Iks", "entities.deal.fields.x.help": "Po co"})
    assert field.label_in(t) == "Iks"
    assert field.editor(None, Shown(t))["hint"] == "Po co"


@every_type
def test_parameters_take_none_and_the_examples(name):
    field, found = values(name)
    parameter = field.parameter()
    assert isinstance(parameter, param.Parameter)
    draft = type("Draft", (param.Parameterized,), {"f_x": parameter})()
    assert draft.f_x is None
    for value in found:
        draft.f_x = value
        assert draft.f_x == value
        draft.f_x = None


@every_type
def test_values_can_be_sorted(name):
    field, found = values(name)
    if field.sortable:
        sorted((value for value in found if value is not None), key=field.sort_key)
    assert field.sort_path.split(".")[0] == "x"
    assert all(path.split(".")[0] == "x" for path in field.search_paths)


# --- filters


@every_type
def test_empty_and_filled_are_each_others_opposite(name):
    field, found = values(name)
    documents = [{}, *({"x": field.to_json(value)} for value in found)]
    assert [field.condition("empty")(document) for document in documents] == ["x" not in document for document in documents]
    assert [field.condition("filled")(document) for document in documents] == ["x" in document for document in documents]


def plain(field, op, document, operand):
    """What an operator means, said in Python over Python values: the second opinion on the query."""
    value = field.from_json(document.get("x"))
    if op == "is_not":
        return not plain(field, "any_of" if field.many else "is", document, operand)
    if value is None:
        return False
    if op == "is":
        if isinstance(value, list):
            mine = [one["id"] if isinstance(one, dict) else one for one in value]
            return all((one["id"] if isinstance(one, dict) else one) in mine for one in operand)
        if field.kind == "datetime":
            return value.date() == operand.date()  # a moment is compared by its day
        return value == operand
    if op == "any_of":
        mine = [one["id"] if isinstance(one, dict) else one for one in value] if isinstance(value, list) else [value]
        return any((one["id"] if isinstance(one, dict) else one) in mine for one in (operand if isinstance(operand, list) else [operand]))
    if field.kind == "datetime" and (op == "between" or (op in ("before", "after") and not operand.hour)):
        value, operand = value.date(), operand.date()  # an operand without a time of day is the whole day
    return (
        {"over": value > operand, "after": value > operand, "under": value < operand, "before": value < operand}[op]
        if op != "between"
        else value == operand
    )


@every_type
def test_operators_agree_with_plain_python(name):
    field, found = values(name)
    documents = [{}, *({"x": field.to_json(value)} for value in found)]
    checked = 0
    for typed, kept in zip(type(field).examples, found, strict=True):
        for op in field.operators:
            operand = kept
            if op in ("empty", "filled", "in_last", "in_next", "contains", "starts"):
                continue
            if hasattr(field, "operand_value") and field.kind != "duration" and op in ("over", "under", "between"):
                operand = field.operand_value(typed, ENGLISH)  # not rounded to what the field keeps
            query = field.condition(op, [typed, typed] if op == "between" else list(typed) if isinstance(typed, tuple) else typed)
            assert isinstance(query, QueryInstance)
            for document in documents:
                assert query(document) == plain(field, op, document, operand), (op, typed, document)
                checked += 1
    assert checked or set(field.operators) <= {"contains", "starts", "empty", "filled"}


@every_type
def test_operators_have_editors_for_what_they_compare_with(name):
    field = make(name)
    for op in field.operators:
        editor = field.operand_editor(op, CONTEXTS[0])
        assert (editor is None) == (op in ("empty", "filled"))
        orjson.dumps(editor)


@every_type
def test_a_filter_with_nothing_to_compare_or_an_unknown_operator_is_refused(name):
    field = make(name)
    for op in field.operators:
        if op not in ("empty", "filled"):
            for typed in (None, "", [], {}, object(), {"a": 1}, [None, None], [[[]]]):
                try:
                    field.condition(op, typed)({"x": 1})
                except Refused:
                    continue
                assert typed not in (None, "", []), (op, typed)
    with pytest.raises(Refused):
        field.condition("drop table", "x")


# --- hostile input

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8) | st.sampled_from(["id", "name", "first", "last", "city"]), inner, max_size=4)
    ),
    max_leaves=8,
)
ODD = st.one_of(
    JSON,
    st.text(st.characters(), max_size=80),
    st.binary(max_size=20),
    st.decimals(),
    st.dates(),
    st.datetimes(),
    st.timedeltas(),
    st.integers(min_value=10**30, max_value=10**400),
    st.from_regex(r"[+\-(]?[0-9., '’]{0,20}[%€kzł ]{0,3}\)?", fullmatch=True),
    st.sampled_from(
        [
            "\x00",
            "\ud800",
            "a\u202eb",
            "http://",
            "https://[",
            "https://[::1",
            "//",
            "@",
            "<@>",
            "+",
            "+00",
            "#",
            "1/0",
            "9" * 5000,
            "[" * 3000,
            "{",
            "[1",
            "a,b",
            ",",
            ",,,",
            '{"a"',
            "٣",
            "½",
            "１２",
        ]
    ),
    st.sampled_from([cls for name in FIELD_TYPES for cls in FIELD_TYPES[name].examples]),
)


@every_type
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(typed=ODD)
def test_anything_typed_is_cleaned_or_refused(name, typed):
    field = make(name)
    for t in (ENGLISH, PL):
        before = copy.deepcopy(typed) if isinstance(typed, (list, dict)) else typed
        try:
            value = field.clean(typed, t)
        except Refused as error:
            assert error.say(t)
            value = None
        if isinstance(typed, (list, dict)):
            assert before == typed or before != before or has_nan(before), "what was typed must not be changed"
        if value is None:
            continue
        stored = field.to_json(value)
        assert stored not in ("", [], {}, None)
        dumped = orjson.dumps(stored)  # no NaN (would be null), no surrogate, nothing that is not JSON
        assert b"null" not in dumped or "null" in str(stored)
        assert orjson.loads(dumped) == stored
        assert field.from_json(stored) == value, (typed, value, stored)
        ctx = Shown(t, title=lambda entity, id: "title")
        assert field.clean(field.typed(value, ctx), t) == value, (typed, value)
        assert field.from_text(field.to_text(value)) == value, (typed, value)
        assert "\x00" not in field.display(value, ctx)
        orjson.dumps([field.cell(value, ctx), field.editor(value, ctx)])
        field.sort_key(value)


def has_nan(value):
    if isinstance(value, float):
        return math.isnan(value)
    if isinstance(value, dict):
        return any(has_nan(one) for one in value.values())
    return isinstance(value, list) and any(has_nan(one) for one in value)


@every_type
@settings(max_examples=30, deadline=None)
@given(typed=ODD, op=st.sampled_from(list(OPERATORS)))
def test_anything_given_to_a_filter_is_a_query_or_refused(name, typed, op):
    field = make(name)
    try:
        query = field.condition(op, typed, PL)
    except Refused:
        return
    assert isinstance(query, QueryInstance)
    for stored in FIELD_TYPES[name].examples.values():
        assert query({"x": stored}) in (True, False)
    assert query({}) in (True, False)


SPEC = st.dictionaries(
    st.sampled_from(
        [
            *COMMON,
            "min",
            "max",
            "options",
            "columns",
            "with",
            "decimals",
            "currency",
            "pattern",
            "region",
            "format",
            "accept",
            "size",
            "to",
            "as",
            "unit",
            "start",
        ]
    ),
    JSON,
    max_size=5,
)


@every_type
@settings(max_examples=30, deadline=None)
@given(spec=SPEC)
def test_any_settings_make_a_field_and_what_is_wrong_is_kept_for_the_check(name, spec):
    field = FIELD_TYPES[name]("x", spec, "deal")
    field.bind(SCHEMA)
    assert all(isinstance(key, str) and isinstance(error, Refused) for key, error in field.wrong)
    try:
        field.clean("1")
    except Refused:
        pass
    field.editor()


def test_decimals_stay_exact():
    money = make("money")
    assert money.from_json(money.to_json(Decimal("0.10"))) + money.from_json(money.to_json(Decimal("0.20"))) == Decimal("0.30")
