"""Figures and frames under a user's rights: grouped sums for reports, columns for pandas.

A dotted axis (`account.industry`) is grouped by the link in the store; the ids are then mapped to the linked field's value,
and groups of one value are joined here. What the user may not see of a linked record counts as empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from crm.errors import Refused
from crm.records import sifting
from crm.records.columns import Column, kept_of, marked
from crm.records.queries import all_of
from crm.records.reading import NOTHING, When, Where
from crm.records.search import Search
from crm.stores import where_id

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from crm.records.access import Sight

Axis = str | tuple[str, str]
#: The pieces of time a date is cut in here; of a moment in UTC, as it is stored.
UNITS = ("year", "quarter", "month", "week", "day", "hour", "minute")
#: So many linked records are asked for by their numbers, of more all are looked at.
FEW = 500
#: How figures of groups are put together when groups are joined.
JOIN = {"count": "add", "sum": "add", "min": "least", "max": "most"}


class Figures(Search):
    """`aggregate` and `frame`."""

    def aggregate(
        self,
        entity: str,
        by: Sequence[Axis] | Axis = (),
        measures: Mapping[str, tuple[str, str | None] | str] | None = None,
        where: Where = None,
        find: str = "",
        as_of: When = None,
    ) -> list[dict[str, Any]]:
        """Grouped figures: `[{"by": [stored key per axis], name: value}]` in the order of the groups.

        `by` are paths or `(unit, path)` with unit year, quarter, month, week, day, hour, minute; paths may go through links. `measures` is
        `{name: (how, path)}`, how count, sum, min, max or mean; values are Python values (money a Decimal), counts int.
        """
        sight = self.sight(entity)
        axes: list[Axis] = [by] if isinstance(by, (str, tuple)) and _is_axis(by) else list(by)
        wanted = {name: (one, None) if isinstance(one, str) else one for name, one in (measures or {"count": ("count", None)}).items()}
        for axis in axes:
            self.schema_field(entity, axis if isinstance(axis, str) else axis[1])
        for how, path in wanted.values():
            if path:
                self.schema_field(entity, path)
            if how not in ("count", "sum", "min", "max", "mean", "distinct"):
                raise Refused("Figures cannot be put together by '{how}'.", how=how)
        cond = self._cond(sight, where, find, as_of=as_of)
        if cond is NOTHING:
            return [] if axes else [{"by": [], **{name: 0 if how in ("count", "distinct") else None for name, (how, _) in wanted.items()}}]
        table = self.company.table(entity)
        table = table if as_of is None else table.as_of(as_of)
        if any(path and self._hop(entity, path) for _, path in wanted.values()):
            return self._by_hand(entity, axes, wanted, cond, table, as_of)
        inner: dict[str, Axis] = {}
        hops: dict[int, tuple[str, str, str | None]] = {}  # axis → link, path beyond it, unit
        for number, axis in enumerate(axes):
            unit, path = (None, axis) if isinstance(axis, str) else axis
            hop = self._hop(entity, path)
            if hop:
                hops[number] = (hop, path[len(hop) + 1 :], unit)
                inner[f"a{number}"] = hop
            else:
                plain = "doc_id" if path == "id" else path
                inner[f"a{number}"] = plain if unit is None else (unit, plain)
        asked: dict[str, tuple[str, str]] = {}
        for name, (how, path) in wanted.items():
            if how == "mean" and hops:
                asked[f"m.{name}.sum"], asked[f"m.{name}.n"] = ("sum", path or ""), ("count", path or "")
            else:
                asked[f"m.{name}"] = (how, path or "")
        if any(how == "distinct" for how, _ in wanted.values()) and hops:
            return self._by_hand(entity, axes, wanted, cond, table, as_of)
        rows = table.aggregate(inner, asked, cond)
        if hops:
            rows = self._joined(entity, rows, hops, wanted, as_of)
        result = []
        read = {name: self._reader(entity, how, path) for name, (how, path) in wanted.items()}
        for row in rows:
            figures: dict[str, Any] = {"by": [row[f"a{number}"] for number in range(len(axes))]}
            for name, (how, _) in wanted.items():
                if how == "mean" and hops:
                    n = row[f"m.{name}.n"]
                    kept = row[f"m.{name}.sum"] / n if n else None
                else:
                    kept = row[f"m.{name}"]
                figures[name] = read[name](kept)
            result.append(figures)
        if hops:
            result.sort(key=lambda one: [(value is not None, str(type(value)), value) for value in one["by"]])
        return result

    def _hop(self, entity: str, path: str) -> str | None:
        """The link a dotted path starts with, None for a path within the record."""
        head, _, rest = path.partition(".")
        field = self.company.schema.entities[entity].fields.get(head)
        return head if rest and getattr(field, "to", None) else None

    def _reader(self, entity: str, how: str, path: str | None) -> Callable[[Any], Any]:
        """What makes a Python value of a figure as the store gives it."""
        if how in ("count", "distinct") or not path:
            return _same
        field = self.schema_field(entity, path)
        if how == "mean":
            decimals = getattr(field, "decimals", None)
            scale = -(decimals if decimals is not None else 2) if field.kind == "money" else 0
            exact = field.kind in ("money", "number", "percent")
            return lambda kept: Decimal(str(kept)).scaleb(scale) if exact and kept is not None else kept
        if field.kind in ("money", "number", "percent", "date", "datetime"):
            return lambda kept: None if kept is None else field.from_json(kept)
        return _same

    def _joined(
        self, entity: str, rows: list, hops: Mapping[int, tuple[str, str, str | None]], wanted: Mapping[str, Any], as_of: When
    ) -> list:
        """Rows grouped by links, grouped again by what lies beyond them."""
        for number, (link, rest, unit) in hops.items():
            to = self.company.schema.entities[entity].fields[link].to
            known = self.values_of(to, rest, {row[f"a{number}"] for row in rows if row[f"a{number}"] is not None}, as_of)
            for row in rows:
                value = known.get(row[f"a{number}"])
                row[f"a{number}"] = _bucket(value, unit) if unit else value
        joined: dict[tuple[Any, ...], dict[str, Any]] = {}
        axes = [key for key in (rows[0] if rows else {}) if key.startswith("a") and key[1:].isdigit()]
        for row in rows:
            group = tuple(_hashable(row[key]) for key in axes)
            into = joined.get(group)
            if into is None:
                joined[group] = row
                continue
            for key, value in row.items():
                if key in axes or value is None:
                    continue
                name = key.split(".")[1]
                how = wanted[name][0]
                how = "sum" if how == "mean" else how
                now = into[key]
                into[key] = (
                    value
                    if now is None
                    else now + value
                    if JOIN[how] == "add"
                    else min(now, value)
                    if JOIN[how] == "least"
                    else max(now, value)
                )
        return list(joined.values())

    def values_of(self, entity: str, path: str, ids: Iterable[int], as_of: When = None) -> dict[int, Any]:
        """`{id: stored value}` at a path of records this user may see; with `as_of` what it was then of those they may see today."""
        wanted = sorted({one for one in ids if isinstance(one, int)})
        sight = self.sight(entity)
        if not wanted or not sight.may("see"):
            return {}
        head, _, rest = path.partition(".")
        if head not in sight.plan.readable:
            raise self._unknown(sight.entity, head)
        field = sight.entity.fields[head]
        beyond = rest if rest and getattr(field, "to", None) else ""
        plain = "doc_id" if head == "id" else head if beyond else path
        result: dict[int, Any] = {}
        table = self.company.table(entity)
        for at in range(0, len(wanted), 5000):
            mine = all_of(sight.query(), where_id("in", wanted[at : at + 5000]))
            source = table
            if as_of is not None:
                mine, source = where_id("in", table.ids(mine)), table.as_of(as_of)
            for doc_id, kept in source.values(["doc_id", plain], all_of(self.company.live, mine)):
                result[doc_id] = kept
        if beyond:
            further = self.values_of(field.to, beyond, set(result.values()) - {None}, as_of)
            return {one: further.get(kept) for one, kept in result.items()}
        return result

    def _by_hand(
        self, entity: str, axes: list[Axis], wanted: Mapping[str, Any], cond: Any, table: Any, as_of: When
    ) -> list[dict[str, Any]]:
        """Measures through links, which the store does not group: rows fetched and grouped here."""
        paths = [axis if isinstance(axis, str) else axis[1] for axis in axes] + [path for _, path in wanted.values() if path]
        columns = self._columns(entity, list(dict.fromkeys(paths)), cond, table, as_of)
        n = len(next(iter(columns.values()))) if columns else table.count(cond)
        groups: dict[tuple[Any, ...], list[int]] = {}
        for row in range(n):
            group = tuple(
                _hashable(columns[axis][row] if isinstance(axis, str) else _bucket(columns[axis[1]][row], axis[0])) for axis in axes
            )
            groups.setdefault(group, []).append(row)
        if not axes:
            groups.setdefault((), [])
        result = []
        read = {name: self._reader(entity, how, path) for name, (how, path) in wanted.items()}
        for group in sorted(groups, key=lambda one: [(value is not None, str(type(value)), value) for value in one]):
            figures: dict[str, Any] = {"by": list(group)}
            for name, (how, path) in wanted.items():
                kept = [columns[path][row] for row in groups[group] if columns[path][row] is not None] if path else groups[group]
                figures[name] = read[name](_measure(how, kept))
            result.append(figures)
        return result

    def frame(
        self,
        entity: str,
        fields: Sequence[str] | None = None,
        where: Where = None,
        as_of: When = None,
        stored: bool = False,
        order: Sequence[str] | str = (),
        limit: int | None = None,
        find: str = "",
    ) -> pd.DataFrame:
        """Records as a DataFrame, index `id`, one column per field (all readable ones by default), paths through links allowed.

        dtypes: money, number, percent, duration float64 (money in units of its currency), integer and link Int64, date and datetime
        datetime64 (datetime in UTC), boolean boolean, all else object. `stored=True` leaves values as they are stored.
        """
        import pandas as pd

        sight = self.sight(entity)
        keys = list(fields) if fields is not None else [key for key in sight.plan.ordered if key != "id"]
        for key in keys:
            self.schema_field(entity, key)
        cond = self._cond(sight, where, find, as_of=as_of)
        if cond is NOTHING:
            frame = pd.DataFrame({key: pd.Series(dtype=object) for key in keys}, index=pd.Index([], name="id", dtype="int64"))
        else:
            table = self.company.table(entity)
            table = table if as_of is None else table.as_of(as_of)
            plain = [key for key in keys if not self._hop(entity, key) and key != "id"]
            links = [link for key in keys if (link := self._hop(entity, key)) and link not in plain]
            frame = table.frame(list(dict.fromkeys([*plain, *links])), cond, order_by=self._order(sight, order), limit=limit)
            frame.index.name = "id"
            for key in keys:
                link = self._hop(entity, key)
                if link:
                    to = self.company.schema.entities[entity].fields[link].to
                    kept = frame[link]
                    known = self.values_of(to, key[len(link) + 1 :], (int(one) for one in kept.dropna().unique()), as_of)
                    frame[key] = [None if one is None or one != one else known.get(int(one)) for one in kept]
                elif key == "id":
                    frame[key] = frame.index
            if list(frame.columns) != keys:
                frame = frame[keys]
        if stored:
            return frame
        return pd.DataFrame({key: _typed(self.schema_field(entity, key), frame[key]) for key in keys}, index=frame.index, copy=False)

    def columns(
        self, entity: str, paths: Sequence[str], where: Where = None, as_of: When = None
    ) -> tuple[np.ndarray, dict[str, Column]]:
        """The numbers of the records, rising, and their stored values at some paths: what `frame` gives with `stored`, as columns that say
        which of few values stands where. What is so now is taken from columns kept in memory, as far as this user may see it."""
        import numpy as np

        sight = self.sight(entity)
        for path in paths:
            self.schema_field(entity, path)
        if not sight.may("see"):
            return np.zeros(0, dtype=np.int64), {path: Column.of(()) for path in paths}
        heads = list(dict.fromkeys("doc_id" if path == "id" else self._hop(entity, path) or path for path in paths))
        found = self._taken(sight, heads, where) if as_of is None else None
        if found is None:
            table = self.company.table(entity)
            table = table if as_of is None else table.as_of(as_of)
            rows = table.values(["doc_id", *heads], self._cond(sight, where, as_of=as_of))
            ids = np.array([row[0] for row in rows], dtype=np.int64)
            found = ids, {head: Column.of(row[n] for row in rows) for n, head in enumerate(heads, 1)}
        ids, own = found
        result: dict[str, Column] = {}
        for path in paths:
            link = self._hop(entity, path)
            result[path] = self._along(entity, link, path, own[link], as_of) if link else own["doc_id" if path == "id" else path]
        return ids, result

    def _taken(self, sight: Sight, heads: list[str], where: Where) -> tuple[np.ndarray, dict[str, Column]] | None:
        """The same from the kept columns: records this user may see, for which the condition holds; None where nothing is kept."""
        import numpy as np

        entity = sight.entity
        parts, rest = sifting.parted(self, entity.name, where)
        kept = kept_of(self.company, entity.name, [*heads, *sifting.needed(entity, parts)])
        if kept is None:
            return None
        mask = kept.living
        for part in parts:
            here = sifting.holds(self, entity, part, kept.columns, len(kept.ids))
            if here is None:
                rest = [where]
            else:
                mask = mask & here
        mine = all_of(sight.query(), self.query(entity.name, rest))
        if mine is not None:
            mask = mask & marked(kept.ids, self.company.table(entity.name).ids(mine))
        rows = np.flatnonzero(mask)
        return kept.ids[rows], {head: kept.columns[head].take(rows) for head in heads}

    def _along(self, entity: str, link: str, path: str, own: Column, as_of: When) -> Column:
        """The values at a path through a link, of linked records this user may see."""
        to, rest = self.company.schema.entities[entity].fields[link].to, path[len(link) + 1 :]
        linked = [own.kinds.values[code] for code in own.occurring()]
        if as_of is not None or len(linked) < FEW:
            return own.mapped(self.values_of(to, rest, linked, as_of))
        ids, values = self.columns(to, [rest])
        return own.mapped(dict(zip(ids.tolist(), values[rest], strict=True)))

    def _columns(self, entity: str, paths: list[str], cond: Any, table: Any, as_of: When) -> dict[str, list[Any]]:
        heads = list(dict.fromkeys(self._hop(entity, path) or ("doc_id" if path == "id" else path) for path in paths))
        rows = table.values(heads, cond) if heads else []
        columns = {head: [row[number] for row in rows] for number, head in enumerate(heads)}
        result: dict[str, list[Any]] = {}
        for path in paths:
            link = self._hop(entity, path)
            if link:
                to = self.company.schema.entities[entity].fields[link].to
                known = self.values_of(to, path[len(link) + 1 :], {one for one in columns[link] if one is not None}, as_of)
                result[path] = [known.get(one) for one in columns[link]]
            else:
                result[path] = columns["doc_id" if path == "id" else path]
        return result


def _same(kept: Any) -> Any:
    return kept


def _is_axis(by: Any) -> bool:
    return isinstance(by, str) or (len(by) == 2 and by[0] in UNITS)


def _hashable(value: Any) -> Any:
    return tuple(map(_hashable, value)) if isinstance(value, list) else str(value) if isinstance(value, dict) else value


def _bucket(value: Any, unit: str | None) -> Any:
    """The piece of time a stored date lies in: `2026`, `2026-Q3`, `2026-07`, `2026-W31`, `2026-07-31`."""
    if not isinstance(value, str) or unit is None:
        return value if unit is None else None
    from datetime import date

    if unit == "year":
        return value[:4]
    if unit == "month":
        return value[:7]
    if unit in ("day", "hour", "minute"):
        return value[: 10 if unit == "day" else 13 if unit == "hour" else 16]
    if unit == "quarter":
        return f"{value[:4]}-Q{(int(value[5:7]) + 2) // 3}"
    year, week, _ = date.fromisoformat(value[:10]).isocalendar()
    return f"{year}-W{week:02}"


def _measure(how: str, kept: Sequence[Any]) -> Any:
    if how == "count":
        return len(kept)
    if how == "distinct":
        return len({_hashable(one) for one in kept})
    if how == "sum":
        return sum(kept)
    if not kept:
        return None
    return min(kept) if how == "min" else max(kept) if how == "max" else sum(kept) / len(kept)


def _typed(field: Any, column: Any) -> Any:
    """A column of stored values as Python types pandas works well with."""
    import numpy as np
    import pandas as pd

    kind = field.kind
    if kind == "money":
        decimals = getattr(field, "decimals", None)
        return pd.to_numeric(column).astype("float64", copy=False) / 10 ** (decimals if decimals is not None else 2)
    if kind in ("number", "percent", "duration"):
        if field.name == "integer":
            return pd.to_numeric(column).astype("Int64")
        return pd.to_numeric(column).astype("float64")
    if kind == "link" or field.key == "id":
        return pd.to_numeric(column).astype("Int64")
    if kind in ("date", "datetime"):
        if kind == "date" and pd.api.types.infer_dtype(column, skipna=True) in ("string", "empty"):
            cells = column.tolist()
            if max(map(len, filter(None, cells)), default=0) <= 10:  # none holds a time of day
                try:
                    return pd.Series(np.array(cells, dtype="datetime64[s]"), index=column.index)
                except ValueError:
                    pass
        cut = 10 if kind == "date" else 23
        texts = [one[:cut] if isinstance(one, str) else "NaT" for one in column.tolist()]
        try:
            moments = pd.Series(np.array(texts, dtype="datetime64[s]" if kind == "date" else "datetime64[ms]"), index=column.index)
        except ValueError:  # stored before the field was a date
            moments = pd.to_datetime(column, format="ISO8601", errors="coerce", utc=True).dt.tz_localize(None)
        return moments if kind == "date" else moments.dt.tz_localize("UTC")
    if kind == "boolean":
        return column.astype("boolean")
    return column


__all__ = ["Figures"]
_ = UTC
