"""How long the shipped reports and KPIs take, and a dashboard of eight cards, on a large store.

    python tests/bench/reports.py [--n 100000] [--store PATH] [--json] [--only win_rate,funnel] [--as rep0]

The data are those of `tests/bench/jobs.py` with more in them: products, sources, competitors, reasons, campaigns, N/5 leads, N/10
responses, goals. Of each report (run through the one door, for a user who sees everything unless `--as` says whom):

* cold: the first run in a company opened afresh (the file may lie in the memory of the machine),
* related: p50 of runs each right after one record of the report's entity was changed: what it says may have changed,
* unrelated: p50 of runs each right after a record of an entity no report looks at was changed,
* again: p50 of runs with nothing written in between.

In brackets stands the work of the process itself, which a machine busy with other things does not stretch. What a server loads as soon as
it answers (`crm.server.site.ahead`: what charts and statistics are made with) is loaded before anything is measured.

Warm, of which the goal speaks (0.3 s), is the worse of related and unrelated. The dashboard is opened in a session of the app without a
browser, charts made ready to be sent; cold right after a related write, warm with nothing written.
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

from jobs import TODAY, Data, Product, chunks

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
                    {
                        "name": f"Campaign {n}",
                        "kind": "mailing",
                        "starts_on": TODAY - timedelta(days=n * 12),
                        "budget": 9000,
                        "cost": 7000 + n,
                    },
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
                        more = (
                            {"converted_opportunity": pick.choice(self.opportunities)}
                            if state == "converted"
                            else {"drop_reason": "no_need"}
                        )
                        door.change("lead", number, {"status": state, **more})
        for part in chunks(list(range(self.data.n // 10)), 20000):
            with door.step("bench responses"):
                for _ in part:
                    door.create(
                        "response",
                        {
                            "campaign": pick.choice(self.campaigns),
                            "lead": pick.choice(leads),
                            "status": pick.choice(("sent", "answered", "interested")),
                            "on": TODAY,
                        },
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


# --- what is measured


def timed(act: Callable[[], Any]) -> tuple[float, float]:
    """Seconds by the clock, and seconds of work of this process: on a machine that does other things, too, they differ."""
    start, work = time.perf_counter(), time.process_time()
    act()
    return time.perf_counter() - start, time.process_time() - work


def middle(times: list[tuple[float, float]]) -> tuple[float, float]:
    """The median of both."""
    return statistics.median(one for one, _ in times), statistics.median(one for _, one in times)


def told(found: dict[str, tuple[float, float]]) -> dict[str, float]:
    """In milliseconds; `_cpu` is the work."""
    return {f"{word}{kind}": round(value * 1000, 1) for word, pair in found.items() for kind, value in zip(("", "_cpu"), pair, strict=True)}


class Bench:
    """One store, opened as often as a first run is measured."""

    def __init__(self, path: Path, who: str, calls: int) -> None:
        self.path, self.who, self.calls = path, who, calls
        self.schema = load(shipped("sales"))
        self.count = 0
        self.open()

    def open(self) -> None:
        if hasattr(self, "company"):
            self.company.store.close()
        self.company = Company(self.schema, open_store(str(self.path)))
        self.system = self.company.door(SYSTEM)
        self.door = self.system if self.who == "system" else self.company.door(self.company.actor(self.who))

    def related(self, entity: str) -> None:
        """Change a record of an entity."""
        self.count += 1
        one = self.schema.entities[entity]
        key = next((key for key in ("amount", "budget", "duration", "note", "text") if key in one.fields), None)
        found = self.system.ids(entity, None)[:1] if entity not in self.firsts else [self.firsts[entity]]
        if found and key is not None:
            self.firsts[entity] = found[0]
            value: Any = f"Note {self.count}" if key in ("note", "text") else 1000 + self.count
            self.system.change(entity, found[0], {key: value})

    firsts: dict[str, int] = {}

    def unrelated(self) -> None:
        self.count += 1
        if "marketing_list" not in self.firsts:
            self.firsts["marketing_list"] = self.system.create("marketing_list", {"name": "Bench", "of": "contact"}).id
        self.system.change("marketing_list", self.firsts["marketing_list"], {"name": f"Bench {self.count}"})

    def report(self, name: str) -> dict[str, float]:
        self.open()
        entity = engine.report_for(self.door, name).entity
        found = {"cold": timed(lambda: run(self.door, name))}
        for word, before in (("related", lambda: self.related(entity)), ("unrelated", self.unrelated), ("again", lambda: None)):
            times = []
            for _ in range(self.calls):
                before()
                times.append(timed(lambda: run(self.door, name)))
            found[word] = middle(times)
        return told(found)

    def dashboard(self) -> dict[str, float]:
        """A dashboard of eight cards in a session of the app: six charts, two numbers."""
        from crm.schema.model import Card, Dashboard
        from crm.views.app import App

        cards = (
            "open_pipeline",
            "win_rate",
            "revenue_by_month",
            "revenue_by_rep",
            "pipeline_by_stage",
            "forecast_by_month",
            "money_by_region",
            "lost_reasons",
        )
        rows = [[Card("report", name, "") for name in cards[n : n + 2]] for n in range(0, 8, 2)]
        self.schema.dashboards["bench"] = Dashboard("bench", "Bench", rows)
        self.open()
        app = App(self.company, self.door.actor, query="view=settings")
        app.body.get_root()  # what stands in a browser: each page is made as the models that are sent there

        def draw() -> None:
            app.go(view="dashboard", name="bench")

        def once(before: Callable[[], Any] = lambda: None) -> tuple[float, float]:
            app.go(view="settings")
            before()
            return timed(draw)

        first = once()
        again = [once() for _ in range(self.calls)]
        related = [once(lambda: self.related("opportunity")) for _ in range(self.calls)]
        return told({"cold": first, "related": middle(related), "again": middle(again)})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=100_000)
    parser.add_argument("--store", help="keep the data here and use it again (default: a temporary file)")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", help="some reports, by comma (`dashboard` for the dashboard)")
    parser.add_argument("--as", dest="who", default="system", help="a user (rep0 … rep9); everything is seen without")
    parser.add_argument("--calls", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(options.store or Path(scratch) / "bench.db")
        if not path.with_suffix(".made").exists():
            made = Rich(Data(options.n), path)
            made.company.store.close()
        bench = Bench(path, options.who, options.calls)
        from crm.analytics import kpis, names
        from crm.server.site import ahead

        ahead()
        wanted = options.only.split(",") if options.only else [*names(bench.door), *kpis.names(bench.door), "dashboard"]
        found: dict[str, dict[str, float]] = {}
        load_before = os.getloadavg()[0]
        for name in wanted:
            row = found[name] = bench.dashboard() if name == "dashboard" else bench.report(name)
            if not options.json:
                warm = max(row["related"], row.get("unrelated", 0)) if name != "dashboard" else row["related"]
                limits = (BOARD, BOARD) if name == "dashboard" else (COLD, WARM)
                kept = "ok" if row["cold"] <= limits[0] * 1000 and warm <= limits[1] * 1000 else "MISSED"
                said = " ".join(f"{word} {row[word]:8.1f} ({row[f'{word}_cpu']:7.1f})" for word in row if not word.endswith("_cpu"))
                print(f"{name:28} {said}  ms  {kept}", flush=True)
        machine = {"load_before": load_before, "load_after": os.getloadavg()[0], "cores": os.cpu_count()}
        if options.json:
            print(json.dumps({"n": options.n, "as": options.who, "reports": found, "machine": machine}))
        else:
            print(f"load {load_before:.1f} before, {machine['load_after']:.1f} after, {machine['cores']} cores")


if __name__ == "__main__":
    main()
