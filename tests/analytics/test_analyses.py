"""The frame of analyses: a report whose rows are worked out goes the same way as every other, and its options are checked."""

from __future__ import annotations

import inspect
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from crm.analytics import names, run
from crm.analytics.analyses.base import ANALYSES, today_of
from crm.errors import Missing
from crm.records import SYSTEM
from crm.schema.analyses import KINDS, RANGES, _source, declared
from crm.schema.reading import percent

WARSAW = ZoneInfo("Europe/Warsaw")


def documents(company, entity):
    return [{**doc, "id": doc.doc_id} for doc in company.store.table(entity).all() if not doc.get("deleted_on")]


def day(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(WARSAW).date() if len(text) > 10 else date.fromisoformat(text)


@pytest.mark.parametrize("name", ANALYSES)
def test_what_an_analysis_takes_and_gives_is_read_from_its_source(name):
    cls = ANALYSES[name]
    file = Path(inspect.getfile(cls))
    assert _source(file, name, 0)[:2] == (cls.options, cls.columns) == declared(name)
    assert cls.columns and all(one.partition(" ")[0] in ("dimension", "measure") for one in cls.columns.values())

    def kinds(options):
        for one in options.values():
            if isinstance(one, dict):
                yield from kinds(one.get("each") or one["each?"])
            else:
                yield one.rstrip("?").partition(" of ")[0]

    assert all(
        one in KINDS or one.removesuffix("s") in KINDS or one == "entities" or one.startswith("choice:") for one in kinds(cls.options)
    )


@pytest.mark.parametrize("name", ANALYSES)
def test_every_figure_of_an_analysis_has_an_example_that_fits(name):
    """What `check` proposes where a figure is wrong can be written as it stands."""
    figures = {
        key: one.rstrip("?")
        for key, one in ANALYSES[name].options.items()
        if isinstance(one, str) and one.rstrip("?") in ("whole", "number", "percent", "part")
    }
    examples = ANALYSES[name].examples
    assert set(examples) == set(figures)
    for key, kind in figures.items():
        low, high = RANGES[kind]
        value = percent(examples[key])
        assert low <= value <= high and examples[key].endswith("%") == (kind in ("percent", "part"))
        assert kind != "whole" or value == int(value)


def test_customers_nobody_talked_to_are_those_of_the_documents(demo):
    """F5."""
    today = demo.today()
    expected = {}
    for one in documents(demo, "account"):
        if one.get("kind") == "customer":
            days = (today - day(one.get("last_contact") or one["created_on"])).days
            if days >= 90:
                expected[one["id"]] = (days, one.get("won_revenue", 0))
    result = run(demo.door(SYSTEM), "quiet_customers")
    keys = [column.key for column in result.columns]
    found = {
        key[0]: (row[keys.index("days")], int((row[keys.index("worth")] or 0) * 100))
        for key, row in zip(result.keys, result.exact, strict=True)
    }
    assert expected and found == {one: (days, worth or 0) for one, (days, worth) in expected.items()}
    assert [row[keys.index("days")] for row in result.exact] == sorted((days for days, _ in expected.values()), reverse=True)
    assert str(len(expected)) in result.says
    door = demo.door(SYSTEM)
    for n, key in enumerate(result.keys):
        assert result.opens[n] == ("account", key[0])
        assert list(door.ids("account", result.drill(n))) == [key[0]]


def test_an_analysis_holds_only_what_its_reader_sees(demo):
    everyone = run(demo.door(SYSTEM), "quiet_customers")
    rep = next(one for one in documents(demo, "user") if one["role"] == "rep")
    door = demo.door(rep["login"])
    mine = run(door, "quiet_customers")
    seen = set(door.frame("account", ["name"])["name"].index)
    assert {key[0] for key in mine.keys} == {key[0] for key in everyone.keys if key[0] in seen}
    assert len(mine.keys) < len(everyone.keys)


def test_an_analysis_of_a_hidden_field_is_not_there(demo):
    rep = next(one["login"] for one in documents(demo, "user") if one["role"] == "rep")
    report = demo.schema.reports["quiet_customers"]
    report.options["worth"] = "cost_to_serve"  # hidden from reps
    report.reads.append(("account", "cost_to_serve"))
    assert "quiet_customers" not in names(demo.door(rep))
    with pytest.raises(Missing):
        run(demo.door(rep), "quiet_customers")
    assert "quiet_customers" in names(demo.door(SYSTEM))


def test_an_analysis_of_the_past_knows_only_the_past(demo):
    then = datetime.now(UTC) - timedelta(days=200)
    result = run(demo.door(SYSTEM), "quiet_customers", as_of=then)
    keys = [column.key for column in result.columns]
    last = [row[keys.index("last")] for row in result.exact if row[keys.index("last")] is not None]
    assert last and all((today_of(demo.door(SYSTEM), then) - one).days >= 90 for one in last)


def test_an_analysis_is_kept_until_something_is_written(demo):
    door = demo.door(SYSTEM)
    before = run(door, "quiet_customers")
    assert run(door, "quiet_customers").exact is before.exact
    one = before.keys[0][0]
    door.create("activity", {"subject": "Hello", "kind": "call", "account": one, "done_on": datetime.now(UTC)})
    after = run(door, "quiet_customers")
    assert one not in {key[0] for key in after.keys} and len(after.keys) == len(before.keys) - 1


def test_an_analysis_is_kept_while_something_else_is_written(demo):
    door = demo.door(SYSTEM)
    before = run(door, "what_closes")
    door.create("competitor_fact", {"competitor": 1, "topic": "price", "what": "Dearer"})
    assert run(door, "what_closes").exact is before.exact
    one = next(one for one in documents(demo, "activity") if one.get("opportunity"))
    door.change("activity", one["id"], {"duration": 481})
    assert run(door, "what_closes").exact is not before.exact


def test_an_analysis_is_drawn_and_told_like_any_report(demo):
    result = run(demo.door(SYSTEM), "quiet_customers", where="segment == 'large'")
    assert 0 < len(result.exact) < len(run(demo.door(SYSTEM), "quiet_customers").exact)
    assert result.chart() is not None and result.png()[:4] == b"\x89PNG"
    assert result.json()["columns"][0]["key"] == "record" and len(result.json()["rows"]) == len(result.exact)
    assert str(result.frame.dtypes["days"]) == "float64"
