"""Checks the options of a report that is an analysis, read from the source of the analysis: nothing that computes is imported for it.

The class body of an analysis (`crm/analytics/analyses/base.py`) says in literals which options and columns it has::

    options = {"of": "back", "on": "date of of", "where": "condition of of?", "facts": {"each": {"label": "text?", "value": "expression"}}}
    columns = {"fact": "dimension text", "effect": "measure number"}

A kind is one of `KINDS` (or a list of them: `paths`, `numbers`, …; `date`, `link` and `figure` are paths that end at such a field,
`part` a percentage up to 100%), `choice:a|b|c`, or a mapping of names to options of their own (`each`;
`one`: it is given by exactly one of these). `of` names another option (a list of linked records, an entity, a link, a report) whose
records are meant; a `?` at the end: may be left out. `column` of a link that is a field of lines is a link in them.

`needs = {"spend": ["spent"], "by=person": ["who"]}` says which options make others necessary, `roles = ["amount"]` which fields a pipeline
must name for its records, `examples = {"months": "12"}` what is written where a figure is wrong.
"""

from __future__ import annotations

import ast
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from crm.schema.building import Building
from crm.schema.faults import known, meant, shorten, what
from crm.schema.model import Entity, Report
from crm.schema.reading import percent, readable, scalar, scalars, submap, truth
from crm.schema.scope import kind_of
from crm.schema.shapes import NO, YES
from crm.yamlfile import Map, Node, Scalar

PACKAGE = "crm.analytics.analyses"
KINDS = (
    "path", "date", "link", "figure", "column", "condition", "expression", "formula", "number", "whole", "percent", "part", "flag", "text", "back", "entity",
    "report", "forecast", "pipeline", "role",
)  # fmt: skip
#: The kinds of fields that such a path ends at.
ENDS = {"date": ("date", "datetime"), "figure": ("number", "integer", "money", "percent", "duration", "rating")}
#: What numbers may be: counts and days begin with one, and nobody means more than this.
RANGES = {"whole": (1, 10_000), "number": (0, 1e15), "part": (0, 1), "percent": (-1, 10)}
#: Words of a report that say how records are grouped and counted: an analysis does that itself.
GROUPED = ("by", "measures", "stays", "compare")

Declared = tuple[dict[str, Any], dict[str, str]]
#: What the class of an analysis says in literals.
WORDS = ("name", "options", "columns", "needs", "roles", "examples")


class Told(NamedTuple):
    """What an analysis says of itself."""

    options: dict[str, Any]
    columns: dict[str, str]
    doc: str
    needs: dict[str, list[str]]
    roles: list[str]
    examples: dict[str, str]


def analysis_names() -> list[str]:
    """The analyses by the names of their files, and those of plug-ins."""
    names = set(getattr(_registry(), "_classes", ()))
    for folder in _folders():
        names |= {file.stem for file in folder.glob("*.py") if not file.stem.startswith("_") and declared(file.stem) is not None}
    return sorted(names)


def declared(name: str) -> Declared | None:
    """(options, columns) of an analysis; None where there is none of this name."""
    found = told(name)
    return found[:2] if found is not None else None


def told(name: str) -> Told | None:
    """All that an analysis says of itself."""
    cls = getattr(_registry(), "_classes", {}).get(name)
    if cls is not None:
        return Told(dict(cls.options), dict(cls.columns), cls.__doc__ or "", dict(cls.needs), list(cls.roles), dict(cls.examples))
    for folder in _folders():
        file = folder / f"{name}.py"
        if file.is_file():
            return _source(file, name, file.stat().st_mtime)
    return None


def described() -> list[str]:
    """A table of the analyses for the language page: what each makes, its options, the columns a chart may name."""
    rows = ["| analysis | a row is | options | columns |", "|---|---|---|---|"]
    for name in analysis_names():
        found = told(name)
        if found is not None:
            doc = " ".join(found[2].split()).replace("|", "\\|")
            options = "; ".join(f"`{key}` {kind if isinstance(kind, str) else _nested(kind)}" for key, kind in found[0].items())
            columns = ", ".join(f"`{key}`" for key in found[1])
            rows.append(f"| `{name}` | {doc} | {options.replace('|', ' / ')} | {columns} |")
    return rows


def _nested(kind: dict[str, Any]) -> str:
    inner = kind.get("each") or kind.get("each?") or {}
    return "names, each with " + ", ".join(f"`{key}` {one}" for key, one in inner.items())


def _registry() -> Any:
    return getattr(sys.modules.get(f"{PACKAGE}.base"), "ANALYSES", None)


def _folders() -> list[Path]:
    folder = Path(__file__).resolve().parents[1] / "analytics" / "analyses"
    return [folder] if folder.is_dir() else []


@lru_cache(maxsize=128)
def _source(file: Path, name: str, changed: float) -> Told | None:
    """What the class called `name` in a source says of itself."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ClassDef):
            continue
        said: dict[str, Any] = {}
        for line in node.body:
            target = line.target if isinstance(line, ast.AnnAssign) else line.targets[0] if isinstance(line, ast.Assign) else None
            value = getattr(line, "value", None)
            if isinstance(target, ast.Name) and target.id in WORDS and value is not None:
                said[target.id] = ast.literal_eval(value)
        if said.get("name") == name:
            doc = ast.get_docstring(node) or ""
            lists = said.get("options", {}), said.get("columns", {}), doc, said.get("needs", {}), said.get("roles", [])
            return Told(*lists, said.get("examples", {}))
    return None


# --- of a report


def build(b: Building, one: Report, node: Map, entity: Entity) -> bool:
    """Takes up `analysis` and `options` of a report; whether it can be shown. Words that do not go with an analysis are faults."""
    said = scalar(node, "analysis")
    if said is None:
        if node.get("options") is not None:
            b.faults.add("E531", node.keys["options"], "this report has options and no analysis that reads them.", "Add `analysis:`.")
        if node.get("measures") is None or node.values["measures"].is_null:
            mend = "Add `measures: {revenue: sum(amount)}` (the figures), or `analysis:` with the name of an analysis."
            b.faults.add("E103", node, "the key 'measures' is missing here.", mend)
        return True
    found = told(said.text)
    if found is None:
        message = f"there is no analysis called '{shorten(said.text)}'." + meant(said.text, analysis_names())
        b.faults.add("E530", said, message, f"There are: {known(analysis_names(), 40)}.")
        return False
    for word in GROUPED:
        if node.get(word) is not None:
            message = f"the analysis '{said.text}' makes its own rows, so '{word}' says nothing here."
            b.faults.add("E531", node.keys[word], message, "Remove it, or remove `analysis:`.")
    one.compare, before = None, len(b.faults)
    asked = found.options
    one.analysis, one.columns = said.text, found.columns
    for role in found.roles:
        if entity.role(role) is None:
            message = f"the analysis '{said.text}' needs the {role} of '{entity.name}', and no pipeline says which field that is."
            b.faults.add("E535", said, message, "Take an entity whose records go through a pipeline, or name the field in its `fields:`.")
            break
    given = node.get("options")
    options = submap(node, "options")
    if given is not None and not isinstance(given, Map) and not given.is_null:
        return False  # the shape was reported
    values = _Reading(b, one, said.text, found).all(asked, options, entity, "", at=given if isinstance(given, Map) else said)
    one.options = values
    return not (b.off and len(b.faults) == before and any(_missing(asked[key], values.get(key)) for key in asked))


def _missing(kind: Any, value: Any) -> bool:
    return value is None and not (isinstance(kind, str) and kind.endswith("?") or isinstance(kind, dict) and "each?" in kind)


class _Reading:
    """The options of one report on their way from YAML to values."""

    def __init__(self, b: Building, one: Report, analysis: str, told: Told) -> None:
        self.b, self.one, self.analysis, self.needs, self.examples = b, one, analysis, told.needs, told.examples
        self.linked: dict[str, Any] = {}  # option → the field its path ends at

    def all(
        self, asked: dict[str, Any], node: Map, entity: Entity, path: str, at: Any, outer: dict[str, Entity] | None = None
    ) -> dict[str, Any]:
        """The values of a set of options; what is missing, unknown or of the wrong kind is a fault at its place."""
        b = self.b
        for word in node.keys.values():
            if word.text not in asked:
                where = f"'{path.rstrip('.')}' of the analysis" if path else "the analysis"
                message = f"{where} '{self.analysis}' has no option '{shorten(word.text)}'." + meant(word.text, asked)
                b.faults.add("E532", word, message, f"It has: {known(asked, 40)}.")
        over: dict[str, Entity] = dict(outer or {})
        stated = frozenset(key for key, kind in asked.items() if node.get(key) is not None or _missing(kind, None))
        found: dict[str, Any] = {}
        for key, kind in asked.items():
            value = node.get(key)
            if value is None or (isinstance(value, Scalar) and value.is_null):
                if _missing(kind, None):
                    whose = f"'{path.rstrip('.')}' of the analysis '{self.analysis}'" if path else f"the analysis '{self.analysis}'"
                    b.faults.add("E533", at, f"{whose} needs the option '{key}'.", f"Add `{key}:` with {_wanted(kind)}.")
                if key == "label" and path:
                    found[key] = self.label(path, readable(path.rstrip(".").rsplit(".", 1)[-1]))
                continue
            found[key] = self.one_of(key, kind, value, entity, f"{path}{key}", over, stated)
        for said, needed in self.needs.items():
            key, _, only = said.partition("=")
            if key not in asked or found.get(key) is None or (only and str(found[key]) != only):
                continue
            for other in needed:
                if node.get(other) is None:
                    why = f"with '{key}: {only}'" if only else f"with '{key}'"
                    b.faults.add(
                        "E533", node.keys[key], f"{why} the option '{other}' is needed.", f"Add `{other}:` with {_wanted(asked[other])}."
                    )
        for key, kind in asked.items():
            of = str(kind).rstrip("?").removeprefix("column of ")
            if f"column of {of}" == str(kind).rstrip("?") and getattr(self.linked.get(of), "columns", None) and node.get(key) is None:
                message = f"'{of}' is a field of lines, so the option '{key}' is needed."
                b.faults.add("E533", node.keys[of], message, f"Add `{key}:` with one of: {known(links(self.linked[of]))}.")
        return found

    def label(self, path: str, english: str) -> str:
        return self.b.text(f"{self.one.path}.options.{path}label", english)

    def one_of(self, key: str, kind: Any, value: Node, entity: Entity, path: str, over: dict[str, Entity], stated: frozenset[str]) -> Any:
        """The value of one option; `over` are the entities that options before it lead to, `stated` those that should."""
        b = self.b
        if isinstance(kind, dict):
            if not isinstance(value, Map):
                b.faults.add("E534", value, f"'{key}' is a mapping of names, not {what(value)}.", "Write `name: {…}` lines below it.")
                return None
            inner = kind.get("each") or kind.get("each?") or {}
            made = {}
            for name, below in value.items():
                if not isinstance(below, Map):
                    b.faults.add("E534", below, f"'{name.text}' must be a mapping, not {what(below)}.", f"Its keys are {known(inner, 20)}.")
                    continue
                ways = kind.get("one", ())
                if ways and sum(below.get(way) is not None for way in ways) != 1:
                    b.faults.add(
                        "E533", name, f"'{path}.{name.text}' is given by exactly one of {', '.join(ways)}.", f"Add `{ways[0]}:`, say."
                    )
                    continue
                made[name.text] = self.all(inner, below, entity, f"{path}.{name.text}.", name, over)
            return made
        word, _, of = kind.rstrip("?").partition(" of ")
        if word == "column":
            return self.column(key, of, value)
        if of and of not in over and of in stated:
            return None  # what it is read over is wrong, and was reported
        here = over.get(of, entity) if of else entity
        word = "entitys" if word == "entities" else word
        if word not in KINDS and not word.startswith("choice:") and word.endswith("s"):
            said = scalars(value)
            if not said:
                b.faults.add("E534", value, f"'{key}' is {_wanted(kind)}, not {what(value)}.", f"Write `{key}: [one, two]`.")
            return [one for each in said if (one := self.value(key, word[:-1], each, here, path, over)) is not None]
        if not isinstance(value, Scalar):
            b.faults.add("E534", value, f"'{key}' is {_wanted(kind)}, not {what(value)}.", "Write one value.")
            return None
        return self.value(key, word, value, here, path, over)

    def value(self, key: str, word: str, node: Scalar, entity: Entity, path: str, over: dict[str, Entity]) -> Any:
        """One value of one kind."""
        b, schema = self.b, self.b.schema
        if word in ("path", "date", "link", "figure"):
            found = b.path(node, entity)
            if found is None or not self.ends(key, word, node, found[1]):
                return None
            self.linked[key] = found[1]
            if found[1].to in schema.entities:
                over[key] = schema.entities[found[1].to]
            self.one.reads.append((entity.name, found[0]))
            return found[0]
        if word in ("condition", "expression", "formula"):
            made = b.expression(node, entity.scope, "boolean" if word == "condition" else None)
            lists = [] if made is None or word != "formula" else [one for path in made.uses if (one := path.split(".")[0]) in entity.back]
            if lists:
                message = f"'{key}' looks at the record itself and what it links to, not at lists like '{lists[0]}'."
                b.faults.add("E534", node, message, "Name fields and links.")
                return None
            if made is not None:
                self.one.reads += [(entity.name, one) for one in made.uses]
            return made
        if word == "back":
            name = b.reference(node, entity.back, f"list of '{entity.name}'", "E535")
            if name is not None:
                over[key] = schema.entities[entity.back[name][0]]
                self.one.reads.append((entity.name, name))
            return name
        if word in ("entity", "pipeline", "role"):
            there: Any = {"entity": schema.entities, "pipeline": schema.pipelines, "role": schema.roles}[word]
            name = b.reference(node, there, word, "E535")
            if name is not None and word == "entity":
                over[key] = schema.entities[name]
                self.one.reads.append((name, "id"))
            return name
        if word in ("report", "forecast"):
            return b.reference(node, [name for name, _ in b.tree.folder(f"{word}s")], word, "E535")
        if word == "text":
            return b.text(f"{self.one.path}.options.{path}", node.text)
        if word == "flag":
            if node.text.lower() not in YES | NO:
                b.faults.add("E534", node, f"'{key}' is yes or no, not {what(node)}.", f"Write `{key}: true` or `{key}: false`.")
            return truth(node.text)
        if word.startswith("choice:"):
            choices = word.removeprefix("choice:").split("|")
            if node.text not in choices:
                message = f"'{key}' cannot be '{shorten(node.text)}'." + meant(node.text, choices)
                b.faults.add("E534", node, message, f"Write one of: {known(choices)}.")
                return None
            return node.text
        number, share = percent(node.text), word in ("percent", "part")
        mend = f"Write for example `{key}: {self.examples.get(key) or _example(word)}`."
        if number is None or (word == "whole" and number != int(number)) or (not share and node.text.strip().endswith("%")):
            b.faults.add("E534", node, f"'{key}' is {_wanted(word)}, not {what(node)}.", mend)
            return None
        low, high = RANGES[word]
        if not low <= number <= high:
            edge = f"at least {_edge(word, low)}" if number < low else f"at most {_edge(word, high)}"
            b.faults.add("E534", node, f"'{key}' must be {edge}, not {node.text}.", mend)
            return None
        return int(number) if word == "whole" else number if share else float(number)

    def column(self, key: str, of: str, node: Node) -> str | None:
        """A link in the lines that the option `of` leads to."""
        field = self.linked.get(of)
        if field is None or not isinstance(node, Scalar):
            return None
        if not getattr(field, "columns", None):
            self.b.faults.add("E534", node, f"'{of}' is no field of lines, so '{key}' says nothing.", f"Remove `{key}:`.")
            return None
        return self.b.reference(node, links(field), "link in these lines", "E535")

    def ends(self, key: str, word: str, node: Scalar, field: Any) -> bool:
        """Whether a path ends at a field of the kind it is read as."""
        if word == "path" or (word == "link" and (field.to or getattr(field, "columns", None))):
            return True
        if kind_of(field) in ENDS.get(word, ()):
            return True
        message = f"'{key}' must be {_wanted(word)}, and '{node.text}' is of type {field.name}."
        self.b.faults.add("E534", node, message, f"Name {_wanted(word)}.")
        return False


def links(field: Any) -> list[str]:
    """The links in a field of lines."""
    return [key for key, one in (getattr(field, "columns", None) or {}).items() if getattr(one, "to", None)]


def _wanted(kind: Any) -> str:
    """A kind in words."""
    if isinstance(kind, dict):
        return "a mapping of names"
    word = kind.rstrip("?").partition(" of ")[0]
    if word.startswith("choice:"):
        return "one of " + ", ".join(word.removeprefix("choice:").split("|"))
    told = {
        "path": "a field or `link.field`", "date": "a date", "link": "a link to a record", "figure": "a field that is a figure", "column": "a link in the lines", "part": "a percentage", "condition": "a condition", "expression": "a formula", "formula": "a formula", "number": "a number", "whole": "a whole number",
        "percent": "a percentage", "flag": "yes or no", "text": "a text", "back": "a list of linked records", "entity": "an entity",
        "report": "a report", "forecast": "a forecast", "pipeline": "a pipeline", "role": "a role",
    }  # fmt: skip
    return told[word] if word in told else f"a list, each {told['entity' if word == 'entities' else word[:-1]]}"


def _example(word: str) -> str:
    return {"whole": "30", "percent": "25%", "part": "25%"}.get(word, "2.5")


def _edge(word: str, value: float) -> str:
    """The end of a range as it is written."""
    return f"{value * 100:.0f}%" if word in ("percent", "part") else f"{value:.0f}"
