"""Days and moments in people's own words."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from crm.errors import Refused
from crm.spoken import PHRASES
from crm.words import Words

TODAY = date(2026, 11, 18)  # a Wednesday
NOW = datetime(2026, 11, 18, 15, 20, tzinfo=UTC)

DAYS = {
    "en": {
        "today": "2026-11-18", "tomorrow": "2026-11-19", "Tomorrow.": "2026-11-19", "the day after tomorrow": "2026-11-20", "day before yesterday": "2026-11-16",
        "fri": "2026-11-20", "on friday": "2026-11-20", "this fri": "2026-11-20", "next fri": "2026-11-27", "next wed": "2026-11-25", "last monday": "2026-11-16",
        "fri next week": "2026-11-27", "friday in two weeks": "2026-12-04", "wed": "2026-11-25",
        "in 3 days": "2026-11-21", "in a week": "2026-11-25", "in two weeks": "2026-12-02", "in a fortnight": "2026-12-02", "3 days": "2026-11-21",
        "2 weeks from now": "2026-12-02", "3 days ago": "2026-11-15", "a month ago": "2026-10-18", "in half a year": "2027-05-18", "+2w": "2026-12-02",
        "+ 3 days": "2026-11-21", "+2 weeks": "2026-12-02", "in 2 working days": "2026-11-20", "in 3 business days": "2026-11-23",
        "next week": "2026-11-23", "next month": "2026-12-01", "next quarter": "2027-01-01", "next year": "2027-01-01",
        "end of month": "2026-11-30", "end of next month": "2026-12-31", "beginning of next month": "2026-12-01", "mid december": "2026-12-15",
        "end of january": "2027-01-31", "end of the quarter": "2026-12-31", "by the end of the week": "2026-11-22",
        "15.6.": "2026-06-15", "15.6": "2026-06-15", "15 june": "2026-06-15", "the 15th of June": "2026-06-15", "June 15th": "2026-06-15", "fri 20.11.": "2026-11-20",
        "Friday, 20 November": "2026-11-20", "the 20th": "2026-11-20", "20th": "2026-11-20", "the 3rd": "2026-12-03", "the 5th of next month": "2026-12-05", "week 50": "2026-12-07",
    },
    "pl": {
        "jutro": "2026-11-19", "pojutrze": "2026-11-20", "wczoraj": "2026-11-17", "dzisiaj": "2026-11-18", "w piątek": "2026-11-20", "we wtorek": "2026-11-24",
        "w środę": "2026-11-25", "w przyszły piątek": "2026-11-27", "w następną sobotę": "2026-11-28", "w zeszły poniedziałek": "2026-11-16", "w tym tygodniu w piątek": None,
        "za 3 dni": "2026-11-21", "za tydzień": "2026-11-25", "za dwa tygodnie": "2026-12-02", "za miesiąc": "2026-12-18", "za 2 miesiące": "2027-01-18", "za pół roku": "2027-05-18",
        "za rok": "2027-11-18", "3 dni temu": "2026-11-15", "tydzień temu": "2026-11-11", "w przyszłym tygodniu": "2026-11-23", "w przyszłym miesiącu": "2026-12-01",
        "koniec miesiąca": "2026-11-30", "do końca miesiąca": "2026-11-30", "pod koniec przyszłego miesiąca": "2026-12-31", "piątek za tydzień": "2026-11-27",
        "15 czerwca": "2026-06-15", "15.6.": "2026-06-15", "piątek 20.11.": "2026-11-20", "za 3 dni robocze": "2026-11-23", "next fri": "2026-11-27", "za kwartał": "2027-02-18",
    },
    "sr_Latn": {
        "sutra": "2026-11-19", "prekosutra": "2026-11-20", "juče": "2026-11-17", "u petak": "2026-11-20", "sledeći petak": "2026-11-27", "za 3 dana": "2026-11-21",
        "za nedelju dana": "2026-11-25", "za dve nedelje": "2026-12-02", "sledeće nedelje": "2026-11-23", "u nedelju": "2026-11-22", "nedelja": "2026-11-22", "pre 3 dana": "2026-11-15",
        "kraj meseca": "2026-11-30", "sledećeg meseca": "2026-12-01", "krajem sledećeg meseca": "2026-12-31",
    },
    "lt": {
        "rytoj": "2026-11-19", "poryt": "2026-11-20", "vakar": "2026-11-17", "penktadienį": "2026-11-20", "kitą penktadienį": "2026-11-27", "po 3 dienų": "2026-11-21",
        "po savaitės": "2026-11-25", "po dviejų savaičių": "2026-12-02", "kitą savaitę": "2026-11-23", "kitą mėnesį": "2026-12-01", "mėnesio pabaiga": "2026-11-30", "prieš 3 dienas": "2026-11-15",
    },
}  # fmt: skip
MOMENTS = {
    "en": {
        "tomorrow 10:30": "2026-11-19 10:30", "tomorrow at 10": "2026-11-19 10:00", "tomorrow 10": "2026-11-19 10:00", "tomorrow 10.30": "2026-11-19 10:30",
        "next fri 2pm": "2026-11-27 14:00", "next fri at 2 pm": "2026-11-27 14:00", "in 3 days at 9:15": "2026-11-21 09:15", "15.6. 8:00": "2026-06-15 08:00", "at 17": "2026-11-18 17:00",
        "in 2 hours": "2026-11-18 17:20", "in half an hour": "2026-11-18 15:50", "in 45 min": "2026-11-18 16:05", "+2h": "2026-11-18 17:20", "tomorrow morning": "2026-11-19 09:00",
        "friday afternoon": "2026-11-20 14:00", "tonight": "2026-11-18 20:00", "noon": "2026-11-18 12:00", "the day after tomorrow at noon": "2026-11-20 12:00", "10:30 tomorrow": "2026-11-19 10:30",
    },
    "pl": {
        "jutro 10:30": "2026-11-19 10:30", "jutro o 10": "2026-11-19 10:00", "jutro o 10.30": "2026-11-19 10:30", "jutro rano": "2026-11-19 09:00", "w piątek po południu": "2026-11-20 14:00",
        "pojutrze w południe": "2026-11-20 12:00", "za godzinę": "2026-11-18 16:20", "za pół godziny": "2026-11-18 15:50", "za 2 godziny": "2026-11-18 17:20", "o 17": "2026-11-18 17:00",
        "w przyszły piątek o godz. 14": "2026-11-27 14:00", "dziś wieczorem": "2026-11-18 20:00", "15 czerwca o 8": "2026-06-15 08:00",
    },
    "sr_Latn": {"sutra u 10:30": "2026-11-19 10:30", "sutra u 10": "2026-11-19 10:00", "sutra ujutru": "2026-11-19 09:00", "u petak u 14": "2026-11-20 14:00", "za 2 sata": "2026-11-18 17:20"},
    "lt": {"rytoj 10:30": "2026-11-19 10:30", "rytoj 10 val.": "2026-11-19 10:00", "rytoj ryte": "2026-11-19 09:00", "penktadienį po pietų": "2026-11-20 14:00", "po 2 valandų": "2026-11-18 17:20"},
}  # fmt: skip


@pytest.mark.parametrize("language, text, day", [(lang, text, day) for lang, found in DAYS.items() for text, day in found.items() if day])
def test_a_day_in_words(language, text, day):
    assert Words(language).parse_date(text, TODAY).isoformat() == day


@pytest.mark.parametrize(
    "language, text, moment", [(lang, text, moment) for lang, found in MOMENTS.items() for text, moment in found.items()]
)
def test_a_moment_in_words(language, text, moment):
    assert Words(language).parse_datetime(text, NOW) == datetime.fromisoformat(moment).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["soon", "in", "next", "in 3", "fri 27.13.", "fri 21.11.", "tomorrow tomorrow", "in three bananas", "call tomorrow", "31 february", "week 77",
     "in 99999999 days", "", "the", "at", "ago", "half", "next next fri", "tomorrow 25:00", "tomorrow at 25", "10:30 11:30"],
)  # fmt: skip
def test_what_is_not_understood_whole_is_refused(text):
    with pytest.raises(Refused):
        Words("en").parse_date(text, TODAY)
    with pytest.raises(Refused):
        Words("pl").parse_datetime(text, NOW)


def test_a_moment_is_no_day():
    """A field that holds a day does not silently drop a time of day somebody typed."""
    for text in ("tomorrow 10:30", "in 2 hours", "noon"):
        with pytest.raises(Refused):
            Words("en").parse_date(text, TODAY)


def test_the_echo_says_what_was_understood():
    assert Words("en").echo(date(2027, 1, 5)).startswith("Tue, 5 Jan 2027 (")
    assert "10:30" in Words("pl").echo(datetime(2027, 1, 5, 10, 30, tzinfo=UTC))
    assert Words("pl").echo(Words("pl").today()).endswith("(dzisiaj)") or "(today)" in Words("pl").echo(Words("pl").today())


def test_every_language_knows_the_same_meanings():
    """Another language is another table: what one knows, all know (weekdays and months come from CLDR; `2w` is English only)."""
    wanted = {key for key in PHRASES["en"] if key not in ("2w", "o'clock", "half", "fill", "11", "12")}
    for language, known in PHRASES.items():
        assert wanted <= {*known, "tonight"}, (language, sorted(wanted - set(known)))
