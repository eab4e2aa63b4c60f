"""Everything that can be wrong, as exceptions that know how to say it to a user.

The text of an error is English and is at the same time the key of its translation: `str(error)` is English, `error.say(t)` speaks the
language of `t` (a `crm.words.Words`). Values are filled in after translation, so `Refused("At most {max} characters.", max=80)` has one
catalogue entry for all lengths.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

Translate = Callable[..., str]


def fill(text: str, values: Mapping[str, Any]) -> str:
    """`text` with its `{names}` replaced; a text that does not fit its values is shown as it is rather than failing."""
    if not values:
        return text
    try:
        return text.format(**values)
    except (KeyError, IndexError, ValueError, AttributeError, TypeError):
        return text


def _iso(value: date) -> str:
    return value.strftime("%Y-%m-%d %H:%M") if isinstance(value, datetime) else value.isoformat()


class Said(Exception):
    """An error whose text can be translated: `text` with `{names}`, `values` for them."""

    def __init__(self, text: str = "", /, **values: Any) -> None:
        super().__init__(text)
        self.text = text
        self.values = values

    def __str__(self) -> str:
        values = self.values
        if any(isinstance(value, date) for value in values.values()):
            values = {name: _iso(value) if isinstance(value, date) else value for name, value in values.items()}
        return fill(self.text, values)

    def say(self, t: Translate | None = None) -> str:
        """The text in the language of `t`; values that are errors themselves are said in it too."""
        if t is None:
            return str(self)
        values = {name: value.say(t) if isinstance(value, Said) else value for name, value in self.values.items()}
        return t(self.text, **values)

    def __reduce__(self) -> Any:
        return _again, (type(self), self.text, self.values)


def _again(cls: type[Said], text: str, values: dict[str, Any]) -> Said:
    return cls(text, **values)


class Refused(Said, ValueError):
    """One value is wrong; the text stands beside the field, so it does not repeat the field's name."""


class Denied(Said, PermissionError):
    """The user may see the thing but may not do this to it."""

    def __init__(self, text: str = "You may not do this.", /, **values: Any) -> None:
        super().__init__(text, **values)


class Missing(Said, LookupError):
    """The thing does not exist, or not for this user: both are said in the same words, so that nothing is given away."""

    def __init__(self, text: str = "There is no such record.", /, **values: Any) -> None:
        super().__init__(text, **values)


class RecordError(Exception):
    """What is wrong with a record as a whole: `problems` is `{field key: Refused or text}`, all of them at once.

    The key "" holds what belongs to no single field (a check over several fields).
    """

    def __init__(self, problems: Mapping[str, Any]) -> None:
        super().__init__(problems)
        self.problems: dict[str, Any] = dict(problems)

    def __str__(self) -> str:
        return "; ".join(f"{key}: {problem}" if key else str(problem) for key, problem in self.problems.items())

    def say(self, t: Translate | None = None) -> dict[str, str]:
        """`{field key: message}` in the language of `t`."""
        return {key: problem.say(t) if isinstance(problem, Said) else str(problem) for key, problem in self.problems.items()}


class GateError(RecordError):
    """A stage may not be entered yet: `missing` field keys are to be filled first (also in `problems`), `stage` is where it was going."""

    def __init__(self, missing: Iterable[str], stage: str = "", problems: Mapping[str, Any] | None = None) -> None:
        self.missing = list(missing)
        self.stage = stage
        told: dict[str, Any] = {key: Refused("Needed before this stage.") for key in self.missing}
        told.update(problems or {})
        super().__init__(told)

    def __reduce__(self) -> Any:
        return type(self), (self.missing, self.stage, self.problems)


class Conflict(Exception):
    """Somebody else changed the record meanwhile.

    `record` is its id, `yours` and `theirs` are `{field key: value}` of what both changed, or the versions the store compared; `who` is
    `{field key: (who changed it, when)}`.
    """

    def __init__(self, record: Any, yours: Any = None, theirs: Any = None, who: Mapping[str, tuple[str, str]] | None = None) -> None:
        super().__init__(record, yours, theirs)
        self.record, self.yours, self.theirs, self.who = record, yours, theirs, dict(who or {})
        self.text = "Somebody else changed this record meanwhile."

    def __str__(self) -> str:
        return self.text

    def say(self, t: Translate | None = None) -> str:
        """The text in the language of `t`."""
        return t("Somebody else changed this record meanwhile.") if t else self.text


@dataclass(frozen=True)
class Fault:
    """One mistake in a configuration file: where it is, what is wrong, and in `mend` how to put it right. Lines and columns count from 1.

    `code` is stable (`unknown-key`), so that tools and tests can name a kind of mistake whatever its words.
    """

    code: str
    file: str
    line: int
    column: int
    message: str
    mend: str = ""

    def __lt__(self, other: Fault) -> bool:
        return (self.file, self.line, self.column, self.code) < (other.file, other.line, other.column, other.code)

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}: {self.message}"
        return f"{place}\n    {self.mend}" if self.mend else place

    def as_dict(self) -> dict[str, Any]:
        """The shape of `crm check --json`."""
        return asdict(self)


class ConfigError(Exception):
    """A configuration that cannot be used; `faults` are all its mistakes in the order of files and lines."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = sorted(faults)
        super().__init__(self.faults)

    def __str__(self) -> str:
        return "\n".join(str(fault) for fault in self.faults)
