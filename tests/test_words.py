"""Dates, numbers and money as people write and read them, in their language."""

import ast
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.errors import Refused
from crm.words import ENGLISH, Words, day_shift, flatten, fold, folded, month_shift, used

TODAY = date(2026, 11, 21)  # a Saturday
CATALOGUE = {
    "Save": "Zapisz",
    "tomorrow": "jutro",
    "today": "dziś",
    "yesterday": "wczoraj",
    "this month": "ten miesiąc",
    "{n} days here": {"one": "{n} dzień tutaj", "few": "{n} dni tutaj", "many": "{n} dni tutaj", "other": "{n} dnia tutaj"},
}
PL = Words("pl", CATALOGUE, "Europe/Warsaw", "PLN", {"entities": {"account": {"label": "Konto"}}})
DE, GB = Words("de", timezone="Europe/Berlin"), Words("en_GB")


# --- translation


def test_english_is_the_key_and_the_fallback():
    assert PL("Save") == "Zapisz"
    assert PL("Delete") == "Delete"
    assert ENGLISH("Save") == "Save"


@pytest.mark.parametrize(("n", "said"), [(1, "1 dzień tutaj"), (3, "3 dni tutaj"), (5, "5 dni tutaj"), (22, "22 dni tutaj")])
def test_plural_forms_follow_the_language(n, said):
    assert PL("{n} days here", n=n) == said


def test_english_may_have_plural_forms_too():
    t = Words("en", {"{n} days here": {"one": "{n} day here", "other": "{n} days here"}})
    assert [t("{n} days here", n=n) for n in (1, 2)] == ["1 day here", "2 days here"]


def test_values_are_written_in_the_language():
    assert PL("until {on}", on=TODAY) == "until 21 lis 2026"
    assert PL("{x} left", x=Decimal("1234.5")) == "1\xa0234,5 left"


def test_labels_of_the_configuration_have_dotted_paths():
    assert PL.label("entities.account.label", "Account") == "Konto"
    assert PL.label("entities.other.label", "Other") == "Other"
    assert flatten({"a": {"b": 1}, "c": 2}) == {"a.b": 1, "c": 2}


def test_unknown_languages_and_time_zones_do_not_fail():
    t = Words("xx", timezone="Mars/Olympus")
    assert t.locale.language == "en"
    assert t.timezone == "UTC"


# --- writing


def test_money_leaves_out_pence_that_are_not_there():
    assert PL.money(Decimal(48500)) == "48\xa0500\xa0zł"
    assert PL.money(Decimal("48500.5"), "EUR") == "48\xa0500,50\xa0€"
    assert ENGLISH.money(Decimal("1.2"), "USD") == "US$1.20"
    assert ENGLISH.money(Decimal("-3"), "EUR") == "-€3"
    assert ENGLISH.money(Decimal("2.5"), "EUR", 0) == "€3"


def test_numbers_percent_and_dates():
    assert ENGLISH.number(Decimal("1234567.891")) == "1,234,567.891"
    assert ENGLISH.percent(Decimal("0.125")) == "12.5%"
    assert PL.percent(Decimal("0.25")) == "25%"
    assert DE.percent(Decimal("0.25")) == "25\xa0%"
    assert PL.date(TODAY) == "21 lis 2026"
    assert PL.datetime(datetime(2026, 7, 1, 10, 30, tzinfo=UTC)) == "1 lip 2026, 12:30"


def test_how_long_ago():
    now = datetime(2026, 11, 21, 12, tzinfo=UTC)
    assert ENGLISH.ago(now - timedelta(hours=3), now) == "3 hours ago"
    assert ENGLISH.ago(date(2026, 11, 18), now) == "3 days ago"
    assert ENGLISH.ago(TODAY, now) == "today"
    assert PL.ago(date(2026, 11, 22), now) == "jutro"
    assert PL.ago(date(2026, 12, 5), now) == "za 2 tygodnie"


def test_durations():
    assert [ENGLISH.duration(n) for n in (0, 45, 60, 90, 1500, -30)] == ["0 min", "45 min", "1 h", "1 h 30 min", "1 d 1 h", "-30 min"]


# --- reading numbers


@pytest.mark.parametrize(
    ("text", "english", "german"),
    [
        ("1 234,56", "1234.56", "1234.56"),
        ("48.500,00", "48500", "48500"),
        ("1,234.56", "1234.56", "1234.56"),
        ("1,234", "1234", "1.234"),
        ("1.234", "1.234", "1234"),
        ("0.125", "0.125", "0.125"),
        ("1'234.5", "1234.5", "1234.5"),
        ("1.234.567", "1234567", "1234567"),
        ("-5", "-5", "-5"),
        ("−5,5", "-5.5", "-5.5"),
        ("(12)", "-12", "-12"),
        ("48k", "48000", "48000"),
        ("1,5 mln", "1500000", "1500000"),
        ("1e5", "100000", "100000"),
        (".5", "0.5", "0.5"),
        ("１２", "12", "12"),
    ],
)
def test_numbers_as_people_write_them(text, english, german):
    assert ENGLISH.parse_number(text) == Decimal(english)
    assert DE.parse_number(text) == Decimal(german)


@pytest.mark.parametrize(
    "text", ["", "abc", "1,23,4", "1.2.3,4,5", "NaN", "inf", "--5", "1 2 x", "5 apples", "9" * 40, "1e99", True, float("nan"), None, [], {}]
)
def test_what_is_no_number_is_refused(text):
    with pytest.raises(Refused):
        ENGLISH.parse_number(text)


@given(st.decimals(min_value=-(10**15), max_value=10**15, places=3))
def test_numbers_written_in_any_language_are_read_back(value):
    for t in (ENGLISH, PL, DE, Words("lt"), Words("sr_Latn")):
        text = t.number(value, 3)
        assert t.parse_number(text) == value, (t.language, text)


# --- reading dates


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-12-24", "2026-12-24"),
        ("20261224", "2026-12-24"),
        ("2026-12-24T10:00:00", "2026-12-24"),
        ("24.12.", "2026-12-24"),
        ("24.12", "2026-12-24"),
        ("24.12.26", "2026-12-24"),
        ("24. 12. 2026", "2026-12-24"),
        ("24/12/2026", "2026-12-24"),
        ("24 Dec", "2026-12-24"),
        ("Dec 24th, 2026", "2026-12-24"),
        ("24 grudnia 2026", "2026-12-24"),
        ("24 gru", "2026-12-24"),
        ("3.2.", "2027-02-03"),
        ("1.9.", "2026-09-01"),
        ("today", "2026-11-21"),
        ("Tomorrow", "2026-11-22"),
        ("jutro", "2026-11-22"),
        ("wczoraj", "2026-11-20"),
        ("fri", "2026-11-27"),
        ("Friday", "2026-11-27"),
        ("piątek", "2026-11-27"),
        ("piatek", "2026-11-27"),
        ("pt", "2026-11-27"),
        ("środa", "2026-11-25"),
        ("sat", "2026-11-28"),
        ("+2w", "2026-12-05"),
        ("-10d", "2026-11-11"),
        ("+3", "2026-11-24"),
        ("+1m", "2026-12-21"),
        ("+1y", "2027-11-21"),
        ("end of month", "2026-11-30"),
        ("eoq", "2026-12-31"),
    ],
)
def test_days_as_people_type_them(text, day):
    assert PL.parse_date(text, TODAY) == date.fromisoformat(day)


def test_slashes_are_read_in_the_order_of_the_language():
    assert Words("en-US").parse_date("3/4/2026", TODAY) == date(2026, 3, 4)
    assert ENGLISH.parse_date("3/4/2026", TODAY) == date(2026, 4, 3)
    assert GB.parse_date("3/4/2026", TODAY) == date(2026, 4, 3)


@pytest.mark.parametrize(
    "text", ["", "soon", "2026-02-30", "31.4.", "32.1.2026", "0.0.0", "99999999", "24 Foo", "+99999999d", None, 5, [], "9" * 100]
)
def test_what_is_no_day_is_refused(text):
    with pytest.raises(Refused):
        PL.parse_date(text, TODAY)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-05-01T23:30:00Z", "2026-05-01T23:30:00+00:00"),
        ("2026-05-01T23:30:00.123456+02:00", "2026-05-01T21:30:00.123+00:00"),
        ("2026-05-01T10:00:00.000+0000", "2026-05-01T10:00:00+00:00"),
        ("2026-05-01 10:00", "2026-05-01T08:00:00+00:00"),
        ("tomorrow 14:30", "2026-11-22T13:30:00+00:00"),
        ("jutro, 14:30", "2026-11-22T13:30:00+00:00"),
        ("14:30", "2026-11-21T13:30:00+00:00"),
        ("fri 2pm", "2026-11-27T13:00:00+00:00"),
        ("fri 12am", "2026-11-26T23:00:00+00:00"),
        ("24.12. 9:00", "2026-12-24T08:00:00+00:00"),
        ("24.12.2026", "2026-12-23T23:00:00+00:00"),
    ],
)
def test_moments_as_people_type_them(text, moment):
    now = datetime(2026, 11, 21, 12, tzinfo=UTC)
    assert PL.parse_datetime(text, now) == datetime.fromisoformat(moment)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("this month", "2026-11-01", "2026-11-30"),
        ("Ten miesiąc", "2026-11-01", "2026-11-30"),
        ("last month", "2026-10-01", "2026-10-31"),
        ("next quarter", "2027-01-01", "2027-03-31"),
        ("this week", "2026-11-16", "2026-11-22"),
        ("last year", "2025-01-01", "2025-12-31"),
        ("2024", "2024-01-01", "2024-12-31"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("Q3 2026", "2026-07-01", "2026-09-30"),
        ("today", "2026-11-21", "2026-11-21"),
    ],
)
def test_periods_in_words(text, first, last):
    assert PL.parse_period(text, TODAY) == (date.fromisoformat(first), date.fromisoformat(last))


def test_what_is_no_period_is_none():
    assert [PL.parse_period(text, TODAY) for text in ("24.12.2026", "", None, "13/2026", "0000")] == [None] * 5


@pytest.mark.parametrize(
    ("text", "span"), [("30", (30, "d")), ("2w", (2, "w")), ("3 miesiące", (3, "m")), ("1 rok", (1, "y")), (7, (7, "d"))]
)
def test_spans(text, span):
    assert PL.parse_span(text) == span


@pytest.mark.parametrize(
    ("text", "minutes"), [("45", 45), ("1:30", 90), ("2h 15m", 135), ("1,5 h", 90), ("2d", 2880), (30, 30), ("1 godz", 60)]
)
def test_lengths_of_time(text, minutes):
    assert PL.parse_duration(text) == minutes


ANY = st.one_of(
    st.text(max_size=60),
    st.from_regex(r"[0-9+./: -]{0,14}[a-z]{0,5}", fullmatch=True),
    st.integers(),
    st.floats(),
    st.none(),
    st.booleans(),
)


@given(ANY)
def test_no_text_breaks_a_parser(text):
    for t in (ENGLISH, PL):
        for parse in (t.parse_number, t.parse_date, t.parse_datetime, t.parse_duration, t.parse_span):
            try:
                parse(text)
            except Refused:
                pass
        t.parse_period(text)


@given(st.dates(min_value=date(1000, 1, 1)))
def test_days_written_in_short_or_medium_form_are_read_back(day):
    for t in (GB, PL, DE, Words("lt"), Words("sr_Latn")):
        assert t.parse_date(day.isoformat(), TODAY) == day
        assert t.parse_date(t.date(day, "long"), TODAY) == day, (t.language, t.date(day, "long"))


@given(st.dates(), st.integers(-100_000, 100_000))
def test_shifting_stays_within_the_calendar(day, by):
    assert date.min <= month_shift(day, by) <= date.max
    assert date.min <= day_shift(day, by * 1000) <= date.max


def test_months_are_shifted_by_the_calendar():
    assert month_shift(date(2026, 1, 31), 1) == date(2026, 2, 28)
    assert month_shift(date(2024, 2, 29), 12) == date(2025, 2, 28)
    assert month_shift(date(2026, 3, 31), -13) == date(2025, 2, 28)


def test_folding():
    assert fold("Środa.") == "sroda"
    assert folded("Straße ŁÓDŹ") == "strasse lodz"


# --- the texts of the engine


def test_every_kind_of_place_is_found(tmp_path):
    (tmp_path / "a.py").write_text(
        'from x import Refused, t\nclass P:\n    words = ("One", "Two")\n'
        'def f(t, self):\n    t("Three")\n    self.t("Four", n=1)\n    raise Refused("Fi" "ve")\n    t("Six" if f else "Seven")\n    t(f"not {f}")\n    Missing("Eight")\n    self.door.words("Ten")\n'
    )
    (tmp_path / "a.js").write_text("el(t('Nine')); x = t(\"It's\"); at('no'); t('Don\\'t', {n})")
    found = used(tmp_path)
    assert set(found) == {"One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "It's", "Don't"}
    assert found["Three"].endswith("a.py:5")


def test_the_texts_of_the_engine_are_found_and_fit_their_values():
    texts = used()
    assert "Say what to compare with." in texts
    assert "this month" in texts
    for text in texts:
        assert text == text.strip(), text
        text.format_map(Anything())


class Anything(dict):
    def __missing__(self, key):
        assert key.isidentifier(), key
        return "x"


def test_every_refusal_in_the_engine_has_a_literal_text():
    package = Path(__file__).parent.parent / "crm"
    for folder in ("fields", "expressions"):
        for file in (package / folder).glob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Refused", "Denied", "Missing"):
                    assert isinstance(node.args[0], ast.Constant), f"{file.name}:{node.lineno}"
