"""The jobs that speed is measured by: the product through the one door against hand-written SQL, in one run.

    python tests/bench/jobs.py --n 10000 [--store PATH] [--json] [--only J1,J3]

The product runs as a signed-in rep with the rights of the shipped `rep` role, history on, durable commits. The floor is the
same job as hand-written SQL on plain indexed tables of a SQLite file beside it, with the same durability; its writes keep a
history row, its search a trigram index. Product and floor take turns; p50 and p99 are of single calls.

Data for N: N opportunities, N/5 accounts, N/2 contacts, N activities (20 accounts have at least 60), 10 reps in two teams,
six stages (30/20/15/5 % open, 20 % won, 10 % lost), closing dates within a year either way, fixed seed.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import apsw

from crm.records import SYSTEM, Company
from crm.schema import load, shipped
from crm.stores import open_store

STAGES = [("identification", 30), ("qualification", 20), ("offer", 15), ("negotiation", 5), ("won", 20), ("lost", 10)]
FIRST = "Anna Ben Clara David Ewa Filip Greta Hugo Irena Jakub Kasia Leon Maja Nils Olga Piotr Rosa Stefan Tomasz Vera".split()
SYLLABLES = "bal cor den fer gal hun jor kel lum mar nov ost pra quin ros san tor ulm ver wal".split()
TODAY = date.today()
YEAR_AGO = datetime.now(UTC) - timedelta(days=365)


def word(pick: random.Random) -> str:
    return "".join(pick.choice(SYLLABLES) for _ in range(3)).capitalize()


class Data:
    """The same records for both sides, drawn from a fixed seed."""

    def __init__(self, n: int, seed: int = 20):
        pick = random.Random(seed)
        self.n = n
        self.accounts = [f"{word(pick)} {word(pick)} {number}" for number in range(max(20, n // 5))]
        self.account_owner = [pick.randrange(10) for _ in self.accounts]
        self.contacts = [(pick.choice(FIRST), word(pick), pick.randrange(len(self.accounts))) for _ in range(n // 2)]
        names, weights = zip(*STAGES, strict=True)
        self.opportunities = [
            (
                f"{word(pick)} deal {number}",
                pick.randrange(len(self.accounts)),
                pick.choices(names, weights)[0],
                pick.randrange(10, 2000) * 100,
                TODAY + timedelta(days=pick.randrange(-365, 366)),
                pick.randrange(10),
            )
            for number in range(n)
        ]
        self.activities = []
        for number in range(n):
            account = number // 60 if number < min(1200, n) else pick.randrange(len(self.accounts))
            self.activities.append(
                (f"Talk about {word(pick)}", account, TODAY - timedelta(days=pick.randrange(0, 700)), pick.randrange(10))
            )


class Product:
    """The shipped sales configuration over a store of its own, used by one rep."""

    def __init__(self, data: Data, path: Path):
        self.data = data
        self.company = Company(load(shipped("sales")), open_store(str(path)))
        self.system = self.company.door(SYSTEM)
        made = path.with_suffix(".made")
        if made.exists():
            self.users, self.accounts, self.opportunities = json.loads(made.read_text())
        else:
            self.fill()
            made.write_text(json.dumps([self.users, self.accounts, self.opportunities]))
        self.door = self.company.door(self.company.actor("rep0"))

    def fill(self) -> None:
        door, data = self.system, self.data
        with door.step("bench data"):
            teams = [door.create("team", {"name": name}).id for name in ("North", "South")]
            self.users = [
                door.create(
                    "user", {"name": f"Rep {n}", "login": f"rep{n}", "role": "rep", "team": teams[n % 2], "email": f"rep{n}@bench.example"}
                ).id
                for n in range(10)
            ]
        with door.step("bench accounts"):
            self.accounts = [
                door.create("account", {"name": name, "kind": "customer", "owner": self.users[owner]}).id
                for name, owner in zip(data.accounts, data.account_owner, strict=True)
            ]
        for part in chunks(data.contacts, 20000):
            with door.step("bench contacts"):
                for first, last, account in part:
                    door.create(
                        "contact",
                        {"name": f"{first} {last}", "account": self.accounts[account], "owner": self.users[data.account_owner[account]]},
                    )
        self.opportunities = []
        early, later = datetime.now(UTC) - timedelta(days=730), datetime.now(UTC) - timedelta(days=180)
        rest = dict(lost_reason="price", lesson="Ask earlier", next_step="Call", next_on=str(TODAY), need="More", budget="1000")
        for part in chunks(data.opportunities, 20000):
            with door.step("bench opportunities", at=early):
                made = [
                    door.create(
                        "opportunity",
                        {
                            "name": name,
                            "account": self.accounts[account],
                            "amount": amount,
                            "close_on": close,
                            "owner": self.users[owner],
                            **rest,
                            **self.extra(),
                        },
                    ).id
                    for name, account, _, amount, close, owner in part
                ]
            ways = [self.ways(row[2]) for row in part]
            for turn in range(max(map(len, ways))):
                with door.step("bench moves", at=later + timedelta(days=20 * turn), gates=False):  # what was true a year ago is not now
                    for number, way in zip(made, ways, strict=True):
                        if turn < len(way):
                            door.change("opportunity", number, {"stage": way[turn]})
            self.opportunities += made
        for part in chunks(data.activities, 20000):
            with door.step("bench activities"):
                for subject, account, day, owner in part:
                    door.create(
                        "activity",
                        {
                            "subject": subject,
                            "kind": "call",
                            "account": self.accounts[account],
                            "owner": self.users[owner],
                            "due_on": day,
                            "done_on": f"{day}T10:00:00Z",
                        },
                    )

    def ways(self, stage: str) -> list[str]:
        """The stages an opportunity goes through after the first."""
        return [stage] if stage != STAGES[0][0] else []

    def extra(self) -> dict[str, Any]:
        """What an opportunity has beyond what the jobs need."""
        return {}


class Floor:
    """Hand-written SQL on plain tables: what the job costs without a product around it."""

    def __init__(self, data: Data, path: Path):
        self.data = data
        new = not path.exists()
        self.db = apsw.Connection(str(path))
        self.db.pragma("journal_mode", "wal")
        self.db.pragma("synchronous", "full")
        self.db.pragma("cache_size", -65536)
        if new:
            self.fill()
        self.next = self.one("SELECT max(id) FROM opportunity") + 1

    def one(self, sql: str, values: tuple = ()) -> Any:
        return next(iter(self.db.execute(sql, values)))[0]

    def fill(self) -> None:
        db, data = self.db, self.data
        db.execute("""
            CREATE TABLE account(id INTEGER PRIMARY KEY, name TEXT, kind TEXT, owner INTEGER, email TEXT);
            CREATE TABLE contact(id INTEGER PRIMARY KEY, name TEXT, account INTEGER, owner INTEGER);
            CREATE TABLE opportunity(id INTEGER PRIMARY KEY, name TEXT, account INTEGER, stage TEXT, amount INTEGER, close_on TEXT, owner INTEGER,
                probability REAL, weighted INTEGER, changed_on TEXT, version INTEGER DEFAULT 1);
            CREATE TABLE activity(id INTEGER PRIMARY KEY, subject TEXT, account INTEGER, owner INTEGER, done_on TEXT);
            CREATE TABLE history(seq INTEGER PRIMARY KEY, tbl TEXT, id INTEGER, at TEXT, who TEXT, patch TEXT);
            CREATE VIRTUAL TABLE search USING fts5(tbl UNINDEXED, id UNINDEXED, text, tokenize='trigram');""")
        with db:
            db.executemany(
                "INSERT INTO account(name, kind, owner) VALUES (?, 'customer', ?)",
                [(n, o + 1) for n, o in zip(data.accounts, data.account_owner, strict=True)],
            )
            db.executemany(
                "INSERT INTO contact(name, account, owner) VALUES (?, ?, ?)",
                [(f"{f} {n}", a + 1, data.account_owner[a] + 1) for f, n, a in data.contacts],
            )
            chance = {"identification": 0.1, "qualification": 0.25, "offer": 0.5, "negotiation": 0.75, "won": 1, "lost": 0}
            db.executemany(
                "INSERT INTO opportunity(name, account, stage, amount, close_on, owner, probability, weighted, changed_on) VALUES (?,?,?,?,?,?,?,?,?)",
                [
                    (n, a + 1, s, m * 100, str(c), o + 1, chance[s], int(m * 100 * chance[s]), "2026-01-01")
                    for n, a, s, m, c, o in data.opportunities
                ],
            )
            db.executemany(
                "INSERT INTO activity(subject, account, owner, done_on) VALUES (?,?,?,?)",
                [(s, a + 1, o + 1, f"{d}T10:00:00Z") for s, a, d, o in data.activities],
            )
            for table, text in (("account", "name"), ("contact", "name"), ("opportunity", "name"), ("activity", "subject")):
                db.execute(f"INSERT INTO search(tbl, id, text) SELECT '{table}', id, {text} FROM {table}")
            db.execute("""
                CREATE INDEX a1 ON contact(account); CREATE INDEX a2 ON opportunity(account); CREATE INDEX a3 ON activity(account, done_on);
                CREATE INDEX a4 ON opportunity(owner, stage, close_on); CREATE INDEX a5 ON opportunity(stage, owner, amount); CREATE INDEX a6 ON opportunity(stage, owner, close_on, amount);
                CREATE INDEX a7 ON history(tbl, id);""")
        db.execute("ANALYZE")


def chunks(items: list, size: int) -> Iterator[list]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


Job = tuple[Callable[[], Any], Callable[[], Any] | None, int]


def jobs(product: Product, floor: Floor) -> dict[str, Job]:
    """{job: (product's way, floor's way, calls)}."""
    pick, numbers, db, door = random.Random(7), count(1), floor.db, product.door
    data, team = product.data, [n for n in range(10) if n % 2 == 0]  # rep0 sees the team of the even numbers
    mine = [number for number, row in enumerate(data.opportunities) if row[5] in team]
    big = [number for number in range(20) if data.account_owner[number] in team]
    seen = [user + 1 for user in team]
    marks = ",".join("?" * len(seen))
    words = [name.split()[0].lower() for number, name in enumerate(data.accounts) if data.account_owner[number] in team]

    def j1() -> None:
        number = pick.choice(mine)
        account = product.accounts[data.opportunities[number][1]]
        while data.account_owner[data.opportunities[number][1]] not in team:
            number = pick.choice(mine)
            account = product.accounts[data.opportunities[number][1]]
        door.create(
            "opportunity",
            {
                "name": f"Fresh deal {next(numbers)}",
                "account": account,
                "amount": "48500.00",
                "close_on": "2026-12-18",
                "next_on": "2026-12-01",
                "next_step": "Call",
            },
        )

    def f1() -> None:
        with db:
            floor.next += 1
            db.execute(
                "INSERT INTO opportunity(id, name, account, stage, amount, close_on, owner, probability, weighted, changed_on) VALUES (?,?,?,?,?,?,?,?,?,?)",
                (
                    floor.next,
                    f"Fresh deal {next(numbers)}",
                    pick.randrange(len(data.accounts)) + 1,
                    "identification",
                    4850000,
                    "2026-12-18",
                    1,
                    0.1,
                    485000,
                    "2026-11-21",
                ),
            )
            db.execute(
                "INSERT INTO history(tbl, id, at, who, patch) VALUES ('opportunity', ?, ?, 'rep0', ?)",
                (floor.next, "2026-11-21T10:00:00Z", '{"name":[null,"Fresh deal"]}'),
            )

    def j3() -> Any:
        where = f"owner == me and stage == '{pick.choice(STAGES)[0]}'"
        found = door.list("opportunity", where, order=["-close_on"], limit=50)
        titles = door.titles("account", {record["account"] for record in found})
        return [(record["name"], titles.get(record["account"])) for record in found], door.count("opportunity", where)

    def f3() -> Any:
        stage = pick.choice(STAGES)[0]
        rows = list(
            db.execute(
                "SELECT o.id, o.name, o.amount, o.close_on, a.name FROM opportunity o JOIN account a ON a.id = o.account WHERE o.owner = 1 AND o.stage = ? "
                "ORDER BY o.close_on DESC LIMIT 50",
                (stage,),
            )
        )
        return rows, floor.one("SELECT count(*) FROM opportunity WHERE owner = 1 AND stage = ?", (stage,))

    def j4() -> Any:
        account = product.accounts[pick.choice(big)]
        return (
            door.get("account", account),
            door.list("contact", f"account == {account}", limit=50),
            door.list("opportunity", f"account == {account}", limit=50),
            door.timeline("account", account, limit=50),
        )

    def f4() -> Any:
        account = pick.choice(big) + 1
        return (
            list(db.execute("SELECT * FROM account WHERE id = ?", (account,))),
            list(db.execute("SELECT * FROM contact WHERE account = ? LIMIT 50", (account,))),
            list(db.execute("SELECT * FROM opportunity WHERE account = ? LIMIT 50", (account,))),
            list(db.execute("SELECT * FROM activity WHERE account = ? ORDER BY done_on DESC LIMIT 50", (account,))),
        )

    def j5() -> Any:
        return door.aggregate("opportunity", ["stage"], {"n": ("count", None), "sum": ("sum", "amount")})

    def f5() -> Any:
        return list(db.execute(f"SELECT stage, count(*), sum(amount) FROM opportunity WHERE owner IN ({marks}) GROUP BY stage", seen))

    def j6() -> Any:
        return door.aggregate("opportunity", [("month", "close_on"), "owner"], {"won": ("sum", "amount")}, "stage == 'won'")

    def f6() -> Any:
        return list(
            db.execute(
                f"SELECT substr(close_on, 1, 7), owner, sum(amount) FROM opportunity WHERE stage = 'won' AND owner IN ({marks}) GROUP BY 1, 2",
                seen,
            )
        )

    def j7() -> Any:
        return door.search(pick.choice(words)[1:6], limit=30)

    def f7() -> Any:
        return list(db.execute("SELECT tbl, id FROM search WHERE text MATCH ? LIMIT 30", (f'"{pick.choice(words)[1:6]}"',)))

    still = set(product.system.ids("opportunity", "stage == 'identification'"))  # a kept store has moves of earlier runs in it
    opened = [number for number in mine if product.opportunities[number] in still]
    moving = iter(pick.sample(opened, len(opened)))
    moving_floor = iter(pick.sample(opened, len(opened)))

    def j8() -> None:
        door.move("opportunity", product.opportunities[next(moving)], "qualification")

    def f8() -> None:
        with db:
            number = next(moving_floor) + 1
            for version, amount in list(db.execute("SELECT version, amount FROM opportunity WHERE id = ?", (number,))):
                db.execute(
                    "UPDATE opportunity SET stage = 'qualification', probability = .25, weighted = ?, changed_on = ?, version = version + 1 WHERE id = ? AND version = ?",
                    (amount // 4, "2026-11-21", number, version),
                )
                db.execute(
                    "INSERT INTO history(tbl, id, at, who, patch) VALUES ('opportunity', ?, ?, 'rep0', ?)",
                    (number, "2026-11-21T10:00:00Z", '{"stage":["identification","qualification"]}'),
                )

    paths = ["name", "account", "stage", "amount", "close_on", "owner", "probability", "weighted"]
    table = product.company.store.table("opportunity")

    def j11() -> Any:
        return product.system.frame("opportunity", paths)

    def f11() -> Any:
        return list(table.values(paths))

    def j12(**more: Any) -> Any:
        return product.system.aggregate("opportunity", ["stage"], {"n": ("count", None), "sum": ("sum", "amount")}, **more)

    many = 400 if data.n <= 100_000 else 200
    slow = max(5, min(60, 2_000_000 // data.n))
    return {
        "J1": (j1, f1, many),
        "J3": (j3, f3, many),
        "J4": (j4, f4, many),
        "J5": (j5, f5, slow),
        "J6": (j6, f6, slow),
        "J7": (j7, f7, many),
        "J8": (j8, f8, min(many, len(opened) - 10)),
        "J11": (j11, f11, max(3, slow // 6)),
        "J12": (lambda: j12(as_of=YEAR_AGO), j12, max(3, slow // 10)),
    }


GOALS = {"J1": 6, "J3": 10, "J4": 12, "J5": 3, "J6": 3, "J7": 6, "J8": 8, "J11": 2, "J12": 5}


def measure(job: Job) -> dict[str, float]:
    """p50 and p99 of the product, p50 of the floor, and their ratio; calls of both sides take turns."""
    own, other, calls = job
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(calls + 3):
        for side, run in enumerate((own, other)):
            if run is None:
                continue
            start = time.perf_counter()
            run()
            if number >= 3:  # the first calls warm the caches of both
                times[side].append((time.perf_counter() - start) * 1000)
    p50, floor = statistics.median(times[0]), statistics.median(times[1])
    p99 = sorted(times[0])[min(len(times[0]) - 1, int(len(times[0]) * 0.99))]
    return {"p50_ms": round(p50, 3), "p99_ms": round(p99, 3), "floor_p50_ms": round(floor, 3), "ratio": round(p50 / floor, 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=10_000)
    parser.add_argument("--store", help="keep the data here and use it again (default: a temporary file)")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", help="some jobs, by comma")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(options.store or Path(scratch) / "bench.db")
        data = Data(options.n)
        start = time.perf_counter()
        product = Product(data, path)
        floor = Floor(data, path.with_suffix(".floor"))
        print(f"data for {options.n:,} in {time.perf_counter() - start:.0f} s", file=sys.stderr)
        gc.collect()
        wanted = options.only.split(",") if options.only else None
        found = {}
        for name, job in jobs(product, floor).items():
            if wanted is None or name in wanted:
                found[name] = measure(job)
                if not options.json:
                    row = found[name]
                    kept = "ok" if row["ratio"] <= GOALS[name] else "MISSED"
                    print(
                        f"{name:4} p50 {row['p50_ms']:9.3f} ms  p99 {row['p99_ms']:9.3f} ms  floor {row['floor_p50_ms']:9.3f} ms  ratio {row['ratio']:6.2f}  goal {GOALS[name]:3}  {kept}",
                        flush=True,
                    )
        if options.json:
            print(json.dumps({"n": options.n, "store": "sqlite", "jobs": found}))


if __name__ == "__main__":
    main()
