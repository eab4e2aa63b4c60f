"""Reads a file of rows, whatever wrote it: encoding, delimiter and header found out, every cell as text.

`read_table` takes CSV (also semicolons, tabs, pipes; UTF-8 with or without BOM, UTF-16, Windows code pages) and Excel (`.xlsx`).
Cells are texts exactly as typed in a CSV; from Excel a date is ISO 8601, a whole number has no `.0`.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from datetime import time as clock
from pathlib import Path
from typing import Any

from crm.errors import Refused

DELIMITERS = ",;\t|"
#: A whole-file limit: one import is one durable step, so it must fit in memory.
MAX_BYTES = 500_000_000


@dataclass
class Table:
    """`columns` in the file's order, `rows` of texts (as many as columns), and how the file was read."""

    columns: list[str]
    rows: list[list[str]]
    encoding: str = "utf-8"
    delimiter: str = ","
    notes: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[dict[str, str]]:
        for row in self.rows:
            yield dict(zip(self.columns, row, strict=True))

    def __len__(self) -> int:
        return len(self.rows)


def read_table(path: str | Path, encoding: str | None = None, delimiter: str | None = None) -> Table:
    """The rows of a file. Raises `Refused` with words for the user when the file cannot be read as a table."""
    path = Path(path)
    if not path.is_file():
        raise Refused("There is no file {name}.", name=str(path))
    if path.stat().st_size > MAX_BYTES:
        raise Refused("The file is larger than {n} MB; split it.", n=MAX_BYTES // 1_000_000)
    if path.suffix.lower() in (".xlsx", ".xlsm"):
        return _read_excel(path)
    return parse_csv(path.read_bytes(), encoding, delimiter)


def parse_csv(raw: bytes, encoding: str | None = None, delimiter: str | None = None) -> Table:
    """The rows of a CSV file's bytes; encoding and delimiter are found out where they are not given."""
    text, encoding = decode(raw, encoding)
    if not text.strip():
        raise Refused("The file is empty.")
    delimiter = delimiter or find_delimiter(text)
    limit = csv.field_size_limit(2**31 - 1)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise Refused("The file cannot be read as a table: {why}.", why=str(error)) from error
    finally:
        csv.field_size_limit(limit)
    return _table(lines, encoding, delimiter)


def decode(raw: bytes, encoding: str | None = None) -> tuple[str, str]:
    """Text of bytes and the encoding it was in: as told, by its BOM, UTF-8 where it is valid, else the best guess."""
    if encoding:
        try:
            return raw.decode(encoding).removeprefix("\ufeff"), encoding
        except (UnicodeDecodeError, LookupError) as error:
            raise Refused("The file is not written in {encoding}.", encoding=encoding) from error
    for mark, name in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if raw.startswith(mark):
            try:
                return raw.decode(name), name
            except UnicodeDecodeError:
                break
    try:
        return raw.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        pass
    from charset_normalizer import from_bytes

    found = from_bytes(raw[:200_000]).best()
    names = dict.fromkeys(["cp1250", "cp1252", "iso8859_2", *([found.encoding] if found is not None else [])])
    name = max(names, key=lambda one: likeness(raw[:200_000], one))
    try:
        return raw.decode(name), name
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace"), "cp1252"


LETTERS = set("ąćęłńóśźżĄĆĘŁŃÓŚŹŻčďěňřšťůžČĎĚŇŘŠŤŮŽđĐėįųūĖĮŲŪäöüßÄÖÜéèàçñåæøÉÈÀÇÑÅÆØáíúőűÁÍÚŐŰ„”–’€")


def likeness(raw: bytes, encoding: str) -> float:
    """How much a text of European languages bytes are in an encoding: letters count for it, stray signs against."""
    try:
        text = raw.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return -1e9
    strange = [sign for sign in text if sign > "\x7f"]
    return sum(1.0 if sign in LETTERS else -0.2 if sign.isalpha() else -1.0 for sign in strange)


def find_delimiter(text: str) -> str:
    """The delimiter that cuts the first lines into the same number of columns, the most of them."""
    sample = text[:65536]
    whole = sample if len(text) <= len(sample) else sample[: sample.rfind("\n") + 1] or sample
    best, score = ",", (0.0, 0)
    for one in DELIMITERS:
        try:
            widths = [len(row) for row in csv.reader(io.StringIO(whole, newline=""), delimiter=one) if row][:200]
        except csv.Error:
            continue
        if not widths or widths[0] < 2:
            continue
        width, times = Counter(widths).most_common(1)[0]
        mark = (times / len(widths), width) if width > 1 else (0.0, 0)
        if mark > score:
            best, score = one, mark
    if score == (0.0, 0):
        try:
            return csv.Sniffer().sniff(whole, delimiters=DELIMITERS).delimiter
        except csv.Error:
            return ","
    return best


def _table(lines: list[list[str]], encoding: str, delimiter: str) -> Table:
    while lines and not any(cell.strip() for cell in lines[0]):
        lines.pop(0)
    if not lines:
        raise Refused("The file is empty.")
    columns = unique_names([cell.strip() for cell in lines[0]])
    width, rows, notes = len(columns), [], []
    for number, line in enumerate(lines[1:], 2):
        if not any(line):
            continue
        if len(line) != width:
            if len(line) > width and any(cell.strip() for cell in line[width:]):
                notes.append(f"{number}")
            line = (line + [""] * width)[:width]
        rows.append(line)
    return Table(columns, rows, encoding, delimiter, notes)


def unique_names(names: list[str]) -> list[str]:
    """Column names made different: an empty one is `Column 3`, a second `Phone` is `Phone (2)`."""
    seen: Counter[str] = Counter()
    result = []
    for number, name in enumerate(names, 1):
        name = name or f"Column {number}"
        seen[name] += 1
        result.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return result


def _read_excel(path: Path) -> Table:
    from openpyxl import load_workbook

    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except Exception as error:  # openpyxl raises whatever its parts raise
        raise Refused("The file cannot be read as a table: {why}.", why=type(error).__name__) from error
    try:
        sheet = book.worksheets[0]
        lines = [[cell_text(cell.value, cell.number_format) for cell in row] for row in sheet.iter_rows()]
    finally:
        book.close()
    width = max((len(line) for line in lines), default=0)
    while width and not any(line[width - 1] for line in lines if len(line) >= width):
        width -= 1
    return _table([(line + [""] * width)[:width] for line in lines], "xlsx", "")


def cell_text(value: Any, format: str | None = None) -> str:
    """What stands in an Excel cell, as text; 0.1 shown as a percentage is `10%`."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == clock() else value.isoformat()
    if isinstance(value, (date, clock)):
        return value.isoformat()
    if isinstance(value, bool):
        return "true" if value else "false"
    if format and "%" in format and isinstance(value, (int, float)):
        return f"{round(value * 100, 8):g}%"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value)
