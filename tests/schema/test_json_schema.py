"""The JSON Schema of editors accepts what the check accepts, and refuses typing mistakes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from crm.fields import FIELD_TYPES
from crm.schema import json_schema, language_page, shipped_names, write_json_schema
from crm.schema.language import KINDS
from crm.schema.overlay import PLACES

FILES = sorted({file for place in PLACES if place.is_dir() for file in place.rglob("*.yaml") if not file.name.startswith("demo")})
FOLDERS = {folder: kind for folder, (kind, _) in KINDS.items()} | {"labels": "labels"}


@pytest.fixture(autouse=True, scope="module")
def shipped_types_only() -> Iterator[None]:
    """Field types that another test brought along are not in the shipped schemas."""
    classes = FIELD_TYPES._classes
    list(FIELD_TYPES)
    before = dict(classes)
    for name, cls in before.items():
        if not cls.__module__.startswith("crm.fields."):
            del classes[name]
    yield
    classes.update(before)


class Loader(yaml.SafeLoader):
    """YAML 1.2 as editors read it: `no`, `on` and dates are text."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag not in ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp")]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))


def kind_of(file: Path) -> str:
    return "crm" if file.name == "crm.yaml" else next(FOLDERS[part] for part in reversed(file.parts) if part in FOLDERS)


def as_keys(data: Any) -> Any:
    """Keys as text, as JSON has them."""
    if isinstance(data, dict):
        return {str(key): as_keys(value) for key, value in data.items()}
    return [as_keys(item) for item in data] if isinstance(data, list) else data


@pytest.fixture(scope="module")
def schemas() -> dict[str, Any]:
    return json_schema()


def test_they_are_schemas(schemas: dict[str, Any]) -> None:
    assert set(schemas) == {"crm", "labels", *(kind for kind, _ in KINDS.values())}
    for schema in schemas.values():
        jsonschema.Draft7Validator.check_schema(schema)


@pytest.mark.parametrize("file", FILES, ids=lambda file: "/".join(file.parts[-3:]))
def test_shipped_files_fit_and_name_their_schema(file: Path, schemas: dict[str, Any]) -> None:
    text = file.read_text(encoding="utf-8")
    kind = kind_of(file)
    errors = list(jsonschema.Draft7Validator(schemas[kind]).iter_errors(as_keys(yaml.load(text, Loader))))
    assert errors == [], [f"{list(error.absolute_path)}: {error.message}" for error in errors]
    line = text.split("\n", 1)[0]
    found = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", line)
    assert found, f"the first line of {file} names no schema"
    target = (file.parent / found[1]).resolve()
    place = next(place for place in PLACES if place in file.parents)
    assert target == place / ".schema" / f"{kind}.json"


def test_there_are_shipped_files() -> None:
    assert len(FILES) > 30 and {"base", "sales", "nonprofit"} <= set(shipped_names())


def test_the_schemas_beside_the_shipped_files_are_the_current_ones(schemas: dict[str, Any]) -> None:
    import json

    place = PLACES[-1] / ".schema"
    for kind, schema in schemas.items():
        assert json.loads((place / f"{kind}.json").read_text(encoding="utf-8")) == schema, "run `python -m crm.schema`"


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("entity", {"entity": "a", "lable": "A"}),
        ("entity", {"entity": "a", "fields": {"name": {"type": "txt"}}}),
        ("entity", {"entity": "a", "fields": {"name": {"type": "text", "options": ["a"]}}}),
        ("entity", {"entity": "a", "fields": {"Name": "text"}}),
        ("pipeline", {"pipeline": "a", "stages": {"new": {"forecast": "sure"}}}),
        ("role", {"role": "a", "rights": {"b": {"reed": "all"}}}),
        ("crm", {"name": "a", "first_day": "funday"}),
    ],
)
def test_mistakes_are_marked_while_typing(kind: str, data: Any, schemas: dict[str, Any]) -> None:
    assert list(jsonschema.Draft7Validator(schemas[kind]).iter_errors(data))


def test_they_are_written_one_a_kind(tmp_path: Path) -> None:
    written = write_json_schema(tmp_path / "schema")
    assert {path.stem for path in written} == set(json_schema())


def test_the_language_page_is_the_current_one() -> None:
    page = Path(__file__).resolve().parents[2] / "crm" / "schema" / "LANGUAGE.md"
    assert page.read_text(encoding="utf-8") == language_page(), "run `python -m crm.schema`"
