"""Days and moments in people's own words: `tomorrow 10:30`, `next fri`, `in 3 days`, `za dwa tygodnie`, `petak u 14`, `po savaitės`.

A phrase is first turned into tokens that mean the same in every language (`PHRASES`), then read by one grammar. Another language
is another table. What is not understood whole is not understood at all: nothing is guessed from half a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from crm.days import day_shift, days_in_month, month_shift, nearest, shifted


class Token(NamedTuple):
    """One word of a phrase: `kind` is day, weekday, month, unit, rel, in, ago, num, nth, edge, clock, part, at, now, date or fill."""

    kind: str
    value: Any = None


#: What a word means. Numbers are those that stand before a unit; `day` counts from today, `rel` from the present period.
_MEANING: dict[str, Token] = {
    "today": Token("day", 0), "tomorrow": Token("day", 1), "overmorrow": Token("day", 2), "yesterday": Token("day", -1),
    "ereyesterday": Token("day", -2), "tonight": Token("tonight"), "now": Token("now"),
    "next": Token("rel", 1), "this": Token("rel", 0), "last": Token("rel", -1), "in": Token("in"), "ago": Token("ago"),
    "d": Token("unit", "d"), "w": Token("unit", "w"), "2w": Token("unit", "2w"), "m": Token("unit", "m"), "q": Token("unit", "q"),
    "y": Token("unit", "y"), "h": Token("unit", "h"), "min": Token("unit", "min"),
    "start": Token("edge", "start"), "middle": Token("edge", "middle"), "end": Token("edge", "end"),
    "morning": Token("part", time(9)), "noon": Token("part", time(12)), "afternoon": Token("part", time(14)),
    "evening": Token("part", time(18)), "midnight": Token("part", time(0)), "at": Token("at"), "o'clock": Token("oclock"),
    "half": Token("half"), "workday": Token("unit", "wd"), "fill": Token("fill"),
    **{f"weekday{n}": Token("weekday", n) for n in range(7)}, **{f"month{n}": Token("month", n) for n in range(1, 13)},
    **{str(n): Token("num", n) for n in range(1, 13)},
}  # fmt: skip

#: Language → meaning → the ways to say it, folded (lower case, no accents). Names of days and months come from CLDR besides.
PHRASES: dict[str, dict[str, str]] = {
    "en": {
        "today": "today|tod", "tomorrow": "tomorrow|tom|tmrw|tmr", "overmorrow": "day after tomorrow|the day after tomorrow|in two days time",
        "yesterday": "yesterday", "ereyesterday": "day before yesterday|the day before yesterday", "tonight": "tonight", "now": "now|right now",
        "next": "next|following|coming|the next", "this": "this", "last": "last|past|previous", "in": "in|after|within", "ago": "ago|before now|back",
        "d": "d|day|days", "w": "w|wk|wks|week|weeks", "2w": "fortnight|fortnights", "m": "month|months|mo|mos", "q": "quarter|quarters",
        "y": "y|yr|yrs|year|years", "h": "h|hr|hrs|hour|hours", "min": "min|mins|minute|minutes",
        "workday": "workday|workdays|working day|working days|business day|business days",
        "start": "start of|beginning of|begin of|early|start|beginning", "middle": "middle of|mid|mid of", "end": "end of|late|end of the|end|by the end of",
        "morning": "morning|in the morning|this morning", "noon": "noon|midday|lunchtime", "afternoon": "afternoon|in the afternoon",
        "evening": "evening|in the evening|eod|end of day", "midnight": "midnight", "at": "at|@", "o'clock": "o'clock|oclock",
        "half": "half an|half a|half", "1": "a|an|one", "2": "two|a couple of|couple of", "3": "three|a few", "4": "four", "5": "five", "6": "six", "7": "seven",
        "8": "eight", "9": "nine", "10": "ten", "11": "eleven", "12": "twelve",
        "fill": "on|the|of|by|until|till|from now|from today|time|and|around|about|s",
    },
    "pl": {
        "today": "dzis|dzisiaj", "tomorrow": "jutro|jutra", "overmorrow": "pojutrze", "yesterday": "wczoraj", "ereyesterday": "przedwczoraj",
        "tonight": "dzis wieczorem|dzisiaj wieczorem", "now": "teraz",
        "next": "przyszly|przyszla|przysza|przyszle|przyszlym|przyszlego|przyszlej|nastepny|nastepna|nastepne|nastepnym|nastepnego|nastepnej|kolejny|kolejna",
        "this": "ten|ta|to|tym|tego|te|biezacy|biezacego", "last": "zeszly|zeszla|zeszle|zeszlym|zeszlego|ostatni|ostatnia|ostatnim|poprzedni|ubiegly|ubieglym",
        "in": "za|po uplywie|w ciagu", "ago": "temu", "d": "dzien|dni|dnia|doba", "w": "tydzien|tygodnie|tygodni|tygodnia|tygodniu|tyg",
        "m": "miesiac|miesiace|miesiecy|miesiaca|miesiacu|mies", "q": "kwartal|kwartaly|kwartalu|kwartalow", "y": "rok|lata|lat|roku|r",
        "h": "godz|godzine|godziny|godzin|godzina", "min": "minut|minuty|minute|minuta", "workday": "dzien roboczy|dni robocze|dni roboczych|dnia roboczego",
        "start": "poczatek|poczatku|na poczatku|z poczatkiem", "middle": "polowa|polowie|w polowie|srodek", "end": "koniec|konca|pod koniec|do konca|na koniec|koncem|z koncem",
        "morning": "rano|z rana|przed poludniem", "noon": "poludnie|w poludnie|w samo poludnie", "afternoon": "popoludniu|po poludniu|popoludnie",
        "evening": "wieczor|wieczorem|pod wieczor", "midnight": "polnoc|o polnocy", "at": "o|o godz|o godzinie|godz|godzina|na godzine|na",
        "half": "pol|pol godziny temu", "1": "jeden|jedna|jedno", "2": "dwa|dwie|pare", "3": "trzy|kilka", "4": "cztery", "5": "piec", "6": "szesc", "7": "siedem",
        "8": "osiem", "9": "dziewiec", "10": "dziesiec", "11": "jedenascie", "12": "dwanascie",
        "weekday0": "poniedzialku|pon|pn", "weekday1": "wtorku|wt", "weekday2": "srode|srody|sr", "weekday3": "czwartku|czw", "weekday4": "piatku|pt",
        "weekday5": "sobote|soboty|sob", "weekday6": "niedziele|niedzieli|niedz|nd",
        "fill": "w|we|do|dnia|okolo|ok|od dzis|od dzisiaj|od teraz|i",
    },
    "sr": {
        "today": "danas", "tomorrow": "sutra", "overmorrow": "prekosutra", "yesterday": "juce", "ereyesterday": "prekjuce", "tonight": "veceras", "now": "sada|sad",
        "next": "sledeci|sledece|sledeceg|sledecu|sledeca|iduci|iduce|iduceg|iducu|naredni|naredne|narednog|narednu",
        "this": "ovaj|ove|ovog|ovu|ova", "last": "prosli|prosle|proslog|proslu|prosla", "in": "za|kroz", "ago": "pre",
        "d": "dan|dana|dani", "w": "nedelju dana|sedmica|sedmice|sedmicu", "m": "mesec|meseca|meseci|mesec dana", "q": "kvartal|kvartala|tromesecje",
        "y": "godina|godine|godinu|godinu dana|god", "h": "sat|sata|sati|h", "min": "minut|minuta|minuta", "workday": "radni dan|radna dana|radnih dana",
        "start": "pocetak|pocetkom|na pocetku", "middle": "sredina|sredinom", "end": "kraj|krajem|do kraja|na kraju", "morning": "ujutru|ujutro|pre podne|prepodne",
        "noon": "podne|u podne", "afternoon": "popodne|po podne", "evening": "uvece|vece", "midnight": "ponoc|u ponoc", "at": "u|oko", "half": "pola",
        "1": "jedan|jednu|jedna", "2": "dva|dve", "3": "tri", "4": "cetiri", "5": "pet", "6": "sest", "7": "sedam", "8": "osam", "9": "devet", "10": "deset", "11": "jedanaest", "12": "dvanaest",
        "weekday0": "ponedeljka|pon", "weekday1": "utorka|uto", "weekday2": "sredu|srede|sre", "weekday3": "cetvrtka|cet", "weekday4": "petka", "weekday5": "subotu|subote|sub",
        "weekday6": "nedelju|ned", "week_or_sunday": "nedelja|nedelje", "fill": "do|i|od danas",
    },
    "lt": {
        "today": "siandien", "tomorrow": "rytoj", "overmorrow": "poryt", "yesterday": "vakar", "ereyesterday": "uzvakar", "tonight": "siandien vakare|sivakar", "now": "dabar",
        "next": "kitas|kita|kito|kitos|kitais|kitiems|ateinanti|ateinancia", "this": "sis|si|sia|sio|sios", "last": "praejes|praejusi|praejusia|praeito", "in": "po|uz", "ago": "pries",
        "d": "diena|dienos|dienu|dienas", "w": "savaite|savaites|savaiciu", "m": "menuo|menesis|menesio|menesiai|menesiu|menesi|menesius", "q": "ketvirtis|ketvircio|ketvirti",
        "y": "metai|metu|metus|metais", "h": "valanda|valandos|valandu|valandas", "min": "minute|minutes|minuciu", "workday": "darbo diena|darbo dienos|darbo dienu",
        "start": "pradzia|pradzioje", "middle": "vidurys|viduryje|viduri", "end": "pabaiga|pabaigoje|galas|iki pabaigos", "morning": "ryte|ryta|is ryto", "noon": "vidurdienis|vidurdieni|per pietus",
        "afternoon": "po pietu|popiet", "evening": "vakare", "midnight": "vidurnaktis|vidurnakti", "at": "apie", "o'clock": "val|valanda", "half": "puse|pusvalandzio",
        "1": "vienas|viena|vieno|vienos", "2": "du|dvi|dvieju", "3": "trys|triju|tris", "4": "keturi|keturios|keturiu|keturis|keturias", "5": "penki|penkios|penkiu", "6": "sesi|sesiu", "7": "septyni|septyniu",
        "8": "astuoni|astuoniu", "9": "devyni|devyniu", "10": "desimt|desimties",
        "weekday0": "pirmadieni|pirmadienio", "weekday1": "antradieni|antradienio", "weekday2": "treciadieni|treciadienio", "weekday3": "ketvirtadieni|ketvirtadienio",
        "weekday4": "penktadieni|penktadienio", "weekday5": "sestadieni|sestadienio", "weekday6": "sekmadieni|sekmadienio", "fill": "iki|d|ir",
    },
}  # fmt: skip

_WORD = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|[0-9]{1,2}\s?[./-]\s?[0-9]{1,2}(?:\s?[./-]\s?[0-9]{2,4})?\.?(?![0-9:])"
                   r"|[0-9]{1,2}[:.][0-9]{2}(?::[0-9]{2})?|[+-]\s?[0-9]+|[0-9]+|[^\W\d_]+(?:'[^\W\d_]+)?|@|\S")  # fmt: skip


@lru_cache(maxsize=16)
def phrases(language: str) -> dict[tuple[str, ...], Token]:
    """Every phrase of a language and of English as words → what it means; the language's own come first."""
    found: dict[tuple[str, ...], Token] = {}
    for code in dict.fromkeys((language.replace("-", "_").split("_")[0], "en")):
        for meaning, said in PHRASES.get(code, {}).items():
            token = _MEANING.get(meaning, Token(meaning))
            for phrase in said.split("|"):
                found.setdefault(tuple(phrase.split()), token)
    return found


def tokens(
    text: str, language: str, weekdays: dict[str, int], months: dict[str, int], numbered: Callable[[str], date | None]
) -> list[Token] | None:
    """A folded phrase as tokens, fillers left out; None when a word means nothing."""
    known, longest = phrases(language), 5
    words = _WORD.findall(text)
    made: list[Token] = []
    at = 0
    while at < len(words):
        for length in range(min(longest, len(words) - at), 0, -1):
            token = known.get(tuple(words[at : at + length]))
            if token is not None:
                made.append(token)
                at += length
                break
        else:
            word, at = words[at], at + 1
            token = _plain(word, weekdays, months, numbered, bool(made) and made[-1].kind in ("at", "day", "date"), words[at : at + 1])
            if token is None:
                return None
            if token.kind in ("nth", "meridiem"):  # its second half: `15 th`, `2 pm`
                at += 1
            made.append(token)
    return made


def _plain(
    word: str,
    weekdays: dict[str, int],
    months: dict[str, int],
    numbered: Callable[[str], date | None],
    after_at: bool,
    coming: list[str],
) -> Token | None:
    if word in weekdays:
        return Token("weekday", weekdays[word])
    if word in months:
        return Token("month", months[word])
    if word in (",", ".", ";", "-", "–"):
        return Token("fill")
    clock = re.fullmatch(r"([0-9]{1,2})([:.])([0-9]{2})(?::[0-9]{2})?", word)
    if clock and (clock[2] == ":" or after_at):
        return _time(int(clock[1]), int(clock[3]))
    if re.fullmatch(r"[0-9]{1,4}\s?[./-].*", word):
        day = numbered(word)
        return Token("date", day) if day else None
    if re.fullmatch(r"[0-9]+", word):
        number = int(word)
        if coming[:1] in (["am"], ["pm"], ["a.m"], ["p.m"]) and 1 <= number <= 12:
            made = _time(number % 12 + (12 if coming[0].startswith("p") else 0), 0)
            return Token("meridiem", made.value) if made else None
        if coming[:1] in (["st"], ["nd"], ["rd"], ["th"], ["."]) and 1 <= number <= 31:
            return Token("nth", number)
        return Token("num", number)
    if word[0] in "+-" and len(word) > 1:
        return Token("plus" if word[0] == "+" else "minus", int(word[1:]))
    return None


def _time(hour: int, minute: int) -> Token | None:
    return Token("clock", time(hour, minute)) if hour < 24 and minute < 60 else None


def read(found: list[Token] | None, now: datetime) -> tuple[date | None, time | None, datetime | None]:
    """`(day, time of day, exact moment)` of a phrase; all None when it is not understood. The moment is set for hours and minutes."""
    nothing = (None, None, None)
    if not found:
        return nothing
    today = now.date()
    clock: time | None = None
    rest: list[Token] = []
    for token in found:
        if token.kind in ("fill", "oclock"):
            continue
        if token.kind == "tonight":
            rest.append(Token("day", 0))
            clock = clock or time(20)
        elif token.kind in ("clock", "part", "meridiem"):
            if clock is not None and token.kind != "part":
                return nothing
            clock = clock or token.value
        else:
            rest.append(token)
    # an hour alone: behind `at`, or at the end behind a day
    kinds = [one.kind for one in rest]
    if "at" in kinds:
        place = len(kinds) - 1 - kinds[::-1].index("at")
        if (
            place + 1 < len(rest)
            and rest[place + 1].kind == "num"
            and clock is None
            and rest[place + 1].value < 24
            and _no_unit(rest, place + 2)
        ):
            clock = time(rest[place + 1].value)
            del rest[place : place + 2]
        rest = [one for one in rest if one.kind != "at"]
    elif clock is None and len(rest) > 1 and kinds[-1] == "num" and kinds[-2] in ("day", "date") and rest[-1].value < 24:
        clock = time(rest.pop().value)
    elif any(one.kind == "oclock" for one in found) and rest and rest[-1].kind == "num" and rest[-1].value < 24:
        clock = time(rest.pop().value)
    if not rest:
        return (today, clock, None) if clock is not None else nothing
    kinds = [one.kind for one in rest]
    if kinds == ["now"]:
        return today, None, now
    moment = _hours(rest, now) if clock is None else None
    if moment is not None:
        return moment.date(), None, moment
    day = _day(rest, kinds, today)
    return (day, clock, None) if day else nothing


def _no_unit(rest: list[Token], place: int) -> bool:
    return not (place < len(rest) and rest[place].kind in ("unit", "month"))


def _amount(rest: list[Token]) -> tuple[int, float, str] | None:
    """`(sign, count, unit)` of `in 3 days`, `a week ago`, `+2 weeks`, `half an hour`; None when it is none."""
    sign, count, unit = 0, 1.0, ""
    for number, token in enumerate(rest):
        match token.kind:
            case "in" | "ago" if sign == 0:
                sign = 1 if token.kind == "in" else -1
            case "plus" | "minus" if number == 0:
                sign, count = (1 if token.kind == "plus" else -1), float(token.value)
            case "num" if not unit:
                count = float(token.value)
            case "half" if not unit:
                count = 0.5
            case "unit" if not unit:
                unit = token.value
            case "week_or_sunday" if not unit:
                unit = "w"
            case _:
                return None
    return (sign or 1, count, unit) if unit and (sign or len(rest) > 1) else None


def _hours(rest: list[Token], now: datetime) -> datetime | None:
    found = _amount(rest)
    if found is None or found[2] not in ("h", "min") or found[1] > 10_000:
        return None
    minutes = found[0] * found[1] * (60 if found[2] == "h" else 1)
    return (now + timedelta(minutes=minutes)).replace(second=0, microsecond=0)


def _day(rest: list[Token], kinds: list[str], today: date) -> date | None:
    rest = [Token("unit", "w") if one.kind == "week_or_sunday" and _weekly(kinds, place) else Token("weekday", 6)
            if one.kind == "week_or_sunday" else one for place, one in enumerate(rest)]  # fmt: skip
    kinds = [one.kind for one in rest]
    values = [one.value for one in rest]
    found = _amount(rest)
    if found is not None:
        sign, count, unit = found
        if unit in ("h", "min") or count > 99_999 or (count != int(count) and unit != "y"):
            return None
        if unit == "wd":
            return _workdays(today, sign * int(count))
        if unit == "2w":
            return day_shift(today, sign * int(count) * 14)
        if unit == "q":
            return month_shift(today, sign * int(count) * 3)
        return month_shift(today, sign * 6) if count == 0.5 else shifted(today, sign * int(count), unit)
    match kinds:
        case ["day"]:
            return day_shift(today, values[0])
        case ["date"]:
            return values[0]
        case ["weekday", "date"]:
            return values[1] if values[1].weekday() == values[0] else None
        case ["weekday"]:
            return day_shift(today, (values[0] - today.weekday() - 1) % 7 + 1)
        case ["rel", "weekday"] | ["weekday", "rel"]:
            rel, weekday = (values[0], values[1]) if kinds[0] == "rel" else (values[1], values[0])
            return _rel_weekday(today, rel, weekday)
        case ["weekday", "rel", "unit"] | ["rel", "unit", "weekday"]:
            weekday, rel, unit = (values[0], values[1], values[2]) if kinds[0] == "weekday" else (values[2], values[0], values[1])
            return day_shift(today, weekday - today.weekday() + 7 * rel) if unit == "w" else None
        case ["weekday", *_] if (weeks := _amount(rest[1:])) and weeks[2] in ("w", "2w"):
            coming = day_shift(today, (values[0] - today.weekday() - 1) % 7 + 1)
            return day_shift(coming, int(weeks[0] * weeks[1]) * (14 if weeks[2] == "2w" else 7))
        case ["rel", "unit"]:
            return _edge("start", values[1], values[0], today) if values[0] or values[1] != "d" else today
        case ["edge", "unit"] | ["unit", "edge"]:
            edge, unit = (values[0], values[1]) if kinds[0] == "edge" else (values[1], values[0])
            return _edge(edge, unit, 0, today)
        case ["edge", "rel", "unit"] | ["rel", "unit", "edge"] | ["rel", "edge", "unit"]:
            edge, rel, unit = (values[kinds.index("edge")], values[kinds.index("rel")], values[kinds.index("unit")])
            return _edge(edge, unit, rel, today)
        case ["edge", "month"] | ["month", "edge"] | ["edge", "month", "num"]:
            month = values[kinds.index("month")]
            year = values[2] if len(values) == 3 else today.year + (month < today.month)
            if not 1 <= year <= 9999:
                return None
            edge = values[kinds.index("edge")]
            return date(year, month, {"start": 1, "middle": 15, "end": days_in_month(year, month)}[edge])
        case ["nth"]:
            for ahead in range(13):
                first = month_shift(today.replace(day=1), ahead)
                if values[0] <= days_in_month(first.year, first.month) and first.replace(day=values[0]) >= today:
                    return first.replace(day=values[0])
            return None
        case ["num" | "nth", "month"] | ["month", "num" | "nth"] | ["num" | "nth", "month", "num"] | ["weekday", "num" | "nth", "month"]:
            month = values[kinds.index("month")]
            numbers = [value for kind, value in zip(kinds, values, strict=True) if kind in ("num", "nth")]
            day = nearest(numbers[0], month, str(numbers[1]) if len(numbers) > 1 else None, today) if numbers[0] <= 31 else None
            return None if day and kinds[0] == "weekday" and day.weekday() != values[0] else day
        case ["num" | "nth", "rel", "unit"] if values[2] == "m" and 1 <= values[0] <= 31:
            first = month_shift(today.replace(day=1), values[1])
            return first.replace(day=values[0]) if values[0] <= days_in_month(first.year, first.month) else None
        case ["unit", "num"] if values[0] == "w" and 1 <= values[1] <= 53:
            try:
                monday = date.fromisocalendar(today.year, values[1], 1)
                return monday if monday >= day_shift(today, -7) else date.fromisocalendar(today.year + 1, values[1], 1)
            except ValueError:
                return None
    return None


def _weekly(kinds: list[str], place: int) -> bool:
    """Whether a word that is both `week` and `Sunday` (nedelja) means the week: behind a number, `in`, `ago`, `next` in the genitive."""
    return place > 0 and kinds[place - 1] in ("num", "in", "ago", "rel", "plus")


def _rel_weekday(today: date, rel: int, weekday: int) -> date:
    if rel > 0:  # of the week after this one
        return day_shift(today, weekday - today.weekday() + 7)
    if rel < 0:  # the latest one that is over
        return day_shift(today, -((today.weekday() - weekday - 1) % 7 + 1))
    return day_shift(today, (weekday - today.weekday()) % 7)


def _edge(edge: str, unit: str, rel: int, today: date) -> date | None:
    """The first day, the middle or the last day of a week, month, quarter or year."""
    if unit == "d":
        return day_shift(today, rel)
    if unit == "w":
        monday = day_shift(today, 7 * rel - today.weekday())
        return day_shift(monday, {"start": 0, "middle": 2, "end": 6}[edge])
    months = {"m": 1, "q": 3, "y": 12}.get(unit)
    if months is None:
        return None
    first = month_shift(date(today.year, (today.month - 1) // months * months + 1, 1), rel * months)
    last = day_shift(month_shift(first, months), -1)
    return {"start": first, "end": last, "middle": day_shift(first, 14) if months == 1 else month_shift(first, months // 2)}[edge]


def _workdays(today: date, count: int) -> date:
    """So many days from Monday to Friday later or earlier."""
    step = 1 if count > 0 else -1
    count = min(abs(count), 2600)
    day = today
    while count:
        day = day_shift(day, step)
        count -= day.weekday() < 5
    return day


__all__ = ["PHRASES", "Token", "phrases", "read", "tokens"]
