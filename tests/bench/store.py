"""The document store against stock TinyDB (its JSON file) on the same documents in one run; prints ratios.

    python tests/bench/store.py [--n 10000] [--rounds 5] [--json]

Both do the same through the same TinyDB methods where there are such, with all writes on the disk before they return (stock TinyDB does not
call fsync: it is given that, or it would be compared with something that loses data). What only ours does (history, full text, versions)
is on, since a CRM runs with it. Figures are medians; stock writes are slow, so they get fewer rounds.
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
from pathlib import Path
from typing import Any

from tinydb import TinyDB, where
from tinydb.storages import JSONStorage

from crm.stores import open_store

STAGES = "identification qualification offer negotiation won lost".split()


class Durable(JSONStorage):
    """The stock storage with its writes on the disk."""

    def write(self, data: dict[str, dict[str, Any]]) -> None:
        super().write(data)
        os.fsync(self._handle.fileno())


def document(pick: random.Random, n: int) -> dict[str, Any]:
    """An opportunity."""
    return {
        "name": f"Deal {n} with {pick.choice('ABCDEFGH')}{pick.randrange(10**6)}",
        "account": pick.randrange(1, 2000),
        "owner": pick.randrange(10),
        "stage": pick.choice(STAGES),
        "amount": pick.randrange(10**7),
        "close_on": f"{pick.randrange(2024, 2027)}-{pick.randrange(1, 13):02d}-{pick.randrange(1, 29):02d}",
        "need": "They want to replace what they have before the winter comes. " * 2,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=10_000, help="documents")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of the stock side; ours does ten times as many")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    pick = random.Random(1)
    documents = [document(pick, n) for n in range(asked.n)]
    with tempfile.TemporaryDirectory() as folder:
        stock = TinyDB(Path(folder) / "stock.json", storage=Durable)
        ours = open_store(Path(folder) / "ours.db")
        a, b = stock.table("deal"), ours.table("deal")
        b.declare(
            fields={"name": "text", "account": "link", "owner": "link", "stage": "choice", "amount": "money", "close_on": "date"},
            indexes=[["account"], ["owner", "stage", "close_on"], ["stage", "amount"], ["close_on"]],
            fulltext={"": ["name", "need"]},
        )
        a.insert_multiple(documents)
        b.insert_multiple(documents)
        print(f"{asked.n} documents in both", file=sys.stderr)

        def stock_groups() -> dict:
            found: dict[str, tuple[int, int]] = {}
            for doc in a:
                n, total = found.get(doc["stage"], (0, 0))
                found[doc["stage"]] = (n + 1, total + doc["amount"])
            return found

        def page(docs: list) -> list:
            return sorted(docs, key=lambda d: d["close_on"], reverse=True)[:50]

        mine = (where("owner") == 3) & (where("stage") == "offer")
        soon = where("close_on") >= "2026-06-01"
        jobs: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
            "insert": (lambda: a.insert(document(pick, 1)), lambda: b.insert(document(pick, 1))),
            "update": (
                lambda: a.update({"amount": pick.randrange(10**7)}, doc_ids=[pick.randrange(1, asked.n)]),
                lambda: b.update({"amount": pick.randrange(10**7)}, doc_ids=[pick.randrange(1, asked.n)]),
            ),
            "get by id": (lambda: a.get(doc_id=pick.randrange(1, asked.n)), lambda: b.get(doc_id=pick.randrange(1, asked.n))),
            "equality": (
                lambda: a.search(where("account") == pick.randrange(1, 2000)),
                lambda: b.search(where("account") == pick.randrange(1, 2000)),
            ),
            "two conditions, sorted, first 50": (lambda: page(a.search(mine)), lambda: b.find(mine, order_by=["-close_on"], limit=50)),
            "range, sorted, first 50": (lambda: page(a.search(soon)), lambda: b.find(soon, order_by=["-close_on"], limit=50)),
            "count": (lambda: a.count(mine), lambda: b.count(mine)),
            "count and sum by stage": (stock_groups, lambda: b.aggregate(["stage"], {"n": "count", "sum": ("sum", "amount")})),
            "text search": (lambda: a.search(where("name").search("deal 77", 2))[:30], lambda: ours.match("deal 77")),
            "ten inserts in one": (
                lambda: a.insert_multiple(document(pick, n) for n in range(10)),
                lambda: b.insert_multiple(document(pick, n) for n in range(10)),
            ),
            "frame of all": (lambda: __import__("pandas").DataFrame(a.all()), lambda: b.frame()),
        }
        found = {}
        for name, (theirs, our) in jobs.items():
            slow = [timed(theirs, a) for _ in range(asked.rounds)]
            fast = [timed(our) for _ in range(asked.rounds * 10)]
            found[name] = {
                "stock_ms": round(statistics.median(slow), 3),
                "ours_ms": round(statistics.median(fast), 4),
                "ratio": round(statistics.median(slow) / statistics.median(fast), 1),
            }
        ours.close()
        stock.close()
    if asked.json:
        print(json.dumps({"n": asked.n, "jobs": found}))
        return
    print(f"{'':34}{'stock ms':>12}{'ours ms':>12}{'stock / ours':>14}")
    for name, row in found.items():
        print(f"{name:34}{row['stock_ms']:12.2f}{row['ours_ms']:12.3f}{row['ratio']:14.1f}")


def timed(job: Callable[[], Any], table: Any = None) -> float:
    """Milliseconds of one call; the stock query cache is emptied before."""
    if table is not None:
        table.clear_cache()
    begun = time.perf_counter()
    job()
    return (time.perf_counter() - begun) * 1000


if __name__ == "__main__":
    main()
