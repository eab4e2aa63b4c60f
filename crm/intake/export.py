"""Takes records out: CSV, Excel, Parquet and JSON, never more than the user may export and read.

* CSV: field keys as heads, values free of language (`to_text`), UTF-8 with a byte order mark; read back by the import unchanged.
* Excel: real dates and numbers, text always text.
* Parquet: typed columns (money exact, moments in UTC) for pandas, DuckDB and the like.
* JSON: the records with field keys as in the YAML, money as a decimal text, dates in ISO 8601.

A text that a spreadsheet would run as a formula is defused (OWASP, "CSV injection"); the import takes that off again.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from crm.errors import Denied, Refused
from crm.stores import where_id

FORMATS = ("csv", "xlsx", "parquet", "json")
CHUNK = 500

_RUNS = re.compile(r"'*[=+\-@\t\r\n]")
_HARMLESS = re.compile(r"[+-][\d\s().,/-]*\Z")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def safe_cell(text: Any) -> Any:
    """A text that no spreadsheet runs: an apostrophe before `=`, `@`, tabs, and `+` or `-` unless it is a number or a phone number."""
    if not isinstance(text, str) or not _RUNS.match(text):
        return text
    return text if text[0] in "+-" and _HARMLESS.match(text) else "'" + text


def rows(door: Any, entity: str, where: Any = None, find: str = "", order: Sequence[str] | str = ()) -> Iterator[Any]:
    """The records this user may export. Raises `Denied` when it is none of this entity's."""
    if not door.may("export", entity):
        raise Denied("You may not export these.")
    return _rows(door, entity, door.ids(entity, where=where, find=find, order=order))


def _rows(door: Any, entity: str, ids: list[int]) -> Iterator[Any]:
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        found = {record.id: record for record in door.list(entity, where_id("in", chunk), limit=None)}
        for number in chunk:
            record = found.get(number)
            if record is not None and door.may("export", entity, record):
                yield record


def columns_of(door: Any, entity: str, chosen: Sequence[str] | str | None = None) -> list[str]:
    """The field keys that go out: `id` and what the user may read, in the order of the YAML; or the chosen ones of them."""
    readable = door.readable(entity)
    fields = door.schema.entities[entity].fields
    if isinstance(chosen, str):
        chosen = [one.strip() for one in chosen.split(",") if one.strip()]
    if chosen:
        unknown = [key for key in chosen if key not in readable and key != "id"]
        if unknown:
            raise Refused("There is no field called {key} here.", key=unknown[0])
        return list(chosen)
    own = [key for key, one in fields.items() if key in readable and key != "id" and not getattr(one, "system", False)]
    system = [key for key in ("created_on", "created_by", "changed_on", "changed_by", "stage_on") if key in fields and key in readable]
    return ["id", *own, *system]


def csv_bytes(
    door: Any, entity: str, where: Any = None, find: str = "", sort: Sequence[str] | str = (), columns: Sequence[str] | str | None = None
) -> bytes:
    """A list as the bytes of a CSV file."""
    keys = columns_of(door, entity, columns)
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(keys)
    order = [one.strip() for one in sort.split(",") if one.strip()] if isinstance(sort, str) else sort
    for record in rows(door, entity, where, find, order):
        writer.writerow([cell_text(door, entity, record, key) for key in keys])
    return ("\ufeff" + out.getvalue()).encode()


def cell_text(door: Any, entity: str, record: Any, key: str) -> str:
    """One value for a CSV."""
    if key == "id":
        return str(record.id)
    value = record.get(key)
    return "" if value is None else str(safe_cell(door.schema.entities[entity].fields[key].to_text(value)))


def record_json(door: Any, record: Any, keys: Sequence[str] | None = None) -> dict[str, Any]:
    """A record as plain JSON: field keys, money as a decimal text, dates in ISO 8601; empty fields are None."""
    fields = door.schema.entities[record.entity].fields
    keys = keys or columns_of(door, record.entity)
    return {key: record.id if key == "id" else json_value(fields[key], record.get(key)) for key in keys}


def json_value(field: Any, value: Any) -> Any:
    """One value as JSON."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, Decimal):
        if field.kind == "money":
            return format(value, "f")
        return int(value) if value == value.to_integral_value() and field.kind != "percent" else float(value)
    if isinstance(value, (datetime, date)):
        return field.to_json(value)
    kept = field.to_json(value)
    return [json_value(field, one) if isinstance(one, Decimal) else one for one in kept] if isinstance(kept, list) else kept


def export(
    door: Any,
    entity: str,
    path: str | Path | None,
    format: str | None = None,
    where: Any = None,
    find: str = "",
    order: Sequence[str] | str = (),
    columns: Sequence[str] | str | None = None,
) -> int:
    """Write an entity's records to a file; how many there were. The format is that of the name when it is not given."""
    kind = (format or (Path(path).suffix.lstrip(".") if path else "") or "csv").lower()
    if kind not in FORMATS:
        raise Refused("The formats are {known}.", known=", ".join(FORMATS))
    if entity not in door.schema.entities:
        raise Refused("There is nothing called {name}.", name=entity)
    if not door.may("export", entity):  # said before a file is made
        raise Denied("You may not export these.")
    keys = columns_of(door, entity, columns)
    found = rows(door, entity, where, find, order)
    write: Callable[..., int] = {"csv": _csv, "xlsx": _xlsx, "parquet": _parquet, "json": _json}[kind]
    return write(door, entity, keys, found, Path(path or f"{entity}.{kind}"))


def export_all(door: Any, folder: str | Path, format: str = "csv") -> dict[str, int]:
    """Every entity this user may export, a file each; {entity: how many}."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return {
        entity: export(door, entity, folder / f"{entity}.{format}", format) for entity in door.schema.entities if door.may("export", entity)
    }


def records(
    door: Any, entity: str, where: Any = None, find: str = "", order: Sequence[str] | str = (), columns: Any = None
) -> list[dict[str, Any]]:
    """The records as plain JSON: what `export --format json` prints."""
    keys = columns_of(door, entity, columns)
    return [record_json(door, record, keys) for record in rows(door, entity, where, find, order)]


def _csv(door: Any, entity: str, keys: list[str], found: Iterator[Any], path: Path) -> int:
    count = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(keys)
        for record in found:
            writer.writerow([cell_text(door, entity, record, key) for key in keys])
            count += 1
    return count


def _json(door: Any, entity: str, keys: list[str], found: Iterator[Any], path: Path) -> int:
    count = 0
    with path.open("w", encoding="utf-8") as file:
        file.write("[")
        for record in found:
            file.write(",\n " if count else "\n ")
            file.write(json.dumps(record_json(door, record, keys), ensure_ascii=False))
            count += 1
        file.write("\n]\n")
    return count


def _xlsx(door: Any, entity: str, keys: list[str], found: Iterator[Any], path: Path) -> int:
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    fields = door.schema.entities[entity].fields
    book = Workbook(write_only=True)
    sheet = book.create_sheet(re.sub(r"[\[\]:*?/\\]", " ", door.schema.entities[entity].plural_in(door.words))[:31])
    sheet.freeze_panes = "A2"

    def cell(value: Any, key: str) -> Any:
        if value is None or isinstance(value, (bool, int)):
            return value
        if isinstance(value, Decimal):
            made = WriteOnlyCell(sheet, value=value)
            made.number_format = "0.0%" if fields[key].kind == "percent" else "#,##0.00" if fields[key].kind == "money" else "General"
            return made
        if isinstance(value, datetime):
            made = WriteOnlyCell(sheet, value=value.astimezone(getattr(door.words, "tz", None)).replace(tzinfo=None))
            made.number_format = "yyyy-mm-dd hh:mm"
            return made
        if isinstance(value, date):
            return WriteOnlyCell(sheet, value=value)
        text = _CONTROL.sub("", fields[key].to_text(value))[:32767]
        made = WriteOnlyCell(sheet, value="'" + text if text[:1] == "'" and _RUNS.match(text) else text)
        made.data_type = "s"
        if text[:1] in ("=", "+", "-", "@"):
            made.quotePrefix = True
        return made

    head = []
    for key in keys:
        made = WriteOnlyCell(sheet, value=key)
        made.font = Font(bold=True)
        head.append(made)
    sheet.append(head)
    count = 0
    for record in found:
        sheet.append([record.id if key == "id" else cell(record.get(key), key) for key in keys])
        count += 1
    book.save(path)
    return count


def _parquet(door: Any, entity: str, keys: list[str], found: Iterator[Any], path: Path) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    fields = door.schema.entities[entity].fields
    kinds = {key: arrow_type(pa, fields[key]) if key != "id" else pa.int64() for key in keys}
    columns: dict[str, list[Any]] = {key: [] for key in keys}
    count = 0
    for record in found:
        for key in keys:
            columns[key].append(record.id if key == "id" else arrow_value(pa, fields[key], kinds[key], record.get(key)))
        count += 1
    pq.write_table(pa.table({key: pa.array(values, type=kinds[key]) for key, values in columns.items()}), path)
    return count


def arrow_type(pa: Any, field: Any) -> Any:
    """The Parquet type of a field."""
    if getattr(field, "to", None) and not getattr(field, "many", False):
        return pa.int64()
    known = {
        "money": pa.decimal128(20, int(getattr(field, "decimals", 2) or 0)),
        "percent": pa.float64(),
        "number": pa.float64(),
        "integer": pa.int64(),
        "duration": pa.int64(),
        "date": pa.date32(),
        "datetime": pa.timestamp("ms", tz="UTC"),
        "boolean": pa.bool_(),
    }
    if field.name == "integer" or field.name == "duration":
        return pa.int64()
    return known.get(field.kind, pa.string())


def arrow_value(pa: Any, field: Any, kind: Any, value: Any) -> Any:
    if value is None:
        return None
    if kind == pa.string():
        return value if isinstance(value, str) else field.to_text(value)
    if kind == pa.float64():
        return float(value)
    if kind == pa.int64():
        return int(value)
    return value
