"""Figures of lists of values: what the store does not compute itself, and everything over stays and expressions.

Values are as stored (money in its smallest unit); results are Python values (money a Decimal). The same figures come from the store
where it can compute them (`crm.analytics.groups`); a property test holds both against plain Python.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from crm.records.columns import Column, Kinds, combined

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

CENT = Decimal("0.01")


def quantile(values: Sequence[Any], at: float) -> Any:
    """The value below which a part `at` of all lies; between two it is interpolated (Hyndman and Fan 1996, type 7)."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * at
    low = int(place)
    below, above = ordered[low], ordered[min(low + 1, len(ordered) - 1)]
    if isinstance(below, Decimal):
        return below + (above - below) * Decimal(str(place - low))
    return below if below == above else below + (above - below) * (place - low)


def measured(how: str, values: Sequence[Any], at: float | None = None) -> Any:
    """One figure of the filled values among `values`; None of nothing, but 0 as a count or sum."""
    if how == "count":
        return len(values)
    if how == "distinct":
        return len({tuple(one) if isinstance(one, list) else one for one in values})
    if how == "sum":
        return sum(values)
    if not values:
        return None
    if how in ("min", "max"):
        return min(values) if how == "min" else max(values)
    if how == "mean":
        return sum(values) / len(values)
    if how in ("median", "quantile"):
        return quantile(values, 0.5 if how == "median" else at or 0.0)
    return values[0] if how == "first" else values[-1]


def decoded(field: Any, how: str, kept: Any) -> Any:
    """A figure of stored values as a Python value of the field's kind."""
    if kept is None or how in ("count", "distinct") or field is None:
        return kept
    if field.kind == "money":
        places = field.decimals if field.decimals is not None else 2
        exact = kept if isinstance(kept, Decimal) else Decimal(str(kept))
        return exact.scaleb(-places).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    if field.kind in ("number", "percent") and isinstance(kept, (int, float)):
        return Decimal(str(kept))
    return field.from_json(kept) if field.kind in ("date", "datetime") else kept


class Numbers:
    """Numbers row by row, not a number where there is none; as a sequence it has None there."""

    __slots__ = ("array",)

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, row: int) -> Any:
        value = self.array[row]
        return None if value != value else float(value)

    def __iter__(self) -> Iterator[Any]:
        return (None if one != one else one for one in self.array.tolist())


class Rows:
    """Rows of stored values, a list or a column a dotted path, as environments for expressions."""

    def __init__(
        self, columns: Mapping[str, Sequence[Any] | Column | Numbers], fields: dict[str, Any], size: int, today: Any, now: Any, me: Any
    ) -> None:
        self.columns, self.fields, self.size = columns, fields, size
        self.today, self.now, self.me = today, now, me
        self.told: dict[str, Any] = {}
        self.links = {path.rsplit(".", 1)[0] + "." for path in columns if "." in path}
        self.read: set[str] = set()  # the columns that were looked into
        self._coded: dict[str, Column] = {}

    def coded(self, path: str) -> Column:
        """A column as the distinct values in it."""
        found = self.columns[path]
        if isinstance(found, Column):
            return found
        if path not in self._coded:
            self._coded[path] = Column.of(found)
        return self._coded[path]

    def each(self, expression: Any) -> Any:
        """The value of an expression in every row; worked out once, however many measures take it."""
        text = str(getattr(expression, "text", id(expression)))
        if text not in self.told:
            self.told[text] = self.worked_out(expression)
        return self.told[text]

    def worked_out(self, expression: Any) -> Any:
        """Once for each way in which the values it looks at occur together, where that is not each row."""
        quick = self.between(expression)
        if quick is not None:
            return quick
        uses = [f"{use}." for use in expression.uses]
        heads = [use for use in uses if not any(other != use and other.startswith(use) for other in uses)]  # links themselves are on the way
        paths = [path for path in self.columns if any(head.startswith(f"{path}.") or f"{path}.".startswith(head) for head in heads)]
        codes, rows = combined([self.coded(path) for path in paths], self.size)
        self.read = set()
        found = self.evaluated(expression, rows.tolist())
        if self.read <= set(paths):
            kinds = Kinds()
            return Column(kinds.codes(found)[codes] if found else codes, kinds)
        return Column.of(self.evaluated(expression, range(self.size)))

    def evaluated(self, expression: Any, rows: Iterable[int]) -> list[Any]:
        """The value of an expression in some rows."""
        env, run, found = RowEnv(self, ""), expression.evaluate, []
        for at in rows:
            env.at = at
            found.append(run(env))
        return found

    def between(self, expression: Any) -> Numbers | None:
        """`days(a - b)` of two moments or two dates, column by column."""
        from crm.expressions.nodes import Call, Field, Sum

        node = expression.node
        inner = node.args[0] if isinstance(node, Call) and node.function == "days" and node.args else None
        if not (isinstance(inner, Sum) and inner.op == "-" and isinstance(inner.a, Field) and isinstance(inner.b, Field)):
            return None
        if inner.a.kind != inner.b.kind or inner.a.level or inner.b.level:
            return None
        import numpy as np

        cut, unit = (10, "D") if inner.a.kind == "date" else (23, "ms")

        def times(values: Sequence[Any]) -> np.ndarray:
            return np.array([one[:cut] if isinstance(one, str) else "NaT" for one in values], dtype=f"datetime64[{unit}]")

        ends, starts = (spread(self.coded(side.dotted), ("days", unit), times, np.datetime64("NaT")) for side in (inner.a, inner.b))
        return Numbers((ends - starts) / np.timedelta64(1, "D"))


def spread(column: Column, name: Hashable, work: Callable[[Sequence[Any]], np.ndarray], empty: Any) -> np.ndarray:
    """What follows from each value alone (`Kinds.derived`), row by row."""
    import numpy as np

    known = column.kinds.derived(name, work)
    return np.append(known, np.array([empty], dtype=known.dtype))[column.codes]


def true(values: Any) -> np.ndarray:
    """Where a yes or no is yes."""
    import numpy as np

    if isinstance(values, Column):
        return np.array([*(one is True for one in values.kinds.values), False])[values.codes]
    return np.fromiter((one is True for one in values), dtype=bool, count=len(values))


def each(values: Any, work: Callable[[Any], float], empty: float) -> np.ndarray:
    """A number of each value, worked out once for those that are the same."""
    import numpy as np

    column = values if isinstance(values, Column) else Column.of(values)
    known, here = np.full(len(column.kinds.values) + 1, empty), column.occurring()
    known[here] = [work(column.kinds.values[code]) for code in here]
    return known[column.codes]


def numbers(values: Column) -> np.ndarray:
    """The numbers of the records that links lead to, -1 of none."""
    import numpy as np

    def whole(kinds: Sequence[Any]) -> np.ndarray:
        return np.array([int(one) if isinstance(one, (int, float)) else -1 for one in kinds], dtype=np.int64)

    return spread(values, "numbers", whole, -1)


def led_to(links: Column) -> tuple[np.ndarray, np.ndarray]:
    """The rows of a column of links, or of lists of them, with the number of the record that each leads to."""
    import numpy as np

    kinds = links.kinds.values
    if not any(isinstance(one, (list, dict)) for one in kinds):
        found = numbers(links)
        rows = np.flatnonzero(found >= 0)
        return rows, found[rows]
    lists = [[one["id"] if isinstance(one, dict) else one for one in (kept if isinstance(kept, list) else [kept])] for kept in kinds]
    flat = np.array([-1 if one is None else int(one) for some in lists for one in some], dtype=np.int64)
    many = np.array([*map(len, lists), 0], dtype=np.int64)
    begins = np.append(0, np.cumsum(many))[:-1]
    here = many[links.codes]
    rows = np.repeat(np.arange(len(here)), here)
    within = np.arange(len(rows)) - np.repeat(np.cumsum(here) - here, here)
    found = flat[begins[links.codes[rows]] + within]
    return rows[found >= 0], found[found >= 0]


def added(field: Any, values: Column) -> Any:
    """The sum of stored values as a Python value of the field's kind, of nothing 0; exact, but for fields that keep no exact numbers."""
    import numpy as np

    many = np.bincount(values.codes[values.codes >= 0])
    there = [(values.kinds.values[code], int(many[code])) for code in np.flatnonzero(many).tolist()]
    if all(isinstance(one, int) for one, _ in there):
        return decoded(field, "sum", sum(one * n for one, n in there))
    return sum(decoded(field, "sum", one) * n for one, n in there)


def ended(field: Any, stages: Column, outcome: str | None = None) -> np.ndarray:
    """Which stages are ends (of one outcome)."""
    import numpy as np

    stage_of = getattr(field, "stage_of", None)
    told = [getattr(stage_of(one), "outcome", None) if stage_of else None for one in stages.kinds.values]
    return np.array([*(bool(one) if outcome is None else one == outcome for one in told), False])[stages.codes]


def picked(values: Any, places: np.ndarray) -> list[Any]:
    """The filled ones among the values at some places."""
    if isinstance(values, Column):
        kinds, codes = values.kinds.values, values.codes[places]
        return [kinds[code] for code in codes[codes >= 0].tolist()]
    if isinstance(values, Numbers):
        there = values.array[places]
        return there[there == there].tolist()  # type: ignore[no-any-return]
    return [one for n in places.tolist() if (one := values[n]) is not None]


def in_size(values: Any, places: np.ndarray) -> list[Any]:
    """The same, the smallest first."""
    import numpy as np

    if isinstance(values, Numbers):
        there = values.array[places]
        return np.sort(there[there == there]).tolist()  # type: ignore[no-any-return]
    return sorted(picked(values, places))


def apart(values: Sequence[Any]) -> np.ndarray:
    """Of which values none of another kind can be the same (1 and 1.0 are)."""
    import numpy as np

    return np.array([type(one) is str or type(one) is int for one in values], dtype=bool)


class RowEnv:
    """One row for `Expression.evaluate`; `prefix` is the way through links to what is looked at."""

    __slots__ = ("rows", "prefix", "at")

    def __init__(self, rows: Rows, prefix: str, at: int = 0) -> None:
        self.rows, self.prefix, self.at = rows, prefix, at

    @property
    def today(self) -> Any:
        return self.rows.today

    @property
    def now(self) -> Any:
        return self.rows.now

    @property
    def me(self) -> Any:
        return self.rows.me

    def get(self, head: str) -> Any:
        path = self.prefix + head
        column = self.rows.columns.get(path)
        if column is None:
            return None
        self.rows.read.add(path)
        kept = column[self.at]
        if kept is None or kept != kept:
            return None
        field = self.rows.fields.get(path)
        if field is not None:
            if isinstance(kept, float) and field.kind in ("link", "integer", "money"):
                kept = int(kept)
            return field.from_json(kept)
        if path in ("stay.since", "stay.until"):
            return datetime.fromisoformat(kept.replace("Z", "+00:00")).astimezone(UTC)
        return Decimal(str(kept)) if isinstance(kept, float) else kept

    def follow(self, head: str) -> Any:
        prefix = f"{self.prefix}{head}."
        return RowEnv(self.rows, prefix, self.at) if any(one.startswith(prefix) for one in self.rows.links) else None

    def back(self, name: str) -> Any:
        return iter(())


def cells(column: pd.Series) -> list[Any]:
    """A column's values, None where it has none."""
    gaps = column.isna().to_numpy()
    if not gaps.any():
        return column.tolist()
    values = column.to_numpy(dtype=object, copy=True)
    values[gaps] = None
    return values.tolist()


def rounded(value: Any, kind: str) -> Any:
    """A figure of computed values (not of a stored field) as it is told: money to the cent, numbers to six places."""
    if value is None or isinstance(value, int):
        return value
    exact = value if isinstance(value, Decimal) else Decimal(repr(float(value)))
    return exact.quantize(CENT if kind == "money" else Decimal("0.000001"), ROUND_HALF_UP)
