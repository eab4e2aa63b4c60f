"""One of several options."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import param

from crm.errors import Refused
from crm.fields.base import FIELD_TYPES, PLAIN, Field, Setting, Shown, humanise, nearest_word
from crm.words import Words, shorten


@dataclass(frozen=True)
class Option:
    """One option: `key` is kept, `label` is read; `color` and `icon` are shown; `was` are former keys."""

    key: str
    label: str
    color: str = ""
    icon: str = ""
    was: tuple[str, ...] = ()


def options_of(spec: Any) -> dict[str, Option]:
    """Options from YAML: a list of keys, `{key: label}` or `{key: {label, color, icon, was}}`."""
    options: dict[str, Option] = {}
    if isinstance(spec, Mapping):
        for key, value in spec.items():
            if isinstance(value, Mapping):
                former = value.get("was") or ()
                was = (former,) if isinstance(former, str) else tuple(str(one) for one in former)
                look = {name: str(value.get(name) or "") for name in ("color", "icon")}
                options[str(key)] = Option(str(key), str(value.get("label") or humanise(str(key))), was=was, **look)
            else:
                options[str(key)] = Option(str(key), str(value) if value not in (None, "") else humanise(str(key)))
    elif isinstance(spec, Iterable) and not isinstance(spec, (str, bytes)):
        for item in spec:
            if isinstance(item, Mapping):
                options.update(options_of(item))
            else:
                options[str(item)] = Option(str(item), humanise(str(item)))
    return options


@FIELD_TYPES.add
class Choice(Field):
    """One of the `options`. A value may be given as the option's key or its label in the user's language; the key is kept."""

    name = "choice"
    kind = "choice"
    settings: ClassVar[dict[str, Setting]] = {
        "options": Setting("options", "What can be chosen: a list of keys, or key: label, or key: {label, color, icon, was}")
    }
    examples = {"two": "two", "Two": "two", " ONE ": "one"}
    refuses = {"three": "'three' is not one of: One, Two.", "on": "'on' is not one of: One, Two. Did you mean 'One'?"}
    example_spec: ClassVar[dict[str, Any]] = {"options": ["one", "two"]}
    operators: tuple[str, ...] = ("is", "is_not", "any_of", "empty", "filled")
    editor_type = "select"

    def setup(self) -> None:
        self._options = options_of(self.spec.get("options"))

    @property
    def options(self) -> dict[str, Option]:
        """`{key: Option}` in the order of the YAML."""
        return self._options

    def options_for(self, ctx: Shown) -> dict[str, Option]:
        """The options that make sense for the record at hand."""
        return self.options

    def option_label(self, key: str, t: Words | None = None) -> str:
        """The label of an option in the language of `t`; an unknown key is its own label."""
        option = self.options.get(key)
        label = option.label if option else humanise(key)
        return t.label(f"{self.path}.options.{key}", label) if t is not None else label

    def read(self, typed: Any, t: Words) -> Any:
        return self.one(typed, t)

    def one(self, typed: Any, t: Words) -> str:
        """The key of the option that was typed."""
        if isinstance(typed, Mapping):
            typed = typed.get("value", typed.get("key"))
        text = self.text(typed)
        if text in self.options:
            return text
        low = text.casefold()
        for key, option in self.options.items():
            if low in (key.casefold(), option.label.casefold(), self.option_label(key, t).casefold()) or text in option.was:
                return key
        labels = [self.option_label(key, t) for key in self.options]
        listed = ", ".join(labels[:8]) + (", …" if len(labels) > 8 else "")
        if not labels:
            raise Refused("'{text}' cannot be chosen: there are no options yet.", text=shorten(text))
        near = nearest_word(text, labels) or nearest_word(text, self.options)
        if near:
            raise Refused("'{text}' is not one of: {options}. Did you mean '{near}'?", text=shorten(text), options=listed, near=near)
        raise Refused("'{text}' is not one of: {options}.", text=shorten(text), options=listed)

    def from_json(self, stored: Any) -> Any:
        return stored if isinstance(stored, str) else None

    def display(self, value: Any, ctx: Shown = PLAIN) -> str:
        return "" if value is None else self.option_label(value, ctx.t)

    def cell(self, value: Any, ctx: Shown = PLAIN) -> Any:
        if value is None:
            return ""
        option = self.options.get(value)
        result: dict[str, Any] = {"text": self.display(value, ctx)}
        if option and option.color:
            result["tone"] = option.color
        if option and option.icon:
            result["icon"] = option.icon
        return result

    def edited(self, ctx: Shown = PLAIN) -> dict[str, Any]:
        return {"options": [[key, self.option_label(key, ctx.t)] for key in self.options_for(ctx)]}

    def parameter(self) -> param.Parameter:
        objects = {"": None, **{option.label: key for key, option in self.options.items()}}
        return param.Selector(default=None, objects=objects, allow_None=True, check_on_set=False, label=self.label, doc=self.help or None)

    def sort_key(self, value: Any) -> Any:
        order = list(self.options)
        return order.index(value) if value in order else len(order)
