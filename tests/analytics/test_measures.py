"""Every measure and every way to cut, against plain Python over random documents; the store's figures and those by hand are the same (F1)."""

from __future__ import annotations

import statistics
from collections import defaultdict
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.analytics import run
from crm.analytics.groups import Groups
from crm.analytics.periods import after, before, between, floor, named, shifted, start_of, window
from crm.records import SYSTEM, Company
from crm.schema import check, load
from crm.stores import open_store

CONFIG = {
    "crm.yaml": "name: small\nlanguages: [en]\ncurrency: EUR\ntimezone: Europe/Warsaw\nfiscal_start: 4\nrates: {USD: {2024-01-01: 0.9, 2025-01-01: 0.8}}\n",
    "entities/place.yaml": "entity: place\ntitle: '{name}'\ntree: {by: above}\nfields:\n  name: {type: text, required: true}\n  above: {type: link, to: place, back: below}\n",
    "entities/firm.yaml": "entity: firm\ntitle: '{name}'\nfields:\n  name: {type: text, required: true}\n  size: {type: integer}\n  place: {type: link, to: place, back: firms}\n",
    "entities/job.yaml": """entity: job
title: '{name}'
fields:
  name: {type: text, required: true}
  firm: {type: link, to: firm, back: jobs}
  kind: {type: choice, options: [a, b, c]}
  big: {type: boolean}
  worth: {type: money}
  coin: {type: choice, options: [EUR, USD, CHF]}
  parts: {type: integer}
  weight: {type: number}
  begun: {type: date}
  done: {type: date}
  seen: {type: datetime}
""",
}
MEASURES = {
    "n": "count",
    "filled": "count(worth)",
    "big": "count(big)",
    "total": "sum(worth)",
    "mean": "mean(worth)",
    "least": "min(worth)",
    "most": "max(parts)",
    "middle": "median(worth)",
    "p90": "quantile(worth, 90%)",
    "firms": "distinct(firm)",
    "rate": "rate(kind == 'a', kind != None)",
    "large": "sum(worth, parts > 3)",
    "days": "median(days(done - begun))",
    "size": "mean(firm.size)",
    "heavy": "sum(worth * 2)",
    "part": "share(total)",
    "each": "total / n",
}
CUTS = {
    "none": "[]",
    "kind": "[kind]",
    "firm": "[firm]",
    "linked": "[firm.size]",
    "month": "[month(begun)]",
    "fiscal": "[fiscal_year(begun)]",
    "moment": "[day(seen)]",
    "classes": "{worth: {field: worth, classes: [0, 10, 500]}}",
    "branch": "{branch: {field: firm.place, level: 1}}",
    "cohort": "{cohort: {field: firm, first: begun, by: quarter}}",
    "two": "[kind, quarter(begun)]",
}


@pytest.fixture(scope="module")
def schema(tmp_path_factory):
    folder = tmp_path_factory.mktemp("config") / "small"
    for name, text in CONFIG.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "reports").mkdir()
    said = "".join(f'  {key}: "{value}"\n' for key, value in MEASURES.items())
    for name, by in CUTS.items():
        (folder / "reports" / f"by_{name}.yaml").write_text(f"report: by_{name}\nentity: job\nby: {by}\nmeasures:\n{said}")
    (folder / "reports" / "coins.yaml").write_text(
        "report: coins\nentity: job\nmeasures: {eur: {sum: worth, currency: coin, rated: begun}, latest: {last: worth, order: begun}}\n"
    )
    (folder / "reports" / "spans.yaml").write_text(
        "report: spans\nentity: job\nby: [kind]\nperiod: begun\nspan: fiscal_year\ncompare: last_year\nmeasures: {total: sum(worth), n: count}\n"
    )
    assert [str(fault) for fault in check(folder) if not fault.code.startswith("W")] == []
    return load(folder)


def jobs():
    day = st.dates(date(2023, 11, 1), date(2026, 2, 28))
    return st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "firm": st.integers(1, 3),
                "kind": st.sampled_from("abc"),
                "big": st.booleans(),
                "worth": st.integers(-5_000, 90_000),
                "coin": st.sampled_from(["EUR", "USD", "CHF"]),
                "parts": st.integers(0, 9),
                "weight": st.floats(0, 9, allow_nan=False).map(lambda one: round(one, 2)),
                "begun": day,
                "done": day,
                "seen": st.datetimes(datetime(2025, 3, 29), datetime(2025, 3, 31)).map(lambda one: one.replace(microsecond=0, tzinfo=UTC)),
            },
        ),
        max_size=14,
    )


def filled(schema, path, rows):
    company = Company(schema, open_store(str(path)))
    with company.store.transaction():
        return company, fill(company, rows)


def fill(company, rows):
    door = company.door(SYSTEM)
    top = door.create("place", {"name": "Top"})
    low = door.create("place", {"name": "Low", "above": top.id})
    lowest = door.create("place", {"name": "Lowest", "above": low.id})
    other = door.create("place", {"name": "Other"})
    for name, size, place in (("One", 10, lowest.id), ("Two", 20, other.id), ("Three", None, None)):
        door.create("firm", {"name": name, "size": size, "place": place})
    for number, row in enumerate(rows):
        typed = {key: Decimal(value) / 100 if key == "worth" else value for key, value in row.items()}
        door.create("job", {"name": f"Job {number}", **typed})
    return door


def key_of(name, row, rows):
    """The group of a row, worked out anew."""
    if name in ("kind", "firm"):
        return (row.get(name),)
    if name == "linked":
        return ({1: 10, 2: 20}.get(row.get("firm")),)
    begun = row.get("begun")
    if name == "month":
        return (f"{begun:%Y-%m}" if begun else None,)
    if name == "fiscal":
        return (f"{begun.year - (begun.month < 4)}-04" if begun else None,)
    if name == "moment":
        return (row["seen"].astimezone(ZoneInfo("Europe/Warsaw")).date().isoformat() if "seen" in row else None,)
    if name == "classes":
        worth = row.get("worth")
        return (None if worth is None else sum(worth >= bound for bound in (0, 1000, 50000)) - 1,)
    if name == "branch":
        return ({1: 1, 2: 4}.get(row.get("firm")),)
    quarter = lambda day: f"{day.year}-Q{(day.month + 2) // 3}"
    if name == "cohort":
        dates = [one["begun"] for one in rows if one.get("firm") == row.get("firm") and "begun" in one]
        return (quarter(min(dates)) if "firm" in row and dates else None,)
    if name == "two":
        return (row.get("kind"), quarter(begun) if begun else None)
    return ()


def expected(group, everything):
    worths = [Decimal(one["worth"]) / 100 for one in group if "worth" in one]
    cents = sorted(one["worth"] for one in group if "worth" in one)
    days = [(one["done"] - one["begun"]).days for one in group if "done" in one and "begun" in one]
    known = [one for one in group if "kind" in one]
    sizes = [{1: 10, 2: 20}[one["firm"]] for one in group if one.get("firm") in (1, 2)]
    whole = sum(one.get("worth", 0) for one in everything)
    at = (len(cents) - 1) * 0.9
    return {
        "n": len(group),
        "filled": len(worths),
        "big": sum(one.get("big") is True for one in group),
        "total": sum(worths),
        "mean": sum(worths) / len(worths) if worths else None,
        "least": min(worths, default=None),
        "most": max((one["parts"] for one in group if "parts" in one), default=None),
        "middle": statistics.median(cents) / 100 if cents else None,
        "p90": (cents[int(at)] + (cents[min(int(at) + 1, len(cents) - 1)] - cents[int(at)]) * (at - int(at))) / 100 if cents else None,
        "firms": len({one["firm"] for one in group if "firm" in one}),
        "rate": Decimal(sum(one["kind"] == "a" for one in known)) / len(known) if known else None,
        "large": Decimal(sum(one.get("worth", 0) for one in group if one.get("parts", 0) > 3)) / 100,
        "days": statistics.median(days) if days else None,
        "size": sum(sizes) / len(sizes) if sizes else None,
        "heavy": 2 * sum(worths),
        "part": sum(worths) * 100 / whole if whole else None,
        "each": sum(worths) / len(group) if group else None,
    }


def same(a, b, places=0.006):
    return a is b if a is None or b is None else abs(float(a) - float(b)) <= places


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=jobs())
def test_store_hand_and_plain_python_agree(schema, tmp_path_factory, rows):
    company, door = filled(schema, tmp_path_factory.mktemp("store") / "s.db", rows)
    try:
        for name in CUTS:
            groups = defaultdict(list)
            for row in rows:
                groups[key_of(name, row, rows)].append(row)
            report = schema.reports[f"by_{name}"]
            told = dict(Groups(door, report, [], None).table())
            hand = dict(Groups(door, report, [], None, by_hand=True).table())
            assert {keys for keys in told if told[keys]["n"]} == set(groups), name
            for keys, group in groups.items():
                for measure, value in expected(group, rows).items():
                    assert same(told[keys][measure], value), (name, keys, measure, told[keys][measure], value)
                    assert same(hand[keys][measure], value), (name, keys, measure, "by hand")
            for keys, values in told.items():
                if keys not in groups:
                    assert values["n"] == 0 and values["total"] == 0 and values["mean"] is None
            result = run(door, f"by_{name}")
            assert same(result.total()["total"], sum(values["total"] for values in told.values()))
            for number, row in enumerate(result.exact):
                column = len(report.by)
                if name not in ("branch", "cohort") or result.keys[number][0] is not None:
                    assert door.count("job", result.drill(number) or None) == row[column], (name, result.drill(number))
    finally:
        company.store.close()


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=jobs())
def test_amounts_become_one_currency_at_the_rate_of_their_day(schema, tmp_path_factory, rows):
    company, door = filled(schema, tmp_path_factory.mktemp("store") / "s.db", rows)
    try:
        total = 0
        for row in rows:
            coin, begun, worth = row.get("coin", "EUR"), row.get("begun"), row.get("worth")
            if worth is None or coin == "CHF" or (coin == "USD" and (begun is None or begun < date(2024, 1, 1))):
                continue
            rate = Decimal(1) if coin == "EUR" else Decimal("0.8") if begun >= date(2025, 1, 1) else Decimal("0.9")
            total += int((worth * rate).quantize(Decimal(1), "ROUND_HALF_UP"))
        dated = [(row["begun"], number, row.get("worth")) for number, row in enumerate(rows) if "begun" in row and "worth" in row]
        eur, latest = run(door, "coins").exact[0]
        assert eur == Decimal(total) / 100
        assert latest == (Decimal(max(dated)[2]) / 100 if dated else None)
    finally:
        company.store.close()


@pytest.mark.parametrize("unit", ["day", "week", "month", "quarter", "year", "fiscal_quarter", "fiscal_year"])
@settings(max_examples=100, deadline=None)
@given(day=st.dates(date(1999, 1, 1), date(2030, 12, 31)), first=st.integers(1, 12))
def test_periods_follow_each_other_without_gap(unit, day, first):
    start = floor(day, unit, first)
    assert start <= day < after(start, unit)
    assert start_of(named(start, unit), unit) == start and floor(start, unit, first) == start
    assert start_of(before(named(start, unit), unit, "previous"), unit) < start
    assert after(start_of(before(named(start, unit), unit, "previous"), unit), unit) == start
    assert between(named(start, unit), named(after(start, unit), unit), unit) == [named(start, unit), named(after(start, unit), unit)]


def test_a_running_period_is_compared_with_the_same_stretch():
    today = date(2026, 5, 10)
    assert window("fiscal_year", today, 4) == (date(2026, 4, 1), date(2026, 5, 11))
    assert shifted(window("fiscal_year", today, 4), "fiscal_year", "last_year") == (date(2025, 4, 1), date(2025, 5, 11))
    assert shifted(window("month", date(2026, 3, 31)), "month", "previous") == (date(2026, 2, 1), date(2026, 3, 1))
    assert shifted(window("90d", today), "90d", "previous") == (date(2025, 11, 12), date(2026, 2, 10))


def test_a_running_period_stands_beside_last_year(schema, tmp_path):
    company, door = filled(schema, tmp_path / "s.db", [])
    company.clock = lambda: datetime(2026, 5, 10, 12, tzinfo=UTC)
    for begun, kind, worth in (
        ("2026-04-01", "a", 1),
        ("2026-03-31", "a", 2),
        ("2025-05-10", "a", 4),
        ("2025-05-11", "a", 8),
        ("2025-04-02", "b", 16),
    ):
        door.create("job", {"name": "x", "begun": date.fromisoformat(begun), "kind": kind, "worth": worth})
    result = run(door, "spans")
    columns = [column.key for column in result.columns]
    rows = {row[0]: dict(zip(columns, row, strict=True)) for row in result.exact}
    assert (rows["A"]["total"], rows["A"]["total_last_year"], rows["B"]["total"], rows["B"]["total_last_year"]) == (1, 4, 0, 16)
    for number, row in enumerate(result.exact):
        at = columns.index("n"), columns.index("n_last_year")
        assert door.count("job", result.drill(number, "n")) == row[at[0]]
        assert door.count("job", result.drill(number, "n_last_year")) == (row[at[1]] or 0)
    company.store.close()


def test_a_result_is_kept_until_something_is_written(schema, tmp_path, monkeypatch):
    company, door = filled(schema, tmp_path / "s.db", [])
    asked = []
    table = Groups.table
    monkeypatch.setattr(Groups, "table", lambda self: asked.append(1) or table(self))
    first = run(door, "by_kind")
    assert run(door, "by_kind").exact == first.exact and len(asked) == 1
    door.create("job", {"name": "New", "kind": "a"})
    again = run(door, "by_kind")
    assert dict(zip([keys[0] for keys in again.keys], again.exact, strict=True))["a"][1] == 1
    assert len(asked) == 2
    company.store.close()


def test_a_report_of_the_past_takes_its_day_for_today(schema, tmp_path):
    company, door = filled(schema, tmp_path / "s.db", [])
    with company.store.transaction(at=datetime(2025, 6, 1, tzinfo=UTC)):
        door.create("job", {"name": "Old", "begun": date(2025, 5, 30)})
    assert run(door, "by_none", where="begun >= today - 7d", as_of=datetime(2025, 6, 2, tzinfo=UTC)).exact[0][0] == 1
    assert run(door, "by_none", where="begun >= today - 7d").exact[0][0] == 0
    company.store.close()
