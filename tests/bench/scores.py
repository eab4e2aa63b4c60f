"""Renewing the scores of 100,000 records while others read and write: how long it takes, how long anybody waits.

    python tests/bench/scores.py [--records 100000] [--data FILE]

Prints one JSON document: seconds to learn, seconds to renew (both also of processor time: `…_cpu_s`, which other work on the machine does not change), the longest a reader and a writer in another process waited meanwhile
(and what they wait without it), and how well the chances were foretold beside the true ones the records were drawn from.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

TRUE = {"referral": 1.2, "fair": 0.5, "web": 0.0, "cold_call": -1.1, "mailing": -0.4, "social": -0.6, "partner": 0.7, "other": -0.2}
FEELING = {"hot": 1.0, "warm": 0.0, "cold": -1.0}


def chance(doc: dict[str, Any]) -> float:
    """The true chance that a made-up lead is converted."""
    odds = -1.0 + TRUE[doc["source"]] + FEELING.get(doc.get("impression", "warm"), 0) + (0.6 if doc.get("budget", 0) > 2_000_000 else 0)
    return 1 / (1 + math.exp(-odds))


def leads(number: int, seed: int = 3, open_share: float = 0.9) -> list[dict[str, Any]]:
    """Made-up leads; those that have ended did so by their true chance."""
    draw = random.Random(seed)
    found = []
    for n in range(number):
        doc: dict[str, Any] = {
            "name": {"first": "Ann", "last": f"Lead {n}"},
            "company": f"Firm {n}",
            "source": draw.choice(list(TRUE)),
            "impression": draw.choice(list(FEELING)),
            "industry": draw.choice(["food", "logistics", "retail", "machinery"]),
            "job": draw.choice(["Owner", "Buyer", "Engineer"]),
            "status": "new",
            "open": True,
            "created_on": f"2025-{n % 12 + 1:02}-{n % 28 + 1:02}T08:00:00.000Z",
            "changed_on": f"2025-{n % 12 + 1:02}-{n % 28 + 1:02}T08:00:00.000Z",
        }
        if draw.random() < 0.5:
            doc["budget"] = draw.randint(100_000, 6_000_000)
        if draw.random() > open_share:
            doc["status"], doc["open"] = ("converted" if draw.random() < chance(doc) else "dropped"), False
        found.append(doc)
    return found


def build(path: str, number: int) -> None:
    from crm.records import Company
    from crm.schema import load, shipped
    from crm.stores import open_store

    store = open_store(path)
    company = Company(load(shipped("sales")), store)
    rows = leads(number)
    for start in range(0, len(rows), 5000):
        with store.transaction(actor="system"):
            company.table("lead").insert_multiple(rows[start : start + 5000])
    from crm.records import SYSTEM

    company.door(SYSTEM).create("user", {"name": "Ann", "login": "ann", "role": "rep"})
    store.close()


def others(path: str, what: str, until: str) -> None:
    """Read or write again and again until a file appears; prints the waits in ms."""
    from crm.records import Company
    from crm.schema import load, shipped
    from crm.stores import open_store

    store = open_store(path)
    company = Company(load(shipped("sales")), store)
    door = company.door("ann")
    mine = door.create("lead", {"name": {"last": "Mine"}, "owner": door.actor.id}).id
    waits, number = [], 0
    print("ready", flush=True)
    while not Path(until).exists():
        number += 1
        began = time.perf_counter()
        if what == "write":
            door.change("lead", mine, {"company": f"Firm {number}"})
        else:
            door.list("lead", where="open", order=["-score"], limit=50)
        waits.append((time.perf_counter() - began) * 1000)
        time.sleep(0.02)
    waits.sort()
    said = {"n": len(waits), "p50": waits[len(waits) // 2], "p99": waits[int(len(waits) * 0.99)], "max": waits[-1]}
    print(json.dumps({key: round(value, 1) for key, value in said.items()}), flush=True)
    store.close()


def beside(path: str, act: Any) -> dict[str, Any]:
    """What a reader and a writer wait while `act` runs."""
    until = tempfile.mktemp()
    found = [
        subprocess.Popen([sys.executable, __file__, "--beside", what, "--data", path, "--until", until], stdout=subprocess.PIPE, text=True)
        for what in ("read", "write")
    ]
    for one in found:
        assert one.stdout is not None and one.stdout.readline().strip() == "ready"
    act()
    Path(until).touch()
    return {what: json.loads(one.communicate()[0].splitlines()[-1]) for what, one in zip(("read", "write"), found, strict=True)}


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--records", type=int, default=100_000)
    asked.add_argument("--data")
    asked.add_argument("--beside")
    asked.add_argument("--until", default="")
    given = asked.parse_args()
    if given.beside:
        return others(given.data, given.beside, given.until)
    path = given.data or str(Path(tempfile.mkdtemp()) / "scores.db")
    if not Path(path).exists():
        build(path, given.records)
    from crm.analytics import scores
    from crm.records import Company
    from crm.schema import load, shipped
    from crm.stores import open_store

    store = open_store(path)
    company = Company(load(shipped("sales")), store)
    score = company.schema.scores["lead"]
    began, worked = time.perf_counter(), time.process_time()
    kept = scores.learn(company, score)
    said: dict[str, Any] = {"learn_s": round(time.perf_counter() - began, 1), "learn_cpu_s": round(time.process_time() - worked, 1)}
    said |= {name: kept.get(name) for name in ("good", "bad", "auc", "brier", "brier_plain", "used")}
    said["quiet"] = beside(path, lambda: time.sleep(3))
    done: dict[str, Any] = {}
    worked = time.process_time()
    said["meanwhile"] = beside(path, lambda: done.update(scores.renew(company, score)))
    said["renew_cpu_s"] = round(time.process_time() - worked, 1)
    said["renew"] = {name: round(value, 2) for name, value in done.items()}
    off = [abs(row["score"] / 100 - chance(row)) for row in company.find("lead", limit=2000) if row.get("score") is not None and "name" in row]
    said["mean_error_of_chance"] = round(sum(off) / len(off), 4)
    print(json.dumps(said, indent=1))
    store.close()


if __name__ == "__main__":
    main()
