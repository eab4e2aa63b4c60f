"""What every field type does.

A value has four forms: *typed* (text or JSON from a user, a file, the API) → `clean` → *Python value* → `to_json` → *stored*
→ `from_json` → Python value. Nothing (None, "", [], {}) is None everywhere and is absent in the stored document.

A whole field type, and its YAML (`plate: {type: plate, label: Number plate}`):

    @FIELD_TYPES.add
    class Plate(Field):
        \"\"\"The number plate of a vehicle, in capitals without blanks.\"\"\"

        name = "plate"
        examples = {"ab 12 cde": "AB12CDE"}
        refuses = {"!": "This is not a number plate."}

        def read(self, typed, t):
            text = self.text(typed).replace(" ", "").upper()
            if not text.isalnum():
                raise Refused("This is not a number plate.")
            return text

Everything else has a working default in `Field`: storage, display, editor, filters, import and export, sorting.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, ClassVar, NamedTuple

import param
from tinydb.queries import Query, QueryInstance, where

from crm.errors import Refused
from crm.registry import Registry
from crm.words import ENGLISH, Words, shorten

FIELD_TYPES = Registry("crm.fields")


class Setting(NamedTuple):
    """A YAML key of a field type: its kind (text integer number boolean expression options fields list entity any) and what it does."""

    kind: str
    doc: str


#: YAML keys that every field takes.
COMMON: dict[str, Setting] = {
    "type": Setting("text", "The field's type"),
    "label": Setting("text", "What users read; made from the key when absent"),
    "help": Setting("text", "One sentence shown beside the editor"),
    "required": Setting("expression", "true, false, or a condition under which it must be filled"),
    "default": Setting("expression", "What a new record begins with: a value, or an expression over the record"),
    "show": Setting("expression", "Condition under which the field is shown"),
    "formula": Setting("expression", "Computed from other fields of the record; nobody types it"),
    "rollup": Setting("expression", "Computed from linked records (`max(activities.on)`), kept current by every change of theirs"),
    "was": Setting("any", "Former key or keys: makes a rename a rename"),
    "unique": Setting("boolean", "No two records share a value"),
    "search": Setting("boolean", "Found by the global search"),
    "fixed": Setting("boolean", "Read only for users"),
    "index": Setting("boolean", "Filtered and sorted often"),
    "width": Setting("integer", "Width of the column in lists, in pixels"),
    "placeholder": Setting("text", "Shown in an empty editor"),
    "drop": Setting("boolean", "Removes an inherited field"),
}

#: Filter operators and how they are said; a field type names those it understands.
OPERATORS: dict[str, str] = {
    "is": "is",
    "is_not": "is not",
    "contains": "contains",
    "starts": "starts with",
    "over": "is over",
    "under": "is under",
    "between": "is between",
    "before": "is before",
    "after": "is after",
    "any_of": "is any of",
    "within": "is within",
    "in_last": "in the last",
    "in_next": "in the next",
    "empty": "is empty",
    "filled": "is filled",
}
words = (
    "is", "is not", "contains", "starts with", "is over", "is under", "is between", "is before", "is after",
    "is any of", "is within", "in the last", "in the next", "is empty", "is filled",
)  # fmt: skip

LARGEST_ID = 2**53


@dataclass
class Shown:
    """What showing a value may need: the user's words, titles of linked records (None for what the user may not see), the schema.

    `record` is the record the value belongs to, where there is one (a stage's label depends on the record's pipeline).
    """

    t: Words = ENGLISH
    title: Callable[[str, int], str | None] = field(default=lambda entity, id: None)
    schema: Any = None
    record: Mapping[str, Any] | None = None

    @property
    def words(self) -> Words:
        return self.t


PLAIN = Shown()


def tidy(text: str, lines: bool = False) -> str:
    """Text as it is kept: Unicode NFC, no control characters, surrogates or direction marks, one kind of line end; stripped."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n"))
    kept = []
    for letter in text:
        if letter == "\n" or letter == "\t":
            kept.append(letter if lines else " ")
        elif ord(letter) >= 32 and not _unwanted(letter):
            kept.append(letter)
    text = "".join(kept)
    if not lines:
        return re.sub(r"\s+", " ", text).strip()
    return re.sub(r"[ \t]+(?=\n)", "", text).strip("\n").rstrip() if text.strip() else ""


def _unwanted(letter: str) -> bool:
    number = ord(letter)
    if number < 0x7F:
        return False
    return (
        0x7F <= number <= 0x9F
        or 0xD800 <= number <= 0xDFFF
        or 0x202A <= number <= 0x202E
        or 0x2066 <= number <= 0x2069
        or number == 0xFEFF
        or number & 0xFFFE == 0xFFFE
    )


def is_empty(value: Any) -> bool:
    """Whether a typed value is nothing: None, blank text, an empty list or mapping (False and 0 are something)."""
    if value is None:
        return True
    if isinstance(value, str):
        return not value or value.isspace()
    return isinstance(value, (list, tuple, dict, set, frozenset)) and not value


def flag(value: Any) -> Any:
    """A YAML yes or no as bool; other text (an expression) stays text."""
    if isinstance(value, str) and value.strip().lower() in ("true", "yes", "on", "false", "no", "off", ""):
        return value.strip().lower() in ("true", "yes", "on")
    return value


def humanise(key: str) -> str:
    """A label from a key: `next_step` is `Next step`."""
    text = key.replace("_", " ").strip()
    return text[:1].upper() + text[1:]


def nearest_word(text: str, known: Any) -> str | None:
    """The known word that was probably meant, or None."""
    by_fold = {str(word).casefold(): str(word) for word in known}
    found = get_close_matches(text[:60].casefold(), list(by_fold), 1, 0.7)
    return by_fold[found[0]] if found else None


class Field:
    """One field of one entity. Subclasses say what is different; see the module for a whole one.

    Class attributes:
      `name` the YAML word · `kind` how expressions treat it · `settings` YAML keys beyond the common ones ·
      `examples` {typed: stored} and `refuses` {typed: message}, which the tests and the documentation read ·
      `operators` of filters · `editor_type` · `sortable`, `searchable`, `align`
    """

    name: ClassVar[str] = ""
    kind: Any = "text"
    settings: ClassVar[dict[str, Setting]] = {}
    examples: ClassVar[dict[Any, Any]] = {}
    refuses: ClassVar[dict[Any, str]] = {}
    example_spec: ClassVar[dict[str, Any]] = {}  # settings that `examples` and `refuses` are read with
    operators: tuple[str, ...] = ("is", "is_not", "any_of", "empty", "filled")
    editor_type: ClassVar[str] = "text"
    sortable: bool = True
    searchable: ClassVar[bool] = False
    align: str = "left"
    many: ClassVar[bool] = False  # the value is a list

    to: str | None = None  # links: the entity at the other end
    back: str | None = None  # links: what the list of these records is called over there

    def __init__(self, key: str, spec: Mapping[str, Any] | None = None, entity: Any = None) -> None:
        self.key = key
        self.spec: dict[str, Any] = dict(spec or {})
        self.entity = entity
        self.label = str(self.spec.get("label") or humanise(key))
        self.help = str(self.spec.get("help") or "")
        self.placeholder = str(self.spec.get("placeholder") or "")
        self.required: Any = flag(self.spec.get("required") or False)
        self.default: Any = self.spec.get("default")
        self.show: Any = self.spec.get("show")
        self.formula: Any = self.spec.get("formula")
        self.rollup: Any = self.spec.get("rollup")
        self.rule: Any = self.spec.get("rule")  # the conditions its formula is made of, when it was made of some
        self.listed: list[Any] = []  # columns of lines: the price lists its cells are looked up in (crm.schema.lines)
        self.match: Any = None  # how a link finds its record by itself (crm.schema.rules)
        self.nightly = bool(flag(self.spec.get("nightly") or False))  # a formula that follows linked records once a day
        self.by_hand = bool(flag(self.spec.get("by_hand") or False))  # what somebody sets stays, whatever a rule says
        self.unique = bool(flag(self.spec.get("unique") or False))
        self.index = bool(flag(self.spec.get("index") or False))
        self.search = bool(flag(self.spec.get("search", self.searchable)))
        self.fixed = bool(flag(self.spec.get("fixed") or False)) or self.computed
        former = self.spec.get("was") or ()
        self.was: list[str] = [str(one) for one in former] if isinstance(former, (list, tuple)) else [str(former)]
        self.system = False
        self.path = f"entities.{self.entity_name}.fields.{key}"
        self.wrong: list[tuple[str, Refused]] = []  # settings that make no sense: (YAML key, why)
        self.setup()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.entity_name}.{self.key}>"

    @property
    def entity_name(self) -> str:
        return self.entity if isinstance(self.entity, str) else str(getattr(self.entity, "name", "") or "")

    @property
    def computed(self) -> bool:
        """Whether a formula, a rollup or a rule gives the value, so that nobody types it."""
        return bool(self.formula or self.rollup or self.rule) and not self.by_hand

    @property
    def follows(self) -> bool:
        """Whether a formula gives the value unless somebody has set it by hand (`formula` with `by_hand`)."""
        return self.by_hand and bool(self.formula) and not self.rule

    def setup(self) -> None:
        """Read the settings of `self.spec`; a setting that makes no sense goes to `self.wrong`."""

    def bind(self, schema: Any) -> None:
        """Called once when the whole schema is loaded, for types that need other parts of it (stages, users, link targets)."""

    def label_in(self, t: Any = None) -> str:
        """The label in the language of `t`."""
        return t.label(f"{self.path}.label", self.label) if t is not None else self.label

    def help_in(self, t: Any = None) -> str:
        """The help text in the language of `t`."""
        return t.label(f"{self.path}.help", self.help) if t is not None else self.help

    def number_setting(self, key: str, fallback: int) -> int:
        """A whole number among the settings."""
        value = self.spec.get(key)
        if value is None:
            return fallback
        try:
            number = int(str(value))
        except ValueError:
            number = -1
        if number < 0:
            self.wrong.append((key, Refused("'{text}' is not a whole number.", text=shorten(value))))
            return fallback
        return number

    def limit(self, key: str) -> Any:
        """The setting `min` or `max` as a Python value of this type."""
        value = self.spec.get(key)
        if is_empty(value):
            return None
        try:
            return self.read(value, ENGLISH)
        except Refused as error:
            self.wrong.append((key, error))
            return None

    # --- typed → Python value

    def clean(self, typed: Any, t: Words | None = None) -> Any:
        """The Python value of what was typed; None when it is empty. Raises Refused with words for the user, never anything else."""
        if is_empty(typed):
            return None
        try:
            value = self.read(typed, t or ENGLISH)
            if is_empty(value):
                return None
            self.check(value, t or ENGLISH)
        except Refused:
            raise
        except (ValueError, TypeError, ArithmeticError, LookupError, RecursionError) as error:
            raise Refused("This cannot be read.") from error
        return value

    def read(self, typed: Any, t: Words) -> Any:
        """Make the Python value of something that is not empty; raise Refused when that is impossible."""
        return self.text(typed)

    def check(self, value: Any, t: Words) -> None:
        """Refuse a value outside the field's limits."""

    def text(self, typed: Any, lines: bool = False, longest: int = 100_000) -> str:
        """Typed text, tidied; numbers are text too, lists and mappings are not."""
        if isinstance(typed, bool) or not isinstance(typed, (str, int, float)):
            if not hasattr(typed, "as_tuple"):  # a Decimal
                raise Refused("This is not a text.")
        if isinstance(typed, int) and abs(typed) > 10**300:
            raise Refused("This is too long.")
        text = typed if isinstance(typed, str) else str(typed)
        if len(text) > max(longest * 2, 1000):
            raise Refused("At most {max} characters; this has {n}.", max=longest, n=len(text))
        return tidy(text, lines)

    # --- Python value ↔ stored

    def to_json(self, value: Any) -> Any:
        """The stored form."""
        return value

    def from_json(self, stored: Any) -> Any:
        """The Python value; None for what cannot be understood (a document from before a change of the field's type)."""
        return stored

    def nearest(self, value: Any) -> tuple[Any, int]:
        """The stored form next to a value and how it compares to it (-1 below, 0 equal, 1 above): makes comparisons in the store exact."""
        return self.to_json(value), 0

    # --- text without a language: import and export

    def to_text(self, value: Any) -> str:
        """The form in CSV files: the same in every language, read back by `from_text`."""
        return "" if value is None else str(self.to_json(value))

    def from_text(self, text: Any, t: Words | None = None) -> Any:
        """The Python value of a cell of a file; with `t` it is read as that language writes it."""
        return self.clean(text, t)

    # --- showing

    def display(self, value: Any, ctx: Shown = PLAIN) -> str:
        """The value as a user reads it."""
        return "" if value is None else str(value)

    def cell(self, value: Any, ctx: Shown = PLAIN) -> Any:
        """The value in a list: text, or `{"text", "tone"?, "href"?, "who"?, …}`."""
        return self.display(value, ctx)

    def typed(self, value: Any, ctx: Shown = PLAIN) -> Any:
        """The value as JSON for its editor; `clean` gives the same value back."""
        return self.to_json(value)

    def editor(self, value: Any = None, ctx: Shown = PLAIN) -> dict[str, Any]:
        """How the value is edited, in form, list, gate, bulk edit and filter: `{"type", "value", "hint"?, "options"?, …}`."""
        result: dict[str, Any] = {"type": "fixed" if self.fixed else self.editor_type, "value": self.typed(value, ctx)}
        if self.fixed:
            result["text"] = self.display(value, ctx)
        hint = self.help_in(ctx.t)
        if hint:
            result["hint"] = hint
        if self.placeholder:
            result["placeholder"] = ctx.t.label(f"{self.path}.placeholder", self.placeholder)
        if self.required is True:
            result["required"] = True
        result.update(self.edited(ctx))
        return result

    def edited(self, ctx: Shown) -> dict[str, Any]:
        """What the editor of this type needs beyond the common parts."""
        return {}

    def parameter(self) -> param.Parameter:
        """A Param parameter for drafts and notebooks: it takes None and is permissive, `clean` decides."""
        return param.Parameter(default=None, allow_None=True, label=self.label, doc=self.help or None)

    # --- filtering and sorting

    @property
    def where(self) -> Query:
        """The field in a TinyDB query."""
        return where(self.key)

    def condition(self, op: str, typed: Any = None, t: Words | None = None) -> QueryInstance:
        """A filter as a TinyDB query over stored documents; `typed` is what the user entered beside the operator."""
        t = t or ENGLISH
        if op not in self.operators:
            raise Refused("This field cannot be filtered with '{op}'.", op=shorten(op))
        if op == "empty":
            return ~self.where.exists()
        if op == "filled":
            return self.where.exists()
        if is_empty(typed):
            raise Refused("Say what to compare with.")
        try:
            return self.compare(op, typed, t)
        except Refused:
            raise
        except (ValueError, TypeError, ArithmeticError, LookupError, RecursionError) as error:
            raise Refused("This cannot be read.") from error

    def compare(self, op: str, typed: Any, t: Words) -> QueryInstance:
        """The query of an operator that needs something to compare with."""
        if op == "is":
            return self.where == self.operand(typed, t)
        if op == "is_not":
            return ~(self.where == self.operand(typed, t))
        if op == "any_of":
            several = typed if isinstance(typed, (list, tuple, set)) else [typed]
            return self.where.one_of([self.operand(one, t) for one in several])
        if op == "contains":
            return self.where.search("(?i)" + re.escape(self.fragment(typed)))
        if op == "starts":
            return self.where.matches("(?i)" + re.escape(self.fragment(typed)))
        if op in ("over", "after"):
            return self.where > self.operand(typed, t)
        if op in ("under", "before"):
            return self.where < self.operand(typed, t)
        low, high = self.bounds(typed)
        if low is not None and high is not None:
            return (self.where >= self.operand(low, t)) & (self.where <= self.operand(high, t))
        return self.where >= self.operand(low, t) if low is not None else self.where <= self.operand(high, t)

    def operand(self, typed: Any, t: Words) -> Any:
        """The stored form of what a filter compares with; limits of the field do not apply."""
        value = None if is_empty(typed) else self.read(typed, t)
        if value is None:
            raise Refused("Say what to compare with.")
        return self.to_json(value)

    def fragment(self, typed: Any) -> str:
        """Part of a text to look for."""
        text = self.text(typed)
        if not text:
            raise Refused("Say what to compare with.")
        return text[:1000]

    def bounds(self, typed: Any) -> tuple[Any, Any]:
        """Both ends of `between`: a list of two, or a mapping `from` and `to`; one may be empty."""
        if isinstance(typed, Mapping):
            low, high = typed.get("from"), typed.get("to")
        elif isinstance(typed, (list, tuple)) and len(typed) == 2:
            low, high = typed
        elif isinstance(typed, str) and len(parts := re.split(r"\s*\.\.+\s*|\s+[–-]\s+", typed.strip())) == 2:
            low, high = parts
        else:
            raise Refused("Give two values: from and to.")
        low, high = (None if is_empty(one) else one for one in (low, high))
        if low is None and high is None:
            raise Refused("Give two values: from and to.")
        return low, high

    def operand_editor(self, op: str, ctx: Shown = PLAIN) -> dict[str, Any] | None:
        """The editor of a filter's operand: None where the operator needs none, `{"type": "pair", "of": editor}` for `between`."""
        if op in ("empty", "filled"):
            return None
        if op in ("in_last", "in_next"):
            return {"type": "text", "value": None, "placeholder": "30d"}
        if op in ("contains", "starts"):
            return {"type": "text", "value": None}
        fixed, self.fixed = self.fixed, False
        try:
            editor = self.editor(None, ctx)
        finally:
            self.fixed = fixed
        editor.pop("required", None)
        editor.pop("hint", None)
        if op == "between":
            return {"type": "pair", "of": editor}
        if op == "any_of" and editor.get("options"):
            return {**editor, "type": "multi", "value": []}
        return editor

    def sort_key(self, value: Any) -> Any:
        """What to sort Python values by; empty ones are the caller's business."""
        return value.casefold() if isinstance(value, str) else value

    @property
    def sort_path(self) -> str:
        """The dotted path in the document that a list is sorted by."""
        return self.key

    @property
    def search_paths(self) -> list[str]:
        """The dotted paths in the document whose text the global search reads."""
        return [self.key]

    # --- expressions

    @property
    def parts(self) -> dict[str, str]:
        """Named parts an expression may use (`address.city`) and their kinds; the value is then a mapping."""
        return {}

    @classmethod
    def documentation(cls) -> dict[str, Any]:
        """What the guide and the JSON Schema say about this type."""
        return {
            "name": cls.name,
            "text": re.sub(r"\s+", " ", (cls.__doc__ or "").strip()),
            "settings": {key: setting._asdict() for key, setting in cls.settings.items()},
            "operators": cls.operators if isinstance(cls.operators, tuple) else (),
            "examples": cls.examples,
            "refuses": cls.refuses,
        }
