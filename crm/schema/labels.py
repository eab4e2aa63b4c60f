"""Reads the labels of other languages and reports what is missing or leads nowhere.

The YAML itself is English. `labels/<language>.yaml` of every layer is merged; the engine's own strings (`interface:`) always begin with
those of the shipped base, so that a configuration that does not extend it speaks the language too.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from crm.schema.building import Building
from crm.schema.entities import SYSTEM_FIELDS
from crm.schema.faults import Faults, known, meant, shorten
from crm.schema.language import LABELS
from crm.schema.overlay import shipped, shown
from crm.yamlfile import Map, Node, Scalar, read

PLURALS = ("zero", "one", "two", "few", "many", "other")


def build(b: Building, missing: bool = False) -> None:
    """Fill `schema.labels` and `schema.catalogues`; with `missing` also warn of texts without a translation."""
    schema = b.schema
    files = dict(b.tree.folder("labels"))
    engine = b.tree.layers and _base()
    for name, node in files.items():
        LABELS.check(node, b.faults, name)
        if name not in schema.languages and name != "en":
            said = f"the language '{name}' is not among the languages of crm.yaml." + meant(name, schema.languages)
            at = Scalar(node.file, 1, 1)
            b.faults.add("W904", at, said, f"Add it to `languages:` ({known(schema.languages)}), or remove this file.")
    for language in dict.fromkeys([*schema.languages, *files]):
        catalogue: dict[str, Any] = {}
        if engine:
            shared, _ = (
                read(engine / "labels" / f"{language}.yaml", text=None)
                if (engine / "labels" / f"{language}.yaml").is_file()
                else (None, [])
            )
            if isinstance(shared, Map) and isinstance(shared.get("interface"), Map):
                catalogue |= shared.values["interface"].plain()
        labels: dict[str, Any] = {}
        own = files.get(language)
        if own is not None:
            for key, value in own.items():
                if key.text == "interface":
                    if isinstance(value, Map):
                        forms(b.faults, value)
                        catalogue |= {k: v for k, v in value.plain().items() if v is not None}
                    continue
                flatten(b, key, value, key.text, labels)
        for key_, (_, english) in SYSTEM_FIELDS.items():
            if isinstance(said_ := catalogue.get(english), str):
                labels.setdefault(f"system.{key_}.label", said_)
        schema.labels[language] = labels
        schema.catalogues[language] = catalogue
        if missing and language != "en" and language in schema.languages:
            absent(b, language, labels, catalogue)


def _base() -> Any:
    try:
        return shipped("base")
    except LookupError:
        return None


def forms(faults: Faults, node: Map) -> None:
    """Check plural forms: {one, few, many, other}."""
    for key, value in node.items():
        if isinstance(value, Map):
            for form in value.keys.values():
                if form.text not in PLURALS:
                    message = f"'{shorten(form.text)}' is no plural form." + meant(form.text, PLURALS)
                    faults.add("E816", form, message, f"The forms are: {known(PLURALS)}.")
            if "other" not in value:
                message = f"the plural forms of '{shorten(key.text)}' lack 'other'."
                faults.add("E816", key, message, "Add `other:`, which serves whatever has no form of its own.")


def flatten(b: Building, at: Scalar, node: Node, path: str, into: dict[str, Any]) -> None:
    """Texts by dotted path; `x` stands for `x.label` where only that exists."""
    if isinstance(node, Map):
        for key, value in node.items():
            flatten(b, key, value, f"{path}.{key.text}", into)
        return
    if not isinstance(node, Scalar) or node.is_null:
        return
    texts = b.schema.texts
    if path not in texts and f"{path}.label" in texts:
        path = f"{path}.label"
    if path not in texts and not path.startswith("system."):
        if not b.off and not any(word in b.gone for word in path.split(".")):
            message = f"nothing is called '{shorten(path, 70)}'." + meant(path, texts)
            b.faults.add("W902", at, message, "Correct the path, or remove the line.")
        return
    into[path] = node.text


@lru_cache(maxsize=1)
def interface_texts() -> tuple[str, ...]:
    """Every text the engine itself may show; read from its sources once."""
    from crm.words import used

    return tuple(used())


def absent(b: Building, language: str, labels: dict[str, Any], catalogue: dict[str, Any]) -> None:
    """Warn of texts that this language lacks, at the file of this configuration where they belong; what is inherited is not its to mend,
    only texts of the engine that a shipped configuration lacks belong to the shipped base."""
    folder = b.schema.folder
    at = Scalar(shown(folder / "labels" / f"{language}.yaml"), 1, 1)
    base = _base()
    shared = base if base is not None and folder.resolve().parent == base.parent else folder
    engine = Scalar(shown(shared / "labels" / f"{language}.yaml"), 1, 1)
    for path, english in b.schema.texts.items():
        if path not in labels:
            said = f"no '{language}' for {path} ('{shorten(english)}')."
            b.faults.add("W901", at, said, f"Add `{path}:` with its text.")
    for text in interface_texts():
        if text not in catalogue:
            said = f"no '{language}' for the interface text '{shorten(text, 80)}'."
            b.faults.add("W903", engine, said, "Add it below `interface:`, by its English text.")
