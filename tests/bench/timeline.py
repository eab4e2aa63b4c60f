"""The 360° page of an account with many events (A3), on a real store on disk, as a signed-in rep.

    python tests/bench/timeline.py --n 10000 --n 100000 [--store FOLDER] [--rounds 15] [--json]

One account gets N events: activities of every kind over three years, invoices, cases and offers, and
3 % of them with daughters of it. Printed are the 50 % and 95 % times in milliseconds of what the page asks: opening (all that the
record page reads until its content is ready), the first events, a page further on, filters by kind, person, text and days, and the
same with the daughters. The goal of A3 is 600 ms for opening at 10,000.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from crm.records import SYSTEM, Company
from crm.records.company import MOVES
from crm.schema import load, shipped
from crm.stores import open_store

WORDS = "price delivery sample visit contract board budget oak steel service training renewal complaint".split()
RESULTS = ["reached", "no_answer", "call_back", "interested", "agreed", "done"]
KINDS = ["call", "email", "meeting", "visit", "letter", "fax", "note"]


def build(folder: Path, n: int) -> tuple[Company, int, str]:
    """The company, the account with the events, and the login of the rep who looks."""
    path = folder / f"timeline-{n}.db"
    company = Company(load(shipped("sales")), open_store(str(path)))
    door = company.door(SYSTEM)
    login = "rep0"
    kept = company.store.meta.get("bench.account", None)
    if kept:
        return company, kept, login
    with door.step("people"):
        team = door.create("team", {"name": "North"}).id
        users = [door.create("user", {"name": f"Rep {n}", "login": f"rep{n}", "role": "rep", "team": team}) for n in range(10)]
    pick = random.Random(3)
    mother = door.create("account", {"name": "Bench Holding", "kind": "customer", "owner": users[0].id}).id
    daughters = [
        door.create("account", {"name": f"Bench {word} GmbH", "kind": "customer", "owner": users[0].id, "parent": mother}).id
        for word in WORDS[:4]
    ]
    deals = [
        door.create("opportunity", {"name": f"Deal {number}", "account": pick.choice([mother, *daughters]), "owner": users[0].id}).id
        for number in range(60)
    ]
    now = datetime.now(UTC)

    def when() -> datetime:
        return now - timedelta(minutes=pick.randrange(60 * 24 * 1000))

    def stamp(moment: datetime) -> str:
        return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"

    documents: dict[str, list[dict[str, Any]]] = {"activity": [], "case": [], "invoice": [], "offer": []}
    for number in range(n):
        account = mother if pick.random() < 0.97 else pick.choice(daughters)
        moment, who = when(), pick.choice(users).id
        base = {
            "account": account,
            "owner": who,
            "created_on": stamp(moment),
            "changed_on": stamp(moment),
            "created_by": who,
            "changed_by": who,
        }
        what = pick.random()
        if what < 0.90:
            documents["activity"].append(
                {**base, "subject": f"About the {pick.choice(WORDS)} {number}", "kind": pick.choice(KINDS), "done_on": stamp(moment), "on": stamp(moment),
                 "text": " ".join(pick.choices(WORDS, k=30)), "result": pick.choice(RESULTS), "priority": "normal", "opportunity": pick.choice(deals)}
            )  # fmt: skip
        elif what < 0.94:
            documents["case"].append(
                {**base, "subject": f"The {pick.choice(WORDS)} is late", "opened_on": stamp(moment), "status": "new", "priority": "normal"}
            )
        elif what < 0.98:
            documents["invoice"].append(
                {**base, "number": f"B-{number}", "issued_on": moment.date().isoformat(), "amount": "1200", "status": "sent"}
            )
        else:
            documents["offer"].append(
                {**base, "number": f"O-{number}", "sent_on": moment.date().isoformat(), "status": "sent", "opportunity": pick.choice(deals)}
            )
    documents[MOVES] = [
        {"entity": "opportunity", "record": deal, "pipeline": "b2b", "from": "identification", "to": "qualification", "on": stamp(when()), "who": pick.choice(users).id}
        for deal in deals
        for _ in range(3)
    ]  # fmt: skip
    for name, rows in documents.items():
        for start in range(0, len(rows), 20_000):
            with company.store.transaction(actor="bench"):
                company.store.table(name).insert_multiple(rows[start : start + 20_000])
    company.store.meta.set("bench.account", mother)
    return company, mother, login


def timed(job: Callable[[], Any], rounds: int) -> tuple[float, float, float, int]:
    """p50 and p95 in ms, p50 of the processor's time, which other work on the machine does not change, and how many things came back."""
    job()
    taken, worked, count = [], [], 0
    gc.collect()
    for _ in range(rounds):
        start, began = time.perf_counter(), time.process_time()
        found = job()
        worked.append((time.process_time() - began) * 1000)
        taken.append((time.perf_counter() - start) * 1000)
        count = len(found) if hasattr(found, "__len__") else 0
    return statistics.median(taken), sorted(taken)[int(len(taken) * 0.95)], statistics.median(worked), count


def page_of(company: Company, login: str) -> Callable[[int], Any]:
    """Makes the content of the record page as a browser session would, without a browser."""
    from crm.views.app import App

    app = App(company, company.actor(login))

    def make(account: int) -> Any:
        from crm.views.base import PAGES

        return PAGES["record"](app, entity="account", id=str(account))

    return make


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--n", type=int, action="append")
    options.add_argument("--store", type=Path)
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    folder = chosen.store or Path(tempfile.mkdtemp(prefix="crm-timeline-"))
    folder.mkdir(parents=True, exist_ok=True)
    results: dict[int, dict[str, Any]] = {}
    for n in chosen.n or [10_000]:
        company, account, login = build(folder, n)
        door = company.door(company.actor(login))
        make = page_of(company, login)
        first = door.timeline("account", account, limit=50)
        deep = door.timeline("account", account, limit=2000)[-1].key
        year = date.today() - timedelta(days=365)
        person = door.actor.id

        def look(account: int = account, door: Any = door, **more: Any) -> Any:
            return door.timeline("account", account, limit=50, **more)

        jobs: dict[str, Callable[[], Any]] = {
            "open the page": lambda make=make, account=account: make(account),
            "first events": look,
            "next page": lambda look=look, first=first: look(before=first[-1].key),
            "2,000 further down": lambda look=look, deep=deep: look(before=deep),
            "one kind": lambda look=look: look(kinds=["fax"]),
            "stage changes": lambda look=look: look(kinds=["stage"]),
            "one person": lambda look=look, person=person: look(who=person),
            "a frequent word": lambda look=look: look(find="oak"),
            "a rare word": lambda look=look, n=n: look(find=f" {n // 2}"),
            "no such word": lambda look=look: look(find="zeppelin"),
            "from–to": lambda look=look, year=year: look(since=year - timedelta(days=30), until=year),
            "who is in it": lambda door=door, account=account: door.timeline_people("account", account),
            "with daughters": lambda look=look: look(below=True),
            "with daughters, word": lambda look=look: look(below=True, find="oak"),
        }
        results[n] = {name: timed(job, chosen.rounds) for name, job in jobs.items()}
        company.store.close()
    if chosen.json:
        print(json.dumps(results))
        return
    for n, rows in results.items():
        print(f"{n:,} events      p50 ms   p95 ms   cpu ms   found")
        for name, (p50, p95, worked, count) in rows.items():
            print(f"  {name:22}{p50:9.1f}{p95:9.1f}{worked:9.1f}{count:8}")


if __name__ == "__main__":
    main()
