"""A contact out of pasted text: the signature of a mail, a business card typed off, a vCard, or a whole mail with all that stands in it.

`read(text)` gives a `Card`: what was found, by meaning. `values(door, entity, card)` lays it on the fields of an entity by their types
(a name, phones, an e-mail, a web address, a postal address, a link to who employs the person) and its `card:`; no field is known by
what it is called. Polish, German, Serbian, Lithuanian and
English are read; what is not sure is left out: an empty field is filled in a second, a wrong one is believed for years.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field as fresh
from typing import Any

import phonenumbers
from rapidfuzz import fuzz

from crm.fields.address import countries
from crm.fields.person_name import PersonName
from crm.words import fold, folded

LONGEST = 20_000
#: Serbian in its other letters; rules and words below are in Latin ones.
LATIN = {
    ord(one): said
    for one, said in zip(
        "абвгдђежзијклмнопрстћуфхцчшљњџ", "a b v g d đ e ž z i j k l m n o p r s t ć u f h c č š lj nj dž".split(), strict=True
    )
}
LATIN |= {ord(chr(one).upper()): said.capitalize() for one, said in LATIN.items()}

EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.I)
WEB = re.compile(
    r"(?<![@\w.-])(?:https?://[^\s|,;<>\"]+|www\.[\w-]+(?:\.[\w-]+)+[^\s|,;<>\"]*|[a-z0-9][\w-]*(?:\.[a-z0-9][\w-]*)*\.[a-z]{2,}(?:/[^\s|,;<>\"]*)?)(?![@\w])",
    re.I,
)
#: Ends of words that look like a web address and are none.
NO_WEB = {"z.o.o", "sp.z.o.o", "d.o.o", "s.a", "e.k", "e.v", "b.v", "a.d", "sp.j", "sp.k", "co.kg", "i.a"}
PHONE_WORDS = {
    "fax": "fax", "faks": "fax", "telefax": "fax", "faksas": "fax", "f": "fax",
    "mobil": "mobile", "mobile": "mobile", "mob": "mobile", "mobilus": "mobile", "kom": "mobile", "komorka": "mobile", "komorkowy": "mobile", "handy": "mobile",
    "cell": "mobile", "cellular": "mobile", "m": "mobile", "viber": "mobile", "whatsapp": "mobile", "gsm": "mobile", "mobilni": "mobile",
    "tel": "phone", "telefon": "phone", "telefonas": "phone", "phone": "phone", "t": "phone", "fon": "phone", "p": "phone", "office": "phone", "direct": "phone",
    "biuro": "phone", "centrala": "phone", "switchboard": "phone", "ph": "phone", "tel./fax": "phone",
}  # fmt: skip
REGISTER = re.compile(
    r"\b(?:nip|regon|krs|vat|ust-?id|uid|hrb|hra|pib|mb:?(?= ?\d)|jib|iban|konto|swift|bic|pvm|kodas|įmonės kodas|company no|registered in|reg\.? ?no|steuernummer|"
    r"registergericht|amtsgericht|sąd rejonowy|kapitał|geschäftsführer:|vorstand:|handelsregister)\b", re.I
)  # fmt: skip
LEGAL = re.compile(
    r"(?<![\w.])(?:sp\.? ?z ?\.?o\.? ?o\.?|s\.? ?a\.|s\.c\.|sp\. ?j\.|sp\. ?k\.|spółka(?: z ?\.?o\.? ?o\.?| akcyjna| jawna| komandytowa)?|gmbh(?: & co\.? kg)?|mbh|ag|kg|kgaa|ohg|gbr|ug|se|e\.? ?k\.?|e\.? ?v\.|d\.? ?o\.? ?o\.?|a\.d\.|"
    r"j\.p\.|szr|str|uab|ab|mb|všį|vši|iį|tüb|ltd\.?|limited|plc|llc|l\.l\.c\.|llp|inc\.?|corp\.?|co\.|b\.? ?v\.|n\.v\.|s\.r\.o\.|oy|aps|a/s|s\.p\.a\.|s\.r\.l\.|trust)(?![\w])",
    re.I,
)  # fmt: skip
#: Words by which an organisation without a legal form is known.
BODIES = (
    "fundacja stowarzyszenie uniwersytet politechnika akademia urząd gmina starostwo szpital szkoła hurtownia mleczarnia tartak firma zakład przedsiębiorstwo kancelaria instytut spółdzielnia "
    "stiftung verein universität hochschule stadt gemeinde landkreis klinik krankenhaus bäckerei ingenieurbüro kanzlei verlag werkstatt "
    "fakultet univerzitet opština grad bolnica škola preduzeće zadruga udruženje stolarija "
    "universitetas savivaldybė ligoninė mokykla kontora fondas asociacija kolegija "
    "university college hospital council foundation charity association bakery school institute company group"
).split()
#: Beginnings of words that are jobs.
JOBS = (
    "dyrektor kierowni specjalist prezes wiceprezes przedstawiciel księgow właściciel naczelnik asystent referent doradc menedżer menadżer koordynator handlow konsultant inspektor sekretar "
    "pełnomocnik brygadzist technolog zaopatrzeniow handlowiec "
    "geschäftsführ leiter leitung einkäufer vertriebs prokurist sachbearbeit assistent inhaber projektleit bereichsleit verkäuf berater referent vorstand geschäftsleit einkaufsleit "
    "direktor komercijalist rukovodi menadžer referent vlasnik šef asistent savetnik predstavnik tehnički zamenik samostaln "
    "direktor vadov vadybinink specialist buhalter asistent savinink inžinier konsultant pavaduotoj vedėj "
    "director manager head chief officer president vp owner founder buyer engineer consultant assistant executive lead procurement representative secretary accountant analyst coordinator "
    "developer partner advisor supervisor ceo cto cfo coo specialist key"
).split()
#: What a department is called: it is neither a job nor a firm.
UNITS = "wydział dział katedra biuro departament abteilung institut referat odeljenje katedra sektor služba skyrius katedra department faculty facilities serwis".split()
CLOSINGS = (
    "pozdrawiam|z poważaniem|z wyrazami szacunku|łączę pozdrowienia|pozdrowienia|serdeczności|mit freundlichen grüßen|mit freundlichen grüssen|freundliche grüße|viele grüße|beste grüße|"
    "liebe grüße|herzliche grüße|mit besten grüßen|hochachtungsvoll|mfg|srdačan pozdrav|s poštovanjem|pozdrav|lep pozdrav|unapred hvala|pagarbiai|su pagarba|geros dienos|geriausi linkėjimai|"
    "linkėjimai|best regards|kind regards|kindest regards|warm regards|regards|best wishes|sincerely|yours sincerely|yours faithfully|yours truly|thanks|many thanks|thank you|cheers|best|all the best"
).split("|")  # fmt: skip
HEADER = re.compile(r"^\s*(?:from|von|od|nuo|šalje)\s*:\s*(.*)$", re.I)
HEADERS = re.compile(
    r"^\s*(?:from|sent|to|cc|subject|date|von|gesendet|an|betreff|datum|od|wysłano|do|temat|data|dw|šalje|poslato|za|tema|naslov|predmet|nuo|išsiųsta|kam|kopija)\s*:", re.I
)  # fmt: skip
QUOTED = re.compile(
    r"^\s*(?:-{3,}\s*(?:original|ursprüngliche|wiadomość|oryginalna|pirminis|originalna)|on .{5,80} wrote:|am .{5,80} schrieb|w dniu .{5,80} pisze|dana .{5,80} (?:napisao|piše)|.{5,80} rašė:)",
    re.I,
)
POSTCODES = {
    "PL": r"\b\d{2}-\d{3}\b", "LT": r"\bLT-\d{5}\b", "NL": r"\b\d{4} [A-Z]{2}\b", "IE": r"\b[A-Z]\d[\dW] [A-Z\d]{4}\b",
    "GB": r"\b[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}\b", "DE": r"(?<![\d+] )\b(?:D-)?\d{5}(?=\s+[^\W\d_])", "AT": r"\bA-\d{4}\b", "CH": r"\bCH-\d{4}\b",
}  # fmt: skip
POSTCODE = re.compile("|".join(POSTCODES.values()))
STATE = re.compile(r"\b([A-Z]{2}) (\d{5})(?:-\d{4})?\b")
STREET = re.compile(
    r"(?:^|\s)(?:ul|al|pl|os|aleja|aleje|plac|ulica|bulevar|bul|trg|street|st|road|rd|avenue|ave|lane|drive|way|court|square|close|unit|suite|yard|row|hill|gracht|"
    r"g|gatvė|pr|prospektas|pl|a|kelias|nowa)\.?(?=\s|,|$)|(?:straße|strasse|str\.|weg|platz|allee|gasse|ring|damm|ufer|gracht)\b", re.I
)  # fmt: skip
TITLE_AFTER = re.compile(r",?\s*\b(?:mba|phd|ph\.d\.|msc|bsc|prof\. uczelni|prof\. nadzw\.|cfa|acca|pmp)\b\.?.*$", re.I)
TITLE = r"(?:(?:prof|dr|hab|mgr|inż|inz|lic|dipl|ing|doc|mr|mrs|ms|miss|mag|rer|nat|med|habil|herr|frau|pan|pani|gdja|gosp|sir)(?![^\W\d_])\.?(?:-ing\.?)?|i\.\s?a\.|i\.\s?v\.|ppa\.)"
NAME = re.compile(rf"^((?:{TITLE}[\s,-]*)*)((?:[^\W\d_]\.\s*)*[^\W\d_][\w'’.-]*(?:\s+[^\W\d_][\w'’.-]*){{1,4}})$", re.I)
PARTICLES = {"van", "von", "de", "der", "den", "zu", "da", "di", "la", "del", "af", "ten", "ter"}


@dataclass
class Card:
    """What a text says about one person. Phones are in E.164; an address is `{street, postcode, city, region, country}`."""

    name: dict[str, str] = fresh(default_factory=dict)
    job: str = ""
    company: str = ""
    email: str = ""
    emails: list[str] = fresh(default_factory=list)
    phone: str = ""
    mobile: str = ""
    fax: str = ""
    web: str = ""
    address: dict[str, str] = fresh(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.name or self.email or self.phone or self.mobile or self.company)

    @property
    def full_name(self) -> str:
        return " ".join(self.name[key] for key in ("title", "first", "last") if self.name.get(key))


def read(text: str, region: str = "") -> Card:
    """What a pasted text says about the one who signed it; an empty card when it says nothing. `region` (PL) is where numbers without +
    are dialled when the text does not tell."""
    text = text[:LONGEST].replace("\r", "").replace("\u00a0", " ").replace("\u200b", "").replace("\t", " | ")
    if re.search(r"^BEGIN:VCARD", text, re.I | re.M):
        return _vcard(text, region)
    latin = text.translate(LATIN)
    sender, sender_mail = _sender(latin)
    card = _Reader(_signed(latin), region, sender, sender_mail).card()
    return card if latin == text else _as_written(card, text)


def _as_written(card: Card, text: str) -> Card:
    """The words of a card in the letters they were written in."""
    letters = [(said, place) for place, one in enumerate(text) for said in LATIN.get(ord(one), one)]
    latin, places = "".join(said for said, _ in letters), [place for _, place in letters] + [len(text)]

    def written(said: str) -> str:
        at = latin.find(said)
        return text[places[at] : places[at + len(said)]] if said and at >= 0 else said

    card.name = {key: written(said) for key, said in card.name.items()}
    card.address = {key: said if key == "country" else written(said) for key, said in card.address.items()}
    card.job, card.company = written(card.job), written(card.company)
    return card


def taker(entity: Any) -> bool:
    """Whether records of this entity can be filled from a card: they have a name and a way to reach somebody."""
    kinds = {one.name for one in entity.own_fields.values()}
    return bool(kinds & {"email", "phone"}) and (bool(entity.card) or "person_name" in kinds or ("address" in kinds and "url" in kinds))


def fields_of(entity: Any) -> dict[str, str]:
    """`{role of a card: field key}` of an entity: what its `card:` says, and for the rest the first field of the type. An entity without
    people takes the firm's name as its own."""
    found = dict(entity.card)
    own = {key: one for key, one in entity.own_fields.items() if not (one.formula or one.rollup or one.fixed)}
    for role, kind in (("name", "person_name"), ("email", "email"), ("phone", "phone"), ("web", "url"), ("address", "address")):
        first = next((key for key, one in own.items() if one.name == kind and key not in found.values()), None)
        if role not in found and first:
            found[role] = first
    if "name" not in found:
        title = next((key for key in re.findall(r"\{(\w+)", entity.title or "") if key in own and own[key].name == "text"), None)
        if title:
            found["firm"] = title
    return found


def values(door: Any, entity: str, card: Card) -> dict[str, Any]:
    """`{field key: typed value}` of a card for a record of `entity`; only fields this user may write. The firm becomes a link where one
    they may see is called so, else it goes into the text field of the role."""
    one, writable = door.schema.entities[entity], door.writable(entity)
    keys = fields_of(one)
    links = [key for key, field in one.own_fields.items() if field.name == "link" and _firm_like(door, field.to)]
    roles: dict[str, Any] = {"name": card.name or None, "job": card.job, "email": card.email, "phone": card.phone or (card.mobile if "mobile" not in keys else ""),
             "mobile": card.mobile, "fax": card.fax, "web": card.web, "address": card.address or None, "firm": card.company}  # fmt: skip
    found: dict[str, Any] = {keys[role]: value for role, value in roles.items() if value and keys.get(role) in writable}
    if card.company and "firm" not in keys:
        key = keys.get("company")
        target = key if key and one.fields[key].name == "link" else next((link for link in links if link in writable), None)
        match = firm(door, one.fields[target].to, card) if target in writable and target else None
        if match is not None and target:
            found[target] = match
        elif key in writable and key and one.fields[key].name == "text":
            found[key] = card.company
    return found


def _firm_like(door: Any, entity: str) -> bool:
    """Whether records of an entity may employ somebody: they can be reached, and are no people and no users."""
    one, users = door.schema.entities[entity], door.schema.users
    kinds = {field.name for field in one.own_fields.values()}
    return not (users and users.entity == entity) and "person_name" not in kinds and bool(kinds & {"email", "phone", "url", "address"})


def firm(door: Any, entity: str, card: Card) -> int | None:
    """The record a card's firm is, among those this user may see: the same name but for its legal form, else none."""
    if not door.may("see", entity):
        return None
    wanted = _firm_name(card.company)
    hits = [*door.search(wanted, limit=8, entities=[entity]), *door.search(re.sub(r"[„“\"]", "", card.company), limit=8, entities=[entity])]
    for hit in hits:
        if _firm_name(hit.title) == wanted:
            return int(hit.id)
    return None


def _firm_name(text: str) -> str:
    return re.sub(r"\W+", " ", folded(LEGAL.sub(" ", text))).strip()


def twins(door: Any, entity: str, found: dict[str, Any], limit: int = 3) -> list[Any]:
    """Records of the entity this user may see that have the card's e-mail or one of its numbers, or that its rules take for the same."""
    one = door.schema.entities[entity]
    known: dict[int, Any] = {}
    for key, value in found.items():
        field = one.fields[key]
        if field.name not in ("email", "phone") or key not in door.readable(entity):
            continue
        alike = [other for other, that in one.own_fields.items() if that.name == field.name and other in door.readable(entity)]
        for other in alike:
            for record in door.list(entity, [one.fields[other].condition("is", value, door.words)], limit=limit):
                known.setdefault(record.id, record)
    for record in door.duplicates(entity, found, limit=limit):
        known.setdefault(record.id, record)
    return list(known.values())[:limit]


def missing(record: Any, found: dict[str, Any]) -> dict[str, Any]:
    """What a card has and a record lacks: fields it has filled already stay as they are."""
    return {key: value for key, value in found.items() if key in record and record.get(key) in (None, "", [], {})}


def _sender(text: str) -> tuple[str, str]:
    """Name and address of the `From:` line of a mail, empty without one."""
    for line in text.split("\n")[:40]:
        if found := HEADER.match(line):
            mail = EMAIL.search(found[1])
            return re.sub(r"[<\[(].*", "", found[1]).strip(" \"'"), mail[0].lower() if mail else ""
    return "", ""


def _signed(text: str) -> list[str]:
    """The lines of the signature: behind the last greeting of the newest mail, without what is quoted and without its head."""
    lines: list[str] = []
    for line in text.split("\n"):
        if QUOTED.match(line) and lines:
            break
        if line.lstrip().startswith(">"):
            continue
        lines.append(line.rstrip())
    head = next((i for i, line in enumerate(lines) if line.strip()), 0)
    if head < len(lines) and HEADERS.match(lines[head]):
        end = head
        while end < len(lines) and lines[end].strip():
            end += 1
        lines = lines[end:]
        again = next((i for i, line in enumerate(lines) if HEADER.match(line)), None)  # the mail that was answered
        if again is not None:
            lines = lines[:again]
    start = 0
    for i, line in enumerate(lines):
        plain = line.strip()
        if re.fullmatch(r"[-_=*]{2,}\s*", plain) and any(one.strip() for one in lines[i + 1 :]):
            start = i + 1
        elif _closing(plain) and any(one.strip() for one in lines[i + 1 :]):
            start = i + 1
    return [line.strip() for line in lines[start:] if line.strip()]


def _closing(line: str) -> bool:
    words = line.casefold().strip(" ,.!")
    return (
        len(words) < 60
        and any(words == one or re.match(rf"{re.escape(one)}\b(?!-)", words) for one in CLOSINGS)
        and len(words.split()) <= 8
    )


@dataclass
class _Piece:
    """A stretch of a line between bars or commas, with what is already known of it."""

    text: str
    line: int
    used: bool = False


class _Reader:
    def __init__(self, lines: list[str], region: str, sender: str, sender_mail: str) -> None:
        self.lines = lines
        self.sender, self.sender_mail = sender, sender_mail
        self.found = Card()
        whole = "\n".join(lines)
        self.emails = list(dict.fromkeys(one.strip(".").lower() for one in EMAIL.findall(whole)))
        self.region = self._region(whole, region) or region
        self.pieces: list[_Piece] = []

    def _region(self, text: str, home: str) -> str:
        """The country a text is from: a country code of its numbers, its postcode, its legal form, a country's name."""
        for number in re.findall(r"(?:\+|(?<![\d ])00|(?<=[a-z.:] )00)(\d{2,3})", text):
            for length in (3, 2, 1):
                code = phonenumbers.region_code_for_country_code(int(number[:length]))
                if code not in ("ZZ", "001"):
                    return "US" if code == "US" else code
        if name := self._country_in(text):
            return name
        for code in ("PL", "LT", "NL", "IE", "GB"):
            if re.search(POSTCODES[code], text):
                return code
        if STATE.search(text):
            return "US"
        words = f" {text.casefold()} "
        marks = {
            "PL": ("sp. z o.o", " ul. ", " tel. kom", "kom.:", "wew."), "DE": ("gmbh", "straße", "str. ", " handy", "geschäftsführ", "telefon:", " e.k."),
            "RS": ("d.o.o", " a.d.", "ulica", "bulevar", "direktor", " mob. 06", "opština", "nabavk"), "LT": ("uab", " g. ", "všį", " pr. ", "vadov", "pagarb", "savinink", "vadybinink"),
            "GB": (" ltd", " plc", "london", " llp", "limited", "0770", "07700", "nhs"),
        }  # fmt: skip
        best = max(marks, key=lambda code: sum(mark in words for mark in marks[code]) + 1.5 * (code == home))
        return best if any(mark in words for mark in marks[best]) else ""

    @staticmethod
    def _country_in(text: str) -> str:
        names = {**_countries()}
        for piece in re.split(r"[\n,|]", text):
            code = names.get(fold(piece))
            if code:
                return code
        return ""

    def card(self) -> Card:
        found = self.found
        self._phones()
        self._split()
        found.emails = list(dict.fromkeys([*self.emails, *([self.sender_mail] if self.sender_mail else [])]))
        self._address()
        self._name()
        self._email()
        self._web()
        self._job()
        self._company()
        self._beside_job()
        return found

    # -- numbers

    def _phones(self) -> None:
        """Numbers with the words before them; what is found is cut out of its line, so that it is nothing else."""
        for number, line in enumerate(self.lines):
            if REGISTER.search(line) and not re.search(r"\btel|\bfon|\bmob|\+", line, re.I):
                self.lines[number] = re.split(REGISTER, line)[0].strip(" |,;")
                line = self.lines[number]
            rest, cut = line, []
            shown = re.sub(r"\(0\)", "", line) if "+" in line else line
            shown = re.sub(r"\b(?:wew\.?|extension|durchwahl|vid\.)\s*(\d{1,5})", r"ext. \1", shown, flags=re.I)
            shown = re.sub(r"(\d)\s*/\s*(\d{2,4}\s)", r"\1 \2", shown)
            if self.region == "LT":  # the old way to dial within the country
                shown = re.sub(r"\(8[ ~-](\d+)\)", r"(0\1)", shown)
                shown = re.sub(r"(?<![\d+])8[ -](?=\d{2,3}[ -]?\d)", "0", shown)
            if re.search(r"^\s*ext\.?\s*\d+\s*,", shown, re.I):
                shown = re.sub(r"^\s*ext\.?\s*\d+\s*,", "", shown, flags=re.I)
            masked = POSTCODE.sub(lambda m: "x" * len(m[0]), shown) if self.region != "US" else shown
            masked = EMAIL.sub(lambda m: "x" * len(m[0]), masked)
            for match in phonenumbers.PhoneNumberMatcher(masked, self.region or "DE", leniency=phonenumbers.Leniency.POSSIBLE):
                if len(re.sub(r"\D", "", match.raw_string)) < 7 or re.match(r"\d{1,2}[./]\d{1,2}[./]\d{2,4}", match.raw_string):
                    continue
                before = masked[: match.start]
                kept = phonenumbers.format_number(match.number, phonenumbers.PhoneNumberFormat.E164)
                if match.number.extension:
                    kept += f";ext={match.number.extension}"
                self._keep(kept, self._phone_kind(before, match.number))
                cut.append(re.escape(match.raw_string))
            if cut:
                rest = shown
                for one in cut:
                    rest = re.sub(one, "¦", rest)
                rest = re.sub(
                    r"(?:\b(?:tel|telefon|telefonas|phone|fon|mob|mobil|mobile|mobilus|kom|fax|faks|faksas|handy|cell|office|direct|viber|whatsapp|switchboard|t|m|f|p|ph|ext)\b[./:\s]*)+(?=¦)",
                    "",
                    rest,
                    flags=re.I,
                )
                rest = re.sub(r"\bext\.?\s*\d+", "", rest, flags=re.I).replace("¦", " | ")
                self.lines[number] = rest.strip(" |/,;")

    @staticmethod
    def _phone_kind(before: str, number: Any) -> str:
        label = re.search(r"([^\W\d_][^\W\d_./ ]*(?:[./ ]+[^\W\d_]+)*)[.:)\s]*[(+]?$", before)
        if label:
            words = [fold(one) for one in re.split(r"[./\s:]+", label[1]) if one]
            kinds = [PHONE_WORDS[one] for one in words[-2:] if one in PHONE_WORDS]
            if kinds:
                return "phone" if "phone" in kinds and "fax" in kinds else "mobile" if "mobile" in kinds else kinds[-1]
        kind = phonenumbers.number_type(number)
        british = number.country_code == 44 and str(number.national_number).startswith("7")
        return "mobile" if kind == phonenumbers.PhoneNumberType.MOBILE or british else "phone"

    def _keep(self, number: str, kind: str) -> None:
        if number in (self.found.phone, self.found.mobile, self.found.fax):
            return
        if not getattr(self.found, kind):
            setattr(self.found, kind, number)

    # -- the pieces of the lines

    def _split(self) -> None:
        for number, line in enumerate(self.lines):
            line = EMAIL.sub(" | ", line)
            for part in re.split(r"\s*[|•·¦]\s*|\s{3,}", line):
                part = re.sub(
                    r"^(?:e-?mail|mail|e|w|web|www|adres|address|adresas|adresa)\s*:\s*", "", part.strip(' ,;/–-"'), flags=re.I
                ).strip(" ,;/-")
                if part and re.search(r"\w", part):
                    self.pieces.append(_Piece(part, number))

    def _fresh(self) -> Iterator[_Piece]:
        return (one for one in self.pieces if not one.used)

    # -- address

    def _address(self) -> None:
        found, address = self.found, self.found.address
        for piece in self._fresh():
            code = _countries().get(fold(re.sub(r"^the ", "", piece.text, flags=re.I)))
            if code:
                address["country"], piece.used = code, True
        for number, piece in enumerate(self.pieces):
            if piece.used:
                continue
            state = STATE.search(piece.text) if self.region in ("US", "") else None
            match = None if state else POSTCODE.search(piece.text)
            if not state and not match:
                continue
            parts = [one.strip() for one in piece.text.split(",") if one.strip()]
            for part in parts[:]:
                if code := _countries().get(fold(part)):
                    address.setdefault("country", code)
                    parts.remove(part)
            if state:
                at = next(i for i, part in enumerate(parts) if STATE.search(part))
                address["region"], address["postcode"] = state[1], state[2]
                city = STATE.sub("", parts[at]).strip() or (parts.pop(at - 1) if at else "")
                at = min(at, len(parts) - 1)
            else:
                assert match is not None
                at = next((i for i, part in enumerate(parts) if match[0] in part), 0)
                code = match[0]
                address["postcode"] = re.sub(r"^(?:D|A|CH)-", "", code)
                city = parts[at].replace(code, " ").strip(" ,-")
                if not city and at + 1 < len(parts) and not re.search(r"\d", parts[at + 1]):
                    city = parts.pop(at + 1)
                elif not city and at and not re.search(r"\d", parts[at - 1]):
                    at -= 1
                    city = parts.pop(at)
            if city and re.search(r"[^\W\d_]", city):
                street_in = re.match(r"(.*\d\w*)\s+([^\W\d_].*)$", city)
                address["city"] = _cased(street_in[2] if street_in and len(parts) == 1 else city)
                if street_in and len(parts) == 1 and "street" not in address:
                    address["street"] = street_in[1]
            before, after = parts[:at], parts[at + 1 :]
            streets = [one for one in before if _streetlike(one)] or [one for one in after if _streetlike(one)]
            firms = [one for one in before if one not in streets]
            if streets:
                first = before.index(streets[0]) if streets[0] in before else None
                address["street"] = _cased(", ".join(before[first:] if first is not None else streets))
                firms = before[:first] if first is not None else before
            elif "street" not in address and number:
                above = self.pieces[number - 1]
                if not above.used and _streetlike(above.text):
                    address["street"] = _cased(above.text)
                    above.used = True
            piece.text, piece.used = ", ".join(firms), not firms
            break
        if "street" not in address:
            for piece in self._fresh():
                parts = [one.strip() for one in piece.text.split(",")]
                marked = next(
                    (i for i, part in enumerate(parts) if STREET.search(part) and re.search(r"\d", part) and not LEGAL.search(part)), None
                )
                if marked is not None and not _mostly_digits(piece.text):
                    address["street"] = _cased(parts[marked])
                    if marked + 1 < len(parts) and "city" not in address and not re.search(r"\d", parts[marked + 1]):
                        address["city"] = _cased(parts[marked + 1])
                    piece.text = ", ".join(parts[:marked])
                    piece.used = not piece.text
                    break
        if "country" in address and len(address) == 1:
            found.address = {}

    # -- who

    def _name(self) -> None:
        best: tuple[float, dict[str, str], _Piece | None, str] | None = None
        hints = [re.split(r"[._-]", mail.split("@")[0]) for mail in self.found.emails]
        for number, piece in enumerate(self._fresh()):
            for place, part in enumerate(re.split(r",|\s@\s", piece.text)[:2]):
                part = TITLE_AFTER.sub("", part).strip()
                if place or not part:
                    continue
                rest = piece.text.split(part, 1)[-1].strip(" ,@")
                made = _person(part)
                if made is None:
                    continue
                score = 3.0 - number * 0.25
                words = [folded(one) for one in f"{made.get('first', '')} {made['last']}".split()]
                for hint in hints:
                    plain = [folded(one) for one in hint if one]
                    score += 3 * any(len(word) > 2 and word in plain for word in words)
                    score += 2 * any(len(word) > 2 and plain and word in "".join(plain) for word in words)
                if self.sender and fuzz.token_sort_ratio(folded(part), folded(self.sender)) > 85:
                    score += 4
                score += 2 * bool(made.get("title"))
                score -= 4 * bool(LEGAL.search(part)) + 4 * _is_job(part) + 5 * _is_body(part) + 3 * _is_unit(part)
                domain = _domains(self.found.emails)
                score -= 3 * any(fuzz.ratio(re.sub(r"\W", "", folded(part)), one) > 80 for one in domain)
                if score > 1.2 and (best is None or score > best[0]):
                    best = (score, made, piece, rest)
        if best is not None:
            self.found.name = best[1]
            assert best[2] is not None
            best[2].text, best[2].used = best[3], not best[3]
            said = folded(self.found.full_name)
            for piece in self._fresh():  # the first name alone above it, the name a second time
                if folded(piece.text) in said:
                    piece.used = True
        elif self.sender and (made := _person(self.sender)):
            self.found.name = made

    def _email(self) -> None:
        """The person's own address before one of the house."""
        name = [folded(one) for one in (self.found.name.get("first", ""), self.found.name.get("last", "")) if one]

        def rank(mail: str) -> int:
            local = folded(mail.split("@")[0])
            return -sum(one in local for one in name) - (mail == self.sender_mail)

        mails = sorted(self.found.emails, key=rank)
        self.found.emails, self.found.email = mails, mails[0] if mails else ""

    def _web(self) -> None:
        for piece in self._fresh():
            for match in WEB.finditer(piece.text):
                said = match[0].rstrip("./")
                if (
                    folded(said).strip(".") in NO_WEB
                    or LEGAL.fullmatch(said)
                    or not re.search(r"\.[a-z]{2,}", said, re.I)
                    or re.fullmatch(r"(?:\w\.)+\w?", said)
                ):
                    continue
                if not (said.lower().startswith(("http", "www.")) or self._top(said)):
                    continue
                if not self.found.web:
                    self.found.web = said
                piece.text = piece.text.replace(match[0], " ").strip(" ,;:|/")
                piece.used = not re.search(r"\w", piece.text)

    def _top(self, said: str) -> bool:
        """Whether a bare word with a dot is a web address: its last part is one an e-mail here has, or a common one."""
        end = said.split("/")[0].rsplit(".", 1)[-1].lower()
        ends = {mail.rsplit(".", 1)[-1] for mail in self.found.emails}
        return (
            end in ends | {"com", "net", "org", "eu", "pl", "de", "rs", "lt", "uk", "at", "ch", "nl", "ie", "io", "info", "biz"}
            and said.split("/")[0].lower().count(".") >= 1
        )

    # -- what and where

    def _job(self) -> None:
        for piece in self._fresh():
            parts = re.split(r",|\s@\s|\s\|\s", piece.text)
            for number, part in enumerate(parts):
                if _is_job(part) and not LEGAL.search(part) and len(part) < 90 and not _is_body(part.split()[0] if part.split() else ""):
                    self.found.job = _cased(part.strip())
                    rest = [one.strip() for one in (*parts[:number], *parts[number + 1 :]) if one.strip()]
                    piece.text, piece.used = ", ".join(rest), not rest
                    return

    def _company(self) -> None:
        domains = _domains(self.found.emails + ([self.found.web] if self.found.web else []))
        best: tuple[float, str, _Piece] | None = None
        for number, piece in enumerate(self._fresh()):
            for part in _firms(piece.text):
                if len(part) > 90 or _mostly_digits(part) or REGISTER.search(part) or _closing(part):
                    continue
                plain = re.sub(r"\W", "", folded(LEGAL.sub("", part)))
                alike = max((fuzz.partial_ratio(plain, one) if min(len(plain), len(one)) > 3 else 0 for one in domains), default=0)
                score = 5.0 * bool(LEGAL.search(part)) + 4 * _is_body(part) + (4 if alike > 85 else 0) - 0.1 * number
                score -= (
                    4 * _is_unit(part)
                    + 3 * (_is_job(part) and not LEGAL.search(part) and not _is_body(part))
                    + 2 * bool(re.search(r"[.!?]\s", part) and not LEGAL.search(part))
                )
                score -= 6 * (len(part.split()) > 8)
                if score > 2 and (best is None or score > best[0]):
                    best = (score, part, piece)
        if best is not None:
            self.found.company = best[1].strip(" ,-")
            best[2].used = True

    def _beside_job(self) -> None:
        """A job no word of ours knows: the line under the name, in capitals of a title, when the firm is known too."""
        if self.found.job or not self.found.name or not self.found.company:
            return
        for piece in self._fresh():
            words = piece.text.split()
            if (
                1 <= len(words) <= 5
                and not re.search(r"[\d@.:!?]", piece.text)
                and not _is_unit(piece.text)
                and not _is_body(piece.text)
                and piece.line <= 2
            ):
                if re.search(r"(?:dienst|innendienst|berater|er|in|ist|or|nik|ka|as|ė)$", piece.text, re.I) and len(words) <= 3:
                    self.found.job, piece.used = piece.text, True
                    return


def _firms(text: str) -> list[str]:
    """What a line may call a firm: the whole, or its pieces between commas (not before a legal form: `Redwood, Inc.`)."""
    text = re.sub(r",\s+(?=(?:inc|llc|ltd|s\.r\.o|a\.s)\b)", "\x00", text, flags=re.I)
    parts = [one.replace("\x00", ", ").strip(" -") for one in re.split(r",|\s@\s|(?<=\w)\s-\s", text)]
    return [one for one in parts if one]


def _person(text: str) -> dict[str, str] | None:
    """A text as a name of a person, None where it looks like none."""
    text = text.strip(" ,.-\"'")
    match = NAME.match(text)
    if not match or re.search(r"[\d@/&„“]", text):
        return None
    titles = match[1].strip(" ,")
    words = match[2].split()
    if not 2 <= len(words) <= 5:
        return None
    shouting = text.upper() == text and len(text) > 5
    for word in words:
        if word.lower() in PARTICLES:
            continue
        if not (
            word[0].isupper()
            and (shouting or word[1:] == word[1:].lower() or re.fullmatch(r"(?:Mc|Mac|O['’]|D['’])?[^\W\d_]+(?:-[^\W\d_]+)*", word))
        ):
            return None
        if len(word.strip(".")) < 2 and word is words[-1]:
            return None
    if shouting:
        words = [_capital(word) for word in words]
    made = PersonName.split(" ".join(words))
    titles = re.sub(r"\b(?:i\.\s?[AV]\.|ppa\.)\s*", "", titles, flags=re.I).strip(" ,")
    return ({"title": titles} if titles else {}) | {key: made[key] for key in ("first", "last") if made.get(key)}


def _capital(word: str) -> str:
    return "-".join(part[:1].upper() + part[1:].lower() for part in word.split("-"))


def _cased(text: str) -> str:
    """What is written in capitals only, in ordinary letters."""
    letters = [one for one in text if one.isalpha()]
    if len(letters) < 6 or any(one.islower() for one in letters):
        return text
    return " ".join(_capital(word) if len(word.strip(".")) > 1 else word for word in text.split())


def _starts(text: str, beginnings: list[str]) -> bool:
    return any(word.startswith(one) for word in re.findall(r"[^\W\d_]+", text.casefold()) for one in beginnings)


def _is_job(text: str) -> bool:
    return _starts(text, JOBS)


def _is_body(text: str) -> bool:
    words = re.findall(r"[^\W\d_]+", text.casefold())
    return any(word == one or (len(one) > 5 and word.startswith(one) and len(word) - len(one) < 3) for word in words for one in BODIES)


def _is_unit(text: str) -> bool:
    first = re.findall(r"[^\W\d_]+", text.casefold())[:1]
    return bool(first) and first[0] in UNITS


def _mostly_digits(text: str) -> bool:
    return sum(one.isdigit() for one in text) > len(text) / 2


def _streetlike(text: str) -> bool:
    """A street and a number (or `bb`, none), a place in the country and a number."""
    if LEGAL.search(text) and not STREET.search(text) or EMAIL.search(text) or len(text) > 80:
        return False
    if re.search(r"\d", text):
        return bool(re.search(r"[^\W\d_]{3,}", text)) and not _mostly_digits(text)
    return bool(re.search(r"\bbb$", text))


def _domains(addresses: list[str]) -> list[str]:
    """The names in mail and web addresses that may be a firm's: `drewpol` of `anna@drewpol.example`."""
    found = []
    for one in addresses:
        host = re.sub(r"^(?:https?://)?(?:www\.)?", "", one.rsplit("@", 1)[-1]).split("/")[0]
        name = host.rsplit(".", 1)[0].replace(".", "").replace("-", "")
        if name and name not in (
            "gmail",
            "outlook",
            "hotmail",
            "yahoo",
            "icloud",
            "wp",
            "onet",
            "interia",
            "o2",
            "gmx",
            "webde",
            "tonline",
            "inbox",
            "proton",
            "protonmail",
        ):
            found.append(folded(name))
    return found


_COUNTRIES: dict[str, str] = {}


def _countries() -> dict[str, str]:
    """Country codes by name in the languages that are read."""
    if not _COUNTRIES:
        for language in ("pl", "de", "sr_Latn", "lt"):
            _COUNTRIES.update(countries(language))
        _COUNTRIES.update({"the netherlands": "NL", "lietuva": "LT", "srbija": "RS", "osterreich": "AT"})
    return _COUNTRIES


def _vcard(text: str, region: str) -> Card:
    """A vCard (RFC 6350, and 2.1 and 3.0 as phones write it)."""
    card = Card()
    for line in re.sub(r"\n[ \t]", "", text).split("\n"):
        head, _, value = line.partition(":")
        key, *more = head.upper().split(";")
        key, value = key.split(".")[-1], re.sub(r"\\([,;n\\])", lambda m: "\n" if m[1] == "n" else m[1], value.strip())
        kinds = " ".join(more)
        if key == "N":
            last, first, _, title = ([one.strip() for one in value.split(";")] + [""] * 4)[:4]
            card.name = {k: v for k, v in (("title", title), ("first", first), ("last", last)) if v}
        elif key == "FN" and not card.name:
            card.name = _person(value) or {}
        elif key == "ORG":
            card.company = value.split(";")[0].strip()
        elif key == "TITLE":
            card.job = value
        elif key == "EMAIL":
            card.emails.append(value.lower())
        elif key == "URL":
            card.web = value
        elif key == "TEL":
            try:
                number = phonenumbers.parse(value.removeprefix("tel:"), region or "DE")
            except phonenumbers.NumberParseException:
                continue
            kept = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            kind = "fax" if "FAX" in kinds else "mobile" if "CELL" in kinds else "phone"
            if not getattr(card, kind):
                setattr(card, kind, kept)
        elif key == "ADR":
            parts = ([one.strip() for one in value.split(";")] + [""] * 7)[:7]
            made = dict(zip(("street", "city", "region", "postcode", "country"), parts[2:], strict=True))
            made["country"] = _countries().get(fold(made["country"]), made["country"])
            card.address = {k: v for k, v in made.items() if v}
    card.email = card.emails[0] if card.emails else ""
    return card
