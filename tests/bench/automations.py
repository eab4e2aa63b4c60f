"""What automations cost a write: the same changes with none, with some for another entity, with one that does not fit, with one that does.

    python tests/bench/automations.py [RECORDS]

Rounds of all of them alternate within one run; printed are the means of the processor time of a change in ms (waiting for the disk is the same for all) and their ratio to the first.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from crm.records import SYSTEM
from tests.shop import shops

CASES = {
    "none": {},
    "of another entity": {f"a{n}": "entity: buyer\nwhen: {changed: name}\nthen: {set: {secret: x}}" for n in range(10)},
    "10 other triggers": {f"a{n}": "entity: order\nwhen: {stage: sold}\nthen: {set: {note: x}}" for n in range(10)},
    "10 untrue conditions": {f"a{n}": "entity: order\nwhen: {changed: round}\nif: price > 1000000\nthen: {set: {note: x}}" for n in range(10)},
    "one that sets a field": {"a": "entity: order\nwhen: {changed: round}\nthen: {set: {note: =round}}"},
    "one that adds a record": {"a": "entity: order\nwhen: {changed: round}\nthen: {create: doing, values: {what: Look, order: record}}"},
}


def main(records: int = 300, rounds: int = 5) -> None:
    times: dict[str, list[float]] = {name: [] for name in CASES}
    with tempfile.TemporaryDirectory() as folder:
        made = {}
        for number, (name, automations) in enumerate(CASES.items()):
            path = Path(folder) / str(number)
            path.mkdir()
            shop = shops(path)
            company = next(shop)(automations)
            door = company.door(SYSTEM)
            with door.step("fill", later=True, fires="none"):
                ids = [door.create("order", {"name": f"Ship {n}", "price": n}).id for n in range(records)]
            made[name] = (shop, door, ids)
        for turn in range(rounds):
            for name, (_, door, ids) in made.items():
                for one in ids:
                    began = time.process_time()
                    door.change("order", one, {"round": turn + 1})
                    times[name].append((time.process_time() - began) * 1000)
        for shop, _, _ in made.values():
            next(shop, None)
    base = statistics.fmean(times["none"])
    for name, found in times.items():
        middle = statistics.fmean(found)
        print(f"{name:24} {middle:7.3f} ms   × {middle / base:.2f}")


if __name__ == "__main__":
    main(*(int(one) for one in sys.argv[1:]))
