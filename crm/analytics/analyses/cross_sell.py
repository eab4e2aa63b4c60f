"""What is bought together, and whether recommending it would have worked (F10).

Of every two items: `support` (the part of all buyers who bought both), `confidence` (of those who bought the first, the part who bought the
other), `lift` (that part against the part of all buyers; Brin et al. 1997). Whether it holds is measured on the later part of time: of those
who had bought the first and not the other until then, how many bought the other afterwards, against all who had not bought it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from crm.analytics.analyses.base import ANALYSES, Analysis, Found, Members
from crm.analytics.cuts import resolve
from crm.analytics.effects import CLEAR, chance, corrected
from crm.analytics.values import led_to, numbers, spread
from crm.records.columns import Column, Kinds, placed

if TYPE_CHECKING:
    import numpy as np

    from crm.records import Door
    from crm.schema.model import Report

#: Buyers of both that make a row, suggestions made to each buyer, and the part of time that is held back.
LEAST, SUGGESTED, HELD = 3, 3, 0.5
#: Fewer expected buyers in the later part say nothing either way.
EXPECTED = 3.0


@dataclass(frozen=True)
class Bought:
    """Purchases, row by row: who bought what on which day (its number from 1970 on)."""

    who: np.ndarray
    what: np.ndarray
    day: np.ndarray

    @cached_property
    def buyers(self) -> np.ndarray:
        import numpy as np

        return np.unique(self.who)

    @cached_property
    def items(self) -> np.ndarray:
        import numpy as np

        return np.unique(self.what)

    def baskets(self, among: np.ndarray | None = None) -> Any:
        """A matrix of buyers and items: one where somebody bought something (in some of the rows)."""
        import numpy as np
        from scipy.sparse import csr_array

        rows = slice(None) if among is None else among
        each = np.unique(np.searchsorted(self.buyers, self.who[rows]) * len(self.items) + np.searchsorted(self.items, self.what[rows]))
        place = np.divmod(each, max(1, len(self.items)))
        return csr_array((np.ones(len(each), dtype=np.int64), place), shape=(len(self.buyers), len(self.items)))

    def had(self, item: int) -> set[int]:
        """Who bought something."""
        return set(self.who[self.what == item].tolist())


@ANALYSES.add
class CrossSell(Analysis):
    """A row two items in one order of suggestion (who has `first` is offered `other`): `basket` says who bought, `item` what, `on` when.

    `item` may be the link inside a field of lines: then `column` is its key there.
    """

    name = "cross_sell"
    narrow = True
    options = {
        "basket": "link",
        "item": "link",
        "column": "column of item?",
        "on": "date",
        "least": "whole?",
        "suggest": "whole?",
        "held": "part?",
    }
    examples = {"least": "5", "suggest": "3", "held": "50%"}
    columns = {
        "first": "dimension text",
        "other": "dimension text",
        "both": "measure integer",
        "lift": "measure number",
        "verdict": "dimension text",
        "later_lift": "measure number",
        "support": "measure percent",
        "confidence": "measure percent",
        "later": "measure percent",
        "later_n": "measure integer",
    }

    def compute(self, door: Door, report: Report, *, where: list[Any], as_of: datetime | None, period: tuple[date, date] | None) -> Found:
        import numpy as np

        t, options = door.words, report.options
        bought, to = self.bought(door, report, where, as_of)
        least, suggest = options.get("least", LEAST), options.get("suggest", SUGGESTED)
        many = len(bought.day)
        cut = int(np.sort(bought.day)[min(many - 1, int(many * (1 - float(options.get("held", HELD)))))]) if many else 0
        pairs = rules(bought, least)
        later = held_back(bought, cut, pairs)
        names = door.titles(to, {one for pair in pairs for one in pair}) if to else {}
        hidden = t("Not visible to you")
        rows: list[list[Any]] = []
        keys: list[tuple[Any, ...]] = []
        judged = [pair for pair in pairs if pair in later and later[pair].expected >= EXPECTED]
        tests = [chance(one.hits, one.n, one.others_hits, one.others) for one in map(later.__getitem__, judged)]
        clear = dict(zip(judged, corrected(tests), strict=True))
        for pair, rule in pairs.items():
            one = later.get(pair, Later())
            verdict = self.verdict(t, one, clear.get(pair))
            rows.append([
                names.get(pair[0], hidden), names.get(pair[1], hidden), rule["both"], round(rule["lift"], 2), verdict,
                None if one.lift is None else round(one.lift, 2), exact(rule["support"]), exact(rule["confidence"]),
                exact(one.hits / one.n) if one.n else None, one.n,
            ])  # fmt: skip
            keys.append((*pair, verdict))
        order = sorted(range(len(rows)), key=lambda n: (-rows[n][3], -rows[n][2], keys[n][:2]))
        labels = {
            "first": t("Who has"), "other": t("has also"), "both": t("Have both"), "support": t("Of all"),
            "confidence": t("Of those with the first"), "lift": t("Times as often"), "later_n": t("Could still take it"),
            "later": t("Took it later"), "later_lift": t("Later, times as often"), "verdict": t("In the later part"),
        }  # fmt: skip
        trial = tried(bought, cut, least, suggest)
        buyers = getattr(resolve(door, report.entity, options["basket"]), "to", None) or ""
        seen = bool(buyers) and door.may("see", buyers)
        return Found(
            columns=[self.column(key, labels[key]) for key in self.columns],
            rows=[rows[n] for n in order],
            keys=[keys[n] for n in order],
            members=Behind(t, names, hidden, bought, [keys[n] for n in order]) if seen else (),
            of=buyers,
            notes={"cut": str(np.datetime64(cut, "D")) if many else "", "buyers": len(bought.buyers), "trial": trial, "suggest": suggest},
            says=self.says(t, [rows[n] for n in order], trial, suggest, least),
        )

    def verdict(self, t: Any, one: Later, q: float | None) -> str:
        """What the later part says of a pair."""
        if q is None:
            return str(t("too little data"))
        if q >= CLEAR:
            return str(t("not clear"))
        return str(t("holds") if (one.lift or 0) > 1 else t("does not hold"))

    def bought(self, door: Door, report: Report, where: list[Any], as_of: datetime | None) -> tuple[Bought, str]:
        """Every purchase, and the entity of what was bought."""
        import numpy as np

        options = report.options
        _, columns = door.columns(report.entity, [options["basket"], options["item"], options["on"]], where, as_of)
        field = resolve(door, report.entity, options["item"])
        column = options.get("column")
        who, what, at = (columns[options[key]] for key in ("basket", "item", "on"))
        if any(isinstance(kept, list) for kept in what.kinds.values):  # what stands in one list twice is bought once
            lists = [kept if isinstance(kept, list) else [kept] for kept in what.kinds.values]
            named = [[line.get(column) if column else _plain(line) for line in some] for some in lists]
            kinds = Kinds()
            codes = kinds.codes([list(dict.fromkeys(map(_plain, some))) for some in named])
            what = Column(np.append(codes, np.int32(-1))[what.codes], kinds)
        rows, items = led_to(what)
        each, days = numbers(who)[rows], spread(at, "day as stored", stored_days, -1)[rows]
        there = (each >= 0) & (items > 0) & (days >= 0)
        found = Bought(each[there], items[there], days[there])
        return found, (field.columns[column].to if column else getattr(field, "to", "")) or ""

    def says(self, t: Any, rows: list[list[Any]], trial: dict[str, Any], suggest: int, least: int) -> str:
        """The sentence: the strongest pair, and what suggestions would have been worth."""
        if not rows:
            return t("Too little data: no two things belong to {least} of the same people.", least=least)
        top = rows[0]
        said = t("Who has {first} has {other} {lift} times as often as all.", first=top[0], other=top[1], lift=t.number(round(top[3], 1)))
        if trial["n"] < 10:
            return f"{said} " + t("Too little data to say whether suggesting it works ({n} taken later).", n=trial["n"])
        values = {"n": trial["n"], "suggest": suggest, "hit": t.percent(round(Decimal(trial["hits"]) / trial["n"], 2))}
        values["plain"] = t.percent(round(Decimal(trial["plain"]) / trial["n"], 2))
        tried_ = t("Of {n} things taken later for the first time, {hit} were among {suggest} suggestions; what is taken most would have met {plain} alone.", **values)  # fmt: skip
        more = "" if trial["hits"] > trial["plain"] else " " + t("So suggest what is taken most.")
        return f"{said} {tried_}{more}"


class Behind(Sequence[Members]):
    """Of each row whom the other may be suggested to: who has the first without it; and who has both. Made when a row is asked for."""

    def __init__(self, t: Any, names: Mapping[int, str], hidden: str, bought: Bought, keys: Sequence[tuple[Any, ...]]) -> None:
        self.t, self.names, self.hidden, self.bought, self.keys = t, names, hidden, bought, keys

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, row: Any) -> Any:
        t, had, (first, other) = self.t, self.bought.had, self.keys[row][:2]
        told = {"first": self.names.get(first, self.hidden), "other": self.names.get(other, self.hidden)}
        both = (t("{first} and {other}", **told), lambda: sorted(had(first) & had(other)))
        return Members(t("{first} without {other}", **told), lambda: sorted(had(first) - had(other)), {"both": both})


def _plain(one: Any) -> Any:
    return one["id"] if isinstance(one, dict) else one


def stored_days(texts: Sequence[Any]) -> np.ndarray:
    """The day of each stored date or moment, as it is stored."""
    import numpy as np

    return np.array([str(one)[:10] for one in texts], dtype="datetime64[D]").astype(np.int64)


def rules(bought: Bought, least: int, among: np.ndarray | None = None) -> dict[tuple[int, int], dict[str, Any]]:
    """Support, confidence and lift of every two items that `least` buyers share (in some of the rows)."""
    whole = bought.baskets(among)
    every, alone = int((whole.sum(axis=1) > 0).sum()), whole.sum(axis=0).tolist()
    both = (whole.T @ whole).tocoo()
    kept = (both.row != both.col) & (both.data >= max(1, least))
    a_, b_, n_ = (one[kept].tolist() for one in (both.row, both.col, both.data))
    items = bought.items.tolist()
    return {
        (items[a], items[b]): {"both": n, "support": n / every, "confidence": n / alone[a], "lift": n * every / (alone[a] * alone[b])}
        for a, b, n in zip(a_, b_, n_, strict=True)
    }


@dataclass
class Later:
    """Of two items in the later part: `n` who had the first and not the other, `hits` of them bought it; `others` had neither."""

    n: int = 0
    hits: int = 0
    others: int = 0
    others_hits: int = 0

    @property
    def share(self) -> float:
        """The part of all without the other who bought it."""
        return (self.hits + self.others_hits) / (self.n + self.others) if self.n + self.others else 0.0

    @property
    def expected(self) -> float:
        """How many would have bought it if the first made no difference."""
        return self.n * self.share

    @property
    def lift(self) -> float | None:
        return (self.hits / self.n) / self.share if self.n and self.share else None


def held_back(bought: Bought, cut: int, pairs: Iterable[tuple[int, int]]) -> dict[tuple[int, int], Later]:
    """Of some pairs of items: what the buyers of until `cut` bought afterwards."""
    import numpy as np

    asked = np.array(list(pairs), dtype=np.int64).reshape(-1, 2)
    early = bought.day <= cut
    before, fresh = bought.baskets(early), anew(bought, early)
    a, b = (np.searchsorted(bought.items, asked[:, n]) for n in (0, 1))
    having, taken, known = before.sum(axis=0), fresh.sum(axis=0), int((before.sum(axis=1) > 0).sum())
    n, hits = having[a] - cells_of(before.T @ before, a, b), cells_of(before.T @ fresh, a, b)
    told = zip(n.tolist(), hits.tolist(), (known - having[b] - n).tolist(), (taken[b] - hits).tolist(), strict=True)
    return {(first, other): Later(*one) for (first, other), one in zip(asked.tolist(), told, strict=True) if one[0]}


def cells_of(matrix: Any, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Some cells of a matrix that is mostly empty."""
    import numpy as np

    full, wide = matrix.tocoo(), matrix.shape[1]
    places = full.row.astype(np.int64) * wide + full.col
    order = np.argsort(places)
    found = np.zeros(len(rows), dtype=np.int64)
    place, there = placed(places[order], rows * wide + columns)
    found[there] = full.data[order][place]
    return found


def anew(bought: Bought, early: np.ndarray) -> Any:
    """What those who had bought something early bought later for the first time: a matrix as `Bought.baskets`."""
    import numpy as np

    known = ~early & np.isin(bought.who, bought.who[early])
    before, after = bought.baskets(early), bought.baskets(known)
    fresh = (after - after.multiply(before)).tocsr()
    fresh.eliminate_zeros()
    return fresh


def tried(bought: Bought, cut: int, least: int, suggest: int) -> dict[str, Any]:
    """How many of the later first purchases of known buyers were among the suggestions made from the earlier part alone: by pairs (`hits`),
    by mere best sellers (`plain`), of `n`; `rank` is the middle place of what was bought among all suggestions."""
    import statistics

    import numpy as np

    early = bought.day <= cut
    before, fresh, size = bought.baskets(early), anew(bought, early), len(bought.items)
    sold = np.asarray(before.sum(axis=0))
    best_sold = np.lexsort((np.arange(size), -sold))
    best_sold = best_sold[sold[best_sold] > 0]
    known: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for pair, rule in rules(bought, least, early).items():
        a, b = np.searchsorted(bought.items, pair).tolist()
        known[a].append((b, rule["confidence"]))
    goes = {a: (np.array([b for b, _ in told]), np.array([one for _, one in told])) for a, told in known.items()}
    n = hits = plain = 0
    ranks: list[int] = []
    for who in np.flatnonzero(np.diff(fresh.indptr)).tolist():
        have, took = (one.indices[one.indptr[who] : one.indptr[who + 1]] for one in (before, fresh))
        best, left = np.zeros(size), np.ones(size, dtype=bool)
        left[have] = False
        for a in have.tolist():
            if a in goes:
                to, confidence = goes[a]
                best[to] = np.maximum(best[to], confidence)
        by_sales = best_sold[left[best_sold]]
        by_pair = by_sales[np.argsort(-best[by_sales], kind="stable")]
        place = np.full(size, size)
        place[by_pair] = np.arange(len(by_pair))
        n += len(took)
        hits += int((place[took] < suggest).sum())
        plain += len(set(took.tolist()).intersection(by_sales[:suggest].tolist()))
        ranks += (place[took[place[took] < size]] + 1).tolist()
    return {"n": n, "hits": hits, "plain": plain, "rank": statistics.median(ranks) if ranks else None}


def exact(value: float) -> Decimal:
    return Decimal(repr(round(value, 4)))
