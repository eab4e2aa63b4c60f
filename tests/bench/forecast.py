"""How quick the forecast is, and how good it was: `python tests/bench/forecast.py [STORE ...] [--deals 100000]`.

Prints (wall and processor seconds) 10,000 runs over 10,000 open deals; reading the history of a synthetic company of `--deals` deals in one
go and one forecast and a record from it; and for each demo store given (made anew when none is) a slider's answer and the record.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date
from pathlib import Path
from typing import Any

import numpy as np


def timed(what: str, act: Callable[[], Any]) -> Any:
    """Runs and prints what it took."""
    wall, cpu = time.perf_counter(), time.process_time()
    found = act()
    print(f"{what:66s} {time.perf_counter() - wall:7.3f} s wall {time.process_time() - cpu:7.3f} s processor", flush=True)
    return found


def drawing() -> None:
    """10,000 runs of 10,000 open deals, three in ten of which are won in six months."""
    from crm.analytics.forecast.draw import WORLDS, Open, draw_open

    rng = np.random.default_rng(0)
    chance = np.cumsum(rng.random((WORLDS, 10_000, 6)) * 0.1, axis=2).astype(np.float32)
    opened = Open(chance, rng.lognormal(10, 1, 10_000), rng.integers(0, 6, 10_000), np.zeros(10_000, dtype=int))
    ratios = [rng.normal(1, 0.05, 50) for _ in range(6)]
    for _ in range(2):
        timed("10,000 runs of 10,000 open deals", lambda: draw_open(opened, ratios, [np.ones(1)] * 6, 1, 10_000, 0))


def synthetic(deals: int) -> Any:
    """A history of three years: every deal five changes."""
    from crm.analytics.forecast.history import History, State
    from crm.schema import load, shipped

    schema = load(shipped("sales"))
    states = [State(name, stage) for name in ("b2b",) for stage in schema.pipelines[name].stages.values()]
    rng = np.random.default_rng(1)
    today = date.today().toordinal() - date(1970, 1, 1).toordinal()
    begin = rng.uniform(today - 1000, today, deals)
    lengths = rng.lognormal(2.7, 0.6, (deals, 4))
    reach = np.where(rng.random(deals) < 0.35, 4, rng.integers(1, 5, deals))
    won = rng.random(deals) < 0.5
    deal, since, code = [], [], []
    ends = begin[:, None] + np.cumsum(lengths, axis=1)
    for k in range(5):
        here = np.arange(deals) if k == 0 else np.flatnonzero(reach >= k)
        at = begin[here] if k == 0 else ends[here, k - 1]
        stage = np.full(len(here), k) if k == 0 else np.where((reach[here] == k), np.where((k == 4) & won[here], 4, 5), k)
        known = at <= today
        deal.append(here[known])
        since.append(at[known])
        code.append(stage[known])
    d, s, c = np.concatenate(deal), np.concatenate(since), np.concatenate(code)
    order = np.lexsort((s, d))
    d, s, c = d[order], s[order], c[order]
    amount = rng.lognormal(10, 0.8, deals)[d]
    owner = rng.integers(1, 101, deals)[d]
    close = s + rng.uniform(0, 60, len(s)) + date(1970, 1, 1).toordinal()
    return History(
        states, [], np.arange(1, deals + 1), d.astype(np.int32), s, c.astype(np.int16), amount, np.floor(close), np.full(len(d), np.nan), owner,
        np.full(len(d), -1, dtype=np.int32), UTC,
    )  # fmt: skip


def large(deals: int) -> None:
    """Learning and drawing of a large company; the reading of its store is measured with a store."""
    from crm.analytics.forecast.learn import learn

    history = timed(f"{deals:,} deals: history put in order", lambda: synthetic(deals))
    now = history.since.max()
    timed(f"{deals:,} deals: learned at one moment", lambda: learn(history, now))
    timed(f"{deals:,} deals: learned at eighteen past moments", lambda: [learn(history, now - 30 * n, far=130) for n in range(1, 19)])


def record(path: str) -> None:
    """A demo store: how quick a slider is answered, and how good the forecast was."""
    from crm.analytics.forecast import Levers, backtest, prepare
    from crm.analytics.forecast.history import read
    from crm.records import SYSTEM, Company
    from crm.schema import load, shipped
    from crm.stores import open_store

    company = Company(load(shipped("sales")), open_store(path))
    door = company.door(SYSTEM)
    print(f"\n{path}: {door.count('opportunity')} deals")
    timed("history read in one go", lambda: read(door, door.schema.forecasts["revenue"]))
    made = timed("prepared", lambda: prepare(door, "revenue"))
    for n in range(3):
        timed("a lever moved, 10,000 runs", lambda n=n: made.simulate(Levers(win_rate=1 + n / 10)))
    found = timed("record", lambda: backtest(door, "revenue"))
    errors = ", ".join(f"{name} {value:.3f}" for name, value in found.baselines.items())
    print(
        f"coverage {found.coverage:.3f}, bias {found.bias:+.3f}, error of P50 {found.error:.3f} ({errors}), replays {found.notes['replays']}"
    )
    print(found.says)
    company.store.close()


def demo(seed: int | None) -> str:
    from crm.intake.demo import fill
    from crm.records import Company
    from crm.schema import load, shipped
    from crm.stores import open_store

    path = str(Path(tempfile.mkdtemp()) / f"demo-{seed or 'default'}.db")
    store = open_store(path)
    fill(Company(load(shipped("sales")), store), size="small", seed=seed, today=date.today())
    store.close()
    return path


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("stores", nargs="*")
    asked.add_argument("--deals", type=int, default=100_000)
    asked.add_argument("--seeds", type=int, nargs="*", default=[], help="demo companies to make, beside the stores")
    given = asked.parse_args()
    drawing()
    large(given.deals)
    for path in given.stores or ([] if given.seeds else [demo(None)]):
        record(path)
    for seed in given.seeds:
        record(demo(seed))


if __name__ == "__main__":
    main()
