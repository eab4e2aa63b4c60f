"""A configuration of wholly other names, its data from CSV files shaped like well-known public sets: the same figures as plain pandas.

A sales team's opportunities (agents, managers, products, stages as a column), leads with a yes or no, and the event log of a process.
"""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from crm import cli

FILES = {
    "crm.yaml": """
name: reading_room
extends: base
title: Other people's figures
currency: USD
timezone: America/New_York
navigation: {all: [chance, seat, happening, prospect]}
""",
    "entities/seat.yaml": """
entity: seat
title: "{sales_agent}"
fields:
  sales_agent: {type: text, required: true, unique: true}
  manager: {type: text}
  regional_office: {type: choice, options: [Central, East, West]}
""",
    "entities/chance.yaml": """
entity: chance
title: "{opportunity_id}"
fields:
  opportunity_id: {type: text, required: true, unique: true}
  sales_agent: {type: link, to: seat, back: chances}
  product: {type: text}
  account: {type: text}
  deal_stage: {type: stage}
  engage_date: {type: date}
  close_date: {type: date}
  close_value: {type: money}
""",
    "pipelines/hunt.yaml": """
pipeline: hunt
entity: chance
fields: {stage: deal_stage, amount: close_value, close: close_date}
stages:
  prospecting: {label: Prospecting, probability: 10%}
  engaging: {label: Engaging, probability: 40%}
  won: {label: Won, outcome: won}
  lost: {label: Lost, outcome: lost}
moves: {forward: any}
""",
    "entities/prospect.yaml": """
entity: prospect
title: "{number}"
fields:
  number: {type: text, required: true, unique: true}
  origin: {type: text, label: Lead Source}
  visits: {type: number}
  minutes: {type: integer}
  converted: {type: boolean}
""",
    "entities/happening.yaml": """
entity: happening
title: "{activity}"
fields:
  case_id: {type: text, required: true, index: true}
  activity: {type: choice, options: {A_SUBMITTED: Submitted, A_PARTLYSUBMITTED: Partly submitted, W_Calls: Calls, A_ACCEPTED: Accepted, A_DECLINED: Declined}}
  timestamp: {type: datetime}
  resource: {type: text}
""",
    "imports/pipeline.yaml": """
entity: chance
match: [opportunity_id]
gates: skip
columns:
  opportunity_id: opportunity_id
  sales_agent: {to: sales_agent, find: sales_agent}
  product: product
  account: account
  deal_stage: {to: deal_stage, values: {Prospecting: prospecting, Engaging: engaging, Won: won, Lost: lost}}
  engage_date: engage_date
  close_date: close_date
  close_value: close_value
""",
    "reports/rate_by_agent.yaml": """
report: rate_by_agent
entity: chance
where: deal_stage.outcome != None
by: [sales_agent]
measures:
  won: {count: true, where: deal_stage.outcome == 'won'}
  decided: count
  win_rate: {formula: won / decided, as: percent}
  same: rate(deal_stage.outcome == 'won')
chart: {type: bars, x: sales_agent, y: win_rate}
""",
    "reports/revenue.yaml": """
report: revenue
entity: chance
where: deal_stage.outcome == 'won'
by: {quarter: {field: close_date, by: quarter}}
measures: {revenue: sum(close_value), deals: count, middle: median(close_value)}
chart: {type: bars, x: quarter, y: revenue}
""",
    "reports/revenue_by_product.yaml": """
report: revenue_by_product
entity: chance
where: deal_stage.outcome == 'won'
by: [product]
measures: {revenue: sum(close_value), part: share(revenue)}
sort: [-revenue]
chart: {type: pareto, x: product, y: revenue}
""",
    "reports/revenue_by_manager.yaml": """
report: revenue_by_manager
entity: chance
where: deal_stage.outcome == 'won'
by: {manager: sales_agent.manager, quarter: {field: close_date, by: quarter}}
measures: {revenue: sum(close_value), deals: count}
chart: {type: heatmap, x: quarter, by: manager, y: revenue}
""",
    "reports/cycle.yaml": """
report: cycle
entity: chance
where: deal_stage.outcome != None
by: {stage: deal_stage}
measures:
  mean: mean(days(close_date - engage_date))
  middle: median(days(close_date - engage_date))
  slow: quantile(days(close_date - engage_date), 90%)
chart: {type: table}
""",
    "reports/where_they_stand.yaml": """
report: where_they_stand
entity: chance
by: [deal_stage]
measures: {deals: count, accounts: distinct(account)}
chart: {type: funnel, x: deal_stage, y: deals}
""",
    "reports/steps.yaml": """
report: steps
entity: happening
stays: {of: case_id, what: activity, on: timestamp}
by: {step: stay.stage}
measures:
  cases: distinct(case_id)
  events: count
  went_on: rate(stay.ended)
  mean: mean(stay.days)
  middle: median(stay.days)
  slow: quantile(stay.days, 90%)
chart: {type: funnel, x: step, y: cases}
""",
    "reports/ways.yaml": """
report: ways
entity: happening
stays: {of: case_id, what: activity, on: timestamp}
by: {left: stay.stage, reached: stay.next}
measures: {moves: count(stay.next)}
chart: {type: sankey, source: left, target: reached, y: moves}
""",
    "reports/conversion.yaml": """
report: conversion
entity: prospect
by: [origin]
measures: {leads: count, conversion: rate(converted), visits: mean(visits), minutes: sum(minutes)}
sort: [-leads]
chart: {type: bars, x: origin, y: leads}
""",
}


def deals(random: np.random.Generator, agents: pd.DataFrame) -> pd.DataFrame:
    """Stages written as words; open ones without an end, prospects without a beginning, some without a customer; lost ones worth nothing."""
    n = 400
    stage = random.choice(["Won", "Lost", "Engaging", "Prospecting"], n, p=[0.48, 0.28, 0.18, 0.06])
    begun = pd.Timestamp("2016-10-20") + pd.to_timedelta(random.integers(0, 430, n), "D")
    over = np.isin(stage, ["Won", "Lost"])
    ended = begun + pd.to_timedelta(random.integers(1, 139, n), "D")
    worth = np.where(stage == "Won", random.integers(38, 30_000, n), 0)
    account = random.choice(["Acme Corporation", "Betasoloin", "Cancity", "dambase", "Ganjaflex", None], n)
    return pd.DataFrame(
        {
            "opportunity_id": [f"1C1I7A6{number:03X}" for number in range(n)],
            "sales_agent": random.choice(agents["sales_agent"], n),
            "product": random.choice(["GTX Basic", "GTX Plus Pro", "MG Advanced", "GTXPro", "GTK 500"], n, p=[0.3, 0.2, 0.2, 0.25, 0.05]),
            "account": np.where(over, np.where(account == None, "Xx-zobam", account), account),  # noqa: E711
            "deal_stage": stage,
            "engage_date": np.where(stage == "Prospecting", None, begun.strftime("%Y-%m-%d")),
            "close_date": np.where(over, ended.strftime("%Y-%m-%d"), None),
            "close_value": np.where(over, worth.astype(float), np.nan),
        }
    )


def events(random: np.random.Generator) -> pd.DataFrame:
    """Cases that go through steps, some of them several times, mixed in the file, with moments of an offset zone; two events at one moment."""
    rows = []
    for case in range(173688, 173688 + 60):
        at = pd.Timestamp("2011-10-01T00:38:44.546+02:00") + pd.Timedelta(hours=int(random.integers(0, 3000)))
        way = (
            ["A_SUBMITTED", "A_PARTLYSUBMITTED"]
            + ["W_Calls"] * int(random.integers(0, 4))
            + [["A_ACCEPTED"], ["A_DECLINED"], []][int(random.integers(0, 3))]
        )
        for number, step in enumerate(way):
            at += pd.Timedelta(0 if number == 1 and case % 7 == 0 else int(random.integers(10, 4_000_000)), "ms") * (
                1 if number < 2 else 300
            )
            rows.append((case, step, at.isoformat(timespec="milliseconds"), str(random.integers(112, 120)), number))
    rows.sort(key=lambda row: row[2])  # as logs are kept: by time, not by case
    return pd.DataFrame(rows, columns=["case_id", "activity", "timestamp", "resource", "number"]).drop(columns="number")


def prospects(random: np.random.Generator) -> pd.DataFrame:
    n = 200
    return pd.DataFrame(
        {
            "Number": random.permutation(np.arange(579_533, 579_533 + n)),
            "Lead Source": random.choice(["Google", "Direct Traffic", "Olark Chat", "Reference", None], n),
            "Visits": np.where(random.random(n) < 0.1, np.nan, random.integers(0, 30, n)),
            "Minutes": random.integers(0, 2200, n),
            "Converted": random.integers(0, 2, n),
        }
    )


class Command:
    def __init__(self, folder: Path) -> None:
        self.where = ("--config", str(folder / "config"), "--data", str(folder / "crm.db"))

    def __call__(self, *arguments: str) -> dict:
        said = io.StringIO()
        with contextlib.redirect_stdout(said), pytest.raises(SystemExit) as end:
            cli.main([*self.where, *map(str, arguments), "--json"])
        assert not end.value.code, said.getvalue()
        return json.loads(said.getvalue())

    def report(self, name: str, *more: str) -> pd.DataFrame:
        """What `crm report` prints, figures as numbers, its axes as the index."""
        found = self("report", name, *more)
        frame = pd.DataFrame(found["rows"], columns=found["columns"])
        axes = len(yaml.safe_load(FILES[f"reports/{name}.yaml"]).get("by", ()))
        frame = frame.fillna(dict.fromkeys(found["columns"][:axes], "None")).set_index(found["columns"][:axes])
        return frame.astype(float)


@pytest.fixture(scope="module")
def tables():
    random = np.random.default_rng(8800)
    agents = pd.DataFrame(
        {
            "sales_agent": ["Anna Snelling", "Cecily Lampkin", "Versie Hillebrand", "Lajuana Vencill", "Moses Frase", "Darcel Schlecht"],
            "manager": ["Dustin Brinkmann"] * 2 + ["Melvin Marxen"] * 3 + ["Rocco Neubert"],
            "regional_office": ["Central"] * 3 + ["East"] * 2 + ["West"],
        }
    )
    return {"sales_teams": agents, "pipeline": deals(random, agents), "events": events(random), "leads": prospects(random)}


@pytest.fixture(scope="module")
def crm(tables, tmp_path_factory):
    folder = tmp_path_factory.mktemp("names")
    for name, text in FILES.items():
        path = folder / "config" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.lstrip())
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    command = Command(folder)
    for entity, name in (("seat", "sales_teams"), ("chance", "pipeline"), ("happening", "events"), ("prospect", "leads")):
        assert command("import", entity, str(folder / f"{name}.csv"))["created"] == len(tables[name])
    return command


def same(found: pd.Series, wanted: pd.Series) -> None:
    """Equal to the sixth place, as JSON tells it; keys as text, what is missing there is missing here."""
    name = lambda key: tuple(map(str, key)) if isinstance(key, tuple) else str(key)
    ours = {name(key): value for key, value in found.items() if value == value}
    theirs = {name(key): float(value) for key, value in wanted.items() if value == value}
    assert ours == pytest.approx(theirs, abs=2e-6) and theirs


def decided(tables) -> pd.DataFrame:
    rows = tables["pipeline"]
    rows = rows[rows["deal_stage"].isin(["Won", "Lost"])].merge(tables["sales_teams"], on="sales_agent")
    begun, ended = pd.to_datetime(rows["engage_date"]), pd.to_datetime(rows["close_date"])
    first = ended.dt.to_period("Q").dt.start_time.dt.strftime("%Y-%m-%d")
    return rows.assign(won=rows["deal_stage"] == "Won", days=(ended - begun).dt.days, quarter=first)


def test_the_configuration_is_sound(crm):
    assert crm("check")["faults"] == []


def test_win_rate_by_agent(crm, tables):
    found, rows = crm.report("rate_by_agent"), decided(tables)
    same(found["win_rate"], rows.groupby("sales_agent")["won"].mean())
    same(found["same"], rows.groupby("sales_agent")["won"].mean())
    same(found["decided"], rows.groupby("sales_agent")["won"].count())


def test_revenue_by_quarter_product_and_manager(crm, tables):
    rows = decided(tables)
    rows = rows[rows["won"]]
    found = crm.report("revenue")
    same(found["revenue"], rows.groupby("quarter")["close_value"].sum())
    same(found["middle"], rows.groupby("quarter")["close_value"].median())
    found, by_product = crm.report("revenue_by_product"), rows.groupby("product")["close_value"].sum()
    same(found["revenue"], by_product)
    same(found["part"], by_product / by_product.sum())
    assert list(found.index) == list(by_product.sort_values(ascending=False).index)
    found = crm.report("revenue_by_manager")
    same(found["revenue"][found["deals"] > 0], rows.groupby(["manager", "quarter"])["close_value"].sum())


def test_days_from_engagement_to_the_decision(crm, tables):
    found, rows = crm.report("cycle"), decided(tables).groupby("deal_stage")["days"]
    same(found["mean"], rows.mean())
    same(found["middle"], rows.median())
    same(found["slow"], rows.quantile(0.9))


def test_where_the_deals_stand(crm, tables):
    found, rows = crm.report("where_they_stand"), tables["pipeline"]
    same(found["deals"], rows.groupby("deal_stage")["opportunity_id"].count())
    same(found["accounts"], rows.groupby("deal_stage")["account"].nunique())


def test_leads_by_their_source(crm, tables):
    found, rows = crm.report("conversion"), tables["leads"]
    rows = rows.assign(source=rows["Lead Source"].fillna("None")).groupby("source")
    same(found["conversion"], rows["Converted"].mean())
    same(found["visits"], rows["Visits"].mean())
    same(found["minutes"], rows["Minutes"].sum())


def steps(tables) -> pd.DataFrame:
    """Each event with what came next in its case; events of one moment in the order of the file."""
    rows = tables["events"].assign(at=lambda one: pd.to_datetime(one["timestamp"], utc=True, format="ISO8601"))
    rows = rows.sort_values(["case_id", "at"], kind="stable")
    later = rows.groupby("case_id").shift(-1)
    label = {
        "A_SUBMITTED": "Submitted",
        "A_PARTLYSUBMITTED": "Partly submitted",
        "W_Calls": "Calls",
        "A_ACCEPTED": "Accepted",
        "A_DECLINED": "Declined",
    }
    return rows.assign(
        step=rows["activity"].map(label), reached=later["activity"].map(label), days=(later["at"] - rows["at"]) / pd.Timedelta(days=1)
    )


def test_the_funnel_and_the_dwell_times_of_an_event_log(crm, tables):
    found, rows = crm.report("steps"), steps(tables)
    groups = rows.groupby("step")
    same(found["cases"], groups["case_id"].nunique())
    same(found["events"], groups["case_id"].count())
    same(found["went_on"], groups["days"].agg(lambda some: some.notna().mean()))
    for name, figure in (("mean", groups["days"].mean()), ("middle", groups["days"].median()), ("slow", groups["days"].quantile(0.9))):
        same(found[name], figure)
    ways = crm.report("ways")["moves"]
    same(ways[ways > 0], rows[rows["reached"].notna()].groupby(["step", "reached"])["case_id"].count())


def test_figures_are_narrowed_by_any_condition(crm, tables):
    rows = decided(tables)
    found = crm.report("rate_by_agent", "--where", "sales_agent.manager == 'Melvin Marxen' and close_value > 1000")
    rows = rows[(rows["manager"] == "Melvin Marxen") & (rows["close_value"] > 1000)]
    same(found["decided"], rows.groupby("sales_agent")["won"].count())
