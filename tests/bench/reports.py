"""How long the shipped reports and KPIs take, and a dashboard of eight cards, on a large store.

    python tests/bench/reports.py [--n 100000] [--store PATH] [--json] [--only win_rate,funnel] [--as rep0]

The data are those of `tests/bench/jobs.py` with more in them: products, sources, competitors, reasons, campaigns, N/5 leads, N/10
responses, goals. Of each report (run through the one door, for a user who sees everything unless `--as` says whom):

* cold: the first run in a company opened afresh, and again after every kept result was thrown away (the worst of three),
* related: p50 of runs each right after one opportunity was written (what it may depend on has changed),
* unrelated: p50 of runs each right after a record of an entity it does not look at was written,
* again: p50 of runs with nothing written in between.

Warm, of which the goal speaks (0.3 s), is the worse of related and unrelated. The dashboard is drawn as in the app, charts included.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from jobs import TODAY, YEAR_AGO, Data, Product, chunks

from crm.analytics import reports as engine
from crm.analytics import run
from crm.records import SYSTEM, Company
from crm.schema import load, shipped
from crm.stores import open_store

SOURCES = ("referral", "fair", "web", "cold_call", "mailing", "partner", "social")
INDUSTRIES = ("manufacturing", "machinery", "food", "energy", "construction", "logistics", "retail", "healthcare")
REASONS = ("price", "timing", "competitor", "no_budget", "no_decision", "product")
FAMILIES = ("machines", "parts", "service", "software", "training")
STATES = ("new", "contacted", "qualified", "converted", "dropped")
COLD, WARM, BOARD = 2.0, 0.3, 1.5


class Rich(Product):
    """The company of the jobs with all that the shipped reports look at."""

    def fill(self) -> None:
        pick = self.pick = random.Random(21)
        door = self.system
        with door.step("bench catalogue"):
            self.products = [
                door.create("product", {"name": f"Machine {n}", "code": f"M-{n:03}", "family": FAMILIES[n % 5], "price": 1000 * n + 500}).id
                for n in range(40)
            ]
            tops = [door.create("territory", {"name": name}).id for name in ("North", "South", "East", "West")]
            self.territories = [door.create("territory", {"name": f"Area {n}", "parent": tops[n % 4]}).id for n in range(20)]
            self.rivals = [door.create("account", {"name": f"Rival {n}", "kind": "competitor"}).id for n in range(8)]
            self.campaigns = [
                door.create(
                    "campaign",
                    {"name": f"Campaign {n}", "kind": "mailing", "starts_on": TODAY - timedelta(days=n * 12), "budget": 9000, "cost": 7000 + n},
                ).id
                for n in range(60)
            ]
        super().fill()
        with door.step("bench people"):
            for user in self.users:
                door.change("user", user, {"lead_cap": self.data.n, "rate": 40})
        with door.step("bench accounts, more"):
            for number in self.accounts:
                segment = pick.choice(("large", "mid", "small", "public"))
                door.change(
                    "account", number, {"industry": pick.choice(INDUSTRIES), "segment": segment, "territory": pick.choice(self.territories)}
                )
        with door.step("bench goals"):
            for year in (TODAY.year - 1, TODAY.year):
                for user in self.users:
                    values = {"owner": user, "starts_on": f"{year}-01-01", "ends_on": f"{year}-12-31"}
                    door.create("goal", {**values, "measure": "revenue", "target": 2_000_000})
                    door.create("goal", {**values, "measure": "calls", "target": 900})
        leads: list[int] = []
        early = datetime.now(UTC) - timedelta(days=500)
        for part in chunks(list(range(self.data.n // 5)), 20000):
            with door.step("bench leads", at=early):
                made = [
                    door.create(
                        "lead",
                        {
                            "name": f"Lead {n} Person",
                            "company": f"Firm {n}",
                            "source": pick.choice(SOURCES),
                            "campaign": pick.choice(self.campaigns),
                            "owner": pick.choice(self.users),
                        },
                    ).id
                    for n in part
                ]
            leads += made
            with door.step("bench lead states", at=early + timedelta(days=90), gates=False):
                for number in made:
                    state = pick.choice(STATES)
                    if state != "new":
                        more = {"converted_opportunity": pick.choice(self.opportunities)} if state == "converted" else {"drop_reason": "no_need"}
                        door.change("lead", number, {"status": state, **more})
        for part in chunks(list(range(self.data.n // 10)), 20000):
            with door.step("bench responses"):
                for _ in part:
                    door.create(
                        "response",
                        {"campaign": pick.choice(self.campaigns), "lead": pick.choice(leads), "status": pick.choice(("sent", "answered", "interested")), "on": TODAY},
                    )

    def extra(self) -> dict[str, Any]:
        pick = self.pick
        return {
            "product": pick.choice(self.products),
            "source": pick.choice(SOURCES),
            "campaign": pick.choice(self.campaigns) if pick.random() < 0.3 else None,
            "competitors": pick.sample(self.rivals, pick.choice((0, 1, 2))),
            "lost_reason": pick.choice(REASONS),
            "lost_to": pick.choice(self.rivals),
            "cost": pick.randrange(500, 60_000),
        }

    def ways(self, stage: str) -> list[str]:
        return {"identification": [], "negotiation": ["offer", "negotiation"], "won": ["qualification", "offer", "won"]}.get(stage, [stage])
