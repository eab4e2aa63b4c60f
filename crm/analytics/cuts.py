"""The axes of a report at work: what the store groups by, which group a value belongs to, how the group is called and found again."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from crm.analytics.periods import FISCAL, after, between, floor, local, named, start_of
from crm.records.columns import Column, moments

if TYPE_CHECKING:
    import numpy as np

    from crm.records import Door
    from crm.schema.model import Axis, Report

#: Options shown although nothing is in them, at most.
MOST = 40
#: A day in milliseconds, and the number of the first day of 1970.
DAY, EPOCH = 86_400_000, date(1970, 1, 1).toordinal()


def resolve(door: Door, entity: str, path: str) -> Any:
    """The field at the end of a dotted path (`account.industry`), None for what is no field (`stage.outcome`)."""
    one = None
    for part in path.split("."):
        fields = door.schema.entities[entity].fields if entity else {}
        one = fields.get(part)
        if one is None:
            return None
        entity = getattr(one, "to", None) or ""
    return one


class Cut:
    """One axis: `asked` is what the store groups by, `key` turns what it gives into the group's key, `place` does so for a single value.

    `mapped` says that several of the store's groups may become one. Keys: the stored value; of a period its name; of a class its number.
    """

    def __init__(self, door: Door, report: Report, axis: Axis, as_of: datetime | None) -> None:
        self.door, self.report, self.axis, self.as_of = door, report, axis, as_of
        self.stay = axis.field.partition(".")[2] if report.stays is not None and axis.field.startswith("stay.") else ""
        self.field = self._stayed() if self.stay else resolve(door, report.entity, axis.field)
        self.unit = axis.unit
        self.zone = door.words.tz
        self.moment = getattr(self.field, "name", "") == "datetime" or self.stay in ("since", "until")
        self.bounds = [self.field.to_json(bound) for bound in axis.classes] if axis.classes and self.field is not None else axis.classes
        self.many = getattr(self.field, "name", "") in ("links", "choices", "tags")
        self.titles: dict[Any, str] = {}
        self._days: dict[str, str] = {}
        self._above: dict[int, list[int]] | None = None
        self._firsts: dict[Any, str] | None = None
        self.asked: str | tuple[str, str] = axis.field
        self.mapped = bool(axis.classes or axis.level or axis.first)
        if self.unit and not axis.first:
            here = datetime.now(self.zone).utcoffset()
            if self.moment and self.zone is not UTC and str(self.zone) != "UTC":
                self.asked, self.mapped = ("hour" if here is None or not here.seconds % 3600 else "minute", axis.field), True
            elif self.unit in FISCAL:
                self.asked, self.mapped = ("month", axis.field), True
            else:
                self.asked = (self.unit, axis.field)

    def _stayed(self) -> Any:
        stays = self.report.stays
        if stays is None or self.stay not in ("stage", "next"):
            return None
        return resolve(self.door, self.report.entity, stays.field or stays.what)

    # -- keys

    def key(self, raw: Any) -> Any:
        """The group of what the store gave for `asked`."""
        if raw is None or not self.mapped:
            return raw
        if self.unit and not self.axis.first:
            text = str(raw)
            if text not in self._days:
                whole = text + (":00+00:00" if len(text) == 13 else "+00:00") if "T" in text else text + "-01"[: 10 - len(text)]
                self._days[text] = self._named(local(whole, self.zone))
            return self._days[text]
        return self.place(raw)

    def places(self, raw: Any) -> list[Any]:
        """The groups of a single stored value: of a list of links or options one each, so that a record may count in several."""
        if not self.many:
            return [self.place(raw)]
        return list(dict.fromkeys(one["id"] if isinstance(one, dict) else one for one in raw or ())) or [None]

    def place(self, raw: Any) -> Any:
        """The group of a single stored value."""
        if raw is None or raw != raw:
            return None
        if self.axis.first:
            return self.firsts.get(int(raw))
        if self.unit:
            if not isinstance(raw, str):
                return None
            text = raw[:16] if self.moment else raw[:10]
            if text not in self._days:
                self._days[text] = self._named(local(raw if self.moment else text, self.zone))
            return self._days[text]
        if self.axis.classes:
            return bisect_right(self.bounds, raw) - 1
        if self.axis.level:
            way = self.above(int(raw))
            return way[min(self.axis.level, len(way)) - 1]
        if isinstance(raw, float) and raw.is_integer() and getattr(self.field, "to", None):
            return int(raw)  # a link in a column with gaps
        return tuple(raw) if isinstance(raw, list) else raw

    def days(self, column: Column) -> np.ndarray | None:
        """Of an axis of time the day of each value of a column (from 1970 on), in this user's time zone; None where values are placed singly."""
        if not self.unit or self.axis.first or not self.moment or not column.kinds.derived("stamped", stamped).all():
            return None
        return column.kinds.derived(("day", str(self.zone)), lambda texts: days_of(texts, self.zone))

    def of_day(self, day: int) -> Any:
        """The group of a day, counted from 1970."""
        return self._named(date.fromordinal(EPOCH + day))

    def _named(self, day: date) -> str:
        unit = self.unit or "day"
        return named(floor(day, unit, self.door.schema.fiscal_start), unit)

    def above(self, node: int) -> list[int]:
        """The way from the top of the tree down to a node, as far as this user sees it."""
        if self._above is None:
            tree = self.door.schema.entities[self.field.to].tree
            assert tree is not None  # the check of the configuration saw to it
            frame = self.door.frame(self.field.to, [tree.by], stored=True, as_of=self.as_of)
            self._parents = {
                int(one): int(up)
                for one, up in zip(frame.index.tolist(), frame[tree.by].tolist(), strict=True)
                if up is not None and up == up
            }
            self._above = {}
        if node not in self._above:
            way = [node]
            while (up := self._parents.get(way[0])) is not None and up not in way:
                way.insert(0, up)
            self._above[node] = way
        return self._above[node]

    @property
    def firsts(self) -> dict[Any, str]:
        """The period of the first date of each linked record."""
        if self._firsts is None:
            rows = self.door.aggregate(
                self.report.entity, [self.axis.field], {"first": ("min", self.axis.first)}, self.axis.where, as_of=self.as_of
            )
            self._firsts = {}
            for row in rows:
                at = row["first"]
                if at is not None and row["by"][0] is not None:
                    self._firsts[row["by"][0]] = self._named(at.astimezone(self.zone).date() if isinstance(at, datetime) else at)
        return self._firsts

    # -- what a key is called, and how its records are found

    def shown(self, key: Any) -> Any:
        """What stands for a key: the title of a linked record, an option's label, the first day of a period."""
        one, t = self.field, self.door.words
        if key is None:
            return None
        if self.unit:
            return start_of(key, self.unit)
        if self.axis.classes:
            return self.between(key)
        if one is None:
            return key
        if getattr(one, "to", None) and not isinstance(key, str):
            if key not in self.titles:
                self.titles[key] = self.door.titles(one.to, [key]).get(key) or t("Not visible to you")
            return self.titles[key]
        return one.display(one.from_json(key), self.door.shown)

    def name_all(self, keys: Iterable[Any]) -> None:
        """Fetch the titles of linked records in one go."""
        to = getattr(self.field, "to", None)
        if to and not self.unit:
            ids = [key for key in keys if isinstance(key, int) and key not in self.titles]
            hidden = self.door.words("Not visible to you")
            known = self.door.titles(to, ids) if ids else {}
            self.titles |= {key: known.get(key) or hidden for key in ids}

    def between(self, key: int) -> str:
        """A class by its bounds."""
        t, bounds = self.door.words, self.axis.classes

        def said(bound: Decimal) -> str:
            if self.axis.kind == "money":
                return t.money_short(bound, getattr(self.field, "currency", "") or "")
            return t.percent(bound) if self.axis.kind == "percent" else t.number(bound)

        if key < 0:
            return t("below {value}", value=said(bounds[0]))
        if key == len(bounds) - 1:
            return t("{value} and more", value=said(bounds[key]))
        return f"{said(bounds[key])} – {said(bounds[key + 1])}"

    def condition(self, key: Any) -> str:
        """The condition, in the expression language, that the records of a group fulfil."""
        axis, path = self.axis, self.axis.field
        if axis.first:
            back = f"{path}.{self.field.back}.{axis.first}"
            path = f"min({back}, {axis.where})" if axis.where is not None else f"min({back})"
        if key is None:
            return f"{path} == None"
        if self.unit:
            start = start_of(key, self.unit)
            return f"{path} >= date('{start}') and {path} < date('{after(start, self.unit)}')"
        if axis.classes:
            low = f"{path} >= {axis.classes[key]}" if key >= 0 else ""
            high = f"{path} < {axis.classes[key + 1]}" if key < len(axis.classes) - 1 else ""
            return " and ".join(one for one in (low, high) if one)
        if self.many:
            return f"contains({path}, {json.dumps(key, ensure_ascii=False)})"
        if axis.level and len(self.above(int(key))) >= axis.level:
            return f"within({path}, {key})"
        return f"{path} == {json.dumps(key, ensure_ascii=False) if isinstance(key, str) else key}"

    # -- all there can be

    @property
    def ranking(self) -> dict[Any, int]:
        """The place of each key in the order of the YAML: stages, options, classes."""
        if self.unit:
            return {}
        if self.axis.classes:
            return {number: number for number in range(-1, len(self.axis.classes))}
        one = self.field
        if getattr(one, "pipelines", None) and hasattr(one, "stage_of"):
            named = [name for name in one.pipelines if not one.pipeline_key or self.possible(name, one.pipeline_key)]
            keys = [stage for name in named for stage in one.pipelines[name].stages]
            keys.sort(key=lambda stage: bool(getattr(one.stage_of(stage), "outcome", None)))  # ends stand last, whichever pipeline's
            return {key: number for number, key in enumerate(dict.fromkeys(keys))}
        choices = getattr(one, "options", None)
        return {key: number for number, key in enumerate(choices)} if isinstance(choices, dict) else {}

    def all(self, keys: Iterable[Any]) -> list[Any]:
        """Every key the axis should show beside those that have something: periods in between, stages, options, classes."""
        have = [key for key in keys if key is not None]
        if self.unit:
            return between(min(have), max(have), self.unit) if have else []
        if self.axis.classes:
            return list(range(len(self.axis.classes)))
        if self.stay == "next":
            return []
        found = list(self.ranking) if self.stay or "." not in self.axis.field else []
        return [key for key in found if self.stay or self.possible(key, self.axis.field)] if len(found) <= MOST else []

    def possible(self, value: Any, path: str) -> bool:
        """Whether the report's condition leaves room for a value of a field: a report of what is open shows no empty 'Lost'."""
        where = self.report.where
        if where is None:
            return True
        from crm.expressions import Env
        from crm.expressions.nodes import And
        from crm.expressions.python import compile_python

        env = Env(get=lambda head: value if head == path else None)
        parts = where.node.items if isinstance(where.node, And) else (where.node,)
        return not any(reads(part) == {path} and compile_python(part)(env) is False for part in parts)


def stamped(values: Sequence[Any]) -> np.ndarray:
    """Which are moments in UTC as the engine writes them."""
    import numpy as np

    return np.array([isinstance(one, str) and len(one) == 24 and one[23] == "Z" for one in values], dtype=bool)


def days_of(texts: Sequence[str], zone: Any) -> np.ndarray:
    """The calendar day, in a time zone, of moments in UTC, counted from 1970. Days on which the clock is changed are looked at by the moment."""
    import numpy as np

    at = moments(texts)
    days = at // DAY
    known, which = np.unique(days, return_inverse=True)
    shift, even = np.zeros(len(known), dtype=np.int64), np.ones(len(known), dtype=bool)
    for n, day in enumerate(known.tolist()):
        begin = datetime.fromtimestamp(day * DAY // 1000, UTC)
        early, late = (one.astimezone(zone).utcoffset() for one in (begin, begin + timedelta(days=1)))
        shift[n], even[n] = (early or timedelta()) / timedelta(milliseconds=1), early == late
    found = (at + shift[which]) // DAY
    for n in np.flatnonzero(~even[which]).tolist():
        found[n] = local(texts[n], zone).toordinal() - EPOCH
    return found


def reads(node: Any) -> set[str]:
    """The dotted paths of the fields that a part of an expression looks at; "?" where it looks further."""
    from crm.expressions import nodes as n

    if isinstance(node, (n.StageOf, n.Field)):
        return {(node.field if isinstance(node, n.StageOf) else node).dotted}
    if isinstance(node, (n.Aggregate, n.Special, n.Within)):
        return {"?"}
    return {path for part in n.parts_of(node) for path in reads(part)}
