"""What users read and type, in their language: translation, plural forms, and dates, numbers and money both ways.

The English text is the key (gettext style): `t("Save")`, `t("{n} days here", n=3)`. A catalogue value is a text or a mapping of
CLDR plural forms chosen by `n`. Catalogues are the `interface:` part of `config/base/labels/<language>.yaml`; labels of a
configuration (`entities.account.label`) are kept apart, by dotted path, and asked for by `Words.label`.

Every engine text stands as a literal in `t("…")`, `Refused("…")`, `Denied("…")`, `Missing("…")`, `ExpressionError("…")` or a tuple `words = ("…",)`:
`used()` reads them all from the source, so that a missing translation is found without running anything.
"""

from __future__ import annotations

import ast
import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime, format_skeleton, format_time, format_timedelta
from babel.numbers import format_compact_currency, format_currency, format_decimal, format_percent, get_currency_symbol

from crm import spoken
from crm.days import day_in, day_shift, days_in_month, month_shift, nearest, shifted
from crm.errors import Refused, Said, fill

#: How a language without a country is written: English with the day before the month and 24 hours, as its users in Europe do.
WRITTEN = {"en": "en_GB"}
LANGUAGES = ("en", "pl", "sr_Latn", "lt")
SPACES = "\u00a0\u202f\u2009\u2007\u2008\u2002\u2003\u3000"
Day = date  # inside Words the names `date` and `datetime` are methods
Moment = datetime
Clock = time
#: A day in figures: day, mark, month, year.
_NUMBERED = r"([0-9]{1,4})\s?([./-])\s?([0-9]{1,2})(?:\s?\2\s?([0-9]{2,4})?)?\.?"
MINUS = "\u2212\u2013\u2012\ufe63\uff0d"


def fold(text: str) -> str:
    """Lower case without accents, for comparing what people type with words: `fold("Środa") == "sroda"`."""
    return folded(text).strip(" .")


_OTHER = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ß": "ss", "ı": "i", "ħ": "h", "ŧ": "t", "ŋ": "n"}
)


def folded(text: str) -> str:
    """Text as search and `contains` compare it: lower case, without diacritics: `Łódź` is `lodz`, `Straße` is `strasse`."""
    return text.lower() if text.isascii() else _folded(text)


@lru_cache(maxsize=20_000)
def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_OTHER)).casefold()
    return "".join(c for c in plain if not unicodedata.combining(c)).translate(_OTHER)


def flatten(nested: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Labels by dotted path: `{"entities": {"account": {"label": "Konto"}}}` becomes `{"entities.account.label": "Konto"}`."""
    flat: dict[str, Any] = {}
    for key, value in nested.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping):
            flat.update(flatten(value, f"{path}."))
        else:
            flat[path] = value
    return flat


def shorten(text: Any, length: int = 40) -> str:
    """What the user typed, short enough to be repeated in a message."""
    line = re.sub(r"\s+", " ", str(text)[: length * 2]).strip()
    return line if len(line) <= length else line[: length - 1] + "…"


def utc(moment: datetime) -> datetime:
    """The moment in UTC with millisecond precision, which is what the store keeps; near the calendar's ends it stops there."""
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        moment = moment.replace(tzinfo=UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


class Words:
    """Translator and locale of one user: call it with an English text; ask it to format and to parse.

    `catalogue`  English text -> text or {plural form: text}
    `labels`     dotted path -> label of the configuration (nested mappings are flattened)
    `timezone`   IANA name; days begin at its midnight. `currency` is the company's base currency (ISO 4217).
    An unknown language or time zone falls back to English and UTC rather than failing.
    """

    def __init__(
        self,
        language: str = "en",
        catalogue: Mapping[str, Any] | None = None,
        timezone: str = "UTC",
        currency: str = "EUR",
        labels: Mapping[str, Any] | None = None,
    ) -> None:
        self.language = language or "en"
        self.catalogue: dict[str, Any] = dict(catalogue or {})
        self.labels: dict[str, Any] = flatten(labels) if labels else {}
        self.currency = currency or "EUR"
        try:
            self.tz: Any = ZoneInfo(timezone or "UTC")
        except (KeyError, ValueError, OSError):
            self.tz = ZoneInfo("UTC")
        self.timezone = str(self.tz)
        try:
            self.locale = Locale.parse(WRITTEN.get(self.language, self.language).replace("-", "_"))
        except (UnknownLocaleError, ValueError, TypeError):
            self.locale = Locale("en")

    def __repr__(self) -> str:
        return f"Words({self.language!r}, {len(self.catalogue)} texts, {self.timezone}, {self.currency})"

    # --- translation

    def __call__(self, text: str, /, **values: Any) -> str:
        """`text` in the user's language with its `{names}` filled in; English where the catalogue has nothing.

        Dates, decimals and errors among the values are written in the language too. Plural forms are chosen by `n`.
        """
        found = self.catalogue.get(text, text)
        if isinstance(found, Mapping):
            found = self._plural(found, values.get("n", 1), text)
        if not values:
            return found if isinstance(found, str) else str(found or text)
        return fill(str(found or text), {name: self._value(value) for name, value in values.items()})

    def _plural(self, forms: Mapping[str, Any], n: Any, text: str) -> str:
        try:
            form = self.locale.plural_form(n if isinstance(n, (int, float, Decimal)) else 1)
        except (ValueError, TypeError, InvalidOperation):
            form = "other"
        return str(forms.get(form) or forms.get("other") or forms.get("many") or next(iter(forms.values()), text) or text)

    def _value(self, value: Any) -> Any:
        if isinstance(value, Said):
            return value.say(self)
        if isinstance(value, Moment):
            return self.datetime(value)
        if isinstance(value, Day):
            return self.date(value)
        if isinstance(value, Decimal):
            return self.number(value)
        return value

    def has(self, text: str) -> bool:
        """Whether the catalogue translates this text."""
        return bool(self.catalogue.get(text))

    def label(self, path: str, fallback: str = "") -> str:
        """A label of the configuration by dotted path (`entities.account.fields.name.label`), else `fallback`."""
        found = self.labels.get(path)
        return str(found) if found not in (None, "") else fallback

    # --- now

    def now(self) -> Moment:
        """This moment in the user's time zone."""
        return datetime.now(self.tz)

    def today(self) -> Day:
        """The user's calendar day."""
        return self.now().date()

    def local(self, moment: Moment) -> Moment:
        """A moment in the user's time zone (a moment without a zone is UTC)."""
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        try:
            return moment.astimezone(self.tz)
        except OverflowError:
            return moment

    def midnight(self, day: Day) -> Moment:
        """The moment a calendar day begins for the user, in UTC."""
        return utc(datetime.combine(day, time(), self.tz))

    # --- writing

    def date(self, day: Day, format: str = "medium") -> str:
        """`5 Dec 2026`, `5 gru 2026`; `format` is short, medium, long, full or a CLDR pattern."""
        if isinstance(day, Moment):
            day = self.local(day).date()
        return format_date(day, format=format, locale=self.locale)

    def datetime(self, moment: Moment, format: str = "medium") -> str:
        """Day and time to the minute in the user's time zone."""
        local = self.local(moment)
        if format != "medium":
            return format_datetime(local.replace(tzinfo=None), format=format, locale=self.locale)
        return f"{format_date(local, format='medium', locale=self.locale)}, {self.time(local)}"

    def time(self, moment: Moment) -> str:
        """`14:30` or `2:30 PM`."""
        return format_time(self.local(moment).replace(tzinfo=None), format="short", locale=self.locale)

    def number(self, value: Any, decimals: int | None = None) -> str:
        """A number with the language's separators; `decimals` fixes how many are shown, otherwise as many as it has (at most 6)."""
        pattern = "#,##0.######" if decimals is None else "#,##0" + ("." + "0" * decimals if decimals else "")
        return format_decimal(value, format=pattern, locale=self.locale)

    def money(self, value: Any, currency: str = "", decimals: int | None = None) -> str:
        """`€48,500` or `48 500,50 €`: pence are left out where there are none."""
        amount = value if isinstance(value, Decimal) else Decimal(str(value))
        whole = amount == amount.to_integral_value() if decimals is None else decimals == 0
        if decimals is not None:
            amount = amount.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
        pattern = self._whole_money if whole else None
        digits = decimals is None and not whole
        return format_currency(amount, currency or self.currency, locale=self.locale, format=pattern, currency_digits=digits)

    def money_short(self, value: Any, currency: str = "") -> str:
        """An amount for a chart or the head of a column, rounded: `€48.5K`, `€1.1M`; in full below a thousand."""
        amount = value if isinstance(value, Decimal) else Decimal(str(value))
        if abs(amount) < 1000:
            return self.money(amount, currency, decimals=0)
        digits = 0 if abs(amount) % 1_000_000 >= 100_000 and abs(amount) < 1_000_000 else 1
        return format_compact_currency(amount, currency or self.currency, locale=self.locale, fraction_digits=digits)

    def period(self, start: Day, unit: str) -> str:
        """The period of `unit` (day, week, month, quarter, year, fiscal_quarter, fiscal_year) that begins on `start`: `Mar 2026`,
        `Q1 2026`, `2026`; of a business year that begins in April `Apr – Jun 2026`, `2026/27`."""
        if unit == "week":
            year, week, _ = start.isocalendar()
            return self("Week {week} of {year}", week=week, year=str(year))
        if unit == "fiscal_year":
            return str(start.year) if start.month == 1 else f"{start.year}/{(start.year + 1) % 100:02}"
        if unit == "fiscal_quarter":
            last = month_shift(start, 2)
            return f"{format_date(start, 'MMM', locale=self.locale)} – {format_date(last, 'MMM y', locale=self.locale)}"
        pattern = {"month": "MMM y", "quarter": "QQQ y", "year": "y"}.get(unit)
        return format_date(start, format=pattern, locale=self.locale) if pattern else self.date(start)

    @cached_property
    def _whole_money(self) -> str:
        pattern = self.locale.currency_formats["standard"].pattern
        return re.sub(r"\.0+", "", pattern)

    def symbol(self, currency: str = "") -> str:
        """`€`, `zł`; the code itself for a currency without one."""
        return get_currency_symbol(currency or self.currency, locale=self.locale)

    def percent(self, value: Any, decimals: int | None = None) -> str:
        """A fraction as percent: `0.25` is `25%` or `25 %`; at most two decimals."""
        pattern = self.locale.percent_formats[None].pattern
        digits = ".##" if decimals is None else "." + "0" * decimals if decimals else ""
        return format_percent(value, format=re.sub(r"0(\.[0#]+)?", "0" + digits, pattern, count=1), locale=self.locale)

    def duration(self, minutes: int) -> str:
        """Minutes as `45 min`, `1 h 30 min`, `2 d 4 h` (a day has 24 hours)."""
        sign, rest = ("-" if minutes < 0 else ""), abs(int(minutes))
        days, rest = divmod(rest, 1440)
        hours, mins = divmod(rest, 60)
        parts = [self("{n} d", n=days)] if days else []
        parts += [self("{n} h", n=hours)] if hours else []
        parts += [self("{n} min", n=mins)] if mins or not parts else []
        return sign + " ".join(parts)

    def echo(self, value: Day | Moment) -> str:
        """What was understood of a day typed in words, to be read at a glance: `Tue, 24 Nov 2026, 10:30 (in 2 days)`."""
        if not isinstance(value, Moment):
            return f"{format_skeleton('yMMMEd', value, locale=self.locale)} ({self.ago(value)})"
        local = self.local(value)
        day = format_skeleton("yMMMEd", local.date(), locale=self.locale)
        if local.hour or local.minute:
            day = f"{day}, {self.time(value)}"
        return f"{day} ({self.ago(local.date())})"

    def ago(self, moment: Moment | Day, now: Moment | None = None) -> str:
        """How long ago, or in how long: `3 days ago`, `za 2 tygodnie`; a date is counted in days."""
        if isinstance(moment, Moment):
            difference = (self.local(moment) - self.local(now or self.now())).total_seconds()
            return format_timedelta(timedelta(seconds=difference), add_direction=True, locale=self.locale)
        days = (moment - (self.local(now).date() if now else self.today())).days
        if days in (-1, 0, 1):
            return (self("today"), self("tomorrow"), self("yesterday"))[days]
        return format_timedelta(timedelta(days=days), granularity="day", add_direction=True, locale=self.locale)

    # --- reading numbers

    def parse_number(self, text: Any) -> Decimal:
        """A number as people write it: `1 234,56`, `1,234.56`, `1'234`, `48k`, `1.5 mln`, `(12)` for a negative one.

        With both separators the last one is the decimal one; a lone separator before three digits is a thousands separator only
        where the language uses it so. Numbers that are not finite, or longer than 26 digits, are refused.
        """
        if isinstance(text, bool):
            raise Refused("'{text}' is not a number.", text=shorten(text))
        if isinstance(text, (int, float, Decimal)):
            return self._finite(text)
        plain = unicodedata.normalize("NFKC", str(text)[:80]).strip()
        for sign in MINUS:
            plain = plain.replace(sign, "-")
        plain = re.sub(rf"[\s{SPACES}_]", "", plain)
        negative = False
        if plain.startswith("(") and plain.endswith(")"):
            negative, plain = True, plain[1:-1]
        found = re.fullmatch(r"([+-]?)([0-9][0-9.,'’]*|[.,][0-9]+)(?:[eE]([+-]?[0-9]{1,2}))?([a-zA-Z.]*)", plain)
        if not found:
            raise Refused("'{text}' is not a number.", text=shorten(text))
        sign, digits, exponent, suffix = found.groups()
        scale = {"": 0, "k": 3, "tys": 3, "tys.": 3, "m": 6, "mln": 6, "mio": 6, "bn": 9, "mld": 9}.get(suffix.lower())
        if scale is None:
            raise Refused("'{text}' is not a number.", text=shorten(text))
        value = self._finite(self._separated(digits, text))
        value = value.scaleb(scale + int(exponent or 0))
        value = self._finite(value)
        if value == value.to_integral_value():
            value = value.quantize(Decimal(1))
        return -value if (sign == "-") != negative else value

    def _separated(self, digits: str, text: Any) -> Decimal:
        digits = digits.replace("'", "").replace("’", "")
        commas, points = digits.count(","), digits.count(".")
        if commas and points:
            decimal = "," if digits.rfind(",") > digits.rfind(".") else "."
            group = "." if decimal == "," else ","
            if digits.count(decimal) > 1:
                raise Refused("'{text}' is not a number.", text=shorten(text))
            digits = digits.replace(group, "").replace(decimal, ".")
        elif commas + points > 1:
            if not re.fullmatch(r"[0-9]{1,3}([.,][0-9]{3})+", digits):
                raise Refused("'{text}' is not a number.", text=shorten(text))
            digits = digits.replace(",", "").replace(".", "")
        elif commas + points == 1:
            mark = "," if commas else "."
            if mark == self._group_mark and re.fullmatch(r"[1-9][0-9]{0,2}[.,][0-9]{3}", digits):
                digits = digits.replace(mark, "")
            else:
                digits = digits.replace(",", ".")
        try:
            return Decimal(digits)
        except InvalidOperation:
            raise Refused("'{text}' is not a number.", text=shorten(text)) from None

    @cached_property
    def _group_mark(self) -> str:
        symbols = self.locale.number_symbols
        return str(symbols.get("latn", symbols).get("group", ","))

    @staticmethod
    def _finite(value: Any) -> Decimal:
        try:
            number = value if isinstance(value, Decimal) else Decimal(repr(value) if isinstance(value, float) else value)
        except (InvalidOperation, ValueError):
            raise Refused("'{text}' is not a number.", text=shorten(value)) from None
        if not number.is_finite():
            raise Refused("'{text}' is not a number.", text=shorten(value))
        if (number and (number.adjusted() > 26 or number.adjusted() < -26)) or len(number.as_tuple().digits) > 40:
            raise Refused("This number is too large or too small to be kept.")
        return number

    def parse_duration(self, text: Any) -> int:
        """Minutes: `90`, `1:30`, `1h 30m`, `1.5 h`, `2d`; a bare number counts minutes."""
        if isinstance(text, timedelta):
            return self._minutes(Decimal(round(text.total_seconds() / 60)), text)
        if isinstance(text, (int, float, Decimal)) and not isinstance(text, bool):
            return self._minutes(self._finite(text), text)
        plain = unicodedata.normalize("NFKC", str(text)[:80]).strip().lower()
        clock = re.fullmatch(r"([0-9]{1,8}):([0-5][0-9])", plain)
        if clock:
            return self._minutes(Decimal(int(clock[1]) * 60 + int(clock[2])), text)
        if re.fullmatch(r"-?[0-9]+([.,][0-9]+)?", plain):
            return self._minutes(self.parse_number(plain), text)
        units = {"m": 1, "min": 1, "mins": 1, "minutes": 1, "minute": 1, "h": 60, "hr": 60, "hrs": 60, "hour": 60, "hours": 60}
        units |= {"godz": 60, "val": 60, "d": 1440, "day": 1440, "days": 1440, "w": 10080, "week": 10080, "weeks": 10080}
        total, end = Decimal(0), 0
        for part in re.finditer(r"\s*([0-9]{1,7}(?:[.,][0-9]{1,4})?)\s*([^\W\d_]+)\.?\s*", plain):
            if part.start() != end or part[2] not in units:
                break
            total, end = total + Decimal(part[1].replace(",", ".")) * units[part[2]], part.end()
        if end == 0 or end != len(plain):
            raise Refused("'{text}' is not a length of time. Write it like 45, 1:30 or 2h 15m.", text=shorten(text))
        return self._minutes(total, text)

    @staticmethod
    def _minutes(value: Decimal, text: Any) -> int:
        if abs(value) > 10**9:
            raise Refused("This length of time is too long to be kept.")
        return int(value.to_integral_value(ROUND_HALF_UP))

    # --- reading dates

    def parse_date(self, text: Any, today: Day | None = None) -> Day:
        """A day as people type it: ISO, `24.12.`, `24/12/26`, `24 Dec`, `tomorrow`, `fri`, `+2w`, `-10d`, `end of month`,
        `next fri`, `in 3 days`, `za dwa tygodnie` (see `crm.spoken`).

        A missing year is the one that puts the day closest to today; a weekday is the next one after today.
        """
        if isinstance(text, Moment):
            return self.local(text).date() if text.tzinfo else text.date()
        if isinstance(text, Day):
            return text
        today = today or self.today()
        if isinstance(text, str) and len(text) <= 60:
            found = self._read_date(unicodedata.normalize("NFKC", text).strip(), today)
            if found:
                return found
        raise Refused(
            "'{text}' is not a date. Write it like {example}, or tomorrow, fri, +2w.", text=shorten(text), example=date(2026, 12, 24)
        )

    def _read_date(self, text: str, today: Day) -> Day | None:
        iso = re.fullmatch(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[T ].*)?|([0-9]{4})([0-9]{2})([0-9]{2})", text)
        if iso:
            if len(text) > 10 and "-" in text:
                moment = _iso_moment(text)
                if moment is None:
                    return None
                return self.local(moment).date() if moment.tzinfo else moment.date()
            year, month, day = (int(part) for part in (iso.groups()[:3] if iso[1] else iso.groups()[3:]))
            return day_in(year, month, day)
        shift = re.fullmatch(r"([+-])\s*([0-9]{1,5})\s*([a-zA-Z]?)", text)
        if shift and shift[3].lower() in ("", "d", "w", "m", "y"):
            return shifted(today, int(shift[1] + shift[2]), shift[3].lower() or "d")
        numbers = re.fullmatch(_NUMBERED, text)
        if numbers:
            return self._numbered(numbers, today)
        word = fold(text)
        if word in self._days:
            return day_shift(today, self._days[word])
        if word in self._ends:
            period = self.parse_period(self._ends[word], today)
            return period[1] if period else None
        if word in self._weekdays:
            return day_shift(today, (self._weekdays[word] - today.weekday() - 1) % 7 + 1)
        named = re.fullmatch(r"([0-9]{1,2})(?:\.|st|nd|rd|th)?\s*([^\W\d_]+)\.?,?\s*([0-9]{4}|[0-9]{2})?\.?(?:\s*[a-z]{1,2}\.)?", word)
        if named and named[2] in self._months:
            return nearest(int(named[1]), self._months[named[2]], named[3], today)
        named = re.fullmatch(r"([^\W\d_]+)\.?\s*([0-9]{1,2})(?:\.|st|nd|rd|th)?(?:,?\s*([0-9]{4}))?\.?(?:\s*[a-z]\.)?", word)
        if named and named[1] in self._months:
            return nearest(int(named[2]), self._months[named[1]], named[3], today)
        named = re.fullmatch(r"([0-9]{4})\s*(?:m\.)?\s*([^\W\d_]+)\.?\s*([0-9]{1,2})\s*d?", word)
        if named and named[2] in self._months:
            return day_in(int(named[1]), self._months[named[2]], int(named[3]))
        said, clock, moment = self._spoken(text, datetime.combine(today, time(12)))
        return None if clock is not None or moment is not None else said

    def _spoken(self, text: str, now: Moment) -> tuple[Day | None, Clock | None, Moment | None]:
        """A phrase of several words: its day, its time of day, or the moment it names (`in 2 hours`); Nones when it means nothing."""

        def numbered(part: str) -> Day | None:
            found = re.fullmatch(_NUMBERED, part)
            return self._numbered(found, now.date()) if found else self._read_date(part, now.date()) if part[:4].isdigit() else None

        phrase = folded(unicodedata.normalize("NFKC", text)).strip()
        return spoken.read(spoken.tokens(phrase, self.language, self._weekdays, self._months, numbered), now)

    def _numbered(self, found: re.Match[str], today: Day) -> Day | None:
        first, mark, second, year = int(found[1]), found[2], int(found[3]), found[4]
        if len(found[1]) > 2:
            return day_in(first, second, int(year)) if year and len(year) <= 2 and len(found[1]) == 4 else None
        day_first = mark != "/" or self._day_first
        if second > 12 and first <= 12:
            day_first = False
        elif first > 12:
            day_first = True
        day, month = (first, second) if day_first else (second, first)
        return nearest(day, month, year, today)

    @cached_property
    def _day_first(self) -> bool:
        pattern = self.locale.date_formats["short"].pattern
        return pattern.find("d") < pattern.find("M") or "M" not in pattern

    @cached_property
    def _days(self) -> dict[str, int]:
        days = {"today": 0, "now": 0, "tomorrow": 1, "yesterday": -1, "tod": 0, "tom": 1}
        return days | {fold(self("today")): 0, fold(self("tomorrow")): 1, fold(self("yesterday")): -1}

    @cached_property
    def _ends(self) -> dict[str, str]:
        ends = {"end of week": "this week", "end of month": "this month", "end of quarter": "this quarter", "end of year": "this year"}
        ends |= {"eow": "this week", "eom": "this month", "eoq": "this quarter", "eoy": "this year"}
        return ends | {
            fold(self("end of week")): "this week",
            fold(self("end of month")): "this month",
            fold(self("end of quarter")): "this quarter",
            fold(self("end of year")): "this year",
        }

    @cached_property
    def _weekdays(self) -> dict[str, int]:
        return _calendar_names(("en", str(self.locale)), "days")

    @cached_property
    def _months(self) -> dict[str, int]:
        return _calendar_names(("en", str(self.locale)), "months")

    def parse_datetime(self, text: Any, now: Moment | None = None) -> Moment:
        """A moment in UTC: ISO with or without a zone, `tomorrow 14:30`, `24.12. 9:00`, `fri 2pm`, `14:30` (today), or a day alone.

        Without a zone the user's own is meant; a day alone begins at its midnight.
        """
        now = self.local(now) if now else self.now()
        if isinstance(text, Moment):
            return utc(text if text.tzinfo else text.replace(tzinfo=self.tz))
        if isinstance(text, Day):
            return self.midnight(text)
        if isinstance(text, str) and len(text) <= 80:
            plain = unicodedata.normalize("NFKC", text).strip()
            moment = _iso_moment(plain)
            if moment is not None:
                return utc(moment if moment.tzinfo else moment.replace(tzinfo=self.tz))
            if fold(plain) in ("now", fold(self("now"))):
                return utc(now)
            clock = r"(?<![0-9.:])([0-9]{1,2})(?::([0-9]{2})(?::([0-9]{2}))?)?\s*([ap])?\.?(m)?\.?"
            found = re.fullmatch(r"(.*?)[\s,]*" + clock, plain, re.IGNORECASE)
            if found and (found[3] or found[5]) and bool(found[5]) == bool(found[6]):
                hour = int(found[2])
                if found[5] and 1 <= hour <= 12:
                    hour = hour % 12 + (12 if found[5].lower() == "p" else 0)
                minute, second = int(found[3] or 0), int(found[4] or 0)
                if hour < 24 and minute < 60 and second < 60:
                    head = found[1].strip().removesuffix(",").strip()
                    day = self._read_date(head, now.date()) if head else now.date()
                    if day:
                        return utc(datetime.combine(day, time(hour, minute, second), self.tz))
            day = self._read_date(plain, now.date())
            if day:
                return self.midnight(day)
            day, at, exact = self._spoken(plain, now)
            if exact is not None:
                return utc(exact)
            if day is not None and at is not None:
                return utc(datetime.combine(day, at, self.tz))
        raise Refused(
            "'{text}' is not a date and time. Write it like {example}, or tomorrow 14:30.",
            text=shorten(text),
            example=datetime(2026, 12, 24, 14, 30, tzinfo=self.tz),
        )

    # --- reading periods

    PERIODS = (
        "today", "tomorrow", "yesterday",
        "this week", "last week", "next week",
        "this month", "last month", "next month",
        "this quarter", "last quarter", "next quarter",
        "this year", "last year", "next year",
    )  # fmt: skip
    words = PERIODS  # the same texts again under the name that `used()` looks for

    def parse_period(self, text: Any, today: Day | None = None) -> tuple[Day, Day] | None:
        """First and last day of a period in words or figures: `this month`, `last quarter`, `2026`, `2026-05`, `Q3 2026`, or None.

        A single day is not a period; weeks begin on Monday (ISO 8601).
        """
        if not isinstance(text, str) or len(text) > 40:
            return None
        today = today or self.today()
        word = fold(text)
        for known in self.PERIODS:
            if word == known or word == fold(self(known)):
                return _period(known, today)
        year = re.fullmatch(r"([0-9]{4})", word)
        if year and int(year[1]) > 0:
            return date(int(year[1]), 1, 1), date(int(year[1]), 12, 31)
        month = re.fullmatch(r"([0-9]{4})-([0-9]{1,2})|([0-9]{1,2})[./]([0-9]{4})", word)
        if month:
            y, m = (int(month[1]), int(month[2])) if month[1] else (int(month[4]), int(month[3]))
            first = day_in(y, m, 1)
            return (first, date(y, m, days_in_month(y, m))) if first else None
        quarter = re.fullmatch(r"(?:q([1-4])[\s/]*([0-9]{4})|([0-9]{4})[\s/-]*q([1-4]))", word)
        if quarter:
            y, q = (int(quarter[2]), int(quarter[1])) if quarter[1] else (int(quarter[3]), int(quarter[4]))
            return (date(y, q * 3 - 2, 1), date(y, q * 3, days_in_month(y, q * 3))) if y else None
        return None

    def parse_span(self, text: Any) -> tuple[int, str]:
        """A length of time in calendar units for `in the last …`: `30`, `30d`, `2w`, `3m`, `1y` as `(30, "d")`."""
        if isinstance(text, int) and not isinstance(text, bool) and 0 <= text <= 99999:
            return text, "d"
        found = re.fullmatch(r"\s*([0-9]{1,5})\s*([^\W\d_]*)\s*", text) if isinstance(text, str) and len(text) < 40 else None
        if found:
            word = fold(found[2])
            for unit, names in self._units.items():
                if word in names:
                    return int(found[1]), unit
        raise Refused("'{text}' is not a length of time. Write it like 30d, 2w, 3m or 1y.", text=shorten(text))

    @cached_property
    def _units(self) -> dict[str, set[str]]:
        units = {"d": {"", "d", "day", "days"}, "w": {"w", "week", "weeks"}, "m": {"m", "month", "months"}, "y": {"y", "year", "years"}}
        for unit, name in (("d", "day"), ("w", "week"), ("m", "month"), ("y", "year")):
            patterns = self.locale._data["unit_patterns"].get(f"duration-{name}", {})
            for form in (form for forms in patterns.values() if hasattr(forms, "values") for form in forms.values()):
                units[unit].add(fold(str(form).replace("{0}", "")))
        return units


def _period(name: str, today: date) -> tuple[date, date]:
    simple = {"today": 0, "tomorrow": 1, "yesterday": -1}
    if name in simple:
        day = day_shift(today, simple[name])
        return day, day
    which, unit = name.split()
    step = {"this": 0, "last": -1, "next": 1}[which]
    if unit == "week":
        monday = day_shift(today, 7 * step - today.weekday())
        return monday, day_shift(monday, 6)
    months = {"month": 1, "quarter": 3, "year": 12}[unit]
    first = month_shift(date(today.year, (today.month - 1) // months * months + 1, 1), step * months)
    return first, day_shift(month_shift(first, months), -1)


def _iso_moment(text: str) -> datetime | None:
    """An ISO 8601 moment (also `+0000` and a space instead of T), None when it is not one or has no time of day."""
    if not re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:?[0-9]{2}", text):
        return None
    try:
        return datetime.fromisoformat(re.sub(r"\s+(?=[+-][0-9])|\s+(?=[zZ]$)", "", text))
    except ValueError:
        return None


@lru_cache(maxsize=64)
def _calendar_names(languages: tuple[str, ...], what: str) -> dict[str, int]:
    names: dict[str, int] = {}
    for language in languages:
        locale = Locale.parse(language)
        for context in ("stand-alone", "format"):
            for width in ("wide", "abbreviated", "short") if what == "days" else ("wide", "abbreviated"):
                for number, name in getattr(locale, what)[context].get(width, {}).items():
                    names[fold(str(name))] = int(number)
    for name, number in list(names.items()):
        for length in range(3, len(name)):
            if len({n for other, n in names.items() if other.startswith(name[:length])}) == 1:
                names.setdefault(name[:length], number)
    return names


ENGLISH = Words("en")


# --- which texts the engine uses

_CALLS = {"t", "words", "Refused", "Denied", "Missing", "ExpressionError"}


@lru_cache(maxsize=4)
def _used(folder: Path, stamp: tuple[tuple[str, int], ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, _ in stamp:
        file = folder / name
        source = file.read_text(encoding="utf-8")
        if file.suffix == ".py" and not re.search(r"\b(?:t|Refused|Denied|Missing|ExpressionError)\(|\b(?:words|PERIODS)\b[^=\n]*=", source):
            continue
        for text, line in _python_texts(source, file) if file.suffix == ".py" else _script_texts(source):
            found.setdefault(text, f"{file.relative_to(folder.parent)}:{line}")
    return found


def used(package: str | Path | None = None) -> dict[str, str]:
    """Every English text the engine may show, as `{text: "file:line" of its first use}`, read from the source of the package.

    Python: literals in `t(…)`, `….t(…)`, `….words(…)`, `Refused(…)`, `Denied(…)`, `Missing(…)`, `ExpressionError(…)` (both branches of `a if b else c` too) and in
    assignments `words = (…)`. JavaScript beside it: `t('…')`.
    """
    folder = Path(package) if package else Path(__file__).parent
    files = [
        *sorted(folder.rglob("*.py")),
        *(file for file in sorted(folder.rglob("*.js")) if not re.search(r"\.[0-9a-f]{8,}\.|bundle", file.name)),
    ]
    return dict(_used(folder, tuple((str(file.relative_to(folder)), file.stat().st_mtime_ns) for file in files)))


def _python_texts(source: str, file: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(source, str(file))):
        if isinstance(node, ast.Call) and node.args:
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in _CALLS:
                yield from _literals(node.args[0])
        elif isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(getattr(target, "id", getattr(target, "attr", "")) in ("words", "PERIODS") for target in targets):
                if isinstance(node.value, (ast.Tuple, ast.List, ast.Set)):
                    for item in node.value.elts:
                        yield from _literals(item)


def _literals(node: ast.expr) -> Iterator[tuple[str, int]]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield node.value, node.lineno
    elif isinstance(node, ast.IfExp):
        yield from _literals(node.body)
        yield from _literals(node.orelse)


def _script_texts(source: str) -> Iterator[tuple[str, int]]:
    for found in re.finditer(r"""(?<![\w$])t\(\s*(?:'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)")""", source):
        text = found[1] if found[1] is not None else found[2]
        if text:
            yield re.sub(r"\\(.)", r"\1", text), source.count("\n", 0, found.start()) + 1
