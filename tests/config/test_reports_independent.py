"""F1 to F13, E3, D5: every shipped report equals figures that were counted another way, over the demo companies and the Salesforce export.

A report that ships needs its other way here: a function under `@figures("its_name")` that takes the raw documents (`tests/config/independent.py`)
and gives a frame, one row a group (index: the stored values of its axes, a tuple where there are several), one column a figure (money in
cents, shares of one). One whose figures are an analysis or a forecast, tried by a test of its own, is named with that test in `ELSEWHERE`.
"""

from __future__ import annotations

import csv
import os
import shutil
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
import yaml

from crm.analytics import run
from crm.records import SYSTEM, Company
from crm.schema import load, shipped
from crm.stores import open_store
from tests.config import independent as by_hand
from tests.config.independent import (
    Raw,
    ahead,
    cents,
    curve,
    days,
    length,
    month,
    one_row,
    passed,
    quarter,
    quarter_begun,
    rate,
    spells,
    stays,
    tally,
    week,
    within,
    year_back,
    year_begun,
)

WORKSHOP = Path(os.environ.get("CRM_SHARED_DATA", Path(__file__).parents[2].parent / "shared" / "data")) / "salesforce_workshop"
CONFIGS = ("sales", "nonprofit")
FIGURES: dict[str, by_hand.Figures] = {}
#: Reports tried elsewhere: `{report: "tests/file.py::test_name"}`.
ELSEWHERE: dict[str, str] = {
    "bought_together": "tests/config/test_rows_analyses.py::test_what_is_bought_together_is_what_pandas_counts",
    "cost_by_rep": "tests/config/test_rows_analyses.py::test_what_selling_costs_is_what_the_documents_add_up_to",
    "cost_by_keeper": "tests/config/test_rows_analyses.py::test_what_selling_costs_is_what_the_documents_add_up_to",
    "cost_of_giving": "tests/config/test_rows_analyses.py::test_what_selling_costs_is_what_the_documents_add_up_to",
    "cost_of_sales": "tests/config/test_rows_analyses.py::test_what_selling_costs_is_what_the_documents_add_up_to",
    "drifting_customers": "tests/config/test_rows_analyses.py::test_who_drifts_is_who_pandas_finds",
    "filled_accounts": "tests/config/test_rows_analyses.py::test_what_is_filled_in_is_counted_over_the_documents",
    "filled_deals": "tests/config/test_rows_analyses.py::test_what_is_filled_in_is_counted_over_the_documents",
    "filled_donors": "tests/config/test_rows_analyses.py::test_what_is_filled_in_is_counted_over_the_documents",
    "freshness": "tests/config/test_rows_analyses.py::test_how_fresh_the_data_is",
    "given_together": "tests/config/test_rows_analyses.py::test_what_is_bought_together_is_what_pandas_counts",
    "late_buyers": "tests/config/test_rows_analyses.py::test_who_drifts_is_who_pandas_finds",
    "late_donors": "tests/config/test_rows_analyses.py::test_who_drifts_is_who_pandas_finds",
    "quiet_customers": "tests/config/test_rows_analyses.py::test_whom_nobody_talked_to_is_counted_over_the_documents",
    "fundraisers_needed": "tests/config/test_rows_analyses.py::test_how_many_reps_a_target_takes_is_a_sum_done_by_hand",
    "reps_needed": "tests/config/test_rows_analyses.py::test_how_many_reps_a_target_takes_is_a_sum_done_by_hand",
    "silent_donors": "tests/config/test_rows_analyses.py::test_whom_nobody_talked_to_is_counted_over_the_documents",
    "what_closes": "tests/config/test_rows_analyses.py::test_what_closes_deals_is_what_pandas_and_scipy_say",
    "what_moves_donors": "tests/config/test_rows_analyses.py::test_what_makes_pledges_come_true_is_what_pandas_says",
    "who_uses_it": "tests/config/test_rows_analyses.py::test_who_uses_it_is_counted_from_the_history",
    "calls_against_goals": "tests/config/test_rows_kpis.py::test_counts_have_goals_too",
    "campaigns_against_goals": "tests/config/test_rows_kpis.py::test_results_of_campaigns_without_counting",
    "forecast_by_chapter": "tests/config/test_rows_forecast.py::test_a_charity_foretells_its_pledges_in_its_own_words",
    "forecast_by_region": "tests/config/test_rows_forecast.py::test_groups_add_up_and_any_path_is_an_axis",
    "forecast_by_rep": "tests/config/test_rows_forecast.py::test_groups_add_up_and_any_path_is_an_axis",
    "forecast_calibration": "tests/config/test_rows_forecast.py::test_said_chances_are_counted",
    "forecast_calibration_rep": "tests/config/test_rows_forecast.py::test_said_chances_are_counted",
    "forecast_calibration_source": "tests/config/test_rows_forecast.py::test_said_chances_are_counted",
    "forecast_calibration_stage": "tests/config/test_rows_forecast.py::test_said_chances_are_counted",
    "forecast_record": "tests/config/test_rows_forecast.py::test_its_record_is_the_mean_of_its_rows",
    "forecast_side_by_side": "tests/config/test_rows_forecast.py::test_sides_are_what_plain_pandas_counts",
    "forecast_simulated": "tests/analytics/forecast/test_draw.py::test_the_fast_draw_has_the_distribution_of_the_slow_one",
    "grants_change": "tests/analytics/test_changes.py::test_every_row_of_stages_adds_up_and_all_rows_together",
    "month_against_goal": "tests/config/test_rows_kpis.py::test_people_and_months_and_areas_against_goals_add_up",
    "pipeline_change": "tests/config/test_rows_packs.py::test_what_changed_adds_up_for_every_role_and_begins_and_ends_with_what_each_may_see",
    "programs_against_aims": "tests/config/test_rows_kpis.py::test_counts_have_goals_too",
    "promises_change": "tests/config/test_rows_packs.py::test_what_changed_adds_up_for_every_role_and_begins_and_ends_with_what_each_may_see",
    "quarter_change": "tests/config/test_rows_packs.py::test_what_changed_adds_up_for_every_role_and_begins_and_ends_with_what_each_may_see",
    "regions_against_goals": "tests/config/test_rows_kpis.py::test_people_and_months_and_areas_against_goals_add_up",
    "stage_change": "tests/analytics/test_changes.py::test_every_row_of_stages_adds_up_and_all_rows_together",
    "teams_against_goals": "tests/config/test_rows_kpis.py::test_people_and_months_and_areas_against_goals_add_up",
}
#: Reports are asked for the Saturday so many days ago too (the demo companies sum up on Fridays); documents are replayed up to it.
EARLIER = 200


def figures(*names: str):
    def keep(found: by_hand.Figures) -> by_hand.Figures:
        FIGURES.update(dict.fromkeys(names, found))
        return found

    return keep


# ---- sales: deals ---------------------------------------------------------------------------------------------------------------


def deals(raw: Raw) -> pd.DataFrame:
    one = raw.opportunity
    keys = ["name", "account", "pipeline", "stage", "amount", "probability", "close_on", "owner", "source", "product", "cost", "competitors",
            "lost_reason", "lost_to", "created_on"]  # fmt: skip
    rows = one.columns(*keys)
    won, lost = rows["stage"] == "won", rows["stage"] == "lost"
    chance = rows["probability"].astype(float) / (100 if (rows["probability"].astype(float) > 1).any() else 1)
    return rows.assign(
        is_won=won,
        is_lost=lost,
        decided=won | lost,
        open=~(won | lost),
        amount=rows["amount"].astype(float),
        cost=rows["cost"].astype(float),
        weighted=cents(rows["amount"].astype(float) * chance),
        one=1,
    )


def won(raw: Raw) -> pd.DataFrame:
    rows = deals(raw)
    return rows[rows["is_won"]]


def joined(rows: pd.DataFrame, link: str, table, *keys: str) -> pd.DataFrame:
    """With columns of the linked document, named `link.key`."""
    found = table.columns(*keys).add_prefix(f"{link}.")
    return rows.join(found, on=link)


MONEY = {"revenue": ("amount", "sum"), "deals": ("one", "sum")}


def this_year(rows: pd.DataFrame, on: str, by: str, raw: Raw, money: str, count: str) -> pd.DataFrame:
    """Money this year so far by a group, beside the same days a year ago."""
    now = rows[within(rows[on], raw.today.replace(month=1, day=1), raw.today)]
    then = year_back(raw.today)
    before = rows[within(rows[on], then.replace(month=1, day=1), then)]
    asked = {money: ("amount", "sum"), count: ("one", "sum")}
    found, earlier = tally(now, by, **asked), tally(before, by, **asked).add_suffix("_last_year")
    both = pd.concat([found, earlier], axis=1)
    both[[money, count]] = both[[money, count]].astype(float).fillna(0)
    both["part"] = both[money] / both[money].sum()
    return both


@figures("money_by_group")
def _(raw):
    return this_year(joined(won(raw), "account", raw.account, "segment"), "close_on", "account.segment", raw, "revenue", "deals")


@figures("money_by_industry")
def _(raw):
    return this_year(joined(won(raw), "account", raw.account, "industry"), "close_on", "account.industry", raw, "revenue", "deals")


@figures("money_by_product")
def _(raw):
    return this_year(won(raw), "close_on", "product", raw, "revenue", "deals")


@figures("money_by_rep")
def _(raw):
    return this_year(won(raw), "close_on", "owner", raw, "revenue", "deals")


@figures("money_by_region")
def _(raw):
    above = raw.territory["parent"].dropna().to_dict()

    def region(place):
        way = [place]
        while way[0] in above:
            way.insert(0, above[way[0]])
        return way[min(1, len(way) - 1)]

    rows = joined(won(raw), "account", raw.account, "territory")
    return this_year(
        rows.assign(region=rows["account.territory"].map(region, na_action="ignore")), "close_on", "region", raw, "revenue", "deals"
    )


@figures("money_by_quarter")
def _(raw):
    rows = won(raw)
    found = tally(rows.assign(quarter=quarter_begun(rows["close_on"])), "quarter", **MONEY, middle=("amount", "median"))
    return beside(found, 3, 3, "previous")


def beside(found: pd.DataFrame, step: int, back: int, name: str) -> pd.DataFrame:
    """Each figure of a period (named by its month, every `step` months one) with that of the period `back` months before."""
    named = [key for key in found.index if isinstance(key, str)]
    months = pd.period_range(min(named), max(named), freq="M")[::step] if named else []
    every = found.reindex([*map(str, months), *[key for key in found.index if not isinstance(key, str)]])
    moved = found.reindex([str(one - back) for one in months] + [None] * (len(every) - len(months)))
    moved.index = every.index
    nothing = {key: 0 for key in found.columns if key != "middle"}
    return every.fillna(nothing).join(moved.fillna(nothing).add_suffix(f"_{name}"))


@figures("revenue_by_month")
def _(raw):
    rows = won(raw)
    return beside(tally(rows.assign(month=month(rows["close_on"])), "month", **MONEY), 1, 12, "last_year")


@figures("money_by_stage")
def _(raw):
    rows = deals(raw)
    rows = rows[days(rows["close_on"]) >= pd.Timestamp(year_back(raw.today))]
    found = tally(rows, "stage", value=("amount", "sum"), weighted=("weighted", "sum"), deals=("one", "sum"))
    return found.assign(part=found["value"] / found["value"].sum())


def simple(by: str, only=None, **asked):
    """The plain reports of deals: some of them, by one of their own columns."""

    def count(raw):
        rows = deals(raw)
        return tally(rows if only is None else rows[only(rows)], by, **asked)

    return count


DECIDED = {
    "won": ("is_won", "sum"),
    "decided": ("decided", "sum"),
    "win_rate": lambda rows: rate(rows["is_won"]),
    "revenue": lambda rows: rows.loc[rows["is_won"], "amount"].sum(),
}
figures("revenue_by_product")(simple("product", lambda rows: rows["is_won"], **MONEY))
figures("revenue_by_source")(simple("source", lambda rows: rows["is_won"], **MONEY))
figures("top_accounts")(simple("account", lambda rows: rows["is_won"], **MONEY))
figures("lost_reasons")(simple("lost_reason", lambda rows: rows["is_lost"], deals=("one", "sum"), value=("amount", "sum")))
figures("lost_to")(simple("lost_to", lambda rows: rows["is_lost"] & rows["lost_to"].notna(), deals=("one", "sum"), value=("amount", "sum")))
figures("win_rate_by_rep")(simple("owner", lambda rows: rows["decided"], **DECIDED))
figures("pipeline_by_stage")(
    simple("stage", lambda rows: rows["open"], deals=("one", "sum"), value=("amount", "sum"), weighted=("weighted", "sum"))
)


@figures("revenue_by_rep")
def _(raw):
    rows = won(raw)
    return tally(rows[days(rows["close_on"]).dt.year == raw.today.year], "owner", **MONEY)


@figures("revenue_by_industry")
def _(raw):
    return tally(joined(won(raw), "account", raw.account, "industry"), "account.industry", **MONEY)


@figures("win_rate")
def _(raw):
    rows = deals(raw)
    rows = rows[rows["decided"]]
    return one_row(won=rows["is_won"].sum(), decided=len(rows), win_rate=rate(rows["is_won"]))


@figures("open_pipeline")
def _(raw):
    rows = deals(raw)
    rows = rows[rows["open"]]
    return one_row(value=rows["amount"].sum(), weighted=rows["weighted"].sum(), deals=len(rows))


@figures("forecast_by_month")
def _(raw):
    rows = deals(raw)
    rows = rows[rows["open"]]
    return tally(rows.assign(month=month(rows["close_on"])), "month", weighted=("weighted", "sum"), value=("amount", "sum"))


@figures("deal_sizes")
def _(raw):
    rows = deals(raw)
    rows = rows[rows["decided"]]
    bounds = np.array([0, 10_000, 25_000, 50_000, 100_000, 250_000]) * 100
    size = np.searchsorted(bounds, rows["amount"], side="right") - 1
    rows = rows.assign(size=np.where(rows["amount"].isna(), np.nan, size))
    return tally(
        rows,
        "size",
        deals=("one", "sum"),
        win_rate=lambda here: rate(here["is_won"]),
        revenue=lambda here: here.loc[here["is_won"], "amount"].sum(),
    )


@figures("cycle_by_rep")
def _(raw):
    rows = deals(raw)
    rows = rows[rows["decided"]]
    rows = rows.assign(length=(days(rows["close_on"]) - days(rows["created_on"])).dt.days)
    at = {"fastest": 0.1, "quick": 0.25, "middle": 0.5, "slow": 0.75, "slowest": 0.9}
    asked = {name: (lambda here, part=part: here["length"].quantile(part)) for name, part in at.items()}
    return tally(rows, "owner", **asked, deals=("one", "sum"))


@figures("product_pareto")
def _(raw):
    rows = won(raw)
    found = tally(rows[rows["product"].notna()], "product", **MONEY).sort_values("revenue", ascending=False)
    part = found["revenue"] / found["revenue"].sum()
    return found.assign(part=part, together=part.cumsum())


@figures("product_margin")
def _(raw):
    rows = won(raw)
    rows = rows[rows["product"].notna() & rows["cost"].notna()]
    found = tally(rows.assign(margin=rows["amount"] - rows["cost"]), "product", margin=("margin", "sum"), revenue=("amount", "sum"))
    found = found.sort_values("margin", ascending=False)
    part = found["margin"] / found["margin"].sum()
    return found.assign(margin_rate=found["margin"] / found["revenue"], part=part, together=part.cumsum())


@figures("funnel")
def _(raw):
    rows = deals(raw)
    rows = rows[days(rows["created_on"]) >= pd.Timestamp(year_back(raw.today))]
    return tally(rows, "stage", deals=("one", "sum"), value=("amount", "sum"))


@figures("reasons_against")
def _(raw):
    rows = deals(raw)
    rows = rows[rows["is_lost"] & rows["lost_to"].notna()]
    return tally(rows, ["lost_to", "lost_reason"], deals=("one", "sum"), value=("amount", "sum"))


def fought(raw: Raw) -> pd.DataFrame:
    """A row for each competitor a decided deal was fought for with."""
    rows = deals(raw)
    rows = rows[rows["decided"] & rows["competitors"].map(lambda some: isinstance(some, list) and bool(some))]
    rows = rows.assign(rival=rows["competitors"].map(lambda some: sorted({one["id"] if isinstance(one, dict) else one for one in some})))
    return rows.explode("rival")


@figures("win_rate_against")
def _(raw):
    return tally(
        fought(raw),
        "rival",
        decided=("one", "sum"),
        win_rate=lambda rows: rate(rows["is_won"]),
        price=lambda rows: (rows["lost_reason"] == "price").sum(),
        lost_value=lambda rows: rows.loc[rows["is_lost"], "amount"].sum(),
    )


@figures("win_rate_against_trend")
def _(raw):
    rows = fought(raw)
    rows = rows.assign(year=year_begun(rows["close_on"]))
    return tally(rows, ["year", "rival"], win_rate=lambda here: rate(here["is_won"]), decided=("one", "sum"))


# ---- sales: how deals went ------------------------------------------------------------------------------------------------------


B2B = ["identification", "qualification", "offer", "negotiation", "won", "lost"]


def went(raw: Raw) -> pd.DataFrame:
    """Every stay of a deal with a business customer."""
    rows, pipeline = stays(raw, "opportunity"), raw.opportunity["pipeline"].fillna("b2b")
    rows = rows[rows["record"].map(pipeline) == "b2b"]
    return rows.assign(entered=quarter(rows["record"].map(raw.opportunity["created_on"])), ahead=ahead(rows, B2B))


STEPS = {
    "reached": ("record", "nunique"),
    "went_on": lambda rows: rate(rows.loc[rows["ended"], "ahead"]),
    "days": ("days", "median"),
}


@figures("sales_funnel")
def _(raw):
    return tally(went(raw), "here", **STEPS, slow=lambda rows: rows["days"].quantile(0.9))


@figures("funnel_by_cohort")
def _(raw):
    return tally(went(raw), ["entered", "here"], reached=STEPS["reached"], days=STEPS["days"])


@figures("stage_moves")
def _(raw):
    return tally(went(raw), ["here", "next"], moves=("next", "count"), days=STEPS["days"])


def lasting(raw: Raw, table, end: str, by: str) -> pd.DataFrame:
    rows = table.columns("stage", "created_on", end, by)
    over = rows["stage"].isin(by_hand.ENDED)
    rows = rows[~over | rows[end].notna()]
    until = days(rows[end]).where(over, pd.Timestamp(raw.today))
    return curve(rows.assign(over=over, days=length(until - days(rows["created_on"]))), by)


@figures("sales_cycle")
def _(raw):
    return lasting(raw, raw.opportunity, "close_on", "pipeline")


# ---- sales: leads, campaigns, work, service, money -------------------------------------------------------------------------------


def leads(raw: Raw) -> pd.DataFrame:
    rows = raw.lead.columns("status", "source", "campaign", "created_on", "converted_on", "converted_opportunity")
    converted = rows["status"] == "converted"
    return rows.assign(one=1, is_converted=converted, is_dropped=rows["status"] == "dropped")


@figures("lead_funnel")
def _(raw):
    rows = leads(raw)
    return tally(rows[days(rows["created_on"]) >= pd.Timestamp(year_back(raw.today))], "status", leads=("one", "sum"))


@figures("lead_sources")
def _(raw):
    found = tally(leads(raw), "source", leads=("one", "sum"), converted=("is_converted", "sum"))
    return found.assign(conversion=found["converted"] / found["leads"])


@figures("lead_steps")
def _(raw):
    rows = spells(raw, "lead", "status")
    return tally(
        rows,
        "here",
        reached=("record", "nunique"),
        went_on=lambda here: rate(here.loc[here["ended"], "next"] != "dropped"),
        days=("days", "median"),
    )


@figures("leads_by_cohort")
def _(raw):
    rows = leads(raw)
    rows = rows.assign(entered=quarter(rows["created_on"]), length=passed(rows["created_on"], rows["converted_on"]))
    return tally(
        rows,
        "entered",
        leads=("one", "sum"),
        conversion=lambda here: rate(here["is_converted"]),
        dropped=lambda here: rate(here["is_dropped"]),
        days=("length", "median"),
    )


def campaigns(raw: Raw) -> pd.DataFrame:
    """Campaigns with what they led to, counted from the records that name them."""
    rows = raw.campaign.columns("name", "cost")
    brought = leads(raw).groupby("campaign")["one"].sum()
    answers = raw.response.columns("campaign", "status")
    answered = answers[answers["status"].isin(["answered", "interested", "declined"])].groupby("campaign")["status"].count()
    deal = raw.opportunity.columns("campaign", "stage", "amount")
    money = deal[deal["stage"] == "won"].groupby("campaign")["amount"].sum()
    count = rows.index.map(brought).astype(float)
    rows = rows.assign(
        leads=np.nan_to_num(count),
        answered=np.nan_to_num(rows.index.map(answered).astype(float)),
        won=np.nan_to_num(rows.index.map(money).astype(float)),
        cost=rows["cost"].astype(float),
    )
    return rows.assign(cost_per_lead=cents(rows["cost"] / rows["leads"].where(rows["leads"] > 0)))


@figures("campaign_results")
def _(raw):
    return tally(campaigns(raw), "name", spent=("cost", "sum"), leads=("leads", "sum"), answered=("answered", "sum"), won=("won", "sum"))


@figures("source_return")
def _(raw):
    rows = leads(raw)
    rows = rows.join(deals(raw)[["is_won", "amount"]], on="converted_opportunity")
    rows = rows.join(campaigns(raw)["cost_per_lead"], on="campaign")
    found = tally(
        rows,
        "source",
        leads=("one", "sum"),
        conversion=lambda here: rate(here["is_converted"]),
        revenue=lambda here: here.loc[here["is_won"].eq(True), "amount"].sum(),
        cost=("cost_per_lead", "sum"),
    )
    return found.assign(gain=found["revenue"] - found["cost"])


def worked(raw: Raw, table, owner: str, since: int) -> pd.DataFrame:
    rows = table.columns("kind", "done_on", owner, "duration")
    return rows[days(rows["done_on"]) >= by_hand.back(raw, since)].assign(one=1)


@figures("activities_by_rep")
def _(raw):
    return tally(
        worked(raw, raw.activity, "owner", 90),
        "owner",
        done=("one", "sum"),
        calls=lambda rows: (rows["kind"] == "call").sum(),
        meetings=lambda rows: rows["kind"].isin(["meeting", "visit"]).sum(),
        minutes=("duration", "sum"),
    )


@figures("activities_by_week")
def _(raw):
    rows = worked(raw, raw.activity, "owner", 180)
    return tally(rows.assign(week=week(rows["done_on"])), "week", done=("one", "sum"))


@figures("cases_by_month")
def _(raw):
    rows = raw.case.columns("opened_on", "priority")
    rows = rows.assign(month=month(rows["opened_on"]), one=1, urgent=rows["priority"] == "urgent")
    return tally(rows, "month", cases=("one", "sum"), urgent=("urgent", "sum"))


@figures("unpaid")
def _(raw):
    rows = raw.invoice.columns("status", "amount")
    rows = rows[rows["status"].isin(["issued", "reminded"])]
    return one_row(value=rows["amount"].sum(), invoices=len(rows))


# ---- nonprofit ------------------------------------------------------------------------------------------------------------------


GIVEN = {"given": ("amount", "sum"), "gifts": ("one", "sum")}


def gifts(raw: Raw) -> pd.DataFrame:
    rows = raw.gift.columns("donor", "program", "amount", "given_on", "way", "keeper", "appeal")
    return rows.assign(amount=rows["amount"].astype(float), one=1)


def pledges(raw: Raw) -> pd.DataFrame:
    rows = raw.pledge.columns("stage", "amount", "chance", "program", "why_not", "created_on")
    amount = rows["amount"].astype(float)
    chance = rows["chance"].astype(float)
    return rows.assign(amount=amount, weighted=cents(amount * chance), over=rows["stage"].isin(["given", "declined"]), one=1)


@figures("giving_by_month")
def _(raw):
    rows = gifts(raw)
    return beside(tally(rows.assign(month=month(rows["given_on"])), "month", **GIVEN), 1, 12, "last_year")


@figures("giving_by_program")
def _(raw):
    return tally(gifts(raw), "program", **GIVEN)


@figures("best_donors")
def _(raw):
    rows = gifts(raw)
    return tally(rows[rows["donor"].notna()], "donor", **GIVEN)


@figures("gift_sizes")
def _(raw):
    rows = gifts(raw)
    size = np.searchsorted(np.array([0, 50, 200, 1000, 5000]) * 100, rows["amount"], side="right") - 1
    found = tally(rows.assign(size=size), "size", gifts=("one", "sum"), given=("amount", "sum"))
    return found.assign(part=found["given"] / found["given"].sum())


@figures("donor_cohorts")
def _(raw):
    rows = gifts(raw)
    year = year_begun(rows["given_on"])
    since = rows["donor"].map(year.groupby(rows["donor"]).min())
    return tally(rows.assign(since=since, year=year), ["since", "year"], donors=("donor", "nunique"), given=("amount", "sum"))


@figures("program_pareto")
def _(raw):
    rows = gifts(raw)
    found = tally(rows[rows["program"].notna()], "program", **GIVEN).sort_values("given", ascending=False)
    part = found["given"] / found["given"].sum()
    return found.assign(part=part, together=part.cumsum())


for name, by in (("money_by_keeper", "keeper"), ("money_by_program", "program"), ("money_by_way", "way")):
    figures(name)(lambda raw, by=by: this_year(gifts(raw), "given_on", by, raw, "given", "gifts"))


def appeals(raw: Raw) -> pd.DataFrame:
    rows = raw.appeal.columns("name", "kind", "cost")
    answers = raw.reply.columns("appeal", "status")
    answered = answers[answers["status"].isin(["gave", "asked", "declined"])].groupby("appeal")["status"].count()
    raised = gifts(raw).groupby("appeal")["amount"].sum()
    return rows.assign(
        one=1,
        cost=rows["cost"].astype(float),
        raised=np.nan_to_num(rows.index.map(raised).astype(float)),
        answered=np.nan_to_num(rows.index.map(answered).astype(float)),
    )


@figures("appeal_results")
def _(raw):
    return tally(appeals(raw), "name", spent=("cost", "sum"), raised=("raised", "sum"), answered=("answered", "sum"))


@figures("appeal_return")
def _(raw):
    asked = {key: (key, "sum") for key in ("answered", "raised", "cost")}
    found = tally(appeals(raw), "kind", appeals=("one", "sum"), **asked)
    return found.assign(gain=found["raised"] - found["cost"])


ASKING = ["idea", "warming", "asked", "promised", "given", "declined"]


def asked(raw: Raw) -> pd.DataFrame:
    rows = stays(raw, "pledge")
    return rows.assign(entered=quarter(rows["record"].map(raw.pledge["created_on"])), ahead=ahead(rows, ASKING))


@figures("asking_funnel")
def _(raw):
    return tally(asked(raw), "here", **STEPS)


@figures("asking_by_cohort")
def _(raw):
    return tally(asked(raw), ["entered", "here"], reached=STEPS["reached"])


@figures("asking_ways")
def _(raw):
    return tally(asked(raw), ["here", "next"], moves=("next", "count"))


@figures("kept_rate")
def _(raw):
    rows = pledges(raw)
    rows = rows[rows["over"]]
    return one_row(given=(rows["stage"] == "given").sum(), decided=len(rows), kept=rate(rows["stage"] == "given"))


@figures("pledges_by_stage")
def _(raw):
    rows = pledges(raw)
    return tally(rows[~rows["over"]], "stage", pledges=("one", "sum"), value=("amount", "sum"), weighted=("weighted", "sum"))


@figures("grants_by_stage")
def _(raw):
    rows = raw.grant.columns("stage", "asked").assign(one=1)
    return tally(rows, "stage", grants=("one", "sum"), asked=("asked", "sum"))


@figures("why_not")
def _(raw):
    rows = pledges(raw)
    return tally(rows[rows["stage"] == "declined"], "why_not", pledges=("one", "sum"))


@figures("why_not_by_program")
def _(raw):
    rows = pledges(raw)
    return tally(rows[rows["stage"] == "declined"], ["program", "why_not"], pledges=("one", "sum"), value=("amount", "sum"))


@figures("time_to_yes")
def _(raw):
    return lasting(raw, raw.pledge, "expected_on", "program")


@figures("touches_by_keeper")
def _(raw):
    return tally(worked(raw, raw.touchpoint, "keeper", 90), "keeper", done=("one", "sum"))


# ---- people, campaigns, goals -----------------------------------------------------------------------------------------------------


def tenth(value: float) -> float:
    """Rounded to one decimal, halves up."""
    return np.floor(value * 10 + 0.5 + 1e-9) / 10 if value == value else np.nan


def efforts(table: str, who: str, whom: str, kinds: tuple[str, ...], words: tuple[str, str], team: str = ""):
    """What people, or their teams, did in the last 91 days: how often, with how many, how long, how much of it with customers."""

    def count(raw):
        rows = worked(raw, getattr(raw, table), who, 91)
        rows = rows.assign(whom=getattr(raw, table)[whom].reindex(rows.index), group=rows[who])
        if team:
            people = raw.user if len(raw.user) else raw.member
            rows = rows.assign(group=rows[who].map(people[team]))
        talked = rows["duration"].astype(float).where(rows["kind"].isin(kinds))
        found = tally(
            rows.assign(duration=rows["duration"].astype(float), talked=talked),
            "group",
            done=("one", "sum"),
            per_week=lambda here: tenth(len(here) / 13),
            **{words[0]: ("whom", "nunique")},
            minutes=("duration", "sum"),
            each=("duration", "mean"),
            **{words[1]: ("talked", "sum")},
        )
        return found.assign(share_with=found[words[1]] / found["minutes"].where(found["minutes"] > 0))

    return count


figures("effort_by_rep")(efforts("activity", "owner", "account", ("call", "meeting", "visit"), ("accounts", "with_customers")))
figures("effort_by_team")(efforts("activity", "owner", "account", ("call", "meeting", "visit"), ("accounts", "with_customers"), "team"))
figures("effort_by_keeper")(efforts("touchpoint", "keeper", "donor", ("call", "meeting"), ("donors", "with_donors")))


@figures("effort_by_chapter")
def _(raw):
    found = efforts("touchpoint", "keeper", "donor", ("call", "meeting"), ("donors", "with_donors"), "chapter")(raw)
    return found[["done", "per_week", "minutes", "with_donors"]]


@figures("time_by_kind")
def _(raw):
    rows = worked(raw, raw.activity, "owner", 91)
    rows = rows.assign(duration=rows["duration"].astype(float))
    return tally(rows, ["owner", "kind"], minutes=("duration", "sum"), each=("duration", "mean"), done=("one", "sum"))


def effects(raw: Raw, table, owner: str, good: tuple[str, ...], kinds: tuple[str, ...] = ()) -> pd.DataFrame:
    """What was done in the last 182 days and whether it had a result."""
    rows = worked(raw, table, owner, 182)
    rows = rows.assign(result=table["result"].reindex(rows.index), duration=rows["duration"].astype(float))
    rows = rows[rows["kind"].isin(kinds)] if kinds else rows
    return rows.assign(good=rows["result"].isin(good), refused=rows["result"].isin(["no_answer", "not_interested", "refused"]))


HAD = {"done": ("one", "sum"), "good": ("good", "sum"), "effect": lambda here: rate(here["good"])}
LONG = {
    "minutes": ("duration", "sum"),
    "each": ("duration", "mean"),
    "price": lambda here: tenth(here["duration"].sum() / here["good"].sum()) if here["good"].any() else np.nan,
}
SOLD = ("reached", "interested", "agreed")


@figures("effect_by_kind")
def _(raw):
    rows = effects(raw, raw.activity, "owner", SOLD, ("call", "email", "meeting", "visit", "letter", "fax"))
    return tally(rows, "kind", **HAD, refused=lambda here: rate(here["refused"]), **LONG)


@figures("effect_by_rep")
def _(raw):
    rows = effects(raw, raw.activity, "owner", SOLD, ("call", "meeting", "visit"))
    return tally(rows, ["owner", "kind"], effect=HAD["effect"], done=HAD["done"])


@figures("effect_of_touches")
def _(raw):
    return tally(effects(raw, raw.touchpoint, "keeper", ("reached", "gave")), "kind", **HAD, **LONG)


def brought(raw: Raw) -> pd.DataFrame:
    """Campaigns with their leads, deals and money beside what was wanted."""
    lead, deal, rows = leads(raw), raw.opportunity, campaigns(raw)
    known = lambda counted: np.nan_to_num(rows.index.map(counted).astype(float))  # noqa: E731
    return rows.assign(
        one=1,
        kind=raw.campaign["kind"],
        converted=known(lead[lead["is_converted"]].groupby("campaign")["one"].sum()),
        deals=known(deal["name"].groupby(deal["campaign"]).count()),
        leads_wanted=raw.campaign["goal_leads"].astype(float),
        revenue_wanted=raw.campaign["goal_revenue"].astype(float),
    )


def earned(found: pd.DataFrame) -> pd.DataFrame:
    return found.assign(lead_cost=found["cost"] / found["leads"].where(found["leads"] > 0), gain=found["revenue"] - found["cost"])


@figures("campaign_return")
def _(raw):
    asked = {key: (key, "sum") for key in ("leads", "leads_wanted", "converted", "deals", "revenue_wanted", "cost")}
    return earned(tally(brought(raw), "name", **asked, revenue=("won", "sum")))


@figures("campaign_kinds")
def _(raw):
    asked = {key: (key, "sum") for key in ("leads", "converted", "cost")}
    found = earned(tally(brought(raw), "kind", campaigns=("one", "sum"), **asked, revenue=("won", "sum")))
    return found.assign(conversion=found["converted"] / found["leads"].where(found["leads"] > 0))


@figures("appeals_against_goals")
def _(raw):
    rows = appeals(raw)
    reached = raw.reply["status"].groupby(raw.reply["appeal"]).count()
    rows = rows.assign(hoped=raw.appeal["goal"].astype(float), reached=np.nan_to_num(rows.index.map(reached).astype(float)))
    found = tally(rows, "name", **{key: (key, "sum") for key in ("raised", "hoped", "reached", "answered", "cost")})
    return found.assign(reply_cost=found["cost"] / found["answered"].where(found["answered"] > 0), gain=found["raised"] - found["cost"])


def against(
    raw: Raw, rows: pd.DataFrame, on: str, by: str, figures_: dict, goals, said: dict[str, tuple[str, float]], words: tuple[str, ...]
):
    """Figures of this year so far beside the goals of the whole year and of the part that is over; `said` {figure: (what the goal is of, its unit)}."""
    of, wanted, begins, ends, key = words
    start, end = pd.Timestamp(raw.today.year, 1, 1), pd.Timestamp(raw.today.year, 12, 31)
    found = tally(rows[within(rows[on], start.date(), raw.today)], by, **figures_)
    given = goals.columns(of, wanted, begins, ends, key)
    given = given[given[key].notna()]
    first, last = days(given[begins]), days(given[ends])

    def part(until):
        overlap = (last.clip(upper=until) - first.clip(lower=start)).dt.days + 1
        return given[wanted].astype(float) * overlap.clip(lower=0) / ((last - first).dt.days + 1)

    touched = (last >= start) & (first <= end)
    for figure, (what, unit) in said.items():
        mine = touched & (given[of] == what)
        whole, due = ((part(until)[mine] * unit).groupby(given[key][mine]).sum() for until in (end, by_hand.today_of(raw)))
        found = found.reindex(list(dict.fromkeys([*found.index, *whole.index])))
        found[list(figures_)] = found[list(figures_)].astype(float).fillna(0)
        found[f"{figure}_goal"], found[f"{figure}_due"] = whole.reindex(found.index), due.reindex(found.index)
        found[f"{figure}_reached"] = found[figure] / found[f"{figure}_goal"]
    return found


SALES_GOALS, AIMS = ("measure", "target", "starts_on", "ends_on"), ("of", "wanted", "begins", "ends")


@figures("people_against_goals")
def _(raw):
    return against(raw, won(raw), "close_on", "owner", MONEY, raw.goal, {"revenue": ("revenue", 100)}, (*SALES_GOALS, "owner"))


@figures("products_against_goals")
def _(raw):
    rows = won(raw)
    rows = rows[rows["product"].notna()]
    return against(raw, rows, "close_on", "product", MONEY, raw.goal, {"revenue": ("revenue", 100)}, (*SALES_GOALS, "product"))


@figures("keepers_against_aims")
def _(raw):
    return against(raw, gifts(raw), "given_on", "keeper", GIVEN, raw.aim, {"given": ("gifts", 100)}, (*AIMS, "keeper"))


@figures("talks_against_aims")
def _(raw):
    rows = raw.touchpoint.columns("kind", "done_on", "keeper").assign(one=1)
    rows = rows[rows["done_on"].notna() & rows["kind"].isin(["call", "meeting"])]
    return against(raw, rows, "done_on", "keeper", {"talks": ("one", "sum")}, raw.aim, {"talks": ("talks", 1)}, (*AIMS, "keeper"))


# ---- held against each other ----------------------------------------------------------------------------------------------------


def key_of(value):
    """A key as the report names it: whole numbers for links and classes, nothing as None."""
    if value is None or (isinstance(value, float) and value != value) or value is pd.NaT:
        return None
    return int(value) if isinstance(value, (float, np.integer)) else value


def expected(report, raw: Raw) -> dict[tuple, dict[str, float]]:
    table = FIGURES[report.name](raw)
    keys = [() if not report.by else tuple(map(key_of, one if isinstance(one, tuple) else (one,))) for one in table.index]
    return dict(zip(keys, table.astype(float).to_dict("records"), strict=True))


def told(result, ids=None) -> dict[tuple, dict[str, float]]:
    """What `crm report --json` prints, by group; money in cents. `ids` gives links another name."""
    answer = result.json()
    columns, found = answer["columns"], {}
    for keys, row in zip(result.keys, answer["rows"], strict=True):
        named = tuple(ids(axis, key) if ids and key is not None else key for axis, key in zip(result.report.by, keys, strict=False))
        values = {}
        for column, value in zip(columns, row, strict=True):
            if column["role"] == "measure":
                exact = np.nan if value is None else float(Decimal(str(value)) * (100 if column["kind"] == "money" else 1))
                values[column["key"]] = exact
        found[(*named, *keys[len(result.report.by) :])] = values
    return found


def empty(row: dict[str, float]) -> bool:
    return all(value != value or value == 0 for value in row.values())


def equal(name: str, key: str, ours: float, theirs: float, kind: str) -> bool:
    if ours != ours or theirs != theirs:
        compared = key.endswith(("_last_year", "_previous"))
        return (ours != ours and theirs != theirs) or (compared and not np.nan_to_num(ours) and not np.nan_to_num(theirs))
    return abs(ours - theirs) <= (0.51 if kind == "money" and theirs % 1 else 1e-6 + abs(theirs) * 1e-9)


def hold(result, raw: Raw, ids=None) -> int:
    """Every row and figure of a report as counted by hand, none more and none less; gives how many figures were held."""
    report = result.report
    kinds = {column.key: column.kind for column in result.columns}
    found, groups = told(result, ids), expected(report, raw)
    wanted = {keys: row for keys, row in groups.items() if not empty(row)}
    curved = any(measure.span is not None for measure in report.measures.values())
    shown = {keys: row for keys, row in found.items() if keys in wanted or not empty(row)}
    assert not set(shown) - set(wanted), (
        f"{report.name} has rows that are not there by hand: {sorted(set(shown) - set(wanted), key=str)[:5]}"
    )
    missing = set(wanted) - set(shown)
    if report.limit and not curved:
        assert len(found) == min(report.limit, len(groups)), report.name
        by = report.sort[0].lstrip("-")
        assert all(wanted[one][by] <= min(row[by] for row in shown.values()) + 1e-6 for one in missing), (
            f"{report.name} left out a larger one"
        )
    elif not curved:  # a curve is thinned out
        assert not missing, f"{report.name} lacks {sorted(missing, key=str)[:5]}"
    count = 0
    for keys, row in shown.items():
        assert set(row) == set(wanted[keys]), f"{report.name}: figures without another way"
        for key, value in row.items():
            assert equal(report.name, key, value, wanted[keys][key], kinds[key]), (report.name, keys, key, value, wanted[keys][key])
            count += 1
    return count


@pytest.fixture(scope="module")
def demo_companies(demo_store, nonprofit_store, tmp_path_factory):
    """Each demo company with its raw documents: as they lie in the store today, and replayed up to an earlier day."""
    made, stores = {}, []
    for name, source in (("sales", demo_store), ("nonprofit", nonprofit_store)):
        path = shutil.copy(source, tmp_path_factory.mktemp(name) / "demo.db")
        store = open_store(str(path))
        stores.append(store)
        company = Company(load(shipped(name)), store)
        today = company.today()
        changes = list(store.changes(0))
        raw = by_hand.read(path, today)
        raw.past = by_hand.replay(changes, None, today).past
        day = by_hand.back(raw, EARLIER).date()
        noon = datetime.combine(day - timedelta(days=(day.weekday() - 5) % 7), time(12), ZoneInfo(by_hand.ZONE))
        until = noon.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        made[name] = (company, raw, noon, by_hand.replay(changes, until, noon.date()))
    yield made
    for store in stores:
        store.close()


def reports_of(name: str) -> list[str]:
    return list(load(shipped(name)).reports)


@pytest.mark.parametrize("config", CONFIGS)
def test_every_shipped_report_has_another_way(config):
    assert [name for name in reports_of(config) if name not in FIGURES and name not in ELSEWHERE] == []
    root = Path(__file__).parents[2]
    for name, where in ELSEWHERE.items():
        file, _, test = where.partition("::")
        assert f"def {test}(" in (root / file).read_text(), f"{name}: there is no {where}"


@pytest.mark.parametrize("config, name", [(config, name) for config in CONFIGS for name in reports_of(config) if name in FIGURES])
def test_a_report_of_the_demo_company_equals_plain_pandas(demo_companies, config, name):
    company, raw, _, _ = demo_companies[config]
    assert hold(run(company.door(SYSTEM), name), raw) > 0, "nothing was counted"


@pytest.mark.parametrize("config, name", [(config, name) for config in CONFIGS for name in reports_of(config) if name in FIGURES])
def test_a_report_of_the_past_equals_the_documents_replayed(demo_companies, config, name):
    """I2: `as_of` half a year ago, against the changes of the store gone through one by one up to then."""
    company, _, then, raw = demo_companies[config]
    hold(run(company.door(SYSTEM), name, as_of=then), raw)


# ---- the Salesforce export ------------------------------------------------------------------------------------------------------


#: The order the files are taken in, what they become, and what may be looked for in which.
EXPORT = {
    "Account": "account",
    "Contact": "contact",
    "Campaign": "campaign",
    "Lead": "lead",
    "Opportunity": "opportunity",
    "CampaignMember": "response",
    "Task": "activity",
    "Case": "case",
}
CHANCE = {"identification": 0.1, "qualification": 0.25, "offer": 0.5, "negotiation": 0.75, "won": 1.0, "lost": 0.0}
MONEY_COLUMNS = ("amount", "cost", "budget", "turnover")
#: Reports of which nothing is in the export: no history of stages, no work done, no orders, no competitors, nothing of this year.
NOT_THERE = {
    "activities_by_rep", "activities_by_week", "campaign_results", "campaign_return", "effect_by_kind", "effect_by_rep", "effort_by_rep",
    "effort_by_team", "funnel", "lead_funnel", "lost_to", "money_by_group", "money_by_industry", "money_by_product", "money_by_region",
    "money_by_rep", "money_by_stage", "people_against_goals", "product_margin", "product_pareto", "products_against_goals",
    "reasons_against", "revenue_by_rep", "stage_moves", "time_by_kind", "unpaid", "win_rate_against", "win_rate_against_trend",
}  # fmt: skip


def exported(today) -> Raw:
    """The export as documents named by Salesforce's own ids, from the files and the plain words of the import maps."""
    tables: dict[str, dict] = {}
    for file, entity in EXPORT.items():
        said = yaml.safe_load((shipped("sales") / "imports" / "salesforce" / f"{file}.yaml").read_text())
        documents = tables[entity] = {}
        with (WORKSHOP / f"{file}.csv").open(encoding="utf-8-sig") as source:
            for row in csv.DictReader(source):
                if row.get("IsDeleted") not in ("1", "true"):
                    documents[row["Id"]] = document(row, said)
    for one in tables["opportunity"].values():
        one["probability"] = CHANCE[one["stage"]]
    return Raw(tables, today)


def document(row: dict[str, str], said: dict) -> dict:
    made = {**said.get("defaults", {}), **said.get("constants", {})}
    for column, to in said["columns"].items():
        to, rules = (to, {}) if isinstance(to, str) else (to["to"], to) if isinstance(to, dict) else (None, {})
        text = row.get(column, "").strip()
        if to and text:
            value = rules["values"].get(text, "") if "values" in rules else text
            if value != "":
                made[to] = round(float(value) * 100) if to in MONEY_COLUMNS else value
    return made


@pytest.fixture(scope="module")
def salesforce(tmp_path_factory):
    """The imported company, its export read by hand, and the name Salesforce knows each record by."""
    from crm.intake import importing

    path = tmp_path_factory.mktemp("salesforce") / "crm.db"
    store = open_store(str(path))
    company = Company(load(shipped("sales")), store)
    for file, entity in EXPORT.items():
        outcome = importing.run(company.door(SYSTEM), entity, WORKSHOP / f"{file}.csv")
        assert not outcome.rejected, file
    kept = by_hand.read(path, company.today())

    yield company, exported(company.today()), kept
    store.close()


def named_by_salesforce(company, kept: Raw, report):
    """How a key of a report is called in the export: of a linked record its external id."""
    targets = {}
    for axis in report.by:
        entity = report.entity
        for part in axis.field.split("."):
            field = company.schema.entities[entity].fields.get(part) if entity else None
            entity = getattr(field, "to", None)
        targets[axis.key] = entity

    def named(axis, key):
        to = targets[axis.key]
        return kept.tables[to][key].get("external_id") if to and not axis.unit else key

    return named


@pytest.mark.skipif(not WORKSHOP.is_dir(), reason="the workshop's data are not on this machine")
@pytest.mark.parametrize("name", [name for name in reports_of("sales") if name in FIGURES])
def test_a_report_of_the_salesforce_export_equals_its_files(salesforce, name):
    company, raw, kept = salesforce
    result = run(company.door(SYSTEM), name)
    counted = hold(result, raw, named_by_salesforce(company, kept, result.report))
    assert (counted == 0) == (name in NOT_THERE), name


@pytest.mark.skipif(not WORKSHOP.is_dir(), reason="the workshop's data are not on this machine")
def test_the_salesforce_export_has_its_well_known_figures(salesforce):
    """Straight from the files, without any map of ours."""
    company, *_ = salesforce
    rows = pd.read_csv(WORKSHOP / "Opportunity.csv", encoding="utf-8-sig")
    door = company.door(SYSTEM)
    decided = rows[rows["IsClosed"] == 1]
    assert float(run(door, "win_rate").json()["rows"][0][2]) == pytest.approx((decided["IsWon"] == 1).mean(), abs=1e-6)
    won = rows[rows["IsWon"] == 1].assign(month=lambda one: one["CloseDate"].str[:7])
    by_month = {row[0][:7]: float(row[1]) for row in run(door, "revenue_by_month").json()["rows"]}
    assert {key: value for key, value in by_month.items() if value} == pytest.approx(won.groupby("month")["Amount"].sum().to_dict())
    assert float(run(door, "open_pipeline").json()["rows"][0][0]) == pytest.approx(rows.loc[rows["IsClosed"] != 1, "Amount"].sum())
