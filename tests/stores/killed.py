"""What runs in the processes that `test_together` kills: writes without end, telling each write once it is acknowledged."""

from __future__ import annotations

from typing import Any

from crm.stores import open_store


def write_without_end(path: str, told: Any) -> None:
    """Insert and change a document per transaction; `(id, number)` goes to `told` after its commit."""
    table = open_store(path).table("work")
    table.declare(fields={"n": "number"}, indexes=[["n"]], fulltext={"": ["text"]})
    n = 0
    while True:
        n += 1
        with table.storage.begin():
            i = table.insert({"n": n, "text": f"number {n}"})
            table.update({"twice": 2 * n}, doc_ids=[i])
        told.send((i, n))
