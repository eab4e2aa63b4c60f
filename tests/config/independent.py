"""The other way to the figures: documents as they lie in the store (or in a customer's export), and what it takes to count them with pandas.

Nothing here asks the report engine, the door or the store's own sums. Money is in cents throughout, days are the company's local days.
"""

from __future__ import annotations

import json
import warnings
from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta

import apsw
import numpy as np
import pandas as pd

ZONE = "Europe/Warsaw"
ENDED = ("won", "lost", "given", "declined", "granted", "refused")

Figures = Callable[["Raw"], pd.DataFrame]


class Raw:
    """Documents by table: `raw.opportunity` is a frame of those that are not deleted, its index their ids, its columns as stored.

    `past` are the values a field had, oldest first: `[(table, id, at, field, value)]`; `moves` the stage changes as they were written.
    """

    def __init__(self, tables: dict[str, dict[int, dict]], today: date, past: list[tuple] = (), ids: dict | None = None) -> None:
        self.tables, self.today, self.past, self.ids = tables, today, list(past), ids or {}
        self._frames: dict[str, pd.DataFrame] = {}

    def __getattr__(self, table: str) -> pd.DataFrame:
        if table.startswith("__"):
            raise AttributeError(table)
        if table not in self._frames:
            living = {key: one for key, one in self.tables.get(table, {}).items() if not one.get("deleted_on")}
            self._frames[table] = Frame(pd.DataFrame.from_dict(living, orient="index"))
        return self._frames[table]


class Frame:
    """A frame whose unknown columns are empty: a field nobody filled is in no document."""

    def __init__(self, rows: pd.DataFrame) -> None:
        self.rows = rows

    def __getitem__(self, key: str) -> pd.Series:
        return self.rows[key] if key in self.rows else pd.Series(np.nan, index=self.rows.index, dtype=object)

    def __len__(self) -> int:
        return len(self.rows)

    def columns(self, *keys: str) -> pd.DataFrame:
        return pd.DataFrame({key: self[key] for key in keys}, index=self.rows.index)


def read(path: str, today: date) -> Raw:
    """Every table of a store, by SQL of our own."""
    base = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    names = [row[0] for row in base.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 't\\_%' ESCAPE '\\'")]
    tables = {name[2:]: {key: json.loads(text) for key, text in base.execute(f'SELECT doc_id, json(doc) FROM "{name}"')} for name in names}
    base.close()
    return Raw(tables, today)


def replay(changes, until: str | None, today: date) -> Raw:
    """The documents as they were at a moment, from one change after another; with what every field was before."""
    tables: dict[str, dict[int, dict]] = defaultdict(dict)
    past = []
    for one in changes:
        if until is not None and one.at > until:
            continue
        document = tables[one.table].setdefault(one.doc_id, {})
        for key, (_, new) in one.patch.items():
            past.append((one.table, one.doc_id, one.at, key, new))
            if new is None:
                document.pop(key, None)
            else:
                document[key] = new
        if one.act == "delete":
            tables[one.table].pop(one.doc_id, None)
    return Raw(dict(tables), today, past)


# -- days


def days(column: pd.Series) -> pd.Series:
    """The local day of stored dates (`2026-03-14`) and moments (`2026-03-14T09:26:53.123Z`)."""
    texts = column.astype(object).where(column.notna(), None)
    moment = texts.map(lambda one: one is not None and len(one) > 10)
    plain = pd.to_datetime(texts.where(~moment), errors="coerce")
    exact = (
        pd.to_datetime(texts.where(moment), utc=True, errors="coerce", format="ISO8601")
        .dt.tz_convert(ZONE)
        .dt.tz_localize(None)
        .dt.normalize()
    )
    return plain.where(~moment, exact)


def moments(column: pd.Series) -> pd.Series:
    return pd.to_datetime(column.astype(object), utc=True, errors="coerce", format="ISO8601")


def passed(since: pd.Series, until: pd.Series) -> pd.Series:
    """Days between two moments, with what is left of a day."""
    return (moments(until) - moments(since)) / pd.Timedelta(days=1)


def within(column: pd.Series, start: date, end: date) -> pd.Series:
    """Whether a day lies from `start` up to and with `end`."""
    found = days(column)
    return (found >= pd.Timestamp(start)) & (found <= pd.Timestamp(end))


def year_back(day: date) -> date:
    return day.replace(year=day.year - 1, day=28) if (day.month, day.day) == (2, 29) else day.replace(year=day.year - 1)


def month(column: pd.Series) -> pd.Series:
    return days(column).dt.strftime("%Y-%m")


def week(column: pd.Series) -> pd.Series:
    return days(column).dt.strftime("%G-W%V")


def quarter(column: pd.Series) -> pd.Series:
    return days(column).dt.to_period("Q").astype(str).str.replace("Q", "-Q").where(column.notna(), None)


def quarter_begun(column: pd.Series) -> pd.Series:
    """A quarter by its first month, as business years are told."""
    return days(column).dt.to_period("Q").dt.start_time.dt.strftime("%Y-%m")


def year_begun(column: pd.Series) -> pd.Series:
    return days(column).dt.strftime("%Y-01")


# -- counting


def one_row(**figures) -> pd.DataFrame:
    return pd.DataFrame([figures])


def tally(rows: pd.DataFrame, by: list[str] | str, **figures) -> pd.DataFrame:
    """A row a group (also that of nothing); each figure is `(column, how)` or a function of the group's rows."""
    by = [by] if isinstance(by, str) else by
    found = {}
    for keys, group in rows.groupby(by, dropna=False, observed=True, sort=False):
        found[keys if len(by) > 1 else keys[0]] = {
            name: one(group) if callable(one) else group[one[0]].agg(one[1]) for name, one in figures.items()
        }
    result = pd.DataFrame.from_dict(found, orient="index", columns=list(figures))
    result.index = pd.Index(list(found), tupleize_cols=False)
    return result


def rate(told: pd.Series) -> float:
    return float(told.astype(bool).mean()) if len(told) else np.nan


def cents(values: pd.Series) -> pd.Series:
    """Rounded to the cent, halves away from nothing."""
    exact = values.astype(float)
    return np.sign(exact) * np.floor(exact.abs() + 0.5 + 1e-9)


# -- stays


def stays(raw: Raw, entity: str, stage: str = "stage") -> pd.DataFrame:
    """A row each time a living record was in a stage: record, here, next, since, until, days (missing while it lasts)."""
    moves = raw._moves
    steps: dict[int, list] = defaultdict(list)
    if len(moves):
        rows = moves.columns("entity", "record", "on", "from", "to")
        for one in rows[rows["entity"] == entity].itertuples():
            steps[int(one.record)].append((one.on, one._4 if isinstance(one._4, str) else None, one.to))
    found = []
    frame = getattr(raw, entity)
    for record, here, since in zip(frame.rows.index, frame[stage], frame["created_on"], strict=True):
        way = sorted(steps[record], key=lambda one: one[0])
        if way and way[0][1] is None:
            since, here, way = min(since, way[0][0]), way[0][2], way[1:]
        elif way:
            here = way[0][1]
        for on, _, reached in way:
            found.append((record, here, reached, min(since, on), on))
            here, since = reached, on
        found.append((record, here, None, since, None))
    return stretched(found)


def spells(raw: Raw, table: str, field: str) -> pd.DataFrame:
    """The same for a field that is no stage, from every value it ever had."""
    frame = getattr(raw, table)
    created = frame["created_on"].to_dict()
    ways: dict[int, list] = defaultdict(list)
    for where, record, at, key, value in raw.past:
        if (where, key) == (table, field) and record in created and (not ways[record] or ways[record][-1][1] != value):
            ways[record].append((at, value))
    found = []
    for record, here in frame[field].items():
        way = ways.get(record) or [(created[record], here)]
        way[0] = (min(way[0][0], created[record]), way[0][1])
        for (since, value), following in zip(way, [*way[1:], (None, None)], strict=True):
            found.append((record, value, following[1], since, following[0]))
    return stretched(found)


def stretched(found: list[tuple]) -> pd.DataFrame:
    rows = pd.DataFrame(found, columns=["record", "here", "next", "since", "until"])
    return rows.assign(days=passed(rows["since"], rows["until"]), ended=rows["until"].notna())


def ahead(rows: pd.DataFrame, order: list[str]) -> pd.Series:
    """Whether the next stage is a later one, or the record was won."""
    place = {key: number for number, key in enumerate(order)}
    return rows["next"].map(lambda one: one in ("won", "given", "granted")) | (
        ~rows["next"].isin(ENDED) & (rows["next"].map(place) > rows["here"].map(place))
    )


def curve(rows: pd.DataFrame, by: str) -> pd.DataFrame:
    """How much still lasts after so many days, with its band, by scipy's estimate of censored samples.

    `rows` has the columns `by`, `days` and `over`.
    """
    from scipy import stats

    found = {}
    for group, here in rows.groupby(by, dropna=False):
        lengths, over = here["days"].to_numpy(dtype=float), here["over"].to_numpy(dtype=bool)
        left = stats.ecdf(stats.CensoredData(uncensored=lengths[over], right=lengths[~over])).sf
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            band = left.confidence_interval(method="log-log")
        found[(group, 0)] = (1.0, 1.0, 1.0, len(lengths)) if 0 not in lengths[over] else None
        for n, day in enumerate(left.quantiles):
            if day in lengths[over]:
                low, high = band.low.probabilities[n], band.high.probabilities[n]
                if left.probabilities[n] == 0:  # nothing is left: the band is not defined there
                    low = high = 0.0
                found[(group, int(day))] = (left.probabilities[n], low, high, int((lengths >= day).sum()))
    result = pd.DataFrame.from_dict(found, orient="index", columns=["undecided", "undecided_low", "undecided_high", "undecided_at_risk"])
    result.index = pd.Index(list(found), tupleize_cols=False)
    return result


def length(days_between: pd.Series) -> pd.Series:
    return days_between.dt.days.clip(lower=0)


def today_of(raw: Raw) -> pd.Timestamp:
    return pd.Timestamp(raw.today)


def back(raw: Raw, days_: int) -> pd.Timestamp:
    return pd.Timestamp(raw.today - timedelta(days=days_))
