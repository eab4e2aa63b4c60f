"""YAML comes back as typed, with the place of everything, and what is refused is refused in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.yamlfile import MAX_BYTES, Map, Scalar, Seq, dump, read


def node(text: str) -> Any:
    found, faults = read("x.yaml", text=text)
    assert faults == []
    return found


def first_fault(text: str) -> Any:
    _, faults = read("x.yaml", text=text)
    return faults[0]


@pytest.mark.parametrize(
    "typed", ["no", "NO", "on", "yes", "true", "1:30", "0123", "2024-01-01", "1e3", "0x10", "1_000", ".5", "=", "<<", "~x"]
)
def test_text_stays_as_typed(typed: str) -> None:
    assert node(f"key: {typed}\n{typed}2: x").plain() == {"key": typed, f"{typed}2": "x"}


@pytest.mark.parametrize("typed", ["", "~", "null", "Null", "NULL"])
def test_nothing_is_none_unless_quoted(typed: str) -> None:
    assert node(f"a: {typed}\nb: '{typed}'").plain() == {"a": None, "b": typed}


def test_every_key_and_value_knows_its_place() -> None:
    found = node("a: 1\nb:\n  - x\n  - {c: 'y', d: z}\n")
    assert isinstance(found, Map)
    assert (found.keys["b"].line, found.keys["b"].column) == (2, 1)
    items = found.values["b"]
    assert isinstance(items, Seq)
    inner = items.items[1]
    assert isinstance(inner, Map) and (inner.line, inner.column) == (4, 5)
    assert (inner.values["d"].line, inner.values["d"].column) == (4, 17)


@pytest.mark.parametrize(
    ("text", "word", "place"),
    [
        ("a: amount * probabilty", "probabilty", (1, 13)),
        ("a: 'amount * probabilty'", "probabilty", (1, 14)),
        ('a: "amount * probabilty"', "probabilty", (1, 14)),
        ("a: >-\n  amount *\n    probabilty", "probabilty", (3, 5)),
        ("a: |\n  one\n  two", "two", (3, 3)),
        ("a: one\n  two\n  three", "three", (3, 3)),
        ("a: 'it''s twoo'", "it", (1, 5)),
        ("ąę: żółw twoo", "twoo", (1, 10)),
    ],
)
def test_a_place_inside_a_text_is_found(text: str, word: str, place: tuple[int, int]) -> None:
    value = next(iter(node(text).values.values()))
    assert isinstance(value, Scalar)
    assert value.place(value.text.index(word)) == place


def test_a_byte_order_mark_shifts_nothing(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_bytes("\ufeffa: 1\nb: [".encode())
    _, faults = read(file)
    assert (faults[0].line, faults[0].column) == (2, 5)
    file.write_bytes("\ufeffa: ą\n".encode())
    found, faults = read(file)
    assert faults == [] and found is not None and found.plain() == {"a": "ą"}


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("a: 1\na: 2\n", "E005", 2, 1),
        ("{a: 1, a: 2}", "E005", 1, 8),
        ("a: &x 1\n", "E006", 1, 4),
        ("a: *x\n", "E006", 1, 4),
        ("a: !!int 1\n", "E007", 1, 4),
        ("a: !include x\n", "E007", 1, 4),
        ("a: 1\n---\nb: 2\n", "E008", 2, 1),
        ("[" * 60, "E010", 1, 41),
        ("? [a]\n: 1\n", "E011", 1, 3),
        ("a: \x00\n", "E012", 1, 4),
        ('a: "\\0"\n', "E012", 1, 4),
        ("a:\n\tb: 1\n", "E003", 2, 1),
        ("a: [1\nb: 2\n", "E004", 2, 2),
        ("a: 'x\n", "E004", 1, 4),
        ("a: @x\n", "E004", 1, 4),
    ],
)
def test_what_is_refused(text: str, code: str, line: int, column: int) -> None:
    fault = first_fault(text)
    assert (fault.code, fault.line, fault.column) == (code, line, column)
    assert fault.mend


def test_a_duplicate_does_not_hide_what_follows() -> None:
    found, faults = read("x.yaml", text="a: {b: 1, b: {c: 1}, d: 2}\na: 3\n")
    assert [fault.code for fault in faults] == ["E005", "E005"]
    assert found is not None and found.plain() == {"a": {"b": "1", "d": "2"}}


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    assert read(tmp_path / "none.yaml")[1][0].code == "E001"
    assert read(tmp_path)[1][0].code == "E001"
    (tmp_path / "latin.yaml").write_bytes("a: 1\nb: é".encode("latin-1"))
    fault = read(tmp_path / "latin.yaml")[1][0]
    assert (fault.code, fault.line, fault.column) == ("E002", 2, 4)
    (tmp_path / "big.yaml").write_bytes(b"a: " + b"x" * MAX_BYTES)
    assert read(tmp_path / "big.yaml")[1][0].code == "E009"


def test_an_empty_file_is_nothing_and_no_fault() -> None:
    assert read("x.yaml", text="# only words\n") == (None, [])


texts = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff") | st.sampled_from("\n\t"), max_size=30)
keys = texts.filter(bool)
plain = st.recursive(
    st.none() | texts | st.sampled_from(["no", "0123", "1:30", "null", "~", "{", "a: b", "- x", "#", " x ", "\n", "'", '"']),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(keys, plain, min_size=1, max_size=5))
def test_what_is_written_is_read_again(data: dict[str, Any]) -> None:
    found, faults = read("x.yaml", text=dump(data))
    assert faults == []
    assert found is not None and found.plain() == data


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet="ab:-[]{}#'\"&*!|>%@`,? \n\t\\~0é\x00\ufeff", max_size=60))
def test_no_text_makes_a_traceback(text: str) -> None:
    found, faults = read("x.yaml", text=text)
    lines = text.count("\n") + 2
    assert all(1 <= fault.line <= lines and fault.column >= 1 and fault.mend for fault in faults)
    if found is not None:
        found.plain()


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_no_bytes_make_a_traceback(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "bytes.yaml"
    file.write_bytes(data)
    read(file)
