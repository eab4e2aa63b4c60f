"""Reading in SQL, the same for a table and for its past: counts, ids, raw values, groups, frames; and all of it in Python, for
conditions that SQL cannot say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import orjson

from crm.stores.base import By, Document, Measures, OrderBy
from crm.stores.query import Part, Path
from crm.stores.sqlite import NUMBER_KINDS, SQLiteStorage
from crm.stores.writing import dig

if TYPE_CHECKING:
    import pandas as pd

ROW = ("doc_id", "version")
DEFAULT_MEASURES: Measures = {"count": ("count", "")}


def split(path: str) -> Path:
    """A dotted path as a tuple."""
    return tuple(path.split("."))


def groups_of(by: By) -> dict[str, tuple[str | None, str]]:
    """`{column: (bucket or None, path)}`."""
    entries = by.items() if isinstance(by, Mapping) else [(b if isinstance(b, str) else f"{b[0]}({b[1]})", b) for b in by]
    return {name: (None, b) if isinstance(b, str) else (b[0], b[1]) for name, b in entries}


def measure_of(measure: tuple[str, str] | str) -> tuple[str, str]:
    """`(kind, path)`; a bare kind has no path."""
    return (measure, "") if isinstance(measure, str) else (measure[0], measure[1])


class SQLReading:
    """Reads of one relation (a table now, or a table's past)."""

    def __init__(self, storage: SQLiteStorage, rel: Any) -> None:
        self.storage, self.rel, self.d = storage, rel, storage.dialect

    def rows(self, sql: str, params: Any) -> list[tuple]:
        """All rows of a query over this relation."""
        return self.storage.rows(sql, params)

    def value(self, path: str) -> str:
        return path if path in ROW else self.d.value(self.rel, self._path(path))

    def _path(self, path: str) -> Path:
        keys = split(path)
        if not self.d.sayable(keys):
            raise ValueError(f"{path!r} cannot be a path")
        return keys

    def output(self, path: str) -> tuple[str, Callable[[Any], Any] | None]:
        """SQL of a value as stored, and how to decode what comes."""
        if path in ROW:
            return path, None
        keys = self._path(path)
        column = self.rel.column(keys)
        if column:
            return column, _truth if self.rel.kind(keys) == "boolean" else None
        from crm.stores.sqlite import literal

        return f"{self.rel.document()} -> {literal(keys)}", _load

    def order(self, order_by: OrderBy) -> str:
        """ORDER BY; empty values last, ties by id in the direction of the last key."""
        keys, down = [], False
        for key in [order_by] if isinstance(order_by, str) else order_by:
            first = key if isinstance(key, str) else key[0]
            down = first.startswith("-")
            sql = self.value(first.lstrip("-"))
            if not isinstance(key, str):
                target = self.rel.table(key[1])
                there = self.d.value(target, self._path(key[2]))
                outer = f"m.{sql}" if sql[0] == '"' else f"json_extract(m.doc{sql.removeprefix('json_extract(doc')}"
                sql = f"(SELECT {there} FROM {target.source} WHERE doc_id={outer})"
            keys.append(sql + (" DESC" if down else " NULLS LAST"))
        return " ORDER BY " + ",".join([*keys, "doc_id DESC" if down else "doc_id"])

    @staticmethod
    def where(part: Part) -> str:
        return "" if part.sql in (None, "1") else f" WHERE {part.sql}"

    def count(self, part: Part) -> int:
        return self.rows(f"SELECT count(*) FROM {self.rel.source} AS m{self.where(part)}", part.params)[0][0]

    def ids(self, part: Part, order_by: OrderBy, limit: int | None, offset: int) -> list[int]:
        sql = f"SELECT doc_id FROM {self.rel.source} AS m{self.where(part)}{self.order(order_by)}{slice_sql(limit, offset)}"
        return [i for (i,) in self.rows(sql, part.params)]

    def values(self, paths: Sequence[str], part: Part, order_by: OrderBy, limit: int | None, offset: int) -> list[tuple]:
        outputs = [self.output(p) for p in paths]
        sql = (
            f"SELECT {','.join(o for o, _ in outputs) or '1'} FROM {self.rel.source} AS m{self.where(part)}"
            f"{self.order(order_by)}{slice_sql(limit, offset)}"
        )
        return self._decoded(outputs, self.rows(sql, part.params))

    def among(self, ids: Sequence[int], paths: Sequence[str], part: Part) -> list[tuple]:
        """Values of those of `ids` that match: each is looked up by its number, whatever the condition has indexes for."""
        outputs = [self.output(p) for p in paths]
        sql = (
            f"SELECT {','.join(o for o, _ in outputs) or '1'} FROM json_each(?) AS j CROSS JOIN {self.rel.source} AS m"
            f" ON m.doc_id=j.value{self.where(part)}"
        )
        return self._decoded(outputs, self.storage.rows(sql, [orjson.dumps(ids).decode(), *part.params]))

    @staticmethod
    def _decoded(outputs: list[tuple[str, Callable[[Any], Any] | None]], rows: list[tuple]) -> list[tuple]:
        decode = [(n, d) for n, (_, d) in enumerate(outputs) if d]
        if not decode:
            return rows
        decoded = []
        for row in rows:
            cells = list(row)
            for n, d in decode:
                if cells[n] is not None:
                    cells[n] = d(cells[n])
            decoded.append(tuple(cells))
        return decoded

    def aggregate(self, by: By, measures: Measures, part: Part) -> list[dict[str, Any]]:
        groups = groups_of(by)
        columns = [x if unit is None else self.d.bucket(unit, x) for unit, x in ((u, self.value(p)) for u, p in groups.values())]
        truths = [n for n, (u, p) in enumerate(groups.values()) if u is None and self.rel.kind(split(p)) == "boolean"]
        figures = [self.figure(*measure_of(m)) for m in measures.values()]
        names = [*groups, *measures]
        numbers = ",".join(str(n + 1) for n in range(len(columns)))
        sql = f"SELECT {','.join(columns + figures)} FROM {self.rel.source} AS m{self.where(part)}"
        if columns:
            sql += f" GROUP BY {numbers} ORDER BY {numbers}"
        rows = [dict(zip(names, row, strict=True)) for row in self.rows(sql, part.params)]
        for n in truths:
            for row in rows:
                row[names[n]] = None if row[names[n]] is None else bool(row[names[n]])
        return rows

    def figure(self, kind: str, path: str) -> str:
        if kind == "count":
            return f"count({self.value(path)})" if path else "count(*)"
        if kind == "distinct":
            return f"count(DISTINCT {self.value(path)})"
        if kind in ("min", "max"):
            return f"{kind}({self.value(path)})"
        if kind in ("sum", "mean"):
            x = path if path in ROW else self.d.number(self.rel, self._path(path))
            return f"coalesce(sum({x}),0)" if kind == "sum" else f"avg({x})"
        raise ValueError(f"{kind!r} is no measure: count, distinct, sum, min, max or mean")

    def columns(self, paths: Sequence[str], part: Part, order_by: OrderBy, limit: int | None) -> list[list]:
        """Whole columns, first the ids: each comes as one JSON array, which is faster than rows."""
        wanted = ["doc_id", *paths]
        inner, outer = [], []
        for n, path in enumerate(wanted):
            sql, decode = self.output(path)
            if decode is _truth:
                sql, decode = f"CASE {sql} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END", _load
            inner.append(f"{sql} AS x{n}")
            outer.append(f"json_group_array({f'json(x{n})' if decode is _load else f'x{n}'})")
        sql = (
            f"SELECT {','.join(outer)} FROM (SELECT {','.join(inner)} FROM {self.rel.source} AS m{self.where(part)}"
            f"{self.order(order_by)}{slice_sql(limit, 0)})"
        )
        row = self.storage.rows(sql, part.params)[0]
        return [orjson.loads(cell) for cell in row]


def slice_sql(limit: int | None, offset: int) -> str:
    """LIMIT and OFFSET."""
    if limit is None and not offset:
        return ""
    return f" LIMIT {-1 if limit is None else int(limit)} OFFSET {int(offset or 0)}"


def _truth(value: Any) -> Any:
    return bool(value)


def _load(value: Any) -> Any:
    return orjson.loads(value)


def frame_of(columns: list[list], paths: Sequence[str], kinds: Sequence[str | None]) -> pd.DataFrame:
    """Columns (the ids first) as a frame; see `crm.stores.base.Reading.frame`."""
    import numpy as np
    import pandas as pd

    index = pd.Index(np.array(columns[0], dtype="int64"), name="doc_id")
    data: dict[str, Any] = {}
    for path, cells, kind in zip(paths, columns[1:], kinds, strict=True):
        if path in ROW:
            data[path] = np.array(cells, dtype="int64")
        elif kind in NUMBER_KINDS and kind != "boolean":
            data[path] = _numbers(cells)
        else:
            column = np.empty(len(cells), dtype=object)
            column[:] = cells
            data[path] = pd.Series(column, index=index, dtype=object)  # as it is: no guessing of a text type
    return pd.DataFrame(data, index=index, columns=list(dict.fromkeys(paths)))


def _numbers(cells: list) -> Any:
    import numpy as np

    try:
        found = np.array(cells)
        if found.dtype.kind not in "if":
            found = np.array(cells, dtype="float64")
    except (TypeError, ValueError, OverflowError):
        found = np.empty(len(cells), dtype=object)
        found[:] = cells
    return found


# the same in Python, over documents


def bucket(unit: str, value: Any) -> Any:
    """The year, quarter, month, week, day, hour or minute of an ISO date or time; None for anything else."""
    if not isinstance(value, str):
        return None
    if unit == "quarter":
        return f"{value[:4]}-Q{(int(value[5:7]) + 2) // 3}" if value[5:7].isdigit() else None
    if unit == "week":
        try:
            year, week, _ = date.fromisoformat(value[:10]).isocalendar()
        except ValueError:
            return None
        return f"{year:04d}-W{week:02d}"
    return value[: {"year": 4, "month": 7, "day": 10, "hour": 13, "minute": 16}[unit]]


def pick(doc: Document, path: str) -> Any:
    """The value at a path of a document."""
    if path == "doc_id":
        return doc.doc_id
    return doc.version if path == "version" else dig(doc, split(path))


def rank(value: Any) -> tuple:
    """A sort key as SQLite orders: numbers before text."""
    if isinstance(value, int | float):
        return (0, value)
    return (1, value) if isinstance(value, str) else (2, orjson.dumps(value).decode())


def sort(docs: list[Document], order_by: OrderBy, linked: Callable[[str, Any, str], Any] | None = None) -> list[Document]:
    """Documents in order, empty last."""
    keys = [order_by] if isinstance(order_by, str) else list(order_by)
    first = keys[-1] if keys else ""
    docs = sorted(docs, key=lambda d: d.doc_id, reverse=(first if isinstance(first, str) else first[0]).startswith("-"))
    for key in reversed(keys):
        name = key if isinstance(key, str) else key[0]
        path = name.lstrip("-")

        def value(doc: Document, path: str = path, key: Any = key) -> Any:
            found = pick(doc, path)
            return found if isinstance(key, str) or linked is None else linked(key[1], found, key[2])

        filled = [d for d in docs if value(d) is not None]
        empty = [d for d in docs if value(d) is None]
        docs = sorted(filled, key=lambda d: rank(value(d)), reverse=name.startswith("-")) + empty
    return docs


def aggregate(docs: Iterable[Document], by: By, measures: Measures) -> list[dict[str, Any]]:
    """`SQLReading.aggregate` over documents."""
    groups = groups_of(by)
    cells: dict[tuple, list[Document]] = {} if groups else {(): []}
    for doc in docs:
        key = tuple(pick(doc, p) if u is None else bucket(u, pick(doc, p)) for u, p in groups.values())
        cells.setdefault(tuple(orjson.dumps(k).decode() if isinstance(k, list | dict) else k for k in key), []).append(doc)
    rows = []
    for key in sorted(cells, key=lambda k: [(v is not None, rank(v) if v is not None else ()) for v in k]):
        row = dict(zip(groups, key, strict=True))
        for name, measure in measures.items():
            row[name] = figure(*measure_of(measure), cells[key])
        rows.append(row)
    return rows


def figure(kind: str, path: str, docs: list[Document]) -> Any:
    """One measure over documents."""
    if kind == "count" and not path:
        return len(docs)
    found = [v for v in (pick(d, path) for d in docs) if v is not None]
    if kind == "count":
        return len(found)
    if kind == "distinct":
        return len({orjson.dumps(v) for v in found})
    if kind in ("min", "max"):
        return (min if kind == "min" else max)(found, key=rank) if found else None
    numbers = [v for v in found if isinstance(v, int | float)]
    if kind == "sum":
        return sum(numbers)
    if kind == "mean":
        return sum(numbers) / len(numbers) if numbers else None
    raise ValueError(f"{kind!r} is no measure: count, distinct, sum, min, max or mean")
